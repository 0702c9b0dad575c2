//! MP4 and MOV: a demuxer that decodes frames one by one and returns them in presentation order.
//!
//! The muxer's crate has a demuxer too, but it lacks what real clips need: a track's rotation and edit list, files
//! without `ftyp`, and the names of unsupported codecs.

mod boxes;
mod fragments;
mod listing;
mod order;
pub mod samples;
pub mod sound;
pub mod sound_entry;
mod track;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use image::metadata::Orientation;
use image::{DynamicImage, RgbaImage};

use crate::media::clip::ffmpeg;
use crate::media::clip::frames::{
    ClipFrame, ClipInfo, Frames, Opened, damaged, damaged_frame, kind_name,
};
use crate::media::clip::h264::{H264, Refused};
use crate::media::error::MediaError;
use crate::media::image::Picture;
use crate::media::image::open::check_size;
use boxes::Layout;
use order::{NOT_PRESENTED, Order, to_rank};
use samples::Sample;
use track::{Codec, video_track};

pub(super) use sound::sound;

/// The maximum number of decoded frames that wait for an earlier one: H.264 allows 16.
const MAX_WAITING: usize = 17;

/// Opens an MP4 or MOV of `length` bytes.
pub(super) fn open(path: &Path, mut file: File, length: u64) -> Result<Opened, MediaError> {
    let layout = Layout::read(&mut file, length).map_err(|e| MediaError::reading(path, e))?;
    let Some(moov) = layout.moov.as_deref() else {
        return Err(damaged(
            path,
            if layout.is_index_cut {
                "its index extends past its end"
            } else {
                "it has no index, as when a recording or copy was interrupted"
            },
        ));
    };

    let track = video_track(path, moov)?;
    let (configuration, colour) = match track.codec {
        Codec::H264 {
            configuration,
            colour,
        } => (configuration, colour),
        Codec::Encrypted => {
            return Err(MediaError::Encrypted {
                path: path.to_owned(),
            });
        }
        Codec::Other(kind) => return ffmpeg::open(path, &codec_name(kind)),
    };

    let samples = listing::list(&mut file, &layout, moov, track.table, track.id, length)
        .map_err(|fault| fault.of_video(path))?;
    let Some(first) = samples.first() else {
        return Err(MediaError::NoFramesIn {
            path: path.to_owned(),
        });
    };
    let mut data = Vec::new();
    read_sample(&mut file, first, &mut data).map_err(|e| MediaError::reading(path, e))?;
    let decoder = match H264::new(configuration, colour, &data) {
        Ok(decoder) => decoder,
        Err(Refused::Kind(kind)) => return ffmpeg::open(path, &kind),
        Err(Refused::Damaged(reason)) => return Err(damaged(path, reason)),
    };
    let (width, height) = decoder.size();
    check_size(path, width, height)?;

    let order = Order::new(&samples, &track.edits, track.timescale);
    if order.times.len() == 1 {
        return Err(MediaError::OneFrame {
            path: path.to_owned(),
        });
    }
    let size = if is_sideways(track.orientation) {
        (height, width)
    } else {
        (width, height)
    };
    let info = ClipInfo::counted(size, order.times.len(), order.seconds);
    Ok((
        info,
        Box::new(Mp4Frames {
            path: path.to_owned(),
            file,
            samples,
            order,
            orientation: track.orientation,
            decoder,
            data,
            coded: 0,
            given: 0,
            wanted: 0,
            waiting: BTreeMap::new(),
        }),
    ))
}

/// The display name of a sample entry's codec.
fn codec_name(kind: boxes::Kind) -> String {
    let name = match &kind {
        b"hvc1" | b"hev1" | b"hvc2" | b"hev2" => "HEVC (H.265) video",
        b"dvh1" | b"dvhe" => "Dolby Vision video",
        b"vvc1" | b"vvi1" => "VVC (H.266) video",
        b"av01" => "AV1 video",
        b"vp08" => "VP8 video",
        b"vp09" => "VP9 video",
        b"mp4v" => "MPEG-4 Part 2 video",
        b"jpeg" | b"mjpa" | b"mjpb" => "Motion JPEG video",
        b"apco" | b"apcs" | b"apcn" | b"apch" | b"ap4h" | b"ap4x" => "ProRes video",
        b"AVdn" | b"AVdh" => "DNxHD video",
        b"s263" | b"h263" => "H.263 video",
        _ => "video of another codec",
    };
    format!("{name} ({})", kind_name(kind))
}

fn is_sideways(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

/// Reads a coded frame into `data`; the caller has checked that it is within the file.
fn read_sample(file: &mut File, sample: &Sample, data: &mut Vec<u8>) -> std::io::Result<()> {
    data.resize(sample.bytes as usize, 0);
    file.seek(SeekFrom::Start(sample.offset))?;
    file.read_exact(data)
}

/// The frames of an H.264 track.
struct Mp4Frames {
    path: PathBuf,
    file: File,
    /// In decoding order.
    samples: Vec<Sample>,
    order: Order,
    orientation: Orientation,
    decoder: H264,
    /// The current coded frame.
    data: Vec<u8>,
    /// The number of samples decoded.
    coded: usize,
    /// The number of frames returned or skipped.
    given: usize,
    /// The first frame whose picture is needed.
    wanted: usize,
    /// Frames decoded ahead of presentation, by their rank.
    waiting: BTreeMap<u32, Option<Picture>>,
}

impl Mp4Frames {
    /// Decodes the next coded frame, and stores it in `waiting` if it is presented; `None` after the last.
    fn decode(&mut self) -> Option<Result<(), MediaError>> {
        let sample = self.samples.get(self.coded)?;
        let rank = self.order.ranks[self.coded];
        self.coded += 1;
        if let Err(e) = read_sample(&mut self.file, sample, &mut self.data) {
            return Some(Err(MediaError::reading(&self.path, e)));
        }
        let is_wanted = rank != NOT_PRESENTED && rank as usize >= self.wanted;
        let pixels = match self.decoder.decode(&self.data, is_wanted) {
            Ok(pixels) => pixels,
            // The clip ends at the first missing frame in presentation order, which may precede the damaged one.
            Err(reason) => return Some(Err(damaged_frame(&self.path, self.given, reason))),
        };
        if rank == NOT_PRESENTED {
            return Some(Ok(()));
        }
        let picture = match pixels.map(|pixels| self.upright(pixels)).transpose() {
            Ok(picture) => picture,
            Err(error) => return Some(Err(error)),
        };
        self.waiting.insert(rank, picture);
        if self.waiting.len() > MAX_WAITING {
            let reason = "its frames are too far out of order";
            return Some(Err(damaged_frame(&self.path, self.given, reason)));
        }
        Some(Ok(()))
    }

    fn upright(&self, pixels: Vec<u8>) -> Result<Picture, MediaError> {
        let (mut width, mut height) = self.decoder.size();
        let mut pixels = pixels;
        if self.orientation != Orientation::NoTransforms {
            let Some(image) = RgbaImage::from_raw(width, height, pixels) else {
                return Err(damaged_frame(&self.path, self.given, "it is too small"));
            };
            let mut image = DynamicImage::ImageRgba8(image);
            image.apply_orientation(self.orientation);
            (width, height) = (image.width(), image.height());
            pixels = image.into_rgba8().into_raw();
        }
        Picture::new(width, height, pixels)
    }

    /// The next frame in presentation order; its picture only if it was needed.
    fn advance(&mut self) -> Option<Result<Option<ClipFrame>, MediaError>> {
        let time = *self.order.times.get(self.given)?;
        loop {
            if let Some(picture) = self.waiting.remove(&to_rank(self.given)) {
                self.given += 1;
                return Some(Ok(picture.map(|picture| ClipFrame { picture, time })));
            }
            match self.decode() {
                Some(Ok(())) => {}
                Some(Err(error)) => return Some(Err(error)),
                None => return Some(Err(damaged_frame(&self.path, self.given, "it is missing"))),
            }
        }
    }

    /// Jumps ahead to the last keyframe that is presented no later than frame `wanted`, if there is one.
    fn jump(&mut self) -> Result<(), MediaError> {
        let (from, ranks) = (self.coded, &self.order.ranks);
        let target = to_rank(self.wanted);
        let mut candidates = (from..self.samples.len())
            .filter(|&index| (to_rank(self.given)..=target).contains(&ranks[index]))
            .collect::<Vec<_>>();
        while let Some(index) = candidates.pop() {
            let sample = &self.samples[index];
            read_sample(&mut self.file, sample, &mut self.data)
                .map_err(|e| MediaError::reading(&self.path, e))?;
            if self.decoder.is_key(&self.data) {
                self.coded = index;
                self.given = ranks[index] as usize;
                self.waiting.clear();
                break;
            }
        }
        Ok(())
    }
}

impl Frames for Mp4Frames {
    fn next(&mut self) -> Option<Result<ClipFrame, MediaError>> {
        self.wanted = self.given;
        match self.advance()? {
            Ok(Some(frame)) => Some(Ok(frame)),
            Ok(None) => Some(Err(damaged_frame(&self.path, self.given, "it is missing"))),
            Err(error) => Some(Err(error)),
        }
    }

    fn skip(&mut self, frames: usize) -> Result<(), MediaError> {
        self.wanted = self
            .given
            .saturating_add(frames)
            .min(self.order.times.len());
        self.jump()?;
        while self.given < self.wanted {
            match self.advance() {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => break,
            }
        }
        Ok(())
    }

    fn index_at(&self, time: f64) -> Option<usize> {
        Some(self.order.times.partition_point(|&begin| begin < time))
    }
}
