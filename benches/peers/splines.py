"""Thin-plate splines solved with numpy, for a runtime without a linear solver."""

import numpy as np


def splines(source, driving):
    """The weights of the splines that map `driving` to `source`, both `[1, 5 N, 2]`: `[1, N, 8, 2]`."""
    points = 5
    control, target = driving.reshape(-1, points, 2), source.reshape(-1, points, 2)
    n = len(control)
    squared = np.square(control[:, :, None] - control[:, None]).sum(-1)
    edge = np.concatenate([control, np.ones((n, points, 1), np.float32)], axis=-1)
    system = np.zeros((n, points + 3, points + 3), np.float32)
    system[:, :points, :points] = squared * np.log(squared + np.float32(1e-9))
    system[:, :points, points:] = edge
    system[:, points:, :points] = edge.transpose(0, 2, 1)
    system += np.float32(0.01) * np.eye(points + 3, dtype=np.float32)
    right = np.zeros((n, points + 3, 2), np.float32)
    right[:, :points] = target
    return np.linalg.solve(system, right)[None]
