"""view_count: how many crops an image has, mirror images included."""

from __future__ import annotations

from course_utils.checks._convolution.impossible import Impossible, or_raises
from course_utils.checks.describe import one_of
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly


def _refuse(full, crop):
    if not 1 <= crop <= full:
        raise Impossible("no such crop", full=full, crop=crop)


def counted(full, crop):
    """By listing them: every place where the crop ends inside the image, for it and for its mirror image."""
    _refuse(full, crop)
    inside = [start for start in range(full) if start + crop <= full]
    return sum(1 for _ in inside for _ in inside for _ in (False, True))


def _formula(count):
    """A student's formula behind the right refusals."""

    def variant(full, crop):
        _refuse(full, crop)
        return count(full, crop)

    return or_raises(variant)


def _only_smaller(full, crop):
    _refuse(full - 1, crop)
    return 2 * (full - crop + 1) ** 2


def _cases(rng):
    def case(aspect, full, crop):
        return Case(aspect, {"full": full, "crop": crop})

    full, margin = int(rng.integers(40, 60)), int(rng.integers(5, 12))
    refused = "impossible sizes"
    return [
        case("the paper's sizes", 256, 224),
        case("the paper's sizes", 256, 227),
        case("other sizes", full, full - margin),
        case("other sizes", 2 * margin + 1, margin),
        case("other sizes", margin + 4, 1),
        case("the crop is the image", full, full),
        case("the crop is the image", 1, 1),
        case(refused, full, full + margin),
        case(refused, full, 0),
        case(refused, full, -margin),
    ]


view_count = Exercise(
    name="view_count",
    cases=_cases,
    expected=or_raises(counted),
    stand_in=lambda: counted,
    difficulty=1,
    importance=3,
    minutes=6,
    hints=(
        "Count by hand first: in how many places does a window of length 3 fit into 5 pixels in a row?",
        "The first pixel of the crop can be number 0, 1, …, full − crop, in each of the two directions. Each crop has "
        "a mirror image.",
        "Raise ValueError unless 1 <= crop <= full. Then 2 * (full - crop + 1) ** 2.",
    ),
    misconceptions=(
        Misconception(
            "one place too few",
            "It looks as if you count full − crop places in each direction, as the paper does: 2048 for 256 and 224.",
            "Ask yourself: in how many places does a crop of side 3 fit into an image of side 3?",
            _formula(lambda full, crop: 2 * (full - crop) ** 2),
        ),
        Misconception(
            "mirror images forgotten",
            "It looks as if you count the places alone.",
            "Ask yourself: how many views does an image have that is not cropped at all, if it may be mirrored?",
            matches=one_of(
                call_directly, lambda full, crop: (full - crop + 1) ** 2, lambda full, crop: (full - crop) ** 2
            ),
        ),
        Misconception(
            "mirrored in both directions",
            "It looks as if you count images on their heads, too.",
            "Ask yourself: how many views of one crop are there, if left and right may be exchanged and nothing else?",
            _formula(lambda full, crop: 4 * (full - crop + 1) ** 2),
        ),
        Misconception(
            "one direction alone",
            "It looks as if the crop can move in one direction only.",
            "Ask yourself: for each first row, how many first columns are there?",
            _formula(lambda full, crop: 2 * (full - crop + 1)),
        ),
        Misconception(
            "one place too many",
            "It looks as if you count full − crop + 2 places in each direction.",
            "Ask yourself: in how many places does a crop of side 3 fit into an image of side 3?",
            _formula(lambda full, crop: 2 * (full - crop + 2) ** 2),
        ),
        Misconception(
            "crops side by side",
            "It looks as if your crops do not overlap. They may: one pixel further is another crop.",
            "Ask yourself: in how many places does a window of length 3 fit into 5 pixels in a row?",
            _formula(lambda full, crop: 2 * (full // crop) ** 2),
        ),
        Misconception(
            "nothing is refused",
            "It looks as if you count places of a crop that does not fit. A square hides the minus sign.",
            "Ask yourself: what does your formula give for an image of side 10 and a crop of side 20?",
            or_raises(lambda full, crop: 2 * (full - crop + 1) ** 2),
        ),
        Misconception(
            "0 where it is impossible",
            "It looks as if a crop that does not fit gets a count of 0. An error would say what went wrong.",
            "Ask yourself: where would somebody notice that the numbers were in the wrong order?",
            or_raises(lambda full, crop: 2 * (full - crop + 1) ** 2 if 1 <= crop <= full else 0),
        ),
        Misconception(
            "crop as large as the image refused",
            "It looks as if you refuse a crop that is the whole image.",
            "Ask yourself: does a square of side 3 fit into a square of side 3?",
            or_raises(_only_smaller),
        ),
    ),
)
