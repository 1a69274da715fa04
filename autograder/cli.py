"""The commands, one short function each; what they do is imported when they run, so that `--help` is quick."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Build, release and grade the course.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def autograder() -> None:
    """Build, release and grade the course."""


@app.command()
def build(
    assignments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ASSIGNMENT]...", help="Folders of solutions/; all of them by default."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file differs.")] = False,
) -> None:
    """Turn solutions/ into the students' notebooks/."""
    from autograder.build.course import build_course, check_course, repository

    root = repository()
    if check:
        check_course(root, assignments or ())
        print("notebooks/ is what solutions/ makes.")
        return
    for path in build_course(root, assignments or ()):
        print(f"{'wrote' if (root / path).exists() else 'removed'} {path}")


@app.command()
def release(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or one that an earlier release made.")],
) -> None:
    """Make the students' folder and zip: notebooks, course_utils and how to set them up; nothing secret."""
    from autograder.build.course import repository
    from autograder.build.release import make_release

    made = make_release(repository(), folder)
    print(f"wrote {made.folder} ({made.files} files) and {made.archive}")


CourseDir = Annotated[
    Path | None,
    typer.Option("--course-dir", metavar="DIR", help="Any nbgrader course directory.", show_default="this repository"),
]
Assignments = Annotated[
    list[str] | None, typer.Argument(metavar="[ASSIGNMENT]...", help="All that were submitted, when none is named.")
]


class Sandbox(StrEnum):
    """What keeps student code apart."""

    bwrap = "bwrap"
    process = "process"


@app.command()
def grade(
    assignments: Assignments = None,
    course_dir: CourseDir = None,
    student: Annotated[str, typer.Option(metavar="ID", help="Grade this student alone.")] = "",
    jobs: Annotated[int, typer.Option(metavar="N", min=0, help="Submissions at a time.", show_default="all cores")] = 0,
    scheduler: Annotated[
        str, typer.Option(metavar="URL", help="Grade on the workers of this Dask scheduler, tcp://HOST:PORT.")
    ] = "",
    regrade: Annotated[bool, typer.Option("--regrade", help="Grade again what has not changed.")] = False,
    sandbox: Annotated[
        Sandbox | None,
        typer.Option(
            help="bwrap: with bubblewrap or not at all; process: only limit what student code uses.",
            show_default="the best that works here",
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the results to this file.")] = None,
) -> None:
    """Grade submitted/STUDENT/ASSIGNMENT/ into the gradebook."""
    from autograder.commands import grade_command

    how = {"jobs": jobs, "regrade": regrade, "sandbox": sandbox.value if sandbox else "", "scheduler": scheduler}
    raise typer.Exit(grade_command(course_dir, assignments or (), student, json, **how))


@app.command()
def feedback(assignments: Assignments = None, course_dir: CourseDir = None) -> None:
    """Write a feedback page for every graded submission."""
    from autograder.commands import feedback_command

    raise typer.Exit(feedback_command(course_dir, assignments or ()))


@app.command()
def report(assignments: Assignments = None, course_dir: CourseDir = None) -> None:
    """Write the class report: how each exercise went, and what the class misunderstood."""
    from autograder.commands import report_command

    raise typer.Exit(report_command(course_dir, assignments or ()))


@app.command()
def export(
    assignments: Assignments = None,
    course_dir: CourseDir = None,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="Where to write the CSV.")] = Path("grades.csv"),
) -> None:
    """Write one CSV row for every student and exercise."""
    from autograder.commands import export_command

    raise typer.Exit(export_command(course_dir, assignments or (), to))


@app.command()
def doctor() -> None:
    """Say what this machine offers, and what is missing."""
    from autograder.doctor import examine

    raise typer.Exit(examine())
