//! Media that a project holds itself: base64 behind its readable part, unpacked into the data folder by their digest.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use base64::write::EncoderWriter;
use sha2::{Digest, Sha256};

use crate::error::EngineError;
use crate::media::atomic_file::AtomicFile;
use crate::media::error::MediaError;
use crate::project::file::digest;
use crate::project::file::digest::Content;
use crate::project::file::error::ProjectError;

/// How much a project can hold, in bytes.
pub(crate) const MOST: u64 = 1 << 30;

/// Writes `,` and the field with all of it, one medium a line.
pub(crate) fn write(
    held: &BTreeMap<String, (PathBuf, Content)>,
    to: &mut impl Write,
) -> io::Result<()> {
    to.write_all(b",\n  \"embedded\": {")?;
    for (i, (sha256, (path, content))) in held.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        write!(to, "{comma}\n    \"{sha256}\": \"")?;
        let mut hasher = Sha256::new();
        let mut encoder = EncoderWriter::new(&mut *to, &BASE64_STANDARD);
        let mut file = File::open(path)?;
        let mut piece = vec![0; 1 << 18];
        loop {
            let count = match file.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            hasher.update(&piece[..count]);
            encoder.write_all(&piece[..count])?;
        }
        encoder.finish()?;
        drop(encoder);
        to.write_all(b"\"")?;
        if hexadecimal(&hasher.finalize()) != content.sha256 {
            let words = format!("{} changed meanwhile", path.display());
            return Err(io::Error::other(words));
        }
    }
    to.write_all(b"\n  }")
}

/// Unpacks a medium into a folder and returns its place. One that is there already isn't written again.
///
/// # Errors
/// [`ProjectError::Impossible`] where the content isn't what the digest says, [`EngineError::Media`] when the file can't
/// be written.
pub(crate) fn unpack(
    project: &Path,
    folder: &Path,
    name: &str,
    content: &Content,
    base64: Option<&str>,
) -> Result<PathBuf, EngineError> {
    let impossible = |what: &str| ProjectError::Impossible {
        path: project.to_owned(),
        reason: format!("{what} of {name:?}, which it holds"),
    };
    if content.sha256.len() != 64 || !content.sha256.bytes().all(is_hexadecimal) {
        return Err(impossible("there is no digest").into());
    }
    let own = folder.join(&content.sha256);
    let path = own.join(safe(name));
    if digest::has(&path, content) {
        return Ok(path);
    }
    let bytes = base64
        .and_then(|text| BASE64_STANDARD.decode(text).ok())
        .ok_or_else(|| impossible("there is no readable content"))?;
    if bytes.len() as u64 != content.bytes || hexadecimal(&Sha256::digest(&bytes)) != content.sha256
    {
        return Err(impossible("the digest is not that of the content").into());
    }
    std::fs::create_dir_all(&own).map_err(|e| MediaError::writing(&own, e))?;
    AtomicFile::write(&path, |to| to.write_all(&bytes))?;
    Ok(path)
}

/// A name that leads nowhere but into its folder.
fn safe(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut kept = String::new();
    for c in last
        .chars()
        .filter(|c| !c.is_control() && !"<>:\"|?*".contains(*c))
    {
        if kept.len() + c.len_utf8() > 120 {
            break;
        }
        kept.push(c);
    }
    match kept.trim().trim_matches('.') {
        "" => "medium".to_owned(),
        kept => kept.to_owned(),
    }
}

fn is_hexadecimal(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for (given, kept) in [
            ("clip.mp4", "clip.mp4"),
            ("../../etc/passwd", "passwd"),
            ("..", "medium"),
            ("a\\b\\c.png", "c.png"),
            ("new\nline.png", "newline.png"),
            ("", "medium"),
        ] {
            assert_eq!(safe(given), kept);
        }
        // An ending that a reader goes by is lost only with a name that nobody gives.
        assert!(safe(&"é".repeat(300)).len() <= 120);
    }

    #[test]
    fn only_what_the_digest_says_is_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        let project = Path::new("a.mien");
        let content = Content {
            sha256: hexadecimal(&Sha256::digest(b"abc")),
            bytes: 3,
        };
        let unpack =
            |content: &Content, text| unpack(project, folder.path(), "a.png", content, text);
        for text in [None, Some("YWJk"), Some("?"), Some("YWJ")] {
            let error = unpack(&content, text).unwrap_err().to_string();
            assert!(error.contains("a.mien is damaged"), "{error}");
        }
        let path = unpack(&content, Some("YWJj")).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"abc");
        // It is there already.
        assert_eq!(unpack(&content, None).unwrap(), path);
        let outside = Content {
            sha256: "../outside".to_owned(),
            bytes: 3,
        };
        assert!(unpack(&outside, Some("YWJj")).is_err());
    }
}
