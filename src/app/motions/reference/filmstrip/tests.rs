//! The filmstrip's geometry and drags.

use proptest::prelude::*;

use super::*;
use crate::app::motions::reference::Change;

const WIDTH: f32 = 216.0;

/// A hundred frames of two pixels each, of which 20 to 59 are used.
fn strip(scores: &[Option<f32>]) -> Filmstrip<'_> {
    let known = ClipPanelData {
        name: "a.mp4",
        fps: 25.0,
        frames: 100,
        times: &[],
        thumbs: &[],
        scores,
        reference: 30,
        poses: &[],
        first: 20,
        last: 59,
        step: 5,
        read_error: None,
        current: None,
        square: None,
        clip_size: (640, 480),
    };
    Filmstrip::new(&known, false)
}

#[test]
fn trim_handles_lie_just_outside_the_trimmed_range() {
    let strip = strip(&[]);
    let (start, end) = strip.ends(WIDTH);
    assert_eq!((start, end), (48.0, 128.0));
    let film = MARK + FILM / 2.0;
    let grip = |x, y| strip.grip(Point::new(x, y), WIDTH);
    assert_eq!(grip(start - 4.0, film), Grip::Trim(End::In));
    assert_eq!(grip(end + 4.0, film), Grip::Trim(End::Out));
    assert_eq!(grip(90.0, film), Grip::Playhead);
    assert_eq!(grip(start - 4.0, HEIGHT - 3.0), Grip::Playhead);
    assert_eq!(grip(69.0, 4.0), Grip::Mark);
    assert_eq!(grip(100.0, 4.0), Grip::Playhead);
}

#[test]
fn a_drag_sends_a_message_only_when_the_trim_changes() {
    let strip = strip(&[]);
    let asked = |grip, x| strip.asked(grip, x, WIDTH);
    assert!(asked(Grip::Trim(End::In), 48.3).is_none());
    let Some(Message::Trimmed(Change::Trim { from, to })) = asked(Grip::Trim(End::In), 58.0) else {
        panic!()
    };
    assert_eq!((from, to), (Some(1.0), Some(2.4)));
    let Some(Message::Trimmed(Change::Trim { from, to })) = asked(Grip::Trim(End::Out), 900.0)
    else {
        panic!()
    };
    assert_eq!((from, to), (Some(0.8), None));
    // The playhead and the mark stay in the used part.
    assert!(matches!(
        asked(Grip::Playhead, 0.0),
        Some(Message::Scrubbed(0))
    ));
    assert!(matches!(
        asked(Grip::Playhead, 900.0),
        Some(Message::Scrubbed(39))
    ));
    assert!(asked(Grip::Playhead, 8.0 + 2.0 * 25.5).is_none());
    assert!(matches!(
        asked(Grip::Mark, 900.0),
        Some(Message::Marked(59))
    ));
    assert!(asked(Grip::Mark, 69.0).is_none());
}

#[test]
fn downsampling_the_score_curve_keeps_its_minimum() {
    let mut scores = vec![Some(0.5); 1000];
    scores[333] = Some(0.1);
    scores[334] = Some(f32::NAN);
    scores[10..40].fill(None);
    assert_eq!(best(&scores), Some(333));
    assert_eq!(range(&scores), Some((0.1, 0.5)));
    let few = summed_up(&scores, 100);
    assert_eq!(few.len(), 100);
    assert!(few.contains(&(333, Some(0.1))));
    assert!(few.contains(&(10, None)));
    assert_eq!(summed_up(&scores[..3], 100).len(), 3);
    assert_eq!((best(&[]), range(&[None])), (None, None));
}

#[test]
fn thumbnails_cover_the_filmstrip_without_gaps() {
    for picture in [20.0f32, 58.7, 78.2, 199.0, 200.0, 300.0] {
        let all = places(picture, 200.0);
        assert_eq!(all[0], 0.0);
        if picture <= 200.0 {
            let end = all.last().unwrap() + picture;
            assert!((end - 200.0).abs() < 0.01, "{picture}: {end}");
        }
        let gaps = all.windows(2).all(|two| two[1] - two[0] <= picture + 0.01);
        assert!(gaps, "{picture}");
    }
}

proptest! {
    #[test]
    fn trimming_keeps_at_least_two_frames_in_order(
        frames in 0usize..300,
        part in (0usize..300, 0usize..300),
        moves in proptest::collection::vec((any::<bool>(), 0usize..400), 1..20),
    ) {
        let mut part = part;
        for (is_in, frame) in moves {
            let end = if is_in { End::In } else { End::Out };
            part = trimmed(part, frames, end, frame);
            let (first, last) = part;
            prop_assert!(last <= frames.saturating_sub(1));
            prop_assert!(last + 1 - first >= frames.clamp(1, 2), "{:?} of {}", part, frames);
        }
    }

    #[test]
    fn a_trim_moves_one_end_and_leaves_the_other(
        first in 0usize..50, length in 1usize..50, frame in 0usize..100,
    ) {
        let last = first + length;
        let (now, other) = trimmed((first, last), 100, End::In, frame);
        prop_assert_eq!(other, last);
        prop_assert_eq!(now, frame.min(last - 1));
        let (other, now) = trimmed((first, last), 100, End::Out, frame);
        prop_assert_eq!(other, first);
        prop_assert_eq!(now, frame.max(first + 1));
    }
}
