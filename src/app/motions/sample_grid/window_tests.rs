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
use crate::app::widgets::theme;
use crate::document::SampledMotion;
use crate::drive::previews::takes as draw_previews;
use crate::media::encode::save_png;
use crate::media::image::{Picture, open};
use crate::methods::mocogan::sampler::Sampler;

/// A grid with a motion, both changed as the window would.
struct GridHarness {
    board: SampleGrid,
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
            board: SampleGrid::default(),
            motion: motion(),
            done: Vec::new(),
        }
    }

    fn size(&self) -> Size {
        if self.board.is_open() {
            OPEN_SIZE
        } else {
            Size::new(WIDTH, 720.0)
        }
    }

    fn view(&self) -> Element<'_, Message> {
        if self.board.is_open() {
            self.board.dialog(&self.motion)
        } else {
            self.board.view(&self.motion)
        }
    }

    fn act(&mut self, hand: impl FnOnce(&mut Simulator<'_, Message>)) {
        let messages: Vec<Message> = {
            let mut window = simulator(self.view(), self.size());
            hand(&mut window);
            window.into_messages().collect()
        };
        for message in messages {
            self.tell(message);
        }
    }

    fn tell(&mut self, message: Message) {
        let action = self.board.update(message, &self.motion);
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
        while let Some(batch) = self.board.next_batch(&self.motion) {
            let mut drawn = Vec::new();
            draw_previews(sampler(), &batch.previews, &|| false, |i, frames| {
                drawn.push((i, frames));
            })
            .unwrap();
            for (i, frames) in drawn {
                self.tell(Message::PreviewDrawn(batch.generation, i, Arc::new(frames)));
            }
            self.tell(Message::BatchEnded(batch.generation, None));
        }
    }

    /// The window as a picture, at two pixels per logical pixel.
    fn seen(&self) -> Picture {
        let folder = tempfile::tempdir().unwrap();
        let mut window = simulator(self.view(), self.size());
        let snapshot = window.snapshot(&theme::theme()).unwrap();
        assert!(snapshot.matches_image(folder.path().join("seen")).unwrap());
        let written = std::fs::read_dir(folder.path())
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        let picture = open(&written.path()).unwrap();
        // Written for viewing by hand.
        if let Some(folder) = std::env::var_os("MIEN_LOOK") {
            let name = if self.board.is_open() {
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
fn the_motions_die_leaves_the_content_alone() {
    let mut desk = GridHarness::new();
    let before = desk.motion.clone();
    desk.click(key("die", Field::MotionSeed));
    assert!(matches!(
        desk.done[..],
        [Action::Change(Change::RollMotion(_))]
    ));
    assert_eq!(desk.motion.codes.content, before.codes.content);
    assert_ne!(desk.motion.codes.epsilon, before.codes.epsilon);

    let before = desk.motion.clone();
    desk.click(key("die", Field::ContentSeed));
    assert_ne!(desk.motion.codes.content, before.codes.content);
    assert_eq!(desk.motion.codes.epsilon, before.codes.epsilon);
}

#[test]
fn a_lock_keeps_its_part_from_both_dice() {
    let mut desk = GridHarness::new();
    desk.click(key("lock", Field::ContentSeed));
    assert!(desk.motion.hold_content);
    let before = desk.motion.clone();
    desk.click(key("die", Field::ContentSeed));
    assert_eq!(desk.motion, before);
    desk.click(id("roll"));
    assert_eq!(desk.motion.codes.content, before.codes.content);
    assert_ne!(desk.motion.codes.epsilon, before.codes.epsilon);

    desk.click(key("lock", Field::MotionSeed));
    let count = desk.done.len();
    desk.click(id("roll"));
    assert_eq!(desk.done.len(), count);
    desk.click(key("lock", Field::ContentSeed));
    assert!(!desk.motion.hold_content);
}

#[test]
fn a_typed_seed_draws_that_one() {
    let mut desk = GridHarness::new();
    desk.act(|window| {
        // Types after the present seed, 7.
        window
            .click(selector::id(key("field", Field::ContentSeed)))
            .unwrap();
        window.typewrite("1");
    });
    assert_eq!(desk.motion.content_seed, 71);
    let drawn = motion().codes.resample_content(71);
    assert_eq!(desk.motion.codes, drawn);
    assert!(matches!(desk.done[..], [Action::Drag("content seed", _)]));
}

#[test]
fn a_category_is_chosen_from_its_list() {
    let mut desk = GridHarness::new();
    let before = desk.motion.clone();
    desk.act(|window| {
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
    assert_eq!(desk.done, [Action::Change(Change::Category(5))]);
    assert_eq!(desk.motion.codes.content, before.codes.content);
    assert_eq!(desk.motion.codes.epsilon, before.codes.epsilon);
}

#[test]
fn the_heart_keeps_and_a_favourite_comes_back_and_is_dropped() {
    let mut desk = GridHarness::new();
    let before = desk.motion.codes.clone();
    desk.click(id("keep"));
    assert_eq!(desk.motion.favourites.len(), 1);
    // It is a favourite already.
    let count = desk.done.len();
    desk.click(id("keep"));
    assert_eq!(desk.done.len(), count);

    desk.click(id("roll"));
    assert_ne!(desk.motion.codes, before);
    desk.click(numbered("favourite", 0));
    assert_eq!(desk.motion.codes, before);

    desk.act(|window| {
        let place = window
            .find(selector::id(numbered("favourite", 0)))
            .unwrap()
            .bounds();
        window.point_at(place.center());
        window.simulate([Event::Mouse(mouse::Event::ButtonPressed(Button::Right))]);
    });
    assert!(desk.motion.favourites.is_empty());
}

#[test]
fn a_favourite_can_be_dropped_by_its_cross() {
    let mut desk = GridHarness::new();
    desk.click(id("keep"));
    desk.tell(Message::Over(Some(0)));
    desk.act(|window| {
        let place = window
            .find(selector::id(numbered("favourite", 0)))
            .unwrap()
            .bounds();
        window.point_at(Point::new(place.x + place.width - 6.0, place.y + 6.0));
        window.simulate(iced_test::simulator::click());
    });
    assert!(desk.motion.favourites.is_empty());
}

#[test]
fn a_click_on_the_board_takes_a_cell_a_head_its_part_alone() {
    let mut desk = GridHarness::new();
    desk.click(id("open"));
    assert!(desk.board.is_open());
    let before = desk.motion.clone();
    desk.click(id("cell-2-3"));
    assert_eq!(
        desk.done,
        [Action::Change(Change::Choose(Cell { row: 2, column: 3 }))]
    );
    assert_ne!(desk.motion.codes.content, before.codes.content);
    assert_ne!(desk.motion.codes.epsilon, before.codes.epsilon);

    let before = desk.motion.clone();
    desk.click(id("row-1"));
    assert_ne!(desk.motion.codes.content, before.codes.content);
    assert_eq!(desk.motion.codes.epsilon, before.codes.epsilon);
    let before = desk.motion.clone();
    desk.click(id("column-4"));
    assert_eq!(desk.motion.codes.content, before.codes.content);
    assert_ne!(desk.motion.codes.epsilon, before.codes.epsilon);

    desk.act(|window| {
        window.click("More").unwrap();
    });
    assert_ne!(desk.motion.grid_seed, before.grid_seed);
    assert!(desk.board.escape());
    assert!(!desk.board.is_open() && !desk.board.escape());
}

#[test]
fn towards_a_cell_along_the_slider_and_the_blend_is_kept() {
    let mut desk = GridHarness::new();
    desk.click(id("open"));
    desk.click(id("towards"));
    let before = desk.motion.codes.clone();
    desk.click(id("cell-1-2"));
    assert_eq!(desk.motion.codes, before);
    assert!(desk.motion.towards.is_some());
    // At the middle of its slider.
    desk.click(id("way"));
    assert!(
        (desk.motion.blend_weight - 0.5).abs() < 0.02,
        "{}",
        desk.motion.blend_weight
    );
    assert_eq!(desk.done.last(), Some(&Action::EndGesture));
    let blend = desk.motion.blended_sample().unwrap();
    desk.act(|window| {
        window.click("Keep this").unwrap();
    });
    assert_eq!(desk.motion.codes, blend);
    assert!(desk.motion.towards.is_none());
}

#[test]
fn the_board_shows_what_was_dealt_and_it_moves() {
    let mut desk = GridHarness::new();
    for seed in [1, 2, 3] {
        Change::RollBoth {
            content: seed,
            motion: seed + 10,
        }
        .apply(&mut desk.motion);
        Change::Keep.apply(&mut desk.motion);
    }
    Change::TowardsCell(Cell { row: 1, column: 1 }).apply(&mut desk.motion);
    Change::Way(0.3).apply(&mut desk.motion);
    Change::HoldContent(true).apply(&mut desk.motion);
    desk.draw();
    let still = desk.seen();
    let start = Instant::now();
    desk.tell(Message::Tick(start));
    desk.tell(Message::Tick(start + Duration::from_millis(760)));
    assert!(still != desk.seen());

    desk.tell(Message::Open);
    let places: Vec<_> = {
        let mut window = simulator(desk.view(), OPEN_SIZE);
        let mut place = |cell: Cell| {
            let name = id(&format!("cell-{}-{}", cell.row, cell.column));
            window.find(selector::id(name)).unwrap().bounds()
        };
        Cell::all().map(&mut place).collect()
    };
    let whole = iced::Rectangle::with_size(OPEN_SIZE);
    assert!(places.iter().all(|place| place.is_within(&whole)));
    let empty = desk.seen();
    // At most two are drawn already: one is a favourite, the other is the blend's target.
    let blank = places.iter().filter(|place| colours(&empty, **place) < 50);
    assert!(blank.count() >= places.len() - 2);
    desk.draw();
    let dealt = desk.seen();
    for place in places {
        assert!(colours(&dealt, place) > 500, "{place:?}");
    }
}

#[test]
fn an_older_deal_comes_too_late() {
    let mut desk = GridHarness::new();
    let first = desk.board.next_batch(&desk.motion).unwrap();
    // Nothing is requested twice, and a running large picture is finished first.
    assert!(desk.board.next_batch(&desk.motion).is_none());
    Change::RollMotion(3).apply(&mut desk.motion);
    assert!(desk.board.next_batch(&desk.motion).is_none());
    assert!(!first.cancel.is_cancelled());
    desk.tell(Message::BatchEnded(first.generation, None));
    let second = desk.board.next_batch(&desk.motion).unwrap();
    assert!(first.cancel.is_cancelled() && second.generation > first.generation);

    let picture = Picture::new(1, 1, vec![0; 4]).unwrap();
    let frames = Arc::new(vec![picture]);
    desk.tell(Message::PreviewDrawn(
        first.generation,
        0,
        Arc::clone(&frames),
    ));
    assert!(desk.board.previews.large().is_none());
    desk.tell(Message::PreviewDrawn(second.generation, 0, frames));
    assert!(desk.board.previews.large().is_some());
    assert!(desk.board.next_batch(&desk.motion).is_none());
    // After undo, the other motion's picture is shown until the new one is drawn.
    desk.motion = motion();
    assert!(desk.board.next_batch(&desk.motion).is_some());
    assert!(desk.board.previews.large().is_some());
    drop(desk);
    assert!(second.cancel.is_cancelled());
}

#[test]
fn what_fails_is_said_once_and_not_asked_for_again() {
    let mut desk = GridHarness::new();
    let batch = desk.board.next_batch(&desk.motion).unwrap();
    let problem = "the sample is another model's";
    desk.tell(Message::BatchEnded(
        batch.generation,
        Some(problem.to_owned()),
    ));
    assert!(desk.board.next_batch(&desk.motion).is_none());
    desk.act(|window| {
        assert!(window.find(problem).is_ok());
    });
}
