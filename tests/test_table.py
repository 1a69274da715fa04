"""The class in the terminal: nothing is cut off at 80 columns, and nobody is named twice."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from autograder.table import class_tables, problem_lines


def result(student: str, exercises: int, assignment: str = "02_convolution"):
    verdict = {"score": 10.67, "max_score": 11.0, "passed": False, "misconception": None}
    names = [f"a_rather_long_exercise_name_{i}" for i in range(1, exercises + 1)]
    return {"student": student, "assignment": assignment, "score": 83.47, "max_score": 96.0, "problems": [],
            "manual": ["why"], "exercises": dict.fromkeys(names, verdict)}  # fmt: skip


@pytest.mark.parametrize("exercises", [1, 4, 14, 17, 18, 30])
def test_every_exercise_and_every_total_fits_into_80_columns(exercises):
    said = io.StringIO()
    console = Console(file=said, width=80)
    for table in class_tables([result("fay-divided-by-n", exercises), result("somebody-with-a-long-name", exercises)]):
        console.print(table)
    lines = said.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.count("10.67") for line in lines) == 2 * exercises
    words = " ".join(lines).split()
    assert {f"{i}:a_rather_long_exercise_name_{i}" for i in range(1, exercises + 1)} <= set(words)
    tables = sum(line.startswith("02_convolution") for line in lines)
    assert sum(line.rstrip().endswith("83.47") for line in lines) == 2 * tables
    assert tables == -(-exercises // 10)


def test_who_waits_for_a_human_is_said_for_each_assignment():
    lines = list(problem_lines([result("ann", 1), result("bob", 1), result("ann", 1, "03_initialization")]))
    assert [line.rpartition(": ")[2] for line in lines] == ["ann, bob.", "ann."]
    assert [line.partition(":")[0] for line in lines] == ["02_convolution", "03_initialization"]
