//! Drives the window like a user: clicks and typing become requests to the worker, and undo reverts them.

mod expression;
mod motions;
mod panes;
mod projects;
mod timeline;

use std::sync::{Arc, OnceLock};

use iced::keyboard::{Key, Modifiers, key};
use iced::{Element, Event, Point, Settings, Size, keyboard, mouse};
use iced_test::{Simulator, selector};
use mien::app::{App, Message, Value, slider_id, slider_place};
use mien::document::{ActionUnit, Pose};
use mien::face::portrait::{Portrait, Sample};
use mien::methods::ganimation::model::Model;
use mien::methods::models::Models;
use mien::render::request::Request;
use mien::render::worker::Worker;

const SIZE: Size = Size::new(1360.0, 860.0);

/// Tall enough for all sliders.
const TALL: Size = Size::new(1360.0, 1420.0);

fn unit(code: u8) -> ActionUnit {
    ActionUnit::from_code(code).unwrap()
}

/// A window on the first sample, with a worker that only stores the requests.
fn app() -> App {
    let model = Arc::new(Model::bundled().unwrap());
    App::new(Arc::new(Models::new(model)), Worker::idle(), sample(0))
}

/// A sample with its face detected, once for all tests.
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

/// The expression in the last request to the worker.
fn target(app: &App) -> Pose {
    let request = asked(app);
    let sample = request.composition.driver.at(request.step);
    sample.pose(&request.subject)
}

/// The largest difference of the requested expression from the portrait's: 0 is no edit, 0.05 and more is a full edit.
fn edit(app: &App) -> f32 {
    let (own, Pose { left, right, .. }) = (asked(app).subject.expression, target(app));
    own.distance(&left).max(own.distance(&right))
}

fn simulator<'a>(view: Element<'a, Message>) -> Simulator<'a, Message> {
    simulator_in(SIZE, view)
}

fn simulator_in<'a>(size: Size, view: Element<'a, Message>) -> Simulator<'a, Message> {
    let settings = Settings {
        fonts: vec![include_bytes!("../../resources/fonts/FiraCode-Regular.ttf").into()],
        ..Settings::default()
    };
    Simulator::with_size(settings, size, view)
}

/// Interacts with the window, then passes the messages to the application.
fn act(app: &mut App, hand: impl FnOnce(&mut Simulator<'_, Message>)) {
    act_in(app, SIZE, hand);
}

/// The same in a window of this size.
fn act_in(app: &mut App, size: Size, hand: impl FnOnce(&mut Simulator<'_, Message>)) {
    let messages: Vec<Message> = {
        let mut window = simulator_in(size, app.view());
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
        "g" => key::Code::KeyG,
        "i" => key::Code::KeyI,
        "k" => key::Code::KeyK,
        "o" => key::Code::KeyO,
        "r" => key::Code::KeyR,
        "s" => key::Code::KeyS,
        "5" => key::Code::Digit5,
        "n" => key::Code::KeyN,
        "?" => key::Code::Slash,
        "v" => key::Code::KeyV,
        "x" => key::Code::KeyX,
        "z" => key::Code::KeyZ,
        other => panic!("no such key: {other}"),
    };
    // iced reports the key as it is without Shift.
    let bare = if letter == "?" { "/" } else { letter };
    let event = keyboard::Event::KeyPressed {
        key: Key::Character(bare.into()),
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

/// Drags a slider from one value to another, both as fractions of its range.
fn drag(app: &mut App, value: Value, from: f32, to: f32) {
    act_in(app, TALL, |window| {
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

/// The frames of an Action Unit's keyframes, and its values there.
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
