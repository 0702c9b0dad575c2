//! Checks the colour profile of a PNG before a decoder inflates it: a few megabytes of file can become gigabytes in
//! memory, which the decoder's limits don't count.

#![warn(clippy::cast_possible_truncation)]

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use flate2::read::ZlibDecoder;

/// The largest accepted profile, in bytes inflated; those of printers with their tables take about two million.
const MAX_BYTES: u64 = 4 << 20;

const SIGNATURE: u64 = 8;

/// The maximum number of chunks searched before the pixels.
const MAX_CHUNKS: usize = 1000;

/// Whether a PNG has no profile or one of at most [`MAX_BYTES`] bytes inflated. False also if no pixels follow within
/// [`MAX_CHUNKS`] chunks. Reads the file from its start.
///
/// # Errors
/// I/O errors.
pub(crate) fn is_bounded(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let mut at = SIGNATURE;
    for _ in 0..MAX_CHUNKS {
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 8];
        if let Err(error) = file.read_exact(&mut head) {
            // A truncated file is reported by the decoder.
            let is_end = error.kind() == io::ErrorKind::UnexpectedEof;
            return if is_end { Ok(true) } else { Err(error) };
        }
        let [a, b, c, d, kind @ ..] = head;
        let length = u32::from_be_bytes([a, b, c, d]);
        match &kind {
            b"iCCP" => {
                let mut chunk = io::BufReader::new(file.by_ref().take(length.into()));
                return inflates_within(&mut chunk);
            }
            b"IDAT" | b"IEND" => return Ok(true),
            _ => at += 12 + u64::from(length),
        }
    }
    Ok(false)
}

/// Whether the data after the name, a zero and the method inflate to at most [`MAX_BYTES`] bytes. Data that can't be
/// inflated count as what could be inflated before.
fn inflates_within(chunk: &mut impl BufRead) -> io::Result<bool> {
    let mut name = Vec::new();
    chunk.by_ref().take(80).read_until(0, &mut name)?;
    let mut method = [0];
    if chunk.read(&mut method)? == 0 {
        return Ok(true);
    }
    let mut inflated = ZlibDecoder::new(chunk).take(MAX_BYTES + 1);
    let mut piece = vec![0; 1 << 16];
    let mut total = 0;
    loop {
        match inflated.read(&mut piece) {
            Ok(0) => return Ok(total <= MAX_BYTES),
            Ok(count) => total += count as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Ok(total <= MAX_BYTES),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        // The checksum is checked by the decoder only.
        [&length[..], kind, body, &[0; 4]].concat()
    }

    fn with_profile(bytes: usize) -> Vec<u8> {
        let mut packed = ZlibEncoder::new(b"profile\0\0".to_vec(), Compression::fast());
        packed.write_all(&vec![0; bytes]).unwrap();
        let profile = packed.finish().unwrap();
        [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            chunk(b"IHDR", &[0; 13]),
            chunk(b"iCCP", &profile),
            chunk(b"IDAT", &[]),
        ]
        .concat()
    }

    #[test]
    fn profiles_of_an_ordinary_size_pass_and_bombs_do_not() {
        let most = usize::try_from(MAX_BYTES).unwrap();
        for (bytes, passes) in [(0, true), (3000, true), (most, true), (most + 1, false)] {
            let mut file = Cursor::new(with_profile(bytes));
            assert_eq!(is_bounded(&mut file).unwrap(), passes, "{bytes}");
        }
        // 64 MB of zeros, packed into some 300 KB.
        let bomb = with_profile(64 << 20);
        assert!(bomb.len() < 1 << 20 && !is_bounded(&mut Cursor::new(bomb)).unwrap());
        for odd in [&b""[..], b"\x89PNG\r\n\x1a\n", &with_profile(9)[..40]] {
            assert!(is_bounded(&mut Cursor::new(odd)).unwrap());
        }
    }
}
