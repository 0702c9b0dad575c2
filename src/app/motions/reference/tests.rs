//! The panel in a simulated window, on the bundled clip.

use std::path::Path;
use std::sync::OnceLock;

use iced::widget::column;
use iced::{Point, Size, mouse};
use iced_test::{Simulator, selector};

use super::filmstrip::FILMSTRIP;
use super::*;
use crate::app::motions::list::{MotionList, MotionState};
use crate::document::{
    ActionUnit, AuVector, Document, Expression, MediaSource, MotionId, MotionKind, PortraitRef,
    Project, Sample, SampleSizes, SampledMotion,
};
use crate::media::clip::Clip;
use crate::media::encode::save_png;
use crate::media::image::{Picture, open};
use crate::progress::Progress;

/// The sample clip's data.
struct Read {
    thumbs: Vec<Thumb>,
    current: image::Handle,
    times: Vec<f64>,
    fps: f64,
    size: (u32, u32),
    scores: Vec<Option<f32>>,
    poses: Vec<Option<Pose>>,
}

const PART: (usize, usize) = (6, 40);

fn handle(picture: &Picture) -> image::Handle {
    image::Handle::from_rgba(picture.width(), picture.height(), picture.rgba().to_vec())
}

/// Subsamples a picture: every `each`th pixel in both directions.
fn smaller(picture: &Picture, each: u32) -> Picture {
    let (width, height) = (picture.width() / each, picture.height() / each);
    let mut rgba = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let at = ((y * each * picture.width() + x * each) * 4) as usize;
            rgba.extend_from_slice(&picture.rgba()[at..at + 4]);
        }
    }
    Picture::new(width, height, rgba).unwrap()
}

fn read() -> &'static Read {
    static READ: OnceLock<Read> = OnceLock::new();
    READ.get_or_init(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("resources/clips/sample.mp4");
        let clip = Clip::open(&path).unwrap();
        let info = *clip.info();
        let frames: Vec<_> = clip.map(Result::unwrap).collect();
        let thumbs = frames.iter().enumerate().step_by(4).map(|(frame, read)| {
            let picture = smaller(&read.picture, 4);
            Thumb {
                frame,
                size: picture.size(),
                handle: handle(&picture),
            }
        });
        let wave = |i: usize, speed: f32| 0.5 + 0.5 * (i as f32 * speed).sin();
        let unit = |code| ActionUnit::from_code(code).unwrap();
        let part = PART.0..=PART.1;
        let poses = part.map(|i| {
            let units = [(12, 0.2), (26, 0.13), (4, 0.31), (1, 0.08), (9, 0.05)];
            let aus = units.iter().fold(AuVector::NEUTRAL, |aus, (code, speed)| {
                aus.with(unit(*code), wave(i, *speed) * (0.3 + speed * 2.0).min(1.0))
            });
            (i % 17 != 3).then_some(aus.into())
        });
        Read {
            thumbs: thumbs.collect(),
            current: handle(&frames[18].picture),
            times: frames.iter().map(|frame| frame.time).collect(),
            fps: info.fps,
            size: (info.width, info.height),
            scores: (0..frames.len())
                .map(|i| Some(0.02 + 0.1 * wave(i, 0.17)))
                .collect(),
            poses: poses.collect(),
        }
    })
}

fn known() -> ClipPanelData<'static> {
    let read = read();
    ClipPanelData {
        name: "sample.mp4",
        fps: read.fps,
        frames: read.times.len(),
        times: &read.times,
        thumbs: &read.thumbs,
        scores: &read.scores,
        reference: 28,
        poses: &read.poses,
        first: PART.0,
        last: PART.1,
        step: 12,
        read_error: None,
        current: Some(read.current.clone()),
        square: Some(Crop {
            x: read.size.0 as f32 * 0.25,
            y: read.size.1 as f32 * 0.12,
            side: read.size.1 as f32 * 0.6,
            angle: 0.0,
        }),
        clip_size: read.size,
    }
}

fn motion() -> ClipMotion {
    let mut motion = ClipMotion::new(MediaSource::Bundled("sample.mp4".to_owned()));
    known().trim(PART).apply(&mut motion);
    motion
}

const SIZE: Size = Size::new(272.0, 1100.0);

/// The actions that follow from simulated input.
fn actions(
    motion: &ClipMotion,
    known: &ClipPanelData<'_>,
    hand: impl FnOnce(&mut Simulator<'_, Message>),
) -> Vec<Action> {
    let mut panel = Reference::default();
    let messages: Vec<_> = {
        let mut window =
            Simulator::with_size(iced::Settings::default(), SIZE, panel.view(motion, known));
        hand(&mut window);
        window.into_messages().collect()
    };
    messages
        .into_iter()
        .map(|message| panel.update(message))
        .collect()
}

/// Drags from one point of a widget to another, both relative to its upper left corner.
fn drag(
    window: &mut Simulator<'_, Message>,
    id: &'static str,
    from: impl Fn(Size) -> Point,
    to: impl Fn(Size) -> Point,
) {
    let place = window.find(selector::id(id)).unwrap().bounds();
    let corner = place.position();
    let at = |point: Point| Point::new(corner.x + point.x, corner.y + point.y);
    let mut go = |to: Point, then| {
        window.point_at(to);
        window.simulate([
            iced::Event::Mouse(mouse::Event::CursorMoved { position: to }),
            iced::Event::Mouse(then),
        ]);
    };
    go(
        at(from(place.size())),
        mouse::Event::ButtonPressed(mouse::Button::Left),
    );
    go(
        at(to(place.size())),
        mouse::Event::ButtonReleased(mouse::Button::Left),
    );
}

/// The left edge of a frame on the filmstrip.
fn on_film(frame: usize, size: Size) -> f32 {
    8.0 + frame as f32 / known().frames as f32 * (size.width - 16.0)
}

#[test]
fn dragging_the_in_handle_trims_the_clip_to_that_frame() {
    let known = known();
    let did = actions(&motion(), &known, |window| {
        drag(
            window,
            FILMSTRIP,
            |size| Point::new(on_film(PART.0, size) - 4.0, 30.0),
            |size| Point::new(on_film(20, size), 30.0),
        );
    });
    let [Action::Drag("trim", change), Action::EndGesture] = did[..] else {
        panic!("{did:?}")
    };
    let mut motion = motion();
    let before = motion.to;
    change.apply(&mut motion);
    assert_eq!((motion.from, motion.to), (Some(known.times[20]), before));
    assert!(before.is_some());
}

#[test]
fn a_trim_to_the_whole_clip_stores_no_times() {
    let mut motion = motion();
    let known = known();
    known.trim((0, known.frames - 1)).apply(&mut motion);
    assert_eq!((motion.from, motion.to), (None, None));
    let did = actions(&self::motion(), &known, |window| {
        window.click(strings::WHOLE_CLIP).unwrap();
    });
    let whole = Change::Trim {
        from: None,
        to: None,
    };
    assert_eq!(did, [Action::Change(whole)]);
    let uncounted = ClipPanelData {
        times: &[],
        ..known
    };
    assert_eq!(uncounted.time_of(48), 48.0 / uncounted.fps);
}

#[test]
fn dragging_on_the_filmstrip_scrubs_and_the_marker_sets_the_reference_frame() {
    let known = known();
    let did = actions(&motion(), &known, |window| {
        let at = |frame| move |size| Point::new(on_film(frame, size) + 1.0, 30.0);
        drag(window, FILMSTRIP, at(20), at(30));
    });
    assert_eq!(
        did,
        [Action::Scrub(14), Action::Scrub(24), Action::EndGesture]
    );
    let did = actions(&motion(), &known, |window| {
        let at = |frame| move |size| Point::new(on_film(frame, size) + 1.5, 5.0);
        drag(window, FILMSTRIP, at(28), at(33));
    });
    let refer = |frame| Change::Follow(follow::Change::Reference(frame));
    assert_eq!(
        did,
        [
            Action::Drag("reference", refer(Some(33))),
            Action::EndGesture
        ]
    );
    let did = actions(&motion(), &known, |window| {
        window.click(strings::USE_CURRENT).unwrap();
        // No reference was set, so there is nothing to reset.
        window.click(strings::AUTO).unwrap();
    });
    assert_eq!(did, [Action::Change(refer(Some(18)))]);
    let mut set = motion();
    refer(Some(18)).apply(&mut set);
    assert_eq!(set.follow.reference, Some(18));
    let did = actions(&set, &known, |window| {
        window.click(strings::AUTO).unwrap();
    });
    assert_eq!(did, [Action::Change(refer(None))]);
}

#[test]
fn the_face_crop_can_be_dragged_within_the_clip_and_reset() {
    let known = known();
    let before = known.square.unwrap();
    let did = actions(&motion(), &known, |window| {
        let place = |size| frame::fitted(known.clip_size, size);
        let scale = |size: Size| place(size).width / known.clip_size.0 as f32;
        let edge = |size: Size| {
            let (x, _) = before.middle();
            Point::new(
                place(size).x + x * scale(size),
                place(size).y + before.y * scale(size),
            )
        };
        drag(window, frame::FRAME, edge, |_| Point::new(0.0, -500.0));
    });
    let [Action::Drag("square", change), Action::EndGesture] = did[..] else {
        panic!("{did:?}")
    };
    let mut motion = motion();
    change.apply(&mut motion);
    let square = motion.square.unwrap();
    assert_eq!((square.y, square.side), (0.0, before.side));
    assert!(square.x < before.x);
    let did = actions(&motion, &known, |window| {
        window.click(strings::FIND_AGAIN).unwrap();
    });
    assert_eq!(did, [Action::Change(Change::Square(None))]);
}

#[test]
fn bake_to_track_is_offered_only_when_the_clip_shows_a_face() {
    let press = |known: &ClipPanelData<'_>| {
        actions(&motion(), known, |window| {
            window.click(common::BAKE).unwrap();
            window.click(strings::REPLACE).unwrap();
        })
    };
    assert_eq!(press(&known()), [Action::Bake, Action::Replace]);
    let faceless = ClipPanelData {
        poses: &[None, None],
        ..known()
    };
    assert_eq!(press(&faceless), [Action::Replace]);
}

#[test]
fn playback_and_follow_controls_send_their_changes() {
    let did = actions(&motion(), &known(), |window| {
        window.click("Ping-pong").unwrap();
        window.click(strings::follow::NEUTRAL_GENERAL).unwrap();
    });
    let own = Change::Follow(follow::Change::Own(Some(false)));
    assert_eq!(
        did,
        [
            Action::Change(Change::Playback(Playback::PingPong)),
            Action::Change(own)
        ]
    );
    let mut motion = motion();
    own.apply(&mut motion);
    assert_eq!(motion.follow.use_baseline, Some(false));
}

fn project() -> Project {
    let portrait = PortraitRef {
        id: 0,
        name: "portrait.png".to_owned(),
        source: MediaSource::Bundled("portrait.png".to_owned()),
        width: 512,
        height: 512,
    };
    let crop = Crop::guess(512, 512).unwrap();
    let document = Document::new(portrait, crop, AuVector::NEUTRAL);
    let mut project = Project::new(document);
    let track = MotionKind::Track(Expression::of(project.document()));
    let clip =
        |name: &str| MotionKind::Clip(ClipMotion::new(MediaSource::Bundled(name.to_owned())));
    let sample = Sample::draw(1, &SampleSizes::default(), 16, None).unwrap();
    project.add("A slow smile", track);
    let chosen = project.add("sample.mp4", clip("sample.mp4"));
    project.add("a long interview with a very long name.mov", clip("b"));
    project.add("holiday.gif", clip("c"));
    project.add("landscape.mp4", clip("d"));
    project.add(
        "Sampled motion",
        MotionKind::Sample(SampledMotion::new(sample)),
    );
    project.choose(chosen);
    project
}

/// Both panels in one column, as in the window.
fn pictured(light: bool) -> Picture {
    let project = project();
    let progress = Progress::new(100);
    (0..43).for_each(|_| progress.step());
    let states = [
        (
            3,
            MotionState::Ready {
                frames: 48,
                fps: 24.0,
            },
        ),
        (4, MotionState::Reading(progress)),
        (5, MotionState::Missing("holiday.gif".to_owned())),
        (6, MotionState::Problem("no face found".to_owned())),
    ]
    .map(|(id, state)| (MotionId(id), state));
    let (motions, panel) = (MotionList::default(), Reference::default());
    let (motion, known) = (motion(), known());
    let list = motions.view(&project, &states).map(|_| ());
    let controls = panel.view(&motion, &known).map(|_| ());
    let column = container(column![list, controls].spacing(theme::SPACE))
        .padding(theme::SPACE)
        .width(300)
        .height(Length::Fill)
        .style(theme::panel);
    let settings = iced::Settings {
        fonts: vec![theme::FIGURES_FILE.into()],
        ..iced::Settings::default()
    };
    let mut window = Simulator::with_size(settings, Size::new(300.0, 1520.0), column);
    let snapshot = window.snapshot(&theme::theme(light)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    assert!(snapshot.matches_image(folder.path().join("seen")).unwrap());
    let written = std::fs::read_dir(folder.path()).unwrap().next();
    open(&written.unwrap().unwrap().path()).unwrap()
}

#[test]
fn both_panels_render_in_the_dark_and_the_light_theme() {
    for (light, name) in [(false, "dark"), (true, "light")] {
        let seen = pictured(light);
        // Written for viewing by hand.
        if let Some(folder) = std::env::var_os("MIEN_SEEN") {
            save_png(&Path::new(&folder).join(format!("{name}.png")), &seen).unwrap();
        }
        let pixel = |x: u32, y: u32| {
            let at = ((y * seen.width() + x) * 4) as usize;
            u32::from(seen.rgba()[at]) + u32::from(seen.rgba()[at + 1])
        };
        let ground = pixel(2, 2);
        assert_eq!(ground > 256, light, "{name}");
        // Every part of the column has pictures, text or lines.
        for band in 0..10 {
            let rows = (1..seen.height() / 10 - 1).map(|y| y + band * seen.height() / 10);
            let drawn = rows
                .flat_map(|y| (0..seen.width()).map(move |x| (x, y)))
                .filter(|(x, y)| pixel(*x, *y).abs_diff(ground) > 60)
                .count();
            assert!(drawn > 200, "{name}, band {band}: {drawn}");
        }
    }
}
