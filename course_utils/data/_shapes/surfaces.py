"""What backgrounds and shapes are made of: smooth clouds and regular patterns, all between −1 and 1."""

from __future__ import annotations

import numpy as np


def clouds(lattice: np.ndarray, size: int) -> np.ndarray:
    """Random values on a coarse lattice (images, channels, k, k), smoothly joined: (images, channels, size, size)."""
    cells = lattice.shape[-1] - 1
    place = (np.arange(size) + 0.5) * cells / size
    cell = np.floor(place).astype(np.int64)
    part = (place - cell).astype(np.float32)
    part = part * part * (3 - 2 * part)  # flat at the lattice points, so that no crease is seen there
    rows = lattice[:, :, cell, :]
    rows = rows + (lattice[:, :, cell + 1, :] - rows) * part[:, None]
    left = rows[..., cell]
    return left + (rows[..., cell + 1] - left) * part


def _wave(x: np.ndarray) -> np.ndarray:
    """A triangle wave of period 1 and mean 0."""
    return np.float32(4) * np.abs(x - np.floor(x) - np.float32(0.5)) - 1


def plain(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """One colour."""
    return np.zeros_like(x)


def stripes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Stripes across x."""
    return (np.float32(2.5) * _wave(x)).clip(-1, 1)


def checks(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A chessboard."""
    return (np.float32(6) * _wave(x) * _wave(y)).clip(-1, 1)


def dots(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Dots on a grid."""
    return (np.float32(2.5) * (_wave(x) + _wave(y) - np.float32(0.7))).clip(-1, 1)


PATTERNS = (plain, stripes, checks, dots)


def patterned(kinds: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Each image's own pattern, (images, size, size), `kinds` (images,) being places in `PATTERNS`."""
    surface = np.empty_like(x)
    for kind, pattern in enumerate(PATTERNS):
        chosen = kinds == kind
        if chosen.any():
            surface[chosen] = pattern(x[chosen], y[chosen])
    return surface
