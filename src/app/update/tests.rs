//! Data loss: closing while exporting, saving over what others have written; and messages that block the window too long.

use std::path::Path;
use std::time::{Duration, Instant};

use iced::Task;
use iced::futures::StreamExt;
use iced::futures::executor::block_on;
use iced_test::runtime::{Action, task::into_stream};

use crate::app::background::Target;
use crate::app::export::queue::{Ending, Message as Queue};
use crate::app::projects::{Message as Project, Question};
use crate::app::snapshots::app;
use crate::app::{App, Message, Notice};
use crate::document::{ActionUnit, Channel, Sides};
use crate::folders::file_name;
use crate::project::file::ProjectFile;

/// The longest the window may take for a message before it appears frozen.
const LONGEST: Duration = Duration::from_millis(200);

/// Runs a task and the messages that follow to the end; returns whether the program was to exit. Fails if a message blocks
/// the window.
fn run(app: &mut App, task: Task<Message>) -> bool {
    let mut exits = false;
    let Some(mut actions) = into_stream(task) else {
        return false;
    };
    while let Some(action) = block_on(actions.next()) {
        match action {
            Action::Output(message) => exits |= send(app, message),
            Action::Exit => exits = true,
            _ => {}
        }
    }
    exits
}

/// Sends a message to the window and runs the tasks it returns.
fn send(app: &mut App, message: Message) -> bool {
    let (words, began) = (format!("{message:.80?}"), Instant::now());
    let task = app.update(message);
    let took = began.elapsed();
    assert!(
        took < LONGEST,
        "the window was blocked for {took:?}: {words}"
    );
    run(app, task)
}

fn project(app: &mut App, message: Project) -> bool {
    send(app, Message::Project(message))
}

fn change(app: &mut App, value: f32) {
    let smile = Channel::from(ActionUnit::from_code(12).unwrap());
    app.history
        .edit(|document| document.set_channel(0, Sides::Both, smile, value));
}

fn saved_to(app: &mut App, path: &Path) {
    let target = Target {
        path: path.to_owned(),
        asked: true,
    };
    assert!(!project(app, Project::SaveTo(Some(target))));
    assert_eq!(app.projects.path.as_deref(), Some(path));
}

/// Queues an export that runs until the test ends it.
fn exporting(app: &mut App, folder: &Path) -> u32 {
    app.open_export();
    let source = app.export_source().unwrap();
    let (mut job, _) = app.export.take().unwrap().job(&source).unwrap();
    job.output.path = folder.join("film.png");
    app.queue.push(job);
    app.queue.start().unwrap().id
}

#[test]
fn closing_the_window_during_an_export_needs_confirmation() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app();
    let id = exporting(&mut app, folder.path());
    assert!(!project(&mut app, Project::CloseRequested));
    assert_eq!(app.projects.question, Some(Question::Exporting));
    // Choosing to keep working changes nothing.
    assert!(!project(&mut app, Project::Close));
    assert!(app.queue.is_running() && !app.projects.closing);

    project(&mut app, Project::CloseRequested);
    assert!(!project(&mut app, Project::FinishThenClose));
    assert!(app.queue.is_running());
    assert!(send(
        &mut app,
        Message::Queue(Queue::Ended(id, Ok(Vec::new())))
    ));
}

#[test]
fn a_stopped_export_is_waited_for_before_the_window_closes() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app();
    let id = exporting(&mut app, folder.path());
    project(&mut app, Project::CloseRequested);
    assert!(
        !project(&mut app, Project::StopAndClose),
        "its file is still there"
    );
    let ended = Queue::Ended(id, Err(Ending::Cancelled));
    assert!(send(&mut app, Message::Queue(ended)));
}

#[test]
fn the_window_stays_open_when_the_export_fails_or_changes_are_unsaved() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app();
    let id = exporting(&mut app, folder.path());
    project(&mut app, Project::CloseRequested);
    project(&mut app, Project::FinishThenClose);
    let failed = Ending::Failed("The disk is full.".to_owned());
    assert!(!send(
        &mut app,
        Message::Queue(Queue::Ended(id, Err(failed)))
    ));
    assert_eq!(
        app.status.notice,
        Some(Notice::Problem("The disk is full.".to_owned()))
    );

    let id = exporting(&mut app, folder.path());
    change(&mut app, 0.4);
    project(&mut app, Project::CloseRequested);
    project(&mut app, Project::FinishThenClose);
    assert!(!send(
        &mut app,
        Message::Queue(Queue::Ended(id, Ok(Vec::new())))
    ));
    assert!(matches!(app.projects.question, Some(Question::Unsaved(_))));
}

#[test]
fn a_project_file_is_never_replaced_without_confirmation() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.mien");
    std::fs::write(&other, "hours of work").unwrap();
    let mut app = app();
    let typed = Target {
        path: other.clone(),
        asked: false,
    };
    project(&mut app, Project::SaveTo(Some(typed)));
    assert_eq!(
        app.projects.question,
        Some(Question::Replace(other.clone()))
    );
    assert_eq!(std::fs::read(&other).unwrap(), b"hours of work");
    project(&mut app, Project::Replace);
    assert_eq!(app.projects.path.as_ref(), Some(&other));
    assert!(ProjectFile::open(&other).is_ok());
}

#[test]
fn a_project_file_changed_by_another_program_is_not_overwritten_without_confirmation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.mien");
    let mut app = app();
    saved_to(&mut app, &path);
    change(&mut app, 0.3);
    project(&mut app, Project::Save);
    assert_eq!(
        app.projects.question, None,
        "only this window has written it"
    );

    std::fs::write(&path, "HOURS OF WORK").unwrap();
    change(&mut app, 0.6);
    project(&mut app, Project::Save);
    let question = app.projects.question.clone();
    assert_eq!(question, Some(Question::ChangedOutside(path.clone())));
    assert_eq!(std::fs::read(&path).unwrap(), b"HOURS OF WORK");
    assert!(app.projects.is_changed(app.project()));
    project(&mut app, Project::Replace);
    assert!(ProjectFile::open(&path).is_ok());
    assert!(!app.projects.is_changed(app.project()));
}

#[test]
fn autosave_continues_after_a_failed_write() {
    let mut app = app();
    let full = || Err("the disk is full.".to_owned());
    let kept = |app: &mut App, result| {
        let copy = app.project().clone();
        project(app, Project::Autosaved(Box::new(copy), result));
    };
    kept(&mut app, full());
    let told = app.status.notice.take();
    assert!(matches!(told, Some(Notice::Problem(words)) if words.contains("disk is full")));
    kept(&mut app, full());
    assert_eq!(app.status.notice, None, "reported once");
    kept(&mut app, Ok(()));
    assert!(matches!(&app.status.notice, Some(Notice::Hint(words)) if words.contains("again")));
}

#[test]
fn a_chart_saved_without_confirmation_gets_an_unused_name() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("smile.svg");
    std::fs::write(&there, "a drawing").unwrap();
    let mut app = app();
    let subject = crate::app::subject(&app.history, &app.drivers);
    let charts = app.timeline.chart("smile", subject, None).unwrap();
    let typed = Target {
        path: there.clone(),
        asked: false,
    };
    send(&mut app, Message::ChartTo(charts.into(), Some(typed)));
    assert_eq!(std::fs::read(&there).unwrap(), b"a drawing");
    let names = std::fs::read_dir(folder.path()).unwrap().flatten();
    let mut names: Vec<_> = names.map(|entry| file_name(&entry.path())).collect();
    names.sort();
    assert_eq!(names, ["smile-2.svg", "smile.svg"]);
}
