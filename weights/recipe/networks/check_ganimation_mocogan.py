"""Compares these networks with the authors' own outputs for the same procedural weights and inputs.

    python -m networks.check_ganimation_mocogan PARITY

PARITY holds ganimation.safetensors and mocogan.safetensors. Fails if anything differs by more than 1e-3.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

from networks import ganimation, mocogan
from networks.procedural import fill, image, uniform

MOST = 1e-3


@torch.no_grad()
def ganimation_outputs():
    generator, critic = ganimation.Generator(conv_dim=64), ganimation.Critic()
    fill(generator)
    fill(critic, "critic.")
    x = image("portrait", (2, 3, 128, 128)) * 2 - 1
    aus = torch.from_numpy((uniform("aus", 34) + 1) / 2).reshape(2, 17)
    color, attention = generator(x, aus)
    result = ganimation.blend(x, color, attention)
    # The critic judges the generator's result, not the portrait.
    real, regressed = critic(result)
    found = {"color": color, "attention": attention, "result": result}
    return found | {"critic.real": real.squeeze(1), "critic.aus": regressed}


@torch.no_grad()
def mocogan_outputs():
    generator = fill(mocogan.Generator())
    content = torch.from_numpy(1.7 * uniform("z_content", 50))[None]
    category = torch.nn.functional.one_hot(torch.tensor([2]), 6).float()
    h0 = torch.from_numpy(1.7 * uniform("h0", 10))[None]
    epsilon = torch.from_numpy(1.7 * uniform("epsilon", 160)).reshape(1, 16, 10)
    return {
        "z_motion": generator.motion(h0, epsilon)[0],
        "frames": generator(content, category, h0, epsilon)[0],
    }


def main():
    folder, good = Path(sys.argv[1]), True
    for name, found in (("ganimation", ganimation_outputs()), ("mocogan", mocogan_outputs())):
        for key, wanted in load_file(folder / f"{name}.safetensors").items():
            off = (found[key] - wanted).abs().max().item()
            good &= off <= MOST
            print(f"{name} {key}: largest difference {off:.2e}")
    sys.exit(not good)


if __name__ == "__main__":
    main()
