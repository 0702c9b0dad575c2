//! Imports published checkpoints and drives portraits by clips with them: small networks of the published
//! architectures, in the containers of the published files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::common::checkpoint::{dict, int, legacy, storage, tensor};
use crate::common::media::{read_gif, read_mp4};
use crate::common::procedural::param;
use crate::common::recorder::{Shapes, requested_shapes};
use crate::support::{self, failure, mien, portrait};
use mien::media;
use mien::methods::{fomm, ganimation, mocogan, tps};

/// Both outputs of a command that succeeded.
fn succeed(output: &Output) -> String {
    support::succeed(output) + &String::from_utf8_lossy(&output.stderr)
}

/// The one-sentence error of a failed command.
fn sentence(output: &Output) -> String {
    failure(output, 1)
}

/// A clip of four frames: a rendered head, neutral, smiling, surprised, smiling.
fn clip(folder: &Path) -> String {
    support::clip(folder, &["neutral", "smile", "surprise", "smile"])
}

/// A state_dict: the opcodes of each tensor by its key.
type State = Vec<(String, Vec<u8>)>;

/// A legacy stream as written by torch 1.0: a dictionary of state_dicts (grouped by the part before the first dot of
/// each key, if `nested`), an epoch and the state of an optimizer.
pub fn published(shapes: &Shapes, nested: bool) -> Vec<u8> {
    let mut storages = Vec::new();
    let mut groups: Vec<(String, State)> = Vec::new();
    for (key, shape) in shapes {
        let mut values = param(key, shape, 1);
        if key == "kp_detector.jacobian.bias" {
            for (i, value) in values.iter_mut().enumerate() {
                *value += f32::from(u8::from(i % 4 == 0 || i % 4 == 3));
            }
        }
        let name = storages.len().to_string();
        let count = values.len() as i64;
        let sizes: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
        let mut strides = vec![1; sizes.len()];
        for axis in (1..sizes.len()).rev() {
            strides[axis - 1] = strides[axis] * sizes[axis];
        }
        let pushed = storage("FloatStorage", &name, count, None);
        let pushed = tensor(&pushed, 0, &sizes, &strides);
        storages.push((name, values));
        let (group, key) = match key.split_once('.') {
            Some((group, rest)) if nested => (group, rest),
            _ => ("", key.as_str()),
        };
        match groups.iter_mut().find(|(name, _)| name == group) {
            Some((_, entries)) => entries.push((key.to_owned(), pushed)),
            None => groups.push((group.to_owned(), vec![(key.to_owned(), pushed)])),
        }
    }
    let state = |entries: &State| {
        let entries: Vec<_> = entries
            .iter()
            .map(|(k, v)| (k.as_str(), v.clone()))
            .collect();
        dict(&entries)
    };
    let object = if nested {
        let mut all: Vec<_> = groups
            .iter()
            .map(|(name, e)| (name.as_str(), state(e)))
            .collect();
        all.push(("epoch", int(99)));
        all.push(("optimizer_generator", dict(&[("state", dict(&[]))])));
        dict(&all)
    } else {
        state(&groups[0].1)
    };
    let storages: Vec<_> = storages.iter().map(|(k, v)| (k.as_str(), &v[..])).collect();
    legacy(&object, &storages)
}

pub fn small_fomm() -> Shapes {
    let mut config = fomm::Config {
        num_kp: 4,
        ..fomm::Config::default()
    };
    (config.detector.block_expansion, config.detector.num_blocks) = (4, 3);
    (
        config.dense_motion.block_expansion,
        config.dense_motion.num_blocks,
    ) = (4, 3);
    config.generator.block_expansion = 4;
    config.generator.num_bottleneck_blocks = 1;
    let mut shapes = requested_shapes(1, |weights| {
        drop(fomm::Fomm::new(&config, weights).unwrap())
    });
    // Part of a published file, but not needed for rendering.
    shapes.insert("discriminator.conv.weight".to_owned(), vec![2, 3]);
    shapes
}

fn small_tps(avd: bool) -> Shapes {
    let mut config = tps::Config::default();
    if !avd {
        config.avd = None;
    }
    config.background = false;
    config.num_tps = 2;
    config.dense_motion.block_expansion = 8;
    config.dense_motion.max_features = 32;
    config.block_expansion = 4;
    requested_shapes(1, |weights| drop(tps::Tps::new(&config, weights).unwrap()))
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_fomm_checkpoint_is_imported_and_moves_a_portrait() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write(at, "vox-cpk.pth.tar", &published(&small_fomm(), true));
    let stdout = succeed(&mien(at, &["weights", "import", "vox-cpk.pth.tar"]));
    assert!(stdout.contains("vox-cpk: fomm"), "{stdout}");
    assert!(stdout.contains("before 1.3"), "{stdout}");
    assert!(stdout.contains("doesn't know the licence"), "{stdout}");

    let stdout = succeed(&mien(at, &["weights", "list", "-v"]));
    assert!(stdout.contains("vox-cpk"), "{stdout}");
    assert!(stdout.contains("\"align_corners\":true"), "{stdout}");
    assert!(stdout.contains("sha256"), "{stdout}");
    let file = at.join("data/weights/vox-cpk.safetensors");
    let tensors = candle_core::safetensors::load(&file, &candle_core::Device::Cpu).unwrap();
    assert!(tensors.contains_key("generator.first.conv.weight"));
    assert!(!tensors.keys().any(|key| key.starts_with("discriminator")));

    let again = sentence(&mien(at, &["weights", "import", "vox-cpk.pth.tar"]));
    assert!(again.contains("already exists"), "{again}");
    let (portrait, clip) = (portrait(), clip(at));
    let transfer = |arguments: &[&str]| {
        let all = [
            "transfer",
            portrait.as_str(),
            clip.as_str(),
            "--method",
            "fomm",
            "--weights",
            "vox-cpk",
        ];
        mien(at, &[&all, arguments].concat())
    };
    let stdout = succeed(&transfer(&["-o", "out.gif"]));
    assert!(stdout.contains("relative to frame"), "{stdout}");
    let gif = read_gif(&at.join("out.gif"));
    assert_eq!(gif.delays.len(), 4);
    let own = media::image::open(Path::new(&portrait)).unwrap();
    assert_eq!((u32::from(gif.size.0), u32::from(gif.size.1)), own.size());

    // Without motion the result is the portrait, byte for byte.
    succeed(&transfer(&["--gain", "0", "-o", "still.png"]));
    let frames: Vec<_> = crate::common::media::names(at)
        .into_iter()
        .filter(|name| name.starts_with("still"))
        .collect();
    assert_eq!(frames.len(), 4, "{frames:?}");
    for frame in &frames {
        assert_eq!(
            media::image::open(&at.join(frame)).unwrap().rgba(),
            own.rgba(),
            "{frame}"
        );
    }
    // Absolute motion changes it, but only inside the crop.
    succeed(&transfer(&[
        "--mode",
        "standard",
        "--from",
        "0.05",
        "-o",
        "moved.png",
    ]));
    let moved: Vec<_> = crate::common::media::names(at)
        .into_iter()
        .filter(|name| name.starts_with("moved"))
        .collect();
    assert_eq!(moved.len(), 2, "{moved:?}");
    let moved = media::image::open(&at.join(&moved[0])).unwrap();
    assert_ne!(moved.rgba(), own.rgba());
    assert_eq!(moved.rgba()[..4], own.rgba()[..4]);

    let avd = sentence(&transfer(&["--mode", "avd", "-o", "x.gif"]));
    assert!(avd.contains("--method tps"), "{avd}");
    let far = sentence(&transfer(&["--reference", "9", "-o", "x.gif"]));
    assert!(far.contains("has no frame 9"), "{far}");
    assert!(!at.join("x.gif").exists());
}

#[test]
fn a_tps_checkpoint_drives_in_every_mode_that_it_has_networks_for() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write(at, "vox.pth.tar", &published(&small_tps(true), true));
    write(at, "lean.pth.tar", &published(&small_tps(false), true));
    let stdout = succeed(&mien(
        at,
        &["weights", "import", "vox.pth.tar", "--licence", "MIT"],
    ));
    assert!(
        stdout.contains("vox: tps") && !stdout.contains("licence"),
        "{stdout}"
    );
    let stdout = succeed(&mien(at, &["weights", "import", "lean.pth.tar"]));
    assert!(stdout.contains("no AVD network"), "{stdout}");

    let (portrait, clip) = (portrait(), clip(at));
    let transfer = |arguments: &[&str]| {
        let all = [
            "transfer",
            portrait.as_str(),
            clip.as_str(),
            "--method",
            "tps",
        ];
        mien(at, &[&all, arguments].concat())
    };
    for mode in ["standard", "relative", "avd"] {
        let out = format!("{mode}.mp4");
        succeed(&transfer(&[
            "--weights",
            "vox",
            "--mode",
            mode,
            "--plain",
            "-o",
            &out,
        ]));
        assert_eq!(read_mp4(&at.join(out)).frames.len(), 4);
    }
    let message = sentence(&transfer(&[
        "--weights",
        "lean",
        "--mode",
        "avd",
        "-o",
        "x.gif",
    ]));
    assert!(message.contains("no AVD network"), "{message}");
    let wrong = sentence(&transfer(&["--weights", "nobody", "-o", "x.gif"]));
    assert!(wrong.contains("neither a file nor the name"), "{wrong}");
}

#[test]
fn a_clip_drives_ganimation_without_an_import_and_its_sound_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (portrait, clip) = (portrait(), clip(at));
    let stdout = succeed(&mien(
        at,
        &[
            "transfer",
            &portrait,
            &clip,
            "--reference",
            "1",
            "--region",
            "mouth",
            "-o",
            "out.gif",
        ],
    ));
    assert!(stdout.contains("frame 1"), "{stdout}");
    assert_eq!(read_gif(&at.join("out.gif")).delays.len(), 4);
    let own = ["--sample-clip", "--to", "0.1", "-o", "own.gif"];
    succeed(&mien(at, &[&["transfer", &portrait], &own[..]].concat()));
    assert!(read_gif(&at.join("own.gif")).delays.len() > 1);
    let neither = mien(at, &["transfer", &portrait, "-o", "x.gif"]);
    assert_eq!(neither.status.code(), Some(2));
    let time = mien(
        at,
        &[
            "transfer", &portrait, &clip, "--from", "noon", "-o", "x.gif",
        ],
    );
    assert!(sentence(&time).contains("noon"));
}

/// Without an option the bundled weights are used, whatever is installed; among weights of the same name, the user's.
#[test]
fn every_method_works_without_an_import() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (portrait, clip) = (portrait(), clip(at));
    let own = media::image::open(Path::new(&portrait)).unwrap();
    for method in ["fomm", "tps"] {
        let name = format!("{method}-128");
        for (i, chosen) in [&[][..], &["--weights", name.as_str()]].iter().enumerate() {
            let out = format!("{method}{i}.png");
            let transfer = [
                "transfer", &portrait, &clip, "--method", method, "--mode", "standard", "--to",
                "0.05", "-o", &out,
            ];
            succeed(&mien(at, &[&transfer[..], chosen].concat()));
        }
        let frames = |start: &str| -> Vec<Vec<u8>> {
            let names = crate::common::media::names(at).into_iter();
            let wanted = names.filter(|name| name.starts_with(start) && name.ends_with(".png"));
            wanted
                .map(|name| media::image::open(&at.join(name)).unwrap().rgba().to_vec())
                .collect()
        };
        let first = frames(&format!("{method}0"));
        assert!(!first.is_empty());
        assert_eq!(first, frames(&format!("{method}1")));
        assert_ne!(first[0], own.rgba());
    }
    succeed(&mien(at, &["sample", "--seed", "3", "-o", "sample.gif"]));
    assert_eq!(read_gif(&at.join("sample.gif")).delays.len(), 16);

    let wrong = [
        "sample",
        "--weights",
        "fomm-128",
        "--seed",
        "3",
        "-o",
        "x.gif",
    ];
    let message = sentence(&mien(at, &wrong));
    assert!(message.contains("installed MoCoGAN weights"), "{message}");

    let own = at.join("data/weights");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("mocogan-64.safetensors"), b"nothing of the kind").unwrap();
    succeed(&mien(at, &["sample", "--seed", "3", "-o", "again.gif"]));
    assert_eq!(
        fs::read(at.join("sample.gif")).unwrap(),
        fs::read(at.join("again.gif")).unwrap()
    );
}

#[test]
fn the_cards_of_the_bundled_weights_are_listed_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let short = succeed(&mien(folder.path(), &["weights", "list"]));
    assert_eq!(short.lines().count(), 6, "{short}");
    let full = succeed(&mien(folder.path(), &["weights", "list", "-v"]));
    for name in ["rig", "ganimation-128", "fomm-128", "tps-128", "mocogan-64"] {
        assert!(short.contains(&format!("{name} ")), "{short}");
        assert!(full.contains(&format!("\n    {name}\n    ===")), "{full}");
    }
    assert!(full.contains("\n    What it can't do\n    -----"), "{full}");
    assert!(!full.contains("**") && !full.contains("|---"), "{full}");
}

#[test]
fn a_sample_is_drawn_saved_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let config = mocogan::Config {
        ngf: 8,
        ..mocogan::Config::default()
    };
    let shapes = requested_shapes(1, |weights| {
        drop(mocogan::MoCoGan::new(&config, weights).unwrap())
    });
    write(at, "generator_30.pytorch", &published(&shapes, false));
    succeed(&mien(at, &["weights", "import", "generator_30.pytorch"]));

    let start = ["sample", "--weights", "generator_30"];
    let sample = |arguments: &[&str]| mien(at, &[&start, arguments].concat());
    let first = ["--seed", "7", "--category", "happiness", "--frames", "6"];
    succeed(&sample(&[&first[..], &["-o", "a.gif"]].concat()));
    succeed(&sample(&[&first[..], &["-o", "b.gif"]].concat()));
    assert_eq!(
        fs::read(at.join("a.gif")).unwrap(),
        fs::read(at.join("b.gif")).unwrap()
    );
    assert_eq!(read_gif(&at.join("a.gif")).delays.len(), 6);

    let replay = ["--content", "a.json", "--motion", "a.json", "-o", "c.gif"];
    succeed(&sample(&replay));
    assert_eq!(
        fs::read(at.join("a.gif")).unwrap(),
        fs::read(at.join("c.gif")).unwrap()
    );

    let codes = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(at.join(name)).unwrap()).unwrap()
    };
    succeed(&sample(
        &[&first[..], &["--hold", "content", "-o", "held.json"]].concat(),
    ));
    let (a, same_content) = (codes("a.json"), codes("held.json"));
    assert_eq!(a["content"], same_content["content"]);
    assert_ne!(a["epsilon"], same_content["epsilon"]);
    assert_eq!(a["category"], same_content["category"]);

    let unknown = sentence(&sample(&["--category", "boredom", "-o", "x.gif"]));
    assert!(unknown.contains("surprise"), "{unknown}");
    let twice = sample(&[
        "--seed",
        "1",
        "--hold",
        "content",
        "--content",
        "a.json",
        "-o",
        "x.gif",
    ]);
    assert!(sentence(&twice).contains("leave one out"));
}

#[test]
fn imported_weights_of_another_ganimation_dialect_are_used_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let config = ganimation::Config {
        conv_dim: 4,
        repeat_num: 1,
        dialect: ganimation::Dialect::Donydchen,
        ..ganimation::Config::default()
    };
    let shapes = requested_shapes(1, |weights| {
        drop(ganimation::Generator::new(&config, weights).unwrap())
    });
    write(at, "30_net_gen.pth", &published(&shapes, false));
    let stdout = succeed(&mien(
        at,
        &["weights", "import", "30_net_gen.pth", "--name", "dony"],
    ));
    assert!(stdout.contains("dony: ganimation"), "{stdout}");
    let portrait = portrait();
    let edit = [
        "edit",
        &portrait,
        "--weights",
        "dony",
        "--au",
        "12=1",
        "-o",
        "a.png",
    ];
    succeed(&mien(at, &edit));
    let own = media::image::open(Path::new(&portrait)).unwrap();
    assert_ne!(
        media::image::open(&at.join("a.png")).unwrap().rgba(),
        own.rgba()
    );
}

#[test]
fn an_invalid_import_gives_a_one_sentence_error() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let mut incomplete = small_fomm();
    incomplete.remove("generator.bottleneck.r0.conv1.weight");
    let mut bent = small_fomm();
    bent.insert("generator.final.weight".to_owned(), vec![3, 5, 7, 7]);
    let mut alone = small_fomm();
    alone.retain(|key, _| key.starts_with("generator."));
    let cases: [(&str, Vec<u8>, &str); 5] = [
        (
            "lacking.pth.tar",
            published(&incomplete, true),
            "bottleneck.r0",
        ),
        (
            "bent.pth.tar",
            published(&bent, true),
            "generator.final.weight",
        ),
        (
            "alone.pth.tar",
            published(&alone, true),
            "lacks kp_detector",
        ),
        (
            "page.pth.tar",
            b"<!DOCTYPE html><html>".to_vec(),
            "web page",
        ),
        (
            "other.pth",
            published(&Shapes::from([("fc.weight".to_owned(), vec![2, 2])]), false),
            "not a checkpoint of a method",
        ),
    ];
    for (name, bytes, part) in cases {
        write(at, name, &bytes);
        let message = sentence(&mien(at, &["weights", "import", name]));
        assert!(
            message.contains(part) && message.contains(name),
            "{message}"
        );
    }
    let kept = fs::read_dir(at.join("data/weights")).map_or(0, |entries| entries.count());
    assert_eq!(kept, 0);
}
