"""What of a submission's folder is read: plain files, once, bounded; the rest is left out and said to be."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

import pytest

from autograder import files
from autograder.files import listed, read_folder, read_plain_file, shown, usable, write_files
from autograder.intake import take_in
from tests import by_hand
from tests.by_hand import FULL, earned, repaired, solved
from tests.test_damaged import as_bytes

FIRST_TOO_MANY = "00199.txt, 00200.txt, 00201.txt, 00202.txt"  # the notebook comes first


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return by_hand.toy_plan(tmp_path_factory.mktemp("course"))


@pytest.fixture
def folder(plan, tmp_path):
    """A folder with a perfect submission."""
    folder = tmp_path / "submitted"
    folder.mkdir()
    (folder / "toy.ipynb").write_bytes(as_bytes(solved(plan)))
    return folder


def fifo(folder):
    os.mkfifo(folder / "pipe")


def unix_socket(folder):
    here = os.getcwd()
    os.chdir(folder)  # a socket's path may only be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("socket")
    finally:
        os.chdir(here)


def link(target, name="link"):
    return lambda folder: (folder / name).symlink_to(target)


def loop(folder):
    (folder / "a").mkdir()
    (folder / "a" / "b").symlink_to(folder / "a")


def newline(folder):
    (folder / "a\nb.txt").write_text("x")


def not_utf8(folder):
    with open(os.fsencode(folder) + b"/\xff\xfe.txt", "w"):
        pass


def backslash(folder):
    (folder / "a\\..\\up.txt").write_text("x")


def markup(folder):
    (folder / "<script>alert(1)<").mkdir()
    (folder / "<script>alert(1)<" / "script>").symlink_to("/etc")


def long_name(folder):
    (folder / ("x" * 250)).symlink_to("/etc")


def deep_folders(folder):
    here = os.getcwd()
    os.chdir(folder)
    try:
        for _ in range(300):
            os.mkdir("deeper")
            os.chdir("deeper")
    finally:
        os.chdir(here)


def many_files(folder):
    for number in range(files.MAX_FILES + 10):
        (folder / f"{number:05}.txt").write_text("x")


def big_file(folder):
    with open(folder / "big.bin", "wb") as file:
        file.truncate(files.MAX_FILE + 1)


def litter(folder):
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "toy-checkpoint.ipynb").write_text("{}")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "._toy.ipynb").write_text("{}")
    (folder / ".DS_Store").write_text("x")


def hard_link(folder):
    os.link(folder / "toy.ipynb", folder / "same.txt")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: None, []),
        (litter, []),
        (fifo, ["pipe is not a plain file and was left out."]),
        (unix_socket, ["socket is not a plain file and was left out."]),
        (link("/etc"), ["link is a link and was left out."]),
        (link("/etc/passwd"), ["link is a link and was left out."]),
        (link("/dev/zero"), ["link is a link and was left out."]),
        (link("toy.ipynb", "other.ipynb"), ["other.ipynb is a link and was left out."]),
        (link("nowhere"), ["link is a link and was left out."]),
        (loop, ["a/b is a link and was left out."]),
        (newline, ["a b.txt is under a name that cannot be used and was left out."]),
        (not_utf8, ["\N{REPLACEMENT CHARACTER}" * 2 + ".txt is under a name that cannot be used and was left out."]),
        (backslash, ["a\\..\\up.txt is under a name that cannot be used and was left out."]),
        (markup, ["<script>alert(1)</script> is a link and was left out."]),
        (long_name, [f"{'x' * 59}…{'x' * 20} is a link and was left out."]),
        (many_files, [f"{FIRST_TOO_MANY} and 7 more are {files.TOO_MANY} and were left out."]),
        (big_file, ["big.bin is larger than 50 MB and was left out."]),
        (lambda folder: [os.mkfifo(folder / n) for n in "abc"], ["a, b, c are not plain files and were left out."]),
    ],
)  # fmt: skip
def test_what_is_left_out_is_said_and_the_rest_is_graded(plan, folder, damage, said):
    damage(folder)
    found, problems = read_folder(folder)
    assert problems == said
    notebook, problems = repaired(plan, found, tuple(problems))
    assert earned(notebook) == FULL and problems == said


def test_folders_without_end_are_not_followed_to_their_end(folder):
    deep_folders(folder)
    (name,) = read_folder(folder)[1]
    assert name.endswith(f"is more than {files.MAX_DEPTH} folders deep and was left out.") and len(name) < 200


def test_looking_is_bounded(folder, monkeypatch):
    monkeypatch.setattr(files, "MAX_SEEN", 20)
    for number in range(10):
        (folder / str(number)).mkdir()
        for other in range(10):
            (folder / str(number) / str(other)).write_text("x")
    looked = []
    monkeypatch.setattr(files, "_listing", lambda path, real=files._listing: looked.append(path) or real(path))
    found, problems = read_folder(folder)
    assert "toy.ipynb" in found and len(found) < 20 and len(looked) <= 4 and len(problems) == 1


def test_the_notebook_is_read_before_the_files_around_it(folder):
    many_files(folder)
    assert "toy.ipynb" in read_folder(folder)[0]


def test_all_files_together_are_bounded(folder, monkeypatch):
    monkeypatch.setattr(files, "MAX_TOTAL", (folder / "toy.ipynb").stat().st_size + 15)
    for name in "abc":
        (folder / name).write_bytes(b"0123456789")
    found, problems = read_folder(folder)
    assert set(found) == {"toy.ipynb", "a"}
    assert problems == [f"b, c are {files.TOO_MUCH} and were left out."]


@pytest.mark.parametrize(
    "make",
    [
        link("/etc/passwd", "toy.ipynb"),
        lambda folder: os.mkfifo(folder / "toy.ipynb"),
        lambda folder: (folder / "toy.ipynb").mkdir(),
    ],
)
def test_a_notebook_that_is_none_is_missing(plan, folder, make):
    (folder / "toy.ipynb").unlink()
    make(folder)
    found, problems = read_folder(folder)
    assert repaired(plan, found, tuple(problems))[1][-1] == "toy.ipynb is missing, so it earns nothing."


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs to be root to become somebody else")
def test_a_file_that_may_not_be_read_is_named():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name, mode in (("mine.txt", 0o000), ("yours.txt", 0o644)):
            Path(folder, name).write_text("x")
            Path(folder, name).chmod(mode)
        os.seteuid(65534)
        try:
            found, problems = read_folder(Path(folder))
        finally:
            os.seteuid(0)
    assert found == {"yours.txt": b"x"} and problems == ["mine.txt is unreadable and was left out."]


def test_reading_does_not_follow_block_or_run_over(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    assert read_plain_file(tmp_path / "file", 5) == b"12345"
    assert [read_plain_file(tmp_path / name, 4) for name in ("file", "link", "pipe", "none", "\0")] == [None] * 5
    assert read_plain_file(tmp_path, 4) is None and read_plain_file("/dev/zero", 4) is None


@pytest.mark.parametrize(
    "name", ["", "/etc/x", "../x", "a/../../x", "a//b", "./x", "a\nb", "a\\b", "\ud800", "x" * 301, "é" * 130]
)
def test_no_file_is_written_outside(tmp_path, name):
    assert not usable(name)
    folder = tmp_path / "in"
    folder.mkdir()
    assert write_files([(name, b"x")], folder) == [name]
    assert list(tmp_path.rglob("*")) == [folder]


def test_files_in_each_others_way(plan, tmp_path):
    """On no disk, but in what comes from another machine: a file and a folder of one name."""
    given = {"toy.ipynb": as_bytes(solved(plan)), "a": b"1", "a/b": b"2", "toy.ipynb/x.txt": b"3", "../up": b"4"}
    problems = take_in(plan, given, tmp_path / "staged")
    assert problems == ["a/b, toy.ipynb/x.txt, ../up are in the way of another file and were left out."]
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a", "staged", "toy.ipynb"]


@pytest.mark.parametrize(
    "name",
    [
        "numpy.py", "torch/__init__.py", "random.py", "sitecustomize.py", "usercustomize.py", "conftest.py", "json.pyc",
        "course_utils/checks/__init__.py", "numpy.cpython-311-x86_64-linux-gnu.so",
    ],
)  # fmt: skip
def test_modules_that_could_pass_for_others_are_left_out(plan, tmp_path, name):
    problems = take_in(plan, {"toy.ipynb": as_bytes(solved(plan)), name: b"1 / 0"}, tmp_path / "staged")
    assert problems == [f"{name} is named like an installed module and was left out."]
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["toy.ipynb"]


def test_a_students_own_files_stay(plan, tmp_path):
    own = {"my_helpers.py": b"x = 1", "code/data.npz": b"x", "random.txt": b"x", "ex 1/notes (ü).md": b"x"}
    assert take_in(plan, {"toy.ipynb": as_bytes(solved(plan)), **own}, tmp_path / "staged") == []
    assert {n: (tmp_path / "staged" / n).read_bytes() for n in own} == own


def test_names_in_sentences():
    assert listed(["a", "b"]) == "a, b" and listed(list("abcdef")) == "a, b, c, d and 2 more"
    assert shown("a\tb\u202ec") == "a b\N{REPLACEMENT CHARACTER}c"
