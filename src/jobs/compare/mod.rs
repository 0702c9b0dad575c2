//! Methods side by side: one portrait, one motion, and what each method makes of it, with numbers if they are wanted.

pub mod sheet;
pub mod spec;
pub mod table;

use std::path::PathBuf;
use std::sync::Arc;

use crate::document::{
    Crop, Document, FileFormat, MethodChoice, Mode, MotionKind, PaneView, Playback,
};
use crate::drive::clip_analysis::{ClipAnalysis, Reading};
use crate::drive::driver::{DriveSample, Driver};
use crate::error::{CompareError, EngineError, FaceError};
use crate::face::found::FoundFace;
use crate::face::view::View;
use crate::face::{Shape, Tracker};
use crate::jobs::charts::ChartFile;
use crate::jobs::export::check_reference;
use crate::jobs::meter::shape_in;
use crate::jobs::output::{Output, Writer};
use crate::jobs::remark::Remark;
use crate::media::atomic_file::AtomicFile;
use crate::media::image::Picture;
use crate::media::provenance::{Provenance, SourceType};
use crate::methods::drive::Moment;
use crate::methods::models::Models;
use crate::methods::subject::Subject;
use crate::methods::{Method, Quality};
use crate::metrics::SIDE;
use crate::progress::Progress;
use crate::progress::Stop;
use crate::render::composition::{Composition, FrameKey, FrameRequest, PaneSource};
use crate::render::grid::{Grid, Label};
use crate::render::renderer::{RenderedFrame, Renderer};
use sheet::{Sheet, cut, cut_crop, spread};
use spec::{Against, MethodSpec};
use table::{Figures, Measured, Table};

/// What is to be compared, and where it goes.
#[derive(Debug)]
pub struct Comparison {
    pub subject: Subject,
    /// The portrait's name.
    pub name: String,
    /// At least one.
    pub methods: Vec<MethodSpec>,
    /// The motion; that of a track is the document's.
    pub motion: MotionKind,
    pub document: Document,
    /// Frames a second; the motion's own where this is `None`.
    pub fps: Option<f64>,
    pub sheet: Sheet,
    /// What L1, PSNR and SSIM are measured against.
    pub against: Against,
    /// Where the numbers go, and a chart of them; without either, none are taken.
    pub metrics: Option<PathBuf>,
    pub plot: Option<PathBuf>,
    /// The sheet: a film, or as [`FileFormat::Png`] some frames one above the other.
    pub output: Output,
}

/// What is told when the files are written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compared {
    /// How many frames were compared.
    pub frames: usize,
    /// The reference frame, from 0 in the part that is used, and how unlike the portrait's face its face is.
    pub reference: Option<(usize, Option<f32>)>,
    /// What the artist should know, a sentence each.
    pub remarks: Vec<Remark>,
    /// What every method came to, in their order; empty where no numbers were wanted.
    pub figures: Vec<Figures>,
}

impl Comparison {
    /// The mode by which a method is driven; none where it follows a track's expressions.
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

    /// The note that goes into the sheet, if any: every network that drew some of what is seen, the driving pane's too.
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
            MotionKind::Track(_) => Some(models.ganimation().name().to_owned()),
            MotionKind::Sample(_) => Some(models.sampler()?.name().to_owned()),
        };
        let networks = methods.iter().map(|method| method.weights().to_owned());
        let authors = each_once(networks.chain(drives).collect());
        let edited = SourceType::CompositeWithTrainedAlgorithmicMedia;
        Ok(Some(Provenance::new(authors, edited)))
    }

    /// The motion once through.
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

/// Renders a motion by every method and writes the sheet, and the numbers if they are wanted. Each portrait is prepared
/// once for a network, and each driving frame's key points are found once for the modes that share them.
///
/// # Errors
/// [`EngineError::Cancelled`] when `progress` was asked to stop; [`EngineError`] when there is nothing to compare,
/// or no face where one is needed; [`EngineError::Media`] when the clip can't be read or a file can't be written. Whatever
/// stood under the names before still does.
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
    // The files come first: a folder that can't be written to is told at once, not after an hour.
    let metrics = comparison.metrics.as_deref();
    let csv = metrics.map(AtomicFile::create).transpose()?;
    let plot = comparison.plot.as_deref();
    let plot = plot.map(ChartFile::create).transpose()?;
    let is_measured = csv.is_some() || plot.is_some();
    Writer::probe(output)?;

    let mut told = Compared::default();
    let drivers = Drivers::read(comparison, models, progress, &mut told)?;
    let fps = output.rate(comparison.fps.unwrap_or_else(|| drivers.fps()));
    let mut race = Comparing::new(comparison, models, methods, &drivers, fps)?;
    let all = race.steps.len();
    let shown_rows = spread(all, comparison.sheet.rows);
    let is_still = output.format == FileFormat::Png;
    let frames = if is_still && !is_measured {
        shown_rows.clone()
    } else {
        (0..all).collect()
    };
    progress.set_total(progress.done() + frames.len() * comparison.methods.len());

    let note = comparison.note(&race.methods, models)?;
    let mut paper = if is_still {
        let grid = Grid::of_frames(pane, panes, shown_rows.len(), labels)?;
        let blank = grid.blank()?;
        Paper::Still(grid, blank)
    } else {
        let grid = Grid::new(pane, panes, comparison.sheet.columns, labels)?;
        let writer = Writer::new(output, grid.size(), fps, note.clone())?;
        Paper::Film(grid, writer)
    };
    let weights = race
        .methods
        .iter()
        .map(|method| method.weights().to_owned());
    let mut table = if is_measured {
        let source = race.small_source()?;
        Some(Table::new(comparison, weights.collect(), source)?)
    } else {
        None
    };
    told.remarks.extend(race.remarks(&drivers)?);

    let stop = || progress.cancel.is_cancelled();
    let mut row = 0;
    let keys: Vec<Vec<FrameKey>> = frames.iter().map(|frame| race.keys(*frame)).collect();
    let mut at = 0;
    while at < frames.len() {
        let until = (at..frames.len()).find(|i| keys[*i] != keys[at]);
        let same = &frames[at..until.unwrap_or(frames.len())];
        at += same.len();
        let seen = race.render(same[0], table.is_some(), progress, &stop)?;
        let time = race.time(same[0]);
        if let Some(table) = &mut table {
            table.measure(&Measured {
                frame: same[0],
                time,
                driving: &seen.driving,
                driving_face: seen.driving_face,
                results: &seen.small,
                ms: &seen.ms,
            })?;
            for frame in &same[1..] {
                table.repeat(*frame, time);
            }
        }
        let labels = race.labels(&drivers.name, time);
        match &mut paper {
            Paper::Film(grid, writer) => {
                let sheet = grid.filled(&seen.panes, &labels)?;
                for _ in same {
                    writer.push(&sheet)?;
                }
            }
            Paper::Still(grid, sheet) => {
                for _ in same.iter().filter(|frame| shown_rows.contains(frame)) {
                    for (i, (pane, label)) in seen.panes.iter().zip(&labels).enumerate() {
                        grid.put(sheet, row * panes + i, pane, label);
                    }
                    row += 1;
                }
            }
        }
        // Frames that are shown again cost nothing.
        for _ in 0..(same.len() - 1) * comparison.methods.len() {
            progress.step();
        }
    }
    if stop() {
        return Err(EngineError::Cancelled);
    }
    match paper {
        Paper::Film(_, writer) => writer.finish()?,
        Paper::Still(_, sheet) => {
            let mut writer = Writer::new(output, sheet.size(), fps, note)?;
            writer.push(&sheet)?;
            writer.finish()?;
        }
    }
    if let Some(table) = table {
        told.figures = table.figures();
        if let Some(mut file) = csv {
            file.put(table.csv().as_bytes())?;
            file.commit()?;
        }
        if let Some(file) = plot {
            file.write(&table.charts(&drivers.name))?;
        }
    }
    told.frames = frames.len();
    told.remarks = each_once(told.remarks);
    Ok(told)
}

/// Opens every method and refuses modes that its weights can't do.
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

/// What the sheet is laid out on.
enum Paper {
    Film(Grid, Writer),
    Still(Grid, Picture),
}

/// The motion, bound to the portrait.
struct Drivers {
    /// What the driving pane is called.
    name: String,
    /// Movement counted from the reference frame, and as it is.
    relative: Driver,
    standard: Driver,
}

impl Drivers {
    fn read(
        comparison: &Comparison,
        models: &Models,
        progress: &Progress,
        told: &mut Compared,
    ) -> Result<Self, EngineError> {
        let kind = comparison.once();
        let Some(analysis) = ClipAnalysis::for_job(&kind, Reading::Faces, models, progress)? else {
            let track = Driver::Track(Arc::new(comparison.document.clone()));
            return Ok(Self {
                name: models.ganimation().name().to_owned(),
                relative: track.clone(),
                standard: track,
            });
        };
        let is_sample = matches!(kind, MotionKind::Sample(_));
        let name = if is_sample {
            models.sampler()?.name().to_owned()
        } else {
            analysis.name.clone()
        };
        told.remarks
            .extend(analysis.broken.clone().map(Remark::Media));
        let methods = &comparison.methods;
        let needs_a_face = methods.iter().any(MethodSpec::needs_a_face);
        match &analysis.track {
            None if needs_a_face && is_sample => {
                return Err(FaceError::NoneInDrawn { name }.into());
            }
            None if needs_a_face => {
                let frames = analysis.frames();
                return Err(FaceError::NoneInClip { name, frames }.into());
            }
            // Methods that are driven by pictures move other things too.
            None if is_sample => {
                let name = name.clone();
                told.remarks.push(Remark::NoFaceInDrawn { name });
            }
            None => {
                let (name, frames) = (name.clone(), analysis.frames());
                let error = FaceError::NoneInClip { name, frames };
                told.remarks.push(Remark::Face(error));
            }
            Some(track) if track.faceless() > 0 => told.remarks.push(Remark::Faceless {
                faceless: track.faceless(),
                frames: analysis.frames(),
                name: name.clone(),
            }),
            Some(_) => {}
        }
        let analysis = Arc::new(analysis);
        let subject = &comparison.subject;
        let shape = subject.face.as_deref().map(FoundFace::shape);
        let bound = |relative: bool| {
            let mut kind = kind.clone();
            match &mut kind {
                MotionKind::Track(_) => {}
                MotionKind::Clip(clip) => clip.follow.relative = relative,
                MotionKind::Sample(sampled) => sampled.follow.relative = relative,
            }
            Driver::bound(&kind, &analysis, shape.as_ref(), &subject.expression)
        };
        let relative = bound(true)?;
        if let Driver::Clip(clip) = &relative {
            check_reference(clip)?;
        }
        Ok(Self {
            name,
            relative,
            standard: bound(false)?,
        })
    }

    fn fps(&self) -> f64 {
        self.relative.fps()
    }

    fn of(&self, spec: &MethodSpec) -> &Driver {
        match spec.mode {
            Mode::Relative => &self.relative,
            Mode::Standard | Mode::Avd => &self.standard,
        }
    }
}

/// The methods at work on one portrait.
struct Comparing<'a> {
    comparison: &'a Comparison,
    methods: Vec<Arc<dyn Method>>,
    models: Arc<Models>,
    renderer: Renderer,
    composition: Composition,
    /// The steps of the timeline, in the order of the sheet's frames.
    steps: Vec<u32>,
    fps: f64,
    /// Milliseconds that each took so far, and for how many frames.
    spent: Vec<(f64, usize)>,
    /// The portrait's square that is shown, the method whose square it is, and the portrait as it is shown.
    crop: Crop,
    largest: usize,
    source: Picture,
    /// Follows the face of a driving picture that no clip was read for.
    tracker: Tracker,
}

/// What is seen of a frame.
struct Seen {
    /// The source, the driving frame and every result, as they are shown.
    panes: Vec<Picture>,
    /// The driving square at [`SIDE`], and the face in it.
    driving: Picture,
    driving_face: Option<Shape>,
    /// The results at [`SIDE`], where they are to be measured.
    small: Vec<Picture>,
    /// Milliseconds that each result took.
    ms: Vec<f64>,
}

impl<'a> Comparing<'a> {
    fn new(
        comparison: &'a Comparison,
        models: &Arc<Models>,
        methods: Vec<Arc<dyn Method>>,
        drivers: &Drivers,
        fps: f64,
    ) -> Result<Self, EngineError> {
        let panes = comparison.methods.iter().map(|spec| PaneSource {
            method: spec.choice(),
            weights: spec.weights.clone(),
            view: PaneView::Result,
            driver: drivers.of(spec).clone(),
            on_timeline: true,
        });
        let composition = Composition {
            driver: drivers.relative.clone(),
            panes: panes.collect(),
        };
        let (composition, steps) = composition.at_rate(fps);
        let subject = &comparison.subject;
        let mut largest = (Crop::default(), 0);
        for (i, method) in methods.iter().enumerate() {
            let crop = subject.crop_for(method.crop());
            if i == 0 || crop.side > largest.0.side {
                largest = (crop, i);
            }
        }
        let (crop, largest) = largest;
        Ok(Self {
            source: cut_crop(&subject.picture, crop, comparison.sheet.size)?,
            renderer: Renderer::new(Arc::clone(models)),
            spent: vec![(0.0, 0); methods.len()],
            tracker: Tracker::default(),
            models: Arc::clone(models),
            comparison,
            methods,
            composition,
            steps,
            fps,
            crop,
            largest,
        })
    }

    fn small_source(&self) -> Result<Picture, EngineError> {
        cut_crop(&self.comparison.subject.picture, self.crop, SIDE)
    }

    /// Equal for frames of the sheet that show the same.
    fn keys(&self, frame: usize) -> Vec<FrameKey> {
        let subject = &self.comparison.subject;
        let view = View::whole(subject.picture.size());
        let requests = self.composition.requests(self.steps[frame]);
        let registry = self.models.registry();
        requests
            .iter()
            .map(|request| request.key(registry, subject, &view))
            .collect()
    }

    /// Seconds of the motion that a frame of the sheet shows.
    fn time(&self, frame: usize) -> f64 {
        match &self.composition.driver {
            Driver::Clip(clip) => clip.time_at(self.steps[frame] as usize),
            Driver::Nothing | Driver::Track(_) => frame as f64 / self.fps,
        }
    }

    /// What an artist should know of how the methods see the motion.
    fn remarks(&self, drivers: &Drivers) -> Result<Vec<Remark>, EngineError> {
        let mut remarks = Vec::new();
        for spec in &self.comparison.methods {
            let Driver::Clip(clip) = drivers.of(spec) else {
                continue;
            };
            if let Some(mode) = spec.own_mode()
                && !clip.has_square(mode == Mode::Relative)?
            {
                let name = clip.analysis.name.clone();
                remarks.push(Remark::NoFaceInReference { name });
            }
            if spec.mode == Mode::Relative
                && clip.follow.reference.is_none()
                && clip.unlike.is_none()
            {
                remarks.push(Remark::NoReference);
            }
        }
        Ok(remarks)
    }

    /// Lets every method draw a frame of the sheet.
    fn render(
        &mut self,
        frame: usize,
        is_measured: bool,
        progress: &Progress,
        stop: Stop,
    ) -> Result<Seen, EngineError> {
        let size = self.comparison.sheet.size;
        let requests = self.composition.requests(self.steps[frame]);
        let (shown, driving) = self.driving(&requests, size, stop)?;
        let driving_face = match (&requests[0].sample, is_measured) {
            (_, false) => None,
            (DriveSample::Step(clip, step), true) => {
                let track = clip.analysis.track.as_ref();
                let frame = clip.frame_at(*step as usize);
                track.and_then(|track| track.shapes.get(frame).copied().flatten())
            }
            (_, true) => shape_in(&mut self.tracker, &driving)?,
        };
        let mut seen = Seen {
            panes: vec![self.source.clone(), shown],
            driving,
            driving_face,
            small: Vec::new(),
            ms: Vec::new(),
        };
        for (i, request) in requests.iter().enumerate() {
            if stop() {
                return Err(EngineError::Cancelled);
            }
            let rendered = self.whole(request, stop)?;
            let ms = f64::from(rendered.millis);
            let (total, frames) = self.spent[i];
            self.spent[i] = (total + ms, frames + 1);
            seen.ms.push(ms);
            seen.panes
                .push(cut_crop(&rendered.picture, self.crop, size)?);
            if is_measured {
                seen.small
                    .push(cut_crop(&rendered.picture, self.crop, SIDE)?);
            }
            progress.step();
        }
        Ok(seen)
    }

    /// The portrait at its own size, by one request.
    fn whole(&mut self, request: &FrameRequest, stop: Stop) -> Result<RenderedFrame, EngineError> {
        let subject = &self.comparison.subject;
        let view = View::whole(subject.picture.size());
        self.renderer.render(
            subject,
            &view,
            &subject.picture,
            request,
            Quality::Full,
            stop,
        )
    }

    /// What drives a frame, as it is shown and at [`SIDE`]: as the method sees it whose square of the portrait is shown.
    fn driving(
        &mut self,
        requests: &[FrameRequest],
        size: u32,
        stop: Stop,
    ) -> Result<(Picture, Picture), EngineError> {
        let request = &requests[self.largest];
        let (picture, place) = if let DriveSample::Step(clip, step) = &request.sample {
            let relative = self.comparison.methods[self.largest].mode == Mode::Relative;
            let rule = self.methods[self.largest].crop();
            clip.picture(Moment::Now, *step as usize, rule, relative)?
        } else {
            let motion = FrameRequest {
                method: MethodChoice::Motion,
                ..request.clone()
            };
            let drawn = self.whole(&motion, stop)?;
            (
                Arc::new(drawn.picture),
                crate::methods::subject::square(self.crop),
            )
        };
        Ok((cut(&picture, place, size)?, cut(&picture, place, SIDE)?))
    }

    /// What stands above the panes of a frame; times are means so far.
    fn labels(&self, motion: &str, time: f64) -> Vec<Label> {
        let source = Label {
            name: "Source".to_owned(),
            note: short(&self.comparison.name),
        };
        let driving = Label {
            name: self.comparison.title().to_owned(),
            note: format!("{} · {time:.2} s", short(motion)),
        };
        let methods = self.comparison.methods.iter().zip(&self.methods);
        let results = methods
            .zip(&self.spent)
            .map(|((spec, method), (ms, frames))| {
                let mode = self.comparison.mode_key(spec);
                Label {
                    name: format!("{} {mode}", method.info().title)
                        .trim_end()
                        .to_owned(),
                    note: format!(
                        "{} · {:.0} ms",
                        short(method.weights()),
                        ms / (*frames).max(1) as f64
                    ),
                }
            });
        [source, driving].into_iter().chain(results).collect()
    }
}

/// A name that leaves room for what stands behind it.
fn short(name: &str) -> String {
    const LONGEST: usize = 24;
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    let start: String = name.chars().take(LONGEST - 1).collect();
    start + "…"
}

/// What several say, said once.
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
    fn names_are_shortened_and_remarks_made_once() {
        assert_eq!(short("clip.mp4"), "clip.mp4");
        let long = short("a-very-long-name-of-a-clip-that-nobody-reads.mp4");
        assert!(long.chars().count() == 24 && long.ends_with('…'), "{long}");
        let remarks = ["a", "b", "a"].map(str::to_owned).to_vec();
        assert_eq!(each_once(remarks), ["a", "b"]);
    }
}
