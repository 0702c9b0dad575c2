"""The Thin-Plate-Spline Motion Model (Zhao and Zhang, CVPR 2022), with its authors' keys and at any width.

`Tps` has `kp_detector`, `dense_motion_network`, `inpainting_network`, `avd_network` and `bg_predictor` (the last two if its
configuration has them). Pictures are `[B, 3, S, S]` in [0, 1]; key points `[B, 5 N, 2]`, five for each of N splines.
"""

import torch
import torch.nn.functional as F
from torch import nn

from .layers import AntiAlias, DownBlock, Hourglass, ResBlock, SameBlock, UpBlock
from .layers import gaussians, grid, hull_ratio, moved_copies, resize_flow, warp

NORM = "instance"
POINTS = 5
LEVELS = 4

VOX_256 = {
    "image_size": 256,
    "num_tps": 10,
    "kp_variance": 0.01,
    "resnet_width": 64,
    "block_expansion": 64,
    "dense_motion": {"halvings": 2, "block_expansion": 64, "max_features": 1024, "num_blocks": 5},
    "avd": {"id_bottle_size": 128, "pose_bottle_size": 128},
    "background": True,
}

MIEN_128 = {
    "image_size": 128,
    "num_tps": 10,
    "kp_variance": 0.01,
    "resnet_width": 22,
    "block_expansion": 24,
    "dense_motion": {"halvings": 1, "block_expansion": 32, "max_features": 128, "num_blocks": 4},
    "avd": {"id_bottle_size": 128, "pose_bottle_size": 128},
    "background": True,
}


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        around = x if self.downsample is None else self.downsample(x)
        h = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(h)) + around)


class ResNet18(nn.Module):
    """ResNet-18 (He et al., CVPR 2016, Table 1) with `width` channels in its first stage."""

    def __init__(self, inputs, outputs, width):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        channels = width
        for stage in range(4):
            wide = width << stage
            blocks = BasicBlock(channels, wide, 1 if stage == 0 else 2), BasicBlock(wide, wide, 1)
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
            channels = wide
        self.fc = nn.Linear(channels, outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        h = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        h = self.layer4(self.layer3(self.layer2(self.layer1(h))))
        with torch.autocast(x.device.type, enabled=False):
            return self.fc(h.float().mean((2, 3)))


class KPDetector(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.fg_encoder = ResNet18(3, 2 * POINTS * config["num_tps"], config["resnet_width"])

    @torch.no_grad()
    def scatter(self):
        """Initialises the key points as small rings all over the face instead of all in its middle, where splines degenerate."""
        dice = torch.Generator().manual_seed(7)
        splines = self.fg_encoder.fc.bias.numel() // (2 * POINTS)
        centres = (torch.rand(splines, 1, 2, generator=dice) - 0.5) * 0.9
        turns = (torch.arange(POINTS) + torch.rand(splines, 1, generator=dice)) * (2 * torch.pi / POINTS)
        places = centres + 0.22 * torch.stack([turns.cos(), turns.sin()], dim=-1)
        self.fg_encoder.fc.bias.copy_(torch.logit((places + 1) / 2).flatten())

    def forward(self, picture):
        values = torch.sigmoid(self.fg_encoder(picture)) * 2 - 1
        return values.view(len(picture), -1, 2)


class BGMotionPredictor(nn.Module):
    """An affine map from the driving picture's background to the source's, `[B, 3, 3]` (Sec. 3.3)."""

    def __init__(self, config):
        super().__init__()
        self.bg_encoder = ResNet18(6, 6, config["resnet_width"])
        nn.init.zeros_(self.bg_encoder.fc.weight)
        with torch.no_grad():
            self.bg_encoder.fc.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]))

    def forward(self, source, driving):
        rows = self.bg_encoder(torch.cat([source, driving], dim=1)).view(-1, 2, 3)
        last = torch.eye(3, device=rows.device)[2].expand(len(rows), 1, 3)
        return torch.cat([rows, last], dim=1)


def chain(*widths):
    layers = []
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        layers.append(nn.Linear(a, b))
        if i < len(widths) - 2:
            layers += [nn.BatchNorm1d(b), nn.ReLU()]
    return nn.Sequential(*layers)


class AVDNetwork(nn.Module):
    """The shape of one face in the pose of another (Sec. 3.5)."""

    def __init__(self, config):
        super().__init__()
        ends = 2 * POINTS * config["num_tps"]
        shape, pose = config["avd"]["id_bottle_size"], config["avd"]["pose_bottle_size"]
        self.id_encoder = chain(ends, 256, 512, 1024, shape)
        self.pose_encoder = chain(ends, 256, 512, 1024, pose)
        self.decoder = chain(pose + shape, 1024, 512, 256, ends)

    def forward(self, source, driving):
        codes = self.pose_encoder(driving.flatten(1)), self.id_encoder(source.flatten(1))
        return self.decoder(torch.cat(codes, dim=1)).view(source.shape)


def kernel(squared):
    return squared * torch.log(squared + 1e-9)


def spline_grids(source, driving, h, w):
    """Each spline's map at each node (Eq. 2 and 3), `[B, N, h, w, 2]`; controls are driving points, targets source points."""
    b = len(source)
    control, target = driving.view(b, -1, POINTS, 2), source.view(b, -1, POINTS, 2)
    n = control.shape[1]
    system = control.new_zeros(b, n, POINTS + 3, POINTS + 3)
    edge = torch.cat([control, control.new_ones(b, n, POINTS, 1)], dim=-1)
    system[..., :POINTS, :POINTS] = kernel((control.unsqueeze(3) - control.unsqueeze(2)).square().sum(-1))
    system[..., :POINTS, POINTS:] = edge
    system[..., POINTS:, :POINTS] = edge.transpose(-1, -2)
    system = system + 0.01 * torch.eye(POINTS + 3, device=source.device)
    right = F.pad(target, (0, 0, 0, 3))
    # Without the error check the CPU doesn't wait for the GPU.
    weights, _ = torch.linalg.solve_ex(system, right)
    nodes = grid(h, w, source.device).view(h * w, 2)
    bends = kernel((nodes.view(1, 1, -1, 1, 2) - control.unsqueeze(2)).square().sum(-1))
    places = bends @ weights[..., :POINTS, :] + nodes @ weights[..., POINTS : POINTS + 2, :] + weights[..., POINTS + 2 :, :]
    return places.view(b, n, h, w, 2)


class DenseMotionNetwork(nn.Module):
    """Blends the splines and the background to one flow, with a mask for each of four sizes (Sec. 3.3)."""

    def __init__(self, config):
        super().__init__()
        sizes, n = config["dense_motion"], config["num_tps"]
        self.variance, self.halvings = config["kp_variance"], sizes["halvings"]
        inputs = 3 * (n + 1) + POINTS * n + 1
        self.down = AntiAlias(1 << self.halvings)
        self.hourglass = Hourglass(inputs, sizes["block_expansion"], sizes["max_features"], sizes["num_blocks"], NORM)
        channels = self.hourglass.channels
        last = channels[-1]
        self.maps = nn.Conv2d(last, n + 1, 7, padding=3)
        self.up = nn.ModuleList(UpBlock(last >> i, last >> (i + 1), NORM) for i in range(self.halvings))
        occlusion_channels = channels[self.halvings - LEVELS :] + [last >> (i + 1) for i in range(self.halvings)]
        self.occlusion = nn.ModuleList(nn.Conv2d(c, 1, 7, padding=3) for c in occlusion_channels)

    def shares(self, scores, dropout):
        """The softmax over the parts; in training, dropout of splines with rescaling of the rest (Eq. 7 and 8)."""
        if dropout <= 0:
            return torch.softmax(scores, dim=1)
        dropped = torch.rand(scores.shape[:2], device=scores.device) < dropout
        dropped[:, 0] = False
        return torch.softmax(scores.masked_fill(dropped[:, :, None, None], -1e4), dim=1)

    def forward(self, picture, source, driving, background=None, dropout=0.0):
        small = self.down(picture)
        b, _, h, w = small.shape
        with torch.autocast(picture.device.type, enabled=False):
            background_grid = grid(h, w, picture.device).expand(b, 1, h, w, 2)
            if background is not None:
                m = background[:, None, None, None]
                background_grid = background_grid[..., :1] * m[..., :2, 0] + background_grid[..., 1:] * m[..., :2, 1] + m[..., :2, 2]
            motions = torch.cat([background_grid, spline_grids(source.float(), driving.float(), h, w)], dim=1)
            heat = gaussians(driving, h, w, self.variance) - gaussians(source, h, w, self.variance)
            copies = moved_copies(small, motions).view(b, -1, h, w)
            features = torch.cat([F.pad(heat, (0, 0, 0, 0, 1, 0)), copies], dim=1)
        outputs = self.hourglass(features)
        shares = self.shares(self.maps(outputs[-1]).float(), dropout)
        flow = (motions * shares.unsqueeze(-1)).sum(1)
        levels = list(outputs[self.halvings - LEVELS :])
        for block in self.up:
            levels.append(block(levels[-1]))
        occlusion = [torch.sigmoid(conv(x).float()) for conv, x in zip(self.occlusion, levels)]
        return {"flow": flow, "occlusion": occlusion, "contributions": shares, "still": background_grid[:, 0]}


class InpaintingNetwork(nn.Module):
    """Generates the frame from the source's feature maps, warped and masked at every size (Sec. 3.4)."""

    def __init__(self, config):
        super().__init__()
        width = config["block_expansion"]
        deep = width << (LEVELS - 1)
        self.first = SameBlock(3, width, NORM, kernel=7)
        self.down_blocks = nn.ModuleList(DownBlock(width << i, width << (i + 1), NORM) for i in range(LEVELS - 1))
        inputs = [deep >> max(i - 1, 0) for i in range(LEVELS - 1)]
        self.up_blocks = nn.ModuleList(UpBlock(c, deep >> (i + 1), NORM) for i, c in enumerate(inputs))
        self.resblock = nn.ModuleList(ResBlock(c, NORM) for c in inputs for _ in range(2))
        self.final = nn.Conv2d(width, 3, 7, padding=3)

    def encode(self, picture):
        """Feature maps, the largest first."""
        maps = [self.first(picture)]
        for block in self.down_blocks:
            maps.append(block(maps[-1]))
        return maps

    def forward(self, picture, motion, maps=None):
        maps = self.encode(picture) if maps is None else maps
        masks = motion["occlusion"]
        moved, sizes = [], [m.shape[-2:] for m in reversed(maps)]
        flows = [resize_flow(motion["flow"], h, w, True) for h, w in sizes]
        for features, flow, mask in zip(reversed(maps), flows, masks):
            moved.append(warp(features, flow).contiguous(memory_format=torch.channels_last) * mask)
        x = moved[0]
        for i, up in enumerate(self.up_blocks):
            x = up(self.resblock[2 * i + 1](self.resblock[2 * i](x)))
            if i + 1 < len(self.up_blocks):
                x = torch.cat([x, moved[i + 1].to(x.dtype)], dim=1)
        mask = masks[-1]
        x = x * (1 - mask) + moved[-1]
        deformed = warp(picture, flows[-1])
        painted = torch.sigmoid(self.final(x).float())
        return {**motion, "deformed": deformed, "prediction": painted * (1 - mask) + deformed * mask}

    def moved_detached(self, maps, motion):
        """The masked, warped maps again, deepest first, with a gradient only to the flow: the input of the warp loss."""
        moved = []
        for features, mask in zip(reversed(maps), motion["occlusion"]):
            flow = resize_flow(motion["flow"], *features.shape[-2:], True)
            moved.append(warp(features.detach(), flow) * mask.detach())
        return moved


class Tps(nn.Module):
    def __init__(self, config=MIEN_128):
        super().__init__()
        self.config = config
        self.kp_detector = KPDetector(config)
        self.dense_motion_network = DenseMotionNetwork(config)
        self.inpainting_network = InpaintingNetwork(config)
        if config["avd"]:
            self.avd_network = AVDNetwork(config)
        if config["background"]:
            self.bg_predictor = BGMotionPredictor(config)

    def detect(self, picture):
        return self.kp_detector(picture)

    def forward(self, picture, source, driving, background=None, dropout=0.0):
        """A frame: `prediction`, `deformed`, `flow` `[B, h, w, 2]`, `occlusion` (four, smallest first), `contributions`."""
        motion = self.dense_motion_network(picture, source, driving, background, dropout)
        return self.inpainting_network(picture, motion)


def relative(source, driving, initial):
    """Returns key points that move the source as the driving face has moved since `initial`, one picture each."""
    return hull_ratio(source[0], initial[0]) * (driving - initial) + source
