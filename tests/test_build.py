"""`autograder build`: the metadata it derives, the mistakes it reports, and that its result is nbgrader's own."""

from __future__ import annotations

import json
import os
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
from tests.made_up import BANK, NOTEBOOK, ROOT, MadeUpCourse

FILE = "doubling.ipynb"


def read_notebook(course):
    """The source notebook that a course's author gets."""
    build_sources(course.root)
    return nbformat.read(course.root / "build/source/01_doubling" / FILE, as_version=4)


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


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The made-up course, built once."""
    return make(MadeUpCourse(tmp_path_factory.mktemp("built")).root)


@pytest.fixture
def released(built):
    return nbformat.reads(built.notebooks["01_doubling"][FILE].decode(), as_version=4)


def test_metadata_is_derived(released):
    cells = by_id(released)
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


def test_students_get_stubs_and_no_answer(released):
    cells = by_id(released)
    stub = 'def double(x):\n    """Return 2x."""\n    # YOUR CODE HERE\n    raise NotImplementedError()'
    assert cells["double"].source == stub
    assert cells["Counter"].source.count("raise NotImplementedError()") == 2
    assert cells["why_even"].source == "YOUR ANSWER HERE"
    text = nbformat.writes(released)
    assert not any(secret in text for secret in ("SOLUTION", "twice +", "count_so_far_today", "twice an integer"))


def test_the_code_of_display_only_cells_is_folded(released):
    folded = [cell for cell in released.cells if cell.metadata.get("jupyter") == {"source_hidden": True}]
    assert folded and folded == [c for c in released.cells if "display-only" in c.metadata.get("tags", [])]


def test_the_notebook_carries_nothing_else(released):
    assert released.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    allowed = {"nbgrader", "tags", "deletable", "editable", "jupyter"}
    assert all(set(cell.metadata) <= allowed for cell in released.cells)
    code = [cell for cell in released.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert {cell.source: cell.metadata.get("tags") for cell in code if "tags" in cell.metadata} == {
        "check(double)": ["raises-exception"],
        "check(Counter)": ["raises-exception"],
        "import torch\n\npicture = torch.ones(2)\nprint(picture)": ["display-only"],
    }


def test_two_builds_are_byte_for_byte_equal(built, made_up_course):
    assert make(made_up_course.root) == built


def test_cell_ids_stay_when_a_cell_is_added(released, made_up_course):
    before = [cell.id for cell in released.cells]
    exercise = "# %% [markdown]\n# ## An exercise"
    made_up_course.replace(exercise, f"# %% [markdown]\n# New.\n\n{exercise}")
    source = read_notebook(made_up_course)
    after = [cell.id for cell in source.cells]
    assert len(after) == len(before) + 1
    assert [each for each in after if each in before] == before


def test_equal_cells_have_different_ids(made_up_course):
    made_up_course.write(NOTEBOOK + "\n# %%\nnp.ones(3)\n\n# %%\nnp.ones(3)\n")
    ids = [cell.id for cell in read_notebook(made_up_course).cells]
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


def test_outline(built, released):
    cells = by_id(released)
    assert built.outline["01_doubling"] == {
        "notebook": "doubling",
        "title": "Doubling",
        "exercises": [
            {"name": "double", "points": 3, "stub": cells["double"].source},
            {"name": "Counter", "points": 2.5, "stub": cells["Counter"].source},
        ],
        "written": [{"id": "why_even", "points": 4}],
    }


def test_our_stub_is_nbgraders(released, made_up_course):
    author = read_author(made_up_course.root, "01_doubling")
    ours = {r.name: stub_of(r.cell.source, r.regions) for r in author.roles if r.role == "solution"}
    assert ours == {name: by_id(released)[name].source for name in ("double", "Counter")}


# The mistakes of an author: (what stands in the notebook, what is written instead, where the mistake is, its words).

TORCH = 'torch is imported, which grading does without; mark the cell tags=["display-only"].'
MISTAKES = {
    "check without solution": (
        "# %% points=1 test",
        "# %% points=1\ncheck(triple)\n\n# %% points=1 test",
        0,
        "check(triple) has no solution cell before it.",
    ),
    "solution without check": (
        "# %% points=3\ncheck(double)\n",
        "",
        -8,
        "the solution cell of `double` has no check(double) after it.",
    ),
    "two checks": (
        "check(double)",
        "check(double)\n\n# %% points=3\ncheck(double)",
        2,
        "`double` is checked a second time; the first is at line 22.",
    ),
    "two solutions": (
        "# %% points=3",
        "# %%\ndef double(x):\n    ### BEGIN SOLUTION\n    return 2\n    ### END SOLUTION\n\n# %% points=3",
        0,
        "`double` is defined a second time; the first is at line 14.",
    ),
    "exercise defined elsewhere": (
        "# %% points=1 test",
        "# %%\ndouble = 3\n\n# %% points=1 test",
        1,
        "`double` is defined here and in its solution cell at line 14.",
    ),
    "helper defined twice": (
        "# %% points=1 test",
        "# %%\ndef helper():\n    pass\n\n# %%\ndef helper():\n    pass\n\n# %% points=1 test",
        5,
        "`helper` is defined a second time; the first is at line 50.",
    ),
    "no end": (
        "    return twice + twice\n    ### END SOLUTION\n",
        "    return twice + twice\n",
        -2,
        "this `### BEGIN SOLUTION` has no `### END SOLUTION` in its cell.",
    ),
    "no begin": (
        "    ### BEGIN SOLUTION\n    twice =",
        "    twice =",
        2,
        "this `### END SOLUTION` has no `### BEGIN SOLUTION` before it.",
    ),
    "two begins": (
        "    return twice + twice\n",
        "    ### BEGIN SOLUTION\n    return twice + twice\n",
        -2,
        "this `### BEGIN SOLUTION` has no `### END SOLUTION` before the next one.",
    ),
    "marker beside code": (
        "    return twice + twice\n    ### END",
        "    return twice + twice  ### END",
        0,
        "a solution marker is a line of its own, `### END SOLUTION`.",
    ),
    "empty region": (
        "    twice = np.asarray(x)\n    return twice + twice\n",
        "    # later\n",
        -1,
        "this solution region is empty.",
    ),
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
    "points zero": (
        "# %% points=3",
        "# %% points=0",
        0,
        "check(double) has the points 0, which should be a number above 0.",
    ),
    "points text": (
        "# %% points=3",
        '# %% points="3"',
        0,
        "check(double) has the points '3', which should be a number above 0.",
    ),
    "points infinite": (
        "# %% points=3",
        "# %% points=1e999",
        0,
        "check(double) has the points inf, which should be a number above 0.",
    ),
    "points unreadable": (
        "# %% points=3",
        "# %% points=three",
        0,
        "the options `points=three` cannot be read; write key=value, texts in quotes.",
    ),
    "written without points": (
        ' written="why_even" points=4',
        ' written="why_even"',
        0,
        "the written question why_even has no points; write points=4, say.",
    ),
    "text with points": (' written="why_even" points=4', " points=4", 0, 'this text has points but no written="…" id.'),
    "code with points": (
        'points=1 test="my_test"',
        "points=1",
        0,
        'this cell has points but neither is it check(name) nor does it have a test="…" id.',
    ),
    "unknown option": (
        "# %% points=3",
        "# %% points=3 point=4",
        0,
        "the cell's option `point` is unknown; there are points, written, test and tags.",
    ),
    "wrong tag": (
        "# %%\nimport numpy",
        '# %% tags=["display_only"]\nimport numpy',
        0,
        'the tag "display_only" is written "display-only".',
    ),
    "bad id": ('"why_even"', '"why even"', 0, "written='why even' should be a name of letters, digits, _ and -."),
    "check not alone": ("check(double)", "check(double)\nprint(1)", -1, "check(double) must be alone in its cell."),
    "points on a solution": (
        "# %%\ndef double",
        "# %% points=3\ndef double",
        0,
        "points belong to the check of an exercise, not to its solution.",
    ),
    "display-only check": (
        "# %% points=3",
        '# %% points=3 tags=["display-only"]',
        0,
        "check(double) cannot be display-only.",
    ),
    "display-only solution": (
        "# %%\ndef double",
        '# %% tags=["display-only"]\ndef double',
        0,
        "a solution cannot be display-only.",
    ),
    "same written id": (
        "# %% points=1 test",
        '# %% [markdown] written="why_even" points=1\n# Yes.\n\n# %% points=1 test',
        0,
        "the id why_even is used a second time; the first is at line 46.",
    ),
    "test id of an exercise": (
        'test="my_test"',
        'test="check_double"',
        0,
        "the id check_double is used a second time; the first is at line 22.",
    ),
    "syntax error": (
        "picture = torch.ones(2)",
        "picture = torch.ones(2",
        0,
        "this cell is not Python ('(' was never closed).",
    ),
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
    "marker in text": (
        "# A number is doubled",
        "# ### BEGIN SOLUTION\n# A number is doubled",
        0,
        "a solution marker does not belong into text.",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_sentence_with_file_and_line(made_up_course, case):
    old, new, offset, sentence = MISTAKES[case]
    line = made_up_course.replace(old, new) + offset
    found = mistakes(made_up_course)
    assert found == [f"{line}: {sentence}"]


def test_all_mistakes_come_at_once(made_up_course):
    made_up_course.replace("# %% points=3", "# %%")
    made_up_course.replace("picture = torch.ones(2)", "picture = torch.ones(2")
    made_up_course.bank.write_text(BANK.replace(', make("Counter")', ', make("Timer")'))
    with pytest.raises(AuthorMistakes) as caught:
        make(made_up_course.root)
    assert str(caught.value).splitlines() == [
        "course_utils/checks/doubling.py:18: the exercise `Timer` has no solution cell "
        "in solutions/01_doubling/doubling.py.",
        "solutions/01_doubling/doubling.py:22: check(double) has no points; write points=4, say.",
        "solutions/01_doubling/doubling.py:25: no bank file describes the exercise `Counter`: "
        "it is not in course_utils/checks/doubling.py.",
        "solutions/01_doubling/doubling.py:55: this cell is not Python ('(' was never closed).",
    ]


def test_no_bank_file(made_up_course):
    made_up_course.bank.unlink()
    assert mistakes(made_up_course) == [
        f"{line}: no bank file describes the exercise `{name}`: there is no course_utils/checks/doubling.py."
        for line, name in ((14, "double"), (25, "Counter"))
    ]


@pytest.mark.parametrize(
    ("bank", "line", "what"),
    [
        ("EXERCISES = (", 1, "SyntaxError: '(' was never closed"),
        ("import numpy\nimport nowhere_to_be_found\n", 2, "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("def f():\n    return 1 / 0\n\nEXERCISES = (f(),)\n", 2, "ZeroDivisionError: division by zero"),
    ],
)
def test_a_broken_bank_is_a_mistake(made_up_course, bank, line, what):
    made_up_course.bank.write_text(bank)
    with pytest.raises(AuthorMistakes) as caught:
        make(made_up_course.root)
    assert str(caught.value) == f"course_utils/checks/doubling.py:{line}: this bank file cannot be read ({what})."


def test_a_solution_in_a_file_that_is_copied(made_up_course):
    (made_up_course.path.parent / "extra.py").write_text("x = 1\n### BEGIN SOLUTION\n")
    with pytest.raises(AuthorMistakes, match=r"^solutions/01_doubling/extra\.py:2: students get this file as it is"):
        make(made_up_course.root)


def test_names_are_unique_in_the_course(made_up_course):
    root = made_up_course.root
    shutil.copytree(made_up_course.path.parent, root / "solutions/02_again")
    (root / "solutions/02_again/doubling.py").rename(root / "solutions/02_again/again.py")
    shutil.copy(made_up_course.bank, made_up_course.bank.with_name("again.py"))
    with pytest.raises(AuthorMistakes) as caught:
        make(root)
    assert [str(each) for each in caught.value.mistakes] == [
        f"solutions/02_again/again.py:{line}: the exercise `{name}` is also in solutions/01_doubling/doubling.py, "
        "but a name is one exercise's in all the course."
        for line, name in ((14, "double"), (25, "Counter"))
    ]


def test_a_wrong_folder_and_a_missing_notebook(made_up_course):
    (made_up_course.root / "solutions/tripling").mkdir()
    (made_up_course.root / "solutions/03_halving").mkdir()
    with pytest.raises(AuthorMistakes) as caught:
        make(made_up_course.root)
    assert [str(each) for each in caught.value.mistakes] == [
        "solutions/03_halving/halving.py:1: this file is missing: the notebook of 03_halving.",
        "solutions/tripling:1: an assignment's folder is named like 02_convolution.",
    ]


def test_an_unknown_assignment_lists_the_known_ones(made_up_course):
    with pytest.raises(UsageError, match=r"There is no assignment 05_no; there are: 01_doubling\.") as caught:
        make(made_up_course.root, ["05_no"])
    assert caught.value.status == 2


# What counts as a name that another cell needs.


@pytest.mark.parametrize(
    ("source", "needs"),
    [
        ("x + 1", {"x"}),
        ("x = 1\nx + 1", set()),
        ("x = x + 1", {"x"}),
        ("x += 1", {"x"}),
        ("for i in range(3):\n    i", {"range"}),
        ("for x in x:\n    pass", {"x"}),
        ("def f():\n    return lambda: x", {"x"}),
        ("def f(x):\n    return x", set()),
        ("def f():\n    return x\nx = 2", set()),
        ("class A:\n    y = x", {"x"}),
        ("[x for x in y]", {"y"}),
        ("[x * z for x in y]", {"y", "z"}),
        ("with a as b:\n    b", {"a"}),
        ("@d\ndef f(n=default): pass", {"d", "default"}),
        ("if (y := 3) > x:\n    y", {"x"}),
        ("%matplotlib inline\nx", {"x"}),
        ("f'{x:{w}}'", {"x", "w"}),
        ("a.b.c = 1", {"a"}),
        ("del x", {"x"}),
    ],
)
def test_free_names(source, needs):
    assert free_names(source) == needs


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a = b = 1\n(c, *d), e.f, g[0] = h", {"a", "b", "c", "d"}),
        ("import os.path\nimport numpy as np\nfrom x import y as z", {"os", "np", "z"}),
        ("def f():\n    global g\n    g = local = 1", {"f", "g"}),
        ("for i in []:\n    j = 1\nelse:\n    k = 1", {"i", "j", "k"}),
        ("try:\n    a = 1\nexcept E as e:\n    b = 1\nfinally:\n    c = 1", {"a", "b", "c"}),
        ("[(y := x) for x in range(3)]", {"y"}),
        ("match v:\n    case [a, *b]:\n        pass\n    case {'k': c, **d}:\n        pass", {"a", "b", "c", "d"}),
        ("x: int\ny: int = 1", {"y"}),
        ("%%time\nt = 1", {"t"}),
        ("%%bash\nls | head", set()),
    ],
)
def test_bound_names(source, names):
    assert set(bound_names(parse(source))) == names


def test_plots_that_use_the_same_names_are_independent(made_up_course):
    cell = """
# %% tags=["display-only"]
import matplotlib.pyplot as plt
fig, ax = plt.subplots()
for i in range(3):
    ax.plot(i)
"""
    made_up_course.write(NOTEBOOK + cell + cell)
    build_sources(made_up_course.root)


def test_magics_are_python_to_us(made_up_course):
    made_up_course.replace("import numpy as np", "# %matplotlib inline\nimport numpy as np")
    assert "%matplotlib inline" in read_notebook(made_up_course).cells[1].source


def test_lines_are_counted_past_markers_in_strings(tmp_path):
    path = tmp_path / "n.py"
    path.write_text(
        '# %%\ns = """\n# %% [markdown]\n"""\n\n'
        '# %% [markdown] written="a" points=2\n#\n# Text.\n\n# %% A title\n\nx = 1\n'
    )
    cells = read_cells(path)
    assert [(c.kind, c.line, c.first_line) for c in cells] == [("code", 1, 2), ("markdown", 6, 7), ("code", 10, 11)]
    assert [c.options for c in cells] == [{}, {"written": "a", "points": 2}, {}]


def test_regions_of_a_class():
    source = "class A:\n    ### BEGIN SOLUTION\n    x = 1\n    ### END SOLUTION\n    y = 2"
    regions, wrong = find_regions(source)
    assert wrong == []
    assert [(r.begin, r.end, r.body) for r in regions] == [(2, 4, ("    x = 1",))]
    assert stub_of(source, regions) == "class A:\n    # YOUR CODE HERE\n    raise NotImplementedError()\n    y = 2"


# Writing, and checking what is written.


def test_build_then_check(made_up_course):
    root = made_up_course.root
    changed = [path.as_posix() for path in build_course(root)]
    assert changed == [
        "build/source/01_doubling/doubling.ipynb",
        "notebooks/01_doubling/doubling.ipynb",
        "course_utils/outline.json",
    ]
    check_course(root)
    assert build_course(root) == []


def test_check_names_every_file_and_writes_nothing(made_up_course):
    root = made_up_course.root
    build_course(root)
    (root / "notebooks/01_doubling/doubling.ipynb").write_text("{}")
    (root / "notebooks/01_doubling/stray.png").write_bytes(b"")
    (root / "notebooks/07_gone").mkdir()
    (root / "course_utils/outline.json").unlink()
    (made_up_course.path.parent / "new.csv").write_text("1,2")
    before = sorted(root.rglob("*"))
    with pytest.raises(CourseError) as caught:
        check_course(root)
    assert str(caught.value).splitlines() == [
        "notebooks/01_doubling/doubling.ipynb is not what solutions/01_doubling makes: run `autograder build`.",
        "notebooks/01_doubling/new.csv is missing: run `autograder build`.",
        "notebooks/01_doubling/stray.png is not made from solutions/01_doubling: run `autograder build`.",
        "notebooks/07_gone has no solutions/07_gone: delete it.",
        "course_utils/outline.json is not what solutions/ makes: run `autograder build`.",
    ]
    assert sorted(root.rglob("*")) == before
    assert (root / "notebooks/01_doubling/doubling.ipynb").read_text() == "{}"
    assert len(build_course(root)) == 5
    (root / "notebooks/07_gone").rmdir()
    check_course(root)


def test_building_one_assignment_keeps_the_others_outline(made_up_course):
    root = made_up_course.root
    build_course(root)
    (root / "solutions/02_empty").mkdir()
    (root / "solutions/02_empty/empty.py").write_text("# %% [markdown]\n# # Nothing yet\n")
    build_course(root, ["02_empty"])
    outline = json.loads((root / "course_utils/outline.json").read_text())
    assert {name: entry["title"] for name, entry in outline.items()} == {
        "01_doubling": "Doubling",
        "02_empty": "Nothing yet",
    }
    check_course(root)


def autograder_command(*arguments, cwd):
    """Run the command line the way a shell does, without the virtual environment's programs on the path."""
    return subprocess.run(
        [sys.executable, "-m", "autograder", *arguments],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(cwd)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_command_line(made_up_course):
    root = made_up_course.root
    done = autograder_command("build", cwd=root / "solutions")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "wrote build/source/01_doubling/doubling.ipynb"
    assert autograder_command("build", "--check", cwd=root).returncode == 0
    unknown = autograder_command("build", "02_nothing", cwd=root)
    assert (unknown.returncode, unknown.stderr) == (2, "There is no assignment 02_nothing; there are: 01_doubling.\n")
    made_up_course.replace("# %% points=3", "# %%")
    wrong = autograder_command("build", cwd=root)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr == "solutions/01_doubling/doubling.py:22: check(double) has no points; write points=4, say.\n"
    assert autograder_command("build", "--no-such-option", cwd=root).returncode == 2


def test_the_repository_is_found_from_below(made_up_course):
    assert repository(made_up_course.path.parent) == made_up_course.root.resolve()


# Stock nbgrader in the folders that our configuration files name.


@pytest.fixture
def stock_course(tmp_path):
    """The made-up course in a folder with an awkward name, with the repository's own nbgrader configuration."""
    course = MadeUpCourse(tmp_path / "a course (1)+")
    (course.root / "sample_class").mkdir()
    for name in ("nbgrader_config.py", "sample_class/nbgrader_config.py"):
        shutil.copy(ROOT / name, course.root / name)
    build_course(course.root)
    return course


def nbgrader(*arguments, cwd):
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("place", ["", "sample_class"])
def test_stock_generate_assignment_makes_the_same_bytes(stock_course, place):
    ours = (stock_course.root / "notebooks/01_doubling" / FILE).read_bytes()
    folder = stock_course.root / place
    nbgrader("generate_assignment", "01_doubling", "--force", cwd=folder)
    stock = folder / ("release" if place else "notebooks") / "01_doubling" / FILE
    assert stock.read_bytes() == ours
    assert (folder / "gradebook.db").is_file()


def test_stock_validate(stock_course):
    root = stock_course.root
    stock_course.replace("import torch\n\npicture = torch.ones(2)", "picture = 2")
    stock_course.replace(
        "from course_utils import check",
        "def check(student):\n    assert student.__name__ == 'Counter' or student(2) == 4",
    )
    build_course(root)
    solved = nbgrader("validate", str(root / "build/source/01_doubling" / FILE), cwd=root)
    assert solved == "Success! Your notebook passes all the tests.\n"
    stub = nbgrader("validate", str(root / "notebooks/01_doubling" / FILE), cwd=root)
    assert stub.startswith("VALIDATION FAILED ON 3 CELL(S)!")
    # The check, the plain test, and the question without an answer.
    assert "check(double)" in stub
    assert "assert np.all(double(np.ones(2)) == 2)" in stub


# The real course.


def test_notebooks_are_what_solutions_make():
    check_course(ROOT)
