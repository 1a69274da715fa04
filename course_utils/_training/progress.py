"""How a run is shown: a bar and a plot in a notebook, a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from time import monotonic
from typing import Any

from course_utils._training.curves import Curves
from course_utils.environment import in_jupyter

WAYS = ("auto", "quiet", "lines")
_REDRAW = 0.5  # seconds between two pictures of the bar
_REPLOT = 2.0  # seconds between two pictures of the curves
_NEW_LINE = 60.0  # seconds between two lines within an epoch where a bar cannot be redrawn
_WIDTH = 24


class Quiet:
    """Shows nothing, and is what the others refine."""

    def say(self, text: str) -> None:
        """A sentence of its own."""

    def step(self, epoch: int, epochs: int, step: int, steps: int, loss: float, speed: float) -> None:
        """`step` of `steps` is done in `epoch` (from 1); `loss` is of this step, `speed` in images per second."""

    def epoch(self, record: dict[str, float], epochs: int) -> None:
        """An epoch is over."""

    def end(self) -> None:
        """The run is over."""


class Lines(Quiet):
    """A line for each epoch, and one a minute within long ones: for files and pipes."""

    def __init__(self) -> None:
        self._shown = monotonic()

    def say(self, text: str) -> None:
        print(text, flush=True)

    def step(self, epoch: int, epochs: int, step: int, steps: int, loss: float, speed: float) -> None:
        if monotonic() - self._shown >= _NEW_LINE:
            self._shown = monotonic()
            self.say(progress_line(epoch, epochs, step, steps, loss, speed))

    def epoch(self, record: dict[str, float], epochs: int) -> None:
        self._shown = monotonic()
        self.say(epoch_line(record, epochs))


class Bar(Lines):
    """A bar that is drawn over itself: for terminals."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn = 0

    def say(self, text: str) -> None:
        self._clear()
        print(text, flush=True)

    def step(self, epoch: int, epochs: int, step: int, steps: int, loss: float, speed: float) -> None:
        if monotonic() - self._shown < _REDRAW:
            return
        self._shown = monotonic()
        full = int(step / steps * _WIDTH)
        line = f"[{'#' * full}{'-' * (_WIDTH - full)}] {progress_line(epoch, epochs, step, steps, loss, speed)}"
        # Blanks cover what is left of a longer line.
        sys.stdout.write("\r" + line.ljust(self._drawn))
        sys.stdout.flush()
        self._drawn = len(line)

    def end(self) -> None:
        self._clear()

    def _clear(self) -> None:
        if self._drawn:
            sys.stdout.write("\r" + " " * self._drawn + "\r")
            self._drawn = 0


class Notebook(Quiet):
    """A bar, the curves so far and the last epochs' lines, in one place of the notebook that is drawn anew."""

    def __init__(self) -> None:
        from IPython.display import display

        self._curves = Curves()
        self._said: list[str] = []
        self._epochs: list[str] = []
        self._bar = ""
        self._shown = self._plotted = 0.0
        self._plot = ""
        self._display = display({"text/plain": ""}, raw=True, display_id=True)

    def say(self, text: str) -> None:
        self._said.append(text)
        self._draw()

    def step(self, epoch: int, epochs: int, step: int, steps: int, loss: float, speed: float) -> None:
        self._curves.add_step(epoch - 1 + step / steps, loss)
        if monotonic() - self._shown >= _REDRAW:
            share = (epoch - 1 + step / steps) / epochs
            text = progress_line(epoch, epochs, step, steps, loss, speed)
            self._bar = f"<progress value='{share:.4f}' max='1' style='width:16em'></progress> {text}"
            self._draw()

    def epoch(self, record: dict[str, float], epochs: int) -> None:
        self._epochs.append(epoch_line(record, epochs))
        self._curves.add_epoch(record)
        self._plotted = 0.0
        self._draw()

    def end(self) -> None:
        self._bar, self._plotted = "", 0.0
        self._draw()

    def _draw(self) -> None:
        from html import escape

        self._shown = monotonic()
        if self._shown - self._plotted >= _REPLOT:
            self._plot, self._plotted = self._curves.svg(), self._shown
        lines = [*self._said, *self._epochs[-8:]]
        listed = "<br>".join(escape(line) for line in lines)
        style = "max-width:60em;font-variant-numeric:tabular-nums"
        html = f"<div style='{style}'>{listed}<br>{self._bar}<br>{self._plot}</div>"
        bundle: dict[str, Any] = {"text/html": html, "text/plain": "\n".join([*self._said, *self._epochs])}
        self._display.update(bundle, raw=True)


def reporter(way: str, leads: bool) -> Quiet:
    """The way to show a run; only the leading process shows anything. Raises `ValueError` for an unknown way."""
    if way not in WAYS:
        raise ValueError(f"The progress is shown as one of {', '.join(WAYS)}, not {way!r}.")
    if way == "quiet" or not leads or sys.stdout is None:
        return Quiet()
    if way == "auto" and in_jupyter():
        return Notebook()
    return Bar() if way == "auto" and sys.stdout.isatty() else Lines()


def progress_line(epoch: int, epochs: int, step: int, steps: int, loss: float, speed: float) -> str:
    """Within an epoch."""
    return f"epoch {epoch}/{epochs}, step {step}/{steps}: loss {loss:.4f}, {speed:,.0f} images/s"


def epoch_line(record: dict[str, float], epochs: int) -> str:
    """After an epoch."""
    parts = [
        f"epoch {record['epoch']:.0f}/{epochs}: loss {record['train_loss']:.4f}",
        f"training error {record['train_error']:.1%}",
    ]
    if "validation_error" in record:
        parts.append(f"validation loss {record['validation_loss']:.4f}")
        top5 = record["validation_top5_error"]  # 0 where there are no more than five classes
        parts.append(f"error {record['validation_error']:.1%}" + (f" (top 5: {top5:.1%})" if top5 else ""))
    parts.append(f"rate {record['learning_rate']:g}")
    parts.append(f"{record['images_per_second']:,.0f} images/s")
    return ", ".join(parts)
