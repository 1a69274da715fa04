"""affine_grid."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import one_of, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided

IDENTITY, TURNED, SHIFTED, NARROW = "the identity", "turned and sheared", "shifted", "few pixels"


def grid_by_torch(theta, height, width):
    """By PyTorch."""
    import torch

    return torch.nn.functional.affine_grid(tensor(theta)[None], (1, 1, height, width), align_corners=False)[0].numpy()


def _centres(n):
    return (2 * np.arange(n) + 1) / n - 1


def _edges(n):
    return 2 * np.arange(n) / n - 1


def _corners(n):
    return np.linspace(-1, 1, n)


def _from_zero(n):
    return (np.arange(n) + 0.5) / n


def _with(theta, x, y):
    """theta · (x, y, 1) for every pair of the two rows of numbers."""
    x, y = np.meshgrid(x, y)
    return np.stack([x, y, np.ones_like(x)], axis=-1) @ np.asarray(theta).T


def _places(place):
    return lambda theta, height, width: _with(theta, place(width), place(height))


def _theta(change):
    """The right grid for another theta."""
    return lambda theta, height, width: _with(change(np.asarray(theta)), _centres(width), _centres(height))


def _without_shift(theta):
    return theta * np.array([1.0, 1.0, 0.0])


def _transposed(theta):
    return np.column_stack([theta[:, :2].T, theta[:, 2]])


def _inverted(theta):
    back = np.linalg.inv(theta[:, :2])
    return np.column_stack([back, -back @ theta[:, 2]])


def _shift_first(theta):
    return np.column_stack([theta[:, :2], theta[:, :2] @ theta[:, 2]])


def _shift_in_pixels(theta, height, width):
    return _with(theta * np.array([[1, 1, 2 / width], [1, 1, 2 / height]]), _centres(width), _centres(height))


def _y_first(theta):
    """theta applied to (y, x, 1)."""
    return theta[:, [1, 0, 2]]


def _result_y_first(theta):
    """y before x in the result."""
    return theta[::-1]


def _upwards(theta, height, width):
    return _with(theta, _centres(width), -_centres(height))


def _reshaped(theta, height, width):
    """(2, height, width), whose numbers are then only counted off anew."""
    grid = _with(theta, _centres(width), _centres(height))
    return np.moveaxis(grid, -1, 0).reshape(height, width, 2)


def _standing(theta, height, width):
    """(width, height, 2)."""
    return _with(theta, _centres(width), _centres(height)).swapaxes(0, 1)


def _cases(rng):
    def case(aspect, linear, shift, height, width, make=lambda array: array):
        return Case(aspect, {"theta": make(np.column_stack([linear, shift])), "height": height, "width": width})

    def general():
        """A map that is far from symmetric and from its inverse."""
        return np.array([[0.8, -0.5], [0.3, 1.4]]) + rng.uniform(-0.2, 0.2, (2, 2))

    def shift():
        return rng.choice([-1, 1], size=2) * np.array([0.3, 0.7]) * rng.uniform(0.8, 1.2, 2)

    return [
        case(IDENTITY, np.eye(2), np.zeros(2), 3, 5),
        case(IDENTITY, np.eye(2), np.zeros(2), 4, 4),
        case(TURNED, general(), np.zeros(2), 4, 6),
        case(TURNED, general(), np.zeros(2), 5, 3, make=strided),
        case(SHIFTED, np.eye(2), shift(), 3, 4),
        case(SHIFTED, general(), shift(), 6, 4),
        case(SHIFTED, general(), shift(), 2, 7, make=strided),
        case(NARROW, general(), shift(), 1, 4),
        case(NARROW, general(), shift(), 1, 1),
    ]


affine_grid = Exercise(
    name="affine_grid",
    cases=_cases,
    expected=grid_by_torch,
    outputs=("grid",),
    difficulty=3,
    importance=4,
    minutes=20,
    hints=(
        "Write down the places of the centres of n pixels in a row that reaches from −1 to 1. Try n = 2 first.",
        "x has width numbers and depends on the column, y has height numbers and depends on the row. Stack x, y and 1 "
        "to (height, width, 3).",
        "x = (2 * np.arange(width) + 1) / width − 1, y likewise; with places (height, width, 3), places @ theta.T is "
        "(height, width, 2).",
    ),
    misconceptions=(
        Misconception(
            "corners aligned",
            "It looks as if the first and the last pixel are at −1 and 1 (align_corners=True). Those are the edges of "
            "the image, and a pixel's place is its centre.",
            "Ask yourself: where are the centres of two pixels that fill the way from −1 to 1?",
            _places(_corners),
        ),
        Misconception(
            "left edges of the pixels",
            "It looks as if the place of a pixel is its left (upper) edge: half a pixel is missing.",
            "Ask yourself: should the places of the pixels lie symmetrically about 0?",
            _places(_edges),
        ),
        Misconception(
            "places from 0 to 1",
            "It looks as if places run from 0 to 1. They run from −1 to 1, and 0 is the centre of the image.",
            "Ask yourself: about which point does theta turn the image?",
            matches=one_of(
                call_directly,
                _places(_from_zero),
                _places(lambda n: np.linspace(0, 1, n)),
                _places(lambda n: np.arange(n) / n),
            ),
        ),
        Misconception(
            "places in pixels",
            "It looks as if places are counted in pixels. They run from −1 to 1, whatever the size.",
            "Ask yourself: where is the last pixel of a row of 5?",
            matches=one_of(call_directly, _places(np.arange), _places(lambda n: np.arange(n) - (n - 1) / 2)),
        ),
        Misconception(
            "theta applied to (y, x)",
            "It looks as if theta is multiplied by (y, x, 1), or x changes from row to row. The first column of theta "
            "belongs to x, and x changes along a row.",
            "Ask yourself: which entry of theta makes the image wider, and what does your code multiply it by?",
            _theta(_y_first),
        ),
        Misconception(
            "y before x in the result",
            "It looks as if the grid holds (y, x). It should hold (x, y).",
            "Ask yourself: which of the two numbers at grid[row, column] should change along a row?",
            _theta(_result_y_first),
        ),
        Misconception(
            "rows and columns throughout",
            "It looks as if theta takes (y, x, 1) and gives (y, x). Here x comes first on both sides.",
            "Ask yourself: does theta[0, 2] shift along the rows or along the columns?",
            _theta(lambda theta: _result_y_first(_y_first(theta))),
        ),
        Misconception(
            "grid lying on its side",
            'It looks as if your grid is (width, height, 2): np.meshgrid(x, y, indexing="ij") gives that.',
            "Ask yourself: which axis of an array counts the rows?",
            _standing,
        ),
        Misconception(
            "reshaped, not transposed",
            "It looks as if all x come first, then all y, and reshape(height, width, 2) cuts that row of numbers into "
            "pairs.",
            "Ask yourself: are the two numbers at your grid[0, 0] an x and a y, or the x of two pixels?",
            _reshaped,
        ),
        Misconception(
            "the inverse map",
            "It looks as if you undo theta. theta leads from the result to the place to read from.",
            "Ask yourself: is (x, y) in the formula a pixel of the result or of the image?",
            _theta(_inverted),
        ),
        Misconception(
            "theta transposed",
            "It looks as if the rows of theta are used as its columns: the image turns the other way.",
            "Ask yourself: for rows of places, is it places @ A or places @ A.T that gives A · (x, y)?",
            _theta(_transposed),
        ),
        Misconception(
            "shift left out",
            "It looks as if the last column of theta is not used.",
            "Ask yourself: by what is theta[:, 2] multiplied?",
            _theta(_without_shift),
        ),
        Misconception(
            "shift in pixels",
            "It looks as if the last column of theta is taken for pixels. It is in the unit of x and y.",
            "Ask yourself: how far does a shift of 2 move an image that reaches from −1 to 1?",
            _shift_in_pixels,
        ),
        Misconception(
            "shifted before it is turned",
            "It looks as if the shift is added before the rest of theta is applied.",
            "Ask yourself: are A·p + t and A·(p + t) the same?",
            _theta(_shift_first),
        ),
        Misconception(
            "y upwards",
            "It looks as if y grows upwards. In an image the first row is the top, at y = −1 + 1/height.",
            "Ask yourself: what is the y of row 0?",
            _upwards,
        ),
    ),
)
