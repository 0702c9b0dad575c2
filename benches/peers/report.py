"""Ratios and tables of what `peers.py` measured."""

import statistics

NAMES = {"torch": "PyTorch", "onnx": "ONNX Runtime", "mien": "Mien"}


def times(result, name):
    """Milliseconds of all frames."""
    return [t / 1e6 for turn in result["peers"][name]["ns"] for t in turn]


def figure(milliseconds):
    return f"{milliseconds:.1f}" if milliseconds >= 10 else f"{milliseconds:.2f}"


def ratio(result, one, other):
    """The time of `one` relative to `other`: the median of the rounds, the smallest and the largest."""
    turns = zip(result["peers"][one]["ns"], result["peers"][other]["ns"], strict=True)
    ratios = [statistics.median(a) / statistics.median(b) for a, b in turns]
    return statistics.median(ratios), min(ratios), max(ratios)


def markdown(head, rows):
    rows = [row + [""] * (len(head) - len(row)) for row in rows]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)] + rows
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def start_of(result):
    return [result["network"], str(result["threads"])]


def speed(results, names):
    """Milliseconds per frame, and Mien's time relative to the others'."""
    head = ["network", "threads", "GFLOP"] + [f"{NAMES[n]}, ms" for n in names]
    pairs = [("mien", n) for n in ("onnx", "torch") if "mien" in names and n in names]
    head += [f"{NAMES[one]} / {NAMES[other]}" for one, other in pairs]
    rows = []
    for result in results:
        if "failed" in result:
            rows.append(start_of(result) + ["", result["failed"]])
            continue
        row = start_of(result) + [f"{result['gflop']:.1f}"]
        for n in names:
            all_times = times(result, n)
            row.append(f"{figure(statistics.median(all_times))} ({figure(min(all_times))})")
        for one, other in pairs:
            row.append("{:.2f} ({:.2f} to {:.2f})".format(*ratio(result, one, other)))
        rows.append(row)
    return markdown(head, rows)


def use(results, names, peaks):
    """The fraction of the machine's peak, by the layers' definitions and the smallest time (Winograd, with fewer operations,
    can exceed 1), the peak memory of each process including its runtime, and the largest error of the pictures."""
    head = ["network", "threads"]
    if peaks:
        head += [f"{NAMES[n]}, share of peak" for n in names]
    head += [f"{NAMES[n]}, MiB" for n in names] + [f"{NAMES[n]}, apart" for n in names]
    if "mien" in names:
        head.append("allocations of 64 KiB and more a frame")
    rows = []
    for result in results:
        if "failed" in result:
            continue
        row = start_of(result)
        if peaks:
            peak = peaks[result["threads"]]
            row += [f"{result['gflop'] / min(times(result, n)) * 1e3 / peak:.0%}" for n in names]
        row += [f"{result['peers'][n]['peak'] / 2**20:.0f}" for n in names]
        row += [f"{result['apart'][n]['most']:.0e}" + " (too far)" * result["apart"][n]["wrong"] for n in names]
        if "mien" in names:
            own = result["peers"]["mien"]
            row.append(f"{own['allocations']:.0f} ({own['bytes'] / 2**20:.1f} MiB)")
        rows.append(row)
    return markdown(head, rows)


def scaling(results, names):
    """The speedup of more threads over the fewest, by smallest times; None if there is only one number of threads."""
    fewest = min(result["threads"] for result in results)
    done = {(r["network"], r["threads"]): r for r in results if "failed" not in r}
    rows = []
    for (network, threads), result in done.items():
        base = done.get((network, fewest))
        if threads > fewest and base:
            gains = [f"{min(times(base, n)) / min(times(result, n)):.2f}" for n in names]
            rows.append([network, f"{threads} to {fewest}"] + gains)
    head = ["network", "threads"] + [f"{NAMES[n]}, times as fast" for n in names]
    return markdown(head, rows) if rows else None
