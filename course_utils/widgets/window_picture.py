"""The convolution window's picture: padded input, weights, products and output, one row for each channel."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

import numpy as np

from course_utils.plots.palette import palette
from course_utils.widgets.scene import INK, WHITE, Scene
from course_utils.widgets.window_numbers import BIAS, Element, Sliding

WIDE, LEFT, RIGHT, GAP, OUTPUT_GAP = 776, 34, 10, 36, 58
TALLEST_CELL, NARROWEST = 22, 62  # of a cell; and of a grid with its title
TITLE, BETWEEN, BELOW = 46, 50, 138  # pixels above a grid, between two channels and under the grids
QUIET, GRID, PADDING = "#666666", "#B5B5B5", "#E6E6E6"
WINDOW, WINDOW_TINT = palette["blue"], "#D3E8F6"
RESULT, RESULT_TINT = palette["vermillion"], "#FCE3D3"
MISSED, MISSED_TEXT = palette["vermillion"], "#B24E00"  # small text needs more contrast
LINE = 84  # characters
MOST_TERMS = 9  # a longer sum is not written out


@dataclass
class HoverScene(Scene):
    """A picture in which pointing at a spot shows outlines elsewhere and a tooltip. Without a pointer nothing is lost.

    `hover` holds, for each spot, its rectangle (x, y, w, h), the rectangles to outline, and the tooltip.
    """

    hover: list = field(default_factory=list)

    def svg(self) -> str:
        spots = "".join(_spot(*spot) for spot in self.hover)
        style = (
            "<style>.bp-spot rect{fill:none;pointer-events:none}.bp-spot .bp-hit{pointer-events:all}"
            f".bp-spot:hover rect{{stroke:{RESULT};stroke-width:2.5;stroke-dasharray:5 3}}</style>"
        )
        return super().svg().removesuffix("</svg>") + style + spots + "</svg>"


def _spot(hit: tuple, outlines: list[tuple], tip: str) -> str:
    boxes = "".join(_box(outline, "") for outline in outlines)
    return f'<g class="bp-spot"><title>{escape(tip)}</title>{_box(hit, "bp-hit")}{boxes}</g>'


def _box(box: tuple, css: str) -> str:
    x, y, w, h = (f"{value:.1f}" for value in box)
    return f'<rect class="{css}" x="{x}" y="{y}" width="{w}" height="{h}" fill="none"/>'


def whole(value: int) -> str:
    return str(value).replace("-", "−")


def summed(values) -> str:
    """ "2 + (−3) + 0 = −1"."""
    terms = " + ".join(whole(v) if v >= 0 or k == 0 else f"({whole(v)})" for k, v in enumerate(values))
    return f"{terms} = {whole(sum(values))}"


def draw(sliding: Sliding, row: int, column: int) -> HoverScene:
    """The picture for output[row, column]; for a kernel that does not fit, of the input and the weights alone."""
    rows, columns = sliding.rows, sliding.columns
    cells = columns.padded + 2 * columns.kernel + columns.outputs
    narrow = 2 * max(0, NARROWEST - columns.kernel * TALLEST_CELL) + max(0, NARROWEST - columns.outputs * TALLEST_CELL)
    cell = min(TALLEST_CELL, (WIDE - LEFT - RIGHT - 2 * GAP - OUTPUT_GAP - narrow) / cells)
    tall = max(rows.padded, rows.kernel) * cell
    bottom = TITLE + sliding.channels * (tall + BETWEEN) - BETWEEN
    scene = HoverScene(WIDE, round(bottom + BELOW))
    kernel_wide = max(columns.kernel * cell, NARROWEST)
    weights_at = LEFT + max(columns.padded, columns.kernel) * cell + GAP
    products_at = weights_at + kernel_wide + GAP
    output_at = products_at + kernel_wide + OUTPUT_GAP
    element = sliding.element(row, column) if sliding.fits else None
    tops = [TITLE + channel * (tall + BETWEEN) for channel in range(sliding.channels)]
    for channel, top in enumerate(tops):
        _input(scene, sliding, channel, (LEFT, top), cell, row, column)
        lower = top + max(0.0, (rows.padded - rows.kernel) * cell / 2)
        _grid(scene, f"weights {channel}", sliding.weight[channel], (weights_at, lower), cell, kernel_wide)
        if element is not None:
            middle = lower + rows.kernel * cell / 2 + 6
            scene.text(weights_at - GAP / 2, middle, "×", 17, anchor="middle")
            scene.text(products_at - GAP / 2, middle, "=", 17, anchor="middle")
            _grid(
                scene, f"products {channel}", element.products[channel], (products_at, lower), cell, kernel_wide,
                fill=WINDOW_TINT, edge=WINDOW,
            )  # fmt: skip
            under = (products_at + kernel_wide / 2, lower + rows.kernel * cell + 18)
            scene.text(*under, f"sum {whole(element.sums[channel])}", 12.5, WINDOW, "middle", bold=True)
    if element is not None:
        _output(scene, sliding, (row, column), cell, output_at, tops, bottom)
    _words(scene, sliding, (row, column), element, bottom + 34)
    return scene


def _input(scene, sliding: Sliding, channel: int, corner, cell: float, row: int, column: int) -> None:
    """The padded input of one channel with its indices, the window, and what no window reads crossed out."""
    rows, columns, (left, top) = sliding.rows, sliding.columns, corner
    title = "padded input" if rows.padding or columns.padding else "input"
    scene.text(left, top - 25, f"{title}, channel {channel}", 12.5, bold=True)
    for index in range(columns.padded):
        scene.text(left + (index + 0.5) * cell, top - 6, str(index), 10, QUIET, "middle")
    for index in range(rows.padded):
        scene.text(left - 7, top + (index + 0.5) * cell + 4, str(index), 10, QUIET, "end")
    values = sliding.padded[channel]

    def pads(i, j):
        return not (
            rows.padding <= i < rows.padded - rows.padding and columns.padding <= j < columns.padded - columns.padding
        )

    def inside(i, j):
        return sliding.fits and i in rows.reads(row) and j in columns.reads(column)

    def fill(i, j):
        return WINDOW_TINT if inside(i, j) else PADDING if pads(i, j) else WHITE

    _cells(scene, values, corner, cell, fill, ink=lambda i, j: QUIET if pads(i, j) else INK)
    if sliding.fits:
        for i, j in np.ndindex(*values.shape):
            if i in rows.unread or j in columns.unread:
                x, y = left + j * cell, top + i * cell
                scene.line([(x + 2, y + cell - 2), (x + cell - 2, y + 2)], MISSED, 1.6)
        scene.rect(*_window(sliding, corner, cell, row, column), "none", WINDOW, 3)
    else:
        right, low = left + columns.kernel * cell, top + rows.kernel * cell
        scene.line([(left, top), (right, top), (right, low), (left, low), (left, top)], MISSED, 3, dash=True)


def _window(sliding: Sliding, corner, cell: float, row: int, column: int) -> tuple[float, float, float, float]:
    """The rectangle, in pixels, that output[row, column] reads on an input drawn at `corner`."""
    rows, columns = sliding.rows, sliding.columns
    x, y = corner[0] + columns.reads(column).start * cell, corner[1] + rows.reads(row).start * cell
    return x, y, columns.kernel * cell, rows.kernel * cell


def _output(
    scene: HoverScene, sliding: Sliding, at, cell: float, left: float, tops: list[float], bottom: float
) -> None:
    """The output with the chosen element, half way down; pointing at an element shows its window."""
    values = sliding.output()
    height = values.shape[0] * cell
    top = tops[0] + (bottom - tops[0] - height) / 2
    scene.text(left, top - 25, "output", 12.5, bold=True)
    for index in range(values.shape[1]):
        scene.text(left + (index + 0.5) * cell, top - 6, str(index), 10, QUIET, "middle")
    for index in range(values.shape[0]):
        scene.text(left - 7, top + (index + 0.5) * cell + 4, str(index), 10, QUIET, "end")
    _cells(scene, values, (left, top), cell, lambda i, j: RESULT_TINT if (i, j) == at else WHITE)
    scene.rect(left + at[1] * cell, top + at[0] * cell, cell, cell, "none", RESULT, 3)
    scene.text(left - 38, top + height / 2 - 9, "+ bias", 11, QUIET, "middle")
    scene.arrow([(left - 52, top + height / 2), (left - 26, top + height / 2)], QUIET, 1.6, 8)
    for i, j in np.ndindex(*values.shape):
        box = (left + j * cell, top + i * cell, cell, cell)
        windows = [_window(sliding, (LEFT, y), cell, i, j) for y in tops]
        tip = f"output[{i}, {j}] = {summed((*sliding.element(i, j).sums, BIAS))}"
        scene.hover.append((box, windows, tip))


def _grid(scene, title: str, values, corner, cell: float, wide: float, fill: str = WHITE, edge: str = QUIET) -> None:
    """A titled grid in the middle of `wide` pixels."""
    height, width = values.shape
    left, top = corner[0] + (wide - width * cell) / 2, corner[1]
    scene.text(corner[0] + wide / 2, top - 8, title, 12.5, anchor="middle", bold=True)
    _cells(scene, values, (left, top), cell, lambda i, j: fill)
    scene.rect(left, top, width * cell, height * cell, "none", edge, 1.6)


def _cells(
    scene: Scene, values: np.ndarray, corner, cell: float,
    fill: Callable[[int, int], str], ink: Callable[[int, int], str] = lambda i, j: INK,
) -> None:  # fmt: skip
    """Numbers in square cells, in one size with which the longest fits."""
    longest = max(len(whole(value)) for value in values.flat)
    size = min(0.5 * cell, (cell - 3) / (0.7 * longest))
    squares: dict[str, list] = {}  # cells of one colour are one shape, which is quicker to draw
    for i, j in np.ndindex(*values.shape):
        x, y = corner[0] + j * cell, corner[1] + i * cell
        squares.setdefault(fill(i, j), []).append([(x, y), (x + cell, y), (x + cell, y + cell), (x, y + cell)])
    for color, parts in squares.items():
        scene.polygon(*parts, fill=color, stroke=GRID, width=0.8)
    for (i, j), value in np.ndenumerate(values):
        x, y = corner[0] + j * cell, corner[1] + i * cell
        scene.text(x + cell / 2, y + cell / 2 + 0.36 * size, whole(value), size, ink(i, j), "middle")


def _words(scene: Scene, sliding: Sliding, at, element: Element | None, y: float) -> None:
    """What is drawn, in sentences under the grids and as the alternative text."""
    rows, columns = sliding.rows, sliding.columns
    row, column = at
    sizes = f"height {rows.formula};   width {columns.formula}"
    said = (
        f"Kernel {rows.kernel}×{columns.kernel}, stride {rows.stride}×{columns.stride}, padding "
        f"{rows.padding}×{columns.padding} on {sliding.channels} channel{'s' * (sliding.channels > 1)} of "
        f"{rows.size}×{columns.size}. "
    )
    if element is not None:
        down, across = rows.reads(row), columns.reads(column)
        place = f"output[{row}, {column}] reads {_span('row', down)} and {_span('column', across)} of each channel."
        parts = [f"channel {c}: {whole(part)}" for c, part in enumerate(element.sums)]
        total = f"output[{row}, {column}] = {summed((*element.sums, BIAS))}"
        scene.text(LEFT, y, total, 15, bold=True)
        scene.text(LEFT + 16 + 9.3 * len(total), y, f"({'; '.join(parts)}; bias: {BIAS})", 12, QUIET)
        scene.text(LEFT, y + 23, place, 13)
        said += f"{place} {_sums(element)} {total}. "
    scene.text(LEFT, y + 46, sizes, 13)
    fine = sliding.fits and not (rows.unread or columns.unread)
    for line, text in enumerate(textwrap.wrap(sliding.verdict(), LINE)):
        scene.text(LEFT, y + 70 + 20 * line, text, 13, INK if fine else MISSED_TEXT, bold=not fine)
    scene.alt = f"{said}Output size: {sizes.replace(';   ', ', ')}. {sliding.verdict()}"


def _span(noun: str, positions: range) -> str:
    """ "row 2" or "rows 2 to 4"."""
    return f"{noun} {positions[0]}" if len(positions) == 1 else f"{noun}s {positions[0]} to {positions[-1]}"


def _sums(element: Element) -> str:
    """The products of every channel added up; a long sum by its result alone."""
    said = []
    for channel, products in enumerate(element.products):
        terms = [int(value) for value in products.flat]
        text = summed(terms) if len(terms) <= MOST_TERMS else f"{len(terms)} products with sum {whole(sum(terms))}"
        said.append(f"Channel {channel}: {text}.")
    return " ".join(said)
