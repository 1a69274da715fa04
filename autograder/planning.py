"""Makes the plan of an assignment from a course directory and its gradebook."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.utils import find_all_files
from traitlets.utils.importstring import import_item

from autograder import CourseError
from autograder.course import CONFIG_FILE, Course
from autograder.plan import Plan, known_cells
from autograder.plugins import AUTOGRADE, SANITIZE
from autograder.secret import course_secret


def make_plan(course: Course, assignment: str) -> Plan:
    """The plan of an assignment that the gradebook knows. Raises `CourseError`."""
    folder = course.source(assignment)
    names = course.notebooks(assignment)
    directory = course.directory()
    known, kernelspecs = {}, {}
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        for name in names:
            try:
                notebook = gradebook.find_notebook(name, assignment)
            except MissingEntry:
                raise CourseError(f"The gradebook does not know {name}.ipynb of {assignment}.") from None
            order = grade_ids_of(folder / f"{name}.ipynb")
            known[name] = known_cells(notebook, order)
            kernelspecs[name] = json.loads(notebook.kernelspec or "{}") or {}
    own_sanitizers = _own(course.config.Autograde.get("sanitize_preprocessors", []))
    own_steps = _own(course.config.Autograde.get("autograde_preprocessors", []))
    return Plan(
        assignment=assignment,
        sources={name: (folder / f"{name}.ipynb").read_bytes() for name in names},
        known=known,
        kernelspecs=kernelspecs,
        secret=course_secret(course.root),
        other_files=_other_files(course, assignment),
        elsewhere={
            other: frozenset(
                i for name in course.notebooks(other) for i in grade_ids_of(course.source(other) / f"{name}.ipynb")
            )
            for other in course.assignments()
            if other != assignment
        },
        options=_options(course, (*own_sanitizers, *own_steps)),
        own_sanitizers=own_sanitizers,
        own_steps=own_steps,
    )


def grade_ids_of(path: Path) -> tuple[str, ...]:
    """The nbgrader grade ids of the cells of a source notebook, in order; none where it cannot be read."""
    try:
        return _grade_ids(path, path.stat().st_mtime_ns)
    except OSError:
        return ()


@lru_cache(maxsize=256)
def _grade_ids(path: Path, modified: int) -> tuple[str, ...]:
    try:
        cells = nbformat.read(path, as_version=4).cells
    except Exception:  # a source notebook that nbformat cannot read is named when its own release is made
        return ()
    infos = (cell.metadata.get("nbgrader") for cell in cells)
    return tuple(str(info["grade_id"]) for info in infos if isinstance(info, Mapping) and "grade_id" in info)


def _other_files(course: Course, assignment: str) -> dict[str, bytes]:
    """The files that nbgrader puts over a student's own: those beside the source notebooks."""
    folder = course.source(assignment)
    ignored = [*course.directory().ignore, "*.ipynb"]
    kept = {os.path.normpath(name) for name in _autograde(course).exclude_overwriting.get(assignment, ())}
    paths = {Path(path).relative_to(folder): Path(path) for path in find_all_files(str(folder), ignored)}
    return {name.as_posix(): path.read_bytes() for name, path in sorted(paths.items()) if str(name) not in kept}


def _autograde(course: Course) -> Autograde:
    return Autograde(coursedir=course.directory(), config=course.config)


def _own(steps: Iterable[type | str]) -> tuple[str, ...]:
    """The steps that are neither nbgrader's, nbconvert's nor ours, as "module.Class". Raises `CourseError`."""
    names = []
    for step in steps:
        name = step if isinstance(step, str) else f"{step.__module__}.{step.__qualname__}"
        if name.split(".")[0] in ("nbgrader", "nbconvert", "autograder"):
            continue
        try:
            found = import_item(name)
        except (ImportError, AttributeError):
            found = None
        if found is None or (not isinstance(step, str) and found is not step):
            raise CourseError(
                f"The preprocessor {name} in {CONFIG_FILE} cannot be imported by the processes that grade: "
                "put it into a module."
            )
        names.append(name)
    return tuple(names)


def _options(course: Course, own: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The sections of the course's configuration that any step reads. Raises `CourseError`."""
    classes = [base for step in (*SANITIZE, *AUTOGRADE, *map(import_item, own)) for base in step.__mro__]
    options = {}
    for name in sorted({cls.__name__ for cls in classes} & course.config.keys()):
        options[name] = dict(course.config[name])
        try:
            pickle.dumps(options[name])
        except Exception:
            raise CourseError(
                f"What {CONFIG_FILE} sets of {name} cannot be sent to the processes that grade: "
                "use plain values, and functions and classes from modules."
            ) from None
    return options
