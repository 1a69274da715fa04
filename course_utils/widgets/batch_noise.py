"""The numbers of the batch statistics: how a mini-batch's mean and std scatter, and what that does to one image.

The population is real: what one unit of a fresh layer, without bias, gives for each of the digits' training images.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from course_utils.data import load_digits

UNITS, DRAWS = 8, 2000
SIZES = (2, 4, 8, 16, 32, 64, 128, 256)
IMAGE = 0  # the training image that is a member of every batch in `Noise.normalized`
EPSILON = 1e-5


@dataclass(frozen=True)
class Noise:
    """What `DRAWS` mini-batches of one size say about one unit; every array is (DRAWS,)."""

    means: np.ndarray  # the batch means
    stds: np.ndarray  # the biased batch stds, the root of (1/N) Σ (z − mean)²
    normalized: np.ndarray  # image `IMAGE`'s (z − mean) / √(variance + ε) where it is the first of the batch


@lru_cache(maxsize=1)
def populations() -> np.ndarray:
    """The pre-activations of UNITS He-normal units without bias on all training images, (UNITS, N)."""
    features = load_digits().train.features
    weights = np.random.default_rng(6).normal(0, (2 / features.shape[1]) ** 0.5, (UNITS, features.shape[1]))
    return weights @ features.T


@lru_cache(maxsize=1)
def _rows() -> np.ndarray:
    """Which images are drawn, (DRAWS, largest size): with replacement, so that batches are independent."""
    return np.random.default_rng(0).integers(populations().shape[1], size=(DRAWS, SIZES[-1]))


def batch(unit: int, size: int, draw: int) -> np.ndarray:
    """The values of one mini-batch, (size,); a larger batch begins with the members of the smaller ones."""
    return populations()[unit, _rows()[draw, :size]]


@lru_cache(maxsize=UNITS * len(SIZES))
def noise(unit: int, size: int) -> Noise:
    """The statistics of all batches of `size` values of a unit."""
    drawn = populations()[unit, _rows()[:, :size]]
    with_image = drawn.copy()
    with_image[:, 0] = populations()[unit, IMAGE]
    spread = np.sqrt(with_image.var(axis=1) + EPSILON)
    return Noise(drawn.mean(axis=1), drawn.std(axis=1), (with_image[:, 0] - with_image.mean(axis=1)) / spread)


def expected_spread(unit: int, size: int) -> float:
    """The standard deviation of the mean of `size` independent values of a unit: σ/√N."""
    return float(populations()[unit].std() / np.sqrt(size))


def settled(unit: int) -> float:
    """Image `IMAGE`'s normalized value with the mean and the variance of all training images."""
    values = populations()[unit]
    return float((values[IMAGE] - values.mean()) / np.sqrt(values.var() + EPSILON))
