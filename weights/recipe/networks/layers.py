"""Layers shared by the First Order Motion Model and the Thin-Plate-Spline Motion Model, with their authors' keys, and geometry.

Positions are (x, y) from -1 to 1, where -1 and 1 are the centres of the outermost pixels. A flow `[B, h, w, 2]` maps each
node of the driving picture to its position in the source picture.
"""

import torch
import torch.nn.functional as F
from torch import nn

NORMS = {"batch": nn.BatchNorm2d, "instance": nn.InstanceNorm2d}


def norm_layer(kind, channels):
    return NORMS[kind](channels, affine=True)


class SameBlock(nn.Module):
    """Convolution that keeps the size, norm, ReLU."""

    def __init__(self, inputs, outputs, norm, kernel=3):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
        self.norm = norm_layer(norm, outputs)

    def forward(self, x):
        return F.relu(self.norm(self.conv(x)))


class DownBlock(SameBlock):
    """A SameBlock, then 2x2 average pooling."""

    def forward(self, x):
        return F.avg_pool2d(super().forward(x), 2)


class UpBlock(SameBlock):
    """2x nearest-neighbour upsampling, then a SameBlock."""

    def forward(self, x):
        return super().forward(F.interpolate(x, scale_factor=2, mode="nearest"))


class ResBlock(nn.Module):
    """Norm, ReLU and convolution, twice, and a residual connection."""

    def __init__(self, channels, norm):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm1 = norm_layer(norm, channels)
        self.norm2 = norm_layer(norm, channels)

    def forward(self, x):
        h = self.conv1(F.relu(self.norm1(x)))
        return x + self.conv2(F.relu(self.norm2(h)))


class Encoder(nn.Module):
    def __init__(self, inputs, width, most, blocks, norm):
        super().__init__()
        widths = [inputs] + [min(most, width << (i + 1)) for i in range(blocks)]
        self.down_blocks = nn.ModuleList(DownBlock(a, b, norm) for a, b in zip(widths, widths[1:]))


class Decoder(nn.Module):
    def __init__(self, width, most, blocks, norm):
        super().__init__()
        pairs = []
        for i in reversed(range(blocks)):
            inputs = 1 if i == blocks - 1 else 2
            pairs.append((inputs * min(most, width << (i + 1)), min(most, width << i)))
        self.up_blocks = nn.ModuleList(UpBlock(a, b, norm) for a, b in pairs)


class Hourglass(nn.Module):
    """An encoder-decoder with skip connections.

    `forward` returns the outputs of all decoder blocks, the smallest first; `channels` are their channels.
    """

    def __init__(self, inputs, width, most, blocks, norm):
        super().__init__()
        self.encoder = Encoder(inputs, width, most, blocks, norm)
        self.decoder = Decoder(width, most, blocks, norm)
        skips = [inputs] + [min(most, width << (i + 1)) for i in range(blocks)]
        self.channels = [min(most, width << i) + skips[i] for i in reversed(range(blocks))]

    def forward(self, x):
        skips = [x]
        for block in self.encoder.down_blocks:
            skips.append(block(skips[-1]))
        h = skips.pop()
        outputs = []
        for block in self.decoder.up_blocks:
            h = torch.cat([block(h), skips.pop()], dim=1)
            outputs.append(h)
        return outputs


class AntiAlias(nn.Module):
    """A Gaussian of sigma `(factor - 1) / 2`, then every `factor`-th sample."""

    def __init__(self, factor, channels=3):
        super().__init__()
        self.factor, self.channels = factor, channels
        sigma = (factor - 1) / 2
        radius = round(4 * sigma)
        self.radius = radius
        if factor > 1:
            places = torch.arange(-radius, radius + 1, dtype=torch.float32)
            bell = torch.exp(-places.square() / (2 * sigma**2))
            kernel = bell[:, None] * bell
            kernel = (kernel / kernel.sum()).expand(channels, 1, -1, -1).clone()
            # Derived from the sizes, so not stored in a checkpoint.
            self.register_buffer("weight", kernel, persistent=False)

    def forward(self, x):
        if self.factor == 1:
            return x
        with torch.autocast(x.device.type, enabled=False):
            return F.conv2d(x.float(), self.weight, stride=self.factor, padding=self.radius, groups=self.channels)


def axis(size, device):
    return torch.linspace(-1.0, 1.0, size, device=device)


def grid(height, width, device):
    """The position of every pixel, `[height, width, 2]`."""
    y, x = torch.meshgrid(axis(height, device), axis(width, device), indexing="ij")
    return torch.stack([x, y], dim=-1)


def gaussians(points, height, width, variance):
    """Gaussians centred on `points` `[B, K, 2]`: `[B, K, height, width]`, 1 at the point."""
    points = points.float()

    def bell(size, at):
        return torch.exp(-0.5 * (axis(size, points.device) - at[..., None]).square() / variance)

    return bell(height, points[..., 1])[..., :, None] * bell(width, points[..., 0])[..., None, :]


def warp(x, flow, align_corners=True, border="zeros"):
    """Warps `x` `[B, C, H, W]` by `flow` `[B, h, w, 2]`: `[B, C, h, w]`. Positions are computed in single precision."""
    with torch.autocast(x.device.type, enabled=False):
        return F.grid_sample(x.float(), flow.float(), padding_mode=border, align_corners=align_corners)


def resize(x, height, width, align_corners):
    if x.shape[-2:] == (height, width):
        return x
    return F.interpolate(x, size=(height, width), mode="bilinear", align_corners=align_corners)


def resize_flow(flow, height, width, align_corners):
    if flow.shape[1:3] == (height, width):
        return flow
    return resize(flow.permute(0, 3, 1, 2), height, width, align_corners).permute(0, 2, 3, 1)


def moved_copies(picture, motions, align_corners=True):
    """`picture` `[B, 3, h, w]` warped by each of `motions` `[B, N, h, w, 2]`: `[B, N, 3, h, w]`."""
    b, n, h, w, _ = motions.shape
    copies = picture.float().unsqueeze(1).expand(b, n, -1, h, w).reshape(b * n, -1, h, w)
    return warp(copies, motions.reshape(b * n, h, w, 2), align_corners).view(b, n, -1, h, w)


def inverse_2x2(m):
    """The inverse of `[..., 2, 2]` in closed form; the determinant is kept away from 0."""
    a, b, c, d = m[..., 0, 0], m[..., 0, 1], m[..., 1, 0], m[..., 1, 1]
    determinant = a * d - b * c
    safe = torch.where(determinant < 0, determinant.clamp(max=-1e-4), determinant.clamp(min=1e-4))
    rows = torch.stack([d, -b, -c, a], dim=-1) / safe.unsqueeze(-1)
    return rows.view(m.shape)


def hull_area(points):
    """The area of the convex hull of `points` `[K, 2]`, on the CPU: Andrew's monotone chain."""
    points = sorted(map(tuple, points.detach().double().cpu().tolist()))

    def chain(places):
        chain_points = []
        for x, y in places:
            while len(chain_points) > 1:
                (ax, ay), (bx, by) = chain_points[-2:]
                if (bx - ax) * (y - ay) > (by - ay) * (x - ax):
                    break
                chain_points.pop()
            chain_points.append((x, y))
        return chain_points[:-1]

    hull = chain(points) + chain(points[::-1])
    return abs(sum(a * d - b * c for (a, b), (c, d) in zip(hull, hull[1:] + hull[:1]))) / 2


def hull_ratio(source, initial):
    """How much larger the source's face is than the driving one, as a ratio of lengths."""
    return (hull_area(source) / max(hull_area(initial), 1e-6)) ** 0.5
