"""Exports a frame as ONNX graphs; the values computed from the source are inputs.

TPS takes two graphs: ONNX has no linear solver, so numpy solves its ten systems of 8x8 between the detection of
keypoints and the inpainting.
"""

import warnings

import numpy as np
import torch
from cases import tps
from networks import layers
from splines import splines
from torch import nn

OPSET = 17


class Detect(nn.Module):
    def __init__(self, frame):
        super().__init__()
        self.frame = frame

    def forward(self, driving):
        return self.frame.network.detect(driving)


class Paint(nn.Module):
    """The frame from solved splines."""

    def __init__(self, frame):
        super().__init__()
        self.frame = frame

    def forward(self, driving, weights, *prepared):
        def grids(_, driving, h, w):
            control = driving.view(1, -1, tps.POINTS, 2)
            nodes = tps.grid(h, w, driving.device).view(h * w, 2)
            bends = tps.kernel((nodes.view(1, 1, -1, 1, 2) - control.unsqueeze(2)).square().sum(-1))
            places = bends @ weights[..., : tps.POINTS, :] + nodes @ weights[..., tps.POINTS : tps.POINTS + 2, :]
            return (places + weights[..., tps.POINTS + 2 :, :]).view(1, -1, h, w, 2)

        solving, tps.spline_grids = tps.spline_grids, grids
        try:
            return self.frame.paint(driving, *prepared)
        finally:
            tps.spline_grids = solving


def axis(size, _):
    """`layers.axis` as a constant: the exporter exports a traced `linspace` as double."""
    return torch.from_numpy(np.linspace(-1.0, 1.0, int(size), dtype=np.float32))


def write(module, names, inputs, outputs, path):
    tracing, layers.axis = layers.axis, axis
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module.eval(), tuple(inputs[name] for name in names), str(path), dynamo=False, opset_version=OPSET,
                input_names=list(names), output_names=list(outputs), do_constant_folding=True,
            )  # fmt: skip
    finally:
        layers.axis = tracing


@torch.no_grad()
def export(method, frame, inputs, folder):
    """Writes `frame.onnx` to the folder, and `detect.onnx` for TPS."""
    names = frame.changing + frame.prepared
    if method != "tps":
        return write(frame, names, inputs, frame.outputs, folder / "frame.onnx")
    driving = frame.network.detect(inputs["driving"])
    weights = torch.from_numpy(splines(inputs["points"].numpy(), driving.numpy()))
    inputs = inputs | {"driving_points": driving, "weights": weights}
    write(Detect(frame), ("driving",), inputs, ("driving_points",), folder / "detect.onnx")
    write(Paint(frame), ("driving_points", "weights") + frame.prepared, inputs, frame.outputs, folder / "frame.onnx")
