"""The instructor's commands around grading: run, show, and say where the results are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from autograder import UsageError
from autograder.course import REPOSITORY, Course, open_course
from autograder.grade import grade_class, overlooked, submissions
from autograder.results import kept_results, write_json
from autograder.table import change_lines, class_tables, problem_lines, wall_lines
from autograder.texts import one_line

MAX_SENTENCE = 1000

console = Console()


def course_of(folder: Path | None) -> Course:
    """The course directory that was named, or the repository."""
    return open_course(folder or REPOSITORY)


def _build_if_ours(course: Course) -> None:
    """Source notebooks under the repository's `build/` are made from `solutions/`, so make them first."""
    from autograder.build.course import build_sources

    source = course.source("x").parent.resolve()
    if source == REPOSITORY / "build" / "source" and (REPOSITORY / "solutions").is_dir():
        build_sources(REPOSITORY)


def grade_command(
    folder: Path | None,
    assignments: Sequence[str],
    student: str,
    json: Path | None,
    *,
    jobs: int = 0,
    regrade: bool = False,
    sandbox: str = "",
    scheduler: str = "",
) -> int:
    """Grade, show the class table and what changed, write `--json`; 1 when a submission could not be graded."""
    course = course_of(folder)
    if scheduler and jobs:
        raise UsageError("--jobs is for this machine; with --scheduler, the number of workers decides.")
    _build_if_ours(course)
    todo = submissions(course, assignments, student)
    if not todo:
        console.print(f"There is nothing to grade in {course.path('submitted', '*', '*').parent.parent}.")
        for line in overlooked(course):
            _say(line)
        if json:
            write_json(json, [])
        return 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Grading", total=len(todo))
        results = grade_class(
            course,
            todo,
            jobs or cores(),
            regrade,
            lambda result: bar.advance(task),
            sandbox=sandbox,
            scheduler=scheduler,
            say=_say,
        )
    for table in class_tables(results):
        console.print(table)
        console.print()
    for line in [*problem_lines(results), *wall_lines(results), *overlooked(course), *change_lines(results, regrade)]:
        _say(line)
    if json:
        write_json(json, results)
        console.print(f"Results: {json}")
    failed = sum(bool(result.get("failed")) for result in results)
    if failed:
        console.print(
            f"{failed} of {len(results)} submissions could not be graded; see {course.root / '.autograder' / 'logs'}."
        )
    return 1 if failed else 0


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _say(sentence: str) -> None:
    """A sentence on the screen: names in it may be a student's own."""
    console.print(escape(one_line(sentence, MAX_SENTENCE)), highlight=False, soft_wrap=True)


def feedback_command(folder: Path | None, assignments: Sequence[str]) -> int:
    """Write nbgrader's feedback pages, and say where they are."""
    from autograder.feedback import write_feedback

    course = course_of(folder)
    pages = write_feedback(course, _graded(course, assignments))
    shown = course.path("feedback", "STUDENT", "ASSIGNMENT")
    console.print(f"Feedback pages: {len(pages)} in {shown}", highlight=False, soft_wrap=True)
    return 0


def report_command(folder: Path | None, assignments: Sequence[str]) -> int:
    """Write the class report of each assignment, and say where it is."""
    from autograder.report import write_report

    course = course_of(folder)
    for assignment in _graded(course, assignments):
        path = write_report(course, assignment, kept_results(course, [assignment]))
        console.print(f"Class report: {path}", highlight=False, soft_wrap=True)
    return 0


def export_command(folder: Path | None, assignments: Sequence[str], to: Path) -> int:
    """Write the CSV, and say where it is."""
    from autograder.export import write_csv

    course = course_of(folder)
    rows = write_csv(to, [r for a in _graded(course, assignments) for r in kept_results(course, [a])])
    console.print(f"{rows} rows: {to}", highlight=False, soft_wrap=True)
    return 0


def _graded(course: Course, assignments: Sequence[str]) -> list[str]:
    """The named assignments, or all that have been graded. Raises `UsageError` where there is nothing."""
    graded: list[Any] = sorted({result["assignment"] for result in kept_results(course)})
    for name in assignments:
        if name not in graded:
            raise UsageError(f"No submission of {name} has been graded in {course.root}.")
    if not graded:
        raise UsageError(f"Nothing has been graded in {course.root} yet: run autograder grade first.")
    return list(assignments) or graded
