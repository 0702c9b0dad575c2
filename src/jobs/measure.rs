//! Panes in numbers, frame by frame: how far each is from another, or from what drives it.

use std::sync::Arc;

use crate::document::{Show, Way};
use crate::error::EngineError;
use crate::face::found::finder;
use crate::face::{Shape, shape68};
use crate::media::image::Picture;
use crate::methods::models::Models;
use crate::metrics::{FrameNumbers, SIDE, acd, features};
use crate::progress::Progress;
use crate::render::composition::{Score, Shot};
use crate::render::renderer::{Sitter, Stage};
use crate::render::view::View;

/// What the panes are measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// The result of a pane, by its place.
    Pane(usize),
    /// What drives each pane: the clip's frame, the sample's, or what GANimation draws of a track.
    Motion,
}

/// What of a pane was measured: a number for each step, `None` where it can't be measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The pane's place.
    pub pane: usize,
    /// The metric's name and unit.
    pub metric: &'static str,
    pub values: Vec<Option<f32>>,
}

/// The metrics, as they are called: L1, PSNR, SSIM and AKD beside the reference, and the ACD of the pane's own frames up to
/// each of them.
pub const METRICS: [&str; 5] = ["L1", "PSNR dB", "SSIM", "AKD px", "ACD so far px"];

/// Measures every pane of a score at every step of its timeline, over the face's square at [`SIDE`] pixels, as the papers do.
/// The sources are left out, and so is the pane that the others are measured against.
///
/// # Errors
/// [`EngineError::Cancelled`] when `progress` was asked to stop, and what the methods say.
pub fn measure(
    models: &Arc<Models>,
    sitter: &Sitter,
    score: &Score,
    beside: Beside,
    progress: &Progress,
) -> Result<Vec<Measured>, EngineError> {
    let steps = score.drive.frames();
    let panes: Vec<usize> = (0..score.voices.len())
        .filter(|pane| beside != Beside::Pane(*pane))
        .filter(|pane| !matches!(score.voices[*pane].way, Way::Source | Way::Motion))
        // Several pictures of one way have one result.
        .filter(|pane| {
            let same = |other: usize| {
                let (a, b) = (&score.voices[other], &score.voices[*pane]);
                a.way == b.way && a.same_drive(b)
            };
            !(0..*pane).any(same)
        })
        .collect();
    progress.set_total(steps as usize);
    let crop = sitter.scene.crop;
    let (x, y) = crop.middle();
    let middle = (f64::from(x), f64::from(y));
    let view = View::about(SIDE, SIDE, middle, f64::from(crop.side));
    let mut stage = Stage::new(Arc::clone(models));
    let base = stage.base(sitter, &view)?;
    let stop = || progress.cancel.is_cancelled();
    let mut draw = |shot: &Shot| -> Result<Picture, EngineError> {
        Ok(stage.shoot(sitter, &view, &base, shot, &stop)?.picture)
    };
    let mut rows: Vec<Row> = panes.iter().map(|_| Row::default()).collect();
    for step in 0..steps {
        if stop() {
            return Err(EngineError::Cancelled);
        }
        let shots = score.shots(step);
        let result = |shot: &Shot, way: Way| Shot {
            way,
            show: Show::Result,
            cue: shot.cue.clone(),
        };
        let fixed = match beside {
            Beside::Pane(pane) => match shots.get(pane) {
                Some(shot) => Some(Seen::of(draw(&result(shot, shot.way))?)?),
                None => None,
            },
            Beside::Motion => None,
        };
        for (row, pane) in rows.iter_mut().zip(&panes) {
            let shot = &shots[*pane];
            let own;
            let reference = match &fixed {
                Some(fixed) => fixed,
                None => {
                    own = Seen::of(draw(&result(shot, Way::Motion))?)?;
                    &own
                }
            };
            row.add(Seen::of(draw(&result(shot, shot.way))?)?, reference);
        }
        progress.step();
    }
    Ok(panes
        .into_iter()
        .zip(rows)
        .flat_map(|(pane, row)| {
            let metrics = METRICS.into_iter().zip(row.values);
            metrics.map(move |(metric, values)| Measured {
                pane,
                metric,
                values,
            })
        })
        .collect())
}

/// A picture with the face in it.
struct Seen {
    picture: Picture,
    face: Option<Shape>,
}

impl Seen {
    fn of(picture: Picture) -> Result<Self, EngineError> {
        let faces = finder()?.faces(&picture)?;
        Ok(Self {
            face: faces.first().map(|face| shape68(&face.mesh)),
            picture,
        })
    }
}

/// A pane's numbers so far.
#[derive(Default)]
struct Row {
    values: [Vec<Option<f32>>; METRICS.len()],
    /// By which the faces so far are stood alike.
    pose: Option<Shape>,
    /// Of each face so far.
    features: Vec<Vec<f32>>,
    /// The sum of the distances of every pair of them.
    distances: f64,
}

impl Row {
    fn add(&mut self, seen: Seen, reference: &Seen) {
        let faces = seen.face.as_ref().zip(reference.face.as_ref());
        let faces = faces.map(|(a, b)| [a.as_slice(), b.as_slice()]);
        let numbers = FrameNumbers::of(&seen.picture, &reference.picture, faces);
        if let Some(face) = seen.face {
            let pose = *self.pose.get_or_insert(face);
            if let Some(features) = features(&face, &pose) {
                // The ACD of two is their distance.
                let apart = |other: &Vec<f32>| acd(&[other, &features]);
                self.distances += self.features.iter().filter_map(apart).sum::<f64>();
                self.features.push(features);
            }
        }
        let count = self.features.len();
        let pairs = count * count.saturating_sub(1) / 2;
        let acd = (pairs > 0).then(|| self.distances / pairs as f64);
        let all = [numbers.l1, numbers.psnr, numbers.ssim, numbers.akd, acd];
        for (values, value) in self.values.iter_mut().zip(all) {
            values.push(value.map(|value| value as f32));
        }
    }
}
