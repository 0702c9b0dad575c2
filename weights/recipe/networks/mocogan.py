"""MoCoGAN (Tulyakov et al., CVPR 2018): the generator with the authors' own keys, and the critics that train it.

A frame is generated from z = [content | category | motion]; the motion codes are the states of a GRU driven by noise (Eq. 3).
"""

import torch
from torch import nn
from torch.nn import functional as F


class Generator(nn.Module):
    """Frames (B, T, 3, 64, 64) in [-1, 1] from content (B, content), category (B, category) and the motion's noise."""

    def __init__(self, content=50, category=6, motion=10, ngf=64, channels=3):
        super().__init__()
        self.config = {"content": content, "category": category, "motion": motion, "ngf": ngf}
        self.config |= {"image_size": 64, "channels": channels}
        self.recurrent = nn.GRUCell(motion, motion)
        layers, inputs = [], content + category + motion
        for i, times in enumerate((8, 4, 2, 1)):
            stride, padding = (1, 0) if i == 0 else (2, 1)
            layers += [
                nn.ConvTranspose2d(inputs, times * ngf, 4, stride, padding, bias=False),
                nn.BatchNorm2d(times * ngf),
                nn.ReLU(inplace=True),
            ]
            inputs = times * ngf
        layers += [nn.ConvTranspose2d(ngf, channels, 4, 2, 1, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers)

    def start(self):
        """DCGAN's initialisation: N(0, 0.02) kernels, N(1, 0.02) scales."""
        for module in self.main:
            if isinstance(module, nn.ConvTranspose2d):
                nn.init.normal_(module.weight, 0.0, 0.02)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1.0, 0.02)
        return self

    def motion(self, h0, epsilon):
        """h0 (B, motion) and epsilon (B, T, motion) give the codes (B, T, motion); h0 itself is not used for a frame."""
        codes, state = [], h0
        with torch.autocast(h0.device.type, enabled=False):
            for noise in epsilon.unbind(1):
                state = self.recurrent(noise, state)
                codes.append(state)
        return torch.stack(codes, 1)

    def forward(self, content, category, h0, epsilon):
        motion = self.motion(h0, epsilon)
        clips, frames = motion.shape[:2]
        fixed = torch.cat([content, category], 1)[:, None].expand(-1, frames, -1)
        z = torch.cat([fixed, motion], 2).reshape(clips * frames, -1, 1, 1)
        return self.main(z.contiguous(memory_format=torch.channels_last)).unflatten(0, (clips, frames))


def _spread(h, group=8):
    """Appends the standard deviation within groups of the batch as a channel, which reveals mode collapse to a critic."""
    n = h.shape[0]
    group = min(group, n) if n % min(group, n) == 0 else n
    parts = h.float().reshape(group, n // group, *h.shape[1:])
    deviation = (parts.var(0, unbiased=False) + 1e-8).sqrt().flatten(1).mean(1)
    plane = deviation.repeat(group).reshape(n, *[1] * (h.dim() - 1)).expand(-1, 1, *h.shape[2:])
    return torch.cat([h, plane.to(h.dtype)], 1)


class ImageCritic(nn.Module):
    """Frames (B, 3, 64, 64): realism (B,) and an identity embedding (B, 64) of length 1."""

    def __init__(self, width=64, embedding=64):
        super().__init__()
        widths = [3, width, 2 * width, 4 * width, 8 * width]
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in zip(widths, widths[1:]))
        self.last = nn.Conv2d(widths[-1] + 1, widths[-1], 3, padding=1)
        self.realism = nn.Linear(widths[-1] * 16, 1)
        self.person = nn.Sequential(nn.Linear(widths[-1] * 16, 256), nn.LeakyReLU(0.2), nn.Linear(256, embedding))

    def forward(self, x):
        h = x
        for layer in self.layers:
            h = F.leaky_relu(layer(h), 0.2)
        judged = F.leaky_relu(self.last(_spread(h)), 0.2).flatten(1)
        return self.realism(judged)[:, 0].float(), F.normalize(self.person(h.flatten(1)).float(), dim=1)


class VideoCritic(nn.Module):
    """Clips (B, 3, 16, 64, 64) and their category (B,): realism for that category (B,) and category scores (B, n)."""

    def __init__(self, width=48, categories=6):
        super().__init__()
        widths = [3, width, 2 * width, 4 * width, 8 * width]
        strides = [(1, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2)]
        self.layers = nn.ModuleList(
            nn.Conv3d(a, b, (3, 4, 4), stride, (1, 1, 1)) for a, b, stride in zip(widths, widths[1:], strides)
        )
        self.last = nn.Conv3d(widths[-1] + 1, widths[-1], (2, 3, 3), padding=(0, 1, 1))
        self.realism = nn.Linear(widths[-1] * 16, categories)
        self.category = nn.Linear(widths[-1] * 16, categories)

    def forward(self, x, category):
        h = x
        for layer in self.layers:
            h = F.leaky_relu(layer(h), 0.2)
        realism = self.realism(F.leaky_relu(self.last(_spread(h)), 0.2).mean(2).flatten(1)).float()
        return realism.gather(1, category[:, None])[:, 0], self.category(h.mean(2).flatten(1)).float()
