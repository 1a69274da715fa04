"""The layers behind the experiments on batch norm: each run is one network, trained as PyTorch trains it."""

from __future__ import annotations

import numpy as np
import pytest

from course_utils.checks import registry
from course_utils.experiments.layers import Dropout, Networks, Norm, Relu, he_weights

SIZES, SEEDS, RATES = (6, 5, 4, 3), 2, np.array([0.05, 0.05, 0.3, 0.3])


def batch():
    rng = np.random.default_rng(0)
    return rng.normal(size=(12, 6)), rng.integers(3, size=12)


def normalized(runs, units):
    layer = registry.find("BatchNorm").replacement()(runs * units)
    return [Norm(layer, registry.find("batchnorm_backward").replacement()), Relu()]


def by_torch(weights, run, steps, norm):
    """The logits, in evaluation, of one of the networks after so many steps of SGD, by PyTorch in float64."""
    import torch

    layers = []
    for k, (fan_in, out) in enumerate(zip(SIZES[:-1], SIZES[1:], strict=True)):
        linear = torch.nn.Linear(fan_in, out, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(weights[k][run]))
            linear.bias.zero_()
        hidden = [torch.nn.BatchNorm1d(out, dtype=torch.float64)] if norm else []
        layers += [linear] if k == len(SIZES) - 2 else [linear, *hidden, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATES[run])
    x, labels = map(torch.tensor, batch())
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), labels).backward()
        optimizer.step()
    return model.eval()(x).detach().numpy()


@pytest.mark.parametrize("block", [lambda runs, units: [Relu()], normalized], ids=["plain", "normalized"])
def test_every_run_learns_as_the_same_network_in_pytorch(block):
    weights = he_weights(SIZES, SEEDS, copies=2, factor=0.7)
    networks = Networks(weights, block, RATES)
    x, labels = batch()
    for _ in range(5):
        networks.step(x, labels)
    logits = networks.logits(x)
    for run in range(len(RATES)):
        expected = by_torch(weights, run, 5, block is normalized)
        np.testing.assert_allclose(logits[:, run], expected, atol=1e-4 * np.abs(expected).max())


def test_runs_of_one_seed_start_alike_and_the_last_layer_keeps_its_scale():
    plain, small = he_weights(SIZES, SEEDS, copies=2), he_weights(SIZES, SEEDS, copies=2, factor=0.5)
    for weight, smaller in zip(plain[:-1], small[:-1], strict=True):
        assert np.array_equal(weight[:2], weight[2:]) and not np.array_equal(weight[0], weight[1])
        assert np.array_equal(smaller, 0.5 * weight)
    assert np.array_equal(plain[-1], small[-1])


def test_dropout_drops_each_runs_own_share_and_nothing_in_evaluation():
    dropout = Dropout(np.array([0.0, 0.2, 0.5]), np.random.default_rng(0))
    h = np.ones((4000, 3, 5), np.float32)
    out = dropout.forward(h, training=True)
    for run, p in enumerate((0.0, 0.2, 0.5)):
        # Of 20,000 independent draws; six standard deviations are passed by chance once in 10^9.
        assert abs(np.mean(out[:, run] == 0) - p) <= 6 * np.sqrt(p * (1 - p) / 20_000)
        assert np.allclose(out[:, run][out[:, run] != 0], 1 / (1 - p))
    assert np.array_equal(dropout.backward(h), out)
    assert np.array_equal(dropout.forward(h, training=False), h)


def test_training_leaves_out_a_last_batch_of_one_example():
    seen = []

    class Noting(Relu):
        def forward(self, h, training):
            seen.append(len(h))
            return super().forward(h, training)

    networks = Networks(he_weights((6, 4, 3), 1), lambda runs, units: [Noting()], np.array([0.1]))
    x, labels = batch()
    networks.train(x[:9], labels[:9], epochs=2, batch_size=4)
    assert seen == [4, 4, 4, 4]
