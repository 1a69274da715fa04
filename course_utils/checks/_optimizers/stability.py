"""stability_limit: how large a step gradient descent with momentum survives on a parabola."""

from __future__ import annotations

import numpy as np

from course_utils.checks._convolution.impossible import Impossible, or_raises
from course_utils.checks.describe import one_of
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly


def spectral_radius(learning_rate, curvature, momentum):
    """The factor by which w grows per step in the long run: w₊ = (1 + μ − αλ)·w − μ·w₋, as a matrix for (w, w₋)."""
    companion = np.array([[1 + momentum - learning_rate * curvature, -momentum], [1.0, 0.0]])
    return np.abs(np.linalg.eigvals(companion)).max()


def _refuse(curvature, momentum):
    if not curvature > 0:
        raise Impossible("no minimum", curvature=f"{curvature:g}")
    if not 0 <= momentum < 1:
        raise Impossible("no such momentum", momentum=f"{momentum:g}")


def by_bisection(curvature, momentum=0.0):
    """Where the spectral radius crosses 1. It stays below 1 from 0 to the limit and grows beyond."""
    _refuse(curvature, momentum)
    low, high = 1.0 / curvature, 16.0 / curvature
    for _ in range(48):
        middle = (low + high) / 2
        low, high = (middle, high) if spectral_radius(middle, curvature, momentum) <= 1 else (low, middle)
    return low


def _formula(limit):
    """A student's formula behind the right refusals."""

    def variant(curvature, momentum=0.0):
        _refuse(curvature, momentum)
        return limit(curvature, momentum)

    return or_raises(variant)


def _right(curvature, momentum=0.0):
    return 2 * (1 + momentum) / curvature


def _refuses_where(test):
    """The right formula, with another idea of what is impossible."""

    def variant(curvature, momentum=0.0):
        if test(curvature, momentum):
            raise ValueError
        return _right(curvature, momentum)

    return or_raises(variant)


def _cases(rng):
    def case(aspect, curvature, *momentum):
        return Case(aspect, {"curvature": curvature} | ({"momentum": momentum[0]} if momentum else {}))

    def number(low, high, digits=3):
        return round(float(rng.uniform(low, high)), digits)

    plain, momentum, refuse = "no momentum", "momentum", "impossible arguments"
    return [
        case(plain, number(0.2, 0.6)),
        case(plain, number(3, 40), 0.0),
        case(plain, number(100, 900)),
        case(momentum, number(0.2, 0.6), number(0.3, 0.45)),
        case(momentum, number(3, 40), 0.9),
        case(momentum, number(100, 900), number(0.55, 0.8)),
        case(refuse, 0.0),
        case(refuse, -number(1, 9, 1), 0.5),
        case(refuse, 2.5, 1.0),
        case(refuse, 2.5, -number(0.2, 0.7, 1)),
        case(refuse, 0.4, number(1.2, 1.9, 1)),
    ]


stability_limit = Exercise(
    name="stability_limit",
    cases=_cases,
    expected=or_raises(by_bisection),
    stand_in=lambda: by_bisection,
    difficulty=3,
    importance=4,
    minutes=20,
    hints=(
        "Start without momentum: one step multiplies w by 1 − α·λ. For which α is that between −1 and 1? "
        "With momentum, write the step with w alone: w₊ = (1 + μ − α·λ)·w − μ·w₋.",
        "Try w ∝ zᵗ: z² − (1 + μ − α·λ)·z + μ = 0. At the limit w jumps from side to side without getting smaller, "
        "so z = −1 is a solution. Put it in and solve for α.",
        "1 + (1 + μ − α·λ) + μ = 0 gives α = 2 · (1 + μ) / λ. Before that, raise ValueError where curvature <= 0 or "
        "not 0 <= momentum < 1.",
    ),
    misconceptions=(
        Misconception(
            "momentum ignored",
            "It looks as if your limit is 2/λ, whatever the momentum is.",
            "Ask yourself: put z = −1 into z² − (1 + μ − α·λ)·z + μ = 0. Is μ still there?",
            _formula(lambda curvature, momentum: 2 / curvature),
        ),
        Misconception(
            "momentum lowers the limit",
            "It looks as if your limit is 2·(1 − μ)/λ, as if the step were 1/(1 − μ) times larger. "
            "At the limit the gradient changes its sign at every step, and the velocity does not add up.",
            "Ask yourself: with v ← μ·v + g and g = 1, −1, 1, −1, …, to which size does v tend?",
            _formula(lambda curvature, momentum: 2 * (1 - momentum) / curvature),
        ),
        Misconception(
            "the 2 forgotten",
            "It looks as if your limit is half as large as it should be. At 1/λ, without momentum, one step leads "
            "right to the minimum.",
            "Ask yourself: how far may a step go beyond the minimum before w grows?",
            _formula(lambda curvature, momentum: (1 + momentum) / curvature),
        ),
        Misconception(
            "the best rate for the largest",
            "It looks as if your number is a rate that is fast, and not the largest that is stable.",
            "Ask yourself: just above your number, does w grow or does it still go to 0?",
            matches=one_of(
                call_directly,
                lambda curvature, momentum=0.0: (1 - momentum**0.5) ** 2 / curvature,
                lambda curvature, momentum=0.0: (1 + momentum**0.5) ** 2 / curvature,
                lambda curvature, momentum=0.0: 1 / curvature,
            ),
        ),
        Misconception(
            "divided by 1 − μ",
            "It looks as if your limit grows without bound as μ goes to 1.",
            "Ask yourself: what is the limit for μ = 0.999, if z = −1 solves z² − (1 + μ − α·λ)·z + μ = 0 there?",
            _formula(lambda curvature, momentum: 2 / (curvature * (1 - momentum))),
        ),
        Misconception(
            "multiplied by the curvature",
            "It looks as if your limit grows with the curvature.",
            "Ask yourself: in a narrower valley, must steps be longer or shorter?",
            _formula(lambda curvature, momentum: 2 * (1 + momentum) * curvature),
        ),
        Misconception(
            "root of the curvature",
            "It looks as if you divide by √λ.",
            "Ask yourself: by what does one step multiply w, 1 − α·λ or 1 − α·√λ?",
            _formula(lambda curvature, momentum: 2 * (1 + momentum) / curvature**0.5),
        ),
        Misconception(
            "nothing is refused",
            "It looks as if you compute a number even where the parabola has no minimum, or the momentum lets nothing "
            "fade.",
            "Ask yourself: what does your formula give for λ = −1, and does w go to 0 with it?",
            or_raises(_right),
        ),
        Misconception(
            "momentum not refused",
            "It looks as if you test the curvature and not the momentum.",
            "Ask yourself: which values of μ does the docstring allow, and what happens at the others?",
            _refuses_where(lambda curvature, momentum: curvature <= 0),
        ),
        Misconception(
            "curvature not refused",
            "It looks as if you test the momentum and not the curvature, or let a curvature of 0 pass.",
            "Ask yourself: where is the minimum of ½·λ·w² when λ is 0 or negative?",
            _refuses_where(lambda curvature, momentum: not 0 <= momentum < 1),
        ),
        Misconception(
            "momentum 1 let through",
            "It looks as if a momentum of exactly 1 does not raise an error.",
            "Ask yourself: with μ = 1, does the velocity ever fade?",
            _refuses_where(lambda curvature, momentum: curvature <= 0 or not 0 <= momentum <= 1),
        ),
        Misconception(
            "momentum 0 refused",
            "It looks as if plain gradient descent, with momentum 0, raises an error.",
            "Ask yourself: is the default value of momentum allowed?",
            _refuses_where(lambda curvature, momentum: curvature <= 0 or not 0 < momentum < 1),
        ),
        Misconception(
            "a message without the number",
            "It looks as if you raise the right kind of error, and its message lacks the number that is impossible.",
            "Ask yourself: which number would you want to read when this error comes out of a long program?",
            _formula(_right),
        ),
    ),
)
