//! Work off the window's thread, and the system's file dialogs.

use std::path::{Path, PathBuf};

use directories::UserDirs;
use iced::Task;
use iced::futures::channel::{mpsc, oneshot};
use rfd::AsyncFileDialog;

/// Runs something long on a thread of its own; `None` comes back when it panicked.
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
            // The receiver is gone once the window is closed.
            drop(tx.send(work()));
        });
    drop(spawned);
    Task::perform(async move { rx.await.ok() }, done)
}

/// Like [`in_background`], for work that sends messages as it goes; `done` comes after the last of them.
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
        .set_title("Open a portrait")
        .add_filter("Pictures", &extensions)
        .add_filter("All files", &["*"])
        .pick_file()
        .await;
    chosen.map(|file| file.path().to_owned())
}

/// Lets the artist choose a clip.
pub async fn choose_clip() -> Option<PathBuf> {
    let chosen = AsyncFileDialog::new()
        .set_title("Read the movement of a face")
        .add_filter(
            "Clips",
            &[
                "mp4", "mov", "m4v", "gif", "png", "apng", "webp", "webm", "mkv", "avi",
            ],
        )
        .add_filter("All files", &["*"])
        .pick_file()
        .await;
    chosen.map(|file| file.path().to_owned())
}

/// Lets the artist choose a project, beginning in a folder.
pub async fn choose_project(folder: Option<PathBuf>) -> Option<PathBuf> {
    let mut dialog = AsyncFileDialog::new()
        .set_title("Open a project")
        .add_filter("Mien projects", &["mien"])
        .add_filter("All files", &["*"]);
    if let Some(folder) = folder.filter(|folder| folder.is_dir()) {
        dialog = dialog.set_directory(folder);
    }
    let chosen = dialog.pick_file().await;
    chosen.map(|file| file.path().to_owned())
}

/// Lets the artist choose where a project is saved, beginning with a place.
pub async fn choose_save(path: PathBuf) -> Option<PathBuf> {
    choose_to("Save the project", path).await
}

/// Lets the artist choose where to write, beginning with a place.
pub async fn choose_target(path: PathBuf) -> Option<PathBuf> {
    choose_to("Export to", path).await
}

/// Lets the artist choose where a chart is saved, beginning with a place.
pub async fn choose_chart(path: PathBuf) -> Option<PathBuf> {
    choose_to("Save the chart as SVG or PNG", path).await
}

async fn choose_to(title: &str, path: PathBuf) -> Option<PathBuf> {
    let mut dialog = AsyncFileDialog::new().set_title(title);
    if let Some(folder) = path.parent().filter(|folder| folder.is_dir()) {
        dialog = dialog.set_directory(folder);
    }
    if let Some(name) = path.file_name() {
        dialog = dialog.set_file_name(name.to_string_lossy());
    }
    let chosen = dialog.save_file().await?;
    let mut chosen = chosen.path().to_owned();
    if let (None, Some(extension)) = (chosen.extension(), path.extension()) {
        chosen.set_extension(extension);
    }
    Some(chosen)
}

/// Where exports go unless told otherwise: the artist's pictures, their home, or the current folder.
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
