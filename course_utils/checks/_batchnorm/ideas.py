"""Wrong ideas that the forward passes of every normalization share."""

from __future__ import annotations

import numpy as np

from course_utils.checks._batchnorm.normalizing import (
    around_zero,
    beside_the_root,
    fixed_epsilon,
    no_root,
    unbiased,
    without_epsilon,
)
from course_utils.checks.exercise import Misconception

LARGE_MEANS = "large means"


def shared_misconceptions(changed, count="N"):
    """Misconceptions on epsilon, the variance, gamma and beta.

    changed(variance=…, spread=…, affine=…) gives the forward pass with one idea exchanged.
    count: by what the variance divides, for the sentence.
    """
    return (
        Misconception(
            "epsilon beside the root",
            "It looks as if epsilon is added to the square root. It belongs to the variance, under the root.",
            "Ask yourself: which of √v + ε and √(v + ε) does the formula say?",
            changed(spread=beside_the_root),
        ),
        Misconception(
            "epsilon left out",
            "It looks as if nothing is added to the variance.",
            "Ask yourself: what do you divide by where all values are equal?",
            changed(spread=without_epsilon),
        ),
        Misconception(
            "epsilon fixed",
            "It looks as if epsilon is always 1e-5. It is an argument.",
            "Ask yourself: does your code use the argument, or a number written into it?",
            changed(spread=fixed_epsilon),
        ),
        Misconception(
            "divided by the variance",
            "It looks as if you divide by the variance. That has the unit of x².",
            "Ask yourself: when x is measured in millimetres instead of metres, what happens to your result?",
            changed(spread=no_root),
        ),
        Misconception(
            "unbiased variance",
            f"It looks as if your variance divides by {count} − 1 (ddof 1). The formula divides by {count}.",
            "Ask yourself: which variance belongs to exactly these values, and which is an estimate for others?",
            changed(variance=unbiased),
        ),
        Misconception(
            "mean of x² for the variance",
            "It looks as if your variance is the mean of x². The variance is taken around the mean.",
            "Ask yourself: what is the variance of 5, 5, 5?",
            changed(variance=around_zero),
        ),
        Misconception(
            "mean not subtracted",
            "It looks as if x is divided by its spread and not centred.",
            "Ask yourself: what should the mean of x̂ be?",
            changed(mean=lambda x, **around: 0.0),
        ),
        Misconception(
            "gamma left out",
            "It looks as if gamma is not used.",
            "Ask yourself: what should happen to out when every gamma is doubled?",
            changed(affine=lambda x_hat, gamma, beta: x_hat + beta),
        ),
        Misconception(
            "beta left out",
            "It looks as if beta is not used.",
            "Ask yourself: what should the mean of out be?",
            changed(affine=lambda x_hat, gamma, beta: gamma * x_hat),
        ),
        Misconception(
            "gamma and beta left out",
            "It looks as if you return x̂ itself. The scale and the shift are missing.",
            "Ask yourself: where in your code are gamma and beta?",
            changed(affine=lambda x_hat, gamma, beta: x_hat),
        ),
        Misconception(
            "gamma and beta swapped",
            "It looks as if beta scales and gamma shifts.",
            "Ask yourself: which of the two stands before x̂?",
            changed(affine=lambda x_hat, gamma, beta: beta * x_hat + gamma),
        ),
        Misconception(
            "beta scaled too",
            "It looks as if beta is added before gamma multiplies.",
            "Ask yourself: are γ·x̂ + β and γ·(x̂ + β) the same?",
            changed(affine=lambda x_hat, gamma, beta: gamma * (x_hat + beta)),
        ),
        Misconception(
            "gamma read as the variance",
            "It looks as if you multiply by √gamma, so that gamma becomes the variance of the output. "
            "It is the standard deviation.",
            "Ask yourself: when a signal is multiplied by 3, by how much does its variance grow?",
            changed(affine=lambda x_hat, gamma, beta: np.sqrt(gamma) * x_hat + beta),
        ),
    )


def _nearly(case, outputs):
    """Only large means fail: the arrays that come back are of the right shape."""
    return case.aspect == LARGE_MEANS and isinstance(outputs, np.ndarray) and outputs.shape == case.inputs["x"].shape


def rounding_misconceptions():
    """What fails where means are large and spreads small, and nowhere else."""
    return (
        Misconception(
            "difference of two large numbers",
            "It looks as if you compute the variance as E[x²] − E[x]². With a mean of 10,000 both are about 10⁸, and "
            "the digits that matter are rounded away.",
            "Ask yourself: how many of the 16 digits of 100000000.000001 are left after 100000000 is subtracted?",
            matches=lambda case, outputs: _nearly(case, outputs) and outputs.dtype == np.float64,
        ),
        Misconception(
            "seven digits",
            "It looks as if you compute in float32. It keeps about seven digits, and here the first seven are the "
            "mean's.",
            "Ask yourself: what is np.float32(10000.0001)?",
            matches=lambda case, outputs: _nearly(case, outputs) and outputs.dtype in (np.float32, np.float16),
        ),
    )
