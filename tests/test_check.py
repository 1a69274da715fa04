"""What a student meets: check, hint, solution, reset, progress, working."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import course_utils
from course_utils import check, hint, progress, reset, solution, working
from course_utils.checks import checking, hints, records, registry
from course_utils.checks.checking import CheckFailed, NotAnExercise
from course_utils.checks.exercise import Case
from course_utils.checks.render import as_html, as_text
from course_utils.checks.verdict import decide
from tests.toy import OUTLINE, TOYS


@pytest.fixture(autouse=True)
def toys(monkeypatch, tmp_path):
    monkeypatch.setattr(registry, "find", TOYS.get)
    monkeypatch.setattr(registry, "names", lambda: list(TOYS))
    monkeypatch.setattr(registry, "outline", lambda: OUTLINE)
    monkeypatch.setattr(checking, "_passed", {})
    monkeypatch.setattr(records, "_unwritten", {})
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.chdir(tmp_path)


def failing(student) -> str:
    with pytest.raises(CheckFailed) as caught:
        check(student)
    return str(caught.value)


def test_a_right_answer_passes_and_says_so(capsys):
    def shift(x, by):
        return x + by

    assert check(shift) is None
    shown = capsys.readouterr().out
    assert "6 of 6 points" in shown and "✓ vectors" in shown and "✓ matrices" in shown


def test_float32_passes_within_its_own_tolerance():
    def shift(x, by):
        return (x + by).astype(np.float32)

    assert check(shift) is None


def test_a_wrong_idea_is_named_with_the_first_wrong_element():
    def shift(x, by):
        return x - by

    text = failing(shift)
    assert "0 of 6 points" in text
    assert "✗ vectors" in text and "result[0] is" in text and "x (3,), by = 2" in text
    assert "It looks as if you subtract." in text and "Ask yourself: which way?" in text


def test_partial_credit_per_aspect():
    def shift(x, by):
        return x + by if x.ndim == 1 else 3 * x

    text = failing(shift)
    assert "3 of 6 points" in text and "✓ vectors" in text and "✗ matrices" in text
    assert "It looks as if" not in text


def test_no_misconception_is_named_when_it_does_not_explain_every_failure():
    def shift(x, by):
        return x - by if x.ndim == 1 else x * 3

    assert "It looks as if" not in failing(shift)


def test_a_stub_is_kindly_called_unwritten():
    def shift(x, by):
        raise NotImplementedError()

    text = failing(shift)
    assert "shift is not written yet" in text and "hint(shift)" in text


def test_changing_an_input_in_place_fails():
    def shift(x, by):
        x += by
        return x

    text = failing(shift)
    assert (
        "your code changed the input x in place" in text and "changes an array, list or dict that it was given" in text
    )


def test_aspects_that_fail_alike_are_told_apart_though_their_names_hold_commas():
    cases = [Case("size, and more", {}), Case("padding", {}), Case("stride", {})]
    right = {"outputs": 1, "error": None, "mutated": [], "shared": [], "printed": "", "warnings": []}
    wrong = {**right, "outputs": 2}
    verdict = decide(TOYS["shift"], cases, [wrong, wrong, right], [1, 1, 1], 6.0)
    assert "✗ size, and more · padding  result is 2, should be 1" in as_text(verdict).replace("the ", "")
    assert "size, and more · padding" in as_html(verdict)


def test_what_call_says_of_a_result_is_not_called_an_exception_of_the_student(monkeypatch):
    from dataclasses import replace

    def call(student, x):
        raise TypeError("the result has no row for conv1")

    monkeypatch.setitem(TOYS, "twice", replace(TOYS["twice"], call=call))

    def twice(x):
        return [x]

    text = failing(twice)
    assert "the result has no row for conv1" in text and "raises" not in text


def test_a_result_that_is_a_view_is_fine():
    def shift(x, by):
        wide = np.zeros((*x.shape, 2))
        wide[..., 0] = x + by
        return wide[..., 0]

    assert check(shift) is None


def test_a_later_change_of_the_result_does_not_fool_the_check():
    buffer = np.zeros(3)

    def shift(x, by):
        nonlocal buffer
        if buffer.shape != x.shape:
            buffer = np.zeros(x.shape)
        buffer[...] = x + by
        return buffer

    assert check(shift) is None


def test_results_that_alias_an_input_fail_where_fresh_ones_are_asked_for(monkeypatch):
    from dataclasses import replace

    fresh = replace(TOYS["twice"], fresh=True, expected=lambda x: x)
    monkeypatch.setitem(TOYS, "twice", fresh)

    def twice(x):
        return x

    text = failing(twice)
    assert "shares its memory with the input x" in text and "very array that came in" in text


def test_an_exception_is_reported_with_its_line_and_no_traceback_of_ours():
    def shift(x, by):
        return x + undefined_name  # noqa: F821

    text = failing(shift)
    assert "raises NameError (name 'undefined_name' is not defined)" in text
    assert "course_utils" not in text and "Traceback" not in text


def test_the_exception_renders_as_the_verdict():
    def shift(x, by):
        return x - by

    with pytest.raises(AssertionError) as caught:
        check(shift)
    assert caught.value._render_traceback_() == [str(caught.value)]
    assert caught.value.__suppress_context__


def test_prints_and_warnings_are_shown_not_punished(capsys):
    def shift(x, by):
        print("here I am")
        warnings.warn("careful", stacklevel=1)
        return x + by

    check(shift)
    shown = capsys.readouterr()
    assert "Your code printed: here I am" in shown.out and "UserWarning: careful" in shown.out
    assert shown.err == ""


def test_sys_exit_is_an_error_of_the_exercise():
    def shift(x, by):
        raise SystemExit(0)

    assert "raises SystemExit" in failing(shift)


def test_an_endless_loop_is_stopped():
    def shift(x, by):
        while True:
            try:
                while True:
                    pass
            except Exception:
                pass

    assert "takes too long" in failing(shift)


def test_an_interrupt_shows_a_sentence():
    def shift(x, by):
        raise KeyboardInterrupt

    assert "was stopped" in failing(shift)


def test_autograde_returns_a_plain_float_and_never_raises(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")

    def shift(x, by):
        return x + by if x.ndim == 1 else x

    points = check(shift)
    assert type(points) is float and points == 3.0
    assert capsys.readouterr().err == ""


def test_validate_raises_with_the_whole_verdict(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")

    def shift(x, by):
        return x - by

    with pytest.raises(CheckFailed) as caught:
        check(shift)
    assert "✗ vectors" in "\n".join(caught.value._render_traceback_())


@pytest.mark.parametrize("thing", [3, "nothing", lambda x: x, None, np.zeros(2)])
def test_something_that_is_no_exercise_gets_a_sentence(thing):
    with pytest.raises(NotAnExercise, match="check wants an exercise's function|There is no exercise called nothing"):
        check(thing)


def test_a_misspelt_name_gets_a_suggestion():
    def shfit(x, by):
        return x + by

    with pytest.raises(NotAnExercise, match="Did you mean shift"):
        check(shfit)


def test_an_exercise_by_name_that_is_not_defined_yet():
    with pytest.raises(NotAnExercise, match="not defined yet"):
        check("shift")


def test_a_forbidden_name_is_refused_by_name(monkeypatch):
    cells = [
        "from course_utils.checks import registry",
        "def shift(x, by):\n    return registry.find('shift').expected(x, by)",
    ]
    monkeypatch.setattr(checking, "_cells_so_far", lambda student: cells)

    def shift(x, by):
        return x + by

    assert "course_utils.checks.registry.find may not be used here" in failing(shift)


def test_an_exercise_is_lent_what_it_builds_on(monkeypatch, capsys):
    names: dict = {}
    source = "def shift(x, by):\n    return x * 0\n\ndef twice(x):\n    return shift(x, 0.0) + shift(x, 0.0)\n"
    exec(source, names)
    monkeypatch.setattr(checking, "_cells_so_far", lambda student: [source])
    monkeypatch.setattr(checking, "caller_names", lambda: names)
    check(names["twice"])
    assert "It was tried with a correct shift in place of yours" in capsys.readouterr().out
    assert names["shift"](1, 1) == 0, "the student's own function is back afterwards"


def test_three_hints_one_at_a_time(capsys):
    shown = []
    for _ in range(4):
        hint("shift")
        shown.append(capsys.readouterr().out)
    assert [TOYS["shift"].hints[i] in shown[i] for i in range(3)] == [True] * 3
    assert "Hint 1 of 3" in shown[3]


def test_solution_says_why_there_is_none(capsys):
    solution("shift")
    assert "a release for students comes without solutions" in capsys.readouterr().out


def test_solution_shows_the_reference_without_markers(tmp_path):
    folder = tmp_path / "solutions" / "99_toy"
    folder.mkdir(parents=True)
    (folder / "toy.py").write_text(
        "# %% [markdown]\n# text about shift\n\n# %%\ndef shift(x, by):\n    ### BEGIN SOLUTION\n    return x + by\n"
        "    ### END SOLUTION\n\n# %% points=1\ncheck(shift)\n"
    )
    assert hints.find_solution("shift", tmp_path) == "def shift(x, by):\n    return x + by"


def test_reset_gives_the_stub_and_keeps_the_old_code(monkeypatch, capsys):
    cells = ["", "def shift(x, by):\n    return x - by\n\nreset(shift)"]
    monkeypatch.setattr(hints, "caller_names", lambda: {"In": cells})
    reset("shift")
    shown = capsys.readouterr().out
    cells.append(shown)
    reset("shift")
    assert capsys.readouterr().out.strip() == shown.strip(), "a second reset keeps the same old code, once"
    assert "raise NotImplementedError()" in shown
    assert "#     return x - by" in shown and "# reset(shift)" not in shown


def test_progress_is_kept_and_shown(capsys):
    def shift(x, by):
        return x + by

    check(shift)
    capsys.readouterr()
    progress()
    shown = capsys.readouterr().out
    assert "Toys: 1 of 2 exercises, 6 of 8 points" in shown and "✓ shift" in shown and "○ twice" in shown


@pytest.mark.parametrize("content", ["", "{", "[]", '{"exercises": 3}', '{"exercises": {"shift": 1}}', "\x00\x01"])
def test_a_damaged_progress_file_costs_nothing(content, tmp_path, capsys):
    (tmp_path / records.FILE).write_text(content)
    progress()
    assert "0 of 2 exercises" in capsys.readouterr().out
    records.update("shift", passed=True)
    assert json.loads((tmp_path / records.FILE).read_text())["exercises"]["shift"]["passed"] is True
    kept = [path.read_text() for path in tmp_path.glob("progress.json.damaged")]
    assert kept == [content] or "shift" in content


def test_an_unwritten_stub_and_a_hint_are_not_yet_tries(capsys):
    def shift(x, by):
        raise NotImplementedError

    failing(shift)
    hint(shift)
    capsys.readouterr()
    progress()
    assert "○ shift" in capsys.readouterr().out


def test_progress_in_a_folder_that_cannot_be_written(monkeypatch, capsys):
    def refuse(*args, **kwargs):
        raise PermissionError

    monkeypatch.setattr(records.tempfile, "mkstemp", refuse)
    records.update("shift", passed=True)
    assert records.load()["shift"]["passed"]
    progress()
    shown = capsys.readouterr().out
    assert "✓ shift" in shown and "cannot be written in this folder" in shown


def test_nothing_is_written_while_grading(monkeypatch, tmp_path):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")

    def shift(x, by):
        return x + by

    check(shift)
    assert list(tmp_path.iterdir()) == []


def test_working_gives_the_stand_in_until_the_check_passes(capsys):
    def shift(x, by):
        return x + by

    assert working("shift") is TOYS["shift"].expected
    assert "yours has not passed" in capsys.readouterr().out
    check(shift)
    assert working("shift") is shift


def test_importing_the_package_is_light():
    import subprocess
    import sys

    code = "import course_utils, sys; print([m for m in ('torch', 'matplotlib', 'ipywidgets') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert done.stdout.strip() == "[]"


def test_the_public_names():
    assert {"check", "hint", "solution", "reset", "progress", "predict", "reveal", "working"} <= set(
        course_utils.__all__
    )


def test_a_slow_import_for_the_oracle_is_not_the_students_time(monkeypatch):
    import time
    from dataclasses import replace

    def slow_oracle(x, by):
        time.sleep(0.4)
        return x + by

    def shift(x, by):
        return x + by

    monkeypatch.setitem(TOYS, "shift", replace(TOYS["shift"], expected=slow_oracle, time_limit=0.1))
    assert check(shift) is None
