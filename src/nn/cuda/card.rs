//! Runs launches on a card.

use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView, LaunchConfig, PushKernelArg};
use candle_core::cuda_backend::{CudaDType, WrapErr};
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, DType, Device, Layout, Result, Storage, Tensor};

use super::launch::{Arg, Launch};

/// All kernels, as build.rs made them; the driver compiles them for its card when the first one runs.
const PTX: &str = include_str!(concat!(env!("OUT_DIR"), "/kernels.ptx"));

/// What the driver's module is kept as.
const MODULE: &str = "mien";

/// An argument as the driver takes it: a pointer to what is held here.
enum Held<'a> {
    F32(CudaView<'a, f32>),
    F64(CudaView<'a, f64>),
    Null(u64),
    Result(CudaSlice<f32>, &'a [usize]),
    Int(i32),
    Float(f32),
}

/// Has the driver compile the kernels, which it keeps.
pub(super) fn load(device: &Device) -> Result<()> {
    let Device::Cuda(device) = device else {
        candle_core::bail!("not a card")
    };
    device.get_or_load_custom_func("finished", MODULE, PTX)?;
    Ok(())
}

/// Queues a launch, and gives its results.
///
/// # Safety
/// The arguments are the kernel's in number, order and type, null only where it takes that, and its sizes are those of
/// the tensors: the kernel reads and writes within them, and writes every result.
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
                DType::F64 => Held::F64(dense(storage, layout)?),
                _ => Held::F32(dense(storage, layout)?),
            },
            (Arg::Read(_), _) => Held::Null(0),
            (Arg::Write(shape), _) => {
                // SAFETY: the memory holds anything, and nothing reads it before the kernel below, which comes next on the
                // same stream, has written all of it: kernels write every result, as the tests see, where unwritten values
                // stay NaN. An f32 may hold any bits.
                let result = unsafe { device.alloc::<f32>(shape.iter().product())? };
                Held::Result(result, shape)
            }
            (Arg::Int(value), _) => Held::Int(*value),
            (Arg::Float(value), _) => Held::Float(*value),
        });
    }

    let mut builder = function.builder();
    for held in &mut held {
        match held {
            Held::F32(values) => builder.arg(&*values),
            Held::F64(values) => builder.arg(&*values),
            Held::Null(null) => builder.arg(&*null),
            Held::Result(result, _) => builder.arg(result),
            Held::Int(value) => builder.arg(&*value),
            Held::Float(value) => builder.arg(&*value),
        };
    }
    let size = |n: usize| u32::try_from(n).map_err(candle_core::Error::wrap);
    let config = LaunchConfig {
        grid_dim: (size(launch.threads.blocks)?, 1, 1),
        block_dim: (size(launch.threads.threads)?, 1, 1),
        shared_mem_bytes: 0,
    };
    // SAFETY: arguments and sizes are the kernel's by this function's contract. What is written was allocated above and
    // belongs to nothing else; what is read stays borrowed until the launch is queued, and memory is released in the
    // stream's order.
    unsafe { builder.launch(config) }.w()?;
    drop(builder);

    let results = held.into_iter().filter_map(|held| match held {
        Held::Result(values, shape) => Some((values, shape)),
        _ => None,
    });
    Ok(results
        .map(|(values, shape)| tensor(values, shape, device))
        .collect())
}

/// All values of a tensor on a card that lie one behind the other.
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

/// Values on a card as a tensor of this shape, which has as many.
pub(super) fn tensor<T: CudaDType>(
    values: CudaSlice<T>,
    shape: &[usize],
    device: &CudaDevice,
) -> Tensor {
    let storage = CudaStorage::wrap_cuda_slice(values, device.clone());
    Tensor::from_storage(Storage::Cuda(storage), shape, BackpropOp::none(), false)
}
