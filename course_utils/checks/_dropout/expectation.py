"""expected_output: mean and variance of a masked sum, by listing all masks."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import agrees
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided

PARTS = ("mean", "variance")


def call_expected_output(student, part, **inputs):
    result = student(**inputs)
    if result is None:
        raise TypeError("the result is None: is a return missing?")
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise TypeError("the result should be two values (mean, variance)")
    return {name: result[i] for i, name in enumerate(("mean", "variance")) if part in (name, "both")}


def moments(weights, x, keep_probability):
    """Mean and variance of Σ wᵢ xᵢ mᵢ, over all 2ⁿ masks with their probabilities."""
    n = len(weights)
    masks = np.arange(2**n)[:, None] >> np.arange(n) & 1
    kept = masks.sum(axis=1)
    chance = keep_probability**kept * (1 - keep_probability) ** (n - kept)
    outputs = masks @ (weights * x)
    mean = float(chance @ outputs)
    return mean, float(chance @ (outputs - mean) ** 2)


def _part(part, values):
    return {name: value for name, value in zip(PARTS, values, strict=True) if part in (name, "both")}


def _expected(part, **inputs):
    return _part(part, moments(**inputs))


def _cases(rng):
    def case(aspect, part, n, q, make=lambda array: array):
        terms = {name: make(rng.choice([-1, 1], n) * rng.uniform(0.5, 2.0, n)) for name in ("weights", "x")}
        terms["weights"][0], terms["x"][0] = 2.5, 3.0  # no sum of all terms is near 0
        terms["weights"][1:] *= 0.5
        return Case(aspect, {**terms, "keep_probability": q, "part": part})

    return [
        case("mean", "mean", 4, 0.8),
        case("mean", "mean", 7, 0.3, make=strided),
        case("variance", "variance", 4, 0.8),
        case("variance", "variance", 7, 0.3, make=strided),
        case("many masks", "both", 10, 0.8),
        case("one or two inputs", "both", 1, 0.7),
        case("one or two inputs", "both", 2, 0.2),
    ]


def _wrong(mean=None, variance=None):
    """A variant in which mean(t, q) or variance(t, q) of the terms t = w · x stands in for the right one."""

    def variant(part, weights, x, keep_probability):
        right, terms = moments(weights, x, keep_probability), weights * x
        wrong = [change and float(change(terms, keep_probability)) for change in (mean, variance)]
        return _part(part, [r if w is None else w for r, w in zip(right, wrong, strict=True)])

    return variant


def _sampled(case, outputs):
    """Both numbers are near the truth, as an estimate from some hundred masks is, and neither is exact."""
    mean, variance = moments(**{name: value for name, value in case.inputs.items() if name != "part"})
    if any(np.ndim(value) for value in outputs.values()):
        return False
    near = {"mean": abs(outputs.get("mean", mean) - mean) < 0.3 * variance**0.5}
    near["variance"] = 0.7 < outputs.get("variance", variance) / variance < 1.4
    right = {"mean": mean, "variance": variance}
    return all(near.values()) and not any(agrees(right[name], value) for name, value in outputs.items())


expected_output = Exercise(
    name="expected_output",
    cases=_cases,
    call=call_expected_output,
    expected=_expected,
    stand_in=lambda: moments,
    outputs=PARTS,
    for_call=("part",),
    difficulty=2,
    importance=4,
    minutes=15,
    hints=(
        "The mean of a sum is the sum of the means. And the terms are independent: their variances add up too.",
        "One term is wᵢxᵢ with probability q and 0 otherwise. Its mean is q·wᵢxᵢ. Its variance is the mean of its "
        "square minus the square of its mean.",
        "terms = weights * x. The mean is q * sum(terms), the variance q * (1 - q) * sum(terms**2).",
    ),
    misconceptions=(
        Misconception(
            "mask left out",
            "It looks as if your mean is the sum with all inputs there.",
            "Ask yourself: with one input and q = 0.8, in which share of all masks is the output 0?",
            _wrong(mean=lambda t, q: t.sum()),
        ),
        Misconception(
            "keep and drop swapped",
            "It looks as if an input is kept with probability 1 − q.",
            "Ask yourself: if nearly everything is kept, q = 0.99, what should the mean be near?",
            _wrong(mean=lambda t, q: (1 - q) * t.sum()),
        ),
        Misconception(
            "all masks equally likely",
            "It looks as if every mask counts the same. That is right for q = 1/2 alone.",
            "Ask yourself: with 4 inputs and q = 0.8, how likely is it that all four are kept, and that none is?",
            _wrong(mean=lambda t, q: t.sum() / 2, variance=lambda t, q: (t**2).sum() / 4),
        ),
        Misconception(
            "inverted dropout",
            "It looks as if you divide the output by q. Here nothing is scaled.",
            "Ask yourself: which factor stands before wᵢ xᵢ mᵢ in the definition of y?",
            _wrong(mean=lambda t, q: t.sum(), variance=lambda t, q: (1 - q) / q * (t**2).sum()),
        ),
        Misconception(
            "mean of the square",
            "It looks as if your variance is E[y²]. The square of the mean has to be subtracted.",
            "Ask yourself: with q = 1 there is only one mask; what is the variance of y then, and what is yours?",
            _wrong(variance=lambda t, q: q * (1 - q) * (t**2).sum() + (q * t.sum()) ** 2),
        ),
        Misconception(
            "q for q(1 − q)",
            "It looks as if the variance of one term is q · (wᵢxᵢ)². That is the mean of its square.",
            "Ask yourself: with q = 1, how much does the output vary?",
            _wrong(variance=lambda t, q: q * (t**2).sum()),
        ),
        Misconception(
            "q² for q(1 − q)",
            "It looks as if you multiply the squares by q². That is how a fixed factor changes a variance.",
            "Ask yourself: with q = 1, how much does the output vary?",
            _wrong(variance=lambda t, q: q**2 * (t**2).sum()),
        ),
        Misconception(
            "terms not squared",
            "It looks as if the terms enter the variance as they are, not squared.",
            "Ask yourself: what happens to the variance of y when every weight changes its sign?",
            _wrong(variance=lambda t, q: q * (1 - q) * t.sum()),
        ),
        Misconception(
            "square of the sum",
            "It looks as if you square the sum of the terms. That would be right if all were dropped together.",
            "Ask yourself: two terms, 1 and −1: can the output vary, if each is dropped on its own?",
            _wrong(variance=lambda t, q: q * (1 - q) * t.sum() ** 2),
        ),
        Misconception(
            "standard deviation for variance",
            "It looks as if you return the standard deviation.",
            "Ask yourself: what happens to the variance when every weight is doubled?",
            _wrong(variance=lambda t, q: (q * (1 - q) * (t**2).sum()) ** 0.5),
        ),
        Misconception(
            "(variance, mean)",
            "It looks as if you return the variance first and the mean second.",
            "Ask yourself: the caller writes mean, variance = expected_output(…); which of the two is called variance?",
            lambda part, **inputs: _part(part, moments(**inputs)[::-1]),
        ),
        Misconception(
            "estimated by sampling",
            "It looks as if your numbers are an estimate from random masks. They come near, and they are not exact.",
            "Ask yourself: how many masks are there for 4 inputs, and could you go through all of them?",
            matches=_sampled,
        ),
    ),
)
