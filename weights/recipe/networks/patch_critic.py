"""A patch critic at two scales (Isola et al., CVPR 2017; Wang et al., CVPR 2018), for the methods that move a picture."""

import torch.nn.functional as F
from torch import nn


class PatchCritic(nn.Module):
    """`forward` returns for each scale the features of every layer, then the patches' scores `[B, 1, h, w]`."""

    def __init__(self, width=48, layers=4, sizes=2):
        super().__init__()
        self.sizes = nn.ModuleList(self._one(width, layers) for _ in range(sizes))

    @staticmethod
    def _one(width, layers):
        blocks, channels = nn.ModuleList(), 3
        for i in range(layers):
            last = i == layers - 1
            wide = min(width << i, 256)
            conv = nn.Conv2d(channels, wide, 3 if last else 4, 1 if last else 2, 1)
            norm = nn.Identity() if i == 0 else nn.GroupNorm(8, wide)
            blocks.append(nn.Sequential(conv, norm, nn.LeakyReLU(0.2)))
            channels = wide
        blocks.append(nn.Conv2d(channels, 1, 3, padding=1))
        return blocks

    def forward(self, picture):
        results, x = [], picture * 2 - 1
        for blocks in self.sizes:
            h, features = x, []
            for block in blocks:
                h = block(h)
                features.append(h)
            results.append(features)
            x = F.avg_pool2d(x, 2)
        return results
