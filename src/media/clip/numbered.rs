//! Numbered pictures as a clip: a folder of them, or a pattern such as `frames/%04d.png`.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::media::atomic_file;
use crate::media::clip::frames::{ClipFrame, ClipInfo, Frames, NUMBERED_FPS, Opened};
use crate::media::error::MediaError;
use crate::media::image;
use crate::media::image::open::claimed_by;

/// Extensions of picture files. Folders have other files next to the frames, so here the name matters.
const ENDINGS: [&str; 8] = ["png", "jpg", "jpeg", "webp", "tif", "tiff", "bmp", "gif"];

/// Whether the file name of `path` has a placeholder for a number: `%d`, or `%04d` for at least four digits.
pub(super) fn is_pattern(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| Pattern::parse(name).is_some())
}

/// Opens the pictures in a folder, in the natural order of their names: `2.png` before `10.png`.
pub(super) fn open_folder(folder: &Path) -> Result<Opened, MediaError> {
    open(in_folder(folder)?)
}

/// Opens the pictures that match a pattern, sorted by number; gaps are allowed.
pub(super) fn open_pattern(path: &Path) -> Result<Opened, MediaError> {
    open(of_pattern(path)?)
}

/// The pictures in a folder, in natural order; at least one.
pub(super) fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, MediaError> {
    let mut pictures = files(folder)?;
    pictures.retain(|path| is_picture(path));
    pictures.sort_by(|a, b| natural(&name(a), &name(b)));
    if pictures.is_empty() {
        return Err(MediaError::NoPictures {
            path: folder.to_owned(),
        });
    }
    Ok(pictures)
}

/// The pictures that match a pattern, sorted by number; at least one.
pub(super) fn of_pattern(path: &Path) -> Result<Vec<PathBuf>, MediaError> {
    let no_match = || MediaError::NoMatch {
        path: path.to_owned(),
    };
    let pattern = path
        .file_name()
        .and_then(Pattern::parse)
        .ok_or_else(no_match)?;
    let mut numbered: Vec<_> = files(atomic_file::folder(path))?
        .into_iter()
        .filter_map(|path| Some((pattern.number(&name(&path))?, path)))
        .collect();
    numbered.sort();
    if numbered.is_empty() {
        return Err(no_match());
    }
    Ok(numbered.into_iter().map(|(_, path)| path).collect())
}

fn open(pictures: Vec<PathBuf>) -> Result<Opened, MediaError> {
    if let [only] = pictures.as_slice() {
        return Err(MediaError::StillPicture { path: only.clone() });
    }
    let mut first = None;
    for picture in &pictures {
        let size = claimed_by(picture)?;
        check(picture, *first.get_or_insert(size), size)?;
    }
    let size = first.unwrap_or_default();
    let seconds = pictures.len() as f64 / NUMBERED_FPS;
    Ok((
        ClipInfo::counted(size, pictures.len(), seconds),
        Box::new(Pictures {
            pictures,
            size,
            given: 0,
        }),
    ))
}

fn check(path: &Path, expected: (u32, u32), found: (u32, u32)) -> Result<(), MediaError> {
    if found == expected {
        return Ok(());
    }
    Err(MediaError::MixedSizes {
        path: path.to_owned(),
        expected,
        found,
    })
}

/// The regular files in a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>, MediaError> {
    let fail = |e| MediaError::reading(folder, e);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    let is_known = ENDINGS
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known));
    // Skips hidden files, such as those of operating systems and editors.
    is_known && !name(path).starts_with('.')
}

/// A file name with a placeholder for a number.
struct Pattern {
    before: String,
    digits: usize,
    after: String,
}

impl Pattern {
    fn parse(name: &OsStr) -> Option<Self> {
        let name = name.to_str()?;
        let (before, rest) = name.split_once('%')?;
        let (digits, after) = rest.split_once('d')?;
        let digits = match digits.strip_prefix('0') {
            Some(digits) => digits.parse().ok()?,
            None if digits.is_empty() => 1,
            None => return None,
        };
        Some(Self {
            before: before.to_owned(),
            digits,
            after: after.to_owned(),
        })
    }

    /// The number in `name` as its length and digits without leading zeros, which sort numerically.
    fn number(&self, name: &str) -> Option<(usize, String)> {
        let digits = name
            .strip_prefix(self.before.as_str())?
            .strip_suffix(self.after.as_str())?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || digits.len() < self.digits {
            return None;
        }
        let number = digits.trim_start_matches('0');
        Some((number.len(), number.to_owned()))
    }
}

/// Natural order of names: digits compare by value, letters ignore case.
///
/// The `natord` crate compares digits after a zero as a fraction, which sorts `010` before `9`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    loop {
        let (part_a, part_b) = (part(&mut rest_a), part(&mut rest_b));
        let order = match (part_a, part_b) {
            ("", "") => return a.cmp(b),
            (a, b) if is_digits(a) && is_digits(b) => {
                let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
                a.len().cmp(&b.len()).then_with(|| a.cmp(b))
            }
            (a, b) => a.to_lowercase().cmp(&b.to_lowercase()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Takes a run of digits, or the text before the next digit, from the start of `text`.
fn part<'a>(text: &mut &'a str) -> &'a str {
    let is_number = is_digits(text);
    let end = text
        .find(|c: char| c.is_ascii_digit() != is_number)
        .unwrap_or(text.len());
    let (part, rest) = text.split_at(end);
    *text = rest;
    part
}

fn is_digits(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// Pictures that are opened one at a time.
struct Pictures {
    pictures: Vec<PathBuf>,
    size: (u32, u32),
    given: usize,
}

impl Frames for Pictures {
    fn next(&mut self) -> Option<Result<ClipFrame, MediaError>> {
        let path = self.pictures.get(self.given)?;
        let time = self.given as f64 / NUMBERED_FPS;
        self.given += 1;
        Some(image::open(path).and_then(|picture| {
            check(path, self.size, picture.size())?;
            Ok(ClipFrame { picture, time })
        }))
    }

    fn skip(&mut self, frames: usize) -> Result<(), MediaError> {
        self.given = self.given.saturating_add(frames).min(self.pictures.len());
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "see within")]
    fn index_at(&self, time: f64) -> Option<usize> {
        // A cast from float saturates.
        Some(((time * NUMBERED_FPS).ceil().max(0.0) as usize).min(self.pictures.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_sort_in_natural_order() {
        let mut names = ["b1", "a10", "a2", "A1", "a02", "a", "a2b"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["a", "A1", "a02", "a2", "a2b", "a10", "b1"]);
    }

    #[test]
    fn a_pattern_parses_the_numbers_of_matching_names() {
        let pattern = Pattern::parse(OsStr::new("f_%04d.png")).unwrap();
        assert_eq!(pattern.number("f_0012.png"), Some((2, "12".to_owned())));
        assert_eq!(pattern.number("f_12345.png"), Some((5, "12345".to_owned())));
        for name in [
            "f_012.png",
            "f_.png",
            "f_00a1.png",
            "g_0001.png",
            "f_0001.jpg",
        ] {
            assert_eq!(pattern.number(name), None, "{name}");
        }
        assert!(is_pattern(Path::new("frames/%d.jpg")));
        assert!(!is_pattern(Path::new("frames/100%.jpg")));
    }
}
