//! Operations on several keys at once: move, copy, paste, ease, stretch.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::document::channel::{Channel, SliderRange};
use crate::document::track::Track;
use crate::document::track::curve::{Curve, Key, TIME_EPSILON};
use crate::document::track::easing::Easing;

/// A key identified by its channel and time, so that adding or removing others doesn't change its id.
#[derive(Debug, Clone, Copy)]
pub struct KeyId {
    /// The curve that the key belongs to.
    pub channel: Channel,
    /// Seconds from the start.
    pub time: f64,
}

impl Ord for KeyId {
    fn cmp(&self, other: &Self) -> Ordering {
        let channels = self.channel.cmp(&other.channel);
        channels.then(self.time.total_cmp(&other.time))
    }
}

impl PartialOrd for KeyId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for KeyId {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for KeyId {}

/// Some keys of a track.
pub type Selection = BTreeSet<KeyId>;

/// Keys copied from a track, to be pasted on the same or another one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Copied {
    /// Times are relative to the first key.
    keys: Vec<(Channel, Key)>,
}

impl Copied {
    /// Whether no key was copied.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl Track {
    /// The key of this channel at this time.
    pub fn key(&self, id: KeyId) -> Option<&Key> {
        let curve = self.curve(id.channel);
        curve
            .index_at(id.time, TIME_EPSILON)
            .map(|index| &curve.keys()[index])
    }

    /// Every key.
    pub fn all_keys(&self) -> Selection {
        self.ids(|_, _| true)
    }

    /// The keys on a frame.
    pub fn keys_on(&self, frame: u32) -> Selection {
        let (time, half) = (self.time_of(frame), self.half_frame());
        let on = |channel| {
            let curve: &Curve = self.curve(channel);
            let index = curve.index_at(time, half)?;
            Some(KeyId {
                channel,
                time: curve.keys()[index].time,
            })
        };
        Channel::ALL.into_iter().filter_map(on).collect()
    }

    /// The keys of some channels within a range of times, in seconds, and of values on either half, as fractions of the
    /// channel's usual range.
    pub fn keys_in(
        &self,
        channels: &[Channel],
        times: RangeInclusive<f64>,
        shares: RangeInclusive<f32>,
    ) -> Selection {
        self.ids(|channel, key| {
            let within = |value: f32| shares.contains(&channel.normalise(value));
            times.contains(&key.time)
                && (within(key.left) || within(key.right))
                && channels.contains(&channel)
        })
    }

    /// For each channel with keys, the key whose easing applies at a frame.
    pub fn keys_before(&self, frame: u32) -> Selection {
        let now = self.time_of(frame) + self.half_frame();
        let last = |channel: Channel| {
            let keys = self.curve(channel).keys();
            let after = keys.partition_point(|key| key.time < now);
            let time = keys.get(after.checked_sub(1)?)?.time;
            Some(KeyId { channel, time })
        };
        Channel::ALL.into_iter().filter_map(last).collect()
    }

    fn ids(&self, wanted: impl Fn(Channel, &Key) -> bool) -> Selection {
        let of = |channel: Channel| {
            let keys = self.curve(channel).keys().iter();
            keys.map(move |key| (channel, key))
        };
        Channel::ALL
            .into_iter()
            .flat_map(of)
            .filter(|(channel, key)| wanted(*channel, key))
            .map(|(channel, key)| KeyId {
                channel,
                time: key.time,
            })
            .collect()
    }

    /// The easing that these keys have in common. Curves count as the same whatever their control points; the first one
    /// is returned.
    pub fn easing_of(&self, ids: &Selection) -> Option<Easing> {
        let mut easings = ids.iter().filter_map(|id| Some(self.key(*id)?.easing));
        let first = easings.next()?;
        easings
            .all(|easing| easing.index() == first.index())
            .then_some(first)
    }

    /// Moves keys together by a number of frames and by a fraction of their channels' usual ranges. Each half is
    /// clamped to its channel's limits, widened to include its value so far. All keys stop when the first reaches the
    /// start or the last the track's end. An existing key at the same time is replaced, as by pasting. Returns the
    /// moved keys.
    pub fn move_keys(
        &mut self,
        ids: &Selection,
        frames: i64,
        share: f32,
        range: SliderRange,
    ) -> Selection {
        let times = || ids.iter().map(|id| id.time);
        let (first, last) = (
            times().fold(f64::INFINITY, f64::min),
            times().fold(0.0, f64::max),
        );
        if !first.is_finite() {
            return Selection::new();
        }
        let end = self.time_of(self.frames() - 1);
        let by = (frames as f64 / self.fps()).clamp(-first, (end - last).max(0.0));
        let share = if share.is_finite() { share } else { 0.0 };
        let before = self.clone();
        self.change_keys(ids, |channel, key| {
            let limits = channel.limits(range);
            let moved = |value: f32| {
                let (low, high) = (limits.start().min(value), limits.end().max(value));
                (value + share * channel.width()).clamp(low, high)
            };
            Key {
                time: before.snapped(key.time + by),
                left: moved(key.left),
                right: moved(key.right),
                ..key
            }
        })
    }

    /// Scales the times of keys by a factor above 0, about a fixed time in seconds. A channel's keys snap to frames if
    /// each gets a separate one. No key goes before the start, and an existing key at the same time is replaced.
    /// Returns the moved keys.
    pub fn scale_keys(&mut self, ids: &Selection, around: f64, factor: f64) -> Selection {
        let first = ids.iter().map(|id| id.time).fold(f64::INFINITY, f64::min);
        if !(first.is_finite() && around.is_finite() && factor.is_finite() && factor > 0.0) {
            return ids.clone();
        }
        let most = if first < around {
            around.max(0.0) / (around - first)
        } else {
            f64::INFINITY
        };
        let factor = factor.min(most);
        let fps = self.fps();
        let stretched = |time: f64| (around + (time - around) * factor).max(0.0);
        let on_frame = |time: f64| (stretched(time) * fps).round() / fps;
        let crowded = |channel: Channel| {
            let times: Vec<f64> = ids
                .iter()
                .filter(|id| id.channel == channel)
                .map(|id| on_frame(id.time))
                .collect();
            times
                .windows(2)
                .any(|pair| pair[1] - pair[0] < TIME_EPSILON)
        };
        let crowded = Channel::ALL.map(crowded);
        self.change_keys(ids, |channel, key| Key {
            time: if crowded[channel.index()] {
                stretched(key.time)
            } else {
                on_frame(key.time)
            },
            ..key
        })
    }

    /// Removes keys; unknown ones are ignored.
    pub fn remove_keys(&mut self, ids: &Selection) {
        self.take(ids);
    }

    /// Sets the easing from each of these keys to the next one of its channel.
    pub fn set_easing(&mut self, ids: &Selection, easing: Easing) {
        let easing = easing.clamped_handles();
        for id in ids {
            let curve = &mut self.curves[id.channel.index()];
            if let Some(index) = curve.index_at(id.time, TIME_EPSILON) {
                curve.keys_mut()[index].easing = easing;
            }
        }
    }

    /// Copies keys with their relative times.
    pub fn copy(&self, ids: &Selection) -> Copied {
        let first = ids.iter().map(|id| id.time).fold(f64::INFINITY, f64::min);
        let copied = |id: &KeyId| {
            let key = *self.key(*id)?;
            let time = key.time - first;
            Some((id.channel, Key { time, ..key }))
        };
        Copied {
            keys: ids.iter().filter_map(copied).collect(),
        }
    }

    /// Pastes copied keys so that the first one is on a frame, replacing existing keys at the same times. Times stay in
    /// seconds, whatever the frame rate of the track they come from. Returns the new keys.
    pub fn paste(&mut self, frame: u32, copied: &Copied) -> Selection {
        let start = self.time_of(frame);
        let keys: Vec<_> = copied
            .keys
            .iter()
            .map(|(channel, key)| {
                let time = self.snapped(start + key.time);
                (*channel, Key { time, ..*key })
            })
            .collect();
        self.put(keys)
    }

    fn change_keys(&mut self, ids: &Selection, change: impl Fn(Channel, Key) -> Key) -> Selection {
        let taken = self.take(ids);
        let changed = taken
            .into_iter()
            .map(|(channel, key)| (channel, change(channel, key)));
        self.put(changed.collect())
    }

    /// Removes keys and returns them.
    fn take(&mut self, ids: &Selection) -> Vec<(Channel, Key)> {
        let mut taken = Vec::new();
        for channel in Channel::ALL {
            let wanted: Vec<f64> = ids
                .range(
                    KeyId {
                        channel,
                        time: f64::NEG_INFINITY,
                    }..=KeyId {
                        channel,
                        time: f64::INFINITY,
                    },
                )
                .map(|id| id.time)
                .collect();
            let curve = &mut self.curves[channel.index()];
            let at = |time: f64| wanted.partition_point(|other| *other < time - TIME_EPSILON);
            let is_wanted = |key: &Key| {
                wanted
                    .get(at(key.time))
                    .is_some_and(|t| *t < key.time + TIME_EPSILON)
            };
            if !curve.keys().iter().any(is_wanted) {
                continue;
            }
            taken.extend(
                curve
                    .keys()
                    .iter()
                    .filter(|key| is_wanted(key))
                    .map(|key| (channel, *key)),
            );
            curve.keys_mut().retain(|key| !is_wanted(key));
        }
        taken
    }

    /// Inserts keys, replacing existing ones at the same times.
    fn put(&mut self, keys: Vec<(Channel, Key)>) -> Selection {
        for channel in Channel::ALL {
            let mut new = keys.iter().filter(|(of, _)| *of == channel).peekable();
            if new.peek().is_some() {
                // The sort is stable and the last key at a time is kept.
                let curve = &self.curves[channel.index()];
                let all = curve.keys().iter().copied().chain(new.map(|(_, key)| *key));
                self.curves[channel.index()] = Curve::of(channel, all);
            }
        }
        keys.iter()
            .map(|(channel, key)| KeyId {
                channel: *channel,
                time: key.time,
            })
            .collect()
    }

    /// Snaps a time to a frame's time if it differs only by rounding.
    pub(super) fn snapped(&self, time: f64) -> f64 {
        let frame = (time * self.fps()).round();
        let near = frame / self.fps();
        if (near - time).abs() < TIME_EPSILON {
            // The start is 0, never -0, so that a key is found by its time.
            near + 0.0
        } else {
            time
        }
    }
}
