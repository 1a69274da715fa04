"""The inert stand-in for `course_utils.checks` in a process that runs student code."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import course_utils

STANDIN = '''"""An inert stand-in: the judge decides from outside this process."""


class CheckFailed(AssertionError):
    """Never raised here."""


def check(student):
    """Does nothing here."""


hint = solution = reset = check


def progress():
    """Does nothing here."""


def working(name):
    """Does nothing here."""
'''


@cache
def kernel_packages() -> Path:
    """A folder for a student kernel's import path: `course_utils` without bank and outline, with the stand-in."""
    folder = Path(tempfile.mkdtemp(prefix="autograder-view-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    home = Path(course_utils.__file__).parent
    shutil.copytree(
        home, folder / "course_utils", ignore=shutil.ignore_patterns("checks", "outline.json", "__pycache__")
    )
    (folder / "course_utils" / "checks").mkdir()
    (folder / "course_utils" / "checks" / "__init__.py").write_text(STANDIN, encoding="utf-8")
    return folder
