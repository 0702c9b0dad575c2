//! The device that networks run on, chosen once at start.

use std::sync::OnceLock;

use candle_core::Device;

use crate::nn::{env_flag, in_half};

/// The first graphics card if the program was built with the feature `cuda` and one is found, else the CPU.
/// `MIEN_DEVICE=cpu` in the environment forces the CPU.
pub(crate) fn device() -> &'static Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    DEVICE.get_or_init(|| {
        let asked = std::env::var("MIEN_DEVICE").unwrap_or_default();
        if cfg!(feature = "cuda") && asked != "cpu" {
            match Device::new_cuda(0) {
                Ok(device) => return device,
                Err(error) => {
                    tracing::warn!("No CUDA device was found, so the CPU is used: {error}")
                }
            }
        }
        Device::Cpu
    })
}

/// Whether `MIEN_HALF` in the environment selects half-precision convolutions. On the CPU they are slower and only useful
/// for testing the rounding.
fn is_half() -> bool {
    static HALF: OnceLock<bool> = OnceLock::new();
    *HALF.get_or_init(|| {
        let half = env_flag("MIEN_HALF");
        if half && device().is_cpu() {
            tracing::warn!("MIEN_HALF is for graphics cards; it makes the CPU slower");
        }
        half
    })
}

/// Builds a network in the selected precision.
pub(crate) fn in_precision<T>(make: impl FnOnce() -> T) -> T {
    if is_half() { in_half(make) } else { make() }
}

/// The device's name, for the status line.
pub(crate) fn device_name(device: &Device) -> String {
    let name = match device {
        Device::Cpu => format!("CPU ({} threads)", rayon::current_num_threads()),
        Device::Cuda(_) => "CUDA:0".to_owned(),
        Device::Metal(_) => "Metal".to_owned(),
    };
    if is_half() {
        return format!("{name}, half precision");
    }
    name
}
