//! The drawing on the timeline: a ruler, and below it curves, rows of keys, or measurements, on the same time axis.

use iced::alignment::{Horizontal, Vertical};
use iced::widget::canvas::{Canvas, Frame, Path, Text};
use iced::widget::container;
use iced::{Color, Element, Font, Length, Point, Rectangle, Size};

use crate::app::widgets::theme::{self, Colors};
use crate::document::{AuVector, Channel, Curve, KeyId, Selection, SliderRange};

use super::lens::{Scale, TimeView};
use super::subject::{SheetData, short_name};
use super::{Message, Tab};

/// The drawing's widget id, for tests.
pub const SHEET: &str = "timeline-sheet";

/// Width of the column of names at the left, in logical pixels.
pub const GUTTER: f32 = 112.0;

/// Margin at the right, so that the last key isn't cut off.
const MARGIN: f32 = 14.0;

/// The ruler's height.
pub const RULER: f32 = 20.0;

/// Top of the part below the ruler.
pub const TOP: f32 = RULER + 9.0;
const BOTTOM: f32 = 9.0;

/// The part of a canvas of this size below the ruler and right of the names.
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

/// How close the pointer must be to grab something, in logical pixels.
pub const GRAB_DISTANCE: f32 = 7.0;

pub struct Sheet<'a> {
    pub given: SheetData<'a>,
    pub frame: u32,
    pub selection: &'a Selection,
    /// The keys being dragged, at their times when the drag began.
    pub grabbed: Option<&'a Selection>,
    /// The highlighted keys: the selected ones, or those under the playhead.
    pub lit: Selection,
    pub tab: Tab,
    pub lens: TimeView,
    /// The channels in the order of the list, and whether each one's curve is shown.
    pub channels: Vec<(Channel, bool)>,
    pub metric: Option<&'a str>,
    /// The range of the curves.
    pub reach: SliderRange,
}

/// The keys under the pointer, and the one it grabs.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub ids: Selection,
    pub at: KeyId,
}

/// A handle of a curve between two keys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Handle {
    /// The key at the start of the curve segment.
    pub id: KeyId,
    pub second: bool,
    /// Whether it is on the right half's curve, where the halves differ.
    pub right: bool,
    /// The position of the key the handle belongs to, and of the handle.
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

    /// The time scale of a canvas of this size.
    pub fn scale(&self, size: Size) -> Scale {
        let plot = self.plot(size);
        let subject = self.given.subject;
        let edges = (plot.x, plot.x + plot.width);
        self.lens.scale(edges, subject.last(), subject.fps())
    }

    /// The fractions of a channel's usual range at the plot's lower and upper edge.
    pub fn shares(&self) -> (f32, f32) {
        match self.reach {
            SliderRange::Usual => (0.0, 1.0),
            // An Action Unit's usual range is 0..=1, so its value is the fraction.
            SliderRange::Beyond => (*AuVector::RANGE.start(), *AuVector::RANGE.end()),
        }
    }

    /// Draws a name at the left.
    pub fn draw_name(&self, frame: &mut Frame, channel: Channel, y: f32, color: Color) {
        let place = Point::new(4.0, y);
        let text = label(short_name(channel), place, color, theme::FIGURES);
        frame.fill_text(Text {
            align_x: Horizontal::Left.into(),
            ..text
        });
    }

    /// Draws a hint what to do where there is no data yet.
    pub fn draw_hint(&self, frame: &mut Frame, colors: &Colors, size: Size, words: &str) {
        let plot = self.plot(size);
        let text = label(words.to_owned(), plot.center(), colors.faint, theme::WORDS);
        frame.fill_text(Text {
            size: theme::SMALL.into(),
            ..text
        });
    }
}

/// A small text centred on a point.
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

/// The rectangle with these opposite corners.
pub fn between(a: Point, b: Point) -> Rectangle {
    Rectangle {
        x: a.x.min(b.x),
        y: a.y.min(b.y),
        width: (a.x - b.x).abs(),
        height: (a.y - b.y).abs(),
    }
}

/// The symbol of a key.
pub fn diamond(at: Point, half: f32) -> Path {
    Path::new(|path| {
        path.move_to(Point::new(at.x, at.y - half));
        path.line_to(Point::new(at.x + half, at.y));
        path.line_to(Point::new(at.x, at.y + half));
        path.line_to(Point::new(at.x - half, at.y));
        path.close();
    })
}

/// Keys closer together than this are drawn and can be grabbed only if selected, in logical pixels.
const CROWDED: f32 = 12.0;

/// Whether a curve's keys are too close together to be grabbed one by one.
pub fn crowded(curve: &Curve, scale: &Scale) -> bool {
    let keys = curve.keys();
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else {
        return false;
    };
    let gaps = (keys.len() - 1) as f32;
    gaps > 0.0 && (scale.x_of(last.time) - scale.x_of(first.time)) / gaps < CROWDED
}
