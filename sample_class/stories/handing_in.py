"""From code to notebooks: how a student's functions get into the released notebook."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import nbformat
from nbformat import NotebookNode

from tests.bank.registry import source

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Assignment:
    """A released notebook, and the bank of what students write in it.

    `written` is the id of the question that a human reads.
    """

    name: str
    notebook: str
    written: str
    bank: ModuleType

    def alternatives(self, number: int) -> dict[str, str]:
        """For each exercise, the bank's correct alternative of this number, or its last: a style."""
        styles: dict[str, list[str]] = {}
        for exercise, _, made in self.bank.ALTERNATIVES:
            styles.setdefault(exercise, []).append(source(made))
        return {exercise: codes[min(number, len(codes) - 1)] for exercise, codes in styles.items()}

    def mistake(self, exercise: str, misconception: str) -> dict[str, str]:
        """The bank's first wrong implementation of this name."""
        found = (source(made) for name, label, made in self.bank.MISTAKEN if (name, label) == (exercise, misconception))
        return {exercise: next(found)}

    def released(self) -> NotebookNode:
        """What every student got."""
        return nbformat.read(ROOT / "notebooks" / self.name / self.notebook, as_version=4)

    def handed_in(self, code: Mapping[str, str], written: str = "") -> NotebookNode:
        """The released notebook with `code` in the solution cells of these names, and a written answer."""
        notebook, left = self.released(), dict(code)
        for cell in notebook.cells:
            name = grade_id(cell)
            if name in left:
                cell.source = under_its_docstring(left.pop(name).strip("\n"), cell.source, name)
            elif name == self.written and written:
                cell.source = written.strip("\n")
        if left:
            raise ValueError(f"The released notebook has no solution cell for {', '.join(left)}.")
        return notebook

    def files(self, works: Mapping[str, NotebookNode]) -> dict[str, dict[str, str]]:
        """Student → the files handed in, by name: the notebook alone, under the name it was given out with."""
        return {student: {self.notebook: nbformat.writes(work) + "\n"} for student, work in works.items()}


def grade_id(cell: NotebookNode) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def under_its_docstring(code: str, stub: str, name: str) -> str:
    """`code` with the stub's docstring in the function `name`, as if it had been written into the stub."""
    given = _definition(stub, name)
    try:
        written = _definition(code, name)
    except SyntaxError:
        return code
    if not isinstance(written, ast.FunctionDef) or ast.get_docstring(written) is not None:
        return code
    lines, doc = code.splitlines(), given.body[0]
    first = written.body[0].lineno - 1
    return "\n".join([*lines[:first], *stub.splitlines()[doc.lineno - 1 : doc.end_lineno], *lines[first:]])


def _definition(code: str, name: str) -> ast.FunctionDef | ast.ClassDef:
    return next(node for node in ast.parse(code).body if getattr(node, "name", "") == name)
