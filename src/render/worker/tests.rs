//! The worker, with the bundled networks.

use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use crate::document::{
    ActionUnit, Document, FacePart, HeadTurn, Limit, MethodChoice, Mode, PaneView, Pose, Sides,
};
use crate::drive::driver::Driver;
use crate::face::portrait::Sample;
use crate::face::view::View;
use crate::media::image::Picture;
use crate::methods::ganimation::model::Model;
use crate::methods::subject::Subject;
use crate::render::composition::{Composition, PaneSource};
use crate::render::request::{RenderedPane, Wipe};
use crate::render::worker::*;

/// The first sample as its own relaxed face, computed once for all tests.
fn document() -> (Document, Arc<crate::face::portrait::Portrait>) {
    static SAMPLE: OnceLock<(Document, Arc<crate::face::portrait::Portrait>)> = OnceLock::new();
    let found = SAMPLE.get_or_init(|| {
        let model = Model::bundled().unwrap();
        let portrait = Sample::all()[0].open(model.crop()).unwrap();
        let mut document = portrait.document(1);
        document.set_neutral();
        (document, Arc::new(portrait))
    });
    found.clone()
}

/// Source and result, driven by an expression.
fn request(value: f32) -> Request {
    let (document, portrait) = document();
    let mut request = Request {
        subject: Subject::of(&document, &portrait, Model::bundled().unwrap().crop()),
        view: View::fit(120, 120, portrait.picture.size()),
        composition: Arc::new(Composition {
            driver: Driver::Nothing,
            panes: Vec::new(),
        }),
        step: 0,
        wipe: None,
        source: false,
        playing: false,
    };
    ask(&mut request, smile(Sides::Both, value));
    request
}

/// The head turned to one side, which every method can follow.
fn turned(value: f32) -> Pose {
    Pose {
        head: HeadTurn::new(15.0 * value, 0.0, 0.0),
        ..document().0.source.into()
    }
}

/// Requests an expression.
fn ask(request: &mut Request, pose: Pose) {
    ask_of(
        request,
        pose,
        &[MethodChoice::Source, MethodChoice::GANIMATION],
    );
}

/// Requests an expression from some methods.
fn ask_of(request: &mut Request, pose: Pose, methods: &[MethodChoice]) {
    let (mut document, _) = document();
    document.base_pose = pose;
    let driver = Driver::Track(Arc::new(document));
    let pane = |method: &MethodChoice| PaneSource {
        method: *method,
        weights: None,
        view: PaneView::Result,
        expression_by_rig: false,
        driver: driver.clone(),
        on_timeline: true,
    };
    request.composition = Arc::new(Composition {
        panes: methods.iter().map(pane).collect(),
        driver: driver.clone(),
    });
}

fn smile(sides: Sides, value: f32) -> Pose {
    Pose::NEUTRAL.with(sides, ActionUnit::from_code(12).unwrap(), value)
}

fn spawn() -> (Worker, mpsc::Receiver<()>) {
    spawn_with(|| {})
}

/// A worker that calls `then` after each notification of an outcome.
fn spawn_with(mut then: impl FnMut() + Send + 'static) -> (Worker, mpsc::Receiver<()>) {
    let (tx, rx) = mpsc::channel();
    let models = Arc::new(Models::new(Arc::new(Model::bundled().unwrap())));
    let wake = move || {
        tx.send(()).unwrap_or_default();
        then();
    };
    (Worker::spawn(models, wake).unwrap(), rx)
}

/// The pictures when a request is complete, in the order of its panes, and the numbers of the requests seen on the
/// way.
/// the way.
fn wait_for(
    worker: &Worker,
    rx: &mpsc::Receiver<()>,
    serial: u64,
) -> (Vec<RenderedPane>, Vec<u64>) {
    let (mut seen, mut panes) = (Vec::new(), Vec::new());
    loop {
        rx.recv_timeout(Duration::from_secs(240)).unwrap();
        while let Some(outcome) = worker.take() {
            let outcome = outcome.unwrap();
            seen.push(outcome.serial);
            if outcome.serial == serial {
                for pane in outcome.panes {
                    panes.retain(|draft: &RenderedPane| draft.index != pane.index);
                    panes.push(pane);
                }
                if outcome.complete {
                    panes.sort_by_key(|pane| pane.index);
                    return (panes, seen);
                }
            }
        }
    }
}

fn picture(pane: &RenderedPane) -> &Picture {
    pane.picture.as_ref().unwrap()
}

#[test]
fn the_newest_request_wins_and_no_older_outcome_follows_it() {
    // The worker is blocked at its first outcome until all requests have been sent.
    let (open, gate) = mpsc::channel::<()>();
    let (worker, rx) = spawn_with(move || gate.recv().unwrap_or_default());
    let one = request(0.5);
    let first = worker.send(one.clone());
    rx.recv_timeout(Duration::from_secs(240)).unwrap();
    let mut last = first;
    for i in 1..=200 {
        let mut next = one.clone();
        ask(&mut next, smile(Sides::Both, i as f32 / 200.0));
        last = worker.send(next);
    }
    drop(open);
    let (panes, seen) = wait_for(&worker, &rx, last);
    assert!(seen.is_sorted(), "{seen:?}");
    let between = seen
        .iter()
        .filter(|serial| **serial != first && **serial != last);
    assert_eq!(between.count(), 0, "{seen:?}");
    assert!(panes[1].mean_edit.unwrap() > 0.0 && panes[1].network_millis.is_some());
    assert_ne!(picture(&panes[0]), picture(&panes[1]));

    // The same expression in another view doesn't run the network.
    let mut again = request(1.0);
    again.view = again.view.zoomed(2.0, (60.0, 60.0));
    let (panes, _) = wait_for(&worker, &rx, worker.send(again));
    assert_eq!(panes[1].network_millis, None);
}

#[test]
fn without_an_edit_every_method_keeps_every_byte() {
    let (worker, rx) = spawn();
    let mut asked = request(0.0);
    let methods = [
        MethodChoice::Source,
        MethodChoice::Motion,
        MethodChoice::GANIMATION,
        MethodChoice::in_mode("fomm", Mode::Relative),
        MethodChoice::in_mode("tps", Mode::Relative),
    ];
    ask_of(&mut asked, smile(Sides::Both, 0.0), &methods);
    let (panes, _) = wait_for(&worker, &rx, worker.send(asked));
    for pane in &panes[1..] {
        assert!(
            picture(pane) == picture(&panes[0]),
            "{:?}",
            methods[pane.index]
        );
    }
    assert_eq!(panes[2].mean_edit, Some(0.0));
}

#[test]
fn a_track_drives_every_method_and_switching_methods_keeps_it() {
    let (worker, rx) = spawn();
    let mut asked = request(0.0);
    let pose = smile(Sides::Both, 1.0);
    let methods = [
        MethodChoice::Source,
        MethodChoice::GANIMATION,
        MethodChoice::in_mode("fomm", Mode::Relative),
        MethodChoice::in_mode("tps", Mode::Relative),
        MethodChoice::in_mode("tps", Mode::Standard),
    ];
    ask_of(&mut asked, pose, &methods);
    let (panes, _) = wait_for(&worker, &rx, worker.send(asked.clone()));
    for pane in &panes[1..] {
        assert!(
            picture(pane) != picture(&panes[0]),
            "{:?}",
            methods[pane.index]
        );
    }
    // Switch to one method and back: the others' pictures are still cached.
    ask_of(&mut asked, pose, &methods[..2]);
    wait_for(&worker, &rx, worker.send(asked.clone()));
    ask_of(&mut asked, pose, &methods);
    let (again, _) = wait_for(&worker, &rx, worker.send(asked.clone()));
    for (pane, before) in again.iter().zip(&panes) {
        assert_eq!(pane.network_millis, None, "{:?}", methods[pane.index]);
        let same = Arc::ptr_eq(
            pane.picture.as_ref().unwrap(),
            before.picture.as_ref().unwrap(),
        );
        assert!(same, "{:?}", methods[pane.index]);
    }
}

#[test]
fn drafts_are_rendered_during_a_gesture_and_full_frames_after_it() {
    let (worker, rx) = spawn();
    let mut asked = request(0.0);
    let methods = [
        MethodChoice::Source,
        MethodChoice::in_mode("fomm", Mode::Relative),
        MethodChoice::in_mode("tps", Mode::Relative),
    ];
    let mut drafts: Vec<RenderedPane> = Vec::new();
    let mut whole: Vec<RenderedPane> = Vec::new();
    for value in [0.6, 0.8, 1.0] {
        ask_of(&mut asked, turned(value), &methods);
        let serial = worker.send(asked.clone());
        (drafts, whole) = (Vec::new(), Vec::new());
        let mut complete = false;
        // The drag continues as soon as both drafts are there, and stops at last.
        while drafts.len() < 2 || (value == 1.0 && !complete) {
            rx.recv_timeout(Duration::from_secs(240)).unwrap();
            while let Some(outcome) = worker.take() {
                let outcome = outcome.unwrap();
                if outcome.serial == serial {
                    complete |= outcome.complete;
                    let (draft, full) = outcome.panes.into_iter().partition(|pane| pane.is_draft);
                    let (draft, full): (Vec<_>, Vec<_>) = (draft, full);
                    assert!(draft.is_empty() || whole.len() <= 1, "a draft came late");
                    drafts.extend(draft);
                    whole.extend(full);
                }
            }
        }
    }
    whole.sort_by_key(|pane| pane.index);
    drafts.sort_by_key(|pane| pane.index);
    let source = picture(&whole[0]);
    for (draft, full) in drafts.iter().zip(&whole[1..]) {
        assert_eq!(draft.index, full.index);
        assert!(picture(draft) != source && picture(draft) != picture(full));
        assert_eq!(draft.millis, None);
        // The draft's time is included in the frame's.
        assert!(draft.network_millis.is_some() && full.network_millis >= draft.network_millis);
    }

    // Diagnostics of the motion are no draft, and neither are cached pictures.
    let panes = whole.len();
    asked.view = asked.view.zoomed(1.5, (60.0, 60.0));
    let (again, _) = wait_for(&worker, &rx, worker.send(asked.clone()));
    assert_eq!(again.len(), panes);
    assert!(again.iter().all(|pane| pane.network_millis.is_none()));
    let (mut document, _) = document();
    document.base_pose = smile(Sides::Both, 0.4);
    for pane in &mut Arc::make_mut(&mut asked.composition).panes {
        pane.view = PaneView::Flow;
        pane.driver = Driver::Track(Arc::new(document.clone()));
    }
    let serial = worker.send(asked);
    let (flows, _) = wait_for(&worker, &rx, serial);
    assert!(
        flows[1..]
            .iter()
            .all(|pane| !pane.is_draft && pane.millis > Some(0.0))
    );
}

#[test]
fn the_error_of_a_pane_is_shown_in_that_pane() {
    let (worker, rx) = spawn();
    let mut asked = request(0.0);
    let methods = [
        MethodChoice::GANIMATION,
        MethodChoice::in_mode("fomm", Mode::Avd),
    ];
    ask_of(&mut asked, smile(Sides::Both, 1.0), &methods);
    let (panes, _) = wait_for(&worker, &rx, worker.send(asked));
    assert!(panes[0].picture.is_ok());
    let problem = panes[1].picture.as_ref().unwrap_err();
    assert!(problem.contains("FOMM has no mode avd"), "{problem}");
}

#[test]
fn missing_frames_are_rendered_ahead_during_playback() {
    let (worker, rx) = spawn();
    let mut asked = request(0.0);
    let (mut document, _) = document();
    document.track.set_frames(5);
    document.track.set_key(0, smile(Sides::Both, 0.2));
    document.track.set_key(4, smile(Sides::Both, 1.0));
    let driver = Driver::Track(Arc::new(document));
    asked.composition = Arc::new(Composition {
        panes: vec![PaneSource {
            method: MethodChoice::GANIMATION,
            weights: None,
            view: PaneView::Result,
            expression_by_rig: false,
            driver: driver.clone(),
            on_timeline: true,
        }],
        driver,
    });
    asked.playing = true;
    worker.send(asked);
    let mut rendered = Vec::new();
    // However slow the machine is, all of them arrive.
    while rendered != [true; 5] {
        rx.recv_timeout(Duration::from_secs(120)).unwrap();
        while let Some(outcome) = worker.take() {
            rendered = outcome.unwrap().rendered.unwrap_or(rendered);
        }
    }
}

#[test]
fn the_wipe_and_the_hold_key_show_the_source() {
    let (worker, rx) = spawn();
    let mut asked = request(1.0);
    asked.source = true;
    let (held, _) = wait_for(&worker, &rx, worker.send(asked.clone()));
    assert_eq!(picture(&held[0]), picture(&held[1]));
    asked.source = false;
    let wiped = |place| Wipe {
        pane: 1,
        under: Some(0),
        place,
    };
    asked.wipe = Some(wiped(1.0));
    let (all, _) = wait_for(&worker, &rx, worker.send(asked.clone()));
    assert_eq!(picture(&all[0]), picture(&all[1]));
    asked.wipe = Some(wiped(0.0));
    let (none, _) = wait_for(&worker, &rx, worker.send(asked));
    assert_ne!(picture(&none[0]), picture(&none[1]));
}

#[test]
fn an_edit_limited_to_a_half_or_part_changes_nothing_else() {
    let (worker, rx) = spawn();
    let draw = |asked: &Request| {
        let (panes, _) = wait_for(&worker, &rx, worker.send(asked.clone()));
        (picture(&panes[0]).clone(), picture(&panes[1]).clone())
    };
    // The difference of each half, and of the upper part, of the pane from the source.
    let changed = |asked: &Request| -> (u64, u64, u64) {
        let (source, result) = draw(asked);
        let mut sums = (0, 0, 0);
        let pixels = source.rgba().iter().zip(result.rgba()).enumerate();
        for (i, (a, b)) in pixels {
            let (x, y, d) = (i / 4 % 120, i / 480, u64::from(a.abs_diff(*b)));
            let (px, py) = asked.view.to_portrait((x as f64, y as f64));
            let crop = asked.subject.crop;
            let (u, v) = (
                (px as f32 - crop.x) / crop.side,
                (py as f32 - crop.y) / crop.side,
            );
            if u < 0.4 {
                sums.0 += d;
            } else if u > 0.6 {
                sums.1 += d;
            }
            if v < 0.4 {
                sums.2 += d;
            }
        }
        sums
    };
    let mut asked = request(1.0);
    let crop = asked.subject.crop;
    let middle = (
        f64::from(crop.x + 0.5 * crop.side),
        f64::from(crop.y + 0.5 * crop.side),
    );
    asked.view = View::about(120, 120, middle, f64::from(crop.side));
    let (left, right, upper) = changed(&asked);
    assert!(left > 0 && right > 0 && upper > 0);

    // A pose of one half leaves the other as in the portrait, and so does a limit.
    ask(&mut asked, smile(Sides::Left, 1.0));
    let (one, other, _) = changed(&asked);
    assert!(2 * one > left && other < right / 50, "{one} and {other}");
    ask(&mut asked, smile(Sides::Both, 1.0));
    asked.subject.limit = Limit::NONE.on(Sides::Left);
    let (one, other, _) = changed(&asked);
    assert!(2 * one > left && other < right / 50, "{one} and {other}");

    ask(&mut asked, smile(Sides::Both, 1.0));
    asked.subject.limit = Limit::NONE.toggled(FacePart::Mouth);
    let (.., above) = changed(&asked);
    assert!(20 * above < upper, "{above} of {upper}");
}

#[test]
fn a_crop_outside_the_image_is_an_error_and_the_worker_continues() {
    let (worker, rx) = spawn();
    let mut wrong = request(1.0);
    wrong.subject.crop.x = 5000.0;
    worker.send(wrong);
    rx.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(matches!(worker.take(), Some(Err(EngineError::Crop(_)))));
    let right = worker.send(request(1.0));
    wait_for(&worker, &rx, right);
}

#[test]
fn an_idle_worker_keeps_the_newest_request_pending() {
    let worker = Worker::idle();
    assert!(worker.pending().is_none());
    worker.send(request(0.1));
    worker.send(request(0.7));
    let pending = worker.pending().unwrap();
    let frame = pending.composition.requests(pending.step).remove(1);
    let pose = frame.sample.pose(&pending.subject);
    assert_eq!(pose, smile(Sides::Both, 0.7));
}
