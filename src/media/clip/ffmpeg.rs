//! Clips that only the system's ffmpeg opens: it decodes, and its raw pixels are read through a pipe. ffmpeg is
//! optional.

use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};

use crate::media::clip::ffmpeg_process::{
    HANG_TIMEOUT, KillOnDrop, OutputFile, Tools, first_message, hung,
};
use crate::media::clip::frames::{ClipFrame, ClipInfo, Frames, Opened};
use crate::media::error::MediaError;
use crate::media::image::Picture;
use crate::media::image::open::check_size;
use crate::text;

/// Higher rates are errors of the container.
const MAX_FPS: f64 = 1000.0;

/// [`NUMBERED_FPS`](super::frames::NUMBERED_FPS) as a fraction.
const NUMBERED_RATE: (u32, u32) = (25, 1);

/// More frames than any clip has: a day at 48 frames a second. Timestamps in a file may request any number.
const MAX_FRAMES: usize = 1 << 22;

/// Opens a clip; `codec` is its name in messages, after "is".
pub(super) fn open(path: &Path, codec: &str) -> Result<Opened, MediaError> {
    let Some(tools) = Tools::find() else {
        return Err(MediaError::NeedsFfmpeg {
            path: path.to_owned(),
            codec: codec.to_owned(),
        });
    };
    let failed = |reason: &str| MediaError::Ffmpeg {
        path: path.to_owned(),
        codec: codec.to_owned(),
        reason: text::fault(&reason),
    };
    let probe = probe(&tools, path).map_err(|reason| failed(&reason))?;
    play(path, codec, &tools, &probe)
}

/// Opens a file of unknown type, if ffprobe finds a video in it.
pub(super) fn open_unknown(path: &Path) -> Result<Opened, MediaError> {
    let probed = Tools::find().and_then(|tools| Some((probe(&tools, path).ok()?, tools)));
    match probed {
        Some((probe, tools)) if !probe.codec.is_empty() => play(path, "a video", &tools, &probe),
        _ => Err(MediaError::NotAClip {
            path: path.to_owned(),
        }),
    }
}

fn play(path: &Path, codec: &str, tools: &Tools, probe: &Probe) -> Result<Opened, MediaError> {
    if probe.codec.is_empty() {
        return Err(MediaError::NoVideo {
            path: path.to_owned(),
            instead: "no video track",
        });
    }
    let (width, height) = probe.size;
    check_size(path, width, height)?;

    let (numerator, denominator) = probe.rate;
    // Scaling only matters if the size changes within the clip.
    // `setpts` is needed because a video may start before its first frame; the `fps` filter would then repeat that frame.
    let filter =
        format!("setpts=PTS-STARTPTS,fps={numerator}/{denominator},scale={width}:{height}");
    let fail = |e| MediaError::reading(path, e);
    let messages = OutputFile::new().map_err(fail)?;
    let mut command = tools.ffmpeg(path);
    command
        .args(["-map", "0:V:0", "-vf", &filter])
        .args(["-f", "rawvideo", "-pix_fmt", "rgba", "pipe:1"])
        .stdout(Stdio::piped())
        .stderr(messages.for_child().map_err(fail)?);
    let mut child = KillOnDrop(command.spawn().map_err(fail)?);
    let Some(pipe) = child.0.stdout.take() else {
        return Err(fail(ErrorKind::BrokenPipe.into()));
    };
    // A rendezvous channel: one frame is read ahead while another is used.
    let (tx, frames) = sync_channel(0);
    let bytes = width as usize * height as usize * 4;
    std::thread::Builder::new()
        .name("mien-ffmpeg".to_owned())
        .spawn(move || read(pipe, bytes, &tx))
        .map_err(fail)?;

    let fps = f64::from(numerator) / f64::from(denominator);
    let info = ClipInfo {
        width,
        height,
        fps,
        frames: None,
        seconds: probe.seconds,
    };
    Ok((
        info,
        Box::new(Pipe {
            path: path.to_owned(),
            codec: codec.to_owned(),
            child,
            frames,
            messages,
            size: probe.size,
            fps,
            given: 0,
        }),
    ))
}

/// Runs ffprobe on the first video stream that isn't a cover picture; the error is ffprobe's message.
fn probe(tools: &Tools, path: &Path) -> Result<Probe, String> {
    let entries = "stream=codec_name,width,height,avg_frame_rate,r_frame_rate,duration\
                   :stream_tags=rotate:stream_side_data=rotation:format=duration";
    let options = ["-select_streams", "V:0", "-show_entries", entries];
    let options = [&options[..], &["-of", "default=noprint_wrappers=1"]].concat();
    Ok(Probe::parse(&tools.probe(path, &options)?))
}

/// ffprobe's output.
#[derive(Debug, PartialEq)]
struct Probe {
    codec: String,
    /// Display size, after rotation.
    size: (u32, u32),
    /// Frames a second, as a fraction.
    rate: (u32, u32),
    seconds: Option<f64>,
}

impl Probe {
    /// Parses lines of `key=value`.
    fn parse(text: &str) -> Self {
        let all = |key: &'static str| {
            text.lines().filter_map(move |line| {
                let (found, value) = line.trim().split_once('=')?;
                (found == key).then_some(value)
            })
        };
        let first = |key| all(key).next().unwrap_or_default();
        let rate = |key| {
            let (numerator, denominator) = first(key).split_once('/')?;
            let (numerator, denominator) = (numerator.parse().ok()?, denominator.parse().ok()?);
            let fps = f64::from(numerator) / f64::from(denominator);
            (fps > 0.0 && fps <= MAX_FPS).then_some((numerator, denominator))
        };
        let side = |key| first(key).parse().unwrap_or(0);
        let turned = all("rotation")
            .chain(all("TAG:rotate"))
            .filter_map(|value| value.parse::<f64>().ok())
            .any(|degrees| {
                (degrees.abs() - 90.0).abs() < 45.0 || (degrees.abs() - 270.0).abs() < 45.0
            });
        let (width, height) = (side("width"), side("height"));
        Self {
            codec: first("codec_name").to_owned(),
            size: if turned {
                (height, width)
            } else {
                (width, height)
            },
            rate: rate("avg_frame_rate")
                .or_else(|| rate("r_frame_rate"))
                .unwrap_or(NUMBERED_RATE),
            seconds: all("duration")
                .filter_map(|value| value.parse().ok())
                .find(|seconds: &f64| seconds.is_finite() && *seconds > 0.0),
        }
    }
}

/// Raw frames from a running ffmpeg. They are read by a separate thread, so that a hanging ffmpeg can be detected.
struct Pipe {
    path: PathBuf,
    codec: String,
    child: KillOnDrop,
    frames: Receiver<io::Result<Vec<u8>>>,
    messages: OutputFile,
    size: (u32, u32),
    fps: f64,
    given: usize,
}

/// Reads whole frames until the end, then sends what there is of an incomplete one.
fn read(mut pipe: ChildStdout, bytes: usize, frames: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut rgba = Vec::with_capacity(bytes);
        let read = (&mut pipe).take(bytes as u64).read_to_end(&mut rgba);
        let is_last = !matches!(read, Ok(count) if count == bytes);
        // The receiver is gone once the clip is closed.
        if frames.send(read.map(|_| rgba)).is_err() || is_last {
            return;
        }
    }
}

impl Pipe {
    fn error(&mut self, reason: String) -> MediaError {
        let reason = match self.given {
            0 => reason,
            given => format!("{reason}, after {given} frames"),
        };
        MediaError::Ffmpeg {
            path: self.path.clone(),
            codec: self.codec.clone(),
            reason,
        }
    }

    fn complaint(&mut self) -> MediaError {
        let reason = first_message(&self.messages.read());
        self.error(reason)
    }
}

impl Frames for Pipe {
    fn next(&mut self) -> Option<Result<ClipFrame, MediaError>> {
        let (width, height) = self.size;
        if self.given >= MAX_FRAMES {
            let reason = format!("it has more than {MAX_FRAMES} frames");
            return Some(Err(self.error(reason)));
        }
        let rgba = match self.frames.recv_timeout(HANG_TIMEOUT) {
            Ok(Ok(rgba)) => rgba,
            Ok(Err(e)) => return Some(Err(MediaError::reading(&self.path, e))),
            Err(RecvTimeoutError::Timeout) => {
                self.child.end();
                return Some(Err(self.error(hung(HANG_TIMEOUT))));
            }
            Err(RecvTimeoutError::Disconnected) => Vec::new(),
        };
        if rgba.is_empty() {
            let has_succeeded = self.child.0.wait().is_ok_and(|status| status.success());
            return (!has_succeeded || self.given == 0).then(|| Err(self.complaint()));
        }
        if rgba.len() < width as usize * height as usize * 4 {
            return Some(Err(self.complaint()));
        }
        let time = self.given as f64 / self.fps;
        self.given += 1;
        Some(Picture::new(width, height, rgba).map(|picture| ClipFrame { picture, time }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_ffprobe_is_parsed() {
        let probe = Probe::parse(
            "codec_name=hevc\nwidth=1920\nheight=1080\nr_frame_rate=90000/1\navg_frame_rate=30000/1001\n\
             duration=N/A\nTAG:rotate=90\nrotation=-90\nduration=2.500000\n",
        );
        assert_eq!(
            probe,
            Probe {
                codec: "hevc".to_owned(),
                size: (1080, 1920),
                rate: (30000, 1001),
                seconds: Some(2.5),
            }
        );
        assert!(!probe.codec.is_empty());
        assert_eq!(Probe::parse("avg_frame_rate=0/0\n").rate, (25, 1));
    }
}
