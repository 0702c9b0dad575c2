//! Panes written to a file: one of them, or all side by side, as the window shows them but at the portrait's own size.

use std::ops::Range;
use std::sync::Arc;

use fast_image_resize::FilterType;

use crate::document::{Show, Way};
use crate::drive::driver::Driver;
use crate::error::{EngineError, InternalError, OutputError};
use crate::jobs::output::{Output, Sound, Writer, scaled};
use crate::media::image::Picture;
use crate::media::image::resample::resampled;
use crate::media::provenance::{Provenance, SourceType};
use crate::methods::models::Models;
use crate::methods::mover::MotionMethod;
use crate::progress::Progress;
use crate::render::composition::{Score, Shot};
use crate::render::grid::{Grid, Label};
use crate::render::renderer::{Sitter, Stage};
use crate::render::view::View;

/// Some panes through some time, to be written.
#[derive(Debug, Clone)]
pub struct Film {
    pub sitter: Sitter,
    /// Its voices are the panes, from left to right and down.
    pub score: Score,
    /// The steps of the timeline in the order in which they are written; at least one.
    pub steps: Vec<u32>,
    /// A name and a note above each pane; without, nothing is written above any.
    pub labels: Option<Vec<(String, String)>>,
    /// The size of a pane, in sizes of the portrait; in 0.01..=1.
    pub scale: f64,
    /// Frames a second; pictures have no use for it.
    pub fps: f64,
    /// Its scale is not used.
    pub output: Output,
    /// The sound of an MP4.
    pub sound: Option<Sound>,
}

impl Film {
    /// A measure of the work for [`Film::write`].
    pub fn progress(&self) -> Progress {
        Progress::new(self.written().map_or(0, |written| written.len()))
    }

    fn written(&self) -> Result<Range<usize>, EngineError> {
        let total = self.steps.len();
        let part = self.output.part;
        Ok(part.map_or(Ok(0..total), |part| part.within(total))?)
    }

    /// The models that its pictures are by, in the order of the panes.
    fn authors(&self, models: &Models) -> Result<Vec<String>, EngineError> {
        let mut authors: Vec<String> = Vec::new();
        for voice in &self.score.voices {
            let drawn = matches!(voice.drive, Driver::Track(_));
            let name = match voice.way {
                Way::Source => continue,
                // A clip's own frames are nobody's edit.
                Way::Motion if !drawn => continue,
                Way::Motion | Way::Ganimation => models.ganimation().name(),
                Way::Fomm(_) => models.mover(MotionMethod::Fomm)?.name(),
                Way::Tps(_) => models.mover(MotionMethod::Tps)?.name(),
            };
            if !authors.iter().any(|author| author == name) {
                authors.push(name.to_owned());
            }
        }
        Ok(authors)
    }

    /// Whether nothing at all is asked of the portrait, so that it goes out as it came.
    fn is_untouched(&self) -> bool {
        let source = self.sitter.scene.source;
        self.score.voices.iter().all(|voice| match &voice.drive {
            _ if voice.way == Way::Source => true,
            Driver::Nothing => voice.show == Show::Result,
            Driver::Track(document) => {
                let mut steps = self.steps.iter();
                voice.show == Show::Result
                    && voice.leads
                    && steps.all(|step| document.target(*step) == source)
            }
            Driver::Lead(_) => false,
        })
    }

    /// Draws every frame and writes the file. Nothing stands under the final name before it is whole. A sentence comes
    /// back where the sound could not be carried over.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when `progress` was asked to stop; [`EngineError::Output`] for a film without frames or
    /// panes, or a part that it hasn't got; [`EngineError::Media`] when the file can't be written; what the methods say.
    /// Whatever stood under the name before still does.
    pub fn write(
        &self,
        models: &Arc<Models>,
        progress: &Progress,
    ) -> Result<Option<String>, EngineError> {
        if self.steps.is_empty() || self.score.voices.is_empty() {
            return Err(OutputError::Nothing.into());
        }
        let written = self.written()?;
        progress.set_total(written.len());
        let sheet = self.sheet()?;
        let pane = scaled(self.sitter.picture.size(), self.scale);
        let size = sheet.as_ref().map_or(pane, Grid::size);
        let output = Output {
            scale: 1.0,
            marked: self.output.marked && !self.is_untouched(),
            ..self.output.clone()
        };
        let note = || -> Result<Option<Provenance>, EngineError> {
            let authors = self.authors(models)?;
            let source = SourceType::CompositeWithTrainedAlgorithmicMedia;
            let marked = output.marked && !authors.is_empty();
            Ok(marked.then(|| Provenance::new(authors, source)))
        };
        // The file comes first: a folder that can't be written to is told at once, not after an hour.
        let mut writer = Writer::new(&output, size, self.fps, note()?)?;
        if output.part.is_some() {
            writer.set_numbers(written.start, self.steps.len());
        }
        let remark = writer.set_sound(self.sound.clone());
        let mut stage = Stage::new(Arc::clone(models));
        let stop = || progress.cancel.is_cancelled();
        for step in &self.steps[written] {
            let shots = self.score.shots(*step);
            let pictures = shots
                .iter()
                .map(|shot| self.pane(&mut stage, shot, pane, &stop))
                .collect::<Result<Vec<_>, _>>()?;
            let frame = match &sheet {
                // Taken whole, so that without an edit the very bytes go out.
                None => pictures.into_iter().next(),
                Some(sheet) => Some(sheet.filled(&pictures, &self.labels(shots.len()))?),
            };
            if stop() {
                return Err(EngineError::Cancelled);
            }
            if let Some(frame) = frame {
                writer.push(&frame)?;
            }
            progress.step();
        }
        writer.finish()?;
        Ok(remark)
    }

    /// The panes' places on a sheet; nothing for one pane alone.
    fn sheet(&self) -> Result<Option<Grid>, EngineError> {
        let pane = scaled(self.sitter.picture.size(), self.scale);
        let panes = self.score.voices.len();
        let columns = match panes {
            1..=3 => panes,
            4 => 2,
            _ => 3,
        };
        let labelled = self.labels.is_some();
        (panes > 1 || labelled)
            .then(|| Grid::new(pane, panes, Some(columns), labelled))
            .transpose()
    }

    fn labels(&self, panes: usize) -> Vec<Label> {
        let labels = self.labels.iter().flatten();
        let mut labels: Vec<Label> = labels
            .map(|(name, note)| Label {
                name: name.clone(),
                note: note.clone(),
            })
            .collect();
        labels.resize(panes, Label::default());
        labels
    }

    /// One pane at the size in which it is written.
    fn pane(
        &self,
        stage: &mut Stage,
        shot: &Shot,
        size: (u32, u32),
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Picture, EngineError> {
        let portrait = &self.sitter.picture;
        let view = View::whole(portrait.size());
        let drawn = stage.shoot(&self.sitter, &view, portrait, shot, stop)?;
        if drawn.picture.size() == size {
            return Ok(drawn.picture);
        }
        let (width, height) = drawn.picture.size();
        let whole = (0.0, 0.0, f64::from(width), f64::from(height));
        resampled(&drawn.picture, whole, size, FilterType::CatmullRom)
            .ok_or(InternalError::EmptyFrame.into())
    }
}

impl Score {
    /// The same at another frame rate, and its steps in the order in which they are shown once. The movement keeps its
    /// seconds: a track is asked for other moments, of a clip's frames some are repeated or left out.
    pub fn at_rate(&self, fps: f64) -> (Score, Vec<u32>) {
        if fps == self.drive.fps() {
            return (self.clone(), self.drive.order());
        }
        if let Driver::Track(document) = &self.drive {
            let mut document = (**document).clone();
            document.track.set_fps(fps);
            let drive = Driver::Track(Arc::new(document));
            let order = drive.order();
            let mut score = self.clone();
            for voice in score.voices.iter_mut().filter(|voice| voice.leads) {
                voice.drive = drive.clone();
            }
            score.drive = drive;
            return (score, order);
        }
        let order = self.drive.order();
        let ratio = self.drive.fps() / fps;
        let count = ((order.len() as f64 / ratio).round() as usize).max(1);
        let last = order.len().saturating_sub(1);
        let step = |i: usize| order[((i as f64 * ratio + 1e-6) as usize).min(last)];
        (self.clone(), (0..count).map(step).collect())
    }
}
