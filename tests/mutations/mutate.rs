//! Damages bits and bytes, numbers, and whole parts of a format.

use std::ops::Range;

use serde_json::{Map, Value};

use crate::rng::Rng;

/// The structure of the bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// No structure.
    Bytes,
    /// Nested boxes with a length before their name.
    Mp4,
    /// A sequence of chunks with checksums.
    Png,
    /// A sequence of chunks in one chunk with the total length.
    Riff,
    Json,
    /// The length of the header, the header as JSON, then the values.
    Safetensors,
    /// An archive whose first entry is JSON.
    Archive,
}

/// One of the files, damaged.
pub fn damaged(corpus: &[Vec<u8>], format: Format, rng: &mut Rng) -> Vec<u8> {
    let mut bytes = rng.pick(corpus).clone();
    for _ in 0..=rng.below(4) {
        let is_structural = format != Format::Bytes && !rng.one_in(3);
        match format {
            _ if !is_structural => at_random(&mut bytes, corpus, rng),
            Format::Json => json(&mut bytes, rng),
            Format::Safetensors => safetensors(&mut bytes, rng),
            Format::Archive => archive(&mut bytes, rng),
            _ => parts(&mut bytes, format, rng),
        }
    }
    if format == Format::Png && !rng.one_in(8) {
        checksums(&mut bytes);
    }
    // Larger files find nothing new.
    bytes.truncate(1 << 20);
    bytes
}

fn range(length: usize, rng: &mut Rng) -> Range<usize> {
    let start = rng.below(length + 1);
    let most = if rng.one_in(4) { length } else { 16 };
    let end = (start + rng.below(most + 1)).min(length);
    start..end
}

fn at_random(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], rng: &mut Rng) {
    let length = bytes.len();
    let at = rng.below(length);
    match rng.below(9) {
        0 if length > 0 => bytes[at] ^= 1 << rng.below(8),
        1 if length > 0 => bytes[at] = rng.edge_value(length) as u8,
        2 | 3 => number(bytes, at, rng),
        4 => drop(bytes.drain(range(length, rng))),
        5 => {
            let copy = bytes[range(length, rng)].to_vec();
            bytes.splice(at..at, copy);
        }
        6 => {
            let noise: Vec<u8> = (0..rng.below(16)).map(|_| rng.next() as u8).collect();
            bytes.splice(at..at, noise);
        }
        7 => bytes.truncate(at),
        _ => {
            let other = rng.pick(corpus);
            let from = other[range(other.len(), rng)].to_vec();
            let to = range(length, rng);
            bytes.splice(to, from);
        }
    }
}

/// Overwrites some bytes with an unusual number, of any size and byte order.
fn number(bytes: &mut [u8], at: usize, rng: &mut Rng) {
    let value = rng.edge_value(bytes.len());
    let size = *rng.pick(&[2, 4, 4, 8]);
    let number = if rng.one_in(2) {
        value.to_be_bytes()[8 - size..].to_vec()
    } else {
        value.to_le_bytes()[..size].to_vec()
    };
    if let Some(to) = bytes.get_mut(at..at + size) {
        to.copy_from_slice(&number);
    }
}

/// Removes, duplicates, moves or changes whole parts.
fn parts(bytes: &mut Vec<u8>, format: Format, rng: &mut Rng) {
    let parts = match format {
        Format::Mp4 => boxes(bytes, 0..bytes.len()),
        Format::Png => chunks(bytes, 8, 12, u32::from_be_bytes, 0),
        _ => chunks(bytes, 12, 8, u32::from_le_bytes, 4),
    };
    if parts.is_empty() {
        return;
    }
    let part = rng.pick(&parts).clone();
    match rng.below(6) {
        0 => replace(bytes, &parts, part, &[], format),
        1 => {
            let copy = bytes[part.clone()].to_vec();
            let at = rng.pick(&parts).start;
            replace(bytes, &parts, at..at, &copy, format);
        }
        2 => {
            let copy = bytes[rng.pick(&parts).clone()].to_vec();
            replace(bytes, &parts, part, &copy, format);
        }
        // A number in it, aligned as in most formats.
        _ => {
            let words = part.len() / 4;
            number(bytes, part.start + 4 * rng.below(words), rng);
        }
    }
}

/// Replaces some bytes by others, and updates the lengths of all enclosing boxes.
fn replace(
    bytes: &mut Vec<u8>,
    parts: &[Range<usize>],
    place: Range<usize>,
    with: &[u8],
    format: Format,
) {
    if format == Format::Mp4 {
        for around in parts {
            if around.start < place.start && place.end <= around.end {
                let length = around.len() + with.len() - place.len();
                let size = (length as u32).to_be_bytes();
                bytes[around.start..around.start + 4].copy_from_slice(&size);
            }
        }
    }
    bytes.splice(place, with.iter().copied());
    if format == Format::Riff
        && let Some(size) = bytes.len().checked_sub(8)
    {
        bytes[4..8].copy_from_slice(&(size as u32).to_le_bytes());
    }
}

/// The boxes of an MP4, and the boxes in them.
fn boxes(bytes: &[u8], within: Range<usize>) -> Vec<Range<usize>> {
    const CONTAINERS: [&[u8]; 12] = [
        b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf", b"mvex", b"udta",
        b"wave", b"dinf",
    ];
    let (mut found, mut at) = (Vec::new(), within.start);
    while let Some(&[a, b, c, d]) = bytes.get(at..at + 4).and_then(<[u8]>::first_chunk) {
        let size = u32::from_be_bytes([a, b, c, d]) as usize;
        let end = at.saturating_add(size);
        if size < 8 || end > within.end {
            break;
        }
        found.push(at..end);
        let kind = &bytes[at + 4..at + 8];
        if CONTAINERS.contains(&kind) {
            found.extend(boxes(bytes, at + 8..end));
        } else if kind == b"stsd" && size > 16 {
            found.extend(boxes(bytes, at + 16..end));
        } else if kind == b"avc1" && size > 86 {
            found.extend(boxes(bytes, at + 86..end));
        }
        at = end;
    }
    found
}

/// A sequence of chunks, each with `around` bytes in addition to its body and its length at `length_at`.
fn chunks(
    bytes: &[u8],
    first: usize,
    around: usize,
    length: fn([u8; 4]) -> u32,
    length_at: usize,
) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), first);
    while let Some(&size) = bytes.get(at + length_at..).and_then(<[u8]>::first_chunk) {
        let body = length(size) as usize;
        // RIFF pads chunks to even lengths.
        let body = if length_at == 4 {
            body + body % 2
        } else {
            body
        };
        let end = at.saturating_add(body).saturating_add(around);
        if end > bytes.len() {
            break;
        }
        found.push(at..end);
        at = end;
    }
    found
}

/// Recomputes the checksum of every chunk of a PNG.
fn checksums(bytes: &mut [u8]) {
    for chunk in chunks(bytes, 8, 12, u32::from_be_bytes, 0) {
        let end = chunk.end - 4;
        let sum = crc32fast::hash(&bytes[chunk.start + 4..end]);
        bytes[end..chunk.end].copy_from_slice(&sum.to_be_bytes());
    }
}

fn json(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let mut nodes = 0;
    visit(&mut value, &mut |_| nodes += 1);
    let (wanted, from) = (rng.below(nodes), rng.below(nodes));
    let (mut at, mut copy) = (0, Value::Null);
    visit(&mut value, &mut |node| {
        if at == from {
            copy = node.clone();
        }
        at += 1;
    });
    let new = edge_json(copy, rng);
    at = 0;
    visit(&mut value, &mut |node| {
        if at == wanted {
            change(node, new.clone(), rng);
        }
        at += 1;
    });
    if let Ok(text) = serde_json::to_vec(&value) {
        *bytes = text;
    }
}

fn visit(value: &mut Value, each: &mut dyn FnMut(&mut Value)) {
    each(value);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| visit(item, each)),
        Value::Object(fields) => fields.values_mut().for_each(|field| visit(field, each)),
        _ => {}
    }
}

fn edge_json(copy: Value, rng: &mut Rng) -> Value {
    match rng.below(10) {
        0 => Value::Null,
        1 => Value::Bool(rng.one_in(2)),
        2 => Value::from(rng.edge_value(100) as i64),
        3 => Value::from(rng.edge_value(100)),
        4 => Value::from(*rng.pick(&[0.0, -0.0, 1e-320, 1e308, -1e308, 0.5, -1.0, 1e17])),
        5 => Value::from(*rng.pick(&["", "../..", "/dev/zero", "\u{0}", "media/a.png", "é\n"])),
        6 => Value::from("x".repeat(rng.below(100_000))),
        7 => Value::Array(vec![copy; rng.below(5)]),
        8 => Value::Object(Map::from_iter([("a".to_owned(), copy)])),
        _ => copy,
    }
}

fn change(node: &mut Value, new: Value, rng: &mut Rng) {
    match node {
        Value::Object(fields) if !fields.is_empty() && rng.one_in(2) => {
            let keys: Vec<String> = fields.keys().cloned().collect();
            let key = rng.pick(&keys);
            if rng.one_in(2) {
                fields.remove(key);
            } else {
                fields.insert(format!("{key}{}", rng.pick(&["", "2", "../"])), new);
            }
        }
        Value::Array(items) if !items.is_empty() && rng.one_in(2) => {
            let at = rng.below(items.len());
            match rng.below(3) {
                0 => drop(items.remove(at)),
                1 => items.insert(at, new),
                _ => items.extend(vec![new; rng.below(50)]),
            }
        }
        node => *node = new,
    }
}

fn safetensors(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let Some(&length) = bytes.first_chunk() else {
        return;
    };
    let end = usize::try_from(u64::from_le_bytes(length)).unwrap_or(usize::MAX);
    let Some(header) = end.checked_add(8).and_then(|end| bytes.get(8..end)) else {
        return;
    };
    let mut header = header.to_vec();
    json(&mut header, rng);
    header.resize(header.len().next_multiple_of(8), b' ');
    let length = (header.len() as u64).to_le_bytes();
    bytes.splice(..8 + end, [&length[..], &header].concat());
}

fn archive(bytes: &mut Vec<u8>, rng: &mut Rng) {
    use std::io::{Cursor, Read, Write};

    let Ok(mut from) = zip::ZipArchive::new(Cursor::new(&bytes[..])) else {
        return;
    };
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let wanted = rng.below(from.len());
    for index in 0..from.len() {
        let Ok(mut entry) = from.by_index(index) else {
            return;
        };
        let Ok(mut name) = entry.name().map(|name| name.into_owned()) else {
            return;
        };
        let mut content = Vec::new();
        if (&mut entry)
            .take(1 << 20)
            .read_to_end(&mut content)
            .is_err()
        {
            return;
        }
        if name == "project.json" && !rng.one_in(4) {
            json(&mut content, rng);
        } else if index == wanted {
            match rng.below(4) {
                0 => continue,
                1 => {
                    name = (*rng.pick(&["../a", "/a", "media/", "a\\b", "media/a.png"])).to_owned()
                }
                _ => {
                    let at = rng.below(content.len());
                    number(&mut content, at, rng);
                }
            }
        }
        if to.start_file(name, stored).is_err() || to.write_all(&content).is_err() {
            return;
        }
    }
    if let Ok(done) = to.finish() {
        *bytes = done.into_inner();
    }
}
