"""What a gradebook says, as plain data, so that two of them can be compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook


def database(root: Path) -> str:
    """The URL of a course directory's own SQLite gradebook."""
    return f"sqlite:///{root / 'gradebook.db'}"


def grades(url: str, assignment: str) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    """(student, notebook, cell) → automatic, manual and highest score, needs a human, nbgrader's own comment."""
    found = {}
    for student, notebook in _notebooks(url, assignment):
        comments = {comment.cell.name: comment.auto_comment for comment in notebook.comments}
        for grade in notebook.grades:
            found[student, notebook.name, grade.cell.name] = (
                grade.auto_score,
                grade.manual_score,
                grade.max_score,
                bool(grade.needs_manual_grade),
                comments.get(grade.cell.name),
            )
    return found


def scores(url: str, assignment: str, student: str) -> dict[str, float | None]:
    """Cell → automatic score of one student."""
    return {cell: row[0] for (name, _, cell), row in grades(url, assignment).items() if name == student}


def penalties(url: str, assignment: str) -> dict[str, float]:
    """Student → the late penalty of the whole submission."""
    with Gradebook(url) as gradebook:
        return {s.student.id: s.late_submission_penalty for s in gradebook.assignment_submissions(assignment)}


def submitted_at(url: str, assignment: str) -> dict[str, Any]:
    """Student → when the submission came in, in UTC, as far as the gradebook knows."""
    with Gradebook(url) as gradebook:
        return {s.student.id: s.timestamp for s in gradebook.assignment_submissions(assignment)}


def _notebooks(url: str, assignment: str):
    with Gradebook(url) as gradebook:
        for submission in gradebook.assignment_submissions(assignment):
            for notebook in submission.notebooks:
                yield submission.student.id, notebook
