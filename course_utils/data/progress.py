"""A progress bar of plain text, for what takes longer than a second: in Jupyter, in a terminal, as lines in a log."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic
from types import TracebackType

from course_utils.environment import in_jupyter

WIDTH = 24
PATIENCE = 1.0  # seconds without a bar; most things are done by then
REDRAW, NEW_LINE = 0.2, 10.0  # seconds between two pictures of the bar, and between two lines of a log


class Progress:
    """Shows how much of `total` is done. Use it in a `with` statement and tell it with `advance`.

    The bar appears after a second and is drawn over itself. Where that is impossible, as in a log, a line is written
    every ten seconds instead. `describe(n)` gives the words for an amount; a `total` of 0 means that nobody knows.
    """

    def __init__(self, what: str, total: int, describe: Callable[[int], str] = str, done: int = 0):
        self._what, self._total, self._describe = what, total, describe
        self._done = self._first = done
        self._began = self._shown = monotonic()
        self._drawn = 0  # characters of the bar on the screen
        # In Jupyter the other stream would look like an error.
        self._out = sys.stdout if in_jupyter() else sys.stderr
        self._live = in_jupyter() or (self._out is not None and self._out.isatty())

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self._write(self._line(monotonic()), end="\n")

    def advance(self, amount: int) -> None:
        """Count `amount` more as done."""
        self._done += amount
        now = monotonic()
        pause = REDRAW if self._live else NEW_LINE
        if now - self._began >= PATIENCE and now - self._shown >= pause:
            self._shown = now
            self._write(self._line(now), end="" if self._live else "\n")

    def _line(self, now: float) -> str:
        amount = self._describe(self._done)
        if not self._total:
            return f"{self._what}: {amount}"
        part = min(1.0, self._done / self._total)
        full = int(part * WIDTH)
        line = f"{self._what} [{'#' * full}{'-' * (WIDTH - full)}] {int(100 * part)} %, {amount}"
        fresh = self._done - self._first
        if fresh > 0 and self._done < self._total:
            left = (now - self._began) / fresh * (self._total - self._done)
            line += f", {_duration(left)} left"
        return line

    def _write(self, line: str, end: str) -> None:
        if self._out is None:  # pythonw has no streams
            return
        if self._live:
            # Blanks cover what is left of a longer line.
            self._out.write("\r" + line.ljust(self._drawn) + end)
            self._drawn = len(line)
        else:
            self._out.write(line + "\n")
        self._out.flush()


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min"


def megabytes(count: int) -> str:
    """An amount of bytes in words: ``megabytes(1_500_000)`` is "1.5 MB"."""
    return f"{count / 1e6:.1f} MB"
