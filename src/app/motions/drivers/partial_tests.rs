use std::time::{Duration, Instant};

use super::*;
use crate::app::motions::{list, reference};
use crate::app::{App, Message as Up, Notice, expression};
use crate::document::{Gesture, MotionKind};
use crate::face::portrait::Sample as Portraits;
use crate::methods::ganimation::model::Model;
use crate::render::worker::Worker;

/// A window on the first sample with the bundled clip chosen, which is read only by the test.
fn app() -> (App, u64) {
    let model = Arc::new(Model::bundled().unwrap());
    let portrait = Portraits::all()[0].open(model.crop()).unwrap();
    let models = Arc::new(Models::new(model));
    let mut app = App::new(models, Worker::idle(), Arc::new(portrait));
    let added = list::Message::Added(list::NewMotion::SampleClip);
    drop(app.update(Up::Motions(added)));
    let key = app.drivers.key(&chosen(&app)).unwrap();
    (app, key)
}

fn chosen(app: &App) -> Arc<Motion> {
    Arc::clone(app.project().motion(app.project().chosen()).unwrap())
}

/// The clip's partial analyses, and the complete one.
fn readings(app: &App) -> (Vec<Read>, Read) {
    let mut parts = Vec::new();
    let mut show = |part| parts.push(pictured(part));
    let progress = Progress::new(0);
    let whole = read(&chosen(app).kind, &app.models, &progress, &mut show);
    (parts, whole.unwrap())
}

fn send(app: &mut App, message: Message) {
    drop(app.update(Up::Drivers(message)));
}

fn said(app: &App) -> &str {
    match &app.status.notice {
        Some(Notice::Hint(words) | Notice::Problem(words)) => words,
        None => "",
    }
}

#[test]
fn a_partial_analysis_drives_panes_until_the_complete_one_replaces_it() {
    let (mut app, key) = app();
    let (parts, whole) = readings(&app);
    let asked = |app: &App| app.request().unwrap().composition;
    assert!(matches!(asked(&app).driver, Driver::Nothing));

    send(&mut app, Message::Part(key, parts[0].clone()));
    let composition = asked(&app);
    assert_eq!(composition.driver.frames(), 8);
    assert!(!composition.driver.is_complete());
    let panes = composition.panes.iter();
    assert!(panes.clone().count() > 0);
    assert!(panes.into_iter().all(|pane| pane.driver.frames() == 8));
    let motion = chosen(&app);
    let (thumbs, scores) = app.drivers.filmstrip(&motion);
    assert_eq!((thumbs.len(), scores.len()), (8, 8));
    assert_eq!(app.drivers.poses(motion.id).len(), 8);
    // The list and the timeline still show progress.
    let state = app.drivers.state(&motion);
    assert!(matches!(state, MotionState::Reading(_)), "{state:?}");
    assert!(app.timeline.reading.clone().unwrap().contains("Reading"));
    drop(app.update(Up::Timeline(crate::app::timeline::Message::Scrubbed(7))));
    assert_eq!(app.timeline.frame(), 7);

    // What needs the complete analysis is refused.
    let before = app.project().clone();
    drop(app.update(Up::Bake));
    assert!(said(&app).contains("still being read"), "{}", said(&app));
    app.status.notice = None;
    let trim = reference::Change::Trim {
        from: Some(0.1),
        to: None,
    };
    drop(app.update(Up::Reference(reference::Message::Trimmed(trim))));
    assert!(said(&app).contains("still being read"), "{}", said(&app));
    assert_eq!(*app.project(), before);

    let frames = whole.0.frames();
    send(&mut app, Message::Read(key, Ok(whole)));
    let driver = asked(&app).driver.clone();
    assert_eq!(
        (driver.frames() as usize, driver.is_complete()),
        (frames, true)
    );
    // The playhead stayed where it was.
    assert_eq!(app.timeline.frame(), 7);
    assert_eq!(app.timeline.reading, None);
    drop(app.update(Up::Reference(reference::Message::Trimmed(trim))));
    drop(app.update(Up::Bake));
    assert_eq!(app.project().motions().len(), before.motions().len() + 1);

    // A late partial analysis changes nothing.
    send(&mut app, Message::Part(key, parts[0].clone()));
    assert_eq!(app.drivers.analysis(&motion).unwrap().frames(), frames);
}

#[test]
fn a_cancelled_analysis_is_removed_and_its_late_results_are_ignored() {
    let (mut app, key) = app();
    let (parts, _) = readings(&app);
    send(&mut app, Message::Part(key, parts[0].clone()));
    let motion = chosen(&app);
    let part = Arc::downgrade(&parts[0].0);
    drop(app.update(Up::Motions(list::Message::Cancelled(motion.id))));
    assert!(app.project().motion(motion.id).is_none());
    send(&mut app, Message::Part(key, parts[0].clone()));
    assert!(app.drivers.analyses[&key].read().is_none());
    send(&mut app, Message::Read(key, Err(None)));
    assert!(app.drivers.analyses.is_empty() && app.drivers.ready.len() == 1);
    drop(parts);
    // A frame may still be being decoded from it.
    let began = Instant::now();
    while part.upgrade().is_some() {
        assert!(began.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(5));
    }

    // Undo brings the motion back, and it is read again.
    drop(app.update(Up::Undo));
    assert!(app.drivers.is_reading());
    assert!(app.drivers.analysis(&motion).is_none());
}

#[test]
fn a_driver_is_rebuilt_only_when_its_inputs_change() {
    let (mut app, key) = app();
    let (_, whole) = readings(&app);
    send(&mut app, Message::Read(key, Ok(whole)));
    let motion = chosen(&app);
    let id = motion.id;
    let scores = |app: &App| Arc::clone(&app.drivers.ready[&id].scores);
    let (driver, curve) = (app.drivers.driver(id), scores(&app));
    assert_eq!(curve.len() as u32, driver.frames());

    // Neither a slider of the expression track nor a rename remakes the drivers.
    for value in [0.2, 0.4] {
        let moved = expression::Message::Moved(expression::Value::Strength, value);
        drop(app.update(Up::Expression(moved)));
        assert!(app.drivers.driver(id).same(&driver));
    }
    app.history
        .edit_project(|project| project.rename(id, "Other"));
    send(&mut app, Message::Watched);
    assert!(app.drivers.driver(id).same(&driver));

    // A setting of the clip does; the scores and the smoothed units stay.
    let reading = |app: &App| {
        let track = app
            .drivers
            .analysis(&motion)
            .unwrap()
            .track
            .as_ref()
            .unwrap();
        crate::drive::au_track::Reading {
            smoothing: crate::drive::clip_driver::smoothing(0.5, 0.5),
            use_baseline: track.shows_relaxed_face(),
        }
    };
    let smoothed = |app: &App| {
        let analysis = Arc::clone(app.drivers.analysis(&motion).unwrap());
        analysis.smoothed(reading(app))
    };
    let before = smoothed(&app);
    app.history
        .drag_project(Gesture::Motion(id, "strength"), |project| {
            project.change_motion(id, |kind| {
                if let MotionKind::Clip(clip) = kind {
                    clip.follow.strength = 0.5;
                }
            });
        });
    send(&mut app, Message::Watched);
    assert!(!app.drivers.driver(id).same(&driver));
    assert!(Arc::ptr_eq(&scores(&app), &curve));
    assert!(Arc::ptr_eq(&smoothed(&app), &before));
}
