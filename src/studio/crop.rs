//! The square of the portrait that the network sees.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The face crop: left and top edge and side, in pixels of the portrait; fractions of a pixel are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Crop {
    pub x: f32,
    pub y: f32,
    pub side: f32,
}

/// What can be wrong with a crop that somebody wrote.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum CropError {
    #[error(
        "{0:?} is not a crop; write left, top and side in pixels of the portrait, such as 150,50,148."
    )]
    Malformed(String),
    #[error(
        "the crop {x},{y},{side} does not lie within the portrait of {width} x {height} pixels; keep the whole square inside it."
    )]
    Outside {
        x: f32,
        y: f32,
        side: f32,
        width: u32,
        height: u32,
    },
    #[error("the crop's side of {0} pixels is too small to hold a face; make it at least {min} pixels.", min = Crop::MIN_SIDE)]
    TooSmall(f32),
    #[error("a portrait of {width} x {height} pixels is too small to hold a face; open one of at least {min} pixels a side.", min = Crop::MIN_SIDE)]
    PortraitTooSmall { width: u32, height: u32 },
}

impl Crop {
    /// The smallest side that is accepted, in pixels.
    pub const MIN_SIDE: f32 = 8.0;

    /// Reads `x,y,side`.
    ///
    /// # Errors
    /// [`CropError::Malformed`] unless the text is three finite numbers.
    pub fn parse(text: &str) -> Result<Crop, CropError> {
        let malformed = || CropError::Malformed(text.to_owned());
        let numbers: Vec<f32> = text
            .split(',')
            .map(|part| part.trim().parse::<f32>().map_err(|_| malformed()))
            .collect::<Result<_, _>>()?;
        match numbers[..] {
            [x, y, side] if numbers.iter().all(|n| n.is_finite()) => Ok(Crop { x, y, side }),
            _ => Err(malformed()),
        }
    }

    /// A guess where nothing is known of the face: centred, a little above the middle, half the shorter side wide.
    ///
    /// # Errors
    /// [`CropError::PortraitTooSmall`] when no square of [`Crop::MIN_SIDE`] fits.
    pub fn guess(width: u32, height: u32) -> Result<Crop, CropError> {
        let shorter = width.min(height) as f32;
        if shorter < Crop::MIN_SIDE {
            return Err(CropError::PortraitTooSmall { width, height });
        }
        let side = (shorter * 0.55).max(Crop::MIN_SIDE);
        let crop = Crop {
            x: (width as f32 - side) * 0.5,
            y: (height as f32 - side) * 0.35,
            side,
        };
        Ok(crop.fitted(width, height))
    }

    /// The crop itself when it lies within a portrait of this size.
    ///
    /// # Errors
    /// [`CropError::TooSmall`] or [`CropError::Outside`].
    pub fn checked(self, width: u32, height: u32) -> Result<Crop, CropError> {
        // Written so that a NaN fails the test too.
        let side_holds = self.side >= Crop::MIN_SIDE;
        if !side_holds {
            return Err(CropError::TooSmall(self.side));
        }
        // Numbers that were computed may stick out by a rounding error.
        let slack = 1e-3;
        let inside = self.x >= -slack
            && self.y >= -slack
            && self.x + self.side <= width as f32 + slack
            && self.y + self.side <= height as f32 + slack;
        if inside {
            Ok(self.fitted(width, height))
        } else {
            Err(CropError::Outside {
                x: self.x,
                y: self.y,
                side: self.side,
                width,
                height,
            })
        }
    }

    /// The nearest crop that lies within a portrait of this size: first the side, then the place is brought in.
    /// A portrait smaller than [`Crop::MIN_SIDE`] gives its own shorter side.
    pub fn fitted(self, width: u32, height: u32) -> Crop {
        let (width, height) = (width as f32, height as f32);
        let largest = width.min(height);
        let side = self.side.max(Crop::MIN_SIDE).min(largest);
        Crop {
            x: self.x.max(0.0).min(width - side),
            y: self.y.max(0.0).min(height - side),
            side,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_read_or_refused() {
        assert_eq!(
            Crop::parse("1, 2.5,30"),
            Ok(Crop {
                x: 1.0,
                y: 2.5,
                side: 30.0
            })
        );
        for text in ["", "1,2", "1,2,3,4", "a,b,c", "1,2,NaN", "1,2,inf"] {
            assert!(Crop::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn fitted_lies_within_and_keeps_what_already_does(
            x in -500f32..500.0, y in -500f32..500.0, side in -10f32..900.0,
            width in 8u32..600, height in 8u32..600,
        ) {
            let crop = Crop { x, y, side }.fitted(width, height);
            prop_assert!(crop.checked(width, height).is_ok(), "{crop:?}");
            prop_assert_eq!(crop.fitted(width, height), crop);
        }

        #[test]
        fn a_guess_is_always_inside(width in 8u32..9000, height in 8u32..9000) {
            let crop = Crop::guess(width, height).unwrap();
            prop_assert_eq!(crop.checked(width, height), Ok(crop));
        }
    }
}
