//! The state of the panes, and their layout.

use super::*;
use crate::document::Mode;
use crate::drive::driver::Driver;
use crate::face::portrait::Sample;
use crate::media::image::Picture;
use crate::methods::ganimation::model::Model;
use crate::methods::subject::Subject;
use crate::render::composition::{Composition, PaneSource};
use crate::render::request::{RenderedPane, Request};

#[test]
fn tiles_are_small_and_cover_every_row() {
    for (width, height) in [(1, 1), (640, 480), (1920, 1080), (7000, 300)] {
        let rgba: Vec<u8> = (0..width * height * 4).map(|i| (i % 251) as u8).collect();
        let tiles = tiles(&Arc::new(
            Picture::new(width, height, rgba.clone()).unwrap(),
        ));
        let bytes = tiles.iter().flat_map(|tile| match &tile.handle {
            image::Handle::Rgba { pixels, .. } => pixels.to_vec(),
            other => panic!("{other:?}"),
        });
        assert!(bytes.eq(rgba));
        assert_eq!(tiles.iter().map(|tile| tile.rows).sum::<u32>(), height);
        assert!(tiles.iter().all(|tile| tile.rows * width * 4 <= TILE_BYTES));
        let tops: Vec<u32> = tiles.iter().map(|tile| tile.top).collect();
        assert!(tops.windows(2).all(|pair| pair[0] < pair[1]));
    }
}

fn request() -> Request {
    let model = Model::bundled().unwrap();
    let portrait = Sample::all()[0].open(model.crop()).unwrap();
    let pane = |method| PaneSource {
        method,
        weights: None,
        view: PaneView::Result,
        expression_by_rig: false,
        driver: Driver::Nothing,
        on_timeline: true,
    };
    Request {
        subject: Subject {
            face: None,
            ..Subject::of(&portrait.document(0), &portrait, model.crop())
        },
        view: View::fit(4, 4, portrait.picture.size()),
        composition: Arc::new(Composition {
            driver: Driver::Nothing,
            panes: vec![
                pane(MethodChoice::GANIMATION),
                pane(MethodChoice::in_mode("fomm", Mode::Relative)),
            ],
        }),
        step: 0,
        wipe: None,
        source: false,
        playing: false,
    }
}

fn outcome(request: &Request, serial: u64, index: usize, size: u32, complete: bool) -> Outcome {
    let rgba = vec![0; (size * size * 4) as usize];
    Outcome {
        serial,
        request: request.clone(),
        panes: vec![RenderedPane {
            index,
            picture: Ok(Arc::new(Picture::new(size, size, rgba).unwrap())),
            millis: None,
            network_millis: None,
            mean_edit: None,
            measured_folds: None,
            is_draft: false,
        }],
        complete,
        rendered: None,
    }
}

#[test]
fn a_stale_picture_never_replaces_a_newer_one() {
    let request = request();
    let outcome = |serial, size| outcome(&request, serial, 0, size, true);
    let mut panes = Panes::default();
    assert!(panes.show_outcome(&outcome(5, 4)));
    assert!(!panes.show_outcome(&outcome(3, 2)));
    assert_eq!(panes.pictures[0].size, (4, 4));
    assert!(panes.show_outcome(&outcome(6, 3)));
    assert_eq!(panes.pictures[0].size, (3, 3));
}

#[test]
fn panes_show_pictures_as_they_arrive_and_the_last_one_sets_the_serial() {
    let request = request();
    let mut panes = Panes::default();
    panes.show_outcome(&outcome(&request, 7, 1, 4, false));
    assert_eq!(panes.serial(), 0);
    assert!(
        panes
            .picture(0, &PaneSpec::of(MethodChoice::GANIMATION))
            .is_none()
    );
    assert!(
        panes
            .picture(
                1,
                &PaneSpec::of(MethodChoice::in_mode("fomm", Mode::Relative))
            )
            .is_some()
    );
    panes.show_outcome(&outcome(&request, 7, 0, 4, true));
    assert_eq!(panes.serial(), 7);
    // Until the next request's slow pane is drawn, its previous picture is shown.
    panes.show_outcome(&outcome(&request, 8, 0, 5, false));
    assert_eq!(panes.serial(), 0);
    assert_eq!(
        (panes.pictures[0].size, panes.pictures[1].size),
        ((5, 5), (4, 4))
    );
}

#[test]
fn the_layout_makes_the_panes_as_large_as_possible() {
    let panes = Panes {
        area: Size::new(900.0, 540.0),
        ..Panes::default()
    };
    let columns = |count| panes.layout(count).0;
    assert_eq!(
        (columns(1), columns(2), columns(3), columns(4)),
        (1, 2, 3, 2)
    );
    assert_eq!(columns(6), 3);
    assert_eq!(panes.layout(1).1, Size::new(900.0, 540.0));
}

#[test]
fn a_wipe_whose_other_pane_is_gone_compares_with_the_source() {
    let panes = |pane, under| Panes {
        wipe: Some(Wipe {
            pane,
            under,
            place: 0.5,
        }),
        ..Panes::default()
    };
    let under = |panes: Panes| panes.wipe_within(4).map(|wipe| wipe.under);
    assert_eq!(under(panes(2, Some(3))), Some(Some(3)));
    assert_eq!(under(panes(2, Some(5))), Some(None));
    assert_eq!(under(panes(4, Some(1))), None);
}

#[test]
fn a_wipe_follows_its_panes_when_one_is_removed() {
    let wipe = |pane, under| Wipe {
        pane,
        under,
        place: 0.5,
    };
    assert_eq!(without(wipe(3, Some(1)), 1), Some(wipe(2, None)));
    assert_eq!(without(wipe(3, Some(1)), 0), Some(wipe(2, Some(0))));
    assert_eq!(without(wipe(3, Some(1)), 3), None);
    assert_eq!(without(wipe(0, None), 2), Some(wipe(0, None)));
}
