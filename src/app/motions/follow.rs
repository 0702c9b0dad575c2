//! The controls for how a clip's or a sample's face drives the portrait: strengths, locks, smoothing and playback. Shared
//! by the panels of both.

use iced::widget::tooltip::Position;
use iced::widget::{Column, Id, Row, button, column, container, row, space, text, toggler};
use iced::{Alignment, Element, Length};

use crate::app::strings::common;
use crate::app::strings::motions::follow as strings;
use crate::app::widgets::controls::hinted;
use crate::app::widgets::format::decimal;
use crate::app::widgets::slider::Slider;
use crate::app::widgets::theme;
use crate::app::widgets::value_slider::ValueSlider;
use crate::document::{Follow, Group, Playback};

/// A number of [`Follow`] with a slider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    Strength,
    Gain(Group),
    Still,
    Quick,
}

impl Value {
    /// Its name, which identifies its drags as one undo gesture.
    pub fn name(self) -> &'static str {
        match self {
            Value::Strength => "strength",
            Value::Gain(Group::Brows) => "gain-brows",
            Value::Gain(Group::Eyes) => "gain-eyes",
            Value::Gain(Group::Nose) => "gain-nose",
            Value::Gain(Group::Mouth) => "gain-mouth",
            Value::Gain(Group::Jaw) => "gain-jaw",
            Value::Still => "still",
            Value::Quick => "quick",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Value::Strength => common::STRENGTH,
            Value::Gain(group) => group.title(),
            Value::Still => strings::SMOOTHING,
            Value::Quick => strings::FAST_MOTION,
        }
    }

    /// The maximum; the minimum is 0.
    fn most(self) -> f32 {
        match self {
            Value::Strength | Value::Gain(_) => *Follow::STRENGTH.end(),
            Value::Still | Value::Quick => 1.0,
        }
    }

    /// Its value in these settings.
    pub fn of(self, follow: &Follow) -> f32 {
        match self {
            Value::Strength => follow.strength,
            Value::Gain(group) => follow.gain(group),
            Value::Still => follow.smoothing_strength,
            Value::Quick => follow.responsiveness,
        }
    }

    fn usual(self) -> f32 {
        self.of(&Follow::default())
    }
}

/// A change of [`Follow`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// A number, clamped to its range; NaN is ignored.
    Value(Value, f32),
    LockPlace(bool),
    LockScale(bool),
    Relative(bool),
    Own(Option<bool>),
    Reference(Option<u32>),
}

impl Change {
    pub fn apply(self, follow: &mut Follow) {
        match self {
            Change::Value(_, number) if number.is_nan() => {}
            Change::Value(value, number) => {
                let number = number.clamp(0.0, value.most());
                match value {
                    Value::Strength => follow.strength = number,
                    Value::Gain(group) => {
                        if let Some(at) = Group::ALL.iter().position(|other| *other == group) {
                            follow.gains[at] = number;
                        }
                    }
                    Value::Still => follow.smoothing_strength = number,
                    Value::Quick => follow.responsiveness = number,
                }
            }
            Change::LockPlace(lock) => follow.lock_place = lock,
            Change::LockScale(lock) => follow.lock_scale = lock,
            Change::Relative(relative) => follow.relative = relative,
            Change::Own(own) => follow.use_baseline = own,
            Change::Reference(reference) => follow.reference = reference,
        }
    }
}

/// The state of the controls.
#[derive(Debug, Default)]
pub struct Controls {
    /// The text being typed into a number field, until it is entered.
    typing: Option<(Value, String)>,
}

#[derive(Debug, Clone)]
pub enum Message {
    Moved(Value, f32),
    Released,
    Reset(Value),
    Typed(Value, String),
    Entered,
    Set(Change),
    Playback(Playback),
}

/// What the parent must do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    None,
    /// A single change.
    Change(Change),
    /// A change that is part of the gesture of this name.
    Drag(&'static str, Change),
    EndGesture,
    /// The playback mode, which isn't part of [`Follow`].
    Playback(Playback),
    /// A number was entered.
    Leave,
}

impl Controls {
    /// Cancels typing; returns whether there was any.
    pub fn escape(&mut self) -> bool {
        self.typing.take().is_some()
    }

    pub fn update(&mut self, message: Message) -> Action {
        if !matches!(message, Message::Typed(..)) {
            self.typing = None;
        }
        let drag = |value: Value, number| Action::Drag(value.name(), Change::Value(value, number));
        match message {
            Message::Moved(value, number) => drag(value, number),
            Message::Released => Action::EndGesture,
            Message::Reset(value) => Action::Change(Change::Value(value, value.usual())),
            Message::Typed(value, typed) => {
                let number = decimal::<f32>(&typed).filter(|n| (0.0..=value.most()).contains(n));
                self.typing = Some((value, typed));
                number.map_or(Action::None, |number| drag(value, number))
            }
            Message::Entered => Action::Leave,
            Message::Set(change) => Action::Change(change),
            Message::Playback(playback) => Action::Playback(playback),
        }
    }

    /// The controls, as wide as their parent; the parent adds the padding.
    pub fn view<'a>(&'a self, follow: &'a Follow, playback: Playback) -> Element<'a, Message> {
        let line = |value| self.line(follow, value);
        let groups = Group::ALL.map(|group| line(Value::Gain(group)));
        let switch = |label: &'a str, on, change: fn(bool) -> Change| {
            toggler(on)
                .label(label)
                .on_toggle(move |on| Message::Set(change(on)))
                .size(15)
                .text_size(theme::NORMAL)
                .spacing(8)
        };
        let groups = column![section(
            strings::REGIONS,
            strings::BY_UNITS,
            strings::REGIONS_HINT,
        )]
        .push(Column::with_children(groups).spacing(1))
        .spacing(theme::GAP);
        let head = column![
            section(strings::HEAD, strings::BY_PICTURES, strings::HEAD_HINT,),
            row![
                container(switch(
                    strings::LOCK_POSITION,
                    follow.lock_place,
                    Change::LockPlace
                ))
                .width(Length::Fill),
                container(switch(
                    strings::LOCK_SCALE,
                    follow.lock_scale,
                    Change::LockScale
                ))
                .width(Length::Fill),
            ],
        ]
        .spacing(theme::GAP);
        let own = [
            (None, strings::NEUTRAL_AUTO),
            (Some(true), strings::NEUTRAL_OWN),
            (Some(false), strings::NEUTRAL_GENERAL),
        ];
        let own = own.map(|(own, title)| {
            choice(
                title,
                follow.use_baseline == own,
                Message::Set(Change::Own(own)),
            )
        });
        let reading = column![
            section(strings::UNITS, strings::BY_UNITS, strings::UNITS_HINT,),
            column![line(Value::Still), line(Value::Quick)].spacing(1),
            choices(
                hinted(
                    label(strings::NEUTRAL),
                    strings::NEUTRAL_HINT,
                    Position::Bottom,
                ),
                own,
            ),
            hinted(
                switch(strings::RELATIVE, follow.relative, Change::Relative),
                strings::RELATIVE_HINT,
                Position::Bottom,
            ),
        ]
        .spacing(theme::GAP);
        let ways =
            Playback::ALL.map(|way| choice(way.title(), playback == way, Message::Playback(way)));
        column![
            line(Value::Strength),
            groups,
            head,
            reading,
            choices(label(common::PLAYBACK), ways)
        ]
        .spacing(theme::SPACE)
        .into()
    }

    /// Label, slider and number field of one value.
    fn line<'a>(&'a self, follow: &Follow, value: Value) -> Element<'a, Message> {
        let (number, most) = (value.of(follow), value.most());
        let slider = Slider {
            value: number / most,
            own: value.usual() / most,
            marks: None,
            halves: None,
            on_change: Box::new(move |share| Message::Moved(value, share * most)),
            on_release: Message::Released,
            on_reset: Message::Reset(value),
        };
        let typing = self.typing.as_ref();
        ValueSlider {
            decimals: 2,
            label: label(value.title()),
            slider,
            slider_id: slider_id(value),
            field_id: field_id(value),
            number,
            typing: typing.and_then(|(typing, typed)| (*typing == value).then_some(typed.as_str())),
            on_type: Box::new(move |typed| Message::Typed(value, typed)),
            on_enter: Message::Entered,
        }
        .into_element()
    }
}

/// The widget id of a value's slider, for tests.
pub fn slider_id(value: Value) -> Id {
    Id::from(format!("follow-slider-{}", value.name()))
}

/// The widget id of a value's number field.
pub fn field_id(value: Value) -> Id {
    Id::from(format!("follow-field-{}", value.name()))
}

fn label(title: &str) -> Element<'_, Message> {
    container(
        text(title)
            .size(theme::NORMAL)
            .wrapping(text::Wrapping::None),
    )
    .width(78)
    .into()
}

/// The heading of a group of controls, with the methods it applies to.
fn section<'a>(title: &'a str, methods: &'a str, hint: &'a str) -> Element<'a, Message> {
    let heading = row![
        text(title).size(theme::SMALL).style(theme::dim),
        space::horizontal(),
        text(methods).size(theme::SMALL).style(theme::faint),
    ];
    hinted(heading, hint, Position::Top)
}

fn choice(title: &str, on: bool, message: Message) -> Element<'_, Message> {
    button(text(title).size(theme::SMALL))
        .on_press(message)
        .padding([3, 10])
        .style(theme::toggled(on))
        .into()
}

fn choices<'a>(
    label: Element<'a, Message>,
    all: [Element<'a, Message>; 3],
) -> Element<'a, Message> {
    row![label, Row::with_children(all).spacing(4)]
        .spacing(theme::GAP)
        .align_y(Alignment::Center)
        .into()
}

#[cfg(test)]
mod tests;
