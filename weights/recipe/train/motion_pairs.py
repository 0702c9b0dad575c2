"""Pairs of pictures for FOMM and TPS: a source, a driving picture, and the true motion between them where it is known.

Everything is sampled and augmented on the device. Crops are affine maps `p = M u + c` from a new picture's coordinates to the old
one's, separate for each picture, so that the true flow transforms exactly: `M_s^-1 (flow(M_d u + c_d) - c_s)`.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from networks.layers import grid, inverse_2x2, warp

from .common import Pool


@dataclass
class Pair:
    """Pictures are `[B, 3, S, S]` in [0, 1]; maps have 64 nodes per side."""

    source: torch.Tensor
    driving: torch.Tensor
    flow: torch.Tensor  # [B, 64, 64, 2]: the position in the source of each node of the driving picture
    visible: torch.Tensor  # [B, 1, 64, 64]: whether it is visible in the source
    known: torch.Tensor  # [B, 1, 64, 64]: 1 where the two above are known
    regions: torch.Tensor  # [B, 3, 64, 64]: face, eyes, mouth of the driving picture
    source_face: torch.Tensor  # [B, 1, 64, 64]


class Pairs:
    """Samples pairs from `WORK/motion`; the last takes are held out for sheets and figures."""

    def __init__(self, run, dense=0.6):
        self.dice, self.dense = run.dice, dense
        self.pool = Pool(run.work / "motion", ("pictures", "flow", "visible", "regions"), run.device)
        self.takes, self.frames = self.pool.shape("pictures")[:2]
        self.kept_back = min(32, max(4, self.takes // 50))
        self.device = run.device

    def _get(self, name, take, frame):
        return self.pool.get(name, take, frame).float()

    def _indices(self, batch):
        """Returns takes, source frames, driving frames, and whether the truth is known; if so, the source is frame 0."""
        dice = self.dice
        take = dice.integers(self.takes - self.kept_back, (batch,))
        dense = dice.coin((batch,), self.dense)
        source = dice.integers(self.frames, (batch,)) * ~dense
        # Most frames of a take differ too little to be informative: choose the most different of three, mostly.
        three = dice.integers(self.frames, (3, batch))
        seen = self._get("pictures", take, source)[..., ::8, ::8]
        many = self.pool.get("pictures", take.repeat(3), three.reshape(-1))[..., ::8, ::8].float()
        apart = (many.view(3, *seen.shape) - seen).abs().mean((2, 3, 4)) * dice.uniform((3, batch), 0.2, 1.0)
        driving = three.gather(0, apart.argmax(0, keepdim=True))[0]
        return take, source, driving, dense

    def draw(self, batch):
        take, source, driving, dense = self._indices(batch)
        pictures = torch.stack([self._get("pictures", take, source), self._get("pictures", take, driving)]) / 255
        flow, visible = self._get("flow", take, driving), self._get("visible", take, driving).unsqueeze(1) / 255
        regions, face = self._get("regions", take, driving) / 255, self._get("regions", take, source)[:, :1] / 255
        crops = self._crops(batch)
        return self.cropped(pictures, flow, visible, regions, face, dense, *crops, self._flips(batch))

    def held(self, count):
        """Returns pairs of held-out takes, without augmentation: frame 0 and a later frame."""
        take = self.takes - self.kept_back + torch.arange(count, device=self.device) % self.kept_back
        source = torch.zeros_like(take)
        driving = 1 + (torch.arange(count, device=self.device) * 5 + 2) % (self.frames - 1)
        return take, self._get("pictures", take, source) / 255, self._get("pictures", take, driving) / 255

    def _flips(self, batch):
        return torch.where(self.dice.coin((batch,)), -1.0, 1.0)

    def _crops(self, batch):
        """Returns an affine map for each picture of the pair: mostly the same for both, sometimes slightly different."""
        dice = self.dice
        apart = dice.coin((batch,), 0.35).float()

        def both(spread, spread_apart):
            common, own = dice.uniform((1, batch), -spread, spread), dice.uniform((2, batch), -spread_apart, spread_apart)
            return common + own * apart

        size, turn = torch.exp(both(0.09, 0.06) - 0.03), both(0.10, 0.12)
        x, y = both(0.06, 0.07), both(0.06, 0.07)
        cos, sin = size * torch.cos(turn), size * torch.sin(turn)
        m = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
        return m, torch.stack([x, y], -1)

    @torch.no_grad()
    def cropped(self, pictures, flow, visible, regions, face, dense, m, c, flip):
        """`m` `[2, B, 2, 2]` and `c` `[2, B, 2]`: source, driving; `flip` `[B]` is -1 where both are mirrored."""
        mirror = torch.stack([flip, torch.ones_like(flip)], -1)
        m = m * mirror[:, None, :]  # M diag(flip): the new picture's x runs the other way.
        side, nodes = pictures.shape[-1], flow.shape[1]

        def places(which, size):
            u = grid(size, size, flow.device)
            return torch.einsum("bij,hwj->bhwi", m[which], u) + c[which][:, None, None]

        source, driving = (
            warp(pictures[i], places(i, side), border="reflection").clamp(0, 1) for i in range(2)
        )
        at = places(1, nodes)
        shift = (flow - grid(nodes, nodes, flow.device)).permute(0, 3, 1, 2)
        maps = warp(torch.cat([shift, visible, regions], 1), at, border="border")
        to = maps[:, :2].permute(0, 2, 3, 1) + at - c[0][:, None, None]
        moved = torch.einsum("bij,bhwj->bhwi", inverse_2x2(m[0]), to)
        inside = (moved.abs().amax(-1) <= 1.02).unsqueeze(1)
        known = (at.abs().amax(-1) <= 1.0).unsqueeze(1) & dense.view(-1, 1, 1, 1)
        source_face = warp(face, places(0, nodes), border="border")
        return Pair(source, driving, moved, maps[:, 2:3] * inside, known.float(), maps[:, 3:], source_face)

    # --- colours ---

    @torch.no_grad()
    def tinted(self, pictures, strength=1.0, share=1.0):
        """Augments the light of pictures `[N, B, 3, S, S]`, the same for all N of a column, in a `share` of the columns."""
        n, b = pictures.shape[:2]
        dice = self.dice
        keep = dice.coin((b,), share).float() * strength

        def factor(spread, shape):
            return torch.exp(dice.uniform((b, *shape), -spread, spread) * keep.view(b, *[1] * len(shape)))

        gamma, gain = factor(0.22, (1, 1, 1)), factor(0.12, (1, 1, 1)) * factor(0.06, (3, 1, 1))
        saturation, contrast = factor(0.25, (1, 1, 1)), factor(0.12, (1, 1, 1))
        x = pictures.clamp(1e-4, 1) ** gamma * gain
        grey = x.mean(2, keepdim=True)
        x = grey + (x - grey) * saturation
        middle = x.mean((2, 3, 4), keepdim=True)
        return (middle + (x - middle) * contrast).clamp(0, 1)

    @torch.no_grad()
    def disguised(self, pictures):
        """Augments pictures `[B, 3, S, S]` for the key point detector: each in different light, some blurred, some noisy."""
        b = len(pictures)
        dice = self.dice
        x = self.tinted(pictures.unsqueeze(0), 1.6, 0.75)[0]
        soft = F.avg_pool2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), 5, 1)
        blend = dice.uniform((b, 1, 1, 1)) * dice.coin((b, 1, 1, 1), 0.3)
        x = x + (soft - x) * blend
        noise = dice.normal(x.shape) * dice.uniform((b, 1, 1, 1), 0.0, 0.03) * dice.coin((b, 1, 1, 1), 0.4)
        return (x + noise).clamp(0, 1).contiguous(memory_format=torch.channels_last)


class RandomWarp:
    """A random thin-plate warp of the plane, `T(x) = A x + a + sum_i w_i r_i^2 ln r_i^2`, with its Jacobian (Sec. 3.1)."""

    def __init__(self, dice, batch, device, affine=0.06, bend=0.005, points=5):
        self.matrix = torch.eye(2, device=device) + affine * dice.normal((batch, 2, 2))
        self.shift = affine * dice.normal((batch, 1, 2))
        self.controls = grid(points, points, device).view(1, 1, -1, 2)
        self.weights = bend * dice.normal((batch, points * points, 2))

    def __call__(self, places):
        """`[B, N, 2]` to `[B, N, 2]`."""
        squared = (places.unsqueeze(2) - self.controls).square().sum(-1)
        bent = (squared * torch.log(squared + 1e-6)) @ self.weights
        return places @ self.matrix.transpose(1, 2) + self.shift + bent

    def jacobian(self, places):
        """`[B, N, 2]` to `[B, N, 2, 2]`."""
        away = places.unsqueeze(2) - self.controls
        squared = away.square().sum(-1, keepdim=True)
        slope = 2 * away * (torch.log(squared + 1e-6) + squared / (squared + 1e-6))
        return self.matrix.unsqueeze(1) + torch.einsum("bna,bknc->bkac", self.weights, slope)

    def picture(self, picture):
        b, _, h, w = picture.shape
        nodes = grid(h, w, picture.device).view(1, -1, 2).expand(b, -1, -1)
        return warp(picture, self(nodes).view(b, h, w, 2), border="reflection").clamp(0, 1)
