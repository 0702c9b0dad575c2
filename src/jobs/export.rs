//! The export: the same frames whoever asks for them, written whole or not at all.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fast_image_resize::FilterType;

use crate::document::ExportKind;
use crate::error::{EngineError, InternalError, OutputError};
use crate::face::Edit;
use crate::face::found::FoundFace;
use crate::jobs::frame_range::Part;
use crate::jobs::output::{Output, Sound, Writer, scaled};
use crate::media::encode::{ANIMATION_MAX_FPS, GIF_MAX_FPS, LoopCount};
use crate::media::image::Picture;
use crate::media::image::resample::resampled;
use crate::media::provenance::SourceType;
use crate::methods::ganimation::edits::Edits;
use crate::methods::ganimation::model::Model;
use crate::methods::ganimation::session::{Pane, Renderer, Scene};
use crate::progress::Progress;

/// The kinds of file that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Png,
    Jpeg,
    /// A WebP that doesn't move.
    WebpPicture,
    Gif,
    /// Animated PNG.
    Apng,
    /// Animated WebP.
    Webp,
    Mp4,
    /// Numbered PNG files beside the given name.
    PngSequence,
}

impl Format {
    /// All formats, as the menu lists them.
    pub const ALL: [Format; 8] = [
        Format::Png,
        Format::Jpeg,
        Format::WebpPicture,
        Format::Gif,
        Format::Apng,
        Format::Webp,
        Format::Mp4,
        Format::PngSequence,
    ];

    /// The extension of its files.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Png | Format::PngSequence => "png",
            Format::Jpeg => "jpg",
            Format::Gif => "gif",
            Format::Apng => "apng",
            Format::WebpPicture | Format::Webp => "webp",
            Format::Mp4 => "mp4",
        }
    }

    /// The format that a file's name asks for; `frames` tells one PNG from a sequence and a WebP that moves from one that
    /// doesn't.
    ///
    /// # Errors
    /// [`EngineError::Output`] for a name of no known kind, and of one that can't hold so many frames.
    pub fn of(path: &Path, frames: usize) -> Result<Self, EngineError> {
        let extension = path
            .extension()
            .map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("png") if frames > 1 => Ok(Format::PngSequence),
            Some("png") => Ok(Format::Png),
            Some("jpg" | "jpeg") if frames > 1 => {
                Err(OutputError::SinglePicture(path.to_owned()).into())
            }
            Some("jpg" | "jpeg") => Ok(Format::Jpeg),
            Some("gif") => Ok(Format::Gif),
            Some("apng") => Ok(Format::Apng),
            Some("webp") if frames > 1 => Ok(Format::Webp),
            Some("webp") => Ok(Format::WebpPicture),
            Some("mp4") => Ok(Format::Mp4),
            _ => Err(OutputError::UnknownFormat(path.to_owned()).into()),
        }
    }

    /// The highest frame rate that the format can play.
    pub fn max_fps(self) -> f64 {
        match self {
            Format::Gif => GIF_MAX_FPS,
            Format::Apng | Format::Webp => ANIMATION_MAX_FPS,
            _ => crate::media::encode::MAX_FPS,
        }
    }

    /// Whether it holds a movement, and not a single picture.
    pub fn moves(self) -> bool {
        !matches!(self, Format::Png | Format::Jpeg | Format::WebpPicture)
    }

    /// Whether its files say how often they play.
    pub fn loops(self) -> bool {
        matches!(self, Format::Gif | Format::Apng | Format::Webp)
    }
}

impl From<ExportKind> for Format {
    fn from(kind: ExportKind) -> Self {
        match kind {
            ExportKind::Png => Format::Png,
            ExportKind::Jpeg => Format::Jpeg,
            ExportKind::WebpPicture => Format::WebpPicture,
            ExportKind::Gif => Format::Gif,
            ExportKind::Apng => Format::Apng,
            ExportKind::Webp => Format::Webp,
            ExportKind::Mp4 => Format::Mp4,
            ExportKind::PngSequence => Format::PngSequence,
        }
    }
}

impl From<Format> for ExportKind {
    fn from(format: Format) -> Self {
        match format {
            Format::Png => ExportKind::Png,
            Format::Jpeg => ExportKind::Jpeg,
            Format::WebpPicture => ExportKind::WebpPicture,
            Format::Gif => ExportKind::Gif,
            Format::Apng => ExportKind::Apng,
            Format::Webp => ExportKind::Webp,
            Format::Mp4 => ExportKind::Mp4,
            Format::PngSequence => ExportKind::PngSequence,
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Format::Png => "PNG picture",
            Format::Jpeg => "JPEG picture",
            Format::WebpPicture => "WebP picture",
            Format::Gif => "Animated GIF",
            Format::Apng => "Animated PNG",
            Format::Webp => "Animated WebP",
            Format::Mp4 => "MP4 video",
            Format::PngSequence => "PNG sequence",
        })
    }
}

/// One file (or sequence) to be written.
#[derive(Debug, Clone)]
pub struct ExportJob {
    pub portrait: Arc<Picture>,
    /// The face that the scenes are about, where it is known.
    pub face: Option<Arc<FoundFace>>,
    /// One scene a frame, all of the same crop.
    pub scenes: Vec<Scene>,
    /// The frames of these that are written; without, all. Those of a sequence are named as in the whole.
    pub part: Option<Part>,
    /// What stands side by side in each frame, from left to right.
    pub panes: Vec<Pane>,
    pub format: Format,
    /// Frames a second; pictures have no use for it.
    pub fps: f64,
    /// From 1 (small) to 100 (best; of a WebP exact) for MP4, WebP and JPEG; without, each format's own.
    pub quality: Option<u8>,
    /// How often an animation (GIF, PNG, WebP) plays.
    pub loops: LoopCount,
    /// The size of a pane, in sizes of the portrait; in 0.01..=1.
    pub scale: f64,
    /// The sound of an MP4.
    pub sound: Option<Sound>,
    /// Whether the file says that a model edited it, where one did.
    pub marked: bool,
    pub path: PathBuf,
}

impl ExportJob {
    /// A measure of the work for [`export`].
    pub fn progress(&self) -> Progress {
        Progress::new(self.written().map_or(0, |written| written.len()))
    }

    /// The scenes that are written, by their numbers from 0.
    fn written(&self) -> Result<Range<usize>, EngineError> {
        let total = self.scenes.len();
        Ok(self.part.map_or(Ok(0..total), |part| part.within(total))?)
    }

    fn frame_size(&self) -> (u32, u32) {
        let (width, height) = self.pane_size();
        (width.saturating_mul(self.panes.len() as u32), height)
    }

    fn pane_size(&self) -> (u32, u32) {
        scaled(self.portrait.size(), self.scale)
    }

    /// The file, for frames that come as large as they are to be.
    fn writer(&self, model: &str) -> Result<Writer, EngineError> {
        // Of all scenes, so that the frames of a part are those of the whole, note and all.
        let edited = self
            .scenes
            .iter()
            .any(|scene| self.panes.iter().any(|pane| pane.needs_network(scene)));
        let output = Output {
            format: self.format,
            quality: self.quality,
            loops: self.loops,
            scale: 1.0,
            part: self.part,
            marked: self.marked && edited,
            path: self.path.clone(),
        };
        let note = output.note(model, SourceType::CompositeWithTrainedAlgorithmicMedia);
        let mut writer = Writer::new(&output, self.frame_size(), self.fps, note)?;
        if self.part.is_some() {
            writer.set_numbers(self.written()?.start, self.scenes.len());
        }
        Ok(writer)
    }
}

/// Renders every scene and writes the file. Nothing stands under the final name before it is whole. A sentence comes back
/// where the sound could not be carried over.
///
/// # Errors
/// [`EngineError::Cancelled`] when `progress` was asked to stop, [`EngineError::Output`] for a job without frames or
/// panes or a part that it hasn't got, [`EngineError::Media`] when the file can't be written. Whatever stood under the name before still does.
pub fn export(
    model: &Arc<Model>,
    job: &ExportJob,
    progress: &Progress,
) -> Result<Option<String>, EngineError> {
    let first = match job.scenes.first() {
        Some(first) if !job.panes.is_empty() => first,
        _ => {
            return Err(OutputError::Nothing.into());
        }
    };
    let written = job.written()?;
    // The file comes first: a folder that can't be written to is told at once, not after an hour.
    let mut writer = job.writer(model.name())?;
    let remark = writer.set_sound(job.sound.clone());
    let renderer = Renderer::new(
        Arc::clone(model),
        &job.portrait,
        first.crop,
        job.face.clone(),
    )?;
    let stop = || progress.cancel.is_cancelled();

    let mut edits = Edits::default();
    for scene in &job.scenes[written] {
        let edit = edit(&mut edits, &renderer, scene, &job.panes, &stop)?;
        let picture = frame(&renderer, job, scene, edit.as_deref())?;
        if stop() {
            return Err(EngineError::Cancelled);
        }
        writer.push(&picture)?;
        progress.step();
    }
    if stop() {
        return Err(EngineError::Cancelled);
    }
    writer.finish()?;
    Ok(remark)
}

/// What the network says to a scene; nothing where nothing is asked for.
fn edit(
    edits: &mut Edits,
    renderer: &Renderer,
    scene: &Scene,
    panes: &[Pane],
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Arc<Edit>>, EngineError> {
    let needed = panes.iter().any(|pane| pane.needs_network(scene));
    if !needed {
        return Ok(None);
    }
    let (edit, _) = edits.of(renderer, scene, stop)?;
    Ok(Some(edit))
}

fn frame(
    renderer: &Renderer,
    job: &ExportJob,
    scene: &Scene,
    edit: Option<&Edit>,
) -> Result<Picture, EngineError> {
    let mut pictures = Vec::with_capacity(job.panes.len());
    for pane in &job.panes {
        let picture = renderer.picture(&job.portrait, scene, edit, *pane);
        let size = job.pane_size();
        pictures.push(if size == picture.size() {
            picture
        } else {
            let (width, height) = picture.size();
            let whole = (0.0, 0.0, f64::from(width), f64::from(height));
            resampled(&picture, whole, size, FilterType::CatmullRom)
                .ok_or(InternalError::EmptyFrame)?
        });
    }
    if pictures.len() == 1 {
        // Taken whole, so that without an edit the very bytes go out.
        return Ok(pictures.remove(0));
    }
    let (width, height) = job.frame_size();
    let mut rgba = Vec::with_capacity(width as usize * height as usize * 4);
    for row in 0..height as usize {
        for picture in &pictures {
            let pitch = picture.width() as usize * 4;
            rgba.extend_from_slice(&picture.rgba()[row * pitch..][..pitch]);
        }
    }
    Ok(Picture::new(width, height, rgba)?.with_alpha(job.portrait.has_alpha()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_the_format() {
        let of = |name: &str, frames| Format::of(Path::new(name), frames);
        assert_eq!(of("a.PNG", 1).unwrap(), Format::Png);
        assert_eq!(of("a.png", 2).unwrap(), Format::PngSequence);
        assert_eq!(of("b.gif", 1).unwrap(), Format::Gif);
        assert_eq!(of("b.mp4", 9).unwrap(), Format::Mp4);
        assert_eq!(of("b.apng", 1).unwrap(), Format::Apng);
        assert_eq!(of("b.webp", 1).unwrap(), Format::WebpPicture);
        assert_eq!(of("b.webp", 2).unwrap(), Format::Webp);
        assert_eq!(of("b.JPEG", 1).unwrap(), Format::Jpeg);
        let error = of("b.jpg", 2).unwrap_err().to_string();
        assert!(error.contains("single picture"), "{error}");
        for format in Format::ALL {
            let name = format!("b.{}", format.extension());
            let frames = if format.moves() { 2 } else { 1 };
            assert_eq!(of(&name, frames).unwrap(), format);
        }
        for name in ["b", "b.mov", ".png"] {
            let error = of(name, 1).unwrap_err().to_string();
            assert!(error.contains(".webp or .mp4"), "{error}");
        }
    }
}
