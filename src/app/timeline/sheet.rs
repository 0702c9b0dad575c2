//! The drawing on the timeline: a ruler, and below it curves, rows of keys, or measurements, all over the same time.

use std::hash::{DefaultHasher, Hash, Hasher};

use iced::alignment::{Horizontal, Vertical};
use iced::widget::canvas::{Canvas, Frame, Geometry, Path, Text};
use iced::widget::container;
use iced::{Color, Element, Font, Length, Point, Rectangle, Renderer, Size};

use crate::app::widgets::theme;
use crate::document::{ActionUnit, KeyId, Pose, Selection, Track};

use super::hand::{Drag, Hand};
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
    pub units: Vec<(ActionUnit, bool)>,
    pub metric: Option<&'a str>,
}

/// What the hand finds: keys, and the one it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub ids: Selection,
    pub at: KeyId,
}

/// What the still part of the drawing depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Ground {
    track: Option<(Track, Pose)>,
    /// Of what is long: what was read, what is rendered, what is lit, the numbers.
    long: u64,
    frames: u32,
    range: Option<(u32, u32)>,
    lens: Lens,
    tab: Tab,
    units: Vec<(ActionUnit, bool)>,
    over: Option<ActionUnit>,
    metric: Option<String>,
}

/// What lies over it: the playhead's frame, and the box that selects.
type Front = (Ground, u32, Option<(Point, Point)>);

/// The drawings that are kept.
#[derive(Debug, Default)]
pub struct Drawn {
    ground: crate::app::widgets::keyed_cache::KeyedCache<Ground>,
    front: crate::app::widgets::keyed_cache::KeyedCache<Front>,
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

    /// The keys under the hand.
    pub fn hit(&self, at: Point, size: Size) -> Option<Hit> {
        let track = self.given.subject.track()?;
        match self.tab {
            Tab::Curves => self.curve_hit(track, at, size),
            Tab::Dope => self.dope_hit(track, at, size),
            Tab::Metrics => None,
        }
    }

    /// The keys within a box.
    pub fn within(&self, area: Rectangle, size: Size) -> Selection {
        let Some(track) = self.given.subject.track() else {
            return Selection::new();
        };
        match self.tab {
            Tab::Curves => self.curves_within(track, area, size),
            Tab::Dope => self.dope_within(track, area, size),
            Tab::Metrics => Selection::new(),
        }
    }

    /// The unit whose name or curve is under the hand.
    pub fn unit_at(&self, at: Point, size: Size) -> Option<ActionUnit> {
        match self.tab {
            Tab::Curves if at.x < GUTTER => self.named_at(at, size),
            Tab::Curves => self.curve_at(at, size),
            Tab::Dope => self.dope_unit(at, size),
            Tab::Metrics => None,
        }
    }

    fn ground(&self, over: Option<ActionUnit>) -> Ground {
        let given = self.given;
        let document = given.subject.document();
        let mut long = DefaultHasher::new();
        given.rendered.hash(&mut long);
        for id in &self.lit {
            (id.unit, id.time.to_bits()).hash(&mut long);
        }
        if let super::subject::Subject::Read { poses, .. } = given.subject {
            for pose in poses {
                let values = pose.as_ref().map(|pose| {
                    [pose.left, pose.right].map(|half| half.values().map(f32::to_bits))
                });
                values.hash(&mut long);
            }
        }
        for series in given.numbers.iter().flat_map(|numbers| &numbers.series) {
            (&series.name, &series.metric).hash(&mut long);
            for value in &series.values {
                value.map(f32::to_bits).hash(&mut long);
            }
        }
        Ground {
            track: document.map(|document| (document.track.clone(), document.still)),
            long: long.finish(),
            frames: given.subject.frames(),
            range: given.subject.range(),
            lens: self.lens,
            tab: self.tab,
            units: self.units.clone(),
            over,
            metric: self.metric.map(str::to_owned),
        }
    }

    pub fn paint(&self, hand: &Hand, renderer: &Renderer, size: Size) -> Vec<Geometry> {
        let ground = self.ground(hand.over);
        let area = match hand.drag {
            Some(Drag::Box { from, to, .. }) => Some((from, to)),
            _ => None,
        };
        let front = (ground.clone(), self.frame, area);
        let mut all = hand.drawn.ground.draw(renderer, size, ground, |frame| {
            self.draw_ruler(frame, size);
            match self.tab {
                Tab::Curves => self.draw_curves(frame, size, hand.over),
                Tab::Dope => self.draw_dope(frame, size, hand.over),
                Tab::Metrics => self.draw_numbers(frame, size),
            }
            self.draw_range(frame, size);
        });
        all.extend(hand.drawn.front.draw(renderer, size, front, |frame| {
            if self.tab == Tab::Curves {
                self.draw_values(frame, size);
            }
            self.draw_playhead(frame, size);
            if let Some((a, b)) = area {
                draw_box(frame, between(a, b));
            }
        }));
        all
    }

    /// A row of the names at the left.
    pub fn draw_name(&self, frame: &mut Frame, unit: ActionUnit, y: f32, color: Color) {
        let place = Point::new(4.0, y);
        let text = label(short_name(unit), place, color, theme::FIGURES);
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

fn draw_box(frame: &mut Frame, area: Rectangle) {
    let path = Path::rectangle(area.position(), area.size());
    frame.fill(&path, theme::accent().scale_alpha(0.12));
    let stroke = iced::widget::canvas::Stroke::default()
        .with_color(theme::accent().scale_alpha(0.7))
        .with_width(1.0);
    frame.stroke(&path, stroke);
}
