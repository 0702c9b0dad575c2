"""Decomposes portraits once: the fitted head, the photograph as layers (person, background), lids without lashes, light."""

import argparse
import os

# One process per portrait; threads in linear algebra would only compete.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import cv2
import numpy as np
from scipy.spatial import cKDTree

from .ict import Ict, fit

CANVAS = 256
"""Side of the square, in pixels, that every portrait is brought to."""
MARGIN = 2.1
"""Its side, in longer sides of the landmarks' box."""
STRIDE = 4
GRID = CANVAS // STRIDE + 1

LIPS_INNER = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95]
LIPS_OUTER = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]
OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
        136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
EYES = [
    ([33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7], 468),
    ([362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382], 473),
]


def to_canvas(photo, landmarks):
    """Crops a photograph (H, W, 3) with landmarks (478, 2) in pixels -> the canvas and its landmarks."""
    low, high = landmarks.min(0), landmarks.max(0)
    side = (high - low).max() * MARGIN
    # Slightly above the face's centre, for the hair.
    middle = (low + high) / 2 - [0, 0.06 * side]
    scale = CANVAS / side
    move = np.array([[scale, 0, CANVAS / 2 - scale * middle[0]], [0, scale, CANVAS / 2 - scale * middle[1]]])
    blurred = cv2.GaussianBlur(photo, (0, 0), 0.45 / scale) if scale < 0.8 else photo
    canvas = cv2.warpAffine(blurred, move, (CANVAS, CANVAS), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return canvas, landmarks * scale + move[:, 2]


def measure(model, canvas, landmarks):
    """canvas (256, 256, 3) u8 RGB and its landmarks (478, 2) -> the stored measurements of a portrait, as a dict of arrays."""
    fitted = fit(model, landmarks)
    turn, shift = fitted["turn"], fitted["shift"]
    unit = np.linalg.norm(turn[0])
    third = np.cross(turn[0], turn[1]) / unit
    depth, head = _shell(model, turn, shift, third)
    before = model.neutral + np.tensordot(fitted["person"].astype(np.float32), model.identity, 1)
    before = before + np.tensordot(fitted["expression"].astype(np.float32), model.expression, 1)
    screen = np.stack([before @ turn[0] + shift[0], -(before @ turn[1] + shift[1]), before @ third], 1)
    screen[:, :2] += model.spread @ fitted["misfit"]
    nearest, near = _nearest(model, screen)
    single = lambda a: np.asarray(a, np.float32)
    return dict(
        canvas=np.frombuffer(cv2.imencode(".jpg", canvas[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1], np.uint8),
        landmarks=single(landmarks), matte=(_matte(canvas, landmarks) * 255).astype(np.uint8),
        turn=single(np.concatenate([turn, third[None]])), shift=single(shift), person=single(fitted["person"]),
        expression=single(fitted["expression"]), misfit=single(fitted["misfit"]), depth=depth.astype(np.float16),
        head=head.astype(np.float16), nearest=nearest.astype(np.uint16), near=near.astype(np.float16),
        light=_light(model, screen, before, canvas), box=single(np.concatenate([landmarks.min(0), landmarks.max(0)])),
    )


def layers(measured):
    """The input of `photographs.py`: the measurements of a portrait and the layers of the photograph."""
    canvas = np.ascontiguousarray(cv2.imdecode(measured["canvas"], cv2.IMREAD_COLOR)[..., ::-1])
    skin, eyes, mouth = _textures(canvas, measured["landmarks"])
    kept = {k: v for k, v in measured.items() if k not in ("canvas", "landmarks")}
    for name in ("depth", "head", "near"):
        kept[name] = kept[name].astype(np.float32)
    kept["nearest"] = kept["nearest"].astype(np.int32)
    return dict(kept, photo=canvas, skin=skin, eyes=eyes, mouth=mouth, behind=_behind(canvas, measured["matte"] / 255), teeth=_teeth(canvas, mouth))


def _textures(photo, landmarks):
    """Returns the skin with eyes, lashes and the mouth's opening filled in; the eyeballs without lids; the opening."""
    h, w = photo.shape[:2]
    eyes = photo.astype(np.float32)
    open_ = np.zeros((h, w), np.uint8)
    for ring, iris in EYES:
        poly = landmarks[ring]
        mask = np.zeros((h, w), np.uint8)
        cv2.fillPoly(mask, [poly.round().astype(np.int32)], 1)
        width = np.ptp(poly[:, 0])
        # Lashes and the line of the lid are just outside the opening, above more than below.
        reach = max(2, int(round(width * 0.10)))
        grown = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
        up = np.roll(grown, -max(1, reach // 2), axis=0)
        open_ |= grown | up
        inside = mask > 0
        centre = landmarks[iris]
        radius = np.linalg.norm(landmarks[iris + 1 : iris + 5] - centre, axis=1).mean()
        yy, xx = np.mgrid[0:h, 0:w] + 0.5
        r = np.hypot(xx - centre[0], yy - centre[1])
        white, dark = photo[inside & (r > radius * 1.1)], photo[inside & (r < radius)]
        if len(white) < 3 or len(dark) < 3:
            continue
        white = np.percentile(white, 80, axis=0)
        white = 0.5 * white + 0.5 * white.mean()
        dark = np.median(dark, axis=0)
        near = (abs(xx - poly[:, 0].mean()) < width) & (abs(yy - poly[:, 1].mean()) < width)
        rim = np.clip((radius - r) / 1.5 + 0.5, 0, 1)[..., None]
        made = rim * dark + (1 - rim) * white * 0.92
        inner = cv2.erode(mask, np.ones((3, 3), np.uint8))
        soft = cv2.GaussianBlur(inner.astype(np.float32), (0, 0), 1)[..., None]
        eyes[near] = (soft * photo + (1 - soft) * made)[near]
    mouth = np.zeros((h, w), np.uint8)
    lips = landmarks[LIPS_INNER]
    cv2.fillPoly(mouth, [lips.round().astype(np.int32)], 1)
    # Lips that touch leave a line, which belongs to the skin.
    if mouth.sum() < 0.05 * np.ptp(lips[:, 0]) ** 2:
        mouth[:] = 0
    fill = cv2.inpaint(photo, open_, 4, cv2.INPAINT_TELEA)
    soft = cv2.GaussianBlur(cv2.dilate(open_, np.ones((3, 3), np.uint8)).astype(np.float32), (0, 0), 1.2)[..., None]
    lids = fill * soft + photo * (1 - soft)
    if mouth.any():
        # Teeth don't belong to the lips either: the opening between them gets the lips' colour.
        lips_all = np.zeros((h, w), np.uint8)
        cv2.fillPoly(lips_all, [landmarks[LIPS_OUTER].round().astype(np.int32)], 1)
        grown = cv2.dilate(mouth, np.ones((3, 3), np.uint8))
        red = photo[(lips_all > 0) & (grown == 0)]
        if len(red) > 20:
            soft = cv2.GaussianBlur(grown.astype(np.float32), (0, 0), 0.8)[..., None]
            lids = np.median(red, axis=0) * soft + lids * (1 - soft)
    return lids.clip(0, 255).astype(np.uint8), eyes.clip(0, 255).astype(np.uint8), mouth


def _matte(photo, landmarks):
    """Returns the opacity of the person at each pixel (256, 256) in 0..1, by GrabCut from the expected head and shoulders."""
    h, w = photo.shape[:2]
    oval = landmarks[OVAL]
    low, high = oval.min(0), oval.max(0)
    middle, size = (low + high) / 2, high - low
    yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
    mask = np.full((h, w), cv2.GC_PR_BGD, np.uint8)
    hair = ((xx - middle[0]) / (0.85 * size[0])) ** 2 + ((yy - middle[1] + 0.12 * size[1]) / (0.85 * size[1])) ** 2 < 1
    slope = (abs(xx - middle[0]) < 0.45 * size[0] + 1.2 * (yy - high[1])) & (yy > high[1])
    mask[hair | slope] = cv2.GC_PR_FGD
    core = (abs(xx - middle[0]) < 0.3 * size[0] + 0.7 * (yy - high[1])) & (yy > high[1])
    mask[core] = cv2.GC_FGD
    sure = np.zeros((h, w), np.uint8)
    cv2.fillPoly(sure, [oval.round().astype(np.int32)], 1)
    mask[sure > 0] = cv2.GC_FGD
    far = ((xx - middle[0]) / (1.25 * size[0])) ** 2 + ((yy - middle[1] + 0.1 * size[1]) / (1.25 * size[1])) ** 2 > 1
    mask[far & (yy < high[1] - 0.1 * size[1])] = cv2.GC_BGD
    mask[:2] = cv2.GC_BGD
    try:
        cv2.grabCut(photo[..., ::-1].copy(), mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK)
    except cv2.error:
        pass
    person = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    person = cv2.morphologyEx(person, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    person = cv2.morphologyEx(person, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, label = cv2.connectedComponents(person)
    if count > 1:
        person = (label == label[int(middle[1]), int(middle[0])]).astype(np.uint8)
    return cv2.GaussianBlur(person.astype(np.float32), (0, 0), 1.0)


def _behind(photo, matte):
    """Returns the background (256, 256, 3), inpainted behind the person from coarse to fine."""
    clear = cv2.erode((matte < 0.02).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32)
    levels = [(photo.astype(np.float32) * clear[..., None], clear)]
    while levels[-1][0].shape[0] > 2:
        colour, weight = levels[-1]
        half = (colour.shape[1] // 2, colour.shape[0] // 2)
        levels.append((cv2.resize(colour, half, interpolation=cv2.INTER_AREA), cv2.resize(weight, half, interpolation=cv2.INTER_AREA)))
    colour, weight = levels[-1]
    out = colour.sum((0, 1)) / max(weight.sum(), 1e-3) * np.ones_like(colour)
    for colour, weight in levels[-2::-1]:
        up = cv2.resize(out, colour.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        share = np.clip(weight[..., None] * 4, 0, 1)
        out = share * colour / (weight[..., None] + 1e-6) + (1 - share) * up
    keep = cv2.GaussianBlur(clear, (0, 0), 1.5)[..., None]
    return (keep * photo + (1 - keep) * out).clip(0, 255).astype(np.uint8)


def _shell(model, turn, shift, third):
    """Depth and how far each node follows the head (65, 65), for everything outside the fitted face."""
    neutral, triangles = model.whole
    screen = np.stack([neutral @ turn[0] + shift[0], -(neutral @ turn[1] + shift[1]), neutral @ third], 1)
    depth = np.full((CANVAS, CANVAS), -1e9, np.float32)
    # Points are dense enough at this size; holes are closed below.
    middle = screen[triangles].mean(1)
    points = np.concatenate([screen, middle])
    x, y = points[:, 0].astype(int), points[:, 1].astype(int)
    good = (x >= 0) & (x < CANVAS) & (y >= 0) & (y < CANVAS)
    np.maximum.at(depth, (y[good], x[good]), points[good, 2])
    depth = cv2.dilate(depth, np.ones((7, 7), np.uint8))
    known = (depth > -1e8).astype(np.uint8)
    inner = cv2.erode(known, np.ones((3, 3), np.uint8))
    _, label = cv2.distanceTransformWithLabels(1 - inner, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    table = np.zeros(label.max() + 1, np.float32)
    table[label[inner > 0]] = depth[inner > 0]
    depth = cv2.GaussianBlur(table[label], (0, 0), 4)
    # How much of the person belongs to the head: all down to the chin, nothing at the shoulders.
    unit = np.linalg.norm(turn[0])
    chin = screen[int(np.argmin(np.abs(neutral - [0, -7.6, 10.4]).sum(1))), 1]
    yy = np.mgrid[0:CANVAS, 0:CANVAS][0]
    head = np.clip((chin + 6.0 * unit - yy) / (6.0 * unit), 0, 1)
    head = head * head * (3 - 2 * head)
    at = np.linspace(0, CANVAS - 1, GRID).astype(int)
    return depth[np.ix_(at, at)], head[np.ix_(at, at)]


def _nearest(model, screen):
    """For each node of the shell, the nearest vertex of the face's front, and how closely the node follows it."""
    front = np.flatnonzero((model.rim > 0.05) & (model.bag == 0))
    step = np.arange(GRID) * STRIDE
    nodes = np.stack(np.meshgrid(step, step, indexing="xy"), -1).reshape(-1, 2)
    distance, index = cKDTree(screen[front, :2]).query(nodes)
    near = np.exp(-((distance / 11.0) ** 2))
    return front[index].reshape(GRID, GRID).astype(np.int32), near.reshape(GRID, GRID).astype(np.float32)


def harmonics(normal):
    """Second-order spherical harmonics, unnormalised, of unit normals (..., 3): (..., 9)."""
    x, y, z = np.moveaxis(normal, -1, 0)
    return np.stack([np.ones_like(x), x, y, z, x * y, x * z, y * z, x * x - y * y, 3 * z * z - 1], -1)


def _light(model, screen, before, photo):
    """Light on the face as nine coefficients (Basri and Jacobs 2003), normalised to a mean over the face of about 1."""
    up = screen * [1, -1, 1]
    a, b, c = (up[model.triangles[:, k]] for k in range(3))
    normal = np.zeros_like(up)
    for k in range(3):
        np.add.at(normal, model.triangles[:, k], np.cross(b - a, c - a))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    use = (model.rim > 0.9) & (model.bag == 0) & (model.eye < 0.1) & (model.mouth < 0.5) & (normal[:, 2] > 0.25)
    x, y = screen[use, 0].astype(int).clip(0, CANVAS - 1), screen[use, 1].astype(int).clip(0, CANVAS - 1)
    grey = photo[y, x].astype(np.float64).mean(1)
    grey = grey / max(np.median(grey), 20)
    basis = harmonics(normal[use])
    prior = np.array([0.62, 0, 0.06, 0.32, 0, 0, 0, 0, 0.0])
    weight = np.ones(len(grey))
    ridge = np.diag([1, 20, 20, 20, 200, 200, 200, 200, 200.0]) * len(grey) / 600
    for _ in range(4):
        wb = basis * weight[:, None]
        light = prior + np.linalg.solve(wb.T @ basis + ridge, wb.T @ (grey - basis @ prior))
        weight = 1 / (1 + ((grey - basis @ light) / 0.12) ** 2)
    return light.astype(np.float32)


def _teeth(photo, mouth):
    """The colour of this person's teeth (3,), RGB 0..255; -1 where none are visible."""
    inside = photo[mouth > 0].astype(np.float32)
    if len(inside) < 60:
        return np.full(3, -1, np.float32)
    bright = inside.mean(1)
    white = inside[(bright > np.percentile(bright, 60)) & (inside[:, 0] - inside[:, 2] < 70)]
    return np.median(white, 0).astype(np.float32) if len(white) > 15 else np.full(3, -1, np.float32)


_MODEL = None


def _job(folder, path, landmarks):
    global _MODEL
    cv2.setNumThreads(1)
    if _MODEL is None:
        _MODEL = Ict(os.path.join(folder, "ict-facekit"))
    photo = np.ascontiguousarray(cv2.imread(path)[..., ::-1])
    points = landmarks[:, :2] * np.array(photo.shape[1::-1])
    return measure(_MODEL, *to_canvas(photo, points))


def measure_all(folder, path, processes):
    """Measures every portrait in DATA/portraits/us-congress and writes `path`, an npz; about 0.3 s each on one core."""
    table = np.load(os.path.join(folder, "portraits", "us-congress.npz"))
    files = [str(f) for f in table["files"]]
    jobs = [(folder, os.path.join(folder, "portraits", "us-congress", f), points) for f, points in zip(files, table["landmarks"])]
    rows = []
    if processes == 1:
        results = (_job(*job) for job in jobs)
    else:
        results = ProcessPoolExecutor(processes, mp_context=get_context("spawn")).map(_job, *zip(*jobs), chunksize=8)
    for row in results:
        rows.append(row)
        if len(rows) % 100 == 0:
            print(f"{len(rows)} of {len(jobs)} portraits", flush=True)
    sizes = np.cumsum([0] + [len(row["canvas"]) for row in rows])
    stacked = {key: np.stack([row[key] for row in rows]) for key in rows[0] if key != "canvas"}
    canvas = np.concatenate([row["canvas"] for row in rows])
    with open(path + ".part", "wb") as file:
        np.savez_compressed(file, files=np.array(files), canvas=canvas, sizes=sizes, **stacked)
    os.replace(path + ".part", path)


def load(path, chosen=None):
    """Loads the portraits `chosen` (indices; default all) from `measure_all`: a dict of stacked arrays, and the file names."""
    with np.load(path) as table:
        table = {key: table[key] for key in table.files}
    files, canvas, sizes = (table.pop(k) for k in ("files", "canvas", "sizes"))
    chosen = range(len(files)) if chosen is None else chosen
    one = lambda i: layers(dict({key: value[i] for key, value in table.items()}, canvas=canvas[sizes[i] : sizes[i + 1]]))
    cv2.setNumThreads(1)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(one, chosen))
    return {key: np.stack([row[key] for row in rows]) for key in rows[0]}, [str(files[i]) for i in chosen]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="../../../shared/data")
    parser.add_argument("--out", required=True, help="the npz that faces.make draws from")
    parser.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 1) - 1))
    args = parser.parse_args()
    measure_all(args.data, args.out, args.processes)
