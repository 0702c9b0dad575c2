//! A cached drawing on a canvas.

use std::cell::RefCell;

use iced::widget::canvas;
use iced::{Renderer, Size};

use super::theme;

/// A drawing that is cached until its key changes.
///
/// Besides the work it saves, the software renderer needs it: of a fresh drawing it repaints only the boxes of the
/// paths, and those of straight lines are empty.
#[derive(Debug)]
pub struct KeyedCache<K> {
    cache: canvas::Cache,
    /// With whether the window was light.
    key: RefCell<Option<(K, bool)>>,
}

impl<K> Default for KeyedCache<K> {
    fn default() -> Self {
        Self {
            cache: canvas::Cache::new(),
            key: RefCell::new(None),
        }
    }
}

impl<K: PartialEq> KeyedCache<K> {
    /// The drawing for `key`, redrawn only when the key, the size or the look has changed.
    pub fn draw(
        &self,
        renderer: &Renderer,
        size: Size,
        key: K,
        draw: impl FnOnce(&mut canvas::Frame),
    ) -> Vec<canvas::Geometry> {
        let key = Some((key, theme::is_light()));
        if *self.key.borrow() != key {
            self.cache.clear();
            self.key.replace(key);
        }
        vec![self.cache.draw(renderer, size, draw)]
    }
}
