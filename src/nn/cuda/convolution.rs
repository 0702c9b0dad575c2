//! Convolutions with cuDNN as candle runs them, but the algorithm is chosen only once per shape, the workspace isn't
//! cleared, and sums are f32 for f16 values too.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;
use std::sync::Arc;

use candle_core::cuda_backend::cudarc::cudnn::sys::{
    cudnnConvolutionFwdAlgo_t as Algorithm, cudnnConvolutionMode_t as Mode,
    cudnnTensorFormat_t as Format,
};
use candle_core::cuda_backend::cudarc::cudnn::{
    ConvDescriptor, ConvForward, Cudnn, CudnnDataType, FilterDescriptor, TensorDescriptor,
};
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, DeviceRepr};
use candle_core::cuda_backend::{CudaDType, DeviceId};
use candle_core::{CudaDevice, DType, Device, Error, Result, Tensor, WithDType};
use half::f16;

use super::gpu::{dense, tensor};

/// The key of a plan: the shapes of the picture and the kernel, padding and stride.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Shape {
    x: [i32; 4],
    kernel: [i32; 4],
    padding: i32,
    stride: i32,
}

impl Shape {
    fn new(x: &Tensor, weight: &Tensor, padding: usize, stride: usize) -> Result<Self> {
        let ((n, inputs, height, width), (outputs, own, kh, kw)) = (x.dims4()?, weight.dims4()?);
        let padded = |size: usize| size + 2 * padding;
        if inputs != own || padded(height) < kh || padded(width) < kw || stride == 0 {
            let shapes = (x.dims(), weight.dims());
            candle_core::bail!("{shapes:?}: no picture and a kernel for it");
        }
        Ok(Self {
            x: numbers([n, inputs, height, width])?,
            kernel: numbers([outputs, own, kh, kw])?,
            padding: number(padding)?,
            stride: number(stride)?,
        })
    }

    /// `[N, outputs, H', W']`
    fn result(&self) -> [i32; 4] {
        let size =
            |axis: usize| (self.x[axis] + 2 * self.padding - self.kernel[axis]) / self.stride + 1;
        [self.x[0], self.kernel[0], size(2), size(3)]
    }
}

fn number(size: usize) -> Result<i32> {
    i32::try_from(size).map_err(Error::wrap)
}

fn numbers(sizes: [usize; 4]) -> Result<[i32; 4]> {
    let [a, b, c, d] = sizes.map(number);
    Ok([a?, b?, c?, d?])
}

/// How convolutions of one shape are run.
struct Plan<T: CudnnDataType> {
    conv: ConvDescriptor<f32>,
    x: TensorDescriptor<T>,
    kernel: FilterDescriptor<T>,
    y: TensorDescriptor<T>,
    algorithm: Algorithm,
    /// Bytes of workspace that the algorithm needs.
    workspace: usize,
}

impl<T: CudnnDataType> Plan<T> {
    fn new(cudnn: &Arc<Cudnn>, shape: &Shape) -> Result<Self> {
        let (padding, stride) = ([shape.padding; 2], [shape.stride; 2]);
        let mut plan = Self {
            conv: cudnn.create_conv2d(padding, stride, [1, 1], Mode::CUDNN_CROSS_CORRELATION)?,
            x: cudnn.create_4d_tensor(Format::CUDNN_TENSOR_NCHW, shape.x)?,
            kernel: cudnn.create_4d_filter(Format::CUDNN_TENSOR_NCHW, shape.kernel)?,
            y: cudnn.create_4d_tensor(Format::CUDNN_TENSOR_NCHW, shape.result())?,
            algorithm: Algorithm::CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM,
            workspace: 0,
        };
        plan.algorithm = plan.forward().pick_algorithm()?;
        plan.workspace = plan.forward().get_workspace_size(plan.algorithm)?;
        Ok(plan)
    }

    fn forward(&self) -> ConvForward<'_, T, f32, T> {
        ConvForward {
            conv: &self.conv,
            x: &self.x,
            w: &self.kernel,
            y: &self.y,
        }
    }
}

/// The cuDNN handle and plans of one GPU, per thread, because cuDNN's handles belong to threads.
struct Card {
    cudnn: Arc<Cudnn>,
    single: HashMap<Shape, Rc<Plan<f32>>>,
    half: HashMap<Shape, Rc<Plan<f16>>>,
}

thread_local! {
    static CARDS: RefCell<HashMap<DeviceId, Card>> = RefCell::default();
}

/// A type of values that convolutions support.
trait Value: CudnnDataType + CudaDType + DeviceRepr + WithDType {
    fn plans(card: &mut Card) -> &mut HashMap<Shape, Rc<Plan<Self>>>;
}

impl Value for f32 {
    fn plans(card: &mut Card) -> &mut HashMap<Shape, Rc<Plan<f32>>> {
        &mut card.single
    }
}

impl Value for f16 {
    fn plans(card: &mut Card) -> &mut HashMap<Shape, Rc<Plan<f16>>> {
        &mut card.half
    }
}

/// Returns this thread's plan for convolutions of a shape.
fn plan<T: Value>(device: &CudaDevice, shape: &Shape) -> Result<Rc<Plan<T>>> {
    CARDS.with_borrow_mut(|cards| {
        let card = match cards.entry(device.id()) {
            Entry::Occupied(card) => card.into_mut(),
            Entry::Vacant(place) => place.insert(Card {
                cudnn: Cudnn::new(device.cuda_stream())?,
                single: HashMap::new(),
                half: HashMap::new(),
            }),
        };
        if let Some(plan) = T::plans(card).get(shape) {
            return Ok(plan.clone());
        }
        let plan = Rc::new(Plan::new(&card.cudnn, shape)?);
        T::plans(card).insert(*shape, plan.clone());
        Ok(plan)
    })
}

/// Convolves `x` `[N, C, H, W]` with `weight` `[outputs, C, kh, kw]`, both contiguous, on a GPU, and of one type, f32 or f16.
///
/// # Errors
/// If the shapes or types don't fit, or cuDNN fails.
pub(super) fn run(x: &Tensor, weight: &Tensor, padding: usize, stride: usize) -> Result<Tensor> {
    let shape = Shape::new(x, weight, padding, stride)?;
    match (x.dtype(), weight.dtype()) {
        (DType::F32, DType::F32) => run_in::<f32>(x, weight, &shape),
        (DType::F16, DType::F16) => run_in::<f16>(x, weight, &shape),
        kinds => candle_core::bail!("{kinds:?}: no convolution is of such values"),
    }
}

fn run_in<T: Value>(x: &Tensor, weight: &Tensor, shape: &Shape) -> Result<Tensor> {
    let Device::Cuda(device) = x.device() else {
        candle_core::bail!("not on a card")
    };
    let ((x, x_layout), (weight, w_layout)) = (x.storage_and_layout(), weight.storage_and_layout());
    let (x, weight) = (dense::<T>(&x, x_layout)?, dense::<T>(&weight, w_layout)?);

    let plan = plan::<T>(device, shape)?;
    let result = shape.result().map(|size| size as usize);
    // SAFETY: the memory is uninitialised, and nothing reads it before the convolution below, the next operation on the same
    // stream, which writes all of its result. Any bits are a valid f32 or f16.
    let mut y = unsafe { device.alloc::<T>(result.iter().product())? };
    // SAFETY: only cuDNN reads these bytes, after it has written them.
    let mut workspace = match plan.workspace {
        0 => None,
        bytes => Some(unsafe { device.alloc::<u8>(bytes)? }),
    };
    // SAFETY: the plan was made for these shapes and this type, which the tensors have and the result was allocated for;
    // the algorithm gets the workspace size that it requested. What is read stays borrowed until the work is queued, and
    // memory is freed in the stream's order.
    unsafe {
        plan.forward().launch::<CudaSlice<u8>, _, _, _>(
            plan.algorithm,
            workspace.as_mut(),
            (T::one(), T::zero()),
            &x,
            &weight,
            &mut y,
        )?;
    }
    Ok(tensor(y, &result, device))
}
