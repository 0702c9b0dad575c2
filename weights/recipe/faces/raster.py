"""A batched z-buffer rasteriser in plain torch operations: the same on the CPU and on a graphics card.

The triangles of a head are a few pixels large, so each is tested against the pixels of a small window, and the nearest wins by
an atomic maximum of (depth, triangle) packed into one integer.
"""

import torch

WINDOWS = (2, 3, 5, 8, 16, 48, 160)
DEPTH_BITS = 30


def rasterise(points, triangles, height, width):
    """points (B, V, 3): x right, y down in pixels, larger z is nearer; triangles (T, 3) int64, front-facing where they are
    counter-clockwise in a picture whose y goes down (ICT's order once y is flipped). Triangles wider than 160 pixels are skipped.

    Returns the covering triangle (B, H, W) int64, or -1.
    """
    batch, device = points.shape[0], points.device
    corner = points[:, triangles]
    xy = corner[..., :2]
    a, b, c = xy.unbind(2)
    area = (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
    low, high = xy.amin(2), xy.amax(2)
    # The first and last pixel whose centre may be inside.
    first = (low - 0.5).ceil().clamp(min=0)
    last = (high - 0.5).floor()
    last = torch.minimum(last, torch.tensor([width - 1.0, height - 1.0], device=device))
    extent = (last - first).amax(2)
    seen = (area < -1e-6) & (last >= first).all(2)

    z = points[..., 2]
    near, far = z.max(), z.min()
    step = (2**DEPTH_BITS - 1) / (near - far).clamp(min=1e-6)
    buffer = torch.full((batch * height * width,), -1, dtype=torch.int64, device=device)
    below = -1
    for window in WINDOWS:
        chosen = (seen & (extent > below) & (extent < window)).nonzero()
        below = window - 1
        if len(chosen) == 0:
            continue
        for part in chosen.split(max(1, 24_000_000 // window**2)):
            _splat(part, corner, first, window, (height, width), (far, step), buffer)
    return torch.where(buffer < 0, buffer, buffer & ((1 << 24) - 1)).view(batch, height, width)


def _splat(chosen, corner, first, window, size, scale, buffer):
    height, width = size
    far, step = scale
    item, triangle = chosen.unbind(1)
    p = corner[item, triangle]
    start = first[item, triangle]
    steps = torch.arange(window, device=p.device, dtype=p.dtype)
    x = (start[:, :1] + steps)[:, None, :]
    y = (start[:, 1:] + steps)[:, :, None]
    u, v, w = _weights(p[:, :, :, None, None], x + 0.5, y + 0.5)
    inside = (u >= -1e-5) & (v >= -1e-5) & (w >= -1e-5) & (x < width) & (y < height)
    depth = u * p[:, 0, 2, None, None] + v * p[:, 1, 2, None, None] + w * p[:, 2, 2, None, None]
    key = (((depth - far) * step).clamp(0, 2**DEPTH_BITS - 1).to(torch.int64) << 24) | triangle[:, None, None]
    at = (item[:, None, None] * height + y.to(torch.int64)) * width + x.to(torch.int64)
    buffer.scatter_reduce_(0, at[inside], key[inside], "amax")


def _weights(p, x, y):
    """Barycentric coordinates of (x, y) in triangles p (n, 3, 3, ...)."""
    ax, ay = p[:, 0, 0], p[:, 0, 1]
    bx, by = p[:, 1, 0], p[:, 1, 1]
    cx, cy = p[:, 2, 0], p[:, 2, 1]
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
    v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
    return u, v, 1 - u - v


def barycentric(points, triangles, index):
    """Barycentric coordinates of each pixel: (B, H, W, 3) for `index` (B, H, W) from `rasterise`; zeros where it is -1."""
    batch, height, width = index.shape
    corner = triangles[index.clamp(min=0)]
    p = gather(points, corner).flatten(0, 2)
    y, x = torch.meshgrid(
        torch.arange(height, device=points.device) + 0.5, torch.arange(width, device=points.device) + 0.5, indexing="ij"
    )
    x, y = (t.expand(batch, -1, -1).flatten() for t in (x, y))
    weights = torch.stack(_weights(p, x, y), 1).view(batch, height, width, 3)
    return torch.where((index >= 0)[..., None], weights, 0.0).nan_to_num(0.0, 0.0, 0.0)


def gather(values, corner):
    """values (B, V, C) at vertices `corner` (B, H, W, 3) -> (B, H, W, 3, C)."""
    batch = torch.arange(len(values), device=values.device).view(-1, 1, 1, 1)
    return values[batch, corner]


def interpolate(values, triangles, index, weights):
    """Interpolates values (B, V, C), or (V, C) for all, at the pixels -> (B, H, W, C)."""
    corner = triangles[index.clamp(min=0)]
    at = values[corner] if values.dim() == 2 else gather(values, corner)
    return (at * weights[..., None]).sum(3)


def vertex_normals(points, triangles):
    """Unit normals (B, V, 3) of points (B, V, 3)."""
    a, b, c = points[:, triangles].unbind(2)
    normal = torch.linalg.cross(b - a, c - a)
    out = torch.zeros_like(points)
    for k in range(3):
        out.index_add_(1, triangles[:, k], normal)
    return torch.nn.functional.normalize(out, dim=2)
