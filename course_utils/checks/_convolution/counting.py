"""conv_parameters and conv_macs: what one convolutional layer costs."""

from __future__ import annotations

import numpy as np

from course_utils.checks._convolution.impossible import Impossible, or_raises
from course_utils.checks.describe import one_of
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises, call_directly


def _refuse_uneven(in_channels, out_channels, groups):
    if in_channels % groups or out_channels % groups:
        facts = {"groups": groups, "input channels": in_channels, "output channels": out_channels}
        raise Impossible("groups must divide both numbers of channels", **facts)


def count_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    """The sizes of arrays: one weight for each tap of each connected pair of channels, one bias for each output."""
    _refuse_uneven(in_channels, out_channels, groups)
    return _connected(in_channels, out_channels, groups) * _ones(*_pair(kernel)).size + bias * _ones(out_channels).size


def count_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    """Each tap of each connected pair of channels is used once at every place of the output."""
    _refuse_uneven(in_channels, out_channels, groups)
    taps_and_places = _ones(*_pair(kernel), out_height, out_width)
    return _connected(in_channels, out_channels, groups) * taps_and_places.size


def _connected(in_channels, out_channels, groups):
    """How many pairs of an input and an output channel are in the same group, counted group after group."""
    group_of_input = np.arange(in_channels) * groups // in_channels
    group_of_output = np.arange(out_channels) * groups // out_channels
    return int(np.bincount(group_of_input) @ np.bincount(group_of_output))


def _ones(*shape):
    return np.broadcast_to(1, shape)


def _pair(kernel):
    return (kernel, kernel) if isinstance(kernel, int) else tuple(kernel)


def _area(kernel):
    height, width = _pair(kernel)
    return height * width


GROUPS_IGNORED = (
    "It looks as if `groups` does not change your result.",
    "Ask yourself: with 2 groups, how many of the input channels does one output channel see?",
)
ONE_GROUP = (
    "It looks as if you count a single group: both numbers of channels are divided by `groups`.",
    "Ask yourself: one group has its share of the output channels; how many groups are there?",
)
TRUE_DIVISION = (
    "It looks as if you divide with /, which gives a float.",
    "Ask yourself: what does // do?",
)
UNEVEN_ACCEPTED = (
    "It looks as if you compute a number although the channels cannot be cut into so many equal parts.",
    "Ask yourself: how many input channels does each of 4 groups get when there are 6?",
)
NO_NUMBERS = (
    "It looks as if you raise the right kind of error, with some of the three numbers missing from its message.",
    "Ask yourself: which numbers would you want to read when a network of 50 layers raises this error?",
)
SIDE_FOR_AREA = (
    "It looks as if a square kernel has as many taps as one side is long.",
    "Ask yourself: how many numbers are there in a 5 × 5 kernel?",
)
HEIGHT_TWICE = (
    "It looks as if your kernel is square: its first side is used for both.",
    "Ask yourself: how many numbers are there in a kernel 3 high and 5 wide?",
)
IN_CHANNELS_FORGOTTEN = (
    "It looks as if an output channel looks at one input channel only. It looks at all of them, each with a kernel "
    "of its own.",
    "Ask yourself: on an RGB image, how many weights does one 5 × 5 filter have?",
)


def _parameters(weights, biases=lambda i, o, k, g: o):
    """A student's count: weights, and biases where there are any, from (in, out, taps, groups)."""

    def variant(in_channels, out_channels, kernel, bias=True, groups=1):
        if in_channels % groups or out_channels % groups:
            return Raises("ValueError")
        sizes = in_channels, out_channels, _area(kernel), groups
        return weights(*sizes) + (biases(*sizes) if bias else 0)

    return variant


def _weights(i, o, k, g):
    return i // g * o * k


def _with_kernel(function, change):
    return lambda kernel, **more: or_raises(function)(kernel=change(kernel), **more)


def _side(kernel):
    return (kernel, 1) if isinstance(kernel, int) else kernel


def _first_side(kernel):
    return _pair(kernel)[0]


def _uneven_parameters(divide):
    def student(in_channels, out_channels, kernel, bias=True, groups=1):
        return out_channels * (_area(kernel) * divide(in_channels, groups) + (1 if bias else 0))

    return student


def _uneven_macs(divide):
    def student(in_channels, out_channels, kernel, out_height, out_width, groups=1):
        return out_channels * _area(kernel) * divide(in_channels, groups) * out_height * out_width

    return student


def _given_a_float(matches):
    return lambda case, outputs: np.asarray(outputs).dtype.kind == "f" and matches(case, outputs)


def _given_an_integer(matches):
    return lambda case, outputs: np.asarray(outputs).dtype.kind in "iu" and matches(case, outputs)


def _channels(rng):
    """Two different numbers of channels, neither of them 1."""
    return int(rng.integers(2, 9)), int(rng.integers(10, 40))


def _parameter_cases(rng):
    def case(aspect, in_channels, out_channels, kernel, **more):
        return Case(aspect, {"in_channels": in_channels, "out_channels": out_channels, "kernel": kernel, **more})

    few, many = _channels(rng)
    parts = int(rng.integers(3, 6))
    uneven = "groups that do not divide the channels"
    return [
        case("weights and biases", 3, 16, 5),
        case("weights and biases", few, many, 3),
        case("weights and biases", many, few, 1),
        case("no biases", 20, 12, 5, bias=False),
        case("no biases", few, many, 7, bias=False),
        case("rectangular kernels", 3, 8, (3, 5)),
        case("rectangular kernels", few, many, (7, 1)),
        case("groups", 96, 256, 5, bias=True, groups=2),
        case("groups", few * parts, many * parts, 3, bias=True, groups=parts),
        case("groups", 24, 24, 3, bias=False, groups=24),
        case("groups", 6, 18, (2, 5), bias=True, groups=3),
        case(uneven, 10, 24, 3, bias=True, groups=4),
        case(uneven, 24, 10, 3, bias=False, groups=8),
        case(uneven, 3 * parts + 1, 7 * parts, 5, bias=True, groups=parts),
    ]


conv_parameters = Exercise(
    name="conv_parameters",
    cases=_parameter_cases,
    expected=or_raises(count_parameters),
    stand_in=lambda: count_parameters,
    difficulty=2,
    importance=5,
    minutes=10,
    hints=(
        "Take one output channel. It has a kernel of its own for every input channel that it sees, "
        "and one bias. Then think of how many output channels there are.",
        "An output channel sees in_channels / groups input channels. Each costs height · width weights. "
        "The same weights are used at every place of the image, so the image's size plays no part.",
        "After raising ValueError where groups leaves a remainder: "
        "out_channels * (height * width * (in_channels // groups) + (1 if bias else 0)). "
        "A kernel that is an int stands for height and width alike.",
    ),
    misconceptions=(
        Misconception("input channels forgotten", *IN_CHANNELS_FORGOTTEN, _parameters(lambda i, o, k, g: o * k)),
        Misconception(
            "biases forgotten",
            "It looks as if you count the weights alone, also where there are biases.",
            "Ask yourself: what is added to each output channel after the products are summed?",
            _parameters(_weights, lambda i, o, k, g: 0),
        ),
        Misconception(
            "biases always counted",
            "It looks as if you count biases in a layer that has none.",
            "Ask yourself: what does bias=False say?",
            lambda bias=True, **more: or_raises(count_parameters)(bias=True, **more),
        ),
        Misconception(
            "one bias for the layer",
            "It looks as if you count one bias in all.",
            "Ask yourself: can two output channels have different biases?",
            _parameters(_weights, lambda i, o, k, g: 1),
        ),
        Misconception(
            "a bias for each input channel",
            "It looks as if you count one bias for each input channel. It is added to the output.",
            "Ask yourself: to how many sums is a bias added at one place of the image?",
            _parameters(_weights, lambda i, o, k, g: i),
        ),
        Misconception(
            "a bias for each slice of a filter",
            "It looks as if every kernel, one for each pair of an input and an output channel, has a bias.",
            "Ask yourself: how often is a bias added when the sums over all input channels become one number?",
            _parameters(_weights, lambda i, o, k, g: i // g * o),
        ),
        Misconception("groups ignored", *GROUPS_IGNORED, _parameters(lambda i, o, k, g: i * o * k)),
        Misconception(
            "one group counted",
            *ONE_GROUP,
            _parameters(lambda i, o, k, g: (i // g) * (o // g) * k, lambda i, o, k, g: o // g),
        ),
        Misconception(
            "channels divided twice",
            "It looks as if the weights are divided by groups twice, once for the input and once for the output "
            "channels.",
            "Ask yourself: every output channel has weights; how many output channels are there with 2 groups?",
            _parameters(lambda i, o, k, g: (i // g) * (o // g) * k),
        ),
        Misconception("a side for the area", *SIDE_FOR_AREA, _with_kernel(count_parameters, _side)),
        Misconception("every kernel square", *HEIGHT_TWICE, _with_kernel(count_parameters, _first_side)),
        Misconception(
            "uneven groups accepted",
            *UNEVEN_ACCEPTED,
            matches=_given_an_integer(
                one_of(call_directly, _uneven_parameters(lambda a, b: a // b), _uneven_parameters(lambda a, b: a / b))
            ),
        ),
        Misconception(
            "true division",
            *TRUE_DIVISION,
            matches=_given_a_float(one_of(call_directly, _uneven_parameters(lambda a, b: a / b))),
        ),
        Misconception("a message without the numbers", *NO_NUMBERS, or_raises(count_parameters)),
    ),
)


def _macs(count):
    """A student's count from (in, out, taps, height, width, groups)."""

    def variant(in_channels, out_channels, kernel, out_height, out_width, groups=1):
        if in_channels % groups or out_channels % groups:
            return Raises("ValueError")
        return count(in_channels, out_channels, _area(kernel), out_height, out_width, groups)

    return variant


def _mac_cases(rng):
    def case(aspect, in_channels, out_channels, kernel, out_height, out_width, **more):
        names = "in_channels", "out_channels", "kernel", "out_height", "out_width"
        given = zip(names, (in_channels, out_channels, kernel, out_height, out_width), strict=True)
        return Case(aspect, dict(given) | more)

    few, many = _channels(rng)
    parts = int(rng.integers(3, 6))
    high, wide = int(rng.integers(2, 9)), int(rng.integers(10, 20))
    uneven = "groups that do not divide the channels"
    return [
        case("square kernels", 3, 96, 11, 55, 55),
        case("square kernels", 3, 16, 5, 32, 32),
        case("square kernels", many, few, 1, 12, 12),
        case("outputs that are not square", few, many, 3, high, wide),
        case("outputs that are not square", many, few, 5, wide, high),
        case("rectangular kernels", few, many, (3, 5), high, wide),
        case("rectangular kernels", 4, 7, (2, 1), 9, 6),
        case("groups", 96, 256, 5, 27, 27, groups=2),
        case("groups", few * parts, many * parts, 3, high, wide, groups=parts),
        case("groups", 24, 24, (3, 2), 8, 10, groups=24),
        case(uneven, 10, 24, 3, 6, 5, groups=4),
        case(uneven, 24, 10, 3, 6, 5, groups=8),
        case(uneven, 3 * parts + 1, 7 * parts, 5, high, wide, groups=parts),
    ]


conv_macs = Exercise(
    name="conv_macs",
    cases=_mac_cases,
    expected=or_raises(count_macs),
    stand_in=lambda: count_macs,
    builds_on=("conv_parameters",),
    difficulty=2,
    importance=5,
    minutes=10,
    hints=(
        "First count the products behind one number of the output. Then count how many numbers the output has.",
        "One output value adds height · width products for each of its in_channels / groups input channels. "
        "The output has out_channels · out_height · out_width values.",
        "After raising ValueError where groups leaves a remainder: "
        "height * width * (in_channels // groups) * out_channels * out_height * out_width.",
    ),
    misconceptions=(
        Misconception(
            "FLOPs instead of multiply–accumulates",
            "It looks as if you count multiplications and additions one by one. "
            "A multiply–accumulate is one of each, and counts once.",
            "Ask yourself: how many multiply–accumulates are in a · b + c?",
            _macs(lambda i, o, k, h, w, g: 2 * (i // g) * o * k * h * w),
        ),
        Misconception(
            "a multiplication for every bias",
            "It looks as if the bias counts as one more product. It is added, and multiplies nothing.",
            "Ask yourself: by what would the bias be multiplied?",
            _macs(lambda i, o, k, h, w, g: ((i // g) * k + 1) * o * h * w),
        ),
        Misconception(
            "input channels forgotten", *IN_CHANNELS_FORGOTTEN, _macs(lambda i, o, k, h, w, g: o * k * h * w)
        ),
        Misconception(
            "output channels forgotten",
            "It looks as if you count the work for one output channel.",
            "Ask yourself: how many numbers does the output have at one place?",
            _macs(lambda i, o, k, h, w, g: (i // g) * k * h * w),
        ),
        Misconception(
            "weights, not their uses",
            "It looks as if you count every weight once. It is used at every place of the output.",
            "Ask yourself: how often is the same kernel applied to an image?",
            _macs(lambda i, o, k, h, w, g: (i // g) * o * k),
        ),
        Misconception(
            "every output square",
            "It looks as if the output is as wide as it is high.",
            "Ask yourself: which of the arguments is never used in your formula?",
            _macs(lambda i, o, k, h, w, g: (i // g) * o * k * h * h),
        ),
        Misconception("groups ignored", *GROUPS_IGNORED, _macs(lambda i, o, k, h, w, g: i * o * k * h * w)),
        Misconception("one group counted", *ONE_GROUP, _macs(lambda i, o, k, h, w, g: (i // g) * (o // g) * k * h * w)),
        Misconception("a side for the area", *SIDE_FOR_AREA, _with_kernel(count_macs, _side)),
        Misconception("every kernel square", *HEIGHT_TWICE, _with_kernel(count_macs, _first_side)),
        Misconception(
            "uneven groups accepted",
            *UNEVEN_ACCEPTED,
            matches=_given_an_integer(
                one_of(call_directly, _uneven_macs(lambda a, b: a // b), _uneven_macs(lambda a, b: a / b))
            ),
        ),
        Misconception(
            "true division",
            *TRUE_DIVISION,
            matches=_given_a_float(one_of(call_directly, _uneven_macs(lambda a, b: a / b))),
        ),
        Misconception("a message without the numbers", *NO_NUMBERS, or_raises(count_macs)),
    ),
)
