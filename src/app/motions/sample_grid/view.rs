//! Layout of the controls.

use iced::widget::tooltip::Position;
use iced::widget::{
    Id, Row, button, column, container, mouse_area, pick_list, row, scrollable, space, stack, text,
    text_input,
};
use iced::{Alignment, Element, Length};

use crate::app::strings::{common, sample_grid as strings};
use crate::app::widgets::controls::{action, hinted};
use crate::app::widgets::format::short;
use crate::app::widgets::icon::Icon;
use crate::app::widgets::signs::Sign;
use crate::app::widgets::slider::Slider;
use crate::app::widgets::theme::{self, Tint};
use crate::document::{Category, Follow, Playback, SampledMotion};

use super::{Field, Message, SampleGrid, WIDTH};

/// The width inside the panel's padding.
pub const INNER: f32 = WIDTH - 2.0 * theme::SPACE;

/// Sides of the large picture and of a favourite; six favourites fit in a row.
const PICTURE: f32 = 204.0;
const FAVOURITE: f32 = 40.0;

/// The column of labels before the values.
const WORDS: f32 = 66.0;

/// A category in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Choice(Category);

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let title = self.0.title();
        let mut letters = title.chars();
        let first = letters.next().map(char::to_uppercase);
        first
            .into_iter()
            .flatten()
            .try_for_each(|c| write!(f, "{c}"))?;
        f.write_str(letters.as_str())
    }
}

impl SampleGrid {
    /// The panel without the neighbours, for the column of the chosen motion.
    pub fn view<'a>(&'a self, motion: &'a SampledMotion) -> Element<'a, Message> {
        let controls = column![
            self.controls(motion),
            self.favourites(motion),
            self.blend(motion),
        ]
        .spacing(theme::SPACE)
        .padding(theme::SPACE);
        container(scrollable(controls).style(theme::scroll))
            .width(WIDTH)
            .height(Length::Fill)
            .style(theme::panel)
            .into()
    }

    pub(super) fn controls<'a>(&'a self, motion: &'a SampledMotion) -> Element<'a, Message> {
        column![
            self.picture(motion),
            self.parts(motion),
            self.values(motion),
        ]
        .push(
            self.problem
                .as_ref()
                .map(|problem| text(problem).size(theme::SMALL).style(theme::danger)),
        )
        .spacing(theme::SPACE)
        .width(INNER)
        .into()
    }

    /// The playing picture, and the commands on the whole sample.
    fn picture<'a>(&'a self, motion: &'a SampledMotion) -> Element<'a, Message> {
        let big = |sign: Sign, hint, tint: Tint, message| {
            let face = container(sign.into_element(tint)).center(Length::Fill);
            let button = button(face)
                .on_press_maybe(message)
                .width(Length::Fill)
                .height(44)
                .padding(0)
                .style(theme::raised);
            hinted(button, hint, Position::Left)
        };
        let kept =
            super::change::blended(motion).is_some_and(|shown| motion.favourites.contains(&shown));
        let heart: Tint = if kept {
            |colors| colors.accent
        } else {
            |colors| colors.text
        };
        let open = (!self.open).then(|| {
            big(
                Sign::Grid,
                strings::VARIATIONS_HINT,
                |colors| colors.text,
                Some(Message::Open),
            )
        });
        let side = column![
            container(big(
                Sign::Heart,
                strings::ADD_FAVOURITE_HINT,
                heart,
                (!kept).then_some(Message::Keep),
            ))
            .id(id("keep"))
        ]
        .push(open.map(|open| container(open).id(id("open"))))
        .spacing(theme::GAP)
        .width(Length::Fill);

        let both = !(motion.hold_content && motion.hold_motion);
        let tint: Tint = if both {
            |colors| colors.ground
        } else {
            |colors| colors.faint
        };
        let words = row![
            Sign::Die.into_element(tint),
            text(strings::ROLL_BOTH).size(theme::NORMAL)
        ]
        .spacing(8)
        .align_y(Alignment::Center);
        let roll = button(container(words).center_x(Length::Fill))
            .on_press_maybe(both.then_some(Message::RollBoth))
            .width(Length::Fill)
            .padding([7, 16])
            .style(theme::primary);
        column![
            row![self.preview(self.previews.large(), PICTURE, motion), side].spacing(theme::GAP),
            container(hinted(roll, strings::ROLL_BOTH_HINT, Position::Bottom)).id(id("roll")),
        ]
        .spacing(theme::GAP)
        .into()
    }

    /// Content and motion, each with a seed, a die and a lock.
    fn parts<'a>(&'a self, motion: &'a SampledMotion) -> Element<'a, Message> {
        let line = |sign: Sign,
                    words,
                    field,
                    seed: Option<u64>,
                    roll,
                    held: bool,
                    hold,
                    hints: [&'a str; 2]| {
            let shown = seed.map_or_else(String::new, |seed| seed.to_string());
            let seed = self.entry(field, shown, strings::NO_SEED, !held, Length::Fill);
            let (lock, lock_tint): (Sign, Tint) = if held {
                (Sign::Locked, |colors| colors.accent)
            } else {
                (Sign::Unlocked, |colors| colors.dim)
            };
            let lock = small(lock, lock_tint, theme::toggled(held), Some(hold));
            let die_tint: Tint = if held {
                |colors| colors.faint
            } else {
                |colors| colors.text
            };
            let die = small(Sign::Die, die_tint, theme::raised, (!held).then_some(roll));
            let name = row![sign.into_element(|colors| colors.dim), label(words)]
                .spacing(theme::GAP)
                .align_y(Alignment::Center)
                .width(WORDS + 16.0);
            row![
                name,
                seed,
                container(hinted(die, hints[0], Position::Bottom)).id(key("die", field)),
                container(hinted(lock, hints[1], Position::Bottom)).id(key("lock", field)),
            ]
            .spacing(theme::GAP)
            .align_y(Alignment::Center)
        };
        column![
            line(
                Sign::Person,
                strings::PERSON,
                Field::ContentSeed,
                motion.single_content_seed(),
                Message::RollContent,
                motion.hold_content,
                Message::HoldContent(!motion.hold_content),
                [strings::ROLL_PERSON_HINT, strings::LOCK_PERSON_HINT],
            ),
            line(
                Sign::Movement,
                strings::MOVEMENT,
                Field::MotionSeed,
                motion.single_motion_seed(),
                Message::RollMotion,
                motion.hold_motion,
                Message::HoldMotion(!motion.hold_motion),
                [strings::ROLL_MOVEMENT_HINT, strings::LOCK_MOVEMENT_HINT],
            ),
        ]
        .spacing(theme::GAP)
        .into()
    }

    fn values<'a>(&'a self, motion: &'a SampledMotion) -> Element<'a, Message> {
        let category = motion.codes.category.map(|chosen| {
            let of = chosen.of;
            let all: Vec<Choice> = (0..of)
                .map(|index| Choice(Category { index, of }))
                .collect();
            let list = pick_list(all, Some(Choice(chosen)), |choice| {
                Message::Category(choice.0.index)
            });
            let list = list
                .width(Length::Fill)
                .text_size(theme::SMALL)
                .padding([4, 8])
                .style(theme::choice(chosen.index));
            line(strings::CATEGORY, container(list).id(id("category")).into())
        });
        let frames = motion.codes.frames().to_string();
        let length = row![
            self.entry(Field::Length, frames, "16", true, 52.into()),
            label(strings::FRAMES),
            self.entry(Field::Fps, short(motion.fps), "8", true, 44.into()),
            label(common::FPS),
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center);
        let index = Playback::ALL
            .iter()
            .position(|playback| *playback == motion.playback);
        let playback = pick_list(Playback::ALL, Some(motion.playback), Message::Playback)
            .width(Length::Fill)
            .text_size(theme::SMALL)
            .padding([4, 8])
            .style(theme::choice(index.unwrap_or(0)));
        let most = *Follow::STRENGTH.end();
        let strength = Slider {
            value: motion.follow.strength / most,
            own: 1.0 / most,
            marks: None,
            halves: None,
            on_change: Box::new(move |value| Message::Strength(value * most)),
            on_release: Message::Released,
            on_reset: Message::ResetStrength,
        };
        let number = format!("{:.2}", motion.follow.strength);
        let strength = row![
            container(strength.into_element()).id(id("strength")),
            self.entry(Field::Strength, number, "1.00", true, 46.into()),
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center);
        column![]
            .push(category)
            .push(line(strings::LENGTH, length.into()))
            .push(line(common::PLAYBACK, playback.into()))
            .push(line(common::STRENGTH, strength.into()))
            .spacing(theme::GAP)
            .into()
    }

    pub(super) fn favourites<'a>(&'a self, motion: &'a SampledMotion) -> Element<'a, Message> {
        let one = |index: usize| -> Element<'a, Message> {
            let face = button(self.preview(self.previews.favourite(index), FAVOURITE, motion))
                .on_press(Message::Favourite(index))
                .padding(0)
                .style(theme::flat);
            let cross = (self.over == Some(index)).then(|| {
                let cross = button(Sign::Cross.into_element(|colors| colors.text))
                    .on_press(Message::Drop(index))
                    .padding(0)
                    .style(theme::raised);
                container(cross).align_right(FAVOURITE)
            });
            let both = mouse_area(stack![face].push(cross))
                .on_right_press(Message::Drop(index))
                .on_enter(Message::Over(Some(index)))
                .on_exit(Message::Over(None));
            container(both).id(numbered("favourite", index)).into()
        };
        let gap = (INNER - 6.0 * FAVOURITE) / 5.0;
        let all: Element<'a, Message> = if motion.favourites.is_empty() {
            text(strings::NO_FAVOURITES)
                .size(theme::SMALL)
                .style(theme::faint)
                .into()
        } else {
            Row::with_children((0..motion.favourites.len()).map(one))
                .spacing(gap)
                .wrap()
                .vertical_spacing(gap)
                .into()
        };
        column![label(strings::FAVOURITES), all]
            .spacing(theme::GAP)
            .into()
    }

    /// The blend towards another sample.
    pub(super) fn blend<'a>(&'a self, motion: &'a SampledMotion) -> Element<'a, Message> {
        let head = |button: Element<'a, Message>| {
            row![label(strings::BLEND), space::horizontal(), button]
                .spacing(theme::GAP)
                .align_y(Alignment::Center)
        };
        if self.picking {
            let cancel = action(common::CANCEL, Some(Message::Pick(false)));
            let words = text(strings::PICK).size(theme::SMALL).style(theme::accent);
            return column![head(cancel), words].spacing(theme::GAP).into();
        }
        let pick = action(strings::BLEND_WITH, Some(Message::Pick(true)));
        if motion.towards.is_none() {
            return head(container(pick).id(id("towards")).into()).into();
        }
        let way = Slider {
            value: motion.blend_weight,
            own: 0.0,
            marks: None,
            halves: None,
            on_change: Box::new(Message::BlendWeight),
            on_release: Message::Released,
            on_reset: Message::ResetBlendWeight,
        };
        let keep = action(
            strings::APPLY,
            (motion.blend_weight > 0.0).then_some(Message::KeepBlend),
        );
        let none = action(strings::CLEAR, Some(Message::NoBlend));
        let buttons =
            row![hinted(keep, strings::APPLY_HINT, Position::Top), pick, none].spacing(theme::GAP);
        let towards = row![
            container(way.into_element()).id(id("way")),
            text(format!("{:.2}", motion.blend_weight))
                .size(theme::SMALL)
                .font(theme::FIGURES)
                .style(theme::dim),
            self.preview(self.previews.towards(), FAVOURITE, motion),
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center);
        column![head(buttons.into()), towards]
            .spacing(theme::GAP)
            .into()
    }

    /// A number field.
    fn entry<'a>(
        &'a self,
        field: Field,
        number: String,
        empty: &'a str,
        open: bool,
        width: Length,
    ) -> Element<'a, Message> {
        let entry = text_input(empty, &self.text_of(field, number))
            .id(key("field", field))
            .size(theme::SMALL)
            .font(theme::FIGURES)
            .padding([4, 6])
            .width(width)
            .style(theme::field);
        if open {
            entry
                .on_input(move |text| Message::Typed(field, text))
                .on_submit(Message::Entered)
                .into()
        } else {
            entry.into()
        }
    }
}

fn small<'a>(
    sign: Sign,
    tint: Tint,
    style: impl Fn(&iced::Theme, button::Status) -> button::Style + 'a,
    message: Option<Message>,
) -> Element<'a, Message> {
    button(sign.into_element(tint))
        .on_press_maybe(message)
        .padding(5)
        .style(style)
        .into()
}

fn label<'a>(words: &'a str) -> Element<'a, Message> {
    text(words).size(theme::SMALL).style(theme::dim).into()
}

fn line<'a>(words: &'a str, value: Element<'a, Message>) -> Element<'a, Message> {
    row![container(label(words)).width(WORDS + 16.0), value]
        .spacing(theme::GAP)
        .align_y(Alignment::Center)
        .into()
}

/// The id of a widget of the grid, for tests.
pub(super) fn id(name: &str) -> Id {
    Id::from(format!("board-{name}"))
}

pub(super) fn key(name: &str, field: Field) -> Id {
    id(&format!("{name}-{field:?}"))
}

pub(super) fn numbered(name: &str, index: usize) -> Id {
    id(&format!("{name}-{index}"))
}
