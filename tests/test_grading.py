"""One class of submissions, good, bad and dishonest, through `autograder grade`: who gets what, and which sentence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_output

from autograder import UsageError
from autograder.course import open_course
from autograder.executor import METADATA
from autograder.export import write_csv
from autograder.feedback import write_feedback
from autograder.grade import grade_class, overlooked, submissions
from autograder.report import page
from autograder.results import kept_results, write_json
from tests import toy

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
SHIFT = "def shift(x, by):\n    {}"
TWICE = "def twice(x):\n    {}"
FOREIGN = "toy.ipynb was made for 98_other, not for 99_toy; only what it defines for 99_toy counts."
LOCKED = "Locked cells had been changed and were put back: check_shift, check_twice, plain."
FLAGS = "Points or flags of cells had been changed and were put back: shift, twice, why."
SHADOW = "numpy.py is named like an installed module and was left out."
STUBBORN = "\n    while True:\n        try: x = x\n        except BaseException: pass"


def hand_in_class(root: Path) -> None:
    """A class in which every student is one case."""
    source = toy.course(root)
    released = toy.submission(
        source, shift=SHIFT.format("raise NotImplementedError()"), twice=TWICE.format("raise NotImplementedError()")
    )

    def student(name, **code):
        notebook = toy.submission(source, **code)
        toy.hand_in(root, name, notebook)
        return notebook

    toy.hand_in(root, "untouched", released)
    student("perfect", why="Because.")
    student("wrong_sign", shift=SHIFT.format("return x - by"))
    student("partly", shift=SHIFT.format("return x + by if x.ndim == 1 else 3 * x"))
    student("syntax", shift="def shift(x, by: return")
    student("import_error", shift="import a_package_nobody_has\n" + SHIFT.format("return x + by"))
    student("loop", shift=SHIFT.format("\n    while True: pass"))
    student("stubborn_loop", shift=SHIFT.format(STUBBORN))
    student("kills_kernel", shift="import os; os._exit(1)")
    student("kills_fork", shift=SHIFT.format("import os; os._exit(0)"))
    student("sys_exit", shift=SHIFT.format("import sys; sys.exit(0)"))
    student("memory", shift=SHIFT.format("return [bytearray(2**28) for _ in range(64)]"))
    student("forbidden", shift="import torch\n" + SHIFT.format("return torch.tensor(x) + by"))
    student("prints_points", shift=SHIFT.format("print(6.0)"))
    student("nan", shift=SHIFT.format("return x * float('nan')"))
    student("loud", shift="import sys\n" + SHIFT.format("print('hm', file=sys.stderr); return x + by"))
    student("leaning", shift=SHIFT.format("return x"), twice=TWICE.format("return shift(x, 0.0) + shift(x, 0.0)"))
    student("lazy", shift=SHIFT.format("raise NotImplementedError()"), twice=TWICE.format("return shift(x, 0)"))
    student(
        "equal_to_all",
        shift="class Yes(np.ndarray):\n    def __eq__(self, other): return True\n    __ne__ = __eq__\n"
        + SHIFT.format("return np.zeros_like(x).view(Yes)"),
    )
    student(
        "patches_check",
        shift="check = lambda f: 6.0\nimport course_utils; course_utils.check = check\n" + SHIFT.format("return 0"),
    )
    student(
        "patches_numpy", shift="np.allclose = np.array_equal = lambda *a, **k: True\n" + SHIFT.format("return 0 * x")
    )
    student(
        "patches_judge",
        shift="import course_utils.judged as j\n"
        "def serve(ns, request, reply):\n"
        "    open(reply, 'wb').write(b'true'); open(reply + '.status', 'w').write('\"done\"')\n"
        "j.serve = serve\n" + SHIFT.format("return 0 * x"),
    )
    student(
        "looks_for_truth",
        shift="from course_utils.checks import registry\n"
        + SHIFT.format("return registry.find('shift').expected(x, by)"),
    )
    student(
        "looks_at_stack",
        shift="import sys\n"
        + SHIFT.format(
            "\n    frame = sys._getframe()\n    while frame:\n        for value in frame.f_locals.values():\n"
            "            if 'truth' in str(value)[:99]: return value\n        frame = frame.f_back\n    return 0 * x"
        ),
    )
    student("reads_environment", shift="import os\n" + SHIFT.format("return sorted(os.environ)"))

    without = student("deleted_check")
    without.cells = [c for c in without.cells if c.source != "check(shift)"]
    toy.hand_in(root, "deleted_check", without)
    bare = student("bare")
    bare.cells = [c for c in bare.cells if c.cell_type == "code" and "check(" not in c.source]
    for cell in bare.cells:
        cell.metadata.clear()
    toy.hand_in(root, "bare", bare)
    greedy = student("greedy", shift=SHIFT.format("return 0 * x"))
    for cell in greedy.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata["nbgrader"].update(points=1000, grade=False, locked=False)
        cell.metadata["tags"] = ["display-only"]
        cell.metadata[METADATA] = {"score": 6.0, "max_score": 6.0, "aspects": {"vectors": True}}
    toy.hand_in(root, "greedy", greedy)
    broken_metadata = student("broken_metadata")
    for cell in broken_metadata.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata["nbgrader"].update(points="many", schema_version=99)
    toy.hand_in(root, "broken_metadata", broken_metadata)
    redefined = student("redefined_later")
    redefined.cells.append(nbformat.v4.new_code_cell(SHIFT.format("return None")))
    toy.hand_in(root, "redefined_later", redefined)
    pictures = student("pictures")
    shown = next(c for c in pictures.cells if "display-only" in c.metadata.get("tags", []))
    shown.outputs = [
        new_output(
            "display_data", {"image/png": PNG, "text/html": "<script>alert(1)</script>", "text/plain": "a plot"}
        ),
        new_output("display_data", {"text/html": "<script>alert(2)</script>"}),
        new_output("stream", name="stdout", text="seen"),
    ]
    toy.hand_in(root, "pictures", pictures)
    display_helper = student("display_helper", shift=SHIFT.format("return plus(x, by)"))
    helper = nbformat.v4.new_code_cell("def plus(x, y):\n    return x + y", metadata={"tags": ["display-only"]})
    display_helper.cells.insert(1, helper)
    toy.hand_in(root, "display_helper", display_helper)

    other = toy.other_assignment(root)
    toy.hand_in(root, "other_assignment", other)
    toy.hand_in(root, "not_json", "{ not json")
    toy.hand_in(root, "empty", "")
    toy.hand_in(root, "json_but_no_notebook", "[1, 2, 3]")
    toy.hand_in(root, "binary", "x").joinpath("toy.ipynb").write_bytes(b"\x89PNG\xff\xfe\x00")
    toy.hand_in(root, "misnamed", nbformat.writes(source), "homework 1.ipynb")
    (root / "submitted" / "missing" / toy.ASSIGNMENT).mkdir(parents=True)
    folder = toy.hand_in(root, "extra_files", nbformat.writes(source))
    (folder / "notes.txt").write_text("mine")
    (folder / "secrets").symlink_to("/etc")
    (folder / "numpy.py").write_text("raise RuntimeError('shadowed')")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NBGRADER_EXECUTION", raising=False)
        patch.setenv("SECRET_OF_THE_INSTRUCTOR", "hush")
        toy.install(patch)
        hand_in_class(root)
        (root / "nbgrader_config.py").write_text("c = get_config()\nc.JudgedExecute.timeout = 4\n")
        before = digest(root / "submitted")
        course = open_course(root)
        results = grade_class(course, submissions(course), workers=1)
        assert digest(root / "submitted") == before, "submitted files are never changed"
        yield course, {result["student"]: result for result in results}


def digest(folder: Path) -> str:
    names = sorted(
        p for p in folder.rglob("*") if p.is_file() and not p.is_symlink() and "/etc" not in str(p.resolve())
    )
    return hashlib.sha256(b"".join(str(p).encode() + p.read_bytes() for p in names)).hexdigest()


FULL = {"shift": 6.0, "twice": 2.0}


@pytest.mark.parametrize(
    ("student", "points"),
    [
        ("untouched", {"shift": 0.0, "twice": 0.0}),
        ("perfect", FULL),
        ("wrong_sign", {"shift": 0.0, "twice": 2.0}),
        ("partly", {"shift": 3.0, "twice": 2.0}),
        ("loud", FULL),
        ("leaning", {"shift": 0.0, "twice": 2.0}),
        ("lazy", {"shift": 0.0, "twice": 0.0}),
        ("deleted_check", FULL),
        ("bare", FULL),
        ("broken_metadata", FULL),
        ("redefined_later", FULL),
        ("pictures", FULL),
        ("misnamed", FULL),
        ("extra_files", FULL),
        *[
            (student, {"shift": 0.0, "twice": 0.0})
            for student in (
                    "not_json", "empty", "json_but_no_notebook", "binary", "missing", "other_assignment",
                )
        ],
        *[
            (student, {"shift": 0.0, "twice": 2.0})
            for student in (
                "syntax", "import_error", "loop", "stubborn_loop", "kills_kernel", "kills_fork", "sys_exit", "memory",
                "forbidden", "prints_points", "nan", "equal_to_all", "patches_check", "patches_numpy",
                "looks_for_truth", "looks_at_stack", "reads_environment", "display_helper",
                "greedy", "patches_judge",
            )
        ],
    ],
)  # fmt: skip
def test_points(graded, student, points):
    _, results = graded
    result = results[student]
    assert not result.get("failed"), result["problems"]
    assert {name: v["score"] for name, v in result["exercises"].items()} == points
    assert result["score"] == sum(points.values()) and result["max_score"] == 8


@pytest.mark.parametrize(
    ("student", "says"),
    [
        ("untouched", "shift is not written yet."),
        ("wrong_sign", "It looks as if you subtract."),
        ("syntax", "The cell that should define shift has a syntax error in line 1"),
        ("import_error", "ModuleNotFoundError: No module named 'a_package_nobody_has'"),
        ("loop", "it took longer than"),
        ("stubborn_loop", "it took longer than"),
        ("kills_kernel", "shift is not defined when its check is reached"),
        ("kills_fork", "ended the process it ran in"),
        ("sys_exit", "raises SystemExit"),
        ("forbidden", "torch.tensor may not be used here"),
        ("prints_points", "is None: is a return missing?"),
        ("nan", "is NaN, should be"),
        ("patches_judge", "No module named 'course_utils.judged'"),
        ("looks_for_truth", "course_utils.checks.registry.find may not be used here"),
        ("display_helper", "is marked display-only, so grading does not run it"),
        ("missing", "shift is not defined"),
    ],
)
def test_the_reason_is_said(graded, student, says):
    assert says in graded[1][student]["exercises"]["shift"]["message"]


@pytest.mark.parametrize(
    ("student", "says"),
    [
        ("not_json", "toy.ipynb is not a notebook: it is not JSON (line 1), so it earns nothing."),
        ("empty", "toy.ipynb is empty, so it earns nothing."),
        ("json_but_no_notebook", "toy.ipynb is not a notebook: it has no cells, so it earns nothing."),
        ("binary", "toy.ipynb is not a text file, so it earns nothing."),
        ("misnamed", "homework 1.ipynb should be called toy.ipynb; it was graded as that."),
        ("missing", "toy.ipynb is missing, so it earns nothing."),
        ("bare", "toy.ipynb has none of the cells of 99_toy; what it defines was graded all the same."),
        ("other_assignment", FOREIGN),
        ("extra_files", f"secrets is a link and was left out.\n{SHADOW}"),
        ("greedy", f"{LOCKED}\n{FLAGS}\nCells were marked as display-only and were run all the same: shift, twice."),
        ("broken_metadata", f"{LOCKED}\n{FLAGS}"),
        ("deleted_check", "Graded cells were missing and were put back: check_shift."),
    ],
)
def test_problems_with_a_submission_are_clear(graded, student, says):
    assert graded[1][student]["problems"] == says.splitlines()


def test_honest_submissions_have_no_problems(graded):
    assert all(graded[1][s]["problems"] == [] for s in ("perfect", "untouched", "wrong_sign", "loop", "syntax"))


def test_the_instructors_environment_stays_outside(graded):
    course, _ = graded
    text = (course.path("autograded", "reads_environment", toy.ASSIGNMENT) / "toy.ipynb").read_text()
    assert "SECRET_OF_THE_INSTRUCTOR" not in text


def test_what_waits_for_a_human_is_listed(graded):
    assert graded[1]["perfect"]["manual"] == ["why"]
    assert graded[1]["untouched"]["manual"] == []


def test_plain_nbgrader_tests_still_count(graded):
    from nbgrader.api import Gradebook

    with Gradebook(graded[0].database) as gradebook:
        scores = {}
        for student in ("perfect", "wrong_sign", "kills_kernel"):
            grades = gradebook.find_submission_notebook("toy", toy.ASSIGNMENT, student).grades
            scores[student] = {g.cell.name: g.auto_score for g in grades}
    assert scores["perfect"] == {"check_shift": 6, "check_twice": 2, "why": None, "plain": 1}
    assert scores["wrong_sign"]["plain"] == 0 and scores["wrong_sign"]["check_twice"] == 2
    assert scores["kills_kernel"]["plain"] == 0


def test_display_only_cells_keep_pictures_and_text_but_no_script(graded):
    course, _ = graded
    notebook = nbformat.read(course.path("autograded", "pictures", toy.ASSIGNMENT) / "toy.ipynb", as_version=4)
    shown = next(c for c in notebook.cells if "display-only" in c.metadata.get("tags", []))
    assert [o.output_type for o in shown.outputs] == ["display_data", "stream"]
    assert set(shown.outputs[0].data) == {"image/png", "text/plain"}
    assert "script" not in json.dumps(shown.outputs)


def test_no_expected_value_of_a_secret_case_is_quoted(graded):
    course, _ = graded
    notebook = nbformat.read(course.path("autograded", "wrong_sign", toy.ASSIGNMENT) / "toy.ipynb", as_version=4)
    check = next(c for c in notebook.cells if c.source == "check(shift)")
    assert all(not finding["secret"] for finding in check.metadata[METADATA]["findings"].values())


def test_unchanged_work_is_not_graded_twice_and_changed_work_is(graded):
    course, results = graded
    jobs = submissions(course, student="perfect")
    assert grade_class(course, jobs, 1)[0]["seconds"] == results["perfect"]["seconds"]
    assert grade_class(course, jobs, 1, regrade=True)[0]["seconds"] != results["perfect"]["seconds"]


def test_json_has_the_documented_form(graded, tmp_path):
    _, results = graded
    write_json(tmp_path / "out.json", list(results.values()))
    data = json.loads((tmp_path / "out.json").read_text())
    assert set(data) == {"submissions"} and len(data["submissions"]) == len(results)
    for entry in data["submissions"]:
        assert set(entry) == {
            "student", "assignment", "score", "max_score", "seconds", "problems", "manual", "exercises",
        }  # fmt: skip
        for verdict in entry["exercises"].values():
            assert set(verdict) == {"score", "max_score", "passed", "aspects", "misconception", "message"}


def test_feedback_report_and_csv(graded, tmp_path):
    course, results = graded
    pages = write_feedback(course, [toy.ASSIGNMENT])
    assert len(pages) == len(results)
    feedback = next(p for p in pages if "wrong_sign" in p.parts).read_text()
    assert "It looks as if you subtract." in feedback
    report = page(toy.ASSIGNMENT, kept_results(course))
    assert "other sign" in report and "Which way?" in report and "wrong_sign" in report and "<script" not in report
    damaged = next(p for p in pages if "not_json" in p.parts).read_text()
    assert "About this submission" in damaged and "it is not JSON" in damaged
    assert write_csv(tmp_path / "grades.csv", list(results.values())) == 2 * len(results)


def test_notebooks_in_the_wrong_place_are_not_passed_over_in_silence(tmp_path):
    toy.course(tmp_path)
    for place in ("submitted/zoe.ipynb", "submitted/zoe/toy.ipynb", "submitted/zoe/99_toys/toy.ipynb"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("{}")
    found = overlooked(open_course(tmp_path))
    assert len(found) == 3
    assert "zoe/99_toys/toy.ipynb was not graded: 99_toys is no assignment (99_toy)." in found


def test_unknown_names_are_wrong_usage(graded):
    course, _ = graded
    with pytest.raises(UsageError, match="There is no assignment 07_nothing"):
        submissions(course, ["07_nothing"])
    with pytest.raises(UsageError, match="nobody has not submitted anything"):
        submissions(course, student="nobody")
    with pytest.raises(UsageError, match="There is no course directory"):
        open_course(course.root / "nowhere")
