"""Generates pairs of Face Landmarker outputs and known Action Units: `dataset.py DATA LANDMARKER OUT`.

Writes rendered.npz, reexpressed.npz and photographs.npz to OUT, each with points (N,478,3) in pixels, scores (N,52),
aus (N,17), person (N,) and held (N,), which is true for people held out of the fit.
"""

import argparse
import os

import cv2
import mediapipe as mp
import numpy as np

from heads import Heads, random_light
from reexpress import Reexpress
from units import coefficients, nuisance, sample


def landmarker(path):
    base = mp.tasks.BaseOptions(model_asset_path=path)
    options = mp.tasks.vision.FaceLandmarkerOptions(base_options=base, output_face_blendshapes=True, num_faces=1)
    model = mp.tasks.vision.FaceLandmarker.create_from_options(options)

    def detect(bgr):
        h, w = bgr.shape[:2]
        rgb = np.ascontiguousarray(bgr[..., ::-1])
        got = model.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb))
        if not got.face_landmarks:
            return None
        points = np.array([[p.x * w, p.y * h, p.z * w] for p in got.face_landmarks[0]], np.float32)
        return points, np.array([s.score for s in got.face_blendshapes[0]], np.float32)

    return detect


class Store:
    def __init__(self):
        self.rows = []
        self.missed = 0

    def add(self, got, aus, person, held, yaw=0.0):
        if got is None:
            self.missed += 1
        else:
            self.rows.append((got[0], got[1], aus.astype(np.float32), person, held, yaw))

    def save(self, path):
        columns = [np.array(c) for c in zip(*self.rows)]
        np.savez_compressed(path, **dict(zip(("points", "scores", "aus", "person", "held", "yaw"), columns)))
        print(path, len(self.rows), "faces,", self.missed, "missed", flush=True)


def rendered(data, detect, out, people, each, preview):
    heads, store = Heads(os.path.join(data, "makehuman")), Store()
    rng = np.random.default_rng(7)
    for who in range(people):
        person = heads.identity(rng)
        for k in range(each):
            aus = np.zeros(17, np.float32) if k == 0 else sample(rng)
            sides = 1 + rng.normal(0, 0.1, 2) * (k > 0)
            c = coefficients(aus, heads.names, sides=sides.clip(0.7, 1.3)) + nuisance(rng, heads.names) * (k > 0)
            pose = np.array([rng.normal(0, 11), rng.normal(0, 7), rng.normal(0, 6)]).clip(-32, 32)
            pose = pose * (0.3 if k == 0 else 1)
            picture = heads.render(person, c, pose, random_light(rng), size=320, zoom=rng.uniform(0.9, 1.4), rng=rng, sharp=rng.uniform(0.6, 1))
            if preview and who < 30 and k < 4:
                cv2.imwrite(os.path.join(preview, f"head{who}_{k}.jpg"), picture)
            store.add(detect(picture), aus, who, who % 6 == 5, pose[0])
        if who % 50 == 0:
            print("head", who, flush=True)
    store.save(os.path.join(out, "rendered.npz"))


def portraits(data):
    table = np.load(os.path.join(data, "portraits", "us-congress.npz"))
    return table, [str(f) for f in table["files"]], [str(n) for n in table["names"]]


SOBER = 0.45


def kept_out(table):
    """Portraits held out of every fit (N,): every 22nd, and every fifth of the few sober ones."""
    names = [str(n) for n in table["names"]]
    smile = table["blendshapes"][:, names.index("mouthSmileLeft")]
    out = np.arange(len(smile)) % 22 == 21
    out[np.flatnonzero(smile < SOBER)[2::5]] = True
    return out


def reexpressed(data, detect, out, people, each, preview):
    table, files, names = portraits(data)
    face, store = Reexpress(os.path.join(data, "ict-facekit")), Store()
    rng = np.random.default_rng(11)
    smile = table["blendshapes"][:, names.index("mouthSmileLeft")]
    # All sober portraits, and the requested number of smiling ones besides those held out.
    held_out = kept_out(table)
    chosen = [i for i in range(len(files)) if smile[i] < SOBER or held_out[i] or rng.random() < people / len(files)]
    # The truth is what is added to a relaxed portrait. The fit's brows, lids and noses are differences between people and
    # stay; of a sober face everything does, which leaves the photograph unchanged. From a smiling one the fit's smile is
    # removed, except for as much squint as the fit finds in sober faces.
    sober = [face.fit(table["landmarks"][i, :, :2] * [315, 385])[3] for i in chosen if smile[i] < SOBER]
    usual = np.median(sober, 0)
    whole = np.array([n.startswith(("brow", "eyeWide", "eyeBlink", "noseSneer")) for n in face.names])
    squint = np.array([n.startswith(("cheekSquint", "eyeSquint")) for n in face.names])
    for who in chosen:
        photo = cv2.imread(os.path.join(data, "portraits", "us-congress", files[who])).astype(np.float32)
        photo = cv2.resize(photo, None, fx=1.4, fy=1.4, interpolation=cv2.INTER_CUBIC)
        size = np.array(photo.shape[1::-1])
        landmarks = table["landmarks"][who, :, :2] * size
        fitted = face.fit(landmarks)
        stays = fitted[3] * np.where(whole, 1, 0) + np.minimum(fitted[3], usual) * squint
        if smile[who] < SOBER:
            stays = fitted[3]
        held = bool(held_out[who])
        each_here = each + 3 if smile[who] < SOBER else each
        for k in range(each_here):
            aus = np.zeros(17, np.float32) if k == 0 else sample(rng)
            sides = 1 + rng.normal(0, 0.08, 2) * (k > 0)
            c = coefficients(aus, face.names, ict=True, sides=sides) + stays
            picture = face.render(photo, landmarks, fitted, c)
            if preview and who < 160 and k < 4:
                cv2.imwrite(os.path.join(preview, f"photo{who}_{k}.jpg"), picture)
            store.add(detect(picture), aus, who, held)
    store.save(os.path.join(out, "reexpressed.npz"))


def photographs(data, out):
    """The unmodified portraits: units unknown, scores known."""
    table, files, _ = portraits(data)
    points = table["landmarks"] * np.array([225, 275, 225], np.float32)
    who = np.arange(len(files))
    np.savez_compressed(os.path.join(out, "photographs.npz"), points=points, scores=table["blendshapes"], person=who, held=kept_out(table))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("landmarker")
    parser.add_argument("out")
    parser.add_argument("--heads", type=int, default=230)
    parser.add_argument("--portraits", type=int, default=50)
    parser.add_argument("--each", type=int, default=8)
    parser.add_argument("--preview", default="")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    if args.preview:
        os.makedirs(args.preview, exist_ok=True)
    detect = landmarker(args.landmarker)
    cv2.setNumThreads(1)
    if args.only in ("", "photographs"):
        photographs(args.data, args.out)
    if args.only in ("", "heads"):
        rendered(args.data, detect, args.out, args.heads, args.each, args.preview)
    if args.only in ("", "portraits"):
        reexpressed(args.data, detect, args.out, args.portraits, args.each, args.preview)
