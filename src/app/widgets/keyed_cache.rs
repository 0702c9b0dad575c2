//! A cached drawing on a canvas.

use std::cell::RefCell;

use iced::widget::canvas;
use iced::{Renderer, Size};

use super::theme;

/// A drawing that is cached until its key changes.
///
/// Besides saving work, this avoids a flaw of the software renderer: of an uncached drawing it repaints only the bounding
/// boxes of the paths, and those of straight lines are empty.
#[derive(Debug)]
pub struct KeyedCache<K> {
    cache: canvas::Cache,
    /// The key, and whether the theme was light.
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
    /// Returns the drawing for `key`, redrawn only if the key, the size or the theme has changed.
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
