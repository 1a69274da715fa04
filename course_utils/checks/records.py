"""What a learner has done, kept in `progress.json` beside the notebook.

The file is a convenience: a damaged, missing or unwritable one costs nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from html import escape
from pathlib import Path
from typing import Any

from course_utils.checks import registry
from course_utils.checks.verdict import Verdict
from course_utils.environment import grading, show

FILE = "progress.json"


# What could not be written to this kernel's folder, remembered for as long as the kernel lives.
_unwritten: dict[str, dict[str, Any]] = {}


def load(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """Exercise name → {score, max_score, passed, tried, hints}; empty where there is nothing readable."""
    folder = folder or Path.cwd()
    unwritten = _unwritten if folder == Path.cwd() else {}
    try:
        data = json.loads((folder / FILE).read_text(encoding="utf-8"))
        entries = data["exercises"]
        return {str(name): _entry(entry) for name, entry in entries.items()} | unwritten
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return dict(unwritten)


def _entry(entry: Any) -> dict[str, Any]:
    return {
        "score": float(entry.get("score", 0)),
        "max_score": float(entry.get("max_score", 0)),
        "passed": bool(entry.get("passed", False)),
        "tried": bool(entry.get("tried", False)),
        "hints": int(entry.get("hints", 0)),
    }


def update(name: str, **changes: Any) -> None:
    """Merge `changes` into the entry of one exercise, atomically; silent where nothing can be written."""
    if grading():
        return
    entries = load()
    entries[name] = {**_entry(entries.get(name, {})), **changes}
    target = Path.cwd() / FILE
    path = None
    try:
        handle, path = tempfile.mkstemp(dir=Path.cwd(), prefix=".progress-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"exercises": entries}, file, indent=1)
        if target.exists() and not _readable(target):
            os.replace(target, target.with_suffix(".json.damaged"))
        os.replace(path, target)
        _unwritten.clear()
    except OSError:
        _unwritten[name] = entries[name]
        if path:
            with contextlib.suppress(OSError):
                os.unlink(path)


def _readable(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_text(encoding="utf-8"))["exercises"], dict)
    except (OSError, ValueError, TypeError, KeyError):
        return False


def record(verdict: Verdict) -> None:
    """Remember the latest verdict on an exercise."""
    tried = {} if verdict.unwritten else {"tried": True}
    update(verdict.exercise, score=verdict.score, max_score=verdict.max_score, passed=verdict.passed, **tried)


def summary(folder: Path | None = None) -> list[dict[str, Any]]:
    """One row per assignment: title, exercises with their state, points earned and available.

    The course's other notebooks lie in sibling folders named after their assignments.
    """
    here = folder or Path.cwd()
    rows = []
    for assignment, entry in registry.outline().items():
        home = here if here.name == assignment else here.parent / assignment
        done = load(home)
        if not done and any(e["name"] in load(here) for e in entry["exercises"]):
            done = load(here)  # the notebook was moved to a folder of another name
        states = [
            {
                "name": e["name"],
                "points": float(e["points"]),
                "score": done.get(e["name"], {}).get("score", 0.0),
                "state": _state(done.get(e["name"], {})),
            }
            for e in entry["exercises"]
        ]
        rows.append(
            {"assignment": assignment, "title": entry.get("title", assignment), "exercises": states, "here": bool(done)}
        )
    return rows


def _state(entry: dict[str, Any]) -> str:
    return "passed" if entry.get("passed") else "tried" if entry.get("tried") else "open"


def progress() -> None:
    """Show what is done in this notebook, exercise by exercise, and in the course."""
    if grading():
        return
    rows = summary()
    if not rows:
        show("The course's outline is missing, so there is nothing to compare with. Your checks still work.")
        return
    marks = {"passed": "✓", "tried": "…", "open": "○"}
    text, html = [], []
    for row in rows:
        earned = sum(e["score"] for e in row["exercises"])
        total = sum(e["points"] for e in row["exercises"])
        passed = sum(e["state"] == "passed" for e in row["exercises"])
        head = f"{row['title']}: {passed} of {len(row['exercises'])} exercises, {earned:g} of {total:g} points"
        text.append(head)
        share = 100 * earned / total if total else 0
        html.append(
            f"<div style='margin:.4em 0'><b>{escape(head)}</b><div role='img' aria-label='{share:.0f} percent' "
            f"style='height:.5em;max-width:62em;background:rgba(127,127,127,.3)'>"
            f"<div style='height:100%;width:{share:.1f}%;background:#0072B2'></div></div>"
        )
        if row["here"] or len(rows) == 1:
            items = [f"{marks[e['state']]} {e['name']}" for e in row["exercises"]]
            text += ["  " + item for item in items]
            html.append(
                "<div style='columns:3;max-width:62em'>"
                + "".join(f"<div><code>{escape(i)}</code></div>" for i in items)
                + "</div>"
            )
        html.append("</div>")
    legend = "✓ passed, … tried, ○ not started"
    if _unwritten:
        legend += f"\n{FILE} cannot be written in this folder, so this is forgotten when the kernel stops."
    text.append(legend)
    html.append(f"<div style='opacity:.75'>{escape(legend)}</div>")
    show("\n".join(text), "".join(html))
