//! Double-clicks on a canvas.

use std::time::{Duration, Instant};

use iced::Point;

const DOUBLE_CLICK: Duration = Duration::from_millis(400);

/// How far apart the two presses of a double-click may be, in logical pixels.
const DOUBLE_CLICK_DISTANCE: f32 = 5.0;

/// The last press on a canvas, for telling double-clicks from single ones.
#[derive(Debug, Default)]
pub struct Clicks {
    last: Option<(Instant, Point)>,
}

impl Clicks {
    /// Records a press; returns whether it completes a double-click.
    pub fn press(&mut self, at: Point) -> bool {
        self.last
            .replace((Instant::now(), at))
            .is_some_and(|(when, place)| {
                when.elapsed() < DOUBLE_CLICK && place.distance(at) < DOUBLE_CLICK_DISTANCE
            })
    }

    /// Where the last press was.
    pub fn place(&self) -> Option<Point> {
        self.last.map(|(_, place)| place)
    }

    /// Forgets the last press, so that the next one can't complete a double-click.
    pub fn forget(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_presses_at_the_same_position_are_a_double_click() {
        let (here, there) = (Point::new(10.0, 10.0), Point::new(40.0, 10.0));
        let mut clicks = Clicks::default();
        assert!(!clicks.press(here));
        assert!(clicks.press(here));
        assert!(!clicks.press(there));
        clicks.forget();
        assert!(!clicks.press(there));
    }
}
