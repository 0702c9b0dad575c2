//! One portrait and what is done to its expression.

use serde::{Deserialize, Serialize};

use super::{ActionUnit, AuVector, Crop, Limit, MediaSource, Pose, Sides, Track};

/// Which portrait the document is about. The pixels live elsewhere, under `id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortraitRef {
    pub id: u64,
    /// The file's name, as the title shows it.
    pub name: String,
    /// Where its pixels come from, so that a project finds them again.
    pub source: MediaSource,
    /// Pixels.
    pub width: u32,
    pub height: u32,
}

/// Everything that undo brings back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub portrait: PortraitRef,
    /// The square that the network sees.
    pub crop: Crop,
    /// The expression that the portrait itself shows: what the sliders reset to, and what counts as "no edit".
    pub source: AuVector,
    /// Which of the faces found in the portrait this is about; nothing where none was found.
    pub face: Option<usize>,
    /// The expression asked for while the track has no keyframe; see [`Document::pose`].
    pub still: Pose,
    /// How much of the way from `source` to the pose is gone, in 0..=1.
    pub strength: f32,
    /// Whether the portrait's own fine detail is carried over where the network keeps the colour.
    pub detail: bool,
    /// The parts of the face that may change.
    pub limit: Limit,
    pub track: Track,
}

impl Document {
    /// A portrait just opened: sliders at its own values, full strength, no keyframes.
    pub fn new(portrait: PortraitRef, crop: Crop, source: AuVector) -> Self {
        Self {
            portrait,
            crop,
            source,
            face: None,
            still: source.into(),
            strength: 1.0,
            detail: true,
            limit: Limit::NONE,
            track: Track::default(),
        }
    }

    /// The slider values at a frame: the track's where it has keyframes, the still pose otherwise.
    pub fn pose(&self, frame: u32) -> Pose {
        self.track
            .value_at(self.track.time_of(frame))
            .unwrap_or(self.still)
    }

    /// Sets the slider values at a frame. With keyframes on the track this changes or makes the keyframe at that
    /// frame, so that no slider move is ever lost by scrubbing on.
    pub fn set_pose(&mut self, frame: u32, pose: Pose) {
        if self.track.is_empty() {
            self.still = pose;
        } else {
            self.track.set_key(frame, pose);
        }
    }

    /// Sets one slider at a frame on some halves of the face, as [`Document::set_pose`] does for all.
    pub fn set_au(&mut self, frame: u32, sides: Sides, unit: ActionUnit, value: f32) {
        self.set_pose(frame, self.pose(frame).with(sides, unit, value));
    }

    /// Takes up another face of the portrait: its crop and its own expression, with nothing asked for yet. The track
    /// stays: the same movement may be wanted of another face.
    pub fn take_face(&mut self, face: usize, crop: Crop, source: AuVector) {
        self.face = Some(face);
        self.crop = crop;
        self.source = source;
        self.still = source.into();
    }

    /// The portrait's own expression is read anew. Sliders that stood there go with it; what was asked for stays.
    pub fn read_anew(&mut self, source: AuVector) {
        if self.still == self.source {
            self.still = source.into();
        }
        self.source = source;
    }

    /// From now on what the portrait shows counts as this person's relaxed face: its own expression is zero, and the
    /// sliders begin there.
    pub fn count_as_neutral(&mut self) {
        self.source = AuVector::NEUTRAL;
        self.still = Pose::NEUTRAL;
    }

    /// Puts the pose at a frame on the track.
    pub fn add_key(&mut self, frame: u32) {
        self.track.set_key(frame, self.pose(frame));
    }

    /// Takes a keyframe away. With the last one its values become the still pose.
    pub fn remove_key(&mut self, index: usize) {
        if let [only] = self.track.keyframes() {
            self.still = only.pose;
        }
        self.track.remove_key(index);
    }

    /// The expression that is asked of the network at a frame: `(1 - strength) * source + strength * pose`, as
    /// GANimation interpolates, always from the original picture.
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
    fn a_slider_moves_the_still_pose_until_there_is_a_key() {
        let smile = ActionUnit::from_code(12).unwrap();
        let mut document = sample();
        document.set_au(10, Sides::Both, smile, 0.4);
        assert_eq!(document.pose(0).get(smile), 0.4);
        document.add_key(0);
        document.set_au(24, Sides::Both, smile, 1.0);
        assert_eq!(document.track.keyframes().len(), 2);
        assert_eq!(document.pose(0).get(smile), 0.4);
        assert_eq!(document.pose(24).get(smile), 1.0);
        let between = document.pose(12).get(smile);
        assert!((between - 0.7).abs() < 1e-6, "{between}");
    }

    #[test]
    fn the_last_key_leaves_its_values_behind() {
        let smile = ActionUnit::from_code(12).unwrap();
        let mut document = sample();
        document.add_key(0);
        document.set_au(0, Sides::Both, smile, 0.9);
        document.remove_key(0);
        assert!(document.track.is_empty());
        assert_eq!(document.pose(0).get(smile), 0.9);
    }

    #[test]
    fn another_face_brings_its_own_expression_and_neutral_forgets_it() {
        let smile = ActionUnit::from_code(12).unwrap();
        let mut document = sample();
        document.set_au(0, Sides::Left, smile, 0.9);
        let crop = Crop {
            x: 3.0,
            ..document.crop
        };
        let own = AuVector::NEUTRAL.with(smile, 0.4);
        document.take_face(1, crop, own);
        assert_eq!((document.face, document.crop), (Some(1), crop));
        assert_eq!(document.target(0), own);
        document.count_as_neutral();
        assert_eq!(document.target(0), AuVector::NEUTRAL);
        assert_eq!(document.target(0), Pose::from(document.source));
    }

    #[test]
    fn a_new_reading_takes_along_only_sliders_that_were_not_touched() {
        let smile = ActionUnit::from_code(12).unwrap();
        let read = AuVector::NEUTRAL.with(smile, 0.3);
        let mut document = sample();
        document.read_anew(read);
        assert_eq!(document.still, read);
        document.set_au(0, Sides::Both, smile, 0.9);
        document.read_anew(AuVector::NEUTRAL);
        assert_eq!(document.still.get(smile), 0.9);
        assert_eq!(document.source, AuVector::NEUTRAL);
    }

    #[test]
    fn strength_zero_asks_for_the_source_exactly() {
        let unit = ActionUnit::ALL[3];
        let mut document = sample();
        document.source.set(unit, 0.3);
        document.set_au(0, Sides::Both, unit, 0.7);
        document.strength = 0.0;
        assert_eq!(document.target(0), Pose::from(document.source));
        document.strength = 1.0;
        assert_eq!(document.target(0), document.pose(0));
    }
}
