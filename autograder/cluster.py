"""Grades on a Dask cluster: the same work on other machines, which share no disk with this one.

Plan and files travel as bytes, and outcomes come back. A worker that is lost costs only time: Dask gives what it had
to another one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from autograder import CourseError
from autograder.plan import Plan
from autograder.pool import Task
from autograder.results import code_digest
from autograder.worker import Outcome, grade

CONNECT_SECONDS = 20
AHEAD = 2  # submissions on their way for each worker, so that none waits for the next
INSTALL = "pip install 'backprop-to-alexnet[cluster]'"

_one_at_a_time = threading.Lock()


def grade_on_cluster(tasks: Iterable[Task], scheduler: str, sandbox: str) -> Iterator[tuple[Any, Outcome]]:
    """Grade on the cluster of a Dask scheduler; the outcomes come as they are ready. Raises `CourseError`.

    A task is taken from `tasks` only when the cluster has room for it.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise CourseError(f"Grading on a cluster needs Dask, which is not installed: {INSTALL}") from None
    from distributed.client import FutureCancelledError
    from distributed.comm import CommClosedError

    with _connected(Client, scheduler) as client:
        _compare_versions(client, scheduler)
        sender = _Sender(client, sandbox)
        tasks = iter(tasks)
        running = as_completed(loop=client.loop)
        labels: dict[Any, Task] = {}

        def fill() -> None:
            room = AHEAD * max(1, len(client.nthreads())) - len(labels)
            while room > 0 and (task := next(tasks, None)) is not None:
                future = sender.submit(task)
                labels[future] = task
                running.add(future)
                room -= 1

        try:
            fill()
            while labels:
                future = next(running)
                task = labels.pop(future)
                outcome = _result(future, task)
                future.release()
                fill()
                yield task.label, outcome
        except (CommClosedError, FutureCancelledError, TimeoutError) as error:
            raise CourseError(
                f"The scheduler at {scheduler} is gone ({type(error).__name__}).",
                "Nothing is lost: run the same command again to go on.",
            ) from None


def _connected(client: type, scheduler: str) -> Any:
    try:
        return client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CourseError(f"There is no Dask scheduler at {scheduler}: {what.rstrip('.')}.") from None


def _compare_versions(client: Any, scheduler: str) -> None:
    """Every worker has to grade with the very code that this process has."""
    if not client.nthreads():
        raise CourseError(f"The scheduler at {scheduler} has no workers: start some with dask worker {scheduler}.")
    try:
        digests = client.run(code_digest)
    except Exception as error:
        raise CourseError(
            f"The workers of {scheduler} cannot run autograder ({type(error).__name__}: {error}): "
            "install the same version there."
        ) from None
    other = sorted(address for address, digest in digests.items() if digest != code_digest())
    if other:
        raise CourseError(_another_version(", ".join(other[:4])))


def _another_version(where: str) -> str:
    return f"The worker at {where} has another version of autograder: install the same one there and restart it."


class _Sender:
    """Submits tasks; a plan is sent once, and Dask hands it from worker to worker."""

    def __init__(self, client: Any, sandbox: str) -> None:
        self._client, self._sandbox = client, sandbox
        self._plans: dict[str, Any] = {}

    def submit(self, task: Task) -> Any:
        digest = task.plan.digest
        if digest not in self._plans:
            # A task, not scattered data: what a lost worker held is made again.
            self._plans[digest] = self._client.submit(_same, task.plan, key=f"plan-{digest}", pure=False)
        plan = self._plans[digest]
        arguments = (plan, task.student, task.files, task.left_out, code_digest(), self._sandbox)
        return self._client.submit(grade_remotely, *arguments, pure=False, retries=0)


def _same(plan: Plan) -> Plan:
    return plan


def grade_remotely(
    plan: Plan, student: str, files: Mapping[str, bytes], left_out: Sequence[str], digest: str, sandbox: str
) -> Outcome:
    """On a worker: grade one submission, one at a time in each process. Raises `CourseError`."""
    from distributed import get_worker

    from autograder.sandbox import current

    if digest != code_digest():  # a worker that came later
        raise CourseError(_another_version(get_worker().address))
    with _one_at_a_time:
        current(sandbox)
        return grade(plan, student, files, left_out)


def _result(future: Any, task: Task) -> Outcome:
    """The outcome; one that says so where worker after worker has died of the submission. Raises `CourseError`."""
    from distributed.scheduler import KilledWorker

    try:
        return future.result()
    except KilledWorker:
        why = "the workers that graded it ended unexpectedly, one after another"
        return Outcome(task.plan.assignment, task.student, failure=why)
