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
    #[error("The network stopped with an error ({}); this is a bug in Mien, please report it.", text::fault(.0))]
    Network(NetworkError),
    /// A step ran before the one it depends on, or pixels or frames that are always there are missing.
    #[error("{0}; this is a bug in Mien, please report it.")]
    Internal(InternalError),
    /// The user cancelled.
    #[error("Cancelled; nothing was written.")]
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
    #[error("Frames {first}-{last} begin before the first frame; frames are numbered from 1.")]
    BeforeFirst { first: usize, last: usize },
    /// The export has another number of frames than the caller stated.
    #[error("This export has {has} frames, not {count}; choose a range of them, such as 1-{has}.")]
    OtherCount { count: usize, has: usize },
    /// The last frame comes before the first.
    #[error("Frames {first}-{last} run backwards; put the smaller number first.")]
    Backwards { first: usize, last: usize },
    /// The last frame doesn't exist.
    #[error(
        "Frames {first}-{last} go past the last frame, which is number {total}; end the range there or earlier."
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
        "No face was found in {name}; choose a picture that shows the same person relaxed, from the front."
    )]
    NoneInNeutral { name: String },
    /// In all frames of the clip.
    #[error(
        "No face was found in any of the {frames} frames of {name}; use a clip that shows a face from the front, at least a tenth of the picture high."
    )]
    NoneInClip { name: String, frames: usize },
    /// In the frames that one method rendered to drive another.
    #[error(
        "No face was found in the frames that {name} generated, and GANimation needs one; use another motion, such as another seed, or leave GANimation out."
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
    #[error("{name} has no frame in its trimmed range; start the range earlier or end it later.")]
    NothingUsed { name: String },
    /// The reference frame is outside the cut.
    #[error("The trimmed range of {name} has no frame {frame}; choose a smaller number.")]
    NoReferenceFrame { name: String, frame: usize },
    /// The frame is beyond the clip's end.
    #[error("{name} has no frame {frame}; choose one from 1 to {frames}.")]
    NoFrame {
        name: String,
        frame: usize,
        frames: usize,
    },
    /// A frame that was there when the clip was analysed.
    #[error(
        "The motion has no frame {frame}; its file may have changed since it was read, so open it again."
    )]
    Missing { frame: usize },
    /// No bundled clip of that name.
    #[error("Mien includes no clip called {name}; choose one of your own, or the sample clip.")]
    UnknownSampleClip { name: String },
    /// The bundled clip can't be unpacked.
    #[error(
        "The sample clip can't be written to the temporary folder ({0}); make room there, or use a clip of your own."
    )]
    SampleClipNotWritten(#[source] io::Error),
}

/// Something a method or its weights can't do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MethodError {
    /// A method that this program, or this list of methods, doesn't have.
    #[error(
        "This version of Mien has no method called {0}; choose another, or get a newer version."
    )]
    Unknown(MethodId),
    /// The method has no such mode.
    #[error("{method} has no mode {}; choose another method, or the relative mode.", mode.key())]
    NoMode { method: &'static str, mode: Mode },
    /// An expression that turns the head or moves the eyes, with a method that doesn't [`draws_head`].
    ///
    /// [`draws_head`]: crate::methods::MethodInfo::draws_head
    #[error("{method} can't move the head or the eyes; choose another method.")]
    KeepsHead { method: &'static str },
    /// The mode needs a network that these weights don't include.
    #[error(
        "The weights {weights} have no {} network, which the mode {} needs; choose the relative mode.",
        mode.key().to_uppercase(),
        mode.key()
    )]
    NoNetwork { weights: String, mode: Mode },
    /// The driving motion has no unique solution; holds the reason.
    #[error("The motion can't be measured because {0}; choose another picture or frame.")]
    Degenerate(&'static str),
    /// The values became NaN or infinite although the weights are finite.
    #[error(
        "The network's numbers became NaN or infinite, so its weights are damaged; get them again, or choose others."
    )]
    NotFinite,
    /// Weights for the face landmarker, which always uses the bundled ones.
    #[error(
        "The face detector's weights are part of Mien and can't be replaced; choose weights of another method."
    )]
    FixedWeights,
    /// Weights for a method that has none.
    #[error("{method} uses no weights; leave them out, or choose another method.")]
    NoWeights { method: &'static str },
    /// A method that needs a face, with a portrait without one.
    #[error(
        "No face was found in the portrait, and {method} needs one; choose another portrait, or the method GANimation."
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
    #[error("There is nothing to compare; name at least one method.")]
    NoMethods,
    /// No such method.
    #[error(
        "{text:?} is not a method; use {methods}, separated by commas, each with an optional mode and weights, such as tps:avd or fomm:standard@vox-cpk."
    )]
    UnknownMethod { text: String, methods: String },
    /// No such mode in any method.
    #[error("{mode:?} is not a mode of {method}; use standard or relative, or avd with tps.")]
    UnknownMode { mode: String, method: MethodId },
    /// A mode that only another method has.
    #[error("The mode {} belongs to {owner}; use {owner_id}:{}, or {method}:relative.", mode.key(), mode.key())]
    ModeOfAnother {
        mode: Mode,
        owner: &'static str,
        owner_id: MethodId,
        method: MethodId,
    },
    /// An `@` without weights.
    #[error("{text:?} names no weights after the @; give a file or the name of installed weights.")]
    NoWeightsNamed { text: String },
    /// The same method, mode and weights twice.
    #[error("{method} is listed twice; remove one.")]
    Twice { method: String },
    /// More methods than fit side by side.
    #[error("{count} methods don't fit on one sheet; compare at most {most}.")]
    TooMany { count: usize, most: usize },
    /// Nothing to measure against has that name.
    #[error(
        "{text} is not something to compare with; use source, driving, or one of {}.",
        methods.join(", ")
    )]
    UnknownReference { text: String, methods: Vec<String> },
}

/// An output file whose description is invalid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OutputError {
    /// No frame, or no pane.
    #[error("There is nothing to export; choose at least one frame and one pane.")]
    Nothing,
    /// The format and the name or the number of frames don't match.
    #[error(transparent)]
    Format(#[from] FileFormatError),
    /// The bundled font can't be read.
    #[error("The labels' font can't be read; leave the labels out.")]
    LabelFont,
}

/// A chart that can't be drawn or saved.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChartError {
    /// A name that ends in neither .svg nor .png.
    #[error(
        "{} doesn't say which kind of chart to write; end the name in .svg or .png.",
        text::path(.0)
    )]
    Unknown(PathBuf),
    /// The drawing library failed.
    #[error("The chart can't be drawn ({0}); this is a bug in Mien, please report it.")]
    Drawing(String),
}

/// A published checkpoint that can't be converted to weights.
#[derive(Debug, Error)]
pub enum ImportError {
    /// An invalid name for weights.
    #[error(
        "{name:?} can't be the name of weights; choose one without slashes that doesn't begin with a dot."
    )]
    Name { name: String },
    /// None of the known systems.
    #[error(
        "{} is not a checkpoint of a method that Mien knows (FOMM, TPS, MoCoGAN, GANimation); choose another.",
        text::path(.0)
    )]
    UnknownSystem(PathBuf),
    /// GANimation's discriminator.
    #[error(
        "{} contains GANimation's critic, which draws nothing; import the generator, whose name usually ends in \"_G.pth\".",
        text::path(.0)
    )]
    Critic(PathBuf),
    /// The tensors don't match the network they claim to be.
    #[error(
        "{} can't be imported: {reason}; get it again from its publisher, or choose another.",
        text::path(path)
    )]
    Mismatch { path: PathBuf, reason: String },
    /// The configuration can't be serialised.
    #[error(
        "The network's description can't be written ({0}); this is a bug in Mien, please report it."
    )]
    Configuration(#[from] serde_json::Error),
}

/// Something that the computer or this build of the program lacks.
#[derive(Debug, Error)]
pub enum SystemError {
    /// No display server.
    #[error("There is no display to open a window on; run Mien on a desktop.")]
    NoDisplay,
    /// The window can't be created.
    #[error("The window could not be opened ({0}); run Mien on a desktop.")]
    NoWindow(String),
    /// No data folder.
    #[error("There is no home folder to keep weights in; set MIEN_DATA_DIR to a folder.")]
    NoWeightsFolder,
    /// A build without sample portraits.
    #[error("This version of Mien includes no sample portrait; open one of your own.")]
    NoSamplePortrait,
    /// No bundled portrait of that name.
    #[error(
        "This version of Mien has no sample portrait {name}; open the project with the version that saved it."
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
    #[error("A frame without pixels was to be scaled")]
    EmptyFrame,
    /// A panic, caught in the worker.
    #[error("Drawing a frame failed unexpectedly")]
    Panicked,
    /// The bundled head of the rig is invalid.
    #[error("The head model that comes with Mien can't be read")]
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
