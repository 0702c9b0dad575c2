//! The grid in a simulated window, with the bundled pictures.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use iced::mouse::{self, Button};
use iced::{Element, Event, Point, Settings, Size};
use iced_test::{Simulator, selector};

use super::change::Change;
use super::neighbours::Cell;
use super::tests::motion;
use super::view::{id, key, numbered};
use super::{Action, Field, Message, OPEN_SIZE, SampleGrid, WIDTH};
use crate::app::strings::sample_grid as strings;
use crate::app::widgets::theme;
use crate::document::SampledMotion;
use crate::drive::previews::generate_previews as draw_previews;
use crate::media::encode::save_png;
use crate::media::image::{Picture, open};
use crate::methods::mocogan::sampler::Sampler;

/// A grid with a motion, both changed as the window would.
struct GridHarness {
    grid: SampleGrid,
    motion: SampledMotion,
    done: Vec<Action>,
}

fn simulator(view: Element<'_, Message>, size: Size) -> Simulator<'_, Message> {
    let settings = Settings {
        fonts: vec![theme::FIGURES_FILE.into()],
        ..Settings::default()
    };
    Simulator::with_size(settings, size, view)
}

impl GridHarness {
    fn new() -> Self {
        Self {
            grid: SampleGrid::default(),
            motion: motion(),
            done: Vec::new(),
        }
    }

    fn size(&self) -> Size {
        if self.grid.is_open() {
            OPEN_SIZE
        } else {
            Size::new(WIDTH, 720.0)
        }
    }

    fn view(&self) -> Element<'_, Message> {
        if self.grid.is_open() {
            self.grid.dialog(&self.motion)
        } else {
            self.grid.view(&self.motion)
        }
    }

    fn act(&mut self, hand: impl FnOnce(&mut Simulator<'_, Message>)) {
        let messages: Vec<Message> = {
            let mut window = simulator(self.view(), self.size());
            hand(&mut window);
            window.into_messages().collect()
        };
        for message in messages {
            self.send(message);
        }
    }

    fn send(&mut self, message: Message) {
        let action = self.grid.update(message, &self.motion);
        if let Action::Change(change) | Action::Drag(_, change) = &action {
            change.apply(&mut self.motion);
        }
        if action != Action::None {
            self.done.push(action);
        }
    }

    fn click(&mut self, place: iced::widget::Id) {
        self.act(|window| {
            window.click(selector::id(place)).unwrap();
        });
    }

    /// Draws everything that is needed.
    fn draw(&mut self) {
        while let Some(batch) = self.grid.next_batch(&self.motion) {
            let mut drawn = Vec::new();
            draw_previews(sampler(), &batch.previews, &|| false, |i, frames| {
                drawn.push((i, frames));
            })
            .unwrap();
            for (i, frames) in drawn {
                self.send(Message::PreviewDrawn(batch.generation, i, Arc::new(frames)));
            }
            self.send(Message::BatchEnded(batch.generation, None));
        }
    }

    /// The window as a picture, at two pixels per logical pixel.
    fn seen(&self) -> Picture {
        let folder = tempfile::tempdir().unwrap();
        let mut window = simulator(self.view(), self.size());
        let snapshot = window.snapshot(&theme::theme(false)).unwrap();
        assert!(snapshot.matches_image(folder.path().join("seen")).unwrap());
        let written = std::fs::read_dir(folder.path())
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        let picture = open(&written.path()).unwrap();
        // Written for viewing by hand.
        if let Some(folder) = std::env::var_os("MIEN_LOOK") {
            let name = if self.grid.is_open() {
                "board.png"
            } else {
                "controls.png"
            };
            save_png(&std::path::Path::new(&folder).join(name), &picture).unwrap();
        }
        picture
    }
}

fn sampler() -> &'static Sampler {
    static SAMPLER: OnceLock<Sampler> = OnceLock::new();
    SAMPLER.get_or_init(|| Sampler::open(None).unwrap())
}

/// The number of colours in a part of a picture; `place` is in logical pixels.
fn colours(picture: &Picture, place: iced::Rectangle) -> usize {
    let mut all = std::collections::HashSet::new();
    for y in (2.0 * place.y) as u32..(2.0 * (place.y + place.height)) as u32 {
        for x in (2.0 * place.x) as u32..(2.0 * (place.x + place.width)) as u32 {
            let at = 4 * (y * picture.width() + x) as usize;
            all.insert(&picture.rgba()[at..at + 4]);
        }
    }
    all.len()
}

#[test]
fn rolling_the_motion_keeps_the_content() {
    let mut harness = GridHarness::new();
    let before = harness.motion.clone();
    harness.click(key("die", Field::MotionSeed));
    assert!(matches!(
        harness.done[..],
        [Action::Change(Change::RollMotion(_))]
    ));
    assert_eq!(harness.motion.codes.content, before.codes.content);
    assert_ne!(harness.motion.codes.epsilon, before.codes.epsilon);

    let before = harness.motion.clone();
    harness.click(key("die", Field::ContentSeed));
    assert_ne!(harness.motion.codes.content, before.codes.content);
    assert_eq!(harness.motion.codes.epsilon, before.codes.epsilon);
}

#[test]
fn locked_content_survives_both_dice() {
    let mut harness = GridHarness::new();
    harness.click(key("lock", Field::ContentSeed));
    assert!(harness.motion.hold_content);
    let before = harness.motion.clone();
    harness.click(key("die", Field::ContentSeed));
    assert_eq!(harness.motion, before);
    harness.click(id("roll"));
    assert_eq!(harness.motion.codes.content, before.codes.content);
    assert_ne!(harness.motion.codes.epsilon, before.codes.epsilon);

    harness.click(key("lock", Field::MotionSeed));
    let count = harness.done.len();
    harness.click(id("roll"));
    assert_eq!(harness.done.len(), count);
    harness.click(key("lock", Field::ContentSeed));
    assert!(!harness.motion.hold_content);
}

#[test]
fn a_typed_seed_draws_the_sample_of_that_seed() {
    let mut harness = GridHarness::new();
    harness.act(|window| {
        // Types after the present seed, 7.
        window
            .click(selector::id(key("field", Field::ContentSeed)))
            .unwrap();
        window.typewrite("1");
    });
    assert_eq!(harness.motion.content_seed, 71);
    let drawn = motion().codes.resample_content(71);
    assert_eq!(harness.motion.codes, drawn);
    assert!(matches!(
        harness.done[..],
        [Action::Drag("content seed", _)]
    ));
}

#[test]
fn a_category_is_picked_from_its_list() {
    let mut harness = GridHarness::new();
    let before = harness.motion.clone();
    harness.act(|window| {
        let list = window.find(selector::id(id("category"))).unwrap().bounds();
        window.point_at(list.center());
        window.simulate(iced_test::simulator::click());
        // The sixth of the lines that open below; the simulator can't select the list's items.
        let last = list.y + list.height + 5.5 * list.height;
        window.point_at(Point::new(list.center_x(), last));
        window.simulate([Event::Mouse(mouse::Event::CursorMoved {
            position: Point::new(list.center_x(), last),
        })]);
        window.simulate(iced_test::simulator::click());
    });
    assert_eq!(harness.done, [Action::Change(Change::Category(5))]);
    assert_eq!(harness.motion.codes.content, before.codes.content);
    assert_eq!(harness.motion.codes.epsilon, before.codes.epsilon);
}

#[test]
fn a_favourite_is_added_restored_and_removed() {
    let mut harness = GridHarness::new();
    let before = harness.motion.codes.clone();
    harness.click(id("keep"));
    assert_eq!(harness.motion.favourites.len(), 1);
    // It is a favourite already.
    let count = harness.done.len();
    harness.click(id("keep"));
    assert_eq!(harness.done.len(), count);

    harness.click(id("roll"));
    assert_ne!(harness.motion.codes, before);
    harness.click(numbered("favourite", 0));
    assert_eq!(harness.motion.codes, before);

    harness.act(|window| {
        let place = window
            .find(selector::id(numbered("favourite", 0)))
            .unwrap()
            .bounds();
        window.point_at(place.center());
        window.simulate([Event::Mouse(mouse::Event::ButtonPressed(Button::Right))]);
    });
    assert!(harness.motion.favourites.is_empty());
}

#[test]
fn a_favourite_is_removed_by_its_cross() {
    let mut harness = GridHarness::new();
    harness.click(id("keep"));
    harness.send(Message::Over(Some(0)));
    harness.act(|window| {
        let place = window
            .find(selector::id(numbered("favourite", 0)))
            .unwrap()
            .bounds();
        window.point_at(Point::new(place.x + place.width - 6.0, place.y + 6.0));
        window.simulate(iced_test::simulator::click());
    });
    assert!(harness.motion.favourites.is_empty());
}

#[test]
fn a_click_on_a_cell_chooses_both_codes_and_one_on_a_header_only_its_own() {
    let mut harness = GridHarness::new();
    harness.click(id("open"));
    assert!(harness.grid.is_open());
    let before = harness.motion.clone();
    harness.click(id("cell-2-3"));
    assert_eq!(
        harness.done,
        [Action::Change(Change::Choose(Cell { row: 2, column: 3 }))]
    );
    assert_ne!(harness.motion.codes.content, before.codes.content);
    assert_ne!(harness.motion.codes.epsilon, before.codes.epsilon);

    let before = harness.motion.clone();
    harness.click(id("row-1"));
    assert_ne!(harness.motion.codes.content, before.codes.content);
    assert_eq!(harness.motion.codes.epsilon, before.codes.epsilon);
    let before = harness.motion.clone();
    harness.click(id("column-4"));
    assert_eq!(harness.motion.codes.content, before.codes.content);
    assert_ne!(harness.motion.codes.epsilon, before.codes.epsilon);

    harness.act(|window| {
        window.click(strings::RESHUFFLE).unwrap();
    });
    assert_ne!(harness.motion.grid_seed, before.grid_seed);
    assert!(harness.grid.escape());
    assert!(!harness.grid.is_open() && !harness.grid.escape());
}

#[test]
fn a_blend_towards_a_cell_follows_the_slider_and_can_be_kept() {
    let mut harness = GridHarness::new();
    harness.click(id("open"));
    harness.click(id("towards"));
    let before = harness.motion.codes.clone();
    harness.click(id("cell-1-2"));
    assert_eq!(harness.motion.codes, before);
    assert!(harness.motion.towards.is_some());
    // At the middle of its slider.
    harness.click(id("way"));
    assert!(
        (harness.motion.blend_weight - 0.5).abs() < 0.02,
        "{}",
        harness.motion.blend_weight
    );
    assert_eq!(harness.done.last(), Some(&Action::EndGesture));
    let blend = harness.motion.blended_sample().unwrap();
    harness.act(|window| {
        window.click(strings::APPLY).unwrap();
    });
    assert_eq!(harness.motion.codes, blend);
    assert!(harness.motion.towards.is_none());
}

#[test]
fn the_grid_plays_the_rendered_previews() {
    let mut harness = GridHarness::new();
    for seed in [1, 2, 3] {
        Change::RollBoth {
            content: seed,
            motion: seed + 10,
        }
        .apply(&mut harness.motion);
        Change::Keep.apply(&mut harness.motion);
    }
    Change::TowardsCell(Cell { row: 1, column: 1 }).apply(&mut harness.motion);
    Change::BlendWeight(0.3).apply(&mut harness.motion);
    Change::HoldContent(true).apply(&mut harness.motion);
    harness.draw();
    let still = harness.seen();
    let start = Instant::now();
    harness.send(Message::Tick(start));
    harness.send(Message::Tick(start + Duration::from_millis(760)));
    assert!(still != harness.seen());

    harness.send(Message::Open);
    let places: Vec<_> = {
        let mut window = simulator(harness.view(), OPEN_SIZE);
        let mut place = |cell: Cell| {
            let name = id(&format!("cell-{}-{}", cell.row, cell.column));
            window.find(selector::id(name)).unwrap().bounds()
        };
        Cell::all().map(&mut place).collect()
    };
    let whole = iced::Rectangle::with_size(OPEN_SIZE);
    assert!(places.iter().all(|place| place.is_within(&whole)));
    let empty = harness.seen();
    // At most two are drawn already: one is a favourite, the other is the blend's target.
    let blank = places.iter().filter(|place| colours(&empty, **place) < 50);
    assert!(blank.count() >= places.len() - 2);
    harness.draw();
    let dealt = harness.seen();
    for place in places {
        assert!(colours(&dealt, place) > 500, "{place:?}");
    }
}

#[test]
fn previews_of_an_outdated_batch_are_ignored() {
    let mut harness = GridHarness::new();
    let first = harness.grid.next_batch(&harness.motion).unwrap();
    // Nothing is requested twice, and a running large picture is finished first.
    assert!(harness.grid.next_batch(&harness.motion).is_none());
    Change::RollMotion(3).apply(&mut harness.motion);
    assert!(harness.grid.next_batch(&harness.motion).is_none());
    assert!(!first.cancel.is_cancelled());
    harness.send(Message::BatchEnded(first.generation, None));
    let second = harness.grid.next_batch(&harness.motion).unwrap();
    assert!(first.cancel.is_cancelled() && second.generation > first.generation);

    let picture = Picture::new(1, 1, vec![0; 4]).unwrap();
    let frames = Arc::new(vec![picture]);
    harness.send(Message::PreviewDrawn(
        first.generation,
        0,
        Arc::clone(&frames),
    ));
    assert!(harness.grid.previews.large().is_none());
    harness.send(Message::PreviewDrawn(second.generation, 0, frames));
    assert!(harness.grid.previews.large().is_some());
    assert!(harness.grid.next_batch(&harness.motion).is_none());
    // After undo, the other motion's picture is shown until the new one is drawn.
    harness.motion = motion();
    assert!(harness.grid.next_batch(&harness.motion).is_some());
    assert!(harness.grid.previews.large().is_some());
    drop(harness);
    assert!(second.cancel.is_cancelled());
}

#[test]
fn a_failed_batch_is_reported_once_and_not_requested_again() {
    let mut harness = GridHarness::new();
    let batch = harness.grid.next_batch(&harness.motion).unwrap();
    let problem = "the sample is another model's";
    harness.send(Message::BatchEnded(
        batch.generation,
        Some(problem.to_owned()),
    ));
    assert!(harness.grid.next_batch(&harness.motion).is_none());
    harness.act(|window| {
        assert!(window.find(problem).is_ok());
    });
}
