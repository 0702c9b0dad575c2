//! All samples of a track, from the movie index and from its fragments.

use std::fs::File;
use std::path::Path;

use crate::media::clip::frames::damaged;
use crate::media::clip::mp4::boxes::{self, Layout};
use crate::media::clip::mp4::fragments;
use crate::media::clip::mp4::samples::{Sample, Samples};
use crate::media::error::MediaError;

/// Why the samples of a track can't be listed.
pub(super) enum Fault {
    Read(std::io::Error),
    Senseless,
    /// Only `there` of `all` are in the file.
    Missing {
        there: usize,
        all: usize,
    },
    Cut,
}

impl Fault {
    pub(super) fn of_video(self, path: &Path) -> MediaError {
        match self {
            Self::Read(e) => MediaError::reading(path, e),
            Self::Senseless => damaged(path, "the index of its video is invalid"),
            Self::Missing { there, all } => {
                damaged(path, &format!("only {there} of its {all} frames are there"))
            }
            Self::Cut => damaged(path, "its last part is missing"),
        }
    }
}

/// All samples of track `id`, from its `table` in the movie index and from its fragments. Every sample is checked to be
/// within the file.
pub(super) fn list(
    file: &mut File,
    layout: &Layout,
    moov: &[u8],
    table: &[u8],
    id: u32,
    length: u64,
) -> Result<Vec<Sample>, Fault> {
    let mut samples = Samples::new(length);
    samples.add_table(table).ok_or(Fault::Senseless)?;

    let defaults = fragments::Defaults::of_track(moov, id);
    for &(start, size) in &layout.moofs {
        let moof = boxes::read_at(file, start, size).map_err(Fault::Read)?;
        let body = boxes::child(&moof, b"moof").ok_or(Fault::Senseless)?;
        fragments::add(&mut samples, body, start, id, defaults).ok_or(Fault::Senseless)?;
    }

    let samples = samples.list;
    let is_there = |sample: &&Sample| {
        let end = sample.offset.checked_add(u64::from(sample.bytes));
        end.is_some_and(|end| end <= length)
    };
    let (there, all) = (samples.iter().filter(is_there).count(), samples.len());
    if there < all {
        return Err(Fault::Missing { there, all });
    }
    if !layout.moofs.is_empty() && layout.is_cut {
        return Err(Fault::Cut);
    }
    Ok(samples)
}
