//! Model files: safetensors with metadata that describes them, so that loading one never needs a flag.

#![warn(clippy::cast_possible_truncation)]

mod card;
pub mod checkpoint;
mod error;
pub mod find;
mod import;
mod metadata;
mod source;

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use safetensors::tensor::Metadata as Header;

use crate::regular_file;
use crate::text;

pub use card::{Block, Span, Style, blocks, plain};
pub use error::WeightsError;
pub use import::{Existing, write_model};
pub use metadata::{CropRule, Metadata, Source};
pub use source::{PublishedFile, digest, published_file};

/// Maximum size of a weight file in bytes; a published checkpoint with optimizer states has some hundred million.
const MAX_BYTES: u64 = 4 << 30;

/// Embeds a file as a static: the compiler may copy a constant wherever it is used.
macro_rules! carried {
    ($name:ident, $path:literal) => {
        static $name: [u8; include_bytes!($path).len()] = *include_bytes!($path);
    };
}

carried!(GANIMATION, "../../weights/ganimation-128.safetensors");
carried!(FOMM, "../../weights/fomm-128.safetensors");
carried!(TPS, "../../weights/tps-128.safetensors");
carried!(MOCOGAN, "../../weights/mocogan-64.safetensors");
carried!(FACE_LANDMARKER, "../../weights/face-landmarker.safetensors");
carried!(RIG, "../../weights/rig.safetensors");

/// Returns the embedded file of the rig's head. It isn't [`Bundled`], because it is a mesh of integers that the rig reads
/// itself: there is no network to load, and no other file can replace it.
pub(crate) fn rig_head() -> &'static [u8] {
    &RIG
}

/// A network's file embedded in the program, which needs no files next to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bundled {
    /// The default GANimation generator.
    Ganimation,
    /// The default First Order Motion Model.
    Fomm,
    /// The default Thin-Plate-Spline Motion Model.
    Tps,
    /// The default MoCoGAN generator.
    Mocogan,
    /// The networks that detect and measure faces.
    FaceLandmarker,
}

impl Bundled {
    /// All of them, in the order of `mien weights list`, which lists the rig's head before them.
    pub const ALL: [Bundled; 5] = [
        Bundled::Ganimation,
        Bundled::Fomm,
        Bundled::Tps,
        Bundled::Mocogan,
        Bundled::FaceLandmarker,
    ];

    /// Returns the file name without its extension.
    pub fn name(self) -> &'static str {
        match self {
            Bundled::Ganimation => "ganimation-128",
            Bundled::Fomm => "fomm-128",
            Bundled::Tps => "tps-128",
            Bundled::Mocogan => "mocogan-64",
            Bundled::FaceLandmarker => "face-landmarker",
        }
    }

    /// Returns the architecture in its metadata.
    pub fn architecture(self) -> &'static str {
        match self {
            Bundled::Ganimation => "ganimation",
            Bundled::Fomm => "fomm",
            Bundled::Tps => "tps",
            Bundled::Mocogan => "mocogan",
            Bundled::FaceLandmarker => "face-landmarker",
        }
    }

    /// Returns the method's display name.
    pub fn title(self) -> &'static str {
        match self {
            Bundled::Ganimation => "GANimation",
            Bundled::Fomm => "FOMM",
            Bundled::Tps => "TPS",
            Bundled::Mocogan => "MoCoGAN",
            Bundled::FaceLandmarker => "Face Landmarker",
        }
    }

    /// Returns its model card in Markdown: what it is, what it can do and what it can't.
    pub fn card(self) -> &'static str {
        match self {
            Bundled::Ganimation => include_str!("../../weights/ganimation-128.md"),
            Bundled::Fomm => include_str!("../../weights/fomm-128.md"),
            Bundled::Tps => include_str!("../../weights/tps-128.md"),
            Bundled::Mocogan => include_str!("../../weights/mocogan-64.md"),
            Bundled::FaceLandmarker => include_str!("../../weights/face-landmarker.md"),
        }
    }

    fn bytes(self) -> &'static [u8] {
        match self {
            Bundled::Ganimation => &GANIMATION,
            Bundled::Fomm => &FOMM,
            Bundled::Tps => &TPS,
            Bundled::Mocogan => &MOCOGAN,
            Bundled::FaceLandmarker => &FACE_LANDMARKER,
        }
    }

    /// Returns the path to name in errors.
    fn path(self) -> PathBuf {
        PathBuf::from(format!("{}.safetensors", self.name()))
    }
}

/// Where a model file comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Embedded in the program.
    Bundled,
    /// A file on the disk.
    File(PathBuf),
}

/// A loaded model file.
#[derive(Debug)]
pub struct ModelFile {
    /// The file name without its extension, for the status line.
    pub name: String,
    /// Where the file was read from.
    pub origin: Origin,
    /// The header.
    pub metadata: Metadata,
    /// Size of the whole file in bytes.
    pub size: u64,
    /// The tensors by name.
    pub tensors: HashMap<String, Tensor>,
}

impl ModelFile {
    /// Loads an embedded file.
    ///
    /// # Errors
    /// [`WeightsError`] only if the program was built from a damaged file.
    pub fn bundled(which: Bundled, device: &Device) -> Result<Self, WeightsError> {
        Self::read(&which.path(), which.bytes(), Origin::Bundled, device)
    }

    /// Opens a model file.
    ///
    /// # Errors
    /// [`WeightsError`], one sentence that names the file: missing, not safetensors (and what it is instead), truncated, or
    /// without the required metadata.
    pub fn open(path: &Path, device: &Device) -> Result<Self, WeightsError> {
        let bytes = read_file(path)?;
        Self::read(path, &bytes, Origin::File(path.to_owned()), device)
    }

    /// Checks that the network has the required architecture.
    ///
    /// # Errors
    /// [`WeightsError::WrongArchitecture`]; `path` only names the file in it.
    pub fn expect(&self, path: &Path, wanted: &'static str) -> Result<(), WeightsError> {
        if self.metadata.architecture == wanted {
            return Ok(());
        }
        Err(WeightsError::WrongArchitecture {
            path: path.to_owned(),
            found: self.metadata.architecture.clone(),
            wanted,
        })
    }

    /// Returns the crop that the network expects.
    ///
    /// # Errors
    /// [`WeightsError::Mismatch`] where the metadata has no crop, or one that Mien doesn't support.
    pub fn crop_rule(&self, path: &Path) -> Result<CropRule, WeightsError> {
        let mismatch = |reason: String| WeightsError::Mismatch {
            path: path.to_owned(),
            reason,
        };
        let crop = self.metadata.crop.clone().ok_or_else(|| {
            mismatch("its metadata has no \"crop\", which says where the face must be".to_owned())
        })?;
        if !crop.is_known() {
            return Err(mismatch(format!(
                "it needs a crop of type {:?} with the scale {}, which Mien doesn't know",
                crop.kind, crop.scale
            )));
        }
        Ok(crop)
    }

    fn read(
        path: &Path,
        bytes: &[u8],
        origin: Origin,
        device: &Device,
    ) -> Result<Self, WeightsError> {
        let metadata = Metadata::of(path, bytes)?;
        let damaged = |reason: String| WeightsError::Damaged {
            path: path.to_owned(),
            reason,
        };
        // One NaN among millions of weights turns the whole output to NaN. The bundled weights are tested.
        if origin != Origin::Bundled {
            let file = SafeTensors::deserialize(bytes);
            let file = file.map_err(|error| damaged(text::fault(&error)))?;
            if let Some(tensor) = checkpoint::first_not_finite(&file) {
                return Err(damaged(format!(
                    "its tensor {tensor} has numbers that are NaN or infinite"
                )));
            }
        }
        let tensors = candle_core::safetensors::load_buffer(bytes, device)
            .map_err(|error| damaged(text::fault(&error)))?;
        Ok(Self {
            name: stem(path),
            origin,
            metadata,
            size: bytes.len() as u64,
            tensors,
        })
    }
}

/// An entry of `mien weights list`: an installed file, without its tensors.
#[derive(Debug)]
pub struct Installed {
    /// The name that `--weights` takes.
    pub name: String,
    /// Where the file is.
    pub origin: Origin,
    /// The header.
    pub metadata: Metadata,
    /// Size of the whole file in bytes.
    pub size: u64,
    /// Number of parameters.
    pub parameters: u64,
    /// The model card of a bundled file.
    pub card: Option<&'static str>,
}

/// Lists the rig's head, the bundled weights, and those in `folder` (the user's own), sorted by path; a file that can't be
/// used is listed as its error. A folder that doesn't exist is empty.
pub fn installed(folder: Option<&Path>) -> Vec<Result<Installed, WeightsError>> {
    let head = (
        PathBuf::from("rig.safetensors"),
        rig_head(),
        include_str!("../../weights/rig.md"),
    );
    let networks = Bundled::ALL.map(|which| (which.path(), which.bytes(), which.card()));
    let mut list: Vec<_> = std::iter::once(head)
        .chain(networks)
        .map(|(path, bytes, card)| {
            Ok(Installed {
                card: Some(card),
                ..describe(&path, bytes, Origin::Bundled)?
            })
        })
        .collect();

    let mut paths: Vec<PathBuf> = folder
        .and_then(|folder| std::fs::read_dir(folder).ok())
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "safetensors"))
        .collect();
    paths.sort();
    list.extend(paths.into_iter().map(|path| {
        if let Some(entry) = describe_header(&path) {
            return Ok(entry);
        }
        let bytes = read_file(&path)?;
        describe(&path, &bytes, Origin::File(path.clone()))
    }));
    list
}

/// [`describe`] for a valid file by its header alone, since imported weights may be hundreds of megabytes. `None` for any
/// other file: reading it completely gives the error.
fn describe_header(path: &Path) -> Option<Installed> {
    let (mut file, size) = regular_file::open(path, MAX_BYTES).ok()?;
    let mut length = [0; 8];
    file.read_exact(&mut length).ok()?;
    let length = u64::from_le_bytes(length);
    let numbers = size.checked_sub(8)?.checked_sub(length)?;
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).ok()?;
    let header: Header = serde_json::from_slice(&header).ok()?;
    if header.data_len() as u64 != numbers {
        return None;
    }
    let tensors = header.tensors();
    let elements = tensors
        .values()
        .map(|info| info.shape.iter().product::<usize>() as u64);
    Some(Installed {
        name: stem(path),
        origin: Origin::File(path.to_owned()),
        metadata: Metadata::from_fields(header.metadata().as_ref()?).ok()?,
        size,
        parameters: elements.sum(),
        card: None,
    })
}

fn describe(path: &Path, bytes: &[u8], origin: Origin) -> Result<Installed, WeightsError> {
    let metadata = Metadata::of(path, bytes)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| WeightsError::Damaged {
        path: path.to_owned(),
        reason: text::fault(&error),
    })?;
    let parameters = tensors
        .iter()
        .map(|(_, view)| view.shape().iter().product::<usize>() as u64)
        .sum();
    Ok(Installed {
        name: stem(path),
        origin,
        metadata,
        size: bytes.len() as u64,
        parameters,
        card: None,
    })
}

fn read_file(path: &Path) -> Result<Vec<u8>, WeightsError> {
    regular_file::read(path, MAX_BYTES).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => WeightsError::Missing(path.to_owned()),
        _ => WeightsError::Unreadable {
            path: path.to_owned(),
            source: error,
        },
    })
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(
        || path.display().to_string(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundled_files_carry_their_metadata() {
        let file = ModelFile::bundled(Bundled::Ganimation, &Device::Cpu).unwrap();
        assert_eq!(file.metadata.architecture, "ganimation");
        assert_eq!(file.metadata.au_order.len(), 17);
        assert_eq!(file.metadata.crop.unwrap().scale, 1.4);
        assert!(file.metadata.licence.contains("MIT"));
        assert!(file.tensors.contains_key("attetion_reg.0.weight"));

        let file = ModelFile::bundled(Bundled::FaceLandmarker, &Device::Cpu).unwrap();
        assert_eq!(file.metadata.architecture, "face-landmarker");
        assert_eq!(file.metadata.licence, "Apache-2.0");
        assert!(file.metadata.au_order.is_empty() && file.metadata.crop.is_none());
    }

    #[test]
    fn every_method_has_bundled_weights_and_a_model_card() {
        for which in Bundled::ALL {
            let file = ModelFile::bundled(which, &Device::Cpu).unwrap();
            assert_eq!(file.name, which.name());
            assert_eq!(file.metadata.architecture, which.architecture());
            let own = format!("# {}", which.name());
            assert_eq!(which.card().lines().next(), Some(own.as_str()));
        }
        for which in [Bundled::Fomm, Bundled::Tps] {
            let file = ModelFile::bundled(which, &Device::Cpu).unwrap();
            let crop = file.crop_rule(Path::new("x")).unwrap();
            assert_eq!((crop.scale, crop.upright), (1.7, true));
        }
        let networks: usize = Bundled::ALL.iter().map(|which| which.bytes().len()).sum();
        let shipped = networks + rig_head().len();
        assert!(shipped <= 60_000_000, "{shipped}");
    }

    #[test]
    fn the_rigs_head_is_listed_before_the_networks() {
        let listed: Vec<_> = installed(None).into_iter().map(Result::unwrap).collect();
        let names: Vec<_> = listed.iter().map(|entry| entry.name.as_str()).collect();
        let networks = Bundled::ALL.map(Bundled::name);
        assert_eq!(names, [&["rig"], &networks[..]].concat());

        let head = &listed[0];
        assert_eq!(head.origin, Origin::Bundled);
        assert_eq!(head.metadata.architecture, "rig");
        assert_eq!(head.metadata.licence, "MIT");
        assert_eq!(head.size, rig_head().len() as u64);
        assert!((2_000_000..2_300_000).contains(&head.parameters));
        assert!(head.card.unwrap().starts_with("# rig\n"));
    }

    #[test]
    fn a_nan_is_reported_with_its_tensor() {
        for which in Bundled::ALL {
            let file = SafeTensors::deserialize(which.bytes()).unwrap();
            assert_eq!(checkpoint::first_not_finite(&file), None, "{which:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nan.safetensors");
        let mut bytes = Bundled::Ganimation.bytes().to_vec();
        // F16: NaN, and both infinities.
        let last = bytes.len() - 2;
        for number in [0x7e01_u16, 0x7c00, 0xfc00] {
            bytes[last..].copy_from_slice(&number.to_le_bytes());
            std::fs::write(&path, &bytes).unwrap();
            let told = ModelFile::open(&path, &Device::Cpu).unwrap_err();
            let told = told.to_string();
            assert!(told.contains("NaN or infinite"), "{told}");
            assert!(told.starts_with("nan.safetensors") || told.contains("/nan.safetensors"));
        }
        // The largest finite F16.
        bytes[last..].copy_from_slice(&0x7bff_u16.to_le_bytes());
        std::fs::write(&path, &bytes).unwrap();
        assert!(ModelFile::open(&path, &Device::Cpu).is_ok());
    }

    #[test]
    fn a_truncated_model_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("short.safetensors");
        let whole = Bundled::Ganimation.bytes();
        for keep in [0, 1, 7, 8, 9, 100, 2000, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..keep]).unwrap();
            let error = ModelFile::open(&path, &Device::Cpu)
                .unwrap_err()
                .to_string();
            assert!(error.contains("short.safetensors"), "{keep}: {error}");
            let listed = installed(Some(folder.path()));
            assert!(listed.last().is_some_and(Result::is_err), "{keep}");
        }
    }

    #[test]
    fn the_header_alone_describes_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.safetensors");
        let whole = Bundled::Ganimation.bytes();
        std::fs::write(&path, whole).unwrap();
        let short = describe_header(&path).unwrap();
        let long = describe(&path, whole, Origin::File(path.clone())).unwrap();
        assert_eq!((short.name, short.origin), (long.name, long.origin));
        assert_eq!(short.metadata, long.metadata);
        assert_eq!((short.size, short.parameters), (long.size, long.parameters));
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(describe_header(&path).is_none());
    }

    #[test]
    fn other_kinds_of_files_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let pickle = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
        let cases: [(&[u8], &str); 5] = [
            (b"<!DOCTYPE html><html>", "web page"),
            (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
            (b"PK\x03\x04....", "PyTorch"),
            (pickle, "PyTorch"),
            (b"", "empty"),
        ];
        for (bytes, part) in cases {
            let path = folder.path().join("x.safetensors");
            std::fs::write(&path, bytes).unwrap();
            let error = ModelFile::open(&path, &Device::Cpu)
                .unwrap_err()
                .to_string();
            assert!(error.contains(part), "{error}");
        }
        let missing = folder.path().join("gone.safetensors");
        let error = ModelFile::open(&missing, &Device::Cpu).unwrap_err();
        assert!(matches!(error, WeightsError::Missing(_)));
    }
}
