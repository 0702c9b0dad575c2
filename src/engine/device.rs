//! Where the networks run: chosen once, at start.

use std::sync::OnceLock;

use candle_core::Device;

/// The first graphics card of a program built with the feature `cuda`, if there is one, else the processor; always the
/// processor where the environment's `MIEN_DEVICE` is `cpu`.
pub(super) fn device() -> &'static Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    DEVICE.get_or_init(|| {
        let asked = std::env::var("MIEN_DEVICE").unwrap_or_default();
        if cfg!(feature = "cuda") && asked != "cpu" {
            match Device::new_cuda(0) {
                Ok(device) => return device,
                Err(error) => tracing::warn!("no CUDA device, so the CPU is used: {error}"),
            }
        }
        Device::Cpu
    })
}

/// The device's name, as the status line shows it.
pub(super) fn device_name(device: &Device) -> String {
    match device {
        Device::Cpu => format!("CPU ({} threads)", rayon::current_num_threads()),
        Device::Cuda(_) => "CUDA:0".to_owned(),
        Device::Metal(_) => "Metal".to_owned(),
    }
}
