//! Paths as stored in a project: relative to the project's folder, with slashes on every system.

use std::path::{Component, Path, PathBuf};

/// The maximum number of `..` in a relative path.
const MAX_PARENTS: usize = 3;

/// The absolute path without `.` and `..`, computed from the text alone: the file needn't exist.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut out = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                // `..` at the root is ignored.
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// The relative path from a folder to a file near it, with slashes; `None` for one that is too far or isn't Unicode.
/// Both paths must come from [`absolute`].
pub(crate) fn relative(folder: &Path, path: &Path) -> Option<String> {
    let (mut up, mut from) = (0, folder);
    let below = loop {
        if let Ok(below) = path.strip_prefix(from) {
            break below;
        }
        up += 1;
        from = from.parent()?;
    };
    // Two paths that share only the root aren't near each other.
    let is_root = !from.components().any(|c| matches!(c, Component::Normal(_)));
    if up > MAX_PARENTS || (up > 0 && is_root) {
        return None;
    }
    let mut parts = vec!["..".to_owned(); up];
    for part in below.components() {
        let Component::Normal(part) = part else {
            return None;
        };
        parts.push(part.to_str()?.to_owned());
    }
    (!below.as_os_str().is_empty()).then(|| parts.join("/"))
}

/// The components of a path after its root, for paths written on any system.
pub(crate) fn parts(text: &str) -> Vec<String> {
    // On Unix a backslash may be part of a name, so only Windows paths are split there.
    let is_windows = text
        .as_bytes()
        .get(1..3)
        .is_some_and(|two| two == b":\\" || two == b":/")
        || text.starts_with("\\\\");
    let separators: &[char] = if is_windows || cfg!(windows) {
        &['/', '\\']
    } else {
        &['/']
    };
    text.split(separators)
        .filter(|part| !part.is_empty() && *part != "." && *part != ".." && !part.ends_with(':'))
        .map(str::to_owned)
        .collect()
}

/// Whether a path exists: as a file, a folder, or a picture that matches a pattern such as `%04d.png`.
pub(crate) fn is_there(path: &Path) -> bool {
    if path.is_file() || path.is_dir() {
        return true;
    }
    let Some((before, after)) = pattern(path) else {
        return false;
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix(before)?.strip_suffix(after));
        number.is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// The text before and after the number in a pattern's name.
fn pattern(path: &Path) -> Option<(&str, &str)> {
    let (before, rest) = path.file_name()?.to_str()?.split_once('%')?;
    let (digits, after) = rest.split_once('d')?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some((before, after))
}

/// The bytes of a path that isn't Unicode; Unix only.
#[cfg(unix)]
pub(crate) fn raw(path: &Path) -> Option<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt;
    (path.to_str().is_none()).then(|| path.as_os_str().as_bytes().to_owned())
}

#[cfg(unix)]
pub(crate) fn of_raw(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

#[cfg(not(unix))]
pub(crate) fn raw(_: &Path) -> Option<Vec<u8>> {
    None
}

#[cfg(not(unix))]
pub(crate) fn of_raw(_: Vec<u8>) -> Option<PathBuf> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn way(folder: &str, path: &str) -> Option<String> {
        relative(Path::new(folder), Path::new(path))
    }

    #[test]
    fn nearby_files_have_a_relative_path_and_distant_ones_have_none() {
        assert_eq!(way("/a/b", "/a/b/c/d.png").as_deref(), Some("c/d.png"));
        assert_eq!(way("/a/b", "/a/c/d.png").as_deref(), Some("../c/d.png"));
        assert_eq!(way("/a", "/b/d.png"), None);
        assert_eq!(way("/a/1/2/3/4", "/a/d.png"), None);
        assert_eq!(way("/a/b", "/a/b"), None);
        assert_eq!(
            absolute(Path::new("/a/b/../c/./d")),
            PathBuf::from("/a/c/d")
        );
        assert_eq!(absolute(Path::new("/../d")), PathBuf::from("/d"));
    }

    #[test]
    fn paths_of_another_operating_system_are_split_too() {
        assert_eq!(parts("C:\\art\\clips\\a.mp4"), ["art", "clips", "a.mp4"]);
        assert_eq!(parts("../clips/a b.mp4"), ["clips", "a b.mp4"]);
        assert_eq!(parts("odd\\name.png"), ["odd\\name.png"]);
    }

    #[test]
    fn a_numbered_pattern_exists_when_one_of_its_files_does() {
        let folder = tempfile::tempdir().unwrap();
        let pattern = folder.path().join("shot-%04d.png");
        assert!(!is_there(&pattern));
        std::fs::write(folder.path().join("shot-0007.png"), "").unwrap();
        assert!(is_there(&pattern) && is_there(folder.path()));
        assert!(!is_there(&folder.path().join("shot-%04d.jpg")));
    }
}
