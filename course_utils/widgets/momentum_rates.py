"""The numbers of the stability map: how fast gradient descent with momentum shrinks the two directions of a quadratic.

The loss is ½λ·x² + ½·y² with a steep curvature λ ≥ 1 and a flat one of 1. In either direction a step is
v ← μv + curvature·w, w ← w − αv, so that w_{t+1} = (1 + μ − α·curvature)·w_t − μ·w_{t−1}.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

CURVATURES = {"λ = 1": 1.0, "λ = 10": 10.0, "λ = 100": 100.0}  # of the steep direction
PRODUCTS, MOMENTA = (0.02, 4.2), (0.0, 0.99)
STEPS, START = 100, 1.0
GRID = (84, 66)  # of the map: products α·λ and momenta


def spectral_radius(product: np.ndarray, momentum: np.ndarray) -> np.ndarray:
    """The factor per step with which w shrinks or grows in the long run, for α·curvature = `product`; broadcasts.

    The larger of the moduli of the two roots of z² − (1 + μ − product)·z + μ = 0 (Polyak, 1964).
    """
    trace = 1.0 + np.asarray(momentum) - product
    discriminant = trace**2 - 4.0 * np.asarray(momentum)
    real = (np.abs(trace) + np.sqrt(np.maximum(discriminant, 0.0))) / 2
    return np.where(discriminant >= 0, real, np.sqrt(momentum))


def slowest(product: np.ndarray, momentum: np.ndarray, curvature: float) -> np.ndarray:
    """The larger of the two directions' spectral radii, where α times the steep curvature is `product`."""
    flat = np.asarray(product) / curvature
    return np.maximum(spectral_radius(product, momentum), spectral_radius(flat, momentum))


def steps_for_a_tenth(radius: float) -> float:
    """How many steps make w ten times smaller in the long run; infinite where it does not shrink."""
    if radius >= 1:
        return float("inf")
    return 0.0 if radius <= 0 else float(-1 / np.log10(radius))


def best(curvature: float) -> tuple[float, float]:
    """The product α·λ and the momentum for which the slower direction shrinks fastest (Polyak, 1964)."""
    root = np.sqrt(curvature)
    return float(4 * curvature / (root + 1) ** 2), float(((root - 1) / (root + 1)) ** 2)


def walk(product: float, momentum: float, curvature: float) -> np.ndarray:
    """w in the steep and the flat direction from `START` and at rest, (STEPS + 1, 2)."""
    w, v, slopes = np.full(2, START), np.zeros(2), np.array([curvature, 1.0])
    rate, path = product / curvature, [np.full(2, START)]
    for _ in range(STEPS):
        v = momentum * v + slopes * w
        w = w - rate * v
        path.append(w)
    return np.array(path)


@lru_cache(maxsize=len(CURVATURES))
def grid(curvature: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The map: products (GRID[0],) and momenta (GRID[1],) at the cells' centres, and `slowest` there, (66, 84)."""
    products = (np.arange(GRID[0]) + 0.5) * PRODUCTS[1] / GRID[0]
    momenta = (np.arange(GRID[1]) + 0.5) * MOMENTA[1] / GRID[1]
    return products, momenta, slowest(products, momenta[:, None], curvature)
