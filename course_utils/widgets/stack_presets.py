"""The stacks that the builder starts from, as dicts that `layer_table` takes too."""

from __future__ import annotations


def _conv(number: int | str, out: int, kernel: int, stride: int = 1, padding: int = 0) -> list[dict]:
    """A convolution and its ReLU."""
    conv = {"kind": "conv", "name": f"conv{number}", "out": out, "kernel": kernel, "stride": stride, "padding": padding}
    return [conv, {"kind": "relu", "name": f"relu{number}"}]


def _pool(number: int, kernel: int = 2, stride: int = 2) -> dict:
    return {"kind": "pool", "name": f"pool{number}", "kernel": kernel, "stride": stride}


def _fc(*layers: tuple[int, int]) -> list[dict]:
    """Fully connected layers, (number, units) each, with a ReLU after every one but the last."""
    made = []
    for number, units in layers:
        made += [{"kind": "fc", "name": f"fc{number}", "out": units}, {"kind": "relu", "name": f"relu{number}"}]
    return made[:-1]


def _vgg16() -> list[dict]:
    """Configuration D of Simonyan and Zisserman (2015)."""
    made = []
    for block, (width, depth) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), start=1):
        for part in range(1, depth + 1):
            made += _conv(f"{block}_{part}", width, 3, padding=1)
        made.append(_pool(block))
    return made + _fc((6, 4096), (7, 4096), (8, 1000))


# Krizhevsky et al. (2012) in one tower; the norm stands before the pool, as in the paper.
_ALEXNET = [
    *_conv(1, 96, 11, stride=4), {"kind": "norm", "name": "norm1"}, _pool(1, 3, 2),
    *_conv(2, 256, 5, padding=2), {"kind": "norm", "name": "norm2"}, _pool(2, 3, 2),
    *_conv(3, 384, 3, padding=1), *_conv(4, 384, 3, padding=1), *_conv(5, 256, 3, padding=1), _pool(5, 3, 2),
    *_fc((6, 4096), (7, 4096), (8, 1000)),
]  # fmt: skip

# name: (layers, shape of the image)
PRESETS: dict[str, tuple[list[dict], tuple[int, int, int]]] = {
    "CIFAR demo": (
        [
            *_conv(1, 16, 5, padding=2), _pool(1), *_conv(2, 20, 5, padding=2), _pool(2),
            *_conv(3, 20, 5, padding=2), _pool(3), *_fc((1, 10)),
        ],
        (3, 32, 32),
    ),
    # As the networks of today that bear its name: C3 sees all six maps, pooling has no parameters.
    "LeNet-5": ([*_conv(1, 6, 5), _pool(1), *_conv(2, 16, 5), _pool(2), *_fc((3, 120), (4, 84), (5, 10))], (1, 32, 32)),
    "AlexNet 227": (_ALEXNET, (3, 227, 227)),
    "AlexNet 224": (_ALEXNET, (3, 224, 224)),
    "VGG-16": (_vgg16(), (3, 224, 224)),
}  # fmt: skip
