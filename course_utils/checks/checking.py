"""`check(fn)`: tries what the student defined, in the student's own kernel, and shows the verdict."""

from __future__ import annotations

import contextlib
import difflib
import inspect
import signal
import threading
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from course_utils.checks import records, registry, render
from course_utils.checks.exercise import Case, Exercise
from course_utils.checks.forbidden import refusal
from course_utils.checks.lending import broken_ground, judged_on_own_merit, lent
from course_utils.checks.verdict import Verdict, decide, refused, too_long, truths_from_oracle
from course_utils.environment import grading, in_jupyter, show
from course_utils.runner import run_case

# Wall-clock seconds allowed per CPU second of an exercise's limit, before an endless loop is stopped.
PATIENCE = 3

_passed: dict[str, Any] = {}


class CheckFailed(AssertionError):
    """A failed check. Jupyter shows `line` (by default all of `text`) in place of a traceback."""

    def __init__(self, text: str, line: str = ""):
        super().__init__(text)
        self._lines = [line or text]

    def _render_traceback_(self) -> list[str]:
        return self._lines


class NotAnExercise(CheckFailed):
    """`check` was given something the course has no exercise for."""


def public_cases(exercise: Exercise) -> list[Case]:
    """The cases whose inputs may be quoted: the same for everybody, every time."""
    return list(exercise.cases(np.random.default_rng(zlib.crc32(exercise.name.encode()))))


def check(student: Any) -> float | None:
    """Try the function or class `student` and show which aspects hold.

    Raises `CheckFailed` (an AssertionError) when anything failed. While nbgrader autogrades it returns
    the points instead, as a plain float.
    """
    name, student = identify(student, caller_names())
    exercise = registry.find(name)
    try:
        verdict = judge_here(exercise, student, _cells_so_far(student), caller_names())
    except (KeyboardInterrupt, _TooLong) as stop:
        why = "was stopped." if isinstance(stop, KeyboardInterrupt) else too_long(exercise)
        verdict = refused(exercise, public_cases(exercise), registry.points(name), f"{name} {why}")
    records.record(verdict)
    if verdict.passed:
        _passed[name] = student
    else:
        _passed.pop(name, None)
    return _announce(verdict)


def _announce(verdict: Verdict) -> float | None:
    text = render.as_text(verdict)
    shown = in_jupyter()
    if shown or verdict.passed or grading() == "autograde":
        show(text, render.as_html(verdict))
    if grading() == "autograde":
        return float(verdict.score)
    if not verdict.passed:
        # nbgrader's validate prints the traceback alone, so there it carries the whole verdict.
        line = f"{verdict.exercise}: {render.points_text(verdict)}"
        raise CheckFailed(text, line if shown and not grading() else "") from None
    return None


def judge_here(exercise: Exercise, student: Any, cells: list[str], names: dict[str, Any] | None = None) -> Verdict:
    """The verdict on `student` from the public cases, with the oracle as the truth.

    `names` are the student's globals: what `student` uses of other exercises, and fails there, is lent to it.
    """
    verdict = _try(exercise, student, cells)
    if verdict.passed or not names:
        return verdict
    broken = broken_ground(exercise, cells, lambda other: not _holds(other, names, cells))
    if not broken:
        return verdict

    def again(borrowed: list[str]) -> Verdict:
        with lent(borrowed, names):
            return _try(exercise, student, cells)

    return judged_on_own_merit(exercise, verdict, broken, again)


def _holds(exercise: Exercise, names: dict[str, Any], cells: list[str]) -> bool:
    student = names.get(exercise.name)
    return student is not None and (_passed.get(exercise.name) is student or _try(exercise, student, cells).passed)


def _try(exercise: Exercise, student: Any, cells: list[str]) -> Verdict:
    cases = public_cases(exercise)
    most = registry.points(exercise.name)
    if sentence := refusal(exercise, cells):
        return refused(exercise, cases, most, sentence)
    truths = truths_from_oracle(exercise, cases)  # first, because it may import PyTorch, which takes its time
    with _stopped_after(exercise.time_limit * PATIENCE):
        found = [run_case(student, exercise.call, case.inputs) for case in cases]
    return decide(exercise, cases, found, truths, most)


def identify(student: Any, names: dict[str, Any]) -> tuple[str, Any]:
    """The exercise's name and the student's object, from the object or its name. Raises `NotAnExercise`."""
    if isinstance(student, str):
        name = student
        if registry.find(name) and name in names:
            return name, names[name]
        if registry.find(name):
            raise NotAnExercise(f"{name} is not defined yet: run the cell that defines it first.")
    else:
        name = getattr(student, "__name__", "")
        if registry.find(name):
            return name, student
        aliases = [key for key, value in names.items() if value is student and registry.find(key)]
        if aliases:
            return aliases[0], student
    if not name.isidentifier():
        raise NotAnExercise("check wants an exercise's function or class, for example check(affine_forward).")
    close = difflib.get_close_matches(name, registry.names(), n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise NotAnExercise(f"There is no exercise called {name}.{hint}")


def caller_names() -> dict[str, Any]:
    """The global names of the notebook: those of the first frame outside this package."""
    frame = inspect.currentframe()
    while frame and frame.f_globals.get("__name__", "").startswith("course_utils"):
        frame = frame.f_back
    return frame.f_globals if frame else {}


def _cells_so_far(student: Any) -> list[str]:
    """The sources that define `student`: the cells run so far, or its module's text outside IPython."""
    names = caller_names()
    if isinstance(names.get("In"), list):
        return [cell for cell in names["In"] if isinstance(cell, str)]
    with contextlib.suppress(OSError, TypeError):
        return [inspect.getsource(inspect.getmodule(student) or student)]
    return []


class _TooLong(BaseException):
    """Raised inside the student's code when its time is up; a bare `except Exception` does not swallow it."""


@contextlib.contextmanager
def _stopped_after(seconds: float) -> Iterator[None]:
    """Raises `_TooLong` in the body after `seconds` of wall-clock time, where signals allow it."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(signum, frame):
        raise _TooLong

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def working(name: str) -> Any:
    """The student's own `name` if it passed its check in this kernel, else a PyTorch stand-in. Says which."""
    exercise = registry.find(name)
    if exercise is None:
        raise NotAnExercise(f"There is no exercise called {name}.")
    if name in _passed:
        show(f"Using your {name}.")
        return _passed[name]
    show(f"Using a PyTorch stand-in for {name}: yours has not passed its check in this session yet.")
    _compute_on_one_thread()
    return exercise.replacement()


def _compute_on_one_thread() -> None:
    """The stand-ins' arrays are tiny: on a busy machine PyTorch's threads would wait for each other, not compute."""
    import torch

    torch.set_num_threads(1)
