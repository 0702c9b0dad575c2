//! Modal questions (unsaved changes, recovered copies, missing portraits) and the lists of projects and shortcuts.

use std::path::PathBuf;

use iced::widget::tooltip::Position;
use iced::widget::{button, column, container, row, scrollable, space, text, toggler};
use iced::{Alignment, Element, Length};

use crate::app::strings::common;
use crate::app::strings::export::exists;
use crate::app::strings::projects::{
    self as strings, changed_outside, exporting, portrait_missing, recovered, replace, shortcuts,
    unsaved_changes,
};
use crate::app::widgets::controls::{action, hinted};
use crate::app::widgets::theme;
use crate::document::Project;
use crate::project::file::{MediaOwner, MediaState, ProjectFile};
use crate::project::settings::RecentFile;

use super::{Message, PendingAction, Projects, Question};

/// Id of the switch that embeds media in the project, for tests.
pub const HOLDS_MEDIA: &str = "holds-media";

impl Projects {
    /// The open question, if any.
    ///
    /// `exports` describes the progress of the exports.
    pub fn dialog<'a>(
        &'a self,
        project: &Project,
        labelled: bool,
        exports: Option<String>,
    ) -> Option<Element<'a, Message>> {
        if let Some((_, opened)) = &self.waiting {
            let stored = match opened.state(MediaOwner::Portrait) {
                Some(MediaState::Moved { stored, .. }) => Some(stored.as_path()),
                _ => None,
            };
            return Some(card(
                portrait_missing::TITLE,
                portrait_missing::words(stored),
                row![
                    action(common::CANCEL, Some(Message::GiveUp)),
                    primary(common::LOCATE, Message::Locate(MediaOwner::Portrait)),
                ],
            ));
        }
        match &self.question {
            Some(Question::Unsaved(after)) => {
                let words = match after {
                    PendingAction::Quit => unsaved_changes::QUIT,
                    PendingAction::New => unsaved_changes::NEW,
                    PendingAction::Open(_) => unsaved_changes::OPEN,
                };
                return Some(card(
                    unsaved_changes::TITLE,
                    words.to_owned(),
                    row![
                        action(common::CANCEL, Some(Message::Close)),
                        action(unsaved_changes::DISCARD, Some(Message::LoseChanges)),
                        primary(strings::SAVE, Message::KeepChanges),
                    ],
                ));
            }
            Some(Question::Exporting) => {
                let words =
                    exports.map_or(exporting::DONE.to_owned(), |exports| format!("{exports}."));
                return Some(card(
                    exporting::TITLE,
                    words,
                    row![
                        action(exporting::KEEP_WORKING, Some(Message::Close)),
                        action(exporting::STOP, Some(Message::StopAndClose)),
                        primary(exporting::FINISH, Message::FinishThenClose),
                    ],
                ));
            }
            Some(Question::Replace(path)) => {
                return Some(card(
                    replace::TITLE,
                    exists(path),
                    row![
                        action(common::CANCEL, Some(Message::Close)),
                        action(strings::ANOTHER_NAME, Some(Message::SaveAs)),
                        primary(common::REPLACE, Message::Replace),
                    ],
                ));
            }
            Some(Question::ChangedOutside(path)) => {
                return Some(card(
                    changed_outside::TITLE,
                    changed_outside::words(path),
                    row![
                        action(common::CANCEL, Some(Message::Close)),
                        action(common::REPLACE, Some(Message::Replace)),
                        primary(strings::ANOTHER_NAME, Message::SaveAs),
                    ],
                ));
            }
            Some(Question::Menu) => return Some(self.menu(project, labelled)),
            Some(Question::Keys) => return Some(keys()),
            None => {}
        }
        self.recovered.last().map(|copy| {
            let name = copy.project_path.as_ref().and_then(|path| path.file_name());
            let name = name.map(|name| name.to_string_lossy());
            let ago = copy.when.elapsed().unwrap_or_default();
            card(
                recovered::TITLE,
                recovered::words(name.as_deref(), ago),
                row![
                    action(recovered::DISCARD, Some(Message::Discard)),
                    primary(recovered::RESTORE, Message::Recover),
                ],
            )
        })
    }

    fn menu(&self, project: &Project, labelled: bool) -> Element<'_, Message> {
        let changed = self.is_changed(project);
        let line = |label: &'static str, keys: &'static str, message: Message| {
            button(
                row![
                    text(label).size(theme::NORMAL),
                    space::horizontal(),
                    text(keys).size(theme::SMALL).style(theme::dim),
                ]
                .align_y(Alignment::Center),
            )
            .on_press(message)
            .width(Length::Fill)
            .padding([5, 10])
            .style(theme::flat)
        };
        let projects = list(
            self.recent.projects(),
            strings::NO_RECENT_PROJECTS,
            Message::Open,
        );
        let portraits = list(
            self.recent.portraits(),
            strings::NO_RECENT_PORTRAITS,
            Message::OpenPortrait,
        );
        let lists = column![
            text(strings::RECENT_PROJECTS)
                .size(theme::SMALL)
                .style(theme::dim),
            projects,
            text(strings::RECENT_PORTRAITS)
                .size(theme::SMALL)
                .style(theme::dim),
            portraits,
        ]
        .spacing(6);
        let cost = strings::media(ProjectFile::weight(project), project.holds_media());
        let holds = hinted(
            row![
                container(
                    toggler(project.holds_media())
                        .label(strings::EMBED)
                        .on_toggle(Message::HoldsMedia)
                        .size(15)
                        .text_size(theme::NORMAL)
                        .spacing(8)
                )
                .id(HOLDS_MEDIA),
                space::horizontal(),
                text(cost).size(theme::SMALL).style(theme::dim),
            ]
            .align_y(Alignment::Center),
            strings::EMBED_HINT,
            Position::Bottom,
        );
        let place = match (&self.path, changed) {
            (Some(path), false) => path.display().to_string(),
            (Some(path), true) => strings::unsaved(path),
            (None, _) => strings::NOT_SAVED.to_owned(),
        };
        let look = toggler(self.settings.light)
            .label(strings::LIGHT_THEME)
            .on_toggle(Message::Light)
            .size(15)
            .text_size(theme::NORMAL)
            .spacing(8);
        let labels = toggler(labelled)
            .label(strings::PANE_LABELS)
            .on_toggle(Message::Labels)
            .size(15)
            .text_size(theme::NORMAL)
            .spacing(8);
        container(
            column![
                row![
                    text(strings::TITLE).size(theme::LARGE),
                    space::horizontal(),
                    text(place).size(theme::SMALL).style(theme::dim),
                ]
                .align_y(Alignment::Center),
                line(strings::NEW, strings::NEW_KEYS, Message::New),
                line(strings::OPEN, strings::OPEN_KEYS, Message::OpenDialog),
                line(strings::SAVE, strings::SAVE_KEYS, Message::Save),
                line(strings::SAVE_AS, strings::SAVE_AS_KEYS, Message::SaveAs),
                container(holds).padding([2, 10]),
                container(
                    scrollable(lists)
                        .style(theme::scroll)
                        .height(Length::Shrink)
                )
                .max_height(LISTS),
            ]
            .push(
                row![
                    look,
                    labels,
                    space::horizontal(),
                    action(strings::SHORTCUTS, Some(Message::Keys)),
                    action(common::CLOSE, Some(Message::Close)),
                ]
                .spacing(theme::GAP)
                .align_y(Alignment::Center),
            )
            .spacing(8),
        )
        .padding(22)
        .width(560)
        .style(theme::card)
        .into()
    }
}

/// Maximum height of the lists of recent files, in logical pixels.
const LISTS: f32 = 380.0;

/// Recent files: a click opens one, unless it is missing.
fn list<'a>(
    files: Vec<RecentFile>,
    empty: &'a str,
    open: impl Fn(PathBuf) -> Message,
) -> Element<'a, Message> {
    if files.is_empty() {
        let empty = text(empty).size(theme::SMALL).style(theme::faint);
        return container(empty).padding([5, 10]).into();
    }
    let lines = files.into_iter().map(|file| {
        let name = file.path.file_name().map_or_else(
            || file.path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        let state = if file.missing {
            strings::MISSING.to_owned()
        } else {
            file.path
                .parent()
                .map_or_else(String::new, |folder| folder.display().to_string())
        };
        button(
            row![
                text(name).size(theme::NORMAL),
                space::horizontal(),
                text(state).size(theme::SMALL).style(theme::faint),
            ]
            .spacing(theme::SPACE)
            .align_y(Alignment::Center),
        )
        .on_press_maybe((!file.missing).then(|| open(file.path)))
        .width(Length::Fill)
        .padding([5, 10])
        .style(theme::flat)
        .into()
    });
    column(lines).into()
}

/// A short question with its buttons.
fn card<'a>(
    title: &'a str,
    words: String,
    answers: iced::widget::Row<'a, Message>,
) -> Element<'a, Message> {
    container(
        column![
            text(title).size(theme::LARGE),
            text(words).size(theme::NORMAL).style(theme::dim),
            row![space::horizontal(), answers.spacing(theme::GAP)],
        ]
        .spacing(14),
    )
    .padding(22)
    .width(480)
    .style(theme::card)
    .into()
}

fn primary<'a>(label: &'a str, message: Message) -> Element<'a, Message> {
    button(text(label).size(theme::SMALL))
        .on_press(message)
        .padding([4, 12])
        .style(theme::primary)
        .into()
}

/// The list of keyboard shortcuts.
fn keys<'a>() -> Element<'a, Message> {
    let group = |(title, lines): &(&'static str, &'static [shortcuts::Shortcut])| {
        let lines = lines.iter().map(|(keys, what)| {
            row![
                container(text(*keys).size(theme::SMALL)).width(150),
                text(*what).size(theme::SMALL).style(theme::dim),
            ]
            .into()
        });
        column![text(*title).size(theme::NORMAL), column(lines).spacing(4)]
            .spacing(6)
            .width(Length::Fill)
            .into()
    };
    let pair = |groups: &[(&'static str, &'static [shortcuts::Shortcut])]| {
        row(groups.iter().map(group)).spacing(24)
    };
    container(
        column![
            text(shortcuts::TITLE).size(theme::LARGE),
            pair(&shortcuts::GROUPS[..2]),
            pair(&shortcuts::GROUPS[2..]),
            row![
                space::horizontal(),
                action(common::CLOSE, Some(Message::Close))
            ],
        ]
        .spacing(18),
    )
    .padding(22)
    .width(760)
    .style(theme::card)
    .into()
}
