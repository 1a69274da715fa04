"""Grades one submission: the whole chain, in one call that needs a plan and the submission's files, nothing else.

No gradebook, no course directory: the same call runs in this process, in another one, or on another machine.
"""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)
from traitlets.config import Config
from traitlets.utils.importstring import import_item

from autograder import plugins
from autograder.executor import METADATA, JudgedExecute
from autograder.intake import take_in
from autograder.judge import Judge
from autograder.nbgrader_log import last_line, quiet
from autograder.plan import Plan
from autograder.references import checked_name, references_in
from autograder.sandbox.wall import KINDS
from autograder.timestamps import TIMESTAMP, UNREADABLE, submitted_at

# Steps that write to the gradebook are the writer's; what the others put back or check, RestoreCells has made right.
NOT_HERE = (SaveAutoGrades, AssignLatePenalties, OverwriteCells, OverwriteKernelspec, CheckCellMetadata)
ACTIVE = (".html", ".htm", ".shtml", ".xhtml", ".xht", ".xml", ".xsl", ".svg", ".svgz", ".mht", ".mhtml")


@dataclass(frozen=True)
class Outcome:
    """What grading a submission gave; plain data, which travels between our own processes and machines.

    `notebooks` are the autograded ones and `files` what goes beside them, by path; `exercises` gives a verdict for each
    exercise, as in `--json`; `wall` is the weakest one that the submission ran behind, `why` says in a sentence why it
    was not the best. `failure` says in a few words why it could not be graded, and is empty otherwise; `log` then tells
    the whole story.
    """

    assignment: str
    student: str
    notebooks: Mapping[str, bytes] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    problems: Sequence[str] = ()
    exercises: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seconds: float = 0.0
    wall: str = ""
    why: str = ""
    failure: str = ""
    log: str = ""


def grade(plan: Plan, student: str, files: Mapping[str, bytes], left_out: Sequence[str] = ()) -> Outcome:
    """Grade a submission's `files`, by path; `left_out` says, in sentences, what of it was not read. Never raises."""
    started = time.monotonic()
    with quiet() as log:
        try:
            with tempfile.TemporaryDirectory(prefix="autograder-", ignore_cleanup_errors=True) as scratch:
                found = _graded(plan, student, files, left_out, Path(scratch))
        except Exception as error:  # one submission must not stop the class
            why = last_line(log, error)
            found = {"failure": why, "log": "\n".join([*log, traceback.format_exc()])}
    return Outcome(plan.assignment, student, seconds=round(time.monotonic() - started, 3), **found)


def _graded(
    plan: Plan, student: str, files: Mapping[str, bytes], left_out: Sequence[str], scratch: Path
) -> dict[str, Any]:
    staged = scratch / "staged"
    problems = take_in(plan, files, staged, left_out)
    if TIMESTAMP in files and submitted_at(files) is None:
        problems.append(UNREADABLE)
    notebooks, exercises, walls = {}, {}, []
    for name in plan.sources:
        notebook = nbformat.read(staged / f"{name}.ipynb", as_version=4)
        if plan.kernelspecs.get(name):
            notebook.metadata["kernelspec"] = dict(plan.kernelspecs[name])
        notebook = _through_the_steps(plan, student, name, staged, notebook)
        said = notebook.metadata.get(METADATA, {})
        problems += said.get("problems", [])
        walls.append((said["wall"], said["why"]))
        exercises |= verdicts(notebook)
        notebooks[name] = nbformat.writes(notebook).encode()
    wall, why = max(walls, key=lambda wall: (KINDS.index(wall[0]), wall[1]))
    return {
        "notebooks": notebooks,
        "files": _other_files(staged, plan.other_files),
        "problems": problems,
        "exercises": exercises,
        "wall": wall,
        "why": why,
    }


def _through_the_steps(plan: Plan, student: str, name: str, staged: Path, notebook: Any) -> Any:
    """The notebook after all sanitizing and grading steps that need no gradebook."""
    resources = {
        "nbgrader": {"student": student, "assignment": plan.assignment, "notebook": name},
        "metadata": {"name": name, "path": str(staged)},
        "unique_key": name,
        "autograder": {"judge": _judge(plan, name), "files": staged, "known": plan.known[name]},
    }
    config = Config(plan.options)
    for step in steps(plan):
        notebook, resources = step(config=config)(notebook, resources)
    return notebook


def steps(plan: Plan) -> list[type]:
    """The preprocessors in their order: ours and nbgrader's, and the instructor's own where their turn is."""
    sanitizing = [step for step in plugins.SANITIZE if not issubclass(step, NOT_HERE)]
    grading = [step for step in plugins.AUTOGRADE if not issubclass(step, NOT_HERE)]
    executed = grading.index(JudgedExecute) + 1
    own = {names: [import_item(name) for name in names] for names in (plan.own_sanitizers, plan.own_steps)}
    before, after = own[plan.own_sanitizers], own[plan.own_steps]
    return [*sanitizing, *before, *grading[:executed], *after, *grading[executed:]]


def verdicts(notebook: Any) -> dict[str, dict[str, Any]]:
    """The verdicts in a graded notebook's check cells, by exercise."""
    found = {}
    for cell in notebook.cells:
        verdict = cell.metadata.get(METADATA, {})
        if cell.cell_type == "code" and "aspects" in verdict:
            said = {key: value for key, value in verdict.items() if key != "findings"}
            found[checked_name(cell.source)] = said | {"cell": cell.metadata["nbgrader"]["grade_id"]}
    return found


@lru_cache(maxsize=16)
def _judge(plan: Plan, name: str) -> Judge:
    """The judge of a notebook, made once per process: the class shares its cases and their truth."""
    source = f"{name}.ipynb of {plan.assignment}"
    return Judge(references_in(plan.sources[name], plan.assignment, source), plan.secret)


def _other_files(folder: Path, released: Container[str]) -> dict[str, bytes]:
    """What goes beside the notebooks; of the student's own nothing that the formgrader's browser would run."""
    paths = [p for p in sorted(folder.rglob("*")) if p.is_file() and not p.is_symlink()]
    names = {path.relative_to(folder).as_posix(): path for path in paths if path.suffix != ".ipynb"}
    return {
        name: path.read_bytes() for name, path in names.items() if path.suffix.lower() not in ACTIVE or name in released
    }
