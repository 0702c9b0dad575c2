//! Opens clips and compares them with what `fixtures/clips/make.sh` drew.

use std::fs;
use std::path::{Path, PathBuf};

use mien::media::clip::{Clip, ClipFrame};
use mien::media::error::MediaError;
use tempfile::TempDir;

/// The clips that only ffmpeg opens, and how they are named in the error without it.
pub const FOREIGN: [(&str, &str); 4] = [
    ("hevc.mp4", "HEVC (H.265) video (hev1)"),
    ("vp9.webm", "VP9 video in WebM"),
    ("interlaced.mp4", "interlaced H.264 video"),
    ("high10.mp4", "H.264 video in 10 bits"),
];

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/clips")
        .join(name)
}

pub fn open(name: &str) -> Clip {
    Clip::open(&fixture(name)).unwrap_or_else(|e| panic!("{e}"))
}

pub fn frames(clip: Clip) -> Vec<ClipFrame> {
    clip.map(|frame| frame.unwrap_or_else(|e| panic!("{e}")))
        .collect()
}

/// Returns the number of frames before the first error, and the error.
pub fn read(path: &Path) -> (usize, Option<MediaError>) {
    let clip = match Clip::open(path) {
        Ok(clip) => clip,
        Err(error) => return (0, Some(error)),
    };
    let info = *clip.info();
    let (mut count, mut last, mut found) = (0, 0.0, None);
    for frame in clip {
        // The error, if any, comes last.
        assert!(found.is_none());
        match frame {
            Ok(frame) => {
                assert_eq!(frame.picture.size(), (info.width, info.height));
                assert!(frame.time >= last && frame.time.is_finite());
                (count, last) = (count + 1, frame.time);
            }
            Err(error) => found = Some(error),
        }
    }
    (count, found)
}

pub fn write(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    // The extension is meaningless: formats are detected by content.
    let path = folder.path().join("clip.dat");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

pub fn sentence(bytes: &[u8]) -> String {
    let (_folder, path) = write(bytes);
    read(&path).1.unwrap().to_string()
}

pub fn pixel(frame: &ClipFrame, x: u32, y: u32) -> [u8; 4] {
    let at = ((y * frame.picture.width() + x) * 4) as usize;
    frame.picture.rgba()[at..at + 4].try_into().unwrap()
}

pub fn assert_near(found: [u8; 4], expected: [u8; 3], within: u8) {
    assert!(
        (0..3).all(|c| found[c].abs_diff(expected[c]) <= within),
        "{found:?} isn't near {expected:?}"
    );
}

pub fn assert_times(frames: &[ClipFrame], expected: impl IntoIterator<Item = f64>) {
    let times: Vec<_> = frames.iter().map(|frame| frame.time).collect();
    let expected: Vec<_> = expected.into_iter().collect();
    assert_eq!(times.len(), expected.len());
    let is_near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-6;
    assert!(times.iter().zip(&expected).all(is_near), "{times:?}");
}

/// The grey of a limited-range luma.
pub fn grey(luma: usize) -> [u8; 3] {
    [((luma as f64 - 16.0) * 255.0 / 219.0)
        .clamp(0.0, 255.0)
        .round() as u8; 3]
}

/// Asserts that this is frame `number` of the clips that `make.sh` describes.
pub fn assert_frame(frame: &ClipFrame, number: usize) {
    let (width, height) = frame.picture.size();
    assert_near(pixel(frame, 4, height / 2), grey(40 + 15 * number), 3);
    assert_near(
        pixel(frame, width - 4, height / 2),
        grey(220 - 10 * number),
        3,
    );
}
