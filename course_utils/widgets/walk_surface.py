"""The loss-surface walk: gradient descent on a network with two weights, watched from above."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from course_utils.environment import grading
from course_utils.plots.palette import palette
from course_utils.widgets.controls import frame, row, slider
from course_utils.widgets.descent import MINIMUM, SADDLE, Walk, behaviour, loss, walk
from course_utils.widgets.display import picture, show_widget
from course_utils.widgets.errors import WidgetError, within
from course_utils.widgets.panel import Panel, filled_contours, number
from course_utils.widgets.scene import INK, WHITE, Scene

REACH = 4.0  # both weights from −4 to 4
LEVELS = (0.01, 0.03, 0.1, 0.3, 0.6, SADDLE, 2.0, 4.0, 8.0, 12.0)  # through the saddle, so that its cross shows
# One hue, dark in the valleys: the order survives any colour blindness and a grey print.
SHADES = (
    "#1F4E79", "#2F6496", "#447BAE", "#5F92C1", "#7CA8CF", "#99BDDB",
    "#B4CFE5", "#CBDEED", "#DFEAF4", "#EFF4F9", "#F9FBFD",
)  # fmt: skip
PATH, START_COLOR, QUIET = palette["vermillion"], palette["yellow"], "#666666"
SURFACE, CURVE = (62, 40, 340, 300), (532, 40, 222, 300)
LOSS_RANGE = (1e-3, 1e2)
RATES, MOST_STEPS = (0.01, 10.0), 200


def loss_surface(start: tuple[float, float] = (-1.5, 2.8), learning_rate: float = 10**-0.5, steps: int = 60) -> None:
    """Display a walk of gradient descent on the loss of a network with two weights, ŷ = v·tanh(w·x).

    `start` holds the weights (w, v) before the first step, each −4 to 4; `learning_rate` is 0.01 to 10,
    `steps` 1 to 200. Raises `WidgetError` with one sentence for other settings.
    The numbers come from `course_utils.widgets.descent`. Nothing is shown while nbgrader runs the notebook.
    """
    if grading():
        return
    surface = LossSurface(start, learning_rate, steps)
    show_widget(surface.view, surface.scene())


class LossSurface:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls."""

    def __init__(
        self, start: tuple[float, float] = (-1.5, 2.8), learning_rate: float = 10**-0.5, steps: int = 60
    ) -> None:
        import ipywidgets as widgets

        if not isinstance(start, (tuple, list)) or len(start) != 2:
            raise WidgetError(f"The start must be a pair of weights (w, v), not {start!r}.")
        for name, value in zip(("w", "v"), start, strict=True):
            within(f"The starting weight {name}", value, -REACH, REACH)
        within("The learning rate", learning_rate, *RATES)
        within("The number of steps", steps, 1, MOST_STEPS, whole=True)
        self.w = slider(
            "FloatSlider", "bp-surface-w", "Start at w", "The first weight before the first step", self._draw,
            min=-REACH, max=REACH, step=0.1, value=start[0],
        )  # fmt: skip
        self.v = slider(
            "FloatSlider", "bp-surface-v", "Start at v", "The second weight before the first step", self._draw,
            min=-REACH, max=REACH, step=0.1, value=start[1],
        )  # fmt: skip
        self.learning_rate = slider(
            "FloatLogSlider", "bp-surface-rate", "Learning rate", "How far a step goes per unit of gradient",
            self._draw, base=10, min=math.log10(RATES[0]), max=math.log10(RATES[1]), step=0.05,
            value=learning_rate, readout_format=".3g",
        )  # fmt: skip
        self.steps = slider(
            "IntSlider", "bp-surface-steps", "Steps", "How many steps to take", self._draw,
            min=1, max=MOST_STEPS, value=steps,
        )  # fmt: skip
        self.picture = widgets.HTML()
        self.view = frame("bp-surface", row(self.w, self.v), row(self.learning_rate, self.steps), self.picture)
        self._draw()

    def scene(self) -> Scene:
        """The picture for the present setting."""
        return draw((self.w.value, self.v.value), self.learning_rate.value, self.steps.value)

    def _draw(self) -> None:
        self.picture.value = picture(self.scene())


def draw(start: tuple[float, float], learning_rate: float, steps: int) -> Scene:
    """Two panels: the path on the loss's contours, and the loss against the step."""
    path = walk(start, learning_rate, steps)
    word, why = behaviour(path)
    taken, end = len(path.losses) - 1, path.losses[-1]
    scene = Scene(776, 428)
    _surface(scene, path)
    _curve(scene, path, steps)
    scene.text(62, 398, f"Gradient descent {word}: {why}.", 14, bold=True)
    after = f"After {taken} steps" if taken > 1 else "After 1 step"
    place = ", ".join(f"{name} = {number(value)}" for name, value in zip("wv", path.points[-1], strict=True))
    result = f"{after} the loss went from {number(path.losses[0])} to {number(end)}, at {place}."
    scene.text(62, 419, result, 13)
    scene.alt = (
        "Contours of the loss of the network v·tanh(w·x) over its two weights, with two valleys and a saddle "
        f"between them, and the path of gradient descent from w = {number(start[0])}, v = {number(start[1])} "
        f"with learning rate {number(learning_rate)}. It {word}: {why}. {result}"
    )
    return scene


@lru_cache(maxsize=1)
def _contours() -> tuple[tuple[str, tuple], ...]:
    """The filled contours from the highest to the lowest: a colour and the polygons, in pixels."""
    panel = Panel(Scene(0, 0), SURFACE, (-REACH, REACH), (-REACH, REACH))
    axis = np.linspace(-REACH, REACH, 121)
    return filled_contours(panel, axis, axis, loss(*np.meshgrid(axis, axis)), LEVELS, SHADES[:-1])


def _surface(scene: Scene, path: Walk) -> None:
    left, top, width, height = SURFACE
    panel = Panel(scene, SURFACE, (-REACH, REACH), (-REACH, REACH))
    scene.rect(*SURFACE, fill=SHADES[-1], stroke="none")
    for shade, parts in _contours():
        scene.polygon(*parts, fill=shade, stroke="#FFFFFF", width=0.5)
    ticks = [(v, number(v)) for v in (-4, -2, 0, 2, 4)]
    panel.frame(ticks, ticks, "", "w", "v", grid=False)
    for sign in (1, -1):
        x, y = panel.x(sign * MINIMUM[0]), panel.y(sign * MINIMUM[1])
        _cross(scene, x, y, WHITE)
    places = panel.points(*path.points.T)
    with panel.inside():
        scene.line(places, WHITE, 4)
        scene.line(places, PATH, 2)
        for place in places[1:-1]:
            scene.dot(place, 2.6, PATH, WHITE, 0.7)
        (x, y), (ex, ey) = places[0], places[-1]
        scene.rect(x - 5.5, y - 5.5, 11, 11, START_COLOR, INK, 1.4)
        scene.dot((ex, ey), 6, PATH, INK, 1.4)
    # The keys stand outside the axes: above for the path, to the right for the height.
    scene.rect(left, 15, 11, 11, START_COLOR, INK, 1.4)
    scene.text(left + 18, 25, "start", 12)
    scene.line([(left + 66, 20), (left + 92, 20)], PATH, 2)
    scene.dot((left + 79, 20), 2.6, PATH, WHITE, 0.7)
    scene.text(left + 98, 25, "a step", 12)
    scene.dot((left + 162, 20), 6, PATH, INK, 1.4)
    scene.text(left + 174, 25, "where it ends", 12)
    _cross(scene, left + 274, 20, INK)
    scene.text(left + 284, 25, "lowest", 12)
    x, tall = left + width + 12, height / len(SHADES)
    for k, shade in enumerate(SHADES):
        scene.rect(x, top + height - (k + 1) * tall, 12, tall, shade, "none")
        if k < len(LEVELS):
            scene.text(x + 17, top + height - (k + 1) * tall + 4, number(LEVELS[k]), 10)
    scene.rect(x, top, 12, height, "none", QUIET, 0.8)
    scene.text(x - 4, top - 10, "loss", 11)


def _cross(scene: Scene, x: float, y: float, color: str) -> None:
    for tilt in (1, -1):
        scene.line([(x - 4.5, y - 4.5 * tilt), (x + 4.5, y + 4.5 * tilt)], color, 2)


def _curve(scene: Scene, path: Walk, steps: int) -> None:
    panel = Panel(scene, CURVE, (0, steps), LOSS_RANGE, ylog=True)
    every = next(e for e in (1, 2, 5, 10, 20, 50) if steps / e <= 5)
    powers = [(1e-3, "10⁻³"), (1e-2, "10⁻²"), (0.1, "10⁻¹"), (1, "1"), (10, "10"), (100, "100")]
    panel.frame([(n, str(n)) for n in range(0, steps + 1, every)], powers, "", "step", "loss")
    with panel.inside():
        curve = panel.points(range(len(path.losses)), path.losses)
        scene.line(curve, PATH, 2)
        if steps <= 60:
            for place in curve:
                scene.dot(place, 2.6, PATH, WHITE, 0.7)
