//! Clips that only the system's ffmpeg opens: it decodes, and hands over raw pixels through a pipe. Nothing requires it.

use std::env;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::media::clip::frames::{ClipFrame, ClipInfo, Frames, NUMBERED_FPS, Opened};
use crate::media::error::MediaError;
use crate::media::error::one_line;
use crate::media::image::Picture;
use crate::media::image::open::check_size;

/// Rates above are mistakes of the container.
const MAX_FPS: f64 = 1000.0;

/// Formats of ffmpeg's that make pictures, or a film of any text.
const NO_CLIPS: [&str; 5] = ["tty", "image2", "_pipe", "bin", "lrc"];

/// Opens a clip that is `codec`, which fits behind "is".
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
        reason: one_line(reason),
    };
    let probe = tools.probe(path).map_err(|reason| failed(&reason))?;
    play(path, codec, &tools, &probe)
}

/// Opens a file that may or may not be a clip.
pub(super) fn open_unknown(path: &Path) -> Result<Opened, MediaError> {
    let probed = Tools::find().and_then(|tools| Some((tools.probe(path).ok()?, tools)));
    match probed {
        Some((probe, tools)) if probe.is_clip() => play(path, "a video", &tools, &probe),
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
    // The scale only matters where the size changes within the clip.
    // A film may begin before its first frame, and would have that frame more than once.
    let filter =
        format!("setpts=PTS-STARTPTS,fps={numerator}/{denominator},scale={width}:{height}");
    let fail = |e| MediaError::reading(path, e);
    let messages = tempfile::tempfile().map_err(fail)?;
    let mut child = Command::new(&tools.ffmpeg)
        .args([
            "-v",
            "error",
            "-nostdin",
            "-protocol_whitelist",
            "file,pipe",
            "-i",
        ])
        .arg(as_url(path))
        .args(["-map", "0:V:0", "-vf", &filter])
        .args(["-f", "rawvideo", "-pix_fmt", "rgba", "pipe:1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(messages.try_clone().map_err(fail)?)
        .spawn()
        .map_err(fail)?;
    let Some(pipe) = child.stdout.take() else {
        return Err(fail(ErrorKind::BrokenPipe.into()));
    };

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
            pipe,
            messages,
            size: probe.size,
            fps,
            given: 0,
        }),
    ))
}

/// A path that no program takes for an option or an address.
pub(super) fn as_url(path: &Path) -> std::ffi::OsString {
    let mut url = std::ffi::OsString::from("file:");
    url.push(path);
    url
}

/// Where the programs are.
pub(super) struct Tools {
    pub(super) ffmpeg: PathBuf,
    pub(super) ffprobe: PathBuf,
}

impl Tools {
    /// Both, or nothing.
    pub(super) fn find() -> Option<Self> {
        let folders = env::var_os("PATH")?;
        let find = |name: &str| {
            let name = format!("{name}{}", env::consts::EXE_SUFFIX);
            env::split_paths(&folders)
                // A relative entry would run whatever lies where the artist works.
                .filter(|folder| folder.is_absolute())
                .map(|folder| folder.join(&name))
                .find(|program| program.is_file())
        };
        Some(Self {
            ffmpeg: find("ffmpeg")?,
            ffprobe: find("ffprobe")?,
        })
    }

    /// What ffprobe says of the first video that isn't a cover picture; the error is its own.
    fn probe(&self, path: &Path) -> Result<Probe, String> {
        let entries = "stream=codec_name,width,height,avg_frame_rate,r_frame_rate,duration\
                       :stream_tags=rotate:stream_side_data=rotation:format=format_name,duration";
        let output = Command::new(&self.ffprobe)
            .args(["-v", "error", "-protocol_whitelist", "file,pipe"])
            .args(["-select_streams", "V:0", "-show_entries", entries])
            .args(["-of", "default=noprint_wrappers=1"])
            .arg(as_url(path))
            .stdin(Stdio::null())
            .output()
            .map_err(|e| e.to_string())?;
        if !output.status.success() {
            return Err(first_message(&String::from_utf8_lossy(&output.stderr)));
        }
        Ok(Probe::parse(&String::from_utf8_lossy(&output.stdout)))
    }
}

/// What ffprobe says.
#[derive(Debug, PartialEq)]
struct Probe {
    format: String,
    codec: String,
    /// As shown.
    size: (u32, u32),
    /// Frames a second, as a fraction.
    rate: (u32, u32),
    seconds: Option<f64>,
}

impl Probe {
    /// Reads lines of `key=value`.
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
            format: first("format_name").to_owned(),
            codec: first("codec_name").to_owned(),
            size: if turned {
                (height, width)
            } else {
                (width, height)
            },
            rate: rate("avg_frame_rate")
                .or_else(|| rate("r_frame_rate"))
                .unwrap_or((NUMBERED_FPS as u32, 1)),
            seconds: all("duration")
                .filter_map(|value| value.parse().ok())
                .find(|seconds: &f64| seconds.is_finite() && *seconds > 0.0),
        }
    }

    fn is_clip(&self) -> bool {
        !self.codec.is_empty() && !NO_CLIPS.iter().any(|no_clip| self.format.contains(no_clip))
    }
}

/// What ffmpeg said first, which is nearest to the cause, without the address of the part of it that did.
pub(super) fn first_message(messages: &str) -> String {
    let line = messages
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it gave no reason");
    let line = line.rsplit_once("] ").map_or(line, |(_, message)| message);
    // "file:/a/b.webm: Invalid data": the sentence names the file already.
    let line = match line.strip_prefix("file:") {
        Some(rest) => rest.rsplit_once(": ").map_or(rest, |(_, message)| message),
        None => line,
    };
    one_line(line)
}

/// Raw frames from a running ffmpeg.
struct Pipe {
    path: PathBuf,
    codec: String,
    child: Child,
    pipe: ChildStdout,
    /// What it writes about errors; a file, since a full pipe would stop it.
    messages: File,
    size: (u32, u32),
    fps: f64,
    given: usize,
}

impl Pipe {
    /// A frame's bytes, or those of an incomplete one.
    fn read(&mut self) -> std::io::Result<Vec<u8>> {
        let (width, height) = self.size;
        let bytes = width as usize * height as usize * 4;
        let mut rgba = Vec::with_capacity(bytes);
        (&mut self.pipe).take(bytes as u64).read_to_end(&mut rgba)?;
        Ok(rgba)
    }

    fn error(&mut self) -> MediaError {
        let mut messages = String::new();
        // Whatever can be read of it.
        let _ = self.messages.seek(SeekFrom::Start(0));
        let _ = (&mut self.messages)
            .take(1 << 16)
            .read_to_string(&mut messages);
        let mut reason = first_message(&messages);
        if self.given > 0 {
            reason = format!("{reason}, after {} frames", self.given);
        }
        MediaError::Ffmpeg {
            path: self.path.clone(),
            codec: self.codec.clone(),
            reason,
        }
    }
}

impl Frames for Pipe {
    fn next(&mut self) -> Option<Result<ClipFrame, MediaError>> {
        let (width, height) = self.size;
        let rgba = match self.read() {
            Ok(rgba) => rgba,
            Err(e) => return Some(Err(MediaError::reading(&self.path, e))),
        };
        if rgba.is_empty() {
            let has_succeeded = self.child.wait().is_ok_and(|status| status.success());
            return (!has_succeeded || self.given == 0).then(|| Err(self.error()));
        }
        if rgba.len() < width as usize * height as usize * 4 {
            return Some(Err(self.error()));
        }
        let time = self.given as f64 / self.fps;
        self.given += 1;
        Some(Picture::new(width, height, rgba).map(|picture| ClipFrame { picture, time }))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Either may fail because it ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ffprobe_says_is_understood() {
        let probe = Probe::parse(
            "codec_name=hevc\nwidth=1920\nheight=1080\nr_frame_rate=90000/1\navg_frame_rate=30000/1001\n\
             duration=N/A\nTAG:rotate=90\nrotation=-90\nformat_name=mov,mp4\nduration=2.500000\n",
        );
        assert_eq!(
            probe,
            Probe {
                format: "mov,mp4".to_owned(),
                codec: "hevc".to_owned(),
                size: (1080, 1920),
                rate: (30000, 1001),
                seconds: Some(2.5),
            }
        );
        assert!(probe.is_clip());
        assert!(!Probe::parse("format_name=tty\ncodec_name=ansi\n").is_clip());
        assert_eq!(Probe::parse("avg_frame_rate=0/0\n").rate, (25, 1));
    }

    #[test]
    fn messages_lose_what_names_no_fault() {
        assert_eq!(
            first_message("file:/a/b c.webm: Invalid data found\n"),
            "Invalid data found"
        );
        assert_eq!(
            first_message("[matroska @ 0x55] EBML header parsing failed\nand more\n"),
            "EBML header parsing failed"
        );
    }
}
