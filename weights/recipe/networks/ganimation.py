"""GANimation (Pumarola et al., ECCV 2018): generator and critic, with the authors' own keys.

Generator(x, aus) gives the colour regression C and the attention A; the result is A * x + (1 - A) * C (Eq. 1), so
A = 1 keeps the source's pixel.
"""

import torch
from torch import nn
from torch.nn import functional as F

UNITS = 17


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with instance normalisation, and a residual connection."""

    def __init__(self, width):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.InstanceNorm2d(width, affine=True),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.InstanceNorm2d(width, affine=True),
        )

    def forward(self, x):
        return x + self.main(x)


class Generator(nn.Module):
    """x (B, 3, H, W) in [-1, 1] and aus (B, c_dim) in [0, 1] give C (B, 3, H, W) and A (B, 1, H, W)."""

    def __init__(self, conv_dim=32, repeat_num=6, c_dim=UNITS, image_size=128):
        super().__init__()
        self.config = {"image_size": image_size, "conv_dim": conv_dim, "repeat_num": repeat_num, "c_dim": c_dim}

        def normed(convolution, width):
            return [convolution, nn.InstanceNorm2d(width, affine=True), nn.ReLU(inplace=True)]

        width = conv_dim
        layers = normed(nn.Conv2d(3 + c_dim, width, 7, padding=3, bias=False), width)
        for _ in range(2):
            layers += normed(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False), 2 * width)
            width *= 2
        layers += [ResidualBlock(width) for _ in range(repeat_num)]
        for _ in range(2):
            layers += normed(nn.ConvTranspose2d(width, width // 2, 4, stride=2, padding=1, bias=False), width // 2)
            width //= 2
        self.main = nn.Sequential(*layers)
        self.img_reg = nn.Sequential(nn.Conv2d(width, 3, 7, padding=3, bias=False), nn.Tanh())
        # The authors' spelling, which the weights file must use.
        self.attetion_reg = nn.Sequential(nn.Conv2d(width, 1, 7, padding=3, bias=False), nn.Sigmoid())

    def forward(self, x, aus):
        planes = aus.to(x.dtype)[:, :, None, None].expand(-1, -1, *x.shape[2:])
        features = self.main(torch.cat([x, planes], 1).contiguous(memory_format=torch.channels_last))
        # Both heads have the same input: one convolution, then split.
        both = F.conv2d(features, torch.cat([self.img_reg[0].weight, self.attetion_reg[0].weight]), padding=3).float()
        return torch.tanh(both[:, :3]), torch.sigmoid(both[:, 3:])


def blend(x, color, attention):
    """Eq. 1."""
    return attention * x + (1 - attention) * color


class Critic(nn.Module):
    """The authors' PatchGAN: realism (B, 1, h, w) and Action Units (B, c_dim) of pictures (B, 3, S, S) in [-1, 1]."""

    def __init__(self, conv_dim=64, repeat_num=6, c_dim=UNITS, image_size=128, slope=0.01):
        super().__init__()
        layers, inputs = [], 3
        for i in range(repeat_num):
            layers += [nn.Conv2d(inputs, conv_dim << i, 4, stride=2, padding=1), nn.LeakyReLU(slope, inplace=True)]
            inputs = conv_dim << i
        self.main = nn.Sequential(*layers)
        self.conv1 = nn.Conv2d(inputs, 1, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(inputs, c_dim, image_size >> repeat_num, bias=False)

    def forward(self, x):
        h = self.main(x)
        return self.conv1(h), self.conv2(h).flatten(1)


class PatchCritic(nn.Module):
    """The critic used for training: the published layers with fewer channels and a second realism head on smaller patches.

    The published one judges whole quarters of the picture (2x2); blur is visible in small patches. `forward` returns
    the realism of each patch in one row, (B, patches), the Action Units (B, c_dim) and the features of each layer.
    """

    FINE = 3  # the layer whose output the small patches are judged by: 16x16 of a picture of 128

    def __init__(self, conv_dim=48, repeat_num=6, c_dim=UNITS, image_size=128, most=512):
        super().__init__()
        widths = [3] + [min(conv_dim << i, most) for i in range(repeat_num)]
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in zip(widths, widths[1:]))
        self.fine = nn.Sequential(
            nn.Conv2d(widths[self.FINE], widths[self.FINE], 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(widths[self.FINE], 1, 3, padding=1),
        )
        self.coarse = nn.Conv2d(widths[-1], 1, 3, padding=1)
        self.units = nn.Linear(widths[-1] * (image_size >> repeat_num) ** 2, c_dim)

    def forward(self, x):
        features, h = [], x
        for layer in self.layers:
            h = F.leaky_relu(layer(h), 0.2)
            features.append(h)
        realism = torch.cat([self.fine(features[self.FINE - 1]).flatten(1), self.coarse(h).flatten(1)], 1)
        return realism, self.units(h.flatten(1)), features
