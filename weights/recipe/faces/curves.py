"""Random expression curves: Action Units for takes, clips of an emotion, and head movement. All from a numpy generator."""

import numpy as np

from units.units import CODES, EMOTIONS, INDEX, SHAPES, sample

CATEGORIES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
OF_CATEGORY = {
    "anger": ("anger", "anger_open"), "disgust": ("disgust",), "fear": ("fear",), "happiness": ("happy", "happy_open", "smile"),
    "sadness": ("sad",), "surprise": ("surprise",),
}
UPPER = [INDEX[code] for code in (1, 2, 4, 5, 6, 7, 45)]


def vector(**units):
    out = np.zeros(len(CODES), np.float32)
    for name, value in units.items():
        out[INDEX[int(name[2:])]] = value
    return out


def take(rng, count):
    """Action Units (count, 17) of a take: rest, a blink, parted lips, an open jaw, single units, a smile; then random."""
    one = lambda code, low=0.3: vector(**{f"au{code}": rng.uniform(low, 1)})
    out = [np.zeros(17, np.float32), one(45, 0.5), one(25), vector(au25=rng.uniform(0.3, 1), au26=rng.uniform(0.3, 1)), one(12)]
    singles = rng.permutation(CODES)
    out += [one(code) for code in singles[: max(2, count // 4)]]
    out.append(vector(au45=rng.uniform(0.2, 1), au12=rng.uniform(0, 1) * (rng.random() < 0.5)))
    while len(out) < count:
        out.append(sample(rng))
    return np.stack(out[:count])


def emotion(rng, category):
    """The Action Units (17,) of a category at its peak."""
    chosen = EMOTIONS[rng.choice(OF_CATEGORY[category])]
    overall = rng.uniform(0.75, 1.0)
    out = np.zeros(len(CODES), np.float32)
    for code, value in chosen.items():
        out[INDEX[code]] = value * overall * rng.uniform(0.85, 1)
    return out.clip(0, 1)


def ramp(t):
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def clip(rng, category, frames):
    """(frames, 17) from rest to the emotion, some of them back again, with occasional blinks."""
    at = np.arange(frames)
    start, rise = rng.uniform(0, frames * 0.2), rng.uniform(frames * 0.25, frames * 0.5)
    level = ramp((at - start) / rise)
    if rng.random() < 0.3:
        level = level * (1 - ramp((at - rng.uniform(0.65, 0.9) * frames) / (0.3 * frames)))
    out = level[:, None] * emotion(rng, category)[None]
    if rng.random() < 0.4:
        moment = rng.uniform(0, frames)
        out[:, INDEX[45]] = np.maximum(out[:, INDEX[45]], np.exp(-(((at - moment) / 0.9) ** 2)))
    return out.astype(np.float32)


def sway(rng, frames, size):
    """A slow movement (frames,) of about `size`."""
    at = np.arange(frames) / frames
    return size * (rng.normal() * 0.5 + rng.normal() * at + 0.5 * rng.normal() * np.sin(2 * np.pi * (at * rng.uniform(0.5, 1.5) + rng.random())))


def unit_values(expression, names):
    """Estimates the Action Units (17,) of a fitted expression (57,): the mean over a unit's shapes."""
    at = {n: i for i, n in enumerate(names)}
    out = np.zeros(len(CODES), np.float32)
    for k, code in enumerate(CODES):
        found = [expression[at[shape + side]] / weight for shape, weight in SHAPES[code] for side in ("_L", "_R", "") if shape + side in at]
        out[k] = np.clip(np.mean(found), 0, 1) if found else 0
    return out
