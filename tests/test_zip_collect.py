"""Submissions downloaded from a learning management system come in through `nbgrader zip_collect`."""

from __future__ import annotations

import shutil
import zipfile

import nbformat
import pytest

from tests import small_course
from tests.command_line import nbgrader, results
from tests.gradebooks import database, submitted_at
from tests.small_course import ASSIGNMENT

# How the systems name the files of a download, and the pattern that finds student and notebook in such a name.
MOODLE = {
    "Ann Lee_100_assignsubmission_file/backprop.ipynb": small_course.SOLVED,
    "Ann Lee_100_assignsubmission_file/weights.npz": b"weights",
    "Bob Ray_200_assignsubmission_file/backprop.ipynb": small_course.BIAS_FORGOTTEN,
}
MOODLE_NAMES = r".*/[^/]*_(?P<student_id>\d+)_assignsubmission_file/(?P<file_id>[^/]+)"
CANVAS = {
    "diazcem_300_5501_backprop.ipynb": small_course.SOLVED,
    "ekdora_LATE_400_5502_backprop-2.ipynb": small_course.UNWRITTEN,
    "frankel_500_5503_homework.ipynb": small_course.SOLVED,
}
CANVAS_NAMES = r".*/[a-z]+_(LATE_)?(?P<student_id>\d+)_\d+_(?P<file_id>\w+?)(-\d+)?\.\w+$"
BLACKBOARD = {
    "01_backprop_gina_attempt_2026-01-30-15-30-10_backprop.ipynb": small_course.UNWRITTEN,
    "01_backprop_gina_attempt_2026-01-31-09-00-00_backprop.ipynb": small_course.SOLVED,
}
BLACKBOARD_NAMES = r".*_(?P<student_id>\w+)_attempt_(?P<timestamp>[0-9\-]+)_(?P<file_id>.*)"


def collect(root, files, pattern):
    """Put a download where nbgrader looks for it, and collect it with the settings that the guide shows."""
    settings = [
        f'c.FileNameCollectorPlugin.named_regexp = r"{pattern}"',
        'c.FileNameCollectorPlugin.valid_ext = [".ipynb", ".npz"]',
    ]
    assert all(setting in small_course.GUIDE for setting in settings)
    small_course.configure(root, "\n".join(settings))
    folder = root / "downloaded" / ASSIGNMENT
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "archive").mkdir(parents=True)
    with zipfile.ZipFile(folder / "archive" / "download.zip", "w") as archive:
        for name, content in files.items():
            if isinstance(content, str):
                content = nbformat.writes(small_course.written(content))
            archive.writestr(name, content)
    nbgrader(root, "zip_collect", ASSIGNMENT)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    root = small_course.lay_out(tmp_path_factory.mktemp("course") / "lms")
    nbgrader(root, "generate_assignment", ASSIGNMENT)
    collect(root, MOODLE, MOODLE_NAMES)
    collect(root, CANVAS, CANVAS_NAMES)
    collect(root, BLACKBOARD, BLACKBOARD_NAMES)
    return root, {student: entry for (student, _), entry in results(root).items()}


def test_every_download_is_graded(graded):
    _, entries = graded
    scores = {student: entry["score"] for student, entry in entries.items()}
    assert scores == {"100": 4, "200": 1, "300": 4, "400": 0, "500": 4, "gina": 4}


def test_a_notebook_of_another_name_is_graded_all_the_same(graded):
    _, entries = graded
    assert entries["500"]["problems"] == ["homework.ipynb should be called backprop.ipynb; it was graded as that."]
    assert all(entry["problems"] == [] for student, entry in entries.items() if student != "500")


def test_other_files_come_along(graded):
    root, _ = graded
    assert (root / "autograded" / "100" / ASSIGNMENT / "weights.npz").read_bytes() == b"weights"


def test_the_last_attempt_counts_and_its_time_is_known(graded):
    root, _ = graded
    handed_in = submitted_at(database(root), ASSIGNMENT)
    assert handed_in["gina"].isoformat() == "2026-01-31T09:00:00"
    assert handed_in["100"] is None
