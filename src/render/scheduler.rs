//! The order in which the worker renders a request's panes, and the cache of finished pictures.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::document::{MethodChoice, PaneView};
use crate::error::EngineError;
use crate::face::view::{View, over_chequers};
use crate::lru_cache::LruCache;
use crate::media::image::Picture;
use crate::methods::Quality;
use crate::methods::models::Models;
use crate::methods::subject::Subject;
use crate::progress::Stop;
use crate::render::composition::{FrameKey, FrameRequest};
use crate::render::renderer::Renderer;
use crate::render::request::{Outcome, RenderedPane, Request, Wipe};

/// Maximum size of cached pictures in bytes.
const CAPACITY: usize = 768 << 20;

/// Minimum interval between counts of the cached steps.
const COUNT_INTERVAL: Duration = Duration::from_millis(300);

/// Maximum number of steps that are counted.
const STEPS: u32 = 4000;

pub(super) struct Scheduler {
    renderer: Renderer,
    base: Option<(u64, View, Arc<Picture>)>,
    pictures: LruCache<FrameKey, Finished>,
    /// Milliseconds per method and view: of the network when it last ran, and in total.
    times: HashMap<(MethodChoice, PaneView), (f32, f32)>,
    counted: Option<Instant>,
}

/// A pane's picture without the wipe, over a checkerboard where the portrait is transparent.
#[derive(Debug, Clone)]
struct Finished {
    picture: Arc<Picture>,
    mean_edit: Option<f32>,
    measured_folds: Option<f32>,
}

/// A pane's picture with its timings.
struct Timed {
    finished: Finished,
    is_draft: bool,
    /// Milliseconds of the network, if it ran.
    network_millis: Option<f32>,
    /// The part of these spent on an earlier draft.
    draft_millis: f32,
}

/// How long a pane takes to render, the shortest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Priority {
    Cached,
    Quick,
    /// The diagnostics of a method with a slow full picture.
    Diagnostics,
    /// A draft of such a picture.
    Draft,
    Slow,
}

impl Scheduler {
    pub fn new(models: Arc<Models>) -> Self {
        Self {
            renderer: Renderer::new(models),
            base: None,
            pictures: LruCache::new(CAPACITY),
            times: HashMap::new(),
            counted: None,
        }
    }

    /// Renders every pane of a request and sends them as they finish: the quick ones first, then drafts of the slow ones
    /// unless playing, then the slow ones. `stale` returns true when the whole request is obsolete, `newer` when its slow
    /// panes are.
    /// # Errors
    /// [`EngineError::Cancelled`] when `stale` or `newer` returned true before the last pane; errors that concern all
    /// panes, such as a crop outside the portrait. An error of one pane is sent in place of its picture.
    pub fn draw(
        &mut self,
        serial: u64,
        request: &Request,
        stale: Stop,
        newer: Stop,
        send: &mut dyn FnMut(Outcome),
    ) -> Result<(), EngineError> {
        let (subject, view) = (&request.subject, &request.view);
        let frames = request.composition.requests(request.step);
        let base = self.base(subject, view)?;
        let mut drawn: Vec<Option<Finished>> = vec![None; frames.len()];
        let mut schedule: Vec<(Priority, usize)> = Vec::new();
        for (index, frame) in frames.iter().enumerate() {
            let priority = self.priority(subject, view, frame);
            if priority == Priority::Slow && !request.playing {
                schedule.push((Priority::Draft, index));
            }
            schedule.push((priority, index));
        }
        schedule.sort_unstable();
        let last = schedule.len();
        let mut waiting: Vec<RenderedPane> = Vec::new();
        for (done, (priority, index)) in schedule.into_iter().enumerate() {
            let (frame, slow) = (&frames[index], priority == Priority::Slow);
            if priority >= Priority::Diagnostics && !waiting.is_empty() {
                let panes = std::mem::take(&mut waiting);
                send(self.outcome(serial, request, &base, &drawn, panes, None));
            }
            if slow && newer() {
                return Err(EngineError::Cancelled);
            }
            let stop = || stale() || (slow && newer());
            let started = Instant::now();
            let quality = match priority {
                Priority::Draft => Quality::Draft,
                _ => Quality::Full,
            };
            let pane = match self.render(subject, view, &base, frame, quality, &stop) {
                Ok(Timed {
                    finished,
                    is_draft,
                    network_millis,
                    draft_millis,
                }) => {
                    let now = started.elapsed().as_secs_f32() * 1000.0 + draft_millis;
                    let millis = (!is_draft).then(|| self.millis(frame, now, network_millis));
                    drawn[index] = Some(finished.clone());
                    RenderedPane {
                        index,
                        picture: Ok(finished.picture),
                        millis: millis.flatten(),
                        network_millis,
                        mean_edit: finished.mean_edit,
                        measured_folds: finished.measured_folds,
                        is_draft,
                    }
                }
                Err(error @ (EngineError::Cancelled | EngineError::Crop(_))) => return Err(error),
                Err(error) => RenderedPane {
                    index,
                    picture: Err(error.to_string()),
                    millis: None,
                    network_millis: None,
                    mean_edit: None,
                    measured_folds: None,
                    is_draft: false,
                },
            };
            waiting.push(pane);
            if done + 1 == last {
                let rendered = self.rendered(request);
                let panes = std::mem::take(&mut waiting);
                let mut outcome = self.outcome(serial, request, &base, &drawn, panes, rendered);
                outcome.complete = true;
                send(outcome);
            }
        }
        Ok(())
    }

    /// Renders the next step with missing pictures, and returns which steps are cached; `None` when all are.
    pub fn ahead(&mut self, serial: u64, request: &Request) -> Option<Outcome> {
        let (subject, view) = (&request.subject, &request.view);
        let order = request.composition.driver.order();
        let here = order.iter().position(|step| *step == request.step);
        let (before, after) = order.split_at(here.unwrap_or(0));
        let missing = after.iter().chain(before).copied().find(|step| {
            let frames = request.composition.requests(*step);
            !self.has_all(subject, view, &frames)
        })?;
        let base = self.base(subject, view).ok()?;
        let frames = request.composition.requests(missing);
        for frame in &frames {
            let made = self.render(subject, view, &base, frame, Quality::Full, &|| false);
            // An error is reported when the frame is requested; nothing more is rendered ahead until then.
            made.ok()?;
        }
        // If the cache is too small for all panes, the first picture is evicted already: stop, or it would never end.
        if !self.has_all(subject, view, &frames) {
            return None;
        }
        // Count after each step, or the last would not be reported.
        self.counted = None;
        let rendered = self.rendered(request);
        Some(Outcome {
            serial,
            request: request.clone(),
            panes: Vec::new(),
            complete: false,
            rendered,
        })
    }

    fn outcome(
        &self,
        serial: u64,
        request: &Request,
        base: &Picture,
        drawn: &[Option<Finished>],
        mut panes: Vec<RenderedPane>,
        rendered: Option<Vec<bool>>,
    ) -> Outcome {
        for pane in &mut panes {
            let Ok(picture) = &pane.picture else { continue };
            pane.picture = Ok(composed(request, base, drawn, pane.index, picture));
        }
        Outcome {
            serial,
            request: request.clone(),
            panes,
            complete: false,
            rendered,
        }
    }

    /// Returns a pane's picture, cached if possible. Drafts aren't cached.
    fn render(
        &mut self,
        subject: &Subject,
        view: &View,
        base: &Picture,
        frame: &FrameRequest,
        quality: Quality,
        stop: Stop,
    ) -> Result<Timed, EngineError> {
        let key = self.key(subject, view, frame);
        if let Some(finished) = self.pictures.get(&key) {
            return Ok(Timed {
                finished,
                is_draft: false,
                network_millis: None,
                draft_millis: 0.0,
            });
        }
        let mut rendered = self
            .renderer
            .render(subject, view, base, frame, quality, stop)?;
        over_chequers(&mut rendered.picture, view, subject.picture.size());
        let finished = Finished {
            picture: Arc::new(rendered.picture),
            mean_edit: rendered.mean_edit,
            measured_folds: rendered.measured_folds,
        };
        if !rendered.is_draft {
            let bytes = finished.picture.rgba().len();
            self.pictures.put(key, finished.clone(), bytes);
        }
        Ok(Timed {
            finished,
            is_draft: rendered.is_draft,
            network_millis: rendered.network_millis,
            draft_millis: rendered.draft_millis,
        })
    }

    fn key(&self, subject: &Subject, view: &View, frame: &FrameRequest) -> FrameKey {
        frame.key(self.renderer.models().registry(), subject, view)
    }

    fn base(&mut self, subject: &Subject, view: &View) -> Result<Arc<Picture>, EngineError> {
        if let Some((id, of, base)) = &self.base
            && (*id, of) == (subject.id, view)
        {
            return Ok(Arc::clone(base));
        }
        let base = Arc::new(self.renderer.base(subject, view)?);
        self.base = Some((subject.id, *view, Arc::clone(&base)));
        Ok(base)
    }

    /// Updates and returns the time per frame for such a request, if it is known.
    fn millis(&mut self, frame: &FrameRequest, now: f32, network: Option<f32>) -> Option<f32> {
        let known = self.times.entry((frame.method, frame.view)).or_default();
        match network {
            Some(network) => *known = (network, now),
            // Rendered from a cached network output: add the time that took.
            None => known.1 = known.1.max(known.0 + now),
        }
        (known.1 > 0.0).then_some(known.1)
    }

    fn priority(&self, subject: &Subject, view: &View, frame: &FrameRequest) -> Priority {
        if self.pictures.has(&self.key(subject, view, frame)) {
            return Priority::Cached;
        }
        let registry = self.renderer.models().registry();
        let info = frame.method.id().and_then(|id| registry.get(id));
        match frame.view {
            _ if !info.is_some_and(|info| info.has_draft) => Priority::Quick,
            PaneView::Result | PaneView::Difference => Priority::Slow,
            _ => Priority::Diagnostics,
        }
    }

    fn has_all(&self, subject: &Subject, view: &View, frames: &[FrameRequest]) -> bool {
        let mut frames = frames.iter();
        frames.all(|frame| self.pictures.has(&self.key(subject, view, frame)))
    }

    /// Returns which steps are cached, at most once per interval while playing.
    fn rendered(&mut self, request: &Request) -> Option<Vec<bool>> {
        let steps = request.composition.driver.frames();
        let recent = self
            .counted
            .is_some_and(|then| then.elapsed() < COUNT_INTERVAL);
        if steps > STEPS || (recent && request.playing) {
            return None;
        }
        self.counted = Some(Instant::now());
        let cached = |step| {
            let frames = request.composition.requests(step);
            self.has_all(&request.subject, &request.view, &frames)
        };
        Some((0..steps).map(cached).collect())
    }
}

/// Returns a pane's picture as displayed, with the source shown instead or with a wipe.
fn composed(
    request: &Request,
    base: &Picture,
    drawn: &[Option<Finished>],
    index: usize,
    picture: &Arc<Picture>,
) -> Arc<Picture> {
    let pane = request.composition.panes.get(index);
    let is_result = pane
        .is_some_and(|pane| pane.view == PaneView::Result && pane.method != MethodChoice::Motion);
    let wipe = request.wipe.filter(|wipe| wipe.pane == index);
    let shows_source = request.source && is_result;
    if !shows_source && wipe.is_none() {
        return Arc::clone(picture);
    }
    let chequered = || {
        let mut base = base.clone();
        over_chequers(&mut base, &request.view, request.subject.picture.size());
        base
    };
    let mut picture_shown = if shows_source {
        chequered()
    } else {
        Picture::clone(picture)
    };
    if let Some(Wipe { under, place, .. }) = wipe {
        match under.and_then(|under| drawn.get(under)?.as_ref()) {
            Some(finished) => wiped(&mut picture_shown, &finished.picture, place),
            None => wiped(&mut picture_shown, &chequered(), place),
        }
    }
    Arc::new(picture_shown)
}

/// Copies the left part of another picture of the same size.
fn wiped(picture: &mut Picture, other: &Picture, place: f32) {
    let pitch = picture.width() as usize * 4;
    let left_bytes = (place.clamp(0.0, 1.0) * picture.width() as f32).round() as usize * 4;
    let rows = picture.rgba_mut().chunks_exact_mut(pitch);
    for (row, other_row) in rows.zip(other.rgba().chunks_exact(pitch)) {
        row[..left_bytes].copy_from_slice(&other_row[..left_bytes]);
    }
}
