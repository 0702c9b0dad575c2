//! The mouse on the sheet: drags keys and handles, selects with a box, scrubs, zooms and pans.

use iced::keyboard::Modifiers;
use iced::mouse::{self, Button, Cursor, ScrollDelta};
use iced::widget::canvas::{Action, Event, Geometry, Program};
use iced::{Point, Rectangle, Renderer, Size, Theme, keyboard};

use crate::app::widgets::clicks::Clicks;
use crate::document::{Channel, KeyId, Selection};

use super::paint::Layers;
use super::sheet::{GRAB_DISTANCE, GUTTER, Handle, Hit, RULER, Sheet, between};
use super::{Message, Tab};

/// A press that moves less than this is a click, in logical pixels.
const CLICK_DISTANCE: f32 = 3.0;

/// Zoom factor per step of the wheel.
const ZOOM: f64 = 1.2;

#[derive(Debug, Default)]
pub struct Interaction {
    drag: Option<Drag>,
    /// The channel under the pointer.
    over: Option<Channel>,
    modifiers: Modifiers,
    clicks: Clicks,
    layers: Layers,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Drag {
    Playhead,
    /// The in mark (`true`) or the out mark.
    Mark(bool),
    Keys {
        from: Point,
        at: KeyId,
        /// The keys to select if the press turns out to be a click.
        clicked: Option<Selection>,
        /// How far they were moved: frames, and a fraction of the range.
        by: Option<(i64, f32)>,
    },
    Handle(Handle),
    Box {
        from: Point,
        to: Point,
        /// Keys that stay selected outside the box.
        kept: Selection,
        /// The selection sent last.
        sent: Option<Selection>,
    },
    Pan {
        from: f32,
        first: f64,
    },
}

type Done = Option<Action<Message>>;

fn publish(message: Message) -> Done {
    Some(Action::publish(message).and_capture())
}

impl Sheet<'_> {
    /// The keys under the pointer.
    fn hit(&self, at: Point, size: Size) -> Option<Hit> {
        let track = self.given.subject.track()?;
        match self.tab {
            Tab::Curves => self.curve_hit(track, at, size),
            Tab::Dope => self.dope_hit(track, at, size),
            Tab::Metrics => None,
        }
    }

    /// The keys within a box.
    fn within(&self, area: Rectangle, size: Size) -> Selection {
        let Some(track) = self.given.subject.track() else {
            return Selection::new();
        };
        match self.tab {
            Tab::Curves => self.curves_within(track, area, size),
            Tab::Dope => self.dope_within(track, area, size),
            Tab::Metrics => Selection::new(),
        }
    }

    /// The channel whose name or curve is under the pointer.
    fn channel_at(&self, at: Point, size: Size) -> Option<Channel> {
        match self.tab {
            Tab::Curves if at.x < GUTTER => self.named_at(at, size),
            Tab::Curves => self.curve_at(at, size),
            Tab::Dope => self.dope_channel(at, size),
            Tab::Metrics => None,
        }
    }

    fn press(&self, state: &mut Interaction, at: Point, size: Size) -> Done {
        let again = state.clicks.press(at);
        if at.y < RULER && at.x >= GUTTER - GRAB_DISTANCE {
            if let Some(first) = self.mark_at(at, size) {
                state.drag = Some(Drag::Mark(first));
                return Some(Action::capture());
            }
            return self.scrub(state, at, size);
        }
        if self.tab == Tab::Metrics || self.given.subject.track().is_none() {
            return if at.x < GUTTER {
                self.press_name(state, at, size)
            } else {
                self.scrub(state, at, size)
            };
        }
        if at.x < GUTTER - GRAB_DISTANCE {
            return self.press_name(state, at, size);
        }
        if self.tab == Tab::Curves {
            let far = |handle: &Handle| handle.at.distance(at);
            let handles = self.handles(size).into_iter();
            let nearest = handles.min_by(|a, b| far(a).total_cmp(&far(b)));
            if let Some(handle) = nearest.filter(|handle| far(handle) <= GRAB_DISTANCE) {
                state.drag = Some(Drag::Handle(handle));
                return Some(Action::capture());
            }
        }
        if let Some(hit) = self.hit(at, size) {
            return self.take(state, hit, at);
        }
        if again && let Some(channel) = self.channel_at(at, size) {
            state.clicks.forget();
            return publish(Message::KeyOn(channel, self.scale(size).frame_at(at.x)));
        }
        let kept = if state.modifiers.shift() {
            self.selection.clone()
        } else {
            Selection::new()
        };
        state.drag = Some(Drag::Box {
            from: at,
            to: at,
            kept,
            sent: None,
        });
        Some(Action::capture())
    }

    fn scrub(&self, state: &mut Interaction, at: Point, size: Size) -> Done {
        state.drag = Some(Drag::Playhead);
        publish(Message::Scrubbed(self.scale(size).frame_at(at.x)))
    }

    /// Handles a press on a name at the left: shows or hides its curve, with Ctrl shows only that one; or selects its row's keys.
    fn press_name(&self, state: &Interaction, at: Point, size: Size) -> Done {
        let channel = self.channel_at(at, size)?;
        match (self.tab, self.given.subject.track()) {
            (Tab::Curves, _) if state.modifiers.command() => publish(Message::Alone(channel)),
            (Tab::Curves, _) => {
                let on = self
                    .channels
                    .iter()
                    .any(|(other, on)| *other == channel && *on);
                publish(Message::Shown(channel, !on))
            }
            (Tab::Dope, Some(track)) => {
                let all = track.all_keys().into_iter();
                let ids = all.filter(|id| id.channel == channel).collect();
                publish(Message::Selected(ids, None))
            }
            _ => None,
        }
    }

    /// Starts dragging keys.
    fn take(&self, state: &mut Interaction, hit: Hit, from: Point) -> Done {
        let selected = hit.ids.is_subset(self.selection);
        let (sent, clicked) = if state.modifiers.shift() {
            let mut ids = self.selection.clone();
            if selected {
                ids.retain(|id| !hit.ids.contains(id));
                return publish(Message::Selected(ids, None));
            }
            ids.extend(hit.ids);
            (Some(Message::Selected(ids, None)), None)
        } else if selected {
            (None, Some(hit.ids))
        } else {
            (Some(Message::Selected(hit.ids, Some(hit.at))), None)
        };
        state.drag = Some(Drag::Keys {
            from,
            at: hit.at,
            clicked,
            by: None,
        });
        sent.map_or_else(|| Some(Action::capture()), publish)
    }

    fn drag(&self, state: &mut Interaction, at: Point, size: Size) -> Done {
        let scale = self.scale(size);
        let (shift, wide) = (state.modifiers.shift(), state.modifiers.command());
        match state.drag.as_mut()? {
            Drag::Playhead => {
                let frame = scale.frame_at(at.x);
                if frame == self.frame {
                    return Some(Action::capture());
                }
                publish(Message::Scrubbed(frame))
            }
            Drag::Mark(first) => publish(Message::Ranged(*first, scale.frame_at(at.x))),
            Drag::Pan { from, first } => {
                let by = f64::from((at.x - *from) / scale.step());
                publish(Message::Panned(*first - by))
            }
            Drag::Handle(handle) => {
                let bent = self.bent(handle, at, size)?;
                publish(Message::Bent(handle.id, handle.second, bent))
            }
            Drag::Keys {
                from, at: key, by, ..
            } => {
                let (dx, dy) = (at.x - from.x, at.y - from.y);
                if by.is_none() && dx.hypot(dy) < CLICK_DISTANCE {
                    return Some(Action::capture());
                }
                if wide && let Some(stretched) = self.stretched(*key, dx, size) {
                    *by = Some((i64::MAX, 0.0));
                    return publish(stretched);
                }
                let (mut frames, mut share) = ((dx / scale.step()).round() as i64, 0.0);
                // Ignores vertical jitter of a sideways drag.
                if self.tab == Tab::Curves && dy.abs() > CLICK_DISTANCE {
                    let (low, high) = self.shares();
                    share = -dy / self.plot(size).height * (high - low);
                }
                if shift && dx.abs() >= dy.abs() {
                    share = 0.0;
                } else if shift {
                    frames = 0;
                }
                if *by == Some((frames, share)) {
                    return Some(Action::capture());
                }
                *by = Some((frames, share));
                publish(Message::Moved(*key, frames, share))
            }
            Drag::Box {
                from,
                to,
                kept,
                sent,
            } => {
                *to = at;
                if sent.is_none() && from.distance(at) < CLICK_DISTANCE {
                    return Some(Action::capture());
                }
                let mut ids = self.within(between(*from, at), size);
                ids.extend(kept.iter().copied());
                if sent.as_ref() == Some(&ids) {
                    return Some(Action::request_redraw().and_capture());
                }
                *sent = Some(ids.clone());
                publish(Message::Selected(ids, None))
            }
        }
    }

    /// Scales the selected keys' times so that the dragged key follows the pointer and the key farthest from it stays. `None` if
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
        // The keys never pass the fixed end.
        let factor = ((span + by) / span).max(0.02);
        Some(Message::Stretched {
            around,
            factor,
            held: true,
        })
    }

    fn release(&self, state: &mut Interaction) -> Done {
        match state.drag.take()? {
            Drag::Playhead | Drag::Mark(_) | Drag::Handle(_) | Drag::Pan { .. } => {
                publish(Message::Released)
            }
            Drag::Keys { by: Some(_), .. } => publish(Message::Released),
            Drag::Keys { at, clicked, .. } => match clicked {
                Some(ids) => publish(Message::Selected(ids, Some(at))),
                None => Some(Action::capture()),
            },
            Drag::Box { sent, kept, .. } => match sent {
                Some(_) => Some(Action::request_redraw().and_capture()),
                None => publish(Message::Selected(kept, None)),
            },
        }
    }

    fn turn(&self, state: &Interaction, delta: ScrollDelta, at: Point, size: Size) -> Done {
        let (x, y) = match delta {
            ScrollDelta::Lines { x, y } => (x, y),
            ScrollDelta::Pixels { x, y } => (x / 40.0, y / 40.0),
        };
        let scale = self.scale(size);
        let sideways = x.abs() > y.abs() || state.modifiers.shift();
        if sideways {
            let by = f64::from(if x.abs() > y.abs() { x } else { y });
            return publish(Message::Panned(scale.first - by * scale.span * 0.1));
        }
        publish(Message::Zoomed(
            scale.at(at.x.max(scale.left)),
            ZOOM.powf(f64::from(y)),
        ))
    }
}

impl Program<Message> for Sheet<'_> {
    type State = Interaction;

    fn update(
        &self,
        state: &mut Interaction,
        event: &Event,
        bounds: Rectangle,
        cursor: Cursor,
    ) -> Done {
        let size = bounds.size();
        match event {
            Event::Keyboard(keyboard::Event::ModifiersChanged(modifiers)) => {
                state.modifiers = *modifiers;
                None
            }
            Event::Mouse(mouse::Event::ButtonPressed(button)) => {
                let at = cursor.position_in(bounds)?;
                match button {
                    Button::Left => self.press(state, at, size),
                    Button::Middle => {
                        state.drag = Some(Drag::Pan {
                            from: at.x,
                            first: self.scale(size).first,
                        });
                        Some(Action::capture())
                    }
                    _ => None,
                }
            }
            Event::Mouse(mouse::Event::CursorMoved { .. }) => {
                if state.drag.is_some() {
                    let at = cursor.land().position_from(bounds.position())?;
                    return self.drag(state, at, size);
                }
                let over = cursor.position_in(bounds);
                let over = over.and_then(|at| self.channel_at(at, size));
                if over == state.over {
                    return None;
                }
                state.over = over;
                Some(Action::request_redraw())
            }
            Event::Mouse(mouse::Event::ButtonReleased(Button::Left | Button::Middle)) => {
                self.release(state)
            }
            Event::Mouse(mouse::Event::WheelScrolled { delta }) => {
                let at = cursor.position_in(bounds)?;
                self.turn(state, *delta, at, size)
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
        let area = match state.drag {
            Some(Drag::Box { from, to, .. }) => Some((from, to)),
            _ => None,
        };
        self.paint(
            &state.layers,
            state.over,
            area,
            renderer,
            theme,
            bounds.size(),
        )
    }

    fn mouse_interaction(
        &self,
        state: &Interaction,
        bounds: Rectangle,
        cursor: Cursor,
    ) -> mouse::Interaction {
        match state.drag {
            Some(Drag::Keys { .. } | Drag::Handle(_) | Drag::Pan { .. }) => {
                return mouse::Interaction::Grabbing;
            }
            Some(Drag::Mark(_)) => return mouse::Interaction::ResizingHorizontally,
            Some(_) => return mouse::Interaction::default(),
            None => {}
        }
        let size = bounds.size();
        let Some(at) = cursor.position_in(bounds) else {
            return mouse::Interaction::default();
        };
        if at.y < RULER {
            return match self.mark_at(at, size) {
                Some(_) => mouse::Interaction::ResizingHorizontally,
                None => mouse::Interaction::default(),
            };
        }
        if at.x < GUTTER - GRAB_DISTANCE {
            return match self.channel_at(at, size) {
                Some(_) => mouse::Interaction::Pointer,
                None => mouse::Interaction::default(),
            };
        }
        let on_handle = self.tab == Tab::Curves
            && self
                .handles(size)
                .iter()
                .any(|handle| handle.at.distance(at) <= GRAB_DISTANCE);
        if on_handle || self.hit(at, size).is_some() {
            return mouse::Interaction::Grab;
        }
        mouse::Interaction::default()
    }
}
