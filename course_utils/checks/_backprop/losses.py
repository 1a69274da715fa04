"""softmax_cross_entropy and squared_error_backward."""

from __future__ import annotations

import math

import numpy as np

from course_utils.checks._backprop.common import agrees, tensor, through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided, to_plain

# --- softmax_cross_entropy --------------------------------------------------------------------------------------

HUGE = "huge logits"
VANISHED = "a label that has no chance"
RTOL = 1e-6


def cross_entropy(logits, labels):
    """Mean loss and its gradient, by PyTorch."""
    import torch

    leaf = tensor(logits, True)
    loss = torch.nn.functional.cross_entropy(leaf, torch.tensor(np.asarray(labels, dtype=np.int64)))
    return loss.item(), torch.autograd.grad(loss, leaf)[0].numpy()


def call_softmax_cross_entropy(student, part, logits, labels):
    result = student(logits, labels)
    if part == "both" or not isinstance(result, (tuple, list)) or len(result) != 2:
        return result
    return {part: result[("loss", "grad_logits").index(part)]}


_truth = through(call_softmax_cross_entropy, cross_entropy)


def _pieces(logits, labels):
    """Probabilities, one-hot labels, the loss of each example, and N."""
    import torch

    scores = tensor(logits)
    p, log_p = torch.softmax(scores, 1).numpy(), torch.log_softmax(scores, 1).numpy()
    n = len(labels)
    return p, np.eye(logits.shape[1])[labels], -log_p[np.arange(n), labels], n


def _summed(logits, labels):
    p, y, losses, _ = _pieces(logits, labels)
    return losses.sum(), p - y


def _gradient_not_divided(logits, labels):
    p, y, losses, _ = _pieces(logits, labels)
    return losses.mean(), p - y


def _divided_twice(logits, labels):
    p, y, losses, n = _pieces(logits, labels)
    return losses.mean(), (p - y) / n**2


def _no_one_hot(logits, labels):
    p, _, losses, n = _pieces(logits, labels)
    return losses.mean(), p / n


def _extra_slope(logits, labels):
    p, y, losses, n = _pieces(logits, labels)
    return losses.mean(), (p - y) * p * (1 - p) / n


def _reversed(logits, labels):
    p, y, losses, n = _pieces(logits, labels)
    return losses.mean(), (y - p) / n


def _mean_over_classes(logits, labels):
    p, y, losses, n = _pieces(logits, labels)
    return losses.mean() / p.shape[1], (p - y) / n


def _over_the_batch(logits, labels):
    import torch

    scores, n = tensor(logits), len(labels)
    log_p = torch.log_softmax(scores, 0).numpy()
    return -log_p[np.arange(n), labels].mean(), (np.exp(log_p) - np.eye(logits.shape[1])[labels]) / n


def _idea(wrong, lost=math.inf, where=(VANISHED,)):
    """Matches a wrong idea, also where its author takes the logarithm of a probability that vanished.

    `lost` is the loss that comes out there: infinity, or NaN where 0 · log 0 was summed. `where` says in which aspects.
    """

    def matches(case, outputs):
        expected = call_softmax_cross_entropy(wrong, **to_plain(case.inputs))
        if agrees(expected, outputs, RTOL):
            return True
        if case.aspect not in where or not isinstance(outputs, (tuple, list)):
            return False
        return agrees((lost, expected[1]), outputs, RTOL)

    return matches


def _is_finite(value):
    return isinstance(value, (int, float, np.ndarray)) and bool(np.isfinite(value).all())


def _right_gradient(case, outputs):
    if not isinstance(outputs, (tuple, list)) or len(outputs) != 2:
        return False
    return agrees(_truth(**to_plain(case.inputs))[1], outputs[1], RTOL)


def _overflows(case, outputs):
    if case.aspect not in (HUGE, VANISHED) or not isinstance(outputs, (tuple, list)) or len(outputs) != 2:
        return False
    broken = not (_is_finite(outputs[0]) and _is_finite(outputs[1]))
    # At a hopeless label a loss of infinity alone has another cause: there exp overflows in the gradient too.
    return broken and not (case.aspect == VANISHED and _right_gradient(case, outputs))


def _log_of_zero(case, outputs):
    return case.aspect == VANISHED and _right_gradient(case, outputs) and not _is_finite(outputs[0])


def _padded_log(case, outputs):
    if case.aspect != VANISHED or not _right_gradient(case, outputs) or not _is_finite(outputs[0]):
        return False
    return bool(0 < np.asarray(outputs[0]).reshape(-1)[0] < _truth(**to_plain(case.inputs))[0])


def _softmax_cases(rng):
    def case(aspect, part, examples, classes, make=lambda array: array, dtype=np.int64):
        logits = rng.normal(size=(examples, classes)) * 2
        labels = rng.integers(0, classes, size=examples).astype(dtype)
        return Case(aspect, {"part": part, "logits": make(logits), "labels": labels})

    def huge(aspect, rows, labels):
        return Case(aspect, {"part": "both", "logits": np.array(rows, dtype=float), "labels": np.array(labels)})

    a, b = (float(v) for v in rng.uniform(0.5, 3, size=2))
    return [
        case("loss of one example", "loss", 1, 4),
        case("loss of one example", "loss", 1, 3),
        case("mean loss", "loss", 5, 3),
        case("mean loss", "loss", 4, 6, strided, np.uint8),
        case("gradient for one example", "grad_logits", 1, 4),
        case("gradient for one example", "grad_logits", 1, 3),
        case("gradient of the mean", "grad_logits", 6, 3),
        case("gradient of the mean", "grad_logits", 3, 3),
        case("gradient of the mean", "grad_logits", 4, 5, strided, np.int32),
        huge(HUGE, [[1000, 1000 - a, 1000 - b], [a, b, 0]], [0, 2]),
        huge(HUGE, [[-1000, -1000 - a, -1000 - b], [b, 0, a]], [1, 0]),
        huge(VANISHED, [[1000, 1000 - a, 0, b], [a, -1000, b, 0]], [1, 1]),
        huge(VANISHED, [[1000, -1000, -a], [1000, 1000 - b, 1000]], [1, 0]),
    ]


softmax_cross_entropy = Exercise(
    name="softmax_cross_entropy",
    cases=_softmax_cases,
    call=call_softmax_cross_entropy,
    expected=_truth,
    stand_in=lambda: cross_entropy,
    outputs=("loss", "grad_logits"),
    for_call=("part",),
    rtol=RTOL,
    difficulty=4,
    importance=5,
    minutes=25,
    hints=(
        "Softmax does not change when you subtract the same number from all logits of an example. "
        "Subtract the largest one, and no exponential can overflow.",
        "Do not take the logarithm of a probability: it may be 0. With shifted logits z, "
        "log p of the label is z[label] − log(sum(exp(z))). "
        "The gradient of one example's loss is p minus the one-hot label; "
        "what does the mean over N do to it?",
        "z = logits − logits.max(axis=1, keepdims=True); log_p = z − np.log(np.exp(z).sum(axis=1, keepdims=True)). "
        "The loss is −log_p[np.arange(N), labels].mean(). "
        "The gradient is np.exp(log_p), minus 1 at the labels, all divided by N.",
    ),
    misconceptions=(
        Misconception(
            "exponential overflows",
            "It looks as if np.exp sees the logits as they are: exp(1000) is infinity, and what follows is not a "
            "number.",
            "Ask yourself: which number can you subtract from all logits of an example without changing its softmax?",
            matches=_overflows,
        ),
        Misconception(
            "logarithm of a vanished probability",
            "It looks as if you take the logarithm of a probability that has become exactly 0.",
            "Ask yourself: can log p be written with the logits, so that p itself is never needed?",
            matches=_log_of_zero,
        ),
        Misconception(
            "a small number inside the logarithm",
            "It looks as if you add a small number to the probability (or clip it) before the logarithm. "
            "No error appears, and the loss is far too small.",
            "Ask yourself: the label's logit is 2000 below the winner's; what is the loss, and what is −log(1e-12)?",
            matches=_padded_log,
        ),
        Misconception(
            "summed over the batch",
            "It looks as if loss and gradient are sums over the batch. The mean was asked for.",
            "Ask yourself: what should happen to the loss when every example is in the batch twice?",
            matches=_idea(_summed),
        ),
        Misconception(
            "gradient not divided by N",
            "It looks as if the loss is a mean, and the gradient is that of the sum.",
            "Ask yourself: the loss contains 1/N; where is it in your gradient?",
            matches=_idea(_gradient_not_divided),
        ),
        Misconception(
            "gradient divided by N twice",
            "It looks as if the gradient is divided by N two times.",
            "Ask yourself: how many times does 1/N stand in the loss?",
            matches=_idea(_divided_twice),
        ),
        Misconception(
            "one-hot label forgotten",
            "It looks as if your gradient is the probabilities alone. Nothing in it pulls the right class up.",
            "Ask yourself: at which class must the gradient be negative?",
            matches=_idea(_no_one_hot),
        ),
        Misconception(
            "gradient times p(1 − p)",
            "It looks as if you multiply p − y by p(1 − p). The derivative of softmax is already inside p − y.",
            "Ask yourself: starting from loss = −z[label] + log Σ exp(z), what is its derivative with respect to z?",
            matches=_idea(_extra_slope),
        ),
        Misconception(
            "sign reversed",
            "It looks as if your gradient points downhill: it is y − p.",
            "Ask yourself: when the logit of a wrong class grows, does the loss grow or shrink?",
            matches=_idea(_reversed),
        ),
        Misconception(
            "averaged over the classes as well",
            "It looks as if your mean also divides by the number of classes.",
            "Ask yourself: over how many numbers does np.mean run when it gets an (N, C) array?",
            matches=_idea(_mean_over_classes, lost=math.nan),
        ),
        Misconception(
            "softmax over the batch",
            "It looks as if your probabilities add up to 1 down the batch instead of across the classes.",
            "Ask yourself: which axis of logits counts the classes?",
            matches=_idea(_over_the_batch, where=(HUGE, VANISHED)),
        ),
    ),
)


# --- squared_error_backward -------------------------------------------------------------------------------------


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
        case("error", "identity", normal(5), rng.integers(-2, 3, size=5) + 4),
        case("slope of the activation", "sigmoid", normal(3, 2)),
        case("slope of the activation", "tanh", normal(4, 1)),
        case("slope of the activation", "square", normal(3, 3)),
        case("any shape", "softplus", normal(6)),
        case("any shape", "tanh", normal(2, 3, 2), make=strided),
        case("saturated units", "tanh", far, rng.integers(0, 2, size=far.shape)),
        case("saturated units", "sigmoid", far, rng.integers(0, 2, size=far.shape)),
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
            "averaged over the batch",
            "It looks as if you divide by the number of examples. This loss is not a mean.",
            "Ask yourself: is there a 1/N in ½(y − p)²?",
            through(call_squared_error_backward, lambda g, h, p, y: g(h) * (p - y) / len(h)),
        ),
    ),
)
