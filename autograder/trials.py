"""The trials of a submission: each exercise is tried where its check stands, once all cells have run.

First every exercise gets its public cases, then every one its secret cases. So nothing that a student's code has seen
of a secret case is ever shown: no cell runs and nothing public is tried after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.judge import Judge, Part
from autograder.kernel_side.exchange import ANSWER, ASK, REPLY, REQUEST, STATUS, frame, receive_from
from course_utils.checks.exercise import Exercise
from course_utils.checks.lending import broken_ground, judged_on_own_merit
from course_utils.checks.verdict import Verdict
from course_utils.plain import NotPlain, decode

MAX_FRAMES = 20_000  # in one trial: calls of lent functions, mostly
PATIENCE = 2  # seconds beyond three times the CPU time that a trial may use, until it is given up
NOTICE = 0.3  # seconds in which the end of a kernel is heard of after the end of one of its processes
STATUSES = ("undefined", "memory")
ENDED = ("too long", "garbled", "lost", "broken", "died")  # after these, the process is not asked again


@dataclass
class Trial:
    """One check cell: its exercise, its points, the code above it, and the process that keeps the state there."""

    index: int
    exercise: Exercise
    most: float
    cells: Sequence[str]
    undefined: str = ""  # why the name may not exist there
    wire: socket.socket | None = None
    reached: bool = False  # whether the notebook ran as far as this cell
    verdict: Verdict | None = None
    public: Any = field(default_factory=list)
    lent: list[str] = field(default_factory=list)
    lent_public: Any = None

    def hang_up(self) -> None:
        """End the process that keeps the state."""
        if self.wire is not None:
            self.wire.close()
        self.wire = None


class Trials:
    """Judges all check cells of a notebook.

    `recover(index)` runs the notebook again as far as that cell, and gives new wires to the trials there; `alive()`
    says whether the kernel runs, `out_of_time()` whether the notebook has used up its time.
    """

    def __init__(
        self,
        judge: Judge,
        recover: Callable[[int], Awaitable[bool]],
        alive: Callable[[], Awaitable[bool]],
        out_of_time: Callable[[], bool] = lambda: False,
    ):
        self.judge, self._recover, self._alive, self._out_of_time = judge, recover, alive, out_of_time
        self._all: list[Trial] = []
        self._unsound: set[str] = set()

    def add(self, trial: Trial) -> None:
        """A check cell that has been reached."""
        self._all.append(trial)

    def hang_up(self) -> None:
        """End the processes that keep the states."""
        for trial in self._all:
            trial.hang_up()

    def __iter__(self) -> Iterator[Trial]:
        return iter(self._all)

    async def decide(self) -> dict[int, Verdict]:
        """The verdict for each check cell, by its index in the notebook."""
        for trial in self._all:
            trial.verdict = self.judge.forbidden(trial.exercise, trial.cells, trial.most)
            if trial.verdict is None:
                await self._try_in_public(trial)
        self._unsound.clear()
        for trial in self._all:
            if trial.verdict is None:
                trial.verdict = await self._try_in_secret(trial)
        self.hang_up()
        return {trial.index: trial.verdict for trial in self._all}

    async def _try_in_public(self, trial: Trial) -> None:
        """The public cases, and once more with what is lent where another exercise that it uses has failed."""
        status, trial.public = await self._attempt(trial, Part.PUBLIC)
        if status == "done" and self.judge.decide(trial.exercise, (trial.public, None), trial.most).passed:
            return
        trial.public = trial.public if status == "done" else status
        ground = broken_ground(trial.exercise, trial.cells, lambda other: other.name in self._unsound)
        self._unsound.add(trial.exercise.name)
        trial.lent = [name for name in ground if name in trial.exercise.builds_on]
        if trial.lent:
            status, answer = await self._attempt(trial, Part.PUBLIC, trial.lent)
            trial.lent_public = answer if status == "done" else status

    async def _try_in_secret(self, trial: Trial) -> Verdict:
        first = await self._verdict(trial, trial.public)
        if first.passed:
            return first
        ground = broken_ground(trial.exercise, trial.cells, lambda other: other.name in self._unsound)
        self._unsound.add(trial.exercise.name)  # what passes with a loan is no sound ground for the next one either
        names = [name for name in ground if name in trial.exercise.builds_on]
        if not ground:
            return first
        second = first
        if names:
            public = trial.lent_public if names == trial.lent else None
            second = await self._verdict(trial, public, names)
        return judged_on_own_merit(trial.exercise, first, ground, lambda _: second)

    async def _verdict(self, trial: Trial, public: Any, lend: Sequence[str] = ()) -> Verdict:
        """The verdict on the public answer given (a status where none came, None where it is still to be had)."""
        quotable = public is not None
        if public is None:
            status, public = await self._attempt(trial, Part.PUBLIC, lend)
            public = public if status == "done" else status
        if isinstance(public, str):
            return self._refusal(trial, public)
        status, secret = await self._attempt(trial, Part.SECRET, lend)
        if status != "done":
            return self._refusal(trial, status)
        return self.judge.decide(trial.exercise, (public, secret), trial.most, quotable)

    def _refusal(self, trial: Trial, status: str) -> Verdict:
        if status == "undefined":
            return self.judge.refuse(trial.exercise, trial.most, trial.undefined)
        return self.judge.refuse_status(trial.exercise, trial.most, status)

    async def _attempt(self, trial: Trial, part: Part, lend: Sequence[str] = ()) -> tuple[str, Any]:
        """How a part of the cases went, and the records; tried again in a new kernel where the old one is gone."""
        request = self.judge.request(trial.exercise, part, lend)
        if request is None:
            return "done", []
        seconds = self.judge.seconds(trial.exercise, part)
        for _ in range(2):
            if self._out_of_time():
                return "late", None
            if trial.wire is None and (not trial.reached or not await self._recover(trial.index)):
                return "dead", None
            started = time.monotonic()
            status, answer = await ask(trial.wire, request, seconds, lambda asked: self.judge.lend_value(asked, lend))
            if status in ENDED:
                trial.hang_up()
            if status == "broken":
                await asyncio.sleep(NOTICE)
                late = time.monotonic() - started > seconds
                ended = "too long" if late else "died"
                status = ended if await self._alive() else "lost"
            if status != "lost":
                return status, answer
        return "died", None


async def ask(wire: socket.socket, request: bytes, seconds: float, lend: Callable[[bytes], bytes]) -> tuple[str, Any]:
    """Put a request to the process at the other end of `wire`; how it went, and the records where it went well.

    Beside the statuses of `kernel_side.judged`: "garbled" for records that are no plain data, "lost" where the process
    was gone already, "broken" where it ends before it has answered, "too long" where it takes three times `seconds`.
    """
    conversation = Conversation(wire, lend)
    try:
        return await asyncio.wait_for(conversation.ask(request), 3 * seconds + PATIENCE)
    except TimeoutError:
        return "too long", None
    except NotPlain:
        return "garbled", None
    except OSError:
        return "broken" if conversation.begun else "lost", None


class Conversation:
    """One request, and all that is said until it is answered."""

    def __init__(self, wire: socket.socket, lend: Callable[[bytes], bytes]):
        self._wire, self._lend = wire, lend
        self.begun = False  # whether the calls have begun

    async def ask(self, request: bytes) -> tuple[str, Any]:
        """The last status, and the records where it is "done". Raises `NotPlain` and `OSError`."""
        loop = asyncio.get_running_loop()
        sending = asyncio.ensure_future(loop.sock_sendall(self._wire, frame(REQUEST, request)))
        reply = None
        try:
            for _ in range(MAX_FRAMES):
                kind, data = await receive_from(self._wire)
                if kind == ASK:
                    await loop.sock_sendall(self._wire, frame(ANSWER, self._lend(data)))
                elif kind == REPLY:
                    reply = data
                elif kind == STATUS and data == b"begun":
                    self.begun = True
                elif kind == STATUS:
                    status = data.decode("utf-8", "replace")
                    if status == "done" and reply is not None:
                        return "done", decode(reply)
                    return (status if status in STATUSES else "died"), None
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await sending
        raise NotPlain("too many frames")
