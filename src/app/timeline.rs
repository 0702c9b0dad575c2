//! The timeline below: keyframes, the playhead, playing, and the Action Units' curves.

use std::time::{Duration, Instant};

use iced::widget::tooltip::Position;
use iced::widget::{column, container, pick_list, row, space, text, text_input};
use iced::{Alignment, Element, Length};

use super::curves::Curves;
use super::theme;
use super::widgets::{Sign, action, decimal, hinted, sign};
use crate::studio::{Document, Easing, Gesture, Playback, Pose, Track};

/// The panel's height, in logical pixels.
pub const HEIGHT: f32 = 196.0;

/// A number that can be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    Frames,
    Fps,
}

#[derive(Debug, Default)]
pub struct Timeline {
    frame: u32,
    /// When the playing began, and the seconds into the track that it began at.
    playing: Option<(Instant, f64)>,
    selected: Option<usize>,
    typing: Option<(Value, String)>,
}

#[derive(Debug, Clone)]
pub enum Message {
    PlayToggled,
    Tick(Instant),
    ToStart,
    Step(i32),
    /// The hand is on this frame.
    Scrubbed(u32),
    Selected(usize),
    /// The selected keyframe goes to this frame.
    Moved(u32),
    Released,
    KeyAdded,
    KeyRemoved,
    Easing(Easing),
    Playback(Playback),
    Typed(Value, String),
    Entered,
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
}

/// A change of the document that the panel asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    AddKey(u32),
    RemoveKey(usize),
    /// Which keyframe (by its index) goes to which frame.
    MoveKey(usize, u32),
    Easing(usize, Easing),
    Playback(Playback),
    Frames(u32),
    Fps(f64),
    /// A movement at a frame rate, in place of the whole track.
    Movement(f64, Vec<Option<Pose>>),
}

impl Change {
    pub fn apply(self, document: &mut Document) {
        let track = &mut document.track;
        match self {
            Change::AddKey(frame) => document.add_key(frame),
            Change::RemoveKey(index) => {
                if let Some(frame) = moment(track, index) {
                    document.remove_keys(&document.track.keys_on(frame), frame);
                }
            }
            Change::MoveKey(index, frame) => {
                move_moment(track, index, frame);
            }
            Change::Easing(index, easing) => {
                if let Some(frame) = moment(track, index) {
                    let keys = track.keys_on(frame);
                    track.set_easing(&keys, easing);
                }
            }
            Change::Playback(playback) => track.playback = playback,
            Change::Frames(frames) => track.set_frames(frames),
            Change::Fps(fps) => track.set_fps(fps),
            Change::Movement(fps, poses) => track.set_movement(fps, &poses),
        }
    }
}

/// The frame of a moment at which any unit has a key.
fn moment(track: &Track, index: usize) -> Option<u32> {
    let times = track.moments();
    times.get(index).map(|time| track.frame_at(*time))
}

/// The moment on a frame.
fn moment_on(track: &Track, frame: u32) -> Option<usize> {
    let times = track.moments();
    times.iter().position(|time| track.frame_at(*time) == frame)
}

/// Moves the keys of a moment to a frame and returns its new index.
fn move_moment(track: &mut Track, index: usize, frame: u32) -> usize {
    if let Some(from) = moment(track, index) {
        let keys = track.keys_on(from);
        track.move_keys(&keys, i64::from(frame) - i64::from(from), 0.0);
    }
    moment_on(track, frame.min(track.frames() - 1)).unwrap_or(index)
}

impl Timeline {
    /// The frame under the playhead.
    pub fn frame(&self) -> u32 {
        self.frame
    }

    pub fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// Brings playhead and selection back onto a track that has changed under them.
    pub fn follow(&mut self, track: &Track) {
        self.frame = self.frame.min(track.frames() - 1);
        let keys = track.moments().len();
        self.selected = self.selected.filter(|index| *index < keys);
    }

    /// Leaves what is being typed; true when there was something.
    pub fn escape(&mut self) -> bool {
        self.typing.take().is_some()
    }

    pub fn update(&mut self, message: Message, document: &Document) -> Action {
        let track = &document.track;
        if !matches!(message, Message::Typed(..) | Message::Tick(_)) {
            self.typing = None;
        }
        match message {
            Message::PlayToggled => {
                self.playing = match self.playing {
                    Some(_) => None,
                    None => Some((Instant::now(), self.start(track))),
                };
            }
            Message::Tick(now) => {
                if let Some((since, from)) = self.playing {
                    let elapsed = now.saturating_duration_since(since).as_secs_f64();
                    let (frame, over) = track.playing_at(from + elapsed);
                    self.go(track, frame);
                    if over {
                        self.playing = None;
                    }
                }
            }
            Message::ToStart => {
                self.playing = self.playing.map(|_| (Instant::now(), 0.0));
                self.go(track, 0);
            }
            Message::Step(by) => {
                self.playing = None;
                self.go(track, self.frame.saturating_add_signed(by));
            }
            Message::Scrubbed(frame) => {
                self.playing = None;
                self.go(track, frame);
            }
            Message::Selected(index) => {
                self.playing = None;
                if let Some(frame) = moment(track, index) {
                    self.go(track, frame);
                    self.selected = Some(index);
                }
            }
            Message::Moved(frame) => {
                if let Some(index) = self.selected {
                    let mut moved = track.clone();
                    self.selected = Some(move_moment(&mut moved, index, frame));
                    self.frame = frame.min(track.frames() - 1);
                    return Action::Drag(Gesture::Keys, Change::MoveKey(index, frame));
                }
            }
            Message::Released => return Action::EndGesture,
            Message::Entered => return Action::Leave,
            Message::ReadClip => return Action::ReadClip,
            Message::ReadSample => return Action::ReadSample,
            Message::KeyAdded => return Action::Edit(Change::AddKey(self.frame)),
            Message::KeyRemoved => {
                if let Some(index) = self.selected.or_else(|| moment_on(track, self.frame)) {
                    self.selected = None;
                    return Action::Edit(Change::RemoveKey(index));
                }
            }
            Message::Easing(easing) => {
                if let Some(index) = self.easing_key(track) {
                    return Action::Edit(Change::Easing(index, easing));
                }
            }
            Message::Playback(playback) => return Action::Edit(Change::Playback(playback)),
            Message::Typed(value, text) => {
                let change = parse(value, &text);
                self.typing = Some((value, text));
                if let Some((gesture, change)) = change {
                    return Action::Drag(gesture, change);
                }
            }
        }
        Action::None
    }

    /// Where playing begins: here, or at the start when the track is at its end.
    fn start(&self, track: &Track) -> f64 {
        if self.frame + 1 >= track.frames() {
            0.0
        } else {
            track.time_of(self.frame)
        }
    }

    fn go(&mut self, track: &Track, frame: u32) {
        self.frame = frame.min(track.frames() - 1);
        self.selected = moment_on(track, self.frame);
    }

    /// The keyframe whose easing shapes the curve at the playhead.
    fn easing_key(&self, track: &Track) -> Option<usize> {
        let now = track.time_of(self.frame) + 0.5 / track.fps();
        let after = track.moments().partition_point(|time| *time < now);
        self.selected.or(after.checked_sub(1))
    }

    pub fn view<'a>(&'a self, document: &'a Document) -> Element<'a, Message> {
        let curves = Curves {
            document,
            frame: self.frame,
            selected: self
                .selected
                .or_else(|| moment_on(&document.track, self.frame)),
        };
        container(column![self.controls(document), curves.into_element()].spacing(theme::GAP))
            .padding([10.0, theme::SPACE])
            .height(HEIGHT)
            .width(Length::Fill)
            .style(theme::panel)
            .into()
    }

    fn controls<'a>(&'a self, document: &'a Document) -> Element<'a, Message> {
        let track = &document.track;
        let play = if self.is_playing() {
            Sign::Pause
        } else {
            Sign::Play
        };
        let time = text(format!(
            "{:>6.2} s  {:>5} / {}",
            track.time_of(self.frame),
            self.frame + 1,
            track.frames()
        ))
        .size(theme::SMALL)
        .font(theme::FIGURES)
        .color(theme::dim());
        let on_key = self.selected.or_else(|| moment_on(track, self.frame));
        let easing_key = self.easing_key(track);
        let easing = easing_key
            .and_then(|index| moment(track, index))
            .and_then(|frame| track.easing_of(&track.keys_on(frame)));
        let easings: &[Easing] = if easing.is_some() { &Easing::ALL } else { &[] };

        row![
            hinted(sign(Sign::ToStart, Some(Message::ToStart)), "To the start (Home)", Position::Top),
            hinted(sign(play, Some(Message::PlayToggled)), "Play or pause (Space)", Position::Top),
            pick_list(Playback::ALL, Some(track.playback), Message::Playback)
                .text_size(theme::SMALL)
                .padding([4, 8])
                .style(theme::choice(track.playback as usize)),
            time,
            space::horizontal(),
            hinted(
                action("From a clip…", Some(Message::ReadClip)),
                "Reads the Action Units of the face in a video, a GIF or a folder of frames, and puts its movement on the track",
                Position::Top,
            ),
            // Whoever has a movement already needs none to try.
            track.is_empty().then(|| hinted(
                action("Sample clip", Some(Message::ReadSample)),
                "The same with a short clip that comes with Mien",
                Position::Top,
            )),
            hinted(
                action("Set keyframe", Some(Message::KeyAdded)),
                "Puts the sliders' values on the track at the playhead (K). With keyframes on the track, moving a slider sets one by itself",
                Position::Top,
            ),
            action("Delete", on_key.map(|_| Message::KeyRemoved)),
            (!track.is_empty()).then(|| row![
                text("Easing").size(theme::SMALL).color(theme::dim()),
                pick_list(easings, easing, Message::Easing)
                    .placeholder("no keyframe")
                    .text_size(theme::SMALL)
                    .padding([4, 8])
                    .width(150)
                    .style(theme::choice(easing.map_or(0, |easing| easing.index() + 1))),
            ].spacing(theme::GAP).align_y(Alignment::Center)),
            space::horizontal().width(theme::SPACE),
            text("Frames").size(theme::SMALL).color(theme::dim()),
            self.field(Value::Frames, track.frames().to_string()),
            text("fps").size(theme::SMALL).color(theme::dim()),
            self.field(Value::Fps, short(track.fps())),
        ]
        .spacing(theme::GAP)
        .align_y(Alignment::Center)
        .into()
    }

    fn field<'a>(&self, value: Value, number: String) -> Element<'a, Message> {
        let shown = match &self.typing {
            Some((typing, text)) if *typing == value => text.clone(),
            _ => number,
        };
        text_input("", &shown)
            .on_input(move |text| Message::Typed(value, text))
            .on_submit(Message::Entered)
            .size(theme::SMALL)
            .font(theme::FIGURES)
            .padding([3, 6])
            .width(60)
            .style(theme::field)
            .into()
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

/// A frame rate without needless figures: 24, 23.976.
pub fn short(fps: f64) -> String {
    format!("{}", (fps * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lengths_and_rates_in_range_are_taken() {
        assert_eq!(
            parse(Value::Frames, " 30 "),
            Some((Gesture::Length, Change::Frames(30)))
        );
        assert_eq!(
            parse(Value::Fps, "12,5"),
            Some((Gesture::Fps, Change::Fps(12.5)))
        );
        for text in ["", "1", "-3", "1e9", "x"] {
            assert_eq!(parse(Value::Frames, text), None, "{text}");
        }
        for text in ["0", "NaN", "inf", "121"] {
            assert_eq!(parse(Value::Fps, text), None, "{text}");
        }
        assert_eq!(short(24.0), "24");
        assert_eq!(short(23.976_023_9), "23.976");
    }
}
