//! The switches that limit an edit to parts of the face.

use iced::widget::tooltip::Position;
use iced::widget::{Row, button, container, row, text};
use iced::{Alignment, Element};

use crate::app::strings::expression as strings;
use crate::app::widgets::controls::hinted;
use crate::app::widgets::theme;
use crate::document::{Document, FacePart, Limit, Sides};

#[derive(Debug, Clone)]
pub enum Message {
    /// Toggle a part of the face.
    FacePart(FacePart),
    /// Limit the edit to one half of the face, or lift that limit.
    Half(Sides),
    NoLimit,
}

impl Message {
    /// Returns the limit after this message.
    pub fn apply(self, limit: Limit) -> Limit {
        match self {
            Message::FacePart(part) => limit.toggled(part),
            Message::Half(half) if limit.sides == half => limit.on(Sides::Both),
            Message::Half(half) => limit.on(half),
            Message::NoLimit => Limit::NONE,
        }
    }
}

/// The switches for the parts of the face that may change. They need a face with landmarks.
pub fn limits(document: &Document) -> Element<'_, Message> {
    let limit = document.limit;
    let found = document.face.is_some();
    let chip = |label, on, message: Option<Message>| {
        button(text(label).size(theme::SMALL))
            .on_press_maybe(message)
            .padding([3, 7])
            .style(theme::toggled(on))
            .into()
    };
    let parts = FacePart::ALL.into_iter().map(|part| {
        chip(
            part.title(),
            limit.has(part),
            found.then_some(Message::FacePart(part)),
        )
    });
    let halves = [Sides::Left, Sides::Right].map(|half| {
        let label = match half {
            Sides::Left => strings::LEFT_HALF,
            _ => strings::RIGHT_HALF,
        };
        chip(label, limit.sides == half, Some(Message::Half(half)))
    });
    let all = chip(strings::ALL_PARTS, limit.is_none(), Some(Message::NoLimit));
    let chips = Row::with_children(std::iter::once(all).chain(parts).chain(halves))
        .spacing(4)
        .wrap()
        .vertical_spacing(4);
    let hint = if found {
        strings::EDIT_ONLY_HINT
    } else {
        strings::EDIT_ONLY_WITHOUT_FACE
    };
    row![
        hinted(
            container(
                text(strings::EDIT_ONLY)
                    .size(theme::SMALL)
                    .style(theme::dim)
            )
            .width(76),
            hint,
            Position::Bottom,
        ),
        chips,
    ]
    .align_y(Alignment::Center)
    .into()
}
