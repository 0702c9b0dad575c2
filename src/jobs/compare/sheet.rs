//! What a sheet shows: how many panes of which size, which squares of the pictures, and which frames.

use crate::document::Crop;
use crate::error::EngineError;
use crate::face::{TurnedSquare, network_input};
use crate::media::image::Picture;
use crate::methods::subject::square;

/// How a comparison is laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sheet {
    /// Pixels a side of a pane.
    pub size: u32,
    /// Panes in a row of a moving sheet; as many as look well where it isn't said.
    pub columns: Option<usize>,
    /// Frames that a still sheet shows, from top to bottom.
    pub rows: usize,
    /// Whether every pane says what it is.
    pub labels: bool,
}

/// A square of a picture, scaled to `size` pixels a side.
///
/// # Errors
/// [`EngineError::Network`] when it doesn't lie within the picture.
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

/// [`cut`] of the square that a document's crop is.
///
/// # Errors
/// [`EngineError::Network`] when it doesn't lie within the picture.
pub(crate) fn cut_crop(picture: &Picture, crop: Crop, size: u32) -> Result<Picture, EngineError> {
    cut(picture, square(crop), size)
}

/// `wanted` of `count` indices, evenly spaced, the first and the last among them.
pub(crate) fn evenly_spaced(count: usize, wanted: usize) -> Vec<usize> {
    if wanted >= count {
        return (0..count).collect();
    }
    if wanted <= 1 {
        // The middle says more than an end.
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
        fn a_spread_is_even_and_reaches_both_ends(count in 1usize..300, wanted in 2usize..40) {
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
