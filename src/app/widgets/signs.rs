//! Icons for buttons, drawn in a square of 16 logical pixels so that no font needs to contain them.

use iced::widget::button;
use iced::widget::canvas::{Frame, LineCap, LineJoin, Path, Stroke, path};
use iced::{Color, Element, Point, Size, border};

use super::icon::{Icon, polyline};
use super::theme::{self, Tint};

/// The icons of buttons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Play,
    Pause,
    ToStart,
    Undo,
    Redo,
    Die,
    Locked,
    Unlocked,
    Heart,
    Board,
    Cross,
    Person,
    Movement,
}

/// An icon button; disabled without a message.
pub fn sign<'a, M: Clone + 'a>(sign: Sign, message: Option<M>) -> Element<'a, M> {
    let tint: Tint = if message.is_some() {
        |colors| colors.text
    } else {
        |colors| colors.faint
    };
    button(sign.into_element(tint))
        .on_press_maybe(message)
        .padding(5)
        .style(theme::raised)
        .into()
}

impl Icon for Sign {
    fn paint(self, frame: &mut Frame, color: Color) {
        let sign = self;
        let stroke = Stroke::default()
            .with_color(color)
            .with_width(1.6)
            .with_line_cap(LineCap::Round)
            .with_line_join(LineJoin::Round);
        let bold = Stroke::default()
            .with_color(color)
            .with_width(1.8)
            .with_line_cap(LineCap::Round);
        let polygon = |points: &[(f32, f32)]| {
            Path::new(|path| {
                polyline(path, points);
                path.close();
            })
        };
        let bar = |x: f32| polygon(&[(x, 3.0), (x + 3.5, 3.0), (x + 3.5, 13.0), (x, 13.0)]);
        match self {
            Sign::Play => frame.fill(&polygon(&[(4.0, 2.0), (14.0, 8.0), (4.0, 14.0)]), color),
            Sign::Pause => {
                frame.fill(&bar(3.5), color);
                frame.fill(&bar(9.0), color);
            }
            Sign::ToStart => {
                frame.fill(
                    &polygon(&[(2.0, 3.0), (4.0, 3.0), (4.0, 13.0), (2.0, 13.0)]),
                    color,
                );
                frame.fill(&polygon(&[(13.0, 2.5), (5.0, 8.0), (13.0, 13.5)]), color);
            }
            Sign::Undo | Sign::Redo => {
                let x = |x: f32| if sign == Sign::Undo { x } else { 16.0 - x };
                let bow = Path::new(|path| {
                    path.move_to(Point::new(x(3.0), 6.0));
                    path.line_to(Point::new(x(10.0), 6.0));
                    path.bezier_curve_to(
                        Point::new(x(14.5), 6.0),
                        Point::new(x(14.5), 13.0),
                        Point::new(x(10.0), 13.0),
                    );
                    path.line_to(Point::new(x(6.0), 13.0));
                });
                let head = Path::new(|path| {
                    path.move_to(Point::new(x(6.0), 2.8));
                    path.line_to(Point::new(x(2.8), 6.0));
                    path.line_to(Point::new(x(6.0), 9.2));
                });
                frame.stroke(&bow, bold);
                frame.stroke(&head, bold);
            }
            Sign::Die => {
                frame.stroke(&rounded(1.8, 1.8, 12.4, 12.4, 2.8), stroke);
                for at in [5.0, 8.0, 11.0] {
                    frame.fill(&Path::circle(Point::new(at, 16.0 - at), 1.25), color);
                }
            }
            Sign::Locked | Sign::Unlocked => {
                frame.fill(&rounded(3.0, 7.2, 10.0, 7.3, 1.6), color);
                // The shackle of the open lock is higher, with a free end.
                let (top, end) = if sign == Sign::Locked {
                    (4.9, 7.5)
                } else {
                    (3.9, 4.4)
                };
                let bow = Path::new(|path| {
                    path.move_to(point(5.3, 7.5));
                    path.line_to(point(5.3, top));
                    curve(path, (5.3, top - 3.4), (10.7, top - 3.4), (10.7, top));
                    path.line_to(point(10.7, end));
                });
                frame.stroke(&bow, stroke);
            }
            Sign::Heart => {
                let heart = Path::new(|path| {
                    path.move_to(point(8.0, 13.6));
                    curve(path, (3.2, 10.2), (1.6, 8.2), (1.6, 5.8));
                    curve(path, (1.6, 2.4), (6.2, 1.4), (8.0, 4.8));
                    curve(path, (9.8, 1.4), (14.4, 2.4), (14.4, 5.8));
                    curve(path, (14.4, 8.2), (12.8, 10.2), (8.0, 13.6));
                    path.close();
                });
                frame.fill(&heart, color);
            }
            Sign::Board => {
                for y in [1.6, 6.3, 11.0] {
                    for x in [1.6, 6.3, 11.0] {
                        frame.fill(&rounded(x, y, 3.4, 3.4, 0.8), color);
                    }
                }
            }
            Sign::Cross => {
                for (from, to) in [((4.0, 4.0), (12.0, 12.0)), ((12.0, 4.0), (4.0, 12.0))] {
                    let line = Path::line(point(from.0, from.1), point(to.0, to.1));
                    frame.stroke(&line, stroke);
                }
            }
            Sign::Person => {
                frame.fill(&Path::circle(point(8.0, 5.0), 3.0), color);
                let shoulders = Path::new(|path| {
                    path.move_to(point(2.4, 14.4));
                    curve(path, (2.4, 7.6), (13.6, 7.6), (13.6, 14.4));
                    path.close();
                });
                frame.fill(&shoulders, color);
            }
            Sign::Movement => {
                let wave = Path::new(|path| {
                    path.move_to(point(1.6, 10.6));
                    curve(path, (4.0, 2.0), (6.2, 2.6), (8.0, 8.0));
                    curve(path, (9.8, 13.4), (12.0, 14.0), (14.4, 5.4));
                });
                frame.stroke(&wave, stroke);
            }
        }
    }
}

fn point(x: f32, y: f32) -> Point {
    Point::new(x, y)
}

fn curve(path: &mut path::Builder, a: (f32, f32), b: (f32, f32), to: (f32, f32)) {
    path.bezier_curve_to(point(a.0, a.1), point(b.0, b.1), point(to.0, to.1));
}

fn rounded(x: f32, y: f32, width: f32, height: f32, radius: f32) -> Path {
    let radius = border::radius(radius);
    Path::rounded_rectangle(point(x, y), Size::new(width, height), radius)
}
