//! A frame of the clip, and over it the square that FOMM and TPS see.

use iced::mouse::{self, Cursor};
use iced::widget::canvas::{self, Action, Canvas, Event, Geometry};
use iced::widget::{container, image, stack};
use iced::{Element, Length, Point, Rectangle, Renderer, Size, Theme, border};

use crate::app::widgets::images::images;
use crate::app::widgets::keyed_cache::KeyedCache;
use crate::app::widgets::square::{self, Grip};
use crate::app::widgets::theme;
use crate::document::Crop;

use super::Message;

/// The assumed width of the panel's content, from which the picture's height follows; in logical pixels.
const WIDTH: f32 = 272.0;

/// The picture's minimum and maximum height, in logical pixels.
const HEIGHTS: (f32, f32) = (110.0, 272.0);

/// How close the pointer must be to an edge to grab it, in logical pixels.
const GRAB_DISTANCE: f64 = 8.0;

pub struct ReferenceFrame {
    pub picture: Option<image::Handle>,
    /// The clip's width and height, in pixels.
    pub size: (u32, u32),
    pub square: Option<Crop>,
}

impl ReferenceFrame {
    pub fn into_element<'a>(self) -> Element<'a, Message> {
        let (width, height) = self.size;
        let tall = WIDTH * height as f32 / width.max(1) as f32;
        let (picture, size) = (self.picture.clone(), self.size);
        let picture = move |bounds| {
            let picture = picture.iter();
            picture
                .map(|picture| (fitted(size, bounds), picture.clone()))
                .collect()
        };
        let layers = stack![
            images(picture, Length::Fill),
            Canvas::new(self).width(Length::Fill).height(Length::Fill),
        ];
        container(layers)
            .id(FRAME)
            .width(Length::Fill)
            .height(tall.clamp(HEIGHTS.0, HEIGHTS.1))
            .style(|theme| container::Style {
                background: Some(theme::colors(theme).ground.into()),
                border: border::rounded(3),
                ..container::Style::default()
            })
            .into()
    }

    /// Maps a point of the drawing to pixels of the clip.
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

    /// Clip pixels per logical pixel.
    fn scale(&self, bounds: Size) -> f64 {
        f64::from(self.size.0) / f64::from(fitted(self.size, bounds).width.max(1e-3))
    }

    fn grip(&self, at: Point, bounds: Size) -> Option<Grip> {
        let reach = GRAB_DISTANCE * self.scale(bounds);
        square::grip(self.square?, self.to_clip(at, bounds), reach)
    }
}

/// The frame's widget id, for tests.
pub const FRAME: &str = "reference-look";

/// Fits a picture of this size into the bounds, centred.
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

#[derive(Debug, Default)]
pub struct Interaction {
    drag: Option<Grip>,
    /// Keyed by the square's corners.
    cache: KeyedCache<Option<[Point; 4]>>,
}

impl canvas::Program<Message> for ReferenceFrame {
    type State = Interaction;

    fn update(
        &self,
        state: &mut Interaction,
        event: &Event,
        bounds: Rectangle,
        cursor: Cursor,
    ) -> Option<Action<Message>> {
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) => {
                let at = cursor.position_in(bounds)?;
                state.drag = self.grip(at, bounds.size());
                state.drag.map(|_| Action::capture())
            }
            Event::Mouse(mouse::Event::CursorMoved { .. }) => {
                let grip = state.drag?;
                let at = cursor.land().position_from(bounds.position())?;
                let at = self.to_clip(at, bounds.size());
                let square = square::dragged(self.square?, grip, at, self.size);
                Some(Action::publish(Message::Squared(square)).and_capture())
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)) => {
                state.drag.take()?;
                Some(Action::publish(Message::Released).and_capture())
            }
            _ => None,
        }
    }

    fn draw(
        &self,
        state: &Interaction,
        renderer: &Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _cursor: Cursor,
    ) -> Vec<Geometry> {
        let corners = self
            .square
            .map(|square| self.corners(square, bounds.size()));
        state
            .cache
            .draw(renderer, theme, bounds.size(), corners, |frame, colors| {
                if let Some(corners) = corners {
                    square::draw(frame, colors, corners);
                }
            })
    }

    fn mouse_interaction(
        &self,
        state: &Interaction,
        bounds: Rectangle,
        cursor: Cursor,
    ) -> mouse::Interaction {
        let Some(at) = cursor.land().position() else {
            return mouse::Interaction::default();
        };
        if state.drag.is_none() && !cursor.is_over(bounds) {
            return mouse::Interaction::default();
        }
        let at = Point::new(at.x - bounds.x, at.y - bounds.y);
        state
            .drag
            .or_else(|| self.grip(at, bounds.size()))
            .map(|grip| square::interaction(grip, self.to_clip(at, bounds.size())))
            .unwrap_or_default()
    }
}
