//! A cache bounded by bytes that evicts the least recently used values first.

use std::collections::HashMap;
use std::hash::Hash;

/// An LRU cache bounded by the bytes of its values.
#[derive(Debug)]
pub(crate) struct LruCache<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// The sum over all entries.
    bytes: usize,
    capacity: usize,
    clock: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    bytes: usize,
    used: u64,
}

impl<K: Hash + Eq + Clone, V: Clone> LruCache<K, V> {
    /// An empty cache of `capacity` bytes.
    pub fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            bytes: 0,
            capacity,
            clock: 0,
        }
    }

    /// Returns the value of a key and marks it as used.
    pub fn get(&mut self, key: &K) -> Option<V> {
        self.clock += 1;
        let entry = self.entries.get_mut(key)?;
        entry.used = self.clock;
        Some(entry.value.clone())
    }

    /// Whether the key is cached; doesn't mark it as used.
    pub fn has(&self, key: &K) -> bool {
        self.entries.contains_key(key)
    }

    /// Caches a value of `bytes` bytes, unless it is larger than the whole cache.
    pub fn put(&mut self, key: K, value: V, bytes: usize) {
        if bytes > self.capacity {
            return;
        }
        self.clock += 1;
        let entry = Entry {
            value,
            bytes,
            used: self.clock,
        };
        self.bytes += bytes;
        if let Some(before) = self.entries.insert(key, entry) {
            self.bytes -= before.bytes;
        }
        if self.bytes > self.capacity {
            self.evict();
        }
    }

    /// Evicts the least recently used values until an eighth of the capacity is free. Evicting one at a time would scan
    /// the whole cache on every insertion.
    fn evict(&mut self) {
        let mut oldest: Vec<(u64, K)> = self
            .entries
            .iter()
            .map(|(key, entry)| (entry.used, key.clone()))
            .collect();
        oldest.sort_unstable_by_key(|(used, _)| *used);
        // The newest stays.
        oldest.pop();
        let goal = self.capacity - self.capacity / 8;
        for (_, key) in oldest {
            if self.bytes <= goal {
                break;
            }
            if let Some(entry) = self.entries.remove(&key) {
                self.bytes -= entry.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_least_recently_used_is_evicted_first() {
        let mut cache = LruCache::new(80);
        for key in 0..8 {
            cache.put(key, key, 10);
        }
        assert_eq!(cache.get(&0), Some(0));
        cache.put(8, 8, 10);
        assert!(cache.has(&0) && cache.has(&8) && !cache.has(&1));
        cache.put(9, 9, 81);
        assert!(!cache.has(&9), "larger than the cache");
    }

    proptest! {
        #[test]
        fn the_capacity_is_never_exceeded(puts in proptest::collection::vec((0u64..20, 0usize..60), 0..200)) {
            let mut cache = LruCache::new(100);
            for (key, bytes) in puts {
                cache.put(key, bytes, bytes);
                prop_assert!(cache.bytes <= 100);
                prop_assert_eq!(cache.bytes, cache.entries.values().map(|entry| entry.bytes).sum::<usize>());
                prop_assert_eq!(cache.get(&key), Some(bytes));
            }
        }
    }
}
