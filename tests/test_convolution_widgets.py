"""The widgets of 02: their numbers against PyTorch, their pictures, their controls, and what reaches the page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as xml
from itertools import product

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from course_utils.widgets import convolution_window, layer_stack, stack_picture, window_picture
from course_utils.widgets.build_stack import StackBuilder
from course_utils.widgets.errors import WidgetError
from course_utils.widgets.slide_window import ConvolutionWindow
from course_utils.widgets.stack_numbers import BYTES, MOST_LAYERS, RANGES, account, read, verdict
from course_utils.widgets.stack_presets import PRESETS
from course_utils.widgets.window_numbers import BIAS, INPUT, Axis, Sliding
from tests.widget_pictures import assert_drawn_well, assert_reaches_the_page, controls


def layer(kind, **settings):
    return {"kind": kind, **settings}


# The numbers of the convolution window.


def sliding(kernel, stride, padding, channels=2):
    rows, columns = (Axis(INPUT.shape[1 + k], kernel[k], stride[k], padding[k]) for k in (0, 1))
    return Sliding(rows, columns, channels)


def some_settings(count=60, seed=0):
    """Kernels, strides and paddings of two sizes each, and a number of channels."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        pairs = [tuple(rng.integers(low, high, 2).tolist()) for low, high in ((1, 8), (1, 4), (0, 3))]
        yield *pairs, int(rng.integers(1, 3))


def in_torch(one):
    """The output of `one` by PyTorch, (output height, output width), and the unfolded windows."""
    x, weight = (torch.tensor(a[: one.channels][None], dtype=torch.float64) for a in (INPUT, one.weight))
    pairs = {"stride": (one.rows.stride, one.columns.stride), "padding": (one.rows.padding, one.columns.padding)}
    out = functional.conv2d(x, weight, torch.full((1,), float(BIAS), dtype=torch.float64), **pairs)
    return out[0, 0].numpy(), functional.unfold(x, one.weight.shape[1:], **pairs)[0].numpy()


def test_the_window_computes_pytorchs_convolution():
    fitting = 0
    for kernel, stride, padding, channels in some_settings():
        one = sliding(kernel, stride, padding, channels)
        assert one.weight.shape == (channels, *kernel)
        if not one.fits:
            with pytest.raises(RuntimeError, match="Kernel size"):
                in_torch(one)
            assert one.output().size == 0
            continue
        fitting += 1
        out, windows = in_torch(one)
        np.testing.assert_array_equal(one.output(), out)
        for position, (i, j) in enumerate(np.ndindex(out.shape)):
            element = one.element(i, j)
            np.testing.assert_array_equal(element.window.ravel(), windows[:, position])
            np.testing.assert_array_equal(element.products, element.window * one.weight)
            assert sum(element.sums) + BIAS == element.value == out[i, j]
    assert 40 < fitting < 60


def test_unread_rows_are_those_without_a_gradient():
    for size, kernel, stride, padding in product((6, 7), range(1, 8), (1, 2, 3), (0, 1, 2)):
        axis = Axis(size, kernel, stride, padding)
        if not axis.outputs:
            assert kernel > size + 2 * padding and axis.rest == 0
            continue
        x = torch.ones(1, 1, axis.padded, requires_grad=True)
        functional.conv1d(x, torch.ones(1, 1, kernel), stride=stride).sum().backward()
        missed = torch.nonzero(x.grad[0, 0] == 0).flatten().tolist()
        assert list(axis.unread) == missed
        assert axis.rest == axis.padded - 1 - max(set(range(axis.padded)) - set(missed))


def test_the_formula_is_true():
    for size, kernel, stride, padding in product((6, 7), range(1, 8), (1, 2, 3), (0, 1, 2)):
        axis = Axis(size, kernel, stride, padding)
        text = axis.formula.replace("−", "-").replace("·", "*")
        if not axis.outputs:
            assert eval(text.removesuffix(", no output")) is True
            continue
        left, sign, right = re.fullmatch(r"(.+) ([=≈]) ([\d.]+)(?:, rounded down to \d+)?", text).groups()
        assert eval(left) == pytest.approx(float(right), abs=6e-4) and (sign == "=") == (eval(left) == float(right))
        assert text.endswith(f"{axis.outputs}") and ("rounded" in text) == (axis.rest > 0)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "says"),
    [
        ((3, 3), (1, 1), (0, 0), "The kernel fits, and every element of the input is read."),
        ((3, 2), (2, 2), (1, 0), "The kernel fits, and every element of the padded input is read."),
        ((3, 3), (2, 2), (0, 0), "No window reads column 5 of the input: one more step would leave the input."),
        ((4, 3), (2, 1), (0, 1), "No window reads row 6 of the padded input: one more step would leave the input."),
        ((1, 1), (3, 1), (0, 0),
         "No window reads rows 1, 2, 4 and 5 of the input: the stride is larger than the kernel."),
        ((2, 3), (3, 2), (0, 0), "No window reads rows 2, 5 and 6 and column 5 of the input: the stride is larger than "
         "the kernel, and one more step would leave the input."),
        ((3, 7), (1, 1), (2, 0), "The kernel does not fit: its 7 columns are more than the 6 (6 + 2·0) there are."),
    ],
)  # fmt: skip
def test_the_window_says_what_is_read_in_one_sentence(kernel, stride, padding, says):
    assert sliding(kernel, stride, padding).verdict() == says


# The numbers of the stack builder.


def layer_in_torch(layer, channels):
    kind = layer.kind
    if kind == "conv":
        return torch.nn.Conv2d(
            channels, layer.out, layer.kernel, layer.stride, layer.padding, groups=layer.groups, device="meta"
        )
    if kind == "pool":
        return torch.nn.MaxPool2d(layer.kernel, layer.stride, layer.padding)
    return torch.nn.ReLU() if kind == "relu" else torch.nn.LocalResponseNorm(5)


def stack_in_torch(layers, input_shape):
    """(output shape, parameters, multiply–accumulates) of every layer, by PyTorch on tensors without data."""
    x = torch.empty(1, *input_shape, device="meta")
    for layer in layers:
        if layer.kind == "fc":
            x = x.flatten(1)
            module = torch.nn.Linear(x.shape[1], layer.out, device="meta")
        else:
            module = layer_in_torch(layer, x.shape[1])
        with FlopCounterMode(display=False) as counter:
            x = module(x)
        flops = counter.get_total_flops()  # two for every multiply–accumulate
        yield tuple(x.shape[1:]), sum(p.numel() for p in module.parameters()), flops // 2


OWN = [
    ([layer("conv", out=12, kernel=3, stride=2, padding=1, groups=4), layer("pool", kernel=3, stride=2),
      layer("conv", out=6, kernel=2, groups=3), layer("norm"), layer("fc", out=7), layer("fc", out=3)],
     (8, 37, 22)),
    ([layer("pool", kernel=4, stride=3, padding=2), layer("conv", out=5, kernel=1, stride=2), layer("relu")],
     (3, 9, 14)),
]  # fmt: skip


@pytest.mark.parametrize(("layers", "shape"), [*PRESETS.values(), *OWN], ids=[*PRESETS, "own", "another"])
def test_shapes_parameters_and_macs_are_pytorchs(layers, shape):
    rows = account(read(layers), shape)
    assert len(rows) == len(layers)
    for row, (out, parameters, macs) in zip(rows, stack_in_torch(read(layers), shape), strict=True):
        assert (row.shape, row.parameters, row.macs) == (out, parameters, macs), row.layer.name
        assert row.values == np.prod(out) and row.memory == BYTES * row.values


# Two channels everywhere and no padding.
NARROW_ALEXNET = [made | ({"out": 2, "padding": 0} if made["kind"] == "conv" else {}) for made in
                  PRESETS["AlexNet 227"][0][:-5]]  # fmt: skip


def seen(layers, shape):
    """The height and width of the pixels on which the middle of the output depends, by PyTorch's gradients."""
    x = torch.rand(1, *shape, dtype=torch.float64).requires_grad_()
    y = x
    for layer in layers:
        # Positive weights and averages let every pixel through that has a way.
        if layer.kind == "conv":
            weight = torch.ones(layer.out, y.shape[1] // layer.groups, layer.kernel, layer.kernel, dtype=torch.float64)
            y = functional.conv2d(y, weight, stride=layer.stride, groups=layer.groups)
        elif layer.kind == "pool":
            y = functional.avg_pool2d(y, layer.kernel, layer.stride)
        elif layer.kind == "fc":
            y = y.flatten(1).sum(1, keepdim=True).expand(1, layer.out)
    middle = y[0, 0] if y.dim() == 2 else y[0, 0, y.shape[2] // 2, y.shape[3] // 2]
    reached = torch.nonzero(torch.autograd.grad(middle, x)[0][0].sum(0))
    return tuple((reached.amax(0) - reached.amin(0) + 1).tolist())


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        (PRESETS["LeNet-5"][0], (1, 32, 32)),
        ([layer("conv", out=2, kernel=3)] * 3, (1, 15, 12)),
        ([layer("conv", out=4, kernel=5, stride=2, groups=2), layer("pool", kernel=3, stride=2),
          layer("conv", out=2, kernel=3, stride=3), layer("conv", out=2, kernel=2)], (2, 71, 77)),
        ([layer("conv", out=2, kernel=3, stride=2), layer("relu"), layer("pool", kernel=2, stride=2),
          layer("norm"), layer("fc", out=3), layer("relu"), layer("fc", out=2)], (2, 23, 15)),
        (NARROW_ALEXNET, (1, 311, 343)),
    ],
)  # fmt: skip
def test_the_receptive_field_is_what_the_gradient_reaches(layers, shape):
    made = read(layers)
    for end, row in enumerate(account(made, shape), start=1):
        assert row.field == seen(made[:end], shape), row.layer.name


def test_the_lectures_numbers():
    def costs(name, kinds=("conv", "fc")):
        layers, shape = PRESETS[name]
        return [(row.parameters, row.macs) for row in account(read(layers), shape) if row.layer.kind in kinds]

    assert [parameters for parameters, _ in costs("CIFAR demo")] == [1216, 8020, 10020, 3210]
    assert [parameters for parameters, _ in costs("LeNet-5")] == [156, 2416, 48120, 10164, 850]
    assert sum(parameters for parameters, _ in costs("AlexNet 227")) == 62_378_344
    assert costs("AlexNet 227")[0] == (34_944, 105_415_200)
    assert sum(parameters for parameters, _ in costs("VGG-16")) == 138_357_544
    assert sum(macs for _, macs in costs("VGG-16")) == 15_470_264_320
    fields = {row.layer.name: row.field for row in account(read(PRESETS["AlexNet 227"][0]), (3, 227, 227))}
    assert fields["conv5"] == (163, 163) and fields["pool5"] == (195, 195)
    # Three volumes of 224×224×64 with their gradients take 77 MB, not the lecture's 72.
    three = account(read([layer("conv", out=64, kernel=3, padding=1)] * 3), (3, 224, 224))
    assert round(2 * sum(row.memory for row in three) / 1e6, 1) == 77.1


@pytest.mark.parametrize(
    ("layers", "shape", "says"),
    [
        (*PRESETS["AlexNet 227"], "The stack fits: every output size is a whole number."),
        (*PRESETS["AlexNet 224"], "conv1 does not fit exactly: (224 − 11 + 2·0)/4 + 1 = 54.25 is rounded down, and it "
         "never reads the last row and the last column of its input. The same goes for pool1, pool2 and pool5."),
        ([layer("conv", name="first", out=2, kernel=3, stride=3, padding=1)], (1, 9, 10),
         "first does not fit exactly: (9 − 3 + 2·1)/3 + 1 ≈ 3.67 is rounded down, and it never reads the last 2 rows "
         "of its padded input."),
        ([layer("conv", out=2, kernel=3, stride=2), layer("pool", kernel=2, stride=2)], (1, 8, 10),
         "conv1 does not fit exactly: (8 − 3 + 2·0)/2 + 1 = 3.5 and (10 − 3 + 2·0)/2 + 1 = 4.5 are rounded down, and "
         "it never reads the last row and the last column of its input. The same goes for pool1."),
    ],
)  # fmt: skip
def test_a_misfit_is_said(layers, shape, says):
    assert verdict(account(read(layers), shape)) == says


@pytest.mark.parametrize(
    ("bad", "shape", "why"),
    [
        (layer("conv", out=2, kernel=5), (1, 4, 9), "its kernel of 5 is larger than the 4 + 2·0 rows it slides over"),
        (layer("pool", kernel=5, padding=1), (1, 9, 2),
         "its kernel of 5 is larger than the 2 + 2·1 columns it slides over"),
        (layer("pool", kernel=3, padding=2), (1, 9, 9),
         "with padding 2 and kernel 3 a window could see nothing but padding"),
        (layer("conv", out=4, kernel=3, groups=2), (5, 9, 9),
         "5 input channels cannot be divided into 2 equal groups"),
        (layer("conv", out=5, kernel=3, groups=2), (4, 9, 9),
         "5 output channels cannot be divided into 2 equal groups"),
    ],
)  # fmt: skip
def test_a_stack_stops_where_pytorch_does(bad, shape, why):
    layers = read([layer("relu"), bad, layer("fc", out=3)])
    rows = account(layers, shape)
    assert verdict(rows) == f"The stack stops at {layers[1].name}: {why}."
    assert [row.shape for row in rows] == [shape, None, None] and rows[2].parameters == rows[2].memory == 0
    with pytest.raises((RuntimeError, ValueError)):
        list(stack_in_torch(layers, shape))


def test_a_vector_has_no_windows():
    rows = account(read([layer("fc", out=1200), layer("pool", kernel=2)]), (3, 8, 8))
    why = "it needs channels of rows and columns, but its input is a vector of 1,200"
    assert verdict(rows) == f"The stack stops at pool1: {why}."


# Pictures.


def states():
    """Scenes in many settings, by name."""
    for setting in (*some_settings(40, seed=1), ((7, 7), (1, 1), (2, 2), 2), ((1, 1), (1, 1), (2, 2), 2)):
        one = sliding(*setting)
        row, column = max(one.rows.outputs - 1, 0), max(one.columns.outputs - 1, 0)
        yield f"window {setting}", window_picture.draw(one, row, column)
    largest = layer("conv", name="a_long_name1", **{key: high for key, (_, high) in RANGES.items()})
    wide = [largest | {"groups": 16}] * 3
    stops = [layer("fc", out=10_000), largest]
    for name, (layers, shape) in {**PRESETS, "wide": (wide, (10_000, 512, 500)), "stops": (stops, (3, 99, 98))}.items():
        yield name, stack_picture.draw(account(read(layers), shape), shape, len(layers) - 1)


def test_every_picture_is_valid_and_no_text_meets_another_or_the_edge():
    for name, scene in states():
        assert_drawn_well(name, scene)


def test_pointing_at_an_output_element_outlines_its_windows():
    scene = window_picture.draw(sliding((3, 2), (2, 1), (1, 0)), 0, 0)
    spots = xml.fromstring(scene.svg()).findall("{*}g[@class='bp-spot']")
    assert len(spots) == 4 * 5
    title, hit, *windows = spots[6]
    one = sliding((3, 2), (2, 1), (1, 0)).element(1, 1)
    assert (one.sums, one.value) == ((3, -7), -3) and title.text == "output[1, 1] = 3 + (−7) + 1 = −3"
    cell = float(hit.get("width"))
    assert [float(window.get("height")) / cell for window in windows] == pytest.approx([3, 3], abs=0.01)
    first = xml.fromstring(scene.svg()).findall("{*}g[@class='bp-spot']")[0]
    moved = [float(b.get(side)) - float(a.get(side)) for a, b in zip(first[2:], windows, strict=True) for side in "xy"]
    assert moved == pytest.approx([cell, 2 * cell] * 2, abs=0.11)


@pytest.mark.parametrize(
    ("bytes_", "shown"), [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (999_700, "1 MB"), (25_690_112, "25.7 MB")]
)
def test_sizes_are_shown_in_units_of_a_thousand(bytes_, shown):
    assert stack_picture.size(bytes_) == shown


# Controls.


def text(widget):
    return re.search('aria-label="([^"]+)"', widget.picture.value)[1]


def test_the_window_follows_its_controls():
    window = ConvolutionWindow()
    assert "output[0, 0] reads rows 0 to 2 and columns 0 to 2" in text(window)
    window.element[1].value = 3
    window.next.click()
    assert "output[1, 0] reads rows 1 to 3" in text(window)
    window.previous.click()
    assert "output[0, 3] reads" in text(window)
    window.channels.value = "1"
    assert "on 1 channel of 7×6" in text(window) and "Channel 1" not in text(window)
    window.kernel[1].value = 6
    assert "output[0, 0] reads rows 0 to 2 and columns 0 to 5" in text(window) and window.element[1].disabled
    window.kernel[1].value = 7
    assert "The kernel does not fit" in text(window) and window.next.disabled
    window.padding[1].value = 1
    assert "columns 0 to 6" in text(window) and not window.element[1].disabled and window.element[1].max == 1


def test_the_window_visits_every_element_once_and_stops_at_the_ends():
    window = ConvolutionWindow(kernel=(3, 2), stride=(2, 3), padding=(1, 2))
    shape = window.sliding().output().shape
    seen = [tuple(control.value for control in window.element)]
    for _ in range(shape[0] * shape[1] + 2):
        window.next.click()
        seen.append(tuple(control.value for control in window.element))
    assert seen == [*np.ndindex(shape), *[(shape[0] - 1, shape[1] - 1)] * 3]
    window.element[0].value = window.element[1].value = 0
    window.previous.click()
    assert window.element[0].value == window.element[1].value == 0


def test_the_element_to_begin_with_is_moved_inside():
    assert [control.value for control in ConvolutionWindow(element=(1, 9)).element] == [1, 3]


def test_the_stack_follows_its_controls():
    builder = StackBuilder("LeNet-5")
    assert "Total: 61,706 parameters" in text(builder) and "Layer 1 is chosen" in text(builder)
    builder.at.value = 4
    assert (builder.kind.value, builder.out.value, builder.settings["kernel"].value) == ("conv", 16, 5)
    builder.settings["padding"].value = 2
    assert "conv2 (16 of 5×5, padding 2) gives 16×14×14" in text(builder)
    builder.kind.value = "pool"
    assert builder.out.disabled and builder.layers[3].name == "pool3"
    builder.kind.value = "norm"
    assert all(control.disabled for control in builder.settings.values())
    builder.sides[0].value = builder.sides[1].value = 28
    assert "on an input of 1×28×28" in text(builder)
    builder.again.click()
    assert "Total: 61,706 parameters" in text(builder) and builder.at.value == 1
    builder.preset.value = "AlexNet 224"
    assert builder.sides[0].value == 224 and "conv1 does not fit exactly" in text(builder)


def test_layers_are_added_and_removed():
    builder = StackBuilder([layer("conv", out=4, kernel=3)], (2, 9, 7))
    assert builder.remove.disabled and builder.at.disabled
    for count in range(2, MOST_LAYERS + 1):
        builder.add.click()
        assert len(builder.layers) == builder.at.value == builder.at.max == count
    assert builder.add.disabled and len({layer.name for layer in builder.layers}) == MOST_LAYERS
    assert "The stack stops at conv4: its kernel of 3 is larger than the 1 + 2·0 columns" in text(builder)
    builder.at.value = 4
    while not builder.remove.disabled:
        builder.remove.click()
    assert [layer.name for layer in builder.layers] == ["conv1"] and "Stack of 1 layer on" in text(builder)
    builder.add.click()
    assert "Layer 2 is chosen" in text(builder)


def test_a_preset_takes_another_image():
    builder = StackBuilder("VGG-16", (3, 192, 256))
    assert "pool5 (2×2, stride 2) gives 512×6×8" in text(builder)
    assert PRESETS["VGG-16"][1] == (3, 224, 224)


@pytest.mark.parametrize("make", [ConvolutionWindow, StackBuilder])
def test_every_control_has_a_name_a_tooltip_and_its_own_class(make):
    view = make().view
    assert "bp-widget" in view._dom_classes
    classes = []
    for control in controls(view):
        assert control.description and control.tooltip
        classes += [name for name in control._dom_classes if name.startswith("bp-")]
    assert len(classes) == len(set(classes)) == len(list(controls(view)))


CONV = layer("conv", out=8, kernel=3)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: convolution_window(kernel=8), "The kernel's height must be a whole number from 1 to 7, not 8."),
        (lambda: convolution_window(stride=(1, 4)), "The stride's width must be a whole number from 1 to 3, not 4."),
        (lambda: convolution_window(padding=(1, 1, 1)),
         "The padding must be a whole number or a pair (height, width), not (1, 1, 1)."),
        (lambda: convolution_window(channels=3), "The number of channels must be a whole number from 1 to 2, not 3."),
        (lambda: convolution_window(element=(0, -1)),
         "The element's column must be a whole number from 0 to 10, not −1."),
        (lambda: layer_stack("ResNet"),
         "The stack must be one of 'CIFAR demo', 'LeNet-5', 'AlexNet 227', 'AlexNet 224', 'VGG-16' or a list, "
         "not 'ResNet'."),
        (lambda: layer_stack([CONV]), "A stack of your own needs an input_shape (channels, height, width)."),
        (lambda: layer_stack([CONV], (3, 32)), "The input_shape must be (channels, height, width), not (3, 32)."),
        (lambda: layer_stack([CONV], (3, 32, 0)), "The input's width must be a whole number from 1 to 512, not 0."),
        (lambda: layer_stack(5, (3, 8, 8)), "A stack is the name of a preset or a list of dicts, not 5."),
        (lambda: layer_stack([], (3, 8, 8)), "The number of layers must be a whole number from 1 to 48, not 0."),
        (lambda: layer_stack([{}], (3, 8, 8)),
         "The kind of layer 1 must be one of 'conv', 'pool', 'relu', 'norm', 'fc', not None."),
        (lambda: layer_stack([CONV | {"name": ""}], (3, 8, 8)),
         "The name of layer 1 must be a text of 1 to 12 characters, not ''."),
        (lambda: layer_stack([layer("fc", out=3, kernel=3)], (3, 8, 8)), "A fc layer such as fc1 has no kernel."),
        (lambda: layer_stack([layer("conv")], (3, 8, 8)), "The conv layer conv1 needs out and kernel."),
        (lambda: layer_stack([CONV | {"stride": 0}], (3, 8, 8)),
         "The stride of conv1 must be a whole number from 1 to 8, not 0."),
    ],
)  # fmt: skip
def test_a_setting_that_a_widget_cannot_take_is_one_sentence(call, says):
    with pytest.raises(WidgetError) as caught:
        call()
    assert str(caught.value) == says and caught.value._render_traceback_() == [says]


# What reaches the page.


@pytest.mark.parametrize("show", [convolution_window, layer_stack])
def test_outside_jupyter_a_widget_is_its_text(show, capsys):
    assert show() is None
    out = capsys.readouterr().out
    assert len(out) > 80 and out.count("\n") == 1 and "<" not in out


@pytest.mark.parametrize("show", [convolution_window, layer_stack])
def test_a_widget_shows_nothing_in_grading(show, capsys, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert show() is None and capsys.readouterr().out == ""


def test_in_a_real_kernel(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert_reaches_the_page("convolution_window(kernel=(3, 2), padding=1)", "layer_stack('AlexNet 224')")
