"""The complete ICT-FaceKit Light: vertices, shapes, and the material of each triangle."""

import os

import numpy as np

SKIN = ("M_Face", "M_BackHead")
SCLERAS = ("M_ScleraRight", "M_ScleraLeft")


class Head:
    """V vertices in centimetres, x to the person's left, y up, z to the viewer; T triangles.

    `neutral` (V, 3), `identity` (100, V, 3), one standard deviation of a person's shape each, `expression` (57, V, 3) with
    `names`, `triangles` (T, 3), and the authors' 68 landmarks: `landmarks` (68,) vertices, `landmarks_mediapipe` (68,) the
    corresponding MediaPipe indices.
    """

    def __init__(self, folder):
        light = np.load(os.path.join(folder, "ict_light.npz"), allow_pickle=True)
        topology = np.load(os.path.join(folder, "ict_topology.npz"), allow_pickle=True)
        self.neutral = light["neutral"].astype(np.float32)
        self.identity = light["identity"].astype(np.float32)
        self.expression = light["expression"].astype(np.float32)
        self.names = [str(name) for name in light["expr_names"]]
        self.triangles = topology["triangles"].astype(np.int64)
        self.landmarks = topology["landmark68_vertices"].astype(np.int64)
        self.landmarks_mediapipe = topology["landmark68_mediapipe"].astype(np.int64)
        self._material = np.array([str(name) for name in topology["material_names"]])[topology["material"]]

    def part(self, material):
        """The triangles (N, 3) with one material."""
        return self.triangles[self._material == material]

    def eye_centres(self):
        """The centres (2, 3) of the eyeballs' bounding boxes, the person's right eye first."""
        balls = [self.neutral[np.unique(self.part(material))] for material in SCLERAS]
        return np.stack([(ball.min(0) + ball.max(0)) / 2 for ball in balls])


def edges(triangles):
    """The unique edges (E, 2) of a mesh, and the number of triangles at each."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    return np.unique(np.sort(pairs, axis=1), axis=0, return_counts=True)
