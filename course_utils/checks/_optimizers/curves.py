"""Loss curves and their names: the rules of `diagnose` as its oracle has them, and curves that are clear under them."""

from __future__ import annotations

import math

import numpy as np

from course_utils.checks.exercise import Case

LOW, GOOD, HIGH, EXPLODING = "low", "good", "high", "exploding"
TOO_FAR, FAR_ENOUGH, STILL_FALLING, STEADY = 2.0, 0.2, 0.05, 0.5  # the thresholds of the four questions
MARGIN = 0.15  # relative: no answer of a case is closer to its threshold

# Printed in the lecture: ten epochs at a learning rate of 1e-6.
LECTURE = [
    2.302576, 2.302582, 2.302558, 2.302519, 2.302517, 2.302518, 2.302466, 2.302452, 2.302459, 2.302420,
]  # fmt: skip


# One wrong idea each gets another name for these than the rules do.
FAST = [round(2.3 * math.exp(-2.4 * i / 19), 3) for i in range(20)]  # good, and still falling
SAWTOOTH = [2.3] + [round(2.3 - 0.02 * i - 0.12 * (i % 6), 2) for i in range(1, 30)]  # high: few rises, all large
EARLY_JUMPS = [2.3, 2.0, 2.6, 1.9, 2.5, 1.8, 2.4] + [round(1.7 - 0.03 * i, 2) for i in range(13)]  # high: calm later
LATE_JUMPS = [  # high: 0.1 and jumps at the end
    2.3, 1.2, 0.7, 0.5, 0.4, 0.3, 0.25, 0.2, 0.18, 0.16, 0.15, 0.14, 0.13, 0.12, 0.11, 0.1, 2.0, 0.1, 1.9, 0.1,
]  # fmt: skip
STUCK = [2.3, 1.9, 1.6, 1.4, 1.3, 1.25, 1.24, 1.24, 1.24, 1.25, 1.25, 1.25]  # high: no fall at all in the last quarter
THIRD_FROM_THE_END = [2.3, 1.2, 0.8, 0.6, 0.5, 0.4, 0.35, 0.3, 1.9, 0.1, 0.1]  # good: 11 // 4 is 2
LATE_FALL = [2.3, 2.1, 1.9, 1.7, 1.5, 1.3, 1.1, 0.9, 0.3, 0.1, 0.1]  # good: the quarters are the last values


# --- the rules ------------------------------------------------------------------------------------------------------


def answers(curve):
    """The four numbers that the rules ask for: end / start, the last quarter's share of the fall, up / down.

    By another way than the docstring's: the path length |a| + |b| + … is up + down, and last − first is up − down.
    """
    values = np.asarray(curve, dtype=float)
    quarter = values.size // 4
    tail = values[values.size - 2 * quarter :].reshape(2, quarter).sum(axis=1) / quarter
    path, net = np.abs(values[1:] - values[:-1]).sum(), values[-1] - values[0]
    up, down = (path + net) / 2, (path - net) / 2
    return tail[1] / values[0], (tail[0] - tail[1], values[0] - tail[1]), (up, down)


def name_of(curve):
    if not math.isfinite(math.fsum(abs(value) for value in curve)):
        return EXPLODING
    left, (latest, whole), (up, down) = answers(curve)
    falling = latest >= STILL_FALLING * whole and up <= STEADY * down
    return EXPLODING if left > TOO_FAR else GOOD if left <= FAR_ENOUGH else LOW if falling else HIGH


def diagnosed(curves):
    return [name_of(curve) for curve in curves]


def clear(curve):
    """Whether no answer is so close to its threshold that rounding, or another reading, could change the name."""
    if not all(map(math.isfinite, curve)):
        return True
    left, (latest, whole), (up, down) = answers(curve)
    pairs = [(left, TOO_FAR), (left, FAR_ENOUGH)]
    if whole > 0 and down > 0:
        pairs += [(latest / whole, STILL_FALLING), (up / down, STEADY)]
    return all(abs(value - threshold) > MARGIN * threshold for value, threshold in pairs)


# --- curves ---------------------------------------------------------------------------------------------------------


def curve_cases(rng):
    def drawn(make):
        """A curve that is clear; the first that is drawn almost always is."""
        while True:
            curve = [round(float(value), 5) for value in make(int(rng.integers(12, 36)))]
            if clear(curve):
                return curve

    def number(low, high):
        return float(rng.uniform(low, high))

    def noise(n, size):
        return size * rng.uniform(-1, 1, size=n)

    def times(n):
        return np.linspace(0, 1, n)

    def creeping(n, start=2.3):
        """Falls along a line or a slow exponential, and is far from done."""
        return start * np.exp(-number(0.15, 0.9) * times(n))

    def crawling(n):
        """Falls by a few in a hundred."""
        return number(1.8, 3.2) * (1 - number(0.01, 0.05) * times(n))

    def uneven(n):
        """Falls, with a small rise now and then."""
        return creeping(n) + noise(n, 0.02 * 2.3 / n)

    def learning(n, start=2.3, rest=0.05):
        """Falls fast and arrives near 0."""
        return start * (rest + (1 - rest) * np.exp(-number(9, 14) * times(n)))

    def stuck(n, start=2.3, rest=None):
        """Falls fast and levels off far above 0."""
        rest = number(0.35, 0.8) if rest is None else rest
        return start * (rest + (1 - rest) * np.exp(-number(10, 16) * times(n))) + noise(n, 0.002 * start)

    def settling(n):
        """Falls fast and levels off, and never rises."""
        return number(1.5, 3) * (0.5 + 0.5 * np.exp(-number(8, 9) * times(n)))

    def jumping(n):
        """Up and down, on the whole a little down."""
        heights = 2.3 * (0.8 - 0.45 * times(n)) + 0.3 * (-1) ** np.arange(n) * rng.uniform(0.7, 1, size=n)
        return np.concatenate([[2.3], heights[1:]])

    def above(n):
        """Jumps to somewhat above the start and stays there."""
        start = number(0.8, 3)
        return np.concatenate([[start], start * (number(1.2, 1.6) + noise(n - 1, 0.05))])

    def growing(n):
        return number(0.5, 3) * np.exp(number(2, 9) * times(n))

    def wandering(n):
        """Goes up at once and stays far above the start."""
        return np.concatenate([[2.3], number(20, 90) * (1 + noise(n - 1, 0.4))])

    def spiked(n):
        """Learns well, with one bad epoch early on."""
        curve = learning(n)
        curve[int(rng.integers(2, 4))] = number(8, 20)
        return curve

    def relapsing(n):
        """Close to 0 for a while, and then back up."""
        curve = learning(n, rest=0.03)
        curve[-(n // 4 + 2) :] = 2.3 * (0.6 + noise(n // 4 + 2, 0.1))
        return curve

    def last_leap(n):
        """Learned well, and by chance bad in the last epoch."""
        curve = learning(n, rest=0.02)
        curve[-1] = number(0.25, 0.35) * curve[0]
        return curve

    def with_(value, make, where):
        """One value of a curve replaced; `where` is a place between 0 and 1."""

        def made(n):
            curve = make(n)
            curve[round(where * (n - 1))] = value
            return curve

        return made

    def from_nan_on(n):
        curve = growing(n)
        curve[int(rng.integers(2, n - 2)) :] = math.nan
        return curve

    def case(aspect, *makers):
        curves = [make if isinstance(make, list) else drawn(make) for make in makers]
        return Case(aspect, {"curves": [curves[i] for i in rng.permutation(len(curves))]})

    broken, far, scale, shape, awkward = (
        "NaN and infinity",
        "good or exploding",
        "any start",
        "low or high",
        "single values do not decide",
    )
    nan, infinity = math.nan, math.inf
    return [
        case(broken, from_nan_on, with_(nan, learning, 1.0), learning, creeping),
        case(
            broken,
            with_(nan, creeping, 0.3),
            with_(infinity, learning, 0.3),
            with_(nan, stuck, 0.9),
            stuck,
            with_(nan, learning, 0.3),
        ),
        case(far, learning, growing, wandering, stuck, FAST, THIRD_FROM_THE_END),
        case(far, above, growing, learning, creeping, above, LATE_FALL, LATE_JUMPS),
        case(scale, lambda n: learning(n, 60.0, 0.1), lambda n: creeping(n, 0.1), lambda n: creeping(n, 40.0)),
        case(scale, lambda n: stuck(n, 0.15, 0.5), lambda n: learning(n, 9.0, 0.1), lambda n: stuck(n, 30.0)),
        case(shape, creeping, settling, jumping, crawling, SAWTOOTH),
        case(shape, LECTURE, stuck, uneven, jumping, [2.5] * 12, EARLY_JUMPS, STUCK),
        case(awkward, spiked, relapsing, last_leap, creeping),
        case(awkward, last_leap, stuck, relapsing, spiked),
    ]
