"""Grades in several processes of this machine, each of them one submission at a time.

Processes and not threads: the judge computes. They are forked from a server that has imported everything once, where
the system can do that, and end with the process that started them.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import shutil
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection, forkserver
from typing import Any

from nbgrader.utils import setenv

from autograder.plan import Plan
from autograder.sandbox import Wall
from autograder.worker import Outcome, grade

TRIES = 3
GRACE = 10.0  # seconds that a process which is told to leave may take
PRELOAD = ("autograder.quick_start", "autograder.worker", "autograder.pool", "torch")
# Parallelism is across submissions, and a fork after OpenMP has started threads can hang.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)


@dataclass
class Task:
    """A submission to grade, and how often a process has died of it; `label` is the caller's own."""

    label: Any
    plan: Plan
    student: str
    files: Mapping[str, bytes]
    left_out: Sequence[str] = ()
    deaths: int = 0
    failed: bool = False


def grade_here(tasks: Iterable[Task]) -> Iterator[tuple[Any, Outcome]]:
    """Grade in this process."""
    for task in tasks:
        yield task.label, grade(task.plan, task.student, task.files, task.left_out)


def grade_in_processes(tasks: Iterable[Task], workers: int, wall: Wall) -> Iterator[tuple[Any, Outcome]]:
    """Grade with `workers` processes behind `wall`; the outcomes come as they are ready.

    A task is taken from `tasks` only when a process is free for it. One whose process dies is tried again.
    """
    tasks = iter(tasks)
    again: deque[Task] = deque()
    with contextlib.ExitStack() as stack:
        scratch = tempfile.mkdtemp(prefix="autograder-")
        stack.callback(shutil.rmtree, scratch, ignore_errors=True)
        crew: list[_Worker] = []
        stack.callback(_dismiss, crew)
        while True:
            while len(busy := [worker for worker in crew if worker.task]) < workers:
                task = again.popleft() if again else next(tasks, None)
                if task is None:
                    break
                free = next((worker for worker in crew if not worker.task), None)
                if free is None:
                    free = _Worker(wall, scratch)
                    crew.append(free)
                free.give(task)
            if not busy:
                return
            for ready in connection.wait([worker.line for worker in busy]):
                worker = next(worker for worker in busy if worker.line is ready)
                task, outcome = worker.take()
                if outcome is not None and outcome.failure and not task.failed:
                    task.failed = True  # whatever it was, another process may do better
                    again.append(task)
                    continue
                if outcome is not None:
                    # The process has its next task before the caller writes this one down.
                    following = again.popleft() if again else next(tasks, None)
                    if following is not None:
                        worker.give(following)
                    yield task.label, outcome
                    continue
                crew.remove(worker)
                task.deaths += 1
                if task.deaths < TRIES:
                    again.append(task)
                else:
                    why = f"the process that graded it ended unexpectedly, {TRIES} times ({worker.ended()})"
                    yield task.label, Outcome(task.plan.assignment, task.student, failure=why)


def warm_up() -> None:
    """Let the server that processes are forked from import everything, while the caller goes on."""
    if "forkserver" in multiprocessing.get_all_start_methods():
        forkserver.set_forkserver_preload(list(PRELOAD))
        with setenv(**ONE_THREAD), _without_interrupts():
            forkserver.ensure_running()


@dataclass(eq=False)
class _Worker:
    """A process that grades, and the line to it."""

    wall: Wall
    scratch: str
    task: Task | None = None
    known: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        methods = multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        if context.get_start_method() == "forkserver":
            warm_up()
        self.line, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, self.wall, self.scratch), daemon=False)
        with setenv(**ONE_THREAD), _without_interrupts():
            self.process.start()
        theirs.close()

    def give(self, task: Task) -> None:
        """Send the task, and its plan where it is new to the process."""
        self.task = task
        with contextlib.suppress(OSError):  # a process that is gone is noticed when its answer is read
            digest = task.plan.digest
            plan = None if digest in self.known else task.plan
            self.line.send((digest, plan, task.student, task.files, task.left_out))
            self.known.add(digest)

    def take(self) -> tuple[Task, Outcome | None]:
        """The task and its outcome; None where the process has died of it."""
        task, self.task = self.task, None
        try:
            return task, self.line.recv()
        except (EOFError, OSError):
            return task, None

    def ended(self) -> str:
        """How the process ended."""
        self.process.join(GRACE)
        code = self.process.exitcode
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"by {signal.Signals(-code).name}"
        return f"with status {code}"


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C waits, and never reaches a process that is started meanwhile before it is ready for it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _dismiss(crew: list[_Worker]) -> None:
    """Tell all processes to leave, and see that they do."""
    for worker in crew:
        worker.line.close()
    try:
        for worker in crew:
            worker.process.join(GRACE)
    finally:
        for worker in crew:
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def serve(line: connection.Connection, wall: Wall, scratch: str) -> None:
    """What a process does: grade what comes over the line, until its other end is closed."""
    from autograder.sandbox import join

    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for the process that started this one
    signal.signal(signal.SIGTERM, _leave)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    tempfile.tempdir = scratch
    join(wall)
    plans: dict[str, Plan] = {}
    inbox: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_read, args=(line, inbox), daemon=True).start()
    while True:
        digest, plan, student, files, left_out = inbox.get()
        if plan is not None:
            plans[digest] = plan
        outcome = grade(plans[digest], student, files, left_out)
        try:
            line.send(outcome)
        except OSError:
            return


def _leave(*_: Any) -> None:
    raise SystemExit(1)


def _read(line: connection.Connection, inbox: queue.SimpleQueue) -> None:
    """Pass on what comes; when the other end is gone, nobody waits for what this process still does."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            inbox.put(line.recv())
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE / 2)
    os._exit(1)
