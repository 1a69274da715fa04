"""The numbers of the ReLU counter: piecewise-linear interpolation by shifted ReLUs, and how far off it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

INTERVAL = (-1.0, 1.0)
MOST = 40
STEEPNESS = 12.0
EXACT = 1e-12  # errors below this are rounding

# name: target function on [−1, 1]
TARGETS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sin(πt)": lambda t: np.sin(np.pi * t),
    "|t|": np.abs,
    "a steep step": lambda t: np.tanh(STEEPNESS * t),
    "t²": np.square,
}


@dataclass(frozen=True)
class Fit:
    """`count` ReLUs through `count` + 1 equally spaced knots of a target: f(t) = values[0] + Σ cᵢ·relu(t − knots[i]).

    `error` is the largest distance |f(t) − target(t)| on the interval, found at t = `worst`.
    """

    knots: np.ndarray
    values: np.ndarray
    coefficients: np.ndarray
    error: float
    worst: float

    def __call__(self, t: np.ndarray) -> np.ndarray:
        """f at every element of `t`, by summing the ReLUs."""
        hinges = np.maximum(np.asarray(t)[..., None] - self.knots[:-1], 0.0)
        return self.values[0] + hinges @ self.coefficients


def relu_coefficients(knots: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The coefficients c, (n−1,), with which values[0] + Σ cᵢ·relu(t − knots[i]) passes through every knot.

    `knots` (n,) increase; `values` (n,). One linear equation for each knot after the first.
    """
    hinges = np.maximum(knots[1:, None] - knots[:-1], 0.0)
    return np.linalg.solve(hinges, values[1:] - values[0])


@lru_cache(maxsize=MOST * len(TARGETS))
def fit(target: str, count: int) -> Fit:
    """Interpolate `TARGETS[target]` with `count` ReLUs (1 or more).

    The error is sought on 64 equal pieces of every interval between knots, their middle included.
    """
    function = TARGETS[target]
    knots = np.linspace(*INTERVAL, count + 1)
    values = function(knots)
    result = Fit(knots, values, relu_coefficients(knots, values), 0.0, 0.0)
    grid = np.linspace(*INTERVAL, 64 * count + 1)
    distances = np.abs(result(grid) - function(grid))
    at = int(distances.argmax())
    return Fit(knots, values, result.coefficients, float(distances[at]), float(grid[at]))


def errors(target: str, most: int = MOST) -> np.ndarray:
    """The largest error of 1, 2, …, `most` ReLUs, (most,)."""
    return np.array([fit(target, count).error for count in range(1, most + 1)])
