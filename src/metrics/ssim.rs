//! The structural similarity of Wang, Bovik, Sheikh and Simoncelli (IEEE Transactions on Image Processing, 2004).

use super::pixels::colours;
use crate::media::image::Picture;

/// Side of the window, and standard deviation of the Gaussian, in pixels (section III-B).
const WINDOW: usize = 11;
const SIGMA: f64 = 1.5;

/// Stabilise the ratios where luminance or contrast is close to 0, for levels in 0..=1: (0.01 L)^2, (0.03 L)^2.
const C1: f64 = 0.0001;
const C2: f64 = 0.0009;

/// Weights of red, green and blue in the luma (ITU-R BT.601), as in the authors' own code.
const LUMA: [f64; 3] = [0.299, 0.587, 0.114];

/// The mean structural similarity of two pictures' luma, in -1..=1: 1 for the same, about 0 for unrelated structure
/// (Eq. 13 and 17, with the 11 x 11 Gaussian window of deviation 1.5, K1 = 0.01, K2 = 0.03, over all windows inside the
/// picture). Transparent pixels count as black. `None` if the sizes differ or a side has fewer than 11 pixels.
pub fn ssim(a: &Picture, b: &Picture) -> Option<f64> {
    let (width, height) = (a.width() as usize, a.height() as usize);
    if a.size() != b.size() || width.min(height) < WINDOW {
        return None;
    }
    let (a, b) = (luma(a), luma(b));
    let product =
        |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a * b).collect() };
    let blurred = |plane: &[f64]| blur(plane, width);
    let (mean_a, mean_b) = (blurred(&a), blurred(&b));
    let squares_a = blurred(&product(&a, &a));
    let squares_b = blurred(&product(&b, &b));
    let products = blurred(&product(&a, &b));

    let count = mean_a.len();
    let sum: f64 = (0..count)
        .map(|i| {
            let (ma, mb) = (mean_a[i], mean_b[i]);
            let variance = (squares_a[i] - ma * ma) + (squares_b[i] - mb * mb);
            let covariance = products[i] - ma * mb;
            let light = (2.0 * ma * mb + C1) / (ma * ma + mb * mb + C1);
            light * (2.0 * covariance + C2) / (variance + C2)
        })
        .sum();
    Some((sum / count as f64).clamp(-1.0, 1.0))
}

fn luma(picture: &Picture) -> Vec<f64> {
    colours(picture)
        .map(|colour| (0..3).map(|i| LUMA[i] * colour[i]).sum())
        .collect()
}

/// The window's weights along one axis; the window is their outer product.
fn weights() -> [f64; WINDOW] {
    let bell: [f64; WINDOW] = std::array::from_fn(|i| {
        let from_middle = i as f64 - (WINDOW / 2) as f64;
        (-0.5 * (from_middle / SIGMA).powi(2)).exp()
    });
    let sum: f64 = bell.iter().sum();
    bell.map(|weight| weight / sum)
}

/// The weighted mean of every window inside the plane, row by row; the plane is at least as wide and high as a window.
fn blur(plane: &[f64], width: usize) -> Vec<f64> {
    let weights = weights();
    let across: Vec<f64> = plane
        .chunks_exact(width)
        .flat_map(|row| {
            row.windows(WINDOW)
                .map(|window| window.iter().zip(&weights).map(|(v, w)| v * w).sum())
        })
        .collect();
    let width = width - WINDOW + 1;
    let rows: Vec<&[f64]> = across.chunks_exact(width).collect();
    rows.windows(WINDOW)
        .flat_map(|window| {
            (0..width).map(|x| window.iter().zip(&weights).map(|(row, w)| row[x] * w).sum())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::pixels::tests::grey;
    use super::*;
    use proptest::prelude::*;

    /// Every window separately, directly from the paper.
    fn naive(a: &[u8], b: &[u8], width: usize, height: usize) -> f64 {
        let mut total = 0.0;
        let mut count = 0.0;
        for top in 0..=height - 11 {
            for left in 0..=width - 11 {
                let mut window = Vec::new();
                for y in 0..11 {
                    for x in 0..11 {
                        let (dx, dy) = (x as f64 - 5.0, y as f64 - 5.0);
                        let weight = (-(dx * dx + dy * dy) / (2.0 * 1.5 * 1.5)).exp();
                        let at = (top + y) * width + left + x;
                        window.push((weight, f64::from(a[at]), f64::from(b[at])));
                    }
                }
                let sum: f64 = window.iter().map(|(w, _, _)| w).sum();
                let mean = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
                    window.iter().map(|(w, a, b)| w * f(*a, *b)).sum::<f64>() / sum
                };
                let (ma, mb) = (mean(&|a, _| a), mean(&|_, b| b));
                let va = mean(&|a, _| (a - ma) * (a - ma));
                let vb = mean(&|_, b| (b - mb) * (b - mb));
                let cov = mean(&|a, b| (a - ma) * (b - mb));
                let (c1, c2) = ((0.01 * 255.0_f64).powi(2), (0.03 * 255.0_f64).powi(2));
                total += (2.0 * ma * mb + c1) * (2.0 * cov + c2)
                    / ((ma * ma + mb * mb + c1) * (va + vb + c2));
                count += 1.0;
            }
        }
        total / count
    }

    #[test]
    fn ssim_agrees_with_known_values() {
        let (black, white) = (grey(11, 11, &[0; 121]), grey(11, 11, &[255; 121]));
        // Without contrast only the luminance is compared: C1 / (1 + C1).
        assert!((ssim(&black, &white).unwrap() - C1 / (1.0 + C1)).abs() < 1e-9);
        let checkers: Vec<u8> = (0..400).map(|i| 255 * ((i + i / 20) % 2) as u8).collect();
        let other: Vec<u8> = checkers.iter().map(|v| 255 - v).collect();
        let opposite = ssim(&grey(20, 20, &checkers), &grey(20, 20, &other)).unwrap();
        assert!(opposite < -0.95, "{opposite}");
        assert_eq!(
            ssim(&grey(10, 12, &[0; 120]), &grey(10, 12, &[0; 120])),
            None
        );
        assert_eq!(ssim(&black, &grey(121, 1, &[0; 121])), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn ssim_agrees_with_a_naive_implementation_of_its_paper(
            width in 11usize..19, height in 11usize..17, seed in prop::collection::vec(any::<u8>(), 2 * 18 * 16),
        ) {
            let area = width * height;
            let (a, b) = (&seed[..area], &seed[seed.len() - area..]);
            let (x, y) = (grey(width as u32, height as u32, a), grey(width as u32, height as u32, b));
            let found = ssim(&x, &y).unwrap();
            prop_assert!((found - naive(a, b, width, height)).abs() < 1e-9);
            prop_assert_eq!(Some(found), ssim(&y, &x));
            prop_assert!((-1.0..=1.0).contains(&found));
            prop_assert!((ssim(&x, &x).unwrap() - 1.0).abs() < 1e-12);
        }
    }
}
