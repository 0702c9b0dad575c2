//! Small drawn icons.

use iced::widget::canvas::{self, Canvas, Frame, Geometry, path};
use iced::{Color, Element, Point, Rectangle, Renderer, Theme, mouse};

use super::keyed_cache::KeyedCache;
use super::theme::{self, Tint};

/// An icon's width and height, in logical pixels.
pub const SIDE: f32 = 16.0;

/// An icon of one colour in a square of [`SIDE`].
pub trait Icon: Copy + PartialEq + 'static {
    fn paint(self, frame: &mut Frame, color: Color);

    /// The icon as a widget.
    fn into_element<'a, M: 'a>(self, tint: Tint) -> Element<'a, M> {
        Canvas::new(Drawing { icon: self, tint })
            .width(SIDE)
            .height(SIDE)
            .into()
    }
}

/// Draws lines from point to point, in the icon's coordinates.
pub fn polyline(path: &mut path::Builder, points: &[(f32, f32)]) {
    for (i, (x, y)) in points.iter().enumerate() {
        let point = Point::new(*x, *y);
        if i == 0 {
            path.move_to(point);
        } else {
            path.line_to(point);
        }
    }
}

struct Drawing<I> {
    icon: I,
    tint: Tint,
}

impl<M, I: Icon> canvas::Program<M> for Drawing<I> {
    type State = KeyedCache<(I, Color)>;

    fn draw(
        &self,
        cache: &Self::State,
        renderer: &Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _cursor: mouse::Cursor,
    ) -> Vec<Geometry> {
        let color = (self.tint)(theme::colors(theme));
        let key = (self.icon, color);
        cache.draw(renderer, theme, bounds.size(), key, |frame, _| {
            self.icon.paint(frame, color);
        })
    }
}
