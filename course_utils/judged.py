"""The judge's hand inside the student's kernel: tries one exercise in a throw-away fork.

It gets inputs and the source of `call`, and returns what came back, as plain data in a file. It is told no expected
value, and what it reports is not trusted: the judge compares it with the truth in another process.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from course_utils.plain import MAX_BYTES, decode, encode
from course_utils.runner import run_case


def serve(namespace: dict[str, Any], request: str, reply: str) -> None:
    """Run the calls that the file `request` asks for on `namespace`, and write the records to the file `reply`.

    A second file, `reply` + ".status", says how it went: "done", "undefined", "too long", "memory" or "died".
    """
    asked = decode(Path(request).read_bytes())
    if asked["name"] not in namespace:
        _say(reply, "undefined")
        return
    pid = os.fork()
    if pid == 0:
        _child(namespace, asked, reply)
    _say(reply, _wait(pid, asked["seconds"]))


def _say(reply: str, status: str) -> None:
    Path(reply + ".status").write_text(json.dumps(status))


def borrowed(name: str, reply: str, counter: Iterator[int]) -> Callable:
    """A function `name` whose values the judge computes, outside this process."""

    def lent_by_the_judge(*args, **kwargs):
        number = next(counter)
        ask, answer = Path(f"{reply}.ask{number}"), Path(f"{reply}.answer{number}")
        ask.with_suffix(".part").write_bytes(encode({"name": name, "args": list(args), "kwargs": kwargs}))
        os.rename(ask.with_suffix(".part"), ask)
        while not answer.exists():
            time.sleep(0.0005)
        record = decode(answer.read_bytes())
        if record["error"]:
            raise ValueError(f"{name}: {record['error']['message']}")
        return record["outputs"]

    return lent_by_the_judge


def _child(namespace: dict[str, Any], asked: dict[str, Any], reply: str) -> None:
    status = 1
    try:
        os.setsid()  # whatever the student's code starts dies with this group
        _limit(asked["seconds"], asked["memory"])
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        scope: dict[str, Any] = {}
        exec(compile(asked["call"], "<call>", "exec"), scope)
        call = scope[asked["call_name"]]
        counter = itertools.count()
        namespace.update({name: borrowed(name, reply, counter) for name in asked["lend"]})
        student = namespace[asked["name"]]
        data = encode([run_case(student, call, inputs) for inputs in asked["cases"]])
        if len(data) <= MAX_BYTES:
            Path(reply + ".part").write_bytes(data)
            os.rename(reply + ".part", reply)
            status = 0
    except MemoryError:
        status = 3
    finally:
        os._exit(status)


def _limit(seconds: int, memory: int) -> None:
    for kind in (signal.SIGALRM, signal.SIGXCPU):
        signal.signal(kind, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    statm = Path("/proc/self/statm")
    if memory and statm.exists():  # Linux; elsewhere the address space cannot be limited this way
        in_use = int(statm.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (in_use + memory, in_use + memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MAX_BYTES, 2 * MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _wait(pid: int, seconds: int) -> str:
    """How the child ended; it is killed when its wall-clock time (three times its CPU time) is over."""
    deadline = time.monotonic() + 3 * seconds + 2
    pause = 0.001
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            _kill_group(pid)
            os.waitpid(pid, 0)
            return "too long"
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)
    _kill_group(pid)
    if os.WIFSIGNALED(status):
        return "too long" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "died"
    return {0: "done", 3: "memory"}.get(os.WEXITSTATUS(status), "died")


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
