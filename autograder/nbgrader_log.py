"""Keeps what nbgrader logs off the instructor's screen, and finds the line that tells what went wrong."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[list[str]]:
    """Keeps what nbgrader and nbclient log off the screen; yields the list of messages."""
    messages: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    logger = logging.getLogger("traitlets")
    handlers, logger.handlers = logger.handlers, [Keep(level=logging.WARNING)]
    propagate, logger.propagate = logger.propagate, False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield messages
    finally:
        logger.handlers, logger.propagate = handlers, propagate


def last_line(log: list[str], error: BaseException) -> str:
    """The most telling line of a failure: the last error that nbgrader logged, else the exception's own message."""
    for message in reversed(log):
        lines = [line for line in message.strip().splitlines() if line.strip()]
        if lines and "Traceback" in message:
            return lines[-1].rstrip(".")
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
