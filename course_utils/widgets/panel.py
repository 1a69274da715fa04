"""A pair of axes inside a `Scene`: from data coordinates to pixels, with ticks, grid and labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from course_utils.widgets.scene import INK, PALE, Point, Scene


def number(value: float, digits: int = 3) -> str:
    """A number for people: at most `digits` significant digits, a true minus sign, no trailing zeros."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "∞" if value > 0 else "−∞"
    if value and not 1e-4 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.{max(digits - 2, 0)}e}".split("e")
        raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = f"{mantissa}·10{raised}"
    else:
        text = f"{value:.{digits}g}"
        if "e" in text:  # a large number, whose digits before the point all count
            text = f"{value:.0f}"
    return "0" if text == "-0" else text.replace("-", "−")


def round_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Round numbers inside an interval, three to six of them."""
    step = next(s for s in (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0) if (high - low) / s <= 6)
    return [(k * step, number(k * step)) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


class Panel:
    """Axes over the pixel rectangle (x, y, w, h) of `scene`, with linear or logarithmic limits."""

    def __init__(
        self, scene: Scene, box: tuple[float, float, float, float], xlim: Point, ylim: Point,
        xlog: bool = False, ylog: bool = False,
    ) -> None:  # fmt: skip
        self.scene, self.box = scene, box
        self.xlim, self.ylim, self.xlog, self.ylog = xlim, ylim, xlog, ylog

    def x(self, value: float) -> float:
        return self.box[0] + self.box[2] * _share(value, self.xlim, self.xlog)

    def y(self, value: float) -> float:
        return self.box[1] + self.box[3] * (1 - _share(value, self.ylim, self.ylog))

    def points(self, xs: Iterable[float], ys: Iterable[float]) -> list[Point]:
        return [(self.x(a), self.y(b)) for a, b in zip(xs, ys, strict=True)]

    def inside(self):
        """A context in which what is drawn stays within the axes."""
        return self.scene.clipped(*self.box)

    def frame(
        self, xticks: Sequence[tuple[float, str]], yticks: Sequence[tuple[float, str]],
        title: str = "", xlabel: str = "", ylabel: str = "", grid: bool = True,
    ) -> None:  # fmt: skip
        """Grid, ticks given as (value, label), two spines, title above and axis labels."""
        left, top, width, height = self.box
        bottom, scene = top + height, self.scene
        for value, label in xticks:
            at = self.x(value)
            if grid:
                scene.line([(at, top), (at, bottom)], PALE, 0.8)
            scene.line([(at, bottom), (at, bottom + 4)], INK, 1)
            scene.text(at, bottom + 17, label, 11, anchor="middle")
        for value, label in yticks:
            at = self.y(value)
            if grid:
                scene.line([(left, at), (left + width, at)], PALE, 0.8)
            scene.line([(left - 4, at), (left, at)], INK, 1)
            scene.text(left - 8, at + 4, label, 11, anchor="end")
        scene.line([(left, top), (left, bottom), (left + width, bottom)], INK, 1)
        scene.text(left + width / 2, top - 10, title, 13, anchor="middle", bold=True)
        scene.text(left + width / 2, bottom + 35, xlabel, 12, anchor="middle")
        if ylabel:
            scene.text(left - 44, top + height / 2, ylabel, 12, anchor="middle", turned=True)


def filled_contours(panel: Panel, xs, ys, heights, levels: Sequence[float], shades: Sequence[str]) -> tuple:
    """What lies below each level, from the highest to the lowest: its shade and its polygons in pixels.

    heights: (len(ys), len(xs)). levels and shades rise together.
    """
    import contourpy

    generator = contourpy.contour_generator(xs, ys, heights, fill_type=contourpy.FillType.OuterOffset)
    shapes = []
    for level, shade in zip(levels[::-1], shades[::-1], strict=True):
        parts = []
        for points, offsets in zip(*generator.filled(-1.0, level), strict=True):
            for first, last in zip(offsets, offsets[1:], strict=False):
                parts.append(tuple((panel.x(x), panel.y(y)) for x, y in points[first : last - 1]))
        shapes.append((shade, tuple(parts)))
    return tuple(shapes)


def _share(value: float, limits: Point, log: bool) -> float:
    """Where `value` lies between the limits, 0 to 1; far outside is cut so that coordinates stay sane."""
    low, high = limits
    if log:
        value, low, high = math.log(max(value, 1e-300)), math.log(low), math.log(high)
    share = (value - low) / (high - low)
    return min(max(share, -1000.0), 1000.0) if math.isfinite(share) else 1000.0
