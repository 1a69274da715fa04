"""The accounting table of AlexNet: what every layer costs, at any width and image size, and what is cut off."""

from __future__ import annotations

from course_utils.environment import grading
from course_utils.widgets.alexnet_numbers import EVERY, LARGEST, NARROWEST, SMALLEST, Table, next_fit, table
from course_utils.widgets.controls import choice, frame, row, slider
from course_utils.widgets.display import picture, show_widget
from course_utils.widgets.errors import WidgetError, within
from course_utils.widgets.panel import number
from course_utils.widgets.scene import INK, PALE, Scene
from course_utils.widgets.stack_numbers import BYTES, Row
from course_utils.widgets.stack_picture import MISFIT, MISFIT_TINT, QUIET, settings, shown, size

GROUPS, CLASSES = (1, 2), (10, 1000)
BATCHES = tuple(2**k for k in range(11))
WIDE, ABOVE, ROW = 776, 78, 20
NAME_AT, SETTINGS_AT, SHAPE_AT = 30, 88, 352
# Columns of numbers with bars behind them, parameters, arithmetic and memory: right end, width, colour.
BARS = ((500, 138, "#B9DCF2"), (658, 148, "#F7D79B"), (762, 92, "#A9DECB"))
CONVOLUTIONS, CONNECTED = "#E3C9DC", "#E4E0C4"


def alexnet_accounting(
    width: float = 1.0, image_size: int = 227, groups: int = 2, num_classes: int = 1000, batch: int = 128
) -> None:
    """Display AlexNet's layers with the shape, parameters, multiply–accumulates and memory of each, and their totals.

    `width` is the factor for all channels and hidden units, 1/16 to 1; `image_size` the side of the square images in
    pixels, 67 to 331; `groups` 1 or 2; `num_classes` 10 or 1000; `batch` one of 1, 2, 4, … 1024 images.
    Raises `WidgetError` with one sentence for other settings.
    The numbers come from `course_utils.widgets.alexnet_numbers`. Nothing is shown while nbgrader runs the notebook.
    """
    if grading():
        return
    accounting = AlexNetAccounting(width, image_size, groups, num_classes, batch)
    show_widget(accounting.view, accounting.scene())


class AlexNetAccounting:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls."""

    def __init__(
        self, width: float = 1.0, image_size: int = 227, groups: int = 2, num_classes: int = 1000, batch: int = 128
    ) -> None:
        import ipywidgets as widgets

        within("The width", width, NARROWEST, 1)
        within("The image size", image_size, SMALLEST, LARGEST, whole=True)
        for name, value, among in (
            ("number of groups", groups, GROUPS),
            ("number of classes", num_classes, CLASSES),
            ("batch", batch, BATCHES),
        ):
            if within(f"The {name}", value, among[0], among[-1], whole=True) not in among:
                raise WidgetError(f"The {name} must be one of {', '.join(map(str, among))}, not {value}.")
        self.width = slider(
            "FloatSlider", "bp-account-width", "Width", "The factor for all channels and hidden units", self._draw,
            min=NARROWEST, max=1.0, step=NARROWEST, value=width, readout_format=".4f", width="300px",
        )  # fmt: skip
        self.image_size = slider(
            "IntSlider", "bp-account-size", "Image size", "The side of the square images in pixels", self._draw,
            min=SMALLEST, max=LARGEST, value=image_size, width="380px",
        )  # fmt: skip
        self.groups = choice(
            "bp-account-groups", "Groups", "Into how many groups conv2, conv4 and conv5 are divided", self._draw,
            options=list(GROUPS), value=groups,
        )  # fmt: skip
        self.num_classes = choice(
            "bp-account-classes", "Classes", "How many classes fc8 tells apart", self._draw,
            options=list(CLASSES), value=num_classes,
        )  # fmt: skip
        self.batch = slider(
            "SelectionSlider", "bp-account-batch", "Batch", "How many images are in the network at once", self._draw,
            options=[(str(count), count) for count in BATCHES], value=batch, width="300px",
        )  # fmt: skip
        self.picture = widgets.HTML()
        self.view = frame(
            "bp-account", row(self.width, self.image_size), row(self.groups, self.num_classes, self.batch), self.picture
        )  # fmt: skip
        self._draw()

    def table(self) -> Table:
        """The numbers of the present setting."""
        return table(round(self.width.value, 6), self.image_size.value, self.groups.value, self.num_classes.value)

    def scene(self) -> Scene:
        """The picture for the present setting."""
        return draw(self.table(), self.batch.value)

    def _draw(self) -> None:
        self.picture.value = picture(self.scene())


def draw(costs: Table, batch: int) -> Scene:
    """The table with a bar behind every number, the totals, and where parameters and arithmetic are."""
    fit, cut = _fit(costs)
    scene = Scene(WIDE, ABOVE + ROW * (len(costs.rows) + 2) + 168)
    scene.text(14, 22, fit, 13, MISFIT if cut else INK, bold=True)
    scene.text(14, 42, cut, 12, MISFIT)
    ends = (SHAPE_AT, *(at for at, _, _ in BARS))
    titles = ("output", "parameters", "multiply–accumulates", f"memory × {batch}")
    for at, title in zip(ends, titles, strict=True):
        scene.text(at, ABOVE - 6, title, 11.5, QUIET, "end")
    scene.text(NAME_AT, ABOVE - 6, "layer", 11.5, QUIET)
    _rule(scene, 0)
    scene.text(NAME_AT, ABOVE + 14, "input", 12, QUIET)
    scene.text(SHAPE_AT, ABOVE + 14, shown((3, costs.image_size, costs.image_size)), 12, QUIET, "end")
    for index, each in enumerate(costs.rows):
        _row(scene, ABOVE + ROW * (index + 1), each, batch, costs)
    end = len(costs.rows) + 1
    _rule(scene, end)
    scene.text(NAME_AT, ABOVE + ROW * end + 15, "total", 12.5, bold=True)
    totals = (f"{costs.parameters:,}", f"{costs.macs:,}", size(batch * costs.memory))
    for (at, _, _), total in zip(BARS, totals, strict=True):
        scene.text(at, ABOVE + ROW * end + 15, total, 12.5, anchor="end", bold=True)
    below = ABOVE + ROW * (end + 1) + 14
    _divided(scene, below, "parameters", costs.share("conv", "parameters"))
    _divided(scene, below + 29, "multiply–accumulates", costs.share("conv", "macs"))
    notes = _notes(costs, batch)
    for line, note in enumerate(notes):
        scene.text(14, below + 78 + 18 * line, note, 12)
    scene.alt = _words(costs, f"{fit} {cut}".strip(), notes)
    return scene


def _rule(scene: Scene, line: int) -> None:
    y = ABOVE + ROW * line
    scene.line([(14, y), (WIDE - 12, y)], INK, 1)


def _row(scene: Scene, top: float, row: Row, batch: int, costs: Table) -> None:
    color = MISFIT if row.rest else INK
    if row.rest:
        scene.rect(14, top, WIDE - 26, ROW, MISFIT_TINT, "none")
        scene.text(17, top + 15, "!", 12, MISFIT, bold=True)
    shares = (row.parameters / costs.parameters, row.macs / costs.macs, row.memory / costs.memory)
    texts = (f"{row.parameters:,}", f"{row.macs:,}", size(batch * row.memory))
    for (at, wide, shade), share, text in zip(BARS, shares, texts, strict=True):
        left = at + 4 - wide
        scene.line([(left, top), (left, top + ROW)], PALE, 1)
        if share:
            scene.rect(left, top + 2, wide * share, ROW - 4, shade, "none")
            scene.text(at, top + 15, text, 12, anchor="end")
    scene.text(NAME_AT, top + 15, row.layer.name, 12, color)
    scene.text(SETTINGS_AT, top + 15, settings(row.layer), 11, color)
    scene.text(SHAPE_AT, top + 15, shown(row.shape), 12, color, "end")


def _fit(costs: Table) -> tuple[str, str]:
    """Whether every division comes out even; and if not, what is cut off."""
    inexact = [row for row in costs.rows if row.rest]
    if not inexact:
        return f"{costs.image_size} pixels fit: every output size is a whole number.", ""
    first, bigger = inexact[0], next_fit(costs.image_size)
    sizes = f"{bigger - EVERY} and {bigger} pixels fit." if bigger <= LARGEST else f"{bigger - EVERY} pixels fit."
    names = [row.layer.name for row in inexact]
    listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    lines = "row and column change" if costs.unread == 1 else f"{costs.unread} rows and columns change"
    division, unread = first.rest.replace(" + 2·0", "").split(", and it never reads ")
    lost = f"The image's last {lines} nothing in the result." if costs.unread else f"It never reads {unread}."
    return f"{costs.image_size} pixels do not fit {listed}. {sizes}", f"{first.layer.name}: {division}. {lost}"


def _divided(scene: Scene, top: float, name: str, convolutions: float) -> None:
    """A bar of full length: how a cost divides between convolutions and fully connected layers."""
    left, wide = 170, 592
    scene.text(left - 10, top + 16, name, 12, anchor="end")
    edge = left + wide * convolutions
    scene.rect(left, top, edge - left, 23, CONVOLUTIONS, "none")
    scene.rect(edge, top, left + wide - edge, 23, CONNECTED, "none")
    labels = (
        (left + 8, "start", f"convolutions {_percent(convolutions)}"),
        (left + wide - 8, "end", f"fully connected {_percent(1 - convolutions)}"),
    )
    for at, anchor, label in labels:
        scene.text(at, top + 16, label, 12, anchor=anchor)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _images(count: int) -> str:
    return f"{count} image{'s' * (count > 1)}"


def _notes(costs: Table, batch: int) -> list[str]:
    """Which sizes fit, what the other number of groups would change, and the memory of parameters and activations."""
    other = table(costs.width, costs.image_size, 3 - costs.groups, costs.num_classes)
    parameters, activations = BYTES * costs.parameters, batch * costs.memory
    return [
        "The paper writes 224, but the 55×55 maps of its conv1 need 227."
        if costs.image_size in (224, 227)
        else f"The sizes that fit are {SMALLEST}, {SMALLEST + EVERY}, {SMALLEST + 2 * EVERY}, …: one in {EVERY}.",
        f"With {'one group' if other.groups == 1 else 'two groups'}: {other.parameters:,} parameters and "
        f"{other.macs:,} multiply–accumulates.",
        f"Parameters take {size(parameters)} in float32, with gradients and velocities {size(3 * parameters)}.",
        f"Activations of {_images(batch)} take {size(activations)} in float32 (ReLU in place), with gradients "
        f"{size(2 * activations)}.",
    ]


def _words(costs: Table, fit: str, notes: list[str]) -> str:
    """The table in words."""
    parts = []
    for each in costs.rows:
        text = f"{each.layer.name} gives {shown(each.shape)}"
        text += f", {each.parameters:,} parameters, {each.macs:,} multiply–accumulates" * bool(each.parameters)
        parts.append(text)
    return (
        f"AlexNet of width {number(costs.width, 4)} on images of {costs.image_size} pixels, "
        f"{'one group' if costs.groups == 1 else 'two groups'}, {costs.num_classes} classes. {fit} "
        f"Total: {costs.parameters:,} parameters, {costs.macs:,} multiply–accumulates. "
        f"Fully connected layers have {_percent(costs.share('fc', 'parameters'))} of the parameters, convolutions "
        f"{_percent(costs.share('conv', 'macs'))} of the arithmetic. {' '.join(notes)} {'; '.join(parts)}."
    )
