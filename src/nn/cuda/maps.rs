//! Launches of `kernels/maps.cu`.

use candle_core::{Result, Tensor};

use super::launch::Launch;
use crate::nn::border_mode::Border;

/// Samples `x` `[N or 1, C, H, W]` at `grid` `[N, H', W', 2]`.
///
/// # Errors
/// If the shapes don't fit.
pub(in crate::nn) fn grid_sample(
    x: &Tensor,
    grid: &Tensor,
    border: Border,
    align_corners: bool,
) -> Result<Tensor> {
    let (pictures, channels, height, width) = x.dims4()?;
    let (n, out_h, out_w, two) = grid.dims4()?;
    if (pictures != n && pictures != 1) || two != 2 {
        let shapes = (x.dims(), grid.dims());
        candle_core::bail!("{shapes:?}: no pictures and their grids");
    }
    let places = out_h * out_w;
    let count = n * channels * places;
    let launch = Launch::per_result("sampled", count, x.device())
        .read(x)?
        .read(grid)?
        .write(&[n, channels, out_h, out_w])?
        .ints([count, pictures, channels, height, width, places])?
        .ints([border == Border::Reflection, align_corners].map(usize::from))?;
    // SAFETY: these are the arguments of `sampled`, with sizes of the tensors.
    unsafe { launch.result() }
}

/// The longest side whose positions can be computed in 32 bits.
const WIDEST: usize = 16 * 1024;

/// Bilinear resize of `[N, C, H, W]` to `[N, C, height, width]`, or of a flow `[N, H, W, 2]` to
/// `[N, height, width, 2]`. `None` if a side is too long.
///
/// # Errors
/// If a size is zero.
pub(in crate::nn) fn resized(
    x: &Tensor,
    (height, width): (usize, usize),
    align_corners: bool,
    is_flow: bool,
) -> Result<Option<Tensor>> {
    let (n, a, b, c) = x.dims4()?;
    let (planes, from, inner) = if is_flow {
        (n, (a, b), c)
    } else {
        (n * a, (b, c), 1)
    };
    let sides = [from.0, from.1, height, width];
    if sides.contains(&0) {
        candle_core::bail!("can't resize {:?} to {width}x{height}", x.dims());
    }
    if sides.into_iter().any(|side| side > WIDEST) {
        return Ok(None);
    }
    let shape = if is_flow {
        [n, height, width, c]
    } else {
        [n, a, height, width]
    };
    let count = planes * height * width * inner;
    let launch = Launch::per_result("resized", count, x.device())
        .read(x)?
        .write(&shape)?
        .ints([count, from.0, from.1, height, width, inner])?
        .ints([usize::from(align_corners)])?;
    // SAFETY: these are the arguments of `resized`, with sizes of the tensors.
    unsafe { launch.result() }.map(Some)
}

/// Filters with `taps` along both axes and keeps every `factor`-th sample: `[N, C, H, W]` to
/// `[N, C, H / factor, W / factor]`.
///
/// # Errors
/// If the result is empty.
pub(in crate::nn) fn anti_aliased(x: &Tensor, taps: &[f32], factor: usize) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    let (out_h, out_w) = (height / factor, width / factor);
    let count = n * channels * out_h * out_w;
    if count == 0 {
        candle_core::bail!("{:?} can't be shrunk to a {factor}th", x.dims());
    }
    let size = taps.len();
    let taps = Tensor::from_slice(taps, size, x.device())?;
    let launch = Launch::per_result("anti_aliased", count, x.device())
        .read(x)?
        .read(&taps)?
        .write(&[n, channels, out_h, out_w])?
        .ints([count, height, width, out_h, out_w, factor, size])?;
    // SAFETY: these are the arguments of `anti_aliased`, with sizes of the tensors.
    unsafe { launch.result() }
}

/// Max or average pooling 2x2, `[N, C, H, W]` to `[N, C, H / 2, W / 2]`. `None` if the result is empty.
///
/// # Errors
/// If `x` hasn't four dimensions.
pub(in crate::nn) fn pool_halved(x: &Tensor, largest: bool) -> Result<Option<Tensor>> {
    let (n, channels, height, width) = x.dims4()?;
    let (out_h, out_w) = (height / 2, width / 2);
    let count = n * channels * out_h * out_w;
    if count == 0 {
        return Ok(None);
    }
    let launch = Launch::per_result("pool_halved", count, x.device())
        .read(x)?
        .write(&[n, channels, out_h, out_w])?
        .ints([count, height, width, out_h, out_w])?
        .ints([usize::from(largest)])?;
    // SAFETY: these are the arguments of `pool_halved`, with sizes of the tensors.
    unsafe { launch.result() }.map(Some)
}

/// Max pooling with kernel 3, stride 2, padding 1: `[N, C, H, W]` to `[N, C, (H + 1) / 2, (W + 1) / 2]`.
///
/// # Errors
/// If `x` hasn't four dimensions.
pub(in crate::nn) fn max_pool_3(x: &Tensor) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    let (out_h, out_w) = (height.div_ceil(2), width.div_ceil(2));
    let count = n * channels * out_h * out_w;
    let launch = Launch::per_result("max_pool_3", count, x.device())
        .read(x)?
        .write(&[n, channels, out_h, out_w])?
        .ints([count, height, width, out_h, out_w])?;
    // SAFETY: these are the arguments of `max_pool_3`, with sizes of the tensors.
    unsafe { launch.result() }
}

/// Nearest-neighbour upsampling by 2: `[N, C, H, W]` to `[N, C, 2 H, 2 W]`.
///
/// # Errors
/// If `x` hasn't four dimensions.
pub(in crate::nn) fn upsampled(x: &Tensor) -> Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    let count = 4 * x.elem_count();
    let launch = Launch::per_result("upsampled", count, x.device())
        .read(x)?
        .write(&[n, channels, 2 * height, 2 * width])?
        .ints([count, height, width])?;
    // SAFETY: these are the arguments of `upsampled`, with sizes of the tensors.
    unsafe { launch.result() }
}

/// Interleaves four phases per channel (pixel shuffle): `[N, 4 C, H, W]` to `[N, C, 2 H, 2 W]`.
///
/// # Errors
/// If the number of channels isn't a multiple of four.
pub(super) fn interleaved(x: &Tensor) -> Result<Tensor> {
    let (n, planes, height, width) = x.dims4()?;
    if !planes.is_multiple_of(4) {
        candle_core::bail!("{planes} planes aren't four each");
    }
    let count = x.elem_count();
    let launch = Launch::per_result("interleaved", count, x.device())
        .read(x)?
        .write(&[n, planes / 4, 2 * height, 2 * width])?
        .ints([count, height, width])?;
    // SAFETY: these are the arguments of `interleaved`, with sizes of the tensors.
    unsafe { launch.result() }
}

/// Concatenates `[N, A, H, W]` and `[N, B, H, W]` to `[N, A + B, H, W]`.
///
/// # Errors
/// If the other sizes differ.
pub(in crate::nn) fn concat_channels(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let ((n, first, height, width), (_, second, ..)) = (a.dims4()?, b.dims4()?);
    if b.dims() != [n, second, height, width] {
        candle_core::bail!("{:?} can't be concatenated with {:?}", a.dims(), b.dims());
    }
    let plane = height * width;
    let count = n * (first + second) * plane;
    let launch = Launch::per_result("concat_channels", count, a.device())
        .read(a)?
        .read(b)?
        .write(&[n, first + second, height, width])?
        .ints([count, first * plane, second * plane])?;
    // SAFETY: these are the arguments of `concat_channels`, with sizes of the tensors.
    unsafe { launch.result() }
}

/// Multiplies every channel of `x` `[1, C, H, W]` by `mask` `[1, 1, H, W]`.
///
/// # Errors
/// If the sizes differ.
pub(in crate::nn) fn masked(x: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let (_, _, height, width) = x.dims4()?;
    if mask.dims() != [1, 1, height, width] {
        candle_core::bail!("{:?} can't be faded by {:?}", x.dims(), mask.dims());
    }
    let launch = Launch::per_result("masked", x.elem_count(), x.device())
        .read(x)?
        .read(mask)?
        .write(x.dims())?
        .ints([x.elem_count(), height * width])?;
    // SAFETY: these are the arguments of `masked`, with sizes of the tensors.
    unsafe { launch.result() }
}

/// `a + (b - a) mask`, `a` and `b` `[1, C, H, W]`, `mask` `[1, 1, H, W]`.
///
/// # Errors
/// If the sizes differ.
pub(in crate::nn) fn lerp(a: &Tensor, b: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let (_, _, height, width) = a.dims4()?;
    if b.dims() != a.dims() || mask.dims() != [1, 1, height, width] {
        let shapes = (a.dims(), b.dims(), mask.dims());
        candle_core::bail!("{shapes:?} can't be blended");
    }
    let launch = Launch::per_result("lerp_masked", a.elem_count(), a.device())
        .read(a)?
        .read(b)?
        .read(mask)?
        .write(a.dims())?
        .ints([a.elem_count(), height * width])?;
    // SAFETY: these are the arguments of `lerp_masked`, with sizes of the tensors.
    unsafe { launch.result() }
}
