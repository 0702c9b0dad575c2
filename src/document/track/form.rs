//! The serialized form of a track: a list of keys under each channel's name. The first version, a list of whole poses,
//! is read too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::document::au::ActionUnit;
use crate::document::channel::Channel;
use crate::document::pose::Pose;
use crate::document::track::curve::{Curve, Key};
use crate::document::track::easing::Easing;
use crate::document::track::{Playback, Track};

/// A track as stored in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredTrack {
    /// By channel names such as `AU12` and `yaw`; a channel without keys is omitted.
    #[serde(default)]
    curves: BTreeMap<String, Vec<StoredKey>>,
    /// The keys of the first version.
    #[serde(default, skip_serializing)]
    keyframes: Vec<Keyframe>,
    fps: f64,
    frames: u32,
    #[serde(default)]
    playback: Playback,
    /// The in and out points, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    range: Option<(f64, f64)>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredKey {
    time: f64,
    #[serde(flatten)]
    value: StoredHalves,
    #[serde(default)]
    easing: Easing,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum StoredHalves {
    Same { value: f32 },
    Apart { left: f32, right: f32 },
}

/// All values at one time.
#[derive(Debug, Clone, Deserialize)]
struct Keyframe {
    time: f64,
    pose: Pose,
    #[serde(default)]
    easing: Easing,
}

impl From<Track> for StoredTrack {
    fn from(track: Track) -> Self {
        let keys = |channel: Channel| -> Vec<StoredKey> {
            let keys = track.curve(channel).keys().iter();
            keys.map(|key| StoredKey {
                time: key.time,
                value: if key.is_even() {
                    StoredHalves::Same { value: key.left }
                } else {
                    StoredHalves::Apart {
                        left: key.left,
                        right: key.right,
                    }
                },
                easing: key.easing,
            })
            .collect()
        };
        Self {
            curves: track
                .keyed()
                .map(|channel| (channel.to_string(), keys(channel)))
                .collect(),
            keyframes: Vec::new(),
            fps: track.fps,
            frames: track.frames,
            playback: track.playback,
            range: track.range,
        }
    }
}

impl TryFrom<StoredTrack> for Track {
    type Error = String;

    fn try_from(form: StoredTrack) -> Result<Self, String> {
        let mut track = Track {
            playback: form.playback,
            ..Track::default()
        };
        track.set_fps(form.fps);
        track.set_frames(form.frames);
        let sound = |(from, to): &(f64, f64)| from.is_finite() && to.is_finite() && from < to;
        // A time that was written and read may differ in its last digit; this restores the frame's exact time.
        let snapped = |time: f64| track.snapped(time);
        let range = form.range.filter(sound);
        let range = range.map(|(from, to)| (snapped(from), snapped(to)));
        track.range = range;
        for unit in ActionUnit::ALL {
            let keys = form.keyframes.iter().map(|key| Key {
                time: track.snapped(key.time),
                left: key.pose.left.get(unit),
                right: key.pose.right.get(unit),
                easing: key.easing,
            });
            track.curves[unit.index()] = Curve::of(unit.into(), keys);
        }
        for (name, keys) in form.curves {
            let channel = Channel::from_key(&name).ok_or_else(|| {
                let head = Channel::HEAD_AND_EYES.map(|channel| channel.to_string());
                format!(
                    "{name:?} is not a curve that Mien knows; name a track's curves like AU12, or {}.",
                    head.join(", ")
                )
            })?;
            let keys = keys.into_iter().map(|key| {
                let (left, right) = match key.value {
                    StoredHalves::Same { value } => (value, value),
                    StoredHalves::Apart { left, right } => (left, right),
                };
                Key {
                    time: track.snapped(key.time),
                    left,
                    right,
                    easing: key.easing,
                }
            });
            track.curves[channel.index()] = Curve::of(channel, keys);
        }
        Ok(track)
    }
}
