"""Judging random masks: is an array of zeros and ones a sample of independent draws with a given share of ones?

A mask is never compared with another one, and neither the seed nor the order of the draws plays a part. What is
counted in it follows a binomial law if the mask is right, at every size, so all bounds are exact: a correct mask
leaves the interval of one count with a probability of at most `SINGLE`. A grading makes m such tests, so by
Bonferroni's inequality it fails a correct program with a probability of at most m · `SINGLE`;
`tests/test_mask_judging.py` adds up the tails.

| count | law, if each element is kept with probability q, on its own | what it notices |
|---|---|---|
| elements kept | Binomial(n, q) | a wrong share |
| pairs of neighbours along an axis that agree | Binomial(pairs, q² + (1 − q)²) | one draw for several elements |
| elements that agree in the masks of two calls | Binomial(n, q² + (1 − q)²) | a mask that is not new |
| calls that keep equal numbers | all c of them with probability Σ P(k)ᶜ | a fixed number of elements dropped |

Pairs of neighbours are the slices 0 and 1, 2 and 3, … of an axis, so no element is in two of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from course_utils.checks.statistical import SINGLE


@dataclass(frozen=True)
class Count:
    """How many of n there are, and the interval that a correct mask leaves with a probability of at most `alpha`."""

    name: str
    value: int
    n: int
    low: int
    high: int

    @property
    def passed(self) -> bool:
        return self.low <= self.value <= self.high

    @property
    def wanted(self) -> str:
        """The interval in words."""
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


KEPT, CALLS = "kept", "calls"


def neighbours(axis: int) -> str:
    """The name of the count of pairs that agree along an axis."""
    return f"neighbours along axis {axis}"


@cache
def probabilities(n: int, q: float) -> np.ndarray:
    """P(X = k) for X ~ Binomial(n, q) and k = 0 … n."""
    if q in (0.0, 1.0):
        return (np.arange(n + 1) == n * q).astype(float)
    k = np.arange(n + 1)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    return np.exp(factorials[n] - factorials - factorials[::-1] + k * math.log(q) + (n - k) * math.log1p(-q))


@cache
def binomial_bounds(n: int, q: float, alpha: float = SINGLE) -> tuple[int, int]:
    """The narrowest low and high with P(X < low) ≤ alpha/2 and P(X > high) ≤ alpha/2 for X ~ Binomial(n, q)."""
    chances = probabilities(n, q)
    below, above = np.cumsum(chances), np.cumsum(chances[::-1])
    return int(np.sum(below <= alpha / 2)), n - int(np.sum(above <= alpha / 2))


def counted(name: str, value: int, n: int, q: float, alpha: float = SINGLE) -> Count:
    """A count that follows Binomial(n, q) if the mask is right."""
    return Count(name, int(value), n, *binomial_bounds(n, float(q), alpha))


def agreement(q: float) -> float:
    """The probability that two independent elements agree, each kept with probability q."""
    return q**2 + (1 - q) ** 2


def counts_of(mask: np.ndarray, q: float, alpha: float = SINGLE) -> Iterator[Count]:
    """All counts of one mask of booleans whose elements are kept with probability q."""
    yield counted(KEPT, mask.sum(), mask.size, q, alpha)
    for axis in range(mask.ndim):
        pairs = mask.shape[axis] // 2
        if pairs:
            slices = np.moveaxis(mask, axis, 0)
            agree = slices[0 : 2 * pairs : 2] == slices[1 : 2 * pairs : 2]
            yield counted(neighbours(axis), agree.sum(), agree.size, agreement(q), alpha)


def fits(mask: np.ndarray, q: float) -> bool:
    """Whether a mask of booleans may well have been drawn element by element, each kept with probability q."""
    return all(count.passed for count in counts_of(mask, q))


def fault(mask: np.ndarray, q: float, what: str = "elements") -> str | None:
    """The first thing wrong with a mask of booleans, as a sentence; None if nothing is."""
    failed = next((count for count in counts_of(mask, q) if not count.passed), None)
    if failed is None:
        return None
    if failed.name == KEPT:
        return f"{failed.value} of {failed.n} {what} are kept, should be {failed.wanted} of them"
    return (
        f"of {failed.n} pairs of neighbours along axis {failed.name.split()[-1]}, {failed.value} are kept or dropped "
        f"together, should be {failed.wanted} when each of the {what} has a draw of its own"
    )


# --- several calls ----------------------------------------------------------------------------------------------


def chance_of_equal_counts(n: int, q: float, calls: int) -> float:
    """The probability that `calls` masks of n elements all keep the same number of them: Σ P(k)ᶜ over k."""
    return float(np.sum(probabilities(n, float(q)) ** calls))


def all_keep_the_same_number(masks: Sequence[np.ndarray], q: float) -> bool:
    """Whether the masks of several calls keep equal numbers, where chance almost never makes them equal."""
    n = masks[0].size
    return len({int(mask.sum()) for mask in masks}) == 1 and chance_of_equal_counts(n, q, len(masks)) <= SINGLE


def calls_fault(masks: Sequence[np.ndarray], repeated: np.ndarray, q: float, what: str = "elements") -> str | None:
    """What is wrong with the masks of several calls with one rng; `repeated` came from an rng in the first one's state.

    The masks themselves are right, one by one.
    """
    if np.array_equal(masks[0], masks[1]):
        return "two calls with one rng drop the same, should draw a new mask"
    if not np.array_equal(masks[0], repeated):
        return "with rng in the same state, a second call drops others: not all random numbers come from rng"
    for first, second in zip(masks, masks[1:], strict=False):
        agree = counted(CALLS, np.sum(first == second), first.size, agreement(q))
        if not agree.passed:
            return "the mask of one call depends on the mask of the call before"
    if all_keep_the_same_number(masks, q):
        kept = f"{int(masks[0].sum())} of {masks[0].size} {what}"
        return f"{len(masks)} calls all keep exactly {kept}; independent draws almost never do"
    return None
