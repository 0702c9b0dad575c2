"""PyTorch's process: `python peer_torch.py THREADS DEVICE [--tf32]`.

On the CPU the frame is timed with both the default and the channels-last layout, and the faster is used.
"""

import sys
from pathlib import Path

import torch
from cases import METHODS, arguments, procedural
from safetensors.torch import load_file, save_file
from turns import serve, timed

ORIGINAL = torch.Tensor.contiguous


def keep_layout(tensor, memory_format=None):
    """`contiguous` that ignores a memory format requested by the modules."""
    return ORIGINAL(tensor)


def unfilled(network):
    """Replaces `procedural.fill`, because the weights are loaded from a file."""
    return network.eval()


class Torch:
    LAYOUTS = {"plain": torch.contiguous_format, "channels last": torch.channels_last}

    def __init__(self, threads, device, tf32):
        procedural.fill = unfilled
        torch.set_num_threads(threads)
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
        self.device = torch.device(device)

    def load(self, request):
        folder = Path(request["folder"])
        with torch.no_grad():
            self.module = METHODS[request["method"]](request["config"])
        self.module.eval().load_state_dict(load_file(folder / "state.safetensors"))
        self.module.to(self.device).requires_grad_(False)
        inputs = load_file(folder / "inputs.safetensors")
        self.arguments = [x.to(self.device) for x in arguments(self.module, inputs)]
        best = {}
        for name in self.LAYOUTS:
            self.lay_out(name)
            (first,), _ = timed(self.frame, 1)
            best[name] = min(timed(self.frame, 1 if first > 2e9 else 3)[0])
        layout = min(best, key=best.get)
        self.lay_out(layout)
        return {"version": torch.__version__, "layout": layout, "ns": best}

    def lay_out(self, name):
        layout = self.LAYOUTS[name]
        torch.Tensor.contiguous = keep_layout if name == "plain" else ORIGINAL
        self.module.to(memory_format=layout)
        self.arguments = [x.contiguous(memory_format=layout) if x.dim() == 4 else x for x in self.arguments]
        if name == "plain":
            self.arguments = [ORIGINAL(x) for x in self.arguments]

    @torch.inference_mode()
    def frame(self):
        outputs = self.module(*self.arguments)
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return outputs

    def save(self, path, outputs):
        names = self.module.outputs
        save_file({name: ORIGINAL(x.cpu()) for name, x in zip(names, outputs, strict=True)}, path)


serve(Torch(int(sys.argv[1]), sys.argv[2], "--tf32" in sys.argv))
