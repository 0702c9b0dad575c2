"""Trains the Thin-Plate-Spline Motion Model: `python -m train.tps --work WORK`.

As FOMM, and in addition: dropout of contribution maps in the first third (Eq. 7), the warp loss between the encoder's maps of
both pictures, and the background's map, which must be inverted when the pictures are swapped. In the last 8 % of the run the AVD
network (Sec. 3.5) is trained on the final key points.
"""

import math

import torch

from export import export, load_into
from networks.patch_critic import PatchCritic
from networks.tps import MIEN_128, POINTS, AVDNetwork, Tps

from . import motion_losses as losses
from .common import Average, Run, adam, parser, set_rate
from .motion_pairs import Pairs, RandomWarp
from .motion_sheet import MotionSheet

RATE = 4e-4
CRITIC_RATE = 2e-4
AVD_RATE = 1e-3
CRITIC_FROM, CRITIC_FULL = 0.30, 0.40
DROPOUT_MOST, DROPOUT_RISEN, DROPOUT_UNTIL = 0.3, 0.10, 0.35
BACKGROUND_FROM = 0.10
AVD_FROM = 0.92
AVD_BATCHES = 4  # batches of key points per step of the AVD network
ORIGIN = (
    "Trained from scratch for Mien by weights/recipe on rendered heads and re-expressed public-domain portraits; "
    "the published architecture, narrower and for 128 pixels."
)


def detector_losses(network, pairs, pair, source_in, driving_in):
    """Returns the key points of both pictures, and the equivariance loss under a random warp."""
    bend = RandomWarp(pairs.dice, len(source_in), source_in.device)
    warped_in = pairs.disguised(bend.picture(pair.driving))
    source, driving, warped = network.kp_detector(torch.cat([source_in, driving_in, warped_in])).chunk(3)
    value = (driving - bend(warped)).abs().mean()
    carried, _, _ = losses.carried_points(source, driving, pair)
    placed = losses.on_face(source, pair.source_face, 1.35) + losses.on_face(driving, pair.regions[:, :1], 1.35)
    crowd = losses.apart(driving.unflatten(1, (-1, POINTS)), 0.16)
    total = 10 * value + 5 * carried + 0.3 * placed + 0.5 * crowd
    return source, driving, total, {"value": value, "carried": carried}


def background_losses(network, pair, picture, driving):
    """The background's map `[B, 3, 3]` and its loss: consistency with its inverse, and with the truth outside the face."""
    b = len(picture)
    there, back = network.bg_predictor(torch.cat([picture, driving]), torch.cat([driving, picture])).split(b)
    loop = (there @ back - torch.eye(3, device=picture.device)).abs().mean()
    nodes = losses.grid(*pair.flow.shape[1:3], picture.device)
    moved = torch.einsum("bij,hwj->bhwi", there[:, :2, :2], nodes) + there[:, None, None, :2, 2]
    outside = ((1 - pair.regions[:, :1]) * pair.known * pair.visible)[:, 0]
    away = (moved - pair.flow).abs().sum(-1).clamp(max=0.3)
    return there, loop, (away * outside).sum() / (outside.sum() + 1.0)


def warp_loss(network, maps, frame, driving):
    """L1 between the source's encoder maps, warped and masked, and the driving picture's, with a gradient only to the flow."""
    moved = network.inpainting_network.moved_detached(maps, frame)
    with torch.no_grad():
        wanted = network.inpainting_network.encode(driving)
    pairs = zip(moved, reversed(wanted), frame["occlusion"])
    return sum((a - b.float() * mask.detach()).abs().mean() for a, b, mask in pairs)


class AvdPhase:
    """The end of the run: shape from one frame, pose from another frame of the take at a wrong size, to its key points."""

    def __init__(self, run, pairs, detector, config):
        self.run, self.pairs, self.detector = run, pairs, detector
        self.network = AVDNetwork(config).to(run.device)
        self.optimiser = adam(self.network.parameters(), AVD_RATE)
        self.average = Average(self.network, most=0.99)

    def step(self):
        run = self.run
        with torch.no_grad():
            points = []
            for _ in range(AVD_BATCHES):
                pair = self.pairs.draw(run.batch)
                both = torch.cat([pair.source, pair.driving]).contiguous(memory_format=torch.channels_last)
                with run.autocast():
                    points.append(self.detector(both).view(2, run.batch, -1, 2))
            source, driving = torch.cat(points, dim=1)
            scale = run.dice.uniform((len(source), 1, 2), 0.75, 1.25)
        made = self.network(source, driving * scale)
        loss = (made - driving).abs().mean()
        rest = (run.progress - AVD_FROM) / (1 - AVD_FROM)
        set_rate(self.optimiser, AVD_RATE * (0.02 + 0.49 * (1 + math.cos(math.pi * min(1.0, max(0.0, rest))))))
        run.descend(self.optimiser, loss, clip=1.0)
        self.average.update(self.network)
        run.log(avd=loss, avd_still=(source - driving).abs().mean())

    def state_dict(self):
        return {name: getattr(self, name).state_dict() for name in ("network", "optimiser", "average")}

    def load_state_dict(self, state):
        for name, value in state.items():
            getattr(self, name).load_state_dict(value)


def main():
    arguments = parser("tps", steps=60_000, batch=48).parse_args()
    run = Run("tps", arguments)
    pairs = Pairs(run)
    network = Tps(MIEN_128 | {"avd": None})
    network.kp_detector.scatter()
    if arguments.init:
        load_into(network, arguments.init)
    network = network.to(run.device, memory_format=torch.channels_last)
    critic = PatchCritic().to(run.device, memory_format=torch.channels_last)
    optimiser, critic_optimiser = adam(network.parameters(), RATE), adam(critic.parameters(), CRITIC_RATE)
    average = Average(network)
    avd = AvdPhase(run, pairs, average.network.kp_detector, MIEN_128)
    if arguments.init:
        load_into(avd.network, arguments.init, "avd_network.")
    run.keep(network=network, critic=critic, optimiser=optimiser, critic_optimiser=critic_optimiser, average=average, avd=avd)

    def write(path):
        state = average.network.state_dict()
        state |= {f"avd_network.{name}": tensor for name, tensor in avd.average.network.state_dict().items()}
        return export(path, "tps", MIEN_128, state, ORIGIN, crop=1.7)

    run.outputs(export=write, sheet=MotionSheet(run, pairs, average.network).draw)

    for _ in run.steps():
        if run.progress >= AVD_FROM:
            avd.step()
            continue
        share = run.progress / AVD_FROM
        fall = 0.02 + 0.49 * (1 + math.cos(math.pi * share))
        rise = min(1.0, (run.step + 1) / 200)
        set_rate(optimiser, RATE * fall * rise)
        set_rate(critic_optimiser, CRITIC_RATE * fall)
        with torch.no_grad():
            pair = pairs.draw(run.batch)
            pair.source, pair.driving = pairs.tinted(torch.stack([pair.source, pair.driving]))
            source_in, driving_in = pairs.disguised(pair.source), pairs.disguised(pair.driving)
            picture, target = (x.contiguous(memory_format=torch.channels_last) for x in (pair.source, pair.driving))
            weight = losses.attention(pair.regions)
        dropout = 0.0 if run.progress >= DROPOUT_UNTIL else DROPOUT_MOST * run.ramp(0.0, DROPOUT_RISEN)

        with run.autocast():
            source, driving, loss, parts = detector_losses(network, pairs, pair, source_in, driving_in)
            background = None
            if run.progress >= BACKGROUND_FROM:
                background, loop, outside = background_losses(network, pair, picture, target)
                loss = loss + 5 * loop + 2 * outside
                parts |= {"loop": loop, "outside": outside}
                # In inference the background is static: half of the pictures train that.
                alone = pairs.dice.coin((run.batch, 1, 1)).float()
                background = background + alone * (torch.eye(3, device=run.device) - background)
            motion = network.dense_motion_network(picture, source, driving, background, dropout)
            maps = network.inpainting_network.encode(picture)
            frame = network.inpainting_network(picture, motion, maps)
            warped = warp_loss(network, maps, frame, target)
        prediction = frame["prediction"]
        mask = losses.resize(frame["occlusion"][-1].detach(), *pair.visible.shape[-2:], True)
        seen = torch.where(pair.known > 0, pair.visible, mask)
        drawn = losses.reconstruction(prediction, pair.driving, weight)
        flow = losses.flow_truth(frame["flow"], pair, weight)
        deformed = losses.deformed_truth(frame["flow"], pair, weight, seen)
        occlusion = sum(losses.occlusion_truth(mask, pair, weight) for mask in frame["occlusion"]) / 4
        loss = loss + 10 * drawn + 10 * flow + 5 * deformed + 0.2 * occlusion + 1.0 * warped

        strength = run.ramp(CRITIC_FROM, CRITIC_FULL)
        if strength > 0:
            critic.requires_grad_(False)
            with run.autocast():
                with torch.no_grad():
                    real = critic(target)
                fake = critic(prediction)
            fooled, matched = losses.fooling_loss(fake), losses.matching_loss(real, fake)
            loss = loss + strength * (0.2 * fooled + 3.0 * matched)
            parts |= {"fooled": fooled, "matched": matched}
        run.descend(optimiser, loss, clip=5.0)
        average.update(network)

        if run.progress > CRITIC_FROM - 0.03:
            critic.requires_grad_(True)
            with run.autocast():
                real, fake = critic(target), critic(prediction.detach())
            judged = losses.critic_loss(real, fake)
            run.descend(critic_optimiser, judged, clip=5.0)
            parts["critic"] = judged
        run.log(loss=loss, drawn=drawn, flow=flow, deformed=deformed, occlusion=occlusion, warped=warped, **parts)


if __name__ == "__main__":
    main()
