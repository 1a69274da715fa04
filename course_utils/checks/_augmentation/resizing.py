"""resize_shorter_side: the size of an image whose shorter side is fixed."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import numpy as np

from course_utils.checks._convolution.impossible import Impossible, or_raises
from course_utils.checks.describe import one_of
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly


def _refuse(height, width, size):
    for name, number in (("height", height), ("width", width), ("size", size)):
        if number < 1:
            raise Impossible("no such size", **{name: number})


def _scaled(shape):
    """`shape(height, width, scale, size)` with the exact scale, behind the right refusals."""

    def result(height, width, size):
        _refuse(height, width, size)
        return shape(height, width, Fraction(size, min(height, width)), size)

    return result


def _whole(height, width, scale):
    return math.floor(height * scale), math.floor(width * scale)


resized = _scaled(lambda height, width, scale, size: _whole(height, width, scale))


# --- misconceptions -------------------------------------------------------------------------------------------------


def _variant(shape):
    return or_raises(_scaled(shape))


def _any_of(*shapes):
    """A `matches`: any of the ways, with the right refusals."""
    return one_of(call_directly, *map(_scaled, shapes))


def _rounded(to_whole):
    return _variant(lambda height, width, scale, size: (int(to_whole(height * scale)), int(to_whole(width * scale))))


def _with_shorter(height, width, size, longer):
    """The shorter side is `size`, the longer one as computed."""
    return (size, longer) if height < width else (longer, size)


def _fraction(height, width, scale, size):
    return _with_shorter(height, width, size, float(max(height, width) * scale))


def _in_floats(height, width, scale, size):
    rounded = size / min(height, width)
    return _with_shorter(height, width, size, int(max(height, width) * rounded))


def _in_floats_both_sides(height, width, scale, size):
    rounded = size / min(height, width)
    return int(height * rounded), int(width * rounded)


def _ratio_in_floats(height, width, scale, size):
    return _with_shorter(height, width, size, int(max(height, width) / min(height, width) * size))


def _whole_factor(height, width, scale, size):
    return height * math.floor(scale), width * math.floor(scale)


def _whole_ratio(height, width, scale, size):
    return _with_shorter(height, width, size, max(height, width) // min(height, width) * size)


def _unrefused(height, width, size):
    return _whole(height, width, Fraction(size, min(height, width)))


# --- the exercise ---------------------------------------------------------------------------------------------------


@cache
def _missed_by_floats() -> np.ndarray:
    """Rows (shorter, size, longer) with a whole product that floats miss in both orders of the two operations."""
    shorter, size, longer = np.meshgrid(np.arange(20, 60), np.arange(20, 120), np.arange(24, 240), indexing="ij")
    exact = longer * size // shorter
    missed = (longer * size % shorter == 0) & (longer > shorter + 3)
    missed &= ((longer * (size / shorter)).astype(int) < exact) & ((longer / shorter * size).astype(int) < exact)
    return np.stack([shorter, size, longer], axis=-1)[missed]


def _cases(rng):
    def case(aspect, shorter, longer, size, tall):
        height, width = (longer, shorter) if tall else (shorter, longer)
        return Case(aspect, {"height": height, "width": width, "size": size})

    def with_fraction(low, high, shorter, size, tall):
        """The longer side's exact length lies so far above a whole number; it is not so long that it fools 2 : 1."""
        fits = [n for n in range(shorter + 3, 3 * shorter) if low <= (n * size % shorter) / shorter <= high]
        return case("tall images" if tall else "wide images", shorter, int(rng.choice(fits)), size, tall)

    def exact(tall):
        shorter, size, longer = (int(n) for n in rng.choice(_missed_by_floats()))
        return case("a whole product", shorter, longer, size, tall)

    little, much, refused = (0.1, 0.4), (0.6, 0.9), "impossible sizes"
    number = int(rng.integers(20, 60))
    return [
        with_fraction(*much, 375, 256, tall=False),
        with_fraction(*little, int(rng.integers(300, 500)), 64, tall=False),
        with_fraction(*little, int(rng.integers(29, 60)), 227, tall=False),
        with_fraction(*much, 375, 256, tall=True),
        with_fraction(*little, int(rng.integers(300, 500)), 96, tall=True),
        with_fraction(*much, int(rng.integers(29, 60)), 227, tall=True),
        exact(tall=False),
        exact(tall=True),
        case("square images", number, number, 64, tall=False),
        case("square images", 70, 70, number, tall=False),
        case(refused, 0, number, 32, tall=False),
        case(refused, -number, number + 3, 32, tall=True),
        case(refused, number, number + 20, -7, tall=False),
    ]


resize_shorter_side = Exercise(
    name="resize_shorter_side",
    cases=_cases,
    expected=or_raises(resized),
    stand_in=lambda: resized,
    outputs=("height", "width"),
    difficulty=1,
    importance=3,
    minutes=8,
    hints=(
        "One factor for both sides, so that nothing is squeezed: the one that takes the shorter side to size.",
        "The shorter side is min(height, width), whichever of the two that is. The factor is a fraction: multiply "
        "first, divide last, and // floors.",
        "Raise ValueError where a number is below 1. Then height * size // shorter and width * size // shorter, with "
        "shorter = min(height, width).",
    ),
    misconceptions=(
        Misconception(
            "longer side resized",
            "It looks as if the longer side becomes size. Then the shorter one is too short for a square of that size.",
            "Ask yourself: does a square of side size still fit into your resized image?",
            _variant(lambda height, width, scale, size: _whole(height, width, Fraction(size, max(height, width)))),
        ),
        Misconception(
            "always the height",
            "It looks as if the height becomes size, also where the width is the shorter side.",
            "Ask yourself: in a tall image, which side is the shorter one?",
            _variant(lambda height, width, scale, size: _whole(height, width, Fraction(size, height))),
        ),
        Misconception(
            "always the width",
            "It looks as if the width becomes size, also where the height is the shorter side.",
            "Ask yourself: in a wide image, which side is the shorter one?",
            _variant(lambda height, width, scale, size: _whole(height, width, Fraction(size, width))),
        ),
        Misconception(
            "rounded, not floored",
            "It looks as if the longer side is rounded to the nearest whole number.",
            "Ask yourself: what does the docstring make of 341.7, and what does round make of it?",
            _rounded(round),
        ),
        Misconception(
            "rounded up",
            "It looks as if the longer side is rounded up.",
            "Ask yourself: what does the docstring make of 341.3, and what does math.ceil make of it?",
            _rounded(math.ceil),
        ),
        Misconception(
            "not floored",
            "It looks as if the longer side is left with its fraction.",
            "Ask yourself: can an image be 341.33 pixels wide?",
            _variant(_fraction),
        ),
        Misconception(
            "scale rounded before the floor",
            "It looks as if you floor a product of floats. Rounding put it a little below the whole number.",
            "Ask yourself: what is 60 * (41 / 20) in Python, and what is 60 * 41 // 20?",
            matches=_any_of(_in_floats, _in_floats_both_sides, _ratio_in_floats),
        ),
        Misconception(
            "factor floored",
            "It looks as if the factor itself, and not the product, is floored to a whole number.",
            "Ask yourself: what is 41 // 20, and what is 41 / 20?",
            matches=_any_of(_whole_factor, _whole_ratio),
        ),
        Misconception(
            "both sides become size",
            "It looks as if you make a square of every image. That squeezes what is in it.",
            "Ask yourself: what happens to a circle in a wide image?",
            _variant(lambda height, width, scale, size: (size, size)),
        ),
        Misconception(
            "(width, height)",
            "It looks as if the width comes first in your result.",
            "Ask yourself: is your result wide for a wide image?",
            _variant(lambda height, width, scale, size: _whole(width, height, scale)),
        ),
        Misconception(
            "small images left small",
            "It looks as if an image whose shorter side is below size keeps its size.",
            "Ask yourself: how can a network for squares of side size read such an image?",
            _variant(lambda height, width, scale, size: _whole(height, width, min(scale, 1))),
        ),
        Misconception(
            "nothing is refused",
            "It looks as if you compute a size even for images without a pixel.",
            "Ask yourself: what does your function return for a height of 10, a width of 10 and a size of −7?",
            or_raises(_unrefused),
        ),
    ),
)
