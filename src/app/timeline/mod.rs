//! The timeline: keys and curves, the playhead, playback from in to out, and measurements per frame.

mod controls;
mod curves;
mod dope;
pub mod edge;
mod interaction;
mod keying;
mod lens;
pub mod measuring;
mod metrics;
pub mod numbers;
mod paint;
mod ruler;
pub mod sheet;
pub mod subject;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::app::widgets::format::decimal;
use crate::document::{
    Channel, Copied, Document, Easing, Gesture, KeyId, Playback, Pose, Preset, Selection,
    SliderRange, Track,
};

use lens::TimeView;
use subject::TimelineSource;

/// A number that can be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    Frames,
    Fps,
}

/// What the main part of the panel shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    #[default]
    Curves,
    Dope,
    Metrics,
}

/// The panel's initial height, and its minimum and maximum, in logical pixels.
const HEIGHT: f32 = 292.0;
const HEIGHTS: std::ops::RangeInclusive<f32> = 200.0..=560.0;

/// Keys being dragged, and the track before the drag: keys that others pass over are restored from it.
#[derive(Debug, Clone)]
struct Grab {
    track: Track,
    ids: Selection,
}

#[derive(Debug, Default)]
pub struct Timeline {
    /// The panel's height, if the artist changed it.
    height: Option<f32>,
    frame: u32,
    /// When playback started, and at how many seconds after the in point.
    playing: Option<(Instant, f64)>,
    selection: Selection,
    grab: Option<Grab>,
    copied: Copied,
    tab: Tab,
    lens: TimeView,
    /// Channels that the artist showed or hid.
    shown: BTreeMap<Channel, bool>,
    metric: Option<String>,
    typing: Option<(Value, String)>,
    presets: Vec<Preset>,
    /// How much of the subject has been read, in words; `None` once it is complete.
    pub reading: Option<String>,
    /// The range that keys can be dragged in.
    pub reach: SliderRange,
}

#[derive(Debug, Clone)]
pub enum Message {
    PlayToggled,
    Tick(Instant),
    ToStart,
    Step(i32),
    /// The playhead was dragged to a frame.
    Scrubbed(u32),
    /// Select these keys; if one was clicked, the playhead moves to it.
    Selected(Selection, Option<KeyId>),
    SelectedAll,
    /// The selected keys were dragged by this one: a number of frames, and a fraction of the channels' usual ranges, both since
    /// the drag began.
    Moved(KeyId, i64, f32),
    /// Scale the times of the selected keys by a factor around this moment in seconds; during a drag (`held`), from their
    /// times when it began.
    Stretched {
        around: f64,
        factor: f64,
        held: bool,
    },
    /// A handle of the curve segment that starts at this key was dragged: whether it is the second one, and its position in
    /// fractions of the segment's time and change of value.
    Bent(KeyId, bool, [f32; 2]),
    Released,
    /// Add keys for the sliders' values at the playhead.
    KeyAdded,
    /// Add a key on a channel's curve.
    KeyOn(Channel, u32),
    KeyRemoved,
    Copied,
    Cut,
    Pasted,
    Easing(Easing),
    Playback(Playback),
    /// Set the in point to the playhead's frame.
    In,
    Out,
    /// The in point (`true`) or the out point was dragged to a frame.
    Ranged(bool, u32),
    ResetRange,
    /// Apply a preset by its name, at the playhead.
    Preset(String),
    Tab(Tab),
    Zoomed(f64, f64),
    Panned(f64),
    /// Show or hide a channel's curve.
    Shown(Channel, bool),
    /// Show only this channel's curve.
    Alone(Channel),
    Metric(String),
    Measure,
    /// What to measure the panes against: another pane, or the motion that drives them.
    Against(Option<usize>),
    /// Save what the panel shows as a chart.
    SaveChart,
    Bake,
    Typed(Value, String),
    Entered,
    /// The panel's height is being dragged, or the drag has ended; in logical pixels.
    Resized(f32),
    ResizeEnded,
    ReadClip,
    ReadSample,
}

/// What the parent must do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    None,
    Drag(Gesture, Change),
    Edit(Change),
    EndGesture,
    /// A number was entered.
    Leave,
    /// Read a clip's movement onto the track.
    ReadClip,
    ReadSample,
    /// Change the playback mode of the read motion.
    Playback(Playback),
    /// Set in and out of the read motion; `None` for the whole.
    Range(Option<(u32, u32)>),
    /// Bake the read motion into an editable track.
    Bake,
    /// Start measuring every frame, or stop.
    Measure,
    Against(Option<usize>),
    /// Save what the panel shows to a file: [`Timeline::chart`].
    SaveChart,
    /// Remember the panel's height.
    Height(f32),
}

/// A change of the document that the panel requests.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Adds keys for the sliders' values at a frame.
    AddKey(u32),
    /// Replaces the track, whose keys were changed, with the playhead on this frame.
    Keys(Box<Track>, u32),
    Playback(Playback),
    Range(Option<(u32, u32)>),
    Frames(u32),
    Fps(f64),
    /// Applies an expression at a frame.
    PresetAt(u32, Pose),
}

impl Change {
    pub fn apply(self, document: &mut Document) {
        let track = &mut document.track;
        match self {
            Change::AddKey(frame) => document.add_key(frame),
            Change::Keys(track, frame) => document.put_track(*track, frame),
            Change::Playback(playback) => track.playback = playback,
            Change::Range(range) => track.set_range(range),
            Change::Frames(frames) => track.set_frames(frames),
            Change::Fps(fps) => track.set_fps(fps),
            Change::PresetAt(frame, preset) => document.put_preset(frame, &preset),
        }
    }
}

impl Timeline {
    /// Creates a timeline that offers these presets.
    pub fn new(presets: Vec<Preset>) -> Self {
        Self {
            presets,
            ..Self::default()
        }
    }

    /// Replaces the presets on offer.
    pub fn set_presets<'a>(&mut self, presets: impl Iterator<Item = &'a Preset>) {
        self.presets = presets.cloned().collect();
    }

    /// The panel's height, in logical pixels.
    pub fn height(&self) -> f32 {
        self.height.unwrap_or(HEIGHT)
    }

    /// Sets the panel's height, clamped to what is allowed.
    pub fn set_height(&mut self, height: f32) {
        if height.is_finite() {
            self.height = Some(height.clamp(*HEIGHTS.start(), *HEIGHTS.end()));
        }
    }

    /// The frame under the playhead.
    pub fn frame(&self) -> u32 {
        self.frame
    }

    pub fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// Clamps playhead, selection and zoom to a changed subject.
    pub fn follow(&mut self, subject: TimelineSource<'_>) {
        self.frame = self.frame.min(subject.last());
        self.lens = self.lens.within(subject.last());
        match subject.track() {
            Some(track) => self.selection.retain(|id| track.key(*id).is_some()),
            None => self.selection.clear(),
        }
    }

    /// Cancels typing; returns whether there was any.
    pub fn escape(&mut self) -> bool {
        self.typing.take().is_some()
    }

    /// Clears the selection.
    pub fn deselect(&mut self) {
        self.selection.clear();
        self.grab = None;
    }

    pub fn update(&mut self, message: Message, subject: TimelineSource<'_>) -> Action {
        if !matches!(message, Message::Typed(..) | Message::Tick(_)) {
            self.typing = None;
        }
        match message {
            Message::PlayToggled => {
                self.playing = match self.playing {
                    Some(_) => None,
                    None => Some((Instant::now(), self.start(subject))),
                };
            }
            Message::Tick(now) => {
                if let Some((since, from)) = self.playing {
                    let elapsed = now.saturating_duration_since(since).as_secs_f64() + from;
                    let steps = elapsed * subject.fps();
                    let (frame, over) = subject.playback().playing_at(steps, subject.span());
                    self.go(subject, frame);
                    if over {
                        self.playing = None;
                    }
                }
            }
            Message::ToStart => {
                self.playing = self.playing.map(|_| (Instant::now(), 0.0));
                self.go(subject, subject.span().0);
            }
            Message::Step(by) => {
                self.playing = None;
                self.go(subject, self.frame.saturating_add_signed(by));
            }
            Message::Scrubbed(frame) => {
                self.playing = None;
                self.go(subject, frame);
            }
            Message::Tab(tab) => self.tab = tab,
            Message::Zoomed(around, by) => {
                self.lens = self.lens.zoomed(around, by, subject.last());
            }
            Message::Panned(first) => self.lens = self.lens.from(first, subject.last()),
            Message::Shown(channel, on) => {
                self.shown.insert(channel, on);
            }
            Message::Alone(channel) => {
                self.shown = Channel::ALL.map(|other| (other, other == channel)).into();
            }
            Message::Metric(metric) => self.metric = Some(metric),
            Message::Released => {
                self.grab = None;
                return Action::EndGesture;
            }
            Message::Resized(height) => self.set_height(height),
            Message::ResizeEnded => return Action::Height(self.height()),
            Message::Entered => return Action::Leave,
            Message::ReadClip => return Action::ReadClip,
            Message::ReadSample => return Action::ReadSample,
            Message::Bake => return Action::Bake,
            Message::Measure => return Action::Measure,
            Message::Against(pane) => return Action::Against(pane),
            Message::SaveChart => return Action::SaveChart,
            Message::Playback(playback) => {
                return match subject {
                    TimelineSource::Track(_) => Action::Edit(Change::Playback(playback)),
                    TimelineSource::Read { .. } => Action::Playback(playback),
                };
            }
            Message::In => return ranged(subject, with_in(subject, self.frame), false),
            Message::Out => return ranged(subject, with_out(subject, self.frame), false),
            Message::Ranged(first, frame) => {
                let (from, to) = subject.span();
                let range = if first {
                    (frame.min(to), to)
                } else {
                    (from, frame.max(from))
                };
                return ranged(subject, Some(range), true);
            }
            Message::ResetRange => return ranged(subject, None, false),
            Message::Typed(value, text) => {
                let change = parse(value, &text);
                self.typing = Some((value, text));
                if let (Some((gesture, change)), TimelineSource::Track(_)) = (change, subject) {
                    return Action::Drag(gesture, change);
                }
            }
            Message::Selected(..)
            | Message::SelectedAll
            | Message::Moved(..)
            | Message::Stretched { .. }
            | Message::Bent(..)
            | Message::KeyAdded
            | Message::KeyOn(..)
            | Message::KeyRemoved
            | Message::Copied
            | Message::Cut
            | Message::Pasted
            | Message::Easing(_)
            | Message::Preset(_) => {
                if let TimelineSource::Track(document) = subject {
                    return self.update_keys(message, document);
                }
            }
        }
        Action::None
    }

    /// Where playback starts, in seconds after the in point: at the playhead, or at the in point if the playhead is on the
    /// last frame or outside the range.
    fn start(&self, subject: TimelineSource<'_>) -> f64 {
        let (first, last) = subject.span();
        if (first..last).contains(&self.frame) {
            subject.time_of(self.frame - first)
        } else {
            0.0
        }
    }

    fn go(&mut self, subject: TimelineSource<'_>, frame: u32) {
        self.frame = frame.min(subject.last());
        self.lens = self.lens.showing(self.frame, subject.last());
    }
}

fn with_in(subject: TimelineSource<'_>, frame: u32) -> Option<(u32, u32)> {
    let (_, out) = subject.span();
    Some((frame, if frame > out { subject.last() } else { out }))
}

fn with_out(subject: TimelineSource<'_>, frame: u32) -> Option<(u32, u32)> {
    let (first, _) = subject.span();
    Some((if frame < first { 0 } else { first }, frame))
}

fn ranged(subject: TimelineSource<'_>, range: Option<(u32, u32)>, drag: bool) -> Action {
    let range = range.filter(|range| *range != (0, subject.last()));
    match subject {
        TimelineSource::Read { .. } => Action::Range(range),
        TimelineSource::Track(_) if drag => Action::Drag(Gesture::Range, Change::Range(range)),
        TimelineSource::Track(_) => Action::Edit(Change::Range(range)),
    }
}

/// How often the playhead moves during playback.
pub const TICK: Duration = Duration::from_millis(16);

fn parse(value: Value, text: &str) -> Option<(Gesture, Change)> {
    match value {
        Value::Frames => {
            let frames = decimal(text)?;
            Track::FRAMES
                .contains(&frames)
                .then_some((Gesture::Length, Change::Frames(frames)))
        }
        Value::Fps => {
            let fps = decimal(text)?;
            Track::FPS
                .contains(&fps)
                .then_some((Gesture::Fps, Change::Fps(fps)))
        }
    }
}
