"""An author's mistakes, each one sentence with the file and line where it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from autograder import CourseError


@dataclass(frozen=True, order=True)
class Mistake:
    """One mistake: a path relative to the repository, a line counted from 1, and a sentence."""

    path: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.sentence}"


class AuthorMistakes(CourseError):
    """All the mistakes found, in the order of files and lines."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(set(mistakes))
        super().__init__(*map(str, self.mistakes))
