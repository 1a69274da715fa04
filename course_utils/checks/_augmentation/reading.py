"""Reading an image between its pixels: PyTorch's way, and the wrong ways that `warp` and `bilinear_sample` share."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import tensor
from course_utils.checks.exercise import Misconception


def read_by_torch(image, grid):
    """The (C, height, width) values of a (C, H, W) image at the places of a (height, width, 2) grid."""
    import torch

    found = torch.nn.functional.grid_sample(
        tensor(image)[None], tensor(grid)[None], mode="bilinear", padding_mode="zeros", align_corners=False
    )
    return found[0].numpy()


# --- one step of it exchanged ---------------------------------------------------------------------------------------


def _pixels(image, i, j):
    """The pixels (i, j), which are 0 outside."""
    _, H, W = image.shape
    inside = (i >= 0) & (i < H) & (j >= 0) & (j < W)
    return np.where(inside, image[:, np.clip(i, 0, H - 1).astype(int), np.clip(j, 0, W - 1).astype(int)], 0.0)


def bilinear(image, rows, columns, whole=np.floor, pixels=_pixels, shares=lambda t, s: (t, s)):
    """Values at points given in pixels. `shares` changes the shares of the way to the next row and column."""
    i, j = whole(rows), whole(columns)
    t, s = shares(rows - i, columns - j)
    return (
        (1 - t) * (1 - s) * pixels(image, i, j)
        + (1 - t) * s * pixels(image, i, j + 1)
        + t * (1 - s) * pixels(image, i + 1, j)
        + t * s * pixels(image, i + 1, j + 1)
    )


def nearest(image, rows, columns):
    return _pixels(image, np.rint(rows), np.rint(columns))


def upper_left(image, rows, columns):
    return _pixels(image, np.floor(rows), np.floor(columns))


def weights_flipped(image, rows, columns):
    return bilinear(image, rows, columns, shares=lambda t, s: (1 - t, 1 - s))


def shares_exchanged(image, rows, columns):
    return bilinear(image, rows, columns, shares=lambda t, s: (s, t))


def truncated(image, rows, columns):
    return bilinear(image, rows, columns, whole=np.trunc)


def _wrapped_pixels(image, i, j):
    _, H, W = image.shape
    return image[:, i.astype(int) % H, j.astype(int) % W]


def wrapped(image, rows, columns):
    return bilinear(image, rows, columns, pixels=_wrapped_pixels)


def edges_repeated(image, rows, columns):
    _, H, W = image.shape
    return bilinear(image, np.clip(rows, 0, H - 1), np.clip(columns, 0, W - 1))


def all_or_nothing(image, rows, columns):
    _, H, W = image.shape
    inside = (rows >= 0) & (rows <= H - 1) & (columns >= 0) & (columns <= W - 1)
    return np.where(inside, bilinear(image, rows, columns), 0.0)


def first_channel_only(image, rows, columns):
    return np.repeat(bilinear(image[:1], rows, columns), len(image), axis=0)


def sampling_misconceptions(read_with):
    """Mistakes after the points are known; `read_with(read)` is the exercise done with another way of reading."""
    return (
        Misconception(
            "nearest pixel",
            "It looks as if the nearest pixel is taken whole. Bilinear means a mixture of four.",
            "Ask yourself: what should stand halfway between a pixel of 0 and one of 1?",
            read_with(nearest),
        ),
        Misconception(
            "upper left pixel",
            "It looks as if the point is cut to whole numbers and the pixel there is taken whole.",
            "Ask yourself: at row 2.9, does row 2 alone tell what is there?",
            read_with(upper_left),
        ),
        Misconception(
            "weights the wrong way round",
            "It looks as if the farther pixel gets the larger weight: t stands where 1 − t belongs.",
            "Ask yourself: at row 2.1, t is 0.1. Which of rows 2 and 3 should count 0.9?",
            read_with(weights_flipped),
        ),
        Misconception(
            "shares exchanged",
            "It looks as if t and s have changed places: the share between the rows weighs the columns.",
            "Ask yourself: at row 2.1 and column 5, how much of row 3 should be mixed in, and how much of column 6?",
            read_with(shares_exchanged),
        ),
        Misconception(
            "rounded towards zero",
            "It looks as if points are cut with int(). Of −0.3 that makes 0, and a share t of −0.3.",
            "Ask yourself: which whole number is just below −0.3, and what does int(−0.3) give?",
            read_with(truncated),
        ),
        Misconception(
            "edge pixels repeated",
            "It looks as if points outside are moved to the nearest pixel at the border. Outside, everything is 0.",
            "Ask yourself: what should a point far outside the image give?",
            read_with(edges_repeated),
        ),
        Misconception(
            "wrapped around",
            "It looks as if what leaves the image on one side comes in on the other. An index of −1 is the last pixel.",
            "Ask yourself: what does image[:, -1] give in NumPy, and is that pixel above row 0?",
            read_with(wrapped),
        ),
        Misconception(
            "all or nothing at the border",
            "It looks as if every point beyond the centre of the last pixel gives 0. A pixel outside counts as 0; the "
            "ones inside still count.",
            "Ask yourself: at row −0.25, row −1 is outside. What is the weight of row 0?",
            read_with(all_or_nothing),
        ),
        Misconception(
            "first channel for all",
            "It looks as if every channel of the result is read from channel 0.",
            "Ask yourself: which index of the image is the channel, and where is it in your code?",
            read_with(first_channel_only),
        ),
    )
