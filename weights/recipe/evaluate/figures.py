"""Measures, tables and contact sheets that the evaluations share."""

import json
from pathlib import Path

import cv2
import numpy as np

# How far around a face its shadow and warp may extend, relative to the longer side of its box.
MARGIN = 0.08


def read(path):
    """Reads a picture as float32 RGB, H x W x 3, in 0..255."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise FileNotFoundError(f"{path} can't be read as a picture.")
    return picture[:, :, ::-1].astype(np.float32)


def ranks(values):
    """Returns the ranks of the values; ties get the mean of their ranks."""
    values = np.asarray(values, np.float64)
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[inverse]


def spearman(a, b):
    """Spearman's rank correlation; None where either is constant."""
    a, b = ranks(a), ranks(b)
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale > 0 else None


def square(face, scale):
    """Returns left, top and side of the crop of this scale, in pixels: centred on the bounding box of the landmarks."""
    left, top, width, height = face["box"]
    side = scale * max(width, height)
    return left + 0.5 * width - 0.5 * side, top + 0.5 * height - 0.5 * side, side


def cut(picture, crop, size=None):
    """Returns a picture's content within a crop, resized to `size` per side; outside the picture it is omitted or grey."""
    left, top, side = crop
    height, width = picture.shape[:2]
    if size is None:
        x0, y0 = max(0, round(left)), max(0, round(top))
        return picture[y0 : min(height, round(top + side)), x0 : min(width, round(left + side))]
    scale = size / side
    matrix = np.float32([[scale, 0, -left * scale], [0, scale, -top * scale]])
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.warpAffine(picture, matrix, (size, size), flags=flags, borderValue=(90, 90, 90)).clip(0, 255)


def face_mask(shape, faces):
    """Returns the area of the faces and their surroundings: the dilated hulls of their landmarks. Bool, H x W."""
    mask = np.zeros(shape[:2], np.uint8)
    for face in faces:
        points = np.array([point[:2] for point in face["landmarks"]], np.float32)
        cv2.fillConvexPoly(mask, cv2.convexHull(points).round().astype(np.int32), 1)
    reach = max(1, round(MARGIN * max(faces[0]["box"][2:])))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(mask, kernel) > 0


def number(value, digits=2, sign=False):
    """Formats a figure for a table; a dash for None."""
    if value is None or not np.isfinite(value):
        return "–"
    return f"{value:{'+' if sign else ''}.{digits}f}"


def table(header, rows):
    """Formats a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def sheet(path, rows, titles=None, names=None, gap=4):
    """Writes a contact sheet: rows of pictures of one size, with titles above the columns and names before the rows."""
    size = rows[0][0].shape[0]
    left = 150 if names else gap
    top = 24 if titles else gap
    columns = max(map(len, rows))
    canvas = np.full((top + len(rows) * (size + gap), left + columns * (size + gap), 3), 24, np.uint8)

    def write(text, x, y):
        cv2.putText(canvas, text, (int(x), int(y)), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (225, 225, 225), 1, cv2.LINE_AA)

    for i, title in enumerate(titles or []):
        write(title, left + i * (size + gap) + 2, 16)
    for j, row in enumerate(rows):
        y = top + j * (size + gap)
        for k, part in enumerate((names[j] if names else "").split("\n")):
            write(part, 6, y + 18 + 17 * k)
        for i, picture in enumerate(row):
            x = left + i * (size + gap)
            canvas[y : y + size, x : x + size] = picture.round().clip(0, 255).astype(np.uint8)
    cv2.imwrite(str(path), canvas[:, :, ::-1])


def save(out, name, figures, text):
    """Writes the figures of one model as JSON and as Markdown."""
    out = Path(out)
    (out / f"{name}.json").write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    (out / f"{name}.md").write_text(text)
    print(text, flush=True)
