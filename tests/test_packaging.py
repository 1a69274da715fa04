"""Set-up: the lists of packages agree, `make` sets up by itself, and what a machine lacks is said in one line."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from autograder.build.workspace import settle_jupyterlab
from tests.made_up import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SHARED_BY_TESTS = ("tests/conftest.py", "tests/made_up.py", "tests/postgres.py", "pyproject.toml")
OPTIONAL = [each for extra in PROJECT["optional-dependencies"].values() for each in extra]
REQUIREMENTS = (ROOT / "requirements.txt").read_text()
TARGETS = ["setup", "lab", "grade", "test", "soak", "release", "bench"]


def pinned(text):
    """Name → version of the lines of a requirements file."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines), lines
    pairs = [line.split("==") for line in lines]
    assert len({name for name, _ in pairs}) == len(pairs)
    return {canonicalize_name(name): version for name, version in pairs}


def needed(names):
    """The names and all that they depend on, on Linux with the Python that the pins are for."""
    machine = default_environment() | {
        "python_version": "3.11",
        "python_full_version": "3.11.7",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
    }
    found, todo = set(), [(name, ()) for name in names]
    while todo:
        name, extras = todo.pop()
        if (name, extras) in found:
            continue
        found.add((name, extras))
        for text in importlib.metadata.requires(name) or ():
            each = Requirement(text)
            if not each.marker or any(each.marker.evaluate(machine | {"extra": x}) for x in ("", *extras)):
                todo.append((canonicalize_name(each.name), tuple(sorted(each.extras))))
    return {name for name, _ in found}


def names_of(requirements):
    return [canonicalize_name(Requirement(each).name) for each in requirements]


@pytest.mark.parametrize("requirement", [*PROJECT["dependencies"], *OPTIONAL])
def test_every_dependency_is_pinned_within_its_range(requirement):
    wanted = Requirement(requirement)
    assert {each.operator for each in wanted.specifier} == {">=", "<"}, "a range has two ends"
    assert wanted.specifier.contains(pinned(REQUIREMENTS)[canonicalize_name(wanted.name)])


def test_the_pins_are_complete_and_students_get_theirs_alone():
    course, tests = REQUIREMENTS.split("# Only the tests and the optional extras need these.")
    for_course = needed([*names_of(PROJECT["dependencies"]), "setuptools"])
    for_tests = needed(names_of(OPTIONAL)) - for_course
    assert pinned(course).keys() == for_course
    assert pinned(tests).keys() == for_tests


def test_what_is_tested_is_what_is_pinned():
    here = {name: importlib.metadata.version(name).split("+")[0] for name in pinned(REQUIREMENTS)}
    assert here == pinned(REQUIREMENTS)


def test_the_conda_environment_is_the_same_set_up():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["name"] == PROJECT["name"]
    python, pip, through_pip = environment["dependencies"]
    assert python == "python" + PROJECT["requires-python"]
    assert pip == "pip"
    assert through_pip == {"pip": ["-r requirements.txt", "-e ."]}


def test_no_package_index_is_named():
    for name in ("Makefile", "requirements.txt", "environment.yml", "pyproject.toml", ".ci/run"):
        text = (ROOT / name).read_text()
        assert not re.search(r"index-url|find-links|https?://(?!github)", text), name


def test_the_console_script_is_there():
    target = PROJECT["scripts"]["autograder"]
    assert importlib.metadata.EntryPoint("autograder", target, "console_scripts").load().__name__ == "main"
    help_text = subprocess.run(
        [sys.executable, "-m", "autograder", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert {"build", "release"} <= set(re.findall(r"\w+", help_text))


@pytest.mark.parametrize("package", ["course_utils", "autograder"])
def test_every_folder_of_code_is_a_package(package):
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_imports_run_one_way():
    def imported(path):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.split(".")[0]

    wrong = [path for path in (ROOT / "course_utils").rglob("*.py") if {"autograder", "tests"} & set(imported(path))]
    assert wrong == []


# make


@pytest.fixture
def checkout(tmp_path):
    """A folder with the Makefile and the lists of packages, but no environment, and a stand-in for Python.

    The stand-in makes environments of itself and writes down each call of pip; `pip fails` in the folder makes it fail.
    """
    folder = tmp_path / "the course"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, folder / name)
    python = tmp_path / "python"
    python.write_text(
        """#!/bin/sh
        case "$*" in
            -c*) exit 0 ;;
            "-m venv --clear .venv") mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
            "-m pip --version") exit 0 ;;
            "-m pip install"*)
                echo "$*" >> pip.log
                if [ -e "pip fails" ]; then echo "ERROR: No matching distribution"; exit 1; fi
                i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo "Collecting package$i"; done ;;
        esac
        """
    )
    python.chmod(0o755)
    return folder


def make(*arguments, cwd):
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    return subprocess.run(["make", *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False)


def test_help_is_the_default_and_lists_every_target(checkout):
    done = make(cwd=checkout)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^make (\w+) ", done.stdout, re.MULTILINE) == TARGETS
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_sets_up_first(checkout, target):
    assert "-m pip install -r requirements.txt" in make("-n", target, cwd=checkout).stdout


def test_setup_installs_once(checkout):
    python = f"PYTHON={checkout.parent}/python"
    first = make(python, "setup", cwd=checkout)
    assert first.returncode == 0, first.stderr
    count = len(pinned(REQUIREMENTS))
    assert first.stdout.splitlines()[1:3] == [f"  30 of {count} found", f"  60 of {count} found"]
    calls = ["-m pip install -r requirements.txt", "-m pip install --no-deps --no-build-isolation -e ."]
    assert (checkout / "pip.log").read_text().splitlines() == calls
    assert make(python, "setup", cwd=checkout).returncode == 0
    assert (checkout / "pip.log").read_text().splitlines() == calls
    os.utime(checkout / "requirements.txt", (2e9, 2e9))
    assert make(python, "setup", cwd=checkout).returncode == 0
    assert (checkout / "pip.log").read_text().splitlines() == calls * 2


def test_a_moved_checkout_gets_a_new_environment(checkout):
    python = f"PYTHON={checkout.parent}/python"
    make(python, "setup", cwd=checkout)
    moved = checkout.rename(checkout.with_name("moved"))
    (moved / ".venv/old").write_text("")
    assert make(python, cwd=moved).returncode == 0
    assert (moved / ".venv/old").exists()
    assert make(python, "setup", cwd=moved).returncode == 0
    assert not (moved / ".venv/old").exists()
    assert (moved / ".venv/.ready").read_text() == f"{moved}\n"


def test_a_failed_installation_is_said_and_tried_again(checkout):
    (checkout / "pip fails").write_text("")
    done = make(f"PYTHON={checkout.parent}/python", "setup", cwd=checkout)
    assert done.returncode != 0
    assert "The installation failed; the last lines of .venv/setup.log:\nERROR: No matching distribution" in done.stderr
    (checkout / "pip fails").unlink()
    assert make(f"PYTHON={checkout.parent}/python", "setup", cwd=checkout).returncode == 0


def test_no_python_is_one_sentence(checkout):
    done = make("PYTHON=/nowhere/python3", "setup", cwd=checkout)
    assert done.returncode != 0
    first, *rest = done.stderr.splitlines()
    assert first.startswith("This course needs Python 3.11 or newer, and none was found")
    assert all(line.startswith("make: ***") for line in rest)


# .ci/run and what a machine lacks


def test_ci_runs_the_readmes_command():
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert script.read_text().rstrip().endswith("exec make test")


@pytest.mark.parametrize("ci", [False, True])
def test_a_missing_program_is_one_line_here_and_a_failure_on_ci(tmp_path, ci):
    (tmp_path / "tests").mkdir()
    for name in SHARED_BY_TESTS:
        shutil.copy(ROOT / name, tmp_path / name)
    marked = "@pytest.mark.{0}\ndef test_{0}_{1}(): pass\n"
    needs = [("chromium", 1), ("chromium", 2), ("bubblewrap", 1)]
    (tmp_path / "tests/test_it.py").write_text("import pytest\n" + "".join(marked.format(*each) for each in needs))
    env = {"PATH": str(tmp_path), "HOME": str(tmp_path), "CI": "true" if ci else ""}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "1", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    summary = [line for line in done.stdout.splitlines() if line.startswith("NOT RUN HERE")]
    if ci:
        assert done.returncode == 1
        assert "on CI this test must run, but Chromium is not installed" in done.stdout
        assert "3 errors" in done.stdout
        assert summary == []
    else:
        assert done.returncode == 0, done.stdout + done.stderr
        assert summary == [
            "NOT RUN HERE: 1 test: needs bubblewrap: bubblewrap is not installed; "
            "2 tests: needs chromium: Chromium is not installed."
        ]


def test_a_write_in_the_checkout_fails_on_ci(tmp_path):
    (tmp_path / "tests").mkdir()
    for name in SHARED_BY_TESTS:
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".gitignore").write_text("__pycache__\n")
    write = "def test_it(): open(__file__ + '.txt', 'w').close()\n"
    (tmp_path / "tests/test_it.py").write_text(write)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "1", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST")} | {"CI": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout
    assert f"The tests wrote in the checkout: {Path(tmp_path).resolve()}/tests/test_it.py.txt" in done.stdout
    assert done.returncode == 1


def test_the_readmes_pictures_exist_have_alternative_text_and_are_small():
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(pictures) >= 3
    for text, path in pictures:
        assert len(text) > 30
        assert (ROOT / path).read_bytes().startswith(b"\x89PNG")
        assert (ROOT / path).stat().st_size < 150_000


def test_make_lab_settles_jupyterlab_once_and_overwrites_nothing(tmp_path):
    settle_jupyterlab(tmp_path)
    path = tmp_path / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    assert json.loads(path.read_text())["@jupyter-widgets/jupyterlab-manager:plugin"] == {"saveState": True}
    path.write_text("mine")
    settle_jupyterlab(tmp_path)
    assert path.read_text() == "mine"
