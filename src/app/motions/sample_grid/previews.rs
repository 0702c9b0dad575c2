//! The previews of the sample grid: which are needed, which are cached, and the background task that draws the rest.

use std::sync::Arc;

use iced::Task;
use iced::widget::image::Handle;

use crate::app::background::in_background_with;
use crate::app::strings::sample_grid as strings;
use crate::document::{Sample, SampledMotion};
use crate::drive::previews::{PreviewSpec as Preview, generate_previews as draw_previews};
use crate::error::EngineError;
use crate::media::image::Picture;
use crate::methods::models::Models;
use crate::progress::CancelToken;

use super::Message;
use super::change::blended;
use super::neighbours::{Cell, Neighbours};

/// Side of the large picture in pixels, and how many of its frames are played.
pub const LARGE: u32 = 256;
pub const LARGE_FRAMES: usize = 120;

/// The same for a small preview.
const SMALL_SIDE: u32 = 128;
const SMALL_FRAMES: usize = 16;

/// Number of cached previews that nothing shows.
const SPARE: usize = 80;

/// The frames of a preview, ready to draw.
pub type PreviewFrames = Arc<Vec<Handle>>;

/// Previews to draw in the background.
#[derive(Debug, Clone)]
pub struct PreviewBatch {
    pub generation: u64,
    pub previews: Arc<Vec<Preview>>,
    pub cancel: CancelToken,
}

/// Draws a batch in the background, and sends each preview as soon as it is drawn. The network is also loaded there.
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
                None => return Message::BatchEnded(generation, Some(strings::drawing_bug())),
            };
            Message::BatchEnded(generation, problem.map(|error| error.to_string()))
        },
    )
}

/// The previews that the grid shows of a motion.
#[derive(Debug, Default)]
struct NeededPreviews {
    large: Option<Preview>,
    /// One for each of [`Cell::all`] if the grid is open.
    cells: Vec<Preview>,
    favourites: Vec<Preview>,
    towards: Option<Preview>,
}

impl NeededPreviews {
    fn by(motion: &SampledMotion, open: bool) -> Self {
        let cut = |sample: &Sample, most: usize| {
            let frames = sample.frames().min(most);
            sample
                .with_frames(frames)
                .unwrap_or_else(|_| sample.clone())
        };
        let small = |sample: Sample| Preview {
            sample,
            side: SMALL_SIDE,
        };
        let grid = open.then(|| Neighbours::around(motion));
        let beginning = cut(&motion.codes, SMALL_FRAMES);
        let other = motion.towards.as_ref();
        Self {
            large: blended(motion).map(|shown| Preview {
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

    /// All of them, in drawing order.
    fn all(&self) -> impl Iterator<Item = &Preview> {
        self.large
            .iter()
            .chain(&self.towards)
            .chain(&self.favourites)
            .chain(&self.cells)
    }
}

#[derive(Debug)]
struct RunningBatch {
    batch: PreviewBatch,
    /// Whether its large picture hasn't been drawn yet.
    large: bool,
}

impl Drop for RunningBatch {
    fn drop(&mut self) {
        self.batch.cancel.cancel();
    }
}

/// The cached previews, and the batch being drawn.
#[derive(Debug, Default)]
pub struct Previews {
    wanted: NeededPreviews,
    /// The motion and the state of the grid that `wanted` was computed from.
    of: Option<(SampledMotion, bool)>,
    ready: Vec<(Preview, PreviewFrames)>,
    /// The large picture, or the previous one until it is drawn.
    large: Option<PreviewFrames>,
    running: Option<RunningBatch>,
    generation: u64,
}

impl Previews {
    /// The previews to draw now, unless they are already being drawn. A running large picture is finished before the next one
    /// is started, so that it updates during a drag.
    pub fn next_batch(&mut self, motion: &SampledMotion, open: bool) -> Option<PreviewBatch> {
        let same = |(of, was_open): &(SampledMotion, bool)| of == motion && *was_open == open;
        if !self.of.as_ref().is_some_and(same) {
            self.wanted = NeededPreviews::by(motion, open);
            self.of = Some((motion.clone(), open));
            let wanted = &self.wanted;
            let spare = self.ready.len().saturating_sub(SPARE);
            let mut seen = 0;
            self.ready.retain(|(preview, _)| {
                seen += 1;
                wanted.all().any(|other| other == preview)
                    || (preview.side == SMALL_SIDE && seen > spare)
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
        // Drops the previous batch, which cancels it.
        self.running = Some(RunningBatch {
            batch: batch.clone(),
            large,
        });
        Some(batch)
    }

    /// Stores a preview, unless a newer batch has been requested since.
    pub fn store_preview(&mut self, generation: u64, index: usize, frames: &[Picture]) {
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

    /// Handles the end of a batch; returns whether it was the newest.
    pub fn ended(&mut self, generation: u64) -> bool {
        let running = self.of_generation(generation);
        // The batch stays, so that previews that failed aren't requested again and again.
        running.map(|running| running.large = false).is_some()
    }

    fn of_generation(&mut self, generation: u64) -> Option<&mut RunningBatch> {
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
