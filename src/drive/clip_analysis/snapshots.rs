//! An analysis in the making, and snapshots of what has been read so far: a long clip is seen long before its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::drive::clip_analysis::ClipAnalysis;
use crate::drive::clip_analysis::proxies::Proxies;
use crate::drive::face_tracking::Followed;
use crate::drive::frames::FrameSource;
use crate::error::EngineError;
use crate::media::clip::ClipInfo;
use crate::media::image::Picture;
use crate::progress::Stop;

/// Takes a snapshot.
pub type Show<'a> = &'a mut dyn FnMut(ClipAnalysis);

/// How many frames the first snapshot has.
const FIRST: usize = 8;

/// The least time from one snapshot to the next.
const PAUSE: Duration = Duration::from_millis(500);

/// When to take a snapshot. Each takes time in proportion to its frames, so each has three quarters more than the one before:
/// all together then cost no more than a few times the last.
#[derive(Debug)]
pub(crate) struct Pace {
    pause: Duration,
    /// From how many frames on the next is due.
    next: usize,
    last: Option<Instant>,
}

impl Pace {
    pub fn new(pause: Duration) -> Self {
        Self {
            pause,
            next: FIRST,
            last: None,
        }
    }

    /// Whether a snapshot is due after `frames` frames; if so, it counts as taken. What the last one shares with the reading is
    /// outdated once all frames have become smaller; then it is replaced at once, lest both be in memory for long.
    pub fn is_due(&mut self, frames: usize, shrunk: bool) -> bool {
        let rested = self.last.is_none_or(|last| last.elapsed() >= self.pause);
        let outdated = shrunk && self.last.is_some();
        if !outdated && (frames < self.next || !rested) {
            return false;
        }
        self.next = frames + frames * 3 / 4;
        self.last = Some(Instant::now());
        true
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(PAUSE)
    }
}

/// An analysis in the making.
pub(crate) struct Building<'a> {
    name: String,
    info: ClipInfo,
    proxies: Proxies,
    pace: Pace,
    show: Option<Show<'a>>,
}

impl<'a> Building<'a> {
    /// Nothing yet, of a clip. Whoever is to see snapshots gets them while frames are added.
    pub fn new(
        name: String,
        info: ClipInfo,
        budget: usize,
        pace: Pace,
        show: Option<Show<'a>>,
    ) -> Self {
        Self {
            proxies: Proxies::new(name.clone(), (info.width, info.height), budget),
            name,
            info,
            pace,
            show,
        }
    }

    /// Adds the last of the frames that were seen.
    ///
    /// # Errors
    /// Those of [`Proxies::push`].
    pub fn push(
        &mut self,
        picture: &Picture,
        seen: &Followed,
        stop: Stop<'_>,
    ) -> Result<(), EngineError> {
        let scale = self.proxies.scale();
        self.proxies.push(picture, seen.last_mesh(), stop)?;
        let Some(show) = &mut self.show else {
            return Ok(());
        };
        let shrunk = self.proxies.scale() < scale;
        if !stop() && self.pace.is_due(seen.faces.len(), shrunk) {
            let (name, proxies) = (self.name.clone(), Arc::new(self.proxies.snapshot()));
            show(ClipAnalysis {
                complete: false,
                ..ClipAnalysis::scrubbed(name, &self.info, seen, proxies)?
            });
        }
        Ok(())
    }

    /// The whole.
    ///
    /// # Errors
    /// [`EngineError::Media`] where no frame was seen.
    pub fn finish(self, seen: &Followed) -> Result<ClipAnalysis, EngineError> {
        ClipAnalysis::scrubbed(self.name, &self.info, seen, Arc::new(self.proxies))
    }
}
