//! Layers as kernels of our own on an NVIDIA card, where candle's operations would be many small launches.
//!
//! The kernels (`cuda/kernels/`) are CUDA C that build.rs hands to nvcc if the feature `cuda` is on. A layer asks
//! [`takes`] and, if so, describes its [launch](launch::Launch), which is plain data; `card` runs it. Kernels take f32 on a
//! card; for everything else, and everywhere if `MIEN_CUDA_PLAIN` is set, the layers compose candle's operations as before.
//!
//! The tests build the same kernels as C and run the same launches on the processor (`emulated`), so that all but the card
//! itself is held against the layers' other implementations on any machine.

#[cfg(feature = "cuda")]
mod card;
#[cfg(feature = "cudnn")]
mod convolution;
#[cfg(test)]
mod emulated;
mod launch;
mod maps;
mod motions;
mod norms;
#[cfg(test)]
mod tests;
mod transposed;

use std::sync::OnceLock;

use candle_core::{DType, Device, Result, Tensor};

#[cfg(test)]
pub(crate) use emulated::{as_on_a_card, launched};
pub(super) use maps::{
    anti_aliased, concat_channels, grid_sample, lerp, masked, max_pool_3, pool_halved, resized,
    upsampled,
};
pub use motions::{SplineMotions, affine_motions, heat_maps, spline_motions};
pub(super) use motions::{mixed_motion, soft_means};
pub(super) use norms::{affine_relu, class_map, epilogue, scaled, sigmoid, tanh, tanh_and_sigmoid};
pub(super) use transposed::TransposedConv;

/// Whether kernels of our own run for these tensors.
pub(super) fn takes(tensors: &[&Tensor]) -> bool {
    tensors
        .iter()
        .all(|x| has_kernels(x.device()) && x.dtype() == DType::F32 && x.elem_count() > 0)
}

/// Whether kernels of our own run on this device: [`heat_maps`] and its like may be asked for.
pub fn has_kernels(device: &Device) -> bool {
    #[cfg(test)]
    if device.is_cpu() {
        return emulated::wanted();
    }
    device.is_cuda() && !plain() && loads(device)
}

/// The convolution of `x` `[N, C, H, W]` by `weight` `[outputs, C, kh, kw]`, both dense and of one kind of values; none
/// where candle's own is to run.
///
/// # Errors
/// If the shapes don't fit, or the device's.
pub(super) fn convolved(
    x: &Tensor,
    weight: &Tensor,
    padding: usize,
    stride: usize,
) -> Result<Option<Tensor>> {
    #[cfg(feature = "cudnn")]
    if x.device().is_cuda() && has_kernels(x.device()) && x.elem_count() > 0 {
        return convolution::run(x, weight, padding, stride).map(Some);
    }
    let _ = (x, weight, padding, stride);
    Ok(None)
}

/// Whether the card's driver takes the kernels; if not, that is said once, and the layers do without.
#[cfg(feature = "cuda")]
fn loads(device: &Device) -> bool {
    static LOADS: OnceLock<bool> = OnceLock::new();
    *LOADS.get_or_init(|| match card::load(device) {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!("the card's driver can't load our kernels, so candle's run: {error}");
            false
        }
    })
}

#[cfg(not(feature = "cuda"))]
fn loads(_: &Device) -> bool {
    false
}

/// Whether the environment's `MIEN_CUDA_PLAIN` asks for candle's operations alone.
fn plain() -> bool {
    #[cfg(test)]
    if tests::PLAIN.get() {
        return true;
    }
    static PLAIN: OnceLock<bool> = OnceLock::new();
    *PLAIN.get_or_init(|| super::is_asked("MIEN_CUDA_PLAIN"))
}
