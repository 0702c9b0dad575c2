//! One portrait and the edits of its expression.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::document::au::{ActionUnit, AuVector};
use crate::document::channel::Channel;
use crate::document::crop::Crop;
use crate::document::glasses::Glasses;
use crate::document::landmarks::LandmarkOffsets;
use crate::document::limit::Limit;
use crate::document::media_source::MediaSource;
use crate::document::pose::{Pose, Sides};
use crate::document::track::Track;
use crate::document::track::keys::Selection;

/// Identifies the document's portrait. The pixels are stored elsewhere, under `id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortraitRef {
    /// Equal ids mean equal pixels.
    pub id: u64,
    /// The file's name, as the title shows it.
    pub name: String,
    /// Where its pixels come from, so that a project can load them again.
    pub source: MediaSource,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// Everything about one portrait that undo restores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The portrait.
    pub portrait: PortraitRef,
    /// The square of the portrait given to the network.
    pub crop: Crop,
    /// The portrait's own expression: the sliders' reset values, and what counts as "no edit".
    pub source: AuVector,
    /// Index of the face among those detected in the portrait; `None` if none was detected.
    pub face: Option<usize>,
    /// The pose of channels that have no key on the track; see [`Document::pose`].
    #[serde(rename = "still")]
    pub base_pose: Pose,
    /// Interpolation weight from `source` to the pose, in 0..=1.
    pub strength: f32,
    /// Whether the portrait's fine detail is carried over where the network preserves the colour.
    pub detail: bool,
    /// The parts of the face that may change.
    pub limit: Limit,
    /// How strongly the rig draws folds, in [`Document::FOLDS`]: 0 for a child's skin, 1 for most adults'. `None`
    /// measures it from the portrait's skin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<f32>,
    /// Whether the rig keeps the frame of glasses rigid.
    #[serde(default, skip_serializing_if = "Glasses::is_auto")]
    pub glasses: Glasses,
    /// Landmarks displaced from where they were detected.
    #[serde(default, skip_serializing_if = "LandmarkOffsets::is_empty")]
    pub landmarks: LandmarkOffsets,
    /// The expression track.
    pub track: Track,
}

impl Document {
    /// The accepted strengths of folds.
    pub const FOLDS: RangeInclusive<f32> = 0.0..=1.0;

    /// A newly opened portrait: sliders at its own expression, full strength, no keys.
    pub fn new(portrait: PortraitRef, crop: Crop, source: AuVector) -> Self {
        Self {
            portrait,
            crop,
            source,
            face: None,
            base_pose: source.into(),
            strength: 1.0,
            detail: true,
            limit: Limit::NONE,
            folds: None,
            glasses: Glasses::Auto,
            landmarks: LandmarkOffsets::default(),
            track: Track::default(),
        }
    }

    /// The slider values at a frame: from the track for channels with keys, from the still pose for the others.
    pub fn pose(&self, frame: u32) -> Pose {
        self.track
            .pose_at(self.track.time_of(frame), self.base_pose)
    }

    /// Whether the portrait is edited at a frame.
    pub fn is_edited(&self, frame: u32) -> bool {
        self.target(frame) != self.source
    }

    /// Sets the slider values at a frame. If the track has no keys, this changes the still pose. Otherwise every
    /// channel that has keys, or that changes, gets a key at that frame, so that scrubbing never loses a value. A
    /// changed channel without keys also gets a key with its previous value at the nearest keyed frame before (or else
    /// after) this one, so that the new value doesn't apply to the whole track.
    pub fn set_pose(&mut self, frame: u32, pose: Pose) {
        if self.track.is_empty() {
            self.base_pose = pose;
        } else {
            self.key_pose(frame, pose, self.anchor(frame));
        }
    }

    /// The nearest other frame with keys: before this one, or else after it.
    fn anchor(&self, frame: u32) -> Option<u32> {
        let frames = self.track.moments();
        let mut frames = frames.into_iter().map(|time| self.track.frame_at(time));
        let before = frames.clone().rev().find(|other| *other < frame);
        before.or_else(|| frames.find(|other| *other > frame))
    }

    fn key_pose(&mut self, frame: u32, pose: Pose, anchor: Option<u32>) {
        let before = self.pose(frame);
        for channel in Channel::ALL {
            let keyed = !self.track.curve(channel).is_empty();
            let changed = before.halves(channel) != pose.halves(channel);
            if let (false, true, Some(anchor)) = (keyed, changed, anchor) {
                let halves = before.halves(channel);
                self.track.set_channel(anchor, channel, halves);
            }
            if keyed || changed {
                self.track.set_channel(frame, channel, pose.halves(channel));
            }
        }
    }

    /// Puts an expression on the track at a frame, on both halves; head and eyes stay. On a track without keys the
    /// movement starts from the still pose at frame 0; at frame 0 itself, all units are keyed.
    pub fn put_preset(&mut self, frame: u32, preset: &Pose) {
        let pose = self.pose(frame).with_units(Sides::Both, preset);
        match (self.track.is_empty(), frame) {
            (true, 0) => self.track.set_key(0, pose),
            (true, _) => self.key_pose(frame, pose, Some(0)),
            (false, _) => self.set_pose(frame, pose),
        }
    }

    /// Sets one slider at a frame on some halves of the face. If the track has keys, only this channel gets a key at
    /// that frame; a channel's first key applies to the whole track.
    pub fn set_channel(
        &mut self,
        frame: u32,
        sides: Sides,
        channel: impl Into<Channel>,
        value: f32,
    ) {
        let channel = channel.into();
        if self.track.is_empty() {
            self.base_pose.set(sides, channel, value);
        } else {
            let pose = self.pose(frame).with(sides, channel, value);
            self.track.set_channel(frame, channel, pose.halves(channel));
        }
    }

    /// Switches to another face of the portrait: takes its crop and expression, and resets the sliders, folds, glasses
    /// and landmarks. The track stays, because the same movement may be wanted for another face.
    pub fn switch_face(&mut self, face: usize, crop: Crop, source: AuVector) {
        self.face = Some(face);
        self.crop = crop;
        self.source = source;
        self.base_pose = source.into();
        self.folds = None;
        self.glasses = Glasses::Auto;
        self.landmarks = LandmarkOffsets::default();
    }

    /// Sets how strongly folds are drawn, clamped to [`Document::FOLDS`]; `None` and NaN measure it from the portrait's skin.
    pub fn set_folds(&mut self, folds: Option<f32>) {
        let folds = folds.filter(|folds| !folds.is_nan());
        // -0 becomes 0, so that equal values have the same cache key.
        self.folds = folds.map(|folds| folds.clamp(*Self::FOLDS.start(), *Self::FOLDS.end()) + 0.0);
    }

    /// Replaces the portrait's own expression. Action Unit sliders follow if all of them were at the old one; otherwise
    /// they stay.
    pub fn replace_source(&mut self, source: AuVector) {
        if self.base_pose.facing_as_portrait() == self.source {
            self.base_pose = self.base_pose.with_all(Sides::Both, source);
        }
        self.source = source;
    }

    /// Treats what the portrait shows as this person's relaxed face: sets its own expression and the sliders to zero.
    pub fn set_neutral(&mut self) {
        self.source = AuVector::NEUTRAL;
        self.base_pose = Pose::NEUTRAL;
    }

    /// Keys the pose at a frame: every channel that differs from the portrait's own expression or has keys already, or
    /// all Action Units if no channel does.
    pub fn add_key(&mut self, frame: u32) {
        let (pose, source) = (self.pose(frame), Pose::from(self.source));
        let wanted = |channel: &Channel| {
            let keyed = !self.track.curve(*channel).is_empty();
            keyed || pose.halves(*channel) != source.halves(*channel)
        };
        let mut channels: Vec<Channel> = Channel::ALL.into_iter().filter(wanted).collect();
        if channels.is_empty() {
            channels = ActionUnit::ALL.map(Channel::from).to_vec();
        }
        for channel in channels {
            self.track.set_channel(frame, channel, pose.halves(channel));
        }
    }

    /// Removes keys. A channel that loses its last one keeps the value it had at `frame`.
    pub fn remove_keys(&mut self, ids: &Selection, frame: u32) {
        let mut track = self.track.clone();
        track.remove_keys(ids);
        self.put_track(track, frame);
    }

    /// Replaces the track. A channel that loses its last key keeps the value it had at `frame`, the playhead's.
    pub fn put_track(&mut self, track: Track, frame: u32) {
        let before = self.pose(frame);
        for channel in self.track.keyed() {
            if track.curve(channel).is_empty() {
                self.base_pose.set_halves(channel, before.halves(channel));
            }
        }
        self.track = track;
    }

    /// The expression given to the network at a frame: `(1 - strength) * source + strength * pose`, as GANimation
    /// interpolates, always from the original picture. In `source` head and eyes are at rest.
    pub fn target(&self, frame: u32) -> Pose {
        Pose::from(self.source).lerp(&self.pose(frame), self.strength)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample() -> Document {
        let portrait = PortraitRef {
            id: 1,
            name: "portrait.png".to_owned(),
            source: MediaSource::File("portrait.png".into()),
            width: 100,
            height: 100,
        };
        let crop = Crop {
            x: 10.0,
            y: 10.0,
            side: 50.0,
            ..Crop::default()
        };
        Document::new(portrait, crop, AuVector::NEUTRAL)
    }

    #[test]
    fn sliders_change_the_base_pose_until_the_track_has_a_key() {
        let smile = ActionUnit::from_code(12).unwrap();
        let mut document = sample();
        document.set_channel(10, Sides::Both, smile, 0.4);
        assert_eq!(document.pose(0).get(smile), 0.4);
        document.add_key(0);
        document.set_channel(24, Sides::Both, smile, 1.0);
        assert_eq!(document.track.moments().len(), 2);
        assert_eq!(document.pose(0).get(smile), 0.4);
        assert_eq!(document.pose(24).get(smile), 1.0);
        let between = document.pose(12).get(smile);
        assert!((between - 0.7).abs() < 1e-6, "{between}");
    }

    #[test]
    fn removing_the_last_key_keeps_its_values_as_the_base_pose() {
        let smile = ActionUnit::from_code(12).unwrap();
        let mut document = sample();
        document.add_key(0);
        document.set_channel(0, Sides::Left, smile, 0.9);
        document.remove_keys(&document.track.all_keys(), 0);
        assert!(document.track.is_empty());
        assert_eq!(document.pose(0).halves(smile), (0.9, 0.0));
    }

    #[test]
    fn only_changed_channels_are_keyed() {
        let (smile, brow) = (
            ActionUnit::from_code(12).unwrap(),
            ActionUnit::from_code(1).unwrap(),
        );
        let mut document = sample();
        document.add_key(3);
        assert_eq!(document.track.keyed().count(), 17, "nothing differs");
        let mut document = sample();
        document.set_channel(0, Sides::Both, smile, 0.6);
        document.add_key(3);
        assert_eq!(document.track.keyed().collect::<Vec<_>>(), [smile.into()]);
        // A unit's first key holds everywhere, and nothing else is keyed with it.
        document.set_channel(20, Sides::Both, brow, 0.5);
        assert_eq!(document.pose(0).get(brow), 0.5);
        assert_eq!(document.track.all_keys().len(), 2);
        document.add_key(20);
        assert_eq!(document.track.all_keys().len(), 3);
    }

    #[test]
    fn posing_a_frame_leaves_other_frames_unchanged() {
        let (smile, brow) = (
            ActionUnit::from_code(12).unwrap(),
            ActionUnit::from_code(1).unwrap(),
        );
        let mut document = sample();
        document.set_channel(0, Sides::Both, smile, 0.6);
        document.add_key(0);
        let raised = AuVector::NEUTRAL.with(brow, 1.0);
        document.set_pose(24, raised.into());
        assert_eq!(document.pose(0), AuVector::NEUTRAL.with(smile, 0.6));
        assert_eq!(document.pose(24), raised);
        assert_eq!(document.track.keyed().count(), 2);

        let mut document = sample();
        document.put_preset(24, &raised.into());
        assert_eq!(document.pose(0), AuVector::NEUTRAL);
        assert_eq!(document.pose(24), raised);
        let mut document = sample();
        document.put_preset(0, &raised.into());
        assert_eq!(document.track.keyed().count(), 17);
    }

    #[test]
    fn switching_faces_resets_the_pose_to_the_expression_of_the_new_face() {
        let smile = ActionUnit::from_code(12).unwrap();
        let mut document = sample();
        document.set_channel(0, Sides::Left, smile, 0.9);
        let crop = Crop {
            x: 3.0,
            ..document.crop
        };
        let own = AuVector::NEUTRAL.with(smile, 0.4);
        document.switch_face(1, crop, own);
        assert_eq!((document.face, document.crop), (Some(1), crop));
        assert_eq!(document.target(0), own);
        document.set_neutral();
        assert_eq!(document.target(0), AuVector::NEUTRAL);
        assert_eq!(document.target(0), Pose::from(document.source));
    }

    #[test]
    fn a_new_source_reading_updates_only_untouched_sliders() {
        let smile = ActionUnit::from_code(12).unwrap();
        let read = AuVector::NEUTRAL.with(smile, 0.3);
        let mut document = sample();
        document.replace_source(read);
        assert_eq!(document.base_pose, read);
        document.set_channel(0, Sides::Both, smile, 0.9);
        document.replace_source(AuVector::NEUTRAL);
        assert_eq!(document.base_pose.get(smile), 0.9);
        assert_eq!(document.source, AuVector::NEUTRAL);
    }

    #[test]
    fn head_and_gaze_are_set_and_keyed_like_action_units() {
        let smile = ActionUnit::from_code(12).unwrap();
        let mut document = sample();
        document.set_channel(0, Sides::Left, Channel::Yaw, 8.0);
        assert!(document.is_edited(0));
        document.strength = 0.5;
        assert_eq!(document.target(0).head.yaw(), 4.0);
        // A new reading and a preset affect only the units.
        document.replace_source(AuVector::NEUTRAL.with(smile, 0.3));
        assert_eq!(document.base_pose.get(smile), 0.3);
        document.add_key(0);
        assert_eq!(document.track.keyed().collect::<Vec<_>>(), [Channel::Yaw]);
        document.set_channel(24, Sides::Both, Channel::Yaw, -8.0);
        document.put_preset(24, &AuVector::NEUTRAL.with(smile, 1.0).into());
        assert_eq!(document.pose(24).head.yaw(), -8.0);
        assert_eq!(document.pose(24).get(smile), 1.0);
        document.remove_keys(&document.track.all_keys(), 24);
        assert_eq!(document.base_pose.head.yaw(), -8.0);
        document.switch_face(0, document.crop, AuVector::NEUTRAL);
        assert!(!document.is_edited(0));
    }

    #[test]
    fn folds_follow_the_portrait_until_a_strength_is_set() {
        let mut document = sample();
        assert_eq!(document.folds, None);
        for (given, kept) in [(-1.0, 0.0), (0.4, 0.4), (7.0, 1.0)] {
            document.set_folds(Some(given));
            assert_eq!(document.folds, Some(kept));
        }
        document.glasses = Glasses::Bend;
        document.landmarks.set(4, [0.1, 0.0]);
        document.switch_face(1, document.crop, AuVector::NEUTRAL);
        assert_eq!(document.folds, None, "another face, another skin");
        assert_eq!(document.glasses, Glasses::Auto);
        assert!(document.landmarks.is_empty());
        document.set_folds(Some(f32::NAN));
        assert_eq!(document.folds, None);
    }

    #[test]
    fn strength_zero_targets_exactly_the_source_expression() {
        let unit = ActionUnit::ALL[3];
        let mut document = sample();
        document.source.set(unit, 0.3);
        document.set_channel(0, Sides::Both, unit, 0.7);
        document.strength = 0.0;
        assert_eq!(document.target(0), Pose::from(document.source));
        document.strength = 1.0;
        assert_eq!(document.target(0), document.pose(0));
    }
}
