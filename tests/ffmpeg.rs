//! Tests of the files that Mien opens with ffmpeg.
//!
//! Without ffmpeg these tests are reported as ignored, which Rust's harness can't decide at run time. With
//! `MIEN_NEEDS_FFMPEG`, which `.ci/run` sets, they fail instead.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use common::clips::{FOREIGN, assert_frame, assert_times, fixture, frames, open, sentence};
use common::sound::{read_mp4_audio, track, write};
use libtest_mimic::{Arguments, Trial};
use mien::media::clip::{Clip, Sound};

fn main() -> ExitCode {
    let has = |program: &str| Command::new(program).arg("-version").output().is_ok();
    let missing = !has("ffmpeg") || !has("ffprobe");
    let required = std::env::var_os("MIEN_NEEDS_FFMPEG").is_some();
    if missing && !required {
        eprintln!("skipped: no ffmpeg");
    }
    let trial = |name: &str, test: fn()| {
        let test = move || {
            test();
            Ok(())
        };
        Trial::test(name, test).with_ignored_flag(missing && !required)
    };
    let trials = vec![
        trial(
            "clips_in_other_codecs_are_decoded",
            clips_in_other_codecs_are_decoded,
        ),
        trial(
            "files_that_ffmpeg_cannot_decode_are_refused",
            files_that_ffmpeg_cannot_decode_are_refused,
        ),
        trial(
            "audio_of_other_containers_is_extracted",
            audio_of_other_containers_is_extracted,
        ),
        trial(
            "a_clip_opens_no_other_file_and_never_hangs",
            a_clip_opens_no_other_file_and_never_hangs,
        ),
        trial(
            "file_names_are_never_taken_for_options_or_urls",
            file_names_are_never_taken_for_options_or_urls,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn clips_in_other_codecs_are_decoded() {
    for (name, _) in FOREIGN {
        let mut clip = open(name);
        let height = if name == "interlaced.mp4" { 64 } else { 48 };
        assert_eq!(
            (clip.info().width, clip.info().height),
            (64, height),
            "{name}"
        );
        assert!((clip.info().fps - 10.0).abs() < 1e-6);
        assert_eq!(clip.info().frames, None);
        // Dropping the clip before its end also ends the program.
        assert_frame(&clip.next().unwrap().unwrap(), 0);
        drop(clip);

        let frames = frames(open(name));
        assert_times(&frames, (0..4).map(|n| f64::from(n) / 10.0));
        for (number, frame) in frames.iter().enumerate() {
            assert_frame(frame, number);
        }
    }
}

fn files_that_ffmpeg_cannot_decode_are_refused() {
    let mut bytes = fs::read(fixture("vp9.webm")).unwrap();
    bytes.truncate(430);
    let message = sentence(&bytes);
    assert!(
        message.starts_with("clip.dat is VP9 video in WebM, which ffmpeg couldn't decode ("),
        "{message}"
    );
}

fn audio_of_other_containers_is_extracted() {
    let track = track(&fixture("with_opus.mkv"));
    assert_eq!(track.codec(), "Opus");
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("result.mp4");
    write(&result, track.part(0.3, 1.3), 10);
    let result = read_mp4_audio(&result);
    assert!((result.to - 1.0).abs() < 0.001 && result.from == 0.0);
    // Opus needs 80 ms of pre-roll.
    assert!(
        (-0.1..=-0.08).contains(&result.samples[0].0),
        "{}",
        result.samples[0].0
    );
}

/// Playlists and scripts under a clip's name: each would make ffmpeg read another of the artist's files, or never end.
fn a_clip_opens_no_other_file_and_never_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(fixture("with_aac.mp4"))
        .args(["-c:v", "mpeg2video", "-r", "25", "-c:a", "mp2"])
        .arg(at("private.ts"))
        .status()
        .unwrap();
    assert!(made.success());
    let private = at("private.ts");
    let private = private.to_str().unwrap();
    assert_eq!(open_at(&at("private.ts")), None);

    let head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.0,\n";
    let mpd = format!(
        r#"<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
        mediaPresentationDuration="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>
        <AdaptationSet contentType="video"><Representation id="0" mimeType="video/mp2t" bandwidth="1" width="64"
        height="48"><BaseURL>file://{private}</BaseURL></Representation></AdaptationSet></Period></MPD>"#
    );
    let itself = at("itself.avi");
    let scripts = [
        ("hls.avi", format!("{head}file://{private}\n#EXT-X-ENDLIST\n")),
        ("near.avi", format!("{head}private.ts\n#EXT-X-ENDLIST\n")),
        ("live.avi", format!("{head}file://{private}\n")),
        ("itself.avi", format!("{head}file://{}\n", itself.display())),
        ("dash.avi", mpd),
        ("concat.avi", "ffconcat version 1.0\nfile private.ts\n".to_owned()),
        (
            "sdp.avi",
            "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
                .to_owned(),
        ),
    ];
    for (name, script) in scripts {
        // As text, and after the first bytes of an AVI, a format that is passed to ffmpeg.
        for script in [script.clone(), format!("RIFF....AVI {script}")] {
            fs::write(at(name), script).unwrap();
            let begun = Instant::now();
            let message = open_at(&at(name)).unwrap_or_else(|| panic!("{name} was opened"));
            assert!(message.starts_with(name), "{message}");
            assert!(begun.elapsed().as_secs() < 10, "{name}");
            match Sound::of(&at(name)) {
                Sound::Track(_) => panic!("{name} is heard"),
                Sound::Silent | Sound::LeftOut(_) => {}
            }
        }
    }
}

/// Returns the error of opening a file as a clip.
fn open_at(path: &Path) -> Option<String> {
    Clip::open(path).err().map(|error| error.to_string())
}

fn file_names_are_never_taken_for_options_or_urls() {
    let folder = tempfile::tempdir().unwrap();
    let names = [
        "-i.mp4",
        "http:evil.webm",
        "concat:a|b.webm",
        "pipe:0",
        "-",
        "a\nb.webm",
    ];
    for name in names {
        if fs::copy(fixture("vp9.webm"), folder.path().join(name)).is_err() {
            // Windows doesn't allow such names.
            continue;
        }
        let output = Command::new(env!("CARGO_BIN_EXE_mien"))
            .args(["face", "--clip", "--", name])
            .current_dir(folder.path())
            .env("MIEN_DATA_DIR", folder.path())
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        let words = String::from_utf8_lossy(&output.stderr);
        // The clip was read: it has frames, but no face in them.
        assert!(
            words.contains("any of the 4 frames"),
            "{name}: {stdout}{words}"
        );
    }
}
