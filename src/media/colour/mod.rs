//! Colour: profiles to sRGB, and YUV of films to and from RGB.

pub(crate) mod profile;
pub(crate) mod rgb;
pub(crate) mod yuv;
