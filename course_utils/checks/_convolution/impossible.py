"""Arguments that are impossible: oracles raise `Impossible`, and `or_raises` makes of it what a check expects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from course_utils.checks.exercise import Raises


class Impossible(ValueError):
    """An argument that is impossible, with the facts that the message must contain: `facts` maps names to values."""

    def __init__(self, what: str, **facts: Any) -> None:
        self.texts = tuple(str(value) for value in facts.values())
        super().__init__(f"{what}: " + ", ".join(f"{name} {value}" for name, value in facts.items()))


def or_raises(function: Callable) -> Callable[..., Any]:
    """`function`, an oracle or a variant, with its ValueError returned as a `Raises`."""

    def expected(**inputs):
        try:
            return function(**inputs)
        except Impossible as error:
            return Raises("ValueError", error.texts)
        except ValueError:
            return Raises("ValueError")
        except ZeroDivisionError:
            return Raises("ZeroDivisionError")

    return expected
