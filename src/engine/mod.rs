//! From document to pictures: one path for the studio's panes, its export and the command, so that all three give the
//! same bytes.

mod au_track;
mod autosave;
mod board;
mod compare;
mod device;
mod diagnostics;
mod edits;
mod error;
mod export;
mod faces;
mod film;
mod folders;
mod followed;
mod grid;
mod import;
mod installed;
mod lead;
mod lettering;
mod limits;
mod measure;
mod model;
mod mover;
mod output;
mod part;
mod portrait;
mod progress;
mod project_file;
mod reel;
mod render;
mod sample_clip;
mod sampler;
mod seen;
mod settings;
mod shelf;
mod stage;
mod transfer;
mod transfer_units;
mod view;
mod whole;
mod worker;

pub use au_track::{AuFrame, AuTrack, Reading, is_clip};
pub use autosave::{Autosave, Recovered};
pub use board::{Take, takes};
pub use compare::{
    Against, Compared, Comparison, Contender, Figures, Method, Motion, Network, Sheet, Standing,
    Tracked, compare,
};
pub use error::EngineError;
pub use export::{ExportJob, Format, export};
pub use faces::{FoundFace, find_faces};
pub use film::Film;
pub use folders::{presets_folder, weights_folder};
pub use import::{ImportOptions, Imported, import};
pub use lead::{Lead, smoothing};
pub use lettering::FIGURES_FILE;
pub use measure::{Beside, METRICS, Measured, measure};
pub use model::Model;
pub use mover::{MotionMethod, Mover};
pub use output::{Output, Sound};
pub use part::Part;
pub use portrait::{Portrait, Sample};
pub use progress::{CancelToken, Progress};
pub use project_file::{Embed, MediaOf, MediaState, Opened, ProjectError, ProjectFile, Saved};
pub use reel::Reel;
pub use render::{Pane, Renderer, Scene};
pub use sample_clip::SampleClip;
pub use sampler::{SampleJob, Sampler, sample};
pub use seen::{KeyPoint, Map, Maps, Seen};
pub use settings::{Folders, Recent, RecentFile, Settings, WindowPlace};
pub use stage::{Cue, Drawn, Driver, Models, Score, Shot, Sitter, Stage, Voice};
pub use transfer::{Drive, Reference, Transferred, transfer};
pub use transfer_units::transfer_units;
pub use view::View;
pub use worker::{Outcome, PaneDrawn, Request, Wipe, Worker};

pub use crate::face::{Neutral, OneEuro};
pub use crate::media::{LoopCount, MediaError, Picture, parse_time, read as read_picture};
pub use crate::studio::{Mode, Show};
pub use crate::weights::{
    Block, Bundled, CropRule, Installed, Origin, Span, Style, WeightsError, blocks, checkpoint,
    installed, plain,
};
