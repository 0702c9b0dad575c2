//! TPS as a [`Method`](crate::methods::Method).

use candle_core::Tensor;

use crate::document::{MethodId, Mode, PaneView};
use crate::methods::diagnostics::KeyPoint;
use crate::methods::error::Error;
use crate::methods::motion_transfer::{self, KeyPointNetwork};
use crate::methods::tps::config::Config;
use crate::methods::tps::dense_motion::Motion;
use crate::methods::tps::key_points::KeyPoints;
use crate::methods::tps::model::{Prepared, Tps};
use crate::methods::{DrivenBy, MethodInfo};
use crate::nn::Weights;
use crate::progress::Stop;
use crate::weights::Bundled;

pub static INFO: MethodInfo = MethodInfo {
    id: MethodId::new("tps"),
    title: "TPS",
    driven_by: DrivenBy::Picture,
    draws_head: false,
    overshoots: false,
    draws_folds: false,
    is_generative: true,
    fits_landmarks: false,
    modes: &[Mode::Relative, Mode::Standard, Mode::Avd],
    views: &[
        PaneView::Result,
        PaneView::Flow,
        PaneView::Occlusion(0),
        PaneView::Occlusion(1),
        PaneView::Occlusion(2),
        PaneView::Occlusion(3),
        PaneView::KeyPoints,
        PaneView::Contributions,
        PaneView::Difference,
    ],
    has_draft: true,
    bundled: Some(Bundled::Tps),
    open: |weights| motion_transfer::open::<Tps>(Bundled::Tps, weights),
};

impl KeyPointNetwork for Tps {
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

    fn has_mode(&self, mode: Mode) -> bool {
        mode != Mode::Avd || self.config().avd.is_some()
    }

    fn detect(&self, picture: &Tensor, stop: Stop) -> Result<KeyPoints, Error> {
        Tps::detect(self, picture, stop)
    }

    fn prepare(&self, picture: &Tensor) -> Result<Prepared, Error> {
        Tps::prepare(self, picture)
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
        Tps::drive(self, mode, source, driving, initial)
    }

    fn towards(source: &KeyPoints, points: &KeyPoints, gain: f32) -> Result<KeyPoints, Error> {
        source.towards(points, gain)
    }

    fn motion(&self, prepared: &Prepared, points: &KeyPoints, stop: Stop) -> Result<Motion, Error> {
        Tps::motion(self, prepared, points, None, stop)
    }

    fn paint(&self, prepared: &Prepared, motion: &Motion, stop: Stop) -> Result<Tensor, Error> {
        Ok(Tps::paint(self, prepared, motion, stop)?.0)
    }

    fn maps(motion: &Motion) -> (&Tensor, &[Tensor], &Tensor) {
        (&motion.flow, &motion.occlusion, &motion.contributions)
    }

    fn align_corners(&self) -> bool {
        true
    }

    fn key_points(points: &KeyPoints) -> Vec<KeyPoint> {
        let point = |at: &[f32; 2]| KeyPoint {
            at: *at,
            axes: None,
        };
        points.points.iter().map(point).collect()
    }
}
