"""squared_error_backward: the error signal of ½ Σ (y − g(h))²."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import one_of, tensor, through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def call_squared_error_backward(student, activation, pre_activation, prediction, target):
    import numpy as np

    def grad_activation(h):
        if activation == "identity":
            return np.ones_like(h)
        if activation == "tanh":
            return 1 - np.tanh(h) ** 2
        if activation == "square":
            return 2 * h
        sigmoid = 1 / (1 + np.exp(-h))
        return sigmoid if activation == "softplus" else sigmoid * (1 - sigmoid)

    return student(grad_activation, pre_activation, prediction, target)


def _activate(activation, h):
    import torch

    functions = {
        "identity": lambda z: z * 1.0,
        "tanh": torch.tanh,
        "square": torch.square,
        "softplus": torch.nn.functional.softplus,
        "sigmoid": torch.sigmoid,
    }
    return functions[activation](h)


def _autograd(activation, pre_activation, prediction, target):
    """The gradient of ½ Σ (y − g(h))² with respect to h, by PyTorch."""
    import torch

    h = tensor(pre_activation, True)
    loss = 0.5 * ((tensor(target) - _activate(activation, h)) ** 2).sum()
    return torch.autograd.grad(loss, h)[0].numpy()


def _error_times_slope(grad_activation, pre_activation, prediction, target):
    return grad_activation(pre_activation) * (prediction - target)


def _error_cases(rng):
    def case(aspect, activation, h, target=None, make=lambda array: array):
        prediction = _activate(activation, tensor(h)).numpy()
        target = rng.normal(size=h.shape) if target is None else target
        inputs = {"activation": activation, "pre_activation": h, "prediction": prediction, "target": target}
        return Case(aspect, {k: make(v) if isinstance(v, np.ndarray) else v for k, v in inputs.items()})

    def normal(*shape):
        return rng.normal(size=shape) + 0.3

    far = np.array([[9.0, -8.0, 0.5], [-7.0, 0.0, 6.0]])
    return [
        case("error", "identity", normal(4, 3)),
        case("error", "identity", normal(5), rng.integers(-2, 3, size=5) + 4.0),
        case("slope of the activation", "sigmoid", normal(3, 2)),
        case("slope of the activation", "tanh", normal(4, 1)),
        case("slope of the activation", "square", normal(3, 3)),
        case("any shape", "softplus", normal(6)),
        case("any shape", "tanh", normal(2, 3, 2), make=strided),
        case("saturated units", "tanh", far, rng.integers(0, 2, size=far.shape) * 1.0),
        case("saturated units", "sigmoid", far, rng.integers(0, 2, size=far.shape) * 1.0),
    ]


squared_error_backward = Exercise(
    name="squared_error_backward",
    cases=_error_cases,
    call=call_squared_error_backward,
    expected=_autograd,
    stand_in=lambda: _error_times_slope,
    difficulty=2,
    importance=3,
    minutes=10,
    hints=(
        "The chain rule has two links here: how the loss depends on the prediction p, and how p = g(h) depends on h.",
        "The derivative of ½(y − p)² with respect to p is p − y. "
        "The second link is g′, taken at the number that went into g.",
        "grad_activation(pre_activation) * (prediction − target), element by element.",
    ),
    misconceptions=(
        Misconception(
            "error reversed",
            "It looks as if you use y − p. The inner derivative of y − p brings a minus sign.",
            "Ask yourself: if the prediction is too large, must the gradient be positive or negative?",
            through(call_squared_error_backward, lambda g, h, p, y: g(h) * (y - p)),
        ),
        Misconception(
            "slope taken at the activated value",
            "It looks as if you evaluate g′ at the prediction. It belongs at h, the number that went into g.",
            "Ask yourself: p = g(h); where on the curve of g does the slope dp/dh have to be read?",
            through(call_squared_error_backward, lambda g, h, p, y: g(p) * (p - y)),
        ),
        Misconception(
            "slope left out",
            "It looks as if you return the error alone, without the slope of the activation.",
            "Ask yourself: a saturated unit hardly moves when h moves; where does your formula say so?",
            through(call_squared_error_backward, lambda g, h, p, y: (p - y) * 1.0),
        ),
        Misconception(
            "factor two",
            "It looks as if your gradient is twice too large.",
            "Ask yourself: what is the ½ in the loss for?",
            through(call_squared_error_backward, lambda g, h, p, y: 2 * g(h) * (p - y)),
        ),
        Misconception(
            "the loss instead of its gradient",
            "It looks as if you return the loss itself. Its derivative was asked for.",
            "Ask yourself: must the result be negative anywhere, and can ½(y − p)² be?",
            matches=one_of(
                call_squared_error_backward,
                lambda g, h, p, y: 0.5 * (y - p) ** 2,
                lambda g, h, p, y: (y - p) ** 2,
                lambda g, h, p, y: 0.5 * np.sum((y - p) ** 2),
                lambda g, h, p, y: np.sum((y - p) ** 2),
                lambda g, h, p, y: np.mean((y - p) ** 2),
                lambda g, h, p, y: 0.5 * np.mean((y - p) ** 2),
            ),
        ),
        Misconception(
            "averaged over the batch",
            "It looks as if you divide by the number of examples. This loss is not a mean.",
            "Ask yourself: is there a 1/N in ½(y − p)²?",
            through(call_squared_error_backward, lambda g, h, p, y: g(h) * (p - y) / len(h)),
        ),
    ),
)
