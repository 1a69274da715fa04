"""brightness_contrast: distances from the image's mean stretched, a number added, then clipped."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import one_of, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided


def adjusted(image, brightness, contrast):
    """By PyTorch."""
    import torch

    x = tensor(image)
    return torch.clamp(torch.lerp(x.mean(), x, float(contrast)) + float(brightness), 0, 1).numpy()


def _clip(values):
    return np.clip(values, 0, 1)


def _about(centre):
    """`centre(image)` in the place of the mean."""

    def variant(image, brightness, contrast):
        middle = centre(image)
        return _clip((image - middle) * contrast + middle + brightness)

    return variant


def _formula(value):
    """`value(image, mean, brightness, contrast)` before it is clipped."""
    return lambda image, brightness, contrast: _clip(value(image, image.mean(), brightness, contrast))


def _clipped_or_not(value):
    """A `matches`: this idea, whether the result is clipped or not."""

    def unclipped(image, brightness, contrast):
        return value(image, image.mean(), brightness, contrast)

    return one_of(call_directly, _formula(value), unclipped)


def _channel_means(image):
    return image.mean(axis=(1, 2), keepdims=True)


def _unclipped(image, brightness, contrast):
    return (image - image.mean()) * contrast + image.mean() + brightness


def _half_clipped(low, high):
    return lambda *given, **named: np.clip(_unclipped(*given, **named), low, high)


def _clipped_too_early(image, brightness, contrast):
    return _clip(_clip((image - image.mean()) * contrast + image.mean()) + brightness)


def _brightness_first(image, brightness, contrast):
    brighter = _clip(image + brightness)
    return _clip((brighter - brighter.mean()) * contrast + brighter.mean())


def _rescaled(image, brightness, contrast):
    out = _unclipped(image, brightness, contrast)
    return (out - out.min()) / (out.max() - out.min())


def _wrapped(image, brightness, contrast):
    return _unclipped(image, brightness, contrast) % 1.0


def _cases(rng):
    def number(low, high):
        return round(float(rng.uniform(low, high)), 3)

    def case(aspect, shape, brightness, contrast, low=0.3, high=0.6, make=lambda array: array):
        channels, *size = shape
        # A mean of its own for every channel, so that it matters over what the mean is taken.
        image = rng.uniform(low, high, size=shape) + np.linspace(-0.1, 0.1, channels)[:, None, None] * (channels > 1)
        return Case(aspect, {"image": make(image), "brightness": brightness, "contrast": contrast})

    bright, contrast, both, clip = "brightness", "contrast", "both together", "clipping"
    full = {"low": 0.1, "high": 0.9}
    return [
        case(bright, (3, 4, 6), number(0.05, 0.2), 1.0),
        case(bright, (1, 5, 3), -number(0.05, 0.2), 1.0, make=strided),
        case(contrast, (3, 5, 4), 0.0, number(1.1, 1.4)),
        case(contrast, (3, 3, 7), 0.0, number(0.3, 0.7), make=strided),
        case(contrast, (2, 4, 5), 0.0, 0.0),
        case(both, (3, 6, 4), number(0.05, 0.12), number(1.1, 1.4)),
        case(both, (3, 4, 4), -number(0.05, 0.12), number(0.3, 0.7), make=strided),
        case(clip, (3, 5, 6), number(0.2, 0.35), number(1.8, 2.6), **full),
        case(clip, (3, 6, 5), -number(0.2, 0.35), number(1.8, 2.6), **full, make=strided),
        case(clip, (3, 5, 5), 0.0, number(2.6, 3.2), **full),
    ]


brightness_contrast = Exercise(
    name="brightness_contrast",
    cases=_cases,
    expected=adjusted,
    difficulty=2,
    importance=3,
    minutes=10,
    hints=(
        "Contrast changes how far the values lie from the middle of this image. Brightness moves all of them alike.",
        "m is one number, image.mean(), of all channels together. Stretch the distances from it, put it back, add the "
        "brightness. np.clip comes once, at the end.",
        "np.clip((image - m) * contrast + m + brightness, 0, 1)",
    ),
    misconceptions=(
        Misconception(
            "contrast about 0",
            "It looks as if the values themselves are multiplied. That makes the image brighter, too.",
            "Ask yourself: what is the mean of your result when the contrast doubles and nothing is clipped?",
            matches=_clipped_or_not(lambda x, m, b, c: x * c + b),
        ),
        Misconception(
            "contrast about one half",
            "It looks as if the distances are taken from 0.5. This image has a mean of its own.",
            "Ask yourself: what happens to the mean of a dark image when the contrast grows?",
            _about(lambda image: 0.5),
        ),
        Misconception(
            "a mean for each channel",
            "It looks as if every channel has a mean of its own. A contrast of 0 then leaves a colour and not grey.",
            "Ask yourself: over how many values does m run, H·W or C·H·W?",
            matches=_clipped_or_not(lambda x, m, b, c: (x - _channel_means(x)) * c + _channel_means(x) + b),
        ),
        Misconception(
            "a mean for each pixel",
            "It looks as if the mean is taken over each pixel's channels. That changes how strong its colour is.",
            "Ask yourself: over how many values does m run, C or C·H·W?",
            _about(lambda image: image.mean(axis=0)),
        ),
        Misconception(
            "median or middle for the mean",
            "It looks as if the distances are taken from the median, or from halfway between darkest and brightest.",
            "Ask yourself: which number does the docstring call m?",
            matches=one_of(call_directly, _about(np.median), _about(lambda image: (image.min() + image.max()) / 2)),
        ),
        Misconception(
            "mean not put back",
            "It looks as if m is subtracted and never added again. The image becomes dark.",
            "Ask yourself: what do you get with brightness 0 and contrast 1?",
            matches=_clipped_or_not(lambda x, m, b, c: (x - m) * c + b),
        ),
        Misconception(
            "brightness stretched too",
            "It looks as if the contrast multiplies the brightness as well.",
            "Ask yourself: with contrast 0, by how much does a brightness of 0.2 change the image?",
            matches=_clipped_or_not(lambda x, m, b, c: (x - m + b) * c + m),
        ),
        Misconception(
            "brightness multiplied",
            "It looks as if the brightness is a factor. Here it is added.",
            "Ask yourself: what should a brightness of 0 change?",
            matches=one_of(
                call_directly,
                _formula(lambda x, m, b, c: ((x - m) * c + m) * (1 + b)),
                _formula(lambda x, m, b, c: ((x - m) * c + m) * b),
                _formula(lambda x, m, b, c: (x - m) * c + m * (1 + b)),
            ),
        ),
        Misconception(
            "1 + contrast",
            "It looks as if the factor is 1 + contrast. Here a contrast of 1 changes nothing.",
            "Ask yourself: what should a contrast of 0 leave?",
            _formula(lambda x, m, b, c: (x - m) * (1 + c) + m + b),
        ),
        Misconception(
            "clipping forgotten",
            "It looks as if values may leave the interval from 0 to 1.",
            "Ask yourself: what does your function make of a white pixel and a brightness of 0.2?",
            _unclipped,
        ),
        Misconception(
            "clipped at one end",
            "It looks as if values are cut off at one end only.",
            "Ask yourself: what becomes of a value of −0.2, and what of 1.2?",
            matches=one_of(call_directly, _half_clipped(0, None), _half_clipped(None, 1)),
        ),
        Misconception(
            "clipped in between",
            "It looks as if you clip before the end as well. What is cut off there does not come back.",
            "Ask yourself: what becomes of a value that the contrast takes to 1.2 and the brightness back to 0.9?",
            matches=one_of(call_directly, _clipped_too_early, _brightness_first),
        ),
        Misconception(
            "rescaled instead of clipped",
            "It looks as if the values are stretched so that they fill the interval from 0 to 1.",
            "Ask yourself: with brightness 0 and contrast 1, do you get the image back?",
            _rescaled,
        ),
        Misconception(
            "wrapped around",
            "It looks as if 1.2 becomes 0.2, as it does with whole numbers of eight bits.",
            "Ask yourself: should the brightest pixels become dark?",
            _wrapped,
        ),
    ),
)
