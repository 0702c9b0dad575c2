//! Layout of the expression panel.

use iced::widget::tooltip::Position;
use iced::widget::{Column, Row, button, column, container, row, scrollable, space, text, toggler};
use iced::{Alignment, Element, Length};

use crate::app::expression::{Expression, Message, Value, WIDTH, field_id, limits, slider_id};
use crate::app::strings::{common, expression as strings};
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
            text(strings::no_wide_range(info.title))
                .size(theme::SMALL)
                .style(theme::faint)
        });
        let pose = document.pose(frame);
        let values = self.shown(document, frame);
        let header = row![
            text(strings::TITLE).size(theme::LARGE),
            space::horizontal(),
            hinted(
                action(strings::NEUTRALISE, Some(Message::Neutralise)),
                strings::NEUTRALISE_HINT,
                Position::Bottom,
            ),
            hinted(
                action(strings::RESET_ALL, Some(Message::ResetAll)),
                strings::RESET_ALL_HINT,
                Position::Bottom,
            ),
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center);
        let against = neutral.map(|name| {
            hinted(
                action(strings::USE_NEUTRAL, Some(Message::Against)),
                name,
                Position::Bottom,
            )
        });
        let own = match neutral {
            Some(_) => strings::OWN_SHORT,
            None => strings::OWN,
        };
        let own = row![
            text(own).size(theme::SMALL).style(theme::dim),
            space::horizontal(),
        ]
        .push(against)
        .push(hinted(
            action(strings::SET_AS_NEUTRAL, Some(Message::CountAsNeutral)),
            strings::SET_AS_NEUTRAL_HINT,
            Position::Bottom,
        ))
        .push(hinted(
            action(strings::SET_AS_OWN, Some(Message::Own)),
            strings::SET_AS_OWN_HINT,
            Position::Bottom,
        ))
        .spacing(theme::GAP)
        .align_y(Alignment::Center);

        let strength = self.line(
            text(common::STRENGTH).size(theme::NORMAL).into(),
            Value::Strength,
            document.strength,
            1.0,
            None,
        );
        let bends = shown.drawing.iter().any(|info| info.draws_folds);
        let folds = bends.then(|| self.folds(document, shown.measured_folds));
        let drawing = column![
            text(strings::RENDERING)
                .size(theme::SMALL)
                .style(theme::dim)
        ]
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
            text(strings::FOLDS).size(theme::NORMAL),
            strings::FOLDS_HINT,
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
            typing: if auto {
                Some(strings::AUTO)
            } else {
                line.typing
            },
            ..line
        }
        .into_element()
    }

    /// The sliders that turn, move and scale the head and move the eyes.
    fn head_and_eyes(
        &self,
        pose: &Pose,
        keeps_head: Option<&'static MethodInfo>,
    ) -> Element<'_, Message> {
        let line = |(channel, axis, hint): (Channel, &'static str, &'static str)| {
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
                channel.neutral(),
                None,
            )
        };
        let heading = |title| text(title).size(theme::SMALL).style(theme::dim);
        // Last, so that nothing else moves when it appears or disappears.
        let note = keeps_head.map(|info| {
            text(strings::no_head(info.title))
                .size(theme::SMALL)
                .style(theme::faint)
        });
        column![heading(strings::HEAD_AND_EYES)]
            .extend(ANGLES.map(line))
            .push(heading(strings::PLACE_AND_SIZE))
            .extend(PLACE.map(line))
            .push(note)
            .spacing(1)
            .into()
    }

    /// Which halves of the face the sliders move.
    fn halves(&self) -> Element<'_, Message> {
        let choices = choices(Sides::ALL, self.sides, Sides::title, Message::Sides);
        row![
            hinted(
                container(text(strings::SIDE).size(theme::SMALL).style(theme::dim)).width(76),
                strings::SIDE_HINT,
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
            toggle(strings::WIDE_RANGE, on, Message::Reach(next)),
            strings::WIDE_RANGE_HINT,
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

/// The sliders of the head's place and size: channel, axis and tooltip.
const PLACE: [(Channel, &str, &str); Channel::PLACE.len()] = [
    (Channel::PlaceX, strings::PLACE_X, strings::PLACE_X_HINT),
    (Channel::PlaceY, strings::PLACE_Y, strings::PLACE_Y_HINT),
    (Channel::Size, strings::SIZE, strings::SIZE_HINT),
];

/// The sliders of the angles of head and eyes: channel, axis and tooltip.
const ANGLES: [(Channel, &str, &str); Channel::ANGLES.len()] = [
    (Channel::Yaw, strings::YAW, strings::YAW_HINT),
    (Channel::Pitch, strings::PITCH, strings::PITCH_HINT),
    (Channel::Roll, strings::ROLL, strings::ROLL_HINT),
    (Channel::GazeX, strings::GAZE_X, strings::GAZE_X_HINT),
    (Channel::GazeY, strings::GAZE_Y, strings::GAZE_Y_HINT),
];

/// Whether the portrait's fine detail is laid over what a network draws softly.
fn detail<'a>(on: bool) -> Element<'a, Message> {
    toggler(on)
        .label(strings::DETAIL)
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
            container(text(strings::GLASSES).size(theme::NORMAL)).width(76),
            strings::GLASSES_HINT,
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
