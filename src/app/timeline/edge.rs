//! The panel's upper edge, which the hand can take to make it higher or lower.

use iced::mouse::{self, Button, Cursor, Interaction};
use iced::widget::canvas::{Action, Canvas, Event, Geometry, Program};
use iced::widget::container;
use iced::{Element, Length, Rectangle, Renderer, Theme};

use super::Message;

/// How far from the edge it can be taken, in logical pixels.
const REACH: f32 = 7.0;

/// The edge's place, for tests.
pub const EDGE: &str = "timeline-edge";

pub struct Edge {
    /// The panel's height now.
    height: f32,
}

impl Edge {
    pub fn of(height: f32) -> Self {
        Self { height }
    }

    pub fn into_element<'a>(self) -> Element<'a, Message> {
        let strip = Canvas::new(self).width(Length::Fill).height(REACH);
        container(strip).id(EDGE).into()
    }
}

impl Program<Message> for Edge {
    /// Where in the strip the hand holds it.
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
                Some(Action::publish(Message::Raised(self.height - by)).and_capture())
            }
            mouse::Event::ButtonReleased(Button::Left) => {
                held.take()?;
                Some(Action::publish(Message::RaisedAtLast).and_capture())
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
