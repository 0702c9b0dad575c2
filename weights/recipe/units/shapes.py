"""How the rig moves the landmarks with each unit: `shapes.py draw MIEN DATA WORK`, then `shapes.py emit WORK fit.json
units_shapes.rs`; run rustfmt on the result. Against the own face, the reading is refined until these movements together explain
the landmarks' (`units_solve.rs`).

Thirteen neutral people of the London Set are drawn with each unit at 0.6, and read by Mien; some ten minutes on two cores.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from drawn import CODES, faces
from measures import PAIRS, RIGID, align

AMOUNT = 0.6
# Landmarks on the midline that expressions move; the others are the person's right ones of PAIRS.
MIDLINE = [0, 2, 9, 13, 14, 17, 18, 152, 199, 200]
POINTS = [a for a, _ in PAIRS if a not in RIGID and a < 468] + MIDLINE


def draw(mien, data, work):
    """Draws the people, and saves their landmarks: WORK/shapes.npz."""
    people = sorted((Path(data) / "portraits" / "london").glob("*_neutral.jpg"))[3::7]
    files = []
    for path in people:
        files.append(path)
        for code in CODES:
            target = Path(work) / f"{path.stem}-{code}.png"
            subprocess.run([mien, "edit", str(path), "--method", "rig", "--au", f"{code}={AMOUNT}", "-q", "-o", str(target)], check=True)
            files.append(target)
    points = np.stack([face[0] for face in faces(mien, files)])
    np.savez_compressed(Path(work) / "shapes.npz", points=points.reshape(len(people), 1 + len(CODES), -1, 3))


def shapes(points, reference):
    """Returns the mean movement of POINTS with each unit at 1, the mean of both sides: (units, points, 3)."""
    aligned = align(points.reshape(-1, *points.shape[2:]), reference).reshape(points.shape)
    return one_side((aligned[:, 1:] - aligned[:, :1]).mean(0) / AMOUNT)


def one_side(moved):
    """The mean of both sides' movement (..., 478, 3) at POINTS; across is outwards on the person's right."""
    mirror = dict(PAIRS)
    other = [mirror.get(p, p) for p in POINTS]
    return (moved[..., POINTS, :] + moved[..., other, :] * [-1, 1, 1]) / 2


def emit(work, fit, target):
    reference = np.array(json.load(open(fit))["reference"])
    with np.load(Path(work) / "shapes.npz") as file:
        found = np.rint(shapes(file["points"], reference) * 1000).astype(int)
    mirror = dict(PAIRS)
    lines = [
        "//! How each Action Unit moves the landmarks, written by `weights/recipe/units/shapes.py`.",
        "",
        "/// The landmarks: the person's right one and left one, the same for those on the midline.",
        "#[rustfmt::skip]",
        f"pub(super) const POINTS: [(u16, u16); {len(POINTS)}] = [",
        *wrapped([f"({p}, {mirror.get(p, p)})" for p in POINTS]),
        "];",
        "",
        "/// Their movement with each unit at 1, the mean of both sides, in thousandths of the distance between the outer eye corners:",
        "/// x right, y down, z back, of the aligned face.",
        "#[rustfmt::skip]",
        f"pub(super) const SHAPES: [[[i16; 3]; {len(POINTS)}]; {len(CODES)}] = [",
    ]
    for code, shape in zip(CODES, found):
        lines += [f"    // AU{code}", "    [", *wrapped([f"[{x}, {y}, {z}]" for x, y, z in shape], "        "), "    ],"]
    Path(target).write_text("\n".join([*lines, "];", ""]))


def wrapped(words, indent="    ", width=118):
    lines = [indent]
    for word in words:
        if len(lines[-1]) + len(word) + 2 > width:
            lines[-1] = lines[-1].rstrip()
            lines.append(indent)
        lines[-1] += f"{word}, "
    return [line.rstrip() for line in lines]


if __name__ == "__main__":
    {"draw": draw, "emit": emit}[sys.argv[1]](*sys.argv[2:])
