//! Clips and samples as motions, and the panes they drive.

use std::path::Path;

use super::{act, app, asked, drag, press, simulator, target, unit};
use iced::futures::StreamExt;
use iced::futures::executor::block_on;
use iced::keyboard::Modifiers;
use iced_test::runtime::{Action, task::into_stream};
use iced_test::selector;
use mien::app::{App, Message};
use mien::document::MotionKind;
use mien::drive::driver::Driver;
use mien::render::composition::PaneSource;

/// Adds the bundled clip to the motions and reads it.
fn with_the_sample_clip(app: &mut App) {
    let before = app.project().motions().len();
    act(app, |window| {
        window.click("+ Add motion").unwrap();
    });
    act(app, |window| {
        window.click("Sample clip").unwrap();
    });
    assert_eq!(app.project().motions().len(), before + 1);
    app.read_now();
}

/// Adds a sampled motion and waits until it has been drawn, which happens in the background.
fn add_a_sampled_motion(app: &mut App) {
    act(app, |window| {
        window.click("+ Add motion").unwrap();
    });
    let clicked: Vec<Message> = {
        let mut window = simulator(app.view());
        window.click("Sampled motion").unwrap();
        window.into_messages().collect()
    };
    for message in clicked {
        let Some(mut actions) = into_stream(app.update(message)) else {
            continue;
        };
        while let Some(action) = block_on(actions.next()) {
            if let Action::Output(drawn @ Message::SampleDrawn(_)) = action {
                drop(app.update(drawn));
                break;
            }
        }
    }
}

/// The sampled codes of the selected motion.
fn codes(app: &App) -> (Vec<f32>, Vec<Vec<f32>>) {
    let chosen = app.project().motion(app.project().chosen()).unwrap();
    match &chosen.kind {
        MotionKind::Sample(sampled) => {
            (sampled.codes.content.clone(), sampled.codes.epsilon.clone())
        }
        other => panic!("{}", other.title()),
    }
}

#[test]
fn a_dropped_clip_becomes_a_motion_and_undo_removes_it() {
    let mut app = app();
    let before = app.project().clone();
    let clip = Path::new("somewhere/reference.mp4").to_owned();
    drop(app.update(Message::OpenFile(Some(clip))));
    let chosen = app.project().motion(app.project().chosen()).unwrap();
    assert_eq!(chosen.name, "reference.mp4");
    assert!(matches!(chosen.kind, MotionKind::Clip(_)));
    // The file is missing: the list shows it and asks for its location.
    app.read_now();
    let mut window = simulator(app.view());
    assert!(window.find("reference.mp4 is missing").is_ok());
    assert!(window.find("Locate…").is_ok());
    drop(window);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(*app.project(), before);
}

#[test]
fn a_clip_drives_every_pane_and_can_be_baked_to_a_track() {
    let mut app = app();
    with_the_sample_clip(&mut app);
    let frames = {
        let composition = asked(&app).composition;
        assert!(
            composition
                .panes
                .iter()
                .all(|pane| matches!(pane.driver, Driver::Clip(_)))
        );
        composition.driver.frames()
    };
    assert!(frames > 20, "{frames}");
    drop(app.update(Message::Bake));
    let track = &app.document().track;
    assert_eq!(track.frames(), frames);
    assert!(track.moments().len() as u32 > frames / 2);
    assert!(app.project().is_editable());
    let baked = asked(&app).composition;
    assert!(matches!(baked.driver, Driver::Track(_)));
    press(&mut app, "z", Modifiers::CTRL);
    assert!(app.document().track.is_empty() && !app.project().is_editable());
}

#[test]
fn moving_a_slider_selects_the_track_again() {
    let mut app = app();
    with_the_sample_clip(&mut app);
    assert!(!app.project().is_editable());
    drag(&mut app, unit(4).into(), 0.0, 0.6);
    assert!(app.project().is_editable());
    assert!((target(&app).get(unit(4)) - 0.6).abs() < 0.02);
}

#[test]
fn rolling_with_locked_content_resamples_only_the_motion() {
    let mut app = app();
    add_a_sampled_motion(&mut app);
    let (content, motion) = codes(&app);
    for control in ["board-lock-ContentSeed", "board-roll"] {
        act(&mut app, |window| {
            window.click(selector::id(control)).unwrap();
        });
    }
    let (same, other) = codes(&app);
    assert_eq!(same, content);
    assert_ne!(other, motion);
    // Undo reverts all of it: the roll, the lock, the motion.
    for _ in 0..3 {
        press(&mut app, "z", Modifiers::CTRL);
    }
    assert_eq!(app.project().motions().len(), 1);
}

#[test]
fn a_pane_keeps_its_assigned_motion() {
    let mut app = app();
    act(&mut app, |window| {
        window.click("Methods").unwrap();
    });
    with_the_sample_clip(&mut app);
    let clip = app.project().chosen();
    // Which panes are driven by the clip.
    let led = |app: &App| -> Vec<bool> {
        let led = |pane: &PaneSource| matches!(pane.driver, Driver::Clip(_));
        asked(app).composition.panes.iter().map(led).collect()
    };
    let panes = app.project().panes().len();
    assert_eq!(led(&app), vec![true; panes]);

    // Assigns the clip to the second pane alone.
    for _ in 0..app.project().motions().len() {
        act(&mut app, |window| {
            window.click(selector::id("pane-motion-2")).unwrap();
        });
    }
    assert_eq!(app.project().panes()[1].motion, Some(clip));
    act(&mut app, |window| {
        window.click("Expression 1").unwrap();
    });
    assert_ne!(app.project().chosen(), clip);
    let mut only_the_second = vec![false; panes];
    only_the_second[1] = true;
    assert_eq!(led(&app), only_the_second);

    // Set to follow the selected motion, it is driven like the others.
    act(&mut app, |window| {
        window.click(selector::id("pane-motion-2")).unwrap();
    });
    assert_eq!(app.project().panes()[1].motion, None);
    assert_eq!(led(&app), vec![false; panes]);
}

#[test]
fn a_narrow_pane_offers_its_motions_by_a_button() {
    let mut app = app();
    act(&mut app, |window| {
        window.click("Methods").unwrap();
    });
    assert!(
        simulator(app.view())
            .find(selector::id("pane-motion-2"))
            .is_err()
    );
    with_the_sample_clip(&mut app);
    let motions: Vec<_> = app.project().motions().iter().map(|m| m.id).collect();
    let next = [Some(motions[0]), Some(motions[1]), None];
    for motion in next {
        act(&mut app, |window| {
            window.click(selector::id("pane-motion-2")).unwrap();
        });
        assert_eq!(app.project().panes()[1].motion, motion);
    }
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(app.project().panes()[1].motion, next[1]);
}
