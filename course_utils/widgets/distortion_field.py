"""The numbers of the elastic distortion: random displacements, smoothed by a Gaussian, and a picture read through them.

Simard, Steinkraus and Platt (2003), §2: draws uniform between −1 and 1, smoothed with σ, times α.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from course_utils.widgets.augmented_image import SIZE, original, read

ALPHA, SIGMA, DRAWS = (0.0, 60.0), (0.5, 10.0), 10
SUBJECT = "the letter b"


@lru_cache(maxsize=64)
def smooth_field(sigma: float, draw: int) -> np.ndarray:
    """The displacements (dy, dx) for α = 1, (2, SIZE, SIZE); what is drawn reaches beyond the border."""
    reach = int(np.ceil(4 * SIGMA[1]))
    noise = np.random.default_rng(draw).uniform(-1, 1, (2, SIZE + 2 * reach, SIZE + 2 * reach))
    distance = np.arange(SIZE)[:, None] + reach - np.arange(SIZE + 2 * reach)
    weights = np.exp(-(distance**2) / (2 * sigma**2))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights @ noise @ weights.T


def distorted(field: np.ndarray) -> np.ndarray:
    """The (3, SIZE, SIZE) letter read through a field."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    return read(original(SUBJECT), y + field[0], x + field[1])


def expected_size(alpha: float, sigma: float) -> float:
    """The root mean square of dy, and of dx: near α / (√3 · 2 √π · σ) for σ ≥ 1 (1/3 is the variance of a draw)."""
    return alpha / (np.sqrt(3) * 2 * np.sqrt(np.pi) * sigma)


def folded(field: np.ndarray) -> float:
    """The share of pixels where the picture is folded over itself: the determinant of the map is not positive."""
    dy_y, dy_x = np.gradient(field[0])
    dx_y, dx_x = np.gradient(field[1])
    return float(np.mean((1 + dy_y) * (1 + dx_x) - dy_x * dx_y <= 0))
