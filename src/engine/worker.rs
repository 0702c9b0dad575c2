//! The worker thread behind the window: it draws the newest request and nothing older.
//!
//! A request that is waiting when a newer one comes is dropped. One that is being drawn is dropped between layers only
//! when its portrait or crop is no longer wanted: while a hand moves a slider, requests come faster than any network,
//! and dropping each for the next would show nothing until the hand rests.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::edits::Edits;
use super::render::{draw, square};
use super::view::{Pyramid, View, over_chequers};
use super::{EngineError, FoundFace, Model, Pane, Renderer, Scene};
use crate::face::{Edit, Mask};
use crate::media::Picture;

/// What the window wants to see.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which portrait it is; the same number always means the same pixels.
    pub id: u64,
    pub portrait: Arc<Picture>,
    /// The face of `scene.face`.
    pub face: Option<Arc<FoundFace>>,
    pub scene: Scene,
    pub view: View,
    pub panes: Vec<Pane>,
    /// Where in the result's pane the source ends and the result begins, in 0..=1 of its width.
    pub wipe: Option<f32>,
    /// Whether the source is held up in place of the result.
    pub source: bool,
}

impl Request {
    /// Whether the same pictures come of both.
    pub fn same(&self, other: &Request) -> bool {
        self.id == other.id
            && self.scene == other.scene
            && self.view == other.view
            && self.panes == other.panes
            && self.wipe == other.wipe
            && self.source == other.source
    }

    fn same_face(&self, other: &Request) -> bool {
        self.id == other.id
            && self.scene.crop == other.scene.crop
            && self.scene.face == other.scene.face
    }

    /// Whether the network has to say something for this.
    fn needs_network(&self) -> bool {
        let mut panes = self.panes.iter();
        panes.any(|pane| pane.needs_network(&self.scene))
    }
}

/// What came of a request.
#[derive(Debug)]
pub struct Outcome {
    /// The number that [`Worker::send`] gave.
    pub serial: u64,
    pub request: Request,
    /// One picture a pane, of the view's size.
    pub pictures: Vec<Picture>,
    /// The mean of 1 - A over the crop, in 0..=1.
    pub mean_edit: f32,
    /// Milliseconds that a frame takes: this drawing, and the network when it last ran.
    pub millis: f32,
    /// Milliseconds of the network alone; nothing when its last word was used again.
    pub network_millis: Option<f32>,
}

#[derive(Default)]
struct Mail {
    serial: u64,
    request: Option<(u64, Request)>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    mail: Mutex<Mail>,
    news: Condvar,
    outcome: Mutex<Option<Result<Outcome, EngineError>>>,
}

/// The window's end of the worker. Dropping it ends the thread.
pub struct Worker {
    shared: Arc<Shared>,
}

impl Worker {
    /// Starts the thread. `wake` is called from it whenever an outcome can be taken.
    ///
    /// # Errors
    /// The system's, when it gives no thread.
    pub fn spawn(
        model: Arc<Model>,
        wake: impl FnMut() + Send + 'static,
    ) -> Result<Self, std::io::Error> {
        let worker = Self::idle();
        let shared = Arc::clone(&worker.shared);
        std::thread::Builder::new()
            .name("mien-worker".to_owned())
            .spawn(move || work(&shared, &model, wake))?;
        Ok(worker)
    }

    /// A worker without a thread: requests stay where [`Worker::pending`] sees them.
    pub fn idle() -> Self {
        Self {
            shared: Arc::default(),
        }
    }

    /// Asks for a picture in place of whatever was asked before, and returns the request's number.
    pub fn send(&self, request: Request) -> u64 {
        let mut mail = lock(&self.shared.mail);
        mail.serial += 1;
        let serial = mail.serial;
        mail.request = Some((serial, request));
        self.shared.news.notify_one();
        serial
    }

    /// The request that waits to be drawn.
    pub fn pending(&self) -> Option<Request> {
        lock(&self.shared.mail)
            .request
            .as_ref()
            .map(|(_, request)| request.clone())
    }

    /// The newest outcome since the last call.
    pub fn take(&self) -> Option<Result<Outcome, EngineError>> {
        lock(&self.shared.outcome).take()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        lock(&self.shared.mail).closed = true;
        self.shared.news.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whatever a panic left behind is replaced whole by the next request or outcome.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn work(shared: &Shared, model: &Arc<Model>, mut wake: impl FnMut()) {
    let mut desk = Desk::default();
    loop {
        let (serial, request) = {
            let mut mail = lock(&shared.mail);
            loop {
                if mail.closed {
                    return;
                }
                match mail.request.take() {
                    Some(next) => break next,
                    None => {
                        mail = shared
                            .news
                            .wait(mail)
                            .unwrap_or_else(PoisonError::into_inner);
                    }
                }
            }
        };
        let stale = || {
            let mail = lock(&shared.mail);
            let unwanted = |(_, newer): &(u64, Request)| !newer.same_face(&request);
            mail.closed || mail.request.as_ref().is_some_and(unwanted)
        };
        let drawn = catch_unwind(AssertUnwindSafe(|| {
            desk.draw(model, serial, &request, &stale)
        }));
        let outcome = drawn.unwrap_or_else(|_| {
            desk = Desk::default();
            Err(EngineError::Network("a panic while drawing".to_owned()))
        });
        if matches!(&outcome, Err(error) if error.is_cancelled()) {
            continue;
        }
        *lock(&shared.outcome) = Some(outcome);
        wake();
    }
}

/// What the network says, where that counts, and the milliseconds it took if it was asked.
type Spoken = (Option<Arc<Edit>>, Option<Arc<Mask>>, Option<f32>);

/// What the worker keeps from one request to the next.
#[derive(Default)]
struct Desk {
    pyramid: Option<(u64, Pyramid)>,
    /// With the portrait and the face that it was made for.
    renderer: Option<(u64, Option<usize>, Renderer)>,
    seen: Option<(u64, View, Picture)>,
    /// Milliseconds of the network when it last ran.
    network: f32,
    edits: Edits,
}

impl Desk {
    fn draw(
        &mut self,
        model: &Arc<Model>,
        serial: u64,
        request: &Request,
        stale: &dyn Fn() -> bool,
    ) -> Result<Outcome, EngineError> {
        let started = Instant::now();
        let Request {
            id, scene, view, ..
        } = *request;
        let portrait = &*request.portrait;

        let (edit, mask, network_millis) = if request.needs_network() {
            self.edit(model, request, stale)?
        } else {
            (None, None, None)
        };
        let base = self.base(id, portrait, &view)?;
        let place = view.square(square(scene.crop));
        let pictures = request
            .panes
            .iter()
            .map(|pane| {
                let mut picture = base.clone();
                let held = request.source && *pane == Pane::Result;
                if !held {
                    draw(
                        &mut picture,
                        place,
                        &scene,
                        edit.as_deref(),
                        mask.as_deref(),
                        *pane,
                    );
                }
                if let (Pane::Result, Some(wipe)) = (pane, request.wipe) {
                    wipe_source(&mut picture, base, wipe);
                }
                over_chequers(&mut picture, &view, portrait.size());
                picture
            })
            .collect();
        let mean_edit = edit.map_or(0.0, |edit| edit.mean_edit(mask.as_deref()) * scene.onset());
        Ok(Outcome {
            serial,
            request: request.clone(),
            pictures,
            mean_edit,
            millis: match network_millis {
                Some(_) => millis_since(started),
                None => millis_since(started) + self.network,
            },
            network_millis,
        })
    }

    fn edit(
        &mut self,
        model: &Arc<Model>,
        request: &Request,
        stale: &dyn Fn() -> bool,
    ) -> Result<Spoken, EngineError> {
        let (id, scene) = (request.id, request.scene);
        let fresh = self.renderer.take().filter(|(of, face, renderer)| {
            *of == id && *face == scene.face && renderer.crop() == scene.crop
        });
        let (.., renderer) = match fresh {
            Some(fresh) => self.renderer.insert(fresh),
            None => {
                self.edits = Edits::default();
                let (model, face) = (Arc::clone(model), request.face.clone());
                let renderer = Renderer::new(model, &request.portrait, scene.crop, face)?;
                self.renderer.insert((id, scene.face, renderer))
            }
        };
        let started = Instant::now();
        let (edit, ran) = self.edits.of(renderer, &scene, stale)?;
        let millis = ran.then(|| millis_since(started));
        self.network = millis.unwrap_or(self.network);
        Ok((Some(edit), renderer.mask(scene.limit), millis))
    }

    fn base(&mut self, id: u64, portrait: &Picture, view: &View) -> Result<&Picture, EngineError> {
        let fresh = |(seen_id, seen, _): &(u64, View, Picture)| *seen_id == id && seen == view;
        let picture = match self.seen.take().filter(fresh) {
            Some((_, _, picture)) => picture,
            None => {
                let pyramid = match self.pyramid.take().filter(|(of, _)| *of == id) {
                    Some(kept) => self.pyramid.insert(kept),
                    None => self.pyramid.insert((id, Pyramid::new(portrait))),
                };
                pyramid
                    .1
                    .view(portrait, view)
                    .ok_or_else(|| EngineError::Network("an empty view".to_owned()))?
            }
        };
        Ok(&self.seen.insert((id, *view, picture)).2)
    }
}

fn wipe_source(picture: &mut Picture, source: &Picture, wipe: f32) {
    let pitch = picture.width() as usize * 4;
    let kept = (wipe.clamp(0.0, 1.0) * picture.width() as f32).round() as usize * 4;
    let rows = picture.rgba_mut().chunks_exact_mut(pitch);
    for (row, own) in rows.zip(source.rgba().chunks_exact(pitch)) {
        row[..kept].copy_from_slice(&own[..kept]);
    }
}

fn millis_since(started: Instant) -> f32 {
    started.elapsed().as_secs_f32() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Sample;
    use crate::studio::{ActionUnit, Limit, Part, Pose, Sides};
    use std::sync::mpsc;
    use std::time::Duration;

    fn request(value: f32) -> Request {
        let model = Model::bundled().unwrap();
        let portrait = Sample::all()[0].open(model.crop()).unwrap();
        let mut document = portrait.document(1);
        document.count_as_neutral();
        let mut scene = Scene::of(&document, 0);
        scene.target = smile(Sides::Both, value);
        Request {
            id: 1,
            face: portrait.faces.first().cloned(),
            scene,
            view: View::fit(120, 120, portrait.picture.size()),
            portrait: portrait.picture,
            panes: vec![Pane::Source, Pane::Result],
            wipe: None,
            source: false,
        }
    }

    fn smile(sides: Sides, value: f32) -> Pose {
        Pose::NEUTRAL.with(sides, ActionUnit::from_code(12).unwrap(), value)
    }

    fn spawn() -> (Worker, mpsc::Receiver<()>) {
        let (tell, told) = mpsc::channel();
        let model = Arc::new(Model::bundled().unwrap());
        let worker = Worker::spawn(model, move || tell.send(()).unwrap_or_default()).unwrap();
        (worker, told)
    }

    fn wait_for(worker: &Worker, told: &mpsc::Receiver<()>, serial: u64) -> (Outcome, Vec<u64>) {
        let mut seen = Vec::new();
        loop {
            told.recv_timeout(Duration::from_secs(120)).unwrap();
            if let Some(outcome) = worker.take() {
                let outcome = outcome.unwrap();
                seen.push(outcome.serial);
                if outcome.serial == serial {
                    return (outcome, seen);
                }
            }
        }
    }

    #[test]
    fn the_newest_wins_and_nothing_older_comes_after_it() {
        let (worker, told) = spawn();
        let one = request(0.5);
        let mut last = 0;
        for i in 1..=200 {
            let mut next = one.clone();
            next.scene.target = smile(Sides::Both, i as f32 / 200.0);
            last = worker.send(next);
        }
        let (outcome, seen) = wait_for(&worker, &told, last);
        assert_eq!(outcome.request.scene.target, smile(Sides::Both, 1.0));
        assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
        assert!(
            seen.len() < 100,
            "{} of 200 requests were drawn",
            seen.len()
        );
        assert!(outcome.mean_edit > 0.0 && outcome.network_millis.is_some());
        assert_ne!(outcome.pictures[0], outcome.pictures[1]);

        // The same expression again, seen from elsewhere, asks nothing of the network.
        let mut again = outcome.request;
        again.view = again.view.zoomed(2.0, (60.0, 60.0));
        let (outcome, _) = wait_for(&worker, &told, worker.send(again));
        assert_eq!(outcome.network_millis, None);
    }

    #[test]
    fn without_an_edit_source_and_result_are_the_same_bytes() {
        let (worker, told) = spawn();
        let (outcome, _) = wait_for(&worker, &told, worker.send(request(0.0)));
        assert_eq!(outcome.pictures[0], outcome.pictures[1]);
        assert_eq!(outcome.mean_edit, 0.0);
    }

    #[test]
    fn wipe_and_hold_show_the_source() {
        let (worker, told) = spawn();
        let mut asked = request(1.0);
        asked.source = true;
        let (held, _) = wait_for(&worker, &told, worker.send(asked.clone()));
        assert_eq!(held.pictures[0], held.pictures[1]);
        asked.source = false;
        asked.wipe = Some(1.0);
        let (wiped, _) = wait_for(&worker, &told, worker.send(asked.clone()));
        assert_eq!(wiped.pictures[0], wiped.pictures[1]);
        asked.wipe = Some(0.0);
        let (open, _) = wait_for(&worker, &told, worker.send(asked));
        assert_ne!(open.pictures[0], open.pictures[1]);
    }

    #[test]
    fn halves_and_parts_of_the_face_change_alone() {
        let (worker, told) = spawn();
        let draw = |asked: &Request| {
            let (outcome, _) = wait_for(&worker, &told, worker.send(asked.clone()));
            let mut pictures = outcome.pictures.into_iter();
            (pictures.next().unwrap(), pictures.next().unwrap())
        };
        // How much each half, and the upper part, of the pane differs from the source.
        let changed = |asked: &Request| -> (u64, u64, u64) {
            let (source, result) = draw(asked);
            let mut sums = (0, 0, 0);
            let pixels = source.rgba().iter().zip(result.rgba()).enumerate();
            for (i, (a, b)) in pixels {
                let (x, y, d) = (i / 4 % 120, i / 480, u64::from(a.abs_diff(*b)));
                let (px, py) = asked.view.to_portrait((x as f64, y as f64));
                let crop = asked.scene.crop;
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
        let crop = asked.scene.crop;
        let middle = (
            f64::from(crop.x + 0.5 * crop.side),
            f64::from(crop.y + 0.5 * crop.side),
        );
        asked.view = View::about(120, 120, middle, f64::from(crop.side));
        let (left, right, upper) = changed(&asked);
        assert!(left > 0 && right > 0 && upper > 0);

        // A pose of one half leaves the other as the portrait has it, and so does a limit.
        asked.scene.target = smile(Sides::Left, 1.0);
        let (one, other, _) = changed(&asked);
        assert!(2 * one > left && other < right / 50, "{one} and {other}");
        asked.scene.target = smile(Sides::Both, 1.0);
        asked.scene.limit = Limit::NONE.on(Sides::Left);
        let (one, other, _) = changed(&asked);
        assert!(2 * one > left && other < right / 50, "{one} and {other}");

        asked.scene.target = smile(Sides::Both, 1.0);
        asked.scene.limit = Limit::NONE.toggled(Part::Mouth);
        let (.., above) = changed(&asked);
        assert!(20 * above < upper, "{above} of {upper}");
    }

    #[test]
    fn a_crop_outside_is_an_error_and_the_worker_goes_on() {
        let (worker, told) = spawn();
        let mut wrong = request(1.0);
        wrong.scene.crop.x = 5000.0;
        worker.send(wrong);
        told.recv_timeout(Duration::from_secs(60)).unwrap();
        assert!(matches!(worker.take(), Some(Err(EngineError::Crop(_)))));
        let right = worker.send(request(1.0));
        wait_for(&worker, &told, right);
    }

    #[test]
    fn an_idle_worker_keeps_the_newest_request_in_sight() {
        let worker = Worker::idle();
        assert!(worker.pending().is_none());
        worker.send(request(0.1));
        worker.send(request(0.7));
        let pending = worker.pending().unwrap();
        assert_eq!(pending.scene.target, smile(Sides::Both, 0.7));
    }
}
