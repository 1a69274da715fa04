"""The exercise bank's file for a notebook, wherever the repository is."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path

import course_utils
from autograder.build.mistakes import AuthorMistakes, Mistake
from course_utils.checks.exercise import Exercise


def bank_path(notebook: str) -> str:
    """The bank file of a notebook, relative to the repository."""
    return f"course_utils/checks/{notebook}.py"


def read_bank(root: Path, notebook: str) -> Mapping[str, Exercise] | None:
    """Name → exercise as `root`'s bank describes them; None without a bank file.

    Raises AuthorMistakes where the file cannot be imported or describes a name twice.
    """
    path = root / bank_path(notebook)
    if not path.is_file():
        return None
    name = f"course_utils.checks.{notebook}"
    try:
        if path.resolve().parent.parent == Path(course_utils.__file__).resolve().parent:
            module = importlib.import_module(name)
        else:  # another course's bank: never mixed up with the one that is installed
            spec = importlib.util.spec_from_file_location(name, path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        described = list(module.EXERCISES)
    except Exception as error:
        raise AuthorMistakes([_broken(path, bank_path(notebook), error)]) from error
    names = [exercise.name for exercise in described]
    twice = {each for each in names if names.count(each) > 1}
    if twice:
        raise AuthorMistakes(
            Mistake(bank_path(notebook), line_of(path, each), f"the exercise `{each}` is described twice.")
            for each in twice
        )
    return dict(zip(names, described, strict=True))


def line_of(path: Path, exercise: str) -> int:
    """The line of a bank file where an exercise is named."""
    text = path.read_text(encoding="utf-8")
    found = re.search(rf"[\"']{re.escape(exercise)}[\"']", text)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _broken(path: Path, shown: str, error: Exception) -> Mistake:
    line = 1
    if isinstance(error, SyntaxError):
        line = error.lineno or 1
    trace = error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    what = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    return Mistake(shown, line, f"this bank file cannot be read ({type(error).__name__}: {what}).")
