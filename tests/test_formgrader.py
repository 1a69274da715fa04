"""The formgrader's autograde button and `nbgrader autograde` use our engine, through nbgrader_config.py alone."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request

import pytest

from tests import small_course
from tests.command_line import nbgrader, results
from tests.gradebooks import database, grades
from tests.made_up import ROOT
from tests.postgres import free_port
from tests.small_course import ASSIGNMENT, NOTEBOOK

CLASS = {
    "ann": small_course.SOLVED,
    "bob": small_course.BIAS_FORGOTTEN,
    # Stock nbgrader, whose `check` runs in the student's own kernel, would believe this one.
    "eve": small_course.UNWRITTEN + "\nimport course_utils\ncourse_utils.check = check = lambda student: 4.0",
}


@pytest.fixture(scope="module")
def courses(tmp_path_factory):
    """The same course and class twice: one for `autograder grade`, one for nbgrader; and what the first one says."""
    ours, theirs = (tmp_path_factory.mktemp("courses") / name for name in ("ours", "theirs"))
    small_course.lay_out(ours, small_course.STEPS)
    for student, code in CLASS.items():
        small_course.hand_in(ours, student, code, "2026-02-01 09:30:00 UTC")
    shutil.copytree(ours, theirs)
    entries = results(ours)
    nbgrader(theirs, "generate_assignment", ASSIGNMENT)
    return ours, theirs, {student: entry for (student, _), entry in entries.items()}


@pytest.fixture(scope="module")
def server(courses, tmp_path_factory):
    """A Jupyter server with the formgrader, in nbgrader's course directory: its address."""
    _, theirs, _ = courses
    port, log = free_port(), tmp_path_factory.mktemp("server") / "log"
    options = {
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": theirs,
        "ServerApp.jpserver_extensions": '{"nbgrader.server_extensions.formgrader": True}',
        "IdentityProvider.token": "token",
    }
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"]
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [*command, *(f"--{name}={value}" for name, value in options.items())],
            cwd=theirs, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=output, stderr=output,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            assert process.poll() is None, log.read_text()
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{url}/api")
                break
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(60)


def press_autograde(server, student):
    """What the button's request answers."""
    request = urllib.request.Request(
        f"{server}/formgrader/api/submission/{ASSIGNMENT}/{student}/autograde",
        method="POST",
        headers={"Authorization": "token token"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_what_we_make_of_the_class(courses):
    _, _, entries = courses
    assert small_course.STEPS in small_course.GUIDE
    assert {student: entry["score"] for student, entry in entries.items()} == {"ann": 4, "bob": 1, "eve": 0}


def test_the_button_gives_the_same_scores(courses, server):
    ours, theirs, _ = courses
    for student in CLASS:
        answer = press_autograde(server, student)
        assert answer["success"], answer
    assert grades(database(theirs), ASSIGNMENT) == grades(database(ours), ASSIGNMENT)
    graded = (theirs / "autograded" / "bob" / ASSIGNMENT / NOTEBOOK).read_text()
    assert "bias forgotten" in graded


def test_so_does_the_command_on_our_own_gradebook(courses):
    ours, _, _ = courses
    before = grades(database(ours), ASSIGNMENT)
    nbgrader(ours, "autograde", ASSIGNMENT, "--force", "--student", "eve")
    assert grades(database(ours), ASSIGNMENT) == before
    results(ours, "--regrade", "--student", "bob")
    assert grades(database(ours), ASSIGNMENT) == before
