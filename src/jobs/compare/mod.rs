//! Compares methods: one portrait and one motion, rendered by each method side by side, with metrics if requested.

mod comparing;
mod drivers;
pub mod sheet;
pub mod spec;
pub mod table;

use std::path::PathBuf;
use std::sync::Arc;

use crate::document::{Document, MethodChoice, MotionKind, Playback};
use crate::error::{CompareError, EngineError};
use crate::jobs::charts::ChartFile;
use crate::jobs::output::{Output, Writer, painter};
use crate::jobs::remark::Remark;
use crate::media::atomic_file::AtomicFile;
use crate::media::image::Picture;
use crate::media::provenance::Provenance;
use crate::methods::Method;
use crate::methods::models::{MethodKey, Models};
use crate::methods::subject::Subject;
use crate::progress::Progress;
use crate::render::composition::FrameKey;
use crate::render::grid::Grid;
use comparing::Comparing;
use drivers::Drivers;
use sheet::{Sheet, evenly_spaced};
use spec::{Against, MethodSpec};
use table::{Figures, Measured, Table};

/// The inputs and outputs of a comparison.
#[derive(Debug)]
pub struct Comparison {
    /// The portrait and its face.
    pub subject: Subject,
    /// The portrait's name.
    pub name: String,
    /// At least one.
    pub methods: Vec<MethodSpec>,
    /// The motion; a track's keyframes are in the document.
    pub motion: MotionKind,
    /// The portrait's settings and the expression track.
    pub document: Document,
    /// Frames per second; `None` is the motion's rate.
    pub fps: Option<f64>,
    /// How the panes are laid out and labelled.
    pub sheet: Sheet,
    /// What L1, PSNR and SSIM are measured against.
    pub against: Against,
    /// Files for the metrics and for a chart of them; if both are `None`, nothing is measured.
    pub metrics: Option<PathBuf>,
    /// The chart: an SVG or PNG.
    pub plot: Option<PathBuf>,
    /// The sheet: a video, or for a still some frames below each other.
    pub output: Output,
}

/// The result of a comparison.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compared {
    /// The number of frames compared.
    pub frames: usize,
    /// The reference frame, counted from 0 in the used part, and the dissimilarity of its face to the portrait's.
    pub reference: Option<(usize, Option<f32>)>,
    /// Remarks for the artist, one sentence each.
    pub remarks: Vec<Remark>,
    /// The summary of each method, in their order; empty if nothing was measured.
    pub figures: Vec<Figures>,
}

impl Comparison {
    /// The mode's key; empty for a method that draws a track's expressions.
    fn mode_key(&self, spec: &MethodSpec) -> &'static str {
        match (&self.motion, spec.own_mode()) {
            (MotionKind::Track(_), None) => "",
            _ => spec.mode.key(),
        }
    }

    fn title(&self) -> &'static str {
        match &self.motion {
            MotionKind::Clip(_) => "Driving clip",
            MotionKind::Track(_) => "Driving track",
            MotionKind::Sample(_) => "Driving sample",
        }
    }

    /// The provenance note for the sheet, if it is marked: every network that drew a pane, including the driving one.
    fn note(
        &self,
        methods: &[Arc<dyn Method>],
        models: &Models,
    ) -> Result<Option<Provenance>, EngineError> {
        if !self.output.marked {
            return Ok(None);
        }
        let drives = match &self.motion {
            MotionKind::Clip(_) => None,
            MotionKind::Track(_) => {
                let method = MethodChoice::of_expressions(self.subject.face.is_some());
                let key = MethodKey::of(method, None);
                let method = key.map(|key| models.method(&key)).transpose()?;
                method.map(|method| painter(method.as_ref()))
            }
            MotionKind::Sample(_) => Some((models.sampler()?.name().to_owned(), true)),
        };
        let painters = methods.iter().map(|method| painter(method.as_ref()));
        Ok(Some(Provenance::of_edit(painters.chain(drives))))
    }

    /// The motion, played once.
    fn once(&self) -> MotionKind {
        let mut kind = self.motion.clone();
        match &mut kind {
            MotionKind::Track(_) => {}
            MotionKind::Clip(clip) => clip.playback = Playback::Once,
            MotionKind::Sample(sampled) => sampled.playback = Playback::Once,
        }
        kind
    }
}

/// Renders a motion by every method and writes the sheet, and the metrics if requested. Each portrait is prepared once per
/// network, and each driving frame's key points are found once for the modes that share them.
///
/// # Errors
/// [`EngineError::Cancelled`] when `progress` was cancelled; [`EngineError`] when there is nothing to compare, or no face
/// where one is needed; [`EngineError::Media`] when the clip can't be read or a file can't be written. Existing files of
/// those names are then unchanged.
pub fn compare(
    comparison: &Comparison,
    models: &Arc<Models>,
    progress: &Progress,
) -> Result<Compared, EngineError> {
    if comparison.methods.is_empty() {
        return Err(CompareError::NoMethods.into());
    }
    let methods = open(comparison, models)?;
    let (output, labels) = (&comparison.output, comparison.sheet.labels);
    let pane = (comparison.sheet.size, comparison.sheet.size);
    let panes = comparison.methods.len() + 2;
    // Opens the files first, so that an unwritable folder is reported at once and not after an hour.
    let metrics = comparison.metrics.as_deref();
    for file in [metrics, comparison.plot.as_deref()].into_iter().flatten() {
        output.inputs.check(file)?;
    }
    let csv = metrics.map(AtomicFile::create).transpose()?;
    let plot = comparison.plot.as_deref();
    let plot = plot.map(ChartFile::create).transpose()?;
    let is_measured = csv.is_some() || plot.is_some();
    Writer::probe(output)?;

    let mut outcome = Compared::default();
    let drivers = Drivers::read(comparison, models, progress, &mut outcome)?;
    let fps = output.rate(comparison.fps.unwrap_or_else(|| drivers.fps()));
    let mut comparing = Comparing::new(comparison, models, methods, &drivers, fps)?;
    let all = comparing.steps.len();
    let shown_rows = evenly_spaced(all, comparison.sheet.rows);
    let is_still = !output.format.moves();
    let frames = if is_still && !is_measured {
        shown_rows.clone()
    } else {
        (0..all).collect()
    };
    progress.set_total(progress.done() + frames.len() * comparison.methods.len());

    let note = comparison.note(&comparing.methods, models)?;
    let mut layout = if is_still {
        let grid = Grid::of_frames(pane, panes, shown_rows.len(), labels)?;
        let blank = grid.blank()?;
        Layout::Still(grid, blank)
    } else {
        let grid = Grid::new(pane, panes, comparison.sheet.columns, labels)?;
        let writer = Writer::new(output, grid.size(), fps, note.clone())?;
        Layout::Video(grid, writer)
    };
    let weights = comparing
        .methods
        .iter()
        .map(|method| method.weights().to_owned());
    let mut table = if is_measured {
        let source = comparing.small_source()?;
        let resting = comparing.resting_heads();
        Some(Table::new(comparison, weights.collect(), &resting, source)?)
    } else {
        None
    };
    outcome.remarks.extend(comparing.remarks(&drivers)?);

    let stop = || progress.cancel.is_cancelled();
    let mut row = 0;
    let keys: Vec<Vec<FrameKey>> = frames.iter().map(|frame| comparing.keys(*frame)).collect();
    let mut at = 0;
    while at < frames.len() {
        let until = (at..frames.len()).find(|i| keys[*i] != keys[at]);
        let same = &frames[at..until.unwrap_or(frames.len())];
        at += same.len();
        let drawn = comparing.render(same[0], table.is_some(), progress, &stop)?;
        let time = comparing.time(same[0]);
        if let Some(table) = &mut table {
            table.measure(&Measured {
                frame: same[0],
                time,
                driving: &drawn.driving,
                driving_face: drawn.driving_face,
                results: &drawn.small,
                ms: &drawn.ms,
            })?;
            for frame in &same[1..] {
                table.repeat(*frame, time);
            }
        }
        let labels = comparing.labels(&drivers.name, time);
        match &mut layout {
            Layout::Video(grid, writer) => {
                let sheet = grid.filled(&drawn.panes, &labels)?;
                for _ in same {
                    writer.push(&sheet)?;
                }
            }
            Layout::Still(grid, sheet) => {
                for _ in same.iter().filter(|frame| shown_rows.contains(frame)) {
                    for (i, (pane, label)) in drawn.panes.iter().zip(&labels).enumerate() {
                        grid.put(sheet, row * panes + i, pane, label);
                    }
                    row += 1;
                }
            }
        }
        // Repeated frames take no time.
        for _ in 0..(same.len() - 1) * comparison.methods.len() {
            progress.step();
        }
    }
    if stop() {
        return Err(EngineError::Cancelled);
    }
    match layout {
        Layout::Video(_, writer) => writer.finish()?,
        Layout::Still(_, sheet) => {
            let mut writer = Writer::new(output, sheet.size(), fps, note)?;
            writer.push(&sheet)?;
            writer.finish()?;
        }
    }
    if let Some(table) = table {
        outcome.figures = table.figures();
        if let Some(mut file) = csv {
            file.put(table.csv().as_bytes())?;
            file.commit()?;
        }
        if let Some(file) = plot {
            file.write(&table.charts(&drivers.name))?;
        }
    }
    outcome.frames = frames.len();
    outcome.remarks = each_once(outcome.remarks);
    Ok(outcome)
}

/// Opens every method and refuses modes that its weights don't support.
fn open(comparison: &Comparison, models: &Models) -> Result<Vec<Arc<dyn Method>>, EngineError> {
    comparison
        .methods
        .iter()
        .map(|spec| {
            let method = models.method(&spec.key())?;
            method.check_mode(spec.own_mode())?;
            Ok(method)
        })
        .collect()
}

/// The layout of the sheet, and where it is written.
enum Layout {
    Video(Grid, Writer),
    Still(Grid, Picture),
}

/// Removes duplicates, keeping the first of each.
fn each_once<T: PartialEq>(said: Vec<T>) -> Vec<T> {
    let mut once: Vec<T> = Vec::new();
    for sentence in said {
        if !once.contains(&sentence) {
            once.push(sentence);
        }
    }
    once
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_remarks_are_listed_once() {
        let remarks = ["a", "b", "a"].map(str::to_owned).to_vec();
        assert_eq!(each_once(remarks), ["a", "b"]);
    }
}
