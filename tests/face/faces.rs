//! Faces in difficult pictures, and tracking a face from frame to frame.

use crate::common::face::{cut, finder, mirrored, paste_into, plain, sample, scaled, turned};
use mien::face::{Face, HeadPose, Tracker};
use mien::media::image::Picture;

fn faces(picture: &Picture) -> Vec<Face> {
    finder().faces(picture).unwrap()
}

/// Left, top, right and bottom of the landmarks.
fn bounds(face: &Face) -> [f32; 4] {
    let (left, top, right, bottom) = face.mesh.bounds();
    [left, top, right, bottom]
}

/// The astronaut's head and shoulders, and the position of the face's centre in it.
fn head() -> (Picture, (f32, f32)) {
    let whole = sample("astronaut.png");
    (cut(&whole, (128, 32), (192, 192)), (97.0, 93.0))
}

#[test]
fn images_without_a_face_have_no_detections() {
    let grey = plain(640, 480, [128; 3]);
    assert!(faces(&grey).is_empty());
    let mut noise = plain(300, 300, [0; 3]);
    for (i, value) in noise.rgba_mut().iter_mut().enumerate() {
        if i % 4 != 3 {
            *value = ((i as u32).wrapping_mul(2_654_435_761) >> 24) as u8;
        }
    }
    assert!(faces(&noise).is_empty());
    // Her suit and the shuttle next to her.
    let suit = cut(&sample("astronaut.png"), (60, 260), (250, 250));
    assert!(faces(&suit).is_empty());
    for (width, height) in [(8, 8), (1, 4000), (4000, 1), (17, 3)] {
        assert!(faces(&plain(width, height, [90, 70, 60])).is_empty());
    }
}

#[test]
fn half_a_face_gives_no_detection_or_one_near_the_face() {
    let whole = sample("grace_hopper.jpg");
    let [left, top, right, bottom] = bounds(&faces(&whole)[0]);
    let (middle, height) = (0.5 * (left + right), bottom - top);
    // Cropped along the nose, and above the mouth.
    let side = cut(&whole, (0, 0), (middle as u32, whole.height()));
    let upper = cut(&whole, (0, 0), (whole.width(), (top + 0.6 * height) as u32));
    for (name, picture) in [("side", side), ("upper", upper)] {
        for face in faces(&picture) {
            let [l, t, r, b] = bounds(&face);
            println!(
                "{name}: presence {:.2}, box {l:.0} {t:.0} {r:.0} {b:.0}",
                face.presence
            );
            assert!((t - top).abs() < 0.4 * height && b - t < 1.5 * height);
            assert!(r > l && l > left - 0.5 * height);
        }
    }
}

#[test]
fn forty_faces_are_all_found() {
    let (head, (x, y)) = head();
    let mut crowd = plain(8 * 192, 5 * 192, [40, 42, 46]);
    for i in 0..40 {
        let copy = if i % 3 == 0 {
            mirrored(&head)
        } else {
            head.clone()
        };
        paste_into(&mut crowd, &copy, (i % 8 * 192, i / 8 * 192));
    }
    let found = faces(&crowd);
    assert_eq!(found.len(), 40);
    for i in 0..40u32 {
        let x = if i % 3 == 0 { 192.0 - x } else { x };
        let place = ((i % 8 * 192) as f32 + x, (i / 8 * 192) as f32 + y);
        let there = found.iter().any(|face| {
            let [l, t, r, b] = bounds(face);
            (0.5 * (l + r) - place.0).abs() < 12.0 && (0.5 * (t + b) - place.1).abs() < 20.0
        });
        assert!(there, "face {i} at {place:?}");
    }
}

#[test]
fn a_face_of_sixteen_pixels_gives_one_detection_or_none() {
    let whole = sample("astronaut.png");
    let [_, top, _, bottom] = bounds(&faces(&whole)[0]);
    // Halved as long as possible, to avoid aliasing.
    let mut small = whole;
    let wanted = 16.0 / (bottom - top);
    let mut scale = f64::from(wanted);
    while scale < 0.5 {
        small = scaled(&small, 0.5);
        scale *= 2.0;
    }
    let small = scaled(&small, scale);
    let mut wide = plain(800, 600, [70, 80, 70]);
    paste_into(&mut wide, &small, (400, 300));
    let found = faces(&wide);
    println!("{} faces of 16 pixels found among 800 x 600", found.len());
    for face in found {
        let [l, t, r, b] = bounds(&face);
        assert!(
            l > 395.0 && t > 295.0 && r < 520.0 && b < 420.0,
            "{l} {t} {r} {b}"
        );
        assert!(b - t < 40.0);
    }
    // Alone it may fill enough of the picture to be found.
    assert!(faces(&small).len() <= 1);
}

#[test]
fn a_drawing_gives_no_detection_or_one_on_the_drawn_face() {
    // An oval, two eyes, brows and a mouth: the networks may find a face or not, but only in the oval.
    let mut drawing = plain(400, 400, [250, 250, 245]);
    let inside = |x: f32, y: f32, cx: f32, cy: f32, rx: f32, ry: f32| {
        ((x - cx) / rx).powi(2) + ((y - cy) / ry).powi(2) <= 1.0
    };
    for (i, pixel) in drawing.rgba_mut().chunks_mut(4).enumerate() {
        let (x, y) = ((i % 400) as f32, (i / 400) as f32);
        let face = inside(x, y, 200.0, 200.0, 90.0, 120.0);
        let eye = inside(x, y, 165.0, 175.0, 16.0, 9.0) || inside(x, y, 235.0, 175.0, 16.0, 9.0);
        let brow = inside(x, y, 165.0, 152.0, 22.0, 4.0) || inside(x, y, 235.0, 152.0, 22.0, 4.0);
        let mouth = inside(x, y, 200.0, 260.0, 34.0, 9.0);
        let nose = inside(x, y, 200.0, 222.0, 6.0, 12.0);
        if face {
            pixel[..3].copy_from_slice(&[236, 200, 172]);
        }
        if nose {
            pixel[..3].copy_from_slice(&[210, 165, 140]);
        }
        if eye || brow {
            pixel[..3].copy_from_slice(&[50, 40, 36]);
        }
        if mouth {
            pixel[..3].copy_from_slice(&[180, 70, 70]);
        }
    }
    let found = faces(&drawing);
    println!("{} faces in the drawing", found.len());
    assert!(found.len() <= 1);
    for face in found {
        let [l, t, r, b] = bounds(&face);
        assert!(
            l > 60.0 && t > 40.0 && r < 340.0 && b < 360.0,
            "{l} {t} {r} {b}"
        );
    }
}

#[test]
fn a_turned_head_is_found_with_its_roll() {
    let (head, _) = head();
    let level = HeadPose::of(&faces(&head)[0].mesh).unwrap().roll;
    for degrees in [-40.0, -20.0, 25.0, 45.0] {
        let found = faces(&turned(&head, degrees));
        assert_eq!(found.len(), 1, "{degrees}");
        let roll = HeadPose::of(&found[0].mesh).unwrap().roll;
        let off = roll - level - degrees as f32;
        assert!(off.abs() < 5.0, "{degrees}: {roll} from {level}");
    }
}

#[test]
fn a_face_is_tracked_lost_and_found_again() {
    let (head, (x, y)) = head();
    let empty = plain(640, 360, [60, 64, 70]);
    let frame = |at: Option<(u32, u32)>| {
        let mut frame = empty.clone();
        if let Some(at) = at {
            paste_into(&mut frame, &head, at);
        }
        frame
    };
    let mut tracker = Tracker::default();
    let mut next = |picture: &Picture| tracker.next(finder(), picture).unwrap();
    // It moves by a tenth of its size from frame to frame: tracked without the detector.
    for i in 0..12 {
        let at = (40 + 8 * i, 60 + 3 * i);
        let face = next(&frame(Some(at))).unwrap();
        let [l, t, r, b] = bounds(&face);
        let middle = (0.5 * (l + r), 0.5 * (t + b));
        assert!((middle.0 - at.0 as f32 - x).abs() < 10.0, "{i}: {middle:?}");
        assert!((middle.1 - at.1 as f32 - y).abs() < 15.0, "{i}: {middle:?}");
        assert_eq!(face.detection.is_some(), i == 0, "{i}");
    }
    // Disappears, stays away, and returns elsewhere.
    for i in 0..3 {
        assert!(next(&frame(None)).is_none(), "{i}");
    }
    let back = next(&frame(Some((400, 120)))).unwrap();
    assert!(back.detection.is_some());
    assert!((bounds(&back)[0] - 400.0 - x).abs() < 80.0);
    assert!(next(&frame(Some((404, 122)))).unwrap().detection.is_none());
    // Jumps to another position in one frame.
    let jumped = next(&frame(Some((30, 150)))).unwrap();
    assert!(bounds(&jumped)[2] < 240.0, "{:?}", bounds(&jumped));
}

#[test]
fn the_tracked_face_is_found_again_among_others() {
    let (head, _) = head();
    let mut two = plain(640, 240, [60, 64, 70]);
    paste_into(&mut two, &head, (20, 20));
    let small = scaled(&head, 0.8);
    paste_into(&mut two, &small, (420, 40));
    let mut tracker = Tracker::default();
    // At first the largest.
    let first = tracker.next(finder(), &two).unwrap().unwrap();
    assert!(bounds(&first)[2] < 320.0);
    // The small one was seen last, then nothing, then both.
    let found = faces(&two);
    assert_eq!(found.len(), 2);
    let mut tracker = Tracker::on(&found[1]);
    let empty = plain(640, 240, [60, 64, 70]);
    assert!(tracker.next(finder(), &empty).unwrap().is_none());
    let again = tracker.next(finder(), &two).unwrap().unwrap();
    assert!(bounds(&again)[0] > 320.0);
}
