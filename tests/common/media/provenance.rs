//! Reads the provenance note of a file with parsers that are independent of the writers.

use mien::media::provenance::SourceType;
use roxmltree::Document;

/// The provenance recorded in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// IPTC's term, as spelled in the file.
    pub source: String,
    pub models: Vec<String>,
    pub software: Option<String>,
    pub sentence: Option<String>,
}

impl Found {
    pub fn source_type(&self) -> Option<SourceType> {
        [
            SourceType::CompositeWithTrainedAlgorithmicMedia,
            SourceType::TrainedAlgorithmicMedia,
        ]
        .into_iter()
        .find(|kind| kind.uri() == self.source)
    }

    pub fn is_by_a_model(&self) -> bool {
        self.source_type().is_some()
    }
}

/// The note of a PNG, JPEG, WebP, GIF or MP4, damaged or not.
pub fn read(bytes: &[u8]) -> Option<Found> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => packet(png(bytes)?),
        [0xff, 0xd8, ..] => packet(jpeg(bytes)?),
        [b'R', b'I', b'F', b'F', ..] => packet(webp(bytes)?),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => packet(mp4(bytes)?),
        [b'G', b'I', b'F', ..] => gif(bytes),
        _ => None,
    }
}

/// Parses an XMP packet.
pub fn packet(text: &[u8]) -> Option<Found> {
    const IPTC: &str = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
    const XMP: &str = "http://ns.adobe.com/xap/1.0/";
    const EVENT: &str = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#";
    const PHOTOSHOP: &str = "http://ns.adobe.com/photoshop/1.0/";

    let document = Document::parse(std::str::from_utf8(text).ok()?).ok()?;
    let text_of = |name: (&str, &str)| {
        let element = document.descendants().find(|n| n.has_tag_name(name))?;
        Some(element.text()?.to_owned())
    };
    Some(Found {
        source: text_of((IPTC, "DigitalSourceType"))?,
        models: document
            .descendants()
            .filter_map(|n| n.attribute((EVENT, "parameters")))
            .map(str::to_owned)
            .collect(),
        software: text_of((XMP, "CreatorTool")),
        sentence: text_of((PHOTOSHOP, "Credit")),
    })
}

fn big_endian(bytes: &[u8], at: usize, length: usize) -> Option<usize> {
    let digits = bytes.get(at..at.checked_add(length)?)?;
    Some(digits.iter().fold(0, |n, b| n << 8 | usize::from(*b)))
}

fn png(bytes: &[u8]) -> Option<&[u8]> {
    // Keyword, then: not compressed, no compression method, no language, no translated keyword.
    const XMP: &[u8] = b"XML:com.adobe.xmp\0\0\0\0\0";
    let mut at = 8;
    loop {
        let end = at + 8 + big_endian(bytes, at, 4)?;
        let (name, data) = bytes.get(at + 4..end)?.split_at(4);
        match (name, data.strip_prefix(XMP)) {
            (b"iTXt", Some(packet)) => return Some(packet),
            (b"IEND", _) => return None,
            _ => at = end + 4,
        }
    }
}

fn jpeg(bytes: &[u8]) -> Option<&[u8]> {
    const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
    let mut at = 2;
    loop {
        while bytes.get(at + 1)? == &0xff {
            at += 1;
        }
        let marker = bytes[at + 1];
        at += 2;
        if matches!(marker, 0x01 | 0xd0..=0xd8) {
            continue;
        }
        if matches!(marker, 0xd9 | 0xda) {
            return None;
        }
        let end = at + big_endian(bytes, at, 2)?;
        let packet = bytes.get(at + 2..end)?.strip_prefix(XMP);
        if marker == 0xe1 && packet.is_some() {
            return packet;
        }
        at = end;
    }
}

fn webp(bytes: &[u8]) -> Option<&[u8]> {
    let length = |at: usize| {
        let digits = bytes.get(at..)?.first_chunk()?;
        Some(u32::from_le_bytes(*digits) as usize)
    };
    let mut at = 12;
    loop {
        let end = at + 8 + length(at + 4)?;
        let data = bytes.get(at + 8..end)?;
        if bytes[at..].starts_with(b"XMP ") {
            return Some(data);
        }
        at = end + data.len() % 2;
    }
}

fn mp4(bytes: &[u8]) -> Option<&[u8]> {
    const XMP: &[u8] = b"uuid\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";
    let mut at = 0;
    loop {
        let size = match big_endian(bytes, at, 4)? {
            0 => return None,
            1 => big_endian(bytes, at + 8, 8)?,
            size => size,
        };
        let end = at.checked_add(size)?;
        if let Some(packet) = bytes.get(at + 4..end)?.strip_prefix(XMP) {
            return Some(packet);
        }
        at = end;
    }
}

/// Our first comment before the first frame.
fn gif(bytes: &[u8]) -> Option<Found> {
    let flags = *bytes.get(10)?;
    let colours = if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    };
    let mut at = 13 + colours;
    while bytes.get(at)? == &0x21 {
        let label = *bytes.get(at + 1)?;
        at += 2;
        let mut text = Vec::new();
        loop {
            let length = usize::from(*bytes.get(at)?);
            text.extend_from_slice(bytes.get(at + 1..at + 1 + length)?);
            at += 1 + length;
            if length == 0 {
                break;
            }
        }
        if label == 0xfe
            && let Some(found) = comment(&text)
        {
            return Some(found);
        }
    }
    None
}

/// "Edited with Mien 0.2.0 (a, b); digital source type: http://..."
fn comment(text: &[u8]) -> Option<Found> {
    let text = std::str::from_utf8(text).ok()?;
    let (sentence, source) = text.split_once("; digital source type: ")?;
    let (_, by) = sentence.split_once(" with ")?;
    let (software, models) = match by.split_once(" (") {
        Some((software, models)) => (software, models.strip_suffix(')')?),
        None => (by, ""),
    };
    Some(Found {
        source: source.to_owned(),
        models: models
            .split(", ")
            .filter(|model| !model.is_empty())
            .map(str::to_owned)
            .collect(),
        software: Some(software.to_owned()),
        sentence: Some(sentence.to_owned()),
    })
}
