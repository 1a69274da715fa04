"""The device is chosen and announced."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from course_utils import device as devices
from course_utils.device import best_precision, choose_device, describe_device


def test_without_a_gpu_the_cpu_is_taken_and_announced(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    cpu = choose_device()
    assert cpu == choose_device("cpu") == torch.device("cpu") and best_precision(cpu) == "float32"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert describe_device(cpu, "float32").startswith("Training on the CPU (")
    assert "with 2 threads, " in describe_device(cpu) and describe_device(cpu, "bf16").endswith(", in bf16.")
    assert describe_device(cpu, processes=3).startswith("Training on 3 processes, this one on the CPU")


def given_gpus(monkeypatch, count, major, minor=0):
    """As if there were GPUs; nothing is sent to them."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: (major, minor))
    properties = SimpleNamespace(name="Some GPU", total_memory=80 * 2**30, major=major)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)


@pytest.mark.parametrize(("major", "precision"), [(9, "bf16"), (8, "bf16"), (7, "fp16"), (6, "float32")])
def test_the_precision_that_helps_on_a_gpu(monkeypatch, major, precision):
    given_gpus(monkeypatch, 1, major)
    gpu = choose_device()
    assert gpu == torch.device("cuda", 0) and best_precision(gpu) == precision
    said = describe_device(gpu, precision)
    assert said.startswith("Training on Some GPU with 80 GiB, ") and ("bf16 supported" in said) == (major >= 8)


def test_each_process_of_torchrun_takes_its_own_gpu(monkeypatch):
    given_gpus(monkeypatch, 4, 9)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert choose_device() == torch.device("cuda", 3)
    assert choose_device("cuda") == torch.device("cuda", 0) and choose_device("cuda:2") == torch.device("cuda", 2)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("tpu", "no device called 'tpu'"),
        ("cuda:4", "sees 1 CUDA GPU."),
        ("meta", "trains on 'cpu' or 'cuda', not on meta"),
    ],
)
def test_a_device_that_is_not_here_is_refused(monkeypatch, name, says):
    given_gpus(monkeypatch, 1, 9)
    with pytest.raises(ValueError, match=says):
        choose_device(name)


def test_without_any_gpu_cuda_is_refused(monkeypatch):
    given_gpus(monkeypatch, 0, 0)
    with pytest.raises(ValueError, match="sees no CUDA GPUs"):
        choose_device("cuda")


@pytest.mark.parametrize(
    ("lines", "has"),
    [("flags\t: fpu avx512_bf16 amx_bf16\n", True), ("Features\t: fp asimd bf16\n", True), ("flags\t: avx2\n", False)],
)
def test_what_the_cpu_can_do_is_read_from_linux(monkeypatch, tmp_path, lines, has):
    listed = tmp_path / "cpuinfo"
    listed.write_text("processor\t: 0\n" + lines)
    monkeypatch.setattr(devices, "_FEATURES", str(listed))
    assert devices.cpu_has_bf16() == has
    monkeypatch.setattr(devices, "_FEATURES", str(tmp_path / "none"))
    assert not devices.cpu_has_bf16()


@pytest.mark.cuda
def test_the_gpu_of_this_machine_is_announced():
    assert torch.cuda.get_device_name(0) in describe_device(choose_device())
