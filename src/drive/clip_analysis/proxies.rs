//! Proxies: small copies of all of a clip's frames, kept in memory for random access.
//!
//! They are JPEGs at the highest practical quality. The size of the face decides how small they may be, but it is known
//! only as the clip is read: each frame is stored at the size needed so far, and enlarged on access if later frames
//! needed more.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use fast_image_resize::FilterType;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use rayon::prelude::*;

use crate::drive::frames::FrameSource;
use crate::error::{ClipError, EngineError, InternalError};
use crate::face::Mesh;
use crate::media;
use crate::media::error::MediaError;
use crate::media::image::Picture;
use crate::media::image::resample::resampled;

/// Maximum size of all frames together, in bytes.
pub(crate) const BUDGET: usize = 512 << 20;

/// Minimum side of the face's square in a proxy, if the original has as much: more than the networks' input.
const FACE: f64 = 320.0;

/// How much smaller than the first the faces of a clip may become before frames are stored larger.
const SHRINKING: f64 = 1.25;

/// Side of the face's square relative to its landmarks' box, about as in the networks' crop rules.
const SQUARE: f64 = 1.4;

/// Range of the longer side of a frame: at least the first, even where the face needs less, and at most the second.
const SIDE_RANGE: (f64, f64) = (640.0, 1280.0);

/// Minimum longer side of a frame, however long the clip.
const MIN_SIDE: f64 = 96.0;

/// Scale factor applied when the proxies exceed their budget.
const SHRINK_FACTOR: f64 = 0.7;

const QUALITY: u8 = 95;

struct EncodedProxy {
    jpeg: Vec<u8>,
    /// A hash of the stored frame's pixels.
    content: u64,
}

/// The proxies of a clip.
pub(crate) struct Proxies {
    name: String,
    /// The size of the original frames.
    size: (u32, u32),
    /// Shared with snapshots.
    frames: Vec<Arc<EncodedProxy>>,
    bytes: usize,
    budget: usize,
    /// The current and the maximum ratio of a proxy's size to the original's, at most 1.
    scale: f64,
    most: f64,
    has_seen_face: bool,
    /// The frame accessed last: several panes read the same.
    last: Mutex<Option<(usize, Arc<Picture>)>>,
}

impl Proxies {
    /// Creates an empty set for frames of the given size.
    pub fn new(name: String, size: (u32, u32), budget: usize) -> Self {
        let most = (SIDE_RANGE.1 / longer(size)).min(1.0);
        Self {
            name,
            size,
            frames: Vec::new(),
            bytes: 0,
            budget,
            scale: (SIDE_RANGE.0 / longer(size)).min(1.0),
            most,
            has_seen_face: false,
            last: Mutex::default(),
        }
    }

    /// Adds the next frame, with its face. `stop` is polled while all proxies are scaled down.
    ///
    /// # Errors
    /// [`EngineError::Media`] when the frame has another size or can't be encoded, [`EngineError::Cancelled`] when `stop`
    /// returns true.
    pub fn push(
        &mut self,
        picture: &Picture,
        face: Option<&Mesh>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(), EngineError> {
        if let Some(mesh) = face {
            let (left, top, right, bottom) = mesh.bounds();
            let side = f64::from((right - left).max(bottom - top)) * SQUARE;
            let margin = if self.has_seen_face { 1.0 } else { SHRINKING };
            self.has_seen_face = true;
            if side * self.scale < FACE * margin {
                // With a margin, so that the size doesn't rise with every frame.
                let wanted = FACE * SHRINKING / side.max(1.0);
                self.scale = wanted.min(self.most).max(self.scale);
            }
        }
        // Frames before the first face may be too small for a face in them, but they don't drive anything.
        let proxy = self.encoded(picture, self.scale)?;
        self.bytes += proxy.jpeg.len();
        self.frames.push(Arc::new(proxy));
        while self.bytes > self.budget && longer(self.size) * self.scale * SHRINK_FACTOR >= MIN_SIDE
        {
            self.shrink(stop)?;
        }
        Ok(())
    }

    fn shrink(&mut self, stop: &(dyn Fn() -> bool + Sync)) -> Result<(), EngineError> {
        let scale = self.scale * SHRINK_FACTOR;
        let smaller: Result<Vec<Arc<EncodedProxy>>, EngineError> = self
            .frames
            .par_iter()
            .map(|proxy| {
                if stop() {
                    return Err(EngineError::Cancelled);
                }
                Ok(Arc::new(self.encoded(&self.decoded(proxy)?, scale)?))
            })
            .collect();
        self.frames = smaller?;
        self.bytes = self.frames.iter().map(|proxy| proxy.jpeg.len()).sum();
        (self.scale, self.most) = (scale, scale);
        Ok(())
    }

    /// Returns the proxies so far, sharing the encoded frames.
    pub fn snapshot(&self) -> Self {
        Self {
            name: self.name.clone(),
            frames: self.frames.clone(),
            last: Mutex::default(),
            ..*self
        }
    }

    /// Returns the memory use in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns a frame at the current proxy size.
    ///
    /// # Errors
    /// [`EngineError`] where there is no such frame.
    fn copy(&self, frame: usize) -> Result<Picture, EngineError> {
        let picture = self.decoded(self.proxy(frame)?)?;
        let size = scaled(self.size, self.scale);
        if picture.size() == size {
            return Ok(picture);
        }
        resized(&picture, size)
    }

    /// Returns a frame scaled to a height in pixels, keeping its aspect ratio.
    pub fn thumbnail(&self, frame: usize, height: u32) -> Option<Picture> {
        let picture = self.decoded(self.proxy(frame).ok()?).ok()?;
        let height = height.max(1);
        let across = f64::from(height) * f64::from(self.size.0) / f64::from(self.size.1.max(1));
        resized(&picture, (across.round().max(1.0) as u32, height)).ok()
    }

    fn proxy(&self, frame: usize) -> Result<&EncodedProxy, EngineError> {
        self.frames.get(frame).map(Arc::as_ref).ok_or_else(|| {
            let error = ClipError::NoFrame {
                name: self.name.clone(),
                frame: frame + 1,
                frames: self.frames.len(),
            };
            error.into()
        })
    }

    fn encoded(&self, picture: &Picture, scale: f64) -> Result<EncodedProxy, EngineError> {
        let size = scaled(self.size, scale);
        let small;
        let picture = if picture.size() == size {
            picture
        } else {
            small = resized(picture, size)?;
            &small
        };
        let rgb: Vec<u8> = picture.rgba().chunks_exact(4).flat_map(over_grey).collect();
        let mut hasher = DefaultHasher::new();
        (size, &rgb).hash(&mut hasher);
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
            .encode(&rgb, size.0, size.1, ExtendedColorType::Rgb8)
            .map_err(|error| MediaError::Encode {
                path: (&self.name).into(),
                reason: error.to_string(),
            })?;
        jpeg.shrink_to_fit();
        Ok(EncodedProxy {
            jpeg,
            content: hasher.finish(),
        })
    }

    fn decoded(&self, proxy: &EncodedProxy) -> Result<Picture, EngineError> {
        Ok(media::image::read(Path::new(&self.name), &proxy.jpeg)?)
    }
}

impl FrameSource for Proxies {
    fn picture(&self, frame: usize) -> Result<Arc<Picture>, EngineError> {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((index, picture)) = &*last()
            && *index == frame
        {
            return Ok(Arc::clone(picture));
        }
        let picture = Arc::new(self.copy(frame)?);
        *last() = Some((frame, Arc::clone(&picture)));
        Ok(picture)
    }

    fn scale(&self) -> f64 {
        self.scale
    }

    fn digest(&self, frame: usize) -> u64 {
        self.frames.get(frame).map_or(0, |proxy| proxy.content)
    }

    fn is_original(&self) -> bool {
        false
    }
}

/// Composites over the grey that the networks get for transparency: JPEG has no alpha.
fn over_grey(pixel: &[u8]) -> [u8; 3] {
    let alpha = u32::from(pixel[3]);
    [0, 1, 2].map(|i| ((u32::from(pixel[i]) * alpha + 128 * (255 - alpha) + 127) / 255) as u8)
}

fn longer((width, height): (u32, u32)) -> f64 {
    f64::from(width.max(height).max(1))
}

fn scaled((width, height): (u32, u32), scale: f64) -> (u32, u32) {
    let side = |pixels: u32| (f64::from(pixels) * scale).round().max(1.0) as u32;
    (side(width), side(height))
}

fn resized(picture: &Picture, size: (u32, u32)) -> Result<Picture, EngineError> {
    let (width, height) = picture.size();
    let whole = (0.0, 0.0, f64::from(width), f64::from(height));
    resampled(picture, whole, size, FilterType::CatmullRom)
        .ok_or_else(|| InternalError::EmptyFrame.into())
}

impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxies")
            .field("frames", &self.frames.len())
            .field("scale", &self.scale)
            .field("bytes", &self.bytes)
            .finish()
    }
}
