"""What an instructor runs: build, release, grade. It never ships to students."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# nbgrader calls `alembic` by its bare name, which is not on the path where nobody activated the virtual environment.
_BIN = str(Path(sys.executable).parent)
if _BIN not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = os.pathsep.join(filter(None, [_BIN, os.environ.get("PATH", "")]))


class CourseError(Exception):
    """Something a person has to set right, in whole sentences, one to a line; the command exits with 1."""

    status = 1

    def __init__(self, *sentences: str) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


class UsageError(CourseError):
    """The command was called with something it does not know; it exits with 2."""

    status = 2
