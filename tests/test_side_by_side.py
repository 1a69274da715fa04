"""Networks side by side are PyTorch's, and do not see one another."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from course_utils.data import load_digits
from course_utils.data.splits import Split
from course_utils.experiments.side_by_side import (
    WithPenalty,
    evaluate,
    fixed_batches,
    loss_and_gradients,
    outputs,
    start,
    train,
)

SIZES = (64, 7, 10)


class Descent:
    def __init__(self, parameters, rate):
        self.parameters, self.rate = parameters, rate

    def step(self, gradients):
        for w, g in zip(self.parameters, gradients, strict=True):
            w -= self.rate * g


def in_order(x, y, batch_size, rng):
    """Batches without shuffling, short last one kept."""
    return [(x[at : at + batch_size], y[at : at + batch_size]) for at in range(0, len(x), batch_size)]


def shuffled(x, y, batch_size, rng):
    rows = rng.permutation(len(x))
    return in_order(x[rows], y[rows], batch_size, rng)


@pytest.fixture(scope="module")
def few() -> Split:
    train_set = load_digits().train
    return Split(train_set.images[:50], train_set.labels[:50])


def pytorchs(network, run, x, labels):
    """Loss, gradients and logits of one run, by PyTorch's autograd."""
    weight1, bias1, weight2, bias2 = (torch.tensor(w[run], requires_grad=True) for w in network)
    logits = torch.relu(torch.tensor(x) @ weight1.T + bias1) @ weight2.T + bias2
    loss = cross_entropy(logits, torch.tensor(labels))
    loss.backward()
    return loss.item(), [w.grad.numpy() for w in (weight1, bias1, weight2, bias2)], logits.detach().numpy()


@pytest.mark.parametrize("shared", [True, False])
def test_losses_and_gradients_are_pytorchs_in_every_run(few, shared):
    network = start(range(3), SIZES)
    for w in network:
        w += 0.1 * np.random.default_rng(5).normal(size=w.shape)  # biases other than 0
    rows = np.arange(50) if shared else np.random.default_rng(1).permutation(50)[:36].reshape(3, 12)
    x, labels = few.features[rows], few.labels[rows]
    losses, gradients = loss_and_gradients(network, x, labels)
    logits = outputs(network, x)
    for run in range(3):
        loss, theirs, scores = pytorchs(network, run, x if shared else x[run], labels if shared else labels[run])
        np.testing.assert_allclose(losses[run], loss, rtol=1e-12)
        np.testing.assert_allclose(logits[run], scores, rtol=1e-10, atol=1e-12)
        for ours, other in zip(gradients, theirs, strict=True):
            np.testing.assert_allclose(ours[run], other, rtol=1e-9, atol=1e-14)


def test_evaluating_gives_the_loss_and_the_share_of_right_answers(few):
    network = start([0, 1], SIZES)
    losses, accuracies = evaluate(network, few)
    for run in range(2):
        loss, _, logits = pytorchs(network, run, few.features, few.labels)
        assert losses[run] == pytest.approx(loss, rel=1e-12)
        assert accuracies[run] == np.mean(logits.argmax(axis=1) == few.labels)


def test_huge_logits_have_a_finite_loss(few):
    network = [1e6 * w for w in start([0], SIZES)]
    assert np.isfinite(evaluate(network, few)[0]).all()


def test_a_run_does_not_depend_on_its_neighbours(few):
    alone, both = start([0], SIZES), start([0, 1], SIZES)
    losses_alone = train(alone, Descent(alone, 0.1), few, shuffled, 2, 16)
    losses_both = train(both, Descent(both, 0.1), few, shuffled, 2, 16)
    np.testing.assert_allclose(losses_both[:, :1], losses_alone, rtol=1e-12)
    for w, other in zip(alone, both, strict=True):
        np.testing.assert_allclose(other[:1], w, rtol=1e-9, atol=1e-14)
    assert not np.allclose(losses_both[:, 0], losses_both[:, 1])


def test_training_is_gradient_descent_on_the_batches(few):
    network, expected = start([3], SIZES), start([3], SIZES)
    seen = []
    losses = train(network, Descent(network, 0.2), few, in_order, 2, 20, seen.append)
    assert seen == [1, 2, 3, 4, 5, 6]  # 50 digits in batches of 20 are three steps
    for step in range(6):
        rows = slice(20 * (step % 3), 20 * (step % 3) + 20)
        loss, gradients, _ = pytorchs(expected, 0, few.features[rows], few.labels[rows])
        assert losses[step, 0] == pytest.approx(loss, rel=1e-10)
        for w, g in zip(expected, gradients, strict=True):
            w[0] -= 0.2 * g
    for w, other in zip(network, expected, strict=True):
        np.testing.assert_allclose(w, other, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("size, lengths", [(20, [20, 20, 10]), (25, [25, 25]), (80, [50])])
def test_fixed_batches_hold_every_example_once_in_a_new_order_each_epoch(few, size, lengths):
    rng = np.random.default_rng(4)
    epochs = [fixed_batches(few.features, np.arange(50), size, rng) for _ in range(2)]
    orders = [np.concatenate([rows for _, rows in epoch]) for epoch in epochs]
    for epoch, order in zip(epochs, orders, strict=True):
        assert [len(rows) for _, rows in epoch] == lengths
        assert sorted(order) == list(range(50))
        for x, rows in epoch:
            np.testing.assert_array_equal(x, few.features[rows])
    assert list(orders[0]) != list(orders[1]) and list(orders[0]) != list(range(50))


def test_runs_are_shuffled_differently(few):
    network = start([0, 0], SIZES)
    losses = train(network, Descent(network, 0.1), few, shuffled, 1, 10)
    assert not np.allclose(losses[:, 0], losses[:, 1])


def test_a_run_that_diverges_is_silent_and_leaves_the_others_alone(few):
    network = start([0, 1], SIZES)
    network[0][0] = np.nan
    losses = train(network, Descent(network, 0.1), few, in_order, 2, 25)
    assert np.isnan(losses[:, 0]).all()
    assert np.isfinite(losses[:, 1]).all()
    assert np.isnan(evaluate(network, few)[0][0])


def test_a_penalty_adds_its_gradient_and_leaves_the_given_one_alone():
    w, g = np.array([[2.0, -1.0]]), np.array([[0.5, 0.5]])
    WithPenalty(Descent([w], 0.1), [w], 0.3).step([g])
    np.testing.assert_allclose(w, [[2 - 0.1 * (0.5 + 0.6), -1 - 0.1 * (0.5 - 0.3)]], rtol=1e-15)
    np.testing.assert_array_equal(g, [[0.5, 0.5]])
