//! FOMM and TPS on the stage, driven by whatever there is.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use crate::document::Mode;
use crate::document::{Crop, Limit, Pose, Show, Way};
use crate::drive::clip_driver::Lead;
use crate::drive::driver::Cue;
use crate::error::{EngineError, InternalError};
use crate::face::limits;
use crate::face::{Mask, Transfer, TransferSource, TurnedSquare};
use crate::media::image::Picture;
use crate::methods::diagnostics::Seen;
use crate::methods::ganimation::session::{Pane, Scene};
use crate::methods::ganimation::session::{draw, square};
use crate::methods::mover::MotionMethod;
use crate::methods::mover::{Mover, Points, Prepared, Unpainted};
use crate::render::diagnostics;
use crate::render::renderer::{Care, Drawn, Sitter, Stage, millis_since};
use crate::render::view::View;

/// What a motion network has said.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    Points(Arc<Points>),
    /// A frame without its picture, and what that is painted of.
    Moved(Arc<Moved>),
    Seen(Arc<Seen>),
}

/// A frame that isn't painted yet.
#[derive(Debug)]
pub(crate) struct Moved {
    seen: Arc<Seen>,
    unpainted: Unpainted,
    /// Milliseconds that it took.
    millis: f32,
}

/// What a network says of a moment, and the milliseconds that it took, where it was asked.
struct Told {
    seen: Arc<Seen>,
    millis: Option<f32>,
    /// Of them those of a draft before.
    draft_millis: f32,
}

impl Told {
    /// What is known already.
    fn again(seen: Arc<Seen>) -> Self {
        Self {
            seen,
            millis: None,
            draft_millis: 0.0,
        }
    }
}

/// A motion method with a portrait before it.
pub(crate) struct Moving {
    mover: Arc<Mover>,
    prepared: Prepared,
    /// The square of the portrait that it sees.
    place: TurnedSquare,
    /// What it says when nothing moves.
    rest: Arc<Seen>,
    /// The portrait small, as GANimation redraws it for this method, and how it lies there.
    small: (View, Picture),
    source: Option<(View, TransferSource)>,
    mask: Option<(Limit, Option<Mask>)>,
}

impl Moving {
    /// Where the masked limit lets the portrait change.
    fn mask(&mut self, sitter: &Sitter) -> Option<&Mask> {
        let limit = sitter.scene.limit;
        if self.mask.as_ref().is_none_or(|(of, _)| *of != limit) {
            let mesh = sitter.face.as_deref().map(|face| &face.mesh);
            self.mask = Some((limit, limits::mask(mesh, self.place, limit)));
        }
        self.mask.as_ref().and_then(|(_, mask)| mask.as_ref())
    }
}

/// What cues are known by here: any way that takes the clip itself.
const WAY: Way = Way::Motion;

/// How many more pixels the small portrait has than the network sees.
const FINER: f64 = 2.0;

impl Stage {
    /// A portrait by FOMM or TPS.
    #[expect(
        clippy::too_many_arguments,
        reason = "a shot's parts, taken apart once"
    )]
    pub(crate) fn moved(
        &mut self,
        sitter: &Sitter,
        view: &View,
        base: &Picture,
        (method, mode): (MotionMethod, Mode),
        (show, care): (Show, Care),
        cue: &Cue,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Drawn, EngineError> {
        let mover = Arc::clone(self.models.mover(method)?);
        mover.check_mode(mode)?;
        self.prepare(sitter, method, mover, stop)?;
        let painted = care == Care::Whole && is_painted(show);
        let told = self.seen(sitter, (method, mode), cue, painted, stop)?;
        let seen = told.seen;
        let draft = is_painted(show) && seen.motion.picture.is_empty();

        let moving = self.moving(method)?;
        let place = view.square(moving.place);
        let picture = match show {
            Show::Result | Show::Difference => {
                let fresh = |(of, _): &(View, TransferSource)| of == view;
                let source = match moving.source.take().filter(fresh) {
                    Some(source) => source,
                    None => {
                        let source = TransferSource::new(base.clone(), place, &moving.rest.motion);
                        (*view, source?)
                    }
                };
                let mask = moving.mask(sitter);
                let result = if draft {
                    source.1.warp(&seen.motion, mask)
                } else {
                    source
                        .1
                        .apply(&seen.motion, Transfer { mask, plain: false })
                };
                let result = result?;
                moving.source = Some(source);
                if show == Show::Difference {
                    let mut picture = base.clone();
                    diagnostics::difference(&mut picture, &result);
                    picture
                } else {
                    result
                }
            }
            show => {
                let mut picture = base.clone();
                let rest = Some(&moving.rest.motion);
                diagnostics::draw(&mut picture, place, show, &seen, rest);
                picture
            }
        };
        Ok(Drawn {
            picture,
            network_millis: told.millis,
            draft_millis: told.draft_millis,
            mean_edit: None,
            draft,
        })
    }

    fn moving(&mut self, method: MotionMethod) -> Result<&mut Moving, EngineError> {
        let moving = match method {
            MotionMethod::Fomm => &mut self.fomm,
            MotionMethod::Tps => &mut self.tps,
        };
        moving.as_mut().ok_or(InternalError::NotPrepared.into())
    }

    /// Does all that depends on the portrait alone, once.
    fn prepare(
        &mut self,
        sitter: &Sitter,
        method: MotionMethod,
        mover: Arc<Mover>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(), EngineError> {
        if self.moving(method).is_ok() {
            return Ok(());
        }
        let crop = self.crop_for(sitter, &mover);
        let place = square(crop);
        let prepared = mover.prepare(&mover.input(&sitter.picture, place)?)?;
        let rest = mover.frame_seen(&prepared, &Mover::own(&prepared), stop)?;
        let zoom = (FINER * mover.size() as f64 / place.side).min(1.0);
        // A turned square reaches further than an upright one.
        let reach = place.side * (place.angle.sin().abs() + place.angle.cos().abs());
        let pixels = (reach * zoom).ceil() as u32 + 4;
        let view = View {
            x: place.x - 0.5 * f64::from(pixels) / zoom,
            y: place.y - 0.5 * f64::from(pixels) / zoom,
            zoom,
            width: pixels,
            height: pixels,
        };
        let small = self
            .pyramid(sitter)
            .view(&view)
            .ok_or(InternalError::EmptyFrame)?;
        let moving = Moving {
            mover,
            prepared,
            place,
            rest: Arc::new(rest),
            small: (view, small),
            source: None,
            mask: None,
        };
        match method {
            MotionMethod::Fomm => self.fomm = Some(moving),
            MotionMethod::Tps => self.tps = Some(moving),
        }
        Ok(())
    }

    /// The square that a method wants of the portrait: that of its own rule, moved and sized as the artist has moved and sized
    /// GANimation's.
    fn crop_for(&self, sitter: &Sitter, mover: &Mover) -> Crop {
        let crop = sitter.scene.crop;
        let Some(face) = &sitter.face else {
            return crop;
        };
        let size = sitter.picture.size();
        let level = crop.angle != 0.0;
        let stood = |rule: &crate::weights::CropRule| {
            let rule = if level {
                rule.levelled()
            } else {
                rule.upright()
            };
            face.crop_by(&rule, size)
        };
        let usual = stood(self.models.ganimation().crop());
        let own = stood(mover.crop());
        let (before, after, middle) = (usual.middle(), crop.middle(), own.middle());
        let scale = crop.side / usual.side.max(1.0);
        let side = own.side * scale;
        Crop {
            x: middle.0 + (after.0 - before.0) - 0.5 * side,
            y: middle.1 + (after.1 - before.1) - 0.5 * side,
            side,
            angle: crop.angle,
        }
        .fitted(size.0, size.1)
    }

    /// What the network says of a moment. Its picture, which takes most of the time, is only there
    /// where it is to be `painted`, or has been.
    fn seen(
        &mut self,
        sitter: &Sitter,
        (method, mode): (MotionMethod, Mode),
        cue: &Cue,
        painted: bool,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Told, EngineError> {
        let started = Instant::now();
        let gain = match cue {
            Cue::Step(lead, _) => lead.follow.strength,
            Cue::Nothing | Cue::Pose(_) => 1.0,
        };
        let beside = (limit_key(sitter, cue), gain.to_bits());
        let key = key(&(method, mode, 0u8, cue.key(WAY), beside));
        match self.seen.get(key) {
            Some(Said::Seen(seen)) => return Ok(Told::again(seen)),
            Some(Said::Moved(moved)) if !painted => {
                return Ok(Told::again(Arc::clone(&moved.seen)));
            }
            Some(Said::Moved(moved)) => {
                let seen = self.paint(method, key, &moved, stop)?;
                return Ok(Told {
                    seen,
                    millis: Some(moved.millis + millis_since(started)),
                    draft_millis: moved.millis,
                });
            }
            Some(Said::Points(_)) | None => {}
        }
        let (driving, initial) = match cue {
            Cue::Nothing => return Ok(Told::again(Arc::clone(&self.moving(method)?.rest))),
            Cue::Pose(pose) => (
                self.drawn_points(sitter, method, *pose, stop)?,
                self.drawn_points(sitter, method, sitter.scene.source.into(), stop)?,
            ),
            Cue::Step(lead, step) => (
                self.led_points(method, lead, Some(*step), stop)?,
                self.led_points(method, lead, None, stop)?,
            ),
        };
        let moving = self.moving(method)?;
        let points = moving
            .mover
            .driven(&moving.prepared, &driving, &initial, (mode, gain))?;
        let (seen, unpainted) = moving.mover.motion_seen(&moving.prepared, &points, stop)?;
        // The network's own numbers are as many as those that were read from them.
        let bytes = 2 * seen.bytes();
        let moved = Arc::new(Moved {
            seen: Arc::new(seen),
            unpainted,
            millis: millis_since(started),
        });
        self.seen.put(key, Said::Moved(Arc::clone(&moved)), bytes);
        let seen = if painted {
            self.paint(method, key, &moved, stop)?
        } else {
            Arc::clone(&moved.seen)
        };
        Ok(Told {
            seen,
            millis: Some(millis_since(started)),
            draft_millis: 0.0,
        })
    }

    /// The same with its picture, kept in place of the one without.
    fn paint(
        &mut self,
        method: MotionMethod,
        key: u64,
        moved: &Moved,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Arc<Seen>, EngineError> {
        let moving = self.moving(method)?;
        let picture = moving
            .mover
            .paint(&moving.prepared, &moved.unpainted, stop)?;
        let mut seen = Seen::clone(&moved.seen);
        seen.motion.picture = picture;
        let (bytes, seen) = (seen.bytes(), Arc::new(seen));
        self.seen.put(key, Said::Seen(Arc::clone(&seen)), bytes);
        Ok(seen)
    }

    /// The key points of the portrait as GANimation draws it with an expression.
    fn drawn_points(
        &mut self,
        sitter: &Sitter,
        method: MotionMethod,
        pose: Pose,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Arc<Points>, EngineError> {
        let cue = Cue::Pose(pose);
        let key = key(&(method, 1u8, cue.key(WAY), limit_key(sitter, &cue)));
        if let Some(Said::Points(points)) = self.seen.get(key) {
            return Ok(points);
        }
        let scene = Scene {
            target: pose,
            ..sitter.scene
        };
        let spoken = if Pane::Result.needs_network(&scene) {
            let (edit, mask, _) = self.edit(sitter, &scene, stop)?;
            Some((edit, mask))
        } else {
            None
        };
        let moving = self.moving(method)?;
        let (view, small) = &moving.small;
        let mut picture = small.clone();
        if let Some((edit, mask)) = spoken {
            let place = view.square(square(scene.crop));
            draw(
                &mut picture,
                place,
                &scene,
                Some(&edit),
                mask.as_deref(),
                Pane::Result,
            );
        }
        let input = moving.mover.input(&picture, view.square(moving.place))?;
        let points = Arc::new(moving.mover.points(&input, stop)?);
        self.seen
            .put(key, Said::Points(Arc::clone(&points)), POINTS_BYTES);
        Ok(points)
    }

    /// The key points of a clip's frame: at a step, or of the reference frame.
    fn led_points(
        &mut self,
        method: MotionMethod,
        lead: &Arc<Lead>,
        step: Option<u32>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Arc<Points>, EngineError> {
        // All of a lead's steps have the same reference frame, of which the first speaks too.
        let of = (step.is_none(), lead.key(step.unwrap_or(0) as usize));
        let key = key(&(method, 2u8, of));
        if let Some(Said::Points(points)) = self.seen.get(key) {
            return Ok(points);
        }
        let moving = self.moving(method)?;
        let rule = moving.mover.crop();
        let (picture, place) = match step {
            Some(step) => lead.driving(step as usize, rule)?,
            None => lead.initial(rule)?,
        };
        let input = moving.mover.input(&picture, place)?;
        let points = Arc::new(moving.mover.points(&input, stop)?);
        self.seen
            .put(key, Said::Points(Arc::clone(&points)), POINTS_BYTES);
        Ok(points)
    }
}

/// Whether what is shown of a motion method needs the generator's picture.
pub(crate) fn is_painted(show: Show) -> bool {
    matches!(show, Show::Result | Show::Difference)
}

/// What key points take, as good as any guess.
const POINTS_BYTES: usize = 1024;

/// What GANimation's drawing of an expression depends on beside the expression.
fn limit_key(sitter: &Sitter, cue: &Cue) -> u64 {
    match cue {
        Cue::Pose(_) => sitter.key(),
        Cue::Nothing | Cue::Step(..) => 0,
    }
}

fn key(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}
