"""The first difference between what was expected and what came back, as one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from course_utils.checks.exercise import Raises
from course_utils.plain import Other

MAX_CONTEXT = 120  # characters of a text input that a message quotes
MAX_NUMBERS = 10  # a longer list of numbers is left out of a message

# Relative tolerance that rounding alone can cost a result held in this type.
FLOAT_SLACK = {2: 2e-2, 4: 2e-4}


def difference(
    expected: Any, got: Any, names: Sequence[str] = (), rtol: float = 1e-7, atol: float = 1e-9, label: str = ""
) -> str | None:
    """None when `got` equals `expected` within tolerance, else a sentence about the first difference.

    Shapes and types come before values. `names` names the elements of an expected tuple. Tuples and lists count
    as the same; arrays, numbers and dicts must be what they are expected to be. Floats narrower than float64
    are allowed the rounding of their own type.
    """
    if got is None and expected is not None and not label and not isinstance(expected, Raises):
        return "the result is None: is a return missing?"
    if len(names) == 1 and not label and not isinstance(expected, (tuple, list, Mapping)):
        label = names[0]
    what = label or "the result"
    if isinstance(expected, Raises):
        return f"{what} is {describe(got)}, but a {expected.kind} should have been raised"
    if isinstance(got, Other):
        return f"{what} is {describe_kind(got)}, should be {describe_kind(expected)}"
    if got is None and expected is not None:
        return f"{what} is None"
    if isinstance(expected, (tuple, list)):
        return _sequence_difference(expected, got, names, rtol, atol, label)
    if isinstance(expected, Mapping):
        made_by_call = isinstance(got, Mapping) and got.keys() <= expected.keys()
        if names and not label and not made_by_call:  # the student was asked for a tuple, `call` makes a dict of it
            return f"{what} is {describe_kind(got)}, should be {len(names)} values ({', '.join(names)})"
        return _dict_difference(expected, got, rtol, atol, label)
    if isinstance(expected, (str, type(None))):
        return (
            None
            if type(got) is type(expected) and got == expected
            else f"{what} is {describe(got)}, should be {expected!r}"
        )
    return _value_difference(expected, got, rtol, atol, what)


def _sequence_difference(expected, got, names, rtol, atol, label) -> str | None:
    what = label or "the result"
    if not isinstance(got, (tuple, list)):
        shown = f" ({', '.join(names)})" if names else ""
        wanted = "a tuple of 1 value" if len(expected) == 1 else f"{len(expected)} values"
        return f"{what} is {describe_kind(got)}, should be {wanted}{shown}"
    if len(got) != len(expected):
        return f"{what} holds {_count(len(got))}, should hold {len(expected)}"
    for i, (want, have) in enumerate(zip(expected, got, strict=True)):
        inner = names[i] if i < len(names) and not label else f"{label or 'result'}[{i}]"
        found = difference(want, have, (), rtol, atol, inner)
        if found:
            return found
    return None


def _dict_difference(expected, got, rtol, atol, label) -> str | None:
    what = label or "the result"
    if not isinstance(got, Mapping):
        return f"{what} is {describe_kind(got)}, should be a dict with the keys {', '.join(expected)}"
    if missing := [key for key in expected if key not in got]:
        return f"{what} lacks the key {missing[0]!r}"
    if extra := [key for key in got if key not in expected]:
        return f"{what} has a key {extra[0]!r} that does not belong"
    for key, want in expected.items():
        found = difference(want, got[key], (), rtol, atol, f"{label}[{key!r}]" if label else key)
        if found:
            return found
    return None


def _value_difference(expected, got, rtol, atol, what) -> str | None:
    if not isinstance(got, (bool, int, float, np.ndarray)):
        return f"{what} is {describe_kind(got)}, should be {describe_kind(expected)}"
    if isinstance(expected, np.ndarray) and expected.ndim and not isinstance(got, np.ndarray):
        return f"{what} is {describe_kind(got)}, should be an array of shape {shape_text(expected)}"
    want, have = np.asarray(expected), np.asarray(got)
    if have.shape != want.shape:
        should = f"shape {shape_text(want)}" if want.ndim else "a single number"
        return (
            f"{what} has shape {shape_text(have)}, should be {should}"
            if want.ndim == 0
            else (f"{what} has shape {shape_text(have)}, should have {should}")
        )
    allowed = {"b": "b", "i": "iu", "u": "iu", "f": "fiu", "c": "cfiu"}[want.dtype.kind]
    if have.dtype.kind not in allowed and not want.ndim:
        return f"{what} is {_with_its_kind(have)}; should be {_with_its_kind(want, any_boolean=True)}"
    if have.dtype.kind not in allowed:
        return f"{what} holds {_kind_word(have)}, should hold {_kind_word(want)}"
    return _first_wrong_value(want, have, rtol, atol, what)


def _first_wrong_value(want: np.ndarray, have: np.ndarray, rtol: float, atol: float, what: str) -> str | None:
    if want.dtype.kind in "biu" and have.dtype.kind in "biu":
        wrong = want != have
    else:
        slack = FLOAT_SLACK.get(have.dtype.itemsize, 0.0) if have.dtype.kind == "f" else 0.0
        want, have = want.astype(np.result_type(want, np.float64)), have.astype(np.result_type(have, np.float64))
        finite = np.abs(want[np.isfinite(want)])
        scale = float(finite.max()) if finite.size else 1.0
        tolerance = max(atol, slack * 0.1) * max(scale, 1e-12) + max(rtol, slack) * np.abs(
            np.where(np.isfinite(want), want, 0)
        )
        with np.errstate(invalid="ignore", over="ignore"):
            close = np.abs(want - have) <= tolerance
        wrong = ~(close | (want == have) | (np.isnan(want) & np.isnan(have)))
    if not wrong.any():
        return None
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    where = f"{what.removeprefix('the ')}[{', '.join(map(str, index))}]" if index else what
    is_text, should_text = number_pair(have[index], want[index])
    return f"{where} is {is_text}, should be {should_text}"


def number_pair(a: Any, b: Any) -> tuple[str, str]:
    """Two numbers with just enough digits to look different, with a true minus sign."""
    for digits in (4, 6, 9, 12, 17):
        texts = number_text(a, digits), number_text(b, digits)
        if texts[0] != texts[1]:
            break
    return texts


def number_text(value: Any, digits: int = 4) -> str:
    """A number in `digits` significant digits."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        text = str(int(value))
    elif isinstance(value, (complex, np.complexfloating)):
        text = f"{complex(value):.{digits}g}"
    else:
        value = float(value) + 0.0  # no minus before a zero
        text = "NaN" if math.isnan(value) else "infinity" if value == math.inf else f"{value:.{digits}g}"
        text = text.replace("-inf", "-infinity")
    return text.replace("-", "−")


def shape_text(array: np.ndarray) -> str:
    """A shape as Python writes it."""
    return str(tuple(int(n) for n in array.shape))


def _count(n: int) -> str:
    return "1 value" if n == 1 else f"{n} values"


def _kind_word(array: np.ndarray) -> str:
    words = {"b": "booleans", "i": "integers", "u": "integers", "f": "floats", "c": "complex numbers"}
    return f"{words[array.dtype.kind]} ({array.dtype})"


def _with_its_kind(number: np.ndarray, any_boolean: bool = False) -> str:
    """One number as Python writes it, and of what kind it is."""
    kind = number.dtype.kind
    if kind == "b":
        return "True or False" if any_boolean else f"{bool(number)}, a boolean"
    whole = kind == "f" and float(number).is_integer()
    text = f"{number_text(int(number))}.0" if whole else number_text(number[()])
    words = {"i": "an integer", "u": "an integer", "f": "a float", "c": "a complex number"}
    return f"{text}, {words[kind]}"


def describe_kind(value: Any) -> str:
    """What kind of thing a piece of plain data is, for a sentence."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {shape_text(value)}"
    if isinstance(value, Other):
        return f"{'an' if value.kind[0] in 'aeiou' else 'a'} {value.kind}"
    if value is None:
        return "None"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {_count(len(value))}"
    if isinstance(value, Mapping):
        return "a dict"
    return {bool: "a boolean", int: "an integer", float: "a number", str: "a string"}.get(type(value), "a value")


def describe(value: Any) -> str:
    """A short text for a value: the number itself where it is one."""
    if isinstance(value, (bool, int, float)):
        return number_text(value)
    if isinstance(value, str):
        return repr(value[:60])
    return describe_kind(value)


def describe_inputs(inputs: Mapping[str, Any], leave_out: Sequence[str] = (), most: int = 5) -> str:
    """The inputs of a case in a few words: "stride = 2, x 5×7, kernel 3×2"."""
    parts = []
    for name, value in inputs.items():
        if name in leave_out:
            continue
        if isinstance(value, np.ndarray):
            size = "×".join(map(str, value.shape)) if value.ndim > 1 else shape_text(value)
            parts.append(f"{name} {size}" if value.ndim else f"{name} = {number_text(value[()])}")
        elif isinstance(value, (bool, int, float)):
            parts.append(f"{name} = {number_text(value)}")
        elif isinstance(value, str):
            text = "; ".join(value.splitlines())[:MAX_CONTEXT]
            parts.append(text if " " in text else f"{name} {text}")
        elif (
            isinstance(value, (tuple, list))
            and len(value) <= MAX_NUMBERS
            and all(isinstance(v, (int, float)) for v in value)
        ):
            inside = ", ".join(number_text(v) for v in value)
            parts.append(f"{name} ({inside}{',' if len(value) == 1 else ''})")
        if len(parts) == most:
            break
    return ", ".join(parts)
