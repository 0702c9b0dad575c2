//! The drivers of the project's motions. Clips and samples are analysed in the background, once, even across undo. A partial
//! analysis already drives while the rest is read.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use iced::Task;
use iced::widget::image::Handle;

use crate::app::background::in_background_with;
use crate::app::strings::motions::read_bug;
use crate::document::{
    AuVector, ClipMotion, MediaSource, Motion, MotionId, MotionKind, Pose, Project,
};
use crate::drive::clip_analysis::{ClipAnalysis, OnSnapshot};
use crate::drive::driver::Driver;
use crate::error::EngineError;
use crate::face::found::FoundFace;
use crate::methods::models::Models;
use crate::progress::Progress;

use super::list::MotionState;
use super::reference::Thumb;

/// Bytes of analyses cached for undo although no motion of the project needs them.
const SPARE_BYTES: usize = 512 << 20;

#[derive(Debug, Default)]
pub struct Drivers {
    analyses: HashMap<u64, AnalysisState>,
    ready: HashMap<MotionId, PreparedDriver>,
    /// The key of each motion's analysis, computed only when the motion changes, because hashing a sample is slow.
    keys: HashMap<MotionId, (Arc<Motion>, Option<u64>)>,
    /// Incremented on every change, for evicting the oldest spare analysis first.
    clock: u64,
    /// Incremented when MoCoGAN's weights change, because a sample looks different under other weights.
    weights: u64,
}

/// The state of an analysis.
#[derive(Debug)]
enum AnalysisState {
    /// Still running, with the partial result if there is one.
    Reading(Progress, Option<Read>),
    Read {
        read: Read,
        wanted: u64,
    },
    Failed(String),
}

impl AnalysisState {
    /// The complete or partial result.
    fn read(&self) -> Option<&Read> {
        match self {
            AnalysisState::Reading(_, part) => part.as_ref(),
            AnalysisState::Read { read, .. } => Some(read),
            AnalysisState::Failed(_) => None,
        }
    }

    /// Cancels a running analysis and drops its partial result. The entry is removed once the thread has stopped.
    fn stop(&mut self) {
        if let AnalysisState::Reading(progress, part) = self {
            progress.cancel.cancel();
            *part = None;
        }
    }
}

/// A driver and the inputs it was made from.
#[derive(Debug)]
struct PreparedDriver {
    motion: Arc<Motion>,
    portrait: u64,
    face: Option<usize>,
    source: AuVector,
    analysis: Option<Arc<ClipAnalysis>>,
    driver: Driver,
    /// How dissimilar each frame's face is to the portrait's.
    scores: Arc<Vec<Option<f32>>>,
    problem: Option<String>,
}

/// An analysis, and its thumbnails.
type Read = (Arc<ClipAnalysis>, Arc<Vec<Thumb>>);

#[derive(Debug, Clone)]
pub enum Message {
    /// A partial analysis.
    Part(u64, Read),
    Read(u64, Result<Read, Option<String>>),
    /// Time to update the progress.
    Watched,
}

impl Drivers {
    /// Starts reading what the project's motions need and isn't cached.
    pub fn follow(&mut self, project: &Project, models: &Arc<Models>) -> Task<Message> {
        self.clock += 1;
        let mut tasks = Vec::new();
        let mut needed = Vec::new();
        self.keys.retain(|id, _| project.motion(*id).is_some());
        for motion in project.motions() {
            let key = self.key(motion);
            self.keys.insert(motion.id, (Arc::clone(motion), key));
            let Some(key) = key else {
                continue;
            };
            needed.push(key);
            match self.analyses.get_mut(&key) {
                Some(AnalysisState::Read { wanted, .. }) => *wanted = self.clock,
                Some(_) => {}
                None => tasks.push(self.read(key, motion.kind.clone(), models)),
            }
        }
        self.forget(&needed);
        self.ready.retain(|id, _| project.motion(*id).is_some());
        Task::batch(tasks)
    }

    /// The cache key of a motion's analysis.
    fn key(&self, motion: &Motion) -> Option<u64> {
        match self.keys.get(&motion.id) {
            Some((known, key)) if std::ptr::eq(&**known, motion) => *key,
            _ => analysis_key(&motion.kind, self.weights),
        }
    }

    /// Drops the analyses of all samples after a change of MoCoGAN's weights; clips are unaffected.
    pub fn redraw_samples(&mut self) {
        self.weights += 1;
        let samples = |motion: &Motion| matches!(motion.kind, MotionKind::Sample(_));
        let stale = self.keys.values().filter(|(motion, _)| samples(motion));
        for key in stale.filter_map(|(_, key)| *key) {
            match self.analyses.get_mut(&key) {
                Some(state @ AnalysisState::Reading(..)) => state.stop(),
                _ => drop(self.analyses.remove(&key)),
            }
        }
        self.keys.retain(|_, (motion, _)| !samples(motion));
    }

    fn read(&mut self, key: u64, kind: MotionKind, models: &Arc<Models>) -> Task<Message> {
        let progress = Progress::new(0);
        self.analyses
            .insert(key, AnalysisState::Reading(progress.clone(), None));
        let models = Arc::clone(models);
        let read = move |send: &dyn Fn(Message)| {
            let mut show = |part| send(Message::Part(key, pictured(part)));
            read(&kind, &models, &progress, &mut show)
        };
        in_background_with(read, move |result| {
            Message::Read(
                key,
                match result {
                    Some(result) => outcome(result),
                    None => Err(Some(read_bug())),
                },
            )
        })
    }

    /// Finishes everything that is being read, on this thread; for tests.
    pub fn read_now(&mut self, project: &Project, models: &Arc<Models>) {
        for motion in project.motions() {
            let Some(key) = self.key(motion) else {
                continue;
            };
            if matches!(self.analyses.get(&key), Some(AnalysisState::Reading(..))) {
                let progress = Progress::new(0);
                let result = outcome(read(&motion.kind, models, &progress, &mut drop));
                self.update(Message::Read(key, result));
            }
        }
    }

    /// Cancels readings that no motion needs any more, and evicts the oldest spare analyses beyond `SPARE_BYTES`.
    fn forget(&mut self, needed: &[u64]) {
        for (key, state) in &mut self.analyses {
            if !needed.contains(key) {
                state.stop();
            }
        }
        self.analyses.retain(|key, state| {
            needed.contains(key) || !matches!(state, AnalysisState::Failed(_))
        });
        loop {
            let spare = self.analyses.iter().filter_map(|(key, state)| match state {
                AnalysisState::Read { read, wanted } if !needed.contains(key) => {
                    Some((*wanted, *key, read.0.bytes()))
                }
                _ => None,
            });
            let spare: Vec<_> = spare.collect();
            let bytes: usize = spare.iter().map(|(.., bytes)| bytes).sum();
            match spare.into_iter().min() {
                Some((_, oldest, _)) if bytes > SPARE_BYTES => self.analyses.remove(&oldest),
                _ => return,
            };
        }
    }

    pub fn update(&mut self, message: Message) {
        let (key, result) = match message {
            Message::Read(key, result) => (key, result),
            Message::Part(key, read) => {
                // A cancelled reading may have sent one more.
                if let Some(AnalysisState::Reading(progress, part)) = self.analyses.get_mut(&key)
                    && !progress.cancel.is_cancelled()
                {
                    *part = Some(read);
                }
                return;
            }
            Message::Watched => return,
        };
        let state = match result {
            Ok(read) => AnalysisState::Read {
                read,
                wanted: self.clock,
            },
            // Cancelled: will be read again when needed.
            Err(None) => {
                self.analyses.remove(&key);
                return;
            }
            Err(Some(problem)) => AnalysisState::Failed(problem),
        };
        self.analyses.insert(key, state);
    }

    /// Forgets a failure so that the motion is read again, for a file that has reappeared.
    pub fn retry(&mut self, motion: &Motion) {
        if let Some(key) = self.key(motion)
            && matches!(self.analyses.get(&key), Some(AnalysisState::Failed(_)))
        {
            self.analyses.remove(&key);
        }
    }

    /// Cancels the reading of a motion.
    pub fn cancel(&mut self, motion: &Motion) {
        let state = self.key(motion).and_then(|key| self.analyses.get_mut(&key));
        if let Some(state) = state {
            state.stop();
        }
    }

    /// Whether anything is being read.
    pub fn is_reading(&self) -> bool {
        let mut states = self.analyses.values();
        states.any(|state| matches!(state, AnalysisState::Reading(..)))
    }

    /// The analysis of a motion, as far as it has been read.
    pub fn analysis(&self, motion: &Motion) -> Option<&Arc<ClipAnalysis>> {
        let (analysis, _) = self.analyses.get(&self.key(motion)?)?.read()?;
        Some(analysis)
    }

    /// The progress of reading a motion; `None` if it isn't being read.
    pub fn progress(&self, motion: &Motion) -> Option<&Progress> {
        match self.analyses.get(&self.key(motion)?)? {
            AnalysisState::Reading(progress, _) => Some(progress),
            _ => None,
        }
    }

    /// Makes the drivers for a portrait's face. A driver is remade only if one of its inputs has changed.
    pub fn prepare(&mut self, project: &Project, face: Option<&FoundFace>) {
        for motion in project.motions() {
            let document = project.document();
            let analysis = self.analysis(motion).cloned();
            let same_analysis = |ready: &PreparedDriver| match (&ready.analysis, &analysis) {
                (None, None) => true,
                (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                _ => false,
            };
            let same = |ready: &PreparedDriver| {
                ready.portrait == document.portrait.id
                    && ready.face == document.face
                    && ready.source == document.source
                    && same_analysis(ready)
                    && (Arc::ptr_eq(&ready.motion, motion) || ready.motion.kind == motion.kind)
            };
            if let Some(ready) = self.ready.get_mut(&motion.id)
                && same(ready)
            {
                // Only its name may have changed.
                ready.motion = Arc::clone(motion);
                continue;
            }
            let driver = Driver::of(project, motion, analysis.as_ref(), face);
            let (driver, problem) = match driver {
                Ok(driver) => (driver, None),
                Err(error) => (Driver::Nothing, Some(error.to_string())),
            };
            let shape = face.map(FoundFace::shape);
            let scores = analysis.as_ref().zip(shape.as_ref());
            let scores = scores.map(|(analysis, shape)| analysis.dissimilarity(shape));
            let ready = PreparedDriver {
                scores: scores.unwrap_or_default(),
                motion: Arc::clone(motion),
                portrait: document.portrait.id,
                face: document.face,
                source: document.source,
                analysis,
                driver,
                problem,
            };
            self.ready.insert(motion.id, ready);
        }
    }

    /// The driver of a motion; [`Driver::Nothing`] while it can't drive.
    pub fn driver(&self, id: MotionId) -> Driver {
        self.ready
            .get(&id)
            .map_or(Driver::Nothing, |ready| ready.driver.clone())
    }

    /// The expressions read from a clip or a sample, as they drive, for every step; empty for a track.
    pub fn poses(&self, id: MotionId) -> &[Option<Pose>] {
        match self.ready.get(&id).map(|ready| &ready.driver) {
            Some(Driver::Clip(clip)) => clip.poses(),
            _ => &[],
        }
    }

    /// The thumbnails of a clip, and how dissimilar each frame's face is to the portrait's.
    pub fn filmstrip(&self, motion: &Motion) -> (&[Thumb], &[Option<f32>]) {
        let state = self.key(motion).and_then(|key| self.analyses.get(&key));
        let read = state.and_then(AnalysisState::read);
        let scores = self.ready.get(&motion.id);
        (
            read.map_or(&[], |(_, thumbs)| thumbs),
            scores.map_or(&[], |ready| &ready.scores),
        )
    }

    /// What the list shows about a motion.
    pub fn state(&self, motion: &Motion) -> MotionState {
        let key = self.key(motion);
        match key.and_then(|key| self.analyses.get(&key)) {
            Some(AnalysisState::Reading(progress, _)) => {
                return MotionState::Reading(progress.clone());
            }
            Some(AnalysisState::Failed(problem)) => {
                return match &motion.kind {
                    MotionKind::Clip(ClipMotion {
                        source: MediaSource::File(path),
                        ..
                    }) if !path.exists() && !path.display().to_string().contains('%') => {
                        let name = path.file_name();
                        MotionState::Missing(
                            name.map_or_else(String::new, |name| {
                                name.to_string_lossy().into_owned()
                            }),
                        )
                    }
                    _ => MotionState::Problem(problem.clone()),
                };
            }
            Some(AnalysisState::Read { .. }) | None => {}
        }
        match self.ready.get(&motion.id) {
            Some(PreparedDriver {
                problem: Some(problem),
                ..
            }) => MotionState::Problem(problem.clone()),
            Some(ready) => MotionState::Ready {
                frames: ready.driver.frames() as usize,
                fps: ready.driver.fps(),
            },
            None => MotionState::Reading(Progress::new(0)),
        }
    }
}

/// Reads a clip, or draws a sample, with thumbnails; passes partial results to `show`.
fn read(
    kind: &MotionKind,
    models: &Models,
    progress: &Progress,
    show: OnSnapshot<'_>,
) -> Result<Read, EngineError> {
    let analysis = ClipAnalysis::of_motion(kind, models, progress, show)?;
    // An expression track has nothing to read.
    Ok(pictured(analysis.ok_or(EngineError::Cancelled)?))
}

/// Adds the thumbnails to an analysis.
fn pictured(analysis: ClipAnalysis) -> Read {
    let thumbs = thumbs(&analysis);
    (Arc::new(analysis), Arc::new(thumbs))
}

fn outcome(result: Result<Read, EngineError>) -> Result<Read, Option<String>> {
    result.map_err(|error| (!error.is_cancelled()).then(|| error.to_string()))
}

/// Number of thumbnails in a filmstrip, and their height in pixels.
const THUMBS: usize = 12;
const THUMB_HEIGHT: u32 = 72;

/// Thumbnails spread evenly over an analysis.
fn thumbs(analysis: &ClipAnalysis) -> Vec<Thumb> {
    let count = THUMBS.min(analysis.frames());
    let frame = |i: usize| (2 * i + 1) * analysis.frames() / (2 * count);
    (0..count)
        .filter_map(|i| {
            let frame = frame(i);
            let picture = analysis.thumbnail(frame, THUMB_HEIGHT)?;
            let size = picture.size();
            Some(Thumb {
                frame,
                handle: Handle::from_rgba(size.0, size.1, picture.into_rgba()),
                size,
            })
        })
        .collect()
}

/// The cache key of an analysis: equal clips or samples are read once. A track needs none.
fn analysis_key(kind: &MotionKind, weights: u64) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    match kind {
        MotionKind::Track(_) => return None,
        MotionKind::Clip(clip) => clip.source.hash(&mut hasher),
        MotionKind::Sample(sampled) => {
            weights.hash(&mut hasher);
            let bits =
                |values: &[f32]| -> Vec<u32> { values.iter().map(|v| v.to_bits()).collect() };
            let shown = sampled
                .blended_sample()
                .unwrap_or_else(|_| sampled.codes.clone());
            bits(&shown.content).hash(&mut hasher);
            shown
                .category
                .map(|category| (category.index, category.of))
                .hash(&mut hasher);
            bits(&shown.h0).hash(&mut hasher);
            for step in &shown.epsilon {
                bits(step).hash(&mut hasher);
            }
        }
    }
    Some(hasher.finish())
}

#[cfg(test)]
mod partial_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Sample, SampleSizes, SampledMotion};

    #[test]
    fn the_cache_key_of_a_sample_depends_on_its_weights_and_that_of_a_clip_does_not() {
        let codes = Sample::draw(7, &SampleSizes::default(), 16, None).unwrap();
        let sample = MotionKind::Sample(SampledMotion::new(codes));
        assert_ne!(analysis_key(&sample, 0), analysis_key(&sample, 1));
        let source = MediaSource::Bundled("sample.mp4".to_owned());
        let clip = MotionKind::Clip(ClipMotion::new(source));
        assert_eq!(analysis_key(&clip, 0), analysis_key(&clip, 1));
    }
}
