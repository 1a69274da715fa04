"""Collects the alternative and the wrong implementations of a bank file.

`@alternative(exercise, label)` and `@mistaken(exercise, misconception)` append
`(exercise, label, object)` to the lists `ALTERNATIVES` and `MISTAKEN` of the module they are used in.
A bank file defines one name many times, so what is tried is `isolated(object)`: the source alone, as in a notebook.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np


def alternative(exercise: str, label: str) -> Callable[[Any], Any]:
    """Marks a correct implementation; `label` names its style."""
    return _collector("ALTERNATIVES", exercise, label)


def mistaken(exercise: str, label: str) -> Callable[[Any], Any]:
    """Marks a wrong implementation; `label` is the name of the misconception it must be given."""
    return _collector("MISTAKEN", exercise, label)


class Written:
    """A definition given as its source: for many versions of one class that differ in a line."""

    def __init__(self, name: str, text: str) -> None:
        self.__name__, self.text = name, text


def mistaken_sources(module: str, exercise: str, rows: Iterable[tuple[str, str]]) -> None:
    """Adds wrong implementations, pairs of a misconception and a source, to the `MISTAKEN` of a module."""
    collected = vars(sys.modules[module]).setdefault("MISTAKEN", [])
    collected.extend((exercise, label, Written(exercise, text)) for label, text in rows)


def _collector(kind: str, exercise: str, label: str) -> Callable[[Any], Any]:
    def collect(made: Any) -> Any:
        if made.__name__ != exercise:
            raise ValueError(f"{label!r} is called {made.__name__}, should be called {exercise}")
        vars(sys.modules[made.__module__]).setdefault(kind, []).append((exercise, label, made))
        return made

    return collect


def source(made: Any) -> str:
    """The source of a collected function or class, without its decorators.

    `inspect.getsource` would find a class by its name alone, and so the wrong one.
    """
    if isinstance(made, Written):
        return made.text
    line = _line(made)
    for first, last, name, text in _definitions(inspect.getsourcefile(made)):
        if name == made.__name__ and first <= line <= last:
            return text
    raise ValueError(f"{made.__name__} is not defined at the top level of its file")


def isolated(made: Any) -> Any:
    """The object that its source alone defines, with `np` there and nothing else: names mean what they would
    mean in a student's notebook, and whatever is not self-contained fails."""
    scope: dict[str, Any] = {"np": np, "__name__": "__main__"}
    exec(compile(source(made), "<student>", "exec"), scope)
    return scope[made.__name__]


def _line(made: Any) -> int:
    """A line inside the definition."""
    if not inspect.isclass(made):
        return made.__code__.co_firstlineno
    return min(value.__code__.co_firstlineno for value in vars(made).values() if inspect.isfunction(value))


@cache
def _definitions(path: str) -> list[tuple[int, int, str, str]]:
    """First line (decorators included), last line, name and source (without decorators) of what a file defines."""
    text = Path(path).read_text(encoding="utf-8")
    lines = text.splitlines()
    found = []
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found.append(
                (first, node.end_lineno, node.name, "\n".join(lines[node.lineno - 1 : node.end_lineno]) + "\n")
            )
    return found
