"""Loads the reference solutions of an assignment from its source notebook, in the grader's own process."""

from __future__ import annotations

import ast
import contextlib
import io
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat

from autograder import CourseError
from course_utils.checks.forbidden import UNREADABLE
from course_utils.checks.registry import exercises
from course_utils.magics import without_magics

DISPLAY_ONLY = "display-only"


def display_only(cell: Any) -> bool:
    """Whether a cell is for looking at: it is not run again in grading. Graded cells never are."""
    info = cell.metadata.get("nbgrader", {})
    return DISPLAY_ONLY in cell.metadata.get("tags", []) and not info.get("grade") and cell.cell_type == "code"


def checked_name(source: str) -> str | None:
    """The name `f` of a cell that is nothing but `check(f)`; None for every other cell."""
    try:
        body = ast.parse(source).body
    except UNREADABLE:
        return None
    call = body[0].value if len(body) == 1 and isinstance(body[0], ast.Expr) else None
    if (
        not isinstance(call, ast.Call)
        or getattr(call.func, "id", "") != "check"
        or len(call.args) != 1
        or call.keywords
    ):
        return None
    return getattr(call.args[0], "id", None)


def load_references(notebook: Path, assignment: str) -> dict[str, Any]:
    """Name → the author's own function or class, for every exercise of the bank that the notebook defines.

    `notebook` is a source notebook, with solutions. Raises `CourseError` when it is missing or does not run.
    """
    if not notebook.is_file():
        raise CourseError(f"The references of {assignment} should be in {notebook}, which does not exist.")
    return references_in(notebook.read_bytes(), assignment, str(notebook))


@lru_cache(maxsize=32)
def references_in(notebook: bytes, assignment: str, name: str) -> dict[str, Any]:
    """As `load_references`, from the notebook's bytes; `name` is what an error calls it."""
    space: dict[str, Any] = {"__name__": f"reference_{assignment}"}
    for number, cell in enumerate(nbformat.reads(notebook.decode("utf-8"), as_version=4).cells):
        if cell.cell_type != "code" or display_only(cell) or cell.metadata.get("nbgrader", {}).get("grade"):
            continue
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(without_magics(cell.source), f"<{Path(name).name}, cell {number}>", "exec"), space)
        except Exception as error:
            raise CourseError(
                f"{name}, cell {number}: the reference does not run ({type(error).__name__}: {error})."
            ) from None
    return {name: space[name] for name in exercises(assignment) if name in space}
