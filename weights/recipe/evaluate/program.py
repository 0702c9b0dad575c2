"""Runs the `mien` program: the weights are measured as an artist meets them, not as a network in PyTorch."""

import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Pictures in one call of `mien face`: starting the program costs more than reading a picture.
CHUNK = 64


class Failed(Exception):
    """What the program said when it didn't do what it was asked."""


class Program:
    """The program, several at a time. Each takes one core, which does more in all than one after the other on all cores."""

    def __init__(self, path, workers=None):
        self.path = str(Path(path).resolve())
        self.workers = workers or os.cpu_count() or 1
        # Weights and presets of whoever runs this must not count.
        self._data = tempfile.TemporaryDirectory()
        threads = max(1, (os.cpu_count() or 1) // self.workers)
        self._environment = os.environ | {"MIEN_DATA_DIR": self._data.name, "RAYON_NUM_THREADS": str(threads)}

    def call(self, *arguments):
        """Runs one command; what it printed. Raises Failed with its own sentence."""
        command = [self.path, *map(str, arguments)]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"mien {' '.join(map(str, arguments[:3]))} ...: {done.stderr.strip()}")
        return done.stdout

    def each(self, work, items):
        """`work(item)` of every item, several at a time, in the items' order."""
        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(work, items))

    def call_all(self, commands):
        """Runs every command."""
        return self.each(lambda command: self.call(*command), commands)

    def faces(self, paths, neutral=None):
        """The largest face of every picture as `mien face --json --landmarks` tells it, or None; Action Units are read against
        the relaxed face in `neutral`, where one is given."""
        against = ["--neutral", neutral] if neutral else []
        chunks = [paths[i : i + CHUNK] for i in range(0, len(paths), CHUNK)]

        def read(chunk):
            told = json.loads(self.call("face", "--json", "--landmarks", *against, "--", *chunk))
            told = told if isinstance(told, list) else [told]
            return [portrait["faces"][0] if portrait["faces"] else None for portrait in told]

        return [face for chunk in self.each(read, chunks) for face in chunk]


def numbered(path, number):
    """The name of frame `number`, from 1 on, of a sequence that was written as `path`."""
    path = Path(path)
    return path.with_name(f"{path.stem}_{number:04d}{path.suffix}")
