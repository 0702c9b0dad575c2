"""MoCoGAN: whether the generated clips are faces, show their category, and stay one person."""

import numpy as np

from . import figures
from .embedding import SAME
from .figures import number
from .program import numbered

# The units that indicate each category, the strongest first.
CATEGORIES = {
    "anger": [4, 7],
    "disgust": [9, 10],
    "fear": [5, 1, 20],
    "happiness": [12, 6],
    "sadness": [15, 1],
    "surprise": [26, 5, 2],
}

FRAMES = 16
# Indices of the evaluated frames: the first, and those in which the expression is visible.
LOOKED = [0, 5, 8, 11, 15]
LATE = [8, 11, 15]


def evaluate(program, weights, work, out, who, seeds=16):
    """Evaluates `weights` on clips of `seeds` people, in each category. Pictures go to `work`, figures to `out`."""

    def draw(item):
        seed, category = item
        target = work / f"{category}-{seed}.png"
        how = ["--frames", FRAMES, "--size", 256, "--weights", weights, "-q"]
        program.call("sample", "--seed", seed, "--category", category, *how, "-o", target)
        return [numbered(target, frame + 1) for frame in LOOKED]

    items = [(seed, category) for seed in range(1, seeds + 1) for category in CATEGORIES]
    files = dict(zip(items, program.each(draw, items)))
    flat = program.faces([path for item in items for path in files[item]])
    plain = {item: flat[i * len(LOOKED) : (i + 1) * len(LOOKED)] for i, item in enumerate(items)}

    def against_first(item):
        first = plain[item][0]
        return program.faces(files[item], files[item][0]) if first else [None] * len(LOOKED)

    read = dict(zip(items, program.each(against_first, items)))

    report = {"seeds": seeds, "faces": float(np.mean([face is not None for face in flat])), "categories": {}}
    for category, units in CATEGORIES.items():
        report["categories"][category] = expression(category, units, items, read)
    report["ACD"] = {"landmarks and colour": distances(items, files, plain, features)}
    if who:
        report["ACD"]["dlib"] = distances(items, files, plain, who.of)
    sheets(files, plain, out, seeds)
    figures.save(out, "mocogan", report, text(report))
    return report


def expression(category, units, items, read):
    """Returns the rise of the category's units from a clip's first frame, and their rise in the other categories."""

    def rises(unit, wanted):
        values = []
        for item in items:
            if (item[1] == category) == wanted:
                late = [read[item][LOOKED.index(frame)] for frame in LATE]
                values += [face["units"][f"AU{unit}"] for face in late if face]
        return float(np.mean(values)) if values else None

    return {f"AU{unit}": {"here": rises(unit, True), "elsewhere": rises(unit, False)} for unit in units}


def features(picture, face):
    """Face features for use without the embedding: its normalised landmarks and the skin's mean colour."""
    points = np.float32(face["landmarks"])[:, :2]
    left, top, width, height = map(int, face["box"])
    colour = picture[max(0, top) : top + height, max(0, left) : left + width].reshape(-1, 3).mean(0) / 255
    points = points - points.mean(0)
    return np.concatenate([(points / np.linalg.norm(points)).ravel(), colour])


def distances(items, files, plain, feature):
    """Average content distance: between the frames of a clip, and between clips of different people."""
    clips = {}
    for item in items:
        pairs = [(path, face) for path, face in zip(files[item], plain[item]) if face]
        if len(pairs) > 1:
            clips[item] = np.array([feature(figures.read(path), face) for path, face in pairs])
    within, between = [], []
    for clip in clips.values():
        apart = np.linalg.norm(clip[:, None] - clip[None], axis=-1)
        within.append(apart[np.triu_indices(len(clip), 1)].mean())
    keys = list(clips)
    for i, a in enumerate(keys):
        for b in keys[:i]:
            if a[0] != b[0]:
                between.append(np.linalg.norm(clips[a][:, None] - clips[b][None], axis=-1).mean())
    if not within or not between:
        return None
    within, between = float(np.mean(within)), float(np.mean(between))
    return {"within": within, "between": between, "share": within / max(between, 1e-9)}


def sheets(files, plain, out, seeds):
    """Writes a sheet of every category, one of many people, and one of clips in which no face was found."""

    def part(path, size=112):
        return figures.cut(figures.read(path), (0, 0, 256), size)

    rows, names = [], []
    for category in CATEGORIES:
        for seed in range(1, min(3, seeds + 1)):
            rows.append([part(path) for path in files[seed, category]])
            names.append(f"{category}\nseed {seed}")
    figures.sheet(out / "mocogan.png", rows, [f"frame {frame + 1}" for frame in LOOKED], names)
    rows = [[part(files[seed, category][3]) for seed in range(1, min(9, seeds + 1))] for category in CATEGORIES]
    figures.sheet(out / "mocogan-people.png", rows, names=list(CATEGORIES))
    lost = [item for item in files if not all(plain[item])]
    if lost:
        rows = [[part(path) for path in files[item]] for item in lost[:8]]
        figures.sheet(out / "mocogan-failures.png", rows, names=[f"{item[1]}\nseed {item[0]}" for item in lost[:8]])


def text(report):
    """Formats the figures for the model card."""
    rows = []
    for category, units in report["categories"].items():
        for unit, rise in units.items():
            rows.append([category, unit, number(rise["here"], sign=True), number(rise["elsewhere"], sign=True)])
    words = figures.table(["category", "AU", "rise in it", "in the others"], rows)
    words += f"\nA face is found in {100 * report['faces']:.1f} % of the frames ({report['seeds']} seeds, six categories). "
    words += "Rise: read back in the clip's second half, against its first frame.\n\n"
    rows = [
        [name, number(part["within"], 3), number(part["between"], 3), number(part["share"])]
        for name, part in report["ACD"].items()
        if part
    ]
    words += figures.table(["average content distance by", "within a clip", "between people", "share"], rows)
    if "dlib" in report["ACD"]:
        words += f"\ndlib takes faces within {SAME} for the same person's.\n"
    return words
