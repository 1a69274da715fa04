"""Deep networks without biases, h = φ(W h) in every layer: what several exercises measure, and wrong ways to do it."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import tensor
from course_utils.checks.exercise import Raises
from course_utils.plain import strided

NAMES = ("sigmoid", "tanh", "relu", "leaky_relu", "elu")


def torch_activation(name):
    """The function of PyTorch for one of `NAMES`."""
    import torch
    from torch.nn import functional

    functions = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "leaky_relu": functional.leaky_relu,  # its default slope is 0.01
        "elu": functional.elu,
    }
    return functions[name]


def phi(name, z):
    """φ(z) of an array, by PyTorch."""
    return torch_activation(name)(tensor(z)).numpy()


def slope(name, z):
    """φ′(z) of an array, by autograd."""
    import torch

    leaf = tensor(z, True)
    return torch.autograd.grad(torch_activation(name)(leaf).sum(), leaf)[0].numpy()


def signals(weights, x, name):
    """Pre-activations and activations of every layer: two lists of arrays."""
    pre_activations, activations, h = [], [], x
    for weight in weights:
        pre_activations.append(h @ weight.T)
        h = phi(name, pre_activations[-1])
        activations.append(h)
    return pre_activations, activations


def or_misfit(function):
    """`function`, or a ValueError where its matrix products do not fit."""

    def variant(**inputs):
        try:
            return function(**inputs)
        except ValueError:
            return Raises("ValueError")

    return variant


def random_weights(rng, widths, scale=None):
    """Weights for layers of these widths, input first: of std `scale`, or 1.5 / √in."""
    return [
        rng.normal(size=(n_out, n_in)) * (1.5 / np.sqrt(n_in) if scale is None else scale)
        for n_in, n_out in zip(widths, widths[1:], strict=False)
    ]


def usual_cases(case):
    """Shapes and activations that every measurement is tried on; `case(aspect, name, examples, widths)` makes one."""
    several, square = "several layers", "layers of one width"
    return [
        case("one layer", "tanh", 6, (4, 5)),
        case("one layer", "tanh", 5, (3, 2), make=strided),
        *(case("every activation", name, 5, (4, 6, 3)) for name in NAMES),
        case(several, "tanh", 7, (6, 5, 4, 3)),
        case(several, "relu", 6, (5, 7, 6, 8), make=strided),
        case(several, "elu", 1, (3, 6, 2)),
        case(square, "tanh", 6, (5, 5, 5, 5)),
        case(square, "sigmoid", 4, (4, 4, 4)),
    ]
