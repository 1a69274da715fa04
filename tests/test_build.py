"""`autograder build`: the metadata it derives, the mistakes it reports, and that its result is nbgrader's own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import nbformat
import pytest

from autograder import CourseError, UsageError
from autograder.build.course import build_course, build_sources, check_course, make, read_author, repository
from autograder.build.mistakes import AuthorMistakes
from autograder.build.names import bound_names, free_names, parse
from autograder.build.percent import read_cells
from autograder.build.regions import find_regions, stub_of
from autograder.build.workspace import copy_missing
from tests.conftest import NOTEBOOK, ROOT

FILE = "doubling.ipynb"


def released(course):
    return nbformat.reads(make(course.root).notebooks["01_doubling"][FILE].decode(), as_version=4)


def by_id(notebook):
    return {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if "nbgrader" in cell.metadata}


def mistakes(course):
    """The mistakes in a course's only notebook, as `line: sentence`, the path checked."""
    with pytest.raises(AuthorMistakes) as caught:
        make(course.root)
    start = "solutions/01_doubling/doubling.py:"
    assert all(str(each).startswith(start) for each in caught.value.mistakes), caught.value
    return [str(each).removeprefix(start) for each in caught.value.mistakes]


# What a good notebook becomes.


def test_metadata_is_derived(made_up_course):
    cells = by_id(released(made_up_course))
    flags = {
        name: (c.cell_type, c.metadata.nbgrader.grade, c.metadata.nbgrader.solution, c.metadata.nbgrader.locked)
        for name, c in cells.items()
    }
    assert flags == {
        "double": ("code", False, True, False),
        "check_double": ("code", True, False, True),
        "Counter": ("code", False, True, False),
        "check_Counter": ("code", True, False, True),
        "why_even": ("markdown", True, True, False),
        "my_test": ("code", True, False, True),
    }
    points = {name: c.metadata.nbgrader.points for name, c in cells.items() if "points" in c.metadata.nbgrader}
    assert points == {"check_double": 3, "check_Counter": 2.5, "why_even": 4, "my_test": 1}
    assert all(cell.metadata.nbgrader.schema_version == 3 for cell in cells.values())
    assert all(len(cell.metadata.nbgrader.checksum) == 32 for cell in cells.values())


def test_students_get_stubs_and_no_answer(made_up_course):
    notebook = released(made_up_course)
    cells = by_id(notebook)
    stub = 'def double(x):\n    """Return 2x."""\n    # YOUR CODE HERE\n    raise NotImplementedError()'
    assert cells["double"].source == stub
    assert cells["Counter"].source.count("raise NotImplementedError()") == 2
    assert cells["why_even"].source == "YOUR ANSWER HERE"
    text = nbformat.writes(notebook)
    assert not any(secret in text for secret in ("SOLUTION", "twice +", "count_so_far_today", "twice an integer"))


def test_the_notebook_carries_nothing_else(made_up_course):
    notebook = released(made_up_course)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    allowed = {"nbgrader", "tags", "deletable", "editable"}
    assert all(set(cell.metadata) <= allowed for cell in notebook.cells)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert {cell.source: cell.metadata.get("tags") for cell in code if "tags" in cell.metadata} == {
        "check(double)": ["raises-exception"],
        "check(Counter)": ["raises-exception"],
        "import torch\n\npicture = torch.ones(2)\nprint(picture)": ["display-only"],
    }


def test_two_builds_are_byte_for_byte_equal(made_up_course):
    first, second = make(made_up_course.root), make(made_up_course.root)
    assert (first.notebooks, first.sources, first.outline) == (second.notebooks, second.sources, second.outline)


def test_cell_ids_stay_when_a_cell_is_added(made_up_course):
    before = [cell.id for cell in released(made_up_course).cells]
    made_up_course.replace("# %% [markdown]\n# ## An exercise", "# %% [markdown]\n# New.\n\n# %% [markdown]\n# ## An exercise")
    after = [cell.id for cell in released(made_up_course).cells]
    assert len(after) == len(before) + 1
    assert [each for each in after if each in before] == before


def test_equal_cells_have_different_ids(made_up_course):
    made_up_course.write(NOTEBOOK + "\n# %%\nnp.ones(3)\n\n# %%\nnp.ones(3)\n")
    ids = [cell.id for cell in released(made_up_course).cells]
    assert len(set(ids)) == len(ids)


def test_other_files_come_along_but_no_notebook_copy(made_up_course):
    folder = made_up_course.path.parent
    (folder / "pictures").mkdir()
    (folder / "pictures/dot.png").write_bytes(b"\x89PNG\xff")
    (folder / "doubling.ipynb").write_text("an author's own copy, with solutions")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__/doubling.pyc").write_bytes(b"")
    built = make(made_up_course.root)
    for files in (built.sources["01_doubling"], built.notebooks["01_doubling"]):
        assert set(files) == {FILE, "pictures/dot.png"}
        assert files["pictures/dot.png"] == b"\x89PNG\xff"
        assert b"author's own copy" not in files[FILE]


def test_outline(made_up_course):
    entry = make(made_up_course.root).outline["01_doubling"]
    cells = by_id(released(made_up_course))
    assert entry == {
        "notebook": "doubling",
        "title": "Doubling",
        "exercises": [
            {"name": "double", "points": 3, "stub": cells["double"].source},
            {"name": "Counter", "points": 2.5, "stub": cells["Counter"].source},
        ],
        "written": [{"id": "why_even", "points": 4}],
    }


def test_our_stub_is_nbgraders(made_up_course):
    author = read_author(made_up_course.root, "01_doubling")
    cells = by_id(released(made_up_course))
    ours = {r.name: stub_of(r.cell.source, r.regions) for r in author.roles if r.role == "solution"}
    assert ours == {name: cells[name].source for name in ("double", "Counter")}


# The mistakes of an author: (what stands in the notebook, what is written instead, where the mistake is, its words).

TORCH = 'torch is imported, which grading does without; mark the cell tags=["display-only"].'
MISTAKES = {
    "check without solution": ("check(double)", "check(triple)", -1, "check(triple) has no solution cell before it."),
    "solution without check": ("# %% points=3\ncheck(double)\n", "", -8, "the solution cell of `double` has no check(double) after it."),
    "two checks": ("check(double)", "check(double)\n\n# %% points=3\ncheck(double)", 2, "`double` is checked a second time; the first is at line 22."),
    "two solutions": (
        "# %% points=3",
        "# %%\ndef double(x):\n    ### BEGIN SOLUTION\n    return 2\n    ### END SOLUTION\n\n# %% points=3",
        0,
        "`double` is defined a second time; the first is at line 14.",
    ),
    "exercise defined elsewhere": ("# %% points=1 test", "# %%\ndouble = 3\n\n# %% points=1 test", 1, "`double` is defined here and in its solution cell at line 14."),
    "helper defined twice": (
        "# %% points=1 test",
        "# %%\ndef helper():\n    pass\n\n# %%\ndef helper():\n    pass\n\n# %% points=1 test",
        5,
        "`helper` is defined a second time; the first is at line 51.",
    ),
    "no end": ("    return twice + twice\n    ### END SOLUTION\n", "    return twice + twice\n", -2, "this `### BEGIN SOLUTION` has no `### END SOLUTION` in its cell."),
    "no begin": ("    ### BEGIN SOLUTION\n    twice =", "    twice =", 2, "this `### END SOLUTION` has no `### BEGIN SOLUTION` before it."),
    "two begins": ("    return twice + twice\n", "    ### BEGIN SOLUTION\n    return twice + twice\n", -2, "this `### BEGIN SOLUTION` has no `### END SOLUTION` before the next one."),
    "marker beside code": ("    return twice + twice\n    ### END", "    return twice + twice  ### END", 0, "a solution marker is a line of its own, `### END SOLUTION`."),
    "empty region": ("    twice = np.asarray(x)\n    return twice + twice\n", "    # later\n", -1, "this solution region is empty."),
    "region outside": (
        "def double(x):\n",
        "### BEGIN SOLUTION\nfactor = 2\n### END SOLUTION\ndef double(x):\n",
        0,
        "this solution region stands outside any definition.",
    ),
    "second exercise in a cell": (
        "# %% points=3",
        "def triple(x):\n    ### BEGIN SOLUTION\n    return 3 * x\n    ### END SOLUTION\n\n# %% points=3",
        0,
        "`triple` is a second exercise in this cell; give it its own.",
    ),
    "stub does not parse": (
        "    twice = np.asarray(x)\n    return twice + twice\n    ### END SOLUTION\n",
        "    for _ in [0]:\n        ### END SOLUTION\n        return x + x\n",
        -1,
        "without its solution regions `double` is no longer Python (unexpected indent).",
    ),
    "no points": ("# %% points=3", "# %%", 0, "check(double) has no points; write points=4, say."),
    "points zero": ("# %% points=3", "# %% points=0", 0, "check(double) has the points 0, which should be a number above 0."),
    "points text": ("# %% points=3", '# %% points="3"', 0, "check(double) has the points '3', which should be a number above 0."),
    "points infinite": ("# %% points=3", "# %% points=1e999", 0, "check(double) has the points inf, which should be a number above 0."),
    "points unreadable": ("# %% points=3", "# %% points=three", 0, "the options `points=three` cannot be read; write key=value, texts in quotes."),
    "written without points": (' written="why_even" points=4', ' written="why_even"', 0, "the written question why_even has no points; write points=4, say."),
    "text with points": (' written="why_even" points=4', " points=4", 0, 'this text has points but no written="…" id.'),
    "code with points": ('points=1 test="my_test"', "points=1", 0, 'this cell has points but neither is it check(name) nor does it have a test="…" id.'),
    "unknown option": ("# %% points=3", "# %% points=3 point=4", 0, "the cell's option `point` is unknown; there are points, written, test and tags."),
    "wrong tag": ('["display-only"]', '["display_only"]', 0, 'the tag "display_only" is written "display-only".'),
    "bad id": ('"why_even"', '"why even"', 0, "written='why even' should be a name of letters, digits, _ and -."),
    "check not alone": ("check(double)", "check(double)\nprint(1)", -1, "check(double) must be alone in its cell."),
    "points on a solution": ("# %%\ndef double", "# %% points=3\ndef double", 0, "points belong to the check of an exercise, not to its solution."),
    "display-only check": ("# %% points=3", '# %% points=3 tags=["display-only"]', 0, "check(double) cannot be display-only."),
    "display-only solution": ("# %%\ndef double", '# %% tags=["display-only"]\ndef double', 0, "a solution cannot be display-only."),
    "same written id": (
        "# %% points=1 test",
        '# %% [markdown] written="why_even" points=1\n# Yes.\n\n# %% points=1 test',
        0,
        "the id why_even is used a second time; the first is at line 46.",
    ),
    "test id of an exercise": ('test="my_test"', 'test="check_double"', 0, "the id check_double is used a second time; the first is at line 22."),
    "syntax error": ("picture = torch.ones(2)", "picture = torch.ones(2", 0, "this cell is not Python ('(' was never closed)."),
    "display-only name in use": (
        'test="my_test"\nassert',
        'test="my_test"\nprint(picture)\nassert',
        7,
        "this display-only cell defines `picture`, which the cell at line 49 uses; grading does not run it.",
    ),
    "torch in a graded cell": ("import numpy as np", "import torch", 0, TORCH),
    "torch inside a function": (
        "    twice = np.asarray(x)\n",
        "    import torch.nn as nn\n    twice = np.asarray(x)\n",
        0,
        TORCH,
    ),
    "marker in text": ("# A number is doubled", "# ### BEGIN SOLUTION\n# A number is doubled", 0, "a solution marker does not belong into text."),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_sentence_with_file_and_line(made_up_course, case):
    old, new, offset, sentence = MISTAKES[case]
    line = made_up_course.replace(old, new) + offset
    found = mistakes(made_up_course)
    assert f"{line}: {sentence}" in found, found
