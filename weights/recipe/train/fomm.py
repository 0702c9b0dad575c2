"""Trains the First Order Motion Model: `python -m train.fomm --work WORK`.

The losses are reconstruction, key points equivariant with the picture (Sec. 3.1) and consistent with the face, a flow and an
occlusion mask supervised where the data has the truth, and a patch critic from a third of the run on.
"""

import torch
import torch.nn.functional as F

from export import export, load_into
from networks.fomm import MIEN_128, Fomm
from networks.layers import inverse_2x2
from networks.patch_critic import PatchCritic

from . import motion_losses as losses
from .common import Average, Run, adam, parser, set_rate
from .motion_pairs import Pairs, RandomWarp
from .motion_sheet import MotionSheet

RATE = 4e-4
CRITIC_RATE = 2e-4
CRITIC_FROM, CRITIC_FULL = 0.30, 0.40
ORIGIN = (
    "Trained from scratch for Mien by weights/recipe on rendered heads and re-expressed public-domain portraits; "
    "the published architecture, narrower and for 128 pixels."
)


def detector_losses(network, pairs, pair, source_in, driving_in):
    """Returns the key points of both pictures, and the equivariance loss under a random warp (Sec. 3.1)."""
    b = len(source_in)
    bend = RandomWarp(pairs.dice, b, source_in.device)
    warped_in = pairs.disguised(bend.picture(pair.driving))
    points, jacobians, spread = network.kp_detector(torch.cat([source_in, driving_in, warped_in]))
    source, driving, warped = zip(points.split(b), jacobians.split(b))

    value = (driving[0] - bend(warped[0])).abs().mean()
    back = inverse_2x2(driving[1]) @ (bend.jacobian(warped[0]) @ warped[1])
    first_order = (back - torch.eye(2, device=back.device)).abs().clamp(max=2).mean()

    carried, slope, weight = losses.carried_points(source[0], driving[0], pair)
    change = source[1] @ inverse_2x2(driving[1])
    turned = ((change - slope).abs().clamp(max=2).mean((-1, -2)) * weight).sum() / (weight.sum() + 1.0)
    placed = losses.on_face(source[0], pair.source_face, 1.15) + losses.on_face(driving[0], pair.regions[:, :1], 1.15)
    crowd = losses.apart(driving[0], 0.22)
    wide = F.relu(spread - 0.01).mean()
    total = 10 * value + 5 * first_order + 5 * carried + 2 * turned + 0.3 * placed + 0.5 * crowd + 3 * wide
    return source, driving, total, {"value": value, "jacobian": first_order, "carried": carried, "turned": turned}


def main():
    arguments = parser("fomm", steps=60_000, batch=48).parse_args()
    run = Run("fomm", arguments)
    pairs = Pairs(run)
    network = Fomm(MIEN_128).to(run.device, memory_format=torch.channels_last)
    if arguments.init:
        load_into(network, arguments.init)
    critic = PatchCritic().to(run.device, memory_format=torch.channels_last)
    optimiser, critic_optimiser = adam(network.parameters(), RATE), adam(critic.parameters(), CRITIC_RATE)
    average = Average(network)
    run.keep(network=network, critic=critic, optimiser=optimiser, critic_optimiser=critic_optimiser, average=average)
    shown = MotionSheet(run, pairs, average.network)
    run.outputs(
        export=lambda path: export(path, "fomm", MIEN_128, average.network.state_dict(), ORIGIN, crop=1.7),
        sheet=shown.draw,
    )

    for _ in run.steps():
        set_rate(optimiser, RATE * run.cosine())
        set_rate(critic_optimiser, CRITIC_RATE * run.cosine())
        with torch.no_grad():
            pair = pairs.draw(run.batch)
            pair.source, pair.driving = pairs.tinted(torch.stack([pair.source, pair.driving]))
            source_in, driving_in = pairs.disguised(pair.source), pairs.disguised(pair.driving)
            picture = pair.source.contiguous(memory_format=torch.channels_last)
            weight = losses.attention(pair.regions)

        with run.autocast():
            source, driving, loss, parts = detector_losses(network, pairs, pair, source_in, driving_in)
            frame = network(picture, source, driving)
        prediction = frame["prediction"]
        seen = torch.where(pair.known > 0, pair.visible, losses.resize(frame["occlusion"].detach(), 64, 64, True))
        drawn = losses.reconstruction(prediction, pair.driving, weight)
        flow = losses.flow_truth(frame["flow"], pair, weight)
        deformed = losses.deformed_truth(frame["flow"], pair, weight, seen)
        occlusion = losses.occlusion_truth(frame["occlusion"], pair, weight)
        loss = loss + 10 * drawn + 10 * flow + 5 * deformed + 0.2 * occlusion

        strength = run.ramp(CRITIC_FROM, CRITIC_FULL)
        if strength > 0:
            real_picture = pair.driving.contiguous(memory_format=torch.channels_last)
            critic.requires_grad_(False)
            with run.autocast():
                with torch.no_grad():
                    real = critic(real_picture)
                fake = critic(prediction)
            fooled, matched = losses.fooling_loss(fake), losses.matching_loss(real, fake)
            loss = loss + strength * (0.2 * fooled + 3.0 * matched)
            parts |= {"fooled": fooled, "matched": matched}
        run.descend(optimiser, loss, clip=5.0)
        average.update(network)

        if run.progress > CRITIC_FROM - 0.03:
            critic.requires_grad_(True)
            with run.autocast():
                both = critic(torch.cat([pair.driving, prediction.detach()]).contiguous(memory_format=torch.channels_last))
            real, fake = zip(*[(([f[: run.batch] for f in size]), [f[run.batch :] for f in size]) for size in both])
            judged = losses.critic_loss(real, fake)
            run.descend(critic_optimiser, judged, clip=5.0)
            parts["critic"] = judged
        run.log(loss=loss, drawn=drawn, flow=flow, deformed=deformed, occlusion=occlusion, **parts)


if __name__ == "__main__":
    main()
