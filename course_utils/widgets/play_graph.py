"""The graph player: a forward and a backward pass, one number at a time."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from course_utils.environment import grading
from course_utils.widgets.controls import button, choice, frame, row, slider
from course_utils.widgets.display import picture, show_widget
from course_utils.widgets.errors import within
from course_utils.widgets.expressions import ExpressionError, parse
from course_utils.widgets.graph_layout import layout
from course_utils.widgets.graph_picture import draw
from course_utils.widgets.graph_trace import Step, trace
from course_utils.widgets.scene import Scene

# name: (expression, values of its leaves at the start)
EXPRESSIONS: dict[str, tuple[str, dict[str, float]]] = {
    "neuron": ("tanh(w1*x1 + w2*x2 + b)", {"w1": 0.3, "x1": 2.0, "w2": -1.0, "x2": 0.5, "b": 0.4}),
    "diamond": ("x*x + x", {"x": 3.0}),
    "shared leaf": ("(a + b)*(b + 1)", {"a": 2.0, "b": 1.0}),
    "shared sum": ("s = a + b; s*s + s", {"a": 1.0, "b": 0.5}),
}
RANGE, FARTHEST = 3.0, 1000.0  # how far the sliders reach, and the largest value asked for
OTHER_LEAVES = (2.0, -1.0, 0.5, 1.5, -0.5)
PAUSE = 900  # milliseconds between two steps while playing


def graph_player(expression: str = "neuron", leaves: Mapping[str, float] | None = None) -> None:
    """Display a computation graph that plays forward and backward step by step.

    `expression` is one of `EXPRESSIONS` ("neuron", "diamond", "shared leaf", "shared sum") or one of your own
    with ``+ - * / ** tanh relu exp``, such as ``"s = a*b; s*s + s"``. `leaves` gives its leaves values to start with.
    The numbers come from `course_utils.widgets.graph_trace.trace`. Nothing is shown while nbgrader runs the notebook.
    Raises `ExpressionError` with one sentence when the expression cannot be read or computed.
    """
    if grading():
        return
    player = GraphPlayer(expression, leaves)
    # The stand-in shows both passes finished: the first step alone would be a graph without numbers.
    show_widget(player.view, player.scene(len(player.steps) - 1))


class GraphPlayer:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls and numbers."""

    def __init__(self, expression: str, leaves: Mapping[str, float] | None = None) -> None:
        import ipywidgets as widgets

        choices = {name: text for name, (text, _) in EXPRESSIONS.items()}
        if not isinstance(expression, str) or expression not in choices:
            choices["yours"] = parse(expression).expression
            expression = "yours"
        self._choices = choices
        self.steps: list[Step] = []
        self._filling = False  # while several controls change together, the picture waits for the last one
        self.choice = choice(
            "bp-graph-expression", "Expression", "Which expression to play", self._choose,
            options=list(choices), value=expression,
        )  # fmt: skip
        self.step = slider(
            "IntSlider",
            "bp-graph-step",
            "Step",
            "Which step of the two passes to show",
            self._draw,
            min=0,
            max=1,
            value=0,
        )
        self.previous = button("bp-graph-prev", "◀ Prev", "One step back", lambda: self._go(-1))
        self.next = button("bp-graph-next", "Next ▶", "One step on", lambda: self._go(+1))
        self.play = widgets.Play(
            min=0, max=1, value=0, interval=PAUSE, show_repeat=False, tooltip="Play all steps", description="Play"
        )
        self.play.add_class("bp-graph-play")
        self._link = widgets.jslink((self.play, "value"), (self.step, "value"))
        self.leaf: dict = {}
        self._leaves = row()
        self.picture = widgets.HTML()
        self._choose(leaves)
        self.view = frame(
            "bp-graph",
            row(self.choice),
            row(self.previous, self.next, self.play, self.step),
            self._leaves,
            self.picture,
        )

    def scene(self, at: int) -> Scene:
        """The picture after step `at`."""
        return draw(self.graph, self._places, self.steps, at)

    def _choose(self, leaves: Mapping[str, float] | None = None) -> None:
        """Take up the chosen expression from its first step."""
        self.graph = parse(self._choices[self.choice.value])
        self._places = layout(self.graph)
        start = dict(zip(self.graph.leaves, OTHER_LEAVES * 4, strict=False))
        start |= EXPRESSIONS.get(self.choice.value, ("", {}))[1]
        if leaves is not None:
            if not isinstance(leaves, Mapping):
                raise ExpressionError(f"The leaves must be given as names with values, not {leaves!r}.")
            unknown = sorted(map(str, set(leaves) - set(start)))
            if unknown:
                raise ExpressionError(f"The expression {self.graph.expression!r} has no leaf {', '.join(unknown)}.")
            start |= {name: within(f"The leaf {name}", value, -FARTHEST, FARTHEST) for name, value in leaves.items()}
        self._filling = True
        for old in self.leaf.values():
            old.close()
        self.leaf = {
            name: slider(
                "FloatSlider", f"bp-leaf-{name}", name, f"The value of the leaf {name}", self._compute, width="230px",
                min=min(-RANGE, value), max=max(RANGE, value), step=0.1, value=value,
            )
            for name, value in start.items()
        }  # fmt: skip
        self._leaves.children = tuple(self.leaf.values())
        self.steps = trace(self.graph, start)
        self.step.value = self.play.value = 0
        self.step.max = self.play.max = len(self.steps) - 1
        self._filling = False
        self._draw()

    def _compute(self) -> None:
        try:
            self.steps = trace(self.graph, {name: control.value for name, control in self.leaf.items()})
        except ExpressionError as problem:
            self.steps = []
            self.picture.value = f"<div class='bp-figure' role='status'>{escape(str(problem))}</div>"
            return
        self._draw()

    def _draw(self) -> None:
        if self.steps and not self._filling:
            self.picture.value = picture(self.scene(self.step.value))

    def _go(self, by: int) -> None:
        self.step.value = min(max(self.step.value + by, 0), self.step.max)
