//! The start screen, held against a picture of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{act, sample, simulator};
use iced::Event;
use mien::app::{App, Message, theme};
use mien::media::encode::save_png;
use mien::media::image::{Picture, open};
use mien::methods::ganimation::model::Model;
use mien::methods::models::Models;
use mien::render::worker::Worker;

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
