"""nbgrader's own generate_assignment, run quietly in a throw-away course directory."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import tempfile
from collections.abc import Mapping
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import capture_log
from traitlets.config import Config

from autograder import CourseError

Files = dict[str, bytes]


def generate(sources: Mapping[str, Files]) -> dict[str, Files]:
    """The released files of each assignment, made from its source files; files go by their path within its folder.

    Raises CourseError with nbgrader's complaint if it refuses.
    """
    released = {}
    with tempfile.TemporaryDirectory(prefix="build-") as folder:
        root = Path(folder).resolve()
        # nbgrader starts alembic for the version of an empty gradebook: a second lost, for a file thrown away.
        with contextlib.closing(sqlite3.connect(root / "gradebook.db")) as gradebook:
            gradebook.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        for assignment, source in sources.items():
            write_files(root / "source" / assignment, source)
            config = Config()
            config.CourseDirectory.root = str(root)
            config.CourseDirectory.assignment_id = assignment
            directory = CourseDirectory(config=config)
            result = capture_log(GenerateAssignment(coursedir=directory, config=config))
            if not result["success"]:
                raise CourseError(f"nbgrader cannot make the students' version of {assignment}: {_complaint(result)}")
            released[assignment] = read_files(root / "release" / assignment)
    return released


def write_files(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write the files that differ under `folder`; the paths written, in order."""
    written = []
    for name, content in sorted(files.items()):
        path = folder / name
        if path.is_file() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        # Never half a file, and no write through a link.
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(content)
        part.replace(path)
        written.append(path)
    return written


def read_files(folder: Path) -> Files:
    """Every file under `folder` by its path within it, hidden ones, caches and checkpoints left out."""
    files = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in name.parts):
            files[name.as_posix()] = path.read_bytes()
    return files


def _complaint(result: Mapping[str, str]) -> str:
    """The most telling line of nbgrader's log: the last exception in it, or its last line."""
    lines = [line.strip() for line in (result.get("log", "") + "\n" + result["error"]).splitlines() if line.strip()]
    errors = [
        line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line) and "NbGraderException" not in line
    ]
    return (errors or lines)[-1]
