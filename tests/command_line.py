"""Runs `autograder …` and `nbgrader …` as a user does, each command in a process of its own.

Importing nbgrader takes Python seconds, so one process has done that already and forks for every command.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.made_up import ROOT

SERVER = """
import json, os, runpy, signal, sys, time
import autograder.cli, autograder.commands, nbgrader.apps.nbgraderapp, nbgrader.converters

def run(job):
    os.setsid()
    output = os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(output, stream.fileno())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    sys.path.insert(0, job["folder"])
    sys.argv = job["command"]
    runpy.run_module(job["command"][0], run_name="__main__", alter_sys=True)

def wait(child, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None

for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if child == 0:
        sys.exit(run(job))
    print(json.dumps(wait(child, job["seconds"])), flush=True)
"""


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote on either stream."""

    status: int
    output: str


def autograder(folder: Path, *arguments: str, **environment: str) -> Done:
    """Run `autograder …` in `folder`."""
    return _run("autograder", folder, arguments, environment)


def nbgrader(folder: Path, *arguments: str, **environment: str) -> str:
    """Run `nbgrader …` in `folder`, which must work; returns what it said."""
    done = _run("nbgrader", folder, arguments, environment)
    assert done.status == 0, done.output
    return done.output


def results(folder: Path, *arguments: str, **environment: str) -> dict[tuple[str, str], dict]:
    """Run `autograder grade … --json` in a course directory, which must work; (student, assignment) → its entry."""
    jobs = () if "--jobs" in arguments else ("--jobs", "1")  # so small a class is graded before a second process is up
    with tempfile.TemporaryDirectory() as scratch:
        written = Path(scratch) / "results.json"
        options = ("--course-dir", ".", *jobs, "--json", str(written))
        done = autograder(folder, "grade", *arguments, *options, **environment)
        assert done.status == 0 and "Warning" not in done.output, done.output
        entries = json.loads(written.read_text())["submissions"]
        return {(entry["student"], entry["assignment"]): entry for entry in entries}


@cache
def _server() -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SERVER]
    return subprocess.Popen(
        command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _run(module: str, folder: Path, arguments: tuple[str, ...], environment: dict[str, str]) -> Done:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "output"
        job = {
            "command": [module, *arguments],
            "folder": str(folder),
            "environment": os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)} | environment,
            "output": str(output),
            "seconds": 300,
        }
        server = _server()
        server.stdin.write(json.dumps(job) + "\n")
        server.stdin.flush()
        status = json.loads(server.stdout.readline())
        text = output.read_text(encoding="utf-8", errors="replace")
    assert status is not None, f"{module} {' '.join(arguments)} did not end:\n{text}"
    return Done(status, text)
