//! Modal questions (unsaved changes, recovered copies, missing portraits) and the lists of projects and shortcuts.

use std::path::PathBuf;

use iced::widget::tooltip::Position;
use iced::widget::{button, column, container, row, scrollable, space, text, toggler};
use iced::{Alignment, Element, Length};

use crate::app::widgets::controls::{action, hinted};
use crate::app::widgets::format::{duration, size};
use crate::app::widgets::theme;
use crate::document::Project;
use crate::project::file::{MediaOwner, MediaState, ProjectFile};
use crate::project::settings::RecentFile;

use super::{Message, PendingAction, Projects, Question};

/// Id of the switch that embeds media in the project, for tests.
pub const HOLDS_MEDIA: &str = "holds-media";

/// The keyboard shortcuts, grouped by part of the window.
const SHORTCUTS: [(&str, &[(&str, &str)]); 4] = [
    (
        "Project",
        &[
            ("Ctrl+O", "open a portrait"),
            ("Ctrl+S, Ctrl+Shift+S", "save, save as"),
            ("Ctrl+Shift+O", "open a project"),
            ("Ctrl+N", "new project"),
            ("Ctrl+E", "export"),
            ("Ctrl+Z, Ctrl+Shift+Z", "undo, redo"),
            ("T", "light or dark"),
            ("?", "this list"),
        ],
    ),
    (
        "Panes",
        &[
            ("1 to 6", "a pane alone, or all again"),
            ("P", "one more pane"),
            ("S held", "the source"),
            ("W", "wipe"),
            ("C", "the face's square"),
            ("A", "landmarks, to be dragged"),
            ("L", "labels"),
            ("F, G", "the whole portrait, the face"),
            ("wheel, drag", "zoom, pan: in all panes"),
            ("M", "the column of motions"),
        ],
    ),
    (
        "Timeline",
        &[
            ("Space", "play or pause"),
            ("arrows, Home", "a frame on or back, to the start"),
            ("K", "set keyframes"),
            ("I, O", "in and out"),
            ("Delete", "delete the selected keys"),
            ("Ctrl+A, C, X, V", "select all, copy, cut, paste keys"),
            ("Ctrl and drag a key", "stretch the selected keys in time"),
            ("wheel, middle drag", "zoom, pan in time"),
        ],
    ),
    (
        "Sliders",
        &[
            ("Shift", "move finely"),
            ("double-click", "the portrait's own value"),
            ("R", "reset all"),
            ("Escape", "leave a field or a dialog"),
        ],
    ),
];

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
                Some(MediaState::Moved { stored, .. }) => stored.display().to_string(),
                _ => "its file".to_owned(),
            };
            return Some(card(
                "The portrait isn't where it was",
                format!(
                    "This project is about {stored}. Show where it is now; nothing of the project is lost meanwhile."
                ),
                row![
                    action("Leave it", Some(Message::GiveUp)),
                    primary("Locate…", Message::Locate(MediaOwner::Portrait)),
                ],
            ));
        }
        match &self.question {
            Some(Question::Unsaved(after)) => {
                let words = match after {
                    PendingAction::Quit => {
                        "Close without saving, and the changes since the last save are lost."
                    }
                    PendingAction::New => "A new project takes this one's place.",
                    PendingAction::Open(_) => "The other project takes this one's place.",
                };
                return Some(card(
                    "Save the changes?",
                    words.to_owned(),
                    row![
                        action("Cancel", Some(Message::Close)),
                        action("Don't save", Some(Message::LoseChanges)),
                        primary("Save", Message::KeepChanges),
                    ],
                ));
            }
            Some(Question::Exporting) => {
                let words = exports.map_or("All exports are done.".to_owned(), |exports| {
                    format!("{exports}.")
                });
                return Some(card(
                    "Close while exporting?",
                    words,
                    row![
                        action("Keep working", Some(Message::Close)),
                        action("Stop and close", Some(Message::StopAndClose)),
                        primary("Finish, then close", Message::FinishThenClose),
                    ],
                ));
            }
            Some(Question::Replace(path)) => {
                return Some(card(
                    "Replace the file?",
                    format!("{} is there already.", path.display()),
                    row![
                        action("Cancel", Some(Message::Close)),
                        action("Another name…", Some(Message::SaveAs)),
                        primary("Replace", Message::Replace),
                    ],
                ));
            }
            Some(Question::ChangedOutside(path)) => {
                return Some(card(
                    "The project was changed elsewhere",
                    format!(
                        "Another program has written {} since it was opened here. Replacing it loses what that program has saved.",
                        path.display()
                    ),
                    row![
                        action("Cancel", Some(Message::Close)),
                        action("Replace", Some(Message::Replace)),
                        primary("Another name…", Message::SaveAs),
                    ],
                ));
            }
            Some(Question::Menu) => return Some(self.menu(project, labelled)),
            Some(Question::Keys) => return Some(keys()),
            None => {}
        }
        self.recovered.last().map(|copy| {
            let name = copy.project_path.as_ref().and_then(|path| path.file_name());
            let name = name.map_or("a project that was never saved".to_owned(), |name| {
                name.to_string_lossy().into_owned()
            });
            let ago = copy.when.elapsed().unwrap_or_default();
            card(
                "Mien ended before it was closed",
                format!("A copy of {name} was kept, {} ago.", duration(ago)),
                row![
                    action("Throw it away", Some(Message::Discard)),
                    primary("Open the copy", Message::Recover),
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
            "Projects that are saved or opened stand here.",
            Message::Open,
        );
        let portraits = list(
            self.recent.portraits(),
            "Portraits that are opened stand here.",
            Message::OpenPortrait,
        );
        let lists = column![
            text("Recent projects").size(theme::SMALL).style(theme::dim),
            projects,
            text("Recent portraits")
                .size(theme::SMALL)
                .style(theme::dim),
            portraits,
        ]
        .spacing(6);
        let weight = ProjectFile::weight(project);
        let cost = match (project.holds_media(), weight) {
            (_, 0) => "samples come with Mien".to_owned(),
            (true, weight) => format!("{} in its file", size(weight)),
            (false, weight) => format!("would add {} to its file", size(weight)),
        };
        let holds = hinted(
            row![
                container(
                    toggler(project.holds_media())
                        .label("Keep pictures and clips inside the project")
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
            "From the next save on its file has all that it needs and can be carried elsewhere; what only the project has stays inside either way",
            Position::Bottom,
        );
        let place = match (&self.path, changed) {
            (Some(path), false) => path.display().to_string(),
            (Some(path), true) => format!("{} (changed)", path.display()),
            (None, _) => "not saved yet".to_owned(),
        };
        let look = toggler(self.settings.light)
            .label("Light window")
            .on_toggle(Message::Light)
            .size(15)
            .text_size(theme::NORMAL)
            .spacing(8);
        let labels = toggler(labelled)
            .label("Pane labels")
            .on_toggle(Message::Labels)
            .size(15)
            .text_size(theme::NORMAL)
            .spacing(8);
        container(
            column![
                row![
                    text("Project").size(theme::LARGE),
                    space::horizontal(),
                    text(place).size(theme::SMALL).style(theme::dim),
                ]
                .align_y(Alignment::Center),
                line("New", "Ctrl+N", Message::New),
                line("Open…", "Ctrl+Shift+O", Message::OpenDialog),
                line("Save", "Ctrl+S", Message::Save),
                line("Save as…", "Ctrl+Shift+S", Message::SaveAs),
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
                    action("Shortcuts (?)", Some(Message::Keys)),
                    action("Close", Some(Message::Close)),
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
            "not there now".to_owned()
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
    let group = |(title, lines): &(&'static str, &'static [(&'static str, &'static str)])| {
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
    let pair = |groups: &[(&'static str, &'static [(&'static str, &'static str)])]| {
        row(groups.iter().map(group)).spacing(24)
    };
    container(
        column![
            text("Shortcuts").size(theme::LARGE),
            pair(&SHORTCUTS[..2]),
            pair(&SHORTCUTS[2..]),
            row![space::horizontal(), action("Close", Some(Message::Close))],
        ]
        .spacing(18),
    )
    .padding(22)
    .width(760)
    .style(theme::card)
    .into()
}
