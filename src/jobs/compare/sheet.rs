//! The layout of a sheet: number and size of panes, crops of the pictures, and which frames.

use crate::document::Crop;
use crate::error::EngineError;
use crate::face::{TurnedSquare, network_input};
use crate::media::image::Picture;
use crate::methods::subject::square;

/// How a comparison is laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sheet {
    /// Side of a pane in pixels.
    pub size: u32,
    /// Panes per row of a moving sheet; `None` chooses automatically.
    pub columns: Option<usize>,
    /// Number of frames in a still sheet, from top to bottom.
    pub rows: usize,
    /// Whether every pane has a label.
    pub labels: bool,
}

/// Cuts a square from a picture, scaled to `size` pixels a side.
///
/// # Errors
/// [`EngineError::Network`] when it isn't within the picture.
pub(crate) fn cut(
    picture: &Picture,
    place: impl Into<TurnedSquare>,
    size: u32,
) -> Result<Picture, EngineError> {
    let planes = network_input(picture, place, size as usize)?;
    let area = size as usize * size as usize;
    let level = |value: f32| (value * 127.5 + 127.5).round() as u8;
    let rgba = (0..area)
        .flat_map(|i| {
            let [r, g, b] = [0, 1, 2].map(|c| level(planes[c * area + i]));
            [r, g, b, 255]
        })
        .collect();
    Ok(Picture::new(size, size, rgba)?)
}

/// [`cut`] for a document's crop.
///
/// # Errors
/// [`EngineError::Network`] when it isn't within the picture.
pub(crate) fn cut_crop(picture: &Picture, crop: Crop, size: u32) -> Result<Picture, EngineError> {
    cut(picture, square(crop), size)
}

/// `wanted` of `count` indices, evenly spaced, including the first and the last.
pub(crate) fn evenly_spaced(count: usize, wanted: usize) -> Vec<usize> {
    if wanted >= count {
        return (0..count).collect();
    }
    if wanted <= 1 {
        // A single frame is taken from the middle, which shows more than an end.
        return vec![count / 2];
    }
    (0..wanted)
        .map(|i| (i * (count - 1) + (wanted - 1) / 2) / (wanted - 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sheet_frames_are_evenly_spaced_and_include_both_ends(count in 1usize..300, wanted in 2usize..40) {
            let chosen = evenly_spaced(count, wanted);
            prop_assert_eq!(chosen.len(), wanted.min(count));
            prop_assert_eq!((chosen[0], chosen[chosen.len() - 1]), (0, count - 1));
            let steps: Vec<usize> = chosen.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let (least, most) = (steps.iter().min(), steps.iter().max());
            prop_assert!(most.unwrap_or(&1) - least.unwrap_or(&1) <= 1);
            prop_assert_eq!(evenly_spaced(count, 1), vec![if count == 1 { 0 } else { count / 2 }]);
        }
    }
}
