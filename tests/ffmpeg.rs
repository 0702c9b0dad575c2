//! What Mien opens with the help of ffmpeg.
//!
//! Where ffmpeg is missing these tests are reported as ignored, which Rust's own harness can't decide when it runs. With
//! `MIEN_NEEDS_FFMPEG`, which `.ci/run` sets, they fail instead.

mod common;

use std::fs;
use std::process::{Command, ExitCode};

use common::clips::{FOREIGN, assert_frame, assert_times, fixture, frames, open, sentence};
use common::sound::{heard, track, write};
use libtest_mimic::{Arguments, Trial};

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
        trial("other_codecs_open", other_codecs_open),
        trial(
            "what_ffmpeg_cannot_decode_is_told",
            what_ffmpeg_cannot_decode_is_told,
        ),
        trial(
            "sound_comes_out_of_other_containers",
            sound_comes_out_of_other_containers,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn other_codecs_open() {
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
        // Dropped with frames to come, the program goes too.
        assert_frame(&clip.next().unwrap().unwrap(), 0);
        drop(clip);

        let frames = frames(open(name));
        assert_times(&frames, (0..4).map(|n| f64::from(n) / 10.0));
        for (number, frame) in frames.iter().enumerate() {
            assert_frame(frame, number);
        }
    }
}

fn what_ffmpeg_cannot_decode_is_told() {
    let mut bytes = fs::read(fixture("vp9.webm")).unwrap();
    bytes.truncate(430);
    let said = sentence(&bytes);
    assert!(
        said.starts_with("clip.dat is VP9 video in WebM, which ffmpeg couldn't decode ("),
        "{said}"
    );
}

fn sound_comes_out_of_other_containers() {
    let track = track(&fixture("with_opus.mkv"));
    assert_eq!(track.codec(), "Opus");
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("result.mp4");
    write(&result, track.part(0.3, 1.3), 10);
    let result = heard(&result);
    assert!((result.to - 1.0).abs() < 0.001 && result.from == 0.0);
    // Opus wants 80 ms to settle.
    assert!(
        (-0.1..=-0.08).contains(&result.samples[0].0),
        "{}",
        result.samples[0].0
    );
}
