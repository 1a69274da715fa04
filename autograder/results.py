"""What has been graded: kept per submission beside the gradebook, and written out as JSON."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from autograder import CourseError
from autograder import course as courses
from autograder.build.generate import write_files
from autograder.course import Course

RESULTS = Path(".autograder") / "results"


@dataclass(frozen=True)
class Job:
    """One submission to grade."""

    course: Path
    assignment: str
    student: str


def result_file(course: Course, job: Job) -> Path:
    return course.root / RESULTS / job.assignment / f"{job.student}.json"


def fingerprint(course: Course, job: Job) -> str:
    """Changes when the submission, the assignment's source, or the code that grades changes."""
    parts = [
        digest_folder(course.path("submitted", job.student, job.assignment)),
        digest_folder(course.source(job.assignment)),
        _code_digest(),
    ]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


@cache
def _code_digest() -> str:
    """Of the packages that grade; they do not change while they run."""
    home = Path(courses.__file__).parent
    return digest_folder(home, "*.py") + digest_folder(home.parent / "course_utils", "*.py")


def digest_folder(folder: Path, pattern: str = "*") -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob(pattern)):
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def earlier_result(course: Course, job: Job) -> dict[str, Any] | None:
    try:
        kept = json.loads(result_file(course, job).read_text(encoding="utf-8"))
        graded = course.path("autograded", job.student, job.assignment)
        return kept["result"] if kept["fingerprint"] == fingerprint(course, job) and graded.is_dir() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(course: Course, job: Job, result: dict[str, Any]) -> None:
    path = result_file(course, job)
    kept = json.dumps({"fingerprint": fingerprint(course, job), "result": result}, indent=1)
    write_files(path.parent, {path.name: kept.encode()})


def kept_results(course: Course, assignments: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The latest results of all graded submissions of these assignments (all, when none is named)."""
    results = []
    for path in sorted((course.root / RESULTS).glob("*/*.json")):
        if not assignments or path.parent.name in assignments:
            with contextlib.suppress(OSError, ValueError, KeyError):
                results.append(json.loads(path.read_text(encoding="utf-8"))["result"])
    return results


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
