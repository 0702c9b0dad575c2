//! H.264 as stored in MP4, decoded by OpenH264 one frame in, one frame out.
//!
//! OpenH264 can reorder frames itself, but by numbers that wrap, whereas an MP4 stores presentation times; and if it is
//! made to output frames early (by flushing, the crate's default), it never reuses their memory. It outputs frames of
//! profiles without B-frames at once, so every stream is declared as such ([`sps::as_scalable_baseline`]), and the demuxer reorders
//! the frames.

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

const SENSELESS: &str = "its data are invalid";
const RESIZED: &str = "the size of its frames changes";

/// The maximum number of macroblocks of a frame: level 5.2, 4096 x 2304 pixels. Larger ones aren't passed to OpenH264.
const MAX_MACROBLOCKS: u32 = 36_864;

/// Why a stream can't be decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// A kind of H.264 that OpenH264 doesn't support; the name follows "is" in messages.
    Kind(String),
    /// The stream is damaged in this way.
    Damaged(&'static str),
}

/// A decoder for one stream.
pub(super) struct H264 {
    decoder: Decoder,
    /// Size of the length before each NAL unit, 1 to 4 bytes.
    length_bytes: usize,
    /// The decoder's next input, in Annex B; at the start the parameter sets.
    packet: Vec<u8>,
    size: (u32, u32),
    colour: Colour,
}

impl H264 {
    /// Creates a decoder for the stream described by the body of `avcC`, `configuration`, or if that has no parameter
    /// sets, by the `first` frame; `colour` is the container's.
    pub(super) fn new(configuration: &[u8], colour: Colour, first: &[u8]) -> Result<Self, Refused> {
        let senseless = Refused::Damaged("the parameters of its video are invalid");
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

    /// `(width, height)` in pixels, after cropping.
    pub(super) fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Whether decoding can start at this coded frame.
    pub(super) fn is_key(&self, sample: &[u8]) -> bool {
        units(sample, self.length_bytes)
            .map_while(Result::ok)
            .any(|nal| nal_type(nal) == Some(IDR))
    }

    /// Decodes the next frame; returns opaque RGBA, `[height, width, 4]`, if `is_wanted`.
    pub(super) fn decode(
        &mut self,
        sample: &[u8],
        is_wanted: bool,
    ) -> Result<Option<Vec<u8>>, &'static str> {
        for nal in units(sample, self.length_bytes) {
            let nal = nal?;
            match nal_type(nal) {
                Some(SPS) => append_sps(&mut self.packet, nal, self.size).ok_or(RESIZED)?,
                // Other units are for streaming, subtitles, and further views or layers.
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

/// The size of NAL lengths in bytes, and the parameter sets, from the body of `avcC`.
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

/// The NAL units of a coded frame, each preceded by its length; the last item is an error if one doesn't fit.
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
            return Some(Err("its slices don't fit in it"));
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

/// Appends a sequence parameter set, unless it changes the frames' size, for which the decoder would allocate memory.
fn append_sps(packet: &mut Vec<u8>, nal: &[u8], size: (u32, u32)) -> Option<()> {
    Sps::parse(nal).filter(|sps| sps.size == size)?;
    append(packet, &sps::as_scalable_baseline(nal)?);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nal_units_are_split_by_their_length_prefixes() {
        let found: Vec<_> = units(&[0, 2, 9, 8, 0, 0, 0, 1, 7, 0, 9, 1], 2).collect();
        assert_eq!(
            found,
            [
                Ok([9, 8].as_slice()),
                Ok(&[]),
                Ok(&[7]),
                Err("its slices don't fit in it")
            ]
        );
    }

    #[test]
    fn the_decoder_configuration_yields_both_parameter_set_lists() {
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
