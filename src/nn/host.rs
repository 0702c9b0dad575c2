//! Tensors as slices, and buffers that outlive a call.

use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

use candle_core::{CpuStorage, DType, Result, Storage, Tensor};
use rayon::prelude::*;

/// Whether our own kernels run for this tensor.
pub(super) fn is_ours(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
}

/// Runs `f` on the values of an f32 tensor on the CPU, row-major; copies only if they are strided.
pub(super) fn with_values<T>(x: &Tensor, f: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let x = x.contiguous()?;
    let (storage, layout) = x.storage_and_layout();
    let Storage::Cpu(CpuStorage::F32(values)) = &*storage else {
        candle_core::bail!("expected f32 values on the CPU, found {:?}", x.dtype())
    };
    let start = layout.start_offset();
    f(&values[start..start + layout.shape().elem_count()])
}

/// The values of any tensor as f32 on this side.
pub(super) fn to_values(x: &Tensor) -> Result<Vec<f32>> {
    x.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
}

/// Below so many multiplications a second thread costs more than it gives.
const SMALL: usize = 150_000;

/// Does every task: in parallel unless the whole `work`, in multiplications, is small.
pub(super) fn each<T: Send>(tasks: Vec<T>, work: usize, run: impl Fn(T) + Sync + Send) {
    if work < SMALL {
        tasks.into_iter().for_each(run);
    } else {
        tasks.into_par_iter().for_each(run);
    }
}

/// A buffer from a pool that keeps what earlier calls allocated. Its contents are leftovers.
pub(super) struct Scratch {
    /// At least `len` long; never shortened, since growing again would clear it for nothing.
    buffer: Vec<f32>,
    len: usize,
}

/// More would only hold memory: no network here nests deeper on this many threads.
const POOL: usize = 32;

static FREE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

impl Scratch {
    pub fn new(len: usize) -> Self {
        let mut buffer = FREE
            .lock()
            .map(|mut free| {
                // The smallest that is large enough, else the largest, which then grows.
                let best = free
                    .iter()
                    .enumerate()
                    .min_by_key(|(_, b)| (b.len() < len, b.len().abs_diff(len)))
                    .map(|(i, _)| i);
                best.map(|i| free.swap_remove(i)).unwrap_or_default()
            })
            .unwrap_or_default();
        if buffer.len() < len {
            buffer.resize(len, 0.0);
        }
        Self { buffer, len }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Ok(mut free) = FREE.lock()
            && free.len() < POOL
        {
            free.push(std::mem::take(&mut self.buffer));
        }
    }
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.buffer[..self.len]
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.buffer[..self.len]
    }
}
