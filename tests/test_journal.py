"""Nothing is lost: whatever kills a run of the grader, and whenever, the next one finishes the job."""

from __future__ import annotations

import contextlib
import errno
import json
import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import threading
import time
import zipfile
from pathlib import Path

import pytest

from autograder import CourseError, grade, gradebook
from autograder.course import open_course
from autograder.grade import grade_class, submissions
from autograder.journal import Entry, Journal, alone, grading_round
from autograder.results import kept_results
from autograder.worker import Outcome
from tests import toy
from tests.gradebooks import database, grades, submitted_at

STUDENTS = tuple(f"student{number}" for number in range(6))
KILLS = 40


@pytest.fixture(scope="module")
def graded_once(tmp_path_factory):
    """A course directory that nobody has disturbed, and the outcomes of its submissions."""
    root = tmp_path_factory.mktemp("undisturbed")
    outcomes = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NBGRADER_EXECUTION", raising=False)
        toy.install(patch)
        hand_in(root)
        real = grade._outcomes

        def remembered(*arguments):
            for label, outcome in real(*arguments):
                outcomes[outcome.student] = outcome
                yield label, outcome

        patch.setattr(grade, "_outcomes", remembered)
        grade_class(open_course(root), submissions(open_course(root)), workers=1, sandbox="process")
    return root, outcomes


def hand_in(root: Path) -> None:
    source = toy.course(root)
    for number, student in enumerate(STUDENTS):
        sign = "+-"[number % 2]
        code = {"shift": f"def shift(x, by):\n    return x {sign} by", "why": f"Because of {number}."}
        folder = toy.hand_in(root, student, toy.submission(source, **code))
        (folder / "timestamp.txt").write_text(f"2026-01-0{number + 1} 12:00:00 UTC")
        (folder / "notes.txt").write_text(student)


@pytest.fixture
def replayed(graded_once, monkeypatch):
    """Grading replays outcomes: all that happens to them afterwards is real."""
    _, outcomes = graded_once

    def replay(tasks, *_):
        for task in tasks:
            time.sleep(0.01)
            yield task.label, outcomes[task.student]

    monkeypatch.setattr(grade, "_outcomes", replay)
    # For each new gradebook nbgrader starts alembic, which takes longer than all that is tested here.
    version = everything(graded_once[0])["version"][0][0]
    monkeypatch.setattr("nbgrader.api.get_alembic_version", lambda: version)


@pytest.fixture
def course(graded_once, tmp_path, replayed):
    """A course directory with the same submissions, not graded yet."""
    root = tmp_path / "course"
    for part in ("source", "submitted"):
        shutil.copytree(graded_once[0] / part, root / part)
    (root / ".autograder").mkdir()
    shutil.copy(graded_once[0] / ".autograder" / "secret", root / ".autograder")
    return root


def run(root: Path, **options) -> list[dict]:
    course = open_course(root)
    return grade_class(course, submissions(course), workers=1, **options)


def everything(root: Path) -> dict:
    """All that a run leaves behind, but for the names that a database makes up."""
    with contextlib.closing(sqlite3.connect(root / "gradebook.db")) as connection:
        version = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        counts = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        }
    folders = sorted(p for p in (root / "autograded").rglob("*") if p.is_file())
    return {
        "grades": grades(database(root), toy.ASSIGNMENT),
        "times": submitted_at(database(root), toy.ASSIGNMENT),
        "version": version,
        "counts": counts,
        "autograded": {str(p.relative_to(root)): (p.read_bytes(), p.stat().st_mode) for p in folders},
        "results": kept_results(open_course(root)),
        "left": [str(p) for p in (root / ".autograder" / "journal").rglob("*.*")],
    }


def run_and_kill(root: Path, seconds: float) -> bool:
    """Run in a process of its own and kill it after a while; whether it was killed before it was done."""
    process = multiprocessing.get_context("fork").Process(target=run, args=(root,))
    process.start()
    process.join(seconds)
    if process.exitcode is None:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def test_killed_at_many_moments_it_ends_as_if_undisturbed(graded_once, course, tmp_path):
    undisturbed = everything(graded_once[0])
    assert len(undisturbed["results"]) == len(STUDENTS) and not undisturbed["left"]
    moments = random.Random(7)
    fresh = tmp_path / "fresh"
    course.rename(fresh)
    started = time.monotonic()
    shutil.copytree(fresh, course)
    assert not run_and_kill(course, 60)
    whole, kills = time.monotonic() - started, 0
    while kills < KILLS:
        shutil.rmtree(course)
        shutil.copytree(fresh, course)
        while run_and_kill(course, moments.uniform(0, 1.2 * whole)):
            kills += 1
        assert everything(course) == undisturbed


@pytest.mark.parametrize(
    "step",
    ["Journal.keep", "Recorder._write", "Recorder._put_in_place", "remember", "Journal.drop"],
)
def test_killed_before_each_step_of_writing_down(graded_once, course, monkeypatch, step):
    home = {"Journal": grade.Journal, "Recorder": grade.Recorder}.get(step.partition(".")[0], grade)
    name = step.rpartition(".")[2]
    real, calls = getattr(home, name), []

    def dies_at_the_third(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            os._exit(9)
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(home, name, dies_at_the_third)
        process = multiprocessing.get_context("fork").Process(target=run, args=(course,))
        process.start()
        process.join()
        assert process.exitcode == 9
    run(course)
    assert everything(course) == everything(graded_once[0])


def test_ctrl_c_says_how_to_go_on(graded_once, course, monkeypatch):
    real = grade._outcomes

    def interrupted(tasks, *rest):
        for number, found in enumerate(real(tasks, *rest)):
            if number == 2:
                raise KeyboardInterrupt
            yield found

    with monkeypatch.context() as patch:
        patch.setattr(grade, "_outcomes", interrupted)
        with pytest.raises(CourseError, match=r"^Stopped; 2 of 6 are graded. Run the same command again to go on.$"):
            run(course)
    run(course)
    assert everything(course) == everything(graded_once[0])


@pytest.mark.parametrize("where", ["keep", "_put_in_place", "remember"])
def test_a_full_disk_is_a_sentence_and_nothing_is_lost(graded_once, course, monkeypatch, where):
    home = {"keep": Journal, "_put_in_place": gradebook.Recorder, "remember": grade}[where]
    real, calls = getattr(home, where), []

    def full(*arguments):
        calls.append(arguments)
        if len(calls) == 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(home, where, full)
        with pytest.raises(CourseError) as stopped:
            run(course)
    assert stopped.value.sentences[0] == "Grading stopped: No space left on device (somewhere)."
    assert "Nothing is lost" in stopped.value.sentences[1]
    run(course)
    assert everything(course) == everything(graded_once[0])


def test_a_disk_that_is_really_full(graded_once, course):
    """No file may grow beyond a limit, as on a full disk: the database, the journal and the copies all hit it."""

    def limited(size):
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        try:
            run(course)
        except CourseError as error:
            os._exit(3 if "Nothing is lost" in str(error) or "could not be made" in str(error) else 4)
        os._exit(0)

    ended = []
    for size in (3_000, 30_000, 150_000, 160_000, 400_000):
        process = multiprocessing.get_context("fork").Process(target=limited, args=(size,))
        process.start()
        process.join()
        ended.append(process.exitcode)
    assert 3 in ended and set(ended) <= {0, 3}, ended
    run(course)
    assert everything(course) == everything(graded_once[0])


def test_a_locked_gradebook_is_waited_for(graded_once, course, monkeypatch):
    said = []
    monkeypatch.setattr(gradebook, "PAUSE", 0.01)
    run(course)  # so that there is a gradebook
    lock = sqlite3.connect(course / "gradebook.db", check_same_thread=False)
    lock.execute("BEGIN EXCLUSIVE")

    def say(sentence):
        said.append(sentence)
        lock.rollback()

    run(course, regrade=True, say=say)
    assert said == ["The gradebook is locked by another program; waiting for it."]
    assert everything(course)["grades"] == everything(graded_once[0])["grades"]


def test_a_gradebook_that_stays_locked_is_a_sentence(course, monkeypatch):
    monkeypatch.setattr(gradebook, "PATIENCE", 0.0)
    run(course)
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CourseError, match="still locked by another program") as stopped:
            run(course, regrade=True)
        assert "Nothing is lost" in str(stopped.value)


def test_two_at_once_are_not_possible(course):
    with alone(course), pytest.raises(CourseError, match="Another autograder is at work"):
        run(course)
    run(course)


def test_a_dead_process_holds_no_lock(course):
    ready = multiprocessing.get_context("fork").Event()

    def hold():
        with alone(course):
            ready.set()
            threading.Event().wait()

    process = multiprocessing.get_context("fork").Process(target=hold)
    process.start()
    ready.wait()
    process.kill()
    process.join()
    run(course)


def test_an_outcome_comes_back_from_the_journal_as_it_was(tmp_path, graded_once):
    outcome = graded_once[1]["student1"]
    journal = Journal(tmp_path)
    journal.keep(Entry("print", "round", outcome))
    assert journal.find(outcome.assignment, outcome.student) == Entry("print", "round", outcome)
    journal.drop(outcome.assignment, outcome.student)
    assert journal.find(outcome.assignment, outcome.student) is None


def test_what_a_full_disk_left_in_the_journal_is_no_outcome(tmp_path):
    journal = Journal(tmp_path)
    journal.keep(Entry("print", "round", Outcome("a", "s", notebooks={"n": b"{}"}, files={"../../x": b"1"})))
    (path,) = (tmp_path / ".autograder" / "journal").rglob("*.zip")
    assert all(".." not in name for name in zipfile.ZipFile(path).namelist())
    whole = path.read_bytes()
    for size in (0, 1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert journal.find("a", "s") is None
    path.write_bytes(whole.replace(b"{}", b"[]", 1))
    assert journal.find("a", "s") is None


def test_a_round_that_was_broken_off_is_gone_on_with(tmp_path):
    (tmp_path / ".autograder").mkdir()
    said = []
    with contextlib.suppress(ZeroDivisionError), grading_round(tmp_path, True, said.append) as first:
        raise ZeroDivisionError
    with grading_round(tmp_path, False, said.append) as other:
        assert other != first
    with grading_round(tmp_path, True, said.append) as second:
        assert second == first
    with grading_round(tmp_path, True, said.append) as third:
        assert third != first
    assert said == ["This goes on with the regrade that was stopped."]


def test_a_regrade_that_was_stopped_does_not_begin_again(course, monkeypatch, graded_once):
    run(course)
    real, graded = grade._outcomes, []

    def counted(tasks, *rest):
        for label, outcome in real(tasks, *rest):
            if len(graded) == 4:
                graded.append("stopped")
                raise KeyboardInterrupt
            graded.append(outcome.student)
            yield label, outcome

    monkeypatch.setattr(grade, "_outcomes", counted)
    with pytest.raises(CourseError, match="Stopped; 4 of 6"):
        run(course, regrade=True)
    run(course, regrade=True)
    assert graded == [*STUDENTS[:4], "stopped", *STUDENTS[4:]]
    assert json.dumps(everything(course)["results"]) == json.dumps(everything(graded_once[0])["results"])
