"""The elastic distortion: the displacement field under α and σ, and what it makes of a letter."""

from __future__ import annotations

import numpy as np

from course_utils.environment import grading
from course_utils.plots.palette import palette
from course_utils.widgets.augmented_image import SIZE, original
from course_utils.widgets.controls import frame, row, slider
from course_utils.widgets.display import picture, show_widget
from course_utils.widgets.distortion_field import (
    ALPHA,
    DRAWS,
    SIGMA,
    SUBJECT,
    distorted,
    expected_size,
    folded,
    smooth_field,
)
from course_utils.widgets.errors import within
from course_utils.widgets.panel import number
from course_utils.widgets.pixels import draw_image
from course_utils.widgets.scene import INK, Scene

ARROWS, FOLDED = palette["blue"], "#B24E00"
PIXEL, EVERY = 7, 2  # CSS pixels per pixel; an arrow for every second pixel


def elastic_distortion(alpha: float = 30.0, sigma: float = 4.0, draw: int = 1) -> None:
    """Display a random displacement field, the letter b, and the letter read through the field.

    `alpha` is 0 to 60, the strength in pixels; `sigma` 0.5 to 10, the width of the smoothing in pixels; `draw`, 1 to
    10, chooses the random numbers.
    Raises `WidgetError` with one sentence for other settings.
    The numbers come from `course_utils.widgets.distortion_field`. Nothing is shown while nbgrader runs the notebook.
    """
    if grading():
        return
    shown = ElasticDistortion(alpha, sigma, draw)
    show_widget(shown.view, shown.scene())


class ElasticDistortion:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls."""

    def __init__(self, alpha: float = 30.0, sigma: float = 4.0, draw: int = 1) -> None:
        import ipywidgets as widgets

        within("Alpha", alpha, *ALPHA)
        within("Sigma", sigma, *SIGMA)
        within("The draw", draw, 1, DRAWS, whole=True)
        self.alpha = slider(
            "FloatSlider", "bp-elastic-alpha", "α", "How strong the distortion is, in pixels", self._draw,
            min=ALPHA[0], max=ALPHA[1], step=1, value=alpha, width="300px",
        )  # fmt: skip
        self.sigma = slider(
            "FloatSlider", "bp-elastic-sigma", "σ", "How smooth the distortion is, in pixels", self._draw,
            min=SIGMA[0], max=SIGMA[1], step=0.5, value=sigma, width="300px",
        )  # fmt: skip
        self.draw = slider(
            "IntSlider", "bp-elastic-draw", "Draw", "Other random numbers", self._draw,
            min=1, max=DRAWS, value=draw, width="200px",
        )  # fmt: skip
        self.picture = widgets.HTML()
        self.view = frame("bp-elastic", row(self.alpha, self.sigma, self.draw), self.picture)
        self._draw()

    def scene(self) -> Scene:
        """The picture for the present setting."""
        return draw(round(self.alpha.value, 6), round(self.sigma.value, 6), self.draw.value)

    def _draw(self) -> None:
        self.picture.value = picture(self.scene())


def draw(alpha: float, sigma: float, number_of_draw: int) -> Scene:
    """The letter, the field as arrows, and the letter read through it."""
    field = alpha * smooth_field(sigma, number_of_draw)
    size, largest = float(np.sqrt(np.mean(field**2))), float(np.hypot(*field).max())
    over = folded(field)
    scene = Scene(776, 346)
    for left, title in ((20, "the picture"), (276, "where each pixel comes from"), (532, "the distorted picture")):
        scene.text(left + SIZE * PIXEL / 2, 24, title, 13, anchor="middle", bold=True)
    draw_image(scene, original(SUBJECT), 20, 36, PIXEL)
    _arrows(scene, field)
    draw_image(scene, distorted(field), 532, 36, PIXEL)
    scene.text(
        20, 288, f"α = {number(alpha)}, σ = {number(sigma)}: displacements of {number(size, 2)} pixels "
        f"(root mean square of dy and dx), the longest {number(largest, 2)}.", 14, bold=True,
    )  # fmt: skip
    torn = (
        f"In {100 * over:.0f} % of the places the picture is folded over itself: too much α for this σ."
        if over >= 0.005
        else "Nowhere is the picture folded over itself: neighbours stay neighbours."
    )
    scene.text(20, 309, torn, 12, FOLDED if over >= 0.005 else INK)
    expected = f"Expected: α / (√3 · 2√π · σ) = {number(expected_size(alpha, sigma), 2)} pixels."
    scene.text(20, 328, expected, 12)
    scene.alt = (
        f"The letter b and its elastic distortion with α = {number(alpha)} and σ = {number(sigma)}, draw "
        f"{number_of_draw}. dy and dx have a root mean square of {number(size, 2)} pixels, the longest displacement is "
        f"{number(largest, 2)} pixels. {expected} {torn}"
    )
    return scene


def _arrows(scene: Scene, field: np.ndarray) -> None:
    """An arrow from every second pixel to the place it is read from."""
    left, top, side = 276, 36, SIZE * PIXEL
    scene.line([(left, top), (left + side, top), (left + side, top + side), (left, top + side), (left, top)], INK, 1)
    with scene.clipped(left, top, side, side):
        for y in range(0, SIZE, EVERY):
            for x in range(0, SIZE, EVERY):
                start = (left + (x + 0.5) * PIXEL, top + (y + 0.5) * PIXEL)
                end = (start[0] + field[1, y, x] * PIXEL, start[1] + field[0, y, x] * PIXEL)
                length = float(np.hypot(field[0, y, x], field[1, y, x])) * PIXEL
                if length > 1.5:
                    scene.arrow([start, end], ARROWS, 1.1, head=min(4.0, length / 2))
                else:
                    scene.dot(start, 1.0, ARROWS, ARROWS, 0)
