"""Augmentations on the device, the same for all pictures of one take."""

import math

import torch
from torch.nn import functional as F


def colours(dice, pictures, strength=1.0):
    """Random gain, gamma, saturation and warmth per take: pictures (B, N, 3, H, W) in [-1, 1]."""
    count = pictures.shape[0]

    def factor(spread):
        return torch.exp(strength * spread * dice.normal((count, 1, 1, 1, 1)))

    x = (pictures + 1) / 2
    x = x.clamp(1e-4, 1) ** factor(0.12)
    grey = x.mean(2, keepdim=True)
    x = grey + (x - grey) * factor(0.2)
    tint = torch.exp(strength * 0.05 * dice.normal((count, 1, 3, 1, 1)))
    return (x * factor(0.1) * tint).clamp(0, 1) * 2 - 1


def flips(dice, *groups):
    """Mirrors half of the takes; each group is (B, ..., W)."""
    mirrored = dice.coin((groups[0].shape[0],))
    return [torch.where(mirrored.view(-1, *[1] * (g.dim() - 1)), g.flip(-1), g) for g in groups]


def placements(dice, count, turn=5.0, zoom=0.06, shift=0.06):
    """Slight random rotations (degrees), zooms and shifts (of half a side): matrices (count, 2, 3) for affine_grid."""
    angle = dice.normal((count,)) * math.radians(turn) * 0.5
    scale = torch.exp(dice.normal((count,)) * zoom * 0.5)
    matrix = torch.stack([scale * angle.cos(), -scale * angle.sin(), scale * angle.sin(), scale * angle.cos()], 1)
    return torch.cat([matrix.reshape(-1, 2, 2), dice.uniform((count, 2, 1), -shift, shift)], 2)


def moved(matrices, pictures, mode="bicubic"):
    """Resamples pictures (B, N, C, H, W) by their take's matrix, with the border mirrored."""
    count, each, channels, height, width = pictures.shape
    flat = pictures.reshape(count, each * channels, height, width)
    grid = F.affine_grid(matrices, flat.shape, align_corners=False)
    return F.grid_sample(flat, grid, mode, "reflection", align_corners=False).reshape(pictures.shape)


def softened(dice, pictures, chance=0.15):
    """Slightly blurs some takes, like a portrait that is small or out of focus."""
    count, each, channels, height, width = pictures.shape
    flat = pictures.reshape(-1, channels, height, width)
    # Two 2x2 means give the kernel 1, 2, 1.
    once = F.avg_pool2d(F.pad(flat, (1, 1, 1, 1), "replicate"), 2, 1)
    blurred = F.avg_pool2d(once, 2, 1).view_as(pictures)
    share = dice.coin((count, 1, 1, 1, 1), chance).float() * dice.uniform((count, 1, 1, 1, 1), 0.3, 1.0)
    return pictures + share * (blurred - pictures)
