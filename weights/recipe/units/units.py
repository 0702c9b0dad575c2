"""Action Units, how they map to expression shapes, and how they are sampled."""

import numpy as np

CODES = [1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45]
INDEX = {code: i for i, code in enumerate(CODES)}
# Shape (without its side) and weight at full intensity. `ict` adds what only ICT-FaceKit has.
SHAPES = {
    1: [("browInnerUp", 1.0)],
    2: [("browOuterUp", 1.0)],
    4: [("browDown", 1.0)],
    5: [("eyeWide", 1.0)],
    6: [("cheekSquint", 0.8)],
    7: [("eyeSquint", 1.0)],
    9: [("noseSneer", 1.0)],
    10: [("mouthUpperUp", 0.9)],
    12: [("mouthSmile", 1.0)],
    14: [("mouthDimple", 1.0)],
    15: [("mouthFrown", 1.0)],
    17: [("mouthShrugLower", 1.0)],
    20: [("mouthStretch", 1.0)],
    23: [("mouthPress", 0.5), ("mouthRollLower", 0.35), ("mouthRollUpper", 0.35)],
    25: [("mouthLowerDown", 0.5), ("mouthUpperUp", 0.25)],
    26: [("jawOpen", 0.55)],
    45: [("eyeBlink", 1.0)],
}
ICT_EXTRA = {6: [("cheekRaiser", 0.5)]}
# Plausible expressions; each unit is sampled from 0.4 to 1 of the given strength.
EMOTIONS = {
    "happy": {6: 0.9, 12: 1, 25: 0.7, 7: 0.3},
    "happy_open": {6: 1, 12: 1, 25: 1, 26: 0.6},
    "smile": {12: 0.6, 6: 0.4},
    "sad": {1: 1, 4: 0.6, 15: 1, 17: 0.6},
    "anger": {4: 1, 5: 0.5, 7: 0.8, 23: 0.9},
    "anger_open": {4: 1, 7: 0.8, 10: 0.6, 25: 0.8, 26: 0.4, 9: 0.4},
    "surprise": {1: 1, 2: 1, 5: 0.9, 25: 0.6, 26: 1},
    "fear": {1: 1, 2: 0.7, 4: 0.6, 5: 1, 20: 0.9, 25: 0.7, 26: 0.4},
    "disgust": {9: 1, 10: 0.9, 4: 0.5, 15: 0.3, 17: 0.4, 7: 0.4},
    "contempt": {12: 0.3, 14: 1},
    "blink": {45: 1},
    "doubt": {2: 0.8, 1: 0.5, 17: 0.7, 15: 0.5},
}
# Antagonistic pairs, which are not combined at random.
AGAINST = [(5, 45), (5, 7), (12, 15), (12, 20), (23, 25), (23, 26), (17, 26), (17, 25), (14, 26), (6, 5)]


def coefficients(aus, names, ict=False, sides=(1.0, 1.0)):
    """Expression coefficients (len(names),) of an AU vector (17,); `sides` scales left and right."""
    at = {str(n): i for i, n in enumerate(names)}
    out = np.zeros(len(names), np.float32)
    for code, value in zip(CODES, aus):
        shapes = SHAPES[code] + (ICT_EXTRA.get(code, []) if ict else [])
        for shape, weight in shapes:
            for suffix, side in (("", 1.0), ("Left", sides[0]), ("Right", sides[1]), ("_L", sides[0]), ("_R", sides[1])):
                if shape + suffix in at:
                    out[at[shape + suffix]] += weight * value * side
    return out


def sample(rng):
    """Samples one AU vector (17,): relaxed, a single unit with a grade, a pair, an emotion or random units."""
    aus = np.zeros(len(CODES), np.float32)
    kind = rng.random()
    if kind < 0.10:
        return aus
    if kind < 0.35:
        aus[rng.integers(17)] = rng.uniform(0.15, 1)
    elif kind < 0.50:
        aus[rng.choice(17, 2, replace=False)] = rng.uniform(0.2, 1, 2)
    elif kind < 0.75:
        emotion = EMOTIONS[rng.choice(list(EMOTIONS))]
        overall = rng.uniform(0.3, 1)
        for code, value in emotion.items():
            if rng.random() < 0.85:
                aus[INDEX[code]] = value * overall * rng.uniform(0.6, 1)
    else:
        count = rng.integers(1, 6)
        aus[rng.choice(17, count, replace=False)] = rng.uniform(0.15, 1, count)
    if aus[INDEX[26]] > 0.3 and rng.random() < 0.7:
        aus[INDEX[25]] = max(aus[INDEX[25]], rng.uniform(0.2, 1))
    for a, b in AGAINST:
        if aus[INDEX[a]] > 0 and aus[INDEX[b]] > 0:
            aus[INDEX[rng.choice([a, b])]] = 0
    return aus.clip(0, 1)


# Movements that no unit describes; added occasionally so that the units learn to ignore them.
NUISANCE = ["mouthPucker", "mouthFunnel", "jawLeft", "jawRight", "mouthLeft", "mouthRight", "cheekPuff", "jawForward"]


def nuisance(rng, names):
    """Gaze for most faces, and rarely another movement: (len(names),) to add to the coefficients."""
    at = {str(n): i for i, n in enumerate(names)}
    out = np.zeros(len(names), np.float32)

    def put(shape, value):
        for suffix in ("", "Left", "Right", "_L", "_R"):
            if shape + suffix in at:
                out[at[shape + suffix]] = value

    if rng.random() < 0.5:
        put(rng.choice(["eyeLookDown", "eyeLookUp"]), rng.uniform(0, 0.5))
        turn = rng.uniform(0, 0.6)
        left = rng.random() < 0.5
        for shape, on in (("eyeLookIn", not left), ("eyeLookOut", left)):
            for suffix in ("Left", "_L"):
                if shape + suffix in at:
                    out[at[shape + suffix]] = turn * on
            for suffix in ("Right", "_R"):
                if shape + suffix in at:
                    out[at[shape + suffix]] = turn * (not on)
    if rng.random() < 0.12:
        put(rng.choice(NUISANCE), rng.uniform(0.1, 0.6))
    return out
