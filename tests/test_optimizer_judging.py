"""What 04_optimizers is judged by keeps its promises: shuffles, the rules of the clinic, the limit of stability.

How often a correct shuffle fails is proven on all orders of a few examples and added up for a grading. Shuffles of
which only chance tells that they are wrong fail on every seed tried. Curves of networks that were trained with a
learning rate too low, good, too high or exploding get the name that belongs to it.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from autograder.judge import SECRET_SETS
from course_utils.checks import registry
from course_utils.checks._optimizers import shuffling
from course_utils.checks._optimizers.batches import torch_minibatches
from course_utils.checks._optimizers.curves import clear, name_of
from course_utils.checks._optimizers.epochs import FEW, SHUFFLED
from course_utils.checks._optimizers.harness import call_optimizer
from course_utils.checks._optimizers.stability import by_bisection
from course_utils.checks.verdict import error_text
from course_utils.runner import run_case

EXERCISES = registry.exercises("04_optimizers")


def minibatches_cases(seed):
    return EXERCISES["minibatches"].cases(np.random.default_rng(seed))


def test_fixed_examples_and_steps_are_as_rare_as_claimed():
    n = 7
    orders = np.array(list(itertools.permutations(range(n))))
    steps = np.diff(orders, axis=1)
    kept = (orders == np.arange(n)).sum(axis=1)
    for m in range(1, n + 1):
        assert np.mean(kept >= m) <= 1 / math.factorial(m)
        for d in range(1 - n, n):
            assert np.mean((steps == d).sum(axis=1) >= m) <= 1 / math.factorial(m), (m, d)


def few_tails(n, epochs):
    """The probability that correct epochs of n examples keep too few or too many of them, from all orders of n."""
    orders = np.array(list(itertools.permutations(range(n))))
    once = np.bincount((orders == np.arange(n)).sum(axis=1)) / len(orders)
    law = np.ones(1)
    for _ in range(epochs):
        law = np.convolve(law, once)
    low, high = shuffling.kept(n, epochs)
    tails = law[:low].sum(), law[high + 1 :].sum()
    assert all(tail < shuffling.SINGLE / 2 for tail in tails)
    assert law[: low + 1].sum() >= shuffling.SINGLE / 2 and law[high:].sum() >= shuffling.SINGLE / 2  # none wasted
    return sum(tails)


def test_a_grading_fails_a_correct_shuffle_less_than_once_in_a_million():
    from scipy import stats

    total = 0.0
    for case in minibatches_cases(0):
        if case.aspect != SHUFFLED:
            continue
        n, half = len(case.inputs["x"]), len(case.inputs["x"]) // 2
        if n == FEW:
            total += few_tails(n, case.inputs["epochs"])
            continue
        low, high = shuffling.halves(n)
        law = stats.hypergeom(n, half, half)
        tails = [law.cdf(low - 1) + law.sf(high)]
        tails += [ways / math.factorial(shuffling.most(ways) + 1) for ways in (1, 2 * n)]
        assert all(tail <= shuffling.SINGLE for tail in tails)
        total += 3 * sum(tails)  # two epochs, and the second counted from the first
    assert total and (2 + SECRET_SETS) * total < 1e-6


def test_correct_orders_pass_and_their_counts_lie_well_inside_the_bounds():
    rng = np.random.default_rng(1)
    for _ in range(300):
        order = rng.permutation(480)
        assert shuffling.fault(order) is None
        assert shuffling.fixed(order) < shuffling.most(1) and shuffling.commonest_step(order)[1] < shuffling.most(960)


def window(rng, n, size):
    """A buffer of `size` examples, from which one is drawn at a time, as data pipelines do."""
    left, order = list(range(n)), []
    while left:
        order.append(left.pop(int(rng.integers(min(size, len(left))))))
    return np.array(order)


POOR = {
    "a buffer of an eighth": lambda rng, n: window(rng, n, n // 8),
    "one riffle": lambda rng, n: np.argsort(rng.integers(0, 2, size=n), kind="stable"),
    "every seventh": lambda rng, n: np.concatenate([np.arange(i, n, 7) for i in rng.permutation(7)]),
    "backwards": lambda rng, n: np.arange(n)[::-1],
    "a few swaps": lambda rng, n: _swapped(rng, n, n),
    "sorted by the last digit": lambda rng, n: np.argsort(np.arange(n) % 10, kind="stable"),
}


def _swapped(rng, n, swaps):
    order = np.arange(n)
    for a, b in rng.integers(0, n, size=(swaps, 2)):
        order[[a, b]] = order[[b, a]]
    return order


@pytest.mark.parametrize("name", POOR)
def test_a_poor_shuffle_is_noticed(name):
    for seed in range(20):
        assert shuffling.fault(POOR[name](np.random.default_rng(seed), 480)) is not None, seed


def cycle(rng, n):
    """Sattolo's: of each pair that is swapped, the second example comes from before, so that none stays."""
    order = np.arange(n)
    for i in range(n - 1, 0, -1):
        j = rng.integers(i)
        order[[i, j]] = order[[j, i]]
    return order


def test_a_shuffle_in_which_no_example_stays_is_noticed_on_few_examples_alone():
    (epochs,) = (c.inputs["epochs"] for c in minibatches_cases(0) if len(c.inputs["x"]) == FEW)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert shuffling.fault(cycle(rng, 480)) is None
        assert "0 stay where they were" in shuffling.fault_of_few([cycle(rng, FEW) for _ in range(epochs)])
        assert shuffling.fault_of_few([rng.permutation(FEW) for _ in range(epochs)]) is None


def test_a_second_order_that_follows_from_the_first_is_noticed():
    first = np.random.default_rng(2).permutation(480)
    assert shuffling.fault(first) is None
    for second in (np.roll(first, 100), first[::-1], first):
        assert shuffling.fault(second) is None
        assert shuffling.fault(shuffling.ranks(second, first)) is not None


def test_what_stands_in_for_minibatches_draws_from_rng():
    x, y = np.arange(10.0)[:, None], np.arange(10)
    rng = np.random.default_rng(3)
    epochs = [np.concatenate([b for _, b in torch_minibatches(x, y, 4, rng)]) for _ in range(2)]
    assert not np.array_equal(*epochs) and sorted(epochs[0]) == list(range(10))


def curve(learning_rate, seed):
    """The loss of a small network on 200 digits, before and after each of 16 epochs."""
    import torch

    from course_utils.data import load_digits

    torch.manual_seed(seed)
    train = load_digits().train
    x = torch.tensor(train.features[:200], dtype=torch.float32)
    y = torch.tensor(train.labels[:200], dtype=torch.int64)
    model = torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9)
    loss = torch.nn.functional.cross_entropy
    losses = [loss(model(x), y).item()]
    for _ in range(16):
        for rows in torch.randperm(200).split(40):
            optimizer.zero_grad()
            loss(model(x[rows]), y[rows]).backward()
            optimizer.step()
        losses.append(loss(model(x), y).item())
    return losses


@pytest.mark.parametrize(
    ("learning_rate", "name"), [(1e-3, "low"), (5e-3, "low"), (0.2, "good"), (2.0, "high"), (100.0, "exploding")]
)
def test_real_curves_get_the_name_of_their_learning_rate(learning_rate, name):
    for seed in range(3):
        losses = curve(learning_rate, seed)
        assert clear(losses), losses
        assert name_of(losses) == name, losses


def test_the_curves_of_the_exercise_are_clear_and_of_every_kind():
    for seed in range(20):
        curves = [c for case in EXERCISES["diagnose"].cases(np.random.default_rng(seed)) for c in case.inputs["curves"]]
        assert all(map(clear, curves))
        assert {name_of(c) for c in curves} == {"low", "good", "high", "exploding"}


@pytest.mark.parametrize(("curvature", "momentum"), [(0.3, 0.0), (7.0, 0.9), (250.0, 0.5)])
def test_the_limit_of_stability_is_where_the_iteration_begins_to_grow(curvature, momentum):
    limit = by_bisection(curvature, momentum)
    assert limit == pytest.approx(2 * (1 + momentum) / curvature, rel=1e-9)
    ends = []
    for share in (0.99, 1.01):
        w, v = 1.0, 0.0
        for _ in range(2000):
            v = momentum * v + curvature * w
            w -= share * limit * v
        ends.append(abs(w))
    assert ends[0] < 1e-3 and ends[1] > 1e3


def SGD(parameters, learning_rate, **settings):
    """Makes an optimizer and forgets to return it."""


class Adam:
    def __init__(self, parameters, **settings):
        self.parameters = parameters

    def stpe(self, gradients):
        pass


@pytest.mark.parametrize("student", [SGD, Adam], ids=["nothing returned", "step misspelt"])
def test_an_optimizer_without_step_is_told_so(student):
    exercise = EXERCISES[student.__name__]
    record = run_case(student, call_optimizer, exercise.cases(np.random.default_rng(0))[0].inputs)
    said = f"the result has no method step: is {student.__name__} a class with step(gradients)?"
    assert error_text(record["error"]) == said
