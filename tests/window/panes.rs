//! Panes, the faces in them and the network's square crop.

use std::sync::Arc;

use super::{act, app, asked, press, sample, simulator, target};
use iced::keyboard::Modifiers;
use iced::{Event, Point, mouse};
use iced_test::selector;
use mien::app::{App, Message};
use mien::document::{AuVector, FacePart, MethodChoice, Mode, PaneView, Sides};
use mien::face::portrait::Portrait;
use mien::media::encode::save_png;
use mien::media::image::Picture;
use mien::methods::ganimation::model::Model;

/// Finds a text by a part of it.
fn saying(part: &str) -> impl FnMut(selector::Candidate<'_>) -> Option<()> {
    move |candidate| match candidate {
        selector::Candidate::Text { content, .. } => content.contains(part).then_some(()),
        _ => None,
    }
}

#[test]
fn an_edit_can_be_limited_to_parts_and_halves() {
    let mut app = app();
    for name in ["Mouth", "Eyes", "Left half"] {
        act(&mut app, |window| {
            // The slider groups have the same names, further down.
            window.click(name).unwrap();
        });
    }
    let limit = asked(&app).subject.limit;
    assert_eq!(
        limit.parts().collect::<Vec<_>>(),
        [FacePart::Eyes, FacePart::Mouth]
    );
    assert_eq!(limit.sides, Sides::Left);
    act(&mut app, |window| {
        window.click("All").unwrap();
    });
    assert!(asked(&app).subject.limit.is_none());
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(asked(&app).subject.limit, limit);
}

#[test]
fn clicking_one_of_several_faces_selects_it_for_editing() {
    let mut app = app();
    // The same portrait twice, next to each other.
    let one = sample(0);
    let (width, height) = one.picture.size();
    let rows = one.picture.rgba().chunks_exact(width as usize * 4);
    let twice: Vec<u8> = rows.flat_map(|row| [row, row].concat()).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twins.png");
    save_png(&path, &Picture::new(2 * width, height, twice).unwrap()).unwrap();
    let model = Model::bundled().unwrap();
    let twins = Arc::new(Portrait::open(&path, model.crop()).unwrap());
    assert_eq!(twins.faces.len(), 2);
    drop(app.update(Message::Opened(Ok(Arc::clone(&twins)))));

    // Whether the requests are for this face of the two.
    let is_edited = |app: &App, face: usize| {
        let subject = asked(app).subject;
        app.document().face == Some(face)
            && Arc::ptr_eq(subject.face.as_ref().unwrap(), &twins.faces[face])
    };
    let first = asked(&app).subject;
    let expression = target(&app);
    let one = app.document().face.unwrap();
    let other = 1 - one;
    assert!(is_edited(&app, one));
    let (view, faces) = (asked(&app).view, sample(0).faces[0].mesh.bounds());
    let (left, _, right, bottom) = faces;
    let on_the_right = first.crop.x < width as f32;
    let shift = if on_the_right { width as f32 } else { 0.0 };
    act(&mut app, |window| {
        let pane = window.find(selector::id("pane-1")).unwrap().bounds();
        // Below the mouth: a face's crop extends beyond the face.
        let place = (
            f64::from(shift + 0.5 * (left + right)),
            f64::from(bottom - 10.0),
        );
        let (x, y) = view.to_pane(place);
        window.point_at(Point::new(pane.x + x as f32, pane.y + y as f32));
        window.simulate([
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)),
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)),
        ]);
    });
    assert!(is_edited(&app, other));
    let moved = asked(&app).subject.crop;
    assert!((moved.x - first.crop.x).abs() > 0.9 * width as f32);
    press(&mut app, "z", Modifiers::CTRL);
    assert!(is_edited(&app, one));
    assert_eq!(asked(&app).subject.key(), first.key());
    assert_eq!(target(&app), expression);
}

#[test]
fn the_crop_can_follow_the_roll_of_the_head_or_stay_upright() {
    let mut app = app();
    let upright = app.document().crop;
    assert_eq!(upright.angle, 0.0);
    act(&mut app, |window| {
        window.click("Level").unwrap();
    });
    // Her head is tilted by about three degrees.
    let level = asked(&app).subject.crop;
    assert!(
        (1.0..8.0).contains(&level.angle.to_degrees().abs()),
        "{level:?}"
    );
    assert!((level.middle().0 - upright.middle().0).abs() < 0.1 * upright.side);
    act(&mut app, |window| {
        window.click("Level").unwrap();
    });
    assert_eq!(asked(&app).subject.crop, upright);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(asked(&app).subject.crop, level);
}

#[test]
fn without_a_face_the_crop_is_manual_and_a_hint_appears() {
    let mut app = app();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grey.png");
    save_png(
        &path,
        &Picture::new(90, 80, vec![120; 90 * 80 * 4]).unwrap(),
    )
    .unwrap();
    let grey = Portrait::open(&path, Model::bundled().unwrap().crop()).unwrap();
    drop(app.update(Message::Opened(Ok(Arc::new(grey)))));
    assert_eq!(app.document().source, AuVector::NEUTRAL);
    let mut window = simulator(app.view());
    assert!(window.find(saying("No face was found")).is_ok());
}

#[test]
fn panes_are_added_and_closed_and_a_held_key_shows_the_source() {
    let mut app = app();
    let seen = |app: &App| -> Vec<(MethodChoice, PaneView)> {
        let panes = asked(app).composition.panes.clone();
        panes.iter().map(|pane| (pane.method, pane.view)).collect()
    };
    let explained = [
        (MethodChoice::Source, PaneView::Result),
        (MethodChoice::RIG, PaneView::Result),
        (MethodChoice::GANIMATION, PaneView::Result),
        (MethodChoice::GANIMATION, PaneView::Attention),
    ];
    assert_eq!(seen(&app), explained);
    act(&mut app, |window| {
        window.click("+ Pane").unwrap();
    });
    assert_eq!(
        seen(&app)[4],
        (
            MethodChoice::in_mode("fomm", Mode::Relative),
            PaneView::Result
        )
    );
    act(&mut app, |window| {
        window.click("Methods").unwrap();
    });
    assert_eq!(seen(&app).len(), 6);
    press(&mut app, "5", Modifiers::empty());
    assert_eq!(
        seen(&app),
        [(
            MethodChoice::in_mode("fomm", Mode::Relative),
            PaneView::Result
        )]
    );
    press(&mut app, "5", Modifiers::empty());
    press(&mut app, "z", Modifiers::CTRL);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(seen(&app), explained);
    assert!(!asked(&app).source);
    press(&mut app, "s", Modifiers::empty());
    assert!(asked(&app).source);
}

#[test]
fn the_rig_expression_is_offered_only_for_methods_driven_by_images() {
    let mut app = app();
    act(&mut app, |window| {
        window.click("+ Pane").unwrap();
    });
    // The other panes are the source, the rig and GANimation, so there is only one such toggle.
    let by_rig = |app: &App| -> Vec<bool> {
        let panes = asked(app).composition.panes.clone();
        panes.iter().map(|pane| pane.expression_by_rig).collect()
    };
    assert_eq!(by_rig(&app), [false; 5]);
    act(&mut app, |window| {
        window.click("+ Rig").unwrap();
    });
    assert_eq!(by_rig(&app), [false, false, false, false, true]);
    press(&mut app, "5", Modifiers::empty());
    // A single pane has space for the full label.
    act(&mut app, |window| {
        window.click("Expression by the rig").unwrap();
    });
    assert_eq!(by_rig(&app), [false]);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(by_rig(&app), [true]);
    press(&mut app, "5", Modifiers::empty());
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(by_rig(&app), [false; 5]);
    press(&mut app, "z", Modifiers::CTRL);
    let mut window = simulator(app.view());
    assert!(window.find("+ Rig").is_err(), "the pane no longer exists");
}

#[test]
fn dragging_the_edge_of_the_crop_moves_the_network_input() {
    let mut app = app();
    let before = app.document().crop;
    // The request has the view of the pane.
    let view = asked(&app).view;
    act(&mut app, |window| {
        let pane = window.find(selector::id("pane-1")).unwrap().bounds();
        let edge = view.to_pane((f64::from(before.x + before.side / 2.0), f64::from(before.y)));
        let at = Point::new(pane.x + edge.0 as f32, pane.y + edge.1 as f32);
        let moved = |by: f32| {
            let position = Point::new(at.x + by, at.y);
            Event::Mouse(mouse::Event::CursorMoved { position })
        };
        window.point_at(at);
        window.simulate([
            moved(0.0),
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)),
        ]);
        window.point_at(Point::new(at.x + 20.0, at.y));
        window.simulate([
            moved(20.0),
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)),
        ]);
    });
    let after = app.document().crop;
    assert!(after.x > before.x + 5.0, "{before:?} {after:?}");
    assert_eq!(after.side, before.side);
    assert_eq!(asked(&app).subject.crop, after);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(app.document().crop, before);
}

/// Presses at a position of the portrait in the first pane and drags by some logical pixels.
fn drag_in_pane(app: &mut App, place: [f32; 3], by: (f32, f32)) {
    let view = asked(app).view;
    act(app, |window| {
        let pane = window.find(selector::id("pane-1")).unwrap().bounds();
        let (x, y) = view.to_pane((f64::from(place[0]), f64::from(place[1])));
        let at = Point::new(pane.x + x as f32, pane.y + y as f32);
        let to = Point::new(at.x + by.0, at.y + by.1);
        let moved = |position| Event::Mouse(mouse::Event::CursorMoved { position });
        window.point_at(at);
        window.simulate([
            moved(at),
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)),
        ]);
        window.point_at(to);
        window.simulate([
            moved(to),
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)),
        ]);
    });
}

/// A landmark as passed to the methods.
fn landmark(app: &App, number: usize) -> [f32; 3] {
    asked(app).subject.face.unwrap().mesh.points()[number]
}

#[test]
fn dragging_a_landmark_moves_the_face() {
    const LID: usize = 159;
    let mut app = app();
    let before = asked(&app).subject;
    let place = landmark(&app, LID);
    let [neighbour, below] = [158, 145].map(|number| landmark(&app, number));
    // Without the tool a drag only pans.
    drag_in_pane(&mut app, place, (0.0, 6.0));
    assert_eq!(landmark(&app, LID), place);
    press(&mut app, "g", Modifiers::empty());

    act(&mut app, |window| {
        window.click("Landmarks").unwrap();
    });
    let zoom = asked(&app).view.zoom as f32;
    drag_in_pane(&mut app, place, (0.0, 6.0));
    let moved = landmark(&app, LID);
    assert!((moved[1] - place[1] - 6.0 / zoom).abs() < 0.1, "{moved:?}");
    assert!((moved[0] - place[0]).abs() < 0.1 && moved[2] == place[2]);
    let follows = (landmark(&app, 158)[1] - neighbour[1]) * zoom / 6.0;
    assert!((0.5..1.0).contains(&follows), "{follows}");
    let other_lid = (landmark(&app, 145)[1] - below[1]) * zoom / 6.0;
    assert!(other_lid.abs() < 0.1, "{other_lid}");
    let after = asked(&app).subject;
    assert_ne!(after.key(), before.key());
    assert_ne!(after.face_key(), before.face_key());
    assert!(after.face_key().same_pixels(&before.face_key()));
    // The crop and the face's expression are unchanged.
    assert_eq!(
        (after.crop, after.expression),
        (before.crop, before.expression)
    );

    // A second drag moves it from its new position.
    drag_in_pane(&mut app, moved, (4.0, 0.0));
    let twice = landmark(&app, LID);
    assert!((twice[0] - place[0] - 4.0 / zoom).abs() < 0.1 && (twice[1] - moved[1]).abs() < 0.1);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(landmark(&app, LID), moved);
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(asked(&app).subject.key(), before.key());
    drop(app.update(Message::Redo));
    assert_eq!(asked(&app).subject.key(), after.key());
}

#[test]
fn landmarks_are_reset_one_by_one_or_all_at_once() {
    let mut app = app();
    let before = asked(&app).subject.key();
    let corner = landmark(&app, 61);
    press(&mut app, "a", Modifiers::empty());
    let offered = |app: &App| simulator(app.view()).find("Reset landmarks").is_ok();
    assert!(!offered(&app));
    drag_in_pane(&mut app, corner, (-5.0, 3.0));
    let one = asked(&app).subject.key();
    assert_ne!(one, before);
    let chin = landmark(&app, 152);
    drag_in_pane(&mut app, chin, (0.0, 5.0));
    // A double click on the chin resets it.
    let view = asked(&app).view;
    let chin = landmark(&app, 152);
    act(&mut app, |window| {
        let pane = window.find(selector::id("pane-1")).unwrap().bounds();
        let (x, y) = view.to_pane((f64::from(chin[0]), f64::from(chin[1])));
        window.point_at(Point::new(pane.x + x as f32, pane.y + y as f32));
        let click = [
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)),
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)),
        ];
        window.simulate(click.clone());
        window.simulate(click);
    });
    assert_eq!(asked(&app).subject.key(), one);
    act(&mut app, |window| {
        window.click("Reset landmarks").unwrap();
    });
    assert_eq!(asked(&app).subject.key(), before);
    assert!(!offered(&app));
    press(&mut app, "z", Modifiers::CTRL);
    assert_eq!(asked(&app).subject.key(), one);
    // Another portrait has its own landmarks.
    drop(app.update(Message::Opened(Ok(sample(1)))));
    let face = asked(&app).subject.face.unwrap();
    assert_eq!(face.mesh, face.found);
}
