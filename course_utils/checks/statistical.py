"""Judging random weights: is an array a sample of independent draws from a given law?

A single draw can never be wrong, but a statistic of n of them can lie where a correct program almost never puts it.
Every test here compares one statistic with an interval that a correct sample leaves with the probability `alpha`
(each bound says how closely). A grading makes m such tests, so by Bonferroni's inequality it fails a correct program
with a probability of at most m · `SINGLE`; `tests/test_statistical_judging.py` adds up the exact tails.
Neither the seed nor the order of the draws plays a part. What is wrong is caught: of 4950 normal values or more whose
variance is a quarter too large, or four fifths of the right one, fewer than three in a million samples pass.

With z = (w − mean) / std, standardized by the law that is asked for and not by the sample:

| statistic | what it notices |
|---|---|
| mean of z | a shifted law |
| mean of z² | a wrong spread; for n normal values, its relative uncertainty is √(2/n) |
| largest distance between the sample's and the law's distribution function | a law of another shape |
| largest absolute z | truncated tails, an interval that is not filled or is left |
| signs of the products of neighbours, along each axis | rows, columns or kernels that are not drawn one by one |
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np

from course_utils.checks.compare import describe_kind, number_text

SINGLE = 1e-10  # the probability with which one test may fail a correct program
ROUNDING = 1e-6  # relative; float32 may round a value beyond the end of its interval

NORMAL, UNIFORM, TRUNCATED = "normal", "uniform", "truncated"
CUT = 2.0  # where libraries cut the normal distribution, in standard deviations of the uncut one


@cache
def _normal_table() -> tuple[np.ndarray, np.ndarray]:
    """A grid, and erf(z / √2) on it; read with linear interpolation it is right within 10⁻⁶ (h²/8 · max φ′)."""
    grid = np.linspace(-9.0, 9.0, 8193)
    return grid, np.array([math.erf(z / math.sqrt(2)) for z in grid])


@dataclass(frozen=True)
class Law:
    """A distribution with its mean and standard deviation.

    UNIFORM reaches √3 standard deviations to each side. TRUNCATED is a normal distribution cut at ±`CUT`
    of its own standard deviations and keeps the `std` it had before the cut.
    """

    family: str
    std: float
    mean: float = 0.0

    @property
    def reach(self) -> float:
        """How far the values go from the mean, in standard deviations."""
        return {NORMAL: math.inf, UNIFORM: math.sqrt(3), TRUNCATED: CUT}[self.family]

    def distribution_function(self, z: np.ndarray) -> np.ndarray:
        """P(Z ≤ z) for the standardized law, element by element."""
        if self.family == UNIFORM:
            return np.clip((1 + z / self.reach) / 2, 0.0, 1.0)
        grid, between = _normal_table()
        whole = math.erf(self.reach / math.sqrt(2))
        return (1 + np.interp(np.clip(z, -self.reach, self.reach), grid, between) / whole) / 2


@dataclass(frozen=True)
class Statistic:
    """One statistic and the interval that a correct sample leaves with probability `alpha`."""

    name: str
    value: float
    low: float
    high: float

    @property
    def passed(self) -> bool:
        return bool(self.low <= self.value <= self.high)


MEAN, SQUARE, SHAPE, EXTREME, NEIGHBOURS = "mean", "mean square", "distribution", "largest value", "neighbours"


def two_sided(alpha: float) -> float:
    """The q with P(|N(0, 1)| > q) = `alpha`."""
    return -NormalDist().inv_cdf(alpha / 2)


def mean_bound(n: int, alpha: float) -> float:
    """The largest |mean of z| that is accepted.

    Exact for normal values, whose mean is N(0, 1/n). A uniform law is strictly sub-Gaussian,
    E exp(tz) = sinh(√3 t) / (√3 t) ≤ exp(t²/2), so its tail stays below 2 exp(−q²/2) at any n.
    """
    return two_sided(alpha) / math.sqrt(n)


# Standard deviation, skewness and excess kurtosis of z². Normal: χ² with one degree of freedom. Uniform: from
# E z²ᵏ = 3ᵏ / (2k + 1).
SQUARE_MOMENTS = {NORMAL: (math.sqrt(2), math.sqrt(8), 12.0), UNIFORM: (math.sqrt(0.8), 2 * math.sqrt(5) / 7, -6 / 7)}


def square_bounds(n: int, alpha: float, family: str) -> tuple[float, float]:
    """The interval accepted for the mean of z², `alpha`/2 beyond either end.

    Quantiles by the expansion of Cornish and Fisher (1938) with skewness and kurtosis: for normal values, n · mean is
    χ² with n degrees of freedom, and with n ≥ 1000 the probability outside is right within 1 % at `alpha` = `SINGLE`.
    """
    spread, skewness, kurtosis = SQUARE_MOMENTS[family]
    skewness, kurtosis = skewness / math.sqrt(n), kurtosis / n

    def quantile(q: float) -> float:
        shift = skewness * (q**2 - 1) / 6 + kurtosis * (q**3 - 3 * q) / 24 - skewness**2 * (2 * q**3 - 5 * q) / 36
        return 1 + spread / math.sqrt(n) * (q + shift)

    q = two_sided(alpha)
    return quantile(-q), quantile(q)


def shape_bound(n: int, alpha: float) -> float:
    """The largest distance accepted between the two distribution functions.

    The inequality of Dvoretzky, Kiefer and Wolfowitz with Massart's constant: P(distance > d) ≤ 2 exp(−2 n d²), for
    every n; for large n it is nearly an equality.
    """
    return math.sqrt(math.log(2 / alpha) / (2 * n))


def extreme_bounds(n: int, alpha: float, family: str) -> tuple[float, float]:
    """The interval accepted for the largest |z|, exact: P(largest ≤ m) = P(|z| ≤ m)ⁿ.

    A uniform law never goes beyond its end, so all of `alpha` lies below; for a normal one, half at either end.
    """
    if family == UNIFORM:
        reach = math.sqrt(3)
        return reach * alpha ** (1 / n), reach * (1 + ROUNDING)
    too_low = -math.expm1(math.log(alpha / 2) / n)  # P(|z| > m) where P(|z| ≤ m)ⁿ = alpha / 2
    too_high = -math.expm1(math.log1p(-alpha / 2) / n)
    return two_sided(too_low), two_sided(too_high)


def sign_statistic(a: np.ndarray, b: np.ndarray) -> float:
    """Σ aᵢbᵢ / √Σ aᵢ²bᵢ², near N(0, 1) where a and b are independent.

    Any law that is symmetric about 0 draws the signs of b like fair coins. Given all magnitudes, this is a sum of
    coins ±cᵢ with Σ cᵢ² = 1, and P(|sum| > q) ≤ 2 exp(−q²/2) (Hoeffding, 1963), at any n and any scale.
    """
    products = a * b
    length = float(np.sqrt(np.sum(products**2)))
    return float(np.sum(products)) / length if length else 0.0


def neighbours(w: np.ndarray) -> list[float]:
    """For each axis of at least two elements, the sign statistic of the slices 0, 2, 4, … with the slices 1, 3, 5, …"""
    found = []
    for axis in range(w.ndim):
        pairs = w.shape[axis] // 2
        if pairs:
            slices = np.moveaxis(w, axis, 0)
            found.append(sign_statistic(slices[0 : 2 * pairs : 2], slices[1 : 2 * pairs : 2]))
    return found


def statistics_of(weights: np.ndarray, law: Law, alpha: float = SINGLE) -> Iterator[Statistic]:
    """All statistics of one array under a normal or a uniform law, the cheapest first."""
    z = (np.asarray(weights, dtype=np.float64) - law.mean) / law.std
    n, q, mean = z.size, two_sided(alpha), mean_bound(z.size, alpha)
    yield Statistic(SQUARE, float(np.mean(z**2)), *square_bounds(n, alpha, law.family))
    yield Statistic(MEAN, float(z.mean()), -mean, mean)
    yield Statistic(EXTREME, float(np.abs(z).max()), *extreme_bounds(n, alpha, law.family))
    for value in neighbours(z):
        yield Statistic(NEIGHBOURS, value, -q, q)
    yield Statistic(SHAPE, distance(z, law), 0.0, shape_bound(n, alpha))


def distance(z: np.ndarray, law: Law) -> float:
    """The largest distance between the distribution functions of the sample z and of the law (Kolmogorov, 1933)."""
    steps = np.arange(z.size + 1) / z.size
    smooth = law.distribution_function(np.sort(z, axis=None))
    return float(max(np.max(steps[1:] - smooth), np.max(smooth - steps[:-1])))


def fits(weights: np.ndarray, law: Law) -> bool:
    """Whether an array may well be a sample of the law: of a wrong one that a misconception leads to, for example."""
    if law.family == TRUNCATED:
        z = (weights - law.mean) / law.std
        return bool(np.abs(z).max() <= CUT * (1 + ROUNDING)) and distance(z, law) <= shape_bound(z.size, SINGLE)
    return all(test.passed for test in statistics_of(weights, law))


def repeated_axis(weights: np.ndarray) -> int | None:
    """The first axis along which two slices are equal, element for element; independent draws never are."""
    for axis, size in enumerate(weights.shape):
        slices = [piece.tobytes() for piece in np.moveaxis(weights, axis, 0)]
        if weights.size > size and len(set(slices)) < size:
            return axis
    return None


# --- sentences --------------------------------------------------------------------------------------------------


def fault(weights: Any, shape: tuple[int, ...], law: Law) -> str | None:
    """The first thing wrong with weights that should be a sample of `law`, as a sentence; None if nothing is."""
    if (found := malformed(weights, shape)) is not None:
        return found
    if weights.min() == weights.max():
        return f"all weights are {number_text(weights.flat[0])}, should be drawn one by one"
    if (axis := repeated_axis(weights)) is not None:
        return f"along axis {axis}, two slices of the weights are equal, number for number"
    failed = next((test for test in statistics_of(weights, law) if not test.passed), None)
    if failed is None:
        return None
    shift, width = abs(weights.mean() - law.mean), mean_bound(weights.size, SINGLE)
    if failed.name == SQUARE and shift > width * weights.std():  # shifted even for the spread that it has
        return _mean_sentence(weights, law, width)
    return _sentence(failed, weights, law)


def malformed(weights: Any, shape: tuple[int, ...]) -> str | None:
    """Why something is not an array of finite floats of this shape."""
    if not isinstance(weights, np.ndarray):
        missing = ": is a return missing?" if weights is None else f", should be an array of shape {shape}"
        return f"the result is {describe_kind(weights)}{missing}"
    if weights.shape != tuple(shape):
        return f"the result has shape {weights.shape}, should have shape {tuple(shape)}"
    if weights.dtype.kind != "f":
        return f"the result holds {weights.dtype} values, should hold floats"
    return None if np.isfinite(weights).all() else "some weights are NaN or infinite"


def _sentence(test: Statistic, weights: np.ndarray, law: Law) -> str:
    n = weights.size
    if test.name == MEAN:
        return _mean_sentence(weights, law, test.high)
    if test.name == SQUARE:
        width = max(1 - math.sqrt(test.low), math.sqrt(test.high) - 1) * law.std
        return (
            f"the standard deviation of {n} weights is {number_text(math.sqrt(test.value) * law.std)}, "
            f"should be {number_text(law.std)} ± {_short(width)}"
        )
    if test.name == EXTREME and law.family == UNIFORM:
        bound, largest = number_text(law.reach * law.std), number_text(test.value * law.std)
        where = "lies outside" if test.value > test.high else "is the largest, should come close to the end of"
        return f"a weight of size {largest} {where} ±{bound}"
    if test.name == EXTREME:
        what = f"the largest of {n} weights is {test.value:.2f} standard deviations from 0"
        return f"{what}, should be between {test.low:.2f} and {test.high:.2f} in a normal distribution"
    if test.name == NEIGHBOURS:
        return "weights side by side depend on each other, should be drawn one by one"
    return (
        f"the spread is right and the shape of the distribution is not: for some t, the share of weights below t "
        f"is off by {test.value:.3f}, should be within {test.high:.3f} for a {law.family} distribution"
    )


def _mean_sentence(weights: np.ndarray, law: Law, width: float) -> str:
    mean = number_text(weights.mean(), 3)
    return f"the mean of {weights.size} weights is {mean}, should be {law.mean:g} ± {_short(width * law.std)}"


def _short(width: float) -> str:
    return number_text(width, 2)
