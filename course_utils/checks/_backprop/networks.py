"""mlp_gradients: loss and gradients of a network with one hidden layer.

Every case calls the function twice, the second time with other data, and wants both answers right: gradients that
pile up from call to call are then visible whatever was called before. All cases share one set of shapes, so that such
a pile stays a number to look at instead of an error about shapes.
"""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import agrees, one_of, tensor, through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided, to_plain

INPUTS, HIDDEN, CLASSES = 4, 5, 3
KEYS = ("weight1", "bias1", "weight2", "bias2")
# How the results are called in messages: "the second call's gradients['bias1'][0] is …".
FIRST, SECOND, AFTER = "gradients", "the second call's gradients", "after the second call, the first gradients"
ALL = (FIRST, SECOND, AFTER)
RTOL = 1e-6


def mlp(parameters, x, labels):
    """Loss and gradients by PyTorch."""
    import torch

    leaves = {name: tensor(value, True) for name, value in parameters.items()}
    hidden = torch.tanh(torch.nn.functional.linear(tensor(x), leaves["weight1"], leaves["bias1"]))
    logits = torch.nn.functional.linear(hidden, leaves["weight2"], leaves["bias2"])
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(np.asarray(labels, dtype=np.int64)))
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    return loss.item(), {name: gradient.numpy() for name, gradient in zip(leaves, gradients, strict=True)}


def call_mlp_gradients(student, part, parameters, x, labels):
    import copy

    # The second call gets copies: what the first one changes in place is reported as just that.
    later = copy.deepcopy(parameters), 0.5 * x[::-1] - 0.25, labels.copy()
    result = student(parameters, x, labels)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        return result
    loss, gradients = result
    if part == "loss":
        return {"loss": loss}
    first = copy.deepcopy(gradients)  # before the second call, which may write into the same arrays
    second = student(*later)
    second = second[1] if isinstance(second, (tuple, list)) and len(second) == 2 else second
    found = {"gradients": first, "the second call's gradients": second}
    if part == "everything":
        return {"loss": loss, **found, "after the second call, the first gradients": gradients}
    for name, value in found.items():
        if isinstance(value, dict):
            found[name] = {key: value[key] for key in part.split(" and ") if key in value}
    return found


_truth = through(call_mlp_gradients, mlp)


def _backward(
    scale=lambda n: n,
    slope=lambda z, a: 1 - a**2,
    delta=lambda p, y: p - y,
    bias_scale=lambda n: 1,
    bias=lambda d: d.sum(axis=0),
    transposed=False,
):
    """A backward pass by hand in which one idea can be exchanged for a wrong one; the loss is right."""

    def wrong(parameters, x, labels):
        w1, b1, w2, b2 = (parameters[key] for key in KEYS)
        z = x @ w1.T + b1
        a = np.tanh(z)
        logits = tensor(a @ w2.T + b2)
        n = len(x)
        d2 = delta(logits.softmax(1).numpy(), np.eye(len(w2))[labels]) / scale(n)
        d1 = d2 @ w2 * slope(z, a)
        g1, g2 = d1.T @ x / bias_scale(n), d2.T @ a / bias_scale(n)
        gradients = {"weight1": g1, "bias1": bias(d1), "weight2": g2, "bias2": bias(d2)}
        if transposed:
            gradients.update(weight1=g1.T, weight2=g2.T)
        return mlp(parameters, x, labels)[0], gradients

    return wrong


def _matches(*functions):
    return one_of(call_mlp_gradients, *functions, rtol=RTOL)


def _flat(outputs):
    """The arrays by call and name, or None where the results have another form."""
    if not isinstance(outputs, dict) or not all(
        isinstance(value, dict) for key, value in outputs.items() if key in ALL
    ):
        return None
    return {(call, name): value for call in ALL if call in outputs for name, value in outputs[call].items()}


def _piled_up(case, outputs):
    """The second answer is the first plus what the second call should have given."""
    expected, found = _flat(_truth(**to_plain(case.inputs))), _flat(outputs)
    if not expected or not found:
        return False
    for (call, name), value in expected.items():
        if call == SECOND:
            pair = found.get((FIRST, name)), found.get((SECOND, name))
            if not all(isinstance(a, np.ndarray) and a.shape == value.shape for a in pair):
                return False
            if not agrees(value, pair[1] - pair[0], 1e-5, 1e-6):
                return False
    return True


def _one_number(case, outputs):
    """Bias gradients added up over the units too. At the output they add up to 0, of which only rounding remains."""
    wrong = _flat(call_mlp_gradients(_backward(bias=lambda d: d.sum()), **to_plain(case.inputs)))
    found = _flat(outputs)
    if not wrong or not found or found.keys() != wrong.keys():
        return False
    zeros = [key for key in wrong if key[1] == "bias2"]
    if any(np.shape(found[key]) != () or not abs(found[key]) < 1e-6 for key in zeros):
        return False
    return all(agrees(wrong[key], found[key], RTOL) for key in wrong if key not in zeros)


def _one_buffer(case, outputs):
    """Both calls answer rightly, and the second overwrites the answer of the first."""
    expected = _truth(**to_plain(case.inputs))
    if AFTER in expected:
        expected[AFTER] = expected[SECOND]
    return agrees(expected, outputs, RTOL)


def _cases(rng):
    def case(aspect, part, examples, make=lambda array: array, labels=None):
        parameters = {
            "weight1": rng.normal(size=(HIDDEN, INPUTS)) * 0.7,
            "bias1": rng.normal(size=HIDDEN),
            "weight2": rng.normal(size=(CLASSES, HIDDEN)),
            "bias2": rng.normal(size=CLASSES),
        }
        x = rng.normal(size=(examples, INPUTS))
        labels = rng.integers(0, CLASSES, size=examples) if labels is None else np.array(labels)
        return Case(aspect, {"part": part, "parameters": parameters, "x": make(x), "labels": labels})

    return [
        case("loss", "loss", 6),
        case("loss", "loss", 3, strided),
        case("output layer", "weight2 and bias2", 6),
        case("output layer", "weight2 and bias2", 3, strided, labels=[2, 2, 2]),
        case("hidden layer", "weight1 and bias1", 6),
        case("hidden layer", "weight1 and bias1", 4, strided),
        case("a batch of one", "weight1 and bias1 and weight2 and bias2", 1),
        case("a batch of one", "weight1 and bias1 and weight2 and bias2", 1),
        case("everything, fresh at every call", "everything", 5),
        case("everything, fresh at every call", "everything", 2),
    ]


mlp_gradients = Exercise(
    name="mlp_gradients",
    cases=_cases,
    call=call_mlp_gradients,
    expected=_truth,
    stand_in=lambda: mlp,
    builds_on=("affine_forward", "affine_backward", "tanh_backward", "softmax_cross_entropy", "unbroadcast"),
    outputs=("loss", "gradients"),
    for_call=("part",),
    rtol=RTOL,
    difficulty=4,
    importance=5,
    minutes=30,
    hints=(
        "Forward: affine, tanh, affine, softmax with cross-entropy. Backward: the same four in reverse. "
        "Keep what the backward pass will need.",
        "Start from the gradient of the mean loss with respect to the logits, (p − one-hot) / N. "
        "The 1/N is in it now and comes up nowhere else. "
        "Then an affine backward, the slope of tanh, and an affine backward again.",
        "d2 = (p − one_hot) / N; the output layer gets d2.T @ hidden and d2.sum(axis=0). "
        "d1 = (d2 @ weight2) * (1 − hidden**2); the hidden layer gets d1.T @ x and d1.sum(axis=0).",
    ),
    misconceptions=(
        Misconception(
            "gradients summed, not averaged",
            "It looks as if the loss is a mean and the gradients are those of the sum: they are N times too large.",
            "Ask yourself: the loss contains 1/N; where is it in your gradients?",
            matches=_matches(_backward(scale=lambda n: 1)),
        ),
        Misconception(
            "divided by N twice",
            "It looks as if 1/N is in your gradients two times.",
            "Ask yourself: after d = (p − y) / N, is there another division or mean further down?",
            matches=_matches(
                _backward(scale=lambda n: n * n),
                _backward(bias_scale=lambda n: n),
                _backward(bias=lambda d: d.mean(axis=0)),
            ),
        ),
        Misconception(
            "slope of tanh at the wrong value",
            "It looks as if the slope of tanh is computed from the wrong number. "
            "It is 1 − a², with a the activated value, and no second tanh.",
            "Ask yourself: in 1 − tanh(z)², which of your variables is tanh(z) already?",
            matches=_matches(_backward(slope=lambda z, a: 1 - z**2), _backward(slope=lambda z, a: 1 - np.tanh(a) ** 2)),
        ),
        Misconception(
            "slope of tanh left out",
            "It looks as if the gradient passes through the hidden layer without the slope of tanh.",
            "Ask yourself: how much does a saturated hidden unit change when its input changes?",
            matches=_matches(_backward(slope=lambda z, a: 1.0)),
        ),
        Misconception(
            "bias gradient left broadcast",
            "It looks as if your bias gradients still have one row per example.",
            "Ask yourself: what shape has the bias, and how do N gradients become one?",
            matches=_matches(_backward(bias=lambda d: d)),
        ),
        Misconception(
            "bias gradient summed to one number",
            "It looks as if your bias gradients add up everything. Each unit has a bias of its own.",
            "Ask yourself: over which axis should the sum run?",
            matches=_one_number,
        ),
        Misconception(
            "weight gradients transposed",
            "It looks as if your weight gradients are (in, out), while the weights are (out, in).",
            "Ask yourself: could you subtract this gradient from the weight?",
            matches=_matches(_backward(transposed=True)),
        ),
        Misconception(
            "softmax gradient times p(1 − p)",
            "It looks as if you multiply p − y by p(1 − p). The derivative of softmax is already inside p − y.",
            "Ask yourself: what is the derivative of −z[label] + log Σ exp(z)?",
            matches=_matches(_backward(delta=lambda p, y: (p - y) * p * (1 - p))),
        ),
        Misconception(
            "one-hot label forgotten",
            "It looks as if the backward pass starts from the probabilities alone, without the labels.",
            "Ask yourself: what tells your gradients which class was right?",
            matches=_matches(_backward(delta=lambda p, y: p)),
        ),
        Misconception(
            "gradients pile up over calls",
            "It looks as if the second call adds its gradients to those of the first.",
            "Ask yourself: what in your code survives from one call to the next?",
            matches=_piled_up,
        ),
        Misconception(
            "one set of arrays for all calls",
            "It looks as if every call writes into the same arrays: after the second call the first answer has "
            "changed.",
            "Ask yourself: what happens to gradients that somebody kept when you call the function again?",
            matches=_one_buffer,
        ),
    ),
)
