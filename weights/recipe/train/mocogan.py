"""Trains the MoCoGAN generator on labelled clips, against an image critic and a video critic.

    python -m train.mocogan --work WORK --minutes 9.5 --batch 48

The generator is the published one. Its published training (plain DCGAN critics) is unstable, so the critics here have
the non-saturating logistic loss with R1 every few steps, and see real and generated clips with the same random augmentations
(flip, shift, colour, a cut-out; the same for all frames of a clip). Categories: the video critic judges a clip for its
category and classifies it (the InfoGAN term of Eq. 9 with known labels).

Identity must follow from the content code alone. The image critic has an embedding, trained on real clips so
that frames of one clip are close and those of other clips are not; the generator is trained with the same loss: frames of
one content with two different motions are close, and those of different contents are not.

As well as the critics there is a variational encoder (`posterior.py`), with which the generator reconstructs real clips.
"""

import torch
from torch.nn import functional as F

from export import EXPRESSIONS, export, load_into
from networks.mocogan import Generator, ImageCritic, VideoCritic
from train.common import Average, Pool, Run, adam, parser, set_rate, sheet, to_bytes
from train.posterior import Encoder, again

ORIGIN = "trained from scratch by Mien's recipe on clips of faces that it makes itself: re-expressed public-domain portraits and rendered heads"
FRAMES = 16
SEEN = 4  # frames of each clip that the image critic sees
R1_EVERY, R1_IMAGE, R1_VIDEO = 16, 2.0, 2.0
WARMTH = 0.15  # temperature of the embedding's softmax
RATE_MAKES, RATE_JUDGES = 2e-4, 4e-4


class Noise:
    """Samples all inputs for a batch of clips."""

    def __init__(self, run, config):
        self.dice, self.config, self.device = run.dice, config, run.device

    def content(self, count):
        return self.dice.normal((count, self.config["content"]))

    def category(self, count):
        """Indices (count,) and one-hot codes (count, 6)."""
        numbers = self.dice.integers(self.config["category"], (count,))
        return numbers, F.one_hot(numbers, self.config["category"]).float()

    def motion(self, count, frames=FRAMES):
        size = self.config["motion"]
        return self.dice.normal((count, size)), self.dice.normal((count, frames, size))


def changed(dice, clips, strength):
    """Applies one random augmentation to all frames of each clip; (B, T, 3, H, W) in [-1, 1], differentiable."""
    count, frames, _, height, width = clips.shape

    def each(*shape):
        return (count, *shape, *[1] * (4 - len(shape)))

    x = torch.where(dice.coin(each()), clips.flip(-1), clips)
    chance = dice.coin((count, 3, 1, 1, 1), strength).float()
    x = x + chance[:, :1] * dice.uniform(each(), -0.4, 0.4)
    grey = x.mean(2, keepdim=True)
    x = grey + (x - grey) * (1 + chance[:, 1:2] * dice.uniform(each(), -0.8, 0.6))
    mean = x.mean((1, 2, 3, 4), keepdim=True)
    x = mean + (x - mean) * (1 + chance[:, 2:] * dice.uniform(each(), -0.4, 0.4))
    # A shift by at most an eighth, in whole pixels; filled with black.
    most = height // 8
    shift = dice.integers(2 * most + 1, (count, 2)) - most
    shift = shift * dice.coin((count, 1), strength)
    rows = torch.arange(height, device=x.device) + shift[:, :1]
    columns = torch.arange(width, device=x.device) + shift[:, 1:]
    padded = F.pad(x.flatten(1, 2), (most, most, most, most))
    index = (rows + most)[:, :, None] * (width + 2 * most) + (columns + most)[:, None, :]
    index = index.view(count, 1, -1).expand(-1, padded.shape[1], -1)
    x = padded.flatten(2).gather(2, index).view(count, frames, 3, height, width)
    # A cut-out of a quarter of the side.
    side, corner = height // 4, dice.integers(height, (count, 2)) - height // 8
    rows, columns = torch.arange(height, device=x.device), torch.arange(width, device=x.device)
    inside = ((rows >= corner[:, :1]) & (rows < corner[:, :1] + side))[:, :, None]
    inside = inside & ((columns >= corner[:, 1:]) & (columns < corner[:, 1:] + side))[:, None, :]
    inside = inside & dice.coin((count, 1, 1), 0.5 * strength)
    return x * (~inside).float()[:, None, None]


def some_frames(dice, clips):
    """SEEN frames of each clip, one from each quarter: (B * SEEN, 3, H, W)."""
    count, frames = clips.shape[:2]
    span = frames // SEEN
    picked = torch.arange(SEEN, device=clips.device) * span + dice.integers(span, (count, SEEN))
    chosen = clips[torch.arange(count, device=clips.device)[:, None], picked]
    return chosen.flatten(0, 1).contiguous(memory_format=torch.channels_last)


def as_video(clips):
    return clips.transpose(1, 2).contiguous(memory_format=torch.channels_last_3d)


def together(embedding, groups):
    """Supervised contrastive loss of embeddings (N, E) of length 1 with group labels (N,)."""
    scores = embedding @ embedding.T / WARMTH
    own = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    friends = (groups[:, None] == groups[None]) & ~own
    scores = scores.masked_fill(own, -1e4)
    return -(scores.log_softmax(1) * friends).sum(1).div(friends.sum(1).clamp(min=1)).mean()


def border(clips):
    """Coarse colours of the picture's border, which a moving face leaves unchanged: (B, T, 3, 8) from the upper corners."""
    coarse = F.avg_pool2d(clips.flatten(0, 1), 8)
    edge = torch.cat([coarse[:, :, :4, 0], coarse[:, :, :4, -1]], 2)
    return edge.unflatten(0, clips.shape[:2])


class Trainer:
    def __init__(self, run, pool, generator, image, video):
        self.run, self.pool, self.dice = run, pool, run.dice
        self.generator, self.image, self.video = generator, image, video
        self.noise = Noise(run, generator.config)
        category = pool.arrays["category"].long().to(run.device)
        # Balances the categories.
        counts = torch.bincount(category, minlength=len(EXPRESSIONS)).clamp(min=1)
        self.category, self.cumulated = category, (1.0 / counts[category]).double().cumsum(0)
        self.cumulated /= self.cumulated[-1].clone()

    def real(self, count):
        """Clips (B, 16, 3, 64, 64) and their categories (B,)."""
        clips = torch.searchsorted(self.cumulated, self.dice.uniform((count,)).double()).clamp(max=len(self.category) - 1)
        frames = torch.arange(FRAMES, device=clips.device)
        return self.pool.pictures(clips[:, None].expand(-1, FRAMES), frames.expand(count, -1)), self.category[clips]

    def made(self, count):
        """Returns clips of count / 2 contents, each with two motions and categories, and the identity in each (B,)."""
        half = count // 2
        # Adjacent, so that the groups over which the critics measure variety have different contents.
        contents = self.noise.content(half).repeat_interleave(2, 0)
        numbers, codes = self.noise.category(2 * half)
        who = torch.arange(half, device=contents.device).repeat_interleave(2)
        with self.run.autocast():
            clips = self.generator(contents, codes, *self.noise.motion(2 * half)).float()
        return clips, numbers, who

    def judge(self, clips, numbers, strength):
        """Returns both critics' outputs for clips with a random augmentation."""
        clips = changed(self.dice, clips, strength)
        with self.run.autocast():
            realism, embedding = self.image(some_frames(self.dice, clips))
            video, category = self.video(as_video(clips), numbers)
        return realism, embedding, video, category

    def critics_loss(self, strength, penalise):
        real, labels = self.real(self.run.batch)
        with torch.no_grad():
            clips, numbers, _ = self.made(self.run.batch)
        image_real, embedding, video_real, category = self.judge(real, labels, strength)
        image_made, _, video_made, _ = self.judge(clips, numbers, strength)
        logistic = F.softplus(-image_real).mean() + F.softplus(image_made).mean()
        logistic = logistic + F.softplus(-video_real).mean() + F.softplus(video_made).mean()
        named = F.cross_entropy(category, labels)
        groups = torch.arange(len(real), device=real.device).repeat_interleave(SEEN)
        known = together(embedding, groups)
        loss = logistic + named + 0.5 * known
        if penalise:
            loss = loss + R1_EVERY * self.penalty(real, labels, strength)
        logged = {"critics": logistic, "named_real": named, "known_real": known}
        return loss, logged | {"image_real": image_real.mean(), "image_made": image_made.mean()}

    def penalty(self, real, labels, strength):
        """R1: the squared gradient of the realism at real clips, for half of the batch, in full precision."""
        half = max(2, len(real) // 2)
        clips = changed(self.dice, real[:half], strength).detach()
        frames, video = some_frames(self.dice, clips).requires_grad_(True), as_video(clips).requires_grad_(True)
        realism, _ = self.image(frames)
        gradient = torch.autograd.grad(realism.sum(), frames, create_graph=True)[0]
        penalty = 0.5 * R1_IMAGE * gradient.square().sum((1, 2, 3)).mean()
        realism, _ = self.video(video, labels[:half])
        gradient = torch.autograd.grad(realism.sum(), video, create_graph=True)[0]
        return penalty + 0.5 * R1_VIDEO * gradient.square().sum((1, 2, 3, 4)).mean()

    def generator_loss(self, strength):
        clips, numbers, who = self.made(self.run.batch)
        image, embedding, video, category = self.judge(clips, numbers, strength)
        fooled = F.softplus(-image).mean() + F.softplus(-video).mean()
        named = F.cross_entropy(category, numbers)
        known = together(embedding, who.repeat_interleave(SEEN))
        # The border is constant in a clip and between motions of the same content.
        edge = border(clips)
        still = (edge - edge.mean(1, keepdim=True)).abs().mean() + (edge[::2].mean(1) - edge[1::2].mean(1)).abs().mean()
        rise = self.run.ramp(0.03, 0.15)
        loss = 0.5 * fooled + (0.3 + 0.7 * rise) * named + rise * (0.4 * known + 0.5 * still)
        with torch.no_grad():
            coarse = F.avg_pool2d(clips.flatten(0, 1), 4).unflatten(0, clips.shape[:2]).flatten(2)
            within = (coarse[:, 1:] - coarse[:, :-1].flip(1)).abs().mean()
            between = (coarse[::2].mean(1) - coarse[::2].mean(1).roll(1, 0)).abs().mean()
        logged = {"fooled": fooled, "named": named, "known": known, "still": still}
        return loss, logged | {"within": within, "between": between}


class Sheet:
    """Rows: each category for three contents (every third frame), then one content with four motions."""

    def __init__(self, run, generator):
        noise = Noise(run, generator.config)
        state = run.dice.state_dict()
        kinds = len(EXPRESSIONS)
        contents, (h0, epsilon) = noise.content(9), noise.motion(4 + 3)
        run.dice.load_state_dict(state)
        self.rows = []
        for person in range(3):
            self.rows += [(f"{person} {name}", contents[person], i, h0[person], epsilon[person]) for i, name in enumerate(EXPRESSIONS)]
        self.rows += [(f"motion {m}", contents[0], 3, h0[3 + m], epsilon[3 + m]) for m in range(4)]
        self.rows += [(f"person {c}", contents[c], c % kinds, h0[0], epsilon[0]) for c in range(3, 9)]

    @torch.no_grad()
    def __call__(self, generator):
        names, contents, kinds, h0, epsilon = zip(*self.rows)
        codes = F.one_hot(torch.tensor(kinds), len(EXPRESSIONS)).float().to(contents[0].device)
        clips = generator(torch.stack(contents), codes, torch.stack(h0), torch.stack(epsilon)).float()
        pictures = to_bytes(clips[:, [0, 2, 4, 6, 8, 10, 12, 14, 15]])
        half = (len(names) + 1) // 2
        rows = [[*pictures[i], *(pictures[i + half] if i + half < len(names) else [])] for i in range(half)]
        return sheet(rows, names=[f"{names[i][:9]}" for i in range(half)])


def main():
    p = parser("mocogan", steps=60_000, batch=48)
    p.add_argument("--ngf", type=int, default=64)
    p.add_argument("--change", type=float, default=0.6, help="how often a critic's pictures are changed")
    p.add_argument("--width", type=int, default=64, help="the critics' width")
    arguments = p.parse_args()
    run = Run("mocogan", arguments)
    pool = Pool(run.work / "clips", ("pictures", "category"), run.device)
    generator = Generator(ngf=arguments.ngf).start()
    if arguments.init:
        load_into(generator, arguments.init)
    generator = generator.to(run.device, memory_format=torch.channels_last)
    image = ImageCritic(arguments.width).to(run.device, memory_format=torch.channels_last)
    video = VideoCritic(arguments.width * 3 // 4).to(run.device, memory_format=torch.channels_last_3d)
    encoder = Encoder(generator.config["content"], generator.config["motion"]).to(run.device)
    average = Average(generator)
    makes = adam([*generator.parameters(), *encoder.parameters()], RATE_MAKES, (0.0, 0.99))
    judges = adam([*image.parameters(), *video.parameters()], RATE_JUDGES, (0.0, 0.99))
    run.keep(generator=generator, encoder=encoder, image=image, video=video, average=average, makes=makes, judges=judges)
    trainer, shown = Trainer(run, pool, generator, image, video), Sheet(run, generator)

    def write(path):
        settle(run, average.network)
        return export(path, "mocogan", generator.config, average.network.state_dict(), ORIGIN)

    run.outputs(write, lambda: shown(average.network))
    for step in run.steps():
        # In the last fifth the rate falls to a quarter.
        falling = 1 - 0.75 * run.ramp(0.8, 1.0)
        warm = min(1.0, (step + 1) / 100)
        set_rate(makes, RATE_MAKES * falling * warm)
        set_rate(judges, RATE_JUDGES * falling * warm)
        image.requires_grad_(True), video.requires_grad_(True)
        loss, seen = trainer.critics_loss(arguments.change, penalise=step % R1_EVERY == 0)
        run.descend(judges, loss, clip=20.0)
        image.requires_grad_(False), video.requires_grad_(False)
        loss, logged = trainer.generator_loss(arguments.change)
        clips, labels = trainer.real(arguments.batch // 2)
        clips = torch.where(run.dice.coin((len(clips), 1, 1, 1, 1)), clips.flip(-1), clips)
        codes = F.one_hot(labels, generator.config["category"]).float()
        repeated, seen_again = again(run, generator, encoder, clips, codes)
        loss, logged = loss + repeated, logged | seen_again
        logged["norm"] = run.descend(makes, loss, clip=20.0)
        average.update(generator)
        run.log(**seen, **logged)


@torch.no_grad()
def settle(run, network, batches=40, count=48):
    """Recomputes the running statistics of the averaged network, in full precision, from its outputs."""
    state = run.dice.state_dict()
    noise = Noise(run, network.config)
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    if run.device.type != "cuda":
        batches, count = 4, 16
    kept = [(m.momentum, m.running_mean.clone(), m.running_var.clone()) for m in norms]
    network.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    for _ in range(batches):
        network(noise.content(count), noise.category(count)[1], *noise.motion(count))
    network.eval()
    for norm, (momentum, mean, var) in zip(norms, kept):
        norm.momentum = momentum
        if not (torch.isfinite(norm.running_mean).all() and torch.isfinite(norm.running_var).all()):
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(var)
    run.dice.load_state_dict(state)


if __name__ == "__main__":
    main()
