"""Makes the training data: `python -m faces.make --data DATA --work WORK`.

Writes three folders of arrays to WORK, as described in `README.md`: expressions (for GANimation), motion (FOMM, TPS), clips
(MoCoGAN). Held-out people, every 22nd in the list, are in none of them.
"""

import argparse
import json
import os
import time
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.format import open_memmap

from units.units import coefficients, nuisance, sample

from .curves import CATEGORIES, UPPER, clip, sway, take, unit_values
from .heads import Heads
from .ict import Ict
from .photographs import Photographs, Pose, camera
from .prepare import load, measure_all

HELD_OUT = 22
SOBER = 0.2
"""A portrait whose fitted smile is below this counts as one at rest."""


def listed():
    path = os.path.join(os.path.dirname(__file__), "portraits.json")
    with open(path) as file:
        return json.load(file)


def chosen(people, held):
    """Indices of the measured portraits for training, or of those held out."""
    with np.load(people) as table:
        files = [str(f) for f in table["files"]]
    out = set(listed()["left_out"])
    return [i for i, f in enumerate(files) if (i % HELD_OUT == HELD_OUT - 1) == held and (held or f not in out)]


@dataclass
class Cast:
    """People of one kind on a device, with each one's expression at rest."""

    draws: object
    rest: np.ndarray
    """(P, K) the expression that stays when every unit is 0."""
    own: np.ndarray
    """(P, K) the expression of the photograph, or nothing."""
    own_units: np.ndarray
    still_upper: np.ndarray
    """(P,) whose brows and lids are left alone, as glasses would bend with them."""
    sober: np.ndarray
    kind: int

    def coefficients(self, who, units, rng=None):
        """(K,) for units (17,), with the sides slightly different where `rng` is given."""
        sides = (1.0, 1.0) if rng is None else tuple(1 + rng.normal(0, 0.06, 2).clip(-0.15, 0.15))
        units = np.where(np.isin(np.arange(17), UPPER) & self.still_upper[who], 0, units)
        return self.rest[who] + coefficients(units, self.draws.names, ict=self.kind == 0, sides=sides), units.astype(np.float32)


def photographs(data, people, device, held=False, only=None):
    prepared, files = load(people, chosen(people, held) if only is None else only)
    model = Ict(os.path.join(data, "ict-facekit"))
    own = prepared["expression"]
    smile = own[:, [model.names.index(n) for n in ("mouthSmile_L", "mouthSmile_R")]].mean(1)
    sober = smile < SOBER
    # The fit's brows, lids and noses are differences between people and stay; so does as much squint as sober faces have. The
    # rest of a smile is removed.
    whole = np.array([n.startswith(("brow", "eyeWide", "eyeBlink", "noseSneer")) for n in model.names])
    squint = np.array([n.startswith(("cheekSquint", "eyeSquint")) for n in model.names])
    usual = np.median(own[sober], 0) if sober.any() else np.zeros(own.shape[1])
    rest = own * whole + np.minimum(own, usual) * squint
    rest[sober] = own[sober]
    values = np.stack([unit_values(o - r, model.names) for o, r in zip(own, rest)])
    glasses = set(listed()["glasses"])
    return Cast(Photographs(model, prepared, device), rest.astype(np.float32), own, values,
                np.array([f in glasses for f in files]), sober, 0), files


def rendered(data, device, people, seed):
    draws = Heads(os.path.join(data, "makehuman"), people, device, seed)
    nothing = np.zeros((people, len(draws.names)), np.float32)
    return Cast(draws, nothing, nothing, np.zeros((people, 17), np.float32), np.zeros(people, bool), np.zeros(people, bool), 1)


class Frames:
    """Collects frames and renders them in batches."""

    def __init__(self, cast, size):
        self.cast, self.size, self.rows = cast, size, []

    def add(self, who, expression, angles, move, place, plain=False):
        """`place`: picture pixels per face-box side, centre offset in box sides, roll (degrees)."""
        self.rows.append((who, expression, np.radians(angles), move, place, plain))

    def draw(self):
        cast, device = self.cast, self.cast.draws.device
        who, expression, angles, move, place, plain = zip(*self.rows)
        self.rows = []
        put = lambda a: torch.as_tensor(np.asarray(a, np.float32), device=device)
        people = torch.as_tensor(np.array(who), device=device)
        box = cast.draws.data["box"][people]
        side = (box[:, 2:] - box[:, :2]).amax(1)
        place = put(place)
        centre = (box[:, 2:] + box[:, :2]) / 2 + place[:, 1:3] * side[:, None]
        view = camera(place[:, 0] / side, centre, place[:, 3].deg2rad(), self.size)
        return cast.draws.draw(people, put(expression), Pose(put(angles), put(move), view, self.size), torch.as_tensor(np.array(plain), device=device))


def arrays(folder, **shapes):
    os.makedirs(folder, exist_ok=True)
    return {name: open_memmap(os.path.join(folder, name + ".npy"), "w+", dtype, shape) for name, (dtype, shape) in shapes.items()}


def bytes_of(t):
    return (t * 255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()


def expressions(casts, folder, takes, count, size, batch, seed):
    rng = np.random.default_rng(seed)
    total = sum(n for _, n in takes)
    out = arrays(folder, pictures=("u1", (total, count, 3, size, size)), units=("f4", (total, count, 17)),
                 regions=("u1", (total, count, 3, size // 2, size // 2)), person=("i4", (total,)), kind=("u1", (total,)))
    for at, cast, who in schedule(casts, takes, batch, rng, "expressions"):
        frames, units = Frames(cast, size), []
        for person in who:
            turned = rng.random() < 0.5
            angles = np.array([rng.normal(0, 9), rng.normal(0, 5), 0]).clip(-22, 22) * turned
            place = (size / (1.4 * rng.uniform(0.9, 1.14)), rng.normal(0, 0.025), rng.normal(0, 0.025), rng.normal(0, 4))
            values = take(rng, count)
            has_photo = cast.kind == 0
            for k in range(count):
                expression, values[k] = cast.coefficients(person, values[k], rng if k else None)
                plain = has_photo and (k == 0 and cast.sober[person])
                if has_photo and k == count - 1:
                    expression, values[k], plain = cast.own[person], cast.own_units[person], True
                frames.add(person, expression, angles, (0, 0), place, plain)
            units.append(values)
        drawn = frames.draw()
        end = at + len(who)
        split = lambda t: t.reshape(len(who), count, *t.shape[1:])
        out["pictures"][at:end] = split(bytes_of(drawn.picture))
        out["regions"][at:end] = split(bytes_of(F.avg_pool2d(drawn.regions, 2)))
        out["units"][at:end] = units
        out["person"][at:end], out["kind"][at:end] = who, cast.kind


def movement(rng, wide=1.0):
    """Angles in degrees and the head's shift in canvas pixels."""
    angles = np.array([rng.normal(0, 12), rng.normal(0, 7), rng.normal(0, 6)]).clip(-28, 28) * wide
    return angles, rng.normal(0, 3.5, 2) * wide


def motion(casts, folder, takes, count, size, batch, seed):
    rng = np.random.default_rng(seed)
    total = sum(n for _, n in takes)
    nodes = size // 2
    out = arrays(folder, pictures=("u1", (total, count, 3, size, size)), flow=("f2", (total, count, nodes, nodes, 2)),
                 visible=("u1", (total, count, nodes, nodes)), regions=("u1", (total, count, 3, nodes, nodes)),
                 person=("i4", (total,)), kind=("u1", (total,)))
    for at, cast, who in schedule(casts, takes, batch, rng, "motion"):
        frames = Frames(cast, size)
        for person in who:
            scale = size / (1.7 * rng.uniform(0.88, 1.15))
            base = np.array([rng.normal(0, 0.03), rng.normal(0, 0.03)])
            lean = rng.normal(0, 3)
            lively = 1.0 if rng.random() < 0.75 else 0.3
            for k in range(count):
                angles, move = movement(rng, lively * (0.5 if k == 0 else 1))
                expression, _ = cast.coefficients(person, sample(rng) * (1 if k else rng.random() < 0.6), rng)
                expression = expression + nuisance(rng, cast.draws.names)
                plain = bool(k == 0 and cast.kind == 0 and rng.random() < 0.35)
                if plain:
                    expression = cast.own[person]
                jitter = rng.normal(0, 0.02 * lively, 2)
                place = (scale * np.exp(rng.normal(0, 0.04 * lively)), *(base + jitter), lean + rng.normal(0, 2 * lively))
                frames.add(person, expression, angles, move, place, plain)
        drawn = frames.draw()
        first = pick(drawn, torch.arange(len(who), device=drawn.picture.device).repeat_interleave(count) * count)
        flow, visible = cast.draws.flow(drawn, first, nodes)
        end = at + len(who)
        split = lambda t: t.reshape(len(who), count, *t.shape[1:])
        out["pictures"][at:end] = split(bytes_of(drawn.picture))
        out["regions"][at:end] = split(bytes_of(F.avg_pool2d(drawn.regions, 2)))
        out["flow"][at:end] = split(flow.clamp(-4, 4).half().cpu().numpy())
        out["visible"][at:end] = split(bytes_of(visible))
        out["person"][at:end], out["kind"][at:end] = who, cast.kind


def clips(casts, folder, takes, count, size, batch, seed):
    rng = np.random.default_rng(seed)
    total = sum(n for _, n in takes)
    out = arrays(folder, pictures=("u1", (total, count, 3, size, size)), category=("u1", (total,)), person=("i4", (total,)))
    for at, cast, who in schedule(casts, takes, batch, rng, "clips"):
        frames, categories = Frames(cast, size), []
        for person in who:
            categories.append(rng.integers(len(CATEGORIES)))
            values = clip(rng, CATEGORIES[categories[-1]], count)
            # A blink would bend glasses; the emotion itself is acceptable.
            angles = np.stack([sway(rng, count, 5), sway(rng, count, 3), sway(rng, count, 2)], 1)
            place = (size / (1.5 * rng.uniform(0.96, 1.04)), rng.normal(0, 0.015), rng.normal(0, 0.015), rng.normal(0, 1.5))
            for k in range(count):
                frames.add(person, cast.coefficients(person, values[k])[0], angles[k], (0, 0), place)
        drawn = frames.draw()
        end = at + len(who)
        out["pictures"][at:end] = bytes_of(drawn.picture).reshape(len(who), count, 3, size, size)
        out["category"][at:end], out["person"][at:end] = categories, who


def pick(drawn, items):
    """The pictures `items` of a `Drawn`."""
    choose = lambda v: tuple(choose(x) for x in v) if isinstance(v, tuple) else v[items]
    return type(drawn)(**{name: choose(value) for name, value in vars(drawn).items()})


def schedule(casts, takes, batch, rng, what):
    """Yields the start of each batch, its cast and people; every person occurs equally often."""
    at, started = 0, time.time()
    total = sum(n for _, n in takes)
    for name, number in takes:
        cast = casts[name]
        people = np.arange(len(cast.rest))
        order = np.concatenate([rng.permutation(people) for _ in range(number // len(people) + 1)])[:number]
        for some in np.array_split(order, max(1, -(-number // batch))):
            if len(some):
                yield at, cast, some
                at += len(some)
                if (at // batch) % 20 == 0:
                    print(f"{what}: {at} of {total} takes, {time.time() - started:.0f} s", flush=True)
    print(f"{what}: {at} takes in {time.time() - started:.0f} s", flush=True)


MAKERS = {"expressions": (expressions, 16, 128), "motion": (motion, 6, 128), "clips": (clips, 16, 64)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="../../../shared/data")
    parser.add_argument("--work", required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--parts", default="expressions,motion,clips")
    parser.add_argument("--photographs", type=int, nargs="+", default=[6000, 12000, 6000], help="takes of people, one number a part")
    parser.add_argument("--heads", type=int, nargs="+", default=[600, 3000, 0], help="takes of rendered heads, one number a part")
    parser.add_argument("--pictures", type=int, default=256, help="drawn at once")
    parser.add_argument("--few", type=int, default=0, help="only so many people, for a try")
    parser.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 1) - 1))
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    people = os.path.join(args.work, "people.npz")
    if not os.path.exists(people):
        measure_all(args.data, people, args.processes)
    only = chosen(people, False)[:: max(1, 800 // args.few)] if args.few else None
    casts = {"photographs": photographs(args.data, people, args.device, only=only)[0]}
    print("portraits loaded", flush=True)
    if any(args.heads):
        casts["heads"] = rendered(args.data, args.device, 400, args.seed)
    for i, part in enumerate(args.parts.split(",")):
        maker, count, size = MAKERS[part]
        takes = [("photographs", args.photographs[i]), ("heads", args.heads[i])]
        folder = os.path.join(args.work, part)
        with torch.inference_mode():
            maker(casts, folder + ".part", [t for t in takes if t[1]], count, size, max(1, args.pictures // count), args.seed + i)
        if os.path.isdir(folder):
            os.rename(folder, folder + time.strftime(".%H%M%S"))
        os.rename(folder + ".part", folder)


if __name__ == "__main__":
    main()
