//! The MP4 boxes of an H.264 stream: sample entry and colour. The index is in [`crate::media::encode::mp4_index`].

use shiguredo_mp4::boxes::{Avc1Box, AvccBox, SampleEntry, UnknownBox, VisualSampleEntryFields};
use shiguredo_mp4::{BoxSize, BoxType, Uint};

/// H.264 NAL unit types.
const IDR: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;

/// A coded frame as stored in an MP4.
#[derive(Default)]
pub(crate) struct Coded {
    /// NAL units, each preceded by its length in 4 bytes; without parameter sets.
    pub(crate) data: Vec<u8>,
    pub(crate) sps: Option<Vec<u8>>,
    pub(crate) pps: Option<Vec<u8>>,
    pub(crate) is_key: bool,
}

impl Coded {
    /// Adds a NAL unit, with or without a start code.
    pub(crate) fn add(&mut self, nal: &[u8]) {
        let nal = nal
            .strip_prefix(&[0, 0, 0, 1])
            .or_else(|| nal.strip_prefix(&[0, 0, 1]))
            .unwrap_or(nal);
        let Some(&header) = nal.first() else { return };
        match header & 0x1f {
            SPS => self.sps = Some(nal.to_vec()),
            PPS => self.pps = Some(nal.to_vec()),
            kind => {
                self.is_key |= kind == IDR;
                self.data
                    .extend_from_slice(&(nal.len() as u32).to_be_bytes());
                self.data.extend_from_slice(nal);
            }
        }
    }
}

/// The `avc1` entry for a stream of `width` x `height` coded pixels with these parameter sets.
pub(crate) fn sample_entry(width: u16, height: u16, sps: &[u8], pps: &[u8]) -> Option<SampleEntry> {
    let &[_, profile, compatibility, level, ..] = sps else {
        return None;
    };
    let has_range = !matches!(profile, 66 | 77 | 88);

    Some(SampleEntry::Avc1(Avc1Box {
        visual: VisualSampleEntryFields {
            data_reference_index: VisualSampleEntryFields::DEFAULT_DATA_REFERENCE_INDEX,
            width,
            height,
            horizresolution: VisualSampleEntryFields::DEFAULT_HORIZRESOLUTION,
            vertresolution: VisualSampleEntryFields::DEFAULT_VERTRESOLUTION,
            frame_count: VisualSampleEntryFields::DEFAULT_FRAME_COUNT,
            compressorname: VisualSampleEntryFields::NULL_COMPRESSORNAME,
            depth: VisualSampleEntryFields::DEFAULT_DEPTH,
        },
        avcc_box: AvccBox {
            avc_profile_indication: profile,
            profile_compatibility: compatibility,
            avc_level_indication: level,
            length_size_minus_one: Uint::new(3),
            sps_list: vec![sps.to_vec()],
            pps_list: vec![pps.to_vec()],
            // 4:2:0 in 8 bits.
            chroma_format: has_range.then(|| Uint::new(1)),
            bit_depth_luma_minus8: has_range.then(|| Uint::new(0)),
            bit_depth_chroma_minus8: has_range.then(|| Uint::new(0)),
            sps_ext_list: Vec::new(),
        },
        unknown_boxes: vec![colour_box()],
    }))
}

/// `colr` with BT.709 primaries, transfer and matrix (1, 1, 1), limited range.
fn colour_box() -> UnknownBox {
    let payload = [b"nclx".as_slice(), &[0, 1, 0, 1, 0, 1, 0]].concat();
    UnknownBox {
        box_type: BoxType::Normal(*b"colr"),
        box_size: BoxSize::U32(8 + payload.len() as u32),
        payload,
    }
}
