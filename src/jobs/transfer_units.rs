//! A clip's movement on a portrait through Action Units: read from the clip's face, redrawn by GANimation.

use std::sync::Arc;

use crate::document::Mode;
use crate::document::{ActionUnit, AuVector, Document, Pose};
use crate::drive::au_track::{AuTrack, Reading};
use crate::error::{EngineError, MethodError};
use crate::face::portrait::Portrait;
use crate::face::shape68;
use crate::jobs::export::ExportJob;
use crate::jobs::export::export;
use crate::jobs::output::Output;
use crate::jobs::remark::Remark;
use crate::jobs::transfer::{Drive, Reference, Transferred};
use crate::methods::ganimation::model::Model;
use crate::methods::ganimation::session::{Pane, Scene};
use crate::progress::Progress;

/// Carries a clip's expressions over to a portrait by GANimation, and writes the file. Frames without a face keep the
/// expression of the frame before.
///
/// # Errors
/// [`EngineError::Cancelled`] when `progress` was asked to stop; [`EngineError::Face`] when the clip shows no face,
/// the mode is none of this method, or the part is none of the clip; [`EngineError::Media`] when the clip can't be read or the file can't be written.
pub fn transfer_units(
    model: &Arc<Model>,
    portrait: &Portrait,
    document: &Document,
    drive: &Drive,
    output: &Output,
    progress: &Progress,
) -> Result<Transferred, EngineError> {
    if drive.mode == Mode::Avd {
        return Err(MethodError::AvdIsOfTps.into());
    }
    let track = AuTrack::read_part(&drive.clip, drive.cut, None, progress, 2)?;
    let mut told = Transferred::default();
    told.remarks.extend(track.broken.clone().map(Remark::from));
    if track.faceless() > 0 {
        told.remarks.push(Remark::Kept {
            faceless: track.faceless(),
            frames: track.frames.len(),
            name: track.name.clone(),
        });
    }

    let start = match (drive.mode, drive.reference) {
        (Mode::Relative, Reference::Frame(frame)) if frame < track.frames.len() => {
            Some((frame, None))
        }
        (Mode::Relative, Reference::Frame(frame)) => {
            return Err(drive.no_frame(frame));
        }
        (Mode::Relative, Reference::Auto) => {
            let face = document.face.and_then(|face| portrait.faces.get(face));
            let best = face.and_then(|face| track.most_like(&shape68(&face.mesh)));
            Some(best.map_or((0, None), |(frame, unlike)| (frame, Some(unlike))))
        }
        _ => None,
    };
    told.reference = start;

    let rate = output.rate(track.rate());
    let scenes = scenes(&track, document, drive, rate, start.map(|(frame, _)| frame));
    let written = output
        .part
        .map_or(Ok(0..scenes.len()), |part| part.within(scenes.len()))?;
    told.frames = written.len();
    progress.set_total(track.frames.len() + written.len());
    let start = track.frames[0].time;
    let sound = match output.part {
        Some(_) => drive.sound_of(start, &written, rate),
        None => drive.sound(start),
    };

    let job = ExportJob {
        portrait: Arc::clone(&portrait.picture),
        face: document
            .face
            .and_then(|face| portrait.faces.get(face).cloned()),
        scenes,
        part: output.part,
        panes: vec![Pane::Result],
        format: output.format,
        fps: rate,
        quality: output.quality,
        loops: output.loops,
        scale: output.scale,
        sound,
        marked: output.marked,
        path: output.path.clone(),
    };
    told.remarks
        .extend(export(model, &job, progress)?.map(Remark::from));
    Ok(told)
}

/// One scene for each frame at a rate: what the clip's face shows, for the portrait. With a reference frame's number it is
/// the difference from that frame, on top of the portrait's own expression. Frames without a face keep the expression before.
pub(crate) fn scenes(
    track: &AuTrack,
    document: &Document,
    drive: &Drive,
    rate: f64,
    reference: Option<usize>,
) -> Vec<Scene> {
    let source = document.source;
    let reading = Reading {
        smoothing: drive.smoothing,
        own: track.rests(),
    };
    let from = reference.map(|frame| (&source, frame));
    let gains = [drive.gain; ActionUnit::COUNT];
    let mut last = source;
    track
        .poses_at(rate, reading, from)
        .into_iter()
        .map(|pose| {
            // A clip's units are read alike for both halves of the face.
            last = pose.map_or(last, |pose| gone(&source, &pose.left, &gains));
            Scene {
                target: Pose::from(last),
                ..Scene::of(document, 0)
            }
        })
        .collect()
}

/// So much of the way from the portrait's own expression to another, a gain for each unit.
pub(crate) fn gone(
    source: &AuVector,
    target: &AuVector,
    gains: &[f32; ActionUnit::COUNT],
) -> AuVector {
    AuVector::from(std::array::from_fn(|i| {
        let (from, to) = (source.values()[i], target.values()[i]);
        from + gains[i] * (to - from)
    }))
}
