"""Procedural weights and pictures, reproducible from their names alone, for comparing networks."""

import numpy as np
import torch

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def uniform(name, count, seed=1):
    """Returns `count` values in [-1, 1): splitmix64 seeded with the FNV-1a hash of the name."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    with np.errstate(over="ignore"):
        base = np.uint64((h + seed * GOLDEN) & MASK)
        z = base + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return ((z >> np.uint64(40)).astype(np.float64) / 2**23 - 1).astype(np.float32)


def parameter(name, shape, seed=1):
    """Returns the checkpoint entry of this name."""
    u = uniform(name, int(np.prod(shape)), seed).astype(np.float64).reshape(shape)
    last = name.rsplit(".", 1)[-1]
    if last == "running_var":
        u = 1 + 0.5 * u
    elif last == "running_mean" or last in ("bias", "bias_ih", "bias_hh"):
        u = 0.1 * u
    elif len(shape) == 1:
        u = 1 + 0.1 * u
    else:
        u = u * np.sqrt(3 / np.prod(shape[1:]))
    return torch.from_numpy(u.astype(np.float32))


def fill(network, prefix="", seed=1):
    """Sets a network's whole state to its procedural values, except counters and the anti-alias filters."""
    state = network.state_dict()
    for name, tensor in state.items():
        if not name.endswith(("num_batches_tracked", "down.weight")):
            tensor.copy_(parameter(prefix + name, tuple(tensor.shape), seed))
    return network.eval()


def image(name, shape, seed=1):
    """A picture of this shape in [0, 1): 8x8 grids, resized bilinearly with the corners aligned."""
    *leading, height, width = shape
    count = int(np.prod(leading))
    grid = (torch.from_numpy(uniform(name, count * 64, seed)).double() + 1) / 2
    grid = torch.nn.functional.interpolate(
        grid.reshape(1, count, 8, 8), (height, width), mode="bilinear", align_corners=True
    )
    return grid.reshape(shape).float()
