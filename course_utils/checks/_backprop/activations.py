"""relu_backward and tanh_backward."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import one_of, tensor, through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def _pull_back(function, grad_out, x):
    import torch

    leaf = tensor(x, True)
    return torch.autograd.grad(function(leaf), leaf, tensor(grad_out))[0].numpy()


def _upstream(rng, shape):
    """Gradients of both signs, none of them 0 or 1."""
    return rng.uniform(0.2, 0.9, size=shape) * rng.choice([-2.0, 1.0], size=shape)


# --- relu_backward ----------------------------------------------------------------------------------------------


def call_relu_backward(student, grad_out, x):
    import numpy as np

    result = student(grad_out, x)
    if not isinstance(result, np.ndarray) or result.shape != x.shape or not np.any(x == 0):
        return result
    # The slope at 0 is left open. grad_out is 1 there, so the result is the slope, and any from 0 to 1 is right.
    return np.where((x == 0) & (result >= 0) & (result <= 1), 0, result).astype(result.dtype)


def relu_gradient(grad_out, x):
    """By PyTorch."""
    import torch

    return _pull_back(torch.relu, grad_out, x)


def _relu_cases(rng):
    def mixed(*shape):
        """Both signs for certain, and no zeros."""
        x = rng.uniform(0.1, 2.0, size=shape) * rng.choice([-1.0, 1.0], size=shape)
        x.flat[0], x.flat[-1] = abs(x.flat[0]), -abs(x.flat[-1])
        return x

    def case(aspect, grad_out, x):
        return Case(aspect, {"grad_out": grad_out, "x": x})

    def both_signs(shape):
        grad_out = _upstream(rng, shape)
        grad_out.flat[:2] = -1.5, 0.5
        return grad_out

    def some_zeros(shape):
        """Zeros in x where the gradient from above is 1."""
        x, grad_out = mixed(*shape), both_signs(shape)
        zeros = np.arange(x.size).reshape(shape) % 3 == 1
        x[zeros], grad_out[zeros] = 0.0, 1.0
        return grad_out, x

    x = mixed(3, 4)
    extreme = np.array([1e-12, -1e-12, 1e6, -1e6, 0.5, -0.5])
    return [
        case("open or shut", np.ones((3, 4)), x),
        case("open or shut", np.ones(5), np.array([2.0, -1.0, 3.0, -4.0, 1.0])),
        case("upstream gradient", both_signs((4, 3)), mixed(4, 3)),
        case("upstream gradient", both_signs(6), mixed(6)),
        case("any shape", both_signs((2, 3, 4, 5)), mixed(2, 3, 4, 5)),
        case("any shape", strided(both_signs((3, 4))), strided(mixed(3, 4))),
        case("tiny and huge inputs", both_signs(6), extreme),
        case("tiny and huge inputs", both_signs((2, 3)), -extreme.reshape(2, 3)),
        case("inputs of exactly 0", *some_zeros((3, 4))),
        case("inputs of exactly 0", *some_zeros((7,))),
    ]


relu_backward = Exercise(
    name="relu_backward",
    cases=_relu_cases,
    call=call_relu_backward,
    expected=relu_gradient,
    difficulty=1,
    importance=4,
    minutes=5,
    hints=(
        "The slope of ReLU is 1 where its input was positive and 0 where it was negative. "
        "The chain rule multiplies by that slope.",
        "So the incoming gradient goes through where x > 0 and stops where x < 0. "
        "The forward input x decides, not the gradient.",
        "x > 0 is an array of True and False. Multiplied by grad_out, True counts as 1 and False as 0: grad_out * (x "
        "> 0).",
    ),
    misconceptions=(
        Misconception(
            "upstream gradient forgotten",
            "It looks as if you return the slope of ReLU alone, without the gradient that comes from above.",
            "Ask yourself: what does the chain rule multiply the slope by?",
            matches=one_of(call_relu_backward, lambda grad_out, x: (x > 0).astype(float), lambda grad_out, x: x > 0),
        ),
        Misconception(
            "the gradient decides, not the input",
            "It looks as if a gradient passes when the gradient itself is positive.",
            "Ask yourself: which number did ReLU look at in the forward pass?",
            through(call_relu_backward, lambda grad_out, x: np.maximum(grad_out, 0.0)),
        ),
        Misconception(
            "both must be positive",
            "It looks as if negative gradients are stopped as well, even where x is positive.",
            "Ask yourself: may a gradient be negative where ReLU let its input through?",
            through(call_relu_backward, lambda grad_out, x: np.maximum(grad_out, 0.0) * (x > 0)),
        ),
        Misconception(
            "multiplied by the output, not by the slope",
            "It looks as if you multiply the gradient by relu(x). The chain rule asks for its derivative.",
            "Ask yourself: how much does relu(x) grow when x grows from 5 to 6?",
            through(call_relu_backward, lambda grad_out, x: grad_out * np.maximum(x, 0.0)),
        ),
        Misconception(
            "open and shut swapped",
            "It looks as if the gradient passes where x is negative.",
            "Ask yourself: where is ReLU flat?",
            through(call_relu_backward, lambda grad_out, x: grad_out * (x < 0)),
        ),
        Misconception(
            "0 / 0 at zero",
            "It looks as if you divide by x. Where x is 0 that is 0 / 0, which is not a number.",
            "Ask yourself: how do you know the slope of ReLU from the sign of x alone?",
            through(call_relu_backward, lambda grad_out, x: grad_out * np.maximum(x, 0.0) / x),
        ),
    ),
)


# --- tanh_backward ----------------------------------------------------------------------------------------------


def tanh_gradient(grad_out, out):
    """The textbook form of the derivative, sech²(z) = 1 / cosh²(z), at z = artanh(out); saturated units have none."""
    out = np.asarray(out, dtype=float)
    inside = np.abs(out) < 1
    z = np.arctanh(np.where(inside, out, 0.0))
    return np.where(inside, grad_out / np.cosh(z) ** 2, 0.0)


def _tanh_cases(rng):
    def activated(*shape):
        out = np.tanh(rng.normal(size=shape))
        out.flat[0], out.flat[-1] = -0.7, 0.4  # negative values too: there 1 − out and 1 − |out| differ
        return out

    def case(aspect, grad_out, out):
        return Case(aspect, {"grad_out": grad_out, "out": out})

    ends = np.array([1.0, -1.0, 0.999, -0.98, 0.0, 0.3])
    return [
        case("slope", np.ones((3, 4)), activated(3, 4)),
        case("slope", np.ones(5), activated(5)),
        case("upstream gradient", _upstream(rng, (4, 2)), activated(4, 2)),
        case("upstream gradient", _upstream(rng, 6), activated(6)),
        case("any shape", _upstream(rng, (2, 3, 4, 2)), activated(2, 3, 4, 2)),
        case("any shape", strided(_upstream(rng, (3, 4))), strided(activated(3, 4))),
        case("saturated units", _upstream(rng, 6), ends),
        case("saturated units", _upstream(rng, 4), np.array([-1.0, 0.0, 1.0, 0.0])),
    ]


tanh_backward = Exercise(
    name="tanh_backward",
    cases=_tanh_cases,
    expected=tanh_gradient,
    difficulty=1,
    importance=4,
    minutes=5,
    hints=(
        "The derivative of tanh can be written with the value of tanh alone. That value is what you are given.",
        "If y = tanh(z), then dy/dz = 1 − y². `out` is y already, so no tanh is needed any more.",
        "Multiply by the gradient from above: grad_out * (1 − out**2).",
    ),
    misconceptions=(
        Misconception(
            "tanh applied a second time",
            "It looks as if you take tanh of `out`. It is the activated value already.",
            "Ask yourself: is `out` what went into tanh, or what came out?",
            lambda grad_out, out: grad_out * (1 - np.tanh(out) ** 2),
        ),
        Misconception(
            "upstream gradient forgotten",
            "It looks as if you return the slope of tanh alone, without the gradient that comes from above.",
            "Ask yourself: what does the chain rule multiply the slope by?",
            lambda grad_out, out: 1.0 - out**2,
        ),
        Misconception(
            "square forgotten",
            "It looks as if you use 1 − out. The slope of tanh is 1 − out².",
            "Ask yourself: tanh is symmetric; can its slope differ between out = 0.5 and out = −0.5?",
            lambda grad_out, out: grad_out * (1 - out),
        ),
        Misconception(
            "derivative of the sigmoid",
            "It looks as if you use out · (1 − out). That is the slope of the sigmoid.",
            "Ask yourself: how steep is tanh at 0, and what does your formula say there?",
            lambda grad_out, out: grad_out * out * (1 - out),
        ),
    ),
)
