//! Maps at a network's resolution, upsampled over the crop.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::F32x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use rayon::prelude::*;

use crate::face::TurnedSquare;
use crate::media::image::Picture;
use crate::render::diagnostics::colours::{GROUND, luminance};

/// Maximum cells per side. A map has far fewer samples, so linear interpolation between this many cells is enough.
const MAX_CELLS: usize = 256;

/// Three channels over a square.
pub(crate) struct UpsampledMap {
    size: usize,
    cells: Vec<[f32; 3]>,
}

impl UpsampledMap {
    /// Resamples `[rows, columns]` samples over a square of `side` pixels, with a Catmull-Rom filter that is widened
    /// when downsampling. `None` when the number of samples doesn't match.
    pub fn new((columns, rows): (usize, usize), samples: Vec<[f32; 3]>, side: f64) -> Option<Self> {
        let count = columns.checked_mul(rows)?;
        if count == 0 || samples.len() != count {
            return None;
        }
        let size = (side.ceil() as usize).clamp(1, MAX_CELLS.max(columns).max(rows));
        let pixels: Vec<F32x3> = samples.into_iter().map(F32x3::new).collect();
        let (columns, rows) = (u32::try_from(columns).ok()?, u32::try_from(rows).ok()?);
        let source = TypedImageRef::new(columns, rows, &pixels).ok()?;
        let mut target = TypedImage::<F32x3>::new(size as u32, size as u32);
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom))
            .use_alpha(false);
        Resizer::new()
            .resize_typed(&source, &mut target, &options)
            .ok()?;
        let cells = target.pixels().iter().map(|pixel| pixel.0).collect();
        Some(Self { size, cells })
    }

    /// Applies `to` to each cell.
    pub fn map(mut self, to: impl Fn([f32; 3]) -> [f32; 3] + Sync) -> Self {
        self.cells
            .par_iter_mut()
            .with_min_len(2048)
            .for_each(|cell| *cell = to(*cell));
        self
    }

    /// Paints `base`: dimmed grey outside the square, and inside it `colour` of the pixel's luminance, in 0..=255, and
    /// the map's values. The square's edge is antialiased. Alpha is unchanged.
    pub fn composite(
        &self,
        base: &mut Picture,
        place: &TurnedSquare,
        colour: impl Fn(f32, [f32; 3]) -> [f32; 3] + Sync,
    ) {
        let width = base.width() as usize;
        let side = place.side as f32;
        let (sin, cos) = place.angle.sin_cos();
        let step = ((cos / place.side) as f32, (-sin / place.side) as f32);
        base.rgba_mut()
            .par_chunks_exact_mut(width * 4)
            .enumerate()
            .for_each(|(y, row)| {
                let (u, v) = place.within((0.5, y as f64 + 0.5));
                let (u, v) = (u as f32, v as f32);
                for (x, pixel) in row.chunks_exact_mut(4).enumerate() {
                    let light = luminance(pixel);
                    let ground = light * GROUND;
                    let (u, v) = (u + x as f32 * step.0, v + x as f32 * step.1);
                    let inside = u.min(1.0 - u).min(v).min(1.0 - v);
                    let cover = (inside * side + 0.5).clamp(0.0, 1.0);
                    if cover == 0.0 {
                        pixel[..3].fill(ground.round() as u8);
                        continue;
                    }
                    let colour = colour(light, self.at(u, v));
                    for (channel, value) in pixel.iter_mut().zip(colour) {
                        *channel = (ground + cover * (value - ground)).round() as u8;
                    }
                }
            });
    }

    /// Bilinear lookup, clamped to the edge.
    #[inline]
    fn at(&self, u: f32, v: f32) -> [f32; 3] {
        let last = self.size - 1;
        let before = |place: f32| {
            let at = (place * self.size as f32 - 0.5).clamp(0.0, last as f32);
            let first = at as usize;
            (first, (first + 1).min(last), at - first as f32)
        };
        let ((left, right, s), (upper, lower, t)) = (before(u), before(v));
        let (above, below) = (upper * self.size, lower * self.size);
        let (a, b) = (&self.cells[above + left], &self.cells[above + right]);
        let (c, d) = (&self.cells[below + left], &self.cells[below + right]);
        std::array::from_fn(|i| {
            let above = a[i] + (b[i] - a[i]) * s;
            let below = c[i] + (d[i] - c[i]) * s;
            above + (below - above) * t
        })
    }
}

/// Returns whether the square is finite and not empty.
pub(crate) fn visible(place: &TurnedSquare) -> bool {
    let finite = [place.x, place.y, place.side, place.angle]
        .iter()
        .all(|v| v.is_finite());
    finite && place.side > 0.0
}
