"""Every notebook runs from top to bottom in a kernel: as students get it, and solved."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import cache

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from autograder.build.course import Built, assignments, make
from course_utils.checks import registry
from tests.made_up import ROOT

ASSIGNMENTS = assignments(ROOT)
SECONDS = 120  # for any one cell; far more than a slow machine needs


@cache
def built() -> Built:
    return make(ROOT)


def run(files: dict[str, bytes], folder) -> NotebookNode:
    """The notebook among an assignment's `files`, executed in `folder` to its end whatever fails."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (path,) = folder.glob("*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    environment = {name: value for name, value in os.environ.items() if name != "NBGRADER_EXECUTION"}
    NotebookClient(
        notebook, kernel_name="python3", timeout=SECONDS, allow_errors=True, resources={"metadata": {"path": folder}}
    ).execute(env={**environment, "PYTHONPATH": str(ROOT)})
    return notebook


def checks(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """The exercise's name and the cell, for each check."""
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.source.startswith("check("):
            yield cell.source.removeprefix("check(").removesuffix(")"), cell


def trouble(notebook: NotebookNode) -> list[tuple[str, str]]:
    """What a student would see of an error or a warning: first line of the cell, and the text. Checks are left out."""
    own = {cell.id for _, cell in checks(notebook)}
    return [
        (cell.source.split("\n")[0], "\n".join(output.get("traceback", [])) or output.text)
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.id not in own
        for output in cell.outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_released_notebook_runs_and_every_check_says_kindly_that_nothing_is_written(assignment, tmp_path):
    notebook = run(built().notebooks[assignment], tmp_path)
    assert trouble(notebook) == []
    assert sorted(name for name, _ in checks(notebook)) == sorted(registry.exercises(assignment))
    for name, cell in checks(notebook):
        verdict, error = cell.outputs
        assert f"{name} is not written yet." in verdict.data["text/html"]
        assert f"{name} is not written yet." in verdict.data["text/plain"]
        assert error.output_type == "error"
        assert error.traceback == [f"{name}: 0 of {registry.points(name):g} points"]


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_solved_notebook_runs_without_error_and_every_check_passes(assignment, tmp_path):
    for exercise in registry.exercises(assignment).values():
        if exercise.hands_in:  # trained before, by the same cell: it takes minutes
            shutil.copy(ROOT / "sample_class" / exercise.hands_in, tmp_path)
    notebook = run(built().sources[assignment], tmp_path)
    assert trouble(notebook) == []
    assert sorted(name for name, _ in checks(notebook)) == sorted(registry.exercises(assignment))
    for name, cell in checks(notebook):
        texts = [output.get("data", {}).get("text/html", "") for output in cell.outputs]
        assert len(texts) == 1 and "bp-passed" in texts[0], (name, cell.outputs)
    said = [o.data["text/plain"] for cell in notebook.cells for o in cell.get("outputs", []) if "data" in o]
    used = [text for text in said if text.startswith("Using ")]
    assert used and all(text.startswith("Using your ") for text in used), used
