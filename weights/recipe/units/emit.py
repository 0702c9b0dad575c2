"""Writes the fitted coefficients as Rust: `emit.py FIT.json units_table.rs`; run rustfmt on the result."""

import json
import math
import sys

from measures import MEASURES, MIRROR, PAIRS, SCORES, USED

fit = json.load(open(sys.argv[1]))

CONSTANTS = [math.pi / k for k in (0.5, 1, 2, 3, 4, 6, 8)] + [
    math.e, math.log(2), math.log(10), math.log2(10), math.log2(math.e), math.log10(2), math.log10(math.e), 1 / math.pi, 2 / math.pi,
    2 / math.sqrt(math.pi), math.sqrt(2), math.sqrt(0.5),
]


def f32(value):
    """At most three decimals; clippy mistakes values close to a well-known constant for a typo."""
    for constant in CONSTANTS:
        for digits in (2, 3):
            if abs(abs(value) - constant) < 10.0**-digits:
                near = {f"{constant:.{digits}f}", str(constant)[: str(constant).index(".") + 1 + digits]}
                if f"{abs(value):.3f}".rstrip("0") in near:
                    value += 0.002 if value > 0 else -0.002
                    return f32(value)
    text = f"{value:.3f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


used_points, used_scores = set(), []
for unit in fit["units"]:
    for t in unit["terms"]:
        if t["feature"] < len(MEASURES):
            used_points |= set(MEASURES[t["feature"]][1:])
        elif USED[t["feature"] - len(MEASURES)] not in used_scores:
            used_scores.append(USED[t["feature"] - len(MEASURES)])
used_scores.sort(key=USED.index)
pairs = [(a, b) for a, b in PAIRS if a in used_points or b in used_points]


def measure_of(feature):
    if feature < len(MEASURES):
        kind, a, b = MEASURES[feature]
        return f"{kind}({a}, {b})"
    return f"Score({used_scores.index(USED[feature - len(MEASURES)])})"


out = [
    "//! The coefficients of [`units`](super::units), written by its fitting recipe. How they came about stands there.",
    "",
    "use super::unit::Measure::{Dist, Front, Out, Score, Up};",
    "use super::unit::{Measure, Term, Unit};",
    "",
    "/// Landmarks that are each other's mirror image: the person's right, the person's left. Others are on the midline.",
    "#[rustfmt::skip]",
    f"pub(super) const MIRROR: [(u16, u16); {len(pairs)}] = [",
]
line = "   "
for p in pairs:
    if len(line) > 105:
        out.append(line)
        line = "   "
    line += f" ({p[0]}, {p[1]}),"
out += [line, "];", ""]
out += [
    "/// Landmarks that expressions hardly move: which, how much it counts in the alignment, and where it lies on the usual",
    "/// face (x right, y down, z back, the root of the nose at the origin, the outer eye corners 1 apart).",
    "#[rustfmt::skip]",
    f"pub(super) const RIGID: [(u16, f32, [f32; 3]); {len(fit['rigid'])}] = [",
]
for (p, w), r in zip(fit["rigid"], fit["reference"]):
    out.append(f"    ({p}, {f32(w)}, [{', '.join(f32(v) for v in r)}]),")
out += ["];", ""]
out += [
    "/// The blendshapes that are read, by their place among the model's 52; one without sides is given twice.",
    "#[rustfmt::skip]",
    f"pub(super) const SCORES: [(u8, u8); {len(used_scores)}] = [",
]
for i, name in enumerate(used_scores):
    at = [k for k, s in enumerate(SCORES) if s in (name, name + "Left", name + "Right")]
    out.append(f"    ({at[0]}, {at[-1]}), // {i} {name}")
out += ["];", ""]
out += [
    "const fn term(measure: Measure, rest: f32, weight: f32, relative_weight: f32) -> Term {",
    "    Term { measure, rest, weight, relative_weight }",
    "}",
    "",
    "/// The seventeen units in OpenFace order. A row is what is measured, what the usual relaxed face has, the weight, and",
    "/// the weight against the person's own relaxed face.",
    "#[rustfmt::skip]",
    "pub(super) const UNITS: [Unit; 17] = [",
]
for unit in fit["units"]:
    out.append(f"    // AU{unit['code']}")
    out.append(
        f"    Unit {{ threshold: {f32(unit['threshold'])}, gain: {f32(unit['gain'])}, "
        f"relative_threshold: {f32(unit['relative_threshold'])}, relative_gain: {f32(unit['relative_gain'])}, terms: &["
    )
    for t in unit["terms"]:
        j = t["feature"]
        name = f" // {USED[j - len(MEASURES)]}" if j >= len(MEASURES) else ""
        out.append(f"        term({measure_of(j)}, {f32(t['rest'])}, {f32(t['weight'])}, {f32(t['relative_weight'])}),{name}")
    out.append("    ] },")
out += ["];", ""]
open(sys.argv[2], "w").write("\n".join(out))
