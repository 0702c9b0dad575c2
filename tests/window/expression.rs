//! The sliders and the expressions they request.

use super::{TALL, act, act_in, app, asked, drag, edit, press, sample, simulator, target, unit};
use iced::keyboard::{Key, Modifiers, key};
use iced::{Event, keyboard, mouse};
use iced_test::selector;
use mien::app::{App, Message, Value, field_id, slider_id};
use mien::document::{AuVector, Channel, Glasses, Preset, Sides};

#[test]
fn moving_a_slider_requests_its_value_from_the_worker() {
    let mut app = app();
    let smile = unit(12);
    let own = app.document().source.get(smile);
    assert_eq!(target(&app), app.document().source);

    drag(&mut app, smile.into(), own, 0.25);
    let asked = target(&app).get(smile);
    assert!((asked - 0.25).abs() < 0.01, "{asked}");

    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(target(&app).get(smile), own);
    press(&mut app, "z", Modifiers::CTRL | Modifiers::SHIFT);
    assert_eq!(target(&app).get(smile), asked);
}

#[test]
fn one_drag_is_one_undo_step() {
    let mut app = app();
    let before = app.document().clone();
    drag(&mut app, unit(4).into(), 0.0, 0.3);
    drag(&mut app, unit(4).into(), 0.3, 0.9);
    assert!(app.document().base_pose.get(unit(4)) > 0.85);
    press(&mut app, "z", Modifiers::CTRL);
    let first = app.document().base_pose.get(unit(4));
    assert!((first - 0.3).abs() < 0.02, "{first}");
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(*app.document(), before);
}

#[test]
fn a_typed_number_is_applied_and_invalid_text_changes_nothing() {
    let mut app = app();
    let type_in = |app: &mut App, text: &str| {
        act(app, |window| {
            window
                .click(selector::id(field_id(unit(1).into())))
                .unwrap();
            window.simulate(select_all());
            window.typewrite(text);
        });
    };
    type_in(&mut app, "1");
    assert_eq!(target(&app).get(unit(1)), 1.0);
    drop(app.update(Message::Undo));
    let own = app.document().source.get(unit(1));
    assert_eq!(target(&app).get(unit(1)), own);
    for nonsense in ["x", "7", "-"] {
        type_in(&mut app, nonsense);
        assert_eq!(target(&app).get(unit(1)), own, "{nonsense}");
    }
}

fn select_all() -> [Event; 3] {
    let held = |modifiers| Event::Keyboard(keyboard::Event::ModifiersChanged(modifiers));
    let a = keyboard::Event::KeyPressed {
        key: Key::Character("a".into()),
        modified_key: Key::Character("a".into()),
        physical_key: key::Physical::Code(key::Code::KeyA),
        location: keyboard::Location::Standard,
        modifiers: Modifiers::CTRL,
        text: None,
        repeat: false,
    };
    [
        held(Modifiers::CTRL),
        Event::Keyboard(a),
        held(Modifiers::empty()),
    ]
}

#[test]
fn a_double_click_restores_the_value_of_the_portrait() {
    let mut app = app();
    let smile = unit(12);
    drag(&mut app, smile.into(), 0.8, 0.1);
    act(&mut app, |window| {
        let place = window
            .find(selector::id(slider_id(smile.into())))
            .unwrap()
            .bounds();
        window.point_at(place.center());
        let click = [
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)),
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)),
        ];
        window.simulate(click.clone());
        window.simulate(click);
    });
    assert_eq!(
        app.document().base_pose.get(smile),
        app.document().source.get(smile)
    );
}

#[test]
fn presets_and_reset_apply_on_one_click() {
    let mut app = app();
    act(&mut app, |window| {
        window.click("Angry").unwrap();
    });
    let presets = Preset::built_in().unwrap();
    let angry = Preset::find(&presets, "angry").unwrap();
    assert_eq!(target(&app), angry.pose);
    act(&mut app, |window| {
        window.click("Reset all").unwrap();
    });
    assert_eq!(target(&app), app.document().source);
}

#[test]
fn the_sliders_begin_at_the_measured_expression_and_neutralise_relaxes_it() {
    let mut app = app();
    let own = app.document().source;
    // Her portrait shows a broad smile with teeth.
    for code in [12, 25] {
        assert!(
            own.get(unit(code)) > 0.4,
            "AU{code} {}",
            own.get(unit(code))
        );
    }
    assert_eq!(target(&app), own);
    assert_eq!(edit(&app), 0.0);
    act(&mut app, |window| {
        window.click("Neutralise").unwrap();
    });
    assert_eq!(target(&app), AuVector::NEUTRAL);
    assert!(edit(&app) >= 0.05);
    act(&mut app, |window| {
        window.click("Set as neutral").unwrap();
    });
    assert_eq!(app.document().source, AuVector::NEUTRAL);
    assert_eq!(edit(&app), 0.0, "no edit is requested any more");
    press(&mut app, "z", Modifiers::CTRL);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(target(&app), own);
}

#[test]
fn another_portrait_is_read_relative_to_the_saved_neutral_face() {
    let mut app = app();
    let offered = |app: &App| simulator(app.view()).find("Use neutral").is_ok();
    act(&mut app, |window| {
        window.click("Set as neutral").unwrap();
    });
    assert!(!offered(&app), "it is the same face");
    drop(app.update(Message::Opened(Ok(sample(0)))));
    let plain = app.document().source;
    assert!(plain.get(unit(12)) > 0.4 && offered(&app));
    act(&mut app, |window| {
        window.click("Use neutral").unwrap();
    });
    // The same picture: compared with itself nothing changes.
    assert_eq!(app.document().source, AuVector::NEUTRAL);
    assert_eq!(edit(&app), 0.0);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(app.document().source, plain);
}

#[test]
fn sliders_limited_to_one_half_move_only_that_half() {
    let mut app = app();
    let brow = unit(2);
    let own = app.document().source.get(brow);
    act(&mut app, |window| {
        window.click("Left").unwrap();
    });
    drag(&mut app, brow.into(), own, 0.9);
    let asked = target(&app);
    assert!((asked.of(Sides::Left, brow) - 0.9).abs() < 0.02);
    assert_eq!(asked.of(Sides::Right, brow), own);
    // The sliders show the half of the face that they edit.
    act(&mut app, |window| {
        window.click("Right").unwrap();
    });
    drag(&mut app, brow.into(), own, 0.4);
    let asked = target(&app);
    assert!((asked.of(Sides::Left, brow) - 0.9).abs() < 0.02);
    assert!((asked.of(Sides::Right, brow) - 0.4).abs() < 0.02);
}

#[test]
fn strength_zero_requests_no_edit() {
    let mut app = app();
    act(&mut app, |window| {
        window.click("Sad").unwrap();
    });
    assert!(edit(&app) > 0.0);
    drag(&mut app, Value::Strength, 1.0, 0.0);
    assert_eq!(edit(&app), 0.0);
}

#[test]
fn the_head_sliders_turn_the_head_and_a_double_click_resets_them() {
    let mut app = app();
    drag(&mut app, Channel::Yaw.into(), 0.5, 0.8);
    drag(&mut app, Channel::GazeY.into(), 0.5, 0.1);
    let pose = target(&app);
    assert!((pose.head.yaw() - 12.0).abs() < 0.5, "{pose:?}");
    assert!((pose.gaze.y() + 20.0).abs() < 0.5, "{pose:?}");
    assert_eq!((pose.head.pitch(), pose.gaze.x()), (0.0, 0.0));
    assert_eq!(edit(&app), 0.0, "no Action Unit has moved");

    act_in(&mut app, TALL, |window| {
        window
            .click(selector::id(field_id(Channel::Pitch.into())))
            .unwrap();
        window.simulate(select_all());
        window.typewrite("-7.5");
    });
    assert_eq!(target(&app).head.pitch(), -7.5);
    act_in(&mut app, TALL, |window| {
        let slider = || selector::id(slider_id(Channel::Yaw.into()));
        window.click(slider()).unwrap();
        window.click(slider()).unwrap();
    });
    assert_eq!(target(&app).head.yaw(), 0.0);
    press(&mut app, "r", Modifiers::empty());
    assert_eq!(target(&app), app.document().source);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(target(&app).head.pitch(), -7.5);
}

#[test]
fn sliders_move_and_scale_the_head_and_a_double_click_resets_them() {
    let mut app = app();
    drag(&mut app, Channel::PlaceX.into(), 0.5, 0.7);
    // The portrait's size, 100, is at 30 of the slider's 70.
    drag(&mut app, Channel::Size.into(), 30.0 / 70.0, 50.0 / 70.0);
    let place = target(&app).place;
    assert!((place.x() - 20.0).abs() < 1.0, "{place:?}");
    assert!((place.size() - 120.0).abs() < 1.0, "{place:?}");
    assert_eq!(place.y(), 0.0);
    assert_eq!(edit(&app), 0.0, "no Action Unit has moved");
    act_in(&mut app, TALL, |window| {
        let slider = || selector::id(slider_id(Channel::Size.into()));
        window.click(slider()).unwrap();
        window.click(slider()).unwrap();
    });
    assert_eq!(target(&app).place.size(), 100.0);
    press(&mut app, "r", Modifiers::empty());
    assert_eq!(target(&app), app.document().source);
}

#[test]
fn a_hint_appears_when_no_pane_can_turn_the_head() {
    let mut app = app();
    let said = "GANimation can't move the head or the eyes.";
    assert!(simulator(app.view()).find(said).is_err(), "the rig can");
    // Closes the panes of the source and of the rig.
    for _ in 0..2 {
        act(&mut app, |window| {
            window.click("×").unwrap();
        });
    }
    simulator(app.view()).find(said).unwrap();
}

#[test]
fn glasses_are_rigid_or_bend_as_chosen() {
    let mut app = app();
    assert_eq!(asked(&app).subject.glasses, Glasses::Auto);
    for choice in [Glasses::Bend, Glasses::Rigid] {
        act_in(&mut app, TALL, |window| {
            window.click(choice.title()).unwrap();
        });
        assert_eq!(asked(&app).subject.glasses, choice);
    }
    drop(app.update(Message::Undo));
    assert_eq!(asked(&app).subject.glasses, Glasses::Bend);
}

#[test]
fn folds_follow_the_portrait_until_the_slider_moves() {
    let mut app = app();
    assert_eq!(asked(&app).subject.folds, None);
    drag(&mut app, Value::Folds, 1.0, 0.3);
    let folds = asked(&app).subject.folds.unwrap();
    assert!((folds - 0.3).abs() < 0.02, "{folds}");
    let type_in = |app: &mut App, text: &str| {
        act_in(app, TALL, |window| {
            window.click(selector::id(field_id(Value::Folds))).unwrap();
            window.simulate(select_all());
            window.typewrite(text);
        });
    };
    type_in(&mut app, "7");
    assert_eq!(asked(&app).subject.folds, Some(folds), "out of range");
    act_in(&mut app, TALL, |window| {
        let slider = || selector::id(slider_id(Value::Folds));
        window.click(slider()).unwrap();
        window.click(slider()).unwrap();
    });
    assert_eq!(asked(&app).subject.folds, None);
    press(&mut app, "z", Modifiers::CTRL);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(asked(&app).subject.folds, Some(folds));
    type_in(&mut app, "auto");
    assert_eq!(asked(&app).subject.folds, None);
    assert_eq!(edit(&app), 0.0, "the expression stays");
}

#[test]
fn the_folds_slider_appears_only_when_a_pane_uses_the_rig() {
    let mut app = app();
    let there = |app: &App| {
        let mut window = simulator(app.view());
        window.find(selector::id(slider_id(Value::Folds))).is_ok()
    };
    assert!(there(&app));
    // Closes the panes of the source and of the rig.
    for _ in 0..2 {
        act(&mut app, |window| {
            window.click("×").unwrap();
        });
    }
    assert!(!there(&app));
}

#[test]
fn a_switch_extends_the_sliders_beyond_the_usual_range() {
    let mut app = app();
    let smile = unit(12);
    let value = |app: &App| app.document().base_pose.get(smile);
    drag(&mut app, smile.into(), 0.5, 1.0);
    assert_eq!(value(&app), 1.0);
    let switch = |app: &mut App| {
        act(app, |window| {
            window.click("Wide range").unwrap();
        });
    };
    switch(&mut app);
    assert_eq!(value(&app), 1.0);
    // Full strength is now at three quarters of the slider, and relaxed at 1.
    drag(&mut app, smile.into(), 0.75, 0.9);
    assert!((value(&app) - 1.3).abs() < 0.03, "{}", value(&app));
    assert_eq!(target(&app).get(smile), value(&app));
    drag(&mut app, smile.into(), 0.9, 0.1);
    assert!((value(&app) + 0.3).abs() < 0.03, "{}", value(&app));
    let type_in = |app: &mut App, text: &str| {
        act(app, |window| {
            window.click(selector::id(field_id(smile.into()))).unwrap();
            window.simulate(select_all());
            window.typewrite(text);
        });
    };
    type_in(&mut app, "1.5");
    assert_eq!(value(&app), 1.5);
    // When switched off, values beyond the range stay until the slider is moved.
    switch(&mut app);
    assert_eq!(target(&app).get(smile), 1.5);
    type_in(&mut app, "-.3");
    assert_eq!(value(&app), 1.5, "out of range");
    drag(&mut app, smile.into(), 1.0, 0.9);
    assert!((value(&app) - 0.9).abs() < 0.02, "{}", value(&app));
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(value(&app), 1.5);
}

#[test]
fn a_hint_appears_when_no_pane_renders_values_beyond_the_usual_range() {
    let mut app = app();
    let said = "GANimation only draws Action Units from 0 to 1.";
    act(&mut app, |window| {
        window.click("Wide range").unwrap();
    });
    assert!(simulator(app.view()).find(said).is_err(), "the rig does");
    // Closes the panes of the source and of the rig.
    for _ in 0..2 {
        act(&mut app, |window| {
            window.click("×").unwrap();
        });
    }
    simulator(app.view()).find(said).unwrap();
    act(&mut app, |window| {
        window.click("Wide range").unwrap();
    });
    assert!(simulator(app.view()).find(said).is_err());
}
