"""random_crop: a square from a random place, all places alike."""

from __future__ import annotations

import numpy as np

from course_utils.checks._augmentation import places
from course_utils.checks._augmentation.cropping import cut, refused_cases
from course_utils.checks._augmentation.images import picture, refuse
from course_utils.checks._augmentation.places import call_random_crop, follows, independent, sides, uniform
from course_utils.checks._convolution.impossible import Impossible
from course_utils.checks.compare import describe_kind
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided

SQUARE, EVERY, WHOLE, DRAWN = "a square of the image", "every place", "the whole side", "drawn from rng"
IMPOSSIBLE = "impossible sizes"
NUMPYS = ("low >= high", "high <= 0", "empty")  # what NumPy says about an empty range


def by_torch(image, size, rng):
    """With PyTorch's random numbers, seeded from rng; what experiments use meanwhile."""
    import torch

    refuse(image, size)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    top, left = (int(torch.randint(side - size + 1, (1,), generator=generator)) for side in image.shape[1:])
    return cut(image, top, left, size)


def crop_case(rng, aspect, shape, size, calls, make=lambda array: array):
    """A case with a seed for the generator that the student's function draws from."""
    seed = int(rng.integers(2**31))
    return Case(aspect, {"image": make(picture(rng, *shape)), "size": size, "seed": seed, "calls": calls})


def _cases(rng):
    seed = int(rng.integers(2**31))
    return [
        crop_case(rng, SQUARE, (3, 6, 9), 4, 1),
        crop_case(rng, SQUARE, (2, 8, 7), 3, 1, strided),
        crop_case(rng, EVERY, (2, 5, 6), 3, 1500),  # so many that ends drawn half as often show among 3 rows
        crop_case(rng, EVERY, (2, 6, 4), 2, 500, strided),
        crop_case(rng, WHOLE, (2, 4, 6), 4, 150),
        crop_case(rng, WHOLE, (3, 7, 5), 5, 150),
        crop_case(rng, WHOLE, (3, 4, 4), 4, 20),
        crop_case(rng, DRAWN, (1, 9, 8), 4, 60),
        *refused_cases(rng, IMPOSSIBLE, seed=seed, calls=1),
    ]


def _impossible(case):
    """The texts that a refusal must contain; None where the size fits."""
    try:
        refuse(case.inputs["image"], case.inputs["size"])
    except Impossible as error:
        return error.texts
    return None


def verify(case, outputs):
    """What is wrong with the crops of one case, as a sentence."""
    texts = _impossible(case)
    if texts is not None:
        if not places.failed(outputs):
            return f"the result is {describe_kind(outputs)}, but a ValueError should have been raised"
        missing = [text for text in texts if text not in outputs["error"]]
        return f"the message of the ValueError does not mention {missing[0]}: {outputs['error']}" if missing else None
    if outputs is None:
        return "the result is None: is a return missing?"
    if case.inputs["calls"] == 1 and not places.failed(outputs) and np.ndim(outputs) != 3:
        return f"the result is {describe_kind(outputs)}, should be an array with three axes"
    if case.aspect != DRAWN or places.failed(outputs):
        return places.fault(case, outputs)
    return None if outputs["repeats"] else "with rng in the same state, other squares come: not all numbers are rng's"


# --- misconceptions -------------------------------------------------------------------------------------------------


def any_law(*laws):
    """A `matches`: the places follow one of the laws."""
    ways = [follows(law) for law in laws]
    return lambda case, outputs: any(way(case, outputs) for way in ways)


def _up_to(extra):
    return lambda side, size: uniform(side - size + 1 + extra)


last_missing = sides(_up_to(-1))
last_missing_or_the_only_one = sides(lambda side, size: uniform(max(side - size, 1)))


def height(height, width, size):
    """The side that rows should come from."""
    return height


def width(height, width, size):
    """The side that columns should come from."""
    return width


def by_sides(of_row, of_column, extra=0):
    """Rows and columns from the ranges of given sides, each `extra` longer than it should be."""
    return independent(
        lambda h, w, size: uniform(of_row(h, w, size) - size + 1 + extra),
        lambda h, w, size: uniform(of_column(h, w, size) - size + 1 + extra),
    )


def _clipped(side, size):
    weights = uniform(side - size + 1)
    weights[-1] = size
    return weights


def _rounded(side, size):
    weights = uniform(side - size + 1)
    if len(weights) > 1:
        weights[[0, -1]] = 0.5
    return weights


def _one_fraction(steps):
    """One number for both: row and column are the same share of their ranges, or the same number."""

    def law(height, width, size):
        rows, columns = height - size + 1, width - size + 1
        chances = np.zeros((height, width))
        for down, across, share in steps(rows, columns):
            chances[down, across] += share
        return chances

    return law


def _shares(rows, columns):
    steps = np.lcm(rows, columns)
    return [(k * rows // steps, k * columns // steps, 1 / steps) for k in range(steps)]


def _same_number(rows, columns):
    return [(k, k, 1 / min(rows, columns)) for k in range(min(rows, columns))]


def _one_place(case, outputs):
    """Every call cuts at one place; where a crop is right by itself, it may be that place."""
    if _impossible(case) is not None or places.failed(outputs):
        return False
    found = places.read(case, outputs)
    return found is not None and bool((found == found[0]).all())


def _other_source(case, outputs):
    return case.aspect == DRAWN and not places.failed(outputs) and not outputs["repeats"]


def _unrefused(case, outputs):
    if _impossible(case) is None:
        return False
    return not places.failed(outputs) or any(text in outputs["error"] for text in NUMPYS)


wrong_places = (
    Misconception(
        "one place too many",
        "It looks as if your places go one row and one column too far. The crops that begin there are cut short.",
        "Ask yourself: in an image of 5 rows, how many rows has image[:, 3 : 3 + 3]?",
        matches=any_law(sides(_up_to(1)), by_sides(height, height, 1), by_sides(width, width, 1)),
    ),
    Misconception(
        "anywhere in the image",
        "It looks as if a crop may begin at any pixel. Those near the border are cut short.",
        "Ask yourself: in an image of 5 rows, how many rows has image[:, 4 : 4 + 3]?",
        matches=any_law(sides(lambda side, size: uniform(side)), sides(lambda side, size: uniform(side - 1))),
    ),
    Misconception(
        "places pushed back inside",
        "It looks as if you draw any pixel and push the places that do not fit back. The last place gets all of them.",
        "Ask yourself: how many of the H rows does min(row, H − size) map to H − size?",
        matches=any_law(sides(_clipped)),
    ),
    Misconception(
        "one draw for both",
        "It looks as if one random number sets the row and the column. All crops begin on a diagonal.",
        "Ask yourself: can your crop begin in the first row and the last column?",
        matches=any_law(_one_fraction(_shares), _one_fraction(_same_number)),
    ),
)

random_crop = Exercise(
    name="random_crop",
    cases=_cases,
    call=call_random_crop,
    verify=verify,
    stand_in=lambda: by_torch,
    for_call=("seed", "calls"),
    fresh=True,
    difficulty=2,
    importance=5,
    minutes=12,
    hints=(
        "Two random whole numbers: the first row and the first column. Which is the smallest that is allowed, and "
        "which the largest?",
        "The first row can be 0, 1, …, H − size, the first column 0, 1, …, W − size. rng.integers(0, n) gives "
        "0, …, n − 1: n itself never comes.",
        "Raise ValueError unless 1 <= size <= min(H, W). top = rng.integers(0, H - size + 1), left with W, and "
        "image[:, top : top + size, left : left + size].copy().",
    ),
    misconceptions=(
        Misconception(
            "last place missing",
            "It looks as if the last row or the last column at which a crop fits never comes. rng.integers leaves out "
            "its upper end.",
            "Ask yourself: which numbers can rng.integers(0, 2) return, and in how many rows can a crop of side 3 "
            "begin in an image of 5 rows?",
            matches=any_law(
                last_missing,
                independent(lambda h, w, size: uniform(h - size), lambda h, w, size: uniform(w - size + 1)),
                independent(lambda h, w, size: uniform(h - size + 1), lambda h, w, size: uniform(w - size)),
                last_missing_or_the_only_one,
            ),
        ),
        Misconception(
            "first place missing",
            "It looks as if no crop begins in row 0 or in column 0.",
            "Ask yourself: which number has the first row of an array?",
            matches=any_law(sides(lambda side, size: np.r_[0.0, uniform(side - size)] if side > size else np.ones(0))),
        ),
        Misconception(
            "height and width swapped",
            "It looks as if the first row comes from the width, and the first column from the height.",
            "Ask yourself: in the shape (C, H, W), which axis counts the rows?",
            matches=any_law(by_sides(width, height), by_sides(width, height, -1)),
        ),
        Misconception(
            "one side for both",
            "It looks as if the ranges of rows and columns come from the same side, as if every image were a square.",
            "Ask yourself: in an image of 4 rows and 6 columns, in how many of the rows and columns do crops begin?",
            matches=any_law(by_sides(height, height), by_sides(width, width)),
        ),
        *wrong_places,
        Misconception(
            "ends half as often",
            "It looks as if you round a random number. The first and the last place get half as much as the others.",
            "Ask yourself: which numbers between 0 and 2 are rounded to 0, and which to 1?",
            matches=any_law(sides(_rounded)),
        ),
        Misconception(
            "one place at every call",
            "It looks as if every call cuts at the same place: no draw, or a generator with a fixed seed.",
            "Ask yourself: what does the network learn from a thousand copies of one crop?",
            matches=_one_place,
        ),
        Misconception(
            "rng not used",
            "It looks as if the random numbers come from somewhere else than the rng that was passed in.",
            "Ask yourself: can somebody who passes the same generator repeat your experiment?",
            matches=_other_source,
        ),
        Misconception(
            "nothing is refused",
            "It looks as if you cut, or leave the error to NumPy, where no such square fits.",
            "Ask yourself: what does your function return for size = 0, and what would you want to read if size is "
            "too large?",
            matches=_unrefused,
        ),
    ),
)
