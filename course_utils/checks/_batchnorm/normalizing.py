"""Normalization forward and backward with one idea exchanged: what the exercises on batch norm have in common."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from course_utils.checks.describe import tensor

# What rounding costs where means are ten million times the spread, relative to the largest value.
ROUNDING = 1e-7
GRADIENTS = ("grad_x", "grad_gamma", "grad_beta")


def batch_axes(x):
    """All axes but the channels': what batch norm averages over, for (N, D) and for (N, C, H, W)."""
    return (0, *range(2, x.ndim))


def for_channels(values, x):
    """Numbers of the channels (or features) in a shape that meets x."""
    return values.reshape(-1, *[1] * (x.ndim - 2))


def root(variance, epsilon):
    return np.sqrt(variance + epsilon)


def beside_the_root(variance, epsilon):
    return np.sqrt(variance) + epsilon


def without_epsilon(variance, epsilon):
    return np.sqrt(variance)


def no_root(variance, epsilon):
    return variance + epsilon


def fixed_epsilon(variance, epsilon):
    return np.sqrt(variance + 1e-5)


def around_zero(x, **around):
    """E[x²] for the variance."""
    return np.mean(x**2, **around)


unbiased = partial(np.var, ddof=1)


def scale_and_shift(x_hat, gamma, beta):
    return gamma * x_hat + beta


def batchnorm(x, gamma, beta, epsilon=1e-5):
    """Batch norm in training, by PyTorch."""
    import torch

    return torch.nn.functional.batch_norm(
        tensor(x), None, None, tensor(gamma), tensor(beta), training=True, eps=epsilon
    ).numpy()


def normalized(axes=batch_axes, mean=np.mean, variance=np.var, spread=root, affine=scale_and_shift):
    """A normalization of channels in which one idea can be exchanged."""

    def wrong(x, gamma, beta, epsilon=1e-5):
        around = {"axis": axes(x), "keepdims": True}
        x_hat = (x - mean(x, **around)) / spread(variance(x, **around), epsilon)
        return affine(x_hat, for_channels(gamma, x), for_channels(beta, x))

    return wrong


def batchnorm_gradients(grad_out, x, gamma, epsilon=1e-5):
    """The gradients of sum(grad_out * batchnorm(x, gamma, beta)), by PyTorch."""
    import torch

    leaves = tensor(x, True), tensor(gamma, True), tensor(np.zeros(len(gamma)), True)
    out = torch.nn.functional.batch_norm(leaves[0], None, None, *leaves[1:], training=True, eps=epsilon)
    return tuple(gradient.numpy() for gradient in torch.autograd.grad(out, leaves, tensor(grad_out)))


@dataclass(frozen=True)
class Pass:
    """What a backward pass is made of; `gamma`, `std` and means have a shape that meets x."""

    grad_out: Any
    x: Any
    gamma: Any
    axes: Any
    centred: Any
    std: Any

    @property
    def x_hat(self):
        return self.centred / self.std

    @property
    def grad_hat(self):
        """∂L/∂x̂."""
        return self.gamma * self.grad_out

    def mean(self, values):
        return values.mean(axis=self.axes, keepdims=True)

    def total(self, values):
        return values.sum(axis=self.axes)

    @property
    def count(self):
        """How many numbers share one mean."""
        return self.x.size // self.std.size


def right_grad_x(p):
    return (p.grad_hat - p.mean(p.grad_hat) - p.x_hat * p.mean(p.grad_hat * p.x_hat)) / p.std


def with_count(count):
    """grad_x where sums are divided by `count(x)`, which is not how many numbers share a mean."""

    def grad_x(p):
        share = p.count / count(p.x)
        return (p.grad_hat - share * (p.mean(p.grad_hat) + p.x_hat * p.mean(p.grad_hat * p.x_hat))) / p.std

    return grad_x


def changed_gradients(
    axes=batch_axes,
    variance=np.var,
    spread=root,
    grad_x=right_grad_x,
    grad_gamma=lambda p: p.total(p.grad_out * p.x_hat),
    grad_beta=lambda p: p.total(p.grad_out),
):
    """A backward pass in which one idea can be exchanged; the last three are functions of a `Pass`."""

    def wrong(grad_out, x, gamma, epsilon=1e-5):
        around = {"axis": axes(x), "keepdims": True}
        std = spread(variance(x, **around), epsilon)
        centred = x - np.mean(x, **around)
        p = Pass(grad_out, x, for_channels(gamma, x), around["axis"], centred, std)
        return grad_x(p), grad_gamma(p), grad_beta(p)

    return wrong


def call_batchnorm_backward(student, part, grad_out, x, gamma, **settings):
    gradients = student(grad_out, x, gamma, **settings)
    if part == "all three" or not isinstance(gradients, (tuple, list)) or len(gradients) != 3:
        return gradients
    return {part: gradients[("grad_x", "grad_gamma", "grad_beta").index(part)]}
