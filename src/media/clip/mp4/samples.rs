//! The sample table of an MP4 or MOV: position and presentation time of each coded frame.

use crate::media::clip::mp4::boxes::{Fields, child};

/// The maximum number of frames of a clip: a day at 48 a second. Their index then takes about 160 MB.
const MAX_SAMPLES: u64 = 1 << 22;

/// The largest coded frame; an uncompressed one of 9 megapixels has 14 MB.
const MAX_BYTES: u32 = 64 << 20;

/// A coded frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
    /// Presentation time, in ticks of the track.
    pub(crate) pts: i64,
    /// Its duration, in ticks of the track.
    pub(crate) ticks: u32,
}

/// Coded frames in decoding order.
pub(super) struct Samples {
    pub(super) list: Vec<Sample>,
    /// Decoding time of the next one, in ticks of the track.
    pub(super) dts: i64,
    /// The maximum number of frames, because a table can state any number of frames of one size without storing a byte
    /// for each.
    most: usize,
}

impl Samples {
    /// An empty list for a file of `length` bytes, which has at most one frame per byte.
    pub(super) fn new(length: u64) -> Self {
        Self {
            list: Vec::new(),
            dts: 0,
            most: length.min(MAX_SAMPLES) as usize,
        }
    }

    /// Appends a frame; `delay` is the time from decoding to presentation. `None` if there are too many, or it is too large.
    ///
    /// Empty frames repeat the one before and are left out.
    pub(super) fn push(&mut self, offset: u64, bytes: u32, ticks: u32, delay: i32) -> Option<()> {
        if bytes > 0 {
            if self.list.len() >= self.most || bytes > MAX_BYTES {
                return None;
            }
            self.list.push(Sample {
                offset,
                bytes,
                pts: self.dts.checked_add(i64::from(delay))?,
                ticks,
            });
        }
        self.dts = self.dts.checked_add(i64::from(ticks))?;
        Some(())
    }

    /// Adds the frames of a sample table, which is empty in a fragmented file. `None` if the table isn't valid.
    pub(super) fn add_table(&mut self, table: &[u8]) -> Option<()> {
        let mut sizes = Sizes::new(table)?;
        if sizes.count == 0 {
            return Some(());
        }
        if sizes.count as usize > self.most {
            return None;
        }
        let mut durations = Runs::new(child(table, b"stts")?)?;
        // Negative delays are accepted in version 0 too, because many programs write them.
        let mut delays = match child(table, b"ctts") {
            Some(ctts) => Some(Runs::new(ctts)?),
            None => None,
        };
        let mut chunks = Chunks::new(table)?;

        let mut index = 0;
        while index < sizes.count {
            let (mut offset, count) = chunks.next()?;
            for _ in 0..count.min(sizes.count - index) {
                let bytes = sizes.next()?;
                // Some files end these lists early; their last value continues.
                let ticks = durations.next();
                let delay = delays.as_mut().map_or(0, Runs::next) as i32;
                self.push(offset, bytes, ticks, delay)?;
                offset = offset.checked_add(u64::from(bytes))?;
                index += 1;
            }
        }
        Some(())
    }
}

/// `stsz` or `stz2`: the size of each frame.
struct Sizes<'a> {
    count: u32,
    /// The common size of all frames, or 0.
    same: u32,
    bits: u8,
    /// The lower half of a byte whose upper half was read.
    half: Option<u8>,
    fields: Fields<'a>,
}

impl<'a> Sizes<'a> {
    fn new(table: &'a [u8]) -> Option<Self> {
        let (mut fields, is_compact) = match child(table, b"stsz") {
            Some(body) => (Fields(body), false),
            None => (Fields(child(table, b"stz2")?), true),
        };
        fields.version()?;
        let word = fields.u32()?;
        let count = fields.u32()?;
        let (same, bits) = if is_compact {
            (0, (word & 0xff) as u8)
        } else {
            (word, 32)
        };
        Some(Self {
            count,
            same,
            bits,
            half: None,
            fields,
        })
    }

    fn next(&mut self) -> Option<u32> {
        match self.bits {
            _ if self.same > 0 => Some(self.same),
            32 => self.fields.u32(),
            16 => self.fields.u16().map(u32::from),
            8 => self.fields.u8().map(u32::from),
            4 => match self.half.take() {
                Some(half) => Some(u32::from(half)),
                None => {
                    let byte = self.fields.u8()?;
                    self.half = Some(byte & 15);
                    Some(u32::from(byte >> 4))
                }
            },
            _ => None,
        }
    }
}

/// `stts` or `ctts`: run-length encoded values.
struct Runs<'a> {
    left: u32,
    value: u32,
    fields: Fields<'a>,
}

impl<'a> Runs<'a> {
    fn new(body: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(body);
        fields.version()?;
        fields.u32()?;
        Some(Self {
            left: 0,
            value: 0,
            fields,
        })
    }

    fn next(&mut self) -> u32 {
        while self.left == 0 {
            let (Some(left), Some(value)) = (self.fields.u32(), self.fields.u32()) else {
                return self.value;
            };
            (self.left, self.value) = (left, value);
        }
        self.left -= 1;
        self.value
    }
}

/// `stsc` with `stco` or `co64`: offset and frame count of each chunk.
struct Chunks<'a> {
    /// The number of the next chunk, from 1 as in the file.
    number: u32,
    frames: u32,
    /// The first chunk of the next run, and the frames in each of its chunks.
    run: Option<(u32, u32)>,
    runs: Fields<'a>,
    offsets: Fields<'a>,
    is_wide: bool,
}

impl<'a> Chunks<'a> {
    fn new(table: &'a [u8]) -> Option<Self> {
        let (mut offsets, is_wide) = match child(table, b"stco") {
            Some(body) => (Fields(body), false),
            None => (Fields(child(table, b"co64")?), true),
        };
        offsets.bytes(8)?;
        let mut runs = Fields(child(table, b"stsc")?);
        runs.bytes(8)?;
        let mut chunks = Self {
            number: 1,
            frames: 0,
            run: None,
            runs,
            offsets,
            is_wide,
        };
        chunks.run = chunks.read_run();
        Some(chunks)
    }

    fn read_run(&mut self) -> Option<(u32, u32)> {
        let run = (self.runs.u32()?, self.runs.u32()?);
        self.runs.u32()?;
        Some(run)
    }

    fn next(&mut self) -> Option<(u64, u32)> {
        while let Some((first, frames)) = self.run.filter(|&(first, _)| first <= self.number) {
            self.frames = frames;
            self.run = self.read_run().filter(|&(next, _)| next > first);
        }
        self.number = self.number.checked_add(1)?;
        Some((self.offsets.wide(self.is_wide)?, self.frames))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full_box(kind: &[u8; 4], words: &[u32]) -> Vec<u8> {
        let body: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        [
            (12 + u32::try_from(body.len()).unwrap())
                .to_be_bytes()
                .as_slice(),
            kind,
            &[0; 4],
            &body,
        ]
        .concat()
    }

    #[test]
    fn sample_tables_give_offsets_and_times() {
        let table = [
            full_box(b"stsz", &[0, 4, 10, 20, 30, 40]),
            full_box(b"stts", &[1, 4, 512]),
            full_box(b"ctts", &[3, 1, 1024, 1, 2048, 2, -512i32 as u32]),
            // A chunk of one, then chunks of two.
            full_box(b"stsc", &[2, 1, 1, 1, 2, 2, 1]),
            full_box(b"stco", &[3, 100, 500, 900]),
        ]
        .concat();
        let mut samples = Samples::new(1000);
        samples.add_table(&table).unwrap();
        let found: Vec<_> = samples
            .list
            .iter()
            .map(|s| (s.offset, s.bytes, s.pts))
            .collect();
        assert_eq!(
            found,
            [
                (100, 10, 1024),
                (500, 20, 2560),
                (520, 30, 512),
                (900, 40, 1024)
            ]
        );
    }

    #[test]
    fn impossible_sample_counts_are_refused() {
        for count in [u32::MAX, 1 << 23, 1 << 21] {
            let table = [
                full_box(b"stsz", &[7, count]),
                full_box(b"stts", &[1, u32::MAX, 1]),
                full_box(b"stsc", &[1, 1, 1, 1]),
                full_box(b"stco", &[1, 100]),
            ]
            .concat();
            assert!(Samples::new(1 << 20).add_table(&table).is_none());
        }
    }
}
