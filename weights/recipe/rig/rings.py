"""The edges of the eyes and of the mouth as rows of vertices, including both corners."""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from .head import edges

UPPER = (60, 61, 62, 63, 64)
"""The inner edge of the upper lip in the authors' 68 landmarks, from the picture's left to its right."""
LOWER = (60, 67, 66, 65, 64)
EYE = (3.15, 3.45)
"""The middle of the left eye, x and y in cm; the right eye is its mirror image."""
AROUND = (2.2, 1.3)
"""How far from it the edge of the eye lies at most."""


def lips(head):
    """The inner edges of the upper and the lower lip, from the picture's left to its right: shortest paths through landmarks."""
    pairs, _ = edges(head.part("M_Face"))
    a, b = pairs.T
    length = np.linalg.norm(head.neutral[a] - head.neutral[b], axis=1)
    graph = coo_matrix((length, (a, b)), shape=(len(head.neutral),) * 2).tocsr()
    return [_path(graph, head.landmarks[list(row)]) for row in (UPPER, LOWER)]


def _path(graph, stops):
    """The shortest path along edges from the first stop to the last via the others."""
    path = [int(stops[0])]
    for start, end in zip(stops[:-1], stops[1:]):
        _, before = dijkstra(graph, directed=False, indices=start, return_predecessors=True)
        back = [int(end)]
        while back[-1] != start:
            back.append(int(before[back[-1]]))
        path += back[-2::-1]
    return np.array(path)


def eyes(head):
    """For the person's right eye and the left: the edges of the upper and the lower lid, from the nose outwards.

    The eyeballs are separate parts, so each eye is a hole in the face's mesh.
    """
    pairs, count = edges(head.part("M_Face"))
    border = pairs[count == 1]
    return [_lids(head.neutral, border, side) for side in (-1, 1)]


def _lids(neutral, border, side):
    x, y, z = (neutral * [side, 1, 1])[border].transpose(2, 0, 1)
    near = (np.abs(x - EYE[0]) < AROUND[0]) & (np.abs(y - EYE[1]) < AROUND[1]) & (z > 6)
    loop = _loop(border[near.all(1)])
    outwards = neutral[loop, 0] * side
    loop = np.roll(loop, -np.argmin(outwards))
    outer = int(np.argmax(neutral[loop, 0] * side))
    one, other = loop[: outer + 1], np.append(loop[:1], loop[:outer - 1:-1])
    return (one, other) if neutral[one, 1].mean() > neutral[other, 1].mean() else (other, one)


def _loop(border):
    """The vertices of a closed loop of edges in order."""
    neighbours = {}
    for a, b in border.tolist():
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    start = min(neighbours)
    loop, before = [start], None
    while True:
        following = next(v for v in neighbours[loop[-1]] if v != before)
        if following == start:
            break
        before = loop[-1]
        loop.append(following)
    if any(len(ends) != 2 for ends in neighbours.values()) or len(loop) != len(neighbours):
        raise ValueError("the border of an eye is not one loop")
    return np.array(loop)
