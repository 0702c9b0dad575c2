//! How the dialog interprets what was typed.

use std::sync::Arc;

use super::*;
use crate::document::{AuVector, Crop, Document, Limit, MediaSource, PaneSpec, PortraitRef};
use crate::drive::driver::Driver;
use crate::media::image::Picture;

fn document() -> Document {
    let portrait = PortraitRef {
        id: 0,
        name: "me.jpg".to_owned(),
        source: MediaSource::File("me.jpg".into()),
        width: 40,
        height: 30,
    };
    let crop = Crop {
        x: 0.0,
        y: 0.0,
        side: 20.0,
        ..Crop::default()
    };
    Document::new(portrait, crop, AuVector::NEUTRAL)
}

fn source(document: &Document) -> ExportSource {
    let mut project = Project::new(document.clone());
    let panes = [MethodChoice::Source, MethodChoice::GANIMATION].map(PaneSpec::of);
    project.set_panes(panes.to_vec());
    let driver = Driver::Track(Arc::new(document.clone()));
    let composition = Composition::of(&project, &panes, |_| driver.clone());
    ExportSource {
        project,
        subject: Subject {
            id: 0,
            picture: Arc::new(Picture::new(40, 30, vec![0; 4800]).unwrap()),
            face: None,
            crop: document.crop,
            rule: None,
            expression: document.source,
            detail: document.detail,
            plain: false,
            limit: Limit::NONE,
            folds: None,
            glasses: document.glasses,
        },
        composition,
        step: 0,
        labels: vec![
            ("Source".to_owned(), String::new()),
            ("GANimation".to_owned(), String::new()),
        ],
        sound: false,
    }
}

fn moving() -> Document {
    let mut document = document();
    document.add_key(0);
    document.add_key(24);
    document
}

fn export(document: &Document, moves: bool, folder: &Path) -> Export {
    Export::new(&Project::new(document.clone()), moves, 24.0, folder)
}

#[test]
fn an_export_at_another_frame_rate_keeps_the_duration() {
    let document = moving();
    let mut export = export(&document, true, Path::new("out"));
    assert_eq!(export.format, FileFormat::Mp4);
    assert!(export.path.ends_with("me-mien.mp4"));
    export.fps = "12".to_owned();
    let source = source(&document);
    let (job, frames) = export.job(&source).unwrap();
    assert_eq!((job.steps, job.fps, frames), (Steps::All, Some(12.0), 24));
    assert_eq!(job.panes, [PaneSpec::of(MethodChoice::GANIMATION)]);
    // The job keeps the composition's frame rate; resampling to 12 fps halves the number of steps.
    let (_, steps) = source.composition.at_rate(12.0);
    assert_eq!(steps.len(), 24);
    assert_eq!(document.track.frames(), 48);
}

#[test]
fn all_panes_are_exported_side_by_side_with_their_names() {
    let document = moving();
    let mut export = export(&document, true, Path::new("out"));
    export.what = What::Grid;
    let (job, _) = export.job(&source(&document)).unwrap();
    assert_eq!(job.panes.len(), 2);
    let Layout::Grid(Some(labels)) = job.layout else {
        panic!("{:?}", job.layout);
    };
    assert_eq!(labels[1].0, "GANimation");
    export.what = What::Pane(5);
    assert!(
        export
            .job(&source(&document))
            .unwrap_err()
            .contains("Pane 6")
    );
}

#[test]
fn invalid_export_settings_are_refused_before_the_export_starts() {
    let document = document();
    let source = source(&document);
    let mut export = export(&document, false, Path::new("out"));
    let (job, frames) = export.job(&source).unwrap();
    assert_eq!((job.steps, frames), (Steps::One(0), 1));
    export.update(Message::Format(FileFormat::Gif), &source);
    let mut refused = |change: fn(&mut Export), words: &str| {
        export.path = format!("a.{}", export.format.extension());
        change(&mut export);
        let problem = export.job(&source).unwrap_err();
        assert!(problem.contains(words), "{problem}");
    };
    refused(|export| export.fps = "90".to_owned(), "from 1 to 50");
    refused(
        |export| {
            export.fps = "12".to_owned();
            export.loops = "x".to_owned();
        },
        "0 to loop forever",
    );
    refused(
        |export| {
            export.loops = "3".to_owned();
            export.range = "0-4".to_owned();
        },
        "within 1-24",
    );
    refused(|export| export.range = "some".to_owned(), "such as 13-24");
    refused(
        |export| {
            export.range = "3-4".to_owned();
            export.format = FileFormat::Webp;
            export.path = "a.webp".to_owned();
            export.quality = "101".to_owned();
        },
        "from 1 to 100",
    );
    refused(
        |export| {
            export.quality = "70".to_owned();
            export.path = "/".to_owned();
        },
        "no name",
    );
    export.path = "a.webp".to_owned();
    let (job, frames) = export.job(&source).unwrap();
    assert_eq!(job.output.quality, Some(70));
    assert_eq!(job.output.part.unwrap().within(24).unwrap(), 2..4);
    assert_eq!(frames, 2);
}

#[test]
fn an_existing_file_is_replaced_only_after_confirmation() {
    let folder = tempfile::tempdir().unwrap();
    let document = document();
    let source = source(&document);
    let mut export = export(&document, false, folder.path());
    let there = folder.path().join("me-mien.png");
    std::fs::write(&there, b"precious").unwrap();
    // A double-click presses the same button twice.
    for _ in 0..2 {
        assert!(matches!(
            export.update(Message::Start, &source),
            Action::None
        ));
        assert_eq!(export.existing.as_ref(), Some(&there));
    }
    let both = export.clone().update(Message::KeepBoth, &source);
    assert_eq!(target(both), folder.path().join("me-mien-2.png"));
    assert_eq!(target(export.update(Message::Replace, &source)), there);
    // Another path asks again.
    export.update(Message::Start, &source);
    let other = folder.path().join("other.png");
    std::fs::write(&other, b"precious").unwrap();
    export.update(Message::Path(other.display().to_string()), &source);
    assert!(matches!(
        export.update(Message::Replace, &source),
        Action::None
    ));
}

/// The path of a queued export.
fn target(action: Action) -> PathBuf {
    match action {
        Action::Queue(job) => job.output.path,
        other => panic!("{other:?}"),
    }
}

#[test]
fn replacing_an_earlier_image_sequence_needs_confirmation() {
    let folder = tempfile::tempdir().unwrap();
    let document = moving();
    let source = source(&document);
    let mut export = export(&document, true, folder.path());
    let path = folder.path().join("shot.png");
    export.update(Message::Format(FileFormat::PngSequence), &source);
    export.update(Message::Path(path.display().to_string()), &source);
    let frame = folder.path().join("shot_0007.png");
    std::fs::write(&frame, b"footage").unwrap();
    assert!(matches!(
        export.update(Message::Start, &source),
        Action::None
    ));
    assert_eq!(export.existing, Some(frame));
    let both = target(export.update(Message::KeepBoth, &source));
    assert_eq!(both, folder.path().join("shot-2.png"));
    // A range without the existing frame replaces nothing.
    export.update(Message::Path(path.display().to_string()), &source);
    export.update(Message::Range("8-24".to_owned()), &source);
    assert_eq!(target(export.update(Message::Start, &source)), path);
}

#[test]
fn only_a_file_confirmed_in_the_system_dialog_is_replaced_without_a_question() {
    let folder = tempfile::tempdir().unwrap();
    let document = document();
    let source = source(&document);
    let path = folder.path().join("keep.png");
    std::fs::write(&path, b"a text").unwrap();
    for (asked, queued) in [(true, true), (false, false)] {
        let mut export = export(&document, false, folder.path());
        let path = path.clone();
        export.update(Message::Chosen(Some(Target { path, asked })), &source);
        let started = export.update(Message::Start, &source);
        assert_eq!(matches!(started, Action::Queue(_)), queued);
    }
}

#[test]
fn the_file_extension_and_the_format_follow_each_other() {
    let document = moving();
    let source = source(&document);
    let mut export = export(&document, true, Path::new("out"));
    let mut typed = |name: &str| {
        export.update(Message::Path(name.to_owned()), &source);
        (
            export.format,
            export.job(&source).map(|(job, _)| job.output.path),
        )
    };
    let whole = |name: &str| Ok(PathBuf::from(name));
    assert_eq!(typed("x.gif"), (FileFormat::Gif, whole("x.gif")));
    assert_eq!(typed("x"), (FileFormat::Gif, whole("x.gif")));
    assert_eq!(typed("x.PNG"), (FileFormat::PngSequence, whole("x.PNG")));
    assert_eq!(typed("x.jpeg"), (FileFormat::Jpeg, whole("x.jpeg")));
    assert_eq!(typed("x.mp4"), (FileFormat::Mp4, whole("x.mp4")));
    let (format, refused) = typed("x.mov");
    assert_eq!(format, FileFormat::Mp4);
    assert!(refused.unwrap_err().contains("end it in .mp4"));
}

#[test]
fn the_export_dialog_reopens_with_its_last_settings() {
    let mut project = Project::new(moving());
    let mut left = Export::new(&project, true, 24.0, Path::new("out"));
    left.format = FileFormat::Webp;
    left.what = What::Grid;
    left.range = "3-9".to_owned();
    left.fps = "12".to_owned();
    left.quality = "55".to_owned();
    left.marked = false;
    project.set_export(left.settings(24.0));
    let again = Export::new(&project, true, 24.0, Path::new("out"));
    assert_eq!((again.format, again.what), (FileFormat::Webp, What::Grid));
    assert_eq!((again.range.as_str(), again.fps.as_str()), ("3-9", "12"));
    assert_eq!((again.quality.as_str(), again.marked), ("55", false));
    assert!(again.path.ends_with("me-mien.webp"));
    assert_eq!(again.settings(24.0), *project.export());
}

#[test]
fn the_export_queue_runs_one_job_at_a_time_and_retries_failed_ones() {
    use super::queue::{Ending, Message, Queue};
    let document = document();
    let (job, _) = export(&document, false, Path::new("out"))
        .job(&source(&document))
        .unwrap();
    let mut queue = Queue::default();
    assert!(queue.title().is_none() && queue.start().is_none());
    queue.push(job.clone());
    queue.push(job);
    let first = queue.start().unwrap();
    assert!(queue.start().is_none(), "one at a time");
    assert!(queue.title().unwrap().starts_with("2 exports"));
    let failed = Ending::Failed("no room".to_owned());
    assert!(
        queue
            .update(Message::Ended(first.id, Err(failed)))
            .is_none()
    );
    assert_eq!(queue.problem(first.id), Some("no room"));
    let second = queue.start().unwrap();
    queue.update(Message::Cancel(second.id));
    assert!(second.progress.cancel.is_cancelled());
    queue.update(Message::Ended(second.id, Err(Ending::Cancelled)));
    queue.update(Message::Retry(first.id));
    let again = queue.start().unwrap();
    assert_eq!(again.id, first.id);
    let path = queue.update(Message::Ended(again.id, Ok(Vec::new())));
    assert!(path.unwrap().ends_with("me-mien.png"));
    queue.update(Message::Forget(first.id));
    queue.update(Message::Forget(second.id));
    assert!(queue.title().is_none());
}
