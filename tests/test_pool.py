"""Several processes grade a class: one that dies costs time alone, none stays behind, and none waits in memory."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from autograder import pool
from autograder.plan import Plan
from autograder.pool import Task, grade_in_processes
from autograder.sandbox import Wall
from autograder.worker import Outcome
from tests import toy
from tests.command_line import autograder

WALL = Wall("process")
PLAN = Plan("99_toy", sources={}, known={}, kernelspecs={}, secret=b"")
STUDENTS = 8
SLOW = "import time; time.sleep(1)\ndef shift(x, by):\n    return x + by"


# -- the pool alone, with processes that only pretend to grade -----------------------------------------------------


@pytest.fixture
def pretending(monkeypatch, tmp_path):
    """Processes are forked from this one, and grade as a student's name says."""

    def grade(plan, student, files, left_out):
        marks = tmp_path / student
        marks.write_text(marks.read_text() + "x" if marks.exists() else "x")
        deaths = int(student.partition("dies")[2] or 0)
        if len(marks.read_text()) <= deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        return Outcome(plan.assignment, student, files=files)

    context = multiprocessing.get_context("fork")
    monkeypatch.setattr(pool, "grade", grade)
    monkeypatch.setattr(pool, "GRACE", 0.5)
    monkeypatch.setattr(pool.multiprocessing, "get_context", lambda method: context)


def tasks(*students: str, taken: list | None = None):
    for student in students:
        if taken is not None:
            taken.append(student)
        yield Task(student, PLAN, student, {"name": student.encode()})


def test_every_submission_comes_back_once(pretending):
    students = [f"s{number}" for number in range(25)]
    found = dict(grade_in_processes(tasks(*students), 3, WALL))
    assert sorted(found) == sorted(students)
    assert all(outcome.student == label and outcome.files["name"] == label.encode() for label, outcome in found.items())


def test_a_process_that_dies_costs_time_alone(pretending):
    found = dict(grade_in_processes(tasks("a", "dies1", "b", "dies2", "c"), 2, WALL))
    assert len(found) == 5 and not any(outcome.failure for outcome in found.values())


def test_a_submission_that_kills_every_process_is_given_up_and_the_others_are_graded(pretending, tmp_path):
    found = dict(grade_in_processes(tasks("a", "dies9", "b", "c"), 2, WALL))
    assert found.pop("dies9").failure == "the process that graded it ended unexpectedly, 3 times (by SIGKILL)"
    assert (tmp_path / "dies9").read_text() == "xxx"
    assert not any(outcome.failure for outcome in found.values())


def test_no_more_submissions_are_read_than_processes_can_take(pretending):
    taken, done, ahead = [], [], []
    for label, _ in grade_in_processes(tasks(*(f"s{number}" for number in range(40)), taken=taken), 2, WALL):
        done.append(label)
        ahead.append(len(taken) - len(done))
    assert len(done) == 40 and max(ahead) <= 2


def test_nothing_is_started_for_nothing():
    assert list(grade_in_processes(iter(()), 4, WALL)) == []


# -- the whole command ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return toy.packages(tmp_path_factory.mktemp("packages"))


@pytest.fixture
def course(tmp_path):
    """A class of which each submission takes a second or more."""
    source = toy.course(tmp_path)
    for number in range(STUDENTS):
        toy.hand_in(tmp_path, f"student{number}", toy.submission(source, shift=SLOW, why="Because."))
    return tmp_path


class Command:
    """`autograder grade --jobs 2` on a course directory, in a session of its own, and all that it starts."""

    def __init__(self, packages: Path, course: Path, *options: str):
        command = [sys.executable, "-m", "autograder", "grade", "--course-dir", str(course), "--jobs", "2"]
        self.output = course / "output.txt"
        self.process = subprocess.Popen(
            [*command, "--sandbox", "process", "--json", str(course / "out.json"), *options],
            env=os.environ | {"PYTHONPATH": str(packages)},
            cwd=course,
            stdout=self.output.open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.course = course
        self.seen: set[psutil.Process] = set()

    def wait_for(self, graded: int) -> None:
        """Wait until so many submissions are graded."""
        folder = self.course / ".autograder" / "results"
        while len(list(folder.rglob("*.json"))) < graded:
            assert self.process.poll() is None, self.output.read_text()
            time.sleep(0.02)
        self.seen |= set(psutil.Process(self.process.pid).children(recursive=True))

    def workers(self) -> list[psutil.Process]:
        """The processes that grade: what the fork server of multiprocessing has started."""
        below = psutil.Process(self.process.pid).children()
        servers = [p for p in below if any("multiprocessing.forkserver" in part for part in p.cmdline())]
        return [worker for server in servers for worker in server.children()]

    def end(self) -> tuple[int, str]:
        """Its exit status and output; nothing of it is left."""
        status = self.process.wait(300)
        _, alive = psutil.wait_procs(self.seen, timeout=30)
        assert not alive
        return status, " ".join(self.output.read_text().split())


def test_stopped_killed_and_robbed_of_a_worker_it_ends_as_it_should(packages, course):
    stopped = Command(packages, course)
    stopped.wait_for(1)
    os.killpg(stopped.process.pid, signal.SIGINT)
    status, output = stopped.end()
    assert status == 1 and "Traceback" not in output
    assert "of 8 are graded. Run the same command again to go on." in output

    killed = Command(packages, course)
    killed.wait_for(3)
    killed.process.kill()
    assert killed.end()[0] == -signal.SIGKILL

    robbed = Command(packages, course)
    robbed.wait_for(5)
    victims = robbed.workers()
    assert victims
    victims[0].kill()
    status, output = robbed.end()
    assert status == 0 and "Traceback" not in output, output
    assert output.startswith("Warning: student code is only limited in what it uses here.")
    assert f"{STUDENTS} of {STUDENTS} submissions ran without a sandbox" in output
    entries = json.loads((course / "out.json").read_text())["submissions"]
    assert Counter((entry["score"], tuple(entry["problems"])) for entry in entries) == {(8.0, ()): STUDENTS}
    assert not list((course / ".autograder" / "journal").rglob("*.zip"))


def test_this_machines_processes_and_a_clusters_workers_exclude_each_other(course):
    done = autograder(course, "grade", "--course-dir", ".", "--jobs", "2", "--scheduler", "tcp://127.0.0.1:1")
    assert done.status == 2 and "the number of workers decides" in done.output


def test_another_sandbox_is_wrong_usage(course):
    assert autograder(course, "grade", "--course-dir", ".", "--sandbox", "hope").status == 2
