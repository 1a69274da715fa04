"""What is graded again and what is not, which changes are said, and what of a human's grading stays."""

from __future__ import annotations

import contextlib

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder import CourseError, grade, results
from autograder.course import open_course
from autograder.grade import grade_class, submissions
from autograder.sandbox import raised
from autograder.table import change_lines
from tests import toy

SHIFT = "def shift(x, by):\n    return x {} by"


@pytest.fixture(scope="module")
def wall():
    """One wall for all runs of this module: a fork server takes longer to start than the toys to grade."""
    with raised("process") as wall:
        yield wall


@pytest.fixture
def course(tmp_path, monkeypatch, wall):
    """A course with two submissions: ada's is right, bob's has the other sign."""
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setattr(grade, "raised", lambda sandbox: contextlib.nullcontext(wall))
    toy.install(monkeypatch)
    source = toy.course(tmp_path)
    for student, sign in (("ada", "+"), ("bob", "-")):
        toy.hand_in(tmp_path, student, toy.submission(source, shift=SHIFT.format(sign), why="Because."))
    return open_course(tmp_path)


@pytest.fixture
def graded(monkeypatch):
    """The students whose submissions were really graded, in order."""
    real, students = grade.grade_here, []

    def noted(tasks):
        for label, outcome in real(tasks):
            students.append(outcome.student)
            yield label, outcome

    monkeypatch.setattr(grade, "grade_here", noted)
    return students


def run(course, **options) -> dict[str, dict]:
    return {result["student"]: result for result in grade_class(course, submissions(course), workers=1, **options)}


def scores(found: dict[str, dict]) -> dict[str, tuple]:
    return {s: tuple(v["score"] for v in result["exercises"].values()) for s, result in found.items()}


def edit_source(course, change) -> None:
    path = course.source(toy.ASSIGNMENT) / "toy.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        change(cell, cell.metadata.get("nbgrader", {}).get("grade_id"))
    nbformat.write(notebook, path)


def correct(wrong: str, right: str):
    """A change of the reference solution."""
    return lambda cell, name: name == "shift" and cell.update(source=cell.source.replace(wrong, right))


def give(course, student, cell, **values) -> None:
    """What a human does in the formgrader."""
    with Gradebook(course.database) as gradebook:
        found = gradebook.find_grade(cell, "toy", toy.ASSIGNMENT, student)
        for name, value in values.items():
            setattr(found, name, value)
        gradebook.db.commit()


def look(course, student, cell) -> tuple:
    with Gradebook(course.database) as gradebook:
        found = gradebook.find_grade(cell, "toy", toy.ASSIGNMENT, student)
        return found.auto_score, found.manual_score, found.extra_credit, found.needs_manual_grade


def test_only_what_changed_is_graded_again(course, graded):
    run(course)
    assert graded == ["ada", "bob"]
    again = run(course)
    assert graded == ["ada", "bob"] and scores(again) == {"ada": (6, 2), "bob": (0, 2)}
    source = nbformat.read(course.source(toy.ASSIGNMENT) / "toy.ipynb", as_version=4)
    toy.hand_in(course.root, "bob", toy.submission(source, shift=SHIFT.format("+"), why="Because."))
    improved = run(course)
    assert graded == ["ada", "bob", "bob"] and scores(improved)["bob"] == (6, 2)
    assert list(change_lines(list(improved.values()))) == [
        "Scores that changed:",
        "  bob, 99_toy, shift: 0 → 6",
        "  bob, 99_toy, plain: 0 → 1",
    ]
    assert list(change_lines(list(run(course).values()))) == []


def test_regrade_grades_all_and_says_that_nothing_changed(course, graded):
    run(course)
    again = run(course, regrade=True)
    assert graded == ["ada", "bob"] * 2
    assert list(change_lines(list(again.values()), always=True)) == ["No score changed."]


def test_a_lost_folder_or_gradebook_is_made_again(course, graded):
    run(course)
    path = course.path("autograded", "ada", toy.ASSIGNMENT)
    path.rename(path.with_name("gone"))
    run(course)
    assert graded == ["ada", "bob", "ada"] and path.is_dir()
    (course.root / "gradebook.db").unlink()
    run(course)
    assert graded[3:] == ["ada", "bob"] and look(course, "bob", "check_shift")[0] == 0


def test_a_corrected_source_regrades_the_same_submissions(course, graded):
    """The reference subtracted, and so does bob; nobody hands in again, and nothing is released again."""
    edit_source(
        course, correct("x + by", "x - by")
    )
    # Where oracle and reference disagree, the reference is the truth.
    assert scores(run(course)) == {"ada": (0, 2), "bob": (6, 2)}
    edit_source(
        course, correct("x - by", "x + by")
    )
    corrected = run(course)
    assert graded == ["ada", "bob"] * 2
    assert scores(corrected) == {"ada": (6, 2), "bob": (0, 2)}
    assert list(change_lines(list(corrected.values()))) == [
        "Scores that changed:",
        "  ada, 99_toy, shift: 0 → 6",
        "  bob, 99_toy, shift: 6 → 0",
    ]


def test_other_points_for_a_check_regrade_too(course, graded):
    run(course)
    edit_source(course, lambda cell, name: name == "check_shift" and cell.metadata["nbgrader"].update(points=12))
    found = run(course)
    assert graded == ["ada", "bob"] * 2
    assert scores(found) == {"ada": (12, 2), "bob": (0, 2)} and found["bob"]["max_score"] == 14
    assert list(change_lines(list(found.values()))) == ["Scores that changed:", "  ada, 99_toy, shift: 6 → 12"]
    assert look(course, "ada", "check_shift")[0] == 12


def test_a_corrected_bank_regrades_too(course, graded, monkeypatch):
    run(course)
    monkeypatch.setattr(grade, "fingerprint", lambda *known: results.fingerprint(*known) + "another bank")
    run(course)
    assert graded == ["ada", "bob"] * 2


def test_the_fingerprint_covers_all_that_a_score_depends_on(monkeypatch):
    same = results.fingerprint({"a": b"1", "b": b"2"}, [], "plan")
    assert results.fingerprint({"b": b"2", "a": b"1"}, [], "plan") == same
    others = [
        results.fingerprint({"a": b"1", "b": b"3"}, [], "plan"),
        results.fingerprint({"a": b"1", "c": b"2"}, [], "plan"),
        results.fingerprint({"a": b"1", "b": b"2"}, ["c is a link and was left out."], "plan"),
        results.fingerprint({"a": b"1", "b": b"2"}, [], "another plan"),
    ]
    monkeypatch.setattr(results, "code_digest", lambda: "another bank")
    others.append(results.fingerprint({"a": b"1", "b": b"2"}, [], "plan"))
    assert len({same, *others}) == 6


def test_manual_grades_and_comments_are_never_overwritten(course):
    run(course)
    give(course, "ada", "why", manual_score=3.5, extra_credit=0.5, needs_manual_grade=False)
    give(course, "bob", "check_shift", manual_score=2.0, needs_manual_grade=False)
    with Gradebook(course.database) as gradebook:
        gradebook.find_comment("why", "toy", toy.ASSIGNMENT, "ada").manual_comment = "Well said."
        gradebook.db.commit()
    run(course, regrade=True)
    assert look(course, "ada", "why") == (None, 3.5, 0.5, False)
    assert look(course, "bob", "check_shift") == (0, 2.0, None, False)
    with Gradebook(course.database) as gradebook:
        assert gradebook.find_comment("why", "toy", toy.ASSIGNMENT, "ada").manual_comment == "Well said."
        assert gradebook.find_submission(toy.ASSIGNMENT, "ada").score == 6 + 2 + 1 + 4


def test_a_manual_grade_is_flagged_where_the_answer_or_the_score_changed_since(course):
    run(course)
    give(course, "ada", "why", manual_score=3.5, needs_manual_grade=False)
    give(course, "bob", "why", manual_score=1.0, needs_manual_grade=False)
    give(course, "bob", "check_shift", manual_score=2.0, needs_manual_grade=False)
    source = nbformat.read(course.source(toy.ASSIGNMENT) / "toy.ipynb", as_version=4)
    toy.hand_in(course.root, "ada", toy.submission(source, shift=SHIFT.format("+"), why="Because of the sun."))
    toy.hand_in(course.root, "bob", toy.submission(source, shift=SHIFT.format("+"), why="Because."))
    found = run(course)
    assert look(course, "ada", "why") == (None, 3.5, None, True) and found["ada"]["manual"] == ["why"]
    assert look(course, "bob", "why") == (None, 1.0, None, False)
    assert look(course, "bob", "check_shift") == (6, 2.0, None, True) and found["bob"]["manual"] == ["check_shift"]


def test_cells_cannot_be_added_once_there_are_submissions(course):
    run(course)
    path = course.source(toy.ASSIGNMENT) / "toy.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells += toy.exercise_cells("twice", 3)
    for cell in notebook.cells[-2:]:
        cell.metadata["nbgrader"]["grade_id"] += "_again"
    nbformat.write(notebook, path)
    with pytest.raises(CourseError, match="The release of 99_toy could not be made: .*Cannot add or remove cells"):
        run(course)
