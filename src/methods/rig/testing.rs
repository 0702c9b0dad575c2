//! The sample portraits for the rig's tests.

use super::image::{Image, Rgba};
use crate::face::mesh_samples;

/// The 478 landmarks of a sample portrait in pixels: the astronaut's (0) or Grace Hopper's (1).
pub(super) fn landmarks(sample: usize) -> Vec<[f32; 2]> {
    let mesh = &mesh_samples()[sample];
    mesh.points().iter().map(|[x, y, _]| [*x, *y]).collect()
}

/// The astronaut.
pub(super) fn astronaut() -> Image<Rgba> {
    picture("astronaut.png")
}

/// Grace Hopper, who wears glasses.
pub(super) fn grace_hopper() -> Image<Rgba> {
    picture("grace_hopper.jpg")
}

/// A sample portrait by file name.
fn picture(name: &str) -> Image<Rgba> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/resources/samples/");
    let picture = ::image::open(format!("{folder}{name}")).unwrap().to_rgb8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    Image::from_fn(width, height, |x, y| {
        let [r, g, b] = picture.get_pixel(x as u32, y as u32).0.map(f32::from);
        [r, g, b, 1.0]
    })
}
