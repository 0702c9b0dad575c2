//! Errors between the document and the rendered picture. Each message is one sentence: what is wrong, then what to do.
//!
//! The messages are written for the window. The command line adds its own options to them, in `cli/errors.rs`.

#![allow(missing_docs, reason = "each message names its fields")]

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use crate::document::{CropError, FileFormatError, MethodId, Mode, PresetError, SampleError};
use crate::face::MotionFault;
use crate::media::error::MediaError;
use crate::methods::error::Error as NetworkFault;
use crate::project::file::error::ProjectError;
use crate::text;
use crate::weights::WeightsError;

/// Any error between the document and the rendered picture.
#[derive(Debug, Error)]
pub enum EngineError {
    /// A file can't be read or written.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// Weights can't be used.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The face's square is invalid.
    #[error(transparent)]
    Crop(#[from] CropError),
    /// A preset can't be read or saved.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// A sample's codes are invalid.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// A project can't be opened or saved.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The range of frames is invalid.
    #[error(transparent)]
    FrameRange(#[from] FrameRangeError),
    /// A face that is needed was not found.
    #[error(transparent)]
    Face(#[from] FaceError),
    /// A clip can't drive the portrait.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// The method or its weights can't do what is requested.
    #[error(transparent)]
    Method(#[from] MethodError),
    /// The description of a comparison is invalid.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// The description of an output is invalid.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A chart can't be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// A checkpoint can't be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The system lacks something.
    #[error(transparent)]
    System(#[from] SystemError),
    /// An error cached from the first attempt.
    #[error("{0}")]
    Shared(Arc<EngineError>),
    /// A network, or the code that reads its output, failed.
    #[error("the network stopped with an error ({0}); this is a fault of Mien, please report it.")]
    Network(NetworkError),
    /// A step ran before the one it depends on, or pixels or frames that are always there are missing.
    #[error("{0}; this is a fault of Mien, please report it.")]
    Internal(InternalError),
    /// The user cancelled.
    #[error("cancelled; nothing was written.")]
    Cancelled,
}

impl EngineError {
    /// Whether the work was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, EngineError::Cancelled)
    }
}

/// An invalid range of frames. Frames are numbered from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameRangeError {
    /// The first frame is 0.
    #[error("frames {first}-{last} begin before the first frame; frames are counted from 1.")]
    BeforeFirst { first: usize, last: usize },
    /// The export has another number of frames than the caller stated.
    #[error(
        "{count} frames were asked for, but this export has {has}; give a part of those, such as 1-{has}."
    )]
    OtherCount { count: usize, has: usize },
    /// The last frame comes before the first.
    #[error("frames {first}-{last} run backwards; give the smaller number first.")]
    Backwards { first: usize, last: usize },
    /// The last frame doesn't exist.
    #[error(
        "frames {first}-{last} go beyond the last frame, which is number {total}; end the range there or before."
    )]
    BeyondLast {
        first: usize,
        last: usize,
        total: usize,
    },
}

/// No face was found where one is needed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FaceError {
    /// In the reference picture of the neutral face.
    #[error(
        "no face was found in {name}; give a picture that shows the same person relaxed, from the front."
    )]
    NoneInNeutral { name: String },
    /// In all frames of the clip.
    #[error(
        "no face was found in any of the {frames} frames of {name}; take a clip in which a face is seen from the front, at least a tenth of the picture high."
    )]
    NoneInClip { name: String, frames: usize },
    /// In the frames that one method rendered to drive another.
    #[error(
        "no face was found in the frames that {name} drew, and ganimation needs one; take another motion, such as another seed, or leave ganimation out."
    )]
    NoneInDrawn { name: String },
}

/// A clip, or a range of one, that can't drive a portrait. Frames are numbered from 1.
#[derive(Debug, Error)]
pub enum ClipError {
    /// A clip without frames.
    #[error("{name} has no frames; choose another clip.")]
    NoFrames { name: String },
    /// The cut leaves no frame.
    #[error("{name} has no frame in the part that is used; let it begin earlier or end later.")]
    NothingUsed { name: String },
    /// The reference frame is outside the cut.
    #[error("the part of {name} that is used has no frame {frame}; give a smaller number.")]
    NoReferenceFrame { name: String, frame: usize },
    /// The frame is beyond the clip's end.
    #[error("{name} has no frame {frame}; it has {frames}.")]
    NoFrame {
        name: String,
        frame: usize,
        frames: usize,
    },
    /// A frame that was there when the clip was analysed.
    #[error("the motion has no frame {frame}; its file may have changed since it was read.")]
    Missing { frame: usize },
    /// No bundled clip of that name.
    #[error(
        "no clip called {name} comes with Mien; choose a clip of your own, or the sample clip."
    )]
    UnknownSampleClip { name: String },
    /// The bundled clip can't be unpacked.
    #[error(
        "the sample clip can't be put among the temporary files ({0}); make room there, or use a clip of your own."
    )]
    SampleClipNotWritten(#[source] io::Error),
}

/// Something a method or its weights can't do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MethodError {
    /// A method that this program, or this list of methods, doesn't have.
    #[error("this Mien has no method called {0}; choose another, or take a newer version of Mien.")]
    Unknown(MethodId),
    /// The method has no such mode.
    #[error("{method} has no mode {}; choose another method, or the mode relative.", mode.key())]
    NoMode { method: &'static str, mode: Mode },
    /// An expression that turns the head or moves the eyes, with a method that doesn't [`draws_head`].
    ///
    /// [`draws_head`]: crate::methods::MethodInfo::draws_head
    #[error("{method} can't turn the head or move the eyes; choose another method.")]
    KeepsHead { method: &'static str },
    /// The mode needs a network that these weights don't include.
    #[error(
        "the weights {weights} have no {} network, which the mode {} needs; choose the mode relative.",
        mode.key().to_uppercase(),
        mode.key()
    )]
    NoNetwork { weights: String, mode: Mode },
    /// The driving motion has no unique solution; holds the reason.
    #[error("the motion can't be measured, because {0}; choose another picture or frame.")]
    Degenerate(&'static str),
    /// The values became NaN or infinite although the weights are finite.
    #[error(
        "the network's numbers became NaN or infinite, so its weights are damaged; get them again, or choose others."
    )]
    NotFinite,
    /// Weights for the face landmarker, which always uses the bundled ones.
    #[error("faces are found by what comes with Mien; other weights can't be chosen for it.")]
    FixedWeights,
    /// Weights for a method that has none.
    #[error("{method} works without weights; leave them out, or choose another method.")]
    NoWeights { method: &'static str },
    /// A method that needs a face, with a portrait without one.
    #[error(
        "no face was found in the portrait, and {method} moves nothing else; choose another portrait, or the method GANimation."
    )]
    NoFace { method: &'static str },
    /// Neither a file nor the name of installed weights.
    #[error(
        "{} is neither a file nor the name of installed {method} weights; choose one of those.",
        text::path(asked)
    )]
    UnknownWeights {
        asked: PathBuf,
        method: &'static str,
    },
}

/// A comparison whose description is invalid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CompareError {
    /// The list of methods is empty.
    #[error("there is nothing to compare; name at least one method.")]
    NoMethods,
    /// No such method.
    #[error(
        "{text:?} is no method; use {methods}, with commas between, and if you like a mode and weights behind, such as tps:avd or fomm:standard@vox-cpk."
    )]
    UnknownMethod { text: String, methods: String },
    /// No such mode in any method.
    #[error("{mode:?} is no mode of {method}; use standard or relative, or avd with tps.")]
    UnknownMode { mode: String, method: MethodId },
    /// A mode that only another method has.
    #[error("the mode {} belongs to {owner}; use {owner_id}:{}, or {method}:relative.", mode.key(), mode.key())]
    ModeOfAnother {
        mode: Mode,
        owner: &'static str,
        owner_id: MethodId,
        method: MethodId,
    },
    /// An `@` without weights.
    #[error("{text:?} names no weights behind the @; give a file or the name of installed ones.")]
    NoWeightsNamed { text: String },
    /// The same method, mode and weights twice.
    #[error("{method} is among the methods twice; leave one out.")]
    Twice { method: String },
    /// More methods than fit side by side.
    #[error("{count} methods are too many to see at once; compare at most {most}.")]
    TooMany { count: usize, most: usize },
    /// Nothing to measure against has that name.
    #[error(
        "{text} is nothing to measure against; use source, driving, or one of {}.",
        methods.join(", ")
    )]
    UnknownReference { text: String, methods: Vec<String> },
}

/// An output file whose description is invalid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OutputError {
    /// No frame, or no pane.
    #[error("there is nothing to export; choose at least one frame and one pane.")]
    Nothing,
    /// The format and the name or the number of frames don't match.
    #[error(transparent)]
    Format(#[from] FileFormatError),
    /// The bundled font can't be read.
    #[error("the labels' font can't be read; leave the labels out.")]
    LabelFont,
}

/// A chart that can't be drawn or saved.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChartError {
    /// A name that ends in neither .svg nor .png.
    #[error(
        "{} does not say which kind of chart to write; end the name in .svg or .png.",
        text::path(.0)
    )]
    Unknown(PathBuf),
    /// The drawing library failed.
    #[error("the chart can't be drawn ({0}); this is a fault of Mien, please report it.")]
    Drawing(String),
}

/// A published checkpoint that can't be converted to weights.
#[derive(Debug, Error)]
pub enum ImportError {
    /// An invalid name for weights.
    #[error(
        "{name:?} can't be the name of weights; give one without slashes that doesn't begin with a point."
    )]
    Name { name: String },
    /// None of the known systems.
    #[error(
        "{} is a checkpoint of no system that Mien knows (FOMM, TPS, MoCoGAN, GANimation); choose another.",
        text::path(.0)
    )]
    UnknownSystem(PathBuf),
    /// GANimation's discriminator.
    #[error(
        "{} holds GANimation's critic, which draws nothing; import the generator, which ends in \"_G.pth\" by its authors' names.",
        text::path(.0)
    )]
    Critic(PathBuf),
    /// The tensors don't match the network they claim to be.
    #[error(
        "{} can't be imported: {reason}; get it again from those who published it, or choose another.",
        text::path(path)
    )]
    Mismatch { path: PathBuf, reason: String },
    /// The configuration can't be serialised.
    #[error(
        "the network's description can't be written ({0}); this is a fault of Mien, please report it."
    )]
    Configuration(#[from] serde_json::Error),
}

/// Something that the computer or this build of the program lacks.
#[derive(Debug, Error)]
pub enum SystemError {
    /// No display server.
    #[error("there is no display to open a window on; run Mien on a desktop.")]
    NoDisplay,
    /// The window can't be created.
    #[error("the window could not be opened ({0}); run Mien on a desktop.")]
    NoWindow(String),
    /// No data folder.
    #[error("there is no home folder to keep weights in; name one with MIEN_DATA_DIR.")]
    NoWeightsFolder,
    /// A build without sample portraits.
    #[error("this program carries no sample portrait.")]
    NoSamplePortrait,
    /// No bundled portrait of that name.
    #[error(
        "this Mien carries no sample portrait {name}; the project was made with another version."
    )]
    UnknownSamplePortrait { name: String },
}

/// Where a network failed.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// An operation on tensors failed.
    #[error(transparent)]
    Tensor(candle_core::Error),
    /// A method's own code failed.
    #[error(transparent)]
    Method(NetworkFault),
    /// The network's square input can't be cropped from the picture.
    #[error(transparent)]
    Input(fast_image_resize::ResizeError),
    /// The network's output is not a valid motion.
    #[error(transparent)]
    Output(MotionFault),
}

/// A broken invariant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InternalError {
    /// A frame with a side of 0 pixels.
    #[error("a frame without pixels was to be scaled")]
    EmptyFrame,
    /// A panic, caught in the worker.
    #[error("drawing a frame panicked")]
    Panicked,
    /// The bundled head of the rig is invalid.
    #[error("the head that comes with Mien can't be read")]
    Head,
}

impl From<InternalError> for EngineError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

impl From<candle_core::Error> for EngineError {
    fn from(error: candle_core::Error) -> Self {
        Self::Network(NetworkError::Tensor(error))
    }
}

impl From<fast_image_resize::ResizeError> for EngineError {
    fn from(error: fast_image_resize::ResizeError) -> Self {
        Self::Network(NetworkError::Input(error))
    }
}

impl From<MotionFault> for EngineError {
    fn from(error: MotionFault) -> Self {
        Self::Network(NetworkError::Output(error))
    }
}

impl From<NetworkFault> for EngineError {
    fn from(error: NetworkFault) -> Self {
        match error {
            NetworkFault::Cancelled => Self::Cancelled,
            // These aren't bugs of Mien.
            NetworkFault::Degenerate(reason) => MethodError::Degenerate(reason).into(),
            NetworkFault::KeyPointNotFinite { .. } => MethodError::NotFinite.into(),
            error => Self::Network(NetworkError::Method(error)),
        }
    }
}

impl From<FileFormatError> for EngineError {
    fn from(error: FileFormatError) -> Self {
        OutputError::from(error).into()
    }
}
