//! Finding media: at their stored paths, in and below the project's folder, and where others have been moved to.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::project::file::index::{Content, MediaIndex};
use crate::project::file::media::MediaState;
use crate::project::file::paths;
use crate::project::file::stored::StoredMedium;

/// The maximum number of folders searched below the project's, and their depth; a project may be at the root of a disk.
const FOLDERS: usize = 1000;
const DEPTH: usize = 6;

/// The maximum number of trailing path components tried below a folder.
const TAIL: usize = 12;

/// A medium to find.
#[derive(Debug, Clone)]
pub(crate) struct MediaSearch {
    /// Candidate paths as stored, the most likely first; at least one.
    places: Vec<PathBuf>,
    /// The components of its path.
    parts: Vec<String>,
    content: Option<Content>,
    index: MediaIndex,
}

impl MediaSearch {
    pub fn new(key: &str, entry: &StoredMedium, folder: &Path, index: &MediaIndex) -> Self {
        let raw = entry
            .raw
            .as_ref()
            .and_then(|text| BASE64_STANDARD.decode(text).ok())
            .and_then(paths::of_raw);
        let plain = folder.join(key);
        let mut places: Vec<PathBuf> = raw.map(|path| folder.join(path)).into_iter().collect();
        // Through a symbolic link `..` leads elsewhere than the text of the path.
        places.extend([paths::absolute(&plain), plain]);
        places.extend(entry.absolute.clone().filter(|path| path.is_absolute()));
        let content = entry.sha256.clone().zip(entry.bytes);
        Self {
            places,
            parts: paths::parts(key),
            content: content.map(|(sha256, bytes)| Content { sha256, bytes }),
            index: index.clone(),
        }
    }

    /// Its path when the project was saved.
    pub fn stored(&self) -> &Path {
        self.places.first().map_or(Path::new(""), PathBuf::as_path)
    }

    /// Whether this is one of its stored paths.
    pub fn was_at(&self, path: &Path) -> bool {
        self.places.iter().any(|place| place == path)
    }

    /// Whether a file has the medium's content; if the content isn't known, whether the path exists.
    pub fn fits(&self, path: &Path) -> bool {
        match &self.content {
            Some(content) => self.index.has(path, content),
            None => paths::is_there(path),
        }
    }

    /// The medium's state at a path that the artist chose.
    pub fn at(&self, path: &Path) -> MediaState {
        let path = path.to_owned();
        if self.fits(&path) {
            MediaState::Found(path)
        } else {
            MediaState::Changed { path }
        }
    }

    /// Looks at the stored paths, then in and below the project's folder.
    pub fn find(&self, folder: &Path) -> MediaState {
        if let Some(path) = self.places.iter().find(|path| self.fits(path)) {
            return MediaState::Found(path.clone());
        }
        if let Some(path) = self.places.iter().find(|path| paths::is_there(path)) {
            return MediaState::Changed { path: path.clone() };
        }
        let found = self
            .with_path_suffix(folder)
            .or_else(|| self.search_below(folder));
        if let Some(path) = found {
            return MediaState::Found(path);
        }
        if let Some(content) = &self.content {
            self.index.add_missing(self.stored(), content);
        }
        let mut looked_in: Vec<PathBuf> = Vec::new();
        let stored_folders = self.places.iter().filter_map(|path| path.parent());
        for place in stored_folders.chain([folder]) {
            if !looked_in.iter().any(|known| known == place) {
                looked_in.push(place.to_owned());
            }
        }
        MediaState::Moved {
            stored: self.stored().to_owned(),
            looked_in,
        }
    }

    /// The file under a folder whose path has the same trailing components, trying the longest match first.
    pub fn with_path_suffix(&self, folder: &Path) -> Option<PathBuf> {
        let first = self.parts.len().saturating_sub(TAIL);
        (first..self.parts.len())
            .map(|from| {
                let mut path = folder.to_owned();
                path.extend(&self.parts[from..]);
                path
            })
            .find(|path| self.fits(path))
    }

    /// The file with its name and content anywhere below a folder, breadth first.
    fn search_below(&self, folder: &Path) -> Option<PathBuf> {
        self.content.as_ref()?;
        let name = self.parts.last()?;
        let mut left = VecDeque::from([(folder.to_owned(), 0)]);
        for _ in 0..FOLDERS {
            let (folder, depth) = left.pop_front()?;
            let path = folder.join(name);
            if self.fits(&path) {
                return Some(path);
            }
            if depth == DEPTH {
                continue;
            }
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                // Skips symbolic links, which may form cycles.
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
                if is_folder && !is_hidden {
                    left.push_back((entry.path(), depth + 1));
                }
            }
        }
        None
    }

    /// Looks where it would be if it had been moved like another medium, from `old` to `new`, then in that one's new folder.
    pub fn moved_like(&self, old: &Path, new: &Path) -> Option<PathBuf> {
        let (mut from, mut to) = (old, new);
        while from.file_name().is_some() && from.file_name() == to.file_name() {
            let (Some(a), Some(b)) = (from.parent(), to.parent()) else {
                break;
            };
            (from, to) = (a, b);
        }
        let same_way = self
            .stored()
            .strip_prefix(from)
            .ok()
            .map(|rest| to.join(rest))
            .filter(|path| self.fits(path));
        same_way.or_else(|| self.with_path_suffix(new.parent()?))
    }
}
