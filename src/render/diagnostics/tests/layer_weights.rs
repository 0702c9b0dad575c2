//! Weights of layers are shown where they are, in their colours.

use proptest::prelude::*;

use super::{PLACE, pixel, portrait};
use crate::face::TurnedSquare;
use crate::face::view::View;
use crate::methods::diagnostics::{Layer, LayerWeights};
use crate::render::diagnostics::colours::{GROUND, layer_colour, luminance};
use crate::render::diagnostics::{FULL_SHADING, layers};

/// A made-up region of 100 by 80 pixels at (50, 60) of the portrait: the left half is mouth, the right half light.
fn made_up_weights() -> LayerWeights {
    let side = |i: usize| {
        if i % 100 < 50 {
            [1.0, 0.0, 0.0]
        } else {
            [0.0, 0.0, 0.5 * FULL_SHADING]
        }
    };
    LayerWeights {
        place: PLACE,
        x: 50.0,
        y: 60.0,
        zoom: 1.0,
        width: 100,
        height: 80,
        values: (0..8000).map(side).collect(),
    }
}

fn assert_close(got: [u8; 4], wanted: [f32; 3]) {
    for (got, wanted) in got.into_iter().zip(wanted) {
        assert!((f32::from(got) - wanted).abs() < 1.0, "{got} {wanted}");
    }
}

#[test]
fn layers_have_their_colours_by_their_weights_and_the_rest_is_dim() {
    let mut picture = portrait();
    let whole = View::whole(picture.size());
    layers(&mut picture, &whole, &made_up_weights());
    let ground = GROUND * luminance(&[180, 140, 120, 255]);
    assert_close(pixel(&picture, (60.0, 100.0)), layer_colour(Layer::Mouth));
    let half = layer_colour(Layer::Shading).map(|channel| 0.5 * (channel + ground));
    assert_close(pixel(&picture, (120.0, 100.0)), half);
    for outside in [(10.0, 100.0), (60.0, 50.0), (60.0, 145.0), (155.0, 100.0)] {
        assert_close(pixel(&picture, outside), [ground; 3]);
    }
    // In an enlarged section the same pixels are at the same places of the portrait.
    let view = View {
        x: 40.0,
        y: 50.0,
        zoom: 2.0,
        width: 200,
        height: 200,
    };
    let mut enlarged = portrait();
    layers(&mut enlarged, &view, &made_up_weights());
    assert_close(pixel(&enlarged, (40.0, 100.0)), layer_colour(Layer::Mouth));
    assert_close(pixel(&enlarged, (10.0, 100.0)), [ground; 3]);
}

#[test]
fn no_layers_are_the_portrait_in_dim_grey() {
    let mut picture = portrait();
    let whole = View::whole(picture.size());
    // The crop is too small for a legend.
    let place = TurnedSquare {
        side: 20.0,
        ..PLACE
    };
    layers(&mut picture, &whole, &LayerWeights::none(place));
    let ground = (GROUND * luminance(&[180, 140, 120, 255])).round() as u8;
    let grey = [ground, ground, ground, 255];
    assert!(picture.rgba().chunks(4).all(|pixel| pixel == grey));
    // Weights that lack values are 0.
    let mut short = made_up_weights();
    short.place = place;
    short.values.clear();
    let mut other = portrait();
    layers(&mut other, &whole, &short);
    assert_eq!(other, picture);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn layers_can_be_drawn_in_any_view(
        x in -300f64..300.0, y in -300f64..300.0, zoom in 0.02f64..30.0,
        side in 0.01f64..900.0, angle in -4f64..4.0,
    ) {
        let mut picture = portrait();
        let view = View { x, y, zoom, width: 200, height: 200 };
        let mut weights = made_up_weights();
        weights.place = TurnedSquare { side, angle, ..PLACE };
        layers(&mut picture, &view, &weights);
        prop_assert!(picture.rgba().chunks(4).all(|pixel| pixel[3] == 255));
    }
}

#[test]
fn the_legend_has_every_layers_colour() {
    let mut picture = portrait();
    let whole = View::whole(picture.size());
    let place = TurnedSquare {
        side: 180.0,
        ..PLACE
    };
    layers(&mut picture, &whole, &LayerWeights::none(place));
    for layer in Layer::ALL {
        let wanted = layer_colour(layer).map(|channel| channel.round() as u8);
        let count = picture.rgba().chunks(4).filter(|p| p[..3] == wanted);
        assert!(count.count() > 10, "{layer:?}");
    }
}
