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
from tests.made_up import ROOT

ASSIGNMENT, NOTEBOOK = "01_backprop", "backprop.ipynb"
SUBMITTED = ROOT / "sample_class" / "submitted"

# -- what is expected, written by hand -------------------------------------------------------------------------

FULL = {
    "perceptron_step": 5,
    "relu_interpolation": 6,
    "numerical_gradient": 7,
    "affine_forward": 4,
    "affine_backward": 9,
    "relu_backward": 4,
    "tanh_backward": 4,
    "squared_error_backward": 5,
    "softmax_cross_entropy": 9,
    "unbroadcast": 7,
    "Value": 12,
    "mlp_gradients": 12,
    "train_classifier": 6,
    "repaired_linear_backward": 6,
}
NOTHING = dict.fromkeys(FULL, 0)
POINTS = {
    "ada-first-style": FULL,
    "bela-second-style": FULL,
    "chen-own-helpers": FULL,
    "dara-half-done": FULL
    | {
        "softmax_cross_entropy": 0,
        "unbroadcast": 0,
        "Value": 0,
        "mlp_gradients": 0,
        "train_classifier": 0,
        "repaired_linear_backward": 0,
    },
    "emil-overwrites": FULL | {"Value": 8},
    "fay-divided-by-n": FULL | {"affine_backward": 1.8},
    "gus-exp-overflow": FULL | {"softmax_cross_entropy": 6},
    "hana-tanh-twice": FULL | {"tanh_backward": 0},
    "ivo-lent-backward": FULL | {"affine_backward": 3.6},
    "juno-untouched": NOTHING,
    "kofi-syntax-error": FULL | {"softmax_cross_entropy": 0},
    "lena-lost-package": FULL | {"train_classifier": 0},
    "milo-endless-loop": FULL | {"numerical_gradient": 0},
    "nils-forged-pass": NOTHING | {"perceptron_step": 5},
    "olga-damaged-file": NOTHING,
    "pia-own-notebook": FULL,
}
MISCONCEPTIONS = {
    ("emil-overwrites", "Value"): "gradient overwritten",
    ("fay-divided-by-n", "affine_backward"): "averaged over the batch",
    ("gus-exp-overflow", "softmax_cross_entropy"): "exponential overflows",
    ("hana-tanh-twice", "tanh_backward"): "tanh applied a second time",
    ("ivo-lent-backward", "affine_backward"): "weight gradient transposed",
}
MISSED = {  # the aspects that a misconception costs, and no others
    ("emil-overwrites", "Value"): {"shared nodes", "order of the backward pass"},
    ("fay-divided-by-n", "affine_backward"): {"grad_weight", "grad_bias", "whole numbers", "all three together"},
    ("gus-exp-overflow", "softmax_cross_entropy"): {"huge logits", "a label that has no chance"},
    ("ivo-lent-backward", "affine_backward"): {"grad_weight", "whole numbers", "all three together"},
}
PROBLEMS = {
    "hana-tanh-twice": "backprop (1).ipynb should be called backprop.ipynb; it was graded as that.",
    "nils-forged-pass": "Locked cells had been changed and were put back: check_perceptron_step,",
    "olga-damaged-file": "backprop.ipynb is damaged; the 4 cells that are whole were read.",
    "pia-own-notebook": "backprop.ipynb has none of the cells of 01_backprop; what it defines was graded all the same.",
}
WRITTEN = {"ada-first-style", "bela-second-style", "chen-own-helpers", "nils-forged-pass"}
REASONS = {
    ("dara-half-done", "Value"): "Value is not written yet.",
    ("juno-untouched", "perceptron_step"): "perceptron_step is not written yet.",
    ("kofi-syntax-error", "softmax_cross_entropy"): "has a syntax error in line 4: '(' was never closed.",
    ("lena-lost-package", "train_classifier"): "ModuleNotFoundError: No module named 'deepnets_at_home'",
    ("milo-endless-loop", "numerical_gradient"): "numerical_gradient was stopped: it took longer than the",
    ("nils-forged-pass", "relu_interpolation"): "the result is a Right, should be an array",
    ("olga-damaged-file", "Value"): "Value is not defined when its check is reached.",
}
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


def course(place: Path, sources: Path, secret: str, students=()) -> Path:
    """A copy of the sample class's course directory, with the submissions of these students."""
    root = place / "sample_class"
    (root / ".autograder").mkdir(parents=True)
    (root / ".autograder" / "secret").write_text(secret)
    shutil.copy(ROOT / "sample_class" / "nbgrader_config.py", root)
    shutil.copytree(sources, place / "build" / "source")
    for student in students:
        shutil.copytree(SUBMITTED / student, root / "submitted" / student)
    return root


def grade_here(root: Path) -> dict[str, dict]:
    """Grade in this process; student → the result."""
    directory = open_course(root)
    return {result["student"]: result for result in grade_class(directory, submissions(directory), workers=1)}


def scores(entry: dict) -> dict[str, float]:
    return {name: verdict["score"] for name, verdict in entry["exercises"].items()}


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
    """The whole class through the command line, with two processes; `results` is what `--json` says."""

    def make(folder: Path) -> dict:
        root = course(folder, sources, SECRETS[0], POINTS)
        before, out = digest(root / "submitted"), root / "results.json"
        options = ("--course-dir", str(root), "--jobs", "2", "--json", str(out))
        done = run(sys.executable, "-m", "autograder", "grade", *options, folder=root)
        assert done.returncode == 0, done.stdout + done.stderr
        results = {entry["student"]: entry for entry in json.loads(out.read_text())["submissions"]}
        said = done.stdout + done.stderr
        return {"results": results, "said": said, "unchanged": digest(root / "submitted") == before}

    return once(tmp_path_factory, "class", make)


# -- the class -------------------------------------------------------------------------------------------------


def test_the_committed_class_is_what_the_generator_makes():
    done = run(sys.executable, "sample_class/make_class.py", "--check", folder=ROOT)
    assert done.returncode == 0, done.stderr


def test_a_changed_submission_is_noticed(tmp_path):
    for part in ("notebooks", "tests", "course_utils"):
        (tmp_path / part).symlink_to(ROOT / part)
    generator, folder = tmp_path / "sample_class" / "make_class.py", tmp_path / "sample_class" / "submitted"
    generator.parent.mkdir()
    shutil.copy(ROOT / "sample_class" / "make_class.py", generator)
    assert run(sys.executable, str(generator), folder=tmp_path).returncode == 0
    assert run(sys.executable, str(generator), "--check", folder=tmp_path).returncode == 0
    (folder / "juno-untouched" / ASSIGNMENT / NOTEBOOK).write_text("{}")
    (folder / "stranger" / ASSIGNMENT).mkdir(parents=True)
    (folder / "stranger" / ASSIGNMENT / NOTEBOOK).write_text("{}")
    shutil.rmtree(folder / "ada-first-style")
    done = run(sys.executable, str(generator), "--check", folder=tmp_path)
    place = f"sample_class/submitted/{{}}/{ASSIGNMENT}/{NOTEBOOK}"
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{place.format('ada-first-style')} is missing: run sample_class/make_class.py.",
        f"{place.format('juno-untouched')} is not what sample_class/make_class.py makes: run it.",
        f"{place.format('stranger')} is not made by sample_class/make_class.py: run it.",
    ]


def test_the_readme_says_what_they_get():
    rows = re.findall(r"^\| `([a-z-]+)` \|.*?\| ([\d.]+) \|", (ROOT / "sample_class/README.md").read_text(), re.M)
    assert {student: float(points) for student, points in rows} == {
        student: sum(points.values()) for student, points in POINTS.items()
    }


# -- under autograder grade ------------------------------------------------------------------------------------


@pytest.mark.parametrize("student", POINTS)
def test_points(graded, student):
    entry = graded.results[student]
    assert scores(entry) == POINTS[student], {n: v["message"] for n, v in entry["exercises"].items() if v["message"]}
    assert entry["score"] == sum(POINTS[student].values())
    assert {n: v["max_score"] for n, v in entry["exercises"].items()} == FULL


def test_everybody_was_graded(graded):
    assert set(graded.results) == set(POINTS) == {p.name for p in SUBMITTED.iterdir()}
    assert graded.unchanged
    assert "Traceback" not in graded.said


def test_every_misconception_is_named_and_no_other(graded):
    named = {
        (student, name): verdict["misconception"]
        for student, entry in graded.results.items()
        for name, verdict in entry["exercises"].items()
        if verdict["misconception"]
    }
    assert named == MISCONCEPTIONS


@pytest.mark.parametrize(("student", "exercise"), MISSED)
def test_a_misconception_costs_its_own_aspects(graded, student, exercise):
    aspects = graded.results[student]["exercises"][exercise]["aspects"]
    assert {aspect for aspect, passed in aspects.items() if not passed} == MISSED[student, exercise]


@pytest.mark.parametrize(("student", "exercise"), REASONS)
def test_the_reason_is_said(graded, student, exercise):
    assert REASONS[student, exercise] in graded.results[student]["exercises"][exercise]["message"]


def test_problems_are_reported(graded):
    found = {student: entry["problems"] for student, entry in graded.results.items() if entry["problems"]}
    assert set(found) == set(PROBLEMS)
    for student, problems in found.items():
        assert len(problems) == 1 and problems[0].startswith(PROBLEMS[student])


def test_written_answers_wait_for_a_human(graded):
    waiting = {student: entry["manual"] for student, entry in graded.results.items() if entry["manual"]}
    assert waiting == dict.fromkeys(WRITTEN, ["shared_nodes"])


def test_nobody_is_touched_by_the_others(graded, sources, tmp_path):
    alone = ("emil-overwrites", "ivo-lent-backward")
    results = grade_here(course(tmp_path, sources, SECRETS[0], alone))
    for student in alone:
        for name, together in graded.results[student]["exercises"].items():
            assert {key: results[student]["exercises"][name][key] for key in together} == together


@pytest.mark.parametrize("secret", SECRETS, ids=range(3))
def test_the_solved_notebook_scores_everything_and_the_released_one_nothing(sources, tmp_path, secret):
    root = course(tmp_path, sources, secret)
    shutil.copytree(sources / ASSIGNMENT, root / "submitted" / "solved" / ASSIGNMENT)
    shutil.copytree(ROOT / "notebooks" / ASSIGNMENT, root / "submitted" / "released" / ASSIGNMENT)
    results = grade_here(root)
    assert scores(results["solved"]) == FULL
    assert scores(results["released"]) == NOTHING
    assert make_plan(open_course(root), ASSIGNMENT).secret.hex() == secret


# -- under stock nbgrader --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stock(sources, tmp_path_factory) -> SimpleNamespace:
    """All of stock nbgrader's steps, each run once, with its own Execute and default preprocessors."""

    def make(folder: Path) -> dict:
        shutil.copytree(sources, folder / "source")
        (folder / "nbgrader_config.py").write_text('c = get_config()\nc.CourseDirectory.course_id = "stock"\n')
        for student in STOCK:
            shutil.copytree(SUBMITTED / student, folder / "submitted" / student)
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
