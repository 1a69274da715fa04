"""Small helpers with which exercises are described."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from course_utils.checks.compare import difference
from course_utils.checks.exercise import Case
from course_utils.plain import to_plain


def through(call: Callable, function: Callable) -> Callable[..., Any]:
    """What `call` returns when the student's definition is `function`, as a function of a case's inputs."""
    return lambda **inputs: call(function, **inputs)


def agrees(expected: Any, got: Any, rtol: float = 1e-7, atol: float = 1e-9) -> bool:
    """Whether two pieces of plain data are equal within tolerance."""
    return difference(to_plain(expected), got, (), rtol, atol) is None


def one_of(call: Callable, *functions: Callable, rtol: float = 1e-7, atol: float = 1e-9) -> Callable[[Case, Any], bool]:
    """A `matches` for one idea that can be written in several ways: any of `functions` explains the outputs."""

    def matches(case: Case, outputs: Any) -> bool:
        for function in functions:
            inputs = {name: to_plain(value) for name, value in case.inputs.items()}
            try:
                if agrees(call(function, **inputs), outputs, rtol, atol):
                    return True
            except (ValueError, TypeError, IndexError, ArithmeticError):  # this way of writing it does not apply here
                continue
        return False

    return matches


def tensor(array: Any, requires_grad: bool = False):
    """A float64 torch tensor with the values of `array`, which may be strided or of integers."""
    import torch

    return torch.tensor(np.ascontiguousarray(array, dtype=np.float64), requires_grad=requires_grad)
