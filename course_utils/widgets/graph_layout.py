"""Where the nodes of a small graph go: columns by depth, rows so that few arrows cross and none runs through a node."""

from __future__ import annotations

from dataclasses import dataclass

from course_utils.widgets.expressions import CONSTANT, LEAF, Graph

SWEEPS = 12


@dataclass(frozen=True)
class Layout:
    """`place[i]` is node i's (column, row); `routes[(i, k)]` what the arrow to its operand k passes on its way.

    Columns count from 0, rows are real numbers from 0; two places in a column are at least one row apart.
    """

    place: tuple[tuple[int, float], ...]
    routes: dict[tuple[int, int], tuple[tuple[int, float], ...]]
    columns: int
    rows: float


def layout(graph: Graph) -> Layout:
    """Place the nodes of `graph` by the layered method (Sugiyama et al., 1981): layers, way points, averaged rows."""
    column = _columns(graph)
    # Slots are what takes up a row: the nodes, and a way point in every column that an arrow skips.
    slots = dict(enumerate(column))
    links: list[tuple[int, int]] = []
    ways: dict[tuple[int, int], list[int]] = {}
    shared: dict[tuple[int, int], int] = {}
    for index, node in enumerate(graph.nodes):
        for position, operand in enumerate(node.operands):
            previous, passed = operand, []
            for between in range(column[operand] + 1, column[index]):
                # Arrows from one node share their way points, so that they stay together until they part.
                if (operand, between) not in shared:
                    shared[operand, between] = slot = len(slots)
                    slots[slot] = between
                    links.append((previous, slot))
                previous = shared[operand, between]
                passed.append(previous)
            links.append((previous, index))
            ways[index, position] = passed
    row = _rows(slots, links)
    place = tuple((column[i], row[i]) for i in range(len(column)))
    routes = {key: tuple((slots[s], row[s]) for s in passed) for key, passed in ways.items()}
    return Layout(place, routes, max(column) + 1, max(row.values()) + 1)


def _columns(graph: Graph) -> list[int]:
    """Each operation one column right of its latest operand; leaves just left of what first uses them."""
    depth: list[int] = []
    for node in graph.nodes:
        depth.append(1 + max((depth[i] for i in node.operands), default=-1))
    for index, node in enumerate(graph.nodes):
        if node.op in (LEAF, CONSTANT):
            depth[index] = min(depth[user] for user, other in enumerate(graph.nodes) if index in other.operands) - 1
    return depth


def _rows(slots: dict[int, int], links: list[tuple[int, int]]) -> dict[int, float]:
    neighbours = {slot: [a + b - slot for a, b in links if slot in (a, b)] for slot in slots}
    columns: dict[int, list[int]] = {}
    for slot in slots:
        columns.setdefault(slots[slot], []).append(slot)
    row = {slot: float(k) for members in columns.values() for k, slot in enumerate(members)}
    for sweep in range(SWEEPS):
        order = sorted(columns, reverse=sweep % 2 == 1)
        for at in order:
            wish = {s: sum(row[n] for n in neighbours[s]) / len(neighbours[s]) for s in columns[at]}
            columns[at].sort(key=lambda s, wish=wish: wish[s])
            row.update(zip(columns[at], _spread([wish[s] for s in columns[at]]), strict=True))
    top = min(row.values())
    return {slot: value - top for slot, value in row.items()}


def _spread(wishes: list[float]) -> list[float]:
    """The sorted positions closest to the wishes that are at least one apart (pooling of neighbours that collide)."""
    # Taking k from the k-th wish turns "one apart" into "not falling", which averaging over blocks solves exactly.
    blocks: list[list[float]] = []  # [sum, count]
    for k, wish in enumerate(wishes):
        blocks.append([wish - k, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    flat = [total / count for total, count in blocks for _ in range(int(count))]
    return [value + k for k, value in enumerate(flat)]
