"""Losses shared by FOMM and TPS. Each returns a scalar in single precision; `B` is the batch, `K` the key points."""

import torch
import torch.nn.functional as F

from networks.layers import grid, resize, resize_flow, warp


def attention(regions):
    """The weight of each node of the driving picture, `[B, 1, 64, 64]`, 1 on average: more on the face, eyes and mouth."""
    face, eyes, mouth = regions.unsqueeze(2).unbind(1)
    weight = 1 + 1.0 * face + 7.0 * eyes + 5.0 * mouth
    return weight / weight.mean((1, 2, 3), keepdim=True)


def reconstruction(prediction, driving, weight):
    """L1 of the pictures and of their gradients at full size, a half and a quarter (gradients at the first two)."""
    weight = resize(weight, *driving.shape[-2:], True)
    total = 0.0
    for level in range(3):
        away = prediction - driving
        total = total + (away.abs() * weight).mean()
        if level < 2:
            down = (away[..., 1:, :] - away[..., :-1, :]).abs() * weight[..., 1:, :]
            across = (away[..., 1:] - away[..., :-1]).abs() * weight[..., 1:]
            total = total + down.mean() + across.mean()
            prediction, driving, weight = (F.avg_pool2d(x, 2) for x in (prediction, driving, weight))
    return total


def flow_truth(flow, pair, weight):
    """The flow's error where the truth is known: only visible points count, and large displacements count more."""
    h, w = flow.shape[1:3]
    truth = resize_flow(pair.flow, h, w, True)
    maps = resize(torch.cat([pair.visible, pair.known, weight], 1), h, w, True)
    visible, known, weight = maps[:, 0], maps[:, 1], maps[:, 2]
    moved = (truth - grid(h, w, flow.device)).norm(dim=-1)
    weight = (visible + 0.05) * known * weight * (1 + 4 * moved.clamp(max=0.5))
    # Beyond the source's edge, the position doesn't matter.
    truth, flow = truth.clamp(-1.2, 1.2), flow.clamp(-1.5, 1.5)
    return ((flow - truth).abs().sum(-1) * weight).sum() / (weight.sum() + 1.0)


def deformed_truth(flow, pair, weight, seen):
    """L1 between the source warped by the flow and the driving picture, at the flow's nodes, where `seen` `[B, 1, h, w]`."""
    h, w = flow.shape[1:3]
    source = F.avg_pool2d(pair.source, 3, 1, 1)
    target = resize(F.avg_pool2d(pair.driving, 3, 1, 1), h, w, True)
    return ((warp(source, flow) - target).abs() * seen * resize(weight, h, w, True)).mean()


def occlusion_truth(occlusion, pair, weight):
    """Cross entropy between a mask `[B, 1, h, w]` and the true visibility, where that is known."""
    h, w = occlusion.shape[-2:]
    maps = torch.cat([pair.visible, pair.known, weight], 1)
    maps = F.adaptive_avg_pool2d(maps, (h, w)) if h < maps.shape[-2] else resize(maps, h, w, True)
    visible, known, weight = maps[:, :1].clamp(0, 1), maps[:, 1:2], maps[:, 2:]
    mask = occlusion.clamp(1e-3, 1 - 1e-3)
    entropy = -(visible * torch.log(mask) + (1 - visible) * torch.log(1 - mask))
    weight = known * weight
    return (entropy * weight).sum() / (weight.sum() + 1.0)


def at_points(maps, points):
    """Samples `maps` `[B, C, h, w]` at `points` `[B, K, 2]`: `[B, K, C]`."""
    return warp(maps, points.unsqueeze(1), border="border")[:, :, 0].transpose(1, 2)


def carried_points(source, driving, pair):
    """Key points should move with the face: the true flow maps the driving ones to the source's. L1 where known and visible.

    Returns the loss and, for Jacobians, the true ones at each driving point `[B, K, 2, 2]` with its weight `[B, K]`.
    """
    at = driving.detach()
    maps = torch.cat([pair.flow.permute(0, 3, 1, 2), pair.visible * pair.known], 1)
    found = at_points(maps, at)
    weight = found[..., 2] * (at.abs().amax(-1) < 0.95)
    reach = 0.08
    ahead = reach * torch.eye(2, device=at.device)
    steps = torch.cat([ahead, -ahead])
    around = at_points(maps[:, :2], (at.unsqueeze(2) + steps).flatten(1, 2)).unflatten(1, (-1, 4))
    slope = torch.stack([around[:, :, 0] - around[:, :, 2], around[:, :, 1] - around[:, :, 3]], -1) / (2 * reach)
    # The true flow at the driving point, linearised: a gradient to both points.
    target = found[..., :2] + torch.einsum("bkij,bkj->bki", slope, driving - at)
    loss = ((source - target).abs().sum(-1) * weight).sum() / (weight.sum() + 1.0)
    return loss, slope, weight


def on_face(points, face, reach):
    """Keeps `points` `[B, K, 2]` within an ellipse around the face, `reach` times as large as the face's moments indicate."""
    mass = face.flatten(2)[:, 0] + 1e-4
    nodes = grid(*face.shape[-2:], face.device).view(1, -1, 2)
    mass = (mass / mass.sum(1, keepdim=True)).unsqueeze(-1)
    centre = (mass * nodes).sum(1, keepdim=True)
    spread = (mass * (nodes - centre).square()).sum(1, keepdim=True)
    # For a uniform ellipse the edge is at 4 in units of the moments.
    away = ((points - centre).square() / (spread + 0.01)).sum(-1) / 4
    return F.relu(away.clamp(min=1e-6).sqrt() - reach).mean()


def apart(points, least):
    """Keeps `points` `[..., K, 2]` at least this far from each other."""
    k = points.shape[-2]
    away = points.unsqueeze(-2) - points.unsqueeze(-3)
    distance = (away.square().sum(-1) + 1e-8).sqrt()
    others = 1 - torch.eye(k, device=points.device)
    return (F.relu(least - distance).square() * others).sum((-1, -2)).mean() / least**2 / k


def critic_loss(real, fake):
    """Least squares: 1 for real patches, 0 for generated ones."""
    return sum((1 - r[-1].float()).square().mean() + f[-1].float().square().mean() for r, f in zip(real, fake))


def fooling_loss(fake):
    return sum((1 - f[-1].float()).square().mean() for f in fake)


def matching_loss(real, fake):
    """L1 between the critic's features of both, averaged over its layers and scales."""
    terms = [(a.detach().float() - b.float()).abs().mean() for r, f in zip(real, fake) for a, b in zip(r[:-1], f[:-1])]
    return sum(terms) / len(terms)
