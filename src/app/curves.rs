//! The drawing on the timeline: a ruler, the keyframes, and the curves of the Action Units with the playhead on them.

use iced::alignment::{Horizontal, Vertical};
use iced::mouse::{self, Cursor};
use iced::widget::canvas::{self, Action, Canvas, Event, Frame, Geometry, Path, Stroke, Text};
use iced::{Element, Length, Point, Rectangle, Renderer, Size, Theme};

use super::theme;
use super::timeline::Message;
use super::widgets::Kept;
use crate::studio::{ActionUnit, Document, Sides, Track};

/// The room at the left and right end, so that the first and last keyframe are whole.
const MARGIN: f32 = 10.0;
const RULER: f32 = 18.0;
const KEYS: f32 = 20.0;
const DIAMOND: f32 = 5.5;

/// How many curves get their name written beside them.
const NAMED: usize = 6;

pub struct Curves<'a> {
    pub document: &'a Document,
    pub frame: u32,
    pub selected: Option<usize>,
}

#[derive(Debug, Default)]
pub struct Hand {
    drag: Option<Drag>,
    /// Of the track, the playhead's frame and the selected keyframe.
    drawn: Kept<(Track, u32, Option<usize>)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Drag {
    Playhead,
    Key,
}

impl<'a> Curves<'a> {
    pub fn into_element(self) -> Element<'a, Message> {
        Canvas::new(self)
            .width(Length::Fill)
            .height(Length::Fill)
            .into()
    }

    fn x_of(&self, time: f64, width: f32) -> f32 {
        let track = &self.document.track;
        let last = track.time_of(track.frames() - 1);
        MARGIN + (time / last) as f32 * (width - 2.0 * MARGIN)
    }

    fn frame_at(&self, x: f32, width: f32) -> u32 {
        let track = &self.document.track;
        let last = f64::from(track.frames() - 1);
        let place = f64::from((x - MARGIN) / (width - 2.0 * MARGIN).max(1.0));
        (place * last).round().clamp(0.0, last) as u32
    }

    /// The keyframe under the hand.
    fn key_at(&self, at: Point, width: f32) -> Option<usize> {
        let lane = RULER..RULER + KEYS;
        if !lane.contains(&at.y) {
            return None;
        }
        let times = self.document.track.moments();
        times
            .iter()
            .position(|time| (self.x_of(*time, width) - at.x).abs() <= DIAMOND + 2.0)
    }

    fn draw_ruler(&self, frame: &mut Frame, size: Size) {
        let track = &self.document.track;
        let last = track.frames() - 1;
        let a_frame = (size.width - 2.0 * MARGIN) / last as f32;
        let step = [1, 2, 5, 10, 12, 24, 48, 120, 240, 600, 1200, 6000, 24000]
            .into_iter()
            .find(|step| *step as f32 * a_frame >= 46.0)
            .unwrap_or(last.max(1));
        for tick in (0..=last).step_by(step as usize) {
            let x = self.x_of(track.time_of(tick), size.width);
            let line = Path::line(Point::new(x, RULER - 4.0), Point::new(x, size.height));
            let color = theme::line_color().scale_alpha(0.5);
            frame.stroke(&line, Stroke::default().with_color(color).with_width(1.0));
            frame.fill_text(Text {
                content: (tick + 1).to_string(),
                position: Point::new(x, 6.0),
                color: theme::faint(),
                size: 10.0.into(),
                font: theme::FIGURES,
                align_x: Horizontal::Center.into(),
                align_y: Vertical::Center,
                ..Text::default()
            });
        }
    }

    fn draw_keys(&self, frame: &mut Frame, width: f32) {
        let lane = Rectangle::new(Point::new(0.0, RULER), Size::new(width, KEYS));
        frame.fill(
            &Path::rounded_rectangle(lane.position(), lane.size(), 4.0.into()),
            theme::raised_color(),
        );
        let times = self.document.track.moments();
        if times.is_empty() {
            frame.fill_text(Text {
                content:
                    "Set a keyframe (K) here, move the playhead, move sliders, and press Space"
                        .to_owned(),
                position: lane.center(),
                color: theme::faint(),
                size: theme::SMALL.into(),
                font: theme::WORDS,
                align_x: Horizontal::Center.into(),
                align_y: Vertical::Center,
                ..Text::default()
            });
        }
        for (index, time) in times.iter().enumerate() {
            let (x, y) = (self.x_of(*time, width), RULER + KEYS / 2.0);
            let diamond = Path::new(|path| {
                path.move_to(Point::new(x, y - DIAMOND));
                path.line_to(Point::new(x + DIAMOND, y));
                path.line_to(Point::new(x, y + DIAMOND));
                path.line_to(Point::new(x - DIAMOND, y));
                path.close();
            });
            let chosen = self.selected == Some(index);
            let color = if chosen {
                theme::accent()
            } else {
                theme::dim()
            };
            frame.fill(&diamond, color);
        }
    }

    /// The units that the track moves, the most moved first.
    fn moving(&self) -> Vec<ActionUnit> {
        let track = &self.document.track;
        let range = |unit: ActionUnit| {
            let reach = track.curve(unit).reach();
            reach.map_or((0.0, 0.0), |(low, high)| (high, high - low))
        };
        let mut moving: Vec<ActionUnit> = ActionUnit::ALL
            .into_iter()
            .filter(|unit| range(*unit).0 > 0.0)
            .collect();
        moving.sort_by(|a, b| range(*b).1.total_cmp(&range(*a).1));
        moving
    }

    fn draw_curves(&self, frame: &mut Frame, size: Size) {
        let track = &self.document.track;
        let top = RULER + KEYS + 6.0;
        let height = (size.height - top - 4.0).max(1.0);
        let y_of = |value: f32| top + (1.0 - value) * height;
        for value in [0.0, 0.5, 1.0] {
            let line = Path::line(
                Point::new(MARGIN, y_of(value)),
                Point::new(size.width - MARGIN, y_of(value)),
            );
            let color = theme::line_color().scale_alpha(if value == 0.5 { 0.35 } else { 0.7 });
            frame.stroke(&line, Stroke::default().with_color(color).with_width(1.0));
        }

        let steps = ((size.width / 3.0) as usize).clamp(2, 600);
        let last = track.time_of(track.frames() - 1);
        let poses: Vec<_> = (0..=steps)
            .filter_map(|step| {
                let time = last * step as f64 / steps as f64;
                track.value_at(time).map(|pose| (time, pose))
            })
            .collect();
        let here = track.value_at(track.time_of(self.frame));
        let head = self.x_of(track.time_of(self.frame), size.width);
        let mut labels: Vec<f32> = Vec::new();
        for (rank, unit) in self.moving().into_iter().enumerate().rev() {
            let shade = 1.0 - rank as f32 * 0.12;
            let color = theme::mix(theme::line_color(), theme::text(), shade.max(0.2));
            let even = poses
                .iter()
                .all(|(_, pose)| pose.left.get(unit) == pose.right.get(unit));
            // Where the halves of the face differ the right one's curve is dashed.
            let halves: &[(Sides, &[f32])] = if even {
                &[(Sides::Both, &[])]
            } else {
                &[(Sides::Left, &[]), (Sides::Right, &[4.0, 3.0])]
            };
            for (sides, segments) in halves {
                let curve = Path::new(|path| {
                    for (i, (time, pose)) in poses.iter().enumerate() {
                        let value = pose.of(*sides, unit);
                        let point = Point::new(self.x_of(*time, size.width), y_of(value));
                        if i == 0 {
                            path.move_to(point);
                        } else {
                            path.line_to(point);
                        }
                    }
                });
                let stroke = Stroke {
                    line_dash: canvas::LineDash {
                        segments,
                        offset: 0,
                    },
                    ..Stroke::default().with_color(color).with_width(1.5)
                };
                frame.stroke(&curve, stroke);
            }
            let Some(pose) = here else { continue };
            let y = y_of(pose.get(unit));
            frame.fill(&Path::circle(Point::new(head, y), 3.0), color);
            // Names that would lie over each other are left out.
            let free = labels.iter().all(|other| (other - y).abs() >= 11.0);
            if rank < NAMED && free {
                labels.push(y);
                let beyond = head > size.width - 60.0;
                frame.fill_text(Text {
                    content: unit.to_string(),
                    position: Point::new(if beyond { head - 7.0 } else { head + 7.0 }, y),
                    color,
                    size: 10.0.into(),
                    font: theme::FIGURES,
                    align_x: if beyond {
                        Horizontal::Right
                    } else {
                        Horizontal::Left
                    }
                    .into(),
                    align_y: Vertical::Center,
                    ..Text::default()
                });
            }
        }
    }

    fn draw_playhead(&self, frame: &mut Frame, size: Size) {
        let x = self.x_of(self.document.track.time_of(self.frame), size.width);
        let line = Path::line(Point::new(x, RULER - 6.0), Point::new(x, size.height));
        let stroke = Stroke::default()
            .with_color(theme::accent())
            .with_width(1.0);
        frame.stroke(&line, stroke);
        let head = Path::new(|path| {
            path.move_to(Point::new(x - 5.0, RULER - 12.0));
            path.line_to(Point::new(x + 5.0, RULER - 12.0));
            path.line_to(Point::new(x + 5.0, RULER - 6.0));
            path.line_to(Point::new(x, RULER));
            path.line_to(Point::new(x - 5.0, RULER - 6.0));
            path.close();
        });
        frame.fill(&head, theme::accent());
    }
}

impl canvas::Program<Message> for Curves<'_> {
    type State = Hand;

    fn update(
        &self,
        hand: &mut Hand,
        event: &Event,
        bounds: Rectangle,
        cursor: Cursor,
    ) -> Option<Action<Message>> {
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) => {
                let at = cursor.position_in(bounds)?;
                let message = match self.key_at(at, bounds.width) {
                    Some(index) => {
                        hand.drag = Some(Drag::Key);
                        Message::Selected(index)
                    }
                    None => {
                        hand.drag = Some(Drag::Playhead);
                        Message::Scrubbed(self.frame_at(at.x, bounds.width))
                    }
                };
                Some(Action::publish(message).and_capture())
            }
            Event::Mouse(mouse::Event::CursorMoved { .. }) => {
                let drag = hand.drag?;
                let x = cursor.land().position()?.x - bounds.x;
                let frame = self.frame_at(x, bounds.width);
                if frame == self.frame {
                    return Some(Action::capture());
                }
                let message = match drag {
                    Drag::Playhead => Message::Scrubbed(frame),
                    Drag::Key => Message::Moved(frame),
                };
                Some(Action::publish(message).and_capture())
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)) => {
                hand.drag.take()?;
                Some(Action::publish(Message::Released).and_capture())
            }
            _ => None,
        }
    }

    fn draw(
        &self,
        hand: &Hand,
        renderer: &Renderer,
        _theme: &Theme,
        bounds: Rectangle,
        _cursor: Cursor,
    ) -> Vec<Geometry> {
        let size = bounds.size();
        let key = (self.document.track.clone(), self.frame, self.selected);
        hand.drawn.draw(renderer, size, key, |frame| {
            self.draw_ruler(frame, size);
            self.draw_keys(frame, size.width);
            self.draw_curves(frame, size);
            self.draw_playhead(frame, size);
        })
    }

    fn mouse_interaction(
        &self,
        hand: &Hand,
        bounds: Rectangle,
        cursor: Cursor,
    ) -> mouse::Interaction {
        let over_key = cursor
            .position_in(bounds)
            .is_some_and(|at| self.key_at(at, bounds.width).is_some());
        match hand.drag {
            Some(Drag::Key) => mouse::Interaction::Grabbing,
            _ if over_key => mouse::Interaction::Grab,
            _ => mouse::Interaction::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::{AuVector, Crop, MediaSource, PortraitRef};

    #[test]
    fn places_and_frames_agree() {
        let portrait = PortraitRef {
            id: 0,
            name: String::new(),
            source: MediaSource::File("me.jpg".into()),
            width: 9,
            height: 9,
        };
        let crop = Crop {
            x: 0.0,
            y: 0.0,
            side: 8.0,
            ..Crop::default()
        };
        let mut document = Document::new(portrait, crop, AuVector::NEUTRAL);
        document.add_key(12);
        let curves = Curves {
            document: &document,
            frame: 0,
            selected: None,
        };
        for frame in [0, 1, 12, 47] {
            let x = curves.x_of(document.track.time_of(frame), 700.0);
            assert_eq!(curves.frame_at(x, 700.0), frame);
        }
        assert_eq!(curves.frame_at(-80.0, 700.0), 0);
        assert_eq!(curves.frame_at(9000.0, 700.0), 47);
        let x = curves.x_of(0.5, 700.0);
        assert_eq!(
            curves.key_at(Point::new(x + 3.0, RULER + 5.0), 700.0),
            Some(0)
        );
        assert_eq!(curves.key_at(Point::new(x + 3.0, 90.0), 700.0), None);
    }
}
