"""max_pool2d_forward and avg_pool2d_forward."""

from __future__ import annotations

import numpy as np

from course_utils.checks._convolution.geometry import geometric, pair, right
from course_utils.checks.describe import one_of, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided

WINDOW = (4, 5)  # the axes of a window in (N, C, OH, OW, kh, kw)


def max_pooled(x, kernel, stride, padding=0):
    """By PyTorch."""
    import torch

    return torch.nn.functional.max_pool2d(tensor(x), pair(kernel), pair(stride), pair(padding)).numpy()


def avg_pooled(x, kernel, stride, padding=0):
    """By PyTorch."""
    import torch

    return torch.nn.functional.avg_pool2d(tensor(x), pair(kernel), pair(stride), pair(padding)).numpy()


def _pooled(function, fill=0.0):
    """A variant that applies `function` to the windows (N, C, OH, OW, kh, kw)."""

    def wrong(x, kernel, stride, padding=0):
        return function(right(x, pair(kernel), pair(stride), pair(padding), fill))

    return wrong


def _mean_inside(windows):
    """The mean over the places that do not hold NaN."""
    with np.errstate(invalid="ignore"):
        return np.nansum(windows, axis=WINDOW) / np.isfinite(windows).sum(axis=WINDOW)


def _cases(shift):
    """Cases for either kind of pooling; `shift` is added to x."""

    def cases(rng):
        def case(aspect, images, channels, size, kernel, stride, make=lambda array: array, **settings):
            x = rng.normal(size=(images, channels, *size)) + shift
            return Case(aspect, {"x": make(x), "kernel": kernel, "stride": stride, **settings})

        return [
            case("windows side by side", 2, 3, (4, 6), 2, 2),
            case("windows side by side", 3, 2, (6, 9), 3, 3, make=strided),
            case("overlapping windows", 2, 2, (7, 9), 3, 2),
            case("overlapping windows", 2, 3, (4, 5), 2, 1, make=strided),
            case("steps that do not fit", 2, 2, (6, 8), 3, 2),
            case("steps that do not fit", 1, 3, (8, 5), 2, 3, make=strided),
            case("padding", 2, 2, (5, 7), 3, 2, padding=1),
            case("padding", 2, 3, (4, 6), 2, 2, padding=1, make=strided),
            case("padding", 1, 2, (4, 5), 4, 1, padding=2),
            case("pairs", 3, 2, (6, 4), (3, 2), (3, 2)),
            case("pairs", 2, 2, (6, 7), (3, 2), (1, 2)),
            case("pairs", 2, 3, (7, 6), (2, 4), (2, 1), padding=(1, 2), make=strided),
            case("pairs", 1, 2, (6, 8), 3, (3, 2), padding=(0, 1)),
        ]

    return cases


NOT_OVERLAPPING = "kernel taken for the stride"
ONE_FOR_ALL = "channels pooled together"


def _not_overlapping(oracle):
    return Misconception(
        NOT_OVERLAPPING,
        "It looks as if windows always lie side by side, as if the stride were the size of the kernel.",
        "Ask yourself: with kernel 3 and stride 2, which columns do the first two windows share?",
        lambda x, kernel, stride, padding=0: oracle(x, kernel, kernel, padding),
    )


def _channels_together(oracle, function):
    """`function` is NumPy's np.max or np.mean."""
    return Misconception(
        ONE_FOR_ALL,
        "It looks as if a window covers all channels at once. Pooling treats each channel by itself.",
        "Ask yourself: how many channels should come out when 3 go in?",
        matches=one_of(
            call_directly,
            lambda **inputs: function(oracle(**inputs), axis=1),
            lambda **inputs: function(oracle(**inputs), axis=1, keepdims=True),
        ),
    )


def _farthest(largest, smallest):
    return np.where(np.abs(largest) >= np.abs(smallest), largest, smallest)


# --- max_pool2d_forward -----------------------------------------------------------------------------------------

max_pool2d_forward = Exercise(
    name="max_pool2d_forward",
    cases=_cases(shift=-1.5),  # mostly negative, so that a zero would win
    expected=max_pooled,
    outputs=("out",),
    builds_on=("conv_output_size", "im2col"),
    difficulty=2,
    importance=4,
    minutes=10,
    hints=(
        "The windows lie as in a convolution. Only what is done with a window differs: its largest number is taken, "
        "in each channel by itself.",
        "Pad the height and the width by hand: np.pad(x, …, constant_values=-np.inf). Then there are "
        "(H + 2P − kh) // s + 1 rows of windows, and the one of output row r begins at row r · s.",
        "out[:, :, r, s] = padded[:, :, r*sh : r*sh+kh, s*sw : s*sw+kw].max(axis=(2, 3)). Or without loops: "
        "np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw].max(axis=(4, 5)).",
    ),
    misconceptions=(
        Misconception(
            "padded with zero",
            "It looks as if the padding is zero. Where all pixels of a window are negative, the padding wins.",
            "Ask yourself: which number is smaller than every pixel?",
            _pooled(lambda windows: windows.max(axis=WINDOW)),
        ),
        Misconception(
            "maximum starts at 0",
            "It looks as if the search for the maximum starts with 0. No negative number can win then.",
            "Ask yourself: what is the maximum of −3 and −2, and what does your code say?",
            lambda **inputs: np.maximum(max_pooled(**inputs), 0.0),
        ),
        Misconception(
            "mean instead of maximum",
            "It looks as if you take the mean of each window.",
            "Ask yourself: which of the two does max pooling keep, the average or the largest?",
            matches=one_of(
                call_directly,
                avg_pooled,
                _pooled(_mean_inside, np.nan),
                _pooled(lambda windows: windows.mean(axis=WINDOW), -np.inf),
            ),
        ),
        Misconception(
            "largest magnitude",
            "It looks as if the number that is farthest from zero wins, or its absolute value.",
            "Ask yourself: which is larger, −3 or −2?",
            matches=one_of(
                call_directly,
                lambda x, **settings: max_pooled(np.abs(x), **settings),
                lambda x, **settings: _farthest(max_pooled(x, **settings), -max_pooled(-x, **settings)),
            ),
        ),
        _channels_together(max_pooled, np.max),
        _not_overlapping(max_pooled),
        *geometric(
            lambda windows: windows.max(axis=WINDOW),
            -np.inf,
            ragged=[lambda windows: np.fmax.reduce(windows, axis=WINDOW)],
        ),
    ),
)


# --- avg_pool2d_forward -----------------------------------------------------------------------------------------

avg_pool2d_forward = Exercise(
    name="avg_pool2d_forward",
    cases=_cases(shift=0.7),
    expected=avg_pooled,
    outputs=("out",),
    builds_on=("conv_output_size", "im2col"),
    difficulty=2,
    importance=3,
    minutes=5,
    hints=(
        "As max pooling, with two differences: the padding is zero, and the mean is taken.",
        "The mean is over all kh · kw places of the window, those in the padding among them. "
        "A window in a corner has fewer pixels and the same divisor.",
        "padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw))), which adds zeros. Then "
        "padded[:, :, r*sh : r*sh+kh, s*sw : s*sw+kw].mean(axis=(2, 3)) for each place (r, s) of the output.",
    ),
    misconceptions=(
        Misconception(
            "divided by the pixels inside",
            "It looks as if a window at the edge is divided by the number of its pixels inside the image. "
            "Here the padding counts as well.",
            "Ask yourself: by which number does the text divide every sum?",
            _pooled(_mean_inside, np.nan),
        ),
        Misconception(
            "sum instead of mean",
            "It looks as if you add up each window and do not divide.",
            "Ask yourself: what should come out when every pixel is 1?",
            _pooled(lambda windows: windows.sum(axis=WINDOW)),
        ),
        Misconception(
            "divided by one side",
            "It looks as if the sum is divided by the height or the width of the window, not by their product.",
            "Ask yourself: how many pixels does a window of 3 × 2 hold?",
            matches=one_of(
                call_directly,
                _pooled(lambda windows: windows.sum(axis=WINDOW) / windows.shape[4]),
                _pooled(lambda windows: windows.sum(axis=WINDOW) / windows.shape[5]),
            ),
        ),
        Misconception(
            "side squared",
            "It looks as if the sum is divided by the square of one side. This window is not square.",
            "Ask yourself: how many pixels does a window of 3 × 2 hold?",
            matches=one_of(
                call_directly,
                _pooled(lambda windows: windows.sum(axis=WINDOW) / windows.shape[4] ** 2),
                _pooled(lambda windows: windows.sum(axis=WINDOW) / windows.shape[5] ** 2),
            ),
        ),
        Misconception(
            "maximum instead of mean",
            "It looks as if you take the largest number of each window.",
            "Ask yourself: what should come out for a window of 1, 2, 3 and 6?",
            matches=one_of(call_directly, max_pooled, _pooled(lambda windows: windows.max(axis=WINDOW))),
        ),
        _channels_together(avg_pooled, np.mean),
        _not_overlapping(avg_pooled),
        *geometric(
            lambda windows: windows.mean(axis=WINDOW),
            ragged=[
                _mean_inside,
                lambda windows: np.nansum(windows, axis=WINDOW) / (windows.shape[4] * windows.shape[5]),
            ],
        ),
    ),
)
