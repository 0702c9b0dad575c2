//! The numbers of a comparison: a row for each frame and method, and what they come to.

use crate::error::EngineError;
use crate::face::found::finder;
use crate::face::{Shape, Tracker, shape68};
use crate::jobs::compare::Comparison;
use crate::jobs::compare::contender::Against;
use crate::media::image::Picture;
use crate::metrics::{FrameNumbers, Similarity, acd, aed, akd, features, mkr};

/// What one method came to, over all frames that were compared; nothing where it can't be measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// The contender, as it was asked for.
    pub name: String,
    /// Means over the frames; of PSNR over those that differ at all.
    pub l1: Option<f64>,
    pub psnr: Option<f64>,
    pub ssim: Option<f64>,
    pub akd: Option<f64>,
    pub mkr: Option<f64>,
    /// Over every pair of frames.
    pub acd: Option<f64>,
    /// Milliseconds a frame.
    pub ms: f64,
}

struct Row {
    frame: usize,
    time: f64,
    contender: usize,
    l1: Option<f64>,
    psnr: Option<f64>,
    ssim: Option<f64>,
    akd: Option<f64>,
    step: Option<f64>,
    ms: f64,
}

/// What is measured of one contender along the clip.
#[derive(Default)]
struct Runner {
    tracker: Tracker,
    /// Whether the driving frame and the result showed a face.
    present: Vec<(bool, bool)>,
    /// The faces as features, without the frames that show none.
    features: Vec<Vec<f32>>,
    /// Those of the frame before, if it showed a face.
    before: Option<Vec<f32>>,
}

/// Measures a comparison's frames as they come.
pub(crate) struct Table<'a> {
    comparison: &'a Comparison,
    /// The portrait's square, and its face there.
    source: Picture,
    pose: Option<Shape>,
    /// Follows the face of the driving clip's square, where the results are measured against it.
    driving: Tracker,
    runners: Vec<Runner>,
    rows: Vec<Row>,
}

/// One frame's pictures, each [`crate::metrics::SIDE`] pixels a side, and what is known of it.
pub(crate) struct Measured<'a> {
    /// The number of the sheet's frame.
    pub frame: usize,
    pub time: f64,
    /// The driving clip's square, and its face in any pixels.
    pub driving: &'a Picture,
    pub driving_face: Option<Shape>,
    pub results: &'a [Picture],
    /// Milliseconds that each took.
    pub ms: &'a [f64],
}

impl<'a> Table<'a> {
    /// A table without rows. `source` is the portrait's square, [`crate::metrics::SIDE`] pixels a side.
    ///
    /// # Errors
    /// [`EngineError::Network`] when the networks that find faces fail.
    pub fn new(comparison: &'a Comparison, source: Picture) -> Result<Self, EngineError> {
        let pose = shape_in(&mut Tracker::default(), &source)?;
        let runners = comparison.standings.iter().map(|_| Runner::default());
        Ok(Self {
            driving: Tracker::default(),
            runners: runners.collect(),
            rows: Vec::new(),
            comparison,
            source,
            pose,
        })
    }

    /// Measures a frame.
    ///
    /// # Errors
    /// [`EngineError::Network`] when the networks that find faces fail.
    pub fn measure(&mut self, frame: &Measured) -> Result<(), EngineError> {
        let reference = match self.comparison.against {
            Against::Source => &self.source,
            Against::Driving => frame.driving,
            Against::Contender(index) => &frame.results[index],
        };
        let truth = match self.comparison.against {
            Against::Driving => shape_in(&mut self.driving, frame.driving)?,
            _ => None,
        };
        for (contender, result) in frame.results.iter().enumerate() {
            let runner = &mut self.runners[contender];
            let shape = shape_in(&mut runner.tracker, result)?;
            let followed = match self.comparison.against {
                Against::Driving => truth.zip(shape).and_then(|(a, b)| akd(&a, &b)),
                _ => frame
                    .driving_face
                    .zip(shape)
                    .and_then(|(a, b)| follow(&a, &b)),
            };
            let numbers = FrameNumbers::of(result, reference, None);
            let is_seen = (frame.driving_face.is_some(), shape.is_some());
            self.rows.push(Row {
                frame: frame.frame,
                time: frame.time,
                contender,
                l1: numbers.l1,
                psnr: numbers.psnr,
                ssim: numbers.ssim,
                akd: followed,
                step: runner.step(shape, self.pose, is_seen),
                ms: frame.ms[contender],
            });
        }
        Ok(())
    }

    /// A frame that shows what the one before showed.
    pub fn repeat(&mut self, frame: usize, time: f64) {
        let count = self.runners.len();
        let last = self.rows.len().saturating_sub(count);
        for i in last..self.rows.len() {
            let Row { step, .. } = self.rows[i];
            let same = Row {
                frame,
                time,
                step: step.map(|_| 0.0),
                ..self.rows[i]
            };
            self.rows.push(same);
        }
    }

    /// The rows as comma-separated values (RFC 4180), with a line of titles.
    pub fn csv(&self) -> String {
        let mut text = "frame,time,method,mode,weights,l1,psnr,ssim,akd,step,ms\n".to_owned();
        let number = |value: Option<f64>| value.map_or_else(String::new, |v| format!("{v:.6}"));
        for row in &self.rows {
            let standing = &self.comparison.standings[row.contender];
            let cells = [
                (row.frame + 1).to_string(),
                format!("{:.4}", row.time),
                standing.contender.method.key().to_owned(),
                self.comparison.mode_key(standing).to_owned(),
                quoted(standing.network.name()),
                number(row.l1),
                number(row.psnr),
                number(row.ssim),
                number(row.akd),
                number(row.step),
                format!("{:.1}", row.ms),
            ];
            text += &cells.join(",");
            text.push('\n');
        }
        text
    }

    /// What every contender came to.
    pub fn figures(&self) -> Vec<Figures> {
        let runners = self.runners.iter().enumerate();
        runners
            .map(|(contender, runner)| {
                let of = |value: &dyn Fn(&Row) -> Option<f64>| {
                    let rows = self.rows.iter().filter(|row| row.contender == contender);
                    rows.filter_map(value).collect::<Vec<f64>>()
                };
                let psnr = of(&|row| row.psnr);
                let differing: Vec<f64> = psnr.iter().copied().filter(|v| v.is_finite()).collect();
                Figures {
                    name: self.comparison.standings[contender].contender.to_string(),
                    l1: mean(&of(&|row| row.l1)),
                    psnr: mean(if differing.is_empty() {
                        &psnr
                    } else {
                        &differing
                    }),
                    ssim: mean(&of(&|row| row.ssim)),
                    akd: mean(&of(&|row| row.akd)),
                    mkr: mkr(runner.present.iter().copied()),
                    acd: acd(&runner.features),
                    ms: mean(&of(&|row| Some(row.ms))).unwrap_or(0.0),
                }
            })
            .collect()
    }
}

impl Runner {
    /// How far the face moved since the frame before, apart from its place, size and turn; nothing where one of the two
    /// shows none.
    fn step(
        &mut self,
        shape: Option<Shape>,
        pose: Option<Shape>,
        is_seen: (bool, bool),
    ) -> Option<f64> {
        self.present.push(is_seen);
        let now = shape
            .zip(pose)
            .and_then(|(shape, pose)| features(&shape, &pose));
        let before = std::mem::replace(&mut self.before, now.clone());
        self.features.extend(now.clone());
        Some(aed(&now?, &before?)?.sqrt())
    }
}

/// How far a face is from the driving one after this was brought over it as a whole.
fn follow(driving: &Shape, shape: &Shape) -> Option<f64> {
    let nearest = Similarity::between(driving, shape)?;
    akd(&driving.map(|point| nearest.apply(point)), shape)
}

fn shape_in(tracker: &mut Tracker, picture: &Picture) -> Result<Option<Shape>, EngineError> {
    let face = tracker.next(finder()?, picture)?;
    Ok(face.map(|face| shape68(&face.mesh)))
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// A cell of which commas and quotation marks are only text.
fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_follows_another_wherever_that_is() {
        let face: Shape = std::array::from_fn(|i| [(i % 9) as f32 * 20.0, (i / 9) as f32 * 20.0]);
        let far = face.map(|[x, y]| [300.0 - 2.0 * y, 2.0 * x - 90.0]);
        assert!(follow(&far, &face).unwrap() < 1e-3);
        let wider = face.map(|[x, y]| [1.3 * x, y]);
        assert!(follow(&wider, &face).unwrap() > 2.0);
    }

    #[test]
    fn cells_keep_their_commas() {
        assert_eq!(quoted("tps-128"), "tps-128");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("5\" crop"), "\"5\"\" crop\"");
    }

    #[test]
    fn a_step_is_the_landmarks_own_and_needs_two_faces() {
        let pose: Shape = std::array::from_fn(|i| [(i % 9) as f32 * 20.0, (i / 9) as f32 * 20.0]);
        let mut runner = Runner::default();
        let mut step =
            |shape: Option<Shape>| runner.step(shape, Some(pose), (true, shape.is_some()));
        assert_eq!(step(Some(pose)), None);
        // Moved as a whole and enlarged, it stands still.
        let elsewhere = pose.map(|[x, y]| [1.5 * x + 30.0, 1.5 * y - 4.0]);
        assert!(step(Some(elsewhere)).unwrap() < 1e-3);
        let mut opened = pose;
        opened[57][1] += 12.0;
        let moved = step(Some(opened)).unwrap();
        // One of 68 points went 12 pixels; what the alignment takes up of it is little.
        let wanted = 12.0 / 68.0_f64.sqrt();
        assert!((moved - wanted).abs() < 0.15 * wanted, "{moved}");
        assert_eq!(step(None), None);
        assert_eq!(step(Some(pose)), None);
        assert_eq!(mkr(runner.present.iter().copied()), Some(0.2));
        assert_eq!(runner.features.len(), 4);
    }
}
