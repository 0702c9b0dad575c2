//! Runs launches on a GPU.

use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView, LaunchConfig, PushKernelArg};
use candle_core::cuda_backend::{CudaDType, WrapErr};
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, DType, Device, Layout, Result, Storage, Tensor};

use super::launch::{Arg, Launch};

/// All kernels, compiled by build.rs; the driver compiles them for its GPU when the first one is loaded.
const PTX: &str = include_str!(concat!(env!("OUT_DIR"), "/kernels.ptx"));

/// The name of the driver's module.
const MODULE: &str = "mien";

/// An argument in the form the driver takes it: a pointer to the value stored here.
enum DriverArg<'a> {
    F32(CudaView<'a, f32>),
    F64(CudaView<'a, f64>),
    Null(u64),
    Result(CudaSlice<f32>, &'a [usize]),
    Int(i32),
    Float(f32),
}

/// Makes the driver compile and cache the kernels.
pub(super) fn load(device: &Device) -> Result<()> {
    let Device::Cuda(device) = device else {
        candle_core::bail!("not a card")
    };
    device.get_or_load_custom_func("finished", MODULE, PTX)?;
    Ok(())
}

/// Queues a launch and returns its results.
///
/// # Safety
/// The arguments match the kernel's parameters in number, order and type, are null only where it allows that, and its
/// sizes are those of the tensors: the kernel reads and writes within them, and writes every result.
pub(super) unsafe fn run(launch: &Launch) -> Result<Vec<Tensor>> {
    let Device::Cuda(device) = &launch.device else {
        candle_core::bail!("{}: not on a card", launch.kernel)
    };
    let function = device.get_or_load_custom_func(launch.kernel, MODULE, PTX)?;

    let storages: Vec<_> = launch
        .args
        .iter()
        .map(|arg| match arg {
            Arg::Read(Some(x)) => Some(x.storage_and_layout()),
            _ => None,
        })
        .collect();
    let mut held = Vec::with_capacity(launch.args.len());
    for (arg, storage) in launch.args.iter().zip(&storages) {
        held.push(match (arg, storage) {
            (Arg::Read(Some(x)), Some((storage, layout))) => match x.dtype() {
                DType::F64 => DriverArg::F64(dense(storage, layout)?),
                _ => DriverArg::F32(dense(storage, layout)?),
            },
            (Arg::Read(_), _) => DriverArg::Null(0),
            (Arg::Write(shape), _) => {
                // SAFETY: the memory is uninitialised, and nothing reads it before the kernel below, the next operation
                // on the same stream, has written all of it: kernels write every result, as the tests check, where
                // unwritten values stay NaN. Any bits are a valid f32.
                let result = unsafe { device.alloc::<f32>(shape.iter().product())? };
                DriverArg::Result(result, shape)
            }
            (Arg::Int(value), _) => DriverArg::Int(*value),
            (Arg::Float(value), _) => DriverArg::Float(*value),
        });
    }

    let mut builder = function.builder();
    for held in &mut held {
        match held {
            DriverArg::F32(values) => builder.arg(&*values),
            DriverArg::F64(values) => builder.arg(&*values),
            DriverArg::Null(null) => builder.arg(&*null),
            DriverArg::Result(result, _) => builder.arg(result),
            DriverArg::Int(value) => builder.arg(&*value),
            DriverArg::Float(value) => builder.arg(&*value),
        };
    }
    let size = |n: usize| u32::try_from(n).map_err(candle_core::Error::wrap);
    let config = LaunchConfig {
        grid_dim: (size(launch.threads.blocks)?, 1, 1),
        block_dim: (size(launch.threads.threads)?, 1, 1),
        shared_mem_bytes: 0,
    };
    // SAFETY: arguments and sizes match the kernel's by this function's contract. What is written was allocated above and
    // is not shared; what is read stays borrowed until the launch is queued, and memory is freed in the stream's order.
    unsafe { builder.launch(config) }.w()?;
    drop(builder);

    let results = held.into_iter().filter_map(|held| match held {
        DriverArg::Result(values, shape) => Some((values, shape)),
        _ => None,
    });
    Ok(results
        .map(|(values, shape)| tensor(values, shape, device))
        .collect())
}

/// The values of a contiguous tensor on a GPU.
pub(super) fn dense<'a, T: CudaDType>(
    storage: &'a Storage,
    layout: &Layout,
) -> Result<CudaView<'a, T>> {
    let Storage::Cuda(storage) = storage else {
        candle_core::bail!("what a kernel is to read isn't on the card")
    };
    let Some((from, to)) = layout.contiguous_offsets() else {
        candle_core::bail!("what a kernel is to read isn't dense")
    };
    Ok(storage.as_cuda_slice::<T>()?.slice(from..to))
}

/// A tensor of this shape from as many values on a GPU.
pub(super) fn tensor<T: CudaDType>(
    values: CudaSlice<T>,
    shape: &[usize],
    device: &CudaDevice,
) -> Tensor {
    let storage = CudaStorage::wrap_cuda_slice(values, device.clone());
    Tensor::from_storage(Storage::Cuda(storage), shape, BackpropOp::none(), false)
}
