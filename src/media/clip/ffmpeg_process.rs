//! The system's ffmpeg and ffprobe as processes: found in PATH, restricted to one file, and killed when they hang.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::text;

/// The formats that ffmpeg may detect, by the names of its demuxers: self-contained containers.
///
/// Without this, a playlist (HLS, DASH, ffconcat) with a clip's name could open other files of the artist's, and a live
/// one would never end. Pictures, and formats that render text as video, aren't clips either.
const FORMATS: &str = "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,flv,asf,ogg,mxf,dv,ivf,obu,h264,hevc,\
                       yuv4mpegpipe";

/// The protocols that ffmpeg may use to read the file.
const PROTOCOLS: &str = "file,pipe";

/// How long a program may show no progress before it is considered hanging.
pub(super) const HANG_TIMEOUT: Duration = Duration::from_secs(60);

/// The maximum number of bytes read of a program's output.
const MAX_OUTPUT_BYTES: u64 = 1 << 20;

/// The paths of the programs.
pub(super) struct Tools {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
}

impl Tools {
    /// Finds both programs in PATH, or returns `None`.
    pub(super) fn find() -> Option<Self> {
        let folders = env::var_os("PATH")?;
        let find = |name: &str| {
            let name = format!("{name}{}", env::consts::EXE_SUFFIX);
            env::split_paths(&folders)
                // A relative entry would run any program in the artist's working directory.
                .filter(|folder| folder.is_absolute())
                .map(|folder| folder.join(&name))
                .find(|program| program.is_file())
        };
        Some(Self {
            ffmpeg: find("ffmpeg")?,
            ffprobe: find("ffprobe")?,
        })
    }

    /// Returns an ffmpeg command with the file at `path` as its input.
    pub(super) fn ffmpeg(&self, path: &Path) -> Command {
        let mut command = Command::new(&self.ffmpeg);
        command.args(["-v", "error", "-nostdin", "-y"]);
        reading(&mut command, path);
        command
    }

    /// Runs ffprobe with `options` on the file at `path` and returns its output; the error is its message.
    pub(super) fn probe(&self, path: &Path, options: &[&str]) -> Result<String, String> {
        let mut command = Command::new(&self.ffprobe);
        command.args(["-v", "error"]);
        reading(&mut command, path);
        finish(command.args(options), HANG_TIMEOUT, || 0)
    }
}

fn reading(command: &mut Command, path: &Path) {
    command
        .args(["-protocol_whitelist", PROTOCOLS])
        .args(["-format_whitelist", FORMATS])
        .arg("-i")
        .arg(as_url(path))
        .stdin(Stdio::null());
}

/// A path that can't be parsed as an option or a URL.
pub(super) fn as_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}

/// Runs a program to its end and returns its output. It is killed when `progress` doesn't change for `patience`.
///
/// # Errors
/// The program's first error message, or that it hung.
pub(super) fn finish(
    command: &mut Command,
    patience: Duration,
    progress: impl Fn() -> u64,
) -> Result<String, String> {
    let fail = |e: io::Error| e.to_string();
    // Files, because a full pipe would block the program.
    let (mut stdout, mut stderr) = (
        OutputFile::new().map_err(fail)?,
        OutputFile::new().map_err(fail)?,
    );
    command.stdout(stdout.for_child().map_err(fail)?);
    command.stderr(stderr.for_child().map_err(fail)?);
    let mut child = KillOnDrop(command.spawn().map_err(fail)?);

    let (mut since, mut last) = (Instant::now(), progress());
    let status = loop {
        if let Some(status) = child.0.try_wait().map_err(fail)? {
            break status;
        }
        let now = progress();
        if now != last {
            (since, last) = (Instant::now(), now);
        } else if since.elapsed() > patience {
            return Err(hung(patience));
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    if status.success() {
        Ok(stdout.read())
    } else {
        Err(first_message(&stderr.read()))
    }
}

/// The message for a program that was killed because it hung.
pub(super) fn hung(patience: Duration) -> String {
    format!("it stopped responding for {} seconds", patience.as_secs())
}

/// ffmpeg's first message, which is nearest to the cause, without the prefix that names the component.
pub(super) fn first_message(messages: &str) -> String {
    let line = messages
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it gave no reason");
    let line = line.rsplit_once("] ").map_or(line, |(_, message)| message);
    // In "file:/a/b.webm: Invalid data" the path is removed, because the sentence names the file already.
    let line = match line.strip_prefix("file:") {
        Some(rest) => rest.rsplit_once(": ").map_or(rest, |(_, message)| message),
        None => line,
    };
    if line.contains("not on whitelist") {
        return "it is of a type that can refer to other files".to_owned();
    }
    text::fault(&line)
}

/// A process that is killed when this value is dropped.
pub(super) struct KillOnDrop(pub(super) Child);

impl KillOnDrop {
    pub(super) fn end(&mut self) -> Option<ExitStatus> {
        // Either may fail if the process has already ended.
        let _ = self.0.kill();
        self.0.wait().ok()
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.end();
    }
}

/// A program's output, in an unnamed temporary file.
pub(super) struct OutputFile(File);

impl OutputFile {
    pub(super) fn new() -> io::Result<Self> {
        tempfile::tempfile().map(Self)
    }

    pub(super) fn for_child(&self) -> io::Result<File> {
        self.0.try_clone()
    }

    /// The output so far, as far as it can be read.
    pub(super) fn read(&mut self) -> String {
        let mut bytes = Vec::new();
        let _ = self.0.seek(SeekFrom::Start(0));
        let _ = (&mut self.0).take(MAX_OUTPUT_BYTES).read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_ffmpeg_are_stripped_of_their_prefixes() {
        assert_eq!(
            first_message("file:/a/b c.webm: Invalid data found\n"),
            "Invalid data found"
        );
        assert_eq!(
            first_message("[matroska @ 0x55] EBML header parsing failed\nand more\n"),
            "EBML header parsing failed"
        );
        let message = first_message(
            "[hls @ 0x55] Format not on whitelist 'mov,mp4'\nfile:a.avi: Invalid argument\n",
        );
        assert!(message.contains("refer to other files"), "{message}");
    }

    #[test]
    #[cfg(unix)]
    fn a_stalled_process_is_killed_and_a_busy_one_is_not() {
        let begun = Instant::now();
        let patience = Duration::from_millis(100);
        let mut sleep = Command::new("sleep");
        let message = finish(sleep.arg("60"), patience, || 0).unwrap_err();
        assert!(message.contains("stopped responding"), "{message}");
        assert!(begun.elapsed() < Duration::from_secs(30));

        let mut works = Command::new("sh");
        works.args(["-c", "sleep 0.4; echo done"]);
        let clock = || u64::try_from(begun.elapsed().as_micros()).unwrap();
        assert_eq!(finish(&mut works, patience, clock).unwrap(), "done\n");
    }
}
