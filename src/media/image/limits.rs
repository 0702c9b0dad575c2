//! How large a picture may be.

/// The most pixels of a picture: 64 megapixels.
pub const MAX_PIXELS: u64 = 64_000_000;

/// The most pixels along a side.
pub const MAX_SIDE: u32 = 32_768;
