"""Evaluates the exported weights through the program: `python -m evaluate --mien PATH --weights FOLDER --data DATA --out OUT`."""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from . import clips, following, ganimation, mocogan, motion
from .embedding import embedding
from .program import Program

FILES = {
    "ganimation": "ganimation-128.safetensors",
    "fomm": "fomm-128.safetensors",
    "tps": "tps-128.safetensors",
    "mocogan": "mocogan-64.safetensors",
}

# An evaluation across models: how all methods follow a clip's face; and the number of portraits for it.
FOLLOWING, FOLLOWERS = "following", 4

# Every 22nd identity was held out of training.
HELD_OUT = 22


def main():
    words = argparse.ArgumentParser(prog="evaluate", description=__doc__)
    words.add_argument("--mien", required=True, help="the program, built for release")
    words.add_argument("--weights", required=True, type=Path, help="the folder of the exported weights")
    words.add_argument("--data", required=True, type=Path, help="the folder of the portraits and clips")
    words.add_argument("--out", required=True, type=Path, help="where figures and contact sheets go")
    words.add_argument("--only", action="append", choices=[*FILES, FOLLOWING], help="one model, or how all follow clips; may be given again")
    words.add_argument("--portraits", type=Path, help="a folder of portraits in place of the held-out ones of the data")
    words.add_argument("--clips", type=Path, action="append", default=[], help="a folder of further clips, such as rendered ones")
    words.add_argument("--people", type=int, help="at most so many portraits")
    words.add_argument("--steps", type=int, default=5, help="steps from 0 to 1 of each Action Unit")
    words.add_argument("--seeds", type=int, default=16, help="clips of each of MoCoGAN's categories")
    words.add_argument("--workers", type=int, help="programs at a time; as many as cores if not given")
    words.add_argument("--work", type=Path, help="keeps the pictures here")
    asked = words.parse_args()

    program = Program(asked.mien, asked.workers)
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        work = (asked.work or Path(folder)).resolve()
        runs = None
        for name in asked.only or [*FILES, FOLLOWING]:
            if name == FOLLOWING:
                place = work / name
                place.mkdir(parents=True, exist_ok=True)
                print(f"## {name}\n", flush=True)
                follow(program, asked, place)
                continue
            weights, place, begun = (asked.weights / FILES[name]).resolve(), work / name, time.monotonic()
            if not weights.exists():
                print(f"{name}: {weights.name} isn't there, left out", flush=True)
                continue
            place.mkdir(parents=True, exist_ok=True)
            print(f"## {name}\n", flush=True)
            if name == "ganimation":
                people = portraits(asked)[: asked.people]
                ganimation.evaluate(program, weights, people, place, asked.out, embedding(), asked.steps)
            elif name == "mocogan":
                mocogan.evaluate(program, weights, place, asked.out, embedding(), asked.seeds)
            else:
                runs = runs or motion.runs_of(program, asked.data, asked.clips, work / "runs")
                motion.evaluate(program, name, weights, runs, place, asked.out)
            print(f"{name}: {time.monotonic() - begun:.0f} s\n", flush=True)


def follow(program, asked, place):
    """Evaluates how well every method follows a clip's face."""
    weights = {name: (asked.weights / FILES[name]).resolve() for name in ("ganimation", "fomm", "tps")}
    weights = {name: path for name, path in weights.items() if path.exists()}
    people = portraits(asked)[: asked.people or FOLLOWERS]
    following.evaluate(program, weights, people, clips.find(asked.data, asked.clips) + clips.talking(asked.data), place, asked.out)


def portraits(asked):
    """Returns the portraits of people held out of training."""
    if asked.portraits:
        files = sorted(path for path in asked.portraits.iterdir() if path.suffix.lower() in {".png", ".jpg", ".jpeg"})
    else:
        listed = np.load(asked.data / "portraits/us-congress.npz")["files"]
        files = [asked.data / "portraits/us-congress" / str(name) for name in listed[HELD_OUT - 1 :: HELD_OUT]]
    return [path.resolve() for path in files]


if __name__ == "__main__":
    main()
