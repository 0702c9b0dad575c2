"""Re-expresses photographs: fits ICT-FaceKit to a portrait, then renders the face with other expression coefficients."""

import os

import cv2
import numpy as np

from raster import bilinear, rasterise

LIPS_INNER = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95]
EYES = [
    ([33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7], 468),
    ([362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382], 473),
]


class Reexpress:
    def __init__(self, folder):
        light = np.load(os.path.join(folder, "ict_light.npz"), allow_pickle=True)
        topology = np.load(os.path.join(folder, "ict_topology.npz"), allow_pickle=True)
        self.neutral = light["neutral"].astype(np.float64)
        self.identity = light["identity"]
        self.expression = light["expression"].astype(np.float32)
        self.names = [str(n) for n in light["expr_names"]]
        kinds = [str(n) for n in topology["material_names"]]
        material = topology["material"]
        keep = np.isin(material, [kinds.index(k) for k in (
            "M_Face", "M_GumsTongue", "M_Teeth", "M_IrisLeft", "M_IrisRight", "M_ScleraLeft", "M_ScleraRight")])
        self.tri = topology["triangles"][keep].astype(np.int32)
        self.kind = np.array([kinds[m] for m in material[keep]])
        # The area behind the cheeks is left to the photograph.
        face = self.kind == "M_Face"
        behind = face & (self.neutral[self.tri][:, :, 2].mean(1) < 1.0)
        self.tri, self.kind = self.tri[~behind], self.kind[~behind]
        self.vertices = topology["landmark68_vertices"]
        self.points = topology["landmark68_mediapipe"]
        # The outline of the face has no fixed place on the skin, so it has less weight.
        self.weight = np.where(np.arange(68) < 17, 0.25, 1.0)
        # Only shapes that people hold for a portrait may be fitted; a smile is likelier than a smile-shaped face.
        used = ("browDown", "browInnerUp", "browOuterUp", "eyeBlink", "eyeWide", "eyeSquint", "cheekSquint", "jawOpen",
                "mouthSmile", "mouthFrown", "mouthUpperUp", "mouthLowerDown", "mouthPress", "mouthStretch", "noseSneer")
        weak = ("mouthSmile", "jawOpen", "mouthUpperUp", "mouthLowerDown", "eyeBlink")
        self.prior = np.array([0.15 if n.startswith(weak) else 1.0 if n.startswith(used) else 1e4 for n in self.names])
        self.face = self.kind == "M_Face"
        self.ball = np.char.startswith(self.kind, "M_Iris") | np.char.startswith(self.kind, "M_Sclera")
        self.teeth, self.gums = self.kind == "M_Teeth", self.kind == "M_GumsTongue"

    def fit(self, landmarks, rounds=6):
        """landmarks (478,2) in pixels -> scale and rotation (2,3), shift (2,), person (26719,3), expression (57,)."""
        target = landmarks[self.points] * [1, -1]
        v = self.vertices
        rest = self.neutral[v]
        ident = self.identity[:, v].astype(np.float64)
        expr = self.expression[:, v].astype(np.float64)
        a, e = np.zeros(len(ident)), np.zeros(len(expr))
        for _ in range(rounds):
            shape = rest + np.tensordot(a, ident, 1) + np.tensordot(e, expr, 1)
            # Scaled orthographic pose: least squares, then the nearest two rows of a rotation.
            w = self.weight[:, None]
            mean, to = (w * shape).sum(0) / w.sum(), (w * target).sum(0) / w.sum()
            m = np.linalg.lstsq((shape - mean) * w, (target - to) * w, rcond=None)[0].T
            u, s, vt = np.linalg.svd(m, full_matrices=False)
            m = (u @ vt) * s.mean()
            shift = to - m @ mean
            unit = s.mean()
            residual = lambda with_: ((target - shift - with_ @ m.T) * w / unit).ravel()
            project = lambda basis: np.stack([((b @ m.T) * w / unit).ravel() for b in basis], 1)
            p = project(ident)
            a = np.linalg.solve(p.T @ p + 1.0 * np.eye(len(a)), p.T @ residual(rest + np.tensordot(e, expr, 1)))
            a = a.clip(-2.5, 2.5)
            p = project(expr)
            e = np.linalg.solve(p.T @ p + 0.3 * np.diag(self.prior), p.T @ residual(rest + np.tensordot(a, ident, 1)))
            e = e.clip(0, 1)
        person = self.neutral + np.tensordot(a.astype(np.float32), self.identity.astype(np.float32), 1)
        return m, shift, person, e

    def textures(self, photo, landmarks):
        """The photograph for the eyeballs (inpainted behind the lids), for the skin (eyes filled in), the mouth's inside."""
        h, w = photo.shape[:2]
        eyes = photo.copy()
        open_ = np.zeros((h, w), np.uint8)
        for ring, iris in EYES:
            poly = landmarks[ring].astype(np.int32)
            mask = np.zeros((h, w), np.uint8)
            cv2.fillPoly(mask, [poly], 1)
            open_ |= mask
            inside = mask > 0
            if inside.sum() < 6:
                continue
            centre = landmarks[iris]
            radius = np.linalg.norm(landmarks[iris + 1 : iris + 5] - centre, axis=1).mean()
            yy, xx = np.mgrid[0:h, 0:w]
            r = np.hypot(xx - centre[0], yy - centre[1])
            white = photo[inside & (r > radius * 1.1)]
            dark = photo[inside & (r < radius)]
            if len(white) < 3 or len(dark) < 3:
                continue
            white = np.percentile(white, 65, axis=0)
            dark = np.median(dark, axis=0)
            width = np.ptp(landmarks[ring][:, 0])
            near = (abs(xx - poly[:, 0].mean()) < width) & (abs(yy - poly[:, 1].mean()) < width)
            made = np.where((r < radius)[..., None], dark, white * 0.92)
            inner = cv2.erode(mask, np.ones((3, 3), np.uint8))
            soft = cv2.GaussianBlur(inner.astype(np.float32), (0, 0), 1)[..., None]
            eyes[near] = (soft * photo + (1 - soft) * made)[near]
        mask = np.zeros((h, w), np.uint8)
        cv2.fillPoly(mask, [landmarks[LIPS_INNER].astype(np.int32)], 1)
        lids = cv2.inpaint(photo.clip(0, 255).astype(np.uint8), open_, 3, cv2.INPAINT_TELEA).astype(np.float32)
        return eyes, lids, mask.astype(bool)

    def render(self, photo, landmarks, fitted, coefficients):
        """photo (H,W,3) f32 -> the photograph (H,W,3) u8 with the expression that `coefficients` (57,) give."""
        m, shift, person, e = fitted
        h, w = photo.shape[:2]
        before = person + np.tensordot(e.astype(np.float32), self.expression, 1)
        after = person + np.tensordot(coefficients.astype(np.float32), self.expression, 1)
        unit = np.linalg.norm(m[0])
        third = np.cross(m[0], m[1]) / unit
        to_screen = lambda v: np.stack([v @ m[0] + shift[0], -(v @ m[1] + shift[1]), v @ third], 1)
        source, screen = to_screen(before), to_screen(after)
        index, weights, _ = rasterise(screen * [2, 2, 2], self.tri, 2 * w, 2 * h)
        ys, xs = np.nonzero(index >= 0)
        tri = index[ys, xs]
        bary = weights[ys, xs]
        at = np.einsum("nk,nkc->nc", bary, source[self.tri[tri]])
        rest = np.einsum("nk,nkc->nc", bary, self.neutral[self.tri[tri]])
        eyes, lids, mouth = self.textures(photo, landmarks)
        colour = bilinear(lids, at[:, 0], at[:, 1])
        ball, face = self.ball[tri], self.face[tri]
        colour[ball] = bilinear(eyes, at[ball, 0], at[ball, 1])
        shown = mouth[at[:, 1].clip(0, h - 1).astype(int), at[:, 0].clip(0, w - 1).astype(int)]
        skin = np.median(colour[face], axis=0)
        bright = skin.mean() / 150
        deep = np.clip((rest[:, 2] - 5.0) / 5.5, 0.1, 1)[:, None]
        teeth, gums = self.teeth[tri], self.gums[tri]
        made = np.where(teeth[:, None], np.array([185.0, 205, 215]), np.array([60.0, 55, 115])) * deep * bright
        inside = (teeth | gums) & ~shown
        colour[inside] = made[inside]
        # The mouth cavity: skin that faces inwards, dark.
        bag = face & (rest[:, 2] < 9.6) & (abs(rest[:, 0]) < 2.6) & (rest[:, 1] < -1.0) & (rest[:, 1] > -7.0)
        colour[bag & ~shown] = np.array([30.0, 25, 50]) * bright
        big = cv2.resize(photo, (2 * w, 2 * h), interpolation=cv2.INTER_LINEAR)
        big[ys, xs] = colour
        cover = (index >= 0).astype(np.float32)
        edge = cv2.GaussianBlur(cv2.erode(cover, np.ones((7, 7))), (0, 0), 2)[..., None]
        plain = cv2.resize(photo, (2 * w, 2 * h), interpolation=cv2.INTER_LINEAR)
        big = edge * big + (1 - edge) * plain
        return np.clip(cv2.resize(big, (w, h), interpolation=cv2.INTER_AREA), 0, 255).astype(np.uint8)
