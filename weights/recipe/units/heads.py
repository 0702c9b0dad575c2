"""Renders MakeHuman heads with the ARKit shapes: known Action Units with any pose, skin and light."""

import os

import cv2
import numpy as np

from raster import bilinear, rasterise, rotation, vertex_normals

SKIN, EYE, LASH, TEETH, TONGUE = range(5)


class Heads:
    def __init__(self, folder):
        data = np.load(os.path.join(folder, "mh_head.npz"), allow_pickle=True)
        self.neutral = data["neutral"].astype(np.float64)
        group = data["tri_group"]
        keep = ~np.isin(group, ["helper-l-eyelashes-1", "helper-r-eyelashes-1"])
        self.tri = data["tri"][keep].astype(np.int32)
        self.tri_uv = data["tri_uv"][keep]
        group = group[keep]
        self.uv = data["uv"]
        self.names = [str(n) for n in data["expr_names"]]
        self.expression = data["expr"].astype(np.float32)
        self.ident_names = [str(n) for n in data["ident_names"]]
        self.ident = data["ident"]
        self.macro_names = [str(n) for n in data["macro_names"]]
        self.macro = data["macro"]
        self.material = np.full(len(self.tri), SKIN)
        for word, material in (("-eye", EYE), ("lashes", LASH), ("teeth", TEETH), ("tongue", TONGUE)):
            self.material[[word in g and (material != EYE or g.endswith("-eye")) for g in group]] = material
        read = lambda *p: cv2.imread(os.path.join(folder, *p), cv2.IMREAD_UNCHANGED).astype(np.float32)
        skins = sorted(os.listdir(os.path.join(folder, "skins")))
        self.skins = [read("skins", s)[..., :3] for s in skins]
        self.skin_names = skins
        self.eye = read("hair", "gz_green_eye.png")[..., :3]
        brows = read("hair", "eyebrow001.png")
        self.brow = np.ascontiguousarray(brows[140:310, 0:])  # the upper of the two, with its inner end on the left
        self.eye_at = np.array([0.3078, 7.2841, 1.2454])

    def identity(self, rng):
        """A random person: vertex offsets (5390,3) and appearance."""
        race = rng.dirichlet([0.6, 0.6, 0.6])
        sex = rng.random() if rng.random() < 0.2 else float(rng.random() < 0.5)
        old = rng.uniform(0, 1) if rng.random() < 0.6 else 0.0
        offset = np.zeros(self.neutral.shape, np.float64)
        muscle, weight = rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.8)
        for i, name in enumerate(self.macro_names):
            parts = name.split("/")[1].split("-")
            male = parts[1] == "male"
            age = {"old": old, "young": 1 - old}.get(parts[2], 0.0)
            w = (sex if male else 1 - sex) * age
            if parts[0] == "universal":
                w *= {"max": max(muscle, 0), "min": max(-muscle, 0), "ave": 1 - abs(muscle)}[parts[3][:3]]
                w *= {"max": max(weight, 0), "min": max(-weight, 0), "ave": 1 - abs(weight)}[parts[4][:3]]
            else:
                w *= race[["african", "asian", "caucasian"].index(parts[0])]
            if w > 0:
                offset += w * self.macro[i]
        stems = sorted({n.split("/")[1][2:] if n.split("/")[1][:2] in ("l-", "r-") else n.split("/")[1] for n in self.ident_names})
        for stem in rng.choice(stems, 40, replace=False):
            if stem.startswith("ear-trans") or stem.startswith("neck-trans"):
                continue
            value = rng.uniform(0, 0.25 if stem.startswith("asym") else 0.45)
            for i, name in enumerate(self.ident_names):
                leaf = name.split("/")[1]
                if leaf == stem or (leaf[:2] in ("l-", "r-") and leaf[2:] == stem):
                    offset += value * self.ident[i].astype(np.float64)
        dark = race[0] > 0.5
        skin = 0 if dark and rng.random() < 0.8 else rng.integers(0 if rng.random() < 0.1 else 1, len(self.skins))
        tint = rng.normal(0, 0.06, 3) + rng.normal(0, 0.08)
        hair = rng.choice([0.05, 0.15, 0.3, 0.55], p=[0.4, 0.3, 0.2, 0.1])
        return dict(offset=offset, skin=int(skin), tint=1 + tint, hair=hair, eye=rng.uniform(0.3, 1.2, 3),
                    brow=(rng.uniform(-0.012, 0.02), rng.uniform(0.9, 1.8), rng.uniform(0.6, 1.0)))

    def render(self, person, coefficients, pose=(0, 0, 0), light=None, size=448, zoom=1.0, rng=None, sharp=1.0):
        """Renders a picture (size,size,3) u8 BGR. `pose` is yaw, pitch, roll in degrees."""
        rng = rng or np.random.default_rng(0)
        light = light or dict(direction=(0.3, 0.5, 1.0), key=0.75, fill=0.45, colour=(1, 1, 1))
        rest = self.neutral + person["offset"]
        moved = rest + np.tensordot(coefficients, self.expression, 1)
        normal = vertex_normals(moved, self.tri)
        head = moved[np.unique(self.tri[self.material == EYE])].mean(0)
        centre = np.array([0, head[1] - 0.05, head[2] - 0.55])
        turn = rotation(*pose)
        view = (moved - centre) @ turn.T
        normal = normal @ turn.T
        inner = size * 3 // 2
        scale = inner * 0.36 * zoom
        distance = 9.0
        factor = distance / (distance - view[:, 2])
        screen = np.stack([inner / 2 + view[:, 0] * factor * scale, inner * 0.46 - view[:, 1] * factor * scale, view[:, 2] * scale], 1)
        index, weights, depth = rasterise(screen, self.tri, inner, inner)
        back = light.get("background", (120, 110, 100))
        ramp = np.linspace(1.1, 0.8, inner)[:, None, None]
        picture = np.ones((inner, inner, 3), np.float32) * np.array(back, np.float32) * ramp
        # Shoulders: a plain shirt behind the neck.
        yy, xx = np.mgrid[0:inner, 0:inner]
        neck = screen[np.argmin(moved[:, 1])]
        top = inner * 0.46 + 1.02 * scale
        shirt = ((xx - inner / 2 - 0.2 * (neck[0] - inner / 2)) / (1.55 * scale)) ** 2 + ((yy - top - 0.9 * scale) / (0.9 * scale)) ** 2 < 1
        picture[shirt] = np.array(light.get("shirt", (90, 60, 50)), np.float32) * 0.8
        ys, xs = np.nonzero(index >= 0)
        tri = index[ys, xs]
        w = weights[ys, xs]
        corner = self.tri[tri]
        mix = lambda a: np.einsum("nk,nkc->nc", w, a[corner])
        uv = np.einsum("nk,nkc->nc", w, self.uv[self.tri_uv[tri]])
        base = mix(self.neutral)
        n = mix(normal)
        n /= np.linalg.norm(n, axis=1, keepdims=True) + 1e-9
        material = self.material[tri]
        skin = self.skins[person["skin"]]
        colour = bilinear(skin, uv[:, 0] * skin.shape[1], (1 - uv[:, 1]) * skin.shape[0]) * person["tint"]
        self._brows(colour, base, material, person)
        eye = material == EYE
        side = np.where(base[:, :1] > 0, 1.0, -1.0) * self.eye_at[0]
        local = (base[:, :2] - np.concatenate([side, np.full_like(side, self.eye_at[1])], 1)) / 0.138
        eyes = bilinear(self.eye, (local[eye, 0] * 0.40 + 0.5) * 1024, (0.5 - local[eye, 1] * 0.40) * 1024)
        iris = np.linalg.norm(local[eye], axis=1) < 0.53
        grey = eyes.mean(1, keepdims=True)
        eyes = np.where(iris[:, None], grey * person["eye"] * 0.9, eyes * 0.92)
        colour[eye] = eyes
        # The skin textures end in black at the neck; a collar hides the seam.
        seam = (base[:, 1] < 7.0) & (base[:, 2] < 0.9) & (colour.max(1) < 30) & (material == SKIN)
        colour[seam | ((base[:, 1] < 6.5) & (base[:, 2] < 0.75))] = light.get("shirt", (90, 60, 50))
        colour[material == LASH] = 25
        deep = np.clip((base[:, 2:] - 1.05) / 0.45, 0.12, 1)
        colour = np.where((material == TEETH)[:, None], np.array([195, 212, 222]) * deep, colour)
        colour = np.where((material == TONGUE)[:, None], np.array([75, 75, 150]) * deep * 0.8, colour)
        d = np.array(light["direction"], float)
        d /= np.linalg.norm(d)
        lambert = np.clip(n @ d, 0, 1) * light["key"]
        wrap = np.clip(n @ np.array([-d[0], 0.2, 0.5]) * 0.5 + 0.5, 0, 1) * light["fill"]
        shade = lambert + wrap + 0.12
        half = d + np.array([0, 0, 1])
        half /= np.linalg.norm(half)
        shine = np.clip(n @ half, 0, 1) ** 18 * 22 * light["key"] * ((material == SKIN) | eye)
        shine += np.clip(n @ half, 0, 1) ** 90 * 120 * eye
        lit = np.array(light["colour"]) * shade[:, None]
        out = colour * lit + shine[:, None]
        layer = picture.copy()
        layer[ys, xs] = out
        # Ambient occlusion from the depth buffer: points behind their surroundings are darker.
        flat = np.where(index >= 0, depth, depth[index >= 0].min() if len(ys) else 0).astype(np.float32)
        shadow = np.ones_like(flat)
        for radius, strength in ((0.035, 2.6), (0.10, 0.9)):
            k = max(3, int(radius * scale)) | 1
            behind = (cv2.blur(flat, (k, k)) - flat) / scale
            shadow *= np.clip(1 - strength * np.clip(behind - 0.004, 0, 0.4) * 2.2, 0.25, 1)
        covered = index >= 0
        layer[covered] *= shadow[covered][:, None]
        lash = np.zeros((inner, inner), bool)
        lash[ys[material == LASH], xs[material == LASH]] = True
        if lash.any():
            # Lashes are translucent: some of their surroundings show through.
            clear = (~lash).astype(np.float32)
            through = cv2.blur(layer * clear[..., None], (7, 7)) / (cv2.blur(clear, (7, 7))[..., None] + 1e-3)
            layer[lash] = 0.5 * through[lash] + 0.5 * layer[lash]
        small = cv2.resize(layer, (size, size), interpolation=cv2.INTER_AREA)
        if sharp < 1:
            small = cv2.GaussianBlur(small, (0, 0), (1 - sharp) * 3)
        small = small + rng.normal(0, light.get("noise", 2.0), small.shape)
        return np.clip(small, 0, 255).astype(np.uint8)

    def _brows(self, colour, base, material, person):
        """Paints eyebrows on the skin, placed on the base head so that they move with it."""
        rise, thick, alpha = person["brow"]
        x = (np.abs(base[:, 0]) - 0.10) / 0.50
        y = (7.545 + rise - base[:, 1]) / (0.165 * thick)
        on = (material == SKIN) & (x > 0) & (x < 1) & (y > 0) & (y < 1) & (base[:, 2] > 0.8)
        if not on.any():
            return
        h, w = self.brow.shape[:2]
        texel = bilinear(self.brow, x[on] * w, y[on] * h)
        a = np.clip(texel[:, 3:] / 255 * 2.0, 0, 1) * alpha
        tone = np.array([0.75, 0.85, 1.0]) * 255 * person["hair"]
        colour[on] = colour[on] * (1 - a) + a * (tone * 0.75 + texel[:, :3] * 0.25)


def random_light(rng):
    """Random light, colours of background and shirt, and sensor noise."""
    return dict(
        direction=(rng.uniform(-1, 1), rng.uniform(-0.1, 1), rng.uniform(0.5, 1.2)),
        key=rng.uniform(0.4, 0.95),
        fill=rng.uniform(0.2, 0.6),
        colour=1 + rng.normal(0, 0.05, 3),
        background=rng.uniform(20, 230, 3),
        shirt=rng.uniform(10, 230, 3),
        noise=rng.uniform(0.5, 4),
    )
