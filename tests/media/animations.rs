//! Animated PNG and WebP, and pictures for the web, read back with independent decoders.

use std::fs;
use std::io::{BufReader, Cursor};
use std::path::Path;

use crate::common::media::provenance::read as read_provenance;
use crate::common::media::{gradient, names, picture};
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, Frame};
use mien::media::clip::Clip;
use mien::media::encode::{
    ApngSettings, ApngSink, FrameSink, LoopCount, WebpSettings, WebpSink, save_jpeg_with,
    save_webp_with,
};
use mien::media::error::MediaError;
use mien::media::image::{Picture, open};
use mien::media::provenance::{Provenance, SourceType};
use proptest::prelude::*;

fn note() -> Provenance {
    let models = vec!["ganimation-128".to_owned()];
    Provenance::new(models, SourceType::CompositeWithTrainedAlgorithmicMedia)
}

fn apng(path: &Path, settings: ApngSettings, noted: bool, frames: &[Picture]) {
    let (width, height) = frames[0].size();
    let mut sink = ApngSink::new(path, width, height, settings).unwrap();
    if noted {
        sink.set_note(note());
    }
    frames.iter().for_each(|frame| sink.push(frame).unwrap());
    Box::new(sink).finish().unwrap();
}

fn webp(path: &Path, settings: WebpSettings, noted: bool, frames: &[Picture]) {
    let (width, height) = frames[0].size();
    let mut sink = WebpSink::new(path, width, height, settings).unwrap();
    if noted {
        sink.set_note(note());
    }
    frames.iter().for_each(|frame| sink.push(frame).unwrap());
    Box::new(sink).finish().unwrap();
}

fn read_apng(path: &Path) -> Vec<Frame> {
    let file = BufReader::new(fs::File::open(path).unwrap());
    let frames = PngDecoder::new(file).unwrap().apng().unwrap().into_frames();
    frames.collect_frames().unwrap()
}

fn read_webp(path: &Path) -> Vec<Frame> {
    let file = BufReader::new(fs::File::open(path).unwrap());
    let frames = WebPDecoder::new(file).unwrap().into_frames();
    frames.collect_frames().unwrap()
}

/// Milliseconds from the first frame to the end of the last.
fn milliseconds(frames: &[Frame]) -> f64 {
    let delays = frames.iter().map(|frame| frame.delay().numer_denom_ms());
    delays.map(|(n, d)| f64::from(n) / f64::from(d)).sum()
}

/// A half-transparent disc that moves over nothing: every frame uncovers pixels that must become transparent again.
fn translucent_frames(count: i32, width: i32, height: i32) -> Vec<Picture> {
    let frame = |i: i32| {
        let rgba = (0..width * height)
            .flat_map(|p| {
                let (x, y) = (p % width - 10 - i * 3, p / width - 15);
                let alpha = if x * x + y * y < 64 { 200 - y * 3 } else { 0 };
                [
                    (100 + p % width) as u8,
                    (50 + p / width) as u8,
                    150,
                    alpha as u8,
                ]
            })
            .collect();
        Picture::new(width as u32, height as u32, rgba).unwrap()
    };
    (0..count).map(frame).collect()
}

/// A square that moves over a still backdrop, and stops at the end.
fn moving_frames(count: u32) -> Vec<Picture> {
    let frame = |i: u32| {
        picture(61, 43, |x, y| {
            let at = 3 + i.min(count - 2) * 3;
            if (at..at + 9).contains(&x) && (5..15).contains(&y) {
                [250, 220, 30]
            } else {
                gradient(x, y)
            }
        })
    };
    (0..count).map(frame).collect()
}

/// The mean visible difference: colours are weighted by their alpha.
fn visible_error(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let over = |p: &[u8], c: usize| f64::from(p[c]) * f64::from(p[3]) / 255.0;
    let pixels = a.chunks_exact(4).zip(b.chunks_exact(4));
    let sum: f64 = pixels
        .flat_map(|(a, b)| [0, 1, 2].map(|c| (over(a, c) - over(b, c)).abs()))
        .sum();
    sum / (a.len() as f64 * 0.75)
}

fn alphas(rgba: &[u8]) -> Vec<u8> {
    rgba.iter().skip(3).step_by(4).copied().collect()
}

#[test]
fn an_animated_png_is_lossless_including_alpha() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.apng");
    for frames in [translucent_frames(6, 40, 30), moving_frames(6)] {
        apng(&path, ApngSettings::default(), true, &frames);
        let found = read_apng(&path);
        assert_eq!(found.len(), 6);
        for (found, frame) in found.iter().zip(&frames) {
            assert_eq!(found.buffer().as_raw(), frame.rgba());
        }
        let clip = Clip::open(&path).unwrap();
        assert_eq!(clip.info().frames, Some(6));
        for (found, frame) in clip.zip(&frames) {
            assert_eq!(found.unwrap().picture.rgba(), frame.rgba());
        }
        // Decoders without support for animations show the first frame.
        assert_eq!(open(&path).unwrap().rgba(), frames[0].rgba());
        assert!(
            read_provenance(&fs::read(&path).unwrap())
                .unwrap()
                .is_by_a_model()
        );
    }
    assert_eq!(names(folder.path()), ["a.apng"]);
}

#[test]
fn an_animated_png_stores_delays_and_loop_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.apng");
    for (fps, loops, plays) in [
        (24.0, LoopCount::Forever, 0),
        (23.976, LoopCount::Times(3), 3),
        (66.667, LoopCount::Times(0), 1),
    ] {
        apng(&path, ApngSettings { fps, loops }, false, &moving_frames(9));
        let bytes = fs::read(&path).unwrap();
        let reader = png::Decoder::new(Cursor::new(&bytes)).read_info().unwrap();
        let control = reader.info().animation_control().unwrap();
        assert_eq!((control.num_frames, control.num_plays), (9, plays));
        let total = milliseconds(&read_apng(&path));
        let expected = 9000.0
            * if fps == 23.976 {
                1001.0 / 24000.0
            } else {
                1.0 / fps
            };
        assert!((total - expected).abs() < 0.1, "{fps}: {total} ms");
        assert!(read_provenance(&bytes).is_none());
    }
}

#[test]
fn a_lossless_webp_is_exact_including_alpha() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.webp");
    let settings = WebpSettings {
        quality: 100,
        ..WebpSettings::default()
    };
    for frames in [translucent_frames(6, 41, 30), moving_frames(6)] {
        webp(&path, settings, true, &frames);
        let found = read_webp(&path);
        assert_eq!(found.len(), 6);
        for (index, (found, frame)) in found.iter().zip(&frames).enumerate() {
            assert_eq!(found.buffer().as_raw(), frame.rgba(), "frame {index}");
        }
        let clip = Clip::open(&path).unwrap();
        assert_eq!(clip.info().frames, Some(6));
        assert_eq!(clip.filter(Result::is_ok).count(), 6);
        assert!(
            read_provenance(&fs::read(&path).unwrap())
                .unwrap()
                .is_by_a_model()
        );
    }
    assert_eq!(names(folder.path()), ["a.webp"]);
}

#[test]
fn a_lossy_webp_keeps_alpha_exactly_and_its_error_follows_the_quality() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.webp");
    for frames in [translucent_frames(5, 64, 48), moving_frames(5)] {
        let mut sizes = Vec::new();
        for (quality, most) in [(95, 3.0), (80, 5.0), (10, 20.0)] {
            let settings = WebpSettings {
                quality,
                ..WebpSettings::default()
            };
            webp(&path, settings, false, &frames);
            sizes.push(fs::metadata(&path).unwrap().len());
            for (found, frame) in read_webp(&path).iter().zip(&frames) {
                assert_eq!(alphas(found.buffer()), alphas(frame.rgba()), "{quality}");
                let error = visible_error(found.buffer(), frame.rgba());
                assert!(error < most, "quality {quality}: {error}");
            }
        }
        assert!(sizes.is_sorted_by(|a, b| a > b), "{sizes:?}");
    }
}

#[test]
fn a_webp_stores_delays_and_loop_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.webp");
    for (fps, loops, plays) in [
        (24.0, LoopCount::Forever, None),
        (29.97, LoopCount::Times(3), Some(3)),
    ] {
        let settings = WebpSettings {
            fps,
            loops,
            ..WebpSettings::default()
        };
        webp(&path, settings, false, &moving_frames(30));
        let file = BufReader::new(fs::File::open(&path).unwrap());
        let found = match WebPDecoder::new(file).unwrap().loop_count() {
            image::metadata::LoopCount::Infinite => None,
            image::metadata::LoopCount::Finite(times) => Some(times.get()),
        };
        assert_eq!(found, plays);
        let found = read_webp(&path);
        let total = milliseconds(&found);
        assert!((total - 30_000.0 / fps).abs() < 1.0, "{fps}: {total} ms");
        assert!(read_provenance(&fs::read(&path).unwrap()).is_none());
    }
    // A single frame is a picture.
    webp(&path, WebpSettings::default(), true, &moving_frames(3)[..1]);
    assert!(
        !WebPDecoder::new(BufReader::new(fs::File::open(&path).unwrap()))
            .unwrap()
            .has_animation()
    );
    assert_eq!(open(&path).unwrap().size(), (61, 43));
    assert!(read_provenance(&fs::read(&path).unwrap()).is_some());
}

#[test]
fn webp_and_jpeg_stills_keep_colour_alpha_and_provenance() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let translucent_frame = translucent_frames(1, 64, 48).remove(0);
    let face = picture(90, 70, gradient);

    save_webp_with(&at("exact.webp"), &translucent_frame, 100, Some(&note())).unwrap();
    assert_eq!(
        open(&at("exact.webp")).unwrap().rgba(),
        translucent_frame.rgba()
    );
    save_webp_with(&at("ghost.webp"), &translucent_frame, 80, None).unwrap();
    let found = open(&at("ghost.webp")).unwrap();
    assert_eq!(alphas(found.rgba()), alphas(translucent_frame.rgba()));
    let unsaid = translucent_frame.clone().with_alpha(false);
    save_webp_with(&at("unsaid.webp"), &unsaid, 80, None).unwrap();
    assert!(!open(&at("unsaid.webp")).unwrap().has_alpha());

    let size = |name: &str| fs::metadata(at(name)).unwrap().len();
    save_jpeg_with(&at("good.jpg"), &face, 92, Some(&note())).unwrap();
    save_jpeg_with(&at("poor.jpg"), &face, 10, Some(&note())).unwrap();
    assert!(size("good.jpg") > size("poor.jpg"));
    let error = visible_error(open(&at("good.jpg")).unwrap().rgba(), face.rgba());
    assert!(error < 2.0, "{error}");
    for name in ["exact.webp", "good.jpg"] {
        assert!(
            read_provenance(&fs::read(at(name)).unwrap())
                .unwrap()
                .is_by_a_model()
        );
    }
    // Transparent pixels have the same grey as in a video.
    save_jpeg_with(&at("ghost.jpg"), &translucent_frame, 95, None).unwrap();
    let corner = open(&at("ghost.jpg")).unwrap().rgba()[4 * 63..][..3].to_vec();
    assert!(corner.iter().all(|c| c.abs_diff(48) < 4), "{corner:?}");
}

#[test]
fn a_dropped_animation_leaves_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.webp");
    fs::write(&path, "older").unwrap();
    for kind in 0..2 {
        let mut sink: Box<dyn FrameSink> = if kind == 0 {
            Box::new(ApngSink::new(&path, 61, 43, ApngSettings::default()).unwrap())
        } else {
            Box::new(WebpSink::new(&path, 61, 43, WebpSettings::default()).unwrap())
        };
        moving_frames(4)
            .iter()
            .for_each(|frame| sink.push(frame).unwrap());
        assert_eq!(names(folder.path()).len(), 2, "a temporary file");
        let wrong = sink.push(&picture(61, 42, gradient)).unwrap_err();
        assert!(matches!(wrong, MediaError::FrameSize { .. }), "{wrong}");
        drop(sink);
        assert_eq!(names(folder.path()), ["mine.webp"]);
        assert_eq!(fs::read(&path).unwrap(), b"older");
    }
}

#[test]
fn frames_that_an_animation_cannot_hold_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.webp");
    let png = |side, fps| {
        ApngSink::new(
            &path,
            side,
            2,
            ApngSettings {
                fps,
                ..Default::default()
            },
        )
    };
    let web = |side, fps| {
        WebpSink::new(
            &path,
            side,
            2,
            WebpSettings {
                fps,
                ..Default::default()
            },
        )
    };
    for (side, fps) in [(0, 25.0), (2, 91.0), (2, f64::NAN)] {
        assert!(
            png(side, fps).is_err() && web(side, fps).is_err(),
            "{side}, {fps}"
        );
    }
    assert!(matches!(
        web(16_384, 25.0),
        Err(MediaError::ClipSize { .. })
    ));
    let nothing = Box::new(web(2, 25.0).unwrap()).finish().unwrap_err();
    assert!(matches!(nothing, MediaError::NoFrames { .. }));
    let nothing = Box::new(png(2, 25.0).unwrap()).finish().unwrap_err();
    assert!(matches!(nothing, MediaError::NoFrames { .. }));
    assert!(names(folder.path()).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever changes, both formats reproduce the exact frames.
    #[test]
    fn any_frames_round_trip(
        width in 1u32..24,
        height in 1u32..24,
        dots in prop::collection::vec((0u32..576, any::<[u8; 4]>()), 1..12),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut now = Picture::new(width, height, vec![77; (width * height * 4) as usize]).unwrap();
        let mut frames = vec![now.clone()];
        for (at, colour) in dots {
            let at = (at % (width * height)) as usize * 4;
            now.rgba_mut()[at..at + 4].copy_from_slice(&colour);
            frames.push(now.clone());
        }
        let (a, b) = (folder.path().join("a.apng"), folder.path().join("b.webp"));
        apng(&a, ApngSettings::default(), false, &frames);
        webp(&b, WebpSettings { quality: 100, ..WebpSettings::default() }, true, &frames);
        for found in [read_apng(&a), read_webp(&b)] {
            prop_assert_eq!(found.len(), frames.len());
            for (found, frame) in found.iter().zip(&frames) {
                prop_assert_eq!(found.buffer().as_raw(), &frame.rgba().to_vec());
            }
        }
    }
}
