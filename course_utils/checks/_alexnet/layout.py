"""AlexNet as a function of its state dict: the shapes of its parameters, its logits, and single ideas exchanged."""

from __future__ import annotations

from dataclasses import dataclass, replace

MAPS = {"conv1": 96, "conv2": 256, "conv3": 384, "conv4": 384, "conv5": 256}
LAYERS = (*MAPS, "fc6", "fc7", "fc8")
SMALLEST = 67  # pixels; below it, nothing is left after the last pool


def _scaled(n, width, groups):
    return max(1, round(n * width / groups)) * groups


@dataclass(frozen=True)
class Layout:
    """What a student may have decided differently; the defaults are the paper's.

    padding: of conv1 and conv2. window: of the pools, whose stride is 2. maps: how many each convolution has at full
    width. scaled: their number, or that of units, at another width. alpha, k: as
    `torch.nn.functional.local_response_norm` takes them. stages: what follows conv1 and conv2, in order. hidden:
    whether fc6 and fc7 have a ReLU. last: what is done with fc8's output. fixed_side: the side of the maps that fc6
    expects, where it does not follow from the image.
    """

    image_size: int = 227
    padding: tuple[int, int] = (0, 2)
    window: int = 3
    grouped: tuple[str, ...] = ("conv2", "conv4", "conv5")
    maps: tuple[int, ...] = tuple(MAPS.values())
    scaled: object = _scaled
    alpha: float = 5e-4
    k: float = 2.0
    stages: tuple[str, ...] = ("relu", "norm", "pool")
    hidden: bool = True
    last: object = None
    fixed_side: int | None = None

    def but(self, **changes):
        """The layout with some decisions exchanged."""
        return replace(self, **changes)

    def side(self, image_size):
        """The height and width of the maps that fc6 gets; 0 or less where nothing is left."""
        side = (image_size + 2 * self.padding[0] - 11) // 4 + 1
        side = (side - self.window) // 2 + 1
        side = side + 2 * self.padding[1] - 5 + 1
        for _ in range(2):
            side = (side - self.window) // 2 + 1
        return side

    def shapes(self, num_classes=1000, groups=2, width=1.0, image_size=None):
        """Name → shape of every parameter."""
        side = self.side(self.image_size if image_size is None else image_size)
        side = max(side, 0) if self.fixed_side is None else self.fixed_side
        found, before = {}, 3
        for name, maps, kernel in zip(MAPS, self.maps, (11, 5, 3, 3, 3), strict=True):
            out = self.scaled(maps, width, groups)
            found[f"{name}.weight"] = (out, before // (groups if name in self.grouped else 1), kernel, kernel)
            found[f"{name}.bias"] = (out,)
            before = out
        units = self.scaled(4096, width, 1)
        sizes = (before * side**2, units, units, num_classes)
        for name, into, out in zip(("fc6", "fc7", "fc8"), sizes[:-1], sizes[1:], strict=True):
            found[f"{name}.weight"], found[f"{name}.bias"] = (out, into), (out,)
        return found

    def logits(self, state, images, groups):
        """The logits (N, num_classes) in evaluation mode, of arrays in float64."""
        import torch.nn.functional as F

        from course_utils.checks.describe import tensor

        of = {name: tensor(value) for name, value in state.items()}
        stages = {
            "relu": F.relu,
            "norm": lambda x: F.local_response_norm(x, 5, self.alpha, 0.75, self.k),
            "pool": lambda x: F.max_pool2d(x, self.window, 2),
        }

        def convolved(x, name, **options):
            options["groups"] = groups if name in self.grouped else 1
            return F.conv2d(x, of[f"{name}.weight"], of[f"{name}.bias"], **options)

        x = convolved(tensor(images), "conv1", stride=4, padding=self.padding[0])
        for stage in self.stages:
            x = stages[stage](x)
        x = convolved(x, "conv2", padding=self.padding[1])
        for stage in self.stages:
            x = stages[stage](x)
        for name in ("conv3", "conv4", "conv5"):
            x = F.relu(convolved(x, name, padding=1))
        x = stages["pool"](x).flatten(1)
        for name in ("fc6", "fc7"):
            x = F.linear(x, of[f"{name}.weight"], of[f"{name}.bias"])
            x = F.relu(x) if self.hidden else x
        x = F.linear(x, of["fc8.weight"], of["fc8.bias"])
        return (x if self.last is None else self.last(x)).numpy()


PAPER = Layout()


class Asked:
    """A case as a key of a cache: the same object, whatever it holds."""

    def __init__(self, case):
        self.case = case

    def __hash__(self):
        return id(self.case)

    def __eq__(self, other):
        return self.case is other.case
