"""fans: how many inputs and outputs the weights of a shape connect."""

from __future__ import annotations

import math

import numpy as np

from course_utils.checks.describe import one_of, through
from course_utils.checks.exercise import Case, Exercise, Misconception


def call_fans(student, shape):
    result = student(shape)
    if not isinstance(result, tuple):
        return result
    # np.prod of an empty tuple is 1.0, so that a float may come out; a whole one counts as an integer.
    return tuple(int(n) if isinstance(n, float) and n.is_integer() else n for n in result)


def torch_fans(shape):
    """By PyTorch."""
    import torch

    return torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(*shape, device="meta"))


def _cases(rng):
    def case(aspect, *sizes):
        return Case(aspect, {"shape": tuple(int(size) for size in sizes)})

    def two(low, high):
        """Two different sizes."""
        return rng.choice(np.arange(low, high), size=2, replace=False)

    return [
        case("linear layers", *two(2, 40)),
        case("linear layers", 7, 1),
        case("convolutions", *two(2, 20), 5, 3),
        case("convolutions", *two(2, 20), 2, 7),
        case("convolutions", *two(2, 20), 1, 1),
        case("other kernels", *two(2, 12), 9),
        case("other kernels", *two(2, 12), 2, 3, 5),
    ]


def _counted(count):
    """Both fans right but for the number of kernel elements, which is `count(kernel shape)`."""
    return lambda shape: (shape[1] * count(shape[2:]), shape[0] * count(shape[2:]))


fans = Exercise(
    name="fans",
    cases=_cases,
    call=call_fans,
    expected=torch_fans,
    outputs=("fan_in", "fan_out"),
    difficulty=1,
    importance=4,
    minutes=5,
    hints=(
        "fan_in is the number of products that are added up in one output. Count them for a linear layer, then for "
        "one output pixel of a convolution.",
        "One output pixel of a convolution sees every element of the kernel in every input channel. "
        "The shape begins with (out, in); all the rest is the kernel.",
        "k = np.prod(shape[2:]), which is 1 when nothing is left; then (shape[1] * k, shape[0] * k).",
    ),
    misconceptions=(
        Misconception(
            "(in, out) taken for (out, in)",
            "It looks as if you return fan_out first, or read the shape as (in, out).",
            "Ask yourself: a layer with weights of shape (10, 64) has how many inputs?",
            through(call_fans, lambda shape: torch_fans(shape)[::-1]),
        ),
        Misconception(
            "kernel elements forgotten",
            "It looks as if a convolution's fans are its channels alone.",
            "Ask yourself: how many products are added up in one output pixel of a 5×3 convolution with 24 channels?",
            through(call_fans, lambda shape: (shape[1], shape[0])),
        ),
        Misconception(
            "kernel taken to be square",
            "It looks as if you square one side of the kernel, or count only one.",
            "Ask yourself: how many elements has a 5×3 kernel?",
            matches=one_of(
                call_fans,
                _counted(lambda sides: sides[0] ** 2 if sides else 1),
                _counted(lambda sides: sides[-1] ** 2 if sides else 1),
                _counted(lambda sides: sides[0] if sides else 1),
                _counted(lambda sides: sides[-1] if sides else 1),
                _counted(lambda sides: sides[0] ** len(sides) if sides else 1),
                _counted(lambda sides: sides[-1] ** len(sides) if sides else 1),
            ),
        ),
        Misconception(
            "sides of the kernel added",
            "It looks as if you add the sides of the kernel.",
            "Ask yourself: a 5×3 kernel has 15 elements; which operation on 5 and 3 gives that?",
            matches=one_of(call_fans, _counted(sum), _counted(lambda sides: sum(sides) or 1)),
        ),
        Misconception(
            "kernel counted for fan_in only",
            "It looks as if fan_in counts the elements of the kernel and fan_out does not.",
            "Ask yourself: into how many outputs does one input pixel go, when a 5×3 kernel slides over it?",
            through(call_fans, lambda shape: (math.prod(shape[1:]), shape[0])),
        ),
        Misconception(
            "kernel first, as in Keras",
            "It looks as if you read the shape as (kernel height, kernel width, in, out). That is Keras's order.",
            "Ask yourself: in which order does this course, like PyTorch, keep the weights?",
            through(
                call_fans,
                lambda shape: (math.prod(shape[:-1]), math.prod(shape[:-2]) * shape[-1]),
            ),
        ),
    ),
)
