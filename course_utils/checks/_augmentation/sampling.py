"""bilinear_sample."""

from __future__ import annotations

import numpy as np

from course_utils.checks._augmentation.reading import bilinear, read_by_torch, sampling_misconceptions
from course_utils.checks.describe import one_of
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided

INSIDE, BORDER, FAR, CENTRES = ("inside the image", "across the border", "far outside", "centres of pixels")


def _points(image, grid):
    _, H, W = image.shape
    return ((grid[..., 1] + 1) * H - 1) / 2, ((grid[..., 0] + 1) * W - 1) / 2


def _read_with(read):
    return lambda image, grid: read(image, *_points(image, grid))


def _at(rows, columns):
    """The image read at the rows and columns that functions of (y, H, W) and (x, H, W) give."""

    def changed(image, grid):
        _, H, W = image.shape
        return bilinear(image, rows(grid[..., 1], H, W), columns(grid[..., 0], H, W))

    return changed


def _cases(rng):
    def case(aspect, C, H, W, height, width, reach, make=lambda array: array):
        """Places up to `reach` pixels beyond the outermost centres (a negative one: inside)."""
        rows = rng.uniform(-reach, H - 1 + reach, (height, width))
        columns = rng.uniform(-reach, W - 1 + reach, (height, width))
        grid = np.stack([(2 * columns + 1) / W - 1, (2 * rows + 1) / H - 1], axis=-1)
        return Case(aspect, {"image": make(rng.uniform(size=(C, H, W))), "grid": make(grid)})

    def centres(C, H, W):
        """Each pixel once, in another order; the values are right within the rounding of the places."""
        x, y = np.meshgrid((2 * np.arange(W) + 1) / W - 1, (2 * np.arange(H) + 1) / H - 1)
        places = np.stack([x, y], axis=-1).reshape(-1, 2)
        grid = rng.permutation(places).reshape(H, W, 2)
        return Case(CENTRES, {"image": rng.uniform(size=(C, H, W)), "grid": grid})

    far = rng.choice([-3e3, -40.0, 7.5, 900.0], size=(4, 5, 2))
    far[rng.integers(4), rng.integers(5)] = (0.1, -0.2)
    return [
        case(INSIDE, 2, 5, 7, 4, 6, 0),
        case(INSIDE, 3, 6, 4, 3, 5, 0, make=strided),
        centres(2, 4, 6),
        case(BORDER, 3, 4, 6, 5, 7, 2),
        case(BORDER, 2, 7, 3, 6, 4, 2, make=strided),
        case(BORDER, 2, 1, 5, 3, 8, 2),
        Case(FAR, {"image": rng.uniform(size=(2, 5, 6)), "grid": far}),
    ]


bilinear_sample = Exercise(
    name="bilinear_sample",
    cases=_cases,
    expected=read_by_torch,
    outputs=("out",),
    difficulty=3,
    importance=4,
    minutes=20,
    hints=(
        "Two steps: from places between −1 and 1 to rows and columns in pixels, then a mixture of the four pixels "
        "around each point.",
        "grid[..., 0] is x and goes with W; grid[..., 1] is y and goes with H. rows and columns are (height, width), "
        "and image[:, i, j] with such arrays of whole numbers is (C, height, width).",
        "columns = ((grid[..., 0] + 1) * W − 1) / 2. For i in (top, top + 1) and j in (left, left + 1), add "
        "(1 − |rows − i|)·(1 − |columns − j|)·image[:, i, j] wherever i and j are inside.",
    ),
    misconceptions=(
        Misconception(
            "x and y swapped",
            "It looks as if grid[..., 0] is read as the row. The grid holds x before y.",
            "Ask yourself: does x run along the rows or along the columns of an image?",
            lambda image, grid: _read_with(bilinear)(image, grid[..., ::-1]),
        ),
        Misconception(
            "corners aligned",
            "It looks as if −1 and 1 are the centres of the outermost pixels (align_corners=True). Here they are the "
            "edges of the image.",
            "Ask yourself: in an image of 2 pixels side by side, is the first one's centre at −1 or at −1/2?",
            _at(lambda y, H, W: (y + 1) / 2 * (H - 1), lambda x, H, W: (x + 1) / 2 * (W - 1)),
        ),
        Misconception(
            "half a pixel off",
            "It looks as if the half pixel is missing: the left edge of the image is column −1/2, not column 0.",
            "Ask yourself: at x = −1 + 1/W, the centre of the first pixel, which column does your formula give?",
            _at(lambda y, H, W: (y + 1) / 2 * H, lambda x, H, W: (x + 1) / 2 * W),
        ),
        Misconception(
            "half a pixel to the wrong side",
            "It looks as if the half pixel is added. It has to be taken away.",
            "Ask yourself: at x = −1 + 1/W, the centre of the first pixel, which column does your formula give?",
            _at(lambda y, H, W: ((y + 1) * H + 1) / 2, lambda x, H, W: ((x + 1) * W + 1) / 2),
        ),
        Misconception(
            "height and width swapped",
            "It looks as if x is multiplied by the height and y by the width.",
            "Ask yourself: how many pixels lie between x = −1 and x = 1?",
            _at(lambda y, H, W: ((y + 1) * W - 1) / 2, lambda x, H, W: ((x + 1) * H - 1) / 2),
        ),
        Misconception(
            "places read as pixels",
            "It looks as if the numbers of the grid are used as rows and columns. They run from −1 to 1.",
            "Ask yourself: which pixel is at x = 0, y = 0?",
            _at(lambda y, H, W: y, lambda x, H, W: x),
        ),
        Misconception(
            "places from 0 to 1",
            "It looks as if 0 is taken for the left edge of the image. That is −1; 0 is the middle.",
            "Ask yourself: which pixel is at x = 0, y = 0?",
            matches=one_of(
                call_directly,
                _at(lambda y, H, W: y * H - 0.5, lambda x, H, W: x * W - 0.5),
                _at(lambda y, H, W: y * H, lambda x, H, W: x * W),
                _at(lambda y, H, W: y * (H - 1), lambda x, H, W: x * (W - 1)),
            ),
        ),
        *sampling_misconceptions(_read_with),
    ),
)
