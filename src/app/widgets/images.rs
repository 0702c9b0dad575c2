//! Images on a separate canvas: within one canvas images cover the lines, whatever is drawn last.

use iced::mouse::Cursor;
use iced::widget::canvas::{self, Canvas, Frame, Geometry};
use iced::widget::image::Handle;
use iced::{Element, Length, Rectangle, Renderer, Size, Theme};

/// A canvas with the images that `place` returns for its size.
pub fn images<'a, M: 'a>(
    place: impl Fn(Size) -> Vec<(Rectangle, Handle)> + 'a,
    height: impl Into<Length>,
) -> Element<'a, M> {
    Canvas::new(Images(place))
        .width(Length::Fill)
        .height(height)
        .into()
}

struct Images<F>(F);

impl<M, F: Fn(Size) -> Vec<(Rectangle, Handle)>> canvas::Program<M> for Images<F> {
    type State = ();

    fn draw(
        &self,
        _state: &(),
        renderer: &Renderer,
        _theme: &Theme,
        bounds: Rectangle,
        _cursor: Cursor,
    ) -> Vec<Geometry> {
        let mut frame = Frame::new(renderer, bounds.size());
        for (place, handle) in (self.0)(bounds.size()) {
            frame.draw_image(place, canvas::Image::new(handle).snap(true));
        }
        vec![frame.into_geometry()]
    }
}
