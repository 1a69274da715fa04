"""dead_relu_fraction."""

from __future__ import annotations

import numpy as np

from course_utils.checks._initialization.networks import or_misfit
from course_utils.checks.describe import one_of, tensor, through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def call_dead_relu_fraction(student, weights, biases, x):
    import numpy as np

    result = student(weights, biases, x)
    return list(result) if isinstance(result, np.ndarray) and result.ndim == 1 else result


def dead_units(weights, biases, x):
    """By PyTorch."""
    import torch

    fractions, h = [], tensor(x)
    for weight, bias in zip(weights, biases, strict=True):
        h = torch.relu(torch.nn.functional.linear(h, tensor(weight), tensor(bias)))
        fractions.append((h.amax(dim=0) == 0).double().mean().item())
    return fractions


def _layers(weights, biases, x, offset=lambda bias: bias, passed_on=lambda z: np.maximum(z, 0), transposed=True):
    """Every layer's pre-activations; what the keywords name can be exchanged for a wrong idea."""
    layers, h = [], x
    for weight, bias in zip(weights, biases, strict=True):
        layers.append((h @ weight.T if transposed else h @ weight) + offset(bias))
        h = passed_on(layers[-1])
    return layers


def _share(count, **wrong):
    """`count` of the pre-activations z of each layer."""
    return lambda weights, biases, x: [count(z) for z in _layers(weights, biases, x, **wrong)]


def _dead(z):
    return np.mean(np.all(z <= 0, axis=0))


def _whole_network(weights, biases, x):
    return np.mean(np.concatenate([np.all(z <= 0, axis=0) for z in _layers(weights, biases, x)]))


# What a unit does on the batch.
DEAD, SELDOM, OFTEN, ALWAYS, ZERO = "dead", "seldom", "often", "always", "zero"


def _biases_for(z, behaviour):
    """Biases with which units of pre-activations z (still without a bias) behave as asked."""
    rising = np.sort(z, axis=0)  # (N, out)
    last, middle = len(z) - 1, len(z) // 2
    gap = {
        DEAD: -rising[last] - 0.2,
        SELDOM: -(rising[last] + rising[last - 1]) / 2,
        OFTEN: -(rising[middle] + rising[middle - 1]) / 2,
        ALWAYS: -rising[0] + 0.3,
        ZERO: np.zeros(z.shape[1]),
    }
    return np.array([gap[kind][unit] for unit, kind in enumerate(behaviour)])


def _cases(rng):
    def case(aspect, examples, inputs, *behaviours, make=lambda array: array):
        """Each of `behaviours` is one layer: its units' behaviours, in random order."""
        x = rng.normal(size=(examples, inputs))
        weights, biases, h = [], [], x
        for behaviour in behaviours:
            behaviour = [str(kind) for kind in rng.permutation(behaviour)]
            weight = rng.normal(size=(len(behaviour), h.shape[1]))
            weight[[kind == ZERO for kind in behaviour]] = 0.0
            z = h @ weight.T
            weights.append(weight)
            biases.append(_biases_for(z, behaviour))
            h = np.maximum(z + biases[-1], 0)
        inputs = {"weights": [make(w) for w in weights], "biases": [make(b) for b in biases], "x": make(x)}
        return Case(aspect, inputs)

    def silent_layer():
        """All units of the first layer are dead; behind it, biases alone decide."""
        first = case("a silent layer", 6, 3, [DEAD] * 4)
        weights, biases = first.inputs["weights"], first.inputs["biases"]
        weights.append(rng.normal(size=(5, 4)))
        biases.append(rng.permutation([-0.5, -1.0, 0.0, 0.8, 1.2]))
        return first

    mixed = [DEAD, DEAD, SELDOM, OFTEN, ALWAYS, SELDOM, OFTEN]
    return [
        case("one layer", 8, 3, [DEAD, DEAD, OFTEN, OFTEN, ALWAYS]),
        case("one layer", 7, 4, [DEAD, OFTEN, SELDOM, OFTEN], make=strided),
        case("units that are seldom on", 9, 4, [SELDOM] * 5 + [DEAD]),
        case("units that are seldom on", 6, 3, [SELDOM] * 2 + [DEAD] * 3, make=strided),
        case("several layers", 8, 5, mixed, [DEAD, OFTEN, SELDOM], [DEAD, DEAD, DEAD, OFTEN, ALWAYS, ALWAYS]),
        case("several layers", 9, 3, [DEAD, *[OFTEN] * 4], mixed, mixed[::2], make=strided),
        case("outputs of exactly 0", 6, 4, [ZERO, ZERO, OFTEN, DEAD, ALWAYS]),
        case("outputs of exactly 0", 5, 3, [ZERO, OFTEN, OFTEN], [ZERO, ZERO, SELDOM, ALWAYS]),
        silent_layer(),
        silent_layer(),
    ]


dead_relu_fraction = Exercise(
    name="dead_relu_fraction",
    cases=_cases,
    call=call_dead_relu_fraction,
    expected=dead_units,
    difficulty=2,
    importance=4,
    minutes=10,
    hints=(
        "Send the batch through the network. In each layer ask of every unit: was it ever on?",
        "A layer's outputs h are (N, out). h == 0 is too, and all of it along the examples (axis 0) gives one "
        "True or False for each unit. The mean of those is the share.",
        "h = np.maximum(h @ weight.T + bias, 0), then np.all(h == 0, axis=0).mean(), for every layer.",
    ),
    misconceptions=(
        Misconception(
            "share of zero outputs",
            "It looks as if you count zeros, not units. A unit that is off on some examples is not dead.",
            "Ask yourself: what do you ask of one column of h before you count it?",
            _share(lambda z: np.mean(z <= 0)),
        ),
        Misconception(
            "dead on any input",
            "It looks as if one zero is enough for you to call a unit dead. It must be 0 on every row of x.",
            "Ask yourself: which of np.any and np.all asks for every row?",
            _share(lambda z: np.mean(np.any(z <= 0, axis=0))),
        ),
        Misconception(
            "dead on average",
            "It looks as if you look at a unit's mean pre-activation. One input that turns it on keeps it alive.",
            "Ask yourself: can the mean be negative and one value positive?",
            _share(lambda z: np.mean(z.mean(axis=0) <= 0)),
        ),
        Misconception(
            "silent examples instead of dead units",
            "It looks as if you reduce along the units: that finds the examples on which a whole layer is silent.",
            "Ask yourself: in an array of shape (N, out), along which axis do the examples lie?",
            _share(lambda z: np.mean(np.all(z <= 0, axis=1))),
        ),
        Misconception(
            "biases ignored",
            "It looks as if the biases are not added.",
            "Ask yourself: which unit is on when its weights are 0 and its bias is 1?",
            _share(_dead, offset=lambda bias: 0 * bias),
        ),
        Misconception(
            "zero counts as alive",
            "It looks as if a unit must have negative pre-activations to be dead for you. An output of 0 is enough.",
            "Ask yourself: what does ReLU return at exactly 0?",
            _share(lambda z: np.mean(np.all(z < 0, axis=0))),
        ),
        Misconception(
            "signal passed on without ReLU",
            "It looks as if the next layer gets the pre-activations, negative ones too.",
            "Ask yourself: what does your variable h hold when the loop comes round?",
            _share(_dead, passed_on=lambda z: z),
        ),
        Misconception(
            "numbers instead of shares",
            "It looks as if you return how many units are dead. The share of the layer was asked for.",
            "Ask yourself: by what do you divide the number of dead units?",
            _share(lambda z: np.sum(np.all(z <= 0, axis=0))),
        ),
        Misconception(
            "divided by the number of examples",
            "It looks as if you divide the number of dead units by the number of examples.",
            "Ask yourself: a share of what was asked for, and how many of those are there?",
            _share(lambda z: np.sum(np.all(z <= 0, axis=0)) / len(z)),
        ),
        Misconception(
            "percent instead of shares",
            "It looks as if you return percent. Shares lie between 0 and 1.",
            "Ask yourself: which share do all units of a layer make?",
            _share(lambda z: 100 * _dead(z)),
        ),
        Misconception(
            "share of the living",
            "It looks as if you return the share of units that are alive.",
            "Ask yourself: what should come out for a layer whose units are all dead?",
            _share(lambda z: 1 - _dead(z)),
        ),
        Misconception(
            "one share for the whole network",
            "It looks as if you return one number for all layers together.",
            "Ask yourself: how many layers are there, and how many numbers do you return?",
            matches=one_of(
                call_dead_relu_fraction,
                _whole_network,
                lambda weights, biases, x: np.mean(dead_units(weights, biases, x)),
            ),
        ),
        Misconception(
            "weights not transposed",
            "It looks as if you multiply h @ W. W is (out, in), so its rows do not meet the columns of h.",
            "Ask yourself: which axis of W belongs to the inputs?",
            or_misfit(through(call_dead_relu_fraction, _share(_dead, transposed=False))),
        ),
    ),
)
