"""lenet5_accounting: the parameters and connections of LeNet-5."""

from __future__ import annotations

from course_utils.checks.describe import one_of, through
from course_utils.checks.exercise import Case, Exercise, Misconception

# Table I of LeCun, Bottou, Bengio and Haffner (1998): a row for each channel of S2, a column for each of C3.
CONNECTED = (
    "X...XXX..XXXX.XX",
    "XX...XXX..XXXX.X",
    "XXX...XXX..X.XXX",
    ".XXX..XXXX..X.XX",
    "..XXX..XXXX.XX.X",
    "...XXX..XXXX.XXX",
)
NAMES = "C1", "S2", "C3", "S4", "C5", "F6"


def call_lenet5_accounting(student, layers):
    """The entries of the student's table for these layers."""
    table = student()
    return {name: table[name] for name in layers if name in table} if isinstance(table, dict) else table


def lenet5_of_modules():
    """PyTorch's layers, run on ones: with all weights and biases 1, each use of a value or a bias adds 1."""
    import torch
    from torch.nn.functional import avg_pool2d, conv2d, linear

    def ones(*shape):
        return torch.ones(shape, dtype=torch.float64)

    def counted(parameters, out):
        return sum(int(p.sum()) for p in parameters), int(out.sum())

    def subsampled(channels, size):
        coefficient, bias = ones(channels, 1, 1), ones(channels, 1, 1)
        summed = 4 * avg_pool2d(ones(channels, size, size), 2)
        return counted((coefficient, bias), coefficient * summed + bias)

    def convolved(weight, size):
        bias = ones(len(weight))
        return counted((weight, bias), conv2d(ones(1, weight.shape[1], size, size), weight, bias))

    connected = torch.tensor([[mark == "X" for mark in row] for row in CONNECTED], dtype=torch.float64).T
    return {
        "C1": convolved(ones(6, 1, 5, 5), 32),
        "S2": subsampled(6, 28),
        "C3": convolved(connected[:, :, None, None] * ones(5, 5), 14),
        "S4": subsampled(16, 10),
        "C5": convolved(ones(120, 16, 5, 5), 5),
        "F6": counted((ones(84, 120), ones(84)), linear(ones(120), ones(84, 120), ones(84))),
    }


def _lenet5(
    seen=60,  # how many pairs of a channel of S2 and one of C3 are connected
    table_biases=16,  # of C3
    learned_by_subsampling=2,  # parameters of one channel of S2 or S4
    used_by_subsampling=5,  # connections of one unit of S2 or S4
    bias=1,  # as a parameter
    bias_used=1,  # as a connection
    image=32,
    places=lambda before, after: after * after,
):
    """A student's table with other numbers."""
    c1 = image - 4
    c3 = c1 // 2 - 4
    s4 = c3 // 2

    def convolution(weights, biases, before, after):
        return weights + bias * biases, (weights + bias_used * biases) * places(before, after)

    def subsampling(channels, before):
        return channels * learned_by_subsampling, channels * used_by_subsampling * places(before, before // 2)

    c5 = 120 * 16 * s4 * s4
    return {
        "C1": convolution(6 * 25, 6, image, c1),
        "S2": subsampling(6, c1),
        "C3": convolution(25 * seen, table_biases, c1 // 2, c3),
        "S4": subsampling(16, c3),
        "C5": (c5 + bias * 120, (c5 + bias_used * 120) * places(s4, 1)),
        "F6": (120 * 84 + bias * 84, 120 * 84 + bias_used * 84),
    }


def _variant(**changes):
    return through(call_lenet5_accounting, lambda: _lenet5(**changes))


def _any_of(*changes):
    return one_of(call_lenet5_accounting, *(lambda changed=changed: _lenet5(**changed) for changed in changes))


def _connections_like_parameters():
    return {name: (parameters, parameters) for name, (parameters, _) in _lenet5().items()}


def _parameters_like_connections():
    return {name: (connections, connections) for name, (_, connections) in _lenet5().items()}


def _swapped():
    return {name: entry[::-1] for name, entry in _lenet5().items()}


def _cases(rng):
    return [
        Case("C1, a convolution", {"layers": ["C1"]}),
        Case("S2 and S4, subsampling", {"layers": ["S2", "S4"]}),
        Case("C3 and its table of connections", {"layers": ["C3"]}),
        Case("C5 and F6, full connections", {"layers": ["C5", "F6"]}),
    ]


lenet5_accounting = Exercise(
    name="lenet5_accounting",
    cases=_cases,
    call=call_lenet5_accounting,
    expected=through(call_lenet5_accounting, lenet5_of_modules),
    stand_in=lambda: lenet5_of_modules,
    for_call=("layers",),
    builds_on=("conv_output_size", "conv_parameters", "conv_macs"),
    difficulty=3,
    importance=3,
    minutes=25,
    hints=(
        "Follow the size of the channels: 32 → 28 → 14 → 10 → 5 → 1. "
        "A layer's parameters do not depend on it, its connections do.",
        "A convolution uses each of its parameters once at every place of its output, so connections = parameters · "
        "height · width. A unit of S2 or S4 uses its four inputs and one bias: five connections, but only two "
        "parameters for the whole channel. For C3, count the channels of S2 that each column of the table marks.",
        "With n the number of marks in one column, that channel of C3 has 5 * 5 * n + 1 parameters, each used at "
        "10 · 10 places. Six columns have 3 marks, nine have 4, one has 6. "
        "S2 has 6 * 2 parameters and 6 * 14 * 14 * (2 * 2 + 1) connections.",
    ),
    misconceptions=(
        Misconception(
            "C3 sees all of S2",
            "It looks as if every channel of C3 reads all six channels of S2. Only the last one does.",
            "Ask yourself: how many marks does each column of the table have?",
            _variant(seen=96),
        ),
        Misconception(
            "a bias for each kernel of C3",
            "It looks as if every mark of the table brings a bias of its own.",
            "Ask yourself: how often is a bias added when the sums over several channels become one number?",
            _variant(table_biases=60),
        ),
        Misconception(
            "subsampling without parameters",
            "It looks as if S2 and S4 learn nothing, as today's pooling layers. In LeNet-5 each channel has a "
            "coefficient and a bias.",
            "Ask yourself: which two numbers does one channel of S2 learn?",
            matches=_any_of(
                {"learned_by_subsampling": 0},
                {"learned_by_subsampling": 0, "used_by_subsampling": 4},
                {"learned_by_subsampling": 0, "used_by_subsampling": 0},
            ),
        ),
        Misconception(
            "a weight for every input of subsampling",
            "It looks as if the four values of a 2 × 2 window have a weight each. They share one coefficient.",
            "Ask yourself: the four values are added first; how many numbers is the sum multiplied by?",
            _variant(learned_by_subsampling=5),
        ),
        Misconception(
            "subsampling without biases",
            "It looks as if S2 and S4 have a coefficient and no bias.",
            "Ask yourself: what is added after the sum is multiplied by its coefficient?",
            matches=_any_of(
                {"learned_by_subsampling": 1},
                {"learned_by_subsampling": 1, "used_by_subsampling": 4},
            ),
        ),
        Misconception(
            "connections like parameters of subsampling",
            "It looks as if a unit of S2 has two connections, one for each of its parameters. "
            "One of them is used for four inputs.",
            "Ask yourself: how many input values does a 2 × 2 window hold?",
            _variant(used_by_subsampling=2),
        ),
        Misconception(
            "biases forgotten",
            "It looks as if you count weights alone, in the parameters and in the connections.",
            "Ask yourself: C1 has 156 parameters; which 6 of them are not weights?",
            matches=_any_of(
                {"bias": 0, "bias_used": 0},
                {"bias": 0, "bias_used": 0, "used_by_subsampling": 4},
                {"bias": 0, "bias_used": 0, "used_by_subsampling": 4, "learned_by_subsampling": 1},
            ),
        ),
        Misconception(
            "connections without biases",
            "It looks as if the bias is a parameter but no connection. The paper counts it as both.",
            "Ask yourself: how many numbers are added up for one unit of C1?",
            matches=_any_of({"bias_used": 0}, {"bias_used": 0, "used_by_subsampling": 4}),
        ),
        Misconception(
            "places of the input",
            "It looks as if you multiply by the size of what comes in. A kernel stops at every place of the output.",
            "Ask yourself: how many outputs does one channel of C1 have?",
            _variant(places=lambda before, after: before * before),
        ),
        Misconception(
            "one side for the area",
            "It looks as if you multiply by the width of the output alone.",
            "Ask yourself: how many units are there in a channel of 28 × 28?",
            _variant(places=lambda before, after: after),
        ),
        Misconception(
            "connections equal to parameters",
            "It looks as if every parameter is used once. A convolution uses it at every place.",
            "Ask yourself: how many units of one channel share the same 5 × 5 weights?",
            through(call_lenet5_accounting, _connections_like_parameters),
        ),
        Misconception(
            "new weights at every place",
            "It looks as if every connection has a parameter of its own. The units of a channel share theirs.",
            "Ask yourself: does C1 get more parameters when the image grows?",
            through(call_lenet5_accounting, _parameters_like_connections),
        ),
        Misconception(
            "an image of 28 × 28",
            "It looks as if your image has 28 × 28 pixels, as in MNIST. LeNet-5 reads 32 × 32. "
            "A printout in the lecture mixes the two.",
            "Ask yourself: with 28 pixels, how large are the channels of S4, and do 16 of them give 400 values?",
            _variant(image=28),
        ),
        Misconception(
            "connections before parameters",
            "It looks as if your pairs are (connections, parameters).",
            "Ask yourself: which of the two comes first in the docstring?",
            through(call_lenet5_accounting, _swapped),
        ),
    ),
)
