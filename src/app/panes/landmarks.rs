//! The face's landmarks over the portrait: thin contours, and handles to drag.

use iced::widget::canvas::{Frame, Path, Stroke};
use iced::{Color, Point};

use crate::app::widgets::theme::Colors;
use crate::document::LandmarkOffsets;
use crate::face::found::FoundFace;
use crate::methods::rig::landmarks::HANDLES;

/// A line through landmarks.
struct Contour {
    landmarks: &'static [usize],
    closed: bool,
}

const fn open(landmarks: &'static [usize]) -> Contour {
    Contour {
        landmarks,
        closed: false,
    }
}

const fn closed(landmarks: &'static [usize]) -> Contour {
    Contour {
        landmarks,
        closed: true,
    }
}

const CONTOURS: [Contour; 9] = [
    // The eyelids, those of the person's right eye first.
    closed(&[
        33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7,
    ]),
    closed(&[
        263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249,
    ]),
    // The brows.
    closed(&[70, 63, 105, 66, 107, 55, 65, 52, 53, 46]),
    closed(&[300, 293, 334, 296, 336, 285, 295, 282, 283, 276]),
    // The lips' outer edges, and the inner ones.
    closed(&[
        61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
    ]),
    closed(&[
        78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95,
    ]),
    // The nose: its ridge, and its wings and base.
    open(&[168, 6, 197, 195, 5, 4]),
    open(&[129, 98, 97, 2, 326, 327, 358]),
    // The face's oval.
    closed(&[
        10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
        152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
    ]),
];

/// The iris centres. Each is followed by its four rim landmarks.
const IRISES: [usize; 2] = [468, 473];

/// The radius of a handle, in logical pixels.
const RADIUS: f32 = 3.0;

/// The position of a landmark, in portrait pixels.
pub fn place(face: &FoundFace, landmark: u16) -> Option<(f64, f64)> {
    let [x, y, _] = face.mesh.points().get(usize::from(landmark))?;
    Some((f64::from(*x), f64::from(*y)))
}

/// The handle nearest to a point of the portrait, at most `reach` portrait pixels away.
pub fn handle_at(face: &FoundFace, at: (f64, f64), reach: f64) -> Option<u16> {
    let far = |handle: u16| {
        let (x, y) = place(face, handle)?;
        Some(((x - at.0).hypot(y - at.1), handle))
    };
    let near = HANDLES.into_iter().filter_map(far);
    let near = near.filter(|(far, _)| *far <= reach);
    near.min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, handle)| handle)
}

/// Draws contours and handles. `to_pane` maps a point of the portrait to the pane; `held` is the handle being dragged.
pub fn draw(
    frame: &mut Frame,
    colors: &Colors,
    face: &FoundFace,
    to_pane: impl Fn((f64, f64)) -> Point,
    held: Option<u16>,
) {
    let at = |landmark: usize| {
        let [x, y, _] = face.mesh.points()[landmark];
        to_pane((f64::from(x), f64::from(y)))
    };
    let lines = Path::new(|path| {
        for Contour { landmarks, closed } in &CONTOURS {
            path.move_to(at(landmarks[0]));
            landmarks[1..]
                .iter()
                .for_each(|next| path.line_to(at(*next)));
            if *closed {
                path.close();
            }
        }
        for iris in IRISES {
            let (middle, rim) = (at(iris), [1, 2, 3, 4].map(|i| at(iris + i)));
            let radius = rim.map(|point| point.distance(middle)).iter().sum::<f32>() / 4.0;
            path.circle(middle, radius);
        }
    });
    let stroke = |color: Color, width: f32| Stroke::default().with_color(color).with_width(width);
    frame.stroke(&lines, stroke(Color::BLACK.scale_alpha(0.35), 2.5));
    frame.stroke(&lines, stroke(colors.accent.scale_alpha(0.8), 1.0));
    for handle in HANDLES {
        let is_held = held == Some(handle);
        let radius = if is_held { RADIUS + 1.5 } else { RADIUS };
        let disc = |radius: f32| Path::circle(at(handle.into()), radius);
        let color = if is_held || is_moved(&face.moved, handle) {
            colors.accent
        } else {
            Color::WHITE
        };
        frame.fill(&disc(radius + 1.0), Color::BLACK.scale_alpha(0.6));
        frame.fill(&disc(radius), color);
    }
}

/// Whether the artist moved this handle itself, not only a neighbour.
fn is_moved(moved: &LandmarkOffsets, handle: u16) -> bool {
    moved.get(handle) != [0.0; 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::portrait::Sample;
    use crate::methods::ganimation::model::Model;

    #[test]
    fn the_nearest_landmark_handle_within_reach_is_hit() {
        let model = Model::bundled().unwrap();
        let portrait = Sample::all()[0].open(model.crop()).unwrap();
        let face = &portrait.faces[0];
        for handle in HANDLES {
            let (x, y) = place(face, handle).unwrap();
            assert_eq!(handle_at(face, (x, y), 4.0), Some(handle));
        }
        let (left, top, ..) = face.mesh.bounds();
        let corner = (f64::from(left), f64::from(top));
        assert_eq!(handle_at(face, corner, 4.0), None);
        assert_eq!(place(face, 478), None);
    }
}
