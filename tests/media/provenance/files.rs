//! Small files of each kind, written by encoders without notes, and their visible and audible content.

use std::io::Cursor;
use std::num::NonZeroU32;

use image::{AnimationDecoder, ExtendedColorType, ImageEncoder, ImageFormat};
use shiguredo_mp4::boxes::{Avc1Box, AvccBox, SampleEntry, VisualSampleEntryFields};
use shiguredo_mp4::demux::{Input, Mp4FileDemuxer};
use shiguredo_mp4::mux::{Mp4FileMuxer, Mp4FileMuxerOptions, Sample};
use shiguredo_mp4::{TrackKind, Uint};

pub const WIDTH: u32 = 13;
pub const HEIGHT: u32 = 7;

/// A lossy WebP of 36 x 20 pixels in the simple format, of one colour.
#[rustfmt::skip]
pub const WEBP_LOSSY: &[u8] = &[
    0x52, 0x49, 0x46, 0x46, 0x42, 0x00, 0x00, 0x00, 0x57, 0x45, 0x42, 0x50, 0x56, 0x50, 0x38, 0x20,
    0x36, 0x00, 0x00, 0x00, 0x30, 0x03, 0x00, 0x9d, 0x01, 0x2a, 0x24, 0x00, 0x14, 0x00, 0x3f, 0x39,
    0x9a, 0xc5, 0x5b, 0xaf, 0x2b, 0x27, 0xa4, 0x25, 0x68, 0x01, 0xe0, 0x27, 0x09, 0x67, 0x00, 0xd1,
    0xbc, 0x0f, 0x0a, 0x79, 0xd0, 0x00, 0x00, 0xfe, 0xde, 0x12, 0x55, 0x14, 0x51, 0xff, 0xfa, 0xfb,
    0xca, 0x1d, 0x8a, 0x46, 0x39, 0xf6, 0x2d, 0x0f, 0x60, 0x00,
];

/// A lossy WebP of 16 x 8 pixels with alpha, in the extended format.
#[rustfmt::skip]
pub const WEBP_LOSSY_ALPHA: &[u8] = &[
    0x52, 0x49, 0x46, 0x46, 0x58, 0x00, 0x00, 0x00, 0x57, 0x45, 0x42, 0x50, 0x56, 0x50, 0x38, 0x58,
    0x0a, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x0f, 0x00, 0x00, 0x07, 0x00, 0x00, 0x41, 0x4c,
    0x50, 0x48, 0x0a, 0x00, 0x00, 0x00, 0x01, 0x07, 0x50, 0xb3, 0x88, 0x08, 0x44, 0x44, 0xff, 0x03,
    0x56, 0x50, 0x38, 0x20, 0x28, 0x00, 0x00, 0x00, 0x90, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x10, 0x00,
    0x08, 0x00, 0x05, 0x40, 0x7c, 0x25, 0xa0, 0x02, 0x74, 0xba, 0x00, 0x03, 0x98, 0x00, 0xfe, 0xe8,
    0xd7, 0x1d, 0x79, 0x4f, 0x89, 0xb6, 0xff, 0xe6, 0x68, 0xfd, 0x26, 0xfa, 0x4d, 0xe6, 0x00, 0x00,
];

/// `channels` bytes per pixel, different in each frame.
pub fn pixels(channels: u32, seed: u32) -> Vec<u8> {
    (0..WIDTH * HEIGHT * channels)
        .map(|i| (i * 37 + seed * 91 + i * i % 11) as u8)
        .collect()
}

fn encoded(
    channels: u32,
    colour: ExtendedColorType,
    encode: impl FnOnce(&mut Vec<u8>, &[u8], ExtendedColorType),
) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut out, &pixels(channels, 0), colour);
    out
}

pub fn png() -> Vec<u8> {
    encoded(4, ExtendedColorType::Rgba8, |out, pixels, colour| {
        image::codecs::png::PngEncoder::new(out)
            .write_image(pixels, WIDTH, HEIGHT, colour)
            .unwrap();
    })
}

pub fn apng() -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_animated(3, 0).unwrap();
    encoder.set_frame_delay(1, 12).unwrap();
    encoder
        .add_text_chunk("Title".into(), "kept".into())
        .unwrap();
    let mut writer = encoder.write_header().unwrap();
    for frame in 0..3 {
        writer.write_image_data(&pixels(4, frame)).unwrap();
    }
    writer.finish().unwrap();
    out
}

pub fn jpeg() -> Vec<u8> {
    encoded(3, ExtendedColorType::Rgb8, |out, pixels, colour| {
        image::codecs::jpeg::JpegEncoder::new_with_quality(out, 90)
            .write_image(pixels, WIDTH, HEIGHT, colour)
            .unwrap();
    })
}

pub fn webp_lossless(channels: u32) -> Vec<u8> {
    let colour = if channels == 4 {
        ExtendedColorType::Rgba8
    } else {
        ExtendedColorType::Rgb8
    };
    encoded(channels, colour, |out, pixels, colour| {
        image::codecs::webp::WebPEncoder::new_lossless(out)
            .write_image(pixels, WIDTH, HEIGHT, colour)
            .unwrap();
    })
}

/// Two frames of 80 and 120 ms, assembled here: the encoder only writes single pictures.
pub fn webp_animated() -> Vec<u8> {
    let side = |pixels: u32| (pixels - 1).to_le_bytes()[..3].to_vec();
    let chunk = |name: &[u8; 4], data: &[u8]| {
        let length = (data.len() as u32).to_le_bytes();
        let padding = &[0u8][..data.len() % 2];
        [name.as_slice(), &length, data, padding].concat()
    };
    let frame = |channels: u32, milliseconds: u8| {
        // After RIFF, size and WEBP comes the picture's chunk, padded.
        let picture = &webp_lossless(channels)[12..];
        let place = [0; 6];
        let time = [milliseconds, 0, 0, 0];
        chunk(
            b"ANMF",
            &[&place, &side(WIDTH)[..], &side(HEIGHT), &time, picture].concat(),
        )
    };
    let header = [&[0x12, 0, 0, 0], &side(WIDTH)[..], &side(HEIGHT)].concat();
    let body = [
        b"WEBP".to_vec(),
        chunk(b"VP8X", &header),
        chunk(b"ANIM", &[0; 6]),
        frame(4, 80),
        frame(3, 120),
    ]
    .concat();
    chunk(b"RIFF", &body)
}

pub fn gif(loops: bool) -> Vec<u8> {
    let palette = pixels(1, 3)[..12].to_vec();
    let mut encoder = gif::Encoder::new(Vec::new(), WIDTH as u16, HEIGHT as u16, &palette).unwrap();
    if loops {
        encoder.set_repeat(gif::Repeat::Infinite).unwrap();
    }
    for seed in 0..3 {
        let indices: Vec<_> = pixels(1, seed).iter().map(|i| i % 4).collect();
        let mut frame = gif::Frame::from_indexed_pixels(
            WIDTH as u16,
            HEIGHT as u16,
            indices,
            (seed == 1).then_some(2),
        );
        frame.delay = 4 + seed as u16;
        encoder.write_frame(&frame).unwrap();
    }
    encoder.into_inner().unwrap()
}

/// A movie of three samples that aren't valid H.264; the index is before or after them.
pub fn mp4(index_first: bool) -> Vec<u8> {
    let options = Mp4FileMuxerOptions {
        reserved_moov_box_size: if index_first { 4096 } else { 0 },
        ..Default::default()
    };
    let mut muxer = Mp4FileMuxer::with_options(options).unwrap();
    let mut file = muxer.initial_boxes_bytes().to_vec();
    for seed in 0..3 {
        let data = pixels(seed + 1, seed);
        let sample = Sample {
            track_kind: TrackKind::Video,
            sample_entry: (seed == 0).then(entry),
            keyframe: seed == 0,
            timescale: NonZeroU32::new(25).unwrap(),
            duration: 1,
            composition_time_offset: None,
            data_offset: file.len() as u64,
            data_size: data.len(),
        };
        file.extend(&data);
        muxer.append_sample(&sample).unwrap();
    }
    for (at, bytes) in muxer.finalize().unwrap().offset_and_bytes_pairs() {
        let end = at as usize + bytes.len();
        file.resize(file.len().max(end), 0);
        file[at as usize..end].copy_from_slice(bytes);
    }
    file
}

fn entry() -> SampleEntry {
    SampleEntry::Avc1(Avc1Box {
        visual: VisualSampleEntryFields {
            data_reference_index: VisualSampleEntryFields::DEFAULT_DATA_REFERENCE_INDEX,
            width: 16,
            height: 16,
            horizresolution: VisualSampleEntryFields::DEFAULT_HORIZRESOLUTION,
            vertresolution: VisualSampleEntryFields::DEFAULT_VERTRESOLUTION,
            frame_count: VisualSampleEntryFields::DEFAULT_FRAME_COUNT,
            compressorname: VisualSampleEntryFields::NULL_COMPRESSORNAME,
            depth: VisualSampleEntryFields::DEFAULT_DEPTH,
        },
        avcc_box: AvccBox {
            avc_profile_indication: 66,
            profile_compatibility: 0,
            avc_level_indication: 30,
            length_size_minus_one: Uint::new(3),
            sps_list: vec![vec![0x67, 66, 0, 30]],
            pps_list: vec![vec![0x68]],
            chroma_format: None,
            bit_depth_luma_minus8: None,
            bit_depth_chroma_minus8: None,
            sps_ext_list: Vec::new(),
        },
        unknown_boxes: Vec::new(),
    })
}

/// Everything that is displayed, frame by frame, with its times: equal for equal pictures and movies.
pub fn displayed(bytes: &[u8]) -> Vec<Vec<u8>> {
    let reader = || Cursor::new(bytes);
    if bytes[4..8] == *b"ftyp" {
        return samples(bytes);
    }
    match image::guess_format(bytes).unwrap() {
        ImageFormat::Gif => gif_frames(bytes),
        ImageFormat::Png => {
            let decoder = image::codecs::png::PngDecoder::new(reader()).unwrap();
            if decoder.is_apng().unwrap() {
                frames(decoder.apng().unwrap())
            } else {
                vec![decoded_pixels(bytes)]
            }
        }
        ImageFormat::WebP => {
            let decoder = image::codecs::webp::WebPDecoder::new(reader()).unwrap();
            if decoder.has_animation() {
                frames(decoder)
            } else {
                vec![decoded_pixels(bytes)]
            }
        }
        _ => vec![decoded_pixels(bytes)],
    }
}

fn frames<'a>(decoder: impl AnimationDecoder<'a>) -> Vec<Vec<u8>> {
    let frames = decoder.into_frames().map(Result::unwrap);
    frames
        .map(|frame| {
            let delay = format!("{:?}", frame.delay());
            [delay.as_bytes(), frame.buffer()].concat()
        })
        .collect()
}

fn decoded_pixels(bytes: &[u8]) -> Vec<u8> {
    let picture = image::load_from_memory(bytes).unwrap();
    let kind = format!(
        "{:?} {} {}",
        picture.color(),
        picture.width(),
        picture.height()
    );
    [kind.as_bytes(), picture.as_bytes()].concat()
}

fn gif_frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut decoder = gif::DecodeOptions::new().read_info(bytes).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        let head = format!(
            "{} {:?} {:?}",
            frame.delay, frame.transparent, frame.dispose
        );
        frames.push([head.as_bytes(), &frame.buffer].concat());
    }
    frames.push(format!("{:?}", decoder.repeat()).into_bytes());
    frames.push(decoder.global_palette().unwrap_or_default().to_vec());
    frames
}

fn samples(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut demuxer = Mp4FileDemuxer::new();
    while let Some(wanted) = demuxer.required_input() {
        demuxer.handle_input(Input {
            position: wanted.position,
            data: &bytes[wanted.position as usize..],
        });
    }
    let mut samples = Vec::new();
    while let Some(sample) = demuxer.next_sample().unwrap() {
        let start = sample.data_offset as usize;
        samples.push(bytes[start..start + sample.data_size].to_vec());
    }
    samples
}
