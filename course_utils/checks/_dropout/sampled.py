"""What every exercise that draws masks has: how it is called and judged, and the mistakes all of them share.

No mask is known beforehand. An exercise says how to *read* one from a result, under the supposition that what is kept
was multiplied by some factor: `read(case, result, factor)` returns an array of booleans, or None where no mask gives
that result. A mask that was read is judged by `masks`. A wrong idea is named where the results of a failing case can be
read under its supposition, and the masks are what it would have drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from course_utils.checks.exercise import Case, Misconception
from course_utils.checks.masks import all_keep_the_same_number, calls_fault, fault, fits

CALLS = 9  # so that equal counts of 2000 elements have a chance below 1e-10


def call_with_rng(student, seed, calls, **inputs):
    import numpy as np

    rng = np.random.default_rng(seed)
    if calls == 1:
        return student(rng=rng, **inputs)

    def again(rng):
        copies = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in inputs.items()}
        return student(rng=rng, **copies)

    return [again(rng) for _ in range(calls)] + [again(np.random.default_rng(seed))]


def seeded(rng: np.random.Generator, aspect: str, calls: int = 1, **inputs: Any) -> Case:
    """A case with a seed for the generator that the student's function draws from."""
    return Case(aspect, {**inputs, "seed": int(rng.integers(2**31)), "calls": calls})


def nonzero(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Numbers of either sign that are clearly not 0, so that a zero in a result was dropped."""
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.5, 2.0, size=shape)


def keep(case: Case) -> float:
    """The probability of keeping an element."""
    given = case.inputs
    return given["keep_probability"] if "keep_probability" in given else 1 - given["drop_probability"]


def over(p: float) -> float:
    """1 / p, which is infinite at p = 0."""
    return float(np.divide(1.0, p))


def in_training(case: Case) -> bool:
    return case.inputs.get("training", True)


def results(case: Case, outputs: Any) -> list:
    """What the student's function returned, call by call; the last one of several came from a generator set back."""
    return outputs if case.inputs["calls"] > 1 else [outputs]


def call_missing(case: Case, outputs: Any) -> bool:
    """Whether there are not as many results as calls."""
    calls = case.inputs["calls"]
    return calls > 1 and not (isinstance(outputs, list) and len(outputs) == calls + 1)


# --- judging --------------------------------------------------------------------------------------------------------

Read = Callable[[Case, Any, float], np.ndarray | None]


def verify_masks(value_fault: Callable[[Case, Any], str | None], read: Read, factor: Callable, what: str = "elements"):
    """The `verify` of an exercise with random masks.

    `value_fault(case, result)` is a sentence where no mask gives the result. `factor(q)` multiplies what is kept.
    """

    def verify(case, outputs):
        q, found = keep(case), []
        if call_missing(case, outputs):
            return "there is no result for each call"
        for result in results(case, outputs):
            if (wrong := value_fault(case, result)) is not None:
                return wrong
            if not in_training(case):
                return None
            found.append(read(case, result, factor(q)))
            if (wrong := fault(found[-1], q, what)) is not None:
                return wrong
        return calls_fault(found[:-1], found[-1], q, what) if len(found) > 1 else None

    return verify


def read_all(read: Read, case: Case, outputs: Any, factor: float) -> list[np.ndarray] | None:
    """The masks of all results; None unless each of them can be read."""
    found = []
    for result in results(case, outputs):
        mask = read(case, result, factor)
        if mask is None:
            return None
        found.append(mask)
    return found


def drawn(
    read: Read,
    factor: Callable[[float], float],
    law: Callable[[np.ndarray, float], bool] = fits,
):
    """A `matches` for training: kept elements are multiplied by `factor(q)`, and each mask obeys `law(mask, q)`.

    With several calls, the masks must also be independent and come from rng: what is not has a name of its own.
    """

    def matches(case, outputs):
        q = keep(case)
        with np.errstate(all="ignore"):
            found = read_all(read, case, outputs, factor(q)) if in_training(case) else None
        if found is None or not all(law(mask, q) for mask in found):
            return False
        return len(found) == 1 or (_is_new(found) and _from_rng(found) and not _is_fixed(found, q))

    return matches


def of_own_share(read_share: Callable[[Case, Any], np.ndarray | None]):
    """A `matches` for training: each result is divided by the share that its own mask keeps.

    `read_share(case, result)` is the mask, where the result is divided by its share. In several calls that share may
    now and then be 1 − p.
    """

    def matches(case, outputs):
        found = [read_share(case, result) for result in results(case, outputs)] if in_training(case) else [None]
        dropped = all(mask is not None and not mask.all() for mask in found)
        return dropped and not all(math.isclose(mask.mean(), keep(case)) for mask in found)

    return matches


def any_of(*ways: Callable[[Case, Any], bool]) -> Callable[[Case, Any], bool]:
    """A `matches` for one idea that shows in several ways."""
    return lambda case, outputs: any(way(case, outputs) for way in ways)


def by_mode(training: Callable[[Case, Any], bool], evaluation: Callable[[Case, Any], bool]):
    """A `matches` of which one half is for training, the other for evaluation."""
    return lambda case, outputs: (training if in_training(case) else evaluation)(case, outputs)


def drawn_once(read: Read, factor: Callable[[float], float]):
    """A `matches` for training: one draw keeps or drops everything, and in several calls drops it at least once."""

    def matches(case, outputs):
        found = read_all(read, case, outputs, factor(keep(case))) if in_training(case) else None
        if found is None or not all(mask.all() or not mask.any() for mask in found):
            return False
        return len(found) == 1 or not all(mask.all() for mask in found)

    return matches


def undropped(read: Read, factor: float = 1.0):
    """A `matches` for training: nothing is dropped, and everything is multiplied by `factor`."""

    def matches(case, outputs):
        found = read_all(read, case, outputs, factor) if in_training(case) else None
        return found is not None and all(mask.all() for mask in found)

    return matches


def _is_new(found: list[np.ndarray]) -> bool:
    return not np.array_equal(found[0], found[1])


def _from_rng(found: list[np.ndarray]) -> bool:
    return np.array_equal(found[0], found[-1])


def _is_fixed(found: list[np.ndarray], q: float) -> bool:
    return all_keep_the_same_number(found[:-1], q)


# --- laws of wrong masks --------------------------------------------------------------------------------------------


def swapped(mask: np.ndarray, q: float) -> bool:
    """Elements are kept with the probability of being dropped."""
    return fits(mask, 1 - q)


def same_along(axis: int) -> Callable[[np.ndarray, float], bool]:
    """All slices along an axis are the same, number for number, and follow the right law."""

    def law(mask, q):
        if mask.ndim == 1:  # of 1-d x, nothing is left but one draw
            return bool(mask.all() or not mask.any())
        return bool((mask == mask.take([0], axis)).all()) and fits(mask.take(0, axis), q)

    return law


def same_within(mask: np.ndarray, q: float) -> bool:
    """Each slice along axis 0 is kept or dropped as a whole."""
    rows = mask.reshape(len(mask), -1)
    return rows.shape[1] > 1 and bool((rows == rows[:, :1]).all()) and fits(rows[:, 0], q)


# --- misconceptions -------------------------------------------------------------------------------------------------


def wrong_factors(
    times_q: Callable[[Case, Any], bool], read_share: Callable[[Case, Any], np.ndarray | None], what: str = "elements"
) -> tuple[Misconception, ...]:
    """Mistakes about the factor of inverted dropout: a `matches` for q itself, and what `of_own_share` needs."""
    return (
        Misconception(
            "multiplied by 1 − p",
            "It looks as if what is kept is multiplied by 1 − p. It shrinks where it should grow.",
            f"Ask yourself: must the {what} that are kept become larger or smaller, so that the mean stays?",
            matches=times_q,
        ),
        Misconception(
            "divided by the share of this mask",
            f"It looks as if you divide by the share of {what} that happened to be kept. Only its mean over all masks "
            "is 1 − p.",
            f"Ask yourself: of 10 {what} with p = 0.2, are exactly 8 kept every time?",
            matches=of_own_share(read_share),
        ),
    )


def every_mask(read: Read, factor: Callable[[float], float], what: str = "elements") -> tuple[Misconception, ...]:
    """Mistakes about randomness; `factor(q)` rightly multiplies what is kept."""

    def found(case, outputs):
        several = case.inputs["calls"] > 1
        masks = read_all(read, case, outputs, factor(keep(case))) if several else None
        return masks if masks is not None and all(fits(mask, keep(case)) for mask in masks) else None

    def same(case, outputs):
        masks = found(case, outputs)
        return masks is not None and not _is_new(masks)

    def other_source(case, outputs):
        masks = found(case, outputs)
        return masks is not None and _is_new(masks) and not _from_rng(masks)

    def fixed_number(case, outputs):
        masks = found(case, outputs)
        return masks is not None and _is_new(masks) and _from_rng(masks) and _is_fixed(masks, keep(case))

    return (
        Misconception(
            "nothing dropped",
            "It looks as if nothing is ever dropped in training.",
            f"Ask yourself: if each is dropped with a probability of 0.2, about how many of 1000 {what} are missing?",
            matches=undropped(read),
        ),
        Misconception(
            "same mask at every call",
            "It looks as if every call drops the same: a generator with a fixed seed, or a mask that is kept.",
            f"Ask yourself: how many of the thinned networks are trained when every step drops the same {what}?",
            matches=same,
        ),
        Misconception(
            "rng not used",
            "It looks as if the random numbers come from somewhere else than the rng that was passed in.",
            "Ask yourself: can somebody who passes the same generator repeat your experiment?",
            matches=other_source,
        ),
        Misconception(
            "a fixed number dropped",
            f"It looks as if you drop the same number of {what} every time. Then the draws depend on each other.",
            "Ask yourself: of 10 tosses of a coin, how many are heads, always exactly 5?",
            matches=fixed_number,
        ),
    )
