"""The batch statistics: what a mini-batch of each size says about a unit, and how that moves one image's output."""

from __future__ import annotations

import numpy as np

from course_utils.environment import grading
from course_utils.plots.palette import palette
from course_utils.widgets.batch_noise import (
    DRAWS,
    SIZES,
    UNITS,
    batch,
    expected_spread,
    noise,
    populations,
    settled,
)
from course_utils.widgets.controls import frame, row, slider
from course_utils.widgets.display import picture, show_widget
from course_utils.widgets.errors import WidgetError, within
from course_utils.widgets.panel import Panel, number, round_ticks
from course_utils.widgets.scene import INK, PALE, WHITE, Scene

POPULATION, BATCHES, IMAGE_COLOR = "#9A9A9A", palette["blue"], palette["vermillion"]
IMAGE_TEXT = "#B24E00"  # vermillion, darker: small text needs more contrast
SHOWN = 50  # batches that can be chosen
BINS = 40


def batch_statistics(batch_size: int = 8, unit: int = 1, batch: int = 1) -> None:
    """Display how the mean and the std of a mini-batch scatter around those of all images, for one unit.

    `batch_size` is one of 2, 4, 8, 16, 32, 64, 128, 256; `unit`, 1 to 8, chooses the unit; `batch`, 1 to 50, the
    mini-batch whose members are drawn.
    Raises `WidgetError` with one sentence for other settings.
    The numbers come from `course_utils.widgets.batch_noise`. Nothing is shown while nbgrader runs the notebook.
    """
    if grading():
        return
    statistics = BatchStatistics(batch_size, unit, batch)
    show_widget(statistics.view, statistics.scene())


class BatchStatistics:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls."""

    def __init__(self, batch_size: int = 8, unit: int = 1, batch: int = 1) -> None:
        import ipywidgets as widgets

        if within("The batch size", batch_size, SIZES[0], SIZES[-1], whole=True) not in SIZES:
            raise WidgetError(f"The batch size must be one of {', '.join(map(str, SIZES))}, not {batch_size!r}.")
        within("The unit", unit, 1, UNITS, whole=True)
        within("The batch", batch, 1, SHOWN, whole=True)
        self.size = slider(
            "SelectionSlider", "bp-batch-size", "Batch size", "How many images a mini-batch has", self._draw,
            options=[(str(size), size) for size in SIZES], value=batch_size, width="280px",
        )  # fmt: skip
        self.batch = slider(
            "IntSlider", "bp-batch-number", "Mini-batch", "Which mini-batch to draw", self._draw,
            min=1, max=SHOWN, value=batch, width="260px",
        )  # fmt: skip
        self.unit = slider(
            "IntSlider", "bp-batch-unit", "Unit", "Which unit of the layer to watch", self._draw,
            min=1, max=UNITS, value=unit, width="200px",
        )  # fmt: skip
        self.picture = widgets.HTML()
        self.view = frame("bp-batch", row(self.size, self.batch, self.unit), self.picture)
        self._draw()

    def scene(self) -> Scene:
        """The picture for the present setting."""
        return draw(self.size.value, self.unit.value, self.batch.value)

    def _draw(self) -> None:
        self.picture.value = picture(self.scene())


def draw(size: int, unit: int, number_of_batch: int) -> Scene:
    """One mini-batch among all images; below it the batch means, one image's normalized value, and their spreads."""
    values, members = populations()[unit - 1], batch(unit - 1, size, number_of_batch - 1)
    scattered = noise(unit - 1, size)
    scene = Scene(776, 500)
    low, high = values.min(), values.max()
    margin = 0.05 * (high - low)
    reach = (low - margin, high + margin)
    _members(scene, values, members, reach, number_of_batch)
    _means(scene, values, scattered.means, reach)
    _one_image(scene, scattered.normalized, settled(unit - 1))
    _by_size(scene, unit, size)
    measured, expected = scattered.means.std(), expected_spread(unit - 1, size)
    jitter = scattered.normalized.std()
    scene.text(
        30, 478, f"Batch size {size}: the batch means have a std of {number(measured, 2)}; "
        f"σ/√N = {number(values.std(), 2)}/√{size} = {number(expected, 2)}.", 14, bold=True,
    )  # fmt: skip
    companions = f"The same image’s normalized value has a std of {number(jitter, 2)} over {DRAWS} batches."
    if size == 2:
        companions = "Of two images one becomes nearly +1 and the other −1, whatever they show."
    scene.text(30, 496, companions, 12)
    scene.alt = (
        f"Unit {unit} on all {len(values)} training images has mean {number(values.mean())} and std "
        f"{number(values.std())}. Mini-batch {number_of_batch} of {size} images has mean {number(members.mean())} and "
        f"std {number(members.std())}. Over {DRAWS} mini-batches of {size} images the batch means have a std of "
        f"{number(measured)}, where σ/√N is {number(expected)}. The first training image, in the company of changing "
        f"others, has a normalized value of {number(scattered.normalized.mean())} on average with a std of "
        f"{number(jitter)}; with the statistics of all images it is {number(settled(unit - 1))}."
        + (f" {companions}" if size == 2 else "")
    )
    return scene


def _members(scene: Scene, values: np.ndarray, members: np.ndarray, reach, number_of_batch: int) -> None:
    """The histogram of all images' values, and the members of one mini-batch as dots, with both means ± std."""
    counts, edges = np.histogram(values, BINS, reach)
    panel = Panel(scene, (60, 40, 300, 150), reach, (0, 1.45))
    panel.frame(round_ticks(*reach), [], "all images, and one mini-batch", "the unit’s value before normalizing")
    _bars(panel, counts / counts.max(), edges, PALE)
    _interval(panel, values, 1.12, INK, "all")
    _interval(panel, members, 1.32, BATCHES, f"no. {number_of_batch}")
    with panel.inside():
        for k, value in enumerate(np.sort(members)):
            scene.dot((panel.x(value), panel.y(0.06 + 0.07 * (k % 4))), 2.8, BATCHES, WHITE, 0.6)


def _interval(panel: Panel, values: np.ndarray, height: float, color: str, label: str) -> None:
    """A dot at the mean and a line from one std below it to one above."""
    scene, y, mean, std = panel.scene, panel.y(height), values.mean(), values.std()
    with panel.inside():
        scene.line([(panel.x(mean - std), y), (panel.x(mean + std), y)], color, 2.4)
        scene.dot((panel.x(mean), y), 4.5, color, WHITE, 1)
    scene.text(panel.box[0] + panel.box[2], y + 4, label, 11, color, anchor="end")


def _means(scene: Scene, values: np.ndarray, means: np.ndarray, reach) -> None:
    counts, edges = np.histogram(means, 2 * BINS, reach)
    panel = Panel(scene, (446, 40, 300, 150), reach, (0, 1.15))
    panel.frame(round_ticks(*reach), [], f"the means of {DRAWS} mini-batches", "batch mean, same axis")
    _bars(panel, counts / counts.max(), edges, BATCHES)
    at = panel.x(values.mean())
    scene.line([(at, 40), (at, 190)], INK, 1.2, dash=True)


NORMAL = (-4.0, 4.0)


def _one_image(scene: Scene, normalized: np.ndarray, final: float) -> None:
    counts, edges = np.histogram(np.clip(normalized, *NORMAL), 2 * BINS, NORMAL)
    panel = Panel(scene, (60, 282, 300, 130), NORMAL, (0, 1.15))
    ticks = [(k, number(k)) for k in (-4, -2, 0, 2, 4)]
    panel.frame(ticks, [], "one image, normalized with each batch", "normalized value of one training image")
    _bars(panel, counts / counts.max(), edges, IMAGE_COLOR)
    at = panel.x(final)
    scene.line([(at, 282), (at, 412)], INK, 1.2, dash=True)


def _by_size(scene: Scene, unit: int, size: int) -> None:
    """The std of the batch means at every batch size, with σ/√N, and of the image's normalized value."""
    panel = Panel(scene, (446, 282, 300, 130), (1.7, 300.0), (0.01, 4.0), xlog=True, ylog=True)
    panel.frame(
        [(n, str(n)) for n in SIZES], [(0.01, "0.01"), (0.1, "0.1"), (1, "1")], "their std against the batch size",
        "batch size N",
    )  # fmt: skip
    at = panel.x(size)
    scene.line([(at, 282), (at, 412)], PALE, 6)
    scene.line(panel.points(SIZES, [expected_spread(unit - 1, n) for n in SIZES]), INK, 1.2, dash=True)
    jitters = [noise(unit - 1, n).normalized.std() for n in SIZES]
    scene.line(panel.points(SIZES, jitters), IMAGE_COLOR, 1.6)
    for n, jitter in zip(SIZES, jitters, strict=True):
        chosen = n == size
        edge = (INK, 1.2) if chosen else (WHITE, 0.6)
        scene.dot((panel.x(n), panel.y(jitter)), 5 if chosen else 3.2, IMAGE_COLOR, *edge)
        scene.dot((panel.x(n), panel.y(noise(unit - 1, n).means.std())), 5 if chosen else 3.2, BATCHES, *edge)
    scene.text(panel.x(SIZES[-1]), 294, "the image’s value", 10, IMAGE_TEXT, anchor="end")
    scene.text(panel.x(SIZES[-1]) - 100, 294, "batch means, σ/√N dashed", 10, BATCHES, anchor="end")


def _bars(panel: Panel, heights: np.ndarray, edges: np.ndarray, color: str) -> None:
    for height, left, right in zip(heights, edges, edges[1:], strict=False):
        if height:
            x, y = panel.x(left), panel.y(height)
            panel.scene.rect(x, y, panel.x(right) - x, panel.y(0) - y, color, WHITE, 0.3)
