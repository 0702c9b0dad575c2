//! The bundled clip of a moving face, for artists without one.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::document::MediaSource;
use crate::error::{ClipError, EngineError};

/// Its displayed file name.
const NAME: &str = "sample.mp4";

const BYTES: &[u8] = include_bytes!("../../resources/clips/sample.mp4");

/// The clip as a temporary file, deleted on drop: the clip readers work on files.
#[derive(Debug)]
pub struct SampleClip {
    path: PathBuf,
    _folder: TempDir,
}

impl SampleClip {
    /// Writes the clip to a temporary folder.
    ///
    /// # Errors
    /// [`ClipError`] when it can't be written.
    pub fn write() -> Result<Self, EngineError> {
        let refused = ClipError::SampleClipNotWritten;
        let folder = tempfile::Builder::new()
            .prefix("mien-")
            .tempdir()
            .map_err(refused)?;
        let path = folder.path().join(NAME);
        std::fs::write(&path, BYTES).map_err(refused)?;
        Ok(Self {
            path,
            _folder: folder,
        })
    }

    /// Returns its source for a project.
    pub fn source() -> MediaSource {
        MediaSource::Bundled(NAME.to_owned())
    }

    /// The temporary file that holds the clip; deleted with this value.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::au_track::AuTrack;
    use crate::progress::Progress;

    #[test]
    fn the_sample_clip_is_short_shows_a_moving_face_and_deletes_its_file() {
        let clip = SampleClip::write().unwrap();
        let path = clip.path().to_owned();
        let track = AuTrack::read(&path, None, &Progress::new(0)).unwrap();
        assert_eq!((track.name.as_str(), track.faceless()), (NAME, 0));
        let seconds = track.frames.len() as f64 / track.fps;
        assert!((1.0..=6.0).contains(&seconds), "{seconds}");
        let values: Vec<_> = track.frames.iter().filter_map(|frame| frame.aus).collect();
        let moves = crate::document::ActionUnit::ALL.into_iter().any(|unit| {
            let all = values.iter().map(|aus| aus.get(unit));
            all.clone().fold(0.0, f32::max) - all.fold(1.0, f32::min) > 0.3
        });
        assert!(moves);
        drop(clip);
        assert!(!path.exists());
    }
}
