//! Detects the type of a file opened as a clip by its first bytes, never by its name.

use image::ImageFormat;

use crate::media::image::sniff;

/// Bytes read of a file to detect its type.
pub(super) const HEAD_BYTES: u64 = 1 << 16;

/// The type of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ClipKind {
    /// An empty file.
    Empty,
    /// MP4, MOV and related formats, with any codec.
    Mp4,
    Gif,
    /// Animated or not.
    Png,
    /// Animated or not.
    WebP,
    /// A picture of a format without animation.
    Still,
    /// A clip that only ffmpeg opens; its name follows "is" in messages.
    NeedsFfmpeg(String),
    /// Not a clip; the name follows "is" in messages, the advice ends the sentence.
    Other {
        kind: &'static str,
        advice: &'static str,
    },
    Unknown,
}

/// Advice on what to open instead.
const CLIPS: &str = "open an MP4, MOV, GIF, animated PNG or WebP, or a folder of numbered pictures";

/// Boxes other than `ftyp` that an MP4 or MOV may start with.
const FIRST_BOXES: [&[u8; 4]; 9] = [
    b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"sidx", b"moof",
];

/// Detects a file's type by its first bytes, up to 64 KB.
pub(super) fn clip_kind(head: &[u8]) -> ClipKind {
    let other = |kind, advice| ClipKind::Other { kind, advice };
    if head.is_empty() {
        return ClipKind::Empty;
    }
    match sniff::picture_format(head) {
        Some(ImageFormat::Gif) => return ClipKind::Gif,
        Some(ImageFormat::Png) => return ClipKind::Png,
        Some(ImageFormat::WebP) => return ClipKind::WebP,
        Some(_) => return ClipKind::Still,
        None => {}
    }
    let first = head.get(4..8).unwrap_or_default();
    if first == b"ftyp" {
        // The other types with this box are photos.
        return match sniff::other_kind(head) {
            Some((kind, _)) if kind != sniff::VIDEO => other(kind, CLIPS),
            _ => ClipKind::Mp4,
        };
    }
    if FIRST_BOXES.iter().any(|kind| kind.as_slice() == first) {
        return ClipKind::Mp4;
    }
    if let Some(name) = foreign(head) {
        return ClipKind::NeedsFfmpeg(name);
    }
    if is_sound(head) {
        return other("a sound recording", CLIPS);
    }
    if head.starts_with(b"version https://git-lfs.github.com/") {
        return other(
            "a Git LFS pointer",
            "fetch the clip itself with \"git lfs pull\"",
        );
    }
    if let Some((kind, _)) = sniff::other_kind(head) {
        return other(kind, CLIPS);
    }
    if sniff::is_web_page(head) {
        return other(
            "a web page",
            "download the clip itself instead of the page that shows it",
        );
    }
    ClipKind::Unknown
}

/// The name of a clip that only ffmpeg opens.
fn foreign(head: &[u8]) -> Option<String> {
    let name = match head {
        [0x1a, 0x45, 0xdf, 0xa3, ..] => return Some(matroska(head)),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'A',
            b'V',
            b'I',
            b' ',
            ..,
        ] => "an AVI video",
        [b'O', b'g', b'g', b'S', ..] if contains(head, b"theora") => "Theora video",
        [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, ..] => "a Windows Media video",
        [b'F', b'L', b'V', 1, ..] => "a Flash video",
        [0, 0, 1, 0xba | 0xb3, ..] => "MPEG video",
        [0, 0, 0, 1, 0x67, ..] | [0, 0, 0, 1, 9, ..] => "a bare H.264 stream",
        [b'Y', b'U', b'V', b'4', b'M', b'P', b'E', b'G', b'2', ..] => "uncompressed Y4M video",
        _ if [0, 188, 376].iter().all(|&at| head.get(at) == Some(&0x47)) => {
            "an MPEG transport stream"
        }
        _ => return None,
    };
    Some(name.to_owned())
}

/// The codec of a Matroska or WebM, whose track list is near the start.
fn matroska(head: &[u8]) -> String {
    let codecs: [(&[u8], &str); 6] = [
        (b"V_VP9", "VP9"),
        (b"V_VP8", "VP8"),
        (b"V_AV1", "AV1"),
        (b"V_MPEGH/ISO/HEVC", "HEVC"),
        (b"V_MPEG4/ISO/AVC", "H.264"),
        (b"V_MPEG4/ISO", "MPEG-4"),
    ];
    let container = if contains(head, b"webm") {
        "WebM"
    } else {
        "Matroska"
    };
    match codecs.iter().find(|(id, _)| contains(head, id)) {
        Some((_, codec)) => format!("{codec} video in {container}"),
        None => format!("a {container} video"),
    }
}

fn is_sound(head: &[u8]) -> bool {
    matches!(
        head,
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'A',
            b'V',
            b'E',
            ..
        ] | [b'f', b'L', b'a', b'C', ..]
            | [b'I', b'D', b'3', 2..=4, ..]
            | [b'O', b'g', b'g', b'S', ..]
            | [0xff, 0xfb | 0xf3 | 0xf2, ..]
    )
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_clip_is_detected_by_content() {
        let foreign = |name: &str| ClipKind::NeedsFfmpeg(name.to_owned());
        for (head, expected) in [
            (b"".as_slice(), ClipKind::Empty),
            (b"\0\0\0\x18ftypisom\0\0\0\0", ClipKind::Mp4),
            (b"\0\0\0\x14ftypqt  \0\0\0\0", ClipKind::Mp4),
            (b"\0\0\0\x08wide\0\0\0\0mdat", ClipKind::Mp4),
            (b"GIF89a", ClipKind::Gif),
            (b"\xff\xd8\xff\xe0", ClipKind::Still),
            (
                b"\x1a\x45\xdf\xa3....webm....V_VP9",
                foreign("VP9 video in WebM"),
            ),
            (b"\x1a\x45\xdf\xa3....matroska", foreign("a Matroska video")),
            (b"RIFF\0\0\0\0AVI LIST", foreign("an AVI video")),
            (b"Dear diary", ClipKind::Unknown),
        ] {
            assert_eq!(clip_kind(head), expected);
        }
    }
}
