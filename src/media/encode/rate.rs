//! Frame rates: the accepted range, and their exact fractions in files.

use std::path::Path;

use crate::media::error::MediaError;

/// The lowest frame rate that can be written, in frames a second.
pub const MIN_FPS: f64 = 0.01;

/// The highest frame rate that can be written, in frames a second.
pub const MAX_FPS: f64 = 240.0;

/// The highest frame rate of a GIF: browsers play a frame shorter than 2/100 s for 10/100 s.
pub const GIF_MAX_FPS: f64 = 50.0;

/// The highest frame rate of animated PNG and WebP: browsers play a frame of 10 ms or less for 100 ms.
pub const ANIMATION_MAX_FPS: f64 = 90.0;

/// `fps` as a reduced fraction `(frames, seconds)`.
///
/// Whole rates are exact, the broadcast rates (23.976, 29.97, 59.94...) become n x 1000/1001, and all others are
/// rounded to a thousandth of a frame a second, or below 1 fps to a thousandth of a second per frame. `fps` is clamped
/// to `MIN_FPS..=MAX_FPS`; a value that isn't finite becomes `MIN_FPS`.
pub fn fps_to_rational(fps: f64) -> (u32, u32) {
    let fps = if fps.is_finite() {
        fps.clamp(MIN_FPS, MAX_FPS)
    } else {
        MIN_FPS
    };
    let whole = fps.round();

    if (fps - whole).abs() < 1e-6 && whole >= 1.0 {
        return (whole as u32, 1);
    }
    // 23.98, 23.976 and 23.97602 all mean the same rate; 23.9 and 59.9 don't.
    let above = fps.ceil();
    if above >= 24.0 && above % 6.0 == 0.0 && (fps - above * 1000.0 / 1001.0).abs() < 0.005 {
        return (above as u32 * 1000, 1001);
    }
    if fps < 1.0 {
        return reduced(1000, (1000.0 / fps).round() as u32);
    }
    reduced((fps * 1000.0).round() as u32, 1000)
}

/// The duration of frame `index` in ticks, of which a second has `per_second`: from its own rounded start to that of
/// the next, so that a clip of any length is accurate to a tick.
pub(crate) fn ticks(fps: f64, per_second: u32, index: u64) -> u32 {
    let (frames, seconds) = fps_to_rational(fps);
    let frames = u128::from(frames.max(1));
    let start = |index: u128| {
        let doubled = 2 * index * u128::from(seconds) * u128::from(per_second) + frames;
        doubled / (2 * frames)
    };
    let index = u128::from(index);
    u32::try_from(start(index + 1) - start(index)).unwrap_or(u32::MAX)
}

/// Rejects invalid frame rates; `max` is the format's own limit.
pub(crate) fn check_fps(path: &Path, fps: f64, max: f64) -> Result<(), MediaError> {
    if fps.is_finite() && (MIN_FPS..=max).contains(&fps) {
        return Ok(());
    }
    Err(MediaError::FrameRate {
        path: path.to_owned(),
        fps,
        max,
    })
}

fn reduced(a: u32, b: u32) -> (u32, u32) {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x.max(1), b / x.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_frame_rates_are_exact() {
        for (fps, expected) in [
            (24.0, (24, 1)),
            (25.0, (25, 1)),
            (1.0, (1, 1)),
            (240.0, (240, 1)),
            (12.5, (25, 2)),
            (23.976, (24000, 1001)),
            (23.98, (24000, 1001)),
            (24000.0 / 1001.0, (24000, 1001)),
            (29.97, (30000, 1001)),
            (59.94, (60000, 1001)),
            (119.88, (120000, 1001)),
            (0.5, (1, 2)),
            (23.9, (239, 10)),
            (14.999, (14999, 1000)),
        ] {
            assert_eq!(fps_to_rational(fps), expected, "{fps}");
        }
    }

    #[test]
    fn ticks_do_not_drift() {
        for (fps, per_second, frames, expected) in [
            (24.0, 1000, 240, 10_000),
            (29.97, 1000, 300_000, 10_010_000),
            (60.0, 1000, 600, 10_000),
            (0.01, 1000, 3, 300_000),
        ] {
            let all = (0..frames).map(|i| u64::from(ticks(fps, per_second, i)));
            assert_eq!(all.clone().sum::<u64>(), expected, "{fps}");
            assert!(all.clone().max().unwrap() - all.min().unwrap() <= 1);
        }
    }

    #[test]
    fn impossible_rates_are_refused() {
        let path = Path::new("a.gif");
        for fps in [0.0, -1.0, f64::NAN, f64::INFINITY, 50.01] {
            assert!(check_fps(path, fps, GIF_MAX_FPS).is_err(), "{fps}");
        }
        assert!(check_fps(path, 50.0, GIF_MAX_FPS).is_ok());
        assert!(check_fps(path, 240.0, MAX_FPS).is_ok());
    }
}
