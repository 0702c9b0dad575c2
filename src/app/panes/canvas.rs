//! One pane: the worker's picture, and over it the crop or the landmarks, the wipe line and the title.

use std::sync::Arc;

use iced::alignment::{Horizontal, Vertical};
use iced::mouse::{self, Cursor, ScrollDelta};
use iced::widget::canvas::{self, Action, Canvas, Event, Frame, Geometry, Path, Stroke, Text};
use iced::{Color, Element, Length, Point, Rectangle, Renderer, Size, Theme};

use crate::app::strings::panes as strings;
use crate::app::widgets::clicks::Clicks;
use crate::app::widgets::images::images;
use crate::app::widgets::keyed_cache::KeyedCache;
use crate::app::widgets::square::{self, Grip};
use crate::app::widgets::theme::{self, Colors};
use crate::document::Crop;
use crate::face::found::FoundFace;
use crate::face::view::View;

use super::{Message, PanePicture, landmarks};

/// The picture, filling the pane.
pub fn picture(shown: Option<&PanePicture>) -> Element<'_, Message> {
    let tiles = move |bounds: Size| {
        shown.map_or_else(Vec::new, |shown| {
            let (width, height) = shown.size;
            let unit = Size::new(bounds.width / width as f32, bounds.height / height as f32);
            let place = |top: u32, rows: u32| Rectangle {
                x: 0.0,
                y: top as f32 * unit.height,
                width: width as f32 * unit.width,
                height: rows as f32 * unit.height,
            };
            let tiles = shown.tiles.iter();
            tiles
                .map(|tile| (place(tile.top, tile.rows), tile.handle.clone()))
                .collect()
        })
    };
    images(tiles, Length::Fill)
}

/// What is drawn over the picture, and its mouse interaction.
pub struct Overlay {
    /// A short label for the pane.
    pub label: Option<String>,
    /// Milliseconds per frame.
    pub millis: Option<f32>,
    /// Why there is no picture.
    pub problem: Option<String>,
    pub view: View,
    /// Physical pixels per logical pixel.
    pub scale: f64,
    pub crop: Option<Crop>,
    /// The faces that aren't edited: index, then left, top, right and bottom in portrait pixels.
    pub faces: Vec<(usize, (f32, f32, f32, f32))>,
    /// The face whose landmarks can be dragged.
    pub landmarks: Option<Arc<FoundFace>>,
    pub wipe: Option<f32>,
    pub holding: bool,
}

/// How close the pointer must be to an edge to grab it, in logical pixels.
const GRAB_DISTANCE: f64 = 8.0;

#[derive(Debug, Default)]
pub struct Interaction {
    drag: Option<Drag>,
    clicks: Clicks,
    /// The face that was pressed on, until the pointer moves away.
    picking: Option<usize>,
    cache: KeyedCache<OverlayKey>,
}

/// A press on a landmark that moves less than this is a click, in logical pixels.
const CLICK_DISTANCE: f32 = 2.0;

/// Cache key of the overlay.
#[derive(Debug, PartialEq)]
struct OverlayKey {
    crop: Option<[Point; 4]>,
    faces: Vec<Rectangle>,
    /// The face whose landmarks are shown, the view, and the landmark being dragged.
    landmarks: Option<(Arc<FoundFace>, View, Option<u16>)>,
    wipe: Option<f32>,
    title: Option<String>,
    problem: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Drag {
    Pan {
        last: Point,
    },
    Wipe,
    /// The crop's grip, in portrait pixels.
    Crop(Grip),
    /// A landmark, which follows the pointer at this offset, in portrait pixels.
    Landmark {
        landmark: u16,
        offset: (f64, f64),
    },
}

impl Overlay {
    pub fn into_element<'a>(self) -> Element<'a, Message> {
        Canvas::new(self)
            .width(Length::Fill)
            .height(Length::Fill)
            .into()
    }

    fn to_portrait(&self, at: Point) -> (f64, f64) {
        let physical = |value: f32| f64::from(value) * self.scale;
        self.view.to_portrait((physical(at.x), physical(at.y)))
    }

    fn to_pane(&self, place: (f64, f64)) -> Point {
        let (x, y) = self.view.to_pane(place);
        Point::new((x / self.scale) as f32, (y / self.scale) as f32)
    }

    /// The crop's corners in the pane.
    fn corners(&self, crop: Crop) -> [Point; 4] {
        square::corners(crop).map(|place| self.to_pane(place))
    }

    /// Maps a box of the portrait (left, top, right, bottom) to the pane.
    fn place(&self, (left, top, right, bottom): (f32, f32, f32, f32)) -> Rectangle {
        let (x, y) = self.view.to_pane((f64::from(left), f64::from(top)));
        let logical = |length: f32| (f64::from(length) * self.view.zoom / self.scale) as f32;
        Rectangle {
            x: (x / self.scale) as f32,
            y: (y / self.scale) as f32,
            width: logical(right - left),
            height: logical(bottom - top),
        }
    }

    /// The face under the pointer.
    fn face_at(&self, at: Point) -> Option<usize> {
        let mut faces = self.faces.iter();
        faces
            .find(|(_, bounds)| self.place(*bounds).contains(at))
            .map(|(index, _)| *index)
    }

    /// What a press at this point of the pane drags.
    fn grip(&self, at: Point, bounds: Rectangle) -> Drag {
        if let Some(wipe) = self.wipe {
            let distance = f64::from((at.x - wipe * bounds.width).abs());
            if distance <= GRAB_DISTANCE {
                return Drag::Wipe;
            }
        }
        let reach = GRAB_DISTANCE * self.scale / self.view.zoom;
        if let Some(landmark) = self.landmark(at, reach) {
            return landmark;
        }
        let held = self
            .crop
            .and_then(|crop| square::grip(crop, self.to_portrait(at), reach));
        held.map_or(Drag::Pan { last: at }, Drag::Crop)
    }

    /// The landmark within `reach` of the pointer.
    fn landmark(&self, at: Point, reach: f64) -> Option<Drag> {
        let face = self.landmarks.as_deref()?;
        let hand = self.to_portrait(at);
        let landmark = landmarks::handle_at(face, hand, reach)?;
        let (x, y) = landmarks::place(face, landmark)?;
        Some(Drag::Landmark {
            landmark,
            offset: (hand.0 - x, hand.1 - y),
        })
    }

    fn dragged(&self, drag: &mut Drag, at: Point, bounds: Rectangle) -> Option<Message> {
        match drag {
            Drag::Pan { last } => {
                let by = at - *last;
                *last = at;
                let physical = |value: f32| f64::from(value) * self.scale;
                Some(Message::Panned((physical(by.x), physical(by.y))))
            }
            Drag::Wipe => Some(Message::Wiped(at.x / bounds.width.max(1.0))),
            Drag::Crop(grip) => {
                let crop = square::carried(self.crop?, *grip, self.to_portrait(at));
                Some(Message::Cropped(crop))
            }
            Drag::Landmark { landmark, offset } => {
                let (x, y) = self.to_portrait(at);
                let place = [(x - offset.0) as f32, (y - offset.1) as f32];
                Some(Message::LandmarkMoved(*landmark, place))
            }
        }
    }

    /// The text over the picture.
    fn title(&self) -> Option<String> {
        let label = self.label.as_ref()?;
        Some(match self.millis.filter(|_| !self.holding) {
            Some(millis) => strings::timed(label, millis),
            None => label.clone(),
        })
    }
}

fn draw_face(frame: &mut Frame, colors: &Colors, place: Rectangle) {
    let edge = |color: Color, width: f32| Stroke::default().with_color(color).with_width(width);
    for stroke in [
        edge(Color::BLACK.scale_alpha(0.5), 3.0),
        edge(colors.text.scale_alpha(0.9), 1.0),
    ] {
        let path = Path::rounded_rectangle(place.position(), place.size(), 6.0.into());
        frame.stroke(&path, stroke);
    }
}

fn draw_wipe(frame: &mut Frame, colors: &Colors, wipe: f32, size: Size) {
    let x = (wipe * size.width).round() + 0.5;
    let line = Path::line(Point::new(x, 0.0), Point::new(x, size.height));
    frame.stroke(
        &line,
        Stroke::default()
            .with_color(Color::BLACK.scale_alpha(0.5))
            .with_width(3.0),
    );
    frame.stroke(
        &line,
        Stroke::default().with_color(colors.accent).with_width(1.0),
    );
    frame.fill(
        &Path::circle(Point::new(x, size.height / 2.0), 6.0),
        colors.accent,
    );
}

fn draw_title(frame: &mut Frame, colors: &Colors, title: &str) {
    let place = Point::new(8.0, frame.height() - 26.0);
    let size = Size::new(18.0 + 5.8 * title.chars().count() as f32, 20.0);
    frame.fill(
        &Path::rounded_rectangle(place, size, 4.0.into()),
        colors.ground.scale_alpha(0.72),
    );
    frame.fill_text(Text {
        content: title.to_owned(),
        position: Point::new(place.x + 8.0, place.y + 10.0),
        color: colors.text,
        size: theme::SMALL.into(),
        font: theme::WORDS,
        align_y: Vertical::Center,
        ..Text::default()
    });
}

/// Draws the reason for a missing picture in the middle of the pane.
fn draw_problem(frame: &mut Frame, colors: &Colors, problem: &str) {
    frame.fill_text(Text {
        content: problem.to_owned(),
        position: frame.center(),
        max_width: (frame.width() - 40.0).max(40.0),
        color: colors.dim,
        size: theme::NORMAL.into(),
        font: theme::WORDS,
        align_x: Horizontal::Center.into(),
        align_y: Vertical::Center,
        ..Text::default()
    });
}

impl canvas::Program<Message> for Overlay {
    type State = Interaction;

    fn update(
        &self,
        state: &mut Interaction,
        event: &Event,
        bounds: Rectangle,
        cursor: Cursor,
    ) -> Option<Action<Message>> {
        let Event::Mouse(event) = event else {
            return None;
        };
        match event {
            mouse::Event::WheelScrolled { delta } => {
                let at = cursor.position_in(bounds)?;
                let notches = match delta {
                    ScrollDelta::Lines { y, .. } => f64::from(*y),
                    ScrollDelta::Pixels { y, .. } => f64::from(*y) / 60.0,
                };
                let factor = 1.2f64.powf(notches.clamp(-4.0, 4.0));
                let physical = |value: f32| f64::from(value) * self.scale;
                let message = Message::Zoomed(factor, (physical(at.x), physical(at.y)));
                Some(Action::publish(message).and_capture())
            }
            mouse::Event::ButtonPressed(mouse::Button::Middle) => {
                let last = cursor.position_in(bounds)?;
                state.drag = Some(Drag::Pan { last });
                Some(Action::capture())
            }
            mouse::Event::ButtonPressed(mouse::Button::Left) => {
                let at = cursor.position_in(bounds)?;
                let grip = self.grip(at, bounds);
                let again = state.clicks.press(at);
                let twice = match grip {
                    Drag::Pan { .. } => Some(Message::Face),
                    Drag::Landmark { landmark, .. } => Some(Message::LandmarkReset(landmark)),
                    Drag::Wipe | Drag::Crop(_) => None,
                };
                if let Some(message) = twice.filter(|_| again) {
                    state.drag = None;
                    return Some(Action::publish(message).and_capture());
                }
                let loose = matches!(grip, Drag::Pan { .. });
                state.picking = loose.then(|| self.face_at(at)).flatten();
                state.drag = Some(grip);
                Some(Action::capture())
            }
            mouse::Event::CursorMoved { .. } => {
                let mut drag = state.drag?;
                let at = cursor.land().position_from(bounds.position())?;
                let still = |pressed: Point| pressed.distance(at) < 4.0;
                if state.picking.is_some() && state.clicks.place().is_some_and(still) {
                    return Some(Action::capture());
                }
                state.picking = None;
                if matches!(drag, Drag::Landmark { .. }) {
                    let trembles = |pressed: Point| pressed.distance(at) < CLICK_DISTANCE;
                    if state.clicks.place().is_some_and(trembles) {
                        return Some(Action::capture());
                    }
                    // A drag is not a click, so the next press can't complete a double-click.
                    state.clicks.forget();
                }
                let message = self.dragged(&mut drag, at, bounds);
                state.drag = Some(drag);
                message.map(|message| Action::publish(message).and_capture())
            }
            mouse::Event::ButtonReleased(mouse::Button::Left | mouse::Button::Middle) => {
                state.drag.take()?;
                let message = state
                    .picking
                    .take()
                    .map_or(Message::Released, Message::Picked);
                Some(Action::publish(message).and_capture())
            }
            _ => None,
        }
    }

    fn draw(
        &self,
        state: &Interaction,
        renderer: &Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _cursor: Cursor,
    ) -> Vec<Geometry> {
        let crop = self.crop.map(|crop| self.corners(crop));
        let faces: Vec<_> = self
            .faces
            .iter()
            .map(|(_, bounds)| self.place(*bounds))
            .collect();
        let title = self.title();
        let held = match state.drag {
            Some(Drag::Landmark { landmark, .. }) => Some(landmark),
            _ => None,
        };
        let key = OverlayKey {
            crop,
            faces: faces.clone(),
            landmarks: self.landmarks.clone().map(|face| (face, self.view, held)),
            wipe: self.wipe,
            title: title.clone(),
            problem: self.problem.clone(),
        };
        state
            .cache
            .draw(renderer, theme, bounds.size(), key, |frame, colors| {
                for face in faces {
                    draw_face(frame, colors, face);
                }
                if let Some(corners) = crop {
                    square::draw(frame, colors, corners);
                }
                if let Some(face) = &self.landmarks {
                    landmarks::draw(frame, colors, face, |place| self.to_pane(place), held);
                }
                if let Some(wipe) = self.wipe {
                    draw_wipe(frame, colors, wipe, bounds.size());
                }
                if let Some(title) = title {
                    draw_title(frame, colors, &title);
                }
                if let Some(problem) = &self.problem {
                    draw_problem(frame, colors, problem);
                }
            })
    }

    fn mouse_interaction(
        &self,
        state: &Interaction,
        bounds: Rectangle,
        cursor: Cursor,
    ) -> mouse::Interaction {
        let Some(at) = cursor.position_in(bounds) else {
            return mouse::Interaction::default();
        };
        match state.drag.unwrap_or_else(|| self.grip(at, bounds)) {
            Drag::Pan { .. } if state.drag.is_some() => mouse::Interaction::Grabbing,
            Drag::Pan { .. } if self.face_at(at).is_some() => mouse::Interaction::Pointer,
            Drag::Pan { .. } => mouse::Interaction::default(),
            Drag::Wipe => mouse::Interaction::ResizingHorizontally,
            Drag::Crop(grip) => square::interaction(grip, self.to_portrait(at)),
            Drag::Landmark { .. } if state.drag.is_some() => mouse::Interaction::Grabbing,
            Drag::Landmark { .. } => mouse::Interaction::Grab,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlay() -> Overlay {
        Overlay {
            label: None,
            millis: None,
            problem: None,
            view: View {
                x: 0.0,
                y: 0.0,
                zoom: 2.0,
                width: 800,
                height: 600,
            },
            scale: 2.0,
            crop: Some(Crop {
                x: 100.0,
                y: 50.0,
                side: 80.0,
                ..Crop::default()
            }),
            faces: vec![(4, (300.0, 100.0, 340.0, 150.0))],
            landmarks: None,
            wipe: None,
            holding: false,
        }
    }

    const BOUNDS: Rectangle = Rectangle {
        x: 0.0,
        y: 0.0,
        width: 400.0,
        height: 300.0,
    };

    #[test]
    fn corners_resize_the_crop_edges_move_it_and_elsewhere_a_drag_pans() {
        let overlay = overlay();
        let at = |x: f32, y: f32| overlay.grip(Point::new(x, y), BOUNDS);
        assert_eq!(
            at(102.0, 48.0),
            Drag::Crop(Grip::Size {
                anchor: (180.0, 130.0)
            })
        );
        assert_eq!(
            at(178.0, 131.0),
            Drag::Crop(Grip::Size {
                anchor: (100.0, 50.0)
            })
        );
        assert!(matches!(at(140.0, 50.0), Drag::Crop(Grip::Move { .. })));
        assert!(matches!(at(140.0, 90.0), Drag::Pan { .. }));
        assert!(matches!(at(300.0, 50.0), Drag::Pan { .. }));
    }

    #[test]
    fn another_face_is_hit_only_inside_its_outline() {
        let overlay = overlay();
        assert_eq!(overlay.face_at(Point::new(310.0, 120.0)), Some(4));
        assert_eq!(overlay.face_at(Point::new(310.0, 160.0)), None);
    }

    #[test]
    fn dragging_an_edge_moves_the_crop_by_the_cursors_distance() {
        let overlay = overlay();
        let mut drag = overlay.grip(Point::new(140.0, 50.0), BOUNDS);
        match overlay.dragged(&mut drag, Point::new(150.0, 45.0), BOUNDS) {
            Some(Message::Cropped(crop)) => {
                assert_eq!((crop.x, crop.y, crop.side), (110.0, 45.0, 80.0));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn dragging_a_corner_keeps_the_opposite_corner_and_the_crop_square() {
        let overlay = overlay();
        let mut drag = overlay.grip(Point::new(180.0, 130.0), BOUNDS);
        match overlay.dragged(&mut drag, Point::new(200.0, 140.0), BOUNDS) {
            Some(Message::Cropped(crop)) => {
                assert_eq!((crop.x, crop.y, crop.side), (100.0, 50.0, 100.0));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn dragging_a_corner_of_a_rotated_crop_keeps_the_opposite_corner() {
        let mut overlay = overlay();
        let crop = Crop {
            angle: std::f32::consts::FRAC_PI_4,
            ..overlay.crop.unwrap()
        };
        overlay.crop = Some(crop);
        // The centre is (140, 90); one corner is straight above it, another straight below.
        let reach = 40.0 * std::f32::consts::SQRT_2;
        let mut drag = overlay.grip(Point::new(140.0, 90.0 - reach), BOUNDS);
        match drag {
            Drag::Crop(Grip::Size { anchor }) => {
                assert!((anchor.0 - 140.0).abs() < 1e-3);
                assert!((anchor.1 - f64::from(90.0 + reach)).abs() < 1e-3);
            }
            other => panic!("{other:?}"),
        }
        let up = Point::new(140.0, 90.0 - reach - 20.0 * std::f32::consts::SQRT_2);
        match overlay.dragged(&mut drag, up, BOUNDS) {
            Some(Message::Cropped(larger)) => {
                assert!((larger.side - 100.0).abs() < 1e-2, "{larger:?}");
                assert_eq!(larger.angle, crop.angle);
                let (x, y) = larger.middle();
                let below = 90.0 + reach;
                assert!((x - 140.0).abs() < 1e-2, "{larger:?}");
                assert!((y + 50.0 * std::f32::consts::SQRT_2 - below).abs() < 1e-2);
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(
            overlay.grip(Point::new(100.0, 50.0), BOUNDS),
            Drag::Pan { .. }
        ));
    }

    #[test]
    fn the_wipe_line_is_grabbed_at_its_position() {
        let mut overlay = overlay();
        overlay.wipe = Some(0.5);
        let mut drag = overlay.grip(Point::new(203.0, 10.0), BOUNDS);
        assert_eq!(drag, Drag::Wipe);
        match overlay.dragged(&mut drag, Point::new(100.0, 10.0), BOUNDS) {
            Some(Message::Wiped(place)) => assert_eq!(place, 0.25),
            other => panic!("{other:?}"),
        }
    }
}
