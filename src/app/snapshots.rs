//! Snapshot tests: each panel compared with a reviewed picture of it.

use std::path::Path;
use std::sync::mpsc;

use iced::{Element, Settings, Size, Theme};
use iced_test::Simulator;

use super::export::queue::{Ending, Message as QueueMessage, Queue};
use super::projects::{PendingAction, Question};
use super::timeline::numbers::{Numbers, Series};
use super::timeline::subject::SheetData;
use super::timeline::{Message as TimelineMessage, Tab};
use super::weights::card::Cards;
use super::widgets::theme;
use super::*;
use crate::document::{
    ActionUnit, Channel, ClipMotion, MediaSource, MethodChoice, Sample as Codes, SampledMotion,
};
use crate::drive::previews::generate_previews as draw_previews;
use crate::media::encode::save_png;
use crate::media::image::{Picture, open as open_picture};
use crate::methods::ganimation::model::Model;

/// The fraction of differing pixels allowed: rounding differs between machines, invisibly.
const TOLERANCE: f64 = 0.002;

/// A window on the first sample, with a worker that draws nothing.
pub(super) fn app() -> App {
    app_with(|_| Worker::idle())
}

/// A window on the first sample.
fn app_with(worker: impl FnOnce(&Arc<Models>) -> Worker) -> App {
    let model = Arc::new(Model::bundled().unwrap());
    let portrait = Sample::all()[0].open(model.crop()).unwrap();
    let models = Arc::new(Models::new(model));
    let worker = worker(&models);
    App::new(models, worker, Arc::new(portrait))
}

fn unit(code: u8) -> ActionUnit {
    ActionUnit::from_code(code).unwrap()
}

/// Halves the picture with a 2 × 2 box filter: the simulator renders at two pixels for each of the window's.
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

fn simulator<M>(size: (u32, u32), view: Element<'_, M>) -> Simulator<'_, M> {
    let settings = Settings {
        fonts: vec![theme::FIGURES_FILE.into()],
        ..Settings::default()
    };
    let size = Size::new(size.0 as f32, size.1 as f32);
    Simulator::with_size(settings, size, view)
}

/// Compares a view in the dark theme with the stored picture of this name; writes that with `MIEN_UPDATE_SNAPSHOTS` set.
fn assert_looks<M>(name: &str, size: (u32, u32), view: Element<'_, M>) {
    assert_looks_in(&theme::theme(false), name, size, view);
}

/// Like [`assert_looks`], in the given theme.
fn assert_looks_in<M>(theme: &Theme, name: &str, size: (u32, u32), view: Element<'_, M>) {
    let mut window = simulator(size, view);
    let folder = tempfile::tempdir().unwrap();
    let snapshot = window.snapshot(theme).unwrap();
    assert!(snapshot.matches_image(folder.path().join(name)).unwrap());
    let written = std::fs::read_dir(folder.path()).unwrap().next();
    let now = halved(&open_picture(&written.unwrap().unwrap().path()).unwrap());

    let known = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/{name}.png"));
    if std::env::var_os("MIEN_UPDATE_SNAPSHOTS").is_some() {
        save_png(&known, &now).unwrap();
    }
    let then = open_picture(&known).unwrap();
    assert_eq!(now.size(), then.size());
    let pixels = now.rgba().chunks(4).zip(then.rgba().chunks(4));
    let differ = pixels
        .filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > 32))
        .count();
    let share = differ as f64 / f64::from(now.width() * now.height());
    if share >= TOLERANCE {
        let seen = std::env::temp_dir().join(format!("mien-{name}.png"));
        save_png(&seen, &now).unwrap();
        panic!(
            "{:.2} % of {name} differs from {}; look at {}, and if it is right, run the test again with MIEN_UPDATE_SNAPSHOTS=1",
            share * 100.0,
            known.display(),
            seen.display()
        );
    }
}

/// Adds a motion and chooses it.
fn add(app: &mut App, name: &str, kind: MotionKind) {
    app.history.edit_project(|project| {
        let id = project.add(name, kind);
        project.choose(id);
    });
    drop(app.prepare());
}

fn sliders_moved(app: &mut App) {
    app.history.edit(|document| {
        document.set_channel(0, crate::document::Sides::Both, unit(12), 0.8);
        document.set_channel(0, crate::document::Sides::Left, unit(2), 0.6);
        document.set_channel(0, crate::document::Sides::Both, Channel::Yaw, -12.5);
        document.strength = 0.7;
    });
}

/// The window at start, with every pane drawn. The time per frame in the status line differs within the tolerance.
#[test]
fn the_start_screen() {
    const SIZE: (u32, u32) = (1360, 860);
    let (tx, rx) = mpsc::channel();
    let mut app = app_with(|models| {
        let wake = move || tx.send(()).unwrap_or_default();
        Worker::spawn(Arc::clone(models), wake).unwrap()
    });
    // The panes learn their size from the first layout.
    let messages: Vec<Message> = {
        let mut window = simulator(SIZE, app.view());
        let redraw = iced::window::Event::RedrawRequested(std::time::Instant::now());
        window.simulate([iced::Event::Window(redraw)]);
        window.into_messages().collect()
    };
    for message in messages {
        drop(app.update(message));
    }
    while !app.is_settled() {
        rx.recv_timeout(std::time::Duration::from_secs(240))
            .expect("the panes are drawn");
        drop(app.update(Message::Drawn));
    }
    app.panes.set_millis(12.0);
    app.status.millis = Some(12.0);
    assert_looks("start", SIZE, app.view());
}

#[test]
fn the_sliders() {
    let mut app = app();
    sliders_moved(&mut app);
    let registry = app.models.registry();
    let drawing = registry
        .expression_method(MethodChoice::GANIMATION, true)
        .unwrap();
    let view = app.expression.view(expression::ExpressionViewData {
        document: app.document(),
        frame: 0,
        neutral: None,
        drawing: &[drawing],
        measured_folds: None,
    });
    // Tall enough for the whole list.
    assert_looks("sliders", (356, 1160), view);
}

#[test]
fn the_motions_with_a_clip() {
    let mut app = app();
    let clip = ClipMotion::new(MediaSource::Bundled("sample.mp4".to_owned()));
    add(&mut app, "Sample clip", MotionKind::Clip(clip));
    app.read_now();
    assert_looks("motions", (324, 1400), app.motions_view());
}

#[test]
fn the_sample_grid() {
    let mut app = app();
    let sampler = app.models.sampler().unwrap();
    let codes = Codes::draw(7, &sampler.sizes(), 16, None).unwrap();
    let motion = SampledMotion::new(codes);
    add(&mut app, "Sample 1", MotionKind::Sample(motion.clone()));
    let grid = &mut app.motions.grid;
    grid.update(sample_grid::Message::Open, &motion);
    while let Some(batch) = grid.next_batch(&motion) {
        let mut drawn = Vec::new();
        let draw = |index, frames| drawn.push((index, Arc::new(frames)));
        draw_previews(&sampler, &batch.previews, &|| false, draw).unwrap();
        for (index, frames) in drawn {
            let message = sample_grid::Message::PreviewDrawn(batch.generation, index, frames);
            grid.update(message, &motion);
        }
        let ended = sample_grid::Message::BatchEnded(batch.generation, None);
        grid.update(ended, &motion);
    }
    let size = sample_grid::OPEN_SIZE;
    let view = app.sample_grid_view().unwrap();
    assert_looks("sample_grid", (size.width as u32, size.height as u32), view);
}

/// The timeline of the sample project with a tab open and the playhead at frame 24.
fn timeline_at(app: &mut App, tab: Tab) {
    app.play_sample();
    for message in [
        TimelineMessage::PlayToggled,
        TimelineMessage::Tab(tab),
        TimelineMessage::Scrubbed(24),
        TimelineMessage::SelectedAll,
    ] {
        drop(app.update(Message::Timeline(message)));
    }
}

fn assert_timeline_looks(name: &str, app: &App) {
    let given = SheetData {
        subject: subject(&app.history, &app.drivers),
        rendered: &[true; 30],
        numbers: app.measuring.numbers.as_ref(),
        measuring: None,
        panes: app.project().panes().len(),
        against: None,
    };
    assert_looks(name, (1000, 292), app.timeline.view(given));
}

#[test]
fn the_curves() {
    let mut app = app();
    timeline_at(&mut app, Tab::Curves);
    assert_timeline_looks("curves", &app);
}

#[test]
fn the_dope_sheet() {
    let mut app = app();
    timeline_at(&mut app, Tab::Dope);
    assert_timeline_looks("dope_sheet", &app);
}

#[test]
fn the_metrics() {
    let mut app = app();
    timeline_at(&mut app, Tab::Metrics);
    let series = |name: &str, phase: f32| Series {
        name: name.to_owned(),
        metric: "L1".to_owned(),
        values: (0..72)
            .map(|i| (i % 40 != 39).then(|| 0.05 + 0.02 * (i as f32 * 0.2 + phase).sin()))
            .collect(),
    };
    app.measuring.numbers = Some(Numbers {
        frames: 72,
        series: vec![series("2 GANimation", 0.0), series("3 FOMM", 1.5)],
    });
    assert_timeline_looks("metrics", &app);
}

#[test]
fn the_export_dialog_and_its_queue() {
    let mut app = app();
    timeline_at(&mut app, Tab::Curves);
    let source = app.export_source().unwrap();
    let dialog = |folder: &Path| Export::new(app.project(), true, 24.0, folder);
    let export = dialog(Path::new("exports"));
    assert_looks(
        "export",
        (660, 560),
        export.view(app.project(), app.models.registry(), &source),
    );

    let folder = tempfile::tempdir().unwrap();
    let mut queue = Queue::default();
    for _ in 0..3 {
        let mut dialog = dialog(folder.path());
        match dialog.update(export::Message::Start, &source) {
            export::Action::Queue(film) => queue.push(*film),
            other => panic!("{other:?}"),
        }
    }
    let first = queue.start().unwrap().id;
    let failed = Err(Ending::Failed("there is no space left.".to_owned()));
    queue.update(QueueMessage::Ended(first, failed));
    queue.start().unwrap();
    assert_looks("export_queue", (600, 320), queue.view());
}

#[test]
fn the_project_menu_and_its_questions() {
    let mut app = app();
    sliders_moved(&mut app);
    for (name, size, question) in [
        ("project_menu", (600, 460), Question::Menu),
        (
            "project_unsaved",
            (520, 180),
            Question::Unsaved(PendingAction::Quit),
        ),
        ("project_keys", (800, 560), Question::Keys),
    ] {
        app.projects.question = Some(question);
        let view = app.projects.dialog(app.project(), true, None).unwrap();
        assert_looks(name, size, view);
    }
}

#[test]
fn the_weights_card() {
    let app = app();
    let installed = vec![(Bundled::Ganimation, "ganimation-128".to_owned())];
    let cards = Cards::with(Bundled::Ganimation, installed);
    assert_looks(
        "weights_card",
        (900, 760),
        cards.view(&app.models, theme::colors(&app.theme())),
    );
}

#[test]
fn the_light_window() {
    let mut app = app();
    app.projects.settings.light = true;
    timeline_at(&mut app, Tab::Curves);
    assert_looks_in(&app.theme(), "light", (1360, 860), app.view());
}
