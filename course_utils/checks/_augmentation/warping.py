"""warp."""

from __future__ import annotations

import numpy as np

from course_utils.checks._augmentation.reading import bilinear, read_by_torch, sampling_misconceptions
from course_utils.checks.describe import one_of
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided

WHOLE, BETWEEN, BORDER, FAR, STILL = (
    "whole pixels",
    "between the pixels",
    "across the border",
    "far outside",
    "a field of zeros",
)


def warped(image, field):
    """By PyTorch: the field's points as places of a grid."""
    _, H, W = image.shape
    rows, columns = _points(field, H, W)
    return read_by_torch(image, np.stack([(2 * columns + 1) / W - 1, (2 * rows + 1) / H - 1], axis=-1))


def _points(field, H, W, sign=1):
    return np.arange(H)[:, None] + sign * field[0], np.arange(W) + sign * field[1]


def _read_with(read):
    return lambda image, field: read(image, *_points(field, *image.shape[1:]))


def _wrong_way(image, field):
    return bilinear(image, *_points(field, *image.shape[1:], sign=-1))


def _half_off(by):
    return lambda image, field: bilinear(image, *(p + by for p in _points(field, *image.shape[1:])))


def _pushed_whole(image, field):
    """Every pixel sent to the pixel nearest to its end; the last one to arrive stays."""
    _, H, W = image.shape
    rows, columns = (np.rint(p).astype(int) for p in _points(field, H, W))
    out = np.zeros(image.shape)
    for y, x in np.ndindex(H, W):
        if 0 <= rows[y, x] < H and 0 <= columns[y, x] < W:
            out[:, rows[y, x], columns[y, x]] = image[:, y, x]
    return out


def _pushed_in_parts(image, field):
    """Every pixel shared out among the four around its end, where the shares add up."""
    C, H, W = image.shape
    rows, columns = _points(field, H, W)
    out = np.zeros(image.shape)
    for i in (np.floor(rows), np.floor(rows) + 1):
        for j in (np.floor(columns), np.floor(columns) + 1):
            weight = (1 - np.abs(rows - i)) * (1 - np.abs(columns - j))
            inside = (i >= 0) & (i < H) & (j >= 0) & (j < W)
            for c in range(C):
                np.add.at(out[c], (i[inside].astype(int), j[inside].astype(int)), (weight * image[c])[inside])
    return out


def _cases(rng):
    def case(aspect, C, H, W, rows, columns, make=lambda array: array):
        """The field that reads at the given rows and columns."""
        field = np.stack([rows - np.arange(H)[:, None], columns - np.arange(W)])
        return Case(aspect, {"image": make(rng.uniform(size=(C, H, W))), "field": make(field)})

    def around(aspect, C, H, W, **more):
        """Points from two pixels before the image to two pixels behind it."""
        return case(aspect, C, H, W, rng.uniform(-2, H + 1, (H, W)), rng.uniform(-2, W + 1, (H, W)), **more)

    def between(aspect, C, H, W, **more):
        return case(aspect, C, H, W, rng.uniform(0, H - 1, (H, W)), rng.uniform(0, W - 1, (H, W)), **more)

    far = rng.choice([-3e4, -90.0, 80.5, 5e3], size=(2, 5, 6))
    far[:, rng.integers(5), rng.integers(6)] = 0.25  # one point stays inside
    return [
        case(WHOLE, 3, 4, 7, rng.integers(4, size=(4, 7)), rng.integers(7, size=(4, 7))),
        between(BETWEEN, 2, 5, 5),
        between(BETWEEN, 3, 4, 6, make=strided),
        around(BORDER, 2, 4, 6),
        around(BORDER, 1, 6, 3, make=strided),
        around(BORDER, 3, 1, 8),
        Case(FAR, {"image": rng.uniform(size=(2, 5, 6)), "field": far}),
        Case(STILL, {"image": rng.uniform(size=(3, 4, 5)), "field": np.zeros((2, 4, 5))}),
    ]


warp = Exercise(
    name="warp",
    cases=_cases,
    expected=warped,
    outputs=("out",),
    fresh=True,
    difficulty=4,
    importance=4,
    minutes=30,
    hints=(
        "Go through the pixels of the result, not of the image: each asks where its value lies. So none stays empty.",
        "rows = np.arange(H)[:, None] + field[0] and columns = np.arange(W) + field[1] are (H, W). Each point has four "
        "pixels around it, from np.floor; image[:, i, j] with (H, W) arrays of whole numbers is (C, H, W).",
        "For i in (top, top + 1) and j in (left, left + 1), add weight · pixel with weight = (1 − |rows − i|)·"
        "(1 − |columns − j|), set to 0 where i or j is outside, and the indices there set to 0 before you use them.",
    ),
    misconceptions=(
        Misconception(
            "dx and dy swapped",
            "It looks as if field[0] moves along the columns and field[1] along the rows.",
            "Ask yourself: field is (dy, dx). Which axis of the image is y?",
            lambda image, field: _read_with(bilinear)(image, field[::-1]),
        ),
        Misconception(
            "minus the field",
            "It looks as if you read at y − dy and x − dx. The field points to where a value comes from.",
            "Ask yourself: with dy = 1 everywhere, which row of the image should row 0 of the result show?",
            _wrong_way,
        ),
        Misconception(
            "pixels pushed",
            "It looks as if you send each pixel of the image to y + dy, x + dx. Then some places get several pixels, "
            "and others none.",
            "Ask yourself: does the loop go over the pixels of the image or over those of the result?",
            matches=one_of(call_directly, _pushed_whole, _pushed_in_parts),
        ),
        Misconception(
            "half a pixel off",
            "It looks as if the image is read half a pixel away. Row y and column x are pixel (y, x) itself.",
            "Ask yourself: with a field of zeros, is the result the image?",
            matches=one_of(call_directly, _half_off(0.5), _half_off(-0.5)),
        ),
        Misconception(
            "one direction left out",
            "It looks as if only dy is used, or only dx.",
            "Ask yourself: where in your code are field[0] and field[1]?",
            matches=one_of(
                call_directly,
                lambda image, field: _read_with(bilinear)(image, field * np.array([1.0, 0.0])[:, None, None]),
                lambda image, field: _read_with(bilinear)(image, field * np.array([0.0, 1.0])[:, None, None]),
            ),
        ),
        Misconception(
            "field taken for places",
            "It looks as if dy and dx themselves are the row and the column. They count from the pixel's own place.",
            "Ask yourself: with a field of zeros, where does the pixel in row 3 and column 4 come from?",
            lambda image, field: bilinear(image, *field),
        ),
        *sampling_misconceptions(_read_with),
    ),
)
