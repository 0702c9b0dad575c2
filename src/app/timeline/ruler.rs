//! The ruler: frames, in and out, which frames are rendered, and the playhead.

use iced::widget::canvas::{Frame, Path, Stroke};
use iced::{Color, Point, Rectangle, Size};

use crate::app::widgets::theme::{self, Colors};

use super::sheet::{RULER, Sheet, label};

/// How close the pointer must be to the in or out mark to grab it, in logical pixels.
const MARK: f32 = 6.0;

fn thin(color: Color) -> Stroke<'static> {
    Stroke::default().with_color(color).with_width(1.0)
}

impl Sheet<'_> {
    pub(super) fn draw_ruler(&self, frame: &mut Frame, colors: &Colors, size: Size) {
        let scale = self.scale(size);
        let end = size.height;
        if let Some((first, last)) = self.given.subject.range() {
            let (from, to) = self.ends(size, (first, last));
            let area = Rectangle::new(Point::new(from, 0.0), Size::new(to - from, RULER));
            frame.fill_rectangle(area.position(), area.size(), colors.raised);
        }
        let step = [
            1, 2, 5, 10, 12, 24, 48, 120, 240, 600, 1200, 6000, 24_000, 96_000,
        ]
        .into_iter()
        .find(|step| *step as f32 * scale.step() >= 46.0)
        .unwrap_or(scale.last.max(1));
        for tick in (0..=scale.last).step_by(step as usize) {
            let x = scale.x(f64::from(tick));
            if !(scale.left - 1.0..=scale.right() + 1.0).contains(&x) {
                continue;
            }
            let line = Path::line(Point::new(x, RULER - 4.0), Point::new(x, end));
            frame.stroke(&line, thin(colors.line.scale_alpha(0.45)));
            let place = Point::new(x, 7.0);
            let text = label((tick + 1).to_string(), place, colors.faint, theme::FIGURES);
            frame.fill_text(text);
        }
        self.draw_rendered(frame, colors, size);
    }

    /// Draws a thin bar under the ruler over the rendered frames.
    fn draw_rendered(&self, frame: &mut Frame, colors: &Colors, size: Size) {
        let scale = self.scale(size);
        let bar = |frame: &mut Frame, from: f32, to: f32, color: Color| {
            let (from, to) = (from.max(scale.left), to.min(scale.right()));
            if to > from {
                let size = Size::new(to - from, 2.0);
                frame.fill_rectangle(Point::new(from, RULER + 1.0), size, color);
            }
        };
        bar(
            frame,
            scale.left,
            scale.right(),
            colors.line.scale_alpha(0.6),
        );
        let mut from = None;
        let ends = self.given.rendered.iter().copied().chain([false]);
        for (index, made) in ends.enumerate() {
            let x = scale.x(index as f64 - 0.5);
            match (made, from) {
                (true, None) => from = Some(x),
                (false, Some(start)) => {
                    bar(frame, start, x, colors.accent.scale_alpha(0.55));
                    from = None;
                }
                _ => {}
            }
        }
    }

    /// The positions of the in and out marks, clamped to the visible range.
    fn ends(&self, size: Size, (first, last): (u32, u32)) -> (f32, f32) {
        let scale = self.scale(size);
        let within = |x: f32| x.clamp(scale.left, scale.right());
        (
            within(scale.x(f64::from(first))),
            within(scale.x(f64::from(last))),
        )
    }

    /// Shades the frames that aren't played.
    pub(super) fn draw_range(&self, frame: &mut Frame, colors: &Colors, size: Size) {
        let Some(range) = self.given.subject.range() else {
            return;
        };
        let scale = self.scale(size);
        let (from, to) = self.ends(size, range);
        let shade = colors.ground.scale_alpha(0.55);
        for (a, b) in [(scale.left, from), (to, scale.right())] {
            let area = Size::new((b - a).max(0.0), size.height - RULER);
            frame.fill_rectangle(Point::new(a, RULER), area, shade);
        }
        for (x, side) in [(from, 1.0), (to, -1.0)] {
            let mark = Path::new(|path| {
                path.move_to(Point::new(x + 5.0 * side, 1.5));
                path.line_to(Point::new(x, 1.5));
                path.line_to(Point::new(x, size.height));
            });
            frame.stroke(&mark, thin(colors.dim));
        }
    }

    /// Whether the pointer is over the in mark (`true`) or the out mark.
    pub(super) fn mark_at(&self, at: Point, size: Size) -> Option<bool> {
        let (from, to) = self.ends(size, self.given.subject.range()?);
        // Below the marks' heads, the pointer grabs the playhead.
        if at.y > 8.0 {
            return None;
        }
        if (at.x - from).abs() <= MARK {
            return Some(true);
        }
        ((at.x - to).abs() <= MARK).then_some(false)
    }

    pub(super) fn draw_playhead(&self, frame: &mut Frame, colors: &Colors, size: Size) {
        let scale = self.scale(size);
        let x = scale.x(f64::from(self.frame));
        if !scale.is_visible(x) {
            return;
        }
        let line = Path::line(Point::new(x, RULER - 6.0), Point::new(x, size.height));
        frame.stroke(&line, thin(colors.accent));
        let head = Path::new(|path| {
            path.move_to(Point::new(x - 5.0, RULER - 12.0));
            path.line_to(Point::new(x + 5.0, RULER - 12.0));
            path.line_to(Point::new(x + 5.0, RULER - 6.0));
            path.line_to(Point::new(x, RULER));
            path.line_to(Point::new(x - 5.0, RULER - 6.0));
            path.close();
        });
        frame.fill(&head, colors.accent);
    }
}
