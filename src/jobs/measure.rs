//! Measures panes frame by frame: how far each is from another, or from what drives it.

use std::sync::Arc;

use crate::document::{MethodChoice, Mode, PaneView};
use crate::drive::driver::Driver;
use crate::error::EngineError;
use crate::face::Tracker;
use crate::face::view::View;
use crate::jobs::meter::{MeasuredFace, Meter, RestHeads, Truth};
use crate::media::image::Picture;
use crate::methods::Quality;
use crate::methods::models::Models;
use crate::methods::subject::Subject;
use crate::metrics::SIDE;
use crate::progress::Progress;
use crate::render::composition::{Composition, FrameRequest, PaneSource};
use crate::render::renderer::Renderer;

/// What the panes are measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// The result of the pane with this index.
    Pane(usize),
    /// What drives each pane: the frame of the clip or sample, or what is drawn for a track.
    Motion,
}

/// Values of a metric for a pane: one for each step, `None` where it can't be measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The pane's index.
    pub pane: usize,
    /// The metric's name, with its unit.
    pub metric: &'static str,
    /// One value per frame; `None` where it can't be measured.
    pub values: Vec<Option<f32>>,
}

/// The metrics' names: L1, PSNR, SSIM and AKD to the reference; the ACD of the pane's frames up to each frame; and how its
/// face follows the reference's: the head's deviation in degrees and, over the frames so far, the correlations of smile, jaw
/// and blink, and the landmarks' acceleration as a multiple of the reference's.
pub const METRICS: [&str; 10] = [
    "L1",
    "PSNR dB",
    "SSIM",
    "AKD px",
    "ACD so far px",
    "Head off °",
    "Correlation of smile so far",
    "Correlation of jaw so far",
    "Correlation of blink so far",
    "Unsteadiness so far",
];

/// Measures every pane at every step of its timeline, over the face's crop at [`SIDE`] pixels, as in the papers. Skips panes
/// without a method, and the pane that the others are measured against.
///
/// # Errors
/// [`EngineError::Cancelled`] when `progress` was cancelled; errors of the methods.
pub fn measure(
    models: &Arc<Models>,
    subject: &Subject,
    composition: &Composition,
    reference: Reference,
    progress: &Progress,
) -> Result<Vec<Measured>, EngineError> {
    let steps = composition.driver.frames();
    let panes: Vec<usize> = (0..composition.panes.len())
        .filter(|pane| reference != Reference::Pane(*pane))
        .filter(|pane| composition.panes[*pane].method.is_method())
        // Panes that show different views of one result are measured once.
        .filter(|pane| {
            let same =
                |other: usize| composition.panes[other].same_result(&composition.panes[*pane]);
            !(0..*pane).any(same)
        })
        .collect();
    progress.set_total(steps as usize);
    let (x, y) = subject.crop.middle();
    let middle = (f64::from(x), f64::from(y));
    let view = View::about(SIDE, SIDE, middle, f64::from(subject.crop.side));
    let mut renderer = Renderer::new(Arc::clone(models));
    let base = renderer.base(subject, &view)?;
    let stop = || progress.cancel.is_cancelled();
    let mut draw = |request: &FrameRequest| -> Result<Picture, EngineError> {
        let frame = renderer.render(subject, &view, &base, request, Quality::Full, &stop)?;
        Ok(frame.picture)
    };
    let rest = |pane: &usize| match reference {
        Reference::Motion => resting(subject, &composition.panes[*pane]),
        Reference::Pane(_) => None,
    };
    let mut rows: Vec<Row> = panes.iter().map(|pane| Row::new(rest(pane))).collect();
    let mut of_reference = Tracker::default();
    for step in 0..steps {
        if stop() {
            return Err(EngineError::Cancelled);
        }
        let requests = composition.requests(step);
        let fixed = match reference {
            Reference::Pane(pane) => match requests.get(pane) {
                Some(request) => {
                    let picture = draw(&request.showing(PaneView::Result))?;
                    let face = MeasuredFace::in_picture(&mut of_reference, &picture)?;
                    Some((picture, face))
                }
                None => None,
            },
            Reference::Motion => None,
        };
        for (row, pane) in rows.iter_mut().zip(&panes) {
            let request = requests[*pane].showing(PaneView::Result);
            let reference;
            let (picture, face) = match &fixed {
                Some(fixed) => fixed,
                None => {
                    let picture = draw(&FrameRequest {
                        method: MethodChoice::Motion,
                        ..request.clone()
                    })?;
                    let face = MeasuredFace::in_picture(&mut row.of_motion, &picture)?;
                    reference = (picture, face);
                    &reference
                }
            };
            let result = draw(&request)?;
            let numbers = row.meter.measure(&result, picture, Truth::Same(*face))?;
            let followed = row.meter.followed();
            let all = [
                numbers.l1,
                numbers.psnr,
                numbers.ssim,
                numbers.akd,
                numbers.acd,
                numbers.head,
                followed.smile.correlation(),
                followed.jaw.correlation(),
                followed.blink.correlation(),
                followed.unsteadiness(),
            ];
            for (values, value) in row.values.iter_mut().zip(all) {
                values.push(value.map(|value| value as f32));
            }
        }
        progress.step();
    }
    Ok(panes
        .into_iter()
        .zip(rows)
        .flat_map(|(pane, row)| {
            let metrics = METRICS.into_iter().zip(row.values);
            metrics.map(move |(metric, values)| Measured {
                pane,
                metric,
                values,
            })
        })
        .collect())
}

/// The head poses of the portrait and of the clip's reference frame, which count as equal; `None` if the clip's pose is taken
/// as it is, or no clip drives.
fn resting(subject: &Subject, pane: &PaneSource) -> Option<RestHeads> {
    let is_relative = match pane.method {
        MethodChoice::Method(_, mode) => mode.unwrap_or_default() == Mode::Relative,
        MethodChoice::Source | MethodChoice::Motion => false,
    };
    let Driver::Clip(clip) = &pane.driver else {
        return None;
    };
    let driving = clip.analysis.track.as_ref()?.frames.get(clip.reference)?;
    is_relative.then_some(RestHeads {
        pane: subject.face.as_ref()?.pose,
        driving: driving.head?,
    })
}

/// The values of a pane so far.
#[derive(Default)]
struct Row {
    meter: Meter,
    /// Tracks the face of what drives the pane.
    of_motion: Tracker,
    values: [Vec<Option<f32>>; METRICS.len()],
}

impl Row {
    fn new(rest: Option<RestHeads>) -> Self {
        Self {
            meter: Meter::new(None, rest),
            ..Self::default()
        }
    }
}
