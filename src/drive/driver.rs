//! What drives a pane at one moment, and the score that says so for every moment.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use rayon::prelude::*;

use crate::document::{Document, Pose, Way};
use crate::drive::clip_driver::Lead;
use crate::error::EngineError;
use crate::face::TurnedSquare;
use crate::media::image::Picture;
use crate::methods::ganimation::session::Scene;

/// What drives a portrait at one moment.
#[derive(Debug, Clone)]
pub enum Cue {
    /// Nothing yet: the motion isn't there, or not yet read.
    Nothing,
    /// An expression, strength already counted in.
    Pose(Pose),
    /// A step of a clip or a sample.
    Step(Arc<Lead>, u32),
}

impl Cue {
    /// The expression that GANimation is asked for.
    pub(crate) fn pose(&self, scene: &Scene) -> Pose {
        match self {
            Cue::Nothing => scene.source.into(),
            Cue::Pose(pose) => *pose,
            Cue::Step(lead, step) => lead.pose(*step as usize),
        }
    }

    /// A number for all that it says to a way.
    pub(crate) fn key(&self, way: Way) -> u64 {
        let mut hasher = DefaultHasher::new();
        match (self, way) {
            (Cue::Nothing, _) => 0u8.hash(&mut hasher),
            (Cue::Pose(pose), _) => hash_pose(pose, &mut hasher),
            // To GANimation only the expression counts, whatever it was read from.
            (Cue::Step(lead, step), Way::Ganimation) => {
                hash_pose(&lead.pose(*step as usize), &mut hasher);
            }
            (Cue::Step(lead, step), _) => (2u8, lead.key(*step as usize)).hash(&mut hasher),
        }
        hasher.finish()
    }
}

fn hash_pose(pose: &Pose, hasher: &mut DefaultHasher) {
    1u8.hash(hasher);
    for half in [&pose.left, &pose.right] {
        half.values().map(f32::to_bits).hash(hasher);
    }
}

/// A motion, ready to drive.
#[derive(Debug, Clone)]
pub enum Driver {
    /// It isn't there, or not yet read.
    Nothing,
    /// An expression track, with the portrait that it is of.
    Track(Arc<Document>),
    /// A clip or a sample.
    Lead(Arc<Lead>),
}

impl Driver {
    /// Frames a second.
    pub fn fps(&self) -> f64 {
        match self {
            Driver::Nothing => 24.0,
            Driver::Track(document) => document.track.fps(),
            Driver::Lead(lead) => lead.fps(),
        }
    }

    /// How many frames one pass has, at least one.
    pub fn frames(&self) -> u32 {
        match self {
            Driver::Nothing => 1,
            Driver::Track(document) => document.track.frames(),
            Driver::Lead(lead) => steps(lead),
        }
    }

    /// What it says at a step of its own.
    pub fn at(&self, step: u32) -> Cue {
        match self {
            Driver::Nothing => Cue::Nothing,
            Driver::Track(document) => Cue::Pose(document.target(step)),
            Driver::Lead(lead) => Cue::Step(Arc::clone(lead), step.min(steps(lead) - 1)),
        }
    }

    /// What it says so many seconds after its start, played as it is to be played.
    pub fn playing_at(&self, seconds: f64) -> Cue {
        let step = match self {
            Driver::Nothing => 0,
            Driver::Track(document) => document.track.playing_at(seconds).0,
            Driver::Lead(lead) => lead.playing_at(seconds).0,
        };
        self.at(step)
    }

    /// The frames in the order in which they are shown once through.
    pub fn order(&self) -> Vec<u32> {
        match self {
            Driver::Nothing => vec![0],
            Driver::Track(document) => document.track.order(),
            Driver::Lead(lead) => lead.order(),
        }
    }

    pub(crate) fn same(&self, other: &Driver) -> bool {
        match (self, other) {
            (Driver::Nothing, Driver::Nothing) => true,
            (Driver::Track(a), Driver::Track(b)) => Arc::ptr_eq(a, b) || a == b,
            (Driver::Lead(a), Driver::Lead(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// How many steps a lead has, at least one.
fn steps(lead: &Lead) -> u32 {
    u32::try_from(lead.frames()).unwrap_or(u32::MAX).max(1)
}

/// A picture laid into another of a size, so that its square `from` comes to lie on `to`. What it doesn't reach is
/// transparent.
pub(crate) fn aligned(
    picture: &Picture,
    from: TurnedSquare,
    (width, height): (u32, u32),
    to: TurnedSquare,
) -> Result<Picture, EngineError> {
    let mut rgba = vec![0u8; width as usize * height as usize * 4];
    let (sin, cos) = from.angle.sin_cos();
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    let source = picture.rgba();
    rgba.par_chunks_exact_mut((width as usize * 4).max(1))
        .enumerate()
        .for_each(|(y, row)| {
            for (x, pixel) in row.chunks_exact_mut(4).enumerate() {
                let (u, v) = to.within((x as f64 + 0.5, y as f64 + 0.5));
                let (du, dv) = ((u - 0.5) * from.side, (v - 0.5) * from.side);
                let px = from.x + du * cos - dv * sin - 0.5;
                let py = from.y + du * sin + dv * cos - 0.5;
                if px < -0.5 || py < -0.5 || px > w as f64 - 0.5 || py > h as f64 - 0.5 {
                    continue;
                }
                let (px, py) = (px.clamp(0.0, (w - 1) as f64), py.clamp(0.0, (h - 1) as f64));
                let (left, top) = (px as usize, py as usize);
                let (fx, fy) = ((px - left as f64) as f32, (py - top as f64) as f32);
                let (right, bottom) = ((left + 1).min(w - 1), (top + 1).min(h - 1));
                for (c, channel) in pixel.iter_mut().enumerate() {
                    let at = |x: usize, y: usize| f32::from(source[(y * w + x) * 4 + c]);
                    let upper = at(left, top) * (1.0 - fx) + at(right, top) * fx;
                    let lower = at(left, bottom) * (1.0 - fx) + at(right, bottom) * fx;
                    *channel = (upper * (1.0 - fy) + lower * fy).round() as u8;
                }
            }
        });
    Ok(Picture::new(width, height, rgba)?.with_alpha(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_comes_to_lie_on_another() {
        let rgba = (0..40 * 30)
            .flat_map(|i| [(i % 40) as u8 * 6, (i / 40) as u8 * 8, 50, 255])
            .collect();
        let picture = Picture::new(40, 30, rgba).unwrap();
        let square = |x: f64, y: f64, side: f64| TurnedSquare {
            x,
            y,
            side,
            angle: 0.0,
        };
        let laid = aligned(
            &picture,
            square(20.0, 15.0, 10.0),
            (60, 60),
            square(30.0, 30.0, 20.0),
        );
        let laid = laid.unwrap();
        let at = |x: usize, y: usize| &laid.rgba()[(y * 60 + x) * 4..][..4];
        // Twice as large, middle on middle.
        assert!(at(30, 30)[0].abs_diff(6 * 20 - 2) <= 2, "{:?}", at(30, 30));
        assert!(at(40, 30)[0].abs_diff(at(30, 30)[0] + 30) <= 1);
        assert_eq!(at(30, 0)[3], 255);
        let far = aligned(
            &picture,
            square(20.0, 15.0, 10.0),
            (60, 60),
            square(30.0, 30.0, 5.0),
        );
        assert_eq!(far.unwrap().rgba()[3], 0, "beyond the picture");
    }
}
