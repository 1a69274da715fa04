"""What every initializer's exercise has: how it is called and judged, its cases, and the mistakes all of them share.

A wrong idea about a variance leads to a sample of another law. It is named where the weights fit that law in every
case that fails, by the same tests with the same bounds as the right one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from course_utils.checks.exercise import Case, Misconception
from course_utils.checks.statistical import (
    NORMAL,
    SINGLE,
    TRUNCATED,
    UNIFORM,
    Law,
    fault,
    fits,
    malformed,
    repeated_axis,
    sign_statistic,
    two_sided,
)

CUT_SPREAD = 0.8796256610342398  # standard deviation of N(0, 1) cut at ±2, by which some libraries divide


def call_initializer(student, shape, seed, calls, **option):
    import numpy as np

    rng = np.random.default_rng(seed)
    drawn = [student(shape, rng, **option) for _ in range(calls)]
    if calls == 1:
        return drawn[0]
    again = student(shape, np.random.default_rng(seed), **option)
    return drawn[0], drawn[1], bool(np.array_equal(drawn[0], again))


def sample_case(rng, aspect: str, shape: Sequence[int], calls: int = 1, **option) -> Case:
    """Weights of about this shape: up to two units and inputs more."""
    out, inputs = (int(size + rng.integers(0, 3)) for size in shape[:2])
    seed = int(rng.integers(2**31))
    return Case(aspect, {"shape": (out, inputs, *shape[2:]), "seed": seed, "calls": calls, **option})


# --- judging --------------------------------------------------------------------------------------------------------


def arguments(case: Case) -> dict:
    """What the student's function was given, without rng."""
    return {name: value for name, value in case.inputs.items() if name not in ("seed", "calls")}


def samples(outputs) -> list:
    """The arrays among what `call_initializer` returned."""
    return list(outputs[:2]) if isinstance(outputs, tuple) else [outputs]


def verify_sample(law: Callable[..., Law]):
    """The `verify` of an initializer whose weights should follow `law(shape, …)`."""

    def verify(case, outputs):
        shape, right = case.inputs["shape"], law(**arguments(case))
        if case.inputs["calls"] == 1:
            return fault(outputs, shape, right)
        if not isinstance(outputs, tuple) or len(outputs) != 3:
            return "the result is not an array of weights"
        first, second, repeats = outputs
        found = fault(first, shape, right) or _not_fresh(first, second, repeats) or fault(second, shape, right)
        if found is None and abs(sign_statistic(first, second)) > two_sided(SINGLE):
            return "the numbers of a second call depend on those of the first"
        return found

    return verify


def _not_fresh(first, second, repeats):
    if np.array_equal(first, second):
        return "two calls with one rng return the same numbers, should return new ones"
    if not repeats:
        return "with rng in the same state, a second call returns other numbers: not all of them come from rng"
    return None


def follows(*laws: Callable[..., Law], right: Callable[..., Law] | None = None):
    """A `matches`: the weights fit one of these wrong laws.

    With `right`, their scale must also lie clearly nearer to the wrong law than to that one, where the two differ.
    """

    def explains(weights, wrong, true):
        if not fits(weights, wrong):
            return False
        if true is None or math.isclose(wrong.std, true.std):
            return True
        found = math.log(np.sqrt(np.mean(weights**2)))
        return abs(found - math.log(wrong.std)) < abs(found - math.log(true.std)) / 3

    def matches(case, outputs):
        found, given = samples(outputs), arguments(case)
        true = None if right is None else right(**given)
        if any(malformed(w, case.inputs["shape"]) for w in found) or not any(
            all(explains(w, law(**given), true) for w in found) for law in laws
        ):
            return False
        # Copies and numbers that are not new are wrong too, and no law explains them.
        copied = any(repeated_axis(w) is not None for w in found)
        return not copied and (len(found) == 1 or _not_fresh(*outputs) is None)

    return matches


def scaled(family: str, variance: Callable[..., float], factor: float = 1.0, offset: float = 0.0):
    """A law as a function of the arguments: `factor` standard deviations wide, `offset` of them from 0."""

    def law(**given):
        std = math.sqrt(variance(**given))
        return Law(family, factor * std, offset * std)

    return law


# --- misconceptions -------------------------------------------------------------------------------------------------


def _all_equal(case, outputs):
    return all(
        malformed(w, case.inputs["shape"]) is None and bool(np.ptp(w) == 0) and w.flat[0] != 0 for w in samples(outputs)
    )


def _all_zero(case, outputs):
    return all(malformed(w, case.inputs["shape"]) is None and not np.any(w) for w in samples(outputs))


def _copied(case, outputs):
    """Slices are repeated, but not all numbers are one."""
    return all(
        malformed(w, case.inputs["shape"]) is None and np.ptp(w) > 0 and repeated_axis(w) is not None
        for w in samples(outputs)
    )


def _same_numbers(case, outputs):
    return case.inputs["calls"] == 2 and bool(np.array_equal(*samples(outputs)))


def _other_source(case, outputs):
    return case.inputs["calls"] == 2 and not outputs[2] and not np.array_equal(*samples(outputs))


def every_initializer() -> tuple[Misconception, ...]:
    """What can go wrong whatever the law is."""
    return (
        Misconception(
            "all weights zero",
            "It looks as if every weight is zero.",
            "Ask yourself: which gradient reaches the layer below, when it is multiplied by zero weights on its way?",
            matches=_all_zero,
        ),
        Misconception(
            "all weights equal",
            "It looks as if every weight is the same number.",
            "Ask yourself: if two units start with the same weights and get the same gradient, when do they begin to "
            "differ?",
            matches=_all_equal,
        ),
        Misconception(
            "one draw copied",
            "It looks as if you draw once for a whole row or kernel and copy the numbers.",
            "Ask yourself: how many numbers does your call of rng return, and how many does the layer need?",
            matches=_copied,
        ),
        Misconception(
            "same numbers at every call",
            "It looks as if your function makes a generator of its own, with a fixed seed.",
            "Ask yourself: what do two layers of one shape, initialized one after the other, have in common?",
            matches=_same_numbers,
        ),
        Misconception(
            "rng not used",
            "It looks as if the numbers come from somewhere else than the rng that was passed in.",
            "Ask yourself: can somebody who passes the same generator repeat your experiment?",
            matches=_other_source,
        ),
    )


def _first_argument(*laws):
    return Misconception(
        "scale passed as the first argument",
        "It looks as if your number is the first argument of rng's method. In rng.normal that is the mean, in "
        "rng.uniform the lower end.",
        "Ask yourself: which arguments does the method take, in which order, and what are they when left out?",
        matches=follows(*laws),
    )


def _from_to_one(variance, sign):
    """rng.uniform(±a, size=shape): the upper end is left at 1."""

    def law(**given):
        low = sign * math.sqrt(3 * variance(**given))
        return Law(UNIFORM, (1 - low) / math.sqrt(12), (1 + low) / 2)

    return law


def normal_shape(variance) -> tuple[Misconception, ...]:
    """The right variance and a wrong shape, where a normal law is asked for."""
    return (
        _first_argument(lambda **given: Law(NORMAL, 1.0, math.sqrt(variance(**given)))),
        Misconception(
            "bound used as the standard deviation",
            "It looks as if your standard deviation is √3 times too large: the bound of the uniform law.",
            "Ask yourself: does the 6 under the root belong to the normal or to the uniform initialization?",
            matches=follows(scaled(NORMAL, variance, math.sqrt(3))),
        ),
        Misconception(
            "uniform instead of normal",
            "It looks as if your numbers are spread evenly over an interval.",
            "Ask yourself: which method of rng gives normal numbers, and what would their histogram look like?",
            matches=follows(
                scaled(UNIFORM, variance, 1 / math.sqrt(12), 1 / 2),  # from 0 to the standard deviation
                scaled(UNIFORM, variance, 1 / math.sqrt(3)),  # from minus to plus the standard deviation
                scaled(UNIFORM, variance),
            ),
        ),
        Misconception(
            "truncated normal",
            "It looks as if no number lies beyond two standard deviations. Some libraries cut the tails off like this.",
            "Ask yourself: which share of normal numbers lies beyond two standard deviations, and where did they go?",
            matches=follows(scaled(TRUNCATED, variance), scaled(TRUNCATED, variance, 1 / CUT_SPREAD)),
        ),
    )


def uniform_shape(variance) -> tuple[Misconception, ...]:
    """Misread intervals, where a uniform law is asked for."""
    return (
        _first_argument(_from_to_one(variance, -1), _from_to_one(variance, 1)),
        Misconception(
            "standard deviation used as the bound",
            "It looks as if you draw between −s and s, where s is the standard deviation that is asked for.",
            "Ask yourself: what is the variance of numbers spread evenly between −a and a?",
            matches=follows(scaled(UNIFORM, variance, 1 / math.sqrt(3))),
        ),
        Misconception(
            "bound used as the width",
            "It looks as if your interval reaches from −a/2 to a/2: it is a wide, not 2a.",
            "Ask yourself: how wide is the interval from −a to a?",
            matches=follows(scaled(UNIFORM, variance, 1 / 2)),
        ),
        Misconception(
            "only positive numbers",
            "It looks as if your interval begins at 0.",
            "Ask yourself: what should the mean of the weights be?",
            matches=follows(
                scaled(UNIFORM, variance, 1 / 2, math.sqrt(3) / 2),  # from 0 to a
                scaled(UNIFORM, variance, 1 / math.sqrt(12), 1 / 2),  # from 0 to the standard deviation
                scaled(UNIFORM, variance, 1, math.sqrt(3)),  # from 0 to 2a
            ),
        ),
        Misconception(
            "normal instead of uniform",
            "It looks as if your numbers are normally distributed.",
            "Ask yourself: can a number that is spread evenly between −a and a ever be larger than a?",
            matches=follows(scaled(NORMAL, variance), scaled(NORMAL, variance, math.sqrt(3))),
        ),
    )
