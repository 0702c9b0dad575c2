//! The panel on the left: sliders for the seventeen Action Units, head and eyes, overall strength and presets.

mod limits;

use std::ops::RangeInclusive;

use iced::widget::tooltip::Position;
use iced::widget::{
    Column, Id, Row, button, column, container, row, scrollable, space, text, text_input, toggler,
};
use iced::{Alignment, Element, Length};

use crate::app::widgets::controls::{action, hinted};
use crate::app::widgets::format::decimal;
use crate::app::widgets::slider::Slider;
use crate::app::widgets::theme;
use crate::app::widgets::value_slider::ValueSlider;
use crate::document::{
    ActionUnit, AuVector, Channel, Document, Gesture, Group, Limit, Pose, Preset, Sides,
};
use crate::methods::MethodInfo;

/// The panel's width, in logical pixels.
pub const WIDTH: f32 = 356.0;

/// A value that can be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    Channel(Channel),
    Strength,
}

impl From<ActionUnit> for Value {
    fn from(unit: ActionUnit) -> Self {
        Value::Channel(unit.into())
    }
}

impl From<Channel> for Value {
    fn from(channel: Channel) -> Self {
        Value::Channel(channel)
    }
}

impl Value {
    /// The values that are accepted.
    fn range(self) -> RangeInclusive<f32> {
        match self {
            Value::Channel(channel) => channel.range(),
            Value::Strength => 0.0..=1.0,
        }
    }

    /// How many decimal places are shown.
    fn decimals(self) -> usize {
        match self {
            Value::Channel(channel) if channel.unit().is_none() => 1,
            _ => 2,
        }
    }

    /// Where on its slider a number lies, in 0..=1.
    fn share_of(self, number: f32) -> f32 {
        match self {
            Value::Channel(channel) => channel.share_of(number),
            Value::Strength => number,
        }
    }

    /// The number at a place on its slider; an angle in tenths of a degree.
    fn at(self, share: f32) -> f32 {
        match self {
            Value::Channel(channel) if channel.unit().is_none() => {
                (channel.value_at(share) * 10.0).round() / 10.0
            }
            _ => share,
        }
    }
}

#[derive(Debug, Default)]
pub struct Expression {
    built_in: Vec<Preset>,
    own: Vec<Preset>,
    /// What is being typed into a number field, until it is a number.
    typing: Option<(Value, String)>,
    /// The name of the preset that is about to be kept.
    naming: Option<String>,
    /// Which halves of the face the sliders move.
    sides: Sides,
}

#[derive(Debug, Clone)]
pub enum Message {
    Moved(Value, f32),
    Released,
    Typed(Value, String),
    Entered,
    Reset(Value),
    ResetAll,
    Detail(bool),
    Chosen(AuVector),
    /// What the sliders show is what the portrait itself shows.
    Own,
    /// Every slider to zero: the relaxed face.
    Neutralise,
    /// What the portrait shows counts as relaxed.
    CountAsNeutral,
    /// The face is to be read against the relaxed one that was kept.
    Against,
    Sides(Sides),
    /// What the edit is limited to.
    Limit(limits::Message),
    NamePreset,
    Naming(String),
    NamingCancelled,
    KeepPreset,
}

/// What the parent has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    None,
    Drag(Gesture, Change),
    Edit(Change),
    EndGesture,
    /// A number is entered.
    Leave,
    Focus(Id),
    Keep(Preset),
    /// The face is this person's relaxed one, for other pictures too.
    KeepNeutral,
    Against,
}

/// A change of the document that the panel asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Channel(Sides, Channel, f32),
    Strength(f32),
    Pose(Pose),
    Source(AuVector),
    Detail(bool),
    Limit(Limit),
}

impl Change {
    /// Applies the change at a frame of the track.
    pub fn apply(self, document: &mut Document, frame: u32) {
        match self {
            Change::Channel(sides, channel, value) => {
                document.set_channel(frame, sides, channel, value);
            }
            Change::Strength(value) => document.strength = value,
            Change::Pose(pose) => document.set_pose(frame, pose),
            Change::Source(source) => document.source = source,
            Change::Detail(detail) => document.detail = detail,
            Change::Limit(limit) => document.limit = limit,
        }
    }
}

impl Expression {
    pub fn new(built_in: Vec<Preset>, own: Vec<Preset>) -> Self {
        Self {
            built_in,
            own,
            ..Self::default()
        }
    }

    /// Shows a preset that was just kept.
    pub fn kept(&mut self, preset: Preset) {
        self.naming = None;
        self.own.retain(|other| other.name != preset.name);
        self.own.push(preset);
        self.own.sort_by_key(|preset| preset.name.to_lowercase());
    }

    /// Another face is shown: the sliders move both its halves.
    pub fn show_both(&mut self) {
        self.sides = Sides::Both;
    }

    /// Leaves whatever is being typed; true when there was something.
    pub fn escape(&mut self) -> bool {
        self.typing.take().is_some() | self.naming.take().is_some()
    }

    pub fn update(&mut self, message: Message, document: &Document, frame: u32) -> Action {
        if !matches!(message, Message::Typed(..)) {
            self.typing = None;
        }
        match message {
            Message::Moved(value, number) => self.drag(value, number),
            Message::Released => Action::EndGesture,
            Message::Entered => Action::Leave,
            Message::Typed(value, text) => {
                let number = parse(value, &text);
                self.typing = Some((value, text));
                number.map_or(Action::None, |number| self.drag(value, number))
            }
            Message::Reset(Value::Channel(channel)) => {
                let own = Pose::from(document.source).get(channel);
                Action::Edit(Change::Channel(self.sides, channel, own))
            }
            Message::Reset(Value::Strength) => Action::Edit(Change::Strength(1.0)),
            Message::ResetAll => self.reset(document, frame, document.source),
            Message::Neutralise => self.reset(document, frame, AuVector::NEUTRAL),
            Message::CountAsNeutral => Action::KeepNeutral,
            Message::Against => Action::Against,
            Message::Detail(detail) => Action::Edit(Change::Detail(detail)),
            Message::Chosen(aus) => self.pose(document, frame, aus),
            Message::Own => Action::Edit(Change::Source(self.shown(document, frame))),
            Message::Sides(sides) => {
                self.sides = sides;
                Action::None
            }
            Message::Limit(message) => Action::Edit(Change::Limit(message.apply(document.limit))),
            Message::NamePreset => {
                self.naming = Some(String::new());
                Action::Focus(NAME.into())
            }
            Message::Naming(name) => {
                self.naming = Some(name);
                Action::None
            }
            Message::NamingCancelled => {
                self.naming = None;
                Action::None
            }
            Message::KeepPreset => match &self.naming {
                Some(name) if !name.trim().is_empty() => Action::Keep(Preset {
                    name: name.trim().to_owned(),
                    aus: self.shown(document, frame),
                }),
                _ => Action::None,
            },
        }
    }

    /// The chosen halves of the face take an expression.
    fn pose(&self, document: &Document, frame: u32, aus: AuVector) -> Action {
        Action::Edit(Change::Pose(document.pose(frame).with_all(self.sides, aus)))
    }

    /// The same, with head and eyes as the portrait has them.
    fn reset(&self, document: &Document, frame: u32, aus: AuVector) -> Action {
        let pose = document.pose(frame).facing_as_portrait();
        Action::Edit(Change::Pose(pose.with_all(self.sides, aus)))
    }

    /// What the sliders show: the chosen half, or the mean of both.
    fn shown(&self, document: &Document, frame: u32) -> AuVector {
        let pose = document.pose(frame);
        AuVector::from(ActionUnit::ALL.map(|unit| pose.of(self.sides, unit)))
    }

    fn drag(&self, value: Value, number: f32) -> Action {
        match value {
            Value::Channel(channel) => Action::Drag(
                Gesture::Slider(channel),
                Change::Channel(self.sides, channel, number),
            ),
            Value::Strength => Action::Drag(Gesture::Strength, Change::Strength(number)),
        }
    }

    /// `neutral` is the name of the picture whose face counts as this person's relaxed one, where it is another;
    /// `keeps_head` a method in a pane that can't draw where the head and the eyes turn.
    pub fn view<'a>(
        &'a self,
        document: &'a Document,
        neutral: Option<&'a str>,
        keeps_head: Option<&'static MethodInfo>,
        frame: u32,
    ) -> Element<'a, Message> {
        let pose = document.pose(frame);
        let shown = self.shown(document, frame);
        let header = row![
            text("Expression").size(theme::LARGE),
            space::horizontal(),
            hinted(
                action("Neutralise", Some(Message::Neutralise)),
                "Every slider to zero: the face relaxes",
                Position::Bottom,
            ),
            hinted(
                action("Reset all", Some(Message::ResetAll)),
                "Every slider back to the portrait's own expression, where the ticks stand (R)",
                Position::Bottom,
            ),
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center);
        let against = neutral.map(|name| {
            hinted(
                action("Read against it", Some(Message::Against)),
                name,
                Position::Bottom,
            )
        });
        let own = row![
            text(if neutral.is_some() { "Own" } else { "The portrait's own" })
                .size(theme::SMALL)
                .color(theme::dim()),
            space::horizontal(),
        ]
        .push(against)
        .push(
            hinted(
                action("Set as neutral", Some(Message::CountAsNeutral)),
                "What the portrait shows counts as this person's relaxed face: its own values become zero, and the sliders begin there. Other pictures and clips of the same person can be read against it",
                Position::Bottom,
            ))
        .push(
            hinted(
                action("Set as own", Some(Message::Own)),
                "What the sliders show now is what the portrait itself shows: the ticks move here. For where the reading errs",
                Position::Bottom,
            ))
        .spacing(theme::GAP)
        .align_y(Alignment::Center);

        let strength = self.line(
            text("Strength").size(theme::NORMAL).into(),
            Value::Strength,
            document.strength,
            1.0,
            None,
        );
        let detail = toggler(document.detail)
            .label("Keep the portrait's fine detail")
            .on_toggle(Message::Detail)
            .size(15)
            .text_size(theme::NORMAL)
            .spacing(8);

        let groups = Group::ALL.map(|group| {
            let lines = group.units().map(|unit| {
                let label = row![
                    text(unit.to_string())
                        .size(theme::SMALL)
                        .font(theme::FIGURES)
                        .color(theme::dim())
                        .width(40),
                    text(unit.name())
                        .size(theme::NORMAL)
                        .wrapping(text::Wrapping::None),
                ]
                .align_y(Alignment::Center);
                self.line(
                    label.into(),
                    unit.into(),
                    shown.get(unit),
                    document.source.get(unit),
                    Some((pose.left.get(unit), pose.right.get(unit))),
                )
            });
            column![text(group.title()).size(theme::SMALL).color(theme::dim())]
                .extend(lines)
                .spacing(1)
                .into()
        });
        let sliders = scrollable(
            Column::with_children(groups)
                .push(self.head_and_eyes(&pose, keeps_head))
                .spacing(theme::SPACE)
                .padding([0.0, theme::SPACE]),
        )
        .height(Length::Fill)
        .style(theme::scroll);

        let top = column![
            header,
            own,
            strength,
            detail,
            self.halves(),
            limits::limits(document).map(Message::Limit)
        ]
        .spacing(theme::GAP)
        .padding([0.0, theme::SPACE]);
        container(column![top, sliders, self.presets(shown)].spacing(theme::SPACE))
            .padding([theme::SPACE, 0.0])
            .width(WIDTH)
            .height(Length::Fill)
            .style(theme::panel)
            .into()
    }

    /// The sliders that turn the head and move the eyes.
    fn head_and_eyes(
        &self,
        pose: &Pose,
        keeps_head: Option<&'static MethodInfo>,
    ) -> Element<'_, Message> {
        let lines = HEAD_AND_EYES.map(|(channel, axis, hint)| {
            let label = row![
                text(axis)
                    .size(theme::SMALL)
                    .font(theme::FIGURES)
                    .color(theme::dim())
                    .width(40),
                text(channel.title())
                    .size(theme::NORMAL)
                    .wrapping(text::Wrapping::None),
            ]
            .align_y(Alignment::Center);
            self.line(
                hinted(label, hint, Position::Top),
                channel.into(),
                pose.get(channel),
                Channel::NEUTRAL,
                None,
            )
        });
        // Last, so that nothing moves when it comes or goes.
        let note = keeps_head.map(|info| {
            text(format!(
                "{} can't turn the head or move the eyes.",
                info.title
            ))
            .size(theme::SMALL)
            .color(theme::faint())
        });
        column![
            text("Head and eyes, in degrees")
                .size(theme::SMALL)
                .color(theme::dim())
        ]
        .extend(lines)
        .push(note)
        .spacing(1)
        .into()
    }

    /// Which halves of the face the sliders move.
    fn halves(&self) -> Element<'_, Message> {
        let choices = Sides::ALL.map(|sides| {
            button(text(sides.title()).size(theme::SMALL))
                .on_press(Message::Sides(sides))
                .padding([3, 12])
                .style(theme::toggled(self.sides == sides))
                .into()
        });
        row![
            hinted(
                container(text("Sliders move").size(theme::SMALL).color(theme::dim())).width(76),
                "An Action Unit moves both halves of a face alike. Choose a half, left or right as you see it, to raise one brow, or smile on one side; the halves are joined softly along the middle",
                Position::Bottom,
            ),
            Row::with_children(choices).spacing(4),
        ]
        .align_y(Alignment::Center)
        .into()
    }

    /// Label, slider and number of one value.
    fn line<'a>(
        &'a self,
        label: Element<'a, Message>,
        value: Value,
        number: f32,
        own: f32,
        halves: Option<(f32, f32)>,
    ) -> Element<'a, Message> {
        let slider = Slider {
            value: value.share_of(number),
            own: value.share_of(own),
            halves: halves.filter(|(left, right)| left != right),
            on_change: Box::new(move |share| Message::Moved(value, value.at(share))),
            on_release: Message::Released,
            on_reset: Message::Reset(value),
        };
        let typing = self.typing.as_ref();
        ValueSlider {
            label: container(label).width(172).into(),
            slider,
            slider_id: slider_id(value),
            field_id: field_id(value),
            number,
            decimals: value.decimals(),
            typing: typing.and_then(|(typing, text)| (*typing == value).then_some(text.as_str())),
            on_type: Box::new(move |text| Message::Typed(value, text)),
            on_enter: Message::Entered,
        }
        .into_element()
    }

    fn presets(&self, pose: AuVector) -> Element<'_, Message> {
        let chip = |preset: &Preset| {
            button(text(preset.name.clone()).size(theme::SMALL))
                .on_press(Message::Chosen(preset.aus))
                .padding([4, 9])
                .style(theme::toggled(preset.aus == pose))
                .into()
        };
        let all = self.built_in.iter().chain(&self.own);
        let chips = Row::with_children(all.map(chip))
            .spacing(theme::GAP)
            .wrap()
            .vertical_spacing(theme::GAP);
        let keep: Element<'_, Message> = match &self.naming {
            Some(name) => row![
                text_input("Name of the preset", name)
                    .id(NAME)
                    .on_input(Message::Naming)
                    .on_submit(Message::KeepPreset)
                    .size(theme::NORMAL)
                    .padding([4, 8])
                    .style(theme::field),
                action("Keep", Some(Message::KeepPreset)),
                action("Cancel", Some(Message::NamingCancelled)),
            ]
            .spacing(theme::GAP)
            .align_y(Alignment::Center)
            .into(),
            None => row![
                text("Presets").size(theme::SMALL).color(theme::dim()),
                space::horizontal(),
                hinted(
                    action("Keep as preset", Some(Message::NamePreset)),
                    "Keeps these slider values under a name of your own",
                    Position::Top,
                ),
            ]
            .align_y(Alignment::Center)
            .into(),
        };
        column![keep, chips]
            .spacing(theme::GAP)
            .padding([0.0, theme::SPACE])
            .into()
    }
}

const NAME: &str = "preset-name";

/// The sliders of head and eyes: what each moves, the axis, and what it does.
const HEAD_AND_EYES: [(Channel, &str, &str); Channel::HEAD_AND_EYES.len()] = [
    (
        Channel::Yaw,
        "yaw",
        "Turns the head: above 0 to the picture's right, below to its left. At 0 it stays as the portrait has it",
    ),
    (
        Channel::Pitch,
        "pitch",
        "Nods the head: above 0 down, below up. At 0 it stays as the portrait has it",
    ),
    (
        Channel::Roll,
        "roll",
        "Tilts the head: above 0 clockwise as you see it, below the other way. At 0 it stays as the portrait has it",
    ),
    (
        Channel::GazeX,
        "x",
        "Moves both eyes: above 0 to the picture's right, below to its left. At 0 they look where the portrait looks",
    ),
    (
        Channel::GazeY,
        "y",
        "Moves both eyes: above 0 up, below down. At 0 they look where the portrait looks",
    ),
];

/// The slider of a value, for tests and the keyboard.
pub fn slider_id(value: Value) -> Id {
    Id::from(format!("slider-{}", key(value)))
}

/// The number field of a value.
pub fn field_id(value: Value) -> Id {
    Id::from(format!("field-{}", key(value)))
}

fn key(value: Value) -> String {
    match value {
        Value::Channel(channel) => channel.to_string(),
        Value::Strength => "strength".to_owned(),
    }
}

/// A number in the value's range.
fn parse(value: Value, text: &str) -> Option<f32> {
    decimal(text).filter(|number| value.range().contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_numbers_are_taken_only_when_they_are_in_range() {
        for value in [Value::Strength, ActionUnit::ALL[0].into()] {
            assert_eq!(parse(value, "0.5"), Some(0.5));
            assert_eq!(parse(value, " ,5 "), Some(0.5));
            for text in ["", "-0.1", "1.1", "NaN", "inf", "a"] {
                assert_eq!(parse(value, text), None, "{text}");
            }
        }
        let turn = Value::Channel(Channel::Yaw);
        assert_eq!(parse(turn, "-12,5"), Some(-12.5));
        for text in ["-20.1", "21", "12°", "NaN"] {
            assert_eq!(parse(turn, text), None, "{text}");
        }
    }
}
