"""Trains the GANimation generator on pairs of pictures from one take, with known Action Units.

    python -m train.ganimation --work WORK --minutes 9.5 --batch 48

The published losses (WGAN-GP realism, regression of Action Units, cycle, attention) have no ground truth; here each
pair has one, so the main loss is the difference from it, by region: the eyes and the mouth are few pixels, and would not be
learnt from a mean over all. The critic has a hinge loss with R1, which needs its second gradient only every few steps.
"""

import torch
from torch.nn import functional as F

from export import UNITS, export, load_into
from networks.ganimation import Generator, PatchCritic, blend
from train import augment
from train.common import Average, Pool, Run, adam, parser, set_rate, sheet, to_bytes

ORIGIN = "trained from scratch by Mien's recipe on faces that it makes itself: re-expressed public-domain portraits and rendered heads"
CROP = 1.4
R1_EVERY, R1_WEIGHT = 8, 2.0
CANDIDATES = 3
# Of the whole picture, the face, the eyes and the mouth (see `Weights`).
SHARES = (0.5, 1.0, 1.2, 1.5)
KINDS = {  # the sheet's rows, and the Action Units by which the best target is found
    "blink": {45: 1},
    "smile": {6: 1, 12: 1, 25: 0.5},
    "jaw": {25: 0.5, 26: 1},
    "brows up": {1: 1, 2: 1},
    "brows down": {4: 1, 7: 0.5},
    "lips part": {25: 1},
    "nose, lip": {9: 1, 10: 1},
    "sad": {1: 0.5, 15: 1, 17: 1},
}


def target_weights(units):
    """Returns how often each picture is a target, (T * K,) cumulated to 1; units (T, K, 17).

    A sixth uniformly; two fifths by Action Units, so that each is equally frequent; a quarter for pictures with only
    one or two of them, again equally; the rest for relaxed faces.
    """
    flat = units.reshape(-1, units.shape[-1]).float()
    active = flat > 0.12
    few = ((active.sum(1) >= 1) & (active.sum(1) <= 2)).float()
    calm = (flat.amax(1) < 0.06).float()

    def by_unit(values):
        return (values / values.sum(0).clamp(min=1.0)).sum(1)

    parts = [(torch.ones_like(calm), 0.17), (by_unit(flat), 0.40), (by_unit(flat * few[:, None]), 0.25), (calm, 0.18)]
    weights = sum(share * part / part.sum().clamp(min=1e-9) for part, share in parts)
    return (weights / weights.sum()).double().cumsum(0)


class Pairs:
    """Samples sources and targets from one take."""

    def __init__(self, pool, run):
        self.pool, self.dice = pool, run.dice
        self.units = pool.arrays["units"].to(run.device).float()
        self.cumulated = target_weights(self.units)
        # Blinks and parted lips are few pixels but must count in the choice of the most different candidate.
        self.importance = torch.ones(self.units.shape[-1], device=run.device)
        for code, weight in ((45, 2.0), (25, 1.5), (26, 1.5), (12, 1.3)):
            self.importance[UNITS.index(code)] = weight

    def indices(self, count, same):
        """Returns takes, sources and targets, (count,) each; in the last `same`, source and target are equal."""
        each = self.units.shape[1]
        drawn = torch.searchsorted(self.cumulated, self.dice.uniform((count,)).double())
        drawn = drawn.clamp(max=len(self.cumulated) - 1)
        take, target = drawn // each, drawn % each
        others = (target[:, None] + 1 + self.dice.integers(max(1, each - 1), (count, CANDIDATES))) % each
        apart = ((self.units[take[:, None], others] - self.units[take, target][:, None]).abs() * self.importance).sum(2)
        # The most different of three in two of three cases; otherwise any, so that small changes occur too.
        best = torch.where(self.dice.coin((count,), 0.67), apart.argmax(1), 0)
        source = others.gather(1, best[:, None])[:, 0]
        return take, torch.cat([source[: count - same], target[count - same :]]), target

    def batch(self, count, same, turned):
        """Returns x, t (B, 3, H, W), their units (B, 17) and the union of their regions (B, 3, H, W)."""
        take, source, target = self.indices(count, same)
        takes, both = take[:, None].expand(-1, 2), torch.stack([source, target], 1)
        pictures = self.pool.pictures(takes, both)
        regions = self.pool.get("regions", takes, both).float().div(255).amax(1, keepdim=True)
        regions = F.interpolate(regions[:, 0], pictures.shape[-2:], mode="bilinear")[:, None]
        pictures, regions = augment.flips(self.dice, pictures, regions)
        if turned:
            matrices = augment.placements(self.dice, count)
            pictures = augment.moved(matrices, pictures).clamp(-1, 1)
            regions = augment.moved(matrices, regions, "bilinear")
        pictures = augment.softened(self.dice, augment.colours(self.dice, pictures))
        x, t = (pictures[:, i].contiguous(memory_format=torch.channels_last) for i in (0, 1))
        return x, t, self.units[take, source], self.units[take, target], regions[:, 0]


class Weights:
    """The weight of each pixel, (B, 1, H, W): each region's mean has a fixed share, however few its pixels.

    A region's share is also divided by the size of the true change in it, so that missing a small change costs
    about as much as missing a large one.
    """

    def __init__(self, x, t, regions):
        self.change = (t - x).abs().mean(1, keepdim=True) / 2
        masks = torch.cat([torch.ones_like(regions[:, :1]), regions], 1)
        # Attenuates regions of a few pixels: a face whose eyes are hidden.
        self.masks = masks / (masks.sum((2, 3), keepdim=True) + 8.0)
        self.size = (self.masks * self.change).sum((2, 3), keepdim=True)
        parts = [share * mask for share, mask in zip(SHARES, self.masks.split(1, 1))]
        missed = (0.5 + 0.06 / (0.02 + self.size)).split(1, 1)
        self.plain = sum(parts)
        self.map = sum(part * factor for part, factor in zip(parts, missed))


def likeness(a, t, weights):
    """Returns the loss between pictures `a` and `t`: L1, L1 of gradients and of two coarser scales, weighted per pixel."""
    d = a - t
    loss = (d.abs().mean(1, keepdim=True) * weights).sum((1, 2, 3)).mean()
    for axis in (2, 3):
        slopes = d.diff(dim=axis).abs().mean(1, keepdim=True)
        loss = loss + 0.75 * (slopes * weights.narrow(axis, 0, slopes.shape[axis])).sum((1, 2, 3)).mean()
    for _ in range(2):
        d, weights = F.avg_pool2d(d, 2), F.avg_pool2d(weights, 2) * 4
        loss = loss + 0.5 * (d.abs().mean(1, keepdim=True) * weights).sum((1, 2, 3)).mean()
    return loss


def unexplained(a, x, t, masks, changed):
    """Returns the share of the true change's energy that is missing, by region (4,), at a quarter of the size.

    Squared error leads to the mean, L1 to the median, which for a small change is no change.
    """
    off, true = F.avg_pool2d(a - t, 4).square().mean(1, keepdim=True), F.avg_pool2d(t - x, 4).square().mean(1, keepdim=True)
    masks = F.avg_pool2d(masks, 4) * 16
    off, true = (masks * off).sum((2, 3)), (masks * true).sum((2, 3))
    share = off / (true + 2e-4)
    # Saturates above 1, where the picture is worse than the source.
    return (share / (1 + 0.25 * share) * changed).sum(0) / changed.sum(0).clamp(min=1.0)


def variation(attention):
    return attention.diff(dim=2).abs().mean() + attention.diff(dim=3).abs().mean()


def freed(run):
    """Returns how far the attention is released, 0 to 1: by the number of steps and the progress, at two fifths at the latest."""
    return max(run.ramp(0.4, 0.6), min(run.ramp(0.08, 0.33), min(1.0, max(0.0, run.step / 600 - 1))))


def generator_loss(run, generator, critic, batch, judge):
    """Returns the generator's loss and its logged parts."""
    x, t, units, wanted, regions = batch
    with run.autocast():
        color, attention = generator(x, wanted)
    weights = Weights(x, t, regions)
    early = 1 - run.ramp(0.25, 0.45)
    # While the colour branch cannot draw, copying is always more similar: the attention would close in the first steps and
    # stay closed. So at first it learns only where the change is, and later from the result.
    guided = 1 - freed(run)
    result = blend(x, color, attention if guided < 1 else attention.detach())

    like, like_color = likeness(result, t, weights.map), likeness(color, t, weights.plain)
    changed = (weights.size[:, :, 0, 0] > 0.004).float()
    missing = unexplained(result, x, t, weights.masks, changed)
    loss = like + (0.25 + 0.75 * early) * like_color
    loss = loss + 0.06 * missing[0] + 0.15 * missing[1] + 0.3 * (missing[2] + missing[3])
    logged = {"like": like, "color": like_color, "unseen_face": missing[1], "unseen_eyes": missing[2]}
    logged["unseen_mouth"] = missing[3]

    # The attention should open where something changes; elsewhere, the source should be kept.
    still = (1 - F.max_pool2d(weights.change, 9, 1, 4) * 25).clamp(min=0)
    opened, moving = 1 - attention, 1 - still
    # The logarithm still has a gradient where the sigmoid is saturated.
    shut = -((opened + 1e-4).log() * moving).sum() / (moving.sum() + 1.0)
    stray = (opened * still).mean()
    loss = loss + (0.01 + 0.05 * early + 0.95 * guided) * shut + (0.5 + 1.5 * guided) * stray
    gentle = run.ramp(0.25, 0.5)
    if gentle > 0:
        loss = loss + gentle * 0.03 * (opened.mean() + variation(attention))
    logged |= {"opened": opened.mean(), "shut": shut}

    if judge > 0:
        with run.autocast():
            realism, regressed, features = critic(result)
            with torch.no_grad():
                _, _, true = critic(t)
        matched = sum((a.float() - b.float()).abs().mean() / b.float().abs().mean() for a, b in zip(features, true))
        regression = (regressed.float() - wanted).square().mean()
        loss = loss + judge * (-0.1 * realism.float().mean() + 0.3 * matched + 6.0 * regression)
        logged |= {"fooled": realism.float().mean(), "matched": matched, "regression": regression}

    # Cycle: from the result, with the source's units, to the source; for a quarter of the batch.
    back = len(x) // 4
    if run.progress > 0.2 and back:
        start = result[:back].clamp(-1, 1)
        with run.autocast():
            color, attention = generator(start.contiguous(memory_format=torch.channels_last), units[:back])
        returned = likeness(blend(start, color, attention), x[:back], weights.plain[:back])
        loss = loss + 0.3 * returned
        logged["cycle"] = returned
    return loss, result, logged


def critic_loss(run, critic, batch, result, penalise):
    """Hinge loss on real and generated targets, regression of the real ones' units, and R1 every few steps."""
    t, wanted = batch[1], batch[3]
    with run.autocast():
        both, regressed, _ = critic(torch.cat([t, result.detach()]).contiguous(memory_format=torch.channels_last))
    real, made = both.float().chunk(2)
    hinge = F.relu(1 - real).mean() + F.relu(1 + made).mean()
    regression = (regressed[: len(t)].float() - wanted).square().mean()
    loss = hinge + 10.0 * regression
    if penalise:
        some = t[: max(1, len(t) // 2)].detach().clone().requires_grad_(True)
        realism, _, _ = critic(some)
        gradient = torch.autograd.grad(realism.mean(1).sum(), some, create_graph=True)[0]
        loss = loss + 0.5 * R1_WEIGHT * R1_EVERY * gradient.square().sum((1, 2, 3)).mean()
    return loss, {"hinge": hinge, "critic_units": regression}


class Sheet:
    """Held-out takes, one for each of KINDS: source, target, result, 1 - A, C, and the one Action Unit from 0 to 1."""

    def __init__(self, pairs, run):
        units, rows = pairs.units, []
        for kind in KINDS.values():
            score = sum(weight * units[..., UNITS.index(code)] for code, weight in kind.items())
            others = [i for i, code in enumerate(UNITS) if code not in kind]
            score = score - 0.5 * units[..., others].sum(-1)
            # Use different people: the best of a different part of the takes.
            chosen = torch.full_like(score, -9.0)
            chosen[len(rows) % len(score) :: 5] = score[len(rows) % len(score) :: 5]
            best = int(chosen.argmax())
            take, target = divmod(best, units.shape[1])
            rows.append((take, int(units[take].sum(1).argmin()), target))
        self.rows = torch.tensor(rows, device=run.device)
        take, source, target = self.rows.T
        self.x, self.t = pairs.pool.pictures(take, source), pairs.pool.pictures(take, target)
        self.wanted = units[take, target]
        calm = units[take, source]
        self.driven = []
        for share in (0.0, 0.33, 0.67, 1.0):
            aus = torch.zeros_like(calm)
            for row, kind in enumerate(KINDS.values()):
                for code, weight in kind.items():
                    aus[row, UNITS.index(code)] = share * weight
            self.driven.append((share, aus))

    @torch.no_grad()
    def __call__(self, generator):
        color, attention = generator(self.x, self.wanted)
        columns = [self.x, self.t, blend(self.x, color, attention), (1 - attention) * 2 - 1, color]
        columns += [blend(self.x, *generator(self.x, aus)) for _, aus in self.driven]
        titles = ["source", "target", "result", "1-A", "C", *(f"units x {share}" for share, _ in self.driven)]
        pictures = [to_bytes(column) for column in columns]
        return sheet([[p[row] for p in pictures] for row in range(len(self.x))], titles, names=list(KINDS))


def main():
    p = parser("ganimation", steps=60_000, batch=48)
    p.add_argument("--rate", type=float, default=6e-4, help="the generator's learning rate at its highest")
    p.add_argument("--conv-dim", type=int, default=32)
    p.add_argument("--critic-from", type=float, default=0.25, help="the progress at which the critic counts in full")
    arguments = p.parse_args()
    run = Run("ganimation", arguments)
    pool = Pool(run.work / "expressions", ("pictures", "units", "regions"), run.device)
    pairs = Pairs(pool, run)

    size = pool.shape("pictures")[-1]
    generator = Generator(conv_dim=arguments.conv_dim, image_size=size)
    if arguments.init:
        load_into(generator, arguments.init)
    generator = generator.to(run.device, memory_format=torch.channels_last)
    critic = PatchCritic(image_size=size).to(run.device, memory_format=torch.channels_last)
    average = Average(generator)
    makes, judges = adam(generator.parameters(), arguments.rate), adam(critic.parameters(), 2e-4)
    run.keep(generator=generator, critic=critic, average=average, makes=makes, judges=judges)

    def write(path):
        return export(path, "ganimation", generator.config, average.network.state_dict(), ORIGIN, CROP, UNITS)

    shown = Sheet(pairs, run)
    run.outputs(write, lambda: shown(average.network))

    start = arguments.critic_from
    for step in run.steps():
        judge = run.ramp(0.6 * start, start) if start < 1 else 0.0
        learning = run.progress >= 0.4 * start and start < 1
        same = run.batch // 12 if run.progress > 0.12 else 0
        batch = pairs.batch(run.batch, same, turned=step % 3 == 0)

        critic.requires_grad_(False)
        loss, result, logged = generator_loss(run, generator, critic, batch, judge)
        set_rate(makes, arguments.rate * run.cosine())
        logged["norm"] = run.descend(makes, loss, clip=40.0)
        average.update(generator)

        if learning:
            critic.requires_grad_(True)
            loss, seen = critic_loss(run, critic, batch, result, penalise=step % R1_EVERY == 0)
            set_rate(judges, 2e-4 * run.cosine(warm_up=1e-6, warm_steps=1, least=0.2))
            run.descend(judges, loss, clip=10.0)
            logged |= seen
        run.log(**logged)


if __name__ == "__main__":
    main()
