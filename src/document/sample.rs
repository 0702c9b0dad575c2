//! The latent codes of a sampled clip: the noise that MoCoGAN turns into frames.
//!
//! The noise itself is stored, not only a seed, so that a clip is reproduced exactly no matter what drew it. It comes
//! from ChaCha streams: one for the content, one for the category, one for the motion's start and one for every frame's
//! step. Resampling one part therefore leaves the others unchanged, and a longer clip begins like the shorter one.

mod blend;
mod file;
mod stream;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::folders::file_name;
use crate::media::error::MediaError;

use stream::{Stream, StreamId};

/// The expressions of the published MUG model, in the order of its categories (that of the training folders' names).
pub const EXPRESSIONS: [&str; 6] = [
    "anger",
    "disgust",
    "fear",
    "happiness",
    "sadness",
    "surprise",
];

/// The dimensions of a model's codes; the defaults are the published model's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Length of the content code, which determines the identity.
    pub content: usize,
    /// Number of categories; 0 for a model without them.
    pub categories: usize,
    /// Length of a motion code, and of the noise behind each.
    pub motion: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            content: 50,
            categories: 6,
            motion: 10,
        }
    }
}

/// One category out of `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// From 0, below `of`.
    pub index: usize,
    /// The model's number of categories.
    pub of: usize,
}

impl Category {
    /// The one-hot encoding that the network takes.
    pub fn one_hot(self) -> Vec<f32> {
        (0..self.of)
            .map(|i| f32::from(u8::from(i == self.index)))
            .collect()
    }

    /// The display name: an expression of the published model, or the number.
    pub fn title(self) -> String {
        match EXPRESSIONS.get(self.index) {
            Some(name) if self.of == EXPRESSIONS.len() => (*name).to_owned(),
            _ => self.index.to_string(),
        }
    }
}

/// Finds a category by its number (from 0) or, for six categories, by its expression. Case is ignored, and an
/// unambiguous prefix is enough.
///
/// # Errors
/// [`SampleError::UnknownCategory`], with the known ones.
pub fn category(name_or_number: &str, of: usize) -> Result<Category, SampleError> {
    let names: &[&str] = if of == EXPRESSIONS.len() {
        &EXPRESSIONS
    } else {
        &[]
    };
    let wanted = name_or_number.trim().to_lowercase();
    let mut beginning = names
        .iter()
        .enumerate()
        .filter(|(_, name)| !wanted.is_empty() && name.starts_with(&wanted));
    let index = match wanted.parse::<usize>() {
        Ok(number) => Some(number),
        // No expression is a prefix of another, so a whole name is found here too.
        Err(_) => beginning
            .next()
            .filter(|_| beginning.next().is_none())
            .map(|(index, _)| index),
    };
    index
        .filter(|&index| index < of)
        .map(|index| Category { index, of })
        .ok_or_else(|| SampleError::UnknownCategory {
            name: name_or_number.to_owned(),
            known: match (names, of) {
                (_, 0) => "none, as the model has no categories".to_owned(),
                ([], 1) => "0".to_owned(),
                ([], _) => format!("a number from 0 to {}", of - 1),
                (names, _) => names.join(", "),
            },
        })
}

/// All codes of a sampled clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "file::Stored", into = "file::Stored")]
pub struct Sample {
    /// The identity: normal noise, the same in every frame.
    pub content: Vec<f32>,
    /// The expression; `None` for a model without categories.
    pub category: Option<Category>,
    /// The initial state of the motion's GRU: normal noise, not a frame itself.
    pub h0: Vec<f32>,
    /// The GRU's input for each frame: normal noise, each as long as `h0`.
    pub epsilon: Vec<Vec<f32>>,
    /// The seed of further steps when the clip is lengthened.
    pub motion_seed: u64,
}

/// Why a sample can't be drawn, read or saved.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum SampleError {
    /// A code of the wrong length.
    #[error(
        "There are {found} numbers in {what} instead of {expected}; use a sample of the same model."
    )]
    Length {
        what: String,
        expected: usize,
        found: usize,
    },
    /// A code with a NaN or an infinity.
    #[error("Number {index} of {what} isn't finite; sample it again.")]
    NotFinite { what: String, index: usize },
    /// A number of frames outside 1..=[`Sample::MAX_FRAMES`].
    #[error("A clip can't have {found} frames; choose from 1 to {most}.", most = Sample::MAX_FRAMES)]
    Frames { found: usize },
    /// A category that the model doesn't have.
    #[error("{name:?} is not a category of this model; use one of: {known}.")]
    UnknownCategory { name: String, known: String },
    /// The category of another model.
    #[error(
        "The sample's category is {found}, but the model has {expected}; sample it with this model."
    )]
    Category { expected: String, found: String },
    /// A blend weight outside 0..=1.
    #[error("Samples can't be blended by {0}; use a number from 0 to 1.")]
    BlendWeight(f32),
    /// A file that isn't a saved sample.
    #[error(
        "These are not the codes of a sample that Mien saved ({0}); choose the file that was saved with a clip."
    )]
    Damaged(String),
    /// A file of a later version.
    #[error(
        "The sample was saved in version {0} of the format, which this Mien doesn't know; update Mien to open it."
    )]
    Version(u64),
    /// An error in a file.
    #[error("{}: {reason}", file_name(path))]
    Within {
        path: PathBuf,
        reason: Box<SampleError>,
    },
    /// The file can't be read.
    #[error(transparent)]
    Unreadable(MediaError),
    /// The file can't be written.
    #[error(transparent)]
    Unwritten(MediaError),
}

impl Sample {
    /// Guards against typing errors: over an hour at eight frames a second.
    pub const MAX_FRAMES: usize = 30_000;

    /// Draws a sample. The content, the category (unless one is given), the motion's start and every frame's step come
    /// from separate streams, so the content doesn't depend on the number of frames. The same seed and sizes give the
    /// same numbers on every machine.
    ///
    /// # Errors
    /// [`SampleError::Frames`], or [`SampleError::Category`] if the given one doesn't match these sizes.
    pub fn draw(
        seed: u64,
        sizes: &Sizes,
        frames: usize,
        category: Option<Category>,
    ) -> Result<Self, SampleError> {
        check_frames(frames)?;
        let drawn = || {
            (sizes.categories > 0).then(|| Category {
                index: Stream::new(seed, StreamId::Category).below(sizes.categories),
                of: sizes.categories,
            })
        };
        let category = category.or_else(drawn);
        check_category(category, sizes.categories)?;
        Ok(Self {
            content: Stream::new(seed, StreamId::Content).normals(sizes.content),
            category,
            h0: Stream::new(seed, StreamId::Start).normals(sizes.motion),
            epsilon: steps(seed, sizes.motion, 0..frames),
            motion_seed: seed,
        })
    }

    /// The dimensions of its codes.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            content: self.content.len(),
            categories: self.category.map_or(0, |category| category.of),
            motion: self.h0.len(),
        }
    }

    /// The number of frames.
    pub fn frames(&self) -> usize {
        self.epsilon.len()
    }

    /// The one-hot encoding of the category; empty for a model without categories.
    pub fn category_code(&self) -> Vec<f32> {
        self.category.map(Category::one_hot).unwrap_or_default()
    }

    /// The same motion and category with another identity: the content that [`Sample::draw`] gives for this seed.
    pub fn resample_content(&self, seed: u64) -> Self {
        Self {
            content: Stream::new(seed, StreamId::Content).normals(self.content.len()),
            ..self.clone()
        }
    }

    /// The same content and category with another motion of the same length: the one that [`Sample::draw`] gives for
    /// this seed.
    pub fn resample_motion(&self, seed: u64) -> Self {
        Self {
            content: self.content.clone(),
            category: self.category,
            h0: Stream::new(seed, StreamId::Start).normals(self.h0.len()),
            epsilon: steps(seed, self.h0.len(), 0..self.frames()),
            motion_seed: seed,
        }
    }

    /// The same sample cut or lengthened to `frames`. The common frames are unchanged; further ones come from the
    /// streams of [`Sample::motion_seed`], so cutting and lengthening a drawn clip restores it. An interpolated motion
    /// has no stream of its own: frames cut off it come back as the nearer sample's.
    ///
    /// # Errors
    /// [`SampleError::Frames`].
    pub fn with_frames(&self, frames: usize) -> Result<Self, SampleError> {
        check_frames(frames)?;
        let mut sample = self.clone();
        sample.epsilon.truncate(frames);
        let more = self.frames().min(frames)..frames;
        sample
            .epsilon
            .extend(steps(self.motion_seed, self.h0.len(), more));
        Ok(sample)
    }

    /// Checks that a model of these sizes can generate the sample.
    ///
    /// # Errors
    /// [`SampleError::Length`], [`SampleError::NotFinite`], [`SampleError::Frames`] or [`SampleError::Category`],
    /// whichever is found first.
    pub fn check(&self, sizes: &Sizes) -> Result<(), SampleError> {
        check_code("the content", &self.content, sizes.content)?;
        check_category(self.category, sizes.categories)?;
        check_code("the motion's start", &self.h0, sizes.motion)?;
        check_frames(self.frames())?;
        for (i, step) in self.epsilon.iter().enumerate() {
            // Messages count frames from 1.
            check_code(&format!("the step of frame {}", i + 1), step, sizes.motion)?;
        }
        Ok(())
    }
}

fn steps(seed: u64, motion: usize, frames: std::ops::Range<usize>) -> Vec<Vec<f32>> {
    frames
        .map(|frame| Stream::new(seed, StreamId::Step(frame as u32)).normals(motion))
        .collect()
}

fn check_frames(found: usize) -> Result<(), SampleError> {
    if (1..=Sample::MAX_FRAMES).contains(&found) {
        Ok(())
    } else {
        Err(SampleError::Frames { found })
    }
}

fn check_code(what: &str, code: &[f32], expected: usize) -> Result<(), SampleError> {
    if code.len() != expected {
        return Err(SampleError::Length {
            what: what.to_owned(),
            expected,
            found: code.len(),
        });
    }
    match code.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(SampleError::NotFinite {
            what: what.to_owned(),
            index,
        }),
        None => Ok(()),
    }
}

fn check_category(category: Option<Category>, of: usize) -> Result<(), SampleError> {
    let good = match category {
        Some(category) => category.of == of && category.index < of,
        None => of == 0,
    };
    if good {
        return Ok(());
    }
    Err(SampleError::Category {
        expected: match of {
            0 => "none".to_owned(),
            of => format!("{of}, numbered from 0"),
        },
        found: match category {
            Some(Category { index, of }) => format!("number {index} of {of}"),
            None => "none".to_owned(),
        },
    })
}
