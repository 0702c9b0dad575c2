//! Keyframes and the timeline.

use super::{act, app, drag, escape, frames, keys, press, simulator, target, unit};
use iced::keyboard::{Key, Modifiers, key};
use iced::{Event, Point, keyboard, mouse};
use iced_test::selector;
use mien::app::{App, EDGE, Message, SHEET, timeline_plot};
use mien::document::{Channel, Pose};

/// Presses a named key.
fn tap(app: &mut App, named: key::Named, code: key::Code) {
    let event = keyboard::Event::KeyPressed {
        key: Key::Named(named),
        modified_key: Key::Named(named),
        physical_key: key::Physical::Code(code),
        location: keyboard::Location::Standard,
        modifiers: Modifiers::empty(),
        text: None,
        repeat: false,
    };
    drop(app.update(Message::Keyboard(event)));
}

/// Moves the playhead by some frames.
fn step(app: &mut App, frames: i32) {
    for _ in 0..frames.abs() {
        if frames > 0 {
            tap(app, key::Named::ArrowRight, key::Code::ArrowRight);
        } else {
            tap(app, key::Named::ArrowLeft, key::Code::ArrowLeft);
        }
    }
}

/// Drags over the timeline's curves, from a frame and a value to others; a click if both are the same.
fn drag_keys(app: &mut App, from: (f32, f32), to: (f32, f32)) {
    drag_keys_holding(app, Modifiers::empty(), from, to);
}

fn drag_keys_holding(app: &mut App, held: Modifiers, from: (f32, f32), to: (f32, f32)) {
    let last = app.document().track.frames() as f32 - 1.0;
    act(app, |window| {
        let place = window.find(selector::id(SHEET)).unwrap().bounds();
        let plot = timeline_plot(place.size());
        let at = |(frame, value): (f32, f32)| {
            Point::new(
                place.x + plot.x + frame / last * plot.width,
                place.y + plot.y + (1.0 - value) * plot.height,
            )
        };
        window.simulate([Event::Keyboard(keyboard::Event::ModifiersChanged(held))]);
        window.point_at(at(from));
        window.simulate([Event::Mouse(mouse::Event::ButtonPressed(
            mouse::Button::Left,
        ))]);
        window.point_at(at(to));
        let position = at(to);
        window.simulate([
            Event::Mouse(mouse::Event::CursorMoved { position }),
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)),
        ]);
    });
}

#[test]
fn dragging_the_edge_of_the_timeline_resizes_it() {
    let mut app = app();
    let height = |app: &App| {
        let mut window = simulator(app.view());
        window.find(selector::id(SHEET)).unwrap().bounds().height
    };
    let before = height(&app);
    act(&mut app, |window| {
        let edge = window.find(selector::id(EDGE)).unwrap().bounds();
        let at = |by: f32| Point::new(edge.center_x(), edge.center_y() - by);
        window.point_at(at(0.0));
        window.simulate([Event::Mouse(mouse::Event::ButtonPressed(
            mouse::Button::Left,
        ))]);
        window.point_at(at(90.0));
        window.simulate([
            Event::Mouse(mouse::Event::CursorMoved { position: at(90.0) }),
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)),
        ]);
    });
    assert_eq!(height(&app), before + 90.0);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(height(&app), before + 90.0, "not an undo step");
}

#[test]
fn dragging_a_key_with_ctrl_stretches_the_selection_in_time() {
    let mut app = raising();
    let frames = |app: &App| -> Vec<u32> { keys(app, 1).iter().map(|key| key.0).collect() };
    assert_eq!(frames(&app), [0, 24]);
    press(&mut app, "a", Modifiers::CTRL);
    drag_keys_holding(&mut app, Modifiers::CTRL, (24.0, 0.8), (36.0, 0.8));
    assert_eq!(frames(&app), [0, 36]);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(frames(&app), [0, 24]);
}

#[test]
fn two_keyframes_make_a_movement_and_undo_removes_it() {
    let mut app = app();
    press(&mut app, "k", Modifiers::empty());
    let own = target(&app);
    let right = keyboard::Event::KeyPressed {
        key: Key::Named(key::Named::ArrowRight),
        modified_key: Key::Named(key::Named::ArrowRight),
        physical_key: key::Physical::Code(key::Code::ArrowRight),
        location: keyboard::Location::Standard,
        modifiers: Modifiers::empty(),
        text: None,
        repeat: false,
    };
    for _ in 0..24 {
        drop(app.update(Message::Keyboard(right.clone())));
    }
    act(&mut app, |window| {
        window.click("Surprised").unwrap();
    });
    assert_eq!(app.document().track.moments().len(), 2);
    let surprised = target(&app);
    let left = match right {
        keyboard::Event::KeyPressed {
            location,
            modifiers,
            ..
        } => keyboard::Event::KeyPressed {
            key: Key::Named(key::Named::ArrowLeft),
            modified_key: Key::Named(key::Named::ArrowLeft),
            physical_key: key::Physical::Code(key::Code::ArrowLeft),
            location,
            modifiers,
            text: None,
            repeat: false,
        },
        _ => unreachable!("made above"),
    };
    for _ in 0..12 {
        drop(app.update(Message::Keyboard(left.clone())));
    }
    let between = target(&app);
    let middle: Pose = own.lerp(&surprised, 0.5);
    assert!(between.distance(&middle) < 1e-5);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(app.document().track.moments().len(), 1);
    press(&mut app, "z", Modifiers::CTRL);
    assert!(app.document().track.is_empty());
}

/// A window with the inner brows keyed at the first frame and, at 0.8, at the twenty-fifth; nothing else moves.
fn raising() -> App {
    let mut app = app();
    press(&mut app, "k", Modifiers::empty());
    step(&mut app, 24);
    let own = app.document().source.get(unit(1));
    drag(&mut app, unit(1).into(), own, 0.8);
    app
}

#[test]
fn one_slider_can_be_keyed_and_its_value_is_interpolated() {
    let mut app = raising();
    let raised = keys(&app, 1);
    assert_eq!(frames(&app, 1), [0, 24]);
    assert_eq!(frames(&app, 12), [0], "the others have no key there");
    step(&mut app, -12);
    let between = target(&app).get(unit(1));
    let middle = 0.5 * (raised[0].1 + raised[1].1);
    assert!((between - middle).abs() < 1e-5, "{between} {middle}");
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(frames(&app, 1), [0]);
}

#[test]
fn box_selected_keys_are_deleted_and_restored_by_undo() {
    let mut app = raising();
    drag_keys(&mut app, (21.0, 0.98), (27.0, 0.6));
    tap(&mut app, key::Named::Delete, key::Code::Delete);
    assert_eq!(frames(&app, 1), [0]);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(frames(&app, 1), [0, 24]);
    // If the box selects nothing, the keys under the playhead are used.
    drag_keys(&mut app, (5.0, 0.98), (9.0, 0.9));
    tap(&mut app, key::Named::Home, key::Code::Home);
    tap(&mut app, key::Named::Delete, key::Code::Delete);
    assert_eq!(frames(&app, 1), [24]);
    assert!(frames(&app, 12).is_empty());
}

#[test]
fn dragging_a_key_in_time_and_value_is_one_undo_step() {
    let mut app = raising();
    let before = keys(&app, 1);
    drag_keys(&mut app, (24.0, before[1].1), (36.0, before[1].1));
    assert_eq!(keys(&app, 1), [before[0], (36, before[1].1)]);
    drag_keys(&mut app, (36.0, before[1].1), (40.0, 0.5));
    let moved = keys(&app, 1)[1];
    assert_eq!(moved.0, 40);
    assert!((moved.1 - 0.5).abs() < 0.02, "{moved:?}");
    // With Shift along one axis only.
    drag_keys_holding(&mut app, Modifiers::SHIFT, (40.0, 0.5), (24.0, 0.55));
    assert_eq!(
        keys(&app, 1)[1],
        (40, moved.1),
        "Shift took it out of the selection"
    );
    drag_keys(&mut app, (5.0, 0.98), (5.0, 0.98));
    drag_keys_holding(&mut app, Modifiers::SHIFT, (40.0, 0.5), (24.0, 0.55));
    assert_eq!(keys(&app, 1)[1], (24, moved.1));
    for _ in 0..3 {
        press(&mut app, "z", Modifiers::CTRL);
    }
    assert_eq!(keys(&app, 1), before);
}

#[test]
fn keys_are_copied_cut_and_pasted_at_the_playhead() {
    let mut app = raising();
    let before = keys(&app, 1);
    press(&mut app, "a", Modifiers::CTRL);
    press(&mut app, "c", Modifiers::CTRL);
    drop(app.update(Message::Keyboard(escape())));
    step(&mut app, -18);
    press(&mut app, "v", Modifiers::CTRL);
    assert_eq!(frames(&app, 1), [0, 6, 24, 30]);
    assert_eq!(keys(&app, 1)[1].1, before[0].1);
    // The pasted keys are selected.
    press(&mut app, "x", Modifiers::CTRL);
    assert_eq!(keys(&app, 1), before);
    tap(&mut app, key::Named::Home, key::Code::Home);
    press(&mut app, "v", Modifiers::CTRL);
    assert_eq!(keys(&app, 1), before);
}

#[test]
fn a_double_click_on_a_curve_adds_a_key_without_changing_the_curve() {
    let mut app = raising();
    step(&mut app, -12);
    let before = app.document().pose(12);
    let last = app.document().track.frames() as f32 - 1.0;
    act(&mut app, |window| {
        let place = window.find(selector::id(SHEET)).unwrap().bounds();
        window.point_at(Point::new(
            place.x + 112.0 + 12.0 / last * (place.width - 126.0),
            place.y + 29.0 + (1.0 - before.get(unit(1))) * (place.height - 38.0),
        ));
        let click = [
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)),
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)),
        ];
        window.simulate(click.clone());
        window.simulate(click);
    });
    assert_eq!(frames(&app, 1), [0, 12, 24]);
    assert_eq!(app.document().pose(12), before);
}

#[test]
fn the_dope_sheet_moves_all_keys_of_one_time() {
    let mut app = raising();
    act(&mut app, |window| {
        window.click("Dope sheet").unwrap();
    });
    // The first row is that of all keys.
    drag_keys(&mut app, (0.0, 0.97), (10.0, 0.97));
    assert_eq!(frames(&app, 1), [10, 24]);
    assert_eq!(frames(&app, 12), [10]);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(frames(&app, 12), [0]);
}

#[test]
fn playback_stays_between_the_in_and_out_points_and_undo_removes_them() {
    let mut app = raising();
    press(&mut app, "o", Modifiers::empty());
    step(&mut app, -12);
    press(&mut app, "i", Modifiers::empty());
    let track = &app.document().track;
    assert_eq!(track.range(), Some((12, 24)));
    assert_eq!(track.order().len(), 13);
    tap(&mut app, key::Named::Home, key::Code::Home);
    assert_eq!(target(&app), app.document().pose(12));
    act(&mut app, |window| {
        window.click("All frames").unwrap();
    });
    assert_eq!(app.document().track.range(), None);
    press(&mut app, "z", Modifiers::CTRL);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(app.document().track.range(), Some((0, 24)));
}

#[test]
fn head_keys_are_set_dragged_and_undone_like_those_of_action_units() {
    let mut app = app();
    drag(&mut app, Channel::Yaw.into(), 0.5, 0.75);
    press(&mut app, "k", Modifiers::empty());
    step(&mut app, 24);
    drag(&mut app, Channel::Yaw.into(), 0.75, 0.25);
    let keys = |app: &App| -> Vec<(u32, f32)> {
        let track = &app.document().track;
        let keys = track.curve(Channel::Yaw).keys().iter();
        keys.map(|key| (track.frame_at(key.time), key.left))
            .collect()
    };
    let before = keys(&app);
    let frames: Vec<u32> = before.iter().map(|key| key.0).collect();
    assert_eq!(frames, [0, 24]);
    assert_eq!(
        app.document().track.keyed().collect::<Vec<_>>(),
        [Channel::Yaw]
    );
    let share = |key: (u32, f32)| Channel::Yaw.normalise(key.1);
    drag_keys(&mut app, (24.0, share(before[1])), (36.0, 0.5));
    let moved = keys(&app);
    assert_eq!(moved[0], before[0]);
    assert_eq!(moved[1].0, 36);
    assert!(moved[1].1.abs() < 1.0, "{moved:?}");
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(keys(&app), before);
}
