"""The two forms of an image's numbers: bytes, which take little memory, and float32, which networks want."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike


def image_type(dtype: DTypeLike) -> np.dtype:
    """Return the NumPy type that `dtype` means. Raises `ValueError` for anything but float32 and uint8."""
    kind = np.dtype(dtype)
    if kind not in (np.dtype(np.float32), np.dtype(np.uint8)):
        raise ValueError(f"Images come as float32 or uint8, not as {kind}.")
    return kind


def as_type(pixels: np.ndarray, kind: np.dtype) -> np.ndarray:
    """Return uint8 `pixels` as they are, or as float32 in [0, 1]."""
    if kind == np.uint8:
        return pixels
    images = pixels.astype(np.float32)
    images /= 255
    return images
