//! MP4: XMP is a top-level `uuid` box (XMP part 3). It goes to the end, so that no offset in the index changes.

use std::io::{Read, Seek, SeekFrom, Write};

use crate::media::provenance::error::ProvenanceError;
use crate::media::provenance::source::BoundedReader;

const KIND: &str = "MP4";
const XMP: [u8; 16] = [
    0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac,
];

struct BoxHeader {
    name: [u8; 4],
    start: u64,
    body: u64,
    end: u64,
    /// Its stored size is 0: it extends to the end of the file.
    is_open: bool,
}

impl BoxHeader {
    fn is_xmp<R: Read + Seek>(
        &self,
        source: &mut BoundedReader<R>,
    ) -> Result<bool, ProvenanceError> {
        Ok(&self.name == b"uuid" && source.begins(self.body, self.end, &XMP)?)
    }
}

fn box_header<R: Read + Seek>(
    source: &mut BoundedReader<R>,
    start: u64,
) -> Result<BoxHeader, ProvenanceError> {
    let [a, b, c, d, name @ ..] = source.array::<8>(start)?;
    let (size, head) = match u32::from_be_bytes([a, b, c, d]) {
        0 => (source.length() - start, 8),
        1 => (u64::from_be_bytes(source.array(start + 8)?), 16),
        size => (size.into(), 8),
    };
    if size < head {
        return Err(source.damaged("a box of impossible size"));
    }
    Ok(BoxHeader {
        name,
        start,
        body: start + head,
        end: source.end(start, size)?,
        is_open: [a, b, c, d] == [0; 4],
    })
}

/// What must change in a file before a box can be appended.
#[derive(Default)]
struct Changes {
    /// Offsets of the type fields of boxes with older XMP.
    old: Vec<u64>,
    /// Offset and size of the last box, if it has no stored size.
    open: Option<(u64, u32)>,
}

fn changes<R: Read + Seek>(source: &mut BoundedReader<R>) -> Result<Changes, ProvenanceError> {
    let mut changes = Changes::default();
    let (mut at, mut has_index) = (0, false);
    while at < source.length() {
        let part = box_header(source, at)?;
        match &part.name {
            b"moov" => has_index = true,
            // The `mfra` box of a fragmented video is located from the end of the file.
            b"moof" | b"mfra" => return Err(ProvenanceError::Fragmented),
            b"uuid" if part.is_xmp(source)? => changes.old.push(part.start + 4),
            _ => {}
        }
        if part.is_open {
            let size = u32::try_from(part.end - part.start)
                .map_err(|_| source.damaged("its last box doesn't say how large it is"))?;
            changes.open = Some((part.start, size));
        }
        at = part.end;
    }
    if has_index {
        Ok(changes)
    } else {
        Err(source.damaged("it has no index"))
    }
}

/// Appends `packet` to the file and turns older XMP into `free` boxes.
pub(super) fn put<F: Read + Write + Seek>(
    file: &mut F,
    packet: &str,
) -> Result<(), ProvenanceError> {
    let xmp = xmp_box(packet)?;
    let changes = changes(&mut BoundedReader::new(&mut *file, KIND)?)?;

    file.seek(SeekFrom::End(0))?;
    file.write_all(&xmp)?;
    if let Some((at, size)) = changes.open {
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&size.to_be_bytes())?;
    }
    for at in changes.old {
        file.seek(SeekFrom::Start(at))?;
        file.write_all(b"free")?;
    }
    file.flush()?;
    Ok(())
}

pub(super) fn xmp_box(packet: &str) -> Result<Vec<u8>, ProvenanceError> {
    let size = u32::try_from(8 + XMP.len() + packet.len())
        .map_err(|_| ProvenanceError::TooLong { kind: KIND })?;
    Ok([
        size.to_be_bytes().as_slice(),
        b"uuid",
        &XMP,
        packet.as_bytes(),
    ]
    .concat())
}
