//! The visible part of the time axis, and the mapping between time and pixels.

/// The zoom of the time axis, and the frame at the left edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeView {
    /// 1 shows every frame.
    zoom: f64,
    first: f64,
}

impl Default for TimeView {
    fn default() -> Self {
        Self {
            zoom: 1.0,
            first: 0.0,
        }
    }
}

/// Number of frames visible at the highest zoom.
const MIN_VISIBLE_FRAMES: f64 = 8.0;

impl TimeView {
    /// How many frames are visible, for a track whose last frame is `last`.
    fn span(self, last: u32) -> f64 {
        f64::from(last.max(1)) / self.zoom
    }

    /// Clamps zoom and position to a track.
    pub fn within(self, last: u32) -> Self {
        let whole = f64::from(last.max(1));
        let zoom = self.zoom.clamp(1.0, (whole / MIN_VISIBLE_FRAMES).max(1.0));
        let first = self.first.clamp(0.0, whole - whole / zoom);
        Self { zoom, first }
    }

    /// Zooms by a factor around a frame, which keeps its position.
    pub fn zoomed(self, around: f64, factor: f64, last: u32) -> Self {
        let zoom = self.zoom * factor;
        let zoom = Self { zoom, ..self }.within(last).zoom;
        let first = around - (around - self.first) * self.zoom / zoom;
        Self { zoom, first }.within(last)
    }

    /// Moves this frame to the left edge, as far as the track allows.
    pub fn from(self, first: f64, last: u32) -> Self {
        Self { first, ..self }.within(last)
    }

    /// Scrolls by a page if a frame isn't visible.
    pub fn showing(self, frame: u32, last: u32) -> Self {
        let (frame, span) = (f64::from(frame), self.span(last));
        if (self.first..=self.first + span).contains(&frame) {
            self
        } else {
            self.from(frame - 0.1 * span, last)
        }
    }

    /// The scale between two edges, in logical pixels.
    pub fn scale(self, (left, right): (f32, f32), last: u32, fps: f64) -> Scale {
        Scale {
            left,
            width: (right - left).max(1.0),
            first: self.first,
            span: self.span(last),
            last,
            fps,
        }
    }
}

/// Maps between times and horizontal positions on the panel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    pub left: f32,
    pub width: f32,
    /// The frame at the left edge, and the number of frames from there to the right edge.
    pub first: f64,
    pub span: f64,
    pub last: u32,
    fps: f64,
}

impl Scale {
    pub fn right(&self) -> f32 {
        self.left + self.width
    }

    /// Logical pixels per frame.
    pub fn step(&self) -> f32 {
        self.width / self.span as f32
    }

    /// The position of a frame, which may be fractional.
    pub fn x(&self, frame: f64) -> f32 {
        self.left + ((frame - self.first) / self.span) as f32 * self.width
    }

    /// The position of a time in seconds.
    pub fn x_of(&self, time: f64) -> f32 {
        self.x(time * self.fps)
    }

    /// The fractional frame at a position.
    pub fn at(&self, x: f32) -> f64 {
        self.first + f64::from((x - self.left) / self.width) * self.span
    }

    /// The time at a position, in seconds.
    pub fn time_at(&self, x: f32) -> f64 {
        self.at(x) / self.fps
    }

    /// The frame nearest to a position.
    pub fn frame_at(&self, x: f32) -> u32 {
        self.at(x).round().clamp(0.0, f64::from(self.last)) as u32
    }

    /// Whether a position is visible, with a small margin.
    pub fn is_visible(&self, x: f32) -> bool {
        (self.left - 8.0..=self.right() + 8.0).contains(&x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn positions_and_frames_round_trip_at_any_zoom(last in 1u32..5000, turns in proptest::collection::vec((0f64..1.0, 0.2f64..5.0, -0.5f64..1.5), 0..12)) {
            let mut lens = TimeView::default();
            for (around, factor, first) in turns {
                let whole = f64::from(last);
                lens = lens.zoomed(around * whole, factor, last).from(first * whole, last);
                let scale = lens.scale((100.0, 900.0), last, 24.0);
                prop_assert!(scale.first >= 0.0 && scale.first + scale.span <= whole + 1e-6);
            }
            let scale = lens.scale((100.0, 900.0), last, 24.0);
            for frame in [scale.first.ceil(), (scale.first + scale.span).floor()] {
                prop_assert_eq!(scale.frame_at(scale.x(frame)), frame as u32);
            }
            prop_assert_eq!(scale.frame_at(-1e9), 0);
            prop_assert_eq!(scale.frame_at(1e9), last);
        }

        #[test]
        fn zooming_keeps_the_frame_under_the_cursor(around in 100f64..200.0, factor in 1f64..4.0) {
            let lens = TimeView::default();
            let place = |lens: TimeView| lens.scale((0.0, 800.0), 300, 24.0).x(around);
            prop_assert!((place(lens) - place(lens.zoomed(around, factor, 300))).abs() < 1e-2);
        }
    }

    #[test]
    fn showing_a_frame_out_of_view_scrolls_by_a_page() {
        let near = TimeView::default().zoomed(0.0, 10.0, 1000);
        assert_eq!(near.showing(50, 1000), near);
        let turned = near.showing(400, 1000).scale((0.0, 100.0), 1000, 24.0);
        assert!((turned.first - 390.0).abs() < 1e-6);
    }
}
