//! Samples as JSON that is read back bit for bit.

#![warn(clippy::cast_possible_truncation)]

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::document::sample::{Category, Sample, SampleError};
use crate::media::atomic_file::AtomicFile;
use crate::media::error::MediaError;
use crate::regular_file;
use crate::text::{fault, name};

/// The largest file that is read, in bytes; a hundred thousand frames take about ten million.
const MAX_BYTES: u64 = 64 << 20;

const FORMAT: &str = "mien-sample";
const VERSION: u64 = 1;

/// A sample as stored in a file.
///
/// Each code is a string of numbers separated by spaces: the shortest decimals that read back as the same f32. JSON
/// numbers are parsed as doubles first, which changes the last bit of a few.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    format: String,
    version: u64,
    content: String,
    category: Option<Category>,
    h0: String,
    epsilon: Vec<String>,
    motion_seed: u64,
}

/// Parsed first, to distinguish a newer version from a damaged file.
#[derive(Deserialize)]
struct Header {
    format: Option<String>,
    version: Option<u64>,
}

impl From<Sample> for Stored {
    fn from(sample: Sample) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            content: text(&sample.content),
            category: sample.category,
            h0: text(&sample.h0),
            epsilon: sample.epsilon.iter().map(|step| text(step)).collect(),
            motion_seed: sample.motion_seed,
        }
    }
}

impl TryFrom<Stored> for Sample {
    type Error = SampleError;

    fn try_from(stored: Stored) -> Result<Self, SampleError> {
        check_header(Some(&stored.format), Some(stored.version))?;
        let sample = Self {
            content: numbers("the content", &stored.content)?,
            category: stored.category,
            h0: numbers("the motion's start", &stored.h0)?,
            epsilon: stored
                .epsilon
                .iter()
                .enumerate()
                .map(|(i, step)| numbers(&format!("the step of frame {}", i + 1), step))
                .collect::<Result<_, _>>()?,
            motion_seed: stored.motion_seed,
        };
        // Checked against its own sizes: every step as long as the start, the category below its count.
        sample.check(&sample.sizes())?;
        Ok(sample)
    }
}

impl Sample {
    /// The sample as JSON, with the format's name and version.
    ///
    /// # Errors
    /// Those of [`Sample::check`] against its own sizes, so that whatever is written can be read back.
    pub fn to_json(&self) -> Result<String, SampleError> {
        self.check(&self.sizes())?;
        serde_json::to_string_pretty(self).map_err(damaged)
    }

    /// Reads what [`Sample::to_json`] wrote, bit for bit.
    ///
    /// # Errors
    /// [`SampleError::Damaged`], [`SampleError::Version`], or those of [`Sample::check`] against its own sizes.
    pub fn from_json(json: &str) -> Result<Self, SampleError> {
        let header: Header = serde_json::from_str(json).map_err(damaged)?;
        check_header(header.format.as_deref(), header.version)?;
        let stored: Stored = serde_json::from_str(json).map_err(damaged)?;
        stored.try_into()
    }

    /// Saves the sample to a file, atomically.
    ///
    /// # Errors
    /// Those of [`Sample::to_json`], or [`SampleError::Unwritten`].
    pub fn save(&self, path: &Path) -> Result<(), SampleError> {
        let json = self.to_json()? + "\n";
        AtomicFile::write(path, |to| to.write_all(json.as_bytes())).map_err(SampleError::Unwritten)
    }

    /// Reads a file that [`Sample::save`] wrote.
    ///
    /// # Errors
    /// [`SampleError::Unreadable`], or [`SampleError::Within`] for those of [`Sample::from_json`].
    pub fn load(path: &Path) -> Result<Self, SampleError> {
        let within = |reason| SampleError::Within {
            path: path.to_owned(),
            reason: Box::new(reason),
        };
        let json = regular_file::read_text(path, MAX_BYTES)
            .map_err(|error| SampleError::Unreadable(MediaError::reading(path, error)))?;
        Self::from_json(&json).map_err(within)
    }
}

fn check_header(format: Option<&str>, version: Option<u64>) -> Result<(), SampleError> {
    match (format, version) {
        (Some(FORMAT), Some(VERSION)) => Ok(()),
        (Some(FORMAT), Some(version)) => Err(SampleError::Version(version)),
        (Some(FORMAT), None) => Err(SampleError::Damaged("it has no version".to_owned())),
        _ => Err(SampleError::Damaged(format!(
            "its format is not {FORMAT:?}"
        ))),
    }
}

fn text(code: &[f32]) -> String {
    let numbers: Vec<String> = code.iter().map(|v| format!("{v:?}")).collect();
    numbers.join(" ")
}

fn numbers(what: &str, text: &str) -> Result<Vec<f32>, SampleError> {
    text.split_ascii_whitespace()
        .map(|number| {
            number.parse().map_err(|_| {
                SampleError::Damaged(format!("{what} holds \"{}\", not a number", name(number)))
            })
        })
        .collect()
}

fn damaged(error: serde_json::Error) -> SampleError {
    SampleError::Damaged(fault(&error))
}
