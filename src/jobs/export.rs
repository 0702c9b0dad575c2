//! The export: a project's panes written to a file, at the portrait's size.
//!
//! The window's queue, `mien edit`, `mien transfer` and `mien export` all run this job. Clips are read from the original
//! file, not from the window's proxies.

use std::ops::Range;
use std::sync::Arc;

use crate::document::{
    FileFormat, MediaSource, MethodChoice, Mode, MotionKind, PaneSpec, PaneView, Playback, Project,
};
use crate::drive::clip_driver::ClipDriver;
use crate::drive::driver::Driver;
use crate::error::{ClipError, EngineError, FaceError, FrameRangeError, OutputError};
use crate::face::view::View;
use crate::jobs::output::{Output, Sound, Writer, painter, scaled, with_media};
use crate::jobs::remark::Remark;
use crate::media::image::Picture;
use crate::media::image::resample::resized;
use crate::media::provenance::Provenance;
use crate::methods::models::{MethodKey, Models};
use crate::methods::subject::Subject;
use crate::methods::{DrivenBy, Quality};
use crate::progress::Progress;
use crate::progress::Stop;
use crate::render::composition::{Composition, FrameRequest};
use crate::render::grid::{Grid, Label};
use crate::render::renderer::Renderer;

/// An export of one file (or sequence).
#[derive(Debug, Clone)]
pub struct ExportJob {
    /// The motions and settings.
    pub project: Project,
    /// The portrait and its face.
    pub subject: Subject,
    /// The panes, row by row from the upper left; at least one.
    pub panes: Vec<PaneSpec>,
    /// Which frames are rendered.
    pub steps: Steps,
    /// The total number of frames the caller expects, if given; another count is an error.
    pub count: Option<usize>,
    /// How several panes are arranged.
    pub layout: Layout,
    /// The size of a pane relative to the portrait, in 0.01..=1.
    pub scale: f64,
    /// Frames per second; `None` is the motion's rate, limited to what the format can play.
    pub fps: Option<f64>,
    /// Its scale is ignored.
    pub output: Output,
    /// Whether an MP4 gets the clip's sound.
    pub sound: bool,
    /// Whether a reference frame outside the used part of a clip is an error.
    pub strict: bool,
}

/// Which steps of the timeline are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steps {
    /// The whole motion, once.
    All,
    /// One step of the timeline, from 0.
    One(u32),
}

/// How several panes are arranged in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// Side by side, without gaps.
    Strip,
    /// In rows and columns with gaps; with labels, a name and a note above each pane.
    Grid(Option<Vec<(String, String)>>),
}

/// The result of an export.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exported {
    /// The number of frames written.
    pub frames: usize,
    /// The reference frame of relative movement, counted from 0 in the used part, and the dissimilarity of its face to the
    /// portrait's, if measured.
    pub reference: Option<(usize, Option<f32>)>,
    /// Remarks for the artist, one sentence each.
    pub remarks: Vec<Remark>,
}

impl ExportJob {
    /// Renders every frame and writes the file. The file gets its final name only when it is complete.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when `progress` was cancelled; [`EngineError`] for a job without panes, a range of frames
    /// that it doesn't have, or a clip without a face where one is needed; [`EngineError::Media`] when a clip can't be read or
    /// the file can't be written; errors of the methods. An existing file of that name is then unchanged.
    pub fn write(
        &self,
        models: &Arc<Models>,
        progress: &Progress,
    ) -> Result<Exported, EngineError> {
        if self.panes.is_empty() {
            return Err(OutputError::Nothing.into());
        }
        self.check(models)?;
        let output = Output {
            scale: 1.0,
            inputs: with_media(&self.output.inputs, &self.project),
            ..self.output.clone()
        };
        // Checks the output first, so that an unwritable folder is reported at once and not after an hour.
        Writer::probe(&output)?;
        let face = self.subject.face.as_deref();
        let composition = Composition::read(&self.project, &self.panes, face, models, progress)?;
        let mut outcome = remarks(
            &composition,
            &self.subject,
            &self.project.document().portrait.name,
            self.strict,
            models,
        )?;
        let fps = self
            .fps
            .unwrap_or_else(|| self.output.rate(composition.driver.fps()));
        let (composition, steps) = match self.steps {
            Steps::All => composition.at_rate(fps),
            Steps::One(step) => (composition, vec![step]),
        };
        let has = steps.len();
        if let Some(count) = self.count.filter(|count| *count != has) {
            return Err(FrameRangeError::OtherCount { count, has }.into());
        }
        let written = self.written(has)?;
        progress.set_total(progress.done() + written.len());

        let frame = Frame::new(self, composition.panes.len())?;
        let output = Output {
            marked: self.output.marked && !self.is_untouched(&composition, &steps),
            ..output
        };
        let note = note(&output, &composition, models, self.subject.face.is_some())?;
        let mut writer = Writer::new(&output, frame.size(), fps, note)?;
        if output.part.is_some() {
            writer.set_numbers(written.start, steps.len());
        }
        let sound = self.sound(&composition, &written, fps);
        outcome
            .remarks
            .extend(writer.set_sound(sound).map(Remark::Media));

        let mut renderer = Renderer::new(Arc::clone(models));
        let stop = || progress.cancel.is_cancelled();
        for step in &steps[written] {
            let picture = frame.render(&mut renderer, &composition.requests(*step), &stop)?;
            if stop() {
                return Err(EngineError::Cancelled);
            }
            writer.push(&picture)?;
            outcome.frames += 1;
            progress.step();
        }
        if stop() {
            return Err(EngineError::Cancelled);
        }
        writer.finish()?;
        Ok(outcome)
    }

    /// Refuses modes that the methods' weights don't support, before a clip is read.
    fn check(&self, models: &Models) -> Result<(), EngineError> {
        for pane in &self.panes {
            if let MethodChoice::Method(id, mode) = pane.method {
                models.method(&MethodKey::chosen(id))?.check_mode(mode)?;
            }
        }
        Ok(())
    }

    fn written(&self, total: usize) -> Result<Range<usize>, EngineError> {
        let part = self.output.part;
        Ok(part.map_or(Ok(0..total), |part| part.within(total))?)
    }

    /// Whether the portrait isn't edited at all, so that it is written as it is.
    fn is_untouched(&self, composition: &Composition, steps: &[u32]) -> bool {
        composition.panes.iter().all(|pane| match &pane.driver {
            _ if pane.method == MethodChoice::Source => true,
            Driver::Nothing => pane.view == PaneView::Result,
            Driver::Track(document) => {
                let mut steps = steps.iter();
                pane.view == PaneView::Result
                    && pane.on_timeline
                    && steps.all(|step| document.target(*step) == self.subject.expression)
            }
            Driver::Clip(_) => false,
        })
    }

    /// The sound for the written frames; `None` for a motion that also plays backwards.
    fn sound(&self, composition: &Composition, written: &Range<usize>, fps: f64) -> Option<Sound> {
        if !self.sound || self.output.format != FileFormat::Mp4 {
            return None;
        }
        let Driver::Clip(driver) = &composition.driver else {
            return None;
        };
        let motion = self.project.motion(self.project.chosen())?;
        let MotionKind::Clip(clip) = &motion.kind else {
            return None;
        };
        let MediaSource::File(path) = &clip.source else {
            return None;
        };
        if driver.playback() == Playback::PingPong {
            return None;
        }
        let at = |frame: usize| driver.time_at(0) + frame as f64 / fps;
        Some(Sound {
            clip: path.clone(),
            from: at(written.start),
            to: match self.output.part {
                Some(_) => Some(clip.to.unwrap_or(f64::INFINITY).min(at(written.end))),
                None => clip.to,
            },
        })
    }
}

/// Collects remarks for the artist on how the motions drive the panes.
///
/// # Errors
/// [`EngineError`] if nothing would move, because a method needs a face and the clip shows none; errors from reading the
/// clips.
fn remarks(
    composition: &Composition,
    subject: &Subject,
    portrait: &str,
    strict: bool,
    models: &Models,
) -> Result<Exported, EngineError> {
    let mut outcome = Exported::default();
    for pane in &composition.panes {
        let (Driver::Clip(clip), MethodChoice::Method(id, mode)) = (&pane.driver, pane.method)
        else {
            continue;
        };
        let by_picture = models.info(id)?.driven_by == DrivenBy::Picture;
        if strict {
            check_reference(clip)?;
        }
        let relative = match by_picture {
            true => mode.unwrap_or_default() == Mode::Relative,
            false => clip.follow.relative,
        };
        outcome.add(clip.analysis.read_error.clone().map(Remark::Media));
        // Without a face in the clip, the rig's expression is left out; the rest still moves.
        let reads_faces = !by_picture || pane.expression_by_rig && clip.analysis.track.is_some();
        outcome.add(faces_remark(clip, reads_faces)?);
        if by_picture {
            outcome.add(reference_remark(clip, subject, portrait, relative));
            let name = || clip.analysis.name.clone();
            let unseen = !clip.has_square(relative)?;
            outcome.add(unseen.then(|| Remark::NoFaceInReference { name: name() }));
        }
        if relative {
            // A reference frame before the used part has no index in it.
            let frame = clip.reference.checked_sub(clip.first);
            outcome.reference = frame.map(|frame| (frame, clip.dissimilarity));
        }
    }
    Ok(outcome)
}

/// Refuses a reference frame outside the used part of the clip.
///
/// # Errors
/// [`ClipError::NoReferenceFrame`].
pub fn check_reference(clip: &ClipDriver) -> Result<(), EngineError> {
    let used = clip.first..=clip.last;
    let Some(reference) = clip.follow.reference else {
        return Ok(());
    };
    if clip
        .chosen_reference()
        .is_some_and(|frame| used.contains(&frame))
    {
        return Ok(());
    }
    let before = clip.analysis.offset + clip.first;
    Err(ClipError::NoReferenceFrame {
        name: clip.analysis.name.clone(),
        frame: (reference as usize + 1).saturating_sub(before),
    }
    .into())
}

impl Exported {
    fn add(&mut self, remark: Option<Remark>) {
        let remark = remark.filter(|remark| !self.remarks.contains(remark));
        self.remarks.extend(remark);
    }
}

/// The remark on frames without a face, for methods that read an expression from them.
fn faces_remark(clip: &ClipDriver, reads_faces: bool) -> Result<Option<Remark>, EngineError> {
    if !reads_faces {
        return Ok(None);
    }
    let analysis = &clip.analysis;
    let Some(track) = &analysis.track else {
        let (name, frames) = (analysis.name.clone(), analysis.frames());
        return Err(FaceError::NoneInClip { name, frames }.into());
    };
    let faceless = track.faceless();
    Ok((faceless > 0).then(|| Remark::RepeatsExpression {
        faceless,
        frames: analysis.frames(),
        name: analysis.name.clone(),
    }))
}

/// The remark for a clip whose first frame had to be taken as the reference frame.
fn reference_remark(
    clip: &ClipDriver,
    subject: &Subject,
    portrait: &str,
    relative: bool,
) -> Option<Remark> {
    if !relative || clip.follow.reference.is_some() || clip.dissimilarity.is_some() {
        return None;
    }
    let name = |name: &str| name.to_owned();
    Some(if subject.face.is_none() {
        let name = name(portrait);
        Remark::NoFaceInPortrait { name }
    } else {
        let name = name(&clip.analysis.name);
        Remark::NoFaceInClip { name }
    })
}

/// The provenance note for the file, with every model that drew a pane, in the order of the panes.
fn note(
    output: &Output,
    composition: &Composition,
    models: &Models,
    has_face: bool,
) -> Result<Option<Provenance>, EngineError> {
    let mut painters = Vec::new();
    for pane in &composition.panes {
        let is_track = matches!(pane.driver, Driver::Track(_));
        let expressions = MethodChoice::of_expressions(has_face);
        let method = match pane.method {
            MethodChoice::Source => continue,
            // A clip's frames are not edited.
            MethodChoice::Motion if !is_track => continue,
            MethodChoice::Motion => expressions,
            method => method,
        };
        let under = (pane.expression_by_rig && has_face).then_some(expressions);
        let keys = [
            under.and_then(|under| MethodKey::of(under, None)),
            MethodKey::of(method, pane.weights.as_deref()),
        ];
        for key in keys.iter().flatten() {
            painters.push(painter(models.method(key)?.as_ref()));
        }
    }
    let marked = output.marked && !painters.is_empty();
    Ok(marked.then(|| Provenance::of_edit(painters)))
}

/// Composes a frame from its panes.
struct Frame<'a> {
    job: &'a ExportJob,
    /// Width and height of a pane in pixels.
    pane: (u32, u32),
    panes: usize,
    grid: Option<(Grid, Vec<Label>)>,
}

impl<'a> Frame<'a> {
    fn new(job: &'a ExportJob, panes: usize) -> Result<Self, EngineError> {
        let pane = scaled(job.subject.picture.size(), job.scale);
        let grid = match &job.layout {
            Layout::Strip => None,
            Layout::Grid(None) if panes == 1 => None,
            Layout::Grid(labels) => {
                let columns = match panes {
                    1..=3 => panes,
                    4 => 2,
                    _ => 3,
                };
                let grid = Grid::new(pane, panes, Some(columns), labels.is_some())?;
                let named = labels.iter().flatten().map(|(name, note)| Label {
                    name: name.clone(),
                    note: note.clone(),
                });
                let mut labels: Vec<Label> = named.collect();
                labels.resize(panes, Label::default());
                Some((grid, labels))
            }
        };
        Ok(Self {
            job,
            pane,
            panes,
            grid,
        })
    }

    fn size(&self) -> (u32, u32) {
        match &self.grid {
            Some((grid, _)) => grid.size(),
            None => (self.pane.0.saturating_mul(self.panes as u32), self.pane.1),
        }
    }

    fn render(
        &self,
        renderer: &mut Renderer,
        requests: &[FrameRequest],
        stop: Stop,
    ) -> Result<Picture, EngineError> {
        let subject = &self.job.subject;
        let portrait = &subject.picture;
        let view = View::whole(portrait.size());
        let mut pictures = Vec::with_capacity(requests.len());
        for request in requests {
            let rendered =
                renderer.render(subject, &view, portrait, request, Quality::Full, stop)?;
            pictures.push(resized(rendered.picture, self.pane)?);
        }
        if let Some((grid, labels)) = &self.grid {
            return grid.filled(&pictures, labels);
        }
        if pictures.len() == 1 {
            // Returned as it is, so that an unedited portrait keeps its exact bytes.
            return Ok(pictures.remove(0));
        }
        let (width, height) = self.size();
        let mut rgba = Vec::with_capacity(width as usize * height as usize * 4);
        for row in 0..height as usize {
            for picture in &pictures {
                let pitch = picture.width() as usize * 4;
                rgba.extend_from_slice(&picture.rgba()[row * pitch..][..pitch]);
            }
        }
        Ok(Picture::new(width, height, rgba)?.with_alpha(portrait.has_alpha()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{AuVector, ClipMotion, Crop, Glasses, Limit, Mode};
    use crate::drive::au_track::{AuFrame, AuTrack};
    use crate::drive::clip_analysis::ClipAnalysis;
    use crate::methods::ganimation::model::Model;
    use crate::render::composition::PaneSource;

    /// Five frames, at ten per second, of a face that never moves.
    fn analysis() -> Arc<ClipAnalysis> {
        let frames = (0..5).map(|i| AuFrame {
            time: f64::from(i) / 10.0,
            aus: Some(AuVector::NEUTRAL),
            relative_to_rest: Some(AuVector::NEUTRAL),
            ..AuFrame::default()
        });
        Arc::new(ClipAnalysis::grey(AuTrack {
            name: "clip".to_owned(),
            fps: 10.0,
            frames: frames.collect(),
            shapes: vec![None; 5],
            rest: 0,
            read_error: None,
        }))
    }

    #[test]
    fn the_reference_frame_is_counted_from_the_exported_range_and_omitted_before_it() {
        let models = Models::new(Arc::new(Model::bundled().unwrap()));
        let subject = Subject {
            id: 0,
            picture: Arc::new(Picture::new(16, 16, vec![90; 1024]).unwrap()),
            face: None,
            crop: Crop::default(),
            rule: None,
            expression: AuVector::NEUTRAL,
            detail: false,
            plain: false,
            limit: Limit::NONE,
            folds: None,
            glasses: Glasses::Auto,
        };
        let reference = |frame: u32| {
            let mut motion = ClipMotion::new(MediaSource::Bundled("sample.mp4".to_owned()));
            motion.from = Some(0.2);
            motion.follow.reference = Some(frame);
            let clip = ClipDriver::clip(analysis(), &motion, None, &subject.expression).unwrap();
            let driver = Driver::Clip(Arc::new(clip));
            let pane = PaneSource {
                method: MethodChoice::in_mode("fomm", Mode::Relative),
                weights: None,
                view: PaneView::Result,
                expression_by_rig: false,
                driver: driver.clone(),
                on_timeline: true,
            };
            let panes = vec![pane];
            let composition = Composition { driver, panes };
            let outcome = remarks(&composition, &subject, "me.jpg", false, &models);
            outcome.unwrap().reference.map(|(frame, _)| frame)
        };
        assert_eq!(reference(3), Some(1));
        assert_eq!(reference(0), None);
    }
}
