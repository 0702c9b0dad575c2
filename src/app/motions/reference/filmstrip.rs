//! The filmstrip of a clip: thumbnails side by side, the two ends of the used part, the playhead, the reference frame's
//! mark, and below it the curve of each frame's dissimilarity to the portrait.

use iced::mouse::{self, Cursor};
use iced::widget::canvas::{self, Action, Canvas, Event, Frame, Geometry, Path, Stroke};
use iced::widget::image::Handle;
use iced::widget::{container, stack};
use iced::{Element, Length, Point, Rectangle, Renderer, Size, Theme};

use crate::app::widgets::images::images;
use crate::app::widgets::keyed_cache::KeyedCache;
use crate::app::widgets::theme::Colors;

use super::{ClipPanelData, Message, Thumb};

/// Heights of the parts, from top to bottom: the reference frame's mark, the thumbnails, a gap, the curve.
const MARK: f32 = 12.0;
const FILM: f32 = 44.0;
const GAP: f32 = 5.0;
const CURVE: f32 = 28.0;
const HEIGHT: f32 = MARK + FILM + GAP + CURVE;

/// A trim handle's width; the strip is inset by it at both ends.
const HANDLE: f32 = 8.0;

/// How far beyond a handle the pointer still grabs it.
const GRAB_DISTANCE: f32 = 3.0;

/// An end of the used part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    In,
    Out,
}

/// The used part, inclusive, after one of its ends was moved to a frame: the ends never cross, and at least two frames stay
/// if the clip has as many.
pub fn trimmed(
    (first, last): (usize, usize),
    frames: usize,
    end: End,
    frame: usize,
) -> (usize, usize) {
    let final_frame = frames.saturating_sub(1);
    let last = last.min(final_frame);
    let first = first.min(last);
    match end {
        End::In => (
            frame.min(last.saturating_sub(1)),
            last.max(1).min(final_frame),
        ),
        End::Out => (
            first.min(final_frame.saturating_sub(1)),
            frame.max(first + 1).min(final_frame),
        ),
    }
}

/// The filmstrip widget.
pub struct Filmstrip<'a> {
    known: ClipPanelData<'a>,
    /// Whether the artist set the reference frame.
    is_set: bool,
}

/// What is being dragged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grip {
    Trim(End),
    Mark,
    Playhead,
}

/// The filmstrip's widget id, for tests.
pub const FILMSTRIP: &str = "reference-filmstrip";

impl<'a> Filmstrip<'a> {
    pub fn new(known: &ClipPanelData<'a>, is_set: bool) -> Self {
        Self {
            known: known.clone(),
            is_set,
        }
    }

    pub fn into_element(self) -> Element<'a, Message> {
        let (thumbs, frames) = (self.known.thumbs, self.known.frames);
        let layers = stack![
            images(move |bounds| pictures(thumbs, frames, bounds), HEIGHT),
            Canvas::new(self).width(Length::Fill).height(HEIGHT),
        ];
        container(layers).id(FILMSTRIP).into()
    }

    /// The left edge of a frame; for the one after the last, the strip's end.
    fn x_of(&self, frame: usize, width: f32) -> f32 {
        let share = frame as f32 / self.known.frames.max(1) as f32;
        HANDLE + share * (width - 2.0 * HANDLE).max(1.0)
    }

    fn middle_of(&self, frame: usize, width: f32) -> f32 {
        0.5 * (self.x_of(frame, width) + self.x_of(frame + 1, width))
    }

    /// The position of `x` on the strip, in frames.
    fn place_at(&self, x: f32, width: f32) -> f32 {
        (x - HANDLE) / (width - 2.0 * HANDLE).max(1.0) * self.known.frames as f32
    }

    fn frame_at(&self, x: f32, width: f32) -> usize {
        let last = self.known.frames.saturating_sub(1);
        (self.place_at(x, width).max(0.0) as usize).min(last)
    }

    fn ends(&self, width: f32) -> (f32, f32) {
        let known = &self.known;
        (
            self.x_of(known.first, width),
            self.x_of(known.last + 1, width),
        )
    }

    fn grip(&self, at: Point, width: f32) -> Grip {
        let (start, end) = self.ends(width);
        if at.y < MARK + 2.0 && (at.x - self.middle_of(self.known.reference, width)).abs() <= 8.0 {
            return Grip::Mark;
        }
        if (MARK..MARK + FILM).contains(&at.y) {
            let is_near = |middle: f32| (at.x - middle).abs() <= HANDLE / 2.0 + GRAB_DISTANCE;
            let (left, right) = (start - HANDLE / 2.0, end + HANDLE / 2.0);
            match (is_near(left), is_near(right)) {
                (true, true) if at.x > 0.5 * (left + right) => return Grip::Trim(End::Out),
                (true, _) => return Grip::Trim(End::In),
                (_, true) => return Grip::Trim(End::Out),
                _ => {}
            }
        }
        Grip::Playhead
    }

    /// The message for a drag to `x`, unless it would change nothing.
    fn asked(&self, grip: Grip, x: f32, width: f32) -> Option<Message> {
        let known = &self.known;
        let part = (known.first, known.last);
        match grip {
            Grip::Trim(end) => {
                // The nearest boundary between frames; the end frame is on its inner side.
                let boundary = self.place_at(x, width).round().max(0.0) as usize;
                let frame = match end {
                    End::In => boundary,
                    End::Out => boundary.saturating_sub(1),
                };
                let now = trimmed(part, known.frames, end, frame);
                (now != part).then(|| Message::Trimmed(known.trim(now)))
            }
            Grip::Mark => {
                let frame = self.frame_at(x, width).clamp(known.first, known.last);
                (frame != known.reference)
                    .then(|| u32::try_from(frame).ok().map(Message::Marked))
                    .flatten()
            }
            Grip::Playhead => {
                let frame = self.frame_at(x, width).clamp(known.first, known.last);
                let step = frame - known.first;
                (step != known.step).then_some(Message::Scrubbed(step))
            }
        }
    }

    fn draw_part(&self, frame: &mut Frame, colors: &Colors, width: f32) {
        let (start, end) = self.ends(width);
        let block = |from: f32, to: f32, y: f32, height: f32| {
            Path::rectangle(Point::new(from, y), Size::new((to - from).max(0.0), height))
        };
        let outside = colors.panel.scale_alpha(0.78);
        frame.fill(&block(HANDLE, start, MARK, FILM), outside);
        frame.fill(&block(end, width - HANDLE, MARK, FILM), outside);
        let edge = colors.text;
        frame.fill(&block(start, end, MARK, 1.5), edge);
        frame.fill(&block(start, end, MARK + FILM - 1.5, 1.5), edge);
        for x in [start - HANDLE, end] {
            let handle =
                Path::rounded_rectangle(Point::new(x, MARK), Size::new(HANDLE, FILM), 2.5.into());
            frame.fill(&handle, edge);
            let groove = x + HANDLE / 2.0 - 0.5;
            frame.fill(
                &block(groove, groove + 1.0, MARK + FILM / 2.0 - 6.0, 12.0),
                colors.panel,
            );
        }
    }

    fn draw_scores(&self, frame: &mut Frame, colors: &Colors, width: f32) {
        let top = MARK + FILM + GAP;
        let floor = Path::rectangle(
            Point::new(HANDLE, top + CURVE - 1.0),
            Size::new((width - 2.0 * HANDLE).max(0.0), 1.0),
        );
        frame.fill(&floor, colors.line);
        let known = &self.known;
        let scores = known.scores.get(..known.frames).unwrap_or(known.scores);
        let Some((least, most)) = range(scores) else {
            return;
        };
        let y_of = |score: f32| {
            let share = (score - least) / (most - least).max(f32::MIN_POSITIVE);
            top + 3.0 + (1.0 - share) * (CURVE - 8.0)
        };
        let curve = Path::new(|path| {
            let mut is_drawing = false;
            for (at, score) in summed_up(scores, width as usize) {
                let point = score.map(|score| Point::new(self.middle_of(at, width), y_of(score)));
                match point {
                    Some(point) if is_drawing => path.line_to(point),
                    Some(point) => path.move_to(point),
                    None => {}
                }
                is_drawing = point.is_some();
            }
        });
        let stroke = Stroke::default().with_color(colors.dim).with_width(1.5);
        frame.stroke(&curve, stroke);
        if let Some(best) = best(scores) {
            let at = Point::new(self.middle_of(best, width), y_of(least));
            frame.fill(&Path::circle(at, 4.5), colors.panel);
            frame.fill(&Path::circle(at, 3.0), colors.text);
        }
    }

    fn draw_mark(&self, frame: &mut Frame, colors: &Colors, width: f32) {
        let x = self.middle_of(self.known.reference, width);
        let mark = Path::new(|path| {
            path.move_to(Point::new(x - 5.0, 1.0));
            path.line_to(Point::new(x + 5.0, 1.0));
            path.line_to(Point::new(x, MARK - 1.0));
            path.close();
        });
        if self.is_set {
            frame.fill(&mark, colors.text);
        } else {
            let stroke = Stroke::default().with_color(colors.text).with_width(1.2);
            frame.stroke(&mark, stroke);
        }
    }

    fn draw_playhead(&self, frame: &mut Frame, colors: &Colors, width: f32) {
        let x = self.middle_of(self.known.first + self.known.step, width);
        let line = |half: f32| {
            Path::rectangle(
                Point::new(x - half, MARK - 2.0),
                Size::new(2.0 * half, HEIGHT - MARK + 2.0),
            )
        };
        frame.fill(&line(1.5), colors.ground.scale_alpha(0.6));
        frame.fill(&line(0.75), colors.accent);
        frame.fill(&Path::circle(Point::new(x, MARK - 2.0), 3.0), colors.accent);
    }

    fn fingerprint(&self) -> u64 {
        self.known.scores.iter().fold(0, |mark: u64, score| {
            let bits = score.map_or(u64::MAX, |score| u64::from(score.to_bits()));
            (mark.rotate_left(5) ^ bits).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        })
    }
}

/// The lowest and the highest score.
fn range(scores: &[Option<f32>]) -> Option<(f32, f32)> {
    let known = scores.iter().flatten().filter(|score| score.is_finite());
    known.fold(None, |range, &score| {
        let (least, most) = range.unwrap_or((score, score));
        Some((least.min(score), most.max(score)))
    })
}

/// The frame with the lowest score; the first, if there are several.
fn best(scores: &[Option<f32>]) -> Option<usize> {
    let known = scores.iter().enumerate();
    known
        .filter_map(|(at, score)| score.filter(|score| score.is_finite()).map(|s| (at, s)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(at, _)| at)
}

/// Downsamples the scores to at most `most`, with their frames: the lowest of each group of neighbours.
fn summed_up(scores: &[Option<f32>], most: usize) -> Vec<(usize, Option<f32>)> {
    let each = scores.len().div_ceil(most.max(1)).max(1);
    let groups = scores.chunks(each).enumerate();
    groups
        .map(|(i, group)| match best(group) {
            Some(at) => (i * each + at, group[at]),
            None => (i * each, None),
        })
        .collect()
}

#[derive(Debug, Default)]
pub struct Interaction {
    drag: Option<Grip>,
    /// Cache key: a hash of the scores, the number of frames, and the used part.
    still: KeyedCache<(u64, usize, usize, usize)>,
    /// Cache key: the number of frames, the reference frame, whether it was set, and the playhead.
    moving: KeyedCache<(usize, usize, bool, usize)>,
}

impl canvas::Program<Message> for Filmstrip<'_> {
    type State = Interaction;

    fn update(
        &self,
        state: &mut Interaction,
        event: &Event,
        bounds: Rectangle,
        cursor: Cursor,
    ) -> Option<Action<Message>> {
        if self.known.frames < 2 {
            return None;
        }
        let (grip, x) = match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) => {
                let at = cursor.position_in(bounds)?;
                let grip = self.grip(at, bounds.width);
                state.drag = Some(grip);
                if grip != Grip::Playhead {
                    return Some(Action::capture());
                }
                (grip, at.x)
            }
            Event::Mouse(mouse::Event::CursorMoved { .. }) => {
                (state.drag?, cursor.land().position()?.x - bounds.x)
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)) => {
                state.drag.take()?;
                return Some(Action::publish(Message::Released).and_capture());
            }
            _ => return None,
        };
        let asked = self.asked(grip, x, bounds.width);
        Some(asked.map_or_else(Action::capture, |message| {
            Action::publish(message).and_capture()
        }))
    }

    fn draw(
        &self,
        state: &Interaction,
        renderer: &Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _cursor: Cursor,
    ) -> Vec<Geometry> {
        let (size, known) = (bounds.size(), &self.known);
        let still = (self.fingerprint(), known.frames, known.first, known.last);
        let mut layers = state
            .still
            .draw(renderer, theme, size, still, |frame, colors| {
                self.draw_part(frame, colors, size.width);
                self.draw_scores(frame, colors, size.width);
            });
        let head = known.first + known.step;
        let moving = (known.frames, known.reference, self.is_set, head);
        layers.extend(
            state
                .moving
                .draw(renderer, theme, size, moving, |frame, colors| {
                    self.draw_playhead(frame, colors, size.width);
                    self.draw_mark(frame, colors, size.width);
                }),
        );
        layers
    }

    fn mouse_interaction(
        &self,
        state: &Interaction,
        bounds: Rectangle,
        cursor: Cursor,
    ) -> mouse::Interaction {
        let under = cursor
            .position_in(bounds)
            .map(|at| self.grip(at, bounds.width));
        match state.drag.or(under) {
            Some(Grip::Trim(_)) => mouse::Interaction::ResizingHorizontally,
            Some(Grip::Mark) if state.drag.is_some() => mouse::Interaction::Grabbing,
            Some(Grip::Mark) => mouse::Interaction::Grab,
            Some(Grip::Playhead) | None => mouse::Interaction::default(),
        }
    }
}

/// The positions of thumbnails of this width that cover a strip of that length without gaps, with as little overlap as
/// possible.
fn places(picture: f32, film: f32) -> Vec<f32> {
    let count = (film / picture.max(1.0)).ceil().clamp(1.0, 200.0) as usize;
    let pitch = (film - picture) / count.saturating_sub(1).max(1) as f32;
    (0..count).map(|i| i as f32 * pitch.max(0.0)).collect()
}

/// The thumbnails side by side, on a strip of this size.
fn pictures(thumbs: &[Thumb], frames: usize, bounds: Size) -> Vec<(Rectangle, Handle)> {
    let film = (bounds.width - 2.0 * HANDLE).max(1.0);
    let Some(shape) = thumbs.first() else {
        return Vec::new();
    };
    let wide = FILM * shape.size.0 as f32 / shape.size.1.max(1) as f32;
    let places = places(wide, film).into_iter();
    places
        .filter_map(|x| {
            let middle = ((x + 0.5 * wide) / film * frames as f32) as usize;
            let nearest = thumbs.iter().min_by_key(|t| t.frame.abs_diff(middle))?;
            let place = Rectangle::new(Point::new(HANDLE + x, MARK), Size::new(wide, FILM));
            Some((place, nearest.handle.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests;
