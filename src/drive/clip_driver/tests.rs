use crate::document::{ActionUnit, Gaze, Group, HeadTurn, MediaSource, Sample, SampleSizes};
use crate::drive::au_track::AuFrame;
use crate::drive::clip_analysis::Reading;
use crate::drive::clip_driver::*;
use crate::face::{HeadPose, network_input, shape68};
use crate::media;
use crate::media::encode::save_png;
use crate::progress::Progress;

fn unit(code: u8) -> ActionUnit {
    ActionUnit::from_code(code).unwrap()
}

fn smile(value: f32) -> AuVector {
    AuVector::NEUTRAL.with(unit(12), value)
}

/// A clip at ten frames per second, with the smile and brow of each frame, or no face.
fn analysis(values: &[Option<f32>]) -> Arc<ClipAnalysis> {
    let frames = values.iter().enumerate().map(|(i, value)| AuFrame {
        time: i as f64 / 10.0,
        aus: value.map(|value| smile(value).with(unit(1), value)),
        relative_to_rest: value.map(|value| smile(value / 2.0)),
        ..AuFrame::default()
    });
    Arc::new(ClipAnalysis::grey(AuTrack {
        name: "clip".to_owned(),
        fps: 10.0,
        frames: frames.collect(),
        shapes: vec![None; values.len()],
        rest: 0,
        read_error: None,
    }))
}

/// No smoothing, absolute, and not relative to a resting face.
fn plain() -> ClipMotion {
    let source = MediaSource::Bundled("sample.mp4".to_owned());
    let mut motion = ClipMotion::new(source);
    motion.follow = Follow {
        smoothing_strength: 0.0,
        use_baseline: Some(false),
        relative: false,
        ..Follow::default()
    };
    motion
}

const VALUES: [Option<f32>; 5] = [None, Some(0.25), Some(0.5), None, Some(1.0)];

fn driver(motion: &ClipMotion, source: AuVector) -> ClipDriver {
    ClipDriver::clip(analysis(&VALUES), motion, None, &source).unwrap()
}

fn smiles(driver: &ClipDriver) -> Vec<f32> {
    (0..driver.frames())
        .map(|step| driver.pose(step).get(unit(12)))
        .collect()
}

#[test]
fn gaps_hold_the_expression_before_them() {
    let driver = driver(&plain(), smile(0.125));
    assert_eq!(smiles(&driver), [0.125, 0.25, 0.5, 0.5, 1.0]);
    let is_there: Vec<bool> = driver.poses().iter().map(Option::is_some).collect();
    assert_eq!(is_there, [false, true, true, false, true]);
    assert_eq!(driver.pose(99), driver.pose(4));
    assert_eq!((driver.reference, driver.dissimilarity), (0, None));
}

#[test]
fn strength_and_gains_scale_the_movement() {
    let mut motion = plain();
    motion.follow.strength = 0.5;
    assert_eq!(smiles(&driver(&motion, smile(0.0)))[4], 0.5);
    motion.follow.strength = 2.0;
    assert_eq!(smiles(&driver(&motion, smile(0.0)))[1], 0.5);
    let mouth = Group::ALL.iter().position(|group| *group == Group::Mouth);
    motion.follow.gains[mouth.unwrap()] = 0.0;
    let still = driver(&motion, smile(0.25));
    assert_eq!(smiles(&still), [0.25; 5]);
    assert_eq!(still.pose(1).get(unit(1)), 0.5);
    motion.follow.strength = f32::NAN;
    assert_eq!(driver(&motion, smile(0.25)).pose(1).get(unit(1)), 0.25);
}

#[test]
fn strength_zero_gives_exactly_the_expression_of_the_portrait() {
    let source: AuVector = std::array::from_fn(|i| 0.061 * i as f32).into();
    for relative in [false, true] {
        let mut motion = plain();
        motion.follow.strength = 0.0;
        motion.follow.relative = relative;
        motion.follow.smoothing_strength = 0.5;
        let driver = driver(&motion, source);
        assert!((0..driver.frames()).all(|step| driver.pose(step) == source));
    }
}

#[test]
fn relative_movement_begins_at_the_reference() {
    let mut motion = plain();
    motion.follow.relative = true;
    motion.follow.reference = Some(2);
    let there = driver(&motion, smile(0.25));
    assert_eq!(there.reference, 2);
    assert_eq!(smiles(&there), [0.25, 0.0, 0.25, 0.25, 0.75]);
    // A frame that the analysis doesn't have counts as not set.
    motion.follow.reference = Some(99);
    assert_eq!(driver(&motion, smile(0.25)).reference, 0);
}

#[test]
fn the_resting_face_is_the_baseline_only_when_chosen() {
    let mut motion = plain();
    motion.follow.use_baseline = Some(true);
    assert_eq!(smiles(&driver(&motion, smile(0.0)))[4], 0.5);
}

#[test]
fn a_clip_is_trimmed_to_its_range_and_an_empty_range_refused() {
    let mut motion = plain();
    (motion.from, motion.to) = (Some(0.1), Some(0.4));
    let part = driver(&motion, smile(0.0));
    assert_eq!((part.first, part.last, part.frames()), (1, 3, 3));
    let frames: Vec<usize> = (0..5).map(|step| part.frame_at(step)).collect();
    assert_eq!(frames, [1, 2, 3, 3, 3]);
    assert_eq!(smiles(&part), [0.25, 0.5, 0.5]);
    assert_eq!(part.reference, 1);
    motion.playback = Playback::PingPong;
    let part = driver(&motion, smile(0.0));
    assert_eq!(part.order(), [0, 1, 2, 1]);
    assert_eq!(part.playing_at(0.35), (1, false));
    for (from, to) in [(9.0, 10.0), (0.2, 0.2), (0.3, 0.1), (f64::NAN, 1.0)] {
        (motion.from, motion.to) = (Some(from), Some(to));
        let refused = ClipDriver::clip(analysis(&VALUES), &motion, None, &smile(0.0));
        assert!(refused.is_err(), "{from} {to}");
    }
}

#[test]
fn a_sampled_motion_plays_at_its_own_rate_and_playback() {
    let codes = Sample::draw(1, &SampleSizes::default(), 5, None).unwrap();
    let mut motion = SampledMotion::new(codes);
    motion.fps = 24.0;
    motion.follow = plain().follow;
    let driver = ClipDriver::sample(analysis(&VALUES), &motion, None, &smile(0.0)).unwrap();
    assert_eq!((driver.fps(), driver.frames()), (24.0, 5));
    assert_eq!(driver.playback(), Playback::PingPong);
    assert_eq!(smiles(&driver), [0.0, 0.25, 0.5, 0.5, 1.0]);
}

fn key(driver: &ClipDriver, step: usize) -> ClipFrameKey {
    driver.key(DrivePicture::Now, step, true)
}

#[test]
fn cache_keys_differ_exactly_when_the_driven_frames_do() {
    let motion = plain();
    let usual = driver(&motion, smile(0.0));
    let again = driver(&motion, smile(0.0));
    assert_eq!(key(&usual, 2), key(&again, 2));
    assert_ne!(key(&usual, 2), key(&usual, 3));
    // The same frame of a part has the same key, as long as the reference is the same.
    let mut other = motion.clone();
    other.from = Some(0.1);
    other.follow.reference = Some(0);
    assert_eq!(key(&driver(&other, smile(0.0)), 1), key(&usual, 2));
    let changes: [fn(&mut ClipMotion); 4] = [
        |motion| motion.follow.strength = 0.5,
        |motion| motion.follow.lock_place = true,
        |motion| motion.follow.reference = Some(4),
        |motion| {
            motion.square = Some(Crop {
                x: 1.0,
                y: 1.0,
                side: 9.0,
                angle: 0.0,
            });
        },
    ];
    for change in changes {
        let mut changed = motion.clone();
        change(&mut changed);
        assert_ne!(key(&driver(&changed, smile(0.0)), 2), key(&usual, 2));
    }
}

#[test]
fn without_a_face_the_crop_is_centred() {
    let driver = driver(&plain(), smile(0.0));
    let (picture, square) = driver.picture(DrivePicture::Now, 1, &rule(), true).unwrap();
    assert_eq!(picture.size(), (16, 16));
    assert_eq!((square.x, square.y, square.side), (8.0, 8.0, 16.0));
}

fn rule() -> CropRule {
    CropRule {
        kind: "landmark_bbox_square".to_owned(),
        scale: 1.2,
        upright: true,
    }
}

/// A square of a picture as a picture.
fn cut(picture: &Picture, square: TurnedSquare, size: usize) -> Picture {
    let planes = network_input(picture, square, size).unwrap();
    let area = size * size;
    let rgba = (0..4 * area).map(|i| match i % 4 {
        3 => 255,
        channel => (planes[channel * area + i / 4] * 127.5 + 127.5).round() as u8,
    });
    Picture::new(size as u32, size as u32, rgba.collect()).unwrap()
}

/// A still portrait under a camera that moves, zooms and turns.
fn camera() -> (Arc<ClipAnalysis>, tempfile::TempDir) {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/resources/samples/grace_hopper.jpg"
    );
    let picture = media::image::open(file.as_ref()).unwrap();
    let found = crate::face::found::find_faces(&picture, &rule()).unwrap();
    let base = square(found[0].crop);
    let base = TurnedSquare {
        side: 1.7 * base.side,
        angle: 1e-9,
        ..base
    };
    let frames = [
        base,
        TurnedSquare {
            x: base.x + 0.08 * base.side,
            y: base.y - 0.05 * base.side,
            ..base
        },
        TurnedSquare {
            side: 0.85 * base.side,
            ..base
        },
        TurnedSquare { angle: 0.2, ..base },
    ];
    let folder = tempfile::tempdir().unwrap();
    for (i, square) in frames.into_iter().enumerate() {
        let path = folder.path().join(format!("{i:04}.png"));
        save_png(&path, &cut(&picture, square, 480)).unwrap();
    }
    let source = MediaSource::File(folder.path().to_owned());
    let analysis = ClipAnalysis::read(&source, &Progress::new(0)).unwrap();
    (Arc::new(analysis), folder)
}

/// The distance of the inputs of frames 1 to 3 from that of frame 0, in 0..=2.
fn distances(analysis: &Arc<ClipAnalysis>, lock_place: bool, lock_scale: bool) -> [f32; 3] {
    let mut motion = plain();
    motion.follow.reference = Some(0);
    (motion.follow.lock_place, motion.follow.lock_scale) = (lock_place, lock_scale);
    let driver = ClipDriver::clip(Arc::clone(analysis), &motion, None, &smile(0.0)).unwrap();
    let input = |step: usize| {
        let (picture, square) = driver
            .picture(DrivePicture::Now, step, &rule(), true)
            .unwrap();
        network_input(&picture, square, 96).unwrap()
    };
    let first = input(0);
    let (picture, square) = driver
        .picture(DrivePicture::Reference, 2, &rule(), true)
        .unwrap();
    assert_eq!(network_input(&picture, square, 96).unwrap(), first);
    [1, 2, 3].map(|step| {
        let pairs = input(step);
        let pairs = pairs.iter().zip(&first);
        pairs.map(|(a, b)| (a - b).abs()).sum::<f32>() / first.len() as f32
    })
}

#[test]
fn place_and_size_locks_remove_the_movement_of_the_head_and_nothing_else_does() {
    let (analysis, _folder) = camera();
    assert!((0..4).all(|frame| analysis.mesh(frame).is_some()));
    let free = distances(&analysis, false, false);
    let placed = distances(&analysis, true, false);
    let sized = distances(&analysis, false, true);
    let both = distances(&analysis, true, true);
    println!("{free:?} {placed:?} {sized:?} {both:?}");
    // A zoomed frame is resampled, which alone makes 0.08.
    const SAME: f32 = 0.1;
    for i in 0..3 {
        assert!(
            both[i] < SAME && both[i] < 0.4 * free[i],
            "{i} {both:?} {free:?}"
        );
    }
    // A zoom needs the lock on size, a move and a turn the lock on place.
    assert!(placed[0] < SAME && placed[2] < SAME && placed[1] > 2.0 * both[1]);
    assert!(sized[0] > 2.0 * both[0] && sized[2] > 2.0 * both[2]);
}

#[test]
fn the_reference_is_the_frame_most_similar_to_the_portrait() {
    let (analysis, _folder) = camera();
    let shape = shape68(analysis.mesh(2).unwrap());
    let driver =
        ClipDriver::clip(Arc::clone(&analysis), &plain(), Some(&shape), &smile(0.0)).unwrap();
    assert_eq!((driver.reference, driver.dissimilarity), (2, Some(0.0)));
    let mut motion = plain();
    motion.follow.reference = Some(3);
    let driver = ClipDriver::clip(analysis, &motion, Some(&shape), &smile(0.0)).unwrap();
    assert_eq!(driver.reference, 3);
    assert!(driver.dissimilarity.unwrap() > 0.0);
}

#[test]
fn head_rotation_is_relative_to_the_reference_frame_and_scaled_by_its_strength() {
    let head = |yaw, pitch| {
        Some(HeadPose {
            yaw,
            pitch,
            roll: 2.0,
        })
    };
    let heads = [head(4.0, 0.0), None, head(10.0, 6.0), head(90.0, 0.0)];
    let mut poses = [Some(Pose::NEUTRAL); 4];
    let follow = Follow {
        smoothing_strength: 0.0,
        strength: 0.5,
        ..Follow::default()
    };
    let times = [0.0, 0.04, 0.08, 0.12];
    let turning = RelativeRotation {
        times: &times,
        reference: 0,
        follow: &follow,
    };
    turning.heads(&mut poses, &heads);
    let turned = poses.map(|pose| pose.unwrap().head);
    assert_eq!(turned[0], HeadTurn::NEUTRAL);
    assert_eq!(turned[1], HeadTurn::NEUTRAL, "no face was found there");
    // A face that looks up has a negative nod.
    assert!((turned[2].yaw() - 3.0).abs() < 1e-4 && (turned[2].pitch() + 3.0).abs() < 1e-4);
    assert_eq!(turned[3].yaw(), 20.0, "as far as a head can turn");
}

#[test]
fn gaze_is_relative_to_the_reference_frame_and_scaled_by_its_strength() {
    let gazes = [
        Some([-3.0, 1.0]),
        None,
        Some([5.0, -1.0]),
        Some([90.0, 0.0]),
    ];
    let mut poses = [
        Some(Pose::NEUTRAL),
        None,
        Some(Pose::NEUTRAL),
        Some(Pose::NEUTRAL),
    ];
    let mut follow = Follow {
        smoothing_strength: 0.0,
        strength: 0.5,
        ..Follow::default()
    };
    let times = [0.0, 0.04, 0.08, 0.12];
    let turning = |follow: &Follow, poses: &mut [Option<Pose>]| {
        let turning = RelativeRotation {
            times: &times,
            // For a frame without a face, the next that has one counts.
            reference: 1,
            follow,
        };
        turning.eyes(poses, &gazes);
    };
    turning(&follow, &mut poses);
    let gaze = |poses: &[Option<Pose>], i: usize| poses[i].unwrap().gaze;
    assert_eq!(gaze(&poses, 0), Gaze::new(-4.0, 1.0));
    assert_eq!(poses[1], None);
    assert_eq!(gaze(&poses, 2), Gaze::NEUTRAL);
    assert_eq!(gaze(&poses, 3).x(), 25.0, "as far as eyes can turn");
    let eyes = Group::ALL.iter().position(|group| *group == Group::Eyes);
    follow.gains[eyes.unwrap()] = 0.0;
    turning(&follow, &mut poses);
    assert!((0..4).all(|i| i == 1 || gaze(&poses, i) == Gaze::NEUTRAL));
}

/// A job's reading has heads and eyes, although it drops the landmarks.
#[test]
fn an_analysis_without_landmarks_drives_the_head_and_gaze_too() {
    let source = crate::drive::sample_clip::SampleClip::source();
    let read = |reading| {
        let progress = Progress::new(0);
        ClipAnalysis::read_part(&source, (None, Some(1.0)), reading, &progress).unwrap()
    };
    let [faces, landmarks] = [Reading::Faces, Reading::Landmarks].map(read);
    assert!(faces.mesh(0).is_none() && landmarks.mesh(0).is_some());
    let motion = ClipMotion::new(source.clone());
    let [faces, landmarks] = [faces, landmarks].map(|analysis| {
        ClipDriver::clip(Arc::new(analysis), &motion, None, &AuVector::NEUTRAL).unwrap()
    });
    assert_eq!(faces.poses(), landmarks.poses());
    let turns = |pose: &Pose| pose.head != HeadTurn::NEUTRAL && pose.gaze != Gaze::NEUTRAL;
    assert!(faces.poses().iter().flatten().any(turns));
}
