"""The one writer: puts outcomes into nbgrader's gradebook and the autograded folders into place.

What is written is decided by nbgrader's own SaveAutoGrades and AssignLatePenalties. They run here in one session that
stays open, and all that belongs to a submission is one transaction.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import nbgrader.api
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    InvalidEntry,
    MissingEntry,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.converters import Autograde
from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades, latesubmissions, saveautogrades
from nbgrader.utils import rmtree
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from autograder import CourseError
from autograder.course import Course
from autograder.nbgrader_log import quiet
from autograder.timestamps import submitted_at
from autograder.worker import Outcome

PATIENCE = 600.0  # seconds that a locked gradebook is waited for
PAUSE = 0.5


class NotRecorded(Exception):
    """An outcome that the gradebook cannot take; the message says why, in a few words."""


@dataclass(frozen=True)
class Recorded:
    """What the gradebook says of a submission now: cells that wait for a human, and every automatic score by cell."""

    manual: list[str]
    cells: dict[str, float | None]


class Recorder:
    """Writes outcomes into a course's gradebook, one after another; recording one again changes nothing."""

    def __init__(self, course: Course, say: Callable[[str], None] = lambda sentence: None) -> None:
        self.course = course
        self.say = say
        directory = course.directory()
        self._autograde = Autograde(coursedir=directory, config=course.config)
        self._ledger = patiently(lambda: _open_ledger(directory.db_url, directory.course_id), say)
        self._steps = (SaveAutoGrades(config=course.config), _LatePenalties(config=course.config))

    def close(self) -> None:
        self._ledger.end()

    def knows(self) -> set[tuple[str, str]]:
        """(assignment, student) of every submission in the gradebook."""
        return patiently(self._ledger.submissions, self.say)

    def wait(self) -> None:
        """Wait until no other program has locked the gradebook."""
        patiently(self._ledger.begin, self.say, self._ledger.forget)
        self._ledger.forget()

    def has(self, assignment: str) -> bool:
        """Whether the gradebook knows an assignment."""
        return patiently(lambda: self._ledger.has(assignment), self.say)

    def record(self, outcome: Outcome) -> Recorded:
        """Write an outcome to the gradebook and put its autograded folder into place. Raises `NotRecorded`."""
        try:
            with quiet():
                recorded = patiently(lambda: self._write(outcome), self.say, self._ledger.forget)
        except (MissingEntry, InvalidEntry) as error:
            self._ledger.forget()
            raise NotRecorded(f"the gradebook says: {error}") from None
        except (ValueError, TypeError, LookupError, AttributeError) as error:  # nbgrader on what it does not expect
            self._ledger.forget()
            raise NotRecorded(f"nbgrader cannot record it ({type(error).__name__}: {error})") from None
        self._put_in_place(outcome)
        return recorded

    def _write(self, outcome: Outcome) -> Recorded:
        ledger = self._ledger
        notebooks = {name: nbformat.v4.reads(data.decode()) for name, data in outcome.notebooks.items()}
        ledger.begin()
        self._open(outcome)
        ledger.load(outcome.assignment, outcome.student)
        before = {cell: (grade.auto_score, grade.needs_manual_grade) for cell, grade in ledger.grades.items()}
        with _instead_of_new_gradebooks(ledger):
            for name, notebook in notebooks.items():
                told = {"student": outcome.student, "assignment": outcome.assignment, "notebook": name, "db_url": ""}
                for step in self._steps:
                    step(notebook, {"nbgrader": told})
        self._keep_settled(outcome, notebooks, before)
        grades = ledger.grades
        recorded = Recorded(
            manual=sorted(cell for (_, cell), grade in grades.items() if grade.needs_manual_grade),
            cells={cell: grade.auto_score for (_, cell), grade in grades.items()},
        )
        ledger.settle()
        return recorded

    def _open(self, outcome: Outcome) -> None:
        """Make sure that the gradebook has the student and the submission, with its time."""
        if self._autograde.create_student:
            self._ledger.update_or_create_student(outcome.student)
        else:
            try:
                self._ledger.find_student(outcome.student)
            except MissingEntry:
                raise NotRecorded("the gradebook has no such student") from None
        when = submitted_at(outcome.files)
        self._ledger.update_or_create_submission(
            outcome.assignment, outcome.student, **({} if when is None else {"timestamp": when})
        )

    def _keep_settled(self, outcome: Outcome, notebooks: Mapping[str, Any], before: Mapping) -> None:
        """A human's grade that was settled stays so where neither the answer nor the automatic score has changed.

        nbgrader flags every human grade again at each grading, which after a regrade is the whole class.
        """
        for (name, cell), grade in self._ledger.grades.items():
            if grade.manual_score is None or before.get((name, cell)) != (grade.auto_score, False):
                continue
            earlier = self.course.path("autograded", outcome.student, outcome.assignment) / f"{name}.ipynb"
            with contextlib.suppress(OSError, ValueError, AttributeError, KeyError, TypeError):
                was = _source_of(cell, json.loads(earlier.read_text(encoding="utf-8")))
                if was is not None and was == _source_of(cell, notebooks[name]):
                    grade.needs_manual_grade = False

    def _put_in_place(self, outcome: Outcome) -> None:
        """The autograded folder as a whole, with nbgrader's permissions."""
        folder = self.course.path("autograded", outcome.student, outcome.assignment)
        part, old = (folder.with_name(f".{folder.name}.{end}") for end in ("part", "old"))
        for leftover in (part, old):
            if leftover.exists():
                rmtree(str(leftover))
        notebooks = {f"{name}.ipynb": data for name, data in outcome.notebooks.items()}
        for name, content in (outcome.files | notebooks).items():
            path = part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self._autograde._format_dest = lambda *_, **__: str(part)
        self._autograde.set_permissions(outcome.assignment, outcome.student)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
        if old.exists():
            rmtree(str(old))


class _LatePenalties(AssignLatePenalties):
    """nbgrader's, with a sentence where the class that the course names for them does not work."""

    def __init__(self, **kwargs: Any) -> None:
        with _blamed(kwargs["config"]):
            super().__init__(**kwargs)

    def preprocess(self, nb: Any, resources: Any) -> Any:
        with _blamed(self.config):
            return super().preprocess(nb, resources)


@contextlib.contextmanager
def _blamed(config: Any) -> Iterator[None]:
    """What a class of the instructor's own raises is put down to it; the database's errors are not."""
    try:
        yield
    except (SQLAlchemyError, InvalidEntry, MissingEntry):
        raise
    except Exception as error:
        name = config.AssignLatePenalties.get("plugin_class", "nbgrader")
        why = f"{type(error).__name__}: {error}".rpartition(", but ")[2].rstrip(".")
        raise CourseError(f"The late penalties of {name} cannot be computed ({why}).", NOTHING_LOST) from None


def _source_of(grade_id: str, notebook: Mapping[str, Any]) -> str | None:
    """The text of the cell with this grade id."""
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id:
            source = cell["source"]
            return source if isinstance(source, str) else "".join(source)
    return None


class _Ledger(Gradebook):
    """nbgrader's gradebook for one submission after another: its commits are held back until `settle`."""

    def __init__(self, db_url: str, course_id: str) -> None:
        super().__init__(db_url, course_id)
        self._session = self.db
        self.db = _Held(self._session)
        self.forget()

    def forget(self) -> None:
        """Drop all that is not settled."""
        self._session.rollback()
        self._session.expunge_all()
        self.grades: dict[tuple[str, str], Grade] = {}
        self._comments: dict[tuple[str, str], Comment] = {}
        self._notebooks: dict[str, SubmittedNotebook] = {}

    def begin(self) -> None:
        """Take SQLite's lock for writing at once: nbgrader would wrap the error of a locked file in another."""
        if self.engine.dialect.name == "sqlite":
            self._session.execute(text("BEGIN IMMEDIATE"))

    def settle(self) -> None:
        """Commit."""
        self._session.commit()
        self.forget()

    def end(self) -> None:
        """Close for good; nbgrader's own steps close after each use, which does nothing here."""
        super().close()

    def close(self) -> None:
        return None

    def submissions(self) -> set[tuple[str, str]]:
        query = self._session.query(Assignment.name, SubmittedAssignment.student_id)
        found = {tuple(row) for row in query.join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)}
        self.forget()
        return found

    def has(self, assignment: str) -> bool:
        found = self._session.query(Assignment.name).filter(Assignment.name == assignment).first()
        self.forget()
        return found is not None

    def load(self, assignment: str, student: str) -> None:
        """Fetch the submission's grades and comments, in few queries."""
        for notebook in self.find_submission(assignment, student).notebooks:
            name = notebook.name
            self._notebooks[name] = notebook
            for kind, found in ((Grade, self.grades), (Comment, self._comments)):
                query = self._session.query(kind, BaseCell.name).join(BaseCell, BaseCell.id == kind.cell_id)
                rows = query.filter(kind.notebook_id == notebook.id).all()
                found.update({(name, cell): row for row, cell in rows})

    def find_grade(self, grade_cell: str, notebook: str, assignment: str, student: str) -> Grade:
        found = self.grades.get((notebook, grade_cell))
        return found or super().find_grade(grade_cell, notebook, assignment, student)

    def find_comment(self, solution_cell: str, notebook: str, assignment: str, student: str) -> Comment:
        found = self._comments.get((notebook, solution_cell))
        return found or super().find_comment(solution_cell, notebook, assignment, student)

    def find_submission_notebook(self, notebook: str, assignment: str, student: str) -> SubmittedNotebook:
        found = self._notebooks[notebook]
        self._session.flush()
        self._session.expire(found)  # its score is a sum in the database
        return found


def _open_ledger(db_url: str, course_id: str) -> _Ledger:
    """The gradebook; a new one is there as a whole or not at all, whenever this process is killed."""
    url = make_url(db_url)
    file = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
    with _head_read_here():
        if file and not file.exists():
            part = file.with_name(f".{file.name}.part")
            part.unlink(missing_ok=True)
            Gradebook(f"sqlite:///{part}", course_id).close()
            part.rename(file)
        return _Ledger(db_url, course_id)


def _head() -> str:
    """The newest version of nbgrader's tables, by Alembic, which is imported only where a gradebook is new."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(Path(nbgrader.__file__).parent / "alembic")).get_current_head()


@contextlib.contextmanager
def _head_read_here() -> Iterator[None]:
    """For a new gradebook nbgrader asks Alembic in a process of its own, which takes two seconds to import things."""
    own = nbgrader.api.get_alembic_version
    nbgrader.api.get_alembic_version = _head
    try:
        yield
    finally:
        nbgrader.api.get_alembic_version = own


class _Held:
    """A session that commits nothing of itself; what it holds is flushed before the next query."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def commit(self) -> None:
        return None


@contextlib.contextmanager
def _instead_of_new_gradebooks(ledger: _Ledger) -> Iterator[None]:
    """nbgrader's steps open a gradebook each time they run, which takes longer than all they do; they get this one."""
    modules = (saveautogrades, latesubmissions)
    try:
        for module in modules:
            module.Gradebook = lambda *_, **__: ledger
        yield
    finally:
        for module in modules:
            module.Gradebook = Gradebook


def patiently(
    work: Callable[[], Any],
    say: Callable[[str], None] = lambda sentence: None,
    undo: Callable[[], None] = lambda: None,
) -> Any:
    """Do `work` on the gradebook; where another program has locked it, say so and try until it is free.

    Raises `CourseError` when it stays locked or the database fails in another way.
    """
    deadline = time.monotonic() + PATIENCE
    told = False
    while True:
        try:
            return work()
        except (DBAPIError, InvalidEntry) as error:
            undo()
            what = str(getattr(error, "orig", error)).splitlines()[0].rstrip(".")
            if "locked" not in what:
                raise CourseError(f"The gradebook cannot be written: {what}.", NOTHING_LOST) from None
            if time.monotonic() > deadline:
                raise CourseError("The gradebook is still locked by another program.", NOTHING_LOST) from None
            if not told:
                say("The gradebook is locked by another program; waiting for it.")
                told = True
            time.sleep(PAUSE)
        except BaseException:
            undo()
            raise


NOTHING_LOST = "Nothing is lost: set this right and run the same command again to go on."
