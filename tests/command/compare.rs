//! Comparing methods with the command, with the bundled weights.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::common::media::{names, provenance, read_gif, read_mp4};
use crate::support::{self, command, failure, mien, portrait, succeed};
use mien::media;

/// A clip of three frames: a rendered head, neutral, smiling and surprised.
fn clip(folder: &Path) -> String {
    support::clip(folder, &["neutral", "smile", "surprise"])
}

/// The one-sentence error of a failed command.
fn sentence(output: &Output) -> String {
    failure(output, 1)
}

/// The models in a file's provenance note.
fn models(path: &Path) -> Vec<String> {
    let found = provenance::read(&fs::read(path).unwrap()).unwrap();
    assert!(found.is_by_a_model());
    found.models
}

/// The rows of a table, each cell with its title.
fn table(path: &Path) -> Vec<Vec<(String, String)>> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
    let titles: Vec<String> = lines.next().unwrap().collect();
    lines
        .map(|cells| {
            let row: Vec<_> = titles.iter().cloned().zip(cells).collect();
            assert_eq!(row.len(), titles.len());
            row
        })
        .collect()
}

fn cell<'a>(row: &'a [(String, String)], title: &str) -> &'a str {
    let found = row.iter().find(|(name, _)| name == title);
    &found.unwrap_or_else(|| panic!("no {title}")).1
}

fn value(row: &[(String, String)], title: &str) -> f64 {
    let text = cell(row, title);
    text.parse()
        .unwrap_or_else(|_| panic!("{title} is {text:?}"))
}

#[test]
fn every_method_is_shown_next_to_the_clip_and_measured() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (portrait, clip) = (portrait(), clip(at));
    let arguments = [
        "compare",
        &portrait,
        &clip,
        "--methods",
        "ganimation,fomm,tps:standard",
        "--reference",
        "1",
        "--size",
        "64",
        "--columns",
        "3",
        "--metrics",
        "numbers.csv",
        "--plot",
        "numbers.svg",
        "-o",
        "sheet.gif",
    ];
    let stdout = succeed(&mien(at, &arguments));
    assert!(stdout.starts_with("method ") && stdout.contains("tps:standard"));
    assert_eq!(
        stdout.lines().count(),
        9,
        "two tables and a line between them: {stdout}"
    );
    for title in ["smile r", "jaw r", "blink r", "head", "unsteady"] {
        assert!(stdout.contains(title), "{stdout}");
    }
    let chart = std::fs::read_to_string(at.join("numbers.svg")).unwrap();
    for text in [
        "tps:standard",
        "fomm:relative",
        "Time in seconds",
        "AKD px (lower is better)",
        "PSNR dB (higher is better)",
        "Driving clip",
        "jaw",
        "head off ° (lower is better)",
    ] {
        assert!(chart.contains(text), "{text}");
    }

    let gif = read_gif(&at.join("sheet.gif"));
    assert_eq!(gif.delays.len(), 3);
    // Five panes in two rows of three, with labels above.
    assert_eq!(gif.size.0, 3 * 70 + 6);
    assert!(gif.size.1 > 2 * 70 + 6 + 20, "{:?}", gif.size);

    assert_eq!(
        models(&at.join("sheet.gif")),
        ["ganimation-128", "fomm-128", "tps-128"]
    );

    let rows = table(&at.join("numbers.csv"));
    assert_eq!(rows.len(), 9);
    for (i, row) in rows.iter().enumerate() {
        let methods = [
            ("ganimation", "relative", "ganimation-128"),
            ("fomm", "relative", "fomm-128"),
            ("tps", "standard", "tps-128"),
        ];
        let found = (cell(row, "method"), cell(row, "mode"), cell(row, "weights"));
        assert_eq!(found, methods[i % 3]);
        assert_eq!(cell(row, "frame"), (i / 3 + 1).to_string());
        assert!((value(row, "time") - (i / 3) as f64 / 25.0).abs() < 1e-3);
        assert!((0.0..0.5).contains(&value(row, "l1")), "{row:?}");
        assert!((0.0..=1.0).contains(&value(row, "ssim")), "{row:?}");
        assert!(
            value(row, "psnr") > 5.0 && value(row, "ms") >= 0.0,
            "{row:?}"
        );
        let followed = value(row, "akd");
        assert!(followed > 0.0 && followed < 40.0, "{row:?}");
        assert_eq!(cell(row, "step").is_empty(), i < 3, "{row:?}");
        assert_eq!(cell(row, "acceleration").is_empty(), i < 6, "{row:?}");
        assert_eq!(cell(row, "driving_acceleration").is_empty(), i < 6);
        for score in ["smile", "jaw", "blink", "driving_smile"] {
            assert!((0.0..=1.0).contains(&value(row, score)), "{row:?}");
        }
        assert!((0.0..30.0).contains(&value(row, "head_off")), "{row:?}");
    }
    // The clip is neutral, then smiles and is surprised, and so are the faces driven by it.
    for title in ["driving_smile", "smile"] {
        let smiles: Vec<f64> = (0..3).map(|i| value(&rows[3 * i + 1], title)).collect();
        assert!(
            smiles[1] > smiles[0] && smiles[1] > smiles[2],
            "{title}: {smiles:?}"
        );
    }
    let jaws: Vec<f64> = (0..3).map(|i| value(&rows[3 * i + 1], "jaw")).collect();
    assert!(jaws[2] > jaws[0] && jaws[2] > jaws[1], "{jaws:?}");
    // In the reference frame nothing moves, and GANimation's target is the portrait's expression.
    assert_eq!((value(&rows[0], "l1"), value(&rows[1], "l1")), (0.0, 0.0));
    assert_eq!(cell(&rows[0], "psnr"), "inf");
    // All of them show a smile and a surprise, and absolute motion of the clip's face changes the most.
    let of =
        |method: usize, title| -> f64 { (0..3).map(|i| value(&rows[3 * i + method], title)).sum() };
    assert!(of(0, "l1") > 0.0 && of(1, "l1") > 0.0);
    assert!(
        of(2, "l1") > of(1, "l1"),
        "{} and {}",
        of(2, "l1"),
        of(1, "l1")
    );
    let left: BTreeSet<_> = names(at).into_iter().collect();
    let wanted = ["clip", "numbers.csv", "numbers.svg", "sheet.gif"].map(str::to_owned);
    assert_eq!(left, BTreeSet::from(wanted));
}

#[test]
fn without_movement_every_result_is_the_source() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (portrait, clip) = (portrait(), clip(at));
    let arguments = [
        "compare",
        &portrait,
        &clip,
        "--methods",
        "fomm,ganimation",
        "--gain",
        "0",
        "--against",
        "fomm",
        "--rows",
        "2",
        "--size",
        "48",
        "--no-labels",
        "-q",
    ];
    succeed(&mien(
        at,
        &[&arguments[..], &["--metrics", "n.csv", "-o", "a.png"]].concat(),
    ));
    let sheet = media::image::open(&at.join("a.png")).unwrap();
    assert_eq!(sheet.size(), (4 * 54 + 6, 2 * 54 + 6));
    let pane = |column: u32, row: u32| -> Vec<u8> {
        let (left, top) = (6 + column * 54, 6 + row * 54);
        let pixel = |x: u32, y: u32| ((y * sheet.width() + x) * 4) as usize;
        (0..48)
            .flat_map(|y| sheet.rgba()[pixel(left, top + y)..pixel(left + 48, top + y)].to_vec())
            .collect()
    };
    for row in 0..2 {
        assert_eq!(pane(0, row), pane(2, row));
        assert_eq!(pane(0, row), pane(3, row));
        assert_ne!(pane(0, row), pane(1, row));
    }
    assert_ne!(pane(1, 0), pane(1, 1), "the clip moves");
    // All three frames are measured, though only two are drawn.
    let rows = table(&at.join("n.csv"));
    assert_eq!(rows.len(), 6);
    for row in &rows {
        assert_eq!((cell(row, "l1"), cell(row, "psnr")), ("0.000000", "inf"));
        assert_eq!(cell(row, "ssim"), "1.000000");
        let step = cell(row, "step");
        assert!(step.is_empty() || value(row, "step") < 1.0, "{row:?}");
    }
    // The same pictures again, without metrics and without notes.
    assert_eq!(models(&at.join("a.png")), ["fomm-128", "ganimation-128"]);
    let plain = [&arguments[..], &["--unmarked", "-o", "b.png"]].concat();
    succeed(&mien(at, &plain));
    assert!(provenance::read(&fs::read(at.join("b.png")).unwrap()).is_none());
    assert_eq!(
        media::image::open(&at.join("b.png")).unwrap().rgba(),
        sheet.rgba()
    );
    // The other stills hold the same sheet, not its first frame.
    for name in ["c.jpg", "c.webp"] {
        succeed(&mien(at, &[&arguments[..], &["-o", name]].concat()));
        let other = media::image::open(&at.join(name)).unwrap();
        assert_eq!(other.size(), sheet.size(), "{name}");
    }
}

#[test]
fn driving_a_clips_own_first_frame_is_measured_against_the_clip() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let clip = clip(at);
    // The clip's first frame, driven by the same clip: the papers' reconstruction.
    let arguments = [
        "compare",
        "clip/0000.jpg",
        &clip,
        "--methods",
        "fomm:standard",
        "--against",
        "driving",
        "--size",
        "64",
        "--metrics",
        "n.csv",
        "-qo",
        "sheet.png",
    ];
    succeed(&mien(at, &arguments));
    let rows = table(&at.join("n.csv"));
    assert_eq!(rows.len(), 3);
    assert_eq!((value(&rows[0], "l1"), value(&rows[0], "akd")), (0.0, 0.0));
    for row in &rows[1..] {
        let (l1, akd) = (value(row, "l1"), value(row, "akd"));
        assert!(l1 > 0.0 && l1 < 0.2, "{row:?}");
        assert!(akd > 0.0 && akd < 12.0, "{row:?}");
    }
}

#[test]
fn an_expression_drives_every_method() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let portrait = portrait();
    let arguments = [
        "compare",
        &portrait,
        "--preset",
        "surprised",
        "--au",
        "12=0.3",
        "--frames",
        "3",
        "--pingpong",
        "--fps",
        "12",
        "--methods",
        "ganimation,fomm:relative",
        "--size",
        "64",
        "--metrics",
        "n.csv",
        "-o",
        "sheet.mp4",
    ];
    succeed(&mien(at, &arguments));
    let video = read_mp4(&at.join("sheet.mp4"));
    assert_eq!(video.frames.len(), 4);
    let fps = f64::from(video.timescale) / f64::from(video.durations[0]);
    assert!((fps - 12.0).abs() < 1e-6);
    // The rig draws the driving frames.
    assert_eq!(
        models(&at.join("sheet.mp4")),
        ["ganimation-128", "fomm-128", "rig"]
    );
    let rows = table(&at.join("n.csv"));
    assert_eq!(rows.len(), 8);
    assert_eq!(
        (cell(&rows[0], "mode"), cell(&rows[1], "mode")),
        ("", "relative")
    );
    // It begins at the portrait, and its middle is the farthest from it.
    assert_eq!(value(&rows[0], "l1"), 0.0);
    for method in 0..2 {
        let l1 = |frame: usize| value(&rows[2 * frame + method], "l1");
        assert!(l1(2) > l1(1) && l1(1) >= l1(0), "{method}");
        assert!((l1(3) - l1(1)).abs() < 0.2 * l1(2), "{method}");
    }
    assert!((value(&rows[6], "time") - 0.25).abs() < 1e-3);
}

#[test]
fn a_sampled_motion_drives_every_method() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let portrait = portrait();
    let arguments = [
        "compare",
        &portrait,
        "--sample-seed",
        "7",
        "--category",
        "happiness",
        "--frames",
        "3",
        "--methods",
        "fomm",
        "--size",
        "64",
        "-o",
        "sheet.gif",
    ];
    succeed(&mien(at, &arguments));
    let gif = read_gif(&at.join("sheet.gif"));
    assert_eq!(
        (gif.delays.len(), names(at)),
        (3, vec!["sheet.gif".to_owned()])
    );
    // The driving pane is drawn by a model too.
    assert_eq!(models(&at.join("sheet.gif")), ["fomm-128", "mocogan-64"]);
    let total: u32 = gif.delays.iter().map(|delay| u32::from(*delay)).sum();
    assert!(
        total.abs_diff(38) <= 1,
        "{total} hundredths for 3 frames at 8 a second"
    );
}

#[test]
fn an_invalid_comparison_gives_a_one_sentence_error() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (portrait, clip) = (portrait(), clip(at));
    let start = ["compare", portrait.as_str(), clip.as_str()];
    let refused: [(&[&str], &str); 14] = [
        (&["--methods", "deepfake", "-o", "x.gif"], "is not a method"),
        (&["--methods", "fomm:avd", "-o", "x.gif"], "tps:avd"),
        (&["--methods", "fomm,fomm", "-o", "x.gif"], "twice"),
        (
            &["--methods", "fomm@nobody", "-o", "x.gif"],
            "neither a file nor the name",
        ),
        (
            &["--methods", "fomm", "--against", "tps", "-o", "x.gif"],
            "--against tps",
        ),
        (
            &["--methods", "fomm", "--reference", "9", "-o", "x.gif"],
            "no frame 9",
        ),
        (&["--size", "4", "-o", "x.gif"], "--size 4"),
        (&["--columns", "0", "-o", "x.gif"], "--columns 0"),
        (&["-o", "x.mov"], ".webp or .mp4"),
        (&["--metrics", "x.gif", "-o", "x.gif"], "same file"),
        (&["--plot", "x.png", "-o", "x.png"], "same file"),
        (
            &["--metrics", "n.svg", "--plot", "n.svg", "-o", "x.gif"],
            "same file",
        ),
        (&["--plot", "n.pdf", "-o", "x.gif"], ".svg or .png"),
        (&["--metrics", "no/such/n.csv", "-o", "x.gif"], "no/such"),
    ];
    for (arguments, part) in refused {
        let message = sentence(&mien(at, &[&start, arguments].concat()));
        assert!(message.contains(part), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    let no_motion = mien(at, &["compare", &portrait, "-o", "x.gif"]);
    assert_eq!(no_motion.status.code(), Some(2));
    let two = [&start[..], &["--sample-clip", "-o", "x.gif"]].concat();
    assert_eq!(mien(at, &two).status.code(), Some(2));
    assert_eq!(names(at), ["clip"]);
}

#[cfg(unix)]
#[test]
fn cancelling_keeps_the_existing_files() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("sheet.gif"), b"mine").unwrap();
    fs::write(at.join("n.csv"), b"mine too").unwrap();
    let portrait = portrait();
    let arguments = [
        "compare",
        &portrait,
        "--sample-clip",
        "--methods",
        "tps",
        "--metrics",
        "n.csv",
        "-o",
        "sheet.gif",
    ];
    let mut child = command(at, &arguments)
        .env("TMPDIR", at)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // It has begun to write once there is a hidden file.
    let begun = std::time::Instant::now();
    while names(at).len() < 4 {
        assert!(child.try_wait().unwrap().is_none(), "it ended too soon");
        if begun.elapsed() > std::time::Duration::from_secs(240) {
            child.kill().unwrap();
            panic!("nothing was written in four minutes");
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let pid = child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let message = sentence(&child.wait_with_output().unwrap());
    assert!(message.contains("nothing was written"), "{message}");
    assert_eq!(names(at), ["n.csv", "sheet.gif"]);
    assert_eq!(fs::read(at.join("sheet.gif")).unwrap(), b"mine");
    assert_eq!(fs::read(at.join("n.csv")).unwrap(), b"mine too");
}
