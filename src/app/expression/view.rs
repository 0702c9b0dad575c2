//! Layout of the expression panel.

use iced::widget::tooltip::Position;
use iced::widget::{Column, Row, button, column, container, row, scrollable, space, text, toggler};
use iced::{Alignment, Element, Length};

use crate::app::expression::{
    AUTO, Expression, Message, Value, WIDTH, field_id, limits, slider_id,
};
use crate::app::widgets::controls::{action, hinted, toggle};
use crate::app::widgets::slider::Slider;
use crate::app::widgets::theme;
use crate::app::widgets::value_slider::ValueSlider;
use crate::document::{Channel, Document, Glasses, Group, Pose, Sides, SliderRange};
use crate::methods::MethodInfo;

/// Everything that the panel shows.
#[derive(Debug, Clone, Copy)]
pub struct ExpressionViewData<'a, 'd> {
    pub document: &'a Document,
    /// The frame of the track.
    pub frame: u32,
    /// Tooltip of the button that reads the face against this person's relaxed face in another picture, if there is one.
    pub neutral: Option<&'a str>,
    /// The methods that draw the panes.
    pub drawing: &'d [&'static MethodInfo],
    /// The fold strength measured from the portrait's skin, once known.
    pub measured_folds: Option<f32>,
}

impl ExpressionViewData<'_, '_> {
    /// Returns the first drawing method if none of them can do `can`.
    fn none_can(&self, can: impl Fn(&MethodInfo) -> bool) -> Option<&'static MethodInfo> {
        let first = self.drawing.first().copied();
        first.filter(|_| !self.drawing.iter().any(|info| can(info)))
    }
}

impl Expression {
    pub fn view<'a>(&'a self, shown: ExpressionViewData<'a, '_>) -> Element<'a, Message> {
        let ExpressionViewData {
            document,
            frame,
            neutral,
            ..
        } = shown;
        let keeps_head = shown.none_can(|info| info.draws_head);
        let keeps_within = shown.none_can(|info| info.overshoots);
        let keeps_within = keeps_within.filter(|_| self.reach == SliderRange::Beyond);
        let keeps_within = keeps_within.map(|info| {
            text(format!("{} draws Action Units from 0 to 1.", info.title))
                .size(theme::SMALL)
                .style(theme::faint)
        });
        let pose = document.pose(frame);
        let values = self.shown(document, frame);
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
                .style(theme::dim),
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
        let bends = shown.drawing.iter().any(|info| info.draws_folds);
        let folds = bends.then(|| self.folds(document, shown.measured_folds));
        let drawing = column![text("Drawing").size(theme::SMALL).style(theme::dim)]
            .push(folds)
            .push(bends.then(|| glasses(document.glasses)))
            .push(detail(document.detail))
            .spacing(theme::GAP);

        let groups = Group::ALL.map(|group| {
            let lines = group.units().map(|unit| {
                let label = row![
                    text(unit.to_string())
                        .size(theme::SMALL)
                        .font(theme::FIGURES)
                        .style(theme::dim)
                        .width(40),
                    text(unit.name())
                        .size(theme::NORMAL)
                        .wrapping(text::Wrapping::None),
                ]
                .align_y(Alignment::Center);
                self.line(
                    label.into(),
                    unit.into(),
                    values.get(unit),
                    document.source.get(unit),
                    Some((pose.left.get(unit), pose.right.get(unit))),
                )
            });
            column![text(group.title()).size(theme::SMALL).style(theme::dim)]
                .extend(lines)
                .spacing(1)
                .into()
        });
        let sliders = scrollable(
            Column::with_children(groups)
                .push(self.head_and_eyes(&pose, keeps_head))
                .push(drawing)
                .spacing(theme::SPACE)
                .padding([0.0, theme::SPACE]),
        )
        .height(Length::Fill)
        .style(theme::scroll);

        let top = column![
            header,
            own,
            strength,
            self.halves(),
            limits::limits(document).map(Message::Limit)
        ]
        .push(keeps_within)
        .spacing(theme::GAP)
        .padding([0.0, theme::SPACE]);
        let presets = self.presets.view(&pose).map(Message::Presets);
        container(column![top, sliders, presets].spacing(theme::SPACE))
            .padding([theme::SPACE, 0.0])
            .width(WIDTH)
            .height(Length::Fill)
            .style(theme::panel)
            .into()
    }

    /// The fold strength: a number, or measured from the portrait's skin.
    fn folds(&self, document: &Document, own: Option<f32>) -> Element<'_, Message> {
        // An adult's skin is assumed until the portrait has been measured.
        let own = own.unwrap_or(*Document::FOLDS.end());
        let label = hinted(
            text("Folds").size(theme::NORMAL),
            "How strongly folds are drawn where the face moves: 0 for a child's smooth skin, 1 for most adults'. The tick is what this portrait's own skin shows; a double-click leaves it to that (auto)",
            Position::Bottom,
        );
        let line = self.value_line(
            label,
            Value::Folds,
            document.folds.unwrap_or(own),
            own,
            None,
        );
        let auto = document.folds.is_none() && line.typing.is_none();
        ValueSlider {
            typing: if auto { Some(AUTO) } else { line.typing },
            ..line
        }
        .into_element()
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
                    .style(theme::dim)
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
        // Last, so that nothing else moves when it appears or disappears.
        let note = keeps_head.map(|info| {
            text(format!(
                "{} can't turn the head or move the eyes.",
                info.title
            ))
            .size(theme::SMALL)
            .style(theme::faint)
        });
        column![
            text("Head and eyes, in degrees")
                .size(theme::SMALL)
                .style(theme::dim)
        ]
        .extend(lines)
        .push(note)
        .spacing(1)
        .into()
    }

    /// Which halves of the face the sliders move.
    fn halves(&self) -> Element<'_, Message> {
        let choices = choices(Sides::ALL, self.sides, Sides::title, Message::Sides);
        row![
            hinted(
                container(text("Sliders move").size(theme::SMALL).style(theme::dim)).width(76),
                "An Action Unit moves both halves of a face alike. Choose a half, left or right as you see it, to raise one brow, or smile on one side; the halves are joined softly along the middle",
                Position::Bottom,
            ),
            choices,
            space::horizontal(),
            self.beyond(),
        ]
        .align_y(Alignment::Center)
        .into()
    }

    /// The switch that extends the sliders beyond 0..=1.
    fn beyond(&self) -> Element<'_, Message> {
        let on = self.reach == SliderRange::Beyond;
        let next = if on {
            SliderRange::Usual
        } else {
            SliderRange::Beyond
        };
        hinted(
            toggle("Beyond range", on, Message::Reach(next)),
            "Action Units go from -0.5, the opposite of the movement, to 1.5, more than a face can: for caricature and cartoons. The rig draws it; GANimation stays between 0 and 1",
            Position::Bottom,
        )
    }

    /// Label, slider and number field of one value.
    fn line<'a>(
        &'a self,
        label: Element<'a, Message>,
        value: Value,
        number: f32,
        own: f32,
        halves: Option<(f32, f32)>,
    ) -> Element<'a, Message> {
        self.value_line(label, value, number, own, halves)
            .into_element()
    }

    fn value_line<'a>(
        &'a self,
        label: Element<'a, Message>,
        value: Value,
        number: f32,
        own: f32,
        halves: Option<(f32, f32)>,
    ) -> ValueSlider<'a, Message> {
        let reach = self.reach;
        let share = |number| value.share_of(number, reach);
        let slider = Slider {
            value: share(number),
            own: share(own),
            marks: (share(0.0) > 0.0 && halves.is_some()).then(|| [0.0, 1.0].map(share)),
            halves: halves
                .filter(|(left, right)| left != right)
                .map(|(left, right)| (share(left), share(right))),
            on_change: Box::new(move |share| Message::Moved(value, value.at(share, reach))),
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
    }
}

/// The sliders of head and eyes: channel, axis and tooltip.
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

/// Whether the portrait's fine detail is laid over what a network draws softly.
fn detail<'a>(on: bool) -> Element<'a, Message> {
    toggler(on)
        .label("Keep the portrait's fine detail")
        .on_toggle(Message::Detail)
        .size(15)
        .text_size(theme::NORMAL)
        .spacing(8)
        .into()
}

/// The choice whether glasses stay rigid while the face behind them moves.
fn glasses<'a>(chosen: Glasses) -> Element<'a, Message> {
    let choices = choices(Glasses::ALL, chosen, Glasses::title, Message::Glasses);
    row![
        hinted(
            container(text("Glasses").size(theme::NORMAL)).width(76),
            "The frame of glasses stays rigid while brows and cheeks move behind it. Auto: where the portrait seems to show glasses. Choose Rigid where they bend, Bend where none are worn and a part of the face doesn't move",
            Position::Bottom,
        ),
        choices,
    ]
    .align_y(Alignment::Center)
    .into()
}

/// A button for each value, of which the chosen one is highlighted.
fn choices<'a, T: Copy + PartialEq, const N: usize>(
    values: [T; N],
    chosen: T,
    title: impl Fn(T) -> &'static str,
    message: impl Fn(T) -> Message,
) -> Row<'a, Message> {
    let buttons = values.map(|value| {
        button(text(title(value)).size(theme::SMALL))
            .on_press(message(value))
            .padding([3, 12])
            .style(theme::toggled(chosen == value))
            .into()
    });
    Row::with_children(buttons).spacing(4)
}
