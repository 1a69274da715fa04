"""The class that `make grade` grades: who gets what, said by hand; and the same points under stock nbgrader."""

from __future__ import annotations

import csv
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.build.course import build_sources
from autograder.course import open_course
from autograder.grade import grade_class, submissions
from autograder.planning import make_plan
from course_utils.small_alexnet import WEIGHTS
from tests.class_by_hand import BY_HAND
from tests.made_up import ROOT

ASSIGNMENT, NOTEBOOK = "01_backprop", "backprop.ipynb"
SUBMITTED = ROOT / "sample_class" / "submitted"
HANDED_IN = {"08_alexnet": ROOT / "sample_class" / WEIGHTS}  # beside the solved notebook
PAIRS = [(assignment, student) for assignment, expected in BY_HAND.items() for student in expected.POINTS]

# -- what is tried under stock nbgrader as well, and on which secrets ------------------------------------------

FULL, NOTHING, POINTS = (getattr(BY_HAND[ASSIGNMENT], name) for name in ("FULL", "NOTHING", "POINTS"))
# Under stock nbgrader every experiment runs too, which is slow: the first is taken whole, the others without them.
STOCK_IN_FULL = ("chen-own-helpers",)
STOCK_CHECKS_ALONE = (
    "ada-first-style",
    "dara-half-done",
    "emil-overwrites",
    "gus-exp-overflow",
    "ivo-lent-backward",
    "juno-untouched",
)
STOCK = (*STOCK_IN_FULL, *STOCK_CHECKS_ALONE)
OTHERS = tuple(assignment for assignment in BY_HAND if assignment != ASSIGNMENT)
SECRETS = ("0f" * 32, "3a91" * 16, "c0ffee00" * 8)

# -- course directories outside the checkout -------------------------------------------------------------------


def environment() -> dict[str, str]:
    """Our packages importable, and this Python's scripts first (nbgrader calls `alembic`)."""
    scripts = str(Path(sys.executable).parent)
    kept = {name: value for name, value in os.environ.items() if name != "NBGRADER_EXECUTION"}
    return kept | {"PYTHONPATH": str(ROOT), "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")])}


@pytest.fixture(autouse=True)
def outside_nbgrader(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


def run(*command: str, folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Path:
    """A folder with `build/source`, made afresh from `solutions/`."""
    root = tmp_path_factory.mktemp("sources")
    for part in ("solutions", "course_utils"):
        (root / part).symlink_to(ROOT / part)
    build_sources(root)
    return root / "build" / "source"


def course(place: Path, sources: Path, secret: str, handed_in=()) -> Path:
    """A copy of the sample class's course directory, with these submissions: pairs of an assignment and a student."""
    root = place / "sample_class"
    (root / ".autograder").mkdir(parents=True)
    (root / ".autograder" / "secret").write_text(secret)
    shutil.copy(ROOT / "sample_class" / "nbgrader_config.py", root)
    shutil.copytree(sources, place / "build" / "source")
    for assignment, student in handed_in:
        shutil.copytree(SUBMITTED / student / assignment, root / "submitted" / student / assignment)
    return root


def grade_here(root: Path) -> dict[str, dict]:
    """Grade in this process; student → the result."""
    directory = open_course(root)
    return {result["student"]: result for result in grade_class(directory, submissions(directory), workers=1)}


def scores(entry: dict) -> dict[str, float]:
    return {name: verdict["score"] for name, verdict in entry["exercises"].items()}


def total(points: dict[str, float]) -> float:
    return round(sum(points.values()), 2)


def verdicts(graded: SimpleNamespace, assignment: str) -> list[tuple[tuple[str, str], dict]]:
    """((student, exercise), what was decided) for everything in an assignment."""
    entries = graded.results[assignment].items()
    return [((student, name), v) for student, entry in entries for name, v in entry["exercises"].items()]


def solved(root: Path, sources: Path, assignment: str) -> None:
    """One student more, who hands in our solution and what belongs to it."""
    folder = root / "submitted" / "solved" / assignment
    shutil.copytree(sources / assignment, folder)
    if assignment in HANDED_IN:
        shutil.copy(HANDED_IN[assignment], folder)


def solved_and_released(root: Path, sources: Path, assignment: str) -> None:
    """Two students more: one hands in our solution, and one what everybody got."""
    solved(root, sources, assignment)
    shutil.copytree(ROOT / "notebooks" / assignment, root / "submitted" / "released" / assignment)


def digest(folder: Path) -> str:
    return hashlib.sha256(
        b"".join(str(p).encode() + p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())
    ).hexdigest()


def once(tmp_path_factory, name: str, make) -> SimpleNamespace:
    """What `make(folder)` returns, JSON: made by the first test process that wants it and kept for the others."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    folder, kept = shared / name, shared / f"{name}.json"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            kept.write_text(json.dumps(make(folder)))
    return SimpleNamespace(folder=folder, **json.loads(kept.read_text()))


@pytest.fixture(scope="module")
def graded(sources, tmp_path_factory) -> SimpleNamespace:
    """The whole class through the command line, with two processes; `results`: assignment → student → what is said."""

    def make(folder: Path) -> dict:
        root = course(folder, sources, SECRETS[0], PAIRS)
        for assignment in BY_HAND:
            solved(root, sources, assignment)
        before, out = digest(root / "submitted"), root / "results.json"
        options = ("--course-dir", str(root), "--jobs", "2", "--json", str(out))
        done = run(sys.executable, "-m", "autograder", "grade", *options, folder=root)
        assert done.returncode == 0, done.stdout + done.stderr
        results = {assignment: {} for assignment in BY_HAND}
        for entry in json.loads(out.read_text())["submissions"]:
            results[entry["assignment"]][entry["student"]] = entry
        ours = {assignment: entries.pop("solved") for assignment, entries in results.items()}
        said = done.stdout + done.stderr
        return {"results": results, "solved": ours, "said": said, "unchanged": digest(root / "submitted") == before}

    return once(tmp_path_factory, "class", make)


# -- the class -------------------------------------------------------------------------------------------------


def test_the_committed_class_is_what_the_generator_makes():
    done = run(sys.executable, "sample_class/make_class.py", "--check", folder=ROOT)
    assert done.returncode == 0, done.stderr


def test_a_changed_submission_is_noticed(tmp_path):
    for part in ("notebooks", "tests", "course_utils"):
        (tmp_path / part).symlink_to(ROOT / part)
    generator, folder = tmp_path / "sample_class" / "make_class.py", tmp_path / "sample_class" / "submitted"
    shutil.copytree(ROOT / "sample_class" / "stories", generator.parent / "stories")
    for name in ("make_class.py", WEIGHTS):
        shutil.copy(ROOT / "sample_class" / name, generator.parent)
    assert run(sys.executable, str(generator), folder=tmp_path).returncode == 0
    assert run(sys.executable, str(generator), "--check", folder=tmp_path).returncode == 0
    (folder / "juno-untouched" / ASSIGNMENT / NOTEBOOK).write_text("{}")
    (folder / "stranger" / ASSIGNMENT).mkdir(parents=True)
    (folder / "stranger" / ASSIGNMENT / NOTEBOOK).write_text("{}")
    shutil.rmtree(folder / "ada-first-style" / ASSIGNMENT)
    done = run(sys.executable, str(generator), "--check", folder=tmp_path)
    place = f"sample_class/submitted/{{}}/{ASSIGNMENT}/{NOTEBOOK}"
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{place.format('ada-first-style')} is missing: run sample_class/make_class.py.",
        f"{place.format('juno-untouched')} is not what sample_class/make_class.py makes: run it.",
        f"{place.format('stranger')} is not made by sample_class/make_class.py: run it.",
    ]


@pytest.mark.parametrize("assignment", BY_HAND)
def test_the_readme_says_what_they_get(assignment):
    _, *sections = (ROOT / "sample_class/README.md").read_text().split("\n## ")
    text = next(section for section in sections if section.startswith(assignment))
    rows = re.findall(r"^\| `([a-z-]+)` \|.*?\| ([\d.]+) \|", text, re.M)
    assert {student: float(points) for student, points in rows} == {
        student: total(points) for student, points in BY_HAND[assignment].POINTS.items()
    }


# -- under autograder grade ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("assignment", "student"), PAIRS)
def test_points(graded, assignment, student):
    entry, expected = graded.results[assignment][student], BY_HAND[assignment]
    said = {n: v["message"] for n, v in entry["exercises"].items() if v["message"]}
    assert scores(entry) == expected.POINTS[student], said
    assert entry["score"] == total(expected.POINTS[student])
    assert {n: v["max_score"] for n, v in entry["exercises"].items()} == expected.FULL


def test_everybody_was_graded(graded):
    handed_in = [(folder.name, folder.parent.name) for folder in SUBMITTED.glob("*/*")]
    assert sorted(PAIRS) == sorted(handed_in)
    found = [(assignment, student) for assignment, entries in graded.results.items() for student in entries]
    assert sorted(PAIRS) == sorted(found)
    assert graded.unchanged
    assert "Traceback" not in graded.said


@pytest.mark.parametrize("assignment", BY_HAND)
def test_every_misconception_is_named_and_no_other(graded, assignment):
    named = {place: verdict["misconception"] for place, verdict in verdicts(graded, assignment)}
    assert {place: name for place, name in named.items() if name} == BY_HAND[assignment].MISCONCEPTIONS


@pytest.mark.parametrize("assignment", BY_HAND)
def test_a_misconception_costs_its_own_aspects(graded, assignment):
    aspects = {place: verdict["aspects"] for place, verdict in verdicts(graded, assignment)}
    for place, missed in BY_HAND[assignment].MISSED.items():
        assert {aspect for aspect, passed in aspects[place].items() if not passed} == missed


@pytest.mark.parametrize("assignment", BY_HAND)
def test_what_stands_on_a_wrong_exercise_is_tried_with_a_correct_one_and_nothing_else_is(graded, assignment):
    said = {place: verdict["message"] for place, verdict in verdicts(graded, assignment)}
    lent = {place: re.search(r"tried with a correct (.*) in place of yours", text) for place, text in said.items()}
    assert {place: found[1] for place, found in lent.items() if found} == BY_HAND[assignment].LENT


@pytest.mark.parametrize("assignment", BY_HAND)
def test_the_reason_is_said(graded, assignment):
    said = {place: verdict["message"] for place, verdict in verdicts(graded, assignment)}
    for place, reason in BY_HAND[assignment].REASONS.items():
        assert reason in said[place]


@pytest.mark.parametrize("assignment", BY_HAND)
def test_problems_are_reported(graded, assignment):
    entries = graded.results[assignment]
    found = {student: entry["problems"] for student, entry in entries.items() if entry["problems"]}
    assert set(found) == set(BY_HAND[assignment].PROBLEMS)
    for student, problems in found.items():
        assert len(problems) == 1 and problems[0].startswith(BY_HAND[assignment].PROBLEMS[student])


@pytest.mark.parametrize("assignment", BY_HAND)
def test_written_answers_wait_for_a_human(graded, assignment):
    waiting = {student: entry["manual"] for student, entry in graded.results[assignment].items() if entry["manual"]}
    assert waiting == BY_HAND[assignment].WRITTEN


def test_nobody_is_touched_by_the_others(graded, sources, tmp_path):
    alone = ("emil-overwrites", "ivo-lent-backward")
    results = grade_here(course(tmp_path, sources, SECRETS[0], [(ASSIGNMENT, student) for student in alone]))
    for student in alone:
        for name, together in graded.results[ASSIGNMENT][student]["exercises"].items():
            assert {key: results[student]["exercises"][name][key] for key in together} == together


@pytest.mark.parametrize("assignment", BY_HAND)
def test_the_solved_notebook_scores_everything(graded, assignment):
    assert scores(graded.solved[assignment]) == BY_HAND[assignment].FULL


@pytest.mark.parametrize("secret", SECRETS[1:], ids=(1, 2))
def test_so_it_does_on_other_secrets_and_the_released_one_scores_nothing(sources, tmp_path, secret):
    root = course(tmp_path, sources, secret)
    solved_and_released(root, sources, ASSIGNMENT)
    results = grade_here(root)
    assert scores(results["solved"]) == FULL
    assert scores(results["released"]) == NOTHING
    assert make_plan(open_course(root), ASSIGNMENT).secret.hex() == secret


# -- under stock nbgrader --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stock(sources, tmp_path_factory) -> SimpleNamespace:
    """All of stock nbgrader's steps, each run once, with its own Execute and default preprocessors."""

    def make(folder: Path) -> dict:
        shutil.copytree(sources / ASSIGNMENT, folder / "source" / ASSIGNMENT)
        (folder / "nbgrader_config.py").write_text('c = get_config()\nc.CourseDirectory.course_id = "stock"\n')
        for student in STOCK:
            shutil.copytree(SUBMITTED / student / ASSIGNMENT, folder / "submitted" / student / ASSIGNMENT)
        for student in STOCK_CHECKS_ALONE:
            leave_out_experiments(folder / "submitted" / student / ASSIGNMENT / NOTEBOOK)
        ran = {
            "generate_assignment": nbgrader(folder, "generate_assignment", ASSIGNMENT),
            "validate released": nbgrader(folder, "validate", f"release/{ASSIGNMENT}/{NOTEBOOK}"),
            "validate solved": nbgrader(folder, "validate", f"source/{ASSIGNMENT}/{NOTEBOOK}"),
            "autograde": nbgrader(folder, "autograde", ASSIGNMENT),
            "generate_feedback": nbgrader(folder, "generate_feedback", ASSIGNMENT),
            "export": nbgrader(folder, "export"),
        }
        return {"ran": {name: [done.returncode, done.stdout, done.stderr] for name, done in ran.items()}}

    return once(tmp_path_factory, "stock", make)


def nbgrader(root: Path, *arguments: str) -> subprocess.CompletedProcess:
    return run(sys.executable, "-m", "nbgrader", *arguments, folder=root)


def leave_out_experiments(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if "display-only" in cell.metadata.get("tags", []):
            cell.source = "# left out here"
    nbformat.write(notebook, path)


@pytest.mark.parametrize("step", ["generate_assignment", "autograde", "generate_feedback", "export"])
def test_stock_nbgrader_runs(stock, step):
    code, said, logged = stock.ran[step]
    assert code == 0, said + logged
    assert "ERROR" not in logged and "Traceback" not in logged


@pytest.mark.parametrize("student", STOCK)
def test_stock_nbgrader_gives_the_same_points(stock, student):
    # POINTS is also what `autograder grade` gives: see test_points.
    with Gradebook(f"sqlite:///{stock.folder / 'gradebook.db'}") as gradebook:
        grades = gradebook.find_submission_notebook("backprop", ASSIGNMENT, student).grades
        given = {grade.cell.name.removeprefix("check_"): grade.auto_score for grade in grades if grade.auto_score}
    assert NOTHING | given == POINTS[student]


def test_stock_validate_passes_the_solved_notebook(stock):
    assert "Success! Your notebook passes all the tests." in stock.ran["validate solved"][1]


def test_stock_validate_says_clearly_what_is_missing_in_the_released_one(stock):
    said = stock.ran["validate released"][1]
    assert said.startswith("VALIDATION FAILED ON 15 CELL(S)!")
    for name in FULL:
        assert f"{name} is not written yet." in said
    assert "You did not provide a response." in said
    assert "Traceback" not in said and "\x1b" not in said and 'File "' not in said


def test_stock_feedback_shows_the_verdict(stock):
    pages = {p.parent.parent.name: p.read_text() for p in (stock.folder / "feedback").glob("*/*/*.html")}
    assert set(pages) == set(STOCK)
    assert "a node that is used twice keeps only one of its gradients" in pages["emil-overwrites"]
    assert "It was tried with a correct affine_backward in place of yours." in pages["ivo-lent-backward"]


def test_stock_export_adds_up(stock):
    with (stock.folder / "grades.csv").open() as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    for student in STOCK:
        assert float(rows[student]["score"]) == sum(POINTS[student].values())
        assert float(rows[student]["max_score"]) == 100


@pytest.fixture(scope="module")
def others_in_stock(sources, tmp_path_factory) -> SimpleNamespace:
    """The other assignments' solved and released notebooks, without their experiments."""

    def make(folder: Path) -> dict:
        for assignment in OTHERS:
            shutil.copytree(sources / assignment, folder / "source" / assignment)
            solved_and_released(folder, sources, assignment)
        for path in folder.glob("submitted/*/*/*.ipynb"):
            leave_out_experiments(path)
        done = run(sys.executable, "-c", STOCK_STEPS, *OTHERS, folder=folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return {}

    return once(tmp_path_factory, "others", make)


# One process for all steps: half of what the command line would take is spent on importing nbgrader again.
STOCK_STEPS = """
import sys

from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

api = NbGraderAPI(config=Config({"CourseDirectory": {"course_id": "stock"}}))
for assignment in sys.argv[1:]:
    steps = [api.generate_assignment(assignment)]
    steps += [api.autograde(assignment, student) for student in ("solved", "released")]
    assert all(step["success"] for step in steps), steps
"""


@pytest.mark.parametrize("assignment", OTHERS)
def test_stock_nbgrader_gives_the_solved_notebook_everything_and_the_released_one_nothing(others_in_stock, assignment):
    expected, given = BY_HAND[assignment], {}
    with Gradebook(f"sqlite:///{others_in_stock.folder / 'gradebook.db'}") as gradebook:
        for student in ("solved", "released"):
            (notebook,) = gradebook.find_submission(assignment, student).notebooks
            grades = {grade.cell.name.removeprefix("check_"): grade.auto_score for grade in notebook.grades}
            given[student] = {name: grades[name] for name in expected.FULL}
    assert given == {"solved": expected.FULL, "released": expected.NOTHING}
