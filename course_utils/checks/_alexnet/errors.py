"""topk_errors: the share of images whose class is not among the k best."""

from __future__ import annotations

import numpy as np

from course_utils.checks._alexnet.small_models import beaten_by
from course_utils.checks.describe import one_of, through
from course_utils.checks.exercise import Case, Exercise, Misconception, Raises
from course_utils.plain import Other, strided


def call_topk_errors(student, logits, labels, ks):
    import torch

    return student(torch.from_numpy(logits), torch.from_numpy(labels), ks)


def topk_by_torch(logits, labels, ks):
    """What experiments use meanwhile: counts the classes that are preferred to the true one."""
    own = logits.gather(1, labels[:, None])
    better = (logits > own).sum(dim=1)
    return [(better >= k).double().mean().item() for k in ks]


# --- misconceptions -------------------------------------------------------------------------------------------------


def _each(wrong):
    """One number for each k: `wrong(ranks, k, classes)` is its share of errors, or anything else."""
    return lambda logits, labels, ks: [float(wrong(beaten_by(logits, labels), k, logits.shape[1])) for k in ks]


_errors = _each(lambda ranks, k, classes: np.mean(ranks >= k))


def _raises_beyond(logits, labels, ks):
    return Raises("RuntimeError") if max(ks) > logits.shape[1] else _errors(logits, labels, ks)


def _any_label(logits, labels, ks):
    best = np.argsort(-logits, axis=1)
    return [float(np.mean(~np.isin(best[:, :k], labels).any(axis=1))) for k in ks]


def _tensors(case, outputs):
    values = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return bool(values) and all(isinstance(value, Other) and value.kind.startswith("torch.") for value in values)


def _any_of(*variants):
    """One idea in several forms, given as functions of NumPy arrays."""
    return one_of(lambda variant, **inputs: variant(**inputs), *variants, rtol=1e-5, atol=1e-6)


# --- the exercise ---------------------------------------------------------------------------------------------------


def _cases(rng):
    def case(aspect, images, classes, ks, make=lambda array: array):
        # No two logits of a row are alike, and every place of the true class occurs.
        logits = rng.permuted(np.tile(np.linspace(-3, 3, classes), (images, 1)), axis=1)
        logits += rng.uniform(-0.1, 0.1, size=(images, 1))
        often = rng.choice(classes, size=max(images - classes, 0), p=rng.dirichlet(np.ones(classes)))
        places = rng.permutation(np.concatenate([np.arange(classes), often]))[:images]
        labels = np.argsort(-logits, axis=1)[np.arange(images), places]
        inputs = {"logits": make(logits.astype(np.float32)), "labels": labels.astype(np.int64), "ks": ks}
        return Case(aspect, inputs)

    one, several, beyond = "one k", "several k", "k beyond the classes"
    return [
        case(one, 23, 7, [1]),
        case(one, 31, 9, [3], strided),
        case(several, 29, 10, [1, 5]),
        case(several, 37, 12, [4, 1, 7], strided),
        case(several, 17, 6, [2, 5, 3, 1]),
        case(several, 1, 6, [1, 3, 2]),
        case(beyond, 19, 3, [1, 5]),
        case(beyond, 27, 4, [9, 2, 4], strided),
    ]


topk_errors = Exercise(
    name="topk_errors",
    cases=_cases,
    call=call_topk_errors,
    expected=through(call_topk_errors, topk_by_torch),
    stand_in=lambda: topk_by_torch,
    rtol=1e-5,  # a share may be a float32
    atol=1e-6,
    forbidden=("scipy", "sklearn", "torchvision"),
    difficulty=2,
    importance=4,
    minutes=12,
    hints=(
        "Sort each row of the logits once, the largest first. At which place is the true class?",
        "logits.argsort(dim=1, descending=True) is (N, K), and labels[:, None] is (N, 1). Comparing the two gives "
        "(N, K), with one True in each row.",
        "hits = logits.argsort(dim=1, descending=True) == labels[:, None], and for each k: "
        "1 - hits[:, :k].any(dim=1).float().mean().item().",
    ),
    misconceptions=(
        Misconception(
            "smallest logits",
            "It looks as if your k classes are those with the smallest logits.",
            "Ask yourself: in which order does argsort put the numbers of a row, unless it is told otherwise?",
            _each(lambda ranks, k, classes: np.mean(ranks < classes - k)),
        ),
        Misconception(
            "exactly at place k",
            "It looks as if an answer counts as right only when the true class is at place k. Any place up to k will "
            "do.",
            "Ask yourself: is an answer that is right for k = 1 also right for k = 5?",
            matches=_any_of(
                _each(lambda ranks, k, classes: np.mean(ranks != k - 1)),
                _each(lambda ranks, k, classes: np.mean(ranks != min(k, classes) - 1)),
            ),
        ),
        Misconception(
            "one place too few",
            "It looks as if k − 1 classes are looked at.",
            "Ask yourself: which columns has hits[:, :1]?",
            _each(lambda ranks, k, classes: np.mean(ranks >= k - 1)),
        ),
        Misconception(
            "one place too many",
            "It looks as if k + 1 classes are looked at.",
            "Ask yourself: the best class has rank 0; which ranks are right for k = 1?",
            _each(lambda ranks, k, classes: np.mean(ranks > k)),
        ),
        Misconception(
            "accuracy instead of error",
            "It looks as if you return the share of right answers.",
            "Ask yourself: should a better network have a larger or a smaller top-5 error?",
            _each(lambda ranks, k, classes: np.mean(ranks < k)),
        ),
        Misconception(
            "percent",
            "It looks as if your errors are in percent.",
            "Ask yourself: between which two numbers does a share lie?",
            _each(lambda ranks, k, classes: 100 * np.mean(ranks >= k)),
        ),
        Misconception(
            "number of errors",
            "It looks as if you count the wrong answers and do not divide by the number of images.",
            "Ask yourself: between which two numbers does a share lie?",
            _each(lambda ranks, k, classes: np.sum(ranks >= k)),
        ),
        Misconception(
            "divided by k",
            "It looks as if your mean runs over the k places too. In each row at most one of them is right, so k right "
            "answers are never possible.",
            "Ask yourself: how many numbers should the mean of 20 images run over?",
            _each(lambda ranks, k, classes: 1 - np.mean(ranks < k) / min(k, classes)),
        ),
        Misconception(
            "labels of other images",
            "It looks as if a class counts as right when it is the label of any of the images.",
            "Ask yourself: with which label should the classes in row 3 be compared?",
            _any_label,
        ),
        Misconception(
            "ks in another order",
            "It looks as if the errors come in ascending order of k.",
            "Ask yourself: for ks = [5, 1], which error comes first?",
            lambda logits, labels, ks: _errors(logits, labels, sorted(ks)),
        ),
        Misconception(
            "ks ignored",
            "It looks as if you return the top-1 and the top-5 error, whatever ks is.",
            "Ask yourself: how many numbers should there be for ks = [3]?",
            lambda logits, labels, ks: _errors(logits, labels, [1, 5]),
        ),
        Misconception(
            "the best class alone",
            "It looks as if an answer is right only when the best class is the true one, whatever k is.",
            "Ask yourself: for k = 5, how many classes may an answer name?",
            _each(lambda ranks, k, classes: np.mean(ranks >= 1)),
        ),
        Misconception(
            "first k alone",
            "It looks as if your function returns after the first k.",
            "Ask yourself: does your return stand inside the loop?",
            matches=_any_of(
                lambda logits, labels, ks: _errors(logits, labels, ks[:1]),
                lambda logits, labels, ks: _errors(logits, labels, ks[:1])[0],
            ),
        ),
        Misconception(
            "k beyond the classes",
            "It looks as if more classes are asked for than there are. topk refuses that.",
            "Ask yourself: with three classes, what is the top-5 error?",
            _raises_beyond,
        ),
        Misconception(
            "tensors instead of floats",
            "It looks as if your errors are still tensors.",
            "Ask yourself: which method makes a Python number of a tensor with one element?",
            matches=_tensors,
        ),
    ),
)
