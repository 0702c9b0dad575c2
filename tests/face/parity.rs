//! The face networks compared with the TFLite originals, on the two samples and their rotated, scaled and mirrored copies.
//!
//! `tests/face/reference.safetensors` holds the originals' outputs (`tests/face/reference.py`).

use std::collections::HashMap;

use crate::common::face::{Copied, finder, sample};
use candle_core::{Device, Tensor};
use mien::face::{Detection, Mesh, TurnedSquare};
use mien::media::image::{ImagePyramid, Picture};
use safetensors::SafeTensors;

struct Case {
    name: String,
    picture: Picture,
    box_: Vec<f32>,
    keypoints: Vec<f32>,
    score: f32,
    region: TurnedSquare,
    points: Vec<f32>,
    presence: f32,
    scores: Vec<f32>,
    mediapipe: Vec<f32>,
}

fn cases() -> Vec<Case> {
    let bytes = include_bytes!("reference.safetensors");
    let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
    let fields = header.metadata().clone().unwrap();
    let copies: Vec<Copied> = serde_json::from_str(&fields["cases"]).unwrap();
    let tensors: HashMap<String, Tensor> =
        candle_core::safetensors::load_buffer(bytes, &Device::Cpu).unwrap();
    let row = |name: &str, i: usize| -> Vec<f32> {
        let row = tensors[name].get(i).unwrap();
        row.flatten_all().unwrap().to_vec1().unwrap()
    };
    copies
        .into_iter()
        .enumerate()
        .map(|(i, copy)| {
            let region = row("region", i);
            Case {
                name: format!("{} {}", copy.sample, copy.copy),
                picture: copy.of(&sample(&copy.sample)),
                box_: row("box", i),
                keypoints: row("keypoints", i),
                score: row("score", i)[0],
                region: TurnedSquare {
                    x: region[0].into(),
                    y: region[1].into(),
                    side: region[2].into(),
                    angle: region[3].into(),
                },
                points: row("points", i),
                presence: row("presence", i)[0],
                scores: row("scores", i),
                mediapipe: row("mediapipe.points", i),
            }
        })
        .collect()
}

fn mesh(points: &[f32]) -> Mesh {
    Mesh::new(points.as_chunks().0.to_vec()).unwrap()
}

/// The largest and the mean distance between landmarks in the image plane.
fn apart(a: &Mesh, b: &Mesh) -> (f32, f32) {
    let pairs = a.points().iter().zip(b.points());
    let distances: Vec<f32> = pairs
        .map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1]))
        .collect();
    let most = distances.iter().copied().fold(0.0, f32::max);
    (most, distances.iter().sum::<f32>() / distances.len() as f32)
}

fn largest(a: impl IntoIterator<Item = f32>, b: &[f32]) -> f32 {
    let pairs = a.into_iter().zip(b);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn boxes_landmarks_and_blendshapes_agree_with_mediapipe() {
    let finder = finder();
    for case in cases() {
        let pyramid = ImagePyramid::for_networks(&case.picture);
        // Distances are in pixels of the landmark network's 256-pixel input.
        let unit = 256.0 / case.region.side as f32;

        let found = finder.detector.detect_whole(&pyramid).unwrap();
        let Detection {
            left,
            top,
            width,
            height,
            keypoints,
            score,
        } = found[0];
        let box_ = [left, top, width, height].map(|v| v as f32);
        let points = keypoints.iter().flat_map(|p| [p.0 as f32, p.1 as f32]);
        let box_apart = largest(box_, &case.box_).max(largest(points, &case.keypoints));
        // One pixel of the picture, or of the detector's 128-pixel input if the picture is larger.
        let pixel = (case.picture.width().max(case.picture.height()) as f32 / 128.0).max(1.0);

        let (given, presence) = finder
            .landmarks
            .find(&pyramid, &case.region)
            .unwrap()
            .unwrap();
        let theirs = mesh(&case.points);
        let (most, _) = apart(&given, &theirs);
        let depth = largest(given.points().iter().map(|p| p[2]), &{
            theirs.points().iter().map(|p| p[2]).collect::<Vec<_>>()
        });

        // The same with the program's own box, and the blendshape scores of both landmarks.
        let region = found[0].region();
        let (found_landmarks, _) = finder.landmarks.find(&pyramid, &region).unwrap().unwrap();
        let (own_most, _) = apart(&found_landmarks, &theirs);
        let (mp_most, mp_mean) = apart(&found_landmarks, &mesh(&case.mediapipe));
        let scores = largest(finder.blendshapes.scores(&theirs).unwrap(), &case.scores);
        let own_scores = largest(
            finder.blendshapes.scores(&found_landmarks).unwrap(),
            &case.scores,
        );

        println!(
            "{:42} box {box_apart:.3} px, landmarks {:.3} and {:.3} px of 256 (depth {:.3}), scores {scores:.1e} and {own_scores:.4}; \
             MediaPipe's pipeline {:.2} at most, {:.2} in the mean",
            case.name,
            most * unit,
            own_most * unit,
            depth * unit,
            mp_most * unit,
            mp_mean * unit
        );
        assert!(
            box_apart <= pixel.min(1.0),
            "{}: box {box_apart} px",
            case.name
        );
        assert!((score - case.score).abs() <= 0.01, "{}", case.name);
        assert!((presence - case.presence).abs() <= 0.01, "{}", case.name);
        assert!(most * unit <= 0.5, "{}: {} px", case.name, most * unit);
        assert!(depth * unit <= 0.5, "{}: {} px", case.name, depth * unit);
        assert!(
            own_most * unit <= 0.5,
            "{}: {} px",
            case.name,
            own_most * unit
        );
        assert!(scores <= 1e-3, "{}: scores {scores}", case.name);
        assert!(own_scores <= 0.01, "{}: scores {own_scores}", case.name);
        // MediaPipe's coordinates start at the centre of the first pixel, so they are shifted by half a pixel from ours.
        let aside = 0.75 * unit;
        assert!(
            mp_mean * unit <= 1.0 + aside,
            "{}: {} px",
            case.name,
            mp_mean * unit
        );
    }
}
