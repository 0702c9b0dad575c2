//! Launches of `kernels/norms.cu`.

use candle_core::{Result, Tensor};

use super::launch::Launch;
use crate::nn::epilogue::Epilogue;

/// Applies `epilogue` to `x` `[N, C, H, W]`; `bias`, of `C` values, is that of the convolution before and not yet added.
///
/// # Errors
/// If the channels or the residual's shape differ.
pub(in crate::nn) fn epilogue(
    epilogue: &Epilogue,
    x: &Tensor,
    bias: Option<&Tensor>,
) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    let slopes = epilogue.slopes.map(|slopes| slopes.tensor());
    let few = [bias, slopes].into_iter().flatten();
    let norm = epilogue.norm.map(|norm| norm.channels());
    if few
        .map(Tensor::elem_count)
        .chain(norm)
        .any(|c| c != channels)
    {
        candle_core::bail!("an epilogue of other channels can't take {channels}");
    }
    if let Some(residual) = epilogue.residual
        && residual.dims() != x.dims()
    {
        candle_core::bail!("the residual's shape {:?} differs", residual.dims());
    }
    let plane = height * width;
    let Some(norm) = epilogue.norm else {
        if bias.is_none() && !epilogue.relu && epilogue.residual.is_none() && slopes.is_none() {
            return Ok(x.clone());
        }
        let launch = Launch::per_result("finished", x.elem_count(), x.device())
            .read(x)?
            .read_if(None)?
            .read_if(bias)?
            .read_if(epilogue.residual)?
            .read_if(slopes)?
            .write(x.dims())?
            .ints([x.elem_count(), channels, plane, usize::from(epilogue.relu)])?;
        // SAFETY: these are the arguments of `finished`, with sizes of the tensors.
        return unsafe { launch.result() };
    };
    // The norm cancels a bias: `(x + b) - mean(x + b) = x - mean(x)`.
    let (weight, shift) = norm.tensors(x.device())?;
    let launch = Launch::per_plane("normalised", n * channels, plane, x.device())
        .read(x)?
        .read(&weight)?
        .read(&shift)?
        .read_if(epilogue.residual)?
        .read_if(slopes)?
        .write(x.dims())?
        .ints([channels, plane])?
        .float(norm.eps())
        .ints([usize::from(epilogue.relu)])?;
    // SAFETY: these are the arguments of `normalised`, with sizes of the tensors.
    unsafe { launch.result() }
}

/// `x * scale + shift` for `x` `[N, C, H, W]`, scale and shift of `C` values, followed by ReLU if `relu`.
///
/// # Errors
/// If the channels differ.
pub(in crate::nn) fn scaled(
    x: &Tensor,
    (scale, shift): (&Tensor, &Tensor),
    relu: bool,
) -> Result<Tensor> {
    let (_, channels, height, width) = x.dims4()?;
    if scale.elem_count() != channels || shift.elem_count() != channels {
        candle_core::bail!("a norm of other channels can't take {channels}");
    }
    let launch = Launch::per_result("finished", x.elem_count(), x.device())
        .read(x)?
        .read(scale)?
        .read(shift)?
        .read_if(None)?
        .read_if(None)?
        .write(x.dims())?
        .ints([x.elem_count(), channels, height * width, usize::from(relu)])?;
    // SAFETY: these are the arguments of `finished`, with sizes of the tensors.
    unsafe { launch.result() }
}

/// Adds to `x` `[N, C, H, W]` at each position the value of its channel, row class and column class: `table` holds the
/// values `[C, classes.0, classes.1]`, then the class of each of the H rows and of each of the W columns.
///
/// # Errors
/// If the table's length differs or it has a class out of range.
pub(in crate::nn) fn class_map(
    x: &Tensor,
    table: &[f32],
    classes: (usize, usize),
) -> Result<Tensor> {
    let (_, channels, height, width) = x.dims4()?;
    let values = channels * classes.0 * classes.1;
    let within =
        |indices: &[f32], bound: usize| indices.iter().all(|&i| i >= 0.0 && i < bound as f32);
    if table.len() != values + height + width
        || !within(&table[values..values + height], classes.0)
        || !within(&table[values + height..], classes.1)
    {
        candle_core::bail!("{} values are no map for {:?}", table.len(), x.dims());
    }
    let table = Tensor::from_slice(table, table.len(), x.device())?;
    let launch = Launch::per_result("classed", x.elem_count(), x.device())
        .read(x)?
        .read(&table)?
        .write(x.dims())?
        .ints([
            x.elem_count(),
            channels,
            classes.0,
            classes.1,
            height,
            width,
        ])?;
    // SAFETY: these are the arguments of `classed`, with sizes of the tensors.
    unsafe { launch.result() }
}

/// The sigmoid of each value.
///
/// # Errors
/// If the device fails.
pub(in crate::nn) fn sigmoid(x: &Tensor) -> Result<Tensor> {
    each("sigmoid_values", x)
}

/// The hyperbolic tangent of each value.
///
/// # Errors
/// If the device fails.
pub(in crate::nn) fn tanh(x: &Tensor) -> Result<Tensor> {
    each("tanh_values", x)
}

/// Runs an element-wise kernel.
fn each(kernel: &'static str, x: &Tensor) -> Result<Tensor> {
    let launch = Launch::per_result(kernel, x.elem_count(), x.device())
        .read(x)?
        .write(x.dims())?
        .ints([x.elem_count()])?;
    // SAFETY: these are the arguments of both kernels named above, with sizes of the tensor.
    unsafe { launch.result() }
}

/// `[N, 4, H, W]` to `tanh` of the first three channels and the sigmoid of the last.
///
/// # Errors
/// If there aren't four channels.
pub(in crate::nn) fn tanh_and_sigmoid(x: &Tensor) -> Result<(Tensor, Tensor)> {
    let (n, channels, height, width) = x.dims4()?;
    if channels != 4 {
        candle_core::bail!("expected 4 channels, found {channels}");
    }
    let launch = Launch::per_result("headed", x.elem_count(), x.device())
        .read(x)?
        .write(&[n, 3, height, width])?
        .write(&[n, 1, height, width])?
        .ints([x.elem_count(), height * width])?;
    // SAFETY: these are the arguments of `headed`, with sizes of the tensors.
    unsafe { super::motions::two(&launch) }
}

/// `relu(start + codes rows)`: `codes` `[N, K]`, `rows` `[K, M]` and `start` `[1, M]` to `[N, M]`.
///
/// # Errors
/// If the sizes differ.
pub(in crate::nn) fn affine_relu(codes: &Tensor, rows: &Tensor, start: &Tensor) -> Result<Tensor> {
    let ((n, depth), (k, width)) = (codes.dims2()?, rows.dims2()?);
    if k != depth || start.dims() != [1, width] {
        let shapes = (codes.dims(), rows.dims(), start.dims());
        candle_core::bail!("{shapes:?} don't fit together");
    }
    let launch = Launch::per_result("affine_relu", n * width, codes.device())
        .read(codes)?
        .read(rows)?
        .read(start)?
        .write(&[n, width])?
        .ints([n * width, depth, width])?;
    // SAFETY: these are the arguments of `affine_relu`, with sizes of the tensors.
    unsafe { launch.result() }
}
