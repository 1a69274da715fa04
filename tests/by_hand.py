"""Takes submissions of the toys in and tries them in this process: what a damaged notebook still earns, in a moment."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from nbformat.v4 import new_markdown_cell

from autograder.intake import take_in
from autograder.plan import KnownCell, Plan
from autograder.references import checked_name, display_only
from autograder.repair import repair
from course_utils.magics import without_magics
from tests import toy

ANSWER = "Because addition commutes."
TASK = "Draw what `shift` does to a triangle."
FULL = {"shift": True, "twice": True}
STUBS = {"shift": toy.STUB, "twice": "def twice(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"}


def source_notebook(root: Path) -> Any:
    """The toys' source notebook, with a task beside its other cells."""
    notebook = toy.course(root)
    task = toy.info("draw", task=True, locked=True, points=2)
    notebook.cells += [new_markdown_cell(TASK, metadata={"nbgrader": task}), new_markdown_cell("That was it.")]
    return notebook


def make_plan(source: Any, name: str, assignment: str, stubs: Mapping[str, str]) -> Plan:
    """The plan of an assignment with one notebook, from its source, without a gradebook."""
    known = {}
    for cell in source.cells:
        info = cell.metadata.get("nbgrader")
        if info:
            grade_id = info["grade_id"]
            released = stubs.get(grade_id, cell.source)
            known[grade_id] = KnownCell({**info, "cell_type": cell.cell_type, "checksum": "0" * 32}, released)
    return Plan(
        assignment,
        {name: nbformat.writes(source).encode()},
        {name: known},
        {name: {"name": "python3", "display_name": "Python 3", "language": "python"}},
        b"secret",
        elsewhere={"98_other": frozenset({"other"})},
    )


def toy_plan(root: Path) -> Plan:
    return make_plan(source_notebook(root), "toy", toy.ASSIGNMENT, STUBS)


def solved(plan: Plan) -> dict[str, Any]:
    """The JSON of a perfect submission: the source notebook with an answer."""
    tree = json.loads(next(iter(plan.sources.values())))
    for cell in tree["cells"]:
        cell["source"] = "".join(cell["source"])
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "why":
            cell["source"] = ANSWER
    return tree


def cell(tree: dict[str, Any], name: str) -> dict[str, Any]:
    """The cell of this grade id."""
    return next(c for c in tree["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == name)


def repaired(plan: Plan, files: Mapping[str, bytes], found: tuple[str, ...] = ()) -> tuple[Any, list[str]]:
    """The (one) notebook of a submission after intake and repair, and all problems; checks what must always hold."""
    (name,) = plan.sources
    with tempfile.TemporaryDirectory() as scratch:
        problems = take_in(plan, files, Path(scratch) / "staged", found)
        notebook = nbformat.read(Path(scratch) / "staged" / f"{name}.ipynb", as_version=4)
    problems = [*problems, *repair(notebook, plan.known[name])]
    assert is_whole(notebook, plan.known[name])
    assert all(p.endswith(".") and p.isprintable() and len(p) < 600 for p in problems), problems
    assert len(set(problems)) == len(problems)
    return notebook, problems


def is_whole(notebook: Any, known: Mapping[str, KnownCell]) -> bool:
    """Whether a notebook is valid, can be written, and has every graded cell of the release once, with its points."""
    nbformat.validate(notebook)
    nbformat.writes(notebook).encode("utf-8")
    marked = [(c.metadata["nbgrader"]["grade_id"], c) for c in notebook.cells if "nbgrader" in c.metadata]
    names = [name for name, _ in marked]
    assert len(names) == len(set(names)) and set(names) <= known.keys()
    assert {n for n, k in known.items() if k.metadata["grade"] or k.metadata["task"]} <= set(names)
    for name, cell in marked:
        assert cell.metadata["nbgrader"] == known[name].metadata and cell.cell_type == known[name].metadata["cell_type"]
        assert known[name].metadata["solution"] or cell.source == known[name].source
        assert not display_only(cell)
    return True


def earned(notebook: Any) -> dict[str, bool]:
    """Which toys are right where their checks stand, the notebook's code run in this process."""
    right, space = {}, {"__name__": "__main__"}
    for cell in notebook.cells:
        if cell.cell_type != "code" or display_only(cell):
            continue
        if cell.metadata.get("nbgrader", {}).get("grade"):
            name = checked_name(cell.source)
            if name:
                right[name] = _is_right(name, space.get(name))
            continue
        try:
            exec(compile(without_magics(cell.source), "<cell>", "exec"), space)
        except Exception:  # as in a kernel, the next cell runs all the same
            continue
    return right


def _is_right(name: str, function: Any) -> bool:
    x = np.arange(3.0)
    try:
        return np.array_equal(function(x, 1.5), x + 1.5) if name == "shift" else np.array_equal(function(x), 2 * x)
    except Exception:
        return False
