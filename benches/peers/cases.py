"""The networks that are compared, and the definition of a frame of each: `weights/recipe`'s modules with procedural weights.

The inputs of a frame are the values that change from frame to frame and those computed once from the source. For FOMM
and TPS a frame is the driving picture's keypoints, the dense motion and the inpainting; the source's keypoints, its
downsampled picture and its feature maps are computed once. GANimation's frame is the whole generator (only Mien caches the
picture's part of the first convolution); MoCoGAN's is sixteen pictures from sixteen motion codes.
"""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "weights" / "recipe"))

from networks import fomm, ganimation, mocogan, procedural, tps  # noqa: E402


class Ganimation(nn.Module):
    prepared = ()
    changing = ("picture", "aus")
    outputs = ("color", "attention")

    def __init__(self, config):
        super().__init__()
        self.network = procedural.fill(ganimation.Generator(**config))

    @staticmethod
    def inputs(config):
        size = config["image_size"]
        picture = procedural.image("portrait", (1, 3, size, size)) * 2 - 1
        aus = (torch.from_numpy(procedural.uniform("aus", config["c_dim"])) + 1) / 2
        return {"picture": picture, "aus": aus[None]}

    def forward(self, picture, aus):
        return self.network(picture, aus)


class Fomm(nn.Module):
    prepared = ("small", "features", "places", "jacobians")
    changing = ("driving",)
    outputs = ("frame",)

    def __init__(self, config):
        super().__init__()
        network = fomm.Fomm(config)
        self.network = procedural.fill(network)
        # The identity; a trained detector's Jacobians are close to it.
        network.kp_detector.jacobian.bias += torch.tensor([1.0, 0.0, 0.0, 1.0]).repeat(config["num_kp"])
        motion = network.generator.dense_motion_network
        self.shrink, motion.down = motion.down, nn.Identity()

    @staticmethod
    def inputs(config):
        shape = (1, 3, config["image_size"], config["image_size"])
        return {"source": procedural.image("source", shape), "driving": procedural.image("driving.1", shape)}

    def prepare(self, source):
        places, jacobians = self.network.detect(source)
        return self.shrink(source), self.network.generator.encode(source), places, jacobians

    def forward(self, driving, small, features, places, jacobians):
        generator = self.network.generator
        motion = generator.dense_motion_network(small, (places, jacobians), self.network.detect(driving))
        return (generator.draw(features, motion),)


class Tps(nn.Module):
    prepared = ("picture", "small", "points", "maps.0", "maps.1", "maps.2", "maps.3")
    changing = ("driving",)
    outputs = ("frame",)

    def __init__(self, config):
        super().__init__()
        network = tps.Tps(config)
        self.network = procedural.fill(network)
        # Splines through nearly coincident points are ill-conditioned.
        network.kp_detector.scatter()
        motion = network.dense_motion_network
        self.shrink, motion.down = motion.down, nn.Identity()

    inputs = Fomm.inputs

    def prepare(self, source):
        maps = self.network.inpainting_network.encode(source)
        return source.clone(), self.shrink(source), self.network.detect(source), *maps

    def paint(self, driving_points, picture, small, points, *maps):
        motion = self.network.dense_motion_network(small, points, driving_points)
        return (self.network.inpainting_network(picture, motion, list(maps))["prediction"],)

    def forward(self, driving, *prepared):
        return self.paint(self.network.detect(driving), *prepared)


class Mocogan(nn.Module):
    prepared = ()
    changing = ("codes",)
    outputs = ("frames",)

    def __init__(self, config):
        super().__init__()
        sizes = {name: config[name] for name in ("content", "category", "motion", "ngf", "channels")}
        self.network = procedural.fill(mocogan.Generator(**sizes))

    @staticmethod
    def inputs(config):
        def code(name, *shape):
            return torch.from_numpy(procedural.uniform(name, torch.Size(shape).numel())).view(shape)

        content, motion = code("content", 1, config["content"]), code("motion", 16, config["motion"])
        category = torch.eye(config["category"])[3:4]
        still = torch.cat([content, category], 1).expand(16, -1)
        codes = torch.cat([still, motion], 1)[:, :, None, None].contiguous()
        return {"content": content, "category": category, "motion": motion, "codes": codes}

    def forward(self, codes):
        return (self.network.main(codes),)


METHODS = {"ganimation": Ganimation, "fomm": Fomm, "tps": Tps, "mocogan": Mocogan}


def paper(image_size=128, conv_dim=64):
    return "ganimation", {"image_size": image_size, "conv_dim": conv_dim, "repeat_num": 6, "c_dim": 17}


MOCOGAN = {"content": 50, "category": 6, "motion": 10, "ngf": 64, "image_size": 64, "channels": 3}

CASES = {
    "ganimation-64@128": paper(),
    "ganimation-32@128": paper(conv_dim=32),
    "fomm-vox-256": ("fomm", fomm.VOX_256),
    "fomm-128": ("fomm", fomm.MIEN_128),
    "tps-vox-256": ("tps", tps.VOX_256),
    "tps-128": ("tps", tps.MIEN_128),
    "mocogan-16": ("mocogan", MOCOGAN),
}


def at_resolution(method, size):
    """The published network of `method` on pictures of another size."""
    if method == "ganimation":
        return paper(image_size=size)
    return method, {"fomm": fomm.VOX_256, "tps": tps.VOX_256}[method] | {"image_size": size}


def make(method, config):
    """Returns the frame's module, and all inputs of it and of Mien by name, on the CPU."""
    module = METHODS[method](config).eval()
    inputs = METHODS[method].inputs(config)
    if module.prepared:
        inputs |= dict(zip(module.prepared, module.prepare(inputs["source"]), strict=True))
    return module, inputs


def arguments(module, inputs):
    return [inputs[name] for name in module.changing + module.prepared]
