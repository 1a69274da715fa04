"""max_pool2d_backward.

Where pixels tie for a maximum, the text leaves open who gets its gradient: any one of them, or all in shares. So what
is judged are bounds. Each window adds its gradient to the bounds of its only maximum; where several tie, it widens
them. Without ties the bounds are the gradient itself. That nothing is counted twice shows in the sums over an image.
"""

from __future__ import annotations

import numpy as np

from course_utils.checks._convolution.geometry import STRIDE_IN_SIZE_ONLY, no_pairs, pad, pair, right, slide
from course_utils.checks._convolution.gradients import cropped
from course_utils.checks.compare import difference
from course_utils.checks.describe import one_of, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided

OUTPUTS = ("grad_x",)
WINDOW = (4, 5)  # the axes of a window in (N, C, OH, OW, kh, kw)


def max_pool_gradient(grad_out, x, kernel, stride, padding=0):
    """By PyTorch; of tied pixels it takes one."""
    import torch

    leaf = tensor(x, True)
    out = torch.nn.functional.max_pool2d(leaf, pair(kernel), pair(stride), pair(padding))
    return torch.autograd.grad(out, leaf, tensor(grad_out))[0].numpy()


def handed_back(share, x, kernel, stride, padding, fill=-np.inf, combine=np.add):
    """An image of x's shape that collects what each window gives to its places.

    `share(windows)` says what: an array (N, C, OH, OW, kh, kw) for the windows of x, padded with `fill`.
    `combine(collected, given)` is the sum, unless something is wrong.
    """
    (kh, kw), (sh, sw), (ph, pw) = pair(kernel), pair(stride), pair(padding)
    given = share(right(x, (kh, kw), (sh, sw), (ph, pw), fill))
    rows, columns = given.shape[2:4]
    collected = pad(np.zeros(x.shape), ph, ph, pw, pw)
    for i, j in np.ndindex(kh, kw):
        here = np.s_[:, :, i : i + sh * rows : sh, j : j + sw * columns : sw]
        collected[here] = combine(collected[here], given[..., i, j])
    return cropped(collected, x, (ph, pw))


def _wins(windows):
    return windows == windows.max(axis=WINDOW, keepdims=True)


def bounds(grad_out, x, kernel, stride, padding=0):
    """(lowest, highest): between which numbers the gradient of each pixel must lie."""
    upstream = grad_out[..., None, None]

    def limit(extreme):
        def share(windows):
            wins = _wins(windows)
            alone = wins.sum(axis=WINDOW, keepdims=True) == 1
            return wins * np.where(alone, upstream, extreme(upstream, 0.0))

        return handed_back(share, x, kernel, stride, padding)

    return limit(np.minimum), limit(np.maximum)


def _verify(case, outputs):
    lowest, highest = bounds(**case.inputs)
    # What is wrong with shape, type, and pixels beyond their bounds; within them any number is as good as any other.
    given = outputs if isinstance(outputs, np.ndarray) and outputs.shape == lowest.shape else lowest
    found = difference(np.clip(given.astype(float), lowest, highest), outputs, OUTPUTS)
    if found:
        return found
    total, wanted = outputs.sum(axis=(2, 3)), case.inputs["grad_out"].sum(axis=(2, 3))
    found = difference(wanted, total, ("sum",))
    return f"summed over each image and channel, grad_x and grad_out differ: {found}" if found else None


def _shared_out(share, fill=-np.inf, combine=np.add):
    """A variant in which `share(windows, upstream)` is what each window gives back."""

    def wrong(grad_out, x, kernel, stride, padding=0):
        upstream = grad_out[..., None, None]
        return handed_back(lambda windows: share(windows, upstream), x, kernel, stride, padding, fill, combine)

    return wrong


def _first_wins(windows):
    """True at the first maximum of each window."""
    flat = windows.reshape(*windows.shape[:4], -1)
    return (flat.argmax(axis=-1)[..., None] == np.arange(flat.shape[-1])).reshape(windows.shape)


def _last_window(grad_out, x, kernel, stride, padding=0):
    """= for +=, in loops over the windows, each of which writes to its winner alone."""
    (kh, kw), (sh, sw), (ph, pw) = pair(kernel), pair(stride), pair(padding)
    wins = _first_wins(right(x, (kh, kw), (sh, sw), (ph, pw), -np.inf))
    grad = pad(np.zeros(x.shape), ph, ph, pw, pw)
    for r, s in np.ndindex(grad_out.shape[2:]):
        place = grad[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw]
        np.copyto(place, grad_out[:, :, r, s, None, None], where=wins[:, :, r, s])
    return cropped(grad, x, (ph, pw))


def _last_whole_window(winners):
    """= for +=, in loops over the windows, each of which writes to all of its pixels; `winners` says who gets what."""

    def wrong(grad_out, x, kernel, stride, padding=0):
        (kh, kw), (sh, sw), (ph, pw) = pair(kernel), pair(stride), pair(padding)
        wins = winners(right(x, (kh, kw), (sh, sw), (ph, pw), -np.inf))
        grad = pad(np.zeros(x.shape), ph, ph, pw, pw)
        for r, s in np.ndindex(grad_out.shape[2:]):
            share = grad_out[:, :, r, s, None, None] * wins[:, :, r, s]
            grad[:, :, r * sh : r * sh + kh, s * sw : s * sw + kw] = share
        return cropped(grad, x, (ph, pw))

    return wrong


def _equal_shares(windows):
    wins = _wins(windows)
    return wins / wins.sum(axis=WINDOW, keepdims=True)


def _dense(grad_out, x, kernel, stride, padding=0):
    """Window r begins at row r, not at r · stride."""
    (kh, kw), (ph, pw) = pair(kernel), pair(padding)
    padded, (rows, columns) = pad(x, ph, ph, pw, pw, -np.inf), grad_out.shape[2:]
    given = _first_wins(slide(padded, (kh, kw))[:, :, :rows, :columns]) * grad_out[..., None, None]
    grad = np.zeros(padded.shape)
    for i, j in np.ndindex(kh, kw):
        grad[:, :, i : i + rows, j : j + columns] += given[..., i, j]
    return cropped(grad, x, (ph, pw))


def _uncropped(grad_out, x, kernel, stride, padding=0):
    (ph, pw) = pair(padding)
    return max_pool_gradient(grad_out, pad(x, ph, ph, pw, pw, -np.inf), kernel, stride)


def _first_corner(grad_out, x, kernel, stride, padding=0):
    return _uncropped(grad_out, x, kernel, stride, padding)[:, :, : x.shape[2], : x.shape[3]]


def _minus_zero(grad_out, x, kernel, stride, padding=0):
    (ph, pw) = pair(padding)
    return _uncropped(grad_out, x, kernel, stride, padding)[:, :, ph:-ph, pw:-pw]


def _cases(rng):
    def case(aspect, images, channels, size, kernel, stride, tied=False, make=lambda array: array, **settings):
        x = rng.normal(size=(images, channels, *size)) - 1.0
        if tied:  # whole numbers from a few, and no window without a tie in the first channel
            x = np.round(x)
            x[:, 0] = x[:, 0].max()
        kernels, strides, paddings = pair(kernel), pair(stride), pair(settings.get("padding", 0))
        shape = right(x, kernels, strides, paddings, 0.0).shape[:4]
        grad_out = rng.uniform(0.2, 0.9, size=shape) * (1.0 if tied else rng.choice([-2.0, 1.0], size=shape))
        inputs = {"grad_out": make(grad_out), "x": make(x), "kernel": kernel, "stride": stride, **settings}
        return Case(aspect, inputs)

    return [
        case("windows side by side", 2, 3, (4, 6), 2, 2),
        case("windows side by side", 3, 2, (7, 5), 2, 2, make=strided),
        case("overlapping windows", 2, 2, (7, 9), 3, 2),
        case("overlapping windows", 2, 3, (5, 6), 3, 1, make=strided),
        case("padding", 2, 2, (6, 8), 2, 2, padding=1),
        case("padding", 2, 2, (5, 7), 3, 2, padding=1, make=strided),
        case("padding", 1, 2, (4, 5), 4, 1, padding=2),
        case("tied maxima", 2, 2, (4, 6), 2, 2, tied=True),
        case("tied maxima", 1, 3, (5, 7), 3, 2, tied=True, make=strided),
        case("pairs", 3, 2, (7, 5), (3, 2), (3, 2)),
        case("pairs", 2, 2, (6, 7), (3, 2), (1, 2)),
        case("pairs", 2, 3, (7, 6), (2, 4), (2, 1), padding=(1, 2), make=strided),
        case("pairs", 1, 2, (6, 8), 3, (3, 2), padding=(0, 1)),
    ]


max_pool2d_backward = Exercise(
    name="max_pool2d_backward",
    cases=_cases,
    verify=_verify,
    stand_in=lambda: max_pool_gradient,
    outputs=OUTPUTS,
    builds_on=("max_pool2d_forward", "im2col"),
    difficulty=4,
    importance=4,
    minutes=25,
    hints=(
        "Only the largest pixel of a window had a say in its output. If it grows a little, the output grows as much; "
        "the others change nothing. So a window's gradient goes to its maximum alone.",
        "Find the maximum of each window again, from x, padded as in the forward pass. Collect in an array of the "
        "padded shape, and cut the padding off at the end. A pixel that wins in two windows receives two gradients.",
        "For each place (r, s) of the output take window = padded[n, c, r*sh : r*sh+kh, s*sw : s*sw+kw], then "
        "i, j = np.unravel_index(window.argmax(), window.shape) and grad_padded[n, c, r*sh + i, s*sw + j] += "
        "grad_out[n, c, r, s].",
    ),
    misconceptions=(
        Misconception(
            "ties counted twice",
            "It looks as if every pixel that equals the maximum gets the whole gradient of the window.",
            "Ask yourself: if both of two equal pixels grow by 1, does the maximum grow by 1 or by 2?",
            _shared_out(lambda windows, upstream: _wins(windows) * upstream),
        ),
        Misconception(
            "overlaps overwritten",
            "It looks as if a pixel that wins in several windows keeps only one of their gradients: = where += "
            "belongs.",
            "Ask yourself: with kernel 3 and stride 2, in how many windows can one pixel be the largest?",
            matches=one_of(
                call_directly,
                _last_window,
                *map(_last_whole_window, (_first_wins, _equal_shares, _wins)),
                _shared_out(
                    lambda windows, upstream: _first_wins(windows) * upstream, combine=lambda old, given: given
                ),
            ),
        ),
        Misconception(
            "upstream gradient forgotten",
            "It looks as if each maximum receives 1, whatever the gradient from above.",
            "Ask yourself: what does the chain rule multiply the slope by?",
            _shared_out(lambda windows, upstream: 1.0 * _first_wins(windows)),
        ),
        Misconception(
            "gradient to every pixel",
            "It looks as if every pixel of a window receives its gradient, or an equal share of it.",
            "Ask yourself: how much does the maximum change when a pixel grows that is not the largest?",
            matches=one_of(
                call_directly,
                _shared_out(lambda windows, upstream: np.ones(windows.shape) * upstream),
                _shared_out(lambda windows, upstream: np.ones(windows.shape) * upstream / windows[0, 0, 0, 0].size),
            ),
        ),
        Misconception(
            "multiplied by the maximum",
            "It looks as if the gradient is multiplied by the pixel itself. The slope is 1.",
            "Ask yourself: how much does max(2, 5) grow when the 5 grows by 1?",
            _shared_out(lambda windows, upstream: np.where(_first_wins(windows), windows, 0.0) * upstream),
        ),
        Misconception(
            "padded with zero",
            "It looks as if the padding is zero here. Where all pixels of a window are negative, it wins, and the "
            "gradient is lost.",
            "Ask yourself: with which number did the forward pass pad?",
            _shared_out(lambda windows, upstream: _first_wins(windows) * upstream, fill=0.0),
        ),
        Misconception(
            STRIDE_IN_SIZE_ONLY,
            "It looks as if gradients go to windows one pixel apart, whatever the stride.",
            "Ask yourself: which columns of the image did output column 1 see when the stride was 2?",
            _dense,
        ),
        Misconception(
            "padding left on",
            "It looks as if grad_x still has the padding around it.",
            "Ask yourself: which shape does x have, and which the padded image?",
            _uncropped,
        ),
        Misconception(
            "padding cut off at one end",
            "It looks as if the padding is cut off below and on the right only, twice as much of it.",
            "Ask yourself: in which row of the padded image does row 0 of x stand?",
            _first_corner,
        ),
        Misconception(
            "cut with −0",
            "It looks as if the padding is cut off by a slice p:-p. With p = 0 that is 0:0, and nothing is left.",
            "Ask yourself: what is np.arange(5)[0:-0], and which slice uses the height of x instead?",
            _minus_zero,
        ),
        no_pairs(max_pool_gradient),
    ),
)
