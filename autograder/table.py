"""The class as a table in the terminal: student × exercise, the scores, the named misconceptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

WIDEST = 10  # exercises in one table, so that it fits into 80 columns
LEFT = {"title_justify": "left", "caption_justify": "left"}


def class_tables(results: list[dict[str, Any]]) -> Iterator[Table]:
    """For each assignment: a table of points, and a table of the misconceptions that were named."""
    for assignment in dict.fromkeys(result["assignment"] for result in results):
        rows = [result for result in results if result["assignment"] == assignment]
        exercises = list(dict.fromkeys(name for row in rows for name in row["exercises"]))
        tables = -(-len(exercises) // WIDEST) or 1
        ends = [len(exercises) * i // tables for i in range(tables + 1)]
        for first, end in zip(ends, ends[1:], strict=False):
            yield points_table(assignment, rows, exercises, first, end)
        if any(verdict["misconception"] for row in rows for verdict in row["exercises"].values()):
            yield misconception_table(rows)


def points_table(assignment: str, rows: list[dict[str, Any]], exercises: list[str], first: int, end: int) -> Table:
    """Points by student (rows) and exercise (columns `first` to `end`, numbered and named in the caption)."""
    numbered = list(enumerate(exercises, 1))[first:end]
    legend = "   ".join(f"{i}:{name}" for i, name in numbered)
    most = max((row["max_score"] for row in rows), default=0)
    title = assignment if len(numbered) == len(exercises) else f"{assignment}, exercises {first + 1} to {end}"
    table = Table(title=title, caption=legend, box=box.SIMPLE_HEAD, padding=0, show_edge=False, **LEFT)
    table.add_column("student", overflow="fold", min_width=12)
    for i, _ in numbered:
        table.add_column(str(i), justify="right", no_wrap=True)
    table.add_column(f"of {most:g}", justify="right", style="bold", no_wrap=True)
    for row in rows:
        cells = [_points(row["exercises"].get(name)) for _, name in numbered]
        total = "–" if row.get("failed") else f"{row['score']:g}"
        table.add_row(escape(row["student"]), *cells, total)
    return table


def _points(verdict: dict[str, Any] | None) -> str:
    if verdict is None:
        return "–"
    if verdict["passed"]:
        return f"{verdict['score']:g}"
    return f"[yellow]{verdict['score']:g}{'*' if verdict['misconception'] else ''}[/yellow]"


def misconception_table(rows: list[dict[str, Any]]) -> Table:
    """The points marked * above: whose, where, and which misconception."""
    table = Table(title="* misconceptions", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, **LEFT)
    for name in ("student", "exercise", "misconception"):
        table.add_column(name)
    for row in rows:
        for name, verdict in row["exercises"].items():
            if verdict["misconception"]:
                table.add_row(escape(row["student"]), name, verdict["misconception"])
    return table


def problem_lines(results: list[dict[str, Any]]) -> Iterator[str]:
    """One line for each problem with a submission, and one for what waits for a human; plain text."""
    for result in results:
        for problem in result["problems"]:
            yield f"{result['student']}, {result['assignment']}: {problem}"
    waiting: dict[str, list[str]] = {}
    for result in results:
        if result["manual"]:
            waiting.setdefault(result["assignment"], []).append(result["student"])
    for assignment, students in waiting.items():
        yield f"{assignment}: written answers wait for you in nbgrader's formgrader: {_listed(students)}."


def wall_lines(results: list[dict[str, Any]]) -> Iterator[str]:
    """A line for each reason why submissions ran behind a weaker wall than the best; plain text."""
    behind: dict[tuple[str, str], list[str]] = {}
    for result in results:
        if result.get("wall", "") in WEAKER and not result.get("failed"):
            behind.setdefault((result["wall"], result["why"]), []).append(result["student"])
    for (wall, why), students in behind.items():
        yield f"{len(students)} of {len(results)} submissions {WEAKER[wall]}: {_listed(students)}. {why}".rstrip()


WEAKER = {
    "bwrap": "ran in a sandbox each, not in one behind a fork server",
    "process": "ran without a sandbox, in a process that is only limited in what it uses",
}


def change_lines(results: list[dict[str, Any]], always: bool = False) -> Iterator[str]:
    """Every score that is another one than before; where none is, a line that says so if `always` is set."""
    changed = [(result, *change) for result in results for change in result.get("changes", ())]
    if changed:
        yield "Scores that changed:"
    elif always:
        yield "No score changed."
    for result, name, old, new in changed:
        yield f"  {result['student']}, {result['assignment']}, {name}: {old:g} → {new:g}"


def _listed(names: list[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
