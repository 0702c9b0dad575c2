//! Overlays one picture on another by aligning two squares.

use rayon::prelude::*;

use crate::error::EngineError;
use crate::face::TurnedSquare;
use crate::media::image::Picture;

/// Resamples a picture into one of another size, so that its square `from` maps to `to`. Pixels it doesn't cover
/// are transparent.
pub(crate) fn aligned(
    picture: &Picture,
    from: TurnedSquare,
    (width, height): (u32, u32),
    to: TurnedSquare,
) -> Result<Picture, EngineError> {
    let mut rgba = vec![0u8; width as usize * height as usize * 4];
    let (sin, cos) = from.angle.sin_cos();
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    let source = picture.rgba();
    rgba.par_chunks_exact_mut((width as usize * 4).max(1))
        .enumerate()
        .for_each(|(y, row)| {
            for (x, pixel) in row.chunks_exact_mut(4).enumerate() {
                let (u, v) = to.within((x as f64 + 0.5, y as f64 + 0.5));
                let (du, dv) = ((u - 0.5) * from.side, (v - 0.5) * from.side);
                let px = from.x + du * cos - dv * sin - 0.5;
                let py = from.y + du * sin + dv * cos - 0.5;
                if px < -0.5 || py < -0.5 || px > w as f64 - 0.5 || py > h as f64 - 0.5 {
                    continue;
                }
                let (px, py) = (px.clamp(0.0, (w - 1) as f64), py.clamp(0.0, (h - 1) as f64));
                let (left, top) = (px as usize, py as usize);
                let (fx, fy) = ((px - left as f64) as f32, (py - top as f64) as f32);
                let (right, bottom) = ((left + 1).min(w - 1), (top + 1).min(h - 1));
                for (c, channel) in pixel.iter_mut().enumerate() {
                    let at = |x: usize, y: usize| f32::from(source[(y * w + x) * 4 + c]);
                    let upper = at(left, top) * (1.0 - fx) + at(right, top) * fx;
                    let lower = at(left, bottom) * (1.0 - fx) + at(right, bottom) * fx;
                    *channel = (upper * (1.0 - fy) + lower * fy).round() as u8;
                }
            }
        });
    Ok(Picture::new(width, height, rgba)?.with_alpha(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligning_moves_one_square_onto_another() {
        let rgba = (0..40 * 30)
            .flat_map(|i| [(i % 40) as u8 * 6, (i / 40) as u8 * 8, 50, 255])
            .collect();
        let picture = Picture::new(40, 30, rgba).unwrap();
        let square = |x: f64, y: f64, side: f64| TurnedSquare {
            x,
            y,
            side,
            angle: 0.0,
        };
        let laid = aligned(
            &picture,
            square(20.0, 15.0, 10.0),
            (60, 60),
            square(30.0, 30.0, 20.0),
        );
        let laid = laid.unwrap();
        let at = |x: usize, y: usize| &laid.rgba()[(y * 60 + x) * 4..][..4];
        // Twice as large, centre on centre.
        assert!(at(30, 30)[0].abs_diff(6 * 20 - 2) <= 2, "{:?}", at(30, 30));
        assert!(at(40, 30)[0].abs_diff(at(30, 30)[0] + 30) <= 1);
        assert_eq!(at(30, 0)[3], 255);
        let far = aligned(
            &picture,
            square(20.0, 15.0, 10.0),
            (60, 60),
            square(30.0, 30.0, 5.0),
        );
        assert_eq!(far.unwrap().rgba()[3], 0, "beyond the picture");
    }
}
