"""The trials of a notebook's exercises: nothing of a secret case comes out, and a crash costs its own exercise."""

from __future__ import annotations

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from autograder.course import open_course
from autograder.executor import METADATA
from autograder.grade import prepare
from autograder.gradebook import Recorder
from autograder.judge import Judge, Part
from autograder.planning import make_plan
from autograder.sandbox import raised
from autograder.worker import grade
from course_utils.plain import decode
from tests import toy

# What a student's code notes down wherever it can be found again, each time it is called.
SPY = """
import mmap, os
shared = mmap.mmap(-1, 2**20)
def note(values):
    text = " ".join(repr(float(value)) for value in np.ravel(values)) + " "
    end = shared.find(bytes(1))
    shared[end : end + len(text)] = text.encode()
    try:
        with open("noted.txt", "a") as file:
            file.write(text)
    except OSError:
        pass
def noted():
    text = shared[: shared.find(bytes(1))].decode()
    if os.path.exists("noted.txt"):
        text += open("noted.txt").read()
    return text
"""
SPYING_SHIFT = SPY + "def shift(x, by):\n    note(x)\n    return x - by"
SPYING_TWICE = "def twice(x):\n    note(x)\n    print(noted())\n    raise ValueError(noted())"


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")
    with pytest.MonkeyPatch.context() as patch:
        toy.install(patch)
        toy.course(root)
        (root / "nbgrader_config.py").write_text("c = get_config()\nc.JudgedExecute.timeout = 4\n")
        (root / ".autograder").mkdir()
        course = open_course(root)
        recorder = Recorder(course)
        prepare(course, [toy.ASSIGNMENT], recorder)
        recorder.close()
        with raised():
            yield make_plan(course, toy.ASSIGNMENT)


def graded(plan, tail: str = "", **code):
    """The outcome of the toy notebook with other code in its solution cells, and a cell at its end."""
    notebook = toy.submission(nbformat.reads(plan.sources["toy"], as_version=4), **code)
    notebook.cells.append(new_code_cell(tail))
    outcome = grade(plan, "someone", {"toy.ipynb": nbformat.writes(notebook).encode()})
    assert not outcome.failure, outcome.log
    return outcome


def points(outcome) -> dict[str, float]:
    return {name: verdict["score"] for name, verdict in outcome.exercises.items()}


def numbers_of(plan, exercise, part: Part) -> set[str]:
    cases = decode(Judge({}, plan.secret).request(exercise, part))["cases"]
    return {repr(float(value)) for case in cases for value in case["x"].ravel()}


def test_nothing_of_a_secret_case_comes_out(plan):
    outcome = graded(plan, tail="print(noted())", shift=SPYING_SHIFT, twice=SPYING_TWICE)
    told = json.dumps([outcome.exercises, [text.decode() for text in outcome.notebooks.values()], outcome.problems])
    for exercise in (toy.SHIFT, toy.TWICE):
        secret = numbers_of(plan, exercise, Part.SECRET)
        assert len(secret) > 3
        assert not [number for number in secret if number in told]
    # The spy does work: what it was given in public is told.
    assert [number for number in numbers_of(plan, toy.SHIFT, Part.PUBLIC) if number[:10] in told]


def test_a_lent_trial_tells_nothing_of_a_secret_case_either(plan):
    shift = SPY + "def shift(x, by):\n    note(x)\n    return x + by if x.ndim == 1 and len(x) < 4 else x"
    twice = "def twice(x):\n    note(x)\n    raise ValueError(noted(), shift(x, 0.0))"
    outcome = graded(plan, shift=shift, twice=twice)
    told = json.dumps([outcome.exercises, [text.decode() for text in outcome.notebooks.values()]])
    secret = numbers_of(plan, toy.SHIFT, Part.SECRET) | numbers_of(plan, toy.TWICE, Part.SECRET)
    assert not [number for number in secret if number in told]


def test_a_state_is_tried_where_its_check_stands(plan):
    assert points(graded(plan, tail="def shift(x, by):\n    return None\nnp.add = None")) == {"shift": 6, "twice": 2}


KILL_ALL = "def {name}({arguments}):\n    import os, signal\n    os.kill(-1, signal.SIGKILL)"


def test_who_kills_everything_in_reach_loses_its_own_exercise_alone(plan):
    outcome = graded(plan, shift=KILL_ALL.format(name="shift", arguments="x, by"))
    assert points(outcome) == {"shift": 0, "twice": 2}
    assert "ended the process it ran in" in outcome.exercises["shift"]["message"]
    outcome = graded(plan, twice=KILL_ALL.format(name="twice", arguments="x"))
    assert points(outcome) == {"shift": 6, "twice": 0}


def test_a_later_cell_that_ends_the_kernel_takes_no_points(plan):
    outcome = graded(plan, tail="import os\nos._exit(3)")
    assert points(outcome) == {"shift": 6, "twice": 2}
    last = nbformat.reads(outcome.notebooks["toy"], as_version=4).cells[-1]
    assert last.outputs[0].evalue == "This cell was stopped: it ended the kernel."


def test_a_notebook_that_always_ends_its_kernel_is_given_up(plan):
    bomb = "import os\nif os.path.exists('again'):\n    os._exit(3)\nopen('again', 'w').close()\n"
    outcome = graded(plan, shift=f"{bomb}def shift(x, by):\n    return x + by", tail="import os; os._exit(1)")
    assert points(outcome) == {"shift": 6, "twice": 2}  # a new kernel has a new folder


@pytest.mark.parametrize(
    ("tail", "says"),
    [
        ("while True: pass", "it ran longer than 4 s"),
        ("while True:\n    try:\n        x = 1\n    except BaseException:\n        pass", "it ran longer than 4 s"),
        ("while True: print('x' * 10**5)", "This cell was stopped"),
        ("kept = bytearray(2**40)", None),
    ],
)
def test_what_a_cell_does_too_much_of_is_said_and_costs_no_points(plan, tail, says):
    outcome = graded(plan, tail=tail)
    assert points(outcome) == {"shift": 6, "twice": 2}
    last = nbformat.reads(outcome.notebooks["toy"], as_version=4).cells[-1]
    assert last.outputs and len(str(last.outputs)) < 3_000_000
    if says:
        assert says in last.outputs[-1].evalue
    else:
        assert "MemoryError" in str(last.outputs)


def test_the_notebook_says_which_wall_it_ran_behind(plan):
    outcome = graded(plan)
    said = nbformat.reads(outcome.notebooks["toy"], as_version=4).metadata[METADATA]
    assert said["wall"] == outcome.wall and said["why"] == "" and said["revivals"] == 0


def test_a_notebook_that_takes_too_long_as_a_whole_is_cut_off(plan, monkeypatch):
    from autograder.executor import JudgedExecute

    monkeypatch.setattr(JudgedExecute.notebook_seconds, "default_value", 0.0)
    outcome = graded(plan)
    assert points(outcome) == {"shift": 0, "twice": 0}
    assert all(not verdict["passed"] for verdict in outcome.exercises.values())


def test_nothing_else_of_the_notebook_runs_while_its_exercises_are_tried(plan):
    counting = (
        "import mmap, threading, time\nshared = mmap.mmap(-1, 8)\n\n"
        "def count():\n    while True:\n        shared[0] = (shared[0] + 1) % 256\n        time.sleep(0.001)\n\n"
        "threading.Thread(target=count, daemon=True).start()\n"
    )
    still = "def shift(x, by):\n    time.sleep(0.02)\n"  # a stop signal reaches a thread on another core a moment later
    still += "    before = shared[0]\n    time.sleep(0.05)\n"
    still += "    return x + by if shared[0] == before else 0 * x"
    moving = "def twice(x):\n    return 2 * x if counted else 0 * x"
    seen = "before = shared[0]\ntime.sleep(0.05)\ncounted = shared[0] != before\n"
    assert points(graded(plan, shift=counting + still, twice=seen + moving)) == {"shift": 6, "twice": 2}


def test_every_round_of_a_trial_starts_from_the_same_random_state(plan):
    numbers = len(decode(Judge({}, plan.secret).request(toy.SHIFT, Part.PUBLIC))["cases"])
    drawing = (
        "import random\ndraws = []\ndef shift(x, by):\n    draws.append((np.random.rand(), random.random()))\n"
        f"    same = {numbers} > len(draws) - 1 or draws[-1] == draws[-1 - {numbers}] or len(draws) > 2 * {numbers}\n"
        "    return x + by if same else 0 * x"
    )
    assert points(graded(plan, shift=drawing)) == {"shift": 6, "twice": 2}


def test_what_lets_no_state_be_kept_costs_its_own_exercise_alone(plan):
    bomb = "import kernel_side.judged\nkernel_side.judged.line.close()\ndef shift(x, by):\n    return x + by"
    outcome = graded(plan, shift=bomb)
    assert points(outcome) == {"shift": 0, "twice": 2}
    assert "could not be run as far as this check" in outcome.exercises["shift"]["message"]


def test_a_flood_of_output_is_cut_and_not_kept(plan):
    flood = "import resource\nfor _ in range(20_000):\n    print('x' * 10**5)\n"
    flood += "assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 10**6"
    last = nbformat.reads(graded(plan, tail=flood).notebooks["toy"], as_version=4).cells[-1]
    assert [output.output_type for output in last.outputs] == ["stream"]
    assert len(last.outputs[0].text) < 2**21
