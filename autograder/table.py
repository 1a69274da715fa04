"""The class as a table in the terminal: student × exercise, the scores, the named misconceptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

LEFT = {"title_justify": "left", "caption_justify": "left"}


def class_tables(results: list[dict[str, Any]]) -> Iterator[Table]:
    """For each assignment: a table of points, and a table of the misconceptions that were named."""
    for assignment in dict.fromkeys(result["assignment"] for result in results):
        rows = [result for result in results if result["assignment"] == assignment]
        exercises = list(dict.fromkeys(name for row in rows for name in row["exercises"]))
        yield points_table(assignment, rows, exercises)
        if any(verdict["misconception"] for row in rows for verdict in row["exercises"].values()):
            yield misconception_table(rows)


def points_table(assignment: str, rows: list[dict[str, Any]], exercises: list[str]) -> Table:
    """Points by student (rows) and exercise (numbered columns, named in the caption)."""
    legend = "   ".join(f"{i}:{name}" for i, name in enumerate(exercises, 1))
    most = max((row["max_score"] for row in rows), default=0)
    table = Table(title=assignment, caption=legend, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, **LEFT)
    table.add_column("student", overflow="fold", min_width=12)
    for i in range(1, len(exercises) + 1):
        table.add_column(str(i), justify="right", no_wrap=True)
    table.add_column(f"of {most:g}", justify="right", style="bold", no_wrap=True)
    for row in rows:
        cells = [_points(row["exercises"].get(name)) for name in exercises]
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
    """One line for each problem with a submission, and one for what waits for a human."""
    for result in results:
        for problem in result["problems"]:
            yield f"{escape(result['student'])}, {result['assignment']}: {escape(problem)}"
    waiting = [escape(result["student"]) for result in results if result["manual"]]
    if waiting:
        who = ", ".join(waiting[:8]) + (f" and {len(waiting) - 8} more" if len(waiting) > 8 else "")
        yield f"Written answers that wait for you in nbgrader's formgrader: {who}."
