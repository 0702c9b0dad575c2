//! Background work, and the system's file dialogs.

use std::path::{Path, PathBuf};

use directories::UserDirs;
use iced::Task;
use iced::futures::channel::{mpsc, oneshot};
use rfd::AsyncFileDialog;

use crate::app::strings::files as strings;

/// Runs long work on a new thread; `done` gets `None` if it panicked.
pub fn in_background<T, M>(
    work: impl FnOnce() -> T + Send + 'static,
    done: impl FnOnce(Option<T>) -> M + Send + 'static,
) -> Task<M>
where
    T: Send + 'static,
    M: Send + 'static,
{
    let (tx, rx) = oneshot::channel();
    let spawned = std::thread::Builder::new()
        .name("mien-background".to_owned())
        .spawn(move || {
            // The receiver is dropped when the window closes.
            drop(tx.send(work()));
        });
    drop(spawned);
    Task::perform(async move { rx.await.ok() }, done)
}

/// Like [`in_background`], for work that sends messages while it runs; `done` comes after the last of them.
pub fn in_background_with<T, M>(
    work: impl FnOnce(&dyn Fn(M)) -> T + Send + 'static,
    done: impl FnOnce(Option<T>) -> M + Send + 'static,
) -> Task<M>
where
    T: Send + 'static,
    M: Send + 'static,
{
    let (tx, rx) = mpsc::unbounded();
    let send = move |message| drop(tx.unbounded_send(message));
    let ended = in_background(move || work(&send), done);
    Task::stream(rx).chain(ended)
}

/// Lets the artist choose a portrait.
pub async fn choose_portrait() -> Option<PathBuf> {
    let extensions = ["png", "jpg", "jpeg", "webp", "tif", "tiff", "bmp", "gif"];
    let chosen = AsyncFileDialog::new()
        .set_title(strings::OPEN_PORTRAIT)
        .add_filter(strings::PICTURES, &extensions)
        .add_filter(strings::ALL_FILES, &["*"])
        .pick_file()
        .await;
    chosen.map(|file| file.path().to_owned())
}

/// Lets the artist choose a clip.
pub async fn choose_clip() -> Option<PathBuf> {
    let chosen = AsyncFileDialog::new()
        .set_title(strings::OPEN_CLIP)
        .add_filter(
            strings::CLIPS,
            &[
                "mp4", "mov", "m4v", "gif", "png", "apng", "webp", "webm", "mkv", "avi",
            ],
        )
        .add_filter(strings::ALL_FILES, &["*"])
        .pick_file()
        .await;
    chosen.map(|file| file.path().to_owned())
}

/// Lets the artist choose a project, starting in `folder`.
pub async fn choose_project(folder: Option<PathBuf>) -> Option<PathBuf> {
    let mut dialog = AsyncFileDialog::new()
        .set_title(strings::OPEN_PROJECT)
        .add_filter(strings::PROJECTS, &["mien"])
        .add_filter(strings::ALL_FILES, &["*"]);
    if let Some(folder) = folder.filter(|folder| folder.is_dir()) {
        dialog = dialog.set_directory(folder);
    }
    let chosen = dialog.pick_file().await;
    chosen.map(|file| file.path().to_owned())
}

/// A file to write, as named by the artist.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    pub path: PathBuf,
    /// Whether the system's dialog has asked about replacing this file. It has not if the name was typed without its
    /// extension, because then it asked about another file.
    pub asked: bool,
}

impl Target {
    /// Completes a path from the system's dialog: one without an extension gets that of `proposed`.
    fn completed(mut path: PathBuf, proposed: &Path) -> Self {
        let Some(extension) = proposed.extension() else {
            return Self { path, asked: true };
        };
        let asked = path.extension().is_some();
        if !asked {
            path.set_extension(extension);
        }
        Self { path, asked }
    }

    /// Whether the artist must still be asked about replacing an existing file.
    pub fn is_unasked(&self) -> bool {
        !self.asked && self.path.exists()
    }
}

/// Lets the artist choose where to save a project, starting from `path`.
pub async fn choose_save(path: PathBuf) -> Option<Target> {
    choose_to(strings::SAVE_PROJECT, path).await
}

/// Lets the artist choose where to write an export, starting from `path`.
pub async fn choose_target(path: PathBuf) -> Option<Target> {
    choose_to(strings::EXPORT, path).await
}

/// Lets the artist choose where to save a chart, starting from `path`.
pub async fn choose_chart(path: PathBuf) -> Option<Target> {
    choose_to(strings::SAVE_CHART, path).await
}

async fn choose_to(title: &str, path: PathBuf) -> Option<Target> {
    let mut dialog = AsyncFileDialog::new().set_title(title);
    if let Some(folder) = path.parent().filter(|folder| folder.is_dir()) {
        dialog = dialog.set_directory(folder);
    }
    if let Some(name) = path.file_name() {
        dialog = dialog.set_file_name(name.to_string_lossy());
    }
    let chosen = dialog.save_file().await?;
    Some(Target::completed(chosen.path().to_owned(), &path))
}

/// Default folder for exports: the artist's pictures, their home, or the current folder.
pub fn pictures_folder() -> PathBuf {
    UserDirs::new()
        .map(|folders| {
            folders
                .picture_dir()
                .filter(|folder| folder.is_dir())
                .unwrap_or_else(|| folders.home_dir())
                .to_owned()
        })
        .unwrap_or_else(|| Path::new(".").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_whose_extension_is_completed_counts_as_unconfirmed() {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().join("other.mien");
        std::fs::write(&there, "hours of work").unwrap();
        let proposed = Path::new("me.mien");
        let typed = Target::completed(folder.path().join("other"), proposed);
        assert_eq!(typed.path, there);
        assert!(typed.is_unasked(), "the system asked about \"other\"");
        let whole = Target::completed(there, proposed);
        assert!(!whole.is_unasked(), "the system has asked");
        let fresh = Target::completed(folder.path().join("new"), proposed);
        assert!(!fresh.is_unasked(), "nothing is replaced");
    }
}
