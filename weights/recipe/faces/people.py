"""The MakeHuman head as one mesh with neck, shirt and long hair, and random persons: shape, look, light and background."""

import os

import cv2
import numpy as np

SKIN, EYE, BAG, TEETH, TONGUE, NECK, SHIRT, HAIR = range(8)
EYE_AT = (0.3078, 7.2841)
BASE_CENTRE = (0.0, 7.45, 0.45)
"""The middle of the skull, decimetres of the neutral head; hair runs down from above it."""
# The extent of the face for a landmark detector: below the hair, chin, in front of the ears.
BOX = ((0, 7.93, 1.44), (0, 6.37, 1.3), (-0.68, 7.15, 0.83), (0.68, 7.15, 0.83))
# Rings of neck and torso below the head: height, half-width, half-depth, offset of the centre to the
# front.
RINGS = (
    (6.06, 0.46, 0.50, 0.29), (5.98, 0.48, 0.50, 0.27), (5.97, 0.53, 0.54, 0.26), (5.84, 0.62, 0.56, 0.25), (5.73, 0.86, 0.60, 0.24),
    (5.63, 1.16, 0.64, 0.23), (5.53, 1.44, 0.68, 0.22), (5.40, 1.64, 0.72, 0.22), (5.20, 1.78, 0.76, 0.22), (4.95, 1.86, 0.80, 0.24),
    (4.65, 1.88, 0.84, 0.26), (4.35, 1.88, 0.86, 0.28), (4.0, 1.88, 0.86, 0.28),
)
NECK_RINGS = 2
LOCKS, ROWS = 40, 15
"""Long hair is a curtain of so many columns round the back of the head, and rows."""
# The hairline in profile: the height at which hair begins at each depth.
LINE_Z = (-0.6, 0.25, 0.50, 0.66, 0.74, 0.84, 0.95, 1.10, 1.28, 1.6)
LINE_Y = (6.50, 6.75, 6.95, 7.02, 7.08, 7.32, 7.64, 7.87, 8.00, 8.05)


def hairline(base, front, recede, sideburn, maths):
    """Returns how far above the hairline each point of the neutral head is (n,); `maths` is numpy or torch."""
    x, y, z = base[..., 0], base[..., 1], base[..., 2]
    temple = (abs(x) / 0.5).clip(0, 1)
    # A receding hairline, most of all above the temples.
    back = z + recede * (0.35 + 0.65 * temple)
    line = 0 * y + LINE_Y[0]
    for z0, z1, y0, y1 in zip(LINE_Z, LINE_Z[1:], LINE_Y, LINE_Y[1:]):
        line = line + ((back - z0) / (z1 - z0)).clip(0, 1) * (y1 - y0)
    ahead = ((z - 1.0) / 0.2).clip(0, 1)
    temple = ((z - 0.5) / 0.1).clip(0, 1) * ((0.9 - z) / 0.1).clip(0, 1)
    return y - line - front * ahead - sideburn * temple


class Mesh:
    """V vertices: the head's own H, then rings of neck and torso, then long hair; T triangles."""

    def __init__(self, folder):
        data = np.load(os.path.join(folder, "mh_head.npz"), allow_pickle=True)
        neutral = data["neutral"].astype(np.float32)
        group = data["tri_group"].astype(str)
        self.names = [str(n) for n in data["expr_names"]]
        self.expression = data["expr"].astype(np.float32)
        self.shapes = [(str(n), i) for i, n in enumerate(data["ident_names"])]
        self.ident, self.macro = data["ident"].astype(np.float32), data["macro"].astype(np.float32)
        self.macro_names = [str(n) for n in data["macro_names"]]
        self.head = neutral
        body = data["tri"][group == "body"].astype(np.int64)

        edges = np.sort(np.concatenate([body[:, k] for k in ([0, 1], [1, 2], [2, 0])]), axis=1)
        unique, count = np.unique(edges, axis=0, return_counts=True)
        loop = np.unique(unique[count == 1])
        self.angle = np.arctan2(neutral[loop, 0], neutral[loop, 2] - 0.33)
        order = np.argsort(self.angle)
        self.loop, self.angle = loop[order], self.angle[order]
        around = len(loop)
        start = len(neutral)
        rings = [self.loop] + [start + around * r + np.arange(around) for r in range(len(RINGS))]
        neck, shirt = [], []
        for r, (upper, lower) in enumerate(zip(rings, rings[1:])):
            (neck if r < NECK_RINGS else shirt).append(_quads(upper, lower, True))
        start += around * len(RINGS)
        rows = [start + LOCKS * r + np.arange(LOCKS) for r in range(ROWS)]
        hair = np.concatenate([_quads(b, a, False) for a, b in zip(rows, rows[1:])])

        parts = [("body", SKIN), ("helper-l-eye", EYE), ("helper-r-eye", EYE), ("helper-lower-teeth", TEETH), ("helper-upper-teeth", TEETH), ("helper-tongue", TONGUE)]
        triangles = [data["tri"][group == name].astype(np.int64) for name, _ in parts]
        uvs = [data["tri_uv"][group == name].astype(np.int64) for name, _ in parts]
        material = [np.full(len(t), m) for t, (_, m) in zip(triangles, parts)]
        for some, kind in ((np.concatenate(neck), NECK), (np.concatenate(shirt), SHIRT), (hair, HAIR), (hair[:, ::-1], HAIR)):
            triangles.append(some)
            uvs.append(np.zeros_like(some))
            material.append(np.full(len(some), kind))
        self.triangles, self.triangles_uv, self.material = np.concatenate(triangles), np.concatenate(uvs), np.concatenate(material)
        self.uv = data["uv"].astype(np.float32)
        # The area where the skin textures show the mouth's lining.
        middle = self.uv[self.triangles_uv].mean(1)
        lining = (middle > (0.75, 0.02)).all(1) & (middle < (0.94, 0.16)).all(1)
        self.material[lining & (self.material == SKIN)] = BAG
        # The curtain's side towards the neck.
        self.inner = np.zeros(len(self.triangles), bool)
        self.inner[-len(hair):] = True
        lashes = data["tri"][np.char.endswith(group, "lashes-2")].astype(np.int64)
        self.lashes = np.concatenate([lashes, lashes[:, ::-1]])

        grown = sum(np.abs(self.ident[i]).max(1) for name, i in self.shapes if name.startswith("ears/") and "scale" in name)
        self.ears = grown > 0.12 * grown.max()
        self.skin = np.zeros(len(neutral), bool)
        self.skin[body.ravel()] = True
        self.box = np.array([np.flatnonzero(self.skin)[np.linalg.norm(neutral[self.skin] - p, axis=1).argmin()] for p in BOX])
        scalp = self.skin & (neutral[:, 1] > 7.5) & ~self.ears
        self.scalp = np.flatnonzero(scalp)
        self.base = self._extend(neutral, np.zeros(3), np.ones(3), np.zeros(LOCKS), 0.0, 1.0).astype(np.float32)
        self.body_normals = body
        self._attributes()

    def _attributes(self):
        """Per-vertex attributes from the neutral head: how far it follows the head's rotation; regions face, eyes, mouth."""
        x, y, z = self.base.T
        ramp = lambda a, b, v: np.clip((v - a) / (b - a), 0, 1) ** 2 * (3 - 2 * np.clip((v - a) / (b - a), 0, 1))
        head, around = len(self.head), len(self.loop)
        nearest = np.min([np.linalg.norm(self.head - self.head[i], axis=1) for i in self.loop], axis=0)
        follow = np.ones(len(self.base))
        follow[:head] = np.where(self.skin & (self.head[:, 1] < 7.1), 0.4 + 0.6 * ramp(0, 0.45, nearest), 1)
        torso = np.zeros(len(RINGS))
        torso[:3] = 0.26, 0.13, 0.04
        follow[head : head + around * len(RINGS)] = np.repeat(torso, around)
        curtain = slice(head + around * len(RINGS), None)
        follow[curtain] = 0.35 + 0.65 * ramp(5.4, 6.9, y[curtain])
        self.follow = follow[:, None].astype(np.float32)
        side = np.abs(x)
        face = ramp(0.62, 0.9, z) * ramp(6.12, 6.26, y + 0.5 * (z - 1.2)) * ramp(8.15, 7.95, y)
        face[head:] = 0
        eyes = ramp(1.25, 0.75, np.hypot((side - EYE_AT[0]) / 0.2, (y - EYE_AT[1]) / 0.125)) * (z > 0.8)
        mouth = ramp(1.12, 0.92, np.hypot(side / 0.38, (y - 6.64) / 0.19)) * (z > 0.5)
        # The neck, whose texture ends; 1 at its end.
        self.neck = np.ones(len(self.base), np.float32)
        self.neck[:head] = ramp(0.34, 0.14, nearest) * (self.head[:, 2] < 1.0)
        self.on_ears = np.zeros(len(self.base), np.float32)
        self.on_ears[:head] = self.ears
        self.region = np.stack([face, eyes, mouth], 1).astype(np.float32)

    def _extend(self, head, shift, size, bulge, length, build, lower=0.0):
        """Adds torso and curtain of hair to a head (H, 3): `shift` and `size` (3,) of its skull relative to the neutral one's,
        `bulge` of each lock outwards, `length` of the curtain downwards, 0 for none, `build`, the shoulders' width, and
        `lower`, how much lower they are."""
        loop = head[self.loop]
        base = self.head[self.loop]
        rows = []
        for r, (y, wide, deep, forward) in enumerate(RINGS):
            goal = np.stack([wide * np.sin(self.angle), np.full(len(loop), y), forward + deep * np.cos(self.angle)], 1)
            # Shoulders slope down from a collar that is higher at the back.
            goal[:, 1] -= 0.10 * np.cos(self.angle) * max(0, 1 - r / 5) - 0.02
            goal[:, 1] -= lower * min(1, (r + 1) / 2)
            goal[:, 0] *= 1 + (build - 1) * min(1, r / 3)
            keep = min(1.0, max(0.0, 1.5 - r / 4))
            rows.append(goal + keep * (loop - base) + (1 - keep) * np.array([0, 0, 0.5 * shift[2]]))
        turn = np.linspace(-2.4, 2.4, LOCKS)
        for r in range(ROWS):
            t = r / (ROWS - 1)
            y = 8.02 - t * (length if length else 2.0)
            out = np.clip(t * 5, 0, 1) * 0.16 * (0.7 + 0.3 * bulge) + 0.05 * bulge * t - 0.06
            skull = np.sqrt(np.clip(1 - ((max(y, 7.6) - 7.6) / 0.95) ** 2, 0, 1))
            wide, deep = (0.72 + 0.12 * np.clip(t * 3 - 0.3, 0, 1)) * skull + out, 0.82 * skull + out * 0.7
            at = np.stack([np.sin(turn) * wide, np.full(LOCKS, y) + 0.04 * bulge * t, 0.42 - np.cos(turn) * deep], 1)
            at = (at - BASE_CENTRE) * size + BASE_CENTRE + shift
            rows.append(at if length or head is self.head else np.broadcast_to([0, 7.4, 0.4], at.shape))
        return np.concatenate([head, *rows])

    def dress(self, offsets, look):
        """Rest shapes (P, V, 3) of persons with vertex `offsets` (P, H, 3), including hair on the skull and the curtain."""
        out = []
        base = self.head
        scalp = base[self.scalp]
        spread = scalp.max(0) - scalp.min(0)
        for p, offset in enumerate(offsets):
            head = base + offset
            skull = head[self.scalp]
            size = (skull.max(0) - skull.min(0)) / spread
            shift = (skull.max(0) + skull.min(0)) / 2 - (scalp.max(0) + scalp.min(0)) / 2
            a, b, c = (head[self.body_normals[:, k]] for k in range(3))
            normal = np.zeros_like(head)
            for k in range(3):
                np.add.at(normal, self.body_normals[:, k], np.cross(b - a, c - a))
            normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
            front, recede, sideburn = (look[k][p] for k in ("front", "recede", "sideburn"))
            above = hairline(base, front, recede, sideburn, np)
            mask = np.clip(above / 0.22, 0, 1) * self.skin * ~self.ears
            wave = sum(np.sin(base @ look["wave"][p, k, :3] + look["wave"][p, k, 3]) for k in range(4)) / 4
            top = np.clip((base[:, 1] - 7.5) / 0.7, 0, 1)
            push = look["thick"][p] * (0.45 + 0.55 * top * look["quiff"][p] + 0.4 * wave * (0.3 + top)) * look["cover"][p]
            head = head + normal * (np.clip(push, 0, None) * np.sqrt(mask))[:, None]
            out.append(self._extend(head, shift, size, look["bulge"][p], look["length"][p], look["build"][p], look["lower"][p]))
        return np.stack(out).astype(np.float32)


def _quads(upper, lower, closed):
    """Triangles of the strip between two rows of vertices, facing outwards where the rows run round counter-clockwise from above."""
    a, b = upper, np.roll(upper, -1)
    c, d = lower, np.roll(lower, -1)
    out = np.stack([np.stack([a, c, b], 1), np.stack([b, c, d], 1)], 1)
    return (out if closed else out[:-1]).reshape(-1, 3)


def cast(mesh, people, rng):
    """Samples `people` random vertex offsets (P, H, 3), and for each its race (3,), how male and how old: a dict."""
    race = rng.dirichlet([0.4, 0.6, 0.7], people)
    sex = np.where(rng.random(people) < 0.15, rng.random(people), (rng.random(people) < 0.5).astype(float))
    old = np.where(rng.random(people) < 0.6, rng.uniform(0, 1, people), 0)
    muscle, weight = rng.uniform(-0.6, 0.6, people), rng.uniform(-0.6, 0.8, people)
    level = lambda v: dict(max=v.clip(0), min=(-v).clip(0), ave=1 - abs(v))
    macro = np.zeros((people, len(mesh.macro_names)), np.float32)
    for i, name in enumerate(mesh.macro_names):
        parts = name.split("/")[1].split("-")
        age = {"old": old, "young": 1 - old}.get(parts[2])
        if age is None:
            continue
        share = (sex if parts[1] == "male" else 1 - sex) * age
        if parts[0] == "universal":
            share = share * level(muscle)[parts[3][:3]] * level(weight)[parts[4][:3]]
        else:
            share = share * race[:, ["african", "asian", "caucasian"].index(parts[0])]
        macro[:, i] = share
    # Shapes that move both sides of a face are sampled as one.
    stem = lambda name: name.split("/")[1][2:] if name.split("/")[1][:2] in ("l-", "r-") else name.split("/")[1]
    stems = sorted({stem(n) for n, _ in mesh.shapes if not stem(n).startswith(("ear-trans", "neck-trans", "head-trans"))})
    at = {s: [i for n, i in mesh.shapes if stem(n) == s] for s in stems}
    shares = np.zeros((people, len(mesh.shapes)), np.float32)
    for p in range(people):
        for s in rng.choice(stems, 40, replace=False):
            shares[p, at[s]] = rng.uniform(0, 0.22 if s.startswith("asym") else 0.42)
    offset = macro @ mesh.macro.reshape(len(mesh.macro), -1) + shares @ mesh.ident.reshape(len(mesh.ident), -1)
    offset = offset.reshape(people, -1, 3)
    # The skull stays in place, however tall the person.
    offset = offset - offset[:, mesh.scalp].mean(1, keepdims=True)
    return dict(offset=offset, race=race, male=sex, old=old)


def looks(person, skins, rng):
    """Skin, hair, clothes and light of each person: a dict of arrays (P, ...)."""
    count = len(person["male"])
    uniform = lambda a, b, *shape: rng.uniform(a, b, (count, *shape))
    chance = lambda p: rng.random(count) < p
    male, old = person["male"] > 0.5, person["old"]
    dark = [i for i, n in enumerate(skins) if "dark" in n]
    light = np.array([i for i in range(len(skins)) if i not in dark])
    # The skin's sex and age mostly match the person's.
    fit = np.array([[0.1 + 2 * (("female" in skins[i]) != m) + ((o > 0.4) == ("middleage" in skins[i])) for i in light] for m, o in zip(male, old)])
    fit /= fit.sum(1, keepdims=True)
    skin = np.array([light[rng.choice(len(light), p=f)] for f in fit])
    african = person["race"][:, 0] > 0.5
    skin = np.where(african & chance(0.8) | chance(0.08), rng.choice(dark, count), skin)
    browner = np.where(np.isin(skin, dark), 0, rng.beta(1.0, 2.2, count) * 0.45)[:, None]
    tint = (1 - browner * [0.75, 0.95, 1.1]) * (1 + rng.normal(0, 0.06, (count, 1))) * (1 + rng.normal(0, 0.025, (count, 3)))

    colours = np.array([[22, 18, 17], [45, 30, 22], [80, 54, 36], [120, 86, 55], [168, 132, 88], [110, 52, 28]], float)
    exotic = person["race"][:, 2] < 0.5
    pick = np.array([rng.choice(6, p=[0.6, 0.28, 0.1, 0.02, 0, 0] if e else [0.1, 0.27, 0.27, 0.18, 0.12, 0.06]) for e in exotic])
    grey = (np.clip(old * 1.6 - 0.5 + rng.normal(0, 0.2, count), 0, 1) * chance(0.6))[:, None]
    hair = colours[pick] * uniform(0.8, 1.25, 1)
    hair = hair + grey * (uniform(120, 200, 1) * [1, 0.98, 0.95] - hair)
    bald = male & chance(0.12)
    receding = male & chance(0.2 + 0.4 * old)
    short = (male & chance(0.5)) | chance(0.08)
    length = np.where(~male & chance(0.72) | male & chance(0.06), uniform(1.35, 2.75), 0)
    short &= length == 0
    fringe = ~male & chance(0.22) & ~receding
    cover = np.where(bald, np.where(chance(0.5), 0, uniform(0.15, 0.5)), 1.0)
    colour = lambda low, high: uniform(low, high, 1) * (1 + rng.normal(0, 0.22, (count, 3))).clip(0.4, 1.5)
    suit = male & chance(0.5) | chance(0.15)
    shirt = np.where(suit[:, None], uniform(22, 80, 1) * [0.95, 1, 1.1], colour(25, 210))
    inside = np.where(suit[:, None], uniform(170, 235, 1) * [1, 1, 1.02], colour(40, 220))
    direction = np.stack([uniform(-1, 1), uniform(-0.1, 1), uniform(0.45, 1.2)], 1)
    key = uniform(0.4, 0.9)
    warm = rng.normal(0, 0.05, (count, 1)) * [1, 0.1, -1]
    out = dict(
        skin=skin, tint=tint, oily=uniform(4, 20), eye=_eye_colours(count, exotic, rng), hair=hair, cover=cover,
        brow=np.stack([uniform(-0.012, 0.02), uniform(0.9, 1.7), uniform(0.55, 0.95)], 1),
        front=np.where(fringe, uniform(-0.28, -0.1), uniform(-0.05, 0.06)), recede=np.where(receding, uniform(0.1, 0.75), np.where(length > 0, uniform(-0.25, -0.12), uniform(-0.03, 0.08))),
        sideburn=np.where(length > 0, -0.35, uniform(-0.12, 0.2)), beard=np.where(male & chance(0.38), np.where(chance(0.65), uniform(0.06, 0.3), uniform(0.4, 0.7)), 0), ragged=uniform(0.3, 1.0), comb=rng.normal(0, 1.0, count), thin=np.where(receding | short, uniform(0, 0.6), uniform(0, 0.12)),
        thick=np.where(short, uniform(0.015, 0.07), uniform(0.07, 0.2)), quiff=uniform(0.5, 1.5), wave=np.concatenate([rng.normal(0, 4, (count, 4, 3)), uniform(0, 6.3, 4, 1)], 2),
        hair_seed=uniform(0, 512, 2), length=length, bulge=_bulges(count, rng), lower=uniform(-0.06, 0.16), build=np.where(male, uniform(0.95, 1.15), uniform(0.8, 0.98)),
        shirt=shirt, shirt_inside=inside, shirt_tie=colour(20, 160), tie=(suit & male & chance(0.7)).astype(float),
        collar=np.where(suit, uniform(4.6, 5.0), np.where(chance(0.3), uniform(5.1, 5.6), 9.0)),
        direction=direction / np.linalg.norm(direction, axis=1, keepdims=True), key=key, fill=uniform(0.95, 1.2) - key,
        lamp=1 + warm, sky=1 - warm * uniform(0, 1, 1), teeth=uniform(195, 235, 1) * [1, 0.96, 0.87], distance=uniform(8, 16),
    )
    # A garment without cloth beneath shows skin down to the end of the opening.
    open_neck = ~suit & (out["collar"] < 9)
    bare = np.array([196, 150, 125]) * tint * np.where(np.isin(skin, dark), 0.5, 1)[:, None]
    out["shirt_inside"] = np.where(open_neck[:, None], bare, inside)
    return out


def _eye_colours(count, dark, rng):
    colours = np.array([[0.75, 0.50, 0.33], [1.1, 0.80, 0.50], [1.05, 1.4, 1.75], [1.1, 1.4, 1.1]])
    pick = np.where(dark, rng.choice(2, count, p=[0.8, 0.2]), rng.choice(4, count, p=[0.3, 0.2, 0.35, 0.15]))
    return colours[pick] * rng.uniform(0.7, 1.2, (count, 1))


def _bulges(count, rng):
    """How far each lock of long hair bulges, smooth along the head (P, LOCKS)."""
    place = np.arange(LOCKS)
    waves = [rng.uniform(0, 1, (count, 1)) * np.sin(place * f + rng.uniform(0, 6.3, (count, 1))) for f in (0.25, 0.7, 1.9)]
    return sum(waves) / 1.5 + rng.uniform(-0.3, 0.8, (count, 1))


def backgrounds(count, rng, side=128):
    """Smooth pictures (P, side, side, 3) u8: a gradient, and blurred noise of one or two sizes."""
    out = np.empty((count, side, side, 3), np.uint8)
    ramp = np.stack(np.meshgrid(*[np.linspace(-1, 1, side)] * 2), -1)
    for p in range(count):
        middle = rng.uniform(25, 225) + rng.normal(0, 14, 3)
        change = rng.normal(0, 25) + rng.normal(0, 10, 3)
        angle = rng.uniform(0, 2 * np.pi)
        image = middle + (ramp @ [np.cos(angle), np.sin(angle)])[..., None] * change
        for _ in range(rng.integers(0, 3)):
            sigma = np.exp(rng.uniform(np.log(3.5), np.log(28)))
            noise = rng.normal(0, 1, (side, side, 1)) * rng.normal(1, 0.1, 3) + 0.2 * rng.normal(0, 1, (side, side, 3))
            noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=sigma, sigmaY=sigma * np.exp(rng.normal(0, 0.6)), borderType=cv2.BORDER_REFLECT)
            image = image + noise / noise.std() * rng.uniform(2, 20)
        if rng.random() < 0.3:
            # Something with an edge, out of focus.
            edge = (ramp @ [np.cos(angle), np.sin(angle)] > rng.uniform(-0.7, 0.7)).astype(float)
            edge = cv2.GaussianBlur(edge, (0, 0), rng.uniform(1, 6))[..., None]
            image = image + edge * (rng.normal(0, 40) + rng.normal(0, 10, 3))
        out[p] = image.clip(0, 255)
    return out
