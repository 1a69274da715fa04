"""The graph player's picture: one step of a trace, drawn into a `Scene`."""

from __future__ import annotations

from course_utils.plots.palette import palette
from course_utils.widgets.expressions import CONSTANT, LEAF, Graph, Node
from course_utils.widgets.graph_layout import Layout
from course_utils.widgets.graph_trace import Step
from course_utils.widgets.panel import number
from course_utils.widgets.scene import INK, WHITE, Point, Scene

BOX_W, BOX_H, COLUMN, ROW = 84, 38, 150, 84
LEFT, TOP, BELOW, NARROWEST = 24, 74, 84, 700
QUIET, LINK = "#666666", "#8A8A8A"
FORWARD, BACKWARD = palette["blue"], palette["vermillion"]
GRAD_TEXT = "#B24E00"  # vermillion, darker: small text needs more contrast
TINT = {FORWARD: "#DCEBF5", BACKWARD: "#FBE5D6"}
SIGNS = {"*": "×", "-": "−", "neg": "−", "/": "÷"}
PHASES = {
    "start": "the leaves",
    "forward": "forward: a value",
    "seed": "backward: where it begins",
    "backward": "backward: one share of a gradient",
}


def draw(graph: Graph, places: Layout, steps: list[Step], at: int) -> Scene:
    """The graph as it stands after step `at` of `steps`."""
    step = steps[at]
    wide = max(LEFT * 2 + BOX_W + COLUMN * (places.columns - 1), NARROWEST)
    scene = Scene(wide, TOP + ROW * (places.rows - 1) + BOX_H + 24 + BELOW, _words(graph, steps, at))
    # A graph of few columns is stretched to the width rather than pushed to one side.
    gap = (wide - 2 * LEFT - BOX_W) / max(places.columns - 1, 1)
    corner = [(LEFT + gap * column, TOP + ROW * row) for column, row in places.place]

    scene.text(LEFT, 26, graph.expression, 15, bold=True)
    for index, node in enumerate(graph.nodes):
        for operand in range(len(node.operands)):
            _arrow(scene, graph, places, step, index, operand, corner, gap)
    for index, node in enumerate(graph.nodes):
        _node(scene, node, step, index, corner[index])

    y = scene.height - BELOW + 22
    scene.text(LEFT, y, f"Step {at} of {len(steps) - 1} – {PHASES[step.phase]}", 13, QUIET)
    scene.text(LEFT, y + 24, step.text, 14, bold=True)
    scene.text(LEFT, y + 46, step.total, 14)
    return scene


def _node(scene: Scene, node: Node, step: Step, index: int, corner: Point) -> None:
    x, y = corner
    middle = x + BOX_W / 2
    edge, fill, width = INK, WHITE, 1.2
    if node.op == CONSTANT:
        edge = QUIET
    if index == step.node and step.phase != "start":
        edge = FORWARD if step.phase == "forward" else BACKWARD
        fill, width = TINT[edge], 3.0
    elif index == step.source:
        edge, width = BACKWARD, 2.0
    scene.rect(x, y, BOX_W, BOX_H, fill, edge, width)
    if node.op in (LEAF, CONSTANT):
        scene.text(middle, y + BOX_H / 2 + 6, node.name, 16, INK if node.op == LEAF else QUIET, "middle", bold=True)
    else:
        sign = SIGNS.get(node.op, node.op) + (number(node.number) if node.op == "**" else "")
        scene.text(x + 7, y + BOX_H / 2 + 5, node.name, 13, QUIET)
        scene.text(x + BOX_W - 8, y + BOX_H / 2 + 6, sign, 15 if len(sign) > 1 else 19, anchor="end", bold=True)
    if node.op != CONSTANT:
        value, grad = step.values[index], step.grads[index]
        if value is not None:
            scene.text(middle, y - 7, f"data {number(value)}", 12.5, FORWARD, "middle")
        if grad is not None:
            scene.text(middle, y + BOX_H + 16, f"grad {number(grad)}", 12.5, GRAD_TEXT, "middle")


def _arrow(
    scene: Scene, graph: Graph, places: Layout, step: Step, index: int, operand: int, corner: list[Point], gap: float
) -> None:
    """The arrow from an operand into node `index`; it turns round in the step that carries a gradient along it."""
    source = graph.nodes[index].operands[operand]
    stops = [(corner[source][0] + BOX_W, corner[source][1] + BOX_H / 2)]
    for column, row in places.routes[index, operand]:
        x, y = LEFT + gap * column, TOP + ROW * row + BOX_H / 2
        stops += [(x, y), (x + BOX_W, y)]
    stops.append((corner[index][0], corner[index][1] + BOX_H / 2 + _port(graph, places, index, operand)))
    points = _smooth(stops)
    if step.phase == "forward" and index == step.node:
        scene.arrow(points, FORWARD, 2.6, 10)
    elif step.phase == "backward" and (index, operand) == (step.source, step.operand):
        scene.arrow(points[::-1], BACKWARD, 2.6, 10)
    else:
        scene.arrow(points, LINK, 1.3, 7)


def _port(graph: Graph, places: Layout, index: int, operand: int) -> float:
    """How far from the middle of its left side node `index` takes this operand: the first one above the second."""
    node = graph.nodes[index]
    if len(node.operands) == 1:
        return 0.0
    above = operand == 0
    if node.op in "+*":  # the order of these two says nothing, so they may swap to keep arrows apart
        heights = [[places.place[source], *places.routes[index, k]][-1][1] for k, source in enumerate(node.operands)]
        above = heights[operand] < heights[1 - operand] or (heights[0] == heights[1] and above)
    return -9.0 if above else 9.0


def _smooth(stops: list[Point]) -> list[Point]:
    """A curve through the stops that is horizontal at each of them (cubic Bézier pieces, sampled)."""
    curve = [stops[0]]
    for (x0, y0), (x1, y1) in zip(stops, stops[1:], strict=False):
        for k in range(1, 13):
            t = k / 12
            bend = (x0 + x1) / 2
            x = (1 - t) ** 3 * x0 + 3 * (1 - t) * t * bend + t**3 * x1
            curve.append((x, y0 + (y1 - y0) * (3 * t**2 - 2 * t**3)))
    return curve


def _words(graph: Graph, steps: list[Step], at: int) -> str:
    """The picture in words, for those who cannot see it."""
    step = steps[at]
    said = ". ".join(part.rstrip(".") for part in (step.text, step.total) if part)
    known = []
    for node, value, grad in zip(graph.nodes, step.values, step.grads, strict=True):
        if node.op != CONSTANT and value is not None:
            known.append(
                f"{node.name} has data {number(value)}" + (f" and grad {number(grad)}" if grad is not None else "")
            )
    return (
        f"Computation graph of {graph.expression}. Step {at} of {len(steps) - 1}, {PHASES[step.phase]}. "
        f"{said}. Known: {'; '.join(known)}."
    )
