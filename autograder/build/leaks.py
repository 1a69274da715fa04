"""Looks through a release for anything that gives a solution away, whatever way it came in."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autograder.build.course import read_authors
from autograder.build.names import imported_modules, parse

_SECRET_FOLDERS = {"solutions", "autograder", "tests", "sample_class", "build", "submitted", "autograded", "feedback"}
_MARKERS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "BEGIN MARK SCHEME")
# A body shorter than this ("return out") says nothing; one line is only told from chance in a notebook.
_TELLING = 25
# A text may show one short method of a class as an example; from this share of an exercise on it gives it away.
_SHARE = 0.25


@dataclass(frozen=True)
class _Reference:
    """The solution of one exercise: where it is, and the telling lines of each of its regions."""

    where: str
    bodies: tuple[tuple[str, ...], ...]

    def given_away(self, pieces: list[tuple[str, ...]], shortest: int) -> bool:
        """Whether the pieces of a file hold much of it; bodies of fewer than `shortest` lines count for nothing."""
        found = [b for b in self.bodies if len(b) >= shortest and any(_contains(piece, b) for piece in pieces)]
        return bool(found) and sum(map(len, found)) >= _SHARE * sum(map(len, self.bodies))


def find_leaks(files: Mapping[str, bytes], root: Path) -> list[str]:
    """A sentence for every way in which the release `files` would give away what is in `root`/solutions."""
    references = list(_references(root))
    leaks = []
    for name, content in sorted(files.items()):
        folder = next((part for part in PurePosixPath(name).parts[:-1] if part in _SECRET_FOLDERS), None)
        if folder:
            leaks.append(f"{name} comes from {folder}/, which is not for students.")
        try:
            text = content.decode()
        except UnicodeDecodeError:
            continue  # pictures and arrays
        # Python code may speak of a marker in a string; in a comment it is one.
        comments = [line for line in text.split("\n") if line.lstrip().startswith("#") or not name.endswith(".py")]
        leaks += [f"{name} contains “{marker}”." for marker in _MARKERS if any(marker in line for line in comments)]
        if name.endswith(".py") and "autograder" in _imports(text):
            leaks.append(f"{name} imports autograder, which students do not have.")
        pieces = list(_pieces(name, text))
        shortest = 1 if name.endswith(".ipynb") else 2
        leaks += [f"{name} contains the solution at {r.where}." for r in references if r.given_away(pieces, shortest)]
    return leaks


def _references(root: Path) -> Iterator[_Reference]:
    for author in read_authors(root):
        for role in author.roles:
            bodies = tuple(
                body for region in role.regions if sum(map(len, body := _significant(region.body))) >= _TELLING
            )
            if bodies:
                yield _Reference(f"{author.path}:{role.cell.line}", bodies)


def _significant(lines: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    stripped = (line.split("  #")[0].strip() for line in lines)
    return tuple(line for line in stripped if line and not line.startswith("#"))


def _pieces(name: str, text: str) -> Iterator[tuple[str, ...]]:
    """The texts in a file: itself, and the strings within JSON (cell sources, stubs)."""
    if name.endswith((".ipynb", ".json")):
        try:
            strings = _strings(json.loads(text))
        except ValueError:
            strings = iter([text])
        for string in strings:
            yield _significant(string.split("\n"))
    else:
        yield _significant(text.split("\n"))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        if value and all(isinstance(each, str) for each in value):
            yield "".join(value)  # a cell's source is a list of its lines
        else:
            for each in value:
                yield from _strings(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)


def _contains(piece: tuple[str, ...], body: tuple[str, ...]) -> bool:
    """Whether the lines of `body` stand one after another in `piece`."""
    starts = (i for i, line in enumerate(piece) if line == body[0])
    return any(piece[i : i + len(body)] == body for i in starts)


def _imports(text: str) -> set[str]:
    try:
        tree: ast.Module = parse(text)
    except SyntaxError:
        return set()
    return {module for module, _ in imported_modules(tree)}
