//! A slider for values in 0..=1, with a tick at the portrait's value. A double-click resets it; Shift drags it finely.

use iced::mouse::{self, Cursor};
use iced::widget::canvas::{self, Action, Canvas, Event, Frame, Geometry, Path, Stroke};
use iced::{Element, Length, Point, Rectangle, Renderer, Theme, keyboard};

use super::clicks::Clicks;
use super::keyed_cache::KeyedCache;
use super::theme::Colors;

/// The slider's height, in logical pixels.
pub const HEIGHT: f32 = 22.0;

/// The handle's radius; the track is inset by it at both ends.
const HANDLE: f32 = 6.0;

/// Drag speed with Shift held, relative to without.
const FINE: f32 = 0.2;

/// A slider with messages for changes, release, and double-click.
pub struct Slider<'a, Message> {
    pub value: f32,
    /// The position of the tick: the value that counts as unchanged.
    pub own: f32,
    /// Two marked values, such as relaxed and full on a slider with an extended range.
    pub marks: Option<[f32; 2]>,
    /// The values of the face's left and right half, if they differ.
    pub halves: Option<(f32, f32)>,
    pub on_change: Box<dyn Fn(f32) -> Message + 'a>,
    pub on_release: Message,
    pub on_reset: Message,
}

impl<'a, Message: Clone + 'a> Slider<'a, Message> {
    /// The widget, as wide as its parent allows.
    pub fn into_element(self) -> Element<'a, Message> {
        Canvas::new(self).width(Length::Fill).height(HEIGHT).into()
    }
}

impl<Message> Slider<'_, Message> {
    fn paint(&self, frame: &mut Frame, colors: &Colors, alive: bool) {
        let size = frame.size();
        let middle = size.height / 2.0;
        let place = |value: f32| place_of(value, size.width);
        let bar = |from: f32, to: f32| Path::line(Point::new(from, middle), Point::new(to, middle));
        let stroke = |color| {
            Stroke::default()
                .with_color(color)
                .with_width(3.0)
                .with_line_cap(canvas::LineCap::Round)
        };
        frame.stroke(&bar(place(0.0), place(1.0)), stroke(colors.line));
        for mark in self.marks.into_iter().flatten() {
            let x = place(mark);
            let mark = Path::line(Point::new(x, middle - 3.5), Point::new(x, middle + 3.5));
            let thin = Stroke::default().with_color(colors.faint).with_width(1.0);
            frame.stroke(&mark, thin);
        }
        let (value, own) = (place(self.value), place(self.own));
        if value != own {
            frame.stroke(&bar(own, value), stroke(colors.accent));
        }
        let tick = Path::line(Point::new(own, middle - 6.0), Point::new(own, middle + 6.0));
        frame.stroke(
            &tick,
            Stroke::default().with_color(colors.dim).with_width(1.5),
        );
        if let Some((left, right)) = self.halves {
            let (left, right) = (place(left), place(right));
            let span = Path::line(
                Point::new(left, middle + 8.0),
                Point::new(right, middle + 8.0),
            );
            let thin = Stroke::default().with_color(colors.dim).with_width(1.0);
            frame.stroke(&span, thin);
            for (x, side) in [(left, -1.0), (right, 1.0)] {
                // An arrow that points to its half of the face.
                let arrow = Path::new(|path| {
                    path.move_to(Point::new(x + 4.0 * side, middle + 8.0));
                    path.line_to(Point::new(x - 2.0 * side, middle + 5.0));
                    path.line_to(Point::new(x - 2.0 * side, middle + 11.0));
                    path.close();
                });
                frame.fill(&arrow, colors.text);
            }
        }
        let radius = if alive { HANDLE } else { HANDLE - 1.0 };
        let color = if self.value == self.own && !alive {
            colors.dim
        } else {
            colors.text
        };
        frame.fill(&Path::circle(Point::new(value, middle), radius), color);
    }
}

/// The value at a position on a slider of this width.
pub fn value_at(x: f32, width: f32) -> f32 {
    ((x - HANDLE) / (width - 2.0 * HANDLE).max(1.0)).clamp(0.0, 1.0)
}

/// The position of a value on a slider of this width.
pub fn place_of(value: f32, width: f32) -> f32 {
    HANDLE + value.clamp(0.0, 1.0) * (width - 2.0 * HANDLE).max(1.0)
}

/// Cache key: the value, the tick, the marks, the halves, and whether the cursor is over the slider.
type SliderKey = (f32, f32, Option<[f32; 2]>, Option<(f32, f32)>, bool);

#[derive(Debug, Default)]
pub struct Interaction {
    /// The pointer's last position and the value there, while dragging; the value may be outside 0..=1.
    dragging: Option<(f32, f32)>,
    clicks: Clicks,
    fine: bool,
    over: bool,
    cache: KeyedCache<SliderKey>,
}

impl<Message: Clone> canvas::Program<Message> for Slider<'_, Message> {
    type State = Interaction;

    fn update(
        &self,
        state: &mut Interaction,
        event: &Event,
        bounds: Rectangle,
        cursor: Cursor,
    ) -> Option<Action<Message>> {
        match event {
            Event::Keyboard(keyboard::Event::ModifiersChanged(modifiers)) => {
                state.fine = modifiers.shift();
                None
            }
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) => {
                let at = cursor.position_in(bounds)?;
                if state.clicks.press(at) {
                    state.clicks.forget();
                    state.dragging = None;
                    return Some(Action::publish(self.on_reset.clone()).and_capture());
                }
                // A press on the handle keeps the value; elsewhere it jumps to the pointer.
                let grabbed = (at.x - place_of(self.value, bounds.width)).abs() <= HANDLE + 2.0;
                let value = if grabbed {
                    self.value
                } else {
                    value_at(at.x, bounds.width)
                };
                // A value outside the slider's range is published unchanged until the pointer moves, then it starts from the end.
                state.dragging = Some((at.x, value.clamp(0.0, 1.0)));
                Some(Action::publish((self.on_change)(value)).and_capture())
            }
            Event::Mouse(mouse::Event::CursorMoved { .. }) => {
                if let Some((x, value)) = state.dragging {
                    let now = cursor.land().position()?.x - bounds.x;
                    let speed = if state.fine { FINE } else { 1.0 };
                    let moved = (now - x) * speed / (bounds.width - 2.0 * HANDLE).max(1.0);
                    let wanted = value + moved;
                    state.dragging = Some((now, wanted));
                    let kept = (wanted.clamp(0.0, 1.0) * 1000.0).round() / 1000.0;
                    return Some(Action::publish((self.on_change)(kept)).and_capture());
                }
                let over = cursor.is_over(bounds);
                (std::mem::replace(&mut state.over, over) != over).then(Action::request_redraw)
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)) => {
                state.dragging.take()?;
                Some(Action::publish(self.on_release.clone()).and_capture())
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
        let alive = state.over || state.dragging.is_some();
        let key = (self.value, self.own, self.marks, self.halves, alive);
        state
            .cache
            .draw(renderer, theme, bounds.size(), key, |frame, colors| {
                self.paint(frame, colors, alive)
            })
    }

    fn mouse_interaction(
        &self,
        state: &Interaction,
        bounds: Rectangle,
        cursor: Cursor,
    ) -> mouse::Interaction {
        if state.dragging.is_some() {
            mouse::Interaction::Grabbing
        } else if cursor.is_over(bounds) {
            mouse::Interaction::Grab
        } else {
            mouse::Interaction::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slider_values_and_positions_round_trip() {
        for value in [0.0, 0.25, 0.5, 1.0] {
            assert!((value_at(place_of(value, 160.0), 160.0) - value).abs() < 1e-6);
        }
        assert_eq!(value_at(-50.0, 160.0), 0.0);
        assert_eq!(value_at(500.0, 160.0), 1.0);
        assert!(value_at(3.0, 0.0).is_finite());
    }
}
