"""AU1 and AU4 without the person's relaxed face, from portraits whose brows the rig moved: `drawn.py draw MIEN DATA WORK`, then
`drawn.py fit WORK fit.json`, which replaces these two units' weights there; relative to the own face they stay as `fit.py` found
them. AU5 gets a threshold that leaves the calm portraits at rest.

Rendered and re-expressed faces are of few people, and brows differ more between people than they move. The rig applies the same
movement to real skin, and more than a thousand real portraits at rest separate a person's features from movement. DATA is the
shared data folder (London Set, faker, US Congress); drawing takes an hour on two cores.
"""

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np

from measures import BROW, EYE, MEASURES, USED, align, measure, used_scores

CODES = [1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45]
EACH = 12

# Combinations of brow units, and how often other units move: each of them in this share of the pictures.
BROWS = [(), (), (1,), (2,), (4,), (5,), (1, 2), (1, 4), (1, 2, 4), (1, 2, 5), (4, 5), (1, 2, 4, 5), (4, 7)]
OTHERS, SHARE = [6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45], 0.16

# Number of measures of a unit, total weight of the calm portraits relative to the drawn ones, the ridge, and the gain beyond the
# threshold: chosen on people held out of the fit.
UNITS = {1: (10, 0.1, 0.003, 3.5), 4: (14, 0.1, 0.03, 5.0)}
# Unchanged, except for a threshold that leaves the calm portraits at rest.
STRICTER = [5]
# In every collection nineteen of twenty calm faces read at most 0.1, and 98 of 100 at most 0.15: these values before the
# smoothstep.
TENTH, MORE = 0.197, 0.2408

# The scores of brows and eyes.
SCORES = ["browDown", "browInnerUp", "browOuterUp", "eyeBlink", "eyeLookDown", "eyeLookUp", "eyeSquint", "eyeWide"]


def draw(mien, data, work):
    """Draws the portraits, and saves the landmarks of all: WORK/drawn.npz and WORK/calm.npz."""
    folder = Path(data) / "portraits"
    calm = {
        "london": sorted((folder / "london").glob("*_neutral.jpg")), "london smile": sorted((folder / "london").glob("*_smile.jpg")),
        "faker": sorted((folder / "faker").glob("*.jpg")), "us-congress": sorted((folder / "us-congress").glob("*.jpg")),
    }
    rng = random.Random(11)
    rows = []
    for path in calm["london"] + calm["faker"][::2]:
        files, truths = [path], [np.zeros(len(CODES))]
        for k in range(EACH):
            units = {code: rng.uniform(0.25, 1) for code in rng.choice(BROWS)}
            units |= {code: rng.uniform(0.2, 1) for code in OTHERS if rng.random() < SHARE}
            options = [word for code, value in units.items() for word in ("--au", f"{code}={value:.2f}")]
            if rng.random() < 0.5:
                options += ["--yaw", f"{rng.uniform(-9, 9):.1f}", "--pitch", f"{rng.uniform(-8, 8):.1f}"]
            if rng.random() < 0.5:
                options += ["--gaze", f"{rng.uniform(-15, 15):.1f},{rng.uniform(-12, 12):.1f}"]
            target = Path(work) / f"{path.parent.name}-{path.stem}-{k}.png"
            subprocess.run([mien, "edit", str(path), "--method", "rig", *options, "-q", "-o", str(target)], check=True)
            files.append(target)
            truths.append(np.array([units.get(code, 0.0) for code in CODES]))
        rows += [(*face, truth, path.stem) for face, truth in zip(faces(mien, files), truths) if face is not None]
    save(Path(work) / "drawn.npz", rows, ("points", "scores", "aus", "person"))
    rows = [(*face, group) for group, files in calm.items() for face in faces(mien, files) if face is not None]
    save(Path(work) / "calm.npz", rows, ("points", "scores", "group"))


def faces(mien, files):
    """Returns landmarks and scores of every picture's largest face, or None."""
    found = []
    for at in range(0, len(files), 64):
        command = [mien, "face", "--json", "--landmarks", "--", *map(str, files[at : at + 64])]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for portrait in told if isinstance(told, list) else [told]:
            face = portrait["faces"][0] if portrait["faces"] else None
            found.append(face and (np.float32(face["landmarks"]), np.float32(list(face["blendshapes"].values()))))
    return found


def save(path, rows, names):
    np.savez_compressed(path, **{name: np.array([row[i] for row in rows]) for i, name in enumerate(names)})


def features(points, scores, reference):
    """(N, M + S): all measures, then all used scores."""
    return np.hstack([measure(align(points, reference)), used_scores(np.clip(scores, 0, 1))])


def choose(x, y, weight, count, ridge, candidates):
    """Selects the `count` features that explain most, one after the other, with their weights; (places, weights)."""
    weight = weight / weight.sum()
    mean = weight @ x
    spread = np.sqrt(weight @ (x - mean) ** 2) + 1e-6
    z = (x - mean) / spread
    square, cross = (z * weight[:, None]).T @ z, (z * weight[:, None]).T @ (y - weight @ y)

    def solved(places):
        return np.linalg.solve(square[np.ix_(places, places)] + ridge * np.eye(len(places)), cross[places])

    chosen = []
    while len(chosen) < count:
        left = [j for j in candidates if j not in chosen]
        chosen.append(max(left, key=lambda j: cross[[*chosen, j]] @ solved([*chosen, j])))
    return chosen, solved(chosen) / spread[chosen]


def refit(code, drawn, aus, calm, groups):
    """Returns places, values at rest, weights and threshold of a unit."""
    count, share, ridge, _ = UNITS[code]
    candidates = [MEASURES.index(m) for m in BROW + EYE] + [len(MEASURES) + USED.index(name) for name in SCORES]
    names = np.unique(groups)
    weight = np.concatenate([np.full(len(drawn), 1 / len(drawn)), [share / len(names) / (groups == group).sum() for group in groups]])
    truth = np.concatenate([aus[:, CODES.index(code)], np.zeros(len(calm))])
    places, weights = choose(np.vstack([drawn, calm]), truth, weight, count, ridge, candidates)
    rest, weights = np.median(calm[:, places], 0).round(3), weights.round(3)
    read = (calm[:, places] - rest) @ weights
    return places, rest, weights, threshold(read, groups, UNITS[code][3])


def threshold(read, groups, gain):
    parts = [read[groups == group] for group in np.unique(groups)]
    return max(max(np.quantile(part, 0.95) - TENTH / gain, np.quantile(part, 0.98) - MORE / gain) for part in parts)


def fit(work, path):
    told = json.load(open(path))
    reference = np.array(told["reference"])
    with np.load(Path(work) / "drawn.npz") as file:
        drawn, aus = features(file["points"], file["scores"], reference), file["aus"]
    with np.load(Path(work) / "calm.npz") as file:
        calm, groups = features(file["points"], file["scores"], reference), file["group"]
    for unit in told["units"]:
        if unit["code"] in STRICTER:
            read = sum(term["weight"] * (calm[:, term["feature"]] - term["rest"]) for term in unit["terms"])
            unit["threshold"] = round(float(threshold(read, groups, unit["gain"])), 3)
        if unit["code"] not in UNITS:
            continue
        places, rest, weights, limit = refit(unit["code"], drawn, aus, calm, groups)
        relative = {term["feature"]: term for term in unit["terms"] if term["relative_weight"] != 0}
        terms = [{"feature": j, "rest": float(r), "weight": float(w), "relative_weight": relative.pop(j, {"relative_weight": 0.0})["relative_weight"]} for j, r, w in zip(places, rest, weights)]
        terms += [term | {"weight": 0.0} for term in relative.values()]
        unit["terms"] = sorted(terms, key=lambda term: term["feature"])
        unit["threshold"], unit["gain"] = round(float(limit), 3), UNITS[unit["code"]][3]
    with open(path, "w") as file:
        json.dump(told, file)


if __name__ == "__main__":
    {"draw": draw, "fit": fit}[sys.argv[1]](*sys.argv[2:])
