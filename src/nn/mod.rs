//! Layers that candle lacks or runs slowly on the CPU.
//!
//! A layer owns its weights, packed when it is made, and hides the kernel behind one
//! `forward`, so that kernels may change without a network noticing. On the CPU (f32) our
//! kernels run: a register-tiled loop under plain convolution (`micro`), another under
//! minimal filtering (`gemm`), picked for the CPU's instruction set at run time. On an NVIDIA
//! card convolutions are cuDNN's (in half precision if wanted, `precision`) and what stands
//! between them kernels of our own (`cuda`). On any other device the same layers run candle's
//! operations. All give the same results to rounding.
//!
//! All of it is for inference: no gradients flow through these layers.

mod arena;
mod batch_norm;
pub(crate) mod bicubic;
pub mod blocks;
mod border;
mod conv;
mod cuda;
mod direct;
mod epilogue;
mod gemm;
mod heads;
mod host;
pub(crate) mod isa;
mod micro;
mod mix;
mod norm;
mod outside;
mod pool;
mod precision;
mod resize;
mod sample;
mod separable;
mod simd;
mod slopes;
mod soft;
#[cfg(test)]
mod testing;
mod transposed;
mod winograd;

use candle_core::Device;

pub use arena::release;
pub(crate) use arena::{alloc, replace_with};
pub use batch_norm::BatchNorm;
pub use border::{ConstantConv, ConstantMap};
pub use conv::{Conv2d, ConvConfig};
pub use cuda::{SplineMotions, affine_motions, has_kernels, heat_maps, spline_motions};
#[cfg(test)]
pub(crate) use cuda::{as_on_a_card, launched};
pub use epilogue::Epilogue;
pub use heads::tanh_and_sigmoid;
pub use isa::Isa;
pub use mix::{affine_relu, concat_channels, lerp, masked, mixed_motion, sigmoid, tanh};
pub use norm::InstanceNorm;
pub use outside::Border;
pub use pool::{max_pool, max_pool_3};
pub use precision::in_half;
pub use resize::{AntiAlias, avg_pool, resize_bilinear, resize_flow};
pub use sample::grid_sample;
pub use separable::Separable;
pub use slopes::Slopes;
pub use soft::soft_means;
pub use transposed::ConvTranspose2d;

/// Whether a variable of the environment asks for what it is named after: it is there, and neither empty nor 0.
pub(crate) fn is_asked(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|value| !value.is_empty() && value != "0")
}

/// Runs a network of `device`. On the CPU that is on a thread of the pool that its layers share their work out on, so that
/// no layer has to wake one and be waited for from outside. A graphics card's work goes in order for each thread alone, so
/// there it stays on the caller's.
pub fn pooled<T: Send>(device: &Device, run: impl FnOnce() -> T + Send) -> T {
    if device.is_cpu() && !has_kernels(device) {
        rayon::scope(|_| run())
    } else {
        run()
    }
}
