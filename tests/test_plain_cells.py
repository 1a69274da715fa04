"""Instructors' own nbgrader cells are graded as nbgrader grades them: each row of the table is a test cell.

The same submissions are graded three times: by nbgrader alone, by `nbgrader autograde` with this package's steps in
nbgrader_config.py, and by `autograder grade`. AUTOTEST is tested with the course of nbgrader's documentation.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.command_line import nbgrader, results
from tests.gradebooks import database, grades, scores
from tests.toy import info

ASSIGNMENT = "rules"

# Name, source, points, what the solved and the mistaken submission get.
RULES = [
    ("passes", "assert double(2) == 4", 2, 2, 0),
    ("fails", "assert double(2) == 7", 2, 0, 0),
    ("needs_no_code", "assert 1 + 1 == 2", 2, 2, 2),
    ("hidden_test", "assert 1\n### BEGIN HIDDEN TESTS\nassert double(3) == 6\n### END HIDDEN TESTS", 2, 2, 0),
    ("float_result", "1.5 if double(2) == 4 else 0.25", 2, 1.5, 0.25),
    ("integer_result", "int(double(2) == 4)", 2, 1, 0),
    ("zero_result", "0.0", 2, 0, 0),
    ("whole_result", "2.0", 2, 2, 2),
    ("result_in_scientific_notation", "5e-1", 2, 0.5, 0.5),
    ("not_a_number", "float('nan')", 2, 2, 2),
    ("negative_result", "-1.0", 2, 2, 2),
    ("numpy_result", "np.float64(0.5)", 2, 2, 2),
    ("result_as_text", "'0.5'", 2, 2, 2),
    ("list_as_result", "[0.5]", 2, 2, 2),
    ("nothing_as_result", "None", 2, 2, 2),
    ("boolean_result", "double(2) == 4", 2, 2, 2),
    ("shown_not_returned", "display(0.5)", 2, 2, 2),
    ("printed_not_returned", "print(0.5)", 2, 2, 2),
    ("printed_and_returned", "print('well done')\n0.5", 2, 0.5, 0.5),
    ("standard_error", "import sys\nprint('careful', file=sys.stderr)", 2, 0, 0),
    ("warning", "import warnings\nwarnings.warn('careful')", 2, 0, 0),
    ("standard_error_then_result", "print('careful', file=sys.stderr)\n1.5", 2, 0, 0),
    ("result_of_silent_cell", "1.5;", 2, 2, 2),
    ("error_after_display", "display(1.5)\nraise ValueError('no')", 2, 0, 0),
    ("exit", "sys.exit(0)", 2, 0, 0),
    ("asks_for_input", "input()", 2, 0, 0),
    ("await_works", "import asyncio\nawait asyncio.sleep(0)\nassert double(2) == 4", 2, 2, 0),
    ("reads_the_courses_file", "assert open('numbers.txt').read() == '1 2 3'", 2, 2, 2),
    ("reads_the_students_file", "assert open('own.txt').read() == 'mine'", 2, 2, 0),
    ("takes_a_name_away", "kept = double\ndel double\ntry:\n    assert quadruple(1) == 4\nexcept NameError:\n    pass\n"
     "else:\n    raise AssertionError\nfinally:\n    double = kept", 2, 2, 0),
    ("syntax_error", "assert (", 2, 0, 0),
    ("ends_for_one_only", "while double(2) != 4:\n    pass", 2, 2, 0),
    ("after_the_endless_one", "assert double(0) == 0 or np.pi > 3", 2, 2, 2),
    ("no_points", "assert double(2) == 4", 0, 0, 0),
    ("empty", "", 2, 2, 2),
]  # fmt: skip

DOUBLE = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
QUADRUPLE = "def quadruple(x):\n    ### BEGIN SOLUTION\n    return double(double(x))\n    ### END SOLUTION"
WRITTEN = {"essay", "program", "task"}
SOLVED = {
    "double": "def double(x):\n    return 2 * x",
    "quadruple": "def quadruple(x):\n    return double(double(x))",
    "essay": "Because it is twice an integer.",
    "program": "print(double(4))",
}
MISTAKEN = {
    "double": "def double(x):\n    return x ** 2 + 1",
    "quadruple": "def quadruple(x):\n    return 4 * x",
    "passes": "print('this test is now easier')",
}


def source():
    """The instructor's notebook."""
    tests = [
        new_code_cell(code, metadata={"nbgrader": info(name, grade=True, locked=True, points=points)})
        for name, code, points, *_ in RULES
    ]
    written = [
        new_markdown_cell("Twice.", metadata={"nbgrader": info("essay", grade=True, solution=True, points=3)}),
        new_code_cell("double(4)", metadata={"nbgrader": info("program", grade=True, solution=True, points=3)}),
        new_markdown_cell("Do this.", metadata={"nbgrader": info("task", task=True, locked=True, points=3)}),
    ]
    cells = [
        new_code_cell("import numpy as np"),
        new_code_cell(DOUBLE, metadata={"nbgrader": info("double", solution=True)}),
        new_code_cell(QUADRUPLE, metadata={"nbgrader": info("quadruple", solution=True)}),
        *tests,
        *written,
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def lay_out(root: Path, config: str = "") -> Path:
    (root / "source" / ASSIGNMENT).mkdir(parents=True)
    nbformat.write(source(), root / "source" / ASSIGNMENT / "rules.ipynb")
    (root / "source" / ASSIGNMENT / "numbers.txt").write_text("1 2 3")
    (root / "nbgrader_config.py").write_text(f"c = get_config()\nc.Execute.timeout = 3\n{config}")
    return root


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    """The course and two submissions of its release, graded by nbgrader alone."""
    root = lay_out(tmp_path_factory.mktemp("stock"))
    nbgrader(root, "generate_assignment", ASSIGNMENT)
    for student, written in (("solved", SOLVED), ("mistaken", MISTAKEN)):
        folder = root / "submitted" / student / ASSIGNMENT
        shutil.copytree(root / "release" / ASSIGNMENT, folder)
        notebook = nbformat.read(folder / "rules.ipynb", as_version=4)
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = written.get(name, cell.source)
        nbformat.write(notebook, folder / "rules.ipynb")
        (folder / "numbers.txt").write_text("overwritten by the student")
    (root / "submitted" / "solved" / ASSIGNMENT / "own.txt").write_text("mine")
    nbgrader(root, "autograde", ASSIGNMENT)
    return root


@pytest.fixture(scope="module")
def configured(stock, tmp_path_factory):
    """The same graded by `nbgrader autograde` with our steps."""
    steps = (
        "from autograder.plugins import AUTOGRADE, SANITIZE\n"
        "c.Autograde.sanitize_preprocessors = list(SANITIZE)\n"
        "c.Autograde.autograde_preprocessors = list(AUTOGRADE)\n"
    )
    root = lay_out(tmp_path_factory.mktemp("configured"), steps)
    shutil.copytree(stock / "submitted", root / "submitted")
    nbgrader(root, "generate_assignment", ASSIGNMENT)
    nbgrader(root, "autograde", ASSIGNMENT)
    return root


@pytest.fixture(scope="module")
def ours(stock, tmp_path_factory):
    """The same graded by `autograder grade`; nothing in the course's configuration names this package."""
    root = lay_out(tmp_path_factory.mktemp("ours"))
    shutil.copytree(stock / "submitted", root / "submitted")
    return root, results(root)


def test_nbgrader_grades_by_these_rules(stock):
    found = {student: scores(database(stock), ASSIGNMENT, student) for student in ("solved", "mistaken")}
    wanted = {name: points for name, _, _, *points in RULES}
    assert {name: [found["solved"][name], found["mistaken"][name]] for name in wanted} == wanted


def test_so_does_nbgrader_autograde_with_our_steps(stock, configured):
    assert grades(database(configured), ASSIGNMENT) == grades(database(stock), ASSIGNMENT)


def test_so_does_autograder_grade(stock, ours):
    root, _ = ours
    assert grades(database(root), ASSIGNMENT) == grades(database(stock), ASSIGNMENT)


def test_what_waits_for_a_human_is_listed(ours):
    _, entries = ours
    assert set(entries["solved", ASSIGNMENT]["manual"]) == WRITTEN
    assert entries["mistaken", ASSIGNMENT]["manual"] == ["task"]


LOUD = """\
class Loud:
    def __radd__(self, other):
        for i in range(80):
            display(i)
        return 0.0


bonus = Loud()"""
ODD = "class Odd:\n    __radd__ = lambda self, other: self\n    __repr__ = lambda self: {}\nbonus = Odd()"


def test_a_result_that_is_no_partial_credit_earns_nothing(tmp_path):
    """nbgrader gives up on the whole submission; here the rest of it is graded."""
    root = tmp_path / "course"
    cells = [
        new_code_cell("bonus = 0", metadata={"nbgrader": info("bonus", solution=True)}),
        new_code_cell("1 + bonus", metadata={"nbgrader": info("sum", grade=True, locked=True, points=2)}),
        new_code_cell("assert True", metadata={"nbgrader": info("rest", grade=True, locked=True, points=3)}),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    more, wordless = "gave more than its 2 points", "gave a result that has no text"
    students = {
        "honest": ("bonus = 0.5", 1.5, ""),
        "loud": (LOUD, 0, ""),
        "greedy": ("bonus = 5", 0, more),
        "endless": ("bonus = float('inf')", 0, more),
        "silent": (ODD.format("''"), 0, wordless),
        "broken": (ODD.format("1 / 0"), 0, ""),  # nbgrader sees the error that showing it raises
    }
    for student, (code, *_) in students.items():
        cells[0].source = code
        folder = root / "submitted" / student / ASSIGNMENT
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / "rules.ipynb")
    shutil.copytree(folder, root / "source" / ASSIGNMENT)
    entries = results(root)
    for student, (_, points, problem) in students.items():
        assert scores(database(root), ASSIGNMENT, student) == {"sum": points, "rest": 3}, student
        problems = [f"The test sum {problem}, so it earns nothing."] if problem else []
        assert entries[student, ASSIGNMENT]["problems"] == problems
