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
    """A folder for a student kernel's import path: `kernel_side`, and `course_utils` with the stand-in for its bank."""
    folder = Path(tempfile.mkdtemp(prefix="autograder-view-"))
    folder.chmod(0o755)  # root grades as another user
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    home = Path(course_utils.__file__).parent
    shutil.copytree(
        home, folder / "course_utils", ignore=shutil.ignore_patterns("checks", "outline.json", "__pycache__")
    )
    no_cache = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(__file__).with_name("kernel_side"), folder / "kernel_side", ignore=no_cache)
    (folder / "course_utils" / "checks").mkdir()
    (folder / "course_utils" / "checks" / "__init__.py").write_text(STANDIN, encoding="utf-8")
    return folder
