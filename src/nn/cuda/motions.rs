//! Launches of `kernels/motions.cu`. Only the keypoints' parameters are copied to the GPU; nothing is copied back.

use candle_core::{Device, Result, Tensor};

use super::launch::Launch;

/// The difference of Gaussians of `variance` and height 1 at the keypoints: those at `now` minus those at `before`,
/// `[K + 1, height, width]`, the first plane zero. Keypoints are `(x, y)`; -1 and 1 are the centres of the outermost samples.
///
/// # Errors
/// If the picture is empty, the numbers of keypoints differ, or the device fails.
pub fn heat_maps(
    now: &[[f32; 2]],
    before: &[[f32; 2]],
    (height, width): (usize, usize),
    variance: f32,
    device: &Device,
) -> Result<Tensor> {
    if now.len() != before.len() {
        candle_core::bail!("{} key points were {}", now.len(), before.len());
    }
    let count = (now.len() + 1) * height * width;
    let pairs = now.iter().zip(before);
    let points: Vec<f32> = pairs
        .flat_map(|(now, before)| [now[0], now[1], before[0], before[1]])
        .collect();
    let points = parameters(&points, height * width, device)?;
    let launch = Launch::per_result("heat_maps", count, device)
        .read(&points)?
        .write(&[count / (height * width), height, width])?
        .ints([count, height, width])?
        .float(variance);
    // SAFETY: these are the arguments of `heat_maps`, with sizes of the tensors.
    unsafe { launch.result() }
}

/// The positions under affine maps, `[K + 1, height, width, 2]`. The first is the identity; each of `maps` holds the
/// point that is mapped, its image, and the 2x2 matrix, row-major.
///
/// # Errors
/// If the picture is empty, or the device fails.
pub fn affine_motions(
    maps: &[[f32; 8]],
    (height, width): (usize, usize),
    device: &Device,
) -> Result<Tensor> {
    let count = (maps.len() + 1) * height * width;
    let maps = parameters(maps.as_flattened(), height * width, device)?;
    let launch = Launch::per_result("affine_motions", count, device)
        .read(&maps)?
        .write(&[count / (height * width), height, width, 2])?
        .ints([count, height, width])?;
    // SAFETY: these are the arguments of `affine_motions`, with sizes of the tensors.
    unsafe { launch.result() }
}

/// Copies parameters to the device. CUDA can't allocate an empty buffer, so a zero is the placeholder for none.
fn parameters(values: &[f32], places: usize, device: &Device) -> Result<Tensor> {
    if places == 0 {
        candle_core::bail!("a motion needs a place");
    }
    let values = if values.is_empty() { &[0.0] } else { values };
    Tensor::from_slice(values, values.len(), device)
}

/// Thin-plate splines, and the motion of the background.
#[derive(Clone, Debug)]
pub struct SplineMotions {
    /// Control points of each spline.
    controls: usize,
    splines: usize,
    /// The background's 3x3 matrix, then for each spline its control points and weights.
    values: Vec<f64>,
}

impl SplineMotions {
    /// No splines yet, and a background that moves by `matrix`, 3x3, row-major; each spline will have `controls` control points.
    pub fn new(matrix: [f64; 9], controls: usize) -> Self {
        Self {
            controls,
            splines: 0,
            values: matrix.to_vec(),
        }
    }

    /// Adds a spline: its control points `(x, y)`, and the weights for both axes, of each control point, then of x, y and 1.
    ///
    /// # Errors
    /// If the number of control points or weights differs.
    pub fn push(&mut self, controls: &[[f64; 2]], weights: &[[f64; 2]]) -> Result<()> {
        if controls.len() != self.controls || weights.len() != self.controls + 3 {
            candle_core::bail!("a spline of {} points among others", controls.len());
        }
        self.splines += 1;
        self.values.extend(controls.as_flattened());
        self.values.extend(weights.as_flattened());
        Ok(())
    }
}

/// The positions under the background's motion and each spline, `[1 + splines, height, width, 2]`.
///
/// # Errors
/// If the picture is empty, or the device fails.
pub fn spline_motions(
    motions: &SplineMotions,
    (height, width): (usize, usize),
    device: &Device,
) -> Result<Tensor> {
    let parts = motions.splines + 1;
    let count = parts * height * width;
    if count == 0 {
        candle_core::bail!("a motion needs a place");
    }
    let values = Tensor::from_slice(&motions.values, motions.values.len(), device)?;
    let launch = Launch::per_result("spline_motions", count, device)
        .read(&values)?
        .write(&[parts, height, width, 2])?
        .ints([count, motions.controls, height, width])?;
    // SAFETY: these are the arguments of `spline_motions`, with sizes of the tensors.
    unsafe { launch.result() }
}

/// The softmax of the first P channels of `maps` `[1, C, H, W]`, and the mean of `motions` `[P, H, W, 2]` with these weights.
///
/// # Errors
/// If the sizes differ.
pub(in crate::nn) fn mixed_motion(maps: &Tensor, motions: &Tensor) -> Result<(Tensor, Tensor)> {
    let (n, channels, height, width) = maps.dims4()?;
    let parts = motions.dim(0)?;
    if n != 1 || parts > channels || motions.dims() != [parts, height, width, 2] {
        candle_core::bail!("{:?} can't mix {:?}", maps.dims(), motions.dims());
    }
    let places = height * width;
    let launch = Launch::per_result("mixed_motion", places, maps.device())
        .read(maps)?
        .read(motions)?
        .write(&[1, parts, height, width])?
        .write(&[1, height, width, 2])?
        .ints([places, parts])?;
    // SAFETY: these are the arguments of `mixed_motion`, with sizes of the tensors.
    unsafe { two(&launch) }
}

/// Runs a kernel with two results and returns them.
///
/// # Safety
/// That of [`Launch::run`].
pub(super) unsafe fn two(launch: &Launch) -> Result<(Tensor, Tensor)> {
    // SAFETY: this function's own contract.
    let mut results = unsafe { launch.run() }?.into_iter();
    match (results.next(), results.next()) {
        (Some(first), Some(second)) => Ok((first, second)),
        _ => candle_core::bail!("{}: no two results", launch.kernel),
    }
}

/// The means of `values` `[K or 1, M, P]` weighted by the softmax of `scores` `[K, P]` times `sharpness`: `[K, M]`.
///
/// # Errors
/// If the sizes differ.
pub(in crate::nn) fn soft_means(
    scores: &Tensor,
    sharpness: f32,
    values: &Tensor,
) -> Result<Tensor> {
    let ((k, places), (of, each, p)) = (scores.dims2()?, values.dims3()?);
    if p != places || (of != k && of != 1) {
        candle_core::bail!("{:?} say nothing about {:?}", scores.dims(), values.dims());
    }
    let launch = Launch::per_plane("soft_means", k * each, places, scores.device())
        .read(scores)?
        .read(values)?
        .write(&[k, each])?
        .ints([places, each, usize::from(of == 1)])?
        .float(sharpness);
    // SAFETY: these are the arguments of `soft_means`, with sizes of the tensors.
    unsafe { launch.result() }
}
