"""Calls what a student wrote on the inputs of a case, and reports what happened as plain data.

It runs in the student's kernel: for `check` directly, for the judge in a throw-away fork.
It knows no expected value.
"""

from __future__ import annotations

import contextlib
import io
import linecache
import traceback
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from course_utils.plain import arrays_in, same, to_plain

MAX_PRINTED = 2000
MAX_CODE = 200


class _Printed(io.StringIO):
    """Keeps the first `MAX_PRINTED` characters that are printed and counts no further."""

    def write(self, text: str) -> int:
        if self.tell() < MAX_PRINTED:
            super().write(str(text)[: MAX_PRINTED - self.tell()])
        return len(text)


def run_case(student: Any, call: Callable, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Call `call(student, **inputs)` on a private copy of `inputs` and report as plain data.

    The record: `outputs` (plain data or None), `error` (None or a dict with type, message, line, code and function),
    `mutated` (names of inputs that the call changed), `shared` (names of inputs whose memory a result uses),
    `printed` and `warnings`.
    """
    given = {name: to_plain(value) for name, value in inputs.items()}
    record: dict[str, Any] = {
        "outputs": None,
        "error": None,
        "mutated": [],
        "shared": [],
        "printed": "",
        "warnings": [],
    }
    printed = _Printed()
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")
        with contextlib.redirect_stderr(printed):
            try:
                result = call(student, **given)
                record["outputs"] = to_plain(result)
                record["shared"] = [name for name, value in given.items() if _shares(value, result)]
            except (Exception, SystemExit, GeneratorExit) as error:  # sys.exit() must not end the kernel
                record["error"] = describe_error(error)
    record["printed"] = printed.getvalue()
    record["warnings"] = list(dict.fromkeys(f"{w.category.__name__}: {w.message}"[:300] for w in caught))[:3]
    record["mutated"] = [name for name, value in inputs.items() if not same(to_plain(value), to_plain(given[name]))]
    return record


def _shares(value: Any, result: Any) -> bool:
    results = arrays_in(result)
    return any(np.may_share_memory(a, b) for a in arrays_in(value) for b in results)


def describe_error(error: BaseException) -> dict[str, Any]:
    """Type and message of an exception, and the last line of the student's own code on its way."""
    where = {"line": None, "code": "", "function": ""}
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if is_student_file(frame.filename):
            code = (frame.line or linecache.getline(frame.filename, frame.lineno)).strip()
            where = {"line": frame.lineno, "code": code[:MAX_CODE], "function": frame.name}
            break
    try:
        message = str(error)[:500]
    except Exception:  # a student's own __str__ may fail
        message = ""
    return {"type": type(error).__name__, "message": message, **where}


def is_student_file(filename: str) -> bool:
    """Whether code with this file name came from a notebook cell (IPython and ipykernel name cells like this)."""
    return (
        filename.startswith("<") and "ipython-input" in filename or "ipykernel_" in filename or filename == "<student>"
    )
