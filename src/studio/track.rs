//! A first expression track: keyframes of all seventeen Action Units on both halves of the face, each with an easing towards the next.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Pose;

/// How the values go from one keyframe to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Easing {
    Linear,
    EaseIn,
    EaseOut,
    #[default]
    EaseInOut,
    Hold,
}

impl Easing {
    /// All easings, as the menu lists them.
    pub const ALL: [Easing; 5] = [
        Easing::Linear,
        Easing::EaseIn,
        Easing::EaseOut,
        Easing::EaseInOut,
        Easing::Hold,
    ];

    /// How far the way is gone at `t`, both in 0..=1.
    pub fn at(self, t: f32) -> f32 {
        let t = t.clamp(0.0, 1.0);
        match self {
            Easing::Linear => t,
            Easing::EaseIn => t * t * t,
            Easing::EaseOut => 1.0 - (1.0 - t).powi(3),
            Easing::EaseInOut => t * t * (3.0 - 2.0 * t),
            Easing::Hold => {
                if t < 1.0 {
                    0.0
                } else {
                    1.0
                }
            }
        }
    }
}

impl std::fmt::Display for Easing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Easing::Linear => "Linear",
            Easing::EaseIn => "Ease in",
            Easing::EaseOut => "Ease out",
            Easing::EaseInOut => "Ease in and out",
            Easing::Hold => "Hold",
        })
    }
}

/// All seventeen values at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Keyframe {
    /// Seconds from the start.
    pub time: f64,
    pub pose: Pose,
    /// The way to the next keyframe.
    pub easing: Easing,
}

/// What comes after the last frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Playback {
    Once,
    #[default]
    Loop,
    PingPong,
}

impl Playback {
    /// All ways, as the menu lists them.
    pub const ALL: [Playback; 3] = [Playback::Once, Playback::Loop, Playback::PingPong];
}

impl std::fmt::Display for Playback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Playback::Once => "Once",
            Playback::Loop => "Loop",
            Playback::PingPong => "Ping-pong",
        })
    }
}

/// Keyframes in the order of time, and how they are played.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// Shared between the steps of undo: a clip's movement has a keyframe for every frame.
    #[serde(serialize_with = "write_shared", deserialize_with = "read_shared")]
    keyframes: Arc<Vec<Keyframe>>,
    /// Frames a second, in [`Track::FPS`].
    fps: f64,
    /// How many frames one pass has, in [`Track::FRAMES`].
    frames: u32,
    pub playback: Playback,
}

fn write_shared<S: Serializer>(keys: &Arc<Vec<Keyframe>>, to: S) -> Result<S::Ok, S::Error> {
    keys.as_slice().serialize(to)
}

fn read_shared<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Vec<Keyframe>>, D::Error> {
    Vec::deserialize(from).map(Arc::new)
}

impl Default for Track {
    fn default() -> Self {
        Self {
            keyframes: Arc::default(),
            fps: 24.0,
            frames: 48,
            playback: Playback::default(),
        }
    }
}

impl Track {
    /// The frame rates that are accepted, in frames a second.
    pub const FPS: std::ops::RangeInclusive<f64> = 1.0..=120.0;

    /// The lengths that are accepted, in frames.
    pub const FRAMES: std::ops::RangeInclusive<u32> = 2..=100_000;

    /// The keyframes, in the order of time.
    pub fn keyframes(&self) -> &[Keyframe] {
        &self.keyframes
    }

    /// The keyframes, no longer shared.
    fn keys(&mut self) -> &mut Vec<Keyframe> {
        Arc::make_mut(&mut self.keyframes)
    }

    /// Whether there is no keyframe yet.
    pub fn is_empty(&self) -> bool {
        self.keyframes.is_empty()
    }

    /// Frames a second.
    pub fn fps(&self) -> f64 {
        self.fps
    }

    /// Sets the frame rate, brought within [`Track::FPS`]; keyframes keep their time in seconds, and the track its
    /// duration.
    pub fn set_fps(&mut self, fps: f64) {
        if fps.is_nan() {
            return;
        }
        let seconds = self.duration();
        self.fps = fps.clamp(*Self::FPS.start(), *Self::FPS.end());
        self.set_frames((seconds * self.fps).round() as u32);
    }

    /// How many frames one pass has.
    pub fn frames(&self) -> u32 {
        self.frames
    }

    /// Sets the length of one pass, brought within [`Track::FRAMES`]; keyframes beyond it are kept, not lost.
    pub fn set_frames(&mut self, frames: u32) {
        self.frames = frames.clamp(*Self::FRAMES.start(), *Self::FRAMES.end());
    }

    /// The time of the last frame plus one frame, in seconds.
    pub fn duration(&self) -> f64 {
        f64::from(self.frames) / self.fps
    }

    /// The time of a frame of the forward pass, in seconds.
    pub fn time_of(&self, frame: u32) -> f64 {
        f64::from(frame) / self.fps
    }

    /// The frame of the forward pass nearest to a time, within the track.
    pub fn frame_at(&self, time: f64) -> u32 {
        ((time * self.fps).round().max(0.0) as u32).min(self.frames - 1)
    }

    /// The index of the keyframe that stands on this frame.
    pub fn key_on(&self, frame: u32) -> Option<usize> {
        let time = self.time_of(frame);
        self.keyframes
            .iter()
            .position(|key| (key.time - time).abs() < 0.5 / self.fps)
    }

    /// Sets all values at a frame: changes the keyframe there, or makes one. A new one takes the easing of the one
    /// before it.
    pub fn set_key(&mut self, frame: u32, pose: impl Into<Pose>) {
        let pose = pose.into();
        if let Some(index) = self.key_on(frame) {
            self.keys()[index].pose = pose;
            return;
        }
        let time = self.time_of(frame);
        let at = self.keyframes.partition_point(|key| key.time < time);
        let easing = at
            .checked_sub(1)
            .and_then(|before| self.keyframes.get(before))
            .map_or_else(Easing::default, |key| key.easing);
        self.keys().insert(at, Keyframe { time, pose, easing });
    }

    /// Puts a whole movement on the track in place of what was there: one keyframe a frame from the start on, straight
    /// from each to the next, at a frame rate brought within [`Track::FPS`]. Frames without a pose get no keyframe.
    pub fn set_movement(&mut self, fps: f64, poses: &[Option<Pose>]) {
        self.set_fps(fps);
        self.set_frames(u32::try_from(poses.len()).unwrap_or(u32::MAX));
        let keys = poses.iter().enumerate().filter_map(|(i, pose)| {
            Some(Keyframe {
                time: i as f64 / self.fps,
                pose: (*pose)?,
                easing: Easing::Linear,
            })
        });
        self.keyframes = Arc::new(keys.collect());
    }

    /// Takes a keyframe away; an index that isn't there changes nothing.
    pub fn remove_key(&mut self, index: usize) {
        if index < self.keyframes.len() {
            self.keys().remove(index);
        }
    }

    /// Sets the easing from a keyframe to the next.
    pub fn set_easing(&mut self, index: usize, easing: Easing) {
        if let Some(key) = self.keys().get_mut(index) {
            key.easing = easing;
        }
    }

    /// Moves a keyframe to a frame and returns its new index; onto another keyframe it doesn't go.
    pub fn move_key(&mut self, index: usize, frame: u32) -> usize {
        let frame = frame.min(self.frames - 1);
        let taken = self.key_on(frame).is_some_and(|other| other != index);
        if index >= self.keyframes.len() || taken {
            return index;
        }
        let mut key = self.keys().remove(index);
        key.time = self.time_of(frame);
        let at = self
            .keyframes
            .partition_point(|other| other.time < key.time);
        self.keys().insert(at, key);
        at
    }

    /// The values at a time in seconds; before the first keyframe and after the last one they hold. `None` where
    /// there is no keyframe at all.
    pub fn value_at(&self, time: f64) -> Option<Pose> {
        let last = self.keyframes.last()?;
        let next = self.keyframes.partition_point(|key| key.time <= time);
        if next == 0 {
            return Some(self.keyframes[0].pose);
        }
        if next == self.keyframes.len() {
            return Some(last.pose);
        }
        let (from, to) = (&self.keyframes[next - 1], &self.keyframes[next]);
        let t = ((time - from.time) / (to.time - from.time)) as f32;
        Some(from.pose.lerp(&to.pose, from.easing.at(t)))
    }

    /// The frames of the forward pass in the order in which they are shown once through: forward, and for ping-pong
    /// back again without showing either end twice.
    pub fn order(&self) -> Vec<u32> {
        let forward = 0..self.frames;
        match self.playback {
            Playback::Once | Playback::Loop => forward.collect(),
            Playback::PingPong => forward.chain((1..self.frames - 1).rev()).collect(),
        }
    }

    /// The frame shown after `elapsed` seconds of playing from the start, and whether the playing is over.
    pub fn playing_at(&self, elapsed: f64) -> (u32, bool) {
        let step = (elapsed.max(0.0) * self.fps).floor() as u64;
        let frames = u64::from(self.frames);
        let (frame, over) = match self.playback {
            Playback::Once => (step.min(frames - 1), step >= frames),
            Playback::Loop => (step % frames, false),
            Playback::PingPong => {
                let cycle = 2 * (frames - 1);
                let at = step % cycle;
                (at.min(cycle - at), false)
            }
        };
        (frame as u32, over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::{ActionUnit, Sides};
    use proptest::prelude::*;

    fn smile(value: f32) -> Pose {
        Pose::NEUTRAL.with(Sides::Both, ActionUnit::from_code(12).unwrap(), value)
    }

    #[test]
    fn values_go_from_key_to_key_and_hold_outside() {
        let mut track = Track::default();
        assert_eq!(track.value_at(0.0), None);
        track.set_key(12, smile(0.2));
        track.set_key(36, smile(1.0));
        track.set_easing(0, Easing::Linear);
        assert_eq!(track.value_at(0.0), Some(smile(0.2)));
        assert_eq!(track.value_at(99.0), Some(smile(1.0)));
        let middle = track
            .value_at(1.0)
            .unwrap()
            .get(ActionUnit::from_code(12).unwrap());
        assert!((middle - 0.6).abs() < 1e-6, "{middle}");
        track.set_easing(0, Easing::Hold);
        assert_eq!(track.value_at(1.49), Some(smile(0.2)));
        assert_eq!(track.value_at(1.5), Some(smile(1.0)));
    }

    #[test]
    fn setting_on_a_key_changes_it_and_elsewhere_makes_one() {
        let mut track = Track::default();
        track.set_key(0, smile(0.0));
        track.set_key(0, smile(0.5));
        assert_eq!(track.keyframes().len(), 1);
        track.set_key(24, smile(1.0));
        track.set_key(12, smile(0.1));
        let times: Vec<f64> = track.keyframes().iter().map(|k| k.time).collect();
        assert_eq!(times, [0.0, 0.5, 1.0]);
    }

    #[test]
    fn a_key_moves_past_others_but_not_onto_them() {
        let mut track = Track::default();
        for frame in [0, 10, 20] {
            track.set_key(frame, smile(frame as f32 / 20.0));
        }
        assert_eq!(track.move_key(0, 10), 0, "taken");
        assert_eq!(track.move_key(0, 30), 2);
        let values: Vec<Pose> = track.keyframes().iter().map(|k| k.pose).collect();
        assert_eq!(values, [smile(0.5), smile(1.0), smile(0.0)]);
    }

    #[test]
    fn ping_pong_shows_no_end_twice() {
        let mut track = Track::default();
        track.set_frames(4);
        track.playback = Playback::PingPong;
        assert_eq!(track.order(), [0, 1, 2, 3, 2, 1]);
        let shown: Vec<u32> = (0..8)
            .map(|i| track.playing_at((f64::from(i) + 0.5) / 24.0).0)
            .collect();
        assert_eq!(shown, [0, 1, 2, 3, 2, 1, 0, 1]);
    }

    #[test]
    fn once_ends_and_a_loop_does_not() {
        let mut track = Track::default();
        track.set_frames(3);
        track.playback = Playback::Once;
        assert_eq!(track.playing_at(0.05), (1, false));
        assert_eq!(track.playing_at(9.0), (2, true));
        track.playback = Playback::Loop;
        assert_eq!(track.playing_at(3.0 / 24.0 + 0.001), (0, false));
    }

    #[test]
    fn a_movement_takes_the_tracks_place_and_bridges_its_gaps() {
        let mut track = Track::default();
        track.set_key(40, smile(0.9));
        track.set_movement(10.0, &[Some(smile(0.0)), None, None, Some(smile(0.6))]);
        assert_eq!((track.fps(), track.frames()), (10.0, 4));
        assert_eq!(track.keyframes().len(), 2);
        let between = track.value_at(0.1).unwrap();
        assert!(between.distance(&smile(0.2)) < 1e-6);
        assert_eq!(track.value_at(0.3), Some(smile(0.6)));
    }

    #[test]
    fn another_frame_rate_keeps_the_seconds() {
        let mut track = Track::default();
        track.set_key(24, smile(1.0));
        track.set_fps(12.0);
        assert_eq!((track.frames(), track.duration()), (24, 2.0));
        assert_eq!(track.key_on(12), Some(0));
        track.set_fps(f64::NAN);
        assert_eq!(track.fps(), 12.0);
    }

    proptest! {
        #[test]
        fn every_easing_starts_at_0_ends_at_1_and_never_falls(a in 0f32..=1.0, b in 0f32..=1.0) {
            for easing in Easing::ALL {
                prop_assert_eq!(easing.at(0.0), 0.0);
                prop_assert_eq!(easing.at(1.0), 1.0);
                prop_assert!(easing.at(a.min(b)) <= easing.at(a.max(b)) + 1e-6);
            }
        }

        #[test]
        fn keys_stay_in_order_and_distinct(frames in proptest::collection::vec(0u32..48, 1..20), moves in proptest::collection::vec((0usize..20, 0u32..60), 0..20)) {
            let mut track = Track::default();
            for frame in frames {
                track.set_key(frame, smile(0.5));
            }
            let count = track.keyframes().len();
            for (index, frame) in moves {
                track.move_key(index, frame);
            }
            prop_assert_eq!(track.keyframes().len(), count);
            prop_assert!(track.keyframes().windows(2).all(|pair| pair[0].time < pair[1].time));
        }
    }
}
