"""What has been graded: kept per submission beside the gradebook, and written out as JSON."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from autograder import CourseError
from autograder.build.generate import write_files
from autograder.course import Course

RESULTS = Path(".autograder") / "results"


@dataclass(frozen=True)
class Job:
    """One submission to grade."""

    course: Path
    assignment: str
    student: str


@dataclass(frozen=True)
class Kept:
    """A result as it is kept: with the fingerprint of what was graded, and the round of grading that it is of."""

    fingerprint: str
    round: str
    result: dict[str, Any]


def fingerprint(files: Mapping[str, bytes], left_out: Sequence[str], plan: str) -> str:
    """Changes when a submission, the assignment's plan (by its digest), or the code that grades changes."""
    digest = hashlib.sha256(f"{plan} {code_digest()} {list(left_out)}".encode())
    for name, content in sorted(files.items()):
        digest.update(f"{name!r} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


@cache
def code_digest() -> str:
    """Of the packages that grade; they do not change while they run."""
    home = Path(__file__).parent
    return digest_folder(home, "*.py")[:32] + digest_folder(home.parent / "course_utils", "*.py")[:32]


def digest_folder(folder: Path, pattern: str = "*") -> str:
    """Of the plain files below `folder` and their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob(pattern)):
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def result_file(course: Course, job: Job) -> Path:
    return course.root / RESULTS / job.assignment / f"{job.student}.json"


def kept(course: Course, job: Job) -> Kept | None:
    """The last result of a submission; None where there is none that can be read."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Kept(**json.loads(result_file(course, job).read_text(encoding="utf-8")))
    return None


def remember(course: Course, job: Job, new: Kept) -> None:
    """Keep a result, in one step."""
    path = result_file(course, job)
    write_files(path.parent, {path.name: json.dumps(vars(new), indent=1).encode()})


def kept_results(course: Course, assignments: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The latest results of all graded submissions of these assignments (all, when none is named)."""
    results = []
    for path in sorted((course.root / RESULTS).glob("*/*.json")):
        if not assignments or path.parent.name in assignments:
            with contextlib.suppress(OSError, ValueError, KeyError):
                results.append(json.loads(path.read_text(encoding="utf-8"))["result"])
    return results


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, float, float]]:
    """(exercise or graded cell, score before, score after) wherever a submission's score is another one now."""
    return list(_changed(_scores(before), _scores(after)))


def _changed(before: dict[str, float], after: dict[str, float]) -> Iterator[tuple[str, float, float]]:
    for name, score in after.items():
        if name in before and before[name] != score:
            yield name, before[name], score


def _scores(result: dict[str, Any]) -> dict[str, float]:
    """Every automatic score of a result: of the exercises, and of the cells that nbgrader alone has graded."""
    exercises = result.get("exercises", {})
    judged = {verdict.get("cell") for verdict in exercises.values()}
    cells = {name: score for name, score in result.get("cells", {}).items() if name not in judged}
    scores = {name: verdict["score"] for name, verdict in exercises.items()} | cells
    return {name: score for name, score in scores.items() if score is not None}


def write_json(path: Path, results: list[dict[str, Any]]) -> None:
    """Write `{"submissions": [...]}`, atomically. Raises `CourseError` when the place cannot be written."""
    keys = ("student", "assignment", "score", "max_score", "seconds", "problems", "manual", "exercises")
    shown = ("score", "max_score", "passed", "aspects", "misconception", "message")
    data = [
        {key: result[key] for key in keys}
        | {"exercises": {name: {k: v[k] for k in shown} for name, v in result["exercises"].items()}}
        for result in results
    ]
    try:
        part = path.with_name(path.name + ".part")
        part.write_text(json.dumps({"submissions": data}, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        shutil.move(part, path)
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror}.") from None
