//! A square over a picture that can be moved by its edges and resized by its corners: the geometry, in the picture's
//! pixels, and the drawing.

use iced::widget::canvas::{Frame, Path, Stroke};
use iced::{Color, Point, Size, mouse};

use crate::document::Crop;

use super::theme::Colors;

/// What a drag does to the square.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Grip {
    /// Moves it: the pointer keeps this offset from the unrotated square's upper left corner, in picture pixels.
    Move { offset: (f64, f64) },
    /// Resizes it: the opposite corner stays at the anchor, in picture pixels.
    Size { anchor: (f64, f64) },
}

/// What a press at a point of the picture grabs; edges and corners reach `reach` pixels to either side. `None` inside the
/// square or well outside.
pub fn grip(square: Crop, hand: (f64, f64), reach: f64) -> Option<Grip> {
    let at = square.upright(hand);
    let (x, y) = (f64::from(square.x), f64::from(square.y));
    let side = f64::from(square.side);
    let near = |a: f64, b: f64| (a - b).abs() <= reach;
    let (left, right) = (near(at.0, x), near(at.0, x + side));
    let (top, bottom) = (near(at.1, y), near(at.1, y + side));
    if (left || right) && (top || bottom) {
        // If the square is so small that both ends are within reach, the nearer one is grabbed.
        let far = |at: f64, edge: f64| {
            if at < edge + 0.5 * side {
                edge + side
            } else {
                edge
            }
        };
        let anchor = square.turned((far(at.0, x), far(at.1, y)));
        return Some(Grip::Size { anchor });
    }
    let within = |a: f64, edge: f64| (edge - reach..=edge + side + reach).contains(&a);
    let on_an_edge = left || right || top || bottom;
    (on_an_edge && within(at.0, x) && within(at.1, y)).then_some(Grip::Move {
        offset: (hand.0 - x, hand.1 - y),
    })
}

/// The square after a drag, in a picture of this size: it stays within the picture, and keeps its anchor as far as
/// [`Crop::fitted`] allows.
pub fn dragged(square: Crop, grip: Grip, hand: (f64, f64), (width, height): (u32, u32)) -> Crop {
    match grip {
        Grip::Size { anchor } if square.angle == 0.0 => {
            // Limits the side to the space in the picture, so that the anchor stays in place.
            let space = |hand: f64, anchor: f64, length: u32| {
                if hand < anchor {
                    anchor
                } else {
                    f64::from(length) - anchor
                }
            };
            let across = space(hand.0, anchor.0, width);
            sized(
                square,
                anchor,
                hand,
                across.min(space(hand.1, anchor.1, height)),
            )
        }
        grip => carried(square, grip, hand),
    }
    .fitted(width, height)
}

/// Like [`dragged`], without regard to the picture's bounds.
pub fn carried(square: Crop, grip: Grip, hand: (f64, f64)) -> Crop {
    match grip {
        Grip::Move { offset } => Crop {
            x: (hand.0 - offset.0) as f32,
            y: (hand.1 - offset.1) as f32,
            ..square
        },
        Grip::Size { anchor } => sized(square, anchor, hand, f64::INFINITY),
    }
}

/// The square from its anchor to the pointer, its side at most `most` pixels and at least [`Crop::MIN_SIDE`].
fn sized(square: Crop, anchor: (f64, f64), hand: (f64, f64), most: f64) -> Crop {
    let (sin, cos) = f64::from(square.angle).sin_cos();
    let (dx, dy) = (hand.0 - anchor.0, hand.1 - anchor.1);
    // Along the square's edges.
    let (along, down) = (dx * cos + dy * sin, dy * cos - dx * sin);
    let side = along.abs().max(down.abs()).min(most);
    let side = side.max(f64::from(Crop::MIN_SIDE));
    let half = |d: f64| if d < 0.0 { -0.5 * side } else { 0.5 * side };
    let (along, down) = (half(along), half(down));
    let middle = (
        anchor.0 + along * cos - down * sin,
        anchor.1 + along * sin + down * cos,
    );
    Crop {
        x: (middle.0 - 0.5 * side) as f32,
        y: (middle.1 - 0.5 * side) as f32,
        side: side as f32,
        angle: square.angle,
    }
}

/// The square's corners in the picture, clockwise from the upper left of the unrotated square.
pub fn corners(square: Crop) -> [(f64, f64); 4] {
    let (x, y) = (f64::from(square.x), f64::from(square.y));
    let side = f64::from(square.side);
    [(x, y), (x + side, y), (x + side, y + side), (x, y + side)].map(|place| square.turned(place))
}

/// The mouse cursor for a grip, with the pointer at `hand`.
pub fn interaction(grip: Grip, hand: (f64, f64)) -> mouse::Interaction {
    match grip {
        Grip::Move { .. } => mouse::Interaction::Move,
        Grip::Size { anchor } if (hand.0 < anchor.0) == (hand.1 < anchor.1) => {
            mouse::Interaction::ResizingDiagonallyDown
        }
        Grip::Size { .. } => mouse::Interaction::ResizingDiagonallyUp,
    }
}

/// Draws the square with these corners, in the frame's pixels.
pub fn draw(frame: &mut Frame, colors: &Colors, corners: [Point; 4]) {
    let edge = |color: Color, width: f32| Stroke::default().with_color(color).with_width(width);
    let square = Path::new(|path| {
        path.move_to(corners[0]);
        corners[1..].iter().for_each(|corner| path.line_to(*corner));
        path.close();
    });
    frame.stroke(&square, edge(Color::BLACK.scale_alpha(0.5), 3.0));
    frame.stroke(&square, edge(colors.accent.scale_alpha(0.8), 1.0));
    for Point { x, y } in corners {
        let corner = Path::rectangle(Point::new(x - 3.5, y - 3.5), Size::new(7.0, 7.0));
        frame.fill(&corner, colors.accent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SQUARE: Crop = Crop {
        x: 100.0,
        y: 50.0,
        side: 80.0,
        angle: 0.0,
    };

    #[test]
    fn corners_resize_edges_move_and_nothing_else_is_hit() {
        let at = |x, y| grip(SQUARE, (x, y), 8.0);
        let size = |x, y| Some(Grip::Size { anchor: (x, y) });
        assert_eq!(at(102.0, 48.0), size(180.0, 130.0));
        assert_eq!(at(178.0, 131.0), size(100.0, 50.0));
        assert_eq!(at(178.0, 52.0), size(100.0, 130.0));
        assert!(matches!(at(140.0, 50.0), Some(Grip::Move { .. })));
        assert!(matches!(at(106.0, 90.0), Some(Grip::Move { .. })));
        assert_eq!(at(140.0, 90.0), None);
        assert_eq!(at(300.0, 50.0), None);
        assert_eq!(at(140.0, 20.0), None);
    }

    #[test]
    fn dragging_an_edge_moves_the_square_and_stops_at_the_image_border() {
        let taken = grip(SQUARE, (140.0, 50.0), 8.0).unwrap();
        let moved = dragged(SQUARE, taken, (150.0, 45.0), (400, 300));
        assert_eq!(
            moved,
            Crop {
                x: 110.0,
                y: 45.0,
                ..SQUARE
            }
        );
        let far = dragged(SQUARE, taken, (900.0, -90.0), (400, 300));
        assert_eq!((far.x, far.y, far.side), (320.0, 0.0, 80.0));
    }

    #[test]
    fn dragging_a_corner_keeps_the_opposite_corner_even_at_the_image_border() {
        let taken = grip(SQUARE, (180.0, 130.0), 8.0).unwrap();
        let larger = dragged(SQUARE, taken, (200.0, 140.0), (400, 300));
        assert_eq!((larger.x, larger.y, larger.side), (100.0, 50.0, 100.0));
        let largest = dragged(SQUARE, taken, (900.0, 140.0), (400, 300));
        assert_eq!((largest.x, largest.y, largest.side), (100.0, 50.0, 250.0));
        let least = dragged(SQUARE, taken, (101.0, 50.0), (400, 300));
        assert_eq!(
            (least.x, least.y, least.side),
            (100.0, 50.0, Crop::MIN_SIDE)
        );
    }

    #[test]
    fn a_rotated_square_is_hit_at_its_rotated_corners() {
        let turned = Crop {
            angle: std::f32::consts::FRAC_PI_4,
            ..SQUARE
        };
        // The centre is (140, 90); one corner is straight above it, another straight below.
        let reach = 40.0 * std::f64::consts::SQRT_2;
        let taken = grip(turned, (140.0, 90.0 - reach), 8.0).unwrap();
        let Grip::Size { anchor } = taken else {
            panic!("{taken:?}")
        };
        assert!((anchor.0 - 140.0).abs() < 1e-3);
        assert!((anchor.1 - (90.0 + reach)).abs() < 1e-3);
        let up = 90.0 - reach - 20.0 * std::f64::consts::SQRT_2;
        let larger = dragged(turned, taken, (140.0, up), (400, 300));
        assert!((larger.side - 100.0).abs() < 1e-2, "{larger:?}");
        assert_eq!(larger.angle, turned.angle);
        assert_eq!(grip(turned, (100.0, 50.0), 8.0), None);
        let below = corners(larger)
            .into_iter()
            .map(|(_, y)| y)
            .fold(f64::MIN, f64::max);
        assert!((below - anchor.1).abs() < 1e-2);
    }

    proptest! {
        #[test]
        fn a_dragged_square_stays_within_the_image(
            (width, height) in (8u32..2000, 8u32..2000),
            place in (-50.0f32..2000.0, -50.0f32..2000.0, 1.0f32..900.0),
            corner in 0usize..4,
            edge in any::<bool>(),
            hand in (-3000.0f64..5000.0, -3000.0f64..5000.0),
        ) {
            let square = Crop { x: place.0, y: place.1, side: place.2, angle: 0.0 }
                .fitted(width, height);
            let (from, next) = (corners(square)[corner], corners(square)[(corner + 1) % 4]);
            let press = if edge {
                ((from.0 + next.0) / 2.0, (from.1 + next.1) / 2.0)
            } else {
                from
            };
            let taken = grip(square, press, 1.0);
            prop_assert!(taken.is_some());
            let now = dragged(square, taken.unwrap(), hand, (width, height));
            prop_assert!(now.checked(width, height).is_ok(), "{:?}", now);
            if let Some(Grip::Size { anchor }) = taken {
                let kept = corners(now).iter().any(|corner| {
                    (corner.0 - anchor.0).abs() < 0.1 && (corner.1 - anchor.1).abs() < 0.1
                });
                // Near the picture's edge the smallest square may not fit on the pointer's side of the anchor.
                let cramped = now.side <= Crop::MIN_SIDE;
                prop_assert!(kept || cramped, "{:?} {:?}", now, anchor);
            }
        }
    }
}
