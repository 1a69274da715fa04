"""The course's outline: its exercises in order, with points and stubs, for `progress()` and `reset(name)`."""

from __future__ import annotations

import json
import re
from typing import Any

import nbformat

PATH = "course_utils/outline.json"


def outline_entry(notebook: str, released: bytes) -> dict[str, Any]:
    """One assignment's entry, read from its released notebook (`notebook` is its name without ending)."""
    cells = nbformat.reads(released.decode(), as_version=4).cells
    by_id = {cell.metadata.nbgrader.grade_id: cell for cell in cells if "nbgrader" in cell.metadata}
    exercises = []
    for grade_id, cell in by_id.items():
        check = by_id.get(f"check_{grade_id}")
        if check is not None:
            exercises.append({"name": grade_id, "points": check.metadata.nbgrader.points, "stub": cell.source})
    written = [
        {"id": grade_id, "points": cell.metadata.nbgrader.points}
        for grade_id, cell in by_id.items()
        if cell.cell_type == "markdown"
    ]
    return {"notebook": notebook, "title": _title(cells) or notebook, "exercises": exercises, "written": written}


def outline_text(entries: dict[str, Any]) -> bytes:
    """The outline file: assignments in order, the same bytes for the same entries."""
    return (json.dumps(dict(sorted(entries.items())), indent=1, ensure_ascii=False) + "\n").encode()


def _title(cells: list[Any]) -> str:
    for cell in cells:
        heading = re.search(r"^#+\s+(.+?)\s*#*$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
        if heading:
            return heading.group(1)
    return ""
