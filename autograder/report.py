"""The class report: how each exercise went, and what the class misunderstood. One HTML page per assignment."""

from __future__ import annotations

import re
from collections import Counter
from html import escape as html_escape
from pathlib import Path
from typing import Any

from autograder import CourseError
from autograder.build.generate import write_files
from autograder.course import Course
from autograder.table import wall_lines
from autograder.texts import one_line
from course_utils.checks.registry import exercises
from course_utils.checks.verdict import CHANGES_INPUT, SHARES_INPUT

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
body { color: #222; background: #fff; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.bar { background: #e6e6e6; height: .7rem; min-width: 8rem; } .bar div { background: #0072B2; height: 100%; }
.mute { color: #666; }
"""


POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def escape(text: str) -> str:
    """Text for the page, in one line and without what turns or hides text."""
    return html_escape(one_line(str(text), 1000))


def exercise_rows(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each exercise: how many passed, tried and have it, the mean share of points, weak aspects."""
    rows = []
    for name in dict.fromkeys(name for result in results for name in result["exercises"]):
        verdicts = [result["exercises"][name] for result in results if name in result["exercises"]]
        tried = [v for v in verdicts if v.get("judged", True)]
        shares = [v["score"] / v["max_score"] for v in tried if v["max_score"]]
        missed = Counter(aspect for v in tried for aspect, passed in v["aspects"].items() if not passed)
        rows.append(
            {
                "name": name,
                "passed": sum(v["passed"] for v in verdicts),
                "tried": len(tried),
                "all": len(verdicts),
                "mean": sum(shares) / len(shares) if shares else 0.0,
                "missed": missed.most_common(3),
            }
        )
    return rows


def misunderstood(assignment: str, results: list[dict[str, Any]]) -> list[tuple[list[str], str, str, str]]:
    """The named misconceptions, commonest first: whose, exercise, name, and the question to raise in class."""
    whose: dict[tuple[str, str], list[str]] = {}
    for result in results:
        for name, verdict in result["exercises"].items():
            if verdict["misconception"]:
                whose.setdefault((name, verdict["misconception"]), []).append(result["student"])
    found = []
    for (name, misconception), students in whose.items():
        exercise = exercises(assignment).get(name)
        known = (*exercise.misconceptions, CHANGES_INPUT, SHARES_INPUT) if exercise else ()
        question = next((m.question for m in known if m.name == misconception), "")
        question = question.removeprefix("Ask yourself: ")
        found.append((students, name, misconception, question[:1].upper() + question[1:]))
    return sorted(found, key=lambda item: (-len(item[0]), item[1], item[2]))


def write_report(course: Course, assignment: str, results: list[dict[str, Any]]) -> Path:
    """Write the report of one assignment beside the feedback; returns its path. Raises `CourseError`."""
    path = course.path("feedback", "x", assignment).parent.parent / f"class_report_{assignment}.html"
    try:
        write_files(path.parent, {path.name: page(assignment, results).encode()})
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror}.") from None
    return path


def page(assignment: str, results: list[dict[str, Any]]) -> str:
    """The report as one self-contained HTML page without scripts; everything from a student is escaped."""
    rows = exercise_rows(results)
    scores = sorted(r["score"] / r["max_score"] for r in results if r["max_score"])
    median = f"{100 * scores[len(scores) // 2]:.0f} %" if scores else "none"
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'>",
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{escape(assignment)}: class report</title><style>{STYLE}</style>",
        f"<h1>{escape(assignment)}: class report</h1>",
        f"<p>{len(results)} submissions. Median score of the judged exercises: {median}.</p>",
        "<h2>What the class misunderstood</h2>",
        _misconceptions_html(misunderstood(assignment, results)),
        "<h2>Exercise by exercise</h2>",
        _exercises_html(rows),
        _problems_html(results),
        *(f"<p>{escape(line)}</p>" for line in wall_lines(results)),
        "</html>",
    ]
    return "\n".join(part for part in parts if part)


def _misconceptions_html(found: list[tuple[list[str], str, str, str]]) -> str:
    if not found:
        return "<p>No misconception was named.</p>"
    head = ["", "exercise", "misconception", "a question for the class", "students"]
    rows = [
        [str(len(students)), _code(exercise), escape(name), _with_code(question), ", ".join(map(escape, students))]
        for students, exercise, name, question in found
    ]
    return _table(head, rows, numbers={0})


def _with_code(text: str) -> str:
    """Escaped text in which what stands between backticks is code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))


def _exercises_html(rows: list[dict[str, Any]]) -> str:
    head = ["exercise", "passed", "tried", "all", "mean of those who tried", "most missed"]
    body = []
    for row in rows:
        missed = ", ".join(f"{aspect} ({count})" for aspect, count in row["missed"])
        counts = [str(row[key]) for key in ("passed", "tried", "all")]
        body.append([_code(row["name"]), *counts, _bar(100 * row["mean"]), escape(missed)])
    return _table(head, body, numbers={1, 2, 3})


def _table(head: list[str], rows: list[list[str]], numbers: set[int]) -> str:
    """A table; `rows` are HTML already, the columns in `numbers` are aligned as such."""

    def line(cells: list[str], tag: str) -> str:
        parts = (f"<{tag}{' class=n' if i in numbers else ''}>{cell}</{tag}>" for i, cell in enumerate(cells))
        return f"<tr>{''.join(parts)}</tr>"

    return f"<table>{line(head, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"


def _bar(percent: float) -> str:
    inside = f"<div style='width:{percent:.0f}%'></div>"
    label = f"<span class='mute'>{percent:.0f} %</span>"
    return f"<div class='bar' role='img' aria-label='{percent:.0f} percent'>{inside}</div>{label}"


def _code(name: str) -> str:
    return f"<code>{escape(name)}</code>"


def _problems_html(results: list[dict[str, Any]]) -> str:
    waiting = [r["student"] for r in results if r["manual"]]
    written = f"<h2>Written answers to read</h2><p>{', '.join(map(escape, waiting))}</p>" if waiting else ""
    items = [f"<li>{escape(r['student'])}: {escape(problem)}</li>" for r in results for problem in r["problems"]]
    return written + (f"<h2>Problems with submissions</h2><ul>{''.join(items)}</ul>" if items else "")
