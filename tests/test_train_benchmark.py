"""The benchmark of training: what it counts, and that every way runs. No clock is judged."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks import alexnet
from benchmarks.alexnet import PEAKS, PlainImages, Setup, compare, middle, projection, ratio, report

CPU = torch.device("cpu")
TINY = Setup(CPU, "float32", width=0.02, size=32, batch_size=4, steps=2, epochs=1, rounds=2)


def test_the_operations_of_a_training_step():
    full = Setup(CPU, "float32", width=1.0, size=227, classes=1000)
    # 724,406,816 multiply–accumulates forward, as many for the weights and, without conv1, for the inputs.
    assert full.flops() == 2 * (3 * 724_406_816 - 105_415_200)
    assert full.stored == 256


def test_all_ways_are_measured_and_reported():
    measured = compare(TINY)
    assert set(measured) >= {"model alone", "our loop", "our loop, augmented", "plain loop", "plain loop, augmented"}
    assert all(len(rates) == 2 and min(rates) > 0 for rates in measured.values())
    said = report(TINY, measured, (1e12, "a made-up rate"))
    assert all(name in said for name in measured) and "of a made-up rate (1 TFLOP/s)" in said and "ImageNet" not in said


def test_ratios_are_paired_within_rounds():
    measured = {"a": [10.0, 100.0, 30.0], "b": [20.0, 200.0, 20.0]}
    assert ratio(measured, "a", "b") == 0.5


def test_the_projection():
    assert "would take 8.0 hours" in projection(4000.0) and "five to six days" in projection(4000.0)


def test_the_plain_images_are_cut_and_mirrored():
    images, labels = TINY.images()
    assert images.shape == (8, 3, 36, 36) and middle(TINY, images).shape == (8, 3, 32, 32)
    np.testing.assert_array_equal(middle(TINY, images), images[:, :, 2:34, 2:34])
    torch.manual_seed(0)
    plain = PlainImages(images, labels, 32)
    windows = images[0].astype(np.float32) - 127.5
    places = {
        (top, left, step): windows[:, top : top + 32, left : left + 32][:, :, ::step]
        for top in range(5)
        for left in range(5)
        for step in (1, -1)
    }
    seen = {place for _ in range(60) for place, window in places.items() if np.array_equal(plain[0][0], window)}
    assert len(seen) > 5 and {step for _, _, step in seen} == {1, -1}


def test_the_peak_is_looked_up_or_measured(monkeypatch):
    rate, where = alexnet.peak(TINY)
    assert rate > 0 and "measured here" in where
    gpu = Setup(torch.device("cuda", 0), "bf16")
    for name, known in (("NVIDIA H100 PCIe", "H100 PCIe"), ("NVIDIA H100 80GB HBM3", "H100"), ("NVIDIA H200", "H200")):
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device, name=name: name)
        assert alexnet.peak(gpu) == (PEAKS[known], f"the data sheet's dense bf16 rate of an {known}")


@pytest.mark.cuda
def test_every_way_runs_on_a_gpu():
    setup = Setup(torch.device("cuda", 0), "bf16", 0.1, 64, 16, 2, 1, 1, workers=2)
    assert "our loop, augmented by workers" in compare(setup)
