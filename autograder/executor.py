"""Our place in nbgrader's spine: its `Execute` step, with check cells judged from outside the student's kernel.

Named in `nbgrader_config.py`, so `nbgrader autograde` and the formgrader's button use it as well.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from inspect import isawaitable
from pathlib import Path
from queue import Empty
from typing import Any

from nbclient.client import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import run_sync
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade, is_solution
from traitlets import Float, Integer

from autograder.judge import Judge, as_data
from autograder.references import checked_name, display_only, load_references
from autograder.secret import course_secret
from autograder.standin import kernel_packages
from course_utils.checks.exercise import Exercise
from course_utils.checks.forbidden import defines
from course_utils.checks.lending import broken_ground, judged_on_own_merit
from course_utils.checks.registry import exercises
from course_utils.checks.render import as_html, as_text
from course_utils.checks.verdict import Verdict
from course_utils.plain import MAX_BYTES, NotPlain, decode

METADATA = "autograder"
MAX_LOANS = 20_000  # calls of lent functions in one trial
# One thread per student: parallelism is across submissions, and a fork after OpenMP has started threads can hang.
KERNEL_ENVIRONMENT = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "TZ")

# A submission may bring modules of its own, but none in the place of an installed one.
OWN_FILES_LAST = "import sys; sys.path[:] = [p for p in sys.path if p] + ['']"

_judges: dict[tuple[str, ...], Judge] = {}


class JudgedExecute(Execute):
    """Runs a submission cell by cell and judges its check cells; a crash or hang costs its own exercise."""

    max_revivals = Integer(3, help="How often a kernel that a cell has killed is replaced within one notebook.").tag(
        config=True
    )
    settle_seconds = Float(
        3.0, help="How long an interrupted cell may take to stop before its kernel is replaced."
    ).tag(config=True)

    def preprocess(self, nb, resources, km=None):
        """Run and judge `nb` in place; see nbgrader's `Execute` for the arguments."""
        info = resources["nbgrader"]
        self.exercises = exercises(info["assignment"])
        self.judge = judge_for(Path.cwd(), info["assignment"], info["notebook"])
        self._verdicts: dict[int, Verdict] = {}
        self._broken: set[str] = set()
        self._ran: list[int] = []
        self._revivals = 0
        self._given_up = False
        NotebookClient.__init__(self, nb, km)  # as nbconvert's own preprocess does
        self.kc = None
        self.resources = resources
        self.reset_execution_trackers()
        source = Path(resources.get("metadata", {}).get("path") or ".")
        with tempfile.TemporaryDirectory(prefix="autograder-", ignore_cleanup_errors=True) as scratch:
            self._scratch = Path(scratch)
            self._lay_out(source)
            started = time.monotonic()
            try:
                self._start()
                for index, cell in enumerate(nb.cells):
                    self._treat(index, cell)
            finally:
                self._stop()
        self._write_down()
        told = {"seconds": round(time.monotonic() - started, 3), "revivals": self._revivals}
        nb.metadata[METADATA] = {**nb.metadata.get(METADATA, {}), **told}
        return nb, resources

    # -- the kernel ----------------------------------------------------------------------------

    def _lay_out(self, source: Path) -> None:
        """A private work folder with the submission's other files, and a folder for requests and replies."""
        self._work, self._exchange, home = (self._scratch / name for name in ("work", "exchange", "home"))
        for folder in (self._work, self._exchange, home):
            folder.mkdir()
        for path in sorted(source.iterdir()):
            if path.is_symlink() or path.suffix == ".ipynb":
                continue
            if path.is_dir():
                shutil.copytree(path, self._work / path.name, ignore=_skip_links)
            elif path.is_file():
                shutil.copy(path, self._work / path.name)

    def _environment(self) -> dict[str, str]:
        """The kernel's environment: nothing of the instructor's but what a process needs to run."""
        home = str(self._scratch / "home")
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return {
            **kept,
            **KERNEL_ENVIRONMENT,
            "HOME": home,
            "IPYTHONDIR": home,
            "MPLCONFIGDIR": home,
            "JUPYTER_RUNTIME_DIR": home,
            "TMPDIR": home,
            "PYTHONPATH": str(kernel_packages()),
            "PYTHONDONTWRITEBYTECODE": "1",
            "NBGRADER_EXECUTION": "autograde",
        }

    def _start(self) -> None:
        if self.km is None:
            self.km = self.create_kernel_manager()
            self.km.transport, self.km.ip = "ipc", str(self._scratch / "socket")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.start_new_kernel(cwd=str(self._work), env=self._environment(), **quiet)
        self.start_new_kernel_client()
        self._wait_reply(self.kc.execute(OWN_FILES_LAST, silent=True, store_history=False), 60)

    def _stop(self) -> None:
        if self.km is None:
            return
        self.shutdown_kernel = "immediate"
        try:
            self._cleanup_kernel()
        except Exception as error:  # a kernel that is already gone must not cost the submission
            self.log.warning("The kernel could not be stopped cleanly: %s", error)
        self.km = self.kc = None

    def _revive(self, killer: int) -> None:
        """Replace the kernel and run again what had run before `killer`."""
        self._stop()
        self._revivals += 1
        if self._revivals > self.max_revivals:
            self._given_up = True
            return
        self._start()
        replay, self._ran = [i for i in self._ran if i != killer], []
        for index in replay:
            saved = self.nb.cells[index].copy()
            outputs = saved.get("outputs", [])
            ended = self._run(index, self.nb.cells[index])
            self.nb.cells[index]["outputs"] = outputs
            if not ended:
                self._given_up = True
                self._stop()
                return
            self._ran.append(index)

    # -- the cells -----------------------------------------------------------------------------

    def _treat(self, index: int, cell: Any) -> None:
        """Run one cell, judge it, or leave it as it is."""
        cell.metadata.pop(METADATA, None)
        if cell.cell_type != "code":
            return
        exercise = self._exercise_of(cell)
        if exercise is not None:
            self._verdicts[index] = self._judge(index, cell, exercise)
        elif display_only(cell):
            return
        elif self._given_up:
            cell.outputs = [_error("NotRun", "This cell was not run: an earlier cell ends or blocks the kernel.")]
        elif cell.source.strip():
            if self._run(index, cell):
                self._ran.append(index)
            else:
                self._revive(index)
        if is_grade(cell) and not is_solution(cell) and exercise is None and self._given_up:
            cell.outputs = [_error("NotRun", "This test was not run: an earlier cell ends or blocks the kernel.")]

    def _exercise_of(self, cell: Any) -> Exercise | None:
        """The exercise that a graded check cell is about; None for every other cell."""
        if not is_grade(cell) or is_solution(cell):
            return None
        return self.exercises.get(checked_name(cell.source) or "")

    def _run(self, index: int, cell: Any) -> bool:
        """Run a cell; whether the kernel is still usable afterwards."""
        try:
            self.execute_cell(cell, index, store_history=True)
        except (DeadKernelError, CellTimeoutError, RuntimeError) as error:
            late = isinstance(error, CellTimeoutError)
            text = f"it ran longer than {self.timeout} s" if late else "it ended the kernel"
            cell.outputs = [_error("CellStopped", f"This cell was stopped: {text}.")]
            return False
        if any(o.output_type == "error" and o.ename == "CellTimeoutError" for o in cell.outputs):
            cell.outputs = [o for o in cell.outputs if o.output_type != "error"]
            cell.outputs.append(_error("CellStopped", f"This cell was stopped: it ran longer than {self.timeout} s."))
            return self._wait_reply(self.kc.kernel_info(), self.settle_seconds) is not None
        return True

    def _wait_reply(self, msg_id: Any, seconds: float, meanwhile: Callable[[], None] | None = None) -> dict | None:
        """The kernel's reply to a request of ours; None if it does not come in time or the kernel is dead."""
        return run_sync(self._async_wait_reply)(msg_id, seconds, meanwhile)

    async def _async_wait_reply(self, msg_id, seconds, meanwhile) -> dict | None:
        if isawaitable(msg_id):
            msg_id = await msg_id
        deadline = time.monotonic() + seconds
        pause = 0.001 if meanwhile else 1.0
        while time.monotonic() < deadline:
            if meanwhile:
                meanwhile()
            try:
                reply = await self.kc.shell_channel.get_msg(timeout=pause)
            except Empty:
                alive = self.kc.is_alive()
                if not (await alive if isawaitable(alive) else alive):
                    return None
                continue
            if reply["parent_header"].get("msg_id") == msg_id:
                return reply
        return None

    # -- the judging ---------------------------------------------------------------------------

    def _judge(self, index: int, cell: Any, exercise: Exercise) -> Verdict:
        most = float(cell.metadata["nbgrader"]["points"])
        cells = [
            c.source for c in self.nb.cells[:index] if c.cell_type == "code" and not display_only(c) and not is_grade(c)
        ]
        refusal = self.judge.forbidden(exercise, cells, most)
        if refusal is not None:
            return refusal
        if self._given_up:
            return self.judge.refuse_status(exercise, most, "dead")
        verdict = self._try(index, exercise, most)
        if verdict.passed or self._given_up:
            return verdict
        broken = broken_ground(exercise, cells, lambda other: other.name in self._broken)
        if broken:
            self._broken.add(exercise.name)  # what passes with a loan is no sound ground for the next one either
            return judged_on_own_merit(exercise, verdict, broken, lambda names: self._try(index, exercise, most, names))
        self._broken.add(exercise.name)
        return replace(verdict, cause=self._cause(verdict, index))

    def _cause(self, verdict: Verdict, index: int) -> str:
        """Why a name is missing that the student's code needs, where a cell above should have given it."""
        for finding in verdict.findings.values():
            missing = re.search(r"raises NameError \(name '(\w+)' is not defined\)", finding.text)
            if missing:
                why = why_undefined(missing.group(1), self.nb.cells[:index])
                return "" if why.startswith(missing.group(1)) else why
        return ""

    def _try(self, index: int, exercise: Exercise, most: float, lend: Sequence[str] = ()) -> Verdict:
        """The verdict on one trial in a fork of the student's kernel."""
        status, answer = self._ask(exercise, lend)
        if status == "dead":
            self._revive(index)
            return self.judge.refuse_status(exercise, most, "died")
        if status == "undefined":
            return self.judge.refuse(exercise, most, why_undefined(exercise.name, self.nb.cells[:index]))
        if status != "done":
            return self.judge.refuse_status(exercise, most, status)
        return self.judge.decide(exercise, answer, most)

    def _ask(self, exercise: Exercise, lend: Sequence[str]) -> tuple[str, Any]:
        """Try the exercise in a fork of the student's kernel; how it went, and what came back."""
        token = uuid.uuid4().hex
        request, reply = self._exchange / f"{token}.request", self._exchange / f"{token}.reply"
        request.write_bytes(self.judge.request(exercise, lend))
        code = f"__import__('course_utils.judged').judged.serve(globals(), {str(request)!r}, {str(reply)!r})"
        sent = self.kc.execute(code, silent=True, store_history=False, stop_on_error=False)
        patience = 3 * self.judge.seconds(exercise) + 15
        answer = self._wait_reply(sent, patience, self._lender(reply, lend) if lend else None)
        if answer is None:
            return "dead", None
        status = read_plain_file(Path(f"{reply}.status"), 1000)
        request.unlink(missing_ok=True)
        if status is None:
            return "died", None
        word = status.decode("utf-8", "replace").strip('"')
        if word != "done":
            return word, None
        data = read_plain_file(reply, MAX_BYTES)
        reply.unlink(missing_ok=True)
        if data is None:
            return "died", None
        try:
            return "done", decode(data)
        except NotPlain:
            return "garbled", None

    def _lender(self, reply: Path, lend: Sequence[str]) -> Callable[[], None]:
        """Answers, when called, the next call of a lent function that the student's fork has asked for."""
        numbers = iter(range(MAX_LOANS))
        waiting = next(numbers)

        def serve() -> None:
            nonlocal waiting
            while (
                waiting is not None and (ask := read_plain_file(Path(f"{reply}.ask{waiting}"), MAX_BYTES)) is not None
            ):
                part = self._exchange / uuid.uuid4().hex  # a name that no link can lie in wait under
                with open(part, "xb") as file:
                    file.write(self.judge.lend_value(ask, lend))
                os.replace(part, f"{reply}.answer{waiting}")
                waiting = next(numbers, None)

        return serve

    def _write_down(self) -> None:
        """Put the verdicts into the check cells, now that no student code runs any more."""
        for index, verdict in self._verdicts.items():
            cell = self.nb.cells[index]
            cell.metadata[METADATA] = as_data(verdict)
            cell.execution_count = None
            shown = {"text/html": as_html(verdict), "text/plain": as_text(verdict)}
            points = {"text/plain": repr(float(verdict.score))}
            cell.outputs = [new_output("display_data", shown), new_output("execute_result", points)]


def why_undefined(name: str, cells: list[Any]) -> str:
    """Why a name does not exist when its check is reached, as far as the cells above it tell."""
    pattern = re.compile(rf"^\s*(?:def|class)\s+{re.escape(name)}\b", re.MULTILINE)
    code = [c for c in cells if c.cell_type == "code" and not is_grade(c)]
    for cell in reversed([c for c in code if pattern.search(c.source) or defines(c.source, name)]):
        if display_only(cell):
            return f"The cell that defines {name} is marked display-only, so grading does not run it."
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            return f"The cell that should define {name} has a syntax error in line {error.lineno}: {error.msg}."
        except (ValueError, RecursionError):
            break
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                detail = output.evalue.splitlines()[0][:200] if output.evalue.strip() else output.ename
                return f"The cell that defines {name} ends with an error before it is done ({output.ename}: {detail})."
    return f"{name} is not defined when its check is reached."


def judge_for(course: Path, assignment: str, notebook: str) -> Judge:
    """The judge for an assignment of a course directory, made once per process."""
    source = source_notebook(course, assignment, notebook)
    key = (str(course), str(source), str(source.stat().st_mtime_ns) if source.exists() else "")
    if key not in _judges:
        _judges[key] = Judge(
            load_references(source, assignment) if exercises(assignment) else {}, course_secret(course)
        )
    return _judges[key]


def source_notebook(course: Path, assignment: str, notebook: str) -> Path:
    """Where a course directory keeps the source notebook of an assignment, as its nbgrader configuration says."""
    from autograder.course import open_course

    return open_course(course).source(assignment) / f"{notebook}.ipynb"


def read_plain_file(path: Path, most: int) -> bytes | None:
    """A plain file's bytes; None if it is missing, a link, something special, or too large."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        info = os.fstat(file.fileno())
        if not stat.S_ISREG(info.st_mode) or info.st_size > most:
            return None
        return file.read(most + 1)


def _skip_links(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if os.path.islink(os.path.join(folder, name))]


def _error(name: str, sentence: str) -> Any:
    return new_output("error", ename=name, evalue=sentence, traceback=[sentence])
