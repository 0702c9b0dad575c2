//! The project: a portrait, the motions that drive it, and the panes that show the results.

use std::sync::Arc;

use crate::document::export_settings::ExportSettings;
use crate::document::motion::{Expression, Motion, MotionId, MotionKind};
use crate::document::pane::{MethodChoice, PaneSpec};
use crate::document::pane_view::PaneView;
use crate::document::portrait::Document;

/// Everything that an artist makes. Undo restores all of it except the export settings, the labels and whether media
/// are embedded, which are choices of how to view and store it.
///
/// The expression track that the sliders move is in [`Project::document`]; every change of it is written back to its
/// motion, so that the list of motions is always up to date.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    document: Document,
    /// In the order of the list; at least one is an expression track.
    motions: Vec<Arc<Motion>>,
    chosen: MotionId,
    /// The expression track in `document`.
    edited: MotionId,
    panes: Vec<PaneSpec>,
    export: ExportSettings,
    labels: bool,
    holds_media: bool,
    /// The id of the next motion; no motion has had it or a higher one.
    next: u32,
}

impl Project {
    /// A new project: a portrait with one expression track and four panes.
    pub fn new(document: Document) -> Self {
        let id = MotionId(1);
        let motion = Motion {
            id,
            name: "Expression 1".to_owned(),
            kind: MotionKind::Track(Expression::of(&document)),
        };
        Self {
            panes: PaneSpec::usual(document.face.is_some()),
            document,
            motions: vec![Arc::new(motion)],
            chosen: id,
            edited: id,
            export: ExportSettings::default(),
            labels: true,
            holds_media: false,
            next: 2,
        }
    }

    /// Assembles a project from parts, as read from a file. Repairs inconsistent parts, so that there is an expression
    /// track, the chosen motion exists, and there are from 1 to [`PaneSpec::MAX`] panes.
    pub fn of_parts(
        mut document: Document,
        motions: Vec<Motion>,
        chosen: MotionId,
        panes: Vec<PaneSpec>,
    ) -> Self {
        let mut project = Self::new(document.clone());
        if motions.is_empty() {
            return project;
        }
        let next = motions.iter().map(|motion| motion.id.0).max().unwrap_or(0);
        project.next = next.saturating_add(1);
        project.motions = motions.into_iter().map(Arc::new).collect();
        let track = |motion: &&Arc<Motion>| matches!(motion.kind, MotionKind::Track(_));
        let tracks = || project.motions.iter().filter(track);
        let edited = tracks()
            .find(|motion| motion.id == chosen)
            .or_else(|| tracks().next())
            .map(|motion| motion.id);
        project.edited = match edited {
            Some(id) => id,
            None => project.add("Expression", MotionKind::Track(Expression::of(&document))),
        };
        if let Some(MotionKind::Track(expression)) = project.kind(project.edited) {
            expression.put_into(&mut document);
        }
        project.document = document;
        project.chosen = if project.motion(chosen).is_some() {
            chosen
        } else {
            project.edited
        };
        if !panes.is_empty() {
            project.panes = panes;
            project.panes.truncate(PaneSpec::MAX);
        }
        project.clear_dangling_motions();
        project
    }

    /// The portrait with the expression track that the sliders move.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Changes the document and its motion.
    pub fn change(&mut self, change: impl FnOnce(&mut Document)) {
        change(&mut self.document);
        let expression = Expression::of(&self.document);
        self.change_motion(self.edited, |kind| *kind = MotionKind::Track(expression));
    }

    /// The motions in the order of the list.
    pub fn motions(&self) -> &[Arc<Motion>] {
        &self.motions
    }

    /// The motion with this id, if there is one.
    pub fn motion(&self, id: MotionId) -> Option<&Arc<Motion>> {
        self.motions.iter().find(|motion| motion.id == id)
    }

    fn kind(&self, id: MotionId) -> Option<&MotionKind> {
        self.motion(id).map(|motion| &motion.kind)
    }

    /// The motion that is chosen in the list.
    pub fn chosen(&self) -> MotionId {
        self.chosen
    }

    /// The expression track that the sliders move.
    pub fn edited(&self) -> MotionId {
        self.edited
    }

    /// Whether the chosen motion is one that the sliders move.
    pub fn is_editable(&self) -> bool {
        self.chosen == self.edited
    }

    /// The motion that drives a pane.
    pub fn driving(&self, pane: &PaneSpec) -> MotionId {
        let assigned = pane.motion.filter(|id| self.motion(*id).is_some());
        assigned.unwrap_or(self.chosen)
    }

    /// The document as driven by a motion: with its expression track, or for other motions with the portrait at rest.
    pub fn document_for(&self, id: MotionId) -> Document {
        let mut document = self.document.clone();
        if id != self.edited {
            match self.kind(id) {
                Some(MotionKind::Track(expression)) => expression.put_into(&mut document),
                _ => {
                    let rest =
                        Document::new(document.portrait.clone(), document.crop, document.source);
                    Expression::of(&rest).put_into(&mut document);
                }
            }
        }
        document
    }

    /// Chooses a motion; an unknown id is ignored.
    pub fn choose(&mut self, id: MotionId) {
        let Some(motion) = self.motion(id).cloned() else {
            return;
        };
        self.chosen = id;
        if let MotionKind::Track(expression) = &motion.kind {
            expression.put_into(&mut self.document);
            self.edited = id;
        }
    }

    /// Adds a motion at the end of the list and chooses it. A name that is already in use gets a number.
    pub fn add(&mut self, name: &str, kind: MotionKind) -> MotionId {
        let id = MotionId(self.next);
        self.next += 1;
        let name = self.free_name(name);
        self.motions.push(Arc::new(Motion { id, name, kind }));
        self.choose(id);
        id
    }

    fn free_name(&self, name: &str) -> String {
        let taken = |name: &str| self.motions.iter().any(|motion| motion.name == name);
        if !taken(name) {
            return name.to_owned();
        }
        let stem = name
            .trim_end_matches(|c: char| c.is_ascii_digit())
            .trim_end();
        (2..)
            .map(|number: u32| format!("{stem} {number}"))
            .find(|name| !taken(name))
            .unwrap_or_else(|| name.to_owned())
    }

    /// Inserts a copy of a motion after it and chooses the copy.
    pub fn duplicate(&mut self, id: MotionId) {
        let Some(at) = self.motions.iter().position(|motion| motion.id == id) else {
            return;
        };
        let (name, kind) = (self.motions[at].name.clone(), self.motions[at].kind.clone());
        let copy = self.add(&name, kind);
        if let Some(motion) = self.motions.pop() {
            self.motions.insert(at + 1, motion);
        }
        self.choose(copy);
    }

    /// Removes a motion, unless it is the last expression track. Panes that it drove follow the chosen one.
    pub fn remove(&mut self, id: MotionId) {
        let is_track = |motion: &Motion| matches!(motion.kind, MotionKind::Track(_));
        let tracks = self
            .motions
            .iter()
            .filter(|motion| is_track(motion))
            .count();
        let Some(at) = self.motions.iter().position(|motion| motion.id == id) else {
            return;
        };
        if is_track(&self.motions[at]) && tracks == 1 {
            return;
        }
        self.motions.remove(at);
        if self.edited == id {
            let track = self.motions.iter().find(|motion| is_track(motion)).cloned();
            if let Some(Motion {
                id,
                kind: MotionKind::Track(expression),
                ..
            }) = track.as_deref()
            {
                expression.put_into(&mut self.document);
                self.edited = *id;
            }
        }
        if self.chosen == id {
            let next = at.min(self.motions.len() - 1);
            self.choose(self.motions[next].id);
        }
        self.clear_dangling_motions();
    }

    fn clear_dangling_motions(&mut self) {
        let known: Vec<MotionId> = self.motions.iter().map(|motion| motion.id).collect();
        for pane in &mut self.panes {
            pane.motion = pane.motion.filter(|id| known.contains(id));
        }
    }

    /// Renames a motion; an empty name is ignored.
    pub fn rename(&mut self, id: MotionId, name: &str) {
        let name = name.trim().to_owned();
        if !name.is_empty() {
            self.with_motion(id, |motion| motion.name = name);
        }
    }

    /// Changes a motion. A change to another kind of motion is discarded.
    pub fn change_motion(&mut self, id: MotionId, change: impl FnOnce(&mut MotionKind)) {
        self.with_motion(id, |motion| {
            let before = std::mem::discriminant(&motion.kind);
            let mut kind = motion.kind.clone();
            change(&mut kind);
            if std::mem::discriminant(&kind) == before {
                motion.kind = kind;
            }
        });
        if id == self.edited
            && let Some(MotionKind::Track(expression)) = self.kind(id).cloned()
        {
            expression.put_into(&mut self.document);
        }
    }

    fn with_motion(&mut self, id: MotionId, change: impl FnOnce(&mut Motion)) {
        if let Some(motion) = self.motions.iter_mut().find(|motion| motion.id == id) {
            let before = Arc::clone(motion);
            change(Arc::make_mut(motion));
            // An unchanged motion stays shared between undo steps.
            if **motion == *before {
                *motion = before;
            }
        }
    }

    /// Whether every expression track stays from relaxed to full.
    pub fn is_usual(&self) -> bool {
        self.motions.iter().all(|motion| match &motion.kind {
            MotionKind::Track(expression) => {
                expression.base_pose.is_usual() && expression.track.is_usual()
            }
            MotionKind::Clip(_) | MotionKind::Sample(_) => true,
        })
    }

    /// The id that the next motion gets.
    pub fn next_motion(&self) -> MotionId {
        MotionId(self.next)
    }

    /// Skips the ids below this one, which deleted motions may have had.
    pub fn skip_ids_below(&mut self, below: MotionId) {
        self.next = self.next.max(below.0);
    }

    /// The export settings.
    pub fn export(&self) -> &ExportSettings {
        &self.export
    }

    /// Sets the export settings, replaced by the nearest valid ones.
    pub fn set_export(&mut self, export: ExportSettings) {
        self.export = export.nearest_valid();
    }

    /// Whether the panes' names are shown.
    pub fn labels(&self) -> bool {
        self.labels
    }

    /// Sets whether the panes' labels are shown.
    pub fn set_labels(&mut self, labels: bool) {
        self.labels = labels;
    }

    /// Whether the project's file embeds the pictures and clips.
    pub fn holds_media(&self) -> bool {
        self.holds_media
    }

    /// Sets whether the project's file holds its pictures and clips.
    pub fn set_holds_media(&mut self, holds_media: bool) {
        self.holds_media = holds_media;
    }

    /// Copies from another step what undo leaves unchanged.
    pub(super) fn copy_view_settings(&mut self, other: &Project) {
        self.export = other.export;
        self.labels = other.labels;
        self.holds_media = other.holds_media;
    }

    /// The panes, in their order.
    pub fn panes(&self) -> &[PaneSpec] {
        &self.panes
    }

    /// The index of the pane that an artist most likely wants to export: the first result of a method.
    pub fn result_pane(&self) -> usize {
        let result = |pane: &PaneSpec| {
            pane.view == PaneView::Result
                && !matches!(pane.method, MethodChoice::Source | MethodChoice::Motion)
        };
        self.panes.iter().position(result).unwrap_or(0)
    }

    /// Adds a pane at the end, unless there are already [`PaneSpec::MAX`].
    pub fn add_pane(&mut self, pane: PaneSpec) {
        if self.panes.len() < PaneSpec::MAX {
            self.panes.push(pane);
        }
    }

    /// Replaces all panes, truncated to [`PaneSpec::MAX`]; an empty list is ignored.
    pub fn set_panes(&mut self, panes: Vec<PaneSpec>) {
        if !panes.is_empty() {
            self.panes = panes;
            self.panes.truncate(PaneSpec::MAX);
        }
    }
}
