//! The timeline below: keys and curves, the playhead, playing from in to out, and what was measured frame by frame.

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
    Channel, Copied, Document, Easing, Gesture, KeyId, Playback, Pose, Preset, Reach, Selection,
    Track,
};

use lens::Lens;
use subject::Subject;

/// A number that can be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    Frames,
    Fps,
}

/// What the panel's larger part shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    #[default]
    Curves,
    Dope,
    Metrics,
}

/// The panel's height at first, and the least and the greatest, in logical pixels.
const HEIGHT: f32 = 292.0;
const HEIGHTS: std::ops::RangeInclusive<f32> = 200.0..=560.0;

/// Keys that are being dragged: the track as it was before, so that what they pass over comes back.
#[derive(Debug, Clone)]
struct Grab {
    track: Track,
    ids: Selection,
}

#[derive(Debug, Default)]
pub struct Timeline {
    /// Of the panel, where it was changed.
    height: Option<f32>,
    frame: u32,
    /// When the playing began, and the seconds after the in point that it began at.
    playing: Option<(Instant, f64)>,
    selection: Selection,
    grab: Option<Grab>,
    copied: Copied,
    tab: Tab,
    lens: Lens,
    /// What was shown or hidden by hand.
    shown: BTreeMap<Channel, bool>,
    metric: Option<String>,
    typing: Option<(Value, String)>,
    presets: Vec<Preset>,
    /// How far what is shown has been read, in words; nothing when all of it is there.
    pub reading: Option<String>,
    /// How far keys can be dragged.
    pub reach: Reach,
}

#[derive(Debug, Clone)]
pub enum Message {
    PlayToggled,
    Tick(Instant),
    ToStart,
    Step(i32),
    /// The hand is on this frame.
    Scrubbed(u32),
    /// These keys are selected; of a single one that was clicked the playhead goes there.
    Selected(Selection, Option<KeyId>),
    SelectedAll,
    /// The selected keys are dragged by this one: frames, and a share of the channels' usual ranges, from where they were taken.
    Moved(KeyId, i64, f32),
    /// The selected keys' times are scaled by a factor around this moment in seconds; from where they were taken, while the
    /// hand holds them.
    Stretched {
        around: f64,
        factor: f64,
        held: bool,
    },
    /// A handle of the curve from this key on: the second or the first one, as a share of the time and of the way.
    Bent(KeyId, bool, [f32; 2]),
    Released,
    /// Keys for the sliders' values at the playhead.
    KeyAdded,
    /// A key on a channel's curve.
    KeyOn(Channel, u32),
    KeyRemoved,
    Copied,
    Cut,
    Pasted,
    Easing(Easing),
    Playback(Playback),
    /// The playhead's frame is the first one that is played.
    In,
    Out,
    /// The first or the last one is dragged to a frame.
    Ranged(bool, u32),
    Whole,
    /// A preset by its name, at the playhead.
    Preset(String),
    Tab(Tab),
    Zoomed(f64, f64),
    Panned(f64),
    /// A channel's curve is to be shown or hidden.
    Shown(Channel, bool),
    /// Only this one.
    Alone(Channel),
    Metric(String),
    Measure,
    /// What the panes are to be measured against.
    Against(Option<usize>),
    /// What is seen is to be saved as a chart.
    SaveChart,
    Bake,
    Typed(Value, String),
    Entered,
    /// The panel's height in logical pixels is dragged, and has been.
    Raised(f32),
    RaisedAtLast,
    ReadClip,
    ReadSample,
}

/// What the parent has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    None,
    Drag(Gesture, Change),
    Edit(Change),
    EndGesture,
    /// A number is entered.
    Leave,
    /// A clip's movement is wanted on the track.
    ReadClip,
    ReadSample,
    /// What was read is to be played another way.
    Playback(Playback),
    /// In and out of what was read; nothing for the whole.
    Range(Option<(u32, u32)>),
    /// What was read is wanted as a track that can be edited.
    Bake,
    /// The numbers of every frame are wanted, or no longer.
    Measure,
    Against(Option<usize>),
    /// What is seen is wanted as a chart in a file: [`Timeline::chart`].
    SaveChart,
    /// The panel's height is to be remembered.
    Height(f32),
}

/// A change of the document that the panel asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The sliders' values at a frame.
    AddKey(u32),
    /// The track as it is after keys were changed, with the playhead on this frame.
    Keys(Box<Track>, u32),
    Playback(Playback),
    Range(Option<(u32, u32)>),
    Frames(u32),
    Fps(f64),
    /// An expression at a frame.
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
    /// A timeline with presets to put on it.
    pub fn new(presets: Vec<Preset>) -> Self {
        Self {
            presets,
            ..Self::default()
        }
    }

    /// There are these presets now.
    pub fn set_presets<'a>(&mut self, presets: impl Iterator<Item = &'a Preset>) {
        self.presets = presets.cloned().collect();
    }

    /// The panel's height, in logical pixels.
    pub fn height(&self) -> f32 {
        self.height.unwrap_or(HEIGHT)
    }

    /// Makes the panel so high, as far as that goes.
    pub fn raise(&mut self, height: f32) {
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

    /// Brings playhead, selection and zoom back onto what has changed under them.
    pub fn follow(&mut self, subject: Subject<'_>) {
        self.frame = self.frame.min(subject.last());
        self.lens = self.lens.within(subject.last());
        match subject.track() {
            Some(track) => self.selection.retain(|id| track.key(*id).is_some()),
            None => self.selection.clear(),
        }
    }

    /// Leaves what is being typed; true when there was something.
    pub fn escape(&mut self) -> bool {
        self.typing.take().is_some()
    }

    /// Lets go of the selected keys.
    pub fn deselect(&mut self) {
        self.selection.clear();
        self.grab = None;
    }

    pub fn update(&mut self, message: Message, subject: Subject<'_>) -> Action {
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
            Message::Raised(height) => self.raise(height),
            Message::RaisedAtLast => return Action::Height(self.height()),
            Message::Entered => return Action::Leave,
            Message::ReadClip => return Action::ReadClip,
            Message::ReadSample => return Action::ReadSample,
            Message::Bake => return Action::Bake,
            Message::Measure => return Action::Measure,
            Message::Against(pane) => return Action::Against(pane),
            Message::SaveChart => return Action::SaveChart,
            Message::Playback(playback) => {
                return match subject {
                    Subject::Track(_) => Action::Edit(Change::Playback(playback)),
                    Subject::Read { .. } => Action::Playback(playback),
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
            Message::Whole => return ranged(subject, None, false),
            Message::Typed(value, text) => {
                let change = parse(value, &text);
                self.typing = Some((value, text));
                if let (Some((gesture, change)), Subject::Track(_)) = (change, subject) {
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
                if let Subject::Track(document) = subject {
                    return self.update_keys(message, document);
                }
            }
        }
        Action::None
    }

    /// Where playing begins, in seconds after the in point: here, or there when the playhead is at the end or outside.
    fn start(&self, subject: Subject<'_>) -> f64 {
        let (first, last) = subject.span();
        if (first..last).contains(&self.frame) {
            subject.time_of(self.frame - first)
        } else {
            0.0
        }
    }

    fn go(&mut self, subject: Subject<'_>, frame: u32) {
        self.frame = frame.min(subject.last());
        self.lens = self.lens.showing(self.frame, subject.last());
    }
}

fn with_in(subject: Subject<'_>, frame: u32) -> Option<(u32, u32)> {
    let (_, out) = subject.span();
    Some((frame, if frame > out { subject.last() } else { out }))
}

fn with_out(subject: Subject<'_>, frame: u32) -> Option<(u32, u32)> {
    let (first, _) = subject.span();
    Some((if frame < first { 0 } else { first }, frame))
}

fn ranged(subject: Subject<'_>, range: Option<(u32, u32)>, drag: bool) -> Action {
    let range = range.filter(|range| *range != (0, subject.last()));
    match subject {
        Subject::Read { .. } => Action::Range(range),
        Subject::Track(_) if drag => Action::Drag(Gesture::Range, Change::Range(range)),
        Subject::Track(_) => Action::Edit(Change::Range(range)),
    }
}

/// How often the playhead is moved while playing.
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
