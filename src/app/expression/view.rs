//! What the panel looks like.

use iced::widget::tooltip::Position;
use iced::widget::{Column, Row, button, column, container, row, scrollable, space, text, toggler};
use iced::{Alignment, Element, Length};

use crate::app::expression::{Expression, Message, Value, WIDTH, field_id, limits, slider_id};
use crate::app::widgets::controls::{action, hinted};
use crate::app::widgets::slider::Slider;
use crate::app::widgets::theme;
use crate::app::widgets::value_slider::ValueSlider;
use crate::document::{Channel, Document, Group, Pose, Sides};
use crate::methods::MethodInfo;

impl Expression {
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
        container(
            column![top, sliders, self.presets.view(&pose).map(Message::Presets)]
                .spacing(theme::SPACE),
        )
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
}

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
