"""Reading an author's notebook: jupytext's py:percent cells, each with the line of the file it starts at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext

_MARKER = re.compile(r"^#\s*%%(?!%)[^{}]*$")
_LINE_KEY = "author_line"
# What jupytext keeps for its own round trips, and a cell's title, which only readers of the .py see.
_JUPYTEXT_KEYS = {"lines_to_next_cell", "lines_to_end_of_cell_marker", "cell_marker", "title"}


@dataclass(frozen=True)
class AuthorCell:
    """One cell as the author wrote it.

    `line` is where its `# %%` stands and `first_line` where its text starts, both counted from 1.
    `options` are the header's `key=value`; `unreadable` is the header's text where jupytext could not read it.
    """

    kind: str  # "code", "markdown" or "raw"
    source: str
    options: dict[str, Any]
    line: int
    first_line: int
    unreadable: str = ""

    @property
    def tags(self) -> list[str]:
        tags = self.options.get("tags", [])
        return tags if isinstance(tags, list) else [tags]

    @property
    def display_only(self) -> bool:
        return "display-only" in self.tags


def read_cells(path: Path) -> list[AuthorCell]:
    """The cells of the py:percent file at `path`, in order. Empty cells are left out."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    # jupytext forgets line numbers, so the same text is read again with a number on every cell's header.
    numbered = "\n".join(
        f"{line.rstrip()} {_LINE_KEY}={number}" if _MARKER.match(line) else line for number, line in enumerate(lines, 1)
    )
    plain, marked = (jupytext.reads(each, fmt="py:percent").cells for each in (text, numbered))
    cells = []
    line = 0
    for cell, twin in zip(plain, marked, strict=True):
        metadata = dict(cell.metadata)
        unreadable = metadata.pop("incorrectly_encoded_metadata", "")
        found = re.search(rf"{_LINE_KEY}\W+(\d+)", str(dict(twin.metadata)))
        line = int(found.group(1)) if found else max(line, 1)
        options = {key: value for key, value in metadata.items() if key not in _JUPYTEXT_KEYS}
        if cell.source.strip() or options or unreadable:
            first = _first_line(lines, line, cell.source)
            cells.append(AuthorCell(cell.cell_type, cell.source, options, line, first, unreadable))
    return cells


def _first_line(lines: list[str], marker: int, source: str) -> int:
    wanted = source.split("\n", 1)[0].strip()
    for number in range(marker, len(lines) + 1):
        # Text and escaped magics carry a "# " in the file that the cell does not have.
        if wanted and lines[number - 1].strip().removeprefix("#").strip() == wanted.removeprefix("#").strip():
            return number
    return marker + 1
