"""Runs the Face Landmarker on real pictures and clips: `real.py LANDMARKER OUT.npz FILE...` (every frame of a clip)."""

import argparse
import os

import cv2
import numpy as np

from dataset import landmarker

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("landmarker")
    parser.add_argument("out")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    detect = landmarker(args.landmarker)
    points, scores, names = [], [], []
    for path in args.files:
        frames = []
        if path.endswith((".mp4", ".gif")):
            clip = cv2.VideoCapture(path)
            while True:
                ok, frame = clip.read()
                if not ok:
                    break
                frames.append(frame)
        else:
            frames.append(cv2.imread(path))
        for i, frame in enumerate(frames):
            got = detect(frame)
            if got is not None:
                points.append(got[0])
                scores.append(got[1])
                names.append(f"{os.path.basename(path)}:{i}")
    np.savez_compressed(args.out, points=np.array(points), scores=np.array(scores), names=np.array(names))
