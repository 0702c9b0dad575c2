//! The window, driven as a hand would: what is clicked and typed goes to the worker, and undo brings it back.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use iced::keyboard::{self, Key, Modifiers, key};
use iced::{Element, Event, Point, Settings, Size, mouse};
use iced_test::{Simulator, selector};
use mien::app::{
    App, EDGE, Message, SHEET, Value, field_id, slider_id, slider_place, theme, timeline_plot,
};
use mien::document::{
    ActionUnit, AuVector, Mode, MotionKind, Part, Pose, Preset, Show, Sides, Way,
};
use mien::drive::driver::Driver;
use mien::face::portrait::{Portrait, Sample};
use mien::media::encode::save_png;
use mien::media::image::{Picture, open};
use mien::methods::ganimation::model::Model;
use mien::methods::models::Models;
use mien::render::composition::Voice;
use mien::render::worker::{Request, Worker};
use mien::weights::Bundled;

const SIZE: Size = Size::new(1360.0, 860.0);

fn unit(code: u8) -> ActionUnit {
    ActionUnit::from_code(code).unwrap()
}

/// A window on the first sample, with a worker that only keeps what it is asked.
fn app() -> App {
    let model = Arc::new(Model::bundled().unwrap());
    App::new(Arc::new(Models::new(model)), Worker::idle(), sample(0))
}

/// A sample with its face found, once for all tests.
fn sample(index: usize) -> Arc<Portrait> {
    static SAMPLES: OnceLock<Vec<Arc<Portrait>>> = OnceLock::new();
    let samples = SAMPLES.get_or_init(|| {
        let model = Model::bundled().unwrap();
        let all = Sample::all().iter();
        all.map(|sample| Arc::new(sample.open(model.crop()).unwrap()))
            .collect()
    });
    Arc::clone(&samples[index])
}

fn asked(app: &App) -> Request {
    app.worker().pending().unwrap()
}

fn simulator<'a>(view: Element<'a, Message>) -> Simulator<'a, Message> {
    let settings = Settings {
        fonts: vec![include_bytes!("../../resources/fonts/FiraCode-Regular.ttf").into()],
        ..Settings::default()
    };
    Simulator::with_size(settings, SIZE, view)
}

/// Does something with the window as it stands, then hands the messages to the application.
fn act(app: &mut App, hand: impl FnOnce(&mut Simulator<'_, Message>)) {
    let messages: Vec<Message> = {
        let mut window = simulator(app.view());
        hand(&mut window);
        window.into_messages().collect()
    };
    for message in messages {
        drop(app.update(message));
    }
}

fn press(app: &mut App, letter: &str, modifiers: Modifiers) {
    let code = match letter {
        "a" => key::Code::KeyA,
        "c" => key::Code::KeyC,
        "i" => key::Code::KeyI,
        "k" => key::Code::KeyK,
        "o" => key::Code::KeyO,
        "s" => key::Code::KeyS,
        "4" => key::Code::Digit4,
        "n" => key::Code::KeyN,
        "?" => key::Code::Slash,
        "v" => key::Code::KeyV,
        "x" => key::Code::KeyX,
        "z" => key::Code::KeyZ,
        other => panic!("no such key: {other}"),
    };
    let event = keyboard::Event::KeyPressed {
        key: Key::Character(letter.into()),
        modified_key: Key::Character(letter.into()),
        physical_key: key::Physical::Code(code),
        location: keyboard::Location::Standard,
        modifiers,
        text: None,
        repeat: false,
    };
    drop(app.update(Message::Keyboard(event)));
}

fn escape() -> keyboard::Event {
    keyboard::Event::KeyPressed {
        key: Key::Named(key::Named::Escape),
        modified_key: Key::Named(key::Named::Escape),
        physical_key: key::Physical::Code(key::Code::Escape),
        location: keyboard::Location::Standard,
        modifiers: Modifiers::empty(),
        text: None,
        repeat: false,
    }
}

/// Presses a key that isn't a letter.
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

/// Steps the playhead by some frames.
fn step(app: &mut App, frames: i32) {
    for _ in 0..frames.abs() {
        if frames > 0 {
            tap(app, key::Named::ArrowRight, key::Code::ArrowRight);
        } else {
            tap(app, key::Named::ArrowLeft, key::Code::ArrowLeft);
        }
    }
}

/// Drags across the timeline's curves, from a frame and a value to others; in the same place it is a click.
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

/// Drags across a slider, from one value to another.
fn drag(app: &mut App, value: Value, from: f32, to: f32) {
    act(app, |window| {
        let place = window
            .find(selector::id(slider_id(value)))
            .unwrap()
            .bounds();
        let at =
            |value: f32| Point::new(place.x + slider_place(value, place.width), place.center_y());
        let moved = |value: f32| {
            Event::Mouse(mouse::Event::CursorMoved {
                position: at(value),
            })
        };
        window.point_at(at(from));
        window.simulate([
            moved(from),
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)),
        ]);
        window.point_at(at(to));
        window.simulate([
            moved(to),
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)),
        ]);
    });
}

#[test]
fn a_slider_moves_and_the_worker_is_asked_for_that_value() {
    let mut app = app();
    let smile = unit(12);
    let own = app.document().source.get(smile);
    assert_eq!(asked(&app).scene.target, app.document().source);

    drag(&mut app, Value::Unit(smile), own, 0.25);
    let target = asked(&app).scene.target.get(smile);
    assert!((target - 0.25).abs() < 0.01, "{target}");

    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(asked(&app).scene.target.get(smile), own);
    press(&mut app, "z", Modifiers::CTRL | Modifiers::SHIFT);
    assert_eq!(asked(&app).scene.target.get(smile), target);
}

#[test]
fn a_whole_drag_is_one_step_of_undo() {
    let mut app = app();
    let before = app.document().clone();
    drag(&mut app, Value::Unit(unit(4)), 0.0, 0.3);
    drag(&mut app, Value::Unit(unit(4)), 0.3, 0.9);
    assert!(app.document().still.get(unit(4)) > 0.85);
    press(&mut app, "z", Modifiers::CTRL);
    let first = app.document().still.get(unit(4));
    assert!((first - 0.3).abs() < 0.02, "{first}");
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(*app.document(), before);
}

#[test]
fn a_number_is_typed_and_nonsense_changes_nothing() {
    let mut app = app();
    let type_in = |app: &mut App, text: &str| {
        act(app, |window| {
            window
                .click(selector::id(field_id(Value::Unit(unit(1)))))
                .unwrap();
            window.simulate(select_all());
            window.typewrite(text);
        });
    };
    type_in(&mut app, "1");
    assert_eq!(asked(&app).scene.target.get(unit(1)), 1.0);
    drop(app.update(Message::Undo));
    let own = app.document().source.get(unit(1));
    assert_eq!(asked(&app).scene.target.get(unit(1)), own);
    for nonsense in ["x", "7", "-"] {
        type_in(&mut app, nonsense);
        assert_eq!(asked(&app).scene.target.get(unit(1)), own, "{nonsense}");
    }
}

/// Finds a text by a part of it.
fn saying(part: &str) -> impl FnMut(selector::Candidate<'_>) -> Option<()> {
    move |candidate| match candidate {
        selector::Candidate::Text { content, .. } => content.contains(part).then_some(()),
        _ => None,
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
fn a_double_click_brings_the_portraits_own_value_back() {
    let mut app = app();
    let smile = unit(12);
    drag(&mut app, Value::Unit(smile), 0.8, 0.1);
    act(&mut app, |window| {
        let place = window
            .find(selector::id(slider_id(Value::Unit(smile))))
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
        app.document().still.get(smile),
        app.document().source.get(smile)
    );
}

#[test]
fn presets_and_reset_are_one_click() {
    let mut app = app();
    act(&mut app, |window| {
        window.click("Angry").unwrap();
    });
    let presets = Preset::built_in().unwrap();
    let angry = Preset::find(&presets, "angry").unwrap();
    assert_eq!(asked(&app).scene.target, angry.aus);
    act(&mut app, |window| {
        window.click("Reset all").unwrap();
    });
    assert_eq!(asked(&app).scene.target, app.document().source);
}

#[test]
fn the_sliders_begin_at_what_the_face_shows_and_neutralise_relaxes_it() {
    let mut app = app();
    let own = app.document().source;
    // She smiles broadly, with her teeth.
    for code in [12, 25] {
        assert!(
            own.get(unit(code)) > 0.4,
            "AU{code} {}",
            own.get(unit(code))
        );
    }
    assert_eq!(asked(&app).scene.target, own);
    assert_eq!(asked(&app).scene.onset(), 0.0);
    act(&mut app, |window| {
        window.click("Neutralise").unwrap();
    });
    assert_eq!(asked(&app).scene.target, AuVector::NEUTRAL);
    assert_eq!(asked(&app).scene.onset(), 1.0);
    act(&mut app, |window| {
        window.click("Set as neutral").unwrap();
    });
    assert_eq!(app.document().source, AuVector::NEUTRAL);
    assert_eq!(asked(&app).scene.onset(), 0.0, "nothing is asked for now");
    press(&mut app, "z", Modifiers::CTRL);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(asked(&app).scene.target, own);
}

#[test]
fn another_picture_is_read_against_the_relaxed_face_that_was_kept() {
    let mut app = app();
    let offered = |app: &App| simulator(app.view()).find("Read against it").is_ok();
    act(&mut app, |window| {
        window.click("Set as neutral").unwrap();
    });
    assert!(!offered(&app), "it is this very face");
    drop(app.update(Message::Opened(Ok(sample(0)))));
    let plain = app.document().source;
    assert!(plain.get(unit(12)) > 0.4 && offered(&app));
    act(&mut app, |window| {
        window.click("Read against it").unwrap();
    });
    // The same picture: against itself nothing moves.
    assert_eq!(app.document().source, AuVector::NEUTRAL);
    assert_eq!(asked(&app).scene.onset(), 0.0);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(app.document().source, plain);
}

#[test]
fn one_half_of_the_face_moves_alone() {
    let mut app = app();
    let brow = unit(2);
    let own = app.document().source.get(brow);
    act(&mut app, |window| {
        window.click("Left").unwrap();
    });
    drag(&mut app, Value::Unit(brow), own, 0.9);
    let target = asked(&app).scene.target;
    assert!((target.of(Sides::Left, brow) - 0.9).abs() < 0.02);
    assert_eq!(target.of(Sides::Right, brow), own);
    // The sliders show the half that they move.
    act(&mut app, |window| {
        window.click("Right").unwrap();
    });
    drag(&mut app, Value::Unit(brow), own, 0.4);
    let target = asked(&app).scene.target;
    assert!((target.of(Sides::Left, brow) - 0.9).abs() < 0.02);
    assert!((target.of(Sides::Right, brow) - 0.4).abs() < 0.02);
}

#[test]
fn an_edit_is_limited_to_parts_and_halves() {
    let mut app = app();
    for name in ["Mouth", "Eyes", "Left half"] {
        act(&mut app, |window| {
            // The groups of sliders have the same names, further down.
            window.click(name).unwrap();
        });
    }
    let limit = asked(&app).scene.limit;
    assert_eq!(limit.parts().collect::<Vec<_>>(), [Part::Eyes, Part::Mouth]);
    assert_eq!(limit.sides, Sides::Left);
    act(&mut app, |window| {
        window.click("All").unwrap();
    });
    assert!(asked(&app).scene.limit.is_none());
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(asked(&app).scene.limit, limit);
}

#[test]
fn of_several_faces_the_one_clicked_on_is_edited() {
    let mut app = app();
    // The same portrait twice, side by side.
    let one = sample(0);
    let (width, height) = one.picture.size();
    let rows = one.picture.rgba().chunks_exact(width as usize * 4);
    let twice: Vec<u8> = rows.flat_map(|row| [row, row].concat()).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twins.png");
    save_png(&path, &Picture::new(2 * width, height, twice).unwrap()).unwrap();
    let model = Model::bundled().unwrap();
    let twins = Portrait::open(&path, model.crop()).unwrap();
    assert_eq!(twins.faces.len(), 2);
    drop(app.update(Message::Opened(Ok(Arc::new(twins)))));

    let first = asked(&app).scene;
    let other = 1 - first.face.unwrap();
    let (view, faces) = (asked(&app).view, sample(0).faces[0].mesh.bounds());
    let (left, _, right, bottom) = faces;
    let on_the_right = first.crop.x < width as f32;
    let shift = if on_the_right { width as f32 } else { 0.0 };
    act(&mut app, |window| {
        let pane = window.find(selector::id("pane-1")).unwrap().bounds();
        // Below the mouth: the crop of a face reaches further than the face.
        let place = (
            f64::from(shift + 0.5 * (left + right)),
            f64::from(bottom - 10.0),
        );
        let (x, y) = view.to_pane(place);
        window.point_at(Point::new(pane.x + x as f32, pane.y + y as f32));
        window.simulate([
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)),
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)),
        ]);
    });
    let scene = asked(&app).scene;
    assert_eq!(scene.face, Some(other));
    assert!((scene.crop.x - first.crop.x).abs() > 0.9 * width as f32);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(asked(&app).scene, first);
}

#[test]
fn the_square_leans_with_the_head_and_stands_up_again() {
    let mut app = app();
    let upright = app.document().crop;
    assert_eq!(upright.angle, 0.0);
    act(&mut app, |window| {
        window.click("Level").unwrap();
    });
    // Her head leans by some three degrees.
    let level = asked(&app).scene.crop;
    assert!(
        (1.0..8.0).contains(&level.angle.to_degrees().abs()),
        "{level:?}"
    );
    assert!((level.middle().0 - upright.middle().0).abs() < 0.1 * upright.side);
    act(&mut app, |window| {
        window.click("Level").unwrap();
    });
    assert_eq!(asked(&app).scene.crop, upright);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(asked(&app).scene.crop, level);
}

#[test]
fn without_a_face_the_square_is_by_hand_and_it_is_said() {
    let mut app = app();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grey.png");
    save_png(
        &path,
        &Picture::new(90, 80, vec![120; 90 * 80 * 4]).unwrap(),
    )
    .unwrap();
    let grey = Portrait::open(&path, Model::bundled().unwrap().crop()).unwrap();
    drop(app.update(Message::Opened(Ok(Arc::new(grey)))));
    assert_eq!(app.document().source, AuVector::NEUTRAL);
    let mut window = simulator(app.view());
    assert!(window.find(saying("No face was found")).is_ok());
}

/// The clip that comes with the program, among the motions and read.
fn with_the_sample_clip(app: &mut App) {
    let before = app.project().motions().len();
    act(app, |window| {
        window.click("+ Add motion").unwrap();
    });
    act(app, |window| {
        window.click("The sample clip").unwrap();
    });
    assert_eq!(app.project().motions().len(), before + 1);
    app.read_now();
}

/// The chosen motion's sampled codes.
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
fn a_clip_that_is_dropped_becomes_a_motion_and_undo_takes_it_away() {
    let mut app = app();
    let before = app.project().clone();
    let clip = Path::new("somewhere/reference.mp4").to_owned();
    drop(app.update(Message::OpenFile(Some(clip))));
    let chosen = app.project().motion(app.project().chosen()).unwrap();
    assert_eq!(chosen.name, "reference.mp4");
    assert!(matches!(chosen.kind, MotionKind::Clip(_)));
    // It isn't there: the list says so, and asks where it is.
    app.read_now();
    let mut window = simulator(app.view());
    assert!(window.find("reference.mp4 is missing").is_ok());
    assert!(window.find("Locate…").is_ok());
    drop(window);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(*app.project(), before);
}

#[test]
fn a_clip_drives_every_pane_and_is_baked_to_a_track() {
    let mut app = app();
    with_the_sample_clip(&mut app);
    let frames = {
        let score = asked(&app).score;
        assert!(
            score
                .voices
                .iter()
                .all(|voice| matches!(voice.drive, Driver::Lead(_)))
        );
        score.drive.frames()
    };
    assert!(frames > 20, "{frames}");
    drop(app.update(Message::Bake));
    let track = &app.document().track;
    assert_eq!(track.frames(), frames);
    assert!(track.moments().len() as u32 > frames / 2);
    assert!(app.project().is_editable());
    let baked = asked(&app).score;
    assert!(matches!(baked.drive, Driver::Track(_)));
    press(&mut app, "z", Modifiers::CTRL);
    assert!(app.document().track.is_empty() && !app.project().is_editable());
}

#[test]
fn moving_a_slider_comes_back_to_the_track() {
    let mut app = app();
    with_the_sample_clip(&mut app);
    assert!(!app.project().is_editable());
    drag(&mut app, Value::Unit(unit(4)), 0.0, 0.6);
    assert!(app.project().is_editable());
    assert!((asked(&app).scene.target.get(unit(4)) - 0.6).abs() < 0.02);
}

#[test]
fn a_sample_is_resampled_in_motion_with_its_content_locked() {
    let mut app = app();
    act(&mut app, |window| {
        window.click("+ Add motion").unwrap();
    });
    act(&mut app, |window| {
        window.click("Sampled motion").unwrap();
    });
    let (content, motion) = codes(&app);
    for control in ["board-lock-ContentSeed", "board-roll"] {
        act(&mut app, |window| {
            window.click(selector::id(control)).unwrap();
        });
    }
    let (same, other) = codes(&app);
    assert_eq!(same, content);
    assert_ne!(other, motion);
    // Undo goes through all of it: the roll, the lock, the motion.
    for _ in 0..3 {
        press(&mut app, "z", Modifiers::CTRL);
    }
    assert_eq!(app.project().motions().len(), 1);
}

#[test]
fn a_pane_keeps_the_motion_that_it_was_given() {
    let mut app = app();
    act(&mut app, |window| {
        window.click("Methods").unwrap();
    });
    with_the_sample_clip(&mut app);
    let clip = app.project().chosen();
    // Which panes the clip drives.
    let led = |app: &App| -> Vec<bool> {
        let score = asked(app).score;
        let led = |voice: &Voice| matches!(voice.drive, Driver::Lead(_));
        score.voices.iter().map(led).collect()
    };
    let panes = app.project().panes().len();
    assert_eq!(led(&app), vec![true; panes]);

    // The second pane is given the clip, which drives it by itself now.
    while app.project().panes()[1].motion != Some(clip) {
        act(&mut app, |window| {
            window.click(selector::id("pane-motion-2")).unwrap();
        });
    }
    act(&mut app, |window| {
        window.click("Expression 1").unwrap();
    });
    assert_ne!(app.project().chosen(), clip);
    let mut only_the_second = vec![false; panes];
    only_the_second[1] = true;
    assert_eq!(led(&app), only_the_second);

    // Told to follow the chosen motion, it goes where the others go.
    act(&mut app, |window| {
        window.click(selector::id("pane-motion-2")).unwrap();
    });
    assert_eq!(app.project().panes()[1].motion, None);
    assert_eq!(led(&app), vec![false; panes]);
}

#[test]
fn a_project_asks_before_changes_are_lost_and_lists_the_shortcuts() {
    let mut app = app();
    drag(&mut app, Value::Unit(unit(4)), 0.0, 0.6);
    press(&mut app, "n", Modifiers::CTRL);
    assert!(simulator(app.view()).find("Save the changes?").is_ok());
    act(&mut app, |window| {
        window.click("Don't save").unwrap();
    });
    assert!(simulator(app.view()).find("Save the changes?").is_err());
    assert_eq!(app.document().still, Pose::from(app.document().source));
    press(&mut app, "?", Modifiers::SHIFT);
    assert!(simulator(app.view()).find("Shortcuts").is_ok());
    drop(app.update(Message::Keyboard(escape())));
    assert!(simulator(app.view()).find("Shortcuts").is_err());
}

#[test]
fn a_project_is_told_to_hold_its_media_and_undo_leaves_that_alone() {
    let mut app = app();
    drag(&mut app, Value::Unit(unit(4)), 0.0, 0.6);
    act(&mut app, |window| {
        window.click("Project").unwrap();
    });
    assert!(!app.project().holds_media());
    act(&mut app, |window| {
        window.click(selector::id("holds-media")).unwrap();
    });
    assert!(app.project().holds_media());
    drop(app.update(Message::Keyboard(escape())));
    press(&mut app, "z", Modifiers::CTRL);
    assert!(app.project().holds_media());
    assert_eq!(app.document().still, Pose::from(app.document().source));
}

#[test]
fn portraits_of_late_stand_in_the_menu_and_one_click_opens_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app();
    let model = Model::bundled().unwrap();
    for name in ["ada.png", "gone.png"] {
        let path = folder.path().join(name);
        save_png(&path, &sample(0).picture).unwrap();
        let portrait = Portrait::open(&path, model.crop()).unwrap();
        drop(app.update(Message::Opened(Ok(Arc::new(portrait)))));
    }
    std::fs::remove_file(folder.path().join("gone.png")).unwrap();
    act(&mut app, |window| {
        window.click("Project").unwrap();
    });
    let mut window = simulator(app.view());
    assert!(window.find("not there now").is_ok());
    window.click("gone.png").unwrap();
    assert_eq!(window.into_messages().count(), 0, "it isn't there");
    act(&mut app, |window| {
        window.click("ada.png").unwrap();
    });
    let mut window = simulator(app.view());
    assert!(window.find("Recent portraits").is_err() && window.find("Opening…").is_ok());
}

#[test]
fn other_weights_are_chosen_beside_the_model_card_and_all_is_drawn_anew() {
    let mut app = app();
    act(&mut app, |window| {
        window.click("ganimation-128").unwrap();
    });
    act(&mut app, |window| {
        assert!(window.find("Drawn by").is_ok());
        window.click("TPS").unwrap();
        window.click("MoCoGAN").unwrap();
    });
    assert!(simulator(app.view()).find("Drawn by").is_ok());
    drop(app.update(Message::Keyboard(escape())));
    let models = Models::new(Arc::new(Model::bundled().unwrap()));
    let other = models.with(Bundled::Tps, Path::new("tps-128")).unwrap();
    let name = "tps-128".to_owned();
    drop(app.update(Message::Weights(
        Bundled::Tps,
        name.clone(),
        Ok(Arc::new(other)),
    )));
    assert!(
        simulator(app.view())
            .find("TPS is drawn by tps-128 now.")
            .is_ok()
    );
    let problem = "The weights are gone.".to_owned();
    drop(app.update(Message::Weights(Bundled::Tps, name, Err(problem.clone()))));
    assert!(simulator(app.view()).find(problem.as_str()).is_ok());
}

#[test]
fn a_narrow_pane_chooses_its_motion_by_a_button() {
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

#[test]
fn the_timelines_edge_is_dragged() {
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
    assert_eq!(height(&app), before + 90.0, "no step of undo");
}

#[test]
fn a_key_dragged_with_ctrl_stretches_the_time_of_those_selected() {
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
fn strength_zero_asks_for_no_edit() {
    let mut app = app();
    act(&mut app, |window| {
        window.click("Sad").unwrap();
    });
    assert!(asked(&app).scene.onset() > 0.0);
    drag(&mut app, Value::Strength, 1.0, 0.0);
    assert_eq!(asked(&app).scene.onset(), 0.0);
}

#[test]
fn panes_come_and_go_and_the_key_held_shows_the_source() {
    let mut app = app();
    let seen = |app: &App| -> Vec<(Way, Show)> {
        let parts = asked(app).score.voices.clone();
        parts.iter().map(|part| (part.way, part.show)).collect()
    };
    let explained = [
        (Way::Source, Show::Result),
        (Way::Ganimation, Show::Result),
        (Way::Ganimation, Show::Attention),
        (Way::Ganimation, Show::Colour),
    ];
    assert_eq!(seen(&app), explained);
    act(&mut app, |window| {
        window.click("+ Pane").unwrap();
    });
    assert_eq!(seen(&app)[4], (Way::Fomm(Mode::Relative), Show::Result));
    act(&mut app, |window| {
        window.click("Methods").unwrap();
    });
    assert_eq!(seen(&app).len(), 6);
    press(&mut app, "4", Modifiers::empty());
    assert_eq!(seen(&app), [(Way::Fomm(Mode::Relative), Show::Result)]);
    press(&mut app, "4", Modifiers::empty());
    press(&mut app, "z", Modifiers::CTRL);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(seen(&app), explained);
    assert!(!asked(&app).source);
    press(&mut app, "s", Modifiers::empty());
    assert!(asked(&app).source);
}

#[test]
fn dragging_the_crops_edge_moves_what_the_network_sees() {
    let mut app = app();
    let before = app.document().crop;
    // The request says how the pane shows the portrait.
    let view = asked(&app).view;
    act(&mut app, |window| {
        let pane = window.find(selector::id("pane-1")).unwrap().bounds();
        let edge = view.to_pane((f64::from(before.x + before.side / 2.0), f64::from(before.y)));
        let at = Point::new(pane.x + edge.0 as f32, pane.y + edge.1 as f32);
        let moved = |by: f32| {
            let position = Point::new(at.x + by, at.y);
            Event::Mouse(mouse::Event::CursorMoved { position })
        };
        window.point_at(at);
        window.simulate([
            moved(0.0),
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)),
        ]);
        window.point_at(Point::new(at.x + 20.0, at.y));
        window.simulate([
            moved(20.0),
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)),
        ]);
    });
    let after = app.document().crop;
    assert!(after.x > before.x + 5.0, "{before:?} {after:?}");
    assert_eq!(after.side, before.side);
    assert_eq!(asked(&app).scene.crop, after);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(app.document().crop, before);
}

#[test]
fn two_keyframes_make_a_movement_and_undo_unmakes_it() {
    let mut app = app();
    press(&mut app, "k", Modifiers::empty());
    let own = asked(&app).scene.target;
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
    let surprised = asked(&app).scene.target;
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
    let between = asked(&app).scene.target;
    let middle: Pose = own.lerp(&surprised, 0.5);
    assert!(between.distance(&middle) < 1e-5);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(app.document().track.moments().len(), 1);
    press(&mut app, "z", Modifiers::CTRL);
    assert!(app.document().track.is_empty());
}

/// A window with the inner brows keyed at the first frame and, raised to 0.8, at the twenty-fifth; nothing else moves.
fn raising() -> App {
    let mut app = app();
    press(&mut app, "k", Modifiers::empty());
    step(&mut app, 24);
    let own = app.document().source.get(unit(1));
    drag(&mut app, Value::Unit(unit(1)), own, 0.8);
    app
}

/// The frames of a unit's keys, and its values there.
fn keys(app: &App, code: u8) -> Vec<(u32, f32)> {
    let track = &app.document().track;
    let keys = track.curve(unit(code)).keys().iter();
    keys.map(|key| (track.frame_at(key.time), key.left))
        .collect()
}

fn frames(app: &App, code: u8) -> Vec<u32> {
    keys(app, code)
        .into_iter()
        .map(|(frame, _)| frame)
        .collect()
}

#[test]
fn a_slider_is_keyed_alone_and_its_value_goes_between() {
    let mut app = raising();
    let raised = keys(&app, 1);
    assert_eq!(frames(&app, 1), [0, 24]);
    assert_eq!(frames(&app, 12), [0], "the others have no key there");
    step(&mut app, -12);
    let between = asked(&app).scene.target.get(unit(1));
    let middle = 0.5 * (raised[0].1 + raised[1].1);
    assert!((between - middle).abs() < 1e-5, "{between} {middle}");
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(frames(&app, 1), [0]);
}

#[test]
fn keys_in_a_box_are_deleted_and_come_back() {
    let mut app = raising();
    drag_keys(&mut app, (21.0, 0.98), (27.0, 0.6));
    tap(&mut app, key::Named::Delete, key::Code::Delete);
    assert_eq!(frames(&app, 1), [0]);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(frames(&app, 1), [0, 24]);
    // Where the box holds nothing the keys under the playhead are meant.
    drag_keys(&mut app, (5.0, 0.98), (9.0, 0.9));
    tap(&mut app, key::Named::Home, key::Code::Home);
    tap(&mut app, key::Named::Delete, key::Code::Delete);
    assert_eq!(frames(&app, 1), [24]);
    assert!(frames(&app, 12).is_empty());
}

#[test]
fn a_key_is_dragged_in_time_and_value_in_one_step_of_undo() {
    let mut app = raising();
    let before = keys(&app, 1);
    drag_keys(&mut app, (24.0, before[1].1), (36.0, before[1].1));
    assert_eq!(keys(&app, 1), [before[0], (36, before[1].1)]);
    drag_keys(&mut app, (36.0, before[1].1), (40.0, 0.5));
    let moved = keys(&app, 1)[1];
    assert_eq!(moved.0, 40);
    assert!((moved.1 - 0.5).abs() < 0.02, "{moved:?}");
    // With Shift along one axis alone.
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
    // What was pasted is selected.
    press(&mut app, "x", Modifiers::CTRL);
    assert_eq!(keys(&app, 1), before);
    tap(&mut app, key::Named::Home, key::Code::Home);
    press(&mut app, "v", Modifiers::CTRL);
    assert_eq!(keys(&app, 1), before);
}

#[test]
fn a_double_click_on_a_curve_adds_a_key_that_changes_nothing() {
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
fn the_dope_sheet_moves_all_keys_of_a_moment() {
    let mut app = raising();
    act(&mut app, |window| {
        window.click("Dope sheet").unwrap();
    });
    // The row of all keys is the first one.
    drag_keys(&mut app, (0.0, 0.97), (10.0, 0.97));
    assert_eq!(frames(&app, 1), [10, 24]);
    assert_eq!(frames(&app, 12), [10]);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(frames(&app, 12), [0]);
}

#[test]
fn only_what_lies_between_in_and_out_is_played_and_undo_frees_it() {
    let mut app = raising();
    press(&mut app, "o", Modifiers::empty());
    step(&mut app, -12);
    press(&mut app, "i", Modifiers::empty());
    let track = &app.document().track;
    assert_eq!(track.range(), Some((12, 24)));
    assert_eq!(track.order().len(), 13);
    tap(&mut app, key::Named::Home, key::Code::Home);
    assert_eq!(asked(&app).scene.target, app.document().pose(12));
    act(&mut app, |window| {
        window.click("All frames").unwrap();
    });
    assert_eq!(app.document().track.range(), None);
    press(&mut app, "z", Modifiers::CTRL);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(app.document().track.range(), Some((0, 24)));
}

#[test]
fn another_portrait_is_shown_and_undo_brings_the_first_back() {
    let mut app = app();
    let first = app.document().clone();
    drop(app.update(Message::Opened(Ok(sample(1)))));
    assert_eq!(app.document().portrait.name, "grace_hopper.jpg");
    assert_eq!(asked(&app).portrait.size(), (512, 600));
    drop(app.update(Message::Undo));
    assert_eq!(*app.document(), first);
    assert_eq!(asked(&app).portrait.size(), (512, 512));
}

#[test]
fn a_forgotten_portraits_number_is_never_given_again() {
    let mut app = app();
    let open = |app: &mut App| {
        drop(app.update(Message::Opened(Ok(sample(1)))));
        asked(app).id
    };
    let first = open(&mut app);
    drop(app.update(Message::Undo));
    // An edit forgets what could be redone, and undoing it the portrait that nothing speaks of any more.
    act(&mut app, |window| {
        window.click("Sad").unwrap();
    });
    drop(app.update(Message::Undo));
    assert_ne!(open(&mut app), first);
}

#[test]
fn a_file_that_cannot_be_opened_is_told_and_nothing_is_lost() {
    let mut app = app();
    act(&mut app, |window| {
        window.click("Happy").unwrap();
    });
    let before = app.document().clone();
    let problem = "notes.txt is not a picture that Mien can read.".to_owned();
    drop(app.update(Message::Opened(Err(problem.clone()))));
    assert_eq!(*app.document(), before);
    let mut window = simulator(app.view());
    assert!(window.find(problem.as_str()).is_ok());
}

#[test]
fn the_export_dialog_opens_and_escape_closes_it() {
    let mut app = app();
    act(&mut app, |window| {
        window.click("Export…").unwrap();
    });
    let shown = |app: &App| simulator(app.view()).find("PNG sequence").is_ok();
    assert!(shown(&app));
    drop(app.update(Message::Keyboard(escape())));
    assert!(!shown(&app));
}

#[test]
fn the_model_cards_are_read_by_clicking_on_the_weights_name() {
    let mut app = app();
    let shown = |app: &App, words: &str| simulator(app.view()).find(words).is_ok();
    assert!(!shown(&app, "Where it falls short"));
    act(&mut app, |window| {
        window.click("ganimation-128").unwrap();
    });
    assert!(shown(&app, "Where it falls short"));
    act(&mut app, |window| {
        window.click("Face Landmarker").unwrap();
    });
    assert!(shown(&app, "A full profile is not found."));
    assert!(!shown(&app, "Where it falls short"));
    // A dialog stands before everything else.
    press(&mut app, "k", Modifiers::empty());
    assert!(app.document().track.is_empty());
    drop(app.update(Message::Keyboard(escape())));
    assert!(!shown(&app, "A full profile is not found."));
}

/// The simulator draws at twice the size.
fn halved(picture: &Picture) -> Picture {
    let (width, height) = (picture.width() / 2, picture.height() / 2);
    let at = |x: u32, y: u32, c: u32| {
        u32::from(picture.rgba()[((y * picture.width() + x) * 4 + c) as usize])
    };
    let rgba = (0..height)
        .flat_map(|y| (0..width).map(move |x| (2 * x, 2 * y)))
        .flat_map(|(x, y)| (0..4).map(move |c| (x, y, c)))
        .map(|(x, y, c)| {
            let sum = at(x, y, c) + at(x + 1, y, c) + at(x, y + 1, c) + at(x + 1, y + 1, c);
            ((sum + 2) / 4) as u8
        })
        .collect();
    Picture::new(width, height, rgba).unwrap()
}

/// The start screen as it was when somebody last looked at it and found it right.
const START: &str = "tests/snapshots/start.png";

#[test]
fn the_start_screen_looks_as_it_did() {
    let (tell, told) = std::sync::mpsc::channel();
    let model = Arc::new(Model::bundled().unwrap());
    let models = Arc::new(Models::new(model));
    let worker = Worker::spawn(Arc::clone(&models), move || {
        tell.send(()).unwrap_or_default()
    })
    .unwrap();
    let mut app = App::new(models, worker, sample(0));
    // The panes learn their room from the first layout.
    act(&mut app, |window| {
        window.simulate([Event::Window(iced::window::Event::RedrawRequested(
            std::time::Instant::now(),
        ))]);
    });
    while !app.is_settled() {
        told.recv_timeout(Duration::from_secs(240))
            .expect("the panes are drawn");
        drop(app.update(Message::Drawn));
    }

    let folder = tempfile::tempdir().unwrap();
    let mut window = simulator(app.view());
    let snapshot = window.snapshot(&theme()).unwrap();
    // Writes the picture, since there is none under that name yet.
    assert!(snapshot.matches_image(folder.path().join("start")).unwrap());
    let written = std::fs::read_dir(folder.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();

    let known = Path::new(env!("CARGO_MANIFEST_DIR")).join(START);
    let now = halved(&open(&written).unwrap());
    if std::env::var_os("MIEN_UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(known.parent().unwrap()).unwrap();
        save_png(&known, &now).unwrap();
    }
    let then = open(&known).unwrap();
    assert_eq!(now.size(), then.size());
    let pixels = now.rgba().chunks(4).zip(then.rgba().chunks(4));
    // Machines round differently, and the status line tells their speed; of neither an eye sees much.
    let differ = pixels
        .filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > 32))
        .count();
    let share = differ as f64 / f64::from(now.width() * now.height());
    if share >= 0.002 {
        let seen = std::env::temp_dir().join("mien-start-screen.png");
        save_png(&seen, &now).unwrap();
        panic!(
            "{:.2} % of the start screen differs from {START}; look at {}, and if it is right, run the test again with MIEN_UPDATE_SNAPSHOTS=1",
            share * 100.0,
            seen.display()
        );
    }
}
