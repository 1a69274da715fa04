"""A plan and a submission's files are all that grading takes; the instructor's own steps and files take part."""

from __future__ import annotations

import contextlib
import pickle
from dataclasses import replace

import nbformat
import pytest

from autograder import CourseError
from autograder.course import open_course
from autograder.grade import prepare
from autograder.gradebook import Recorder, submitted_at
from autograder.journal import alone
from autograder.planning import make_plan
from autograder.sandbox import join, raised
from autograder.table import change_lines, wall_lines
from autograder.worker import Outcome, grade
from tests import toy

STEPS = """
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import NbGraderPreprocessor

class Shout(NbGraderPreprocessor):
    def preprocess(self, nb, resources):
        count = next(cell.execution_count for cell in nb.cells if cell.cell_type == "code")
        nb.cells.append(new_markdown_cell(f"The first count is {count}."))
        return nb, resources
"""
CONFIG = """
import sys
sys.path.insert(0, {folder!r})
from shouting_steps import Shout
from nbgrader.preprocessors import Execute, SaveAutoGrades
c = get_config()
c.Autograde.sanitize_preprocessors = ["nbgrader.preprocessors.ClearOutput", Shout]
c.Autograde.autograde_preprocessors = [Execute, Shout, SaveAutoGrades]
c.Execute.timeout = 7
c.LimitOutput.max_lines = 3
"""


@pytest.fixture
def toys(tmp_path, monkeypatch):
    """A toy course directory."""
    toy.install(monkeypatch)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    toy.course(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def wall():
    with raised("process") as wall:
        yield wall


def plan_of(root):
    course = open_course(root)
    with alone(root), contextlib.closing(Recorder(course)) as recorder:
        prepare(course, [toy.ASSIGNMENT], recorder)
    return make_plan(course, toy.ASSIGNMENT)


def files_of(root) -> dict[str, bytes]:
    return {"toy.ipynb": (root / "source" / toy.ASSIGNMENT / "toy.ipynb").read_bytes()}


def test_a_plan_and_files_are_all_it_takes(toys, wall, tmp_path_factory, monkeypatch):
    (toys / "source" / toy.ASSIGNMENT / "data").mkdir()
    (toys / "source" / toy.ASSIGNMENT / "data" / "table.csv").write_text("the author's")
    plan = pickle.loads(pickle.dumps(plan_of(toys)))
    files = files_of(toys)
    (toys / "source").rename(toys / "gone")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    join(wall)
    own = {"data/table.csv": b"the student's", "mine.txt": b"x"}
    outcome = pickle.loads(pickle.dumps(grade(plan, "ada", files | own)))
    assert not outcome.failure and not outcome.problems
    assert {name: verdict["score"] for name, verdict in outcome.exercises.items()} == {"shift": 6, "twice": 2}
    assert outcome.files == {"data/table.csv": b"the author's", "mine.txt": b"x"}
    assert list(outcome.notebooks) == ["toy"] and outcome.wall == "process"


def test_a_failure_of_ours_is_an_outcome_with_a_sentence(toys):
    plan = plan_of(toys)
    broken = replace(plan, sources={"toy": plan.sources["toy"].replace(b"return x + by", b"return ((")})
    outcome = grade(broken, "ada", files_of(toys))
    assert outcome.failure.startswith("toy.ipynb of 99_toy, cell 2: the reference does not run (SyntaxError")
    assert "Traceback" in outcome.log and not outcome.exercises


def test_an_instructors_own_steps_run_before_and_after_the_cells(toys, wall, tmp_path_factory):
    folder = tmp_path_factory.mktemp("steps")
    (folder / "shouting_steps.py").write_text(STEPS)
    (toys / "nbgrader_config.py").write_text(CONFIG.format(folder=str(folder)))
    plan = plan_of(toys)
    assert plan.own_sanitizers == plan.own_steps == ("shouting_steps.Shout",)
    assert plan.options == {"Execute": {"timeout": 7}, "LimitOutput": {"max_lines": 3}}
    join(wall)
    outcome = grade(plan, "ada", files_of(toys))
    notebook = nbformat.reads(outcome.notebooks["toy"].decode(), as_version=4)
    assert [cell.source for cell in notebook.cells[-2:]] == ["The first count is None.", "The first count is 1."]


def test_a_step_that_no_other_process_can_import_is_a_sentence(toys):
    (toys / "nbgrader_config.py").write_text(
        "from nbgrader.preprocessors import NbGraderPreprocessor\n"
        "class Mine(NbGraderPreprocessor): pass\n"
        "c = get_config()\nc.Autograde.autograde_preprocessors = [Mine]\n"
    )
    with pytest.raises(CourseError, match="Mine in nbgrader_config.py cannot be imported"):
        plan_of(toys)


def test_an_option_that_cannot_travel_is_a_sentence(toys):
    (toys / "nbgrader_config.py").write_text("c = get_config()\nc.JudgedExecute.on_cell_start = lambda **_: None\n")
    with pytest.raises(CourseError, match="What nbgrader_config.py sets of JudgedExecute cannot be sent"):
        plan_of(toys)


def test_the_digest_changes_with_what_a_score_depends_on_alone(toys):
    plan = plan_of(toys)
    again = plan_of(toys)
    assert plan == again and hash(plan) == hash(again) and plan.digest == again.digest
    assert replace(plan, elsewhere={"98_other": frozenset({"x", "y"})}).digest == plan.digest
    others = [
        replace(plan, secret=b"another"),
        replace(plan, options={"JudgedExecute": {"timeout": 3}}),
        replace(plan, other_files={"a": b"1"}),
        replace(plan, sources={"toy": b"{}"}),
        replace(plan, known={"toy": {}}),
    ]
    assert len({plan.digest, *(other.digest for other in others)}) == 6


def test_known_cells_are_in_the_order_of_the_release(toys):
    known = plan_of(toys).known["toy"]
    assert list(known) == ["shift", "check_shift", "twice", "check_twice", "why", "plain"]
    assert known["check_shift"].metadata["points"] == 6 and known["check_shift"].source == "check(shift)"


@pytest.mark.parametrize("text", [b"", b"yesterday", b"\xff\xfe", b"9" * 5000, b"2026-13-45 99:99:99"])
def test_a_time_that_nobody_can_read_is_no_time(text):
    assert submitted_at({"timestamp.txt": text}) is None


def test_a_weaker_wall_is_said():
    def result(student, wall, why=""):
        return {"student": student, "wall": wall, "why": why}

    results = [result("a", "nested"), result("b", "bwrap", "No forks here."), result("c", "bwrap", "No forks here.")]
    assert list(wall_lines(results[:1])) == []
    (line,) = wall_lines(results)
    assert line == "2 of 3 submissions ran in a sandbox each, not in one behind a fork server: b, c. No forks here."
    (line,) = wall_lines([result("d", "process")])
    assert line.startswith("1 of 1 submissions ran without a sandbox")


def test_changes_are_one_line_each():
    result = {"student": "ada", "assignment": "99_toy", "changes": [("shift", 3.0, 4.5)]}
    assert list(change_lines([result])) == ["Scores that changed:", "  ada, 99_toy, shift: 3 → 4.5"]


def test_an_outcome_is_plain_data():
    outcome = Outcome("99_toy", "ada", notebooks={"toy": b"{}"}, problems=["One."])
    assert pickle.loads(pickle.dumps(outcome)) == outcome
