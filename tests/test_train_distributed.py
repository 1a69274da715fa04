"""Two processes of torchrun train as one: their gradients and weights are those of the whole batch."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn import functional

from course_utils.train import load_checkpoint
from tests.made_up import ROOT
from tests.training_runs import made_images, one_batch, sharded, small_model


def torchrun(*arguments, timeout=240):
    """Run a module in two processes on this machine, without a rendezvous over the network."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        list(map(str, command)), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )


def test_two_processes_have_the_gradients_and_end_with_the_weights_of_one(tmp_path):
    done = torchrun("tests.training_runs", tmp_path)
    assert done.returncode == 0, done.stderr
    ranks = [torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in range(2)]
    whole, history = sharded()
    for name in ("whole", "accumulated", "resumed"):
        for weights, records in (rank[name] for rank in ranks):
            for key in whole:
                torch.testing.assert_close(weights[key], whole[key], rtol=1e-10, atol=1e-13, msg=f"{name}, {key}")
            for own, expected in zip(records, history, strict=True):
                for each in ("train_loss", "train_error", "validation_loss", "validation_error", "learning_rate"):
                    assert own[each] == pytest.approx(expected[each], rel=1e-10), (name, each)
    for key in whole:
        assert torch.equal(ranks[0]["whole"][0][key], ranks[1]["whole"][0][key]), "the processes drift apart"
        assert torch.equal(ranks[0]["whole"][0][key], ranks[0]["resumed"][0][key]), "resumed, but not to the bit"
    images, labels = one_batch()
    model = small_model(dtype=torch.float64)
    functional.cross_entropy(model(images), labels).backward()
    for rank in ranks:
        for own, each in zip(rank["gradients"], model.parameters(), strict=True):
            torch.testing.assert_close(own, each.grad, rtol=1e-11, atol=1e-14)
    assert len(load_checkpoint(tmp_path / "run" / "checkpoint.pt")["random"]) == 2


def folder_of_images(root):
    """As a folder of photographs, one folder for each class."""
    from PIL import Image

    images, labels = made_images(40, side=36)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = root / f"class{label}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.moveaxis(image, 0, -1)).save(folder / f"{number}.png")
    return root


def test_the_command_runs_under_torchrun_and_only_one_process_speaks(tmp_path):
    pytest.importorskip("course_utils.data.folders")
    data = folder_of_images(tmp_path / "images")
    options = ["--model", "small", "--image-size", 32, "--epochs", 1, "--batch-size", 8, "--accumulate", 2]
    done = torchrun("course_utils.train", "--data", data, "--out", tmp_path / "run", *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("epoch 1/1") == 1 and "2 processes" in done.stdout
    assert sorted(os.listdir(tmp_path / "run")) == ["best.pt", "checkpoint.pt", "history.json"]
