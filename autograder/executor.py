"""Our place in nbgrader's spine: its `Execute` step, with check cells judged from outside the student's kernel.

Named in `nbgrader_config.py`, so `nbgrader autograde` and the formgrader's button use it as well.
"""

from __future__ import annotations

import ast
import asyncio
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from nbclient.client import NotebookClient
from nbclient.exceptions import CellTimeoutError
from nbclient.util import run_sync
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade, is_solution
from traitlets import Float, Integer, Unicode

from autograder.files import read_folder
from autograder.judge import Judge, as_data
from autograder.kernel_session import KernelSession
from autograder.references import checked_name, display_only, load_references
from autograder.sandbox.launch import Order
from autograder.sandbox.wall import KINDS, current
from autograder.secret import course_secret
from autograder.trials import Trial, Trials
from course_utils.checks.exercise import Exercise
from course_utils.checks.forbidden import UNREADABLE, defines
from course_utils.checks.registry import exercises, masked
from course_utils.checks.render import as_html, as_text
from course_utils.checks.verdict import Verdict

METADATA = "autograder"
MAX_CELL_OUTPUT = 2 * 2**20  # characters of one cell's outputs that are kept
MAX_CELL_FLOOD = 32 * 2**20  # characters after which a cell is stopped
MAX_CELL_MESSAGES = 20_000
ALIVE_SECONDS = 0.2  # between two looks at whether a kernel that runs a cell still lives
STOPPED = {
    "late": "This cell was stopped: it ran longer than {timeout} s.",
    "flood": "This cell was stopped: it wrote more output than a cell may.",
    "memory": "This cell was stopped: it needs more memory than a notebook may use.",
    "dead": "This cell was stopped: it ended the kernel.",
}
NOT_RUN = "This {what} was not run: an earlier cell ends or blocks the kernel."
OUT_OF_TIME = "This {what} was not run: the notebook has used up its {seconds:g} s."

_judges: dict[tuple[str, ...], Judge] = {}


class JudgedExecute(Execute):
    """Runs a submission cell by cell and judges its check cells; a crash or hang costs its own exercise."""

    max_revivals = Integer(3, help="How often a kernel that a cell has killed is replaced within one notebook.").tag(
        config=True
    )
    settle_seconds = Float(
        3.0, help="How long an interrupted cell may take to stop before its kernel is replaced."
    ).tag(config=True)
    notebook_seconds = Float(
        300.0, help="How long a notebook may take, its trials included; what comes later is not run and not tried."
    ).tag(config=True)
    sandbox = Unicode(
        "", help="'bwrap': bubblewrap or nothing; 'process': limits only; '': the best that works here."
    ).tag(config=True)

    def preprocess(self, nb, resources, km=None):
        """Run and judge `nb` in place; see nbgrader's `Execute` for the arguments."""
        info, given = resources["nbgrader"], resources.get("autograder", {})
        self.exercises = exercises(info["assignment"])
        judge = given.get("judge") or judge_for(Path.cwd(), info["assignment"], info["notebook"])
        folder = given.get("files") or resources.get("metadata", {}).get("path") or "."
        files, _ = read_folder(Path(folder))
        hidden = masked(info["assignment"])
        self._order = Order(
            files={name: data for name, data in files.items() if not name.endswith(".ipynb")},
            masked=hidden,
            torch="torch" not in hidden and any(_imports_torch(cell) for cell in nb.cells),
        )
        self._trials = Trials(judge, self._recover, self._alive, self._out_of_time)
        self._ran: list[int] = []
        self._revivals = 0
        self._recovered = False
        self._given_up = ""
        self._session: KernelSession | None = None
        self._walls: list[Any] = []
        NotebookClient.__init__(self, nb, None)  # as nbconvert's own preprocess does
        self.resources = resources
        self.reset_execution_trackers()
        current(self.sandbox)
        self._started = time.monotonic()
        verdicts = run_sync(self._run_notebook)()
        for index, verdict in verdicts.items():
            write_down(self.nb.cells[index], self._with_cause(verdict, index))
        weakest = max(self._walls, key=lambda wall: (KINDS.index(wall.kind), bool(wall.why)))
        said = {"seconds": round(time.monotonic() - self._started, 3), "revivals": self._revivals}
        said |= {"wall": weakest.kind, "why": weakest.why}
        nb.metadata[METADATA] = {**nb.metadata.get(METADATA, {}), **said}
        return nb, resources

    async def _run_notebook(self) -> dict[int, Verdict]:
        try:
            await self._open()
            for index, cell in enumerate(self.nb.cells):
                await self._treat(index, cell)
            self._pause()
            return await self._trials.decide()
        finally:
            await self._close()

    # -- the kernel ----------------------------------------------------------------------------

    async def _open(self) -> None:
        self._session = KernelSession(self._order)
        await self._session.open()
        self._walls.append(self._session.wall)
        self.km, self.kc = self._session.manager, self._session.client

    async def _close(self) -> None:
        if self._session is not None:
            await self._session.close()
        self._session = self.km = self.kc = None

    async def _revive(self, killer: int) -> bool:
        """After cell `killer` has ended the kernel: run again what had run before it; whether that has worked."""
        self._revivals += 1
        if self._revivals > self.max_revivals:
            self._given_up = NOT_RUN
            await self._close()
            return False
        return await self._rerun([index for index in self._ran if index != killer])

    async def _recover(self, index: int) -> bool:
        """For the trial at `index`, once all cells have run: run them again, the second time only as far as it."""
        self._revivals += 1
        if self._given_up or self._out_of_time():
            return False
        first, self._recovered = not self._recovered, True
        usable = await self._rerun([i for i in self._ran if first or i <= index])
        self._pause()
        return usable

    def _pause(self) -> None:
        """While exercises are tried, nothing else of the notebook runs, such as threads that it has left behind."""
        if self._session is not None:
            self._session.pause()

    async def _alive(self) -> bool:
        """Whether there is a kernel, and it has not ended."""
        return self._session is not None and await self._session.alive()

    async def _rerun(self, cells: list[int]) -> bool:
        """Run cells in a new kernel, with new wires for the trials among them; whether that has worked."""
        await self._close()
        self._trials.hang_up()
        await self._open()
        trials = {trial.index: trial for trial in self._trials}
        for index in cells:
            if index in trials:
                trials[index].wire = await self._session.hold()
                usable = trials[index].wire is not None
            else:
                usable = not await self._run(index, self.nb.cells[index].copy())
            if not usable:
                self._given_up = NOT_RUN
                await self._close()
                return False
        return True

    def _out_of_time(self) -> bool:
        """Whether the notebook has used up its time."""
        return time.monotonic() - self._started > self.notebook_seconds

    # -- the cells -----------------------------------------------------------------------------

    async def _treat(self, index: int, cell: Any) -> None:
        """Run one cell, keep the state for its trial, or leave it as it is."""
        cell.metadata.pop(METADATA, None)
        if cell.cell_type != "code":
            return
        exercise = self._exercise_of(cell)
        if not self._given_up and self._out_of_time():
            self._given_up = OUT_OF_TIME
        if exercise is not None:
            await self._keep_for_trial(index, cell, exercise)
        elif display_only(cell):
            return
        elif self._given_up:
            what = "test" if is_grade(cell) and not is_solution(cell) else "cell"
            cell.outputs = [_error("NotRun", self._given_up.format(what=what, seconds=self.notebook_seconds))]
        elif cell.source.strip():
            trouble = await self._run(index, cell)
            if trouble:
                cell.outputs.append(_error("CellStopped", STOPPED[trouble].format(timeout=self.timeout)))
            if not trouble:
                self._ran.append(index)
            elif trouble != "late" or not await self._session.settles(self.settle_seconds):
                await self._revive(index)

    async def _keep_for_trial(self, index: int, cell: Any, exercise: Exercise) -> None:
        cells = [
            c.source for c in self.nb.cells[:index] if c.cell_type == "code" and not display_only(c) and not is_grade(c)
        ]
        most = float(cell.metadata["nbgrader"]["points"])
        trial = Trial(index, exercise, most, cells, why_undefined(exercise.name, self.nb.cells[:index]))
        self._trials.add(trial)
        if self._given_up:
            return
        self._ran.append(index)
        trial.wire = await self._session.hold()
        if trial.wire is None and await self._revive(index):
            self._ran.append(index)
            trial.wire = await self._session.hold()
        trial.reached = trial.wire is not None
        if not trial.reached and not self._given_up:
            await self._revive_without_suspects(index)

    async def _revive_without_suspects(self, index: int) -> None:
        """Where no state can be kept at a check: go on without the cells since the last check, one of which is why."""
        sound = max((trial.index for trial in self._trials if trial.reached), default=-1)
        self._ran = [i for i in self._ran if i <= sound]
        await self._revive(index)

    def _exercise_of(self, cell: Any) -> Exercise | None:
        """The exercise that a graded check cell is about; None for every other cell."""
        if not is_grade(cell) or is_solution(cell):
            return None
        return self.exercises.get(checked_name(cell.source) or "")

    async def _run(self, index: int, cell: Any) -> str:
        """Run a cell; why it was stopped (a key of `STOPPED`), empty where it has ended by itself."""
        self._written = self._messages = 0
        self._flooded = False
        timeout = self._get_timeout(cell)
        try:
            await self.async_execute_cell(cell, index, store_history=True)
        except CellTimeoutError:
            return "late"
        except Exception as error:  # a kernel that has died, or sends what is no message
            self.log.debug("Cell %s ended the kernel: %s", index, error)
            return "flood" if self._flooded else "memory" if self._session.ended_for_memory else "dead"
        if any(o.output_type == "error" and o.ename == "CellTimeoutError" for o in cell.outputs):
            cell.outputs = [o for o in cell.outputs if o.output_type != "error"]
            return "late" if timeout else "dead"
        return ""

    async def _async_poll_kernel_alive(self) -> None:
        """As nbclient does it, but more often, and only as long as this kernel is the one in use."""
        session = self._session
        while await session.alive():
            await asyncio.sleep(ALIVE_SECONDS)
            if session is not self._session:
                return
        if session is self._session and self.task_poll_for_reply is not None:
            self.task_poll_for_reply.cancel()

    # -- what the kernel sends -----------------------------------------------------------------

    def process_message(self, msg, cell, cell_index):
        """As nbclient does, up to a number and size of outputs."""
        self._messages += 1
        self._written += size_of(msg["content"])
        if self._written > MAX_CELL_FLOOD or self._messages > MAX_CELL_MESSAGES:
            self._flooded = True
            self._session.kill()
        if self._written > MAX_CELL_OUTPUT and msg["msg_type"] != "status":
            return None
        return super().process_message(msg, cell, cell_index)

    def handle_comm_msg(self, outs, msg, cell_index):
        """Widgets are for looking at, and nobody looks while a submission is graded."""

    def _with_cause(self, verdict: Verdict, index: int) -> Verdict:
        """With the reason why a name is missing that the student's code needs, where a cell above should give it."""
        if verdict.passed or verdict.cause:
            return verdict
        for finding in verdict.findings.values():
            missing = re.search(r"raises NameError \(name '(\w+)' is not defined\)", finding.text)
            if missing:
                why = why_undefined(missing.group(1), self.nb.cells[:index])
                return replace(verdict, cause="" if why.startswith(missing.group(1)) else why)
        return verdict


def write_down(cell: Any, verdict: Verdict) -> None:
    """Put a verdict into its check cell, once no student code runs any more."""
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
        except UNREADABLE:
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


def size_of(content: Any, depth: int = 0) -> int:
    """About how many characters a message's content holds."""
    if isinstance(content, str):
        return len(content)
    if isinstance(content, dict) and depth < 10:
        return sum(size_of(value, depth + 1) for value in content.values())
    if isinstance(content, list) and depth < 10:
        return sum(size_of(value, depth + 1) for value in content)
    return 8


def _imports_torch(cell: Any) -> bool:
    if cell.cell_type != "code" or display_only(cell):
        return False
    return bool(re.search(r"^\s*(?:import|from)\s+torch\b", cell.source, re.MULTILINE))


def _error(name: str, sentence: str) -> Any:
    return new_output("error", ename=name, evalue=sentence, traceback=[sentence])
