//! Mien's reader of weight files alone, and the properties that hold for any bytes.

use std::path::Path;

#[path = "../../../src/regular_file.rs"]
#[allow(dead_code)]
mod regular_file;
#[path = "../../../src/text.rs"]
#[allow(dead_code)]
mod text;
pub mod weights;

use weights::checkpoint::{read_bytes, system};

/// The name that errors must contain.
const NAME: &str = "vox-cpk.pth.tar";

/// Reads the bytes as a checkpoint.
///
/// # Panics
/// If tensors don't have their stated size, if they take more memory than the limits allow, or if an error is not a
/// plain sentence that names the file.
pub fn check(bytes: &[u8]) {
    let checkpoint = match read_bytes(Path::new(NAME), bytes) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return sentence(&error.to_string()),
    };
    assert!(!checkpoint.tensors.is_empty());
    let total: usize = checkpoint.tensors.values().map(|t| t.data.len()).sum();
    assert!(total <= 8 * bytes.len() + (1 << 20), "{total} bytes");
    for tensor in checkpoint.tensors.values() {
        let count: usize = tensor.shape.iter().product();
        assert_eq!(tensor.data.len(), count * tensor.dtype.size());
        if count <= 1 << 12 {
            assert_eq!(tensor.to_f32().len(), count);
        }
    }
    let _ = system(&checkpoint);
}

/// Reads the bytes as a model file's header.
///
/// # Panics
/// If an error is not a plain sentence that names the file.
pub fn check_metadata(bytes: &[u8]) {
    match weights::metadata(Path::new(NAME), bytes) {
        Ok(metadata) => {
            let _ = metadata.crop.is_some_and(|crop| crop.is_known());
        }
        Err(error) => sentence(&error.to_string()),
    }
}

fn sentence(text: &str) {
    assert!(text.contains(NAME) && text.ends_with('.'), "{text}");
    assert!(!text.contains(char::is_control), "{text}");
    assert!(text.len() < 500, "{text}");
}
