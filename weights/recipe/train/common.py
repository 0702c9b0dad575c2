"""Shared code of the training scripts: arguments, the run's budget, the pool of pictures, averages, checkpoints, logs, sheets.

A script is structured like

    arguments = parser("ganimation", steps=40_000, batch=48).parse_args()
    run = Run("ganimation", arguments)
    pool = Pool(run.work / "expressions", ("pictures", "units"), run.device)
    optimiser = adam(network.parameters(), 2e-4)
    average = Average(network)
    run.keep(network=network, optimiser=optimiser, average=average)     # what a checkpoint holds
    run.outputs(export=write_weights, sheet=draw_sheet)                 # export(path), sheet() -> picture
    for step in run.steps():                                            # resumes, checkpoints, snapshots, ends in time
        take = run.dice.integers(len(pool), (run.batch,))
        set_rate(optimiser, 2e-4 * run.cosine(warm_up=0.02))
        with run.autocast():
            ...
        run.descend(optimiser, loss, clip=1.0)
        average.update(network)
        run.log(loss=loss)                                              # no sync; averaged every 10 s
"""

import argparse
import contextlib
import copy
import json
import math
import os
import signal
import time
from pathlib import Path

import numpy as np
import torch

from train.pictures import sheet, to_bytes, write_picture  # noqa: F401  (scripts take them from here)

LOG_SECONDS = 10.0
STATE_SECONDS = 60.0
LOG_EVERY = 4  # interval in steps between the losses that are averaged


def parser(name, steps, batch):
    """The arguments shared by all scripts; a script adds its own."""
    p = argparse.ArgumentParser(prog=f"python -m train.{name}", description=f"Trains {name}.")
    p.add_argument("--work", type=Path, required=True, help="the folder that faces.make filled; checkpoints go there too")
    p.add_argument("--out", type=Path, help="where weights, log and contact sheet go (WORK/NAME)")
    p.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    p.add_argument("--steps", type=int, default=steps, help="steps at most, those of earlier sittings included")
    p.add_argument("--minutes", type=float, default=math.inf, help="minutes at most, those of earlier sittings included")
    p.add_argument("--sitting", type=float, default=math.inf, help="minutes at most of this sitting; --resume goes on")
    p.add_argument("--batch", type=int, default=batch)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--resume", action="store_true", help="goes on from WORK/NAME/state.pt, if it is there")
    p.add_argument("--init", type=Path, help="exported weights to start from")
    p.add_argument("--begin", type=float, default=0.0, help="the progress at which the run counts as begun, for weights that have learnt before")
    p.add_argument("--snapshot", type=float, default=math.inf, help="seconds between exports and sheets on the way")
    p.add_argument("--precision", choices=("auto", "bf16", "fp32"), default="auto")
    p.add_argument("--threads", type=int, default=0, help="PyTorch's threads on the CPU")
    return p


class Pool:
    """A folder of npy arrays, indexed a batch at a time.

    Is copied to the device if it fits in a third of the free memory; otherwise it stays memory-mapped on the host.
    """

    def __init__(self, folder, names, device):
        folder, self.device = Path(folder), torch.device(device)
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="c") for name in names}
        size = sum(array.nbytes for array in arrays.values())
        fits = self.device.type == "cuda" and size < torch.cuda.mem_get_info(self.device)[0] / 3
        self.home = self.device if fits else torch.device("cpu")
        self.arrays = {name: self._place(array) for name, array in arrays.items()}
        lengths = {len(array) for array in arrays.values()}
        if len(lengths) != 1:
            raise ValueError(f"the arrays in {folder} have different lengths: {sorted(lengths)}")
        self.length = lengths.pop()

    def _place(self, array):
        host = torch.from_numpy(array)
        if self.home.type == "cpu":
            return host
        placed = torch.empty(host.shape, dtype=host.dtype, device=self.home)
        step = max(1, (256 << 20) // max(1, host[0].numel() * host.element_size()))
        for start in range(0, len(host), step):
            placed[start : start + step] = host[start : start + step].to(self.home)
        return placed

    def __len__(self):
        return self.length

    def shape(self, name):
        return tuple(self.arrays[name].shape)

    def get(self, name, *indices):
        """Returns `array[indices]` on the device, in the array's type; indices are integer tensors of one shape."""
        array = self.arrays[name]
        found = array[tuple(i.to(array.device) for i in indices)]
        if found.device.type != self.device.type:
            found = found.pin_memory()
            found = found.to(self.device, non_blocking=True)
        return found

    def pictures(self, *indices, name="pictures"):
        """Returns pictures in [-1, 1], float32, channels last."""
        found = self.get(name, *indices)
        shape = found.shape
        found = found.reshape(-1, *shape[-3:]).to(torch.float32, memory_format=torch.channels_last)
        return found.div_(127.5).sub_(1).view(shape) if len(shape) == 4 else found.div_(127.5).sub_(1).reshape(shape)


class Dice:
    """Random numbers on the device, reproducible from the seed, with their state in checkpoints."""

    def __init__(self, seed, device):
        self.device = torch.device(device)
        self.generator = torch.Generator(self.device).manual_seed(seed)

    def uniform(self, shape, low=0.0, high=1.0):
        return torch.rand(shape, generator=self.generator, device=self.device) * (high - low) + low

    def normal(self, shape):
        return torch.randn(shape, generator=self.generator, device=self.device)

    def integers(self, below, shape):
        return torch.randint(below, tuple(shape), generator=self.generator, device=self.device)

    def chosen(self, weights, count):
        """Samples `count` indices with these weights `[N]` (or `[B, N]`: `[B, count]`), with replacement."""
        return torch.multinomial(weights, count, replacement=True, generator=self.generator)

    def coin(self, shape, chance=0.5):
        return self.uniform(shape) < chance

    def state_dict(self):
        return {"generator": self.generator.get_state()}

    def load_state_dict(self, state):
        self.generator.set_state(state["generator"].cpu())


class Average:
    """The exponential moving average of a network's weights and floating-point buffers, in `network`; this is exported."""

    def __init__(self, network, most=0.999):
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.most, self.updates = most, 0

    @torch.no_grad()
    def update(self, network):
        self.updates += 1
        decay = min(self.most, (1 + self.updates) / (10 + self.updates))
        mine, theirs = self._floats(self.network), self._floats(network)
        torch._foreach_lerp_(mine, theirs, 1 - decay)

    @staticmethod
    def _floats(network):
        return [t for t in (*network.parameters(), *network.buffers()) if t.dtype.is_floating_point]

    def state_dict(self):
        return {"network": self.network.state_dict(), "updates": self.updates}

    def load_state_dict(self, state):
        self.network.load_state_dict(state["network"])
        self.updates = state["updates"]


def adam(parameters, rate, betas=(0.5, 0.999), decay=0.0):
    """Adam in its fused form, which can skip a step without synchronising with the CPU."""
    parameters = [p for p in parameters if p.requires_grad]
    return torch.optim.Adam(parameters, lr=rate, betas=betas, weight_decay=decay, fused=True)


def set_rate(optimiser, rate):
    for group in optimiser.param_groups:
        group["lr"] = rate


class Run:
    """One training run: its budget, random numbers, checkpoints, log and outputs."""

    def __init__(self, name, arguments):
        self.name, self.arguments = name, arguments
        self.device = torch.device(arguments.device)
        self.work, self.batch = Path(arguments.work), arguments.batch
        self.out = Path(arguments.out or self.work / name)
        self.state_path = self.work / name / "state.pt"
        self.out.mkdir(parents=True, exist_ok=True)
        self.state_path.parent.mkdir(parents=True, exist_ok=True)
        if arguments.threads:
            torch.set_num_threads(arguments.threads)
        cuda = self.device.type == "cuda"
        if cuda:
            torch.backends.cuda.matmul.allow_tf32 = True
            torch.backends.cudnn.allow_tf32 = True
            torch.backends.cudnn.benchmark = True
        can = cuda or torch.cpu._is_avx512_bf16_supported()
        self.half = arguments.precision == "bf16" or (arguments.precision == "auto" and can)
        torch.manual_seed(arguments.seed)
        np.random.seed(arguments.seed)
        self.dice = Dice(arguments.seed, self.device)
        self.step, self.before, self.began = 0, 0.0, time.monotonic()
        self.kept, self.export, self.sheet = {}, None, None
        self.skipped = torch.zeros((), device=self.device)
        self.lines, self.logged_at, self.logged_step = [], time.monotonic(), 0
        self.stop = False

    # --- the budget ---

    @property
    def elapsed(self):
        """Returns the elapsed minutes, including those before the run was resumed."""
        return self.before + (time.monotonic() - self.began) / 60

    @property
    def progress(self):
        """Returns the progress from `--begin` to 1, by steps or by minutes, whichever is further."""
        done = min(1.0, max(self.step / max(1, self.arguments.steps), self.elapsed / self.arguments.minutes))
        return self.arguments.begin + (1 - self.arguments.begin) * done

    def ramp(self, start, end):
        """Returns 0 before `start` of the progress, 1 after `end`, linear between."""
        return min(1.0, max(0.0, (self.progress - start) / max(1e-9, end - start)))

    def cosine(self, warm_up=0.02, least=0.02, warm_steps=200):
        """The rate's factor: linear warm-up over the first share (or `warm_steps` if that is sooner), then cosine decay."""
        rise = min(1.0, max((self.step + 1) / warm_steps, self.progress / warm_up))
        fall = least + (1 - least) * 0.5 * (1 + math.cos(math.pi * self.progress))
        return max(rise, 1e-3) * fall

    def _ended(self):
        sitting = (time.monotonic() - self.began) / 60
        return self.stop or self.progress >= 1.0 or sitting >= self.arguments.sitting

    # --- the loop ---

    def keep(self, **parts):
        """Registers the contents of a checkpoint: anything with state_dict and load_state_dict."""
        self.kept = parts

    def outputs(self, export, sheet=None):
        """`export(path)` writes the weights, `sheet()` returns an RGB picture (H, W, 3) uint8."""
        self.export, self.sheet = export, sheet

    def steps(self):
        """Counts the steps from 0 or from the checkpoint; writes the outputs periodically and at the end."""
        if self.arguments.resume and self.state_path.exists():
            self._load()
        else:
            (self.out / f"{self.name}.jsonl").unlink(missing_ok=True)
        handlers = {s: signal.signal(s, self._asked_to_stop) for s in (signal.SIGINT, signal.SIGTERM)}
        self.logged_at, self.logged_step = time.monotonic(), self.step
        saved_at = shown_at = time.monotonic()
        while not self._ended():
            yield self.step
            self.step += 1
            now = time.monotonic()
            if now - self.logged_at >= LOG_SECONDS:
                self._write_line()
            if now - saved_at >= STATE_SECONDS:
                self.save()
                saved_at = time.monotonic()
            if now - shown_at >= self.arguments.snapshot:
                self.write()
                shown_at = time.monotonic()
        self._write_line()
        self.write()
        self.save()
        for number, handler in handlers.items():
            signal.signal(number, handler)

    def _asked_to_stop(self, *_):
        self.stop = True

    def autocast(self):
        if not self.half:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def descend(self, optimiser, loss, clip=1.0):
        """One optimiser step on `loss`, with the gradient clipped to this norm; a non-finite gradient is skipped and counted."""
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        return self.move(optimiser, clip)

    def move(self, optimiser, clip=1.0):
        """One optimiser step on the existing gradients; returns their norm."""
        gradients = [p.grad for group in optimiser.param_groups for p in group["params"] if p.grad is not None]
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)).float())
        finite = torch.isfinite(norm)
        # The fused optimiser divides by grad_scale and skips the step where found_inf is 1.
        optimiser.grad_scale = torch.where(finite, (norm / clip).clamp(min=1.0), 1.0)
        optimiser.found_inf = (~finite).float()
        optimiser.step()
        self.skipped += optimiser.found_inf
        return norm

    # --- the log ---

    def log(self, **values):
        """Logs losses of this step: tensors stay on the device until the line is written."""
        if self.step % LOG_EVERY == 0:
            self.lines.append({k: v.detach().float() if torch.is_tensor(v) else v for k, v in values.items()})

    def _write_line(self):
        if self.step == self.logged_step:
            return
        now = time.monotonic()
        sums = {}
        for line in self.lines:
            for name, value in line.items():
                sums.setdefault(name, []).append(value)
        means = {}
        for name, values in sums.items():
            numbers = torch.stack([torch.as_tensor(v, dtype=torch.float32, device=self.device) for v in values])
            means[name] = float(f"{numbers.mean().item():.4g}")
        seconds = max(1e-6, now - self.logged_at)
        rate = (self.step - self.logged_step) * self.batch / seconds
        line = {"step": self.step, "progress": round(self.progress, 4), "minutes": round(self.elapsed, 2)}
        line |= {"per_second": round(rate, 1), "skipped": int(self.skipped.item()), **means}
        text = json.dumps(line)
        print(f"{self.name} {text}", flush=True)
        with open(self.out / f"{self.name}.jsonl", "a") as file:
            file.write(text + "\n")
        self.lines, self.logged_at, self.logged_step = [], now, self.step

    # --- what is written ---

    def write(self):
        """Writes the current weights and contact sheet."""
        if self.export:
            size = self.export(self.out / f"{self.name}.safetensors")
            print(f"{self.name}: {self.name}.safetensors, {size or 0:,} bytes, step {self.step}", flush=True)
        if self.sheet:
            write_picture(self.out / f"{self.name}.png", self.sheet())

    def save(self):
        """Writes the checkpoint through a temporary file."""
        state = {"step": self.step, "minutes": self.elapsed, "dice": self.dice.state_dict()}
        state |= {"torch": torch.get_rng_state(), "numpy": np.random.get_state()}
        if self.device.type == "cuda":
            state["cuda"] = torch.cuda.get_rng_state(self.device)
        state["parts"] = {name: part.state_dict() for name, part in self.kept.items()}
        temporary = self.state_path.with_name(f"state.pt.{os.getpid()}.part")
        torch.save(state, temporary)
        os.replace(temporary, self.state_path)

    def _load(self):
        state = torch.load(self.state_path, map_location="cpu", weights_only=False)
        for name, part in self.kept.items():
            part.load_state_dict(state["parts"][name])
        self.step, self.before, self.began = state["step"], state["minutes"], time.monotonic()
        self.dice.load_state_dict(state["dice"])
        torch.set_rng_state(state["torch"])
        np.random.set_state(state["numpy"])
        if "cuda" in state and self.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"], self.device)
        print(f"{self.name}: goes on from step {self.step}, minute {self.before:.2f}", flush=True)
