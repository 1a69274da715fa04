"""The layer histograms: what a deep network's signals look like before training, forward and backward."""

from __future__ import annotations

import math
from collections.abc import Sequence

from course_utils.environment import grading
from course_utils.plots.palette import palette
from course_utils.widgets.controls import choice, frame, row, slider
from course_utils.widgets.display import picture, show_widget
from course_utils.widgets.errors import one_of, within
from course_utils.widgets.layer_signals import (
    ACTIVATIONS,
    BINS,
    ERRORS,
    EXAMPLES,
    MOST,
    SCHEMES,
    WIDTH,
    Signal,
    Signals,
    per_layer,
    signals,
)
from course_utils.widgets.panel import Panel, number
from course_utils.widgets.scene import INK, PALE, WHITE, Scene

GAINS = (0.1, 3.0)
FORWARD, BACKWARD, QUIET = palette["blue"], palette["vermillion"], "#666666"
BACKWARD_TEXT = "#B24E00"  # vermillion, darker: small text needs more contrast
# Below what factor per layer the std is said to do what; from the last on it explodes.
CHANGES = ((0.5, "vanish"), (0.97, "shrink"), (1.03, "keep their size"), (2.0, "grow"))
LEFT, ACROSS = 30, 736  # where the small histograms stand
ROW, WIDEST = 10, 120  # how many stand in a row when there are few, and how wide one may be
BEYOND = 4  # pixels for the bar of what lies beyond an end of the axis


def layer_histograms(activation: str = "tanh", scheme: str = "std 0.01", gain: float = 1.0, depth: int = 10) -> None:
    """Display the histograms of every layer's activations and back-propagated errors in a network before training.

    `activation` is "sigmoid", "tanh", "relu", "leaky_relu" or "elu"; `scheme` is "Xavier", "He", "std 0.01" or
    "std 1"; `gain`, 0.1 to 3, multiplies the scheme's std; `depth` is 1 to 20 layers, each 500 units wide.
    Raises `WidgetError` with one sentence for other settings.
    The numbers come from `course_utils.widgets.layer_signals`. Nothing is shown while nbgrader runs the notebook.
    """
    if grading():
        return
    histograms = LayerHistograms(activation, scheme, gain, depth)
    show_widget(histograms.view, histograms.scene())


class LayerHistograms:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls."""

    def __init__(self, activation: str = "tanh", scheme: str = "std 0.01", gain: float = 1.0, depth: int = 10) -> None:
        import ipywidgets as widgets

        one_of("The activation", activation, ACTIVATIONS)
        one_of("The scheme", scheme, SCHEMES)
        within("The gain", gain, *GAINS)
        within("The depth", depth, 1, MOST, whole=True)
        self.activation = choice(
            "bp-layers-activation", "Activation", "The activation function of every layer", self._draw,
            options=list(ACTIVATIONS), value=activation,
        )  # fmt: skip
        self.scheme = choice(
            "bp-layers-scheme", "Weights", "How large the random weights are before the gain", self._draw,
            options=list(SCHEMES), value=scheme,
        )  # fmt: skip
        self.gain = slider(
            "FloatSlider", "bp-layers-gain", "Gain", "What the std of the weights is multiplied by", self._draw,
            min=GAINS[0], max=GAINS[1], step=0.01, value=gain,
        )  # fmt: skip
        self.depth = slider(
            "IntSlider", "bp-layers-depth", "Depth", "How many layers the network has", self._draw,
            min=1, max=MOST, value=depth,
        )  # fmt: skip
        self.picture = widgets.HTML()
        self.view = frame("bp-layers", row(self.activation), row(self.scheme), row(self.gain, self.depth), self.picture)
        self._draw()

    def scene(self) -> Scene:
        """The picture for the present setting."""
        return draw(self.activation.value, self.scheme.value, self.gain.value, self.depth.value)

    def _draw(self) -> None:
        self.picture.value = picture(self.scene())


def draw(activation: str, scheme: str, gain: float, depth: int) -> Scene:
    """A histogram of every layer for either pass, and below them the std against the layer."""
    # A slider's 1.0 may be off in the last digit, which would only miss the cache.
    now = signals(activation, scheme, round(gain, 6), depth)
    scene = Scene(776, 626)
    low, high = (number(end) for end in ACTIVATIONS[activation][3])
    scene.text(LEFT, 20, f"Forward: each layer's activations, on an axis from {low} to {high}", 13, FORWARD, bold=True)
    _histograms(scene, 28, now.forward, FORWARD)
    low, high = map(number, ERRORS)
    title = f"Backward: the error at each layer's pre-activations, on an axis from {low} to {high}"
    scene.text(LEFT, 192, title, 13, BACKWARD_TEXT, bold=True)
    _histograms(scene, 200, now.backward, BACKWARD)
    note = "Under each histogram stands its std. A bar as high as its box is cut off. "
    scene.text(LEFT, 362, note + "Black bars at the sides: values beyond the axis.", 11, QUIET)
    _stds(scene, now, depth)
    trends = _trends(now, depth)
    _summary(scene, activation, scheme, gain, now, trends)
    listed = [", ".join(number(signal.std) for signal in layers) for layers in (now.forward, now.backward)]
    scene.alt = (
        f"A network of {_layers(depth)} with {WIDTH} units each, activation {activation}, weights of std "
        f"{number(now.weight_std)} ({scheme}, gain {number(gain)}). Histograms of every layer, forward and backward, "
        f"and their std against the layer. {' '.join(trends)} Std of the activations from layer 1: {listed[0]}. "
        f"Std of the errors from layer 1: {listed[1]}."
    )
    return scene


def _layers(depth: int) -> str:
    return "1 layer" if depth == 1 else f"{depth} layers"


def _histograms(scene: Scene, top: float, shown: Sequence[Signal], color: str) -> None:
    """The small multiples, in one row up to ten layers and in two rows of lower boxes beyond that."""
    rows = 1 if len(shown) <= ROW else 2
    across = math.ceil(len(shown) / rows)
    step = min(ACROSS / across, WIDEST)
    height = 104 if rows == 1 else 40
    for k, signal in enumerate(shown):
        left, upper = LEFT + k % across * step, top + 16 + k // across * (height + 30)
        middle = left + (step - 6) / 2
        scene.text(middle, upper - 4, str(k + 1), 10, QUIET, "middle")
        _histogram(scene, (left, upper, step - 6, height), signal, color)
        scene.text(middle, upper + height + 12, number(signal.std), 11, anchor="middle")


def _histogram(scene: Scene, box: tuple[float, float, float, float], signal: Signal, color: str) -> None:
    left, top, width, height = box
    scene.rect(left + BEYOND, top, width - 2 * BEYOND, height, WHITE, PALE, 0.8)
    scale = height / _highest(signal)
    bottom, bar = top + height, (width - 2 * BEYOND) / BINS
    outline = [(left + BEYOND, bottom)]
    for k, share in enumerate(signal.shares[1:-1]):
        x, y = left + BEYOND + k * bar, bottom - min(share * scale, height)
        outline += [(x, y), (x + bar, y)]
    scene.polygon([*outline, (left + width - BEYOND, bottom)], fill=color)
    for x, share in ((left, signal.shares[0]), (left + width - BEYOND, signal.shares[-1])):
        tall = min(share * scale, height)
        scene.rect(x, bottom - tall, BEYOND, tall, INK, "none")
    scene.line([(left, bottom), (left + width, bottom)], INK, 1)


def _highest(signal: Signal) -> float:
    """The share that fills the box: a spike or two are cut off, so that the other bars stay visible."""
    *_, third, _, largest = sorted(signal.shares)
    return min(1.15 * largest, max(3 * third, 0.1))


def _stds(scene: Scene, now: Signals, depth: int) -> None:
    """The std of either pass against the layer, on a logarithmic axis of whole factors of ten."""
    stds = [[signal.std for signal in layers] for layers in (now.forward, now.backward)]
    low = min(-1, math.floor(math.log10(min(map(min, stds)))))
    high = max(1, math.ceil(math.log10(max(map(max, stds)))))
    every = next(e for e in (1, 2, 5, 10, 20, 50) if (high - low) / e <= 6)
    low = math.floor(low / every) * every
    panel = Panel(scene, (76, 410, 380, 166), (0.5, depth + 0.5), (10.0**low, 10.0**high), ylog=True)
    powers = [(10.0**power, _power(power)) for power in range(low, high + 1, every)]
    layers = [(n, str(n)) for n in range(1, depth + 1) if depth <= ROW or n == 1 or n % 5 == 0]
    panel.frame(layers, powers, "", "layer", "std")
    numbers = range(1, depth + 1)
    with panel.inside():
        scene.line(panel.points(numbers, stds[0]), FORWARD, 2)
        scene.line(panel.points(numbers, stds[1]), BACKWARD, 2, dash=True)
    for x, y in panel.points(numbers, stds[0]):
        scene.dot((x, y), 3.6, FORWARD, WHITE, 0.8)
    for x, y in panel.points(numbers, stds[1]):
        scene.rect(x - 3.2, y - 3.2, 6.4, 6.4, BACKWARD, WHITE, 0.8)
    scene.line([(76, 393), (104, 393)], FORWARD, 2)
    scene.dot((90, 393), 3.6, FORWARD, WHITE, 0.8)
    scene.text(110, 397, "activations, forward", 12)
    scene.line([(266, 393), (294, 393)], BACKWARD, 2, dash=True)
    scene.rect(276.8, 389.8, 6.4, 6.4, BACKWARD, WHITE, 0.8)
    scene.text(300, 397, "errors, backward", 12)


def _power(power: int) -> str:
    return {0: "1", 1: "10"}.get(power) or "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _trends(now: Signals, depth: int) -> tuple[str, str]:
    """A sentence for either pass: how the std changes on its way."""
    ways = [("Forward, activations", now.forward), ("Backward, errors", now.backward[::-1])]
    sentences = []
    for name, layers in ways:
        stds = [signal.std for signal in layers]
        if depth == 1:
            sentences.append(f"{name}: std {number(stds[0])}.")
            continue
        factor = per_layer(stds)
        word = next((word for limit, word in CHANGES if factor < limit), "explode")
        way = f"{number(stds[0])} → {number(stds[-1])}, × {number(factor)} per layer"
        sentences.append(f"{name} {word}: {way}.")
    return sentences[0], sentences[1]


def _summary(scene: Scene, activation: str, scheme: str, gain: float, now: Signals, trends: tuple[str, str]) -> None:
    """What the setting is and what comes of it, to the right of the curve."""
    x, y = 486, 404
    lines = [f"{activation}, {_layers(len(now.forward))} of {WIDTH} units,", f"{EXAMPLES} examples of std 1"]
    lines.append(f"std of the weights = {number(gain)} × {number(SCHEMES[scheme])}")
    lines.append(f"   = {number(now.weight_std)} = {number(now.weight_std * WIDTH**0.5)}/√{WIDTH}")
    for text in lines:
        scene.text(x, y, text, 12)
        y += 17
    for text, color in zip(trends, (FORWARD, BACKWARD_TEXT), strict=True):
        head, _, rest = text.partition(": ")
        scene.text(x, y + 10, head, 13, color, bold=True)
        scene.text(x, y + 27, rest, 12)
        y += 46
    scene.text(x, y + 10, "φ′ is below a tenth of its maximum", 12)
    scene.text(x, y + 27, f"for {number(100 * now.flat)} % of layer {len(now.forward)}’s values.", 12)
