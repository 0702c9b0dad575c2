//! Layers as our own kernels on an NVIDIA GPU, where candle's operations would take many small launches.
//!
//! The kernels (`cuda/kernels/`) are CUDA C that build.rs compiles with nvcc if the feature `cuda` is on. A layer calls
//! [`takes`] and, if it returns true, builds its [launch](launch::Launch), which is plain data; `gpu` runs it. Kernels take f32
//! on a GPU. For everything else, and everywhere if `MIEN_CUDA_PLAIN` is set, the layers are composed of candle's operations.
//!
//! The tests build the same kernels as C and run the same launches on the CPU (`emulated`), so that everything except
//! the GPU itself is compared with the layers' other implementations on any machine.

#[cfg(feature = "cudnn")]
mod convolution;
#[cfg(test)]
mod emulated;
#[cfg(feature = "cuda")]
mod gpu;
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
pub(crate) use emulated::{launched, with_emulated_gpu};
pub(super) use maps::{
    anti_aliased, concat_channels, grid_sample, lerp, masked, max_pool_3, pool_halved, resized,
    upsampled,
};
pub use motions::{SplineMotions, affine_motions, heat_maps, spline_motions};
pub(super) use motions::{mixed_motion, soft_means};
pub(super) use norms::{affine_relu, class_map, epilogue, scaled, sigmoid, tanh, tanh_and_sigmoid};
pub(super) use transposed::TransposedConv;

/// Whether our own kernels support these tensors.
pub(super) fn takes(tensors: &[&Tensor]) -> bool {
    tensors
        .iter()
        .all(|x| has_kernels(x.device()) && x.dtype() == DType::F32 && x.elem_count() > 0)
}

/// Whether our own kernels run on this device, so that [`heat_maps`] and the like may be called.
pub fn has_kernels(device: &Device) -> bool {
    #[cfg(test)]
    if device.is_cpu() {
        return emulated::is_emulated();
    }
    device.is_cuda() && !plain() && loads(device)
}

/// Whether layers on this device run our own CPU kernels.
pub(super) fn runs_cpu_kernels(device: &Device) -> bool {
    device.is_cpu() && !has_kernels(device)
}

/// Convolves `x` `[N, C, H, W]` with `weight` `[outputs, C, kh, kw]`, both contiguous and of one type; returns `None`
/// if candle's convolution should run.
///
/// # Errors
/// If the shapes don't fit, or the device fails.
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

/// Whether the GPU's driver accepts the kernels; if not, logs a warning once, and the layers do without them.
#[cfg(feature = "cuda")]
fn loads(device: &Device) -> bool {
    static LOADS: OnceLock<bool> = OnceLock::new();
    *LOADS.get_or_init(|| match gpu::load(device) {
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

/// Whether the environment variable `MIEN_CUDA_PLAIN` disables our kernels.
fn plain() -> bool {
    #[cfg(test)]
    if tests::PLAIN.get() {
        return true;
    }
    static PLAIN: OnceLock<bool> = OnceLock::new();
    *PLAIN.get_or_init(|| super::env_flag("MIEN_CUDA_PLAIN"))
}
