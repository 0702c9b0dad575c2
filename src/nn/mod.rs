//! Layers that candle lacks or runs slowly on the CPU.
//!
//! A layer owns its weights, packed at construction, behind one `forward`, so that kernels can change without changes
//! to a network. On the CPU (f32) our kernels run: a register-tiled loop for direct convolution (`micro`) and another
//! for minimal filtering (`gemm`), chosen for the CPU's instruction set at run time. On an NVIDIA GPU convolutions are
//! cuDNN's (in half precision if requested, see `precision`), and the operations between them run our own kernels
//! (`cuda`). On any other device the layers run candle's operations. All agree up to rounding.
//!
//! For inference only: no gradients flow through these layers.

mod arena;
mod batch_norm;
pub(crate) mod bicubic;
pub mod blocks;
mod border_mode;
mod constant_conv;
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
mod weights;
mod winograd;

use candle_core::Device;

pub use arena::release;
pub(crate) use arena::{alloc, replace_with};
pub use batch_norm::BatchNorm;
pub use border_mode::Border;
pub use constant_conv::{ConstantConv, ConstantMap};
pub use conv::{Conv2d, ConvConfig};
pub use cuda::{SplineMotions, affine_motions, has_kernels, heat_maps, spline_motions};
#[cfg(test)]
pub(crate) use cuda::{launched, with_emulated_gpu};
pub use epilogue::Epilogue;
pub use heads::tanh_and_sigmoid;
pub use isa::Isa;
pub use mix::{affine_relu, concat_channels, lerp, masked, mixed_motion, sigmoid, tanh};
pub use norm::InstanceNorm;
pub use pool::{max_pool, max_pool_3};
pub use resize::{AntiAlias, avg_pool, resize_bilinear, resize_flow};
pub use sample::grid_sample;
pub use separable::Separable;
pub use slopes::PRelu;
pub use soft::soft_means;
pub use transposed::ConvTranspose2d;
pub use weights::{Precision, Weights};

/// Whether an environment variable is set to something other than the empty string or 0.
pub(crate) fn env_flag(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|value| !value.is_empty() && value != "0")
}

/// Runs a network of `device`. On the CPU it runs on a thread of the rayon pool that its layers use, so that no layer
/// has to wake the pool and wait for it from outside. On a GPU the order of work is only guaranteed per thread, so
/// there it stays on the caller's.
pub fn on_rayon_pool<T: Send>(device: &Device, run: impl FnOnce() -> T + Send) -> T {
    if cuda::runs_cpu_kernels(device) {
        rayon::scope(|_| run())
    } else {
        run()
    }
}
