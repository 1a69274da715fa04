"""A class on a Dask cluster: a scheduler and two workers on loopback, one of which is killed in the middle."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from autograder import CourseError, cluster
from autograder.cluster import grade_on_cluster
from autograder.course import open_course
from autograder.grade import grade_class, submissions
from tests import toy

pytest.importorskip("distributed")

STUDENTS = 8
SLOW = "import time; time.sleep(1)\ndef shift(x, by):\n    return x + by"


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return toy.packages(tmp_path_factory.mktemp("packages"))


@pytest.fixture
def course(tmp_path):
    source = toy.course(tmp_path / "course")
    for number in range(STUDENTS):
        toy.hand_in(tmp_path / "course", f"student{number}", toy.submission(source, shift=SLOW, why="Because."))
    return tmp_path / "course"


@pytest.fixture(scope="module")
def cluster_of(tmp_path_factory):
    """Starts a scheduler, and workers in folders of their own; all end with the module."""
    folder = tmp_path_factory.mktemp("cluster")
    with ExitStack() as stack:

        def start(name: str, packages: Path, *command: str) -> subprocess.Popen:
            process = subprocess.Popen(
                [sys.executable, "-m", "distributed.cli." + command[0], *command[1:]],
                env=os.environ | {"PYTHONPATH": str(packages)},
                cwd=folder,
                stdout=(folder / f"{name}.log").open("w"),
                stderr=subprocess.STDOUT,
            )
            stack.callback(process.wait, 30)
            stack.callback(process.kill)
            return process

        yield start


@pytest.fixture(scope="module")
def scheduler(cluster_of, packages):
    """The address of a running scheduler."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    where = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--no-show"]
    cluster_of("scheduler", packages, "dask_scheduler", *where)
    return f"tcp://127.0.0.1:{port}"


def worker(cluster_of, packages, scheduler, name, threads=1):
    where = [scheduler, "--host", "127.0.0.1", "--no-dashboard", "--no-nanny"]
    return cluster_of(name, packages, "dask_worker", *where, "--nthreads", str(threads), "--name", name)


def wait_for_workers(scheduler: str, count: int) -> None:
    from distributed import Client

    with Client(scheduler, timeout=120, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=120)


def command(packages: Path, course: Path, scheduler: str) -> subprocess.Popen:
    arguments = ["--scheduler", scheduler, "--sandbox", "process", "--json", str(course / "out.json")]
    return subprocess.Popen(
        [sys.executable, "-m", "autograder", "grade", "--course-dir", str(course), *arguments],
        env=os.environ | {"PYTHONPATH": str(packages)},
        cwd=course,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_worker_killed_in_the_middle_costs_time_alone(packages, course, scheduler, cluster_of, tmp_path):
    one = worker(cluster_of, packages, scheduler, "one")
    worker(cluster_of, packages, scheduler, "two", threads=3)
    wait_for_workers(scheduler, 2)
    running = command(packages, course, scheduler)
    while len(list((course / ".autograder" / "results").rglob("*.json"))) < 2:
        assert running.poll() is None, running.stdout.read()
        time.sleep(0.02)
    one.kill()
    output, _ = running.communicate(timeout=300)
    assert running.returncode == 0 and "Traceback" not in output, output
    entries = json.loads((course / "out.json").read_text())["submissions"]
    assert Counter((entry["score"], tuple(entry["problems"])) for entry in entries) == {(8.0, ()): STUDENTS}

    # A worker with another version of the code is refused before anything is sent to it.
    other = toy.packages(tmp_path / "other")
    with (other / "course_utils" / "checks" / "toy.py").open("a") as bank:
        bank.write("\n# corrected here, and not there\n")
    worker(cluster_of, other, scheduler, "three")
    wait_for_workers(scheduler, 2)
    refused = command(packages, course, scheduler)
    output, _ = refused.communicate(timeout=300)
    assert refused.returncode == 0, "nothing has to be graded, so nobody is asked"
    (course / ".autograder" / "results" / toy.ASSIGNMENT / "student3.json").unlink()
    refused = command(packages, course, scheduler)
    output, _ = refused.communicate(timeout=300)
    assert refused.returncode == 1 and "Traceback" not in output
    assert "has another version of autograder: install the same one there and restart it." in " ".join(output.split())


def test_no_scheduler_is_a_sentence(course, monkeypatch):
    toy.install(monkeypatch)
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    where = open_course(course)
    with pytest.raises(CourseError, match=f"^There is no Dask scheduler at {nobody}: "):
        grade_class(where, submissions(where), 1, scheduler=nobody)
    with pytest.raises(CourseError, match="^There is no Dask scheduler at nonsense://x: "):
        grade_class(where, submissions(where), 1, scheduler="nonsense://x")


def test_without_dask_the_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CourseError, match=r"pip install 'backprop-to-alexnet\[cluster\]'"):
        list(grade_on_cluster(iter(()), "tcp://127.0.0.1:1", ""))
