"""layer_table: shapes, parameters and multiply–accumulates of a whole network."""

from __future__ import annotations

import math

from course_utils.checks._convolution.impossible import Impossible, or_raises
from course_utils.checks._convolution.networks import alexnet, demo_network, layer, vgg16
from course_utils.checks._convolution.table_students import count_macs, count_parameters, never, only, student_table
from course_utils.checks.describe import one_of, through
from course_utils.checks.exercise import Case, Exercise, Misconception


def call_layer_table(student, network, layers, input_shape, column):
    """One column of the student's table by the layers' names, and their order; the bare shapes without a column.

    Raises TypeError with a message that starts "the result " where that is no table of these layers.
    """
    rows = student(layers, input_shape)
    if rows is None:
        return None
    if not isinstance(rows, (list, tuple)):
        kind, wanted = type(rows).__name__, "rows (name, output shape, parameters, multiply–accumulates)"
        raise TypeError(f"the result is {'an' if kind[0] in 'aeiou' else 'a'} {kind}, should be a list of {wanted}")
    for row in rows:
        if not isinstance(row, (list, tuple)) or len(row) != 4:
            wanted = "four values: name, output shape, parameters, multiply–accumulates"
            raise TypeError(f"the result has a row that is not {wanted}")
    if column is None:
        return [row[1] for row in rows]
    names = [row[0] for row in rows]
    for entry in layers:
        if entry["name"] not in names:
            raise TypeError(f"the result has no row for {entry['name']}")
    place = ("name", "output shape", "number of parameters", "number of multiply–accumulates").index(column)
    return {"order of the rows": names} | {f"{column} of {row[0]}": row[place] for row in rows}


def table_of_modules(layers, input_shape):
    """The table from PyTorch's layers without storage, and from one channel that really passes through them.

    Each output value of a convolution or a fully connected layer uses every weight of its filter once.
    """
    import torch

    rows, shape, channel = [], tuple(input_shape), torch.zeros(1, 1, *input_shape[1:])
    for entry in layers:
        name, kind, before, parameters, macs = entry["name"], entry["kind"], shape, 0, 0
        if kind in ("conv", "pool"):
            channel = _passed_through(entry, channel)
            shape = (entry.get("out", shape[0]), *channel.shape[2:])
        if kind in ("conv", "fc"):
            module = _module(entry, before)
            shape = (entry["out"],) if kind == "fc" else shape
            parameters = sum(parameter.numel() for parameter in module.parameters())
            macs = math.prod(shape) * module.weight.shape[1:].numel()
        rows.append((name, shape, parameters, macs))
    return rows


def _passed_through(entry, channel):
    from torch.nn.functional import conv2d, max_pool2d

    kernel, stride, padding = entry["kernel"], entry.get("stride", 1), entry.get("padding", 0)
    try:
        if entry["kind"] == "conv":
            return conv2d(channel, channel.new_zeros(1, 1, kernel, kernel), None, stride, padding)
        return max_pool2d(channel, kernel, stride, padding)
    except RuntimeError as error:
        size = next(n for n in channel.shape[2:] if n + 2 * padding < kernel)
        raise Impossible("the kernel does not fit", layer=entry["name"], kernel=kernel, size=size) from error


def _module(entry, shape):
    from torch import nn

    out, groups = entry["out"], entry.get("groups", 1)
    if entry["kind"] == "fc":
        return nn.Linear(math.prod(shape), out, device="meta")
    if shape[0] % groups or out % groups:
        facts = {"layer": entry["name"], "groups": groups, "input channels": shape[0], "output channels": out}
        raise Impossible("groups do not divide the channels", **facts)
    return nn.Conv2d(shape[0], out, entry["kernel"], groups=groups, device="meta")


def _variant(**changes):
    return or_raises(through(call_layer_table, student_table(**changes)))


def _any_of(*students):
    return one_of(call_layer_table, *students)


def _swapped(shape):
    return (shape[0], *shape[:0:-1])


def _with_axes(shape):
    return shape if len(shape) == 3 else (*shape, 1, 1)


def _some_network(rng):
    """Not square, with overlapping windows, strides that leave something over and padded pooling."""

    def some(low, high):
        return int(rng.integers(low, high))

    layers = [
        layer("conv", "conv1", some(6, 12), 5, 2, 1),
        layer("norm", "norm1"),
        layer("relu", "relu1"),
        layer("pool", "pool1", 3, 2, 1),
        layer("conv", "conv2", some(13, 20), some(2, 5)),
        layer("pool", "pool2", 2, 2),
        layer("fc", "fc1", some(20, 40)),
        layer("relu", "relu2"),
        layer("fc", "fc2", some(5, 12)),
    ]
    height = some(40, 60)
    return "a network on images that are not square", layers, (some(2, 5), height, height + some(9, 20))


def _grouped_network(rng):
    groups, out = int(rng.integers(2, 5)), int(rng.integers(5, 9))
    layers = [
        layer("conv", "conv1", groups * out, 3, 1, 1, groups=groups),
        layer("conv", "conv2", groups * out, 3, 2, 1, groups=groups * out),
        layer("conv", "conv3", 2 * groups * out + 1, 1),
    ]
    return "a network with groups", layers, (3 * groups, 9, 14)


def _tight_network():
    """Windows as large as the padded image, and a pool without a stride."""
    layers = [layer("conv", "conv1", 7, 5, 1, 2), layer("pool", "pool1", 2), layer("conv", "conv2", 4, 3, 2, 1)]
    return "a small image with a large kernel", layers, (2, 3, 4)


def _misfits(rng):
    size, kernel = int(rng.integers(21, 30)), int(rng.integers(36, 46))
    too_low = [layer("conv", "conv1", 8, 3, 1, 1), layer("relu", "relu1"), layer("pool", "pool1", kernel, 2, 1)]
    too_narrow = [layer("pool", "pool1", 2, 2), layer("conv", "conv2", 6, 13, 1, 1)]
    uneven = [layer("conv", "conv1", 26, 3, 1, 1), layer("conv", "conv2", 32, 3, 1, 1, groups=4)]
    uneven_out = [layer("conv", "conv1", 28, 3), layer("conv", "conv2", 30, 3, groups=7)]
    return [
        ("a pooling window that is too high", too_low, (3, size, size + 40)),
        ("a kernel that is too wide", too_narrow, (3, 60, 21)),
        ("groups that do not divide the input channels", uneven, (3, 8, 8)),
        ("groups that do not divide the output channels", uneven_out, (3, 8, 8)),
    ]


def _cases(rng):
    def case(aspect, column, network, layers, input_shape):
        given = {"network": network, "layers": layers, "input_shape": input_shape, "column": column}
        return Case(aspect, given)

    _, parameters, macs = columns = "output shape", "number of parameters", "number of multiply–accumulates"
    demo = "the CIFAR demo network", demo_network(), (3, 32, 32)
    one_tower = "AlexNet without groups", alexnet(), (3, 227, 227)
    two_towers = "AlexNet with groups", alexnet(groups=2), (3, 227, 227)
    vgg = "VGG-16 of the paper", vgg16(), (3, 224, 224)
    some, grouped = _some_network(rng), _grouped_network(rng)
    aspects = dict(zip(columns, ("output shapes", "parameters", "multiply–accumulates"), strict=True))
    return [
        *(case(aspects[column], column, *network) for column in columns for network in (demo, one_tower, vgg, some)),
        case(aspects["output shape"], "output shape", *_tight_network()),
        *(case("groups", column, *network) for network in (grouped, two_towers) for column in (parameters, macs)),
        *(case("a layer that does not fit", None, *network) for network in _misfits(rng)),
    ]


layer_table = Exercise(
    name="layer_table",
    cases=_cases,
    call=call_layer_table,
    expected=or_raises(through(call_layer_table, table_of_modules)),
    stand_in=lambda: table_of_modules,
    for_call=("column",),
    builds_on=("conv_output_size", "conv_parameters", "conv_macs"),
    difficulty=4,
    importance=5,
    minutes=35,
    hints=(
        "Carry one thing from layer to layer: the shape of what comes in. Each layer turns it into the shape of what "
        "goes out, and appends a row.",
        "conv and pool change height and width by the output-size formula, each on its own; conv also sets the "
        "channels. Its weights are kernel² · (C / groups) · out, each used once at every place of the *output*. "
        "fc takes all C · H · W values, and its output shape is (out,). Read what may be missing with "
        'layer.get("stride", 1).',
        "For conv: weights = kernel**2 * (C // groups) * out; the row is (name, (out, H2, W2), weights + out, "
        "weights * H2 * W2). For fc: weights = C * H * W * out; the row is (name, (out,), weights + out, weights). "
        'For the others: (name, shape, 0, 0). Before each conv and pool: raise ValueError(f"{name}: …") where '
        "kernel > size + 2 * padding, for height and for width, or where groups leaves a remainder.",
    ),
    misconceptions=(
        Misconception(
            "rounded up instead of down",
            "It looks as if a last step that does not fit any more still counts as a place.",
            "Ask yourself: size 10, kernel 3, stride 2; which inputs would the window at place 4 cover?",
            _variant(place=lambda n, k, s, p: -((k - n - 2 * p) // s) + 1),
        ),
        Misconception(
            "padding counted once",
            "It looks as if the padding is added once to height and width. It is there at both ends.",
            "Ask yourself: with one row of zeros above and one below, how much higher is the image?",
            _variant(place=lambda n, k, s, p: (n + p - k) // s + 1),
        ),
        Misconception(
            "padding ignored",
            "It looks as if the padding does not change your output shapes.",
            "Ask yourself: which layers of the demo network keep height and width, and why?",
            _variant(place=lambda n, k, s, p: (n - k) // s + 1),
        ),
        Misconception(
            "height and width swapped",
            "It looks as if height and width change places.",
            "Ask yourself: in which order does input_shape give them, and in which does each of your rows?",
            matches=_any_of(student_table(shown=_swapped), student_table(carried=_swapped)),
        ),
        Misconception(
            "an fc output with height and width",
            "It looks as if a fully connected layer puts out (units, 1, 1). After it there is only one axis left.",
            'Ask yourself: what does the docstring say about the shape after "fc"?',
            _variant(shown=_with_axes),
        ),
        Misconception(
            "fc sees only the channels",
            "It looks as if a fully connected layer reads one value per channel. It reads every value.",
            "Ask yourself: how many numbers are there in a volume of 20 × 4 × 4?",
            _variant(flatten=lambda shape: shape[0]),
        ),
        Misconception(
            "biases forgotten",
            "It looks as if you count weights alone.",
            "Ask yourself: the lecture's first layer has 1216 parameters; which 16 of them are not weights?",
            _variant(parameters=lambda f: f.weights),
        ),
        Misconception(
            "biases of fc left out",
            "It looks as if fully connected layers have no biases. The lecture's AlexNet table leaves them out too.",
            "Ask yourself: the demo network's last layer has 3210 parameters; how many of them are weights?",
            _variant(parameters=only("fc", lambda f: f.weights, count_parameters)),
        ),
        Misconception(
            "biases of convolutions left out",
            "It looks as if convolutions have no biases.",
            "Ask yourself: the lecture's first layer has 1216 parameters; which 16 of them are not weights?",
            _variant(parameters=only("conv", lambda f: f.weights, count_parameters)),
        ),
        Misconception(
            "parameters and multiply–accumulates swapped",
            "It looks as if the two counts stand in each other's place.",
            "Ask yourself: in which order does the docstring name the four entries of a row?",
            _variant(parameters=count_macs, macs=count_parameters),
        ),
        Misconception(
            "input channels forgotten",
            "It looks as if a filter has height · width weights. It has as many for every input channel that it sees.",
            "Ask yourself: on an RGB image, how many weights does one 5 × 5 filter have?",
            _variant(
                parameters=only("conv", lambda f: f.taps * f.out + f.out, count_parameters),
                macs=only("conv", lambda f: f.taps * f.out * f.places, count_macs),
            ),
        ),
        Misconception(
            "groups ignored",
            "It looks as if `groups` does not change your counts.",
            "Ask yourself: with 2 groups, how many of the input channels does one output channel see?",
            _variant(
                parameters=only("conv", lambda f: f.inputs * f.taps * f.out + f.out, count_parameters),
                macs=only("conv", lambda f: f.inputs * f.taps * f.out * f.places, count_macs),
            ),
        ),
        Misconception(
            "new weights at every place",
            "It looks as if a convolution has other weights at every place of its output. They are shared.",
            "Ask yourself: does a layer get more parameters when the image grows?",
            _variant(parameters=lambda f: count_parameters(f) * f.places),
        ),
        Misconception(
            "normalization with parameters",
            "It looks as if a norm layer has two parameters for each channel, as batch normalization has. "
            "Here it has none.",
            "Ask yourself: what does the docstring say about the parameters of pool, relu and norm?",
            _variant(parameters=only("norm", lambda f: 2 * f.inputs, count_parameters)),
        ),
        Misconception(
            "pooling counted like a convolution",
            "It looks as if a pooling layer multiplies. It compares or averages, and has no weights.",
            "Ask yourself: which weight would a maximum be multiplied by?",
            matches=_any_of(
                *(
                    student_table(only("pool", parameters, count_parameters), only("pool", macs, count_macs))
                    for parameters in (lambda f: 0, lambda f: f.taps * f.out, lambda f: f.inputs * f.taps * f.out)
                    for macs in (lambda f: f.taps * f.out * f.places, lambda f: f.inputs * f.taps * f.out * f.places)
                ),
                student_table(only("pool", lambda f: (f.inputs * f.taps + 1) * f.out, count_parameters)),
            ),
        ),
        Misconception(
            "a multiplication for every bias",
            "It looks as if each bias counts as one more product, as in the lecture's AlexNet table. "
            "It is added, and multiplies nothing.",
            "Ask yourself: by what would the bias be multiplied?",
            matches=_any_of(
                student_table(macs=lambda f: count_parameters(f) * f.places),
                student_table(macs=only("conv", lambda f: count_parameters(f) * f.places, count_macs)),
            ),
        ),
        Misconception(
            "FLOPs instead of multiply–accumulates",
            "It looks as if you count multiplications and additions one by one. "
            "A multiply–accumulate is one of each, and counts once.",
            "Ask yourself: how many multiply–accumulates are in a · b + c?",
            matches=_any_of(
                student_table(macs=lambda f: 2 * count_macs(f)),
                student_table(macs=only("conv", lambda f: 2 * count_macs(f), count_macs)),
            ),
        ),
        Misconception(
            "places of the input",
            "It looks as if you multiply the weights by height and width of what comes in. "
            "They are used once for every value that goes out.",
            "Ask yourself: at how many places does the 11 × 11 kernel of AlexNet stop on its 227 × 227 image?",
            _variant(macs=only("conv", lambda f: f.weights * f.places_before, count_macs)),
        ),
        Misconception(
            "weights, not their uses",
            "It looks as if every weight multiplies once. A convolution uses it at every place of its output.",
            "Ask yourself: how often is the same kernel applied to an image?",
            _variant(macs=lambda f: f.weights),
        ),
        Misconception(
            "nothing is refused",
            "It looks as if you go on with a layer that does not fit.",
            "Ask yourself: what does your formula give for a kernel of 40 on 21 rows, and does such a layer exist?",
            _variant(misfit=never, uneven=never),
        ),
        Misconception(
            "uneven groups accepted",
            "It looks as if groups that do not divide the channels go through.",
            "Ask yourself: how many of 3 channels does each of 2 groups see?",
            _variant(uneven=never),
        ),
        Misconception(
            "padding forgotten in the test of fit",
            "It looks as if you compare the kernel with the input before it is padded.",
            "Ask yourself: into what must a window fit, height or height + 2 · padding?",
            _variant(misfit=lambda before, after, kernel: kernel > min(before)),
        ),
        Misconception(
            "a pool moves by its kernel",
            "It looks as if a pool without a stride moves by its kernel, as in PyTorch. Here the stride is then 1.",
            "Ask yourself: which strides does the docstring give to layers that name none?",
            _variant(stride=lambda entry: entry.get("stride", entry["kernel"] if entry["kind"] == "pool" else 1)),
        ),
        Misconception(
            "a message without layer and numbers",
            "It looks as if you raise the right kind of error, and its message does not say where or why.",
            "Ask yourself: what would you want to read when one of 50 layers does not fit?",
            or_raises(through(call_layer_table, table_of_modules)),
        ),
    ),
)
