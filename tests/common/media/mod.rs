//! Reads back the writers' files, without external programs.

pub mod provenance;

use std::path::Path;

use mien::media::image::Picture;
use openh264::decoder::Decoder;
use openh264::formats::YUVSource;
use shiguredo_mp4::boxes::SampleEntry;
use shiguredo_mp4::demux::{Input, Mp4FileDemuxer};

/// An opaque picture whose pixel at (x, y) is `colour(x, y)`.
pub fn picture(width: u32, height: u32, colour: impl Fn(u32, u32) -> [u8; 3]) -> Picture {
    let rgba = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            let [r, g, b] = colour(x, y);
            [r, g, b, 255]
        })
        .collect();
    Picture::new(width, height, rgba).unwrap()
}

/// A gradient, smooth in all channels, like skin and backdrops.
pub fn gradient(x: u32, y: u32) -> [u8; 3] {
    [(60 + x) as u8, (40 + y) as u8, (200 - (x + y) / 2) as u8]
}

/// Sorted file names of a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The content of a GIF.
pub struct Gif {
    pub size: (u16, u16),
    pub repeat: gif::Repeat,
    /// In 1/100 s.
    pub delays: Vec<u16>,
    /// `(width, height)` of the area that each frame redraws.
    pub patches: Vec<(u16, u16)>,
    /// Each frame as displayed, RGBA.
    pub shown: Vec<Vec<u8>>,
}

/// Decodes a GIF and composes its frames.
pub fn read_gif(path: &Path) -> Gif {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options
        .read_info(std::fs::File::open(path).unwrap())
        .unwrap();
    let (width, height) = (decoder.width(), decoder.height());
    let mut canvas = vec![0u8; usize::from(width) * usize::from(height) * 4];
    let (mut delays, mut patches, mut shown) = (Vec::new(), Vec::new(), Vec::new());

    while let Some(frame) = decoder.read_next_frame().unwrap() {
        delays.push(frame.delay);
        patches.push((frame.width, frame.height));
        let at = |i: usize| {
            let (x, y) = (i % usize::from(frame.width), i / usize::from(frame.width));
            ((y + usize::from(frame.top)) * usize::from(width) + x + usize::from(frame.left)) * 4
        };
        for (i, pixel) in frame.buffer.chunks_exact(4).enumerate() {
            if pixel[3] != 0 {
                canvas[at(i)..at(i) + 4].copy_from_slice(pixel);
            }
        }
        shown.push(canvas.clone());
        match frame.dispose {
            gif::DisposalMethod::Background => {
                for i in 0..frame.buffer.len() / 4 {
                    canvas[at(i)..at(i) + 4].fill(0);
                }
            }
            gif::DisposalMethod::Previous => panic!("never written"),
            _ => {}
        }
    }
    Gif {
        size: (width, height),
        repeat: decoder.repeat(),
        delays,
        patches,
        shown,
    }
}

/// The content of an MP4.
pub struct Mp4 {
    /// From the sample entry.
    pub size: (u16, u16),
    pub timescale: u32,
    /// In ticks of the timescale.
    pub durations: Vec<u32>,
    pub keys: Vec<bool>,
    /// Whether the index comes before the data.
    pub is_faststart: bool,
    /// Each frame decoded: `(width, height, RGB)`.
    pub frames: Vec<(usize, usize, Vec<u8>)>,
}

/// Demuxes and decodes an MP4.
pub fn read_mp4(path: &Path) -> Mp4 {
    let bytes = std::fs::read(path).unwrap();
    let position = |kind: &[u8]| bytes.windows(4).position(|w| w == kind).unwrap();
    let mut demuxer = Mp4FileDemuxer::new();
    demuxer.handle_input(Input {
        position: 0,
        data: &bytes,
    });
    assert_eq!(demuxer.tracks().unwrap().len(), 1);

    let mut decoder = Decoder::new().unwrap();
    let mut mp4 = Mp4 {
        size: (0, 0),
        timescale: 0,
        durations: Vec::new(),
        keys: Vec::new(),
        is_faststart: position(b"moov") < position(b"mdat"),
        frames: Vec::new(),
    };
    while let Some(sample) = demuxer.next_sample().unwrap() {
        let mut packet = Vec::new();
        if let Some(SampleEntry::Avc1(entry)) = sample.sample_entry {
            mp4.size = (entry.visual.width, entry.visual.height);
            for set in entry
                .avcc_box
                .sps_list
                .iter()
                .chain(&entry.avcc_box.pps_list)
            {
                packet.extend([0, 0, 0, 1]);
                packet.extend(set);
            }
        }
        mp4.timescale = sample.track.timescale.get();
        mp4.durations.push(sample.duration);
        mp4.keys.push(sample.keyframe);

        let mut data = &bytes[sample.data_offset as usize..][..sample.data_size];
        while !data.is_empty() {
            let length = u32::from_be_bytes(data[..4].try_into().unwrap()) as usize;
            packet.extend([0, 0, 0, 1]);
            packet.extend(&data[4..4 + length]);
            data = &data[4 + length..];
        }
        if let Some(yuv) = decoder.decode(&packet).unwrap() {
            mp4.frames.push(rgb(&yuv));
        }
    }
    for yuv in decoder.flush_remaining().unwrap() {
        mp4.frames.push(rgb(&yuv));
    }
    mp4
}

/// BT.709 limited range to RGB.
fn rgb(yuv: &impl YUVSource) -> (usize, usize, Vec<u8>) {
    let (width, height) = yuv.dimensions();
    let (ys, us, vs) = yuv.strides();
    let mut rgb = Vec::new();
    for row in 0..height {
        for x in 0..width {
            let y = (f64::from(yuv.y()[row * ys + x]) - 16.0) * 255.0 / 219.0;
            let u = (f64::from(yuv.u()[row / 2 * us + x / 2]) - 128.0) * 255.0 / 224.0;
            let v = (f64::from(yuv.v()[row / 2 * vs + x / 2]) - 128.0) * 255.0 / 224.0;
            let colour = [
                y + 1.5748 * v,
                y - 0.187_324 * u - 0.468_124 * v,
                y + 1.8556 * u,
            ];
            rgb.extend(colour.map(|c| c.round().clamp(0.0, 255.0) as u8));
        }
    }
    (width, height, rgb)
}
