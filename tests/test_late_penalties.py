"""Late penalties configured in nbgrader are those that `autograder grade` applies."""

from __future__ import annotations

import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbgrader.api import Gradebook

from tests.command_line import autograder, nbgrader, results
from tests.gradebooks import database, grades, penalties, submitted_at
from tests.small_course import GUIDE
from tests.toy import info

ASSIGNMENT = "late"
DUE = "2026-02-02 12:00:00 UTC"
CLASS = {
    "early": "2026-02-01 09:30:00.123456 UTC",
    "just_in_time": "2026-02-02 12:00:00 UTC",
    "elsewhere": "2026-02-02 13:30:00 Europe/Berlin",  # 12:30 UTC
    "west": "2026-02-02 05:45:00 America/Los_Angeles",  # 13:45 UTC
    "very_late": "2026-02-09 12:00:00 UTC",
    "late_and_wrong": "2026-02-02 15:00:00 UTC",
    "extended": "2026-02-02 15:00:00 UTC",
    "undated": "",
}
# The module lies in the course directory, as nbgrader's documentation has it.
PLUGIN = '''\
from nbgrader.plugins import BasePlugin


class PerHour(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        """A quarter of a point for every hour begun; two students are treated otherwise."""
        others = {"west": None, "elsewhere": -1}
        return others.get(student_id, -(-total_seconds_late // 3600) / 4)


class Faulty(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return total_seconds_late / 0
'''
METHODS = {
    "none": ("", {}),
    "zero": (
        'c.LateSubmissionPlugin.penalty_method = "zero"',
        {"elsewhere": 4, "west": 4, "very_late": 4, "late_and_wrong": 1},
    ),
    "of the course's own": (
        'c.AssignLatePenalties.plugin_class = "late.PerHour"',
        {"very_late": 4, "late_and_wrong": 0.75},  # no more than there is to lose, and never less than nothing
    ),
}


def notebook(wrong: bool = False):
    """Two tests; what a wrong answer gives is already in the outputs, so that nbgrader need not run it."""
    failure = new_output("error", ename="AssertionError", evalue="", traceback=["AssertionError"])
    cells = [
        new_code_cell("x = 2", metadata={"nbgrader": info("x", solution=True)}),
        new_code_cell("assert x", metadata={"nbgrader": info("some", grade=True, locked=True, points=1)}),
        new_code_cell("assert x == 2", metadata={"nbgrader": info("right", grade=True, locked=True, points=3)}),
    ]
    if wrong:
        cells[0].source, cells[2].outputs = "x = 3", [failure]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def lay_out(root):
    """The course and its class."""
    (root / "source" / ASSIGNMENT).mkdir(parents=True)
    nbformat.write(notebook(), root / "source" / ASSIGNMENT / "late.ipynb")
    (root / "late.py").write_text(PLUGIN)
    for student, timestamp in CLASS.items():
        folder = root / "submitted" / student / ASSIGNMENT
        folder.mkdir(parents=True)
        nbformat.write(notebook("wrong" in student), folder / "late.ipynb")
        if timestamp:
            (folder / "timestamp.txt").write_text(timestamp + "\n")
    nbgrader(root, "generate_assignment", ASSIGNMENT)
    nbgrader(root, "db", "assignment", "add", ASSIGNMENT, f"--duedate={DUE}")
    with Gradebook(database(root)) as gradebook:
        gradebook.update_or_create_student("extended")
        gradebook.update_or_create_submission(ASSIGNMENT, "extended")
        gradebook.grant_extension(ASSIGNMENT, "extended", hours=3)


@pytest.fixture(scope="module")
def courses(tmp_path_factory):
    """The same course twice: nbgrader grades the one, we the other."""
    roots = [tmp_path_factory.mktemp(name) for name in ("stock", "ours")]
    lay_out(roots[0])
    shutil.copytree(roots[0], roots[1], dirs_exist_ok=True)
    return roots


@pytest.mark.parametrize("method", METHODS)
def test_penalties_are_nbgraders(courses, method):
    stock, ours = courses
    config, wanted = METHODS[method]
    assert config in GUIDE
    for root in courses:
        (root / "nbgrader_config.py").write_text(f"c = get_config()\n{config}\n")
    nbgrader(stock, "autograde", ASSIGNMENT, "--no-execute", "--force")
    results(ours, "--regrade")
    assert penalties(database(stock), ASSIGNMENT) == {student: wanted.get(student, 0) for student in CLASS}
    assert penalties(database(ours), ASSIGNMENT) == penalties(database(stock), ASSIGNMENT)
    assert submitted_at(database(ours), ASSIGNMENT) == submitted_at(database(stock), ASSIGNMENT)
    assert grades(database(ours), ASSIGNMENT) == grades(database(stock), ASSIGNMENT)


def test_the_export_takes_the_penalty_off(courses):
    _, ours = courses
    nbgrader(ours, "export", "--to", "grades.csv")
    row = next(line for line in (ours / "grades.csv").read_text().splitlines() if ",late_and_wrong," in line)
    assert row.endswith(",1.0,0.75,0.25,4.0")  # raw score, penalty, score, highest


BROKEN = {"words": b"some time on Monday", "empty": b"", "february": b"2026-02-30 12:00 UTC", "binary": b"\0\xff\n"}


def test_a_timestamp_that_is_none_costs_nobody_a_grade(courses, tmp_path):
    _, ours = courses
    for name in ("source", "late.py"):
        (tmp_path / name).symlink_to(ours / name)
    for student, timestamp in BROKEN.items():
        folder = tmp_path / "submitted" / student / ASSIGNMENT
        shutil.copytree(ours / "submitted" / "undated" / ASSIGNMENT, folder)
        (folder / "timestamp.txt").write_bytes(timestamp)
    entries = results(tmp_path)
    found = grades(database(tmp_path), ASSIGNMENT)
    for student in BROKEN:
        assert found[student, "late", "right"][0] == 3
        (problem,) = entries[student, ASSIGNMENT]["problems"]
        assert "timestamp.txt" in problem


@pytest.mark.parametrize("plugin", ["nowhere.Late", "late.Nobody", "late.Faulty"])
def test_a_plugin_that_cannot_be_used_is_named(courses, plugin):
    _, ours = courses
    (ours / "nbgrader_config.py").write_text(f'c = get_config()\nc.AssignLatePenalties.plugin_class = "{plugin}"\n')
    before = grades(database(ours), ASSIGNMENT)
    done = autograder(ours, "grade", "--course-dir", ".", "--regrade", "--student", "very_late")
    assert done.status == 1 and plugin in done.output
    assert "Traceback" not in done.output and "mistake of its own" not in done.output
    assert grades(database(ours), ASSIGNMENT) == before
