"""Face identity: dlib's embedding (`pip install dlib-bin`, and `face_recognition_models` for its networks, which are in the
public domain). Both are used only in the evaluation; without them its figures are left out."""

from pathlib import Path

import numpy as np

# Below this distance dlib considers two faces to be the same person's.
SAME = 0.6


class Embedding:
    """Maps a face to 128 numbers; those of one person are within SAME of each other, at 99.4 % on Labeled Faces in the Wild."""

    def __init__(self):
        import importlib.util

        import dlib

        # The package itself imports modules that newer Pythons lack; only its files are needed.
        models = Path(importlib.util.find_spec("face_recognition_models").submodule_search_locations[0]) / "models"
        self._rectangle = dlib.rectangle
        self._points = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
        self._network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))

    def of(self, picture, face):
        """Returns 128 numbers for a face (as output by `mien face --json`) in a float RGB picture."""
        left, top, width, height = face["box"]
        # dlib's boxes begin at the brows and are square.
        side = 0.5 * (width + 0.85 * height)
        x, y = left + 0.5 * width - 0.5 * side, top + height - side
        box = self._rectangle(int(x), int(y), int(x + side), int(y + side))
        picture = np.ascontiguousarray(picture.round().clip(0, 255).astype(np.uint8))
        return np.array(self._network.compute_face_descriptor(picture, self._points(picture, box)))


def embedding():
    """Returns the embedding, or None where dlib or its networks aren't installed."""
    try:
        return Embedding()
    except (ImportError, AttributeError, RuntimeError) as problem:
        print(f"identity isn't measured: {problem}", flush=True)
        return None
