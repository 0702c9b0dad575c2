//! The size limits of pictures.

/// The maximum number of pixels: 64 megapixels.
pub const MAX_PIXELS: u64 = 64_000_000;

/// The maximum number of pixels along a side.
pub const MAX_SIDE: u32 = 32_768;
