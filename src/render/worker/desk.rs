//! What the worker keeps from one request to the next, and how it draws.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::document::{Show, Way};
use crate::error::EngineError;
use crate::media::image::Picture;
use crate::methods::models::Models;
use crate::render::cache::Shelf;
use crate::render::composition::Shot;
use crate::render::moving::is_painted;
use crate::render::renderer::{Drawn, Sitter, Stage};
use crate::render::view::{View, over_chequers};
use crate::render::worker::{Outcome, PaneDrawn, Request, Wipe};

/// Bytes of finished pictures that are kept.
const ROOM: usize = 768 << 20;

/// How often it is looked which steps are kept.
const LOOKS: Duration = Duration::from_millis(300);

/// The steps of a timeline that are looked at, at most.
const STEPS: u32 = 4000;

pub(crate) struct Desk {
    stage: Stage,
    base: Option<(u64, View, Arc<Picture>)>,
    pictures: Shelf<Finished>,
    /// Milliseconds of what each way shows: of its network when it last ran, and of all of it.
    times: HashMap<(Way, Show), (f32, f32)>,
    looked: Option<Instant>,
}

/// A pane's picture without the wipe, over chequers where the portrait is transparent.
#[derive(Debug, Clone)]
struct Finished {
    picture: Arc<Picture>,
    mean_edit: Option<f32>,
}

/// A picture for a pane, and what it took.
struct Made {
    finished: Finished,
    draft: bool,
    /// Milliseconds of the network, where it ran.
    network_millis: Option<f32>,
    /// Of them those that its draft took before.
    draft_millis: f32,
}

impl Desk {
    pub fn new(models: Arc<Models>) -> Self {
        Self {
            stage: Stage::new(models),
            base: None,
            pictures: Shelf::new(ROOM),
            times: HashMap::new(),
            looked: None,
        }
    }

    /// Draws every pane of a request, the quick ones first, then drafts of the slow ones unless they play, and tells of them
    /// as they are done. `stale` says that nothing of it is wanted any more, `newer` that what takes long isn't.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when one of them said so before the last pane; what concerns all panes, such as a crop
    /// beside the portrait. What concerns one pane stands in its place.
    pub fn draw(
        &mut self,
        serial: u64,
        request: &Request,
        stale: &(dyn Fn() -> bool + Sync),
        newer: &(dyn Fn() -> bool + Sync),
        tell: &mut dyn FnMut(Outcome),
    ) -> Result<(), EngineError> {
        let sitter = request.sitter();
        let shots = request.score.shots(request.step);
        let base = self.base(&sitter, &request.view)?;
        let mut drawn: Vec<Option<Finished>> = vec![None; shots.len()];
        let mut turns: Vec<(Effort, usize)> = Vec::new();
        for (index, shot) in shots.iter().enumerate() {
            let effort = self.effort(&sitter, &request.view, shot);
            if effort == Effort::Slow && !request.playing {
                turns.push((Effort::Draft, index));
            }
            turns.push((effort, index));
        }
        turns.sort_unstable();
        let last = turns.len();
        let mut waiting: Vec<PaneDrawn> = Vec::new();
        for (done, (effort, index)) in turns.into_iter().enumerate() {
            let (shot, slow) = (&shots[index], effort == Effort::Slow);
            if effort >= Effort::Moving && !waiting.is_empty() {
                let panes = std::mem::take(&mut waiting);
                tell(self.outcome(serial, request, &base, &drawn, panes, None));
            }
            if slow && newer() {
                return Err(EngineError::Cancelled);
            }
            let stop = || stale() || (slow && newer());
            let started = Instant::now();
            let view = &request.view;
            let made = match effort {
                Effort::Draft => self.sketch(&sitter, view, &base, shot, &stop),
                _ => self.finish(&sitter, view, &base, shot, &stop),
            };
            let pane = match made {
                Ok(Made {
                    finished,
                    draft,
                    network_millis,
                    draft_millis,
                }) => {
                    let now = started.elapsed().as_secs_f32() * 1000.0 + draft_millis;
                    let millis = (!draft).then(|| self.millis(shot, now, network_millis));
                    drawn[index] = Some(finished.clone());
                    PaneDrawn {
                        index,
                        picture: Ok(finished.picture),
                        millis: millis.flatten(),
                        network_millis,
                        mean_edit: finished.mean_edit,
                        draft,
                    }
                }
                Err(error @ (EngineError::Cancelled | EngineError::Crop(_))) => return Err(error),
                Err(error) => PaneDrawn {
                    index,
                    picture: Err(error.to_string()),
                    millis: None,
                    network_millis: None,
                    mean_edit: None,
                    draft: false,
                },
            };
            waiting.push(pane);
            if done + 1 == last {
                let rendered = self.rendered(request, &sitter);
                let panes = std::mem::take(&mut waiting);
                let mut outcome = self.outcome(serial, request, &base, &drawn, panes, rendered);
                outcome.complete = true;
                tell(outcome);
            }
        }
        Ok(())
    }

    /// Draws the next step of which something is missing, and says which are there; nothing when all are.
    pub fn ahead(&mut self, serial: u64, request: &Request) -> Option<Outcome> {
        let sitter = request.sitter();
        let order = request.score.drive.order();
        let here = order.iter().position(|step| *step == request.step);
        let (before, after) = order.split_at(here.unwrap_or(0));
        let missing = after.iter().chain(before).copied().find(|step| {
            let shots = request.score.shots(*step);
            !self.has_all(&sitter, &request.view, &shots)
        })?;
        let base = self.base(&sitter, &request.view).ok()?;
        for shot in request.score.shots(missing) {
            let made = self.finish(&sitter, &request.view, &base, &shot, &|| false);
            // What can't be drawn is told when it is asked for, and nothing is drawn ahead until then.
            made.ok()?;
        }
        // With more panes than there is room for, what was drawn first is gone already: it would never end.
        let shots = request.score.shots(missing);
        if !self.has_all(&sitter, &request.view, &shots) {
            return None;
        }
        // After each of them, or the last would not be told.
        self.looked = None;
        let rendered = self.rendered(request, &sitter);
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
        mut panes: Vec<PaneDrawn>,
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

    /// A pane's picture, from the shelf where it is there.
    fn finish(
        &mut self,
        sitter: &Sitter,
        view: &View,
        base: &Arc<Picture>,
        shot: &Shot,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Made, EngineError> {
        if let Some(finished) = self.pictures.get(key(sitter, view, shot)) {
            return Ok(Made {
                finished,
                draft: false,
                network_millis: None,
                draft_millis: 0.0,
            });
        }
        let drawn = self.stage.shoot(sitter, view, base, shot, stop)?;
        Ok(self.keep(sitter, view, shot, drawn))
    }

    /// A pane's picture without what takes long.
    fn sketch(
        &mut self,
        sitter: &Sitter,
        view: &View,
        base: &Arc<Picture>,
        shot: &Shot,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Made, EngineError> {
        let drawn = self.stage.draft(sitter, view, base, shot, stop)?;
        Ok(self.keep(sitter, view, shot, drawn))
    }

    /// Puts what was drawn on the shelf, unless it is a draft.
    fn keep(&mut self, sitter: &Sitter, view: &View, shot: &Shot, mut drawn: Drawn) -> Made {
        over_chequers(&mut drawn.picture, view, sitter.picture.size());
        let finished = Finished {
            picture: Arc::new(drawn.picture),
            mean_edit: drawn.mean_edit,
        };
        if !drawn.draft {
            let bytes = finished.picture.rgba().len();
            let key = key(sitter, view, shot);
            self.pictures.put(key, finished.clone(), bytes);
        }
        Made {
            finished,
            draft: drawn.draft,
            network_millis: drawn.network_millis,
            draft_millis: drawn.draft_millis,
        }
    }

    fn base(&mut self, sitter: &Sitter, view: &View) -> Result<Arc<Picture>, EngineError> {
        if let Some((id, of, base)) = &self.base
            && (*id, of) == (sitter.id, view)
        {
            return Ok(Arc::clone(base));
        }
        let base = Arc::new(self.stage.base(sitter, view)?);
        self.base = Some((sitter.id, *view, Arc::clone(&base)));
        Ok(base)
    }

    /// What a frame takes of such a shot, as far as it is known.
    fn millis(&mut self, shot: &Shot, now: f32, network: Option<f32>) -> Option<f32> {
        let known = self.times.entry((shot.way, shot.show)).or_default();
        match network {
            Some(network) => *known = (network, now),
            // Drawn of what the network said before: as long as that took, and this.
            None => known.1 = known.1.max(known.0 + now),
        }
        (known.1 > 0.0).then_some(known.1)
    }

    fn effort(&self, sitter: &Sitter, view: &View, shot: &Shot) -> Effort {
        if self.pictures.has(key(sitter, view, shot)) {
            return Effort::None;
        }
        match shot.way {
            Way::Fomm(_) | Way::Tps(_) if is_painted(shot.show) => Effort::Slow,
            Way::Fomm(_) | Way::Tps(_) => Effort::Moving,
            _ => Effort::Quick,
        }
    }

    fn has_all(&self, sitter: &Sitter, view: &View, shots: &[Shot]) -> bool {
        let mut shots = shots.iter();
        shots.all(|shot| self.pictures.has(key(sitter, view, shot)))
    }

    /// Which steps are kept; not too often.
    fn rendered(&mut self, request: &Request, sitter: &Sitter) -> Option<Vec<bool>> {
        let steps = request.score.drive.frames();
        let recent = self.looked.is_some_and(|then| then.elapsed() < LOOKS);
        if steps > STEPS || (recent && request.playing) {
            return None;
        }
        self.looked = Some(Instant::now());
        let kept = |step| self.has_all(sitter, &request.view, &request.score.shots(step));
        Some((0..steps).map(kept).collect())
    }
}

/// How long a pane takes, the shortest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Effort {
    None,
    Quick,
    /// What FOMM and TPS say of the motion.
    Moving,
    /// Their picture without what they paint anew.
    Draft,
    Slow,
}

/// A number for all that a pane's picture depends on.
fn key(sitter: &Sitter, view: &View, shot: &Shot) -> u64 {
    let mut hasher = DefaultHasher::new();
    sitter.key().hash(&mut hasher);
    [view.x, view.y, view.zoom]
        .map(f64::to_bits)
        .hash(&mut hasher);
    (view.width, view.height, shot.key()).hash(&mut hasher);
    hasher.finish()
}

/// A pane as it is seen: held, or wiped.
fn composed(
    request: &Request,
    base: &Picture,
    drawn: &[Option<Finished>],
    index: usize,
    picture: &Arc<Picture>,
) -> Arc<Picture> {
    let part = request.score.voices.get(index);
    let result = part.is_some_and(|part| part.show == Show::Result && part.way != Way::Motion);
    let wipe = request.wipe.filter(|wipe| wipe.pane == index);
    let held = request.source && result;
    if !held && wipe.is_none() {
        return Arc::clone(picture);
    }
    let chequered = || {
        let mut base = base.clone();
        over_chequers(&mut base, &request.view, request.portrait.size());
        base
    };
    let mut seen = if held {
        chequered()
    } else {
        Picture::clone(picture)
    };
    if let Some(Wipe { under, place, .. }) = wipe {
        match under.and_then(|under| drawn.get(under)?.as_ref()) {
            Some(finished) => wiped(&mut seen, &finished.picture, place),
            None => wiped(&mut seen, &chequered(), place),
        }
    }
    Arc::new(seen)
}

/// Lays the left part of another picture of the same size over one.
fn wiped(picture: &mut Picture, other: &Picture, place: f32) {
    let pitch = picture.width() as usize * 4;
    let kept = (place.clamp(0.0, 1.0) * picture.width() as f32).round() as usize * 4;
    let rows = picture.rgba_mut().chunks_exact_mut(pitch);
    for (row, own) in rows.zip(other.rgba().chunks_exact(pitch)) {
        row[..kept].copy_from_slice(&own[..kept]);
    }
}
