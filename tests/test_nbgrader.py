"""nbgrader's own command with this repository's configuration judges as `autograder grade` does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.build.course import build_sources
from autograder.course import open_course
from autograder.grade import grade_class, submissions
from autograder.worker import verdicts

ROOT = Path(__file__).resolve().parents[1]
ASSIGNMENT = "01_backprop"
WRONG = "def affine_forward(x, weight, bias):\n    return x @ weight.T"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course directory with the repository's own nbgrader_config.py, its sources, and two submissions."""
    root = tmp_path_factory.mktemp("repository")
    for part in ("solutions", "course_utils"):
        (root / part).symlink_to(ROOT / part)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    build_sources(root)
    notebook = nbformat.read(root / "build" / "source" / ASSIGNMENT / "backprop.ipynb", as_version=4)
    for student in ("solved", "mistaken"):
        if student == "mistaken":
            cell = next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "affine_forward")
            cell.source = WRONG
        folder = root / "submitted" / student / ASSIGNMENT
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / "backprop.ipynb")
    return open_course(root)


def nbgrader(course, *arguments: str) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=course.root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_nbgrader_autograde_gives_what_autograder_grade_gives(course):
    ours = {result["student"]: result for result in grade_class(course, submissions(course), workers=1)}
    nbgrader(course, "autograde", ASSIGNMENT, "--force")
    for student, result in ours.items():
        assert not result["problems"]
        autograded = course.path("autograded", student, ASSIGNMENT) / "backprop.ipynb"
        assert verdicts(nbformat.read(autograded, as_version=4)) == result["exercises"]
    assert ours["solved"]["score"] == ours["solved"]["max_score"] == 96
    assert ours["mistaken"]["exercises"]["affine_forward"]["misconception"] == "bias forgotten"
    assert [name for name, v in ours["mistaken"]["exercises"].items() if not v["passed"]] == ["affine_forward"]


def test_nbgrader_exports_the_same_scores(course):
    nbgrader(course, "export", "--to", "grades.csv")
    rows = (course.root / "grades.csv").read_text().splitlines()
    assert len(rows) == 3


def test_generate_assignment_makes_the_committed_notebook(course):
    nbgrader(course, "generate_assignment", ASSIGNMENT, "--force")
    made = (course.root / "notebooks" / ASSIGNMENT / "backprop.ipynb").read_bytes()
    assert made == (ROOT / "notebooks" / ASSIGNMENT / "backprop.ipynb").read_bytes()
    assert json.loads(made)["nbformat"] == 4
