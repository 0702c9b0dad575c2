//! The queue of exports, written one after another.

use std::path::PathBuf;

use iced::widget::{column, container, progress_bar, row, scrollable, space, text};
use iced::{Alignment, Element, Length};

use crate::app::strings::common;
use crate::app::strings::export::queue as strings;
use crate::app::widgets::controls::action;
use crate::app::widgets::theme::{self, TextStyle};
use crate::jobs::export::ExportJob;
use crate::progress::Progress;

#[derive(Debug, Default)]
pub struct Queue {
    jobs: Vec<Job>,
    next: u32,
    /// Whether the list is shown.
    pub open: bool,
}

#[derive(Debug)]
struct Job {
    id: u32,
    export: ExportJob,
    state: JobState,
}

#[derive(Debug)]
enum JobState {
    Waiting,
    Running(Progress),
    /// With remarks for the artist.
    Done(Vec<String>),
    Cancelled,
    Failed(String),
}

#[derive(Debug, Clone)]
pub enum Message {
    Toggled,
    Cancel(u32),
    Retry(u32),
    Forget(u32),
    /// Time to update the progress.
    Watched,
    Ended(u32, Result<Vec<String>, Ending>),
}

/// Why an export ended early.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    Cancelled,
    Failed(String),
}

/// An export to start writing.
#[derive(Debug)]
pub struct Start {
    pub id: u32,
    pub job: ExportJob,
    pub progress: Progress,
}

impl Job {
    /// Whether it is running or waiting.
    fn is_left(&self) -> bool {
        matches!(self.state, JobState::Waiting | JobState::Running(_))
    }

    fn cancel(&mut self) {
        match &self.state {
            JobState::Running(progress) => progress.cancel.cancel(),
            JobState::Waiting => self.state = JobState::Cancelled,
            JobState::Done(_) | JobState::Cancelled | JobState::Failed(_) => {}
        }
    }
}

impl Queue {
    /// Appends an export.
    pub fn push(&mut self, export: ExportJob) {
        self.next += 1;
        self.jobs.push(Job {
            id: self.next,
            export,
            state: JobState::Waiting,
        });
    }

    /// Starts the next export if none is running.
    pub fn start(&mut self) -> Option<Start> {
        if self.is_running() {
            return None;
        }
        let waiting = |job: &&mut Job| matches!(job.state, JobState::Waiting);
        let job = self.jobs.iter_mut().find(waiting)?;
        let progress = Progress::new(0);
        job.state = JobState::Running(progress.clone());
        Some(Start {
            id: job.id,
            job: job.export.clone(),
            progress,
        })
    }

    pub fn is_running(&self) -> bool {
        let running = |job: &Job| matches!(job.state, JobState::Running(_));
        self.jobs.iter().any(running)
    }

    /// Whether an export is running or waiting.
    pub fn is_busy(&self) -> bool {
        self.jobs.iter().any(Job::is_left)
    }

    /// Cancels the running export and all that wait.
    pub fn cancel_all(&mut self) {
        for job in &mut self.jobs {
            job.cancel();
        }
    }

    /// The progress of the exports, in words for a question: `An export is running: 19%, 4 min left`; `None` if none is left.
    pub fn progress(&self) -> Option<String> {
        let left = self.jobs.iter().filter(|job| job.is_left()).count();
        let running = self.jobs.iter().find_map(|job| match &job.state {
            JobState::Running(progress) => Some(progress),
            _ => None,
        });
        let running = running.map(|progress| (progress.fraction(), progress.remaining()));
        (left > 0).then(|| strings::left(left, running))
    }

    /// The label of the list's button; `None` if there is nothing to show.
    pub fn title(&self) -> Option<String> {
        let count = self.jobs.iter().filter(|job| job.is_left()).count();
        let running = self.jobs.iter().find_map(|job| match &job.state {
            JobState::Running(progress) => Some(progress.fraction()),
            _ => None,
        });
        match (self.jobs.len(), running) {
            (0, _) => None,
            (_, Some(done)) if count > 1 => Some(strings::several(count, done)),
            (_, Some(done)) => Some(strings::running(done)),
            (all, None) => Some(strings::ended(all)),
        }
    }

    /// Handles a message; returns the path of an export that was just written.
    pub fn update(&mut self, message: Message) -> Option<PathBuf> {
        match message {
            Message::Toggled => self.open = !self.open,
            Message::Watched => {}
            Message::Cancel(id) => {
                if let Some(job) = self.job(id) {
                    job.cancel();
                }
            }
            Message::Retry(id) => {
                if let Some(job) = self.job(id) {
                    job.state = JobState::Waiting;
                }
            }
            Message::Forget(id) => {
                self.jobs.retain(|job| job.id != id || job.is_left());
                self.open &= !self.jobs.is_empty();
            }
            Message::Ended(id, result) => {
                let job = self.job(id)?;
                match result {
                    Ok(remark) => {
                        job.state = JobState::Done(remark);
                        return Some(job.export.output.path.clone());
                    }
                    Err(Ending::Cancelled) => job.state = JobState::Cancelled,
                    Err(Ending::Failed(problem)) => job.state = JobState::Failed(problem),
                }
            }
        }
        None
    }

    /// Why an export failed, if it did.
    pub fn problem(&self, id: u32) -> Option<&str> {
        self.jobs.iter().find_map(|job| match &job.state {
            JobState::Failed(problem) if job.id == id => Some(problem.as_str()),
            _ => None,
        })
    }

    fn job(&mut self, id: u32) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }

    pub fn view(&self) -> Element<'_, Message> {
        let jobs = self.jobs.iter().rev().map(|job| {
            let name = job
                .export
                .output
                .path
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            let (words, style): (String, TextStyle) = match &job.state {
                JobState::Waiting => (strings::WAITING.to_owned(), theme::dim),
                JobState::Running(progress) => (
                    match progress.remaining() {
                        Some(left) => common::progress(progress.done(), progress.total(), left),
                        None => strings::ESTIMATING.to_owned(),
                    },
                    theme::dim,
                ),
                JobState::Done(told) if told.is_empty() => {
                    (job.export.output.path.display().to_string(), theme::dim)
                }
                JobState::Done(told) => (told.join(" "), theme::dim),
                JobState::Cancelled => (strings::CANCELLED.to_owned(), theme::dim),
                JobState::Failed(problem) => (problem.clone(), theme::danger),
            };
            let buttons = match job.state {
                JobState::Waiting | JobState::Running(_) => {
                    row![action(common::CANCEL, Some(Message::Cancel(job.id)))]
                }
                JobState::Done(_) => row![action(strings::REMOVE, Some(Message::Forget(job.id)))],
                JobState::Cancelled | JobState::Failed(_) => row![
                    action(strings::RETRY, Some(Message::Retry(job.id))),
                    action(strings::REMOVE, Some(Message::Forget(job.id))),
                ],
            };
            let bar = match &job.state {
                JobState::Running(progress) => {
                    Some(progress_bar(0.0..=1.0, progress.fraction()).girth(6))
                }
                _ => None,
            };
            column![
                row![
                    text(name).size(theme::NORMAL),
                    space::horizontal(),
                    buttons.spacing(theme::GAP),
                ]
                .align_y(Alignment::Center),
                text(words).size(theme::SMALL).style(style),
            ]
            .push(bar)
            .spacing(theme::GAP)
            .into()
        });
        let list = scrollable(column(jobs).spacing(theme::SPACE).padding([0, 10]))
            .style(theme::scroll)
            .height(Length::Shrink);
        container(
            column![
                text(strings::TITLE).size(theme::LARGE),
                container(list).max_height(420),
                row![
                    space::horizontal(),
                    action(common::CLOSE, Some(Message::Toggled))
                ],
            ]
            .spacing(12),
        )
        .padding(22)
        .width(560)
        .style(theme::card)
        .into()
    }
}
