//! Methods that move a portrait by the key points of a driving picture: what FOMM and TPS share.
//!
//! A network finds key points in the portrait and in a driving picture, turns them into a backward flow with occlusion,
//! and paints what the flow uncovers. Key points, and frames before and after painting, are cached.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use candle_core::{Device, Tensor};

use crate::document::Mode;
use crate::error::{EngineError, MethodError};
use crate::face::limits::CachedMask;
use crate::face::view::View;
use crate::face::{Motion, Transfer, TransferSource, TurnedSquare, network_input};
use crate::lru_cache::LruCache;
use crate::media::image::Picture;
use crate::methods::device::{device, device_name, precision};
use crate::methods::diagnostics::{
    Diagnostics, KeyPoint, Map, Maps, MotionDiagnostics, MotionFrame,
};
use crate::methods::drive::{Drive, DriveKey, DrivePicture, Viewpoint};
use crate::methods::error::Error;
use crate::methods::subject::{Subject, square};
use crate::methods::{Base, Method, MethodFrame, MethodInfo, Quality, Session, millis_since};
use crate::nn::Weights;
use crate::progress::Stop;
use crate::weights::find::open_weights;
use crate::weights::{Bundled, CropRule, WeightsError};

/// Cache capacity of one session in bytes: key points and frames.
const CACHE_BYTES: usize = 128 << 20;

/// Approximate size of a picture's key points.
const POINTS_BYTES: usize = 1024;

/// A network driven by key points.
pub trait KeyPointNetwork: Send + Sync + Sized + 'static {
    /// The key points of one picture.
    type KeyPoints: Clone + Send + Sync;
    /// Everything that depends on the portrait alone.
    type Prepared: Send;
    /// The dense motion of one frame: flow, occlusions and contributions.
    type Motion: Clone + Send + Sync;

    /// Builds the network from its JSON configuration; also returns the side of its input in pixels.
    fn load(json: &str, weights: Weights) -> Result<(Self, usize), Error>;

    /// The method's entry in the registry.
    fn info(&self) -> &'static MethodInfo;

    /// Whether these weights include the networks for a mode.
    fn has_mode(&self, _mode: Mode) -> bool {
        true
    }

    /// The key points of a picture `[1, 3, size, size]` in [0, 1].
    fn detect(&self, picture: &Tensor, stop: Stop) -> Result<Self::KeyPoints, Error>;

    /// Everything that depends on the portrait `[1, 3, size, size]` in [0, 1] alone.
    fn prepare(&self, picture: &Tensor) -> Result<Self::Prepared, Error>;

    /// The portrait's key points.
    fn source<'a>(&self, prepared: &'a Self::Prepared) -> &'a Self::KeyPoints;

    /// The key points that drive a frame: those of the driving picture, adapted to the portrait as the mode defines.
    /// `initial` are those of the reference frame.
    fn drive(
        &self,
        mode: Mode,
        source: &Self::KeyPoints,
        driving: &Self::KeyPoints,
        initial: &Self::KeyPoints,
    ) -> Result<Self::KeyPoints, Error>;

    /// Interpolates from the portrait's key points to `points`, or beyond if `gain` is above 1.
    fn towards(
        source: &Self::KeyPoints,
        points: &Self::KeyPoints,
        gain: f32,
    ) -> Result<Self::KeyPoints, Error>;

    /// The dense motion from the portrait's key points to `points`.
    fn motion(
        &self,
        prepared: &Self::Prepared,
        points: &Self::KeyPoints,
        stop: Stop,
    ) -> Result<Self::Motion, Error>;

    /// The generator's output `[1, 3, size, size]` in [0, 1].
    fn paint(
        &self,
        prepared: &Self::Prepared,
        motion: &Self::Motion,
        stop: Stop,
    ) -> Result<Tensor, Error>;

    /// The motion's flow `[1, h, w, 2]`, occlusions `[1, 1, s, s]` from the coarsest, and contributions `[1, n, s, s]`.
    fn maps(motion: &Self::Motion) -> (&Tensor, &[Tensor], &Tensor);

    /// Whether the flow's -1 and 1 are pixel centres, as in PyTorch's `grid_sample`.
    fn align_corners(&self) -> bool;

    /// The key points in -1..=1 of the square, for diagnostics.
    fn key_points(points: &Self::KeyPoints) -> Vec<KeyPoint>;
}

/// A network with the name of its weights, its device and its crop rule.
struct LoadedNetwork<N> {
    name: String,
    device: Device,
    network: N,
    crop: CropRule,
    size: usize,
}

/// The method of a network driven by key points.
pub struct MotionTransfer<N>(Arc<LoadedNetwork<N>>);

/// Opens such a method.
///
/// # Errors
/// [`EngineError`] if `weights` is neither a file nor the name of installed weights; [`EngineError::Weights`] for a file
/// that is missing, damaged, of another architecture, or inconsistent with its metadata.
pub fn open<N: KeyPointNetwork>(
    bundled: Bundled,
    weights: Option<&Path>,
) -> Result<Arc<dyn Method>, EngineError> {
    let device = device().clone();
    let (path, file) = open_weights(bundled, weights, &device)?;
    let mismatch = |error: Error| WeightsError::Mismatch {
        path: path.clone(),
        reason: error.to_string().trim_end_matches('.').to_owned(),
    };
    let crop = file.crop_rule(&path)?;
    let json = file.metadata.config.to_string();
    let tensors = Weights::from_tensors(file.tensors, &device, precision());
    let (network, size) = N::load(&json, tensors).map_err(mismatch)?;
    Ok(Arc::new(MotionTransfer(Arc::new(LoadedNetwork {
        name: file.name,
        device,
        network,
        crop,
        size,
    }))))
}

impl<N: KeyPointNetwork> Method for MotionTransfer<N> {
    fn info(&self) -> &'static MethodInfo {
        self.0.network.info()
    }

    fn weights(&self) -> &str {
        &self.0.name
    }

    fn device(&self) -> String {
        device_name(&self.0.device)
    }

    fn crop(&self) -> &CropRule {
        &self.0.crop
    }

    fn check_mode(&self, mode: Option<Mode>) -> Result<(), EngineError> {
        self.info().check_mode(mode)?;
        let mode = mode.unwrap_or_default();
        if !self.0.network.has_mode(mode) {
            let weights = self.0.name.clone();
            return Err(MethodError::NoNetwork { weights, mode }.into());
        }
        Ok(())
    }

    fn prepare(&self, subject: &Subject, stop: Stop) -> Result<Box<dyn Session>, EngineError> {
        let opened = Arc::clone(&self.0);
        let size = subject.picture.size();
        let place = square(subject.crop_for(&opened.crop).checked(size.0, size.1)?);
        let prepared = opened
            .network
            .prepare(&opened.input(&subject.picture, place)?)?;
        let mut session = KeyPointSession {
            place,
            rest: Arc::new(MotionFrame::empty()),
            source: None,
            mask: CachedMask::default(),
            cache: LruCache::new(CACHE_BYTES),
            prepared,
            opened,
        };
        let source_points = session.opened.network.source(&session.prepared).clone();
        let (mut rest, motion) = session.motion(&source_points, stop)?;
        rest.motion.picture = session.paint(&motion, stop)?;
        session.rest = Arc::new(rest);
        Ok(Box::new(session))
    }
}

impl<N: KeyPointNetwork> LoadedNetwork<N> {
    /// A square of a picture as the network's input, `[1, 3, size, size]` in [0, 1].
    fn input(&self, picture: &Picture, place: TurnedSquare) -> Result<Tensor, EngineError> {
        let values = network_input(picture, place, self.size)?;
        let values: Vec<f32> = values.iter().map(|v| 0.5 * v + 0.5).collect();
        let shape = (1, 3, self.size, self.size);
        Ok(Tensor::from_vec(values, shape, &self.device)?)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum CacheKey {
    Points(DriveKey),
    Frame {
        mode: Mode,
        drive: DriveKey,
        gain: u32,
    },
}

enum Cached<N: KeyPointNetwork> {
    Points(Arc<TimedPoints<N>>),
    /// A frame that isn't painted yet.
    Warped(Arc<WarpedFrame<N>>),
    Painted(Arc<MotionFrame>),
}

impl<N: KeyPointNetwork> Clone for Cached<N> {
    fn clone(&self) -> Self {
        match self {
            Cached::Points(points) => Cached::Points(Arc::clone(points)),
            Cached::Warped(frame) => Cached::Warped(Arc::clone(frame)),
            Cached::Painted(frame) => Cached::Painted(Arc::clone(frame)),
        }
    }
}

struct TimedPoints<N: KeyPointNetwork> {
    points: N::KeyPoints,
    /// Milliseconds that detection took.
    millis: f32,
}

/// A frame without the generator's output, and the motion to paint it from.
struct WarpedFrame<N: KeyPointNetwork> {
    frame: Arc<MotionFrame>,
    motion: N::Motion,
    /// Milliseconds that it took.
    millis: f32,
}

/// A portrait prepared for such a network.
struct KeyPointSession<N: KeyPointNetwork> {
    opened: Arc<LoadedNetwork<N>>,
    prepared: N::Prepared,
    /// The square of the portrait that the network sees.
    place: TurnedSquare,
    /// The network's output when nothing moves.
    rest: Arc<MotionFrame>,
    /// The portrait prepared for warping, at the resolution of the last view.
    source: Option<(View, TransferSource)>,
    mask: CachedMask,
    cache: LruCache<CacheKey, Cached<N>>,
}

impl<N: KeyPointNetwork> Session for KeyPointSession<N> {
    fn frame(
        &mut self,
        _: &Subject,
        drive: &mut dyn Drive,
        mode: Option<Mode>,
        quality: Quality,
        stop: Stop,
    ) -> Result<MethodFrame, EngineError> {
        if drive.is_rest() {
            return Ok(self.frame_from_cache(Arc::clone(&self.rest), quality));
        }
        let started = Instant::now();
        let (mode, gain) = (mode.unwrap_or_default(), drive.gain());
        let relative = mode == Mode::Relative;
        let key = CacheKey::Frame {
            mode,
            drive: drive.key(DrivePicture::Now, relative),
            gain: gain.to_bits(),
        };
        let painted = quality == Quality::Full;
        match self.cache.get(&key) {
            Some(Cached::Painted(frame)) => return Ok(self.frame_from_cache(frame, quality)),
            Some(Cached::Warped(warped)) if !painted => {
                return Ok(self.frame_from_cache(Arc::clone(&warped.frame), quality));
            }
            Some(Cached::Warped(warped)) => {
                let frame = self.painted(key, &warped, stop)?;
                return Ok(MethodFrame {
                    millis: Some(warped.millis + millis_since(started)),
                    draft_millis: warped.millis,
                    ..self.frame_from_cache(frame, quality)
                });
            }
            Some(Cached::Points(_)) | None => {}
        }
        let (driving, found_before) = self.points(drive, DrivePicture::Now, relative, stop)?;
        let (initial, _) = self.points(drive, DrivePicture::Reference, relative, stop)?;
        let network = &self.opened.network;
        let source = network.source(&self.prepared);
        let mut points = network.drive(mode, source, &driving.points, &initial.points)?;
        if gain != 1.0 {
            points = N::towards(source, &points, gain)?;
        }
        let (frame, motion) = self.motion(&points, stop)?;
        // The network's tensors are about as large as the vectors read from them.
        let bytes = 2 * frame.bytes();
        let warped = Arc::new(WarpedFrame {
            frame: Arc::new(frame),
            motion,
            millis: found_before + millis_since(started),
        });
        self.cache
            .put(key.clone(), Cached::Warped(Arc::clone(&warped)), bytes);
        let frame = if painted {
            self.painted(key, &warped, stop)?
        } else {
            Arc::clone(&warped.frame)
        };
        Ok(MethodFrame {
            millis: Some(found_before + millis_since(started)),
            ..self.frame_from_cache(frame, quality)
        })
    }

    fn composite(
        &mut self,
        subject: &Subject,
        frame: &MethodFrame,
        view: &View,
        base: Base<'_>,
    ) -> Result<Picture, EngineError> {
        let Diagnostics::Motion(MotionDiagnostics { frame: moved, .. }) = &frame.diagnostics else {
            return Ok(base.picture().clone());
        };
        let source = match self.source.take().filter(|(of, _)| of == view) {
            Some((_, source)) => source,
            None => {
                let place = view.square(self.place);
                TransferSource::new(base.portrait.clone(), place, &self.rest.motion)?
                    .within(view.bounds(subject.picture.size()))
            }
        };
        let mesh = subject.face.as_deref().map(|face| &face.mesh);
        let mask = self.mask.get(mesh, self.place, subject.limit);
        let how = Transfer {
            mask: mask.as_deref(),
            plain: subject.plain,
            expressed: base.expressed,
        };
        let result = if frame.is_draft {
            source.warp(&moved.motion, how)
        } else {
            source.apply(&moved.motion, how)
        };
        self.source = Some((*view, source));
        Ok(result?)
    }
}

impl<N: KeyPointNetwork> KeyPointSession<N> {
    /// A frame for which the network didn't have to run.
    fn frame_from_cache(&self, frame: Arc<MotionFrame>, quality: Quality) -> MethodFrame {
        MethodFrame {
            is_draft: quality != Quality::Diagnostics && frame.motion.picture.is_empty(),
            diagnostics: Diagnostics::Motion(MotionDiagnostics {
                place: self.place,
                frame,
                rest: Arc::clone(&self.rest),
            }),
            millis: None,
            draft_millis: 0.0,
            mean_edit: None,
        }
    }

    /// The key points of a driving picture, and the milliseconds that they took if they were cached, else 0.
    fn points(
        &mut self,
        drive: &mut dyn Drive,
        moment: DrivePicture,
        relative: bool,
        stop: Stop,
    ) -> Result<(Arc<TimedPoints<N>>, f32), EngineError> {
        let key = CacheKey::Points(drive.key(moment, relative));
        if let Some(Cached::Points(points)) = self.cache.get(&key) {
            let millis = points.millis;
            return Ok((points, millis));
        }
        let opened = &self.opened;
        let viewpoint = Viewpoint {
            rule: &opened.crop,
            place: self.place,
            size: opened.size,
            relative,
        };
        let started = Instant::now();
        let (picture, place) = drive.picture(moment, &viewpoint, stop)?;
        let input = opened.input(&picture, place)?;
        let points = opened.network.detect(&input, stop)?;
        let points = Arc::new(TimedPoints {
            points,
            millis: millis_since(started),
        });
        self.cache
            .put(key, Cached::Points(Arc::clone(&points)), POINTS_BYTES);
        Ok((points, 0.0))
    }

    /// Paints a frame and caches it in place of the unpainted one.
    fn painted(
        &mut self,
        key: CacheKey,
        warped: &WarpedFrame<N>,
        stop: Stop,
    ) -> Result<Arc<MotionFrame>, EngineError> {
        let mut frame = MotionFrame::clone(&warped.frame);
        frame.motion.picture = self.paint(&warped.motion, stop)?;
        let (bytes, frame) = (frame.bytes(), Arc::new(frame));
        self.cache
            .put(key, Cached::Painted(Arc::clone(&frame)), bytes);
        Ok(frame)
    }

    /// The generator's output for a motion, `[3, size, size]` in [0, 1].
    fn paint(&self, motion: &N::Motion, stop: Stop) -> Result<Vec<f32>, EngineError> {
        let network = &self.opened.network;
        let picture = network.paint(&self.prepared, motion, stop);
        values(&picture?)
    }

    /// Everything the network computes for a frame except the painted picture, which stays empty.
    fn motion(
        &self,
        points: &N::KeyPoints,
        stop: Stop,
    ) -> Result<(MotionFrame, N::Motion), EngineError> {
        let network = &self.opened.network;
        let motion = network.motion(&self.prepared, points, stop)?;
        let (flow, occlusions, contributions) = N::maps(&motion);
        let (_, rows, columns, _) = flow.dims4()?;
        let mut occlusions: Vec<Map> = occlusions
            .iter()
            .map(|occlusion| {
                let Maps { size, values, .. } = maps(occlusion)?;
                Ok(Map { size, values })
            })
            .collect::<Result<_, EngineError>>()?;
        // Without an occlusion map all of the source counts as visible.
        let finest = occlusions.pop().unwrap_or_else(|| Map {
            size: 1,
            values: vec![1.0],
        });
        occlusions.push(finest.clone());
        let frame = MotionFrame {
            motion: Motion {
                flow_size: (columns, rows),
                flow: values(flow)?,
                align_corners: network.align_corners(),
                occlusion_size: finest.size,
                occlusion: finest.values,
                size: self.opened.size,
                picture: Vec::new(),
            },
            occlusions,
            contributions: Some(maps(contributions)?),
            points: N::key_points(points),
            source: N::key_points(network.source(&self.prepared)),
        };
        Ok((frame, motion))
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
