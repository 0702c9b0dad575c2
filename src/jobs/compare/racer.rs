//! A contender at work: prepared once, then asked for frame after frame.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::document::Mode;
use crate::error::{EngineError, FaceError, InternalError};
use crate::face::limits;
use crate::face::portrait::Portrait;
use crate::face::{Mask, Transfer as Carry, TransferSource, TurnedSquare};
use crate::jobs::compare::Comparison;
use crate::jobs::compare::contender::{Network, Standing};
use crate::jobs::compare::driving::{Driving, Motion, scenes};
use crate::jobs::transfer::Transferred;
use crate::jobs::transfer::{clip_square, frame_of};
use crate::jobs::transfer_units;
use crate::media::image::Picture;
use crate::methods::ganimation::edits::Edits;
use crate::methods::ganimation::session::square;
use crate::methods::ganimation::session::{Pane, Renderer, Scene};
use crate::methods::mover::{Mover, Points, Prepared};

/// A contender, ready for frames.
pub(crate) enum Racer {
    Units {
        renderer: Box<Renderer>,
        /// One for each frame of the sheet.
        scenes: Vec<Scene>,
    },
    Moving(Box<Moving>),
}

/// A motion method's own.
pub(crate) struct Moving {
    body: Rc<Body>,
    /// The square of the clip that the network sees.
    place: TurnedSquare,
    /// The key points of the clip's reference frame.
    initial: Points,
    mode: Mode,
    gain: f32,
    plain: bool,
}

/// What the modes of one network share of a portrait.
struct Body {
    mover: Arc<Mover>,
    prepared: Prepared,
    source: TransferSource,
    mask: Option<Mask>,
}

/// The key points of a driving frame, with whose they are and how long it took to find them: modes that see the same
/// square share them.
type Seen = (Rc<Body>, TurnedSquare, Points, Duration);

/// One frame of the clip, as the racers see it.
pub(crate) struct Driven<'a> {
    pub picture: &'a Picture,
    /// The number of the sheet's frame.
    pub frame: usize,
    seen: Vec<Seen>,
}

impl<'a> Driven<'a> {
    pub fn new(picture: &'a Picture, frame: usize) -> Self {
        Self {
            picture,
            frame,
            seen: Vec::new(),
        }
    }
}

/// Prepares every contender.
///
/// # Errors
/// [`EngineError::Cancelled`], [`EngineError::Clip`] for a reference frame that the clip hasn't, and what the networks
/// and the clip's reader say.
pub(crate) fn line_up(
    comparison: &Comparison,
    driving: &Driving,
    told: &mut Transferred,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<Racer>, EngineError> {
    let mut bodies: Vec<Rc<Body>> = Vec::new();
    let mut racers = Vec::new();
    for standing in &comparison.standings {
        if stop() {
            return Err(EngineError::Cancelled);
        }
        let racer = match &standing.network {
            Network::Units(model) => {
                let portrait = &comparison.portrait;
                let face = standing.document.face;
                let renderer = Renderer::new(
                    Arc::clone(model),
                    &portrait.picture,
                    standing.document.crop,
                    face.and_then(|face| portrait.faces.get(face).cloned()),
                )?;
                Racer::Units {
                    renderer: Box::new(renderer),
                    scenes: unit_scenes(comparison, standing, driving, told)?,
                }
            }
            Network::Moving(mover) => {
                let known = bodies.iter().find(|body| Arc::ptr_eq(&body.mover, mover));
                let body = match known {
                    Some(body) => Rc::clone(body),
                    None => {
                        let body = Rc::new(body(&comparison.portrait, standing, mover, stop)?);
                        bodies.push(Rc::clone(&body));
                        body
                    }
                };
                Racer::Moving(Box::new(moving(
                    comparison, standing, driving, body, told, stop,
                )?))
            }
        };
        racers.push(racer);
    }
    Ok(racers)
}

/// The scenes by which GANimation follows the motion.
fn unit_scenes(
    comparison: &Comparison,
    standing: &Standing,
    driving: &Driving,
    told: &mut Transferred,
) -> Result<Vec<Scene>, EngineError> {
    let document = &standing.document;
    if let Motion::Track(tracked) = &comparison.motion {
        return Ok(scenes(tracked, document));
    }
    let Some(track) = &driving.track else {
        // Without a face a comparison of other than motion methods isn't begun.
        return Err(FaceError::NoneToDrive {
            name: driving.name.clone(),
        }
        .into());
    };
    let mode = standing.contender.mode;
    let reference = driving.reference(mode, &comparison.portrait, document, told)?;
    let reference = (mode == Mode::Relative).then_some(reference);
    let drive = &driving.drive;
    Ok(transfer_units::scenes(
        track,
        document,
        drive,
        driving.rate,
        reference,
    ))
}

fn body(
    portrait: &Portrait,
    standing: &Standing,
    mover: &Arc<Mover>,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Body, EngineError> {
    let document = &standing.document;
    let crop = square(document.crop);
    let prepared = mover.prepare(&mover.input(&portrait.picture, crop)?)?;
    let rest = mover.frame(&prepared, &Mover::own(&prepared), stop)?;
    let mesh = document.face.and_then(|face| portrait.faces.get(face));
    Ok(Body {
        source: TransferSource::new(Arc::clone(&portrait.picture), crop, &rest)?,
        mask: limits::mask(mesh.map(|face| &face.mesh), crop, document.limit),
        mover: Arc::clone(mover),
        prepared,
    })
}

fn moving(
    comparison: &Comparison,
    standing: &Standing,
    driving: &Driving,
    body: Rc<Body>,
    told: &mut Transferred,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Moving, EngineError> {
    let (mode, document) = (standing.contender.mode, &standing.document);
    let reference = driving.reference(mode, &comparison.portrait, document, told)?;
    let first = frame_of(&driving.drive, reference)?;
    let place = clip_square(&first.picture, body.mover.crop(), &driving.drive, told)?;
    let initial = body
        .mover
        .points(&body.mover.input(&first.picture, place)?, stop)?;
    Ok(Moving {
        body,
        place,
        initial,
        mode,
        gain: driving.drive.gain,
        plain: driving.drive.plain,
    })
}

impl Racer {
    /// The portrait as it is in a frame, at its own size, and the time that the method itself took for it.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when `stop` said so, and what the network says.
    pub fn frame(
        &self,
        portrait: &Picture,
        driven: &mut Driven,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(Picture, Duration), EngineError> {
        match self {
            Racer::Units { renderer, scenes } => {
                let last = scenes.len().saturating_sub(1);
                let Some(scene) = scenes.get(driven.frame.min(last)) else {
                    return Err(InternalError::NoFrames.into());
                };
                let begun = Instant::now();
                let edit = if Pane::Result.needs_network(scene) {
                    // Nothing is kept, so that every frame takes the time that it takes.
                    Some(Edits::default().of(renderer, scene, stop)?.0)
                } else {
                    None
                };
                let picture = renderer.picture(portrait, scene, edit.as_deref(), Pane::Result);
                Ok((picture, begun.elapsed()))
            }
            Racer::Moving(moving) => moving.frame(driven, stop),
        }
    }
}

impl Moving {
    fn frame(
        &self,
        driven: &mut Driven,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(Picture, Duration), EngineError> {
        let Body {
            mover,
            prepared,
            source,
            mask,
        } = &*self.body;
        let (points, looking) = self.points(driven, stop)?;
        let begun = Instant::now();
        let points = mover.driven(prepared, &points, &self.initial, (self.mode, self.gain))?;
        let motion = mover.frame(prepared, &points, stop)?;
        let carry = Carry {
            mask: mask.as_ref(),
            plain: self.plain,
        };
        let picture = source.apply(&motion, carry)?;
        Ok((picture, begun.elapsed() + looking))
    }

    /// The frame's key points, and how long they took.
    fn points(
        &self,
        driven: &mut Driven,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(Points, Duration), EngineError> {
        let same =
            |(body, place, _, _): &&Seen| Rc::ptr_eq(body, &self.body) && *place == self.place;
        if let Some((_, _, points, took)) = driven.seen.iter().find(same) {
            return Ok((points.clone(), *took));
        }
        let begun = Instant::now();
        let input = self.body.mover.input(driven.picture, self.place)?;
        let points = self.body.mover.points(&input, stop)?;
        let took = begun.elapsed();
        let body = Rc::clone(&self.body);
        driven.seen.push((body, self.place, points.clone(), took));
        Ok((points, took))
    }
}
