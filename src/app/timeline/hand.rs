//! What the hand does on the drawing: takes keys and handles, draws boxes around keys, scrubs, zooms and pans.

use std::time::{Duration, Instant};

use iced::keyboard::Modifiers;
use iced::mouse::{self, Button, Cursor, Interaction, ScrollDelta};
use iced::widget::canvas::{Action, Event, Geometry, Program};
use iced::{Point, Rectangle, Renderer, Size, Theme, keyboard};

use crate::document::{ActionUnit, KeyId, Selection};

use super::curves::Handle;
use super::sheet::{Drawn, GUTTER, Hit, REACH, RULER, Sheet, between};
use super::{Message, Tab};

const DOUBLE_CLICK: Duration = Duration::from_millis(400);

/// A hand that moves less than this only clicks, in logical pixels.
const STILL: f32 = 3.0;

/// What a turn of the wheel zooms by.
const ZOOM: f64 = 1.2;

#[derive(Debug, Default)]
pub struct Hand {
    pub drag: Option<Drag>,
    /// The unit under the hand.
    pub over: Option<ActionUnit>,
    modifiers: Modifiers,
    pressed: Option<(Instant, Point)>,
    pub drawn: Drawn,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Drag {
    Playhead,
    /// The in mark, or the out mark.
    Mark(bool),
    Keys {
        from: Point,
        at: KeyId,
        /// What stays selected of several keys when one of them is only clicked.
        clicked: Option<Selection>,
        /// How far they were moved: frames, and value.
        by: Option<(i64, f32)>,
    },
    Handle(Handle),
    Box {
        from: Point,
        to: Point,
        /// What is selected besides.
        kept: Selection,
        /// What was told last.
        told: Option<Selection>,
    },
    Pan {
        from: f32,
        first: f64,
    },
}

type Done = Option<Action<Message>>;

fn tell(message: Message) -> Done {
    Some(Action::publish(message).and_capture())
}

impl Sheet<'_> {
    fn press(&self, hand: &mut Hand, at: Point, size: Size) -> Done {
        let before = hand.pressed.replace((Instant::now(), at));
        let again = before
            .is_some_and(|(when, place)| when.elapsed() < DOUBLE_CLICK && place.distance(at) < 5.0);
        if at.y < RULER && at.x >= GUTTER - REACH {
            if let Some(first) = self.mark_at(at, size) {
                hand.drag = Some(Drag::Mark(first));
                return Some(Action::capture());
            }
            return self.scrub(hand, at, size);
        }
        if self.tab == Tab::Metrics || self.given.subject.track().is_none() {
            return if at.x < GUTTER {
                self.press_name(hand, at, size)
            } else {
                self.scrub(hand, at, size)
            };
        }
        if at.x < GUTTER - REACH {
            return self.press_name(hand, at, size);
        }
        if self.tab == Tab::Curves {
            let far = |handle: &Handle| handle.at.distance(at);
            let handles = self.handles(size).into_iter();
            let nearest = handles.min_by(|a, b| far(a).total_cmp(&far(b)));
            if let Some(handle) = nearest.filter(|handle| far(handle) <= REACH) {
                hand.drag = Some(Drag::Handle(handle));
                return Some(Action::capture());
            }
        }
        if let Some(hit) = self.hit(at, size) {
            return self.take(hand, hit, at);
        }
        if again && let Some(unit) = self.unit_at(at, size) {
            hand.pressed = None;
            return tell(Message::KeyOn(unit, self.scale(size).frame_at(at.x)));
        }
        let kept = if hand.modifiers.shift() {
            self.selection.clone()
        } else {
            Selection::new()
        };
        hand.drag = Some(Drag::Box {
            from: at,
            to: at,
            kept,
            told: None,
        });
        Some(Action::capture())
    }

    fn scrub(&self, hand: &mut Hand, at: Point, size: Size) -> Done {
        hand.drag = Some(Drag::Playhead);
        tell(Message::Scrubbed(self.scale(size).frame_at(at.x)))
    }

    /// A name at the left: shows or hides its curve, with Ctrl that one alone; or selects its row's keys.
    fn press_name(&self, hand: &Hand, at: Point, size: Size) -> Done {
        let unit = self.unit_at(at, size)?;
        match (self.tab, self.given.subject.track()) {
            (Tab::Curves, _) if hand.modifiers.command() => tell(Message::Alone(unit)),
            (Tab::Curves, _) => {
                let on = self.units.iter().any(|(other, on)| *other == unit && *on);
                tell(Message::Shown(unit, !on))
            }
            (Tab::Dope, Some(track)) => {
                let all = track.all_keys().into_iter();
                let ids = all.filter(|id| id.unit == unit).collect();
                tell(Message::Selected(ids, None))
            }
            _ => None,
        }
    }

    /// Takes keys in the hand.
    fn take(&self, hand: &mut Hand, hit: Hit, from: Point) -> Done {
        let selected = hit.ids.is_subset(self.selection);
        let (told, clicked) = if hand.modifiers.shift() {
            let mut ids = self.selection.clone();
            if selected {
                ids.retain(|id| !hit.ids.contains(id));
                return tell(Message::Selected(ids, None));
            }
            ids.extend(hit.ids);
            (Some(Message::Selected(ids, None)), None)
        } else if selected {
            (None, Some(hit.ids))
        } else {
            (Some(Message::Selected(hit.ids, Some(hit.at))), None)
        };
        hand.drag = Some(Drag::Keys {
            from,
            at: hit.at,
            clicked,
            by: None,
        });
        told.map_or_else(|| Some(Action::capture()), tell)
    }

    fn drag(&self, hand: &mut Hand, at: Point, size: Size) -> Done {
        let scale = self.scale(size);
        let (shift, wide) = (hand.modifiers.shift(), hand.modifiers.command());
        match hand.drag.as_mut()? {
            Drag::Playhead => {
                let frame = scale.frame_at(at.x);
                if frame == self.frame {
                    return Some(Action::capture());
                }
                tell(Message::Scrubbed(frame))
            }
            Drag::Mark(first) => tell(Message::Ranged(*first, scale.frame_at(at.x))),
            Drag::Pan { from, first } => {
                let by = f64::from((at.x - *from) / scale.step());
                tell(Message::Panned(*first - by))
            }
            Drag::Handle(handle) => {
                let bent = self.bent(handle, at, size)?;
                tell(Message::Bent(handle.id, handle.second, bent))
            }
            Drag::Keys {
                from, at: key, by, ..
            } => {
                let (dx, dy) = (at.x - from.x, at.y - from.y);
                if by.is_none() && dx.hypot(dy) < STILL {
                    return Some(Action::capture());
                }
                if wide && let Some(stretched) = self.stretched(*key, dx, size) {
                    *by = Some((i64::MAX, 0.0));
                    return tell(stretched);
                }
                let (mut frames, mut value) = ((dx / scale.step()).round() as i64, 0.0);
                // A hand that goes sideways trembles up and down.
                if self.tab == Tab::Curves && dy.abs() > STILL {
                    value = -dy / self.plot(size).height;
                }
                if shift && dx.abs() >= dy.abs() {
                    value = 0.0;
                } else if shift {
                    frames = 0;
                }
                if *by == Some((frames, value)) {
                    return Some(Action::capture());
                }
                *by = Some((frames, value));
                tell(Message::Moved(*key, frames, value))
            }
            Drag::Box {
                from,
                to,
                kept,
                told,
            } => {
                *to = at;
                if told.is_none() && from.distance(at) < STILL {
                    return Some(Action::capture());
                }
                let mut ids = self.within(between(*from, at), size);
                ids.extend(kept.iter().copied());
                if told.as_ref() == Some(&ids) {
                    return Some(Action::request_redraw().and_capture());
                }
                *told = Some(ids.clone());
                tell(Message::Selected(ids, None))
            }
        }
    }

    /// The selected keys stretched so far that the one in the hand follows it; the farthest from it stays where it is. Nothing where
    /// they are all at one moment.
    fn stretched(&self, held: KeyId, dx: f32, size: Size) -> Option<Message> {
        let scale = self.scale(size);
        let grabbed = self.grabbed.unwrap_or(self.selection);
        let far = |time: &f64| (time - held.time).abs();
        let times = grabbed.iter().map(|id| id.time);
        let around = times.max_by(|a, b| far(a).total_cmp(&far(b)))?;
        let span = held.time - around;
        if span.abs() < 1e-6 {
            return None;
        }
        let by = scale.time_at(scale.left + dx) - scale.time_at(scale.left);
        // Never through the other end.
        let factor = ((span + by) / span).max(0.02);
        Some(Message::Stretched {
            around,
            factor,
            held: true,
        })
    }

    fn release(&self, hand: &mut Hand) -> Done {
        match hand.drag.take()? {
            Drag::Playhead | Drag::Mark(_) | Drag::Handle(_) | Drag::Pan { .. } => {
                tell(Message::Released)
            }
            Drag::Keys { by: Some(_), .. } => tell(Message::Released),
            Drag::Keys { at, clicked, .. } => match clicked {
                Some(ids) => tell(Message::Selected(ids, Some(at))),
                None => Some(Action::capture()),
            },
            Drag::Box { told, kept, .. } => match told {
                Some(_) => Some(Action::request_redraw().and_capture()),
                None => tell(Message::Selected(kept, None)),
            },
        }
    }

    fn turn(&self, hand: &Hand, delta: ScrollDelta, at: Point, size: Size) -> Done {
        let (x, y) = match delta {
            ScrollDelta::Lines { x, y } => (x, y),
            ScrollDelta::Pixels { x, y } => (x / 40.0, y / 40.0),
        };
        let scale = self.scale(size);
        let sideways = x.abs() > y.abs() || hand.modifiers.shift();
        if sideways {
            let by = f64::from(if x.abs() > y.abs() { x } else { y });
            return tell(Message::Panned(scale.first - by * scale.span * 0.1));
        }
        tell(Message::Zoomed(
            scale.at(at.x.max(scale.left)),
            ZOOM.powf(f64::from(y)),
        ))
    }
}

impl Program<Message> for Sheet<'_> {
    type State = Hand;

    fn update(&self, hand: &mut Hand, event: &Event, bounds: Rectangle, cursor: Cursor) -> Done {
        let size = bounds.size();
        match event {
            Event::Keyboard(keyboard::Event::ModifiersChanged(modifiers)) => {
                hand.modifiers = *modifiers;
                None
            }
            Event::Mouse(mouse::Event::ButtonPressed(button)) => {
                let at = cursor.position_in(bounds)?;
                match button {
                    Button::Left => self.press(hand, at, size),
                    Button::Middle => {
                        hand.drag = Some(Drag::Pan {
                            from: at.x,
                            first: self.scale(size).first,
                        });
                        Some(Action::capture())
                    }
                    _ => None,
                }
            }
            Event::Mouse(mouse::Event::CursorMoved { .. }) => {
                if hand.drag.is_some() {
                    let at = cursor.land().position()?;
                    let at = Point::new(at.x - bounds.x, at.y - bounds.y);
                    return self.drag(hand, at, size);
                }
                let over = cursor.position_in(bounds);
                let over = over.and_then(|at| self.unit_at(at, size));
                if over == hand.over {
                    return None;
                }
                hand.over = over;
                Some(Action::request_redraw())
            }
            Event::Mouse(mouse::Event::ButtonReleased(Button::Left | Button::Middle)) => {
                self.release(hand)
            }
            Event::Mouse(mouse::Event::WheelScrolled { delta }) => {
                let at = cursor.position_in(bounds)?;
                self.turn(hand, *delta, at, size)
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
        self.paint(hand, renderer, bounds.size())
    }

    fn mouse_interaction(&self, hand: &Hand, bounds: Rectangle, cursor: Cursor) -> Interaction {
        match hand.drag {
            Some(Drag::Keys { .. } | Drag::Handle(_) | Drag::Pan { .. }) => {
                return Interaction::Grabbing;
            }
            Some(Drag::Mark(_)) => return Interaction::ResizingHorizontally,
            Some(_) => return Interaction::default(),
            None => {}
        }
        let size = bounds.size();
        let Some(at) = cursor.position_in(bounds) else {
            return Interaction::default();
        };
        if at.y < RULER {
            return match self.mark_at(at, size) {
                Some(_) => Interaction::ResizingHorizontally,
                None => Interaction::default(),
            };
        }
        if at.x < GUTTER - REACH {
            return match self.unit_at(at, size) {
                Some(_) => Interaction::Pointer,
                None => Interaction::default(),
            };
        }
        let on_handle = self.tab == Tab::Curves
            && self
                .handles(size)
                .iter()
                .any(|handle| handle.at.distance(at) <= REACH);
        if on_handle || self.hit(at, size).is_some() {
            return Interaction::Grab;
        }
        Interaction::default()
    }
}
