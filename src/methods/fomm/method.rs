//! FOMM as a [`Method`](crate::methods::Method).

use std::slice;

use candle_core::Tensor;

use crate::document::{MethodId, Mode, PaneView};
use crate::methods::diagnostics::KeyPoint;
use crate::methods::error::Error;
use crate::methods::fomm::config::Config;
use crate::methods::fomm::dense_motion::Motion;
use crate::methods::fomm::key_points::{KeyPoints, relative};
use crate::methods::fomm::model::{Fomm, Prepared};
use crate::methods::motion_transfer::{self, KeyPointNetwork};
use crate::methods::{DrivenBy, MethodInfo};
use crate::nn::Weights;
use crate::progress::Stop;
use crate::weights::Bundled;

pub static INFO: MethodInfo = MethodInfo {
    id: MethodId::new("fomm"),
    title: "FOMM",
    driven_by: DrivenBy::Picture,
    draws_head: false,
    overshoots: false,
    draws_folds: false,
    is_generative: true,
    fits_landmarks: false,
    modes: &[Mode::Relative, Mode::Standard],
    views: &[
        PaneView::Result,
        PaneView::Flow,
        PaneView::Occlusion(0),
        PaneView::KeyPoints,
        PaneView::Difference,
    ],
    has_draft: true,
    bundled: Some(Bundled::Fomm),
    open: |weights| motion_transfer::open::<Fomm>(Bundled::Fomm, weights),
};

impl KeyPointNetwork for Fomm {
    type KeyPoints = KeyPoints;
    type Prepared = Prepared;
    type Motion = Motion;

    fn load(json: &str, weights: Weights) -> Result<(Self, usize), Error> {
        let config = Config::from_json(json)?;
        Ok((Self::new(&config, weights)?, config.image_size))
    }

    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn detect(&self, picture: &Tensor, stop: Stop) -> Result<KeyPoints, Error> {
        Fomm::detect(self, picture, stop)
    }

    fn prepare(&self, picture: &Tensor) -> Result<Prepared, Error> {
        Fomm::prepare(self, picture)
    }

    fn source<'a>(&self, prepared: &'a Prepared) -> &'a KeyPoints {
        prepared.key_points()
    }

    fn drive(
        &self,
        mode: Mode,
        source: &KeyPoints,
        driving: &KeyPoints,
        initial: &KeyPoints,
    ) -> Result<KeyPoints, Error> {
        match mode {
            Mode::Relative => relative(source, driving, initial, true),
            Mode::Standard | Mode::Avd => Ok(driving.clone()),
        }
    }

    fn towards(source: &KeyPoints, points: &KeyPoints, gain: f32) -> Result<KeyPoints, Error> {
        Ok(source.towards(points, gain))
    }

    fn motion(&self, prepared: &Prepared, points: &KeyPoints, stop: Stop) -> Result<Motion, Error> {
        Fomm::motion(self, prepared, points, stop)
    }

    fn paint(&self, prepared: &Prepared, motion: &Motion, stop: Stop) -> Result<Tensor, Error> {
        Fomm::paint(self, prepared, motion, stop)
    }

    fn maps(motion: &Motion) -> (&Tensor, &[Tensor], &Tensor) {
        let occlusion = motion.occlusion.as_ref().map(slice::from_ref);
        (&motion.flow, occlusion.unwrap_or_default(), &motion.masks)
    }

    fn align_corners(&self) -> bool {
        self.config().align_corners
    }

    fn key_points(points: &KeyPoints) -> Vec<KeyPoint> {
        let point = |(i, at): (usize, &[f32; 2])| KeyPoint {
            at: *at,
            axes: points.jacobians.get(i).copied(),
        };
        points.points.iter().enumerate().map(point).collect()
    }
}
