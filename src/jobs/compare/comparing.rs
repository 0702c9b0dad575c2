//! Renders the frames of a comparison by every method.

use std::sync::Arc;

use super::Comparison;
use super::drivers::Drivers;
use super::sheet::{cut, cut_crop};
use crate::document::{Crop, MethodChoice, Mode, PaneView};
use crate::drive::driver::{DriveSample, Driver};
use crate::error::EngineError;
use crate::face::view::View;
use crate::face::{HeadPose, Tracker};
use crate::jobs::meter::MeasuredFace;
use crate::jobs::remark::Remark;
use crate::media::image::Picture;
use crate::methods::drive::DrivePicture;
use crate::methods::models::Models;
use crate::methods::{Method, Quality, subject};
use crate::metrics::SIDE;
use crate::progress::{Progress, Stop};
use crate::render::composition::{Composition, FrameKey, FrameRequest, PaneSource};
use crate::render::grid::Label;
use crate::render::renderer::{RenderedFrame, Renderer};

/// The methods on one portrait.
pub(super) struct Comparing<'a> {
    comparison: &'a Comparison,
    pub methods: Vec<Arc<dyn Method>>,
    models: Arc<Models>,
    renderer: Renderer,
    composition: Composition,
    /// The timeline's steps, in the order of the sheet's frames.
    pub steps: Vec<u32>,
    fps: f64,
    /// For each method, the total milliseconds so far, and the number of frames.
    timings: Vec<(f64, usize)>,
    /// The portrait's crop that is shown, the method it belongs to, and the portrait cropped to it.
    crop: Crop,
    largest: usize,
    source: Picture,
    /// Tracks the face of a driving picture when no clip was analysed.
    tracker: Tracker,
}

/// The pictures of one frame.
pub(super) struct ComparedFrame {
    /// The source, the driving frame and every result, at the sheet's size.
    pub panes: Vec<Picture>,
    /// The driving crop at [`SIDE`], and the face in it.
    pub driving: Picture,
    pub driving_face: Option<MeasuredFace>,
    /// The results at [`SIDE`], if they are measured.
    pub small: Vec<Picture>,
    /// Milliseconds per result.
    pub ms: Vec<f64>,
}

impl<'a> Comparing<'a> {
    pub fn new(
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
            expression_by_rig: spec.expression_by_rig,
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
            timings: vec![(0.0, 0); methods.len()],
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

    pub fn small_source(&self) -> Result<Picture, EngineError> {
        cut_crop(&self.comparison.subject.picture, self.crop, SIDE)
    }

    /// For each method, the driving head's pose that counts as equal to the portrait's; `None` for a method that takes the
    /// pose as it is, or if no clip drives.
    pub fn resting_heads(&self) -> Vec<Option<HeadPose>> {
        let methods = self.comparison.methods.iter();
        let panes = methods.zip(&self.composition.panes);
        panes
            .map(|(spec, pane)| match (&pane.driver, spec.mode) {
                (Driver::Clip(clip), Mode::Relative) => {
                    let track = clip.analysis.track.as_ref()?;
                    track.frames.get(clip.reference)?.head
                }
                _ => None,
            })
            .collect()
    }

    /// Keys that are equal for frames of the sheet that look the same.
    pub fn keys(&self, frame: usize) -> Vec<FrameKey> {
        let subject = &self.comparison.subject;
        let view = View::whole(subject.picture.size());
        let requests = self.composition.requests(self.steps[frame]);
        let registry = self.models.registry();
        requests
            .iter()
            .map(|request| request.key(registry, subject, &view))
            .collect()
    }

    /// The time in the motion of a frame of the sheet, in seconds.
    pub fn time(&self, frame: usize) -> f64 {
        match &self.composition.driver {
            Driver::Clip(clip) => clip.time_at(self.steps[frame] as usize),
            Driver::Nothing | Driver::Track(_) => frame as f64 / self.fps,
        }
    }

    /// Remarks for the artist on how the methods see the motion.
    pub fn remarks(&self, drivers: &Drivers) -> Result<Vec<Remark>, EngineError> {
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
                && clip.dissimilarity.is_none()
            {
                remarks.push(Remark::NoReference);
            }
        }
        Ok(remarks)
    }

    /// Renders a frame of the sheet by every method.
    pub fn render(
        &mut self,
        frame: usize,
        is_measured: bool,
        progress: &Progress,
        stop: Stop,
    ) -> Result<ComparedFrame, EngineError> {
        let size = self.comparison.sheet.size;
        let requests = self.composition.requests(self.steps[frame]);
        let (driving_pane, driving) = self.driving(&requests, size, stop)?;
        let driving_face = match (&requests[0].sample, is_measured) {
            (_, false) => None,
            (DriveSample::Step(clip, step), true) => {
                let track = clip.analysis.track.as_ref();
                let frame = clip.frame_at(*step as usize);
                track.and_then(|track| MeasuredFace::in_clip(track, frame))
            }
            (_, true) => MeasuredFace::in_picture(&mut self.tracker, &driving)?,
        };
        let mut compared = ComparedFrame {
            panes: vec![self.source.clone(), driving_pane],
            driving,
            driving_face,
            small: Vec::new(),
            ms: Vec::new(),
        };
        for (i, request) in requests.iter().enumerate() {
            if stop() {
                return Err(EngineError::Cancelled);
            }
            let rendered = self.render_full(request, stop)?;
            let ms = f64::from(rendered.millis);
            let (total, frames) = self.timings[i];
            self.timings[i] = (total + ms, frames + 1);
            compared.ms.push(ms);
            compared
                .panes
                .push(cut_crop(&rendered.picture, self.crop, size)?);
            if is_measured {
                compared
                    .small
                    .push(cut_crop(&rendered.picture, self.crop, SIDE)?);
            }
            progress.step();
        }
        Ok(compared)
    }

    /// Renders the portrait at its full size.
    fn render_full(
        &mut self,
        request: &FrameRequest,
        stop: Stop,
    ) -> Result<RenderedFrame, EngineError> {
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

    /// The driving picture of a frame, at the sheet's size and at [`SIDE`], cropped as for the method whose crop is shown.
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
            clip.picture(DrivePicture::Now, *step as usize, rule, relative)?
        } else {
            let motion = FrameRequest {
                method: MethodChoice::Motion,
                ..request.clone()
            };
            let drawn = self.render_full(&motion, stop)?;
            (Arc::new(drawn.picture), subject::square(self.crop))
        };
        Ok((cut(&picture, place, size)?, cut(&picture, place, SIDE)?))
    }

    /// The labels above the panes of a frame; times are means so far.
    pub fn labels(&self, motion: &str, time: f64) -> Vec<Label> {
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
            .zip(&self.timings)
            .map(|((spec, method), (ms, frames))| {
                let mode = self.comparison.mode_key(spec);
                let by_rig = if spec.expression_by_rig { " + rig" } else { "" };
                Label {
                    name: format!("{}{by_rig} {mode}", method.info().title)
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

/// Shortens a name to leave space for what follows it.
fn short(name: &str) -> String {
    const LONGEST: usize = 24;
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    let start: String = name.chars().take(LONGEST - 1).collect();
    start + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_method_names_are_shortened() {
        assert_eq!(short("clip.mp4"), "clip.mp4");
        let long = short("a-very-long-name-of-a-clip-that-nobody-reads.mp4");
        assert!(long.chars().count() == 24 && long.ends_with('…'), "{long}");
    }
}
