"""Times the same networks with the same weights in PyTorch, ONNX Runtime and Mien, alternately.

    python benches/peers/peers.py [--networks ...] [--threads 1,2] [--rounds 7] [--json FILE]
    python benches/peers/peers.py --resolutions 64,128,256,512,1024

Each runs in a separate process. In a round each of them draws a few frames; ratios are those of a round's medians, with
the smallest and the largest of all rounds. The results must agree with those of PyTorch on the CPU.
`requirements.txt` lists the Python packages; cargo builds Mien's side in release mode.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from cases import CASES, METHODS, arguments, at_resolution, make
from report import NAMES, scaling, speed, use
from safetensors.torch import load_file, save_file
from torch.utils.flop_counter import FlopCounterMode

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOLERANCE = 1e-3
# Where a flow points to just outside the picture's edge, rounding decides whether a pixel is black.
OUTLIERS = 1e-4
# Seconds: a runtime's idle threads spin for a while and slow down the next one.
PAUSE = 0.05


class Failed(Exception):
    """A peer can't execute a command."""


class Peer:
    """A process that executes commands."""

    def __init__(self, name, command, environment):
        self.name = name
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | environment
        )

    def ask(self, **request):
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{NAMES[self.name]}'s process ended with {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(f"{NAMES[self.name]}: {answer['error']}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def start(name, threads, options):
    device, count = options.device, str(threads)
    if name == "torch":
        command = [sys.executable, HERE / "peer_torch.py", count, device] + ["--tf32"] * options.tf32
        return Peer(name, command, {"OMP_NUM_THREADS": count})
    if name == "onnx":
        return Peer(name, [sys.executable, HERE / "peer_onnx.py", count], {})
    return Peer(name, [options.mien, "--device", device] + ["--half"] * options.half, {"RAYON_NUM_THREADS": count})


def build(device):
    """Builds Mien's side in release mode and returns its path."""
    command = ["cargo", "bench", "--bench", "peer", "--no-run", "--message-format", "json"]
    command += ["--features", "cudnn"] if device == "cuda" else []
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    for message in map(json.loads, lines):
        if message.get("target", {}).get("name") == "peer" and message.get("executable"):
            return message["executable"]
    raise Failed("cargo built no bench of the name peer")


@torch.no_grad()
def lay_down(name, method, config, folder, names):
    """Writes the weights, the inputs and the graphs of a network; returns the GFLOP of a frame."""
    module, inputs = make(method, config)
    with FlopCounterMode(display=False) as counter:
        outputs = module(*arguments(module, inputs))
    outputs = {key: value.contiguous() for key, value in zip(module.outputs, outputs, strict=True)}
    save_file(outputs, folder / "expected.safetensors")
    state = {key: value.contiguous() for key, value in module.state_dict().items()}
    save_file(state, folder / "state.safetensors")
    prefix = "network."
    weights = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    weights = {key: value for key, value in weights.items() if not key.endswith("num_batches_tracked")}
    save_file(weights, folder / "weights.safetensors")
    save_file({key: value.contiguous() for key, value in inputs.items()}, folder / "inputs.safetensors")
    if "onnx" in names:
        from export_onnx import export

        export(method, module, inputs, folder)
    return counter.get_total_flops() / 1e9


def difference(folder, name, strict):
    """The largest error of a peer's last frame, and the fraction of values beyond the tolerance."""
    expected = load_file(folder / "expected.safetensors")
    outputs = load_file(folder / f"{name}.safetensors")
    apart = torch.cat([(outputs[key].float() - value).abs().flatten() for key, value in expected.items()])
    found = {"most": apart.max().item(), "beyond": (apart > TOLERANCE).double().mean().item()}
    # NaN is beyond any tolerance, too.
    found["wrong"] = not found["most"] < torch.inf or (strict and found["beyond"] > OUTLIERS)
    return found


def compare(name, method, config, threads, options):
    """Runs all rounds of a network with this number of threads."""
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        folder = Path(folder)
        gflop = lay_down(name, method, config, folder, options.peers)
        result = {"network": name, "threads": threads, "gflop": gflop, "peers": {}, "apart": {}}
        peers = []
        try:
            for peer_name in options.peers:
                peer = start(peer_name, threads, options)
                peers.append(peer)
                loaded = peer.ask(command="load", folder=str(folder), method=method, config=config)
                first = peer.ask(command="run", frames=2)["ns"][-1]
                # About half a second per round.
                frames = options.frames or max(1 if first > 2e9 else 3, min(200, round(0.5e9 / first)))
                result["peers"][peer_name] = {"loaded": loaded, "frames": frames, "ns": []}
            for _ in range(options.rounds):
                for peer in peers:
                    time.sleep(PAUSE)
                    own = result["peers"][peer.name]
                    answer = peer.ask(command="run", frames=own["frames"])
                    own["ns"].append(answer.pop("ns"))
                    own |= answer
            for peer in peers:
                peer.ask(command="save", path=str(folder / f"{peer.name}.safetensors"))
                result["peers"][peer.name]["peak"] = peer.ask(command="memory")["peak"]
                rounds = {"torch": options.tf32, "mien": options.half}
                strict = not rounds.get(peer.name, False)
                result["apart"][peer.name] = difference(folder, peer.name, strict)
        finally:
            for peer in peers:
                peer.close()
        return result


def peak_gflops(threads):
    """The peak of this machine's cores, by PyTorch's fastest product of two 2048x2048 matrices."""
    code = (
        "import time, torch\n"
        f"torch.set_num_threads({threads})\n"
        "a, b = torch.randn(2, 2048, 2048).unbind()\n"
        "times = []\n"
        "for _ in range(8):\n"
        "    start = time.perf_counter(); a @ b; times.append(time.perf_counter() - start)\n"
        "print(2 * 2048**3 / min(times) / 1e9)\n"
    )
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return float(run.stdout)


def machine(device):
    """The name of the CPU or GPU."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    fields = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    sets = [name for name in ("avx2", "avx512f") if name in fields.get("flags", "").split()]
    return ", ".join([fields.get("model name", "unknown processor"), f"{os.cpu_count()} cores", *sets])


def keep(results, peaks, options):
    """Writes all measurements so far, to a temporary file that then replaces the output."""
    if options.json:
        whole = {"machine": machine(options.device), "peak": peaks, "results": results}
        beside = options.json.with_name(f"{options.json.name}.part")
        beside.write_text(json.dumps(whole, indent=1))
        beside.replace(options.json)


def numbers(text):
    return [int(part) for part in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=CASES, default=list(CASES), metavar="NAME", help=", ".join(CASES))
    parser.add_argument("--resolutions", type=numbers, help="GANimation 64 and FOMM at these sizes instead")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=["ganimation", "fomm"], help="for --resolutions")
    parser.add_argument("--peers", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--threads", type=numbers, default=[2])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--frames", type=int, help="of a turn; by default half a second's")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--tf32", action="store_true", help="let PyTorch round to TensorFloat-32 on CUDA")
    parser.add_argument("--half", action="store_true", help="half precision in Mien; on the CPU only its error is of use")
    parser.add_argument("--mien", help="a built bench; else cargo builds it")
    parser.add_argument("--json", type=Path, help="where all the times go")
    options = parser.parse_args()
    if options.device != "cpu":
        options.peers = [name for name in options.peers if name != "onnx"]
    if "mien" in options.peers and options.mien is None:
        options.mien = build(options.device)

    if options.resolutions:
        cases = {}
        for method in options.methods:
            for size in options.resolutions:
                # Below 128 the published network's hourglass has too many levels; above 512 memory runs out.
                if method == "ganimation" or 128 <= size <= 512:
                    cases[f"{method}@{size}"] = at_resolution(method, size)
    else:
        cases = {name: CASES[name] for name in options.networks}

    def measure():
        return {threads: peak_gflops(threads) for threads in options.threads} if options.device == "cpu" else {}

    peaks = measure()
    results, failed = [], False
    for name, (method, config) in cases.items():
        for threads in options.threads:
            try:
                result = compare(name, method, config, threads, options)
            except Failed as error:
                result, failed = {"network": name, "threads": threads, "failed": str(error)}, True
            for peer, apart in result.get("apart", {}).items():
                if apart["wrong"]:
                    print(f"{NAMES[peer]} draws {name} otherwise: {apart}", file=sys.stderr)
                    failed = True
            results.append(result)
            keep(results, peaks, options)
            print(speed([result], options.peers).splitlines()[-1], file=sys.stderr, flush=True)
    # Measured again: the machine may have been busier at the beginning.
    peaks = {threads: max(gflops, peaks[threads]) for threads, gflops in measure().items()}
    keep(results, peaks, options)

    print(f"{machine(options.device)}; medians (least) of {options.rounds} rounds")
    for threads, gflops in peaks.items():
        print(f"peak with {threads} threads: {gflops:.0f} GFLOP/s, PyTorch's product of 2048x2048 matrices")
    for table in (speed(results, options.peers), use(results, options.peers, peaks), scaling(results, options.peers)):
        if table:
            print(f"\n{table}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
