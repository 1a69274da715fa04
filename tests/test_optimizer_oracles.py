"""The oracles of 04_optimizers that are more than one call of PyTorch, against closed forms."""

from __future__ import annotations

import numpy as np

from course_utils.checks._optimizers.alexnet import TorchAlexNetSGD
from course_utils.checks._optimizers.nadam import TorchNAdam


def test_the_oracle_of_alexnets_rule_is_the_sum_over_all_past_steps():
    rng = np.random.default_rng(0)
    momentum, decay = 0.8, 0.2
    by_oracle = rng.normal(size=(2, 3))
    by_sum, pushes = by_oracle.copy(), []
    optimizer = TorchAlexNetSGD([by_oracle], 0.1, momentum, decay)
    for rate in [0.1] * 20 + [0.02] * 20 + [0.2] * 20:
        noise = rng.normal(size=(2, 3))
        optimizer.learning_rate = rate
        optimizer.step([noise + 0.5 * by_oracle])
        pushes.append(-rate * (decay * by_sum + noise + 0.5 * by_sum))
        velocity = np.tensordot(momentum ** np.arange(len(pushes))[::-1], pushes, axes=1)
        by_sum = by_sum + velocity
    np.testing.assert_allclose(by_oracle, by_sum, rtol=1e-12)


def test_the_oracle_of_nadam_keeps_its_product_in_double_precision():
    weights = np.array([[1.0, -2.0]])
    optimizer = TorchNAdam([weights], beta1=0.9, momentum_decay=0.5)
    for _ in range(60):
        optimizer.step([np.array([[0.3, 0.7]])])
    momenta = 0.9 * (1 - 0.5 * 0.96 ** (0.5 * np.arange(1, 61)))
    (state,) = optimizer.optimizer.state.values()
    np.testing.assert_allclose(float(state["mu_product"]), np.prod(momenta), rtol=1e-12)
