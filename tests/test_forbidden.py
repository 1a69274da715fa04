"""Forbidden names are found however they are reached, and only where the exercise reaches them."""

from __future__ import annotations

import pytest

from course_utils.checks.forbidden import defines, find_forbidden

FORBIDDEN = ("torch", "scipy.signal", "course_utils.checks")


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["import torch\ndef f(x):\n    return torch.relu(x)"], "torch.relu"),
        (["import torch as t", "def f(x):\n    return t.nn.functional.relu(x)"], "torch.nn.functional.relu"),
        (["from torch.nn import functional as F", "def f(x):\n    return F.relu(x)"], "torch.nn.functional.relu"),
        (["def f(x):\n    import torch\n    return torch.relu(x)"], "torch"),
        (["def f(x):\n    from scipy.signal import convolve\n    return convolve(x, x)"], "scipy.signal.convolve"),
        (["def f(x):\n    return __import__('torch').relu(x)"], "torch"),
        (["import importlib", "def f(x):\n    return importlib.import_module('torch.nn').relu(x)"], "torch.nn"),
        (["import torch", "def g(x):\n    return torch.relu(x)", "def f(x):\n    return g(x)"], "torch.relu"),
        (["import torch", "g = torch.relu", "def f(x):\n    return g(x)"], "torch.relu"),
        (["import torch", "f = torch.relu"], "torch.relu"),
        (["from torch import *", "def f(x):\n    return relu(x)"], "torch"),
        (["class f:\n    def go(self, x):\n        import torch\n        return x"], "torch"),
        (
            ["from course_utils.checks import backprop", "def f(x):\n    return backprop"],
            "course_utils.checks.backprop",
        ),
        (
            ["try:\n    import torch\nexcept ImportError:\n    pass", "def f(x):\n    return torch.relu(x)"],
            "torch.relu",
        ),
        (["%matplotlib inline\nimport torch", "def f(x):\n    return torch.relu(x)"], "torch.relu"),
    ],
)
def test_found(cells, found):
    assert find_forbidden(cells, "f", FORBIDDEN) == found


@pytest.mark.parametrize(
    "cells",
    [
        ["import torch", "def f(x):\n    return x", "def g(x):\n    return torch.relu(x)"],
        ["import numpy as np", "def f(x):\n    return np.maximum(x, 0)"],
        ["def f(torch):\n    return torch + 1"],
        ["from scipy import linalg", "def f(x):\n    return linalg.norm(x)"],
        ["import torch", "def f(x):\n    return torch.relu(x)", "def f(x):\n    return x"],
        ["from torch import *", "def f(x):\n    y = [a for a in x]\n    return sum(y)"],
        ["def f(x:"],
        [],
    ],
)
def test_not_found(cells):
    assert find_forbidden(cells, "f", FORBIDDEN) is None


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("def f(x): pass", True),
        ("class f: pass", True),
        ("f = g", True),
        ("from m import f", True),
        ("from m import g as f", True),
        ("def g():\n    f = 1", False),
        ("f(3)", False),
        ("def f(", False),
        ("", False),
    ],
)
def test_defines(cell, expected):
    assert defines(cell, "f") is expected
