"""Reads real pictures with the fitted units: `look.py FIT.json REAL.npz`."""

import json
import sys

import numpy as np

from measures import align, measure, used_scores
from units import CODES


class Reader:
    """The same reading as units.rs, in numpy."""

    def __init__(self, path):
        self.fit = json.load(open(path))

    def features(self, points, scores):
        return np.concatenate([measure(align(points, np.array(self.fit["reference"]))), used_scores(scores)], 1)

    def read(self, features, neutral=None):
        out = np.zeros((len(features), 17))
        for i, unit in enumerate(self.fit["units"]):
            for t in unit["terms"]:
                j = t["feature"]
                out[:, i] += t["weight"] * (features[:, j] - t["rest"]) if neutral is None else t["relative_weight"] * (features[:, j] - neutral[j])
            prefix = "relative_" if neutral is not None else ""
            out[:, i] = (out[:, i] - unit[prefix + "threshold"]) * unit[prefix + "gain"]
        out = out.clip(0, 1)
        return out if neutral is not None else out * out * (3 - 2 * out)


if __name__ == "__main__":
    reader = Reader(sys.argv[1])
    real = np.load(sys.argv[2])
    names = [str(n) for n in real["names"]]
    features = reader.features(real["points"], real["scores"])
    got = reader.read(features)
    print(" " * 34 + "".join(f"{c:>5}" for c in CODES))
    show = lambda label, row: print(f"{label[:33]:34}" + "".join(f"{v:5.2f}" if v > 0.005 else "    ." for v in row))
    stills = [i for i, n in enumerate(names) if not n.split(":")[0].endswith((".mp4", ".gif"))]
    for i in stills:
        show(names[i], got[i])
    clip = [i for i, n in enumerate(names) if n.startswith("single_face.mp4")]
    if not clip:
        sys.exit()
    relative = reader.read(features, features[clip[0]])
    for i in clip[::8] + clip[-1:]:
        show(names[i], got[i])
    for i in clip[::8] + clip[-1:]:
        show(names[i] + " relative", relative[i])
    for gif in sorted({n.split(":")[0] for n in names if ".gif" in n}):
        rows = [i for i, n in enumerate(names) if n.startswith(gif + ":")]
        show(gif[-22:] + " median", np.median(got[rows], 0))
        show(gif[-22:] + " 90%", np.quantile(got[rows], 0.9, axis=0))
