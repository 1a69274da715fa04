"""Solution regions: what stands between the author's markers, and the stub that students get instead."""

from __future__ import annotations

from dataclasses import dataclass

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
# nbgrader's own ClearSolutions writes the same; it is repeated here to see beforehand whether the stub will parse.
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")


@dataclass(frozen=True)
class Region:
    """The lines of a cell from its BEGIN to its END marker, both included, counted from 1."""

    begin: int
    end: int
    body: tuple[str, ...]


def find_regions(source: str) -> tuple[list[Region], list[tuple[int, str]]]:
    """The solution regions of a cell, and the mistakes in its markers as (line in the cell, sentence)."""
    regions: list[Region] = []
    mistakes: list[tuple[int, str]] = []
    lines = source.split("\n")
    begin = 0
    for number, line in enumerate(lines, 1):
        begins, ends = "BEGIN SOLUTION" in line, "END SOLUTION" in line
        if not begins and not ends:
            continue
        if line.strip() not in (BEGIN, END):
            mistakes.append((number, f"a solution marker is a line of its own, `{BEGIN if begins else END}`."))
        if begins:
            if begin:
                mistakes.append((begin, f"this `{BEGIN}` has no `{END}` before the next one."))
            begin = number
        elif not begin:
            mistakes.append((number, f"this `{END}` has no `{BEGIN}` before it."))
        else:
            body = tuple(lines[begin : number - 1])
            if not any(text.strip() and not text.strip().startswith("#") for text in body):
                mistakes.append((begin, "this solution region is empty."))
            regions.append(Region(begin, number, body))
            begin = 0
    if begin:
        mistakes.append((begin, f"this `{BEGIN}` has no `{END}` in its cell."))
    return regions, mistakes


def stub_of(source: str, regions: list[Region]) -> str:
    """The cell as students get it: every region replaced by a stub at its indentation."""
    lines = source.split("\n")
    for region in reversed(regions):
        marker = lines[region.begin - 1]
        indent = marker[: len(marker) - len(marker.lstrip())]
        lines[region.begin - 1 : region.end] = [indent + text for text in STUB]
    return "\n".join(lines)
