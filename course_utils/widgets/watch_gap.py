"""The dropout gap: the errors on training and on unseen images, against the drop probability."""

from __future__ import annotations

import numpy as np

from course_utils.environment import grading
from course_utils.experiments.regularized import HIDDEN
from course_utils.plots.palette import palette
from course_utils.widgets.controls import choice, frame, row, slider
from course_utils.widgets.display import picture, show_widget, waiting
from course_utils.widgets.dropout_runs import (
    EPOCHS,
    EVERY,
    EXAMPLES,
    PROBABILITIES,
    RUNS,
    WRONG,
    Training,
    train,
)
from course_utils.widgets.errors import WidgetError, one_of, within
from course_utils.widgets.panel import Panel, number
from course_utils.widgets.scene import INK, PALE, WHITE, Scene

TRAIN, UNSEEN, QUIET = palette["orange"], palette["blue"], "#666666"
TOP = 0.45  # of the error axes


def dropout_gap(drop_probability: float = 0.5, examples: str = "200", wrong_labels: str = "20 %") -> None:
    """Display the errors of networks trained with dropout on few digits, on training images and on unseen ones.

    `drop_probability` is 0, 0.1, 0.2 and so on up to 0.9; `examples`, "100", "200" or "500", is how many training
    images there are; `wrong_labels` is "none" or "20 %".
    Raises `WidgetError` with one sentence for other settings.
    The numbers come from `course_utils.widgets.dropout_runs`. Nothing is shown while nbgrader runs the notebook.
    """
    if grading():
        return
    shown = DropoutGap(drop_probability, examples, wrong_labels)
    show_widget(shown.view, shown.scene())


class DropoutGap:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls."""

    def __init__(self, drop_probability: float = 0.5, examples: str = "200", wrong_labels: str = "20 %") -> None:
        import ipywidgets as widgets

        if within("The drop probability", drop_probability, 0, PROBABILITIES[-1]) not in PROBABILITIES:
            listed = ", ".join(map(str, PROBABILITIES))
            raise WidgetError(f"The drop probability must be one of {listed}, not {drop_probability!r}.")
        one_of("The number of training images", examples, EXAMPLES)
        one_of("The share of wrong labels", wrong_labels, WRONG)
        self.drop_probability = slider(
            "SelectionSlider", "bp-gap-p", "Drop probability", "How likely a hidden unit is to be dropped", self._draw,
            options=[(number(p), p) for p in PROBABILITIES], value=float(drop_probability),
        )  # fmt: skip
        self.examples = choice(
            "bp-gap-examples", "Training images", "How many images there are to learn from", self._draw,
            options=list(EXAMPLES), value=examples,
        )  # fmt: skip
        self.wrong = choice(
            "bp-gap-wrong", "Wrong labels", "How many training images have the label of another class", self._draw,
            options=list(WRONG), value=wrong_labels,
        )  # fmt: skip
        self.picture = widgets.HTML()
        self._trained: set[tuple[str, str]] = set()
        self.view = frame("bp-gap", row(self.drop_probability), row(self.examples, self.wrong), self.picture)
        self._draw()

    def scene(self) -> Scene:
        """The picture for the present setting."""
        return draw(self.drop_probability.value, self.examples.value, self.wrong.value)

    def _draw(self) -> None:
        setting = (self.examples.value, self.wrong.value)
        if setting not in self._trained:
            self.picture.value = waiting(f"Training {RUNS * len(PROBABILITIES)} small networks takes a few seconds.")
            self._trained.add(setting)
        self.picture.value = picture(self.scene())


def draw(p: float, examples: str, wrong: str) -> Scene:
    """Both errors against the epoch at one drop probability, and at the end against the drop probability."""
    training, at = train(EXAMPLES[examples], WRONG[wrong]), PROBABILITIES.index(p)
    scene = Scene(776, 374)
    _by_epoch(scene, training, at)
    _by_probability(scene, training, at)
    _key(scene)
    seen, unseen = training.train[-1, at], training.unseen[-1, at]
    result = (
        f"p = {number(p)}: {_percent(seen)} wrong on the training images, {_percent(unseen)} on unseen ones, "
        f"a gap of {_percent(unseen - seen).replace('%', 'points')}."
    )
    scene.text(30, 346, result, 14, bold=True)
    labels = {"none": "all labels right", "20 %": "20 % of the training labels wrong"}[wrong]
    setting = f"{examples} training images, {labels}; {HIDDEN} hidden ReLUs, {EPOCHS} epochs, {RUNS} runs."
    scene.text(30, 365, setting, 11, QUIET)
    curve = "; ".join(
        f"at {number(q)} {_percent(a)} and {_percent(b)}"
        for q, a, b in zip(PROBABILITIES, training.train[-1], training.unseen[-1], strict=True)
    )
    scene.alt = (
        f"Networks with dropout on the digits. {setting} {result} Errors after training, on training and on unseen "
        f"images, by drop probability: {curve}."
    )
    return scene


def _percent(shares: np.ndarray) -> str:
    return f"{number(round(100 * float(shares.mean()), 1))} %"


TICKS = [(n / 10, f"{10 * n} %") for n in range(5)]


def _by_epoch(scene: Scene, training: Training, at: int) -> None:
    panel = Panel(scene, (76, 40, 280, 210), (0, EPOCHS), (-0.01, TOP))
    panel.frame(
        [(n, str(n)) for n in range(0, EPOCHS + 1, 10)], TICKS, f"errors at p = {number(PROBABILITIES[at])}", "epoch"
    )
    epochs = np.arange(EVERY, EPOCHS + 1, EVERY)
    with panel.inside():
        for values, color, dash in ((training.train[:, at], TRAIN, True), (training.unseen[:, at], UNSEEN, False)):
            for run in range(RUNS):
                scene.line(panel.points(epochs, values[:, run]), color, 1.5, dash)


def _by_probability(scene: Scene, training: Training, at: int) -> None:
    """Both errors after training: each run a dot, the means a line, the gap between them shaded."""
    panel = Panel(scene, (466, 40, 280, 210), (-0.03, 0.93), (-0.01, TOP))
    panel.frame([(p, number(p)) for p in PROBABILITIES[::2]], TICKS, "errors after training", "drop probability")
    means = [values[-1].mean(axis=1) for values in (training.train, training.unseen)]
    here = panel.x(PROBABILITIES[at])
    with panel.inside():
        edge = panel.points(PROBABILITIES, means[0]) + panel.points(PROBABILITIES, means[1])[::-1]
        scene.polygon(edge, fill="#F1F1F1")
        scene.line([(here, 40), (here, 250)], PALE, 6)
        for values, mean, color in zip((training.train, training.unseen), means, (TRAIN, UNSEEN), strict=True):
            scene.line(panel.points(PROBABILITIES, mean), color, 2, color == TRAIN)
            for p, ends in zip(PROBABILITIES, values[-1], strict=True):
                for end in ends:
                    scene.dot((panel.x(p), panel.y(end)), 2.4, color, WHITE, 0.5)
            scene.dot((here, panel.y(mean[at])), 5, color, INK, 1.2)


def _key(scene: Scene) -> None:
    for x, color, text in ((76, TRAIN, "training images, as labelled"), (300, UNSEEN, "unseen images")):
        scene.line([(x, 310), (x + 26, 310)], color, 2.4, color == TRAIN)
        scene.text(x + 34, 314, text, 12)
    scene.rect(466, 304, 26, 12, "#F1F1F1", "#8A9BAB", 0.7)
    scene.text(500, 314, "the gap", 12)
