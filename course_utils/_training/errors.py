"""What ends a training run early, as one message that says what happened and what to do."""

from __future__ import annotations


class TrainingError(RuntimeError):
    """Training cannot start or go on. In Jupyter it shows as its message, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class TrainingInterrupted(KeyboardInterrupt):
    """Training was stopped by Ctrl-C or by SIGTERM, after a whole step; the message says how to go on.

    history: what `fit` would have returned so far.
    """

    def __init__(self, message: str, history: list[dict[str, float]]):
        super().__init__(message)
        self.history = history

    def _render_traceback_(self) -> list[str]:
        return [str(self)]
