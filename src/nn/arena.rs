//! Buffers that outlive a call, so that a network which runs again and again asks the system for no memory.
//!
//! Kernels take their scratch space and their results from here. What a network no longer needs it gives back with
//! [`release`]; a tensor that is simply dropped is lost to the arena, and nothing else.

use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

use candle_core::{CpuStorage, DType, InplaceOp1, Layout, Result, Tensor};

use super::host;

/// More buffers would only hold memory.
const MOST: usize = 256;
/// More values neither: 256 MiB.
const MOST_VALUES: usize = 64 << 20;
/// Smaller buffers are the allocator's.
const LEAST: usize = 4096;

static FREE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// A buffer of at least `len` values, leftovers of earlier calls or zeros.
fn take(len: usize) -> Vec<f32> {
    let found = FREE.lock().ok().and_then(|mut free| {
        // One of just this length; else the smallest that is large enough, unless it is far too large.
        let best = free
            .iter()
            .enumerate()
            .filter(|(_, b)| b.capacity() >= len && b.capacity() / 2 <= len)
            .min_by_key(|(_, b)| (b.len() < len, b.capacity()));
        best.map(|(i, _)| i).map(|i| free.swap_remove(i))
    });
    let mut buffer = found.unwrap_or_default();
    if buffer.len() < len {
        // Growing in place clears only what was cut off.
        buffer.resize(len, 0.0);
    }
    buffer
}

fn keep(buffer: Vec<f32>) {
    if buffer.capacity() < LEAST {
        return;
    }
    if let Ok(mut free) = FREE.lock() {
        let held: usize = free.iter().map(Vec::capacity).sum();
        if held + buffer.capacity() > MOST_VALUES || free.len() >= MOST {
            // The oldest stand first: sizes no longer used.
            free.remove(0);
        }
        free.push(buffer);
    }
}

/// A buffer for a result of `len` values, all of which the caller writes: they are leftovers.
pub fn alloc(len: usize) -> Vec<f32> {
    if len < LEAST {
        return vec![0.0; len];
    }
    let mut buffer = take(len);
    buffer.truncate(len);
    buffer
}

/// The values of an f32 tensor on the CPU, row-major.
pub(super) fn copied(x: &Tensor) -> Result<Vec<f32>> {
    host::with_values(x, |x| {
        let mut copy = alloc(x.len());
        copy.copy_from_slice(x);
        Ok(copy)
    })
}

/// Gives the memory of an f32 tensor on the CPU to the next result of its size.
///
/// Tensors that were cloned, narrowed or reshaped from it share its values and lose them: every use of them is then an error.
/// What is left in the storage is of the type F4, for which candle has no operation. Under any other type candle would read the
/// elements that a strided layout promises without a look at how many there are.
pub fn release(x: Tensor) {
    struct Take;

    impl InplaceOp1 for Take {
        fn name(&self) -> &'static str {
            "release"
        }

        fn cpu_fwd(&self, storage: &mut CpuStorage, _: &Layout) -> Result<()> {
            if matches!(storage, CpuStorage::F32(_))
                && let CpuStorage::F32(values) =
                    std::mem::replace(storage, CpuStorage::F4(Vec::new()))
            {
                keep(values);
            }
            Ok(())
        }
    }

    if x.device().is_cpu() && x.dtype() == DType::F32 {
        // A tensor that can't be changed in place keeps its memory.
        let _ = x.inplace_op1(&Take);
    }
}

/// Replaces `h` by what `next` makes of it, and releases what it was.
///
/// # Errors
/// Those of `next`; `h` is then as it was.
pub fn replace_with(h: &mut Tensor, next: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<()> {
    let next = next(h)?;
    release(std::mem::replace(h, next));
    Ok(())
}

/// Scratch space. Its contents are leftovers.
pub(super) struct Scratch {
    /// At least `len` long; never shortened, since growing again would clear it for nothing.
    buffer: Vec<f32>,
    len: usize,
}

impl Scratch {
    pub fn new(len: usize) -> Self {
        Self {
            buffer: take(len),
            len,
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        keep(std::mem::take(&mut self.buffer));
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
    fn a_step_goes_on_and_one_that_fails_leaves_what_was() {
        let mut h = numbers(2 * LEAST);
        replace_with(&mut h, |h| h.affine(2.0, 1.0)).unwrap();
        let failed = replace_with(&mut h, |_| candle_core::bail!("no"));
        assert!(failed.is_err());
        let values: Vec<f32> = h.to_vec1().unwrap();
        let expected = (0..2 * LEAST).map(|i| 2.0 * i as f32 + 1.0);
        assert!(values.into_iter().eq(expected));
    }

    #[test]
    fn released_values_are_refused_not_read() {
        let h = numbers(2 * LEAST);
        let square = h.reshape((64, 2 * LEAST / 64)).unwrap();
        release(h);
        assert!(host::with_values(&square, |_| Ok(())).is_err());
        let other = numbers(2 * LEAST).reshape((64, 2 * LEAST / 64)).unwrap();
        let places = Tensor::new(&[0u32, 3], &Device::Cpu).unwrap();
        // As it is, and in strides, where candle doesn't look at the length.
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
    fn buffers_are_as_long_as_was_asked_for() {
        for len in [0, 1, LEAST - 1, LEAST, 3 * LEAST + 1] {
            assert_eq!(alloc(len).len(), len);
            assert_eq!(Scratch::new(len).len(), len);
        }
    }
}
