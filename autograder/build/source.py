"""The source notebook: the author's cells with everything that nbgrader needs to know about them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from nbgrader.nbgraderformat import MetadataValidator

from autograder.build.roles import Role

# Jupyter then goes on with the next cell after a check that failed; nbgrader never stops at errors anyway.
GO_ON = "raises-exception"
DISPLAY_ONLY, OPEN = "display-only", "open"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


def source_notebook(roles: Iterable[Role]) -> str:
    """The notebook with solutions, as JSON text that depends on nothing but the cells."""
    taken: set[str] = set()
    cells = []
    for role in roles:
        cell = _NEW[role.cell.kind](role.cell.source, metadata=_metadata(role))
        cell["id"] = _cell_id(role, taken)
        cells.append(cell)
    return nbformat.writes(new_notebook(cells=cells, metadata=METADATA)) + "\n"


def _metadata(role: Role) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    tags = {str(tag) for tag in role.cell.tags} | ({GO_ON} if role.role == "check" else set())
    if tags:
        metadata["tags"] = sorted(tags)
    if DISPLAY_ONLY in tags and OPEN not in tags:
        # A picture's code is long, and the code that reveals an answer gives it away: one click opens it.
        metadata["jupyter"] = {"source_hidden": True}
    if role.grade_id:
        graded = role.role in ("check", "test", "written")
        metadata["nbgrader"] = {
            "schema_version": MetadataValidator.schema_version,
            "grade_id": role.grade_id,
            "grade": graded,
            "solution": role.role in ("solution", "written"),
            "locked": role.role in ("check", "test"),
            "task": False,
        }
        if graded:
            metadata["nbgrader"]["points"] = role.points
    return metadata


def _cell_id(role: Role, taken: set[str]) -> str:
    """nbgrader's id where there is one, otherwise a hash of the text; the n-th cell of the same text gets a number."""
    wanted = role.grade_id
    if not wanted or len(wanted) > 60:
        wanted = hashlib.sha256(f"{role.cell.kind}\n{role.cell.source}".encode()).hexdigest()[:12]
    number, unique = 1, wanted
    while unique in taken:
        number += 1
        unique = f"{wanted}-{number}"
    taken.add(unique)
    return unique
