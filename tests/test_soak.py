"""Large numbers: a whole class at once, and the same class again and again; larger still in `make soak`."""

from __future__ import annotations

import os

import nbformat
import pytest

from autograder.course import open_course
from autograder.grade import grade_class, prepare, submissions
from autograder.gradebook import Recorder
from autograder.planning import make_plan
from autograder.sandbox import raised
from autograder.worker import grade
from benchmarks.honest_class import ASSIGNMENT, NOTEBOOK, STORIES, make_course, source_notebook, submission

SOAK = bool(os.environ.get("SOAK"))
STUDENTS, REGRADES = (300, 200) if SOAK else (12, 3)


@pytest.fixture(scope="module")
def notebook():
    return source_notebook(small=True, display=False)


def verdicts(exercises) -> dict:
    return {name: (v["score"], v["misconception"], v["message"]) for name, v in exercises.items()}


def test_everybody_in_a_large_class_gets_what_the_same_work_gets(notebook, tmp_path):
    course = open_course(make_course(tmp_path / "course", notebook, STUDENTS, stock=False))
    results = grade_class(course, submissions(course), workers=2)
    assert len(results) == STUDENTS and not any(result.get("failed") or result["problems"] for result in results)
    for number, result in enumerate(results):
        assert verdicts(result["exercises"]) == verdicts(results[number % len(STORIES)]["exercises"])
    assert results[0]["score"] == results[0]["max_score"] > results[1]["score"] > 0


def test_the_same_submission_always_gets_the_same_score(notebook, tmp_path):
    course = open_course(make_course(tmp_path / "course", notebook, 1, stock=False))
    (course.root / ".autograder").mkdir()
    recorder = Recorder(course)
    prepare(course, [ASSIGNMENT], recorder)
    recorder.close()
    plan = make_plan(course, ASSIGNMENT)
    class_of_files = [
        {f"{NOTEBOOK}.ipynb": nbformat.writes(submission(notebook, number)).encode()} for number in range(len(STORIES))
    ]
    first = None
    with raised():
        for _ in range(REGRADES):
            outcomes = [grade(plan, "somebody", files) for files in class_of_files]
            assert not any(outcome.failure for outcome in outcomes)
            found = [verdicts(outcome.exercises) for outcome in outcomes]
            first = first or found
            assert found == first
