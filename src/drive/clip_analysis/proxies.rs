//! Small copies of a clip's frames, all in memory, so that any of them is there at once.
//!
//! They are kept as JPEGs of the best practical quality, without thinned-out colour. The face decides how small they may
//! be, and it comes to light only on the way: so a frame is kept as large as is then known to be needed, and enlarged
//! when it is asked for should later ones have needed more.

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

/// What is kept of all frames together, in bytes.
pub(crate) const BUDGET: usize = 512 << 20;

/// Pixels that a face's square keeps where the original has as many: more than the networks see.
const FACE: f64 = 320.0;

/// How much smaller than the first the faces of a clip may become before frames are kept larger.
const SHRINKING: f64 = 1.25;

/// A face's square, in longer sides of its landmarks' box: about what the networks ask for.
const SQUARE: f64 = 1.4;

/// The longer side of a whole frame: as much even where the face would need less, and never more.
const SIDES: (f64, f64) = (640.0, 1280.0);

/// However long the clip, a frame's longer side keeps so many pixels.
const LEAST: f64 = 96.0;

/// A clip that outgrows its room is kept this much smaller.
const LESS: f64 = 0.7;

const QUALITY: u8 = 95;

struct Kept {
    jpeg: Vec<u8>,
    /// A hash of the frame's pixels as they are kept.
    content: u64,
}

/// The small copies.
pub(crate) struct Proxies {
    name: String,
    /// Of the original frames.
    size: (u32, u32),
    /// Shared with snapshots.
    frames: Vec<Arc<Kept>>,
    bytes: usize,
    budget: usize,
    /// Pixels of a copy to a pixel of the original, at most 1: at present and at most.
    scale: f64,
    most: f64,
    met: bool,
    /// The frame that was asked for last: several panes want the same.
    last: Mutex<Option<(usize, Arc<Picture>)>>,
}

impl Proxies {
    /// None yet, of frames of a size.
    pub fn new(name: String, size: (u32, u32), budget: usize) -> Self {
        let most = (SIDES.1 / longer(size)).min(1.0);
        Self {
            name,
            size,
            frames: Vec::new(),
            bytes: 0,
            budget,
            scale: (SIDES.0 / longer(size)).min(1.0),
            most,
            met: false,
            last: Mutex::default(),
        }
    }

    /// Keeps a copy of the next frame, whose face this is. `stop` is asked while all that there is has to become smaller.
    ///
    /// # Errors
    /// [`EngineError::Media`] when the frame is of another size or can't be encoded, [`EngineError::Cancelled`] when
    /// `stop` said so.
    pub fn push(
        &mut self,
        picture: &Picture,
        face: Option<&Mesh>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(), EngineError> {
        if let Some(mesh) = face {
            let (left, top, right, bottom) = mesh.bounds();
            let side = f64::from((right - left).max(bottom - top)) * SQUARE;
            let slack = if self.met { 1.0 } else { SHRINKING };
            self.met = true;
            if side * self.scale < FACE * slack {
                // Room for the next ones too, lest the size rises with every frame.
                let wanted = FACE * SHRINKING / side.max(1.0);
                self.scale = wanted.min(self.most).max(self.scale);
            }
        }
        // Frames before the first face may hold one that is smaller than can be told, but they drive nothing.
        let kept = self.encoded(picture, self.scale)?;
        self.bytes += kept.jpeg.len();
        self.frames.push(Arc::new(kept));
        while self.bytes > self.budget && longer(self.size) * self.scale * LESS >= LEAST {
            self.shrink(stop)?;
        }
        Ok(())
    }

    fn shrink(&mut self, stop: &(dyn Fn() -> bool + Sync)) -> Result<(), EngineError> {
        let scale = self.scale * LESS;
        let smaller: Result<Vec<Arc<Kept>>, EngineError> = self
            .frames
            .par_iter()
            .map(|kept| {
                if stop() {
                    return Err(EngineError::Cancelled);
                }
                Ok(Arc::new(self.encoded(&self.decoded(kept)?, scale)?))
            })
            .collect();
        self.frames = smaller?;
        self.bytes = self.frames.iter().map(|kept| kept.jpeg.len()).sum();
        (self.scale, self.most) = (scale, scale);
        Ok(())
    }

    /// The copies so far; the frames themselves are shared.
    pub fn snapshot(&self) -> Self {
        Self {
            name: self.name.clone(),
            frames: self.frames.clone(),
            last: Mutex::default(),
            ..*self
        }
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The copy of a frame; all are of one size.
    ///
    /// # Errors
    /// [`EngineError`] where there is no such frame.
    fn copy(&self, frame: usize) -> Result<Picture, EngineError> {
        let picture = self.decoded(self.kept(frame)?)?;
        let size = scaled(self.size, self.scale);
        if picture.size() == size {
            return Ok(picture);
        }
        resized(&picture, size)
    }

    /// A frame so many pixels high, as wide as its shape asks for.
    pub fn thumbnail(&self, frame: usize, height: u32) -> Option<Picture> {
        let picture = self.decoded(self.kept(frame).ok()?).ok()?;
        let height = height.max(1);
        let across = f64::from(height) * f64::from(self.size.0) / f64::from(self.size.1.max(1));
        resized(&picture, (across.round().max(1.0) as u32, height)).ok()
    }

    fn kept(&self, frame: usize) -> Result<&Kept, EngineError> {
        self.frames.get(frame).map(Arc::as_ref).ok_or_else(|| {
            let error = ClipError::NoFrame {
                name: self.name.clone(),
                frame: frame + 1,
                frames: self.frames.len(),
            };
            error.into()
        })
    }

    fn encoded(&self, picture: &Picture, scale: f64) -> Result<Kept, EngineError> {
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
        Ok(Kept {
            jpeg,
            content: hasher.finish(),
        })
    }

    fn decoded(&self, kept: &Kept) -> Result<Picture, EngineError> {
        Ok(media::image::read(Path::new(&self.name), &kept.jpeg)?)
    }
}

impl FrameSource for Proxies {
    fn picture(&self, frame: usize) -> Result<Arc<Picture>, EngineError> {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((kept, picture)) = &*last()
            && *kept == frame
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
        self.frames.get(frame).map_or(0, |kept| kept.content)
    }

    fn is_original(&self) -> bool {
        false
    }
}

/// What is transparent is seen over the grey that the networks are shown there: a JPEG knows no alpha.
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
