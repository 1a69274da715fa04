"""The benchmark of the convolution: its layers, and that it refuses to compare what differs."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.convolution import LAYERS, Layer, compare, loop, pytorch

SMALL = Layer("small", 2, 3, 7, 4, 3, stride=2, padding=1)


def test_the_layers_count_as_the_lecture_counts():
    layers = {layer.name: layer for layer in LAYERS}
    assert layers["AlexNet, conv1"].output_side == 55
    assert layers["AlexNet, conv1"].macs == 105_415_200
    assert layers["VGG-16, conv3-2"].macs == 1_849_688_064
    assert SMALL.expansion == pytest.approx(9 * 4 * 4 / 49)  # 9 numbers for each of 4 × 4 windows


def test_the_loop_computes_a_convolution():
    inputs = SMALL.arrays(np.random.default_rng(1))
    np.testing.assert_allclose(loop(**inputs), pytorch(**inputs), rtol=1e-4, atol=1e-5)


def test_every_way_is_timed_and_a_wrong_one_ends_it(monkeypatch):
    monkeypatch.setattr("benchmarks.convolution.AT_LEAST", 0.0)
    seconds = compare(SMALL, {"loop": loop, "PyTorch": pytorch})
    assert seconds.keys() == {"loop", "PyTorch"} and min(seconds.values()) > 0
    with pytest.raises(SystemExit, match="wrong and PyTorch differ"):
        compare(SMALL, {"wrong": lambda **inputs: 1.1 * pytorch(**inputs), "PyTorch": pytorch})
