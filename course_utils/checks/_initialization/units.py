"""maxout and prelu_backward: two activations with something to learn or to choose."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import one_of, tensor, through
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises
from course_utils.plain import strided

# --- maxout -----------------------------------------------------------------------------------------------------

INDIVISIBLE = "no equal groups"


def torch_maxout(x, pieces):
    """By PyTorch's max pooling along the features, which never mixes two windows."""
    import torch

    if x.shape[1] % pieces:
        return Raises("ValueError", (str(x.shape[1]), str(pieces)))
    return torch.nn.functional.max_pool1d(tensor(x)[:, None], pieces).numpy()[:, 0]


def maxout_stand_in(x, pieces):
    value = torch_maxout(x, pieces)
    if isinstance(value, Raises):
        raise ValueError(f"{x.shape[1]} features do not divide into groups of {pieces}")
    return value


def _only_divisible(function):
    """A variant with nothing to say where the features make no equal groups."""

    def variant(x, pieces):
        if x.shape[1] % pieces:
            raise ValueError(pieces)
        return function(x, pieces)

    return variant


def _refused_without_numbers(x, pieces):
    if x.shape[1] % pieces == 0:
        raise ValueError("nothing to refuse")
    return Raises("ValueError")


def _leftovers(case, outputs):
    return case.aspect == INDIVISIBLE


def _maxout_cases(rng):
    def case(aspect, examples, features, pieces, make=lambda array: array, shift=0.0):
        return Case(aspect, {"x": make(rng.normal(size=(examples, features)) + shift), "pieces": pieces})

    return [
        case("two pieces", 3, 8, 2),
        case("two pieces", 4, 6, 2, make=strided),
        case("more pieces", 2, 12, 3),
        case("more pieces", 5, 12, 4),
        case("one piece, one group", 3, 5, 1),
        case("one piece, one group", 3, 5, 5),
        case("all below zero", 3, 8, 2, shift=-6.0),
        case("all below zero", 2, 9, 3, shift=-6.0),
        case(INDIVISIBLE, 2, 7, 3),
        case(INDIVISIBLE, 3, 10, 4),
    ]


maxout = Exercise(
    name="maxout",
    cases=_maxout_cases,
    expected=torch_maxout,
    stand_in=lambda: maxout_stand_in,
    outputs=("out",),
    difficulty=2,
    importance=2,
    minutes=10,
    hints=(
        "Give the features a third axis: which group, and which place in the group. Then take the largest along one "
        "of the two.",
        "reshape fills the last axis first, so consecutive features stay together when the place in the group comes "
        "last: (N, D / pieces, pieces).",
        "x.reshape(len(x), -1, pieces).max(axis=2), after a test of x.shape[1] % pieces.",
    ),
    misconceptions=(
        Misconception(
            "features far apart in one group",
            "It looks as if each group takes every so-many-th feature instead of neighbours.",
            "Ask yourself: after your reshape, which features stand along the axis you take the maximum of?",
            _only_divisible(lambda x, pieces: x.reshape(len(x), pieces, -1).max(axis=1)),
        ),
        Misconception(
            "groups and pieces swapped",
            "It looks as if pieces is your number of groups. It is the number of features in each.",
            "Ask yourself: with 12 features and 3 pieces, how many outputs should there be?",
            _only_divisible(lambda x, pieces: x.reshape(len(x), pieces, -1).max(axis=2)),
        ),
        Misconception(
            "one maximum of all features",
            "It looks as if you take the largest of each whole row.",
            "Ask yourself: how many outputs should an example have?",
            _only_divisible(lambda x, pieces: x.max(axis=1, keepdims=True)),
        ),
        Misconception(
            "maximum over the groups",
            "It looks as if you take the maximum over the groups, so that one place of all groups is left.",
            "Ask yourself: in an array of shape (N, groups, pieces), which axis goes through one group?",
            _only_divisible(lambda x, pieces: x.reshape(len(x), -1, pieces).max(axis=1)),
        ),
        Misconception(
            "clipped at zero",
            "It looks as if your maxout never goes below 0, like a ReLU.",
            "Ask yourself: what is the largest of −3 and −2?",
            _only_divisible(lambda x, pieces: np.maximum(torch_maxout(x, pieces), 0.0)),
        ),
        Misconception(
            "largest magnitude",
            "It looks as if you compare absolute values.",
            "Ask yourself: which is larger, −3 or 2?",
            _only_divisible(lambda x, pieces: torch_maxout(np.abs(x), pieces)),
        ),
        Misconception(
            "mean of the group",
            "It looks as if you average over each group.",
            "Ask yourself: through which of its inputs does a maximum pass the gradient, and a mean?",
            _only_divisible(lambda x, pieces: x.reshape(len(x), -1, pieces).mean(axis=2)),
        ),
        Misconception(
            "leftover features ignored",
            "It looks as if features that fill no whole group are dropped, or make a smaller one.",
            "Ask yourself: who would notice that a layer ignores some of its inputs?",
            matches=_leftovers,
        ),
        Misconception(
            "numbers missing in the message",
            "It looks as if the ValueError comes from NumPy's reshape, or yours does not name the two numbers.",
            "Ask yourself: what would you like to read first when this error comes up?",
            _refused_without_numbers,
        ),
    ),
)


# --- prelu_backward ---------------------------------------------------------------------------------------------

PARTS = ("grad_x", "grad_slope")


def call_prelu_backward(student, part, grad_out, x, slope):
    import numpy as np

    gradients = student(grad_out, x, slope)
    if not isinstance(gradients, (tuple, list)) or len(gradients) != 2:
        return gradients
    grad_x, grad_slope = gradients
    if isinstance(grad_x, np.ndarray) and grad_x.shape == x.shape and np.any(x == 0):
        # grad_out is 1 there, so this is the derivative at the kink, and any from slope to 1 is right.
        low, high = min(slope, 1), max(slope, 1)
        grad_x = np.where((x == 0) & (grad_x >= low) & (grad_x <= high), 1, grad_x).astype(grad_x.dtype)
    return (grad_x, grad_slope) if part == "both" else {part: grad_x if part == "grad_x" else grad_slope}


def prelu_gradients(grad_out, x, slope):
    """By PyTorch."""
    import torch

    leaf, weight = tensor(x, True), torch.tensor([float(slope)], dtype=torch.float64, requires_grad=True)
    out = torch.nn.functional.prelu(leaf.reshape(1, 1, -1), weight).reshape(leaf.shape)
    grad_x, grad_slope = torch.autograd.grad(out, (leaf, weight), tensor(grad_out))
    return grad_x.numpy(), float(grad_slope)


def _changed(grad_x=None, grad_slope=None):
    """A PReLU backward that is right but for what is given, as functions of (grad_out, x, slope)."""

    def wrong(grad_out, x, slope):
        right = prelu_gradients(grad_out, x, slope)
        return (
            grad_x(grad_out, x, slope) if grad_x else right[0],
            grad_slope(grad_out, x, slope) if grad_slope else right[1],
        )

    return through(call_prelu_backward, wrong)


def _below(grad_out, x, slope):
    return grad_out * np.minimum(x, 0.0)


def _prelu_cases(rng):
    def case(aspect, part, shape, slope, make=lambda array: array, zeros=False):
        x = rng.uniform(0.2, 2.0, size=shape) * rng.choice([-1.0, 1.0], size=shape)
        grad_out = rng.uniform(0.3, 1.2, size=shape) * rng.choice([-1.0, 2.0], size=shape)
        x.flat[:2], grad_out.flat[:2] = (-1.1, 0.7), (0.8, -0.6)
        if zeros:
            x.flat[2::3], grad_out.flat[2::3] = 0.0, 1.0
        return Case(aspect, {"part": part, "grad_out": make(grad_out), "x": make(x), "slope": slope})

    return [
        case("gradient of x", "grad_x", (3, 4), 0.25),
        case("gradient of x", "grad_x", (7,), 0.1),
        case("gradient of the slope", "grad_slope", (3, 4), 0.25),
        case("gradient of the slope", "grad_slope", (7,), 0.1),
        case("any shape", "both", (2, 3, 4, 5), 0.25),
        case("any shape", "both", (3, 4), 0.3, make=strided),
        case("slopes below 0 and above 1", "both", (4, 3), -0.5),
        case("slopes below 0 and above 1", "both", (4, 3), 1.5),
        case("inputs of exactly 0", "both", (3, 4), 0.25, zeros=True),
        case("inputs of exactly 0", "both", (8,), 0.4, zeros=True),
    ]


prelu_backward = Exercise(
    name="prelu_backward",
    cases=_prelu_cases,
    call=call_prelu_backward,
    expected=through(call_prelu_backward, prelu_gradients),
    stand_in=lambda: prelu_gradients,
    outputs=PARTS,
    for_call=("part",),
    difficulty=2,
    importance=3,
    minutes=10,
    hints=(
        "Two derivatives of one formula. Where x > 0, out = x, and the slope plays no part. Elsewhere out = slope · x: "
        "differentiate it once by x and once by the slope.",
        "grad_x has the shape of x. The slope is one number that every negative input has used, so the contributions "
        "of all of them are added: grad_slope is a single number.",
        "grad_x = grad_out * np.where(x > 0, 1, slope), and grad_slope = np.sum(grad_out * np.where(x > 0, 0, x)).",
    ),
    misconceptions=(
        Misconception(
            "slope gradient not summed",
            "It looks as if the gradient of the slope is an array with one value for each input.",
            "Ask yourself: how many slopes does this layer have, and how often is each one used?",
            _changed(grad_slope=_below),
        ),
        Misconception(
            "slope gradient summed along one axis",
            "It looks as if your sum for the slope runs along one axis, and one number for each place of the others "
            "is left.",
            "Ask yourself: how many slopes does this layer have, and over which axes does np.sum go when you give it "
            "none?",
            matches=one_of(
                call_prelu_backward,
                *(
                    lambda g, x, slope, axis=axis: (
                        prelu_gradients(g, x, slope)[0],
                        np.sum(_below(g, x, slope), axis=axis),
                    )
                    for axis in (0, 1, -1)
                ),
            ),
        ),
        Misconception(
            "slope gradient averaged",
            "It looks as if the gradient of the slope is a mean, or a sum divided by the number of examples.",
            "Ask yourself: when the slope grows a little, do the outputs change one after the other or all at once?",
            matches=one_of(
                call_prelu_backward,
                lambda g, x, slope: (prelu_gradients(g, x, slope)[0], np.mean(_below(g, x, slope))),
                lambda g, x, slope: (prelu_gradients(g, x, slope)[0], np.sum(_below(g, x, slope)) / len(x)),
            ),
        ),
        Misconception(
            "x forgotten in the slope gradient",
            "It looks as if you add up the gradients from above where x is negative, without the factor x.",
            "Ask yourself: what is the derivative of slope · x by the slope?",
            _changed(grad_slope=lambda g, x, slope: np.sum(g[x < 0])),
        ),
        Misconception(
            "slope gradient from all inputs",
            "It looks as if positive inputs contribute to the gradient of the slope too.",
            "Ask yourself: does the output of a positive input change when the slope does?",
            _changed(grad_slope=lambda g, x, slope: np.sum(g * x)),
        ),
        Misconception(
            "slope gradient without the gradient from above",
            "It looks as if you add up the negative inputs alone.",
            "Ask yourself: what does the chain rule multiply the derivative of out by the slope with?",
            _changed(grad_slope=lambda g, x, slope: np.sum(np.minimum(x, 0.0))),
        ),
        Misconception(
            "slope gradient from the output",
            "It looks as if you multiply by slope · x, the output, where x alone belongs.",
            "Ask yourself: what is the derivative of slope · x by the slope?",
            _changed(grad_slope=lambda g, x, slope: slope * np.sum(_below(g, x, slope))),
        ),
        Misconception(
            "gradient of a plain ReLU",
            "It looks as if nothing passes where x is negative.",
            "Ask yourself: how steep is PReLU below zero?",
            _changed(grad_x=lambda g, x, slope: np.where(x > 0, g, 0.0)),
        ),
        Misconception(
            "the gradient decides, not the input",
            "It looks as if the sign of the gradient from above decides which slope applies.",
            "Ask yourself: which number did PReLU look at in the forward pass?",
            _changed(grad_x=lambda g, x, slope: np.where(g > 0, g, slope * g)),
        ),
        Misconception(
            "larger of x and slope · x",
            "It looks as if you take PReLU for max(x, slope · x). That is the same only while the slope is at most 1.",
            "Ask yourself: which of x and 1.5 · x is larger when x is 2, and which when x is −2?",
            _changed(
                grad_x=lambda g, x, slope: g * np.where(x > slope * x, 1.0, slope),
                grad_slope=lambda g, x, slope: np.sum(g * np.where(x > slope * x, 0.0, x)),
            ),
        ),
        Misconception(
            "the output's sign decides",
            "It looks as if the sign of the output decides which slope applies. With a negative slope it is always "
            "positive.",
            "Ask yourself: what is PReLU of −2 when the slope is −0.5?",
            _changed(
                grad_x=lambda g, x, slope: g * np.where((x > 0) | (slope * x > 0), 1.0, slope),
                grad_slope=lambda g, x, slope: np.sum(g * np.where((x > 0) | (slope * x > 0), 0.0, x)),
            ),
        ),
    ),
)
