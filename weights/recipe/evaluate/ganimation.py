"""GANimation: the effect of each Action Unit on portraits of people held out of training.

A portrait is relaxed (every unit to 0, as the studio's Neutralise does); from there each unit is driven to 1 in even
steps. The result's expression is read relative to the relaxed one, by Mien's own reader and, for five units,
by MediaPipe's scores alone."""

import numpy as np

from . import figures
from .embedding import SAME
from .figures import number
from .program import numbered

UNITS = [1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45]

# MediaPipe's scores for a unit, both sides.
SCORES = {
    12: ["mouthSmileLeft", "mouthSmileRight"],
    26: ["jawOpen"],
    45: ["eyeBlinkLeft", "eyeBlinkRight"],
    4: ["browDownLeft", "browDownRight"],
    2: ["browOuterUpLeft", "browOuterUpRight"],
}

EXPRESSIONS = {
    "smile": [6, 12, 25],
    "anger": [4, 7, 23],
    "surprise": [1, 2, 5, 25, 26],
    "sadness": [1, 15, 17],
    "blink": [45],
    "disgust": [9, 10],
}


def score(face, unit):
    return float(np.mean([face["blendshapes"][name] for name in SCORES[unit]]))


def evaluate(program, weights, portraits, work, out, who, steps=5):
    """Evaluates `weights` on `portraits` (files); `who` is an Embedding or None. Pictures go to `work`, figures to `out`."""
    weights = ["--weights", weights]
    relaxed = {path: work / f"{path.stem}-0.png" for path in portraits}
    again = {path: work / f"{path.stem}-00.png" for path in portraits}
    base = ["--preset", "neutral", "-q", *weights]
    program.call_all(["edit", path, *base, "-o", relaxed[path]] for path in portraits)
    program.call_all(["edit", relaxed[path], *base, "-o", again[path]] for path in portraits)
    originals = dict(zip(portraits, program.faces(portraits)))
    rested = dict(zip(portraits, program.faces([relaxed[path] for path in portraits])))
    left_out = [path.name for path in portraits if not (originals[path] and rested[path])]
    portraits = [path for path in portraits if path.name not in left_out]

    def drive(item):
        path, unit = item
        target = work / f"{path.stem}-{unit}.png"
        movement = ["--begin", "neutral", "--pace", "even", "--frames", steps + 1]
        program.call("edit", path, *base, "--au", f"{unit}=1", *movement, "-o", target)
        return [numbered(target, step + 1) for step in range(1, steps + 1)]

    items = [(path, unit) for path in portraits for unit in UNITS]
    driven = dict(zip(items, program.each(drive, items)))

    def look(path):
        frames = [frame for unit in UNITS for frame in driven[path, unit]]
        return program.faces(frames, relaxed[path])

    seen = {}
    for path, faces in zip(portraits, program.each(look, portraits)):
        for i, unit in enumerate(UNITS):
            seen[path, unit] = faces[i * steps : (i + 1) * steps]

    report = {"portraits": len(portraits), "without a face": left_out, "steps": steps, "units": {}}
    for unit in UNITS:
        report["units"][f"AU{unit}"] = readings(unit, portraits, seen, rested, steps)
    report |= changes(portraits, relaxed, again, driven, originals, seen)
    report["identity"] = identity(who, portraits, relaxed, driven, originals, rested, seen) if who else None
    sheets(program, weights, portraits, relaxed, driven, originals, seen, report, work, out)
    figures.save(out, "ganimation", report, text(report))
    return report


def readings(unit, portraits, seen, rested, steps):
    """Returns Spearman and mean rise of each unit's readings, over people and steps (the relaxed face is step 0)."""
    readers = {"own": lambda path, face: face["units"][f"AU{unit}"]}
    if unit in SCORES:
        readers["mediapipe"] = lambda path, face: score(face, unit) - score(rested[path], unit)
    report = {"lost faces": sum(face is None for path in portraits for face in seen[path, unit])}
    for name, reader in readers.items():
        requested, got, per_person, rises = [], [], [], []
        for path in portraits:
            pairs = [(0.0, 0.0)]
            pairs += [((i + 1) / steps, reader(path, face)) for i, face in enumerate(seen[path, unit]) if face]
            a, b = zip(*pairs)
            requested += a
            got += b
            per_person.append(figures.spearman(a, b) or 0.0)
            if seen[path, unit][-1]:
                rises.append(b[-1])
        report[name] = {
            "spearman": figures.spearman(requested, got),
            "spearman of each person, mean": float(np.mean(per_person)),
            "rise": float(np.mean(rises)),
            "rise, least tenth": float(np.quantile(rises, 0.1)),
        }
    return report


def changes(portraits, relaxed, again, driven, originals, seen):
    """Measures unwanted changes: outside the face, and a relaxed face relaxed again. Mean |difference|, 0..255."""
    outside, repeated, most = [], [], []
    for path in portraits:
        source = figures.read(path)
        crop = originals[path]["crop"]
        for unit in UNITS:
            edited = figures.read(driven[path, unit][-1])
            faces = [originals[path]] + [face for face in seen[path, unit][-1:] if face]
            around = figures.cut(~figures.face_mask(source.shape, faces), crop)
            difference = figures.cut(np.abs(edited - source), crop)
            outside.append(float(difference[around].mean()) if around.any() else 0.0)
        difference = figures.cut(np.abs(figures.read(again[path]) - figures.read(relaxed[path])), crop)
        repeated.append(float(difference.mean()))
        most.append(float(np.quantile(difference, 0.99)))
    return {
        "outside the face": {"mean": float(np.mean(outside)), "worst": float(np.max(outside))},
        "neutral to neutral": {"mean": float(np.mean(repeated)), "worst": float(np.max(repeated)), "99 %": float(np.mean(most))},
    }


def identity(who, portraits, relaxed, driven, originals, rested, seen):
    """Returns distances of dlib's embeddings between a portrait and its edits, and between different people."""
    own = {path: who.of(figures.read(path), originals[path]) for path in portraits}
    rest = [np.linalg.norm(who.of(figures.read(relaxed[path]), rested[path]) - own[path]) for path in portraits]
    full = {}
    for unit in UNITS:
        pairs = [(path, seen[path, unit][-1]) for path in portraits if seen[path, unit][-1]]
        full[unit] = [
            float(np.linalg.norm(who.of(figures.read(driven[path, unit][-1]), face) - own[path])) for path, face in pairs
        ]
    others = [np.linalg.norm(own[a] - own[b]) for i, a in enumerate(portraits) for b in portraits[:i]]
    every = [value for values in full.values() for value in values]
    return {
        "relaxed": float(np.mean(rest)),
        "edited, mean": float(np.mean(every)),
        "edited, worst": float(np.max(every)),
        "edited, share beyond the same person": float(np.mean(np.array(every) > SAME)),
        "different people, mean": float(np.mean(others)) if others else None,
        "by unit": {f"AU{unit}": float(np.mean(values)) for unit, values in full.items()},
    }


def sheets(program, weights, portraits, relaxed, driven, originals, seen, report, work, out):
    """Writes the contact sheets: expressions, every unit alone, and the worst results."""
    few = portraits[:: max(1, len(portraits) // 6)][:6]

    def express(item):
        path, name = item
        target = work / f"{path.stem}-{name}.png"
        units = [argument for unit in EXPRESSIONS[name] for argument in ("--au", f"{unit}=1")]
        program.call("edit", path, "--preset", "neutral", "-q", *weights, *units, "-o", target)
        return target

    items = [(path, name) for path in few for name in EXPRESSIONS]
    made = dict(zip(items, program.each(express, items)))

    def part(path, file, size=150):
        return figures.cut(figures.read(file), originals[path]["crop"], size)

    rows = [[part(p, p), part(p, relaxed[p])] + [part(p, made[p, name]) for name in EXPRESSIONS] for p in few]
    figures.sheet(out / "ganimation.png", rows, ["source", "relaxed", *EXPRESSIONS])
    rows = [[part(p, relaxed[p], 110)] + [part(p, driven[p, unit][-1], 110) for unit in UNITS] for p in few[:4]]
    figures.sheet(out / "ganimation-units.png", rows, ["relaxed"] + [f"AU{unit}" for unit in UNITS])

    def rise(item):
        face = seen[item][-1]
        return face["units"][f"AU{item[1]}"] if face else -1.0

    rows, names = [], []
    usual = sorted(UNITS, key=lambda unit: report["units"][f"AU{unit}"]["own"]["rise"], reverse=True)
    for unit in usual[:4] + usual[-4:]:
        path = min(portraits, key=lambda path: rise((path, unit)))
        rows.append([part(path, path), part(path, relaxed[path])] + [part(path, file) for file in driven[path, unit]])
        names.append(f"AU{unit}\nread back\n{rise((path, unit)):+.2f}")
    figures.sheet(out / "ganimation-failures.png", rows, ["source", "relaxed"] + ["driven"] * len(rows[0][2:]), names)


def text(report):
    """Formats the figures for the model card."""
    rows = []
    for name, unit in report["units"].items():
        own, other = unit["own"], unit.get("mediapipe", {})
        rows.append([
            name, number(own["rise"], sign=True), number(own["spearman"]),
            number(other.get("rise"), sign=True), number(other.get("spearman")),
        ])
    words = figures.table(["AU", "rise, Mien", "Spearman", "rise, MediaPipe", "Spearman"], rows)
    outside, repeated, who = report["outside the face"], report["neutral to neutral"], report["identity"]
    words += f"\n{report['portraits']} people; every unit alone from the relaxed face, {report['steps']} steps.\n\n"
    words += figures.table(["", "mean", "worst"], [
        ["change outside the face, of 255", number(outside["mean"]), number(outside["worst"])],
        ["relaxed once more, change, of 255", number(repeated["mean"]), number(repeated["worst"])],
    ])
    if who:
        words += f"\nIdentity (dlib's embedding, the same person within {SAME}): relaxed {number(who['relaxed'])}, "
        words += f"edited {number(who['edited, mean'])}, at worst {number(who['edited, worst'])}, beyond the same person "
        words += f"{100 * who['edited, share beyond the same person']:.1f} % of the edits; different people "
        words += f"{number(who['different people, mean'])}.\n"
    if report["without a face"]:
        words += f"\nLeft out, since no face was found: {', '.join(report['without a face'])}.\n"
    return words
