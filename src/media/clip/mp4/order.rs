//! Presentation order from decoding order: composition times and the edit list.

use crate::media::clip::mp4::samples::Sample;
use crate::media::clip::mp4::track::Edit;

/// The rank of a frame that is decoded as a reference but never presented.
pub(super) const NOT_PRESENTED: u32 = u32::MAX;

/// Presentation order and times of a track.
pub(super) struct Order {
    /// For each coded frame, in decoding order, its rank in presentation order, or [`NOT_PRESENTED`].
    pub(super) ranks: Vec<u32>,
    /// For each presented frame, its time in seconds from the first.
    pub(super) times: Vec<f64>,
    /// The total duration.
    pub(super) seconds: f64,
    /// Time of the first frame, in seconds on the movie timeline, which all tracks share.
    pub(super) start: f64,
    /// Whether the edit list was applied; if not, the frames are shifted relative to the other tracks.
    pub(super) edits_applied: bool,
}

impl Order {
    /// Computes the order of `samples` in a track with `timescale` ticks a second.
    ///
    /// A frame belongs to an entry of the edit list if at least half of it is after the entry's start, and it begins
    /// more than [`Edit::end_tolerance`] before its end. Edit lists that repeat or reorder entries are ignored, and so are
    /// those that would present nothing.
    pub(super) fn new(samples: &[Sample], edits: &[Edit], timescale: u32) -> Self {
        let mut by_time: Vec<u32> = (0..to_rank(samples.len())).collect();
        by_time.sort_by_key(|&index| samples[index as usize].pts);

        let whole = [Edit {
            empty_before: 0,
            start: i64::MIN,
            end: i64::MAX,
            end_tolerance: 0,
        }];
        let is_forward = edits.windows(2).all(|pair| pair[0].end <= pair[1].start);
        let order = |edits: &[Edit]| Self::within(samples, &by_time, edits, timescale);
        if edits.is_empty() {
            return order(&whole);
        }
        if is_forward {
            let edited = order(edits);
            if !edited.times.is_empty() {
                return edited;
            }
        }
        Self {
            edits_applied: false,
            ..order(&whole)
        }
    }

    fn within(samples: &[Sample], by_time: &[u32], edits: &[Edit], timescale: u32) -> Self {
        let mut order = Self {
            ranks: vec![NOT_PRESENTED; samples.len()],
            times: Vec::new(),
            seconds: 0.0,
            start: 0.0,
            edits_applied: true,
        };
        let mut edits = edits.iter().copied().peekable();
        let pause = |edit: Option<&Edit>| edit.map_or(0, |edit| i128::from(edit.empty_before));
        // In ticks; 128 bits, because a file may contain any value.
        let (mut elapsed, mut first) = (pause(edits.peek()), None);
        // Without an edit list, times are those of the track itself.
        let origin = |edit: &Edit| match edit.start {
            i64::MIN => 0,
            start => i128::from(start),
        };

        for (place, &index) in by_time.iter().enumerate() {
            let sample = samples[index as usize];
            let start = i128::from(sample.pts);
            let end = match by_time.get(place + 1) {
                Some(&next) => i128::from(samples[next as usize].pts),
                None => start + i128::from(sample.ticks),
            };
            let middle = (start + end).div_euclid(2);

            let is_over = |edit: &Edit| {
                let slack = i128::from(edit.end_tolerance).min((end - start) / 2);
                start + slack >= i128::from(edit.end)
            };
            while let Some(edit) = edits.next_if(is_over) {
                // An entry without start or end is the only one or the last.
                elapsed += i128::from(edit.end) - i128::from(edit.start) + pause(edits.peek());
            }
            let Some(edit) = edits.peek() else { break };
            if middle < i128::from(edit.start) {
                continue;
            }
            let from = start.max(i128::from(edit.start)) - origin(edit) + elapsed;
            let to = end.min(i128::from(edit.end)) - origin(edit) + elapsed;
            let first = *first.get_or_insert(from);

            order.ranks[index as usize] = to_rank(order.times.len());
            let seconds = |ticks: i128| ticks as f64 / f64::from(timescale);
            order.times.push(seconds(from - first));
            order.seconds = seconds(to.max(from) - first);
            order.start = seconds(first);
        }
        order
    }
}

/// Converts a number of samples, which is limited to far less.
pub(super) fn to_rank(samples: usize) -> u32 {
    u32::try_from(samples).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of 10 ticks, decoded as I P B B P B B, presented from tick 20.
    fn film() -> Vec<Sample> {
        [20, 50, 30, 40, 80, 60, 70]
            .map(|pts| Sample {
                offset: 0,
                bytes: 1,
                pts,
                ticks: 10,
            })
            .to_vec()
    }

    fn edit(start: i64, end: i64) -> Edit {
        Edit {
            empty_before: 0,
            start,
            end,
            end_tolerance: 1,
        }
    }

    #[test]
    fn frames_are_ordered_by_presentation_time() {
        let order = Order::new(&film(), &[], 100);
        assert_eq!(order.ranks, [0, 3, 1, 2, 6, 4, 5]);
        assert_eq!(order.times, [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
        assert!((order.seconds - 0.7).abs() < 1e-9);
        // Without an edit list, the decoding delay is on the movie timeline too.
        assert!((order.start - 0.2).abs() < 1e-9 && order.edits_applied);
    }

    #[test]
    fn empty_edits_hold_the_preceding_frame() {
        let mut edits = [edit(25, 40), edit(70, 90)];
        (edits[0].empty_before, edits[1].empty_before) = (300, 50);
        let order = Order::new(&film(), &edits, 100);
        assert_eq!(order.start, 3.0);
        assert_eq!(order.times, [0.0, 0.05, 0.65, 0.75]);
        assert!((order.seconds - 0.85).abs() < 1e-9);
    }

    #[test]
    fn an_edit_list_trims_to_whole_frames() {
        // An end that is off by a rounded tick changes nothing.
        for (start, end) in [(40, 70), (41, 69), (39, 71), (44, 62)] {
            let order = Order::new(&film(), &[edit(start, end)], 100);
            assert_eq!(
                order.ranks,
                [
                    NOT_PRESENTED,
                    1,
                    NOT_PRESENTED,
                    0,
                    NOT_PRESENTED,
                    2,
                    NOT_PRESENTED
                ]
            );
            assert_eq!(order.times[0], 0.0);
        }
        let two = [edit(20, 40), edit(70, 90)];
        let order = Order::new(&film(), &two, 100);
        assert_eq!(order.times, [0.0, 0.1, 0.2, 0.3]);
        assert_eq!(
            order.ranks,
            [0, NOT_PRESENTED, 1, NOT_PRESENTED, 3, NOT_PRESENTED, 2]
        );
    }

    #[test]
    fn inconsistent_edit_lists_are_ignored() {
        let never = [edit(1000, 2000)];
        let swapped = [edit(50, 60), edit(20, 30)];
        let extreme = [edit(0, i64::MAX), edit(i64::MAX, i64::MAX)];
        for edits in [never.as_slice(), &swapped, &extreme] {
            let order = Order::new(&film(), edits, 1);
            assert_eq!(order.times.len(), 7);
            // The last one presents all frames unchanged.
            assert_eq!(order.edits_applied, edits[0].start == 0);
        }
    }
}
