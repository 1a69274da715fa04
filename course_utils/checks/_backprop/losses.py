"""softmax_cross_entropy: the mean loss and its gradient, also where exponentials overflow or vanish."""

from __future__ import annotations

import math

import numpy as np

from course_utils.checks.describe import agrees, tensor, through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided, to_plain

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


def _every_label(total=False, in_loss=True, in_gradient=True):
    """log_p[:, labels] holds the column of every label for every example, N × N numbers."""

    def wrong(logits, labels):
        p, y, losses, n = _pieces(logits, labels)
        import torch

        picked = -torch.log_softmax(tensor(logits), 1).numpy()[:, labels]
        loss = picked.sum() / n if total else picked.mean()
        return loss if in_loss else losses.mean(), (p - (y.max(axis=0) if in_gradient else y)) / n

    return wrong


EVERY_LABEL = (*(_every_label(total, True, True) for total in (False, True)), _every_label(False, False, True))
EVERY_LABEL_IN_THE_LOSS = tuple(_every_label(total, True, False) for total in (False, True))


def _only_at_the_label(logits, labels):
    p, y, losses, n = _pieces(logits, labels)
    return losses.mean(), (p - y) * y / n


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


def _any_idea(*ideas):
    """Matches one idea that can be written in several ways."""
    return lambda case, outputs: any(idea(case, outputs) for idea in ideas)


def _is_finite(value):
    return isinstance(value, (int, float, np.ndarray)) and bool(np.isfinite(value).all())


def _right_gradient(case, outputs):
    if not isinstance(outputs, (tuple, list)) or len(outputs) != 2:
        return False
    return agrees(_truth(**to_plain(case.inputs))[1], outputs[1], RTOL)


def _overflows(case, outputs):
    if case.aspect not in (HUGE, VANISHED) or not isinstance(outputs, (tuple, list)) or len(outputs) != 2:
        return False
    logits, truth = case.inputs["logits"], _truth(**to_plain(case.inputs))[1]
    # Whoever subtracts nothing is right about examples whose own exponentials neither overflow nor vanish.
    calm = np.abs(logits.max(axis=1)) < 700
    if np.shape(outputs[1]) != truth.shape or not agrees(truth[calm], outputs[1][calm], RTOL):
        return False
    broken = not (_is_finite(outputs[0]) and _is_finite(outputs[1]))
    # At a hopeless label a loss of infinity alone has another cause: there exp overflows in the gradient too.
    return broken and not (case.aspect == VANISHED and _right_gradient(case, outputs))


def _one_maximum(case, outputs):
    """Rows far below the largest logit of the batch come out as infinity or NaN, in every way of writing the rest."""
    if case.aspect not in (HUGE, VANISHED) or not isinstance(outputs, (tuple, list)) or len(outputs) != 2:
        return False
    logits, (loss, gradient) = case.inputs["logits"], _truth(**to_plain(case.inputs))
    far = logits.max(axis=1) < logits.max() - 740  # every exp of such a row is 0
    if np.shape(outputs[1]) != gradient.shape or not agrees(gradient[~far], outputs[1][~far], RTOL):
        return False
    if far.any():
        return not np.isfinite(outputs[1][far]).any() and not _is_finite(outputs[0])
    return agrees(loss, outputs[0], RTOL) or not _is_finite(outputs[0])


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
            "one maximum for the whole batch",
            "It looks as if you subtract the largest logit of the whole batch. "
            "An example far below it is left with a sum of 0.",
            "Ask yourself: whose maximum keeps at least one exponential of every example at 1?",
            matches=_one_maximum,
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
            "every label's column for every example",
            "It looks as if you pick the columns of all labels for every example, N × N numbers instead of N.",
            "Ask yourself: which shapes have z[:, labels] and z[np.arange(N), labels]?",
            # With a right gradient, a lost logarithm alone does not tell this idea from others.
            matches=_any_idea(*map(_idea, EVERY_LABEL), *(_idea(w, where=()) for w in EVERY_LABEL_IN_THE_LOSS)),
        ),
        Misconception(
            "gradient only at the label",
            "It looks as if only the logit of the right class gets a gradient. "
            "The other logits stand in the sum of exponentials too.",
            "Ask yourself: when the logit of a wrong class grows, what happens to the probability of the right one?",
            matches=_idea(_only_at_the_label),
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
