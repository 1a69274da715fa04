"""Exercises are independent: one that builds on another is not marked down for the other's mistake.

Where a student's `b` uses the student's own `a`, and `a` fails its own check, `b` is tried again with a correct `a`
lent to it: the oracle in the student's own check, the reference (called across the wall) when the judge decides.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from course_utils.checks import registry
from course_utils.checks.exercise import Exercise
from course_utils.checks.forbidden import reached_names
from course_utils.checks.verdict import Verdict


def broken_ground(exercise: Exercise, cells: Sequence[str], failed: Callable[[Exercise], bool]) -> list[str]:
    """The other exercises that `exercise` uses in these cells and that fail their own check.

    None where a file is judged: it is what it is, whoever made it.
    """
    if exercise.hands_in:
        return []
    reached = [other for name in reached_names(cells, exercise.name) if (other := registry.find(name))]
    return [other.name for other in reached if failed(other)]


def judged_on_own_merit(
    exercise: Exercise, first: Verdict, broken: Sequence[str], again: Callable[[list[str]], Verdict]
) -> Verdict:
    """The verdict that counts for an exercise that stands on `broken` ones; `again(names)` tries it with those lent.

    Where it still fails, no misconception is named: the failure may not be its own.
    """
    names = [name for name in broken if name in exercise.builds_on]
    verdict = first
    if names:
        second = again(names)
        if second.score > first.score or (second.score == first.score and not second.reason):
            listed = " and ".join(names)
            verdict = replace(second, cause=f"It was tried with a correct {listed} in place of yours.")
            if verdict.passed or set(names) == set(broken):
                return verdict
    listed = " and ".join(broken)
    return replace(
        verdict, misconception=None, cause=f"It uses your {listed}, which fails its own check: mend that first."
    )


@contextlib.contextmanager
def lent(names: Sequence[str], namespace: dict[str, Any]) -> Iterator[None]:
    """Oracles in place of the student's own functions of these names."""
    kept = {name: namespace[name] for name in names if name in namespace}
    namespace.update({name: registry.find(name).replacement() for name in names})
    try:
        yield
    finally:
        for name in names:
            namespace.pop(name, None)
        namespace.update(kept)
