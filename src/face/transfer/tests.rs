//! End-to-end tests from motion to picture.

use proptest::prelude::*;

use super::field::MAX_DISTANCE;
use super::{Motion, MotionFault, Transfer, TransferSource};
use crate::face::sampling::BorderMode;
use crate::face::{Mask, Square, TurnedSquare};
use crate::media::image::{ImagePyramid, Picture};

const FLOW: usize = 16;
const OCCLUSION: usize = 16;
const SIZE: usize = 32;

fn random(seed: u32, i: usize) -> f32 {
    let mixed = (i as u32 ^ seed.wrapping_mul(0x9e37_79b9)).wrapping_mul(2_654_435_761);
    let mixed = (mixed ^ mixed >> 15).wrapping_mul(2_246_822_519);
    (mixed >> 8 & 0xffff) as f32 / 65535.0
}

fn noise(width: u32, height: u32, seed: u32, alpha: bool) -> Picture {
    let rgba = (0..(width * height * 4) as usize).map(|i| match (i % 4, alpha) {
        (3, false) => 255,
        _ => (random(seed, i) * 255.0) as u8,
    });
    Picture::new(width, height, rgba.collect())
        .unwrap()
        .with_alpha(alpha)
}

/// A picture of soft waves.
fn waves(width: u32, height: u32) -> Picture {
    let rgba = (0..height).flat_map(|y| {
        (0..width).flat_map(move |x| {
            let wave = |a: f32, b: f32| 128.0 + 90.0 * (x as f32 * a + y as f32 * b).sin();
            [
                wave(0.07, 0.02),
                wave(0.03, -0.06),
                wave(-0.02, 0.05),
                255.0,
            ]
            .map(|v| v as u8)
        })
    });
    Picture::new(width, height, rgba.collect()).unwrap()
}

fn square(x: f64, y: f64, side: f64) -> Square {
    Square { x, y, side }
}

/// A motion with the displacement that `away` returns in [-1, 1] of the crop.
fn motion(away: impl Fn(f32, f32) -> (f32, f32), occlusion: f32, picture: Vec<f32>) -> Motion {
    let place = |i: usize| 2.0 * i as f32 / (FLOW - 1) as f32 - 1.0;
    let flow = (0..FLOW * FLOW).flat_map(|i| {
        let (x, y) = (place(i % FLOW), place(i / FLOW));
        let (dx, dy) = away(x, y);
        [x + dx, y + dy]
    });
    Motion {
        flow_size: (FLOW, FLOW),
        flow: flow.collect(),
        align_corners: true,
        occlusion_size: OCCLUSION,
        occlusion: vec![occlusion; OCCLUSION * OCCLUSION],
        size: SIZE,
        picture,
    }
}

/// The size of one pixel in a flow with `align_corners`.
fn a_pixel_of(side: f32) -> f32 {
    2.0 / side * FLOW as f32 / (FLOW - 1) as f32
}

fn no_motion(_: f32, _: f32) -> (f32, f32) {
    (0.0, 0.0)
}

fn flat(value: f32) -> Vec<f32> {
    vec![value; 3 * SIZE * SIZE]
}

/// A motion of random numbers.
fn wild(seed: u32) -> Motion {
    let number = |i: usize| random(seed, i);
    let side = OCCLUSION * OCCLUSION;
    Motion {
        flow_size: (FLOW, FLOW),
        flow: (0..2 * FLOW * FLOW)
            .map(|i| 3.0 * number(i) - 1.5)
            .collect(),
        align_corners: true,
        occlusion_size: OCCLUSION,
        occlusion: (0..side).map(|i| number(i + 9000)).collect(),
        size: SIZE,
        picture: (0..3 * SIZE * SIZE).map(|i| number(i + 20_000)).collect(),
    }
}

/// The network's input from the portrait, in [0, 1].
fn network_input_of(portrait: &Picture, place: impl Into<TurnedSquare>) -> Vec<f32> {
    ImagePyramid::for_networks(portrait).read(
        &place.into(),
        SIZE,
        (0.0, 1.0),
        BorderMode::Edge,
        (0, 0),
    )
}

fn transferred(
    portrait: &Picture,
    place: impl Into<TurnedSquare>,
    rest: &Motion,
    motion: &Motion,
) -> Picture {
    TransferSource::new(portrait.clone(), place, rest)
        .unwrap()
        .apply(motion, Transfer::default())
        .unwrap()
}

const PLAIN: Transfer = Transfer {
    mask: None,
    plain: true,
    expressed: None,
};

fn pixel(picture: &Picture, x: usize, y: usize) -> [u8; 4] {
    let at = (y * picture.width() as usize + x) * 4;
    [0, 1, 2, 3].map(|c| picture.rgba()[at + c])
}

fn difference(a: [u8; 4], b: [u8; 4]) -> u8 {
    let pairs = a.into_iter().zip(b);
    pairs.map(|(a, b)| a.abs_diff(b)).max().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_motion_at_rest_keeps_every_byte(
        seed: u32, x in -40f64..60.0, y in -40f64..60.0, side in 1f64..120.0, angle in -3f64..3.0, alpha: bool,
    ) {
        let portrait = noise(61, 47, seed, alpha);
        // Even if the network's output at rest is nonsense.
        let rest = Motion { align_corners: seed.is_multiple_of(2), ..wild(seed) };
        let place = TurnedSquare { x, y, side, angle };
        prop_assert!(transferred(&portrait, place, &rest, &rest) == portrait);
    }

    #[test]
    fn pixels_beyond_the_maximum_distance_never_change(
        seed: u32, x in -40f64..90.0, y in -40f64..90.0, side in 1f64..120.0, angle in -3f64..3.0, alpha: bool, plain: bool,
    ) {
        let portrait = noise(61, 47, seed, alpha);
        let angle = if seed.is_multiple_of(3) { 0.0 } else { angle };
        let place = TurnedSquare { x, y, side, angle };
        let source = TransferSource::new(portrait.clone(), place, &wild(seed)).unwrap();
        let after = source.apply(&wild(seed ^ 77), Transfer { plain, ..Transfer::default() }).unwrap();
        let max_distance = if plain { 0.0 } else { f64::from(MAX_DISTANCE) };
        let pairs = portrait.rgba().chunks(4).zip(after.rgba().chunks(4));
        for (i, (before, after)) in pairs.enumerate() {
            let (u, v) = place.within(((i % 61) as f64 + 0.5, (i / 61) as f64 + 0.5));
            // Margins are whole cells; there is at least one cell per pixel or twice the network's size.
            let cell = (1.0 / side.ceil()).max(0.5 / SIZE as f64);
            if (u - 0.5).abs().max((v - 0.5).abs()) > 0.5 + max_distance + cell {
                prop_assert_eq!(before, after);
            }
            if !alpha {
                prop_assert_eq!(after[3], 255);
            }
        }
    }

    #[test]
    fn a_small_motion_changes_nothing_outside_the_crop(
        seed: u32, x in 0f64..90.0, y in 0f64..90.0, side in 20f64..120.0, angle in -3f64..3.0,
    ) {
        let portrait = noise(61, 47, seed, false);
        let place = TurnedSquare { x, y, side, angle };
        let rest = motion(no_motion, 1.0, network_input_of(&portrait, place));
        let small = |x: f32, y: f32| (0.03 * (3.0 * y + seed as f32).sin(), 0.03 * (2.0 * x).cos());
        let after = transferred(&portrait, place, &rest, &motion(small, random(seed, 1), wild(seed).picture));
        for (i, (before, after)) in portrait.rgba().chunks(4).zip(after.rgba().chunks(4)).enumerate() {
            let (u, v) = place.within(((i % 61) as f64 + 0.5, (i / 61) as f64 + 0.5));
            // Tolerance for rounding.
            if (u - 0.5).abs().max((v - 0.5).abs()) > 0.5 + 1e-9 {
                prop_assert_eq!(before, after);
            }
        }
    }

    #[test]
    fn no_motion_leaves_a_seam_along_the_crop_border(seed in 0u32..5000, angle in -2f64..2.0) {
        let portrait = waves(160, 160);
        let place = TurnedSquare { x: 80.0, y: 80.0, side: 100.0, angle };
        let strong = |x: f32, y: f32| (0.4 * (3.0 * y + seed as f32).sin(), 0.4 * (2.0 * x).cos());
        let rest = motion(no_motion, 1.0, network_input_of(&portrait, place));
        let moved = motion(strong, random(seed, 1), wild(seed).picture);
        let after = transferred(&portrait, place, &rest, &moved);
        let (mut inside, mut outside) = (0, 0);
        for i in 0..160 * 160 {
            let (x, y) = (i % 160, i / 160);
            let (u, v) = place.within((x as f64 + 0.5, y as f64 + 0.5));
            let edge = 0.5 - (u - 0.5).abs().max((v - 0.5).abs());
            if edge < 0.02 {
                // Around the crop the portrait is moved and nothing painted, so that it is as smooth as before.
                for (x, y) in [(x + 1, y), (x, y + 1)] {
                    if x < 160 && y < 160 {
                        let step = difference(pixel(&after, i % 160, i / 160), pixel(&after, x, y));
                        prop_assert!(step <= 40, "a step of {step} at {edge} of the side from the edge");
                    }
                }
            }
            let most = difference(pixel(&portrait, x, y), pixel(&after, x, y));
            inside += u32::from(edge > 0.2 && most > 8);
            outside += u32::from(edge < -0.05 && most > 8);
        }
        prop_assert!(inside > 500, "only {inside} pixels moved at all");
        prop_assert!(outside > 100, "only {outside} pixels moved around the crop");
    }

    #[test]
    fn a_uniform_motion_moves_the_interior_of_the_crop_and_never_folds(
        across in -0.3f32..0.3, down in -0.3f32..0.3, corner in 0f64..100.0,
    ) {
        // Red counts columns, green rows.
        let rgba = (0..240 * 240).flat_map(|i| [(i % 240) as u8, (i / 240) as u8, 7, 255]);
        let portrait = Picture::new(240, 240, rgba.collect()).unwrap();
        // Also at the portrait's own edges.
        let place = square(corner, 100.0 - corner, 140.0);
        let rest = motion(no_motion, 1.0, network_input_of(&portrait, place));
        let unit = a_pixel_of(140.0);
        let (dx, dy) = (140.0 * across, 140.0 * down);
        let after = transferred(&portrait, place, &rest, &motion(|_, _| (dx * unit, dy * unit), 1.0, network_input_of(&portrait, place)));
        for i in 0..239 * 239 {
            let (x, y) = (i % 239, i / 239);
            let [red, green, ..] = pixel(&after, x, y);
            prop_assert!(red <= pixel(&after, x + 1, y)[0].saturating_add(1), "{x} {y}");
            prop_assert!(green <= pixel(&after, x, y + 1)[1].saturating_add(1), "{x} {y}");
            let within = [(x, corner), (y, 100.0 - corner)].map(|(at, start)| {
                let share = (at as f64 - start) / 140.0;
                (0.3..0.7).contains(&share)
            });
            // Where the source is well inside the portrait.
            let source = [x as f32 + dx, y as f32 + dy];
            if within == [true, true] && source.iter().all(|at| (30.0..210.0).contains(at)) {
                let off = (f32::from(red) - source[0]).abs().max((f32::from(green) - source[1]).abs());
                prop_assert!(off < 3.0, "{off} at {x} {y}");
            }
        }
    }
}

#[test]
fn transferring_a_region_equals_that_region_of_the_full_transfer() {
    let portrait = noise(200, 160, 21, false);
    let place = TurnedSquare {
        x: 90.0,
        y: 80.0,
        side: 110.0,
        angle: 0.2,
    };
    let rest = motion(no_motion, 1.0, flat(0.5));
    let moved = motion(|_, y| (0.3, 0.2 * y), 1.0, flat(0.5));
    let whole = transferred(&portrait, place, &rest, &moved);
    // All but the 40 columns at the left.
    let rows = portrait.rgba().chunks_exact(800);
    let part = Picture::new(
        160,
        160,
        rows.flat_map(|row| &row[160..]).copied().collect(),
    )
    .unwrap();
    let place = TurnedSquare { x: 50.0, ..place };
    let source = TransferSource::new(part, place, &rest).unwrap();
    let bounded = source.within([-40.0, 0.0, 160.0, 160.0]);
    let after = bounded.apply(&moved, Transfer::default()).unwrap();
    for i in 0..160 * 160 {
        let (x, y) = (i % 160, i / 160);
        assert!(
            x < 60 || difference(pixel(&after, x, y), pixel(&whole, x + 40, y)) <= 1,
            "{x} {y}"
        );
    }
}

#[test]
fn a_shift_by_whole_pixels_gives_the_shifted_portrait() {
    let portrait = noise(200, 180, 3, false);
    let place = square(20.0, 10.0, 150.0);
    // An identity flow with the same error in both.
    let off = |x: f32, y: f32| (0.05 * (4.0 * x).sin(), 0.03 * y * x);
    let rest = motion(off, 1.0, network_input_of(&portrait, place));
    let unit = a_pixel_of(150.0);
    let away = |x: f32, y: f32| (off(x, y).0 + 7.0 * unit, off(x, y).1 - 4.0 * unit);
    // The generator's picture is not used.
    let after = transferred(&portrait, place, &rest, &motion(away, 1.0, flat(0.9)));
    for y in 40..130 {
        for x in 50..140 {
            let (wanted, got) = (pixel(&portrait, x + 7, y - 4), pixel(&after, x, y));
            assert!(difference(wanted, got) <= 1, "{x} {y}: {wanted:?} {got:?}");
        }
    }
}

#[test]
fn warping_alone_equals_the_full_transfer_where_nothing_is_painted() {
    let (portrait, place) = (waves(96, 96), square(16.0, 16.0, 64.0));
    let rest = motion(no_motion, 1.0, network_input_of(&portrait, place));
    let source = TransferSource::new(portrait.clone(), place, &rest).unwrap();
    let empty = |mut motion: Motion| {
        motion.picture.clear();
        motion
    };
    assert!(
        source
            .warp(&empty(rest.clone()), Transfer::default())
            .unwrap()
            == portrait
    );

    // The source is right everywhere, so the generator isn't used.
    let bend = |x: f32, y: f32| (0.12 * (1.0 - x * x), 0.08 * y);
    let moved = motion(bend, 1.0, network_input_of(&portrait, place));
    let draft = source
        .warp(&empty(moved.clone()), Transfer::default())
        .unwrap();
    assert!(draft != portrait);
    let shown = Motion {
        picture: rest.picture.clone(),
        ..moved.clone()
    };
    let drift_only = source.apply(&shown, Transfer::default()).unwrap();
    let difference = |a: &Picture, b: &Picture| {
        let pairs = a.rgba().iter().zip(b.rgba());
        pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>()
    };
    let painted = source.apply(&motion(bend, 0.0, flat(0.9)), Transfer::default());
    assert!(4 * difference(&draft, &drift_only) < difference(&draft, &painted.unwrap()));

    let closed = Mask {
        size: 2,
        values: vec![0.0; 4],
    };
    let closed = Transfer {
        mask: Some(&closed),
        ..Transfer::default()
    };
    assert!(source.warp(&moved, closed).unwrap() == portrait);
    let wrong = Motion {
        size: SIZE / 2,
        ..moved
    };
    assert!(source.warp(&wrong, Transfer::default()).is_err());
}

#[test]
fn an_edited_portrait_is_warped_instead_of_the_original() {
    let (portrait, expressed) = (noise(200, 180, 3, false), noise(200, 180, 4, false));
    let place = square(20.0, 10.0, 150.0);
    let rest = motion(no_motion, 1.0, network_input_of(&portrait, place));
    let unit = a_pixel_of(150.0);
    let moved = motion(|_, _| (7.0 * unit, -4.0 * unit), 1.0, flat(0.9));
    let source = TransferSource::new(portrait.clone(), place, &rest).unwrap();
    let with = |picture| Transfer {
        expressed: Some(picture),
        ..Transfer::default()
    };
    let after = source.apply(&moved, with(&expressed)).unwrap();
    for (x, y) in [(60, 50), (90, 80), (130, 120)] {
        let (wanted, got) = (pixel(&expressed, x + 7, y - 4), pixel(&after, x, y));
        assert!(difference(wanted, got) <= 1, "{x} {y}: {wanted:?} {got:?}");
    }
    assert!(source.apply(&rest, with(&expressed)).unwrap() == expressed);
    // What was moved before leaves nothing behind.
    assert!(source.apply(&rest, Transfer::default()).unwrap() == portrait);
}

#[test]
fn without_align_corners_minus_one_and_one_are_the_crops_edges() {
    let portrait = noise(200, 180, 4, false);
    let place = square(20.0, 10.0, 150.0);
    let edges = |motion: Motion| Motion {
        align_corners: false,
        ..motion
    };
    let rest = edges(motion(no_motion, 1.0, flat(0.5)));
    let moved = edges(motion(|_, _| (2.0 * 9.0 / 150.0, 0.0), 1.0, flat(0.5)));
    let after = transferred(&portrait, place, &rest, &moved);
    for x in 60..130 {
        assert!(difference(pixel(&portrait, x + 9, 90), pixel(&after, x, 90)) <= 1);
    }
}

#[test]
fn where_everything_is_occluded_the_output_of_the_generator_is_shown() {
    let portrait = noise(212, 212, 5, false);
    let place = square(10.0, 10.0, 192.0);
    let rest = motion(no_motion, 1.0, network_input_of(&portrait, place));
    // Another picture altogether: bright and dark waves.
    let drawn: Vec<f32> = (0..3 * SIZE * SIZE)
        .map(|i| {
            let (x, y) = ((i % SIZE) as f32, (i / SIZE % SIZE) as f32);
            0.5 + 0.24 * (0.6 * x).sin() + 0.24 * (0.5 * y).cos()
        })
        .collect();
    let after = transferred(
        &portrait,
        place,
        &rest,
        &motion(no_motion, 0.0, drawn.clone()),
    );
    let (mut off, mut count) = (0.0, 0.0);
    for y in 5..SIZE - 5 {
        for x in 5..SIZE - 5 {
            // The mean over the sample's six by six pixels.
            let mut sum = 0.0;
            for i in 0..36 {
                let at = pixel(&after, 10 + 6 * x + i % 6, 10 + 6 * y + i / 6);
                sum += f32::from(at[0]) / 36.0;
            }
            off += (sum - 255.0 * drawn[y * SIZE + x]).abs();
            count += 1.0;
        }
    }
    assert!(off / count < 4.0, "{}", off / count);
    // Where the source is right everywhere, the generated picture isn't visible.
    assert!(transferred(&portrait, place, &rest, &motion(no_motion, 1.0, drawn)) == portrait);
}

#[test]
fn new_shading_keeps_the_detail_of_the_portrait_and_new_content_does_not() {
    let portrait = noise(256, 256, 6, false);
    let place = square(0.0, 0.0, 256.0);
    let input = network_input_of(&portrait, place);
    let rest = motion(no_motion, 0.8, input.clone());
    // The remaining grain of the portrait in the middle.
    let grain = |picture: Vec<f32>| {
        let after = transferred(&portrait, place, &rest, &motion(no_motion, 0.1, picture));
        let (mut both, mut squared) = (0.0, 0.0);
        for i in 0..100 * 100 {
            let (x, y) = (78 + i % 100, 78 + i / 100);
            let red = |p: &Picture, x| f32::from(pixel(p, x, y)[0]);
            let steep = |p: &Picture| red(p, x + 1) - red(p, x);
            both += steep(&portrait) * steep(&after);
            squared += steep(&portrait) * steep(&portrait);
        }
        both / squared
    };
    let darker = input.iter().map(|v| v - 0.06).collect();
    assert!(grain(darker) > 0.85);
    assert!(grain(flat(0.02)) < 0.1);
}

#[test]
fn new_content_is_painted_even_when_the_occlusion_is_unchanged() {
    let portrait = waves(200, 200);
    let place = square(0.0, 0.0, 200.0);
    let rest = motion(no_motion, 0.4, network_input_of(&portrait, place));
    let after = transferred(&portrait, place, &rest, &motion(no_motion, 0.4, flat(0.0)));
    for (x, y) in [(100, 100), (60, 130), (140, 80)] {
        assert!(pixel(&after, x, y)[..3].iter().all(|v| *v < 25));
    }
}

#[test]
fn the_error_of_the_network_at_rest_is_not_transferred() {
    // It draws everything too dark, at rest and now.
    let portrait = waves(200, 200);
    let place = square(0.0, 0.0, 200.0);
    let dark: Vec<f32> = network_input_of(&portrait, place)
        .iter()
        .map(|v| v * 0.9)
        .collect();
    let rest = motion(no_motion, 0.7, dark.clone());
    let now = motion(no_motion, 0.1, dark.clone());
    assert!(transferred(&portrait, place, &rest, &now) == portrait);

    // Repainted parts have the portrait's tones: a flat part that gets lighter by a tenth.
    let portrait = Picture::new(200, 200, [150, 120, 100, 255].repeat(40_000)).unwrap();
    let drawn = |factor: f32| [150.0, 120.0, 100.0].map(|v| vec![v / 255.0 * factor; SIZE * SIZE]);
    let rest = motion(no_motion, 0.9, drawn(0.9).concat());
    let now = motion(no_motion, 0.0, drawn(0.99).concat());
    let after = transferred(&portrait, place, &rest, &now);
    assert!(difference(pixel(&after, 100, 100), [164, 131, 109, 255]) <= 2);
}

#[test]
fn small_noise_of_the_network_is_not_transferred() {
    let portrait = noise(200, 200, 12, false);
    let place = square(0.0, 0.0, 200.0);
    let input = network_input_of(&portrait, place);
    let rest = motion(no_motion, 0.8, input.clone());
    let with = |pixels: f32, levels: f32| {
        let shaken =
            (0..input.len()).map(|i| input[i] + (random(3, i) - 0.5) * 2.0 * levels / 255.0);
        let away = |x: f32, _: f32| (pixels * a_pixel_of(200.0) * (5.0 * x).sin(), 0.0);
        transferred(
            &portrait,
            place,
            &rest,
            &motion(away, 0.1, shaken.collect()),
        )
    };
    assert!(with(0.2, 1.5) == portrait);
    assert!(with(8.0, 1.5) != portrait);
    assert!(with(0.0, 60.0) != portrait);
}

#[test]
fn a_turned_crop_moves_along_its_own_axes() {
    let portrait = waves(220, 220);
    let place = TurnedSquare {
        x: 110.0,
        y: 110.0,
        side: 160.0,
        angle: std::f64::consts::FRAC_PI_2,
    };
    let rest = motion(no_motion, 1.0, network_input_of(&portrait, place));
    // The source is 6 pixels to the crop's right, which is down in the portrait, and 9 down, which is left.
    let unit = a_pixel_of(160.0);
    let moved = motion(|_, _| (6.0 * unit, 9.0 * unit), 1.0, flat(0.5));
    let after = transferred(&portrait, place, &rest, &moved);
    for (x, y) in [(110, 110), (90, 130), (131, 92)] {
        assert!(difference(pixel(&portrait, x - 9, y + 6), pixel(&after, x, y)) <= 1);
    }
}

#[test]
fn alpha_moves_with_the_colours_and_transparent_pixels_contribute_none() {
    // A red disc on clear green.
    let rgba = (0..160 * 160).flat_map(|i| {
        let (x, y) = ((i % 160) as f32 - 79.5, (i / 160) as f32 - 79.5);
        let cover = (30.5 - x.hypot(y)).clamp(0.0, 1.0);
        let color = if cover > 0.0 {
            [200, 10, 10]
        } else {
            [0, 255, 0]
        };
        [color[0], color[1], color[2], (cover * 255.0) as u8]
    });
    let portrait = Picture::new(160, 160, rgba.collect()).unwrap();
    let place = square(0.0, 0.0, 160.0);
    let rest = motion(no_motion, 1.0, flat(0.5));
    let unit = a_pixel_of(160.0);
    let moved = motion(|_, _| (10.5 * unit, 0.0), 1.0, flat(0.5));
    let after = transferred(&portrait, place, &rest, &moved);
    // The disc is 10.5 pixels further left.
    assert_eq!(pixel(&after, 80 - 40, 80)[3], 255);
    assert_eq!(pixel(&after, 80 + 24, 80)[3], 0);
    let mut edges = 0;
    for i in 0..160 * 160 {
        let [r, g, b, a] = pixel(&after, i % 160, i / 160);
        if a > 8 {
            edges += u32::from(a < 250);
            assert!(
                difference([r, g, b, a], [200, 10, 10, a]) <= 12,
                "{r} {g} {b}"
            );
        }
    }
    assert!(edges > 50);
}

#[test]
fn painting_over_translucent_pixels_keeps_their_alpha_and_adds_no_grey() {
    let portrait = Picture::new(100, 100, [120, 80, 60, 128].repeat(10_000)).unwrap();
    let place = square(0.0, 0.0, 100.0);
    let over_grey = |color: [f32; 3]| {
        let blended = color.map(|v| (v * 128.0 + 127.5 * 127.0) / 255.0 / 255.0);
        blended.map(|v| vec![v; SIZE * SIZE]).concat()
    };
    let rest = motion(no_motion, 1.0, over_grey([120.0, 80.0, 60.0]));
    let drawn = motion(no_motion, 0.0, over_grey([20.0, 200.0, 220.0]));
    let at = pixel(&transferred(&portrait, place, &rest, &drawn), 50, 50);
    assert_eq!(at[3], 128);
    assert!(difference(at, [20, 200, 220, 128]) <= 4, "{at:?}");
}

#[test]
fn every_byte_outside_the_mask_is_kept() {
    let portrait = noise(120, 120, 8, false);
    let place = square(10.0, 10.0, 100.0);
    let half = Mask {
        size: 50,
        values: (0..50 * 50).map(|i| f32::from(i % 50 < 25)).collect(),
    };
    let rest = motion(no_motion, 1.0, flat(0.5));
    let moved = motion(|_, _| (0.1, 0.1), 0.2, wild(1).picture);
    let source = TransferSource::new(portrait.clone(), place, &rest).unwrap();
    for plain in [false, true] {
        let with = |mask| {
            let how = Transfer {
                mask,
                plain,
                expressed: None,
            };
            source.apply(&moved, how).unwrap()
        };
        let (free, masked) = (with(None), with(Some(&half)));
        for y in 0..120 {
            for x in 66..120 {
                assert_eq!(pixel(&portrait, x, y), pixel(&masked, x, y), "{x} {y}");
            }
            for x in 0..52 {
                assert_eq!(pixel(&free, x, y), pixel(&masked, x, y), "{x} {y}");
            }
        }
        assert!(free != masked);
    }
}

#[test]
fn nan_in_a_motion_leaves_the_portrait_unchanged_there() {
    let portrait = noise(160, 160, 9, false);
    let place = square(0.0, 0.0, 160.0);
    let rest = motion(no_motion, 1.0, flat(0.5));
    let good = motion(|_, _| (0.1, 0.05), 0.1, wild(2).picture);
    let spoilt = |motion: &Motion, change: &dyn Fn(&mut Motion)| {
        let mut motion = motion.clone();
        change(&mut motion);
        motion
    };
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        // The middle samples of flow, occlusion and picture, and the pixel there.
        type Change<'a> = &'a dyn Fn(&mut Motion);
        let changes: [(Change, usize); 3] = [
            (&|m| m.flow[2 * (8 * FLOW + 8)] = bad, 85),
            (&|m| m.occlusion[8 * OCCLUSION + 8] = bad, 85),
            (&|m| m.picture[SIZE * SIZE + 16 * SIZE + 16] = bad, 82),
        ];
        for (change, at) in changes {
            let now_bad = (rest.clone(), spoilt(&good, change));
            let always_bad = (spoilt(&rest, change), good.clone());
            for (rest, motion) in [now_bad, always_bad] {
                let source = TransferSource::new(portrait.clone(), place, &rest).unwrap();
                let after = source.apply(&motion, Transfer::default()).unwrap();
                assert_eq!(pixel(&after, at, at), pixel(&portrait, at, at));
                assert_ne!(pixel(&after, at, 25), pixel(&portrait, at, 25));
                source.apply(&motion, PLAIN).unwrap();
            }
        }
        let all = |m: &mut Motion| {
            m.flow.fill(bad);
            m.occlusion.fill(bad);
            m.picture.fill(bad);
        };
        assert!(transferred(&portrait, place, &rest, &spoilt(&good, &all)) == portrait);
        assert!(transferred(&portrait, place, &spoilt(&rest, &all), &good) == portrait);
    }
    let huge = motion(|_, _| (f32::MAX, f32::MIN), 0.5, flat(f32::MAX));
    transferred(&portrait, place, &rest, &huge);
}

#[test]
fn a_motion_and_portrait_of_one_pixel_are_transferred_without_panic() {
    let rest = Motion {
        flow_size: (1, 1),
        flow: vec![0.3, -0.2],
        align_corners: false,
        occlusion_size: 1,
        occlusion: vec![1.0],
        size: 1,
        picture: vec![1.0, 0.0, 0.5],
    };
    let other = Motion {
        flow: vec![-0.9, 0.7],
        occlusion: vec![0.0],
        picture: vec![0.0, 1.0, 0.5],
        ..rest.clone()
    };
    for (width, height, alpha) in [(1, 1, true), (1, 1, false), (1, 9, true), (7, 2, false)] {
        let portrait = noise(width, height, 1, alpha);
        for (side, angle) in [(0.01, 0.0), (1.0, 0.0), (3.0, 0.7), (900.0, 0.0)] {
            let place = TurnedSquare {
                x: 0.5,
                y: 0.5,
                side,
                angle,
            };
            let source = TransferSource::new(portrait.clone(), place, &rest).unwrap();
            for how in [Transfer::default(), PLAIN] {
                let after = source.apply(&other, how).unwrap();
                assert_eq!(after.size(), portrait.size());
            }
        }
        for side in [0.0, -4.0, f64::NAN, f64::INFINITY] {
            assert!(transferred(&portrait, square(0.0, 0.0, side), &rest, &other) == portrait);
        }
    }
}

#[test]
fn a_transfer_shown_smaller_does_not_alias() {
    // Lines a pixel wide, minified to a third: grey, not an aliasing pattern.
    let rgba = (0..240 * 240).flat_map(|i| {
        let value = if i % 2 == 0 { 255 } else { 0 };
        [value, value, value, 255]
    });
    let portrait = Picture::new(240, 240, rgba.collect()).unwrap();
    let place = square(0.0, 0.0, 240.0);
    let rest = motion(no_motion, 1.0, flat(0.5));
    // Only the middle of the crop is far enough from the fade.
    let third = motion(|x, _| (2.0 * x.clamp(-0.3, 0.3), 0.0), 1.0, flat(0.5));
    let after = transferred(&portrait, place, &rest, &third);
    for x in 105..135 {
        let value = pixel(&after, x, 120)[0];
        assert!(value.abs_diff(128) < 45, "{value} at {x}");
    }
}

#[test]
fn the_plain_transfer_fills_the_crop_to_its_border() {
    let portrait = waves(120, 120);
    let place = square(10.0, 10.0, 100.0);
    let rest = motion(no_motion, 1.0, flat(0.5));
    let source = TransferSource::new(portrait.clone(), place, &rest).unwrap();
    let after = source
        .apply(&motion(no_motion, 1.0, flat(0.2)), PLAIN)
        .unwrap();
    for (x, y) in [(13, 60), (60, 106), (60, 60), (106, 106)] {
        assert_eq!(pixel(&after, x, y), [51, 51, 51, 255]);
    }
    assert_eq!(pixel(&after, 9, 60), pixel(&portrait, 9, 60));
    assert_ne!(pixel(&after, 10, 60), [51, 51, 51, 255]);
}

#[test]
fn mismatched_sizes_are_refused() {
    let portrait = noise(20, 20, 1, false);
    let place = square(0.0, 0.0, 20.0);
    let rest = motion(no_motion, 1.0, flat(0.5));
    let mut short = rest.clone();
    short.flow.pop();
    let fault = TransferSource::new(portrait.clone(), place, &short).err();
    let wanted = MotionFault::Numbers {
        what: "flow",
        holds: 511,
        wanted: 512,
    };
    assert_eq!(fault, Some(wanted));
    let source = TransferSource::new(portrait, place, &rest).unwrap();
    let coarser = Motion {
        occlusion_size: 2,
        occlusion: vec![1.0; 4],
        ..rest
    };
    let fault = source.apply(&coarser, Transfer::default()).err();
    assert_eq!(fault, Some(MotionFault::Sizes { what: "occlusion" }));
}
