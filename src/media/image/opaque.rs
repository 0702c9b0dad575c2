//! Compositing transparent pixels for networks, which have no alpha channel.

/// The background of transparent pixels in the input of networks, in 0..=255.
pub(crate) const GREY: f32 = 127.5;

/// A pixel's colour over [`GREY`], in 0..=255.
pub(crate) fn over_grey([r, g, b, a]: [u8; 4]) -> [f32; 3] {
    let alpha = f32::from(a) / 255.0;
    [r, g, b].map(|v| f32::from(v) * alpha + GREY * (1.0 - alpha))
}
