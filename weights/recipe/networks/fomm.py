"""The First Order Motion Model (Siarohin et al., NeurIPS 2019), with its authors' keys and at any width.

`Fomm` has `kp_detector` and `generator`, which contains `dense_motion_network`. Pictures are `[B, 3, S, S]` in [0, 1].
Key points are a pair: positions `[B, K, 2]` and Jacobians `[B, K, 2, 2]`.
"""

import torch
import torch.nn.functional as F
from torch import nn

from .layers import AntiAlias, DownBlock, Hourglass, ResBlock, SameBlock, UpBlock
from .layers import gaussians, grid, hull_ratio, inverse_2x2, moved_copies, resize, resize_flow, warp

NORM = "batch"

VOX_256 = {
    "image_size": 256,
    "align_corners": True,
    "num_kp": 10,
    "detector": {
        "block_expansion": 32,
        "max_features": 1024,
        "num_blocks": 5,
        "downscale": 4,
        "temperature": 0.1,
        "jacobians": "each",
    },
    "dense_motion": {
        "block_expansion": 64,
        "max_features": 1024,
        "num_blocks": 5,
        "downscale": 4,
        "kp_variance": 0.01,
        "occlusion": True,
    },
    "generator": {"block_expansion": 64, "max_features": 512, "num_down_blocks": 2, "num_bottleneck_blocks": 6},
}

# The warped features have half the picture's resolution: at 128 pixels an eyelid is two or three pixels high.
MIEN_128 = {
    "image_size": 128,
    "align_corners": True,
    "num_kp": 10,
    "detector": {
        "block_expansion": 32,
        "max_features": 256,
        "num_blocks": 5,
        "downscale": 2,
        "temperature": 0.1,
        "jacobians": "each",
    },
    "dense_motion": {
        "block_expansion": 32,
        "max_features": 256,
        "num_blocks": 4,
        "downscale": 2,
        "kp_variance": 0.01,
        "occlusion": True,
    },
    "generator": {"block_expansion": 40, "max_features": 80, "num_down_blocks": 1, "num_bottleneck_blocks": 6},
}


class KPDetector(nn.Module):
    """Key points as expectations of heat maps (Sec. 3.1)."""

    def __init__(self, config):
        super().__init__()
        sizes = config["detector"]
        width, count = sizes["block_expansion"], config["num_kp"]
        self.count, self.temperature = count, sizes["temperature"]
        self.predictor = Hourglass(3, width, sizes["max_features"], sizes["num_blocks"], NORM)
        self.kp = nn.Conv2d(width + 3, count, 7)
        self.jacobian = nn.Conv2d(width + 3, 4 * count, 7)
        nn.init.zeros_(self.jacobian.weight)
        with torch.no_grad():
            self.jacobian.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 1.0]).repeat(count))
        self.down = AntiAlias(sizes["downscale"])

    def forward(self, picture):
        """Returns positions `[B, K, 2]`, Jacobians `[B, K, 2, 2]`, and the variance of each heat map `[B, K]`."""
        features = self.predictor(self.down(picture))[-1]
        scores, numbers = self.kp(features).float(), self.jacobian(features).float()
        b, k, h, w = scores.shape
        with torch.autocast(picture.device.type, enabled=False):
            heat = torch.softmax(scores.reshape(b, k, h * w) / self.temperature, dim=-1)
            nodes = grid(h, w, picture.device).view(h * w, 2)
            places = heat @ nodes
            spread = heat @ nodes.square().sum(-1) - places.square().sum(-1)
            numbers = numbers.reshape(b, k, 4, h * w)
            jacobians = (numbers * heat.unsqueeze(2)).sum(-1).view(b, k, 2, 2)
        return places, jacobians, spread


class DenseMotionNetwork(nn.Module):
    """Combines the motions around the key points to one flow, and an occlusion map (Sec. 3.2)."""

    def __init__(self, config):
        super().__init__()
        sizes = config["dense_motion"]
        parts = config["num_kp"] + 1
        self.variance, self.align = sizes["kp_variance"], config["align_corners"]
        self.hourglass = Hourglass(4 * parts, sizes["block_expansion"], sizes["max_features"], sizes["num_blocks"], NORM)
        features = self.hourglass.channels[-1]
        self.mask = nn.Conv2d(features, parts, 7, padding=3)
        self.occlusion = nn.Conv2d(features, 1, 7, padding=3)
        self.down = AntiAlias(sizes["downscale"])

    def motions(self, source, driving, h, w):
        """Eq. 4 for every part, `[B, K + 1, h, w, 2]`; the background, part 0, is static."""
        (p_s, j_s), (p_d, j_d) = source, driving
        nodes = grid(h, w, p_s.device)
        change = j_s @ inverse_2x2(j_d)
        away = nodes - p_d[:, :, None, None]
        x = change[:, :, None, None, :, 0] * away[..., :1] + change[:, :, None, None, :, 1] * away[..., 1:]
        moved = x + p_s[:, :, None, None]
        return torch.cat([nodes.expand(len(p_s), 1, h, w, 2), moved], dim=1)

    def forward(self, picture, source, driving):
        small = self.down(picture)
        b, _, h, w = small.shape
        with torch.autocast(picture.device.type, enabled=False):
            motions = self.motions(source, driving, h, w)
            heat = gaussians(driving[0], h, w, self.variance) - gaussians(source[0], h, w, self.variance)
            heat = F.pad(heat, (0, 0, 0, 0, 1, 0))
            copies = moved_copies(small, motions, self.align)
            stacked = torch.cat([heat.unsqueeze(2), copies], dim=2).view(b, -1, h, w)
        features = self.hourglass(stacked)[-1]
        shares = torch.softmax(self.mask(features).float(), dim=1)
        flow = (motions * shares.unsqueeze(-1)).sum(1)
        occlusion = torch.sigmoid(self.occlusion(features).float())
        return {"flow": flow, "occlusion": occlusion, "mask": shares}


class Generator(nn.Module):
    """Warps the source's features by the flow, multiplies by the occlusion map, and decodes the frame (Sec. 3.2, Eq. 8)."""

    def __init__(self, config):
        super().__init__()
        sizes = config["generator"]
        halvings = sizes["num_down_blocks"]
        width = [min(sizes["max_features"], sizes["block_expansion"] << i) for i in range(halvings + 1)]
        self.align = config["align_corners"]
        self.first = SameBlock(3, width[0], NORM, kernel=7)
        self.down_blocks = nn.ModuleList(DownBlock(a, b, NORM) for a, b in zip(width, width[1:]))
        self.up_blocks = nn.ModuleList(UpBlock(b, a, NORM) for a, b in reversed(list(zip(width, width[1:]))))
        self.bottleneck = nn.Sequential()
        for i in range(sizes["num_bottleneck_blocks"]):
            self.bottleneck.add_module(f"r{i}", ResBlock(width[-1], NORM))
        self.final = nn.Conv2d(width[0], 3, 7, padding=3)
        self.dense_motion_network = DenseMotionNetwork(config)

    def encode(self, picture):
        h = self.first(picture)
        for block in self.down_blocks:
            h = block(h)
        return h

    def draw(self, features, motion):
        h, w = features.shape[-2:]
        moved = warp(features, resize_flow(motion["flow"], h, w, False), self.align)
        x = moved * resize(motion["occlusion"], h, w, False)
        x = x.contiguous(memory_format=torch.channels_last)
        x = self.bottleneck(x)
        for block in self.up_blocks:
            x = block(x)
        return torch.sigmoid(self.final(x).float())

    def forward(self, picture, source, driving):
        motion = self.dense_motion_network(picture, source, driving)
        motion["prediction"] = self.draw(self.encode(picture), motion)
        return motion

    def deformed(self, picture, motion):
        """The source warped by the flow: `[B, 3, S, S]`."""
        return warp(picture, resize_flow(motion["flow"], *picture.shape[-2:], False), self.align)


class Fomm(nn.Module):
    def __init__(self, config=MIEN_128):
        super().__init__()
        self.config = config
        self.kp_detector = KPDetector(config)
        self.generator = Generator(config)

    def detect(self, picture):
        places, jacobians, _ = self.kp_detector(picture)
        return places, jacobians

    def forward(self, picture, source, driving):
        """Returns a frame: `prediction`, `flow` `[B, h, w, 2]`, `occlusion` `[B, 1, h, w]`, `mask` `[B, K + 1, h, w]`."""
        return self.generator(picture, source, driving)


def relative(source, driving, initial, scaled=True):
    """Returns key points that move the source as the driving face has moved since `initial` (Eq. 11), one picture each."""
    (p_s, j_s), (p_d, j_d), (p_0, j_0) = source, driving, initial
    scale = hull_ratio(p_s[0], p_0[0]) if scaled else 1.0
    return scale * (p_d - p_0) + p_s, (j_d @ inverse_2x2(j_0)) @ j_s
