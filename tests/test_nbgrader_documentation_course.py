"""The course that nbgrader's documentation ships is graded cell by cell as nbgrader itself grades it."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import nbgrader as package
import pytest

from tests.command_line import autograder, nbgrader, results
from tests.gradebooks import database, grades, scores, submitted_at

SHIPPED = Path(package.__file__).parent / "docs" / "source" / "user_guide"
ASSIGNMENTS = {"ps1": 18, "ps1_autotest": 16}  # and how many graded cells its two submissions have
STUDENTS = {"bitdiddle", "hacker"}
CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "example_course"
c.IncludeHeaderFooter.header = "source/header.ipynb"
"""


def lay_out(root: Path) -> Path:
    """The documentation's course directory; both of its students also hand in the first notebook with AUTOTEST."""
    root.mkdir()
    for name in ("source", "submitted"):
        shutil.copytree(SHIPPED / name, root / name)
    (root / "source" / "ps1_autotest" / "problem2.ipynb").unlink()
    for student in STUDENTS:
        notebook = nbformat.read(root / "source" / "ps1_autotest" / "problem1.ipynb", as_version=4)
        written = cells(nbformat.read(root / "submitted" / student / "ps1" / "problem1.ipynb", as_version=4))
        for name, cell in cells(notebook).items():
            if cell.metadata["nbgrader"]["solution"] and name in written:
                cell.source = written[name].source
        folder = root / "submitted" / student / "ps1_autotest"
        folder.mkdir()
        nbformat.write(notebook, folder / "problem1.ipynb")
    shutil.copy(SHIPPED / "autotests.yml", root)
    (root / "nbgrader_config.py").write_text(CONFIG)
    return root


def cells(notebook):
    """Grade id → cell."""
    return {c.metadata["nbgrader"]["grade_id"]: c for c in notebook.cells if "nbgrader" in c.metadata}


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    """The course as nbgrader alone grades it."""
    root = lay_out(tmp_path_factory.mktemp("stock") / "course")
    for assignment in ASSIGNMENTS:
        nbgrader(root, "generate_assignment", assignment)
        nbgrader(root, "autograde", assignment)
    nbgrader(root, "export", "--to", "grades.csv")
    return root


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """The course as `autograder grade` grades it, with the same configuration: nothing in it names this package."""
    root = lay_out(tmp_path_factory.mktemp("ours") / "course")
    return root, results(root)


def exported(root):
    """The rows of the export; their order is that in which the submissions were graded."""
    return sorted((root / "grades.csv").read_text().splitlines())


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_cell_gets_what_nbgrader_gives_it(stock, ours, assignment):
    root, _ = ours
    wanted = grades(database(stock), assignment)
    assert {student for student, _, _ in wanted} == STUDENTS and len(wanted) == ASSIGNMENTS[assignment]
    assert grades(database(root), assignment) == wanted
    assert submitted_at(database(root), assignment) == submitted_at(database(stock), assignment)


def test_the_scores_are_those_that_nbgraders_documentation_prints(ours):
    root, _ = ours
    totals = {"bitdiddle": 1.5, "hacker": 3.0}
    for line in (SHIPPED / "grades.csv").read_text().splitlines()[1:]:
        _, _, _, student, *_, score, _ = line.split(",")
        assert totals[student] == float(score)
        assert sum(score or 0 for score in scores(database(root), "ps1", student).values()) == totals[student]


def test_there_is_nothing_to_judge_in_it_and_what_waits_for_a_human_is_listed(ours):
    _, entries = ours
    for student in STUDENTS:
        entry = entries[student, "ps1"]
        assert entry["exercises"] == {} and entry["score"] == entry["max_score"] == 0
        assert {"part-a", "part-b", "sum_of_squares_equation"} <= set(entry["manual"])


def test_nbgraders_next_steps_read_what_we_wrote(ours, stock):
    root, _ = ours
    nbgrader(root, "generate_feedback", "ps1")
    assert (root / "feedback" / "hacker" / "ps1" / "problem1.html").is_file()
    nbgrader(root, "export", "--to", "grades.csv")
    assert exported(root) == exported(stock)


def test_our_next_steps_read_it_too(ours):
    root, _ = ours
    for step in ("feedback", "report"):
        done = autograder(root, step, "ps1", "--course-dir", ".")
        assert done.status == 0, done.output
