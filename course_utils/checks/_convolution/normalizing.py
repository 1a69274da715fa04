"""local_response_norm."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import one_of, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided


def normalized(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """By PyTorch, which divides alpha by the size."""
    import torch

    return torch.nn.functional.local_response_norm(tensor(x), size, alpha * size, beta, k).numpy()


def _sums(values, size, mode="constant"):
    """Sums over `size` neighbouring channels; `mode` says what lies outside, as for np.pad."""
    half = size // 2
    wide = np.pad(values, ((0, 0), (half, half), (0, 0), (0, 0)), mode=mode)
    return np.lib.stride_tricks.sliding_window_view(wide, size, axis=1).sum(axis=-1)


def _with(sums):
    """The norm with other sums S, a function of x and size."""

    def wrong(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
        with np.errstate(invalid="ignore"):  # a sum that is no sum of squares may be negative
            return x / (k + alpha * sums(x, size)) ** beta

    return wrong


def _existing(x, size):
    """A mean over the channels that exist, for the sum."""
    return _sums(x**2, size) / _sums(np.ones_like(x), size)


def _over_pixels(x, size):
    """Sums over a size × size neighbourhood of pixels of one channel."""
    half = size // 2
    wide = np.pad(x**2, ((0, 0), (0, 0), (half, half), (half, half)))
    return np.lib.stride_tricks.sliding_window_view(wide, (size, size), axis=(2, 3)).sum(axis=(4, 5))


def _over_images(x, size):
    """Sums over neighbouring examples: axis 0 taken for the channels."""
    return _sums(x.swapaxes(0, 1) ** 2, size).swapaxes(0, 1)


def _before(x, size):
    """The channel itself and those before it."""
    return sum(_moved(x**2, step) for step in range(size))


def _after(x, size):
    return sum(_moved(x**2, -step) for step in range(size))


def _too_short(x, size):
    """A range that ends before its last channel."""
    return _sums(x**2, size) - _moved(x**2, -(size // 2))


def _from_negative_index(x, size):
    """A slice that begins at a negative index for the first channels."""
    half, squares = size // 2, x**2
    return np.stack([squares[:, c - half : c + half + 1].sum(axis=1) for c in range(x.shape[1])], axis=1)


def _moved(values, step):
    """values[:, c − step], and zero where there is no such channel."""
    out = np.zeros_like(values)
    channels = values.shape[1]
    for c in range(channels):
        if 0 <= c - step < channels:
            out[:, c] = values[:, c - step]
    return out


def _added_inside(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    return x / (k + alpha * _sums(x**2, size) ** beta)


def _defaults(x, **settings):
    return normalized(x)


def _cases(rng):
    def case(aspect, images, channels, pixels, scale=1.0, make=lambda array: array, **settings):
        x = scale * (rng.normal(size=(images, channels, *pixels)) + 0.5)
        return Case(aspect, {"x": make(x), **settings})

    strong = {"alpha": 0.6, "beta": 1.0, "k": 1.0}
    return [
        case("neighbours", 2, 7, (3, 2), size=3, **strong),
        case("neighbours", 3, 9, (2, 4), make=strided, size=5, **strong),
        case("first and last channels", 2, 3, (2, 3), size=5, **strong),
        case("first and last channels", 2, 4, (3, 2), size=7, **strong),
        case("alpha, beta and k", 2, 6, (2, 3), size=3, alpha=0.3, beta=0.4, k=1.0),
        case("alpha, beta and k", 2, 7, (3, 2), make=strided, size=5, alpha=1.5, beta=1.3, k=0.5),
        case("alpha, beta and k", 1, 5, (2, 2), size=1, alpha=0.8, beta=0.5, k=3.0),
        case("the paper's values", 2, 8, (2, 3), scale=60.0),
        case("the paper's values", 1, 11, (3, 2), scale=200.0, make=strided),
    ]


local_response_norm = Exercise(
    name="local_response_norm",
    cases=_cases,
    expected=normalized,
    outputs=("out",),
    difficulty=3,
    importance=2,
    minutes=15,
    hints=(
        "Each activation is divided by a number that grows with the activity of its neighbours: the same pixel in the "
        "channels nearby. Everything but the sum of squares is done element by element.",
        "For channel c the sum runs from max(0, c − size // 2) to min(C − 1, c + size // 2), both included. "
        "Pad the squares with size // 2 channels of zeros on either side, and no case is special.",
        "total[:, c] = squares[:, c : c + size].sum(axis=1), where squares is x**2 padded along axis 1. "
        "Then x / (k + alpha * total) ** beta.",
    ),
    misconceptions=(
        Misconception(
            "alpha divided by the size",
            "It looks as if alpha is divided by n, the number of channels in the sum. "
            "PyTorch does that, the paper does not.",
            "Ask yourself: does the paper's formula hold a sum or a mean of squares?",
            lambda x, size=5, alpha=1e-4, **more: normalized(x, size, alpha / size, **more),
        ),
        Misconception(
            "mean over the channels that exist",
            "It looks as if the squares are averaged over the channels that exist, instead of added up.",
            "Ask yourself: should a channel at the edge, with fewer neighbours, be divided by as much as one in the "
            "middle?",
            _with(_existing),
        ),
        Misconception(
            "neighbouring pixels",
            "It looks as if the sum runs over neighbouring pixels of one channel. "
            "It should run over channels at one pixel.",
            "Ask yourself: which axis of x counts the channels?",
            _with(_over_pixels),
        ),
        Misconception(
            "neighbouring images",
            "It looks as if the sum runs along axis 0. That axis counts the images.",
            "Ask yourself: may the other images of the batch change the result for this one?",
            _with(_over_images),
        ),
        Misconception(
            "size channels on each side",
            "It looks as if the sum takes n channels on each side. It should take n in all.",
            "Ask yourself: for n = 5, how many neighbours are there on the left of channel c?",
            _with(lambda x, size: _sums(x**2, 2 * size + 1)),
        ),
        Misconception(
            "last channel left out",
            "It looks as if the sum ends one channel too early.",
            "Ask yourself: does a slice a:b contain element b?",
            _with(_too_short),
        ),
        Misconception(
            "window on one side",
            "It looks as if channel c stands at an end of its window. It should stand in the middle.",
            "Ask yourself: for n = 3, which channels belong to the sum of channel 4?",
            matches=one_of(call_directly, _with(_before), _with(_after)),
        ),
        Misconception(
            "channels wrap around",
            "It looks as if the last channel counts as a neighbour of the first, as with np.roll or negative indices.",
            "Ask yourself: what should be added for a channel that does not exist?",
            _with(lambda x, size: sum(np.roll(x**2, step, axis=1) for step in range(-(size // 2), size // 2 + 1))),
        ),
        Misconception(
            "slice from a negative index",
            "It looks as if the slice of the first channels begins at a negative index. NumPy counts that from the "
            "end.",
            "Ask yourself: what is np.arange(9)[-1:2]?",
            _with(_from_negative_index),
        ),
        Misconception(
            "own channel left out",
            "It looks as if a channel's own square is missing from its sum.",
            "Ask yourself: for n = 1, what does the sum hold?",
            _with(lambda x, size: _sums(x**2, size) - x**2),
        ),
        Misconception(
            "square forgotten",
            "It looks as if the activations are added up as they are. Their squares should be.",
            "Ask yourself: may a neighbour of −3 make the divisor smaller?",
            matches=one_of(call_directly, _with(_sums), _with(lambda x, size: _sums(np.abs(x), size))),
        ),
        Misconception(
            "squared after the sum",
            "It looks as if the sum is squared, not its members.",
            "Ask yourself: what are 3² + (−3)² and (3 + (−3))²?",
            _with(lambda x, size: _sums(x, size) ** 2),
        ),
        Misconception(
            "multiplied instead of divided",
            "It looks as if you multiply by the bracket instead of dividing.",
            "Ask yourself: do active neighbours make a channel's output larger or smaller?",
            lambda x, **settings: x**2 / normalized(x, **settings),
        ),
        Misconception(
            "exponent on the sum alone",
            "It looks as if beta is the exponent of the sum alone, and k is added afterwards.",
            "Ask yourself: what stands inside the bracket that the exponent belongs to?",
            _added_inside,
        ),
        Misconception(
            "exponent forgotten",
            "It looks as if you divide by the bracket itself, without the exponent beta.",
            "Ask yourself: where in your code is beta?",
            lambda x, size=5, alpha=1e-4, beta=0.75, k=2.0: normalized(x, size, alpha, 1.0, k),
        ),
        Misconception(
            "k of PyTorch",
            "It looks as if k is 1, as in PyTorch. Here it is an argument, and 2 in the paper.",
            "Ask yourself: what comes out for a single tiny activation when k = 2?",
            lambda x, size=5, alpha=1e-4, beta=0.75, k=2.0: normalized(x, size, alpha, beta, 1.0),
        ),
        Misconception(
            "the paper's values always",
            "It looks as if size, alpha, beta and k are fixed to the paper's values.",
            "Ask yourself: does your code use the arguments, or numbers written into it?",
            _defaults,
        ),
    ),
)
