//! Parsing a project's JSON, with errors that name what is wrong.

use std::io::{self, BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use crate::error::EngineError;
use crate::media::error::MediaError;
use crate::project::file::archive::{MAX_JSON, PROJECT_JSON};
use crate::project::file::container::Container;
use crate::project::file::error::{ArchiveFault, Inconsistency, ProjectError};
use crate::project::file::stored::{FORMAT, Stored, VERSION};
use crate::text;

/// Parsed first, to distinguish other files and newer versions from damaged files.
#[derive(Deserialize)]
struct Header {
    format: Option<Value>,
    version: Option<Value>,
}

/// Parses a stored project.
///
/// # Errors
/// [`ProjectError`] for invalid content, [`EngineError::Media`] if the file can't be read.
pub(crate) fn read(container: &mut dyn Container, path: &Path) -> Result<Stored, EngineError> {
    let owned = || path.to_owned();
    let mut head = Vec::new();
    let count = container.json()?.take(1024).read_to_end(&mut head);
    count.map_err(|error| unreadable(path, error))?;
    let is_ours = head.windows(FORMAT.len()).any(|w| w == FORMAT.as_bytes());
    let damaged = |error: serde_json::Error| ProjectError::Damaged {
        path: owned(),
        line: error.line(),
        reason: reason(&error),
    };

    let header: Header = match parse(container, path)? {
        Ok(header) => header,
        Err(error) if is_ours => return Err(damaged(error).into()),
        Err(error) if error.classify() == Category::Data => {
            return Err(ProjectError::NotAProject { path: owned() }.into());
        }
        Err(_) => return Err(ProjectError::NotJson { path: owned() }.into()),
    };
    if header.format.is_none_or(|format| format != FORMAT) {
        return Err(ProjectError::NotAProject { path: owned() }.into());
    }
    match header.version.as_ref().and_then(Value::as_u64) {
        Some(1..=VERSION) => Ok(parse(container, path)?.map_err(damaged)?),
        Some(version) if version > VERSION => Err(ProjectError::Newer {
            path: owned(),
            version,
            known: VERSION,
        }
        .into()),
        _ => Err(ProjectError::Inconsistent {
            path: owned(),
            what: match header.version {
                None => Inconsistency::NoVersion,
                Some(version) => Inconsistency::OddVersion(text::name(&version.to_string())),
            },
        }
        .into()),
    }
}

fn parse<T: DeserializeOwned>(
    container: &mut dyn Container,
    path: &Path,
) -> Result<serde_json::Result<T>, EngineError> {
    match serde_json::from_reader(BufReader::new(container.json()?)) {
        Err(error) if error.is_io() => Err(unreadable(path, error.into())),
        other => Ok(other),
    }
}

/// Maps an I/O error while reading the JSON to an error of the project.
fn unreadable(path: &Path, error: io::Error) -> EngineError {
    if error.raw_os_error().is_some() {
        return MediaError::reading(path, error).into();
    }
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::FileTooLarge => ProjectError::JsonTooLarge {
            path,
            limit: MAX_JSON,
        },
        _ => ProjectError::Archive {
            path,
            fault: ArchiveFault::Entry(PROJECT_JSON.to_owned()),
        },
    }
    .into()
}

/// The parser's message without the position, on one short line.
fn reason(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let words = error.to_string();
    let words = words.strip_suffix(&place).unwrap_or(&words);
    text::fault(&words)
}
