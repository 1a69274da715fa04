"""Takes a submission in: a folder that can be graded, and a clear sentence for each thing that is wrong with it.

`files, problems = read_folder(submitted)` (autograder/files.py) reads what a student handed in; `take_in(plan, files,
staged, problems)` writes what can be graded of it to the new folder `staged` and returns all problems. There every
notebook of the assignment is found under its right name, valid, with its kernel: a misnamed one, or an empty one for
what is missing or unreadable, which earns nothing. The course's own files lie beside it, over the student's.
"""

from __future__ import annotations

import difflib
import sys
import sysconfig
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from html import escape
from importlib.machinery import PathFinder
from pathlib import Path, PurePosixPath

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from autograder.files import is_notebook_name, sentence, shown, write_files
from autograder.plan import KnownCell, Plan
from autograder.repair import carried_ids, find_answers, held_checks
from autograder.salvage import Damaged, read_notebook

COURSE_MODULES = ("autograder", "conftest", "course_utils", "sitecustomize", "usercustomize")
MODULE_ENDINGS = (".py", ".pyc", ".pyd", ".so")
LIKE_A_MODULE, UNWRITABLE = "named like an installed module", "in the way of another file"

Read = Callable[[str], tuple[NotebookNode, list[str]]]


def take_in(plan: Plan, files: Mapping[str, bytes], staged: Path, found: Iterable[str] = ()) -> list[str]:
    """Write the submission `files` (path → bytes) to the new folder `staged`, ready to be graded.

    Returns the problems, in sentences: those `found` before, then its own.
    """
    staged.mkdir(parents=True)
    problems = list(found)
    strangers = sorted(name for name, data in files.items() if _is_notebook(name, data))
    others = {name: data for name, data in files.items() if name not in strangers}

    @cache
    def read(name: str) -> tuple[NotebookNode, list[str]]:
        return read_notebook(files[name])

    wanted = {f"{name}.ipynb": name for name in sorted(plan.sources)}
    strangers = [name for name in strangers if name not in wanted]
    graded = {}
    for filename, name in wanted.items():
        graded[filename], told = _find(plan, name, filename in files, strangers, read)
        problems += told
    problems += [f"{shown(p)} does not belong to {plan.assignment} and was left out." for p in strangers]
    shadows = [name for name in others if _shadows_module(name) and name not in plan.other_files]
    beside = {name: data for name, data in others.items() if name not in shadows and name not in plan.other_files}
    problems += [sentence(shadows, LIKE_A_MODULE)] if shadows else []
    write_files(plan.other_files.items(), staged)
    for filename, notebook in graded.items():
        _tell_the_student(list(dict.fromkeys(problems)), notebook)
        nbformat.write(notebook, staged / filename)
    failed = write_files(beside.items(), staged)
    return list(dict.fromkeys([*problems, *([sentence(failed, UNWRITABLE)] if failed else [])]))


def _find(plan: Plan, name: str, there: bool, strangers: list[str], read: Read) -> tuple[NotebookNode, list[str]]:
    """The notebook to grade as `name`, and its problems; one that has another name leaves the strangers."""
    filename, known = f"{name}.ipynb", plan.known.get(name, {})
    problems, path = [], filename
    if there:
        try:
            read(filename)
        except Damaged as why:
            path = _holding(strangers, known, read)
            if path is None:
                return new_notebook(), [f"{filename} {why}, so it earns nothing."]
            problems.append(f"{filename} {why}; {shown(path)} was graded in its place.")
    else:
        path = _holding(strangers, known, read) or _similar(strangers, name)
        if path is None:
            return new_notebook(), [f"{filename} is missing, so it earns nothing."]
        problems.append(f"{shown(path)} should be called {filename}; it was graded as that.")
    if path in strangers:
        strangers.remove(path)
    try:
        notebook, repairs = read(path)
    except Damaged as why:
        return new_notebook(), [*problems, f"{shown(path)} {why}, so it earns nothing."]
    problems += [f"{shown(path)} {repair}." for repair in repairs]
    problems += _foreign(
        plan, shown(path), notebook, known, whole=not any(repair.startswith("is damaged") for repair in repairs)
    )
    problems += find_answers(notebook, known, plan.sources[name])
    if kernel := plan.kernelspecs.get(name):
        notebook.metadata["kernelspec"] = dict(kernel)
    return notebook, problems


def _is_notebook(name: str, data: bytes) -> bool:
    """Whether a file is a notebook, by its name or, where that says nothing, by what it holds."""
    if is_notebook_name(name):
        return True
    return PurePosixPath(name).suffix.lower() in ("", ".json", ".txt") and b'"cell_type"' in data[:10_000]


def _holding(strangers: list[str], known: Mapping[str, KnownCell], read: Read) -> str | None:
    """The notebook of another name that holds most of this one's cells; None if there is none."""
    held = {}
    for path in strangers:
        try:
            notebook, _ = read(path)
        except Damaged:
            continue
        held[path] = len(carried_ids(notebook, known) | held_checks(notebook, known))
    best = max(held, key=held.__getitem__, default=None)
    return best if best is not None and held[best] else None


def _similar(strangers: list[str], name: str) -> str | None:
    """The only candidate, or the one with a similar name."""
    stems = {path: PurePosixPath(path).name.lower().split(".ipynb")[0] for path in strangers}
    close = difflib.get_close_matches(name.lower(), list(stems.values()), n=1, cutoff=0.6)
    if close:
        return next(path for path, stem in stems.items() if stem == close[0])
    return strangers[0] if len(strangers) == 1 else None


def _foreign(plan: Plan, path: str, notebook: NotebookNode, known: Mapping[str, KnownCell], whole: bool) -> list[str]:
    """A sentence for a notebook that has none of the assignment's cells, unless it is said to be damaged anyway."""
    if carried_ids(notebook, known):
        return []
    for other, ids in plan.elsewhere.items():
        if carried_ids(notebook, ids):
            here = plan.assignment
            return [f"{path} was made for {other}, not for {here}; only what it defines for {here} counts."]
    if held_checks(notebook, known) or not whole:
        return []
    return [f"{path} has none of the cells of {plan.assignment}; what it defines was graded all the same."]


def _shadows_module(name: str) -> bool:
    """Whether Python could take a file for one of its own modules, of the course's or of a library's."""
    path = PurePosixPath(name)
    return path.suffix in MODULE_ENDINGS and _is_installed(path.parts[0].split(".")[0])


@lru_cache(maxsize=1024)
def _is_installed(module: str) -> bool:
    if module in COURSE_MODULES or module in sys.stdlib_module_names:
        return True
    try:
        return PathFinder.find_spec(module, [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]) is not None
    except (ImportError, ValueError):
        return False


def _tell_the_student(problems: list[str], notebook: NotebookNode) -> None:
    """The problems as the first cell of the graded copy, and so of the feedback page."""
    if problems:
        # File names are the student's own: nothing in them may become markup.
        lines = [f"- {escape(problem).translate(_NO_MARKDOWN)}" for problem in problems]
        notebook.cells.insert(0, new_markdown_cell("\n".join(["**About this submission**", "", *lines])))


_NO_MARKDOWN = {ord(c): f"\\{c}" for c in "\\`*_[]$"}
