"""How windows lie on an image, and the ways in which students lay them wrongly.

Convolution, im2col and pooling differ only in what they do with a window. So their mistakes about stride, padding and
size are described once: `geometric(reduce)` gives them for the operation that `reduce(windows, **others)` computes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from course_utils.checks.describe import one_of
from course_utils.checks.exercise import Misconception, Raises, call_directly

STRIDE_IN_SIZE_ONLY = "stride ignored in the values"
ROUNDED_UP = "size rounded up"
PAST_THE_EDGE = "windows past the edge"
PADDED_ONCE = "padding counted once"
NOT_PADDED = "padding ignored"
NOT_STRIDED = "stride ignored"
SWAPPED = "height and width swapped"
NO_PAIRS = "pair taken for a number"


def pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """(vertical, horizontal) from a number for both or from a pair."""
    vertical, horizontal = np.broadcast_to(value, 2)
    return int(vertical), int(horizontal)


def pad(x: np.ndarray, top: int, bottom: int, left: int, right: int, fill: float = 0.0) -> np.ndarray:
    """An (N, C, H, W) array with a border."""
    return np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=fill)


def slide(x: np.ndarray, kernel: tuple[int, int], stride: tuple[int, int] = (1, 1)) -> np.ndarray:
    """All windows of an (N, C, H, W) array that has its padding already: (N, C, OH, OW, kh, kw)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(2, 3))
    return windows[:, :, :: stride[0], :: stride[1]]


def right(x, kernel, stride, padding, fill):
    """The windows as they should be."""
    (ph, pw) = padding
    return slide(pad(x, ph, ph, pw, pw, fill), kernel, stride)


def _stride_in_the_size_only(x, kernel, stride, padding, fill):
    """The right number of windows, each one pixel after the one before."""
    rows, columns = right(x, kernel, stride, padding, fill).shape[2:4]
    return right(x, kernel, (1, 1), padding, fill)[:, :, :rows, :columns]


def _missing(size, kernel, stride, padding):
    """How many pixels the last step lacks; 0 where all steps fit."""
    return -(size + 2 * padding - kernel) % stride


def _rounded_up(x, kernel, stride, padding, fill):
    (ph, pw) = padding
    down, across = (_missing(*sizes) for sizes in zip(x.shape[2:], kernel, stride, padding, strict=True))
    return slide(pad(x, ph, ph + down, pw, pw + across, fill), kernel, stride)


def _cut_off(x, kernel, stride, padding, fill):
    (ph, pw) = padding
    return _rounded_up(pad(x, ph, ph, pw, pw, fill), kernel, stride, (0, 0), np.nan)


def _padded_before(x, kernel, stride, padding, fill):
    return slide(pad(x, padding[0], 0, padding[1], 0, fill), kernel, stride)


def _padded_after(x, kernel, stride, padding, fill):
    return slide(pad(x, 0, padding[0], 0, padding[1], fill), kernel, stride)


def _size_with_one_padding(x, kernel, stride, padding, fill):
    """Padded on both sides, but the size of the output counts one of them."""
    rows, columns = _padded_before(x, kernel, stride, padding, fill).shape[2:4]
    return right(x, kernel, stride, padding, fill)[:, :, :rows, :columns]


def misfit(x, kernel, stride=1, padding=0):
    """Whether some step does not fit."""
    sizes = zip(x.shape[2:], pair(kernel), pair(stride), pair(padding), strict=True)
    return any(_missing(*size) for size in sizes)


def has_pairs(inputs) -> bool:
    """Whether a stride, a padding or a kernel is given as a pair."""
    return any(isinstance(inputs.get(name), tuple) for name in ("kernel", "stride", "padding"))


def refuses_pairs(function: Callable) -> Callable[..., Any]:
    """`function`, but a `TypeError` where a pair comes in: what `2 * padding + 5` or `range(0, 9, stride)` does."""
    return lambda **inputs: Raises("TypeError") if has_pairs(inputs) else function(**inputs)


def no_pairs(function: Callable) -> Misconception:
    """Names what a student's code does that knows numbers only; `function` is right for them."""
    return Misconception(
        NO_PAIRS,
        "It looks as if your code handles one number for both axes, and a pair makes it fail.",
        "Ask yourself: what does np.broadcast_to(3, 2) give, and what np.broadcast_to((2, 1), 2)?",
        refuses_pairs(function),
    )


def geometric(reduce: Callable[..., Any], fill: float = 0.0, ragged: Sequence[Callable[..., Any]] = ()):
    """The misconceptions about stride, padding and size of an operation.

    `reduce(windows, **others)` computes the operation from windows (N, C, OH, OW, kh, kw), where `others` are the
    inputs but x, kernel, stride and padding. `fill` is what the padding holds. A window cut off at the edge makes most
    code fail; where it does not, `ragged` compute what comes out from windows that hold NaN beyond the edge.
    """

    def of(windowing, reduce=reduce, swap=()):
        def wrong(x, kernel=None, stride=1, padding=0, **others):
            sides = {"kernel": pair(kernel or others["weight"].shape[2:]), "stride": pair(stride)}
            sides["padding"] = pair(padding)
            sides.update((name, sides[name][::-1]) for name in swap)
            return reduce(windowing(x, **sides, fill=fill), **others)

        return wrong

    def without(**settings):
        return lambda **inputs: of(right)(**{**inputs, **settings})

    def breaks(**inputs):
        settings = {name: inputs[name] for name in ("stride", "padding") if name in inputs}
        kernel = inputs["kernel"] if "kernel" in inputs else inputs["weight"].shape[2:]
        return Raises("ValueError") if misfit(inputs["x"], kernel, **settings) else of(right)(**inputs)

    def transposed(**inputs):
        out = of(right)(**inputs)
        if out.ndim != 4:
            raise ValueError("rows and columns of the output are not two axes")
        return out.swapaxes(2, 3)

    swaps = [("stride",), ("padding",), ("stride", "padding"), ("kernel",), ("kernel", "stride", "padding")]
    past_the_edge = Misconception(
        PAST_THE_EDGE,
        "It looks as if your last window hangs over the edge of the image and is cut off. "
        "This happens where the last step does not fit, so the size may be rounded up.",
        "Ask yourself: is your output size rounded down, (H + 2P − k) // stride + 1?",
        breaks,
    )
    return (
        Misconception(
            STRIDE_IN_SIZE_ONLY,
            "It looks as if the stride sets the size of the output but not where each window begins.",
            "Ask yourself: at which input column does the window of output column 1 begin when the stride is 2?",
            of(_stride_in_the_size_only),
        ),
        Misconception(
            NOT_STRIDED,
            "It looks as if the window moves by one pixel each time, whatever the stride.",
            "Ask yourself: how many windows of width 3 fit into 7 columns when the stride is 2?",
            without(stride=1),
        ),
        Misconception(
            ROUNDED_UP,
            "It looks as if the size of the output is rounded up where the last step does not fit.",
            "Ask yourself: may a window hang over the edge of the padded image?",
            matches=one_of(call_directly, of(_rounded_up), *(of(_cut_off, function) for function in ragged)),
        ),
        *(() if ragged else (past_the_edge,)),
        Misconception(
            PADDED_ONCE,
            "It looks as if the padding is counted once for each axis. There are two sides.",
            "Ask yourself: a row of 5 pixels gets padding 1 on the left and on the right; how long is it then?",
            matches=one_of(call_directly, of(_padded_before), of(_padded_after), of(_size_with_one_padding)),
        ),
        Misconception(
            NOT_PADDED,
            "It looks as if the padding is ignored.",
            "Ask yourself: which line of your code makes the image larger?",
            without(padding=0),
        ),
        Misconception(
            SWAPPED,
            "It looks as if vertical and horizontal are swapped somewhere. A pair names the vertical one first.",
            "Ask yourself: which axis of x is the height, and which element of the pair belongs to it?",
            matches=one_of(call_directly, *(of(right, swap=names) for names in swaps), transposed),
        ),
        no_pairs(of(right)),
    )
