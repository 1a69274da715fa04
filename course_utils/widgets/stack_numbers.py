"""The numbers of the stack builder: shapes, parameters, multiply–accumulates, memory and receptive fields of layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from course_utils.widgets.errors import WidgetError, one_of, within

# What a layer of each kind is told; `name` and `kind` go without saying.
SETTINGS: dict[str, tuple[str, ...]] = {
    "conv": ("out", "kernel", "stride", "padding", "groups"),
    "pool": ("kernel", "stride", "padding"),
    "relu": (),
    "norm": (),
    "fc": ("out",),
}
RANGES = {"out": (1, 10_000), "kernel": (1, 16), "stride": (1, 8), "padding": (0, 8), "groups": (1, 64)}
MOST_LAYERS, LARGEST_IMAGE, MOST_CHANNELS = 48, 512, 10_000
BYTES = 4  # of a float32
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """One layer; which of its settings count depends on its kind (`SETTINGS`)."""

    kind: str
    name: str
    out: int = 16
    kernel: int = 3
    stride: int = 1
    padding: int = 0
    groups: int = 1


@dataclass(frozen=True)
class Row:
    """What one layer costs for one image. `shape` is its output without the batch, None behind a layer that stops.

    `field` is the (height, width) of the receptive field of one output element in pixels, the padding counted in.
    `stops` says why the layer is impossible; `rest` what its windows leave unread; both are empty for a good fit.
    """

    layer: Layer
    shape: Shape | None = None
    parameters: int = 0
    macs: int = 0
    field: tuple[int, int] | None = None
    stops: str = ""
    rest: str = ""

    @property
    def values(self) -> int:
        """How many numbers the layer gives."""
        return _product(self.shape or (0,))

    @property
    def memory(self) -> int:
        """The bytes of its activations in float32."""
        return BYTES * self.values


def read(layers: Sequence[Mapping[str, object]]) -> tuple[Layer, ...]:
    """Layers from dicts as `layer_table` takes them: `kind`, `name`, and `out, kernel, stride, padding, groups`.

    A name may be left out, and so may a stride (1), a padding (0) and groups (1).
    Raises `WidgetError` with one sentence for anything else.
    """
    if not isinstance(layers, (list, tuple)) or not all(isinstance(layer, Mapping) for layer in layers):
        raise WidgetError(f"A stack is the name of a preset or a list of dicts, not {layers!r}.")
    within("The number of layers", len(layers), 1, MOST_LAYERS, whole=True)
    made: list[Layer] = []
    for position, given in enumerate(layers, start=1):
        kind = one_of(f"The kind of layer {position}", given.get("kind"), SETTINGS)
        name = given.get("name", free_name(kind, made))
        if not isinstance(name, str) or not 0 < len(name) <= 12:
            raise WidgetError(f"The name of layer {position} must be a text of 1 to 12 characters, not {name!r}.")
        unknown = sorted(map(str, set(given) - {"kind", "name", *SETTINGS[kind]}))
        if unknown:
            raise WidgetError(f"A {kind} layer such as {name} has no {', '.join(unknown)}.")
        missing = [key for key in ("out", "kernel") if key in SETTINGS[kind] and key not in given]
        if missing:
            raise WidgetError(f"The {kind} layer {name} needs {' and '.join(missing)}.")
        settings = {key: given[key] for key in SETTINGS[kind] if key in given}
        for key, value in settings.items():
            within(f"The {key} of {name}", value, *RANGES[key], whole=True)
        made.append(Layer(kind, name, **settings))
    return tuple(made)


def free_name(kind: str, layers: Sequence[Layer]) -> str:
    """The first of conv1, conv2, … that no layer has."""
    taken = {layer.name for layer in layers}
    return next(name for k in count(1) if (name := f"{kind}{k}") not in taken)


def account(layers: Sequence[Layer], input_shape: Shape) -> tuple[Row, ...]:
    """One `Row` for each layer of a stack on an image of `input_shape`, (channels, height, width).

    An output size is rounded down (PyTorch's default) and `rest` says so. Behind a layer that stops come no numbers.
    """
    rows: list[Row] = []
    shape: Shape | None = input_shape
    field, jump = (1, 1), 1  # of one element of the layer before, and the pixels from one element to the next
    for layer in layers:
        if shape is None:
            rows.append(Row(layer))
            continue
        row = _one(layer, shape)
        if row.shape is not None:
            if layer.kind in ("conv", "pool"):
                field = tuple(reach + (layer.kernel - 1) * jump for reach in field)
                jump *= layer.stride
            elif layer.kind == "fc" and len(shape) == 3:
                # Fully connected to a picture is a convolution with a kernel of the picture's size.
                field = tuple(reach + (size - 1) * jump for reach, size in zip(field, shape[1:], strict=True))
            row = replace(row, field=field)
        rows.append(row)
        shape = row.shape
    return tuple(rows)


def verdict(rows: Sequence[Row]) -> str:
    """One or two sentences: where the stack does not fit and why."""
    for row in rows:
        if row.stops:
            return f"The stack stops at {row.layer.name}: {row.stops}."
    inexact = [row for row in rows if row.rest]
    if not inexact:
        return "The stack fits: every output size is a whole number."
    first, *others = inexact
    text = f"{first.layer.name} does not fit exactly: {first.rest}."
    if not others:
        return text
    names = [row.layer.name for row in others]
    listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    return f"{text} The same goes for {listed}."


def _one(layer: Layer, shape: Shape) -> Row:
    """The row of one layer on an input of `shape`, without its receptive field."""
    if layer.kind in ("relu", "norm"):
        return Row(layer, shape)
    if layer.kind == "fc":
        weights = layer.out * _product(shape)
        return Row(layer, (layer.out,), weights + layer.out, weights)
    if len(shape) == 1:
        return Row(layer, stops=f"it needs channels of rows and columns, but its input is a vector of {shape[0]:,}")
    if problem := _impossible(layer, shape):
        return Row(layer, stops=problem)
    sides = tuple((side + 2 * layer.padding - layer.kernel) // layer.stride + 1 for side in shape[1:])
    rest = _rest(layer, shape)
    if layer.kind == "pool":
        return Row(layer, (shape[0], *sides), rest=rest)
    weights = layer.out * (shape[0] // layer.groups) * layer.kernel**2
    return Row(layer, (layer.out, *sides), weights + layer.out, weights * _product(sides), rest=rest)


def _impossible(layer: Layer, shape: Shape) -> str:
    """Why a conv or pool layer cannot be computed at all, or nothing."""
    channels, *sides = shape
    if layer.kind == "conv":
        for what, number in (("input", channels), ("output", layer.out)):
            if number % layer.groups:
                return f"{number} {what} channels cannot be divided into {layer.groups} equal groups"
    if layer.kind == "pool" and 2 * layer.padding > layer.kernel:
        return f"with padding {layer.padding} and kernel {layer.kernel} a window could see nothing but padding"
    for side, noun in zip(sides, ("rows", "columns"), strict=True):
        if side + 2 * layer.padding < layer.kernel:
            return f"its kernel of {layer.kernel} is larger than the {side} + 2·{layer.padding} {noun} it slides over"
    return ""


def _rest(layer: Layer, shape: Shape) -> str:
    """The divisions of a conv or pool layer that leave a rest, and what it therefore never reads; or nothing."""
    divisions: list[str] = []
    unread: list[str] = []
    for side, noun in zip(shape[1:], ("row", "column"), strict=True):
        span = side + 2 * layer.padding - layer.kernel
        if left := span % layer.stride:
            exact = span / layer.stride + 1
            sign = "=" if round(exact, 2) == exact else "≈"
            quotient = f"{exact:.2f}".rstrip("0")
            divisions.append(f"({side} − {layer.kernel} + 2·{layer.padding})/{layer.stride} + 1 {sign} {quotient}")
            unread.append(f"the last {noun}" if left == 1 else f"the last {left} {noun}s")
    if not divisions:
        return ""
    alike = len(set(divisions)) == 1  # a square picture is divided once
    what = "padded input" if layer.padding else "input"
    return (
        f"{divisions[0] if alike else ' and '.join(divisions)} {'is' if alike else 'are'} rounded down, "
        f"and it never reads {' and '.join(unread)} of its {what}"
    )


def _product(numbers: Sequence[int]) -> int:
    result = 1
    for factor in numbers:
        result *= factor
    return result
