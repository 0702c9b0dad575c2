//! GANimation as a [`Method`]: repaints a portrait's crop with an expression and composites it into the portrait.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::document::{ActionUnit, AuVector, MethodId, Mode, PaneView, Pose};
use crate::error::EngineError;
use crate::face::limits::{self, CachedMask};
use crate::face::view::View;
use crate::face::{Edit, Mesh, PasteMode, TurnedSquare, network_input, paste};
use crate::lru_cache::LruCache;
use crate::math::smoothstep;
use crate::media::image::Picture;
use crate::methods::diagnostics::{Diagnostics, EditDiagnostics};
use crate::methods::drive::Drive;
use crate::methods::ganimation::model::{Model, Prepared};
use crate::methods::subject::{Subject, square};
use crate::methods::{
    Base, DrivenBy, Method, MethodFrame, MethodInfo, Quality, Session, millis_since,
};
use crate::progress::Stop;
use crate::weights::{Bundled, CropRule};

/// GANimation in the registry.
pub static INFO: MethodInfo = MethodInfo {
    id: MethodId::new("ganimation"),
    title: "GANimation",
    driven_by: DrivenBy::Expression,
    draws_head: false,
    overshoots: false,
    draws_folds: false,
    is_generative: true,
    fits_landmarks: false,
    modes: &[],
    views: &[
        PaneView::Result,
        PaneView::Attention,
        PaneView::Colour,
        PaneView::Difference,
    ],
    has_draft: false,
    bundled: Some(Bundled::Ganimation),
    open: |weights: Option<&Path>| Ok(Arc::new(Ganimation::new(Arc::new(Model::open(weights)?)))),
};

/// Cache capacity of one session in bytes: about 256 edits at 128 pixels a side.
const CACHE_BYTES: usize = 118 << 20;

/// An edit fades in while its largest difference from the portrait's expression is below this, so that the first touch of
/// a slider doesn't jump from the untouched portrait to the network's reconstruction of it.
const ONSET: f32 = 0.05;

/// The method with its weights.
pub struct Ganimation(Arc<Model>);

impl Ganimation {
    /// The method with this model.
    pub fn new(model: Arc<Model>) -> Self {
        Self(model)
    }
}

impl Method for Ganimation {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&self) -> &str {
        self.0.name()
    }

    fn device(&self) -> String {
        self.0.device_name()
    }

    fn crop(&self) -> &CropRule {
        self.0.crop()
    }

    fn prepare(&self, subject: &Subject, _: Stop) -> Result<Box<dyn Session>, EngineError> {
        let (width, height) = subject.picture.size();
        let crop = subject.crop_for(self.0.crop()).checked(width, height)?;
        let place = square(crop);
        let input = network_input(&subject.picture, place, self.0.size())?;
        Ok(Box::new(EditSession {
            prepared: self.0.prepare(input)?,
            model: Arc::clone(&self.0),
            place,
            left: None,
            mask: CachedMask::default(),
            edits: LruCache::new(CACHE_BYTES),
        }))
    }
}

/// How far an edit is faded in, in 0..=1: exactly 0 without an edit, 1 from a difference of [`ONSET`].
#[derive(Debug, Clone, Copy, PartialEq)]
struct Onset {
    left: f32,
    right: f32,
    even: bool,
}

impl Onset {
    fn between(source: &AuVector, target: &Pose) -> Self {
        let of = |half: &AuVector| smoothstep((source.distance(half) / ONSET).min(1.0));
        Self {
            left: of(&target.left),
            right: of(&target.right),
            even: target.is_even(),
        }
    }

    /// The onset of the whole edit. If the halves of the face differ, each is faded in separately and this is 1.
    fn overall(self) -> f32 {
        if self.even { self.left } else { 1.0 }
    }
}

/// A generator with a portrait's crop prepared for it.
struct EditSession {
    model: Arc<Model>,
    prepared: Prepared,
    /// The square of the portrait that the network sees.
    place: TurnedSquare,
    /// 1 on the left half of the face, 0 on the right, at the network's resolution; and the landmarks that it is derived
    /// from.
    left: Option<(Option<Mesh>, Vec<f32>)>,
    mask: CachedMask,
    edits: LruCache<[u32; ActionUnit::COUNT], Arc<Edit>>,
}

impl Session for EditSession {
    fn frame(
        &mut self,
        subject: &Subject,
        drive: &mut dyn Drive,
        _: Option<Mode>,
        quality: Quality,
        stop: Stop,
    ) -> Result<MethodFrame, EngineError> {
        let target = INFO.supported_pose(drive.expression());
        let onset = Onset::between(&subject.expression, &target);
        if quality != Quality::Diagnostics && onset.overall() == 0.0 {
            return Ok(MethodFrame {
                diagnostics: Diagnostics::None,
                is_draft: false,
                millis: None,
                draft_millis: 0.0,
                mean_edit: Some(0.0),
            });
        }
        let started = Instant::now();
        let mesh = subject.face.as_deref().map(|face| &face.mesh);
        let (edit, ran) = self.edit(&target, onset, mesh, stop)?;
        let mask = self.mask.get(mesh, self.place, subject.limit);
        let millis = ran.then(|| millis_since(started));
        let onset = onset.overall();
        Ok(MethodFrame {
            mean_edit: Some(edit.mean_edit(mask.as_deref()) * onset),
            diagnostics: Diagnostics::Edit(EditDiagnostics {
                place: self.place,
                edit,
                mask,
                onset,
            }),
            is_draft: false,
            millis,
            draft_millis: 0.0,
        })
    }

    fn composite(
        &mut self,
        subject: &Subject,
        frame: &MethodFrame,
        view: &View,
        base: Base<'_>,
    ) -> Result<Picture, EngineError> {
        let mut picture = base.picture().clone();
        if let Diagnostics::Edit(diagnostics) = &frame.diagnostics {
            let show = PasteMode::Result {
                onset: diagnostics.onset,
                detail: subject.detail,
            };
            let place = view.square(diagnostics.place);
            paste(
                &mut picture,
                place,
                &diagnostics.edit,
                diagnostics.mask.as_deref(),
                show,
            );
        }
        Ok(picture)
    }
}

impl EditSession {
    /// The network's edit for an expression, and whether the network had to run. If the halves of the face differ they
    /// are computed separately and joined; a half that isn't edited keeps the portrait's pixels.
    fn edit(
        &mut self,
        target: &Pose,
        onset: Onset,
        mesh: Option<&Mesh>,
        stop: Stop,
    ) -> Result<(Arc<Edit>, bool), EngineError> {
        let Pose { left, right, .. } = target;
        if left == right {
            return self.half(left, stop);
        }
        let effective = |half, onset: f32, other| if onset > 0.0 { half } else { other };
        let (a, ran) = self.half(effective(left, onset.left, right), stop)?;
        let (b, also) = self.half(effective(right, onset.right, left), stop)?;
        let joined = a.joined(&b, self.left_half(mesh), (onset.left, onset.right));
        Ok((Arc::new(joined), ran || also))
    }

    fn half(&mut self, target: &AuVector, stop: Stop) -> Result<(Arc<Edit>, bool), EngineError> {
        // The network doesn't distinguish -0.0 from 0.0.
        let key = target.values().map(|value| (value + 0.0).to_bits());
        if let Some(edit) = self.edits.get(&key) {
            return Ok((edit, false));
        }
        let edit = Arc::new(self.model.edit(&self.prepared, target, stop)?);
        let floats = edit.input.len() + edit.color.len() + edit.attention.len();
        self.edits
            .put(key, Arc::clone(&edit), floats * size_of::<f32>());
        Ok((edit, true))
    }

    fn left_half(&mut self, mesh: Option<&Mesh>) -> &[f32] {
        let (place, size) = (self.place, self.model.size());
        let cached = self.left.take().filter(|(of, _)| of.as_ref() == mesh);
        let compute = || (mesh.cloned(), limits::left_half(mesh, place, size));
        &self.left.insert(cached.unwrap_or_else(compute)).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Sides;

    #[test]
    fn the_onset_is_zero_only_without_an_edit_and_rises_quickly_to_one() {
        let smile = ActionUnit::ALL[8];
        let onset = |sides, value: f32| {
            let target = Pose::NEUTRAL.with(sides, smile, value);
            Onset::between(&AuVector::NEUTRAL, &target)
        };
        assert_eq!(onset(Sides::Both, 0.0).overall(), 0.0);
        let first = onset(Sides::Both, 0.01).overall();
        assert!(first > 0.0 && first < 0.2);
        assert_eq!(onset(Sides::Both, ONSET).overall(), 1.0);
        assert_eq!(onset(Sides::Both, 1.0).overall(), 1.0);
        let half = onset(Sides::Left, 0.01);
        assert!(half.left > 0.0 && half.left < 0.2 && half.right == 0.0);
        assert_eq!(half.overall(), 1.0);
    }
}
