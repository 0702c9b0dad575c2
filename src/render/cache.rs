//! What was made once and may be wanted again, within a bound of memory.

use std::collections::HashMap;

/// Values by their key; those that were wanted longest ago go first when there is no more room.
#[derive(Debug)]
pub(crate) struct Shelf<V> {
    kept: HashMap<u64, Kept<V>>,
    /// Of all that is kept.
    bytes: usize,
    room: usize,
    clock: u64,
}

#[derive(Debug)]
struct Kept<V> {
    value: V,
    bytes: usize,
    wanted: u64,
}

impl<V: Clone> Shelf<V> {
    /// A shelf for so many bytes.
    pub fn new(room: usize) -> Self {
        Self {
            kept: HashMap::new(),
            bytes: 0,
            room,
            clock: 0,
        }
    }

    /// What is kept under a key.
    pub fn get(&mut self, key: u64) -> Option<V> {
        self.clock += 1;
        let kept = self.kept.get_mut(&key)?;
        kept.wanted = self.clock;
        Some(kept.value.clone())
    }

    /// Whether something is kept under a key; looking doesn't count as wanting.
    pub fn has(&self, key: u64) -> bool {
        self.kept.contains_key(&key)
    }

    /// Keeps a value of so many bytes; one that alone is too large isn't kept.
    pub fn put(&mut self, key: u64, value: V, bytes: usize) {
        if bytes > self.room {
            return;
        }
        self.clock += 1;
        let kept = Kept {
            value,
            bytes,
            wanted: self.clock,
        };
        self.bytes += bytes;
        if let Some(before) = self.kept.insert(key, kept) {
            self.bytes -= before.bytes;
        }
        if self.bytes > self.room {
            self.make_room();
        }
    }

    /// Lets the eighth that was wanted longest ago go, and more until there is room: one by one would look through all
    /// of the shelf each time.
    fn make_room(&mut self) {
        let mut oldest: Vec<(u64, u64)> = self
            .kept
            .iter()
            .map(|(key, kept)| (kept.wanted, *key))
            .collect();
        oldest.sort_unstable();
        // What has just come stays.
        oldest.pop();
        let goal = self.room - self.room / 8;
        for (_, key) in oldest {
            if self.bytes <= goal {
                break;
            }
            if let Some(gone) = self.kept.remove(&key) {
                self.bytes -= gone.bytes;
            }
        }
    }

    pub fn clear(&mut self) {
        self.kept.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_wanted_longest_ago_goes_first() {
        let mut shelf = Shelf::new(80);
        for key in 0..8 {
            shelf.put(key, key, 10);
        }
        assert_eq!(shelf.get(0), Some(0));
        shelf.put(8, 8, 10);
        assert!(shelf.has(0) && shelf.has(8) && !shelf.has(1));
        shelf.put(9, 9, 81);
        assert!(!shelf.has(9), "too large");
    }

    proptest! {
        #[test]
        fn there_is_never_more_than_there_is_room_for(puts in proptest::collection::vec((0u64..20, 0usize..60), 0..200)) {
            let mut shelf = Shelf::new(100);
            for (key, bytes) in puts {
                shelf.put(key, bytes, bytes);
                prop_assert!(shelf.bytes <= 100);
                prop_assert_eq!(shelf.bytes, shelf.kept.values().map(|kept| kept.bytes).sum::<usize>());
                prop_assert_eq!(shelf.get(key), Some(bytes));
            }
        }
    }
}
