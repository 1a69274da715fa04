"""The trials of a submission: each exercise is tried where its check stands, once all cells have run.

First every exercise gets its public cases, then every one its secret cases. So nothing that a student's code has seen
of a secret case is ever shown: no cell runs and nothing public is tried after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.judge import Judge, Part
from autograder.kernel_side.exchange import ANSWER, ASK, HEADER, MAX_FRAME, REPLY, REQUEST, STATUS, Broken, frame
from course_utils.checks.exercise import Exercise
from course_utils.checks.lending import broken_ground, judged_on_own_merit
from course_utils.checks.verdict import Verdict
from course_utils.plain import NotPlain, decode

MAX_FRAMES = 20_000  # in one trial: calls of lent functions, mostly
PATIENCE = 5  # seconds beyond the time that a trial may take, until it is ended from outside
STATUSES = ("done", "undefined", "too long", "memory", "died")


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


class Trials:
    """Judges all check cells of a notebook.

    `recover(index)` runs the notebook again as far as that cell, and gives new wires to the trials there;
    `out_of_time()` says whether the notebook has used up its time.
    """

    def __init__(
        self, judge: Judge, recover: Callable[[int], Awaitable[bool]], out_of_time: Callable[[], bool] = lambda: False
    ):
        self.judge, self._recover, self._out_of_time = judge, recover, out_of_time
        self._all: list[Trial] = []
        self._unsound: set[str] = set()

    def add(self, trial: Trial) -> None:
        """A check cell that has been reached."""
        self._all.append(trial)

    def hang_up(self) -> None:
        """End the processes that keep the states."""
        for trial in self._all:
            if trial.wire is not None:
                trial.wire.close()
            trial.wire = None

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
        seconds = 3 * self.judge.seconds(trial.exercise, part) + PATIENCE
        for again in (False, True):
            if self._out_of_time():
                return "late", None
            if trial.wire is None and (not trial.reached or again or not await self._recover(trial.index)):
                return "dead", None
            status, answer = await ask(trial.wire, request, seconds, lambda asked: self.judge.lend_value(asked, lend))
            if status != "lost":
                return status, answer
            if again or not await self._recover(trial.index):
                break
        return "died", None


async def ask(
    wire: socket.socket, request: bytes, seconds: float, lend: Callable[[bytes], bytes]
) -> tuple[str, Any]:
    """Put a request to the process at the other end of `wire`; how it went, and the records where it went well.

    Beside the statuses of `kernel_side.judged`: "garbled" for records that are no plain data, "lost" where the process
    is gone.
    """
    try:
        return await asyncio.wait_for(_converse(wire, request, lend), seconds)
    except TimeoutError:
        return "died", None
    except OSError:
        return "lost", None


async def _converse(wire: socket.socket, request: bytes, lend: Callable[[bytes], bytes]) -> tuple[str, Any]:
    loop = asyncio.get_running_loop()
    sending = asyncio.ensure_future(loop.sock_sendall(wire, frame(REQUEST, request)))
    reply = None
    try:
        for _ in range(MAX_FRAMES):
            kind, data = await _receive(wire)
            if kind == ASK:
                await loop.sock_sendall(wire, frame(ANSWER, lend(data)))
            elif kind == REPLY:
                reply = data
            elif kind == STATUS:
                status = data.decode("utf-8", "replace")
                if status == "done" and reply is not None:
                    return "done", decode(reply)
                return (status if status in STATUSES and status != "done" else "died"), None
    except NotPlain:
        return "garbled", None
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await sending
    return "garbled", None


async def _receive(wire: socket.socket) -> tuple[bytes, bytes]:
    kind, length = HEADER.unpack(await _exactly(wire, HEADER.size))
    if length > MAX_FRAME:
        raise Broken("a frame larger than allowed")
    return kind, await _exactly(wire, length)


async def _exactly(wire: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = await asyncio.get_running_loop().sock_recv(wire, min(count - len(data), 2**20))
        if not part:
            raise Broken("the other side has gone")
        data += part
    return bytes(data)
