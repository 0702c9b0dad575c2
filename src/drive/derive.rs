//! Derives the missing half of a motion. The driving picture of an expression is the portrait rendered with that
//! expression; the expression of a clip is read from its face when it is bound to the portrait.

use std::sync::Arc;

use crate::document::Pose;
use crate::drive::driver::DriveSample;
use crate::error::EngineError;
use crate::face::TurnedSquare;
use crate::face::view::View;
use crate::media::image::Picture;
use crate::methods::drive::{Drive, DriveKey, DrivePicture, PoseKey, Viewpoint};
use crate::methods::subject::Subject;
use crate::progress::Stop;

/// Resolution of a rendered driving picture relative to the method's input.
const FINER: f64 = 2.0;

/// Renders the subject with an expression, in a view.
pub type Draw<'a> = &'a mut dyn FnMut(&Pose, &View, Stop) -> Result<Picture, EngineError>;

/// A drive sample as a method's [`Drive`], for one subject.
pub struct Driving<'a> {
    /// What is to be derived from.
    pub sample: &'a DriveSample,
    /// The portrait that is driven.
    pub subject: &'a Subject,
    /// Draws the portrait with an expression, for methods that need a driving picture.
    pub draw: Draw<'a>,
}

impl Driving<'_> {
    fn pose(&self, moment: DrivePicture) -> Pose {
        match moment {
            DrivePicture::Now => self.sample.pose(self.subject),
            // Expressions are relative to the portrait's own.
            DrivePicture::Reference => self.subject.expression.into(),
        }
    }
}

impl Drive for Driving<'_> {
    fn is_rest(&self) -> bool {
        matches!(self.sample, DriveSample::Nothing)
    }

    fn expression(&self) -> Pose {
        self.sample.pose(self.subject)
    }

    fn gain(&self) -> f32 {
        match self.sample {
            DriveSample::Step(clip, _) => clip.follow.strength,
            DriveSample::Nothing | DriveSample::Pose(_) => 1.0,
        }
    }

    fn key(&self, moment: DrivePicture, relative: bool) -> DriveKey {
        match self.sample {
            DriveSample::Nothing => DriveKey::Rest,
            DriveSample::Pose(_) => {
                DriveKey::Drawn(PoseKey::from(&self.pose(moment)), self.subject.key())
            }
            DriveSample::Step(clip, step) => {
                DriveKey::Clip(clip.key(moment, *step as usize, relative))
            }
        }
    }

    fn picture(
        &mut self,
        moment: DrivePicture,
        viewpoint: &Viewpoint,
        stop: Stop,
    ) -> Result<(Arc<Picture>, TurnedSquare), EngineError> {
        if let DriveSample::Step(clip, step) = self.sample {
            let relative = viewpoint.relative;
            return clip.picture(moment, *step as usize, viewpoint.rule, relative);
        }
        let view = view_of(viewpoint);
        let pose = self.pose(moment);
        let picture = (self.draw)(&pose, &view, stop)?;
        Ok((Arc::new(picture), view.square(viewpoint.place)))
    }
}

/// Returns a view of the portrait around a method's square, no larger than its input needs.
fn view_of(viewpoint: &Viewpoint) -> View {
    let place = viewpoint.place;
    let zoom = (FINER * viewpoint.size as f64 / place.side).min(1.0);
    // A turned square has a larger bounding box.
    let reach = place.side * (place.angle.sin().abs() + place.angle.cos().abs());
    let pixels = (reach * zoom).ceil() as u32 + 4;
    View {
        x: place.x - 0.5 * f64::from(pixels) / zoom,
        y: place.y - 0.5 * f64::from(pixels) / zoom,
        zoom,
        width: pixels,
        height: pixels,
    }
}
