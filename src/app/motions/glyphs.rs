//! The icons of the list of motions, drawn so that no font needs to contain them.

use iced::widget::canvas::{Frame, LineCap, LineJoin, Path, Stroke};
use iced::widget::{button, container};
use iced::{Color, Element, Point, Size};

use crate::app::widgets::icon::{Icon, polyline};
use crate::app::widgets::theme::{self, Tint};
use crate::document::MotionKind;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    /// A curve through keyframes.
    Track,
    /// A strip of film.
    Clip,
    /// A die.
    Sample,
    Pencil,
    Copy,
    Cross,
}

impl Glyph {
    /// The icon of a kind of motion.
    pub fn of(kind: &MotionKind) -> Self {
        match kind {
            MotionKind::Track(_) => Glyph::Track,
            MotionKind::Clip(_) => Glyph::Clip,
            MotionKind::Sample(_) => Glyph::Sample,
        }
    }

    /// A small flat button with this icon; disabled without a message.
    pub fn button<'a, M: Clone + 'a>(self, id: String, message: Option<M>) -> Element<'a, M> {
        let tint: Tint = if message.is_some() {
            |colors| colors.dim
        } else {
            |colors| colors.faint.scale_alpha(0.5)
        };
        let pressed = button(self.into_element(tint))
            .on_press_maybe(message)
            .padding(3)
            .style(theme::flat);
        container(pressed).id(id).into()
    }
}

impl Icon for Glyph {
    fn paint(self, frame: &mut Frame, color: Color) {
        let stroke = Stroke::default()
            .with_color(color)
            .with_width(1.3)
            .with_line_cap(LineCap::Round)
            .with_line_join(LineJoin::Round);
        let rounded = |x, y, width, height, radius: f32| {
            Path::rounded_rectangle(Point::new(x, y), Size::new(width, height), radius.into())
        };
        let line = |points: &[(f32, f32)]| Path::new(|path| polyline(path, points));
        match self {
            Glyph::Track => {
                let curve = Path::new(|path| {
                    path.move_to(Point::new(2.5, 12.0));
                    path.bezier_curve_to(
                        Point::new(7.5, 12.0),
                        Point::new(8.5, 4.0),
                        Point::new(13.5, 4.0),
                    );
                });
                frame.stroke(&curve, stroke);
                for (x, y) in [(2.8, 12.0), (13.2, 4.0)] {
                    frame.fill(&Path::circle(Point::new(x, y), 2.3), color);
                }
            }
            Glyph::Clip => {
                frame.stroke(&rounded(1.6, 3.1, 12.8, 9.8, 1.5), stroke);
                for x in [3.6, 10.9] {
                    for y in [4.9, 7.3, 9.7] {
                        let hole = Path::rectangle(Point::new(x, y), Size::new(1.5, 1.4));
                        frame.fill(&hole, color);
                    }
                }
            }
            Glyph::Sample => {
                frame.stroke(&rounded(2.1, 2.1, 11.8, 11.8, 2.6), stroke);
                for at in [5.3, 8.0, 10.7] {
                    frame.fill(&Path::circle(Point::new(at, at), 1.25), color);
                }
            }
            Glyph::Pencil => {
                let body = [
                    (3.0, 13.0),
                    (3.6, 10.2),
                    (10.6, 3.2),
                    (12.8, 5.4),
                    (5.8, 12.4),
                    (3.0, 13.0),
                ];
                frame.stroke(&line(&body), stroke);
            }
            Glyph::Copy => {
                frame.stroke(&rounded(5.6, 5.6, 7.8, 7.8, 1.4), stroke);
                let behind = [
                    (3.4, 10.2),
                    (2.6, 10.2),
                    (2.6, 2.6),
                    (10.2, 2.6),
                    (10.2, 3.4),
                ];
                frame.stroke(&line(&behind), stroke);
            }
            Glyph::Cross => {
                frame.stroke(&line(&[(4.0, 4.0), (12.0, 12.0)]), stroke);
                frame.stroke(&line(&[(12.0, 4.0), (4.0, 12.0)]), stroke);
            }
        }
    }
}
