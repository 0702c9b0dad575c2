"""Cuts the skin to the rendered part, without the inside of the mouth and the cavities at the back of the head."""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from .head import edges


def cut(head, lips):
    """Returns the rendered triangles of the face and of the back of the head. `lips`: their inner edges, upper and lower."""
    ring = np.concatenate(lips)
    face = head.part("M_Face")
    behind = _behind_the_lips(head, face, ring)
    # Triangles with all corners on the ring would close the mouth.
    face = face[~behind[face].any(1) & ~np.isin(face, ring).all(1)]
    # The back of the head has its own cavities for mouth and eyes, which would be visible as specks between the lips.
    back = head.part("M_BackHead")
    x, y, z = head.neutral.T
    cavity = (np.abs(x) < 5.5) & (np.abs(y) < 8) & (z > -1)
    return face, back[~cavity[back].all(1)]


def _behind_the_lips(head, face, ring):
    """A mask (V,) of the lips' inner sides, separated from the rest of the face by the ring, and of the skin inside the mouth."""
    pairs, _ = edges(face)
    pairs = pairs[~np.isin(pairs, ring).any(1)]
    graph = coo_matrix((np.ones(len(pairs)), pairs.T), shape=(len(head.neutral),) * 2)
    _, label = connected_components(graph, directed=False)
    used = np.setdiff1d(face, ring)
    behind = np.zeros(len(head.neutral), bool)
    behind[used] = label[used] != np.bincount(label[used]).argmax()
    x, y, z = head.neutral.T
    return behind | ((np.abs(x) < 2.6) & (y > -7) & (y < -1) & (z < 9.6))
