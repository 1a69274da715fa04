"""The lecture's table is what the reference measures, up to the sampling error of one network.

The lecture draws one network of ten layers of 500 tanh units, weights 0.01 · randn, and sends 1000 examples through it.
Its inputs' std, 0.998388, is what 1000 · 500 numbers from N(0, 1) may have: 1 ± 0.001.
"""

from __future__ import annotations

import numpy as np
import pytest

from autograder.build.course import build_sources
from autograder.references import load_references
from tests.made_up import ROOT

ASSIGNMENT = "03_initialization"
# The deck on initialization prints mean and std of hidden layers 1 to 10.
MEANS = [-0.000117, -0.000001, -0.000002, 0.000001, 0.000002, 0, 0, 0, 0, 0]
STDS = [0.213081, 0.047551, 0.010630, 0.002378, 0.000532, 0.000119, 0.000026, 0.000006, 0.000001, 0.000000]
HALF_A_DIGIT = 0.5e-6  # six decimals are printed
# Student's t with NETWORKS − 1 degrees of freedom exceeds this with probability 0.0007.
NETWORKS, ERRORS = 10, 5.0


@pytest.fixture(scope="module")
def forward_statistics(tmp_path_factory):
    """The reference."""
    root = tmp_path_factory.mktemp("lecture")
    for part in ("solutions", "course_utils"):
        (root / part).symlink_to(ROOT / part)
    build_sources(root, [ASSIGNMENT])
    notebook = root / "build" / "source" / ASSIGNMENT / "initialization.ipynb"
    return load_references(notebook, ASSIGNMENT)["forward_statistics"]


def measured(forward_statistics, scale: float = 0.01, layers: int = 10) -> np.ndarray:
    """Mean and std of every layer of `NETWORKS` networks like the lecture's: (NETWORKS, layers, 2)."""
    networks = []
    for seed in range(NETWORKS):
        rng = np.random.default_rng(seed)
        weights = [scale * rng.normal(size=(500, 500)) for _ in range(layers)]
        networks.append(forward_statistics(weights, rng.normal(size=(1000, 500)), "tanh"))
    return np.array(networks)


def surprises(ours: np.ndarray, lecture: list[float]) -> np.ndarray:
    """How far the lecture's numbers are from ours, (NETWORKS, layers), in units of what one more network may be off.

    One more draw from the distribution of ours differs from their mean by s·√(1 + 1/n), s being their std. On top of
    that comes at most half of the last printed digit.
    """
    error = ours.std(axis=0, ddof=1) * np.sqrt(1 + 1 / len(ours))
    return (np.abs(ours.mean(axis=0) - lecture) - HALF_A_DIGIT) / error


@pytest.fixture(scope="module")
def ours(forward_statistics):
    return measured(forward_statistics)


def test_the_lectures_stds_are_one_more_draw(ours):
    assert (surprises(ours[..., 1], STDS) < ERRORS).all(), surprises(ours[..., 1], STDS)


def test_the_lectures_means_are_one_more_draw(ours):
    assert (surprises(ours[..., 0], MEANS) < ERRORS).all(), surprises(ours[..., 0], MEANS)


def test_the_sampling_error_is_small_enough_to_mean_something(ours):
    spread = ours[..., 1].std(axis=0, ddof=1) / ours[..., 1].mean(axis=0)
    assert spread[0] < 0.002 and spread.max() < 0.02, spread


def test_weights_two_percent_larger_would_not_fit(forward_statistics):
    assert surprises(measured(forward_statistics, 0.0102, 1)[..., 1], STDS[:1]) > 2 * ERRORS


def test_the_tenth_layer_is_small_and_not_zero(ours):
    """The slide says that all activations become zero: tanh z ≈ z, so each layer multiplies by 0.01 · √500."""
    last = ours[:, -1, 1]
    assert last.min() > 0
    assert last.mean() == pytest.approx((0.01 * 500**0.5) ** 10, rel=0.1)
