//! Which of the installed weights are meant.

use std::path::{Path, PathBuf};

use super::EngineError;
use super::folders::weights_folder;
use crate::weights::{Origin, installed};

/// The file of the weights that are meant: a file's path, or the name of installed ones; where nothing is said, the only
/// ones of this architecture.
///
/// # Errors
/// [`EngineError::Refused`], which says what there is to choose from, or where to get the first.
pub(super) fn find_weights(
    architecture: &str,
    title: &str,
    asked: Option<&Path>,
) -> Result<PathBuf, EngineError> {
    if let Some(path) = asked.filter(|path| path.exists()) {
        return Ok(path.to_owned());
    }
    let fitting: Vec<(String, PathBuf)> = installed(weights_folder().as_deref())
        .into_iter()
        .flatten()
        .filter(|entry| entry.metadata.architecture == architecture)
        .filter_map(|entry| match entry.origin {
            Origin::File(path) => Some((entry.name, path)),
            Origin::Bundled => None,
        })
        .collect();
    if let Some(asked) = asked {
        let named = fitting
            .iter()
            .find(|(name, _)| Path::new(name.as_str()) == asked);
        if let Some((_, path)) = named {
            return Ok(path.clone());
        }
        // What is written as a file's name is told to be missing when it is opened.
        if asked.extension().is_some() || asked.components().count() > 1 {
            return Ok(asked.to_owned());
        }
        return Err(EngineError::Refused(format!(
            "{} is neither a file nor the name of installed {title} weights; \"mien weights list\" shows those there are.",
            asked.display()
        )));
    }
    match &fitting[..] {
        [(_, path)] => Ok(path.clone()),
        [] => Err(EngineError::Refused(format!(
            "no {title} weights are installed, and none come with Mien yet; import a published checkpoint with \"mien weights import FILE\", or give a file with --weights."
        ))),
        several => {
            let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
            Err(EngineError::Refused(format!(
                "several {title} weights are installed; choose one with --weights: {}.",
                names.join(", ")
            )))
        }
    }
}
