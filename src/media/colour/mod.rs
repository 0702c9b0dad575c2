//! Colour: ICC profiles to sRGB, and the YUV of videos to and from RGB.

pub(crate) mod profile;
pub(crate) mod rgb;
pub(crate) mod yuv;
