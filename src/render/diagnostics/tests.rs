//! Known motions give known pictures; the real networks have all the outputs they promise.

use std::sync::Arc;

use proptest::prelude::*;

use crate::document::{ActionUnit, Mode, Pose, Sides};
use crate::error::EngineError;
use crate::face::portrait::Sample;
use crate::methods::diagnostics::{DeformedMesh, KeyPoint, MotionDiagnostics};
use crate::methods::drive::{Drive, DriveKey, DrivePicture, PoseKey, Viewpoint};
use crate::methods::subject::{Subject, square};
use crate::methods::{MethodFrame, MethodInfo, Quality, Session, fomm, tps};
use crate::progress::Stop;
use crate::render::diagnostics::*;

mod layer_weights;

/// Side of the synthetic flows in samples.
const SAMPLES: usize = 32;

const PLACE: TurnedSquare = TurnedSquare {
    x: 100.0,
    y: 90.0,
    side: 120.0,
    angle: 0.0,
};

fn portrait() -> Picture {
    flat([180, 140, 120])
}

fn flat([r, g, b]: [u8; 3]) -> Picture {
    Picture::new(200, 200, [r, g, b, 255].repeat(40_000)).unwrap()
}

/// A motion that moves each point, in -1..=1, by what `moved` returns.
fn motion(moved: impl Fn(f32, f32) -> [f32; 2]) -> Motion {
    let at = |i: usize| 2.0 * i as f32 / (SAMPLES - 1) as f32 - 1.0;
    let flow = (0..SAMPLES * SAMPLES).flat_map(|i| {
        let (x, y) = (at(i % SAMPLES), at(i / SAMPLES));
        let [dx, dy] = moved(x, y);
        [x - dx, y - dy]
    });
    Motion {
        flow_size: (SAMPLES, SAMPLES),
        flow: flow.collect(),
        align_corners: true,
        occlusion_size: 1,
        occlusion: vec![1.0],
        size: 1,
        picture: vec![0.5; 3],
    }
}

fn seen(motion: Motion) -> MotionFrame {
    MotionFrame {
        occlusions: vec![Map {
            size: 1,
            values: vec![1.0],
        }],
        motion,
        contributions: None,
        points: Vec::new(),
        source: Vec::new(),
    }
}

fn drawn(show: PaneView, place: TurnedSquare, seen: &MotionFrame) -> Picture {
    let mut picture = portrait();
    draw_motion(&mut picture, place, show, seen, None);
    picture
}

fn pixel(picture: &Picture, (x, y): (f64, f64)) -> [u8; 4] {
    let at = (y as usize * picture.width() as usize + x as usize) * 4;
    std::array::from_fn(|c| picture.rgba()[at + c])
}

fn flow_at(place: TurnedSquare, at: (f64, f64), moved: impl Fn(f32, f32) -> [f32; 2]) -> [u8; 4] {
    let picture = drawn(PaneView::Flow, place, &seen(motion(moved)));
    pixel(&picture, place.to_picture(at))
}

fn is_red([r, g, b, _]: [u8; 4]) -> bool {
    r > g.saturating_add(60) && r > b.saturating_add(60)
}

fn is_yellow([r, g, b, _]: [u8; 4]) -> bool {
    r > b.saturating_add(60) && g > b.saturating_add(60)
}

fn is_cyan([r, g, b, _]: [u8; 4]) -> bool {
    g > r.saturating_add(60) && b > r.saturating_add(60)
}

fn is_violet([r, g, b, _]: [u8; 4]) -> bool {
    b > g.saturating_add(60) && r > g.saturating_add(30) && b > r
}

#[test]
fn a_flow_in_one_direction_has_its_hue() {
    let middle = (0.5, 0.5);
    let far = 2.0 * FULL_FLOW;
    assert!(is_red(flow_at(PLACE, middle, |_, _| [far, 0.0])));
    assert!(is_yellow(flow_at(PLACE, middle, |_, _| [0.0, far])));
    assert!(is_cyan(flow_at(PLACE, middle, |_, _| [-far, 0.0])));
    assert!(is_violet(flow_at(PLACE, middle, |_, _| [0.0, -far])));
    // A smaller one is paler, a larger one looks the same.
    let green = |far: f32| flow_at(PLACE, middle, |_, _| [far, 0.0])[1];
    assert!(green(0.3 * far) > green(0.6 * far) && green(0.6 * far) > green(far) + 40);
    assert_eq!(green(1.5 * far), green(4.0 * far));
}

#[test]
fn a_rotating_flow_has_all_hues_around_its_centre() {
    // Clockwise: what is on the right goes down.
    let turn = |x: f32, y: f32| [-0.4 * y, 0.4 * x];
    assert!(is_yellow(flow_at(PLACE, (0.8, 0.5), turn)));
    assert!(is_cyan(flow_at(PLACE, (0.5, 0.8), turn)));
    assert!(is_violet(flow_at(PLACE, (0.2, 0.5), turn)));
    assert!(is_red(flow_at(PLACE, (0.5, 0.2), turn)));
    let [r, g, b, _] = flow_at(PLACE, (0.5, 0.5), turn);
    assert!(r.abs_diff(g) < 20 && g.abs_diff(b) < 20);
}

#[test]
fn in_a_rotated_crop_the_hue_shows_the_direction_on_screen() {
    let turned = TurnedSquare {
        angle: std::f64::consts::FRAC_PI_2,
        ..PLACE
    };
    let far = 2.0 * FULL_FLOW;
    assert!(is_yellow(flow_at(turned, (0.5, 0.5), |_, _| [far, 0.0])));
    assert!(is_cyan(flow_at(turned, (0.5, 0.5), |_, _| [0.0, far])));
}

#[test]
fn zero_flow_shows_the_portrait_in_grey() {
    let still = seen(motion(|_, _| [0.0; 2]));
    let picture = drawn(PaneView::Flow, PLACE, &still);
    // In so small a crop the wheel begins at 0.74.
    let corner = PLACE.to_picture((0.7, 0.7));
    for (i, pixel) in picture.rgba().chunks(4).enumerate() {
        // Only the wheel has colours.
        if (i % 200) as f64 <= corner.0 || (i / 200) as f64 <= corner.1 {
            assert!(
                pixel[0] == pixel[1] && pixel[1] == pixel[2],
                "{i} {pixel:?}"
            );
        }
    }
    let light = luminance(&[180, 140, 120, 255]);
    let ground = f32::from(pixel(&picture, (10.0, 10.0))[0]);
    assert!((ground - GROUND * light).abs() < 1.0);
    assert!(f32::from(pixel(&picture, (100.0, 90.0))[0]) > 1.5 * ground);
    // The rest state counts as no motion, whatever its flow.
    let rest = motion(|x, _| [0.3 * x, 0.2]);
    let mut same = portrait();
    draw_motion(
        &mut same,
        PLACE,
        PaneView::Flow,
        &seen(rest.clone()),
        Some(&rest),
    );
    assert_eq!(same.rgba(), picture.rgba());
}

#[test]
fn occlusion_is_bright_where_the_source_is_hidden() {
    let mut seen = seen(motion(|_, _| [0.0; 2]));
    let left = |size: usize| Map {
        size,
        values: (0..size * size)
            .map(|i| f32::from(i % size >= size / 2))
            .collect(),
    };
    seen.occlusions = vec![left(8), left(32)];
    let sum = |p: [u8; 4]| p[..3].iter().map(|v| u32::from(*v)).sum::<u32>();
    for level in [0, 1, 9] {
        let picture = drawn(PaneView::Occlusion(level), PLACE, &seen);
        let at = |u: f64| sum(pixel(&picture, PLACE.to_picture((u, 0.5))));
        assert!(at(0.2) > 500 && at(0.8) < 250, "{} {}", at(0.2), at(0.8));
    }
    // A coarse map is softer; a level past the finest is the finest.
    let fine = drawn(PaneView::Occlusion(1), PLACE, &seen);
    assert_ne!(
        fine.rgba(),
        drawn(PaneView::Occlusion(0), PLACE, &seen).rgba()
    );
    assert_eq!(
        fine.rgba(),
        drawn(PaneView::Occlusion(9), PLACE, &seen).rgba()
    );
}

fn point(at: [f32; 2], axes: Option<[f32; 4]>) -> KeyPoint {
    KeyPoint { at, axes }
}

#[test]
fn key_points_are_drawn_at_their_positions_only() {
    let mut seen = seen(motion(|_, _| [0.0; 2]));
    seen.points = vec![point([0.5, -0.25], None), point([-0.6, 0.7], None)];
    seen.source = vec![point([0.4, -0.25], None), point([-0.6, 0.6], None)];
    let inner = 1.0 - 1.0 / SAMPLES as f64;
    let share = |at: f32| 0.5 + 0.5 * f64::from(at) * inner;
    for angle in [0.0, 0.6, -2.0] {
        let place = TurnedSquare { angle, ..PLACE };
        let picture = drawn(PaneView::KeyPoints, place, &seen);
        let at = |p: &KeyPoint| place.to_picture((share(p.at[0]), share(p.at[1])));
        for (i, driven) in seen.points.iter().enumerate() {
            let wanted = point_colour_of(i);
            let got = pixel(&picture, at(driven));
            for c in 0..3 {
                assert!(
                    (f32::from(got[c]) - wanted[c]).abs() < 2.0,
                    "{got:?} {wanted:?}"
                );
            }
        }
        let all: Vec<_> = seen.points.iter().chain(&seen.source).map(at).collect();
        let mut changed = 0;
        for (i, now) in picture.rgba().chunks(4).enumerate() {
            let near = all.iter().any(|p| {
                let (x, y) = ((i % 200) as f64 + 0.5, (i / 200) as f64 + 0.5);
                (p.0 - x).hypot(p.1 - y) < 8.0
            });
            let touched = now != [180, 140, 120, 255];
            assert!(near || !touched, "{i}");
            changed += usize::from(touched);
        }
        assert!(changed > 60, "{changed}");
    }
}

fn point_colour_of(index: usize) -> [f32; 3] {
    colours::point_colour((index, 2), (0, 1))
}

#[test]
fn the_axes_of_a_key_point_rotate_with_its_jacobian() {
    let mut seen = seen(motion(|_, _| [0.0; 2]));
    // Whatever the portrait's own axes are, unchanged ones make an upright cross.
    let own = [0.3, -1.2, 0.8, 0.1];
    seen.source = vec![point([0.0; 2], Some(own))];
    let place = TurnedSquare {
        side: 180.0,
        ..PLACE
    };
    let dark_or_bright = |picture: &Picture, (x, y): (f64, f64)| {
        let at = (place.x + 0.018 * 180.0 * x, place.y + 0.018 * 180.0 * y);
        pixel(picture, at) != [180, 140, 120, 255]
    };
    seen.points = vec![point([0.0; 2], Some(own))];
    let upright = drawn(PaneView::KeyPoints, place, &seen);
    assert!(dark_or_bright(&upright, (1.0, 0.0)) && dark_or_bright(&upright, (0.0, -1.0)));
    // Stretched threefold across, it gets longer only in that direction.
    seen.points = vec![point([0.0; 2], Some([0.9, -3.6, 0.8, 0.1]))];
    let wide = drawn(PaneView::KeyPoints, place, &seen);
    assert!(dark_or_bright(&wide, (2.4, 0.0)) && !dark_or_bright(&wide, (0.0, -2.4)));
    assert!(!dark_or_bright(&upright, (2.4, 0.0)));
}

#[test]
fn each_contribution_has_its_own_hue_and_the_background_none() {
    let mut seen = seen(motion(|_, _| [0.0; 2]));
    let size = 16;
    let third = |i: usize| (i % size) * 3 / size;
    let values = (0..3).flat_map(|k| (0..size * size).map(move |i| f32::from(third(i) == k)));
    seen.contributions = Some(Maps {
        count: 3,
        size,
        values: values.collect(),
    });
    let picture = drawn(PaneView::Contributions, PLACE, &seen);
    let light = luminance(&[180, 140, 120, 255]);
    for (u, colour) in [
        (0.1, BACKGROUND),
        (0.5, group_colour(0, 2)),
        (0.9, group_colour(1, 2)),
    ] {
        let got = pixel(&picture, PLACE.to_picture((u, 0.5)));
        for (got, wanted) in got.into_iter().zip(veiled(light, colour)) {
            assert!((f32::from(got) - wanted).abs() < 3.0, "{u} {got} {wanted}");
        }
    }
    let [r, g, b, _] = pixel(&picture, PLACE.to_picture((0.1, 0.5)));
    assert!(r == g && g == b);
}

#[test]
fn the_difference_view_uses_a_fixed_scale() {
    let at = |result: Picture| {
        let mut picture = flat([100; 3]);
        difference(&mut picture, &result);
        pixel(&picture, (50.0, 50.0))
    };
    let none = at(flat([100; 3]));
    assert_eq!(none, [42, 42, 42, 255]);
    let sum = |p: [u8; 4]| p[..3].iter().map(|v| u32::from(*v)).sum::<u32>();
    let (some, full) = (at(flat([100, 120, 100])), at(flat([100, 164, 100])));
    assert!(sum(none) < sum(some) && sum(some) < sum(full));
    assert_eq!(full, at(flat([100, 100, 255])));
    // With another size there is nothing to compare.
    assert_eq!(
        at(Picture::new(2, 2, vec![255; 16]).unwrap()),
        [100, 100, 100, 255]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_diagnostics_render_and_keep_the_alpha(
        x in -300f64..500.0, y in -300f64..500.0, side in 0.01f64..600.0, angle in -4f64..4.0,
        bad in any::<f32>(), index in 0..2 * SAMPLES * SAMPLES, level: u8,
    ) {
        let mut moved = motion(|x, y| [0.3 * y, x]);
        moved.flow[index] = bad;
        let mut seen = seen(moved);
        seen.occlusions[0].values[0] = bad;
        seen.points = vec![point([bad, 0.2], Some([1.0, bad, 0.0, 1.0])), point([0.1, 7.0], None)];
        seen.contributions = Some(Maps { count: 2, size: 1, values: vec![bad, 0.5] });
        let place = TurnedSquare { x, y, side, angle };
        for show in PaneView::ALL.into_iter().chain([PaneView::Occlusion(level)]) {
            let picture = drawn(show, place, &seen);
            prop_assert_eq!(picture.size(), (200, 200));
            prop_assert!(picture.rgba().chunks(4).all(|pixel| pixel[3] == 255));
            if matches!(show, PaneView::Result | PaneView::Attention | PaneView::Colour | PaneView::Mesh | PaneView::Depth | PaneView::Layers | PaneView::Difference) {
                prop_assert_eq!(&picture, &portrait());
            }
            prop_assert_eq!(&picture, &drawn(show, place, &seen));
        }
    }
}

#[test]
fn diagnostics_with_missing_values_are_not_drawn() {
    let mut seen = seen(motion(|_, _| [0.5; 2]));
    seen.motion.flow.pop();
    seen.occlusions[0].values.clear();
    seen.contributions = Some(Maps {
        count: 3,
        size: 4,
        values: vec![1.0; 47],
    });
    for show in PaneView::ALL {
        assert_eq!(drawn(show, PLACE, &seen).rgba(), portrait().rgba());
    }
    let nowhere = TurnedSquare {
        side: f64::NAN,
        ..PLACE
    };
    assert_eq!(
        drawn(PaneView::Flow, nowhere, &seen).rgba(),
        portrait().rgba()
    );
}

/// The portrait as a motion: its square is shifted by a share of its side.
struct Aside<'a> {
    subject: &'a Subject,
    by: f64,
}

impl Drive for Aside<'_> {
    fn is_rest(&self) -> bool {
        false
    }

    fn expression(&self) -> Pose {
        self.subject.expression.into()
    }

    fn gain(&self) -> f32 {
        1.0
    }

    fn key(&self, moment: DrivePicture, _: bool) -> DriveKey {
        let told_apart = match moment {
            DrivePicture::Now => {
                Pose::NEUTRAL.with(Sides::Both, ActionUnit::ALL[0], self.by as f32)
            }
            DrivePicture::Reference => Pose::NEUTRAL,
        };
        DriveKey::Drawn(PoseKey::from(&told_apart), self.subject.key())
    }

    fn picture(
        &mut self,
        moment: DrivePicture,
        viewpoint: &Viewpoint,
        _: Stop,
    ) -> Result<(Arc<Picture>, TurnedSquare), EngineError> {
        let mut place = viewpoint.place;
        if moment == DrivePicture::Now {
            place.x += self.by * place.side;
        }
        Ok((Arc::clone(&self.subject.picture), place))
    }
}

/// A bundled network's output for a bundled portrait whose face is moved to the left by a share of the crop.
fn real(info: &MethodInfo, mode: Mode, left: f64) -> MotionDiagnostics {
    let method = (info.open)(None).unwrap();
    let portrait = Sample::all()[0].open(method.crop()).unwrap();
    let subject = Subject::of(&portrait.document(0), &portrait, method.crop());
    let mut drive = Aside {
        subject: &subject,
        by: left,
    };
    let prepare = || method.prepare(&subject, &|| false).unwrap();
    let mut ask = |session: &mut dyn Session, quality, stop: Stop| {
        session.frame(&subject, &mut drive, Some(mode), quality, stop)
    };
    let said = |frame: MethodFrame| match frame.diagnostics {
        Diagnostics::Motion(said) => said,
        other => panic!("{other:?}"),
    };
    let mut session = prepare();
    let at_once = ask(session.as_mut(), Quality::Full, &|| false).unwrap();
    assert!(!at_once.is_draft);
    let at_once = said(at_once);
    assert_eq!(at_once.place, square(portrait.crop));
    let again = said(ask(session.as_mut(), Quality::Full, &|| false).unwrap());
    assert_eq!(at_once.frame, again.frame);

    // Before painting, everything except the picture is there.
    let mut session = prepare();
    let warped = ask(session.as_mut(), Quality::Draft, &|| false).unwrap();
    assert!(warped.is_draft);
    let mut warped = MotionFrame::clone(&said(warped).frame);
    assert!(warped.motion.picture.is_empty());
    let stopped = ask(session.as_mut(), Quality::Full, &|| true);
    assert!(stopped.unwrap_err().is_cancelled());
    let painted = said(ask(session.as_mut(), Quality::Full, &|| false).unwrap());
    warped.motion.picture = painted.frame.motion.picture.clone();
    assert_eq!(*painted.frame, warped);
    assert_eq!(at_once.frame, painted.frame);
    at_once
}

#[test]
fn the_bundled_networks_report_their_documented_diagnostics() {
    for (info, occlusions, points) in [(&fomm::method::INFO, 1, 10), (&tps::method::INFO, 4, 50)] {
        let MotionDiagnostics { place, frame, rest } = real(info, Mode::Relative, 0.06);
        let seen = frame.as_ref();
        let name = info.title;
        assert_eq!(seen.occlusions.len(), occlusions);
        assert!(seen.occlusions.is_sorted_by(|a, b| a.size < b.size));
        for map in &seen.occlusions {
            assert_eq!(map.values.len(), map.size * map.size);
            assert!(map.values.iter().all(|v| (0.0..=1.0).contains(v)));
        }
        let last = seen.occlusions.last().unwrap();
        assert_eq!(last.values, seen.motion.occlusion);
        assert_eq!(last.size, seen.motion.occlusion_size);

        let maps = seen.contributions.as_ref().unwrap();
        let area = maps.size * maps.size;
        assert_eq!((maps.count, maps.values.len()), (11, 11 * area));
        assert_eq!(maps.size, seen.motion.flow_size.0);
        for i in 0..area {
            let sum: f32 = (0..maps.count).map(|k| maps.values[k * area + i]).sum();
            assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        }

        assert_eq!((seen.points.len(), seen.source.len()), (points, points));
        for point in seen.points.iter().chain(&seen.source) {
            assert!(point.at.iter().all(|v| v.abs() < 1.5));
            assert_eq!(point.axes.is_some(), info.id == fomm::method::INFO.id);
        }
        let numbers = seen.motion.flow.len() + seen.motion.picture.len() + maps.values.len();
        assert!(seen.bytes() > 4 * numbers && seen.bytes() < 20 * numbers);

        // The face has moved to the left, and so do the points and the flow around them.
        let mean = |of: &[KeyPoint]| of.iter().map(|p| p.at[0]).sum::<f32>() / of.len() as f32;
        let (gone, was) = (mean(&seen.points), mean(&seen.source));
        assert!(gone < was - 0.05, "{name} {gone} {was}");
        let moved = displacement(&seen.motion, Some(&rest.motion), place.angle).unwrap();
        let middle = moved[(maps.size / 2) * maps.size + maps.size / 2];
        assert!(middle[0] < -0.02, "{name} {middle:?}");
    }
}

/// A square of two triangles in front of a larger one that faces away.
fn made_up_mesh() -> DeformedMesh {
    DeformedMesh {
        vertices: vec![
            [0.25, 0.25, 0.2],
            [0.25, 0.75, 0.2],
            [0.75, 0.75, 0.2],
            [0.75, 0.25, 0.2],
            [0.0, 0.0, 0.4],
            [1.0, 0.0, 0.4],
            [0.0, 1.0, 0.4],
            [f32::NAN, 0.0, 0.0],
        ],
        triangles: Arc::new(vec![[0, 1, 2], [0, 2, 3], [4, 5, 6], [0, 1, 7], [0, 1, 99]]),
    }
}

#[test]
fn depth_is_brighter_where_the_mesh_is_nearer_and_the_rest_is_dimmed() {
    let mut picture = portrait();
    mesh::depth(&mut picture, &PLACE, &made_up_mesh());
    // Halfway from the darkest depth to the brightest.
    let inside = pixel(&picture, PLACE.to_picture((0.4, 0.6)));
    assert_eq!(inside, [128, 128, 128, 255]);
    let outside = pixel(&picture, PLACE.to_picture((0.1, 0.1)));
    assert_eq!(outside[0], outside[1]);
    assert!(outside[0] < 80, "{outside:?}");
}

#[test]
fn front_facing_edges_are_drawn_and_the_rest_is_unchanged() {
    let mut picture = portrait();
    mesh::edges(&mut picture, &PLACE, &made_up_mesh());
    let at = |u: f64, v: f64| pixel(&picture, PLACE.to_picture((u, v)));
    let plain = pixel(&portrait(), (0.0, 0.0));
    assert_ne!(at(0.25, 0.5), plain, "the left edge");
    assert_ne!(at(0.5, 0.5), plain, "the diagonal");
    assert_eq!(at(0.6, 0.4), plain, "within a triangle");
    assert_eq!(at(0.5, 0.0), plain, "what faces away");
}
