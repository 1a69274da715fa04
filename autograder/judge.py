"""The judge: makes secret cases, knows the truth, and decides from what came back."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import asdict
from enum import Enum
from typing import Any

from autograder.secret import secret_rng
from course_utils.checks.checking import public_cases
from course_utils.checks.compare import difference
from course_utils.checks.exercise import Case, Exercise, Raises
from course_utils.checks.forbidden import refusal
from course_utils.checks.verdict import Verdict, decide, fresh, refused
from course_utils.plain import NotPlain, decode, encode
from course_utils.runner import run_case

SECRET_SETS = 2
MEMORY = 2 * 2**30  # bytes that the calls of one exercise may add
STATUS_SENTENCES = {
    "too long": "{name} was stopped: it took longer than the {seconds} s it may use{each}.",
    "memory": "{name} was stopped: it needs more memory than it may use.",
    "died": "{name} ended the process it ran in, so there is nothing to judge.",
    "late": "{name} was not tried: the notebook has used up its time.",
    "garbled": "What {name} sent back could not be read as plain data, so there is nothing to judge.",
    "dead": "The notebook could not be run as far as this check: an earlier cell ends or blocks the kernel.",
}


class Part(Enum):
    """Of an exercise's cases: the ones that `check` shows as well, and the ones that nobody sees."""

    PUBLIC = "public"
    SECRET = "secret"


class Judge:
    """Judges the exercises of one assignment with the author's references and a course's secret."""

    def __init__(self, references: dict[str, Any], secret: bytes):
        self.references = references
        self.secret = secret
        self._ready: dict[str, tuple[list[Case], int, list[Any]]] = {}
        self._requests: dict[tuple[str, Part, tuple[str, ...]], bytes | None] = {}  # the class shares them too

    def _prepared(self, exercise: Exercise) -> tuple[list[Case], int, list[Any]]:
        """All cases, how many of them are public, and the truth of each; made once, as the class shares them."""
        if exercise.name not in self._ready:
            self._ready[exercise.name] = self._prepare(exercise)
        return self._ready[exercise.name]

    def _prepare(self, exercise: Exercise) -> tuple[list[Case], int, list[Any]]:
        public = [] if exercise.trains else public_cases(exercise)
        sets = 1 if exercise.trains else SECRET_SETS
        hidden = [case for i in range(sets) for case in exercise.cases(secret_rng(self.secret, exercise.name, i))]
        cases = [*public, *hidden]
        return cases, len(public), [self._truth(exercise, case) for case in cases]

    def _truth(self, exercise: Exercise, case: Case) -> Any:
        """The reference's own answer; the oracle's where there is no reference, or where the two agree.

        Where they agree, the oracle is as strict about types as the student's own check was, and no stricter.
        """
        if exercise.verify is not None:
            return None
        oracle = exercise.expected(**fresh(case))
        if exercise.name not in self.references:
            return oracle
        record = run_case(self.references[exercise.name], exercise.call, case.inputs)
        if record["error"]:
            return oracle if isinstance(oracle, Raises) else Raises(record["error"]["type"])
        agree = difference(oracle, record["outputs"], exercise.outputs, exercise.rtol, exercise.atol) is None
        return oracle if agree else record["outputs"]

    def seconds(self, exercise: Exercise, part: Part) -> int:
        """CPU seconds that all calls of a part of the exercise's cases may take together."""
        sets = 1 if exercise.trains or part is Part.PUBLIC else SECRET_SETS
        return max(1, round(exercise.time_limit * sets))

    def request(self, exercise: Exercise, part: Part, lend: Sequence[str] = ()) -> bytes | None:
        """What is sent to the student's kernel: the inputs of the cases and the source of `call`, nothing else.

        None where the part has no cases. `lend` names functions for which the kernel asks back (`lend_value`).
        """
        key = (exercise.name, part, tuple(lend))
        if key not in self._requests:
            cases, public, _ = self._prepared(exercise)
            cases = cases[:public] if part is Part.PUBLIC else cases[public:]
            self._requests[key] = self._encoded(exercise, part, lend, cases) if cases else None
        return self._requests[key]

    def _encoded(self, exercise: Exercise, part: Part, lend: Sequence[str], cases: list[Case]) -> bytes:
        return encode(
            {
                "name": exercise.name,
                "call": inspect.getsource(exercise.call),
                "call_name": exercise.call.__name__,
                "cases": [dict(case.inputs) for case in cases],
                "seconds": self.seconds(exercise, part),
                "memory": MEMORY,
                "lend": list(lend),
            }
        )

    def lend_value(self, ask: bytes, lend: Sequence[str]) -> bytes:
        """The reference's value for a call that the student's code makes of a function it was lent."""
        try:
            asked = decode(ask)
            name, args, kwargs = asked["name"], asked["args"], asked["kwargs"]
            if name not in lend or name not in self.references:
                raise NotPlain(f"{name} was not lent")
            record = run_case(self.references[name], _call_again, {"args": args, "kwargs": kwargs})
        except (NotPlain, KeyError, TypeError) as error:
            record = {"outputs": None, "error": {"type": "ValueError", "message": str(error)}}
        return encode({"outputs": record["outputs"], "error": record["error"]})

    def forbidden(self, exercise: Exercise, cells: list[str], max_score: float) -> Verdict | None:
        """A refusal where the submission's code for this exercise reaches a forbidden name."""
        sentence = refusal(exercise, cells)
        return self.refuse(exercise, max_score, sentence) if sentence else None

    def refuse(self, exercise: Exercise, max_score: float, reason: str) -> Verdict:
        """No points, and why."""
        return refused(exercise, self._prepared(exercise)[0], max_score, reason)

    def refuse_status(self, exercise: Exercise, max_score: float, status: str) -> Verdict:
        """No points, for one of the ways in which no answer came back."""
        sentence = STATUS_SENTENCES.get(status, STATUS_SENTENCES["died"])
        more = " Fewer epochs may be enough." if exercise.trains and status == "too long" else ""
        seconds = self.seconds(exercise, Part.PUBLIC)
        each = "" if exercise.trains else " for one set of examples"
        said = sentence.format(name=exercise.name, seconds=seconds, each=each)
        return self.refuse(exercise, max_score, said + more)

    def decide(self, exercise: Exercise, answers: tuple[Any, Any], max_score: float, quotable: bool = True) -> Verdict:
        """The verdict on `answers`: what came back from the student's process for the public and the secret cases.

        Each should be a list with one record per case; None for the secret ones leaves them out. Without `quotable` the
        public cases are not quoted either.
        """
        cases, public, truths = self._prepared(exercise)
        if answers[1] is None:
            cases, truths = cases[:public], truths[:public]
        records: list[dict[str, Any]] = []
        for answer, part in zip(answers, (cases[:public], cases[public:]), strict=True):
            checked = checked_records([] if answer is None else answer, part)
            if checked is None:
                return self.refuse_status(exercise, max_score, "garbled")
            records += checked
        return decide(exercise, cases, records, truths, max_score, public, quotable)


def _call_again(student, args, kwargs):
    return student(*args, **kwargs)


def checked_records(answer: Any, cases: list[Case]) -> list[dict[str, Any]] | None:
    """The records if they have just the form that `run_case` gives; None if anything else was sent."""
    if not isinstance(answer, list) or len(answer) != len(cases):
        return None
    return answer if all(_is_record(record, case) for record, case in zip(answer, cases, strict=True)) else None


def _is_record(record: Any, case: Case) -> bool:
    if not isinstance(record, dict) or set(record) != {"outputs", "error", "mutated", "shared", "printed", "warnings"}:
        return False
    names = [record["mutated"], record["shared"]]
    if not all(isinstance(x, list) and all(n in case.inputs for n in x) for x in names):
        return False
    if not isinstance(record["printed"], str) or not _texts(record["warnings"]):
        return False
    error = record["error"]
    return error is None or (
        isinstance(error, dict)
        and set(error) == {"type", "message", "line", "code", "function"}
        and _texts([error["type"], error["message"], error["code"], error["function"]])
        and (error["line"] is None or type(error["line"]) is int)
    )


def _texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(v, str) for v in values)


def as_data(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON data, for the notebook's metadata, the report and `--json`."""
    return {
        "score": verdict.score,
        "max_score": verdict.max_score,
        "passed": verdict.passed,
        "aspects": dict(verdict.aspects),
        "misconception": verdict.misconception.name if verdict.misconception else None,
        "message": message(verdict),
        "judged": not verdict.reason,
        "findings": {aspect: asdict(finding) for aspect, finding in verdict.findings.items()},
    }


def message(verdict: Verdict) -> str:
    """One or two sentences on why points are missing; empty when none are."""
    if verdict.reason:
        return verdict.reason
    first = next((f"{aspect}: {finding.text}" for aspect, finding in verdict.findings.items()), "")
    explained = verdict.misconception.explanation if verdict.misconception else ""
    return " ".join(part for part in (first and first.rstrip(".") + ".", explained, verdict.cause) if part)
