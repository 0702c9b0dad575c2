//! The board's small clips: which are wanted, which are there, and the thread that draws the rest.

use std::sync::Arc;

use iced::Task;
use iced::futures::channel::mpsc;
use iced::widget::image::Handle;

use crate::document::{Sample, SampledMotion};
use crate::drive::previews::{Take, takes};
use crate::media::image::Picture;
use crate::methods::mocogan::sampler::Sampler;
use crate::progress::CancelToken;

use super::Message;
use super::change::shown;
use super::grid::{Cell, Grid};

/// Pixels a side of the large picture, and how many of its frames are played.
pub const LARGE: u32 = 256;
pub const LARGE_FRAMES: usize = 120;

/// The same of a small one.
const SMALL: u32 = 128;
const SMALL_FRAMES: usize = 16;

/// Small clips that are kept though nothing shows them now, for when an artist comes back.
const KEPT: usize = 80;

/// The frames of a small clip, ready to be shown.
pub type Strip = Arc<Vec<Handle>>;

/// Small clips that a thread is to draw.
#[derive(Debug, Clone)]
pub struct Deal {
    pub generation: u64,
    pub takes: Arc<Vec<Take>>,
    pub cancel: CancelToken,
}

/// Draws a deal on a thread of its own, and tells of each clip as soon as it is there.
pub fn draw(sampler: Arc<Sampler>, deal: Deal) -> Task<Message> {
    let (tell, told) = mpsc::unbounded();
    let generation = deal.generation;
    let spawned = std::thread::Builder::new()
        .name("mien-board".to_owned())
        .spawn(move || {
            // Nobody listens any more when the window is closed.
            let send = |message| drop(tell.unbounded_send(message));
            let stop = || deal.cancel.is_cancelled();
            let drawn = takes(&sampler, &deal.takes, &stop, |index, frames| {
                send(Message::Dealt(generation, index, Arc::new(frames)));
            });
            let problem = drawn.err().filter(|error| !error.is_cancelled());
            send(Message::Ended(
                generation,
                problem.map(|error| error.to_string()),
            ));
        });
    match spawned {
        Ok(_) => Task::stream(told),
        Err(error) => Task::done(Message::Ended(
            generation,
            Some(format!("the board's pictures can't be drawn: {error}.")),
        )),
    }
}

/// What the board shows of a motion, each as it is drawn.
#[derive(Debug, Default)]
struct Wanted {
    large: Option<Take>,
    /// As many as [`Cell::all`], when the board is open.
    cells: Vec<Take>,
    favourites: Vec<Take>,
    towards: Option<Take>,
}

impl Wanted {
    fn by(motion: &SampledMotion, open: bool) -> Self {
        let cut = |sample: &Sample, most: usize| {
            let frames = sample.frames().min(most);
            sample
                .with_frames(frames)
                .unwrap_or_else(|_| sample.clone())
        };
        let small = |sample: Sample| Take {
            sample,
            side: SMALL,
        };
        let grid = open.then(|| Grid::around(motion));
        let beginning = cut(&motion.codes, SMALL_FRAMES);
        let other = motion.towards.as_ref();
        Self {
            large: shown(motion).map(|shown| Take {
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
    fn all(&self) -> impl Iterator<Item = &Take> {
        self.large
            .iter()
            .chain(&self.towards)
            .chain(&self.favourites)
            .chain(&self.cells)
    }
}

#[derive(Debug)]
struct Running {
    deal: Deal,
    /// Whether its large picture is still to come.
    large: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.deal.cancel.cancel();
    }
}

/// The small clips that are there.
#[derive(Debug, Default)]
pub struct Strips {
    wanted: Wanted,
    /// What the wanted ones were worked out of.
    of: Option<(SampledMotion, bool)>,
    ready: Vec<(Take, Strip)>,
    /// The large picture, or that before it until it is there.
    large: Option<Strip>,
    running: Option<Running>,
    generation: u64,
}

impl Strips {
    /// What is to be drawn now, if anything that isn't being drawn already. Of the large picture the newest wins, but one
    /// that is being drawn is finished first: it moves while the hand does.
    pub fn deal(&mut self, motion: &SampledMotion, open: bool) -> Option<Deal> {
        let same = |(of, was_open): &(SampledMotion, bool)| of == motion && *was_open == open;
        if !self.of.as_ref().is_some_and(same) {
            self.wanted = Wanted::by(motion, open);
            self.of = Some((motion.clone(), open));
            let wanted = &self.wanted;
            let spare = self.ready.len().saturating_sub(KEPT);
            let mut seen = 0;
            self.ready.retain(|(take, _)| {
                seen += 1;
                wanted.all().any(|other| other == take) || (take.side == SMALL && seen > spare)
            });
            self.find_large();
        }
        let missing: Vec<Take> = self
            .wanted
            .all()
            .filter(|take| self.strip(take).is_none())
            .cloned()
            .collect();
        if missing.is_empty() {
            return None;
        }
        if let Some(running) = &self.running {
            let asked = &running.deal.takes;
            if running.large || missing.iter().all(|take| asked.contains(take)) {
                return None;
            }
        }
        self.generation += 1;
        let deal = Deal {
            generation: self.generation,
            takes: Arc::new(missing),
            cancel: CancelToken::default(),
        };
        let large = deal.takes.iter().any(|take| take.side == LARGE);
        // The one before is dropped, and stops.
        self.running = Some(Running {
            deal: deal.clone(),
            large,
        });
        Some(deal)
    }

    /// Takes what a thread has drawn, unless it was asked for before the newest deal.
    pub fn take(&mut self, generation: u64, index: usize, frames: &[Picture]) {
        let Some(running) = self.of_generation(generation) else {
            return;
        };
        let Some(take) = running.deal.takes.get(index).cloned() else {
            return;
        };
        let handles = frames
            .iter()
            .map(|frame| Handle::from_rgba(frame.width(), frame.height(), frame.rgba().to_vec()));
        let strip: Strip = Arc::new(handles.collect());
        if take.side == LARGE {
            running.large = false;
            self.large = Some(Arc::clone(&strip));
        }
        if self.strip(&take).is_none() {
            self.ready.push((take, strip));
        }
        self.find_large();
    }

    /// The thread of a deal is done; true when it was the newest.
    pub fn ended(&mut self, generation: u64) -> bool {
        let running = self.of_generation(generation);
        // The deal is remembered: what couldn't be drawn isn't asked for again and again.
        running.map(|running| running.large = false).is_some()
    }

    fn of_generation(&mut self, generation: u64) -> Option<&mut Running> {
        self.running
            .as_mut()
            .filter(|running| running.deal.generation == generation)
    }

    fn find_large(&mut self) {
        let large = self.wanted.large.as_ref();
        if let Some(strip) = large.and_then(|take| self.strip(take)) {
            self.large = Some(Arc::clone(strip));
        }
    }

    fn strip(&self, take: &Take) -> Option<&Strip> {
        let found = self.ready.iter().find(|(other, _)| other == take);
        found.map(|(_, strip)| strip)
    }

    pub fn large(&self) -> Option<&Strip> {
        self.large.as_ref()
    }

    pub fn cell(&self, cell: Cell) -> Option<&Strip> {
        let at = Cell::all().position(|other| other == cell)?;
        self.strip(self.wanted.cells.get(at)?)
    }

    pub fn favourite(&self, index: usize) -> Option<&Strip> {
        self.strip(self.wanted.favourites.get(index)?)
    }

    pub fn towards(&self) -> Option<&Strip> {
        self.strip(self.wanted.towards.as_ref()?)
    }
}
