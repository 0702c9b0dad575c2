//! The curves of the Action Units, the head and the eyes, with keys and handles to drag.

use iced::widget::canvas::{self, Frame, Path, Stroke};
use iced::{Color, Point, Rectangle, Size};

use crate::app::strings::timeline as strings;
use crate::app::widgets::theme::{self, Colors};
use crate::document::{Channel, Key, KeyId, Selection, Sides, Track};

use super::lens::Scale;
use super::sheet::{
    DIAMOND, GRAB_DISTANCE, GUTTER, Handle, Hit, RULER, Sheet, crowded, diamond, label,
};
use super::subject::tag;

/// Minimum height of a name at the left, in logical pixels.
const NAME: f32 = 9.5;

/// How many curves get their name drawn at the playhead.
const NAMED: usize = 6;

impl Sheet<'_> {
    /// Channels whose curves are shown.
    fn shown(&self) -> impl Iterator<Item = Channel> + '_ {
        let shown = self.channels.iter().filter(|(_, on)| *on);
        shown.map(|(channel, _)| *channel)
    }

    /// The y coordinate of a fraction of a channel's usual range.
    fn y_at(&self, share: f32, size: Size) -> f32 {
        let (plot, (low, high)) = (self.plot(size), self.shares());
        plot.y + (high - share) / (high - low) * plot.height
    }

    /// The fraction of a channel's usual range at a y coordinate.
    fn share_at(&self, y: f32, size: Size) -> f32 {
        let (plot, (low, high)) = (self.plot(size), self.shares());
        high - (y - plot.y) / plot.height * (high - low)
    }

    /// The y coordinate of a channel's value.
    fn y_of(&self, channel: Channel, value: f32, size: Size) -> f32 {
        self.y_at(channel.normalise(value), size)
    }

    /// The channels whose names fit. Channels with neither keys nor values are last in the list, and left out first.
    fn names(&self, size: Size) -> &[(Channel, bool)] {
        let rows = ((size.height - RULER) / NAME).max(1.0) as usize;
        &self.channels[..self.channels.len().min(rows)]
    }

    fn row_height(&self, size: Size) -> f32 {
        (size.height - RULER) / self.names(size).len().max(1) as f32
    }

    /// The channel whose name is at a point.
    pub(super) fn named_at(&self, at: Point, size: Size) -> Option<Channel> {
        let row = ((at.y - RULER) / self.row_height(size)).floor();
        let (channel, _) = (row >= 0.0).then(|| self.names(size).get(row as usize))??;
        Some(*channel)
    }

    /// The positions of a key's values; a single one if both halves are equal.
    fn places(
        &self,
        channel: Channel,
        key: &Key,
        scale: &Scale,
        size: Size,
    ) -> impl Iterator<Item = Point> {
        let x = scale.x_of(key.time);
        let right = (!key.is_even()).then_some(key.right);
        let y_of = |value: f32| self.y_of(channel, value, size);
        let ys = [Some(key.left), right].map(|value| value.map(y_of));
        ys.into_iter().flatten().map(move |y| Point::new(x, y))
    }

    /// The keys that are drawn on the curves.
    fn keys_shown<'t>(
        &self,
        track: &'t Track,
        size: Size,
    ) -> impl Iterator<Item = (KeyId, &'t Key)> {
        let scale = self.scale(size);
        self.shown().flat_map(move |channel| {
            let curve = track.curve(channel);
            let crowded = crowded(curve, &scale);
            let keys = curve.keys().iter().map(move |key| {
                let time = key.time;
                (KeyId { channel, time }, key)
            });
            keys.filter(move |(id, key)| {
                scale.is_visible(scale.x_of(key.time)) && (!crowded || self.lit.contains(id))
            })
        })
    }

    pub(super) fn curve_hit(&self, track: &Track, at: Point, size: Size) -> Option<Hit> {
        let scale = self.scale(size);
        let near = |(id, key): (KeyId, &Key)| {
            let far = self
                .places(id.channel, key, &scale, size)
                .map(|place| place.distance(at));
            (id, far.fold(f32::INFINITY, f32::min))
        };
        // Among keys at one position, a selected one comes first.
        let order = |(id, far): &(KeyId, f32)| *far - if self.lit.contains(id) { 1.0 } else { 0.0 };
        let (at, _) = self
            .keys_shown(track, size)
            .map(near)
            .filter(|(_, far)| *far <= GRAB_DISTANCE)
            .min_by(|a, b| order(a).total_cmp(&order(b)))?;
        Some(Hit {
            ids: [at].into(),
            at,
        })
    }

    pub(super) fn curves_within(&self, track: &Track, area: Rectangle, size: Size) -> Selection {
        let scale = self.scale(size);
        let share = |y: f32| self.share_at(y, size);
        let channels: Vec<Channel> = self.shown().collect();
        let times = scale.time_at(area.x)..=scale.time_at(area.x + area.width);
        let shares = share(area.y + area.height)..=share(area.y);
        track.keys_in(&channels, times, shares)
    }

    /// The channel whose curve passes near a point.
    pub(super) fn curve_at(&self, at: Point, size: Size) -> Option<Channel> {
        let scale = self.scale(size);
        if !self.plot(size).contains(at) {
            return None;
        }
        // Looks a few pixels to either side, for steep curves.
        let far =
            |channel: Channel| {
                (-3..=3)
                    .flat_map(|by| {
                        let x = at.x + by as f32;
                        let (left, right) = self.value(channel, scale.at(x))?;
                        Some([left, right].map(|value| {
                            Point::new(x, self.y_of(channel, value, size)).distance(at)
                        }))
                    })
                    .flatten()
                    .fold(f32::INFINITY, f32::min)
            };
        let nearest = self.shown().map(|channel| (channel, far(channel)));
        let nearest = nearest.min_by(|a, b| a.1.total_cmp(&b.1))?;
        (nearest.1 <= GRAB_DISTANCE - 1.0).then_some(nearest.0)
    }

    /// A channel's values for the left and right half at a fractional frame.
    pub(super) fn value(&self, channel: Channel, frame: f64) -> Option<(f32, f32)> {
        let subject = self.given.subject;
        match subject.document() {
            Some(document) => {
                let at = document.track.curve(channel).at(frame / subject.fps());
                Some(at.unwrap_or_else(|| document.base_pose.halves(channel)))
            }
            None => {
                // Interpolates linearly between frames where both are known.
                let known = |frame: f64| {
                    let pose = subject.pose(frame.max(0.0) as u32);
                    pose.map(|pose| pose.halves(channel))
                };
                let (before, after) = (known(frame.floor()), known(frame.ceil()));
                let (a, b) = (before.or(after)?, after.or(before)?);
                let both = before.is_some() && after.is_some();
                let t = frame.fract() as f32;
                (both || !(0.2..=0.8).contains(&t))
                    .then_some((a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t))
            }
        }
    }

    /// The handles of the highlighted keys.
    pub(super) fn handles(&self, size: Size) -> Vec<Handle> {
        let Some(track) = self.given.subject.track() else {
            return Vec::new();
        };
        let scale = self.scale(size);
        let mut all = Vec::new();
        for channel in self.shown() {
            for pair in track.curve(channel).keys().windows(2) {
                let (from, to) = (&pair[0], &pair[1]);
                let Some([x1, y1, x2, y2]) = from.easing.handles() else {
                    continue;
                };
                let of = |key: &Key| KeyId {
                    channel,
                    time: key.time,
                };
                if !self.lit.contains(&of(from)) && !self.lit.contains(&of(to)) {
                    continue;
                }
                // Both halves share an easing; where their values differ, each curve shows the handles.
                let two = !from.is_even() || !to.is_even();
                for right in [false, true].into_iter().take(1 + usize::from(two)) {
                    let (begin, end) = (value_of(from, right), value_of(to, right));
                    let place = |x: f32, y: f32| {
                        let time = from.time + (to.time - from.time) * f64::from(x);
                        let value = begin + (end - begin) * y;
                        Point::new(scale.x_of(time), self.y_of(channel, value, size))
                    };
                    let handle = |second: bool, key: Point, at: Point| Handle {
                        id: of(from),
                        second,
                        right,
                        from: key,
                        at,
                    };
                    all.push(handle(false, place(0.0, 0.0), place(x1, y1)));
                    all.push(handle(true, place(1.0, 1.0), place(x2, y2)));
                }
            }
        }
        all
    }

    /// The handle's position for the pointer at a point, in fractions of the segment's time and change of value.
    pub(super) fn bent(&self, handle: &Handle, at: Point, size: Size) -> Option<[f32; 2]> {
        let track = self.given.subject.track()?;
        let keys = track.curve(handle.id.channel).keys();
        let index = keys.iter().position(|key| key.time == handle.id.time)?;
        let (from, to) = (keys.get(index)?, keys.get(index + 1)?);
        let [_, y1, _, y2] = from.easing.handles()?;
        let time = self.scale(size).time_at(at.x);
        let x = ((time - from.time) / (to.time - from.time)) as f32;
        let channel = handle.id.channel;
        let value = channel.clamped(channel.denormalise(self.share_at(at.y, size)));
        let begin = value_of(from, handle.right);
        let way = value_of(to, handle.right) - begin;
        // Between equal values the vertical position is undefined, so it stays.
        let y = if way.abs() < 0.005 * channel.width() {
            if handle.second { y2 } else { y1 }
        } else {
            (value - begin) / way
        };
        Some([x.clamp(0.0, 1.0), y])
    }

    pub(super) fn draw_curves(
        &self,
        frame: &mut Frame,
        colors: &Colors,
        size: Size,
        over: Option<Channel>,
    ) {
        let plot = self.plot(size);
        let (low, high) = self.shares();
        for share in [low, 0.0, 0.5, 1.0, high] {
            let y = self.y_at(share, size);
            let line = Path::line(Point::new(plot.x, y), Point::new(plot.x + plot.width, y));
            let color = colors.line.scale_alpha(if share == 0.0 || share == 1.0 {
                0.7
            } else {
                0.35
            });
            frame.stroke(&line, Stroke::default().with_color(color).with_width(1.0));
        }
        for (row, (channel, on)) in self.names(size).iter().enumerate() {
            let y = RULER + (row as f32 + 0.5) * self.row_height(size);
            let color = match (over == Some(*channel), on) {
                (true, _) => colors.text,
                (false, true) => colors.dim,
                (false, false) => colors.faint.scale_alpha(0.7),
            };
            self.draw_name(frame, *channel, y, color);
            if *on {
                let dot = Path::circle(Point::new(GUTTER - 9.0, y), 2.0);
                frame.fill(&dot, self.color(colors, *channel, over));
            }
        }
        match self.given.subject.track() {
            Some(track) if track.is_empty() => {
                self.draw_hint(frame, colors, size, strings::EMPTY_TRACK)
            }
            None if self.shown().next().is_none() => {
                self.draw_hint(frame, colors, size, strings::NO_MOVEMENT);
            }
            _ => {}
        }
        // The hovered and the highlighted channels are drawn last, above the others.
        let mut channels: Vec<Channel> = self.shown().collect();
        channels.sort_by_key(|channel| (self.is_lit(*channel), over == Some(*channel)));
        for channel in channels {
            self.draw_curve(frame, colors, size, channel, over);
        }
        self.draw_handles(frame, colors, size);
        self.draw_keys(frame, colors, size);
    }

    fn is_lit(&self, channel: Channel) -> bool {
        self.selection.iter().any(|id| id.channel == channel)
    }

    fn color(&self, colors: &Colors, channel: Channel, over: Option<Channel>) -> Color {
        if over == Some(channel) {
            return colors.text;
        }
        if self.is_lit(channel) {
            return colors.accent.scale_alpha(0.85);
        }
        let rank = self.shown().position(|other| other == channel).unwrap_or(0);
        let shade = (0.85 - rank as f32 * 0.09).max(0.3);
        theme::mix(colors.line, colors.text, shade)
    }

    fn draw_curve(
        &self,
        frame: &mut Frame,
        colors: &Colors,
        size: Size,
        channel: Channel,
        over: Option<Channel>,
    ) {
        let scale = self.scale(size);
        let still = self.given.subject.track();
        let still = still.is_some_and(|track| track.curve(channel).is_empty());
        // Samples every second pixel, and each key so that corners are exact.
        let mut frames: Vec<f64> = (0..=(scale.width / 2.0) as usize)
            .map(|i| scale.at(scale.left + 2.0 * i as f32))
            .collect();
        let track = self.given.subject.track();
        // Where keys are crowded, the samples suffice.
        if let Some(track) = track.filter(|track| !crowded(track.curve(channel), &scale)) {
            let keys = track.curve(channel).keys().iter();
            let places = keys.map(|key| key.time * track.fps());
            let (from, to) = (scale.first, scale.first + scale.span);
            // Also just before each key, because a held value ends in a step.
            frames.extend(
                places
                    .filter(|place| (from..=to).contains(place))
                    .flat_map(|place| [place - 1e-6, place]),
            );
            frames.sort_by(f64::total_cmp);
        }
        let points: Vec<(f32, Option<(f32, f32)>)> = frames
            .into_iter()
            .map(|frame| (scale.x(frame), self.value(channel, frame)))
            .collect();
        let even = points
            .iter()
            .all(|(_, value)| value.is_none_or(|(a, b)| a == b));
        // Where the halves of the face differ, the right one's curve is dashed.
        let halves: &[(Sides, &[f32])] = if even {
            &[(Sides::Left, &[])]
        } else {
            &[(Sides::Left, &[]), (Sides::Right, &[4.0, 3.0])]
        };
        for (sides, segments) in halves {
            let curve = Path::new(|path| {
                let mut pen = false;
                for (x, value) in &points {
                    let Some((left, right)) = value else {
                        pen = false;
                        continue;
                    };
                    let value = if *sides == Sides::Left { left } else { right };
                    let point = Point::new(*x, self.y_of(channel, *value, size));
                    if pen {
                        path.line_to(point);
                    } else {
                        path.move_to(point);
                    }
                    pen = true;
                }
            });
            let fade = if still { 0.45 } else { 1.0 };
            let stroke = Stroke {
                line_dash: canvas::LineDash {
                    segments,
                    offset: 0,
                },
                ..Stroke::default()
                    .with_color(self.color(colors, channel, over).scale_alpha(fade))
                    .with_width(if over == Some(channel) { 2.0 } else { 1.5 })
            };
            frame.stroke(&curve, stroke);
        }
    }

    fn draw_handles(&self, frame: &mut Frame, colors: &Colors, size: Size) {
        for handle in self.handles(size) {
            let line = Path::line(handle.from, handle.at);
            let color = colors.accent.scale_alpha(0.7);
            frame.stroke(&line, Stroke::default().with_color(color).with_width(1.0));
            frame.fill(&Path::circle(handle.at, 3.0), colors.accent);
        }
    }

    fn draw_keys(&self, frame: &mut Frame, colors: &Colors, size: Size) {
        let Some(track) = self.given.subject.track() else {
            return;
        };
        let scale = self.scale(size);
        let edge = Stroke::default().with_color(colors.panel).with_width(1.0);
        let (lit, dim): (Vec<_>, Vec<_>) = self
            .keys_shown(track, size)
            .partition(|(id, _)| self.lit.contains(id));
        for (keys, color) in [(dim, colors.dim), (lit, colors.accent)] {
            for place in keys
                .into_iter()
                .flat_map(|(id, key)| self.places(id.channel, key, &scale, size))
            {
                let sign = diamond(place, DIAMOND);
                frame.fill(&sign, color);
                frame.stroke(&sign, edge);
            }
        }
    }

    /// Draws the values under the playhead, with the names of the topmost curves.
    pub(super) fn draw_values(&self, frame: &mut Frame, colors: &Colors, size: Size) {
        let scale = self.scale(size);
        let x = scale.x(f64::from(self.frame));
        if self.given.subject.track().is_some_and(Track::is_empty) || !scale.is_visible(x) {
            return;
        }
        let mut labels: Vec<f32> = Vec::new();
        for (rank, channel) in self.shown().enumerate() {
            let Some((left, right)) = self.value(channel, f64::from(self.frame)) else {
                continue;
            };
            let y = self.y_of(channel, 0.5 * (left + right), size);
            let color = self.color(colors, channel, None);
            frame.fill(&Path::circle(Point::new(x, y), 2.5), color);
            // Names that would overlap are left out.
            let free = labels.iter().all(|other| (other - y).abs() >= 11.0);
            if rank < NAMED && free {
                labels.push(y);
                let beyond = x > size.width - 60.0;
                let place = Point::new(if beyond { x - 26.0 } else { x + 24.0 }, y - 7.0);
                frame.fill_text(label(tag(channel), place, color, theme::FIGURES));
            }
        }
    }
}

/// A key's value for one half of the face.
fn value_of(key: &Key, right: bool) -> f32 {
    if right { key.right } else { key.left }
}
