//! Quantisation to at most 256 colours: a palette per frame, k-means in Oklab, Floyd-Steinberg dithering.

use std::collections::HashMap;

use gif::{DisposalMethod, Frame};
use quantette::color_map::NearestNeighborColorMap;
use quantette::color_space::{oklab_to_srgb8, srgb8_to_oklab};
use quantette::deps::palette::{Oklab, Srgb};
use quantette::dither::FloydSteinberg;
use quantette::{ImageRef, PaletteBuf, PaletteSize, Pipeline, QuantizeMethod};

use crate::media::encode::gif_frame::Patch;

type Colour = Srgb<u8>;

/// The size of the palette; one entry is transparent if the patch needs it.
const ENTRIES: usize = 256;

/// Converts a patch to an indexed frame, already compressed; `Err` has the library's message.
pub(crate) fn quantise(patch: &Patch) -> Result<Frame<'static>, String> {
    let (width, height) = (patch.rect.width(), patch.rect.height());
    let drawn: Vec<Colour> = patch
        .rgba
        .chunks_exact(4)
        .filter(|p| p[3] != 0)
        .map(colour)
        .collect();
    let has_holes = drawn.len() < width * height;
    let most = ENTRIES - usize::from(has_holes);

    let (mut palette, mut indices) = match exact(patch, &drawn, most) {
        Some(found) => found,
        None => dithered(patch, &drawn, most)?,
    };
    let transparent = has_holes.then_some(palette.len() as u8);
    if let Some(transparent) = transparent {
        palette.push(Colour::new(0, 0, 0));
        for (index, pixel) in indices.iter_mut().zip(patch.rgba.chunks_exact(4)) {
            if pixel[3] == 0 {
                *index = transparent;
            }
        }
    }

    let mut frame = Frame {
        delay: patch.delay,
        dispose: if patch.clears {
            DisposalMethod::Background
        } else {
            DisposalMethod::Keep
        },
        transparent,
        left: patch.rect.left as u16,
        top: patch.rect.top as u16,
        width: width as u16,
        height: height as u16,
        palette: Some(
            palette
                .iter()
                .flat_map(|c| [c.red, c.green, c.blue])
                .collect(),
        ),
        buffer: indices.into(),
        ..Frame::default()
    };
    frame.make_lzw_pre_encoded();
    Ok(frame)
}

/// The exact colours, if they are few enough.
fn exact(patch: &Patch, drawn: &[Colour], most: usize) -> Option<(Vec<Colour>, Vec<u8>)> {
    let mut palette = Vec::new();
    let mut index_of = HashMap::new();
    for &colour in drawn {
        index_of
            .entry((colour.red, colour.green, colour.blue))
            .or_insert_with(|| {
                palette.push(colour);
                palette.len() - 1
            });
        if palette.len() > most {
            return None;
        }
    }
    let indices = patch
        .rgba
        .chunks_exact(4)
        .map(|p| {
            index_of
                .get(&(p[0], p[1], p[2]))
                .copied()
                .unwrap_or_default() as u8
        })
        .collect();
    Some((palette, indices))
}

/// Computes a palette of the drawn colours and dithers the patch to it.
fn dithered(
    patch: &Patch,
    drawn: &[Colour],
    most: usize,
) -> Result<(Vec<Colour>, Vec<u8>), String> {
    let size = u16::try_from(most)
        .ok()
        .and_then(|n| PaletteSize::try_from(n).ok())
        .unwrap_or(PaletteSize::MAX);
    let palette = Pipeline::new()
        .palette_size(size)
        .quantize_method(QuantizeMethod::kmeans())
        .input_slice(drawn)
        .map_err(|e| e.to_string())?
        .output_oklab_palette();

    // Dithering must compensate the error of the colours in the file, which are rounded.
    let palette = oklab_to_srgb8(palette.as_slice());
    let lab = srgb8_to_oklab(&palette);
    let Some(&filler) = lab.first() else {
        return Err("the palette came out empty".to_owned());
    };

    // A hole gets a colour of the palette, so that it has no error to diffuse.
    let mut pixels = srgb8_to_oklab(&patch.rgba.chunks_exact(4).map(colour).collect::<Vec<_>>());
    for (pixel, source) in pixels.iter_mut().zip(patch.rgba.chunks_exact(4)) {
        if source[3] == 0 {
            *pixel = filler;
        }
    }
    let image: ImageRef<'_, Oklab> = ImageRef::new(
        patch.rect.width() as u32,
        patch.rect.height() as u32,
        &pixels,
    )
    .map_err(|e| e.to_string())?;
    let map = NearestNeighborColorMap::new(PaletteBuf::new(lab).map_err(|e| e.to_string())?);
    let (_, indices) = FloydSteinberg::new()
        .dither_image_to_indexed(image, &map)
        .into_parts();

    Ok((palette, indices))
}

fn colour(pixel: &[u8]) -> Colour {
    Colour::new(pixel[0], pixel[1], pixel[2])
}
