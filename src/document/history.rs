//! Undo and redo of every change, grouped by gesture.

use std::collections::VecDeque;

use crate::document::channel::Channel;
use crate::document::export_settings::ExportSettings;
use crate::document::motion::MotionId;
use crate::document::portrait::Document;
use crate::document::project::Project;

/// The target of one continuous interaction, such as dragging a slider. Consecutive edits of the same gesture are one
/// undo step, until [`History::end_gesture`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gesture {
    /// The slider of a channel.
    Slider(Channel),
    /// The strength.
    Strength,
    /// The fold strength.
    Folds,
    /// The face's square.
    Crop,
    /// A landmark, by its number.
    Landmark(u16),
    /// Keys of the track, moved together.
    Keys,
    /// The in or out point.
    Range,
    /// The length of the timeline.
    Length,
    /// The frame rate of the timeline.
    Fps,
    /// A parameter of a motion, by its name.
    Motion(MotionId, &'static str),
}

/// The current project with its undo and redo stacks.
#[derive(Debug, Clone)]
pub struct History {
    current: Project,
    past: VecDeque<Project>,
    future: Vec<Project>,
    open: Option<Gesture>,
}

impl History {
    /// The maximum number of undo steps.
    pub const DEPTH: usize = 1000;

    /// Starts a new project from a document.
    pub fn new(document: Document) -> Self {
        Self::of(Project::new(document))
    }

    /// Starts from an opened project, without undo steps.
    pub fn of(project: Project) -> Self {
        Self {
            current: project,
            past: VecDeque::new(),
            future: Vec::new(),
            open: None,
        }
    }

    /// The project as it is now.
    pub fn project(&self) -> &Project {
        &self.current
    }

    /// The current document: the portrait with the expression track that the sliders move.
    pub fn document(&self) -> &Document {
        self.current.document()
    }

    /// Changes the document as one undo step. A change without effect adds no step. Returns whether anything changed.
    pub fn edit(&mut self, change: impl FnOnce(&mut Document)) -> bool {
        self.edit_project(|project| project.change(change))
    }

    /// Like [`History::edit`], for the whole project.
    pub fn edit_project(&mut self, change: impl FnOnce(&mut Project)) -> bool {
        self.open = None;
        self.apply(true, change)
    }

    /// Changes the document as part of a gesture. Consecutive changes of the same gesture share one undo step.
    pub fn drag(&mut self, gesture: Gesture, change: impl FnOnce(&mut Document)) -> bool {
        self.drag_project(gesture, |project| project.change(change))
    }

    /// Like [`History::drag`], for the whole project.
    pub fn drag_project(&mut self, gesture: Gesture, change: impl FnOnce(&mut Project)) -> bool {
        let first = self.open != Some(gesture);
        let changed = self.apply(first, change);
        if changed || !first {
            self.open = Some(gesture);
        }
        changed
    }

    fn apply(&mut self, step: bool, change: impl FnOnce(&mut Project)) -> bool {
        let before = self.current.clone();
        change(&mut self.current);
        if self.current == before {
            return false;
        }
        self.future.clear();
        if step {
            self.past.push_back(before);
            if self.past.len() > Self::DEPTH {
                self.past.pop_front();
            }
        }
        true
    }

    /// Sets the export settings, without an undo step.
    pub fn set_export(&mut self, export: ExportSettings) {
        self.current.set_export(export);
    }

    /// Shows or hides the panes' names, without an undo step.
    pub fn set_labels(&mut self, labels: bool) {
        self.current.set_labels(labels);
    }

    /// Sets whether the project's file embeds its media, without an undo step.
    pub fn set_holds_media(&mut self, holds_media: bool) {
        self.current.set_holds_media(holds_media);
    }

    /// Ends the gesture: the next edit starts a new undo step.
    pub fn end_gesture(&mut self) {
        self.open = None;
    }

    /// Undoes one step; returns false if the history is at its start.
    pub fn undo(&mut self) -> bool {
        self.open = None;
        let Some(mut before) = self.past.pop_back() else {
            return false;
        };
        before.copy_view_settings(&self.current);
        self.future
            .push(std::mem::replace(&mut self.current, before));
        true
    }

    /// Redoes one step; returns false if nothing was undone.
    pub fn redo(&mut self) -> bool {
        self.open = None;
        let Some(mut after) = self.future.pop() else {
            return false;
        };
        after.copy_view_settings(&self.current);
        self.past
            .push_back(std::mem::replace(&mut self.current, after));
        true
    }

    /// Drops the oldest undo step; returns false if no step is left.
    pub fn forget_oldest(&mut self) -> bool {
        self.past.pop_front().is_some()
    }

    /// Whether there is a change to undo.
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// Whether there is an undone change to redo.
    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    /// The ids of the portraits that the project or any undo or redo step refers to.
    pub fn portraits(&self) -> impl Iterator<Item = u64> {
        std::iter::once(&self.current)
            .chain(&self.past)
            .chain(&self.future)
            .map(|project| project.document().portrait.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::au::ActionUnit;
    use crate::document::portrait::tests::sample;
    use crate::document::pose::Sides;
    use proptest::prelude::*;

    fn unit(code: u8) -> ActionUnit {
        ActionUnit::from_code(code).unwrap()
    }

    fn slide(history: &mut History, code: u8, value: f32) {
        history.drag(Gesture::Slider(unit(code).into()), |d| {
            d.set_channel(0, Sides::Both, unit(code), value)
        });
    }

    #[test]
    fn one_gesture_is_one_undo_step() {
        let mut history = History::new(sample());
        for i in 1..=50 {
            slide(&mut history, 12, i as f32 / 50.0);
        }
        slide(&mut history, 6, 0.5);
        assert!(history.undo());
        assert_eq!(history.document().base_pose.get(unit(6)), 0.0);
        assert_eq!(history.document().base_pose.get(unit(12)), 1.0);
        assert!(history.undo());
        assert_eq!(history.document(), &sample());
        assert!(!history.undo());
        assert!(history.redo() && history.redo() && !history.redo());
        assert_eq!(history.document().base_pose.get(unit(6)), 0.5);
    }

    #[test]
    fn ending_a_gesture_begins_a_new_undo_step() {
        let mut history = History::new(sample());
        slide(&mut history, 12, 0.3);
        history.end_gesture();
        slide(&mut history, 12, 0.6);
        history.undo();
        assert_eq!(history.document().base_pose.get(unit(12)), 0.3);
    }

    #[test]
    fn an_edit_without_effect_keeps_the_redo_steps() {
        let mut history = History::new(sample());
        slide(&mut history, 12, 0.3);
        history.undo();
        assert!(!history.edit(|d| d.strength = 1.0));
        assert!(history.can_redo());
    }

    #[test]
    fn undo_keeps_the_export_settings() {
        let mut history = History::new(sample());
        slide(&mut history, 12, 0.3);
        let export = ExportSettings {
            scale: 0.5,
            ..ExportSettings::default()
        };
        history.set_export(export);
        history.set_labels(false);
        assert!(history.undo());
        assert!(!history.undo(), "no undo step");
        assert_eq!(history.project().export(), &export);
        assert!(history.redo());
        assert_eq!(history.project().export(), &export);
        assert!(!history.project().labels());
    }

    #[test]
    fn forgetting_the_oldest_step_keeps_the_newer_ones() {
        let mut history = History::new(sample());
        for value in [0.2, 0.4, 0.6] {
            history.edit(|d| d.strength = value);
        }
        assert!(history.forget_oldest());
        while history.undo() {}
        assert_eq!(history.document().strength, 0.2);
        assert!(!history.forget_oldest());
    }

    proptest! {
        #[test]
        fn redoing_every_undone_step_restores_the_document(edits in proptest::collection::vec((0usize..Channel::COUNT, 0f32..=1.0, any::<bool>()), 0..60)) {
            let mut history = History::new(sample());
            for (index, share, drag) in edits {
                let channel = Channel::ALL[index];
                let change = |d: &mut Document| d.set_channel(0, Sides::Both, channel, channel.denormalise(share));
                if drag {
                    history.drag(Gesture::Slider(channel), change);
                } else {
                    history.edit(change);
                }
            }
            let end = history.document().clone();
            while history.undo() {}
            prop_assert_eq!(history.document(), &sample());
            while history.redo() {}
            prop_assert_eq!(history.document(), &end);
        }
    }
}
