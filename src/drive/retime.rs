//! Resamples frames of varying duration to a constant rate.

/// A frame that begins less than this share of a frame early is on time.
const EARLY_TOLERANCE: f64 = 0.25;

/// For every frame at `rate` per second, returns which of the frames that begin at `times` (in seconds, ascending) is shown:
/// each until the next begins, the last for one frame.
pub fn retimed(times: &[f64], rate: f64) -> Vec<usize> {
    let Some((&start, later)) = times.split_first() else {
        return Vec::new();
    };
    let mut frames = Vec::new();
    for (frame, time) in later.iter().enumerate() {
        let due = ((time - start) * rate - EARLY_TOLERANCE).ceil().max(0.0) as usize;
        frames.resize(due.max(frames.len()), frame);
    }
    frames.push(times.len() - 1);
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evenly_timed_frames_are_shown_once_each() {
        let times: Vec<f64> = (0..100).map(|i| 3.0 + f64::from(i) / 29.97).collect();
        assert_eq!(retimed(&times, 29.97), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_frame_is_shown_until_the_next_begins() {
        assert_eq!(retimed(&[0.0, 0.1, 0.4, 0.5], 10.0), [0, 1, 1, 1, 2, 3]);
        assert_eq!(retimed(&[0.0, 0.05, 0.1, 0.15], 10.0), [0, 2, 3]);
        assert_eq!(retimed(&[7.0], 25.0), [0]);
        assert!(retimed(&[], 25.0).is_empty());
    }
}
