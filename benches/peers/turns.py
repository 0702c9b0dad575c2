"""Shared by PyTorch's and ONNX Runtime's processes: reads commands as lines of JSON and answers each with one line.

    {"command": "load", "folder": F, "method": M, "config": {...}}   -> details of the loaded network
    {"command": "run", "frames": k}                                  -> {"ns": [...]}
    {"command": "save", "path": P}                                   -> {}: the last frame, as safetensors
    {"command": "memory"}                                            -> {"peak": bytes}

`benches/peers/peer.rs` implements the same protocol.
"""

import json
import sys
import time
import traceback


def peak():
    """The process' peak memory, in bytes."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def timed(frame, frames):
    """Draws frames; returns the nanoseconds of each, and the last one's outputs."""
    times, outputs = [], None
    for _ in range(frames):
        start = time.perf_counter_ns()
        outputs = frame()
        times.append(time.perf_counter_ns() - start)
    return times, outputs


def serve(peer):
    """Answers commands until the input ends. `peer` has `load(request)`, `frame()` and `save(path, outputs)`."""
    outputs = None
    for line in sys.stdin:
        try:
            request = json.loads(line)
            match request["command"]:
                case "load":
                    answer = peer.load(request) or {}
                case "run":
                    times, outputs = timed(peer.frame, request["frames"])
                    answer = {"ns": times}
                case "save":
                    peer.save(request["path"], outputs)
                    answer = {}
                case "memory":
                    answer = {"peak": peak()}
                case other:
                    answer = {"error": f"there is no command {other}"}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
