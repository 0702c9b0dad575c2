//! Saving, and autosaving against a crash.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use iced::Task;

use crate::app::background::{self, Target, in_background};
use crate::app::projects::{Message, Question, SaveOutcome};
use crate::app::widgets::format::size;
use crate::app::{App, Message as Up, Notice};
use crate::document::Project;
use crate::error::EngineError;
use crate::project::FileStamp;
use crate::project::file::{Embed, ProjectFile, Saved};

impl App {
    pub(in crate::app) fn place_to_save(&self) -> PathBuf {
        if let Some(path) = &self.projects.path {
            return path.clone();
        }
        let stem = Path::new(&self.document().portrait.name)
            .file_stem()
            .map_or("project".into(), |stem| stem.to_string_lossy());
        let folder = self.projects.settings.folders.projects.clone();
        let folder = folder.unwrap_or_else(background::pictures_folder);
        folder.join(format!("{stem}.{}", ProjectFile::EXTENSION))
    }

    /// Saves to the project's file, or asks for one.
    pub(in crate::app) fn save(&mut self) -> Task<Up> {
        match self.projects.path.clone() {
            Some(path) => self.save_to(path),
            None => self.save_as(),
        }
    }

    pub(in crate::app) fn save_as(&mut self) -> Task<Up> {
        self.projects.question = None;
        Task::perform(background::choose_save(self.place_to_save()), |path| {
            Up::Project(Message::SaveTo(path))
        })
    }

    /// Saves to a chosen file; asks first if it exists and the system's dialog has asked about another one.
    pub(in crate::app) fn save_at(&mut self, target: Target) -> Task<Up> {
        if target.is_unasked() {
            self.projects.question = Some(Question::Replace(target.path));
            return Task::none();
        }
        self.save_over(target.path)
    }

    /// Saves to the project's file, unless another program has changed it.
    pub(in crate::app) fn save_to(&mut self, path: PathBuf) -> Task<Up> {
        let known = self.projects.stamp;
        self.write_project(path, known)
    }

    /// Saves without checking for outside changes: the artist has agreed, or the file doesn't exist.
    pub(in crate::app) fn save_over(&mut self, path: PathBuf) -> Task<Up> {
        self.write_project(path, None)
    }

    /// Writes the project in the background; with `known`, only if the file still has that stamp or is gone.
    fn write_project(&mut self, path: PathBuf, known: Option<FileStamp>) -> Task<Up> {
        self.projects.question = None;
        if self.projects.saving {
            return Task::none();
        }
        self.projects.saving = true;
        let mut project = self.project().clone();
        project.set_labels(self.panes.labels);
        let (written, target) = (project.clone(), path.clone());
        let index = self.projects.index.clone();
        in_background(
            move || {
                let found = known.and_then(|_| FileStamp::of(&target));
                if found.is_some() && found != known {
                    return Ok(SaveOutcome::ChangedOutside);
                }
                let saved = ProjectFile::save(&written, &target, Embed::of(&written), &index)?;
                Ok(SaveOutcome::Saved(saved, FileStamp::of(&target)))
            },
            move |result| {
                let result: Result<SaveOutcome, String> = match result {
                    Some(result) => result.map_err(|error: EngineError| error.to_string()),
                    None => Err("The project could not be saved by a fault of Mien.".to_owned()),
                };
                Up::Project(Message::Saved(path, Box::new(project), result))
            },
        )
    }

    pub(in crate::app) fn saved(
        &mut self,
        path: PathBuf,
        project: Project,
        result: Result<SaveOutcome, String>,
    ) -> Task<Up> {
        self.projects.saving = false;
        match result {
            Ok(SaveOutcome::ChangedOutside) => {
                self.projects.question = Some(Question::ChangedOutside(path));
                Task::none()
            }
            Ok(SaveOutcome::Saved(saved, stamp)) => {
                self.projects.stamp = stamp;
                self.history.set_labels(self.panes.labels);
                self.projects.saved = Some(project);
                self.projects.discard_replaced();
                self.projects.recent.add_project(&path);
                self.projects.settings.folders.projects = path.parent().map(Path::to_owned);
                self.status.notice = Some(Notice::Hint(report(&path, &saved)));
                let is_new = self.projects.path.as_ref() != Some(&path);
                self.projects.path = Some(path);
                self.remember();
                let told = match is_new {
                    true => self.announce_project(),
                    false => Task::none(),
                };
                if !self.projects.is_changed(self.project())
                    && let Some(autosave) = &self.projects.autosave
                {
                    autosave.clear();
                    self.projects.kept = None;
                }
                let then = self.projects.then.take();
                let next = then.map_or_else(Task::none, |after| self.proceed(after));
                Task::batch([told, next])
            }
            Err(problem) => {
                self.projects.then = None;
                self.status.notice = Some(Notice::Problem(problem));
                Task::none()
            }
        }
    }

    /// Publishes which project is open here, and warns the artist if another run of Mien has it open too.
    pub(in crate::app) fn announce_project(&self) -> Task<Up> {
        let Some(autosave) = self.projects.autosave.clone() else {
            return Task::none();
        };
        let path = self.projects.path.clone();
        in_background(
            move || autosave.announce_open(path.as_deref()),
            |result| Up::Project(Message::OpenElsewhere(matches!(result, Some(Ok(true))))),
        )
    }

    /// Autosaves, if there is anything new to save.
    pub(in crate::app) fn autosave_now(&mut self) -> Task<Up> {
        let project = self.project();
        let kept = self.projects.kept.as_ref();
        let kept = kept.or(self.projects.saved.as_ref());
        let Some(autosave) = &self.projects.autosave else {
            return Task::none();
        };
        if self.projects.autosaving || kept == Some(project) {
            return Task::none();
        }
        let (autosave, project) = (Arc::clone(autosave), project.clone());
        let path = self.projects.path.clone();
        let index = self.projects.index.clone();
        self.projects.autosaving = true;
        let written = project.clone();
        in_background(
            move || autosave.write(&written, path.as_deref(), &index),
            move |result| {
                let result = match result {
                    Some(result) => result.map_err(|error| error.to_string()),
                    None => Err("it could not be written by a fault of Mien.".to_owned()),
                };
                Up::Project(Message::Kept(Box::new(project), result))
            },
        )
    }

    /// Handles the end of an autosave.
    pub(in crate::app) fn autosaved(&mut self, project: Project, result: Result<(), String>) {
        self.projects.autosaving = false;
        match result {
            Ok(()) => {
                self.projects.kept = Some(project);
                self.projects.discard_replaced();
                if self.projects.autosave_problem.take().is_some() {
                    let hint = "A copy is kept against a crash again.";
                    self.status.notice = Some(Notice::Hint(hint.to_owned()));
                }
            }
            Err(problem) => {
                // Retried every few seconds, but reported once.
                if self.projects.autosave_problem.as_ref() != Some(&problem) {
                    self.status.notice = Some(Notice::Problem(format!(
                        "No copy is kept against a crash: {problem}"
                    )));
                }
                self.projects.autosave_problem = Some(problem);
            }
        }
    }
}

/// Describes the result of saving in a sentence or two.
fn report(path: &Path, saved: &Saved) -> String {
    let mut words = format!("Saved as {}", path.display());
    if saved.embedded > 0 {
        words += &format!(", {} with what it holds", size(saved.bytes));
    }
    words += match saved.not_embedded.len() {
        0 => ".",
        1 => "; a clip that is a folder of pictures stays where it is.",
        _ => "; clips that are folders of pictures stay where they are.",
    };
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_save_report_names_the_size_and_missing_media() {
        let path = Path::new("a.mien");
        let mut saved = Saved {
            bytes: 900,
            ..Saved::default()
        };
        assert_eq!(report(path, &saved), "Saved as a.mien.");
        saved.bytes = 3_400_000;
        saved.embedded = 2;
        assert_eq!(
            report(path, &saved),
            "Saved as a.mien, 3.4 MB with what it holds."
        );
        saved.not_embedded.push("frames".into());
        assert!(
            report(path, &saved)
                .ends_with("holds; a clip that is a folder of pictures stays where it is.")
        );
    }
}
