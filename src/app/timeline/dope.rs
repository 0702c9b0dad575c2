//! The dope sheet: a row of keys for each channel that has some, and a row above for all keys.

use iced::widget::canvas::{Frame, Path, Stroke};
use iced::{Point, Rectangle, Size};

use crate::app::strings::timeline as strings;
use crate::app::widgets::theme::{self, Colors};
use crate::document::{Channel, KeyId, Selection, SliderRange, Track};

use super::sheet::{DIAMOND, GRAB_DISTANCE, Hit, Sheet, TOP, crowded, diamond, label};

/// Minimum and maximum height of a row, in logical pixels.
const ROW: std::ops::RangeInclusive<f32> = 9.0..=19.0;

/// The value range for keys of any value.
const ANY: std::ops::RangeInclusive<f32> = f32::NEG_INFINITY..=f32::INFINITY;

/// Width of a column of a band, in logical pixels.
const BAND: f32 = 2.0;

/// What is in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Row {
    All,
    Channel(Channel),
}

impl Sheet<'_> {
    fn rows(&self) -> Vec<Row> {
        let Some(track) = self.given.subject.track() else {
            let read = self.channels.iter().map(|(channel, _)| *channel);
            let read = read.filter(|channel| self.given.subject.value_range(*channel).is_some());
            return read.map(Row::Channel).collect();
        };
        let channels = self.channels.iter().map(|(channel, _)| *channel);
        let keyed = channels.filter(|channel| !track.curve(*channel).is_empty());
        [Row::All]
            .into_iter()
            .chain(keyed.map(Row::Channel))
            .collect()
    }

    fn dope_height(&self, size: Size, rows: usize) -> f32 {
        let height = (size.height - TOP) / rows.max(1) as f32;
        height.clamp(*ROW.start(), *ROW.end())
    }

    /// The row at a point.
    fn row_at(&self, at: Point, size: Size) -> Option<Row> {
        let rows = self.rows();
        let index = ((at.y - TOP) / self.dope_height(size, rows.len())).floor();
        (index >= 0.0).then(|| rows.get(index as usize).copied())?
    }

    /// The channel whose row is at a point.
    pub(super) fn dope_channel(&self, at: Point, size: Size) -> Option<Channel> {
        match self.row_at(at, size)? {
            Row::Channel(channel) => Some(channel),
            Row::All => None,
        }
    }

    pub(super) fn dope_hit(&self, track: &Track, at: Point, size: Size) -> Option<Hit> {
        let scale = self.scale(size);
        if at.x < scale.left - GRAB_DISTANCE {
            return None;
        }
        let near = |time: &f64| (scale.x_of(*time) - at.x).abs();
        let nearest = |times: Vec<f64>| {
            times
                .into_iter()
                .filter(|time| near(time) <= GRAB_DISTANCE)
                .min_by(|a, b| near(a).total_cmp(&near(b)))
        };
        match self.row_at(at, size)? {
            Row::Channel(channel) => {
                let keys = track.curve(channel).keys().iter();
                let time = nearest(keys.map(|key| key.time).collect())?;
                let at = KeyId { channel, time };
                Some(Hit {
                    ids: [at].into(),
                    at,
                })
            }
            Row::All => {
                let time = nearest(track.moments())?;
                let ids = track.keys_in(&Channel::ALL, time - 1e-6..=time + 1e-6, ANY);
                let at = *ids.first()?;
                Some(Hit { ids, at })
            }
        }
    }

    pub(super) fn dope_within(&self, track: &Track, area: Rectangle, size: Size) -> Selection {
        let scale = self.scale(size);
        let rows = self.rows();
        let height = self.dope_height(size, rows.len());
        let touched = |index: usize| {
            let top = TOP + index as f32 * height;
            // A row is selected if the box covers its middle, where its keys are.
            (area.y..=area.y + area.height).contains(&(top + height / 2.0))
        };
        let channels: Vec<Channel> = rows
            .iter()
            .enumerate()
            .filter(|(index, _)| touched(*index))
            .flat_map(|(_, row)| match row {
                Row::All => Channel::ALL.to_vec(),
                Row::Channel(channel) => vec![*channel],
            })
            .collect();
        let times = scale.time_at(area.x)..=scale.time_at(area.x + area.width);
        track.keys_in(&channels, times, ANY)
    }

    pub(super) fn draw_dope(
        &self,
        frame: &mut Frame,
        colors: &Colors,
        size: Size,
        over: Option<Channel>,
    ) {
        let Some(track) = self.given.subject.track() else {
            self.draw_read(frame, colors, size, over);
            return;
        };
        let scale = self.scale(size);
        let rows = self.rows();
        let height = self.dope_height(size, rows.len());
        let half = DIAMOND.min(height / 2.0 - 0.5);
        let lane = Rectangle {
            y: TOP,
            height,
            ..self.plot(size).expand(DIAMOND)
        };
        let path = Path::rounded_rectangle(lane.position(), lane.size(), 3.0.into());
        frame.fill(&path, colors.raised);
        if track.is_empty() {
            self.draw_hint(frame, colors, size, strings::EMPTY_TRACK);
        }
        for (index, row) in rows.iter().enumerate() {
            let y = TOP + (index as f32 + 0.5) * height;
            match row {
                Row::All => {
                    let text = label(
                        strings::ALL_KEYS.to_owned(),
                        Point::new(28.0, y),
                        colors.dim,
                        theme::FIGURES,
                    );
                    frame.fill_text(text);
                    let is_lit =
                        |time: f64| self.lit.iter().any(|id| (id.time - time).abs() < 1e-6);
                    let moments = track.moments();
                    // So dense that they would merge into a band.
                    let band = moments.len() > 1
                        && scale.step() * scale.last as f32 / (moments.len() as f32) < 12.0;
                    for time in moments {
                        let x = scale.x_of(time);
                        if scale.is_visible(x) {
                            let lit = is_lit(time);
                            let half = if band && !lit { half / 2.0 } else { half };
                            let color = if lit { colors.accent } else { colors.dim };
                            frame.fill(&diamond(Point::new(x, y), half), color);
                        }
                    }
                }
                Row::Channel(channel) => {
                    let is_over = over == Some(*channel);
                    let color = if is_over { colors.text } else { colors.dim };
                    self.draw_name(frame, *channel, y, color);
                    self.draw_row(frame, colors, size, track, *channel, (y, half));
                }
            }
        }
    }

    /// Draws a read motion, which has no keys: a band per channel, its height proportional to the value's magnitude.
    fn draw_read(&self, frame: &mut Frame, colors: &Colors, size: Size, over: Option<Channel>) {
        let rows = self.rows();
        if rows.is_empty() {
            self.draw_hint(frame, colors, size, strings::NO_MOVEMENT);
            return;
        }
        let scale = self.scale(size);
        let height = self.dope_height(size, rows.len());
        for (index, row) in rows.iter().enumerate() {
            let Row::Channel(channel) = row else { continue };
            let bottom = TOP + (index as f32 + 1.0) * height - 1.0;
            let is_over = over == Some(*channel);
            let color = if is_over { colors.text } else { colors.dim };
            self.draw_name(frame, *channel, bottom + 1.0 - height / 2.0, color);
            let ground =
                Path::rectangle(Point::new(scale.left, bottom), Size::new(scale.width, 1.0));
            frame.fill(&ground, colors.line);
            // Drawn by columns, so that frames without a face leave gaps.
            let band = Path::new(|path| {
                for i in 0..(scale.width / BAND) as usize {
                    let x = scale.left + i as f32 * BAND;
                    let Some((left, right)) = self.value(*channel, scale.at(x + BAND / 2.0)) else {
                        continue;
                    };
                    let rest = channel.neutral();
                    let most = *channel.limits(SliderRange::Usual).end() - rest;
                    let away = (left - rest).abs().max((right - rest).abs());
                    let strong = (away / most).clamp(0.0, 1.0);
                    let high = strong * (height - 2.0);
                    if high > 0.2 {
                        path.rectangle(Point::new(x, bottom - high), Size::new(BAND, high));
                    }
                }
            });
            let strong = if is_over { 0.95 } else { 0.7 };
            frame.fill(&band, colors.accent.scale_alpha(strong));
        }
    }

    fn draw_row(
        &self,
        frame: &mut Frame,
        colors: &Colors,
        size: Size,
        track: &Track,
        channel: Channel,
        (y, half): (f32, f32),
    ) {
        let scale = self.scale(size);
        let keys = track.curve(channel).keys();
        // A line where the value changes.
        for pair in keys.windows(2) {
            let moves = (pair[0].left, pair[0].right) != (pair[1].left, pair[1].right);
            let (from, to) = (scale.x_of(pair[0].time), scale.x_of(pair[1].time));
            if moves && to > scale.left && from < scale.right() {
                let line = Path::line(
                    Point::new(from.max(scale.left), y),
                    Point::new(to.min(scale.right()), y),
                );
                let stroke = Stroke::default().with_color(colors.line).with_width(2.0);
                frame.stroke(&line, stroke);
            }
        }
        let crowded = crowded(track.curve(channel), &scale);
        for key in keys {
            let x = scale.x_of(key.time);
            let lit = self.lit.contains(&KeyId {
                channel,
                time: key.time,
            });
            if scale.is_visible(x) {
                let half = if crowded && !lit { half / 2.0 } else { half };
                let color = if lit { colors.accent } else { colors.dim };
                frame.fill(&diamond(Point::new(x, y), half), color);
            }
        }
    }
}
