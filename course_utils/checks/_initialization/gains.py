"""empirical_gain."""

from __future__ import annotations

from functools import cache

import numpy as np

from course_utils.checks._initialization.networks import NAMES, phi, slope, torch_activation
from course_utils.checks.describe import one_of, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided

# What torch.nn.init.calculate_gain says; it has no entry for ELU.
TABULATED = {"sigmoid": 1.0, "tanh": 5 / 3, "relu": np.sqrt(2), "leaky_relu": np.sqrt(2 / (1 + 0.01**2)), "elu": 1.0}


def gain(name, samples):
    """By PyTorch."""
    return torch_activation(name)(tensor(samples)).square().mean().rsqrt().item()


def _from_activations(measure):
    return lambda name, samples: measure(phi(name, samples))


@cache
def standard_gain(name):
    """The gain under the standard normal distribution, by a sum over a fine grid."""
    z = np.linspace(-10, 10, 20001)
    density = np.exp(-(z**2) / 2)
    return float(np.sqrt(density.sum() / np.sum(phi(name, z) ** 2 * density)))


def _of_own_samples(case, outputs):
    """Within 3 %: of the order of ten thousand samples are enough for that."""
    return abs(float(outputs) / standard_gain(case.inputs["name"]) - 1) < 0.03


def _cases(rng):
    def case(aspect, name, samples):
        return Case(aspect, {"name": name, "samples": samples})

    return [
        *(case("sigmoid and tanh", name, rng.normal(size=40)) for name in ("sigmoid", "tanh")),
        *(case("ReLU and its relatives", name, rng.normal(size=40)) for name in ("relu", "leaky_relu", "elu")),
        *(case("samples that are not standard normal", name, 0.3 * rng.normal(size=30) + 0.4) for name in NAMES),
        case("samples that are not standard normal", "tanh", rng.uniform(-4, 4, size=25)),
        case("samples that are not standard normal", "relu", 3 * rng.normal(size=25) - 0.5),
        case("any shape", "tanh", rng.normal(size=(5, 4))),
        case("any shape", "elu", strided(rng.normal(size=(2, 3, 4)))),
        case("any shape", "sigmoid", rng.integers(-3, 4, size=(4, 3))),
    ]


empirical_gain = Exercise(
    name="empirical_gain",
    cases=_cases,
    expected=gain,
    builds_on=("activation",),
    difficulty=1,
    importance=4,
    minutes=10,
    hints=(
        "The gain undoes what φ does to the size of a signal. Size here is the mean of the squares, E[φ(z)²].",
        "φ(samples) has the shape of samples. Square it, take the mean over everything: one number. "
        "The gain is 1 over its root.",
        "1 / np.sqrt(np.mean(activation(name, samples) ** 2)).",
    ),
    misconceptions=(
        Misconception(
            "not inverted",
            "It looks as if you return √E[φ(z)²]. The gain is 1 over it.",
            "Ask yourself: tanh makes signals smaller. Must the weights then be larger or smaller?",
            _from_activations(lambda h: np.sqrt(np.mean(h**2))),
        ),
        Misconception(
            "gain squared",
            "It looks as if you return 1/E[φ(z)²], which is the square of the gain.",
            "Ask yourself: the gain multiplies a std. Is 1/E[φ(z)²] a factor for a std or for a variance?",
            _from_activations(lambda h: 1 / np.mean(h**2)),
        ),
        Misconception(
            "variance instead of mean square",
            "It looks as if you subtract the mean of φ(z). What the next layer adds up is φ(z) itself, mean and all.",
            "Ask yourself: with weights of mean 0, what is the variance of w·h: does E[h²] or the variance of h "
            "stand in it?",
            _from_activations(lambda h: 1 / np.std(h)),
        ),
        Misconception(
            "mean magnitude instead of mean square",
            "It looks as if you use the mean of |φ(z)|.",
            "Ask yourself: in which order do the square, the mean and the root come?",
            _from_activations(lambda h: 1 / np.mean(np.abs(h))),
        ),
        Misconception(
            "mean squared instead of mean of squares",
            "It looks as if you take the mean of φ(z) first and square it then.",
            "Ask yourself: what is E[φ(z)] for tanh, and what would the gain be?",
            _from_activations(lambda h: 1 / np.sqrt(np.mean(h) ** 2)),
        ),
        Misconception(
            "sum instead of mean",
            "It looks as if you add up the squares without dividing by their number.",
            "Ask yourself: should the gain change when every sample is listed twice?",
            _from_activations(lambda h: 1 / np.sqrt(np.sum(h**2))),
        ),
        Misconception(
            "gain of the backward pass",
            "It looks as if you use φ′(z). That is the gain which keeps the errors alive on their way back.",
            "Ask yourself: which of φ and φ′ does a signal meet on its way forward?",
            lambda name, samples: 1 / np.sqrt(np.mean(slope(name, samples) ** 2)),
        ),
        Misconception(
            "relative to the samples' own size",
            "It looks as if you divide by the size of z as well: √(E[z²]/E[φ(z)²]).",
            "Ask yourself: does z come up in the formula other than inside φ?",
            matches=one_of(
                call_directly,
                lambda name, samples: np.sqrt(np.mean(np.square(samples)) / np.mean(phi(name, samples) ** 2)),
                lambda name, samples: np.std(samples) / np.sqrt(np.mean(phi(name, samples) ** 2)),
                lambda name, samples: np.std(samples) / np.std(phi(name, samples)),
            ),
        ),
        Misconception(
            "tabulated gain",
            "It looks as if you return the gain from PyTorch's table, whatever the samples are.",
            "Ask yourself: where in your code do the samples come up?",
            lambda name, samples: TABULATED[name],
        ),
        Misconception(
            "samples of your own",
            "It looks as if you draw standard normal numbers yourself, whatever the samples are.",
            "Ask yourself: where in your code do the samples come up?",
            matches=_of_own_samples,
        ),
        Misconception(
            "divided by the number of rows",
            "It looks as if you divide the sum of the squares by the length of the first axis.",
            "Ask yourself: what is len of an array of shape (5, 4), and how many numbers does it hold?",
            _from_activations(lambda h: 1 / np.sqrt(np.sum(h**2) / len(h))),
        ),
        Misconception(
            "one gain for every column",
            "It looks as if your mean runs over the first axis only.",
            "Ask yourself: over which axes does np.mean go when you give it none?",
            _from_activations(lambda h: 1 / np.sqrt(np.mean(h**2, axis=0))),
        ),
    ),
)
