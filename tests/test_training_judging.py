"""The training exercises of 05 and 06: the baseline is what the task says, and the stand-ins pass."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from course_utils.checks._batchnorm.training import train_deep_network
from course_utils.checks._dropout.training import BASELINE, MARGIN, needed, regularized_training
from course_utils.checks.trained import accuracy, all_digits


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def unregularized(x, labels, seed):
    """64 tanh units and no regularization, trained until every label is learned."""
    rng = np.random.default_rng(seed)
    targets = np.eye(labels.max() + 1)[labels]
    net = [rng.normal(size=(x.shape[1], 64)) / np.sqrt(x.shape[1]), np.zeros(64)]
    net += [rng.normal(size=(64, targets.shape[1])) / 8, np.zeros(targets.shape[1])]
    speed = [0.0] * 4
    for _ in range(600):
        rows = rng.permutation(len(x))[:50]
        hidden = np.tanh(x[rows] @ net[0] + net[1])
        e = np.exp(hidden @ net[2] + net[3])
        e = (e / e.sum(axis=1, keepdims=True) - targets[rows]) / len(rows)
        back = e @ net[2].T * (1 - hidden**2)
        gradients = x[rows].T @ back, back.sum(axis=0), hidden.T @ e, e.sum(axis=0)
        speed = [0.9 * v - 0.2 * g for v, g in zip(speed, gradients, strict=True)]
        net = [value + v for value, v in zip(net, speed, strict=True)]
    return lambda images: np.argmax(np.tanh(images @ net[0] + net[1]) @ net[2] + net[3], axis=1)


@pytest.mark.parametrize("aspect", BASELINE)
def test_the_unregularized_baseline_learns_everything_by_heart_and_is_as_good_as_the_task_says(aspect):
    case = next(c for c in regularized_training.cases(np.random.default_rng(3)) if c.aspect == aspect)
    answers = regularized_training.call(unregularized, **case.inputs)
    found = [accuracy(first, truth) for (first, _, _), truth in zip(answers, case.hidden["labels"], strict=True)]
    assert all(np.array_equal(seen, given) for (_, _, seen), given in zip(answers, case.inputs["labels"], strict=True))
    assert abs(np.median(found) - BASELINE[aspect]) < 0.08  # four standard deviations of the median over draws
    assert np.median(found) < needed(aspect) == BASELINE[aspect] + MARGIN
    assert "without regularization" in regularized_training.verify(case, answers)


def test_no_unseen_image_is_trained_on_and_none_is_one_of_the_public_digits():
    public = set(map(bytes, np.sort(all_digits()[0], axis=1)))
    for exercise in (regularized_training, train_deep_network):
        case = exercise.cases(np.random.default_rng(4))[0]
        seen, unseen = (case.inputs[name] for name in ("x", "unseen"))
        for trained, asked in zip(seen, unseen, strict=True) if seen.ndim == 3 else [(seen, unseen)]:
            assert not set(map(bytes, trained)) & set(map(bytes, asked))
            assert not set(map(bytes, np.sort(np.concatenate([trained, asked]), axis=1))) & public


@pytest.mark.parametrize("exercise", [regularized_training, train_deep_network], ids=lambda e: e.name)
def test_the_stand_in_passes(exercise):
    for case in exercise.cases(np.random.default_rng(6)):
        assert exercise.verify(case, exercise.call(exercise.replacement(), **case.inputs)) is None
