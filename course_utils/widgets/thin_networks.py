"""The thinned networks: what dropout leaves of a network at each draw, and where the average of its outputs goes."""

from __future__ import annotations

import numpy as np

from course_utils.environment import grading
from course_utils.plots.palette import palette
from course_utils.widgets.controls import choice, frame, row, slider
from course_utils.widgets.display import picture, show_widget
from course_utils.widgets.errors import WidgetError, one_of, within
from course_utils.widgets.panel import Panel, number, round_ticks
from course_utils.widgets.scene import INK, PALE, WHITE, Scene
from course_utils.widgets.thinned import DRAWS, INPUT, MOST, SAMPLES, WEIGHT1, WEIGHT2, WHERE, Thinned, thinned

COUNTS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
AVERAGE, SCALED, KEPT = palette["blue"], palette["vermillion"], "#DFEAF4"
SCALED_TEXT, QUIET = "#B24E00", "#666666"  # vermillion, darker: small text needs more contrast


def thinned_networks(
    drop_probability: float = 0.4, where: str = "hidden units", samples: int = 20, draw: int = 1
) -> None:
    """Display a network with some units dropped, and the average output of many such networks.

    `drop_probability` is 0 to 0.9; `where` is "hidden units" or "inputs"; `samples` is one of 1, 2, 3, 5, 10, 20, 50,
    100 and so on up to 5000; `draw`, 1 to 10, chooses the random numbers.
    Raises `WidgetError` with one sentence for other settings.
    The numbers come from `course_utils.widgets.thinned`. Nothing is shown while nbgrader runs the notebook.
    """
    if grading():
        return
    shown = ThinnedNetworks(drop_probability, where, samples, draw)
    show_widget(shown.view, shown.scene())


class ThinnedNetworks:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls."""

    def __init__(
        self, drop_probability: float = 0.4, where: str = "hidden units", samples: int = 20, draw: int = 1
    ) -> None:
        import ipywidgets as widgets

        within("The drop probability", drop_probability, 0, MOST)
        one_of("What is dropped", where, WHERE)
        if within("The number of samples", samples, COUNTS[0], COUNTS[-1], whole=True) not in COUNTS:
            raise WidgetError(f"The number of samples must be one of {', '.join(map(str, COUNTS))}, not {samples!r}.")
        within("The draw", draw, 1, DRAWS, whole=True)
        self.drop_probability = slider(
            "FloatSlider", "bp-thinned-p", "Drop probability", "How likely a unit is to be dropped", self._draw,
            min=0, max=MOST, step=0.05, value=drop_probability,
        )  # fmt: skip
        self.samples = slider(
            "SelectionSlider", "bp-thinned-samples", "Samples", "How many thinned networks to average", self._draw,
            options=[(str(count), count) for count in COUNTS], value=samples, width="280px",
        )  # fmt: skip
        self.where = choice(
            "bp-thinned-where", "Drop", "Which units may be dropped", self._draw, options=list(WHERE), value=where,
        )  # fmt: skip
        self.draw = slider(
            "IntSlider", "bp-thinned-draw", "Draw", "Other random numbers", self._draw,
            min=1, max=DRAWS, value=draw, width="200px",
        )  # fmt: skip
        self.picture = widgets.HTML()
        self.view = frame(
            "bp-thinned", row(self.drop_probability, self.samples), row(self.where, self.draw), self.picture
        )
        self._draw()

    def scene(self) -> Scene:
        """The picture for the present setting."""
        return draw(self.where.value, self.drop_probability.value, self.samples.value, self.draw.value)

    def _draw(self) -> None:
        self.picture.value = picture(self.scene())


def draw(where: str, p: float, samples: int, number_of_draw: int) -> Scene:
    """The last sampled network, the running average of the outputs, and how the outputs are distributed."""
    p = round(p, 6)  # a slider's 0.3 may be off in the last digit
    now = thinned(where, p, number_of_draw)
    scene = Scene(776, 446)
    mask = now.masks[samples - 1]
    _network(scene, where, mask)
    scene.text(190, 22, f"thinned network no. {samples}", 13, anchor="middle", bold=True)
    scene.text(COLUMNS[2], 192, f"gives {number(now.sampled[samples - 1])}", 12, anchor="middle")
    _averages(scene, now, samples)
    _distribution(scene, now)
    average = now.averages[samples - 1]
    gap = now.scaled - now.mean
    same = abs(gap) < 1e-12
    result = f"Average of {samples}: {number(average)}. Mean of all {len(now.outputs)} networks: {number(now.mean)}."
    why = (
        f"The scaled network gives {number(now.scaled)}: "
        + ("exactly the mean, for nothing bends after the dropped units." if same else
           f"off by {number(gap)}, for ReLUs come after what is dropped.")
    )  # fmt: skip
    scene.text(30, 416, result, 14, bold=True)
    scene.text(30, 437, why, 12)
    dropped = ", ".join(str(k + 1) for k in np.flatnonzero(~mask)) or "none"
    scene.alt = (
        f"A network of {len(INPUT)} inputs, {len(WEIGHT2)} hidden ReLUs and one output; {where} are dropped with "
        f"probability {number(p)}. In sample {samples} of draw {number_of_draw} the dropped {where} are: {dropped}. "
        f"{result} {why} One network’s output has a std of {number(now.std)}."
    )
    return scene


COLUMNS = (60, 190, 320)  # where inputs, hidden units and the output stand


def _places() -> tuple[list, list, tuple[float, float]]:
    inputs = [(COLUMNS[0], 66 + 56 * k) for k in range(len(INPUT))]
    hidden = [(COLUMNS[1], 50 + 50 * k) for k in range(len(WEIGHT2))]
    return inputs, hidden, (COLUMNS[2], 150)


def _network(scene: Scene, where: str, mask: np.ndarray) -> None:
    """Units and weights; what is dropped is crossed out and its weights are gone."""
    inputs, hidden, out = _places()
    kept_in = mask if where == "inputs" else np.ones(len(INPUT), bool)
    kept_hidden = mask if where == "hidden units" else np.ones(len(WEIGHT2), bool)
    for j, end in enumerate(hidden):
        for i, begin in enumerate(inputs):
            alive = kept_in[i] and kept_hidden[j]
            scene.line([begin, end], "#8A9BAB" if alive else PALE, 0.4 + abs(WEIGHT1[j, i]) if alive else 0.4)
        alive = kept_hidden[j]
        scene.line([end, out], "#8A9BAB" if alive else PALE, 0.4 + abs(WEIGHT2[j]) if alive else 0.4)
    for places, kept in ((inputs, kept_in), (hidden, kept_hidden), ([out], [True])):
        for (x, y), alive in zip(places, kept, strict=True):
            scene.dot((x, y), 15, KEPT if alive else WHITE, INK if alive else SCALED, 1.4)
            if not alive:
                for tilt in (1, -1):
                    scene.line([(x - 7, y - 7 * tilt), (x + 7, y + 7 * tilt)], SCALED, 2.4)
    for (x, _), label in zip((inputs[0], hidden[0], out), ("inputs", "hidden ReLUs", "output"), strict=True):
        scene.text(x, 294, label, 11, QUIET, anchor="middle")


def _averages(scene: Scene, now: Thinned, samples: int) -> None:
    """The average of the first T outputs against T, with the exact mean, two standard errors, and the scaled output."""
    counts = np.unique(np.geomspace(1, SAMPLES, 160).astype(int))
    spread = max(now.std, 0.05)
    centre = (now.mean + now.scaled) / 2
    reach = 2.4 * spread + abs(now.mean - now.scaled) / 2
    panel = Panel(scene, (446, 40, 300, 170), (1, SAMPLES), (centre - reach, centre + reach), xlog=True)
    panel.frame(
        [(1, "1"), (10, "10"), (100, "100"), (1000, "1000")], round_ticks(centre - reach, centre + reach),
        "average output of the first T networks", "T",
    )  # fmt: skip
    with panel.inside():
        error = 2 * now.std / np.sqrt(counts)
        edge = panel.points(counts, now.mean + error) + panel.points(counts, now.mean - error)[::-1]
        scene.polygon(edge, fill="#E6EEF5")
        scene.line([(panel.x(1), panel.y(now.mean)), (panel.x(SAMPLES), panel.y(now.mean))], INK, 1.2, dash=True)
        scene.line([(panel.x(1), panel.y(now.scaled)), (panel.x(SAMPLES), panel.y(now.scaled))], SCALED, 1.6)
        past = counts[counts <= samples]
        scene.line(panel.points(counts, now.averages[counts - 1]), "#A9C4DC", 1.2)
        scene.line(panel.points(past, now.averages[past - 1]), AVERAGE, 2.2)
        scene.dot((panel.x(samples), panel.y(now.averages[samples - 1])), 5, AVERAGE, INK, 1.2)
    y = 262
    for x, text, color in (
        (446, "average", AVERAGE),
        (520, "exact mean (dashed)", INK),
        (652, "scaled network", SCALED_TEXT),
    ):
        scene.text(x, y, text, 11, color)


def _distribution(scene: Scene, now: Thinned) -> None:
    """The outputs of all thinned networks, each a line as high as its probability."""
    low, high = min(now.outputs.min(), now.scaled), max(now.outputs.max(), now.scaled)
    margin = 0.05 * (high - low) or 1.0
    panel = Panel(scene, (446, 304, 300, 56), (low - margin, high + margin), (0, 1.1))
    panel.frame(
        round_ticks(low - margin, high + margin),
        [],
        f"outputs of all {len(now.outputs)} networks, by probability",
        grid=False,
    )
    most = now.probabilities.max()
    for value, probability in zip(now.outputs, now.probabilities, strict=True):
        scene.line([(panel.x(value), panel.y(0)), (panel.x(value), panel.y(probability / most))], AVERAGE, 1.6)
    scene.line([(panel.x(now.mean), 304), (panel.x(now.mean), 360)], INK, 1.2, dash=True)
    scene.dot((panel.x(now.scaled), panel.y(0)), 4.5, SCALED, WHITE, 1)
