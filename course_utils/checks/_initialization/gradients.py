"""gradient_statistics: how errors shrink or grow on their way back."""

from __future__ import annotations

import numpy as np

from course_utils.checks._initialization.networks import (
    or_misfit,
    phi,
    random_weights,
    signals,
    slope,
    torch_activation,
    usual_cases,
)
from course_utils.checks.describe import one_of, tensor, through
from course_utils.checks.exercise import Case, Exercise, Misconception


def call_gradient_statistics(student, weights, x, name, grad_out):
    import numpy as np

    result = student(weights, x, name, grad_out)
    return list(result) if isinstance(result, np.ndarray) and result.ndim == 1 else result


def backward(weights, x, name, grad_out):
    """By autograd: the gradient of sum(grad_out * h_L) with respect to every pre-activation."""
    import torch

    pre_activations, h = [], tensor(x)
    for weight in weights:
        z = torch.nn.functional.linear(h, tensor(weight))
        pre_activations.append(z.requires_grad_())
        h = torch_activation(name)(pre_activations[-1])
    errors = torch.autograd.grad(h, pre_activations, tensor(grad_out))
    return [error.std(correction=0).item() for error in errors]


def _backward(
    measure=lambda errors: [np.std(e) for e in errors], local=slope, step=lambda error, weight: error @ weight
):
    """A backward pass by hand in which one idea can be exchanged for a wrong one.

    `measure` gets the errors of all layers, first layer first. `local(name, z)` stands for φ′.
    """

    def wrong(weights, x, name, grad_out):
        z, _ = signals(weights, x, name)
        errors, gradient = [], grad_out
        for weight, pre_activation in zip(weights[::-1], z[::-1], strict=True):
            errors.insert(0, gradient * local(name, pre_activation))
            gradient = step(errors[0], weight)
        return measure(errors)

    return wrong


def _std(**options):
    return _backward(lambda errors: [np.std(e, **options) for e in errors])


def _last_slope_left_out(weights, x, name, grad_out):
    z, _ = signals(weights, x, name)
    errors = [grad_out]
    for weight, pre_activation in zip(weights[:0:-1], z[-2::-1], strict=True):
        errors.insert(0, errors[0] @ weight * slope(name, pre_activation))
    return [e.std() for e in errors]


def _at_activations(weights, x, name, grad_out):
    """∂loss/∂hₗ instead of ∂loss/∂zₗ."""
    return _downstream(weights, x, name, grad_out)[1:] + [np.std(grad_out)]


def _downstream(weights, x, name, grad_out):
    """∂loss/∂hₗ₋₁: the errors after the layer's own weights."""
    return _backward(lambda errors: [np.std(e @ w) for e, w in zip(errors, weights, strict=True)])(
        weights, x, name, grad_out
    )


def _of_weight_gradients(scale=lambda n: 1):
    def wrong(weights, x, name, grad_out):
        inputs = [x, *signals(weights, x, name)[1]]
        return _backward(
            lambda errors: [np.std(e.T @ h) / scale(len(x)) for e, h in zip(errors, inputs, strict=False)]
        )(weights, x, name, grad_out)

    return wrong


def _backward_cases(rng):
    def case(aspect, name, examples, widths, scale=None, make=lambda array: array):
        weights, x = random_weights(rng, widths, scale), rng.normal(size=(examples, widths[0])) + 0.5
        if name == "relu":  # positive inputs and mostly positive weights: no layer is silent
            weights, x = [w + 0.5 / np.sqrt(w.shape[1]) for w in weights], np.abs(x) + 0.1
        grad_out = rng.normal(size=(examples, widths[-1])) + 0.4
        inputs = {"weights": [make(w) for w in weights], "x": make(x), "name": name, "grad_out": make(grad_out)}
        return Case(aspect, inputs)

    return [
        *usual_cases(case),
        case("vanishing and exploding errors", "tanh", 8, (20,) * 5, 0.03),
        case("vanishing and exploding errors", "leaky_relu", 8, (10,) * 6, 5.0),
    ]


gradient_statistics = Exercise(
    name="gradient_statistics",
    cases=_backward_cases,
    call=call_gradient_statistics,
    expected=backward,
    builds_on=("activation", "activation_gradient"),
    difficulty=3,
    importance=5,
    minutes=20,
    hints=(
        "First forward, keeping every layer's pre-activations. Then backward from the last layer to the first, "
        "with the chain rule.",
        "Two steps repeat. Through φ: δₗ = gₗ ⊙ φ′(zₗ), of shape (N, outₗ). Through W: gₗ₋₁ = δₗ Wₗ, of shape "
        "(N, inₗ), with no transpose now. They start from g_L = grad_out.",
        "error = gradient * activation_gradient(name, z); append error.std(); gradient = error @ weight. "
        "The loop runs over the reversed lists, so reverse what you collected.",
    ),
    misconceptions=(
        Misconception(
            "last layer first",
            "It looks as if your list runs from the last layer to the first, in the order of the backward pass.",
            "Ask yourself: which layer does result[0] describe?",
            through(call_gradient_statistics, _backward(lambda errors: [np.std(e) for e in errors[::-1]])),
        ),
        Misconception(
            "slope of φ left out",
            "It looks as if the gradient passes through the activations as if they were not there.",
            "Ask yourself: how much does φ(z) change when z changes a little?",
            through(call_gradient_statistics, _backward(local=lambda name, z: np.ones_like(z))),
        ),
        Misconception(
            "slope left out in the last layer",
            "It looks as if the last layer's error is grad_out itself. grad_out belongs to the activations, after φ.",
            "Ask yourself: how do you get from ∂loss/∂h to ∂loss/∂z in the last layer?",
            through(call_gradient_statistics, _last_slope_left_out),
        ),
        Misconception(
            "slope at the activated value",
            "It looks as if you take φ′ at the activations. φ′ belongs at the pre-activations.",
            "Ask yourself: is the argument of your φ′ what went into φ, or what came out?",
            through(call_gradient_statistics, _backward(local=lambda name, z: slope(name, phi(name, z)))),
        ),
        Misconception(
            "φ instead of its slope",
            "It looks as if you multiply the gradient by φ(z). The chain rule asks for φ′(z).",
            "Ask yourself: what is the derivative of φ(z) with respect to z?",
            through(call_gradient_statistics, _backward(local=phi)),
        ),
        Misconception(
            "weights transposed on the way back",
            "It looks as if you multiply the error by Wᵀ. That is the way forward; backward it is W itself.",
            "Ask yourself: the error is (N, out) and W is (out, in). Which product is (N, in)?",
            or_misfit(through(call_gradient_statistics, _backward(step=lambda error, weight: error @ weight.T))),
        ),
        Misconception(
            "gradients of the activations",
            "It looks as if you measure ∂loss/∂h, before the slope of φ. The error is ∂loss/∂z.",
            "Ask yourself: do you take the std before or after the multiplication by φ′?",
            through(call_gradient_statistics, _at_activations),
        ),
        Misconception(
            "one layer too far",
            "It looks as if you measure the gradient after it has gone through the layer's weights.",
            "Ask yourself: has the number for layer l met W of layer l already?",
            through(call_gradient_statistics, _downstream),
        ),
        Misconception(
            "std of the weight gradients",
            "It looks as if you measure the weights' gradients. The errors at the pre-activations were asked for.",
            "Ask yourself: does the array that you measure have the shape of zₗ, (N, outₗ)?",
            matches=one_of(call_gradient_statistics, _of_weight_gradients(), _of_weight_gradients(lambda n: n)),
        ),
        Misconception(
            "upstream gradient forgotten",
            "It looks as if the backward pass starts from ones instead of from grad_out.",
            "Ask yourself: where does grad_out come up in your code?",
            lambda weights, x, name, grad_out: backward(weights, x, name, np.ones(grad_out.shape)),
        ),
        Misconception(
            "divided by the number of examples",
            "It looks as if you divide the gradient by N. Whatever factor the loss has is in grad_out already.",
            "Ask yourself: does ∂loss/∂z, as the text defines it, contain another 1/N?",
            lambda weights, x, name, grad_out: backward(weights, x, name, np.asarray(grad_out) / len(x)),
        ),
        Misconception(
            "variance instead of std",
            "It looks as if you return variances.",
            "Ask yourself: which of the two has the unit of the error itself?",
            through(call_gradient_statistics, _backward(lambda errors: [np.var(e) for e in errors])),
        ),
        Misconception(
            "mean not subtracted",
            "It looks as if your std is the root of the mean square, √E[δ²]. The std is taken around the mean.",
            "Ask yourself: what is the std of errors that are all 5?",
            through(call_gradient_statistics, _backward(lambda errors: [np.sqrt(np.mean(e**2)) for e in errors])),
        ),
        Misconception(
            "divided by n − 1",
            "It looks as if your std divides by the number of values minus one (ddof 1).",
            "Ask yourself: by what does NumPy's std divide when you do not tell it otherwise?",
            through(call_gradient_statistics, _std(ddof=1)),
        ),
        Misconception(
            "std over one axis only",
            "It looks as if you take the std of every unit (or of every example). "
            "One std over all units and examples together was asked for.",
            "Ask yourself: what does axis=0 do to an array of shape (N, out), and what does no axis do?",
            matches=one_of(
                call_gradient_statistics,
                *(_std(axis=axis) for axis in (0, 1)),
                *(_backward(lambda errors, a=axis: [np.std(e, axis=a).mean() for e in errors]) for axis in (0, 1)),
            ),
        ),
    ),
)
