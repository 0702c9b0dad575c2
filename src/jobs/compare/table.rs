//! The metrics of a comparison: a row per frame and method, and their summaries.

use crate::error::EngineError;
use crate::face::{HeadPose, Tracker};
use crate::jobs::charts::Charts;
use crate::jobs::compare::Comparison;
use crate::jobs::compare::spec::Against;
use crate::jobs::meter::{Followed, MeasuredFace, Meter, Numbers, RestHeads, Truth};
use crate::media::image::Picture;

/// The summary of one method over all frames; `None` where it can't be measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// The method, as written by the user.
    pub name: String,
    /// Means over the frames; PSNR only over the frames that differ, if there are any.
    pub l1: Option<f64>,
    /// In decibels.
    pub psnr: Option<f64>,
    /// In -1..=1.
    pub ssim: Option<f64>,
    /// In pixels of a picture of 256 pixels a side.
    pub akd: Option<f64>,
    /// The share of frames with a driving face in which the result shows none, in 0..=1.
    pub mkr: Option<f64>,
    /// Over all pairs of frames.
    pub acd: Option<f64>,
    /// How smile, jaw and blink followed those of the driving face, and the steadiness of its landmarks.
    pub followed: Followed,
    /// The mean difference of the head poses, in degrees.
    pub head: Option<f64>,
    /// Milliseconds per frame.
    pub ms: f64,
}

type OfNumbers = fn(&Numbers) -> Option<f64>;

/// The columns for how a face follows the driving one, each next to what it should follow.
const FOLLOWING: [(&str, OfNumbers); 9] = [
    ("smile", |numbers| Some(numbers.scores?.smile.into())),
    ("driving_smile", |numbers| {
        Some(numbers.true_scores?.smile.into())
    }),
    ("jaw", |numbers| Some(numbers.scores?.jaw.into())),
    ("driving_jaw", |numbers| {
        Some(numbers.true_scores?.jaw.into())
    }),
    ("blink", |numbers| Some(numbers.scores?.blink.into())),
    ("driving_blink", |numbers| {
        Some(numbers.true_scores?.blink.into())
    }),
    ("head_off", |numbers| numbers.head),
    ("acceleration", |numbers| numbers.acceleration),
    ("driving_acceleration", |numbers| numbers.true_acceleration),
];

#[derive(Clone, Copy)]
struct Row {
    frame: usize,
    time: f64,
    method: usize,
    numbers: Numbers,
    ms: f64,
}

/// Measures a comparison's frames in order.
pub(crate) struct Table<'a> {
    comparison: &'a Comparison,
    /// The weights of each method.
    weights: Vec<String>,
    /// The portrait's crop.
    source: Picture,
    /// Tracks the face of the driving crop, if the results are measured against it.
    driving: Tracker,
    meters: Vec<Meter>,
    rows: Vec<Row>,
}

/// One frame's pictures, each [`crate::metrics::SIDE`] pixels a side, with their data.
pub(crate) struct Measured<'a> {
    /// The index of the sheet's frame.
    pub frame: usize,
    pub time: f64,
    /// The driving crop, and its face in any coordinates.
    pub driving: &'a Picture,
    pub driving_face: Option<MeasuredFace>,
    pub results: &'a [Picture],
    /// Milliseconds per result.
    pub ms: &'a [f64],
}

impl<'a> Table<'a> {
    /// Creates a table without rows. `source` is the portrait's crop, [`crate::metrics::SIDE`] pixels a side; `weights` and
    /// `resting` have, for each method, the weights' name and the driving head's pose that counts as equal to the portrait's.
    ///
    /// # Errors
    /// [`EngineError::Network`] when the face networks fail.
    pub fn new(
        comparison: &'a Comparison,
        weights: Vec<String>,
        resting: &[Option<HeadPose>],
        source: Picture,
    ) -> Result<Self, EngineError> {
        let face = MeasuredFace::in_picture(&mut Tracker::default(), &source)?;
        let meters = resting.iter().map(|driving| {
            let rest = face.zip(*driving).map(|(face, driving)| RestHeads {
                pane: face.head,
                driving,
            });
            Meter::new(face.map(|face| face.shape), rest)
        });
        Ok(Self {
            driving: Tracker::default(),
            meters: meters.collect(),
            rows: Vec::new(),
            comparison,
            weights,
            source,
        })
    }

    /// Measures a frame.
    ///
    /// # Errors
    /// [`EngineError::Network`] when the face networks fail.
    pub fn measure(&mut self, frame: &Measured) -> Result<(), EngineError> {
        let reference = match self.comparison.against {
            Against::Source => &self.source,
            Against::Driving => frame.driving,
            Against::Method(index) => &frame.results[index],
        };
        let truth = match self.comparison.against {
            Against::Driving => {
                Truth::Same(MeasuredFace::in_picture(&mut self.driving, frame.driving)?)
            }
            _ => Truth::Other(frame.driving_face),
        };
        for (method, result) in frame.results.iter().enumerate() {
            self.rows.push(Row {
                frame: frame.frame,
                time: frame.time,
                method,
                numbers: self.meters[method].measure(result, reference, truth)?,
                ms: frame.ms[method],
            });
        }
        Ok(())
    }

    /// Adds a frame that looks the same as the previous one.
    pub fn repeat(&mut self, frame: usize, time: f64) {
        let last = self.rows.len().saturating_sub(self.meters.len());
        for i in last..self.rows.len() {
            let mut row = self.rows[i];
            row.numbers.step = row.numbers.step.map(|_| 0.0);
            row.numbers.acceleration = None;
            row.numbers.true_acceleration = None;
            self.rows.push(Row { frame, time, ..row });
        }
    }

    /// The rows as comma-separated values (RFC 4180), with a header line.
    pub fn csv(&self) -> String {
        let mut text = "frame,time,method,mode,weights,l1,psnr,ssim,akd,step,ms".to_owned();
        for (title, _) in FOLLOWING {
            text.push(',');
            text += title;
        }
        text.push('\n');
        let number = |value: Option<f64>| value.map_or_else(String::new, |v| format!("{v:.6}"));
        for row in &self.rows {
            let spec = &self.comparison.methods[row.method];
            let numbers = &row.numbers;
            let cells = [
                (row.frame + 1).to_string(),
                format!("{:.4}", row.time),
                spec.name(),
                self.comparison.mode_key(spec).to_owned(),
                quoted(&self.weights[row.method]),
                number(numbers.l1),
                number(numbers.psnr),
                number(numbers.ssim),
                number(numbers.akd),
                number(numbers.step),
                format!("{:.1}", row.ms),
            ];
            let cells = cells
                .into_iter()
                .chain(FOLLOWING.map(|(_, of)| number(of(numbers))));
            text += &cells.collect::<Vec<_>>().join(",");
            text.push('\n');
        }
        text
    }

    /// The rows as charts: a panel per metric, a line per method. `motion` is the motion's name.
    pub fn charts(&self, motion: &str) -> Charts {
        type Of = fn(&Row) -> Option<f64>;
        const METRICS: [(&str, Of); 11] = [
            ("L1", |row| row.numbers.l1),
            ("PSNR dB", |row| row.numbers.psnr),
            ("SSIM", |row| row.numbers.ssim),
            ("AKD px", |row| row.numbers.akd),
            ("step px", |row| row.numbers.step),
            ("smile", |row| Some(row.numbers.scores?.smile.into())),
            ("jaw", |row| Some(row.numbers.scores?.jaw.into())),
            ("blink", |row| Some(row.numbers.scores?.blink.into())),
            ("head off °", |row| row.numbers.head),
            ("acceleration px", |row| row.numbers.acceleration),
            ("ms per frame", |row| Some(row.ms)),
        ];
        // The target curves of the methods' lines.
        const DRIVING: [(&str, Of); 4] = [
            ("smile", |row| Some(row.numbers.true_scores?.smile.into())),
            ("jaw", |row| Some(row.numbers.true_scores?.jaw.into())),
            ("blink", |row| Some(row.numbers.true_scores?.blink.into())),
            ("acceleration px", |row| row.numbers.true_acceleration),
        ];
        let Comparison {
            name,
            methods,
            against,
            ..
        } = self.comparison;
        let against = match against {
            Against::Source => "the portrait".to_owned(),
            Against::Driving => "the driving frame".to_owned(),
            Against::Method(index) => methods[*index].to_string(),
        };
        let title = format!("{name}, moved by {motion}; compared with {against}");
        let of = |method: usize| self.rows.iter().filter(move |row| row.method == method);
        let times: Vec<f64> = of(0).map(|row| row.time).collect();
        let names: Vec<String> = methods.iter().map(ToString::to_string).collect();
        let numbers = METRICS.into_iter().flat_map(|(metric, value)| {
            let lines = names.iter().enumerate();
            lines.map(move |(i, name)| (name.as_str(), metric, of(i).map(value).collect()))
        });
        let driving = DRIVING.into_iter().map(|(metric, value)| {
            let name = self.comparison.title();
            (name, metric, of(0).map(value).collect())
        });
        Charts::metrics(&title, &times, numbers.chain(driving))
    }

    /// The summary of every method.
    pub fn figures(&self) -> Vec<Figures> {
        let meters = self.meters.iter().enumerate();
        meters
            .map(|(method, meter)| {
                let of = |value: &dyn Fn(&Row) -> Option<f64>| {
                    let rows = self.rows.iter().filter(|row| row.method == method);
                    rows.filter_map(value).collect::<Vec<f64>>()
                };
                let psnr = of(&|row| row.numbers.psnr);
                let differing: Vec<f64> = psnr.iter().copied().filter(|v| v.is_finite()).collect();
                Figures {
                    name: self.comparison.methods[method].to_string(),
                    l1: mean(&of(&|row| row.numbers.l1)),
                    psnr: mean(if differing.is_empty() {
                        &psnr
                    } else {
                        &differing
                    }),
                    ssim: mean(&of(&|row| row.numbers.ssim)),
                    akd: mean(&of(&|row| row.numbers.akd)),
                    mkr: meter.mkr(),
                    acd: meter.acd(),
                    followed: *meter.followed(),
                    head: mean(&of(&|row| row.numbers.head)),
                    ms: mean(&of(&|row| Some(row.ms))).unwrap_or(0.0),
                }
            })
            .collect()
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Quotes a CSV cell if necessary.
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
    fn csv_cells_with_commas_or_quotes_are_quoted() {
        assert_eq!(quoted("tps-128"), "tps-128");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("5\" crop"), "\"5\"\" crop\"");
    }
}
