"""The results as CSV: one row per student and exercise, for spreadsheets."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from autograder import CourseError
from autograder.texts import one_line

COLUMNS = ("assignment", "student", "exercise", "score", "max_score", "misconception", "message")


def write_csv(path: Path, results: list[dict[str, Any]]) -> int:
    """Write the rows to `path`; returns how many. Raises `CourseError` when the place cannot be written."""
    rows = [
        (r["assignment"], r["student"], name, v["score"], v["max_score"], v["misconception"] or "", v["message"])
        for r in results
        for name, v in r["exercises"].items()
    ]
    try:
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows([_harmless(cell) for cell in row] for row in rows)
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror}.") from None
    return len(rows)


def _harmless(cell: Any) -> Any:
    """Text in one line, quoted where a spreadsheet would take it for a formula: students choose parts of messages."""
    if not isinstance(cell, str):
        return cell
    text = one_line(cell, 2000)
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text
