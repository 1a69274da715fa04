"""The stack builder: layers added, removed and changed, and what each of them costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from course_utils.environment import grading
from course_utils.widgets.controls import button, choice, frame, row, slider
from course_utils.widgets.display import picture, show_widget
from course_utils.widgets.errors import WidgetError, within
from course_utils.widgets.scene import Scene
from course_utils.widgets.stack_numbers import (
    LARGEST_IMAGE,
    MOST_CHANNELS,
    MOST_LAYERS,
    RANGES,
    SETTINGS,
    Layer,
    Row,
    account,
    free_name,
    read,
)
from course_utils.widgets.stack_picture import draw
from course_utils.widgets.stack_presets import PRESETS

YOURS = "yours"
TIPS = {
    "out": ("Channels or units", "How many channels a convolution gives, or units a fully connected layer has"),
    "kernel": ("Kernel", "The height and width of a window"),
    "stride": ("Stride", "How far a window moves on"),
    "padding": ("Padding", "How many rows and columns of zeros on every side"),
}


def layer_stack(
    stack: str | Sequence[Mapping[str, object]] = "CIFAR demo", input_shape: tuple[int, int, int] | None = None
) -> None:
    """Display a stack of layers; of each, the shape, parameters, multiply–accumulates, memory and receptive field.

    `stack` is one of `PRESETS` ("CIFAR demo", "LeNet-5", "AlexNet 227", "AlexNet 224", "VGG-16") or a list of dicts as
    `layer_table` takes them: `kind` (conv, pool, relu, norm, fc), `name`, and `out, kernel, stride, padding, groups`
    where they apply. `input_shape` is the (channels, height, width) of the image; a list of your own needs it.
    Raises `WidgetError` with one sentence for other settings.
    The numbers come from `course_utils.widgets.stack_numbers`. Nothing is shown while nbgrader runs the notebook.
    """
    if grading():
        return
    builder = StackBuilder(stack, input_shape)
    show_widget(builder.view, builder.scene())


class StackBuilder:
    """The live widget: `view` is what is displayed, `picture` its drawing, the rest are its controls and layers."""

    def __init__(self, stack="CIFAR demo", input_shape: tuple[int, int, int] | None = None) -> None:
        import ipywidgets as widgets

        self._presets = dict(PRESETS)
        if not isinstance(stack, str):
            if input_shape is None:
                raise WidgetError("A stack of your own needs an input_shape (channels, height, width).")
            self._presets[YOURS] = (stack, _image(input_shape))
            stack = YOURS
        elif stack not in PRESETS:
            raise WidgetError(f"The stack must be one of {', '.join(map(repr, PRESETS))} or a list, not {stack!r}.")
        elif input_shape is not None:
            self._presets[stack] = (PRESETS[stack][0], _image(input_shape))
        self._filling = False  # while several controls change together, the picture waits for the last one
        self.layers: list[Layer] = []
        self.preset = choice(
            "bp-stack-preset", "Start from", "Which stack to start from", self._start,
            options=list(self._presets), value=stack,
        )  # fmt: skip
        self.again = button("bp-stack-again", "Start again", "Undo all changes to this stack", self._start)
        self.sides = [
            slider(
                "IntSlider", f"bp-stack-{side}", f"Image {side}", f"The {side} of the image in pixels", self._draw,
                min=1, max=LARGEST_IMAGE, value=1,
            )
            for side in ("height", "width")
        ]  # fmt: skip
        self.at = slider(
            "IntSlider", "bp-stack-layer", "Layer", "Which layer to change: the framed row", self._choose,
            min=1, max=MOST_LAYERS, value=1, width="260px",
        )  # fmt: skip
        self.add = button("bp-stack-add", "Add after it", "Add a copy of this layer below it", self._add)
        self.remove = button("bp-stack-remove", "Remove it", "Take this layer out of the stack", self._remove)
        self.kind = choice(
            "bp-stack-kind", "Kind", "What this layer is", self._change, options=list(SETTINGS), value="conv"
        )  # fmt: skip
        self.out = _entry("out", self._change)
        self.settings = {
            key: slider(
                "IntSlider", f"bp-stack-{key}", *TIPS[key], self._change, min=RANGES[key][0], max=RANGES[key][1],
                value=RANGES[key][0], width="185px",
            )
            for key in ("kernel", "stride", "padding")
        }  # fmt: skip
        self.picture = widgets.HTML()
        self.view = frame(
            "bp-stack",
            row(self.preset, self.again),
            row(*self.sides),
            row(self.at, self.add, self.remove, self.kind),
            row(self.out, *self.settings.values()),
            self.picture,
        )
        self._start()

    def rows(self) -> tuple[Row, ...]:
        """The numbers of the present stack."""
        return account(self.layers, self._input_shape())

    def scene(self) -> Scene:
        """The picture for the present stack."""
        return draw(self.rows(), self._input_shape(), self.at.value - 1)

    def _input_shape(self) -> tuple[int, int, int]:
        return (self._presets[self.preset.value][1][0], *(side.value for side in self.sides))

    def _start(self) -> None:
        """Take up the chosen preset."""
        layers, (_, *sides) = self._presets[self.preset.value]
        self.layers = list(read(layers))
        self._filling = True
        for control, side in zip(self.sides, sides, strict=True):
            control.value = side
        self._filling = False
        self._show(0)

    def _show(self, index: int) -> None:
        """Choose the layer at `index` of a stack that may have grown or shrunk, and draw."""
        self._filling = True
        # A slider must have two ends: with a single layer it is switched off.
        self.at.max, self.at.disabled = max(len(self.layers), 2), len(self.layers) == 1
        self.at.value = index + 1
        self.add.disabled, self.remove.disabled = len(self.layers) == MOST_LAYERS, len(self.layers) == 1
        self._filling = False
        self._choose()

    def _choose(self) -> None:
        """Let the controls show the chosen layer."""
        if self._filling:
            return
        layer = self.layers[self.at.value - 1]
        self._filling = True
        self.kind.value = layer.kind
        for key, control in {"out": self.out, **self.settings}.items():
            control.value, control.disabled = getattr(layer, key), key not in SETTINGS[layer.kind]
        self._filling = False
        self._draw()

    def _change(self) -> None:
        """Let the chosen layer follow its controls."""
        if self._filling:
            return
        index = self.at.value - 1
        layer, kind = self.layers[index], self.kind.value
        name = layer.name if kind == layer.kind else free_name(kind, self.layers)
        settings = {key: control.value for key, control in self.settings.items()}
        self.layers[index] = replace(layer, kind=kind, name=name, out=self.out.value, **settings)
        self._choose()

    def _add(self) -> None:
        index = self.at.value - 1
        layer = self.layers[index]
        self.layers.insert(index + 1, replace(layer, name=free_name(layer.kind, self.layers)))
        self._show(index + 1)

    def _remove(self) -> None:
        index = self.at.value - 1
        del self.layers[index]
        self._show(min(index, len(self.layers) - 1))

    def _draw(self) -> None:
        if not self._filling:
            self.picture.value = picture(self.scene())


def _entry(key: str, changed):
    """A field for a number that calls `changed`: a slider of ten thousand steps would be too fine to set."""
    import ipywidgets as widgets

    description, tooltip = TIPS[key]
    low, high = RANGES[key]
    control = widgets.BoundedIntText(
        min=low, max=high, description=description, tooltip=tooltip, style={"description_width": "initial"},
        layout=widgets.Layout(width="205px"),
    )  # fmt: skip
    control.add_class(f"bp-stack-{key}")
    control.observe(lambda _: changed(), names="value")
    return control


def _image(shape: object) -> tuple[int, int, int]:
    """An input shape with three sensible sizes."""
    if not isinstance(shape, (tuple, list)) or len(shape) != 3:
        raise WidgetError(f"The input_shape must be (channels, height, width), not {shape!r}.")
    for name, value, most in zip(
        ("channels", "height", "width"), shape, (MOST_CHANNELS, LARGEST_IMAGE, LARGEST_IMAGE), strict=True
    ):
        within(f"The input's {name}", value, 1, most, whole=True)
    return tuple(shape)
