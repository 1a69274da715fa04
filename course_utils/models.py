"""AlexNet as the paper lays it out, for any number of classes, width and image size, and a small network beside it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection

import torch
from torch import Tensor, nn

from course_utils._training.response_norm import LocalResponseNorm

# Smallest image, kernel and stride of the first layer. The paper's would leave nothing of a small image.
_FIRST_LAYER = ((67, 11, 4), (48, 7, 2), (32, 5, 1))
_MAY_BE_LEFT_OUT = ("conv3", "conv4", "fc6", "fc7")
_BIASES_OF_ONE = ("conv2", "conv4", "conv5", "fc6", "fc7")
_ACTIVATIONS = {"relu": lambda: nn.ReLU(inplace=True), "tanh": nn.Tanh}


class _Layers(nn.Sequential):
    """Named layers, one after the other; a slice of them is a plain `nn.Sequential` with the same names."""

    def __getitem__(self, index):
        if isinstance(index, slice):
            return nn.Sequential(OrderedDict(list(self.named_children())[index]))
        return super().__getitem__(index)


class AlexNet(_Layers):
    """The network of Krizhevsky, Sutskever and Hinton (2012): (N, in_channels, S, S) images to (N, num_classes) logits.

    Five convolutions and three fully connected layers, named conv1 to conv5 and fc6 to fc8. Response normalization
    comes before the pooling, the pools are 3×3 with stride 2, and half of the hidden units of fc6 and fc7 are dropped.
    With the defaults it has 60,965,224 parameters, with ``groups=1`` 62,378,344.

    groups: 2 splits conv2, conv4 and conv5 between the paper's two GPUs; 1 is the network on one.
    width: the factor for the number of channels and hidden units; 0.25 gives 24 in conv1 and 1024 in fc6.
    image_size: S in pixels, at least 32. From 67 on conv1 is the paper's (11×11, stride 4); below it is 7×7 with
        stride 2, and below 48 it is 5×5 with stride 1. The paper writes 224, but its sizes need 227.
    dropout: the probability with which a hidden unit of fc6 and fc7 is dropped.
    activation: "relu" or "tanh". norm: False leaves the response normalization out. overlapping: False pools 2×2.
    without: layers to leave out, of conv3, conv4, fc6 and fc7, each with its activation (the ablations).

    Raises `ValueError` for a value that is out of range.
    Source: ImageNet classification with deep convolutional neural networks, sections 3 and 4.2.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        groups: int = 2,
        width: float = 1.0,
        image_size: int = 227,
        *,
        in_channels: int = 3,
        dropout: float = 0.5,
        activation: str = "relu",
        norm: bool = True,
        overlapping: bool = True,
        without: Collection[str] = (),
    ):
        _check(num_classes, groups, width, activation, without)
        kernel, stride = _first_layer(image_size)
        towers = groups
        pool = 3 if overlapping else 2
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        channels, side = in_channels, image_size

        def convolution(name: str, maps: int, kernel: int, stride: int = 1, padding: int = 0, groups: int = 1) -> None:
            nonlocal channels, side
            if name in without:
                return
            out = _scaled(maps, width, towers)
            layers[name] = nn.Conv2d(channels, out, kernel, stride, padding, groups=groups)
            layers[f"act{name[-1]}"] = _ACTIVATIONS[activation]()
            channels, side = out, (side + 2 * padding - kernel) // stride + 1

        def norm_and_pool(number: int, normalize: bool) -> None:
            nonlocal side
            if normalize:
                layers[f"norm{number}"] = LocalResponseNorm()
            layers[f"pool{number}"] = nn.MaxPool2d(pool, 2)
            side = (side - pool) // 2 + 1

        # Sizes on the right: the defaults' output.
        convolution("conv1", 96, kernel, stride)  # (N, 96, 55, 55)
        norm_and_pool(1, norm)  # (N, 96, 27, 27)
        convolution("conv2", 256, 5, padding=2, groups=groups)  # (N, 256, 27, 27)
        norm_and_pool(2, norm)  # (N, 256, 13, 13)
        convolution("conv3", 384, 3, padding=1)  # (N, 384, 13, 13): sees the maps of both GPUs
        convolution("conv4", 384, 3, padding=1, groups=groups)
        convolution("conv5", 256, 3, padding=1, groups=groups)  # (N, 256, 13, 13)
        norm_and_pool(5, False)  # (N, 256, 6, 6)
        layers["flatten"] = nn.Flatten()
        units = channels * side * side  # 9216
        for name in ("fc6", "fc7"):
            if name in without:
                continue
            layers[name] = nn.Linear(units, units := _scaled(4096, width, 1))
            layers[f"act{name[-1]}"] = _ACTIVATIONS[activation]()
            layers[f"drop{name[-1]}"] = nn.Dropout(dropout)
        layers["fc8"] = nn.Linear(units, num_classes)
        super().__init__(layers)


def alexnet_init(model: nn.Module, seed: int = 0) -> nn.Module:
    """Give `model` the paper's initial weights, in place, and return it.

    Weights are normal with mean 0 and standard deviation 0.01. Biases are 1 in conv2, conv4, conv5, fc6 and fc7, whose
    ReLUs so start with positive inputs, and 0 elsewhere. The same seed gives the same weights on every device.

    Source: Krizhevsky et al. (2012), section 5.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            layer, _, kind = name.rpartition(".")
            if kind == "weight":
                # Drawn on the CPU: a GPU's generator gives other numbers.
                drawn = torch.empty(parameter.shape, dtype=parameter.dtype)
                parameter.copy_(drawn.normal_(0, 0.01, generator=generator))
            else:
                parameter.fill_(1.0 if layer in _BIASES_OF_ONE else 0.0)
    return model


class SmallConvNet(_Layers):
    """A small network for experiments: (N, in_channels, S, S) images to (N, num_classes) logits, S at least 8.

    Three 3×3 convolutions with `width`, 2·`width` and 4·`width` channels, each followed by ReLU and 2×2 pooling, then
    the average over all positions and one fully connected layer. It starts from He's initialization (fan-in) and takes
    images of any size. With the defaults it has 94,538 parameters. `batch_norm` puts batch norm before each ReLU.
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 3, width: int = 32, batch_norm: bool = False):
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        channels = in_channels
        for number, maps in enumerate((width, 2 * width, 4 * width), start=1):
            layers[f"conv{number}"] = nn.Conv2d(channels, maps, 3, padding=1, bias=not batch_norm)
            if batch_norm:
                layers[f"norm{number}"] = nn.BatchNorm2d(maps)
            layers[f"act{number}"] = nn.ReLU(inplace=True)
            layers[f"pool{number}"] = nn.MaxPool2d(2)
            channels = maps
        layers["average"] = nn.AdaptiveAvgPool2d(1)
        layers["flatten"] = nn.Flatten()
        layers["fc"] = nn.Linear(channels, num_classes)
        super().__init__(layers)
        for layer in self:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)


def topk_errors(logits: Tensor, labels: Tensor, ks: Collection[int] = (1, 5)) -> list[float]:
    """Return for each k the share of the images whose label is not among the k largest of their logits (N, classes).

    With fewer than k classes nothing is missed, and the error is 0.
    """
    best = logits.topk(min(max(ks), logits.shape[1]), dim=1).indices == labels[:, None]  # (N, k)
    return [1.0 - best[:, :k].any(dim=1).double().mean().item() for k in ks]


def count_parameters(model: nn.Module) -> int:
    """Return the number of weights and biases that are learned."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def count_macs(model: nn.Module, image_shape: tuple[int, int, int]) -> dict[str, int]:
    """Return the multiply–accumulates of each convolution and fully connected layer for one image (C, H, W).

    One forward pass; biases are not counted. The model is run once, in evaluation mode.
    """
    counts: dict[str, int] = {}
    hooks = []

    def counting(name: str):
        def count(layer: nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> None:
            counts[name] = out[0].numel() * layer.weight[0].numel()  # for each output, the weights of its filter

        return count

    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            hooks.append(layer.register_forward_hook(counting(name)))
    like = next(model.parameters())
    was_training = model.training
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, *image_shape, dtype=like.dtype, device=like.device))
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    return counts


def _first_layer(image_size: int) -> tuple[int, int]:
    for smallest, kernel, stride in _FIRST_LAYER:
        if image_size >= smallest:
            return kernel, stride
    raise ValueError(f"Five convolutions and three pools need images of at least 32 pixels, not {image_size}.")


def _scaled(count: int, width: float, multiple: int) -> int:
    """`count` times `width`, rounded to a multiple, and never zero."""
    return max(1, round(count * width / multiple)) * multiple


def _check(num_classes: int, groups: int, width: float, activation: str, without: Collection[str]) -> None:
    if num_classes < 1 or groups not in (1, 2) or not width > 0:
        raise ValueError(
            "AlexNet takes at least one class, 1 or 2 groups and a width above 0, "
            f"not num_classes={num_classes}, groups={groups}, width={width}."
        )
    if activation not in _ACTIVATIONS:
        raise ValueError(f"The activation is 'relu' or 'tanh', not {activation!r}.")
    if isinstance(without, str) or not set(without) <= set(_MAY_BE_LEFT_OUT):
        raise ValueError(f"The layers that may be left out are {', '.join(_MAY_BE_LEFT_OUT)}, not {without!r}.")
