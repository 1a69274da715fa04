"""The survived rates: a ten-layer network with and without batch norm, at every learning rate."""

from __future__ import annotations

import math

import numpy as np

from course_utils.environment import grading
from course_utils.plots.palette import palette
from course_utils.widgets.controls import choice, frame, row, slider
from course_utils.widgets.deep_rates import (
    BATCH,
    CLASSES,
    DIVERGED,
    EVERY,
    LAYERS,
    RATES,
    RUNS,
    STARTS,
    STEPS,
    WIDTH,
    Training,
    train,
)
from course_utils.widgets.display import picture, show_widget, waiting
from course_utils.widgets.errors import WidgetError, one_of, within
from course_utils.widgets.panel import Panel, number
from course_utils.widgets.scene import INK, PALE, WHITE, Scene

WITH, WITHOUT, QUIET = palette["blue"], palette["vermillion"], "#666666"
CHANCE = math.log(CLASSES)
LOSS_RANGE = (0.01, 6.0)
KINDS = ((True, "with"), (False, "without"))


def rates_survived(learning_rate: float = 0.2, weights: str = "He") -> None:
    """Display how a ten-layer network on the digits learns at any learning rate, with batch norm and without.

    `learning_rate` is one of 0.001, 0.002, 0.005, 0.01 and so on up to 10; `weights` says how large the random weights
    are at the start, "He" or "std 0.01".
    Raises `WidgetError` with one sentence for other settings.
    The numbers come from `course_utils.widgets.deep_rates`. Nothing is shown while nbgrader runs the notebook.
    """
    if grading():
        return
    rates = RatesSurvived(learning_rate, weights)
    show_widget(rates.view, rates.scene())


class RatesSurvived:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls."""

    def __init__(self, learning_rate: float = 0.2, weights: str = "He") -> None:
        import ipywidgets as widgets

        if within("The learning rate", learning_rate, RATES[0], RATES[-1]) not in RATES:
            raise WidgetError(f"The learning rate must be one of {', '.join(map(str, RATES))}, not {learning_rate!r}.")
        one_of("The weights", weights, STARTS)
        self.learning_rate = slider(
            "SelectionSlider", "bp-rates-rate", "Learning rate", "How far a step goes per unit of gradient", self._draw,
            options=[(number(rate), rate) for rate in RATES], value=float(learning_rate),
        )  # fmt: skip
        self.weights = choice(
            "bp-rates-weights", "Weights at the start", "How large the random weights are", self._draw,
            options=list(STARTS), value=weights,
        )  # fmt: skip
        self.picture = widgets.HTML()
        self._trained: set[str] = set()
        self.view = frame("bp-rates", row(self.learning_rate, self.weights), self.picture)
        self._draw()

    def scene(self) -> Scene:
        """The picture for the present setting."""
        return draw(self.learning_rate.value, self.weights.value)

    def _draw(self) -> None:
        if self.weights.value not in self._trained:
            self.picture.value = waiting(f"Training {2 * RUNS * len(RATES)} small networks takes a few seconds.")
            self._trained.add(self.weights.value)
        self.picture.value = picture(self.scene())


def draw(rate: float, weights: str) -> Scene:
    """The loss during training at one learning rate, and the accuracy after it at every one."""
    trained = {True: train(weights, True), False: train(weights, False)}
    scene = Scene(776, 374)
    _losses(scene, trained, rate)
    _accuracies(scene, trained, rate)
    scene.text(30, 310, f"Learning rate {number(rate)}, {weights} weights:", 14, bold=True)
    results = [f"{name} batch norm {_result(trained[kind], rate)}" for kind, name in KINDS]
    for k, (result, color) in enumerate(zip(results, (WITH, "#B24E00"), strict=True)):
        scene.text(30, 330 + 18 * k, result, 12, color, bold=True)
    setting = (
        f"{LAYERS} layers, hidden ones of {WIDTH} ReLUs, {STEPS} steps of plain SGD on mini-batches of {BATCH}, "
        f"{RUNS} runs; 0 % where one explodes."
    )
    scene.text(30, 368, setting, 11, QUIET)
    curves = "; ".join(f"{name} batch norm {_curve(trained[kind])}" for kind, name in KINDS)
    scene.alt = (
        f"A network of {LAYERS} layers on the digits, {weights} weights, learning rate {number(rate)}, {STEPS} steps. "
        f"{results[0]}; {results[1]}. Accuracy by learning rate, mean of {RUNS} runs: {curves}."
    )
    return scene


def _losses(scene: Scene, trained: dict[bool, Training], rate: float) -> None:
    """Every run's loss against the step; where numbers stopped being finite, the line leaves through the top."""
    panel = Panel(scene, (76, 40, 290, 200), (0, STEPS), LOSS_RANGE, ylog=True)
    panel.frame(
        [(n, str(n)) for n in range(0, STEPS + 1, 50)], [(0.01, "0.01"), (0.1, "0.1"), (1, "1")],
        f"training loss at {number(rate)}", "step",
    )  # fmt: skip
    scene.line([(panel.x(0), panel.y(CHANCE)), (panel.x(STEPS), panel.y(CHANCE))], QUIET, 1, dash=True)
    scene.text(panel.x(STEPS) + 5, panel.y(CHANCE) + 4, f"ln {CLASSES}", 10, QUIET)
    steps = np.arange(STEPS // EVERY) * EVERY + EVERY / 2
    for kind, color in ((True, WITH), (False, WITHOUT)):
        for loss in trained[kind].loss[RATES.index(rate)]:
            shown = np.where(np.isfinite(loss), np.minimum(loss, 1e6), 1e6)
            end = int(np.argmax(~np.isfinite(loss))) + 1 if not np.isfinite(loss[-1]) else len(loss)
            with panel.inside():
                scene.line(panel.points(steps[:end], shown[:end]), color, 1.8)


def _accuracies(scene: Scene, trained: dict[bool, Training], rate: float) -> None:
    """The accuracy at the end against the learning rate: each run a dot, their mean a line."""
    panel = Panel(scene, (470, 40, 276, 200), (0.0008, 12.5), (-0.03, 1.03), xlog=True)
    panel.frame(
        [(r, number(r)) for r in (0.001, 0.01, 0.1, 1, 10)], [(n / 100, f"{n} %") for n in (0, 25, 50, 75, 100)],
        f"accuracy after {STEPS} steps", "learning rate",
    )  # fmt: skip
    at = panel.x(rate)
    scene.line([(at, 40), (at, 240)], PALE, 6)
    scene.line([(panel.x(RATES[0]), panel.y(1 / CLASSES)), (panel.x(RATES[-1]), panel.y(1 / CLASSES))], QUIET, 1, True)
    for kind, color in ((True, WITH), (False, WITHOUT)):
        scene.line(panel.points(RATES, trained[kind].accuracy.mean(axis=1)), color, 2)
        for each, shares in zip(RATES, trained[kind].accuracy, strict=True):
            for share in shares:
                scene.dot((panel.x(each), panel.y(share)), 2.6, color, WHITE, 0.5)
        chosen = trained[kind].accuracy[RATES.index(rate)].mean()
        scene.dot((at, panel.y(chosen)), 5, color, INK, 1.2)


def _result(training: Training, rate: float) -> str:
    """What became of the runs at one rate, as the rest of a sentence."""
    at = RATES.index(rate)
    exploded = int((training.loss[at, :, -1] == DIVERGED).sum())
    if exploded == RUNS:
        return "every run explodes"
    some = f", {exploded} of {RUNS} runs explode" if exploded else ""
    low, high = training.accuracy[at].min(), training.accuracy[at].max()
    return f"{_percent(training.accuracy[at])} right ({100 * low:.0f} to {100 * high:.0f}){some}"


def _curve(training: Training) -> str:
    return ", ".join(f"{_percent(shares)} at {number(r)}" for r, shares in zip(RATES, training.accuracy, strict=True))


def _percent(shares: np.ndarray) -> str:
    return f"{100 * shares.mean():.0f} %"
