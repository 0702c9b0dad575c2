//! A value with its label, its slider, and a field to type it into.

use iced::widget::{Id, container, mouse_area, row, text_input};
use iced::{Alignment, Element};

use super::slider::Slider;
use super::theme;

/// A line with label, slider and number field. A double-click on the label or the slider resets the value.
pub struct ValueSlider<'a, Message> {
    pub label: Element<'a, Message>,
    pub slider: Slider<'a, Message>,
    pub slider_id: Id,
    pub field_id: Id,
    /// The number, shown unless the field is being edited.
    pub number: f32,
    /// The number of decimal places shown.
    pub decimals: usize,
    pub typing: Option<&'a str>,
    pub on_type: Box<dyn Fn(String) -> Message + 'a>,
    pub on_enter: Message,
}

impl<'a, Message: Clone + 'a> ValueSlider<'a, Message> {
    pub fn into_element(self) -> Element<'a, Message> {
        let number = |value: f32| format!("{value:.0$}", self.decimals);
        let typed = self
            .typing
            .map_or_else(|| number(self.number), str::to_owned);
        let field = text_input(&number(0.0), &typed)
            .id(self.field_id)
            .on_input(self.on_type)
            .on_submit(self.on_enter)
            .size(theme::SMALL)
            .font(theme::FIGURES)
            .padding([2, 5])
            .width(46)
            .style(theme::field);
        row![
            mouse_area(self.label).on_double_click(self.slider.on_reset.clone()),
            container(self.slider.into_element()).id(self.slider_id),
            field,
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center)
        .into()
    }
}
