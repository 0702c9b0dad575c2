//! The codec of an audio track in MP4 or MOV, and its sample entry for an MP4.

use crate::media::clip::mp4::boxes::{Boxes, Fields, Kind, child};

/// Size of an audio sample entry before its boxes.
const ENTRY_BYTES: usize = 28;

/// Bytes that QuickTime adds to the entry in versions 0, 1 and 2.
const QUICKTIME_BYTES: [usize; 3] = [0, 16, 36];

/// A codec that MP4 supports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SoundEntry {
    pub(crate) kind: Kind,
    /// The entry after its size and type.
    pub(crate) body: Vec<u8>,
    /// The codec's display name.
    pub(crate) name: &'static str,
    /// The number of preroll samples that a decoder needs before the first one heard.
    pub(crate) preroll: usize,
}

/// Why a track can't be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Encrypted,
    /// PCM, by its sample entry's type.
    Uncompressed(Kind),
    Other(Kind),
    Several,
    Senseless,
}

/// The entry in `stsd`, converted to MP4's layout: QuickTime nests the codec's box in another one.
pub(super) fn sound_entry(stsd: &[u8]) -> Result<SoundEntry, Refused> {
    let mut fields = Fields(stsd);
    let (version, count) = fields
        .version()
        .zip(fields.u32())
        .ok_or(Refused::Senseless)?;
    let (kind, entry) = Boxes(fields.0).next().ok_or(Refused::Senseless)?;
    let (of_codec, name, preroll) = match &kind {
        b"mp4a" => (b"esds", "", 0),
        b"Opus" => (b"dOps", "Opus", 4),
        b"fLaC" => (b"dfLa", "FLAC", 0),
        b"ac-3" => (b"dac3", "AC-3", 1),
        b"ec-3" => (b"dec3", "E-AC-3", 1),
        b"alac" => (b"alac", "ALAC", 0),
        b"enca" | b"drms" => return Err(Refused::Encrypted),
        b"sowt" | b"twos" | b"lpcm" | b"ipcm" | b"fpcm" | b"raw " | b"NONE" | b"in24" | b"in32"
        | b"fl32" | b"fl64" => return Err(Refused::Uncompressed(kind)),
        _ => return Err(Refused::Other(kind)),
    };
    // Which sample uses which entry isn't read, so only one is supported.
    if count != 1 {
        return Err(Refused::Several);
    }
    let body = to_mp4_layout(entry, version.0, of_codec).ok_or(Refused::Senseless)?;
    let (name, preroll) = match &kind {
        b"mp4a" => esds_codec(child(&body[ENTRY_BYTES..], b"esds").unwrap_or_default())
            .ok_or(Refused::Senseless)?,
        _ => (name, preroll),
    };
    Ok(SoundEntry {
        kind,
        body,
        name,
        preroll,
    })
}

/// The entry in the layout that is common to all versions of MP4.
fn to_mp4_layout(entry: &[u8], stsd_version: u8, of_codec: &Kind) -> Option<Vec<u8>> {
    let mut fields = Fields(entry);
    fields.bytes(8)?;
    let version = fields.u16()?;
    fields.bytes(6)?;
    let mut channels = fields.u16()?;
    fields.bytes(6)?;
    let mut rate = fields.u32()?;

    // MP4 also has a version 1 of the entry, which adds no bytes.
    let added = match stsd_version {
        0 => *QUICKTIME_BYTES.get(usize::from(version))?,
        _ => 0,
    };
    let mut quicktime = Fields(fields.bytes(added)?);
    if added == QUICKTIME_BYTES[2] {
        quicktime.u32()?;
        let hertz = f64::from_bits(quicktime.u64()?);
        #[expect(clippy::cast_possible_truncation, reason = "at most 16 bits")]
        let whole = hertz.clamp(0.0, 65_535.0) as u32;
        rate = if hertz < 65_536.0 { whole << 16 } else { 0 };
        channels = u16::try_from(quicktime.u32()?).ok()?;
    }

    let boxes = fields.0;
    let found = |boxes| {
        Boxes(boxes)
            .find(|(kind, _)| kind == of_codec)
            .map(|(_, body)| body)
    };
    let codec = found(boxes).or_else(|| found(child(boxes, b"wave")?))?;

    let mut body = vec![0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    body.extend(channels.to_be_bytes());
    body.extend([0, 16, 0, 0, 0, 0]);
    body.extend(rate.to_be_bytes());
    body.extend(u32::try_from(codec.len() + 8).ok()?.to_be_bytes());
    body.extend(of_codec);
    body.extend(codec);
    Some(body)
}

/// The codec in an `esds` box, and its number of preroll samples.
fn esds_codec(esds: &[u8]) -> Option<(&'static str, usize)> {
    let mut fields = Fields(esds);
    fields.version()?;
    let mut kind = fields.u8()?;
    if kind == 3 {
        length(&mut fields)?;
        fields.u16()?;
        let flags = fields.u8()?;
        if flags & 0x80 != 0 {
            fields.u16()?;
        }
        if flags & 0x40 != 0 {
            let count = fields.u8()?;
            fields.bytes(usize::from(count))?;
        }
        if flags & 0x20 != 0 {
            fields.u16()?;
        }
        kind = fields.u8()?;
    }
    if kind != 4 {
        return None;
    }
    length(&mut fields)?;
    Some(match fields.u8()? {
        // One sample for the overlap, another for the upper band of HE-AAC.
        0x40 | 0x66..=0x68 => ("AAC", 2),
        // A frame's data may begin in the frames before it.
        0x69 | 0x6b => ("MP3", 9),
        0xa5 => ("AC-3", 1),
        0xa6 => ("E-AC-3", 1),
        0xdd => ("Vorbis", 2),
        _ => ("sound in MPEG-4", 2),
    })
}

/// Reads the length of a descriptor: seven bits per byte, up to four bytes.
fn length(fields: &mut Fields<'_>) -> Option<u32> {
    let mut length = 0;
    for _ in 0..4 {
        let byte = fields.u8()?;
        length = length << 7 | u32::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ESDS: [u8; 21] = [
        0, 0, 0, 21, b'e', b's', b'd', b's', 0, 0, 0, 0, 3, 7, 0, 1, 0, 4, 0x81, 0, 0x40,
    ];

    fn stsd(kind: &Kind, version: u8, added: &[u8], boxes: &[u8]) -> Vec<u8> {
        let entry = [
            [0, 0, 0, 0, 0, 0, 0, 1, 0, version, 9, 9, 9, 9, 9, 9].as_slice(),
            &[0, 2, 0, 16, 0xff, 0xfe, 0, 0, 0xbb, 0x80, 0, 0],
            added,
            boxes,
        ]
        .concat();
        let size = (u32::try_from(entry.len()).unwrap() + 8).to_be_bytes();
        [&[0, 0, 0, 0, 0, 0, 0, 1], size.as_slice(), kind, &entry].concat()
    }

    #[test]
    fn quicktime_sample_entries_are_converted_to_mp4() {
        let plain = sound_entry(&stsd(b"mp4a", 0, &[], &ESDS)).unwrap();
        assert_eq!((plain.name, plain.preroll), ("AAC", 2));
        assert_eq!(plain.body.len(), ENTRY_BYTES + ESDS.len());
        assert_eq!(plain.body[ENTRY_BYTES..], ESDS);
        assert_eq!(plain.body[16..18], [0, 2]);
        assert_eq!(plain.body[24..28], [0xbb, 0x80, 0, 0]);

        let wave = [[0, 0, 0, 29].as_slice(), b"wave", &ESDS].concat();
        assert_eq!(
            sound_entry(&stsd(b"mp4a", 1, &[7; 16], &wave)),
            Ok(plain.clone())
        );
        let mut added = vec![0, 0, 0, 72];
        added.extend(48_000f64.to_be_bytes());
        added.extend([0, 0, 0, 2]);
        added.resize(36, 0);
        assert_eq!(sound_entry(&stsd(b"mp4a", 2, &added, &wave)), Ok(plain));
    }

    #[test]
    fn audio_codecs_that_mp4_cannot_hold_are_refused_by_name() {
        let refused = |kind: &Kind| sound_entry(&stsd(kind, 0, &[], &ESDS)).unwrap_err();
        assert_eq!(refused(b"sowt"), Refused::Uncompressed(*b"sowt"));
        assert_eq!(refused(b"enca"), Refused::Encrypted);
        assert_eq!(refused(b"samr"), Refused::Other(*b"samr"));
        assert_eq!(refused(b"Opus"), Refused::Senseless);
        let mut two = stsd(b"mp4a", 0, &[], &ESDS);
        two[7] = 2;
        assert_eq!(sound_entry(&two), Err(Refused::Several));
        for end in 0..two.len() {
            assert!(sound_entry(&two[..end]).is_err());
        }
    }
}
