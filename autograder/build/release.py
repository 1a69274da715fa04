"""`autograder release DIR`: the students' folder and zip, with nothing in it that gives a solution away."""

from __future__ import annotations

import json
import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder import CourseError
from autograder.build.course import Built, differences, make
from autograder.build.generate import Files, read_files, write_files
from autograder.build.leaks import find_leaks

# Written into every release: it lists the release's own files, so that the next one knows what it may replace.
MANIFEST = ".release.json"
NBGRADER_CONFIG = """c = get_config()

# The experiments may take longer than nbgrader's 30 seconds for a cell.
c.Validator.Execute.timeout = 180
"""
_TESTS_ONLY = "# Only the tests and the optional extras need these."


@dataclass(frozen=True)
class Release:
    """What was written: the folder, the zip beside it, and how many files each of them has."""

    folder: Path
    archive: Path
    files: int


def make_release(root: Path, folder: Path) -> Release:
    """Write the release of the repository `root` to `folder` and to `folder`.zip.

    Raises CourseError, before anything is written, where notebooks/ is not up to date, `folder` is in use for something
    else, or a file would give a solution away.
    """
    folder = folder.expanduser().absolute()
    archive = folder.with_name(folder.name + ".zip")
    old = _earlier_files(folder, archive)
    built = make(root)
    files = release_files(root, built)
    complaints = differences(root, built, complete=True) or find_leaks(files, root)
    if complaints:
        raise CourseError(*complaints)
    for name in old - files.keys():
        (folder / name).unlink(missing_ok=True)
    write_files(folder, files)
    _write_zip(archive, folder.name, files)
    return Release(folder, archive, len(files))


def release_files(root: Path, built: Built) -> Files:
    """The release's files by their path in it, from what was `built` of the repository `root`."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    first = next((f"{a}/{entry['notebook']}.ipynb" for a, entry in sorted(built.outline.items())), "a notebook")
    files = {f"notebooks/{a}/{name}": content for a, made in built.notebooks.items() for name, content in made.items()}
    files |= {
        f"course_utils/{n}": content for n, content in read_files(root / "course_utils").items() if n[-4:] != ".pyc"
    }
    for name in ("LICENSE", "environment.yml"):
        files[name] = (root / name).read_bytes()
    requirements = (root / "requirements.txt").read_text(encoding="utf-8")
    files["requirements.txt"] = (requirements.split(_TESTS_ONLY)[0].rstrip() + "\n").encode()
    files["pyproject.toml"] = _student_project(project).encode()
    files["nbgrader_config.py"] = NBGRADER_CONFIG.encode()
    readme = (Path(__file__).parent / "student_readme.md").read_text(encoding="utf-8")
    files["README.md"] = readme.replace("{{name}}", project["name"]).replace("{{first}}", first).encode()
    files[MANIFEST] = (json.dumps(sorted([*files, MANIFEST]), indent=1) + "\n").encode()
    return files


def _student_project(project: Mapping[str, object]) -> str:
    """A pyproject.toml that installs course_utils alone, with the dependencies of the repository's."""
    needed = "".join(f"    {json.dumps(each)},\n" for each in project["dependencies"])
    return f"""[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = {json.dumps(project["name"])}
version = {json.dumps(project["version"])}
requires-python = {json.dumps(project["requires-python"])}
dependencies = [
{needed}]

[tool.setuptools.packages.find]
include = ["course_utils*"]

[tool.setuptools.package-data]
course_utils = ["**/*"]
"""


def _earlier_files(folder: Path, archive: Path) -> set[str]:
    """The files of the earlier release in `folder`; raises CourseError where something else is in the way."""
    refusal = "choose a new folder, or one that an earlier release made."
    if folder.exists() and not folder.is_dir():
        raise CourseError(f"{folder} is a file: {refusal}")
    present = folder.is_dir() and any(folder.iterdir())
    old: set[str] = set()
    if present:
        try:
            old = set(json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            raise CourseError(f"{folder} has files that no release wrote: {refusal}") from None
        inside = folder.resolve()
        old = {name for name in old if isinstance(name, str) and (inside / name).resolve().is_relative_to(inside)}
    if archive.exists() and not _is_release(archive, folder.name):
        raise CourseError(f"{archive} is not the zip of an earlier release: move it away, or choose another folder.")
    return old


def _is_release(archive: Path, name: str) -> bool:
    try:
        with zipfile.ZipFile(archive) as file:
            return f"{name}/{MANIFEST}" in file.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _write_zip(archive: Path, top: str, files: Mapping[str, bytes]) -> None:
    part = archive.with_name(f".{archive.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name, content in sorted(files.items()):
            # The zip's own earliest time, so that the same files make the same bytes.
            entry = zipfile.ZipInfo(f"{top}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            file.writestr(entry, content)
    part.replace(archive)
