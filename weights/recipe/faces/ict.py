"""ICT-FaceKit: the rendered parts of the head, their kinds, and fitting to a portrait's landmarks."""

import os

import numpy as np

PARTS = ("M_Face", "M_GumsTongue", "M_Teeth", "M_IrisLeft", "M_IrisRight", "M_ScleraLeft", "M_ScleraRight")
FACE, INSIDE, TEETH, EYE = range(4)
# The approximate pivot of the head on its neck, in the model's centimetres.
PIVOT = (0.0, -6.0, 0.0)


class Ict:
    """The model, with only the vertices that are rendered or carry a landmark: V of them; T triangles."""

    def __init__(self, folder):
        light = np.load(os.path.join(folder, "ict_light.npz"), allow_pickle=True)
        topology = np.load(os.path.join(folder, "ict_topology.npz"), allow_pickle=True)
        kinds = [str(n) for n in topology["material_names"]]
        material = topology["material"]
        triangles = topology["triangles"].astype(np.int64)
        neutral = light["neutral"].astype(np.float32)
        face = material == kinds.index("M_Face")
        kept = np.isin(material, [kinds.index(k) for k in PARTS])
        # The area behind the cheeks is left to the photograph.
        kept &= ~(face & (neutral[triangles][:, :, 2].mean(1) < -1.5))
        landmarks = topology["landmark68_vertices"].astype(np.int64)
        used = np.unique(np.concatenate([triangles[kept].ravel(), landmarks]))
        place = np.full(len(neutral), -1)
        place[used] = np.arange(len(used))
        self.neutral = neutral[used]
        self.identity = light["identity"][:, used].astype(np.float32)
        self.expression = light["expression"][:, used].astype(np.float32)
        self.names = [str(n) for n in light["expr_names"]]
        self.triangles = place[triangles[kept]]
        names = np.array(kinds)[material[kept]]
        self.part = np.select(
            [names == "M_Face", names == "M_GumsTongue", names == "M_Teeth"], [FACE, INSIDE, TEETH], EYE
        ).astype(np.int64)
        self.landmarks = place[landmarks]
        # Teeth and tongue stay in place behind a person's upper lip.
        inside = np.unique(self.triangles[np.isin(self.part, (TEETH, INSIDE))])
        self.identity[:, inside] = self.identity[:, self.landmarks[61:64]].mean(1, keepdims=True)
        self.landmarks_mediapipe = topology["landmark68_mediapipe"].astype(np.int64)
        # The full head at low resolution, for the depth of hair and ears.
        whole = np.isin(material, [kinds.index("M_Face"), kinds.index("M_BackHead")])
        self.whole = (neutral, triangles[whole])
        self._attributes()

    def _attributes(self):
        """Per-vertex attributes from the neutral head: coverage of the rendered face (rim), lids, lashes, lips."""
        rest = self.neutral
        x, y, z = rest.T
        skin = np.zeros(len(rest), bool)
        skin[self.triangles[self.part == FACE].ravel()] = True
        smooth = lambda a, b, v: np.clip((v - a) / (b - a), 0, 1) ** 2 * (3 - 2 * np.clip((v - a) / (b - a), 0, 1))
        self.rim = smooth(0.0, 4.0, z) * smooth(-9.6, -8.2, y) * smooth(11.5, 8.5, y)
        side = np.abs(x)
        self.lid = (smooth(1.25, 0.75, np.hypot((side - 3.15) / 2.0, (y - 3.45) / 1.25)) * skin).astype(np.float32)
        # The mouth cavity: skin that turns inwards behind the lips.
        self.bag = (skin & (z < 9.6) & (side < 2.6) & (y < -1.0) & (y > -7.0)).astype(np.float32)
        # The eye openings are boundaries of the skin.
        edges = np.sort(np.concatenate([self.triangles[self.part == FACE][:, k] for k in ([0, 1], [1, 2], [2, 0])]), axis=1)
        unique, count = np.unique(edges, axis=0, return_counts=True)
        loop = np.unique(unique[count == 1])
        loop = loop[(np.abs(np.abs(rest[loop, 0]) - 3.15) < 2.2) & (np.abs(rest[loop, 1] - 3.45) < 1.3) & (rest[loop, 2] > 6)]
        upper = loop[rest[loop, 1] > 3.3]
        self.lash = np.full(len(rest), 9.0, np.float32)
        near = np.flatnonzero(self.lid > 0)
        if len(upper):
            self.lash[near] = np.linalg.norm(rest[near, None] - rest[upper][None], axis=2).min(1)
        mouth = skin & (side < 3.4) & (y < -1.9) & (y > -5.6) & (z > 7.5)
        self.mouth = (mouth | np.isin(np.arange(len(rest)), np.unique(self.triangles[np.isin(self.part, (TEETH, INSIDE))]))).astype(np.float32)
        eye = np.isin(np.arange(len(rest)), np.unique(self.triangles[self.part == EYE]))
        self.eye = np.maximum(self.lid, eye).astype(np.float32)
        # How a landmark's residual spreads over the skin around it; the outline has no fixed place on the
        # skin.
        inner = np.arange(17, 68)
        distance = np.linalg.norm(rest[:, None] - rest[self.landmarks[inner]][None], axis=2)
        kernel = np.exp(-((distance / np.where(inner >= 48, 0.55, 0.9)) ** 2))
        spread = np.zeros((len(rest), 68), np.float32)
        spread[:, inner] = kernel / (kernel.sum(1, keepdims=True) + 0.15)
        self.spread = spread


USED = (
    "browDown", "browInnerUp", "browOuterUp", "eyeBlink", "eyeWide", "eyeSquint", "cheekSquint", "jawOpen", "mouthSmile",
    "mouthFrown", "mouthUpperUp", "mouthLowerDown", "mouthPress", "mouthStretch", "mouthRoll", "mouthClose", "noseSneer",
)
LIKELY = ("mouthSmile", "jawOpen", "mouthUpperUp", "mouthLowerDown", "eyeBlink")


def fit(model, landmarks, rounds=8):
    """Fits pose, person and expression to 478 landmarks (478, 2) in pixels by alternating least squares.

    Returns a dict: `turn` (2, 3) scale and rotation, `shift` (2,) with y upwards, `person` (100,), `expression` (57,),
    `misfit` (68, 2) residuals of the landmarks in pixels, y downwards.
    """
    target = landmarks[model.landmarks_mediapipe] * [1, -1]
    v = model.landmarks
    rest = model.neutral[v].astype(np.float64)
    ident = model.identity[:, v].astype(np.float64)
    expr = model.expression[:, v].astype(np.float64)
    order = np.arange(68)
    weight = np.where(order < 17, 0.25, np.where(order >= 60, 1.8, 1.0))[:, None]
    prior = np.array([0.15 if n.startswith(LIKELY) else 1.0 if n.startswith(USED) else 1e4 for n in model.names])
    # Portraits smile more broadly than the model's own smile.
    most = np.array([1.4 if n.startswith("mouthSmile") else 1.0 for n in model.names])
    a, e = np.zeros(len(ident)), np.zeros(len(expr))
    for _ in range(rounds):
        shape = rest + np.tensordot(a, ident, 1) + np.tensordot(e, expr, 1)
        mean, to = (weight * shape).sum(0) / weight.sum(), (weight * target).sum(0) / weight.sum()
        m = np.linalg.lstsq((shape - mean) * weight, (target - to) * weight, rcond=None)[0].T
        u, s, vt = np.linalg.svd(m, full_matrices=False)
        turn = (u @ vt) * s.mean()
        shift = to - turn @ mean
        unit = s.mean()

        def solve(basis, base, ridge):
            columns = np.stack([((b @ turn.T) * weight / unit).ravel() for b in basis], 1)
            left = ((target - shift - base @ turn.T) * weight / unit).ravel()
            return np.linalg.solve(columns.T @ columns + np.diag(ridge), columns.T @ left)

        a = solve(ident, rest + np.tensordot(e, expr, 1), np.ones(len(a))).clip(-2.5, 2.5)
        e = solve(expr, rest + np.tensordot(a, ident, 1), 0.3 * prior).clip(0, most)
    shape = rest + np.tensordot(a, ident, 1) + np.tensordot(e, expr, 1)
    misfit = (target - shift - shape @ turn.T) * [1, -1]
    return dict(turn=turn, shift=shift, person=a, expression=e, misfit=misfit)
