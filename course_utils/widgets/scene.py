"""A picture as a short list of shapes, drawn as SVG for the live widget or as PNG for its static stand-in.

SVG is written in a millisecond or two, so a picture follows a slider at once; matplotlib, which draws the PNG,
would take a hundred. Coordinates are CSS pixels, x to the right and y downwards.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from itertools import count

INK, PALE, WHITE = "#222222", "#D9D9D9", "#FFFFFF"
FONT = "DejaVu Sans, Verdana, Segoe UI, Arial, sans-serif"
Point = tuple[float, float]
_ids = count()


@dataclass(frozen=True)
class Text:
    at: Point  # the baseline's left end, middle or right end, as `anchor` says
    text: str
    size: float
    color: str
    anchor: str  # start, middle, end
    bold: bool
    turned: bool  # read upwards, as the label of a vertical axis


@dataclass(frozen=True)
class Shape:
    """One or more polygons or polylines drawn alike; `closed` ones are filled, holes by opposite direction."""

    parts: tuple[tuple[Point, ...], ...]
    closed: bool
    fill: str
    stroke: str
    width: float
    dash: bool
    clip: tuple[float, float, float, float] | None


@dataclass(frozen=True)
class Dot:
    at: Point
    radius: float
    fill: str
    stroke: str
    width: float
    clip: tuple[float, float, float, float] | None


@dataclass
class Scene:
    """A white picture of `width` × `height` pixels with the alternative text `alt`."""

    width: float
    height: float
    alt: str = ""
    items: list = field(default_factory=list)
    _clip: tuple[float, float, float, float] | None = None

    def line(self, points: Iterable[Point], color: str = INK, width: float = 1.5, dash: bool = False) -> None:
        self._add((tuple(points),), False, "none", color, width, dash)

    def polygon(self, *parts: Sequence[Point], fill: str, stroke: str = "none", width: float = 1.0) -> None:
        self._add(tuple(map(tuple, parts)), True, fill, stroke, width, False)

    def rect(
        self, x: float, y: float, w: float, h: float, fill: str = WHITE, stroke: str = INK, width: float = 1.0
    ) -> None:
        self.polygon([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], fill=fill, stroke=stroke, width=width)

    def dot(self, at: Point, radius: float, fill: str, stroke: str = WHITE, width: float = 1.0) -> None:
        self.items.append(Dot(at, radius, fill, stroke, width, self._clip))

    def arrow(self, points: Sequence[Point], color: str = INK, width: float = 1.5, head: float = 7.0) -> None:
        """A polyline with a filled head at its last point."""
        (x0, y0), (x1, y1) = points[-2], points[-1]
        length = math.hypot(x1 - x0, y1 - y0) or 1.0
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        base = (x1 - head * ux, y1 - head * uy)
        self.line([*points[:-1], base], color, width)
        side = 0.45 * head
        self.polygon(
            [(x1, y1), (base[0] - side * uy, base[1] + side * ux), (base[0] + side * uy, base[1] - side * ux)],
            fill=color,
        )

    def text(
        self, x: float, y: float, text: str, size: float = 12, color: str = INK, anchor: str = "start",
        bold: bool = False, turned: bool = False,
    ) -> None:  # fmt: skip
        self.items.append(Text((x, y), text, size, color, anchor, bold, turned))

    @contextmanager
    def clipped(self, x: float, y: float, w: float, h: float):
        """Lines, polygons and dots added inside stay within this rectangle; text is never cut."""
        self._clip, before = (x, y, w, h), self._clip
        try:
            yield
        finally:
            self._clip = before

    def _add(self, parts, closed, fill, stroke, width, dash) -> None:
        parts = tuple(part for part in parts if len(part) > 1)
        if parts:
            self.items.append(Shape(parts, closed, fill, stroke, width, dash, self._clip))

    def svg(self) -> str:
        """The picture as an `<svg>` element that shrinks with its container and carries the alternative text."""
        prefix = f"bp{next(_ids)}"  # ids are global in a page, and several pictures share one
        clips: dict[tuple, str] = {}
        body = []
        for item in self.items:
            if isinstance(item, Text):
                body.append(_svg_text(item))
            else:
                clip = ""
                if item.clip is not None:
                    clip = f' clip-path="url(#{clips.setdefault(item.clip, f"{prefix}-{len(clips)}")})"'
                body.append(_svg_dot(item, clip) if isinstance(item, Dot) else _svg_shape(item, clip))
        defs = "".join(
            f'<clipPath id="{name}"><rect x="{_n(x)}" y="{_n(y)}" width="{_n(w)}" height="{_n(h)}"/></clipPath>'
            for (x, y, w, h), name in clips.items()
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="bp-picture" role="img" aria-label="{escape(self.alt)}" '
            f'viewBox="0 0 {_n(self.width)} {_n(self.height)}" width="{_n(self.width)}" height="{_n(self.height)}" '
            f'style="background:white;max-width:100%;height:auto;display:block" font-family="{FONT}">'
            f'<defs>{defs}</defs><rect width="100%" height="100%" fill="white"/>{"".join(body)}</svg>'
        )

    def png(self, scale: float = 2.0) -> bytes:
        """The picture as PNG, `scale` device pixels to the CSS pixel. Takes a tenth of a second or two."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from PIL import Image

        dpi = 100
        fig = Figure(figsize=(self.width / dpi, self.height / dpi), facecolor="white")
        FigureCanvasAgg(fig)
        ax = fig.add_axes((0, 0, 1, 1))
        ax.set(xlim=(0, self.width), ylim=(self.height, 0))
        ax.set_axis_off()
        for order, item in enumerate(self.items):
            _DRAW[type(item)](ax, item, order, dpi)
        drawn, small = io.BytesIO(), io.BytesIO()
        fig.savefig(drawn, format="png", dpi=dpi * scale)
        # A drawing has few colours: a palette of 128 makes the file, which every notebook carries, a third as large.
        Image.open(drawn).convert("RGB").quantize(128).save(small, format="png", optimize=True)
        return small.getvalue()


def _n(value: float) -> str:
    """A number for SVG: a tenth of a pixel is enough."""
    return f"{value:.1f}".removesuffix(".0")


def _svg_text(item: Text) -> str:
    x, y = map(_n, item.at)
    turn = f' transform="rotate(-90 {x} {y})"' if item.turned else ""
    weight = ' font-weight="bold"' if item.bold else ""
    return (
        f'<text x="{x}" y="{y}" font-size="{_n(item.size)}" fill="{item.color}" '
        f'text-anchor="{item.anchor}"{weight}{turn} xml:space="preserve">{escape(item.text)}</text>'
    )


def _svg_shape(item: Shape, clip: str) -> str:
    end = "Z" if item.closed else ""
    path = "".join("M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in part) + end for part in item.parts)
    dash = ' stroke-dasharray="5 4"' if item.dash else ""
    return (
        f'<path d="{path}" fill="{item.fill}" stroke="{item.stroke}" stroke-width="{_n(item.width)}" '
        f'stroke-linejoin="round"{dash}{clip}/>'
    )


def _svg_dot(item: Dot, clip: str) -> str:
    x, y = map(_n, item.at)
    return (
        f'<circle cx="{x}" cy="{y}" r="{_n(item.radius)}" fill="{item.fill}" stroke="{item.stroke}" '
        f'stroke-width="{_n(item.width)}"{clip}/>'
    )


def _draw_text(ax, item: Text, order: int, dpi: int) -> None:
    ax.text(
        *item.at, item.text, fontsize=item.size * 72 / dpi, color=item.color, zorder=order, va="baseline",
        ha={"start": "left", "middle": "center", "end": "right"}[item.anchor], parse_math=False,
        fontweight="bold" if item.bold else "normal", rotation=90 if item.turned else 0, rotation_mode="anchor",
    )  # fmt: skip


def _draw_shape(ax, item: Shape, order: int, dpi: int) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    vertices, codes = [], []
    for part in item.parts:
        vertices += [*part, part[0]] if item.closed else part
        codes += [Path.MOVETO] + [Path.LINETO] * (len(part) - 1) + ([Path.CLOSEPOLY] if item.closed else [])
    patch = PathPatch(
        Path(vertices, codes), facecolor=item.fill, edgecolor=item.stroke, linewidth=item.width * 72 / dpi,
        zorder=order,
        linestyle=(0, (5 / item.width, 4 / item.width)) if item.dash else "solid", fill=item.closed, joinstyle="round",
    )  # fmt: skip
    _add_patch(ax, patch, item)


def _draw_dot(ax, item: Dot, order: int, dpi: int) -> None:
    from matplotlib.patches import Circle

    patch = Circle(
        item.at, item.radius, facecolor=item.fill, edgecolor=item.stroke, linewidth=item.width * 72 / dpi, zorder=order
    )
    _add_patch(ax, patch, item)


def _add_patch(ax, patch, item: Shape | Dot) -> None:
    from matplotlib.patches import Rectangle

    ax.add_patch(patch)
    if item.clip is not None:
        x, y, w, h = item.clip
        patch.set_clip_path(Rectangle((x, y), w, h, transform=ax.transData))


_DRAW = {Text: _draw_text, Shape: _draw_shape, Dot: _draw_dot}
