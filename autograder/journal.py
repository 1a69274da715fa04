"""Outcomes that are not in the gradebook yet, on disk: whatever is killed, the next run goes on from here.

An outcome is kept as soon as it arrives and dropped when gradebook, autograded folder and result are written; what a
killed run leaves here is written by the next one, as if nothing had happened.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from autograder import CourseError
from autograder.worker import Outcome

FOLDER = ".autograder"
BYTES = ("notebooks", "files")


@dataclass(frozen=True)
class Entry:
    """An outcome, the fingerprint of what was graded, and the round in which it was."""

    fingerprint: str
    round: str
    outcome: Outcome


class Journal:
    """The journal of a course directory: one zip file for each outcome, written whole or not at all."""

    def __init__(self, course: Path) -> None:
        self._folder = course / FOLDER / "journal"

    def _path(self, assignment: str, student: str) -> Path:
        return self._folder / assignment / f"{student}.zip"

    def keep(self, entry: Entry) -> None:
        """Put an outcome on disk, in one step."""
        path = self._path(entry.outcome.assignment, entry.outcome.student)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        told = {f.name: getattr(entry.outcome, f.name) for f in fields(Outcome) if f.name not in BYTES}
        try:
            with zipfile.ZipFile(part, "w") as file:
                for kind in BYTES:
                    parts = getattr(entry.outcome, kind)
                    told[kind] = list(parts)  # names are a student's own: in the zip they are numbers
                    for number, content in enumerate(parts.values()):
                        file.writestr(f"{kind}/{number}", content)
                head = {"fingerprint": entry.fingerprint, "round": entry.round, "outcome": told}
                file.writestr("entry.json", json.dumps(head))
            part.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise

    def find(self, assignment: str, student: str) -> Entry | None:
        """The outcome that waits to be recorded; None where there is none, or only what a full disk left of it."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            with zipfile.ZipFile(self._path(assignment, student)) as file:
                head = json.loads(file.read("entry.json"))
                told: dict[str, Any] = head["outcome"]
                for kind in BYTES:
                    told[kind] = {name: file.read(f"{kind}/{i}") for i, name in enumerate(told[kind])}
            return Entry(head["fingerprint"], head["round"], Outcome(**told))
        return None

    def drop(self, assignment: str, student: str) -> None:
        """Forget an outcome: it is recorded, or what was graded is no longer what was handed in."""
        self._path(assignment, student).unlink(missing_ok=True)


@contextlib.contextmanager
def alone(course: Path) -> Iterator[None]:
    """No two runs write in one course directory. Raises `CourseError`; a process that died holds nothing."""
    folder = course / FOLDER
    folder.mkdir(exist_ok=True)
    lock = FileLock(folder / "lock", timeout=2)  # a program that a killed run had just started may hold it a moment
    try:
        lock.acquire()
    except Timeout:
        raise CourseError(
            f"Another autograder is at work in {course}: wait until it is done, or stop it and try again."
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def grading_round(course: Path, regrade: bool, say: Callable[[str], None]) -> Iterator[str]:
    """The name of this round of grading; one that was broken off is gone on with, until it ends without an exception.

    Results carry the name, so that a regrade which was stopped in the middle does not begin again from the start.
    """
    path = course / FOLDER / ("regrade" if regrade else "round")
    try:
        name = path.read_text(encoding="ascii")
    except (OSError, ValueError):
        name = ""
    if name and regrade:
        say("This goes on with the regrade that was stopped.")
    elif not name:
        name = secrets.token_hex(8)
        part = path.with_suffix(".part")
        part.write_text(name, encoding="ascii")
        part.replace(path)
    yield name
    path.unlink(missing_ok=True)
