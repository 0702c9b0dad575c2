"""Pictures for viewing: tensors as bytes, contact sheets, PNG files."""

import os
from pathlib import Path

import cv2
import numpy as np
import torch


def to_bytes(pictures, low=-1.0, high=1.0):
    """Converts `(..., C, H, W)` in [low, high] to `(..., H, W, 3)` uint8; a single channel becomes grey."""
    pictures = ((pictures.detach().float() - low) * (255 / (high - low))).clamp(0, 255).round().to(torch.uint8).cpu()
    if pictures.shape[-3] == 1:
        pictures = pictures.expand(*pictures.shape[:-3], 3, *pictures.shape[-2:])
    return np.ascontiguousarray(pictures.movedim(-3, -1).numpy())


def sheet(rows, titles=None, gap=2, names=None):
    """Lays out rows of (H, W, 3) uint8 pictures of one size, with titles over the columns and names left of the rows."""
    height, width = rows[0][0].shape[:2]
    left, top = (64 if names else 0), (14 if titles else 0)
    columns = max(len(row) for row in rows)
    canvas = np.full((top + len(rows) * (height + gap), left + columns * (width + gap), 3), 24, np.uint8)
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            at = (top + y * (height + gap), left + x * (width + gap))
            canvas[at[0] : at[0] + height, at[1] : at[1] + width] = picture
        if names:
            _text(canvas, str(names[y]), 2, top + y * (height + gap) + height // 2)
    for x, title in enumerate(titles or ()):
        _text(canvas, str(title), left + x * (width + gap) + 2, 10)
    return canvas


def _text(canvas, text, x, y):
    cv2.putText(canvas, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.34, (230, 230, 230), 1, cv2.LINE_AA)


def write_picture(path, picture):
    """Writes an RGB picture as PNG, through a temporary file."""
    path = Path(path)
    good, data = cv2.imencode(".png", picture[..., ::-1])
    if not good:
        raise OSError(f"cannot encode {path.name}")
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    temporary.write_bytes(data.tobytes())
    os.replace(temporary, path)
