//! Round trips through each container, and what is specific to each.

use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use mien::media::provenance::{Provenance, ProvenanceError, SourceType};
use proptest::prelude::*;

use super::{all, assert_says, files, note};
use crate::common::media::provenance::{Found, packet, read};

/// How often `needle` occurs in `bytes`.
fn count(bytes: &[u8], needle: &[u8]) -> usize {
    let windows = bytes.windows(needle.len());
    windows.filter(|window| *window == needle).count()
}

fn position(bytes: &[u8], needle: &[u8]) -> usize {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
        .unwrap()
}

#[test]
fn a_note_keeps_the_image_and_is_read_back() {
    for (name, before) in all() {
        assert_eq!(read(&before), None, "{name}");
        let displayed = files::displayed(&before);
        assert!(!displayed.is_empty(), "{name}");

        let after = note().put(&before).expect(name);
        assert_eq!(files::displayed(&after), displayed, "{name}");
        assert_says(&after, &note(), name);
    }
}

#[test]
fn a_second_note_replaces_the_first() {
    let second = Provenance {
        software: "Mien 9.9".into(),
        models: Vec::new(),
        source_type: SourceType::TrainedAlgorithmicMedia,
    };
    for (name, before) in all() {
        let once = second.put(&before).unwrap();
        let after = second.put(&note().put(&before).unwrap()).unwrap();
        assert_says(&after, &second, name);
        assert_eq!(
            files::displayed(&after),
            files::displayed(&before),
            "{name}"
        );
        if name.starts_with("mp4") {
            // The space of the first note remains, but is not read as XMP any more.
            let uuid = b"uuid\xbe\x7a\xcf\xcb";
            assert_eq!(count(&after, uuid), 1, "{name}");
        } else {
            assert_eq!(after, once, "{name}");
        }
    }
}

#[test]
fn an_xmp_packet_follows_its_standards() {
    let note = Provenance {
        software: "Mien <1> & \"co\"".into(),
        ..note()
    };
    let packet = note.packet();
    assert!(packet.starts_with("<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>"));
    assert!(packet.ends_with("<?xpacket end=\"r\"?>"));
    assert!(packet.contains(
        "<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>"
    ));
    assert!(
        packet.contains("<xmp:CreatorTool>Mien &lt;1&gt; &amp; &quot;co&quot;</xmp:CreatorTool>")
    );
}

#[test]
fn other_file_formats_are_refused() {
    for bytes in [
        b"".as_slice(),
        b"GIF89a",
        b"II*\0\x08\0\0\0\0\0\0\0\0\0",
        b"hello, here is no picture",
    ] {
        let error = note().put(bytes).unwrap_err();
        assert!(matches!(error, ProvenanceError::UnknownKind), "{error}");
        assert_eq!(read(bytes), None);
    }
}

#[test]
fn a_jpeg_keeps_jfif_and_exif_first_and_drops_other_xmp() {
    let plain = files::jpeg();
    assert_eq!(plain[2..4], [0xff, 0xe0]);
    let segment = |marker: u8, data: &[u8]| {
        let length = (data.len() as u16 + 2).to_be_bytes();
        [[0xff, marker].as_slice(), &length, data].concat()
    };
    let jfif = 4 + usize::from(u16::from_be_bytes([plain[4], plain[5]]));
    let exif = segment(0xe1, b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0");
    let colour = segment(0xe2, b"ICC_PROFILE\0\x01\x01not one");
    let file = [
        &plain[..jfif],
        &segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0<theirs/>"),
        &exif,
        &segment(0xe1, b"http://ns.adobe.com/xmp/extension/\0theirs"),
        &[0xff, 0xff],
        &colour,
        &plain[jfif..],
    ]
    .concat();

    let after = note().put(&file).unwrap();
    assert_says(&after, &note(), "jpeg");
    assert_eq!(count(&after, b"theirs"), 0);
    let packet = position(&after, b"http://ns.adobe.com/xap/1.0/\0");
    assert_eq!(packet, jfif + exif.len() + 4);
    assert!(packet < position(&after, &colour));
    assert_eq!(files::displayed(&after), files::displayed(&plain));
}

#[test]
fn a_note_in_a_jpeg_is_limited_to_64_kib() {
    // Relative to the size of a note with one model of one letter.
    let with = |letters: usize| Provenance {
        models: vec!["a".repeat(letters)],
        ..note()
    };
    let limit = 65_533 - b"http://ns.adobe.com/xap/1.0/\0".len();
    // The name is once in the history and twice in the sentence.
    let most = 1 + (limit - with(1).packet().len()) / 3;
    assert_says(
        &with(most).put(&files::jpeg()).unwrap(),
        &with(most),
        "jpeg",
    );
    let error = with(most + 1).put(&files::jpeg()).unwrap_err();
    assert!(
        matches!(error, ProvenanceError::TooLong { kind: "JPEG" }),
        "{error}"
    );
    assert_says(
        &with(most + 1).put(&files::png()).unwrap(),
        &with(most + 1),
        "png",
    );
}

#[test]
fn a_png_keeps_its_other_chunks_and_trailing_data() {
    let file = [files::apng(), b"behind the end".to_vec()].concat();
    let after = note().put(&file).unwrap();
    assert!(after.ends_with(b"behind the end"));
    assert_eq!(&after[..33], &file[..33]);
    assert_eq!(&after[37..41], b"iTXt");
    // Everything except the note is unchanged.
    let length = u32::from_be_bytes(after[33..37].try_into().unwrap()) as usize;
    assert_eq!([&after[..33], &after[33 + 12 + length..]].concat(), file);

    let mut reader = png::Decoder::new(Cursor::new(&after)).read_info().unwrap();
    reader.finish().unwrap();
    let info = reader.info();
    assert_eq!(info.uncompressed_latin1_text[0].text, "kept");
    let text = &info.utf8_text[0];
    assert_eq!(text.keyword, "XML:com.adobe.xmp");
    assert_eq!(text.get_text().unwrap(), note().packet());
}

#[test]
fn a_png_without_header_pixels_or_end_is_refused() {
    let file = files::png();
    let pixels = position(&file, b"IDAT") - 4;
    let end = position(&file, b"IEND") - 4;
    for damaged in [
        [&file[..8], &file[33..]].concat(),
        [&file[..pixels], &file[end..]].concat(),
        file[..end].to_vec(),
    ] {
        let error = note().put(&damaged).unwrap_err();
        assert!(
            matches!(error, ProvenanceError::Damaged { kind: "PNG", .. }),
            "{error}"
        );
    }
}

#[test]
fn a_webp_gets_the_vp8x_header_that_xmp_needs() {
    for (file, size, flags) in [
        (files::webp_lossless(3), (13, 7), 0x04),
        (files::webp_lossless(4), (13, 7), 0x14),
        (files::WEBP_LOSSY.to_vec(), (36, 20), 0x04),
        (files::WEBP_LOSSY_ALPHA.to_vec(), (16, 8), 0x14),
        (files::webp_animated(), (13, 7), 0x16),
    ] {
        let after = note().put(&file).unwrap();
        assert_eq!(after[4..8], (after.len() as u32 - 8).to_le_bytes());
        assert_eq!(after.len() % 2, 0);
        assert_eq!(&after[12..20], b"VP8X\x0a\0\0\0");
        assert_eq!(after[20], flags);
        let side = |at: usize| u32::from_le_bytes([after[at], after[at + 1], after[at + 2], 0]) + 1;
        assert_eq!((side(24), side(27)), size);
        assert_eq!(count(&after, b"VP8X"), 1);
        assert!(position(&after, b"XMP ") > position(&after, b"VP8"));
    }
}

#[test]
fn a_gif_keeps_its_loop_extension_first_and_other_comments() {
    let mut encoder = gif::Encoder::new(Vec::new(), 1, 1, &[0, 0, 0, 9, 9, 9]).unwrap();
    encoder.set_repeat(gif::Repeat::Finite(3)).unwrap();
    let comment = || gif::AnyExtension::from(gif::Extension::Comment);
    encoder
        .write_raw_extension(comment(), &[b"drawn by hand"])
        .unwrap();
    encoder
        .write_frame(&gif::Frame::from_indexed_pixels(1, 1, vec![1], None))
        .unwrap();
    let file = encoder.into_inner().unwrap();

    let after = note().put(&file).unwrap();
    let places = [
        position(&after, b"NETSCAPE2.0"),
        position(&after, b"Edited with Mien"),
        position(&after, b"drawn by hand"),
    ];
    assert!(places.is_sorted(), "{places:?}");
    assert_eq!(files::displayed(&after), files::displayed(&file));
}

#[test]
fn a_gif87a_becomes_a_gif89a_to_hold_comments() {
    let file = [b"GIF87a".as_slice(), &files::gif(false)[6..]].concat();
    let after = note().put(&file).unwrap();
    assert!(after.starts_with(b"GIF89a"));
    assert_says(&after, &note(), "gif");
}

#[test]
fn the_comment_written_by_the_gif_encoder_is_read_back() {
    let note = Provenance {
        // Longer than a block.
        models: (0..40).map(|i| format!("model-{i}")).collect(),
        ..note()
    };
    let mut encoder = gif::Encoder::new(Vec::new(), 1, 1, &[0, 0, 0, 9, 9, 9]).unwrap();
    encoder.set_repeat(gif::Repeat::Infinite).unwrap();
    encoder
        .write_raw_extension(
            gif::Extension::Comment.into(),
            &[note.gif_comment().as_bytes()],
        )
        .unwrap();
    encoder
        .write_frame(&gif::Frame::from_indexed_pixels(1, 1, vec![1], None))
        .unwrap();
    let file = encoder.into_inner().unwrap();
    assert_says(&file, &note, "gif");
    assert_eq!(note.put(&file).unwrap(), file);
}

#[test]
fn a_gif_keeps_the_xmp_of_another_program() {
    // XMP is stored without blocks after the application's name; a table of 257 descending bytes leads parsers to its end.
    let table: Vec<u8> = std::iter::once(1).chain((0..=255).rev()).collect();
    let extension = [
        b"\x21\xff\x0bXMP DataXMP".as_slice(),
        note().packet().as_bytes(),
        &table,
        &[0],
    ]
    .concat();
    let plain = files::gif(false);
    let start = 13 + (3 << ((plain[10] & 7) + 1));
    let file = [&plain[..start], &extension, &plain[start..]].concat();
    let after = note().put(&file).unwrap();
    assert_eq!(files::displayed(&after), files::displayed(&plain));
    assert_eq!(count(&after, &extension), 1);
    assert_says(&after, &note(), "gif");
}

#[test]
fn a_note_in_an_mp4_is_appended_at_its_end() {
    for index_first in [true, false] {
        let before = files::mp4(index_first);
        let index = position(&before, b"moov");
        assert_eq!(index < position(&before, b"mdat"), index_first);
        assert_eq!(files::displayed(&before).len(), 3);

        let after = note().put(&before).unwrap();
        assert_eq!(&after[..before.len()], before);
        assert_eq!(&after[before.len()..], note().mp4_box().unwrap());
    }
}

#[test]
fn the_open_ended_last_box_of_an_mp4_gets_its_size() {
    let before = files::mp4(true);
    let data = position(&before, b"mdat") - 4;
    // Only the short form of a size can be 0, "to the end of the file".
    assert_eq!(before[data..data + 4], [0, 0, 0, 1]);
    let open = [
        &before[..data],
        b"\0\0\0\0mdat\0\0\0\0\0\0\0\0",
        &before[data + 16..],
    ]
    .concat();

    let after = note().put(&open).unwrap();
    let size = (open.len() - data) as u32;
    assert_eq!(after[data..data + 4], size.to_be_bytes());
    assert_eq!(&after[data + 4..open.len()], &open[data + 4..]);
    assert_says(&after, &note(), "mp4");
    assert_eq!(files::displayed(&after), files::displayed(&before));
}

#[test]
fn a_fragmented_mp4_or_one_without_an_index_is_refused() {
    let file = files::mp4(true);
    let fragments = [file.as_slice(), b"\0\0\0\x08moof"].concat();
    let error = note().put(&fragments).unwrap_err();
    assert!(matches!(error, ProvenanceError::Fragmented), "{error}");
    let error = note().put(b"\0\0\0\x10ftypisom\0\0\0\0").unwrap_err();
    assert!(
        matches!(error, ProvenanceError::Damaged { kind: "MP4", .. }),
        "{error}"
    );
}

#[test]
fn an_mp4_on_disk_is_not_read_into_memory() {
    // 6 GB of zeros: more than a test can allocate, and offsets beyond 32 bits.
    let mut file = tempfile::tempfile().unwrap();
    let head = [
        files::mp4(true).as_slice(),
        b"\0\0\0\x01free",
        &6_000_000_000u64.to_be_bytes(),
    ]
    .concat();
    file.write_all(&head).unwrap();
    let length = head.len() as u64 - 16 + 6_000_000_000;
    if file.set_len(length).is_err() {
        // The file system has no sparse files.
        return;
    }

    note().put_mp4(&mut file).unwrap();
    let end = file.seek(SeekFrom::End(0)).unwrap();
    assert_eq!(end, length + note().mp4_box().unwrap().len() as u64);
    let mut added = Vec::new();
    file.seek(SeekFrom::Start(length)).unwrap();
    file.read_to_end(&mut added).unwrap();
    assert_eq!(added, note().mp4_box().unwrap());
    // After size, type and UUID.
    let found = packet(&added[24..]).unwrap();
    assert_eq!(found.models, note().models);
}

/// A valid name: any printable characters that aren't all blank.
fn name() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[^\\p{C}\\p{Z}\u{fffe}\u{ffff}][^\\p{C}\u{fffe}\u{ffff}]{0,24}")
        .unwrap()
}

proptest! {
    #[test]
    fn any_names_round_trip_through_xmp(models in prop::collection::vec(name(), 0..5), version in name()) {
        let note = Provenance { software: format!("Mien {version}"), models, ..note() };
        for (kind, file) in [("png", files::png()), ("jpeg", files::jpeg()), ("webp", files::webp_lossless(3)), ("mp4", files::mp4(false))] {
            let after = note.put(&file).unwrap();
            let expected = Found {
                source: note.source_type.uri().into(),
                models: note.models.clone(),
                software: Some(note.software.clone()),
                sentence: Some(note.sentence()),
            };
            prop_assert_eq!(read(&after), Some(expected), "{}", kind);
        }
    }

    #[test]
    fn plain_names_round_trip_through_a_gif(models in prop::collection::vec("[!-'*+\\--~]{1,90}", 0..9)) {
        let note = Provenance { models, ..note() };
        assert_says(&note.put(&files::gif(true)).unwrap(), &note, "gif");
    }

    #[test]
    fn the_comment_of_a_gif_is_ascii(software in any::<String>()) {
        let note = Provenance { software, ..note() };
        prop_assert!(note.gif_comment().bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    }

    #[test]
    fn control_characters_leave_the_xmp_packet_readable(model in any::<String>()) {
        let note = Provenance { models: vec![format!("m{model}")], ..note() };
        let found = read(&note.put(&files::png()).unwrap());
        prop_assert_eq!(found.map(|found| found.models.len()), Some(1));
    }
}
