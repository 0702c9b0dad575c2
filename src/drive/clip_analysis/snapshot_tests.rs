use std::sync::OnceLock;
use std::time::Duration;

use crate::document::{AuVector, ClipMotion};
use crate::drive::clip_analysis::*;
use crate::drive::clip_driver::ClipDriver;
use crate::methods::drive::DrivePicture;

/// Takes a snapshot whenever there are enough new frames.
const EAGER: Duration = Duration::ZERO;

fn sample_clip() -> (SampleClip, PathBuf) {
    let sample = SampleClip::write().unwrap();
    let path = sample.path().to_owned();
    (sample, path)
}

/// The bundled clip, and its snapshots.
fn read() -> &'static (ClipAnalysis, Vec<ClipAnalysis>) {
    static READ: OnceLock<(ClipAnalysis, Vec<ClipAnalysis>)> = OnceLock::new();
    READ.get_or_init(|| {
        let (_sample, path) = sample_clip();
        let mut parts = Vec::new();
        let mut show = |part| parts.push(part);
        let (pace, progress) = (Pace::new(EAGER), Progress::new(0));
        let whole = ClipAnalysis::read_file(&path, BUDGET, &progress, pace, Some(&mut show));
        (whole.unwrap(), parts)
    })
}

/// Asserts that both have the same first frames, up to the second's length.
fn assert_begins(whole: &ClipAnalysis, part: &ClipAnalysis) {
    let frames = part.frames();
    assert_eq!((&part.name, part.fps), (&whole.name, whole.fps));
    assert_eq!((part.file_fps, part.size), (whole.file_fps, whole.size));
    assert_eq!(part.times, whole.times[..frames]);
    assert_eq!(part.meshes, whole.meshes[..frames]);
    let (of_part, of_whole) = (part.track.as_ref(), whole.track.as_ref());
    let shapes = |track: &AuTrack| track.shapes[..frames].to_vec();
    assert_eq!(of_part.map(shapes), of_whole.map(shapes));
    let units = |track: &AuTrack| {
        let frames = track.frames[..frames].iter();
        frames.map(|f| (f.time, f.aus)).collect::<Vec<_>>()
    };
    assert_eq!(of_part.map(units), of_whole.map(units));
    if part.source().scale() == whole.source().scale() {
        for frame in 0..frames {
            let digest = |analysis: &ClipAnalysis| analysis.source().digest(frame);
            assert_eq!(digest(part), digest(whole), "{frame}");
        }
    }
    assert!(part.source().picture(frames).is_err());
    assert!(part.thumbnail(frames - 1, 40).is_some());
}

#[test]
fn every_snapshot_is_a_prefix_of_the_complete_analysis() {
    let (whole, parts) = read();
    assert!(whole.is_complete());
    let counts: Vec<usize> = parts.iter().map(ClipAnalysis::frames).collect();
    assert_eq!(counts[0], 8);
    assert!(counts.len() > 2, "{counts:?}");
    assert!(
        counts.is_sorted_by(|a, b| *b >= a + a * 3 / 4),
        "{counts:?}"
    );
    for part in parts {
        assert!(!part.is_complete());
        assert_eq!(part.read_error, None);
        assert_begins(whole, part);
        let last = part.frames() - 1;
        let picture = |analysis: &ClipAnalysis| analysis.source().picture(last).unwrap();
        assert_eq!(picture(part), picture(whole));
    }
}

#[test]
fn taking_snapshots_does_not_change_the_complete_analysis() {
    let (shown, _) = read();
    let source = MediaSource::Bundled("sample.mp4".to_owned());
    let plain = ClipAnalysis::read(&source, &Progress::new(0)).unwrap();
    assert!(plain.is_complete());
    assert_eq!(plain.frames(), shown.frames());
    assert_begins(&plain, shown);
    assert_eq!(plain.track, shown.track);
    assert_eq!(
        (plain.offset, &plain.read_error),
        (shown.offset, &shown.read_error)
    );
    assert_eq!(plain.bytes(), shown.bytes());
}

#[test]
fn a_frame_keeps_its_cache_key_while_the_analysis_continues() {
    let motion = ClipMotion::new(MediaSource::Bundled("sample.mp4".to_owned()));
    let driver =
        |analysis| ClipDriver::clip(Arc::new(analysis), &motion, None, &AuVector::NEUTRAL).unwrap();
    let (_sample, path) = sample_clip();
    let mut keys = Vec::new();
    let mut show = |part: ClipAnalysis| {
        let frames = part.frames();
        let part = driver(part);
        assert_eq!((part.frames(), part.last), (frames, frames - 1));
        keys.push(part.key(DrivePicture::Now, 3, false));
    };
    let (pace, progress) = (Pace::new(EAGER), Progress::new(0));
    let whole = ClipAnalysis::read_file(&path, BUDGET, &progress, pace, Some(&mut show));
    let key = driver(whole.unwrap()).key(DrivePicture::Now, 3, false);
    assert!(keys.len() > 2 && keys.iter().all(|part| *part == key));
}

#[test]
fn shrinking_the_proxies_triggers_a_snapshot_at_once() {
    let (_sample, path) = sample_clip();
    let mut parts = Vec::new();
    let mut show = |part| parts.push(part);
    // After the first, only shrinking triggers another one.
    let pace = Pace::new(Duration::from_secs(3600));
    let progress = Progress::new(0);
    let budget = 16 * read().0.bytes() / read().0.frames();
    let whole = ClipAnalysis::read_file(&path, budget, &progress, pace, Some(&mut show)).unwrap();
    let scales: Vec<f64> = parts.iter().map(|part| part.source().scale()).collect();
    assert!(scales.len() > 1, "{scales:?}");
    assert!(scales.is_sorted_by(|a, b| a > b), "{scales:?}");
    assert_eq!(scales.last(), Some(&whole.source().scale()));
    for part in &parts {
        // Their own frames are still there, at their own size.
        let across = f64::from(part.source().picture(0).unwrap().width());
        let wanted = f64::from(part.size.0) * part.source().scale();
        assert!((across - wanted).abs() <= 0.5, "{across} {wanted}");
        assert_begins(&whole, part);
    }
}

#[test]
fn a_cancelled_analysis_takes_no_more_snapshots() {
    let (_sample, path) = sample_clip();
    let progress = Progress::new(0);
    let mut shown = 0;
    let stopped = ClipAnalysis::read_file(
        &path,
        BUDGET,
        &progress,
        Pace::new(EAGER),
        Some(&mut |_| {
            shown += 1;
            progress.cancel.cancel();
        }),
    );
    assert!(stopped.unwrap_err().is_cancelled());
    assert_eq!(shown, 1);
}

#[test]
fn a_damaged_clip_is_analysed_up_to_the_damage() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..10u8 {
        let path = folder.path().join(format!("{i:04}.png"));
        // Incompressible pixels, so that half of the file ends within a frame.
        let noise = (0..4 * 64 * 48u32).map(|at| match at % 4 {
            3 => 255,
            _ => ((at + u32::from(i)).wrapping_mul(2_654_435_761) >> 24) as u8,
        });
        let picture = Picture::new(64, 48, noise.collect()).unwrap();
        crate::media::encode::save_png(&path, &picture).unwrap();
        if i == 9 {
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        }
    }
    let source = MediaSource::File(folder.path().to_owned());
    let mut parts = Vec::new();
    let mut show = |part: ClipAnalysis| parts.push((part.frames(), part.read_error.clone()));
    let whole = ClipAnalysis::read_showing(&source, &Progress::new(0), &mut show).unwrap();
    assert_eq!(parts, [(8, None)]);
    assert_eq!((whole.frames(), whole.is_complete()), (9, true));
    assert!(whole.read_error.is_some());
}

#[test]
fn snapshots_are_taken_at_growing_intervals() {
    let mut pace = Pace::new(EAGER);
    let due: Vec<usize> = (1..=10_000).filter(|n| pace.is_due(*n, false)).collect();
    assert_eq!(due[..4], [8, 14, 24, 42]);
    assert!(due.len() < 16, "{due:?}");
    let copied: usize = due.iter().sum();
    assert!(copied < 3 * 10_000, "{copied}");

    // A pause separates any two of them, unless the frames of the last are outdated; before the first, none
    // are.
    let mut pace = Pace::new(Duration::from_secs(3600));
    assert!(!pace.is_due(3, true));
    assert!(pace.is_due(8, false));
    assert!(!pace.is_due(1000, false));
    assert!(pace.is_due(1001, true));
}
