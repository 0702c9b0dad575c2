//! Buttons and hints that several panels share.

use std::time::Duration;

use iced::widget::tooltip::Position;
use iced::widget::{button, container, row, space, text, tooltip};
use iced::{Alignment, Element};

use super::theme;

/// Something with an explanation that appears when the cursor rests on it.
pub fn hinted<'a, M: 'a>(
    content: impl Into<Element<'a, M>>,
    hint: &'a str,
    position: Position,
) -> Element<'a, M> {
    hinted_by(content, hint, position)
}

/// The same with words that are made for it.
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

/// A small button with a word on it; without a message it can't be pressed.
pub fn action<'a, M: Clone + 'a>(label: &'a str, message: Option<M>) -> Element<'a, M> {
    button(text(label).size(theme::SMALL))
        .on_press_maybe(message)
        .padding([4, 9])
        .style(theme::raised)
        .into()
}

/// A small button that stays down while what it stands for is on.
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

/// The last line of a dialog: a way out, and what it is for; that can't be pressed without a message.
pub fn ending<'a, M: Clone + 'a>(cancel: M, label: &'a str, go: Option<M>) -> Element<'a, M> {
    row![
        space::horizontal(),
        action("Cancel", Some(cancel)),
        button(text(label).size(theme::NORMAL))
            .on_press_maybe(go)
            .padding([5, 16])
            .style(theme::primary),
    ]
    .spacing(theme::GAP)
    .align_y(Alignment::Center)
    .into()
}
