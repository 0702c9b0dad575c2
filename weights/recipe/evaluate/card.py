"""Writes the model cards: `python -m evaluate.card --figures OUT --weights FOLDER`.

A card consists of the text in `cards/NAME.md`, the limitations in `cards/NAME.short.md`, the figures of `python -m evaluate`, and
the file's metadata; it is written next to the weights, with its contact sheets as JPEG.
"""

import argparse
import json
import struct
from pathlib import Path

import cv2

from .__main__ import FILES

WORDS = Path(__file__).parent / "cards"
SHEETS = {
    "ganimation": ("ganimation", "ganimation-units", "ganimation-failures"), "fomm": ("fomm",), "tps": ("tps",),
    "mocogan": ("mocogan", "mocogan-people"),
}
WIDEST = 1400


def header(path):
    """Returns the metadata of a safetensors file, and its number of parameters."""
    with open(path, "rb") as file:
        fields = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    metadata = fields.pop("__metadata__")
    numbers = 0
    for tensor in fields.values():
        count = 1
        for side in tensor["shape"]:
            count *= side
        numbers += count
    return metadata, numbers


def write(name, figures, weights):
    path = weights / FILES[name]
    metadata, numbers = header(path)
    words = (WORDS / f"{path.stem}.md").read_text()
    images = []
    for i, sheet in enumerate(SHEETS[name]):
        picture = cv2.imread(str(figures / f"{sheet}.png"))
        if picture is None:
            continue
        scale = min(1.0, WIDEST / picture.shape[1])
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        target = weights / (path.stem + sheet.removeprefix(name) + ".jpg")
        cv2.imwrite(str(target), picture, [cv2.IMWRITE_JPEG_QUALITY, 84])
        images.append(f"![{sheet}]({target.name})")
    words = words.replace("{figures}", (figures / f"{name}.md").read_text().strip()).replace("{sheets}", "\n\n".join(images))
    short = WORDS / f"{path.stem}.short.md"
    words = words.replace("{short}", short.read_text().strip() if short.exists() else "")
    words = words.replace("{parameters}", f"{numbers / 1e6:.1f} M parameters, fp16 ({path.stat().st_size / 1e6:.1f} MB)")
    words = words.replace("{recipe}", metadata.get("recipe", "unknown")).replace("{licence}", metadata["licence"])
    (weights / f"{path.stem}.md").write_text(words)
    print(weights / f"{path.stem}.md")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", required=True, type=Path)
    parser.add_argument("--weights", required=True, type=Path)
    parser.add_argument("--only", action="append", choices=list(FILES))
    asked = parser.parse_args()
    for name in asked.only or FILES:
        if (asked.figures / f"{name}.md").exists():
            write(name, asked.figures, asked.weights)


if __name__ == "__main__":
    main()
