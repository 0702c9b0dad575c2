use std::sync::OnceLock;

use crate::document::{Sample, Track};
use crate::drive::clip_analysis::proxies::Proxies;
use crate::drive::clip_analysis::*;
use crate::face::shape68;
use crate::media::clip::Clip;
use crate::methods::mocogan::sampler::Sampler;

impl ClipAnalysis {
    /// Grey frames whose face moves as in a track.
    pub(crate) fn grey(track: AuTrack) -> ClipAnalysis {
        let size = (16, 16);
        let mut proxies = Proxies::new("grey".to_owned(), size, BUDGET);
        for i in 0..track.frames.len() {
            let grey = [10 * i as u8, 0, 0, 255].repeat(16 * 16);
            let picture = Picture::new(16, 16, grey).unwrap();
            proxies.push(&picture, None, &|| false).unwrap();
        }
        let proxies = Arc::new(proxies);
        ClipAnalysis {
            name: "grey".to_owned(),
            fps: track.rate(),
            file_fps: track.fps,
            offset: 0,
            times: track.frames.iter().map(|frame| frame.time).collect(),
            size,
            meshes: vec![None; track.frames.len()],
            track: Some(track),
            read_error: None,
            complete: true,
            dissimilarity: Memo::default(),
            smoothed: Memo::default(),
            frames: Arc::clone(&proxies) as Arc<dyn FrameSource>,
            proxies: Some(proxies),
        }
    }
}

fn sample_source() -> MediaSource {
    MediaSource::Bundled("sample.mp4".to_owned())
}

fn sample_analysis() -> &'static ClipAnalysis {
    static ANALYSIS: OnceLock<ClipAnalysis> = OnceLock::new();
    ANALYSIS.get_or_init(|| {
        let progress = Progress::new(0);
        let analysis = ClipAnalysis::read(&sample_source(), &progress).unwrap();
        assert_eq!(progress.done(), analysis.frames());
        assert_eq!(progress.total(), analysis.frames());
        analysis
    })
}

fn rule() -> CropRule {
    CropRule {
        kind: "landmark_bbox_square".to_owned(),
        scale: 1.4,
        upright: true,
    }
}

/// The mean distance between two pictures' bytes.
fn difference(a: &Picture, b: &Picture) -> f64 {
    assert_eq!(a.size(), b.size());
    let sum: u64 = a
        .rgba()
        .iter()
        .zip(b.rgba())
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / a.rgba().len() as f64
}

#[test]
fn the_analysis_holds_every_frame_of_the_sample_clip() {
    let analysis = sample_analysis();
    let file = SampleClip::write().unwrap();
    let originals: Vec<Picture> = Clip::open(file.path())
        .unwrap()
        .map(|frame| frame.unwrap().picture)
        .collect();
    assert_eq!(analysis.frames(), originals.len());
    assert_eq!(analysis.times.len(), originals.len());
    assert_eq!(analysis.size, originals[0].size());
    assert!((analysis.fps - 24.0).abs() < 0.01, "{}", analysis.fps);
    assert_eq!(analysis.read_error, None);
    assert_eq!(analysis.track.as_ref().unwrap().faceless(), 0);
    // A small original keeps its size.
    assert_eq!(analysis.source().scale(), 1.0);
    for (i, original) in originals.iter().enumerate() {
        let distance = difference(&analysis.source().picture(i).unwrap(), original);
        assert!(distance < 2.0, "{i} {distance}");
    }
    // Random access gives the same as sequential access.
    let ordered: Vec<_> = (0..analysis.frames())
        .map(|i| analysis.source().picture(i).unwrap())
        .collect();
    for i in [9, 2, 2, 17, 0, analysis.frames() - 1, 9] {
        assert_eq!(analysis.source().picture(i).unwrap(), ordered[i], "{i}");
    }
    assert!(analysis.source().picture(analysis.frames()).is_err());
    let (few, many) = (1 << 20, 64 << 20);
    assert!(
        (few..many).contains(&analysis.bytes()),
        "{}",
        analysis.bytes()
    );
}

#[test]
fn faces_have_crops_and_scores_and_frames_have_thumbnails() {
    let analysis = sample_analysis();
    for frame in [0, analysis.frames() / 2] {
        let square = analysis.square(&rule(), frame).unwrap();
        square.checked(analysis.size.0, analysis.size.1).unwrap();
        assert!(square.side > 100.0);
        let curve = analysis.dissimilarity(&shape68(analysis.mesh(frame).unwrap()));
        assert_eq!(curve.len(), analysis.frames());
        assert_eq!(curve[frame], Some(0.0));
        assert!(curve.iter().flatten().any(|score| *score > 0.01));
        let small = analysis.thumbnail(frame, 40).unwrap();
        assert_eq!(small.size(), (40, 40));
    }
    assert_eq!(analysis.square(&rule(), analysis.frames()), None);
    assert_eq!(analysis.thumbnail(analysis.frames(), 40), None);
}

#[test]
fn unreadable_clips_are_refused_and_cancelling_stops_the_analysis() {
    let other = MediaSource::Bundled("other.mp4".to_owned());
    let refused = ClipAnalysis::read(&other, &Progress::new(0)).unwrap_err();
    assert!(refused.to_string().contains("other.mp4"));
    let missing = MediaSource::File("no such clip.mp4".into());
    assert!(ClipAnalysis::read(&missing, &Progress::new(0)).is_err());

    let progress = Progress::new(0);
    progress.cancel.cancel();
    assert!(
        ClipAnalysis::read(&sample_source(), &progress)
            .unwrap_err()
            .is_cancelled()
    );
}

#[test]
fn an_analysis_without_a_face_has_no_track_and_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..3u8 {
        let grey = Picture::new(64, 48, [60 * i, 90, 90, 255].repeat(64 * 48)).unwrap();
        let path = folder.path().join(format!("{i:04}.png"));
        crate::media::encode::save_png(&path, &grey).unwrap();
    }
    let source = MediaSource::File(folder.path().to_owned());
    let analysis = ClipAnalysis::read(&source, &Progress::new(0)).unwrap();
    assert_eq!((analysis.frames(), analysis.track.as_ref()), (3, None));
    assert_eq!(analysis.square(&rule(), 0), None);
    let mesh = sample_analysis().mesh(0).unwrap();
    assert_eq!(*analysis.dissimilarity(&shape68(mesh)), [None; 3]);
    assert_ne!(analysis.source().digest(0), analysis.source().digest(1));
}

#[test]
fn a_sampled_motion_is_analysed_frame_by_frame_with_its_face() {
    let sampler = Sampler::open(None).unwrap();
    let sample = Sample::draw(7, &sampler.sizes(), 5, None).unwrap();
    let progress = Progress::new(0);
    let analysis = ClipAnalysis::of_sample(&sampler, &sample, 900.0, &progress).unwrap();
    assert_eq!((analysis.frames(), progress.done()), (5, 5));
    assert_eq!(analysis.fps, *Track::FPS.end());
    assert_eq!(analysis.source().picture(4).unwrap().size(), analysis.size);
    let square = analysis.square(&rule(), 2).unwrap();
    square.checked(analysis.size.0, analysis.size.1).unwrap();
    let (left, _, right, _) = analysis.mesh(2).unwrap().bounds();
    assert!(left < 128.0 && right > 128.0);
    let stopped = Progress::new(0);
    stopped.cancel.cancel();
    let stopped = ClipAnalysis::of_sample(&sampler, &sample, 8.0, &stopped);
    assert!(stopped.unwrap_err().is_cancelled());
}

/// A face whose landmarks' box is a square of this side.
fn face(side: f32) -> Mesh {
    let points = (0..Mesh::POINTS).map(|i| match i % 2 {
        0 => [0.0, 0.0, 0.0],
        _ => [side, side, 0.0],
    });
    Mesh::new(points.collect()).unwrap()
}

fn noise(width: u32, height: u32, seed: u32) -> Picture {
    let rgba = (0..4 * width * height).map(|i| match i % 4 {
        3 => 255,
        _ => (i.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 24) as u8,
    });
    Picture::new(width, height, rgba.collect()).unwrap()
}

/// The scale after frames of 2560 x 1440 with faces of these sizes.
fn scale_of(faces: &[Option<f32>]) -> f64 {
    let size = (2560, 1440);
    let picture = Picture::new(size.0, size.1, [90; 4].repeat(2560 * 1440)).unwrap();
    let mut proxies = Proxies::new("clip".to_owned(), size, BUDGET);
    for side in faces {
        let mesh = side.map(face);
        proxies.push(&picture, mesh.as_ref(), &|| false).unwrap();
    }
    let wanted = size.0 as f64 * proxies.scale();
    for i in 0..faces.len() {
        let seen = f64::from(proxies.picture(i).unwrap().width());
        assert!((seen - wanted).abs() <= 0.5);
    }
    proxies.scale()
}

#[test]
fn the_size_of_the_face_decides_the_scale_of_the_proxies() {
    // No face, or one that is large enough: 640 pixels.
    assert_eq!(scale_of(&[None]), 0.25);
    assert_eq!(scale_of(&[Some(1200.0)]), 0.25);
    let middling = scale_of(&[None, Some(800.0)]);
    assert!(middling * 800.0 * 1.4 >= 320.0 && middling < 0.5);
    // A face that is small, or becomes small, requires the maximum size.
    assert_eq!(scale_of(&[Some(200.0)]), 0.5);
    assert_eq!(scale_of(&[Some(1200.0), Some(200.0)]), 0.5);
}

#[test]
fn proxies_shrink_to_stay_within_their_budget_and_none_is_dropped() {
    let size = (300, 200);
    let budget = 200_000;
    let mut proxies = Proxies::new("clip".to_owned(), size, budget);
    for i in 0..12 {
        proxies.push(&noise(300, 200, i), None, &|| false).unwrap();
    }
    assert!(proxies.bytes() <= budget, "{}", proxies.bytes());
    assert!(proxies.scale() < 1.0);
    assert!(proxies.picture(12).is_err());
    let first = proxies.picture(0).unwrap().size();
    assert!((0..12).all(|i| proxies.picture(i).unwrap().size() == first));
    // However small the budget, frames keep the minimum size.
    let mut tiny = Proxies::new("clip".to_owned(), size, 1);
    tiny.push(&noise(300, 200, 1), None, &|| false).unwrap();
    assert!(tiny.picture(0).unwrap().width() >= 96);
    // Shrinking can be cancelled.
    let stopped = tiny_stopped(size);
    assert!(stopped.is_cancelled());
}

fn tiny_stopped(size: (u32, u32)) -> EngineError {
    let mut proxies = Proxies::new("clip".to_owned(), size, 1);
    let picture = noise(size.0, size.1, 1);
    proxies.push(&picture, None, &|| true).unwrap_err()
}

#[test]
fn transparent_pixels_become_grey_in_proxies() {
    let clear = Picture::new(32, 32, [255, 0, 0, 0].repeat(32 * 32)).unwrap();
    let mut proxies = Proxies::new("clip".to_owned(), (32, 32), BUDGET);
    proxies.push(&clear, None, &|| false).unwrap();
    let seen = proxies.picture(0).unwrap();
    assert!(!seen.has_alpha());
    let grey = |pixel: &[u8]| pixel[..3].iter().all(|v| v.abs_diff(128) <= 2);
    assert!(seen.rgba().chunks_exact(4).all(grey));
}
