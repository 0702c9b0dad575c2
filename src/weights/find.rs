//! Resolves a choice of weights.

use std::path::{Path, PathBuf};

use candle_core::Device;

use crate::error::{EngineError, MethodError};
use crate::folders::weights_folder;
use crate::weights::{Bundled, ModelFile, Origin, installed};

/// Opens the chosen weights: a file by its path, or installed ones by name (the user's own take precedence); without a
/// choice, those bundled for this method. Also returns the path to name in errors.
///
/// # Errors
/// [`EngineError::Method`] when the choice is neither a file nor a name, [`EngineError::Weights`] for a file that is
/// missing, damaged or of another architecture.
pub(crate) fn open_weights(
    method: Bundled,
    asked: Option<&Path>,
    device: &Device,
) -> Result<(PathBuf, ModelFile), EngineError> {
    let (path, file) = match asked.map(|asked| find(method, asked)).transpose()? {
        Some(WeightsLocation::File(path)) => {
            let file = ModelFile::open(&path, device)?;
            (path, file)
        }
        None | Some(WeightsLocation::Bundled) => (
            PathBuf::from(method.name()),
            ModelFile::bundled(method, device)?,
        ),
    };
    file.expect(&path, method.architecture())?;
    Ok((path, file))
}

enum WeightsLocation {
    Bundled,
    File(PathBuf),
}

fn find(method: Bundled, asked: &Path) -> Result<WeightsLocation, EngineError> {
    if asked.exists() {
        return Ok(WeightsLocation::File(asked.to_owned()));
    }
    let own = installed(weights_folder().as_deref())
        .into_iter()
        .flatten()
        .filter(|entry| entry.metadata.architecture == method.architecture())
        .filter(|entry| Path::new(entry.name.as_str()) == asked)
        .find_map(|entry| match entry.origin {
            Origin::File(path) => Some(path),
            Origin::Bundled => None,
        });
    if let Some(path) = own {
        return Ok(WeightsLocation::File(path));
    }
    if Path::new(method.name()) == asked {
        return Ok(WeightsLocation::Bundled);
    }
    // Something that looks like a file name is reported as missing when it is opened.
    if asked.extension().is_some() || asked.components().count() > 1 {
        return Ok(WeightsLocation::File(asked.to_owned()));
    }
    Err(MethodError::UnknownWeights {
        asked: asked.to_owned(),
        method: method.title(),
    }
    .into())
}
