//! The square of the portrait given to the network.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The face crop: left and top edge and side length, in pixels of the portrait, fractions included. For a tilted head
/// it may be rotated: `x` and `y` are then the edges before it is rotated about its centre.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Crop {
    /// The left edge.
    pub x: f32,
    /// The top edge.
    pub y: f32,
    /// The side length.
    pub side: f32,
    /// Radians, clockwise in the picture; 0 is upright.
    #[serde(default)]
    pub angle: f32,
}

/// Why a crop is rejected.
#[derive(Debug, Clone, PartialEq, Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum CropError {
    /// Not three or four numbers.
    #[error(
        "{0:?} is not a crop; write left, top and side in pixels of the portrait, such as 150,50,148, and after them the degrees clockwise if it is turned."
    )]
    Malformed(String),
    /// Partly or wholly outside the portrait.
    #[error(
        "The crop {x},{y},{side} reaches beyond the portrait of {width} x {height} pixels; keep the whole square inside it."
    )]
    Outside {
        x: f32,
        y: f32,
        side: f32,
        width: u32,
        height: u32,
    },
    /// A side below [`Crop::MIN_SIDE`].
    #[error("A crop of {0} pixels is too small for a face; make it at least {min} pixels wide.", min = Crop::MIN_SIDE)]
    TooSmall(f32),
    /// A portrait with a side below [`Crop::MIN_SIDE`].
    #[error("A portrait of {width} x {height} pixels is too small for a face; open one of at least {min} x {min} pixels.", min = Crop::MIN_SIDE)]
    PortraitTooSmall { width: u32, height: u32 },
}

impl Crop {
    /// The smallest accepted side, in pixels.
    pub const MIN_SIDE: f32 = 8.0;

    /// Parses `x,y,side`, or `x,y,side,degrees` for a crop rotated clockwise about its centre.
    ///
    /// # Errors
    /// [`CropError::Malformed`] unless the text is three or four finite numbers.
    pub fn parse(text: &str) -> Result<Crop, CropError> {
        let malformed = || CropError::Malformed(text.to_owned());
        let numbers: Vec<f32> = text
            .split(',')
            .map(|part| part.trim().parse::<f32>().map_err(|_| malformed()))
            .collect::<Result<_, _>>()?;
        match numbers[..] {
            [x, y, side] if numbers.iter().all(|n| n.is_finite()) => Ok(Crop {
                x,
                y,
                side,
                angle: 0.0,
            }),
            [x, y, side, degrees] if numbers.iter().all(|n| n.is_finite()) => Ok(Crop {
                x,
                y,
                side,
                angle: degrees.to_radians(),
            }),
            _ => Err(malformed()),
        }
    }

    /// The default crop where the face's position is unknown: centred horizontally, a little above the middle, its side
    /// 0.55 of the portrait's shorter side.
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
            angle: 0.0,
        };
        Ok(crop.fitted(width, height))
    }

    /// Returns the crop if it is within a portrait of this size. A rotated crop is always accepted and moved inside as
    /// by [`Crop::fitted`].
    ///
    /// # Errors
    /// [`CropError::TooSmall`] or [`CropError::Outside`].
    pub fn checked(self, width: u32, height: u32) -> Result<Crop, CropError> {
        // Written so that a NaN fails the test too.
        let side_holds = self.side >= Crop::MIN_SIDE;
        if !side_holds {
            return Err(CropError::TooSmall(self.side));
        }
        if self.angle != 0.0 {
            return Ok(self.fitted(width, height));
        }
        // Computed values may exceed the portrait by a rounding error.
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

    /// Returns the nearest crop within a portrait of this size: clamps the side, then the position. In a portrait
    /// smaller than [`Crop::MIN_SIDE`] the side is the portrait's shorter side. Of a rotated crop only the centre is
    /// clamped; its corners may be outside.
    pub fn fitted(self, width: u32, height: u32) -> Crop {
        let (width, height) = (width as f32, height as f32);
        let largest = width.min(height);
        let side = self.side.max(Crop::MIN_SIDE).min(largest);
        if self.angle != 0.0 && self.angle.is_finite() {
            let (x, y) = self.middle();
            return Crop {
                x: x.max(0.0).min(width) - 0.5 * side,
                y: y.max(0.0).min(height) - 0.5 * side,
                side,
                angle: self.angle,
            };
        }
        Crop {
            x: self.x.max(0.0).min(width - side),
            y: self.y.max(0.0).min(height - side),
            side,
            angle: 0.0,
        }
    }

    /// The crop's centre, about which it is rotated.
    pub fn middle(&self) -> (f32, f32) {
        (self.x + 0.5 * self.side, self.y + 0.5 * self.side)
    }

    /// Maps a point of the portrait to coordinates in which the crop is upright, rotated about the crop's centre.
    pub fn upright(&self, (x, y): (f64, f64)) -> (f64, f64) {
        self.turned_by(-f64::from(self.angle), (x, y))
    }

    /// Maps a point from those upright coordinates back to the portrait.
    pub fn turned(&self, place: (f64, f64)) -> (f64, f64) {
        self.turned_by(f64::from(self.angle), place)
    }

    /// Maps a crop that was moved or resized in those upright coordinates back to the portrait, with this crop's angle.
    pub fn with_upright(&self, crop: Crop) -> Crop {
        let (x, y) = crop.middle();
        let middle = self.turned((f64::from(x), f64::from(y)));
        Crop {
            x: middle.0 as f32 - 0.5 * crop.side,
            y: middle.1 as f32 - 0.5 * crop.side,
            side: crop.side,
            angle: self.angle,
        }
    }

    fn turned_by(&self, angle: f64, (x, y): (f64, f64)) -> (f64, f64) {
        let (mx, my) = self.middle();
        let (mx, my) = (f64::from(mx), f64::from(my));
        let (sin, cos) = angle.sin_cos();
        let (dx, dy) = (x - mx, y - my);
        (mx + dx * cos - dy * sin, my + dx * sin + dy * cos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_crop_is_parsed_from_text_or_refused() {
        assert_eq!(
            Crop::parse("1, 2.5,30"),
            Ok(Crop {
                x: 1.0,
                y: 2.5,
                side: 30.0,
                angle: 0.0
            })
        );
        let turned = Crop::parse("1,2,30,90").unwrap();
        assert!((turned.angle - std::f32::consts::FRAC_PI_2).abs() < 1e-6);
        for text in ["", "1,2", "1,2,3,4,5", "a,b,c", "1,2,NaN", "1,2,inf"] {
            assert!(Crop::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_fitted_crop_lies_within_the_image_and_fitting_again_changes_nothing(
            x in -500f32..500.0, y in -500f32..500.0, side in -10f32..900.0,
            width in 8u32..600, height in 8u32..600,
        ) {
            let crop = Crop { x, y, side, angle: 0.0 }.fitted(width, height);
            prop_assert!(crop.checked(width, height).is_ok(), "{crop:?}");
            prop_assert_eq!(crop.fitted(width, height), crop);
        }

        #[test]
        fn fitting_a_rotated_crop_keeps_its_angle_and_its_centre_inside_the_image(
            x in -500f32..500.0, y in -500f32..500.0, side in 1f32..900.0, angle in 0.1f32..3.0,
        ) {
            let crop = Crop { x, y, side, angle }.fitted(300, 200);
            let middle = crop.middle();
            prop_assert!((-0.01..=300.01).contains(&middle.0) && (-0.01..=200.01).contains(&middle.1));
            prop_assert_eq!(crop.angle, angle);
            prop_assert!(crop.checked(300, 200).is_ok());
            // Without a move, it is unchanged.
            let same = crop.with_upright(crop);
            prop_assert!((same.x - crop.x).abs() < 0.01 && (same.y - crop.y).abs() < 0.01);
        }

        #[test]
        fn a_guessed_crop_lies_within_the_image(width in 8u32..9000, height in 8u32..9000) {
            let crop = Crop::guess(width, height).unwrap();
            prop_assert_eq!(crop.checked(width, height), Ok(crop));
        }
    }
}
