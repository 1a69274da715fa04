"""Chooses a wall and keeps it for the process: the best one that this machine and the instructor's wish allow."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from autograder import CourseError
from autograder.sandbox import bubblewrap
from autograder.sandbox.servers import ServerFailed, start_server

KINDS = ("nested", "bwrap", "process")
NAMES = {"nested": "Fork server in bubblewrap", "bwrap": "Bubblewrap for each submission", "process": "Fork server"}
FORCED = "AUTOGRADER_WALL"  # an environment variable for tests: this kind or none


@dataclass(frozen=True)
class Wall:
    """How student code is kept apart; plain data, which the processes of one machine may share.

    `kind` is one of `KINDS`; `why` says in a sentence why it is not the best one, and is empty otherwise; `server` is
    the folder with a fork server's sockets, empty where every kernel is started afresh.
    """

    kind: str
    why: str = ""
    server: str = ""


_joined: Wall | None = None


@contextlib.contextmanager
def raised(sandbox: str = "", only: str = "") -> Iterator[Wall]:
    """Put up a wall for this process and its workers.

    `sandbox` is "bwrap" (bubblewrap or nothing), "process" (limits only) or empty (the best that works here); `only`
    asks for one of `KINDS`. Raises `CourseError` where what is asked for does not work.
    """
    global _joined
    with contextlib.ExitStack() as stack:
        wall = _choose(sandbox, stack, only)
        before, _joined = _joined, wall
        try:
            yield wall
        finally:
            _joined = before


def join(wall: Wall) -> None:
    """In a worker process: take kernels from behind the wall that another process of this machine has raised."""
    global _joined
    _joined = wall


def current(sandbox: str = "") -> Wall:
    """The wall of this process; where there is none yet, one is raised and kept until the process ends."""
    global _joined
    if _joined is None:
        stack = contextlib.ExitStack()
        _joined = _choose(sandbox, stack)
        atexit.register(stack.close)
    return _joined


def _choose(sandbox: str, stack: contextlib.ExitStack, only: str = "") -> Wall:
    forced = only or os.environ.get(FORCED, "")
    if forced and forced not in KINDS:
        raise CourseError(f"{FORCED} is {forced}, which is no wall: {', '.join(KINDS)}.")
    kinds = (forced,) if forced else ("process",) if sandbox == "process" else KINDS
    reasons: list[str] = []
    for kind in kinds:
        try:
            return _raise(kind, " ".join(reasons), stack)
        except ServerFailed as why:
            reasons.append(f"{NAMES[kind]}: {why}.")
        if kind == "bwrap" and sandbox == "bwrap":
            raise CourseError(f"Submissions cannot be kept apart with bubblewrap here. {' '.join(reasons)}")
    raise CourseError(f"Student code cannot be run here. {' '.join(reasons)}")


def _raise(kind: str, why: str, stack: contextlib.ExitStack) -> Wall:
    if kind == "nested":
        return Wall(kind, why, stack.enter_context(start_server(isolate=True)))
    if kind == "bwrap":
        bubblewrap.try_out()
        return Wall(kind, why)
    try:
        if sys.platform != "linux":
            raise ServerFailed(f"kernels are not forked on {sys.platform}")
        return Wall(kind, why, stack.enter_context(start_server(isolate=False)))
    except ServerFailed as error:
        return Wall(kind, f"{why} {NAMES[kind]}: {error}.".strip())
