//! The subject of the timeline: an expression track that can be edited, or a motion that was read and can't.

use crate::app::strings::timeline as strings;
use crate::document::{Channel, Document, Playback, Pose, Track};

use super::numbers::Numbers;

/// What the timeline shows.
#[derive(Debug, Clone, Copy)]
pub enum TimelineSource<'a> {
    /// The document's track.
    Track(&'a Document),
    /// A clip's or a sample's motion, as far as it has been read.
    Read {
        fps: f64,
        /// At least one.
        frames: u32,
        playback: Playback,
        /// In and out, inclusive.
        range: Option<(u32, u32)>,
        /// The pose of each frame; `None` where there was no face.
        poses: &'a [Option<Pose>],
    },
}

/// The data that the panel shows.
#[derive(Debug, Clone, Copy)]
pub struct SheetData<'a> {
    pub subject: TimelineSource<'a>,
    /// For each frame, whether its picture is rendered; empty if unknown.
    pub rendered: &'a [bool],
    /// The measurements, if any.
    pub numbers: Option<&'a Numbers>,
    /// The progress of a running measurement, in words.
    pub measuring: Option<&'a str>,
    /// The number of panes, and the one the others are measured against; `None` measures against the motion that drives them.
    pub panes: usize,
    pub against: Option<usize>,
}

impl<'a> TimelineSource<'a> {
    pub fn document(&self) -> Option<&'a Document> {
        match self {
            TimelineSource::Track(document) => Some(document),
            TimelineSource::Read { .. } => None,
        }
    }

    pub fn track(&self) -> Option<&'a Track> {
        self.document().map(|document| &document.track)
    }

    pub fn fps(&self) -> f64 {
        match self {
            TimelineSource::Track(document) => document.track.fps(),
            TimelineSource::Read { fps, .. } => fps.max(0.001),
        }
    }

    pub fn frames(&self) -> u32 {
        match self {
            TimelineSource::Track(document) => document.track.frames(),
            TimelineSource::Read { frames, .. } => (*frames).max(1),
        }
    }

    /// The last frame.
    pub fn last(&self) -> u32 {
        self.frames() - 1
    }

    pub fn playback(&self) -> Playback {
        match self {
            TimelineSource::Track(document) => document.track.playback,
            TimelineSource::Read { playback, .. } => *playback,
        }
    }

    /// In and out, if set.
    pub fn range(&self) -> Option<(u32, u32)> {
        match self {
            TimelineSource::Track(document) => document.track.range(),
            TimelineSource::Read { range, .. } => {
                let last = self.last();
                range.map(|(a, b)| (a.min(b).min(last), a.max(b).min(last)))
            }
        }
    }

    /// The first and the last frame played.
    pub fn span(&self) -> (u32, u32) {
        self.range().unwrap_or((0, self.last()))
    }

    /// A frame's time in seconds.
    pub fn time_of(&self, frame: u32) -> f64 {
        f64::from(frame) / self.fps()
    }

    /// The values at a frame, if known.
    pub fn pose(&self, frame: u32) -> Option<Pose> {
        match self {
            TimelineSource::Track(document) => Some(document.pose(frame)),
            TimelineSource::Read { poses, .. } => *poses.get(frame as usize)?,
        }
    }

    /// The lowest and the highest value of a channel, if it has any.
    pub fn value_range(&self, channel: Channel) -> Option<(f32, f32)> {
        match self {
            TimelineSource::Track(document) => document.track.curve(channel).value_range(),
            TimelineSource::Read { poses, .. } => {
                let mut values = poses.iter().flatten().map(|pose| pose.get(channel));
                let first = values.next()?;
                Some(values.fold((first, first), |(low, high), value| {
                    (low.min(value), high.max(value))
                }))
            }
        }
    }

    /// Whether every value is in its usual range, 0..=1 for an Action Unit.
    pub fn is_usual(&self) -> bool {
        match self {
            TimelineSource::Track(document) => {
                document.base_pose.is_usual() && document.track.is_usual()
            }
            // What is read from a face always is.
            TimelineSource::Read { .. } => true,
        }
    }

    /// The channels in the order of the list, and whether each has a curve worth showing: those that move come first. Channels
    /// of head and eyes are listed only if they have keys or values away from rest.
    pub fn channels(&self) -> Vec<(Channel, bool)> {
        let reaches = Channel::ALL.map(|channel| self.value_range(channel));
        let reach = |channel: Channel| reaches[channel.index()];
        // Values read from a face are noisy.
        let least = if self.track().is_some() { 0.0 } else { 0.08 };
        let moves = |channel: Channel| {
            reach(channel).is_some_and(|(low, high)| (high - low) / channel.width() > least)
        };
        let none = !Channel::ALL.into_iter().any(moves);
        let known = |channel: Channel| reach(channel).is_some();
        let worth = |channel: Channel| moves(channel) || (none && known(channel));
        let rank = |channel: &Channel| match (worth(*channel), known(*channel)) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        };
        let turns = |channel: &Channel| {
            let reach = reach(*channel);
            let rest = channel.neutral();
            reach.is_some_and(|reach| self.track().is_some() || reach != (rest, rest))
        };
        let mut channels: Vec<Channel> = Channel::ALL
            .into_iter()
            .filter(|channel| channel.unit().is_some() || turns(channel))
            .collect();
        channels.sort_by_key(rank);
        channels
            .into_iter()
            .map(|channel| (channel, worth(channel)))
            .collect()
    }
}

/// A channel's name, short enough for the names at the left.
pub fn short_name(channel: Channel) -> String {
    let (group, name) = match channel {
        Channel::Unit(unit) => (unit.to_string(), strings::unit(unit.code())),
        Channel::Yaw => (strings::HEAD.to_owned(), strings::TURN),
        Channel::Pitch => (strings::HEAD.to_owned(), strings::NOD),
        Channel::Roll => (strings::HEAD.to_owned(), strings::TILT),
        Channel::GazeX => (strings::EYES.to_owned(), strings::LEFT_RIGHT),
        Channel::GazeY => (strings::EYES.to_owned(), strings::UP_DOWN),
        Channel::PlaceX => (strings::HEAD.to_owned(), strings::LEFT_RIGHT),
        Channel::PlaceY => (strings::HEAD.to_owned(), strings::UP_DOWN),
        Channel::Size => (strings::HEAD.to_owned(), strings::SIZE),
    };
    format!("{group:<5}{name}")
}

/// A channel's name, short enough to be drawn at the playhead.
pub fn tag(channel: Channel) -> String {
    match channel {
        Channel::Unit(unit) => unit.to_string(),
        Channel::Yaw => strings::TURN.to_owned(),
        Channel::Pitch => strings::NOD.to_owned(),
        Channel::Roll => strings::TILT.to_owned(),
        Channel::GazeX => strings::GAZE_X.to_owned(),
        Channel::GazeY => strings::GAZE_Y.to_owned(),
        Channel::PlaceX => strings::HEAD_X.to_owned(),
        Channel::PlaceY => strings::HEAD_Y.to_owned(),
        Channel::Size => strings::SIZE.to_owned(),
    }
}
