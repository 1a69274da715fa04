"""The judge's hand inside the student's kernel: tries each exercise in a throw-away fork.

At a check cell the kernel forks a process that keeps the state which the notebook has there (`hold`). When all cells
have run, the judge asks these processes. What is asked is only inputs and the source of `call`: no expected value ever
comes here, and what is answered is not trusted.
"""

from __future__ import annotations

import contextlib
import gc
import math
import os
import random
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
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
        generators = Generators()  # Python's own takes a new seed after a fork
        if os.fork() == 0:
            try:
                _stay(namespace, wire, generators)
            finally:
                os.killpg(0, signal.SIGKILL)


class Generators:
    """The states of the random generators, as they are now."""

    def __init__(self):
        self._states = [(getattr(module, setter), getattr(module, getter)()) for module, getter, setter in _random()]

    def put_back(self) -> None:
        """Give the generators these states again."""
        for setter, state in self._states:
            setter(state)


def _random() -> Iterator[tuple[Any, str, str]]:
    yield random, "getstate", "setstate"
    if "numpy" in sys.modules:
        yield sys.modules["numpy"].random, "get_state", "set_state"
    if "torch" in sys.modules:
        yield sys.modules["torch"], "get_rng_state", "set_rng_state"


def _stay(namespace: dict[str, Any], wire: socket.socket, generators: Generators) -> None:
    os.setsid()  # whatever the student's code starts dies with this group
    line.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for kind in (signal.SIGALRM, signal.SIGXCPU):
        signal.signal(kind, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    gc.freeze()  # what the notebook has made is not looked through again and again
    with contextlib.suppress(Broken):
        wire.sendall(frame(STATUS, b"ready"))
        while True:
            kind, data = receive(wire)
            if kind == REQUEST:
                generators.put_back()
                wire.sendall(frame(STATUS, _serve(namespace, wire, data).encode()))


def _serve(namespace: dict[str, Any], wire: socket.socket, request: bytes) -> str:
    """Run the calls of a request and send the records.

    How it went is "done", "undefined" or "memory"; where the calls end this process, the judge hears nothing.
    """
    asked = decode(request)
    if asked["name"] not in namespace:
        return "undefined"
    own = {name: namespace[name] for name in asked["lend"] if name in namespace}
    wire.sendall(frame(STATUS, b"begun"))
    try:
        _limit(asked["seconds"], asked["memory"])
        scope: dict[str, Any] = {}
        exec(compile(asked["call"], "<call>", "exec"), scope)
        call = scope[asked["call_name"]]
        namespace.update({name: borrowed(name, wire) for name in asked["lend"]})
        student = namespace[asked["name"]]
        data = encode([run_case(student, call, inputs) for inputs in asked["cases"]])
        if len(data) > MAX_BYTES:
            return "memory"
        wire.sendall(frame(REPLY, data))
        return "done"
    except MemoryError:
        return "memory"
    finally:
        for name in asked["lend"]:
            namespace.pop(name, None)
        namespace.update(own)


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
    """Limits for the calls of one request; a later request moves them on."""
    _lower(resource.RLIMIT_CPU, math.ceil(time.process_time()) + seconds)
    in_use = address_space()
    if memory and in_use:
        _lower(resource.RLIMIT_AS, in_use + memory)
    _lower(resource.RLIMIT_FSIZE, 2 * MAX_BYTES)


def _lower(kind: int, most: int) -> None:
    """Set a soft limit, at most the hard one."""
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
