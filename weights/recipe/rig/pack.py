"""Quantises and writes the head in the layout that `src/methods/rig/model.rs` reads: the vertices of the face, then of the back
of the head, then of the mouth."""

import json
import os
from pathlib import Path

import numpy as np
from safetensors.numpy import save

IDENTITIES = 20
"""Of 100. The median misfit of ten portraits is 0.321 cm with 20 and 0.317 cm with all."""
DROPPED = ("Pupil", "cheekPuff", "eyeLookIn", "eyeLookOut", "mouthFunnel", "mouthPucker")
"""Prefixes of expressions that neither Mien's Action Units nor the gaze use."""
JAW = ("jawOpen", "jawLeft", "jawRight", "jawForward")
"""The expressions that move teeth, gums and tongue."""
LICENCE = "MIT"
ORIGIN = (
    "ICT-FaceKit Light (USC Institute for Creative Technologies 2020; Li et al. 2020, \"Learning Formation of Physically-Based "
    "Face Attributes\"), reduced, with MediaPipe's landmarks found on it, by weights/recipe/rig"
)


def tensors(head, face, back, lips, eyes, landmarks):
    """Returns all tensors of the file, by name, and the names of the expressions.

    `face`, `back`: triangles that are rendered; `lips`, `eyes`: rows of vertices from `rings`; `landmarks` (468,) vertices.
    """
    gums, teeth = head.part("M_GumsTongue"), head.part("M_Teeth")
    faces = np.unique(face)
    skin = np.concatenate([faces, np.setdiff1d(back, faces)])
    mouth = np.union1d(gums, teeth)
    order = np.concatenate([skin, mouth])
    place = np.full(len(head.neutral), -1)
    place[order] = np.arange(len(order))

    def numbers(vertices):
        new = place[vertices]
        if new.min() < 0 or new.max() > np.iinfo(np.uint16).max:
            raise ValueError("a triangle, an edge or a landmark has a vertex that is cut away")
        return new.astype(np.uint16)

    kept = [i for i, name in enumerate(head.names) if not name.startswith(DROPPED)]
    out = {}
    step = np.abs(head.neutral[order]).max() / np.iinfo(np.int16).max
    out["neutral"], out["neutral.scale"] = np.round(head.neutral[order] / step).astype(np.int16), np.float32([step])
    out["identity"], out["identity.scale"] = _quantised(head.identity[:IDENTITIES, skin])
    # Teeth and tongue stay in place behind the middle of a person's upper lip.
    out["identity.mouth"] = head.identity[:IDENTITIES, head.landmarks[61:64]].mean(1)
    out["expression"], out["expression.scale"] = _quantised(head.expression[kept][:, faces])
    jaw = [head.names.index(name) for name in JAW]
    out["jaw"], out["jaw.scale"] = _quantised(head.expression[jaw][:, mouth])
    for name, triangles in (("face", face), ("back", back), ("gums", gums), ("teeth", teeth)):
        out[f"triangles.{name}"] = numbers(triangles)
    for name, rows in (("eye.right", eyes[0]), ("eye.left", eyes[1]), ("lips", lips)):
        out[f"{name}.upper"], out[f"{name}.lower"] = map(numbers, rows)
    out["landmarks"] = numbers(landmarks)
    out["eye.centres"] = head.eye_centres().astype(np.float32)
    return out, [head.names[i] for i in kept]


def _quantised(shapes):
    """Quantises shapes (N, V, 3) to signed bytes with a scale (N,) each."""
    scale = np.abs(shapes).max((1, 2)) / np.iinfo(np.int8).max
    scale[scale == 0] = 1
    return np.round(shapes / scale[:, None, None]).astype(np.int8), scale.astype(np.float32)


def write(path, out, expressions):
    """Writes the result of `tensors` to `path`, through a temporary file. Returns the size in bytes."""
    counts = {"identities": len(out["identity"]), "expressions": len(out["expression"]), "landmarks": len(out["landmarks"])}
    fields = {
        "architecture": "rig",
        "config": json.dumps(counts),
        "expressions": ",".join(expressions),
        "licence": LICENCE,
        "origin": ORIGIN,
    }
    data = _with_metadata(save({name: np.ascontiguousarray(values) for name, values in out.items()}), fields)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    temporary.write_bytes(data)
    os.replace(temporary, path)
    return len(data)


def _with_metadata(data, fields):
    """Adds these header fields to a safetensors file, in this order: `save` shuffles them, so its output isn't reproducible."""
    length = int.from_bytes(data[:8], "little")
    header = json.dumps({"__metadata__": fields, **json.loads(data[8 : 8 + length])}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[8 + length :]
