//! The sequence parameter set of H.264: size, crop, colour, and whether OpenH264 can decode the stream.
//!
//! The `h264-reader` crate (0.9) rejects a whole set if its VUI is truncated or bytes follow its end. Such files play
//! elsewhere and need only size and profile to be decoded, so this parser drops the colour instead.

use crate::media::colour::rgb::Colour;

/// Properties of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sps {
    profile: u32,
    chroma: u32,
    depth: u32,
    is_interlaced: bool,
    /// Macroblocks across and down.
    blocks: (u32, u32),
    /// `(width, height)` in pixels, cropped.
    pub(super) size: (u32, u32),
    pub(super) colour: Colour,
}

impl Sps {
    /// Parses a NAL unit of type 7; `None` if it isn't valid.
    pub(super) fn parse(nal: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(nal.get(1..)?);
        let profile = bits.take(8)?;
        bits.take(16)?;
        bits.unsigned()?;

        let (mut chroma, mut depth) = (1, 8);
        if matches!(
            profile,
            100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135
        ) {
            chroma = bits.unsigned()?;
            if chroma == 3 {
                bits.take(1)?;
            }
            let luma_depth = bits.unsigned()?.checked_add(8)?;
            depth = luma_depth.max(bits.unsigned()?.checked_add(8)?);
            bits.take(1)?;
            if bits.take(1)? == 1 {
                let lists = if chroma == 3 { 12 } else { 8 };
                for list in 0..lists {
                    bits.scaling_list(if list < 6 { 16 } else { 64 })?;
                }
            }
        }

        bits.unsigned()?;
        match bits.unsigned()? {
            0 => {
                bits.unsigned()?;
            }
            1 => {
                bits.take(1)?;
                bits.unsigned()?;
                bits.unsigned()?;
                // At most 255 by the standard, and each takes at least a bit.
                for _ in 0..bits.unsigned()? {
                    bits.unsigned()?;
                }
            }
            _ => {}
        }
        bits.unsigned()?;
        bits.take(1)?;

        let across = bits.unsigned()?.checked_add(1)?;
        let map_units = bits.unsigned()?.checked_add(1)?;
        let is_interlaced = bits.take(1)? == 0;
        let fields = if is_interlaced { 2 } else { 1 };
        if is_interlaced {
            bits.take(1)?;
        }
        bits.take(1)?;
        let down = map_units.checked_mul(fields)?;

        let (mut width, mut height) = (across.checked_mul(16)?, down.checked_mul(16)?);
        if bits.take(1)? == 1 {
            let unit_x = if matches!(chroma, 1 | 2) { 2 } else { 1 };
            let unit_y = fields * if chroma == 1 { 2 } else { 1 };
            let mut crop = |unit: u32| {
                bits.unsigned()?
                    .checked_add(bits.unsigned()?)?
                    .checked_mul(unit)
            };
            width = width.checked_sub(crop(unit_x)?)?;
            height = height.checked_sub(crop(unit_y)?)?;
        }
        // Streams without a VUI are complete.
        let colour = match bits.take(1) {
            Some(1) => bits.colour().unwrap_or_default(),
            _ => Colour::default(),
        };
        Some(Self {
            profile,
            chroma,
            depth,
            is_interlaced,
            blocks: (across, down),
            size: (width, height),
            colour,
        })
    }

    /// The number of 16 x 16 macroblocks in a frame.
    pub(super) fn macroblocks(&self) -> u32 {
        self.blocks.0.saturating_mul(self.blocks.1)
    }

    /// The property of this stream that OpenH264 can't decode; follows "is" in messages.
    pub(super) fn unknown_kind(&self) -> Option<String> {
        if self.depth > 8 {
            return Some(format!("H.264 video in {} bits", self.depth));
        }
        match self.chroma {
            1 => {}
            0 => return Some("H.264 video without colour".to_owned()),
            2 => return Some("H.264 video in 4:2:2".to_owned()),
            _ => return Some("H.264 video in 4:4:4".to_owned()),
        }
        if self.is_interlaced {
            return Some("interlaced H.264 video".to_owned());
        }
        match self.profile {
            66 | 77 | 88 | 100 => None,
            profile => Some(format!("H.264 video of profile {profile}")),
        }
    }
}

/// Profile numbers.
const BASELINE: u8 = 66;
const MAIN: u8 = 77;
const EXTENDED: u8 = 88;
const SCALABLE_BASELINE: u8 = 83;

/// Rewrites the set `nal` to the Scalable Baseline profile, whose frames OpenH264 outputs as soon as they are decoded.
///
/// OpenH264 decodes by the features that a stream uses and not by its profile, so nothing else changes: only its parser
/// of this set and its frame reordering read the profile.
pub(super) fn as_scalable_baseline(nal: &[u8]) -> Option<Vec<u8>> {
    let profile = *nal.get(1)?;
    if profile == BASELINE {
        return Some(nal.to_vec());
    }
    let mut renamed = nal.to_vec();
    renamed[1] = SCALABLE_BASELINE;
    if !matches!(profile, MAIN | EXTENDED) {
        return Some(renamed);
    }

    // These sets lack fields of later profiles, which follow the set's id: 4:2:0, 8 bits for luma and chroma, and two
    // flags unset.
    let mut bits = Bits::new(&renamed);
    let mut copy = BitsOut::default();
    for _ in 0..4 {
        copy.put(bits.take(8)?, 8);
    }
    let number = bits.unsigned()?.checked_add(1)?;
    copy.put(0, number.ilog2());
    copy.put(number, number.ilog2() + 1);
    copy.put(0b010_1100, 7);
    while let Some(bit) = bits.take(1) {
        copy.put(bit, 1);
    }
    Some(copy.into_nal())
}

/// Bit writer for a NAL unit.
#[derive(Default)]
struct BitsOut {
    bytes: Vec<u8>,
    /// Used bits of the last byte, 0 to 7; 0 if there is no byte or it is full.
    used: u32,
}

impl BitsOut {
    /// Appends the lower `count` bits of `value`.
    fn put(&mut self, value: u32, count: u32) {
        for place in (0..count).rev() {
            if self.used == 0 {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> place & 1) as u8) << (7 - self.used);
            }
            self.used = (self.used + 1) % 8;
        }
    }

    /// The bytes with emulation prevention.
    fn into_nal(self) -> Vec<u8> {
        let mut nal = Vec::with_capacity(self.bytes.len() + 4);
        let mut zeros = 0;
        for byte in self.bytes {
            if zeros >= 2 && byte <= 3 {
                nal.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            nal.push(byte);
        }
        // A NAL unit can't end in zeros.
        while nal.last() == Some(&0) {
            nal.pop();
        }
        nal
    }
}

/// Bit reader, most significant bit first, that removes emulation prevention bytes.
struct Bits<'a> {
    bytes: &'a [u8],
    /// Consecutive zero bytes so far.
    zeros: usize,
    current: u8,
    left: u32,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            zeros: 0,
            current: 0,
            left: 0,
        }
    }

    fn load(&mut self) -> Option<()> {
        let (&byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        if self.zeros >= 2 && byte == 3 {
            self.zeros = 0;
            return self.load();
        }
        self.zeros = if byte == 0 { self.zeros + 1 } else { 0 };
        (self.current, self.left) = (byte, 8);
        Some(())
    }

    /// Reads `count` bits, up to 32.
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            if self.left == 0 {
                self.load()?;
            }
            self.left -= 1;
            value = value << 1 | u32::from(self.current >> self.left & 1);
        }
        Some(value)
    }

    /// Reads an unsigned Exp-Golomb code, ue(v).
    fn unsigned(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.take(zeros)?)
    }

    /// Reads a signed Exp-Golomb code, se(v).
    fn signed(&mut self) -> Option<i64> {
        let code = i64::from(self.unsigned()?);
        Some(if code % 2 == 1 {
            (code + 1) / 2
        } else {
            -code / 2
        })
    }

    /// Skips a scaling list, if present.
    fn scaling_list(&mut self, entries: usize) -> Option<()> {
        if self.take(1)? == 0 {
            return Some(());
        }
        let (mut last, mut next) = (8, 8);
        for _ in 0..entries {
            if next != 0 {
                next = (last + self.signed()?).rem_euclid(256);
            }
            if next != 0 {
                last = next;
            }
        }
        Some(())
    }

    /// Reads range and matrix from the VUI.
    fn colour(&mut self) -> Option<Colour> {
        // The pixel aspect ratio; 255 means that it is stored explicitly.
        if self.take(1)? == 1 && self.take(8)? == 255 {
            self.take(32)?;
        }
        if self.take(1)? == 1 {
            self.take(1)?;
        }
        if self.take(1)? == 0 {
            return Some(Colour::default());
        }
        self.take(3)?;
        let is_full = self.take(1)? == 1;
        let mut matrix = None;
        if self.take(1)? == 1 {
            self.take(16)?;
            // 2 means "unspecified".
            matrix = u8::try_from(self.take(8)?).ok().filter(|&code| code != 2);
        }
        Some(Colour {
            matrix,
            is_full: Some(is_full),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bit_reader_skips_emulation_prevention_bytes() {
        let mut bits = Bits::new(&[0, 0, 3, 1, 0b0010_1000]);
        assert_eq!(bits.take(24), Some(1));
        assert_eq!(bits.unsigned(), Some(4));
        assert_eq!(bits.take(4), None);
    }

    #[test]
    fn a_parameter_set_rewritten_to_another_profile_keeps_its_content() {
        // From the tests' main.mp4.
        let main = [
            0x67, 0x4d, 0x40, 0x0a, 0xec, 0xc2, 0x3d, 0x80, 0x88, 0x00, 0x00, 0x03, 0x00, 0x08,
            0x00, 0x00, 0x03, 0x00, 0xa0, 0x78, 0x91, 0x2c, 0xd0,
        ];
        let (before, renamed) = (
            Sps::parse(&main).unwrap(),
            as_scalable_baseline(&main).unwrap(),
        );
        let after = Sps::parse(&renamed).unwrap();
        assert_eq!(renamed[1], SCALABLE_BASELINE);
        assert_eq!(
            (after.size, after.colour, after.chroma, after.depth),
            ((64, 48), before.colour, 1, 8)
        );

        let high = [0x67, 100, 0, 10, 0xac];
        assert_eq!(
            as_scalable_baseline(&high),
            Some(vec![0x67, 83, 0, 10, 0xac])
        );
        let baseline = [0x67, 66, 0, 10, 0xda];
        assert_eq!(as_scalable_baseline(&baseline), Some(baseline.to_vec()));
    }

    #[test]
    fn the_bit_writer_inserts_emulation_prevention_bytes() {
        let mut bits = BitsOut::default();
        for byte in [0, 0, 1, 0, 0, 0, 0x80, 0] {
            bits.put(byte, 8);
        }
        assert_eq!(bits.into_nal(), [0, 0, 3, 1, 0, 0, 3, 0, 0x80]);
    }

    #[test]
    fn a_parameter_set_truncated_or_padded_after_its_size_is_parsed() {
        let main = [
            0x67, 0x4d, 0x40, 0x0a, 0xec, 0xc2, 0x3d, 0x80, 0x88, 0x00, 0x00, 0x03, 0x00, 0x08,
            0x00, 0x00, 0x03, 0x00, 0xa0, 0x78, 0x91, 0x2c, 0xd0,
        ];
        for length in 8..=main.len() {
            let sps = Sps::parse(&main[..length]).unwrap();
            assert_eq!((sps.size, sps.unknown_kind()), ((64, 48), None), "{length}");
        }
        for padding in [[0, 0, 0], [0x12, 0x34, 0x56]] {
            let sps = Sps::parse(&[&main[..], &padding].concat()).unwrap();
            assert_eq!(sps.size, (64, 48));
        }
    }

    #[test]
    fn overlong_codes_and_short_parameter_sets_are_refused() {
        assert_eq!(Bits::new(&[0; 9]).unsigned(), None);
        let sps = [0x67, 66, 0xc0, 10, 0xda, 0x0f, 0x0a, 0x69];
        for end in 0..4 {
            assert_eq!(Sps::parse(&sps[..end]), None);
        }
    }
}
