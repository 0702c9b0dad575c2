//! Small pieces that several panels share.

use std::cell::RefCell;
use std::str::FromStr;
use std::time::Duration;

use iced::widget::tooltip::Position;
use iced::widget::{button, canvas, container, row, space, text, tooltip};
use iced::{Alignment, Color, Element, Point, Rectangle, Renderer, Size, Theme, mouse};

use super::theme;

/// A drawing that is kept until what it shows has changed.
///
/// Besides the work it saves, the software renderer needs it: of a fresh drawing it repaints only the boxes of the
/// paths, and those of straight lines are empty.
#[derive(Debug)]
pub struct Kept<K> {
    cache: canvas::Cache,
    /// With whether the window was light.
    key: RefCell<Option<(K, bool)>>,
}

impl<K> Default for Kept<K> {
    fn default() -> Self {
        Self {
            cache: canvas::Cache::new(),
            key: RefCell::new(None),
        }
    }
}

impl<K: PartialEq> Kept<K> {
    /// The drawing for `key`, made anew only when the key or the size is another.
    pub fn draw(
        &self,
        renderer: &Renderer,
        size: Size,
        key: K,
        draw: impl FnOnce(&mut canvas::Frame),
    ) -> Vec<canvas::Geometry> {
        let key = Some((key, theme::is_light()));
        if *self.key.borrow() != key {
            self.cache.clear();
            self.key.replace(key);
        }
        vec![self.cache.draw(renderer, size, draw)]
    }
}

/// A typed number; a decimal comma is understood.
pub fn decimal<T: FromStr>(text: &str) -> Option<T> {
    text.trim().replace(',', ".").parse().ok()
}

/// Something with an explanation that appears when the cursor rests on it.
pub fn hinted<'a, M: 'a>(
    content: impl Into<Element<'a, M>>,
    hint: &'a str,
    position: Position,
) -> Element<'a, M> {
    hinted_by(content, hint, position)
}

/// The same with words that are made for it.
pub fn hinted_by<'a, M: 'a>(
    content: impl Into<Element<'a, M>>,
    hint: impl text::IntoFragment<'a>,
    position: Position,
) -> Element<'a, M> {
    let hint = container(text(hint).size(theme::SMALL))
        .padding(8)
        .max_width(260)
        .style(theme::tip);
    tooltip(content, hint, position)
        .delay(Duration::from_millis(500))
        .into()
}

/// A small button with a word on it; without a message it can't be pressed.
pub fn action<'a, M: Clone + 'a>(label: &'a str, message: Option<M>) -> Element<'a, M> {
    button(text(label).size(theme::SMALL))
        .on_press_maybe(message)
        .padding([4, 9])
        .style(theme::raised)
        .into()
}

/// A small button that stays down while what it stands for is on.
pub fn toggle<'a, M: Clone + 'a>(
    label: impl text::IntoFragment<'a>,
    on: bool,
    message: M,
) -> Element<'a, M> {
    button(text(label).size(theme::SMALL))
        .on_press(message)
        .padding([4, 9])
        .style(theme::toggled(on))
        .into()
}

/// The last line of a dialog: a way out, and what it is for.
pub fn ending<'a, M: Clone + 'a>(cancel: M, label: &'a str, go: M) -> Element<'a, M> {
    row![
        space::horizontal(),
        action("Cancel", Some(cancel)),
        button(text(label).size(theme::NORMAL))
            .on_press(go)
            .padding([5, 16])
            .style(theme::primary),
    ]
    .spacing(theme::GAP)
    .align_y(Alignment::Center)
    .into()
}

/// A length of time as a person says it.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Bytes as a person says them.
pub fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        ..1e3 => format!("{bytes} bytes"),
        ..1e6 => format!("{:.0} KB", bytes / 1e3),
        ..1e9 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    }
}

/// A button with a drawn sign on it; without a message it can't be pressed.
pub fn sign<'a, M: Clone + 'a>(sign: Sign, message: Option<M>) -> Element<'a, M> {
    let color = if message.is_some() {
        theme::text()
    } else {
        theme::faint()
    };
    button(drawn(sign, color))
        .on_press_maybe(message)
        .padding(5)
        .style(theme::raised)
        .into()
}

/// The signs that buttons wear; drawn, so that no font needs to have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Play,
    Pause,
    ToStart,
    Undo,
    Redo,
    /// Drawn in [`super::signs`].
    Die,
    Locked,
    Unlocked,
    Heart,
    Board,
    Cross,
    Person,
    Movement,
}

/// A sign by itself, in a colour.
pub fn drawn<'a, M: 'a>(sign: Sign, color: Color) -> Element<'a, M> {
    canvas(Drawing { sign, color }).width(16).height(16).into()
}

struct Drawing {
    sign: Sign,
    color: Color,
}

impl<M> canvas::Program<M> for Drawing {
    type State = Kept<(Sign, Color)>;

    fn draw(
        &self,
        kept: &Self::State,
        renderer: &Renderer,
        _theme: &Theme,
        bounds: Rectangle,
        _cursor: mouse::Cursor,
    ) -> Vec<canvas::Geometry> {
        kept.draw(renderer, bounds.size(), (self.sign, self.color), |frame| {
            self.paint(frame)
        })
    }
}

impl Drawing {
    fn paint(&self, frame: &mut canvas::Frame) {
        let stroke = canvas::Stroke::default()
            .with_color(self.color)
            .with_width(1.8)
            .with_line_cap(canvas::LineCap::Round);
        let polygon = |points: &[(f32, f32)]| {
            canvas::Path::new(|path| {
                for (i, (x, y)) in points.iter().enumerate() {
                    let point = Point::new(*x, *y);
                    if i == 0 {
                        path.move_to(point);
                    } else {
                        path.line_to(point);
                    }
                }
                path.close();
            })
        };
        let bar = |x: f32| polygon(&[(x, 3.0), (x + 3.5, 3.0), (x + 3.5, 13.0), (x, 13.0)]);
        match self.sign {
            Sign::Play => frame.fill(
                &polygon(&[(4.0, 2.0), (14.0, 8.0), (4.0, 14.0)]),
                self.color,
            ),
            Sign::Pause => {
                frame.fill(&bar(3.5), self.color);
                frame.fill(&bar(9.0), self.color);
            }
            Sign::ToStart => {
                frame.fill(
                    &polygon(&[(2.0, 3.0), (4.0, 3.0), (4.0, 13.0), (2.0, 13.0)]),
                    self.color,
                );
                frame.fill(
                    &polygon(&[(13.0, 2.5), (5.0, 8.0), (13.0, 13.5)]),
                    self.color,
                );
            }
            Sign::Undo | Sign::Redo => {
                let x = |x: f32| if self.sign == Sign::Undo { x } else { 16.0 - x };
                let bow = canvas::Path::new(|path| {
                    path.move_to(Point::new(x(3.0), 6.0));
                    path.line_to(Point::new(x(10.0), 6.0));
                    path.bezier_curve_to(
                        Point::new(x(14.5), 6.0),
                        Point::new(x(14.5), 13.0),
                        Point::new(x(10.0), 13.0),
                    );
                    path.line_to(Point::new(x(6.0), 13.0));
                });
                let head = canvas::Path::new(|path| {
                    path.move_to(Point::new(x(6.0), 2.8));
                    path.line_to(Point::new(x(2.8), 6.0));
                    path.line_to(Point::new(x(6.0), 9.2));
                });
                frame.stroke(&bow, stroke);
                frame.stroke(&head, stroke);
            }
            Sign::Die
            | Sign::Locked
            | Sign::Unlocked
            | Sign::Heart
            | Sign::Board
            | Sign::Cross
            | Sign::Person
            | Sign::Movement => super::signs::paint(self.sign, frame, self.color),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_read_as_a_person_says_them() {
        assert_eq!(duration(Duration::from_millis(1200)), "2 s");
        assert_eq!(duration(Duration::from_secs(61)), "1 min 01 s");
        assert_eq!(duration(Duration::from_secs(7260)), "2 h 01 min");
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(41_500), "42 KB");
        assert_eq!(size(3_440_000), "3.4 MB");
        assert_eq!(size(1_200_000_000), "1.2 GB");
    }
}
