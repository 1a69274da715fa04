"""Images for the cases, and the squares that can be cut out of them: all of them, listed by PyTorch."""

from __future__ import annotations

import numpy as np

from course_utils.checks._convolution.impossible import Impossible
from course_utils.checks.describe import tensor


def picture(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Values in [0, 1], no two of them alike."""
    return (rng.permutation(np.prod(shape)).reshape(shape) + rng.uniform(0.1, 0.9)) / np.prod(shape)


def refuse(image: np.ndarray, size: int) -> None:
    """Raises `Impossible` where no square of side `size` fits into the image."""
    _, height, width = image.shape
    if not 1 <= size <= min(height, width):
        raise Impossible("no such square", size=size, height=height, width=width)


def windows(image: np.ndarray, size: int) -> np.ndarray:
    """Every square of side `size`: (H − size + 1, W − size + 1, C, size, size). Raises `Impossible` where none fits."""
    refuse(image, size)
    return tensor(image).unfold(1, size, 1).unfold(2, size, 1).permute(1, 2, 0, 3, 4).numpy()


def middle(places: int) -> int:
    """The offset of a centred crop, floored: as many places are skipped before it as after it, or one fewer."""
    return (places - 1) // 2
