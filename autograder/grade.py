"""Grades a class: every submission of a course directory, several at a time."""

from __future__ import annotations

import contextlib
import multiprocessing
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from autograder import CourseError, UsageError
from autograder.course import Course, open_course
from autograder.nbgrader_log import last_line, quiet
from autograder.results import Job, digest_folder, earlier_result, remember


def submissions(course: Course, assignments: Iterable[str] = (), student: str = "") -> list[Job]:
    """What there is to grade, assignment by assignment. Raises `UsageError` for a name that does not exist."""
    known = course.assignments()
    for name in assignments:
        if name not in known:
            raise UsageError(f"There is no assignment {name} in {course.root}. It has: {', '.join(known) or 'none'}.")
    jobs = []
    for assignment in assignments or known:
        pattern = course.path("submitted", "*", assignment)
        for folder in sorted(pattern.parent.parent.glob(f"*/{assignment}")):
            if folder.is_dir() and not folder.parent.name.startswith("."):
                jobs.append(Job(course.root, assignment, folder.parent.name))
    if student:
        jobs = [job for job in jobs if job.student == student]
        if not jobs:
            raise UsageError(
                f"{student} has not submitted anything in {course.path('submitted', student, 'x').parent}."
            )
    return jobs


def overlooked(course: Course) -> list[str]:
    """A sentence for each notebook in the submitted folder that lies where no assignment's submission belongs."""
    known = course.assignments()
    root = course.path("submitted", "x", "y").parent.parent
    found = []
    for path in sorted(root.rglob("*.ipynb")):
        parts = path.relative_to(root).parts
        if any(part.startswith(".") for part in parts):
            continue
        if len(parts) < 3:
            found.append(f"{path.relative_to(root)} was not graded: it belongs in STUDENT/ASSIGNMENT/.")
        elif parts[1] not in known:
            found.append(f"{path.relative_to(root)} was not graded: {parts[1]} is no assignment ({', '.join(known)}).")
    return found


def prepare(course: Course, assignments: Iterable[str]) -> None:
    """Make the gradebook know the current source notebooks of these assignments."""
    from nbgrader.converters import GenerateAssignment

    for assignment in assignments:
        stamp = course.root / ".autograder" / f"{assignment}.source"
        digest = digest_folder(course.source(assignment))
        with contextlib.suppress(OSError):
            if stamp.read_text() == digest and _in_gradebook(course, assignment):
                continue
        with tempfile.TemporaryDirectory(prefix="autograder-release-") as scratch, quiet() as log:
            directory = course.directory(release_directory=scratch, assignment_id=assignment)
            converter = GenerateAssignment(coursedir=directory, config=course.config)
            converter.force = True
            try:
                converter.start()
            except Exception as error:
                raise CourseError(f"The release of {assignment} could not be made: {last_line(log, error)}") from None
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(digest)


def _in_gradebook(course: Course, assignment: str) -> bool:
    from nbgrader.api import Gradebook, MissingEntry

    try:
        with Gradebook(course.database) as gradebook:
            gradebook.find_assignment(assignment)
            return True
    except MissingEntry:
        return False


def grade_class(
    course: Course,
    jobs: list[Job],
    workers: int,
    regrade: bool = False,
    done: Callable[[dict[str, Any]], None] = lambda result: None,
) -> list[dict[str, Any]]:
    """Grade all `jobs` with `workers` processes; results in the order of `jobs`, each also given to `done` when ready.

    A submission that was graded before and has not changed since keeps its result unless `regrade` is set.
    """
    prepare(course, dict.fromkeys(job.assignment for job in jobs))
    results: dict[Job, dict[str, Any]] = {}
    waiting = []
    for job in jobs:
        earlier = None if regrade else earlier_result(course, job)
        if earlier is None:
            waiting.append(job)
        else:
            results[job] = earlier
            done(earlier)
    for job, result in _run(waiting, max(1, min(workers, len(waiting) or 1))):
        results[job] = result
        if not result.get("failed"):
            remember(course, job, result)
        done(result)
    return [results[job] for job in jobs]


def _run(jobs: list[Job], workers: int) -> Iterator[tuple[Job, dict[str, Any]]]:
    if workers == 1:
        for job in jobs:
            yield job, grade_submission(job)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context)
    try:
        futures = {pool.submit(grade_submission, job): job for job in jobs}
        for future in as_completed(futures):
            job = futures[future]
            try:
                yield job, future.result()
            except BrokenProcessPool:
                yield job, _failure(job, "the grading process ended unexpectedly", 0.0)
    finally:
        pool.shutdown(cancel_futures=True)


def grade_submission(job: Job) -> dict[str, Any]:
    """Grade one submission into the course's gradebook and `autograded` folder; the result as in `--json`."""
    from autograder.intake import take_in

    started = time.monotonic()
    course = open_course(job.course)
    with tempfile.TemporaryDirectory(prefix="autograder-intake-") as scratch, quiet() as log:
        try:
            staged = Path(scratch) / job.student / job.assignment
            problems = take_in(course, job.assignment, course.path("submitted", job.student, job.assignment), staged)
            _autograde(course, job, scratch)
        except Exception as error:  # one submission must not stop the class
            log.append(traceback.format_exc())
            _keep_log(course, job, log)
            return _failure(job, last_line(log[:-1], error), time.monotonic() - started)
        result = collect(course, job)
        result["problems"] = [*problems, *result["problems"]]
        return {**result, "seconds": round(time.monotonic() - started, 3)}


def _autograde(course: Course, job: Job, submitted: str) -> None:
    from nbgrader.converters import Autograde

    directory = course.directory(submitted_directory=submitted, assignment_id=job.assignment, student_id=job.student)
    converter = Autograde(coursedir=directory, config=course.config)
    converter.force = True
    converter.start()


def collect(course: Course, job: Job) -> dict[str, Any]:
    """The result of a graded submission, from its autograded notebooks and the gradebook."""
    import nbformat
    from nbgrader.api import Gradebook

    from autograder.executor import METADATA
    from autograder.references import checked_name

    found: dict[str, Any] = {}
    problems: list[str] = []
    for name in course.notebooks(job.assignment):
        notebook = nbformat.read(course.path("autograded", job.student, job.assignment) / f"{name}.ipynb", as_version=4)
        problems += notebook.metadata.get(METADATA, {}).get("problems", [])
        for cell in notebook.cells:
            if cell.cell_type == "code" and "aspects" in cell.metadata.get(METADATA, {}):
                verdict = dict(cell.metadata[METADATA])
                verdict.pop("findings", None)
                found[checked_name(cell.source)] = verdict
    with Gradebook(course.database) as gradebook:
        submission = gradebook.find_submission(job.assignment, job.student)
        manual = [g.cell.name for n in submission.notebooks for g in n.grades if g.needs_manual_grade]
    return {
        "student": job.student,
        "assignment": job.assignment,
        "score": round(sum(v["score"] for v in found.values()), 2),
        "max_score": round(sum(v["max_score"] for v in found.values()), 2),
        "seconds": 0.0,
        "problems": problems,
        "manual": sorted(manual),
        "exercises": found,
    }


def _failure(job: Job, why: str, seconds: float) -> dict[str, Any]:
    return {
        "student": job.student,
        "assignment": job.assignment,
        "score": 0.0,
        "max_score": 0.0,
        "seconds": round(seconds, 3),
        "problems": [f"The submission could not be graded: {why}."],
        "manual": [],
        "exercises": {},
        "failed": True,
    }


def _keep_log(course: Course, job: Job, log: list[str]) -> None:
    """The whole story of a failure goes to a file, not to the instructor's screen."""
    with contextlib.suppress(OSError):
        path = course.root / ".autograder" / "logs" / f"{job.assignment}-{job.student}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(log), encoding="utf-8")
