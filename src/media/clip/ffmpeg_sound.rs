//! The sound of clips that only the system's ffmpeg opens, put by it into an MP4 that is gone afterwards.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempPath;

use crate::media::clip::ffmpeg::{Tools, as_url, first_message};
use crate::media::clip::mp4;
use crate::media::clip::mp4::sound::{NoSound, SoundTrack};

/// What an MP4 holds as it is, by ffmpeg's names.
const COPIED: [&str; 7] = ["aac", "mp3", "opus", "ac3", "eac3", "alac", "flac"];

const INSTALL: &str = "install ffmpeg to keep it";
const OTHER: &str = "save the clip as an MP4 with AAC sound to keep it";

/// The sound of the clip at `path`, and the file that has it.
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
    // ffmpeg counts from where the first of all streams begins; what comes before 0 only leads in to the sound.
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
    let output = Command::new(&tools.ffmpeg)
        .args(["-v", "error", "-nostdin", "-y"])
        .args(["-protocol_whitelist", "file,pipe", "-i"])
        .arg(as_url(path))
        .args(["-map", "0:a:0", "-c:a", codec, "-strict", "-2", "-f", "mp4"])
        .arg(as_url(&temporary))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| failed(&e.to_string()))?;
    if !output.status.success() {
        let messages = String::from_utf8_lossy(&output.stderr);
        return Err(failed(&first_message(&messages)));
    }

    let unreadable = |e: std::io::Error| failed(&e.to_string());
    let mut file = File::open(&temporary).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let mut track = mp4::sound(&mut file, length)?;
    track.start = start.max(0.0);
    Ok((temporary, track))
}

/// Lines of `stream|codec_name=aac|codec_type=audio|...` and one of `format|...`; or ffprobe's complaint.
fn probe(tools: &Tools, path: &Path) -> Result<String, String> {
    let output = Command::new(&tools.ffprobe)
        .args(["-v", "error", "-protocol_whitelist", "file,pipe"])
        .args(["-show_entries"])
        .arg("stream=codec_type,codec_name,start_time:format=start_time")
        .args(["-of", "compact"])
        .arg(as_url(path))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(first_message(&String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
