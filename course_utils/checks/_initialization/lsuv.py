"""lsuv: the layers' weights scaled one after the other."""

from __future__ import annotations

import numpy as np

from course_utils.checks._initialization.networks import NAMES, or_misfit, phi, random_weights, torch_activation
from course_utils.checks.describe import one_of, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided


def unit_variance(weights, x, name):
    """By PyTorch."""
    import torch

    scaled, h = [], tensor(x)
    for weight in weights:
        z = torch.nn.functional.linear(h, tensor(weight))
        factor = z.var(correction=0).rsqrt()
        scaled.append((factor * tensor(weight)).numpy())
        h = torch_activation(name)(factor * z)
    return scaled


def _scaled(size=np.std, start=lambda weight: weight, product=lambda h, weight: h @ weight.T, act=phi, passed_on=None):
    """LSUV in which one idea can be exchanged: Wₗ is divided by `size(zₗ)`; `passed_on(z, size)` is what φ gets."""

    def wrong(weights, x, name):
        found, h = [], x
        for weight in weights:
            weight = start(weight)
            z = product(h, weight)
            found.append(weight / np.reshape(size(z), (-1, 1)))
            h = act(name, product(h, found[-1]) if passed_on is None else passed_on(z))
        return found

    return wrong


def _of_activations(weights, x, name):
    """Divides by the std of φ(z), once."""
    found, h = [], x
    for weight in weights:
        found.append(weight / phi(name, h @ weight.T).std())
        h = phi(name, h @ found[-1].T)
    return found


def _divided_afterwards(weights, x, name):
    """The signal that is passed on is φ(z) / std(z)."""
    found, h = [], x
    for weight in weights:
        z = h @ weight.T
        found.append(weight / z.std())
        h = phi(name, z) / z.std()
    return found


def _orthogonal(weight):
    """The orthogonal matrix nearest to a weight."""
    u, _, vt = np.linalg.svd(weight, full_matrices=False)
    return u @ vt


def _left_alone(first, last):
    """Only the layers from `first` to `last` are scaled."""

    def wrong(weights, x, name):
        found = unit_variance(weights, x, name)
        layers = range(len(weights))[first:last]
        return [found[i] if i in layers else weight for i, weight in enumerate(weights)]

    return wrong


def _without_data(size):
    return lambda weights, x, name: [weight / size(weight) for weight in weights]


def _cases(rng):
    def case(aspect, name, examples, widths, scales, make=lambda array: array):
        weights = [scale * w for scale, w in zip(scales, random_weights(rng, widths), strict=True)]
        x = 1.5 * rng.normal(size=(examples, widths[0])) + 0.8
        if name == "relu":  # mostly positive weights: no layer is silent
            weights = [np.abs(w) * np.where(rng.random(w.shape) < 0.75, 1, -1) for w in weights]
            x = np.abs(x)
        return Case(aspect, {"weights": [make(w) for w in weights], "x": make(x), "name": name})

    several, square = "several layers", "layers of one width"
    return [
        case("one layer", "tanh", 6, (4, 5), (0.4,)),
        case("one layer", "relu", 7, (5, 3), (3.0,), make=strided),
        *(case("every activation", name, 6, (4, 6, 3), (0.5, 2.5)) for name in NAMES),
        case(several, "tanh", 7, (6, 5, 4, 3), (0.1, 4.0, 0.3)),
        case(several, "relu", 8, (5, 7, 6, 8), (2.0, 0.2, 5.0), make=strided),
        case(several, "elu", 1, (3, 6, 4, 5), (0.5, 3.0, 0.2)),
        case(square, "tanh", 6, (5, 5, 5, 5), (0.2, 3.0, 0.6)),
        case(square, "leaky_relu", 6, (4, 4, 4), (0.2, 3.0)),
        case("vanishing and exploding layers", "tanh", 8, (6, 8, 7, 6), (1e-4, 1e3, 1e-3)),
        case("vanishing and exploding layers", "elu", 8, (6, 7, 5, 6), (1e3, 1e-4, 50.0)),
    ]


lsuv = Exercise(
    name="lsuv",
    cases=_cases,
    expected=unit_variance,
    builds_on=("activation",),
    fresh=True,
    difficulty=3,
    importance=4,
    minutes=20,
    hints=(
        "One pass from the first layer to the last. In each layer: see how large the pre-activations are, scale the "
        "weights, and only then go on.",
        "z = h Wᵀ is linear in W: dividing W by the std of z, one number, makes the std of z one. "
        "The next layer must see the signal that the scaled W makes.",
        "scaled = weight / np.std(h @ weight.T), append it to a list, then h = activation(name, h @ scaled.T).",
    ),
    misconceptions=(
        Misconception(
            "divided by the variance",
            "It looks as if you divide the weights by the variance of the pre-activations.",
            "Ask yourself: when W is doubled, by how much does the variance of z grow?",
            _scaled(np.var),
        ),
        Misconception(
            "all layers measured before any is scaled",
            "It looks as if you measure every layer in the network that was given. When layer 1 is scaled, "
            "layer 2 sees another signal.",
            "Ask yourself: with which W is the h computed that goes into the next layer?",
            _scaled(passed_on=lambda z: z),
        ),
        Misconception(
            "variance of the activations",
            "It looks as if you measure after φ. The pre-activations are to have variance 1.",
            "Ask yourself: can tanh(z) ever have a variance of 1?",
            _of_activations,
        ),
        Misconception(
            "each unit scaled by itself",
            "It looks as if every row of W gets a factor of its own. One number for the whole layer was asked for.",
            "Ask yourself: over which axes of z does your std run?",
            _scaled(lambda z: z.std(axis=0)),
        ),
        Misconception(
            "mean of the units' stds",
            "It looks as if you average one std for each unit. The spread between the units' means is lost.",
            "Ask yourself: two units give always 1 and always 3. What is the std of all these numbers together?",
            _scaled(lambda z: z.std(axis=0).mean()),
        ),
        Misconception(
            "scaled after the activation",
            "It looks as if the next layer gets φ(z) / s, where s is the std of z. φ sees the signal at its old scale.",
            "Ask yourself: is tanh(z) / s the same as tanh(z / s)?",
            _divided_afterwards,
        ),
        Misconception(
            "mean not subtracted",
            "It looks as if you divide by √E[z²]. The variance is taken around the mean of z.",
            "Ask yourself: what is the variance of z when every entry is 5?",
            _scaled(lambda z: np.sqrt(np.mean(z**2))),
        ),
        Misconception(
            "divided by n − 1",
            "It looks as if your variance divides by the number of values minus one (ddof 1).",
            "Ask yourself: by what does NumPy's std divide when you do not tell it otherwise?",
            _scaled(lambda z: z.std(ddof=1)),
        ),
        Misconception(
            "multiplied by the std",
            "It looks as if you multiply by the std. Signals that are too large get larger still.",
            "Ask yourself: z has std 4. By what must you multiply W so that it gets std 1?",
            _scaled(lambda z: 1 / z.std()),
        ),
        Misconception(
            "activation left out",
            "It looks as if the signal goes from layer to layer without φ.",
            "Ask yourself: what does layer 2 of the network get: z₁ or φ(z₁)?",
            _scaled(act=lambda name, z: z),
        ),
        Misconception(
            "orthogonal start",
            "It looks as if you replace the weights by orthogonal ones first, as the paper does. "
            "Here the given weights are only scaled.",
            "Ask yourself: is each of your matrices a multiple of the one that was given?",
            _scaled(start=_orthogonal),
        ),
        Misconception(
            "scaled without looking at the data",
            "It looks as if your factor depends on the weights alone.",
            "Ask yourself: what would change in your result if x were ten times as large?",
            matches=one_of(
                call_directly,
                _without_data(np.std),
                _without_data(lambda w: np.std(w) * np.sqrt(w.shape[1])),
                _without_data(np.linalg.norm),
            ),
        ),
        Misconception(
            "last layer left out",
            "It looks as if the last layer keeps the weights it had.",
            "Ask yourself: does your loop reach the last layer?",
            _left_alone(0, -1),
        ),
        Misconception(
            "only the first layer scaled",
            "It looks as if the layers after the first keep the weights they had.",
            "Ask yourself: the first layer has variance 1. Does that make the variance of the second one 1?",
            _left_alone(0, 1),
        ),
        Misconception(
            "weights not transposed",
            "It looks as if you multiply h @ W. W is (out, in), so its rows do not meet the columns of h.",
            "Ask yourself: which axis of W belongs to the inputs?",
            or_misfit(_scaled(product=lambda h, weight: h @ weight)),
        ),
    ),
)
