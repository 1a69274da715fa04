"""identity_parameters: the gamma and beta that undo a batch norm."""

from __future__ import annotations

import numpy as np

from course_utils.checks._batchnorm.normalizing import batchnorm, fixed_epsilon, root
from course_utils.checks.describe import one_of, tensor, through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def call_identity_parameters(student, part, x, **settings):
    found = student(x, **settings)
    if part == "both" or not isinstance(found, (tuple, list)) or len(found) != 2:
        return found
    return {part: found[("gamma", "beta").index(part)]}


def _undoing(x, epsilon=1e-5):
    """gamma and beta found from what batch norm does: x̂ by PyTorch, then the line through (x̂, x)."""
    ones, zeros = np.ones(x.shape[1]), np.zeros(x.shape[1])
    x_hat = batchnorm(x, ones, zeros, epsilon)
    spread, constant = np.ptp(x_hat, axis=0), np.ptp(x, axis=0) == 0
    gamma = np.where(constant, np.sqrt(epsilon), np.ptp(x, axis=0) / np.where(constant, 1, spread))
    return gamma, tensor(x).mean(dim=0).numpy()


def _found(gamma=lambda x, epsilon: root(x.var(axis=0), epsilon), beta=lambda x, gamma: x.mean(axis=0), order=1):
    """The two parameters with one idea exchanged; `order` −1 swaps them."""

    def wrong(x, epsilon=1e-5):
        scale = gamma(x, epsilon)
        return (scale, beta(x, scale))[::order]

    return through(call_identity_parameters, wrong)


def _identity_cases(rng):
    def case(aspect, part, examples, features, spread=1e3, make=lambda array: array, **settings):
        x = spread * (rng.uniform(0.5, 2, features) * rng.normal(size=(examples, features)) + rng.normal(size=features))
        return Case(aspect, {"part": part, "x": make(x), **settings})

    constant = case("small variances", "gamma", 4, 3)
    constant.inputs["x"][:, 1] = 2.5
    return [
        case("gamma", "gamma", 6, 4),
        case("gamma", "gamma", 3, 5, make=strided),
        case("beta", "beta", 5, 3),
        case("beta", "beta", 4, 4, make=strided),
        case("both", "both", 7, 3),
        case("both", "both", 4, 6),
        case("small variances", "gamma", 5, 4, 1.0, epsilon=0.3),
        case("small variances", "gamma", 6, 3, 1e-3),
        constant,
    ]


identity_parameters = Exercise(
    name="identity_parameters",
    cases=_identity_cases,
    call=call_identity_parameters,
    expected=through(call_identity_parameters, _undoing),
    stand_in=lambda: _undoing,
    outputs=("gamma", "beta"),
    for_call=("part",),
    difficulty=2,
    importance=3,
    minutes=8,
    hints=(
        "Batch norm subtracts something and divides by something. gamma and beta must put back exactly these two.",
        "Solve γ · (x − mean) / √(variance + ε) + β = x, for every x in the column. The coefficients of x give γ, the "
        "rest gives β.",
        "gamma = np.sqrt(x.var(axis=0) + epsilon), with epsilon, and beta = x.mean(axis=0).",
    ),
    misconceptions=(
        Misconception(
            "epsilon left out",
            "It looks as if gamma is the standard deviation alone. The layer divides by √(variance + ε).",
            "Ask yourself: for a variance of 1e-6 and an ε of 1e-5, what does your γ give back?",
            _found(lambda x, epsilon: x.std(axis=0)),
        ),
        Misconception(
            "epsilon beside the root",
            "It looks as if epsilon is added to the standard deviation. In the layer it stands under the root.",
            "Ask yourself: by what exactly does the layer divide?",
            _found(lambda x, epsilon: x.std(axis=0) + epsilon),
        ),
        Misconception(
            "epsilon fixed",
            "It looks as if epsilon is always 1e-5. It is an argument.",
            "Ask yourself: does your code use the argument, or a number written into it?",
            _found(lambda x, epsilon: fixed_epsilon(x.var(axis=0), epsilon)),
        ),
        Misconception(
            "gamma read as the variance",
            "It looks as if gamma is the variance. gamma multiplies x̂, so it is a standard deviation.",
            "Ask yourself: x̂ has variance 1. By what must it be multiplied to have variance 9?",
            matches=one_of(
                call_identity_parameters,
                lambda x, epsilon=1e-5: (x.var(axis=0) + epsilon, x.mean(axis=0)),
                lambda x, epsilon=1e-5: (x.var(axis=0), x.mean(axis=0)),
            ),
        ),
        Misconception(
            "normalizes once more",
            "It looks as if gamma is 1 / √(variance + ε). The layer has divided already; gamma must multiply it back.",
            "Ask yourself: what do you get when you divide by the standard deviation twice?",
            _found(lambda x, epsilon: 1 / root(x.var(axis=0), epsilon)),
        ),
        Misconception(
            "parameters of the normalization",
            "It looks as if your γ and β turn x into x̂. They should turn x̂ into x.",
            "Ask yourself: is it x or x̂ that γ multiplies?",
            _found(
                lambda x, epsilon: 1 / root(x.var(axis=0), epsilon),
                lambda x, gamma: -x.mean(axis=0) * gamma,
            ),
        ),
        Misconception(
            "unbiased variance",
            "It looks as if your variance divides by N − 1. The layer divides by N.",
            "Ask yourself: by what exactly does the layer divide?",
            _found(lambda x, epsilon: root(x.var(axis=0, ddof=1), epsilon)),
        ),
        Misconception(
            "gamma with the wrong sign",
            "It looks as if gamma has the right size and is negative. That turns the column upside down.",
            "Ask yourself: x̂ is above 0 where x is above its mean. By numbers of which sign may it be multiplied?",
            _found(lambda x, epsilon: -root(x.var(axis=0), epsilon)),
        ),
        Misconception(
            "beta with the wrong sign",
            "It looks as if beta is minus the mean.",
            "Ask yourself: the layer has subtracted the mean. What must be done to get it back?",
            _found(beta=lambda x, gamma: -x.mean(axis=0)),
        ),
        Misconception(
            "beta divided by the spread",
            "It looks as if beta is the mean divided by √(variance + ε). beta is added after gamma has multiplied.",
            "Ask yourself: in γ · x̂ + β, is β multiplied by γ?",
            _found(beta=lambda x, gamma: x.mean(axis=0) / gamma),
        ),
        Misconception(
            "1 and 0",
            "It looks as if you return γ = 1 and β = 0. That leaves x̂ as it is, not x.",
            "Ask yourself: which mean and variance does the output have for γ = 1 and β = 0?",
            _found(lambda x, epsilon: np.ones(x.shape[1]), lambda x, gamma: np.zeros(x.shape[1])),
        ),
        Misconception(
            "along axis 1",
            "It looks as if the statistics run over the features of one example.",
            "Ask yourself: which axis of x counts the examples?",
            _found(lambda x, epsilon: root(x.var(axis=1), epsilon), lambda x, gamma: x.mean(axis=1)),
        ),
        Misconception(
            "one pair for everything",
            "It looks as if one γ and one β serve all features.",
            "Ask yourself: how many means does batch norm subtract when x has D columns?",
            _found(lambda x, epsilon: root(x.var(), epsilon), lambda x, gamma: x.mean()),
        ),
        Misconception(
            "right values, other order",
            "It looks as if β comes first. γ does.",
            "Ask yourself: in which order does the task name the results?",
            _found(order=-1),
        ),
    ),
)
