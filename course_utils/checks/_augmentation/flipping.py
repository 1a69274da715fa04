"""horizontal_flip: left and right exchanged."""

from __future__ import annotations

from course_utils.checks._augmentation.images import picture
from course_utils.checks.describe import one_of, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided


def flipped(image):
    """By PyTorch."""
    return tensor(image).flip(2).numpy()


def _cases(rng):
    def case(aspect, *shape, make=lambda array: array):
        return Case(aspect, {"image": make(picture(rng, *shape))})

    return [
        case("grey images", 1, 4, 6),
        case("grey images", 1, 7, 5, make=strided),
        case("colour images", 3, 5, 5),
        case("colour images", 3, 4, 7, make=strided),
        case("colour images", 2, 6, 4),
    ]


horizontal_flip = Exercise(
    name="horizontal_flip",
    cases=_cases,
    expected=flipped,
    fresh=True,
    difficulty=1,
    importance=4,
    minutes=4,
    hints=(
        "Every row keeps its place and its channel, and is read from right to left.",
        "The columns are the last axis of (C, H, W). A step of −1 in a slice reads backwards, and gives a view.",
        "image[:, :, ::-1].copy()",
    ),
    misconceptions=(
        Misconception(
            "vertical flip",
            "It looks as if top and bottom are exchanged. The image stands on its head.",
            "Ask yourself: which axis of (C, H, W) goes from left to right?",
            lambda image: image[:, ::-1].copy(),
        ),
        Misconception(
            "turned by 180 degrees",
            "It looks as if rows and columns are both reversed.",
            "Ask yourself: in a mirror beside you, is your head still on top?",
            lambda image: image[:, ::-1, ::-1].copy(),
        ),
        Misconception(
            "channels reversed",
            "It looks as if the channels are reversed: red becomes blue.",
            "Ask yourself: what does image[::-1] reverse, in an array of shape (C, H, W)?",
            matches=one_of(
                call_directly,
                lambda image: image[::-1].copy(),
                lambda image: image[::-1, :, ::-1].copy(),
                lambda image: image[::-1, ::-1, ::-1].copy(),
            ),
        ),
        Misconception(
            "rows and columns exchanged",
            "It looks as if you transpose the image. That is a mirror along the diagonal.",
            "Ask yourself: which shape should the result of an image of 4 rows and 6 columns have?",
            lambda image: image.transpose(0, 2, 1).copy(),
        ),
        Misconception(
            "nothing flipped",
            "It looks as if you return the image as it came.",
            "Ask yourself: where should the first column of the image stand in the result?",
            lambda image: image.copy(),
        ),
    ),
)
