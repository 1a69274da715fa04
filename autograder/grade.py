"""Grades a class: every submission of a course directory, several at a time, on this machine or on a cluster."""

from __future__ import annotations

import contextlib
import itertools
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from autograder import CourseError, UsageError
from autograder.cluster import grade_on_cluster
from autograder.course import Course
from autograder.database import check_database
from autograder.files import read_folder
from autograder.gradebook import NOTHING_LOST, NotRecorded, Recorder
from autograder.journal import FOLDER, Entry, Journal, alone, grading_round
from autograder.nbgrader_log import last_line, quiet
from autograder.plan import Plan
from autograder.planning import make_plan
from autograder.pool import Task, grade_here, grade_in_processes, warm_up
from autograder.results import Job, Kept, changes, digest_folder, fingerprint, kept, remember
from autograder.sandbox import join, raised
from autograder.texts import one_line
from autograder.worker import Outcome

NO_SANDBOX = (
    "Warning: student code is only limited in what it uses here. It can read what you can read, and write where you "
    "can write: grade in this way only what you trust."
)
MAX_MESSAGE = 1000
# A student's folder gives the name that tables and pages show.
UNSHOWABLE = re.compile(r"[<>\"'&\x00-\x1f\x7f]")


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
            name = folder.parent.name
            if folder.is_dir() and not name.startswith(".") and not UNSHOWABLE.search(name):
                jobs.append(Job(course.root, assignment, name))
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
        elif UNSHOWABLE.search(parts[0]):
            found.append(f"{path.relative_to(root)} was not graded: a student's name has no quotes or markup in it.")
        elif parts[1] not in known:
            found.append(f"{path.relative_to(root)} was not graded: {parts[1]} is no assignment ({', '.join(known)}).")
    return found


def prepare(course: Course, assignments: Iterable[str], recorder: Recorder) -> None:
    """Make the gradebook know the current source notebooks of these assignments. Raises `CourseError`."""
    from nbgrader.converters import GenerateAssignment

    for assignment in assignments:
        stamp = course.root / FOLDER / f"{assignment}.source"
        digest = digest_folder(course.source(assignment))
        with contextlib.suppress(OSError):
            if stamp.read_text() == digest and recorder.has(assignment):
                continue
        recorder.wait()
        with tempfile.TemporaryDirectory(prefix="autograder-release-") as scratch, quiet() as log:
            directory = course.directory(release_directory=scratch, assignment_id=assignment)
            converter = GenerateAssignment(coursedir=directory, config=course.config)
            converter.force = True
            try:
                converter.start()
            except Exception as error:
                raise CourseError(f"The release of {assignment} could not be made: {last_line(log, error)}.") from None
        stamp.write_text(digest)


def grade_class(
    course: Course,
    jobs: list[Job],
    workers: int,
    regrade: bool = False,
    done: Callable[[dict[str, Any]], None] = lambda result: None,
    *,
    sandbox: str = "",
    scheduler: str = "",
    say: Callable[[str], None] = lambda sentence: None,
) -> list[dict[str, Any]]:
    """Grade all `jobs`; results in the order of `jobs`, each also given to `done` when it is ready.

    `workers` processes grade, this one where it is 1; or the workers of a Dask `scheduler`. `sandbox` is "bwrap",
    "process", or empty for the best that works here. What has to be said meanwhile goes to `say`, in sentences. A
    submission that was graded before and has not changed since keeps its result unless `regrade` is set. Whatever
    stops this, the next call goes on from there. Raises `CourseError`.
    """
    results: dict[Job, dict[str, Any]] = {}

    def ready(job: Job, result: dict[str, Any]) -> None:
        results[job] = result
        done(result)

    check_database(course.database)
    if workers > 1 and not scheduler:
        warm_up()
    try:
        with (
            alone(course.root),
            grading_round(course.root, regrade, say) as name,
            contextlib.closing(Recorder(course, say)) as recorder,
        ):
            work = _Work(course, jobs, _plans(course, jobs, recorder), recorder, name, regrade, ready)
            tasks = work.tasks()
            first = next(tasks, None)
            if first is not None:  # no wall is raised where there is nothing to grade
                tasks, workers = itertools.chain([first], tasks), min(workers, len(jobs))
                with contextlib.closing(_outcomes(tasks, workers, sandbox, scheduler, say)) as found:
                    for label, outcome in found:
                        work.finish(*label, outcome)
    except KeyboardInterrupt:
        graded = sum(not result.get("failed") for result in results.values())
        raise CourseError(
            f"Stopped; {graded} of {len(jobs)} are graded. Run the same command again to go on."
        ) from None
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise CourseError(f"Grading stopped: {error.strerror or error}{where}.", NOTHING_LOST) from None
    return [results[job] for job in jobs]


def _plans(course: Course, jobs: list[Job], recorder: Recorder) -> dict[str, Plan]:
    assignments = dict.fromkeys(job.assignment for job in jobs)
    prepare(course, assignments, recorder)
    return {assignment: make_plan(course, assignment) for assignment in assignments}


def _outcomes(
    tasks: Iterable[Task], workers: int, sandbox: str, scheduler: str, say: Callable[[str], None]
) -> Iterator[tuple[Any, Outcome]]:
    """The outcomes of the tasks, from wherever they are graded."""
    if scheduler:
        yield from grade_on_cluster(tasks, scheduler, sandbox)
        return
    with raised(sandbox) as wall:
        for sentence in filter(None, (wall.why, NO_SANDBOX if wall.kind == "process" else "")):
            say(sentence)
        if workers > 1:
            yield from grade_in_processes(tasks, workers, wall)
        else:
            join(wall)
            yield from grade_here(tasks)


class _Work:
    """The submissions of one run: which of them have to be graded, and what is done with an outcome."""

    def __init__(
        self,
        course: Course,
        jobs: list[Job],
        plans: dict[str, Plan],
        recorder: Recorder,
        round_name: str,
        regrade: bool,
        ready: Callable[[Job, dict[str, Any]], None],
    ) -> None:
        self.course, self.jobs, self.plans, self.recorder = course, jobs, plans, recorder
        self.round, self.regrade, self.ready = round_name, regrade, ready
        self.journal = Journal(course.root)
        self.known = recorder.knows()

    def tasks(self) -> Iterator[Task]:
        """What has to be graded, read when it is asked for; what is done already is passed on at once."""
        for job in self.jobs:
            plan = self.plans[job.assignment]
            files, left_out = read_folder(self.course.path("submitted", job.student, job.assignment))
            print_ = fingerprint(files, left_out, plan.digest)
            entry = self.journal.find(job.assignment, job.student)
            if entry and self._counts(entry, print_):
                self._record(job, entry)
                continue
            self.journal.drop(job.assignment, job.student)
            earlier = kept(self.course, job)
            if earlier and self._counts(earlier, print_) and self._is_in_place(job):
                self.ready(job, self._shown(earlier))
            else:
                yield Task((job, print_), plan, job.student, files, left_out)

    def _counts(self, found: Entry | Kept, print_: str) -> bool:
        """Whether an outcome or a result is of just this work, and new enough where all is graded again."""
        return found.fingerprint == print_ and (not self.regrade or found.round == self.round)

    def _is_in_place(self, job: Job) -> bool:
        folder = self.course.path("autograded", job.student, job.assignment)
        return folder.is_dir() and (job.assignment, job.student) in self.known

    def _shown(self, found: Kept) -> dict[str, Any]:
        """A kept result; its changes are news only in the round that made them."""
        return found.result if found.round == self.round else found.result | {"changes": []}

    def finish(self, job: Job, print_: str, outcome: Outcome) -> None:
        """Keep an outcome that has just arrived, and write it down."""
        if outcome.failure:
            keep_log(self.course, job, outcome.log)
            self.ready(job, failed(job, outcome.failure, outcome.seconds))
            return
        entry = Entry(print_, self.round, outcome)
        self.journal.keep(entry)
        self._record(job, entry)

    def _record(self, job: Job, entry: Entry) -> None:
        """Gradebook, folder, result, in this order; only then is the outcome forgotten."""
        earlier = kept(self.course, job)
        if earlier is None or (earlier.fingerprint, earlier.round) != (entry.fingerprint, entry.round):
            try:
                recorded = self.recorder.record(entry.outcome)
            except NotRecorded as why:
                self.journal.drop(job.assignment, job.student)
                self.ready(job, failed(job, str(why), entry.outcome.seconds))
                return
            result = result_of(entry.outcome) | {"manual": recorded.manual, "cells": recorded.cells}
            result["changes"] = changes(earlier.result, result) if earlier else []
            earlier = Kept(entry.fingerprint, entry.round, result)
            remember(self.course, job, earlier)
        self.journal.drop(job.assignment, job.student)
        self.ready(job, self._shown(earlier))


def result_of(outcome: Outcome) -> dict[str, Any]:
    """The result of an outcome, as in `--json`, before the gradebook has said what waits for a human."""
    verdicts = outcome.exercises.values()
    return {
        "student": outcome.student,
        "assignment": outcome.assignment,
        "score": round(sum(v["score"] for v in verdicts), 2),
        "max_score": round(sum(v["max_score"] for v in verdicts), 2),
        "seconds": outcome.seconds,
        "problems": [one_line(problem) for problem in outcome.problems],
        "manual": [],
        "exercises": {
            name: {**verdict, "message": one_line(verdict["message"], MAX_MESSAGE)}
            for name, verdict in outcome.exercises.items()
        },
        "wall": outcome.wall,
        "why": outcome.why,
    }


def failed(job: Job, why: str, seconds: float) -> dict[str, Any]:
    """The result of a submission that could not be graded."""
    outcome = Outcome(job.assignment, job.student, seconds=seconds)
    return result_of(outcome) | {"problems": [f"The submission could not be graded: {why}."], "failed": True}


def keep_log(course: Course, job: Job, log: str) -> None:
    """The whole story of a failure goes to a file, not to the instructor's screen."""
    with contextlib.suppress(OSError):
        path = course.root / FOLDER / "logs" / f"{job.assignment}-{job.student}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(log, encoding="utf-8")
