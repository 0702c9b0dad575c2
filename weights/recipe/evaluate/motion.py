"""FOMM and TPS: a person's first frame, driven by the rest of their own clip, compared with the clip itself."""

import numpy as np

from . import clips, figures
from .figures import number
from .program import Failed, numbered

# The weights' crop scale, relative to the longer side of the landmarks' box, and the network's
# resolution.
SCALE, SIZE = 1.7, 128


def evaluate(program, method, weights, runs, work, out):
    """Evaluates `weights` on the sequences of clips.run, by name. Pictures go to `work`, figures to `out`."""

    def one(item):
        name, (folder, files, faces) = item
        return name, measure(program, method, weights, name, folder, files, faces, work)

    report, rows, names, ranked = {"method": method, "clips": {}}, [], [], []
    for name, (figured, picked) in program.each(one, runs.items()):
        report["clips"][name] = figured
        ranked.append((figured.get("L1", {}).get("share", 0.0), name, picked))
    for group, rendered in {"real": False, "rendered": True}.items():
        part = [report["clips"][name] for name in runs if name.startswith("rendered-") == rendered]
        if part:
            report[group] = together(part)
    # Worst first, so that the sheet shows them.
    for _, name, picked in sorted(ranked, key=lambda entry: entry[0], reverse=True)[:8]:
        rows += picked
        names += [f"{name[-18:]}\ntrue", "network", "full size"][: len(picked)]
    if rows:
        figures.sheet(out / f"{method}.png", rows, names=names)
    figures.save(out, method, report, text(report))
    return report


def measure(program, method, weights, name, folder, files, faces, work):
    """Measures L1 (0..255, within the crop) and AKD (pixels of 128) for one clip, for the network's own picture and the full-size
    result, and for an unmoved portrait as the baseline; also returns rows for a contact sheet."""
    crop = figures.square(faces[0], SCALE)
    first, truths = figures.read(files[0]), [figures.read(file) for file in files[1:]]
    results = {}
    for kind, options in {"network": ["--plain"], "full size": []}.items():
        target = work / f"{method}-{name}-{kind.replace(' ', '-')}.png"
        command_options = ["--method", method, "--weights", weights, "--mode", "standard", "--reference", 1, "-q", *options]
        try:
            program.call("transfer", files[0], folder, *command_options, "-o", target)
        except Failed as problem:
            return {"failed": str(problem)}, []
        results[kind] = [numbered(target, i + 1) for i in range(1, len(files))]

    def l1(picture, truth):
        return float(np.abs(figures.cut(picture, crop) - figures.cut(truth, crop)).mean())

    def akd(found):
        pairs = [(a, b) for a, b in zip(found, faces[1:]) if a]
        distances = [np.abs(np.float32(a["landmarks"]) - np.float32(b["landmarks"]))[:, :2].mean() for a, b in pairs]
        # Beyond a third of the crop, another face in the picture was found.
        distances = [d for d in distances if d < crop[2] / 3]
        return float(np.mean(distances)) * SIZE / crop[2] if distances else None

    unmoved = float(np.mean([l1(first, truth) for truth in truths]))
    figured = {"frames": len(files), "L1": {"standing still": unmoved}, "AKD": {"standing still": akd([faces[0]] * len(truths))}}
    pictures = {kind: [figures.read(path) for path in paths] for kind, paths in results.items()}
    for kind, paths in results.items():
        figured["L1"][kind] = float(np.mean([l1(a, b) for a, b in zip(pictures[kind], truths)]))
        found = program.faces(paths)
        figured["AKD"][kind] = akd(found)
        figured.setdefault("lost faces", {})[kind] = sum(face is None for face in found)
    figured["L1"]["share"] = figured["L1"]["network"] / max(unmoved, 1e-6)
    figured["L1"]["share, full size"] = figured["L1"]["full size"] / max(unmoved, 1e-6)

    # The frames that differ most from the first are the most informative.
    order = sorted(range(len(truths)), key=lambda i: -l1(first, truths[i]))
    selected = sorted(order[:: max(1, len(order) // 7)][:7])
    rows = []
    for line in [truths, pictures["network"], pictures["full size"]]:
        rows.append([figures.cut(first, crop, SIZE)] + [figures.cut(line[i], crop, SIZE) for i in selected])
    width = max(map(len, rows))
    return figured, [row + [np.zeros_like(row[0])] * (8 - width) for row in rows]


def together(parts):
    """Returns the means over clips; for L1 the ratio of sums, so that a still clip doesn't weigh more than a lively one."""
    parts = [part for part in parts if "failed" not in part]
    if not parts:
        return {"clips": 0}

    def mean(measure, kind):
        values = [part[measure][kind] for part in parts if part[measure][kind] is not None]
        return float(np.mean(values)) if values else None

    kinds = ["standing still", "network", "full size"]
    report = {"clips": len(parts), "L1": {kind: mean("L1", kind) for kind in kinds}, "AKD": {kind: mean("AKD", kind) for kind in kinds}}
    report["L1"]["share"] = report["L1"]["network"] / max(report["L1"]["standing still"], 1e-6)
    report["L1"]["share, full size"] = report["L1"]["full size"] / max(report["L1"]["standing still"], 1e-6)
    return report


def text(report):
    """Formats the figures for the model card."""
    rows = []
    named = {f"all {group}": report[group] for group in ("real", "rendered") if group in report}
    for name, part in (report["clips"] | named).items():
        if "L1" not in part:
            rows.append([name, part.get("failed", "none")] + [""] * 6)
            continue
        l1, akd = part["L1"], part["AKD"]
        rows.append([
            name, number(l1["standing still"]), number(l1["network"]), number(l1["share"]), number(l1["share, full size"]),
            number(akd["standing still"]), number(akd["network"]), number(akd["full size"]),
        ])
    header = ["clip", "L1 still", "L1 network", "share", "share, full size", "AKD still", "AKD network", "AKD full size"]
    words = figures.table(header, rows)
    words += "\nA clip's first frame moved by the clip itself, against the clip (standard motion). L1 within the crop, of 255; "
    words += "share: of the L1 of standing still. AKD: mean difference of the 478 landmarks' coordinates, in pixels of 128.\n"
    return words


def runs_of(program, data, folders, work):
    """Returns the sequences of all clips, by name; prints the clips without a long enough one."""
    found = {}
    for name, path in clips.find(data, folders):
        run = clips.run(program, name, path, work)
        if run is None:
            print(f"{name}: no face stays long enough, left out", flush=True)
        else:
            found[name] = run
    return found
