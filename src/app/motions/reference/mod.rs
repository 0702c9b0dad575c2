//! The controls of a reference clip: which part of it is used, which frame counts as looking like the portrait, the square
//! that the networks see, and how its movement drives.

mod filmstrip;
mod frame;

use iced::widget::image;
use iced::widget::tooltip::Position;
use iced::widget::{button, column, container, row, space, text};
use iced::{Alignment, Element, Length};

use crate::app::strings::{common, motions as strings};
use crate::app::widgets::controls::{action, hinted};
use crate::app::widgets::theme;
use crate::document::{ClipMotion, Crop, Playback, Pose};

use super::follow::{self, Controls};
use super::read_curves::ReadCurves;
use filmstrip::Filmstrip;
use frame::ReferenceFrame;

/// A thumbnail of a frame.
#[derive(Debug, Clone)]
pub struct Thumb {
    /// Its index in the whole clip, from 0.
    pub frame: usize,
    pub handle: image::Handle,
    /// Its width and height, in pixels.
    pub size: (u32, u32),
}

/// What is known of a clip. Frames are counted from 0 in the whole clip, unless noted otherwise.
#[derive(Debug, Clone)]
pub struct ClipPanelData<'a> {
    pub name: &'a str,
    pub fps: f64,
    /// The number of frames of the whole clip.
    pub frames: usize,
    /// The start time of each frame, in seconds of the whole clip; if empty, all frames are equally long.
    pub times: &'a [f64],
    /// The thumbnails, in the order of their frames.
    pub thumbs: &'a [Thumb],
    /// How dissimilar each frame's face is to the portrait's: lower is better. Empty until known.
    pub scores: &'a [Option<f32>],
    /// The frame that counts as looking like the portrait, found automatically or set.
    pub reference: usize,
    /// The Action Units as they drive, for each frame of the used part; empty until known.
    pub poses: &'a [Option<Pose>],
    /// The first frame of the used part.
    pub first: usize,
    /// The last frame of the used part, inclusive.
    pub last: usize,
    /// The frame under the playhead, counted from `first`.
    pub step: usize,
    /// Why the rest of the clip could not be read, if it is damaged.
    pub read_error: Option<&'a str>,
    /// The frame under the playhead, uncropped, at any size with the clip's aspect ratio. Below 2 MiB it is drawn without delay.
    pub current: Option<image::Handle>,
    /// The square that FOMM and TPS see, in pixels of the clip.
    pub square: Option<Crop>,
    /// The clip's width and height, in pixels.
    pub clip_size: (u32, u32),
}

impl ClipPanelData<'_> {
    /// The start time of a frame in seconds; for the one after the last, the end of the clip.
    fn time_of(&self, frame: usize) -> f64 {
        let known = self.times.get(frame).copied();
        known.unwrap_or(frame as f64 / self.fps.max(1e-3))
    }

    /// The change that trims to these frames, inclusive; an end of the whole clip is stored as `None`.
    fn trim(&self, (first, last): (usize, usize)) -> Change {
        Change::Trim {
            from: (first > 0).then(|| self.time_of(first)),
            to: (last + 1 < self.frames).then(|| self.time_of(last + 1)),
        }
    }
}

/// A change of the motion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// The part used, in seconds of the whole clip.
    Trim {
        from: Option<f64>,
        to: Option<f64>,
    },
    Square(Option<Crop>),
    Playback(Playback),
    Follow(follow::Change),
}

impl Change {
    pub fn apply(self, motion: &mut ClipMotion) {
        match self {
            Change::Trim { from, to } => (motion.from, motion.to) = (from, to),
            Change::Square(square) => motion.square = square,
            Change::Playback(playback) => motion.playback = playback,
            Change::Follow(change) => change.apply(&mut motion.follow),
        }
    }
}

/// The state of the panel.
#[derive(Debug, Default)]
pub struct Reference {
    follow: Controls,
}

#[derive(Debug, Clone)]
pub enum Message {
    Follow(follow::Message),
    /// An end of the used part is being dragged.
    Trimmed(Change),
    /// Use the whole clip.
    ResetTrim,
    /// Move the playhead to this frame of the used part.
    Scrubbed(usize),
    /// The reference frame's mark is being dragged.
    Marked(u32),
    /// Set the reference frame; `None` finds it automatically.
    Refer(Option<u32>),
    Squared(Crop),
    /// Find the square again.
    FindSquare,
    Released,
    Bake,
    /// Save the dissimilarity curve as a chart.
    SaveChart,
    Replace,
}

/// What the parent must do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    None,
    /// A single change.
    Change(Change),
    /// A change that is part of the gesture of this name.
    Drag(&'static str, Change),
    EndGesture,
    /// Move the playhead to this frame of the used part, from 0.
    Scrub(usize),
    /// Bake its movement into keyframes of an expression track.
    Bake,
    /// Save the dissimilarity curve as a chart.
    SaveChart,
    /// Choose another file.
    Replace,
    /// A number was entered: return the keyboard to the window.
    Leave,
}

impl Action {
    /// Whether an end of the used part is being dragged.
    pub fn trims(&self) -> bool {
        matches!(self, Action::Drag(_, Change::Trim { .. }))
    }
}

impl Reference {
    /// Cancels typing; returns whether there was any.
    pub fn escape(&mut self) -> bool {
        self.follow.escape()
    }

    pub fn update(&mut self, message: Message) -> Action {
        let refer = |frame| Change::Follow(follow::Change::Reference(frame));
        match message {
            Message::Follow(message) => match self.follow.update(message) {
                follow::Action::None => Action::None,
                follow::Action::Change(change) => Action::Change(Change::Follow(change)),
                follow::Action::Drag(name, change) => Action::Drag(name, Change::Follow(change)),
                follow::Action::EndGesture => Action::EndGesture,
                follow::Action::Playback(playback) => Action::Change(Change::Playback(playback)),
                follow::Action::Leave => Action::Leave,
            },
            Message::Trimmed(change) => Action::Drag("trim", change),
            Message::ResetTrim => Action::Change(Change::Trim {
                from: None,
                to: None,
            }),
            Message::Scrubbed(step) => Action::Scrub(step),
            Message::Marked(frame) => Action::Drag("reference", refer(Some(frame))),
            Message::Refer(frame) => Action::Change(refer(frame)),
            Message::Squared(square) => Action::Drag("square", Change::Square(Some(square))),
            Message::FindSquare => Action::Change(Change::Square(None)),
            Message::Released => Action::EndGesture,
            Message::Bake => Action::Bake,
            Message::SaveChart => Action::SaveChart,
            Message::Replace => Action::Replace,
        }
    }

    /// The controls, as wide as their parent; the parent adds the padding.
    pub fn view<'a>(
        &'a self,
        motion: &'a ClipMotion,
        known: &ClipPanelData<'a>,
    ) -> Element<'a, Message> {
        let read_error = known
            .read_error
            .map(|read_error| text(read_error).size(theme::SMALL).style(theme::danger));
        let curves: Element<'a, Message> = if known.poses.is_empty() {
            space().into()
        } else {
            let curves = ReadCurves {
                measured: Vec::new(),
                driving: known.poses,
                step: Some(known.step),
            };
            hinted(
                curves.into_element(96.0),
                strings::UNITS_HINT,
                Position::Bottom,
            )
        };
        let follow = self.follow.view(&motion.follow, motion.playback);
        column![
            heading(known),
            frame(motion, known),
            part(motion, known),
            reference(motion, known),
            score(known),
        ]
        .push(read_error)
        .push(curves)
        .push(follow.map(Message::Follow))
        .push(ending(known))
        .spacing(theme::SPACE)
        .into()
    }
}

fn small<'a>(content: impl text::IntoFragment<'a>) -> text::Text<'a> {
    text(content).size(theme::SMALL)
}

fn figures<'a>(content: String) -> text::Text<'a> {
    small(content).font(theme::FIGURES).style(theme::dim)
}

fn heading<'a>(known: &ClipPanelData<'a>) -> Element<'a, Message> {
    let (width, height) = known.clip_size;
    row![
        container(
            text(known.name)
                .size(theme::NORMAL)
                .wrapping(text::Wrapping::None)
        )
        .width(Length::Fill)
        .clip(true),
        figures(common::size(width, height)),
    ]
    .spacing(theme::GAP)
    .align_y(Alignment::Center)
    .into()
}

/// The frame under the playhead, with the square over it.
fn frame<'a>(motion: &ClipMotion, known: &ClipPanelData<'a>) -> Element<'a, Message> {
    let frame = ReferenceFrame {
        picture: known.current.clone(),
        size: known.clip_size,
        square: known.square,
    };
    let said = if motion.square.is_some() {
        strings::CROP_MANUAL
    } else {
        strings::CROP_AUTOMATIC
    };
    let square = row![
        hinted(
            small(said).style(theme::dim),
            strings::CROP_HINT,
            Position::Bottom,
        ),
        space::horizontal(),
        action(
            strings::FIND_AGAIN,
            motion.square.is_some().then_some(Message::FindSquare)
        ),
    ]
    .align_y(Alignment::Center);
    column![frame.into_element(), square]
        .spacing(theme::GAP)
        .into()
}

/// The filmstrip, with the part used.
fn part<'a>(motion: &ClipMotion, known: &ClipPanelData<'a>) -> Element<'a, Message> {
    let used = (known.last + 1).saturating_sub(known.first);
    let seconds = known.time_of(known.last + 1) - known.time_of(known.first);
    let is_whole = motion.from.is_none() && motion.to.is_none();
    let strip = Filmstrip::new(known, motion.follow.reference.is_some());
    column![
        row![
            figures(strings::range(used, known.frames, seconds, known.fps)),
            space::horizontal(),
            action(
                strings::WHOLE_CLIP,
                (!is_whole).then_some(Message::ResetTrim)
            ),
        ]
        .align_y(Alignment::Center),
        strip.into_element(),
    ]
    .spacing(theme::GAP)
    .into()
}

fn reference<'a>(motion: &ClipMotion, known: &ClipPanelData<'a>) -> Element<'a, Message> {
    let is_set = motion.follow.reference.is_some();
    let number = known.reference + 1;
    let here = known.first + known.step;
    let is_elsewhere = !is_set || here != known.reference;
    row![
        hinted(
            small(strings::reference(number, is_set)).style(theme::dim),
            strings::REFERENCE_HINT,
            Position::Bottom,
        ),
        space::horizontal(),
        hinted(
            action(
                strings::USE_CURRENT,
                is_elsewhere.then_some(Message::Refer(u32::try_from(here).ok()))
            ),
            strings::USE_CURRENT_HINT,
            Position::Bottom,
        ),
        action(strings::AUTO, is_set.then_some(Message::Refer(None))),
    ]
    .spacing(4)
    .align_y(Alignment::Center)
    .into()
}

fn score<'a>(known: &ClipPanelData<'a>) -> Element<'a, Message> {
    let has_scores = known.scores.iter().any(Option::is_some);
    row![
        small(strings::DIFFERENCE).style(theme::dim),
        space::horizontal(),
        hinted(
            action(common::SAVE_CHART, has_scores.then_some(Message::SaveChart)),
            strings::SAVE_DIFFERENCE_HINT,
            Position::Bottom,
        ),
    ]
    .align_y(Alignment::Center)
    .into()
}

fn ending<'a>(known: &ClipPanelData<'a>) -> Element<'a, Message> {
    let reads = known.poses.iter().any(Option::is_some);
    let wide = |label, message: Option<Message>| {
        button(text(label).size(theme::SMALL).width(Length::Fill).center())
            .on_press_maybe(message)
            .padding([5, 9])
            .width(Length::Fill)
            .style(theme::raised)
    };
    row![
        hinted(
            wide(common::BAKE, reads.then_some(Message::Bake)),
            common::BAKE_HINT,
            Position::Top,
        ),
        hinted(
            wide(strings::REPLACE, Some(Message::Replace)),
            strings::REPLACE_HINT,
            Position::Top,
        ),
    ]
    .spacing(theme::GAP)
    .into()
}

#[cfg(test)]
mod tests;
