//! The provenance of weights: a file's digest, and facts about published files by digest.

use std::fmt::Write;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::WeightsError;
use crate::regular_file;

/// Returns the SHA-256 of a file in lower-case hexadecimal, without reading it into memory at once.
///
/// # Errors
/// [`WeightsError::Missing`] or [`WeightsError::Unreadable`].
pub fn digest(path: &Path) -> Result<String, WeightsError> {
    let hash = || -> io::Result<String> {
        let (mut file, _) = regular_file::open(path, u64::MAX)?;
        let mut hasher = Sha256::new();
        let mut piece = vec![0; 1 << 20];
        loop {
            match file.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => hasher.update(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let mut text = String::with_capacity(64);
        for byte in hasher.finalize() {
            // Writing to a String does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(text)
    };
    hash().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => WeightsError::Missing(path.to_owned()),
        _ => WeightsError::Unreadable {
            path: path.to_owned(),
            source,
        },
    })
}

/// Facts about a published file that aren't in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedFile {
    /// The authors, and the publication.
    pub origin: &'static str,
    /// The licence of its publishers.
    pub licence: &'static str,
}

/// Looks up a published file by its SHA-256 in hexadecimal; `None` for all others.
pub fn published_file(sha256: &str) -> Option<PublishedFile> {
    let files = [(
        "abb41ab1f279f26326c0d6e4d20702de6658364665aa1313daa7a63e89ea2b23",
        PublishedFile {
            origin: "First Order Motion Model (Siarohin et al., NeurIPS 2019), the authors' vox-cpk.pth.tar, trained on VoxCeleb",
            licence: "MIT (the authors' repository since 2023; before that CC BY-NC 4.0)",
        },
    )];
    let found = files
        .into_iter()
        .find(|(digest, _)| digest.eq_ignore_ascii_case(sha256));
    found.map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_a_file_is_its_sha256() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vox-cpk.pth.tar");
        let gone = digest(&path).unwrap_err();
        assert!(matches!(gone, WeightsError::Missing(_)));
        // The examples of FIPS 180-2: three bytes, and a million of them, which isn't a multiple of the chunk
        // size.
        for (bytes, want) in [
            (
                b"abc".to_vec(),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                vec![b'a'; 1_000_000],
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
            ),
        ] {
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(digest(&path).unwrap(), want);
            assert_eq!(published_file(want), None);
        }
        let vox = "ABB41AB1F279F26326C0D6E4D20702DE6658364665AA1313DAA7A63E89EA2B23";
        assert!(published_file(vox).unwrap().origin.contains("vox-cpk"));
    }
}
