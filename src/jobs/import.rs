//! Converts published checkpoints to Mien's model files, after checking that the network can be built from them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use candle_core::{DType, Device, Result as Candle, Shape, Tensor};
use candle_nn::Init;
use candle_nn::var_builder::SimpleBackend;
use thiserror::Error;

use crate::document::ActionUnit;
use crate::error::{EngineError, ImportError};
use crate::folders::file_name;
use crate::methods::{fomm, ganimation, mocogan, tps};
use crate::nn::{Precision, Weights};
use crate::weights::checkpoint;
use crate::weights::checkpoint::system::{Method, System};
use crate::weights::checkpoint::tensor::RawTensor;
use crate::weights::checkpoint::{Checkpoint, Container};
use crate::weights::{
    CropRule, Existing, Metadata, PublishedFile, Source, WeightsError, digest, published_file,
    write_model,
};

/// What the user may specify about a checkpoint.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The name of the weights; `None` is the file's name without its extensions.
    pub name: Option<String>,
    /// For FOMM, whether its warps put -1 and 1 at the centres of the outermost pixels, as torch did before 1.3; `None` guesses
    /// from the checkpoint's container.
    pub align_corners: Option<bool>,
    /// The licence, if Mien doesn't know it.
    pub licence: Option<String>,
    /// Whether to replace a file of the same name.
    pub replace: bool,
}

/// The result of an import.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The name that the weights are installed under.
    pub name: String,
    /// The file that was written.
    pub path: PathBuf,
    /// The file's size in bytes.
    pub size: u64,
    /// The number of parameters of the networks.
    pub parameters: u64,
    /// The header of the file.
    pub metadata: Metadata,
    /// Remarks for the user, one sentence each.
    pub remarks: Vec<ImportRemark>,
}

/// Imports a published checkpoint into a folder: recognises the architecture, derives its configuration, builds the network,
/// which checks every shape, and writes the tensors it reads as safetensors with metadata.
///
/// # Errors
/// [`EngineError::Weights`] when the file isn't a checkpoint, lacks part of a network, or can't be written; [`ImportError`]
/// when its architecture is unknown.
pub fn import(
    file: &Path,
    folder: &Path,
    options: &ImportOptions,
) -> Result<Imported, EngineError> {
    let checkpoint = checkpoint::read(file)?;
    let found = recognised(file, &checkpoint, options)?;
    let source = Source {
        file: file_name(file),
        size: std::fs::metadata(file).map_or(0, |metadata| metadata.len()),
        sha256: digest(file)?,
    };
    let published = published_file(&source.sha256);
    let mut remarks = found.remarks;
    let licence = match (&options.licence, published) {
        (Some(licence), _) => licence.clone(),
        (None, Some(PublishedFile { licence, .. })) => licence.to_owned(),
        (None, None) => {
            remarks.push(ImportRemark::UnknownLicence);
            "unknown".to_owned()
        }
    };
    let origin = published.map_or_else(
        || format!("imported from {}", source.file),
        |known| known.origin.to_owned(),
    );
    let metadata = Metadata {
        architecture: found.architecture.to_owned(),
        config: found.config,
        au_order: found.au_order,
        crop: found.crop,
        licence,
        origin,
        imported_from: Some(source),
    };

    let name = match &options.name {
        Some(name) => name.clone(),
        None => plain_name(file),
    };
    if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
        return Err(ImportError::Name { name }.into());
    }
    std::fs::create_dir_all(folder).map_err(|source| WeightsError::Unreadable {
        path: folder.to_owned(),
        source,
    })?;
    let path = folder.join(format!("{name}.safetensors"));
    let existing = if options.replace {
        Existing::Replace
    } else {
        Existing::Refuse
    };
    let used = checkpoint
        .tensors
        .iter()
        .filter(|(name, _)| found.used.contains(*name));
    let parameters = used
        .clone()
        .map(|(_, tensor)| tensor.shape.iter().product::<usize>() as u64)
        .sum();
    let used = used.map(|(name, tensor)| (name.as_str(), tensor));
    let size = write_model(&path, used, &metadata, existing)?;
    Ok(Imported {
        name,
        path,
        size,
        parameters,
        metadata,
        remarks,
    })
}

/// The file's name without its extensions: "vox-cpk" for "vox-cpk.pth.tar".
fn plain_name(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut name = name.as_ref();
    const ENDINGS: [&str; 8] = [
        ".tar",
        ".pth",
        ".pt",
        ".pkl",
        ".ckpt",
        ".pytorch",
        ".bin",
        ".safetensors",
    ];
    while let Some(shorter) = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)) {
        name = shorter;
    }
    name.to_owned()
}

/// What was recognised in a checkpoint.
struct Detected {
    architecture: &'static str,
    config: serde_json::Value,
    au_order: Vec<u8>,
    crop: Option<CropRule>,
    /// The names of the tensors the network reads.
    used: BTreeSet<String>,
    remarks: Vec<ImportRemark>,
}

/// Side of the crop around a face, relative to the longer side of the landmarks' bounding box: as in the VoxCeleb pictures
/// that the published motion weights were trained on.
const VOX_SCALE: f32 = 1.6;
/// The same for tightly cropped faces, as in GANimation's training data.
const CLOSE_SCALE: f32 = 1.4;

fn recognised(
    file: &Path,
    checkpoint: &Checkpoint,
    options: &ImportOptions,
) -> Result<Detected, EngineError> {
    let system = checkpoint::system(checkpoint)
        .ok_or_else(|| ImportError::UnknownSystem(file.to_owned()))?;
    let missing: Vec<_> = system.missing().collect();
    if !missing.is_empty() {
        let reason = format!("it lacks {}", missing.join(" and "));
        return Err(mismatch(file, &reason));
    }
    let shapes: BTreeMap<String, Vec<usize>> = checkpoint
        .tensors
        .iter()
        .map(|(name, tensor)| (name.clone(), tensor.shape.clone()))
        .collect();
    let used = Mutex::default();
    let backend = Backend {
        tensors: &checkpoint.tensors,
        used: &used,
    };
    let weights = Weights::from_backend(Box::new(backend), &Device::Cpu, Precision::Single);
    let crop = |scale| {
        Some(CropRule {
            kind: "landmark_bbox_square".to_owned(),
            scale,
            upright: true,
        })
    };
    let wrong = |error: &dyn std::fmt::Display| mismatch(file, error);

    let mut remarks = Vec::new();
    let mut au_order = Vec::new();
    let (architecture, config, crop) = match system.method {
        Method::Fomm => {
            let mut config = fomm::Config::infer(&shapes).map_err(|e| wrong(&e))?;
            // Legacy containers were written by torch up to 1.5; the published weights by 1.0.
            config.align_corners = options
                .align_corners
                .unwrap_or(checkpoint.container != Container::Zip);
            let is_given = options.align_corners.is_some();
            remarks.push(align_corners_remark(
                config.align_corners,
                is_given,
                checkpoint.container,
            ));
            fomm::Fomm::new(&config, weights).map_err(|e| wrong(&e))?;
            ("fomm", json(&config)?, crop(VOX_SCALE))
        }
        Method::Tps => {
            let config = tps::Config::infer(&shapes).map_err(|e| wrong(&e))?;
            tps::Tps::new(&config, weights).map_err(|e| wrong(&e))?;
            if config.avd.is_none() {
                remarks.push(ImportRemark::NoAvdNetwork);
            }
            ("tps", json(&config)?, crop(VOX_SCALE))
        }
        Method::MoCoGan => {
            let config = mocogan::Config::infer(&shapes).map_err(|e| wrong(&e))?;
            mocogan::MoCoGan::new(&config, weights).map_err(|e| wrong(&e))?;
            ("mocogan", json(&config)?, None)
        }
        Method::Ganimation(_) if system.has("critic") => {
            return Err(ImportError::Critic(file.to_owned()).into());
        }
        Method::Ganimation(_) => {
            let config = ganimation::Config::infer(&shapes).map_err(|e| wrong(&e))?;
            ganimation::Generator::new(&config, weights).map_err(|e| wrong(&e))?;
            if config.c_dim != ActionUnit::COUNT {
                let reason = format!(
                    "it takes {} Action Units, but only the published set of {} is known",
                    config.c_dim,
                    ActionUnit::COUNT
                );
                return Err(mismatch(file, &reason));
            }
            au_order = ActionUnit::ALL.into_iter().map(ActionUnit::code).collect();
            ("ganimation", json(&config)?, crop(CLOSE_SCALE))
        }
    };
    let used = used.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut tensors = checkpoint.tensors.iter();
    if let Some((name, _)) =
        tensors.find(|(name, tensor)| used.contains(*name) && !tensor.is_finite())
    {
        let reason = format!("its tensor {name:?} has numbers that are NaN or infinite");
        return Err(mismatch(file, &reason));
    }
    if let Some(name) = left_over(&system, &shapes, &used) {
        let reason =
            format!("its tensor {name:?} doesn't belong to the network that the others form");
        return Err(mismatch(file, &reason));
    }
    Ok(Detected {
        architecture,
        config,
        au_order,
        crop,
        used,
        remarks,
    })
}

/// Returns a tensor of FOMM's or TPS' networks that the network didn't read: then the checkpoint is of another architecture
/// that only looks similar, or lacks a part. Ignores batch counters, which only training uses, and the fixed downsampling
/// filter.
fn left_over<'a>(
    system: &System,
    shapes: &'a BTreeMap<String, Vec<usize>>,
    used: &BTreeSet<String>,
) -> Option<&'a str> {
    let networks = system.parts.iter().filter(|part| !part.prefix.is_empty());
    let drawing: Vec<_> = networks
        .filter(|part| part.name != "discriminator")
        .collect();
    let names = shapes.keys().map(String::as_str);
    names
        .filter(|name| drawing.iter().any(|part| name.starts_with(part.prefix)))
        .filter(|name| !name.ends_with(".num_batches_tracked") && !name.ends_with(".down.weight"))
        .find(|name| !used.contains(*name))
}

/// A remark about imported weights, in one sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum ImportRemark {
    /// A checkpoint whose publisher Mien doesn't know.
    #[error(
        "Mien doesn't know the licence of these weights; look it up where they were published before you use the results."
    )]
    UnknownLicence,
    /// A TPS checkpoint without the network for the mode avd.
    #[error("These weights have no AVD network, so the mode avd isn't available with them.")]
    NoAvdNetwork,
    /// Which align_corners convention the warps use.
    #[error("Warps are computed {}, {why}.", if *align_corners {
        "as in torch before 1.3 (align_corners)"
    } else {
        "as in torch since 1.3 (no align_corners)"
    })]
    Warps {
        align_corners: bool,
        why: TorchVersionSource,
    },
}

/// How the torch version of a checkpoint was determined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TorchVersionSource {
    /// The user stated it.
    #[error("as you asked")]
    Asked,
    /// The convention of the published weights.
    #[error("as with the published weights")]
    Usual,
    /// From the container format, which differs between torch versions.
    #[error("judging by the age of the file's format")]
    Container,
}

fn align_corners_remark(align_corners: bool, is_given: bool, container: Container) -> ImportRemark {
    let why = match container {
        _ if is_given => TorchVersionSource::Asked,
        Container::Safetensors => TorchVersionSource::Usual,
        _ => TorchVersionSource::Container,
    };
    ImportRemark::Warps { align_corners, why }
}

fn json(config: &impl serde::Serialize) -> Result<serde_json::Value, ImportError> {
    Ok(serde_json::to_value(config)?)
}

fn mismatch(file: &Path, reason: &dyn std::fmt::Display) -> EngineError {
    let reason = reason.to_string();
    let reason = reason.trim_end_matches('.').to_owned();
    let path = file.to_owned();
    ImportError::Mismatch { path, reason }.into()
}

/// Passes the tensors of a checkpoint to a network, and records which ones it reads.
struct Backend<'a> {
    tensors: &'a BTreeMap<String, RawTensor>,
    used: &'a Mutex<BTreeSet<String>>,
}

impl SimpleBackend for Backend<'_> {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _: Init,
        dtype: DType,
        device: &Device,
    ) -> Candle<Tensor> {
        let tensor = self.get_unchecked(name, dtype, device)?;
        if tensor.shape() != &shape {
            return Err(candle_core::Error::UnexpectedShape {
                msg: format!("shape mismatch for {name}"),
                expected: shape,
                got: tensor.shape().clone(),
            }
            .bt());
        }
        Ok(tensor)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> Candle<Tensor> {
        let Some(raw) = self.tensors.get(name) else {
            let path = name.to_owned();
            return Err(candle_core::Error::CannotFindTensor { path }.bt());
        };
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned());
        Tensor::from_vec(raw.to_f32(), raw.shape.as_slice(), device)?.to_dtype(dtype)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_imported_weights_is_the_file_name_without_its_extensions() {
        let name = |file: &str| plain_name(Path::new(file));
        assert_eq!(name("a/vox-cpk.pth.tar"), "vox-cpk");
        assert_eq!(name("generator_30.pytorch"), "generator_30");
        assert_eq!(name("net_epoch_30_id_G.pth"), "net_epoch_30_id_G");
        assert_eq!(name(".pth"), "");
        assert_eq!(name("vox.v2"), "vox.v2");
    }
}
