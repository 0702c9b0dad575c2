//! The sound of clips that only the system's ffmpeg opens, remuxed into a temporary MP4.

use std::fs::{self, File};
use std::path::Path;

use tempfile::TempPath;

use crate::media::clip::ffmpeg_process::{HANG_TIMEOUT, Tools, as_url, finish};
use crate::media::clip::mp4;
use crate::media::clip::mp4::sound::{NoSound, SoundTrack};

/// Codecs that MP4 supports, by ffmpeg's names; they are copied.
const COPIED: [&str; 7] = ["aac", "mp3", "opus", "ac3", "eac3", "alac", "flac"];

const INSTALL: &str = "install ffmpeg to keep it";
const OTHER: &str = "save the clip as an MP4 with AAC sound to keep it";

/// The sound of the clip at `path`, and the temporary file with its data.
pub(super) fn extract(path: &Path) -> Result<(TempPath, SoundTrack), NoSound> {
    let left_out = |reason: &str, advice| NoSound::LeftOut(reason.to_owned(), advice);
    let tools = Tools::find().ok_or_else(|| left_out("only ffmpeg reads it", INSTALL))?;
    let failed = |reason: &str| left_out(&format!("ffmpeg couldn't read it ({reason})"), OTHER);

    let said = probe(&tools, path).map_err(|reason| failed(&reason))?;
    let value = |of: &str, key: &str| {
        let line = said
            .lines()
            .find(|line| line.split('|').any(|field| field == of))?;
        line.split('|').find_map(|field| field.strip_prefix(key))
    };
    let Some(codec) = value("codec_type=audio", "codec_name=") else {
        return Err(NoSound::Silent);
    };
    // ffmpeg's times start at the earliest stream; negative times are only preroll.
    let time = |of| value(of, "start_time=").and_then(|text| text.parse::<f64>().ok());
    let start = time("codec_type=video").unwrap_or(0.0) - time("format").unwrap_or(0.0).max(0.0);

    let temporary = tempfile::Builder::new()
        .prefix("mien-sound-")
        .suffix(".m4a")
        .tempfile()
        .map_err(|e| failed(&e.to_string()))?
        .into_temp_path();
    let codec = if COPIED.contains(&codec) {
        "copy"
    } else {
        "aac"
    };
    let mut command = tools.ffmpeg(path);
    command
        .args(["-map", "0:a:0", "-c:a", codec, "-strict", "-2", "-f", "mp4"])
        .arg(as_url(&temporary));
    let written = || fs::metadata(&temporary).map_or(0, |metadata| metadata.len());
    finish(&mut command, HANG_TIMEOUT, written).map_err(|reason| failed(&reason))?;

    let unreadable = |e: std::io::Error| failed(&e.to_string());
    let mut file = File::open(&temporary).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let mut track = mp4::sound(&mut file, length)?;
    track.start = start.max(0.0);
    Ok((temporary, track))
}

/// Returns lines of `stream|codec_name=aac|codec_type=audio|...` and one of `format|...`; the error is ffprobe's message.
fn probe(tools: &Tools, path: &Path) -> Result<String, String> {
    let entries = "stream=codec_type,codec_name,start_time:format=start_time";
    tools.probe(path, &["-show_entries", entries, "-of", "compact"])
}
