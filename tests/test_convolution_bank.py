"""What the bank of 02_convolution claims beyond what every bank must: its bounds for ties, and its broken function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from course_utils.checks import registry
from course_utils.checks._convolution.pooling_backward import bounds, max_pool_gradient
from tests.bank.convolution.repaired import BROKEN
from tests.test_bank import SEEDS, verdict_on

ASSIGNMENT = "02_convolution"
NOTEBOOK = Path(__file__).resolve().parent.parent / "solutions" / ASSIGNMENT / "convolution.py"


@pytest.mark.parametrize("seed", range(5))
def test_the_bounds_of_max_pooling_meet_in_the_gradient_where_nothing_is_tied(seed):
    for case in registry.exercises(ASSIGNMENT)["max_pool2d_backward"].cases(np.random.default_rng(seed)):
        lowest, highest = bounds(**case.inputs)
        gradient = max_pool_gradient(**case.inputs)
        assert np.all(lowest <= gradient + 1e-12) and np.all(gradient <= highest + 1e-12)
        if case.aspect == "tied maxima":
            assert np.any(lowest < highest - 0.1)
        else:
            np.testing.assert_allclose(lowest, highest, atol=1e-12)
            np.testing.assert_allclose(lowest, gradient, atol=1e-12)


def test_a_tied_gradient_must_neither_vanish_nor_go_elsewhere():
    exercise = registry.exercises(ASSIGNMENT)["max_pool2d_backward"]
    case = next(c for c in exercise.cases(np.random.default_rng(0)) if c.aspect == "tied maxima")
    right = max_pool_gradient(**case.inputs)
    assert exercise.verify(case, right) is None
    lowest, highest = bounds(**case.inputs)
    doubled = np.where(lowest < highest, highest, right)
    assert "differ" in exercise.verify(case, doubled)
    nobody = np.where(lowest < highest, 0.0, right)
    assert "differ" in exercise.verify(case, nobody)
    elsewhere = right + 0.5 * (highest == 0)
    assert "should be 0" in exercise.verify(case, elsewhere)


def test_the_broken_function_of_the_notebook_earns_nothing():
    shown = BROKEN.replace("repaired_conv2d_backward", "broken_conv2d_backward")
    assert shown in NOTEBOOK.read_text(encoding="utf-8")
    scope = {"np": np}
    exec(BROKEN, scope)
    for seed in SEEDS:
        assert verdict_on(ASSIGNMENT, "repaired_conv2d_backward", scope["repaired_conv2d_backward"], seed).score == 0
