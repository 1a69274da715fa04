"""ten_crop: four corners, the centre, and the mirror images of these five."""

from __future__ import annotations

import numpy as np

from course_utils.checks._augmentation.cropping import refused_cases
from course_utils.checks._augmentation.images import middle, picture, refuse, windows
from course_utils.checks._convolution.impossible import or_raises
from course_utils.checks.describe import one_of
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided


def ten_views(image, size):
    """From the list of all windows: those at its corners and in its middle, then flipped by PyTorch."""
    import torch

    squares = windows(image, size)
    rows, columns = squares.shape[:2]
    places = [(0, 0), (0, -1), (-1, 0), (-1, -1), (middle(rows), middle(columns))]
    five = torch.from_numpy(np.stack([squares[place] for place in places]))
    return torch.cat([five, five.flip(-1)]).numpy()


# --- misconceptions -------------------------------------------------------------------------------------------------

ORDER = ("top left", "top right", "bottom left", "bottom right", "centre")


def _five(image, size, order=ORDER, centre=lambda margin: margin // 2, corner=lambda margin: margin):
    """The five crops by NumPy's slices; `corner` and `centre` make offsets of H − size and W − size."""
    down, right = (corner(side - size) for side in image.shape[1:])
    middles = tuple(centre(side - size) for side in image.shape[1:])
    places = dict(zip(ORDER, [(0, 0), (0, right), (down, 0), (down, right), middles], strict=True))
    crops = [image[:, top : top + size, left : left + size] for top, left in map(places.get, order)]
    return np.stack(crops)


def with_mirrors(crops):
    """The crops, then their mirror images."""
    return np.concatenate([crops, crops[..., ::-1]])


def _refusing(make):
    """`make(image, size)` behind the right refusals."""

    def variant(image, size):
        refuse(image, size)
        return make(image, size)

    return variant


def _variant(make):
    return or_raises(_refusing(make))


def _ordered(*order):
    """A `make` with the five crops in another order."""
    return lambda image, size: with_mirrors(_five(image, size, order))


def _any_of(*makes):
    return one_of(call_directly, *map(_refusing, makes))


def of_mirrored_image(image, size):
    """Five crops, then five of the mirrored image: left and right corners change places."""
    return np.concatenate([_five(image, size), _five(image[..., ::-1], size)])


def _interleaved(image, size):
    crops = _five(image, size)
    return np.stack([crops, crops[..., ::-1]], axis=1).reshape(10, *crops.shape[1:])


def _upside_down(image, size):
    crops = _five(image, size)
    return np.concatenate([crops, crops[..., ::-1, :]])


def _channels_reversed(image, size):
    crops = _five(image, size)
    return np.concatenate([crops, crops[:, ::-1]])


def _mirrors_first(image, size):
    return with_mirrors(_five(image, size)[..., ::-1])


def _nested(image, size):
    crops = _five(image, size)
    return np.stack([crops, crops[..., ::-1]])


def _twice(image, size):
    return np.concatenate([_five(image, size)] * 2)


def _same_margins(image, size):
    """The centre as image[:, top:-top, left:-left]: too large where a margin is odd, empty where it is 0."""
    top, left = ((side - size) // 2 for side in image.shape[1:])
    return with_mirrors(np.stack([*_five(image, size)[:4], image[:, top:-top, left:-left]]))


def _swapped_sides(image, size):
    height, width = image.shape[1:]
    places = [(0, 0), (0, height - size), (width - size, 0), (width - size, height - size)]
    places.append(((width - size) // 2, (height - size) // 2))
    return with_mirrors(np.stack([image[:, top : top + size, left : left + size] for top, left in places]))


# --- the exercise ---------------------------------------------------------------------------------------------------


def _cases(rng):
    def case(aspect, channels, height, width, size, make=lambda array: array):
        return Case(aspect, {"image": make(picture(rng, channels, height, width)), "size": size})

    # Odd margins are not 1 or 5, so that rounding to even differs from the floor.
    even, odd, whole = "even margins", "odd margins", "the whole side"
    return [
        case(even, 3, 7, 9, 3),
        case(even, 2, 10, 6, 4, strided),
        case(odd, 3, 6, 10, 3),
        case(odd, 2, 11, 7, 4, strided),
        case(whole, 3, 4, 7, 4),
        case(whole, 2, 6, 3, 3),
        *refused_cases(rng, "impossible sizes"),
    ]


ten_crop = Exercise(
    name="ten_crop",
    cases=_cases,
    expected=or_raises(ten_views),
    stand_in=lambda: ten_views,
    outputs=("views",),
    builds_on=("center_crop", "horizontal_flip"),
    difficulty=2,
    importance=4,
    minutes=12,
    hints=(
        "Write down the first row and the first column of each of the five crops. Only then cut.",
        "The rows begin at 0 or H − size, the columns at 0 or W − size, and the centre at half of both, floored. "
        "np.stack makes (5, C, size, size) of five crops.",
        "crops = np.stack([image[:, top : top + size, left : left + size] for top, left in places]), and "
        "np.concatenate([crops, crops[..., ::-1]]). Raise ValueError before, where no such square fits.",
    ),
    misconceptions=(
        Misconception(
            "crops of the mirrored image",
            "It looks as if the last five are corners and centre of the mirrored image. There, left and right corners "
            "have changed places.",
            "Ask yourself: view 5 is the mirror image of view 0; does it show the left or the right side of the image?",
            _variant(of_mirrored_image),
        ),
        Misconception(
            "mirror images in between",
            "It looks as if each crop is followed by its mirror image. They should come after all five.",
            "Ask yourself: which view is number 1, the top right corner or the mirrored top left one?",
            _variant(_interleaved),
        ),
        Misconception(
            "mirror images first",
            "It looks as if the mirror images come before the crops themselves.",
            "Ask yourself: is your view 0 equal to image[:, :size, :size]?",
            _variant(_mirrors_first),
        ),
        Misconception(
            "upside down",
            "It looks as if your mirror images stand on their heads.",
            "Ask yourself: which axis of (10, C, size, size) goes from left to right?",
            _variant(_upside_down),
        ),
        Misconception(
            "channels reversed",
            "It looks as if the last five have their channels reversed: red becomes blue.",
            "Ask yourself: of an array (5, C, size, size), what does crops[:, ::-1] reverse?",
            _variant(_channels_reversed),
        ),
        Misconception(
            "not mirrored",
            "It looks as if the last five are the first five once more.",
            "Ask yourself: what could a network say about a view that it has seen before?",
            _variant(_twice),
        ),
        Misconception(
            "five views",
            "It looks as if you return the five crops without their mirror images.",
            "Ask yourself: how many views are ten?",
            _variant(_five),
        ),
        Misconception(
            "two groups of five",
            "It looks as if the result has an axis of its own for the mirror images: (2, 5, …).",
            "Ask yourself: which function joins along an axis that is there, np.stack or np.concatenate?",
            _variant(_nested),
        ),
        Misconception(
            "another order of the crops",
            "It looks as if the right crops come in another order.",
            "Ask yourself: top left, top right, bottom left, bottom right, centre; which of yours is number 1?",
            matches=_any_of(
                _ordered("top left", "bottom left", "top right", "bottom right", "centre"),
                _ordered("top left", "top right", "bottom right", "bottom left", "centre"),
                _ordered("centre", "top left", "top right", "bottom left", "bottom right"),
            ),
        ),
        Misconception(
            "last place missing",
            "It looks as if the right and the bottom crops end one pixel before the border.",
            "Ask yourself: in an image of 6 columns, in which column does the last crop of side 3 begin?",
            _variant(lambda image, size: with_mirrors(_five(image, size, corner=lambda margin: max(margin - 1, 0)))),
        ),
        Misconception(
            "centre rounded, not floored",
            "It looks as if the centre's offsets are rounded up, or to the even number.",
            "Ask yourself: with W = 10 and size = 3, which of 3.5, 3 and 4 is the first column?",
            matches=_any_of(
                lambda image, size: with_mirrors(_five(image, size, centre=lambda margin: round(margin / 2))),
                lambda image, size: with_mirrors(_five(image, size, centre=lambda margin: (margin + 1) // 2)),
            ),
        ),
        Misconception(
            "same margin at both ends",
            "It looks as if your centre ends as many pixels before the border as it begins behind the other one. With "
            "an odd margin that is a pixel too many, and a slice that ends at −0 is empty.",
            "Ask yourself: how many rows has image[:, 1:-1] in an image of 6 rows, and how many has image[:, 0:-0]?",
            _variant(_same_margins),
        ),
        Misconception(
            "height and width swapped",
            "It looks as if rows are counted with the width, and columns with the height.",
            "Ask yourself: in the shape (C, H, W), which axis counts the rows?",
            _variant(_swapped_sides),
        ),
        Misconception(
            "nothing is refused",
            "It looks as if you cut where no such square fits. Slices beyond the image are shorter, without a word; at "
            "best, NumPy then complains about shapes.",
            "Ask yourself: which shape has image[:, 0:7, 0:7] when the image has 6 rows?",
            or_raises(lambda image, size: with_mirrors(_five(image, size))),
        ),
    ),
)
