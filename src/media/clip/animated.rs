//! Animated PNG and WebP, composited by the `image` crate.
//!
//! Its frame iterator isn't `Send`, but a clip is, so the iterator runs in a thread that sends one frame at a time.

use std::fs::File;
use std::io::{BufReader, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, Frame, ImageDecoder, ImageError};

use crate::media::clip::chunks::{Count, count_png, count_webp};
use crate::media::clip::frames::{
    ClipFrame, ClipInfo, Frames, Opened, animation_delay, damaged, damaged_frame,
};
use crate::media::colour::profile as colour;
use crate::media::error::MediaError;
use crate::media::image::Picture;
use crate::media::image::open::{check_profile, check_size};

type Source = BufReader<File>;

/// Opens an animated PNG.
pub(super) fn open_png(path: &Path, mut file: File) -> Result<Opened, MediaError> {
    check_profile(path, &mut file)?;
    open(path, file, count_png, play_png)
}

/// Opens an animated WebP.
pub(super) fn open_webp(path: &Path, file: File) -> Result<Opened, MediaError> {
    open(path, file, count_webp, play_webp)
}

fn open(
    path: &Path,
    mut file: File,
    count: fn(&mut Source) -> Option<Count>,
    play: fn(Source, &mut Player) -> Result<(), ImageError>,
) -> Result<Opened, MediaError> {
    let reading = |e| MediaError::reading(path, e);
    file.rewind().map_err(reading)?;
    let mut source = BufReader::new(file);
    let count = count(&mut source).ok_or_else(|| damaged(path, "its last part is missing"))?;
    source.rewind().map_err(reading)?;

    if !count.is_animated || (count.is_whole && count.frames == 1) {
        return Err(MediaError::StillPicture {
            path: path.to_owned(),
        });
    }
    check_size(path, count.size.0, count.size.1)?;
    if count.is_whole && count.frames == 0 {
        return Err(MediaError::NoFramesIn {
            path: path.to_owned(),
        });
    }
    let mut info = ClipInfo::counted(count.size, count.frames, count.seconds);
    if !count.is_whole {
        (info.frames, info.seconds) = (None, None);
    }

    // A rendezvous channel: one frame is decoded ahead while another is used.
    let (sender, receiver) = sync_channel(0);
    let mut player = Player {
        sender,
        size: count.size,
        profile: None,
    };
    thread::Builder::new()
        .name("animation".to_owned())
        .spawn(move || {
            let played = catch_unwind(AssertUnwindSafe(|| play(source, &mut player)));
            let reason = match played {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "its data are invalid".to_owned(),
            };
            // The receiver is gone if the clip was dropped.
            let _ = player.sender.send(Err(reason));
        })
        .map_err(reading)?;
    let expected = count.is_whole.then_some(count.frames);
    Ok((
        info,
        Box::new(Animation {
            path: path.to_owned(),
            receiver,
            size: count.size,
            expected,
            given: 0,
            time: 0.0,
        }),
    ))
}

/// A composited frame, `[height, width, 4]`, and its duration in seconds; or an error message.
type Played = Result<(Vec<u8>, f64), String>;

/// The decoding thread's side of an animation.
struct Player {
    sender: SyncSender<Played>,
    size: (u32, u32),
    profile: Option<Vec<u8>>,
}

impl Player {
    /// Sends every frame until the clip is dropped.
    fn play(
        &mut self,
        frames: impl Iterator<Item = Result<Frame, ImageError>>,
    ) -> Result<(), ImageError> {
        for frame in frames {
            let frame = frame?;
            let (numerator, denominator) = frame.delay().numer_denom_ms();
            let seconds = f64::from(numerator) / f64::from(denominator.max(1)) / 1000.0;
            let pixels = frame.into_buffer();
            let played = if pixels.dimensions() == self.size {
                let mut rgba = pixels.into_raw();
                if let Some(profile) = &self.profile {
                    colour::to_srgb(&mut rgba, profile);
                }
                Ok((rgba, animation_delay(seconds)))
            } else {
                Err("its size differs".to_owned())
            };
            if self.sender.send(played).is_err() {
                break;
            }
        }
        Ok(())
    }
}

fn play_png(source: Source, player: &mut Player) -> Result<(), ImageError> {
    let mut decoder = PngDecoder::new(source)?;
    player.profile = decoder.icc_profile().ok().flatten();
    player.play(decoder.apng()?.into_frames())
}

fn play_webp(source: Source, player: &mut Player) -> Result<(), ImageError> {
    let mut decoder = WebPDecoder::new(source)?;
    player.profile = decoder.icc_profile().ok().flatten();
    player.play(decoder.into_frames())
}

/// The receiving side of an animation.
struct Animation {
    path: PathBuf,
    receiver: Receiver<Played>,
    size: (u32, u32),
    /// The number of frames in the file, if known.
    expected: Option<usize>,
    given: usize,
    time: f64,
}

impl Frames for Animation {
    fn next(&mut self) -> Option<Result<ClipFrame, MediaError>> {
        let fail = |reason: &str| Some(Err(damaged_frame(&self.path, self.given, reason)));
        match self.receiver.recv() {
            Ok(Ok((rgba, seconds))) => {
                let time = self.time;
                self.time += seconds;
                self.given += 1;
                Some(
                    Picture::new(self.size.0, self.size.1, rgba)
                        .map(|picture| ClipFrame { picture, time }),
                )
            }
            Ok(Err(reason)) => fail(&reason),
            // The thread has ended.
            Err(_) if self.expected.is_none_or(|frames| self.given < frames) => {
                fail("it is missing")
            }
            Err(_) => None,
        }
    }
}
