"""Figures in the course's style, without matplotlib's global state."""

from __future__ import annotations

from course_utils.plots.palette import palette

_INK, _PALE = "#222222", "#D9D9D9"
# Yellow is left out of the cycle: a thin yellow line on white is hard to see.
_CYCLE = tuple(color for color in palette if color != palette["yellow"])


def style() -> dict:
    """The matplotlib settings under which the axes are made, as an `rcParams` dict."""
    from cycler import cycler

    return {
        "axes.prop_cycle": cycler(color=_CYCLE),
        "figure.facecolor": "white",
        "axes.facecolor": "white",
        "axes.edgecolor": _INK,
        "axes.labelcolor": _INK,
        "axes.titlecolor": _INK,
        "text.color": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": _PALE,
        "grid.linewidth": 0.6,
        "axes.titlesize": 11,
        "axes.labelsize": 10,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
    }


def figure(rows: int = 1, columns: int = 1, size: tuple[float, float] | None = None, images: bool = False, **subplots):
    """Return `(fig, axes)`: a white figure in the course's style, ready for `show(fig, alt=…)`.

    `axes` is one matplotlib `Axes` for a single panel, else an array of them as `Figure.subplots` gives
    (`rows`, `columns` and further keywords such as `sharey=True` go there).
    `images=True` makes panels for `imshow`, without ticks, frame and grid.
    `size` is (width, height) in inches; the default is 5.2 × 3.4 for a single panel and less for each of several.
    The figure is not registered with pyplot, so it needs no display and never shows twice.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if size is None:
        size = (5.2, 3.4) if rows == columns == 1 else (min(3.6 * columns, 11.0), 2.9 * rows)
    with rc_context(style()):
        fig = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(fig)
        axes = fig.subplots(rows, columns, **subplots)
    if images:
        for axis in fig.axes:
            axis.set_axis_off()
    return fig, axes
