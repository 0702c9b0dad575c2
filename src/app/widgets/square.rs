//! A square over a picture that the hand moves by its edges and sizes by its corners: the geometry, in the picture's own
//! pixels, and the drawing.

use iced::widget::canvas::{Frame, Path, Stroke};
use iced::{Color, Point, Size, mouse};

use crate::document::Crop;

use super::theme;

/// What the hand has hold of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Grip {
    /// The square follows the hand at this distance from its corner before it was turned, in pixels of the picture.
    Move { offset: (f64, f64) },
    /// The corner opposite to the hand's stays there, in pixels of the picture.
    Size { anchor: (f64, f64) },
}

/// What a press at a place of the picture takes hold of, where edges and corners are felt from `reach` pixels away;
/// nothing inside the square or well outside.
pub fn grip(square: Crop, hand: (f64, f64), reach: f64) -> Option<Grip> {
    let at = square.upright(hand);
    let (x, y) = (f64::from(square.x), f64::from(square.y));
    let side = f64::from(square.side);
    let near = |a: f64, b: f64| (a - b).abs() <= reach;
    let (left, right) = (near(at.0, x), near(at.0, x + side));
    let (top, bottom) = (near(at.1, y), near(at.1, y + side));
    if (left || right) && (top || bottom) {
        // Of a square so small that the hand feels both ends, the nearer one is taken.
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

/// The square where the hand has brought it, in a picture of this size: it lies within the picture, and keeps its
/// anchor as [`Crop::fitted`] allows.
pub fn dragged(square: Crop, grip: Grip, hand: (f64, f64), (width, height): (u32, u32)) -> Crop {
    match grip {
        Grip::Size { anchor } if square.angle == 0.0 => {
            // It grows no further than the picture does, so that the anchor needn't give way.
            let room = |hand: f64, anchor: f64, length: u32| {
                if hand < anchor {
                    anchor
                } else {
                    f64::from(length) - anchor
                }
            };
            let across = room(hand.0, anchor.0, width);
            sized(
                square,
                anchor,
                hand,
                across.min(room(hand.1, anchor.1, height)),
            )
        }
        grip => carried(square, grip, hand),
    }
    .fitted(width, height)
}

/// The same wherever it comes to lie.
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

/// The square from its anchor to the hand, its side at most so many pixels but never too few.
fn sized(square: Crop, anchor: (f64, f64), hand: (f64, f64), most: f64) -> Crop {
    let (sin, cos) = f64::from(square.angle).sin_cos();
    let (dx, dy) = (hand.0 - anchor.0, hand.1 - anchor.1);
    // Along the square's own edges.
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

/// The square's corners in the picture, from the upper left on, clockwise before it was turned.
pub fn corners(square: Crop) -> [(f64, f64); 4] {
    let (x, y) = (f64::from(square.x), f64::from(square.y));
    let side = f64::from(square.side);
    [(x, y), (x + side, y), (x + side, y + side), (x, y + side)].map(|place| square.turned(place))
}

/// The cursor that tells what a grip does, with the hand at that place.
pub fn interaction(grip: Grip, hand: (f64, f64)) -> mouse::Interaction {
    match grip {
        Grip::Move { .. } => mouse::Interaction::Move,
        Grip::Size { anchor } if (hand.0 < anchor.0) == (hand.1 < anchor.1) => {
            mouse::Interaction::ResizingDiagonallyDown
        }
        Grip::Size { .. } => mouse::Interaction::ResizingDiagonallyUp,
    }
}

/// Draws the square by its corners, in the drawing's pixels.
pub fn draw(frame: &mut Frame, corners: [Point; 4]) {
    let edge = |color: Color, width: f32| Stroke::default().with_color(color).with_width(width);
    let square = Path::new(|path| {
        path.move_to(corners[0]);
        corners[1..].iter().for_each(|corner| path.line_to(*corner));
        path.close();
    });
    frame.stroke(&square, edge(Color::BLACK.scale_alpha(0.5), 3.0));
    frame.stroke(&square, edge(theme::accent().scale_alpha(0.8), 1.0));
    for Point { x, y } in corners {
        let corner = Path::rectangle(Point::new(x - 3.5, y - 3.5), Size::new(7.0, 7.0));
        frame.fill(&corner, theme::accent());
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
    fn corners_size_edges_move_and_nothing_else_is_felt() {
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
    fn an_edge_moves_the_square_as_far_as_the_hand_until_the_picture_ends() {
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
    fn a_corner_keeps_the_opposite_one_even_where_the_picture_ends() {
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
    fn a_turned_square_is_taken_at_its_turned_corners() {
        let turned = Crop {
            angle: std::f32::consts::FRAC_PI_4,
            ..SQUARE
        };
        // Its middle is (140, 90); a corner stands straight above, another straight below.
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
        fn wherever_the_hand_goes_the_square_lies_within_the_picture(
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
                // Next to the picture's edge there may be no room for the smallest square on the hand's side.
                let cramped = now.side <= Crop::MIN_SIDE;
                prop_assert!(kept || cramped, "{:?} {:?}", now, anchor);
            }
        }
    }
}
