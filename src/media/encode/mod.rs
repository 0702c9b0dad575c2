//! Encoders for stills, animations, sequences and MP4.

mod apng;
mod changes;
mod gif;
mod gif_frame;
mod gif_palette;
mod mp4;
mod mp4_boxes;
mod mp4_index;
mod png;
mod rate;
mod sequence;
mod sink;
mod still;
mod webp;
mod webp_chunks;

pub use apng::{ApngSettings, ApngSink};
pub use gif::{GifSettings, GifSink, LoopCount};
pub use mp4::{Mp4Settings, Mp4Sink};
pub(crate) use png::write as write_png;
pub use png::{save_png, save_png_with};
pub use rate::{ANIMATION_MAX_FPS, GIF_MAX_FPS, MAX_FPS, MIN_FPS, fps_to_rational};
pub use sequence::{PngSequence, existing_frames, frame_path};
pub use sink::FrameSink;
pub use still::{JPEG_QUALITY, save_jpeg_with, save_webp_with};
pub use webp::{WebpSettings, WebpSink};
