"""conv2d_forward."""

from __future__ import annotations

import numpy as np

from course_utils.checks._convolution.geometry import geometric, pair, right
from course_utils.checks.describe import agrees, one_of, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided


def convolution(x, weight, bias, stride=1, padding=0):
    """By PyTorch."""
    import torch

    return torch.nn.functional.conv2d(tensor(x), tensor(weight), tensor(bias), pair(stride), pair(padding)).numpy()


def _of_windows(windows, weight, bias):
    return np.einsum("nchwij,ocij->nohw", windows, weight) + bias[:, None, None]


def _layout(x, weight, stride, padding):
    """The windows, and their number in each direction."""
    windows = right(x, weight.shape[2:], pair(stride), pair(padding), 0.0)
    return windows, windows.shape[2:4]


def _columns_reshaped(x, weight, bias, stride=1, padding=0):
    windows, (rows, columns) = _layout(x, weight, stride, padding)
    shuffled = windows.reshape(len(x), weight[0].size, rows * columns)
    out = weight.reshape(len(weight), -1) @ shuffled
    return out.reshape(len(x), len(weight), rows, columns) + bias[:, None, None]


def _output_reshaped(order, bias_first):
    """The products with their axes (N, O, OH, OW) in another order, and a reshape that should put that right."""

    def wrong(x, weight, bias, **settings):
        out = convolution(x, weight, bias if bias_first else 0 * bias, **settings)
        return out.transpose(order).reshape(out.shape) + (0.0 if bias_first else bias[:, None, None])

    return wrong


def _bias_times(count):
    return lambda x, weight, bias, **settings: convolution(x, weight, count(weight) * bias, **settings)


def _of_single_precision(case, outputs):
    """Right within the rounding of float32, although what came back is float64."""
    return outputs.dtype == np.float64 and agrees(convolution(**case.inputs), outputs.astype(np.float32))


def convolution_inputs(rng, images, channels, size, outputs, kernel, bias=False, make=lambda a: a, **settings):
    x = rng.normal(size=(images, channels, *size)) + 0.3
    weight = rng.normal(size=(outputs, channels, *kernel)) + 0.2
    offsets = rng.normal(size=outputs) + 1.5 if bias else np.zeros(outputs)
    return {"x": make(x), "weight": make(weight), "bias": make(offsets), **settings}


def _cases(rng):
    def case(aspect, *shapes, **more):
        return Case(aspect, convolution_inputs(rng, *shapes, **more))

    return [
        case("one channel", 1, 1, (4, 5), 1, (2, 3)),
        case("one channel", 1, 1, (5, 4), 1, (3, 2), make=strided),
        case("several channels", 2, 3, (4, 5), 2, (2, 3)),
        case("several channels", 3, 2, (5, 4), 4, (3, 2), make=strided),
        case("bias", 2, 3, (5, 4), 2, (2, 2), bias=True),
        case("bias", 3, 2, (4, 6), 5, (1, 3), bias=True, make=strided),
        case("stride", 1, 2, (7, 5), 3, (3, 3), stride=2),
        case("stride", 2, 2, (6, 8), 3, (2, 3), stride=3),  # the last step does not fit
        case("stride", 2, 3, (6, 9), 2, (2, 3), stride=2, make=strided),
        case("padding", 1, 2, (4, 6), 3, (3, 3), padding=1),
        case("padding", 2, 2, (3, 4), 3, (2, 3), padding=2, make=strided),
        case("padding", 2, 3, (6, 5), 2, (3, 2), padding=1, stride=2),
        case("pairs", 2, 2, (7, 6), 3, (3, 2), stride=(1, 2), padding=(0, 2)),
        case("pairs", 1, 3, (6, 8), 2, (2, 3), stride=(2, 1), padding=(1, 0), make=strided),
        case("pairs", 2, 2, (5, 7), 3, (3, 3), stride=(2, 3), padding=(2, 1)),
    ]


conv2d_forward = Exercise(
    name="conv2d_forward",
    cases=_cases,
    expected=convolution,
    outputs=("out",),
    builds_on=("im2col", "conv_output_size"),
    difficulty=3,
    importance=5,
    minutes=30,
    hints=(
        "Every number of the output is a sum of products: one window of the padded image, over all channels, times one "
        "filter. Begin with loops over the output: image, filter, row, column. Then let NumPy do the inner sums.",
        "With H the height, kh the kernel's height, s the stride and P the padding, there are (H + 2P − kh) // s + 1 "
        "rows of windows. The window of output row r begins at row r · s of the padded image. "
        "`sh, sw = np.broadcast_to(stride, 2)` reads a number and a pair alike.",
        "padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw))), and then out[n, o, r, s] = "
        "np.sum(padded[n, :, r*sh : r*sh+kh, s*sw : s*sw+kw] * weight[o]) + bias[o]. Without loops: "
        "np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw] has every window.",
    ),
    misconceptions=(
        Misconception(
            "kernel flipped",
            "It looks as if your kernel is turned by 180°. Mathematicians' convolution does that, networks do not.",
            "Ask yourself: which weight meets the upper left pixel of a window?",
            lambda x, weight, bias, **settings: convolution(x, weight[..., ::-1, ::-1], bias, **settings),
        ),
        Misconception(
            "only channel 0",
            "It looks as if only the first input channel is used.",
            "Ask yourself: a filter has the shape (C, kh, kw); over how many of its axes does your sum run?",
            lambda x, weight, bias, **settings: convolution(x[:, :1], weight[:, :1], bias, **settings),
        ),
        Misconception(
            "bias added per tap",
            "It looks as if the bias is added for every product, inside the sum, instead of once for every output.",
            "Ask yourself: is the addition of the bias inside the loop (or sum) over the window or the channels?",
            matches=one_of(
                call_directly,
                _bias_times(lambda weight: weight[0].size),
                _bias_times(lambda weight: weight[0, 0].size),
                _bias_times(lambda weight: weight.shape[1]),
            ),
        ),
        Misconception(
            "bias forgotten",
            "It looks as if the bias is not added.",
            "Ask yourself: what should come out when every x is 0?",
            lambda x, weight, bias, **settings: convolution(x, weight, 0 * bias, **settings),
        ),
        Misconception(
            "windows reshaped without transpose",
            "It looks as if windows are made into columns by reshape alone. The shape is right, the numbers are in the "
            "wrong places.",
            "Ask yourself: in which order must the axes stand before (C, kh, kw) can become one axis?",
            _columns_reshaped,
        ),
        Misconception(
            "output reshaped without transpose",
            "It looks as if the products are right and reshape puts them in the wrong places of the output.",
            "Ask yourself: which axis of your matrix product counts the output channels, and where must it stand?",
            matches=one_of(
                call_directly,
                *(_output_reshaped(order, first) for order in ((0, 2, 3, 1), (1, 0, 2, 3)) for first in (True, False)),
            ),
        ),
        Misconception(
            "single precision inside",
            "It looks as if your numbers are right to about seven digits and no further. Something in your code is "
            "float32.",
            "Ask yourself: which dtype has x, and which have the arrays that you make?",
            matches=_of_single_precision,
        ),
        *geometric(_of_windows),
    ),
)
