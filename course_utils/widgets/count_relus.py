"""The ReLU counter: how many ReLUs does a curve need?"""

from __future__ import annotations

import numpy as np

from course_utils.environment import grading
from course_utils.plots.palette import palette
from course_utils.widgets.controls import choice, frame, row, slider
from course_utils.widgets.display import picture, show_widget
from course_utils.widgets.errors import one_of, within
from course_utils.widgets.panel import Panel, number
from course_utils.widgets.relu_fit import EXACT, INTERVAL, MOST, TARGETS, Fit, errors, fit
from course_utils.widgets.scene import INK, Scene

START = 4
GRID = np.linspace(*INTERVAL, 401)
FLOOR, CEILING = 1e-4, 10.0  # of the error axis; an exact fit is drawn on the floor
LINE, ERROR, QUIET = palette["blue"], palette["vermillion"], "#666666"
ERROR_TEXT = "#B24E00"  # vermillion, darker: small text needs more contrast


def relu_count(target: str = "sin(πt)", count: int = START) -> None:
    """Display a target curve, the curve that `count` ReLUs draw through it, and the largest error against the count.

    `target` is one of `TARGETS` ("sin(πt)", "|t|", "a steep step", "t²"), `count` is 1 to 40.
    Raises `WidgetError` with one sentence for other settings.
    The numbers come from `course_utils.widgets.relu_fit`. Nothing is shown while nbgrader runs the notebook.
    """
    if grading():
        return
    counter = ReluCounter(target, count)
    show_widget(counter.view, counter.scene())


class ReluCounter:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls."""

    def __init__(self, target: str = "sin(πt)", count: int = START) -> None:
        import ipywidgets as widgets

        one_of("The target", target, TARGETS)
        within("The number of ReLUs", count, 1, MOST, whole=True)
        self.target = choice(
            "bp-relu-target", "Target", "Which curve to approximate", self._draw,
            options=list(TARGETS), value=target,
        )  # fmt: skip
        self.count = slider(
            "IntSlider",
            "bp-relu-count",
            "ReLUs",
            "How many ReLUs to use",
            self._draw,
            min=1,
            max=MOST,
            value=count,
            width="420px",
        )
        self.picture = widgets.HTML()
        self.view = frame("bp-relu", row(self.target, self.count), self.picture)
        self._draw()

    def scene(self) -> Scene:
        """The picture for the present setting."""
        return draw(self.target.value, self.count.value)

    def _draw(self) -> None:
        self.picture.value = picture(self.scene())


def draw(target: str, count: int) -> Scene:
    """Two panels: the target with its interpolant, and the largest error against the number of ReLUs."""
    now = fit(target, count)
    scene = Scene(776, 350)
    _curves(scene, target, now)
    _errors(scene, target, count)
    name = "1 ReLU" if count == 1 else f"{count} ReLUs"
    verdict = f"largest error {number(now.error)} at t = {number(now.worst, 2)}"
    if now.error < EXACT:
        verdict = "largest error 0: the curve is met exactly"
    scene.text(56, 338, f"{name}: {verdict}", 14, bold=True)
    scene.alt = f"Target {target} on −1 to 1 and its interpolation with {name}: {verdict}. {_trend(target)}"
    return scene


def _trend(target: str) -> str:
    """What the right-hand panel shows, in words."""
    all_errors = errors(target)
    some = [(n, all_errors[n - 1]) for n in (1, 5, 10, 20, MOST - 1, MOST)]
    listed = ", ".join(f"{number(error) if error >= EXACT else 0} with {n}" for n, error in some)
    return f"The right panel shows the largest error against the number of ReLUs: {listed}."


def _curves(scene: Scene, target: str, now: Fit) -> None:
    low, high = (-1.25, 1.25) if target in ("sin(πt)", "a steep step") else (-0.25, 1.25)
    panel = Panel(scene, (56, 40, 320, 230), INTERVAL, (low, high))
    ticks = [(v, number(v)) for v in (-1, -0.5, 0, 0.5, 1) if low <= v <= high]
    panel.frame([(v, number(v)) for v in (-1, -0.5, 0, 0.5, 1)], ticks, "", "t")
    values = TARGETS[target](GRID)
    with panel.inside():
        scene.line(panel.points(GRID, values), "#9A9A9A", 5)
    drawn = now(now.knots)
    scene.line(panel.points(now.knots, drawn), LINE, 2.2)
    for knot, value in zip(now.knots, drawn, strict=True):
        scene.dot((panel.x(knot), panel.y(value)), 3.4, LINE)
    if now.error >= EXACT:
        worst = np.array([now.worst])
        ends = panel.points([now.worst] * 2, [float(now(worst)[0]), float(TARGETS[target](worst)[0])])
        scene.line(ends, ERROR, 3)
    # The key stands above the axes, where no curve can run into it.
    scene.line([(56, 20), (80, 20)], "#9A9A9A", 5)
    scene.text(86, 24, "target", 12)
    scene.line([(140, 20), (164, 20)], LINE, 2.2)
    scene.dot((152, 20), 3.4, LINE)
    scene.text(170, 24, "sum of ReLUs", 12)
    scene.line([(270, 20), (294, 20)], ERROR, 3)
    scene.text(300, 24, "largest error", 12)


def _errors(scene: Scene, target: str, count: int) -> None:
    panel = Panel(scene, (460, 40, 270, 230), (0.9, 45), (FLOOR, CEILING), xlog=True, ylog=True)
    powers = [(1e-4, "10⁻⁴"), (1e-3, "10⁻³"), (1e-2, "10⁻²"), (0.1, "10⁻¹"), (1, "1"), (10, "10")]
    panel.frame([(n, str(n)) for n in (1, 2, 5, 10, 20, 40)], powers, "", "number of ReLUs, m", "largest error")
    all_errors = errors(target)
    for slope, label in ((2, "1/m²"), (1, "1/m")):
        # The guides start above the points, so that a slope can be read off beside them.
        end = 8.0 / MOST**slope
        scene.line(panel.points([1, MOST], [8.0, end]), QUIET, 1, dash=True)
        scene.text(panel.x(MOST) + 6, panel.y(end) + 4, label, 12, QUIET)
    for n, error in enumerate(all_errors, start=1):
        if n == count:
            continue
        exact = error < EXACT
        at = (panel.x(n), panel.y(max(error, FLOOR)))
        scene.dot(at, 2.8, "white" if exact else "#9A9A9A", ERROR if exact else "white", 1.2 if exact else 0.6)
    error = all_errors[count - 1]
    at = (panel.x(count), panel.y(max(error, FLOOR)))
    scene.dot(at, 6, ERROR, INK, 1.2)
    if (all_errors < EXACT).any():
        scene.text(panel.x(1), panel.y(FLOOR) - 10, "○ error 0", 11, ERROR_TEXT)
