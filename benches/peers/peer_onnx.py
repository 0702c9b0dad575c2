"""ONNX Runtime's process, on the CPU with all its graph optimisations: `python peer_onnx.py THREADS`."""

import sys
from pathlib import Path

import onnxruntime
from safetensors.numpy import load_file, save_file
from splines import splines
from turns import serve


def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class Onnx:
    def __init__(self, threads):
        self.threads = threads

    def load(self, request):
        folder = Path(request["folder"])
        detect = folder / "detect.onnx"
        self.detect = session(detect, self.threads) if detect.exists() else None
        self.session = session(folder / "frame.onnx", self.threads)
        inputs = load_file(folder / "inputs.safetensors")
        self.driving, self.source = inputs.get("driving"), inputs.get("points")
        self.inputs = {entry.name: inputs.get(entry.name) for entry in self.session.get_inputs()}
        self.names = [entry.name for entry in self.session.get_outputs()]
        return {"version": onnxruntime.__version__}

    def frame(self):
        if self.detect is not None:
            (points,) = self.detect.run(None, {"driving": self.driving})
            self.inputs |= {"driving_points": points, "weights": splines(self.source, points)}
        return self.session.run(None, self.inputs)

    def save(self, path, outputs):
        save_file(dict(zip(self.names, outputs, strict=True)), path)


serve(Onnx(int(sys.argv[1])))
