//! The project's JSON, version 2. In version 1 it was the whole file (see `legacy`).
//!
//! Within a version fields are only added: a reader ignores unknown fields and has defaults for missing ones. Motions,
//! panes and export settings are stored as `document` serialises them, except that media paths are keys of the table `media`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::document::{
    AuVector, Crop, Document, ExportSettings, Expression, Follow, Glasses, LandmarkOffsets, Limit,
    MediaSource, Motion, MotionId, MotionKind, PaneSpec, PortraitRef, Project, Track,
};
use crate::methods::registry::Registry;
use crate::project::file::error::{Inconsistency, ProjectError};

pub(crate) const FORMAT: &str = "mien-project";
pub(crate) const VERSION: u64 = 2;

/// The largest id of a motion; the program counts from 1.
const MAX_MOTIONS: u32 = 1_000_000_000;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Stored {
    pub format: String,
    pub version: u64,
    /// The version of Mien that saved it; informational, not read.
    #[serde(default)]
    pub program: String,
    pub portrait: StoredPortrait,
    pub motions: Vec<Motion>,
    pub chosen: MotionId,
    /// The track that the sliders move.
    #[serde(default)]
    pub edited: Option<MotionId>,
    #[serde(default)]
    pub next_motion: Option<MotionId>,
    #[serde(default)]
    pub panes: Vec<PaneSpec>,
    #[serde(default)]
    pub export: ExportSettings,
    #[serde(default = "yes")]
    pub labels: bool,
    /// Whether to embed all media; single ones may be embedded without this.
    #[serde(default)]
    pub holds_media: bool,
    /// Digests and paths of the files that the sources name.
    #[serde(default)]
    pub media: BTreeMap<String, StoredMedium>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredPortrait {
    pub name: String,
    pub source: MediaSource,
    pub width: u32,
    pub height: u32,
    #[serde(default)]
    pub face: Option<usize>,
    pub crop: Crop,
    /// The portrait's own expression.
    pub expression: AuVector,
    #[serde(default = "yes")]
    pub detail: bool,
    #[serde(default)]
    pub limit: Limit,
    /// Omitted if measured from the portrait's skin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<f32>,
    /// Omitted if detected in the portrait.
    #[serde(default, skip_serializing_if = "Glasses::is_auto")]
    pub glasses: Glasses,
    /// Omitted if no landmark is displaced.
    #[serde(default, skip_serializing_if = "LandmarkOffsets::is_empty")]
    pub landmarks: LandmarkOffsets,
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct StoredMedium {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The absolute path of a file outside the project's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absolute: Option<PathBuf>,
    /// The path's bytes in base64, if the path isn't Unicode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// Whether the project's file embeds it, in the entry named by its key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub embedded: bool,
}

fn yes() -> bool {
    true
}

impl Stored {
    /// The stored form of a project, with an empty table of media.
    pub fn of(project: &Project) -> Self {
        // Every field is listed, so that a new one can't be forgotten; the last three belong to the edited motion.
        let Document {
            portrait,
            crop,
            source,
            face,
            detail,
            limit,
            folds,
            glasses,
            landmarks,
            base_pose: _,
            strength: _,
            track: _,
        } = project.document();
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            portrait: StoredPortrait {
                name: portrait.name.clone(),
                source: portrait.source.clone(),
                width: portrait.width,
                height: portrait.height,
                face: *face,
                crop: *crop,
                expression: *source,
                detail: *detail,
                limit: *limit,
                folds: *folds,
                glasses: *glasses,
                landmarks: landmarks.clone(),
            },
            motions: project.motions().iter().map(|m| Motion::clone(m)).collect(),
            chosen: project.chosen(),
            edited: Some(project.edited()),
            next_motion: Some(project.next_motion()),
            panes: project.panes().to_vec(),
            export: *project.export(),
            labels: project.labels(),
            holds_media: project.holds_media(),
            media: BTreeMap::new(),
        }
    }

    /// The source of every medium.
    pub fn sources(&mut self) -> impl Iterator<Item = &mut MediaSource> {
        let clips = self.motions.iter_mut().filter_map(|motion| {
            if let MotionKind::Clip(clip) = &mut motion.kind {
                Some(&mut clip.source)
            } else {
                None
            }
        });
        std::iter::once(&mut self.portrait.source).chain(clips)
    }

    /// Builds the project, with values clamped to their ranges.
    ///
    /// # Errors
    /// [`ProjectError::Inconsistent`] for what can't be repaired: duplicate or too large motion ids, a crop that isn't finite.
    pub fn project(mut self, path: &Path) -> Result<Project, ProjectError> {
        let inconsistent = |what| ProjectError::Inconsistent {
            path: path.to_owned(),
            what,
        };
        let portrait = self.portrait;
        let Crop { x, y, side, angle } = portrait.crop;
        if ![x, y, side, angle].iter().all(|n| n.is_finite()) {
            return Err(inconsistent(Inconsistency::CropNowhere));
        }
        let mut numbers: Vec<u32> = self.motions.iter().map(|motion| motion.id.0).collect();
        numbers.sort_unstable();
        if let Some(pair) = numbers.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(inconsistent(Inconsistency::SameMotion(pair[0])));
        }
        let next = self.next_motion.map_or(0, |id| id.0);
        if let Some(most) = numbers
            .last()
            .max(Some(&next))
            .filter(|n| **n > MAX_MOTIONS)
        {
            return Err(inconsistent(Inconsistency::MotionNumber(*most)));
        }
        for motion in &mut self.motions {
            make_valid(&mut motion.kind);
        }
        let registry = Registry::default();
        for pane in &mut self.panes {
            *pane = registry.with_method(*pane, pane.method);
        }

        let reference = PortraitRef {
            id: 0,
            name: portrait.name,
            source: portrait.source,
            width: portrait.width,
            height: portrait.height,
        };
        let crop = portrait.crop.fitted(portrait.width, portrait.height);
        let mut document = Document::new(reference, crop, portrait.expression.clamped_to_usual());
        document.face = portrait.face;
        document.detail = portrait.detail;
        document.limit = portrait.limit;
        document.set_folds(portrait.folds);
        document.glasses = portrait.glasses;
        document.landmarks = portrait.landmarks;

        let edited = self.edited.unwrap_or(self.chosen);
        let mut project = Project::of_parts(document, self.motions, edited, self.panes);
        project.choose(self.chosen);
        project.skip_ids_below(MotionId(next));
        project.set_export(self.export);
        project.set_labels(self.labels);
        project.set_holds_media(self.holds_media);
        Ok(project)
    }
}

/// Clamps a motion's values to their ranges.
fn make_valid(kind: &mut MotionKind) {
    let share = |value: &mut f32| *value = within(*value, 0.0..=1.0, 1.0);
    match kind {
        MotionKind::Track(Expression { strength, .. }) => share(strength),
        MotionKind::Clip(clip) => {
            clip.square = clip
                .square
                .filter(|s| [s.x, s.y, s.side, s.angle].iter().all(|n| n.is_finite()));
            clip.from = clip.from.map(|from| from.max(0.0));
            follow(&mut clip.follow);
        }
        MotionKind::Sample(sample) => {
            sample.fps = sample.fps.clamp(*Track::FPS.start(), *Track::FPS.end());
            share(&mut sample.blend_weight);
            follow(&mut sample.follow);
        }
    }
}

fn follow(follow: &mut Follow) {
    follow.strength = within(follow.strength, Follow::STRENGTH, 1.0);
    for gain in &mut follow.gains {
        *gain = within(*gain, Follow::STRENGTH, 1.0);
    }
    follow.smoothing_strength = within(follow.smoothing_strength, 0.0..=1.0, 0.5);
    follow.responsiveness = within(follow.responsiveness, 0.0..=1.0, 0.5);
}

fn within(value: f32, range: std::ops::RangeInclusive<f32>, otherwise: f32) -> f32 {
    if value.is_nan() {
        otherwise
    } else {
        value.clamp(*range.start(), *range.end())
    }
}
