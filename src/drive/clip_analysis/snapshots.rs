//! An analysis in progress, with snapshots of the part read so far: a long clip is visible long before its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::drive::clip_analysis::ClipAnalysis;
use crate::drive::clip_analysis::proxies::Proxies;
use crate::drive::face_tracking::TrackedFaces;
use crate::drive::frames::FrameSource;
use crate::error::EngineError;
use crate::media::clip::ClipInfo;
use crate::media::image::Picture;
use crate::progress::Stop;

/// Receives a snapshot.
pub type OnSnapshot<'a> = &'a mut dyn FnMut(ClipAnalysis);

/// The number of frames in the first snapshot.
const FIRST: usize = 8;

/// The minimum interval between snapshots.
const PAUSE: Duration = Duration::from_millis(500);

/// Schedules snapshots. The cost of one is proportional to its frames, so each has three quarters more frames than the one
/// before: together they cost only a few times as much as the last.
#[derive(Debug)]
pub(crate) struct Pace {
    pause: Duration,
    /// The number of frames from which the next is due.
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

    /// Returns whether a snapshot is due after `frames` frames; if so, it counts as taken. When the proxies have been scaled
    /// down, the last snapshot still holds the old ones; it is then replaced at once, so that both are not in memory for long.
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

/// An analysis in progress.
pub(crate) struct AnalysisBuilder<'a> {
    name: String,
    info: ClipInfo,
    proxies: Proxies,
    pace: Pace,
    show: Option<OnSnapshot<'a>>,
}

impl<'a> AnalysisBuilder<'a> {
    /// Starts with no frames. `show` receives snapshots while frames are added.
    pub fn new(
        name: String,
        info: ClipInfo,
        budget: usize,
        pace: Pace,
        show: Option<OnSnapshot<'a>>,
    ) -> Self {
        Self {
            proxies: Proxies::new(name.clone(), (info.width, info.height), budget),
            name,
            info,
            pace,
            show,
        }
    }

    /// Adds the last of the frames in `tracked`.
    ///
    /// # Errors
    /// As [`Proxies::push`].
    pub fn push(
        &mut self,
        picture: &Picture,
        tracked: &TrackedFaces,
        stop: Stop<'_>,
    ) -> Result<(), EngineError> {
        let scale = self.proxies.scale();
        self.proxies.push(picture, tracked.last_mesh(), stop)?;
        let Some(show) = &mut self.show else {
            return Ok(());
        };
        let shrunk = self.proxies.scale() < scale;
        if !stop() && self.pace.is_due(tracked.faces.len(), shrunk) {
            let (name, proxies) = (self.name.clone(), Arc::new(self.proxies.snapshot()));
            show(ClipAnalysis {
                complete: false,
                ..ClipAnalysis::scrubbed(name, &self.info, tracked, proxies)?
            });
        }
        Ok(())
    }

    /// Returns the complete analysis.
    ///
    /// # Errors
    /// [`EngineError::Media`] where there were no frames.
    pub fn finish(self, tracked: &TrackedFaces) -> Result<ClipAnalysis, EngineError> {
        ClipAnalysis::scrubbed(self.name, &self.info, tracked, Arc::new(self.proxies))
    }
}
