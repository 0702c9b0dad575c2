//! A kernel launch on a GPU: the kernel's name, its threads and its arguments, as plain data, so that the tests can run
//! the same launch on a machine without a GPU.

// Without CUDA and outside tests nothing runs these launches.
#![cfg_attr(not(any(test, feature = "cuda")), allow(dead_code))]

use candle_core::{DType, Device, Result, Tensor};

/// Threads per block where each thread computes its own result: few, so that small pictures also fill a GPU.
const THREADS_PER_BLOCK: usize = 128;
/// Threads per block where a block works on a plane together; powers of two.
const PLANE_THREADS: std::ops::RangeInclusive<usize> = 32..=1024;
/// The most values of a plane per thread, until a block has all its threads.
const VALUES_PER_THREAD: usize = 4;
/// Kernels count in 32 bits, and the threads of the last block may count beyond the results.
const MAX_COUNT: usize = i32::MAX as usize - *PLANE_THREADS.end();

/// How a launch is divided into blocks of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Threads {
    pub blocks: usize,
    pub threads: usize,
    /// Whether the threads of a block synchronise.
    pub synchronised: bool,
}

/// An argument of a kernel, in the order of its parameters.
#[derive(Debug)]
pub(super) enum Arg {
    /// Contiguous values, or a null pointer.
    Read(Option<Tensor>),
    /// A result of this shape, f32, all of which the kernel writes.
    Write(Vec<usize>),
    /// A number below 2^31.
    Int(i32),
    Float(f32),
}

/// A launch of a kernel; its builder checks the kernel's preconditions.
#[derive(Debug)]
pub(super) struct Launch {
    pub kernel: &'static str,
    pub threads: Threads,
    pub device: Device,
    pub args: Vec<Arg>,
}

impl Launch {
    /// One thread per result, on the device `x`.
    pub fn per_result(kernel: &'static str, results: usize, x: &Device) -> Self {
        Self {
            kernel,
            threads: Threads {
                blocks: results.div_ceil(THREADS_PER_BLOCK),
                threads: THREADS_PER_BLOCK,
                synchronised: false,
            },
            device: x.clone(),
            args: Vec::new(),
        }
    }

    /// One block per plane of `length` values, on the device `x`.
    pub fn per_plane(kernel: &'static str, planes: usize, length: usize, x: &Device) -> Self {
        let threads = length.div_ceil(VALUES_PER_THREAD).next_power_of_two();
        Self {
            kernel,
            threads: Threads {
                blocks: planes,
                threads: threads.clamp(*PLANE_THREADS.start(), *PLANE_THREADS.end()),
                synchronised: true,
            },
            device: x.clone(),
            args: Vec::new(),
        }
    }

    /// Adds an input; f32, or f64 if the kernel takes it.
    ///
    /// # Errors
    /// If it has too many values, or another type.
    pub fn read(self, x: &Tensor) -> Result<Self> {
        self.read_if(Some(x))
    }

    /// Adds an input, or a null pointer.
    ///
    /// # Errors
    /// As [`Launch::read`].
    pub fn read_if(mut self, x: Option<&Tensor>) -> Result<Self> {
        if let Some(x) = x {
            if !matches!(x.dtype(), DType::F32 | DType::F64) {
                candle_core::bail!("{}: no kernel reads {:?}", self.kernel, x.dtype());
            }
            self.number(x.elem_count())?;
        }
        let x = x.map(Tensor::contiguous).transpose()?;
        self.args.push(Arg::Read(x));
        Ok(self)
    }

    /// Adds a result of this shape.
    ///
    /// # Errors
    /// If it is too large.
    pub fn write(mut self, shape: &[usize]) -> Result<Self> {
        self.number(shape.iter().product())?;
        self.args.push(Arg::Write(shape.to_vec()));
        Ok(self)
    }

    /// Adds sizes, one argument each.
    ///
    /// # Errors
    /// If one is too large.
    pub fn ints<const N: usize>(mut self, values: [usize; N]) -> Result<Self> {
        for value in values {
            let value = self.number(value)?;
            self.args.push(Arg::Int(value));
        }
        Ok(self)
    }

    /// Adds a float.
    pub fn float(mut self, value: f32) -> Self {
        self.args.push(Arg::Float(value));
        self
    }

    fn number(&self, value: usize) -> Result<i32> {
        match i32::try_from(value) {
            Ok(number) if value <= MAX_COUNT => Ok(number),
            _ => candle_core::bail!("{}: {value} is more than a kernel counts to", self.kernel),
        }
    }

    /// Runs the kernel and returns the results, in the order of the arguments.
    ///
    /// # Safety
    /// The arguments match the kernel's parameters in number, order and type, are null only where it allows that, and
    /// its sizes are those of the tensors: it reads and writes within them, and writes every result. The tests compare
    /// every launch with the kernel's parameters, and run the same code with checked memory accesses.
    ///
    /// # Errors
    /// If the device fails.
    pub unsafe fn run(&self) -> Result<Vec<Tensor>> {
        #[cfg(test)]
        if self.device.is_cpu() {
            return super::emulated::run(self);
        }
        #[cfg(feature = "cuda")]
        // SAFETY: this function's own contract.
        return unsafe { super::gpu::run(self) };
        #[cfg(not(feature = "cuda"))]
        candle_core::bail!("{}: built without CUDA", self.kernel)
    }

    /// Runs a kernel with one result and returns it.
    ///
    /// # Safety
    /// That of [`Launch::run`].
    ///
    /// # Errors
    /// As [`Launch::run`].
    pub unsafe fn result(&self) -> Result<Tensor> {
        // SAFETY: this function's own contract.
        match unsafe { self.run() }?.pop() {
            Some(result) => Ok(result),
            None => candle_core::bail!("{}: no result", self.kernel),
        }
    }
}
