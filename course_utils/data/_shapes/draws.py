"""The random numbers of a picture: image i gets the same ones, however many images are made and in what chunks."""

from __future__ import annotations

import numpy as np

# The streams of one split; each image owns a fixed stretch of every stream.
LABELS, SCENE, NOISE = range(3)


def words(seed: int, split: int, stream: int, start: int, count: int) -> np.ndarray:
    """The 64-bit words `start` to `start + count` of one stream, (count,) uint64."""
    bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(split, stream)))
    return bits.advance(start).random_raw(count)


def noise(seed: int, split: int, start: int, images: int, values: int) -> np.ndarray:
    """Nearly normal noise for `images` images from image `start` on, (images, values) float32, mean 0, variance 1.

    Each value is the sum of four random bytes: between −3.5 and 3.5, and the sum is an integer, so nothing is rounded.
    """
    per_image = -(-values // 2)  # a word holds the bytes of two values
    raw = words(seed, split, NOISE, start * per_image, images * per_image).view(np.uint8).reshape(-1, 4)
    total = raw[:, 0].astype(np.int32)
    for column in range(1, 4):
        total += raw[:, column]
    deviation = np.float32(147.79715)  # √(4·(256² − 1)/12)
    return ((total - 510).astype(np.float32) / deviation).reshape(images, 2 * per_image)[:, :values]


class Draws:
    """Uniform numbers for the scenes of some images, handed out in order; every image owns `BUDGET` of them."""

    BUDGET = 512

    def __init__(self, seed: int, split: int, start: int, images: int):
        raw = words(seed, split, SCENE, start * self.BUDGET, images * self.BUDGET)
        # 24 bits are what a float32 between 0 and 1 holds exactly.
        self._uniform = (raw >> np.uint64(40)).astype(np.float32).reshape(images, self.BUDGET) * np.float32(2.0**-24)
        self._used = 0

    def uniform(self, low: float, high: float, *shape: int) -> np.ndarray:
        """Numbers between `low` and `high`, (images, *shape) float32."""
        size = int(np.prod(shape, dtype=int))
        taken = self._uniform[:, self._used : self._used + size]
        self._used += size
        return (np.float32(low) + np.float32(high - low) * taken).reshape(len(taken), *shape)

    def choice(self, options: int, *shape: int) -> np.ndarray:
        """Integers from 0 to `options - 1`, (images, *shape) int64."""
        return self.uniform(0, options, *shape).astype(np.int64).clip(max=options - 1)

    def direction(self, *shape: int) -> tuple[np.ndarray, np.ndarray]:
        """The cosines and sines of angles all around the circle, each (images, *shape) float32."""
        return direction(self.uniform(0, 1, *shape))


def direction(turns: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Cosine and sine of 2π·turns, float32: the sine of a quarter turn by its Taylor series, both within 4e-5."""
    quarters = 4 * np.asarray(turns, dtype=np.float64)
    quadrant = np.floor(quarters)
    angle = (quarters - quadrant) * 1.5707963267948966
    square = angle * angle
    series = np.ones_like(angle)
    for product in (156, 110, 72, 42, 20, 6):  # (n − 1)·n for the powers n = 13, 11, … 3
        series = 1 - square / product * series
    sine = (angle * series).clip(0, 1)
    cosine = np.sqrt(1 - sine * sine)
    quadrant = quadrant.astype(np.int64) % 4
    cosines = np.choose(quadrant, [cosine, -sine, -cosine, sine])
    sines = np.choose(quadrant, [sine, cosine, -sine, -cosine])
    return cosines.astype(np.float32), sines.astype(np.float32)
