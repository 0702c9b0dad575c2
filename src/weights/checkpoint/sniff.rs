//! Detects a file's type from its bytes; the name is no guide, least of all ".tar".

use super::fault::Fault;

/// The file types that weights come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileType {
    Zip,
    Pickle,
    Safetensors,
}

const AGAIN: &str = "download the file itself instead";
const ANOTHER: &str = "choose the file with the network's weights";

/// Detects the file type.
///
/// # Errors
/// [`Fault::NotCheckpoint`] with the actual type, where it is recognised.
pub(super) fn kind(bytes: &[u8]) -> Result<FileType, Fault> {
    if bytes.get(8) == Some(&b'{') && bytes.get(5..8) == Some(&[0; 3]) {
        return Ok(FileType::Safetensors);
    }
    match bytes {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => return Ok(FileType::Zip),
        [0x80, 0..=5, ..] => return Ok(FileType::Pickle),
        _ => {}
    }
    let (what, advice) = other(bytes);
    Err(Fault::NotCheckpoint(what, advice))
}

fn other(bytes: &[u8]) -> (&'static str, &'static str) {
    let start = bytes.get(..512).unwrap_or(bytes).to_ascii_lowercase();
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
    let text = text.trim_ascii_start();
    let web = [&b"<!doctype"[..], b"<html", b"<head", b"<?xml", b"<!--"];
    if bytes.is_empty() {
        ("empty", "copy or download it again")
    } else if web.iter().any(|tag| text.starts_with(tag)) {
        ("a web page", AGAIN)
    } else if text.starts_with(b"version https://git-lfs") {
        (
            "a Git LFS pointer",
            "run \"git lfs pull\" in its repository",
        )
    } else if bytes.get(257..262) == Some(b"ustar") {
        (
            "a tar archive of other files",
            "choose the checkpoint that its authors published (one whose name ends in \".pth.tar\" is used as it is)",
        )
    } else if text.starts_with(b"{") || text.starts_with(b"[") {
        ("a JSON file", AGAIN)
    } else if bytes.starts_with(b"\x1f\x8b")
        || bytes.starts_with(b"BZh")
        || bytes.starts_with(b"\xfd7zXZ")
    {
        ("a compressed file", "get it as its authors published it")
    } else if bytes.starts_with(b"Rar!") || bytes.starts_with(b"7z\xbc\xaf") {
        ("an archive of other files", ANOTHER)
    } else if bytes.starts_with(b"\x89HDF") {
        ("an HDF5 file, as Keras writes", ANOTHER)
    } else if bytes.starts_with(b"GGUF") {
        ("a GGUF file, as language models come in", ANOTHER)
    } else if bytes.starts_with(b"\x89PNG") || bytes.starts_with(b"\xff\xd8\xff") {
        ("a picture", ANOTHER)
    } else if bytes.len() < 16 {
        ("only a few bytes long", "copy or download it again")
    } else if bytes.iter().take(4096).all(|&byte| byte == 0) {
        ("all zeros at its start", "copy or download it again")
    } else {
        ("of an unknown type", ANOTHER)
    }
}
