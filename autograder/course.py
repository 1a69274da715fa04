"""A course directory, as nbgrader understands it: where its files are, and its configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder import CourseError, UsageError
from autograder.plugins import AUTOGRADE, SANITIZE

REPOSITORY = Path(__file__).resolve().parent.parent
CONFIG_FILE = "nbgrader_config.py"


@dataclass(frozen=True)
class Course:
    """A course directory and its nbgrader configuration, our grading steps included."""

    root: Path
    config: Config

    def directory(self, **folders: str) -> CourseDirectory:
        """nbgrader's view of the course; `folders` replaces some of its folders (submitted_directory=…)."""
        directory = CourseDirectory(config=self.config)
        for name, value in folders.items():
            setattr(directory, name, value)
        return directory

    def path(self, step: str, student: str, assignment: str) -> Path:
        """The folder of one of nbgrader's steps ("submitted", "autograded", …) for a student and assignment."""
        directory = self.directory()
        return Path(directory.format_path(getattr(directory, f"{step}_directory"), student, assignment))

    def source(self, assignment: str) -> Path:
        """The folder of an assignment's source notebooks (with solutions)."""
        return self.path("source", ".", assignment)

    @property
    def database(self) -> str:
        return self.directory().db_url

    def assignments(self) -> list[str]:
        """The names of all assignments that have source notebooks."""
        folder = self.source("x").parent
        return sorted(p.name for p in folder.glob("*") if p.is_dir() and any(p.glob("*.ipynb")))

    def notebooks(self, assignment: str) -> list[str]:
        """The names, without ending, of an assignment's notebooks."""
        return sorted(p.stem for p in self.source(assignment).glob("*.ipynb"))


def open_course(root: Path) -> Course:
    """The course directory `root`. Raises `CourseError` when there is none or its configuration does not load."""
    root = Path(root).resolve()
    if not root.is_dir():
        raise UsageError(f"There is no course directory {root}.")
    config = Config()
    config.Autograde.sanitize_preprocessors = list(SANITIZE)
    config.Autograde.autograde_preprocessors = list(AUTOGRADE)
    if (root / CONFIG_FILE).is_file():
        try:
            config.merge(PyFileConfigLoader(CONFIG_FILE, path=str(root)).load_config())
        except Exception as error:
            raise CourseError(f"{root / CONFIG_FILE} does not load ({type(error).__name__}: {error}).") from None
    config.CourseDirectory.root = str(root)
    return Course(root, config)
