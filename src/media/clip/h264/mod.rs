//! H.264 as MP4 holds it, decoded by OpenH264 one frame in, one frame out.
//!
//! OpenH264 would put frames in the order of showing by itself, but by numbers that wrap, where an MP4 says when each is shown;
//! and made to give its frames early (by flushing, the crate's default) it never takes back their memory. Frames of a profile
//! without B-frames it gives at once, so that is what it is told of every stream ([`sps::at_once`]); the demuxer then puts each
//! in its place.

mod sps;

use openh264::OpenH264API;
use openh264::decoder::{Decoder, DecoderConfig, Flush};
use openh264::formats::YUVSource;

use crate::media::colour::rgb::{Colour, Yuv};
use sps::Sps;

/// NAL unit types.
const SLICE: u8 = 1;
const IDR: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;

const START_CODE: [u8; 4] = [0, 0, 0, 1];

const SENSELESS: &str = "its data make no sense";
const RESIZED: &str = "the size of its frames changes";

/// The most macroblocks of a frame: level 5.2, 4096 x 2304 pixels. OpenH264 isn't tried beyond it.
const MAX_MACROBLOCKS: u32 = 36_864;

/// Why a stream isn't decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// A kind of H.264 that OpenH264 doesn't know; the name fits behind "is".
    Kind(String),
    /// What is wrong with it.
    Damaged(&'static str),
}

/// A decoder with the parameters of one stream.
pub(super) struct H264 {
    decoder: Decoder,
    /// Bytes of the length before each NAL unit, 1 to 4.
    length_bytes: usize,
    /// What the decoder gets next, in Annex B; at the start the parameter sets.
    packet: Vec<u8>,
    size: (u32, u32),
    colour: Colour,
}

impl H264 {
    /// A decoder for the stream that `avcC`'s body `configuration` describes, or, where that has no parameter sets, the `first`
    /// of its frames; `colour` is what the container says.
    pub(super) fn new(configuration: &[u8], colour: Colour, first: &[u8]) -> Result<Self, Refused> {
        let senseless = Refused::Damaged("the parameters of its video make no sense");
        let Some((length_bytes, sets)) = parameter_sets(configuration) else {
            return Err(senseless);
        };
        let is_sps = |nal: &&[u8]| nal_type(nal) == Some(SPS);
        let sps = sets.iter().copied().find(is_sps).or_else(|| {
            units(first, length_bytes)
                .map_while(Result::ok)
                .find(|nal| is_sps(nal))
        });
        let Some(sps) = sps.and_then(Sps::parse) else {
            return Err(senseless);
        };
        if let Some(kind) = sps.unknown_kind() {
            return Err(Refused::Kind(kind));
        }
        if sps.macroblocks() > MAX_MACROBLOCKS {
            let (width, height) = sps.size;
            return Err(Refused::Kind(format!(
                "H.264 video of {width} x {height} pixels"
            )));
        }
        let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
        let decoder = Decoder::with_api_config(OpenH264API::from_source(), config)
            .map_err(|_| Refused::Damaged("its decoder can't be started"))?;

        let mut packet = Vec::new();
        for &nal in &sets {
            match nal_type(nal) {
                Some(SPS) => {
                    append_sps(&mut packet, nal, sps.size).ok_or(Refused::Damaged(RESIZED))?
                }
                _ => append(&mut packet, nal),
            }
        }
        Ok(Self {
            decoder,
            length_bytes,
            packet,
            size: sps.size,
            colour: sps.colour.or(colour),
        })
    }

    /// `(width, height)` in pixels, cropped as the stream says.
    pub(super) fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Whether decoding can begin with this coded frame.
    pub(super) fn is_key(&self, sample: &[u8]) -> bool {
        units(sample, self.length_bytes)
            .map_while(Result::ok)
            .any(|nal| nal_type(nal) == Some(IDR))
    }

    /// Decodes the next frame; opaque RGBA, `[height, width, 4]`, if it is wanted.
    pub(super) fn decode(
        &mut self,
        sample: &[u8],
        is_wanted: bool,
    ) -> Result<Option<Vec<u8>>, &'static str> {
        for nal in units(sample, self.length_bytes) {
            let nal = nal?;
            match nal_type(nal) {
                Some(SPS) => append_sps(&mut self.packet, nal, self.size).ok_or(RESIZED)?,
                // The rest is for streaming, subtitles, and views or layers beyond the first.
                Some(SLICE..=IDR | PPS) => append(&mut self.packet, nal),
                _ => {}
            }
        }
        let decoded = self.decoder.decode(&self.packet);
        self.packet.clear();
        let Ok(Some(frame)) = decoded else {
            return Err(SENSELESS);
        };
        let (width, height) = frame.dimensions();
        let size = (u32::try_from(width).ok(), u32::try_from(height).ok());
        if size != (Some(self.size.0), Some(self.size.1)) {
            return Err(RESIZED);
        }
        if !is_wanted {
            return Ok(None);
        }
        let strides = frame.strides();
        let yuv = Yuv {
            width,
            height,
            y: (frame.y(), strides.0),
            u: (frame.u(), strides.1),
            v: (frame.v(), strides.2),
        };
        yuv.to_rgba(self.colour).map(Some).ok_or(SENSELESS)
    }
}

/// The bytes of NAL lengths, and the parameter sets, of `avcC`'s body.
fn parameter_sets(configuration: &[u8]) -> Option<(usize, Vec<&[u8]>)> {
    let (head, mut rest) = configuration.split_at_checked(5)?;
    let length_bytes = usize::from(head[4] & 3) + 1;
    let mut sets = Vec::new();
    for mask in [0x1f, 0xff] {
        let (&count, after) = rest.split_first()?;
        rest = after;
        for _ in 0..count & mask {
            let (length, after) = rest.split_at_checked(2)?;
            let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
            let (set, after) = after.split_at_checked(length)?;
            sets.push(set);
            rest = after;
        }
    }
    (head[0] == 1).then_some((length_bytes, sets))
}

/// The NAL units of a coded frame, each behind its length; a last error where one doesn't fit.
fn units(sample: &[u8], length_bytes: usize) -> impl Iterator<Item = Result<&[u8], &'static str>> {
    let mut rest = sample;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let unit = rest
            .split_at_checked(length_bytes)
            .and_then(|(length, after)| {
                let length = length
                    .iter()
                    .fold(0, |sum, &byte| sum << 8 | usize::from(byte));
                after.split_at_checked(length)
            });
        let Some((unit, after)) = unit else {
            rest = &[];
            return Some(Err("its parts don't fit in it"));
        };
        rest = after;
        Some(Ok(unit))
    })
}

fn nal_type(nal: &[u8]) -> Option<u8> {
    nal.first().map(|header| header & 0x1f)
}

fn append(packet: &mut Vec<u8>, nal: &[u8]) {
    packet.extend_from_slice(&START_CODE);
    packet.extend_from_slice(nal);
}

/// Adds a sequence parameter set, unless it is for frames of another size, which would make the decoder set up memory for them.
fn append_sps(packet: &mut Vec<u8>, nal: &[u8], size: (u32, u32)) -> Option<()> {
    Sps::parse(nal).filter(|sps| sps.size == size)?;
    append(packet, &sps::at_once(nal)?);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_come_by_their_lengths() {
        let found: Vec<_> = units(&[0, 2, 9, 8, 0, 0, 0, 1, 7, 0, 9, 1], 2).collect();
        assert_eq!(
            found,
            [
                Ok([9, 8].as_slice()),
                Ok(&[]),
                Ok(&[7]),
                Err("its parts don't fit in it")
            ]
        );
    }

    #[test]
    fn a_configuration_has_two_lists() {
        let configuration = [
            1, 100, 0, 10, 0xff, 0xe1, 0, 2, 0x67, 1, 1, 0, 1, 0x68, 0xfd,
        ];
        let (length_bytes, sets) = parameter_sets(&configuration).unwrap();
        assert_eq!(
            (length_bytes, sets),
            (4, vec![[0x67, 1].as_slice(), &[0x68]])
        );
        for end in 0..14 {
            assert!(parameter_sets(&configuration[..end]).is_none());
        }
    }
}
