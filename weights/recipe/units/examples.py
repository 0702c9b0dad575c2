"""Renders the small pictures for end-to-end tests: `examples.py DATA LANDMARKER OUT`, with heads.json.

The pictures are CC0: MakeHuman heads and skins; the expression shapes are the MIT ARKit set.
"""

import argparse
import json
import os

import cv2
import numpy as np

from dataset import landmarker
from heads import Heads
from units import CODES, INDEX, coefficients

# name: (units, (yaw, pitch, roll), person)
EXAMPLES = {
    "neutral": ({}, (0, 0, 0), 0),
    "smile": ({6: 0.7, 12: 0.9, 25: 0.6}, (0, 0, 0), 0),
    "surprise": ({1: 0.9, 2: 0.9, 5: 0.9, 25: 0.6, 26: 0.8}, (0, 0, 0), 0),
    "anger": ({4: 1.0, 5: 0.4, 7: 0.6, 23: 0.9}, (0, 0, 0), 1),
    "sad": ({1: 1.0, 4: 0.5, 15: 1.0}, (-8, 0, 0), 0),
    "disgust": ({4: 0.4, 9: 1.0, 10: 0.8}, (0, 0, 0), 1),
    "blink": ({45: 1.0}, (0, 0, 0), 1),
    "profile": ({}, (85, 0, 0), 0),
    "turned": ({6: 0.5, 12: 0.7}, (22, 8, -12), 2),
    "neutral_man": ({}, (0, 0, 0), 1),
    "neutral_dark": ({}, (-10, -4, 6), 2),
}
SEEDS = (15, 6, 9)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("landmarker")
    parser.add_argument("out")
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS)
    args = parser.parse_args()
    heads = Heads(os.path.join(args.data, "makehuman"))
    detect = landmarker(args.landmarker)
    people = [heads.identity(np.random.default_rng(s)) for s in args.seeds]
    index = {}
    for name, (units, pose, who) in EXAMPLES.items():
        aus = np.zeros(17)
        for code, value in units.items():
            aus[INDEX[code]] = value
        light = dict(direction=(0.35, 0.55, 1.0), key=0.72, fill=0.42, colour=(1, 1, 1), noise=0.8,
                     background=[(150, 140, 128), (120, 132, 120), (165, 160, 150)][who], shirt=[(110, 70, 50), (60, 60, 70), (70, 90, 120)][who])
        rng = np.random.default_rng(1)
        picture = heads.render(people[who], coefficients(aus, heads.names), pose, light, size=400, zoom=1.0, rng=rng)
        path = os.path.join(args.out, f"head_{name}.jpg")
        cv2.imwrite(path, picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
        index[f"head_{name}.jpg"] = {
            "aus": {f"AU{c}": round(float(v), 3) for c, v in zip(CODES, aus)},
            "pose": {"yaw": pose[0], "pitch": pose[1], "roll": pose[2]},
            "person": who, "skin": heads.skin_names[people[who]["skin"]],
            "found_by_landmarker": detect(cv2.imread(path)) is not None,
        }
        print(name, os.path.getsize(path), index[f"head_{name}.jpg"]["found_by_landmarker"])
    about = {
        "licence": "CC0 (MakeHuman base mesh, targets and skins); expression shapes MIT (met4citizen's ARKit targets)",
        "units": "FACS Action Units, 0..1, applied by the shape map of this recipe's units.py; pose in degrees: yaw > 0 turns the face to the right of the picture, pitch > 0 down, roll > 0 anticlockwise in the picture",
        "heads": index,
    }
    with open(os.path.join(args.out, "heads.json"), "w") as f:
        json.dump(about, f, indent=1)


if __name__ == "__main__":
    main()
