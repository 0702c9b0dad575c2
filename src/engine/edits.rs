//! What the network said last.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::face::Edit;
use crate::studio::AuVector;

/// The network's latest words on one crop, so that playing a loop, playing back or looking around costs nothing.
#[derive(Default)]
pub(super) struct Edits(VecDeque<(AuVector, Arc<Edit>)>);

impl Edits {
    /// How many are kept; each takes some 0.4 MB at 128 pixels.
    const KEPT: usize = 256;

    /// What was said to this expression, if it is still known.
    pub fn get(&self, target: &AuVector) -> Option<Arc<Edit>> {
        let found = self.0.iter().find(|(kept, _)| kept == target);
        found.map(|(_, edit)| Arc::clone(edit))
    }

    /// Keeps a word, in place of the oldest when there are too many.
    pub fn put(&mut self, target: AuVector, edit: Arc<Edit>) {
        if self.0.len() == Self::KEPT {
            self.0.pop_front();
        }
        self.0.push_back((target, edit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::ActionUnit;

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
