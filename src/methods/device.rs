//! The device that networks run on and their precision, chosen once at start.

use std::sync::OnceLock;

use candle_core::Device;

use crate::nn::{Precision, env_flag};

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

/// The precision of the methods' convolutions: half if `MIEN_HALF` is set in the environment. On the CPU half precision is
/// slower and only useful for testing the rounding.
pub(crate) fn precision() -> Precision {
    static PRECISION: OnceLock<Precision> = OnceLock::new();
    *PRECISION.get_or_init(|| {
        if !env_flag("MIEN_HALF") {
            return Precision::Single;
        }
        if device().is_cpu() {
            tracing::warn!("MIEN_HALF is for graphics cards; it makes the CPU slower");
        }
        Precision::Half
    })
}

/// The device's name, for the status line.
pub(crate) fn device_name(device: &Device) -> String {
    let name = match device {
        Device::Cpu => format!("CPU ({} threads)", rayon::current_num_threads()),
        Device::Cuda(_) => "CUDA:0".to_owned(),
        Device::Metal(_) => "Metal".to_owned(),
    };
    match precision() {
        Precision::Single => name,
        Precision::Half => format!("{name}, half precision"),
    }
}
