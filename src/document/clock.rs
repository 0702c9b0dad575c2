//! Which frame is shown at which time, for any motion.

use crate::document::track::Playback;

/// A number of frames at a constant rate, and what follows the last one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// Frames a second, above 0.
    pub fps: f64,
    /// The number of frames in one pass, at least 1.
    pub frames: u32,
    /// What comes after the last frame.
    pub playback: Playback,
}

impl Clock {
    /// The first and the last frame.
    fn span(&self) -> (u32, u32) {
        (0, self.frames.max(1) - 1)
    }

    /// The frames of one pass in playback order; see [`Playback::order`].
    pub fn order(&self) -> Vec<u32> {
        self.playback.order(self.span())
    }

    /// Returns the frame shown after `elapsed` seconds of playback from the start, and whether playback has ended.
    pub fn playing_at(&self, elapsed: f64) -> (u32, bool) {
        self.playback.playing_at(elapsed * self.fps, self.span())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::track::Track;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_clock_plays_frames_in_the_same_order_as_a_track(frames in 2u32..40, fps in 1f64..60.0, elapsed in -1f64..30.0, way in 0usize..3) {
            let playback = Playback::ALL[way];
            let mut track = Track::default();
            track.set_fps(fps);
            track.set_frames(frames);
            track.playback = playback;
            let clock = Clock { fps, frames, playback };
            prop_assert_eq!(clock.order(), track.order());
            prop_assert_eq!(clock.playing_at(elapsed), track.playing_at(elapsed));
        }

        #[test]
        fn a_single_frame_is_always_shown(elapsed in 0f64..9.0, way in 0usize..3) {
            let clock = Clock { fps: 10.0, frames: 1, playback: Playback::ALL[way] };
            prop_assert_eq!(clock.order(), vec![0]);
            prop_assert_eq!(clock.playing_at(elapsed).0, 0);
        }
    }
}
