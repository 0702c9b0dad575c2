//! Projects to save, and readers of their files.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use mien::document::{
    ActionUnit, AuVector, ClipMotion, Crop, Document, MediaSource, MethodChoice, Mode, MotionKind,
    PaneSpec, PaneView, PortraitRef, Pose, Project, Sample, SampleSizes, SampledMotion,
    SeededSample, Sides,
};
use mien::error::EngineError;
use mien::project::file::{Embed, MediaIndex, MediaOwner, Opened, ProjectFile, Saved};
use serde_json::Value;
use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, ZipArchive};

pub fn file(path: impl Into<PathBuf>) -> MediaSource {
    MediaSource::File(path.into())
}

pub fn document(source: MediaSource) -> Document {
    let portrait = PortraitRef {
        id: 0,
        name: "Ada \"the first\".png".to_owned(),
        source,
        width: 640,
        height: 480,
    };
    let crop = Crop {
        x: 120.3,
        y: 0.1,
        side: 200.7,
        angle: 0.0,
    };
    let smile = ActionUnit::from_code(12).unwrap();
    Document::new(portrait, crop, AuVector::NEUTRAL.with(smile, 0.3))
}

/// Where `open` and `save` unpack media: next to the project.
fn unpacked(path: &Path) -> PathBuf {
    path.with_file_name("unpacked")
}

pub fn open(path: &Path) -> Result<Opened, EngineError> {
    ProjectFile::open_with(path, Some(&unpacked(path)))
}

/// Saves a project that was never opened.
pub fn save(project: &Project, path: &Path, embed: Embed) -> Saved {
    let index = MediaIndex::default();
    ProjectFile::save_with(project, path, embed, &index, Some(&unpacked(path))).unwrap()
}

/// Saves an opened project.
pub fn save_again(opened: &Opened, path: &Path, embed: Embed) -> Saved {
    let (project, index) = (&opened.project, &opened.index);
    ProjectFile::save_with(project, path, embed, index, Some(&unpacked(path))).unwrap()
}

pub fn sentence(error: EngineError) -> String {
    let words = error.to_string();
    assert!(words.ends_with('.') && !words.contains('\n'), "{words}");
    words
}

/// The text of a project's `project.json`.
pub fn text(path: &Path) -> String {
    String::from_utf8(entry(path, "project.json")).unwrap()
}

pub fn json(path: &Path) -> Value {
    serde_json::from_str(&text(path)).unwrap()
}

pub fn entry(path: &Path, name: &str) -> Vec<u8> {
    let mut archive = ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    let mut content = Vec::new();
    let mut entry = archive.by_name(name).unwrap();
    entry.read_to_end(&mut content).unwrap();
    content
}

/// The entries of an archive, in order.
pub fn entries(path: &Path) -> Vec<(String, Vec<u8>)> {
    let archive = ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.unwrap().into_owned())
        .collect();
    let content = |name: String| {
        let content = entry(path, &name);
        (name, content)
    };
    names.into_iter().map(content).collect()
}

/// An archive of these entries, as another program might write it.
pub fn archive<'a>(entries: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in entries {
        zip.start_file(name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Replaces the `project.json` of an archive.
pub fn put_json(path: &Path, text: &str) {
    let mut entries = entries(path);
    for (name, content) in &mut entries {
        if name == "project.json" {
            *content = text.as_bytes().to_vec();
        }
    }
    let entries = entries
        .iter()
        .map(|(name, content)| (&name[..], &content[..]));
    fs::write(path, archive(entries)).unwrap();
}

pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The same project with absolute paths, as after opening.
pub fn absolute(project: &Project) -> Project {
    let mut project = project.clone();
    for (of, source) in MediaOwner::all(&project) {
        if let MediaSource::File(path) = source {
            of.set(&mut project, file(std::path::absolute(path).unwrap()));
        }
    }
    project
}

/// One of each kind of motion, with its media in `folder`.
pub fn everything(folder: &Path) -> Project {
    let clips = folder.join("clips");
    fs::create_dir_all(&clips).unwrap();
    fs::write(folder.join("ada.png"), "a portrait").unwrap();
    fs::write(clips.join("talk.mp4"), "a clip").unwrap();
    fs::write(clips.join("walk.mp4"), "another clip").unwrap();
    let mut document = document(file(folder.join("ada.png")));
    let smile = ActionUnit::from_code(12).unwrap();
    for frame in [0, 7, 40] {
        document.track.set_key(
            frame,
            Pose::NEUTRAL.with(Sides::Left, smile, frame as f32 / 50.0),
        );
    }
    let mut project = Project::new(document);
    for name in ["talk.mp4", "walk.mp4"] {
        let clip = ClipMotion::new(file(clips.join(name)));
        project.add(name, MotionKind::Clip(clip));
    }
    let sizes = SampleSizes::default();
    let mut sample = SampledMotion::new(Sample::draw(5, &sizes, 8, None).unwrap());
    let drawn = |seed, frames| SeededSample {
        codes: Sample::draw(seed, &sizes, frames, None).unwrap(),
        content_seed: seed,
    };
    sample.towards = Some(Box::new(drawn(6, 8)));
    sample.favourites = vec![drawn(7, 3)];
    project.add("Sample", MotionKind::Sample(sample));
    project.add_pane(PaneSpec::showing(
        MethodChoice::in_mode("tps", Mode::Avd),
        PaneView::Occlusion(3),
    ));
    project
}

/// The id of a motion by its name.
pub fn clip(project: &Project, name: &str) -> MediaOwner {
    let motion = project.motions().iter().find(|motion| motion.name == name);
    MediaOwner::Motion(motion.unwrap().id)
}
