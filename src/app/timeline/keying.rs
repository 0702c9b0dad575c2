//! Commands on keys, selected or under the playhead.

use crate::document::{Document, Easing, Gesture, Selection, Track};

use super::subject::TimelineSource;
use super::{Action, Change, Grab, Message, Timeline};

impl Timeline {
    /// The keys a command applies to: the selected ones, or else those under the playhead.
    pub(super) fn target_keys(&self, track: &Track) -> Selection {
        if self.selection.is_empty() {
            track.keys_on(self.frame)
        } else {
            self.selection.clone()
        }
    }

    /// The keys whose easing is shown: those of `target_keys`, or else the ones that shape the curves at the playhead.
    pub(super) fn eased(&self, track: &Track) -> Selection {
        let target_keys = self.target_keys(track);
        if target_keys.is_empty() {
            track.keys_before(self.frame)
        } else {
            target_keys
        }
    }

    /// Handles the messages about keys.
    pub(super) fn update_keys(&mut self, message: Message, document: &Document) -> Action {
        let mut track = document.track.clone();
        match message {
            Message::Selected(ids, clicked) => {
                self.playing = None;
                self.selection = ids;
                if let Some(id) = clicked {
                    self.go(TimelineSource::Track(document), track.frame_at(id.time));
                }
                return Action::None;
            }
            Message::SelectedAll => {
                self.selection = track.all_keys();
                return Action::None;
            }
            Message::Moved(at, frames, share) => {
                self.playing = None;
                let grab = self.grab.get_or_insert_with(|| Grab {
                    track,
                    ids: self.selection.clone(),
                });
                let mut moved = grab.track.clone();
                self.selection = moved.move_keys(&grab.ids, frames, share, self.reach);
                let shift = |ids: &Selection| ids.iter().map(|id| id.time).fold(f64::MAX, f64::min);
                let by = shift(&self.selection) - shift(&grab.ids);
                if by.is_finite() {
                    self.frame = moved.frame_at(at.time + by);
                }
                return Action::Drag(Gesture::Keys, Change::Keys(Box::new(moved), self.frame));
            }
            Message::Stretched {
                around,
                factor,
                held,
            } => {
                self.playing = None;
                if !held {
                    self.selection = track.scale_keys(&self.selection, around, factor);
                    lengthen(&mut track);
                    return Action::Edit(Change::Keys(Box::new(track), self.frame));
                }
                let grab = self.grab.get_or_insert_with(|| Grab {
                    track,
                    ids: self.selection.clone(),
                });
                let mut stretched = grab.track.clone();
                self.selection = stretched.scale_keys(&grab.ids, around, factor);
                lengthen(&mut stretched);
                return Action::Drag(Gesture::Keys, Change::Keys(Box::new(stretched), self.frame));
            }
            Message::Bent(id, second, [x, y]) => {
                let Some(mut handles) = track.key(id).and_then(|key| key.easing.handles()) else {
                    return Action::None;
                };
                handles[if second { 2 } else { 0 }] = x;
                handles[if second { 3 } else { 1 }] = y;
                track.set_easing(&[id].into(), Easing::bezier(handles));
                return Action::Drag(Gesture::Keys, Change::Keys(Box::new(track), self.frame));
            }
            Message::KeyAdded => {
                let mut after = document.clone();
                after.add_key(self.frame);
                self.selection = after.track.keys_on(self.frame);
                return Action::Edit(Change::AddKey(self.frame));
            }
            Message::KeyOn(channel, frame) => {
                track.set_channel(frame, channel, document.pose(frame).halves(channel));
                let on = track.keys_on(frame).into_iter();
                self.selection = on.filter(|id| id.channel == channel).collect();
            }
            Message::KeyRemoved => {
                track.remove_keys(&self.target_keys(&track));
                self.selection.clear();
            }
            Message::Copied => {
                self.keep_copy(&track);
                return Action::None;
            }
            Message::Cut => {
                self.keep_copy(&track);
                track.remove_keys(&self.target_keys(&track));
                self.selection.clear();
            }
            Message::Pasted => self.selection = track.paste(self.frame, &self.copied),
            Message::Easing(easing) => track.set_easing(&self.eased(&track), easing),
            Message::Preset(name) => {
                let preset = self.presets.iter().find(|preset| preset.name == name);
                return preset.map_or(Action::None, |preset| {
                    Action::Edit(Change::PresetAt(self.frame, preset.pose))
                });
            }
            _ => return Action::None,
        }
        Action::Edit(Change::Keys(Box::new(track), self.frame))
    }

    /// The keys being dragged, at their times when the drag began.
    pub(super) fn grabbed(&self) -> Option<&Selection> {
        self.grab.as_ref().map(|grab| &grab.ids)
    }

    /// The earliest time of the selected keys, in seconds, if they are at different times.
    pub(super) fn stretchable(&self) -> Option<f64> {
        let times = || self.selection.iter().map(|id| id.time);
        let first = times().fold(f64::INFINITY, f64::min);
        let last = times().fold(f64::NEG_INFINITY, f64::max);
        (last - first > 1e-6).then_some(first)
    }

    /// Copies keys. Copying nothing leaves the earlier copy.
    fn keep_copy(&mut self, track: &Track) {
        let copied = track.copy(&self.target_keys(track));
        if !copied.is_empty() {
            self.copied = copied;
        }
    }
}

/// Makes a track longer if keys are beyond its end, up to the maximum length.
fn lengthen(track: &mut Track) {
    let last = track.moments().into_iter().fold(0.0, f64::max);
    let frames = (last * track.fps()).round() + 1.0;
    if frames > f64::from(track.frames()) {
        track.set_frames(frames.min(f64::from(*Track::FRAMES.end())) as u32);
    }
}
