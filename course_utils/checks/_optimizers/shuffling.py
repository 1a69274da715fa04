"""Is an order of N examples a random one? Tests whose false alarms are proven, each rarer than `SINGLE`.

An order is an array that holds 0 … N−1 once each; under a correct program all N! of them are equally likely.

| what is counted | what it notices |
|---|---|
| examples that keep their place | no shuffle, or too few swaps |
| places where one and the same step leads to the next example | rotations, blocks, strides, reversal |
| examples of the first half that are still in the first half | examples that move within a batch or a window |
| examples that keep their place, in many orders of a few | swaps that leave none where it was |

Neither the seed nor the order of the draws plays a part. A second order is tested against the first as well: by the
ranks that its examples had there, which are a random order too if the two are independent.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

SINGLE = 1e-10  # the probability with which one test may fail a correct program


@cache
def most(ways: int) -> int:
    """The largest count that is accepted where `ways` counts are watched, each with P(count ≥ m) ≤ 1 / m!.

    Fixed points: the expected number of sets of m of them is C(N, m) · (N − m)! / N! = 1 / m!. One step d: N − m
    blocks can be put in a row in (N − m)! ways, so m given places hold the step in at most that many orders, and the
    expected number of sets of m is at most C(N − 1, m) · (N − m)! / N! ≤ 1 / m!.
    """
    m = 1
    while ways / math.factorial(m) > SINGLE:
        m += 1
    return m - 1


@cache
def halves(n: int) -> tuple[int, int]:
    """How many of the first n // 2 examples may be among the first n // 2 places: a hypergeometric count.

    Less than `SINGLE` / 2 lies beyond either end.
    """
    half = n // 2
    chances = [math.comb(half, k) * math.comb(n - half, half - k) / math.comb(n, half) for k in range(half + 1)]
    low, high = 0, half
    while math.fsum(chances[: low + 1]) < SINGLE / 2:
        low += 1
    while math.fsum(chances[high:]) < SINGLE / 2:
        high -= 1
    return low, high


@cache
def kept(n: int, orders: int) -> tuple[int, int]:
    """How many examples may keep their place in so many orders of n, all told: a sum with an exact law.

    C(n, k) times the derangements of n − k examples keep k places. Less than `SINGLE` / 2 lies beyond either end.
    """
    derangements = [sum((-1) ** i * math.perm(m, m - i) for i in range(m + 1)) for m in range(n + 1)]
    once = np.array([math.comb(n, k) * derangements[n - k] / math.factorial(n) for k in range(n + 1)])
    chances = np.ones(1)
    for _ in range(orders):
        chances = np.convolve(chances, once)
    low = int(np.argmax(np.cumsum(chances) >= SINGLE / 2))
    high = len(chances) - 1 - int(np.argmax(np.cumsum(chances[::-1]) >= SINGLE / 2))
    return low, high


def fixed(order: np.ndarray) -> int:
    """How many examples keep their place."""
    return int(np.sum(order == np.arange(len(order))))


def commonest_step(order: np.ndarray) -> tuple[int, int]:
    """The difference between one example and the next that occurs most often, and how often it does."""
    steps, counts = np.unique(np.diff(order), return_counts=True)
    return int(steps[counts.argmax()]), int(counts.max())


def stayed(order: np.ndarray) -> int:
    """How many examples of the first half are in the first half."""
    half = len(order) // 2
    return int(np.sum(order[:half] < half))


def ranks(order: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The places that the examples of `order`, one after the other, had in the order before."""
    place = np.empty_like(before)
    place[before] = np.arange(len(before))
    return place[order]


def fault_of_few(orders: list[np.ndarray]) -> str | None:
    """The same for many orders of so few examples that one of them alone shows nothing."""
    n, found = len(orders[0]), sum(map(fixed, orders))
    low, high = kept(n, len(orders))
    if low <= found <= high:
        return None
    return (
        f"is not random: in {len(orders)} epochs of {n} examples, {found} stay where they were, not about {len(orders)}"
    )


def fault(order: np.ndarray) -> str | None:
    """What shows that an order is not random, as the end of a sentence; None if nothing does."""
    n, half = len(order), len(order) // 2
    step, often = commonest_step(order)
    low, high = halves(n)
    if np.array_equal(order, np.arange(n)):
        return "is the one in which they came"
    if often > most(2 * n):
        follower = "i + " if step > 0 else "i − "
        return f"is not random: {often} of {n - 1} times, example {follower}{abs(step)} comes right after example i"
    if not low <= stayed(order) <= high:
        return f"is not random: {stayed(order)} of the first {half} examples stay there, not about {half // 2}"
    if fixed(order) > most(1):
        return f"is not random: {fixed(order)} of {n} examples stay where they were, not about 1"
    return None
