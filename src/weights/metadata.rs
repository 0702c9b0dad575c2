//! What a model file's header says of it.

use std::collections::HashMap;
use std::path::Path;

use safetensors::SafeTensors;
use serde::Deserialize;

use super::WeightsError;

/// Where the face must lie in the square that the network sees.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CropRule {
    /// How the square is found, such as "landmark_bbox_square": centred on the box of the face's landmarks.
    pub kind: String,
    /// The square's side, in longer sides of that box.
    pub scale: f32,
    /// Whether the square stands upright, whatever the head's roll.
    pub upright: bool,
}

impl CropRule {
    /// Whether Mien can find the square: it knows one kind, centred on the box of the face's landmarks.
    pub fn is_known(&self) -> bool {
        let sensible = (0.1..=10.0).contains(&self.scale);
        self.kind == "landmark_bbox_square" && sensible
    }

    /// The same rule for a face that leans: the square is turned with the head, so that the network sees it upright.
    pub fn levelled(&self) -> CropRule {
        CropRule {
            upright: false,
            ..self.clone()
        }
    }

    /// The same rule with the square upright, whatever the head's roll.
    pub fn upright(&self) -> CropRule {
        CropRule {
            upright: true,
            ..self.clone()
        }
    }
}

/// The metadata of a model file.
#[derive(Debug, Clone, PartialEq)]
pub struct Metadata {
    /// The published system, such as "ganimation".
    pub architecture: String,
    /// The network's configuration, as JSON.
    pub config: serde_json::Value,
    /// FACS codes in the order in which the network takes them; none for a network that takes no Action Units.
    pub au_order: Vec<u8>,
    /// For a network that sees a crop of the face.
    pub crop: Option<CropRule>,
    pub licence: String,
    pub origin: String,
}

impl Metadata {
    /// Reads the metadata of a whole file.
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
        // Reads the whole table too, so that a file cut short is found here.
        SafeTensors::deserialize(bytes).map_err(|error| damaged(error.to_string()))?;
        let (_, header) =
            SafeTensors::read_metadata(bytes).map_err(|error| damaged(error.to_string()))?;
        let fields = header.metadata().clone().unwrap_or_default();
        Self::from_fields(&fields).map_err(|reason| WeightsError::Metadata {
            path: path.to_owned(),
            reason,
        })
    }

    fn from_fields(fields: &HashMap<String, String>) -> Result<Self, String> {
        let field = |name: &str| {
            fields
                .get(name)
                .ok_or_else(|| format!("its metadata has no {name:?}"))
        };
        let json = |name: &str, error: serde_json::Error| {
            format!("its metadata's {name:?} cannot be read ({error})")
        };
        let au_order = fields
            .get("au_order")
            .into_iter()
            .flat_map(|codes| codes.split(','))
            .map(|code| code.trim().parse())
            .collect::<Result<_, _>>()
            .map_err(|_| "its metadata's \"au_order\" is not a list of FACS codes".to_owned())?;
        let crop = fields.get("crop").map(|text| serde_json::from_str(text));
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
        })
    }
}

/// What the bytes are when they are plainly something else, and what to do then.
fn other_kind(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let start = bytes.get(..64).unwrap_or(bytes).to_ascii_lowercase();
    let trimmed = start.trim_ascii_start();
    if bytes.is_empty() {
        Some(("empty", "copy or download it again"))
    } else if trimmed.starts_with(b"<!doctype") || trimmed.starts_with(b"<html") {
        Some((
            "a web page",
            "the download went wrong, so fetch the file itself",
        ))
    } else if start.starts_with(b"version https://git-lfs") {
        Some((
            "a Git LFS pointer",
            "run \"git lfs pull\" where it came from",
        ))
    } else if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\x80\x02") {
        Some((
            "a PyTorch checkpoint",
            "\"mien weights check\" says what is in it, but this version of Mien edits with safetensors only",
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_crops_that_can_be_found_are_known() {
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
}
