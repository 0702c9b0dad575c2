"""Finds the vertex of each of MediaPipe's 468 skin landmarks by voting over portraits.

The authors provide 68. With these the head is fitted to calm frontal portraits and its image warped until the known landmarks
coincide. Each landmark of a portrait then votes for the nearest vertex. The medians of the votes are the known landmarks of the
second round.
"""

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from faces.ict import LIKELY, USED

COUNT = 468
"""Landmarks on the skin; MediaPipe's others are the irises'."""
VOTERS = (100, 60)
"""Portraits that vote in each round."""
REACH = 0.9
"""How far the misfit of a known landmark spreads over the skin, in cm."""
EYES = (
    [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7],
    [362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382],
)
UPPER_EDGE = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
LOWER_EDGE = [95, 88, 178, 87, 14, 317, 402, 318, 324]
UPPER_LIP = [185, 40, 39, 37, 0, 267, 269, 270, 409, 184, 74, 73, 72, 11, 302, 303, 304, 408,
             183, 42, 41, 38, 12, 268, 271, 272, 407]
LOWER_LIP = [146, 91, 181, 84, 17, 314, 405, 321, 375, 77, 90, 180, 85, 16, 315, 404, 320, 307,
             96, 89, 179, 86, 15, 316, 403, 319, 325]
OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
        136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]


def calm(table, size=(225, 275)):
    """The landmarks (P, 468, 2) in pixels, y upwards, of the portraits with the least smile, open mouth and rotation, best first.

    `table` is us-congress.npz, whose landmarks refer to pictures of `size`.
    """
    names = [str(name) for name in table["names"]]
    smile, gape = (table["blendshapes"][:, names.index(name)] for name in ("mouthSmileLeft", "jawOpen"))
    yaw = np.abs(np.arctan2(table["pose"][:, 0, 2], table["pose"][:, 2, 2]))
    order = np.argsort(smile + 2 * gape + 3 * yaw)[: max(VOTERS)]
    return table["landmarks"][order, :COUNT, :2] * (np.array(size) * [1, -1])


def find(head, face, lips, eyes, portraits):
    """Returns a vertex (468,) of `face`, triangles, for each landmark, and the standard deviation of its votes in cm (468,)."""
    pools = _pools(head, face, lips, eyes)
    known = {int(j): int(v) for j, v in zip(head.landmarks_mediapipe, head.landmarks)}
    # The authors' landmarks are kept, except for those on an edge: they stay on it, but the votes locate them better.
    edge = {*EYES[0], *EYES[1], *UPPER_EDGE, *LOWER_EDGE}
    given = {j: v for j, v in known.items() if j not in edge and v in face}
    for voters in VOTERS:
        votes = np.stack([_vote(head, pools, known, portrait) for portrait in portraits[:voters]])
        medians = np.median(votes, axis=0)
        for j, pool in enumerate(pools):
            known[j] = int(pool[np.argmin(np.linalg.norm(head.neutral[pool] - medians[j], axis=1))])
        known.update(given)
    return np.array([known[j] for j in range(COUNT)]), votes.std(0).max(1)


def _pools(head, face, lips, eyes):
    """The candidates for each landmark: the vertices of its edge, of its lip, or of the whole front."""
    front = np.unique(face)
    front = front[head.neutral[front, 2] > -2]
    x, y = head.neutral[front, :2].T
    upper = y > np.interp(x, *head.neutral[lips[0], :2].T) - 1e-3
    pools = [front] * COUNT
    rows = [(EYES[0], np.concatenate(eyes[0])), (EYES[1], np.concatenate(eyes[1])), (UPPER_EDGE, lips[0]), (LOWER_EDGE, lips[1]),
            (UPPER_LIP, front[upper]), (LOWER_LIP, front[~upper])]
    for row, pool in rows:
        pool = np.unique(pool)
        for j in row:
            pools[j] = pool
    return pools


def _vote(head, pools, known, portrait):
    """The positions of a portrait's landmarks on the neutral head (468, 3)."""
    numbers, vertices = np.array(list(known)), np.array(list(known.values()))
    turn, shift, person, expression = _fit(head, vertices, numbers, portrait[numbers])
    unit = np.linalg.norm(turn[0])
    used = np.unique(np.concatenate([*pools, vertices]))
    shape = head.neutral[used] + np.tensordot(person, head.identity[:, used], 1)
    shape = shape + np.tensordot(expression, head.expression[:, used], 1)
    flat = shape @ turn.T + shift
    depth = shape @ np.cross(turn[0], turn[1]) / unit**2
    at = np.searchsorted(used, vertices)
    # Warp the image of the head until the known landmarks nearly coincide.
    kernel = np.exp(-((cdist(flat, flat[at]) / (REACH * unit)) ** 2))
    flat = flat + kernel @ (portrait[numbers] - flat[at]) / (kernel.sum(1, keepdims=True) + 0.15)
    chosen = np.empty(COUNT, np.int64)
    for pool in {id(pool): pool for pool in pools}.values():
        members = [j for j in range(COUNT) if pools[j] is pool]
        at = np.searchsorted(used, pool)
        _, near = cKDTree(flat[at]).query(portrait[members], k=6)
        depths = depth[at[near]]
        # Where two layers of skin are 1 cm or more apart in depth, the landmark is on the front one.
        overlap = np.ptp(depths, axis=1) > 1
        chosen[members] = at[near[np.arange(len(members)), np.where(overlap, depths.argmax(1), 0)]]
    return head.neutral[used[chosen]]


def _fit(head, vertices, numbers, target, rounds=6):
    """Fits scaled orthographic pose, person and expression by alternating least squares, as `faces.ict.fit`, to any landmarks."""
    rest = head.neutral[vertices].astype(np.float64)
    identity = head.identity[:, vertices].astype(np.float64)
    expression = head.expression[:, vertices].astype(np.float64)
    # The outline has no fixed place on the skin, so it has less weight.
    weight = np.where(np.isin(numbers, OVAL), 0.25, 1.0)[:, None]
    prior = np.array([0.15 if n.startswith(LIKELY) else 1.0 if n.startswith(USED) else 1e4 for n in head.names])
    share = len(vertices) / 68
    a, e = np.zeros(len(identity)), np.zeros(len(expression))
    for _ in range(rounds):
        shape = rest + np.tensordot(a, identity, 1) + np.tensordot(e, expression, 1)
        mean, to = (weight * shape).sum(0) / weight.sum(), (weight * target).sum(0) / weight.sum()
        affine = np.linalg.lstsq((shape - mean) * weight, (target - to) * weight, rcond=None)[0].T
        u, s, vt = np.linalg.svd(affine, full_matrices=False)
        unit = s.mean()
        turn = (u @ vt) * unit
        shift = to - turn @ mean

        def solve(basis, base, ridge):
            columns = ((basis @ turn.T) * (weight / unit)).reshape(len(basis), -1)
            left = ((target - shift - base @ turn.T) * (weight / unit)).ravel()
            return np.linalg.solve(columns @ columns.T + np.diag(ridge), columns @ left)

        a = solve(identity, rest + np.tensordot(e, expression, 1), np.full(len(a), share)).clip(-2.5, 2.5)
        e = solve(expression, rest + np.tensordot(a, identity, 1), 0.3 * share * prior).clip(0, 1.4)
    return turn, shift, a, e
