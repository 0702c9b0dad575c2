//! The input files of an output, so that writing never replaces one of them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::media::atomic_file;
use crate::media::clip;
use crate::media::error::MediaError;

/// The input files of an output. Files are compared by identity, not by name: a link to an input is that input.
#[derive(Debug, Clone, Default)]
pub struct Inputs(HashMap<FileId, PathBuf>);

impl Inputs {
    /// Adds a file. A missing file can't be replaced and is ignored.
    pub fn add(&mut self, path: &Path) {
        if path.is_file()
            && let Some(id) = FileId::of(path)
        {
            self.0.entry(id).or_insert_with(|| path.to_owned());
        }
    }

    /// Adds the files of a clip: all pictures of a folder or of a pattern of numbered ones.
    pub fn add_clip(&mut self, path: &Path) {
        for file in clip::files(path) {
            self.add(&file);
        }
    }

    /// Fails if writing to a path would replace one of the files.
    ///
    /// # Errors
    /// [`MediaError::IsInput`].
    pub fn check(&self, output: &Path) -> Result<(), MediaError> {
        if self.0.is_empty() {
            return Ok(());
        }
        match FileId::of(output).and_then(|id| self.0.get(&id)) {
            Some(input) => Err(MediaError::IsInput {
                path: output.to_owned(),
                input: input.clone(),
            }),
            None => Ok(()),
        }
    }
}

/// Whether two paths lead to the same file, including files that don't exist yet.
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    a == b || FileId::of(a).is_some_and(|id| FileId::of(b) == Some(id))
}

/// The identity of a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum FileId {
    #[cfg(unix)]
    Inode { device: u64, inode: u64 },
    /// Without links and `..`: for a file that doesn't exist yet, and for systems without inodes.
    Path(PathBuf),
}

impl FileId {
    /// `None` for a file in a missing folder.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        match fs::metadata(path) {
            Ok(metadata) => Self::of_existing(path, &metadata),
            Err(_) => {
                let path = atomic_file::without_links(path);
                let folder = fs::canonicalize(atomic_file::folder(&path)).ok()?;
                Some(Self::Path(folder.join(path.file_name()?)))
            }
        }
    }

    #[cfg(unix)]
    fn of_existing(_: &Path, metadata: &fs::Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self::Inode {
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }

    #[cfg(not(unix))]
    fn of_existing(path: &Path, _: &fs::Metadata) -> Option<Self> {
        fs::canonicalize(path).ok().map(Self::Path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_recognised_under_any_path() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("portrait.png"), "p").unwrap();
        fs::create_dir(at("sub")).unwrap();
        let mut inputs = Inputs::default();
        inputs.add(&at("portrait.png"));
        inputs.add(&at("gone.png"));
        let mut same = vec![at("portrait.png"), at("sub/../portrait.png")];
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(at("portrait.png"), at("link.png")).unwrap();
            fs::hard_link(at("portrait.png"), at("hard.png")).unwrap();
            same.extend([at("link.png"), at("hard.png")]);
        }
        for path in same {
            let told = inputs.check(&path).unwrap_err().to_string();
            assert!(told.contains("portrait.png"), "{told}");
        }
        fs::write(at("other.png"), "p").unwrap();
        for name in ["other.png", "new.png", "gone.png", "nowhere/portrait.png"] {
            assert!(inputs.check(&at(name)).is_ok(), "{name}");
        }
    }

    #[test]
    fn every_frame_of_a_clip_is_an_input() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["f_0001.png", "f_0002.png", "g_0001.png", "notes.txt"] {
            fs::write(at(name), name).unwrap();
        }
        let refused = |clip: &Path| {
            let mut inputs = Inputs::default();
            inputs.add_clip(clip);
            ["f_0001.png", "f_0002.png", "g_0001.png", "notes.txt"]
                .map(|name| inputs.check(&at(name)).is_err())
        };
        assert_eq!(refused(folder.path()), [true, true, true, false]);
        assert_eq!(refused(&at("f_%04d.png")), [true, true, false, false]);
        assert_eq!(refused(&at("g_0001.png")), [false, false, true, false]);
    }

    #[test]
    fn paths_of_files_not_yet_written_are_compared_too() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        assert!(is_same_file(&at("new.csv"), &at("sub/../new.csv")));
        assert!(!is_same_file(&at("new.csv"), &at("sub/new.csv")));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("new.csv", at("link.csv")).unwrap();
            assert!(is_same_file(&at("new.csv"), &at("link.csv")));
        }
    }
}
