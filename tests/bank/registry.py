"""Collects the alternative and the wrong implementations of a bank file.

`@alternative(exercise, label)` and `@mistaken(exercise, misconception)` append
`(exercise, label, object)` to the lists `ALTERNATIVES` and `MISTAKEN` of the module they are used in.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any


def alternative(exercise: str, label: str) -> Callable[[Any], Any]:
    """Marks a correct implementation; `label` names its style."""
    return _collector("ALTERNATIVES", exercise, label)


def mistaken(exercise: str, label: str) -> Callable[[Any], Any]:
    """Marks a wrong implementation; `label` is the name of the misconception it must be given."""
    return _collector("MISTAKEN", exercise, label)


def _collector(kind: str, exercise: str, label: str) -> Callable[[Any], Any]:
    def collect(made: Any) -> Any:
        if made.__name__ != exercise:
            raise ValueError(f"{label!r} is called {made.__name__}, should be called {exercise}")
        module = sys.modules[made.__module__]
        vars(module).setdefault(kind, []).append((exercise, label, made))
        return made

    return collect


def source(made: Any) -> str:
    """The source of a collected function or class, without its decorators.

    `inspect.getsource` finds a class by its name, and a bank file defines one name many times.
    """
    path = inspect.getsourcefile(made)
    line = _first_line(made)
    for node, lines in _definitions(path):
        if node.name == made.__name__ and node.lineno <= line <= node.end_lineno:
            return textwrap.dedent("\n".join(lines)) + "\n"
    raise ValueError(f"{made.__name__} is not defined at the top level of {path}")


def _first_line(made: Any) -> int:
    """A line inside the definition: of the function itself, or of a method of the class."""
    if not inspect.isclass(made):
        return max(made.__code__.co_firstlineno, _decorated(made))
    codes = [value.__code__ for value in vars(made).values() if inspect.isfunction(value)]
    return min(code.co_firstlineno for code in codes)


def _decorated(function: Any) -> int:
    """The line of `def`: a code object's first line is that of the first decorator."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return function.__code__.co_firstlineno + tree.body[0].lineno - 1


@cache
def _definitions(path: str) -> list[tuple[Any, list[str]]]:
    text = Path(path).read_text(encoding="utf-8")
    lines = text.splitlines()
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [(n, lines[n.lineno - 1 : n.end_lineno]) for n in ast.parse(text).body if isinstance(n, kinds)]
