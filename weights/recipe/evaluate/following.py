"""How well every method follows a clip's face: portraits driven by clips through `mien compare`, relative to the reference frame.

The result's smile, jaw and blink over time are compared with the driving face's: their correlation, and the amplitude as a ratio
of standard deviations, where the driving face moves at all. Also reported are the head's error in degrees, and the
landmarks' acceleration relative to the driving face's: above 1 the result jitters."""

import csv

import numpy as np

from . import figures
from .figures import number
from .program import Failed

METHODS = ["rig", "ganimation", "fomm", "tps"]
SIGNS = ["smile", "jaw", "blink"]

# A driving curve with a smaller standard deviation counts as constant.
STILL = 0.02


def evaluate(program, weights, portraits, clips, work, out):
    """Drives every portrait (files) by every clip (name and path) with every method; `weights` are files by method. Writes
    figures to `out`."""
    methods = ",".join(f"{name}@{weights[name]}" if name in weights else name for name in METHODS)

    def one(item):
        portrait, (name, clip) = item
        numbers = work / f"{portrait.stem}-{name}.csv"
        sheet = work / f"{portrait.stem}-{name}.png"
        try:
            program.call("compare", portrait, clip, "--methods", methods, "--metrics", numbers, "-q", "-o", sheet)
        except Failed as problem:
            return {"portrait": portrait.name, "clip": name, "failed": str(problem)}
        return {"portrait": portrait.name, "clip": name, "methods": measure(numbers)}

    pairs = program.each(one, [(portrait, clip) for portrait in portraits for clip in clips])
    report = {"pairs": pairs, "methods": {name: together(pairs, name) for name in METHODS}}
    figures.save(out, "following", report, text(report))
    return report


def measure(path):
    """Returns each method's figures from the table of `mien compare --metrics`."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    report = {}
    for name in METHODS:
        method_rows = [row for row in rows if row["method"] == name]

        def column(title):
            return np.array([float(row[title]) if row[title] else np.nan for row in method_rows])

        report[name] = {"head": mean(column("head_off")), "unsteady": unsteadiness(column)}
        for sign in SIGNS:
            report[name][sign] = following(column(sign), column(f"driving_{sign}"))
    return report


def following(result, driving):
    """Returns correlation and amplitude of a curve relative to the driving curve; None where that one is constant."""
    known = np.isfinite(result) & np.isfinite(driving)
    result, driving = result[known], driving[known]
    if len(driving) < 3 or driving.std() < STILL:
        return None
    correlation = float(np.corrcoef(result, driving)[0, 1]) if result.std() > 0 else 0.0
    return {"correlation": correlation, "amplitude": float(result.std() / driving.std())}


def unsteadiness(column):
    result, driving = column("acceleration"), column("driving_acceleration")
    known = np.isfinite(result) & np.isfinite(driving)
    total = driving[known].sum()
    return float(result[known].sum() / total) if total > 0 else None


def mean(values):
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else None


def together(pairs, method):
    """Returns the medians over the pairs of a portrait and a clip; those of a blendshape only where the driving face moves it."""
    parts = [pair["methods"][method] for pair in pairs if "methods" in pair]

    def median(values):
        values = [value for value in values if value is not None]
        return float(np.median(values)) if values else None

    report = {"pairs": len(parts), "head": median(part["head"] for part in parts), "unsteady": median(part["unsteady"] for part in parts)}
    for sign in SIGNS:
        moving = [part[sign] for part in parts if part[sign]]
        report[sign] = {"pairs": len(moving)} | {key: median(part[key] for part in moving) for key in ("correlation", "amplitude")}
    return report


def text(report):
    """Formats the figures as a table."""
    rows = []
    for name, part in report["methods"].items():
        signs = [number(part[sign][key]) for sign in SIGNS for key in ("correlation", "amplitude")]
        rows.append([name, *signs, number(part["head"], 1), number(part["unsteady"])])
    header = ["method", *(f"{sign} {key}" for sign in SIGNS for key in ("r", "x")), "head off, degrees", "unsteady"]
    pairs = max((part["pairs"] for part in report["methods"].values()), default=0)
    moving = ", ".join(f"{sign} in {report['methods'][METHODS[0]][sign]['pairs']}" for sign in SIGNS)
    words = figures.table(header, rows)
    words += f"\nMedians over {pairs} pairs of a portrait and a clip; the driving face moves its {moving} of them. r: correlation over time;\n"
    words += "x: amplitude, the ratio of the standard deviations; unsteady: the landmarks' acceleration as a multiple of the driving face's.\n"
    return words
