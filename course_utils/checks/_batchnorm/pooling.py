"""global_average_pool."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import one_of, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided

WHOLE = "whole numbers"


def pooled(x):
    """By PyTorch."""
    import torch

    return torch.nn.functional.adaptive_avg_pool2d(tensor(x), 1).flatten(1).numpy()


def _rounded(case, outputs):
    return case.aspect == WHOLE and isinstance(outputs, np.ndarray) and outputs.dtype.kind in "iu"


def _cases(rng):
    def case(aspect, *shape, make=lambda array: array):
        return Case(aspect, {"x": make(rng.normal(size=shape) + 0.5)})

    def whole(*shape):
        return Case(WHOLE, {"x": rng.integers(0, 256, size=shape)})

    return [
        case("means", 3, 4, 5, 5),
        case("means", 2, 3, 4, 4, make=strided),
        case("images that are not square", 2, 4, 3, 7),
        case("images that are not square", 3, 2, 6, 2, make=strided),
        case("one image, one channel, one pixel", 1, 5, 2, 3),
        case("one image, one channel, one pixel", 4, 1, 3, 2),
        case("one image, one channel, one pixel", 3, 5, 1, 1),
        whole(2, 3, 3, 5),
        whole(3, 2, 4, 3),
    ]


global_average_pool = Exercise(
    name="global_average_pool",
    cases=_cases,
    expected=pooled,
    outputs=("out",),
    difficulty=1,
    importance=4,
    minutes=5,
    hints=(
        "A whole channel, however large, becomes one number.",
        "(N, C, H, W) loses its last two axes. What is left is (N, C).",
        "One call does it: x.mean(axis=(2, 3)).",
    ),
    misconceptions=(
        Misconception(
            "sum instead of mean",
            "It looks as if the pixels are added up and not averaged.",
            "Ask yourself: should a larger image of the same thing give larger features?",
            lambda x: x.sum(axis=(2, 3)),
        ),
        Misconception(
            "largest instead of mean",
            "It looks as if the largest pixel of each channel is taken.",
            "Ask yourself: what is the average of 0, 0 and 3?",
            lambda x: x.max(axis=(2, 3)),
        ),
        Misconception(
            "averaged over the channels",
            "It looks as if the channels are averaged and the pixels are left.",
            "Ask yourself: which axes of (N, C, H, W) are still there in (N, C)?",
            lambda x: x.mean(axis=1),
        ),
        Misconception(
            "averaged over the batch",
            "It looks as if the images are averaged too. Each keeps its own features.",
            "Ask yourself: how many rows should the result have?",
            lambda x: x.mean(axis=(0, 2, 3)),
        ),
        Misconception(
            "one number for each image",
            "It looks as if all channels of an image go into one mean.",
            "Ask yourself: how many columns should the result have?",
            lambda x: x.mean(axis=(1, 2, 3)),
        ),
        Misconception(
            "one axis left over",
            "It looks as if only the height is averaged, or only the width.",
            "Ask yourself: how many axes should the result have?",
            matches=one_of(call_directly, lambda x: x.mean(axis=2), lambda x: x.mean(axis=3)),
        ),
        Misconception(
            "axes kept",
            "It looks as if the result is (N, C, 1, 1).",
            "Ask yourself: what does keepdims=True leave behind?",
            lambda x: x.mean(axis=(2, 3), keepdims=True),
        ),
        Misconception(
            "squares assumed",
            "It looks as if the sum is divided by H² or W². Images need not be square.",
            "Ask yourself: how many pixels has an image of 3×7?",
            matches=one_of(
                call_directly,
                lambda x: x.sum(axis=(2, 3)) / x.shape[2] ** 2,
                lambda x: x.sum(axis=(2, 3)) / x.shape[3] ** 2,
            ),
        ),
        Misconception(
            "channels first",
            "It looks as if the result is (C, N).",
            "Ask yourself: which axis of the result counts the images?",
            lambda x: x.mean(axis=(2, 3)).T,
        ),
        Misconception(
            "rounded to whole numbers",
            "It looks as if the means lost their decimals: the array they are in holds integers.",
            "Ask yourself: what is the dtype of np.zeros_like(x) when x holds integers, and what does // do?",
            matches=_rounded,
        ),
    ),
)
