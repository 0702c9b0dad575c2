//! Valid files to be damaged: fixtures, and the output of Mien's writers.

use std::fs;
use std::path::{Path, PathBuf};

use mien::document::{
    ActionUnit, AuVector, ClipMotion, Crop, Document, MediaSource, MotionKind, PortraitRef, Pose,
    Preset, Project, Sample, SampleSizes, SampledMotion, Sides,
};
use mien::media::encode::{
    ApngSettings, ApngSink, FrameSink, GifSettings, GifSink, Mp4Settings, Mp4Sink, WebpSettings,
    WebpSink, save_jpeg_with, save_png, save_webp_with,
};
use mien::media::image::Picture;
use mien::media::provenance::{Provenance, SourceType};
use mien::project::file::{Embed, MediaIndex, ProjectFile};
use mien::project::settings::{Recent, Settings, WindowPlace};

fn read(folder: &str, is_wanted: fn(&str) -> bool) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| is_wanted(path.to_str().unwrap()));
    paths.sort();
    assert!(!paths.is_empty());
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Returns the file that `write` creates.
fn written(name: &str, write: impl FnOnce(&Path)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    write(&path);
    fs::read(path).unwrap()
}

fn picture(seed: u32) -> Picture {
    let (width, height) = (32, 24);
    let value = |i: u32| (i * 37 + seed * 91 + i * i % 11) as u8;
    Picture::new(width, height, (0..width * height * 4).map(value).collect()).unwrap()
}

fn frames(mut sink: Box<dyn FrameSink>) {
    (0..3).for_each(|seed| sink.push(&picture(seed)).unwrap());
    sink.finish().unwrap();
}

fn note() -> Provenance {
    let models = vec!["ganimation-128".to_owned(), "rig".to_owned()];
    Provenance::new(models, SourceType::TrainedAlgorithmicMedia)
}

pub fn checkpoints() -> Vec<Vec<u8>> {
    read("tests/parity/containers", |path| !path.ends_with(".md"))
}

pub fn models() -> Vec<Vec<u8>> {
    let header = |metadata: &str| {
        let header = format!(
            r#"{{"__metadata__":{metadata},"a.weight":{{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}},"b":{{"dtype":"F16","shape":[4],"data_offsets":[24,32]}}}}"#
        );
        let length = (header.len() as u64).to_le_bytes();
        [&length[..], header.as_bytes(), &[0; 32]].concat()
    };
    let full = r#"{"architecture":"ganimation","config":"{\"image_size\": 128, \"conv_dim\": 32}","au_order":"1,2,4","crop":"{\"kind\":\"landmark_bbox_square\",\"scale\":1.4,\"upright\":true}","licence":"MIT","origin":"here","imported_from":"{\"file\":\"a.pth\",\"size\":12,\"sha256\":\"00\"}"}"#;
    vec![
        header(full),
        header(r#"{"architecture":"tps","config":"{}"}"#),
    ]
}

pub fn videos() -> Vec<Vec<u8>> {
    let mut videos = read("tests/fixtures/clips", |path| {
        path.ends_with(".mp4") || path.ends_with(".mov") || path.ends_with(".m4a")
    });
    videos.push(written("a.mp4", |path| {
        let mut sink = Mp4Sink::new(path, 32, 24, Mp4Settings::default()).unwrap();
        sink.set_note(note());
        frames(Box::new(sink));
    }));
    videos
}

pub fn gifs() -> Vec<Vec<u8>> {
    vec![written("a.gif", |path| {
        let mut sink = GifSink::new(path, 32, 24, GifSettings::default()).unwrap();
        sink.set_note(&note()).unwrap();
        frames(Box::new(sink));
    })]
}

pub fn webps() -> Vec<Vec<u8>> {
    let mut webps = read("tests/fixtures/clips", |path| path.ends_with(".webp"));
    for quality in [50, 100] {
        let settings = WebpSettings {
            quality,
            ..WebpSettings::default()
        };
        webps.push(written("a.webp", |path| {
            let mut sink = WebpSink::new(path, 32, 24, settings).unwrap();
            sink.set_note(note());
            frames(Box::new(sink));
        }));
    }
    webps
}

pub fn pngs() -> Vec<Vec<u8>> {
    let mut pngs = read("tests/fixtures/clips", |path| path.ends_with(".png"));
    pngs.push(written("a.png", |path| {
        let mut sink = ApngSink::new(path, 32, 24, ApngSettings::default()).unwrap();
        sink.set_note(note());
        frames(Box::new(sink));
    }));
    pngs
}

/// Still pictures in every format that Mien writes, and a BMP.
pub fn pictures() -> Vec<Vec<u8>> {
    let mut bmp =
        b"BM\x76\x0c\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x20\0\0\0\x18\0\0\0\x01\0\x20\0".to_vec();
    bmp.extend([0; 24]);
    bmp.extend(picture(0).rgba());
    vec![
        written("a.png", |path| save_png(path, &picture(1)).unwrap()),
        written("a.jpg", |path| {
            save_jpeg_with(path, &picture(2), 80, Some(&note())).unwrap();
        }),
        written("a.webp", |path| {
            save_webp_with(path, &picture(3), 80, Some(&note())).unwrap();
        }),
        bmp,
    ]
}

/// All formats that can have a provenance note.
pub fn with_provenance() -> Vec<Vec<u8>> {
    let mut all = pictures();
    all.pop();
    all.extend([gifs(), webps(), pngs(), videos()].concat());
    all
}

fn document() -> Document {
    let portrait = PortraitRef {
        id: 0,
        name: "Ada.png".to_owned(),
        source: MediaSource::File("/nowhere/Ada.png".into()),
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
    let mut document = Document::new(portrait, crop, AuVector::NEUTRAL.with(smile, 0.3));
    document.track.set_frames(12);
    document
        .track
        .set_key(3, Pose::NEUTRAL.with(Sides::Left, smile, 1.0));
    document
}

fn codes() -> Sample {
    let sizes = SampleSizes {
        content: 5,
        motion: 3,
        categories: 6,
    };
    Sample::draw(7, &sizes, 4, None).unwrap()
}

pub fn projects() -> Vec<Vec<u8>> {
    let save = |project: &Project, embed| {
        written("a.mien", |path| {
            ProjectFile::save_with(project, path, embed, &MediaIndex::default(), None).unwrap();
        })
    };
    let mut project = Project::new(document());
    let clip = ClipMotion::new(MediaSource::File("/nowhere/clip.mp4".into()));
    project.add("Clip", MotionKind::Clip(clip));
    project.add("Sample", MotionKind::Sample(SampledMotion::new(codes())));
    let plain = save(&project, Embed::Nothing);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Ada.png");
    save_png(&path, &picture(0)).unwrap();
    project.change(|document| document.portrait.source = MediaSource::File(path));
    vec![plain, save(&project, Embed::All)]
}

/// Projects of version 1.
pub fn json_projects() -> Vec<Vec<u8>> {
    read("tests/fixtures/projects", |path| path.ends_with(".mien"))
}

pub fn presets() -> Vec<Vec<u8>> {
    let preset = Preset {
        name: "Half smile".to_owned(),
        pose: AuVector::NEUTRAL
            .with(ActionUnit::from_code(12).unwrap(), 0.5)
            .into(),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = preset.save(folder.path()).unwrap();
    vec![fs::read(path).unwrap()]
}

pub fn samples() -> Vec<Vec<u8>> {
    vec![codes().to_json().unwrap().into_bytes()]
}

pub fn settings() -> Vec<Vec<u8>> {
    let mut settings = Settings {
        light: true,
        window: Some(WindowPlace {
            width: 1400.0,
            height: 900.0,
            x: 3.0,
            y: 4.0,
        }),
        timeline_height: Some(200.0),
        ..Settings::default()
    };
    settings
        .weights
        .insert("fomm".to_owned(), "vox-cpk".to_owned());
    settings.folders.exports = Some("/tmp".into());
    let mut recent = Recent::default();
    recent.add_project(Path::new("/nowhere/a.mien"));
    recent.add_portrait(Path::new("/nowhere/a.png"));
    vec![
        written("settings.json", |path| settings.save_to(path).unwrap()),
        written("recent.json", |path| recent.save_to(path).unwrap()),
    ]
}
