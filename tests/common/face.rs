//! Pictures with faces, made from the samples.
use std::path::Path;
use std::sync::OnceLock;

use candle_core::Device;
use mien::face::FaceFinder;
use mien::media;
use mien::media::image::Picture;

/// The face networks, loaded once.
pub fn finder() -> &'static FaceFinder {
    static FINDER: OnceLock<FaceFinder> = OnceLock::new();
    FINDER.get_or_init(|| FaceFinder::bundled(&Device::Cpu).unwrap())
}

pub fn sample(name: &str) -> Picture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("resources/samples");
    media::image::open(&path.join(name)).unwrap()
}

/// A changed copy of a sample, as `tests/face/reference.py` makes it.
#[derive(Debug, serde::Deserialize)]
pub struct Copied {
    pub sample: String,
    pub copy: String,
    /// Degrees clockwise.
    pub turn: f64,
    pub scale: f64,
    pub mirror: bool,
}

impl Copied {
    pub fn of(&self, picture: &Picture) -> Picture {
        let mut picture = picture.clone();
        if self.turn != 0.0 {
            picture = turned(&picture, self.turn);
        }
        if self.scale != 1.0 {
            picture = scaled(&picture, self.scale);
        }
        if self.mirror {
            picture = mirrored(&picture);
        }
        picture
    }
}

/// Rotates clockwise about the centre by degrees; black outside.
pub fn turned(picture: &Picture, degrees: f64) -> Picture {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (w, h) = picture.size();
    let middle = (f64::from(w) / 2.0, f64::from(h) / 2.0);
    resampled(picture, (w, h), |x, y| {
        let (x, y) = (x - middle.0, y - middle.1);
        (x * cos + y * sin + middle.0, -x * sin + y * cos + middle.1)
    })
}

/// Scales by `scale`; bilinear, so meant for scales of at least one half.
pub fn scaled(picture: &Picture, scale: f64) -> Picture {
    let side = |n: u32| (f64::from(n) * scale).floor() as u32;
    let size = (side(picture.width()), side(picture.height()));
    resampled(picture, size, |x, y| (x / scale, y / scale))
}

pub fn mirrored(picture: &Picture) -> Picture {
    let (w, h) = picture.size();
    let rows = picture.rgba().chunks_exact(w as usize * 4);
    let rgba = rows.flat_map(|row| row.as_chunks::<4>().0.iter().rev().flatten().copied());
    Picture::new(w, h, rgba.collect()).unwrap()
}

/// Crops a picture from `(x, y)` on.
pub fn cut(picture: &Picture, (x, y): (u32, u32), (w, h): (u32, u32)) -> Picture {
    let row = |y: u32| {
        let start = ((y * picture.width() + x) * 4) as usize;
        &picture.rgba()[start..start + w as usize * 4]
    };
    let rgba = (y..y + h).flat_map(|y| row(y).iter().copied()).collect();
    Picture::new(w, h, rgba).unwrap()
}

/// Pastes `small` into `large` with its corner at `(x, y)`, clipped.
pub fn paste_into(large: &mut Picture, small: &Picture, (x, y): (u32, u32)) {
    let (width, height) = large.size();
    let count = small.width().min(width.saturating_sub(x)) as usize * 4;
    for row in 0..small.height().min(height.saturating_sub(y)) {
        let from = (row * small.width() * 4) as usize;
        let to = (((y + row) * width + x) * 4) as usize;
        let line = small.rgba()[from..from + count].to_vec();
        large.rgba_mut()[to..to + count].copy_from_slice(&line);
    }
}

pub fn plain(width: u32, height: u32, rgb: [u8; 3]) -> Picture {
    let pixel = [rgb[0], rgb[1], rgb[2], 255];
    Picture::new(width, height, pixel.repeat((width * height) as usize)).unwrap()
}

/// Resamples a picture; `place` maps the centre of each new pixel to a position in the old picture.
fn resampled(
    picture: &Picture,
    (width, height): (u32, u32),
    place: impl Fn(f64, f64) -> (f64, f64),
) -> Picture {
    let (w, h) = (i64::from(picture.width()), i64::from(picture.height()));
    let at = |x: i64, y: i64, c: usize| {
        if (0..w).contains(&x) && (0..h).contains(&y) {
            f64::from(picture.rgba()[((y * w + x) * 4) as usize + c])
        } else {
            0.0
        }
    };
    let mut rgba = Vec::with_capacity((width * height * 4) as usize);
    for y in 0..height {
        for x in 0..width {
            let (u, v) = place(f64::from(x) + 0.5, f64::from(y) + 0.5);
            let (u, v) = (u - 0.5, v - 0.5);
            let (fx, fy) = (u.floor(), v.floor());
            let (tx, ty, x, y) = (u - fx, v - fy, fx as i64, fy as i64);
            for c in 0..3 {
                let upper = at(x, y, c) * (1.0 - tx) + at(x + 1, y, c) * tx;
                let lower = at(x, y + 1, c) * (1.0 - tx) + at(x + 1, y + 1, c) * tx;
                rgba.push((upper * (1.0 - ty) + lower * ty + 0.5).floor() as u8);
            }
            rgba.push(255);
        }
    }
    Picture::new(width, height, rgba).unwrap()
}
