//! Differences of colour, pixel by pixel.

use crate::media::image::Picture;

/// The mean absolute difference of two pictures over all pixels and the three colours, in 0..=1: 0 for the same, 1 for
/// black against white (the reconstruction loss of FOMM, Siarohin et al. 2019, section 4). Transparent pixels count as
/// black. `None` if the sizes differ.
pub fn l1(a: &Picture, b: &Picture) -> Option<f64> {
    mean(a, b, f64::abs)
}

/// The peak signal-to-noise ratio of two pictures in decibels, over all pixels and the three colours:
/// `10 log10(1 / MSE)` with colours in 0..=1. 0 for black against white, infinite for the same. Transparent pixels
/// count as black. `None` if the sizes differ.
pub fn psnr(a: &Picture, b: &Picture) -> Option<f64> {
    let error = mean(a, b, |difference| difference * difference)?;
    // Rounding must give neither a negative value nor -0.
    Some((-10.0 * error.log10()).max(0.0))
}

/// The mean of `measure` over all differences, which are in -1..=1.
fn mean(a: &Picture, b: &Picture, measure: impl Fn(f64) -> f64) -> Option<f64> {
    if a.size() != b.size() {
        return None;
    }
    let pairs = colours(a).zip(colours(b));
    let sum: f64 = pairs
        .map(|(a, b)| (0..3).map(|i| measure(a[i] - b[i])).sum::<f64>())
        .sum();
    Some(sum / (f64::from(a.width()) * f64::from(a.height()) * 3.0))
}

/// The red, green and blue of each pixel over black, in 0..=1.
pub(super) fn colours(picture: &Picture) -> impl Iterator<Item = [f64; 3]> {
    picture.rgba().chunks_exact(4).map(|pixel| {
        let cover = f64::from(pixel[3]) / 255.0;
        [0, 1, 2].map(|i| f64::from(pixel[i]) / 255.0 * cover)
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::metrics) fn grey(width: u32, height: u32, levels: &[u8]) -> Picture {
        let rgba = levels.iter().flat_map(|&v| [v, v, v, 255]).collect();
        Picture::new(width, height, rgba).unwrap()
    }

    #[test]
    fn l1_and_psnr_agree_with_known_values() {
        let black = grey(2, 2, &[0; 4]);
        let white = grey(2, 2, &[255; 4]);
        assert_eq!(l1(&black, &white), Some(1.0));
        assert_eq!(psnr(&black, &white), Some(0.0));
        assert_eq!(psnr(&black, &black), Some(f64::INFINITY));
        // One pixel of four differs by 0.2.
        let marked = grey(2, 2, &[0, 0, 51, 0]);
        assert!((l1(&black, &marked).unwrap() - 0.05).abs() < 1e-12);
        // The mean square is 0.04 / 4 = 0.01, thus 20 dB.
        assert!((psnr(&black, &marked).unwrap() - 20.0).abs() < 1e-9);
        assert_eq!(l1(&black, &grey(4, 1, &[0; 4])), None);
        assert_eq!(psnr(&black, &grey(4, 1, &[0; 4])), None);
    }

    #[test]
    fn transparent_pixels_count_as_black() {
        let clear = Picture::new(1, 1, vec![255, 90, 3, 0]).unwrap();
        assert_eq!(l1(&clear, &grey(1, 1, &[0])), Some(0.0));
    }

    proptest! {
        #[test]
        fn l1_and_psnr_are_symmetric_and_bounded_and_l1_is_zero_only_for_equal_images(
            a in prop::collection::vec(any::<u8>(), 12), b in prop::collection::vec(any::<u8>(), 12),
        ) {
            let (x, y) = (grey(4, 3, &a), grey(4, 3, &b));
            let (difference, ratio) = (l1(&x, &y).unwrap(), psnr(&x, &y).unwrap());
            prop_assert_eq!(Some(difference), l1(&y, &x));
            prop_assert_eq!(Some(ratio), psnr(&y, &x));
            prop_assert!((0.0..=1.0).contains(&difference) && ratio >= 0.0);
            prop_assert_eq!(difference == 0.0, a == b);
            prop_assert_eq!(ratio.is_infinite(), a == b);
            // The mean square is never below the square of the mean.
            prop_assert!(ratio <= -20.0 * difference.log10() + 1e-9);
        }
    }
}
