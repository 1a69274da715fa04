"""Checkpoints: to the bit, whole or not at all, and one sentence for everything that is wrong with a file."""

from __future__ import annotations

import os
import signal

import pytest
import torch

from course_utils._training import checkpoint, loop
from course_utils.train import (
    Augmentation,
    TrainingError,
    TrainingInterrupted,
    load_checkpoint,
    load_weights,
    save_checkpoint,
)
from tests.training_runs import CROP, small_data, small_model, train


def without_times(history):
    timed = ("seconds", "images_per_second")
    return [{name: value for name, value in record.items() if name not in timed} for record in history]


def same_weights(model, other):
    pairs = zip(model.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(one, two) for one, two in pairs)


class AfterSteps:
    """Sends this process a signal when the model has run forward in training so many times."""

    def __init__(self, model, steps, number=signal.SIGINT):
        self.left, self.number = steps, number
        model.register_forward_hook(self.count)

    def count(self, model, inputs, out):
        self.left -= model.training
        if self.left == 0 and model.training:
            self.left = -1
            os.kill(os.getpid(), self.number)


OPTIONS = {"epochs": 4, "patience": 1, "early_stopping": 3}


@pytest.mark.parametrize(
    ("steps", "options"),
    [
        (1, {}),
        (4, {"workers": 1}),
        (8, {"accumulate": 2, "loading": "device"}),  # in a later epoch, between two pieces of a batch
        (3, {}),  # the last step of an epoch
        (5, {"precision": "fp16"}),
        (5, {"precision": "bf16"}),
    ],
)
def test_a_run_stopped_by_ctrl_c_goes_on_to_the_bit(tmp_path, steps, options):
    options = OPTIONS | options
    whole = small_model(dropout=0.3)
    history = train(whole, **options)
    stopped = small_model(dropout=0.3)
    AfterSteps(stopped, steps)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(TrainingInterrupted, match="Stopped by Ctrl-C") as end:
        train(stopped, out=tmp_path, **options)
    assert signal.getsignal(signal.SIGINT) is handler
    assert f"--resume {tmp_path / 'checkpoint.pt'}" in str(end.value)
    assert end.value._render_traceback_() == [str(end.value)]
    fresh = small_model(seed=9, dropout=0.3)  # another beginning, which the checkpoint replaces
    again = train(fresh, out=tmp_path, resume=tmp_path / "checkpoint.pt", **options)
    assert same_weights(whole, fresh)
    assert without_times(again) == without_times(history)


def test_sigterm_saves_too_and_a_finished_run_can_be_made_longer(tmp_path):
    whole, parts = small_model(dropout=0.3), small_model(dropout=0.3)
    train(whole, epochs=3)
    AfterSteps(parts, 5, signal.SIGTERM)
    with pytest.raises(TrainingInterrupted, match="Stopped by SIGTERM in epoch 2 after 2 steps"):
        train(parts, epochs=2, out=tmp_path)
    for epochs in (2, 3):
        train(parts, epochs=epochs, out=tmp_path, resume=tmp_path / "checkpoint.pt")
    assert same_weights(whole, parts)
    assert len(train(parts, epochs=3, resume=tmp_path / "checkpoint.pt")) == 3  # nothing left to do
    assert same_weights(whole, parts)


def test_without_a_folder_ctrl_c_says_that_nothing_was_saved():
    model = small_model()
    AfterSteps(model, 2)
    with pytest.raises(TrainingInterrupted, match="after 2 steps. Nothing was saved"):
        train(model)


def test_checkpoints_within_an_epoch(tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(loop, "save_checkpoint", lambda path, state: saved.append((path.name, state)))
    train(small_model(), epochs=1, out=tmp_path, save_minutes=0.0)
    steps = [state["position"]["step"] for name, state in saved if name == "checkpoint.pt"]
    assert steps == [1, 2, 3, 0]
    assert [name for name, _ in saved].count("best.pt") == 1


def test_the_best_weights_are_kept(tmp_path):
    model = small_model()
    history = train(model, epochs=4, out=tmp_path)
    best = load_checkpoint(tmp_path / "best.pt")["record"]
    assert best["validation_error"] == min(record["validation_error"] for record in history)
    loaded = load_weights(small_model(seed=3), tmp_path / "checkpoint.pt")
    assert same_weights(loaded, model)


def test_what_is_written_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "new" / "checkpoint.pt"
    save_checkpoint(path, {"value": 1})

    def torn(state, file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.torch, "save", torn)
    with pytest.raises(TrainingError, match="could not be written: No space left on device"):
        save_checkpoint(path, {"value": 2})
    assert load_checkpoint(path)["value"] == 1 and os.listdir(path.parent) == ["checkpoint.pt"]


def test_it_is_on_the_disk_before_it_takes_the_name(tmp_path, monkeypatch):
    order = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            checkpoint.os, name, lambda *given, name=name, real=real: (order.append(name), real(*given))
        )
    save_checkpoint(tmp_path / "a.pt", {})
    assert order == ["fsync", "replace", "fsync"]


class Attack:
    def __reduce__(self):
        return os.mkdir, ("attacked",)


def damaged_files(tmp_path):
    whole = tmp_path / "whole.pt"
    save_checkpoint(whole, {"model": {"weight": torch.ones(1000)}})
    content = whole.read_bytes()
    yield "cut", content[: len(content) // 2], "damaged or no checkpoint"
    yield "text", b"not a checkpoint", "damaged or no checkpoint"
    yield "empty", b"", "damaged or no checkpoint"
    foreign = tmp_path / "foreign"
    torch.save(Attack(), foreign)
    yield "attack", foreign.read_bytes(), "could run any program"
    torch.save({"state_dict": {}}, foreign)
    yield "foreign", foreign.read_bytes(), "is no checkpoint of course_utils.train"
    torch.save(torch.nn.Linear(1, 1), foreign)
    yield "module", foreign.read_bytes(), "could run any program"


def test_damaged_and_foreign_files_get_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content, says in damaged_files(tmp_path):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(TrainingError, match=says) as error:
            train(small_model(), resume=path)
        assert "\n" not in str(error.value) and name in str(error.value)
    assert not (tmp_path / "attacked").exists()
    with pytest.raises(TrainingError, match="There is no checkpoint"):
        load_checkpoint(tmp_path / "missing.pt")
    with pytest.raises(TrainingError, match="is a folder"):
        load_checkpoint(tmp_path)


def test_a_checkpoint_of_another_run_is_refused_and_changes_nothing(tmp_path):
    train(small_model(), epochs=1, out=tmp_path)
    path = tmp_path / "checkpoint.pt"
    images, labels = small_data()[0]
    cases = [
        ({"batch_size": 15}, "The batch size is another one in .*: 16 there, 15 here"),
        ({"seed": 1}, "The seed is another one"),
        ({"augment": Augmentation(CROP)}, "The augmentation is another one"),
        ({"data": (images[:40], labels[:40])}, "The number of training images is another one"),
    ]
    for options, says in cases:
        model = small_model(seed=5)
        with pytest.raises(TrainingError, match=says):
            train(model, resume=path, **options)
        assert same_weights(model, small_model(seed=5))
    with pytest.raises(TrainingError, match=r"5.weight is \(3, 96\) there and \(4, 96\) in the model"):
        train(small_model(classes=4), resume=path)
    with pytest.raises(TrainingError, match="only the checkpoint has 5.weight"):
        load_weights(small_model()[:5], path)
    with pytest.raises(TrainingError, match="holds weights alone"):
        train(small_model(), resume=tmp_path / "best.pt")
