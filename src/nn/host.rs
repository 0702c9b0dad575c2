//! Access to tensors as slices, and parallel tasks.

use candle_core::{CpuStorage, DType, Result, Storage, Tensor};
use rayon::prelude::*;

/// Whether our CPU kernels support this tensor: f32 on the CPU.
pub(super) fn is_cpu_f32(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
}

/// Runs `f` on the values of an f32 tensor on the CPU, row-major; copies them only if the tensor is not contiguous.
pub(super) fn with_values<T>(x: &Tensor, f: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let x = x.contiguous()?;
    let (storage, layout) = x.storage_and_layout();
    let Storage::Cpu(CpuStorage::F32(values)) = &*storage else {
        candle_core::bail!("expected f32 values on the CPU, found {:?}", x.dtype())
    };
    let start = layout.start_offset();
    f(&values[start..start + layout.shape().elem_count()])
}

/// Copies the values of any tensor to the host as f32.
pub(super) fn to_values(x: &Tensor) -> Result<Vec<f32>> {
    x.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
}

/// Multiplications below which a second thread costs more than it saves.
const MIN_PARALLEL_WORK: usize = 150_000;

/// Runs every task: in parallel unless the total `work`, in multiplications, is small.
pub(super) fn run_tasks<T: Send>(tasks: Vec<T>, work: usize, run: impl Fn(T) + Sync + Send) {
    if work < MIN_PARALLEL_WORK {
        tasks.into_iter().for_each(run);
    } else {
        tasks.into_par_iter().for_each(run);
    }
}
