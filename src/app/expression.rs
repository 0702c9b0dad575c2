//! The panel on the left: seventeen sliders, overall strength and presets.

use iced::widget::tooltip::Position;
use iced::widget::{
    Column, Id, Row, button, column, container, mouse_area, row, scrollable, space, text,
    text_input, toggler,
};
use iced::{Alignment, Element, Length};

use super::slider::Slider;
use super::theme;
use super::widgets::{action, decimal, hinted};
use crate::studio::{ActionUnit, AuVector, Document, Gesture, Group, Preset};

/// The panel's width, in logical pixels.
pub const WIDTH: f32 = 356.0;

/// A value that can be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    Unit(ActionUnit),
    Strength,
}

#[derive(Debug, Default)]
pub struct Expression {
    built_in: Vec<Preset>,
    own: Vec<Preset>,
    /// What is being typed into a number field, until it is a number.
    typing: Option<(Value, String)>,
    /// The name of the preset that is about to be kept.
    naming: Option<String>,
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
}

/// A change of the document that the panel asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Unit(ActionUnit, f32),
    Strength(f32),
    Pose(AuVector),
    Source(AuVector),
    Detail(bool),
}

impl Change {
    /// Applies the change at a frame of the track.
    pub fn apply(self, document: &mut Document, frame: u32) {
        match self {
            Change::Unit(unit, value) => document.set_au(frame, unit, value),
            Change::Strength(value) => document.strength = value,
            Change::Pose(pose) => document.set_pose(frame, pose),
            Change::Source(source) => document.source = source,
            Change::Detail(detail) => document.detail = detail,
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

    /// Leaves whatever is being typed; true when there was something.
    pub fn escape(&mut self) -> bool {
        self.typing.take().is_some() | self.naming.take().is_some()
    }

    pub fn update(&mut self, message: Message, document: &Document, frame: u32) -> Action {
        if !matches!(message, Message::Typed(..)) {
            self.typing = None;
        }
        match message {
            Message::Moved(value, number) => drag(value, number),
            Message::Released => Action::EndGesture,
            Message::Entered => Action::Leave,
            Message::Typed(value, text) => {
                let number = parse(&text);
                self.typing = Some((value, text));
                number.map_or(Action::None, |number| drag(value, number))
            }
            Message::Reset(Value::Unit(unit)) => {
                Action::Edit(Change::Unit(unit, document.source.get(unit)))
            }
            Message::Reset(Value::Strength) => Action::Edit(Change::Strength(1.0)),
            Message::ResetAll => Action::Edit(Change::Pose(document.source)),
            Message::Detail(detail) => Action::Edit(Change::Detail(detail)),
            Message::Chosen(pose) => Action::Edit(Change::Pose(pose)),
            Message::Own => Action::Edit(Change::Source(document.pose(frame))),
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
                    aus: document.pose(frame),
                }),
                _ => Action::None,
            },
        }
    }

    pub fn view<'a>(&'a self, document: &'a Document, frame: u32) -> Element<'a, Message> {
        let pose = document.pose(frame);
        let header = row![
            text("Expression").size(theme::LARGE),
            space::horizontal(),
            hinted(
                action("Set as own", Some(Message::Own)),
                "What the sliders show now is what the portrait itself shows: the ticks move here",
                Position::Bottom,
            ),
            hinted(
                action("Reset all", Some(Message::ResetAll)),
                "Every slider back to the portrait's own expression (R)",
                Position::Bottom,
            ),
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center);

        let strength = self.line(
            text("Strength").size(theme::NORMAL).into(),
            Value::Strength,
            document.strength,
            1.0,
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
                        .color(theme::DIM)
                        .width(40),
                    text(unit.name())
                        .size(theme::NORMAL)
                        .wrapping(text::Wrapping::None),
                ]
                .align_y(Alignment::Center);
                self.line(
                    label.into(),
                    Value::Unit(unit),
                    pose.get(unit),
                    document.source.get(unit),
                )
            });
            column![text(group.title()).size(theme::SMALL).color(theme::DIM)]
                .extend(lines)
                .spacing(1)
                .into()
        });
        let sliders = scrollable(
            Column::with_children(groups)
                .spacing(theme::SPACE)
                .padding([0.0, theme::SPACE]),
        )
        .height(Length::Fill)
        .style(theme::scroll);

        let top = column![header, strength, detail]
            .spacing(theme::GAP)
            .padding([0.0, theme::SPACE]);
        container(column![top, sliders, self.presets(pose)].spacing(theme::SPACE))
            .padding([theme::SPACE, 0.0])
            .width(WIDTH)
            .height(Length::Fill)
            .style(theme::panel)
            .into()
    }

    /// Label, slider and number of one value.
    fn line<'a>(
        &'a self,
        label: Element<'a, Message>,
        value: Value,
        number: f32,
        own: f32,
    ) -> Element<'a, Message> {
        let slider = Slider {
            value: number,
            own,
            on_change: Box::new(move |number| Message::Moved(value, number)),
            on_release: Message::Released,
            on_reset: Message::Reset(value),
        };
        let typed = match &self.typing {
            Some((typing, text)) if *typing == value => text.clone(),
            _ => format!("{number:.2}"),
        };
        let entry = text_input("0.00", &typed)
            .id(field_id(value))
            .on_input(move |text| Message::Typed(value, text))
            .on_submit(Message::Entered)
            .size(theme::SMALL)
            .font(theme::FIGURES)
            .padding([2, 5])
            .width(46)
            .style(theme::field);
        row![
            mouse_area(container(label).width(172)).on_double_click(Message::Reset(value)),
            container(slider.into_element()).id(slider_id(value)),
            entry,
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center)
        .into()
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
                text("Presets").size(theme::SMALL).color(theme::DIM),
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
        Value::Unit(unit) => unit.to_string(),
        Value::Strength => "strength".to_owned(),
    }
}

fn drag(value: Value, number: f32) -> Action {
    match value {
        Value::Unit(unit) => Action::Drag(Gesture::Slider(unit), Change::Unit(unit, number)),
        Value::Strength => Action::Drag(Gesture::Strength, Change::Strength(number)),
    }
}

/// A number from 0 to 1.
fn parse(text: &str) -> Option<f32> {
    decimal(text).filter(|number| (0.0..=1.0).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_numbers_are_taken_only_when_they_are_in_range() {
        assert_eq!(parse("0.5"), Some(0.5));
        assert_eq!(parse(" ,5 "), Some(0.5));
        for text in ["", "-0.1", "1.1", "NaN", "inf", "a"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
