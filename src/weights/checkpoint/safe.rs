//! Reads safetensors to the same tensors as a checkpoint.

use std::collections::BTreeMap;

use safetensors::{Dtype, SafeTensors};

use super::fault::{Fault, sanitised};
use super::tensor::{DType, RawTensor, is_finite};
use super::{Checkpoint, Container};

/// Reads a complete file.
///
/// # Errors
/// [`Fault::Damaged`] for a truncated file, [`Fault::Unsupported`] for element types that aren't a [`DType`].
pub(super) fn read(bytes: &[u8]) -> Result<Checkpoint, Fault> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|_| Fault::damaged("its table of tensors doesn't match the file's size"))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.iter() {
        let tensor = RawTensor {
            shape: view.shape().to_vec(),
            dtype: dtype(view.dtype())?,
            data: view.data().to_vec(),
        };
        tensors.insert(name.to_owned(), tensor);
    }
    Ok(Checkpoint {
        container: Container::Safetensors,
        tensors,
    })
}

/// Returns the name of the first tensor with a NaN or infinite element; `None` where all are finite. Element types that
/// aren't a [`DType`] are skipped.
pub(crate) fn first_not_finite(file: &SafeTensors<'_>) -> Option<String> {
    let mut names: Vec<&str> = file.names().into_iter().collect();
    names.sort_unstable();
    names.into_iter().find_map(|name| {
        let view = file.tensor(name).ok()?;
        let is_finite = is_finite(dtype(view.dtype()).ok()?, view.data());
        (!is_finite).then(|| sanitised(name))
    })
}

fn dtype(dtype: Dtype) -> Result<DType, Fault> {
    Ok(match dtype {
        Dtype::F16 => DType::F16,
        Dtype::BF16 => DType::BF16,
        Dtype::F32 => DType::F32,
        Dtype::F64 => DType::F64,
        Dtype::I64 => DType::I64,
        Dtype::I32 => DType::I32,
        Dtype::U8 => DType::U8,
        Dtype::BOOL => DType::Bool,
        other => return Err(Fault::unsupported(format!("a tensor of {other:?}"))),
    })
}
