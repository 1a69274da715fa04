"""The first difference is found, and said in a sentence a student can use."""

from __future__ import annotations

import math

import numpy as np
import pytest

from course_utils.checks.compare import describe_inputs, difference, number_pair
from course_utils.checks.exercise import Raises
from course_utils.plain import Other

A = np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (A, A.copy()),
        (A, A.astype(np.float32)),
        (A, A.astype(int)),
        (A, A * (1 + 1e-9)),
        (A / 3, (A / 3).astype(np.float16)),
        (2.0, 2),
        (2.0, np.array(2.0)),
        ((1.0, A), [1.0, A]),
        ({"a": A}, {"a": A}),
        (np.array([np.nan, np.inf]), np.array([np.nan, np.inf])),
        (np.array([1, 2]), np.array([1, 2], dtype=np.int32)),
        ("low", "low"),
        (None, None),
    ],
)
def test_equal_things_have_no_difference(expected, got):
    assert difference(expected, got) is None


@pytest.mark.parametrize(
    ("expected", "got", "says"),
    [
        (A, A + [[0, 0], [1, 0]], "result[1, 0] is 4, should be 3"),
        (A, A[:1], "has shape (1, 2), should have shape (2, 2)"),
        (A, A.tolist(), "is a list of 2 values, should be an array of shape (2, 2)"),
        (A, None, "is a return missing?"),
        (A, Other("torch.Tensor"), "is a torch.Tensor, should be an array"),
        (A, A * np.nan, "is NaN, should be 1"),
        (A, -A, "is −1, should be 1"),
        (A, A.astype(complex), "holds complex numbers"),
        (np.array([1, 2]), np.array([1.0, 2.0]), "holds floats (float64), should hold integers"),
        (np.array([True]), np.array([1]), "should hold booleans"),
        (28, 28.0, "the result is 28.0, a float; should be 28, an integer"),
        (557_568_000, 557_568_000.0, "the result is 557568000.0, a float; should be 557568000, an integer"),
        (-28, np.array(-27.5), "the result is −27.5, a float; should be −28, an integer"),
        (True, 1, "the result is 1, an integer; should be True or False"),
        (3, True, "the result is True, a boolean; should be 3, an integer"),
        (2.0, np.array(1j), "should be 2.0, a float"),
        ((10,), 10, "is an integer, should be a tuple of 1 value"),
        (2.0, np.array([2.0]), "has shape (1,), should be a single number"),
        ((1.0, 2.0), (1.0,), "holds 1 value, should hold 2"),
        ((1.0, 2.0), A, "should be 2 values"),
        ({"a": 1.0}, {}, "lacks the key 'a'"),
        ({"a": 1.0}, {"a": 1.0, "b": 2}, "'b' that does not belong"),
        ({"a": 1.0}, {"a": 2.0}, "a is 2, should be 1"),
        ("low", "high", "'high', should be 'low'"),
        (Raises("ValueError"), 3, "is 3, but a ValueError should have been raised"),
    ],
)
def test_a_difference_is_said(expected, got, says):
    assert says in difference(expected, got)


def test_nothing_at_all_is_a_missing_return_whatever_the_name_of_the_output():
    for expected, names in ((A, ()), (A, ("out",)), (2.0, ()), ((1.0, A), ("loss", "grad")), ({"a": A}, ("a", "b"))):
        assert difference(expected, None, names) == "the result is None: is a return missing?"
    assert difference((1.0, A), (1.0, None), ("loss", "grad")) == "grad is None"


def test_elements_of_a_tuple_carry_their_names():
    assert difference((1.0, A), (1.0, -A), ("loss", "grad")).startswith("grad[0, 0] is −1")


def test_float32_is_allowed_its_own_rounding_but_no_more():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(50, 60)), rng.normal(size=(60, 70))
    assert difference(x @ w, x.astype(np.float32) @ w.astype(np.float32)) is None
    assert difference(x @ w, (x @ w * 1.001).astype(np.float32)) is not None


def test_numbers_get_the_digits_that_tell_them_apart():
    assert number_pair(1.0, 1.0000001) == ("1", "1.0000001")


def test_inputs_in_a_few_words():
    assert describe_inputs({"x": np.zeros((5, 7)), "stride": 2, "f": "square"}) == "x 5×7, stride = 2, f square"
    assert describe_inputs({"errors": [8, 7.5, math.nan, 6, 5], "patience": 3}) == (
        "errors (8, 7.5, NaN, 6, 5), patience = 3"
    )
    assert describe_inputs({"seeds": list(range(11)), "patience": 3}) == "patience = 3"
