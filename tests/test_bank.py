"""Every bank keeps its promises: references pass, stubs earn nothing, wrong ideas are called by their names.

What students write lies in `tests/bank/<notebook>.py`, the references in `solutions/`. The calls run as the judge
runs them: from the source of `call`, on inputs that have crossed the wall as plain data.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from autograder.build.course import assignments, build_sources
from autograder.references import load_references
from course_utils.checks import registry
from course_utils.checks.exercise import Exercise
from course_utils.checks.verdict import decide, truths_from_oracle
from course_utils.plain import decode, encode
from course_utils.runner import run_case
from tests.bank.registry import isolated

ROOT = Path(__file__).resolve().parent.parent
SEEDS = range(20 if "SOAK" in os.environ else 10)
TRAINING_SEEDS = range(2)
# Cases that hardly depend on the seed; those of prefetch wait for threads, the others build networks or train.
FEWER = {"prefetch": range(3), "AlexNet": range(8), "train_step": range(8)}
FEWER |= dict.fromkeys(("fit", "save_checkpoint", "load_checkpoint"), range(5))
HANDED_IN = {"train_alexnet": ROOT / "sample_class" / "alexnet_weights.npz"}
ASSIGNMENTS = assignments(ROOT)
EXERCISES = [(a, name) for a in ASSIGNMENTS for name in registry.exercises(a)]


def notebook_of(assignment: str) -> str:
    return registry.bank_module(assignment).rsplit(".", 1)[1]


def collected(kind: str) -> list[tuple[str, str, str, Any]]:
    rows = []
    for assignment in ASSIGNMENTS:
        module = importlib.import_module(f"tests.bank.{notebook_of(assignment)}")
        rows += [(assignment, *row) for row in getattr(module, kind)]
    return rows


def label(row: Any) -> str:
    return "-".join(str(part) for part in row[1:3]) if isinstance(row, tuple) else str(row)


def seeds(exercise: Exercise) -> range:
    return TRAINING_SEEDS if exercise.trains else FEWER.get(exercise.name, SEEDS)


@cache
def prepared(assignment: str, name: str, seed: int):
    """An exercise's cases, their truths, and their inputs as they cross the wall."""
    exercise = registry.exercises(assignment)[name]
    cases = list(exercise.cases(np.random.default_rng(seed)))
    return cases, truths_from_oracle(exercise, cases), [encode(dict(case.inputs)) for case in cases]


@cache
def sent_call(assignment: str, name: str):
    """`call` as the judge sends it: compiled from its source alone."""
    exercise = registry.exercises(assignment)[name]
    scope: dict[str, Any] = {}
    exec(compile(inspect.getsource(exercise.call), "<call>", "exec"), scope)
    return scope[exercise.call.__name__]


def verdict_on(assignment: str, name: str, student: Any, seed: int):
    exercise = registry.exercises(assignment)[name]
    cases, truths, requests = prepared(assignment, name, seed)
    call = sent_call(assignment, name)
    with handed_in(exercise, student):
        records = [decode(encode(run_case(student, call, decode(request)))) for request in requests]
    return decide(exercise, cases, records, truths, 10.0)


@contextlib.contextmanager
def handed_in(exercise: Exercise, student: Any):
    """Where a file is judged: work in a folder that holds what `student` makes of well trained weights."""
    if not exercise.hands_in:
        yield
        return
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        with contextlib.suppress(NotImplementedError), np.load(HANDED_IN[exercise.name]) as trained:
            np.savez(exercise.hands_in, **student(dict(trained), 0, "cpu"))
        yield


@pytest.fixture(scope="session")
def references(tmp_path_factory):
    """Assignment → name → the author's own definition."""
    root = tmp_path_factory.mktemp("references")
    for part in ("solutions", "course_utils"):
        (root / part).symlink_to(ROOT / part)
    build_sources(root)
    found = {a: load_references(root / "build" / "source" / a / f"{notebook_of(a)}.ipynb", a) for a in ASSIGNMENTS}
    for assignment, name in EXERCISES:
        if name in HANDED_IN:  # its weights are there already, training them takes minutes
            found[assignment][name] = lambda trained, seed, device: trained
    return found


@pytest.mark.parametrize(("assignment", "name"), EXERCISES)
def test_the_reference_gets_full_marks(references, assignment, name):
    exercise = registry.exercises(assignment)[name]
    for seed in seeds(exercise):
        verdict = verdict_on(assignment, name, references[assignment][name], seed)
        assert verdict.passed, (seed, verdict.findings, verdict.reason)
        assert verdict.score == 10.0


@pytest.mark.parametrize(("assignment", "name"), EXERCISES)
def test_the_stub_earns_nothing_and_is_called_unwritten(assignment, name):
    stub = registry.outlined(name)["stub"]
    scope: dict[str, Any] = {"np": np}
    if "torch" not in registry.masked(assignment):
        scope |= {"torch": torch, "nn": torch.nn}
    exec(compile(stub, "<student>", "exec"), scope)
    for seed in seeds(registry.exercises(assignment)[name]):
        verdict = verdict_on(assignment, name, scope[name], seed)
        assert verdict.score == 0
        assert verdict.unwritten


@pytest.mark.parametrize("answer", [None, 0.0, np.zeros(3), (), "text", float("nan")], ids=repr)
@pytest.mark.parametrize(("assignment", "name"), EXERCISES)
def test_a_constant_answer_earns_nothing(assignment, name, answer):
    exercise = registry.exercises(assignment)[name]
    cases, truths, _ = prepared(assignment, name, 0)
    record = {"outputs": answer, "error": None, "mutated": [], "shared": [], "printed": "", "warnings": []}
    verdict = decide(exercise, cases, [record] * len(cases), truths, 10.0)
    assert verdict.score == 0, verdict.aspects
    assert verdict.misconception is None


@pytest.mark.parametrize(
    ("assignment", "name"), [(a, name) for a, name in EXERCISES if registry.exercises(a)[name].expected is not None]
)
def test_zeros_of_the_right_shape_earn_nothing(assignment, name):
    exercise = registry.exercises(assignment)[name]
    for seed in range(3):
        cases, truths, _ = prepared(assignment, name, seed)
        zeros = [zeros_like(truth) for truth in truths]
        records = [
            {"outputs": z, "error": None, "mutated": [], "shared": [], "printed": "", "warnings": []} for z in zeros
        ]
        assert decide(exercise, cases, records, truths, 10.0).score == 0


def zeros_like(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: zeros_like(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(zeros_like(item) for item in value)
    if isinstance(value, np.ndarray):
        return np.zeros_like(value)
    return 0 if value is None else type(value)(0)


@pytest.mark.parametrize("row", collected("ALTERNATIVES"), ids=label)
def test_a_correct_alternative_gets_full_marks(row):
    assignment, name, _, made = row
    student = isolated(made)
    exercise = registry.exercises(assignment)[name]
    for seed in seeds(exercise) if not exercise.trains else [0]:
        verdict = verdict_on(assignment, name, student, seed)
        assert verdict.passed, (seed, verdict.findings)


@pytest.mark.parametrize("row", collected("MISTAKEN"), ids=label)
def test_a_misconception_fails_by_its_own_name(row):
    assignment, name, misconception, made = row
    student = isolated(made)
    exercise = registry.exercises(assignment)[name]
    for seed in seeds(exercise) if not exercise.trains else [0]:
        verdict = verdict_on(assignment, name, student, seed)
        assert not verdict.passed, seed
        assert verdict.misconception is not None, (seed, verdict.findings)
        assert verdict.misconception.name == misconception, seed


def test_every_misconception_has_a_wrong_implementation_and_every_exercise_two_alternatives():
    shown = {(a, name, wrong) for a, name, wrong, _ in collected("MISTAKEN")}
    for assignment, name in EXERCISES:
        exercise = registry.exercises(assignment)[name]
        missing = [m.name for m in exercise.misconceptions if (assignment, name, m.name) not in shown]
        assert not missing, (name, missing)
        assert sum(row[:2] == (assignment, name) for row in collected("ALTERNATIVES")) >= 2, name


@pytest.mark.parametrize(("assignment", "name"), EXERCISES)
def test_call_can_be_sent(assignment, name):
    call = registry.exercises(assignment)[name].call
    tree = ast.parse(inspect.getsource(call)).body
    assert len(tree) == 1 and isinstance(tree[0], ast.FunctionDef)
    assert call.__defaults__ is None and call.__kwdefaults__ is None and call.__closure__ is None
    assert not call.__annotations__
    import builtins

    used = set(call.__code__.co_names) & set(call.__globals__) - set(dir(builtins))
    imported = {
        a.asname or a.name.split(".")[0] for n in ast.walk(tree[0]) if isinstance(n, ast.Import) for a in n.names
    }
    assert not used - imported


@pytest.mark.parametrize(("assignment", "name"), EXERCISES)
def test_the_exercise_describes_itself(assignment, name):
    exercise = registry.exercises(assignment)[name]
    assert all(1 <= level <= 5 for level in (exercise.difficulty, exercise.importance))
    assert exercise.minutes > 0
    assert all(len(hint) > 20 for hint in exercise.hints) and len(set(exercise.hints)) == 3
    for misconception in exercise.misconceptions:
        assert misconception.explanation.startswith("It looks as if ")
        assert misconception.question.startswith("Ask yourself: ")
        assert misconception.question.endswith("?")
    cases, _, _ = prepared(assignment, name, 0)
    assert 2 <= len(exercise.aspects(cases)) <= 6
    assert set(exercise.weights) <= set(exercise.aspects(cases))
    for other in exercise.builds_on:
        assert registry.find(other) is not None
