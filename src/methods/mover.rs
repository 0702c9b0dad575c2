//! A motion method ready to be used: FOMM or TPS, behind one face.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;

use crate::document::Mode;
use crate::error::{EngineError, InternalError, MethodError};
use crate::face::{Motion, TurnedSquare, network_input};
use crate::media::image::Picture;
use crate::methods::device::{device, device_name, in_precision};
use crate::methods::diagnostics::{KeyPoint, Map, Maps, Seen};
use crate::methods::{fomm, tps};
use crate::weights::find::open_weights;
use crate::weights::{Bundled, CropRule, WeightsError};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MotionMethod {
    /// First Order Motion Model.
    Fomm,
    /// Thin-Plate-Spline Motion Model.
    Tps,
}

impl MotionMethod {
    /// Its weights that come with the program.
    pub fn bundled(self) -> Bundled {
        match self {
            MotionMethod::Fomm => Bundled::Fomm,
            MotionMethod::Tps => Bundled::Tps,
        }
    }
}

/// A network that gives a portrait the motion of a clip.
pub struct Mover {
    name: String,
    device: Device,
    network: Network,
    crop: CropRule,
    size: usize,
}

enum Network {
    Fomm(Box<fomm::Fomm>),
    Tps(Box<tps::Tps>),
}

/// Key points of one picture.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Points {
    Fomm(fomm::KeyPoints),
    Tps(tps::KeyPoints),
}

impl Points {
    /// As any method has them.
    fn plain(&self) -> Vec<KeyPoint> {
        let (points, jacobians): (_, &[[f32; 4]]) = match self {
            Points::Fomm(points) => (&points.points, &points.jacobians),
            Points::Tps(points) => (&points.points, &[]),
        };
        let point = |(i, at): (usize, &[f32; 2])| KeyPoint {
            at: *at,
            axes: jacobians.get(i).copied(),
        };
        points.iter().enumerate().map(point).collect()
    }
}

/// How a frame moves, before anything of it is painted.
#[derive(Debug, Clone)]
pub(crate) enum Unpainted {
    Fomm(fomm::Motion),
    Tps(tps::Motion),
}

/// What depends on the portrait alone.
pub(crate) enum Prepared {
    Fomm(fomm::Prepared),
    Tps(tps::Prepared),
}

impl Mover {
    /// Opens the weights of a file, or of a name among those installed, or those that come with the program.
    ///
    /// # Errors
    /// [`EngineError::Method`] for neither a file nor a name, [`EngineError::Weights`] when a file is missing, damaged, of another architecture, or doesn't hold what its metadata says.
    pub fn open(method: MotionMethod, weights: Option<&Path>) -> Result<Self, EngineError> {
        let device = device().clone();
        let (path, file) = open_weights(method.bundled(), weights, &device)?;
        let mismatch = |error: &dyn std::fmt::Display| WeightsError::Mismatch {
            path: path.clone(),
            reason: error.to_string().trim_end_matches('.').to_owned(),
        };
        let crop = file.crop_rule(&path)?;
        let json = file.metadata.config.to_string();
        let tensors = VarBuilder::from_tensors(file.tensors, DType::F32, &device);
        let (network, size) = match method {
            MotionMethod::Fomm => {
                let config = fomm::Config::from_json(&json).map_err(|e| mismatch(&e))?;
                let network =
                    in_precision(|| fomm::Fomm::new(&config, tensors)).map_err(|e| mismatch(&e))?;
                (Network::Fomm(Box::new(network)), config.image_size)
            }
            MotionMethod::Tps => {
                let config = tps::Config::from_json(&json).map_err(|e| mismatch(&e))?;
                let network =
                    in_precision(|| tps::Tps::new(&config, tensors)).map_err(|e| mismatch(&e))?;
                (Network::Tps(Box::new(network)), config.image_size)
            }
        };
        Ok(Self {
            name: file.name,
            device,
            network,
            crop,
            size,
        })
    }

    /// The file's name without its extension.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the network runs, as the status line shows it.
    pub fn device_name(&self) -> String {
        device_name(&self.device)
    }

    /// Pixels a side of what the network sees.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Where the face must lie in the square that the network sees.
    pub fn crop(&self) -> &CropRule {
        &self.crop
    }

    /// Refuses what the network can't do.
    ///
    /// # Errors
    /// [`EngineError::Method`].
    pub(crate) fn check_mode(&self, mode: Mode) -> Result<(), EngineError> {
        match (&self.network, mode) {
            (Network::Fomm(_), Mode::Avd) => Err(MethodError::AvdIsOfTps.into()),
            (Network::Tps(network), Mode::Avd) if network.config().avd.is_none() => {
                Err(MethodError::NoAvdNetwork {
                    weights: self.name.clone(),
                }
                .into())
            }
            _ => Ok(()),
        }
    }

    /// A square of a picture as [`Mover::points`] and [`Mover::prepare`] take it.
    pub(crate) fn input(
        &self,
        picture: &Picture,
        place: TurnedSquare,
    ) -> Result<Vec<f32>, EngineError> {
        Ok(network_input(picture, place, self.size)?)
    }

    /// The key points of a picture, `[3, size, size]` in [-1, 1].
    pub(crate) fn points(
        &self,
        input: &[f32],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Points, EngineError> {
        let picture = self.tensor(input)?;
        Ok(match &self.network {
            Network::Fomm(network) => Points::Fomm(network.detect(&picture, stop)?),
            Network::Tps(network) => Points::Tps(network.detect(&picture, stop)?),
        })
    }

    /// All that depends on the portrait alone; `input` is `[3, size, size]` in [-1, 1].
    pub(crate) fn prepare(&self, input: &[f32]) -> Result<Prepared, EngineError> {
        let picture = self.tensor(input)?;
        Ok(match &self.network {
            Network::Fomm(network) => Prepared::Fomm(network.prepare(&picture)?),
            Network::Tps(network) => Prepared::Tps(network.prepare(&picture)?),
        })
    }

    /// The key points that drive a frame: those of the clip's frame, made the portrait's own as the mode says, and gone to
    /// as far as `gain` says. `initial` are those of the clip's reference frame.
    pub(crate) fn driven(
        &self,
        prepared: &Prepared,
        driving: &Points,
        initial: &Points,
        (mode, gain): (Mode, f32),
    ) -> Result<Points, EngineError> {
        match (&self.network, prepared, driving, initial) {
            (
                Network::Fomm(_),
                Prepared::Fomm(prepared),
                Points::Fomm(driving),
                Points::Fomm(initial),
            ) => {
                let source = prepared.key_points();
                let points = match mode {
                    Mode::Relative => fomm::relative(source, driving, initial, true)?,
                    Mode::Standard | Mode::Avd => driving.clone(),
                };
                Ok(Points::Fomm(if gain == 1.0 {
                    points
                } else {
                    source.towards(&points, gain)
                }))
            }
            (
                Network::Tps(network),
                Prepared::Tps(prepared),
                Points::Tps(driving),
                Points::Tps(initial),
            ) => {
                let source = prepared.key_points();
                let mode = match mode {
                    Mode::Standard => tps::Mode::Standard,
                    Mode::Relative => tps::Mode::Relative,
                    Mode::Avd => tps::Mode::Avd,
                };
                let points = network.drive(mode, source, driving, initial)?;
                Ok(Points::Tps(if gain == 1.0 {
                    points
                } else {
                    source.towards(&points, gain)?
                }))
            }
            _ => Err(InternalError::MixedMethods.into()),
        }
    }

    /// The portrait's own key points: what drives it at rest.
    pub(crate) fn own(prepared: &Prepared) -> Points {
        match prepared {
            Prepared::Fomm(prepared) => Points::Fomm(prepared.key_points().clone()),
            Prepared::Tps(prepared) => Points::Tps(prepared.key_points().clone()),
        }
    }

    /// One frame. `stop` is asked between the layers.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when `stop` said so.
    pub(crate) fn frame(
        &self,
        prepared: &Prepared,
        points: &Points,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Motion, EngineError> {
        Ok(self.frame_seen(prepared, points, stop)?.motion)
    }

    /// One frame with all that the network says of it. `stop` is asked between the layers.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when `stop` said so.
    pub(crate) fn frame_seen(
        &self,
        prepared: &Prepared,
        points: &Points,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Seen, EngineError> {
        let (mut seen, unpainted) = self.motion_seen(prepared, points, stop)?;
        seen.motion.picture = self.paint(prepared, &unpainted, stop)?;
        Ok(seen)
    }

    /// The generator's picture of a motion of [`Mover::motion_seen`], `[3, size, size]` in [0, 1]. `stop` is asked between
    /// the layers.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when `stop` said so.
    pub(crate) fn paint(
        &self,
        prepared: &Prepared,
        unpainted: &Unpainted,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<f32>, EngineError> {
        let picture = match (&self.network, prepared, unpainted) {
            (Network::Fomm(network), Prepared::Fomm(prepared), Unpainted::Fomm(motion)) => {
                network.paint(prepared, motion, stop)?
            }
            (Network::Tps(network), Prepared::Tps(prepared), Unpainted::Tps(motion)) => {
                network.paint(prepared, motion, stop)?.0
            }
            _ => return Err(InternalError::MixedMethods.into()),
        };
        values(&picture)
    }

    /// All that the network says of a frame but its picture, which stays empty: a fraction of the time. `stop` is asked
    /// between the layers.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when `stop` said so.
    pub(crate) fn motion_seen(
        &self,
        prepared: &Prepared,
        points: &Points,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(Seen, Unpainted), EngineError> {
        let (unpainted, align_corners) = match (&self.network, prepared, points) {
            (Network::Fomm(network), Prepared::Fomm(prepared), Points::Fomm(points)) => {
                let motion = network.motion(prepared, points, stop)?;
                (Unpainted::Fomm(motion), network.config().align_corners)
            }
            (Network::Tps(network), Prepared::Tps(prepared), Points::Tps(points)) => {
                let motion = network.motion(prepared, points, None, stop);
                (Unpainted::Tps(motion?), true)
            }
            _ => return Err(InternalError::MixedMethods.into()),
        };
        let (flow, occlusions, contributions): (_, &[Tensor], _) = match &unpainted {
            Unpainted::Fomm(motion) => {
                let occlusion = motion.occlusion.as_ref().map(std::slice::from_ref);
                (&motion.flow, occlusion.unwrap_or_default(), &motion.masks)
            }
            Unpainted::Tps(motion) => (&motion.flow, &motion.occlusion, &motion.contributions),
        };
        let (_, rows, columns, _) = flow.dims4()?;
        let mut occlusions: Vec<Map> = occlusions
            .iter()
            .map(|occlusion| {
                let Maps { size, values, .. } = maps(occlusion)?;
                Ok(Map { size, values })
            })
            .collect::<Result<_, EngineError>>()?;
        // A model that doesn't tell takes all of the source to be right.
        let finest = occlusions.pop().unwrap_or_else(|| Map {
            size: 1,
            values: vec![1.0],
        });
        occlusions.push(finest.clone());
        let seen = Seen {
            motion: Motion {
                flow_size: (columns, rows),
                flow: values(flow)?,
                align_corners,
                occlusion_size: finest.size,
                occlusion: finest.values,
                size: self.size,
                picture: Vec::new(),
            },
            occlusions,
            contributions: Some(maps(contributions)?),
            points: points.plain(),
            source: Self::own(prepared).plain(),
        };
        Ok((seen, unpainted))
    }

    /// A picture in [-1, 1] as these networks take it, in [0, 1].
    fn tensor(&self, input: &[f32]) -> Result<Tensor, EngineError> {
        let values: Vec<f32> = input.iter().map(|v| 0.5 * v + 0.5).collect();
        Ok(Tensor::from_vec(
            values,
            (1, 3, self.size, self.size),
            &self.device,
        )?)
    }
}

impl std::fmt::Debug for Mover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mover").field("name", &self.name).finish()
    }
}

/// Planes `[1, count, size, size]` as plain numbers.
fn maps(tensor: &Tensor) -> Result<Maps, EngineError> {
    let (_, count, _, size) = tensor.dims4()?;
    Ok(Maps {
        count,
        size,
        values: values(tensor)?,
    })
}

fn values(tensor: &Tensor) -> Result<Vec<f32>, EngineError> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}
