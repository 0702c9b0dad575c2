//! What the grid's changes do to a motion, and what they leave alone.

use proptest::prelude::*;

use super::change::{Change, blended};
use super::neighbours::{Cell, Neighbours};
use super::{Action, Field, Message, SampleGrid};
use crate::document::{Category, Playback, Sample, SampleSizes, SampledMotion};

pub fn sample(seed: u64, frames: usize) -> Sample {
    let category = Some(Category { index: 3, of: 6 });
    Sample::draw(seed, &SampleSizes::default(), frames, category).unwrap()
}

pub fn motion() -> SampledMotion {
    SampledMotion::new(sample(7, 16))
}

fn after(motion: &SampledMotion, changes: &[Change]) -> SampledMotion {
    let mut changed = motion.clone();
    for change in changes {
        change.apply(&mut changed);
    }
    changed
}

/// The motion part of a sample.
fn movement(codes: &Sample) -> (&[f32], &[Vec<f32>], u64) {
    (&codes.h0, &codes.epsilon, codes.motion_seed)
}

fn cell() -> impl Strategy<Value = Cell> {
    (0..super::neighbours::ROWS, 0..super::neighbours::COLUMNS)
        .prop_map(|(row, column)| Cell { row, column })
}

/// The changes that roll or choose a sample.
fn draws() -> impl Strategy<Value = Change> {
    let seed = || any::<u32>().prop_map(u64::from);
    prop_oneof![
        seed().prop_map(Change::RollContent),
        seed().prop_map(Change::RollMotion),
        (seed(), seed()).prop_map(|(content, motion)| Change::RollBoth { content, motion }),
        seed().prop_map(Change::Neighbours),
        cell().prop_map(Change::Choose),
        Just(Change::Keep),
        (0..3usize).prop_map(Change::Favourite),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_change_replaces_locked_content(changes in prop::collection::vec(draws(), 1..12)) {
        let mut start = motion();
        start.favourites.push(Neighbours::around(&start).drawn(&start, Cell { row: 2, column: 2 }));
        start.hold_content = true;
        let end = after(&start, &changes);
        prop_assert_eq!(&end.codes.content, &start.codes.content);
        prop_assert_eq!(end.content_seed, start.content_seed);
    }

    #[test]
    fn no_change_replaces_locked_motion(changes in prop::collection::vec(draws(), 1..12)) {
        let mut start = motion();
        start.favourites.push(Neighbours::around(&start).drawn(&start, Cell { row: 2, column: 2 }));
        start.hold_motion = true;
        let end = after(&start, &changes);
        prop_assert_eq!(movement(&end.codes), movement(&start.codes));
        prop_assert_eq!(end.codes.category, start.codes.category);
    }

    #[test]
    fn the_same_changes_give_the_same_sample(changes in prop::collection::vec(draws(), 1..8)) {
        let start = motion();
        prop_assert_eq!(after(&start, &changes), after(&start, &changes));
    }

    #[test]
    fn a_cell_combines_the_content_of_its_row_with_the_motion_of_its_column(grid in any::<u64>(), at in cell()) {
        let start = after(&motion(), &[Change::Neighbours(grid)]);
        let grid = Neighbours::around(&start);
        let drawn = grid.drawn(&start, at);
        let row = grid.drawn(&start, Cell { column: 0, ..at });
        let column = grid.drawn(&start, Cell { row: 0, ..at });
        prop_assert_eq!(&drawn.codes.content, &row.codes.content);
        prop_assert_eq!(movement(&drawn.codes), movement(&column.codes));
        prop_assert_eq!(&column.codes.content, &start.codes.content);
        prop_assert_eq!(movement(&row.codes), movement(&start.codes));

        let taken = after(&start, &[Change::Choose(at)]);
        prop_assert_eq!(&taken.codes, &drawn.codes);
        prop_assert_eq!(taken.content_seed, drawn.content_seed);
        // Typing its seeds draws it again.
        let typed = after(&motion(), &[
            Change::RollContent(taken.content_seed),
            Change::RollMotion(taken.codes.motion_seed),
        ]);
        prop_assert_eq!(typed.codes, taken.codes);
    }

    #[test]
    fn shorter_neighbours_are_the_first_frames_of_the_full_ones(at in cell(), frames in 1..16usize) {
        let start = motion();
        let grid = Neighbours::around(&start);
        let cut = grid.codes(&start.codes.with_frames(frames).unwrap(), at);
        prop_assert_eq!(cut, grid.drawn(&start, at).codes.with_frames(frames).unwrap());
    }

    #[test]
    fn choosing_a_neighbour_leaves_the_cells_outside_its_row_and_column_unchanged(grid in any::<u64>(), at in cell()) {
        let start = after(&motion(), &[Change::Neighbours(grid)]);
        let (grid, taken) = (Neighbours::around(&start), after(&start, &[Change::Choose(at)]));
        let now = Neighbours::around(&taken);
        prop_assert_eq!(now.drawn(&taken, Cell::OWN).codes, grid.drawn(&start, at).codes);
        for other in Cell::all().filter(|other| {
            other.row > 0 && other.column > 0 && other.row != at.row && other.column != at.column
        }) {
            prop_assert_eq!(now.drawn(&taken, other), grid.drawn(&start, other));
        }
    }
}

#[test]
fn the_grid_is_determined_by_its_seed_and_has_no_duplicates() {
    let start = motion();
    let dealt = after(&start, &[Change::Neighbours(1)]);
    assert_ne!(Neighbours::around(&dealt), Neighbours::around(&start));
    assert_eq!(
        Neighbours::around(&after(&dealt, &[Change::Neighbours(start.grid_seed)])),
        Neighbours::around(&start)
    );
    let reopened: SampledMotion =
        serde_json::from_str(&serde_json::to_string(&dealt).unwrap()).unwrap();
    assert_eq!(Neighbours::around(&reopened), Neighbours::around(&dealt));

    // Also after one of the neighbours has become the motion itself.
    for at in Cell::all() {
        let taken = after(&dealt, &[Change::Choose(at)]);
        let grid = Neighbours::around(&taken);
        let all: Vec<_> = Cell::all().map(|at| grid.drawn(&taken, at).codes).collect();
        for (i, one) in all.iter().enumerate() {
            assert!(!all[..i].contains(one), "{at:?}: {i}");
        }
    }
}

#[test]
fn changing_category_or_length_keeps_content_and_motion_codes() {
    let start = motion();
    let other = after(&start, &[Change::Category(1)]);
    assert_eq!(other.codes.category.unwrap().index, 1);
    assert_eq!(
        Sample {
            category: start.codes.category,
            ..other.codes
        },
        start.codes
    );
    assert_eq!(after(&start, &[Change::Category(6)]), start);

    let length = |frames| {
        let of = Box::new(start.codes.clone());
        after(&start, &[Change::Length { of, frames }])
    };
    let longer = length(40);
    assert_eq!(longer.codes.frames(), 40);
    assert_eq!(longer.codes.content, start.codes.content);
    assert_eq!(longer.codes.epsilon[..16], start.codes.epsilon);
    assert_eq!(length(5).codes.epsilon, start.codes.epsilon[..5]);
    assert_eq!(length(0), start);
}

#[test]
fn a_blend_at_its_ends_is_exactly_either_sample() {
    let mut start = motion();
    let cell = Cell { row: 2, column: 3 };
    let other = Neighbours::around(&start).drawn(&start, cell);
    Change::TowardsCell(cell).apply(&mut start);
    assert_eq!(start.blended_sample().unwrap(), start.codes);

    let end = after(&start, &[Change::BlendWeight(1.0)]);
    assert_eq!(blended(&end).unwrap(), other);
    let kept = after(&end, &[Change::KeepBlend]);
    assert_eq!(
        (kept.codes, kept.content_seed),
        (other.codes, other.content_seed)
    );
    assert!(kept.towards.is_none() && kept.blend_weight == 0.0);

    let half = after(&start, &[Change::BlendWeight(0.5), Change::KeepBlend]);
    assert_ne!(half.codes.content, start.codes.content);
    // A blend has no seed.
    assert_eq!(
        (half.single_content_seed(), half.single_motion_seed()),
        (None, None)
    );
    assert_eq!(start.single_content_seed(), Some(7));
    assert_eq!(start.single_motion_seed(), Some(7));
    // What is rolled next is shown without blending.
    let rolled = after(&start, &[Change::BlendWeight(0.5), Change::RollMotion(1)]);
    assert_eq!(rolled.blended_sample().unwrap(), rolled.codes);
}

#[test]
fn a_favourite_is_stored_once_and_restored_exactly() {
    let start = motion();
    let kept = after(&start, &[Change::Keep, Change::Keep]);
    assert_eq!(kept.favourites.len(), 1);
    let away = [
        Change::RollBoth {
            content: 1,
            motion: 2,
        },
        Change::Category(0),
        Change::Keep,
    ];
    let elsewhere = after(&kept, &away);
    assert_eq!(elsewhere.favourites.len(), 2);
    let back = after(&elsewhere, &[Change::Favourite(0)]);
    assert_eq!(back.codes, start.codes);
    assert_eq!(back.content_seed, start.content_seed);
    let dropped = after(&elsewhere, &[Change::Drop(0), Change::Drop(9)]);
    assert_eq!(dropped.favourites, elsewhere.favourites[1..]);
}

#[test]
fn nan_changes_nothing_and_other_numbers_are_clamped() {
    let start = motion();
    let wrong = [
        Change::Fps(f64::NAN),
        Change::Strength(f32::NAN),
        Change::BlendWeight(f32::NAN),
    ];
    assert_eq!(after(&start, &wrong), start);
    let far = after(
        &start,
        &[
            Change::Fps(1e9),
            Change::Strength(-3.0),
            Change::BlendWeight(7.0),
        ],
    );
    assert_eq!(
        (far.fps, far.follow.strength, far.blend_weight),
        (120.0, 0.0, 1.0)
    );
}

#[test]
fn typing_a_length_digit_by_digit_keeps_the_codes() {
    let mut motion = motion();
    // A blend, which can't be redrawn from a seed.
    motion.codes.epsilon[9] = vec![0.25; 10];
    let (start, mut grid) = (motion.clone(), SampleGrid::default());
    let mut codes = Vec::new();
    for text in ["1", "", "1", "12", "2", "24"] {
        let message = Message::Typed(Field::Length, text.to_owned());
        if let Action::Drag(gesture, change) = grid.update(message, &motion) {
            assert_eq!(gesture, "length");
            change.apply(&mut motion);
        }
        codes.push(motion.codes.frames());
    }
    assert_eq!(codes, [1, 1, 1, 12, 2, 24]);
    assert_eq!(motion.codes.epsilon[..16], start.codes.epsilon);

    // After an undo the field starts from the current codes.
    motion.codes = sample(9, 8);
    let message = Message::Typed(Field::Length, "4".to_owned());
    let Action::Drag(_, change) = grid.update(message, &motion) else {
        panic!("nothing was typed");
    };
    change.apply(&mut motion);
    assert_eq!(motion.codes, sample(9, 4));
}

#[test]
fn previews_loop_or_ping_pong() {
    let mut motion = motion();
    let mut grid = SampleGrid::default();
    let frames = |grid: &mut SampleGrid, motion: &SampledMotion| -> Vec<usize> {
        let at = |i: u32| {
            grid.seconds = f64::from(i) / motion.fps;
            grid.frame(4, motion)
        };
        (0..8).map(at).collect()
    };
    motion.playback = Playback::Loop;
    assert_eq!(frames(&mut grid, &motion), [0, 1, 2, 3, 0, 1, 2, 3]);
    motion.playback = Playback::PingPong;
    assert_eq!(frames(&mut grid, &motion), [0, 1, 2, 3, 2, 1, 0, 1]);
    assert_eq!(grid.frame(1, &motion), 0);
    assert_eq!(grid.frame(0, &motion), 0);
}
