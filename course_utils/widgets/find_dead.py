"""The dead units: which ReLUs of a small network still fire, at any learning rate and after any step."""

from __future__ import annotations

import math

import numpy as np

from course_utils.environment import grading
from course_utils.plots.palette import palette
from course_utils.widgets.controls import choice, frame, row, slider
from course_utils.widgets.dead_relus import (
    CENSUS,
    EVERY,
    INPUTS,
    RATES,
    RUNS,
    SIZES,
    STEPS,
    Training,
    dead_at_the_end,
    train,
)
from course_utils.widgets.display import picture, show_widget
from course_utils.widgets.errors import WidgetError, one_of, within
from course_utils.widgets.panel import Panel, number
from course_utils.widgets.scene import INK, PALE, WHITE, Scene

# One hue from rarely to often: the order survives any colour blindness and a grey print.
SHADES = ("#DFEAF4", "#B4CFE5", "#7CA8CF", "#447BAE", "#1F4E79")
DEAD, LOSS, QUIET = palette["vermillion"], palette["blue"], "#666666"
HIDDEN = SIZES[1:-1]
UNITS = sum(HIDDEN)
SIDE, COLUMNS = 23, 10  # of the map's squares, and how many stand in a row
CHANCE = math.log(SIZES[-1])  # the loss of a network that calls all digits equally likely
LOSS_RANGE = (0.03, 30.0)


def dead_units(learning_rate: float = 1.0, inputs: str = "pixels 0 to 1", step: int = STEPS, run: int = 1) -> None:
    """Display which hidden units of a small ReLU network on the digits are dead, zero on every training image.

    `learning_rate` is one of 0.01, 0.018, 0.032, 0.056, 0.1 and so on up to 5.6; `inputs` is "pixels 0 to 1" or
    "minus their mean"; `step`, 0 to 60, is the step of SGD after which the map is drawn (counted every third step);
    `run`, 1 to 5, chooses the random start.
    Raises `WidgetError` with one sentence for other settings.
    The numbers come from `course_utils.widgets.dead_relus`. Nothing is shown while nbgrader runs the notebook.
    """
    if grading():
        return
    units = DeadUnits(learning_rate, inputs, step, run)
    show_widget(units.view, units.scene())


class DeadUnits:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls."""

    def __init__(
        self, learning_rate: float = 1.0, inputs: str = "pixels 0 to 1", step: int = STEPS, run: int = 1
    ) -> None:
        import ipywidgets as widgets

        if within("The learning rate", learning_rate, RATES[0], RATES[-1]) not in RATES:
            raise WidgetError(f"The learning rate must be one of {', '.join(map(str, RATES))}, not {learning_rate!r}.")
        one_of("The inputs", inputs, INPUTS)
        within("The step", step, 0, STEPS, whole=True)
        within("The run", run, 1, RUNS, whole=True)
        self.learning_rate = slider(
            "SelectionSlider", "bp-dead-rate", "Learning rate", "How far a step goes per unit of gradient", self._draw,
            options=[(number(rate), rate) for rate in RATES], value=float(learning_rate),
            width="280px",
        )  # fmt: skip
        self.step = slider(
            "IntSlider", "bp-dead-step", "Step", "After which step of training to count", self._draw,
            min=0, max=STEPS, step=EVERY, value=step - step % EVERY, width="260px",
        )  # fmt: skip
        self.inputs = choice(
            "bp-dead-inputs", "Inputs", "Whether the mean image is subtracted from every image", self._draw,
            options=list(INPUTS), value=inputs,
        )  # fmt: skip
        self.run = slider(
            "IntSlider", "bp-dead-run", "Run", "Which random start to map", self._draw,
            min=1, max=RUNS, value=run, width="180px",
        )  # fmt: skip
        self.picture = widgets.HTML()
        self.view = frame("bp-dead", row(self.learning_rate, self.step, self.run), row(self.inputs), self.picture)
        self._draw()

    def scene(self) -> Scene:
        """The picture for the present setting."""
        return draw(self.learning_rate.value, self.inputs.value, self.step.value, self.run.value)

    def _draw(self) -> None:
        self.picture.value = picture(self.scene())


def draw(rate: float, inputs: str, step: int, run: int) -> Scene:
    """The map of either hidden layer, and below it three curves: dead units and loss by step, dead units by rate."""
    training, at = train(rate, inputs), step // EVERY
    step = CENSUS[at]
    scene = Scene(776, 452)
    _maps(scene, training.fires[at, run - 1])
    _dead_by_step(scene, training, at, run)
    _loss_by_step(scene, training, at, run)
    _dead_by_rate(scene, rate, inputs, training, run)
    each = training.dead[at, run - 1]
    counts, everywhere = each.sum(), training.dead[at].sum(-1)
    after = "before the first step" if step == 0 else f"after {step} steps"
    verb = "is" if counts == 1 else "are"
    result = f"Learning rate {number(rate)}, {after}: {counts} of {UNITS} hidden units {verb} dead."
    loss = training.loss[at, run - 1]
    spread = (
        f"In the {RUNS} runs {everywhere.min()} to {everywhere.max()} are dead. "
        f"The loss of run {run} is {number(loss)}; equal odds give ln {SIZES[-1]} = {CHANCE:.2f}."
    )
    scene.text(30, 426, result, 14, bold=True)
    scene.text(30, 445, f"{spread} Grey: the other runs.", 12)
    final = ", ".join(
        f"{number(100 * share.mean(), 2)} % at {number(at_rate)}"
        for at_rate, share in zip(RATES, dead_at_the_end(inputs), strict=True)
    )
    scene.alt = (
        f"A network with two hidden layers of {HIDDEN[0]} ReLUs on the digits, inputs {inputs}, run {run}. {result} "
        f"Layer 1 has {each[0]} dead units, layer 2 has {each[1]}. {spread} "
        f"Dead after {STEPS} steps by learning rate, mean of the runs: {final}."
    )
    return scene


def _maps(scene: Scene, fires: np.ndarray) -> None:
    """Every hidden unit as a square: darker the more images it fires on, a cross where it is dead."""
    for layer, shares in enumerate(fires):
        left, top = 30 + layer * 290, 34
        dead = int((shares == 0).sum())
        scene.text(left, 22, f"Layer {layer + 1}: {dead} of {len(shares)} units dead", 13, bold=True)
        for unit, share in enumerate(shares):
            x, y = left + unit % COLUMNS * (SIDE + 2), top + unit // COLUMNS * (SIDE + 2)
            _square(scene, x, y, SIDE, share)
    x = 612
    scene.text(x, 22, "the unit fires on", 12)
    for k in range(len(SHADES)):
        y = 34 + k * 18
        share = (k + 0.5) / len(SHADES)
        _square(scene, x, y, 14, share)
        scene.text(x + 22, y + 12, f"{20 * k} to {20 * k + 20} % of images", 11)
    _square(scene, x, 34 + 5 * 18, 14, 0.0)
    scene.text(x + 22, 34 + 5 * 18 + 12, "no image: dead", 11)


def _square(scene: Scene, x: float, y: float, side: float, share: float) -> None:
    if share > 0:
        scene.rect(x, y, side, side, SHADES[min(int(share * len(SHADES)), len(SHADES) - 1)], "#8A9BAB", 0.6)
        return
    scene.rect(x, y, side, side, WHITE, DEAD, 1)
    inset = side / 4
    for start, end in ((y + inset, y + side - inset), (y + side - inset, y + inset)):
        scene.line([(x + inset, start), (x + side - inset, end)], DEAD, 2.2)


BY_STEP, STEP_TICKS = (0, STEPS), [(n, str(n)) for n in range(0, STEPS + 1, 20)]
SHARES, SHARE_TICKS = (-0.02, 1.02), [(n / 100, f"{n} %") for n in (0, 25, 50, 75, 100)]


def _dead_by_step(scene: Scene, training: Training, at: int, run: int) -> None:
    panel = Panel(scene, (76, 216, 170, 140), BY_STEP, SHARES)
    panel.frame(STEP_TICKS, SHARE_TICKS, "dead units", "step")
    _runs(panel, training.dead.sum(-1) / UNITS, at, run, DEAD)


def _loss_by_step(scene: Scene, training: Training, at: int, run: int) -> None:
    panel = Panel(scene, (316, 216, 170, 140), BY_STEP, LOSS_RANGE, ylog=True)
    panel.frame(STEP_TICKS, [(0.1, "0.1"), (1, "1"), (10, "10")], "training loss", "step")
    scene.line([(panel.x(0), panel.y(CHANCE)), (panel.x(STEPS), panel.y(CHANCE))], QUIET, 1, dash=True)
    scene.text(panel.x(STEPS) + 5, panel.y(CHANCE) + 4, f"ln {SIZES[-1]}", 10, QUIET)
    _runs(panel, training.loss, at, run, LOSS)


def _runs(panel: Panel, values: np.ndarray, at: int, run: int, color: str) -> None:
    """One line for every run, (counts, RUNS); the chosen run's is thick, with a dot at the chosen step."""
    with panel.inside():
        for other in range(RUNS):
            if other != run - 1:
                panel.scene.line(panel.points(CENSUS, values[:, other]), "#9A9A9A", 1)
        panel.scene.line(panel.points(CENSUS, values[:, run - 1]), color, 2.4)
    low, high = panel.ylim
    here = min(max(values[at, run - 1], low), high)
    panel.scene.dot((panel.x(CENSUS[at]), panel.y(here)), 5, color, INK, 1.2)


def _dead_by_rate(scene: Scene, rate: float, inputs: str, training: Training, run: int) -> None:
    """The share of dead units after the last step at every learning rate: each run a dot, their mean a line."""
    panel = Panel(scene, (566, 216, 180, 140), (0.008, 7.0), SHARES, xlog=True)
    panel.frame([(0.01, "0.01"), (0.1, "0.1"), (1, "1")], SHARE_TICKS, f"dead after {STEPS} steps", "learning rate")
    shares = dead_at_the_end(inputs)
    at = panel.x(rate)
    scene.line([(at, 216), (at, 356)], PALE, 6)
    scene.line(panel.points(RATES, shares.mean(axis=1)), DEAD, 2)
    for each, ends in zip(RATES, shares, strict=True):
        for end in ends:
            scene.dot((panel.x(each), panel.y(end)), 2.4, "#9A9A9A", WHITE, 0.5)
    scene.dot((at, panel.y(training.dead[-1, run - 1].sum() / UNITS)), 5, DEAD, INK, 1.2)
