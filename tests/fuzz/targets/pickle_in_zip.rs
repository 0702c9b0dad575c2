//! Any bytes as the pickle in a valid zip file, with four storages of 64 bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let numbers: Vec<u8> = (0..64).collect();
    mien_fuzz::check(&zip(&[
        ("a/data.pkl", bytes),
        ("a/data/0", &numbers),
        ("a/data/1", &numbers),
        ("a/data/2", &numbers),
        ("a/data/3", &numbers),
    ]));
});

/// A zip file with uncompressed entries.
fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut file, mut list) = (Vec::new(), Vec::new());
    for (name, bytes) in entries {
        let at = file.len() as u32;
        let size = (bytes.len() as u32).to_le_bytes();
        let common = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &crc32(bytes).to_le_bytes(),
            &size,
            &size,
            &(name.len() as u16).to_le_bytes(),
            &[0; 2],
        ]
        .concat();
        file.extend([b"PK\x03\x04", &common[..], name.as_bytes(), bytes].concat());
        list.extend(
            [
                b"PK\x01\x02\x14\0",
                &common[..],
                &[0; 10],
                &at.to_le_bytes(),
            ]
            .concat(),
        );
        list.extend(name.as_bytes());
    }
    let at = (file.len() as u32).to_le_bytes();
    let size = (list.len() as u32).to_le_bytes();
    let count = (entries.len() as u16).to_le_bytes();
    file.extend(list);
    file.extend(
        [
            b"PK\x05\x06\0\0\0\0",
            &count[..],
            &count,
            &size,
            &at,
            &[0; 2],
        ]
        .concat(),
    );
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}
