//! Which frame is shown when, whatever it is that is played.

use super::Playback;

/// So many frames at a constant rate, and what comes after the last of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// Frames a second, above 0.
    pub fps: f64,
    /// How many frames one pass has, at least 1.
    pub frames: u32,
    pub playback: Playback,
}

impl Clock {
    /// The frames of the forward pass in the order in which they are shown once through: forward, and for ping-pong back
    /// again without showing either end twice.
    pub fn order(&self) -> Vec<u32> {
        let forward = 0..self.frames;
        match self.playback {
            Playback::Once | Playback::Loop => forward.collect(),
            Playback::PingPong => {
                let back = 1..self.frames.saturating_sub(1);
                forward.chain(back.rev()).collect()
            }
        }
    }

    /// The frame shown after `elapsed` seconds of playing from the start, and whether the playing is over.
    pub fn playing_at(&self, elapsed: f64) -> (u32, bool) {
        let step = (elapsed.max(0.0) * self.fps).floor() as u64;
        let frames = u64::from(self.frames.max(1));
        let (frame, over) = match self.playback {
            Playback::Once => (step.min(frames - 1), step >= frames),
            Playback::Loop => (step % frames, false),
            Playback::PingPong => {
                // A single frame goes nowhere, and so needs a way of at least one step.
                let cycle = (2 * (frames - 1)).max(1);
                let at = step % cycle;
                (at.min(cycle - at).min(frames - 1), false)
            }
        };
        (frame as u32, over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::Track;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_goes_as_a_track_goes(frames in 2u32..40, fps in 1f64..60.0, elapsed in -1f64..30.0, way in 0usize..3) {
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
