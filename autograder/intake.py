"""Takes a submission in: a safe copy of its files, and a clear sentence for each thing that is wrong with it.

Submitted files are never changed. What cannot be graded as it is (damaged, missing, misnamed) is replaced in the
copy by what can: a misnamed notebook under its right name, an unreadable one by an empty one, which earns nothing.
"""

from __future__ import annotations

import difflib
import json
import shutil
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook

from autograder.course import Course

MAX_NOTEBOOK = 50 * 2**20
MAX_FILE = 100 * 2**20
MAX_FILES = 200


class Damaged(Exception):
    """A notebook that cannot be read; the message continues the sentence "backprop.ipynb …"."""


def take_in(course: Course, assignment: str, submitted: Path, staged: Path) -> list[str]:
    """Copy the submission in `submitted` to `staged`, ready for nbgrader; returns the problems found, in sentences."""
    staged.mkdir(parents=True)
    problems = _copy_other_files(submitted, staged)
    wanted = course.notebooks(assignment)
    ids = {name: cell_ids(course.source(assignment) / f"{name}.ipynb") for name in wanted}
    found = sorted(p for p in submitted.glob("*.ipynb") if p.is_file() and not p.is_symlink())
    strangers = [p for p in found if p.stem not in wanted]
    for name in wanted:
        path = submitted / f"{name}.ipynb"
        if path not in found:
            stand_in = _misnamed(strangers, name, ids[name])
            if stand_in is None:
                problems.append(f"{name}.ipynb is missing, so it earns nothing.")
                _write(new_notebook(), staged / f"{name}.ipynb")
                continue
            problems.append(f"{stand_in.name} should be called {name}.ipynb; it was graded as that.")
            strangers.remove(stand_in)
            path = stand_in
        try:
            notebook = read_notebook(path)
        except Damaged as why:
            problems.append(f"{path.name} {why}, so it earns nothing.")
            notebook = new_notebook()
        else:
            problems += _foreign(course, assignment, path.name, notebook, ids[name])
        _write(notebook, staged / f"{name}.ipynb")
    problems += [f"{p.name} does not belong to {assignment} and was left out." for p in strangers]
    for name in wanted:
        _tell_the_student(problems, staged / f"{name}.ipynb")
    return problems


def _tell_the_student(problems: list[str], path: Path) -> None:
    """The problems as the first cell of the graded copy, and so of the feedback page."""
    if problems:
        notebook = nbformat.read(path, as_version=4)
        # File names are the student's own: nothing in them may become markup.
        lines = [f"- {escape(problem).translate(_NO_MARKDOWN)}" for problem in problems]
        notebook.cells.insert(0, new_markdown_cell("\n".join(["**About this submission**", "", *lines])))
        _write(notebook, path)


_NO_MARKDOWN = {ord(c): f"\\{c}" for c in "\\`*_[]$"}


def _copy_other_files(submitted: Path, staged: Path) -> list[str]:
    """Copy everything but notebooks; links and special files are left out, and said to be."""
    problems, count = [], 0
    for path in sorted(submitted.rglob("*")):
        name = path.relative_to(submitted)
        if any(
            parent.is_symlink() for parent in (path, *path.parents) if submitted in parent.parents or parent == path
        ):
            problems.append(f"{name} is a link and was left out.")
        elif path.is_dir() or path.suffix == ".ipynb" or ".ipynb_checkpoints" in name.parts:
            continue
        elif not path.is_file():
            problems.append(f"{name} is not a plain file and was left out.")
        elif path.stat().st_size > MAX_FILE or count >= MAX_FILES:
            problems.append(f"{name} is more than a submission may hold and was left out.")
        else:
            count += 1
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, staged / name)
    return problems


def read_notebook(path: Path) -> Any:
    """The notebook in `path`, upgraded to the current format. Raises `Damaged`."""
    if path.stat().st_size > MAX_NOTEBOOK:
        raise Damaged(f"is larger than {MAX_NOTEBOOK // 2**20} MB")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError):
        raise Damaged("is not a text file") from None
    if not text.strip():
        raise Damaged("is empty")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = f" (line {error.lineno})" if hasattr(error, "lineno") else ""
        raise Damaged(f"is not a notebook: it is not JSON{line}") from None
    if not isinstance(data, dict) or not isinstance(data.get("cells", data.get("worksheets")), list):
        raise Damaged("is not a notebook: it has no cells")
    try:
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except Exception:
        notebook = salvage(data)
    return notebook


def salvage(data: dict[str, Any]) -> Any:
    """A valid notebook from the cells that can still be read: their kind, source, and nbgrader's metadata."""
    notebook = new_notebook()
    for cell in data.get("cells", []):
        if not isinstance(cell, dict):
            continue
        source = cell.get("source", "")
        source = "".join(s for s in source if isinstance(s, str)) if isinstance(source, list) else source
        if not isinstance(source, str):
            continue
        make = nbformat.v4.new_code_cell if cell.get("cell_type") == "code" else nbformat.v4.new_markdown_cell
        given = cell.get("metadata")
        kept = {
            k: given[k]
            for k in ("nbgrader", "tags")
            if isinstance(given, dict) and isinstance(given.get(k), (dict, list))
        }
        notebook.cells.append(make(source=source, metadata=kept))
    return notebook


def cell_ids(path: Path) -> set[str]:
    """The grade ids in a notebook; empty when it cannot be read."""
    try:
        return grade_ids(read_notebook(path))
    except (Damaged, OSError):
        return set()


def grade_ids(notebook: Any) -> set[str]:
    """The nbgrader grade ids of a notebook's cells."""
    infos = (cell.metadata.get("nbgrader") for cell in notebook.cells)
    return {str(info["grade_id"]) for info in infos if isinstance(info, dict) and "grade_id" in info}


def _misnamed(strangers: list[Path], name: str, ids: set[str]) -> Path | None:
    """The notebook of another name that holds this one's cells, or is the only candidate with a similar name."""
    holding = [p for p in strangers if cell_ids(p) & ids]
    if holding:
        return max(holding, key=lambda p: len(cell_ids(p) & ids))
    similar = difflib.get_close_matches(name, [p.stem for p in strangers], n=1, cutoff=0.6)
    if similar:
        return next(p for p in strangers if p.stem == similar[0])
    return strangers[0] if len(strangers) == 1 else None


def _foreign(course: Course, assignment: str, filename: str, notebook: Any, ids: set[str]) -> list[str]:
    """A sentence for a notebook that has none, or only few, of the assignment's cells."""
    here = grade_ids(notebook)
    if here & ids:
        return []
    for other in course.assignments():
        if other != assignment and any(
            here & cell_ids(course.source(other) / f"{n}.ipynb") for n in course.notebooks(other)
        ):
            return [
                f"{filename} was made for {other}, not for {assignment}; only what it defines for {assignment} counts."
            ]
    return [f"{filename} has none of the cells of {assignment}; what it defines was graded all the same."]


def _write(notebook: Any, path: Path) -> None:
    nbformat.write(notebook, path)
