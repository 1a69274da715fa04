"""Runs that cannot go on say what happened and what to change."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from course_utils._training import watch
from course_utils._training.distributed import Team
from course_utils._training.loading import HostImages
from course_utils.train import TrainingError, load_checkpoint
from tests.training_runs import made_images, small_data, small_model, train


def test_a_loss_that_explodes_is_diagnosed():
    with pytest.raises(TrainingError) as error:
        train(small_model(), learning_rate=1e20, epochs=9)
    said = str(error.value)
    assert said.startswith("The loss is no finite number any more: step 2 of epoch 1, learning rate 1e+20.")
    assert "The losses before it: 1." in said
    assert "The largest gradient in step 1 was that of 5.weight: its norm was" in said
    assert "Try a learning rate of 1e+19." in said and "checkpoint" not in said


def test_the_diagnosis_names_the_layer_with_the_largest_gradient_and_the_older_checkpoint(tmp_path):
    model = small_model()
    train(model, epochs=1, out=tmp_path)
    before = load_checkpoint(tmp_path / "checkpoint.pt")["model"]
    model[0].weight.register_hook(lambda gradient: gradient * math.inf)
    with pytest.raises(TrainingError) as error:
        train(model, epochs=3, out=tmp_path, resume=tmp_path / "checkpoint.pt", normalize="standard")
    said = str(error.value)
    assert "step 2 of epoch 2" in said and "The gradient of 0.weight was not finite in step 1." in said
    assert f"The checkpoint {tmp_path / 'checkpoint.pt'} is from before." in said
    kept = load_checkpoint(tmp_path / "checkpoint.pt")["model"]
    assert all(torch.equal(kept[name], before[name]) for name in before), "a good checkpoint was overwritten"


def test_the_advice_fits_the_run():
    images, labels = small_data()[0]
    wild = small_model()
    with torch.no_grad():
        wild[0].weight.fill_(1e38)
    with pytest.raises(TrainingError) as error:
        train(wild, data=(images, labels), normalize="none", precision="fp16")
    for advice in ("bf16 or float32 instead of fp16", "normalize='standard'", "smaller initial weights", "epoch 1"):
        assert advice in str(error.value)


def test_a_gpu_is_looked_at_rarely_and_the_bad_step_is_still_known():
    model = small_model()
    looks = watch.Watch(Team(torch.device("cpu")), model, every=50)
    looked = []
    for step in range(1, 161):
        loss = 1.0 if step <= 130 else math.nan
        for each in model.parameters():
            each.grad = torch.full_like(each, loss)
        looks.add(torch.tensor(loss), torch.tensor(2))
        if looks.due:
            read, wrong, wishes = looks.look((False, True))
            looked.append(step)
            assert wishes == [False, True] and wrong == 2 * len(read)
            assert looks.note(read, step) is None
    assert looked == [1, 2, 4, 8, 16, 32, 64, 114]
    read, _, _ = looks.look((False, False))  # the end of the epoch
    assert 160 - len(read) + looks.note(read, 160) + 1 == 131
    assert looks.gradient.step == 114 and looks.gradient.norm == pytest.approx(math.sqrt(288))  # of 5.weight, 3 × 96


class Hungry(nn.Module):
    """Runs out of memory with more than `most` images at once, as a GPU does."""

    def __init__(self, most, error):
        super().__init__()
        self.inner, self.most, self.error = small_model(), most, error

    def forward(self, x):
        if len(x) > self.most:
            raise self.error
        return self.inner(x)


CUDA = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
CPU = RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: you tried to ...")


@pytest.mark.parametrize("error", [CUDA, CPU, MemoryError("Unable to allocate 3 GiB")], ids=["cuda", "cpu", "numpy"])
def test_too_little_memory_says_what_to_change(error):
    with pytest.raises(TrainingError) as told:
        train(Hungry(4, error), accumulate=2)
    said = str(told.value)
    assert "with 8 images of 3×12×12 at once (batch size 16, accumulate 2, float32)" in said
    order = ["accumulate=4", "--accumulate 4", "a batch size of 8", "smaller images or a narrower network"]
    assert sorted(order, key=said.index) == order
    assert told.value.__cause__ is None and told.value.__context__ is None, "the tensors would be kept"
    train(Hungry(4, error), accumulate=4)  # the advice helps


def test_other_errors_stay_what_they_are():
    with pytest.raises(KeyError):
        train(Hungry(4, KeyError("mine")))


class Broken:
    """Like `ImageFiles`: read when it is indexed, and one of its files is no image."""

    def __init__(self, images, broken):
        self.images, self.broken, self.shape = images, broken, images.shape

    def __len__(self):
        return len(self.images)

    def __getitem__(self, rows):
        if self.broken in rows:
            raise RuntimeError("The file cat/7.jpg is no image.")
        return self.images[rows]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_file_that_cannot_be_read_is_one_sentence(workers):
    images, labels = made_images(1200)
    data = Broken(images, 5), labels  # 5 is not among the images that the mean is taken of
    with pytest.raises(TrainingError) as error:
        train(small_model(), data=data, batch_size=600, workers=workers)
    assert str(error.value) == "The images could not be read: The file cat/7.jpg is no image."


def test_images_in_files_are_the_same_images():
    images, labels = made_images(45)
    runs = []
    for data in ((images, labels), (Broken(images, -1), labels)):
        model = small_model()
        train(model, data=data, epochs=1, workers=1)
        runs.append(torch.cat([each.detach().flatten() for each in model.parameters()]))
    assert torch.equal(*runs)
    with pytest.raises(TrainingError, match="cannot lie on the device"):
        train(small_model(), data=(Broken(images, -1), labels), loading="device")


def test_the_workers_end_with_the_run(monkeypatch):
    made = []
    real = HostImages.__init__

    def noted(self, *arguments):
        real(self, *arguments)
        made.append(self)

    monkeypatch.setattr(HostImages, "__init__", noted)
    closed = []
    monkeypatch.setattr(
        HostImages, "close", lambda self, real=HostImages.close: (closed.append(_pids(self)), real(self))
    )
    train(small_model(), epochs=2, workers=2)
    assert len(made) == len(closed) == 1 and len(closed[0]) == 2
    assert not any(process.is_alive() for process in closed[0])


def _pids(images):
    return list(images._loader._iterator._workers)
