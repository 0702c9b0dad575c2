//! Each reader with its input files, and the properties of its results.

use std::fs;
use std::path::Path;

use candle_core::Device;
use mien::document::{Preset, Sample};
use mien::media::clip::{Clip, Sound};
use mien::media::image;
use mien::media::provenance::{Provenance, SourceType};
use mien::project::file::{Embed, ProjectFile};
use mien::project::settings::{Recent, Settings};
use mien::weights::checkpoint::{read_bytes, system};
use mien::weights::{ModelFile, installed};

use crate::corpus;
use crate::mutate::Format;

pub struct Reader {
    pub name: &'static str,
    pub format: Format,
    pub corpus: fn() -> Vec<Vec<u8>>,
    /// Reads the bytes, with a folder for files, and returns whether they were accepted.
    pub read: fn(&Path, &[u8]) -> bool,
    /// Whether some undamaged files aren't accepted: those that only ffmpeg reads.
    pub takes_none: bool,
    /// About two seconds.
    pub executions: u64,
}

const fn reader(
    name: &'static str,
    format: Format,
    corpus: fn() -> Vec<Vec<u8>>,
    read: fn(&Path, &[u8]) -> bool,
    executions: u64,
) -> Reader {
    Reader {
        name,
        format,
        corpus,
        read,
        takes_none: false,
        executions,
    }
}

pub const ALL: [Reader; 13] = [
    reader(
        "checkpoint",
        Format::Bytes,
        corpus::checkpoints,
        checkpoint,
        20_000,
    ),
    reader("model", Format::Safetensors, corpus::models, model, 10_000),
    Reader {
        takes_none: true,
        ..reader("film", Format::Mp4, corpus::videos, video, 4_000)
    },
    reader("gif", Format::Bytes, corpus::gifs, clip, 5_000),
    reader("webp", Format::Riff, corpus::webps, clip, 5_000),
    reader("apng", Format::Png, corpus::pngs, clip, 5_000),
    reader("picture", Format::Bytes, corpus::pictures, picture, 10_000),
    Reader {
        takes_none: true,
        ..reader(
            "provenance",
            Format::Bytes,
            corpus::with_provenance,
            provenance,
            20_000,
        )
    },
    reader("project", Format::Archive, corpus::projects, project, 3_000),
    reader(
        "project-1",
        Format::Json,
        corpus::json_projects,
        project,
        3_000,
    ),
    reader("preset", Format::Json, corpus::presets, preset, 10_000),
    reader("sample", Format::Json, corpus::samples, sample, 10_000),
    reader("settings", Format::Json, corpus::settings, settings, 10_000),
];

/// Asserts that an error is one plain sentence of limited length, with the file's name if it has one.
fn sentence(error: &impl ToString, name: &str) {
    let text = error.to_string();
    assert!(text.contains(name), "{text}");
    assert!(text.ends_with('.') && text.len() < 1500, "{text}");
    assert!(!text.contains(char::is_control), "{text:?}");
}

fn checkpoint(_: &Path, bytes: &[u8]) -> bool {
    let name = "vox-cpk.pth.tar";
    let checkpoint = match read_bytes(Path::new(name), bytes) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            sentence(&error, name);
            return false;
        }
    };
    let total: usize = checkpoint.tensors.values().map(|t| t.data.len()).sum();
    assert!(total <= 8 * bytes.len() + (1 << 20), "{total} bytes");
    for tensor in checkpoint.tensors.values() {
        let count: usize = tensor.shape.iter().product();
        assert_eq!(tensor.data.len(), count * tensor.dtype.size());
        if tensor.is_finite() && count <= 1 << 12 {
            assert!(tensor.to_f32().iter().all(|number| number.is_finite()));
        }
    }
    let _ = system(&checkpoint);
    true
}

fn model(folder: &Path, bytes: &[u8]) -> bool {
    let path = folder.join("own.safetensors");
    fs::write(&path, bytes).unwrap();
    let opened = ModelFile::open(&path, &Device::Cpu);
    let listed = installed(Some(folder)).pop().unwrap();
    match opened {
        Ok(file) => {
            let _ = file.crop_rule(&path);
            assert!(listed.is_ok_and(|listed| listed.metadata == file.metadata));
            true
        }
        Err(error) => {
            sentence(&error, "own.safetensors");
            false
        }
    }
}

fn video(folder: &Path, bytes: &[u8]) -> bool {
    let is_read = clip(folder, bytes);
    if let Sound::Track(track) = Sound::of(&folder.join("clip.dat")) {
        let part = track.part(0.1, 0.4);
        assert!(part.seconds().is_finite());
    }
    is_read
}

fn clip(folder: &Path, bytes: &[u8]) -> bool {
    let path = folder.join("clip.dat");
    fs::write(&path, bytes).unwrap();
    let refused = |error: mien::media::error::MediaError| {
        sentence(&error, "clip.dat");
        false
    };
    let mut clip = match Clip::open(&path) {
        Ok(clip) => clip,
        Err(error) => return refused(error),
    };
    let size = (clip.info().width, clip.info().height);
    assert!(clip.info().fps > 0.0);
    let mut last = 0.0;
    for frame in clip.by_ref().take(6) {
        match frame {
            Ok(frame) => {
                assert_eq!(frame.picture.size(), size);
                assert!(frame.time >= last, "{} after {last}", frame.time);
                last = frame.time;
            }
            Err(error) => return refused(error),
        }
    }
    // Skips ahead without decoding the frames between.
    if let Ok(mut later) = Clip::open(&path) {
        match later.nth(3) {
            None | Some(Ok(_)) => {}
            Some(Err(error)) => return refused(error),
        }
    }
    true
}

fn picture(_: &Path, bytes: &[u8]) -> bool {
    match image::read(Path::new("picture.dat"), bytes) {
        Ok(picture) => {
            let (width, height) = picture.size();
            assert_eq!(picture.rgba().len(), width as usize * height as usize * 4);
            true
        }
        Err(error) => {
            sentence(&error, "picture.dat");
            false
        }
    }
}

/// A note can be added, and added again without a second note.
fn provenance(_: &Path, bytes: &[u8]) -> bool {
    let note = Provenance::new(vec!["rig".to_owned()], SourceType::TrainedAlgorithmicMedia);
    match note.put(bytes) {
        Ok(noted) => {
            assert!(noted.len() <= bytes.len() + (1 << 16));
            note.put(&noted).is_ok()
        }
        Err(error) => {
            sentence(&error, "");
            false
        }
    }
}

fn project(folder: &Path, bytes: &[u8]) -> bool {
    let (path, unpacked) = (folder.join("a.mien"), folder.join("unpacked"));
    fs::write(&path, bytes).unwrap();
    let opened = match ProjectFile::open_with(&path, Some(&unpacked)) {
        Ok(opened) => opened,
        Err(error) => {
            sentence(&error, "a.mien");
            return false;
        }
    };
    let _ = opened.remarks();
    // An opened project can be saved, and is then the same.
    let again = folder.join("again.mien");
    let saved = ProjectFile::save_with(
        &opened.project,
        &again,
        Embed::Nothing,
        &opened.index,
        Some(&unpacked),
    );
    if saved.is_ok() {
        let second = ProjectFile::open_with(&again, Some(&unpacked)).unwrap();
        assert_eq!(
            second.project.motions().len(),
            opened.project.motions().len()
        );
    }
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name();
        let known = ["a.mien", "again.mien", "unpacked"];
        assert!(
            known.iter().any(|known| name == *known),
            "{name:?} was written"
        );
    }
    true
}

fn preset(folder: &Path, bytes: &[u8]) -> bool {
    let path = folder.join("own.json");
    fs::write(&path, bytes).unwrap();
    match Preset::load(&path) {
        Ok(preset) => {
            let again = serde_json::to_string(&preset).unwrap();
            assert_eq!(serde_json::from_str::<Preset>(&again).unwrap(), preset);
            let _ = Preset::find(&[preset], "half");
            true
        }
        Err(error) => {
            sentence(&error, "own.json");
            false
        }
    }
}

fn sample(folder: &Path, bytes: &[u8]) -> bool {
    let path = folder.join("own.json");
    fs::write(&path, bytes).unwrap();
    match Sample::load(&path) {
        Ok(sample) => {
            sample.save(&path).unwrap();
            assert_eq!(Sample::load(&path).unwrap(), sample);
            true
        }
        Err(error) => {
            sentence(&error, "own.json");
            false
        }
    }
}

/// Unreadable settings are set aside with a remark; the files are removed afterwards.
fn settings(folder: &Path, bytes: &[u8]) -> bool {
    let path = folder.join("settings.json");
    fs::write(&path, bytes).unwrap();
    let (settings, remark) = Settings::load_from(&path);
    if let Some(place) = settings.window {
        assert!(place.width <= 8192.0 && place.height <= 8192.0);
    }
    settings.save_to(&folder.join("again.json")).unwrap();
    fs::write(&path, bytes).unwrap();
    let (recent, other) = Recent::load_from(&path);
    assert!(recent.projects().len() <= Recent::MAX);
    for entry in fs::read_dir(folder).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    for remark in remark.iter().chain(&other) {
        sentence(remark, "settings");
    }
    remark.is_none() || other.is_none()
}
