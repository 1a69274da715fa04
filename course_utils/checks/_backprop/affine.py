"""affine_forward and affine_backward."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from course_utils.checks.describe import one_of, tensor, through
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises
from course_utils.plain import strided

GRADIENTS = ("grad_x", "grad_weight", "grad_bias")
WHOLE = "whole numbers"


# --- affine_forward ---------------------------------------------------------------------------------------------


def affine(x, weight, bias):
    """x Wᵀ + b, by PyTorch."""
    import torch

    return torch.nn.functional.linear(tensor(x), tensor(weight), tensor(bias)).numpy()


def _not_transposed(x, weight, bias):
    """x @ weight exists only where in = out."""
    return x @ weight + bias if x.shape[1] == len(weight) == len(bias) == weight.shape[1] else Raises("ValueError")


def _weight_first(transposed):
    """weight @ x or weight @ x.T, plus the bias; most shapes do not fit."""

    def wrong(x, weight, bias):
        try:
            return weight @ (x.T if transposed else x) + bias
        except ValueError:
            return Raises("ValueError")

    return wrong


def _forward_cases(rng):
    def case(aspect, examples, inputs, outputs, bias=True, make=lambda array: array):
        x, weight = rng.normal(size=(examples, inputs)), rng.normal(size=(outputs, inputs))
        offsets = rng.normal(size=outputs) + 0.5 if bias else np.zeros(outputs)
        return Case(aspect, {"x": make(x), "weight": make(weight), "bias": make(offsets)})

    def whole(array):
        return np.round(3 * array).astype(np.int64) + 1

    return [
        case("weights", 4, 3, 5, bias=False),
        case("weights", 3, 4, 2, bias=False, make=strided),
        case("weights", 3, 3, 3, bias=False),
        case("bias", 5, 2, 3),
        case("bias", 3, 5, 3),
        case("one example, one output", 1, 4, 3),
        case("one example, one output", 6, 3, 1),
        case(WHOLE, 3, 4, 2, make=whole),
    ]


affine_forward = Exercise(
    name="affine_forward",
    cases=_forward_cases,
    expected=affine,
    outputs=("out",),
    difficulty=1,
    importance=5,
    minutes=5,
    hints=(
        "Every output is a weighted sum of all inputs of one example, plus the bias of that output. "
        "One matrix product does it.",
        "x is (N, in), weight is (out, in), the result is (N, out). "
        "Which of the two must be transposed so that the two `in` meet in the middle?",
        "x @ weight.T is (N, out). Adding bias, of shape (out,), adds it to every row.",
    ),
    misconceptions=(
        Misconception(
            "weight not transposed",
            "It looks as if you multiply x by weight as it is. weight is (out, in), so the two `in` do not meet.",
            "Ask yourself: in x @ w, which axis of x meets which axis of w?",
            _not_transposed,
        ),
        Misconception(
            "weight in front of x",
            "It looks as if you multiply weight @ x. That is the order for one column of numbers; "
            "here every example is a row of x.",
            "Ask yourself: which of the two must stand in front, so that the result has one row per example?",
            _weight_first(transposed=False),
        ),
        Misconception(
            "one column for each example",
            "It looks as if you multiply weight @ x.T. That has one column for each example; rows were asked for.",
            "Ask yourself: which shapes have weight @ x.T and x @ weight.T?",
            _weight_first(transposed=True),
        ),
        Misconception(
            "weight reshaped instead of transposed",
            "It looks as if you reshaped the weight to (in, out). That gives the right shape and shuffles the numbers.",
            "Ask yourself: which element stands at [0, 1] after weight.T, and which after weight.reshape(in, out)?",
            lambda x, weight, bias: x @ weight.reshape(weight.shape[::-1]) + bias,
        ),
        Misconception(
            "bias forgotten",
            "It looks as if the bias is not added.",
            "Ask yourself: what should come out when every x is 0?",
            lambda x, weight, bias: affine(x, weight, 0 * bias),
        ),
        Misconception(
            "bias subtracted",
            "It looks as if you subtract the bias, like a threshold.",
            "Ask yourself: with which sign does b stand in w·x + b?",
            lambda x, weight, bias: affine(x, weight, -bias),
        ),
        Misconception(
            "bias added once per input",
            "It looks as if the bias is added for every input, inside the sum, instead of once for every output.",
            "Ask yourself: is the addition of the bias inside the loop (or sum) over the inputs?",
            lambda x, weight, bias: affine(x, weight, x.shape[1] * bias),
        ),
    ),
)


# --- affine_backward --------------------------------------------------------------------------------------------


def affine_gradients(grad_out, x, weight):
    """The gradients of sum(grad_out * out), by PyTorch."""
    import torch

    leaves = tensor(x, True), tensor(weight, True), tensor(np.zeros(len(weight)), True)
    out = torch.nn.functional.linear(*leaves)
    return tuple(gradient.numpy() for gradient in torch.autograd.grad(out, leaves, tensor(grad_out)))


def call_affine_backward(student, part, grad_out, x, weight):
    gradients = student(grad_out, x, weight)
    if part == "all three" or not isinstance(gradients, (tuple, list)) or len(gradients) != 3:
        return gradients
    return {part: gradients[("grad_x", "grad_weight", "grad_bias").index(part)]}


def changed_gradients(**changes):
    """An affine backward that is right but for some gradients, given as functions of (grad_out, x, weight)."""

    def wrong(grad_out, x, weight):
        gradients = dict(zip(GRADIENTS, affine_gradients(grad_out, x, weight), strict=True))
        gradients.update((name, change(grad_out, x, weight)) for name, change in changes.items())
        return tuple(gradients.values())

    return through(call_affine_backward, wrong)


def _in_out_convention(part, grad_out, x, weight):
    """The gradients of x @ weight: grad_out @ weight.T exists only where in = out."""
    if weight.shape[0] != weight.shape[1]:
        return Raises("ValueError")
    wrong = changed_gradients(grad_x=lambda g, x, w: g @ w.T, grad_weight=lambda g, x, w: x.T @ g)
    return wrong(part=part, grad_out=grad_out, x=x, weight=weight)


def _permuted(order):
    return lambda grad_out, x, weight: tuple(affine_gradients(grad_out, x, weight)[i] for i in order)


def _averaged(*which):
    """The gradients at these places are divided by N."""

    def wrong(grad_out, x, weight):
        gradients = affine_gradients(grad_out, x, weight)
        return tuple(g / len(x) if i in which else g for i, g in enumerate(gradients))

    return wrong


def _lost_decimals(case, outputs):
    """A gradient that should have decimals is an array of integers, like the input whose type it took over."""
    part = case.inputs["part"]
    if case.aspect != WHOLE or not isinstance(outputs, dict):
        return False
    return isinstance(outputs.get(part), np.ndarray) and outputs[part].dtype.kind in "iu"


def _cannot_add(part, grad_out, x, weight):
    """NumPy refuses to add an array of floats into one of integers."""
    if weight.dtype.kind == "i":
        return Raises("UFuncTypeError")
    return call_affine_backward(affine_gradients, part, grad_out, x, weight)


def affine_inputs(rng, part, examples, inputs, outputs, make=lambda array: array):
    grad_out = rng.normal(size=(examples, outputs)) + 0.3
    x, weight = rng.normal(size=(examples, inputs)) + 0.3, rng.normal(size=(outputs, inputs))
    return {"part": part, "grad_out": make(grad_out), "x": make(x), "weight": make(weight)}


def _backward_cases(rng):
    def whole(inputs):
        return {**inputs, "x": np.round(3 * inputs["x"]).astype(np.int64), "weight": np.arange(1, 7).reshape(3, 2)}

    cases = []
    for part in GRADIENTS:
        cases += [
            Case(part, affine_inputs(rng, part, 4, 3, 5)),
            Case(part, affine_inputs(rng, part, 5, 4, 2, make=strided)),
            Case(part, affine_inputs(rng, part, 3, 3, 3)),
        ]
    return [
        *cases,
        Case("all three together", affine_inputs(rng, "all three", 1, 3, 2)),
        Case("all three together", affine_inputs(rng, "all three", 4, 2, 3)),
        Case("all three together", affine_inputs(rng, "all three", 3, 5, 4, make=strided)),
        *(Case(WHOLE, whole(affine_inputs(rng, part, 4, 2, 3))) for part in GRADIENTS),
    ]


affine_backward = Exercise(
    name="affine_backward",
    cases=_backward_cases,
    call=call_affine_backward,
    expected=through(call_affine_backward, affine_gradients),
    stand_in=lambda: affine_gradients,
    outputs=GRADIENTS,
    for_call=("part",),
    difficulty=3,
    importance=5,
    minutes=20,
    hints=(
        "Each gradient has the shape of the thing it belongs to: x (N, in), weight (out, in), bias (out,). "
        "Each is a sum of products of grad_out with what stood beside that thing in the forward pass.",
        "Take one number at a time. weight[o, i] was multiplied by x[n, i] and went to out[n, o], for every example n. "
        "So its gradient is the sum over n of grad_out[n, o] · x[n, i]. Find the same sum for x[n, i] and for bias[o].",
        "The three sums are grad_out @ weight, grad_out.T @ x and grad_out.sum(axis=0). "
        "No division by N: the mean belongs to the loss, and grad_out already contains it.",
    ),
    misconceptions=(
        Misconception(
            "weight read as (in, out)",
            "It looks as if you differentiate x @ weight. "
            "Here weight is (out, in), and the forward pass is x @ weight.T.",
            "Ask yourself: which of grad_out @ weight and grad_out @ weight.T has the shape of x?",
            _in_out_convention,
        ),
        Misconception(
            "weight gradient transposed",
            "It looks as if your grad_weight is (in, out), while weight is (out, in).",
            "Ask yourself: could you subtract this gradient from weight?",
            changed_gradients(grad_weight=lambda g, x, w: x.T @ g),
        ),
        Misconception(
            "bias gradient summed to one number",
            "It looks as if grad_bias adds up all of grad_out. Each output has a bias of its own.",
            "Ask yourself: which elements of out does bias[0] touch?",
            changed_gradients(grad_bias=lambda g, x, w: g.sum()),
        ),
        Misconception(
            "bias gradient left broadcast",
            "It looks as if grad_bias is grad_out itself, one row per example. "
            "The same bias was used by every example.",
            "Ask yourself: the bias was broadcast to N rows; how do N gradients become one?",
            changed_gradients(grad_bias=lambda g, x, w: g),
        ),
        Misconception(
            "bias gradient summed along the wrong axis",
            "It looks as if grad_bias has one entry per example instead of one per output.",
            "Ask yourself: which axis of grad_out counts the examples?",
            changed_gradients(grad_bias=lambda g, x, w: g.sum(axis=1)),
        ),
        Misconception(
            "bias gradient keeps its batch axis",
            "It looks as if grad_bias is (1, out), while bias is (out,).",
            "Ask yourself: what does keepdims=True leave behind?",
            changed_gradients(grad_bias=lambda g, x, w: g.sum(axis=0, keepdims=True)),
        ),
        Misconception(
            "averaged over the batch",
            "It looks as if you divide by the number of examples N. "
            "If the loss is a mean, grad_out has that 1/N already.",
            "Ask yourself: does out[n, o] itself contain a division by N?",
            matches=one_of(call_affine_backward, _averaged(1, 2), _averaged(0, 1, 2)),
        ),
        Misconception(
            "only the bias gradient averaged",
            "It looks as if grad_bias is the mean over the batch instead of the sum.",
            "Ask yourself: if two examples both push a bias by 1, how large is the total push?",
            changed_gradients(grad_bias=lambda g, x, w: g.mean(axis=0)),
        ),
        Misconception(
            "right values, other order",
            "It looks as if the three gradients are right and come in another order.",
            "Ask yourself: in which order does the task name the results?",
            matches=one_of(call_affine_backward, *map(_permuted, list(permutations(range(3)))[1:])),
        ),
        Misconception(
            "rounded to whole numbers",
            "It looks as if your gradients lost their decimals: the array they go into holds integers.",
            "Ask yourself: what is the dtype of np.zeros_like(x) when x holds integers?",
            matches=_lost_decimals,
        ),
        Misconception(
            "floats added into integers",
            "It looks as if you add numbers with decimals into an array that holds integers.",
            "Ask yourself: what is the dtype of np.zeros_like(weight) when weight holds integers?",
            _cannot_add,
        ),
    ),
)
