"""The networks of the lecture as lists of layers, as `layer_table` takes them."""

from __future__ import annotations

from typing import Any


def layer(kind: str, name: str, *sizes: int, **more: int) -> dict[str, Any]:
    """One layer: the sizes of a convolution are `out, kernel, stride, padding`, of a pooling layer `kernel, stride,
    padding`, of a fully connected one `out`; the last ones may be left out."""
    names = {"conv": ("out", "kernel", "stride", "padding"), "pool": ("kernel", "stride", "padding"), "fc": ("out",)}
    return {"kind": kind, "name": name, **dict(zip(names.get(kind, ()), sizes, strict=False)), **more}


def demo_network() -> list[dict[str, Any]]:
    """ConvNetJS's CIFAR-10 demo; its input is (3, 32, 32)."""
    layers = []
    for number, out in enumerate((16, 20, 20), start=1):
        layers += [
            layer("conv", f"conv{number}", out, 5, 1, 2),
            layer("relu", f"relu{number}"),
            layer("pool", f"pool{number}", 2, 2),
        ]
    return [*layers, layer("fc", "fc", 10)]


def alexnet(groups: int = 1) -> list[dict[str, Any]]:
    """AlexNet with the norm after the pool, as in the lecture's table; its input is (3, 227, 227).

    One tower without groups; with two it has the connections of the paper's two GPUs (Krizhevsky et al. 2012, §3.5).
    """
    return [
        layer("conv", "conv1", 96, 11, 4),
        layer("relu", "relu1"),
        layer("pool", "pool1", 3, 2),
        layer("norm", "norm1"),
        layer("conv", "conv2", 256, 5, 1, 2, groups=groups),
        layer("relu", "relu2"),
        layer("pool", "pool2", 3, 2),
        layer("norm", "norm2"),
        layer("conv", "conv3", 384, 3, 1, 1),
        layer("conv", "conv4", 384, 3, 1, 1, groups=groups),
        layer("conv", "conv5", 256, 3, 1, 1, groups=groups),
        layer("pool", "pool5", 3, 2),
        layer("fc", "fc6", 4096),
        layer("relu", "relu6"),
        layer("fc", "fc7", 4096),
        layer("relu", "relu7"),
        layer("fc", "fc8", 1000),
    ]


def vgg16() -> list[dict[str, Any]]:
    """VGG-16, column D (Simonyan and Zisserman 2014, table 1); its input is (3, 224, 224)."""
    layers = []
    for block, (convolutions, out) in enumerate(((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), start=1):
        layers += [layer("conv", f"conv{block}_{i}", out, 3, 1, 1) for i in range(1, convolutions + 1)]
        layers.append(layer("pool", f"pool{block}", 2, 2))
    return [*layers, *(layer("fc", name, out) for name, out in (("fc6", 4096), ("fc7", 4096), ("fc8", 1000)))]
