//! Composites a network's output crop into the portrait, at the portrait's resolution.
//!
//! GANimation's output is `A * I + (1 - A) * C` (Pumarola et al. 2018, Eq. 1). Here A and C are upsampled over the crop and
//! blended with the portrait's pixels at full resolution: where A keeps the source, the original pixel is unchanged. The edit
//! `1 - A` is multiplied by a window that falls to 0 at the crop's edge, so that there is no visible seam; by the pixel's alpha,
//! since transparent pixels have nothing to edit; by the mask; and by the caller's onset.

mod blend;
mod planes;
mod turned;

use rayon::prelude::*;

use super::resample::Taps;
use super::{Edit, Mask, TurnedSquare};
use blend::{BLOCK, Block};
use planes::{PLANES, planes};

pub use blend::{PasteMode, heat};

use crate::math::smoothstep;
use crate::media::image::Picture;
use crate::nn::isa::{Isa, multiversion};

/// The width of the window's falloff at the crop's edge, as a share of the crop's side.
const FEATHER: f32 = 0.07;

/// Composites an edit into `base`, a picture in which the crop is at `place`; the square may be turned and extend beyond the
/// picture. Pixels outside it, and those where `mask` is 0, are unchanged (except with [`PasteMode::Attention`], which dims them). The
/// mask is resampled over the crop from its own resolution.
pub fn paste(
    base: &mut Picture,
    place: impl Into<TurnedSquare>,
    edit: &Edit,
    mask: Option<&Mask>,
    show: PasteMode,
) {
    let place = place.into();
    if let PasteMode::Attention { .. } = show {
        dim(base);
    }
    let onset = match show {
        PasteMode::Result { onset, .. } | PasteMode::Attention { onset } => onset,
        PasteMode::Color => 1.0,
    };
    if matches!(show, PasteMode::Result { .. }) && onset <= 0.0 {
        return;
    }

    let size = edit.size;
    let planes = || planes(edit, matches!(show, PasteMode::Result { detail: true, .. }));
    if place.angle != 0.0 {
        return turned::paste(base, &place, (&planes(), size), mask, (onset, show));
    }
    let square = place.unturned();
    let (width, height) = (base.width() as usize, base.height() as usize);
    let across = Taps::new(square.x, square.side, width, size);
    let down = Taps::new(square.y, square.side, height, size);
    if across.len() == 0 || down.len() == 0 {
        return;
    }

    // Computed only now: a crop that is out of sight costs nothing.
    let planes = planes();
    let span = across.len();
    let mut wide = vec![0.0f32; PLANES * size * span];
    wide.par_chunks_mut(span)
        .zip(planes.par_chunks(size))
        .for_each(|(out, line)| across.stretch(line, out));

    let window_at =
        |pixel: usize, origin: f64| window(((pixel as f64 + 0.5 - origin) / square.side) as f32);
    let open: Vec<f32> = (0..span)
        .map(|i| window_at(across.start + i, square.x))
        .collect();

    let mask = mask.map(|mask| {
        let across = Taps::new(square.x, square.side, width, mask.size);
        let mut wide = vec![0.0f32; mask.size * span];
        wide.par_chunks_mut(span)
            .zip(mask.values.par_chunks(mask.size))
            .for_each(|(out, line)| across.stretch(line, out));
        let down = Taps::new(square.y, square.side, height, mask.size);
        (wide, down, mask.size)
    });

    let isa = Isa::best();
    base.rgba_mut()
        .par_chunks_mut(width * 4)
        .skip(down.start)
        .take(down.len())
        .enumerate()
        .for_each_init(
            || {
                (
                    vec![0.0f32; PLANES * span],
                    vec![1.0f32; span],
                    Block::new(),
                )
            },
            |(line, mask_line, block), (i, row)| {
                line.fill(0.0);
                for (sample, weight) in down.at(i, size) {
                    for (plane, line) in line.chunks_exact_mut(span).enumerate() {
                        let source = &wide[(plane * size + sample) * span..][..span];
                        add_scaled(isa, line, source, weight);
                    }
                }
                if let Some((wide, down, size)) = &mask {
                    mask_line.fill(0.0);
                    for (sample, weight) in down.at(i, *size) {
                        add_scaled(isa, mask_line, &wide[sample * span..][..span], weight);
                    }
                }
                let row_window = window_at(down.start + i, square.y) * onset;
                let pixels = &mut row[across.start * 4..][..span * 4];
                for (k, pixels) in pixels.chunks_mut(BLOCK * 4).enumerate() {
                    let (first, count) = (k * BLOCK, pixels.len() / 4);
                    for (plane, values) in block.values.iter_mut().enumerate() {
                        let line = &line[plane * span + first..][..count];
                        values[..count].copy_from_slice(line);
                    }
                    let sides = open[first..].iter().zip(&mask_line[first..]);
                    for (weight, (open, mask_line)) in block.open.iter_mut().zip(sides) {
                        *weight = open * row_window * mask_line.clamp(0.0, 1.0);
                    }
                    block.blend(pixels, show);
                }
            },
        );
}

multiversion! {
    /// `to += from * weight`.
    fn add_scaled(to: &mut [f32], from: &[f32], weight: f32) {
        for (to, from) in to.iter_mut().zip(from) {
            *to += from * weight;
        }
    }
}

/// The window along one axis of the crop, in 0..1: it falls to 0 at both edges.
fn window(place: f32) -> f32 {
    smoothstep(place.min(1.0 - place) / FEATHER)
}

fn dim(base: &mut Picture) {
    base.rgba_mut().par_chunks_mut(4).for_each(|pixel| {
        let luma = 0.2126 * f32::from(pixel[0])
            + 0.7152 * f32::from(pixel[1])
            + 0.0722 * f32::from(pixel[2]);
        pixel[..3].fill((luma * 0.42).round() as u8);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::{Square, network_input};
    use proptest::prelude::*;

    const SIZE: usize = 16;

    fn noise(width: u32, height: u32, seed: u32, alpha: bool) -> Picture {
        let rgba = (0..width * height * 4)
            .map(|i| {
                let value = (i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 13) as u8;
                if i % 4 == 3 && !alpha { 255 } else { value }
            })
            .collect();
        Picture::new(width, height, rgba).unwrap().with_alpha(alpha)
    }

    fn edit(attention: f32, color: f32) -> Edit {
        Edit {
            size: SIZE,
            input: vec![0.0; 3 * SIZE * SIZE],
            color: vec![color; 3 * SIZE * SIZE],
            attention: vec![attention; SIZE * SIZE],
        }
    }

    const PLAIN: PasteMode = PasteMode::Result {
        onset: 1.0,
        detail: false,
    };

    proptest! {
        #[test]
        fn pasting_changes_no_alpha_and_nothing_outside_the_crop(
            x in -30f64..60.0, y in -30f64..60.0, side in 2f64..90.0, seed: u32, detail: bool,
        ) {
            let before = noise(47, 53, seed, true);
            let mut after = Picture::new(47, 53, before.rgba().to_vec()).unwrap();
            let square = Square { x, y, side };
            paste(&mut after, square, &edit(0.0, 0.9), None, PasteMode::Result { onset: 1.0, detail });
            for (i, (a, b)) in before.rgba().chunks(4).zip(after.rgba().chunks(4)).enumerate() {
                let (px, py) = ((i % 47) as f64 + 0.5, (i / 47) as f64 + 0.5);
                let inside = px >= x && px < x + side && py >= y && py < y + side;
                prop_assert_eq!(a[3], b[3]);
                if !inside || a[3] == 0 {
                    prop_assert_eq!(&a[..3], &b[..3]);
                }
            }
        }

        #[test]
        fn full_attention_or_zero_onset_keeps_every_byte(seed: u32, x in -9f64..30.0, side in 4f64..60.0, detail: bool) {
            let before = noise(40, 40, seed, true);
            let square = Square { x, y: x, side };
            for (edit, onset) in [(edit(1.0, 0.9), 1.0), (edit(0.0, 0.9), 0.0)] {
                let mut after = Picture::new(40, 40, before.rgba().to_vec()).unwrap();
                paste(&mut after, square, &edit, None, PasteMode::Result { onset, detail });
                prop_assert_eq!(before.rgba(), after.rgba());
            }
        }

        #[test]
        fn an_edit_equal_to_its_input_keeps_detail_within_one_level(seed: u32, x in 0f64..20.0, side in 20f64..60.0) {
            let before = noise(80, 80, seed, false);
            let square = Square { x, y: 20.0 - x, side };
            let input = network_input(&before, square, SIZE).unwrap();
            let same = Edit { color: input.clone(), input, ..edit(0.0, 0.0) };
            let mut after = Picture::new(80, 80, before.rgba().to_vec()).unwrap();
            paste(&mut after, square, &same, None, PasteMode::Result { onset: 1.0, detail: true });
            for (a, b) in before.rgba().iter().zip(after.rgba()) {
                prop_assert!(a.abs_diff(*b) <= 1);
            }
        }
    }

    #[test]
    fn a_paste_replaces_the_centre_and_fades_out_at_the_border() {
        let mut picture = noise(100, 100, 7, false);
        picture.rgba_mut().fill(255);
        let square = Square {
            x: 10.0,
            y: 10.0,
            side: 80.0,
        };
        paste(&mut picture, square, &edit(0.0, -1.0), None, PLAIN);
        let at = |x: usize, y: usize| picture.rgba()[(y * 100 + x) * 4];
        assert_eq!(at(50, 50), 0);
        let line: Vec<u8> = (0..50).map(|x| at(x, 50)).collect();
        assert_eq!(line[9], 255);
        let steepest = line.windows(2).map(|w| w[0].abs_diff(w[1])).max().unwrap();
        assert!(
            steepest < 80,
            "a step of {steepest} at the crop's edge: {line:?}"
        );
        assert!(line.windows(2).all(|w| w[0] >= w[1]), "{line:?}");
    }

    #[test]
    fn a_rotated_crop_is_pasted_back_in_place() {
        // A smooth pattern: pasting what was read from the turned square reproduces it.
        let rgba = (0..120 * 120).flat_map(|i| {
            let (x, y) = ((i % 120) as f32, (i / 120) as f32);
            let wave = |a: f32, b: f32| (128.0 + 90.0 * (x * a + y * b).sin()) as u8;
            [wave(0.07, 0.02), wave(0.03, -0.06), wave(-0.02, 0.05), 255]
        });
        let before = Picture::new(120, 120, rgba.collect()).unwrap();
        for (angle, side) in [(0.4, 70.0), (-1.2, 50.0), (2.5, 20.0)] {
            let square = TurnedSquare {
                x: 61.0,
                y: 58.0,
                side,
                angle,
            };
            let size = 32;
            let input = network_input(&before, square, size).unwrap();
            let brighter = Edit {
                size,
                color: input.iter().map(|v| v + 0.2).collect(),
                input,
                attention: vec![0.0; size * size],
            };
            let mut after = before.clone();
            paste(&mut after, square, &brighter, None, PLAIN);
            let mut inside = 0;
            let pixels = before.rgba().chunks(4).zip(after.rgba().chunks(4));
            for (i, (a, b)) in pixels.enumerate() {
                let place = ((i % 120) as f64 + 0.5, (i / 120) as f64 + 0.5);
                let (u, v) = square.within(place);
                let far = (u - 0.5).abs().max((v - 0.5).abs());
                if far > 0.5 {
                    assert_eq!(a, b, "{place:?}");
                } else if far < 0.35 {
                    inside += 1;
                    for (a, b) in a.iter().zip(b).take(3) {
                        let wanted = (f32::from(*a) + 0.2 * 127.5).min(255.0);
                        assert!((f32::from(*b) - wanted).abs() < 6.0, "{place:?} {a} {b}");
                    }
                }
            }
            assert!(inside as f64 > 0.4 * side * side);
        }
    }

    #[test]
    fn at_the_size_of_the_network_the_blend_is_the_equation_of_the_paper() {
        let mut picture = noise(SIZE as u32, SIZE as u32, 3, false);
        let own = f32::from(picture.rgba()[(8 * SIZE + 8) * 4]);
        let square = Square {
            x: 0.0,
            y: 0.0,
            side: SIZE as f64,
        };
        paste(&mut picture, square, &edit(0.25, 0.5), None, PLAIN);
        let wanted = 0.25 * own + 0.75 * (1.5 * 127.5);
        let got = f32::from(picture.rgba()[(8 * SIZE + 8) * 4]);
        assert!((wanted - got).abs() <= 0.51, "{wanted} {got}");
    }

    #[test]
    fn a_gradual_change_of_light_keeps_the_detail_and_a_sharp_one_does_not() {
        let before = noise(160, 160, 11, false);
        let square = Square {
            x: 0.0,
            y: 0.0,
            side: 160.0,
        };
        let input = network_input(&before, square, 32).unwrap();
        // The middle of the picture, where the window is 1, pasted with and without the detail.
        let middle = |sharp: bool, detail: bool| -> Vec<f32> {
            let stripe = |i: usize| if sharp && i % 8 < 4 { 0.9 } else { 0.0 };
            let color = (0..input.len()).map(|i| input[i] - 0.3 + stripe(i));
            let edit = Edit {
                size: 32,
                input: input.clone(),
                color: color.collect(),
                attention: vec![0.0; 32 * 32],
            };
            let mut after = before.clone();
            paste(
                &mut after,
                square,
                &edit,
                None,
                PasteMode::Result { onset: 1.0, detail },
            );
            let row = &after.rgba()[80 * 160 * 4..][40 * 4..120 * 4];
            row.iter()
                .step_by(4)
                .map(|value| f32::from(*value))
                .collect()
        };
        let own = &before.rgba()[80 * 160 * 4..][40 * 4..120 * 4];
        let darker = own
            .iter()
            .step_by(4)
            .map(|v| (f32::from(*v) - 0.3 * 127.5).max(0.0));
        for (wanted, got) in darker.zip(middle(false, true)) {
            assert!((wanted - got).abs() <= 1.0, "{wanted} {got}");
        }
        let apart = |sharp: bool| -> f32 {
            let pairs = middle(sharp, true).into_iter().zip(middle(sharp, false));
            pairs.map(|(a, b)| (a - b).abs()).sum::<f32>() / 80.0
        };
        assert!(
            apart(true) < 0.1 * apart(false),
            "{} {}",
            apart(true),
            apart(false)
        );
    }

    #[test]
    fn a_mask_keeps_every_byte_where_it_is_closed_and_changes_nothing_where_it_is_open() {
        let before = noise(90, 90, 9, false);
        let square = Square {
            x: 5.0,
            y: 5.0,
            side: 80.0,
        };
        let half = Mask {
            size: 64,
            values: (0..64 * 64).map(|i| f32::from(i % 64 < 32)).collect(),
        };
        let with = |mask: Option<&Mask>| {
            let mut after = before.clone();
            paste(&mut after, square, &edit(0.0, -1.0), mask, PLAIN);
            after
        };
        let (free, masked) = (with(None), with(Some(&half)));
        for (i, pixel) in masked.rgba().chunks(4).enumerate() {
            let at = i * 4..i * 4 + 4;
            match i % 90 {
                // Samples are 1.25 pixels wide and the filter spans two of them.
                0..=41 => assert_eq!(pixel, &free.rgba()[at], "{i}"),
                49.. => assert_eq!(pixel, &before.rgba()[at], "{i}"),
                _ => {}
            }
        }
    }

    #[test]
    fn attention_is_dark_where_the_source_is_kept_and_bright_where_not() {
        let square = Square {
            x: 8.0,
            y: 8.0,
            side: 48.0,
        };
        let brightness = |attention: f32| {
            let mut picture = noise(64, 64, 5, false);
            paste(
                &mut picture,
                square,
                &edit(attention, 0.0),
                None,
                PasteMode::Attention { onset: 1.0 },
            );
            let pixel = &picture.rgba()[(32 * 64 + 32) * 4..][..3];
            pixel.iter().map(|v| u32::from(*v)).sum::<u32>()
        };
        assert!(brightness(1.0) < 200);
        assert!(brightness(0.0) > 500);
    }
}
