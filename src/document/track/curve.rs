//! One channel over time: its keys in the order of time.

use std::sync::Arc;

use crate::document::channel::Channel;
use crate::document::pose::Sides;
use crate::document::track::easing::Easing;

/// Keys of a channel nearer to each other than this are the same moment, in seconds.
pub(super) const SAME: f64 = 1e-6;

/// A channel's value at a moment, on both halves of the face; those of head and eyes are the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key {
    /// Seconds from the start.
    pub time: f64,
    /// On the half on the left of the picture, in [`Channel::range`].
    pub left: f32,
    pub right: f32,
    /// The way to the next key.
    pub easing: Easing,
}

impl Key {
    /// The value of some halves; of both, their mean.
    pub fn of(&self, sides: Sides) -> f32 {
        match sides {
            Sides::Left => self.left,
            Sides::Right => self.right,
            Sides::Both if self.left == self.right => self.left,
            Sides::Both => 0.5 * (self.left + self.right),
        }
    }

    /// Whether both halves are the same.
    pub fn is_even(&self) -> bool {
        self.left == self.right
    }
}

/// The keys of one channel, in the order of time and no two at the same moment.
#[derive(Debug, Clone)]
pub struct Curve {
    channel: Channel,
    /// Shared between the steps of undo: a clip's movement has a key for every frame.
    keys: Arc<Vec<Key>>,
}

impl PartialEq for Curve {
    fn eq(&self, other: &Self) -> bool {
        // No value is NaN, so what is shared is equal; long movements are compared at every edit.
        self.channel == other.channel
            && (Arc::ptr_eq(&self.keys, &other.keys) || self.keys == other.keys)
    }
}

impl Curve {
    /// Without keys.
    pub(super) fn empty(channel: Channel) -> Self {
        Self {
            channel,
            keys: Arc::default(),
        }
    }

    /// The keys in any order, put in order and brought into range. Of several at one moment the last one stays; a key
    /// without a time, or before the start, is left out.
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
                    easing: key.easing.sound(),
                }
            })
            .collect();
        keys.sort_by(|a, b| a.time.total_cmp(&b.time));
        let mut apart: Vec<Key> = Vec::with_capacity(keys.len());
        for key in keys {
            match apart.last_mut() {
                Some(last) if key.time - last.time < SAME => *last = key,
                _ => apart.push(key),
            }
        }
        Self {
            channel,
            keys: Arc::new(apart),
        }
    }

    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys, no longer shared. Who changes times keeps their order.
    pub(super) fn keys_mut(&mut self) -> &mut Vec<Key> {
        Arc::make_mut(&mut self.keys)
    }

    /// The index of the key at a moment, the nearest one less than `within` seconds away.
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

    /// Sets the value at a moment: changes the key less than `within` seconds away, or makes one. A new one takes the
    /// easing of the one before it.
    pub(super) fn set(&mut self, time: f64, halves: (f32, f32), within: f64) {
        let (left, right) = self.channel.clamped_halves(halves);
        if let Some(index) = self.index_at(time, within) {
            let key = self.keys[index];
            // What is the same already stays shared.
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

    /// The values of the left and the right half at a time in seconds; before the first key and after the last
    /// one they hold. Between two keys a curve that swings out stays in the usual range, or goes as far beyond as they do. `None`
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
        let way = from.easing.at(t);
        let between = |a: f32, b: f32| {
            if way == 1.0 {
                b
            } else {
                self.channel.clamped_with(a + (b - a) * way, [a, b])
            }
        };
        Some((between(from.left, to.left), between(from.right, to.right)))
    }

    /// The lowest and the highest value of any key on either half.
    pub fn reach(&self) -> Option<(f32, f32)> {
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
