//! One frame: a document's portrait and expression in, a picture out.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::document::{AuVector, Crop, Document, Limit, Pose};
use crate::error::EngineError;
use crate::face::found::FoundFace;
use crate::face::limits;
use crate::face::{Edit, Mask, Show, TurnedSquare, network_input, paste};
use crate::math::smoothstep;
use crate::media::image::Picture;
use crate::methods::ganimation::model::Model;
use crate::methods::ganimation::model::Prepared;

/// What a pane shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pane {
    Source,
    Result,
    /// 1 - A in heat colours: what the network edits.
    Attention,
    /// The colour regression C.
    Color,
}

impl Pane {
    /// All panes, in the order in which they stand side by side.
    pub const ALL: [Pane; 4] = [Pane::Source, Pane::Result, Pane::Attention, Pane::Color];

    /// The pane's title.
    pub fn title(self) -> &'static str {
        match self {
            Pane::Source => "Source",
            Pane::Result => "Result",
            Pane::Attention => "Attention",
            Pane::Color => "Colour",
        }
    }

    /// The name on the command line.
    pub fn key(self) -> &'static str {
        match self {
            Pane::Source => "source",
            Pane::Result => "result",
            Pane::Attention => "attention",
            Pane::Color => "colour",
        }
    }

    /// Whether the network has to say something for this pane of a scene.
    pub(crate) fn needs_network(self, scene: &Scene) -> bool {
        match self {
            Pane::Source => false,
            Pane::Result => scene.onset() > 0.0,
            Pane::Attention | Pane::Color => true,
        }
    }

    /// The pane of a name; "color" is understood too.
    pub fn from_key(key: &str) -> Option<Self> {
        let key = if key == "color" { "colour" } else { key };
        Self::ALL.into_iter().find(|pane| pane.key() == key)
    }
}

/// What one frame is made from, apart from the portrait's pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scene {
    pub crop: Crop,
    /// Which of the portrait's faces it is about.
    pub face: Option<usize>,
    /// The portrait's own expression.
    pub source: AuVector,
    /// The expression asked for, strength already counted in.
    pub target: Pose,
    /// Whether the portrait's fine detail is carried over.
    pub detail: bool,
    /// The parts of the face that may change.
    pub limit: Limit,
}

/// The largest difference from the source's expression over which an edit fades in, so that the first touch of a
/// slider doesn't jump from the untouched portrait to the network's view of it.
const ONSET: f32 = 0.05;

impl Scene {
    /// The document at a frame of its track.
    pub fn of(document: &Document, frame: u32) -> Self {
        Self {
            crop: document.crop,
            face: document.face,
            source: document.source,
            target: document.target(frame),
            detail: document.detail,
            limit: document.limit,
        }
    }

    /// How far the edit is faded in, in 0..=1: 0 exactly when nothing is asked for, 1 from a difference of
    /// 0.05 on. Where the halves of the face differ each is faded in for itself, by its own difference, and this is 1.
    pub fn onset(&self) -> f32 {
        if self.target.is_even() {
            self.onsets().0
        } else {
            1.0
        }
    }

    /// The same for the left and the right half of the face.
    pub(crate) fn onsets(&self) -> (f32, f32) {
        let of = |half: &AuVector| {
            // A difference that is NaN counts as whole.
            smoothstep((self.source.distance(half) / ONSET).min(1.0))
        };
        (of(&self.target.left), of(&self.target.right))
    }
}

/// A model with a portrait's crop prepared for it.
pub struct Renderer {
    model: Arc<Model>,
    prepared: Prepared,
    crop: Crop,
    face: Option<Arc<FoundFace>>,
    left: OnceLock<Vec<f32>>,
    mask: Mutex<Option<(Limit, Option<Arc<Mask>>)>>,
}

impl Renderer {
    /// Does all that depends on the portrait and its crop alone. `face` is the one in the crop, where it is known: its
    /// landmarks tell the parts of the face apart.
    ///
    /// # Errors
    /// [`EngineError::Crop`] when the crop does not lie within the portrait.
    pub fn new(
        model: Arc<Model>,
        portrait: &Picture,
        crop: Crop,
        face: Option<Arc<FoundFace>>,
    ) -> Result<Self, EngineError> {
        let (width, height) = portrait.size();
        let crop = crop.checked(width, height)?;
        let input = network_input(portrait, square(crop), model.size())?;
        let prepared = model.prepare(input)?;
        Ok(Self {
            model,
            prepared,
            crop,
            face,
            left: OnceLock::new(),
            mask: Mutex::new(None),
        })
    }

    /// The crop that was prepared.
    pub fn crop(&self) -> Crop {
        self.crop
    }

    /// What the network says to an expression. `stop` is asked between the layers.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when `stop` said so.
    pub fn edit(
        &self,
        target: &AuVector,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Edit, EngineError> {
        self.model.edit(&self.prepared, target, stop)
    }

    /// Where the left half of the face is, at the network's own size: 1 there, 0 on the right.
    pub(crate) fn left_half(&self) -> &[f32] {
        self.left.get_or_init(|| {
            let mesh = self.face.as_deref().map(|face| &face.mesh);
            limits::left_half(mesh, square(self.crop), self.model.size())
        })
    }

    /// Where a limit lets an edit count; nothing where it holds nothing back.
    pub(crate) fn mask(&self, limit: Limit) -> Option<Arc<Mask>> {
        let mut kept = self.mask.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((of, mask)) if *of == limit => mask.clone(),
            _ => {
                let mesh = self.face.as_deref().map(|face| &face.mesh);
                let mask = limits::mask(mesh, square(self.crop), limit).map(Arc::new);
                *kept = Some((limit, mask.clone()));
                mask
            }
        }
    }

    /// A pane at the portrait's own size. `edit` may be missing where nothing is asked for.
    pub fn picture(
        &self,
        portrait: &Picture,
        scene: &Scene,
        edit: Option<&Edit>,
        pane: Pane,
    ) -> Picture {
        let mut picture = portrait.clone();
        let mask = self.mask(scene.limit);
        draw(
            &mut picture,
            square(self.crop),
            scene,
            edit,
            mask.as_deref(),
            pane,
        );
        picture
    }
}

/// Draws a pane over `base`, which shows the portrait with its crop at `square`.
pub(crate) fn draw(
    base: &mut Picture,
    square: TurnedSquare,
    scene: &Scene,
    edit: Option<&Edit>,
    mask: Option<&Mask>,
    pane: Pane,
) {
    let onset = scene.onset();
    let show = match pane {
        Pane::Source => return,
        Pane::Result => Show::Result {
            onset,
            detail: scene.detail,
        },
        Pane::Attention => Show::Attention { onset },
        Pane::Color => Show::Color,
    };
    if let Some(edit) = edit {
        // The colour pane shows what the network would paint, held back or not.
        let mask = mask.filter(|_| pane != Pane::Color);
        paste(base, square, edit, mask, show);
    }
}

pub(crate) fn square(crop: Crop) -> TurnedSquare {
    let (x, y) = crop.middle();
    TurnedSquare {
        x: f64::from(x),
        y: f64::from(y),
        side: f64::from(crop.side),
        angle: f64::from(crop.angle),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{ActionUnit, Sides};

    #[test]
    fn the_onset_is_zero_only_without_an_edit_and_full_soon_after() {
        let crop = Crop {
            x: 0.0,
            y: 0.0,
            side: 8.0,
            ..Crop::default()
        };
        let scene = |value: f32| Scene {
            crop,
            face: None,
            source: AuVector::NEUTRAL,
            target: Pose::NEUTRAL.with(Sides::Both, ActionUnit::ALL[8], value),
            detail: true,
            limit: Limit::NONE,
        };
        assert_eq!(scene(0.0).onset(), 0.0);
        assert!(scene(0.01).onset() > 0.0 && scene(0.01).onset() < 0.2);
        assert_eq!(scene(ONSET).onset(), 1.0);
        assert_eq!(scene(1.0).onset(), 1.0);
        let mut half = scene(0.0);
        half.target = half.target.with(Sides::Left, ActionUnit::ALL[8], 0.01);
        let (left, right) = half.onsets();
        assert!(left > 0.0 && left < 0.2 && right == 0.0);
    }

    #[test]
    fn panes_are_named_both_ways() {
        for pane in Pane::ALL {
            assert_eq!(Pane::from_key(pane.key()), Some(pane));
        }
        assert_eq!(Pane::from_key("color"), Some(Pane::Color));
        assert_eq!(Pane::from_key("flow"), None);
    }
}
