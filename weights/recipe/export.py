"""Exports a network's weights for Mien: half-precision safetensors with a descriptive header.

    export(path, "ganimation", config, state, origin="...", crop=1.4, au_order=UNITS)

The fields of the header are those of `src/weights/metadata.rs`, and `recipe`: a digest of the code that made the file.
"""

import hashlib
import json
import os
from pathlib import Path

import torch
from safetensors.torch import load_file, save

RECIPE = Path(__file__).resolve().parent
UNITS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
EXPRESSIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
LICENCE = "MIT OR Apache-2.0"
HALF_MOST = 65504.0


def recipe_digest():
    """Returns the SHA-256 of the recipe's .py files: for each, sorted by path, its path, a zero byte, its length, its bytes."""
    digest = hashlib.sha256()
    for path in sorted(RECIPE.rglob("*.py"), key=lambda p: p.relative_to(RECIPE).as_posix()):
        data = path.read_bytes()
        digest.update(path.relative_to(RECIPE).as_posix().encode() + b"\0" + len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def half(state):
    """Converts a state dict for export: floats in half precision, contiguous, on the CPU; counters are left out.

    Raises ValueError for a tensor that is not finite or does not fit in half precision.
    """
    stored = {}
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        tensor = tensor.detach().to("cpu", torch.float32)
        if not torch.isfinite(tensor).all() or tensor.abs().max() > HALF_MOST:
            raise ValueError(f"{name} holds a value that half precision cannot hold")
        stored[name] = tensor.to(torch.float16).contiguous().clone()
    return stored


def export(path, architecture, config, state, origin, crop=None, au_order=None, extra=None):
    """Writes `state` (name -> tensor, the authors' keys) to `path`, through a temporary file.

    `config` is the Rust Config's JSON as a dict, `crop` the square's scale (None for a network without a crop).
    Returns the size in bytes.
    """
    fields = {
        "format": "pt",
        "architecture": architecture,
        "config": json.dumps(config),
        "licence": LICENCE,
        "origin": origin,
        "recipe": recipe_digest(),
    }
    if crop is not None:
        fields["crop"] = json.dumps({"kind": "landmark_bbox_square", "scale": crop, "upright": True})
    if au_order is not None:
        fields["au_order"] = ",".join(str(unit) for unit in au_order)
    fields.update({name: str(value) for name, value in (extra or {}).items()})
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    data = save(half(state), metadata=fields)
    temporary.write_bytes(data)
    os.replace(temporary, path)
    return len(data)


def load_into(network, path, prefix=""):
    """Initialises `network` from an exported file: every tensor must exist there with the same shape.

    With a prefix, only the tensors under it are used, and the prefix is removed.
    """
    stored = {name[len(prefix):]: tensor for name, tensor in load_file(path).items() if name.startswith(prefix)}
    own = network.state_dict()
    for name, tensor in own.items():
        if name.endswith("num_batches_tracked"):
            continue
        if name not in stored:
            raise ValueError(f"{path} has no tensor {prefix}{name}")
        if stored[name].shape != tensor.shape:
            raise ValueError(f"{prefix}{name} is {tuple(stored[name].shape)} in {path}, but {tuple(tensor.shape)} here")
        with torch.no_grad():
            tensor.copy_(stored[name].to(tensor.dtype))
