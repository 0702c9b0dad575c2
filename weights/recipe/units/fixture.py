"""Selects the held-out faces for the project's tests: `fixture.py DATA OUT.safetensors`."""

import os
import sys

import numpy as np
from safetensors.numpy import save_file

from fit import drop_toothy, load
from units import CODES

PEOPLE, EACH = 20, 4  # of each kind; the first face of each person is the relaxed one


def pick(data, rng):
    """Returns row indices of PEOPLE x EACH held-out faces, in which every unit acts often and at all strengths."""
    held = data["held"].astype(bool)
    people = []
    for who in np.unique(data["person"][held]):
        rows = np.flatnonzero(data["person"] == who)
        if data["aus"][rows[0]].max() == 0 and (data["aus"][rows[1:]].max(1) > 0).sum() >= EACH - 1:
            people.append(rows)
    best, most = None, -1.0
    for _ in range(6000):
        rows = []
        for at in rng.permutation(len(people))[:PEOPLE]:
            own = people[at]
            moved = own[1:][data["aus"][own[1:]].max(1) > 0]
            rows += [own[0], *rng.choice(moved, EACH - 1, replace=False)]
        aus = data["aus"][rows]
        thirds = np.stack([((aus > low) & (aus <= high)).sum(0) for low, high in ((0.1, 0.4), (0.4, 0.7), (0.7, 1))])
        score = np.minimum(thirds, 4).sum() + 0.5 * np.minimum((aus > 0.1).sum(0), 14).min()
        if score > most:
            best, most = rows, score
    return np.array(best)


rng = np.random.default_rng(5)
parts = []
for kind, name in enumerate(("rendered", "reexpressed")):
    with np.load(os.path.join(sys.argv[1], name + ".npz")) as f:
        data = {k: f[k] for k in f.files}
    if name == "reexpressed":
        data = drop_toothy(data, load(sys.argv[1], "photographs"))
    rows = pick(data, rng)
    parts.append((data["points"][rows], data["scores"][rows], data["aus"][rows], kind, data["person"][rows]))
points, scores, aus = (np.concatenate([p[i] for p in parts]).astype(np.float32) for i in range(3))
kind = np.concatenate([np.full(len(p[0]), p[3], np.uint8) for p in parts])
person = np.concatenate([p[4] + 1000 * p[3] for p in parts]).astype(np.int32)
save_file(
    {"points": points, "scores": scores, "aus": aus, "kind": kind, "person": person},
    sys.argv[2],
    metadata={
        "licence": "CC0-1.0 for the rendered faces (MakeHuman, with MIT ARKit shapes); public domain portraits (GPO) "
        "re-expressed with ICT-FaceKit (MIT); landmarks and scores only, no pictures",
        "origin": "what MediaPipe's Face Landmarker v2 says of rendered MakeHuman heads (kind 0) and of re-expressed "
        "official portraits of the US Congress (kind 1), all of people kept out of the fit of face/units",
        "units": "points in pixels (x right, y down, z back); scores 0..1; aus 0..1 in OpenFace order "
        + " ".join(map(str, CODES)) + "; person: same number, same person; everybody's first face is relaxed",
    },
)
print(len(points), "faces,", os.path.getsize(sys.argv[2]), "bytes")
print("acting:", {f"AU{c}": [int((aus[kind == k, i] > 0.1).sum()) for k in (0, 1)] for i, c in enumerate(CODES)})
