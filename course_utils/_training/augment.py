"""Crops, flips, colours and brightness. Each image gets its own; the draws come from the plan, so all ways agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_utils._training.plan import Piece


@dataclass(frozen=True)
class Augmentation:
    """What is done to each training image, anew in every epoch.

    crop: height and width in pixels of the square that is cut out at a random place; None keeps the whole image.
        Evaluation cuts the square out of the middle.
    flip: mirror every other image, left and right.
    colour: the standard deviation of the three random numbers α; Σ αᵢ λᵢ pᵢ is added to every pixel, with the
        eigenvalues and eigenvectors of the training pixels' covariance. The paper takes 0.1, 0 leaves it out.
    brightness: each image is multiplied by a number between 1 - brightness and 1 + brightness.

    Source: Krizhevsky et al. (2012), section 4.1; the brightness is ours.
    """

    crop: int | None = None
    flip: bool = True
    colour: float = 0.0
    brightness: float = 0.0

    def __post_init__(self) -> None:
        if (self.crop is not None and self.crop < 1) or self.colour < 0 or not 0 <= self.brightness < 1:
            raise ValueError(f"A crop has at least 1 pixel, colour >= 0 and 0 <= brightness < 1, unlike {self}.")


@dataclass(frozen=True, eq=False)
class Windows:
    """The part of each of k images that is used: its first row and column, and whether it is mirrored."""

    tops: np.ndarray
    lefts: np.ndarray
    mirrored: np.ndarray
    height: int
    width: int


def windows(piece: Piece, side: tuple[int, int], augmentation: Augmentation | None, crop: int | None) -> Windows | None:
    """Return the windows for a piece of images with height and width `side`; None where all are used as they are.

    crop: the side of the square, also where nothing is augmented: then it is the middle one, its offset floored.
    """
    height, width = side if crop is None else (crop, crop)
    count = len(piece.rows)
    free = np.array([side[0] - height, side[1] - width])
    if augmentation is None or piece.uniform is None:
        if not free.any():
            return None
        tops, lefts = (np.full(count, each // 2) for each in free)
        return Windows(tops, lefts, np.zeros(count, dtype=bool), height, width)
    # float32 numbers just below 1 can round up to the number of places.
    tops, lefts = (np.minimum(piece.uniform[:, :2] * (free + 1), free)).astype(np.int64).T
    return Windows(tops, lefts, (piece.uniform[:, 2] < 0.5) & augmentation.flip, height, width)


def cut(images: np.ndarray, places: Windows | None) -> np.ndarray:
    """Return the windows of images (k, C, H, W) as (k, C, height, width), image by image: for the CPU."""
    if places is None:
        return images
    out = np.empty((*images.shape[:2], places.height, places.width), dtype=images.dtype)
    for image, target, top, left, mirrored in zip(images, out, places.tops, places.lefts, places.mirrored, strict=True):
        window = image[:, top : top + places.height, left : left + places.width]
        target[:] = window[:, :, ::-1] if mirrored else window
    return out


def cut_on_device(stored: Tensor, rows: np.ndarray, places: Windows | None) -> Tensor:
    """Return the windows of images `rows` of stored (N, H, W, …) as (k, height, width, …), all in one operation."""
    device = stored.device

    def moved(values: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(values))
        return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor

    if places is None:
        return stored[moved(rows)]
    across = np.arange(places.width)
    across = np.where(places.mirrored[:, None], across[::-1], across) + places.lefts[:, None]  # (k, width)
    down = places.tops[:, None] + np.arange(places.height)  # (k, height)
    return stored[moved(rows)[:, None, None], moved(down)[:, :, None], moved(across)[:, None, :]]
