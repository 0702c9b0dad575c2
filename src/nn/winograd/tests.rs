//! Tests of upsampling layers and of the late transform of kernels against their definitions.

use proptest::prelude::*;

use super::*;
use crate::nn::testing::bounds;

fn numbers(n: usize, seed: usize) -> Vec<f32> {
    let at = |i: usize| ((i + seed) * 7919 % 1009) as f32 / 504.5 - 1.0;
    (0..n).map(at).collect()
}

/// A transposed 4x4 convolution that adds up the contribution of each sample.
fn reference(
    x: &[f32],
    weight: &[f32],
    [pictures, inputs, outputs, h, w]: [usize; 5],
    BiasAndFloor { bias, floor }: BiasAndFloor,
) -> Vec<f64> {
    let plane = 4 * h * w;
    let mut sums = vec![0f64; pictures * outputs * plane];
    for (at, &value) in x.iter().enumerate() {
        let (n, i) = (at / (inputs * h * w), at / (h * w) % inputs);
        let (y, x) = (at / w % h, at % w);
        for (o, ky, kx) in (0..outputs * 16).map(|at| (at / 16, at / 4 % 4, at % 4)) {
            let (to_y, to_x) = (2 * y + ky, 2 * x + kx);
            if (1..=2 * h).contains(&to_y) && (1..=2 * w).contains(&to_x) {
                let to = ((n * outputs + o) * 2 * h + to_y - 1) * 2 * w + to_x - 1;
                let factor = weight[((i * outputs + o) * 4 + ky) * 4 + kx];
                sums[to] += f64::from(value) * f64::from(factor);
            }
        }
    }
    for (at, sum) in sums.iter_mut().enumerate() {
        let bias = bias.map_or(0.0, |bias| bias[at / plane % outputs]);
        *sum = (*sum + f64::from(bias)).max(f64::from(floor));
    }
    sums
}

/// The largest error of the layer against [`reference`] on any instruction set, relative to the tolerance for rounding.
fn off(sizes @ [pictures, inputs, outputs, h, w]: [usize; 5], finish: BiasAndFloor) -> f64 {
    let x = numbers(pictures * inputs * h * w, 3);
    let weight = numbers(inputs * outputs * 16, 5);
    let expected = reference(&x, &weight, sizes, finish);
    let tap = |o: usize, i: usize, y: usize, x: usize| weight[((i * outputs + o) * 4 + y) * 4 + x];
    let bounds: Vec<f64> = bounds(&expected, 1e-4).collect();
    let mut most = 0f64;
    for isa in Isa::available() {
        let layer = Winograd::of(ConvForm::Transposed, inputs, outputs, isa);
        let mut out = vec![f32::NAN; expected.len()];
        layer.run(&x, (h, w), &mut out, finish, &tap);
        for ((found, wanted), bound) in out.iter().zip(&expected).zip(&bounds) {
            let off = (f64::from(*found) - wanted).abs() / bound;
            most = if off <= most { most } else { off };
        }
    }
    most
}

proptest! {
    #[test]
    fn the_transposed_winograd_convolution_agrees_with_its_definition(
        pictures in 1usize..5, inputs in 1usize..9, outputs in 1usize..20, h in 1usize..12, w in 1usize..40,
    ) {
        let off = off([pictures, inputs, outputs, h, w], BiasAndFloor::default());
        prop_assert!(off < 1.0, "{off}");
    }
}

#[test]
fn groups_of_tile_rows_join_without_seams() {
    let bias = numbers(40, 7);
    // Pictures that take several groups of tile rows each, with and without incomplete blocks.
    for sizes in [[1, 4, 40, 64, 64], [2, 3, 40, 45, 71], [1, 2, 40, 90, 34]] {
        let [pictures, inputs, outputs, h, w] = sizes;
        let layer = Winograd::of(ConvForm::Transposed, inputs, outputs, Isa::best());
        let grid = Grid::new(layer.form, pictures, inputs, (h, w), (2 * h, 2 * w));
        assert!(
            layer.tile_row_groups(&grid, 0).edges(&grid, outputs) > 0,
            "{sizes:?}"
        );
        for floor in [0.0, f32::NEG_INFINITY] {
            let bias = Some(&bias[..]);
            let off = off(sizes, BiasAndFloor { bias, floor });
            assert!(off < 1.0, "{sizes:?}: {off}");
        }
    }
}

#[test]
fn nan_is_preserved_in_every_group_of_tile_rows() {
    let (h, w) = (64, 40);
    for isa in Isa::available() {
        let layer = Winograd::of(ConvForm::Transposed, 1, 40, isa);
        for row in 0..h {
            let mut x = vec![0f32; h * w];
            x[row * w + 17] = f32::NAN;
            let mut out = vec![0f32; 40 * 4 * h * w];
            let finish = BiasAndFloor {
                bias: None,
                floor: 0.0,
            };
            layer.run(&x, (h, w), &mut out, finish, &|_, _, _, _| 1.0);
            let rows = out.chunks_exact(2 * w).take(2 * h).skip(2 * row).take(2);
            for found in rows {
                assert!(found[34].is_nan() && found[35].is_nan(), "{isa:?} {row}");
            }
        }
    }
}

#[test]
fn kernels_are_transformed_once_on_first_use() {
    let layer = Winograd::of(ConvForm::Same { padding: 1 }, 2, 3, Isa::best());
    assert!(layer.weights.get().is_none());
    let mut out = [0f32; 3 * 25];
    let run = |out: &mut [f32], tap: &Tap| {
        layer.run(&[1.0; 50], (5, 5), out, BiasAndFloor::default(), tap);
    };
    run(&mut out, &|_, _, _, _| 1.0);
    assert!((out[12] - 18.0).abs() < 1e-4, "{}", out[12]);
    run(&mut out, &|_, _, _, _| panic!("the kernels are there"));
    assert!((out[12] - 18.0).abs() < 1e-4, "{}", out[12]);
}
