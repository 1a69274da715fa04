"""`autograder release`: complete, reproducible, and without a solution in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
import tomllib
import venv
import zipfile

import nbformat
import pytest
from nbgrader.preprocessors import Execute
from nbgrader.validator import Validator
from traitlets.config.loader import PyFileConfigLoader

from autograder import CourseError
from autograder.build.course import build_course, read_authors
from autograder.build.leaks import find_leaks
from autograder.build.release import MANIFEST, make_release
from autograder.build.workspace import copy_missing
from tests.made_up import ROOT


@pytest.fixture
def course(made_up_course):
    """The made-up course, built, with what a repository has besides."""
    for name in ("LICENSE", "environment.yml", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, made_up_course.root / name)
    (made_up_course.root / "course_utils/__init__.py").write_text("")
    (made_up_course.root / "course_utils/__pycache__").mkdir()
    (made_up_course.root / "course_utils/__pycache__/old.pyc").write_bytes(b"")
    build_course(made_up_course.root)
    return made_up_course


def names_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


CONTENTS = [
    ".release.json",
    "LICENSE",
    "README.md",
    "course_utils/__init__.py",
    "course_utils/checks/doubling.py",
    "course_utils/outline.json",
    "environment.yml",
    "nbgrader_config.py",
    "notebooks/01_doubling/doubling.ipynb",
    "pyproject.toml",
    "requirements.txt",
]


def test_contents(course, tmp_path):
    made = make_release(course.root, tmp_path / "students")
    assert names_in(tmp_path / "students") == CONTENTS
    assert made.files == len(CONTENTS)
    with zipfile.ZipFile(tmp_path / "students.zip") as archive:
        assert sorted(archive.namelist()) == [f"students/{name}" for name in CONTENTS]
        assert archive.testzip() is None
    for name in ("notebooks/01_doubling/doubling.ipynb", "course_utils/checks/doubling.py"):
        assert (tmp_path / "students" / name).read_bytes() == (course.root / name).read_bytes()
    readme = (tmp_path / "students/README.md").read_text()
    assert "{{" not in readme
    assert "`01_doubling/doubling.ipynb`" in readme


def test_the_zip_is_reproducible(course, tmp_path):
    make_release(course.root, tmp_path / "one/students")
    make_release(course.root, tmp_path / "two/students")
    assert (tmp_path / "one/students.zip").read_bytes() == (tmp_path / "two/students.zip").read_bytes()


def test_students_need_no_test_packages(course, tmp_path):
    make_release(course.root, tmp_path / "students")
    pins = (tmp_path / "students/requirements.txt").read_text()
    assert "numpy==" in pins
    assert "pytest" not in pins
    assert "playwright" not in pins
    project = tomllib.loads((tmp_path / "students/pyproject.toml").read_text())
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dependencies"] == ours["project"]["dependencies"]
    assert project["tool"]["setuptools"]["packages"]["find"]["include"] == ["course_utils*"]


def test_validating_has_time_for_experiments(course, tmp_path):
    make_release(course.root, tmp_path / "students")
    for folder in (tmp_path / "students", ROOT, ROOT / "sample_class"):
        config = PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
        assert Execute(parent=Validator(config=config)).timeout == 180
        assert Execute(config=config).timeout == 30


def test_a_later_release_replaces_its_own_files_alone(course, tmp_path):
    folder = tmp_path / "students"
    make_release(course.root, folder)
    (folder / "notes.txt").write_text("mine")
    (course.root / "course_utils/new.py").write_text("x = 1\n")
    (course.root / "course_utils/checks/doubling.py").write_text(course.bank.read_text() + "\n")
    make_release(course.root, folder)
    assert names_in(folder) == sorted([*CONTENTS, "course_utils/new.py", "notes.txt"])
    (course.root / "course_utils/new.py").unlink()
    make_release(course.root, folder)
    assert names_in(folder) == sorted([*CONTENTS, "notes.txt"])
    assert "notes.txt" not in json.loads((folder / MANIFEST).read_text())


def test_a_manifest_cannot_delete_elsewhere(course, tmp_path):
    folder = tmp_path / "students"
    make_release(course.root, folder)
    (tmp_path / "precious.txt").write_text("keep")
    (folder / MANIFEST).write_text(json.dumps(["../precious.txt", str(tmp_path / "precious.txt"), 3]))
    make_release(course.root, folder)
    assert (tmp_path / "precious.txt").read_text() == "keep"


@pytest.mark.parametrize("what", ["other files", "a file", "another zip", "a damaged manifest"])
def test_it_writes_over_nothing_else(course, tmp_path, what):
    folder = tmp_path / "students"
    if what == "a file":
        folder.write_text("mine")
    elif what == "another zip":
        (tmp_path / "students.zip").write_bytes(b"mine")
    else:
        folder.mkdir()
        (folder / "thesis.txt").write_text("mine")
        if what == "a damaged manifest":
            (folder / MANIFEST).write_text("[")
    before = {path: path.read_bytes() for path in tmp_path.glob("students*") if path.is_file()}
    with pytest.raises(CourseError) as caught:
        make_release(course.root, folder)
    assert len(str(caught.value).splitlines()) == 1
    assert str(folder) in str(caught.value)
    assert {path: path.read_bytes() for path in tmp_path.glob("students*") if path.is_file()} == before
    assert not (folder / "notebooks").exists()


def test_an_empty_folder_is_fine(course, tmp_path):
    (tmp_path / "students").mkdir()
    make_release(course.root, tmp_path / "students")
    assert names_in(tmp_path / "students") == CONTENTS


def test_notebooks_must_be_up_to_date(course, tmp_path):
    course.replace("A number is doubled", "A number is made twice as large")
    with pytest.raises(CourseError, match="is not what solutions/01_doubling makes: run `autograder build`"):
        make_release(course.root, tmp_path / "students")
    assert not (tmp_path / "students").exists()


# Leaks. Each one is put into the course in the way it could happen.

SOLUTION = "twice = np.asarray(x)\nreturn twice + twice\n"


def in_course_utils(course):
    (course.root / "course_utils/numbers.py").write_text(
        f"def f(x):\n    # a comment\n    {SOLUTION.replace(chr(10), chr(10) + '    ')}"
    )
    return "course_utils/numbers.py contains the solution at solutions/01_doubling/doubling.py:14."


def in_text(course):
    course.replace(
        "# A number is doubled",
        "# ```\n# twice = np.asarray(x)   \n#\n# return twice + twice\n# ```\n# A number is doubled",
    )
    return "notebooks/01_doubling/doubling.ipynb contains the solution at solutions/01_doubling/doubling.py:19."


def in_another_cell(course):
    course.write(
        course.path.read_text()
        + "\n# %%\ndef other(x):\n    twice = np.asarray(x)  # quick\n    return twice + twice\n"
    )
    return "notebooks/01_doubling/doubling.ipynb contains the solution at solutions/01_doubling/doubling.py:14."


def in_a_data_file(course):
    (course.path.parent / "hints.json").write_text(json.dumps({"hints": [SOLUTION]}))
    return "notebooks/01_doubling/hints.json contains the solution at solutions/01_doubling/doubling.py:14."


def a_marker(course):
    (course.root / "course_utils/old.py").write_text("def f():\n    ### BEGIN SOLUTION\n    return 1\n")
    return "course_utils/old.py contains “BEGIN SOLUTION”."


def hidden_tests(course):
    (course.path.parent / "tests.txt").write_text("### BEGIN HIDDEN TESTS")
    return "notebooks/01_doubling/tests.txt contains “BEGIN HIDDEN TESTS”."


def a_secret_folder(course):
    (course.root / "course_utils/tests").mkdir()
    (course.root / "course_utils/tests/bank.py").write_text("x = 1\n")
    return "course_utils/tests/bank.py comes from tests/, which is not for students."


def an_import(course):
    (course.root / "course_utils/grader.py").write_text("def f():\n    from autograder.judge import judge\n")
    return "course_utils/grader.py imports autograder, which students do not have."


@pytest.mark.parametrize(
    "leak",
    [in_course_utils, in_text, in_another_cell, in_a_data_file, a_marker, hidden_tests, a_secret_folder, an_import],
    ids=lambda leak: leak.__name__,
)
def test_a_release_that_gives_something_away_is_refused(course, tmp_path, leak):
    sentence = leak(course)
    build_course(course.root)
    with pytest.raises(CourseError) as caught:
        make_release(course.root, tmp_path / "students")
    assert str(caught.value) == sentence
    assert not (tmp_path / "students").exists()
    assert not (tmp_path / "students.zip").exists()


def test_one_short_method_may_be_an_example(course, tmp_path):
    course.write(
        course.path.read_text()
        + "\n# %% [markdown]\n# A day starts like this.\n#\n# ```\n# self.count_so_far_today = 0\n# ```\n"
    )
    build_course(course.root)
    with pytest.raises(CourseError, match=r"doubling\.py:25"):  # a third of this small class is too much
        make_release(course.root, tmp_path / "students")
    course.replace(
        "        self.count_so_far_today += n\n",
        "".join(f"        self.count_so_far_today += {k} * n\n" for k in range(4)),
    )
    build_course(course.root)
    make_release(course.root, tmp_path / "students")


# The learner's own copies.


def test_copies_are_made_once_and_never_written_over(tmp_path):
    notebooks, work = tmp_path / "notebooks", tmp_path / "work"
    (notebooks / "01_a/pictures").mkdir(parents=True)
    (notebooks / "01_a/a.ipynb").write_text("new")
    (notebooks / "01_a/pictures/p.png").write_bytes(b"p")
    (notebooks / "01_a/.ipynb_checkpoints").mkdir()
    (notebooks / "01_a/.ipynb_checkpoints/a.ipynb").write_text("old")
    assert names_in_list(copy_missing(notebooks, work), work) == ["01_a/a.ipynb", "01_a/pictures/p.png"]
    (work / "01_a/a.ipynb").write_text("my work")
    (work / "01_a/pictures/p.png").unlink()
    (notebooks / "02_b").mkdir()
    (notebooks / "02_b/b.ipynb").write_text("b")
    assert names_in_list(copy_missing(notebooks, work), work) == ["01_a/pictures/p.png", "02_b/b.ipynb"]
    assert (work / "01_a/a.ipynb").read_text() == "my work"
    assert copy_missing(notebooks, work) == []


def test_a_dangling_link_in_the_workspace_stays(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/a.ipynb").write_text("new")
    (tmp_path / "work").mkdir()
    (tmp_path / "work/a.ipynb").symlink_to(tmp_path / "elsewhere.ipynb")
    assert copy_missing(tmp_path / "notebooks", tmp_path / "work") == []
    assert not (tmp_path / "elsewhere.ipynb").exists()


def names_in_list(paths, folder):
    return [path.relative_to(folder).as_posix() for path in paths]


# The real course.


@pytest.fixture(scope="module")
def students(tmp_path_factory):
    """The release of the real course."""
    return make_release(ROOT, tmp_path_factory.mktemp("release") / "students").folder


def test_the_real_release_has_nothing_secret(students):
    names = names_in(students)
    assert "notebooks/01_backprop/backprop.ipynb" in names
    assert not [name for name in names if set(name.split("/")) & {"solutions", "autograder", "tests", "sample_class"}]
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    files = {name: (students / name).read_bytes() for name in names}
    assert find_leaks(files, ROOT) == []
    # The scan itself sees a solution when there is one.
    author = read_authors(ROOT)[0]
    files["README.md"] += b"\n" + (ROOT / author.path).read_bytes()
    exercises = [role for role in author.roles if role.role == "solution"]
    assert len(find_leaks(files, ROOT)) > len(exercises) / 2


def test_the_real_release_works_alone(students, tmp_path):
    """Install the release in an environment of its own and run a notebook's cells that grading runs."""
    env = tmp_path / "env"
    venv.create(env, with_pip=False, symlinks=True)
    # The third-party packages are borrowed, the course itself is not: .pth files in a borrowed folder are not read.
    site = next((env / "lib").glob("python*/site-packages"))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = env / "bin/python"
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV"))}
    here = {"cwd": students, "env": clean, "check": True, "capture_output": True, "text": True}
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-e", "."]
    subprocess.run([python, *install], **here)
    notebook = students / "notebooks/01_backprop/backprop.ipynb"
    nb = nbformat.read(notebook, as_version=4)
    nb.cells = [cell for cell in nb.cells if "display-only" not in cell.metadata.get("tags", [])]
    solution = "def affine_forward(x, weight, bias):\n    return np.einsum('ni,oi->no', x, weight) + bias"
    for cell in nb.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "affine_forward":
            cell.source = solution
    nb.cells.append(nbformat.v4.new_code_cell("import course_utils; print(course_utils.__file__)"))
    nbformat.write(nb, notebook.with_name("mine.ipynb"))
    run = """if True:
        import sys, nbclient, nbformat
        nb = nbformat.read(sys.argv[1], 4)
        nbclient.NotebookClient(nb, kernel_name="python3").execute()
        nbformat.write(nb, sys.argv[1])
    """
    subprocess.run([python, "-c", run, "mine.ipynb"], **(here | {"cwd": notebook.parent}))
    nb = nbformat.read(notebook.with_name("mine.ipynb"), as_version=4)
    assert nb.cells[-1].outputs[0].text.strip() == str(students / "course_utils/__init__.py")
    checks = {c.source: c.outputs for c in nb.cells if c.source.startswith("check(")}
    failed = {source for source, outputs in checks.items() if any(o.output_type == "error" for o in outputs)}
    assert failed == checks.keys() - {"check(affine_forward)"}
    names = {o.ename for outputs in checks.values() for o in outputs if o.output_type == "error"}
    assert all("NotImplemented" not in name and "Import" not in name and "NameError" not in name for name in names), (
        names
    )
