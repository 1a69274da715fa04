"""The numbers of the layer histograms: signals through a deep network before training, forward and backward."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

WIDTH, EXAMPLES, MOST = 500, 50, 20  # units in every layer, examples, layers at most
BINS = 41  # odd, so that a spike at zero is one bar in the middle
ERRORS = (-3.0, 3.0)  # the axis of the errors' histograms; the error starts with std 1


def _sigmoid(z):
    decay = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, decay) / (1 + decay)


# name: φ(z), φ′ from z and h = φ(z), the largest φ′, and the axis of the histograms
ACTIVATIONS = {
    "sigmoid": (_sigmoid, lambda z, h: h * (1 - h), 0.25, (0.0, 1.0)),
    "tanh": (np.tanh, lambda z, h: 1 - h * h, 1.0, (-1.0, 1.0)),
    "relu": (lambda z: np.maximum(z, 0.0), lambda z, h: np.where(z > 0, 1.0, 0.0), 1.0, (-1.0, 4.0)),
    "leaky_relu": (lambda z: np.maximum(z, 0.01 * z), lambda z, h: np.where(z > 0, 1.0, 0.01), 1.0, (-1.0, 4.0)),
    "elu": (
        lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0.0))),
        lambda z, h: np.where(z > 0, 1.0, h + 1), 1.0, (-1.0, 4.0),
    ),
}  # fmt: skip
# The std of the weights before the gain. All layers are WIDTH wide, so Xavier's 2/(in + out) is 1/in.
SCHEMES = {"Xavier": WIDTH**-0.5, "He": (2 / WIDTH) ** 0.5, "std 0.01": 0.01, "std 1": 1.0}


@dataclass(frozen=True)
class Signal:
    """One layer's values: their std, and the share of them in each of `BINS` bins and on either side of the axis."""

    std: float
    shares: np.ndarray  # (BINS + 2,): below the axis, the bins from left to right, above the axis


@dataclass(frozen=True)
class Signals:
    """Both passes through a network, first layer first."""

    weight_std: float
    forward: tuple[Signal, ...]  # the activations hₗ = φ(zₗ), zₗ = hₗ₋₁ Wₗᵀ
    backward: tuple[Signal, ...]  # the errors ∂loss/∂zₗ, where ∂loss/∂h of the last layer is standard normal
    flat: float  # share of the last layer's values where φ′ is below a tenth of its largest value


@lru_cache(maxsize=1)
def draws() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Standard normal numbers, the same at every call.

    The weights before scaling (MOST, WIDTH, WIDTH), a layer's as (out, in); the inputs (EXAMPLES, WIDTH); and the
    gradient for the last layer's activations (EXAMPLES, WIDTH). A slider scales them and draws nothing anew.
    """
    rng = np.random.default_rng(3)
    shapes = (MOST, WIDTH, WIDTH), (EXAMPLES, WIDTH), (EXAMPLES, WIDTH)
    return tuple(rng.standard_normal(shape) for shape in shapes)


@lru_cache(maxsize=64)
def signals(name: str, scheme: str, gain: float, depth: int) -> Signals:
    """Send the inputs through `depth` layers with activation `name` and weights of std gain · SCHEMES[scheme]."""
    phi, phi_slope, steepest, axis = ACTIVATIONS[name]
    weights, h, gradient = draws()
    weight_std = gain * SCHEMES[scheme]
    forward, slopes = [], []
    for weight in weights[:depth]:
        z = (h @ weight.T) * weight_std
        h = phi(z)
        slopes.append(phi_slope(z, h))
        forward.append(_signal(h, axis))
    backward = []
    for weight, slope in zip(weights[:depth][::-1], reversed(slopes), strict=True):
        error = gradient * slope
        backward.append(_signal(error, ERRORS))
        gradient = (error @ weight) * weight_std
    flat = float(np.mean(slopes[-1] < steepest / 10))
    return Signals(weight_std, tuple(forward), tuple(backward[::-1]), flat)


def _signal(values: np.ndarray, axis: tuple[float, float]) -> Signal:
    low, high = axis
    place = np.floor((values - low) * (BINS / (high - low))) + 1
    place = np.where(values <= high, np.minimum(place, BINS), place)  # the last bin is closed, and rounding stays in it
    counts = np.bincount(np.clip(place, 0, BINS + 1).astype(int).ravel(), minlength=BINS + 2)
    return Signal(float(values.std()), counts / values.size)


def per_layer(stds: list[float]) -> float:
    """The factor by which the std changes from one layer to the next, on the geometric average; two layers or more."""
    return float((stds[-1] / stds[0]) ** (1 / (len(stds) - 1)))
