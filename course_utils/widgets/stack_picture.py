"""The stack builder's picture: a table with a bar behind each number, so that the eye finds the large ones."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from course_utils.plots.palette import palette
from course_utils.widgets.panel import number
from course_utils.widgets.scene import INK, PALE, Scene
from course_utils.widgets.stack_numbers import BYTES, Layer, Row, Shape, verdict

WIDE, LINE = 800, 98  # pixels, characters
ROW, BELOW = 19, 110
QUIET, CHOSEN, CHOSEN_TINT = "#666666", palette["blue"], "#EAF3FA"
MISFIT, MISFIT_TINT = "#B24E00", "#FDF0E6"
NAME_AT, SETTINGS_AT = 28, 106  # where a column begins; the others end where is said here
SHAPE_AT, FIELD_AT = 402, 466
# Columns of numbers with bars behind them: right end, width, colour.
BARS = {"parameters": (572, 98, "#B9DCF2"), "MACs": (686, 106, "#F7D79B"), "activations": (782, 88, "#A9DECB")}
SIZE = 12
EXACT_BELOW = 10**11  # larger counts are rounded


class _Table:
    """Lines of text in columns, below `above` pixels; line 0 is the input, −1 the titles."""

    def __init__(self, scene: Scene, above: float) -> None:
        self.scene, self.above = scene, above

    def top(self, line: int) -> float:
        return self.above + ROW * line

    def rule(self, line: int) -> None:
        """A rule across the table above a line."""
        self.scene.line([(10, self.top(line)), (WIDE - 10, self.top(line))], INK, 1)

    def text(self, line: int, texts: dict[int, str], color: str = INK, bold: bool = False) -> None:
        """Texts by their place, the first two columns from the left, the others to the right."""
        rooms = {NAME_AT: SETTINGS_AT - NAME_AT - 4, SETTINGS_AT: SHAPE_AT - SETTINGS_AT - 94}
        for at, text in texts.items():
            fitting = rooms.get(at, WIDE) / (0.62 * max(len(text), 1))  # a long name or setting is written smaller
            anchor = "start" if at in rooms else "end"
            self.scene.text(at, self.top(line) + 14, text, min(SIZE, fitting), color, anchor, bold)


def draw(rows: Sequence[Row], input_shape: Shape, chosen: int) -> Scene:
    """The table of a stack; `chosen` is the index of the layer that is being changed."""
    said = verdict(rows)
    fine = not any(row.stops or row.rest for row in rows)
    lines = textwrap.wrap(said, LINE)
    above = 36 + 19 * max(len(lines), 2)  # room for two, so that the table seldom moves
    scene = Scene(WIDE, above + ROW * (len(rows) + 2) + BELOW)
    for line, text in enumerate(lines):
        scene.text(14, above - 33 + 19 * (line + 1 - len(lines)), text, 13, INK if fine else MISFIT, bold=True)
    table = _Table(scene, above)
    titles = {NAME_AT: "layer", SETTINGS_AT: "settings", SHAPE_AT: "output", FIELD_AT: "field"}
    table.text(-1, titles | {at: name for name, (at, _, _) in BARS.items()}, QUIET)
    table.rule(0)
    table.text(0, {NAME_AT: "input", SHAPE_AT: shown(input_shape), FIELD_AT: "1"}, QUIET)
    largest = [max(costs) or 1 for costs in zip(*map(_costs, rows), strict=True)]
    for index, row in enumerate(rows):
        _row(table, index + 1, row, index == chosen, largest)
    top, low = table.top(chosen + 1), table.top(chosen + 2)
    scene.line([(10, top), (WIDE - 10, top), (WIDE - 10, low), (10, low), (10, top)], CHOSEN, 2)
    _totals(table, rows)
    scene.alt = _words(rows, input_shape, chosen, said)
    return scene


def settings(layer: Layer) -> str:
    """What a layer does, such as "96 of 11×11, stride 4"; stride 1, padding 0 and a single group go unsaid."""
    if layer.kind == "fc":
        return f"{layer.out} unit{'s' * (layer.out > 1)}"
    parts = []
    if layer.kind in ("conv", "pool"):
        window = f"{layer.kernel}×{layer.kernel}"
        parts = [f"{layer.out} of {window}" if layer.kind == "conv" else window]
        parts += [f"stride {layer.stride}"] * (layer.stride > 1) + [f"padding {layer.padding}"] * (layer.padding > 0)
    if layer.kind == "conv" and layer.groups > 1:
        parts.append(f"{layer.groups} groups")
    return ", ".join(parts)


def shown(shape: Shape | None) -> str:
    """A shape such as "96×55×55"; a dash for none."""
    return "×".join(map(str, shape)) if shape else "–"


def counted(value: int) -> str:
    """A count with all its digits, while there are not too many."""
    return f"{value:,}" if value < EXACT_BELOW else number(value)


def size(count: int) -> str:
    """Bytes in units of 1000, such as "1.16 MB"."""
    value, units = float(count), iter(("kB", "MB", "GB", "TB", "PB"))
    unit = "B"
    while value >= 999.5:
        value, unit = value / 1000, next(units)
    return f"{value:.3g} {unit}"


def _costs(row: Row) -> tuple[int, int, int]:
    return row.parameters, row.macs, row.memory


def _field(row: Row) -> str:
    if row.field is None:
        return "–"
    height, width = row.field
    return str(height) if height == width else f"{height}×{width}"


def _row(table: _Table, line: int, row: Row, chosen: bool, largest: Sequence[int]) -> None:
    scene, top = table.scene, table.top(line)
    flagged = row.stops or row.rest
    if flagged or chosen:
        scene.rect(10, top, WIDE - 20, ROW, MISFIT_TINT if flagged else CHOSEN_TINT, "none")
    for (at, wide, color), cost, most in zip(BARS.values(), _costs(row), largest, strict=True):
        left = at + 4 - wide
        scene.line([(left, top), (left, top + ROW)], PALE, 1)
        if cost:
            scene.rect(left, top + 2, wide * cost / most, ROW - 4, color, "none")
    color = MISFIT if flagged else INK if row.shape else QUIET
    words = {NAME_AT: row.layer.name, SETTINGS_AT: settings(row.layer)}
    table.text(line, words | {SHAPE_AT: shown(row.shape), FIELD_AT: _field(row)}, color)
    if flagged:
        scene.text(14, top + 14, "✗" if row.stops else "!", SIZE, MISFIT, bold=True)
    if row.shape:
        # A nought is left out: most layers have no parameters.
        texts = [counted(cost) if cost else "" for cost in _costs(row)[:2]] + [size(row.memory)]
        table.text(line, dict(zip((at for at, _, _ in BARS.values()), texts, strict=True)))


def _totals(table: _Table, rows: Sequence[Row]) -> None:
    line = len(rows) + 1
    table.rule(line)
    parameters, macs, memory = map(sum, zip(*map(_costs, rows), strict=True))
    texts = (counted(parameters), counted(macs), size(memory))
    ends = (at for at, _, _ in BARS.values())
    table.text(line, {NAME_AT: "total"} | dict(zip(ends, texts, strict=True)), bold=True)
    notes = (
        "field: height of the receptive field in pixels, padding counted in; height×width where they differ.",
        "MACs: multiply–accumulates for one image, biases not counted.",
        f"activations: what every layer gives, for one image in float32; with their gradients {size(2 * memory)}.",
        f"The parameters take {size(BYTES * parameters)} in float32.",
    )
    for k, note in enumerate(notes):
        table.scene.text(14, table.top(line + 1) + 24 + 18 * k, note, 11.5, QUIET)


def _words(rows: Sequence[Row], input_shape: Shape, chosen: int, said: str) -> str:
    """The table in words."""
    parts = []
    for row in rows:
        text = f"{row.layer.name}{f' ({settings(row.layer)})' * bool(settings(row.layer))}"
        if row.shape:
            text += f" gives {shown(row.shape)}, field {_field(row)}, {size(row.memory)}"
            text += f", {row.parameters:,} parameters, {row.macs:,} multiply–accumulates" * bool(row.parameters)
        parts.append(text)
    parameters, macs, memory = map(sum, zip(*map(_costs, rows), strict=True))
    return (
        f"Stack of {len(rows)} layer{'s' * (len(rows) > 1)} on an input of {shown(input_shape)}. {said} "
        f"Total: {parameters:,} parameters, {macs:,} multiply–accumulates, {size(memory)} of activations. "
        f"Layer {chosen + 1} is chosen. {'; '.join(parts)}."
    )
