//! The controls of a sampled motion: dice, seeds, favourites and blends, and the grid of its neighbours.

mod cells;
pub mod change;
pub mod neighbours;
pub mod previews;
#[cfg(test)]
mod tests;
mod view;
#[cfg(test)]
mod window_tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use iced::Subscription;

use crate::app::widgets::format::decimal;
use crate::document::{Follow, Playback, Sample, SampledMotion, Track};
use crate::media::image::Picture;

use change::Change;
use neighbours::Cell;
use previews::{PreviewBatch, Previews};

/// The width of the controls, and the size of the open grid, in logical pixels.
pub const WIDTH: f32 = 300.0;
pub const OPEN_SIZE: iced::Size = iced::Size::new(900.0, 620.0);

/// Maximum rate at which the pictures change, in frames per second.
const FASTEST: f64 = 30.0;

/// A number that can be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    ContentSeed,
    MotionSeed,
    Length,
    Fps,
    Strength,
}

/// The text being typed into a field, until it is a valid number.
#[derive(Debug)]
struct Typing {
    field: Field,
    text: String,
    /// The codes before typing began, and those after the last digit.
    before: Sample,
    after: Sample,
}

#[derive(Debug, Default)]
pub struct SampleGrid {
    previews: Previews,
    typing: Option<Typing>,
    /// Whether the next click chooses what to blend towards.
    picking: bool,
    open: bool,
    /// The favourite under the cursor.
    over: Option<usize>,
    /// When the pictures started to play, and how many seconds ago.
    began: Option<Instant>,
    seconds: f64,
    problem: Option<String>,
}

#[derive(Debug, Clone)]
pub enum Message {
    RollContent,
    RollMotion,
    RollBoth,
    HoldContent(bool),
    HoldMotion(bool),
    Category(usize),
    Typed(Field, String),
    Entered,
    Strength(f32),
    ResetStrength,
    BlendWeight(f32),
    ResetBlendWeight,
    Released,
    Playback(Playback),
    /// Open the grid.
    Open,
    Close,
    /// Show new neighbours.
    More,
    Chosen(Cell),
    Keep,
    Favourite(usize),
    Drop(usize),
    Over(Option<usize>),
    /// Start or stop choosing what to blend towards.
    Pick(bool),
    NoBlend,
    KeepBlend,
    Tick(Instant),
    /// A preview of a batch was drawn.
    PreviewDrawn(u64, usize, Arc<Vec<Picture>>),
    /// A batch was drawn, or failed.
    BatchEnded(u64, Option<String>),
}

/// What the parent must do. After every message and every change of the document it must also call
/// [`SampleGrid::next_batch`].
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    None,
    Change(Change),
    /// Part of the gesture of this name.
    Drag(&'static str, Change),
    EndGesture,
    /// A number was entered.
    Leave,
}

impl SampleGrid {
    /// Resets the state, for another motion.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Whether the grid is open, as a dialog.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Cancels typing or choosing, or closes the grid; returns whether there was anything to cancel.
    pub fn escape(&mut self) -> bool {
        if self.typing.take().is_some() | std::mem::take(&mut self.picking) {
            return true;
        }
        std::mem::take(&mut self.open)
    }

    /// The previews to draw now on a thread ([`draw`]); `None` if all are drawn or being drawn.
    pub fn next_batch(&mut self, motion: &SampledMotion) -> Option<PreviewBatch> {
        self.previews.next_batch(motion, self.open)
    }

    /// Ticks that play the pictures while the controls are shown.
    pub fn subscription(motion: &SampledMotion) -> Subscription<Message> {
        let rate = motion.fps.clamp(*Track::FPS.start(), FASTEST);
        iced::time::every(Duration::from_secs_f64(1.0 / rate)).map(Message::Tick)
    }

    pub fn update(&mut self, message: Message, motion: &SampledMotion) -> Action {
        let watches = matches!(
            message,
            Message::Typed(..)
                | Message::Tick(_)
                | Message::PreviewDrawn(..)
                | Message::BatchEnded(..)
                | Message::Over(_)
        );
        if !watches {
            self.typing = None;
        }
        let change = match message {
            Message::RollContent => Change::RollContent(dice()),
            Message::RollMotion => Change::RollMotion(dice()),
            Message::RollBoth => Change::RollBoth {
                content: dice(),
                motion: dice(),
            },
            Message::HoldContent(hold) => Change::HoldContent(hold),
            Message::HoldMotion(hold) => Change::HoldMotion(hold),
            Message::Category(index) => Change::Category(index),
            Message::Playback(playback) => Change::Playback(playback),
            Message::More => Change::Neighbours(dice()),
            Message::Keep => Change::Keep,
            Message::KeepBlend => Change::KeepBlend,
            Message::NoBlend => Change::TowardsNothing,
            Message::ResetStrength => Change::Strength(1.0),
            Message::ResetBlendWeight => Change::BlendWeight(0.0),
            Message::Chosen(cell) => {
                if std::mem::take(&mut self.picking) {
                    Change::TowardsCell(cell)
                } else {
                    Change::Choose(cell)
                }
            }
            Message::Favourite(index) => {
                if std::mem::take(&mut self.picking) {
                    Change::TowardsFavourite(index)
                } else {
                    Change::Favourite(index)
                }
            }
            Message::Drop(index) => {
                self.over = None;
                Change::Drop(index)
            }
            Message::Strength(strength) => {
                return Action::Drag("strength", Change::Strength(strength));
            }
            Message::BlendWeight(weight) => {
                return Action::Drag("way", Change::BlendWeight(weight));
            }
            Message::Typed(field, text) => return self.typed(field, text, motion),
            Message::Released => return Action::EndGesture,
            Message::Entered => return Action::Leave,
            other => {
                self.watch(other);
                return Action::None;
            }
        };
        Action::Change(change)
    }

    /// Handles the messages that change only the view.
    fn watch(&mut self, message: Message) {
        match message {
            Message::Open => self.open = true,
            Message::Close => (self.open, self.picking) = (false, false),
            Message::Pick(picking) => self.picking = picking,
            Message::Over(over) => self.over = over,
            Message::Tick(now) => {
                let began = *self.began.get_or_insert(now);
                self.seconds = now.saturating_duration_since(began).as_secs_f64();
            }
            Message::PreviewDrawn(generation, index, frames) => {
                self.previews.store_preview(generation, index, &frames);
            }
            Message::BatchEnded(generation, problem) if self.previews.ended(generation) => {
                self.problem = problem;
            }
            _ => {}
        }
    }

    fn typed(&mut self, field: Field, text: String, motion: &SampledMotion) -> Action {
        let before = match self.typing.take() {
            Some(typing) if typing.field == field && typing.after == motion.codes => typing.before,
            _ => motion.codes.clone(),
        };
        let change = parse(field, &text, &before);
        let mut changed = motion.clone();
        if let Some((_, change)) = &change {
            change.apply(&mut changed);
        }
        self.typing = Some(Typing {
            field,
            text,
            before,
            after: changed.codes,
        });
        change.map_or(Action::None, |(gesture, change)| {
            Action::Drag(gesture, change)
        })
    }

    /// The text of a field.
    fn text_of(&self, field: Field, number: String) -> String {
        match &self.typing {
            Some(typing) if typing.field == field => typing.text.clone(),
            _ => number,
        }
    }

    /// The preview frame to show now.
    fn frame(&self, frames: usize, motion: &SampledMotion) -> usize {
        let beat = (self.seconds * motion.fps + 1e-6) as usize;
        let back = frames.saturating_sub(1);
        match motion.playback {
            Playback::PingPong if back > 0 => {
                let at = beat % (2 * back);
                at.min(2 * back - at)
            }
            _ => beat % frames.max(1),
        }
    }
}

/// Rolls a seed, short enough to be typed.
fn dice() -> u64 {
    rand::random::<u32>().into()
}

fn parse(field: Field, text: &str, before: &Sample) -> Option<(&'static str, Change)> {
    Some(match field {
        Field::ContentSeed => (
            "content seed",
            Change::RollContent(text.trim().parse().ok()?),
        ),
        Field::MotionSeed => ("motion seed", Change::RollMotion(text.trim().parse().ok()?)),
        Field::Length => {
            let frames = text.trim().parse().ok()?;
            let change = Change::Length {
                of: Box::new(before.clone()),
                frames,
            };
            let within = (1..=Sample::MAX_FRAMES).contains(&frames);
            within.then_some(("length", change))?
        }
        Field::Fps => {
            let fps = decimal(text).filter(|fps| Track::FPS.contains(fps))?;
            ("fps", Change::Fps(fps))
        }
        Field::Strength => {
            let strength = decimal(text).filter(|value| Follow::STRENGTH.contains(value))?;
            ("strength", Change::Strength(strength))
        }
    })
}
