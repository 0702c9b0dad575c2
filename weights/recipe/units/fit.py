"""Fits the reading of each Action Unit: `fit.py DATA OUT`, with DATA from `dataset.py`.

Every unit is a weighted sum of a few measures and scores, minus a threshold, clamped to 0..=1. They are chosen by forward
selection; their weights by ridge regression in which a prediction below a truth of 0 (or above one of 1) is no error.
The slope comes from faces with known units. The zero comes from photographs: official portraits, in which most units
are at rest. Each kind of synthetic picture has its own offset, which is discarded.
"""

import argparse
import json
import os

import numpy as np
from scipy.stats import spearmanr

from features import NAMES, signs
from measures import MEASURES, SCORES, align, mean_face, measure, rigid_points, used_scores
from units import CODES

# Known to be at rest in nearly every official portrait, smiling or not. Knit brows, tightened lids and wrinkled noses occur
# slightly in some, so those units have less weight.
HEAVY = {1: 2.0, 2: 2.0, 4: 0.4, 5: 1.0, 6: 1.0, 7: 0.4, 9: 0.4, 10: 0.5, 12: 3.0, 15: 2.0, 17: 3.0, 20: 1.5, 23: 2.0, 25: 0.5}
RESTING = [1, 2, 4, 5, 9, 15, 17, 20, 23, 26, 45]


def load(folder, name):
    with np.load(os.path.join(folder, name + ".npz")) as f:
        return {k: f[k] for k in f.files}


OFFSET = 3000.0


def drop_toothy(made, photo):
    """Drops re-expressed portraits that show teeth in the photograph: removing such a smile doesn't leave
    a face at rest, so their truth is unknown."""
    at = [SCORES.index("mouthUpperUpLeft"), SCORES.index("mouthUpperUpRight")]
    toothy = photo["scores"][:, at].mean(1) > 0.2
    keep = ~toothy[made["person"]]
    return {k: v[keep] for k, v in made.items()}


def solve(x, target, weight, ridge, sign, rounds=10):
    """Solves for the weights of x's columns by ridge regression censored at 0 and 1.

    `sign` is the allowed sign of each column's weight: 1, -1, 0 (either), 2 (either, and not shrunk) or 3 (either, and shrunk by
    OFFSET). Coordinate descent.
    """
    gram = (x * weight[:, None]).T @ x
    gram[np.diag_indices_from(gram)] += np.where(sign == 2, 1e-6, np.where(sign == 3, OFFSET, ridge))
    beta = np.zeros(x.shape[1])
    y = target.copy()
    for _ in range(rounds):
        right = x.T @ (weight * y)
        for _ in range(60):
            for j in range(len(beta)):
                value = beta[j] + (right[j] - gram[j] @ beta) / gram[j, j]
                beta[j] = max(value, 0) if sign[j] == 1 else min(value, 0) if sign[j] == -1 else value
        prediction = x @ beta
        y = np.where((target <= 0) & (prediction < 0), prediction, np.where((target >= 1) & (prediction > 1), prediction, target))
    return beta


def prune(x, target, weight, ridge, sign, count):
    """Selects columns: the weakest (by its contribution to the reading) is removed until `count` are left."""
    selected = np.arange(x.shape[1])
    while True:
        beta = solve(x[:, selected], target, weight, ridge, sign[selected], rounds=4)
        strength = np.where(sign[selected] >= 2, np.inf, abs(beta) * x[:, selected].std(0))
        shrunk = np.isfinite(strength)
        if shrunk.sum() <= count and strength.min() > 0.004:
            return selected
        # Several at once while many are left.
        drop = max(1, min((shrunk.sum() - count) // 2, (strength <= 0.004).sum() or 1))
        selected = np.delete(selected, np.argsort(strength)[:drop])


def targets(scores, at):
    """Returns the assumed truth of the portraits (N,17): zero, a value, or NaN where it is unknown.

    A posed smile that narrows the eyes raises the cheeks. Without that assumption, cheeks would be learnt only from synthetic
    faces, where smile and cheeks are independent, and real smiles would read as without cheeks.
    """
    both = lambda name: (scores[:, at[name + "Left"]] + scores[:, at[name + "Right"]]) / 2
    smile, squint = both("mouthSmile"), both("eyeSquint")
    sober = (smile < 0.3) & (scores[:, at["jawOpen"]] < 0.08)
    out = np.full((len(scores), 17), np.nan)
    for i, code in enumerate(CODES):
        out[:, i] = 0 if code in RESTING else np.where(sober, 0, np.nan)
    # Eyes narrowed in a smile are due to the cheeks.
    out[:, CODES.index(7)] = np.where(sober | (smile > 0.6), 0, np.nan)
    out[:, CODES.index(6)] = np.clip(smile - 0.25, 0, 1) * np.clip(squint / 0.55, 0.2, 1)
    # Press and dimple are common in smiles with closed lips, so only toothy smiles show them at rest.
    toothy = both("mouthUpperUp") > 0.4
    out[:, CODES.index(14)] = np.where(toothy | sober, 0, np.nan)
    # The raised upper lip in a smile is AU12, not AU10; a smile that shows teeth has well parted lips.
    out[:, CODES.index(10)] = 0
    out[:, CODES.index(25)] = np.where(sober, 0, np.where(toothy, 0.6, np.nan))
    return out


class Faces:
    """Measures and scores of one set of faces, and the person's relaxed face that each is compared with."""

    def __init__(self, data, reference):
        self.features = np.concatenate([measure(align(data["points"], reference)), used_scores(data["scores"])], 1)
        self.aus = data.get("aus")
        self.held_out = data["held"].astype(bool)
        self.person = data["person"]
        self.scores = data["scores"]
        if self.aus is not None:
            self.neutral = np.full(len(self.person), -1)
            for who in np.unique(self.person):
                rows = np.flatnonzero(self.person == who)
                if self.aus[rows[0]].max() == 0:
                    self.neutral[rows] = rows[0]


def table(truth, read):
    """Spearman (17,) over the faces in which the unit acts and equally many in which it rests, and the mean error (17,)."""
    rho = np.zeros(17)
    for i in range(17):
        acts, rests = np.flatnonzero(truth[:, i] > 0), np.flatnonzero(truth[:, i] == 0)
        rows = np.concatenate([acts, np.random.default_rng(i).permutation(rests)[: len(acts)]])
        if len(acts) and read[rows, i].std() > 0:
            rho[i] = spearmanr(truth[rows, i], read[rows, i])[0]
    return rho, np.abs(truth - read).mean(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("--count", type=int, default=14)
    parser.add_argument("--ridge", type=float, default=8.0)
    parser.add_argument("--photographs", type=float, default=1.0)
    parser.add_argument("--active", type=float, default=3.0)
    parser.add_argument("--own-threshold", type=float, default=0.05)
    parser.add_argument("--gain", type=float, default=2.2)
    parser.add_argument("--strict", type=float, default=0.35)
    parser.add_argument("--own-gain", type=float, default=1.3)
    parser.add_argument("--raw", action="store_true")
    parser.add_argument("--own-photographs", type=float, default=0.7)
    parser.add_argument("--sober", type=float, default=4.0)
    parser.add_argument("--brief", action="store_true")
    parser.add_argument("--offset", type=float, default=3000.0)
    args = parser.parse_args()
    global OFFSET
    OFFSET = args.offset
    labels = [n for n in ("rendered", "reexpressed") if os.path.exists(os.path.join(args.data, n + ".npz"))]
    made = [load(args.data, n) for n in labels]
    photo = load(args.data, "photographs")
    made = [drop_toothy(d, photo) if n == "reexpressed" else d for n, d in zip(labels, made)]
    reference = mean_face(photo["points"][~photo["held"]]).round(3)
    sets = [Faces(d, reference) for d in made]
    real = Faces(photo, reference)
    at = {s: i for i, s in enumerate(SCORES)}
    smile = photo["scores"][:, at["mouthSmileLeft"]] / 2 + photo["scores"][:, at["mouthSmileRight"]] / 2
    sober = (smile < 0.3) & (photo["scores"][:, at["jawOpen"]] < 0.08)
    # The average relaxed face: the median of sober portraits.
    centre = np.median(real.features[~real.held_out & sober], 0)
    centre[len(MEASURES):] = 0
    # Ridge penalises weights relative to a column's spread; a score that hardly varies on synthetic faces must not get a
    # large one.
    least = np.where(np.arange(len(centre)) < len(MEASURES), 0.008, 0.12)
    spread = np.maximum(np.mean([s.features.std(0) for s in sets], 0), least)
    kinds = len(sets)

    def design(faces, kind, rows, personal):
        f = faces.features[rows]
        f = f - faces.features[faces.neutral[rows]] if personal else f - centre
        extra = np.zeros((len(f), 1 + kinds))
        extra[:, 0] = 0 if personal else 1
        if kind is not None and not personal:
            extra[:, 1 + kind] = 1
        return np.concatenate([f / spread, extra], 1)

    out = {"population": {}, "personal": {}}
    chosen = {}
    width = len(spread) + 1 + kinds
    xp = design(real, None, np.flatnonzero(~real.held_out), False)
    posed = targets(photo["scores"], at)[~real.held_out]
    for personal in (False, True):
        blocks = [design(s, k, np.flatnonzero(~s.held_out & (s.neutral >= 0)), personal) for k, s in enumerate(sets)]
        truth = np.concatenate([s.aus[~s.held_out & (s.neutral >= 0)] for s in sets])
        x = np.concatenate(blocks)
        weight = np.concatenate([np.full(len(b), 3000 / len(b) / len(blocks)) for b in blocks])
        for i, code in enumerate(CODES):
            xx, yy, ww = x, truth[:, i].astype(float), weight.copy()
            known = np.isfinite(posed[:, i])
            heavy = args.photographs * HEAVY.get(code, 1.0)
            real_x = xp.copy()
            if personal:
                # The difference of smiling portraits from the average face stands in for that of a real person's smile from
                # the person's rest.
                real_x[:, len(spread):] = 0
                heavy *= args.own_photographs
            xx = np.concatenate([x, real_x[known]])
            yy = np.concatenate([yy, posed[known, i]])
            ww = np.concatenate([ww, np.where(sober[~real.held_out][known], args.sober, 1) * heavy])
            # A unit is at rest in most faces; those in which it acts have more weight.
            ww[: len(x)] *= np.where(yy[: len(x)] > 0, args.active, 1.0)
            allowed_signs = signs(code)
            columns = np.array(sorted(allowed_signs) + ([] if personal else list(range(len(spread), width))))
            kind_of = lambda j: allowed_signs.get(j, 2 if j == len(spread) else 3)
            sign = np.array([kind_of(j) for j in columns])
            # Both readings use the same measures, selected for the harder one: without a face to compare with.
            if not personal:
                chosen[code] = columns[prune(xx[:, columns], yy, ww, args.ridge, sign, args.count)]
            selected = np.array([j for j in chosen[code] if not (personal and j >= len(spread))])
            full = np.zeros(width)
            full[selected] = solve(xx[:, selected], yy, ww, args.ridge, np.array([kind_of(j) for j in selected]), rounds=14)
            out["personal" if personal else "population"][code] = full

    def raw(faces, rows, personal):
        f = faces.features[rows]
        f = f - faces.features[faces.neutral[rows]] if personal else f - centre
        w = out["personal" if personal else "population"]
        return np.stack([f / spread @ w[c][: len(spread)] for c in CODES], 1)

    # The threshold is the value that nine of ten relaxed photographs stay below; relative to a person's own neutral it is
    # small and the same for all units. The gain makes the median of strong units correct, as long as nineteen of twenty
    # relaxed photographs read at most 0.1 (0.2 before the smoothstep). The excess of relaxed synthetic faces over photographs
    # counts in part: official portraits are more alike than people are.
    fitted = [np.flatnonzero(~s.held_out & (s.neutral >= 0)) for s in sets]
    calibration = {}
    for personal in (False, True):
        made_raw = np.concatenate([raw(s, r, personal) for s, r in zip(sets, fitted)])
        truth = np.concatenate([s.aus[r] for s, r in zip(sets, fitted)])
        real_raw = raw(real, np.flatnonzero(~real.held_out), False)
        for i, code in enumerate(CODES):
            if personal:
                threshold = args.own_threshold
            else:
                rests = posed[:, i] == 0
                calm = sober[~real.held_out]
                threshold = max(np.quantile(real_raw[rests, i], 0.9), np.quantile(real_raw[calm, i], 0.9))
                more = [np.quantile(raw(s, r[s.aus[r].max(1) == 0], False)[:, i], 0.9) - threshold for s, r in zip(sets, fitted)]
                beyond = max(np.quantile(real_raw[rests, i], 0.95), np.quantile(real_raw[calm, i], 0.95)) - threshold
                threshold += args.strict * max(0, *more)
                most = np.clip(0.2 / max(beyond, 1e-3), 1.0, args.gain)
            acts = truth[:, i] > 0.5
            level = np.median((made_raw[acts, i] - threshold) / truth[acts, i])
            calibration[personal, code] = (threshold, float(np.clip(1 / max(level, 1e-3), 0.8, args.own_gain if personal else most)))

    def read(faces, rows, personal):
        r = raw(faces, rows, personal)
        for i, code in enumerate(CODES):
            threshold, gain = calibration[personal, code]
            r[:, i] = (r[:, i] - threshold) * gain
        r = r if args.raw else r.clip(0, 1)
        return r if personal or args.raw else r * r * (3 - 2 * r)

    report = {}
    for label, s in zip(labels, sets):
        rows = np.flatnonzero(s.held_out & (s.neutral >= 0))
        for personal in (False, True):
            got = read(s, rows, personal)
            rest = rows[s.aus[rows].max(1) == 0]
            r95 = np.quantile(read(s, rest, personal), 0.95, axis=0)
            report[label, personal] = (*table(s.aus[rows], got), r95)
        print(label, len(rows), "held out;", (~s.held_out).sum(), "fitted")
    held = np.flatnonzero(real.held_out)
    got = read(real, np.arange(len(real.features)), False)
    print(" AU  | rendered rho mae r95 | own neutral | reexpr rho mae r95 | own neutral | portraits held median, 95%% | sober median 90%%")
    for i, c in enumerate(CODES):
        cells = []
        for key in report:
            cells.append(" ".join(f"{report[key][k][i]:.2f}" for k in range(3)) + " x%.1f" % calibration[key[1], c][1])
        q = f"{np.median(got[held, i]):.2f} {np.quantile(got[held, i], 0.95):.2f} | {np.median(got[sober, i]):.2f} {np.quantile(got[sober, i], .9):.2f}"
        print(f"AU{c:<3} | " + " | ".join(cells) + " | " + q)
    for key in report:
        print(key, "mean rho %.3f mae %.3f" % (report[key][0].mean(), report[key][1].mean()))
    for mode in () if args.brief else out:
        for c in CODES:
            w = out[mode][c][: len(spread)]
            top = np.argsort(-abs(w))[: args.count]
            print(mode, c, ", ".join(f"{NAMES[j]} {w[j]:+.2f}" for j in top if w[j]))
    save = {
        "reference": reference.tolist(), "rigid": rigid_points(), "names": NAMES,
        "units": [
            {
                "code": c,
                "threshold": calibration[False, c][0], "gain": calibration[False, c][1],
                "relative_threshold": calibration[True, c][0], "relative_gain": calibration[True, c][1],
                "terms": [
                    {"feature": int(j), "rest": float(centre[j]), "weight": float(out["population"][c][j] / spread[j]),
                     "relative_weight": float(out["personal"][c][j] / spread[j])}
                    for j in chosen[c] if j < len(spread)
                ],
            }
            for c in CODES
        ],
        "report": {f"{label}{' own' if personal else ''}": [v.round(4).tolist() for v in values] for (label, personal), values in report.items()},
    }
    # The Rust table has three decimals.
    with open(args.out, "w") as f:
        json.dump(json.loads(json.dumps(save), parse_float=lambda v: round(float(v), 3)), f)


if __name__ == "__main__":
    main()
