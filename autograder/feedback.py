"""Feedback pages: nbgrader's own, one per student and notebook."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from autograder import CourseError
from autograder.course import Course
from autograder.nbgrader_log import last_line, quiet


def write_feedback(course: Course, assignments: Iterable[str]) -> list[Path]:
    """Write the pages for these assignments' graded submissions; returns their paths. Raises `CourseError`."""
    from nbgrader.converters import GenerateFeedback

    pages: list[Path] = []
    for assignment in assignments:
        with quiet() as log:
            converter = GenerateFeedback(coursedir=course.directory(assignment_id=assignment), config=course.config)
            converter.force = True
            try:
                converter.start()
            except Exception as error:
                raise CourseError(
                    f"The feedback of {assignment} could not be written: {last_line(log, error)}."
                ) from None
        folder = course.path("feedback", "*", assignment)
        pages += sorted(folder.parent.parent.glob(f"*/{assignment}/*.html"))
    return pages
