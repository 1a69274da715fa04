"""mean_image: the mean over the images, for every pixel and channel."""

from __future__ import annotations

import numpy as np

from course_utils.checks._augmentation.images import picture
from course_utils.checks._convolution.impossible import Impossible, or_raises
from course_utils.checks.describe import one_of, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided


def _refuse(images):
    if len(images) == 0:
        raise Impossible("the mean of nothing")


def mean_of(images):
    """By PyTorch."""
    _refuse(images)
    return tensor(images).mean(dim=0).numpy()


def _variant(result):
    def variant(images):
        _refuse(images)
        return result(images)

    return or_raises(variant)


def _cases(rng):
    def case(aspect, *shape, make=lambda array: array):
        return Case(aspect, {"images": make(picture(rng, *shape))})

    return [
        case("several images", 4, 3, 5, 7),
        case("several images", 7, 2, 6, 4, make=strided),
        case("several images", 5, 3, 3, 8),
        case("grey images", 3, 1, 4, 6),
        case("grey images", 6, 1, 5, 3, make=strided),
        case("one image", 1, 3, 4, 5),
        case("one image", 1, 2, 5, 3, make=strided),
        Case("no image", {"images": np.zeros((0, 3, 4, 5))}),
    ]


mean_image = Exercise(
    name="mean_image",
    cases=_cases,
    expected=or_raises(mean_of),
    stand_in=lambda: mean_of,
    outputs=("mean",),
    difficulty=1,
    importance=3,
    minutes=5,
    hints=(
        "The result is an image itself: at each place and in each channel stands a mean of N numbers.",
        "Images are counted by axis 0 of (N, C, H, W). A mean along one axis makes that axis disappear.",
        "Raise ValueError where len(images) is 0. Then images.mean(axis=0).",
    ),
    misconceptions=(
        Misconception(
            "one number for everything",
            "It looks as if you take one mean of all pixels of all images.",
            "Ask yourself: how many numbers has an image, and how many has your mean?",
            _variant(lambda images: np.float64(images.mean())),
        ),
        Misconception(
            "one number per channel",
            "It looks as if your mean runs over the places too. That is a mean colour, not a mean image.",
            "Ask yourself: which axes disappear from (N, C, H, W) so that (C, H, W) is left?",
            matches=one_of(
                call_directly,
                _variant(lambda images: images.mean(axis=(0, 2, 3))),
                _variant(lambda images: images.mean(axis=(0, 2, 3), keepdims=True)[0]),
                _variant(lambda images: np.zeros(images.shape[1:]) + images.mean(axis=(0, 2, 3), keepdims=True)[0]),
            ),
        ),
        Misconception(
            "mean of each image",
            "It looks as if you average the pixels of each image. The mean runs over the images.",
            "Ask yourself: which axis of (N, C, H, W) counts the images?",
            _variant(lambda images: images.mean(axis=(1, 2, 3))),
        ),
        Misconception(
            "mean over the channels",
            "It looks as if your mean runs along the channels.",
            "Ask yourself: which axis of (N, C, H, W) counts the images, 0 or 1?",
            _variant(lambda images: images.mean(axis=1)),
        ),
        Misconception(
            "axis of the images kept",
            "It looks as if the result still has an axis for the images, of length 1.",
            "Ask yourself: what does keepdims=True do to the shape?",
            _variant(lambda images: images.mean(axis=0, keepdims=True)),
        ),
        Misconception(
            "mean already subtracted",
            "It looks as if you return the images without their mean. The mean itself is asked for.",
            "Ask yourself: what is the shape of a mean image, and what is the shape of your result?",
            _variant(lambda images: images - images.mean(axis=0)),
        ),
        Misconception(
            "sum instead of mean",
            "It looks as if you add the images and do not divide by their number.",
            "Ask yourself: all values are between 0 and 1. Are those of your mean?",
            _variant(lambda images: images.sum(axis=0)),
        ),
        Misconception(
            "divided by n − 1",
            "It looks as if you divide the sum by N − 1. That belongs to a variance.",
            "Ask yourself: what is the mean of a single image?",
            _variant(lambda images: images.sum(axis=0) / np.float64(len(images) - 1)),
        ),
        Misconception(
            "median instead of mean",
            "It looks as if you take the median of the images.",
            "Ask yourself: what are the mean and the median of 0, 0 and 1?",
            _variant(lambda images: np.median(images, axis=0)),
        ),
        Misconception(
            "nothing is refused",
            "It looks as if you return a mean of no images. NumPy makes NaN of 0 / 0 and only warns.",
            "Ask yourself: what happens to every image from which such a mean is subtracted?",
            matches=lambda case, outputs: len(case.inputs["images"]) == 0,
        ),
    ),
)
