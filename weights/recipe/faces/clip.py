"""Renders whole clips, frame by frame: the evaluation clips for the motion models, and the sample clip bundled with Mien.

    python -m faces.clip --data DATA --work WORK --held           WORK/held/clips/NAME/0001.png ... of people held out
    python -m faces.clip --data DATA --work WORK --sample FOLDER  the frames of the sample clip, of a rendered head
"""

import argparse
import os

import cv2
import numpy as np
import torch

from .curves import INDEX, ramp, sway
from .make import Frames, chosen, photographs, rendered

FPS = 24
# The keyframes of the sample clip, by time in seconds: Action Units, then yaw, pitch and roll in
# degrees.
SAMPLE = (
    (0.0, {}, (0, 0, 0)), (0.35, {}, (0, 0, 0)), (0.9, {6: 0.8, 12: 1.0, 25: 0.7}, (-5, -2, 2)),
    (1.4, {6: 0.8, 12: 0.9, 25: 0.5}, (6, 1, -2)), (1.7, {12: 0.2, 45: 1.0}, (4, 2, -1)),
    (2.1, {1: 0.9, 2: 0.9, 5: 0.7, 25: 0.6, 26: 0.9}, (0, -3, 0)), (2.6, {1: 0.9, 2: 0.8, 5: 0.6, 25: 0.6, 26: 0.7}, (-8, -1, 2)),
    (3.0, {4: 0.9, 7: 0.5, 15: 0.5, 17: 0.4}, (-3, 3, 1)), (3.4, {4: 0.8, 7: 0.5, 15: 0.6, 17: 0.4}, (3, 3, 0)), (3.8, {}, (0, 0, 0)),
)
# The clips of held-out people: one expression each, with a turn of the head.
HELD = (
    ("smile", {6: 0.8, 12: 1.0, 25: 0.6}, (8, 2, 3)), ("surprise", {1: 1.0, 2: 1.0, 5: 0.7, 25: 0.6, 26: 1.0}, (-6, -4, 2)),
    ("turn", {}, (20, 3, 0)), ("frown", {4: 1.0, 7: 0.6, 15: 0.6, 17: 0.4}, (-10, 4, -4)), ("talk", {25: 0.8, 26: 0.7, 20: 0.4}, (5, 5, 2)),
    ("back", {12: 0.5}, (-20, -3, 0)),
)


def vector(units):
    out = np.zeros(17, np.float32)
    for code, value in units.items():
        out[INDEX[code]] = value
    return out


def keyed(keys, time):
    """Units (17,) and angles (3,) at `time` between the keys."""
    for (t0, a, p), (t1, b, q) in zip(keys, keys[1:]):
        if t0 <= time <= t1:
            share = ramp((time - t0) / (t1 - t0))
            mix = lambda x, y: np.asarray(x, np.float32) * (1 - share) + np.asarray(y, np.float32) * share
            return mix(vector(a), vector(b)), mix(p, q)
    return vector(keys[-1][1]), np.asarray(keys[-1][2], np.float32)


def write(cast, rows, folder, size, margin, rng=None):
    """Renders (person, units, angles) of `rows` in batches to FOLDER/0001.png and on."""
    os.makedirs(folder, exist_ok=True)
    frames, at = Frames(cast, size), 0
    few = 6
    with torch.inference_mode():
        for start in range(0, len(rows), few):
            for who, units, angles, plain in rows[start : start + few]:
                expression = cast.own[who] if plain else cast.coefficients(who, units)[0]
                frames.add(who, expression, angles, (0, 0), (size / margin, 0, 0, 0), plain)
            for picture in frames.draw().picture:
                at += 1
                image = (picture.permute(1, 2, 0).numpy()[..., ::-1] * 255).round().clip(0, 255).astype(np.uint8)
                cv2.imwrite(os.path.join(folder, f"{at:04d}.png"), image)


def sample(data, folder, size, person, seed):
    cast = rendered(data, "cpu", 10, seed)
    times = np.arange(int(SAMPLE[-1][0] * FPS)) / FPS
    write(cast, [(person, *keyed(SAMPLE, t), False) for t in times], folder, size, 1.9)


def held(data, people, folder, size, count, frames, seed):
    """Renders clips of `count` held-out people and of the same number of rendered heads that were not in training."""
    rng = np.random.default_rng(seed)
    faces, _ = photographs(data, people, "cpu", held=True, only=chosen(people, True)[:: max(1, 38 // count)][:count])
    for name, cast in (("photograph", faces), ("head", rendered(data, "cpu", count, seed + 100))):
        for who in range(min(count, len(cast.rest))):
            what, units, turn = HELD[who % len(HELD)]
            level = ramp(np.arange(frames) / (0.6 * frames))
            lean = np.stack([sway(rng, frames, 2) for _ in range(3)], 1)
            rows = [(who, vector(units) * s, np.asarray(turn) * s + l - lean[0], False) for s, l in zip(level, lean)]
            write(cast, rows, os.path.join(folder, f"{name}-{who}-{what}"), size, 1.9)
            print(f"{name} {who}: {what}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="../../../shared/data")
    parser.add_argument("--work", required=True)
    parser.add_argument("--held", action="store_true")
    parser.add_argument("--sample", default="")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--count", type=int, default=6)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--person", type=int, default=6, help="which of ten heads the sample clip shows")
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    if args.sample:
        sample(args.data, args.sample, args.size, args.person, args.seed)
    if args.held:
        held(args.data, os.path.join(args.work, "people.npz"), os.path.join(args.work, "held", "clips"), args.size, args.count, args.frames, args.seed)


if __name__ == "__main__":
    main()
