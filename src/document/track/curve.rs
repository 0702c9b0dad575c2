//! One channel over time: its keys, sorted by time.

use std::sync::Arc;

use crate::document::channel::Channel;
use crate::document::pose::Sides;
use crate::document::track::easing::Easing;

/// Keys of a channel closer together than this, in seconds, are at the same time.
pub(super) const TIME_EPSILON: f64 = 1e-6;

/// A channel's value at one time, on both halves of the face; for head and eyes both are equal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key {
    /// Seconds from the start.
    pub time: f64,
    /// On the half on the left of the picture, in [`Channel::range`].
    pub left: f32,
    /// On the half on the right of the picture, in [`Channel::range`]; equal to `left` for a channel without halves.
    pub right: f32,
    /// The interpolation to the next key.
    pub easing: Easing,
}

impl Key {
    /// The value of some halves; for both, their mean.
    pub fn of(&self, sides: Sides) -> f32 {
        match sides {
            Sides::Left => self.left,
            Sides::Right => self.right,
            Sides::Both if self.left == self.right => self.left,
            Sides::Both => 0.5 * (self.left + self.right),
        }
    }

    /// Whether both halves are equal.
    pub fn is_even(&self) -> bool {
        self.left == self.right
    }
}

/// The keys of one channel, sorted by time, no two at the same time.
#[derive(Debug, Clone)]
pub struct Curve {
    channel: Channel,
    /// Shared between undo steps: a clip's movement has a key for every frame.
    keys: Arc<Vec<Key>>,
}

impl PartialEq for Curve {
    fn eq(&self, other: &Self) -> bool {
        // No value is NaN, so shared keys are equal. Long movements are compared at every edit.
        self.channel == other.channel
            && (Arc::ptr_eq(&self.keys, &other.keys) || self.keys == other.keys)
    }
}

impl Curve {
    /// A curve without keys.
    pub(super) fn empty(channel: Channel) -> Self {
        Self {
            channel,
            keys: Arc::default(),
        }
    }

    /// Sorts the keys and clamps their values. Of several at the same time the last one is kept; a key with a negative
    /// or non-finite time is dropped.
    pub(super) fn of(channel: Channel, keys: impl IntoIterator<Item = Key>) -> Self {
        let mut keys: Vec<Key> = keys
            .into_iter()
            .filter(|key| key.time.is_finite() && key.time >= 0.0)
            .map(|key| {
                let (left, right) = channel.clamped_halves((key.left, key.right));
                Key {
                    time: key.time,
                    left,
                    right,
                    easing: key.easing.clamped_handles(),
                }
            })
            .collect();
        keys.sort_by(|a, b| a.time.total_cmp(&b.time));
        let mut apart: Vec<Key> = Vec::with_capacity(keys.len());
        for key in keys {
            match apart.last_mut() {
                Some(last) if key.time - last.time < TIME_EPSILON => *last = key,
                _ => apart.push(key),
            }
        }
        Self {
            channel,
            keys: Arc::new(apart),
        }
    }

    /// The keys, in the order of their times.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Whether the curve has no keys.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys, cloned if they are shared. The caller keeps them sorted.
    pub(super) fn keys_mut(&mut self) -> &mut Vec<Key> {
        Arc::make_mut(&mut self.keys)
    }

    /// The index of the key nearest to a time, if it is less than `within` seconds away.
    pub fn index_at(&self, time: f64, within: f64) -> Option<usize> {
        let after = self.keys.partition_point(|key| key.time < time);
        let far = |index: &usize| (self.keys[*index].time - time).abs();
        [after.checked_sub(1), Some(after)]
            .into_iter()
            .flatten()
            .filter(|index| *index < self.keys.len())
            .min_by(|a, b| far(a).total_cmp(&far(b)))
            .filter(|index| far(index) < within)
    }

    /// Sets the value at a time: changes the key less than `within` seconds away, or inserts one with the easing of the
    /// key before it.
    pub(super) fn set(&mut self, time: f64, halves: (f32, f32), within: f64) {
        let (left, right) = self.channel.clamped_halves(halves);
        if let Some(index) = self.index_at(time, within) {
            let key = self.keys[index];
            // An unchanged key leaves the keys shared.
            if (key.left, key.right) != (left, right) {
                let key = &mut self.keys_mut()[index];
                (key.left, key.right) = (left, right);
            }
            return;
        }
        let at = self.keys.partition_point(|key| key.time < time);
        let easing = at
            .checked_sub(1)
            .map_or_else(Easing::default, |before| self.keys[before].easing);
        let key = Key {
            time,
            left,
            right,
            easing,
        };
        self.keys_mut().insert(at, key);
    }

    /// The values of the left and the right half at a time in seconds, constant before the first key and after the last
    /// one. Between two keys an overshooting curve is clamped to the usual range, widened to include both keys. `None`
    /// without any key.
    pub fn at(&self, time: f64) -> Option<(f32, f32)> {
        let (first, last) = (self.keys.first()?, self.keys.last()?);
        let next = self.keys.partition_point(|key| key.time <= time);
        if next == 0 {
            return Some((first.left, first.right));
        }
        let from = &self.keys[next - 1];
        let Some(to) = self.keys.get(next) else {
            return Some((last.left, last.right));
        };
        let t = ((time - from.time) / (to.time - from.time)) as f32;
        let eased = from.easing.at(t);
        let between = |a: f32, b: f32| {
            if eased == 1.0 {
                b
            } else {
                self.channel.clamped_with(a + (b - a) * eased, [a, b])
            }
        };
        Some((between(from.left, to.left), between(from.right, to.right)))
    }

    /// The lowest and the highest value of all keys on either half.
    pub fn value_range(&self) -> Option<(f32, f32)> {
        let mut values = self.keys.iter().flat_map(|key| [key.left, key.right]);
        let first = values.next()?;
        Some(values.fold((first, first), |(low, high), value| {
            (low.min(value), high.max(value))
        }))
    }

    /// Whether any two keys differ.
    pub fn moves(&self) -> bool {
        let value = |key: &Key| (key.left, key.right);
        self.keys
            .windows(2)
            .any(|pair| value(&pair[0]) != value(&pair[1]))
    }
}
