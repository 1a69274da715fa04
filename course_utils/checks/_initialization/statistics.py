"""forward_statistics: how signals shrink or grow from layer to layer."""

from __future__ import annotations

import numpy as np

from course_utils.checks._initialization.networks import (
    NAMES,
    or_misfit,
    phi,
    random_weights,
    signals,
    torch_activation,
    usual_cases,
)
from course_utils.checks.describe import one_of, tensor, through
from course_utils.checks.exercise import Case, Exercise, Misconception


def call_forward_statistics(student, weights, x, name):
    import numpy as np

    result = student(weights, x, name)
    if isinstance(result, np.ndarray) and result.ndim == 2:  # an (L, 2) array serves as well as a list of pairs
        result = list(result)
    if isinstance(result, list):
        result = [tuple(row) if isinstance(row, np.ndarray) and row.ndim == 1 else row for row in result]
    return result


def forward(weights, x, name):
    """By PyTorch."""
    import torch

    found, h = [], tensor(x)
    for weight in weights:
        h = torch_activation(name)(torch.nn.functional.linear(h, tensor(weight)))
        found.append((h.mean().item(), h.std(correction=0).item()))
    return found


def _of(layers, mean=np.mean, std=np.std):
    return [(mean(h), std(h)) for h in layers]


def _activations(measure):
    """`measure` of the right activations."""
    return lambda weights, x, name: measure(signals(weights, x, name)[1])


def _other_mean_and_std(mean=np.mean, std=np.std):
    return _activations(lambda layers: _of(layers, mean, std))


def _linear_end(weights, x, name):
    z, h = signals(weights, x, name)
    return _of([*h[:-1], z[-1]])


def _not_passed_on(weights, x, name):
    """The activations are measured, and the next layer gets the pre-activations."""
    found, z = [], x
    for weight in weights:
        z = z @ weight.T
        found.append(phi(name, z))
    return _of(found)


def _products(product):
    """Statistics with another way to get zₗ from (x, hₗ₋₁, Wₗ)."""

    def wrong(weights, x, name):
        layers, h = [], x
        for weight in weights:
            h = phi(name, product(x, h, weight))
            layers.append(h)
        return _of(layers)

    return wrong


def _always(other):
    return lambda weights, x, name: _of(signals(weights, x, other)[1])


def _forward_cases(rng):
    def case(aspect, name, examples, widths, scale=None, make=lambda array: array):
        while True:
            weights, x = random_weights(rng, widths, scale), rng.normal(size=(examples, widths[0])) + 0.5
            # A mean that is nearly 0 would be decided by rounding.
            if all(abs(h.mean()) > 0.01 * h.std() > 0 for h in signals(weights, x, name)[1]):
                break
        return Case(aspect, {"weights": [make(w) for w in weights], "x": make(x), "name": name})

    return [
        *usual_cases(case),
        case("vanishing signals", "tanh", 8, (20,) * 6, 0.01),
        case("vanishing signals", "relu", 8, (20,) * 4, 0.02),
    ]


forward_statistics = Exercise(
    name="forward_statistics",
    cases=_forward_cases,
    call=call_forward_statistics,
    expected=forward,
    builds_on=("activation",),
    difficulty=2,
    importance=5,
    minutes=15,
    hints=(
        "Send the batch through the network, layer by layer. After each layer, write down two numbers about what "
        "came out.",
        "h is (N, in) and W is (out, in), so the layer's pre-activations are an (N, out) product. "
        "φ of that is the layer's activations, and the next layer's h. One mean and one std describe all N · out of "
        "them.",
        "In a loop over the weights: h = activation(name, h @ weight.T), then append (h.mean(), h.std()) to a list.",
    ),
    misconceptions=(
        Misconception(
            "statistics of the pre-activations",
            "It looks as if you measure the layers before φ is applied.",
            "Ask yourself: which of z = W h and φ(z) is the layer's activation?",
            through(call_forward_statistics, lambda weights, x, name: _of(signals(weights, x, name)[0])),
        ),
        Misconception(
            "last layer left linear",
            "It looks as if the last layer has no activation in your network.",
            "Ask yourself: does the text make an exception for the last layer?",
            through(call_forward_statistics, _linear_end),
        ),
        Misconception(
            "pre-activations passed on",
            "It looks as if the next layer gets the pre-activations instead of the activations.",
            "Ask yourself: what does your variable h hold when the loop comes round?",
            through(call_forward_statistics, _not_passed_on),
        ),
        Misconception(
            "one number for every unit",
            "It looks as if you return many numbers for a layer. One mean and one std describe the whole layer.",
            "Ask yourself: what does axis=0 do to an array of shape (N, out), and what does no axis do?",
            matches=one_of(
                call_forward_statistics,
                *(
                    _other_mean_and_std(lambda h, a=axis: h.mean(axis=a), lambda h, a=axis: h.std(axis=a))
                    for axis in (0, 1)
                ),
            ),
        ),
        Misconception(
            "std over one axis only",
            "It looks as if you take the std of every unit (or of every example) and then the mean of those. "
            "That misses how much they differ from each other.",
            "Ask yourself: two units that are always +1 and always −1: what is the std of all their values together?",
            matches=one_of(
                call_forward_statistics,
                *(_other_mean_and_std(std=lambda h, a=axis: h.std(axis=a).mean()) for axis in (0, 1)),
            ),
        ),
        Misconception(
            "variance instead of std",
            "It looks as if the second number of each pair is the variance.",
            "Ask yourself: which of the two has the unit of the activations themselves?",
            through(call_forward_statistics, _other_mean_and_std(std=np.var)),
        ),
        Misconception(
            "mean not subtracted",
            "It looks as if your std is the root of the mean square, √E[h²]. The std is taken around the mean.",
            "Ask yourself: what is the std of activations that are all 5?",
            through(call_forward_statistics, _other_mean_and_std(std=lambda h: np.sqrt(np.mean(h**2)))),
        ),
        Misconception(
            "divided by n − 1",
            "It looks as if your std divides by the number of values minus one (ddof 1). "
            "PyTorch's std does that by default.",
            "Ask yourself: by what does NumPy's std divide when you do not tell it otherwise?",
            matches=one_of(call_forward_statistics, _other_mean_and_std(std=lambda h: np.std(h, ddof=1))),
        ),
        Misconception(
            "input listed as a layer",
            "It looks as if your list starts with the statistics of x.",
            "Ask yourself: how many layers have weights, and how many pairs do you return?",
            through(call_forward_statistics, lambda weights, x, name: _of([x, *signals(weights, x, name)[1]])),
        ),
        Misconception(
            "mean and std swapped",
            "It looks as if the std comes first in your pairs.",
            "Ask yourself: in which order does the text name the two?",
            through(call_forward_statistics, _other_mean_and_std(np.std, np.mean)),
        ),
        Misconception(
            "means and stds apart",
            "It looks as if you return all means and then all stds. A pair for every layer was asked for.",
            "Ask yourself: what should result[0] tell about the first layer?",
            matches=one_of(
                call_forward_statistics,
                _activations(lambda layers: ([h.mean() for h in layers], [h.std() for h in layers])),
                _activations(
                    lambda layers: (np.array([h.mean() for h in layers]), np.array([h.std() for h in layers]))
                ),
            ),
        ),
        Misconception(
            "last layer first",
            "It looks as if your list runs from the last layer to the first.",
            "Ask yourself: which layer does result[0] describe?",
            through(call_forward_statistics, _activations(lambda layers: _of(layers[::-1]))),
        ),
        Misconception(
            "always the same activation",
            "It looks as if your network uses the same φ whatever `name` says.",
            "Ask yourself: where in your code does `name` decide anything?",
            matches=one_of(call_forward_statistics, *(_always(name) for name in NAMES)),
        ),
        Misconception(
            "weights not transposed",
            "It looks as if you multiply h @ W. W is (out, in), so its rows do not meet the columns of h.",
            "Ask yourself: which axis of W belongs to the inputs?",
            or_misfit(through(call_forward_statistics, _products(lambda x, h, weight: h @ weight))),
        ),
        Misconception(
            "every layer gets x",
            "It looks as if every layer is applied to x instead of to the layer before it.",
            "Ask yourself: what is the input of layer 2?",
            or_misfit(through(call_forward_statistics, _products(lambda x, h, weight: x @ weight.T))),
        ),
    ),
)
