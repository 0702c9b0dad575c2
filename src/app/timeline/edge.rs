//! The panel's upper edge, which can be dragged to resize the panel.

use iced::mouse::{self, Button, Cursor, Interaction};
use iced::widget::canvas::{Action, Canvas, Event, Geometry, Program};
use iced::widget::container;
use iced::{Element, Length, Rectangle, Renderer, Theme};

use super::Message;

/// How far from the edge the pointer can grab it, in logical pixels.
const GRAB_DISTANCE: f32 = 7.0;

/// The edge's widget id, for tests.
pub const EDGE: &str = "timeline-edge";

pub struct Edge {
    /// The panel's current height.
    height: f32,
}

impl Edge {
    pub fn of(height: f32) -> Self {
        Self { height }
    }

    pub fn into_element<'a>(self) -> Element<'a, Message> {
        let strip = Canvas::new(self).width(Length::Fill).height(GRAB_DISTANCE);
        container(strip).id(EDGE).into()
    }
}

impl Program<Message> for Edge {
    /// The pointer's position within the strip while dragging.
    type State = Option<f32>;

    fn update(
        &self,
        held: &mut Option<f32>,
        event: &Event,
        bounds: Rectangle,
        cursor: Cursor,
    ) -> Option<Action<Message>> {
        let Event::Mouse(event) = event else {
            return None;
        };
        match event {
            mouse::Event::ButtonPressed(Button::Left) => {
                *held = Some(cursor.position_in(bounds)?.y);
                Some(Action::capture())
            }
            mouse::Event::CursorMoved { .. } => {
                let by = cursor.land().position()?.y - bounds.y - (*held)?;
                Some(Action::publish(Message::Resized(self.height - by)).and_capture())
            }
            mouse::Event::ButtonReleased(Button::Left) => {
                held.take()?;
                Some(Action::publish(Message::ResizeEnded).and_capture())
            }
            _ => None,
        }
    }

    fn draw(
        &self,
        _held: &Option<f32>,
        _renderer: &Renderer,
        _theme: &Theme,
        _bounds: Rectangle,
        _cursor: Cursor,
    ) -> Vec<Geometry> {
        Vec::new()
    }

    fn mouse_interaction(
        &self,
        held: &Option<f32>,
        bounds: Rectangle,
        cursor: Cursor,
    ) -> Interaction {
        if held.is_some() || cursor.is_over(bounds) {
            Interaction::ResizingVertically
        } else {
            Interaction::default()
        }
    }
}
