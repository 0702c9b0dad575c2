//! A frame of the clip, and over it the square that FOMM and TPS see.

use iced::mouse::{self, Cursor};
use iced::widget::canvas::{self, Action, Canvas, Event, Frame, Geometry};
use iced::widget::{container, image, stack};
use iced::{Element, Length, Point, Rectangle, Renderer, Size, Theme, border};

use crate::app::widgets::keyed_cache::KeyedCache;
use crate::app::widgets::square::{self, Grip};
use crate::app::widgets::theme;
use crate::document::Crop;

use super::Message;

/// How wide the panel's content is thought to be, for the height of the picture; in logical pixels.
const WIDTH: f32 = 272.0;

/// The picture's height at least and at most, in logical pixels.
const HEIGHTS: (f32, f32) = (110.0, 272.0);

/// How near the hand must come to an edge to take it, in logical pixels.
const REACH: f64 = 8.0;

pub struct Look {
    pub picture: Option<image::Handle>,
    /// The clip's width and height, in pixels.
    pub size: (u32, u32),
    pub square: Option<Crop>,
}

impl Look {
    pub fn into_element<'a>(self) -> Element<'a, Message> {
        let (width, height) = self.size;
        let tall = WIDTH * height as f32 / width.max(1) as f32;
        let film = Film {
            picture: self.picture.clone(),
            size: self.size,
        };
        let layers = stack![
            Canvas::new(film).width(Length::Fill).height(Length::Fill),
            Canvas::new(self).width(Length::Fill).height(Length::Fill),
        ];
        container(layers)
            .id(LOOK)
            .width(Length::Fill)
            .height(tall.clamp(HEIGHTS.0, HEIGHTS.1))
            .style(|_| container::Style {
                background: Some(theme::ground().into()),
                border: border::rounded(3),
                ..container::Style::default()
            })
            .into()
    }

    /// A place of the drawing in pixels of the clip.
    fn to_clip(&self, at: Point, bounds: Size) -> (f64, f64) {
        let place = fitted(self.size, bounds);
        let scale = self.scale(bounds);
        (
            f64::from(at.x - place.x) * scale,
            f64::from(at.y - place.y) * scale,
        )
    }

    fn corners(&self, square: Crop, bounds: Size) -> [Point; 4] {
        let place = fitted(self.size, bounds);
        let scale = self.scale(bounds);
        square::corners(square)
            .map(|(x, y)| Point::new(place.x + (x / scale) as f32, place.y + (y / scale) as f32))
    }

    /// Pixels of the clip a logical pixel.
    fn scale(&self, bounds: Size) -> f64 {
        f64::from(self.size.0) / f64::from(fitted(self.size, bounds).width.max(1e-3))
    }

    fn grip(&self, at: Point, bounds: Size) -> Option<Grip> {
        let reach = REACH * self.scale(bounds);
        square::grip(self.square?, self.to_clip(at, bounds), reach)
    }
}

/// The frame's place in the drawing, for tests.
pub const LOOK: &str = "reference-look";

/// The largest place of a picture of this size, in the middle of the bounds.
pub fn fitted((width, height): (u32, u32), bounds: Size) -> Rectangle {
    let (width, height) = (width.max(1) as f32, height.max(1) as f32);
    let scale = (bounds.width / width).min(bounds.height / height);
    let size = Size::new(width * scale, height * scale);
    let corner = Point::new(
        (bounds.width - size.width) / 2.0,
        (bounds.height - size.height) / 2.0,
    );
    Rectangle::new(corner, size)
}

/// The picture alone: a drawing's pictures cover its lines, so that the lines need one of their own above.
struct Film {
    picture: Option<image::Handle>,
    size: (u32, u32),
}

impl canvas::Program<Message> for Film {
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
        if let Some(picture) = &self.picture {
            let place = fitted(self.size, bounds.size());
            frame.draw_image(place, canvas::Image::new(picture.clone()).snap(true));
        }
        vec![frame.into_geometry()]
    }
}

#[derive(Debug, Default)]
pub struct Hand {
    drag: Option<Grip>,
    /// Of the square's corners.
    drawn: KeyedCache<Option<[Point; 4]>>,
}

impl canvas::Program<Message> for Look {
    type State = Hand;

    fn update(
        &self,
        hand: &mut Hand,
        event: &Event,
        bounds: Rectangle,
        cursor: Cursor,
    ) -> Option<Action<Message>> {
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) => {
                let at = cursor.position_in(bounds)?;
                hand.drag = self.grip(at, bounds.size());
                hand.drag.map(|_| Action::capture())
            }
            Event::Mouse(mouse::Event::CursorMoved { .. }) => {
                let grip = hand.drag?;
                let at = cursor.land().position()?;
                let at = Point::new(at.x - bounds.x, at.y - bounds.y);
                let at = self.to_clip(at, bounds.size());
                let square = square::dragged(self.square?, grip, at, self.size);
                Some(Action::publish(Message::Squared(square)).and_capture())
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)) => {
                hand.drag.take()?;
                Some(Action::publish(Message::Released).and_capture())
            }
            _ => None,
        }
    }

    fn draw(
        &self,
        hand: &Hand,
        renderer: &Renderer,
        _theme: &Theme,
        bounds: Rectangle,
        _cursor: Cursor,
    ) -> Vec<Geometry> {
        let corners = self
            .square
            .map(|square| self.corners(square, bounds.size()));
        hand.drawn.draw(renderer, bounds.size(), corners, |frame| {
            if let Some(corners) = corners {
                square::draw(frame, corners);
            }
        })
    }

    fn mouse_interaction(
        &self,
        hand: &Hand,
        bounds: Rectangle,
        cursor: Cursor,
    ) -> mouse::Interaction {
        let Some(at) = cursor.land().position() else {
            return mouse::Interaction::default();
        };
        if hand.drag.is_none() && !cursor.is_over(bounds) {
            return mouse::Interaction::default();
        }
        let at = Point::new(at.x - bounds.x, at.y - bounds.y);
        hand.drag
            .or_else(|| self.grip(at, bounds.size()))
            .map(|grip| square::interaction(grip, self.to_clip(at, bounds.size())))
            .unwrap_or_default()
    }
}
