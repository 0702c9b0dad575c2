//! The last result of a computation, kept for when the same is asked again.

use std::sync::{Arc, Mutex, PoisonError};

/// A result and what it was computed from.
#[derive(Debug)]
pub(crate) struct Memo<K, V>(Mutex<Option<(K, Arc<V>)>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<K: PartialEq, V> Memo<K, V> {
    /// The result for a key, computed unless it is the last one's.
    pub fn get(&self, key: K, compute: impl FnOnce() -> V) -> Arc<V> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, value)) = &*last
            && *known == key
        {
            return Arc::clone(value);
        }
        let value = Arc::new(compute());
        *last = Some((key, Arc::clone(&value)));
        value
    }
}
