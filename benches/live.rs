//! From a slider to the picture, along the studio's path: the request to the worker, the network, pasting the edit into
//! a portrait of 2 megapixels at full resolution, and the bytes for the window. Prints medians and 95th percentiles;
//! not a criterion benchmark, whose means hide the slow frames.
//!
//! Without `--bench` (as in `cargo test --benches`) every case runs once.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use iced::advanced::graphics::core::Bytes;
use iced::widget::image::Handle;
use mien::document::{ActionUnit, Document, MethodChoice, Mode, PaneView, Pose, Sides};
use mien::drive::driver::Driver;
use mien::face::portrait::{Portrait, Sample};
use mien::face::view::View;
use mien::media::image::Picture;
use mien::methods::ganimation::model::Model;
use mien::methods::models::Models;
use mien::methods::subject::Subject;
use mien::render::composition::{Composition, PaneSource};
use mien::render::request::Request;
use mien::render::worker::Worker;

mod support;

/// Pixels along each side of the portrait.
const SIDE: u32 = 1416;
/// The size of a pane in a large window.
const PANE: (u32, u32) = (1100, 900);

struct Studio {
    models: Arc<Models>,
    worker: Worker,
    rx: mpsc::Receiver<()>,
    portrait: Arc<Portrait>,
}

impl Studio {
    fn open() -> Self {
        let model = Arc::new(Model::bundled().expect("the bundled network"));
        let small = Sample::all()[0].open(model.crop()).expect("a sample");
        let (width, height) = small.picture.size();
        let small = image::RgbaImage::from_raw(width, height, small.picture.rgba().to_vec());
        let filter = image::imageops::FilterType::CatmullRom;
        let large = image::imageops::resize(&small.expect("a picture"), SIDE, SIDE, filter);
        let folder = std::env::temp_dir().join(format!("mien-live-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("portrait.png");
        large.save(&file).expect("a file");
        let portrait = Portrait::open(&file, model.crop()).expect("a portrait");
        std::fs::remove_dir_all(&folder).expect("a folder");
        let (tx, rx) = mpsc::channel();
        let models = Arc::new(Models::new(model));
        let worker = Worker::spawn(Arc::clone(&models), move || {
            tx.send(()).unwrap_or_default();
        });
        Self {
            models,
            worker: worker.expect("a thread"),
            rx,
            portrait: Arc::new(portrait),
        }
    }

    fn request(&self, method: MethodChoice, view: View, value: f32) -> Request {
        let mut document: Document = self.portrait.document(1);
        document.set_neutral();
        let unit = ActionUnit::from_code(12).expect("a unit");
        document.base_pose = Pose::NEUTRAL.with(Sides::Both, unit, value);
        let subject = Subject::of(&document, &self.portrait, self.models.crop_rule());
        let driver = Driver::Track(Arc::new(document));
        let panes = vec![PaneSource {
            method,
            weights: None,
            view: PaneView::Result,
            expression_by_rig: false,
            driver: driver.clone(),
            on_timeline: true,
        }];
        Request {
            subject,
            view,
            composition: Arc::new(Composition { driver, panes }),
            step: 0,
            wipe: None,
            source: false,
            playing: false,
        }
    }

    /// Milliseconds to the first picture, which may be a draft, and to the full one.
    fn once(&self, method: MethodChoice, view: View, value: f32) -> [f64; 2] {
        let started = Instant::now();
        let mut first = None;
        let serial = self.worker.send(self.request(method, view, value));
        loop {
            let wait = Duration::from_secs(60);
            self.rx.recv_timeout(wait).expect("the worker answers");
            while let Some(outcome) = self.worker.take() {
                let outcome = outcome.expect("pictures");
                if outcome.serial != serial {
                    continue;
                }
                for pane in &outcome.panes {
                    handed(pane.picture.as_ref().expect("a picture"));
                    first.get_or_insert_with(|| started.elapsed().as_secs_f64() * 1e3);
                }
                if outcome.complete {
                    let whole = started.elapsed().as_secs_f64() * 1e3;
                    return [first.unwrap_or(whole), whole];
                }
            }
        }
    }
}

/// A picture's bytes as the window passes them to iced's renderer.
struct Pixels(Arc<Picture>);

impl AsRef<[u8]> for Pixels {
    fn as_ref(&self) -> &[u8] {
        self.0.rgba()
    }
}

/// Does what the window does with a picture before rendering it.
fn handed(picture: &Arc<Picture>) {
    let (width, height) = picture.size();
    let bytes = Bytes::from_owner(Pixels(Arc::clone(picture)));
    std::hint::black_box(Handle::from_rgba(width, height, bytes));
}

fn main() {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let rounds = if measured { 200 } else { 1 };
    let studio = Studio::open();
    let whole = View::whole(studio.portrait.picture.size());
    let pane = View::fit(PANE.0, PANE.1, studio.portrait.picture.size());
    let mut asked = 0;
    for (name, method) in [
        ("GANimation", MethodChoice::GANIMATION),
        ("FOMM", MethodChoice::in_mode("fomm", Mode::Relative)),
        ("TPS", MethodChoice::in_mode("tps", Mode::Relative)),
    ] {
        for (size, view) in [("the portrait's own size", whole), ("a pane", pane)] {
            let few = if method == MethodChoice::GANIMATION {
                1
            } else {
                4
            };
            let mut times = [Vec::new(), Vec::new()];
            for i in 0..(rounds / few).max(1) + 2 {
                // A value for which neither a picture nor a network's result is cached.
                asked += 1;
                let at = asked as f32;
                let value = 0.05 + 0.9 * (at * 0.618).fract() + at * 1e-5;
                let found = studio.once(method, view, value);
                if i >= 2 || !measured {
                    times[0].push(found[0]);
                    times[1].push(found[1]);
                }
            }
            let figures = times.map(|mut times| {
                times.sort_by(f64::total_cmp);
                let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
                (at(0.5), at(0.95))
            });
            let [(first, slow), (full, slow_full)] = figures;
            println!(
                "{name} in {size}: first picture {first:.0} ms (95 %: {slow:.0}), full picture {full:.0} ms (95 %: {slow_full:.0})"
            );
        }
    }
    support::print_peak_memory("the studio's worker");
}
