"""The stability map: for which learning rates and momenta descent on a quadratic converges, and how fast."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from course_utils.environment import grading
from course_utils.plots.palette import palette
from course_utils.widgets.controls import choice, frame, row, slider
from course_utils.widgets.display import picture, show_widget
from course_utils.widgets.errors import one_of, within
from course_utils.widgets.momentum_rates import (
    CURVATURES,
    GRID,
    MOMENTA,
    PRODUCTS,
    STEPS,
    best,
    grid,
    slowest,
    spectral_radius,
    steps_for_a_tenth,
    walk,
)
from course_utils.widgets.panel import Panel, number
from course_utils.widgets.scene import INK, WHITE, Scene

# Steps for a factor of ten: up to each of these, in one hue from fast to slow.
BOUNDS = (5.0, 10.0, 20.0, 50.0, 100.0, 300.0)
SHADES = ("#1F4E79", "#3B6E9E", "#5F92C1", "#8FB6D8", "#B9D3E8", "#DCE9F4", "#F1F6FA")
UNSTABLE = "#F6D9C4"
STEEP, FLAT, HERE = palette["vermillion"], palette["blue"], palette["yellow"]
MAP, CURVE = (62, 40, 330, 300), (520, 40, 236, 220)
SIZES = (1e-4, 1e4)


def stability_map(product: float = 1.5, momentum: float = 0.5, curvature: str = "λ = 10") -> None:
    """Display where gradient descent with momentum converges on a quadratic, how fast, and two of its walks.

    `product`, 0.02 to 4.2, is the learning rate α times the steep curvature λ; `momentum`, 0 to 0.99, is μ;
    `curvature` is "λ = 1", "λ = 10" or "λ = 100", beside a flat direction of curvature 1.
    Raises `WidgetError` with one sentence for other settings.
    The numbers come from `course_utils.widgets.momentum_rates`. Nothing is shown while nbgrader runs the notebook.
    """
    if grading():
        return
    shown = StabilityMap(product, momentum, curvature)
    show_widget(shown.view, shown.scene())


class StabilityMap:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls."""

    def __init__(self, product: float = 1.5, momentum: float = 0.5, curvature: str = "λ = 10") -> None:
        import ipywidgets as widgets

        within("The product of learning rate and curvature", product, *PRODUCTS)
        within("The momentum", momentum, *MOMENTA)
        one_of("The curvature", curvature, CURVATURES)
        self.product = slider(
            "FloatSlider", "bp-stability-product", "α·λ", "The learning rate times the steep curvature", self._draw,
            min=PRODUCTS[0], max=PRODUCTS[1], step=0.02, value=product,
        )  # fmt: skip
        self.momentum = slider(
            "FloatSlider", "bp-stability-momentum", "Momentum μ", "How much of the velocity a step keeps", self._draw,
            min=MOMENTA[0], max=MOMENTA[1], step=0.01, value=momentum,
        )  # fmt: skip
        self.curvature = choice(
            "bp-stability-curvature", "Steep curvature", "How much steeper one direction is than the other", self._draw,
            options=list(CURVATURES), value=curvature,
        )  # fmt: skip
        self.picture = widgets.HTML()
        self.view = frame("bp-stability", row(self.product, self.momentum), row(self.curvature), self.picture)
        self._draw()

    def scene(self) -> Scene:
        """The picture for the present setting."""
        return draw(self.product.value, self.momentum.value, CURVATURES[self.curvature.value])

    def _draw(self) -> None:
        self.picture.value = picture(self.scene())


def draw(product: float, momentum: float, curvature: float) -> Scene:
    """The map with the present setting on it, and beside it the size of w in either direction, step by step."""
    product, momentum = round(product, 6), round(momentum, 6)  # a slider's 0.3 may be off in the last digit
    scene = Scene(776, 444)
    _map(scene, product, momentum, curvature)
    _sizes(scene, product, momentum, curvature)
    _key(scene)
    radius, limit = float(slowest(product, momentum, curvature)), 2 * (1 + momentum)
    result, why = _verdict(product, radius, limit)
    scene.text(62, 414, result, 14, bold=True)
    scene.text(62, 435, why, 12)
    steep = float(spectral_radius(product, momentum))
    flat = float(spectral_radius(product / curvature, momentum))
    at, mu = best(curvature)
    scene.alt = (
        f"Gradient descent on ½·{number(curvature)}·x² + ½·y² with α·λ = {number(product)} and momentum "
        f"{number(momentum)}. {result} {why} In the long run a step multiplies the steep direction by "
        f"{number(steep)} and the flat one by {number(flat)}. The fastest setting is α·λ = {number(at)} with momentum "
        f"{number(mu)}: a factor of ten every {number(steps_for_a_tenth(float(slowest(at, mu, curvature))))} steps."
    )
    return scene


def _verdict(product: float, radius: float, limit: float) -> tuple[str, str]:
    bound = f"2(1 + μ) = {number(limit)}"
    if abs(product - limit) < 1e-9:
        return "On the edge: the steep direction neither shrinks nor grows.", f"α·λ = {number(product)} is {bound}."
    if product > limit:
        return (
            f"Unstable: in the long run the steep direction grows by a factor of {number(radius)} a step.",
            f"α·λ = {number(product)} is above {bound}.",
        )
    steps = number(steps_for_a_tenth(radius))
    return (
        f"Stable: the slower direction becomes ten times smaller every {'step' if steps == '1' else steps + ' steps'}.",
        f"α·λ = {number(product)} is below {bound}; the factor per step is {number(radius, 4)}.",
    )


@lru_cache(maxsize=len(CURVATURES))
def _cells(curvature: float) -> tuple[tuple[str, tuple], ...]:
    """The map's colours, each with its rectangles in pixels; equal neighbours in a row are one rectangle."""
    panel = Panel(Scene(0, 0), MAP, (0, PRODUCTS[1]), (0, MOMENTA[1]))
    _, _, radii = grid(curvature)
    shade = np.digitize(np.vectorize(steps_for_a_tenth)(radii), BOUNDS)
    shade[radii >= 1] = len(SHADES)
    parts: list[list] = [[] for _ in range(len(SHADES) + 1)]
    for j, line in enumerate(shade):
        bottom, top = panel.y(j * MOMENTA[1] / GRID[1]), panel.y((j + 1) * MOMENTA[1] / GRID[1])
        edges = [0, *(np.flatnonzero(np.diff(line)) + 1), GRID[0]]
        for first, last in zip(edges, edges[1:], strict=False):
            left, right = (panel.x(k * PRODUCTS[1] / GRID[0]) for k in (first, last))
            parts[line[first]].append(((left, top), (right, top), (right, bottom), (left, bottom)))
    return tuple(zip((*SHADES, UNSTABLE), map(tuple, parts), strict=True))


def _map(scene: Scene, product: float, momentum: float, curvature: float) -> None:
    panel = Panel(scene, MAP, (0, PRODUCTS[1]), (0, MOMENTA[1]))
    for shade, parts in _cells(curvature):
        if parts:  # the stroke hides the seams between neighbours
            scene.polygon(*parts, fill=shade, stroke=shade, width=0.6)
    scene.line([(panel.x(2), panel.y(0)), (panel.x(2 * (1 + MOMENTA[1])), panel.y(MOMENTA[1]))], INK, 1.6, dash=True)
    ticks = [(n / 5, number(n / 5)) for n in range(5)]
    panel.frame(
        [(n, str(n)) for n in range(5)], ticks, "steps for a factor of ten", "α·λ, rate times steep curvature", "μ",
        grid=False,
    )  # fmt: skip
    at, mu = best(curvature)
    x, y = panel.x(at), panel.y(mu)
    for tilt in (1, -1):
        scene.line([(x - 6, y - 6 * tilt), (x + 6, y + 6 * tilt)], WHITE, 4)
        scene.line([(x - 6, y - 6 * tilt), (x + 6, y + 6 * tilt)], INK, 2)
    scene.dot((panel.x(product), panel.y(momentum)), 7, HERE, INK, 1.6)


def _key(scene: Scene) -> None:
    x, y = 404, 62
    labels = [f"up to {number(bound)}" for bound in BOUNDS] + [f"over {number(BOUNDS[-1])}", "unstable"]
    for k, (shade, label) in enumerate(zip((*SHADES, UNSTABLE), labels, strict=True)):
        scene.rect(x, y + 20 * k, 13, 13, shade, "#8A9BAB", 0.7)
        scene.text(x + 19, y + 20 * k + 11, label, 10)
    scene.dot((x + 6, y + 176), 6, HERE, INK, 1.4)
    scene.text(x + 19, y + 180, "here", 10)
    for tilt in (1, -1):
        scene.line([(x + 1, y + 196 - 5 * tilt), (x + 11, y + 196 + 5 * tilt)], INK, 2)
    scene.text(x + 19, y + 200, "fastest", 10)
    scene.line([(x, y + 216), (x + 14, y + 216)], INK, 1.6, dash=True)
    scene.text(x + 19, y + 220, "2(1 + μ)", 10)


def _sizes(scene: Scene, product: float, momentum: float, curvature: float) -> None:
    """|w| in both directions against the step."""
    panel = Panel(scene, CURVE, (0, STEPS), SIZES, ylog=True)
    powers = [(1e-4, "10⁻⁴"), (1e-2, "10⁻²"), (1, "1"), (100, "100"), (1e4, "10⁴")]
    panel.frame([(n, str(n)) for n in (0, 50, 100)], powers, "size of w in either direction", "step")
    path = np.maximum(np.abs(walk(product, momentum, curvature)), 1e-300)
    with panel.inside():
        for k, color in enumerate((STEEP, FLAT)):
            scene.line(panel.points(range(STEPS + 1), path[:, k]), color, 1.8)
    left, top, _, height = CURVE
    for k, (color, label) in enumerate(((STEEP, "steep, λ"), (FLAT, "flat, 1"))):
        x, y = left + 90 * k, top + height + 58
        scene.line([(x, y), (x + 24, y)], color, 2.4)
        scene.text(x + 30, y + 4, label, 12)
