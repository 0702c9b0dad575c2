//! Buttons and tooltips that several panels share.

use std::time::Duration;

use iced::widget::tooltip::Position;
use iced::widget::{button, container, row, space, text, tooltip};
use iced::{Alignment, Element};

use super::theme;
use crate::app::strings::common::CANCEL;

/// Adds a tooltip.
pub fn hinted<'a, M: 'a>(
    content: impl Into<Element<'a, M>>,
    hint: &'a str,
    position: Position,
) -> Element<'a, M> {
    hinted_by(content, hint, position)
}

/// Like [`hinted`], with a generated text.
pub fn hinted_by<'a, M: 'a>(
    content: impl Into<Element<'a, M>>,
    hint: impl text::IntoFragment<'a>,
    position: Position,
) -> Element<'a, M> {
    let hint = container(text(hint).size(theme::SMALL))
        .padding(8)
        .max_width(260)
        .style(theme::tip);
    tooltip(content, hint, position)
        .delay(Duration::from_millis(500))
        .into()
}

/// A small text button; disabled without a message.
pub fn action<'a, M: Clone + 'a>(label: &'a str, message: Option<M>) -> Element<'a, M> {
    button(text(label).size(theme::SMALL))
        .on_press_maybe(message)
        .padding([4, 9])
        .style(theme::raised)
        .into()
}

/// A small button that is highlighted while `on`.
pub fn toggle<'a, M: Clone + 'a>(
    label: impl text::IntoFragment<'a>,
    on: bool,
    message: M,
) -> Element<'a, M> {
    button(text(label).size(theme::SMALL))
        .on_press(message)
        .padding([4, 9])
        .style(theme::toggled(on))
        .into()
}

/// The last line of a dialog: Cancel, and a primary button that is disabled without a message.
pub fn ending<'a, M: Clone + 'a>(cancel: M, label: &'a str, go: Option<M>) -> Element<'a, M> {
    row![
        space::horizontal(),
        action(CANCEL, Some(cancel)),
        button(text(label).size(theme::NORMAL))
            .on_press_maybe(go)
            .padding([5, 16])
            .style(theme::primary),
    ]
    .spacing(theme::GAP)
    .align_y(Alignment::Center)
    .into()
}
