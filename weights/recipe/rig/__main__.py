"""Makes ../rig.safetensors, the head of the rig, from ICT-FaceKit's packed files and the landmarks of the US Congress portraits."""

import argparse
import os

import numpy as np

from . import landmarks, pack, rings, skin
from .head import Head


def main(data, path):
    head = Head(os.path.join(data, "ict-facekit"))
    lips, eyes = rings.lips(head), rings.eyes(head)
    face, back = skin.cut(head, lips)
    with np.load(os.path.join(data, "portraits", "us-congress.npz"), allow_pickle=True) as table:
        portraits = landmarks.calm(table)
    found, spread = landmarks.find(head, face, lips, eyes, portraits)
    print(f"spread of the votes: median {np.median(spread):.2f} cm, 90 % {np.quantile(spread, 0.9):.2f} cm")
    tensors, expressions = pack.tensors(head, face, back, lips, eyes, found)
    size = pack.write(path, tensors, expressions)
    print(f"{len(tensors)} tensors, {len(tensors['neutral'])} vertices, {len(expressions)} expressions, {size} bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="../../../shared/data")
    parser.add_argument("--out", default="../rig.safetensors")
    args = parser.parse_args()
    main(args.data, args.out)
