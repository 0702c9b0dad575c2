//! The metadata in a model file's header.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use super::WeightsError;
use crate::text;

/// The crop that a network expects: where the face is in its input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CropRule {
    /// How the square is found, such as "landmark_bbox_square": centred on the bounding box of the face's landmarks.
    pub kind: String,
    /// The square's side relative to the box's longer side.
    pub scale: f32,
    /// Whether the square stays upright, whatever the head's roll.
    pub upright: bool,
}

impl CropRule {
    /// Returns whether Mien supports the rule: it knows one kind, centred on the bounding box of the face's
    /// landmarks.
    pub fn is_known(&self) -> bool {
        let sensible = (0.1..=10.0).contains(&self.scale);
        self.kind == "landmark_bbox_square" && sensible
    }

    /// Returns the same rule with the square rotated by the head's roll, so that the network sees an upright face.
    pub fn levelled(&self) -> CropRule {
        CropRule {
            upright: false,
            ..self.clone()
        }
    }

    /// Returns the same rule with an upright square, whatever the head's roll.
    pub fn upright(&self) -> CropRule {
        CropRule {
            upright: true,
            ..self.clone()
        }
    }
}

/// The checkpoint that a model file was imported from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The file name, without the folder.
    pub file: String,
    /// In bytes.
    pub size: u64,
    /// Its SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// The metadata of a model file.
#[derive(Debug, Clone, PartialEq)]
pub struct Metadata {
    /// The published system, such as "ganimation".
    pub architecture: String,
    /// The network's configuration, as JSON.
    pub config: serde_json::Value,
    /// FACS codes in the order of the network's input; empty for a network without Action Units.
    pub au_order: Vec<u8>,
    /// For a network whose input is a crop of the face.
    pub crop: Option<CropRule>,
    /// The licence of the weights, in words.
    pub licence: String,
    /// Who made the weights, and how.
    pub origin: String,
    /// For a file that Mien imported from a checkpoint.
    pub imported_from: Option<Source>,
}

impl Metadata {
    /// Reads the metadata of a complete file.
    ///
    /// # Errors
    /// [`WeightsError::NotSafetensors`], [`WeightsError::Damaged`] or [`WeightsError::Metadata`].
    pub(super) fn of(path: &Path, bytes: &[u8]) -> Result<Self, WeightsError> {
        if let Some((what, advice)) = other_kind(bytes) {
            return Err(WeightsError::NotSafetensors {
                path: path.to_owned(),
                what,
                advice,
            });
        }
        let damaged = |reason: String| WeightsError::Damaged {
            path: path.to_owned(),
            reason,
        };
        // Parses the whole table too, which detects a truncated file.
        SafeTensors::deserialize(bytes).map_err(|error| damaged(text::fault(&error)))?;
        let (_, header) =
            SafeTensors::read_metadata(bytes).map_err(|error| damaged(text::fault(&error)))?;
        let fields = header.metadata().clone().unwrap_or_default();
        Self::from_fields(&fields).map_err(|reason| WeightsError::Metadata {
            path: path.to_owned(),
            reason,
        })
    }

    /// Parses the fields of a header; the error describes an invalid or missing field.
    pub(super) fn from_fields(fields: &HashMap<String, String>) -> Result<Self, String> {
        let field = |name: &str| {
            fields
                .get(name)
                .ok_or_else(|| format!("its metadata has no {name:?}"))
        };
        let json = |name: &str, error: serde_json::Error| {
            format!(
                "its metadata's {name:?} can't be read ({})",
                text::fault(&error)
            )
        };
        let au_order = fields
            .get("au_order")
            .into_iter()
            .flat_map(|codes| codes.split(','))
            .map(|code| code.trim().parse())
            .collect::<Result<_, _>>()
            .map_err(|_| "its metadata's \"au_order\" is not a list of FACS codes".to_owned())?;
        let crop = fields.get("crop").map(|text| serde_json::from_str(text));
        let source = fields.get("imported_from");
        let source = source.map(|text| serde_json::from_str(text));
        Ok(Self {
            architecture: field("architecture")?.clone(),
            config: serde_json::from_str(field("config")?).map_err(|e| json("config", e))?,
            au_order,
            crop: crop.transpose().map_err(|e| json("crop", e))?,
            licence: fields
                .get("licence")
                .cloned()
                .unwrap_or_else(|| "unknown".to_owned()),
            origin: fields.get("origin").cloned().unwrap_or_default(),
            imported_from: source.transpose().map_err(|e| json("imported_from", e))?,
        })
    }

    /// Returns the header's fields that [`Self::of`] reads this from.
    ///
    /// # Errors
    /// A description, where the fields could not be read back, such as a crop whose scale is NaN.
    pub(super) fn to_fields(&self) -> Result<BTreeMap<&'static str, String>, String> {
        let json = |error: serde_json::Error| error.to_string();
        let mut fields = BTreeMap::from([
            ("architecture", self.architecture.clone()),
            ("config", self.config.to_string()),
            ("licence", self.licence.clone()),
            ("origin", self.origin.clone()),
        ]);
        if !self.au_order.is_empty() {
            let codes: Vec<_> = self.au_order.iter().map(u8::to_string).collect();
            fields.insert("au_order", codes.join(","));
        }
        if let Some(crop) = &self.crop {
            fields.insert("crop", serde_json::to_string(crop).map_err(json)?);
        }
        if let Some(source) = &self.imported_from {
            fields.insert(
                "imported_from",
                serde_json::to_string(source).map_err(json)?,
            );
        }
        let owned = fields
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.clone()));
        Self::from_fields(&owned.collect())?;
        Ok(fields)
    }
}

/// If the bytes are recognisably another kind of file, returns which, and advice.
fn other_kind(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let start = bytes.get(..64).unwrap_or(bytes).to_ascii_lowercase();
    let trimmed = start.trim_ascii_start();
    if bytes.is_empty() {
        Some(("empty", "copy or download it again"))
    } else if trimmed.starts_with(b"<!doctype") || trimmed.starts_with(b"<html") {
        Some(("a web page", "download the file itself instead"))
    } else if start.starts_with(b"version https://git-lfs") {
        Some((
            "a Git LFS pointer",
            "run \"git lfs pull\" in its repository",
        ))
    } else if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\x80\x02") {
        Some((
            "a PyTorch checkpoint",
            "import it first, or choose a safetensors file",
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_supported_crop_rules_are_accepted() {
        let rule = |kind: &str, scale: f32| CropRule {
            kind: kind.to_owned(),
            scale,
            upright: true,
        };
        assert!(rule("landmark_bbox_square", 1.4).is_known());
        assert!(!rule("eyes", 1.4).is_known());
        assert!(!rule("landmark_bbox_square", f32::NAN).is_known());
        assert!(!rule("landmark_bbox_square", 0.0).is_known());
    }

    #[test]
    fn text_quoted_from_a_file_is_shortened_and_escaped() {
        let long = "n".repeat(5000);
        let dtype = |name: &str| format!("{{\"a\":{{\"dtype\":\"{name}\"}}}}");
        let crop = serde_json::json!({"__metadata__": {
            "architecture": "fomm", "config": "{}", "crop": format!("{{\"kind\":\"a\",\"scale\":\"{long}\"}}"),
        }});
        for header in [
            dtype("\u{7f}\u{9b}31m\u{202e}"),
            dtype(&long),
            crop.to_string(),
        ] {
            let length = (header.len() as u64).to_le_bytes();
            let bytes = [&length, header.as_bytes()].concat();
            let error = Metadata::of(Path::new("x"), &bytes).unwrap_err();
            let text = error.to_string();
            let steers = |c: char| c.is_control() || c == '\u{202e}';
            assert!(!text.contains(steers), "{text:?}");
            assert!(text.len() < 400, "{text}");
        }
    }

    #[test]
    fn metadata_round_trips_and_optional_fields_may_be_missing() {
        let mut metadata = Metadata {
            architecture: "tps".to_owned(),
            config: serde_json::json!({"splines": 10}),
            au_order: vec![1, 45],
            crop: Some(CropRule {
                kind: "landmark_bbox_square".to_owned(),
                scale: 1.4,
                upright: true,
            }),
            licence: "MIT".to_owned(),
            origin: "somewhere".to_owned(),
            imported_from: Some(Source {
                file: "vox.pth.tar".to_owned(),
                size: 1 << 40,
                sha256: "0f".repeat(32),
            }),
        };
        let again = |metadata: &Metadata| {
            let fields = metadata.to_fields().unwrap().into_iter();
            Metadata::from_fields(&fields.map(|(k, v)| (k.to_owned(), v)).collect()).unwrap()
        };
        assert_eq!(again(&metadata), metadata);
        (metadata.crop, metadata.imported_from) = (None, None);
        metadata.au_order.clear();
        assert_eq!(again(&metadata), metadata);
    }
}
