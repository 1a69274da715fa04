"""Grades a class of attackers and says, for each, what it got out of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from tests import toy
from tests.attacks.attack import FULL, Attack
from tests.attacks.ground import HONEST, PEER, ROOT, Ground

SECONDS = 400
MAX_NOTEBOOK = 2 * 2**20  # bytes that grading may add to a notebook


@dataclass
class Evidence:
    """What a run has left behind. `results` are the entries of `--json` by student."""

    ground: Ground
    results: dict[str, dict[str, Any]]
    alone: dict[str, Any] = field(default_factory=dict)  # of an honest student, graded before all others
    status: int = 0
    said: str = ""
    left: list[tuple[int, str, str]] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)
    signals: str = ""
    victim_alive: bool = True
    changed: list[str] = field(default_factory=list)
    findings: dict[str, list[str]] = field(default_factory=dict)  # worked out, for when the ground has gone
    surroundings: list[str] = field(default_factory=list)

    def against(self, attack: Attack) -> list[str]:
        """A sentence for each thing that the attack must not have achieved."""
        result = self.results.get(attack.name)
        if result is None:
            return ["it was not graded"]
        return [
            *self.gains(attack, result),
            *self.unsaid(attack, result),
            *(f"it learnt the {kind}" for kind in self.learnt(attack.name, result)),
            *(f"it left the file {path}" for path in self.stray if self._is_of(attack, path)),
            *(f"it reached {data}" for data in self.ground.listeners.heard if self.ground.mark(attack) in data),
            *(
                f"it left the process {name} {line}"
                for _, name, line in self.left
                if self._runs_for(attack, name, line)
            ),
            *self.script(attack.name),
            *self.swollen(attack.name),
        ]

    def gains(self, attack: Attack, result: dict[str, Any]) -> list[str]:
        """Points that are not those which the attack must get."""
        scores = {name: verdict["score"] for name, verdict in result["exercises"].items()}
        return [
            f"it got {scores.get(name)} for {name}, not {wanted}"
            for name, wanted in attack.points.items()
            if scores.get(name) != wanted
        ]

    def unsaid(self, attack: Attack, result: dict[str, Any]) -> list[str]:
        """Sentences that the student or the instructor should have read."""
        message = result["exercises"].get("shift", {}).get("message", "")
        missing = [] if attack.says in message else [f"the message of shift is {message!r}"]
        if attack.problem and not any(attack.problem in problem for problem in result["problems"]):
            missing.append(f"the problems are {result['problems']}")
        return missing

    def learnt(self, student: str, result: dict[str, Any]) -> list[str]:
        """Secrets that stand in what the student, or somebody for them, gets to read."""
        shown = self.shown(student) + json.dumps(result)
        kinds = [k for k, text in self.ground.canaries.items() if text in shown and (k != "peer" or student != PEER)]
        if any(number in shown for number in self.ground.secret_inputs()):
            kinds.append("secret inputs")
        return kinds

    def shown(self, student: str) -> str:
        """The text of everything that grading has made for a student."""
        folders = [self.ground.course / step / student for step in ("autograded", "feedback")]
        files = [p for folder in folders for p in sorted(folder.rglob("*")) if p.suffix in (".ipynb", ".html")]
        return "".join(p.read_text(encoding="utf-8", errors="replace") for p in files if p.is_file())

    def script(self, student: str) -> list[str]:
        """Whatever would run in the browser of somebody who reads the feedback."""
        found = []
        for path in (self.ground.course / "feedback" / student).rglob("*.html"):
            reader = ActiveParts(f"pwned-{self.ground.run}")
            reader.feed(path.read_text(encoding="utf-8"))
            reader.close()
            found += [f"its feedback page runs {part[:120]}" for part in reader.found]
        return found

    def swollen(self, student: str) -> list[str]:
        """Notebooks that grading has made very large."""
        found = []
        for path in (self.ground.course / "autograded" / student).rglob("*.ipynb"):
            given = self.ground.course / "submitted" / student / toy.ASSIGNMENT / path.name
            before = given.stat().st_size if given.is_file() else 0
            if path.is_file() and path.stat().st_size > 2 * before + MAX_NOTEBOOK:
                found.append(f"its graded notebook has {path.stat().st_size} bytes")
        return found

    def around(self) -> list[str]:
        """A sentence for each thing that befell the class, the machine or the grader; empty when all is well."""
        found = []
        for student in HONEST:
            result = self.results.get(student)
            if result is None or result.get("problems"):
                found.append(f"{student} was not graded as alone: {result and result['problems']}")
            elif {n: v["score"] for n, v in result["exercises"].items()} != FULL:
                found.append(f"{student} lost points: {result['exercises']}")
            elif self.alone and result["exercises"] != self.alone["exercises"]:
                found.append(f"{student} has other verdicts than alone")
            else:
                found += [f"{student} was shown the {kind}" for kind in self.learnt(student, result)]
        attacks = self.ground.attacks.values()
        found += [f"changed: {name}" for name in self.changed]
        found += [f"the process {n} {line} was left" for _, n, line in self.left]
        found += [f"somebody reached {data}" for data in self.ground.listeners.heard]
        found += [f"{path} was left" for path in self.stray if not any(self._is_of(a, path) for a in attacks)]
        if self.signals.split() != ["ready"]:
            found.append(f"a process of another student got the signals {self.signals}")
        if not self.victim_alive:
            found.append("a process of another student was killed or stopped")
        if self.status:
            found.append(f"grading ended with {self.status}: {self.said[-1000:]}")
        return found

    def _is_of(self, attack: Attack, text: str) -> bool:
        return re.search(re.escape(self.ground.mark(attack)) + r"(?![a-z_])", text) is not None

    def _runs_for(self, attack: Attack, name: str, line: str) -> bool:
        return name == self.ground.process_name(attack) or self.ground.digits(attack) in line


class ActiveParts(HTMLParser):
    """Finds what a browser would run, load or follow of the parts of a page that contain a mark."""

    LOADING = ("href", "src", "action", "formaction", "data", "srcdoc", "content", "xlink:href", "background", "poster")

    def __init__(self, mark: str):
        super().__init__(convert_charrefs=True)
        self.mark = mark
        self.found: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag, attributes):
        if tag in ("script", "style"):
            self._inside.append(tag)
        for name, value in attributes:
            if value and self.mark in value and (name.startswith("on") or name in self.LOADING or name == "style"):
                self.found.append(f"<{tag} {name}={value}>")

    def handle_endtag(self, tag):
        if tag in ("script", "style") and self._inside:
            self._inside.pop()

    def handle_data(self, data):
        if self._inside and self.mark in data:
            self.found.append(f"<{self._inside[-1]}>{data}")

    def handle_comment(self, data):
        """A comment does nothing."""


def grade(ground: Ground, sandbox: str = "", wall: str = "", jobs: int = 2, again: tuple[str, ...] = ()) -> Evidence:
    """Grade one honest student alone, then the whole class; `again` are regraded once more at the end.

    `sandbox` is what `autograder grade --sandbox` gets, `wall` forces a kind of wall.
    """
    evidence = Evidence(ground, {})
    more = ["--sandbox", sandbox] if sandbox else []
    environment = ground.environment() | ({"AUTOGRADER_WALL": wall} if wall else {})

    def autograder(*arguments: str) -> dict[str, dict[str, Any]]:
        out = ground.root / "results.json"
        out.unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.attacks.grade", *arguments, "--course-dir", str(ground.course)]
        if arguments[0] == "grade":
            command += ["--json", str(out), *more]
        run(evidence, command, environment)
        return {r["student"]: r for r in json.loads(out.read_text())["submissions"]} if out.is_file() else {}

    evidence.alone = autograder("grade", "--student", PEER, "--jobs", "1")[PEER]
    ground.name_in_gradebook()
    evidence.results = autograder("grade", "--regrade", "--jobs", str(jobs))
    for student in again:
        evidence.results |= autograder("grade", "--regrade", "--student", student)
    autograder("feedback")
    return collect(evidence)


def run(
    evidence: Evidence, command: list[str], environment: dict[str, str], folder: Path = ROOT, seconds: int = SECONDS
) -> None:
    """Run a command under the overseer; what it says, how it ends and what it leaves goes into the evidence."""
    ground = evidence.ground
    report = ground.root / "left.json"
    overseen = [sys.executable, "-m", "tests.attacks.overseer", str(report), str(seconds), *command]
    done = subprocess.run(
        overseen, cwd=folder, env=environment, capture_output=True, text=True, errors="replace",
        pass_fds=[ground.descriptor], timeout=seconds + 60, check=False,
    )  # fmt: skip
    evidence.said += done.stdout + done.stderr
    evidence.status = evidence.status or done.returncode
    evidence.left += [tuple(one) for one in json.loads(report.read_text())]


def collect(evidence: Evidence) -> Evidence:
    """Look at what is left on the ground after grading."""
    ground = evidence.ground
    evidence.stray = ground.stray_files()
    evidence.signals = ground.signals.read_text()
    evidence.victim_alive = ground.victim.poll() is None and _state(ground.victim.pid) not in "TtZ"
    after = ground.tree()
    evidence.changed = sorted(n for n in ground.before.keys() | after.keys() if ground.before.get(n) != after.get(n))
    return evidence


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
