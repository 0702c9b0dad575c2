//! The drawing on the timeline: a ruler, and below it curves, rows of keys, or measurements, all over the same time.

use iced::alignment::{Horizontal, Vertical};
use iced::widget::canvas::{Canvas, Frame, Path, Text};
use iced::widget::container;
use iced::{Color, Element, Font, Length, Point, Rectangle, Size};

use crate::app::widgets::theme;
use crate::document::{AuVector, Channel, Curve, KeyId, Reach, Selection};

use super::lens::{Lens, Scale};
use super::subject::{Given, short_name};
use super::{Message, Tab};

/// The drawing's place, for tests.
pub const SHEET: &str = "timeline-sheet";

/// The room for the names at the left.
pub const GUTTER: f32 = 112.0;

/// The room at the right, so that the last key is whole.
const MARGIN: f32 = 14.0;

/// The ruler's height.
pub const RULER: f32 = 20.0;

/// Where the part below the ruler begins.
pub const TOP: f32 = RULER + 9.0;
const BOTTOM: f32 = 9.0;

/// The part of the drawing below the ruler and beside the names, in a canvas of this size.
pub fn plot(size: Size) -> Rectangle {
    Rectangle {
        x: GUTTER,
        y: TOP,
        width: (size.width - GUTTER - MARGIN).max(1.0),
        height: (size.height - TOP - BOTTOM).max(1.0),
    }
}

/// Half of a key's diagonal.
pub const DIAMOND: f32 = 4.5;

/// How near the hand must come, in logical pixels.
pub const REACH: f32 = 7.0;

pub struct Sheet<'a> {
    pub given: Given<'a>,
    pub frame: u32,
    pub selection: &'a Selection,
    /// The keys in the hand, where they were when it took them.
    pub grabbed: Option<&'a Selection>,
    /// The keys that are drawn as chosen: the selected ones, or those under the playhead.
    pub lit: Selection,
    pub tab: Tab,
    pub lens: Lens,
    /// In the order of the list, and whether its curve is shown.
    pub channels: Vec<(Channel, bool)>,
    pub metric: Option<&'a str>,
    /// How far the curves go.
    pub reach: Reach,
}

/// What the hand finds: keys, and the one it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub ids: Selection,
    pub at: KeyId,
}

/// A handle of a curve between two keys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Handle {
    /// The key that the curve begins at.
    pub id: KeyId,
    pub second: bool,
    /// Whether it stands on the right half's curve, where that is another.
    pub right: bool,
    /// The key that the handle belongs to, and the handle.
    pub from: Point,
    pub at: Point,
}

impl<'a> Sheet<'a> {
    pub fn into_element(self) -> Element<'a, Message> {
        let canvas = Canvas::new(self).width(Length::Fill).height(Length::Fill);
        container(canvas).id(SHEET).into()
    }

    pub fn plot(&self, size: Size) -> Rectangle {
        plot(size)
    }

    /// Where moments lie.
    pub fn scale(&self, size: Size) -> Scale {
        let plot = self.plot(size);
        let subject = self.given.subject;
        let edges = (plot.x, plot.x + plot.width);
        self.lens.scale(edges, subject.last(), subject.fps())
    }

    /// The shares of a channel's usual range at the plot's lower and upper edge.
    pub fn shares(&self) -> (f32, f32) {
        match self.reach {
            Reach::Usual => (0.0, 1.0),
            // A unit's value is its share.
            Reach::Beyond => (*AuVector::RANGE.start(), *AuVector::RANGE.end()),
        }
    }

    /// A row of the names at the left.
    pub fn draw_name(&self, frame: &mut Frame, channel: Channel, y: f32, color: Color) {
        let place = Point::new(4.0, y);
        let text = label(short_name(channel), place, color, theme::FIGURES);
        frame.fill_text(Text {
            align_x: Horizontal::Left.into(),
            ..text
        });
    }

    /// What to do where there is nothing yet.
    pub fn draw_hint(&self, frame: &mut Frame, size: Size, words: &str) {
        let plot = self.plot(size);
        let text = label(
            words.to_owned(),
            plot.center(),
            theme::faint(),
            theme::WORDS,
        );
        frame.fill_text(Text {
            size: theme::SMALL.into(),
            ..text
        });
    }
}

/// A small text around a place.
pub fn label(content: String, position: Point, color: Color, font: Font) -> Text {
    Text {
        content,
        position,
        color,
        size: 10.0.into(),
        font,
        align_x: Horizontal::Center.into(),
        align_y: Vertical::Center,
        ..Text::default()
    }
}

/// The rectangle between two corners.
pub fn between(a: Point, b: Point) -> Rectangle {
    Rectangle {
        x: a.x.min(b.x),
        y: a.y.min(b.y),
        width: (a.x - b.x).abs(),
        height: (a.y - b.y).abs(),
    }
}

/// A key's sign.
pub fn diamond(at: Point, half: f32) -> Path {
    Path::new(|path| {
        path.move_to(Point::new(at.x, at.y - half));
        path.line_to(Point::new(at.x + half, at.y));
        path.line_to(Point::new(at.x, at.y + half));
        path.line_to(Point::new(at.x - half, at.y));
        path.close();
    })
}

/// Keys nearer to each other than this are drawn and taken only where they are selected, in logical pixels.
const CROWDED: f32 = 12.0;

/// Whether a curve's keys stand too near to each other to be taken one by one.
pub fn crowded(curve: &Curve, scale: &Scale) -> bool {
    let keys = curve.keys();
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else {
        return false;
    };
    let gaps = (keys.len() - 1) as f32;
    gaps > 0.0 && (scale.x_of(last.time) - scale.x_of(first.time)) / gaps < CROWDED
}
