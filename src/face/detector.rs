//! Face detection: BlazeFace, short range (Bazarevsky et al. 2019, "BlazeFace: Sub-millisecond Neural Face Detection on
//! Mobile GPUs"), with the weights of MediaPipe's Face Landmarker v2.
//!
//! The network takes 128x128 pixels and predicts a face for each of 896 anchors: two in each cell of a 16x16 grid, six in
//! each cell of an 8x8 grid. It misses faces much smaller than a fifth of the square; [`Detector::all`] therefore also runs
//! it on overlapping tiles of the picture.

use candle_core::{Result, Tensor};

use super::sampling::BorderMode;
use super::square::TurnedSquare;
use crate::media::image::{ImagePyramid, Picture};
use crate::nn::{Conv2d, ConvConfig, Epilogue, PRelu, Separable, Weights, max_pool, on_rayon_pool};

/// Side of the network's input in pixels.
pub const SIZE: usize = 128;

/// Score threshold of a detection.
const SCORE_THRESHOLD: f32 = 0.5;

/// Boxes whose intersection over union exceeds this are one face.
const IOU_THRESHOLD: f64 = 0.3;

/// Output channels of each block, and whether it downsamples by 2.
const BLOCKS: [(usize, bool); 16] = [
    (24, false),
    (28, false),
    (32, true),
    (36, false),
    (42, false),
    (48, true),
    (56, false),
    (64, false),
    (72, false),
    (80, false),
    (88, false),
    (96, true),
    (96, false),
    (96, false),
    (96, false),
    (96, false),
];

/// The block whose 16x16 output the two heads of the finer grid read.
const FINE: usize = 10;

/// A detected face, in pixels of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// The left edge.
    pub left: f64,
    /// The top edge.
    pub top: f64,
    /// The width.
    pub width: f64,
    /// The height.
    pub height: f64,
    /// Eye on the picture's left, eye on its right, nose tip, mouth, and the two ears.
    pub keypoints: [(f64, f64); 6],
    /// The network's confidence, in 0..=1.
    pub score: f32,
}

impl Detection {
    /// Returns the roll of the face in radians, clockwise, from the line between the eyes.
    pub fn roll(&self) -> f64 {
        let (a, b) = (self.keypoints[0], self.keypoints[1]);
        (b.1 - a.1).atan2(b.0 - a.0)
    }

    /// Returns the region to search for landmarks: 1.5 times the longer side of the box, rotated with the eyes.
    pub fn region(&self) -> TurnedSquare {
        TurnedSquare {
            x: self.left + 0.5 * self.width,
            y: self.top + 0.5 * self.height,
            side: 1.5 * self.width.max(self.height),
            angle: self.roll(),
        }
    }

    /// Returns the intersection over union of two boxes, in 0..=1.
    pub fn overlap(&self, other: &Detection) -> f64 {
        let along = |a: f64, al: f64, b: f64, bl: f64| ((a + al).min(b + bl) - a.max(b)).max(0.0);
        let shared = along(self.left, self.width, other.left, other.width)
            * along(self.top, self.height, other.top, other.height);
        let together = self.width * self.height + other.width * other.height - shared;
        if together > 0.0 {
            shared / together
        } else {
            0.0
        }
    }
}

/// The face detection network.
#[derive(Debug)]
pub struct Detector {
    stem: Conv2d,
    stem_slopes: PRelu,
    blocks: Vec<(Separable, bool)>,
    heads: [Conv2d; 4],
    device: candle_core::Device,
}

impl Detector {
    /// Loads `stem`, `blocks.{0..16}`, `score_16`, `score_8`, `box_16` and `box_8`.
    ///
    /// # Errors
    /// If a tensor is missing or of another shape.
    pub fn new(weights: Weights) -> Result<Self> {
        let like = weights.get(24, "stem.bias")?;
        let by_two = ConvConfig::new(2, 0);
        let stem = Conv2d::load(3, 24, 5, by_two, true, weights.pp("stem"))?;
        let mut channels = 24;
        let mut blocks = Vec::with_capacity(BLOCKS.len());
        for (i, (outputs, halves)) in BLOCKS.into_iter().enumerate() {
            let weights = weights.pp("blocks").pp(i);
            let block = Separable::load(
                (channels, outputs),
                if halves { 2 } else { 1 },
                weights.pp("depthwise"),
                weights.pp("pointwise"),
                PRelu::relu(outputs, &like)?,
            )?;
            blocks.push((block, halves));
            channels = outputs;
        }
        let head = |inputs, outputs, name| {
            Conv2d::load(
                inputs,
                outputs,
                1,
                ConvConfig::default(),
                true,
                weights.pp(name),
            )
        };
        Ok(Self {
            stem,
            stem_slopes: PRelu::relu(24, &like)?,
            blocks,
            heads: [
                head(88, 2, "score_16")?,
                head(96, 6, "score_8")?,
                head(88, 32, "box_16")?,
                head(96, 96, "box_8")?,
            ],
            device: like.device().clone(),
        })
    }

    /// Returns the raw network output `(score, box)` for each of the 896 anchors. The input is `[1, 3, 131, 131]` in [-1,
    /// 1], with one row and column of zeros before the picture and two after. A score is a logit; a box is centre and size,
    /// then six points, in pixels relative to the anchor.
    ///
    /// # Errors
    /// If the input has another shape.
    pub fn forward(&self, x: &Tensor) -> Result<Vec<(f32, [f32; 16])>> {
        let mut x = self
            .stem
            .forward_then(x, &Epilogue::prelu(&self.stem_slopes))?;
        let mut fine = None;
        for (i, (block, halves)) in self.blocks.iter().enumerate() {
            let y = if *halves {
                block.forward(&x, &max_pool(&x)?)?
            } else {
                block.forward(&x, &x)?
            };
            if i == FINE {
                fine = Some(y.clone());
            }
            x = y;
        }
        let fine = fine.unwrap_or_else(|| x.clone());
        let mut rows = Vec::with_capacity(896);
        for (x, score, place) in [
            (&fine, &self.heads[0], &self.heads[2]),
            (&x, &self.heads[1], &self.heads[3]),
        ] {
            let flat =
                |head: &Conv2d| -> Result<Vec<f32>> { head.forward(x)?.flatten_all()?.to_vec1() };
            let (scores, places) = (flat(score)?, flat(place)?);
            let plane = x.dim(2)? * x.dim(3)?;
            let anchors = scores.len() / plane;
            for cell in 0..plane {
                for anchor in 0..anchors {
                    let value = |k: usize| places[(anchor * 16 + k) * plane + cell];
                    rows.push((scores[anchor * plane + cell], std::array::from_fn(value)));
                }
            }
        }
        Ok(rows)
    }

    /// Returns the faces in a square of the picture, the most confident first.
    ///
    /// # Errors
    /// If the network fails.
    pub fn detect(
        &self,
        pyramid: &ImagePyramid<&Picture>,
        square: &TurnedSquare,
    ) -> Result<Vec<Detection>> {
        let values = pyramid.read(square, SIZE, (-1.0, 1.0), BorderMode::Black, (1, 2));
        let x = Tensor::from_vec(values, (1, 3, SIZE + 3, SIZE + 3), &self.device)?;
        let rows = on_rayon_pool(&self.device, || self.forward(&x))?;
        let found = rows
            .iter()
            .zip(anchors())
            .filter_map(|((logit, place), anchor)| decode(*logit, place, anchor, square))
            .collect();
        Ok(merged(found))
    }

    /// Returns the faces in the whole picture, as MediaPipe finds them.
    ///
    /// # Errors
    /// If the network fails.
    pub fn detect_whole(&self, pyramid: &ImagePyramid<&Picture>) -> Result<Vec<Detection>> {
        let (width, height) = size(pyramid);
        let square = TurnedSquare {
            x: width / 2.0,
            y: height / 2.0,
            side: width.max(height),
            angle: 0.0,
        };
        self.detect(pyramid, &square)
    }

    /// Returns the faces in the whole picture and in overlapping squares of a half, a quarter and an eighth of its longer
    /// side. This also finds small faces in a group and faces in the corner of a wide picture. Squares that would have to
    /// be enlarged are skipped, and those smaller than a half are used only while no large face was found.
    ///
    /// # Errors
    /// If the network fails.
    pub fn all(&self, pyramid: &ImagePyramid<&Picture>) -> Result<Vec<Detection>> {
        let mut found = self.detect_whole(pyramid)?;
        let (width, height) = size(pyramid);
        let longer = width.max(height);
        for parts in [2.0, 4.0, 8.0] {
            let side = longer / parts;
            let largest = found.iter().map(|face| face.height).fold(0.0, f64::max);
            // Smaller squares would have to be enlarged, and a portrait with one large face is not a group picture.
            if side < 0.75 * SIZE as f64 || (parts > 2.0 && largest > 0.3 * width.min(height)) {
                break;
            }
            for y in starts(height, side) {
                for x in starts(width, side) {
                    let square = TurnedSquare {
                        x: x + 0.5 * side,
                        y: y + 0.5 * side,
                        side,
                        angle: 0.0,
                    };
                    found.extend(
                        self.detect(pyramid, &square)?
                            .into_iter()
                            .filter(|face| !is_cut(face, &square, (width, height))),
                    );
                }
            }
        }
        Ok(distinct(found))
    }
}

fn size(pyramid: &ImagePyramid<&Picture>) -> (f64, f64) {
    let (width, height) = pyramid.picture().size();
    (f64::from(width), f64::from(height))
}

/// Returns the start offsets of squares along a length, evenly spaced and overlapping by at least a half.
fn starts(length: f64, side: f64) -> Vec<f64> {
    if length <= side {
        return vec![0.5 * (length - side)];
    }
    let steps = ((length - side) / (0.5 * side)).ceil();
    (0..=steps as usize)
        .map(|i| (length - side) * i as f64 / steps)
        .collect()
}

/// Returns whether a face crosses an edge of its square where the picture continues: another square contains it whole.
fn is_cut(face: &Detection, square: &TurnedSquare, (width, height): (f64, f64)) -> bool {
    let cut = |start: f64, length: f64, from: f64, end: f64| {
        let to = from + square.side;
        (start < from && from > 0.0) || (start + length > to && to < end)
    };
    cut(face.left, face.width, square.x - 0.5 * square.side, width)
        || cut(face.top, face.height, square.y - 0.5 * square.side, height)
}

/// The anchors' centres, in 0..1 of the square, in the order of the network's output rows.
fn anchors() -> impl Iterator<Item = (f64, f64)> {
    [(16, 2), (8, 6)].into_iter().flat_map(|(cells, each)| {
        (0..cells * cells * each).map(move |i| {
            let cell = i / each;
            let place = |n: usize| (n as f64 + 0.5) / cells as f64;
            (place(cell % cells), place(cell / cells))
        })
    })
}

fn decode(
    logit: f32,
    place: &[f32; 16],
    anchor: (f64, f64),
    square: &TurnedSquare,
) -> Option<Detection> {
    let score = 1.0 / (1.0 + (-logit.clamp(-100.0, 100.0)).exp());
    if score.is_nan() || score < SCORE_THRESHOLD {
        return None;
    }
    let value = |k: usize| f64::from(place[k]) / SIZE as f64;
    let point = |k: usize| square.to_picture((anchor.0 + value(k), anchor.1 + value(k + 1)));
    let (x, y) = point(0);
    let (width, height) = (value(2) * square.side, value(3) * square.side);
    Some(Detection {
        left: x - 0.5 * width,
        top: y - 0.5 * height,
        width,
        height,
        keypoints: std::array::from_fn(|i| point(4 + 2 * i)),
        score,
    })
}

/// Merges each group of overlapping detections into their mean, weighted by score (the paper's Section 5).
fn merged(mut found: Vec<Detection>) -> Vec<Detection> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut faces = Vec::new();
    while let Some(best) = found.first().copied() {
        let (same, others): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|face| best.overlap(face) > IOU_THRESHOLD);
        found = others;
        if same.is_empty() {
            // A box of zero area overlaps nothing, not even itself.
            found.retain(|face| *face != best);
            continue;
        }
        let total: f64 = same.iter().map(|face| f64::from(face.score)).sum();
        let mean = |of: &dyn Fn(&Detection) -> f64| {
            same.iter()
                .map(|face| f64::from(face.score) * of(face))
                .sum::<f64>()
                / total
        };
        faces.push(Detection {
            left: mean(&|face| face.left),
            top: mean(&|face| face.top),
            width: mean(&|face| face.width),
            height: mean(&|face| face.height),
            keypoints: std::array::from_fn(|k| {
                (
                    mean(&|face| face.keypoints[k].0),
                    mean(&|face| face.keypoints[k].1),
                )
            }),
            score: best.score,
        });
    }
    faces
}

/// Removes duplicates from overlapping squares: of faces that overlap, or where one's centre is inside the other, keeps the
/// first.
fn distinct(found: Vec<Detection>) -> Vec<Detection> {
    let mut faces: Vec<Detection> = Vec::new();
    for face in found {
        let within = |a: &Detection, b: &Detection| {
            let (x, y) = (a.left + 0.5 * a.width, a.top + 0.5 * a.height);
            (b.left..b.left + b.width).contains(&x) && (b.top..b.top + b.height).contains(&y)
        };
        let known = |other: &Detection| {
            face.overlap(other) > IOU_THRESHOLD || within(&face, other) || within(other, &face)
        };
        if !faces.iter().any(known) {
            faces.push(face);
        }
    }
    faces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(left: f64, score: f32) -> Detection {
        Detection {
            left,
            top: 10.0,
            width: 40.0,
            height: 40.0,
            keypoints: [(left, 20.0); 6],
            score,
        }
    }

    #[test]
    fn all_896_anchors_lie_inside_the_input() {
        let all: Vec<_> = anchors().collect();
        assert_eq!(all.len(), 896);
        assert_eq!(all[0], (0.5 / 16.0, 0.5 / 16.0));
        assert_eq!(all[2], (1.5 / 16.0, 0.5 / 16.0));
        assert_eq!(all[895], (7.5 / 8.0, 7.5 / 8.0));
    }

    #[test]
    fn overlapping_detections_become_their_weighted_mean_and_others_stay() {
        let faces = merged(vec![face(0.0, 0.6), face(10.0, 0.9), face(200.0, 0.7)]);
        assert_eq!(faces.len(), 2);
        assert_eq!(faces[0].score, 0.9);
        assert!((faces[0].left - 6.0).abs() < 1e-5, "{}", faces[0].left);
        assert_eq!(faces[1].left, 200.0);
        let flat = Detection {
            width: 0.0,
            ..face(5.0, 0.8)
        };
        assert!(merged(vec![flat]).is_empty());
    }

    #[test]
    fn detection_tiles_cover_the_whole_length() {
        for (length, side) in [(100.0, 40.0), (100.0, 50.0), (64.0, 64.0), (30.0, 64.0)] {
            let starts = starts(length, side);
            assert!(starts[0] <= 0.0 && starts[starts.len() - 1] + side >= length - 1e-9);
            let gap = starts.windows(2).map(|w| w[1] - w[0]).fold(0.0, f64::max);
            assert!(gap <= 0.5 * side + 1e-9, "{starts:?}");
        }
    }

    #[test]
    fn a_face_cut_by_its_tile_is_left_to_a_neighbouring_tile() {
        let square = TurnedSquare {
            x: 100.0,
            y: 100.0,
            side: 100.0,
            angle: 0.0,
        };
        assert!(is_cut(&face(45.0, 1.0), &square, (400.0, 110.0)));
        let mut inside = face(70.0, 1.0);
        inside.top = 60.0;
        assert!(!is_cut(&inside, &square, (400.0, 400.0)));
    }
}
