//! The metrics of one picture against another, as shown in a pane of the studio.

use super::{akd, l1, psnr, ssim};
use crate::media::image::Picture;

/// The side, in pixels, of the pictures that the papers measure; their AKD is in these pixels.
pub const SIDE: u32 = 256;

/// The metrics of a frame against a reference picture; `None` where a metric isn't defined.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FrameMetrics {
    /// [`l1`], in 0..=1.
    pub l1: Option<f64>,
    /// [`psnr`] in decibels; infinite for the same picture.
    pub psnr: Option<f64>,
    /// [`ssim`], in -1..=1.
    pub ssim: Option<f64>,
    /// [`akd`] of the two faces, in pixels of a picture whose longer side is [`SIDE`].
    pub akd: Option<f64>,
}

impl FrameMetrics {
    /// Measures a frame against a reference picture of the same size. `faces` are the landmarks of the frame's face and
    /// of the reference's, equally many, each in pixels of its own picture; without them there is no AKD.
    ///
    /// The time is proportional to the pictures' area: 256 pixels a side, the size behind published numbers, take a few
    /// milliseconds.
    pub fn of(frame: &Picture, reference: &Picture, faces: Option<[&[[f32; 2]]; 2]>) -> Self {
        Self {
            l1: l1(frame, reference),
            psnr: psnr(frame, reference),
            ssim: ssim(frame, reference),
            akd: faces.and_then(|[a, b]| akd(&at_side(a, frame), &at_side(b, reference))),
        }
    }
}

/// Scales a picture's points to one whose longer side is [`SIDE`] pixels.
fn at_side(points: &[[f32; 2]], picture: &Picture) -> Vec<[f32; 2]> {
    let longer = picture.width().max(picture.height());
    let scale = SIDE as f32 / longer as f32;
    let scaled = points.iter().map(|point| point.map(|v| v * scale));
    scaled.collect()
}

#[cfg(test)]
mod tests {
    use super::super::pixels::tests::grey;
    use super::*;

    #[test]
    fn every_metric_of_a_frame_is_measured() {
        let (a, b) = (grey(16, 16, &[0; 256]), grey(16, 16, &[51; 256]));
        // Three pixels to the right in a picture of 16 are 48 in one of 256; only one of two coordinates moves.
        let face = [[2.0, 3.0], [5.0, 9.0], [8.0, 1.0]];
        let moved = face.map(|[x, y]| [x + 3.0, y]);
        let found = FrameMetrics::of(&a, &b, Some([&face, &moved]));
        assert!((found.l1.unwrap() - 0.2).abs() < 1e-12);
        assert!((found.psnr.unwrap() - 13.979).abs() < 1e-3);
        assert!(found.ssim.unwrap() < 0.01);
        assert!((found.akd.unwrap() - 24.0).abs() < 1e-4);
        let same = FrameMetrics::of(&a, &a, None);
        assert_eq!((same.l1, same.psnr), (Some(0.0), Some(f64::INFINITY)));
        assert_eq!(same.akd, None);
    }

    #[test]
    fn metrics_without_their_inputs_are_none() {
        let (a, b) = (grey(16, 16, &[0; 256]), grey(32, 8, &[0; 256]));
        let none = FrameMetrics::of(&a, &b, Some([&[], &[]]));
        assert_eq!(none, FrameMetrics::default());
        // Landmarks don't need pictures of the same size.
        let face: &[[f32; 2]] = &[[1.0, 1.0]];
        assert_eq!(
            FrameMetrics::of(&a, &b, Some([face, face])).akd,
            Some(8.0),
            "a pixel of 16 is 16 of 256, a pixel of 32 is 8"
        );
    }
}
