"""What a widget cannot show is said in one sentence."""

from __future__ import annotations

import math


class WidgetError(ValueError):
    """A setting that a widget cannot take. In Jupyter it shows as its one sentence, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def within(name: str, value: object, low: float, high: float, whole: bool = False) -> float:
    """`value` itself if it is a number (a whole one) from `low` to `high`; raises `WidgetError` otherwise."""
    kinds = int if whole else (int, float)
    if isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value) and low <= value <= high:
        return value
    kind = "a whole number" if whole else "a number"
    raise WidgetError(f"{name} must be {kind} from {low:g} to {high:g}, not {value!r}.".replace("-", "−"))


def one_of(name: str, value: object, choices) -> str:
    """`value` itself if it is among `choices`; raises `WidgetError` otherwise."""
    if isinstance(value, str) and value in choices:
        return value
    listed = ", ".join(map(repr, choices))
    raise WidgetError(f"{name} must be one of {listed}, not {value!r}.")
