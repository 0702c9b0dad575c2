"""The contact sheet of FOMM and TPS, from held-out takes, with the errors of their frames.

Upper rows: source, driving picture, source warped by the flow, occlusion mask, frame. Lower rows, driven by another person's
clip: source, the clip's first picture, a later one, the frame by relative and by standard motion.
"""

import numpy as np
import torch

from .common import sheet, to_bytes


class MotionSheet:
    def __init__(self, run, pairs, network, rows=6, crossed=4):
        """`network` returns key points as a tuple of tensors (FOMM) or a tensor (TPS)."""
        self.run, self.pairs, self.network, self.rows, self.crossed = run, pairs, network, rows, crossed

    def _move(self, source, driving, initial):
        """`normalize_kp` for a batch; the hulls' areas are computed one by one, on the CPU."""
        from networks import fomm, tps

        if torch.is_tensor(source):
            one = [tps.relative(s[None], d[None], i[None]) for s, d, i in zip(source, driving, initial)]
            return torch.cat(one)
        one = [fomm.relative(*[tuple(t[n : n + 1] for t in points) for points in (source, driving, initial)])
               for n in range(len(source[0]))]
        return tuple(torch.cat(parts) for parts in zip(*one))

    def _frame(self, picture, source, driving):
        frame = self.network(picture, source, driving)
        if "deformed" not in frame:
            frame["deformed"] = self.network.generator.deformed(picture, frame)
        mask = frame["occlusion"]
        mask = mask if torch.is_tensor(mask) else mask[-1]
        frame["mask_shown"] = torch.nn.functional.interpolate(mask, picture.shape[-2:], mode="bilinear").expand_as(picture)
        return frame

    @torch.no_grad()
    def draw(self):
        network, pairs = self.network, self.pairs
        network.eval()
        count = max(self.rows + self.crossed, 2 * pairs.kept_back)
        _, source, driving = pairs.held(count)
        points, driven = network.detect(source), network.detect(driving)
        frame = self._frame(source, points, driven)
        still = (source - driving).abs().mean().item()
        made = (frame["prediction"] - driving).abs().mean().item()
        print(f"{self.run.name}: kept-back takes: L1 {made:.4f}, standing still {still:.4f}, {made / max(still, 1e-6):.3f} of it", flush=True)

        shown = [source, driving, frame["deformed"], frame["mask_shown"], frame["prediction"]]
        rows = [list(row) for row in zip(*[to_bytes(x[: self.rows], 0, 1) for x in shown])]
        other = torch.roll(torch.arange(count, device=source.device), -3)[: self.crossed]
        mine = slice(0, self.crossed)
        pick = lambda p, i: p[i] if torch.is_tensor(p) else tuple(t[i] for t in p)
        moved = self._move(pick(points, mine), pick(driven, other), pick(points, other))
        relative = self._frame(source[mine], pick(points, mine), moved)["prediction"]
        standard = self._frame(source[mine], pick(points, mine), pick(driven, other))["prediction"]
        across = [source[mine], source[other], driving[other], relative, standard]
        rows += [list(row) for row in zip(*[to_bytes(x, 0, 1) for x in across])]
        titles = ["source", "driving/first", "deformed/later", "mask/relative", "frame/standard"]
        marked = [self._marked(row, i, points, driven) if i < self.rows else row for i, row in enumerate(rows)]
        return sheet(marked, titles)

    def _marked(self, row, i, points, driven):
        """Key points as dots on the first two pictures."""
        for picture, found in ((row[0], points), (row[1], driven)):
            places = found if torch.is_tensor(found) else found[0]
            side = picture.shape[0] - 1
            xy = ((places[i].float().cpu().numpy() + 1) / 2 * side).round().astype(int).clip(1, side - 1)
            for n, (x, y) in enumerate(xy):
                hue = 2 * np.pi * n / len(xy)
                colour = 127 + 127 * np.cos(hue - np.array([0, 2.1, 4.2]))
                picture[y - 1 : y + 2, x - 1 : x + 2] = colour.astype(np.uint8)
        return row
