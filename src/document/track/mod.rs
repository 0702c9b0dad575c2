//! The expression track: a curve of keys for each channel of an expression, and its playback.

pub mod curve;
pub mod easing;
mod form;
pub mod keys;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::document::channel::{Channel, SliderRange};
use crate::document::pose::Pose;

pub use curve::{Curve, Key};
pub use easing::Easing;

/// What comes after the last frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Playback {
    /// Nothing; the last frame stays.
    Once,
    /// The first frame again.
    #[default]
    Loop,
    /// The frames in reverse, down to the first, and so on.
    PingPong,
}

impl Playback {
    /// The name in menus.
    pub fn title(self) -> &'static str {
        match self {
            Playback::Once => "Once",
            Playback::Loop => "Loop",
            Playback::PingPong => "Ping-pong",
        }
    }

    /// All modes, in menu order.
    pub const ALL: [Playback; 3] = [Playback::Once, Playback::Loop, Playback::PingPong];

    /// The frames from the first to the last in the order of one pass.
    pub fn order(self, (first, last): (u32, u32)) -> Vec<u32> {
        let forward = first..=last;
        match self {
            Playback::Once | Playback::Loop => forward.collect(),
            Playback::PingPong => forward.chain((first + 1..last).rev()).collect(),
        }
    }

    /// The frame shown when `elapsed` frames have passed since the first, and whether playback has ended.
    pub fn playing_at(self, elapsed: f64, (first, last): (u32, u32)) -> (u32, bool) {
        let step = elapsed.max(0.0).floor() as u64;
        let frames = u64::from(last.saturating_sub(first)) + 1;
        let (frame, over) = match self {
            Playback::Once => (step.min(frames - 1), step >= frames),
            Playback::Loop => (step % frames, false),
            Playback::PingPong => {
                let cycle = (2 * (frames - 1)).max(1);
                let at = step % cycle;
                (at.min(cycle - at), false)
            }
        };
        (first + frame as u32, over)
    }
}

impl std::fmt::Display for Playback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.title())
    }
}

/// A curve for each channel, with the frame rate, length and playback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "form::StoredTrack", try_from = "form::StoredTrack")]
pub struct Track {
    /// In the order of [`Channel::ALL`].
    curves: [Curve; Channel::COUNT],
    /// Frames a second, in [`Track::FPS`].
    fps: f64,
    /// The number of frames in one pass, in [`Track::FRAMES`].
    frames: u32,
    /// What comes after the last frame.
    pub playback: Playback,
    /// The in and out points, in seconds, so that changing the frame rate or length and back doesn't lose them.
    range: Option<(f64, f64)>,
}

impl Default for Track {
    fn default() -> Self {
        Self {
            curves: Channel::ALL.map(Curve::empty),
            fps: 24.0,
            frames: 48,
            playback: Playback::default(),
            range: None,
        }
    }
}

impl Track {
    /// The accepted frame rates, in frames a second.
    pub const FPS: std::ops::RangeInclusive<f64> = 1.0..=120.0;

    /// The accepted lengths, in frames.
    pub const FRAMES: std::ops::RangeInclusive<u32> = 2..=100_000;

    /// A channel's keys.
    pub fn curve(&self, channel: impl Into<Channel>) -> &Curve {
        &self.curves[channel.into().index()]
    }

    /// The channels that have keys, in the order of [`Channel::ALL`].
    pub fn keyed(&self) -> impl Iterator<Item = Channel> {
        Channel::ALL
            .into_iter()
            .filter(|channel| !self.curve(*channel).is_empty())
    }

    /// The times at which any channel has a key, in seconds, sorted.
    pub fn moments(&self) -> Vec<f64> {
        let curves = self.curves.iter();
        let mut times: Vec<f64> = curves
            .flat_map(|curve| curve.keys().iter().map(|key| key.time))
            .collect();
        times.sort_by(f64::total_cmp);
        times.dedup_by(|later, earlier| *later - *earlier < curve::TIME_EPSILON);
        times
    }

    /// Whether no channel has a key.
    pub fn is_empty(&self) -> bool {
        self.curves.iter().all(Curve::is_empty)
    }

    /// Whether every key is in its channel's usual range.
    pub fn is_usual(&self) -> bool {
        self.keyed().all(|channel| {
            let usual = channel.limits(SliderRange::Usual);
            let values = self.curve(channel).value_range();
            values.is_none_or(|(low, high)| usual.contains(&low) && usual.contains(&high))
        })
    }

    /// Whether the value of any channel changes.
    pub fn moves(&self) -> bool {
        self.curves.iter().any(Curve::moves)
    }

    /// Frames a second.
    pub fn fps(&self) -> f64 {
        self.fps
    }

    /// Sets the frame rate, clamped to [`Track::FPS`]; NaN is ignored. Keys and the in and out points keep their times
    /// in seconds, and the track its duration.
    pub fn set_fps(&mut self, fps: f64) {
        if fps.is_nan() {
            return;
        }
        let seconds = self.duration();
        self.fps = fps.clamp(*Self::FPS.start(), *Self::FPS.end());
        self.set_frames((seconds * self.fps).round() as u32);
    }

    /// The number of frames in one pass.
    pub fn frames(&self) -> u32 {
        self.frames
    }

    /// Sets the length of one pass, clamped to [`Track::FRAMES`]; keys beyond it are not removed.
    pub fn set_frames(&mut self, frames: u32) {
        self.frames = frames.clamp(*Self::FRAMES.start(), *Self::FRAMES.end());
    }

    /// The duration of one pass, in seconds: the time of the last frame plus one frame.
    pub fn duration(&self) -> f64 {
        f64::from(self.frames) / self.fps
    }

    /// The time of a frame of the forward pass, in seconds.
    pub fn time_of(&self, frame: u32) -> f64 {
        f64::from(frame) / self.fps
    }

    /// The frame of the forward pass nearest to a time, clamped to the track.
    pub fn frame_at(&self, time: f64) -> u32 {
        ((time * self.fps).round().max(0.0) as u32).min(self.frames - 1)
    }

    /// The maximum distance of a key from the time of its frame, in seconds.
    fn half_frame(&self) -> f64 {
        0.5 / self.fps
    }

    /// The first and the last frame that are played; `None` for the whole track.
    pub fn range(&self) -> Option<(u32, u32)> {
        let (from, to) = self.range?;
        let last = self.frames - 1;
        let first = self.frame_at(from);
        let end = ((to * self.fps).round() as u32).saturating_sub(1);
        let range = (first, end.clamp(first, last));
        (range != (0, last)).then_some(range)
    }

    /// The first and the last frame that are played.
    pub fn span(&self) -> (u32, u32) {
        self.range().unwrap_or((0, self.frames - 1))
    }

    /// Sets the first and the last frame that are played, in either order and clamped to the track; `None` plays all.
    pub fn set_range(&mut self, range: Option<(u32, u32)>) {
        let last = self.frames - 1;
        self.range = range
            .map(|(a, b)| (a.min(b).min(last), a.max(b).min(last)))
            .filter(|range| *range != (0, last))
            .map(|(from, to)| (self.time_of(from), self.time_of(to + 1)));
    }

    /// Sets the first frame that is played. If it is after the last one, the last one is reset to the track's end.
    pub fn set_in(&mut self, frame: u32) {
        let (_, out) = self.span();
        let last = self.frames - 1;
        self.set_range(Some((frame, if frame > out { last } else { out })));
    }

    /// Sets the last frame that is played. If it is before the first one, the first one is reset to the track's start.
    pub fn set_out(&mut self, frame: u32) {
        let (first, _) = self.span();
        self.set_range(Some((if frame < first { 0 } else { first }, frame)));
    }

    /// Sets one channel at a frame, on the left and the right half: changes its key there, or inserts one with the
    /// easing of the channel's key before it.
    pub fn set_channel(&mut self, frame: u32, channel: impl Into<Channel>, halves: (f32, f32)) {
        let (time, half) = (self.time_of(frame), self.half_frame());
        self.curves[channel.into().index()].set(time, halves, half);
    }

    /// Sets all units at a frame, and each channel of head and eyes that isn't at rest there or has keys.
    pub fn set_key(&mut self, frame: u32, pose: impl Into<Pose>) {
        let pose = pose.into();
        for channel in Channel::ALL {
            let turns = pose.get(channel) != channel.neutral() || !self.curve(channel).is_empty();
            if channel.unit().is_some() || turns {
                self.set_channel(frame, channel, pose.halves(channel));
            }
        }
    }

    /// Replaces the whole track by a movement: one key per frame and unit from the start, linearly interpolated, at a
    /// frame rate clamped to [`Track::FPS`]. A channel of head and eyes gets keys only if it is ever away from rest.
    /// Frames without a pose get no key; the in and out points are reset.
    pub fn set_movement(&mut self, fps: f64, poses: &[Option<Pose>]) {
        self.set_fps(fps);
        self.set_frames(u32::try_from(poses.len()).unwrap_or(u32::MAX));
        self.range = None;
        for channel in Channel::ALL {
            let mut values = poses.iter().flatten().map(|pose| pose.get(channel));
            if channel.unit().is_none() && values.all(|value| value == channel.neutral()) {
                self.curves[channel.index()] = Curve::empty(channel);
                continue;
            }
            let keys = poses.iter().enumerate().filter_map(|(i, pose)| {
                let (left, right) = (*pose)?.halves(channel);
                Some(Key {
                    time: i as f64 / self.fps,
                    left,
                    right,
                    easing: Easing::Linear,
                })
            });
            self.curves[channel.index()] = Curve::of(channel, keys);
        }
    }

    /// The values at a time in seconds, constant before a channel's first key and after its last one. A channel without
    /// keys is as in `base`.
    pub fn pose_at(&self, time: f64, base: Pose) -> Pose {
        self.keyed().fold(base, |mut pose, channel| {
            if let Some(halves) = self.curve(channel).at(time) {
                pose.set_halves(channel, halves);
            }
            pose
        })
    }

    /// The values at a time in seconds, with channels without keys at rest. `None` if the track has no keys.
    pub fn value_at(&self, time: f64) -> Option<Pose> {
        (!self.is_empty()).then(|| self.pose_at(time, Pose::NEUTRAL))
    }

    /// The frames from in to out in the order of one pass: forward, and for ping-pong back again without repeating
    /// either end.
    pub fn order(&self) -> Vec<u32> {
        self.playback.order(self.span())
    }

    /// The frame shown after `elapsed` seconds of playback from the in point, and whether playback has ended.
    pub fn playing_at(&self, elapsed: f64) -> (u32, bool) {
        self.playback.playing_at(elapsed * self.fps, self.span())
    }
}
