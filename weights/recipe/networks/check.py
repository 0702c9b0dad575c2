"""Compares these networks with the authors' outputs for procedural weights and pictures, which derive from their names alone.

    python -m networks.check PARITY_FOLDER

The folder contains `fomm.safetensors` and `tps.safetensors`. Prints the largest and mean differences. Where a flow leads just
over the picture's edge, a rounding error decides whether a pixel is black, so one value in 10,000 may differ by more than 1e-3.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from . import fomm, tps

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def fnv1a64(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def noise(name, count, seed=1):
    """Returns `count` numbers in [-1, 1): splitmix64 seeded with the name's hash."""
    base = (fnv1a64(name) + seed * GOLDEN) & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(base) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return ((z >> np.uint64(40)).astype(np.float64) / 2**23 - 1).astype(np.float32)


def parameter(name, shape, seed=1):
    u = noise(name, int(np.prod(shape)), seed).reshape(shape)
    leaf = name.rsplit(".", 1)[-1]
    if leaf == "running_var":
        return 1 + 0.5 * u
    if leaf in ("running_mean", "bias", "bias_ih", "bias_hh"):
        return 0.1 * u
    if len(shape) == 1:
        return 1 + 0.1 * u
    return u * np.float32(np.sqrt(3 / np.prod(shape[1:])))


def picture(name, size, seed=1):
    grids = (noise(name, 3 * 64, seed).astype(np.float64) + 1) / 2
    grids = torch.from_numpy(grids.reshape(1, 3, 8, 8))
    return torch.nn.functional.interpolate(grids, (size, size), mode="bilinear", align_corners=True).float()


def fill(network):
    """Sets every weight from its name."""
    state = network.state_dict()
    for name, tensor in state.items():
        if not name.endswith("num_batches_tracked"):
            tensor.copy_(torch.from_numpy(np.asarray(parameter(name, tuple(tensor.shape)))))
    return network.eval()


def check_fomm(folder):
    wanted = load_file(folder / "fomm.safetensors")
    for era, align in (("align_corners", True), ("no_align", False)):
        network = fill(fomm.Fomm(fomm.VOX_256 | {"align_corners": align}))
        network.kp_detector.jacobian.bias += torch.tensor([1.0, 0.0, 0.0, 1.0]).repeat(10)
        source, first, second = (picture(name, 256) for name in ("source", "driving.0", "driving.1"))
        points = {name: network.detect(x) for name, x in (("source", source), ("driving0", first), ("driving1", second))}
        points["relative"] = fomm.relative(points["source"], points["driving1"], points["driving0"])
        for name, (places, jacobians) in points.items():
            yield f"kp.{name}.value", places, wanted[f"kp.{name}.value"]
            yield f"kp.{name}.jacobian", jacobians, wanted[f"kp.{name}.jacobian"]
        frame = network(source, points["source"], points["driving1"])
        frame["deformed"] = network.generator.deformed(source, frame)
        for ours, theirs in (("mask", "mask"), ("flow", "deformation"), ("occlusion", "occlusion_map"),
                             ("deformed", "deformed"), ("prediction", "prediction")):
            yield f"{era}.absolute.{theirs}", frame[ours], wanted[f"{era}.absolute.{theirs}"]
        frame = network(source, points["source"], points["relative"])
        yield f"{era}.relative.prediction", frame["prediction"], wanted[f"{era}.relative.prediction"]


def check_tps(folder):
    wanted = load_file(folder / "tps.safetensors")
    network = fill(tps.Tps(tps.VOX_256))
    source, first, second = (picture(name, 256) for name in ("source", "driving.0", "driving.1"))
    points = {name: network.detect(x) for name, x in (("source", source), ("driving0", first), ("driving1", second))}
    points["relative"] = tps.relative(points["source"], points["driving1"], points["driving0"])
    points["avd"] = network.avd_network(points["source"], points["driving1"])
    for name, places in points.items():
        yield f"kp.{name}", places, wanted[f"kp.{name}"]
    background = network.bg_predictor(source, second)
    yield "bg_param", background, wanted["bg_param"]
    frame = network(source, points["source"], points["driving1"])
    for i, mask in enumerate(frame["occlusion"]):
        yield f"standard.occlusion_map.{i}", mask, wanted[f"standard.occlusion_map.{i}"]
    for ours, theirs in (("contributions", "contribution_maps"), ("flow", "deformation"), ("deformed", "deformed"),
                         ("prediction", "prediction")):
        yield f"standard.{theirs}", frame[ours], wanted[f"standard.{theirs}"]
    for mode in ("relative", "avd"):
        yield f"{mode}.prediction", network(source, points["source"], points[mode])["prediction"], wanted[f"{mode}.prediction"]
    frame = network(source, points["source"], points["driving1"], background)
    yield "reconstruction.prediction", frame["prediction"], wanted["reconstruction.prediction"]


@torch.no_grad()
def main():
    folder, worst = Path(sys.argv[1]), 0.0
    for check in (check_fomm, check_tps):
        for name, ours, theirs in check(folder):
            difference = (ours - theirs).abs()
            worst = max(worst, (difference > 1e-3).float().mean().item())
            print(f"{check.__name__[6:]:5} {name:40} {difference.max():.2e} {difference.mean():.2e}")
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main()
