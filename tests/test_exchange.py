"""An assignment goes through nbgrader's exchange: released, fetched, submitted, collected, graded by us, fed back."""

from __future__ import annotations

from types import SimpleNamespace

import nbformat
import pytest

from tests import small_course
from tests.command_line import autograder, nbgrader, results
from tests.gradebooks import database, submitted_at
from tests.small_course import ASSIGNMENT, NOTEBOOK

COURSE = "measured"


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    """An exchange, a course whose assignment has been released to it, and a student who has fetched it."""
    root = tmp_path_factory.mktemp("school")
    exchange = root / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    settings = f'c.CourseDirectory.course_id = "{COURSE}"\nc.Exchange.root = "{exchange}"\n'
    course = small_course.lay_out(root / "course", settings)
    ann = root / "ann"
    ann.mkdir()
    small_course.configure(ann, settings)
    nbgrader(course, "generate_assignment", ASSIGNMENT)
    nbgrader(course, "db", "student", "add", "ann", "--first-name=Ann", "--last-name=Lee")
    nbgrader(course, "release_assignment", ASSIGNMENT)
    as_ann(ann, "fetch_assignment", ASSIGNMENT)
    return SimpleNamespace(course=course, ann=ann)


def as_ann(home, *arguments):
    """Run nbgrader as a student does, who has a home and an id of her own."""
    return nbgrader(home, *arguments, "--student", "ann", HOME=str(home), JUPYTER_DATA_DIR=str(home / "data"))


def submit(home, code):
    """Write this code into the fetched notebook, and submit it."""
    path = home / ASSIGNMENT / NOTEBOOK
    notebook = nbformat.read(path, as_version=4)
    solution = next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "affine_forward")
    solution.source = code
    nbformat.write(notebook, path)
    as_ann(home, "submit", ASSIGNMENT)


def test_through_the_exchange_and_back(school):
    submit(school.ann, small_course.BIAS_FORGOTTEN)
    nbgrader(school.course, "collect", ASSIGNMENT)
    first = results(school.course)["ann", ASSIGNMENT]
    assert first["exercises"]["affine_forward"]["misconception"] == "bias forgotten"
    assert first["problems"] == []
    folder = school.course / "submitted" / "ann" / ASSIGNMENT
    handed_in = submitted_at(database(school.course), ASSIGNMENT)["ann"]
    assert handed_in.isoformat(" ") in (folder / "timestamp.txt").read_text()

    done = autograder(school.course, "feedback", "--course-dir", ".")
    assert done.status == 0, done.output
    nbgrader(school.course, "release_feedback", ASSIGNMENT)
    as_ann(school.ann, "fetch_feedback", ASSIGNMENT)
    (page,) = (school.ann / ASSIGNMENT / "feedback").glob("*/backprop.html")
    assert "It looks as if" in page.read_text() and "bias" in page.read_text()


def test_a_second_submission_is_graded_in_place_of_the_first(school):
    submit(school.ann, small_course.SOLVED)
    nbgrader(school.course, "collect", ASSIGNMENT, "--update")
    again = results(school.course)["ann", ASSIGNMENT]
    assert again["exercises"]["affine_forward"]["score"] == 4
    assert results(school.course)["ann", ASSIGNMENT] == again, "what has not changed is not graded again"


def test_nbgraders_lists_show_it(school):
    assert f"{COURSE} ann {ASSIGNMENT}" in nbgrader(school.course, "list", "--inbound")
    assert "ann (Lee, Ann)" in nbgrader(school.course, "db", "student", "list"), "grading keeps the roster's names"
    assert ASSIGNMENT in nbgrader(school.course, "db", "assignment", "list")


def test_the_students_secret_stays_between_nbgrader_and_the_student(school):
    secret = (school.course / "submitted" / "ann" / ASSIGNMENT / "submission_secret.txt").read_text()
    page = (school.course / "feedback" / "ann" / ASSIGNMENT / "backprop.html").read_text()
    assert len(secret) == 128 and secret not in page
