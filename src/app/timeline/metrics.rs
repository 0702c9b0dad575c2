//! Measurements per frame: a curve for each series, and their means; and a chart of the panel for a file.

use iced::widget::canvas::{Frame, Path, Stroke, Text};
use iced::widget::{Column, container, row, scrollable, space, text};
use iced::{Alignment, Color, Element, Length, Point, Size, alignment::Horizontal};

use crate::app::strings::timeline as strings;
use crate::app::widgets::theme::{self, Colors};
use crate::jobs::charts::Charts;

use super::numbers::{Numbers, Series};
use super::sheet::{GUTTER, Sheet, label};
use super::subject::TimelineSource;
use super::{Message, Tab, Timeline};

/// The table's width, in logical pixels.
const TABLE: f32 = 232.0;

/// The letter that identifies a curve in the table.
fn letter(index: usize) -> String {
    let letter = char::from(b'A' + (index % 26) as u8);
    letter.to_string()
}

/// The accent for the first curve, greys for the others.
fn color(colors: &Colors, index: usize) -> Color {
    if index == 0 {
        return colors.accent;
    }
    let shade = (0.95 - (index - 1) as f32 * 0.14).max(0.3);
    theme::mix(colors.line, colors.text, shade)
}

/// Formats a number with about four significant digits.
fn figures(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// The plotted range. Wide enough that the axis labels differ even if all values are equal; not extended below 0 if no value
/// is negative.
pub(super) fn span(low: f32, high: f32) -> (f32, f32) {
    let least = 0.001 * high.abs().max(1.0);
    let margin = ((high - low) * 0.06).max(least);
    let under = low - margin;
    (
        if low >= 0.0 { under.max(0.0) } else { under },
        high + margin,
    )
}

impl Timeline {
    /// Returns a chart of what is shown: the chosen metric, or else the curves of the channels that move.
    pub fn chart(
        &self,
        title: &str,
        subject: TimelineSource<'_>,
        numbers: Option<&Numbers>,
    ) -> Option<Charts> {
        if self.tab == Tab::Metrics {
            let numbers = numbers?;
            let metric = numbers.chosen(self.metric.as_deref())?;
            let frames = 0..u32::try_from(numbers.frames).unwrap_or(u32::MAX);
            let times: Vec<f64> = frames.map(|frame| subject.time_of(frame)).collect();
            let lines = numbers.of(metric).map(|series| {
                let values = series.values.iter().map(|value| value.map(f64::from));
                (series.name.as_str(), metric, values.collect())
            });
            return Some(Charts::metrics(title, &times, lines));
        }
        let charts = match subject {
            TimelineSource::Track(document) => Charts::of_track(title, document),
            TimelineSource::Read { poses, .. } => {
                let poses = (0..).zip(poses);
                let poses: Vec<_> = poses
                    .map(|(frame, pose)| (subject.time_of(frame), *pose))
                    .collect();
                Charts::expression(title, &poses)
            }
        };
        Some(charts)
    }
}

impl Sheet<'_> {
    pub(super) fn draw_numbers(&self, frame: &mut Frame, colors: &Colors, size: Size) {
        let Some(numbers) = self.given.numbers else {
            self.draw_hint(frame, colors, size, strings::NOT_MEASURED);
            return;
        };
        let Some(metric) = numbers.chosen(self.metric) else {
            self.draw_hint(frame, colors, size, strings::NO_RESULTS);
            return;
        };
        let known = || {
            numbers
                .of(metric)
                .flat_map(|series| &series.values)
                .flatten()
        };
        let known = || known().copied().filter(|value| value.is_finite());
        let high = known().fold(f32::NEG_INFINITY, f32::max);
        let low = known().fold(f32::INFINITY, f32::min);
        if low > high {
            self.draw_hint(frame, colors, size, strings::NO_VALUES);
            return;
        }
        let (low, high) = span(low, high);
        let plot = self.plot(size);
        let y_of = |value: f32| plot.y + (high - value) / (high - low) * plot.height;
        for share in [0.0, 0.5, 1.0] {
            let value = low + (high - low) * share;
            let y = y_of(value);
            let line = Path::line(Point::new(plot.x, y), Point::new(plot.x + plot.width, y));
            let faint = colors.line.scale_alpha(0.5);
            frame.stroke(&line, Stroke::default().with_color(faint).with_width(1.0));
            let place = Point::new(GUTTER - 10.0, y);
            let text = label(figures(value.into()), place, colors.dim, theme::FIGURES);
            frame.fill_text(Text {
                align_x: Horizontal::Right.into(),
                ..text
            });
        }
        let scale = self.scale(size);
        let seen = |index: usize| {
            (scale.first - 1.0..=scale.first + scale.span + 1.0).contains(&(index as f64))
        };
        // The first series is drawn last, above the others.
        let all: Vec<_> = numbers.of(metric).enumerate().collect();
        for (rank, series) in all.into_iter().rev() {
            let points = series
                .values
                .iter()
                .enumerate()
                .filter(|(index, _)| seen(*index));
            let points = points.map(|(index, value)| {
                let value = value.filter(|value| value.is_finite());
                let x = scale.x(index as f64).clamp(scale.left, scale.right());
                value.map(|value| Point::new(x, y_of(value)))
            });
            let points: Vec<Option<Point>> = points.collect();
            let path = Path::new(|path| {
                let mut pen = false;
                for point in &points {
                    match point {
                        Some(point) if pen => path.line_to(*point),
                        Some(point) => path.move_to(*point),
                        None => {}
                    }
                    pen = point.is_some();
                }
            });
            let stroke = Stroke::default()
                .with_color(color(colors, rank))
                .with_width(1.5);
            frame.stroke(&path, stroke);
            if let Some(end) = points.iter().flatten().next_back() {
                let place = Point::new((end.x + 7.0).min(size.width - 5.0), end.y);
                frame.fill_text(label(
                    letter(rank),
                    place,
                    color(colors, rank),
                    theme::FIGURES,
                ));
            }
        }
    }
}

/// The table of a metric's means, next to the curves.
pub fn table<'a>(numbers: &'a Numbers, metric: &str) -> Element<'a, Message> {
    let line = |index: usize, series: &'a Series| {
        let mean = series.mean().map_or("–".to_owned(), figures);
        row![
            text(letter(index))
                .size(theme::SMALL)
                .font(theme::FIGURES)
                .style(move |theme| text::Style {
                    color: Some(color(theme::colors(theme), index)),
                })
                .width(14),
            text(&series.name)
                .size(theme::SMALL)
                .style(theme::text)
                .wrapping(text::Wrapping::None)
                .width(Length::Fill),
            text(mean)
                .size(theme::SMALL)
                .font(theme::FIGURES)
                .style(theme::dim),
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center)
        .into()
    };
    let head = row![
        text(strings::MEAN).size(theme::SMALL).style(theme::dim),
        space::horizontal(),
    ];
    let lines = numbers.of(metric).enumerate();
    let lines = lines.map(|(index, series)| line(index, series));
    let all = Column::new()
        .push(head)
        .extend(lines)
        .spacing(5)
        .padding([4.0, 10.0]);
    container(scrollable(all).style(theme::scroll))
        .width(TABLE)
        .height(Length::Fill)
        .into()
}
