//! The rig as rendered: what stays, what moves, and at which size.

use std::sync::Arc;

use mien::document::{
    ActionUnit, Channel, Gaze, Glasses, HeadPlace, HeadTurn, MethodChoice, PaneView, Pose, Sides,
};
use mien::drive::driver::DriveSample;
use mien::face::portrait;
use mien::face::view::View;
use mien::media::image::Picture;
use mien::methods::Quality;
use mien::methods::ganimation::model::Model;
use mien::methods::models::Models;
use mien::methods::subject::Subject;
use mien::render::composition::FrameRequest;
use mien::render::renderer::Renderer;

fn subject(sample: usize, models: &Models) -> Subject {
    let rule = models.crop_rule();
    let portrait = portrait::Sample::all()[sample].open(rule).unwrap();
    Subject::of(&portrait.document(1), &portrait, rule)
}

fn models() -> Arc<Models> {
    Arc::new(Models::new(Arc::new(Model::bundled().unwrap())))
}

/// Renders an expression with the rig.
fn drawn(renderer: &mut Renderer, subject: &Subject, view: &View, pose: Pose) -> Picture {
    let request = FrameRequest {
        method: MethodChoice::RIG,
        weights: None,
        view: PaneView::Result,
        expression_by_rig: false,
        sample: DriveSample::Pose(pose),
    };
    let base = renderer.base(subject, view).unwrap();
    renderer
        .render(subject, view, &base, &request, Quality::Full, &|| false)
        .unwrap()
        .picture
}

fn with(subject: &Subject, units: &[(u8, f32)]) -> Pose {
    units
        .iter()
        .fold(subject.expression.into(), |pose: Pose, (code, value)| {
            pose.with(Sides::Both, ActionUnit::from_code(*code).unwrap(), *value)
        })
}

/// The mean difference of two pictures of the same size in a box, in levels.
fn difference(a: &Picture, b: &Picture, (left, top, right, bottom): (u32, u32, u32, u32)) -> f64 {
    assert_eq!(a.size(), b.size());
    let mut sum = 0;
    for y in top..bottom {
        for x in left..right {
            let at = 4 * (y * a.width() + x) as usize;
            let pixel =
                |picture: &Picture| -> [u8; 3] { picture.rgba()[at..at + 3].try_into().unwrap() };
            let (a, b) = (pixel(a), pixel(b));
            sum += (0..3).map(|k| u64::from(a[k].abs_diff(b[k]))).sum::<u64>();
        }
    }
    sum as f64 / f64::from(3 * (right - left) * (bottom - top))
}

/// The bounding box of the landmarks, in whole pixels of the portrait.
fn face(subject: &Subject) -> (u32, u32, u32, u32) {
    let (left, top, right, bottom) = subject.face.as_ref().unwrap().mesh.bounds();
    (left as u32, top as u32, right as u32, bottom as u32)
}

#[test]
fn without_an_edit_every_byte_stays() {
    let models = models();
    for sample in 0..2 {
        let subject = subject(sample, &models);
        let mut renderer = Renderer::new(Arc::clone(&models));
        let size = subject.picture.size();
        for view in [View::whole(size), View::fit(300, 200, size)] {
            let same = drawn(&mut renderer, &subject, &view, subject.expression.into());
            assert_eq!(same, renderer.base(&subject, &view).unwrap());
        }
    }
}

#[test]
fn the_face_moves_and_distant_pixels_keep_every_byte() {
    let models = models();
    for sample in 0..2 {
        let subject = subject(sample, &models);
        let mut renderer = Renderer::new(Arc::clone(&models));
        let whole = View::whole(subject.picture.size());
        let pose = with(&subject, &[(26, 1.0), (25, 0.6), (1, 1.0), (2, 1.0)]);
        let picture = drawn(&mut renderer, &subject, &whole, pose);
        let (left, top, right, bottom) = face(&subject);
        assert!(difference(&picture, &subject.picture, face(&subject)) > 2.0);
        let reach = (right - left).max(bottom - top);
        for y in 0..picture.height() {
            for x in 0..picture.width() {
                let near =
                    x + reach > left && x < right + reach && y + reach > top && y < bottom + reach;
                let at = 4 * (y * picture.width() + x) as usize;
                let (a, b) = (
                    &picture.rgba()[at..at + 4],
                    &subject.picture.rgba()[at..at + 4],
                );
                assert!(near || a == b, "{x} {y}");
            }
        }
    }
}

#[test]
fn a_pane_shows_the_same_pixels_as_an_export() {
    let models = models();
    let subject = subject(0, &models);
    let expression = with(&subject, &[(12, 0.3), (45, 1.0), (4, 1.0)]);
    pane_shows_what_an_export_writes(&models, &subject, expression);
    let placed = Pose {
        place: HeadPlace::new(15.0, -10.0, 115.0),
        ..subject.expression.into()
    };
    pane_shows_what_an_export_writes(&models, &subject, placed);
}

fn pane_shows_what_an_export_writes(models: &Arc<Models>, subject: &Subject, pose: Pose) {
    let mut renderer = Renderer::new(Arc::clone(models));
    let size = subject.picture.size();
    let whole = drawn(&mut renderer, subject, &View::whole(size), pose);
    // A part of it at full resolution.
    let (left, top, right, bottom) = face(subject);
    let part = View {
        x: f64::from(left),
        y: f64::from(top),
        zoom: 1.0,
        width: right - left,
        height: bottom - top,
    };
    let seen = drawn(&mut renderer, subject, &part, pose);
    let exported = Subject {
        id: 77,
        picture: Arc::new(whole),
        ..subject.clone()
    };
    let wanted = renderer.base(&exported, &part).unwrap();
    let all = (0, 0, part.width, part.height);
    assert!(difference(&seen, &wanted, all) < 0.5);
    // The same at smaller and larger scales.
    for zoom in [0.5, 3.0] {
        let side = |length: u32| (f64::from(length) * zoom) as u32;
        let view = View {
            zoom,
            width: side(part.width),
            height: side(part.height),
            ..part
        };
        let wanted = renderer.base(&exported, &view).unwrap();
        let seen = drawn(&mut renderer, subject, &view, pose);
        let apart = difference(&seen, &wanted, (0, 0, view.width, view.height));
        assert!(apart < 2.5, "{zoom}: {apart}");
    }
}

#[test]
fn a_mirrored_portrait_gives_the_mirrored_result() {
    let models = models();
    let subject = subject(0, &models);
    let mut renderer = Renderer::new(Arc::clone(&models));
    let (width, height) = subject.picture.size();
    let whole = View::whole((width, height));
    let flip = |picture: &Picture| {
        let rows = picture.rgba().chunks_exact(4 * width as usize);
        let rgba = rows.flat_map(|row| row.chunks_exact(4).rev().flatten().copied());
        Picture::new(width, height, rgba.collect()).unwrap()
    };
    let mut face_there = (**subject.face.as_ref().unwrap()).clone();
    face_there.mesh = face_there.mesh.mirrored(width as f32).unwrap();
    let mirrored = Subject {
        id: 78,
        picture: Arc::new(flip(&subject.picture)),
        face: Some(Arc::new(face_there)),
        ..subject.clone()
    };
    let wink = |sides| {
        let blink = ActionUnit::from_code(45).unwrap();
        Pose::from(subject.expression).with(sides, blink, 1.0)
    };
    let left = drawn(&mut renderer, &subject, &whole, wink(Sides::Left));
    let right = drawn(&mut renderer, &mirrored, &whole, wink(Sides::Right));
    let there = face(&mirrored);
    let apart = difference(&flip(&left), &right, there);
    let moved = difference(&right, &mirrored.picture, there);
    assert!(apart < 0.5 * moved, "{apart} of {moved}");
    let placed = |x: f32| Pose {
        place: HeadPlace::new(x, 10.0, 110.0),
        ..subject.expression.into()
    };
    let left = drawn(&mut renderer, &subject, &whole, placed(-20.0));
    let right = drawn(&mut renderer, &mirrored, &whole, placed(20.0));
    let all = (0, 0, width, height);
    let apart = difference(&flip(&left), &right, all);
    let moved = difference(&right, &mirrored.picture, all);
    assert!(apart < 0.3 * moved, "{apart} of {moved}");
}

#[test]
fn the_head_moves_continuously_from_where_the_portrait_has_it() {
    let models = models();
    let subject = subject(0, &models);
    let mut renderer = Renderer::new(Arc::clone(&models));
    let whole = View::whole(subject.picture.size());
    let (width, height) = subject.picture.size();
    let all = (0, 0, width, height);
    for channel in Channel::PLACE {
        let at = |by: f32| {
            let value = channel.neutral() + by;
            Pose::from(subject.expression).with(Sides::Both, channel, value)
        };
        let rest = drawn(&mut renderer, &subject, &whole, at(0.0));
        assert!(rest == *subject.picture, "{channel}");
        let [little, more, most] =
            [0.1, 5.0, 20.0].map(|by| drawn(&mut renderer, &subject, &whole, at(by)));
        let moved = |picture: &Picture| difference(picture, &subject.picture, all);
        assert!(moved(&little) < 0.5, "{channel}: {}", moved(&little));
        assert!(moved(&more) > moved(&little) && moved(&most) > moved(&more));
    }
    // Together with an expression, whose face moves along.
    let smiling = with(&subject, &[(12, 1.0), (45, 1.0)]);
    let placed = Pose {
        place: HeadPlace::new(0.1, 0.0, 100.0),
        ..smiling
    };
    let smiling = drawn(&mut renderer, &subject, &whole, smiling);
    let placed = drawn(&mut renderer, &subject, &whole, placed);
    let apart = difference(&smiling, &placed, all);
    assert!(apart < 1.0, "{apart}");
}

#[test]
fn head_and_gaze_channels_move_the_head_and_the_eyes() {
    let models = models();
    let subject = subject(0, &models);
    let mut renderer = Renderer::new(Arc::clone(&models));
    let whole = View::whole(subject.picture.size());
    let still = Pose::from(subject.expression);
    let turned = Pose {
        head: HeadTurn::new(8.0, 0.0, 0.0),
        ..still
    };
    let looking = Pose {
        gaze: Gaze::new(-20.0, 0.0),
        ..still
    };
    let (turned, looking) = (
        drawn(&mut renderer, &subject, &whole, turned),
        drawn(&mut renderer, &subject, &whole, looking),
    );
    let all = difference(&turned, &subject.picture, face(&subject));
    let eyes = difference(&looking, &subject.picture, face(&subject));
    assert!(all > 3.0, "{all}");
    assert!(eyes > 0.05 && eyes < 0.3 * all, "{eyes} {all}");
}

#[test]
fn folds_are_drawn_at_the_set_strength() {
    let models = models();
    let own = subject(1, &models);
    let mut renderer = Renderer::new(Arc::clone(&models));
    let whole = View::whole(own.picture.size());
    let pose = with(&own, &[(1, 1.0), (2, 1.0), (4, 1.0), (9, 1.0)]);
    let mut folded = |folds| {
        let subject = Subject {
            folds,
            ..own.clone()
        };
        (
            drawn(&mut renderer, &subject, &whole, pose),
            subject.key(),
            subject.face_key(),
        )
    };
    let (smooth, smooth_key, face) = folded(Some(0.0));
    let (full, full_key, same_face) = folded(Some(1.0));
    let (auto, ..) = folded(None);
    assert!(smooth_key != full_key && face == same_face);
    let apart = difference(&smooth, &full, self::face(&own));
    assert!(apart > 0.1, "{apart}");
    // His skin has folds, so his automatic strength is closer to full than to none.
    let (to_none, to_full) = (
        difference(&auto, &smooth, self::face(&own)),
        difference(&auto, &full, self::face(&own)),
    );
    assert!(to_full < to_none, "{to_full} {to_none}");
    // An unedited portrait keeps every byte, whatever the strength of folds.
    let subject = Subject {
        folds: Some(1.0),
        ..own.clone()
    };
    let rest = drawn(&mut renderer, &subject, &whole, own.expression.into());
    assert_eq!(rest, *own.picture);
}

#[test]
fn glasses_bend_only_when_chosen() {
    let models = models();
    // Grace Hopper wears glasses.
    let own = subject(1, &models);
    let mut renderer = Renderer::new(Arc::clone(&models));
    let whole = View::whole(own.picture.size());
    let pose = with(&own, &[(1, 1.0), (2, 1.0), (6, 1.0)]);
    let mut drawn_with = |glasses| {
        let subject = Subject {
            glasses,
            ..own.clone()
        };
        let key = subject.key();
        (drawn(&mut renderer, &subject, &whole, pose), key)
    };
    let [(auto, auto_key), (rigid, _), (bent, bent_key)] = Glasses::ALL.map(&mut drawn_with);
    assert!(auto == rigid && auto_key != bent_key);
    let apart = difference(&rigid, &bent, face(&own));
    assert!(apart > 0.1, "{apart}");
}

#[test]
fn moved_landmarks_change_the_fit_and_resetting_them_restores_it() {
    let models = models();
    let rule = models.crop_rule();
    let portrait = portrait::Sample::all()[0].open(rule).unwrap();
    let mut document = portrait.document(1);
    let found = Subject::of(&document, &portrait, rule);
    // Raises the upper edge of the upper lip a little.
    document.landmarks.set(0, [0.0, -0.03]);
    let moved = Subject::of(&document, &portrait, rule);
    let mut renderer = Renderer::new(Arc::clone(&models));
    let whole = View::whole(found.picture.size());
    let pose = with(&found, &[(25, 1.0), (26, 0.5)]);
    let first = drawn(&mut renderer, &found, &whole, pose);
    let other = drawn(&mut renderer, &moved, &whole, pose);
    let apart = difference(&first, &other, face(&found));
    assert!(apart > 0.1, "{apart}");
    assert_eq!(drawn(&mut renderer, &found, &whole, pose), first);
    // Without an edit the picture is unchanged, wherever the landmarks are.
    let rest = drawn(&mut renderer, &moved, &whole, moved.expression.into());
    assert_eq!(rest, *moved.picture);
    // Networks get the same crop, and render the same.
    let by_network = |subject: &Subject, renderer: &mut Renderer| {
        let request = FrameRequest {
            method: MethodChoice::GANIMATION,
            weights: None,
            view: PaneView::Result,
            expression_by_rig: false,
            sample: DriveSample::Pose(pose),
        };
        let base = renderer.base(subject, &whole).unwrap();
        let drawn = renderer.render(subject, &whole, &base, &request, Quality::Full, &|| false);
        drawn.unwrap()
    };
    let before = by_network(&found, &mut renderer);
    let after = by_network(&moved, &mut renderer);
    assert_eq!(before.picture, after.picture);
    assert!(before.network_millis.is_some() && before.measured_folds.is_none());
}

#[test]
fn drawn_layers_are_shown_where_they_are_drawn() {
    let models = models();
    let subject = subject(0, &models);
    let mut renderer = Renderer::new(Arc::clone(&models));
    let size = subject.picture.size();
    let mesh = subject.face.as_ref().unwrap().mesh.clone();
    let mut shown = |view: &View, units: &[(u8, f32)]| {
        let request = FrameRequest {
            method: MethodChoice::RIG,
            weights: None,
            view: PaneView::Layers,
            expression_by_rig: false,
            sample: DriveSample::Pose(with(&subject, units)),
        };
        let base = renderer.base(&subject, view).unwrap();
        let frame = renderer.render(&subject, view, &base, &request, Quality::Draft, &|| false);
        let frame = frame.unwrap();
        assert!(!frame.is_draft);
        frame.picture
    };
    // The most that one channel exceeds another near a landmark, in a view.
    let excess = |picture: &Picture, view: &View, landmark: usize, (more, less): (usize, usize)| {
        let [x, y, _] = mesh.points()[landmark];
        let (x, y) = view.to_pane((f64::from(x), f64::from(y)));
        let reach = (6.0 * view.zoom).ceil() as i64;
        let mut most = 0;
        for row in y as i64 - reach..=y as i64 + reach {
            for column in x as i64 - reach..=x as i64 + reach {
                let at = 4 * (row * i64::from(picture.width()) + column) as usize;
                let pixel = &picture.rgba()[at..at + 3];
                most = most.max(i32::from(pixel[more]) - i32::from(pixel[less]));
            }
        }
        most
    };
    let [red, green, blue] = [0, 1, 2];
    // The middle of an upper lid and of the lower lip's inner edge.
    let (lid, lip) = (159, 14);
    let face = subject.crop.middle();
    let enlarged = View::about(400, 400, (f64::from(face.0), f64::from(face.1)), 200.0);
    for view in [View::whole(size), View::fit(400, 300, size), enlarged] {
        let blink = shown(&view, &[(45, 1.0)]);
        assert!(excess(&blink, &view, lid, (blue, red)) > 60);
        assert!(excess(&blink, &view, lip, (red, blue)) < 10);
        let jaw = shown(&view, &[(26, 1.0)]);
        assert!(excess(&jaw, &view, lip, (red, blue)) > 100);
    }
    // Without an edit the picture is grey, except for the legend in the crop's lower right corner.
    let whole = View::whole(size);
    let rest = shown(&whole, &[]);
    for landmark in 0..468 {
        for channels in [(red, green), (blue, green), (green, red)] {
            let excess = excess(&rest, &whole, landmark, channels);
            // The rim of the legend may touch a landmark.
            assert!(excess <= 2, "{landmark}: {excess}");
        }
    }
}

#[test]
fn without_a_face_the_rig_gives_a_one_sentence_error() {
    let models = models();
    let subject = Subject {
        face: None,
        ..subject(0, &models)
    };
    let mut renderer = Renderer::new(Arc::clone(&models));
    let view = View::whole(subject.picture.size());
    let request = FrameRequest {
        method: MethodChoice::RIG,
        weights: None,
        view: PaneView::Result,
        expression_by_rig: false,
        sample: DriveSample::Pose(Pose::NEUTRAL),
    };
    let base = renderer.base(&subject, &view).unwrap();
    let refused = renderer.render(&subject, &view, &base, &request, Quality::Full, &|| false);
    let said = refused.unwrap_err().to_string();
    assert!(
        said.starts_with("No face was found") && said.ends_with('.'),
        "{said}"
    );
}
