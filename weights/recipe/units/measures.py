"""The measures of a face, identical to those in `units.rs`, so that its coefficients can be fitted here."""

import numpy as np

# Points on the left of the image (the person's right) and their mirror images; all others are on the midline.
PAIRS = [
    (33, 263), (133, 362), (159, 386), (145, 374), (158, 385), (153, 380), (160, 387), (144, 373), (157, 384), (161, 388),
    (70, 300), (63, 293), (105, 334), (66, 296), (107, 336), (46, 276), (53, 283), (52, 282), (65, 295), (55, 285),
    (129, 358), (98, 327), (64, 294), (48, 278), (115, 344), (220, 440), (193, 417), (122, 351), (47, 277), (114, 343),
    (36, 266), (205, 425), (50, 280), (101, 330), (118, 347), (117, 346), (111, 340), (31, 261), (228, 448), (230, 450),
    (61, 291), (78, 308), (37, 267), (39, 269), (40, 270), (82, 312), (81, 311), (87, 317), (178, 402), (84, 314),
    (181, 405), (91, 321), (83, 313), (182, 406), (201, 421), (187, 411), (207, 427), (216, 436), (212, 432), (57, 287),
    (186, 410), (92, 322), (165, 391), (202, 422), (204, 424), (109, 338), (108, 337), (69, 299), (104, 333), (67, 297),
    (103, 332), (54, 284), (21, 251), (162, 389), (127, 356), (234, 454), (93, 323), (132, 361), (468, 473), (43, 273),
    (106, 335), (222, 442), (221, 441), (225, 445), (27, 257), (23, 253), (110, 339), (126, 355), (142, 371), (203, 423),
]
MIRROR = {a: b for a, b in PAIRS} | {b: a for a, b in PAIRS}

# Points that expressions hardly move, with their weights in the alignment.
RIGID = {
    33: 2, 133: 2, 168: 2, 6: 2, 197: 1.5, 195: 1, 5: 1, 4: 0.7, 10: 0.5, 109: 0.5, 67: 0.5, 103: 0.5, 54: 0.5, 21: 0.5, 162: 0.7,
    127: 1, 234: 0.7, 122: 1,
}

# (kind, a, b): the measure between two points. Dist: their distance; Up: how far a is above b; Out: how far a is outwards of
# b; Front: how far a is in front of b. In units of the distance between the outer eye corners.
BROW = [
    ("Up", 107, 133), ("Up", 66, 133), ("Up", 105, 159), ("Up", 63, 33), ("Up", 70, 33), ("Up", 55, 133), ("Up", 55, 168), ("Up", 65, 159),
    ("Up", 52, 159), ("Up", 53, 33), ("Up", 46, 33), ("Up", 107, 70), ("Up", 66, 63), ("Up", 9, 168), ("Up", 107, 168),
    ("Out", 107, 168), ("Out", 55, 168), ("Out", 66, 168), ("Out", 105, 168), ("Dist", 107, 9), ("Dist", 55, 193),
    ("Front", 107, 168), ("Front", 105, 168), ("Front", 9, 168), ("Up", 222, 159), ("Up", 221, 133), ("Up", 225, 33),
    ("Dist", 66, 69), ("Dist", 105, 104), ("Dist", 107, 108),
]
EYE = [
    ("Dist", 159, 145), ("Dist", 158, 153), ("Dist", 160, 144), ("Up", 159, 133), ("Up", 159, 33), ("Up", 145, 133), ("Up", 145, 33),
    ("Up", 157, 133), ("Up", 161, 33), ("Up", 468, 145), ("Up", 159, 468), ("Up", 27, 159), ("Up", 145, 23), ("Up", 33, 133),
    ("Dist", 27, 159), ("Dist", 33, 133),
]
CHEEK = [
    ("Up", 145, 230), ("Dist", 145, 230), ("Up", 145, 118), ("Up", 145, 101), ("Up", 145, 50), ("Up", 205, 168), ("Up", 50, 168),
    ("Front", 118, 168), ("Front", 50, 168), ("Front", 205, 168), ("Out", 50, 168), ("Out", 205, 168), ("Front", 101, 168),
    ("Up", 117, 33), ("Up", 111, 33), ("Up", 31, 33), ("Up", 228, 33), ("Front", 36, 168), ("Up", 36, 168), ("Front", 207, 168),
]
NOSE = [
    ("Up", 129, 168), ("Up", 98, 168), ("Up", 64, 168), ("Up", 48, 168), ("Up", 4, 168), ("Up", 2, 168), ("Out", 129, 4),
    ("Out", 98, 2), ("Out", 64, 4), ("Dist", 129, 133), ("Dist", 115, 133), ("Dist", 193, 133), ("Up", 115, 168), ("Up", 126, 168),
    ("Up", 142, 168), ("Front", 4, 2), ("Front", 129, 168), ("Dist", 168, 197), ("Up", 129, 4), ("Up", 98, 4), ("Front", 126, 168),
    ("Front", 142, 168), ("Up", 203, 168), ("Front", 203, 168), ("Dist", 36, 129),
]
MOUTH = [
    ("Out", 61, 2), ("Out", 78, 2), ("Up", 61, 13), ("Up", 61, 0), ("Up", 61, 14), ("Up", 61, 17), ("Up", 61, 2), ("Front", 61, 13),
    ("Front", 61, 2), ("Dist", 13, 14), ("Dist", 82, 87), ("Dist", 81, 178), ("Up", 0, 2), ("Up", 37, 2), ("Up", 39, 2), ("Up", 40, 2),
    ("Up", 13, 2), ("Up", 81, 2), ("Dist", 0, 13), ("Dist", 14, 17), ("Dist", 39, 81), ("Dist", 181, 178), ("Up", 17, 2), ("Up", 84, 17),
    ("Up", 91, 17), ("Up", 37, 0), ("Up", 40, 0), ("Up", 181, 17), ("Up", 14, 2), ("Up", 178, 14), ("Up", 81, 13), ("Dist", 61, 129),
    ("Dist", 61, 0), ("Out", 40, 0), ("Out", 91, 17), ("Front", 0, 2), ("Front", 17, 2), ("Front", 13, 2), ("Front", 14, 2),
    ("Front", 17, 0), ("Dist", 92, 61), ("Dist", 165, 61), ("Up", 57, 61), ("Dist", 57, 61), ("Out", 57, 61), ("Up", 216, 61),
    ("Out", 216, 61), ("Out", 212, 61), ("Up", 212, 61), ("Front", 216, 61), ("Front", 212, 61), ("Out", 187, 61), ("Up", 186, 61),
    ("Dist", 43, 61), ("Up", 202, 61), ("Out", 202, 61), ("Up", 92, 2), ("Up", 165, 2), ("Up", 61, 168),
]
CHIN = [
    ("Up", 2, 152), ("Up", 17, 152), ("Up", 17, 199), ("Up", 17, 18), ("Dist", 17, 18), ("Up", 18, 200), ("Dist", 18, 200), ("Up", 200, 199),
    ("Up", 199, 152), ("Front", 18, 17), ("Front", 200, 17), ("Front", 199, 17), ("Front", 152, 17), ("Front", 200, 2), ("Up", 168, 152),
    ("Up", 168, 199), ("Front", 199, 168), ("Front", 152, 168), ("Dist", 14, 152), ("Up", 83, 18), ("Up", 201, 200), ("Dist", 17, 200), ("Up", 204, 152),
    ("Out", 132, 168), ("Up", 168, 132),
]
REGIONS = {"BROW": BROW, "EYE": EYE, "CHEEK": CHEEK, "NOSE": NOSE, "MOUTH": MOUTH, "CHIN": CHIN}
MEASURES = [m for r in REGIONS.values() for m in r]
REGION_OF = [name for name, r in REGIONS.items() for _ in r]

SCORES = (
    "_neutral browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft cheekSquintRight "
    "eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight eyeLookOutLeft eyeLookOutRight "
    "eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight jawForward jawLeft jawOpen jawRight mouthClose "
    "mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight "
    "mouthPressLeft mouthPressRight mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft "
    "mouthSmileRight mouthStretchLeft mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft noseSneerRight"
).split()
# The scores used, each the mean of both sides.
USED = (
    "browDown browInnerUp browOuterUp eyeBlink eyeLookDown eyeLookUp eyeSquint eyeWide jawOpen mouthClose mouthDimple mouthFrown mouthFunnel "
    "mouthLowerDown mouthPress mouthPucker mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmile mouthStretch mouthUpperUp"
).split()


def rigid_points():
    """(point, weight) pairs of the alignment, both sides."""
    out = []
    for p, w in RIGID.items():
        out.append((p, w))
        if p in MIRROR:
            out.append((MIRROR[p], w))
    return out


def align(points, reference):
    """Aligns points (N,478,3) with reference (R,3) at `rigid_points` -> (N,478,3)."""
    rigid = rigid_points()
    at = np.array([p for p, _ in rigid])
    w = np.array([w for _, w in rigid], np.float64)
    w = w / w.sum()
    p = points.astype(np.float64)
    mean = np.einsum("r,nrc->nc", w, p[:, at])
    to = w @ reference
    x = p[:, at] - mean[:, None]
    y = reference - to
    h = np.einsum("r,nri,rj->nij", w, x, y)
    u, s, vt = np.linalg.svd(h)
    d = np.sign(np.linalg.det(u @ vt))
    u[:, :, 2] *= d[:, None]
    s[:, 2] *= d
    scale = s.sum(1) / np.einsum("r,nrc->n", w, x**2)
    return scale[:, None, None] * (p - mean[:, None]) @ (u @ vt) + to


def mean_face(points, rounds=6):
    """The symmetric mean of aligned faces at the rigid points (R,3), with the outer eye corners at distance one."""
    rigid = rigid_points()
    at = [p for p, _ in rigid]
    mirror = [at.index(MIRROR.get(p, p)) for p in at]
    reference = points[0, at].astype(np.float64)
    for _ in range(rounds):
        reference = np.median(align(points, reference)[:, at], 0)
        flipped = reference[mirror] * [-1, 1, 1]
        flipped[:, 0] += reference[:, 0].mean() - flipped[:, 0].mean()
        reference = (reference + flipped) / 2
        middle = reference[at.index(168)]
        reference = reference - middle
        reference = reference / np.linalg.norm(reference[at.index(33)] - reference[at.index(263)])
        # Upright: the eyes' line is x; the plane of eyes and temples keeps the mean face's tilt.
    return reference


def measure(aligned):
    """aligned (N,478,3) -> (N,len(MEASURES))."""
    out = np.empty((len(aligned), len(MEASURES)))
    for i, (kind, a, b) in enumerate(MEASURES):
        sides = []
        for side in (0, 1):
            p, q = (a, b) if side == 0 else (MIRROR.get(a, a), MIRROR.get(b, b))
            d = aligned[:, p] - aligned[:, q]
            if kind == "Dist":
                sides.append(np.linalg.norm(d, axis=1))
            elif kind == "Up":
                sides.append(-d[:, 1])
            elif kind == "Front":
                sides.append(-d[:, 2])
            else:
                sides.append(d[:, 0] * (-1 if side == 0 else 1))
        out[:, i] = (sides[0] + sides[1]) / 2
    return out


def used_scores(scores):
    """scores (N,52) -> (N,len(USED))."""
    columns = []
    for name in USED:
        at = [i for i, s in enumerate(SCORES) if s in (name, name + "Left", name + "Right")]
        columns.append(scores[:, at].mean(1))
    return np.stack(columns, 1).astype(np.float64)
