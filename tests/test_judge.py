"""The judge's own decisions: what it takes for the truth, what it accepts from outside, what its secret gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autograder import CourseError
from autograder.judge import Judge, Part, as_data, checked_records, message
from autograder.secret import course_secret, secret_rng
from course_utils.checks.exercise import Case, Exercise, Raises
from course_utils.plain import decode, encode
from course_utils.runner import run_case
from tests.toy import SHIFT

SECRET = bytes(32)


def judge_with(reference) -> Judge:
    return Judge({"shift": reference}, SECRET)


def answers_of(judge: Judge, exercise: Exercise, student) -> tuple:
    """What a student's process sends for the public and the secret cases."""
    asked = [decode(judge.request(exercise, part))["cases"] for part in Part]
    return tuple([run_case(student, exercise.call, inputs) for inputs in cases] for cases in asked)


def verdict_on(judge: Judge, exercise: Exercise, student, **how):
    return judge.decide(exercise, answers_of(judge, exercise, student), 6.0, **how)


def test_a_reference_that_returns_integers_does_not_ask_for_integers():
    whole = replace(
        SHIFT, cases=lambda rng: [Case("whole", {"x": np.arange(3), "by": 2})], expected=lambda x, by: x + float(by)
    )
    judge = judge_with(lambda x, by: x + by)
    assert verdict_on(judge, whole, lambda x, by: x + by).passed
    assert verdict_on(judge, whole, lambda x, by: (x + by).astype(np.float32)).passed


def test_where_they_differ_the_reference_is_the_truth():
    judge = judge_with(lambda x, by: x - by)
    assert verdict_on(judge, SHIFT, lambda x, by: x - by).passed
    assert not verdict_on(judge, SHIFT, lambda x, by: x + by).passed


def test_without_a_reference_the_oracle_is_the_truth():
    assert verdict_on(Judge({}, SECRET), SHIFT, lambda x, by: x + by).passed


def test_a_reference_that_raises_asks_for_its_exception():
    def refuse(x, by):
        raise ValueError("no")

    judge = judge_with(refuse)
    assert verdict_on(judge, SHIFT, refuse).passed
    assert not verdict_on(judge, SHIFT, lambda x, by: x).passed
    assert isinstance(judge._prepared(SHIFT)[2][0], Raises)


def test_the_request_holds_inputs_and_call_and_nothing_of_the_truth():
    judge = judge_with(lambda x, by: x * 0 + 123456.0)
    for part in Part:
        request = judge.request(SHIFT, part)
        asked = decode(request)
        assert set(asked) == {"name", "call", "call_name", "cases", "seconds", "memory", "lend"}
        assert all(set(case) == {"x", "by"} for case in asked["cases"])
        assert b"123456" not in request


def test_secret_cases_are_not_the_public_ones_and_not_those_of_another_course():
    def inputs(secret: bytes, part: Part) -> list[bytes]:
        return [encode(case) for case in decode(Judge({}, secret).request(SHIFT, part))["cases"]]

    here, again, there = (inputs(secret, Part.SECRET) for secret in (SECRET, SECRET, b"x" * 32))
    public = inputs(SECRET, Part.PUBLIC)
    assert here == again
    assert public == inputs(b"x" * 32, Part.PUBLIC)
    assert len(public) == len(SHIFT.cases(np.random.default_rng(0)))
    assert not set(here) & {*there, *public}
    assert len(set(here)) == len(here)


def repeats_what_it_sees(x, by):
    raise ValueError(f"seen: {x!r}")


def fails_on_secret_cases(judge):
    known = [encode(case) for case in decode(judge.request(SHIFT, Part.PUBLIC))["cases"]]

    def student(x, by):
        if encode({"x": x, "by": by}) in known:
            return x + by
        print(f"printed: {x!r}")
        return repeats_what_it_sees(x, by)

    return student


def test_nothing_that_a_student_says_about_a_secret_case_is_quoted():
    judge = judge_with(lambda x, by: x + by)
    verdict = verdict_on(judge, SHIFT, fails_on_secret_cases(judge))
    assert not verdict.passed and "seen" not in str(as_data(verdict)) and not verdict.notes
    assert "seen" in str(as_data(verdict_on(judge, SHIFT, repeats_what_it_sees)))
    assert "seen" not in str(as_data(verdict_on(judge, SHIFT, repeats_what_it_sees, quotable=False)))


def test_an_error_in_training_is_named_and_not_quoted():
    training = replace(SHIFT, trains=True, expected=None, verify=lambda case, outputs: None)
    judge = Judge({}, SECRET)
    assert judge.request(training, Part.PUBLIC) is None
    asked = decode(judge.request(training, Part.SECRET))["cases"]
    records = [run_case(repeats_what_it_sees, training.call, case) for case in asked]
    verdict = judge.decide(training, ([], records), 6.0)
    assert "raises ValueError" in message(verdict) and "seen" not in str(as_data(verdict))


GOOD = {"outputs": 1.0, "error": None, "mutated": [], "shared": [], "printed": "", "warnings": []}
CASES = [Case("a", {"x": 1.0})]


@pytest.mark.parametrize(
    "answer",
    [
        None, [], "passed", 6.0, [GOOD, GOOD], [True], [{}], [{"outputs": 1.0}],
        [GOOD | {"extra": 1}], [GOOD | {"error": "none"}], [GOOD | {"error": {"type": 3}}],
        [GOOD | {"mutated": ["nothing of the kind"]}], [GOOD | {"printed": 3}], [GOOD | {"warnings": [3]}],
    ],
)  # fmt: skip
def test_malformed_answers_are_refused(answer):
    assert checked_records(answer, CASES) is None


def test_a_well_formed_answer_is_taken():
    assert checked_records([GOOD], CASES) == [GOOD]


def test_a_loan_gives_the_references_value_for_lent_names_only():
    judge = judge_with(lambda x, by: x + by)
    ask = encode({"name": "shift", "args": [np.ones(2)], "kwargs": {"by": 1.0}})
    assert decode(judge.lend_value(ask, ["shift"]))["outputs"].tolist() == [2, 2]
    for bad in (b"", b"{", encode([1]), encode({"name": "shift", "args": 3, "kwargs": {}}), ask):
        answer = decode(judge.lend_value(bad, ["other"]))
        assert answer["outputs"] is None and answer["error"]["type"]


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path):
    secret = course_secret(tmp_path)
    assert len(secret) == 32 and course_secret(tmp_path) == secret
    path = tmp_path / ".autograder" / "secret"
    assert path.stat().st_mode & 0o077 == 0
    assert secret_rng(secret, "shift", 0).random() == secret_rng(secret, "shift", 0).random()
    assert secret_rng(secret, "shift", 0).random() != secret_rng(secret, "shift", 1).random()
    path.write_text("damaged")
    with pytest.raises(CourseError, match="is damaged"):
        course_secret(tmp_path)
