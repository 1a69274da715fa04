"""`python -m course_utils.train`, and that NumPy and PyTorch are all it needs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from course_utils._training import command
from tests.made_up import ROOT
from tests.training_runs import made_images, small_data

# What a bare GPU machine has not: everything that the course depends on, but NumPy and PyTorch.
BARE = """
import sys

BLOCKED = {"IPython", "ipywidgets", "ipykernel", "matplotlib", "traitlets", "scipy", "sklearn", "pandas", "PIL",
           "nbformat", "nbclient", "jupyter_client", "jupytext", "nbgrader", "filelock", "threadpoolctl", "typer",
           "comm", "rich", "latex2mathml", "pytest", "psutil"}
sys.modules.update(dict.fromkeys(BLOCKED))  # None: importing it fails, and it cannot be found either
from tests.training_runs import small_model, train
from course_utils import device, models
print(train(models.SmallConvNet(3, width=4), epochs=1, progress="auto")[0]["epoch"])
assert not [name for name in BLOCKED if sys.modules[name] is not None]
"""


def run(*command, **options):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *map(str, command)], env=environment, capture_output=True, text=True, timeout=120, check=False,
        **options,
    )  # fmt: skip


def test_numpy_and_pytorch_are_enough(tmp_path):
    done = run("-c", BARE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Training on the CPU") and lines[1].startswith("epoch 1/1: loss") and lines[-1] == "1"


@pytest.fixture
def shapes(monkeypatch):
    """The command's data are three kinds of bars."""
    asked = []

    def load(arguments, size):
        asked.append((arguments.data, size))
        train, validation, test = (
            SimpleNamespace(images=images, labels=labels, __len__=None)
            for images, labels in (made_images(45, 38), made_images(20, 38, 1), made_images(20, 38, 2))
        )
        return SimpleNamespace(train=Sized(train), validation=validation, test=test, classes=("a", "b", "c"))

    monkeypatch.setattr(command, "load", load)
    return asked


class Sized(SimpleNamespace):
    def __init__(self, split):
        super().__init__(**vars(split))

    def __len__(self):
        return len(self.labels)


def test_the_command_trains_resumes_and_tests(shapes, tmp_path, capsys):
    out = tmp_path / "run"
    options = ["--data", "shapes", "--image-size", "32", "--model", "small", "--batch-size", "16", "--device", "cpu"]
    options += ["--learning-rate", "0.05", "--out", str(out)]
    assert command.main([*options, "--epochs", "1"]) == 0
    assert command.main([*options, "--epochs", "3", "--resume", str(out / "checkpoint.pt"), "--test"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("epoch 1/") == 1 and "epoch 3/3" in shown
    assert "small: 93,635 parameters, 3 classes; 45 images." in shown
    assert "Test: error" in shown
    assert [record["epoch"] for record in json.loads((out / "history.json").read_text())] == [1, 2, 3]
    assert shapes == [("shapes", 32)] * 2


def test_alexnet_is_what_it_trains_unless_told(shapes, tmp_path, capsys):
    options = ["--data", "shapes", "--image-size", "32", "--width", "0.05", "--batch-size", "16", "--device", "cpu"]
    assert command.main([*options, "--epochs", "1", "--out", str(tmp_path), "--colour", "0.1", "--groups", "1"]) == 0
    assert capsys.readouterr().out.startswith("alexnet: ")


def test_what_is_wrong_is_one_sentence_and_a_status(shapes, tmp_path, capsys):
    options = ["--data", "shapes", "--image-size", "32", "--epochs", "1", "--out", str(tmp_path)]
    for more, status, says in (
        (["--resume", str(tmp_path / "none.pt")], 1, "There is no checkpoint"),
        (["--device", "cuda:99"], 2, "PyTorch sees"),
        (["--width", "-1"], 2, "a width above 0"),
        (["--image-size", "16"], 2, "at least 32 pixels, not 16"),
    ):
        assert command.main([*options, *more]) == status
        said = capsys.readouterr().err
        assert says in said and "Traceback" not in said
    with pytest.raises(SystemExit) as wrong:
        command.main(["--epochs", "1"])
    assert wrong.value.code == 2


def test_a_data_error_is_one_sentence(tmp_path, capsys):
    pytest.importorskip("course_utils.data.folders")
    assert command.main(["--data", str(tmp_path / "nothing"), "--device", "cpu"]) == 1
    assert str(tmp_path / "nothing") in capsys.readouterr().err


ENDLESS = """
import sys
from course_utils.train import TrainingInterrupted
from tests.training_runs import small_model, train
try:
    train(small_model(), epochs=100000, out=sys.argv[1], progress="lines", workers=1)
except TrainingInterrupted as stopped:
    print(stopped)
    raise SystemExit(130)
"""


def test_ctrl_c_in_a_terminal_also_reaches_the_workers_and_harms_nothing(tmp_path):
    """The terminal sends it to the whole group of processes."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(tmp_path)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    for _ in range(3):
        process.stdout.readline()  # the device, and two epochs
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Stopped by Ctrl-C" in out and errors == ""
    assert (tmp_path / "checkpoint.pt").exists()


def test_the_data_small_runs_share_can_be_told_apart():
    (images, labels), _ = small_data()
    assert images.shape == (45, 3, 14, 14) and set(labels) == {0, 1, 2}
