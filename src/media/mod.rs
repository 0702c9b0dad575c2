//! Pictures and clips, in and out.
//!
//! Inside Mien a picture is always [`Picture`]: 8-bit RGBA, sRGB, straight alpha. [`open`] makes one of any file that artists
//! have, whatever its colour space, depth and orientation; [`save_png`], [`save_jpeg_with`],
//! [`save_webp_with`], [`PngSequence`], [`GifSink`], [`ApngSink`], [`WebpSink`] and [`Mp4Sink`] write them. Every writer works on a hidden file beside the target and renames it at the end, so that an export which fails or is
//! cancelled leaves whatever was there before. [`Clip`] reads films, animations and numbered pictures frame by frame, and [`Sound`] takes what is heard of
//! them into an [`Mp4Sink`].

mod apng;
pub(crate) mod beside;
mod changes;
mod clip;
mod colour;
mod error;
mod gif;
mod gif_frame;
mod gif_palette;
mod mp4;
mod mp4_boxes;
mod mp4_index;
mod open;
mod picture;
mod png;
mod provenance;
mod rate;
mod sequence;
mod sink;
mod sniff;
mod still;
mod time;
mod webp;
mod webp_chunks;
mod yuv;

pub use apng::{ApngSettings, ApngSink};
pub use beside::Beside;
pub use clip::{AudioPart, AudioTrack, Clip, ClipFrame, ClipInfo, CutError, NUMBERED_FPS, Sound};
pub use error::MediaError;
pub use gif::{GifSettings, GifSink, LoopCount};
pub use mp4::{Mp4Settings, Mp4Sink};
pub use open::{MAX_PIXELS, MAX_SIDE, open, read};
pub use picture::Picture;
pub use png::{save_png, save_png_with};
pub use provenance::{
    Found, Provenance, ProvenanceError, SourceType, read as read_provenance,
    read_from as read_provenance_from,
};
pub use rate::{ANIMATION_MAX_FPS, GIF_MAX_FPS, MAX_FPS, MIN_FPS, fps_to_rational};
pub use sequence::{PngSequence, frame_path};
pub use sink::FrameSink;
pub use still::{JPEG_QUALITY, save_jpeg_with, save_webp_with};
pub use time::{NotATime, parse_time};
pub use webp::{WebpSettings, WebpSink};
