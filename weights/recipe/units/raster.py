"""A z-buffer rasteriser: the triangle and the barycentric coordinates at each pixel."""

import numba
import numpy as np


@numba.njit(cache=True)
def rasterise(points, triangles, width, height):
    """points (N,3): x right, y down in pixels, z towards the viewer is larger.

    Returns the covering triangle (H,W) i32 or -1, its barycentric coordinates (H,W,3) and depth (H,W).
    """
    index = np.full((height, width), -1, np.int32)
    weights = np.zeros((height, width, 3), np.float32)
    depth = np.full((height, width), -1e9, np.float32)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, az = points[a, 0], points[a, 1], points[a, 2]
        bx, by, bz = points[b, 0], points[b, 1], points[b, 2]
        cx, cy, cz = points[c, 0], points[c, 1], points[c, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-6:
            continue
        x0 = max(0, int(np.floor(min(ax, bx, cx))))
        x1 = min(width - 1, int(np.ceil(max(ax, bx, cx))))
        y0 = max(0, int(np.floor(min(ay, by, cy))))
        y1 = min(height - 1, int(np.ceil(max(ay, by, cy))))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                px, py = x + 0.5, y + 0.5
                u = ((bx - px) * (cy - py) - (by - py) * (cx - px)) / area
                v = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) / area
                w = 1.0 - u - v
                if u < -1e-5 or v < -1e-5 or w < -1e-5:
                    continue
                z = u * az + v * bz + w * cz
                if z > depth[y, x]:
                    depth[y, x] = z
                    index[y, x] = t
                    weights[y, x, 0] = u
                    weights[y, x, 1] = v
                    weights[y, x, 2] = w
    return index, weights, depth


@numba.njit(cache=True)
def vertex_normals(points, triangles):
    """Unit normals (N,3), the normalised sum of the adjacent triangles' normals."""
    out = np.zeros_like(points)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        n = np.cross(points[b] - points[a], points[c] - points[a])
        out[a] += n
        out[b] += n
        out[c] += n
    for i in range(out.shape[0]):
        length = np.sqrt((out[i] ** 2).sum())
        if length > 0:
            out[i] /= length
    return out


@numba.njit(cache=True)
def bilinear(image, x, y):
    """Samples image (H,W,C) f32 at pixel positions x, y (n,), clamped to the edge."""
    h, w, channels = image.shape
    out = np.empty((x.shape[0], channels), np.float32)
    for i in range(x.shape[0]):
        px = min(max(x[i] - 0.5, 0.0), w - 1.001)
        py = min(max(y[i] - 0.5, 0.0), h - 1.001)
        ix, iy = int(px), int(py)
        fx, fy = px - ix, py - iy
        for c in range(channels):
            top = image[iy, ix, c] * (1 - fx) + image[iy, ix + 1, c] * fx
            low = image[iy + 1, ix, c] * (1 - fx) + image[iy + 1, ix + 1, c] * fx
            out[i, c] = top * (1 - fy) + low * fy
    return out


def rotation(yaw, pitch, roll):
    """Degrees; yaw is about the vertical axis, pitch nods, roll tilts."""
    y, p, r = np.radians([yaw, pitch, roll])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    rx = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    rz = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return rz @ rx @ ry
