//! The faces of the portrait: which one is edited, how its crop is rotated, and which relaxed face it is read against.

use std::sync::Arc;

use crate::app::strings::expression::use_neutral_hint;
use crate::app::strings::top_bar;
use crate::app::{App, NeutralFace, Notice};
use crate::document::{Document, Gesture, LandmarkOffsets, MediaSource};
use crate::face::found::FoundFace;
use crate::face::portrait::Portrait;
use crate::methods::rig::landmarks::{offset_to, with_offsets};

impl App {
    /// Shows a portrait in place of the current one; this can be undone.
    pub(in crate::app) fn show(&mut self, portrait: Arc<Portrait>) {
        self.opening = false;
        if let MediaSource::File(path) = &portrait.source {
            self.projects.recent.add_portrait(path);
            self.remember();
        }
        let id = self.next_portrait;
        self.next_portrait += 1;
        let faces = portrait.faces.len();
        let document = portrait.document(id);
        let damage = portrait.damage();
        let remark = portrait
            .faces
            .first()
            .and_then(|face| face.remark())
            .map(|remark| remark.to_string());
        self.portraits.insert(id, portrait);
        self.history.edit(|shown| {
            // The animation may be wanted for another face too.
            let track = std::mem::take(&mut shown.track);
            *shown = document;
            shown.track = track;
        });
        self.forget_portraits();
        self.expression.show_both();
        // A single face is zoomed in on; with several, or none, the whole portrait shows what to pick.
        self.panes.show_face(faces == 1);
        self.panes.crop_shown |= faces != 1;
        self.status.notice = match faces {
            0 => Some(Notice::Hint(top_bar::NO_FACE.to_owned())),
            1 => remark.map(Notice::Hint),
            found => Some(Notice::Hint(top_bar::several_faces(found))),
        };
        if let Some(damage) = damage {
            self.status.notice = Some(Notice::Problem(damage));
        }
    }

    /// Edits another of the portrait's faces.
    pub(in crate::app) fn pick_face(&mut self, index: usize) {
        let id = self.document().portrait.id;
        let Some(portrait) = self.portraits.get(&id) else {
            return;
        };
        if let Some(face) = portrait.faces.get(index) {
            let (crop, aus) = (face.crop, face.aus);
            self.status.notice = face
                .remark()
                .map(|remark| remark.to_string())
                .map(Notice::Hint);
            self.history
                .edit(|document| document.switch_face(index, crop, aus));
            self.panes.show_face(true);
        }
    }

    /// Uses this face as the person's relaxed one from now on.
    pub(in crate::app) fn keep_neutral(&mut self) {
        if let Some(face) = self.faces().1 {
            let document = self.document();
            self.neutral = Some(NeutralFace {
                hint: use_neutral_hint(&document.portrait.name),
                of: self.document_face(),
                face,
            });
        }
        self.history.edit(Document::set_neutral);
    }

    /// The relaxed face that this one can be read against, if it is from another picture.
    pub(in crate::app) fn neutral_face(&self) -> Option<&NeutralFace> {
        let here = self.document_face();
        let other = self.neutral.as_ref().filter(|kept| kept.of != here);
        other.filter(|_| here.1.is_some())
    }

    /// The document's portrait and which of its faces is edited.
    pub(in crate::app) fn document_face(&self) -> (u64, Option<usize>) {
        let document = self.document();
        (document.portrait.id, document.face)
    }

    /// The fold strength measured from the face's skin, once it has been drawn.
    pub(in crate::app) fn measured_folds(&self) -> Option<f32> {
        let (of, folds) = self.measured_folds?;
        (of == self.document_face()).then_some(folds)
    }

    pub(in crate::app) fn read_against(&mut self) {
        if let (Some(kept), Some(face)) = (self.neutral_face(), self.faces().1) {
            let source = face.against(&kept.face.as_neutral());
            self.history
                .edit(|document| document.replace_source(source));
        }
    }

    /// Rotates the crop with the head, or makes it upright again.
    pub(in crate::app) fn level(&mut self, level: bool) {
        let Some(face) = self.faces().1 else {
            return;
        };
        let portrait = &self.document().portrait;
        let size = (portrait.width, portrait.height);
        let rule = self.models.ganimation().crop();
        let crop = if level {
            face.crop_by(&rule.levelled(), size)
        } else {
            face.crop_by(&rule.upright(), size)
        };
        self.history.edit(|document| document.crop = crop);
    }

    /// The edited face, with the artist's landmark offsets applied.
    pub(in crate::app) fn adjusted_face(&self) -> Option<Arc<FoundFace>> {
        let face = self.faces().1?;
        Some(with_offsets(&face, &self.document().landmarks))
    }

    /// Moves a landmark to a position in the portrait's pixels; the fit follows.
    pub(in crate::app) fn move_landmark(&mut self, landmark: u16, place: [f32; 2]) {
        let Some(face) = self.faces().1 else {
            return;
        };
        self.history.drag(Gesture::Landmark(landmark), |document| {
            let landmarks = &mut document.landmarks;
            landmarks.set(landmark, offset_to(&face, landmarks, landmark, place));
        });
    }

    /// Resets a landmark, or all, to where they were found.
    pub(in crate::app) fn reset_landmarks(&mut self, landmark: Option<u16>) {
        self.history.edit(|document| match landmark {
            Some(landmark) => document.landmarks.set(landmark, [0.0; 2]),
            None => document.landmarks = LandmarkOffsets::default(),
        });
    }

    /// The portrait's faces, and the edited one.
    pub(in crate::app) fn faces(&self) -> (&[Arc<FoundFace>], Option<Arc<FoundFace>>) {
        let document = self.history.document();
        let portrait = self.portraits.get(&document.portrait.id);
        let faces = portrait.map_or(&[][..], |portrait| &portrait.faces);
        let chosen = document.face.and_then(|index| faces.get(index).cloned());
        (faces, chosen)
    }
}
