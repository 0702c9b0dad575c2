//! Buffers that outlive a call, so that a network that runs repeatedly allocates no memory.
//!
//! Kernels allocate their scratch space and results here. A network returns tensors it no longer needs with
//! [`release`]; the memory of a tensor that is simply dropped is freed instead of reused.

use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

use candle_core::{CpuStorage, DType, InplaceOp1, Layout, Result, Tensor};

use super::host;

/// The most free buffers that are retained.
const MAX_BUFFERS: usize = 256;
/// The most values in all of them: 256 MiB.
const MAX_VALUES: usize = 64 << 20;
/// Smaller buffers are left to the allocator.
const MIN_VALUES: usize = 4096;

static FREE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// A buffer of at least `len` values, left over from earlier calls or zeros.
fn take_free(len: usize) -> Vec<f32> {
    let found = FREE.lock().ok().and_then(|mut free| {
        // One of exactly this length; else the smallest that is large enough, but at most about twice as large.
        let best = free
            .iter()
            .enumerate()
            .filter(|(_, b)| b.capacity() >= len && b.capacity() / 2 <= len)
            .min_by_key(|(_, b)| (b.len() < len, b.capacity()));
        best.map(|(i, _)| i).map(|i| free.swap_remove(i))
    });
    let mut buffer = found.unwrap_or_default();
    if buffer.len() < len {
        // Growing in place only clears the added values.
        buffer.resize(len, 0.0);
    }
    buffer
}

fn put_free(buffer: Vec<f32>) {
    if buffer.capacity() < MIN_VALUES {
        return;
    }
    if let Ok(mut free) = FREE.lock() {
        let pooled: usize = free.iter().map(Vec::capacity).sum();
        if pooled + buffer.capacity() > MAX_VALUES || free.len() >= MAX_BUFFERS {
            // The oldest are first: their sizes are probably no longer used.
            free.remove(0);
        }
        free.push(buffer);
    }
}

/// Allocates a result of `len` values. They are left over from earlier calls; the caller overwrites all of them.
pub fn alloc(len: usize) -> Vec<f32> {
    if len < MIN_VALUES {
        return vec![0.0; len];
    }
    let mut buffer = take_free(len);
    buffer.truncate(len);
    buffer
}

/// Copies the values of an f32 tensor on the CPU, row-major, into a buffer from the arena.
pub(super) fn copy_to_buffer(x: &Tensor) -> Result<Vec<f32>> {
    host::with_values(x, |x| {
        let mut copy = alloc(x.len());
        copy.copy_from_slice(x);
        Ok(copy)
    })
}

/// Returns the memory of an f32 tensor on the CPU to the arena.
///
/// Tensors that were cloned, narrowed or reshaped from it share its storage and lose their values: every use of them is
/// then an error. The storage is replaced by an empty one of the type F4, for which candle has no operation; with any
/// other type candle would read the elements that a strided layout promises without checking the length.
pub fn release(x: Tensor) {
    struct ReleaseStorage;

    impl InplaceOp1 for ReleaseStorage {
        fn name(&self) -> &'static str {
            "release"
        }

        fn cpu_fwd(&self, storage: &mut CpuStorage, _: &Layout) -> Result<()> {
            if matches!(storage, CpuStorage::F32(_))
                && let CpuStorage::F32(values) =
                    std::mem::replace(storage, CpuStorage::F4(Vec::new()))
            {
                put_free(values);
            }
            Ok(())
        }
    }

    if x.device().is_cpu() && x.dtype() == DType::F32 {
        // A tensor that can't be changed in place keeps its memory.
        let _ = x.inplace_op1(&ReleaseStorage);
    }
}

/// Replaces `h` by the result of `next`, and releases the old tensor.
///
/// # Errors
/// Those of `next`; `h` is then unchanged.
pub fn replace_with(h: &mut Tensor, next: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<()> {
    let next = next(h)?;
    release(std::mem::replace(h, next));
    Ok(())
}

/// Scratch space. Its contents are left over from earlier calls.
pub(super) struct Scratch {
    /// At least `len` long; never shortened, since growing it again would clear the added values.
    buffer: Vec<f32>,
    len: usize,
}

impl Scratch {
    pub fn new(len: usize) -> Self {
        Self {
            buffer: take_free(len),
            len,
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        put_free(std::mem::take(&mut self.buffer));
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

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn numbers(n: usize) -> Tensor {
        let values: Vec<f32> = (0..n).map(|i| i as f32).collect();
        Tensor::from_vec(values, n, &Device::Cpu).unwrap()
    }

    #[test]
    fn a_failed_step_leaves_the_tensor_unchanged() {
        let mut h = numbers(2 * MIN_VALUES);
        replace_with(&mut h, |h| h.affine(2.0, 1.0)).unwrap();
        let failed = replace_with(&mut h, |_| candle_core::bail!("no"));
        assert!(failed.is_err());
        let values: Vec<f32> = h.to_vec1().unwrap();
        let expected = (0..2 * MIN_VALUES).map(|i| 2.0 * i as f32 + 1.0);
        assert!(values.into_iter().eq(expected));
    }

    #[test]
    fn reading_a_released_buffer_is_refused() {
        let h = numbers(2 * MIN_VALUES);
        let square = h.reshape((64, 2 * MIN_VALUES / 64)).unwrap();
        release(h);
        assert!(host::with_values(&square, |_| Ok(())).is_err());
        let other = numbers(2 * MIN_VALUES)
            .reshape((64, 2 * MIN_VALUES / 64))
            .unwrap();
        let places = Tensor::new(&[0u32, 3], &Device::Cpu).unwrap();
        // Contiguous, and with strides, where candle doesn't check the length.
        let strided = square.t().unwrap();
        let slices = square.narrow(1, 3, 5).unwrap();
        for h in [square, strided, slices] {
            let other = other.flatten_all().unwrap();
            let other = other.narrow(0, 0, h.elem_count()).unwrap();
            let other = other.reshape(h.shape()).unwrap();
            assert!(h.to_vec2::<f32>().is_err());
            assert!(h.affine(2.0, 1.0).is_err());
            assert!(h.exp().is_err());
            assert!(h.powf(2.0).is_err());
            assert!(h.elu(1.0).is_err());
            assert!(h.to_dtype(DType::F64).is_err());
            assert!(h.force_contiguous().is_err());
            assert!(h.copy().and_then(|copy| copy.exp()).is_err());
            assert!(h.sum_all().is_err());
            assert!(h.max(0).is_err());
            assert!(h.argmin(1).is_err());
            assert!(h.matmul(&h.t().unwrap()).is_err());
            assert!(h.index_select(&places, 0).is_err());
            for (a, b) in [(&h, &other), (&other, &h), (&h, &h)] {
                assert!((a + b).is_err());
                assert!(a.lt(b).is_err());
                assert!(a.matmul(&b.t().unwrap()).is_err());
                assert!(Tensor::cat(&[a, b], 0).is_err());
                assert!(a.maximum(b).is_err());
            }
        }
    }

    #[test]
    fn buffers_have_the_requested_length() {
        for len in [0, 1, MIN_VALUES - 1, MIN_VALUES, 3 * MIN_VALUES + 1] {
            assert_eq!(alloc(len).len(), len);
            assert_eq!(Scratch::new(len).len(), len);
        }
    }
}
