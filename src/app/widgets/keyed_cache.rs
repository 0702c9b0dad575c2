//! A cached drawing on a canvas.

use std::cell::RefCell;

use iced::widget::canvas;
use iced::{Renderer, Size, Theme};

use super::theme::{self, Colors};

/// A drawing that is cached until its key changes.
///
/// Besides saving work, this avoids a flaw of the software renderer: of an uncached drawing it repaints only the bounding
/// boxes of the paths, and those of straight lines are empty.
#[derive(Debug)]
pub struct KeyedCache<K> {
    cache: canvas::Cache,
    /// The key, and the theme's colours.
    key: RefCell<Option<(K, &'static Colors)>>,
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
    /// Returns the drawing for `key` in the theme's colours, redrawn only if the key, the size or the theme has changed.
    pub fn draw(
        &self,
        renderer: &Renderer,
        theme: &Theme,
        size: Size,
        key: K,
        draw: impl FnOnce(&mut canvas::Frame, &Colors),
    ) -> Vec<canvas::Geometry> {
        let colors = theme::colors(theme);
        let key = Some((key, colors));
        if *self.key.borrow() != key {
            self.cache.clear();
            self.key.replace(key);
        }
        vec![self.cache.draw(renderer, size, |frame| draw(frame, colors))]
    }
}
