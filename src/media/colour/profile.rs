//! Conversion from an embedded ICC profile to sRGB.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};
use rayon::prelude::*;

/// Levels by which a transform may differ from identity; the sRGB profiles in circulation differ by rounding.
const MAX_IDENTITY_DIFFERENCE: u8 = 2;

/// Pixels that a thread converts at a time.
const CHUNK: usize = 1 << 16;

/// Converts straight-alpha `rgba` in place from the colour space of the profile `icc` to sRGB; alpha is unchanged.
///
/// Pixels of an sRGB profile stay unchanged to the byte. So do those of a profile that can't be parsed, or that doesn't
/// fit the decoded channels (a CMYK profile, since decoders output RGB).
pub(crate) fn to_srgb(rgba: &mut [u8], icc: &[u8]) {
    let Ok(profile) = ColorProfile::new_from_slice(icc) else {
        return;
    };
    let srgb = ColorProfile::new_srgb();

    let (layout, channels) = match profile.color_space {
        DataColorSpace::Rgb => (Layout::Rgb, 3),
        DataColorSpace::Gray => (Layout::Gray, 1),
        _ => return,
    };
    let Ok(transform) =
        profile.create_transform_8bit(layout, &srgb, Layout::Rgb, TransformOptions::default())
    else {
        return;
    };
    let convert = |source: &[u8], result: &mut [u8]| transform.transform(source, result).is_ok();
    if is_identity(channels, convert) {
        return;
    }

    rgba.par_chunks_mut(CHUNK * 4).for_each(|pixels| {
        let source: Vec<u8> = pixels
            .chunks_exact(4)
            .flat_map(|p| p[..channels].iter().copied())
            .collect();
        let mut result = vec![0; pixels.len() / 4 * 3];
        if convert(&source, &mut result) {
            for (pixel, colour) in pixels.chunks_exact_mut(4).zip(result.chunks_exact(3)) {
                pixel[..3].copy_from_slice(colour);
            }
        }
    });
}

/// Whether a transform leaves a grid of colours unchanged.
fn is_identity(channels: usize, convert: impl Fn(&[u8], &mut [u8]) -> bool) -> bool {
    let steps = &[0u8, 8, 32, 64, 96, 128, 160, 192, 224, 255];
    let grid: Vec<[u8; 3]> = if channels == 1 {
        steps.iter().map(|&v| [v; 3]).collect()
    } else {
        steps
            .iter()
            .flat_map(|&r| {
                steps
                    .iter()
                    .flat_map(move |&g| steps.iter().map(move |&b| [r, g, b]))
            })
            .collect()
    };

    let source: Vec<u8> = grid
        .iter()
        .flat_map(|c| c[..channels].iter().copied())
        .collect();
    let mut result = vec![0; grid.len() * 3];
    convert(&source, &mut result)
        && grid
            .as_flattened()
            .iter()
            .zip(&result)
            .all(|(a, b)| a.abs_diff(*b) <= MAX_IDENTITY_DIFFERENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels() -> Vec<u8> {
        (0..=255u8).flat_map(|v| [v, 255 - v, v / 2, v]).collect()
    }

    #[test]
    fn srgb_keeps_its_bytes() {
        let icc = ColorProfile::new_srgb().encode().unwrap();
        let mut rgba = pixels();
        to_srgb(&mut rgba, &icc);
        assert_eq!(rgba, pixels());
    }

    #[test]
    fn display_p3_is_converted_and_alpha_stays() {
        let icc = ColorProfile::new_display_p3().encode().unwrap();
        let mut rgba = vec![200, 100, 50, 77];
        to_srgb(&mut rgba, &icc);
        // From the matrices of the two spaces: (200, 100, 50) in Display P3 is (215, 93, 31) in sRGB.
        for (found, expected) in rgba.iter().zip([215u8, 93, 31, 77]) {
            assert!(found.abs_diff(expected) <= 2, "{rgba:?}");
        }
        assert_eq!(rgba[3], 77);
    }

    #[test]
    fn a_broken_profile_changes_nothing() {
        let mut rgba = pixels();
        to_srgb(&mut rgba, b"not a profile");
        assert_eq!(rgba, pixels());
    }
}
