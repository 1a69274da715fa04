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


def leaned_on(exercise: Exercise, cells: Sequence[str], failed: Callable[[Exercise], bool]) -> list[str]:
    """What `exercise` may build on, does use in these cells, and fails its own check."""
    reached = [registry.find(name) for name in reached_names(cells, exercise.name) if name in exercise.builds_on]
    return [other.name for other in reached if other and failed(other)]


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


def better(first: Verdict, second: Verdict, names: Sequence[str]) -> Verdict:
    """The verdict that counts, saying what the exercise was lent or what to mend first."""
    listed = " and ".join(names)
    if second.score >= first.score:
        return replace(second, notes=(*second.notes, f"Tried with a correct {listed} in place of yours."))
    return replace(first, notes=(*first.notes, f"It uses your {listed}, which fails its own check: mend that first."))
