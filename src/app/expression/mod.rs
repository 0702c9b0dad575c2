//! The panel on the left: sliders for the seventeen Action Units, head and eyes, overall strength and presets.

mod limits;
pub mod presets;
mod view;

pub use view::ExpressionViewData;

use std::ops::RangeInclusive;

use iced::widget::Id;

use presets::Presets;

use crate::app::strings::expression as strings;
use crate::app::widgets::format::decimal;
use crate::document::{
    ActionUnit, AuVector, Channel, Document, Gesture, Glasses, Limit, Pose, Preset, Project, Sides,
    SliderRange,
};

/// The panel's width, in logical pixels.
pub const WIDTH: f32 = 356.0;

/// A value that can be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The value of a slider.
    Channel(Channel),
    /// The strength, in 0..=1.
    Strength,
    /// The fold strength of the rig.
    Folds,
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
    /// The accepted values.
    fn range(self, reach: SliderRange) -> RangeInclusive<f32> {
        match self {
            Value::Channel(channel) => channel.limits(reach),
            Value::Strength => 0.0..=1.0,
            Value::Folds => Document::FOLDS,
        }
    }

    /// The number of decimal places shown.
    fn decimals(self) -> usize {
        match self {
            Value::Channel(channel) if channel.unit().is_none() => 1,
            _ => 2,
        }
    }

    /// The position of a number on its slider, from 0 to 1; outside that range if the number is out of the slider's range.
    fn share_of(self, number: f32, reach: SliderRange) -> f32 {
        let range = self.range(reach);
        (number - range.start()) / (range.end() - range.start())
    }

    /// The number at a position on its slider. Degrees and percents are rounded to tenths; Action Units with extended
    /// range to hundredths, so that exactly 0 and 1 can be reached.
    fn at(self, share: f32, reach: SliderRange) -> f32 {
        let range = self.range(reach);
        let number = range.start() + share * (range.end() - range.start());
        let steps = match self {
            Value::Channel(channel) if channel.unit().is_none() => 10.0,
            Value::Channel(_) if reach == SliderRange::Beyond => 100.0,
            _ => return number,
        };
        (number * steps).round() / steps
    }
}

#[derive(Debug, Default)]
pub struct Expression {
    presets: Presets,
    /// The text being typed into a number field, until it is a valid number.
    typing: Option<(Value, String)>,
    /// Which halves of the face the sliders move.
    sides: Sides,
    /// The range of the sliders.
    reach: SliderRange,
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
    /// Whether the frame of glasses stays rigid.
    Glasses(Glasses),
    /// Set the sliders to the portrait's expression.
    Own,
    /// Set every slider to zero: the relaxed face.
    Neutralise,
    /// Count the portrait's expression as relaxed.
    CountAsNeutral,
    /// Read the face against the relaxed face set earlier.
    Against,
    Sides(Sides),
    /// Extend the sliders beyond 0..=1, or stop that.
    Reach(SliderRange),
    /// What the edit is limited to.
    Limit(limits::Message),
    Presets(presets::Message),
}

/// What the parent must do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    None,
    Drag(Gesture, Change),
    Edit(Change),
    EndGesture,
    /// A number was entered.
    Leave,
    Focus(Id),
    /// Change the artist's presets on the disk.
    Store(presets::Change),
    /// Use the face as this person's relaxed one, also for other pictures.
    KeepNeutral,
    Against,
}

/// A change of the document that the panel requests.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Channel(Sides, Channel, f32),
    Strength(f32),
    /// `None` uses the strength measured from the portrait's skin.
    Folds(Option<f32>),
    Glasses(Glasses),
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
            Change::Folds(folds) => document.set_folds(folds),
            Change::Glasses(glasses) => document.glasses = glasses,
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
            presets: Presets::new(built_in, own),
            ..Self::default()
        }
    }

    /// Updates the list after a change of the presets was made on the disk.
    pub fn stored(&mut self, change: presets::Change) {
        self.presets.stored(change);
    }

    /// All presets, the built-in ones first.
    pub fn presets(&self) -> impl Iterator<Item = &Preset> {
        self.presets.all()
    }

    /// Makes the sliders move both halves, for a newly shown face.
    pub fn show_both(&mut self) {
        self.sides = Sides::Both;
    }

    /// The range of the sliders.
    pub fn reach(&self) -> SliderRange {
        self.reach
    }

    /// Sets the range of the sliders to that of a newly shown project.
    pub fn reach_as(&mut self, project: &Project) {
        self.reach = if project.is_usual() {
            SliderRange::Usual
        } else {
            SliderRange::Beyond
        };
    }

    /// Cancels typing; returns whether there was any.
    pub fn escape(&mut self) -> bool {
        self.typing.take().is_some() | self.presets.escape()
    }

    /// Whether a message ends the typing of a number, and with it a step of undo.
    pub fn ends_typing(&self, message: &Message) -> bool {
        self.typing.as_ref().is_some_and(
            |(typed, _)| !matches!(message, Message::Typed(value, _) if value == typed),
        )
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
                let number = parse(value, &text, self.reach);
                let auto = value == Value::Folds && text.trim().eq_ignore_ascii_case(strings::AUTO);
                self.typing = Some((value, text));
                match number {
                    Some(number) => self.drag(value, number),
                    None if auto => Action::Drag(Gesture::Folds, Change::Folds(None)),
                    None => Action::None,
                }
            }
            Message::Reset(Value::Channel(channel)) => {
                let own = Pose::from(document.source).get(channel);
                Action::Edit(Change::Channel(self.sides, channel, own))
            }
            Message::Reset(Value::Strength) => Action::Edit(Change::Strength(1.0)),
            Message::Reset(Value::Folds) => Action::Edit(Change::Folds(None)),
            Message::ResetAll => self.reset(document, frame, document.source),
            Message::Neutralise => self.reset(document, frame, AuVector::NEUTRAL),
            Message::CountAsNeutral => Action::KeepNeutral,
            Message::Against => Action::Against,
            Message::Glasses(glasses) => Action::Edit(Change::Glasses(glasses)),
            Message::Detail(detail) => Action::Edit(Change::Detail(detail)),
            Message::Own => Action::Edit(Change::Source(
                self.shown(document, frame).clamped_to_usual(),
            )),
            Message::Sides(sides) => {
                self.sides = sides;
                Action::None
            }
            Message::Reach(reach) => {
                self.reach = reach;
                Action::None
            }
            Message::Limit(message) => Action::Edit(Change::Limit(message.apply(document.limit))),
            Message::Presets(message) => {
                let pose = document.pose(frame);
                match self.presets.update(message, &pose) {
                    presets::Action::None => Action::None,
                    presets::Action::Focus(id) => Action::Focus(id),
                    presets::Action::Store(change) => Action::Store(change),
                    presets::Action::Choose(preset) => {
                        Action::Edit(Change::Pose(pose.with_units(self.sides, &preset)))
                    }
                }
            }
        }
    }

    /// Sets the chosen halves of the face to `aus`, with head and eyes as in the portrait.
    fn reset(&self, document: &Document, frame: u32, aus: AuVector) -> Action {
        let pose = document.pose(frame).facing_as_portrait();
        Action::Edit(Change::Pose(pose.with_all(self.sides, aus)))
    }

    /// The values the sliders show: the chosen half, or the mean of both.
    fn shown(&self, document: &Document, frame: u32) -> AuVector {
        let pose = document.pose(frame);
        ActionUnit::ALL
            .into_iter()
            .fold(AuVector::NEUTRAL, |aus, unit| {
                aus.with(unit, pose.of(self.sides, unit))
            })
    }

    fn drag(&self, value: Value, number: f32) -> Action {
        match value {
            Value::Channel(channel) => Action::Drag(
                Gesture::Slider(channel),
                Change::Channel(self.sides, channel, number),
            ),
            Value::Strength => Action::Drag(Gesture::Strength, Change::Strength(number)),
            Value::Folds => Action::Drag(Gesture::Folds, Change::Folds(Some(number))),
        }
    }
}

/// The widget id of a value's slider, for tests and the keyboard.
pub fn slider_id(value: Value) -> Id {
    Id::from(format!("slider-{}", key(value)))
}

/// The widget id of a value's number field.
pub fn field_id(value: Value) -> Id {
    Id::from(format!("field-{}", key(value)))
}

fn key(value: Value) -> String {
    match value {
        Value::Channel(channel) => channel.to_string(),
        Value::Strength => "strength".to_owned(),
        Value::Folds => "folds".to_owned(),
    }
}

/// Parses a number in the value's range.
fn parse(value: Value, text: &str, reach: SliderRange) -> Option<f32> {
    decimal(text).filter(|number| value.range(reach).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Crop, MediaSource, PortraitRef};

    #[test]
    fn typed_numbers_are_accepted_only_in_range() {
        let usual = |value, text| parse(value, text, SliderRange::Usual);
        for value in [Value::Strength, Value::Folds, ActionUnit::ALL[0].into()] {
            assert_eq!(usual(value, "0.5"), Some(0.5));
            assert_eq!(usual(value, " ,5 "), Some(0.5));
            for text in ["", "-0.1", "1.1", "NaN", "inf", "a"] {
                assert_eq!(usual(value, text), None, "{text}");
            }
        }
        let beyond = |value, text| parse(value, text, SliderRange::Beyond);
        assert_eq!(beyond(ActionUnit::ALL[0].into(), "1.5"), Some(1.5));
        assert_eq!(beyond(ActionUnit::ALL[0].into(), "-,5"), Some(-0.5));
        assert_eq!(beyond(ActionUnit::ALL[0].into(), "1.6"), None);
        assert_eq!(beyond(Value::Strength, "1.1"), None);
        let size = Value::Channel(Channel::Size);
        assert_eq!(usual(size, "140"), Some(140.0));
        assert_eq!((usual(size, "1.2"), usual(size, "141")), (None, None));
        let turn = Value::Channel(Channel::Yaw);
        for reach in [SliderRange::Usual, SliderRange::Beyond] {
            assert_eq!(parse(turn, "-12,5", reach), Some(-12.5));
            for text in ["-20.1", "21", "12°", "NaN"] {
                assert_eq!(parse(turn, text, reach), None, "{text}");
            }
        }
    }

    #[test]
    fn slider_positions_and_values_round_trip() {
        let unit = Value::from(ActionUnit::ALL[0]);
        assert_eq!(unit.at(0.37, SliderRange::Usual), 0.37);
        assert_eq!(unit.share_of(1.0, SliderRange::Beyond), 0.75);
        assert_eq!(unit.at(0.7501, SliderRange::Beyond), 1.0);
        assert_eq!(unit.at(0.0, SliderRange::Beyond), -0.5);
        assert_eq!(unit.share_of(1.5, SliderRange::Usual), 1.5);
        assert_eq!(
            Value::Channel(Channel::Yaw).at(1.0, SliderRange::Beyond),
            20.0
        );
    }

    #[test]
    fn a_project_with_values_beyond_the_usual_range_turns_the_switch_on() {
        let unit = ActionUnit::ALL[0];
        let mut panel = Expression::default();
        let portrait = PortraitRef {
            id: 0,
            name: String::new(),
            source: MediaSource::File("me.jpg".into()),
            width: 9,
            height: 9,
        };
        let mut document = Document::new(portrait, Crop::default(), AuVector::NEUTRAL);
        panel.reach_as(&Project::new(document.clone()));
        assert_eq!(panel.reach(), SliderRange::Usual);
        document.track.set_channel(3, unit, (0.2, 1.2));
        panel.reach_as(&Project::new(document.clone()));
        assert_eq!(panel.reach(), SliderRange::Beyond);
        // Presets and the portrait's expression stay in 0..=1, even with extended sliders.
        document.track = Default::default();
        document.set_channel(0, Sides::Both, unit, -0.4);
        let own = panel.update(Message::Own, &document, 0);
        assert_eq!(own, Action::Edit(Change::Source(AuVector::NEUTRAL)));
        let mut presets = |message| panel.update(Message::Presets(message), &document, 0);
        presets(presets::Message::Name);
        presets(presets::Message::Named("Odd".to_owned()));
        match presets(presets::Message::Keep) {
            Action::Store(presets::Change::Keep(preset)) => {
                assert_eq!(preset.pose, AuVector::NEUTRAL);
            }
            other => panic!("{other:?}"),
        }
    }
}
