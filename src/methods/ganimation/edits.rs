//! What the network said last.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::document::{AuVector, Pose};
use crate::error::EngineError;
use crate::face::Edit;
use crate::methods::ganimation::session::{Renderer, Scene};

/// The network's latest words on one crop, so that playing a loop, playing back or looking around costs nothing.
#[derive(Default)]
pub(crate) struct Edits(VecDeque<(AuVector, Arc<Edit>)>);

impl Edits {
    /// How many are kept; each takes some 0.4 MB at 128 pixels.
    const KEPT: usize = 256;

    /// What the network says to a scene's pose: from what it said before where it can be. Where the halves of the face
    /// differ they are asked apart and joined, and one that nothing is asked of stays as the portrait has it. The second
    /// value tells whether the network ran.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] when `stop` said so.
    pub fn of(
        &mut self,
        renderer: &Renderer,
        scene: &Scene,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(Arc<Edit>, bool), EngineError> {
        let Pose { left, right } = scene.target;
        if left == right {
            return self.half(renderer, &left, stop);
        }
        let onsets = scene.onsets();
        // A half that isn't edited needs no word of its own.
        let asked = |half, onset: f32, other| if onset > 0.0 { half } else { other };
        let (a, ran) = self.half(renderer, &asked(left, onsets.0, right), stop)?;
        let (b, also) = self.half(renderer, &asked(right, onsets.1, left), stop)?;
        let joined = a.joined(&b, renderer.left_half(), onsets);
        Ok((Arc::new(joined), ran || also))
    }

    fn half(
        &mut self,
        renderer: &Renderer,
        target: &AuVector,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(Arc<Edit>, bool), EngineError> {
        if let Some(known) = self.get(target) {
            return Ok((known, false));
        }
        let edit = Arc::new(renderer.edit(target, stop)?);
        self.put(*target, Arc::clone(&edit));
        Ok((edit, true))
    }

    /// What was said to this expression, if it is still known.
    fn get(&self, target: &AuVector) -> Option<Arc<Edit>> {
        let found = self.0.iter().find(|(kept, _)| kept == target);
        found.map(|(_, edit)| Arc::clone(edit))
    }

    /// Keeps a word, in place of the oldest when there are too many.
    fn put(&mut self, target: AuVector, edit: Arc<Edit>) {
        if self.0.len() == Self::KEPT {
            self.0.pop_front();
        }
        self.0.push_back((target, edit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::ActionUnit;

    #[test]
    fn the_oldest_goes_first() {
        let pose = |i: usize| AuVector::NEUTRAL.with(ActionUnit::ALL[0], i as f32 / 1000.0);
        let edit = Arc::new(Edit {
            size: 0,
            input: Vec::new(),
            color: Vec::new(),
            attention: Vec::new(),
        });
        let mut edits = Edits::default();
        for i in 0..=Edits::KEPT {
            edits.put(pose(i), Arc::clone(&edit));
        }
        assert!(edits.get(&pose(0)).is_none());
        assert!(edits.get(&pose(1)).is_some() && edits.get(&pose(Edits::KEPT)).is_some());
    }
}
