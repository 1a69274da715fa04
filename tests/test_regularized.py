"""Learning from few digits: a step with dropout and a penalty is PyTorch's, and the labels are as wrong as asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from course_utils.data import load_digits
from course_utils.experiments.regularized import BATCH, HIDDEN, RATE, evaluate, few_examples, learn, standardized
from course_utils.experiments.side_by_side import start

DIGITS = load_digits()
P, STRENGTH = 0.2, 0.03


def fixed_forward(x, p, rng):
    """Inverted dropout with a mask that the test knows."""
    mask = np.random.default_rng(7).random(x.shape) >= p
    return x * mask / (1 - p), mask


def fixed_backward(grad_out, mask, p):
    return grad_out * mask / (1 - p)


def l2(weights):
    return None, [STRENGTH * w for w in weights]


def test_one_step_with_dropout_and_a_penalty_is_pytorchs():
    x, labels = few_examples(DIGITS, [3, 4], BATCH)
    moved = learn(x, labels, [3, 4], epochs=1, dropout=(fixed_forward, fixed_backward), drop_probability=P, penalty=l2)
    order = np.random.default_rng(99).permutation(BATCH)  # as `learn` shuffles
    masks = np.random.default_rng(7).random((2, BATCH, HIDDEN)) >= P
    for run in range(2):
        weight1, bias1, weight2, bias2 = parameters = [
            torch.tensor(each[run], requires_grad=True) for each in start([3, 4], (64, HIDDEN, 10))
        ]
        hidden = torch.relu(torch.tensor(x[run][order].astype(float)) @ weight1.T + bias1)
        logits = hidden * torch.tensor(masks[run]) / (1 - P) @ weight2.T + bias2
        loss = cross_entropy(logits, torch.tensor(labels[run][order]))
        (loss + STRENGTH / 2 * (weight1.square().sum() + weight2.square().sum())).backward()
        for ours, theirs in zip(moved, parameters, strict=True):
            expected = (theirs - RATE * theirs.grad).detach().numpy()
            np.testing.assert_allclose(ours[run], expected, rtol=1e-4, atol=1e-6)


def test_runs_do_not_see_one_another():
    x, labels = few_examples(DIGITS, [0, 1], 60)
    together = learn(x, labels, [0, 1], epochs=2)
    alone = learn(x[1:], labels[1:], [1], epochs=2)
    for both, one in zip(together, alone, strict=True):
        np.testing.assert_allclose(both[1], one[0], rtol=1e-4, atol=1e-6)


def test_the_probability_may_depend_on_the_number_of_steps():
    asked, used = [], []

    def forward(x, p, rng):
        used.append(p)
        return fixed_forward(x, p, rng)

    def falling(step):
        asked.append(step)
        return 0.5 / (1 + step)

    x, labels = few_examples(DIGITS, [0], 2 * BATCH)
    learn(x, labels, [0], epochs=2, dropout=(forward, fixed_backward), drop_probability=falling)
    assert asked == [0, 1, 2, 3]
    assert used == [0.5 / (1 + step) for step in asked]


@pytest.mark.parametrize("wrong", [0.0, 0.2])
def test_each_seed_draws_its_own_digits_and_the_given_share_of_wrong_labels(wrong):
    x, labels = few_examples(DIGITS, [0, 1], 100, wrong)
    assert x.shape == (2, 100, 64) and labels.shape == (2, 100)
    everything = standardized(DIGITS, DIGITS.train)
    rows = [[int(np.flatnonzero((everything == image).all(axis=1))[0]) for image in run] for run in x]
    assert rows[0] != rows[1] and all(len(set(run)) == 100 for run in rows)
    for run in range(2):
        changed = np.flatnonzero(labels[run] != DIGITS.train.labels[rows[run]])
        assert changed.tolist() == list(range(round(100 * wrong)))  # the first ones
        assert labels[run].min() >= 0 and labels[run].max() <= 9


def test_inputs_are_standardized_as_a_whole():
    train = standardized(DIGITS, DIGITS.train)
    assert train.mean() == pytest.approx(0, abs=1e-5) and train.std() == pytest.approx(1, abs=1e-5)
    assert standardized(DIGITS, DIGITS.test).mean() != pytest.approx(0, abs=1e-5)  # the training set's numbers


def test_evaluating_gives_the_share_of_wrong_answers_and_pytorchs_loss():
    x, labels = few_examples(DIGITS, [0, 1], 30)
    parameters = start([0, 1], (64, 5, 10))
    errors, losses = evaluate(parameters, x, labels)
    for run in range(2):
        weight1, bias1, weight2, bias2 = (each[run] for each in parameters)
        logits = np.maximum(x[run] @ weight1.T + bias1, 0) @ weight2.T + bias2
        assert errors[run] == np.mean(logits.argmax(axis=1) != labels[run])
        assert losses[run] == pytest.approx(cross_entropy(torch.tensor(logits), torch.tensor(labels[run])).item())
