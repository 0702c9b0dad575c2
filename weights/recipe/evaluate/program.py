"""Runs the `mien` program: the weights are evaluated as an artist uses them, not as a network in PyTorch."""

import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Pictures per call of `mien face`: starting the program costs more than reading a picture.
CHUNK = 64


class Failed(Exception):
    """The program's error message."""


class Program:
    """Runs the program in parallel. Each process uses one core, which has a higher throughput than one process on all cores."""

    def __init__(self, path, workers=None):
        self.path = str(Path(path).resolve())
        self.workers = workers or os.cpu_count() or 1
        # The user's own weights and presets must not be used.
        self._data = tempfile.TemporaryDirectory()
        threads = max(1, (os.cpu_count() or 1) // self.workers)
        self._environment = os.environ | {"MIEN_DATA_DIR": self._data.name, "RAYON_NUM_THREADS": str(threads)}

    def call(self, *arguments):
        """Runs one command and returns its output. Raises Failed with its error message."""
        command = [self.path, *map(str, arguments)]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"mien {' '.join(map(str, arguments[:3]))} ...: {done.stderr.strip()}")
        return done.stdout

    def each(self, work, items):
        """Returns `work(item)` for every item, in the items' order; runs several at a time."""
        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(work, items))

    def call_all(self, commands):
        """Runs every command."""
        return self.each(lambda command: self.call(*command), commands)

    def faces(self, paths, neutral=None):
        """Returns the largest face of every picture as output by `mien face --json --landmarks`, or None; Action Units are
        read relative to the relaxed face in `neutral`, if given."""
        against = ["--neutral", neutral] if neutral else []
        chunks = [paths[i : i + CHUNK] for i in range(0, len(paths), CHUNK)]

        def read(chunk):
            portraits = json.loads(self.call("face", "--json", "--landmarks", *against, "--", *chunk))
            portraits = portraits if isinstance(portraits, list) else [portraits]
            return [portrait["faces"][0] if portrait["faces"] else None for portrait in portraits]

        return [face for chunk in self.each(read, chunks) for face in chunk]


def numbered(path, number):
    """Returns the name of frame `number`, from 1, of a sequence that was written as `path`."""
    path = Path(path)
    return path.with_name(f"{path.stem}_{number:04d}{path.suffix}")
