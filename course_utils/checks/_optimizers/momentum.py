"""momentum_convention: one velocity, kept in three ways."""

from __future__ import annotations

import numpy as np

from course_utils.checks._convolution.impossible import or_raises
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises
from course_utils.plain import strided

NAMES = ("inside", "outside", "averaged")

# The two lines of a step: the new velocity, and by how much the weights change with it.
UPDATED = {
    "inside": lambda v, g, lr, mu: mu * v - lr * g,
    "outside": lambda v, g, lr, mu: mu * v + g,
    "averaged": lambda v, g, lr, mu: mu * v + (1 - mu) * g,
}
MOVED = {
    "inside": lambda v, lr, mu: v,
    "outside": lambda v, lr, mu: -lr * v,
    "averaged": lambda v, lr, mu: -lr / (1 - mu) * v,
}


def next_change(name, v, g, lr, mu):
    """By how much the weights change in the next step of a convention, whose velocity is v now."""
    return MOVED[name](UPDATED[name](v, g, lr, mu), lr, mu)


def converted(velocity, learning_rate, momentum, source, target):
    """Runs one step in both conventions and solves for the velocity with which the weights change alike.

    A step is affine in the velocity: two trial steps of the target, from 0 and from 1, say everything about it.
    Without momentum the next step forgets the velocity, and the last one takes its place.
    """
    import torch

    unknown = [name for name in (source, target) if name not in NAMES]
    if unknown:
        raise ValueError(f"there is no momentum convention called {unknown[0]!r}")
    v = torch.tensor(np.ascontiguousarray(velocity), dtype=torch.float64).reshape(np.shape(velocity))
    g = torch.linspace(-2.0, 3.0, max(v.numel(), 1), dtype=torch.float64)[: v.numel()].reshape(v.shape)

    def change(name, v):
        if momentum:
            return next_change(name, v, g, learning_rate, momentum)
        return MOVED[name](v, learning_rate, momentum)

    at_zero = change(target, torch.zeros_like(v))
    slope = change(target, torch.ones_like(v)) - at_zero
    return ((change(source, v) - at_zero) / slope).numpy()


def _expected(source, target, **given):
    wrong = next((name for name in (source, target) if name not in NAMES), None)
    return Raises("ValueError", (wrong,)) if wrong else converted(source=source, target=target, **given)


def _by_factors(inside=lambda lr, mu: 1.0, outside=lambda lr, mu: -lr, averaged=lambda lr, mu: -lr / (1 - mu)):
    """A student's conversion with other ideas of what a velocity of 1 does to the weights."""
    moves = {"inside": inside, "outside": outside, "averaged": averaged}

    def variant(velocity, learning_rate, momentum, source, target):
        if source not in NAMES or target not in NAMES:
            return Raises("ValueError")
        factors = {name: move(learning_rate, momentum) for name, move in moves.items()}
        return velocity * factors[source] / factors[target]

    return variant


def _swapped(source, target, **given):
    return _by_factors()(source=target, target=source, **given)


def _after_next_update(velocity, learning_rate, momentum, source, target):
    right = _by_factors()(velocity, learning_rate, momentum, source, target)
    return right if isinstance(right, Raises) or source == target else momentum * right


def _nothing_refused(**given):
    return given["velocity"].copy() if _refused(**given) else _by_factors()(**given)


def _refused(source, target, **given):
    return source not in NAMES or target not in NAMES


def _cases(rng):
    def case(aspect, source, target, shape=(3, 4), mu=None, make=lambda array: array):
        return Case(
            aspect,
            {
                "velocity": make(rng.normal(size=shape)),
                "learning_rate": float(rng.uniform(0.02, 0.3)),
                "momentum": float(rng.uniform(0.55, 0.95)) if mu is None else mu,
                "source": source,
                "target": target,
            },
        )

    two, third, same, refuse = "inside and outside", "averaged", "from a convention to itself", "unknown names"
    return [
        case(two, "inside", "outside"),
        case(two, "outside", "inside", (5,)),
        case(two, "inside", "outside", (2, 3, 2, 2), make=strided),
        case(two, "outside", "inside", (), mu=0.0),
        case(third, "outside", "averaged", (4, 2)),
        case(third, "averaged", "outside", (2, 3, 2)),
        case(third, "inside", "averaged", (6,), make=strided),
        case(third, "averaged", "inside", (3, 3)),
        case(third, "averaged", "inside", (4,), mu=0.0),
        *(case(same, name, name, (2, 3)) for name in NAMES),
        case(refuse, "nesterov", "inside"),
        case(refuse, "outside", "heavy ball", (4,)),
        case(refuse, "Averaged", "Averaged", (2, 2)),
    ]


momentum_convention = Exercise(
    name="momentum_convention",
    cases=_cases,
    expected=_expected,
    stand_in=lambda: converted,
    fresh=True,
    weights={"inside and outside": 2.0, "averaged": 2.0},
    difficulty=3,
    importance=3,
    minutes=20,
    hints=(
        "A velocity matters only through what it does to the weights. Ask of each convention: by how much does w "
        "change when its velocity is v? Two velocities stand for the same when these changes are equal.",
        "The last lines say it: inside, w changes by v; outside, by −lr · v; averaged, by −lr / (1 − μ) · v. The "
        "first lines then agree by themselves: multiply each by its factor and compare.",
        'factor = {"inside": 1, "outside": −lr, "averaged": −lr / (1 − μ)}. Source and target must agree in '
        "factor · velocity, so return velocity * (factor[source] / factor[target]). A name that is no key of factor "
        "raises ValueError.",
    ),
    misconceptions=(
        Misconception(
            "sign of the velocity",
            "It looks as if all velocities point the same way. Inside, v already has the minus of the step; in the "
            "other two it points along the gradient.",
            "Ask yourself: in which of the three is w + v written, and in which w minus something times v?",
            _by_factors(outside=lambda lr, mu: lr, averaged=lambda lr, mu: lr / (1 - mu)),
        ),
        Misconception(
            "learning rate left out",
            "It looks as if the learning rate plays no part in your conversion.",
            "Ask yourself: which of the velocities changes its size when lr is doubled from the start?",
            _by_factors(outside=lambda lr, mu: -1.0, averaged=lambda lr, mu: -1 / (1 - mu)),
        ),
        Misconception(
            "multiplied where the learning rate divides",
            "It looks as if the learning rate is on the wrong side: you multiply by it where you should divide, and "
            "the other way round.",
            "Ask yourself: after one step from v = 0, the velocity inside is −lr · g and outside g: which of them "
            "do you divide by −lr to get the other?",
            _by_factors(outside=lambda lr, mu: -1 / lr, averaged=lambda lr, mu: -1 / (lr * (1 - mu))),
        ),
        Misconception(
            "source and target swapped",
            "It looks as if you convert in the other direction, from target to source.",
            "Ask yourself: in which of the two conventions is the velocity that you were given?",
            _swapped,
        ),
        Misconception(
            "factor 1 − μ forgotten",
            "It looks as if the averaged velocity is as large as the one outside.",
            "Ask yourself: when the gradient is always g, to which number does v tend in each of the two?",
            _by_factors(averaged=lambda lr, mu: -lr),
        ),
        Misconception(
            "multiplied where 1 − μ divides",
            "It looks as if you divide by 1 − μ where you should multiply, and the other way round.",
            "Ask yourself: when the gradient is always g, v tends to g / (1 − μ) outside. To what does it tend when "
            "it is averaged?",
            _by_factors(averaged=lambda lr, mu: -lr * (1 - mu)),
        ),
        Misconception(
            "μ for 1 − μ",
            "It looks as if you use μ where 1 − μ belongs.",
            "Ask yourself: which number multiplies g in the averaged convention?",
            or_raises(_by_factors(averaged=lambda lr, mu: -lr / mu)),
        ),
        Misconception(
            "velocity updated once more",
            "It looks as if your velocity is already multiplied by μ for the next step.",
            "Ask yourself: who multiplies the velocity by μ, your conversion or the next step?",
            _after_next_update,
        ),
        Misconception(
            "nothing is refused",
            "It looks as if a name that is none of the three does not raise an error.",
            "Ask yourself: what does a program do that asks for a convention with a typing error in its name?",
            _nothing_refused,
        ),
        Misconception(
            "a message without the name",
            "It looks as if you raise the right kind of error, and its message does not say which name it is about.",
            "Ask yourself: which of two names would you want to read when this error comes out of a long program?",
            _by_factors(),
        ),
    ),
)
