"""The first layer's filters as they learn: small colour images at any moment of a run, beside its curves."""

from __future__ import annotations

import math

import numpy as np

from course_utils.environment import grading
from course_utils.plots.palette import palette
from course_utils.widgets.controls import choice, frame, row, slider
from course_utils.widgets.display import picture, show_widget
from course_utils.widgets.errors import WidgetError, one_of
from course_utils.widgets.filter_record import FilterRecord, as_image, recorded
from course_utils.widgets.panel import Panel, number
from course_utils.widgets.pixels import draw_image
from course_utils.widgets.scene import INK, PALE, Scene

SHOWN = ("weights", "change")
SCALES = ("each its own", "one for all")
MOST = 48  # filters shown
GRID = (24, 62, 372, 284)  # left, top, width and height of the filters
GAP = 7
FURTHEST, LOSS, ERROR = palette["vermillion"], palette["blue"], palette["orange"]
QUIET = "#666666"


def first_layer_filters(
    snapshots: FilterRecord | None = None, show: str = "weights", scale: str = "each its own"
) -> None:
    """Display the first layer's filters as small colour images, at any moment of a training run, and its curves.

    `snapshots` is a `FilterRecord` of your own run with two moments or more; without it a recorded run is shown.
    `show` is "weights" or "change", what training has added since the first moment. `scale` is "each its own" (the
    colours of every filter reach as far as its largest value) or "one for all" (as the largest of the whole run).
    At most 48 filters are shown.
    Raises `WidgetError` with one sentence for other settings.
    The numbers come from `course_utils.widgets.filter_record`. Nothing is shown while nbgrader runs the notebook.
    """
    if grading():
        return
    shown = FirstLayerFilters(snapshots, show, scale)
    show_widget(shown.view, shown.scene())


class FirstLayerFilters:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls."""

    def __init__(
        self, snapshots: FilterRecord | None = None, show: str = "weights", scale: str = "each its own"
    ) -> None:
        import ipywidgets as widgets

        if snapshots is not None and not isinstance(snapshots, FilterRecord):
            raise WidgetError(f"The snapshots must be a FilterRecord, not {type(snapshots).__name__}.")
        self.record = recorded() if snapshots is None else snapshots
        moments = len(self.record.updates)
        if moments < 2:
            raise WidgetError(f"A record is shown from two snapshots on; this one has {moments}.")
        one_of("What to show", show, SHOWN)
        one_of("The scale", scale, SCALES)
        unit = self.record.unit.capitalize()
        self.moment = slider(
            "SelectionSlider", "bp-filters-moment", unit, "Which moment of the training to look at", self._draw,
            options=[(f"{update:,}", k) for k, update in enumerate(self.record.updates)], value=moments - 1,
            width="420px",
        )  # fmt: skip
        self.show = choice(
            "bp-filters-show", "Show", "The weights, or what training has added to them", self._draw,
            options=list(SHOWN), value=show,
        )  # fmt: skip
        self.scale = choice(
            "bp-filters-scale", "Scale", "Which value has the strongest colour", self._draw,
            options=list(SCALES), value=scale,
        )  # fmt: skip
        self.picture = widgets.HTML()
        self.view = frame("bp-filters", row(self.moment), row(self.show, self.scale), self.picture)
        self._draw()

    def scene(self) -> Scene:
        """The picture for the present setting."""
        return draw(self.record, self.moment.value, self.show.value, self.scale.value)

    def _draw(self) -> None:
        self.picture.value = picture(self.scene())


def draw(record: FilterRecord, moment: int, show: str, scale: str) -> Scene:
    """The filters at a moment, the curves with the moment marked, and how far the filters have moved."""
    scene = Scene(776, 424)
    count, side = len(record.filters[0]), record.filters[0].shape[-1]
    when = _when(record, moment)
    which = f"the first {MOST} of {count} filters" if count > MOST else f"{count} filter{'s' * (count > 1)}"
    scene.text(GRID[0], 24, f"{which}, {side}×{side} pixels, {when}", 13, bold=True)
    scene.text(GRID[0], 44, record.title, 11.5, QUIET)
    moved = record.moved(moment)
    furthest = int(moved.argmax()) if moved.any() else None
    _filters(scene, record, moment, show, scale, furthest)
    curves = _curves(scene, record, moment)
    lines = _distance(record, moment, moved, furthest)
    scene.text(GRID[0], 380, lines[0], 14, bold=True)
    scene.text(GRID[0], 399, lines[1], 12)
    extent = "its largest value" if scale == SCALES[0] else "the largest value of the whole run"
    what = "a weight of 0" if show == SHOWN[0] else "no change since the beginning"
    legend = f"Grey is {what}; the colours of a filter reach as far as {extent}."
    scene.text(GRID[0], 416, legend, 11.5, QUIET)
    scene.alt = (
        f"The first layer's filters as colour images, {show} shown: {which} of {side}×{side} pixels, {when}. {legend} "
        f"{curves} {' '.join(lines)}"
    )
    return scene


def _when(record: FilterRecord, moment: int) -> str:
    update = record.updates[moment]
    return f"after {update:,} {record.unit}{'s' * (update != 1)}"


def _filters(scene: Scene, record: FilterRecord, moment: int, show: str, scale: str, furthest: int | None) -> None:
    """The filters in a grid as large as fits, row by row."""
    start = record.filters[0] if show == SHOWN[1] else 0
    filters = record.filters[moment] - start
    largest = np.abs(filters).max(axis=(1, 2, 3), keepdims=True)
    if scale != SCALES[0]:
        largest = np.full_like(largest, max(np.abs(each - start).max() for each in record.filters))
    images = as_image(filters, largest)[:MOST]
    left, top, width, height = GRID
    columns = max(range(1, len(images) + 1), key=lambda n: _cell(n, len(images), width, height))
    cell = _cell(columns, len(images), width, height)
    for index, image in enumerate(images):
        x, y = left + (index % columns) * (cell + GAP), top + (index // columns) * (cell + GAP)
        draw_image(scene, image, x, y, cell / image.shape[-1])
        if index == furthest:
            scene.line([(x - 2, y - 2), (x + cell + 2, y - 2), (x + cell + 2, y + cell + 2), (x - 2, y + cell + 2),
                        (x - 2, y - 2)], FURTHEST, 3)  # fmt: skip


def _cell(columns: int, count: int, width: float, height: float) -> float:
    """The side of `count` squares in so many columns."""
    rows = math.ceil(count / columns)
    return min((width - GAP * (columns - 1)) / columns, (height - GAP * (rows - 1)) / rows)


def _curves(scene: Scene, record: FilterRecord, moment: int) -> str:
    """Training loss and validation error, as far as they were recorded, and their present values in words."""
    kinds = (
        ("training loss", record.losses, LOSS, number),
        ("validation error", record.validation_errors, ERROR, lambda value: f"{number(100 * value)} %"),
    )
    known = [kind for kind in kinds if np.isfinite(kind[1]).any()]
    if not known:
        scene.text(612, 190, "no losses were recorded", 12, QUIET, "middle")
        return "No losses were recorded."
    words = []
    high = 262 if len(known) == 1 else 104
    for place, (name, values, color, said) in enumerate(known):
        box = (478, 62 + 158 * place, 264, high)
        xlabel = f"{record.unit}s" if place == len(known) - 1 else ""
        words.append(_curve(scene, box, record, moment, (name, np.array(values), color, said), xlabel))
    return " ".join(words)


def _curve(scene: Scene, box, record: FilterRecord, moment: int, kind, xlabel: str) -> str:
    name, values, color, said = kind
    updates, kept = np.array(record.updates), np.isfinite(values)
    span = (updates[0], updates[-1])
    panel = Panel(scene, box, span, (0, 1.06 * max(values[kept].max(), 1e-6)))
    now = said(values[moment]) if kept[moment] else "not recorded"
    panel.frame(
        [(tick, f"{tick:,.0f}") for tick in _ticks(*span)], [(tick, said(tick)) for tick in _ticks(*panel.ylim)],
        f"{name}: {now}", xlabel,
    )  # fmt: skip
    here = panel.x(updates[moment])
    scene.line([(here, box[1]), (here, box[1] + box[3])], PALE, 5)
    scene.line(panel.points(updates[kept], values[kept]), color, 2)
    if kept[moment]:
        scene.dot((here, panel.y(values[moment])), 5, color, INK, 1.2)
    return f"{name.capitalize()}: {now}."


def _ticks(low: float, high: float) -> list[float]:
    """At most six round numbers between two others."""
    steps = (base * 10.0**power for power in range(-8, 12) for base in (1, 2, 5))
    step = next(step for step in steps if (high - low) / step <= 5)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _distance(record: FilterRecord, moment: int, moved: np.ndarray, furthest: int | None) -> tuple[str, str]:
    """How far the filters are from where they began, in a sentence and in symbols."""
    if moment == 0:
        return "The beginning, with which the other moments are compared.", "w₀ are the weights of this moment."
    if furthest is None:
        return "The filters have not moved from where they began.", "‖w − w₀‖ = 0."
    together = record.moved_together(moment)
    if not np.isfinite(together):
        return "The filters have left the zeros at which they began.", "‖w₀‖ = 0: there is no share to give."
    first = f"The filters have moved by {_percent(together)} of the length that they began with."
    each = f"one by one {_percent(moved.min())} to {_percent(moved.max())}"
    framed = " (framed)" if furthest < MOST else ""
    return first, f"‖w − w₀‖/‖w₀‖ is {_percent(together)} over all weights, {each}{framed}."


def _percent(share: float) -> str:
    return f"{number(100 * share)} %"
