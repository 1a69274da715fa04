"""`python -m tests.attacks.compare [FILE]`: the attacks against stock nbgrader and against us, in docs/attacks.md.

What could harm a machine without walls is not run against stock nbgrader. There the checks are assertions in the
notebook, hidden ones among them, as nbgrader's documentation has them.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from tests import toy
from tests.attacks.attack import FULL, Attack
from tests.attacks.ground import HONEST, ROOT, Ground
from tests.attacks.harness import Evidence, collect, grade, run
from tests.attacks.suite import ATTACKS, TOPICS

FINE = "all graded, with full points"
PAGE = ROOT / "docs" / "attacks.md"
HEAD = """# Attacks

{count} submissions that try to gain points, to learn a secret, or to harm the machine or another student; made and
checked by `tests/attacks`, this page by `python -m tests.attacks.compare`. Every one is an otherwise honest notebook:
two exercises, `shift` with 6 points and `twice` with 2.

"Held" means: not a point more than the code deserves and none less for the honest exercise beside it; no secret (the
course's, the author's, another student's, the grader's environment, a secret input) in anything that the student gets
to read; no file, process or connection anywhere else; no script in the feedback page; the honest students of the class
graded as if the attackers were not there. *Stock nbgrader* is version {version} as it comes, with assertions, hidden
ones among them, in locked test cells, and a time limit of 4 seconds for a cell; "not run" says why an attack was not
tried there, which is always its danger for the machine or that there is nothing to attack.

| | ours: `--sandbox bwrap` | stock nbgrader |
|---|---|---|
| attacks run | {ours_run} | {stock_run} |
| held | **{ours_held}** | **{stock_held}** |
| honest students around the attackers | {ours_around} | {stock_around} |
"""

WITHOUT_WALLS = """## Without bubblewrap

`--sandbox process` has limits and a filter of system calls, but no namespaces: what students wrote runs as the grader's
own user. The attacks below may then succeed, which is why every such run warns; all others are held there as well. Who
can read the course directory finds the solutions in it, so among these are attacks that gain points."""


def stock() -> Evidence:
    """The attacks that may be run without walls, graded by `nbgrader autograde`."""
    with Ground([attack for attack in ATTACKS if not attack.stock], plain=True) as ground:
        evidence = Evidence(ground, {})
        nbgrader = [sys.executable, "-m", "nbgrader"]
        run(
            evidence, [*nbgrader, "generate_assignment", toy.ASSIGNMENT, "--force"], ground.environment(), ground.course
        )
        ground.name_in_gradebook()
        run(evidence, [*nbgrader, "autograde", toy.ASSIGNMENT], ground.environment(), ground.course, seconds=3600)
        in_class = scores(ground)
        for student in ground.attacks.keys() - in_class.keys():  # an attack has ended nbgrader before their turn
            one = [*nbgrader, "autograde", toy.ASSIGNMENT, "--student", student]
            run(evidence, one, ground.environment(), ground.course, seconds=120)
        run(evidence, [*nbgrader, "generate_feedback", toy.ASSIGNMENT], ground.environment(), ground.course)
        evidence.results = scores(ground) | {student: in_class.get(student) for student in HONEST}
        return frozen(collect(evidence))


def scores(ground: Ground) -> dict:
    """What stand in stock nbgrader's gradebook, in the form of our results."""
    from nbgrader.api import Gradebook, MissingEntry

    found = {}
    with Gradebook(f"sqlite:///{ground.course}/gradebook.db") as gradebook:
        for student in (*ground.attacks, *HONEST):
            try:
                grades = gradebook.find_submission_notebook("toy", toy.ASSIGNMENT, student).grades
            except MissingEntry:
                continue
            points = {g.cell.name.removeprefix("check_"): g.auto_score for g in grades}
            exercises = {name: {"score": points.get(name)} for name in ("shift", "twice")}
            found[student] = {"student": student, "exercises": exercises, "problems": []}
    return found


def frozen(evidence: Evidence) -> Evidence:
    """The evidence with its findings worked out, as the ground is about to go."""
    evidence.findings = {attack.name: evidence.against(attack) for attack in evidence.ground.attacks.values()}
    evidence.surroundings = evidence.around()
    return evidence


def in_words(findings: list[str], attack: Attack) -> str:
    """A cell of the table."""
    if not findings:
        return "held"
    said = []
    for finding in findings:
        points = re.match(r"it got (\S+) for (\w+), not (\S+)", finding)
        if points and points[1] != "None":
            got, wanted = float(points[1]), float(points[3])
            if points[2] == "twice" and not attack.change and got == FULL["twice"]:
                continue  # there the attack does not break its own kernel, so the honest exercise has its points
            said.append(f"{points[2]}: {got:g} instead of {wanted:g} points")
        elif points or finding == "it was not graded":
            said.append("not graded")
        elif finding.startswith("it learnt"):
            said.append(finding.removeprefix("it "))
        elif "feedback page" in finding:
            said.append("script in the feedback page")
        elif finding.startswith("it left the file"):
            said.append("left files behind")
        elif finding.startswith("it left the process"):
            said.append("left a process behind")
        elif finding.startswith("it reached"):
            said.append("reached a server")
        elif "bytes" in finding:
            said.append("swelled the graded notebook")
    return "; ".join(dict.fromkeys(said)) or "held"


def write(ours: Evidence, findings: dict[str, list[str]], surroundings: list[str]) -> None:
    """Write the page from our evidence and from what was found about stock nbgrader."""
    from nbgrader import __version__

    lines = []
    held = {"ours": 0, "stock": 0}
    for topic, attacks in TOPICS.items():
        lines += ["", f"## {topic}", "", "| attack | what it tries | stock nbgrader | ours |", "|---|---|---|---|"]
        for attack in attacks:
            mine = in_words(ours.findings[attack.name], attack)
            stock = f"not run: {attack.stock}" if attack.stock else in_words(findings[attack.name], attack)
            held["ours"] += mine == "held"
            held["stock"] += stock == "held"
            lines.append(f"| `{attack.name}` | {attack.tries} | {stock} | {mine} |")
    lines += ["", WITHOUT_WALLS, "", "| why | attacks |", "|---|---|"]
    for why in dict.fromkeys(attack.only_walls for attack in ATTACKS if attack.only_walls):
        names = ", ".join(f"`{attack.name}`" for attack in ATTACKS if attack.only_walls == why)
        lines.append(f"| {why} | {names} |")
    harmed = sum("_honest was not graded" in finding for finding in surroundings)
    head = HEAD.format(
        count=len(ATTACKS), version=__version__, ours_run=len(ATTACKS), ours_held=held["ours"],
        stock_run=len(findings), stock_held=held["stock"],
        ours_around=FINE if not ours.surroundings else "; ".join(ours.surroundings),
        stock_around=f"{harmed} of {len(HONEST)} not graded: an attack had ended the run" if harmed else FINE,
    )  # fmt: skip
    Path(PAGE).write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


def main(kept: str = "") -> None:
    """Run both and write the page; `kept` is a file for stock nbgrader's findings, which take long."""
    if kept and Path(kept).exists():
        told = json.loads(Path(kept).read_text())
    else:
        theirs = stock()
        told = {"findings": theirs.findings, "surroundings": theirs.surroundings}
        if kept:
            Path(kept).write_text(json.dumps(told, indent=1))
    with Ground(ATTACKS) as ground:
        ours = frozen(grade(ground, sandbox="bwrap", jobs=4, again=("collude_b",)))
    write(ours, told["findings"], told["surroundings"])
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main(*sys.argv[1:])
