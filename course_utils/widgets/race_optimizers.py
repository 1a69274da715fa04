"""The optimizer race: six optimizers from one start, watched from above, and their heights step by step."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from course_utils.environment import grading
from course_utils.plots.palette import palette
from course_utils.widgets.controls import choice, frame, row, slider
from course_utils.widgets.display import picture, show_widget
from course_utils.widgets.errors import WidgetError, one_of, within
from course_utils.widgets.optimizer_paths import FACTORS, RACERS, RATES, SMALLEST, STEPS, SURFACES, Path, race
from course_utils.widgets.panel import Panel, filled_contours, number
from course_utils.widgets.scene import INK, WHITE, Scene

ALL = "all"
SHADES = ("#3B6E9E", "#5F92C1", "#7CA8CF", "#99BDDB", "#B4CFE5", "#CBDEED", "#DFEAF4", "#EFF4F9", "#F9FBFD")
COLORS = dict(zip(RACERS, palette, strict=False))
COLORS["Adam"] = palette["black"]
QUIET, PALE_TRAIL = "#666666", "#8A8A8A"
GROUND, CURVE = (62, 34, 400, 320), (540, 34, 216, 180)
HEIGHTS = (1e-6, 1e4)


def optimizer_race(surface: str = "ravine", rate_factor: float = 1.0, step: int = 60, follow: str = ALL) -> None:
    """Display where SGD, momentum, Nesterov, AdaGrad, RMSProp and Adam walk on a surface from the same start.

    `surface` is "Beale", "Rosenbrock", "ravine", "turned ravine" or "saddle"; `rate_factor`, one of 0.05, 0.1, 0.2,
    0.5, 1, 2, 5, 10, 20, multiplies each optimizer's own good learning rate; `step`, 0 to 300, is how far the race has
    gone; `follow` is "all" or one optimizer's name, whose trail is then drawn thick.
    Raises `WidgetError` with one sentence for other settings.
    The steps are PyTorch's, by `course_utils.widgets.optimizer_paths`. Nothing is shown while nbgrader runs the
    notebook.
    """
    if grading():
        return
    shown = OptimizerRace(surface, rate_factor, step, follow)
    show_widget(shown.view, shown.scene())


class OptimizerRace:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls."""

    def __init__(self, surface: str = "ravine", rate_factor: float = 1.0, step: int = 60, follow: str = ALL) -> None:
        import ipywidgets as widgets

        one_of("The surface", surface, SURFACES)
        if within("The rate factor", rate_factor, FACTORS[0], FACTORS[-1]) not in FACTORS:
            raise WidgetError(f"The rate factor must be one of {', '.join(map(str, FACTORS))}, not {rate_factor!r}.")
        within("The step", step, 0, STEPS, whole=True)
        one_of("The optimizer to follow", follow, (ALL, *RACERS))
        self.surface = choice(
            "bp-race-surface", "Surface", "The function whose lowest point is looked for", self._draw,
            options=list(SURFACES), value=surface,
        )  # fmt: skip
        self.rate_factor = slider(
            "SelectionSlider", "bp-race-factor", "Learning rates ×", "By what every learning rate is multiplied",
            self._draw, options=[(number(factor), factor) for factor in FACTORS], value=float(rate_factor),
        )  # fmt: skip
        self.step = slider(
            "IntSlider", "bp-race-step", "Step", "How many steps everybody has taken", self._draw,
            min=0, max=STEPS, value=step,
        )  # fmt: skip
        self.follow = choice(
            "bp-race-follow", "Follow", "Whose trail to draw thick", self._draw, options=[ALL, *RACERS], value=follow,
        )  # fmt: skip
        self.picture = widgets.HTML()
        self.view = frame(
            "bp-race", row(self.surface), row(self.rate_factor, self.step), row(self.follow), self.picture
        )  # fmt: skip
        self._draw()

    def scene(self) -> Scene:
        """The picture for the present setting."""
        return draw(self.surface.value, self.rate_factor.value, self.step.value, self.follow.value)

    def _draw(self) -> None:
        self.picture.value = picture(self.scene())


def draw(surface: str, factor: float, step: int, follow: str) -> Scene:
    """The trails on the surface's contours, the heights against the step, and the ranking."""
    paths = dict(zip(RACERS, race(surface, factor), strict=True))
    scene = Scene(776, 428)
    _ground(scene, surface, paths, step, follow)
    _heights(scene, paths, step, follow)
    places = {name: _place(path, step) for name, path in paths.items()}
    ranking = sorted(RACERS, key=lambda name: places[name])
    _table(scene, surface, factor, places, ranking, follow)
    first = ranking[0]
    after = "At the start" if step == 0 else f"After {step} step" + "s" * (step > 1)
    result = f"{after}, {first} is lowest: {_height(places[first])} above the minimum."
    if step == 0:
        result = f"At the start, everybody stands {_height(places[first])} above the minimum."
    scene.text(62, 418, result, 14, bold=True)
    heights = "; ".join(f"{name} {_height(places[name])}" for name in ranking)
    scene.alt = (
        f"The surface {surface}, {SURFACES[surface].formula}, and the trails of six optimizers, learning rates × "
        f"{number(factor)}. {result} Heights above the minimum: {heights}."
    )
    return scene


def _place(path: Path, step: int) -> float:
    """The height after `step` steps; infinite for a racer that has left."""
    return float(path.heights[step]) if step < len(path.heights) else np.inf


def _height(value: float) -> str:
    return "left" if not np.isfinite(value) else "below 10⁻⁶" if value < SMALLEST else number(value, 2)


@lru_cache(maxsize=len(SURFACES))
def _contours(surface: str) -> tuple[tuple[str, tuple], ...]:
    """The filled contours from the highest to the lowest: a colour and the polygons, in pixels."""
    ground = SURFACES[surface]
    left, right, bottom, top = ground.window
    panel = Panel(Scene(0, 0), GROUND, (left, right), (bottom, top))
    xs, ys = np.linspace(left, right, 121), np.linspace(bottom, top, 121)
    heights = ground.height(*np.meshgrid(xs, ys)) - ground.lowest
    return filled_contours(panel, xs, ys, heights, ground.levels, SHADES[:-1])


def _ground(scene: Scene, surface: str, paths: dict[str, Path], step: int, follow: str) -> None:
    ground = SURFACES[surface]
    left, right, bottom, top = ground.window
    panel = Panel(scene, GROUND, (left, right), (bottom, top))
    scene.rect(*GROUND, fill=SHADES[-1], stroke="none")
    for shade, parts in _contours(surface):
        scene.polygon(*parts, fill=shade, stroke=WHITE, width=0.5)
    panel.frame(_whole(left, right), _whole(bottom, top), "", "x", "y", grid=False)
    scene.text(262, 22, f"{surface}: {ground.formula}", 12, anchor="middle", bold=True)
    for minimum in ground.minima:
        x, y = panel.x(minimum[0]), panel.y(minimum[1])
        for tilt in (1, -1):
            scene.line([(x - 5, y - 5 * tilt), (x + 5, y + 5 * tilt)], WHITE, 2.2)
    order = [name for name in RACERS if name != follow] + [name for name in RACERS if name == follow]
    with panel.inside():
        for name in order:
            places = panel.points(*paths[name].points[: step + 1].T)
            chosen, color = follow == name, _color(name, follow)
            scene.line(places, WHITE, 4.4 if chosen else 3)
            scene.line(places, color, 2.8 if chosen else 1.6)
        for name in order:
            scene.dot(_last(panel, paths[name], step), 6 if follow == name else 4.5, _color(name, follow), WHITE, 1)
        x, y = panel.x(ground.start[0]), panel.y(ground.start[1])
        scene.rect(x - 4.5, y - 4.5, 9, 9, palette["yellow"], INK, 1.3)


def _last(panel: Panel, path: Path, step: int) -> tuple[float, float]:
    x, y = path.points[min(step, len(path.points) - 1)]
    return panel.x(x), panel.y(y)


def _color(name: str, follow: str) -> str:
    return COLORS[name] if follow in (ALL, name) else PALE_TRAIL


def _whole(low: float, high: float) -> list[tuple[float, str]]:
    return [(n, number(n)) for n in range(int(np.ceil(low)), int(np.floor(high)) + 1)]


def _heights(scene: Scene, paths: dict[str, Path], step: int, follow: str) -> None:
    panel = Panel(scene, CURVE, (0, STEPS), HEIGHTS, ylog=True)
    powers = [(1e-6, "10⁻⁶"), (1e-4, "10⁻⁴"), (1e-2, "10⁻²"), (1, "1"), (100, "100"), (1e4, "10⁴")]
    panel.frame([(n, str(n)) for n in (0, 100, 200, 300)], powers, "height above the minimum", "step")
    at = panel.x(step)
    scene.line([(at, CURVE[1]), (at, CURVE[1] + CURVE[3])], QUIET, 1, dash=True)
    order = [name for name in RACERS if name != follow] + [name for name in RACERS if name == follow]
    with panel.inside():
        for name in order:
            heights = np.maximum(paths[name].heights, SMALLEST / 10)
            scene.line(panel.points(range(len(heights)), heights), _color(name, follow), 2.6 if follow == name else 1.5)


def _table(scene: Scene, surface: str, factor: float, places: dict[str, float], ranking: list[str], follow) -> None:
    """Everybody's learning rate and height, the lowest first."""
    top = 278
    for x, title, anchor in ((520, "optimizer", "start"), (660, "rate", "end"), (756, "height", "end")):
        scene.text(x, top, title, 11, QUIET, anchor=anchor)
    rates = dict(zip(RACERS, RATES[surface], strict=True))
    for k, name in enumerate(ranking):
        y = top + 18 * (k + 1)
        scene.rect(520, y - 9, 14, 9, _color(name, follow), "none")
        scene.text(540, y, name, 12, bold=follow == name)
        scene.text(660, y, number(factor * rates[name]), 12, anchor="end")
        scene.text(756, y, _height(places[name]), 12, anchor="end")
