//! Every layer compared with its definition, over random shapes and on every instruction set.

use crate::common::layers::{self, Case};
use crate::common::sampling;
use proptest::prelude::*;

fn case() -> impl Strategy<Value = Case> {
    let channels = prop_oneof![1usize..6, 6usize..20];
    (
        1usize..3,
        (channels.clone(), channels),
        (1usize..8, 1usize..8),
        1usize..4,
        0usize..4,
        (1usize..24, 1usize..40),
    )
        .prop_map(
            |(pictures, (inputs, outputs), kernel, stride, padding, size)| Case {
                pictures,
                inputs,
                outputs,
                kernel,
                stride,
                padding,
                size,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn convolution_agrees_with_its_definition(case in case()) {
        layers::convolution(case)?;
    }

    #[test]
    fn winograd_convolution_agrees_with_its_definition(pictures in 1usize..4, inputs in 16usize..20, outputs in 16usize..40, padding in 0usize..3, h in 1usize..20, w in 1usize..80) {
        layers::convolution(Case {
            pictures, inputs, outputs, kernel: (3, 3), stride: 1, padding, size: (h, w),
        })?;
    }

    #[test]
    fn winograd_convolution_with_wide_kernels_agrees_with_its_definition(pictures in 1usize..3, inputs in 16usize..20, outputs in 8usize..20, padding in 0usize..4, h in 7usize..24, w in 7usize..60) {
        // Seven interpolation points round more than six.
        let case = Case {
            pictures, inputs, outputs, kernel: (7, 7), stride: 1, padding, size: (h, w),
        };
        layers::convolution_within(case, 1e-4)?;
    }

    #[test]
    fn winograd_convolution_with_stride_2_agrees_with_its_definition(pictures in 1usize..4, inputs in 16usize..20, outputs in 16usize..40, h in 2usize..40, w in 2usize..80) {
        layers::convolution(Case {
            pictures, inputs, outputs, kernel: (4, 4), stride: 2, padding: 1, size: (h, w),
        })?;
    }

    #[test]
    fn winograd_transposed_convolution_agrees_with_its_definition(pictures in 1usize..18, inputs in 16usize..20, outputs in 16usize..40, h in 1usize..9, w in 1usize..40) {
        layers::transposed(Case {
            pictures, inputs, outputs, kernel: (4, 4), stride: 2, padding: 1, size: (h, w),
        })?;
    }

    #[test]
    fn transposed_convolution_agrees_with_its_definition(case in case()) {
        layers::transposed(case)?;
    }

    #[test]
    fn instance_norm_agrees_with_its_definition(pictures in 1usize..3, channels in 1usize..9, h in 1usize..50, w in 1usize..50, offset in -50f32..50.0, relu: bool) {
        layers::normalised(pictures, channels, (h, w), offset, relu);
    }

    #[test]
    fn separable_convolution_agrees_with_its_definition(pictures in 1usize..3, channels in 1usize..10, outputs in 1usize..20, share in 0f64..1.0, stride in 1usize..3, h in 1usize..20, w in 1usize..40) {
        let residual_channels = 1 + (share * (outputs - 1) as f64) as usize;
        layers::separable(pictures, (channels, outputs, residual_channels), stride, (h, w));
    }

    #[test]
    fn prelu_and_max_pooling_agree_with_their_definitions(channels in 1usize..9, h in 2usize..20, w in 2usize..40) {
        layers::rectified(channels, (h, w));
    }

    #[test]
    fn convolution_with_a_1_by_1_kernel_on_whole_tiles_agrees_with_its_definition(inputs in 1usize..70, outputs in 1usize..20, h in 1usize..9) {
        layers::convolution(Case {
            pictures: 1, inputs, outputs, kernel: (1, 1), stride: 1, padding: 0, size: (2 * h, 8),
        })?;
    }

    #[test]
    fn constant_inputs_agree_with_constant_planes(inputs in 1usize..5, outputs in 1usize..9, kernel in 1usize..8, padding in 0usize..5, h in 1usize..20, w in 1usize..20) {
        layers::constant(inputs, outputs, kernel, padding, (h, w))?;
    }

    #[test]
    fn convolution_of_narrow_images_agrees_with_its_definition(inputs in 1usize..8, outputs in 1usize..20, kernel in 1usize..5, stride in 1usize..3, padding in 0usize..3, h in 1usize..24, w in 1usize..24) {
        layers::convolution(Case {
            pictures: 2, inputs, outputs, kernel: (kernel, kernel), stride, padding, size: (h, w),
        })?;
    }

    #[test]
    fn grid_sampling_agrees_with_its_definition(pictures in 1usize..3, channels in 1usize..5, h in 1usize..9, w in 1usize..9, out_h in 1usize..9, out_w in 1usize..9, reach in 0.5f64..4.0) {
        sampling::grid_sampling((pictures, channels), (h, w), (out_h, out_w), reach);
    }

    #[test]
    fn grid_sampling_along_many_grids_agrees_with_its_definition(grids in 1usize..5, channels in 1usize..5, h in 1usize..9, w in 1usize..9, places in 1usize..600) {
        sampling::many_grids(grids, channels, (h, w), places);
    }

    #[test]
    fn resizing_agrees_with_its_definition(channels in 1usize..4, h in 1usize..12, w in 1usize..12, out_h in 1usize..20, out_w in 1usize..20) {
        sampling::resizing(channels, (h, w), (out_h, out_w));
    }

    #[test]
    fn anti_aliased_downscaling_agrees_with_its_definition(channels in 1usize..4, h in 4usize..30, w in 4usize..30, factor in 2usize..5) {
        sampling::anti_aliasing(channels, (h, w), factor);
    }

    #[test]
    fn upsampled_convolution_agrees_with_its_definition(inputs in prop_oneof![1usize..5, 16usize..20], outputs in prop_oneof![1usize..8, 16usize..20], kernel in 1usize..5, padding in 0usize..3, h in 1usize..12, w in 1usize..24) {
        layers::upsampled(inputs, outputs, kernel, padding, (h, w))?;
    }

    #[test]
    fn pooling_agrees_with_its_definition(channels in 1usize..4, h in 1usize..12, w in 1usize..12) {
        sampling::pooling(channels, (h, w));
    }

    #[test]
    fn batch_norm_agrees_with_its_definition(channels in 1usize..20, h in 1usize..9, w in 1usize..20) {
        sampling::batch_normalised(channels, (h, w));
    }
}
