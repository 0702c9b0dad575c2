//! Every motion drives every method: each combination with `mien compare`, on the bundled portraits, clip and weights.

use std::path::Path;
use std::process::Command;

use mien::media;
use mien::media::image::Picture;

/// Pixels per side of a pane, and between panes.
const SIZE: u32 = 96;
const GAP: u32 = 6;

/// A motion of a few frames: the portrait, the arguments that select it, and the number of frames of its sheet.
struct Motion {
    portrait: &'static str,
    words: &'static [&'static str],
    frames: u32,
}

const CLIP: Motion = Motion {
    portrait: "grace_hopper.jpg",
    words: &["--sample-clip", "--from", "0.5", "--to", "1", "--fps", "6"],
    frames: 4,
};

const TRACK: Motion = Motion {
    portrait: "grace_hopper.jpg",
    words: &["--preset", "surprised", "--frames", "3"],
    frames: 3,
};

const SAMPLE: Motion = Motion {
    portrait: "astronaut.png",
    words: &["--sample-seed", "19", "--frames", "4"],
    frames: 4,
};

/// The sheet of one motion and one method, one row per frame: source, driving frame, result.
fn sheet(motion: &Motion, method: &str) -> Picture {
    let folder = tempfile::tempdir().unwrap();
    let portrait = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("resources/samples")
        .join(motion.portrait);
    let output = Command::new(env!("CARGO_BIN_EXE_mien"))
        .arg("compare")
        .arg(portrait)
        .args(motion.words)
        .args(["--methods", method, "--size", &SIZE.to_string()])
        .args(["--rows", &motion.frames.to_string(), "--no-labels", "-q"])
        .args(["-o", "cell.png"])
        .current_dir(folder.path())
        .env("MIEN_DATA_DIR", folder.path().join("data"))
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    assert!(words.is_empty(), "{words}");
    media::image::open(&folder.path().join("cell.png")).unwrap()
}

/// A pane of a sheet, as pixels in row-major order.
fn pane(sheet: &Picture, column: u32, row: u32) -> Vec<[u8; 3]> {
    let pitch = SIZE + GAP;
    let (left, top) = (GAP + column * pitch, GAP + row * pitch);
    let pixel = |i: u32| {
        let (x, y) = (left + i % SIZE, top + i / SIZE);
        let start = 4 * (y * sheet.width() + x) as usize;
        [0, 1, 2].map(|c| sheet.rgba()[start + c])
    };
    (0..SIZE * SIZE).map(pixel).collect()
}

/// The difference of each pixel of two panes in levels, the maximum over the colours.
fn apart(a: &[[u8; 3]], b: &[[u8; 3]]) -> Vec<u8> {
    let pairs = a.iter().zip(b);
    pairs
        .map(|(a, b)| (0..3).map(|c| a[c].abs_diff(b[c])).max().unwrap())
        .collect()
}

/// The mean and the maximum over the pixels where `place(x, y)` is true.
fn over(levels: &[u8], place: impl Fn(u32, u32) -> bool) -> (f64, u8) {
    let chosen: Vec<u8> = (0..SIZE * SIZE)
        .filter(|i| place(i % SIZE, i / SIZE))
        .map(|i| levels[i as usize])
        .collect();
    let sum: f64 = chosen.iter().map(|level| f64::from(*level)).sum();
    (sum / chosen.len() as f64, *chosen.iter().max().unwrap())
}

/// The middle of the crop, which holds the face except its outline.
fn face(x: u32, y: u32) -> bool {
    (24..72).contains(&x) && (24..80).contains(&y)
}

/// The pixels within `width` of the crop's edge.
fn rim(width: u32) -> impl Fn(u32, u32) -> bool {
    move |x, y| x.min(y) < width || x.max(y) >= SIZE - width
}

/// Every frame exists; some of them move the face, and none changes the crop's edge, which must match the portrait around it.
fn cell(motion: &Motion, method: &str) {
    let sheet = sheet(motion, method);
    let pitch = SIZE + GAP;
    let rows = motion.frames;
    assert_eq!(sheet.size(), (3 * pitch + GAP, rows * pitch + GAP));

    let source = pane(&sheet, 0, 0);
    let (darkest, lightest) = (source.iter().min().unwrap(), source.iter().max().unwrap());
    assert!(darkest[0] < 60 && lightest[0] > 190, "no portrait");
    let driving: Vec<_> = (0..rows).map(|row| pane(&sheet, 1, row)).collect();
    assert_ne!(driving[0], driving[rows as usize - 1], "a still motion");

    let mut most = 0.0_f64;
    for row in 0..rows {
        assert_eq!(pane(&sheet, 0, row), source);
        let result = pane(&sheet, 2, row);
        let levels = apart(&result, &source);
        let ((moved, _), (near_edge, _)) = (over(&levels, face), over(&levels, rim(4)));
        let (_, at_edge) = over(&levels, rim(1));
        assert!(at_edge <= 4, "frame {row}: {at_edge} levels at the edge");
        assert!(
            near_edge <= 0.3 * moved,
            "frame {row}: {near_edge} levels near the edge, {moved} in the face"
        );
        assert!(
            moved == 0.0 || result != driving[row as usize] || method == "ganimation",
            "frame {row} is the driving frame"
        );
        most = most.max(moved);
    }
    assert!(most > 1.0, "the face moves by {most} levels only");
}

macro_rules! cells {
    ($($name:ident: $motion:ident by $method:literal,)*) => {
        $(
            #[test]
            fn $name() {
                cell(&$motion, $method);
            }
        )*
    };
}

cells! {
    a_clip_drives_ganimation: CLIP by "ganimation",
    a_clip_drives_fomm: CLIP by "fomm",
    a_clip_drives_tps: CLIP by "tps",
    a_track_drives_ganimation: TRACK by "ganimation",
    a_track_drives_fomm: TRACK by "fomm",
    a_track_drives_tps: TRACK by "tps",
    a_sample_drives_ganimation: SAMPLE by "ganimation",
    a_sample_drives_fomm: SAMPLE by "fomm",
    a_sample_drives_tps: SAMPLE by "tps",
}
