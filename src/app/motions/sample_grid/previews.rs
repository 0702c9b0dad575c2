//! The previews of the sample grid: which are wanted, which are there, and what draws the rest in the background.

use std::sync::Arc;

use iced::Task;
use iced::widget::image::Handle;

use crate::app::background::in_background_with;
use crate::document::{Sample, SampledMotion};
use crate::drive::previews::{Take as Preview, takes as draw_previews};
use crate::error::EngineError;
use crate::media::image::Picture;
use crate::methods::models::Models;
use crate::progress::CancelToken;

use super::Message;
use super::change::shown;
use super::neighbours::{Cell, Neighbours};

/// Pixels a side of the large picture, and how many of its frames are played.
pub const LARGE: u32 = 256;
pub const LARGE_FRAMES: usize = 120;

/// The same of a small preview.
const SMALL: u32 = 128;
const SMALL_FRAMES: usize = 16;

/// Previews that are kept though nothing shows them, for when the artist comes back.
const SPARE: usize = 80;

/// The frames of a preview, ready to be shown.
pub type PreviewFrames = Arc<Vec<Handle>>;

/// Previews that are to be drawn in the background.
#[derive(Debug, Clone)]
pub struct PreviewBatch {
    pub generation: u64,
    pub previews: Arc<Vec<Preview>>,
    pub cancel: CancelToken,
}

/// Draws a batch in the background, and sends each preview as soon as it is there. The network is loaded there, too.
pub fn draw(models: Arc<Models>, batch: PreviewBatch) -> Task<Message> {
    let generation = batch.generation;
    in_background_with(
        move |send| {
            let stop = || batch.cancel.is_cancelled();
            let sampler = models.sampler()?;
            draw_previews(&sampler, &batch.previews, &stop, |index, frames| {
                send(Message::PreviewDrawn(generation, index, Arc::new(frames)));
            })
        },
        move |result: Option<Result<(), EngineError>>| {
            let problem = match result {
                Some(result) => result.err().filter(|error| !error.is_cancelled()),
                None => return Message::BatchEnded(generation, Some(FAULT.to_owned())),
            };
            Message::BatchEnded(generation, problem.map(|error| error.to_string()))
        },
    )
}

/// What is said when drawing broke off.
const FAULT: &str = "The board's pictures could not be drawn by a fault of Mien.";

/// What the board shows of a motion, each as it is drawn.
#[derive(Debug, Default)]
struct Wanted {
    large: Option<Preview>,
    /// As many as [`Cell::all`], when the board is open.
    cells: Vec<Preview>,
    favourites: Vec<Preview>,
    towards: Option<Preview>,
}

impl Wanted {
    fn by(motion: &SampledMotion, open: bool) -> Self {
        let cut = |sample: &Sample, most: usize| {
            let frames = sample.frames().min(most);
            sample
                .with_frames(frames)
                .unwrap_or_else(|_| sample.clone())
        };
        let small = |sample: Sample| Preview {
            sample,
            side: SMALL,
        };
        let grid = open.then(|| Neighbours::around(motion));
        let beginning = cut(&motion.codes, SMALL_FRAMES);
        let other = motion.towards.as_ref();
        Self {
            large: shown(motion).map(|shown| Preview {
                sample: cut(&shown.codes, LARGE_FRAMES),
                side: LARGE,
            }),
            cells: grid.map_or_else(Vec::new, |grid| {
                Cell::all()
                    .map(|cell| small(grid.codes(&beginning, cell)))
                    .collect()
            }),
            favourites: motion
                .favourites
                .iter()
                .map(|favourite| small(cut(&favourite.codes, SMALL_FRAMES)))
                .collect(),
            towards: other.map(|other| small(cut(&other.codes, SMALL_FRAMES))),
        }
    }

    /// In the order in which they are drawn.
    fn all(&self) -> impl Iterator<Item = &Preview> {
        self.large
            .iter()
            .chain(&self.towards)
            .chain(&self.favourites)
            .chain(&self.cells)
    }
}

#[derive(Debug)]
struct Running {
    batch: PreviewBatch,
    /// Whether its large picture is still to come.
    large: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.batch.cancel.cancel();
    }
}

/// The previews that are there, and those that are being drawn.
#[derive(Debug, Default)]
pub struct Previews {
    wanted: Wanted,
    /// What the wanted ones were worked out of.
    of: Option<(SampledMotion, bool)>,
    ready: Vec<(Preview, PreviewFrames)>,
    /// The large picture, or that before it until it is there.
    large: Option<PreviewFrames>,
    running: Option<Running>,
    generation: u64,
}

impl Previews {
    /// What is to be drawn now, if anything that isn't being drawn already. Of the large picture the newest wins, but one
    /// that is being drawn is finished first: it moves while the hand does.
    pub fn next_batch(&mut self, motion: &SampledMotion, open: bool) -> Option<PreviewBatch> {
        let same = |(of, was_open): &(SampledMotion, bool)| of == motion && *was_open == open;
        if !self.of.as_ref().is_some_and(same) {
            self.wanted = Wanted::by(motion, open);
            self.of = Some((motion.clone(), open));
            let wanted = &self.wanted;
            let spare = self.ready.len().saturating_sub(SPARE);
            let mut seen = 0;
            self.ready.retain(|(preview, _)| {
                seen += 1;
                wanted.all().any(|other| other == preview)
                    || (preview.side == SMALL && seen > spare)
            });
            self.find_large();
        }
        let missing: Vec<Preview> = self
            .wanted
            .all()
            .filter(|preview| self.preview(preview).is_none())
            .cloned()
            .collect();
        if missing.is_empty() {
            return None;
        }
        if let Some(running) = &self.running {
            let asked = &running.batch.previews;
            if running.large || missing.iter().all(|preview| asked.contains(preview)) {
                return None;
            }
        }
        self.generation += 1;
        let batch = PreviewBatch {
            generation: self.generation,
            previews: Arc::new(missing),
            cancel: CancelToken::default(),
        };
        let large = batch.previews.iter().any(|preview| preview.side == LARGE);
        // The one before is dropped, and stops.
        self.running = Some(Running {
            batch: batch.clone(),
            large,
        });
        Some(batch)
    }

    /// Takes a preview, unless a newer batch has been asked for since.
    pub fn take(&mut self, generation: u64, index: usize, frames: &[Picture]) {
        let Some(running) = self.of_generation(generation) else {
            return;
        };
        let Some(preview) = running.batch.previews.get(index).cloned() else {
            return;
        };
        let handles = frames
            .iter()
            .map(|frame| Handle::from_rgba(frame.width(), frame.height(), frame.rgba().to_vec()));
        let frames: PreviewFrames = Arc::new(handles.collect());
        if preview.side == LARGE {
            running.large = false;
            self.large = Some(Arc::clone(&frames));
        }
        if self.preview(&preview).is_none() {
            self.ready.push((preview, frames));
        }
        self.find_large();
    }

    /// A batch has ended; true when it was the newest.
    pub fn ended(&mut self, generation: u64) -> bool {
        let running = self.of_generation(generation);
        // The batch is remembered: what couldn't be drawn isn't asked for again and again.
        running.map(|running| running.large = false).is_some()
    }

    fn of_generation(&mut self, generation: u64) -> Option<&mut Running> {
        self.running
            .as_mut()
            .filter(|running| running.batch.generation == generation)
    }

    fn find_large(&mut self) {
        let large = self.wanted.large.as_ref();
        if let Some(preview) = large.and_then(|preview| self.preview(preview)) {
            self.large = Some(Arc::clone(preview));
        }
    }

    fn preview(&self, preview: &Preview) -> Option<&PreviewFrames> {
        let found = self.ready.iter().find(|(other, _)| other == preview);
        found.map(|(_, preview)| preview)
    }

    pub fn large(&self) -> Option<&PreviewFrames> {
        self.large.as_ref()
    }

    pub fn cell(&self, cell: Cell) -> Option<&PreviewFrames> {
        let at = Cell::all().position(|other| other == cell)?;
        self.preview(self.wanted.cells.get(at)?)
    }

    pub fn favourite(&self, index: usize) -> Option<&PreviewFrames> {
        self.preview(self.wanted.favourites.get(index)?)
    }

    pub fn towards(&self) -> Option<&PreviewFrames> {
        self.preview(self.wanted.towards.as_ref()?)
    }
}
