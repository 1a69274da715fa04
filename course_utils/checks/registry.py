"""Finds exercises: by notebook, or by the name a student defines. Also knows the course's outline.

The outline (`course_utils/outline.json`, written by `autograder build`) lists each assignment's
exercises in order with their points and stubs.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import pkgutil
from functools import cache
from pathlib import Path
from typing import Any

from course_utils.checks.exercise import Exercise

OUTLINE = Path(__file__).resolve().parent.parent / "outline.json"


def bank_module(assignment: str) -> str:
    """The bank's module for an assignment: "02_convolution" (or "convolution") is described in `convolution`."""
    head, _, tail = assignment.partition("_")
    return f"course_utils.checks.{tail if head.isdigit() and tail else assignment}"


@cache
def exercises(assignment: str) -> dict[str, Exercise]:
    """Name → exercise for an assignment, in the bank's order; empty where no bank file describes it."""
    module = bank_module(assignment)
    if importlib.util.find_spec(module) is None:
        return {}
    return {e.name: e for e in getattr(importlib.import_module(module), "EXERCISES", ())}


@cache
def masked(assignment: str) -> tuple[str, ...]:
    """The packages that cannot be imported while the assignment is graded, as its bank file's `MASKED` lists them."""
    module = bank_module(assignment)
    if importlib.util.find_spec(module) is None:
        return ()
    return tuple(getattr(importlib.import_module(module), "MASKED", ()))


@cache
def outline() -> dict[str, Any]:
    """The course's outline; empty where it has not been built or cannot be read."""
    try:
        return json.loads(OUTLINE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


@cache
def _all_names() -> dict[str, str]:
    package = importlib.import_module("course_utils.checks")
    names = {}
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_"):
            names.update(dict.fromkeys(exercises(module.name), module.name))
    return names


def assignment_of(name: str) -> str | None:
    """The assignment whose outline lists the exercise `name`."""
    for assignment, entry in outline().items():
        if any(e["name"] == name for e in entry["exercises"]):
            return assignment
    return None


def find(name: str) -> Exercise | None:
    """The exercise called `name`, wherever in the course it is."""
    assignment = assignment_of(name)
    if assignment and name in exercises(assignment):
        return exercises(assignment)[name]
    module = _all_names().get(name)
    return exercises(module)[name] if module else None


def names() -> list[str]:
    """The names of all exercises of the course."""
    return list(_all_names())


def points(name: str) -> float:
    """The points of an exercise, as its author gave them in the notebook; 1 where the outline does not say."""
    entry = outlined(name)
    return float(entry["points"]) if entry else 1.0


def outlined(name: str) -> dict[str, Any] | None:
    """The outline's entry of an exercise: name, points, stub."""
    assignment = assignment_of(name)
    if assignment is None:
        return None
    return next(e for e in outline()[assignment]["exercises"] if e["name"] == name)
