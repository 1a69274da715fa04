"""im2col."""

from __future__ import annotations

import numpy as np

from course_utils.checks._convolution.geometry import geometric, pair, right
from course_utils.checks.describe import one_of, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided


def unfolded(x, kernel, stride=1, padding=0):
    """By PyTorch."""
    import torch

    return torch.nn.functional.unfold(tensor(x), pair(kernel), padding=pair(padding), stride=pair(stride)).numpy()


def _of_windows(windows):
    """(N, C, OH, OW, kh, kw) to (N, C·kh·kw, OH·OW)."""
    images, channels, rows, columns, high, wide = windows.shape
    return np.moveaxis(windows, (4, 5), (2, 3)).reshape(images, channels * high * wide, rows * columns)


def _ordered(*order):
    """The columns after the axes (N, C, OH, OW, kh, kw) were put in another order."""

    def wrong(windows):
        images, channels, rows, columns, high, wide = windows.shape
        return windows.transpose(order).reshape(images, channels * high * wide, rows * columns)

    return wrong


def _from_windows(function):
    """A variant for students who have the right windows and lay them out by `function`."""

    def wrong(x, kernel, stride=1, padding=0):
        return function(right(x, pair(kernel), pair(stride), pair(padding), 0.0))

    return wrong


def _cases(rng):
    def case(aspect, images, channels, size, kernel, make=lambda array: array, **settings):
        x = rng.normal(size=(images, channels, *size)) + 0.3
        return Case(aspect, {"x": make(x), "kernel": kernel, **settings})

    return [
        case("one window", 1, 1, (3, 3), 3),
        case("one window", 2, 3, (2, 2), 2, make=strided),
        case("layout", 1, 2, (4, 5), 2),
        case("layout", 3, 2, (5, 4), 3, make=strided),
        case("layout", 2, 3, (4, 6), 2),
        case("stride", 1, 2, (7, 5), 3, stride=2),
        case("stride", 2, 2, (6, 8), 3, stride=2),  # the last step does not fit
        case("stride", 2, 3, (6, 8), 2, stride=2, make=strided),
        case("padding", 1, 2, (4, 6), 3, padding=1),
        case("padding", 2, 2, (3, 4), 2, padding=2, make=strided),
        case("padding", 2, 3, (6, 5), 3, padding=1, stride=2),
        case("pairs", 2, 3, (5, 4), (2, 3)),
        case("pairs", 2, 2, (7, 6), (3, 2), stride=(1, 2), padding=(0, 2)),
        case("pairs", 1, 3, (6, 8), (2, 3), stride=(2, 1), padding=(1, 0), make=strided),
        case("pairs", 2, 2, (5, 7), 3, stride=(2, 3), padding=(2, 1)),
    ]


im2col = Exercise(
    name="im2col",
    cases=_cases,
    expected=unfolded,
    outputs=("columns",),
    builds_on=("conv_output_size",),
    difficulty=3,
    importance=4,
    minutes=20,
    hints=(
        "Each window becomes one column: its numbers in the order channel, row, column. "
        "The columns stand in the order in which the window walks, row by row.",
        "Make an empty (N, C, kh, kw, OH, OW) array. For a place (i, j) of the kernel, its [:, :, i, j] are the pixels "
        "that lie at that place in all windows: a slice of the padded image with steps of the stride. "
        "At last reshape to (N, C·kh·kw, OH·OW).",
        "columns[:, :, i, j] = padded[:, :, i : i + sh*OH : sh, j : j + sw*OW : sw]. Or without loops: "
        "np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw] has the shape "
        "(N, C, OH, OW, kh, kw). Then transpose(0, 1, 4, 5, 2, 3) before you reshape.",
    ),
    misconceptions=(
        Misconception(
            "reshaped without transpose",
            "It looks as if the windows are made into columns by reshape alone. The shape is right, the numbers are in "
            "the wrong places.",
            "Ask yourself: in which order must the six axes stand before the last two become one?",
            _from_windows(_ordered(0, 1, 2, 3, 4, 5)),
        ),
        Misconception(
            "one row for each window",
            "It looks as if your result has one row for each window. Columns were asked for.",
            "Ask yourself: which axis is L, the number of windows?",
            lambda **inputs: unfolded(**inputs).swapaxes(1, 2),
        ),
        Misconception(
            "channels last",
            "It looks as if a column goes through the channels at each pixel. It should hold the whole window of "
            "channel 0 first.",
            "Ask yourself: in row (c · kh + i) · kw + j, which of c, i and j changes slowest?",
            _from_windows(_ordered(0, 4, 5, 1, 2, 3)),
        ),
        Misconception(
            "columns before rows",
            "It looks as if the numbers of a window, or the windows, are in column order instead of row order.",
            "Ask yourself: what comes after the upper left pixel of a window, its right neighbour or the one below?",
            matches=one_of(
                call_directly,
                *(_from_windows(_ordered(*o)) for o in ((0, 1, 5, 4, 2, 3), (0, 1, 4, 5, 3, 2), (0, 1, 5, 4, 3, 2))),
            ),
        ),
        Misconception(
            "images side by side",
            "It looks as if the columns of all images are in one matrix. Here each image has a matrix of its own.",
            "Ask yourself: which shape was asked for, and where in it is N?",
            matches=one_of(
                call_directly,
                lambda **inputs: np.concatenate(list(unfolded(**inputs)), axis=1),
                lambda **inputs: np.moveaxis(unfolded(**inputs), 0, 2).reshape(unfolded(**inputs).shape[1], -1),
            ),
        ),
        Misconception(
            "window reversed",
            "It looks as if each window is turned by 180°.",
            "Ask yourself: which pixel of the window stands in row 0 of the columns?",
            _from_windows(lambda windows: _of_windows(windows[..., ::-1, ::-1])),
        ),
        Misconception(
            "only channel 0",
            "It looks as if the columns hold the first channel alone.",
            "Ask yourself: how many numbers does a window of height kh and width kw hold in C channels?",
            lambda x, **settings: unfolded(x[:, :1], **settings),
        ),
        *geometric(_of_windows),
    ),
)
