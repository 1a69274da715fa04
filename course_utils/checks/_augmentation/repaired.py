"""repaired_random_crop: a random crop with two bugs that has to be mended."""

from __future__ import annotations

from course_utils.checks._augmentation.places import call_random_crop
from course_utils.checks._augmentation.random_crops import (
    any_law,
    by_sides,
    by_torch,
    crop_case,
    height,
    last_missing,
    last_missing_or_the_only_one,
    verify,
    width,
    wrong_places,
)
from course_utils.checks.exercise import Exercise, Misconception
from course_utils.plain import strided

MANY = 400  # so many that each of 16 places must come


def _cases(rng):
    # The broken code must earn nothing: its last place never comes, in square images too.
    square, wide, tall, whole = "square images", "wide images", "tall images", "the whole side"
    return [
        crop_case(rng, square, (2, 5, 5), 3, MANY),
        crop_case(rng, square, (3, 6, 6), 3, MANY, strided),
        crop_case(rng, wide, (2, 4, 6), 3, MANY),
        crop_case(rng, wide, (1, 5, 7), 3, MANY, strided),
        crop_case(rng, tall, (2, 6, 5), 3, MANY),
        crop_case(rng, tall, (1, 8, 4), 3, MANY, strided),
        crop_case(rng, whole, (3, 4, 4), 4, 20),
        crop_case(rng, whole, (2, 4, 6), 4, 150),
        crop_case(rng, whole, (2, 7, 5), 5, 150),
    ]


repaired_random_crop = Exercise(
    name="repaired_random_crop",
    cases=_cases,
    call=call_random_crop,
    verify=verify,
    stand_in=lambda: by_torch,
    for_call=("seed", "calls"),
    difficulty=2,
    importance=4,
    minutes=10,
    hints=(
        "Do not read the code first: measure. Crop an image whose pixels hold their own numbers many times, and count "
        "where the crops begin. Do it with images that are not square.",
        "In a square image, one row and one column are never reached. In a wide one, some crops are cut short besides. "
        "These are two bugs.",
        "top counts rows, so its range comes from the height; and the upper end of rng.integers never comes: "
        "top = rng.integers(0, height - size + 1), left = rng.integers(0, width - size + 1).",
    ),
    misconceptions=(
        Misconception(
            "both bugs still there",
            "It looks as if the crops are still those of the broken function.",
            "Ask yourself: in an image of 4 rows and 6 columns, in which rows and columns do your crops begin?",
            matches=any_law(by_sides(width, height, -1)),
        ),
        Misconception(
            "last place still missing",
            "It looks as if height and width are mended, and the last row and column never come.",
            "Ask yourself: which numbers can rng.integers(0, 2) return?",
            matches=any_law(last_missing, last_missing_or_the_only_one),
        ),
        Misconception(
            "height and width still swapped",
            "It looks as if all places of a square image come, and the ranges of top and left are still exchanged.",
            "Ask yourself: top is a row; which of height and width says how many rows there are?",
            matches=any_law(by_sides(width, height)),
        ),
        Misconception(
            "one side for both",
            "It looks as if rows and columns now have the same range.",
            "Ask yourself: in an image of 4 rows and 6 columns, in how many of the rows and columns do crops begin?",
            matches=any_law(
                by_sides(height, height),
                by_sides(width, width),
                by_sides(height, height, -1),
                by_sides(width, width, -1),
            ),
        ),
        *wrong_places,
    ),
)
