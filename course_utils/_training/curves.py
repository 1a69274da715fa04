"""The curves of a run as a small picture (SVG): the loss, and the errors of each epoch. Drawn in a millisecond."""

from __future__ import annotations

from collections.abc import Sequence

_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 300, 170, 44, 22, 60
_COLOURS = {"training": "#0072B2", "validation": "#E69F00"}  # Okabe–Ito
_DASHES = {"training": "", "validation": "6 3"}  # the line's form says the same as its colour
_MOST = 400  # points of a curve

Curve = list[tuple[float, float]]


class Curves:
    """Collects the numbers of a run: two plots side by side over the epochs, the losses and the top-1 errors."""

    def __init__(self) -> None:
        self._steps: Curve = []
        self._smooth: float | None = None
        self.losses: dict[str, Curve] = {"training": [], "validation": []}
        self.errors: dict[str, Curve] = {"training": [], "validation": []}

    def add_step(self, place: float, loss: float) -> None:
        """The loss of one step at `place`, in epochs; the curve shows a running average."""
        self._smooth = loss if self._smooth is None else 0.9 * self._smooth + 0.1 * loss
        self._steps.append((place, self._smooth))
        if len(self._steps) > 2 * _MOST:
            del self._steps[::2]

    def add_epoch(self, record: dict[str, float]) -> None:
        """What `fit` records of an epoch."""
        for name, prefix in (("training", "train"), ("validation", "validation")):
            if f"{prefix}_error" in record:
                self.losses[name].append((record["epoch"], record[f"{prefix}_loss"]))
                self.errors[name].append((record["epoch"], 100 * record[f"{prefix}_error"]))

    def svg(self) -> str:
        """The picture, with a text for those who cannot see it; empty before there is anything to draw."""
        losses = {**self.losses, "training": self._steps or self.losses["training"]}
        if not any(losses.values()):
            return ""
        last = max(curve[-1][0] for curve in losses.values() if curve)
        plots = _plot(0, "loss", losses, last) + _plot(_WIDTH + _GAP, "error in %", self.errors, last)
        width, height = _LEFT + 2 * _WIDTH + _GAP + 10, _TOP + _HEIGHT + 50
        return (
            f"<svg role='img' aria-label='{self._in_words()}' viewBox='0 0 {width} {height}' "
            f"style='width:100%;max-width:{width}px' font-size='12' fill='currentColor'>{plots}</svg>"
        )

    def _in_words(self) -> str:
        parts = [f"training loss {self._steps[-1][1]:.3f}"] if self._steps else []
        parts += [f"{name} error {curve[-1][1]:.1f} %" for name, curve in self.errors.items() if curve]
        return "Loss and error over the epochs; now " + ", ".join(parts)


def _plot(left: float, title: str, curves: dict[str, Curve], last: float) -> str:
    """One plot from x = 0 to `last` and y = 0 to the largest value, which gets a round number above it."""
    highest = max((y for curve in curves.values() for _, y in curve), default=1.0)
    top = _round_up(highest)

    def at(x: float, y: float) -> str:
        return f"{left + _LEFT + x / last * _WIDTH:.1f},{_TOP + (1 - y / top) * _HEIGHT:.1f}"

    parts = [f"<text x='{left + _LEFT}' y='14'>{title}</text>"]
    for share in (0.0, 0.5, 1.0):
        y = _TOP + (1 - share) * _HEIGHT
        parts.append(
            f"<path d='M{left + _LEFT} {y:.1f}h{_WIDTH}' stroke='currentColor' stroke-opacity='.2'/>"
            f"<text x='{left + _LEFT - 5}' y='{y + 4:.1f}' text-anchor='end'>{share * top:.3g}</text>"
        )
    bottom = _TOP + _HEIGHT + 16
    parts.append(f"<text x='{left + _LEFT}' y='{bottom}'>0</text>")
    parts.append(f"<text x='{left + _LEFT + _WIDTH}' y='{bottom}' text-anchor='end'>epoch {last:.3g}</text>")
    for place, (name, curve) in enumerate(curves.items()):
        style = f"stroke='{_COLOURS[name]}' stroke-width='2' stroke-dasharray='{_DASHES[name]}' fill='none'"
        if curve:
            points = " ".join(at(x, y) for x, y in _thinned(curve))
            parts.append(f"<polyline points='{points}' {style}/>")
            if len(curve) == 1:
                x, y = at(*curve[0]).split(",")
                parts.append(f"<circle cx='{x}' cy='{y}' r='3' fill='{_COLOURS[name]}'/>")
        x, y = left + _LEFT + 110 * place, bottom + 18
        parts.append(f"<path d='M{x} {y - 4}h24' {style}/><text x='{x + 30}' y='{y}'>{name}</text>")
    return "".join(parts)


def _thinned(curve: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    return curve[:: max(1, len(curve) // _MOST)]


def _round_up(value: float) -> float:
    """1, 2, 2.5 or 5 times a power of ten, not below `value`."""
    unit = 1e-6
    while unit * 10 < value:
        unit *= 10
    return next(factor * unit for factor in (1, 2, 2.5, 5, 10, 20) if factor * unit >= value)
