"""Writes the TFLite originals' outputs for the two samples and their rotated, scaled and mirrored copies.

    pip install numpy pillow safetensors ai-edge-litert mediapipe==0.10.21
    mien edit ../../resources/samples/grace_hopper.jpg -o FOLDER/grace_hopper.png; cp ../../resources/samples/astronaut.png FOLDER
    python reference.py face_landmarker_v2.task FOLDER reference.safetensors

The samples are read as the program decodes them, since JPEG decoders differ by a level in some pixels.

The originals are run by LiteRT, the public interpreter; pre- and postprocessing are implemented here independently of
the program. `mediapipe.*` are the results of MediaPipe's own pipeline for the same pictures: it samples them without
halving and shifted by half a pixel, so they agree only roughly.
"""

import io
import json
import math
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image
from safetensors.numpy import save_file

SAMPLES = {"astronaut.png": "astronaut.png", "grace_hopper.jpg": "grace_hopper.png"}
COPIES = {
    "as it is": {},
    "mirrored": {"mirror": True},
    "turned by 20": {"turn": 20.0},
    "turned by -35": {"turn": -35.0},
    "turned by 15, mirrored": {"turn": 15.0, "mirror": True},
    "three times as large": {"scale": 3.0},
    "0.6 times as large": {"scale": 0.6},
}
SUBSET = [
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80, 81, 82,
    84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153, 154, 155, 157,
    158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270,
    276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321, 323, 324, 332, 334,
    336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398,
    400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
]  # fmt: skip


def bilinear(picture, x, y, beyond):
    """Colours at indices of a picture [h, w, 3]; outside it black or the edge's colour."""
    height, width = picture.shape[:2]
    fx, fy = np.floor(x), np.floor(y)
    tx, ty = (x - fx)[..., None], (y - fy)[..., None]

    def at(i, j):
        i, j = i.astype(int), j.astype(int)
        colour = picture[np.clip(j, 0, height - 1), np.clip(i, 0, width - 1)].astype(np.float64)
        if beyond == "black":
            colour[(i < 0) | (i >= width) | (j < 0) | (j >= height)] = 0
        return colour

    upper = at(fx, fy) * (1 - tx) + at(fx + 1, fy) * tx
    lower = at(fx, fy + 1) * (1 - tx) + at(fx + 1, fy + 1) * tx
    return upper * (1 - ty) + lower * ty


def resampled(picture, size, place):
    """A new picture [h, w]; `place` maps the centres of its pixels to positions in the old one."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    u, v = place(x, y)
    return np.floor(bilinear(picture, u - 0.5, v - 0.5, "black") + 0.5).astype(np.uint8)


def copied(picture, turn=0.0, scale=1.0, mirror=False):
    if turn:
        height, width = picture.shape[:2]
        sin, cos = math.sin(math.radians(turn)), math.cos(math.radians(turn))

        def back(x, y):
            x, y = x - width / 2, y - height / 2
            return x * cos + y * sin + width / 2, -x * sin + y * cos + height / 2

        picture = resampled(picture, (height, width), back)
    if scale != 1:
        size = [math.floor(n * scale) for n in picture.shape[:2]]
        picture = resampled(picture, size, lambda x, y: (x / scale, y / scale))
    return picture[:, ::-1] if mirror else picture


def seen(picture, region, size, beyond):
    """Samples the rotated square (x, y, side, angle) as [size, size, 3] in 0..255, from the next larger pyramid level."""
    x, y, side, angle = region
    scale = side / size
    levels = [picture]
    while max(levels[-1].shape[:2]) >= 256:
        last = levels[-1].astype(np.float64)
        last = last[: last.shape[0] // 2 * 2, : last.shape[1] // 2 * 2]
        mean = (last[::2, ::2] + last[1::2, ::2] + last[::2, 1::2] + last[1::2, 1::2]) / 4
        levels.append(np.floor(mean + 0.5).astype(np.uint8))
    level = min(int(math.log2(max(scale, 1))), len(levels) - 1)
    v, u = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    sin, cos = math.sin(angle), math.cos(angle)
    px, py = x + side * (u * cos - v * sin), y + side * (u * sin + v * cos)
    return bilinear(levels[level], px / 2**level - 0.5, py / 2**level - 0.5, beyond)


def located(points, region):
    """Maps points in 0..1 of a rotated square to pixels of the picture."""
    x, y, side, angle = region
    u, v = (points[..., 0] - 0.5) * side, (points[..., 1] - 0.5) * side
    sin, cos = math.sin(angle), math.cos(angle)
    return np.stack([x + u * cos - v * sin, y + u * sin + v * cos], -1)


class Model:
    def __init__(self, data):
        self.interpreter = Interpreter(model_content=data)
        self.interpreter.allocate_tensors()

    def __call__(self, x):
        self.interpreter.set_tensor(self.interpreter.get_input_details()[0]["index"], x.astype(np.float32))
        self.interpreter.invoke()
        outputs = self.interpreter.get_output_details()
        return [self.interpreter.get_tensor(o["index"]).copy() for o in outputs]


def detected(model, picture):
    """The most probable face: box (left, top, width, height), six points and score."""
    height, width = picture.shape[:2]
    square = (width / 2, height / 2, max(width, height), 0.0)
    boxes, logits = model(seen(picture, square, 128, "black")[None] / 127.5 - 1)
    boxes, scores = boxes[0], 1 / (1 + np.exp(-logits[0, :, 0]))
    anchors = [
        ((x + 0.5) / cells, (y + 0.5) / cells)
        for cells, each in [(16, 2), (8, 6)]
        for y in range(cells)
        for x in range(cells)
        for _ in range(each)
    ]
    anchors = np.array(anchors)
    likely = scores >= 0.5
    boxes, scores, anchors = boxes[likely] / 128, scores[likely], anchors[likely]
    centres = boxes[:, :2] + anchors
    corners = np.concatenate([centres - boxes[:, 2:4] / 2, centres + boxes[:, 2:4] / 2], 1)
    points = boxes[:, 4:].reshape(-1, 6, 2) + anchors[:, None]
    best = scores.argmax()
    left_top, right_bottom = np.maximum(corners[:, :2], corners[best, :2]), np.minimum(corners[:, 2:], corners[best, 2:])
    shared = np.maximum(right_bottom - left_top, 0).prod(1)
    area = (corners[:, 2:] - corners[:, :2]).prod(1)
    same = shared / (area + area[best] - shared) > 0.3
    weights = scores[same] / scores[same].sum()
    corners, points = (corners[same] * weights[:, None]).sum(0), (points[same] * weights[:, None, None]).sum(0)
    left_top, right_bottom = located(corners[:2], square), located(corners[2:], square)
    return np.concatenate([left_top, right_bottom - left_top]), located(points, square), scores[best]


def main(task, samples, target):
    with zipfile.ZipFile(io.BytesIO(Path(task).read_bytes())) as files:
        names = ["face_detector", "face_landmarks_detector", "face_blendshapes"]
        detector, mesh, blendshapes = [Model(files.read(f"{name}.tflite")) for name in names]

    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(BaseOptions(task), output_face_blendshapes=True)
    pipeline = vision.FaceLandmarker.create_from_options(options)

    rows = {key: [] for key in ["box", "keypoints", "score", "region", "points", "presence", "scores"]}
    whole = {"mediapipe.points": [], "mediapipe.scores": []}
    cases = []
    for sample, decoded in SAMPLES.items():
        original = np.asarray(Image.open(Path(samples) / decoded).convert("RGB"))
        for name, how in COPIES.items():
            picture = np.ascontiguousarray(copied(original, **how))
            box, keypoints, score = detected(detector, picture)
            across = keypoints[1] - keypoints[0]
            centre = box[:2] + box[2:] / 2
            region = (*centre, 1.5 * box[2:].max(), math.atan2(across[1], across[0]))
            outputs = mesh(seen(picture, region, 256, "edge")[None] / 255)
            points = next(o for o in outputs if o.size == 1434).reshape(-1, 3)
            # Of the two scalar outputs the presence is the one before the sigmoid.
            presence = next(float(o.reshape(-1)[0]) for o in outputs if o.shape == (1, 1, 1, 1))
            placed = located(points / 256, region)
            (scores,) = blendshapes(placed[SUBSET][None])
            rows["box"].append(box)
            rows["keypoints"].append(keypoints)
            rows["score"].append(score)
            rows["region"].append(region)
            rows["points"].append(np.concatenate([placed, points[:, 2:] / 256 * region[2]], 1))
            rows["presence"].append(1 / (1 + math.exp(-presence)))
            rows["scores"].append(scores)

            result = pipeline.detect(mp.Image(mp.ImageFormat.SRGB, picture))
            height, width = picture.shape[:2]
            theirs = [[p.x * width, p.y * height, p.z * width] for p in result.face_landmarks[0]]
            whole["mediapipe.points"].append(theirs)
            whole["mediapipe.scores"].append([s.score for s in result.face_blendshapes[0]])
            cases.append({"sample": sample, "copy": name, "turn": 0.0, "scale": 1.0, "mirror": False} | how)

            apart = np.abs(np.array(theirs)[:, :2] - placed).max() * 256 / region[2]
            print(f"{sample:17} {name:24} score {score:.3f}  MediaPipe's landmarks within {apart:.2f} px of 256")
    tensors = {key: np.array(value, np.float32) for key, value in (rows | whole).items()}
    metadata = {"cases": json.dumps(cases), "origin": "tests/face/reference.py on MediaPipe's Face Landmarker v2"}
    save_file(tensors, target, metadata)


if __name__ == "__main__":
    main(*sys.argv[1:])
