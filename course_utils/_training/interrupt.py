"""Ctrl-C and SIGTERM end a run after a whole step, not in the middle of one."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType

_SAME_PRESS = 1.0  # seconds: torchrun passes on a signal that the terminal has already sent


class StopRequest:
    """A context in which the first signal only sets `wanted`; a later one interrupts at once.

    Outside the main thread signals cannot be caught, and nothing is done.
    """

    def __init__(self) -> None:
        self.wanted = ""
        self._first = 0.0
        self._before: dict[int, object] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def _note(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.wanted and now - self._first > _SAME_PRESS:
            raise KeyboardInterrupt
        if not self.wanted:
            self.wanted, self._first = "Ctrl-C" if number == signal.SIGINT else "SIGTERM", now
