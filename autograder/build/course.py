"""`autograder build`: every assignment from `solutions/` to `build/source/`, `notebooks/` and the outline."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import autograder
from autograder import CourseError, UsageError
from autograder.build.bank import read_bank
from autograder.build.generate import Files, generate, read_files, write_files
from autograder.build.mistakes import AuthorMistakes, Mistake
from autograder.build.outline import PATH, outline_entry, outline_text
from autograder.build.percent import read_cells
from autograder.build.roles import Role, assign_roles, notebook_mistakes
from autograder.build.source import source_notebook

_FOLDER = re.compile(r"\d\d_([a-z][a-z0-9_]*)")


@dataclass(frozen=True)
class Author:
    """What an author wrote for one assignment; `path` is the notebook's, relative to the repository."""

    assignment: str
    notebook: str
    path: str
    roles: list[Role]
    others: Files  # pictures, data, … by their path within the folder


@dataclass(frozen=True)
class Built:
    """What a build makes of each assignment: its released and its source files, and its entry in the outline."""

    notebooks: dict[str, Files]
    sources: dict[str, Files]
    outline: dict[str, Any]


def repository(start: Path | None = None) -> Path:
    """The nearest folder from `start` (the current one) upwards that has solutions/, else where this package is."""
    here = (start or Path.cwd()).resolve()
    for folder in [here, *here.parents, Path(autograder.__file__).resolve().parents[1]]:
        if (folder / "solutions").is_dir() and (folder / "course_utils").is_dir():
            return folder
    raise UsageError(f"There is no solutions/ folder in {here} or above it.")


def assignments(root: Path) -> list[str]:
    """The names of all assignments, in order: the folders of `solutions/`."""
    folders = (root / "solutions").iterdir() if (root / "solutions").is_dir() else ()
    return sorted(p.name for p in folders if p.is_dir() and p.name[0] not in "._")


def read_author(root: Path, assignment: str) -> Author:
    """What the author wrote for one assignment. Raises AuthorMistakes with every mistake in it."""
    folder = f"solutions/{assignment}"
    name = _FOLDER.fullmatch(assignment)
    if not name:
        raise AuthorMistakes([Mistake(folder, 1, "an assignment's folder is named like 02_convolution.")])
    notebook = name.group(1)
    path = f"{folder}/{notebook}.py"
    if not (root / path).is_file():
        raise AuthorMistakes([Mistake(path, 1, f"this file is missing: the notebook of {assignment}.")])
    try:
        cells = read_cells(root / path)
    except UnicodeDecodeError:
        raise AuthorMistakes([Mistake(path, 1, "this file is not UTF-8 text.")]) from None
    roles, mistakes = assign_roles(path, cells)
    try:
        bank = read_bank(root, notebook)
    except AuthorMistakes as error:
        mistakes += error.mistakes
    else:
        mistakes += notebook_mistakes(path, roles, bank, root, notebook)
    others = {}
    for other, content in read_files(root / folder).items():
        if other == f"{notebook}.py" or other.endswith((".ipynb", ".pyc")):
            continue  # an author's own .ipynb copy has solutions in it
        if b"BEGIN SOLUTION" in content:
            line = content[: content.index(b"BEGIN SOLUTION")].count(b"\n") + 1
            mistakes.append(
                Mistake(f"{folder}/{other}", line, "students get this file as it is, marked solutions too.")
            )
        others[other] = content
    if mistakes:
        raise AuthorMistakes(mistakes)
    return Author(assignment, notebook, path, roles, others)


def read_authors(root: Path, names: Sequence[str] = ()) -> list[Author]:
    """What the authors of the named assignments (all of them by default) wrote.

    Raises UsageError for an unknown name and AuthorMistakes with every mistake in any of them.
    """
    known = assignments(root)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"There is no assignment {', '.join(unknown)}; there are: {', '.join(known) or 'none'}.")
    authors, mistakes = [], []
    for name in dict.fromkeys(names or known):
        try:
            authors.append(read_author(root, name))
        except AuthorMistakes as error:
            mistakes += error.mistakes
    mistakes += _shared_names(authors)
    if mistakes:
        raise AuthorMistakes(mistakes)
    return authors


def make(root: Path, names: Sequence[str] = ()) -> Built:
    """Build the named assignments (all of them by default) in memory.

    Raises as `read_authors` does, and CourseError where nbgrader refuses.
    """
    authors = read_authors(root, names)
    sources = {author.assignment: _source_files(author) for author in authors}
    released = generate(sources)
    outline = {
        author.assignment: outline_entry(author.notebook, released[author.assignment][f"{author.notebook}.ipynb"])
        for author in authors
    }
    return Built(released, sources, outline)


def build_sources(root: Path, names: Sequence[str] = ()) -> list[Path]:
    """Write the source notebooks alone, to `build/source`; the changed paths, relative to `root`."""
    sources = {author.assignment: _source_files(author) for author in read_authors(root, names)}
    return [path.relative_to(root) for path in _write_folders(root / "build/source", sources, complete=not names)]


def build_course(root: Path, names: Sequence[str] = ()) -> list[Path]:
    """Write what the named assignments (all by default) make; the changed paths, relative to `root`."""
    built = make(root, names)
    changed = [
        *_write_folders(root / "build/source", built.sources, complete=not names),
        *_write_folders(root / "notebooks", built.notebooks),
        *write_files(root, {PATH: outline_text(_outline(root, built, complete=not names))}),
    ]
    return [path.relative_to(root) for path in changed]


def check_course(root: Path, names: Sequence[str] = ()) -> None:
    """Raise CourseError, a sentence for each file, unless `notebooks/` and the outline are what `solutions/` makes."""
    sentences = differences(root, make(root, names), complete=not names)
    if sentences:
        raise CourseError(*sentences)


def differences(root: Path, built: Built, complete: bool) -> list[str]:
    """A sentence for each file that is not what was `built`; `complete` says that all assignments were."""
    sentences = []
    for assignment, files in built.notebooks.items():
        present = read_files(root / "notebooks" / assignment)
        for name in sorted(files.keys() | present.keys()):
            path = f"notebooks/{assignment}/{name}"
            if name not in present:
                sentences.append(f"{path} is missing: run `autograder build`.")
            elif name not in files:
                sentences.append(f"{path} is not made from solutions/{assignment}: run `autograder build`.")
            elif files[name] != present[name]:
                sentences.append(f"{path} is not what solutions/{assignment} makes: run `autograder build`.")
    if complete and (root / "notebooks").is_dir():
        for folder in sorted((root / "notebooks").iterdir()):
            if folder.is_dir() and folder.name[0] != "." and folder.name not in built.notebooks:
                sentences.append(f"notebooks/{folder.name} has no solutions/{folder.name}: delete it.")
    outline = root / PATH
    if not outline.is_file() or outline.read_bytes() != outline_text(_outline(root, built, complete)):
        sentences.append(f"{PATH} is not what solutions/ makes: run `autograder build`.")
    return sentences


def _source_files(author: Author) -> Files:
    return {**author.others, f"{author.notebook}.ipynb": source_notebook(author.roles).encode()}


def _write_folders(place: Path, made: Mapping[str, Files], complete: bool = False) -> list[Path]:
    """Give each assignment's folder in `place` its files and no others; with `complete`, drop other folders."""
    changed = []
    for assignment, files in made.items():
        changed += write_files(place / assignment, files)
        for name in sorted(set(read_files(place / assignment)) - set(files)):
            (place / assignment / name).unlink()
            changed.append(place / assignment / name)
    for folder in sorted(place.iterdir()) if complete and place.is_dir() else ():
        if folder.is_dir() and folder.name not in made:
            shutil.rmtree(folder)
            changed.append(folder)
    return changed


def _outline(root: Path, built: Built, complete: bool) -> dict[str, Any]:
    """The new entries; after a partial build, with the file's own for the other assignments."""
    if complete:
        return built.outline
    try:
        old = json.loads((root / PATH).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        old = {}
    known = set(assignments(root))
    return {name: entry for name, entry in old.items() if name in known} | built.outline


def _shared_names(authors: Sequence[Author]) -> list[Mistake]:
    """Exercises of one name in two assignments: checks and hints find an exercise by its name alone."""
    first: dict[str, Author] = {}
    mistakes = []
    for author in authors:
        for role in author.roles:
            if role.role == "solution" and first.setdefault(role.name, author) is not author:
                other = first[role.name].path
                sentence = (
                    f"the exercise `{role.name}` is also in {other}, but a name is one exercise's in all the course."
                )
                mistakes.append(Mistake(author.path, role.cell.line, sentence))
    return mistakes
