"""The results as CSV: one row per student and exercise, for spreadsheets."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from autograder import CourseError

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
    """A text that a spreadsheet would take for a formula is quoted: a student chooses parts of a message."""
    return "'" + cell if isinstance(cell, str) and cell and cell[0] in "=+-@\t\r" else cell
