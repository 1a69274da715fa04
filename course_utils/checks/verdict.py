"""Decides: from the cases and what the student's code returned, to points and a named misconception.

`check` and the judge both decide here; they differ in where the calls ran and where the truth came from.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_utils.checks.compare import describe_inputs, describe_kind, difference
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises
from course_utils.plain import to_plain

MAX_MESSAGE = 200  # characters of a student's own exception that are quoted

CHANGES_INPUT = Misconception(
    "input changed in place",
    "It looks as if your code changes an array, list or dict that it was given.",
    "Ask yourself: which line changes an argument (+=, -=, x[...] = …, .pop(), .append(), .setdefault()) instead of "
    "making something new?",
    matches=lambda case, outputs: False,
)
SHARES_INPUT = Misconception(
    "result shares memory with an input",
    "It looks as if your result is the very array that came in, or a view of it.",
    "Ask yourself: what happens to the caller's array when your result is changed later?",
    matches=lambda case, outputs: False,
)


@dataclass(frozen=True)
class Finding:
    """The first thing that went wrong in an aspect: a sentence, and the inputs it happened on."""

    text: str
    context: str = ""
    secret: bool = False  # happened on a secret case: the context must not be shown


@dataclass(frozen=True)
class Verdict:
    """What is decided about one exercise of one student."""

    exercise: str
    aspects: dict[str, bool]
    score: float
    max_score: float
    findings: dict[str, Finding] = field(default_factory=dict)
    misconception: Misconception | None = None
    reason: str = ""  # why nothing could be judged at all (not written yet, a forbidden name, a dead kernel)
    unwritten: bool = False
    notes: tuple[str, ...] = ()
    cause: str = ""  # what lies behind the failure, where it is not this exercise's own code

    @property
    def passed(self) -> bool:
        return bool(self.aspects) and all(self.aspects.values())


def refused(exercise: Exercise, cases: Sequence[Case], max_score: float, reason: str, **more: Any) -> Verdict:
    """No points, and one sentence saying why."""
    aspects = dict.fromkeys(exercise.aspects(cases), False)
    return Verdict(exercise.name, aspects, 0.0, max_score, reason=reason, **more)


def too_long(exercise: Exercise) -> str:
    """What follows the exercise's name when its time is up."""
    if exercise.trains:
        return f"takes longer than its {exercise.time_limit:g} seconds of computing: fewer epochs may be enough."
    return "takes too long: does a loop never end?"


def truths_from_oracle(exercise: Exercise, cases: Sequence[Case]) -> list[Any]:
    """The oracle's value for each case; None for each where a property decides."""
    if exercise.expected is None:
        return [None] * len(cases)
    return [exercise.expected(**fresh(case)) for case in cases]


def fresh(case: Case) -> dict[str, Any]:
    """A copy of a case's inputs, so that no oracle or variant can change what the next one sees."""
    return {name: to_plain(value) for name, value in case.inputs.items()}


def decide(
    exercise: Exercise,
    cases: Sequence[Case],
    records: Sequence[dict[str, Any] | None],
    truths: Sequence[Any],
    max_score: float,
    public: int | None = None,
    quotable: bool = True,
) -> Verdict:
    """The verdict on `records`, one for each of `cases` (None where no answer came back).

    `public` is the number of leading cases that everybody may see; the default is all of them. Nothing that the
    student's code says about another case is quoted, and without `quotable` nothing that it says at all.
    """
    public = len(cases) if public is None else public
    shown = public if quotable else 0
    if records and all(r and r["error"] and r["error"]["type"] == "NotImplementedError" for r in records):
        return refused(exercise, cases, max_score, f"{exercise.name} is not written yet.", unwritten=True)
    aspects = dict.fromkeys(exercise.aspects(cases), True)
    findings: dict[str, Finding] = {}
    failing: list[int] = []
    for i, (case, record, truth) in enumerate(zip(cases, records, truths, strict=True)):
        text = fault(exercise, case, record, truth)
        if text is None:
            continue
        failing.append(i)
        aspects[case.aspect] = False
        if i < shown:
            finding = Finding(text, describe_inputs(case.inputs, exercise.for_call))
        elif public:
            passing = "the examples above pass, others of this kind do not"
            finding = Finding(passing if shown else "some of the examples do not pass", secret=True)
        elif record is not None and record["error"]:  # all else in it could carry what the code was given
            kind = record["error"]["type"]
            finding = Finding(f"raises {kind if hasattr(builtins, kind) else 'an exception'}", secret=True)
        else:  # a training exercise: the sentence speaks of accuracy, not of the inputs
            finding = Finding(text, secret=True)
        findings.setdefault(case.aspect, finding)
    return Verdict(
        exercise.name,
        aspects,
        points(exercise, aspects, max_score),
        max_score,
        findings,
        name_misconception(exercise, cases, records, truths, failing) if failing else None,
        notes=_notes(records[:shown]),
    )


def fault(exercise: Exercise, case: Case, record: dict[str, Any] | None, truth: Any) -> str | None:
    """What is wrong with one record, as a sentence, or None."""
    if record is None:
        return "no answer came back"
    wrong = _wrong_value(exercise, case, record, truth)
    if wrong:
        return wrong
    if record["mutated"]:
        return f"the values are right, but your code changed the input {record['mutated'][0]} in place"
    if exercise.fresh and record["shared"]:
        return f"the values are right, but the result shares its memory with the input {record['shared'][0]}"
    return None


def _wrong_value(exercise: Exercise, case: Case, record: dict[str, Any], truth: Any) -> str | None:
    error = record["error"]
    if isinstance(truth, Raises) and error:
        if error["type"] != truth.kind:
            return f"{error_text(error)}, should be a {truth.kind}"
        missing = [text for text in truth.contains if text not in error["message"]]
        return f"the message of the {truth.kind} does not mention {missing[0]}" if missing else None
    if error:
        return error_text(error)
    if exercise.verify is not None:
        try:
            return exercise.verify(case, record["outputs"])
        except Exception:  # results come in every shape; the property cannot hold for one that breaks its test
            return f"the result is {describe_kind(record['outputs'])}, which is not what the exercise asks for"
    return difference(truth, record["outputs"], exercise.outputs, exercise.rtol, exercise.atol)


def error_text(error: dict[str, Any]) -> str:
    """A student's exception in one line."""
    if error["type"] == "NotImplementedError":
        return f"{error.get('function') or 'this part'} is not written yet"
    where = f", in line {error['line']}: {error['code']}" if error.get("line") else ""
    message = error["message"].strip().splitlines()
    said = _plainly(message[0]) if message else ""
    if not where and said.startswith("the result "):  # an exercise's `call` says what is wrong with what it was given
        return said
    return f"raises {error['type']}" + (f" ({said})" if said else "") + where


def _plainly(message: str) -> str:
    """A message cut to a readable length; NumPy's on a matrix product says first what matters."""
    sizes = re.search(r"^matmul: .*\(size (\d+) is different from (\d+)\)$", message)
    if sizes:
        return f"the matrix product does not fit: {sizes[2]} columns meet {sizes[1]} rows"
    return message if len(message) <= MAX_MESSAGE else message[:MAX_MESSAGE] + "…"


def name_misconception(exercise, cases, records, truths, failing) -> Misconception | None:
    """The one misconception that explains every failing case and differs from the truth there, if just one does."""
    values_right = [_is_value_right(exercise, cases[i], records[i], truths[i]) for i in failing]
    if all(values_right):
        mutated = all(records[i]["mutated"] for i in failing)
        return CHANGES_INPUT if mutated else SHARES_INPUT if all(records[i]["shared"] for i in failing) else None
    if any(records[i] is None for i in failing):
        return None
    found = [m for m in exercise.misconceptions if all(explains(exercise, m, cases[i], records[i]) for i in failing)]
    yes_or_no = all(isinstance(truths[i], (bool, np.bool_)) for i in failing)  # a wrong answer is always the other one
    if len(found) > 1 or yes_or_no:  # one of them may also explain what was right
        found = [m for m in found if all(explains(exercise, m, c, r) for c, r in zip(cases, records, strict=True))]
    return found[0] if len(found) == 1 else None


def _is_value_right(exercise, case, record, truth) -> bool:
    return record is not None and _wrong_value(exercise, case, record, truth) is None


def explains(exercise: Exercise, misconception: Misconception, case: Case, record: dict[str, Any]) -> bool:
    """Whether a student with this misconception would have returned just this (or raised it, for a `Raises`)."""
    outputs, error = record["outputs"], record["error"]
    try:
        if misconception.matches is not None:
            return not error and bool(misconception.matches(case, outputs))
        with np.errstate(all="ignore"):
            variant = misconception.variant(**fresh(case))
    except Exception:  # a variant that does not apply to this case explains nothing
        return False
    if error or isinstance(variant, Raises):
        return bool(error) and isinstance(variant, Raises) and variant.kind == error["type"]
    return difference(variant, outputs, exercise.outputs, exercise.rtol, exercise.atol) is None


def points(exercise: Exercise, aspects: dict[str, bool], max_score: float) -> float:
    """The share of `max_score` that the passed aspects earn, clamped and rounded to two decimals."""
    weights = {aspect: float(exercise.weights.get(aspect, 1.0)) for aspect in aspects}
    total = sum(weights.values())
    if not total:
        return 0.0
    if all(aspects.values()):
        return round(float(max_score), 2)
    earned = sum(weights[aspect] for aspect, passed in aspects.items() if passed)
    return round(min(max(max_score * earned / total, 0.0), float(max_score)), 2)


def _notes(records: Sequence[dict[str, Any] | None]) -> tuple[str, ...]:
    """Warnings and prints of the student's code: shown, never punished."""
    notes = []
    for record in records:
        for text in record["warnings"] if record else []:
            if text not in notes:
                notes.append(text)
    printed = next((r["printed"].strip() for r in records if r and r["printed"].strip()), "")
    if printed:
        notes.append(f"Your code printed: {printed[:200]}" + (" …" if len(printed) > 200 else ""))
    return tuple(notes[:4])
