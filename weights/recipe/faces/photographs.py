"""Re-expresses photographs in batches: the same person, place and light with another expression and another head pose.

There are three layers: the background; the photograph as a relief that turns with the head and gives way to the jaw; over it the
fitted face with the photograph as its texture, new eyes and the inside of the mouth. The content of each pixel is known, and
with it the position of the same point in any other picture of the person.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from .ict import EYE, FACE, INSIDE, PIVOT, TEETH
from .prepare import CANVAS, GRID, STRIDE
from .raster import barycentric, interpolate, rasterise, vertex_normals

BACK, RELIEF, SURFACE = range(3)
SUPER = 2
"""Samples along each side of a pixel."""


@dataclass
class Pose:
    """The camera and head pose of a batch of B pictures.

    `angles` (B, 3): yaw, pitch, roll of the head in radians, relative to the photograph's; `move` (B, 2): the head's shift in
    canvas pixels; `camera` (B, 2, 3): from canvas pixels to the picture's, whose side is `size`.
    """

    angles: torch.Tensor
    move: torch.Tensor
    camera: torch.Tensor
    size: int


@dataclass
class Drawn:
    """`picture` (B, 3, size, size) in 0..1, `regions` (B, 3, size, size) of face, eyes, mouth, and the inputs of `flow`."""

    picture: torch.Tensor
    regions: torch.Tensor
    layer: torch.Tensor
    index: torch.Tensor
    weights: torch.Tensor
    points: torch.Tensor
    depth: torch.Tensor
    camera: torch.Tensor


def rotation(angles):
    """Yaw, pitch, roll (B, 3) in radians -> (B, 3, 3), y up, z to the viewer."""
    y, p, r = angles.unbind(1)
    zero, one = torch.zeros_like(y), torch.ones_like(y)
    matrix = lambda rows: torch.stack([torch.stack(row, 1) for row in rows], 1)
    ry = matrix([[y.cos(), zero, y.sin()], [zero, one, zero], [-y.sin(), zero, y.cos()]])
    rx = matrix([[one, zero, zero], [zero, p.cos(), -p.sin()], [zero, p.sin(), p.cos()]])
    rz = matrix([[r.cos(), -r.sin(), zero], [r.sin(), r.cos(), zero], [zero, zero, one]])
    return rz @ rx @ ry


def whole(camera):
    """Extends cameras (B, 2, 3) to square matrices (B, 3, 3), which can be inverted and multiplied."""
    return torch.cat([camera, camera.new_tensor([[[0, 0, 1]]]).expand(len(camera), -1, -1)], 1)


def harmonics(n):
    x, y, z = n.unbind(-1)
    return torch.stack([torch.ones_like(x), x, y, z, x * y, x * z, y * z, x * x - y * y, 3 * z * z - 1], -1)


def smooth(low, high, value):
    t = ((value - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


class Photographs:
    """All prepared portraits on one device; `people` below are indices into them."""

    def __init__(self, model, prepared, device):
        put = lambda a: torch.as_tensor(np.ascontiguousarray(a), device=device)
        self.device = device
        self.names = model.names
        self.data = {k: put(v) for k, v in prepared.items()}
        self.neutral, self.identity, self.expression = put(model.neutral), put(model.identity), put(model.expression)
        self.spread = put(model.spread)
        self.triangles, self.part = put(model.triangles), put(model.part)
        self.attributes = put(np.stack([model.rim, model.lid, model.bag, model.lash, model.mouth, model.eye], 1).astype(np.float32))
        self.landmarks = put(model.landmarks)
        self.pivot = put(np.array(PIVOT, np.float32))
        node = torch.arange(GRID * GRID, device=device).view(GRID, GRID)
        tl, tr, bl, br = node[:-1, :-1], node[:-1, 1:], node[1:, :-1], node[1:, 1:]
        self.cells = torch.cat([torch.stack([tl, bl, tr], -1).view(-1, 3), torch.stack([tr, bl, br], -1).view(-1, 3)])
        step = torch.arange(GRID, device=device, dtype=torch.float32) * STRIDE
        self.nodes = torch.stack(torch.meshgrid(step, step, indexing="xy"), -1).view(-1, 2)
        self.closing = self._closing()
        self.blink = [self.names.index(n) for n in ("eyeBlink_L", "eyeBlink_R")]

    def _closing(self):
        """How far each landmark must move, in canvas pixels (P, 68, 2), to close lips that the person's fit left open."""
        d = self.data
        upper, lower = [61, 62, 63], [67, 66, 65]
        at = self.neutral[self.landmarks] + torch.einsum("pk,kvc->pvc", d["person"], self.identity[:, self.landmarks])
        gap = at[:, upper, 1] - at[:, lower, 1]
        usual = self.neutral[self.landmarks[upper], 1] - self.neutral[self.landmarks[lower], 1]
        unit = d["turn"][:, 0].norm(dim=1)[:, None]
        half = (gap - usual).clamp(min=0) * unit / 2
        out = torch.zeros(len(half), 68, 2, device=self.device)
        out[:, upper, 1], out[:, lower, 1] = half, -half
        # The whole lip moves along.
        out[:, [50, 51, 52], 1], out[:, [58, 57, 56], 1] = half, -half
        return out

    def own(self, people):
        """The fitted expression (B, 57) of photographs."""
        return self.data["expression"][people]

    def _screen(self, people, coefficients, plain=None):
        """Vertices (B, V, 3) in canvas pixels, y down, z to the viewer, with the head as in the photograph.

        The residual at a photograph's mouth belongs to its own expression and isn't applied to another.
        """
        d = self.data
        shape = self.neutral + torch.einsum("bk,kvc->bvc", d["person"][people], self.identity)
        shape = shape + torch.einsum("bk,kvc->bvc", coefficients, self.expression)
        at = shape @ d["turn"][people].transpose(1, 2)
        at = torch.cat([at[..., :2] + d["shift"][people][:, None], at[..., 2:]], -1) * at.new_tensor([1, -1, 1])
        share = torch.ones(len(people), 68, 1, device=self.device)
        if plain is not None:
            share[:, 48:] = plain.float()[:, None, None]
        off = d["misfit"][people] * share
        if plain is not None:
            off = off + self.closing[people] * (~plain)[:, None, None]
        off = torch.einsum("vk,bkc->bvc", self.spread, off)
        return torch.cat([at[..., :2] + off, at[..., 2:]], -1)

    def _pose(self, people, pose, points, follow):
        """Rotates points (B, N, 3) in the canvas about the neck, less where `follow` (B, N) is below 1; then projects."""
        d = self.data
        pivot = torch.einsum("bij,j->bi", d["turn"][people], self.pivot)
        pivot = torch.cat([pivot[:, :2] + d["shift"][people], pivot[:, 2:]], 1)[:, None]
        up = points * points.new_tensor([1, -1, 1])
        turned = (up - pivot) @ rotation(pose.angles).transpose(1, 2) + pivot
        moved = up + (turned - up) * follow[..., None]
        moved = moved * points.new_tensor([1, -1, 1])
        shifted = moved[..., :2] + pose.move[:, None] * follow[..., None]
        camera = pose.camera
        xy = shifted @ camera[:, :, :2].transpose(1, 2) + camera[:, None, :, 2]
        zoom = camera[:, 0, :2].norm(dim=1)[:, None, None]
        return torch.cat([xy, moved[..., 2:] * zoom], -1)

    def draw(self, people, coefficients, pose, plain=None):
        """Renders `people` (B,) int64 with expression `coefficients` (B, 57) in `pose`: a `Drawn`.

        Where `plain` (B,) bool, the face is the photograph's own and nothing is drawn over it; `coefficients` must be `own`.
        """
        d, size = self.data, pose.size
        inner = size * SUPER
        batch = len(people)
        canvas_before = self._screen(people, self.own(people))
        plain = torch.zeros(batch, dtype=torch.bool, device=self.device) if plain is None else plain
        canvas_after = self._screen(people, coefficients, plain)
        full = torch.ones(batch, canvas_after.shape[1], device=self.device)
        screen = self._pose(people, pose, canvas_after, full)
        big = screen * screen.new_tensor([SUPER, SUPER, SUPER])

        # The relief: nodes near the face follow its movement.
        nearest, near = d["nearest"][people].view(batch, -1).long(), d["near"][people].view(batch, -1)
        change = (canvas_after - canvas_before).gather(1, nearest[..., None].expand(-1, -1, 3)) * near[..., None]
        relief = torch.cat([self.nodes.expand(batch, -1, -1), d["depth"][people].view(batch, -1, 1)], -1) + change
        relief = self._pose(people, pose, relief, d["head"][people].view(batch, -1))

        back_to = torch.linalg.inv_ex(whole(pose.camera))[0][:, :2]
        grid = torch.stack(torch.meshgrid(*[(torch.arange(inner, device=self.device) + 0.5) / SUPER] * 2, indexing="xy"), -1)
        canvas_of = grid.view(1, -1, 2) @ back_to[:, :, :2].transpose(1, 2) + back_to[:, None, :, 2]
        canvas_of = canvas_of.view(batch, inner, inner, 2)
        colour = self._sample("behind", people, canvas_of)

        cell = rasterise(relief * SUPER, self.cells, inner, inner)
        cell_weights = barycentric(relief * SUPER, self.cells, cell)
        source = interpolate(self.nodes, self.cells, cell, cell_weights)
        matte = self._sample("matte", people, source) * (cell >= 0)[..., None]
        colour = colour + matte * (self._sample("photo", people, source) - colour)
        layer = torch.where(matte[..., 0] > 0.5, RELIEF, BACK)

        index = rasterise(big, self.triangles, inner, inner)
        weights = barycentric(big, self.triangles, index)
        paint, cover, regions = self._surface(people, coefficients, canvas_before, screen, index, weights)
        drawn = cover * (~plain).float()[:, None, None, None]
        colour = colour + drawn * (paint - colour)
        layer = torch.where(cover[..., 0] > 0.5, SURFACE, layer)
        depth = (big[..., 2].unsqueeze(-1), relief[..., 2:] * SUPER)
        surface_depth = interpolate(depth[0], self.triangles, index, weights)[..., 0]
        relief_depth = interpolate(depth[1], self.cells, cell, cell_weights)[..., 0]
        shrink = lambda t: F.avg_pool2d(t.permute(0, 3, 1, 2), SUPER)
        on_face = layer == SURFACE
        return Drawn(
            picture=shrink(colour / 255).clamp(0, 1), regions=shrink(regions * cover),
            layer=layer, index=torch.where(on_face, index, cell), weights=torch.where(on_face[..., None], weights, cell_weights),
            points=(screen, relief), depth=torch.where(on_face, surface_depth, relief_depth) / SUPER, camera=pose.camera,
        )

    def _sample(self, name, people, at):
        """Layer `name` of the photographs at canvas pixels `at` (B, H, W, 2) -> (B, H, W, C), 0..255 (matte: 0..1)."""
        image = self.data[name][people].float()
        if image.dim() == 3:
            image = image[..., None] / (255 if name == "matte" else 1)
        grid = at * (2 / CANVAS) - 1
        out = F.grid_sample(image.permute(0, 3, 1, 2), grid, mode="bilinear", padding_mode="border", align_corners=False)
        return out.permute(0, 2, 3, 1)

    def _surface(self, people, coefficients, before, screen, index, weights):
        """Colour (B, H, W, 3) of the fitted face, its opacity (B, H, W, 1), and the regions (B, H, W, 3)."""
        d = self.data
        mix = lambda values: interpolate(values, self.triangles, index, weights)
        up = lambda p: p * p.new_tensor([1, -1, 1])
        normal_before, normal_after = vertex_normals(up(before), self.triangles), vertex_normals(up(screen), self.triangles)
        facing = normal_before[..., 2:]
        light = d["light"][people][:, None]
        shade = lambda n: (harmonics(n) * light).sum(-1, keepdim=True).clamp(0.25, 1.8)
        # Where the photograph doesn't show the skin, its texture is stretched; the relief is better there.
        ratio = (shade(normal_after) / shade(normal_before)).clamp(0.5, 1.5)
        shown = mix(torch.cat([before[..., :2], facing, ratio, normal_after], -1))
        at, facing, ratio, normal = shown[..., :2], shown[..., 2:3], shown[..., 3:4], shown[..., 4:]
        rim, lid, bag, lash, mouth_at, eye_at = mix(self.attributes).split(1, -1)
        part = self.part[index.clamp(min=0)][..., None]
        rest = mix(self.neutral)
        skin = part == FACE

        photo, lids, balls = (self._sample(n, people, at) for n in ("photo", "skin", "eyes"))
        opening = self._sample("mouth", people, at)
        blink = (coefficients - self.own(people))[:, self.blink]
        left = rest[..., :1] > 0
        change = torch.where(left, blink[:, :1, None, None], blink[:, 1:, None, None]).abs()
        closing = lid * smooth(0.15, 0.5, change)
        line = 1 - 0.75 * torch.exp(-((lash / 0.26) ** 2)) * closing
        # Teeth visible in a smiling photograph must not stay on closing lips.
        lips = smooth(0.3, 0.7, mouth_at) * skin
        colour = (photo + torch.maximum(closing, lips) * (lids - photo)) * line
        # Normals of lips that part or meet are too noisy for shading.
        shading = (0.25 + 0.75 * ratio**1.35).clamp(0.55, 1.35)
        colour = colour * (1 + (shading - 1) * (1 - 0.9 * lips))

        eyes = balls * (0.55 + 0.45 * smooth(0, 0.75, normal[..., 2:]))
        colour = torch.where(part == EYE, eyes, colour)

        tone = self._skin_tone(people)[:, None, None]
        # A black and white photograph gets a grey tongue.
        coloured = smooth(0.04, 0.15, (tone.amax(-1, keepdim=True) - tone.amin(-1, keepdim=True)) / tone.amax(-1, keepdim=True))
        tint = lambda *rgb: coloured * tone.new_tensor(rgb) + (1 - coloured) * sum(rgb) / 3
        teeth = d["teeth"][people][:, None, None]
        usual = tone * tint(0.97, 1.03, 1.05) + 12
        teeth = torch.where(teeth[..., :1] < 0, usual, teeth)
        deep = smooth(3.5, 9.5, rest[..., 2:]) * 0.92 + 0.06
        round_ = 0.8 + 0.2 * normal[..., 2:].clamp(0, 1)
        made = torch.where(part == TEETH, teeth * deep * round_, tone * tint(0.82, 0.50, 0.48) * deep * round_)
        # The model's teeth have gaps; what shows through a gap counts as tooth as well.
        tooth = (part == TEETH).float().permute(0, 3, 1, 2)
        reach = index.shape[-1] // 64 | 1
        tooth = F.max_pool2d(tooth, (1, reach), 1, (0, reach // 2)).permute(0, 2, 3, 1)
        made = torch.where((part == INSIDE) & (tooth > 0), teeth * 0.8 * smooth(3.5, 9.5, rest[..., 2:]), made)
        made = torch.where((part == FACE) & (bag > 0.5), tone * tint(0.30, 0.16, 0.15) * (0.3 + deep), made)
        within = ((part == TEETH) | (part == INSIDE) | (skin & (bag > 0.5))).float()
        # Lips cast a shadow on what is behind them.
        inside = (within * (index >= 0)[..., None]).permute(0, 3, 1, 2)
        radius = max(3, index.shape[-1] * 2 // 128) | 1
        open_sky = F.avg_pool2d(F.pad(inside, (0, 0, radius // 2, 0)), radius, 1, radius // 2)[..., : inside.shape[2], :]
        made = made * (0.6 + 0.4 * open_sky.permute(0, 2, 3, 1))
        # Teeth visible in the photograph are better than synthetic ones.
        keep = smooth(0.35, 0.8, opening) * (part != FACE)
        inner = keep * photo + (1 - keep) * made
        colour = colour + within * (inner - colour)

        visible = (index >= 0)[..., None].float()
        cover = visible * torch.where(skin & (bag < 0.5), rim * smooth(0.08, 0.35, facing), torch.ones_like(rim))
        cover = F.avg_pool2d(cover.permute(0, 3, 1, 2), 3, 1, 1).permute(0, 2, 3, 1) * visible
        region = torch.cat([torch.ones_like(rim), torch.maximum(eye_at, (part == EYE).float()), torch.maximum(mouth_at, within)], -1)
        return colour, cover, region

    def _skin_tone(self, people):
        """The median colour of the cheeks (B, 3)."""
        if not hasattr(self, "_tones"):
            everyone = torch.arange(len(self.data["turn"]), device=self.device)
            tones = []
            for some in everyone.split(64):
                at = self._screen(some, self.own(some))[:, self.landmarks[[31, 35, 48, 54, 2, 14, 27, 30]], :2]
                tones.append(self._sample("photo", some, at[:, None])[:, 0].median(1).values)
            self._tones = torch.cat(tones)
        return self._tones[people]

    def flow(self, drawn, first, nodes=64):
        """Returns the backward flow from `drawn` (B) to the pictures `first` (B): ((B, nodes, nodes, 2) in -1..1 with aligned
        corners, visible (B, nodes, nodes) in 0..1)."""
        size = drawn.picture.shape[-1]
        inner = size * SUPER
        place = torch.linspace(0, size - 1, nodes, device=self.device) + 0.5
        cell = (place * SUPER).long().clamp(max=inner - 1)
        pick = lambda t: t[:, cell][:, :, cell]
        layer, index, weights = pick(drawn.layer), pick(drawn.index), pick(drawn.weights)
        face = interpolate(first.points[0], self.triangles, torch.where(layer == SURFACE, index, 0), weights)
        relief = interpolate(first.points[1], self.cells, torch.where(layer == RELIEF, index, 0), weights)
        across = whole(first.camera) @ torch.linalg.inv_ex(whole(drawn.camera))[0]
        grid = (torch.stack(torch.meshgrid(cell, cell, indexing="xy"), -1) + 0.5) / SUPER
        back = grid.view(1, -1, 2) @ across[:, :2, :2].transpose(1, 2) + across[:, None, :2, 2]
        back = back.view(len(layer), nodes, nodes, 2)
        to = torch.where((layer == SURFACE)[..., None], face[..., :2], torch.where((layer == RELIEF)[..., None], relief[..., :2], back))
        depth = torch.where(layer == SURFACE, face[..., 2], relief[..., 2])
        look = (to * (2 / size) - 1)[:, None].flatten(1, 2)
        at = lambda t, mode: F.grid_sample(t[:, None].float(), look, mode=mode, padding_mode="border", align_corners=False).view(layer.shape)
        there, there_depth = at(first.layer, "nearest"), at(first.depth, "nearest")
        person = (layer != BACK) & (there != BACK) & (depth > there_depth - 2.5 * size / 128 - 0.02 * size * (layer == RELIEF))
        # The inside of a mouth is visible only where the first picture shows an inside, not lips.
        visible = torch.where(layer == BACK, there == BACK, person)
        out = (to - 0.5) * (2 / (size - 1)) - 1
        framed = (out.abs() <= 1 + 1e-4).all(-1)
        return out, (visible & framed).float()


def camera(scale, centre, roll, size):
    """A similarity (B, 2, 3): maps the canvas point `centre` (B, 2) to the picture's centre with `scale` (B,) picture pixels per
    canvas pixel, rotated by `roll` (B,) radians."""
    c, s = roll.cos() * scale, roll.sin() * scale
    linear = torch.stack([torch.stack([c, -s], 1), torch.stack([s, c], 1)], 1)
    shift = size / 2 - (linear @ centre[..., None])[..., 0]
    return torch.cat([linear, shift[..., None]], 2)
