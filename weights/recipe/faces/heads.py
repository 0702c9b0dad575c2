"""Renders MakeHuman heads with the ARKit shapes in batches: any pose, exact Action Units, and a label for each pixel.

The head is one mesh of skin, eyes, teeth and tongue, with a neck, a torso in a shirt and, for some, long hair added; the
background is a static picture. The interface is that of `photographs.Photographs`.
"""

import os

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from .people import BAG, BASE_CENTRE, EYE, EYE_AT, HAIR, NECK, SHIRT, SKIN, TEETH, TONGUE, Mesh, backgrounds, cast, hairline, looks
from .photographs import BACK, SUPER, SURFACE, Drawn, rotation, smooth, whole
from .prepare import CANVAS
from .raster import barycentric, interpolate, rasterise, vertex_normals

AT_ONCE = 64
TEXTURE = 1024


def bilinear(images, which, x, y, wrap=False):
    """Samples images (K, H, W, C), number `which` (n,) or 0, at pixels x, y (n,) whose first centre is 0.5 -> (n, C) float."""
    height, width = images.shape[1:3]
    x, y = x - 0.5, y - 0.5
    left, top = x.floor(), y.floor()
    fx, fy = (x - left)[:, None], (y - top)[:, None]
    if wrap:
        columns = [(left.long() + k) % width for k in (0, 1)]
        rows = [(top.long() + k) % height for k in (0, 1)]
    else:
        columns = [(left.long() + k).clamp(0, width - 1) for k in (0, 1)]
        rows = [(top.long() + k).clamp(0, height - 1) for k in (0, 1)]
    at = lambda r, c: images[which, rows[r], columns[c]].float()
    upper = at(0, 0) * (1 - fx) + at(0, 1) * fx
    lower = at(1, 0) * (1 - fx) + at(1, 1) * fx
    return upper * (1 - fy) + lower * fy


class Heads:
    """`people` random MakeHuman persons from the data in `folder`, on one device; `people` below are indices into them."""

    def __init__(self, folder, people, device, seed):
        rng = np.random.default_rng(seed)
        put = lambda a: torch.as_tensor(np.ascontiguousarray(a), device=device)
        mesh = Mesh(folder)
        self.device, self.names = device, mesh.names
        self.expression = put(mesh.expression)
        self.base, self.uv = put(mesh.base), put(mesh.uv)
        self.triangles, self.triangles_uv = put(mesh.triangles), put(mesh.triangles_uv)
        self.material, self.inner = put(mesh.material), put(mesh.inner)
        self.lashes, self.follow, self.region = put(mesh.lashes), put(mesh.follow), put(mesh.region)
        self.neck, self.ears = put(mesh.neck), put(mesh.on_ears)
        self.pivot = put(np.array([0, 6.5, 0.25], np.float32))

        read = lambda *p: cv2.imread(os.path.join(folder, *p), cv2.IMREAD_UNCHANGED)
        names = sorted(os.listdir(os.path.join(folder, "skins")))
        skins = [cv2.resize(read("skins", n)[..., 2::-1], (TEXTURE, TEXTURE), interpolation=cv2.INTER_AREA) for n in names]
        self.skins = put(np.stack(skins))
        self.tone = self._tones()
        self.eye = put(cv2.resize(read("hair", "gz_green_eye.png")[..., 2::-1], (256, 256), interpolation=cv2.INTER_AREA)[None])
        # The upper of the two, with its inner end on the left.
        brow = read("hair", "eyebrow001.png")[140:310][..., [2, 1, 0, 3]]
        self.brow = put(cv2.resize(brow, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)[None])
        noise = rng.normal(0, 1, (512, 512)).astype(np.float32)
        # Strands run along y; both kinds of noise repeat without a seam.
        spread = lambda sx, sy: cv2.GaussianBlur(np.tile(noise, (3, 3)), (0, 0), sigmaX=sx, sigmaY=sy)[512:1024, 512:1024]
        strands = np.stack([n / n.std() for n in (spread(1.0, 40), spread(5, 60), spread(3, 3), spread(24, 24))], -1)
        self.noise = put(strands[None].astype(np.float32))

        person = cast(mesh, people, rng)
        look = looks(person, names, rng)
        rest = mesh.dress(person["offset"], look)
        low, high = rest[:, mesh.box].min(1), rest[:, mesh.box].max(1)
        side = (high - low)[:, :2].max(1) * 2.1
        scale = CANVAS / side
        middle = (low + high)[:, :2] / 2 + np.stack([0 * side, 0.06 * side], 1)
        self.data = {k: put(v.astype(np.float32) if v.dtype == np.float64 else v) for k, v in look.items()}
        self.data |= dict(rest=put(rest), scale=put(scale.astype(np.float32)), middle=put(middle.astype(np.float32)))
        self.data["behind"] = put(backgrounds(people, rng))
        everyone = torch.arange(people, device=device)
        nothing = torch.zeros(people, len(self.names), device=device)
        box = []
        for some in everyone.split(AT_ONCE):
            at = self._project(some, self._shape(some, nothing[some]))[:, put(mesh.box), :2]
            box.append(torch.cat([at.amin(1), at.amax(1)], 1))
        self.data["box"] = torch.cat(box)

    def own(self, people):
        """The expression that belongs to a person: none."""
        return torch.zeros(len(people), len(self.names), device=self.device)

    def _tones(self):
        """The skin colour on the sides of the neck for each skin (K, 3)."""
        corner, uv = self.triangles, self.triangles_uv
        at = self.base[corner].mean(1)
        chosen = (self.material == SKIN) & (at[:, 1] > 6.35) & (at[:, 1] < 6.6) & (at[:, 2] > 0.2) & (at[:, 2] < 0.8) & (at[:, 0].abs() > 0.35)
        place = self.uv[uv[chosen]].mean(1)
        every = lambda k: bilinear(self.skins, torch.full((len(place),), k, device=self.device), place[:, 0] * TEXTURE, (1 - place[:, 1]) * TEXTURE)
        return torch.stack([every(k).median(0).values for k in range(len(self.skins))])

    def _shape(self, people, coefficients):
        """(B, V, 3) in the model's decimetres, y up."""
        moved = torch.einsum("bk,kvc->bvc", coefficients, self.expression)
        rest = self.data["rest"][people].clone()
        rest[:, : moved.shape[1]] += moved
        return rest

    def _project(self, people, shape):
        """Projects from model to canvas pixels, y down, z to the viewer, with perspective."""
        d = self.data
        scale = d["scale"][people][:, None, None]
        distance = d["distance"][people][:, None, None]
        factor = distance / (distance - (shape[..., 2:] - 1.0))
        xy = (shape[..., :2] - d["middle"][people][:, None]) * factor * scale * shape.new_tensor([1, -1])
        return torch.cat([xy + CANVAS / 2, shape[..., 2:] * scale], -1)

    def _pose(self, people, pose, shape):
        """Rotates the head on its neck, then applies the camera: (B, V, 3) in the picture's pixels."""
        d = self.data
        scale = d["scale"][people][:, None]
        turned = (shape - self.pivot) @ rotation(pose.angles).transpose(1, 2) + self.pivot
        shift = pose.move * pose.move.new_tensor([1, -1]) / scale
        turned = torch.cat([turned[..., :2] + shift[:, None], turned[..., 2:]], -1)
        at = self._project(people, shape + (turned - shape) * self.follow)
        xy = at[..., :2] @ pose.camera[:, :, :2].transpose(1, 2) + pose.camera[:, None, :, 2]
        zoom = pose.camera[:, 0, :2].norm(dim=1)[:, None, None]
        return torch.cat([xy, at[..., 2:] * zoom], -1)

    def draw(self, people, coefficients, pose, plain=None):
        """Renders `people` (B,) int64 with expression `coefficients` (B, 67) in `pose`: a `Drawn`. `plain` is ignored."""
        parts = []
        for some in torch.arange(len(people), device=self.device).split(AT_ONCE):
            view = type(pose)(pose.angles[some], pose.move[some], pose.camera[some], pose.size)
            parts.append(self._draw(people[some], coefficients[some], view))
        if len(parts) == 1:
            return parts[0]
        join = lambda values: tuple(torch.cat(v) for v in zip(*values)) if isinstance(values[0], tuple) else torch.cat(values)
        return Drawn(**{name: join([getattr(p, name) for p in parts]) for name in vars(parts[0])})

    def _draw(self, people, coefficients, pose):
        size = pose.size
        inner = size * SUPER
        screen = self._pose(people, pose, self._shape(people, coefficients))
        big = screen * SUPER
        index = rasterise(big, self.triangles, inner, inner)
        weights = barycentric(big, self.triangles, index)
        covered = index >= 0
        item, row, column = covered.nonzero().unbind(1)
        triangle, w = index[item, row, column], weights[item, row, column]
        up = screen * screen.new_tensor([1, -1, 1])
        normal = vertex_normals(up, self.triangles[~self.inner])
        corner = self.triangles[triangle]
        mix = lambda v: (v * w[..., None]).sum(1)
        n = F.normalize(mix(normal[item[:, None], corner]), dim=1)
        n = torch.where(self.inner[triangle][:, None], -n, n)
        z = mix(big[..., 2:][item[:, None], corner])[:, 0]
        depth = torch.zeros_like(weights[..., 0])
        depth[item, row, column] = z

        unit = self.data["scale"][people] * pose.camera[:, 0, :2].norm(dim=1) * SUPER
        colour, region = self._paint(people[item], triangle, w, n, mix(self.base[corner]))
        colour = colour * self._occlusion(depth, covered, unit)[item, row, column][:, None]
        colour = self._lashes(colour, big, depth, item, row, column, unit)

        picture = self._behind(people, pose, inner)
        picture[item, row, column] = colour
        regions = torch.zeros_like(picture)
        regions[item, row, column] = region
        shrink = lambda t: F.avg_pool2d(t.permute(0, 3, 1, 2), SUPER)
        return Drawn(
            picture=shrink(picture / 255).clamp(0, 1), regions=shrink(regions), layer=torch.where(covered, SURFACE, BACK),
            index=index, weights=weights, points=(screen,), depth=depth / SUPER, camera=pose.camera,
        )

    def _behind(self, people, pose, inner):
        """The background (B, inner, inner, 3)."""
        back_to = torch.linalg.inv_ex(whole(pose.camera))[0][:, :2]
        grid = torch.stack(torch.meshgrid(*[(torch.arange(inner, device=self.device) + 0.5) / SUPER] * 2, indexing="xy"), -1)
        at = grid.view(1, -1, 2) @ back_to[:, :, :2].transpose(1, 2) + back_to[:, None, :, 2]
        image = self.data["behind"][people].float().permute(0, 3, 1, 2)
        look = (at * (2 / CANVAS) - 1).view(-1, inner, inner, 2)
        return F.grid_sample(image, look, padding_mode="reflection", align_corners=False).permute(0, 2, 3, 1).contiguous()

    def _paint(self, who, triangle, w, normal, base):
        """Lit colours (n, 3) and regions (n, 3) of pixels of persons `who` (n,); `base` are positions on the neutral head."""
        d = self.data
        material = self.material[triangle]
        x, y, z = base.unbind(1)
        on = lambda *kinds: sum((material == k) for k in kinds).bool()
        uv = (self.uv[self.triangles_uv[triangle]] * w[..., None]).sum(1)
        skin = bilinear(self.skins, d["skin"][who], uv[:, 0] * TEXTURE, (1 - uv[:, 1]) * TEXTURE)
        # The skin textures end at the neck; below it the colour is constant.
        below = (self.neck[self.triangles[triangle]] * w).sum(1)
        below = torch.maximum(below, smooth(60, 30, skin.amax(1)) * (y < 6.75) * (z < 1.0))[:, None]
        skin = skin + below * (self.tone[d["skin"][who]] - skin)
        colour = skin * d["tint"][who]

        bag = on(BAG).float()
        brow = self._brows(who, base) * on(SKIN)
        hair, strand, sheen = self._hair(who, base, on(HAIR))
        hair = hair * on(SKIN, HAIR) * (1 - on(SKIN) * (d["length"][who] == 0) * (self.ears[self.triangles[triangle]] * w).sum(1))
        tone = d["hair"][who]
        colour = colour + brow[:, None] * (tone * 0.8 - colour)
        colour = colour + hair[:, None] * (tone * (1 + 0.16 * strand).clamp(0.5, 1.6)[:, None] - colour)

        # A lamp with wrapped diffuse light, more so in red, and ambient light from the sky.
        to, key, fill = d["direction"][who], d["key"][who][:, None], d["fill"][who][:, None]
        facing = (normal * to).sum(1, keepdim=True)
        soft = facing.new_tensor([0.30, 0.20, 0.15]) * on(SKIN, NECK)[:, None] * (1 - hair[:, None])
        lambert = ((facing + soft) / (1 + soft)).clamp(0, 1)
        other = to * to.new_tensor([-1, 0, 0]) + to.new_tensor([0, 0.3, 0.5])
        wrap = 0.5 + 0.5 * (normal * F.normalize(other, dim=1)).sum(1, keepdim=True)
        light = d["lamp"][who] * lambert * key + d["sky"][who] * (wrap * fill + 0.14)

        deep = smooth(0.85, 1.5, z)[:, None] * 0.92 + 0.06
        round_ = 0.75 + 0.25 * normal[:, 2:].clamp(0, 1)
        teeth = d["teeth"][who]
        gum = torch.maximum(smooth(6.765, 6.79, y), smooth(6.53, 6.50, y))[:, None]
        teeth = teeth + gum * (teeth * teeth.new_tensor([0.75, 0.42, 0.42]) - teeth)
        flesh = d["tint"][who] * d["tint"].new_tensor([170.0, 78, 80])
        mouth = torch.where(on(TEETH)[:, None], teeth * 1.25 * round_, flesh * round_) * deep
        colour = torch.where(on(TEETH, TONGUE)[:, None], mouth, colour)
        colour = colour + bag[:, None] * (flesh * 0.5 * deep - colour)
        within = torch.maximum(on(TEETH, TONGUE).float(), bag)[:, None]
        for kind, paint in ((EYE, self._eyes), (SHIRT, self._shirt)):
            some = on(kind).nonzero()[:, 0]
            colour[some] = paint(who[some], base[some])
        # Inside the mouth, light comes only from the front.
        light = light + within * (0.35 * light + 0.45 * (d["lamp"][who] * key + fill * 0.5) - light)

        half = F.normalize(to + to.new_tensor([0, 0, 1]), dim=1)
        gloss = (normal * half).sum(1, keepdim=True).clamp(0, 1)
        oily = d["oily"][who][:, None] * on(SKIN)[:, None] * (1 - hair[:, None])
        shine = key * (oily * gloss**14 + on(EYE)[:, None] * (gloss**100 * 190 + gloss**12 * 12))
        shine = shine + key * (hair * sheen)[:, None] * (gloss**5) * (0.05 * tone + 10)
        lip = ((x.abs() < 0.3) & (y > 6.5) & (y < 6.78) & on(SKIN)).float()[:, None]
        shine = shine + key * (lip * gloss**30 + on(TEETH)[:, None] * gloss**20) * 14
        out = colour * light + shine * d["lamp"][who]

        around = (self.region[self.triangles[triangle]] * w[..., None]).sum(1)
        bare = on(SKIN, EYE, BAG, TEETH, TONGUE) * (1 - hair)
        face = torch.maximum(around[:, 0], on(EYE, BAG, TEETH, TONGUE).float()) * bare
        eyes = torch.maximum(around[:, 1], on(EYE).float()) * bare
        lips = torch.maximum(around[:, 2], within[:, 0]) * bare
        return out, torch.stack([face, eyes, lips], 1)

    def _brows(self, who, base):
        """The opacity of the eyebrows at each pixel (n,): placed on the neutral head, so that they move with the skin."""
        rise, thick, alpha = self.data["brow"][who].unbind(1)
        x = (base[:, 0].abs() - 0.10) / 0.50
        y = (7.545 + rise - base[:, 1]) / (0.165 * thick)
        on = (x > 0) & (x < 1) & (y > 0) & (y < 1) & (base[:, 2] > 0.8)
        out = torch.zeros_like(x)
        height, width = self.brow.shape[1:3]
        out[on] = (bilinear(self.brow, 0, x[on] * width, y[on] * height)[:, 3] / 255 * 2).clamp(0, 1) * alpha[on]
        return out

    def _hair(self, who, base, long):
        """The opacity of hair at each pixel, the strands' noise about 0, and the specular along them; each (n,)."""
        d = self.data
        away = base - base.new_tensor(BASE_CENTRE)
        round_ = torch.atan2(away[:, 0], away[:, 2])
        height = away[:, 1]
        seed = d["hair_seed"][who]
        # Combed slightly to one side.
        u = (round_ + 0.5 * d["comb"][who] * height) * (512 / (2 * np.pi)) + seed[:, 0]
        fine, broad, speck, patch = bilinear(self.noise, 0, u, height * 90 + seed[:, 1], wrap=True).unbind(1)
        line = hairline(base, d["front"][who], d["recede"][who], d["sideburn"][who], torch)
        ragged = line + 0.03 * fine * d["ragged"][who] + 0.012 * speck + 0.02 * patch
        cover = smooth(-0.04, 0.09, ragged) * d["cover"][who]
        # Thin hair shows the scalp.
        cover = cover * (1 - d["thin"][who] * (0.5 + 0.4 * fine).clamp(0, 1))
        # A beard from the ears to the corners of the mouth and above the lip, around the lips.
        side, y, z = base[:, 0].abs(), base[:, 1], base[:, 2]
        cheek = 6.68 + (side - 0.26).clamp(0, 0.2) * 0.5 + (side - 0.46).clamp(min=0) * 1.1
        beard = smooth(0.12, -0.10, y - torch.where(side < 0.26, 6.80, cheek) - 0.012 * patch) * smooth(0.55, 0.85, z)
        beard = beard * smooth(0.9, 1.25, ((side / 0.27) ** 2 + ((y - 6.63) / 0.105) ** 2).sqrt()) * smooth(6.18, 6.34, y)
        beard = beard * d["beard"][who] * (1 + 0.06 * speck)
        strand = (0.6 * fine + 0.6 * broad) * (0.2 + 0.8 * smooth(0, 0.3, cover - beard))
        cover = torch.maximum(cover, beard)
        cover = torch.where(long, torch.ones_like(cover), cover)
        return cover, strand, (1 + 0.6 * fine).clamp(0, 2)

    def _eyes(self, who, base):
        side = torch.where(base[:, 0] > 0, EYE_AT[0], -EYE_AT[0])
        local = torch.stack([base[:, 0] - side, base[:, 1] - EYE_AT[1]], 1) / 0.138
        texel = bilinear(self.eye, 0, (local[:, 0] * 0.40 + 0.5) * 256, (0.5 - local[:, 1] * 0.40) * 256)
        r = local.norm(dim=1, keepdim=True)
        iris = smooth(0.56, 0.50, r)
        white = texel * 0.5 + texel.mean(1, keepdim=True) * 0.5 + 12
        return white + iris * (texel.mean(1, keepdim=True) * self.data["eye"][who] * (0.9 - 0.25 * smooth(0.4, 0.53, r)) - white)

    def _shirt(self, who, base):
        """Cloth colour (n, 3), with another inside the opening of a jacket."""
        d = self.data
        x, y = base[:, 0], base[:, 1]
        folds = bilinear(self.noise, 0, x * 130 + d["hair_seed"][who][:, 1], y * 130, wrap=True)
        opening = smooth(0.03, -0.03, x.abs() - (y - d["collar"][who]) * 0.6)[:, None]
        front = (base[:, 2:] > 0.3).float()
        tie = smooth(0.015, -0.015, x.abs() - 0.07 - 0.05 * (5.7 - y).clamp(0, 1))[:, None] * d["tie"][who][:, None]
        cloth = d["shirt"][who]
        inside = d["shirt_inside"][who] + tie * (d["shirt_tie"][who] - d["shirt_inside"][who])
        cloth = cloth + opening * front * (inside - cloth)
        return cloth * (0.9 + 0.08 * folds[:, 3:] + 0.03 * folds[:, 2:3])

    def _occlusion(self, depth, covered, unit):
        """Ambient occlusion from depth: factors (B, H, W); `unit` (B,) is pixels per decimetre."""
        far = torch.where(covered, depth, torch.inf).flatten(1).amin(1).clamp(max=1e6)[:, None, None]
        flat = torch.where(covered, depth, far)[:, None]
        out = torch.ones_like(depth)
        usual = float(unit.median())
        for radius, strength, least in ((0.04, 1.6, 0.45), (0.11, 0.9, 0.4), (0.32, 0.32, 0.6)):
            k = max(3, int(radius * usual)) | 1
            blur = lambda t: F.avg_pool2d(F.avg_pool2d(t, (k, 1), 1, (k // 2, 0), count_include_pad=False), (1, k), 1, (0, k // 2), count_include_pad=False)
            behind = (blur(flat) - flat)[:, 0] / unit[:, None, None]
            dark = (behind - 0.006).clamp(0, 0.5) * (2.2 * strength)
            soft = blur((1 - dark).clamp(least, 1)[:, None])[:, 0] if radius > 0.3 else (1 - dark).clamp(least, 1)
            out = out * soft
        return out

    def _lashes(self, colour, big, depth, item, row, column, unit):
        """Draws the upper lashes half transparent over `colour` (n, 3)."""
        index = rasterise(big, self.lashes, *depth.shape[1:])[item, row, column]
        z = big[..., 2][item[:, None], self.lashes[index.clamp(min=0)]].mean(1)
        there = (index >= 0) & (z > depth[item, row, column] - 0.02 * unit[item])
        return torch.where(there[:, None], colour * 0.38 + 6, colour)

    def flow(self, drawn, first, nodes=64):
        """Returns the backward flow from `drawn` (B) to the pictures `first` (B): ((B, nodes, nodes, 2) in -1..1 with aligned
        corners, visible (B, nodes, nodes) in 0..1)."""
        size = drawn.picture.shape[-1]
        inner = size * SUPER
        place = torch.linspace(0, size - 1, nodes, device=self.device) + 0.5
        cell = (place * SUPER).long().clamp(max=inner - 1)
        pick = lambda t: t[:, cell][:, :, cell]
        layer, index, weights = pick(drawn.layer), pick(drawn.index), pick(drawn.weights)
        on = layer == SURFACE
        point = interpolate(first.points[0], self.triangles, index, weights)
        across = whole(first.camera) @ torch.linalg.inv_ex(whole(drawn.camera))[0]
        grid = (torch.stack(torch.meshgrid(cell, cell, indexing="xy"), -1) + 0.5) / SUPER
        back = grid.view(1, -1, 2) @ across[:, :2, :2].transpose(1, 2) + across[:, None, :2, 2]
        # The offset of the sample from the node, which applies to its source position too.
        offset = place - (cell + 0.5) / SUPER
        offset = torch.stack(torch.meshgrid(offset, offset, indexing="xy"), -1)
        to = torch.where(on[..., None], point[..., :2], back.view(*layer.shape, 2)) + offset
        look = (to * (2 / size) - 1)
        at = lambda t, mode: F.grid_sample(t[:, None].float(), look, mode=mode, padding_mode="border", align_corners=False)[:, 0]
        # The farthest of neighbouring samples, since depth varies much between neighbours on a
        # steep cheek.
        farthest = torch.where(first.layer == SURFACE, first.depth, torch.inf)
        farthest = -F.max_pool2d(-farthest[:, None], 3, 1, 1)[:, 0]
        there, there_depth = at(first.layer, "nearest"), at(farthest.clamp(max=1e6), "nearest")
        seen = (there == SURFACE) & (point[..., 2] > there_depth - 0.018 * size)
        visible = torch.where(on, seen, there == BACK)
        out = (to - 0.5) * (2 / (size - 1)) - 1
        return out, (visible & (out.abs() <= 1 + 1e-4).all(-1)).float()
