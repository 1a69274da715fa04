"""What a mask of DropBlock is made of: unions of square blocks, and counts over the maps.

What is binomial in a correct mask, and so has exact bounds (`masks`): the maps from which nothing is dropped, since a
map is whole with probability (1 − γ)ˢ where a block fits at S places; the corners that are dropped, since each corner
belongs to the block at one place; and the centres. Maps are independent, so maps side by side agree by chance alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from course_utils.checks import masks


def union_of_blocks(dropped: np.ndarray, b: int) -> np.ndarray:
    """The pixels that lie in some b × b block of dropped pixels, all of it inside the map."""
    rows, columns = (size - b + 1 for size in dropped.shape[2:])
    across = np.logical_and.reduce([dropped[..., j : j + columns] for j in range(b)])
    starts = np.logical_and.reduce([across[:, :, i : i + rows] for i in range(b)])
    wide, covered = np.zeros((*dropped.shape[:2], rows, columns + b - 1), dtype=bool), np.zeros_like(dropped)
    for j in range(b):
        wide[..., j : j + columns] |= starts
    for i in range(b):
        covered[:, :, i : i + rows] |= wide
    return covered


def is_union(dropped: np.ndarray, b: int) -> bool:
    """Whether every dropped pixel lies in such a block."""
    return np.array_equal(union_of_blocks(dropped, b), dropped)


def is_union_around(dropped: np.ndarray, b: int, mode: str) -> bool:
    """The same where blocks may leave the map: `mode` says how np.pad goes on there, "constant" with dropped pixels."""
    H, W = dropped.shape[2:]
    more = {"constant_values": True} if mode == "constant" else {}
    padded = np.pad(dropped, ((0, 0), (0, 0), (b - 1, b - 1), (b - 1, b - 1)), mode=mode, **more)
    return np.array_equal(union_of_blocks(padded, b)[:, :, b - 1 : b - 1 + H, b - 1 : b - 1 + W], dropped)


def chances(H: int, W: int, b: int, gamma: float) -> tuple[float, float, float]:
    """The probabilities that a map is whole, that one of its corners is dropped, and its centre."""
    i, j = H // 2, W // 2
    around = math.prod(min(at, size - b) - max(at - b + 1, 0) + 1 for at, size in ((i, H), (j, W)))
    return (1 - gamma) ** ((H - b + 1) * (W - b + 1)), gamma, 1 - (1 - gamma) ** around


def corners_of(dropped: np.ndarray, b: int) -> np.ndarray:
    """Which corners are dropped: one for each of the (up to) four blocks that lie in a corner."""
    rows, columns = ([0] if size == b else [0, size - 1] for size in dropped.shape[2:])
    return dropped[:, :, rows][..., columns]


def counts_of(dropped: np.ndarray, b: int, gamma: float) -> Iterator[tuple[masks.Count, str]]:
    """The counts of a mask, as pairs of a count and a sentence that says what was counted."""
    H, W = dropped.shape[2:]
    whole_chance, corner_chance, centre_chance = chances(H, W, b, gamma)
    if b == 1:  # ordinary dropout
        for count in masks.counts_of(~dropped, 1 - gamma):
            yield count, "{n} " + ("pixels are kept" if count.name == masks.KEPT else "pairs of neighbours agree")
    whole = ~dropped.any(axis=(2, 3))  # (N, C)
    yield masks.counted("whole", whole.sum(), whole.size, whole_chance), "{n} maps have nothing dropped"
    for count in list(masks.counts_of(whole, whole_chance))[1:]:
        yield count, "{n} pairs of neighbouring maps are whole together or dropped from together"
    corners = corners_of(dropped, b)
    yield masks.counted("corners", corners.sum(), corners.size, corner_chance), "{n} corners are dropped"
    centres = dropped[:, :, H // 2, W // 2]
    yield masks.counted("centres", centres.sum(), centres.size, centre_chance), "{n} centres are dropped"


def fits(dropped: np.ndarray, b: int, gamma: float) -> bool:
    """Whether the counts are those of blocks that are dropped with probability `gamma` at each place."""
    return all(count.passed for count, _ in counts_of(dropped, b, gamma))
