//! The list of motions: what can drive the portrait, which one is chosen, and the state of each.

use iced::widget::tooltip::Position;
use iced::widget::{
    Column, button, column, container, mouse_area, progress_bar, row, space, text, text_input,
};
use iced::{Alignment, Element, Length, border};

use crate::app::strings::{common, motions as strings};
use crate::app::widgets::controls::{action, hinted};
use crate::app::widgets::icon::{Icon, SIDE};
use crate::app::widgets::theme::{self, Tint};
use crate::document::{Motion, MotionId, MotionKind, Project};
use crate::progress::Progress;

use super::glyphs::Glyph;

/// The id of the field for a motion's name.
pub const NAME: &str = "motion-name";

/// The state of a motion.
#[derive(Debug, Clone)]
pub enum MotionState {
    Ready {
        frames: usize,
        fps: f64,
    },
    Reading(Progress),
    /// Why it can't be used, in a few words.
    Problem(String),
    /// The name of its file, which is missing.
    Missing(String),
}

/// A kind of motion that can be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewMotion {
    Track,
    Clip,
    SampleClip,
    Sample,
}

impl NewMotion {
    const ALL: [NewMotion; 4] = [
        NewMotion::Track,
        NewMotion::Clip,
        NewMotion::SampleClip,
        NewMotion::Sample,
    ];

    fn title(self) -> &'static str {
        match self {
            NewMotion::Track => strings::TRACK,
            NewMotion::Clip => strings::CLIP,
            NewMotion::SampleClip => strings::SAMPLE_CLIP,
            NewMotion::Sample => strings::SAMPLE,
        }
    }

    fn glyph(self) -> Glyph {
        match self {
            NewMotion::Track => Glyph::Track,
            NewMotion::Clip | NewMotion::SampleClip => Glyph::Clip,
            NewMotion::Sample => Glyph::Sample,
        }
    }
}

#[derive(Debug, Default)]
pub struct MotionList {
    renaming: Option<Renaming>,
    /// Whether the choices for adding a motion are shown.
    adding: bool,
    /// The motion under the cursor.
    over: Option<MotionId>,
}

#[derive(Debug)]
struct Renaming {
    id: MotionId,
    /// The name before renaming.
    before: String,
    typed: String,
}

#[derive(Debug, Clone)]
pub enum Message {
    Chosen(MotionId),
    Entered(MotionId),
    Left(MotionId),
    /// Start renaming a motion that has this name.
    Rename(MotionId, String),
    Typed(String),
    Submitted,
    AddToggled,
    Added(NewMotion),
    Duplicated(MotionId),
    Removed(MotionId),
    Located(MotionId),
    Cancelled(MotionId),
}

/// What the parent must do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    None,
    Choose(MotionId),
    Add(NewMotion),
    /// Rename, sent for every letter typed: one gesture, until [`Action::Leave`] or [`MotionList::escape`].
    Rename(MotionId, String),
    /// Focus the field of this id and select its text.
    Focus(&'static str),
    Duplicate(MotionId),
    Remove(MotionId),
    /// Look for a missing file.
    Locate(MotionId),
    CancelReading(MotionId),
    /// A name was entered: return the keyboard to the window, and end the gesture.
    Leave,
}

impl MotionList {
    /// Cancels renaming and restores the name, or closes the choices for adding a motion; `None` if neither was open.
    pub fn escape(&mut self) -> Option<Action> {
        let renaming = self.renaming.take();
        let action = renaming.map(|renaming| Action::Rename(renaming.id, renaming.before));
        let was_adding = std::mem::take(&mut self.adding);
        action.or(was_adding.then_some(Action::None))
    }

    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Entered(id) => {
                self.over = Some(id);
                return Action::None;
            }
            Message::Left(id) => {
                self.over = self.over.filter(|over| *over != id);
                return Action::None;
            }
            Message::Typed(typed) => {
                let Some(renaming) = &mut self.renaming else {
                    return Action::None;
                };
                // While the field is empty, the motion has its earlier name.
                let name = match typed.trim() {
                    "" => renaming.before.clone(),
                    name => name.to_owned(),
                };
                renaming.typed = typed;
                return Action::Rename(renaming.id, name);
            }
            _ => {}
        }
        let was_renaming = self.renaming.take().is_some();
        let was_adding = std::mem::take(&mut self.adding);
        match message {
            Message::Chosen(id) => Action::Choose(id),
            Message::Rename(id, name) => {
                self.renaming = Some(Renaming {
                    id,
                    before: name.clone(),
                    typed: name,
                });
                Action::Focus(NAME)
            }
            Message::Submitted if was_renaming => Action::Leave,
            Message::AddToggled => {
                self.adding = !was_adding;
                Action::None
            }
            Message::Added(kind) => Action::Add(kind),
            Message::Duplicated(id) => Action::Duplicate(id),
            Message::Removed(id) => Action::Remove(id),
            Message::Located(id) => Action::Locate(id),
            Message::Cancelled(id) => Action::CancelReading(id),
            Message::Entered(_) | Message::Left(_) | Message::Typed(_) | Message::Submitted => {
                Action::None
            }
        }
    }

    /// The list, as wide as its parent; the parent adds the padding.
    pub fn view<'a>(
        &'a self,
        project: &'a Project,
        states: &[(MotionId, MotionState)],
    ) -> Element<'a, Message> {
        let rows = project.motions().iter().map(|motion| {
            let state = states.iter().find(|(id, _)| *id == motion.id);
            self.row(project, motion, state.map(|(_, state)| state))
        });
        column![
            text(strings::TITLE).size(theme::SMALL).style(theme::dim),
            Column::with_children(rows).spacing(2),
            self.add(),
        ]
        .spacing(theme::GAP)
        .into()
    }

    fn row<'a>(
        &'a self,
        project: &'a Project,
        motion: &'a Motion,
        state: Option<&MotionState>,
    ) -> Element<'a, Message> {
        let id = motion.id;
        let chosen = project.chosen() == id;
        let tint: Tint = if chosen {
            |colors| colors.accent
        } else {
            |colors| colors.dim
        };
        let name: Element<'_, Message> = match &self.renaming {
            Some(renaming) if renaming.id == id => text_input(strings::NAME, &renaming.typed)
                .id(NAME)
                .on_input(Message::Typed)
                .on_submit(Message::Submitted)
                .size(theme::NORMAL)
                .padding([1, 4])
                .style(theme::field)
                .into(),
            _ => text(&motion.name)
                .size(theme::NORMAL)
                .wrapping(text::Wrapping::None)
                .into(),
        };
        // Only the chosen and the hovered row show their buttons; the others reserve the space, so that nothing moves.
        let tools: Element<'_, Message> = if chosen || self.over == Some(id) {
            tools(project, motion)
        } else {
            space().width(TOOLS).height(SIDE + 6.0).into()
        };
        let lines = row![
            Glyph::of(&motion.kind).into_element(tint),
            column![
                row![container(name).width(Length::Fill).clip(true), tools]
                    .spacing(4)
                    .align_y(Alignment::Center),
                state_line(motion, state),
            ]
            .spacing(1),
        ]
        .spacing(8)
        .align_y(Alignment::Center);
        let content = container(lines)
            .padding([3, 8])
            .style(move |theme| container::Style {
                background: chosen.then(|| theme::colors(theme).raised.into()),
                border: border::rounded(5),
                ..container::Style::default()
            });
        mouse_area(content)
            .on_press(Message::Chosen(id))
            .on_double_click(Message::Rename(id, motion.name.clone()))
            .on_enter(Message::Entered(id))
            .on_exit(Message::Left(id))
            .into()
    }

    fn add(&self) -> Element<'_, Message> {
        let open = button(text(strings::ADD).size(theme::SMALL))
            .on_press(Message::AddToggled)
            .padding([4, 9])
            .style(theme::toggled(self.adding));
        if !self.adding {
            return open.into();
        }
        let choices = NewMotion::ALL.map(|kind| {
            let line = row![
                kind.glyph().into_element(|colors| colors.dim),
                text(kind.title()).size(theme::NORMAL),
            ]
            .spacing(8)
            .align_y(Alignment::Center);
            button(line)
                .on_press(Message::Added(kind))
                .padding([5, 8])
                .width(Length::Fill)
                .style(theme::flat)
                .into()
        });
        let choices = container(Column::with_children(choices))
            .padding(3)
            .style(theme::tip);
        column![open, choices].spacing(4).into()
    }
}

/// The width of a row's three small buttons.
const TOOLS: f32 = 3.0 * (SIDE + 6.0);

fn tools<'a>(project: &'a Project, motion: &'a Motion) -> Element<'a, Message> {
    let id = motion.id;
    let button = |glyph: Glyph, name: &str, message| glyph.button(tool_id(name, id), message);
    let stays = !can_remove(project, motion);
    row![
        hinted(
            button(
                Glyph::Pencil,
                "rename",
                Some(Message::Rename(id, motion.name.clone()))
            ),
            strings::RENAME_HINT,
            Position::Bottom,
        ),
        hinted(
            button(Glyph::Copy, "duplicate", Some(Message::Duplicated(id))),
            strings::DUPLICATE_HINT,
            Position::Bottom,
        ),
        hinted(
            button(
                Glyph::Cross,
                "remove",
                (!stays).then_some(Message::Removed(id))
            ),
            if stays {
                strings::LAST_TRACK_HINT
            } else {
                strings::REMOVE_HINT
            },
            Position::Bottom,
        ),
    ]
    .into()
}

/// The id of one of a row's small buttons, for tests: `rename`, `duplicate` or `remove`.
fn tool_id(name: &str, id: MotionId) -> String {
    format!("motion-{name}-{}", id.0)
}

/// Whether a motion can be removed: a project needs at least one expression track.
fn can_remove(project: &Project, motion: &Motion) -> bool {
    let is_track = |kind: &MotionKind| matches!(kind, MotionKind::Track(_));
    let mut others = project.motions().iter().filter(|o| o.id != motion.id);
    !is_track(&motion.kind) || others.any(|other| is_track(&other.kind))
}

/// The state of a motion, in a line.
fn state_line<'a>(motion: &Motion, state: Option<&MotionState>) -> Element<'a, Message> {
    let id = motion.id;
    let quiet = |content: String| text(content).size(theme::SMALL).style(theme::dim);
    let wrong = |content: &String| {
        text(content.clone())
            .size(theme::SMALL)
            .style(theme::danger)
    };
    match state {
        Some(MotionState::Ready { frames, fps }) => quiet(length(*frames, *fps)).into(),
        Some(MotionState::Reading(progress)) => {
            let share = share(progress);
            column![
                row![
                    quiet(reading(progress)),
                    space::horizontal(),
                    action(common::CANCEL, Some(Message::Cancelled(id))),
                ]
                .align_y(Alignment::Center),
                progress_bar(0.0..=1.0, share.unwrap_or(0.0)).girth(3),
            ]
            .spacing(3)
            .into()
        }
        Some(MotionState::Problem(problem)) => wrong(problem).into(),
        Some(MotionState::Missing(file)) => row![
            container(wrong(&strings::missing(file))).width(Length::Fill),
            action(common::LOCATE, Some(Message::Located(id))),
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center)
        .into(),
        None => quiet(match &motion.kind {
            MotionKind::Track(expression) => {
                length(expression.track.frames() as usize, expression.track.fps())
            }
            MotionKind::Sample(sample) => length(sample.codes.frames(), sample.fps),
            MotionKind::Clip(_) => strings::NOT_READ.to_owned(),
        })
        .into(),
    }
}

/// The progress of a reading, in words.
pub fn reading(progress: &Progress) -> String {
    share(progress).map_or(strings::READING.to_owned(), strings::reading)
}

/// The fraction that is read, if known.
fn share(progress: &Progress) -> Option<f32> {
    (progress.total() > 0).then(|| progress.fraction())
}

fn length(frames: usize, fps: f64) -> String {
    strings::length(frames, fps)
}

#[cfg(test)]
mod tests;
