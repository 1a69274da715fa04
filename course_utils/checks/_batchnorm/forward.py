"""batchnorm_forward and batchnorm2d_forward."""

from __future__ import annotations

import numpy as np

from course_utils.checks._batchnorm.ideas import LARGE_MEANS, rounding_misconceptions, shared_misconceptions
from course_utils.checks._batchnorm.normalizing import ROUNDING, batchnorm, for_channels, normalized
from course_utils.checks.describe import one_of
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises, call_directly
from course_utils.plain import strided

SCALE = 1000.0  # spreads beside which an epsilon of 1e-5 is nothing: there, only what an aspect is about matters


def inputs(rng, shape, center=0.0, spread=1.0, affine=True, make=lambda array: array):
    """x with channels of several means and spreads; gamma and beta at random, or 1 and 0."""
    channels = shape[1]
    x = rng.normal(size=shape)
    means, stds = (for_channels(values, x) for values in (rng.normal(size=channels), rng.uniform(0.5, 2, channels)))
    x = center + spread * stds * (x + means)
    gamma = rng.uniform(0.3, 2.5, channels) if affine else np.ones(channels)
    beta = rng.normal(size=channels) + 0.5 if affine else np.zeros(channels)
    return {"x": make(x), "gamma": gamma, "beta": beta}


def close_together(rng, shape, center=0.0):
    """As `inputs`, with a variance of about 1e-6 in every channel."""
    made = inputs(rng, shape)
    return {**made, "x": center + 1e-3 * rng.normal(size=shape)}


def _with_constant(made):
    made["x"][:, 1] = made["x"].flat[0]
    return made


def negative(made):
    """One gamma below 0."""
    made["gamma"][0] *= -1
    return made


def _without_keepdims(x, gamma, beta, epsilon=1e-5):
    """Statistics of shape (N,), which meet the columns of x, if they meet them at all."""
    if x.shape[0] != x.shape[1]:
        return Raises("ValueError")
    return gamma * (x - x.mean(axis=1)) / np.sqrt(x.var(axis=1) + epsilon) + beta


def _cases(rng):
    return [
        Case("normalized features", inputs(rng, (6, 4), spread=SCALE, affine=False)),
        Case("normalized features", inputs(rng, (4, 4), spread=SCALE, affine=False)),
        Case("normalized features", inputs(rng, (3, 7), spread=SCALE, affine=False, make=strided)),
        Case("gamma and beta", inputs(rng, (5, 3), spread=SCALE)),
        Case("gamma and beta", inputs(rng, (4, 4), spread=SCALE)),
        Case("gamma and beta", negative(inputs(rng, (2, 6), spread=SCALE, make=strided))),
        Case("epsilon", inputs(rng, (6, 3)) | {"epsilon": 0.3}),
        Case("epsilon", inputs(rng, (5, 4))),
        Case("small variances", close_together(rng, (7, 4))),
        Case("small variances", _with_constant(close_together(rng, (5, 3)))),
        Case(LARGE_MEANS, close_together(rng, (6, 4), center=1e4)),
        Case(LARGE_MEANS, close_together(rng, (9, 2), center=-3e4)),
    ]


batchnorm_forward = Exercise(
    name="batchnorm_forward",
    cases=_cases,
    expected=batchnorm,
    outputs=("out",),
    atol=ROUNDING,
    difficulty=2,
    importance=5,
    minutes=10,
    hints=(
        "Each column of x is one feature. Bring it to mean 0 and variance 1 over the batch, then let gamma and beta "
        "stretch and move it.",
        "x is (N, D). Mean and variance over the examples are (D,), and so are gamma and beta: they all broadcast "
        "along the rows. epsilon is added to the variance before the root is taken.",
        "mean, variance = x.mean(axis=0), x.var(axis=0), and then "
        "gamma * (x - mean) / np.sqrt(variance + epsilon) + beta.",
    ),
    misconceptions=(
        Misconception(
            "normalized along axis 1",
            "It looks as if every example is normalized over its features. "
            "Batch norm looks at one feature over the batch.",
            "Ask yourself: which axis of x counts the examples?",
            normalized(axes=lambda x: 1),
        ),
        Misconception(
            "axis 1, and N statistics for D columns",
            "It looks as if mean and variance run along axis 1 and are then subtracted along the other axis.",
            "Ask yourself: which shape does x.mean(axis=1) have, and which axis of x does it meet?",
            _without_keepdims,
        ),
        Misconception(
            "one mean for everything",
            "It looks as if one mean and one variance serve all features.",
            "Ask yourself: how many means should there be when x has D columns?",
            normalized(axes=lambda x: None),
        ),
        *shared_misconceptions(normalized),
        *rounding_misconceptions(),
    ),
)


# --- batchnorm2d_forward ----------------------------------------------------------------------------------------


def _along_the_width(x, gamma, beta, epsilon=1e-5):
    """(C,) arrays as they are meet the last axis."""
    if x.shape[3] not in (1, len(gamma)):
        return Raises("ValueError")
    return normalized(affine=lambda x_hat, *_: gamma * x_hat + beta)(x, gamma, beta, epsilon)


def mixed_by_reshape(x, gamma, beta, epsilon=1e-5):
    """Rows of C numbers that follow each other in memory, which are pixels of one channel."""
    rows = np.ascontiguousarray(x).reshape(-1, x.shape[1])
    return normalized()(rows, gamma, beta, epsilon).reshape(x.shape)


def _cases_2d(rng):
    return [
        Case("normalized channels", inputs(rng, (2, 3, 4, 5), spread=SCALE, affine=False)),
        Case("normalized channels", inputs(rng, (3, 2, 5, 4), spread=SCALE, affine=False, make=strided)),
        Case("one image, one pixel", inputs(rng, (1, 3, 2, 4), spread=SCALE, affine=False)),
        Case("one image, one pixel", inputs(rng, (5, 3, 1, 1), spread=SCALE, affine=False)),
        Case("gamma and beta", inputs(rng, (2, 4, 3, 5), spread=SCALE)),
        Case("gamma and beta", negative(inputs(rng, (3, 3, 2, 3), spread=SCALE, make=strided))),
        Case("epsilon", inputs(rng, (2, 3, 3, 2)) | {"epsilon": 0.3}),
        Case("epsilon", inputs(rng, (3, 2, 2, 3))),
        Case("small variances", close_together(rng, (2, 3, 3, 4))),
        Case("small variances", _with_constant(close_together(rng, (3, 2, 2, 4)))),
        Case(LARGE_MEANS, close_together(rng, (2, 3, 4, 2), center=1e4)),
    ]


batchnorm2d_forward = Exercise(
    name="batchnorm2d_forward",
    cases=_cases_2d,
    expected=batchnorm,
    outputs=("out",),
    atol=ROUNDING,
    builds_on=("batchnorm_forward",),
    difficulty=3,
    importance=5,
    minutes=15,
    hints=(
        "A kernel treats all pixels of a channel alike, so they share one mean and one variance: over all images and "
        "all pixels.",
        "x is (N, C, H, W). Average over axes 0, 2 and 3, and keep them (keepdims=True), which gives (1, C, 1, 1). "
        "gamma and beta are (C,): make them (C, 1, 1), so that they meet the channels and not the width.",
        "mean = x.mean(axis=(0, 2, 3), keepdims=True), the variance likewise, and then "
        "gamma[:, None, None] * (x - mean) / np.sqrt(variance + epsilon) + beta[:, None, None].",
    ),
    misconceptions=(
        Misconception(
            "averaged over the images alone",
            "It looks as if every pixel has a mean and a variance of its own, taken over the images.",
            "Ask yourself: how many means should there be: C, or C·H·W?",
            normalized(axes=lambda x: 0),
        ),
        Misconception(
            "every image by itself",
            "It looks as if mean and variance are taken over the pixels of one image. That is instance norm.",
            "Ask yourself: do the other images of the batch change your result?",
            normalized(axes=lambda x: (2, 3)),
        ),
        Misconception(
            "averaged over the channels too",
            "It looks as if mean and variance of an image run over all its channels. That is layer norm.",
            "Ask yourself: over which axes does a channel stretch?",
            normalized(axes=lambda x: (1, 2, 3)),
        ),
        Misconception(
            "axis 1",
            "It looks as if mean and variance run along axis 1, over the channels of one pixel.",
            "Ask yourself: which axis should be left over after averaging?",
            normalized(axes=lambda x: 1),
        ),
        Misconception(
            "one mean for everything",
            "It looks as if one mean and one variance serve all channels.",
            "Ask yourself: how many means should there be when x has C channels?",
            normalized(axes=lambda x: None),
        ),
        Misconception(
            "gamma along the width",
            "It looks as if gamma and beta, of shape (C,), are used as they are. NumPy lines them up with the last "
            "axis, the width.",
            "Ask yourself: which shape must gamma have to broadcast along axis 1 of (N, C, H, W)?",
            _along_the_width,
        ),
        Misconception(
            "reshaped without moving the channels",
            "It looks as if you reshape x to (−1, C). The channels are not the last axis, so pixels of one channel "
            "end up in different columns.",
            "Ask yourself: for x of shape (1, 2, 2, 2), which numbers are in row 0 of x.reshape(-1, 2)?",
            matches=one_of(call_directly, mixed_by_reshape, atol=ROUNDING),
        ),
        *shared_misconceptions(normalized, "N·H·W"),
        *rounding_misconceptions(),
    ),
)
