"""Judging a random, smooth map: is it white noise of uniform draws between −1 and 1, smoothed with a given Gaussian?

Nothing is compared with another draw, and neither the seed nor the order of the draws plays a part. Only points so far
from the border that its treatment does not reach them are looked at. Each is Σ w·u with independent u, uniform between
−1 and 1 (variance 1/3), and the same weights w ≥ 0 that sum to 1. Every test fails a right map with a probability of at
most `SINGLE`, so m of them do with at most m · `SINGLE` (Bonferroni):

| statistic of n points | bound | what it notices |
|---|---|---|
| mean | Hoeffding (1963): each u enters with a weight of at most 1/n, so variance ≤ 1/(3n) | draws from 0 to 1 |
| Σ first · second of two maps | Hoeffding, given the first: variance ≤ Σ first² / 3 | one map for both |
| mean square of the map | `square_bounds` | a wrong scale, noise of another law |
| mean square of differences about sigma pixels apart, on each axis | `square_bounds` | a wrong sigma |

A mean square is a quadratic form uᵀAu. For normal u of the same variance, Laurent and Massart (2000, lemma 1) have
P(above mean + 2‖A‖_F √t + 2‖A‖t) ≤ e^−t and P(below mean − 2‖A‖_F √t) ≤ e^−t; for sub-Gaussian u such as these the
first holds as it stands (Hsu, Kakade and Zhang, 2012); uniform u, whose fourth moment is smaller, scatter less below
too. `SLACK` allows for Gaussians that are cut at 3 sigma or sampled in another way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from course_utils.checks.statistical import SINGLE

VARIANCE = 1 / 3  # of a uniform draw between −1 and 1
SLACK = 0.03  # relative, of a mean square; a Gaussian cut at 3 sigma has one that is 1.1 % larger


def gaussian(sigma: float) -> np.ndarray:
    """The weights along one axis, far beyond 5 sigma; they sum to 1."""
    reach = math.ceil(6 * sigma)
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    return weights / weights.sum()


def margin(sigma: float) -> int:
    """How far from the border a point must be, so that what counts outside weighs less than 10⁻⁶ of it."""
    return math.ceil(5 * sigma)


def step(sigma: float) -> int:
    """The distance of the differences: at sigma, they have 44 % of the mean square of independent points."""
    return max(1, round(sigma))


@dataclass(frozen=True)
class Filter:
    """Two one-dimensional filters, down and across; what they make of white noise of variance 1."""

    down: tuple[float, ...]
    across: tuple[float, ...]

    @property
    def gain(self) -> float:
        """What it makes of a map of ones."""
        return float(np.sum(self.down) * np.sum(self.across))

    @property
    def mean_square(self) -> float:
        return float(np.sum(np.square(self.down)) * np.sum(np.square(self.across)))

    @property
    def squares(self) -> float:
        """Σ over all lags of the squared autocovariance."""
        return float(np.prod([np.sum(np.convolve(f, f[::-1]) ** 2) for f in (self.down, self.across)]))

    @property
    def peak(self) -> float:
        """The largest value of its power spectrum."""
        return float(np.prod([np.max(np.abs(np.fft.rfft(f, 512)) ** 2) for f in (self.down, self.across)]))


@cache
def smoothing(sigma: float) -> Filter:
    line = tuple(gaussian(sigma))
    return Filter(line, line)


@cache
def differences(made_by: Filter, gap: int, axis: int) -> Filter:
    """The filter and, after it, what is `gap` pixels ahead along the axis minus what is here."""
    edge = np.zeros(gap + 1)
    edge[0], edge[-1] = 1, -1
    lines = [made_by.down, made_by.across]
    lines[axis] = tuple(np.convolve(lines[axis], edge))
    return Filter(*lines)


@cache
def square_bounds(made_by: Filter, n: int, alpha: float = SINGLE) -> tuple[float, float]:
    """The interval accepted for the mean square of n points, `alpha`/2 beyond either end, in shares of its mean.

    ‖A‖_F² ≤ Σ squared autocovariances / n and ‖A‖ ≤ peak of the spectrum / n, for any set of n points.
    """
    t = math.log(2 / alpha)
    frobenius = math.sqrt(made_by.squares / n) / made_by.mean_square
    norm = made_by.peak / n / made_by.mean_square
    low = 1 - 2 * frobenius * math.sqrt(t)
    high = 1 + 2 * frobenius * math.sqrt(t) + 2 * norm * t
    return low * (1 - SLACK), high * (1 + SLACK)


def mean_bound(n: int, alpha: float = SINGLE) -> float:
    """The largest |mean| accepted of n points: P(|sum| > q · std) ≤ 2 exp(−q²/2) for sums of uniform draws."""
    return math.sqrt(2 * math.log(2 / alpha) * VARIANCE / n)


def product_bound(first: np.ndarray, alpha: float = SINGLE) -> float:
    """The largest |Σ first · second| accepted of two independent maps, given the first."""
    return math.sqrt(2 * math.log(2 / alpha) * VARIANCE * float(np.sum(first**2)))


def inner(map_: np.ndarray, sigma: float) -> np.ndarray:
    """The points that the border does not reach."""
    m = margin(sigma)
    return map_[..., m:-m, m:-m]


def difference_of(points: np.ndarray, gap: int, axis: int) -> np.ndarray:
    """The differences of points `gap` apart along an axis of the map."""
    return points[..., gap:, :] - points[..., :-gap, :] if axis == 0 else points[..., gap:] - points[..., :-gap]


def share(points: np.ndarray, made_by: Filter) -> float:
    """The mean square of points, as a share of what is expected."""
    return float(np.mean(points**2)) / (VARIANCE * made_by.mean_square)
