"""Toy exercises and a toy course directory, for tests of the machinery: `shift(x, by)` is x + by."""

from __future__ import annotations

import copy
import shutil
import sys
import types
from importlib.machinery import ModuleSpec
from pathlib import Path

import nbformat
import numpy as np
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_utils.checks import registry
from course_utils.checks.exercise import Case, Exercise, Misconception


def cases(rng):
    return [
        Case("vectors", {"x": rng.normal(size=3), "by": 2.0}),
        Case("vectors", {"x": rng.normal(size=4), "by": -1.5}),
        Case("matrices", {"x": rng.normal(size=(2, 3)), "by": 0.5}),
    ]


def expected(x, by):
    return x + by


def other_sign(x, by):
    return x - by


def truncated(x, by):
    return x + np.trunc(by)


SHIFT = Exercise(
    "shift",
    cases=cases,
    hints=("Adding a number moves every element.", "NumPy broadcasts numbers over arrays.", "Try x + by."),
    difficulty=1,
    importance=2,
    minutes=1,
    expected=expected,
    time_limit=0.2,
    misconceptions=(
        Misconception("other sign", "It looks as if you subtract.", "Ask yourself: which way?", variant=other_sign),
        Misconception("whole steps", "It looks as if you truncate.", "Ask yourself: is by whole?", variant=truncated),
    ),
)
TWICE = Exercise(
    "twice",
    cases=lambda rng: [Case("values", {"x": rng.normal(size=3)})],
    hints=("What is x + x?", "It is the same as two x.", "Try 2 * x."),
    difficulty=1,
    importance=1,
    minutes=1,
    expected=lambda x: 2 * x,
    builds_on=("shift",),
)
TOYS = {"shift": SHIFT, "twice": TWICE}
EXERCISES = tuple(TOYS.values())
STUB = 'def shift(x, by):\n    """x + by"""\n    # YOUR CODE HERE\n    raise NotImplementedError()'
OUTLINE = {
    "99_toy": {
        "notebook": "toy",
        "title": "Toys",
        "exercises": [
            {"name": "shift", "points": 6, "stub": STUB},
            {"name": "twice", "points": 2, "stub": "twice = None"},
        ],
        "written": [],
    }
}

ASSIGNMENT = "99_toy"
SOLUTIONS = {
    "shift": "def shift(x, by):\n    ### BEGIN SOLUTION\n    return x + by\n    ### END SOLUTION",
    "twice": "def twice(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION",
}


def install(monkeypatch) -> None:
    """Make the toys a bank of the course, `course_utils.checks.toy`, for as long as the monkeypatch lasts."""
    module = types.ModuleType("course_utils.checks.toy")
    module.__spec__ = ModuleSpec(module.__name__, None)
    module.EXERCISES = EXERCISES
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(registry, "find", TOYS.get)
    registry.exercises.cache_clear()


def packages(folder: Path) -> Path:
    """Copies of our packages in `folder`, with the toys as a bank of the course: for processes, by their PYTHONPATH."""
    home = Path(__file__).resolve().parents[1]
    for package in ("autograder", "course_utils"):
        shutil.copytree(home / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(__file__, folder / "course_utils" / "checks" / "toy.py")
    return folder


def course(root: Path) -> NotebookNode:
    """Make `root` a course directory with the toy assignment; returns its source notebook."""
    cells = [
        new_markdown_cell("# Toys"),
        new_code_cell("import numpy as np\nfrom course_utils import check, hint, progress"),
        *exercise_cells("shift", 6),
        new_code_cell("print('only to look at')", metadata={"tags": ["display-only"]}),
        *exercise_cells("twice", 2),
        new_markdown_cell("YOUR ANSWER HERE", metadata={"nbgrader": info("why", grade=True, solution=True, points=4)}),
        new_code_cell(
            "assert shift(1, 2) == 3", metadata={"nbgrader": info("plain", grade=True, locked=True, points=1)}
        ),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    folder = root / "source" / ASSIGNMENT
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / "toy.ipynb")
    return notebook


def other_assignment(root: Path) -> NotebookNode:
    """A second assignment of the course, with one written question; returns its notebook."""
    metadata = {"nbgrader": info("other", grade=True, solution=True, points=1)}
    notebook = new_notebook(cells=[new_code_cell("x = 1"), new_markdown_cell("An answer.", metadata=metadata)])
    (root / "source" / "98_other").mkdir(parents=True)
    nbformat.write(notebook, root / "source" / "98_other" / "other.ipynb")
    return notebook


def exercise_cells(name: str, points: float) -> list[NotebookNode]:
    """A solution cell and its check."""
    check = info(f"check_{name}", grade=True, locked=True, points=points)
    return [
        new_code_cell(SOLUTIONS[name], metadata={"nbgrader": info(name, solution=True)}),
        new_code_cell(f"check({name})", metadata={"nbgrader": check, "tags": ["raises-exception"]}),
    ]


def info(name: str, **given) -> dict:
    """nbgrader's metadata of a cell."""
    return {
        "schema_version": 3,
        "grade_id": name,
        "grade": False,
        "solution": False,
        "locked": False,
        "task": False,
    } | given


def submission(notebook: NotebookNode, **code: str) -> NotebookNode:
    """A copy of the notebook with other sources in the cells of these grade ids."""
    copied = copy.deepcopy(notebook)
    for cell in copied.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in code:
            cell.source = code[name]
    return copied


def hand_in(root: Path, student: str, notebook: NotebookNode | str, name: str = "toy.ipynb") -> Path:
    """Put a notebook (or any text) where a student's submission belongs; returns its folder."""
    folder = root / "submitted" / student / ASSIGNMENT
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(notebook if isinstance(notebook, str) else nbformat.writes(notebook), encoding="utf-8")
    return folder
