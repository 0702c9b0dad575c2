"""A variational encoder for training MoCoGAN's generator: infers the codes of a real clip.

With critics alone, a generator of moving faces takes long to learn eyes and mouths. Here the generator also reconstructs real
clips: their content is inferred from the first frames, where the face is at rest, their motion from all frames, and their
category is known. The codes are kept close to the normal distribution from which clips are sampled (Kingma and Welling 2014), and
samples are judged by the critics as before (Larsen et al. 2016).
"""

import torch
from torch import nn
from torch.nn import functional as F

FIRST = 3
"""Frames that the content is read from."""
PIXELS, CONTENT, MOTION = 12.0, 0.012, 0.004
"""Weights of the likeness and of the two divergences, in nats."""


class Encoder(nn.Module):
    """Clips (B, T, 3, 64, 64) -> mean and log variance of content (B, C), of h0 (B, M) and of the noise (B, T, M)."""

    def __init__(self, content, motion, width=32):
        super().__init__()

        def tower(inputs):
            layers = []
            for k, outputs in enumerate((width, 2 * width, 4 * width, 8 * width)):
                layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.GroupNorm(8, outputs), nn.LeakyReLU(0.2)]
                inputs = outputs
            return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs * 16, 256), nn.LeakyReLU(0.2))

        self.who, self.how = tower(3), tower(6)
        self.content = nn.Linear(256, 2 * content)
        self.along = nn.Sequential(nn.Conv1d(256, 128, 3, 1, 1), nn.LeakyReLU(0.2))
        self.start, self.steps = nn.Linear(128, 2 * motion), nn.Conv1d(128, 2 * motion, 1)
        for last in (self.content, self.start, self.steps):
            nn.init.normal_(last.weight, 0, 0.01)
            nn.init.zeros_(last.bias)

    def forward(self, clips):
        count, frames = clips.shape[:2]
        rest = clips[:, :FIRST].mean(1)
        content = self.content(self.who(rest))
        seen = torch.cat([clips, clips - rest[:, None]], 2).flatten(0, 1)
        along = self.along(self.how(seen).unflatten(0, (count, frames)).transpose(1, 2))
        return content, self.start(along.mean(2)), self.steps(along).transpose(1, 2)


def drawn(code, dice):
    """Samples the normal distribution with mean and log variance `code` (..., 2 n); also returns its KL divergence in nats."""
    mean, spread = code.float().chunk(2, -1)
    spread = spread.clamp(-8, 4)
    sample = mean + dice.normal(tuple(mean.shape)) * (0.5 * spread).exp()
    divergence = 0.5 * (mean.square() + spread.exp() - 1 - spread)
    return sample, divergence.flatten(1).sum(1).mean()


def alike(made, real):
    """L1 at three scales, with double weight on the middle of the face."""
    height, width = made.shape[-2:]
    y = torch.linspace(-1, 1, height, device=made.device)[:, None]
    x = torch.linspace(-1, 1, width, device=made.device)[None]
    weight = 1 + 2 * torch.exp(-((x / 0.45) ** 2 + ((y + 0.05) / 0.55) ** 2))
    off, loss = (made - real).flatten(0, 1), 0.0
    weight = (weight / weight.mean())[None, None]
    for _ in range(3):
        loss = loss + (off.abs() * weight).mean()
        off, weight = F.avg_pool2d(off, 2), F.avg_pool2d(weight, 2)
    return loss / 3


def again(run, generator, encoder, clips, codes):
    """Returns the loss of reconstructing clips (B, T, 3, H, W) with their category codes (B, 6), and its logged parts."""
    with run.autocast():
        content, start, steps = encoder(clips)
    content, who = drawn(content, run.dice)
    start, first = drawn(start, run.dice)
    steps, rest = drawn(steps, run.dice)
    with run.autocast():
        made = generator(content, codes, start, steps).float()
    likeness = alike(made, clips)
    loss = PIXELS * likeness + run.ramp(0.0, 0.1) * (CONTENT * who + MOTION * (first + rest))
    return loss, {"again": likeness, "nats_content": who, "nats_motion": first + rest}
