"""The gradebook on a real PostgreSQL server: `db_url` is all that changes."""

from __future__ import annotations

import shutil

import pytest
from nbgrader.api import Gradebook

from tests import small_course
from tests.command_line import autograder, nbgrader, results
from tests.gradebooks import database, grades
from tests.postgres import PASSWORD, QUOTED, free_port, running_server
from tests.small_course import ASSIGNMENT

pytestmark = pytest.mark.postgresql

CLASS = {
    "ann": small_course.SOLVED,
    "bob": small_course.BIAS_FORGOTTEN,
    "cem": small_course.UNWRITTEN,
}
POINTS = {"ann": 4, "bob": 1, "cem": 0}


@pytest.fixture(scope="module")
def server():
    with running_server() as server:
        yield server


def course(root, url):
    """A course whose gradebook is at `url`, with a class of three."""
    settings = f'c.CourseDirectory.course_id = "measured"\nc.CourseDirectory.db_url = "{url}"\n'
    small_course.lay_out(root, settings + small_course.STEPS)
    for student, code in CLASS.items():
        small_course.hand_in(root, student, code)
    return root


@pytest.fixture(scope="module")
def graded(server, tmp_path_factory):
    """The class graded by two workers at a time: its folder, the address of its gradebook, and the results."""
    url = server.create("graded")
    root = course(tmp_path_factory.mktemp("course") / "graded", url)
    return root, url, results(root, "--jobs", "2")


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory):
    """The same class with nbgrader's default gradebook."""
    root = tmp_path_factory.mktemp("course") / "sqlite"
    course(root, database(root))
    return root, results(root)


def without_seconds(entries):
    return {key: {**entry, "seconds": None} for key, entry in entries.items()}


def test_grades_are_those_of_sqlite(graded, on_sqlite):
    root, url, entries = graded
    other, wanted = on_sqlite
    assert without_seconds(entries) == without_seconds(wanted)
    assert {student: entry["score"] for (student, _), entry in entries.items()} == POINTS
    assert grades(url, ASSIGNMENT) == grades(database(other), ASSIGNMENT)
    assert len(grades(url, ASSIGNMENT)) == 9
    assert not (root / "gradebook.db").exists()


def test_a_regrade_changes_nothing_and_keeps_what_a_human_gave(graded):
    root, url, entries = graded
    with Gradebook(url) as gradebook:
        gradebook.find_grade("question", "backprop", ASSIGNMENT, "ann").manual_score = 2.5
        gradebook.find_comment("question", "backprop", ASSIGNMENT, "ann").manual_comment = "Nicely said."
        gradebook.db.commit()
    before = grades(url, ASSIGNMENT)
    again = results(root, "--regrade", "--jobs", "2")
    assert {key: entry["score"] for key, entry in again.items()} == {k: e["score"] for k, e in entries.items()}
    after = grades(url, ASSIGNMENT)
    key = ("ann", "backprop", "question")
    assert after[key][1] == 2.5
    assert after.keys() == before.keys() and all(after[k] == before[k] for k in after if k != key)
    with Gradebook(url) as gradebook:
        comment = gradebook.find_comment("question", "backprop", ASSIGNMENT, "ann")
        assert comment.manual_comment == "Nicely said."


def test_feedback_report_and_export_read_it(graded):
    root, _, _ = graded
    for step in ("feedback", "report", "export"):
        done = autograder(root, step, "--course-dir", ".")
        assert done.status == 0, done.output
    assert "bias forgotten" in (root / "grades.csv").read_text()
    assert "4 of 4" in (root / "feedback" / "ann" / ASSIGNMENT / "backprop.html").read_text()


def test_no_connection_is_left_open(graded, server):
    assert server.connections("graded") == 0


def test_nbgraders_own_commands_work_on_it(graded, server, tmp_path):
    root, url, _ = graded
    other = server.create("nbgrader")
    course(tmp_path / "course", other)
    nbgrader(tmp_path / "course", "generate_assignment", ASSIGNMENT)
    nbgrader(tmp_path / "course", "autograde", ASSIGNMENT, "--student", "bob")
    ours = {key: row for key, row in grades(url, ASSIGNMENT).items() if key[0] == "bob"}
    assert grades(other, ASSIGNMENT) == ours and len(ours) == 3
    nbgrader(root, "export", "--to", "exported.csv")
    assert len((root / "exported.csv").read_text().splitlines()) == 1 + len(CLASS)
    assert "ann" in nbgrader(root, "db", "student", "list")


# A gradebook that cannot be used is said to be so in a sentence, and the password in its address stays out of it.


def unreachable(server, what):
    """The address of a database that cannot be used, and what the message has to say."""
    url = server.url("nothing")
    rest = url.partition(":")[2]
    return {
        "port": (server.url("x", port=free_port()), "Connection refused"),
        "password": (server.url("postgres", password="wrong%2Fpass"), "password authentication failed"),
        "database": (url, 'database "nothing" does not exist'),
        "driver": (f"postgresql+pg8000:{rest}", "package pg8000 is not installed"),
        "dialect": (f"postgrsql:{rest}", "no kind of database called postgrsql"),
        "address": (f"{PASSWORD}@127.0.0.1", "db_url"),
        "port as a word": (server.url("x").replace(str(server.port), "standard"), "db_url"),
        "unquoted": (server.url("x", password="wrong@pass"), "write %40"),
    }[what]


WRONG = ["port", "password", "database", "driver", "dialect", "address", "port as a word", "unquoted"]


@pytest.mark.parametrize(
    ("step", "what"), [*(("grade", what) for what in WRONG), ("feedback", "password"), ("feedback", "driver")]
)
def test_what_is_wrong_with_the_gradebook_is_said(server, tmp_path, graded, step, what):
    url, says = unreachable(server, what)
    root = course(tmp_path / "course", url)
    if step == "feedback":
        shutil.copytree(graded[0] / ".autograder", root / ".autograder")
    done = autograder(root, step, "--course-dir", ".")
    assert done.status == 1, done.output
    assert "The gradebook" in done.output and says in done.output
    assert "Traceback" not in done.output and "mistake of its own" not in done.output
    everything = done.output + "".join(p.read_text() for p in (root / ".autograder").rglob("*.log"))
    assert not any(secret in everything for secret in (PASSWORD, QUOTED, "wrong", "pass@"))
