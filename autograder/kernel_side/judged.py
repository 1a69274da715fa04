"""The judge's hand inside the student's kernel: tries exercises in throw-away forks.

At a check cell the kernel forks a process that keeps the state which the notebook has there (`hold`). When all cells
have run, the judge asks these processes; each call is made in a further fork. What is asked is only inputs and the
source of `call`: no expected value ever comes here, and what is answered is not trusted.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import select
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from course_utils.plain import MAX_BYTES, decode, encode
from course_utils.runner import run_case
from kernel_side.exchange import ANSWER, ASK, REPLY, REQUEST, STATUS, Broken, frame, receive
from kernel_side.limits import address_space

line: socket.socket | None = None  # over which the judge hands in a socket for each check; set when the kernel starts


def hold(namespace: dict[str, Any]) -> None:
    """Fork a process that answers the judge with `namespace` as it is now, until the judge hangs up."""
    _, descriptors, _, _ = socket.recv_fds(line, 1, 1)
    with socket.socket(fileno=descriptors[0]) as wire:
        if _fork() == 0:
            try:
                _stay(namespace, wire)
            finally:
                os._exit(0)


def _stay(namespace: dict[str, Any], wire: socket.socket) -> None:
    os.setsid()
    line.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(Broken):
        while True:
            kind, data = receive(wire)
            if kind == REQUEST:
                wire.sendall(frame(STATUS, _serve(namespace, wire, data).encode()))


def _serve(namespace: dict[str, Any], wire: socket.socket, request: bytes) -> str:
    """Run the calls of a request in a fork, which sends the records.

    How it went is "done", "undefined", "too long", "memory" or "died".
    """
    asked = decode(request)
    if asked["name"] not in namespace:
        return "undefined"
    pid = _fork()
    if pid == 0:
        _child(namespace, asked, wire)
    return _wait(pid, asked["seconds"])


def _fork() -> int:
    """As `os.fork`, with Python's random generator as it was: by itself it takes a new seed after a fork."""
    state = random.getstate()
    pid = os.fork()
    if pid == 0:
        random.setstate(state)
    return pid


def _child(namespace: dict[str, Any], asked: dict[str, Any], wire: socket.socket) -> None:
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
        namespace.update({name: borrowed(name, wire) for name in asked["lend"]})
        student = namespace[asked["name"]]
        data = encode([run_case(student, call, inputs) for inputs in asked["cases"]])
        if len(data) <= MAX_BYTES:
            wire.sendall(frame(REPLY, data))
            status = 0
    except MemoryError:
        status = 3
    finally:
        os._exit(status)


def borrowed(name: str, wire: socket.socket) -> Callable:
    """A function `name` whose values the judge computes, outside this process."""

    def lent_by_the_judge(*args, **kwargs):
        wire.sendall(frame(ASK, encode({"name": name, "args": list(args), "kwargs": kwargs})))
        kind = None
        while kind != ANSWER:
            kind, data = receive(wire)
        record = decode(data)
        if record["error"]:
            raise ValueError(f"{name}: {record['error']['message']}")
        return record["outputs"]

    return lent_by_the_judge


def _limit(seconds: int, memory: int) -> None:
    for kind in (signal.SIGALRM, signal.SIGXCPU):
        signal.signal(kind, signal.SIG_DFL)
    _lower(resource.RLIMIT_CPU, seconds, seconds + 1)
    in_use = address_space()
    if memory and in_use:
        _lower(resource.RLIMIT_AS, in_use + memory, in_use + memory)
    _lower(resource.RLIMIT_FSIZE, 2 * MAX_BYTES, 2 * MAX_BYTES)
    _lower(resource.RLIMIT_CORE, 0, 0)


def _lower(kind: int, soft: int, hard: int) -> None:
    """Set a limit, where the process has no lower one already."""
    most = resource.getrlimit(kind)[1]
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(kind, (soft, hard))


def _wait(pid: int, seconds: int) -> str:
    """How the child ended; it is killed when its wall-clock time (three times its CPU time) is over."""
    late = not _ends(pid, 3 * seconds + 2)
    _kill_group(pid)
    _, status = os.waitpid(pid, 0)
    if late:
        return "too long"
    if os.WIFSIGNALED(status):
        return "too long" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "died"
    return {0: "done", 3: "memory"}.get(os.WEXITSTATUS(status), "died")


def _ends(pid: int, seconds: float) -> bool:
    """Whether a child ends within `seconds`; it is not reaped."""
    if hasattr(os, "pidfd_open"):
        descriptor = os.pidfd_open(pid)
        try:
            return bool(select.select([descriptor], [], [], seconds)[0])
        finally:
            os.close(descriptor)
    deadline = time.monotonic() + seconds
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
