"""center_crop: the square in the middle of an image."""

from __future__ import annotations

import math

from course_utils.checks._augmentation.images import middle, picture, refuse, windows
from course_utils.checks._convolution.impossible import or_raises
from course_utils.checks.describe import one_of
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided


def centred(image, size):
    """The window in the middle of the list of all windows."""
    squares = windows(image, size)
    return squares[middle(squares.shape[0]), middle(squares.shape[1])].copy()


def cut(image, top, left, size):
    """NumPy's slice, whatever the offsets are."""
    return image[:, top : top + size, left : left + size].copy()


def refused_cases(rng, aspect, **more):
    """Squares that do not fit: too high, too wide, too small."""
    return [
        Case(aspect, {"image": picture(rng, 3, 6, 9), "size": 7} | more),
        Case(aspect, {"image": picture(rng, 2, 11, 8), "size": 10} | more),
        Case(aspect, {"image": picture(rng, 3, 5, 6), "size": 0} | more),
    ]


def _at(offsets):
    """`offsets(height, width, size)` gives top and left; behind the right refusals."""

    def variant(image, size):
        refuse(image, size)
        return cut(image, *offsets(*image.shape[1:], size), size)

    return variant


def _each(offset):
    """One rule for both sides: `offset(side, size)`."""
    return _at(lambda height, width, size: (offset(height, size), offset(width, size)))


def _of_size(side):
    """The right offsets, with squares of another side."""

    def variant(image, size):
        refuse(image, size)
        top, left = ((n - size) // 2 for n in image.shape[1:])
        return image[:, top : top + side(size), left : left + side(size)].copy()

    return or_raises(variant)


def _unrefused(image, size):
    top, left = ((n - size) // 2 for n in image.shape[1:])
    return cut(image, top, left, size)


def _cut_short(image, size):
    if size > min(image.shape[1:]):
        return _unrefused(image, min(image.shape[1:]))
    return _unrefused(image, size)


def _cases(rng):
    def case(aspect, channels, height, width, size, make=lambda array: array):
        return Case(aspect, {"image": make(picture(rng, channels, height, width)), "size": size})

    # H − size and W − size: even, or odd and not 1 or 5, so that rounding to even differs from the floor.
    even, odd, whole = "even margins", "odd margins", "the whole side"
    return [
        case(even, 3, 8, 14, 4),
        case(even, 2, 13, 9, 5, strided),
        case(odd, 3, 9, 13, 6),
        case(odd, 4, 12, 8, 5),
        case(odd, 2, 7, 11, 4, strided),
        case(whole, 3, 5, 11, 5),
        case(whole, 1, 10, 6, 6),
        case(whole, 3, 4, 4, 4),
        *refused_cases(rng, "impossible sizes"),
    ]


center_crop = Exercise(
    name="center_crop",
    cases=_cases,
    expected=or_raises(centred),
    stand_in=lambda: centred,
    fresh=True,
    difficulty=1,
    importance=4,
    minutes=8,
    hints=(
        "What is left over above and below is H − size rows. Half of it comes first, then the square.",
        "image.shape is (C, H, W): all channels, size rows from top on, size columns from left on. "
        "(H − size) // 2 floors. A slice is a view; .copy() makes an array of its own.",
        "Raise ValueError unless 1 <= size <= min(H, W). Then top, left = (H - size) // 2, (W - size) // 2 and "
        "image[:, top : top + size, left : left + size].copy().",
    ),
    misconceptions=(
        Misconception(
            "offsets rounded, not floored",
            "It looks as if half a pixel is rounded up, or to the even number. The square lies one place off.",
            "Ask yourself: with H = 7 and size = 4, which of 1.5, 1 and 2 is the first row?",
            matches=one_of(
                call_directly,
                _each(lambda side, size: math.ceil((side - size) / 2)),
                _each(lambda side, size: round((side - size) / 2)),
            ),
        ),
        Misconception(
            "halves floored one by one",
            "It looks as if your offset is H // 2 − size // 2. With even H and odd size that is one too many.",
            "Ask yourself: what are 8 // 2 − 5 // 2 and (8 − 5) // 2?",
            or_raises(_each(lambda side, size: side // 2 - size // 2)),
        ),
        Misconception(
            "one place too early",
            "It looks as if your offsets are one too small, as if the last place were H − size − 1.",
            "Ask yourself: how many rows lie above your square, and how many below?",
            matches=one_of(
                call_directly,
                _each(lambda side, size: max((side - size) // 2 - 1, 0)),
                _each(lambda side, size: max((side - size - 1) // 2, 0)),
            ),
        ),
        Misconception(
            "begins at the middle",
            "It looks as if the square's corner, and not its middle, is put into the middle of the image.",
            "Ask yourself: with H = 10 and size = 4, how many rows lie above the square, and how many below?",
            or_raises(_each(lambda side, size: side // 2)),
        ),
        Misconception(
            "corner instead of centre",
            "It looks as if you cut at the top left corner.",
            "Ask yourself: how many rows lie above the square, and how many below?",
            or_raises(_each(lambda side, size: 0)),
        ),
        Misconception(
            "margins not halved",
            "It looks as if you cut at the bottom right corner: all that is left over lies before the square.",
            "Ask yourself: how many rows lie above the square, and how many below?",
            or_raises(_each(lambda side, size: side - size)),
        ),
        Misconception(
            "height and width swapped",
            "It looks as if the first row is computed from the width, and the first column from the height.",
            "Ask yourself: in the shape (C, H, W), which axis counts the rows?",
            or_raises(_at(lambda height, width, size: ((width - size) // 2, (height - size) // 2))),
        ),
        Misconception(
            "one row and column too many",
            "It looks as if your square has the side size + 1.",
            "Ask yourself: how many elements has a[2 : 2 + 3], and is element 5 one of them?",
            _of_size(lambda size: size + 1),
        ),
        Misconception(
            "nothing is refused",
            "It looks as if you cut where no such square fits. Negative offsets count from the other end, without a "
            "word.",
            "Ask yourself: what is (6 − 7) // 2, and which row is image[:, −1]?",
            or_raises(_unrefused),
        ),
        Misconception(
            "cut short where it does not fit",
            "It looks as if a square that is too large is replaced by the largest that fits.",
            "Ask yourself: what does a network do with an image of another size?",
            or_raises(_cut_short),
        ),
    ),
)
